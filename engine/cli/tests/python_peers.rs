//! Two implementations of the protocol in Python, made by others and without any of the usual code in Go: the packages `tf` and
//! `pyvider-components`, driven by our host, and by Terraform beside it.
//!
//! `STRATIFORM_PYTHON_PEERS` names a virtual environment that has them; `.ci/run` makes one. Without it the tests are
//! skipped.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use common::{Ran, Stack, ran};
use serde_json::{Value as Json, json};

/// A program of the virtual environment, if the module that it needs can be imported there.
fn program(name: &str, module: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("STRATIFORM_PYTHON_PEERS") else {
        println!("skipped: STRATIFORM_PYTHON_PEERS names no virtual environment");
        return None;
    };
    let bin = PathBuf::from(folder).join("bin");
    let mut python = Command::new(bin.join("python"));
    let found = python.args(["-c", &format!("import {module}")]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("skipped: the package behind `{module}` is not installed");
        return None;
    }
    Some(bin.join(name))
}

/// A stack, and a development override that names its provider's program.
fn stack(text: &str, source: &str, program: &std::path::Path) -> Stack {
    let stack = Stack::new(&[("main.tf", text)]);
    let folder = stack.dir().join("plugins");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let name = source.rsplit('/').next().expect("a source has parts");
    std::os::unix::fs::symlink(program, folder.join(format!("terraform-provider-{name}")))
        .expect("a link can be made");
    let rc = format!(
        "provider_installation {{\n  dev_overrides {{\n    \"{source}\" = \"{}\"\n  }}\n  direct {{}}\n}}\n",
        folder.display()
    );
    std::fs::create_dir_all(stack.home()).expect("a folder can be made");
    std::fs::write(stack.home().join(".terraformrc"), rc).expect("written");
    stack
}

/// Terraform in the same way; `None` where it is not there.
fn terraform(stack: &Stack, args: &[&str]) -> Option<Ran> {
    let mut command = Command::new("terraform");
    command.args(args).current_dir(stack.dir()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", stack.home());
    command.env("TF_CLI_CONFIG_FILE", stack.home().join(".terraformrc"));
    command.env("CHECKPOINT_DISABLE", "1");
    match command.output() {
        Ok(output) => Some(ran(output)),
        Err(_) => {
            println!("skipped: there is no terraform on the path to compare with");
            None
        }
    }
}

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

/// Attributes of all managed objects in a state.
fn objects(state: &str) -> Vec<Json> {
    let state = parsed(state);
    let resources = state["resources"].as_array().expect("resources").iter();
    let managed = resources.filter(|one| one["mode"] == "managed");
    managed.map(|one| json!([one["type"], one["instances"][0]["attributes"]])).collect()
}

const PYVIDER: &str = r#"
terraform {
  required_providers {
    pyvider = { source = "provide-io/pyvider" }
  }
}

resource "pyvider_file_content" "f" {
  filename = "out.txt"
  content  = "hello"
}

data "pyvider_file_info" "i" {
  path       = "out.txt"
  depends_on = [pyvider_file_content.f]
}

output "seen" {
  value = [provider::pyvider::upper("abc"), data.pyvider_file_info.i.size, pyvider_file_content.f.content_hash]
}
"#;

#[test]
fn pyvider_lives_through_a_whole_life() {
    let Some(program) = program("pyvider", "pyvider.components") else { return };
    let ours = stack(PYVIDER, "provide-io/pyvider", &program);
    ours.ok(&["validate"]);
    ours.ok(&["apply", "-auto-approve"]);
    let file = ours.dir().join("out.txt");
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "hello");
    let seen = parsed(&ours.ok(&["output", "-json", "seen"]));
    assert_eq!((&seen[0], &seen[1]), (&json!("ABC"), &json!(5)));
    ours.ok(&["plan", "-detailed-exitcode"]);

    // What tells its files apart is kept.
    let state = ours.ok(&["state", "pull"]);
    let managed = parsed(&state)["resources"].clone();
    let managed =
        managed.as_array().expect("resources").iter().find(|one| one["mode"] == "managed");
    let identity = managed.expect("one is managed")["instances"][0]["identity"].clone();
    assert!(identity.is_object(), "{state}");

    let import = format!(
        "{PYVIDER}\nimport {{\n  to       = pyvider_file_content.f\n  identity = {{ filename = \"out.txt\" }}\n}}\n"
    );
    // It is asked by it, and says that it cannot.
    let asked = stack(&import, "provide-io/pyvider", &program);
    assert!(asked.fails(&["plan"]).contains("does not support import"));

    // Found when somebody meddles, put right, changed, taken away.
    std::fs::write(&file, "meddled").expect("written");
    assert_eq!(ours.run(&["plan", "-detailed-exitcode"]).code, Some(2));
    ours.ok(&["apply", "-auto-approve"]);
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "hello");
    ours.write("main.tf", &PYVIDER.replace("hello", "hello, world"));
    ours.ok(&["apply", "-auto-approve"]);
    assert_eq!(parsed(&ours.ok(&["output", "-json", "seen"]))[1], json!(12));

    let theirs = stack(PYVIDER, "provide-io/pyvider", &program);
    if let Some(applied) = terraform(&theirs, &["apply", "-auto-approve", "-no-color"]) {
        assert_eq!(applied.code, Some(0), "{}\n{}", applied.out, applied.err);
        let own = terraform(&theirs, &["output", "-json", "seen"]).expect("it is there");
        assert_eq!(parsed(&own.out), seen);
        let text = std::fs::read_to_string(theirs.dir().join("terraform.tfstate"));
        assert_eq!(objects(&text.expect("a state")), objects(&state));
    }
    ours.ok(&["destroy", "-auto-approve"]);
    assert!(!file.exists());
    let linked = ours.dir().join("plugins/terraform-provider-pyvider");
    let report = ours.run(&["provider", "check", linked.to_str().expect("a path of text")]);
    assert!(report.out.contains("ok     start and handshake: protocol 6"), "{}", report.out);
}

