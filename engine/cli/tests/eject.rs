//! `eject`: what was a component goes on as a plain module, with us and with Terraform.
//!
//! AWS needs a folder with its provider, named by `STRATIFORM_TEST_PROVIDER_MIRROR`; it is applied on an emulator where
//! `STRATIFORM_TEST_AWS` is set and `moto_server` is on the path, which takes minutes, and planned otherwise. Google is
//! known by its schemas alone; Terraform is asked where `terraform` is on the path.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test binary"
)]

#[path = "clouds/emulator.rs"]
mod emulator;

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use common::{Ran, Stack, copy, ran, workspace};
use serde_json::Value as Json;

fn quickstart() -> Stack {
    let stack = Stack::new(&[]);
    copy(&workspace().join("examples/quickstart"), &stack.dir());
    stack
}

fn file(stack: &Stack, name: &str) -> String {
    std::fs::read_to_string(stack.dir().join(name)).expect("a file")
}

/// Nothing is to be done, whatever was moved.
fn empty(stack: &Stack) {
    let ran = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
}

#[test]
fn a_stack_on_this_machine_goes_on_without_components() {
    let stack = quickstart();
    stack.ok(&["apply", "-auto-approve"]);
    let before = file(&stack, "main.tf");

    let shown = stack.ok(&["eject", "-dry-run"]);
    assert!(shown.contains("Nothing was written"), "{shown}");
    assert_eq!(file(&stack, "main.tf"), before);
    assert!(!stack.dir().join("ejected").exists());

    stack.ok(&["eject"]);
    stack.ok(&["fmt", "-check", "-recursive"]);
    let plan = stack.ok(&["plan"]);
    assert!(plan.contains("module.cluster_train.local_node_pool.this has moved here"), "{plan}");
    assert!(plan.contains("Plan: 0 to add, 0 to change, 0 to destroy."), "{plan}");
    let applied = stack.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("0 added, 0 changed, 0 destroyed"), "{applied}");
    empty(&stack);
    let list = stack.ok(&["state", "list"]);
    assert_eq!(
        list.lines().collect::<Vec<_>>(),
        [
            "module.cluster_train.local_node_pool.this",
            "module.endpoint_chat.local_endpoint.this",
            "module.fabric_lan.local_fabric.this",
            "module.filesystem_corpus.local_volume.this",
            "module.pipeline_train.local_pipeline.this",
        ]
    );
    // Conditions of the type hold for the module.
    let text = file(&stack, "main.tf").replace("capacity_gib = 1\n", "capacity_gib = 0\n");
    stack.write("main.tf", &text);
    let error = stack.fails(&["plan"]);
    assert!(error.contains("The capacity must be more than 0 GiB."), "{error}");
    stack.write("main.tf", &text.replace("capacity_gib = 0\n", "capacity_gib = 1\n"));
    stack.ok(&["destroy", "-auto-approve"]);
}

/// Files that the other component types are made from.
const PARTS: [(&str, &str); 4] = [
    ("weights/weights.bin", "weights "),
    ("weights/config.json", "{\"num_hidden_layers\": 2}"),
    ("corpus/a.txt", "once upon a time\n"),
    ("ledger.csv", "date,usd\n1999-01-01,70\n"),
];

#[test]
fn every_other_type_on_this_machine_goes_on_too() {
    let stack = Stack::new(&PARTS);
    stack.write("main.tf", include_str!("standard_types/local.tf"));
    stack.ok(&["apply", "-auto-approve"]);
    let served = stack.ok(&["output", "-json", "served"]);
    stack.ok(&["eject"]);
    stack.ok(&["fmt", "-check", "-recursive"]);
    let applied = stack.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("0 added, 0 changed, 0 destroyed"), "{applied}");
    empty(&stack);
    assert_eq!(stack.ok(&["output", "-json", "served"]), served);
    let list = stack.ok(&["state", "list"]);
    assert!(list.lines().all(|line| line.starts_with("module.")), "{list}");
    stack.ok(&["destroy", "-auto-approve"]);
}

#[test]
fn one_component_leaves_and_the_others_stay() {
    let stack = quickstart();
    stack.ok(&["apply", "-auto-approve"]);
    stack.ok(&["eject", "cluster.train"]);
    let text = file(&stack, "main.tf");
    assert!(text.contains("cluster = module.cluster_train\n"), "{text}");
    assert!(text.contains("fabric              = fabric.lan\n"), "{text}");
    assert!(text.contains("pipeline \"train\" {"), "{text}");
    let applied = stack.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("0 added, 0 changed, 0 destroyed"), "{applied}");
    empty(&stack);
    stack.ok(&["destroy", "-auto-approve"]);
}

