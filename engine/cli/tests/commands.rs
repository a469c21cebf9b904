//! Whole commands on small folders of HCL.
#![allow(missing_docs, reason = "a test binary")]

mod common;

use common::Stack;

const COUNTED: &str = r#"
variable "n" {
  type    = number
  default = 3
}
resource "terraform_data" "a" {
  count = var.n
  input = "v${count.index}"
}
resource "terraform_data" "b" {
  for_each = toset(["x", "y"])
  input    = { key = each.key, first = terraform_data.a[0].output }
}
output "all" {
  value = terraform_data.a[*].output
}
"#;

#[test]
fn apply_then_plan_has_nothing_to_do() {
    let stack = Stack::new(&[("main.tf", COUNTED)]);
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(2));
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0));
    assert_eq!(stack.ok(&["output", "-json", "all"]).trim(), r#"["v0","v1","v2"]"#);
}

#[test]
fn fewer_instances_destroy_the_last_and_update_what_reads_them() {
    let stack = Stack::new(&[("main.tf", COUNTED)]);
    stack.ok(&["apply", "-auto-approve"]);
    let out = stack.ok(&["apply", "-auto-approve", "-var", "n=1"]);
    assert!(out.contains("0 added, 0 changed, 2 destroyed"), "{out}");
    assert!(!stack.ok(&["state", "list"]).contains("a[1]"));
}

#[test]
fn equal_inputs_give_equal_plans() {
    let stack = Stack::new(&[("main.tf", COUNTED)]);
    let plan = |parallelism: &str| {
        stack.ok(&["plan", "-out=p", &format!("-parallelism={parallelism}")]);
        let mut document: serde_json::Value =
            serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
        document.as_object_mut().expect("an object").remove("timestamp");
        (document.to_string(), stack.ok(&["show", "p"]))
    };
    let first = plan("1");
    for parallelism in ["1", "3", "50"] {
        assert_eq!(plan(parallelism), first);
    }
}

#[test]
fn a_saved_plan_is_applied_once() {
    let stack = Stack::new(&[("main.tf", COUNTED)]);
    stack.ok(&["plan", "-out=p"]);
    assert!(stack.ok(&["show", "p"]).contains("Plan: 5 to add"));
    assert!(stack.ok(&["show", "-json", "p"]).contains("\"resource_changes\""));
    stack.ok(&["apply", "p"]);
    assert!(stack.fails(&["apply", "p"]).contains("was carried out already, by operation 1"));
    stack.write("q", "no plan");
    assert!(stack.fails(&["apply", "q"]).contains("not a plan file"));
}

#[test]
fn targets_leave_everything_else_alone() {
    let stack = Stack::new(&[("main.tf", COUNTED)]);
    stack.ok(&["apply", "-auto-approve", "-target=terraform_data.a[1]"]);
    assert_eq!(stack.ok(&["state", "list"]).trim(), "terraform_data.a[1]");
}

#[test]
fn replace_makes_a_new_object() {
    let stack = Stack::new(&[("main.tf", COUNTED)]);
    stack.ok(&["apply", "-auto-approve"]);
    let out = stack.ok(&["apply", "-auto-approve", "-replace=terraform_data.a[1]"]);
    assert!(out.contains("1 added, 0 changed, 1 destroyed"), "{out}");
}

