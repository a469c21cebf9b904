//! The implementations of component types on clouds.
//!
//! AWS: planned with the real provider, which the folder that `STRATIFORM_TEST_PROVIDER_MIRROR` names must have, and
//! applied on an emulator where `STRATIFORM_TEST_AWS` is set and `moto_server` is on the path, which takes minutes. Google: planned
//! by a file of schemas.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test binary"
)]

#[path = "clouds/emulator.rs"]
mod emulator;
#[path = "clouds/golden.rs"]
mod golden;

mod common;

use std::path::Path;

use common::{Ran, Stack, copy, ran, workspace};
use serde_json::Value as Json;

const OFFLINE: &str = include_str!("clouds/aws_offline.tf");

/// A stack with the provider at hand; `None` where it is missing, and says so.
fn with_provider(files: &[(&str, &str)]) -> Option<Stack> {
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

fn run(stack: &Stack, args: &[&str]) -> Ran {
    let mut command = stack.command(args);
    command.env("TF_CLI_CONFIG_FILE", stack.dir().join("cli.tfrc"));
    ran(command.output().expect("the binary runs"))
}

fn ok(stack: &Stack, args: &[&str]) -> String {
    let ran = run(stack, args);
    assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
    ran.out
}

fn plan(stack: &Stack) -> (String, Json) {
    let text = ok(stack, &["plan", "-out=p"]);
    (text, serde_json::from_str(&ok(stack, &["show", "-json", "p"])).expect("JSON"))
}

/// The plan of an example on AWS, as it was read by a person.
fn example(name: &str, arguments: &[&str], golden: &str) {
    let Some(stack) = with_provider(&[]) else { return };
    copy_example(name, &stack);
    stack.write("offline_override.tf", OFFLINE);
    ok(&stack, &["init"]);
    let text = ok(&stack, &[&["plan", "-out=p"], arguments].concat());
    let json = serde_json::from_str(&ok(&stack, &["show", "-json", "p"])).expect("JSON");
    insta::assert_snapshot!(golden, golden::shown(&text, &json));
}

/// An example in the folder of a stack; what it takes from others lies beside that.
fn copy_example(name: &str, stack: &Stack) {
    let (examples, dir) = (workspace().join("examples"), stack.dir());
    copy(&examples.join(name), &dir);
    for other in ["quickstart", "pretrain-p5"] {
        copy(&examples.join(other), &dir.parent().expect("a folder").join(other));
    }
}

#[test]
fn pre_training_on_p5_is_planned() {
    example("pretrain-p5", &[], "plan_of_pretrain_p5");
}

#[test]
fn an_endpoint_that_goes_to_zero_is_planned() {
    example("scale-to-zero", &[], "plan_of_scale_to_zero");
}

#[test]
fn a_laptops_stack_is_planned_on_a_cloud() {
    example("laptop-to-cloud", &["-var=backend=aws"], "plan_of_laptop_to_cloud");
}

#[test]
fn a_laptops_stack_needs_no_cloud() {
    let stack = Stack::new(&[]);
    copy_example("laptop-to-cloud", &stack);
    let text = stack.ok(&["plan"]);
    assert!(text.contains("cluster.train on this-machine (local)"), "{text}");
    assert!(text.contains("Plan: 4 to add"), "{text}");
}

#[test]
fn a_component_type_of_ones_own_is_planned_made_and_taken_away() {
    let stack = Stack::new(&[]);
    copy_example("custom-component", &stack);
    stack.ok(&["init"]);
    let text = stack.ok(&["plan"]);
    assert!(text.contains("queue.jobs on this-machine (local)"), "{text}");
    assert!(text.contains("Plan: 1 to add, 0 to change, 0 to destroy."), "{text}");
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.ok(&["state", "list"]).trim(), "queue.jobs.terraform_data.queue");
    assert!(!stack.ok(&["output", "-raw", "queue"]).trim().is_empty());
    let again = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{}{}", again.out, again.err);
    let main = std::fs::read_to_string(stack.dir().join("main.tf")).expect("it was copied");
    stack.write("main.tf", &main.replace("size = 3", "size = 0"));
    let error = stack.fails(&["plan"]);
    assert!(error.contains("A queue needs room for at least one job."), "{error}");
    stack.write("main.tf", &main);
    stack.ok(&["destroy", "-auto-approve"]);
    assert_eq!(stack.ok(&["state", "list"]).trim(), "");
}

