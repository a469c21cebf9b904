//! Commands that show what a configuration is made of, beside Terraform's where it is at hand.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::process::Command;

use common::Stack;

fn stack() -> Stack {
    Stack::new(&[
        (
            "main.tf",
            r#"
variable "v" {
  default = 1
}
locals {
  l = terraform_data.a.id
}
resource "terraform_data" "a" {
  input = var.v
}
resource "terraform_data" "b" {
  count = 2
  input = local.l
}
module "m" {
  source = "./m"
  x      = terraform_data.b[0].id
}
output "o" {
  value = module.m.y
}
"#,
        ),
        (
            "m/main.tf",
            r#"
variable "x" {}
resource "terraform_data" "c" {
  input = var.x
}
resource "terraform_data" "d" {
  depends_on = [terraform_data.c]
}
output "y" {
  value = terraform_data.c.id
}
"#,
        ),
    ])
}

/// What Terraform prints in the same folder; `None` where there is no Terraform.
fn terraform(stack: &Stack, args: &[&str]) -> Option<String> {
    let run = |args: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(args).current_dir(stack.dir()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", stack.home()).env("CHECKPOINT_DISABLE", "1");
        command.env("TF_CLI_CONFIG_FILE", "/dev/null").output().ok()
    };
    run(&["init", "-input=false"])?;
    Some(String::from_utf8_lossy(&run(args)?.stdout).into_owned())
}

#[test]
fn graphs_and_provider_trees_are_terraforms() {
    let stack = stack();
    for args in [&["graph"][..], &["graph", "-type=plan"], &["providers"]] {
        let ours = stack.ok(args);
        match terraform(&stack, args) {
            Some(theirs) => assert_eq!(ours, theirs, "{args:?}"),
            None => println!("skipped: there is no terraform to compare {args:?} with"),
        }
    }
}

#[test]
fn a_graph_names_resources_by_module_and_draws_the_shortest_edges() {
    let graph = stack().ok(&["graph"]);
    insta::assert_snapshot!(graph, @r#"
    digraph G {
      rankdir = "RL";
      node [shape = rect, fontname = "sans-serif"];
      "terraform_data.a" [label="terraform_data.a"];
      "terraform_data.b" [label="terraform_data.b"];
      subgraph "cluster_module.m" {
        label = "module.m"
        fontname = "sans-serif"
        "module.m.terraform_data.c" [label="terraform_data.c"];
        "module.m.terraform_data.d" [label="terraform_data.d"];
      }
      "terraform_data.b" -> "terraform_data.a";
      "module.m.terraform_data.c" -> "terraform_data.b";
      "module.m.terraform_data.d" -> "module.m.terraform_data.c";
    }
    "#);
}

#[test]
fn a_graph_can_be_a_flow_chart() {
    let chart = stack().ok(&["graph", "-mermaid"]);
    insta::assert_snapshot!(chart, @r#"
    flowchart RL
      n0["module.m.terraform_data.c"]
      n1["module.m.terraform_data.d"]
      n2["terraform_data.a"]
      n3["terraform_data.b"]
      n0 --> n3
      n1 --> n0
      n3 --> n2
    "#);
}

#[test]
fn the_version_is_told_to_machines() {
    let text = stack().ok(&["version", "-json"]);
    let version: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(version["terraform_version"], "1.11.4");
    assert!(version["stratiform_version"].is_string());
    assert!(stack().ok(&["-version"]).starts_with("Stratiform v"));
}

#[test]
fn shells_get_a_script_that_completes_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stack().ok(&["completion", shell]);
        assert!(script.contains("stratiform") && script.contains("validate"), "{shell}");
    }
}

#[test]
fn variables_are_not_asked_for_where_nobody_can_answer() {
    let stack =
        Stack::new(&[("main.tf", "variable \"a\" {}\noutput \"a\" {\n  value = var.a\n}\n")]);
    let err = stack.fails(&["plan"]);
    assert!(err.contains("no value for required variable `a`"), "{err}");
    let mut command = stack.command(&["plan"]);
    command.env("TF_CLI_ARGS_plan", "-var 'a=x y'");
    let ran = common::ran(command.output().expect("the binary runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("\"x y\""), "{}", ran.out);
    let mut command = stack.command(&["plan", "-var=a=later"]);
    command.env("TF_VAR_a", "earlier");
    let ran = common::ran(command.output().expect("the binary runs"));
    assert!(ran.out.contains("\"later\""), "{}", ran.out);
}
