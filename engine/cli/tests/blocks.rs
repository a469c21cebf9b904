//! Blocks that do something around resources: ephemeral ones, checks, imports, removals, provisioners.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;

const SIM: &str = r#"
terraform {
  required_providers {
    sim = { source = "stratiform/sim" }
  }
}
provider "sim" {
  world = "w"
}
"#;

fn stack(text: &str) -> Stack {
    Stack::new(&[("main.tf", &format!("{SIM}{text}"))])
}

/// The calls that the simulated backend got, without ids.
fn calls(stack: &Stack) -> Vec<String> {
    let text = std::fs::read_to_string(stack.dir().join("w/calls.log")).unwrap_or_default();
    let words = |line: &str| line.split(" n-").next().unwrap_or_default().to_owned();
    text.lines().map(words).collect()
}

#[test]
fn ephemeral_objects_are_opened_for_their_users_and_closed() {
    let stack = stack(
        r#"
ephemeral "sim_lease" "key" {
  name = "key"
}
locals {
  token = ephemeral.sim_lease.key.token
}
resource "sim_node" "a" {
  name      = "a"
  secret_wo = local.token
}
"#,
    );
    stack.ok(&["plan"]);
    assert_eq!(calls(&stack), ["open key", "close key"]);
    let out = stack.ok(&["apply", "-auto-approve"]);
    let expected = [
        "open key",
        "close key",
        "open key",
        "close key",
        "open key",
        "create a",
        "write-only a 12 bytes",
        "close key",
    ];
    assert_eq!(calls(&stack), expected);
    let state = stack.ok(&["state", "pull"]);
    for text in [&out, &state] {
        assert!(!text.contains("token-of-key"), "the secret is shown or stored:\n{text}");
    }
    assert!(
        state.contains("\"secret_wo\": null") || state.contains("\"secret_wo\":null"),
        "{state}"
    );
    assert!(!state.contains("sim_lease"), "ephemeral objects are not stored: {state}");
}

#[test]
fn ephemeral_objects_are_renewed_while_they_are_used() {
    let stack = Stack::new(&[(
        "main.tf",
        &format!(
            "{}{}",
            SIM.replace("world = \"w\"", "world = \"w\"\n  delay_ms = 400"),
            r#"
ephemeral "sim_lease" "key" {
  name   = "key"
  ttl_ms = 100
}
resource "sim_node" "a" {
  name      = "a"
  secret_wo = ephemeral.sim_lease.key.token
}
"#
        ),
    )]);
    stack.ok(&["apply", "-auto-approve"]);
    let calls = calls(&stack);
    assert!(calls.iter().any(|call| call == "renew key"), "{calls:?}");
    assert_eq!(calls.last().map(String::as_str), Some("close key"));
}

#[test]
fn ephemeral_objects_are_closed_after_their_last_user() {
    let stack = stack(
        r#"
ephemeral "sim_lease" "one" {
  name = "one"
}
module "m" {
  source = "./m"
  token  = ephemeral.sim_lease.one.token
}
resource "sim_node" "b" {
  name       = "b"
  depends_on = [module.m]
}
ephemeral "sim_lease" "two" {
  name       = "two"
  depends_on = [sim_node.b]
}
resource "sim_node" "c" {
  name      = "c"
  secret_wo = ephemeral.sim_lease.two.token
}
"#,
    );
    stack.write(
        "m/main.tf",
        r#"
terraform {
  required_providers {
    sim = { source = "stratiform/sim" }
  }
}
variable "token" {
  ephemeral = true
}
resource "sim_node" "a" {
  name      = "a"
  secret_wo = var.token
}
"#,
    );
    stack.ok(&["apply", "-auto-approve"]);
    let all = calls(&stack);
    let applied = &all[all.iter().position(|call| call == "create a").expect("it is made") - 1..];
    let expected = [
        "open one",
        "create a",
        "write-only a 12 bytes",
        "close one",
        "create b",
        "open two",
        "create c",
        "write-only c 12 bytes",
        "close two",
    ];
    assert_eq!(applied, expected);
    stack.ok(&["plan"]);
    assert_eq!(calls(&stack)[all.len()..], ["open one", "close one", "open two", "close two"]);
}

#[test]
fn ephemeral_objects_of_a_provider_stay_open_until_the_end() {
    let stack = Stack::new(&[(
        "main.tf",
        r#"
terraform {
  required_providers {
    sim = { source = "stratiform/sim" }
  }
}
provider "sim" {
  alias = "first"
  world = "w"
}
ephemeral "sim_lease" "one" {
  provider = sim.first
  name     = "one"
}
provider "sim" {
  world = ephemeral.sim_lease.one.token == "" ? "v" : "w"
}
resource "sim_node" "a" {
  name = "a"
}
resource "sim_node" "b" {
  name = sim_node.a.name == "a" ? "b" : "c"
}
"#,
    )]);
    stack.ok(&["apply", "-auto-approve"]);
    let all = calls(&stack);
    assert_eq!(all, ["open one", "close one", "open one", "create a", "create b", "close one"]);
}

