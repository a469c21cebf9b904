//! `backend "local"` with a `path`: the state is Terraform's file, and both programs work with it by turns.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::process::Command;

use common::Stack;
use serde_json::Value as Json;

const BACKEND: &str =
    "terraform {\n  backend \"local\" {\n    path = \"states/main.tfstate\"\n  }\n}\n";

fn main_tf(input: u32) -> String {
    format!(
        "resource \"terraform_data\" \"a\" {{\n  input = {input}\n}}\noutput \"o\" {{\n  value = terraform_data.a.output\n}}\n"
    )
}

fn stack() -> Stack {
    Stack::new(&[("backend.tf", BACKEND), ("main.tf", &main_tf(1))])
}

fn terraform(stack: &Stack, args: &[&str]) -> Option<common::Ran> {
    let output = Command::new("terraform")
        .args(args)
        .current_dir(stack.dir())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_IN_AUTOMATION", "1")
        .output();
    match output {
        Ok(output) => Some(common::ran(output)),
        Err(_) => {
            println!("skipped: terraform is not here to take turns with");
            None
        }
    }
}

fn file(stack: &Stack) -> Json {
    let text = std::fs::read_to_string(stack.dir().join("states/main.tfstate")).expect("the file");
    serde_json::from_str(&text).expect("a state")
}

#[test]
fn both_programs_work_with_the_file_by_turns() {
    let stack = stack();
    stack.ok(&["apply", "-auto-approve"]);
    assert!(!stack.dir().join(".stratiform/state").exists());
    let first = file(&stack);
    assert_eq!(first["outputs"]["o"]["value"], 1);
    // Nothing new, nothing written.
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(file(&stack), first);
    if terraform(&stack, &["init", "-no-color"]).is_none() {
        return;
    }
    let nothing = |ran: common::Ran| assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    nothing(terraform(&stack, &["plan", "-detailed-exitcode"]).expect("terraform is here"));
    for round in 2..5 {
        stack.write("main.tf", &main_tf(round * 10));
        nothing(terraform(&stack, &["apply", "-auto-approve"]).expect("terraform is here"));
        nothing(stack.run(&["plan", "-detailed-exitcode"]));
        assert!(stack.ok(&["output"]).contains(&format!("o = {}", round * 10)));
        stack.write("main.tf", &main_tf(round * 10 + 1));
        stack.ok(&["apply", "-auto-approve"]);
        nothing(terraform(&stack, &["plan", "-detailed-exitcode"]).expect("terraform is here"));
    }
    let last = file(&stack);
    assert_eq!(last["lineage"], first["lineage"]);
    assert!(last["serial"].as_u64() > first["serial"].as_u64());
    let history = stack.ok(&["history"]);
    assert!(history.contains("sharing"), "{history}");
    nothing(terraform(&stack, &["destroy", "-auto-approve"]).expect("terraform is here"));
    assert_eq!(stack.ok(&["state", "list"]), "");
}

#[test]
fn workspaces_have_files_where_terraform_has_them() {
    let stack = stack();
    stack.write("backend.tf", &BACKEND.replace("path = ", "workspace_dir = \"envs\"\n    path = "));
    stack.ok(&["workspace", "new", "blue"]);
    stack.ok(&["apply", "-auto-approve"]);
    assert!(stack.dir().join("envs/blue/terraform.tfstate").exists());
    assert!(!stack.dir().join("states/main.tfstate").exists());
    assert_eq!(stack.ok(&["workspace", "list"]), "  default\n* blue\n\n");
    if terraform(&stack, &["init", "-no-color"]).is_some() {
        let there = terraform(&stack, &["plan", "-detailed-exitcode"]).expect("terraform is here");
        assert_eq!(there.code, Some(0), "{}{}", there.out, there.err);
    }
    stack.ok(&["destroy", "-auto-approve"]);
    stack.ok(&["workspace", "select", "default"]);
    stack.ok(&["workspace", "delete", "blue"]);
    assert!(!stack.dir().join("envs/blue").exists());
}

