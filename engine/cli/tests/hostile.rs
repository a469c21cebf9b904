//! Providers that break the protocol: each fault costs its own resources an error, never the run or the state,
//! and no process is left.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Ran, Stack, ran};

const CONFIG: &str = r#"
terraform {
  required_providers {
    hostile = { source = "test/hostile" }
  }
}

resource "hostile_thing" "bad" {
  name = "victim"
}

resource "terraform_data" "good" {
  input = "stays"
}
"#;

/// The hostile provider, which cargo builds beside the tests.
fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let target = own.ancestors().nth(2).expect("tests lie in a folder of the target folder");
    let binary = target.join("examples").join("hostile");
    assert!(binary.exists(), "build it first: cargo build -p stratiform --example hostile");
    binary
}

/// A configuration whose provider a development override names; and where its program belongs.
fn overridden() -> (Stack, PathBuf) {
    let stack = Stack::new(&[("main.tf", CONFIG)]);
    let folder = stack.dir().join("plugins");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let rc = format!(
        "provider_installation {{\n  dev_overrides {{\n    \"test/hostile\" = \"{}\"\n  }}\n}}\n",
        folder.display()
    );
    std::fs::create_dir_all(stack.home()).expect("a folder can be made");
    std::fs::write(stack.home().join(".terraformrc"), rc).expect("written");
    let program = folder.join("terraform-provider-hostile_v1.0.0");
    (stack, program)
}

fn stack() -> Stack {
    let (stack, program) = overridden();
    std::os::unix::fs::symlink(binary(), program).expect("a link can be made");
    stack
}

fn run(stack: &Stack, hostile: &str, args: &[&str]) -> Ran {
    let mut command = stack.command(args);
    command.env("HOSTILE", hostile).env("STRATIFORM_CALL_TIMEOUT_S", "3");
    ran(command.output().expect("the binary runs"))
}

