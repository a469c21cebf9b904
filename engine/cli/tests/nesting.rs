//! Nesting as deep as anybody writes, and far deeper: each stage passes, or says what the limit is.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;

/// A list or an object of so many levels.
fn nested(levels: usize, open: &str, close: &str) -> String {
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

fn resource(value: &str) -> String {
    format!("resource \"terraform_data\" \"a\" {{\n  input = {value}\n}}\n")
}

/// What can be planned can be applied, read back, shown and destroyed.
#[test]
fn what_is_within_the_limit_passes_every_stage() {
    for (open, close) in [("[", "]"), ("{ a = ", " }")] {
        let value = nested(50, open, close);
        let text = resource(&value) + "output \"o\" {\n  value = terraform_data.a.output\n}\n";
        let stack = Stack::new(&[("main.tf", &text)]);
        for command in [
            "fmt -check -list=false",
            "validate",
            "plan -out=p",
            "show p",
            "show -json p",
            "apply p",
            "plan -detailed-exitcode",
            "show",
            "show -json",
            "output -json",
            "state pull",
            "state show terraform_data.a",
            "destroy -auto-approve",
        ] {
            stack.ok(&command.split(' ').collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_is_deeper_is_refused_before_anything_is_done() {
    for levels in [51, 100, 128, 249] {
        let stack = Stack::new(&[("main.tf", &resource(&nested(levels, "[", "]")))]);
        for command in ["validate", "plan", "apply -auto-approve"] {
            let err = stack.fails(&command.split(' ').collect::<Vec<_>>());
            assert!(err.contains("stratiform::plan::too_deep\n"), "{levels} {command}: {err}");
        }
        assert_eq!(stack.run(&["state", "list"]).out, "", "nothing is made");
    }
    // No text is so deep: the levels come together from several.
    let step = |at: usize| {
        format!("  l{at} = {}\n", nested(100, "[", "]").replace('1', &format!("local.l{}", at - 1)))
    };
    let locals: String = (1..=20).map(step).collect();
    let text = format!("locals {{\n  l0 = 1\n{locals}}}\n{}", resource("local.l20"));
    let err = Stack::new(&[("main.tf", &text)]).fails(&["plan"]);
    assert!(err.contains("stratiform::plan::too_deep\n"), "{err}");
}

#[test]
fn texts_beyond_the_parsers_limit_are_told_so() {
    for levels in [250, 251, 1000, 20_000] {
        let native = resource(&nested(levels, "[", "]"));
        let json = format!(
            "{{\"resource\": {{\"terraform_data\": {{\"a\": {{\"input\": {}}}}}}}}}",
            nested(levels, "[", "]")
        );
        for (name, text) in [("main.tf", &native), ("main.tf.json", &json)] {
            let err = Stack::new(&[(name, text)]).fails(&["validate"]);
            assert!(err.contains("stratiform::syntax::too_deep\n"), "{levels} {name}: {err}");
        }
        let stack = Stack::new(&[("main.tf", &native)]);
        let ran = stack.run(&["fmt", "-check"]);
        assert_eq!(ran.code, Some(2), "fmt {levels}: {}", ran.err);
        assert!(ran.err.contains("stratiform::syntax::too_deep\n"), "fmt {levels}: {}", ran.err);
    }
}