/// A component type of one's own, with everything that a call can be written with.
const OWN: &str = r#"component_type "store" {
  input "room" {
    type    = object({ size = optional(number, 7), kind = string })
    default = { kind = "a" }
    validation {
      condition     = input.room.size > 0
      error_message = "No room."
    }
  }
  input "source" { default = null }
  input "part" { default = {} }
  input "unused" { default = 1 }
  output "id" {}
  implementation "local" {
    backend = "local"
    source  = "./store"
  }
}
"#;

const STORE: &str = r#"variable "room" { type = any }
variable "source" { type = any }
variable "part" { type = any }
variable "component" { type = any }
resource "terraform_data" "this" {
  input = [var.room.size, var.room.kind, var.source, var.part, var.component.name, var.component.offer.kind]
}
output "id" { value = terraform_data.this.id }
"#;

const USES: &str = r#"stack {
  placement { backends = ["local"] }
}

# Kept.
store "first" {
  room = { kind = "b" } # kept too
  unused = 3
  backend = "local"
  source = "from ${upper("x")}"

  part "a" {
    size = 1 # of a part
  }
  part "b" { size = 2 }
}

store "many" {
  for_each   = toset(["x", "y"])
  depends_on = [store.first]
  part "c" {
    of = store.first.id
  }
}

output "told" {
  value = <<-EOT
    ${store.first.id} and %{ for key in ["x"] }${store.many[key].id}%{ endfor }
    ${join(",", [for store in [{ first = 1 }] : store.first])}
  EOT
}
"#;

fn own() -> Stack {
    Stack::new(&[("types.tf", OWN), ("main.tf", USES), ("store/main.tf", STORE)])
}

#[test]
fn whatever_a_component_is_written_with_stays() {
    let stack = own();
    stack.ok(&["apply", "-auto-approve"]);
    let told = stack.ok(&["output", "told"]);
    let shown = stack.ok(&["eject", "-out=plain"]);
    assert!(shown.contains("`unused` of `store.first` is left out"), "{shown}");
    insta::assert_snapshot!("ejected_main", file(&stack, "main.tf"));
    insta::assert_snapshot!("ejected_module", file(&stack, "plain/store_first/main.tf"));
    let applied = stack.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("0 added, 0 changed, 0 destroyed"), "{applied}");
    assert_eq!(stack.ok(&["output", "told"]), told);
    empty(&stack);
}

/// Terraform in the folder of a stack; `None` where there is none, and says so.
fn terraform(stack: &Stack, args: &[&str]) -> Option<Ran> {
    let mut command = Command::new("terraform");
    command.args(args).current_dir(stack.dir()).env("CHECKPOINT_DISABLE", "1");
    command.env("NO_COLOR", "1").env("TF_CLI_CONFIG_FILE", stack.dir().join("cli.tfrc"));
    match command.output() {
        Ok(output) => Some(ran(output)),
        Err(error) => {
            println!("skipped: terraform cannot be started: {error}");
            None
        }
    }
}

#[test]
fn terraform_goes_on_with_what_is_ejected() {
    let stack = own();
    stack.write("cli.tfrc", "");
    stack.ok(&["apply", "-auto-approve"]);
    let error = stack.fails(&["eject", "-terraform", "store.first"]);
    assert!(error.contains("`store.many` cannot be ejected: it is left"), "{error}");
    stack.ok(&["eject", "-terraform"]);
    assert!(!file(&stack, "main.tf").contains("moved"), "{}", file(&stack, "main.tf"));
    empty(&stack);
    let history = stack.ok(&["history"]);
    assert!(history.contains("eject"), "{history}");
    stack.ok(&["state", "export", "-give-back"]);
    let Some(init) = terraform(&stack, &["init"]) else { return };
    assert_eq!(init.code, Some(0), "{}", init.err);
    let plan = terraform(&stack, &["plan", "-detailed-exitcode"]).expect("it was there");
    assert_eq!(plan.code, Some(0), "{}\n{}", plan.out, plan.err);
}