/// A message without the frame and the line breaks of its rendering.
fn flat(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// True if a process runs whose command line holds this text.
fn runs(text: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("processes can be listed").flatten();
    processes
        .filter_map(|one| std::fs::read(one.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(text))
}

fn no_process_of(stack: &Stack) {
    let folder = stack.dir().display().to_string();
    let until = Instant::now() + Duration::from_secs(3);
    while runs(&folder) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!runs(&folder), "a process of the provider is left");
}

#[test]
fn without_faults_it_is_a_provider_like_any_other() {
    let stack = stack();
    for (hostile, args) in [
        ("", &["apply", "-auto-approve"][..]),
        ("", &["plan", "-detailed-exitcode"]),
        ("ReadResource:late", &["plan", "-detailed-exitcode"]),
        ("", &["destroy", "-auto-approve"]),
    ] {
        let ran = run(&stack, hostile, args);
        assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
        no_process_of(&stack);
    }
}

#[test]
fn every_fault_of_the_start_is_named() {
    let table = [
        ("junk", "it printed `Loading plugin, please wait` where the line of the plugin handshake"),
        ("old", "it speaks version 4 of the provider protocol, and versions 5 and 6 are known"),
        ("silent", "it ended before it said where it listens"),
        ("nobody-listens", "it cannot be connected to"),
    ];
    for (fault, expected) in table {
        let stack = stack();
        let ran = run(&stack, fault, &["plan"]);
        assert_eq!(ran.code, Some(1), "{fault}: {}", ran.err);
        let text = flat(&ran.err);
        assert!(text.contains("test/hostile") && text.contains(expected), "{fault}: {}", ran.err);
        no_process_of(&stack);
    }
}

#[test]
fn every_fault_of_planning_costs_its_resource_an_error() {
    let table = [
        ("ValidateResourceConfig:crash", "out of cheese"),
        ("PlanResourceChange:crash", "out of cheese"),
        ("PlanResourceChange:hang", "did not answer within"),
        ("PlanResourceChange:wrong-type", "PlanResourceChange"),
        ("PlanResourceChange:not-utf8", "name: a string is not valid UTF-8"),
        ("PlanResourceChange:extra", "unsupported attribute `nome`"),
        ("PlanResourceChange:garbage", "the message cannot be read"),
        ("PlanResourceChange:other-name", "for `name`"),
        ("GetProviderSchema:garbage", "GetProviderSchema"),
        ("GetProviderSchema:crash", "out of cheese"),
        ("ConfigureProvider:crash", "out of cheese"),
    ];
    for (fault, expected) in table {
        let stack = stack();
        let ran = run(&stack, fault, &["plan"]);
        assert_eq!(ran.code, Some(1), "{fault}: {}\n{}", ran.out, ran.err);
        let text = flat(&ran.err);
        assert!(text.contains("hostile"), "{fault}: {}", ran.err);
        assert!(text.contains(expected), "{fault}: {}", ran.err);
        no_process_of(&stack);
    }
}

#[test]
fn every_fault_of_applying_leaves_the_others_and_the_state() {
    let table = [
        ("ApplyResourceChange:crash", "out of cheese"),
        ("ApplyResourceChange:hang", "did not answer within"),
        ("ApplyResourceChange:wrong-type", "ApplyResourceChange"),
        ("ApplyResourceChange:not-utf8", "a string is not valid UTF-8"),
        ("ApplyResourceChange:other-name", "for `name`"),
        ("ApplyResourceChange:unknown", "id"),
        ("ApplyResourceChange:garbage", "the message cannot be read"),
    ];
    for (fault, expected) in table {
        let stack = stack();
        let ran = run(&stack, fault, &["apply", "-auto-approve"]);
        assert_eq!(ran.code, Some(1), "{fault}: {}\n{}", ran.out, ran.err);
        let text = flat(&ran.err);
        assert!(
            text.contains("hostile_thing.bad") && text.contains("test/hostile"),
            "{fault}: {text}"
        );
        assert!(text.contains(expected), "{fault}: {}", ran.err);
        no_process_of(&stack);
        assert!(stack.ok(&["state", "list"]).contains("terraform_data.good"), "{fault}");
    }
}

#[test]
fn what_a_provider_forks_ends_with_the_run() {
    let stack = stack();
    let ran = run(&stack, "PlanResourceChange:orphan", &["plan"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let until = Instant::now() + Duration::from_secs(3);
    while runs("hostile-orphan") && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!runs("hostile-orphan"), "a forked child is left");
}

#[test]
fn a_killed_engine_leaves_no_provider() {
    let stack = stack();
    let mut command = stack.command(&["plan"]);
    command.env("HOSTILE", "PlanResourceChange:hang").env("STRATIFORM_CALL_TIMEOUT_S", "30");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    let folder = stack.dir().display().to_string();
    let until = Instant::now() + Duration::from_secs(10);
    while !runs(&folder) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(runs(&folder), "the provider was started");
    std::thread::sleep(Duration::from_millis(300));
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    no_process_of(&stack);
}

#[test]
fn every_fault_of_a_file_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let (stack, file) = overridden();
    std::fs::write(&file, "no program").expect("written");
    assert!(flat(&stack.fails(&["plan"])).contains("chmod +x"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("set");
    assert!(flat(&stack.fails(&["plan"])).contains("is not a program"));
    std::fs::write(&file, b"MZ\x90\x00").expect("written");
    assert!(flat(&stack.fails(&["plan"])).contains("is built for Windows"));
    std::fs::remove_file(&file).expect("removed");
    assert!(flat(&stack.fails(&["plan"])).contains("has no file"));
}

#[test]
fn a_program_that_the_lock_file_does_not_know_is_never_started() {
    let stack = Stack::new(&[("main.tf", CONFIG)]);
    let mirror = stack.dir().join("mirror");
    let platform = protocol::package::platform();
    let folder = mirror.join("registry.terraform.io/test/hostile/1.0.0").join(platform);
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let program = folder.join("terraform-provider-hostile_v1.0.0");
    std::fs::copy(binary(), &program).expect("copied");
    let rc = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        mirror.display()
    );
    std::fs::create_dir_all(stack.home()).expect("a folder can be made");
    std::fs::write(stack.home().join(".terraformrc"), rc).expect("written");
    stack.ok(&["init"]);
    stack.ok(&["apply", "-auto-approve"]);

    // One byte more, in the folder that `.terraform` links to.
    let mut bytes = std::fs::read(&program).expect("read");
    bytes.push(0);
    std::fs::write(&program, bytes).expect("written");
    let error = stack.fails(&["plan"]);
    let words = flat(&error);
    assert!(words.contains("stratiform::install::hash_mismatch"), "{error}");
    assert!(words.contains("was not started") && words.matches("h1:").count() == 2, "{error}");
    no_process_of(&stack);
}