#[test]
fn fine_tuning_and_serving_on_kubernetes_is_planned() {
    example("finetune-serve", &[], "plan_of_finetune_serve");
}

/// Google is known by its schema alone: nothing of this was seen by the real provider.
fn example_on_google(name: &str, golden: &str) {
    let stack = google();
    copy_example(name, &stack);
    let text = stack.ok(&["plan", "-out=p"]);
    let json = serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
    insta::assert_snapshot!(golden, golden::shown(&text, &json));
}

#[test]
fn pre_training_on_google_is_planned() {
    example_on_google("pretrain-google", "plan_of_pretrain_google");
}

#[test]
fn an_endpoint_on_google_that_goes_to_zero_is_planned() {
    example_on_google("scale-to-zero-google", "plan_of_scale_to_zero_google");
}

#[test]
fn what_is_said_of_a_step_for_the_checks_starts_no_new_run() {
    let stack = google();
    copy_example("pretrain-google", &stack);
    let digest = || {
        stack.ok(&["plan", "-out=p"]);
        let plan: Json = serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
        let output = &plan["planned_values"]["outputs"]["digest"]["value"];
        output.as_str().expect("it is known while planning").to_owned()
    };
    let main = std::fs::read_to_string(stack.dir().join("main.tf")).expect("it was copied");
    let main = format!(
        "{main}\noutput \"digest\" {{\n  value = pipeline.pretrain.artifacts[\"model\"].digest\n}}\n"
    );
    stack.write("main.tf", &main);
    let before = digest();
    let described = "    reads = { mount = \"/corpus\", mb_per_s = 10 }\n    timeout_s = 432000";
    stack.write("main.tf", &main.replace("    timeout_s = 432000", described));
    assert_eq!(digest(), before);
    stack.write("main.tf", &main.replace("432000", "432001"));
    assert_ne!(digest(), before, "another limit is another job");
}

fn google() -> Stack {
    let stack = Stack::new(&[]);
    let schemas = workspace().join("examples/schemas/google.json");
    let schemas = std::fs::read_to_string(schemas).expect("schemas");
    stack.write(".stratiform/schemas/google.json", &schemas);
    stack
}

#[test]
fn what_does_not_fit_on_google_is_said_while_planning() {
    let stack = google();
    let main = |fabric: &str, more: &str| {
        format!(
            "provider \"google\" {{\n  project = \"p\"\n}}\nstack {{\n  placement {{\n    backends = [\"google\"]\n    regions = [\"us-east4\"]\n  }}\n}}\nfabric \"f\" {{\n  options = {{ google = {{ {fabric} }} }}\n}}\ncluster \"c\" {{\n  accelerator = {{ type = \"h100\", count = 8 }}\n  fabric = fabric.f\n  try = [{{ machine = \"a3-megagpu-8g\" }}]\n}}\n{more}"
        )
    };
    let table = [
        (main("cards = \"tcpxo\"", ""), "The catalog does not know the zones of"),
        (main("zone = \"us-east4-a\"", ""), "a3-megagpu-8g has cards of its own for tcpxo"),
        (main("zone = \"us-east4-a\", card = 1", ""), "A fabric on Google knows no option card"),
        (
            main(
                "zone = \"us-east4-a\", cards = \"tcpxo\"",
                "filesystem \"s\" {\n  capacity_gib = 100\n}\n",
            ),
            "stands in a network: set fabric, or network and zone in options.google",
        ),
        (
            main("zone = \"us-east4-a\", cards = \"tcpxo\"", ONE_STEP),
            "its cluster keeps 1 nodes that are paid for beside them: write min_nodes = 0",
        ),
        (
            main("zone = \"us-east4-a\", cards = \"tcpxo\"", SERVED),
            "Cloud Run gives each replica one nvidia-l4, and its cluster was placed on H100",
        ),
    ];
    for (main, wanted) in &table {
        stack.write("main.tf", main);
        let error = stack.fails(&["plan"]);
        assert!(words(&error).contains(wanted), "{wanted}\n{error}");
    }
}