#[test]
fn moved_objects_keep_their_identity() {
    let stack = Stack::new(&[("main.tf", "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n")]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write(
        "main.tf",
        "resource \"terraform_data\" \"b\" {\n  input = 1\n}\nmoved {\n  from = terraform_data.a\n  to   = terraform_data.b\n}\n",
    );
    let out = stack.ok(&["apply", "-auto-approve"]);
    assert!(out.contains("0 added, 0 changed, 0 destroyed"), "{out}");
    assert_eq!(stack.ok(&["state", "list"]).trim(), "terraform_data.b");
}

#[test]
fn removed_blocks_can_let_an_object_live() {
    let stack = Stack::new(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write(
        "main.tf",
        "removed {\n  from = terraform_data.a\n  lifecycle {\n    destroy = false\n  }\n}\n",
    );
    let out = stack.ok(&["apply", "-auto-approve"]);
    assert!(out.contains("1 forgotten"), "{out}");
}

#[test]
fn create_before_destroy_spreads_to_what_it_is_made_from() {
    let main = |trigger: &str| {
        format!(
            "resource \"terraform_data\" \"base\" {{\n  triggers_replace = \"{trigger}\"\n}}\n\
             resource \"terraform_data\" \"top\" {{\n  triggers_replace = terraform_data.base.id\n  lifecycle {{\n    create_before_destroy = true\n  }}\n}}\n"
        )
    };
    let stack = Stack::new(&[("main.tf", &main("1"))]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write("main.tf", &main("2"));
    let out = stack.ok(&["apply", "-auto-approve"]);
    let at = |text: &str| out.find(text).unwrap_or_else(|| panic!("`{text}` is in\n{out}"));
    assert!(
        at("terraform_data.top: Creation complete")
            < at("terraform_data.top: Destruction complete")
    );
    assert!(
        at("terraform_data.top: Destruction complete")
            < at("terraform_data.base: Destruction complete")
    );
    assert_eq!(
        stack.run(&["plan", "-detailed-exitcode"]).code,
        Some(0),
        "no deposed object is left"
    );
}

#[test]
fn sensitive_values_are_shown_nowhere() {
    let main = "variable \"key\" {\n  sensitive = true\n}\nresource \"terraform_data\" \"a\" {\n  input = var.key\n}\noutput \"key\" {\n  value     = var.key\n  sensitive = true\n}\n";
    let stack = Stack::new(&[("main.tf", main)]);
    let var = "key=hunter2-secret";
    let mut shown = stack.ok(&["plan", "-var", var, "-out=p"]);
    shown += &std::fs::read_to_string(stack.dir().join("p")).expect("the plan file");
    shown += &stack.ok(&["apply", "-auto-approve", "-var", var]);
    for command in [
        &["show"][..],
        &["show", "-json"],
        &["output"],
        &["state", "show", "terraform_data.a"],
        &["history"],
    ] {
        shown += &stack.ok(command);
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn an_encrypted_state_holds_no_plain_value() {
    let stack = Stack::new(&[(
        "main.tf",
        "resource \"terraform_data\" \"a\" {\n  input = \"find-me-if-you-can\"\n}\n",
    )]);
    let key = "ab".repeat(32);
    let applied =
        stack.command(&["apply", "-auto-approve"]).env("STRATIFORM_STATE_KEY", &key).output();
    assert!(applied.expect("the binary runs").status.success());
    let database =
        std::fs::read(stack.dir().join(".stratiform/state/default/db/db")).expect("the database");
    assert!(!database.windows(19).any(|part| part == b"find-me-if-you-can\"".as_slice()));
    assert!(stack.fails(&["state", "list"]).contains("no key is given"));
}

#[test]
fn conditions_and_protection_end_in_errors() {
    let cases = [
        (
            "precondition",
            "resource \"terraform_data\" \"a\" {\n  lifecycle {\n    precondition {\n      condition     = path.module == \"x\"\n      error_message = \"never\"\n    }\n  }\n}\n",
            "precondition of `terraform_data.a` does not hold: never",
        ),
        (
            "validation",
            "variable \"x\" {\n  default = 1\n  validation {\n    condition     = var.x > 1\n    error_message = \"too small\"\n  }\n}\n",
            "too small",
        ),
        (
            "cycle",
            "resource \"terraform_data\" \"a\" {\n  input = terraform_data.b.id\n}\nresource \"terraform_data\" \"b\" {\n  input = terraform_data.a.id\n}\n",
            "wait for each other",
        ),
        ("unknown function", "output \"x\" {\n  value = uper(\"a\")\n}\n", "did you mean `upper`"),
        ("unknown reference", "output \"x\" {\n  value = var.y\n}\n", "unknown variable `var.y`"),
        ("unknown block", "resorce \"a\" \"b\" {}\n", "did you mean `resource`"),
        (
            "unknown argument",
            "resource \"terraform_data\" \"a\" {\n  inptu = 1\n}\n",
            "did you mean `input`",
        ),
        ("missing variable", "variable \"must\" {}\n", "no value for required variable `must`"),
        ("duplicate", "variable \"a\" {}\nvariable \"a\" {}\n", "duplicate variable `a`"),
        (
            "unknown count",
            "resource \"terraform_data\" \"a\" {}\nresource \"terraform_data\" \"b\" {\n  count = terraform_data.a.id == \"x\" ? 1 : 2\n}\n",
            "known only after apply",
        ),
        ("syntax", "output \"x\" {\n  value = = 1\n}\n", "unexpected"),
        ("unclosed", "output \"x\" {\n  value = [1\n", "unclosed"),
    ];
    for (case, main, expected) in cases {
        let stack = Stack::new(&[("main.tf", main)]);
        let err = stack.fails(&["plan"]);
        assert!(err.contains(expected), "{case}: `{expected}` is in\n{err}");
    }
}

#[test]
fn all_independent_errors_come_at_once() {
    let main = "output \"a\" {\n  value = var.nope\n}\noutput \"b\" {\n  value = local.nope\n}\noutput \"c\" {\n  value = = 1\n}\n";
    let stack = Stack::new(&[("main.tf", main), ("other.tf", "output \"d\" {\n  value = ]\n}\n")]);
    let err = stack.fails(&["plan"]);
    assert!(err.contains("main.tf:8") && err.contains("other.tf:2"), "{err}");
}

#[test]
fn odd_bytes_are_errors_and_no_panics() {
    let deep =
        format!("output \"x\" {{\n  value = {}1{}\n}}\n", "[".repeat(5000), "]".repeat(5000));
    let long = format!("output \"x\" {{\n  value = \"{}\"\n}}\n", "a".repeat(1_000_000));
    let stack = Stack::new(&[("main.tf", &deep)]);
    assert!(stack.fails(&["validate"]).contains("levels deep"));
    stack.write("main.tf", &long);
    stack.ok(&["validate"]);
    stack.write("main.tf", "\u{feff}output \"x\" {\r\n  value = 1\r\n}\r\n");
    stack.ok(&["validate"]);
    std::fs::write(stack.dir().join("main.tf"), b"output \"x\" {\n value = \"\xff\"\n}\n")
        .expect("writable");
    assert!(stack.fails(&["validate"]).contains("not UTF-8"));
}

#[test]
fn json_configuration_means_the_same() {
    let main = r#"{"resource": {"terraform_data": {"a": {"count": 2, "input": "v${count.index}"}}}, "output": {"all": {"value": "${terraform_data.a[*].output}"}}}"#;
    let stack = Stack::new(&[("main.tf.json", main)]);
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.ok(&["output", "-json", "all"]).trim(), r#"["v0","v1"]"#);
}

#[test]
fn modules_with_keys_expand_and_shrink() {
    let main = |keys: &str| {
        format!(
            "module \"m\" {{\n  source   = \"./m\"\n  for_each = toset([{keys}])\n  x        = each.key\n}}\noutput \"ys\" {{\n  value = {{ for k, m in module.m : k => m.y }}\n}}\n"
        )
    };
    let inner = "variable \"x\" { type = string }\nresource \"terraform_data\" \"r\" {\n  input = var.x\n}\noutput \"y\" { value = terraform_data.r.output }\n";
    let stack = Stack::new(&[("main.tf", &main("\"a\", \"b\"")), ("m/main.tf", inner)]);
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.ok(&["output", "-json", "ys"]).trim(), r#"{"a":"a","b":"b"}"#);
    stack.write("main.tf", &main("\"b\""));
    let out = stack.ok(&["apply", "-auto-approve"]);
    assert!(out.contains("module.m[\"a\"].terraform_data.r: Destruction complete"), "{out}");
}

#[test]
fn a_failed_instance_stops_only_what_needs_it() {
    let main = r#"
terraform {
  required_providers {
    sim = { source = "stratiform/sim" }
  }
}
provider "sim" {
  world     = "w"
  fail      = ["bad"]
  fail_once = ["busy"]
}
resource "sim_node" "bad" { name = "bad" }
resource "sim_node" "after" {
  name   = "after"
  inputs = [sim_node.bad.id]
}
resource "sim_node" "busy" { name = "busy" }
resource "sim_node" "free" { name = "free" }
"#;
    let stack = Stack::new(&[("main.tf", main)]);
    let ran = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("2 added") && ran.out.contains("1 failed, 1 not reached"),
        "{}",
        ran.out
    );
    assert_eq!(stack.ok(&["state", "list"]).trim(), "sim_node.busy\nsim_node.free");
}

#[test]
fn a_lying_provider_costs_its_own_resource_an_error() {
    let main = "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\nprovider \"sim\" {\n  world = \"w\"\n  lie   = [\"liar\"]\n}\nresource \"sim_node\" \"liar\" { name = \"liar\" }\n";
    let stack = Stack::new(&[("main.tf", main)]);
    let err = stack.fails(&["apply", "-auto-approve"]);
    assert!(err.contains("invalid answer") && err.contains("`name`"), "{err}");
    assert!(
        stack.ok(&["plan"]).contains("its creation did not end well"),
        "the object is in doubt"
    );
}

#[test]
fn components_ask_for_more_than_there_is() {
    let stack = Stack::new(&[(
        "main.tf",
        "cluster \"big\" {\n  nodes               = 1000\n  memory_gib_per_node = 1000\n}\n",
    )]);
    let err = stack.fails(&["plan"]);
    assert!(err.contains("no place for `cluster.big`") && err.contains("too few"), "{err}");
}

#[test]
fn a_users_component_type_works_like_one_of_the_library() {
    let types = r#"
component_type "queue" {
  input "size" {
    type = number
    validation {
      condition     = input.size > 0
      error_message = "A queue needs room."
    }
  }
  output "id" {}
  implementation "local" {
    backend = "local"
    source  = "./queue"
  }
}
queue "jobs" {
  size = 3
}
output "id" {
  value = queue.jobs.id
}
"#;
    let inner = "variable \"size\" { type = number }\nresource \"terraform_data\" \"q\" {\n  input = var.size\n}\noutput \"id\" { value = terraform_data.q.id }\n";
    let stack = Stack::new(&[("main.tf", types), ("queue/main.tf", inner)]);
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.ok(&["state", "list"]).trim(), "queue.jobs.terraform_data.q");
    stack.write("main.tf", &types.replace("size = 3", "size = 0"));
    assert!(stack.fails(&["plan"]).contains("A queue needs room."));
}

#[test]
fn defaults_of_a_component_types_inputs_reach_its_implementation() {
    let types = r#"
component_type "queue" {
  input "lane" {
    type = map(object({ size = optional(number, 3), label = optional(string, "plain") }))
  }
  output "lanes" {}
  implementation "local" {
    backend = "local"
    source  = "./queue"
  }
}
queue "jobs" {
  lane "fast" { size = "9" }
  lane "slow" { label = "slow" }
}
output "lanes" {
  value = queue.jobs.lanes
}
"#;
    let inner = "variable \"lane\" { type = any }\noutput \"lanes\" {\n  value = { for name, lane in var.lane : name => \"${lane.label} ${lane.size + 1}\" }\n}\n";
    let stack = Stack::new(&[("main.tf", types), ("queue/main.tf", inner)]);
    stack.ok(&["apply", "-auto-approve"]);
    let lanes: serde_json::Value =
        serde_json::from_str(&stack.ok(&["output", "-json", "lanes"])).expect("JSON");
    assert_eq!(lanes, serde_json::json!({ "fast": "plain 10", "slow": "slow 4" }));
}

#[test]
fn the_gpu_example_plans_or_says_what_is_missing() {
    let stack = Stack::new(&[]);
    common::copy(&common::workspace().join("examples/local-gpu"), &stack.dir());
    let ran = stack.run(&["plan"]);
    let missing = ran.err.contains("needs 1 accelerators, but this-machine has 0: 1 too few");
    assert!(ran.code == Some(0) || missing, "{}\n{}", ran.out, ran.err);
    let other = stack.fails(&["plan", "-var", "accelerator=no-such-model"]);
    assert!(other.contains("needs 1 accelerators"), "{other}");
}

#[test]
fn elements_that_only_apply_knows_reach_instances_and_modules() {
    let main = r#"
resource "terraform_data" "disk" {
  for_each = toset(["a", "b"])
  input    = each.key
}
resource "terraform_data" "node" {
  for_each = terraform_data.disk
  input    = { disk = each.value.id, key = each.key }
}
resource "terraform_data" "labelled" {
  for_each = { for key, node in terraform_data.node : key => "${key}-${node.id}" }
  input    = each.value
}
module "m" {
  source   = "./m"
  for_each = terraform_data.node
  id       = each.value.output.disk
}
output "same" {
  value = alltrue([
    for key, node in terraform_data.node :
    node.output.disk == terraform_data.disk[key].id
    && terraform_data.labelled[key].output == "${key}-${node.id}"
    && module.m[key].id == node.output.disk
  ])
}
"#;
    let inner = "variable \"id\" {}\nresource \"terraform_data\" \"in\" {\n  input = var.id\n}\noutput \"id\" { value = terraform_data.in.output }\n";
    let stack = Stack::new(&[("main.tf", main), ("m/main.tf", inner)]);
    let applied = stack.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("8 added"), "{applied}");
    assert_eq!(stack.ok(&["output", "-json", "same"]).trim(), "true");
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0));
    stack.ok(&["apply", "-auto-approve", "-replace=terraform_data.disk[\"a\"]"]);
    assert_eq!(stack.ok(&["output", "-json", "same"]).trim(), "true");
    stack.ok(&["destroy", "-auto-approve"]);
}