#[test]
fn ephemeral_values_cannot_be_stored() {
    let stack = stack(
        r#"
ephemeral "sim_lease" "key" {
  name = "key"
}
resource "sim_node" "a" {
  name = ephemeral.sim_lease.key.token
}
"#,
    );
    let err = stack.fails(&["plan"]);
    assert!(err.contains("is ephemeral, but the attribute is stored"), "{err}");
}

#[test]
fn a_lease_that_is_refused_fails_the_plan_and_leaves_nothing_open() {
    let stack = stack(
        r#"
ephemeral "sim_lease" "good" {
  name = "good"
}
ephemeral "sim_lease" "bad" {
  name = "refused"
}
resource "sim_node" "a" {
  name      = "a"
  secret_wo = "${ephemeral.sim_lease.good.token}${ephemeral.sim_lease.bad.token}"
}
"#,
    );
    let err = stack.fails(&["plan"]);
    assert!(err.contains("the lease is refused"), "{err}");
    assert_eq!(calls(&stack), ["open good", "close good"]);
}

#[test]
fn an_ephemeral_object_that_needs_a_resource_is_opened_after_it() {
    let stack = stack(
        r#"
resource "sim_node" "a" {
  name = "a"
}
ephemeral "sim_lease" "key" {
  name = sim_node.a.id
}
resource "sim_node" "b" {
  name      = "b"
  secret_wo = ephemeral.sim_lease.key.token
}
"#,
    );
    stack.ok(&["apply", "-auto-approve"]);
    let kinds: Vec<String> = calls(&stack)
        .iter()
        .map(|call| call.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(kinds, ["create", "open", "create", "write-only", "close"]);
}

#[test]
fn a_check_looks_with_its_own_data_source_and_only_warns() {
    let stack = stack(
        r#"
resource "sim_node" "a" {
  name = "a"
  size = 1
}
check "size" {
  data "sim_lookup" "a" {
    name       = "a"
    depends_on = [sim_node.a]
  }
  assert {
    condition     = data.sim_lookup.a.size == 2
    error_message = "the size is ${data.sim_lookup.a.size}"
  }
}
check "nobody" {
  data "sim_lookup" "nobody" {
    name = "nobody"
  }
  assert {
    condition     = data.sim_lookup.nobody.size == 2
    error_message = "there is nobody"
  }
}
"#,
    );
    let ran = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let text = format!("{}{}", ran.out, ran.err);
    assert!(text.contains("the size is 1"), "{text}");
    assert!(
        text.contains("nothing is called `nobody`") || text.contains("no such object"),
        "{text}"
    );
    let err = stack.run(&["plan"]);
    assert_eq!(err.code, Some(0), "{}", err.err);
    assert!(err.err.contains("the size is 1"), "{}", err.err);
}

#[test]
fn the_data_source_of_a_check_is_hidden_from_everybody_else() {
    let stack = stack(
        r#"
check "c" {
  data "sim_lookup" "a" {
    name = "a"
  }
  assert {
    condition     = data.sim_lookup.a.size == 2
    error_message = "no"
  }
}
output "x" {
  value = data.sim_lookup.a.id
}
"#,
    );
    let err = stack.fails(&["plan"]);
    assert!(err.contains("belongs to check `c`"), "{err}");
}

#[test]
fn imports_take_keys_and_ids_from_expressions() {
    let stack = Stack::new(&[
        (
            "main.tf",
            r#"
locals {
  prefix = "id"
}
module "m" {
  source   = "./m"
  for_each = toset(["x", "y"])
}
import {
  for_each = { x = 1, y = 2 }
  to       = module.m[each.key].terraform_data.a[each.value]
  id       = "${local.prefix}-${each.key}"
}
"#,
        ),
        ("m/main.tf", "resource \"terraform_data\" \"a\" {\n  count = 3\n}\n"),
    ]);
    let out = stack.ok(&["apply", "-auto-approve"]);
    assert!(out.contains("2 imported"), "{out}");
    let shown = stack.ok(&["state", "show", "module.m[\"y\"].terraform_data.a[2]"]);
    assert!(shown.contains("id-y"), "{shown}");
}

const PROVISIONED: &str = r#"
variable "code" {
  default = 0
}
resource "terraform_data" "a" {
  input            = "x"
  triggers_replace = var.code
  provisioner "local-exec" {
    command     = "echo made $NAME ${self.input} >> log; exit ${var.code}"
    environment = { NAME = "it" }
  }
  provisioner "local-exec" {
    when    = destroy
    command = "echo gone ${self.output} >> log"
  }
}
"#;

fn log(stack: &Stack) -> String {
    std::fs::read_to_string(stack.dir().join("log")).unwrap_or_default()
}

#[test]
fn commands_run_after_creation_and_before_destruction() {
    let stack = Stack::new(&[("main.tf", PROVISIONED)]);
    let out = stack.ok(&["apply", "-auto-approve"]);
    assert!(out.contains("(local-exec): Executing:"), "{out}");
    assert_eq!(log(&stack), "made it x\n");
    assert!(stack.ok(&["plan"]).contains("No changes"), "a whole object is not replaced");
    stack.ok(&["destroy", "-auto-approve"]);
    assert_eq!(log(&stack), "made it x\ngone x\n");
}

#[test]
fn an_object_whose_command_fails_counts_as_half_made() {
    let stack = Stack::new(&[("main.tf", PROVISIONED)]);
    let err = stack.fails(&["apply", "-auto-approve", "-var=code=3"]);
    assert!(err.contains("exit code 3"), "{err}");
    let out = stack.ok(&["apply", "-auto-approve", "-var=code=0"]);
    assert!(out.contains("1 added") && out.contains("1 destroyed"), "{out}");
    assert_eq!(log(&stack), "made it x\nmade it x\n", "a half-made object says no farewell");
}

#[test]
fn many_objects_are_whole_however_quick_their_commands_are() {
    let stack = stack(
        r#"
resource "sim_node" "a" {
  count = 80
  name  = "n${count.index}"
  provisioner "local-exec" {
    command = "true"
  }
}
"#,
    );
    stack.ok(&["apply", "-auto-approve", "-parallelism=80"]);
    let plan = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "none is tainted\n{}", plan.out);
}

