//! A small library of component types, and one way to place components.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use component::{Decision, Offer, PlaceRequest, Placed, load_types, place};
use config::LoadRequest;
use lang::testing::FixedWorld;
use syntax::{Diagnostics, SourceMap};
use value::{Type, Value};

const FILESYSTEM: &str = r#"
component_type "filesystem" {
  description = "Storage."
  input "capacity_gib" {
    type        = number
    description = "Space in GiB."
    validation {
      condition     = input.capacity_gib > 0
      error_message = "Capacity must be more than 0 GiB."
    }
  }
  input "source" {
    type    = string
    default = null
  }
  input "scale" {
    type    = object({ min = number })
    default = { min = 0 }
  }
  input "step" {
    type    = map(object({ command = list(string) }))
    default = {}
  }
  output "path" { description = "Where." }
  implementation "local" {
    backend  = "local"
    source   = "./local"
    offer    = offer.kind == "machine"
    requires = [
      { condition = input.capacity_gib <= 100
        message   = "needs ${input.capacity_gib} GiB, ${offer.name} gives at most 100" },
    ]
    demand = { disk_gib = input.capacity_gib }
  }
}
"#;

const LOCAL: &str = r#"
variable "capacity_gib" { type = number }
variable "scale" { type = object({ min = number }) }
variable "step" { type = map(object({ command = list(string) })) }
variable "component" { type = any }
output "path" { value = "/x" }
"#;

pub(crate) fn world(main: &str) -> FixedWorld {
    FixedWorld::with_files([
        ("stratiform:modules/filesystem/component.tf", FILESYSTEM),
        ("stratiform:modules/filesystem/local/main.tf", LOCAL),
        ("main.tf", main),
    ])
}

pub(crate) fn machine(name: &str, disk_gib: i64, price: i64) -> Offer {
    Offer {
        backend: "local".into(),
        name: name.into(),
        attributes: Value::object([
            ("kind", Value::from("machine")),
            ("price_usd_per_hour", Value::from(price)),
            ("capacity", Value::map(Type::Number, [("disk_gib", Value::from(disk_gib))])),
        ]),
        source: "test".to_owned(),
        date: "2026-11-24".to_owned(),
    }
}

pub(crate) struct Run {
    pub(crate) placed: Placed,
    pub(crate) faults: Diagnostics,
}

pub(crate) fn run_in(world: &FixedWorld, offers: &[Offer], prior: &[Decision]) -> Run {
    run_with(world, offers, prior, false)
}

/// A configuration with types of its own, all of whose implementations lie in `any`.
pub(crate) fn run_types(main: &str, offers: &[Offer], prior: &[Decision], reoptimize: bool) -> Run {
    let any = "variable \"component\" { type = any }\nvariable \"data\" {\n  type    = any\n  default = null\n}\nvariable \"nodes\" {\n  type    = number\n  default = 1\n}\nvariable \"read_gib_per_hour\" {\n  type    = number\n  default = 0\n}\nvariable \"size\" {\n  type    = number\n  default = 1\n}\noutput \"id\" { value = 1 }\n";
    let world = FixedWorld::with_files([("any/main.tf", any), ("main.tf", main)]);
    run_with(&world, offers, prior, reoptimize)
}

fn run_with(world: &FixedWorld, offers: &[Offer], prior: &[Decision], reoptimize: bool) -> Run {
    let (mut configuration, mut faults) =
        config::load(LoadRequest { root: Path::new("."), world, sources: SourceMap::new() });
    let (types, found) = load_types(&mut configuration, world);
    faults.extend(found);
    let inputs: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let prior = prior.iter().map(|one| (one.component.clone(), one.clone())).collect();
    let request =
        PlaceRequest { types: &types, offers, inputs: &inputs, prior: &prior, reoptimize, world };
    let (placed, found) = place(configuration, &request);
    faults.extend(found);
    Run { placed, faults }
}

pub(crate) fn run(main: &str, offers: &[Offer]) -> Run {
    run_in(&world(main), offers, &[])
}

/// The message and help of each fault.
pub(crate) fn faults(main: &str, offers: &[Offer]) -> Vec<String> {
    texts(&run(main, offers).faults)
}

pub(crate) fn texts(faults: &Diagnostics) -> Vec<String> {
    faults
        .iter()
        .map(|fault| match fault.help() {
            Some(help) => format!("{fault} | {help}"),
            None => fault.to_string(),
        })
        .collect()
}
