//! What AI stacks on AWS are made of, on an emulator: this engine and Terraform, side by side, with the same
//! provider.
//!
//! Needs the folder that `STRATIFORM_TEST_PROVIDER_MIRROR` names, a `moto_server` and a `terraform` on the path.
//! `STRATIFORM_TEST_AWS_MODULES` may name a folder with published modules for the provider's version: `vpc` 5, `s3-bucket`
//! 4 and `iam` 5 of `terraform-aws-modules`.
//! It takes minutes, and runs where `STRATIFORM_TEST_AWS` is `short` or `long`; `long` also carries the replacements out, and has resources that settle slowly.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test binary"
)]

#[path = "aws/compare.rs"]
mod compare;
#[path = "aws/side.rs"]
mod side;

#[path = "common/mod.rs"]
mod common;

use compare::{Names, changes, differences, without_secrets};
use serde_json::Value as Json;
use side::{Program, Side};

/// Files of the suite, as they lie beside this one.
const FILES: [(&str, &str); 7] = [
    ("provider.tf", include_str!("aws/provider.tf")),
    ("network.tf", include_str!("aws/network.tf")),
    ("identity.tf", include_str!("aws/identity.tf")),
    ("storage.tf", include_str!("aws/storage.tf")),
    ("compute.tf", include_str!("aws/compute.tf")),
    ("signals.tf", include_str!("aws/signals.tf")),
    ("outputs.tf", include_str!("aws/outputs.tf")),
];

/// The provider waits about a minute for each of these.
const SLOW: (&str, &str) = ("slow.tf", include_str!("aws/slow.tf"));

fn is_long() -> bool {
    std::env::var("STRATIFORM_TEST_AWS").is_ok_and(|form| form == "long")
}

/// Does two things at the same time.
fn both<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().expect("it has not panicked"), other)
    })
}

/// Fails with every leaf in which two plans differ.
fn same_plan(what: &str, ours: &Json, theirs: &Json) {
    let mut found = Vec::new();
    for part in ["resource_changes", "resource_drift"] {
        let (a, b) = (changes(ours, part), changes(theirs, part));
        let as_json = |all| serde_json::to_value(all).expect("JSON");
        differences(part, &as_json(a), &as_json(b), &mut found);
    }
    let outputs = |plan: &Json| {
        let mut outputs = plan["output_changes"].clone();
        outputs.as_object_mut().into_iter().flatten().for_each(|(_, one)| without_secrets(one));
        outputs
    };
    differences("output_changes", &outputs(ours), &outputs(theirs), &mut found);
    let lines = found.iter().map(|(at, a, b)| format!("{at}: ours {a}, theirs {b}"));
    let lines: Vec<String> = lines.collect();
    assert!(lines.is_empty(), "{what}: {} differences\n{}", lines.len(), lines.join("\n"));
}

/// Fails if two plans of different worlds do not do the same to the same objects.
fn same_actions(ours: &Json, theirs: &Json) {
    let actions = |plan: &Json| -> Vec<String> {
        let all = changes(plan, "resource_changes").into_iter();
        let all = all.filter(|(_, one)| one["change"]["actions"] != serde_json::json!(["no-op"]));
        all.map(|(address, one)| format!("{address} {}", one["change"]["actions"])).collect()
    };
    assert_eq!(actions(ours), actions(theirs));
}

/// Fails with every attribute in which two states differ, whatever ids the emulators have given out.
fn same_state(ours: &Json, theirs: &Json) {
    same_state_of(FILES.iter().chain([&SLOW]).map(|(_, text)| *text), ours, theirs);
}

