//! `state …`, `taint`, `untaint`, `workspace`: the same commands as in Terraform leave the same state.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::process::Command;

use common::Stack;
use serde_json::Value as Json;

const MAIN: &str = r#"
resource "terraform_data" "a" {
  input = "x"
}
resource "terraform_data" "c" {
  count = 2
  input = terraform_data.a.id
}
module "m" {
  source = "./m"
}
output "o" {
  value     = "s"
  sensitive = true
}
"#;
const INNER: &str = "resource \"terraform_data\" \"in\" {\n  input = [1, \"b\"]\n}\n";

fn stack() -> Stack {
    Stack::new(&[("main.tf", MAIN), ("m/main.tf", INNER)])
}

/// Runs terraform; `None` where it is not here.
fn terraform(stack: &Stack, args: &[&str]) -> Option<common::Ran> {
    let output = Command::new("terraform")
        .args(args)
        .current_dir(stack.dir())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .output();
    match output {
        Ok(output) => Some(common::ran(output)),
        Err(_) => {
            println!("skipped: terraform is not here to compare with");
            None
        }
    }
}

/// What of a state both programs must agree on: ids are random, and serials count otherwise.
fn essence(text: &str) -> Json {
    let state: Json = serde_json::from_str(text).expect("a state");
    let blocks = state["resources"].as_array().expect("resources").iter().map(|block| {
        let instances = block["instances"].as_array().expect("instances").iter().map(|instance| {
            serde_json::json!({
                "key": instance["index_key"],
                "status": instance["status"],
                "triggers": instance["attributes"]["triggers_replace"],
            })
        });
        serde_json::json!({
            "module": block["module"],
            "type": block["type"],
            "name": block["name"],
            "provider": block["provider"],
            "instances": instances.collect::<Vec<_>>(),
        })
    });
    serde_json::json!({ "resources": blocks.collect::<Vec<_>>(), "outputs": state["outputs"] })
}

/// Each line is a command; both programs run it on a state of the same stack.
const EDITS: &[&[&str]] = &[
    &["state", "mv", "terraform_data.a", "terraform_data.b"],
    &["state", "mv", "terraform_data.zz", "terraform_data.b"],
    &["state", "mv", "terraform_data.c[0]", "terraform_data.d"],
    &["state", "mv", "terraform_data.c[1]", "terraform_data.b"],
    &["state", "mv", "module.m", "module.n"],
    &["state", "mv", "-dry-run", "module.n", "module.q[0]"],
    &["state", "mv", "terraform_data.b", "other_thing.b"],
    &["state", "mv", "terraform_data.c", "terraform_data.e"],
    &["state", "mv", "terraform_data.d", "module.x.terraform_data.d"],
    &["state", "rm", "terraform_data.nope"],
    &["state", "rm", "-dry-run", "module.n"],
    &["state", "rm", "terraform_data.e[1]", "module.n"],
    &["taint", "terraform_data.b"],
    &["untaint", "terraform_data.b"],
    &["untaint", "terraform_data.b"],
    &["taint", "terraform_data.nope"],
    &["taint", "-allow-missing", "terraform_data.nope"],
    &["taint", "module.x.terraform_data.d"],
    &["state", "replace-provider", "-auto-approve", "hashicorp/none", "hashicorp/foo"],
    &[
        "state",
        "replace-provider",
        "-auto-approve",
        "terraform.io/builtin/terraform",
        "hashicorp/foo",
    ],
    &["state", "list"],
    &["workspace", "new", "w1"],
    &["workspace", "show"],
    &["workspace", "list"],
    &["state", "list"],
    &["workspace", "new", "w1"],
    &["workspace", "select", "default"],
    &["workspace", "select", "zz"],
    &["workspace", "delete", "w1"],
    &["workspace", "delete", "default"],
    &["workspace", "select", "-or-create", "w3"],
    &["workspace", "new", "a b"],
    &["workspace", "select", "default"],
    &["workspace", "list"],
    &["state", "list"],
];