/// A provider on the package `tf`.
const SUMS: &str = r#"
import sys
from tf import provider, runner, schema, types


class Sum(provider.Resource):
    def __init__(self, provider):
        pass

    @classmethod
    def get_name(cls):
        return "total"

    @classmethod
    def get_schema(cls):
        return schema.Schema(version=1, attributes=[
            schema.Attribute("a", types.Number(), required=True),
            schema.Attribute("b", types.Number(), required=True, requires_replace=True),
            schema.Attribute("sum", types.Number(), computed=True),
        ])

    def validate(self, diags, type_name, config):
        if config.get("a") == 13:
            diags.add_error("thirteen brings bad luck", "take another number", path=["a"])

    def plan(self, ctx, current, planned):
        planned["sum"] = planned["a"] + planned["b"]
        return planned

    def create(self, ctx, planned):
        return {**planned, "sum": planned["a"] + planned["b"]}

    def read(self, ctx, current):
        return current

    def update(self, ctx, current, planned):
        return self.create(ctx, planned)

    def delete(self, ctx, current):
        pass


class Sums(provider.Provider):
    def get_model_prefix(self):
        return "sums_"

    def get_provider_schema(self, diags):
        return schema.Schema(attributes=[])

    def full_name(self):
        return "registry.terraform.io/test/sums"

    def validate_config(self, diags, config):
        pass

    def configure_provider(self, diags, config):
        pass

    def get_data_sources(self):
        return []

    def get_resources(self):
        return [Sum]

    def new_resource(self, klass):
        return klass(self)

    def new_data_source(self, klass):
        return klass(self)


runner.run_provider(Sums(), sys.argv)
"#;

#[test]
fn a_provider_on_tf_lives_through_a_whole_life() {
    let Some(python) = program("python", "tf") else { return };
    let text = |a: u32, b: u32| {
        format!(
            "terraform {{\n  required_providers {{\n    sums = {{ source = \"test/sums\" }}\n  }}\n}}\n\
             resource \"sums_total\" \"s\" {{\n  a = {a}\n  b = {b}\n}}\n\
             output \"sum\" {{\n  value = sums_total.s.sum\n}}\n"
        )
    };
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("sums");
    std::fs::write(&program, format!("#!{}\n{SUMS}", python.display())).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("set");
    let ours = stack(&text(1, 2), "test/sums", &program);
    ours.ok(&["apply", "-auto-approve"]);
    assert_eq!(ours.ok(&["output", "-raw", "sum"]), "3");
    ours.ok(&["plan", "-detailed-exitcode"]);
    let state = ours.ok(&["state", "pull"]);
    let plan = |a, b, expected: &str| {
        ours.write("main.tf", &text(a, b));
        let out = ours.ok(&["plan"]);
        assert!(out.contains(expected), "{out}");
    };
    plan(5, 2, "0 to add, 1 to change, 0 to destroy");
    plan(1, 7, "1 to add, 0 to change, 1 to destroy");
    ours.ok(&["apply", "-auto-approve"]);
    assert_eq!(ours.ok(&["output", "-raw", "sum"]), "8");
    ours.write("main.tf", &text(13, 1));
    let err = ours.fails(&["plan"]);
    assert!(err.contains("thirteen brings bad luck"), "{err}");
    ours.write("main.tf", &text(1, 7));

    let theirs = stack(&text(1, 2), "test/sums", &program);
    if let Some(applied) = terraform(&theirs, &["apply", "-auto-approve", "-no-color"]) {
        assert_eq!(applied.code, Some(0), "{}\n{}", applied.out, applied.err);
        let text = std::fs::read_to_string(theirs.dir().join("terraform.tfstate"));
        assert_eq!(objects(&text.expect("a state")), objects(&state));
    }
    ours.ok(&["destroy", "-auto-approve"]);
    assert!(ours.ok(&["state", "list"]).is_empty());
}
