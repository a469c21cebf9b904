//! Kills apply at every named point of its durable writes, and at random moments; then asks whether anything
//! was lost or made twice.
//!
//! `STRATIFORM_CRASHES=N` runs N random kills instead of the 200 that a normal run has time for.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::time::Duration;

use common::{Stack, ran};

fn main_tf(nodes: usize) -> String {
    format!(
        "terraform {{\n  required_providers {{\n    sim = {{ source = \"stratiform/sim\" }}\n  }}\n}}\n\
         provider \"sim\" {{\n  world    = \"w\"\n  delay_ms = 3\n}}\n\
         resource \"terraform_data\" \"d\" {{\n  count = {nodes}\n  input = count.index\n}}\n\
         resource \"sim_node\" \"a\" {{\n  count  = {nodes}\n  name   = \"a${{count.index}}\"\n  inputs = [terraform_data.d[count.index].id]\n}}\n\
         resource \"sim_node\" \"b\" {{\n  count  = {nodes}\n  name   = \"b${{count.index}}\"\n  inputs = [sim_node.a[count.index].id]\n}}\n"
    )
}

/// Objects that exist in the simulated world.
fn world(stack: &Stack) -> usize {
    let entries = std::fs::read_dir(stack.dir().join("w")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "json")).count()
}

/// After any crash, one more apply leads to exactly what is configured.
fn converges(stack: &Stack, nodes: usize, what: &str) {
    let ran = stack.run(&["apply", "-auto-approve"]);
    let dir = stack.dir();
    assert_eq!(ran.code, Some(0), "{what}, in {}\n{}\n{}", dir.display(), ran.out, ran.err);
    let listed = stack.ok(&["state", "list"]);
    assert_eq!(listed.lines().count(), 3 * nodes, "{what}: nothing is forgotten");
    assert_eq!(world(stack), 2 * nodes, "{what}: nothing is made twice\n{}\n{}", ran.out, ran.err);
    assert_eq!(
        stack.run(&["plan", "-detailed-exitcode"]).code,
        Some(0),
        "{what}: nothing is left to do"
    );
}

#[test]
fn killed_at_any_named_point_nothing_is_lost_or_doubled() {
    let mut killed = 0;
    for point in state::FAILPOINTS {
        for count in [1, 2, 3, 4, 5, 6, 7, 8] {
            let stack = Stack::new(&[("main.tf", &main_tf(3))]);
            let mut command = stack.command(&["apply", "-auto-approve", "-parallelism=2"]);
            let first =
                command.env("STRATIFORM_TEST_FAILPOINT", format!("{point}:{count}")).output();
            killed += usize::from(ran(first.expect("the binary runs")).code.is_none());
            converges(&stack, 3, &format!("{point}:{count}"));
        }
    }
    assert!(killed >= 28, "the points are reached: {killed}");
}

#[test]
fn killed_in_a_call_nothing_is_lost_or_doubled() {
    // Before the call's work and after it, of a first object, one in the middle and one that needs another.
    for fault in ["die", "die_after"] {
        for name in ["a0", "a2", "b1"] {
            let stack = Stack::new(&[("main.tf", &main_tf(3))]);
            let plain = main_tf(3);
            let deadly = plain.replace(
                "delay_ms = 3",
                &format!("delay_ms = 3\n  faults = [\"apply:{fault}:{name}\"]"),
            );
            stack.write("main.tf", &deadly);
            let first = stack.run(&["apply", "-auto-approve"]);
            assert_eq!(first.code, None, "{fault} {name}\n{}", first.err);
            stack.write("main.tf", &plain);
            converges(&stack, 3, &format!("{fault} {name}"));
            // Of a destruction too.
            stack.write("main.tf", &deadly);
            let destroy = stack.run(&["destroy", "-auto-approve"]);
            assert_eq!(destroy.code, None, "{fault} {name}\n{}", destroy.err);
            stack.write("main.tf", &plain);
            converges(&stack, 3, &format!("{fault} {name}, destroyed"));
        }
    }
}

#[test]
fn killed_at_random_moments_nothing_is_lost_or_doubled() {
    let rounds: u64 =
        std::env::var("STRATIFORM_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let next = std::sync::atomic::AtomicU64::new(0);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let round = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if round >= rounds {
                        return;
                    }
                    killed_at(round);
                }
            });
        }
    });
}