#[test]
fn edits_of_a_state_do_what_terraforms_do() {
    let (ours, theirs) = (stack(), stack());
    if terraform(&theirs, &["init"]).is_none() {
        return;
    }
    ours.ok(&["apply", "-auto-approve"]);
    let applied = terraform(&theirs, &["apply", "-auto-approve"]).expect("terraform is here");
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    for edit in EDITS {
        let one = ours.run(edit);
        let other = terraform(&theirs, edit).expect("terraform is here");
        assert_eq!(one.code, other.code, "{edit:?}\n{}{}\n{}", one.out, one.err, other.err);
        let prints = matches!(edit[1], "list" | "show" | "mv" | "rm") && edit[0] != "workspace"
            || edit[0] == "workspace" && matches!(edit[1], "list" | "show")
            // A warning goes to the standard error here.
            || edit[0].ends_with("taint") && edit[1] != "-allow-missing";
        if prints && one.code == Some(0) {
            assert_eq!(one.out, other.out, "{edit:?}");
        }
        let pulled = terraform(&theirs, &["state", "pull"]).expect("terraform is here").out;
        let (mine, other) = (ours.ok(&["state", "pull"]), pulled);
        if other.trim().is_empty() {
            assert_eq!(ours.run(&["state", "list"]).out, "", "{edit:?}");
        } else {
            assert_eq!(essence(&mine), essence(&other), "after {edit:?}");
        }
    }
}

#[test]
fn a_state_goes_to_terraform_and_comes_back() {
    let ours = stack();
    ours.ok(&["apply", "-auto-approve"]);
    let pulled = ours.ok(&["state", "pull"]);
    ours.write("terraform.tfstate", &pulled);
    if terraform(&ours, &["init"]).is_none() {
        return;
    }
    let plan = terraform(&ours, &["plan", "-detailed-exitcode"]).expect("terraform is here");
    assert_eq!(plan.code, Some(0), "nothing is left to do there\n{}\n{}", plan.out, plan.err);
    let changed = terraform(&ours, &["apply", "-auto-approve", "-replace=terraform_data.c[0]"]);
    assert_eq!(changed.expect("terraform is here").code, Some(0));
    let theirs = std::fs::read_to_string(ours.dir().join("terraform.tfstate")).expect("a state");
    std::fs::remove_file(ours.dir().join("terraform.tfstate")).expect("it can be removed");
    ours.write("theirs.json", &theirs);
    ours.ok(&["state", "push", "theirs.json"]);
    assert_eq!(ours.run(&["plan", "-detailed-exitcode"]).code, Some(0), "nor here");
    let (mine, theirs): (Json, Json) = (
        serde_json::from_str(&ours.ok(&["state", "pull"])).expect("a state"),
        serde_json::from_str(&theirs).expect("a state"),
    );
    assert_eq!(mine["lineage"], theirs["lineage"]);
    assert_eq!(mine["resources"], theirs["resources"], "attributes, dependencies and all");
}

#[test]
fn a_push_of_another_or_an_older_state_needs_force() {
    let one = stack();
    one.ok(&["apply", "-auto-approve"]);
    let old = one.ok(&["state", "pull"]);
    one.ok(&["taint", "terraform_data.a"]);
    one.write("old.json", &old);
    let refused = one.fails(&["state", "push", "old.json"]);
    assert!(refused.contains("stratiform::state::older_serial"), "{refused}");
    let other = stack();
    other.ok(&["apply", "-auto-approve"]);
    other.write("old.json", &old);
    let refused = other.fails(&["state", "push", "old.json"]);
    assert!(refused.contains("stratiform::state::other_lineage"), "{refused}");
    other.ok(&["state", "push", "-force", "old.json"]);
    assert_eq!(
        essence(&other.ok(&["state", "pull"])),
        essence(&old),
        "by force it takes the place of what was there"
    );
    other.write("broken.json", "{\"version\": 4, \"resources\": 7}");
    let refused = other.fails(&["state", "push", "-force", "broken.json"]);
    assert!(refused.contains("stratiform::state::not_a_state_file"), "{refused}");
    assert_eq!(essence(&other.ok(&["state", "pull"])), essence(&old), "nothing was lost");
    let history = other.ok(&["history"]);
    assert!(history.contains("state push"), "{history}");
}