#[test]
fn what_cannot_be_ejected_is_refused_and_nothing_is_written() {
    let inner = r#"component_type "outer" {
  implementation "local" {
    backend = "local"
    source  = "./outer"
  }
}
"#;
    let table = [
        (USES.to_owned(), "store.frist", "did you mean `store.first`?"),
        (
            format!("{USES}module \"store_first\" {{\n  source = \"./store2\"\n}}\n"),
            "store.first",
            "`module.store_first`, which is there already",
        ),
        (
            format!("{inner}outer \"o\" {{}}\n{USES}"),
            "outer.o",
            "has a component within its implementation",
        ),
        ("stack {}\n".to_owned(), "store.a", "the root module has no components"),
    ];
    for (main, address, wanted) in table {
        let stack = own();
        stack.write("main.tf", &main);
        stack.write("store2/main.tf", "");
        stack.write("outer/main.tf", "store \"inner\" {}\n");
        let error = stack.fails(&["eject", address]);
        let words: Vec<&str> = error
            .split(|c: char| c.is_whitespace() || c == '│')
            .filter(|word| !word.is_empty())
            .collect();
        assert!(words.join(" ").contains(wanted), "{wanted}\n{error}");
        assert_eq!(file(&stack, "main.tf"), main);
        assert!(!stack.dir().join("ejected").exists());
    }
    let stack = own();
    stack.write("ejected/store_first/main.tf", "# mine\n");
    let error = stack.fails(&["eject"]);
    assert!(error.contains("is there already"), "{error}");
    assert_eq!(file(&stack, "main.tf"), USES);
    let error = stack.fails(&["eject", "-out=../elsewhere"]);
    assert!(error.contains("is not the name of a folder within this one"), "{error}");
}

#[test]
fn a_resource_still_cannot_become_a_module() {
    let stack = Stack::new(&[
        (
            "main.tf",
            "module \"m\" {\n  source = \"./m\"\n}\nmoved {\n  from = terraform_data.a\n  to   = module.m\n}\n",
        ),
        ("m/main.tf", ""),
    ]);
    let error = stack.fails(&["plan"]);
    assert!(error.contains("a resource cannot be moved to a module"), "{error}");
}

/// Planned resources by the address that they have once their component is a module, with what is planned of each.
fn planned(stack: &Stack, run: &dyn Fn(&[&str]) -> String) -> BTreeMap<String, Json> {
    run(&["plan", "-out=p"]);
    let json: Json = serde_json::from_str(&run(&["show", "-json", "p"])).expect("JSON");
    std::fs::remove_file(stack.dir().join("p")).expect("a plan file");
    let changes = json["resource_changes"].as_array().expect("changes");
    let named = |change: &Json| {
        let address = change["address"].as_str().expect("an address");
        let mut parts = address.splitn(3, '.').collect::<Vec<_>>().into_iter();
        let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let module =
            if first == "module" { second.to_owned() } else { format!("{first}_{second}") };
        let what = serde_json::json!([change["change"]["actions"], change["change"]["after"]]);
        (format!("{module}.{}", parts.next().unwrap_or_default()), what)
    };
    changes.iter().map(named).collect()
}

fn ejected_plans_the_same(stack: &Stack, run: &dyn Fn(&[&str]) -> String) {
    let before = planned(stack, run);
    assert!(!before.is_empty());
    run(&["eject"]);
    same(&before, &planned(stack, run));
}

fn same(before: &BTreeMap<String, Json>, after: &BTreeMap<String, Json>) {
    let names = |plan: &BTreeMap<String, Json>| plan.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(before), names(after));
    for (name, value) in before {
        assert_eq!(value, &after[name], "{name}");
    }
}

fn example(name: &str, stack: &Stack) {
    let (examples, dir) = (workspace().join("examples"), stack.dir());
    copy(&examples.join(name), &dir);
    for other in ["quickstart", "pretrain-p5"] {
        copy(&examples.join(other), &dir.parent().expect("a folder").join(other));
    }
}

#[test]
fn implementations_of_google_plan_the_same() {
    for name in ["pretrain-google", "scale-to-zero-google"] {
        let stack = Stack::new(&[]);
        let schemas = workspace().join("examples/schemas/google.json");
        stack.write(
            ".stratiform/schemas/google.json",
            &std::fs::read_to_string(schemas).expect("schemas"),
        );
        example(name, &stack);
        ejected_plans_the_same(&stack, &|args| stack.ok(args));
    }
}

