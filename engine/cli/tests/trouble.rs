//! What goes wrong around a run: a lock that vanishes, a clock that goes backwards, a reader that goes away, a disk
//! without room. The state stays true.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::process::Stdio;
use std::time::Duration;

use common::{Ran, Stack, ran};
use serde_json::Value as Json;

fn main_tf(nodes: usize, delay_ms: usize, size: usize) -> String {
    format!(
        "terraform {{\n  required_providers {{\n    sim = {{ source = \"stratiform/sim\" }}\n  }}\n}}\n\
         provider \"sim\" {{\n  world    = \"w\"\n  delay_ms = {delay_ms}\n}}\n\
         resource \"sim_node\" \"a\" {{\n  count = {nodes}\n  name  = \"a${{count.index}}\"\n  size  = {size}\n  \
         provisioner \"local-exec\" {{\n    command = \"echo line of ${{self.name}}\"\n  }}\n}}\n"
    )
}

/// Objects that exist in the simulated world.
fn world(stack: &Stack) -> usize {
    let entries = std::fs::read_dir(stack.dir().join("w")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "json")).count()
}

/// What is recorded is what there is, and one more apply leaves nothing to do.
fn is_true(stack: &Stack, nodes: usize, what: &str) {
    let again = stack.run(&["apply", "-auto-approve"]);
    let dir = stack.dir();
    assert_eq!(again.code, Some(0), "{what}, in {}\n{}\n{}", dir.display(), again.out, again.err);
    assert_eq!(stack.ok(&["state", "list"]).lines().count(), nodes, "{what}");
    assert_eq!(world(stack), nodes, "{what}: nothing is made twice\n{}", again.out);
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0), "{what}");
}

