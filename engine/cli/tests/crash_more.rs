//! Kills at every named point of durable writes again, over changes of all kinds: replacements in both orders, moves,
//! imports, what is forgotten, provisioners; and over commands that change the state by hand.
//!
//! `STRATIFORM_CRASHES=N` adds N kills at random points.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::collections::BTreeSet;

use common::{Stack, ran};
use rand::Rng as _;

const HEAD: &str = "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\nprovider \"sim\" {\n  world = \"w\"\n}\n";

const BEFORE: &str = r#"
resource "sim_node" "deleted_first" {
  name = "df"
  zone = "a"
}
resource "sim_node" "created_first" {
  name = "cf"
  zone = "a"
  lifecycle {
    create_before_destroy = true
  }
}
resource "sim_node" "user" {
  name   = "user"
  inputs = [sim_node.deleted_first.id, sim_node.created_first.id]
}
resource "sim_node" "old_name" {
  name = "moved"
}
resource "sim_node" "forgotten" {
  name = "forgotten"
}
resource "sim_node" "gone" {
  name   = "gone"
  inputs = [sim_node.old_name.id]
}
resource "sim_node" "updated" {
  name = "updated"
  size = 1
}
"#;

/// Everything changes at once.
fn after(imported: &str) -> String {
    format!(
        r#"
resource "sim_node" "deleted_first" {{
  name = "df"
  zone = "b"
}}
resource "sim_node" "created_first" {{
  name = "cf"
  zone = "b"
  lifecycle {{
    create_before_destroy = true
  }}
}}
resource "sim_node" "user" {{
  name   = "user"
  inputs = [sim_node.deleted_first.id, sim_node.created_first.id]
}}
resource "sim_node" "new_name" {{
  name = "moved"
}}
moved {{
  from = sim_node.old_name
  to   = sim_node.new_name
}}
removed {{
  from = sim_node.forgotten
  lifecycle {{
    destroy = false
  }}
}}
import {{
  to = sim_node.imported
  id = "{imported}"
}}
resource "sim_node" "imported" {{
  name = "imported"
}}
resource "sim_node" "updated" {{
  name = "updated"
  size = 2
}}
resource "sim_node" "provisioned" {{
  name = "provisioned"
  provisioner "local-exec" {{
    command = "echo ran >> ran.txt"
  }}
}}
"#
    )
}