/// A stack with the provider of AWS at hand; `None` where it is missing, and says so.
fn with_aws(files: &[(&str, &str)]) -> Option<Stack> {
    let mirror = std::env::var("STRATIFORM_TEST_PROVIDER_MIRROR").ok();
    let Some(mirror) = mirror.filter(|dir| Path::new(dir).is_dir()) else {
        println!("skipped: STRATIFORM_TEST_PROVIDER_MIRROR names no folder");
        return None;
    };
    let stack = Stack::new(files);
    let rc = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n"
    );
    stack.write("cli.tfrc", &rc);
    Some(stack)
}

fn with_provider(stack: &Stack, args: &[&str]) -> String {
    let mut command = stack.command(args);
    command.env("TF_CLI_CONFIG_FILE", stack.dir().join("cli.tfrc"));
    let ran = ran(command.output().expect("the binary runs"));
    assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
    ran.out
}

#[test]
fn implementations_of_aws_plan_the_same() {
    for name in ["pretrain-p5", "scale-to-zero", "finetune-serve"] {
        let Some(stack) = with_aws(&[]) else { return };
        example(name, &stack);
        stack.write("offline_override.tf", include_str!("clouds/aws_offline.tf"));
        // What is planned is compared, and no check is to stand in the way.
        let scales = |line: &str| line.trim_start().starts_with("min ") && line.ends_with("= 0");
        let main: Vec<String> = file(&stack, "main.tf")
            .lines()
            .map(|line| if scales(line) { "    min = 1".to_owned() } else { line.to_owned() })
            .collect();
        stack.write("main.tf", &main.join("\n"));
        let run = |args: &[&str]| with_provider(&stack, args);
        run(&["init"]);
        ejected_plans_the_same(&stack, &run);
    }
}

/// Nothing is planned for an object, unless the emulator gives it back otherwise than it was made.
fn settled(name: &str, change: &Json) {
    let is_known = emulator::FORGETFUL.iter().any(|kind| name.contains(&format!(".{kind}")));
    assert!(is_known || change[0] == serde_json::json!(["no-op"]), "{name}: {change}");
}

#[test]
fn every_other_type_of_aws_plans_the_same() {
    let Some(stack) = with_aws(&PARTS) else { return };
    stack.write("main.tf", include_str!("standard_types/aws.tf"));
    stack.write("planned.tf", include_str!("standard_types/aws_planned.tf"));
    let run = |args: &[&str]| with_provider(&stack, args);
    run(&["init"]);
    ejected_plans_the_same(&stack, &run);
}

#[test]
fn what_is_applied_on_the_emulator_goes_on_with_us_and_with_terraform() {
    if std::env::var_os("STRATIFORM_TEST_AWS").is_none() {
        println!("skipped: STRATIFORM_TEST_AWS is not set");
        return;
    }
    let main = include_str!("clouds/emulated.tf");
    let files = [
        ("main.tf", main),
        ("corpus/a.txt", "once upon a time\n"),
        ("code/tokens.py", "print('tokens')\n"),
        ("code/train.py", "print('train')\n"),
    ];
    let Some(stack) = with_aws(&files) else { return };
    let Some((_emulator, port)) = emulator::start() else {
        println!("skipped: there is no moto_server on the path");
        return;
    };
    stack.write("terraform.tfvars", &format!("endpoint = \"http://127.0.0.1:{port}\"\n"));
    let run = |args: &[&str]| with_provider(&stack, args);
    run(&["init"]);
    run(&["apply", "-auto-approve", "-parallelism=20"]);
    // The emulator gives some objects back otherwise than they were made: what is planned of them stays the same too.
    let before = planned(&stack, &run);
    run(&["eject"]);
    let after = planned(&stack, &run);
    same(&before, &after);
    for (name, change) in &after {
        settled(name, change);
    }

    stack.write("main.tf", main);
    std::fs::remove_dir_all(stack.dir().join("ejected")).expect("a folder");
    run(&["eject", "-terraform"]);
    same(&before, &planned(&stack, &run));
    run(&["state", "export", "-give-back"]);
    let Some(init) = terraform(&stack, &["init"]) else { return };
    assert_eq!(init.code, Some(0), "{}", init.err);
    let theirs = planned(&stack, &|args| {
        let ran = terraform(&stack, args).expect("it was there");
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
        ran.out
    });
    for (name, change) in &theirs {
        settled(name, change);
    }
}