/// A cluster on AWS with a fabric, and what is said of it.
fn cluster(settings: &str, fabric: &str, region: &str) -> String {
    format!(
        r#"
provider "aws" {{ region = "{region}" }}
stack {{
  placement {{
    backends = ["aws"]
    regions  = ["us-east-1"]
  }}
}}
fabric "f" {{
  options = {{ aws = {{ {fabric} }} }}
}}
cluster "c" {{
  fabric = fabric.f
  {settings}
}}
"#
    )
}

/// A pipeline on the cluster: its machines are not the cluster's.
const ONE_STEP: &str =
    "pipeline \"p\" {\n  cluster = cluster.c\n  step \"s\" {\n    command = [\"train\"]\n  }\n}\n";

/// An endpoint on the cluster.
const SERVED: &str = "pipeline \"p\" {\n  cluster = cluster.c\n  step \"s\" {\n    command = [\"train\"]\n    outputs = { m = \"m\" }\n  }\n  options = { google = { beside_nodes = true } }\n}\nendpoint \"e\" {\n  model   = pipeline.p.artifacts[\"m\"]\n  command = [\"serve\"]\n  cluster = cluster.c\n  scale {\n    min = 0\n    max = 1\n  }\n}\n";

const P5: &str = "accelerator = { type = \"h100\", count = 8 }\n";

/// The launch template of a plan.
fn template(plan: &Json) -> &Json {
    let changes = plan["resource_changes"].as_array().expect("changes");
    let found = changes.iter().find(|change| change["type"] == "aws_launch_template");
    &found.expect("a launch template")["change"]["after"]
}

#[test]
fn every_network_card_gets_an_adapter() {
    let Some(stack) = with_provider(&[("offline_override.tf", OFFLINE)]) else { return };
    // Cards and adapters as the catalog has them; the largest has a card for ordinary traffic alone.
    let table = [
        ("h100", "us-east-1a", "p5.48xlarge", 32, "efa"),
        ("a100-40", "us-east-1a", "p4d.24xlarge", 4, "efa"),
        ("b300", "us-east-1a", "p6-b300.48xlarge", 17, "interface"),
        ("trainium", "us-east-1b", "trn1.32xlarge", 8, "efa"),
    ];
    for (chip, zone, machine, cards, first) in table {
        let count = if chip == "trainium" { 16 } else { 8 };
        let chip = format!("accelerator = {{ type = \"{chip}\", count = {count} }}");
        stack.write("main.tf", &cluster(&chip, &format!("zone = \"{zone}\""), "us-east-1"));
        ok(&stack, &["init"]);
        let (_, plan) = plan(&stack);
        let template = template(&plan);
        assert_eq!(template["instance_type"], machine);
        let interfaces = template["network_interfaces"].as_array().expect("interfaces");
        assert_eq!(interfaces.len(), cards, "{machine}");
        for (at, one) in interfaces.iter().enumerate() {
            assert_eq!(one["network_card_index"], at, "{machine}");
            assert_eq!(one["device_index"], usize::from(at > 0), "{machine}");
            assert_eq!(
                one["interface_type"],
                if at == 0 { first } else { "efa-only" },
                "{machine}"
            );
        }
    }
}