/// Names of the objects in the simulated world; one that is there twice is listed twice.
fn world(stack: &Stack) -> Vec<String> {
    let entries = std::fs::read_dir(stack.dir().join("w")).into_iter().flatten().flatten();
    let files = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"));
    let mut names: Vec<String> = files
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("an object");
            let object: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            object["attributes"]["name"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    names.sort();
    names
}

fn id_of(stack: &Stack, address: &str) -> String {
    let shown = stack.ok(&["state", "show", address]);
    let line = shown.lines().find(|line| line.trim().starts_with("id ")).expect("an id");
    line.split('"').nth(1).expect("a text").to_owned()
}

/// A stack in which all that `after` says is still to be done.
fn prepared() -> Stack {
    let main =
        format!("{HEAD}{BEFORE}resource \"sim_node\" \"imported\" {{\n  name = \"imported\"\n}}\n");
    let stack = Stack::new(&[("main.tf", &main)]);
    stack.ok(&["apply", "-auto-approve"]);
    let id = id_of(&stack, "sim_node.imported");
    stack.ok(&["state", "rm", "sim_node.imported"]);
    stack.write("main.tf", &format!("{HEAD}{}", after(&id)));
    stack
}

fn killed_during(stack: &Stack, args: &[&str], failpoint: &str) -> bool {
    let mut command = stack.command(args);
    ran(command.env("STRATIFORM_TEST_FAILPOINT", failpoint).output().expect("the binary runs"))
        .code
        .is_none()
}

/// One more apply leads to exactly what is configured, and nothing exists that nobody knows of.
fn converges(stack: &Stack, what: &str) {
    let again = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(
        again.code,
        Some(0),
        "{what}, in {}\n{}\n{}",
        stack.dir().display(),
        again.out,
        again.err
    );
    let mut wanted =
        ["cf", "df", "forgotten", "imported", "moved", "provisioned", "updated", "user"]
            .map(str::to_owned)
            .to_vec();
    wanted.sort();
    assert_eq!(world(stack), wanted, "{what}\n{}\n{}", again.out, again.err);
    let listed: BTreeSet<String> =
        stack.ok(&["state", "list"]).lines().map(str::to_owned).collect();
    let known = [
        "created_first",
        "deleted_first",
        "imported",
        "new_name",
        "provisioned",
        "updated",
        "user",
    ];
    assert_eq!(listed, known.iter().map(|name| format!("sim_node.{name}")).collect(), "{what}");
    let idle = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(idle.code, Some(0), "{what}: nothing is left to do\n{}", idle.out);
    let ran = std::fs::read_to_string(stack.dir().join("ran.txt")).expect("the provisioner ran");
    assert!(ran.lines().count() >= 1, "{what}: a half-made object is provisioned again");
}

#[test]
fn changes_of_all_kinds_survive_a_kill_at_any_point() {
    let mut killed = 0;
    for point in state::FAILPOINTS {
        for count in [1, 2, 3, 5, 8, 12, 17] {
            let stack = prepared();
            let failpoint = format!("{point}:{count}");
            killed += usize::from(killed_during(
                &stack,
                &["apply", "-auto-approve", "-parallelism=2"],
                &failpoint,
            ));
            converges(&stack, &failpoint);
        }
    }
    assert!(killed >= 20, "the points are reached: {killed}");
    let more =
        std::env::var("STRATIFORM_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    for _ in 0..more {
        let mut random = rand::thread_rng();
        let point = state::FAILPOINTS[random.gen_range(0..state::FAILPOINTS.len())];
        let failpoint = format!("{point}:{}", random.gen_range(1..40));
        let stack = prepared();
        killed_during(&stack, &["apply", "-auto-approve"], &failpoint);
        converges(&stack, &failpoint);
    }
}

#[test]
fn commands_on_the_state_happen_as_a_whole_or_not_at_all() {
    let commands: [&[&str]; 12] = [
        &["state", "mv", "sim_node.old_name", "sim_node.other_name"],
        &["state", "rm", "sim_node.gone", "sim_node.user"],
        &["taint", "sim_node.updated"],
        &["state", "replace-provider", "-auto-approve", "stratiform/sim", "stratiform/sim2"],
        &["state", "push", "-force", "pushed.tfstate"],
        &["refresh"],
        &["import", "sim_node.extra", "nothing"],
        &["workspace", "new", "-state=pushed.tfstate", "blue"],
        &["workspace", "new", "green"],
        &["workspace", "select", "-or-create", "green"],
        &["workspace", "delete", "-force", "other"],
        &["untaint", "sim_node.updated"],
    ];
    let mut killed = 0;
    for command in commands {
        for point in state::FAILPOINTS {
            for count in [1, 2] {
                let stack = Stack::new(&[("main.tf", &format!("{HEAD}{BEFORE}"))]);
                stack.ok(&["apply", "-auto-approve"]);
                let before = stack.ok(&["state", "pull"]);
                stack.write("pushed.tfstate", &before.replace("\"updated\"", "\"elsewhere\""));
                if command[0] == "untaint" {
                    stack.ok(&["taint", "sim_node.updated"]);
                }
                if command.get(1) == Some(&"delete") {
                    stack.ok(&["workspace", "new", "-state=pushed.tfstate", "other"]);
                    stack.ok(&["workspace", "select", "default"]);
                }
                let failpoint = format!("{point}:{count}");
                killed += usize::from(killed_during(&stack, command, &failpoint));
                let what = format!("{command:?} at {failpoint}");
                // What is there is whole: it can be read, and the next command works.
                let pull = stack.run(&["state", "pull"]);
                assert_eq!(pull.code, Some(0), "{what}\n{}", pull.err);
                let objects = |text: &str| -> usize {
                    let state: serde_json::Value = serde_json::from_str(text).expect("a state");
                    state["resources"].as_array().map_or(0, Vec::len)
                };
                let left = objects(&pull.out);
                let allowed: &[usize] = match command.get(1).copied().unwrap_or_default() {
                    "rm" => &[7, 5],
                    "new" | "select" => &[7, 0],
                    _ => &[7],
                };
                assert!(allowed.contains(&left), "{what}: {left}");
                // A new workspace may be there without the state that it was to begin with.
                stack.run(&["workspace", "select", "default"]);
                stack.ok(&["state", "list"]);
                stack.ok(&["history"]);
                let unlocked = stack.run(&["taint", "sim_node.deleted_first"]);
                assert_eq!(unlocked.code, Some(0), "{what}\n{}", unlocked.err);
            }
        }
    }
    assert!(killed >= 45, "the points are reached: {killed}");
}
