//! Checks of components that wait for values: listed in the plan, decided in apply before what depends on them is made.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;

const TYPE: &str = r#"component_type "store" {
  input "size" {
    type = number
    validation {
      condition     = input.size > 0
      error_message = "A store has room."
    }
  }
  input "label" { default = "a" }
  implementation "local" {
    backend = "local"
    source  = "./store"
    requires = [{ condition = input.size <= 10, message = "at most 10, and ${input.size} are asked for" }]
  }
}
"#;

const MODULE: &str = r#"variable "size" { type = number }
variable "label" { type = string }
resource "terraform_data" "plain" { input = "nothing" }
resource "terraform_data" "this" { input = "${var.label} ${var.size}" }
"#;

fn stack(main: &str) -> Stack {
    Stack::new(&[("types.tf", TYPE), ("store/main.tf", MODULE), ("main.tf", main)])
}

fn unbroken(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '│').collect()
}

/// A size that nobody knows before something is made.
fn sized(size: &str) -> Stack {
    stack(&format!(
        "resource \"terraform_data\" \"size\" {{ input = {size} }}\nstore \"a\" {{\n  size = terraform_data.size.output\n}}\nresource \"terraform_data\" \"after\" {{ depends_on = [store.a] }}\n"
    ))
}

#[test]
fn conditions_of_a_type_and_of_its_implementation_are_decided_before_what_needs_them() {
    for (size, wanted, code) in [
        ("0", "A store has room.", "stratiform::component::validation"),
        ("11", "at most 10, and 11 are asked for", "stratiform::component::fits_no_more"),
    ] {
        let stack = sized(size);
        let plan = stack.ok(&["plan"]);
        assert!(unbroken(&plan).contains(&unbroken("store.a: A store has room.")), "{plan}");
        let ran = stack.run(&["apply", "-auto-approve"]);
        assert_eq!(ran.code, Some(1), "{}\n{}", ran.out, ran.err);
        assert!(ran.err.contains(code), "{}", ran.err);
        assert!(unbroken(&ran.err).contains(&unbroken(wanted)), "{}", ran.err);
        assert_eq!(ran.err.matches(code).count(), 1, "{}", ran.err);
        let list = stack.ok(&["state", "list"]);
        assert!(list.contains("terraform_data.size"), "{list}");
        assert!(!list.contains("store.a.terraform_data.this"), "{list}");
        assert!(!list.contains("terraform_data.after"), "{list}");
    }
}

#[test]
fn what_holds_is_made_and_nothing_is_said() {
    let stack = sized("7");
    let ran = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    assert!(!ran.err.contains("undecided"), "{}", ran.err);
    let again = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{}\n{}", again.out, again.err);
}

#[test]
fn every_instance_is_decided_by_its_own_value() {
    let stack = stack(
        "resource \"terraform_data\" \"size\" {\n  for_each = { small = 1, large = 50 }\n  input = each.value\n}\nstore \"a\" {\n  for_each = toset([\"small\", \"large\"])\n  size = terraform_data.size[each.key].output\n}\n",
    );
    let ran = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.out, ran.err);
    assert!(
        unbroken(&ran.err).contains(&unbroken("`store.a[\"large\"]` does not fit")),
        "{}",
        ran.err
    );
    let list = stack.ok(&["state", "list"]);
    assert!(list.contains("store.a[\"small\"].terraform_data.this"), "{list}");
    assert!(!list.contains("store.a[\"large\"].terraform_data.this"), "{list}");
}

#[test]
fn a_plan_file_decides_them_too() {
    let stack = sized("0");
    stack.ok(&["plan", "-out=p"]);
    let error = stack.fails(&["apply", "p"]);
    assert!(error.contains("stratiform::component::validation"), "{error}");
}

/// C-11 and C-14 look at the workload of a step and at the accelerators of its cluster. Sixteen ways to split a model
/// with 30 heads, which do not divide it.
const TRAINING: &str = r#"stack {
  placement { backends = ["local"] }
}
resource "terraform_data" "heads" { input = HEADS }
cluster "c" {}
pipeline "p" {
  cluster = cluster.c
  step "train" {
    command  = ["true"]
    workload = { params_billion = 0.001, layers = 4, hidden = 64, heads = terraform_data.heads.output, tensor_parallel = 4, sequence_tokens = 16 }
  }
}
"#;

#[test]
fn rules_on_components_are_decided_before_their_objects() {
    let stack = Stack::new(&[("main.tf", &TRAINING.replace("HEADS", "30"))]);
    let plan = stack.ok(&["plan"]);
    assert!(unbroken(&plan).contains(&unbroken("pipeline.p: C-14")), "{plan}");
    let ran = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.out, ran.err);
    assert!(ran.err.contains("stratiform::check::C-14"), "{}", ran.err);
    assert!(ran.err.contains("main.tf"), "{}", ran.err);
    let list = stack.ok(&["state", "list"]);
    assert!(!list.contains("pipeline.p"), "{list}");
    stack.ok(&["destroy", "-auto-approve"]);

    let stack = Stack::new(&[("main.tf", &TRAINING.replace("HEADS", "32"))]);
    let ran = stack.run(&["apply", "-auto-approve"]);
    assert!(!ran.err.contains("C-14"), "{}", ran.err);
    stack.ok(&["destroy", "-auto-approve"]);
}
