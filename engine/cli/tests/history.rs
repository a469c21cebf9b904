//! The history of a state: listed, compared, shortened; also when the process is killed meanwhile.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::{Stack, ran};
use serde_json::Value as Json;

fn main_tf(body: &str) -> String {
    format!(
        "terraform {{\n  required_providers {{\n    sim = {{ source = \"stratiform/sim\" }}\n  }}\n}}\n\
         provider \"sim\" {{\n  world = \"w\"\n}}\n{body}"
    )
}

fn node(name: &str, rest: &str) -> String {
    format!("resource \"sim_node\" \"{name}\" {{\n  name = \"{name}\"\n{rest}}}\n")
}

fn applied(stack: &Stack, body: &str) {
    stack.write("main.tf", &main_tf(body));
    stack.ok(&["apply", "-auto-approve"]);
}

/// Three applies: a and b; a changed, b gone, c new; everything as it is.
fn three_applies() -> Stack {
    let stack = Stack::new(&[]);
    let output = "output \"n\" {\n  value = sim_node.a.size\n}\n";
    applied(&stack, &(node("a", "  size = 1\n  secret = \"hush-1\"\n") + &node("b", "") + output));
    applied(&stack, &(node("a", "  size = 2\n  secret = \"hush-2\"\n") + &node("c", "") + output));
    applied(&stack, &(node("a", "  size = 3\n  secret = \"hush-2\"\n") + &node("c", "") + output));
    stack
}

#[test]
fn two_moments_are_compared_attribute_by_attribute() {
    let stack = three_applies();
    let text = stack.ok(&["history", "diff", "1", "2"]);
    for wanted in [
        "# sim_node.a changed",
        "~ size   = 1 -> 2",
        "~ secret = (sensitive value)",
        "# sim_node.b went",
        "# sim_node.c came",
        "~ n = 1 -> 2",
        "Objects: 1 came, 1 changed, 1 went.",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    assert!(!text.contains("hush"), "{text}");
    // Backwards, to the present, and from the beginning.
    let back = stack.ok(&["history", "diff", "2", "1"]);
    assert!(back.contains("~ size   = 2 -> 1") && back.contains("# sim_node.b came"), "{back}");
    let now = stack.ok(&["history", "diff", "2"]);
    assert!(now.contains("~ size = 2 -> 3") && now.contains("0 came, 1 changed, 0 went"), "{now}");
    let all = stack.ok(&["history", "diff", "0"]);
    assert!(all.contains("Objects: 2 came, 0 changed, 0 went."), "{all}");
    assert_eq!(stack.ok(&["history", "diff", "3"]), "Nothing differs.\n");
    let json: Json = serde_json::from_str(&stack.ok(&["history", "diff", "1", "2", "-json"]))
        .expect("it is JSON");
    let change = &json["resource_changes"][0];
    assert_eq!(change["address"], "sim_node.a");
    assert_eq!(change["change"]["actions"], serde_json::json!(["update"]));
    assert_eq!(change["change"]["before"]["size"], 1);
    assert_eq!(change["change"]["after"]["size"], 2);
    assert_eq!(change["change"]["after"]["secret"], Json::Null);
    assert_eq!(change["change"]["after_sensitive"]["secret"], true);
    assert_eq!(json["output_changes"]["n"]["after"], 2);
    assert!(!json.to_string().contains("hush"), "{json}");
}

#[test]
fn an_object_that_moved_is_no_other_object() {
    let stack = Stack::new(&[]);
    applied(&stack, &node("a", ""));
    let moved = node("a", "").replace("\"sim_node\" \"a\"", "\"sim_node\" \"z\"");
    applied(&stack, &(moved + "moved {\n  from = sim_node.a\n  to   = sim_node.z\n}\n"));
    let text = stack.ok(&["history", "diff", "1"]);
    assert!(text.contains("# sim_node.z moved") && text.contains("(was sim_node.a)"), "{text}");
    assert!(text.contains("0 came, 0 changed, 0 went, 1 moved"), "{text}");
}

#[test]
fn operations_are_listed_for_machines() {
    let stack = three_applies();
    stack.ok(&["state", "rm", "sim_node.c"]);
    let json: Json = serde_json::from_str(&stack.ok(&["history", "-json"])).expect("it is JSON");
    let operations = json["operations"].as_array().expect("a list");
    assert_eq!(operations.len(), 4);
    assert_eq!(operations[0]["outcome"], "done");
    assert_eq!(operations[0]["held"], true);
    assert_eq!(operations[0]["changes"][0]["kind"], "added");
    assert_eq!(operations[3]["changes"][0]["kind"], "forgotten");
}

#[test]
fn a_shortened_history_says_what_it_holds() {
    let stack = three_applies();
    assert_eq!(stack.ok(&["history", "prune", "-days=1"]), "Nothing is old enough to go.\n");
    assert!(stack.fails(&["history", "prune"]).contains("say what stays"));
    assert!(stack.fails(&["history", "prune", "-keep=0"]).contains("at least 1"));
    let told = stack.ok(&["history", "prune", "-keep=1"]);
    assert_eq!(told, "Forgot 2 operations; 3 is the oldest now.\n");
    let list = stack.ok(&["history"]);
    assert_eq!(list.lines().filter(|line| line.contains("  apply  ")).count(), 1, "{list}");
    let err = stack.fails(&["history", "diff", "0"]);
    assert!(err.contains("stratiform::state::not_held"), "{err}");
    assert!(err.contains("that before operation 3"), "{err}");
    let err = stack.fails(&["history", "diff", "7"]);
    assert!(err.contains("stratiform::state::no_operation"), "{err}");
    assert_eq!(stack.ok(&["history", "diff", "3"]), "Nothing differs.\n");
    // Nothing else is touched, and numbers go on.
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0));
    applied(&stack, &node("a", ""));
    assert!(stack.ok(&["history", "diff", "3", "4"]).contains("# sim_node.c went"));
}

