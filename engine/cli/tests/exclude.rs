//! `-exclude`: what is named stays as it is, and with it what cannot be changed without it.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;

const MAIN: &str = r#"
resource "terraform_data" "a" {
  input = 1
}
resource "terraform_data" "b" {
  input = terraform_data.a.output
}
resource "terraform_data" "c" {
  count = 2
  input = terraform_data.b.output
}
resource "terraform_data" "d" {
  input = terraform_data.c[1].output
}
resource "terraform_data" "z" {
  input = 1
}
module "m" {
  source   = "./m"
  for_each = toset(["p", "q"])
  in       = terraform_data.z.output
}
output "a" {
  value = terraform_data.a.output
}
output "d" {
  value = terraform_data.d.output
}
"#;

const INNER: &str = "variable \"in\" {}\nresource \"terraform_data\" \"x\" {\n  input = var.in\n}\nresource \"terraform_data\" \"y\" {\n  input = terraform_data.x.output\n}\n";

fn stack() -> Stack {
    Stack::new(&[("main.tf", MAIN), ("m/main.tf", INNER)])
}

/// What a plan does, without the words around it.
fn changed(stack: &Stack, args: &[&str]) -> Vec<String> {
    let ran = stack.run(args);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("limited by `-target` or `-exclude`"), "{}", ran.err);
    let lines = ran.out.lines().filter_map(|line| line.strip_prefix("  # "));
    lines
        .filter_map(|line| Some(line.split_once(" will be ")?.0.replace("terraform_data.", "")))
        .collect()
}

#[test]
fn what_is_named_and_what_is_made_from_it_is_left_alone() {
    let stack = stack();
    let table: [(&[&str], &[&str]); 5] = [
        (&["-exclude=terraform_data.b", "-exclude=module.m"], &["a", "z"]),
        (&["-exclude=terraform_data.c[0]", "-exclude=terraform_data.z"], &["a", "b", "c[1]"]),
        (
            &["-exclude=terraform_data.a"],
            &[
                "z",
                "module.m[\"p\"].x",
                "module.m[\"p\"].y",
                "module.m[\"q\"].x",
                "module.m[\"q\"].y",
            ],
        ),
        (
            &["-exclude=terraform_data.a", "-exclude=module.m[\"p\"]"],
            &["z", "module.m[\"q\"].x", "module.m[\"q\"].y"],
        ),
        (
            &["-exclude=terraform_data.a", "-exclude=module.m[\"p\"].terraform_data.x"],
            &["z", "module.m[\"q\"].x"],
        ),
    ];
    for (excludes, wanted) in table {
        assert_eq!(changed(&stack, &[&["plan"], excludes].concat()), wanted, "{excludes:?}");
    }
    stack.ok(&["apply", "-auto-approve", "-exclude=terraform_data.c"]);
    let state = stack.ok(&["state", "list"]);
    assert!(state.contains("terraform_data.b\n") && !state.contains("terraform_data.c"), "{state}");
    assert!(!stack.ok(&["output"]).contains("d ="));
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0));
}

#[test]
fn what_stays_keeps_what_it_was_made_from() {
    let stack = stack();
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(
        changed(&stack, &["plan", "-destroy", "-exclude=terraform_data.b", "-exclude=module.m"]),
        ["c[0]", "c[1]", "d"]
    );
    // The same where the blocks are gone.
    stack.write("main.tf", "resource \"terraform_data\" \"new\" {}\n");
    assert_eq!(
        changed(&stack, &["plan", "-exclude=terraform_data.b", "-exclude=module.m"]),
        ["c[0]", "c[1]", "d", "new"]
    );
    stack.ok(&["apply", "-auto-approve", "-exclude=terraform_data.b", "-exclude=module.m"]);
    let state = stack.ok(&["state", "list"]);
    assert!(
        state.contains("terraform_data.a\n") && state.contains("terraform_data.z\n"),
        "{state}"
    );
    stack.ok(&["destroy", "-auto-approve"]);
    assert_eq!(stack.ok(&["state", "list"]), "");
}

#[test]
fn it_goes_with_no_target_and_takes_addresses_alone() {
    let stack = stack();
    let both = stack.fails(&["plan", "-exclude=terraform_data.a", "-target=terraform_data.b"]);
    assert!(both.contains("cannot be used with"), "{both}");
    let wrong = stack.fails(&["plan", "-exclude=terraform_data"]);
    assert!(wrong.contains("is not an address"), "{wrong}");
}