/// Applies, kills after a time that follows from the round's number alone, and looks at what is left.
fn killed_at(round: u64) {
    let mut seed = (round + 1).wrapping_mul(0x2545_f491_4f6c_dd1d);
    seed ^= seed >> 29;
    let stack = Stack::new(&[("main.tf", &main_tf(4))]);
    // Some rounds change or destroy what is there already, or only look at it.
    let (args, patience_ms) = match round % 5 {
        0 => (&["apply", "-auto-approve", "-parallelism=3"][..], 30),
        1 => (&["apply", "-auto-approve", "-parallelism=3"][..], 160),
        2 => (&["destroy", "-auto-approve", "-parallelism=3"][..], 160),
        3 => (&["apply", "-auto-approve", "-parallelism=3", "-replace=sim_node.a[1]"][..], 160),
        _ => (&["state", "list"][..], 25),
    };
    let after_ms = seed % patience_ms;
    if round % 5 >= 2 {
        stack.ok(&["apply", "-auto-approve"]);
    }
    let mut child = stack
        .command(args)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary runs");
    std::thread::sleep(Duration::from_millis(after_ms));
    // The process may have ended already; then there is nothing to kill.
    let _ = child.kill();
    child.wait().expect("the process ends");
    converges(&stack, 4, &format!("round {round}, killed after {after_ms} ms"));
}

