//! Objects that exist come into the state: the command, and blocks that are written for them.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::process::Command;

use common::Stack;

const MAIN: &str = r#"
resource "terraform_data" "a" {
  input = 1
}
resource "terraform_data" "c" {
  count = 2
}
resource "terraform_data" "f" {
  for_each = toset(["k"])
}
module "m" {
  source = "./m"
}
"#;

fn stack() -> Stack {
    Stack::new(&[("main.tf", MAIN), ("m/main.tf", "resource \"terraform_data\" \"in\" {}\n")])
}

fn terraform(stack: &Stack, args: &[&str]) -> Option<i32> {
    let output = Command::new("terraform")
        .args(args)
        .current_dir(stack.dir())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .output();
    match output {
        Ok(output) => output.status.code(),
        Err(_) => {
            println!("skipped: terraform is not here to compare with");
            None
        }
    }
}

#[test]
fn the_command_takes_and_refuses_what_terraform_does() {
    let (ours, theirs) = (stack(), stack());
    let compares = terraform(&theirs, &["init", "-no-color"]).is_some();
    let table: [(&str, &str, Result<(), &str>); 11] = [
        ("terraform_data.a", "x", Ok(())),
        ("terraform_data.a", "y", Err("it has an object already")),
        ("terraform_data.b", "x", Err("write it in the root module first")),
        ("terraform_data.c[0]", "-1", Ok(())),
        ("terraform_data.c", "x", Err("the configuration makes no such instance")),
        ("terraform_data.c[5]", "x", Err("the configuration makes no such instance")),
        ("terraform_data.f[\"k\"]", "x", Ok(())),
        ("module.m.terraform_data.in", "x", Ok(())),
        ("module.z.terraform_data.in", "x", Err("its module is not in the configuration")),
        ("data.terraform_remote_state.x", "x", Err("it is not a managed resource")),
        ("foo", "x", Err("is not the address of a resource instance")),
    ];
    for (address, id, wanted) in table {
        let ran = ours.run(&["import", address, id]);
        match wanted {
            Ok(()) => assert_eq!(ran.code, Some(0), "{address}: {}", ran.err),
            Err(part) => {
                assert_eq!(ran.code, Some(1), "{address}");
                let words = ran.err.replace("\n  │ ", " ");
                assert!(words.contains(part), "{address}: {words}");
            }
        }
        // Terraform takes an id that begins with a dash for a flag.
        if compares && !id.starts_with('-') {
            let there = terraform(&theirs, &["import", "-no-color", address, id]);
            assert_eq!(there, ran.code, "{address}");
        }
    }
    let code = ours.fails(&["import", "terraform_data.b", "x"]);
    assert!(code.contains("stratiform::plan::import_target"), "{code}");
    let imported = "terraform_data.a\nterraform_data.c[0]\nterraform_data.f[\"k\"]\nmodule.m.terraform_data.in\n";
    assert_eq!(ours.ok(&["state", "list"]), imported);
    let plan = ours.ok(&["plan"]);
    assert!(plan.contains("Plan: 1 to add, 1 to change, 0 to destroy."), "{plan}");
    let history = ours.ok(&["history"]);
    assert!(history.contains("  import  done\n        & terraform_data.a"), "{history}");
}

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

/// A world of the simulated backend, with one object in it that nobody manages.
fn world() -> Stack {
    let node = "resource \"sim_node\" \"n\" {\n  name = \"old\"\n  size = 3\n}\n";
    let files = [("sim.tf", SIM), ("main.tf", node)];
    let stack = Stack::new(&files);
    stack.ok(&["apply", "-auto-approve"]);
    stack
}

fn id_of(stack: &Stack, address: &str) -> String {
    let shown = stack.ok(&["state", "show", address]);
    let line = shown.lines().find(|line| line.trim().starts_with("id ")).expect("an id");
    line.split('"').nth(1).expect("a text").to_owned()
}

#[test]
fn an_empty_block_is_enough_for_an_import() {
    let stack = world();
    let id = id_of(&stack, "sim_node.n");
    stack.ok(&["state", "rm", "sim_node.n"]);
    stack.write("main.tf", "resource \"sim_node\" \"n\" {}\n");
    stack.ok(&["import", "sim_node.n", &id]);
    let shown = stack.ok(&["state", "show", "sim_node.n"]);
    assert!(shown.contains("\"old\""), "{shown}");
    // Afterwards the block must say what it wants.
    let plan = stack.fails(&["plan"]);
    assert!(plan.contains("missing required argument `name`"), "{plan}");
    let nobody = stack.fails(&["import", "sim_node.n", "nobody"]);
    assert!(nobody.contains("it has an object already"), "{nobody}");
    stack.ok(&["state", "rm", "sim_node.n"]);
    let nobody = stack.fails(&["import", "sim_node.n", "nobody"]);
    assert!(nobody.contains("sim_node.n"), "{nobody}");
}

