//! A pipeline that was written for Terraform, with nothing but the program's name changed: the same exit codes, and the
//! same words in what people see of it.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use common::{Ran, Stack, ran};

const MAIN: &str = r#"terraform {
  required_version = ">= 1.5"
  required_providers {
    sim = { source = "stratiform/sim", version = ">= 1.0" }
  }
}

provider "sim" {
  world = "world"
}

variable "size" {
  type    = number
  default = 1
}

resource "sim_node" "main" {
  name   = "main"
  size   = var.size
  zone   = "a"
  secret = "hush"
}

module "more" {
  source = "./more"
  from   = sim_node.main.id
}

output "name" {
  value = sim_node.main.name
}

output "size" {
  value = sim_node.main.size
}
"#;

const MORE: &str = r#"variable "from" {
  type = string
}

resource "terraform_data" "kept" {
  count = 2
  input = "${var.from}-${count.index}"
}
"#;

fn there(program: &str) -> bool {
    let found =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("skipped: there is no {program} on the path");
    }
    found
}

/// A folder with the stack, and what the program must know to find the provider.
fn folder(mirror: Option<&Path>) -> Stack {
    let stack = Stack::new(&[("main.tf", MAIN), ("more/main.tf", MORE)]);
    if let Some(mirror) = mirror {
        let rc = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            mirror.display()
        );
        std::fs::create_dir_all(stack.home()).expect("a folder can be made");
        std::fs::write(stack.home().join("cli.tfrc"), rc).expect("it can be written");
    }
    stack
}

fn pipeline(stack: &Stack, program: &str, args: &[&str]) -> Ran {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pipeline/pipeline.sh");
    let mut command = Command::new("sh");
    command.arg(script).args(args).current_dir(stack.dir()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("PROGRAM", program);
    command.env("HOME", stack.home()).env("STRATIFORM_HOME", stack.home());
    command.env("CHECKPOINT_DISABLE", "1");
    if program == "terraform" {
        command.env("TF_CLI_CONFIG_FILE", stack.home().join("cli.tfrc"));
    }
    ran(command.stdin(Stdio::null()).output().expect("a shell runs"))
}

/// The days of a stack: what is changed before each run of the pipeline, its arguments, and the exit code.
type Day = (&'static str, fn(&Stack), &'static [&'static str], i32);

const DAYS: &[Day] = &[
    ("from nothing", |_| {}, &[], 0),
    ("nothing to do", |_| {}, &[], 0),
    ("a change", |stack| stack.write("terraform.tfvars", "size = 2\n"), &[], 0),
    ("badly formatted", |stack| stack.write("terraform.tfvars", "size=3\n"), &[], 3),
    (
        "refused by the policy",
        |stack| {
            stack.write("terraform.tfvars", "size = 2\n");
            stack.write("main.tf", &MAIN.replace("zone   = \"a\"", "zone   = \"b\""));
        },
        &[],
        3,
    ),
    (
        "invalid",
        |stack| stack.write("main.tf", &MAIN.replace("sim_node.main.size", "sim_node.other.size")),
        &[],
        1,
    ),
    ("no drift", |stack| stack.write("main.tf", MAIN), &["drift"], 0),
    (
        "drift",
        |stack| {
            let world = stack.dir().join("world");
            for entry in std::fs::read_dir(world).expect("the world is there") {
                let path = entry.expect("an entry").path();
                if path.extension().is_some_and(|ending| ending == "json") {
                    let text = std::fs::read_to_string(&path).expect("an object");
                    std::fs::write(&path, text.replace("\"size\":2", "\"size\":9"))
                        .expect("written");
                }
            }
        },
        &["drift"],
        4,
    ),
    ("led back", |_| {}, &[], 0),
];

fn days(stack: &Stack, program: &str) -> Vec<(String, Option<i32>)> {
    let mut told = Vec::new();
    for (day, before, args, exit) in DAYS {
        before(stack);
        let ran = pipeline(stack, program, args);
        assert_eq!(ran.code, Some(*exit), "{program}, {day}\n{}\n{}", ran.out, ran.err);
        assert!(!ran.out.contains("hush"), "{day}\n{}", ran.out);
        told.push((format!("{day}\n{}", ran.out), ran.code));
    }
    told
}

#[test]
fn a_pipeline_runs_with_only_the_name_changed() {
    if !there("jq") {
        return;
    }
    let ours = folder(None);
    let told = days(&ours, env!("CARGO_BIN_EXE_stratiform"));
    let first = &told[0].0;
    for part in [
        "valid: true, errors: 0",
        "Plan: 3 to add, 0 to change, 0 to destroy.",
        "| `module.more.terraform_data.kept[0]` | create | id, input, output |",
        "Apply complete! Resources: 3 added, 0 changed, 0 destroyed.",
        r#"{"name":"main","size":1}"#,
        "nothing left to do",
    ] {
        assert!(first.contains(part), "{part} in\n{first}");
    }
    assert!(told[4].0.contains("refused: sim_node.main would be destroyed"), "{}", told[4].0);
    assert!(told[7].0.contains("drifted: sim_node.main 2 -> 9"), "{}", told[7].0);
    if !there("terraform") {
        return;
    }
    let packages = tempfile::tempdir().expect("a temporary folder");
    let out = format!("-out={}", packages.path().display());
    ours.ok(&["provider", "package", "sim", &out, "-version=1.2.3"]);
    let theirs = folder(Some(packages.path()));
    for ((ours, _), (theirs, _)) in told.iter().zip(days(&theirs, "terraform")) {
        assert!(
            *ours == theirs,
            "{}",
            similar::TextDiff::from_lines(&theirs, ours)
                .unified_diff()
                .header("terraform", "stratiform")
        );
    }
}
