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

/// A value of so many levels, put together in two steps: no text is so deep.
fn in_two_steps(levels: usize, open: &str, close: &str) -> String {
    let (inner, outer) = (levels / 2, levels - levels / 2);
    let value = |text: &str| nested(outer, open, close).replace('1', text);
    format!("locals {{\n  l = {}\n}}\n{}", nested(inner, open, close), resource(&value("local.l")))
}

/// What can be planned can be applied, read back, shown, handed to Terraform and back, and destroyed.
#[test]
fn what_is_within_the_limit_passes_every_stage() {
    for (open, close) in [("[", "]"), ("{ a = ", " }"), ("[{ a = ", " }]")] {
        let levels = 250 / open.matches(['[', '{']).count();
        let text = in_two_steps(levels, open, close)
            + "output \"o\" {\n  value = terraform_data.a.output\n}\n";
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
            "state show terraform_data.a",
            "history",
            "state export file.tfstate",
        ] {
            stack.ok(&command.split(' ').collect::<Vec<_>>());
        }
        let output = stack.ok(&["output", "-json", "o"]);
        // All of it is there, and nothing is null instead.
        let inner = |text: &str| {
            let text: String = text.chars().filter(|one| !one.is_whitespace()).collect();
            let open: String = open.chars().filter(|one| *one != ' ').collect();
            let close: String = close.chars().filter(|one| *one != ' ').collect();
            let written = nested(levels, &open.replace("a=", "\"a\":"), &close);
            text.matches(&written).count()
        };
        assert_eq!(inner(&output), 1, "{output}");
        assert!(inner(&stack.ok(&["show", "-json"])) >= 2, "input and output");
        assert!(inner(&stack.ok(&["state", "pull"])) >= 2, "input and output");
        let file = std::fs::read_to_string(stack.dir().join("file.tfstate")).unwrap();
        assert!(inner(&file) >= 2, "input and output");

        let other = Stack::new(&[("main.tf", &text), ("file.tfstate", &file)]);
        other.ok(&["state", "import", "file.tfstate"]);
        for command in ["plan -detailed-exitcode", "destroy -auto-approve", "undo -auto-approve"] {
            other.ok(&command.split(' ').collect::<Vec<_>>());
        }
        stack.ok(&["destroy", "-auto-approve"]);
        assert_eq!(stack.ok(&["state", "list"]), "");
    }
}

#[test]
fn what_is_deeper_is_refused_before_anything_is_done() {
    for levels in [251, 300, 498] {
        let deep = in_two_steps(levels, "[", "]");
        let output =
            deep.replace("resource \"terraform_data\" \"a\" {\n  input", "output \"o\" {\n  value");
        for text in [deep, output] {
            let stack = Stack::new(&[("main.tf", &text)]);
            for command in ["validate", "plan", "apply -auto-approve"] {
                let err = stack.fails(&command.split(' ').collect::<Vec<_>>());
                assert!(err.contains("stratiform::plan::too_deep\n"), "{levels} {command}: {err}");
            }
            assert_eq!(stack.run(&["state", "list"]).out, "", "nothing is made");
        }
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

/// A state file that is deeper than what can be read back is refused, not emptied.
#[test]
fn a_state_that_is_too_deep_is_not_taken_over() {
    let deep = nested(1100, "[", "]");
    let file = format!(
        r#"{{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{{"o":{{"value":{deep},"type":"string"}}}},"resources":[]}}"#
    );
    let stack = Stack::new(&[("main.tf", ""), ("deep.tfstate", &file)]);
    let err = stack.fails(&["state", "import", "deep.tfstate"]);
    assert!(err.contains("nested more than 1024 levels deep"), "{err}");
    assert_eq!(stack.run(&["output"]).out, "");
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