#[test]
fn what_is_bought_shows_in_the_launch_template() {
    let Some(stack) = with_provider(&[("offline_override.tf", OFFLINE)]) else { return };
    let wanted = |purchase: &str, options: &str| {
        let settings = format!(
            "{P5}try = [{{ purchase = \"{purchase}\" }}]\noptions = {{ aws = {{ {options} }} }}"
        );
        cluster(&settings, "zone = null", "us-east-1")
    };
    stack.write("main.tf", &wanted("spot", "root_gib = 300"));
    ok(&stack, &["init"]);
    let (_, spot) = plan(&stack);
    assert_eq!(template(&spot)["instance_market_options"][0]["market_type"], "spot");
    assert_eq!(template(&spot)["block_device_mappings"][0]["ebs"][0]["volume_size"], 300);
    // A placement group does not go with a block.
    stack.write("main.tf", &wanted("capacity_block", "capacity_reservation_id = \"cr-1\""));
    let (_, block) = plan(&stack);
    let block = template(&block);
    assert_eq!(block["instance_market_options"][0]["market_type"], "capacity-block");
    let target = &block["capacity_reservation_specification"][0]["capacity_reservation_target"][0];
    assert_eq!(target["capacity_reservation_id"], "cr-1");
    assert_eq!(block["placement"], serde_json::json!([]));
    stack.write("main.tf", &wanted("capacity_block", ""));
    let ran = run(&stack, &["plan"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(
        words(&ran.err).contains("A capacity block is bought before machines start"),
        "{}",
        ran.err
    );
}

/// Text without the frame of a diagnostic.
fn words(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn what_does_not_fit_is_said_while_planning() {
    let Some(stack) = with_provider(&[("offline_override.tf", OFFLINE)]) else { return };
    let table = [
        (
            cluster(P5, "zone = null", "eu-west-1"),
            "provider \"aws\" is configured for eu-west-1: write region = \"us-east-1\" there",
        ),
        (
            cluster(P5, "zon = \"us-east-1a\"", "us-east-1"),
            "A fabric on AWS knows no option zon; it has cidr",
        ),
        (
            cluster(P5, "zone = \"us-east-1z\"", "us-east-1"),
            "p5.48xlarge is not sold in us-east-1z, where the fabric is, but in us-east-1a",
        ),
        (cluster(P5, "vpc_id = \"vpc-1\"", "us-east-1"), "vpc_id needs subnet_ids beside it"),
        (
            format!(
                "{}\nfilesystem \"s\" {{\n  capacity_gib = 1200\n  source = \"s3://a/b\"\n}}\n",
                cluster(P5, "zone = null", "us-east-1")
            ),
            "A file system of kind efs starts empty",
        ),
        (
            format!("{}{ONE_STEP}", cluster(P5, "zone = null", "us-east-1")),
            "its cluster keeps 1 nodes that are paid for beside them: write min_nodes = 0",
        ),
    ];
    for (at, (main, wanted)) in table.iter().enumerate() {
        stack.write("main.tf", main);
        if at == 0 {
            ok(&stack, &["init"]);
        }
        let ran = run(&stack, &["plan"]);
        assert_eq!(ran.code, Some(1), "{wanted}\n{}", ran.out);
        assert!(words(&ran.err).contains(wanted), "{wanted}\n{}", ran.err);
    }
}

#[test]
fn the_emulator_takes_all_that_it_knows_and_gives_it_back() {
    if std::env::var_os("STRATIFORM_TEST_AWS").is_none() {
        println!("skipped: STRATIFORM_TEST_AWS is not set");
        return;
    }
    let Some(stack) = with_provider(&[
        ("main.tf", include_str!("clouds/emulated.tf")),
        ("corpus/a.txt", "once upon a time\n"),
        ("code/tokens.py", "print('tokens')\n"),
        ("code/train.py", "print('train')\n"),
    ]) else {
        return;
    };
    let Some((_emulator, port)) = emulator::start() else {
        println!("skipped: there is no moto_server on the path");
        return;
    };
    stack.write("terraform.tfvars", &format!("endpoint = \"http://127.0.0.1:{port}\"\n"));
    ok(&stack, &["init"]);
    let text = ok(&stack, &["apply", "-auto-approve", "-parallelism=20"]);
    assert!(text.contains("Apply complete! Resources: 59 added"), "{text}");
    assert_eq!(
        ok(&stack, &["output", "-raw", "url"]),
        "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/steady-endpoint/invocations"
    );
    let (_, again) = plan(&stack);
    for change in again["resource_changes"].as_array().expect("changes") {
        let kind = change["type"].as_str().expect("a type");
        let is_known = emulator::FORGETFUL.iter().any(|one| kind.starts_with(one));
        let is_still = change["change"]["actions"] == serde_json::json!(["no-op"]);
        assert!(is_still || is_known, "{}: {}", change["address"], change["change"]);
    }
    ok(&stack, &["destroy", "-auto-approve", "-parallelism=20"]);
    assert_eq!(ok(&stack, &["state", "list"]).trim(), "");
}