#[test]
fn two_writers_at_once_are_one() {
    let stack = Stack::new(&[("main.tf", &main_tf(4).replace("delay_ms = 3", "delay_ms = 150"))]);
    let mut first = stack
        .command(&["apply", "-auto-approve"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("runs");
    std::thread::sleep(Duration::from_millis(250));
    let second = stack.run(&["apply", "-auto-approve"]);
    let waited = stack.run(&["plan", "-detailed-exitcode", "-lock-timeout=30s"]);
    assert!(first.wait().expect("ends").success());
    assert_eq!(second.code, Some(1));
    assert!(second.err.contains("locked by") || second.err.contains("in use"), "{}", second.err);
    assert_eq!(
        waited.code,
        Some(0),
        "a plan that waits sees what the first has done\n{}",
        waited.err
    );
    assert_eq!(world(&stack), 8);
}

/// Starts a slow apply and sends it signals, each a little after the one before.
fn apply_with_signals(stack: &Stack, signals: &[&str]) -> common::Ran {
    let child = stack
        .command(&["apply", "-auto-approve", "-parallelism=2"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("runs");
    std::thread::sleep(Duration::from_millis(1200));
    for signal in signals {
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill").args([*signal, &pid]).status();
        assert!(sent.expect("kill runs").success());
        std::thread::sleep(Duration::from_millis(100));
    }
    ran(child.wait_with_output().expect("it ends"))
}

#[test]
fn an_interrupt_lets_what_runs_end_and_a_second_one_stops_at_once() {
    let slow = main_tf(4).replace("delay_ms = 3", "delay_ms = 800");
    for signal in ["-INT", "-TERM", "-HUP"] {
        let stack = Stack::new(&[("main.tf", &slow)]);
        let ended = apply_with_signals(&stack, &[signal]);
        assert_eq!(ended.code, Some(1), "{signal}\n{}\n{}", ended.out, ended.err);
        let listed = stack.ok(&["state", "list"]);
        let known = listed.lines().filter(|line| line.starts_with("sim_node")).count();
        let made = world(&stack);
        assert_eq!(made, known, "{signal}: what was running has ended, and is recorded");
        assert!((1..8).contains(&made), "{signal}: nothing new was started: {made}");
        stack.write("main.tf", &main_tf(4));
        converges(&stack, 4, signal);
    }
    let stack = Stack::new(&[("main.tf", &slow)]);
    let ended = apply_with_signals(&stack, &["-INT", "-INT"]);
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.out, ended.err);
    assert!(ended.err.contains("Stopped at once"), "{}", ended.err);
    stack.write("main.tf", &main_tf(4));
    converges(&stack, 4, "two interrupts");
}

#[test]
fn who_only_looks_need_not_wait_for_a_running_apply() {
    let slow = main_tf(8).replace("delay_ms = 3", "delay_ms = 250");
    let stack = Stack::new(&[("main.tf", &slow)]);
    let mut apply = stack
        .command(&["apply", "-auto-approve", "-parallelism=1"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("runs");
    std::thread::sleep(Duration::from_millis(900));
    let mut most = 0;
    for args in [
        &["state", "list"][..],
        &["show"],
        &["output"],
        &["history"],
        &["state", "pull"],
        &["plan", "-lock=false"],
        &["drift"],
        &["state", "list"],
    ] {
        let ran = stack.run(args);
        assert_ne!(ran.code, Some(1), "{args:?}\n{}\n{}", ran.out, ran.err);
        if args == ["state", "list"] {
            assert!(ran.out.lines().count() >= most, "a state never goes back");
            most = ran.out.lines().count();
        }
    }
    assert!(apply.try_wait().expect("a process").is_none(), "apply was at work all the while");
    assert!((1..24).contains(&most), "what is done by now is seen: {most}");
    assert_eq!(stack.run(&["plan"]).code, Some(1), "who prepares a change must wait");
    apply.kill().expect("it can be killed");
    apply.wait().expect("it ends");
    converges(&stack, 8, "after readers beside it");
}

/// Applies with files that may not grow past a limit, as on a disk that is full.
fn apply_with_limit(stack: &Stack, kib: u64) -> common::Ran {
    let line = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
    let direct = stack.command(&["apply", "-auto-approve"]);
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &line]).arg(direct.get_program()).args(direct.get_args());
    command.current_dir(stack.dir()).env_clear();
    command.envs(direct.get_envs().filter_map(|(name, value)| Some((name, value?))));
    ran(command.output().expect("bash runs"))
}

#[test]
fn on_a_full_disk_nothing_is_lost_or_doubled() {
    let mut refused = 0;
    for kib in [0, 1, 4, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40, 48] {
        let stack = Stack::new(&[("main.tf", &main_tf(3))]);
        let first = apply_with_limit(&stack, kib);
        assert!(!first.err.contains("panicked"), "{kib} KiB\n{}", first.err);
        if first.code != Some(0) {
            refused += 1;
            assert_eq!(first.code, Some(1), "{kib} KiB\n{}\n{}", first.out, first.err);
            assert!(first.err.contains("stratiform::"), "{kib} KiB\n{}", first.err);
        }
        converges(&stack, 3, &format!("{kib} KiB"));
    }
    assert!(refused >= 4, "the limits are met: {refused}");
}

#[test]
fn torn_and_damaged_files_are_errors_and_never_a_silent_loss() {
    let good = Stack::new(&[("main.tf", &main_tf(4))]);
    good.ok(&["apply", "-auto-approve"]);
    let listed = good.ok(&["state", "list"]);
    let state = std::path::Path::new(".stratiform/state/default");
    let mut files = Vec::new();
    let mut waiting = vec![good.dir().join(state)];
    while let Some(dir) = waiting.pop() {
        for entry in std::fs::read_dir(dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if std::fs::metadata(&path).expect("a file").len() > 0 {
                files.push(path.strip_prefix(good.dir()).expect("below").to_owned());
            }
        }
    }
    files.sort();
    let mut refused = 0;
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % (1 << 30)).expect("small")
    };
    for file in &files {
        for round in 0..12 {
            let stack = Stack::new(&[("main.tf", &main_tf(4))]);
            common::copy(&good.dir().join(".stratiform"), &stack.dir().join(".stratiform"));
            let path = stack.dir().join(file);
            let mut bytes = std::fs::read(&path).expect("a file");
            let what = match round % 3 {
                0 => {
                    bytes.truncate(random() % bytes.len());
                    "truncated"
                }
                1 => {
                    // Where something is written, most often.
                    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
                    let at = random() % used;
                    bytes[at] ^= 1 << (random() % 8);
                    "one bit flipped"
                }
                _ => {
                    let at = random() % bytes.len();
                    let end = (at + 512).min(bytes.len());
                    bytes[at..end].fill(0);
                    "a sector zeroed"
                }
            };
            std::fs::write(&path, bytes).expect("written");
            let ran = stack.run(&["state", "list"]);
            let context = format!("{} {what}\n{}\n{}", file.display(), ran.out, ran.err);
            match ran.code {
                Some(0) => assert_eq!(ran.out, listed, "nothing is lost silently: {context}"),
                Some(1) => {
                    refused += 1;
                    assert!(ran.err.contains("stratiform::state::"), "{context}");
                    assert!(!ran.err.contains("panicked"), "{context}");
                }
                other => panic!("{other:?}: {context}"),
            }
        }
    }
    assert!(refused > 0, "damage is found");
}
