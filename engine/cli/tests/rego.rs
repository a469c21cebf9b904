//! Rules of one's own in Rego: what they see, what they say, and how it is shown.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;
use serde_json::Value as Json;

const MAIN: &str = r#"stack {
  rego "ours" {
    source = "./policy"
  }
}
variable "secret" {
  sensitive = true
}
resource "terraform_data" "large" {
  input = { size = 11 }
}
resource "terraform_data" "small" {
  input = { size = 3, secret = var.secret }
}
"#;

const POLICY: &str = r#"package limits

import rego.v1

sizes[change.address] := change.change.after.input.size if some change in input.resource_changes

deny contains {"msg": sprintf("%d is more than 10", [size]), "address": address} if {
  some address, size in sizes
  size > 10
}

warn contains "this stack has large parts" if count(deny) > 0

warn contains "a secret is seen" if contains(json.marshal(input), "hush")
"#;

fn stack(main: &str) -> Stack {
    Stack::new(&[("main.tf", main), ("policy/limits.rego", POLICY), ("policy/notes.txt", "{")])
}

#[test]
fn what_a_policy_denies_is_refused_at_its_line() {
    let stack = stack(MAIN);
    let error = stack.fails(&["plan", "-var=secret=hush", "-sarif=found.sarif"]);
    for part in ["stratiform::check::ours", "11 is more than 10", "main.tf:9:1", "package `limits`"]
    {
        assert!(error.contains(part), "{part}\n{error}");
    }
    assert!(error.contains("this stack has large parts"), "{error}");
    assert!(!error.contains("a secret is seen"), "{error}");
    let text = std::fs::read_to_string(stack.dir().join("found.sarif")).expect("a log");
    let log: Json = serde_json::from_str(&text).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let levels: Vec<&str> = results
        .iter()
        .filter(|one| one["ruleId"] == "stratiform::check::ours")
        .filter_map(|one| one["level"].as_str())
        .collect();
    assert_eq!(levels, ["error", "warning"], "{text}");
    assert!(text.contains("terraform_data.large"), "{text}");
}

#[test]
fn what_holds_is_applied_and_exceptions_count() {
    let stack = stack(&MAIN.replace("size = 11", "size = 10"));
    let ran = stack.run(&["apply", "-auto-approve", "-var=secret=hush"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(!ran.err.contains("ours"), "{}", ran.err);
    let excepted = MAIN.replace(
        "stack {",
        "stack {\n  exception \"ours\" {\n    address = \"terraform_data.large\"\n    reason = \"agreed\"\n    until = \"2999-01-01\"\n  }",
    );
    stack.write("main.tf", &excepted);
    let ran = stack.run(&["plan", "-var=secret=hush"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("ours is set aside until 2999-01-01"), "{}", ran.err);
}

#[test]
fn policies_that_cannot_be_used_are_told() {
    for (policy, source, wanted) in [
        ("package a\ndeny contains", "./policy", "the policy `ours` cannot be evaluated"),
        ("package a\ndeny := 7", "./policy", "`a.deny` is a set of texts"),
        ("package a", "./nowhere", "`nowhere` cannot be read"),
        ("package a", "./empty", "no file in it ends in `.rego`"),
    ] {
        let main = MAIN.replace("./policy", source);
        let files = [("main.tf", &*main), ("policy/limits.rego", policy), ("empty/a.txt", "")];
        let error = Stack::new(&files).fails(&["plan", "-var=secret=hush"]);
        assert!(error.contains("stratiform::check::rego"), "{error}");
        assert!(error.contains(wanted), "{wanted}\n{error}");
    }
    let error = stack(&MAIN.replace("source =", "sources =")).fails(&["plan", "-var=secret=hush"]);
    assert!(error.contains("has no `sources`"), "{error}");
}
