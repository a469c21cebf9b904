//! Plan files: what is in them is carried out, all of it and nothing else, or it is refused.
//!
//! `STRATIFORM_RANDOM_PLANS=N` carries out N random plans instead of the dozen that a normal run has time for;
//! `STRATIFORM_SEED=S` begins at another seed.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::{Stack, copy, ran};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const SIM: &str = "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\nprovider \"sim\" {\n  world = \"w\"\n}\n";

fn calls(stack: &Stack) -> Vec<String> {
    let text = std::fs::read_to_string(stack.dir().join("w/calls.log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn two(a: u32, b: u32) -> String {
    format!(
        "resource \"terraform_data\" \"a\" {{\n  input = {a}\n}}\nresource \"terraform_data\" \"b\" {{\n  input = {b}\n}}\nresource \"terraform_data\" \"on_a\" {{\n  input = terraform_data.a.output\n}}\n"
    )
}

/// What is in the file counts, not what the folder has become.
#[test]
fn the_configuration_of_the_file_is_carried_out() {
    let stack = Stack::new(&[
        (
            "main.tf",
            "variable \"n\" {}\nmodule \"m\" {\n  source   = \"./m\"\n  for_each = toset([\"x\", \"y\"])\n  name     = \"${each.key}${var.n}\"\n}\nlocals {\n  ids = [for m in module.m : m.id]\n}\nresource \"terraform_data\" \"all\" {\n  count = 2\n  input = { ids = local.ids, at = count.index }\n}\noutput \"all\" {\n  value = terraform_data.all[*].output\n}\n",
        ),
        (
            "m/main.tf",
            "variable \"name\" {}\nresource \"terraform_data\" \"r\" {\n  input = var.name\n}\noutput \"id\" {\n  value = \"${terraform_data.r.output}/${terraform_data.r.id}\"\n}\n",
        ),
    ]);
    stack.ok(&["plan", "-out=p", "-var=n=7"]);
    stack.write("main.tf", "this is no configuration");
    std::fs::remove_dir_all(stack.dir().join("m")).unwrap();
    let out = stack.ok(&["apply", "p"]);
    assert!(out.contains("4 added, 0 changed, 0 destroyed"), "{out}");
    let all = stack.ok(&["output", "-json", "all"]);
    assert!(all.contains("\"x7/") && all.contains("\"y7/"), "{all}");
    let listed = stack.ok(&["state", "list"]);
    assert_eq!(listed.lines().count(), 4, "{listed}");
    assert!(listed.contains("module.m[\"x\"].terraform_data.r"), "{listed}");
}

#[test]
fn nothing_is_looked_at_again() {
    let main = |size: u32| {
        format!(
            "{SIM}resource \"sim_node\" \"a\" {{\n  name = \"a\"\n  size = {size}\n}}\nresource \"sim_node\" \"b\" {{\n  name = \"b\"\n  size = 1\n}}\n"
        )
    };
    let stack = Stack::new(&[("main.tf", &main(1))]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write("main.tf", &main(2));
    stack.ok(&["plan", "-out=p"]);
    // Somebody changes the other object; it is none of this plan's business.
    for entry in std::fs::read_dir(stack.dir().join("w")).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        if text.contains("\"name\":\"b\"") {
            std::fs::write(entry.path(), text.replace("\"size\":1", "\"size\":9")).unwrap();
        }
    }
    let before = calls(&stack).len();
    stack.ok(&["apply", "p"]);
    let made = calls(&stack).split_off(before);
    assert!(matches!(made.as_slice(), [only] if only.starts_with("update ")), "{made:?}");
    assert_eq!(stack.run(&["drift"]).code, Some(2), "what was changed outside is still found");
}

#[test]
fn a_plan_is_refused_when_something_under_it_has_changed_and_then_alone() {
    let stack = Stack::new(&[("main.tf", &two(1, 1))]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write("main.tf", &two(1, 2));
    stack.ok(&["plan", "-out=b2", "-target=terraform_data.b"]);
    stack.ok(&["plan", "-out=b2-again", "-target=terraform_data.b"]);
    stack.write("main.tf", &two(2, 1));
    stack.ok(&["apply", "-auto-approve", "-target=terraform_data.a"]);
    // Another object has changed since: no reason to refuse.
    stack.ok(&["apply", "b2"]);
    let stale = stack.fails(&["apply", "b2-again"]);
    assert!(
        stale.contains("stratiform::plan_file::stale") && stale.contains("terraform_data.b"),
        "{stale}"
    );
    let used = stack.fails(&["apply", "b2"]);
    assert!(used.contains("stratiform::plan_file::used") && used.contains("operation 3"), "{used}");
    // What a touched object is made from counts as well.
    stack.write("main.tf", &two(3, 2));
    stack.ok(&["apply", "-auto-approve", "-target=terraform_data.a"]);
    stack.ok(&["plan", "-out=on_a", "-target=terraform_data.on_a"]);
    stack.ok(&["apply", "-auto-approve", "-replace=terraform_data.a", "-target=terraform_data.a"]);
    let stale = stack.fails(&["apply", "on_a"]);
    assert!(stale.contains("`terraform_data.a` has changed"), "{stale}");
}

#[test]
fn outputs_rest_on_what_they_are_made_from() {
    let main = |b: &str| {
        format!(
            "{}output \"both\" {{\n  value = \"${{terraform_data.a.output}}{b}\"\n}}\n",
            two(1, 1)
        )
    };
    let stack = Stack::new(&[("main.tf", &main("-"))]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write("main.tf", &main("+"));
    stack.ok(&["plan", "-out=p"]);
    stack.ok(&["apply", "-auto-approve", "-replace=terraform_data.a", "-target=terraform_data.a"]);
    let stale = stack.fails(&["apply", "p"]);
    assert!(stale.contains("`terraform_data.a` has changed"), "{stale}");
}

#[test]
fn a_plan_belongs_to_its_state() {
    let stack = Stack::new(&[("main.tf", &two(1, 1))]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write("main.tf", &two(1, 2));
    stack.ok(&["plan", "-out=p"]);
    stack.ok(&["workspace", "new", "other"]);
    let wrong = stack.fails(&["apply", "p"]);
    assert!(
        wrong.contains("stratiform::plan_file::elsewhere") && wrong.contains("`other`"),
        "{wrong}"
    );
    stack.ok(&["workspace", "select", "default"]);

    let other = Stack::new(&[("main.tf", &two(1, 1))]);
    other.ok(&["apply", "-auto-approve"]);
    std::fs::copy(stack.dir().join("p"), other.dir().join("p")).unwrap();
    let wrong = other.fails(&["apply", "p"]);
    assert!(
        wrong.contains("stratiform::plan_file::elsewhere") && wrong.contains("lineage"),
        "{wrong}"
    );

    // A copy of the whole folder is another matter; a copy of the state without the key is not enough.
    let twin = Stack::new(&[]);
    copy(&stack.dir(), &twin.dir());
    let keyless = Stack::new(&[]);
    copy(&stack.dir(), &keyless.dir());
    std::fs::remove_dir_all(keyless.dir().join(".stratiform/plans")).unwrap();
    let sealed = keyless.fails(&["apply", "p"]);
    assert!(
        sealed.contains("stratiform::plan_file::sealed") && sealed.contains("not in this folder"),
        "{sealed}"
    );
    twin.ok(&["apply", "p"]);
}

#[test]
fn a_damaged_file_is_refused_wherever_the_damage_is() {
    let stack = Stack::new(&[("main.tf", &two(1, 1))]);
    stack.ok(&["plan", "-out=p"]);
    let whole = std::fs::read(stack.dir().join("p")).unwrap();
    let mut at = 0;
    while at < whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(stack.dir().join("q"), &bytes).unwrap();
        let found = stack.fails(&["apply", "q"]);
        assert!(found.contains("stratiform::plan_file::"), "byte {at}: {found}");
        at += whole.len() / 40;
    }
    for cut in [0, 1, 20, whole.len() / 2, whole.len() - 2] {
        std::fs::write(stack.dir().join("q"), &whole[..cut]).unwrap();
        let found = stack.fails(&["apply", "q"]);
        assert!(found.contains("stratiform::plan_file::"), "cut at {cut}: {found}");
    }
    let older =
        String::from_utf8(whole).unwrap().replacen("stratiform-plan-6", "stratiform-plan-3", 1);
    stack.write("older", &older);
    let found = stack.fails(&["apply", "older"]);
    assert!(
        found.contains("stratiform::plan_file::not_a_plan") && found.contains("use that version"),
        "{found}"
    );
    stack.ok(&["apply", "p"]);
}

/// Sensitive values lie in no file that somebody may find, with a key of the state and without.
#[test]
fn secrets_are_sealed() {
    const SECRET: &str = "canary-3141592653";
    let main = "variable \"password\" {\n  sensitive = true\n}\nvariable \"token\" {\n  ephemeral = true\n}\nresource \"terraform_data\" \"a\" {\n  input = var.password\n}\nlocals {\n  upper = upper(var.password)\n}\noutput \"o\" {\n  value     = \"${local.upper}-${terraform_data.a.id}\"\n  sensitive = true\n}\n";
    for key in [None, Some("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")] {
        let stack = Stack::new(&[("main.tf", main)]);
        let run = |args: &[&str], variables: &[(&str, &str)]| {
            let mut command = stack.command(args);
            command.envs(variables.iter().copied());
            if let Some(key) = key {
                command.env("STRATIFORM_STATE_KEY", key);
            }
            ran(command.output().unwrap())
        };
        let both = [("TF_VAR_password", SECRET), ("TF_VAR_token", SECRET)];
        let planned = run(&["plan", "-out=p"], &both);
        assert_eq!(planned.code, Some(0), "{}{}", planned.out, planned.err);
        let text = std::fs::read_to_string(stack.dir().join("p")).unwrap();
        assert!(!text.to_lowercase().contains(SECRET), "the plan file holds it");
        assert_eq!(stack.dir().join(".stratiform/plans").exists(), key.is_none());
        let missing = run(&["apply", "p"], &[]);
        assert_eq!(missing.code, Some(1), "an ephemeral variable is in no file");
        assert!(missing.err.contains("token"), "{}", missing.err);
        // The sensitive one need not be given again; the ephemeral one must.
        let applied = run(&["apply", "p"], &both[1..]);
        assert_eq!(applied.code, Some(0), "{}{}", applied.out, applied.err);
        let output = run(&["output", "-raw", "o"], &[]);
        assert!(output.out.starts_with(&SECRET.to_uppercase()), "{}{}", output.out, output.err);
        let keys = std::fs::read_dir(stack.dir().join(".stratiform/plans"));
        assert_eq!(keys.into_iter().flatten().count(), 0, "no key is left");
        if key.is_some() {
            let keyless = stack.run(&["apply", "p"]);
            assert_eq!(keyless.code, Some(1));
        }
    }
}

#[test]
fn variables_are_those_of_the_plan() {
    let main = "variable \"n\" {\n  default = 1\n}\nresource \"terraform_data\" \"a\" {\n  input = var.n\n}\n";
    let stack = Stack::new(&[("main.tf", main)]);
    stack.ok(&["plan", "-out=p", "-var=n=5"]);
    let refused = stack.fails(&["apply", "-var=n=6", "p"]);
    assert!(
        refused.contains("stratiform::plan_file::variable") && refused.contains("`n`"),
        "{refused}"
    );
    // Terraform takes it too, if it is the same; what the environment says is not asked.
    let mut command = stack.command(&["apply", "-var=n=5", "p"]);
    let applied = ran(command.env("TF_VAR_n", "8").output().unwrap());
    assert_eq!(applied.code, Some(0), "{}{}", applied.out, applied.err);
    assert!(stack.ok(&["state", "show", "terraform_data.a"]).contains('5'));
}

#[test]
fn destroying_and_refreshing_plans_are_carried_out_too() {
    let main = format!(
        "{SIM}resource \"sim_node\" \"a\" {{\n  count = 3\n  name = \"a${{count.index}}\"\n}}\n"
    );
    let stack = Stack::new(&[("main.tf", &main)]);
    stack.ok(&["apply", "-auto-approve"]);
    let first = std::fs::read_dir(stack.dir().join("w")).unwrap().flatten();
    let gone =
        first.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "json"));
    std::fs::remove_file(gone.unwrap()).unwrap();
    stack.ok(&["plan", "-refresh-only", "-out=p"]);
    stack.ok(&["apply", "p"]);
    assert_eq!(stack.ok(&["state", "list"]).lines().count(), 2);
    stack.ok(&["plan", "-destroy", "-out=p"]);
    stack.ok(&["apply", "p"]);
    assert_eq!(
        stack.ok(&["state", "list"]).trim(),
        "The state is empty.".to_owned().replace("The state is empty.", "")
    );
}

/// What is removed goes after its users are changed, but not where a user waits for an object that must go first.
#[test]
fn a_removal_does_not_close_a_ring() {
    let node = |name: &str, zone: &str, inputs: &str| {
        format!(
            "resource \"sim_node\" \"{name}\" {{\n  name   = \"{name}\"\n  zone   = \"{zone}\"\n  inputs = [{inputs}]\n}}\n"
        )
    };
    let first = [
        SIM,
        &node("a", "x", ""),
        &node("b", "x", "sim_node.a.name"),
        &node("c", "x", "sim_node.a.id, sim_node.b.name"),
    ];
    let stack = Stack::new(&[("main.tf", &first.concat())]);
    stack.ok(&["apply", "-auto-approve"]);
    let before = calls(&stack).len();
    stack.write("main.tf", &[SIM, &node("a", "y", ""), &node("c", "x", "sim_node.a.id")].concat());
    stack.ok(&["apply", "-auto-approve"]);
    let made = calls(&stack).split_off(before);
    let words: Vec<&str> = made.iter().filter_map(|call| call.split(' ').next()).collect();
    assert_eq!(words, ["delete", "delete", "create", "update"], "{made:?}");

    // Without the replacement the removal comes last.
    stack.write(
        "main.tf",
        &[
            SIM,
            &node("a", "y", ""),
            &node("b", "x", ""),
            &node("c", "x", "sim_node.a.id, sim_node.b.name"),
        ]
        .concat(),
    );
    stack.ok(&["apply", "-auto-approve"]);
    let before = calls(&stack).len();
    stack.write("main.tf", &[SIM, &node("a", "y", ""), &node("c", "x", "sim_node.a.id")].concat());
    stack.ok(&["apply", "-auto-approve"]);
    let made = calls(&stack).split_off(before);
    let words: Vec<&str> = made.iter().filter_map(|call| call.split(' ').next()).collect();
    assert_eq!(words, ["update", "delete"], "{made:?}");
}

/// A configuration of nodes that are made from each other.
fn random_nodes(seed: &mut StdRng) -> String {
    let mut text = SIM.to_owned();
    let mut earlier: Vec<(usize, usize)> = Vec::new();
    for at in 0..8 {
        if !seed.gen_bool(0.75) {
            continue;
        }
        let count = seed.gen_range(0..3);
        let mut inputs = Vec::new();
        for (other, of) in &earlier {
            if seed.gen_bool(0.3) {
                inputs.push(match of {
                    0 => format!("sim_node.n{other}.id"),
                    of if seed.gen_bool(0.5) => {
                        format!("sim_node.n{other}[{}].name", seed.gen_range(0..*of))
                    }
                    _ => format!("join(\",\", sim_node.n{other}[*].id)"),
                });
            }
        }
        let count_line = if count > 0 { format!("  count  = {count}\n") } else { String::new() };
        let lifecycle = if seed.gen_bool(0.3) {
            "  lifecycle {\n    create_before_destroy = true\n  }\n"
        } else {
            ""
        };
        text.push_str(&format!(
            "resource \"sim_node\" \"n{at}\" {{\n{count_line}  name   = \"n{at}\"\n  size   = {}\n  zone   = \"z{}\"\n  inputs = [{}]\n{lifecycle}}}\n",
            seed.gen_range(0..2),
            seed.gen_range(0..2),
            inputs.join(", ")
        ));
        earlier.push((at, count));
    }
    text
}

/// The calls that a plan shows, as the simulated world will write them down; the ids of new objects left out.
fn shown_calls(document: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    for change in document["resource_changes"].as_array().into_iter().flatten() {
        for action in change["change"]["actions"].as_array().into_iter().flatten() {
            let text =
                |side: &str, name: &str| change["change"][side][name].as_str().expect("a text");
            match action.as_str() {
                Some("create") => found.push(format!("create {}", text("after", "name"))),
                Some(action @ ("update" | "delete")) => {
                    found.push(format!("{action} {}", text("before", "id")))
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[test]
fn apply_makes_the_calls_of_the_plan_and_no_other() {
    let plans =
        std::env::var("STRATIFORM_RANDOM_PLANS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let first = std::env::var("STRATIFORM_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1u64);
    let mut made_in_all = 0;
    for seed in first..first + plans {
        let mut random = StdRng::seed_from_u64(seed);
        let stack = Stack::new(&[("main.tf", &random_nodes(&mut random))]);
        for round in 0..3 {
            let what = format!("seed {seed}, round {round}, in {}", stack.dir().display());
            stack.ok(&["plan", "-out=p"]);
            let document: serde_json::Value =
                serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("it is JSON");
            let expected = shown_calls(&document);
            let before = calls(&stack).len();
            let parallelism = format!("-parallelism={}", random.gen_range(1..9));
            stack.ok(&["apply", &parallelism, "p"]);
            let mut made: Vec<String> = calls(&stack)
                .split_off(before)
                .into_iter()
                .map(|call| match call.strip_prefix("create ") {
                    Some(rest) => format!("create {}", rest.split(' ').next().unwrap()),
                    None => call,
                })
                .collect();
            made.sort();
            assert_eq!(made, expected, "{what}");
            made_in_all += made.len();
            assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0), "{what}");
            stack.write("main.tf", &random_nodes(&mut random));
        }
    }
    println!("{plans} random plans, {made_in_all} calls");
    assert!(made_in_all > 0);
}

#[test]
fn what_could_be_planned_beside_errors_is_shown_and_never_carried_out() {
    let text = r#"
variable "x" {
  default = false
}
resource "terraform_data" "ok" {
  input = 1
}
resource "terraform_data" "bad" {
  lifecycle {
    precondition {
      condition     = var.x
      error_message = "not yet"
    }
  }
}
"#;
    let stack = Stack::new(&[("main.tf", text)]);
    let planned = stack.run(&["plan", "-out=p"]);
    assert_eq!(planned.code, Some(1));
    assert!(planned.out.contains("planned the following actions, but then"), "{}", planned.out);
    assert!(planned.err.contains("not yet"), "{}", planned.err);
    let shown = stack.ok(&["show", "p"]);
    assert!(shown.contains("terraform_data.ok will be created"), "{shown}");
    for form in ["-html=p.html", "-markdown=p.md"] {
        stack.ok(&["report", "p", form]);
        let path = stack.dir().join(&form[form.find('=').expect("a path") + 1..]);
        let report = std::fs::read_to_string(path).expect("a report");
        assert!(report.contains("in spite of"), "{form}: {report}");
    }
    let refused = stack.fails(&["apply", "p"]);
    assert!(refused.contains("stratiform::plan_file::errored"), "{refused}");
    let applied = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(applied.code, Some(1));
    assert_eq!(stack.run(&["state", "list"]).out, "", "nothing was made");
}
