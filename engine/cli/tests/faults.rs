//! Providers that break their promises, one call at a time: each costs its own resource an error that names
//! provider, resource and attribute, and the state stays true.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;

/// Two objects; the fault is for `bad` alone.
fn stack(faults: &str) -> Stack {
    Stack::new(&[("main.tf", &main_tf(faults, 1))])
}

fn main_tf(faults: &str, size: u32) -> String {
    format!(
        "terraform {{\n  required_providers {{\n    sim = {{ source = \"stratiform/sim\" }}\n  }}\n}}\n\
         provider \"sim\" {{\n  world  = \"w\"\n  faults = [{faults}]\n}}\n\
         resource \"sim_node\" \"good\" {{\n  name = \"good\"\n  size = {size}\n}}\n\
         resource \"sim_node\" \"bad\" {{\n  name = \"bad\"\n  size = {size}\n}}\n\
         resource \"sim_node\" \"after\" {{\n  name   = \"after\"\n  inputs = [sim_node.bad.id]\n}}\n"
    )
}

fn world(stack: &Stack) -> usize {
    let entries = std::fs::read_dir(stack.dir().join("w")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "json")).count()
}

fn run(stack: &Stack, args: &[&str]) -> common::Ran {
    common::ran(stack.command(args).env("STRATIFORM_CALL_TIMEOUT_S", "0.5").output().expect("runs"))
}

/// Without the fault, one apply leads to the three objects, none lost and none doubled.
fn recovers(stack: &Stack, fault: &str, size: u32) {
    stack.write("main.tf", &main_tf("", size));
    let out = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(out.code, Some(0), "{fault}\n{}\n{}", out.out, out.err);
    assert_eq!(stack.ok(&["state", "list"]).lines().count(), 3, "{fault}");
    assert_eq!(world(stack), 3, "{fault}: {}{}", out.out, out.err);
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0), "{fault}");
}