#[test]
fn a_used_plan_stays_used_when_its_operation_is_forgotten() {
    let stack = Stack::new(&[("main.tf", "output \"a\" {\n  value = 1\n}\n")]);
    stack.ok(&["plan", "-out=p"]);
    stack.ok(&["apply", "p"]);
    stack.write("main.tf", "output \"a\" {\n  value = 2\n}\n");
    stack.ok(&["apply", "-auto-approve"]);
    stack.ok(&["history", "prune", "-keep=1"]);
    let err = stack.fails(&["apply", "p"]);
    assert!(err.contains("operation 1"), "{err}");
}

/// A kill at any point of the writes leaves a history that is whole from some operation on, and a state that is as
/// it was.
#[test]
fn killed_while_it_is_shortened_nothing_is_wrong() {
    let mut killed = 0;
    for point in state::FAILPOINTS {
        for count in [1, 2, 3, 4] {
            let stack = three_applies();
            let before = stack.ok(&["state", "pull"]);
            let mut command = stack.command(&["history", "prune", "-keep=2"]);
            let first =
                command.env("STRATIFORM_TEST_FAILPOINT", format!("{point}:{count}")).output();
            killed += usize::from(ran(first.expect("the binary runs")).code.is_none());
            let what = format!("{point}:{count}");
            assert_eq!(stack.ok(&["state", "pull"]), before, "{what}");
            let text = stack.ok(&["history", "diff", "2", "3"]);
            assert!(text.contains("~ size = 2 -> 3"), "{what}\n{text}");
            // What is said to be held can be told, and what is not is refused.
            let json: Json =
                serde_json::from_str(&stack.ok(&["history", "-json"])).expect("it is JSON");
            let operations = json["operations"].as_array().expect("a list").clone();
            let first = operations.first().expect("an operation is left");
            let beginning = stack.run(&["history", "diff", "0"]);
            if first["operation"] == 1 && first["held"] == true {
                assert!(beginning.out.contains("2 came"), "{what}\n{}", beginning.out);
            } else {
                assert!(beginning.err.contains("not_held"), "{what}\n{}", beginning.err);
            }
            stack.ok(&["history", "prune", "-keep=2"]);
            let list = stack.ok(&["history"]);
            assert_eq!(list.lines().filter(|line| line.contains("  apply  ")).count(), 2, "{what}");
            assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0), "{what}");
        }
    }
    assert!(killed >= 10, "the points are reached: {killed}");
}

#[test]
fn with_a_key_nothing_of_the_past_is_readable() {
    let stack = Stack::new(&[]);
    let key = "ab".repeat(32);
    for secret in ["canary-in-the-past", "canary-of-today"] {
        let body = node("a", &format!("  secret = \"{secret}\"\n"));
        stack.write("main.tf", &main_tf(&body));
        let mut command = stack.command(&["apply", "-auto-approve"]);
        let done = ran(command.env("STRATIFORM_STATE_KEY", &key).output().expect("it runs"));
        assert_eq!(done.code, Some(0), "{}", done.err);
    }
    std::fs::remove_file(stack.dir().join("main.tf")).expect("the file is there");
    let mut waiting = vec![stack.dir().join(".stratiform")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(path).expect("a folder").flatten().map(|e| e.path()));
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        let found = bytes.windows(6).any(|window| window == b"canary");
        assert!(!found, "{}", path.display());
    }
}

#[test]
fn a_limit_shortens_the_history_after_each_run() {
    let stack = three_applies();
    let operations = |stack: &Stack| -> Vec<u64> {
        let told: Json = serde_json::from_str(&stack.ok(&["history", "-json"])).expect("JSON");
        let all = told["operations"].as_array().expect("operations").clone();
        all.iter().filter_map(|one| one["operation"].as_u64()).collect()
    };
    let before = operations(&stack);
    let with = |name: &str, value: &str| {
        let mut command = stack.command(&["apply", "-auto-approve", "-replace=sim_node.a"]);
        let done = ran(command.env(name, value).output().expect("it runs"));
        assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
        done.err
    };
    // Nothing is that old, and what makes no sense forgets nothing.
    with("STRATIFORM_HISTORY_DAYS", "30");
    assert_eq!(operations(&stack).len(), before.len() + 1);
    assert!(with("STRATIFORM_HISTORY_KEEP", "0").contains("is no number of at least 1"));
    assert_eq!(operations(&stack).len(), before.len() + 2);
    with("STRATIFORM_HISTORY_KEEP", "2");
    let after = operations(&stack);
    assert_eq!(after, [before.len() as u64 + 2, before.len() as u64 + 3]);
    // What is left can be led back.
    stack.ok(&["undo", "-auto-approve"]);
}
