//! What stands in a state beside objects: outputs that other stacks read, and what data sources have given.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;
use serde_json::{Value as Json, json};

const NETWORK: &str = r#"
resource "terraform_data" "subnet" {
  input = { ids = ["a", "b"], n = 12345678901234567890.5 }
}
output "subnet" {
  value = terraform_data.subnet.output
}
output "token" {
  value     = "canary-5b1d"
  sensitive = true
}
"#;

const APP: &str = r#"
data "terraform_remote_state" "network" {
  backend = "local"
  config = {
    path = "network/terraform.tfstate"
  }
  defaults = {
    subnet = "not this one"
    zone   = "z1"
  }
}
resource "terraform_data" "app" {
  input = data.terraform_remote_state.network.outputs.subnet.ids[1]
}
output "n" {
  value = data.terraform_remote_state.network.outputs.subnet.n
}
output "zone" {
  value = data.terraform_remote_state.network.outputs.zone
}
"#;

fn outputs(stack: &Stack) -> Json {
    let all: Json = serde_json::from_str(&stack.ok(&["output", "-json"])).expect("JSON");
    json!({ "n": all["n"]["value"].to_string(), "zone": all["zone"]["value"] })
}

#[test]
fn outputs_of_another_stack_are_read_from_its_store() {
    let stack = Stack::new(&[("network/main.tf", NETWORK), ("main.tf", APP)]);
    let missing = stack.fails(&["plan"]);
    assert!(missing.contains("has that stack been applied?"), "{missing}");
    stack.ok(&["-chdir=network", "apply", "-auto-approve"]);
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(outputs(&stack), json!({ "n": "12345678901234567890.5", "zone": "z1" }));
    assert_eq!(
        stack.ok(&["state", "list"]),
        "data.terraform_remote_state.network\nterraform_data.app\n"
    );
    // Nothing is new, so nothing is written.
    let serial = |stack: &Stack| -> Json {
        let state: Json = serde_json::from_str(&stack.ok(&["state", "pull"])).expect("a state");
        state["serial"].clone()
    };
    let before = serial(&stack);
    assert!(stack.ok(&["apply", "-auto-approve"]).contains("No changes"));
    assert_eq!(serial(&stack), before);
    // The other stack changes: the recorded object follows, and so does what is made from it.
    stack.write("network/main.tf", &NETWORK.replace("\"b\"]", "\"c\"]"));
    stack.ok(&["-chdir=network", "apply", "-auto-approve"]);
    let plan = stack.ok(&["plan"]);
    assert!(plan.contains("\"b\" -> \"c\""), "{plan}");
    stack.ok(&["apply", "-auto-approve"]);
    assert!(serial(&stack).as_u64() > before.as_u64());
    let shown = stack.ok(&["state", "show", "data.terraform_remote_state.network"]);
    assert!(shown.contains("\"c\""), "{shown}");
    stack.ok(&["destroy", "-auto-approve"]);
    assert_eq!(stack.ok(&["state", "list"]), "");
}

#[test]
fn a_state_file_of_terraform_is_read_too_and_other_storage_is_refused() {
    let state = |version: u64| {
        format!(
            r#"{{ "version": {version}, "serial": 3, "lineage": "x", "resources": [], "outputs": {{
                "subnet": {{ "type": ["object", {{ "ids": ["tuple", ["string", "string"]], "n": "number" }}],
                             "value": {{ "ids": ["a", "b"], "n": 12345678901234567890.5 }} }} }} }}"#
        )
    };
    let stack = Stack::new(&[("main.tf", APP), ("network/terraform.tfstate", &state(4))]);
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(outputs(&stack), json!({ "n": "12345678901234567890.5", "zone": "z1" }));
    stack.write("network/terraform.tfstate", &state(3));
    let old = stack.fails(&["plan"]);
    assert!(old.contains("it has version 3, and only version 4 is read"), "{old}");
    for (kind, said) in [("s3", "`s3` cannot be read yet"), ("locl", "no backend type `locl`")] {
        stack.write("main.tf", &APP.replace("\"local\"", &format!("\"{kind}\"")));
        let refused = stack.fails(&["validate"]);
        assert!(refused.contains(said), "{refused}");
    }
    stack.write("main.tf", &APP.replace("path = ", "paht = "));
    let misspelt = stack.fails(&["validate"]);
    assert!(misspelt.contains("no setting `paht`"), "{misspelt}");
}

#[test]
fn data_of_blocks_that_are_gone_is_forgotten_and_of_those_left_out_kept() {
    let stack = Stack::new(&[("network/main.tf", NETWORK), ("main.tf", APP)]);
    stack.ok(&["-chdir=network", "apply", "-auto-approve"]);
    stack.write("other.tf", "resource \"terraform_data\" \"other\" {\n  input = 1\n}\n");
    stack.ok(&["apply", "-auto-approve"]);
    stack.ok(&[
        "apply",
        "-auto-approve",
        "-target=terraform_data.other",
        "-replace=terraform_data.other",
    ]);
    assert!(stack.ok(&["state", "list"]).starts_with("data.terraform_remote_state.network\n"));
    stack.ok(&["state", "rm", "data.terraform_remote_state.network"]);
    assert!(!stack.ok(&["state", "list"]).contains("data.terraform_remote_state"));
    stack.ok(&["apply", "-auto-approve"]);
    assert!(stack.ok(&["state", "list"]).contains("data.terraform_remote_state"));
    stack.write("main.tf", "");
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.ok(&["state", "list"]), "terraform_data.other\n");
}

#[test]
fn an_encrypted_store_is_read_with_its_key() {
    let stack = Stack::new(&[("network/main.tf", NETWORK), ("main.tf", APP)]);
    let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let with_key = |args: &[&str]| {
        let mut command = stack.command(args);
        common::ran(command.env("STRATIFORM_STATE_KEY", key).output().expect("the binary runs"))
    };
    assert_eq!(with_key(&["-chdir=network", "apply", "-auto-approve"]).code, Some(0));
    let without = stack.fails(&["plan"]);
    assert!(without.contains("the store in"), "{without}");
    let ran = with_key(&["plan"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}
