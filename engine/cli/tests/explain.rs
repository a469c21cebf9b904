//! `explain`: the cause of a change, what it waits for, and where values come from.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;
use serde_json::{Value as Json, json};

const HEAD: &str = "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\nprovider \"sim\" {\n  world = \"w\"\n}\n";

const BODY: &str = r#"variable "zone" {}
variable "size" {
  default = 1
}
variable "secret" {
  sensitive = true
  default   = "hush-hush"
}
locals {
  zone = "z-${var.zone}"
}
resource "sim_node" "a" {
  name   = "a"
  size   = var.size
  secret = var.secret
}
resource "sim_node" "b" {
  for_each = { k = module.m.out }
  name     = each.key
  zone     = local.zone
  inputs   = [sim_node.a.id, each.value]
}
resource "sim_node" "c" {
  count  = 2
  name   = "c${count.index}"
  inputs = [sim_node.b["k"].id]
  lifecycle {
    replace_triggered_by = [sim_node.a.size]
  }
}
module "m" {
  source = "./m"
  in     = local.zone
}
output "o" {
  value = sim_node.b["k"].zone
}
"#;

const MODULE: &str = "variable \"in\" {}\noutput \"out\" {\n  value = \"out of ${var.in}\"\n}\n";

/// Applied with zone one; the files say zone two.
fn stack() -> Stack {
    let stack = Stack::new(&[
        ("main.tf", HEAD),
        ("body.tf", BODY),
        ("m/main.tf", MODULE),
        ("terraform.tfvars", "zone = \"one\"\n"),
    ]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write("terraform.tfvars", "# Another one.\nzone = \"two\"\n");
    stack
}

fn has(text: &str, wanted: &[&str]) {
    for line in wanted {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn a_replacement_is_followed_to_the_line_of_its_cause() {
    let stack = stack();
    let text = stack.ok(&["explain", "sim_node.b[\"k\"]"]);
    has(
        &text,
        &[
            "sim_node.b[\"k\"] must be replaced\nbody.tf:17\n",
            "  `zone` cannot change in place\n",
            "  ~ zone: \"z-one\" -> \"z-two\"  # forces replacement  body.tf:20\n",
            "-> (known after apply)  no line sets it; the provider decides\n",
            "\nIt is made from\n  sim_node.a  stays as it is  body.tf:12\n",
            "\nMade from it\n  sim_node.c[0]  will change  body.tf:23\n",
            "  output.o  will change  body.tf:35\n",
            "  zone = \"z-two\"  body.tf:20\n    local.zone = \"z-two\"  local value, body.tf:10\n      var.zone = \"two\"  given by terraform.tfvars:2\n",
            "    each.value = \"out of z-two\"  of `for_each`, body.tf:18\n      module.m.out = \"out of z-two\"  output, m/main.tf:3\n        var.in = \"z-two\"  given by the call, body.tf:33\n",
            "    sim_node.a.id = \"n-",
            "  decided by the provider, body.tf:12\n",
        ],
    );
    // From a plan file, with the same chain.
    stack.ok(&["plan", "-out=p"]);
    stack.write("body.tf", "");
    let saved = stack.ok(&["explain", "-plan=p", "sim_node.b[\"k\"]"]);
    has(&saved, &["must be replaced", "body.tf:20", "given by the plan file `p`"]);
}

#[test]
fn what_waits_is_told_what_it_waits_for() {
    let stack = stack();
    let text = stack.ok(&["explain", "sim_node.c[1]", "-var=size=2"]);
    has(
        &text,
        &[
            "because of a change in replace_triggered_by",
            "  replace_triggered_by: sim_node.a.size  body.tf:28\n",
            "\nWhat must come first\n  update sim_node.a\n  create sim_node.b[\"k\"]\n",
            "and before these, 2 more steps\n",
            "count.index = 1  of `count`, body.tf:24\n",
        ],
    );
    let a = stack.ok(&["explain", "sim_node.a", "-var=size=2"]);
    has(
        &a,
        &[
            "will be updated in-place",
            "~ size: 1 -> 2  body.tf:14\n",
            "var.size = \"2\"  given by `-var`\n",
            "  secret = (sensitive value)  body.tf:15\n    var.secret = (sensitive value)  its default, body.tf:5\n",
            "  name = \"a\"  written out, body.tf:13\n",
        ],
    );
}

#[test]
fn what_changed_outside_is_told() {
    let stack = stack();
    for entry in std::fs::read_dir(stack.dir().join("w")).expect("a world").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("an object");
        std::fs::write(entry.path(), text.replace("\"size\":1", "\"size\":7")).expect("written");
    }
    let text = stack.ok(&["explain", "sim_node.a"]);
    has(
        &text,
        &[
            "\nChanged outside of Stratiform\n  size: recorded 1, real 7  body.tf:14\n",
            "~ size: 7 -> 1  body.tf:14",
        ],
    );
    let text = stack.ok(&["explain", "sim_node.a", "-refresh=false"]);
    has(&text, &["stays as it is", "the real object is what the configuration says"]);
}

#[test]
fn names_and_new_and_old_objects_are_explained() {
    let stack = stack();
    let output = stack.ok(&["explain", "output.o"]);
    has(
        &output,
        &[
            "output.o\nbody.tf:35\n",
            "  output.o = \"z-two\"  output, body.tf:36\n    sim_node.b[\"k\"].zone = \"z-two\"  argument, body.tf:20\n",
            "var.zone = \"two\"  given by terraform.tfvars:2",
        ],
    );
    has(
        &stack.ok(&["explain", "module.m.var.in"]),
        &["module.m.var.in\n", "local.zone = \"z-two\""],
    );
    has(&stack.ok(&["explain", "local.zone"]), &["local.zone = \"z-two\""]);
    let body = BODY
        .replace("sim_node\" \"a\"", "sim_node\" \"anew\"")
        .replace("sim_node.a.", "sim_node.anew.");
    stack.write("body.tf", &body);
    let gone = stack.ok(&["explain", "sim_node.a"]);
    has(&gone, &["will be destroyed", "because sim_node.a is not in the configuration"]);
    let new = stack.ok(&["explain", "sim_node.anew"]);
    has(&new, &["will be created", "the state has no object at this address"]);
}

#[test]
fn machines_get_the_same() {
    let stack = stack();
    let text = stack.ok(&["explain", "-json", "sim_node.b[\"k\"]"]);
    let json: Json = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(json["actions"], json!(["delete", "create"]));
    assert_eq!(json["action_reason"], "replace_because_cannot_update");
    assert_eq!((&json["file"], &json["line"]), (&json!("body.tf"), &json!(17)));
    let zone = &json["changes"][0];
    assert_eq!((&zone["path"], &zone["forces_replacement"]), (&json!("zone"), &json!(true)));
    assert_eq!(zone["line"], 20);
    let values = json["values"].as_array().expect("a list");
    let zone = values.iter().find(|one| one["name"] == "zone").expect("zone is set");
    let variable = &zone["from"][0]["from"][0];
    assert_eq!(variable["given_by"], "`terraform.tfvars`");
    assert_eq!((&variable["file"], &variable["line"]), (&json!("terraform.tfvars"), &json!(2)));
    assert_eq!(json["dependents"].as_array().map(Vec::len), Some(3));
    let secret: Json =
        serde_json::from_str(&stack.ok(&["explain", "-json", "sim_node.a"])).expect("JSON");
    assert!(!secret.to_string().contains("hush"), "{secret}");
}

#[test]
fn what_is_not_there_is_told_with_the_nearest_name() {
    let stack = stack();
    for (asked, wanted) in [
        ("sim_node.aa", "did you mean `sim_node.a`?"),
        ("output.oo", "did you mean `output.o`?"),
        ("sim_node.c", "has 2 objects: name one of them: `sim_node.c[0]`, `sim_node.c[1]`"),
        ("sim_node.c[2]", "neither the configuration nor the state has `sim_node.c[2]`"),
        ("..", "neither the configuration nor the state has `..`"),
    ] {
        let err = stack.fails(&["explain", asked]);
        let flat: String = err.split_whitespace().collect::<Vec<_>>().join(" ").replace(" │ ", " ");
        assert!(flat.contains(wanted), "{asked}: {err}");
    }
    // A block with one object is that object.
    has(&stack.ok(&["explain", "sim_node.b"]), &["sim_node.b[\"k\"] must be replaced"]);
}

/// The provider is known by its schema alone, which is enough to plan.
const SCHEMAS: &str = r#"{
  "format_version": "1.0",
  "provider_schemas": {
    "registry.terraform.io/hashicorp/aws": {
      "provider": { "version": 0, "block": {} },
      "resource_schemas": {
        "aws_ebs_volume": {
          "version": 0,
          "block": {
            "attributes": {
              "id": { "type": "string", "computed": true },
              "type": { "type": "string", "optional": true },
              "size": { "type": "number", "optional": true },
              "iops": { "type": "number", "optional": true }
            }
          }
        }
      }
    }
  }
}"#;

#[test]
fn what_a_check_refuses_is_explained_with_its_formula() {
    let main =
        "resource \"aws_ebs_volume\" \"v\" {\n  type = \"gp3\"\n  size = 10\n  iops = 16000\n}\n";
    let stack = Stack::new(&[("main.tf", main), (".stratiform/schemas/aws.json", SCHEMAS)]);
    assert!(stack.fails(&["plan"]).contains("C-31"));
    let text = stack.ok(&["explain", "aws_ebs_volume.v"]);
    has(
        &text,
        &[
            "What checks find\n  C-31 gp3 volumes: ",
            "      must hold: 3,000 ≤ IOPS ≤ min(80,000, 500·GiB)",
            "      to mend it: ",
        ],
    );
    let json: Json = serde_json::from_str(&stack.ok(&["explain", "-json", "aws_ebs_volume.v"]))
        .expect("it is JSON");
    assert_eq!(
        (&json["checks"][0]["id"], &json["checks"][0]["severity"]),
        (&json!("C-31"), &json!("error"))
    );
}
