//! JSON for machines, member by member beside Terraform's own where the binary is here.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;
#[path = "common/documents.rs"]
mod documents;

use common::Stack;
use documents::comparable;
use serde_json::{Value as Json, json};

const MAIN: &str = r#"
variable "n" {
  default     = 1
  description = "how many"
}
variable "o" {
  default = { a = 1, l = [1] }
}
locals {
  z = { q = 3 }
}
resource "terraform_data" "a" {
  count = var.n
  input = { a = var.n, b = [local.z.q, "k"], o = var.o.l[0] }
}
resource "terraform_data" "b" {
  for_each         = toset(["u"])
  triggers_replace = terraform_data.a[0].id
  depends_on       = [terraform_data.a]
  input            = { lit = 5, s = "x", t = [true, null], path = path.module }
}
resource "terraform_data" "c" {
  input            = terraform_data.b["u"].output.s
  triggers_replace = [for r in terraform_data.a : r.id]
}
module "m" {
  source = "./m"
  v      = terraform_data.b["u"].output
}
module "twice" {
  source   = "./m"
  for_each = { x = 1, y = 2 }
  v        = each.value
}
output "x" {
  value       = module.m.o
  description = "the x"
}
output "plain" {
  value = "text"
}
"#;

const CHILD: &str = r#"
variable "v" {}
resource "terraform_data" "in" {
  input = var.v
}
output "o" {
  value = terraform_data.in.output
}
"#;

fn stack() -> Stack {
    Stack::new(&[("main.tf", MAIN), ("m/main.tf", CHILD)])
}

fn terraform(stack: &Stack, args: &[&str]) -> Option<String> {
    let output = std::process::Command::new("terraform")
        .args(args)
        .current_dir(stack.dir())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => panic!("terraform {args:?}: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => {
            println!("skipped: terraform is not here to compare with");
            None
        }
    }
}