#[test]
fn a_lock_that_vanishes_lets_nobody_else_in() {
    for vanish in [&["lock"][..], &["lock", "open"]] {
        let stack = Stack::new(&[("main.tf", &main_tf(4, 400, 1))]);
        let child = stack
            .command(&["apply", "-auto-approve", "-parallelism=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        std::thread::sleep(Duration::from_millis(700));
        for file in vanish {
            let path = stack.dir().join(".stratiform/state/default").join(file);
            std::fs::remove_file(path).expect("the lock is there");
        }
        // Whoever comes now either waits for its turn or is refused, and changes nothing meanwhile.
        let second = stack.run(&["apply", "-auto-approve"]);
        let first = ran(child.wait_with_output().expect("it ends"));
        let what = format!(
            "{vanish:?}\nfirst: {}{}\nsecond: {}{}",
            first.out, first.err, second.out, second.err
        );
        assert!(!what.contains("panicked"), "{what}");
        assert!(first.code == Some(0) || second.code == Some(0), "{what}");
        stack.write("main.tf", &main_tf(4, 1, 1));
        is_true(&stack, 4, &what);
    }
}

#[test]
fn a_lock_is_broken_only_where_nobody_holds_it() {
    let stack = Stack::new(&[("main.tf", &main_tf(3, 400, 1))]);
    let mut child = stack
        .command(&["apply", "-auto-approve", "-parallelism=1"])
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary runs");
    std::thread::sleep(Duration::from_millis(600));
    let holder = std::fs::read_to_string(stack.dir().join(".stratiform/state/default/lock"));
    let holder: Json = serde_json::from_str(&holder.expect("the lock's file")).unwrap_or_default();
    let id = holder["id"].as_str().unwrap_or("1").to_owned();
    let broken = stack.run(&["force-unlock", "-force", &id]);
    assert_eq!(broken.code, Some(1), "{}{}", broken.out, broken.err);
    assert!(broken.err.contains("stratiform::state::locked"), "{}", broken.err);
    assert!(child.wait().expect("it ends").success());
    stack.write("main.tf", &main_tf(3, 1, 1));
    is_true(&stack, 3, "after a lock was to be broken");
}

#[test]
fn a_clock_that_goes_backwards_changes_nothing() {
    let stack = Stack::new(&[("main.tf", &main_tf(3, 2, 1))]);
    let at = |clock: &str, args: &[&str]| -> Ran {
        let mut command = stack.command(args);
        ran(command.env("STRATIFORM_TEST_CLOCK", clock).output().expect("the binary runs"))
    };
    for (round, clock) in ["3600:4", "86400:0", "86400:9", "400000:30"].into_iter().enumerate() {
        stack.write("main.tf", &main_tf(3, 2, round + 2));
        let applied = at(clock, &["apply", "-auto-approve"]);
        assert_eq!(applied.code, Some(0), "{clock}\n{}{}", applied.out, applied.err);
        is_true(&stack, 3, clock);
    }
    // A plan that was made later than it is carried out.
    stack.write("main.tf", &main_tf(3, 2, 9));
    stack.ok(&["plan", "-out=p"]);
    let late = at("86400:0", &["apply", "p"]);
    assert_eq!(late.code, Some(0), "{}{}", late.out, late.err);
    // Operations keep the order in which they were done, whatever the clock said.
    let history: Json = serde_json::from_str(&stack.ok(&["history", "-json"])).expect("JSON");
    let operations = history["operations"].as_array().or(history.as_array()).expect("operations");
    let ids: Vec<u64> = operations.iter().filter_map(|one| one["operation"].as_u64()).collect();
    assert!(ids.len() >= 5 && ids.is_sorted(), "{history}");
    let undone = at("500000:0", &["undo", "-auto-approve"]);
    assert_eq!(undone.code, Some(0), "{}{}", undone.out, undone.err);
    let sizes = stack.ok(&["state", "pull"]).matches("\"size\": 5").count();
    assert_eq!(sizes, 3, "the last apply is undone, and no other");
}

#[test]
fn a_reader_that_goes_away_stops_nothing() {
    for args in [&["apply", "-auto-approve"][..], &["apply", "-auto-approve", "-json"]] {
        let stack = Stack::new(&[("main.tf", &main_tf(5, 60, 1))]);
        let mut child = stack
            .command(&[args, &["-parallelism=2"]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        // As `| head -1`: nobody reads any more.
        drop(child.stdout.take());
        let ended = ran(child.wait_with_output().expect("it ends"));
        assert!(!ended.err.contains("panicked"), "{args:?}\n{}", ended.err);
        let known = stack.ok(&["state", "list"]).lines().count();
        assert_eq!(world(&stack), known, "{args:?}: all that was made is recorded");
        is_true(&stack, 5, &format!("{args:?}"));
    }
}

#[test]
fn commands_that_write_the_state_fail_whole_on_a_full_disk() {
    let commands: [&[&str]; 5] = [
        &["state", "mv", "sim_node.a[0]", "sim_node.b[0]"],
        &["state", "rm", "sim_node.a[0]"],
        &["taint", "sim_node.a[0]"],
        &["workspace", "new", "blue"],
        &["history", "prune", "-keep=1"],
    ];
    let good = Stack::new(&[("main.tf", &main_tf(3, 1, 1))]);
    good.ok(&["apply", "-auto-approve"]);
    let mut refused = 0;
    for args in commands {
        for kib in [0, 4, 16] {
            let stack = Stack::new(&[("main.tf", &main_tf(3, 1, 1))]);
            common::copy(&good.dir().join(".stratiform"), &stack.dir().join(".stratiform"));
            common::copy(&good.dir().join("w"), &stack.dir().join("w"));
            let line = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
            let direct = stack.command(args);
            let mut command = std::process::Command::new("bash");
            command.args(["-c", &line]).arg(direct.get_program()).args(direct.get_args());
            command.current_dir(stack.dir()).env_clear();
            command.envs(direct.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let ended = ran(command.output().expect("bash runs"));
            let what = format!("{args:?} with {kib} KiB\n{}{}", ended.out, ended.err);
            assert!(matches!(ended.code, Some(0 | 1)) && !ended.err.contains("panicked"), "{what}");
            refused += usize::from(ended.code == Some(1));
            stack.run(&["workspace", "select", "default"]);
            let listed = stack.ok(&["state", "list"]);
            let whole = listed.lines().count();
            let allowed = if args[1] == "rm" { 2..=3 } else { 3..=3 };
            assert!(allowed.contains(&whole), "{what}\n{listed}");
            stack.ok(&["taint", "sim_node.a[1]"]);
        }
    }
    assert!(refused >= 3, "the limits are met: {refused}");
}