fn shown(text: &str) -> String {
    text.split_whitespace()
        .filter(|word| !word.chars().all(|c| "│╭╰─·×├▶─ ".contains(c)))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_fault_while_planning_is_an_error_and_changes_nothing() {
    for (fault, words) in [
        ("plan:crash:bad", "it crashed; its last lines were: fatal: simulated"),
        ("plan:panic:bad", "it crashed; its last lines were: simulated panic"),
        ("plan:hang:bad", "it did not answer within 500 ms"),
        ("plan:refuse:bad", "the simulated provider refuses"),
        ("plan:wrong_type:bad", "does not fit the schema"),
        ("plan:changed:bad", "gave an invalid answer"),
        ("plan:gone:bad", "gave an invalid answer"),
        ("configure:crash", "it crashed"),
        ("configure:hang", "it did not answer within 500 ms"),
        ("configure:refuse", "the simulated provider refuses"),
    ] {
        let stack = stack(&format!("{fault:?}"));
        let ran = run(&stack, &["apply", "-auto-approve"]);
        let err = shown(&ran.err);
        assert_eq!(ran.code, Some(1), "{fault}\n{}", ran.err);
        assert!(err.contains(words), "{fault}: `{words}` is in\n{}", ran.err);
        if fault.starts_with("plan") {
            assert!(err.contains("sim_node.bad"), "{fault} names the resource\n{}", ran.err);
            assert!(!err.contains("sim_node.good"), "{fault} is nobody else's\n{}", ran.err);
        }
        assert_eq!(world(&stack), 0, "{fault} changes nothing");
        recovers(&stack, fault, 1);
    }
}

#[test]
fn a_fault_while_validating_is_an_error() {
    for fault in ["validate:crash", "validate:panic"] {
        let text = main_tf("", 1).replace("name = \"bad\"", &format!("name = \"{fault}\""));
        let stack = Stack::new(&[("main.tf", &text)]);
        let err = shown(&stack.fails(&["plan"]));
        assert!(err.contains("it crashed"), "{err}");
        assert!(err.contains("sim_node.bad"), "{err}");
    }
}

#[test]
fn a_fault_while_creating_costs_its_own_resource_alone() {
    for (fault, words) in [
        ("apply:crash:bad", "it crashed; its last lines were: fatal: simulated"),
        ("apply:panic:bad", "it crashed; its last lines were: simulated panic"),
        ("apply:hang:bad", "it did not answer within 500 ms"),
        ("apply:refuse:bad", "the simulated provider refuses"),
        ("apply:wrong_type:bad", "one that does not fit the schema"),
        ("apply:unknown:bad", "is still unknown after apply"),
        ("apply:changed:bad", "gave an invalid answer to make the change for `name`"),
        ("apply:gone:bad", "there is no object in it"),
    ] {
        let stack = stack(&format!("{fault:?}"));
        let ran = run(&stack, &["apply", "-auto-approve"]);
        let err = shown(&ran.err);
        assert_eq!(ran.code, Some(1), "{fault}\n{}", ran.err);
        assert!(err.contains(words), "{fault}: `{words}` is in\n{}", ran.err);
        assert!(err.contains("sim_node.bad"), "{fault} names the resource\n{}", ran.err);
        assert!(ran.out.contains("sim_node.good: Creation complete"), "{fault}\n{}", ran.out);
        assert!(ran.out.contains("not reached: sim_node.after"), "{fault}\n{}", ran.out);
        recovers(&stack, fault, 1);
    }
}

#[test]
fn a_fault_while_updating_keeps_the_object() {
    for fault in
        ["apply:crash:bad", "apply:refuse:bad", "apply:wrong_type:bad", "apply:changed:bad"]
    {
        let stack = stack("");
        stack.ok(&["apply", "-auto-approve"]);
        stack.write("main.tf", &main_tf(&format!("{fault:?}"), 2));
        let ran = run(&stack, &["apply", "-auto-approve"]);
        assert_eq!(ran.code, Some(1), "{fault}\n{}", ran.err);
        assert!(ran.out.contains("sim_node.good: Modifications complete"), "{fault}\n{}", ran.out);
        assert_eq!(
            stack.ok(&["state", "list"]).lines().count(),
            3,
            "{fault}: nothing is forgotten"
        );
        recovers(&stack, fault, 2);
    }
}

#[test]
fn a_fault_while_reading_is_an_error_and_loses_nothing() {
    for (fault, words) in [
        ("read:crash:bad", "it crashed"),
        ("read:hang:bad", "it did not answer"),
        ("read:wrong_type:bad", "does not fit the schema"),
        ("read:unknown:bad", "unknown"),
        ("upgrade:crash", "it crashed"),
    ] {
        let stack = stack("");
        stack.ok(&["apply", "-auto-approve"]);
        stack.write("main.tf", &main_tf(&format!("{fault:?}"), 1));
        for command in [&["plan"][..], &["drift"], &["apply", "-auto-approve"]] {
            let ran = run(&stack, command);
            assert_eq!(ran.code, Some(1), "{fault} {command:?}\n{}\n{}", ran.out, ran.err);
            assert!(shown(&ran.err).contains(words), "{fault}: `{words}` is in\n{}", ran.err);
        }
        assert_eq!(
            stack.ok(&["state", "list"]).lines().count(),
            3,
            "{fault}: nothing is forgotten"
        );
        recovers(&stack, fault, 1);
    }
}

#[test]
fn a_fault_while_destroying_keeps_the_object_in_the_state() {
    for fault in ["apply:crash:bad", "apply:refuse:bad", "apply:hang:bad"] {
        let stack = stack("");
        stack.ok(&["apply", "-auto-approve"]);
        stack.write("main.tf", &main_tf(&format!("{fault:?}"), 1));
        let ran = run(&stack, &["destroy", "-auto-approve"]);
        assert_eq!(ran.code, Some(1), "{fault}\n{}", ran.err);
        assert_eq!(stack.ok(&["state", "list"]).trim(), "sim_node.bad", "{fault}");
        stack.write("main.tf", &main_tf("", 1));
        stack.ok(&["destroy", "-auto-approve"]);
        assert_eq!(world(&stack), 0, "{fault}");
    }
}

#[test]
fn what_was_unknown_is_checked_again_before_the_change() {
    let main = r#"
terraform {
  required_providers {
    sim = { source = "stratiform/sim" }
  }
}
provider "sim" {
  world = "w"
}
resource "terraform_data" "t" {
  input = ""
}
resource "sim_node" "n" {
  name = terraform_data.t.output
}
"#;
    let stack = Stack::new(&[("main.tf", main)]);
    stack.ok(&["plan"]);
    let found = shown(&stack.fails(&["apply", "-auto-approve"]));
    assert!(found.contains("a name is required") && found.contains("main.tf:14"), "{found}");
    assert_eq!(world(&stack), 0, "the provider was not asked to make it");
    assert_eq!(stack.ok(&["state", "list"]).trim(), "terraform_data.t");
}