fn read(text: &str) -> Json {
    comparable(&serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

fn same(what: &str, ours: &Json, theirs: &Json) {
    let (ours, theirs) = (format!("{ours:#}"), format!("{theirs:#}"));
    assert!(
        ours == theirs,
        "{what}\n{}",
        similar::TextDiff::from_lines(&theirs, &ours)
            .unified_diff()
            .header("terraform", "stratiform")
    );
}

#[test]
fn plan_and_state_documents_are_terraforms() {
    let (ours, theirs) = (stack(), stack());
    if terraform(&theirs, &["init", "-no-color"]).is_none() {
        return;
    }
    let step = |what: &str, vars: &[&str]| {
        let plan = |program: &dyn Fn(&[&str]) -> String| {
            program(&[&["plan", "-out=p"], vars].concat());
            let document = read(&program(&["show", "-json", "p"]));
            program(&["apply", "p"]);
            (document, read(&program(&["show", "-json"])))
        };
        let (plan_here, state_here) = plan(&|args| ours.ok(args));
        let (plan_there, state_there) =
            plan(&|args| terraform(&theirs, args).expect("terraform is here"));
        same(&format!("{what}: the plan"), &plan_here, &plan_there);
        same(&format!("{what}: the state"), &state_here, &state_there);
    };
    step("from nothing", &[]);
    step("nothing to do", &[]);
    step("changes", &["-var=n=3"]);
    step("fewer", &["-var=n=2"]);
    step("destroy", &["-destroy"]);
}

#[test]
fn override_files_of_both_spellings_mean_the_same_as_in_terraform() {
    let files = [
        (
            "main.tf",
            "variable \"v\" {\n  default = 1\n}\nlocals {\n  a = 1\n  b = 2\n}\nresource \"terraform_data\" \"x\" {\n  input            = { v = var.v, a = local.a, b = local.b }\n  triggers_replace = \"old\"\n  lifecycle {\n    create_before_destroy = true\n  }\n}\noutput \"o\" {\n  value = terraform_data.x.input\n}\n",
        ),
        (
            "more.tf.json",
            "{ \"resource\": { \"terraform_data\": { \"y\": { \"input\": \"${var.v}\", \"lifecycle\": { \"create_before_destroy\": true } } } } }",
        ),
        (
            "a_override.tf",
            "resource \"terraform_data\" \"y\" {\n  triggers_replace = \"native over json\"\n  lifecycle {\n    ignore_changes = [input]\n  }\n}\n",
        ),
        (
            "override.tf.json",
            "{ \"//\": \"a comment\", \"variable\": { \"v\": { \"default\": 7 } }, \"locals\": { \"b\": \"${var.v + 1}\" }, \"resource\": { \"terraform_data\": { \"x\": { \"triggers_replace\": \"new\", \"lifecycle\": { \"ignore_changes\": [\"input\"] } } } } }",
        ),
    ];
    let (ours, theirs) = (Stack::new(&files), Stack::new(&files));
    let ours_document = {
        ours.ok(&["plan", "-out=p"]);
        read(&ours.ok(&["show", "-json", "p"]))
    };
    let x = &ours_document["planned_values"]["outputs"]["o"]["value"];
    assert_eq!(x, &json!({ "a": 1, "b": 8, "v": 7 }));
    if terraform(&theirs, &["init", "-no-color"]).is_none() {
        return;
    }
    terraform(&theirs, &["plan", "-out=p"]);
    let theirs_document =
        read(&terraform(&theirs, &["show", "-json", "p"]).expect("terraform is here"));
    same("the plan", &ours_document, &theirs_document);
}

#[test]
fn references_in_json_are_texts() {
    let files = [(
        "main.tf.json",
        "{ \"resource\": { \"terraform_data\": { \"a\": { \"input\": 1 }, \"b\": { \"input\": \"${terraform_data.a.output}\", \"depends_on\": [\"terraform_data.a\"], \"lifecycle\": { \"ignore_changes\": [\"triggers_replace\"], \"replace_triggered_by\": [\"terraform_data.a.id\"] } } } }, \"moved\": [{ \"from\": \"terraform_data.old\", \"to\": \"terraform_data.a\" }] }",
    )];
    let (ours, theirs) = (Stack::new(&files), Stack::new(&files));
    ours.ok(&["plan", "-out=p"]);
    let here = read(&ours.ok(&["show", "-json", "p"]));
    if terraform(&theirs, &["init", "-no-color"]).is_none() {
        return;
    }
    terraform(&theirs, &["plan", "-out=p"]);
    same(
        "the plan",
        &here,
        &read(&terraform(&theirs, &["show", "-json", "p"]).expect("terraform is here")),
    );
}

/// One message per line, without what only Terraform tells: that it looks at objects.
fn messages(text: &str) -> Vec<Json> {
    let lines = text.lines().map(read);
    let mut all: Vec<Json> = lines
        .filter(|line| !line["type"].as_str().unwrap_or_default().starts_with("refresh_"))
        .map(|mut line| {
            // Times and ids are part of the words.
            let words = line["@message"].as_str().unwrap_or_default().to_owned();
            let words = words.split(" after ").next().unwrap_or_default();
            let words = words.split(" [id=").next().unwrap_or_default();
            line["@message"] = json!(words);
            if line["type"] == "version" {
                line["@message"] = json!("");
            }
            line
        })
        .collect();
    // The order of instances is each program's own.
    all.sort_by_key(|line| (rank(line), line.to_string()));
    all
}

fn rank(line: &Json) -> usize {
    let order =
        ["version", "planned_change", "change_summary", "outputs", "apply_start", "apply_complete"];
    order.iter().position(|kind| line["type"] == *kind).unwrap_or(order.len())
}

#[test]
fn message_streams_are_terraforms() {
    let (ours, theirs) = (stack(), stack());
    if terraform(&theirs, &["init", "-no-color"]).is_none() {
        return;
    }
    for args in [
        &["plan", "-json"][..],
        &["apply", "-json", "-auto-approve"],
        &["plan", "-json", "-var=n=2"],
        &["apply", "-json", "-auto-approve", "-var=n=2"],
        &["apply", "-json", "-auto-approve"],
        &["plan", "-json", "-replace=terraform_data.c"],
        &["destroy", "-json", "-auto-approve"],
    ] {
        let here = Json::Array(messages(&ours.ok(args)));
        let there = Json::Array(messages(&terraform(&theirs, args).expect("terraform is here")));
        same(&format!("{args:?}"), &here, &there);
    }
}

#[test]
fn errors_are_messages_too() {
    let stack = Stack::new(&[("main.tf", "output \"z\" {\n  value = foo.bar\n}\n")]);
    let ran = stack.run(&["plan", "-json"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    let last: Json = serde_json::from_str(ran.out.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["type"], &last["@level"]), (&json!("diagnostic"), &json!("error")));
    assert_eq!(last["diagnostic"]["range"]["filename"], "main.tf");
}

#[test]
fn documents_hold_no_secret() {
    let secret = "canary-7f3a";
    let text = "variable \"p\" {\n  sensitive = true\n}\nresource \"terraform_data\" \"a\" {\n  input = { deep = [var.p] }\n}\noutput \"s\" {\n  value     = var.p\n  sensitive = true\n}\n";
    let stack = Stack::new(&[("main.tf", text)]);
    let run = |args: &[&str]| {
        common::ran(stack.command(args).env("TF_VAR_p", secret).output().expect("the binary runs"))
    };
    for args in [
        &["plan", "-out=p"][..],
        &["show", "-json", "p"],
        &["show", "p"],
        &["apply", "-json", "-auto-approve"],
        &["show", "-json"],
        &["show"],
        &["output"],
        &["plan", "-json", "-var=p=other"],
    ] {
        let ran = run(args);
        assert_eq!(ran.code, Some(0), "{args:?} {}", ran.err);
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{args:?}\n{}", ran.out);
    }
    let plan = std::fs::read(stack.dir().join("p")).expect("a plan file");
    assert!(!String::from_utf8_lossy(&plan).contains(secret));
}

/// A configuration, and the steps after it: other files, or the options of one more plan.
enum Next {
    Files(&'static [(&'static str, &'static str)]),
    Plan(&'static [&'static str]),
}

fn documents_agree(what: &str, files: &[(&str, &str)], next: &[Next]) {
    let (ours, theirs) = (Stack::new(files), Stack::new(files));
    if terraform(&theirs, &["init", "-no-color"]).is_none() {
        return;
    }
    for (at, step) in next.iter().enumerate() {
        let options = match step {
            Next::Files(files) => {
                files.iter().for_each(|(name, text)| {
                    ours.write(name, text);
                    theirs.write(name, text);
                });
                terraform(&theirs, &["init", "-no-color"]);
                continue;
            }
            Next::Plan(options) => options,
        };
        let documents = |program: &dyn Fn(&[&str]) -> String| {
            program(&[&["plan", "-out=p"], *options].concat());
            let plan = read(&program(&["show", "-json", "p"]));
            program(&["apply", "p"]);
            (plan, read(&program(&["show", "-json"])))
        };
        let here = documents(&|args| ours.ok(args));
        let there = documents(&|args| terraform(&theirs, args).expect("terraform is here"));
        same(&format!("{what}, step {at}: the plan"), &here.0, &there.0);
        same(&format!("{what}, step {at}: the state"), &here.1, &there.1);
    }
}

#[test]
fn documents_of_replacements_are_terraforms() {
    let text = "variable \"v\" {\n  default = 1\n}\nresource \"terraform_data\" \"a\" {\n  input            = 1\n  triggers_replace = [var.v, \"k\"]\n}\nresource \"terraform_data\" \"b\" {\n  triggers_replace = { x = var.v }\n  input            = terraform_data.a.id\n  lifecycle {\n    create_before_destroy = true\n    replace_triggered_by  = [terraform_data.a]\n  }\n}\n";
    let next = [
        Next::Plan(&[]),
        Next::Plan(&["-var=v=2"]),
        Next::Plan(&["-var=v=2", "-replace=terraform_data.a"]),
        Next::Plan(&["-var=v=2", "-refresh=false"]),
        Next::Plan(&["-destroy"]),
    ];
    documents_agree("replacements", &[("main.tf", text)], &next);
}

#[test]
fn documents_of_what_moves_and_is_forgotten_are_terraforms() {
    let before = "resource \"terraform_data\" \"a\" {\n  input = 1\n}\nresource \"terraform_data\" \"b\" {\n  input = 1\n}\n";
    let next = [
        Next::Plan(&[]),
        Next::Files(&[(
            "main.tf",
            "resource \"terraform_data\" \"x\" {\n  input = 1\n}\nmoved {\n  from = terraform_data.a\n  to   = terraform_data.x\n}\nresource \"terraform_data\" \"y\" {\n  count = 1\n  input = 2\n}\nmoved {\n  from = terraform_data.b\n  to   = terraform_data.y[0]\n}\n",
        )]),
        Next::Plan(&[]),
        Next::Files(&[
            (
                "main.tf",
                "removed {\n  from = terraform_data.x\n  lifecycle {\n    destroy = false\n  }\n}\nmodule \"m\" {\n  source = \"./m\"\n}\nmoved {\n  from = terraform_data.y\n  to   = module.m.terraform_data.in\n}\n",
            ),
            ("m/main.tf", "resource \"terraform_data\" \"in\" {\n  count = 1\n  input = 2\n}\n"),
        ]),
        Next::Plan(&[]),
    ];
    documents_agree("moves", &[("main.tf", before)], &next);
}

#[test]
fn documents_of_modules_in_modules_are_terraforms() {
    let files = [
        (
            "main.tf",
            "variable \"v\" {\n  default = 1\n}\nmodule \"a\" {\n  source   = \"./m\"\n  for_each = { x = 1, y = 2 }\n  v        = each.value + var.v\n}\nmodule \"b\" {\n  source     = \"./m\"\n  count      = 1\n  v          = module.a[\"x\"].o\n  depends_on = [module.a]\n}\nmodule \"far\" {\n  source = \"./far\"\n}\noutput \"z\" {\n  value = module.b[0].o\n}\n",
        ),
        (
            "m/main.tf",
            "variable \"v\" {\n  type        = number\n  description = \"v\"\n  nullable    = false\n}\nmodule \"deep\" {\n  source = \"./n\"\n  w      = var.v\n}\nresource \"terraform_data\" \"r\" {\n  input = module.deep.q\n}\noutput \"o\" {\n  value = terraform_data.r.output\n}\n",
        ),
        (
            "m/n/main.tf",
            "variable \"w\" {}\nresource \"terraform_data\" \"d\" {\n  input = var.w\n}\noutput \"q\" {\n  value = terraform_data.d.output\n}\n",
        ),
        ("far/main.tf", "module \"n\" {\n  source = \"./n\"\n}\n"),
        ("far/n/main.tf", "resource \"terraform_data\" \"in\" {}\n"),
    ];
    documents_agree("modules", &files, &[Next::Plan(&[]), Next::Plan(&["-var=v=5"])]);
}

#[test]
fn documents_of_conditions_are_terraforms() {
    let files = [
        ("main.tf", include_str!("formats/conditions.tf")),
        ("m/main.tf", include_str!("formats/conditions_child.tf")),
    ];
    let next = [
        Next::Plan(&["-target=terraform_data.x"]),
        Next::Plan(&[]),
        Next::Plan(&[]),
        Next::Plan(&["-refresh-only"]),
        Next::Plan(&["-destroy"]),
    ];
    documents_agree("conditions", &files, &next);
}

#[test]
fn documents_say_what_changes_are_made_from_as_terraform_does() {
    let files = [
        ("main.tf", include_str!("formats/contributions.tf")),
        ("m/main.tf", include_str!("formats/contributions_child.tf")),
    ];
    let next = [
        Next::Plan(&[]),
        Next::Plan(&[]),
        Next::Plan(&["-var=v=4"]),
        Next::Plan(&["-replace=terraform_data.b", "-var=v=4"]),
        Next::Plan(&["-destroy"]),
    ];
    documents_agree("contributions", &files, &next);
}

#[test]
fn documents_of_data_sources_are_terraforms() {
    let outputs = r#"{
      "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "4d3d4a0e-0000-4000-8000-000000000000",
      "outputs": {
        "id": { "value": "vpc-1", "type": "string" },
        "secret": { "value": "s3", "type": "string", "sensitive": true },
        "obj": { "value": { "a": [1, 2], "b": null }, "type": ["object", { "a": ["tuple", ["number", "number"]], "b": "dynamic" }] }
      },
      "resources": [], "check_results": null
    }"#;
    let files = [("main.tf", include_str!("formats/data.tf")), ("net/terraform.tfstate", outputs)];
    let gone = [("main.tf", "resource \"terraform_data\" \"x\" {\n  input = \"vpc-1\"\n}\n")];
    let next = [
        Next::Plan(&[]),
        Next::Plan(&[]),
        Next::Plan(&["-refresh-only"]),
        Next::Files(Box::leak(Box::new(gone))),
        Next::Plan(&[]),
        Next::Plan(&["-destroy"]),
    ];
    documents_agree("data sources", &files, &next);
}

#[test]
fn snippets_of_faults_have_their_block_and_the_values_of_conditions() {
    let text = r#"
variable "low" {
  default = 1
}
variable "password" {
  default   = "hunter2"
  sensitive = true
}
resource "terraform_data" "a" {
  lifecycle {
    precondition {
      condition     = var.low > 3 && var.password != ""
      error_message = "too low"
    }
  }
}
"#;
    let stack = Stack::new(&[("main.tf", text)]);
    let said = stack.run(&["plan", "-json"]).out;
    assert!(!said.contains("hunter2"), "{said}");
    let mut messages = said.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let fault = messages.rfind(|one| one["type"] == "diagnostic").expect("a fault");
    let snippet = &fault["diagnostic"]["snippet"];
    assert_eq!(snippet["context"], "resource \"terraform_data\" \"a\"");
    let values = serde_json::json!([{ "traversal": "var.low", "statement": "is 1" }]);
    assert_eq!(snippet["values"], values);
}
