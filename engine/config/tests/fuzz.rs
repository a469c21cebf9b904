//! Random variable files, native and JSON, and random values of `-var`, into variables of many types.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test binary"
)]

#[path = "../../syntax/tests/fuzz/driver.rs"]
mod driver;

use std::path::Path;

use config::{InputRequest, InputSource, LoadRequest};
use driver::fuzz;
use lang::testing::FixedWorld;
use stratiform_config as config;
use syntax::SourceMap;
use syntax::testing::{Random, mutate};

const VARIABLES: &str = r#"
variable "text" { default = "" }
variable "any" {
  type    = any
  default = null
}
variable "flag" {
  type    = bool
  default = true
}
variable "count_of" {
  type    = number
  default = 1
}
variable "names" {
  type    = set(string)
  default = []
}
variable "tags" {
  type    = map(string)
  default = {}
}
variable "list_of_any" {
  type    = list(any)
  default = []
}
variable "pair" {
  type    = tuple([string, number])
  default = ["a", 1]
}
variable "pool" {
  type = object({
    size  = optional(number, 1)
    zones = optional(list(string), ["a"])
    disks = optional(map(object({ gib = number, kind = optional(string, "ssd") })), {})
  })
  default = {}
}
variable "secret" {
  type      = string
  sensitive = true
  nullable  = false
  default   = "s"
}
"#;

const NATIVE: &[&str] = &[
    "text = \"a${\"b\"}c\"\n",
    "any = { a = [1, 2.5, null], \"b c\" = <<E\nline\nE\n}\n",
    "flag = \"true\"\n",
    "count_of = -1.5e3\n",
    "names = [\"a\", \"b\", \"a\"]\n",
    "tags = { a = 1, b = true, (\"c\") = \"x\" }\n",
    "list_of_any = [1, \"a\", true]\n",
    "pair = [\"x\", \"2\"]\n",
    "pool = {\n  size = 4\n  disks = { root = { gib = 100 } }\n}\n",
    "secret = \"geheim\"\n",
    "undeclared = [for x in [1] : x]\n",
    "text = upper(\"a\")\n",
    "any = 1 < 2 ? \"a\" : [\"b\"]\n",
    "# only a comment\n",
    "block {\n}\n",
];
const JSON: &[&str] = &[
    "\"text\": \"a${b}\"",
    "\"any\": {\"a\": [1, 2.5, null], \"b c\": {}}",
    "\"flag\": \"true\"",
    "\"count_of\": -1.5e3",
    "\"names\": [\"a\", \"b\", \"a\"]",
    "\"tags\": {\"a\": 1, \"b\": true}",
    "\"pair\": [\"x\", \"2\"]",
    "\"pool\": {\"size\": 4, \"disks\": {\"root\": {\"gib\": 100}}}",
    "\"secret\": \"geheim\"",
    "\"undeclared\": null",
    "\"//\": \"a comment\"",
];

#[test]
fn tfvars() {
    let world = FixedWorld::with_files([("main.tf", VARIABLES)]);
    let request = LoadRequest { root: Path::new("."), world: &world, sources: SourceMap::new() };
    let (configuration, faults) = config::load(request);
    assert!(!faults.has_errors(), "{faults:?}");
    let module = configuration.root().clone();
    fuzz("tfvars", |seed| {
        let mut random = Random(seed);
        let json = random.once_in(3);
        let lines: Vec<&str> =
            (0..random.below(5)).map(|_| random.one_of(if json { JSON } else { NATIVE })).collect();
        let text = if json { format!("{{{}}}", lines.join(",")) } else { lines.concat() };
        let bytes = if random.once_in(5) { text.into_bytes() } else { mutate(&mut random, &text) };
        let path = if json { "a.tfvars.json" } else { "a.tfvars" }.to_owned();
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let names: Vec<&str> = module.variables.keys().map(|name| &**name).collect();
        let name = random.one_of(&names).to_owned();
        let argument = shown.split_once('=').map_or(&*shown, |(_, value)| value).to_owned();
        let sources = vec![
            InputSource::Environment { name: name.clone(), text: argument.clone() },
            InputSource::File { path, bytes },
            InputSource::Argument { name, text: argument },
        ];
        let mut map = SourceMap::clone(&configuration.sources);
        let (values, faults) =
            config::read_inputs(InputRequest { sources, module: &module, world: &world }, &mut map);
        let limit = map.files().last().map_or(0, |file| file.span().end as usize) + 1;
        for fault in faults.iter() {
            for label in fault.labels().into_iter().flatten() {
                assert!(label.offset() + label.len() <= limit, "{fault} of {shown:?}");
            }
        }
        for (name, input) in &values {
            let variable = &module.variables[name];
            assert!(
                input.value.conforms(&variable.ty.ty.without_optional()),
                "{name} = {:?} of {shown:?}",
                input.value
            );
        }
    });
}