#[test]
fn init_says_where_a_partial_block_leads() {
    let stack = stack();
    stack.write("backend.tf", "terraform {\n  backend \"local\" {}\n}\n");
    stack.write("blue.conf", "# the blue one\npath = \"blue.tfstate\"\n");
    stack.ok(&["init", "-backend-config=path=green.tfstate"]);
    stack.ok(&["apply", "-auto-approve"]);
    assert!(stack.dir().join("green.tfstate").exists());
    stack.ok(&["init", "-backend-config=blue.conf"]);
    assert_eq!(stack.ok(&["output"]), "");
    stack.ok(&["apply", "-auto-approve"]);
    assert!(stack.dir().join("blue.tfstate").exists());
    stack.ok(&["init"]);
    assert!(stack.ok(&["output"]).contains("o = 1"));
    stack.ok(&["init", "-reconfigure"]);
    assert_eq!(stack.ok(&["output"]), "");
    let wrong = stack.fails(&["init", "-backend-config=bucket=b"]);
    assert!(wrong.contains("no setting `bucket`"), "{wrong}");
    stack.write("backend.tf", "");
    let missing = stack.fails(&["init", "-backend-config=path=x"]);
    assert!(missing.contains("needs a `backend \"local\"` block"), "{missing}");
}

#[test]
fn what_was_cut_short_is_written_by_the_next_command() {
    let stack = stack();
    stack.ok(&["apply", "-auto-approve"]);
    let before = file(&stack);
    stack.write("main.tf", &main_tf(2));
    // The state is durable by then, and the file still says what was before.
    let mut command = stack.command(&["apply", "-auto-approve"]);
    let killed = command.env("STRATIFORM_TEST_FAILPOINT", "shared:1").output().expect("it runs");
    assert_eq!(killed.status.code(), None, "it was killed");
    assert_eq!(file(&stack), before);
    assert!(stack.ok(&["output"]).contains("o = 2"));
    // Others change the file meanwhile: both cannot be true.
    let mut other = before.clone();
    other["serial"] = (before["serial"].as_u64().expect("a serial") + 1).into();
    stack.write("states/main.tfstate", &other.to_string());
    let both = stack.fails(&["apply", "-auto-approve"]);
    assert!(
        both.contains("stratiform::state::shared_file") && both.contains("others have changed it"),
        "{both}"
    );
    stack.write("states/main.tfstate", &format!("{before:#}\n"));
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(file(&stack)["outputs"]["o"]["value"], 2);
}

#[test]
fn files_that_are_gone_strange_or_locked_are_refused() {
    let stack = stack();
    stack.ok(&["apply", "-auto-approve"]);
    let path = stack.dir().join("states/main.tfstate");
    let good = std::fs::read_to_string(&path).expect("the file");
    std::fs::remove_file(&path).expect("it goes");
    let gone = stack.fails(&["apply", "-auto-approve"]);
    assert!(gone.contains("it is gone"), "{gone}");
    let lineage = file_lineage(&good);
    stack.write("states/main.tfstate", &good.replace(&lineage, "another"));
    let strange = stack.fails(&["apply", "-auto-approve"]);
    assert!(strange.contains("it is another state"), "{strange}");
    stack.write("states/main.tfstate", "{ half");
    let torn = stack.fails(&["plan"]);
    assert!(torn.contains("this is no state file"), "{torn}");
    stack.write("states/main.tfstate", &good);
    let held = std::fs::File::options().read(true).write(true).open(&path).expect("it opens");
    let exclusive = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    rustix::fs::fcntl_lock(&held, exclusive).expect("nobody else has it");
    let locked = stack.fails(&["apply", "-auto-approve"]);
    assert!(locked.contains("another program, such as Terraform, has"), "{locked}");
    // Who only looks need not wait.
    stack.ok(&["plan"]);
    drop(held);
    stack.ok(&["apply", "-auto-approve"]);
    let sealed = common::ran(
        stack
            .command(&["plan"])
            .env("STRATIFORM_STATE_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
            .output()
            .expect("it runs"),
    );
    assert!(
        sealed.code == Some(1) && sealed.err.contains("nothing in it can be"),
        "{}",
        sealed.err
    );
}

fn file_lineage(text: &str) -> String {
    let file: Json = serde_json::from_str(text).expect("a state");
    file["lineage"].as_str().expect("a lineage").to_owned()
}