#[test]
fn a_command_that_may_fail_only_warns() {
    let text = PROVISIONED.replace("environment =", "on_failure  = continue\n    environment =");
    let stack = Stack::new(&[("main.tf", &text)]);
    let ran = stack.run(&["apply", "-auto-approve", "-var=code=3"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(format!("{}{}", ran.out, ran.err).contains("exit code 3"), "{}{}", ran.out, ran.err);
}

#[test]
fn the_output_of_a_command_with_secrets_is_kept_back() {
    let stack = Stack::new(&[(
        "main.tf",
        r#"
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "echo ${var.secret} | tee copy"
  }
}
"#,
    )]);
    let ran = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!format!("{}{}", ran.out, ran.err).contains("hunter2"), "{}{}", ran.out, ran.err);
    let copy = std::fs::read_to_string(stack.dir().join("copy")).unwrap_or_default();
    assert_eq!(copy, "hunter2\n", "the command got it");
}

#[test]
fn removed_blocks_forget_or_say_farewell() {
    let stack = Stack::new(&[(
        "main.tf",
        "resource \"terraform_data\" \"a\" {\n  input = 1\n}\nresource \"terraform_data\" \"b\" {}\n",
    )]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write(
        "main.tf",
        r#"
removed {
  from = terraform_data.a
  lifecycle {
    destroy = true
  }
  provisioner "local-exec" {
    when    = destroy
    command = "echo gone ${self.input} >> log"
  }
}
removed {
  from = terraform_data.b
  lifecycle {
    destroy = false
  }
}
"#,
    );
    let out = stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(log(&stack), "gone 1\n");
    assert!(out.contains("1 destroyed"), "{out}");
    assert_eq!(stack.ok(&["state", "list"]).trim(), "");
}

#[test]
fn a_protected_object_is_kept_even_if_its_key_goes() {
    let text = |count: u32| {
        format!(
            "resource \"terraform_data\" \"a\" {{\n  count = {count}\n  lifecycle {{\n    prevent_destroy = true\n  }}\n}}\n"
        )
    };
    let stack = Stack::new(&[("main.tf", &text(2))]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write("main.tf", &text(1));
    let err = stack.fails(&["plan"]);
    assert!(err.contains("`terraform_data.a[1]` would be destroyed"), "{err}");
}

#[test]
fn a_failed_condition_shows_the_values_in_it_but_no_secret() {
    let stack = Stack::new(&[(
        "main.tf",
        r#"
variable "size" {
  default = 3
}
variable "secret" {
  default   = 4
  sensitive = true
}
output "x" {
  value = 1
  precondition {
    condition     = var.size + var.secret == 2
    error_message = "no"
  }
}
"#,
    )]);
    let err = stack.fails(&["plan"]);
    assert!(err.contains("`var.size` is 3"), "{err}");
    assert!(!err.contains("`var.secret` is"), "{err}");
}

#[test]
fn functions_of_providers_are_called_where_they_are_declared() {
    let stack = Stack::new(&[(
        "main.tf",
        r#"
terraform {
  required_providers {
    terraform = { source = "terraform.io/builtin/terraform" }
  }
}
locals {
  text = provider::terraform::encode_expr({ long = 1, a = "x$${y}", n = [null, { b = true }] })
}
output "text" {
  value = local.text
}
output "again" {
  value = provider::terraform::decode_tfvars("v = ${local.text}") .v.n[1].b
}
"#,
    )]);
    stack.ok(&["apply", "-auto-approve"]);
    let text = stack.ok(&["output", "-raw", "text"]);
    let expected = "{\n  a    = \"x$${y}\"\n  long = 1\n  n = [null, {\n    b = true\n  }]\n}";
    assert_eq!(text.trim_end(), expected);
    assert_eq!(stack.ok(&["output", "again"]).trim(), "true");
}
