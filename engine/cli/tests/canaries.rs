//! Secrets that can be told from anything else, sent through everything that could show or store them. With a key none
//! may be found in plain text anywhere; without one, only in the state and in what the backend itself keeps.
//!
//! `STRATIFORM_CANARIES=N` sends N of them instead of the 60 that a normal run has time for.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use common::{Ran, Stack, ran};
use rand::Rng as _;

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// So many go through one stack.
const BATCH: usize = 12;

fn wanted() -> usize {
    std::env::var("STRATIFORM_CANARIES").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

/// Letters alone, so that no encoding of text changes them.
fn canary() -> String {
    let mut random = rand::thread_rng();
    let letters = (0..20).map(|_| char::from(b'a' + random.gen_range(0..26u8)));
    format!("canary{}", letters.collect::<String>())
}

struct Cage {
    stack: Stack,
    canaries: Vec<String>,
    key: bool,
}

impl Cage {
    fn run(&self, args: &[&str], more: &[(&str, &str)]) -> Ran {
        let mut command = self.stack.command(args);
        for (at, canary) in self.canaries.iter().enumerate() {
            command.env(format!("TF_VAR_v{at}"), canary).env(format!("TF_VAR_e{at}"), canary);
        }
        if self.key {
            command.env("STRATIFORM_STATE_KEY", KEY);
        }
        command.env("TF_LOG", "trace").env("TF_LOG_PROVIDER", "trace").envs(more.iter().copied());
        ran(command.stdin(std::process::Stdio::null()).output().expect("the binary runs"))
    }

    /// Runs a command, and looks at what it has printed.
    fn quiet(&self, args: &[&str], code: Option<i32>) -> Ran {
        let ran = self.run(args, &[]);
        assert_eq!(ran.code, code, "{args:?}\n{}\n{}", ran.out, ran.err);
        self.none_in(&format!("{args:?}: standard output"), ran.out.as_bytes());
        self.none_in(&format!("{args:?}: standard error"), ran.err.as_bytes());
        ran
    }

    fn none_in(&self, what: &str, bytes: &[u8]) {
        for canary in &self.canaries {
            let found = bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
            assert!(!found, "{what} holds {canary} in {}", self.stack.dir().display());
        }
    }

    /// Looks into every file but those that hold secrets by their nature.
    fn none_in_files(&self, allowed: impl Fn(&Path) -> bool) {
        let mut folders = vec![self.stack.dir(), self.stack.home()];
        let mut files: Vec<PathBuf> = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        for path in files.iter().filter(|path| !allowed(path)) {
            let bytes = std::fs::read(path).expect("a file can be read");
            self.none_in(&path.display().to_string(), &bytes);
        }
    }
}

/// Sends each canary through a variable, values of every shape, a module, providers, conditions and outputs.
fn configuration(count: usize) -> String {
    let mut text = "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\nprovider \"sim\" {\n  world = \"w\"\n}\n".to_owned();
    for at in 0..count {
        let _ = write!(
            text,
            r#"
variable "v{at}" {{
  sensitive = true
}}
variable "e{at}" {{
  ephemeral = true
  sensitive = true
}}
locals {{
  l{at} = {{ deep = [var.v{at}, {{ text = "around ${{var.v{at}}} it" }}] }}
}}
resource "terraform_data" "t{at}" {{
  input            = local.l{at}
  triggers_replace = [upper(var.v{at}), var.v{at}]
}}
resource "sim_node" "n{at}" {{
  name      = "n{at}"
  secret    = terraform_data.t{at}.output.deep[0]
  secret_wo = var.e{at}
}}
ephemeral "sim_lease" "s{at}" {{
  name = "lease{at}"
}}
module "m{at}" {{
  source = "./m"
  in     = var.v{at}
}}
check "c{at}" {{
  assert {{
    condition     = var.v{at} == "another"
    error_message = "it is ${{var.v{at}}}"
  }}
}}
output "o{at}" {{
  value     = [module.m{at}.out, var.v{at}]
  sensitive = true
}}
"#
        );
    }
    text
}

const MODULE: &str = "variable \"in\" {\n  sensitive = true\n}\nresource \"terraform_data\" \"inner\" {\n  input = jsonencode({ secret = var.in })\n}\noutput \"out\" {\n  value     = terraform_data.inner.output\n  sensitive = true\n}\n";

fn cage(count: usize, key: bool, main: &str) -> Cage {
    let stack = Stack::new(&[("main.tf", main), ("m/main.tf", MODULE)]);
    Cage { stack, canaries: (0..count).map(|_| canary()).collect(), key }
}

fn is_of_the_backend(cage: &Cage, path: &Path) -> bool {
    path.starts_with(cage.stack.dir().join("w"))
}

fn life(cage: &Cage) {
    for args in [
        &["validate"][..],
        &["validate", "-json"],
        &["plan"],
        &["plan", "-json"],
        &["plan", "-out=p"],
        &["show", "p"],
        &["show", "-json", "p"],
        &["report", "p", "-html=p.html", "-markdown=p.md"],
        &["graph"],
        &["graph", "-type=plan"],
        &["apply", "p"],
        &["apply", "-auto-approve"],
        &["show"],
        &["show", "-json"],
        &["output"],
        &["state", "list"],
        &["state", "show", "terraform_data.t0"],
        &["state", "show", "sim_node.n0"],
        &["plan", "-replace=terraform_data.t0"],
        &["apply", "-json", "-auto-approve", "-replace=terraform_data.t0"],
        &["drift"],
        &["history"],
        &["taint", "sim_node.n0"],
        &["plan", "-destroy"],
    ] {
        cage.quiet(args, Some(0));
    }
    let changed = cage.run(&["plan"], &[("TF_VAR_v0", "something else")]);
    cage.none_in("a plan that changes a secret", (changed.out + &changed.err).as_bytes());
}

#[test]
fn with_a_key_no_secret_is_in_plain_text_anywhere() {
    let mut left = wanted();
    while left > 0 {
        let count = left.min(BATCH);
        left -= count;
        let cage = cage(count, true, &configuration(count));
        life(&cage);
        cage.none_in_files(|path| is_of_the_backend(&cage, path));
        // Cut short, the journal holds what was to be done.
        for point in ["batch.written:3", "batch.flushed:4"] {
            let failpoint = [("STRATIFORM_TEST_FAILPOINT", point)];
            let killed = cage.run(&["apply", "-auto-approve", "-replace=sim_node.n0"], &failpoint);
            cage.none_in("a killed apply", (killed.out + &killed.err).as_bytes());
            cage.none_in_files(|path| is_of_the_backend(&cage, path));
            cage.quiet(&["recover"], Some(0));
        }
        cage.quiet(&["destroy", "-auto-approve"], Some(0));
        cage.none_in_files(|path| is_of_the_backend(&cage, path));
    }
}

#[test]
fn without_a_key_secrets_are_in_the_state_alone() {
    let cage = cage(BATCH, false, &configuration(BATCH));
    life(&cage);
    let state = cage.stack.dir().join(".stratiform/state");
    cage.none_in_files(|path| is_of_the_backend(&cage, path) || path.starts_with(&state));
}

#[test]
fn errors_show_no_secret() {
    let head = "variable \"v0\" {\n  sensitive = true\n}\n";
    let expressions = [
        "tonumber(var.v0)",
        "tobool(var.v0)",
        "jsondecode(var.v0)",
        "yamldecode(\"a: [${var.v0}\")",
        "csvdecode(\"a,b\\n${var.v0}\")",
        "base64decode(\"%${var.v0}\")",
        "var.v0.attribute",
        "var.v0[3]",
        "{ a = 1 }[var.v0]",
        "[1, 2][var.v0]",
        "file(var.v0)",
        "filebase64(\"./${var.v0}\")",
        "templatefile(var.v0, {})",
        "templatestring(\"$${nothing}\", { x = var.v0 })",
        "regex(\"^[0-9]+$\", var.v0)",
        "regex(\"[${var.v0}\", \"x\")",
        "index([\"a\"], var.v0)",
        "element([], var.v0)",
        "cidrsubnet(var.v0, 8, 1)",
        "cidrhost(var.v0, 1)",
        "parseint(var.v0, 10)",
        "formatdate(var.v0, \"2020-01-01T00:00:00Z\")",
        "formatdate(\"YYYY\", var.v0)",
        "timeadd(var.v0, \"1h\")",
        "timecmp(var.v0, \"2020-01-01T00:00:00Z\")",
        "uuidv5(\"dns-${var.v0}\", \"x\")",
        "format(\"%d\", var.v0)",
        "format(\"%z${var.v0}\", 1)",
        "substr(\"abc\", var.v0, 1)",
        "range(var.v0)",
        "setproduct([1], var.v0)",
        "zipmap([var.v0, \"b\"], [1])",
        "merge({ a = 1 }, var.v0)",
        "lookup({ a = 1 }, var.v0)",
        "one([var.v0, var.v0])",
        "sum([var.v0])",
        "max(var.v0)",
        "concat(var.v0)",
        "flatten(var.v0)",
        "keys(var.v0)",
        "chunklist([1], var.v0)",
        "rsadecrypt(\"eA==\", var.v0)",
        "textencodebase64(\"x\", var.v0)",
        "base64gunzip(var.v0)",
        "provider::terraform::decode_tfvars(\"a = ${var.v0}(\")",
        "var.v0 + 1",
        "!var.v0",
        "var.v0 ? 1 : 2",
        "[for k, x in var.v0 : x]",
        "{ for x in [var.v0, var.v0] : x => 1 }",
        "\"${[var.v0]}\"",
        "coalesce(null, \"\")",
    ];
    let blocks = [
        "resource \"terraform_data\" \"a\" {\n  for_each = toset([var.v0])\n}\n".to_owned(),
        "resource \"terraform_data\" \"a\" {\n  count = var.v0\n}\n".to_owned(),
        "module \"m\" {\n  source   = \"./m\"\n  for_each = { (var.v0) = 1 }\n  in       = 1\n}\n".to_owned(),
        "import {\n  to = terraform_data.a\n  id = var.v0\n}\nresource \"terraform_data\" \"a\" {}\n".to_owned(),
        "resource \"terraform_data\" \"a\" {\n  lifecycle {\n    precondition {\n      condition     = var.v0 == \"x\"\n      error_message = \"it is ${var.v0}\"\n    }\n  }\n}\n".to_owned(),
        "output \"o\" {\n  value     = 1\n  precondition {\n    condition     = var.v0 == \"x\"\n    error_message = \"it is ${nonsensitive(\"x\")} ${var.v0}\"\n  }\n}\n".to_owned(),
        "output \"o\" {\n  value = var.v0\n}\n".to_owned(),
        "locals {\n  x = provider::terraform::decode_tfvars(var.v0)\n}\noutput \"o\" {\n  value = local.x\n}\n".to_owned(),
        "data \"terraform_remote_state\" \"s\" {\n  backend = var.v0\n}\n".to_owned(),
        "data \"terraform_remote_state\" \"s\" {\n  backend = \"local\"\n  config  = { path = var.v0 }\n}\n".to_owned(),
        "resource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" {\n    command = \"echo ${var.v0}; exit 3\"\n  }\n}\n".to_owned(),
        "resource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" {\n    command     = \"true\"\n    working_dir = var.v0\n  }\n}\n".to_owned(),
        "resource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" {\n    command     = \"true\"\n    interpreter = [var.v0]\n  }\n}\n".to_owned(),
        "resource \"terraform_data\" \"a\" {\n  provisioner \"file\" {\n    content     = \"x\"\n    destination = \"/x\"\n    connection {\n      host        = \"127.0.0.1\"\n      private_key = var.v0\n    }\n  }\n}\n".to_owned(),
    ];
    let required = "terraform {\n  required_providers {\n    terraform = { source = \"terraform.io/builtin/terraform\" }\n  }\n}\n";
    let locals = expressions
        .iter()
        .filter(|one| **one != "coalesce(null, \"\")")
        .map(|one| format!("output \"o\" {{\n  value     = {one}\n  sensitive = true\n}}\n"));
    let mut failed = 0;
    for body in locals.chain(blocks) {
        let cage = cage(1, false, &format!("{required}{head}{body}"));
        // What fails only when it is carried out is carried out.
        let ran = cage.run(&["apply", "-auto-approve"], &[]);
        cage.none_in(&body, (ran.out + &ran.err).as_bytes());
        let json = cage.run(&["plan", "-json"], &[]);
        cage.none_in(&body, (json.out + &json.err).as_bytes());
        let checked = cage.run(&["validate", "-json"], &[]);
        cage.none_in(&body, (checked.out + &checked.err).as_bytes());
        failed += usize::from(ran.code == Some(1));
    }
    // Some of them have a result; nearly all are errors.
    assert!(failed >= 55, "{failed}");
}