#[test]
fn workspaces_keep_their_states_apart_and_are_not_lost() {
    let stack = stack();
    stack.ok(&["apply", "-auto-approve"]);
    stack.ok(&["workspace", "new", "blue"]);
    let none = stack.fails(&["state", "list"]);
    assert!(none.contains("there is no state yet"), "{none}");
    stack.ok(&["apply", "-auto-approve"]);
    stack.ok(&["workspace", "select", "default"]);
    let refused = stack.fails(&["workspace", "delete", "blue"]);
    assert!(refused.contains("is not empty") && refused.contains("terraform_data.a"), "{refused}");
    let mut command = stack.command(&["workspace", "show"]);
    let shown = common::ran(command.env("TF_WORKSPACE", "blue").output().expect("runs"));
    assert_eq!(shown.out.trim(), "blue");
    let mut command = stack.command(&["workspace", "select", "default"]);
    let refused = common::ran(command.env("TF_WORKSPACE", "blue").output().expect("runs"));
    assert_eq!(refused.code, Some(1), "the environment has chosen\n{}", refused.err);
    for name in ["..", "a/b", "", "a b", "."] {
        assert_eq!(stack.run(&["workspace", "new", name]).code, Some(1), "{name:?}");
    }
    let deleted = stack.run(&["workspace", "delete", "-force", "blue"]);
    assert_eq!(deleted.code, Some(0), "{}", deleted.err);
    assert_eq!(stack.ok(&["state", "list"]).lines().count(), 4, "the other one is untouched");
}

#[test]
fn a_component_is_moved_as_one() {
    let types = r#"
component_type "queue" {
  output "id" {}
  implementation "local" {
    backend = "local"
    source  = "./queue"
  }
}
queue "NAME" {}
resource "terraform_data" "after" {
  input = queue.NAME.id
}
"#;
    let inner =
        "resource \"terraform_data\" \"q\" {}\noutput \"id\" { value = terraform_data.q.id }\n";
    let stack = Stack::new(&[("main.tf", &types.replace("NAME", "old")), ("queue/main.tf", inner)]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write("main.tf", &types.replace("NAME", "new"));
    stack.ok(&["state", "mv", "queue.old", "queue.new"]);
    let plan = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "nothing is left to do\n{}\n{}", plan.out, plan.err);
}

#[test]
fn a_folder_of_terraforms_is_taken_over_and_given_back() {
    let stack = stack();
    if terraform(&stack, &["init"]).is_none() {
        return;
    }
    let applied = terraform(&stack, &["apply", "-auto-approve"]).expect("terraform is here");
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let file = stack.dir().join("terraform.tfstate");
    let before = std::fs::read_to_string(&file).expect("a state");
    // Looking changes nothing, and sees what is there.
    assert_eq!(stack.ok(&["state", "list"]).lines().count(), 4);
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0));
    assert_eq!(std::fs::read_to_string(&file).expect("a state"), before);
    // Nobody said yes.
    let refused = stack.fails(&["apply", "-input=false"]);
    assert!(refused.contains("was not taken over; nothing was changed"), "{refused}");
    assert_eq!(std::fs::read_to_string(&file).expect("a state"), before);
    stack.write("main.tf", &MAIN.replace("count = 2", "count = 3"));
    let applied = stack.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("1 added, 0 changed, 0 destroyed"), "{applied}");
    assert!(!file.exists(), "nobody plans with a state that is no longer true");
    let kept = stack.dir().join("terraform.tfstate.taken-over");
    assert_eq!(std::fs::read_to_string(kept).expect("a backup"), before);
    assert!(stack.ok(&["history"]).contains("takeover"), "{}", stack.ok(&["history"]));
    // And back.
    stack.ok(&["state", "export", "-give-back"]);
    let plan = terraform(&stack, &["plan", "-detailed-exitcode"]).expect("terraform is here");
    assert_eq!(plan.code, Some(0), "nothing is left to do there\n{}\n{}", plan.out, plan.err);
    let after: Json =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("a state")).expect("JSON");
    let before: Json = serde_json::from_str(&before).expect("JSON");
    assert_eq!(after["lineage"], before["lineage"]);
    assert!(after["serial"].as_u64() > before["serial"].as_u64(), "a backend takes it as newer");
    let again = stack.fails(&["state", "export"]);
    assert!(again.contains("it is there already"), "{again}");
}