#[test]
fn blocks_that_are_written_for_imports_plan_empty() {
    let stack = world();
    let id = id_of(&stack, "sim_node.n");
    stack.ok(&["state", "rm", "sim_node.n"]);
    let import =
        |address: &str, id: &str| format!("import {{\n  to = {address}\n  id = \"{id}\"\n}}\n");
    stack.write("main.tf", &(import("sim_node.mine", &id) + &import("terraform_data.d", "d")));
    // Without the option the block is missing.
    let missing = stack.fails(&["plan"]);
    assert!(missing.contains("sim_node.mine"), "{missing}");
    for (flags, part) in [
        (&["plan", "-destroy", "-generate-config-out=g.tf"][..], "goes with neither"),
        (&["plan", "-generate-config-out=main.tf"], "is there already"),
    ] {
        let refused = stack.fails(flags);
        assert!(refused.contains(part), "{refused}");
    }
    let plan = stack.ok(&["plan", "-generate-config-out=g.tf", "-out=p"]);
    assert!(plan.contains("Plan: 2 to import, 0 to add, 0 to change, 0 to destroy."), "{plan}");
    let text = std::fs::read_to_string(stack.dir().join("g.tf")).expect("the file");
    assert_eq!(
        text,
        format!(
            "# __generated__ by Stratiform\n# Please review these resources and move them into your main configuration files.\n\n# __generated__ by Stratiform from \"{id}\"\nresource \"sim_node\" \"mine\" {{\n  name = \"old\"\n  size = 3\n}}\n\n# __generated__ by Stratiform from \"d\"\nresource \"terraform_data\" \"d\" {{\n}}\n"
        )
    );
    stack.ok(&["fmt", "-check"]);
    stack.ok(&["apply", "p"]);
    let after = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(after.code, Some(0), "{}", after.out);
    // All is written by now, so there is nothing to write.
    stack.ok(&["plan", "-generate-config-out=again.tf"]);
    assert!(!stack.dir().join("again.tf").exists());
}

#[test]
fn ids_come_from_data_sources_and_planned_objects() {
    let network = "output \"id\" {\n  value = \"vpc-1\"\n}\n";
    let main = r#"
data "terraform_remote_state" "n" {
  backend = "local"
  config  = { path = "net/terraform.tfstate" }
}
locals {
  ids = { for key in ["a", "b"] : key => "${data.terraform_remote_state.n.outputs.id}-${key}" }
}
import {
  for_each = toset(["a", "b"])
  to       = terraform_data.x[each.key]
  id       = local.ids[each.key]
}
resource "terraform_data" "x" {
  for_each = toset(["a", "b"])
}
import {
  to = module.m.terraform_data.in
  id = terraform_data.seed.input
}
resource "terraform_data" "seed" {
  input = "seed-id"
}
module "m" {
  source = "./m"
}
"#;
    let files = [
        ("net/main.tf", network),
        ("main.tf", main),
        ("m/main.tf", "resource \"terraform_data\" \"in\" {}\n"),
    ];
    let stack = Stack::new(&files);
    stack.ok(&["-chdir=net", "apply", "-auto-approve"]);
    let plan = stack.ok(&["plan", "-out=p"]);
    assert!(plan.contains("Plan: 3 to import, 1 to add, 0 to change, 0 to destroy."), "{plan}");
    stack.ok(&["apply", "p"]);
    for (address, id) in [
        ("terraform_data.x[\"a\"]", "vpc-1-a"),
        ("terraform_data.x[\"b\"]", "vpc-1-b"),
        ("module.m.terraform_data.in", "seed-id"),
    ] {
        assert_eq!(id_of(&stack, address), id);
    }
    let ring = "import {\n  to = terraform_data.r\n  id = terraform_data.s.input\n}\nresource \"terraform_data\" \"r\" {}\nresource \"terraform_data\" \"s\" {\n  input = terraform_data.r.id\n}\n";
    stack.write("ring.tf", ring);
    assert!(stack.fails(&["plan"]).contains("wait for each other"));
    stack.write(
        "ring.tf",
        &ring.replace("terraform_data.r.id", "terraform_data.seed.id").replace("s.input", "s.id"),
    );
    assert!(stack.fails(&["plan"]).contains("known only after apply"));
}