/// The same for a configuration of one's own.
fn same_state_of<'a>(written: impl IntoIterator<Item = &'a str>, ours: &Json, theirs: &Json) {
    let objects = |state: &Json| {
        let mut all = std::collections::BTreeMap::new();
        for resource in state["resources"].as_array().expect("resources") {
            for instance in resource["instances"].as_array().expect("instances") {
                let address = format!(
                    "{} {} {}.{}[{}]",
                    resource["module"],
                    resource["mode"],
                    resource["type"],
                    resource["name"],
                    instance["index_key"]
                );
                let mut kept = instance.clone();
                for name in ["private", "dependencies"] {
                    kept.as_object_mut().expect("an object").remove(name);
                }
                all.insert(address, kept);
            }
        }
        serde_json::to_value(all).expect("JSON")
    };
    let mut names = Names::new(written);
    let found = compare::different_states(&mut names, &objects(ours), &objects(theirs));
    let lines: Vec<String> =
        found.iter().map(|(at, a, b)| format!("{at}: ours {a}, theirs {b}")).collect();
    assert!(lines.is_empty(), "{} differences\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn the_suite_agrees_with_terraform() {
    let mut files = FILES.to_vec();
    files.extend(is_long().then_some(SLOW));
    let (Some(ours), Some(theirs)) =
        (Side::new(Program::Ours, &files), Side::new(Program::Terraform, &files))
    else {
        return;
    };
    both(|| ours.init(), || theirs.init());

    // Nothing is there.
    let (a, b) = both(|| ours.plan("create"), || theirs.plan("create"));
    same_plan("create", &a, &b);
    both(|| ours.apply(), || theirs.apply());
    same_state(&ours.state(), &theirs.state());
    // The emulator forgets some of what it is told, so there may be something to do again: the same for both.
    let (a, b) = both(|| ours.plan("create"), || theirs.plan("create"));
    same_actions(&a, &b);

    // This engine reads Terraform's state file where it lies: both plan on the same objects.
    let guest = theirs.guest();
    for stage in ["create", "change", "replace"] {
        same_plan(stage, &guest.plan(stage), &theirs.plan(stage));
    }

    // Somebody changes and removes things by hand.
    theirs.out_of_band();
    same_plan("drift", &guest.plan("create"), &theirs.plan("create"));
    assert_eq!(guest.drift(), 2, "drift says that there is some");
    // What is made again starts afresh, so it must be so on both sides.
    ours.out_of_band();
    both(
        || {
            ours.plan("change");
            ours.apply();
        },
        || {
            theirs.plan("change");
            theirs.apply();
        },
    );
    same_state(&ours.state(), &theirs.state());
    if is_long() {
        both(
            || {
                ours.plan("replace");
                ours.apply();
            },
            || {
                theirs.plan("replace");
                theirs.apply();
            },
        );
        same_state(&ours.state(), &theirs.state());
    }

    ours.import_again();
    both(|| ours.destroy(), || theirs.destroy());
}

#[test]
fn published_modules_are_applied_and_destroyed_unchanged() {
    let Some(modules) = std::env::var_os("STRATIFORM_TEST_AWS_MODULES") else {
        println!("skipped: STRATIFORM_TEST_AWS_MODULES names no folder with published modules");
        return;
    };
    let calls = include_str!("aws/modules.tf");
    let files = [FILES[0], ("main.tf", calls)];
    let (Some(ours), Some(theirs)) =
        (Side::new(Program::Ours, &files), Side::new(Program::Terraform, &files))
    else {
        return;
    };
    let modules = std::path::Path::new(&modules);
    for name in ["vpc", "s3-bucket", "iam"] {
        for side in [&ours, &theirs] {
            side.link(name, &modules.join(name));
        }
    }
    both(|| ours.init(), || theirs.init());
    let (a, b) = both(|| ours.plan("create"), || theirs.plan("create"));
    same_plan("create", &a, &b);
    both(|| ours.apply(), || theirs.apply());
    // Modules choose names from what they are given, so all names of theirs count as chosen by the emulator.
    same_state_of([], &ours.state(), &theirs.state());
    let (a, b) = both(|| ours.plan("create"), || theirs.plan("create"));
    same_actions(&a, &b);
    let idle = |plan: &Json| {
        changes(plan, "resource_changes")
            .values()
            .all(|one| one["change"]["actions"] == serde_json::json!(["no-op"]))
    };
    assert!(idle(&a), "the next plan is empty");
    both(|| ours.destroy(), || theirs.destroy());
}
