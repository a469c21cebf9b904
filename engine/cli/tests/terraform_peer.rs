//! Terraform itself with our providers, and the AWS provider with our engine. Skipped where the peer is missing.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Ran, Stack, ran};
use serde_json::Value as Json;

const CONFIG: &str = r#"
terraform {
  required_providers {
    core = { source = "stratiform/core" }
    sim  = { source = "stratiform/sim" }
  }
}

provider "sim" {
  world = "world"
}

variable "zone" {
  default = "a"
}

resource "core_random_id" "a" {
  byte_length = 4
}

resource "core_wait" "w" {
  create_ms = 1
}

resource "sim_node" "n" {
  count  = 2
  name   = "n${count.index}"
  size   = 0.1
  zone   = var.zone
  secret = "hidden"
  inputs = [core_wait.w.id]
}

output "names" {
  value = sim_node.n[*].name
}
"#;

fn terraform() -> bool {
    let found = Command::new("terraform").arg("version").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: there is no terraform on the path");
    }
    found
}

/// Terraform in a stack's folder, with a CLI configuration of its own.
fn tf(stack: &Stack, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut command = Command::new("terraform");
    command.args(args).current_dir(stack.dir()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", stack.home()).env("STRATIFORM_HOME", stack.home());
    command.env("TF_CLI_CONFIG_FILE", stack.dir().join("cli.tfrc"));
    command.env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1");
    command.envs(env.iter().copied());
    ran(command.output().expect("terraform runs"))
}

fn tf_ok(stack: &Stack, args: &[&str], env: &[(&str, &str)]) -> String {
    let ran = tf(stack, args, env);
    assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
    ran.out
}

/// The objects of a state by address, without what is chosen at random.
fn objects(state: &str) -> Vec<(String, Json)> {
    let state: Json = serde_json::from_str(state).expect("a state is JSON");
    let mut found = Vec::new();
    for resource in state["resources"].as_array().expect("resources") {
        for instance in resource["instances"].as_array().expect("instances") {
            let mut instance = instance.clone();
            for name in ["id", "hex", "result", "inputs"] {
                let attributes = instance["attributes"].as_object_mut().expect("attributes");
                if attributes.get(name).is_some_and(|value| !value.is_null()) {
                    attributes.insert(name.to_owned(), Json::from("some"));
                }
            }
            let address = format!(
                "{}.{}[{}] {}",
                resource["type"], resource["name"], instance["index_key"], resource["provider"]
            );
            found.push((address, instance));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Gives a stack a mirror of our providers, and lets Terraform install them.
fn mirrored(stack: &Stack, providers: &[&str]) {
    let mirror = stack.dir().join("mirror");
    for name in providers {
        let out = format!("-out={}", mirror.display());
        stack.ok(&["provider", "package", name, &out, "-version=1.2.3"]);
    }
    let rc = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        mirror.display()
    );
    stack.write("cli.tfrc", &rc);
    tf_ok(stack, &["init", "-no-color"], &[]);
}

#[test]
fn terraform_uses_our_providers_and_gets_the_same_state() {
    if !terraform() {
        return;
    }
    let theirs = Stack::new(&[("main.tf", CONFIG)]);
    mirrored(&theirs, &["core", "sim"]);
    tf_ok(&theirs, &["apply", "-auto-approve", "-no-color"], &[]);
    let empty = tf(&theirs, &["plan", "-detailed-exitcode", "-no-color"], &[]);
    assert_eq!(empty.code, Some(0), "{}", empty.out);

    let ours = Stack::new(&[("main.tf", CONFIG)]);
    ours.ok(&["apply", "-auto-approve"]);
    ours.ok(&["plan", "-detailed-exitcode"]);
    let state = std::fs::read_to_string(theirs.dir().join("terraform.tfstate")).expect("a state");
    assert_eq!(objects(&state), objects(&ours.ok(&["state", "pull"])));

    // A change that needs new objects.
    let plan = tf_ok(&theirs, &["plan", "-no-color", "-var=zone=b"], &[]);
    assert!(plan.contains("2 to add, 0 to change, 2 to destroy"), "{plan}");
    assert!(plan.contains("forces replacement"), "{plan}");
    tf_ok(&theirs, &["apply", "-auto-approve", "-no-color", "-var=zone=b"], &[]);

    // An object that Terraform lost comes back by import.
    let show: Json = serde_json::from_str(&tf_ok(&theirs, &["show", "-json"], &[])).expect("JSON");
    let resources = show["values"]["root_module"]["resources"].as_array().expect("resources");
    let node = resources.iter().find(|one| one["address"] == "sim_node.n[1]").expect("a node");
    let id = node["values"]["id"].as_str().expect("an id").to_owned();
    tf_ok(&theirs, &["state", "rm", "sim_node.n[1]"], &[]);
    tf_ok(&theirs, &["import", "-no-color", "-var=zone=b", "sim_node.n[1]", &id], &[]);
    let empty = tf(&theirs, &["plan", "-detailed-exitcode", "-no-color", "-var=zone=b"], &[]);
    assert_eq!(empty.code, Some(0), "{}", empty.out);
    tf_ok(&theirs, &["destroy", "-auto-approve", "-no-color"], &[]);
    assert!(tf_ok(&theirs, &["state", "list"], &[]).is_empty());
}

#[test]
fn what_was_unknown_is_checked_again_in_apply_as_terraform_does() {
    if !terraform() {
        return;
    }
    let main = CONFIG.replace("  size   = 0.1\n", "  size   = 1\n");
    let main = main.replace("name   = \"n${count.index}\"", "name   = terraform_data.t.output");
    let main = format!("{main}resource \"terraform_data\" \"t\" {{\n  input = \"\"\n}}\n");
    let theirs = Stack::new(&[("main.tf", &main)]);
    mirrored(&theirs, &["core", "sim"]);
    tf_ok(&theirs, &["plan", "-no-color"], &[]);
    let refused = tf(&theirs, &["apply", "-auto-approve", "-no-color"], &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(refused.err.contains("a name is required"), "{}", refused.err);
    let ours = Stack::new(&[("main.tf", &main)]);
    ours.ok(&["plan"]);
    assert!(ours.fails(&["apply", "-auto-approve"]).contains("a name is required"));
    assert_eq!(tf_ok(&theirs, &["state", "list"], &[]), ours.ok(&["state", "list"]));
}

const EVERY_KIND: &str = r#"
terraform {
  required_providers {
    core  = { source = "stratiform/core" }
    local = { source = "stratiform/local" }
    sim   = { source = "stratiform/sim" }
  }
}

provider "sim" {
  world = "world"
}

resource "sim_node" "n" {
  name = provider::core::slug("A Node, the 1st!")
  size = 3
}

data "sim_lookup" "found" {
  name       = sim_node.n.name
  depends_on = [sim_node.n]
}

ephemeral "sim_lease" "key" {
  name = "key"
}

resource "sim_node" "locked" {
  name      = "locked"
  secret_wo = ephemeral.sim_lease.key.token
}

resource "local_volume" "v" {
  name         = "v"
  capacity_gib = 1
  source       = "${path.module}/source"
}

resource "local_job" "j" {
  name     = "j"
  command  = ["sh", "-c", "wc -c < data/a.txt > out.txt"]
  mounts   = { data = local_volume.v.path }
  outputs  = { count = "out.txt" }
  triggers = { content = local_volume.v.fingerprint }
}

output "seen" {
  value = [
    sim_node.n.name,
    data.sim_lookup.found.size,
    local_volume.v.fingerprint,
    local_volume.v.files,
    local_job.j.state,
    local_job.j.exit_code,
    trimspace(file(local_job.j.artifacts["count"].path)),
  ]
}
"#;

#[test]
fn functions_data_sources_and_ephemeral_resources_of_ours_work_in_terraform() {
    if !terraform() {
        return;
    }
    let stack = || {
        let files = [("main.tf", EVERY_KIND), ("source/a.txt", "some text")];
        let stack = Stack::new(&files);
        std::fs::create_dir_all(stack.home()).expect("a folder can be made");
        stack
    };
    let log = |stack: &Stack| {
        std::fs::read_to_string(stack.dir().join("world/calls.log")).unwrap_or_default()
    };
    let theirs = stack();
    mirrored(&theirs, &["core", "local", "sim"]);
    tf_ok(&theirs, &["apply", "-auto-approve", "-no-color"], &[]);
    let seen = tf_ok(&theirs, &["output", "-json", "seen"], &[]);
    let empty = tf(&theirs, &["plan", "-detailed-exitcode", "-no-color"], &[]);
    assert_eq!(empty.code, Some(0), "{}\n{}", empty.out, empty.err);
    // Opened once for each walk that needs it, given to the write-only argument, and closed as often.
    let calls = log(&theirs);
    let count = |calls: &str, word: &str| calls.lines().filter(|line| *line == word).count();
    assert!(count(&calls, "open key") >= 2, "{calls}");
    assert_eq!(count(&calls, "open key"), count(&calls, "close key"), "{calls}");
    assert!(calls.contains("write-only locked 12 bytes"), "{calls}");
    let state = std::fs::read_to_string(theirs.dir().join("terraform.tfstate")).expect("a state");
    assert!(!state.contains("token-of-key"), "the secret is stored");

    let ours = stack();
    ours.ok(&["apply", "-auto-approve"]);
    let json = |text: &str| serde_json::from_str::<Json>(text).expect("JSON");
    let own = json(&ours.ok(&["output", "-json", "seen"]));
    assert_eq!(json(&seen), own);
    assert_eq!(
        (&own[0], &own[1], &own[6]),
        (&json("\"a-node-the-1st\""), &json("3"), &json("\"9\""))
    );
    assert_eq!(count(&log(&ours), "open key"), count(&log(&ours), "close key"));
    ours.ok(&["plan", "-detailed-exitcode"]);
    ours.ok(&["destroy", "-auto-approve"]);
    tf_ok(&theirs, &["destroy", "-auto-approve", "-no-color"], &[]);
    assert!(tf_ok(&theirs, &["state", "list"], &[]).is_empty());
}

/// A process that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn terraform_attaches_to_a_served_provider() {
    use std::io::BufRead as _;
    if !terraform() {
        return;
    }
    let stack = Stack::new(&[("main.tf", CONFIG), ("cli.tfrc", "")]);
    let mut env = Vec::new();
    let mut entries = serde_json::Map::new();
    for name in ["core", "sim"] {
        let mut command = stack.command(&["provider", "serve", name, "-reattach"]);
        let mut child = Ends(command.stdout(Stdio::piped()).spawn().expect("it serves"));
        let mut line = String::new();
        let out = child.0.stdout.take().expect("piped");
        std::io::BufReader::new(out).read_line(&mut line).expect("a line");
        let value =
            line.trim().trim_start_matches("TF_REATTACH_PROVIDERS='").trim_end_matches('\'');
        let Json::Object(entry) = serde_json::from_str(value).expect("JSON") else {
            panic!("{line}")
        };
        entries.extend(entry);
        env.push(child);
    }
    let attach = Json::Object(entries).to_string();
    let env = [("TF_REATTACH_PROVIDERS", &*attach)];
    tf_ok(&stack, &["init", "-no-color"], &env);
    tf_ok(&stack, &["apply", "-auto-approve", "-no-color"], &env);
    let empty = tf(&stack, &["plan", "-detailed-exitcode", "-no-color"], &env);
    assert_eq!(empty.code, Some(0), "{}\n{}", empty.out, empty.err);
    // The engine attaches to the same processes.
    let mut ours = stack.command(&["plan"]);
    let ran = ran(ours.env("TF_REATTACH_PROVIDERS", &attach).output().expect("it runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

const AWS: &str = r#"
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  endpoints {
    ec2 = "http://127.0.0.1:PORT"
    s3  = "http://127.0.0.1:PORT"
    iam = "http://127.0.0.1:PORT"
    sts = "http://127.0.0.1:PORT"
  }
}

variable "name" {
  default = "one"
}

data "aws_region" "here" {}

resource "aws_vpc" "net" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = var.name }
}

resource "aws_subnet" "part" {
  count      = 2
  vpc_id     = aws_vpc.net.id
  cidr_block = cidrsubnet(aws_vpc.net.cidr_block, 8, count.index)
}

resource "aws_security_group" "all" {
  name   = "all-NAME"
  vpc_id = aws_vpc.net.id
  ingress {
    from_port = 0
    to_port   = 0
    protocol  = "-1"
    self      = true
  }
}

resource "aws_s3_bucket" "data" {
  bucket        = "data-NAME"
  force_destroy = true
}

resource "aws_iam_role" "node" {
  name               = "node-NAME"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
"#;

fn emulator() -> Option<(Ends, u16)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    let mut command = Command::new("moto_server");
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let child = Ends(child);
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some((child, port));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    None
}

/// Says that providers come from the mirror that has the AWS provider; `None` if there is none.
fn use_mirror(stack: &Stack) -> Option<()> {
    let mirror = std::env::var("STRATIFORM_TEST_PROVIDER_MIRROR").ok()?;
    let inside = "registry.terraform.io/hashicorp/aws";
    Path::new(&mirror).join(inside).is_dir().then_some(())?;
    let rc = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n"
    );
    stack.write("cli.tfrc", &rc);
    std::fs::create_dir_all(stack.home()).ok()?;
    std::fs::write(stack.home().join(".terraformrc"), rc).ok()
}

#[test]
fn the_aws_provider_lives_through_a_whole_life() {
    let stack = Stack::new(&[]);
    if use_mirror(&stack).is_none() {
        println!("skipped: STRATIFORM_TEST_PROVIDER_MIRROR names no folder with the AWS provider");
        return;
    }
    let Some((_emulator, port)) = emulator() else {
        println!("skipped: there is no moto_server on the path");
        return;
    };
    let text = AWS.replace("PORT", &port.to_string()).replace("NAME", "life");
    stack.write("main.tf", &text);
    stack.ok(&["init"]);
    let record = stack.dir().join("calls.txt");
    let ours = |args: &[&str]| {
        let mut command = stack.command(args);
        command.env("STRATIFORM_RECORD_PROVIDERS", &record);
        ran(command.output().expect("it runs"))
    };
    let recorded = || {
        let text = std::fs::read_to_string(&record).unwrap_or_default();
        let _ = std::fs::remove_file(&record);
        text
    };
    let created = ours(&["apply", "-auto-approve"]);
    assert_eq!(created.code, Some(0), "{}\n{}", created.out, created.err);
    assert_eq!(recorded().matches("ApplyResourceChange >").count(), 6);

    // Looking changes nothing, and says so in its calls.
    let empty = ours(&["plan", "-detailed-exitcode"]);
    assert_eq!(empty.code, Some(0), "{}\n{}", empty.out, empty.err);
    let calls = recorded();
    assert!(calls.contains("ReadResource >") && !calls.contains("ApplyResourceChange"));

    // Neither of these needs a process once the schemas are known.
    for args in [&["state", "list"][..], &["show"]] {
        assert_eq!(ours(args).code, Some(0), "{args:?}");
        assert_eq!(recorded(), "", "{args:?} started the provider");
    }

    let changed = ours(&["apply", "-auto-approve", "-var=name=two"]);
    assert_eq!(changed.code, Some(0), "{}\n{}", changed.out, changed.err);
    assert!(changed.out.contains("0 added, 1 changed, 0 destroyed"), "{}", changed.out);

    let gone = ours(&["destroy", "-auto-approve"]);
    assert_eq!(gone.code, Some(0), "{}\n{}", gone.out, gone.err);
    assert_eq!(stack.ok(&["state", "list"]), "");
}

#[test]
fn schemas_are_printed_as_terraform_prints_them() {
    let stack = Stack::new(&[(
        "main.tf",
        "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\" }\n  }\n}\n",
    )]);
    if use_mirror(&stack).is_none() || !terraform() {
        println!("skipped: no mirror with the AWS provider, or no terraform");
        return;
    }
    stack.ok(&["init"]);
    let ours: Json =
        serde_json::from_str(&stack.ok(&["providers", "schema", "-json"])).expect("JSON");
    // Terraform takes the folder and the lock file that our `init` has written.
    tf_ok(&stack, &["init", "-no-color", "-lockfile=readonly"], &[]);
    let theirs: Json =
        serde_json::from_str(&tf_ok(&stack, &["providers", "schema", "-json"], &[])).expect("JSON");
    assert!(ours == theirs, "the schemas differ");
}
