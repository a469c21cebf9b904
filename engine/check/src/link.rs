//! What a block refers to: resources and components, through locals, variables and outputs of modules.
//!
//! Before apply, an id of something new is unknown; the configuration still says whose id it is. A link leads to a
//! block, and to one instance of it where the reference names that; keys of modules are left out.

use address::ModulePath;
use config::{Configuration, Module};
use lang::{Traversal, TraversalStep};
use syntax::{Body, Expr, ExprKind, ObjectKey};

/// A reference from a block to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it stands: an argument or block, then labels and keys, such as `["mounts", "/data"]`.
    pub path: Vec<String>,
    /// The address of the block it leads to, without keys of instances.
    pub target: String,
    /// The instance that it names, such as `["a"]` or `[0]`; `None` if it may be any.
    pub key: Option<String>,
}

impl Link {
    /// Whether it stands at a path or below it.
    pub fn is_within(&self, path: &[&str]) -> bool {
        self.path.len() >= path.len() && self.path.iter().zip(path).all(|(own, part)| own == part)
    }
}

/// References are followed through so many locals, variables and outputs.
const MAX_HOPS: usize = 16;

/// The links of a block that stands in a module, in source order.
pub fn of_body(configuration: &Configuration, module: &ModulePath, body: &Body) -> Vec<Link> {
    let mut walk = Walk { configuration, module, path: Vec::new(), links: Vec::new() };
    walk.body(body);
    walk.links
}

struct Walk<'a> {
    configuration: &'a Configuration,
    module: &'a ModulePath,
    path: Vec<String>,
    links: Vec<Link>,
}

impl Walk<'_> {
    fn body(&mut self, body: &Body) {
        for attribute in &body.attributes {
            self.within(&[attribute.name.as_str()], |walk| walk.expression(&attribute.expr));
        }
        for block in &body.blocks {
            let labels = block.labels.iter().map(syntax::Ident::as_str);
            let path: Vec<&str> = std::iter::once(block.kind.as_str()).chain(labels).collect();
            self.within(&path, |walk| walk.body(&block.body));
        }
    }

    fn within(&mut self, names: &[&str], work: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        self.path.extend(names.iter().map(|name| (*name).to_owned()));
        work(self);
        self.path.truncate(before);
    }

    fn expression(&mut self, expr: &Expr) {
        let ExprKind::Object(items) = &expr.kind else {
            let (compiled, _) = lang::compile(expr);
            for reference in compiled.references() {
                let mut targets = Vec::new();
                follow(self.configuration, self.module, reference, MAX_HOPS, &mut targets);
                let path = &self.path;
                let links = targets.into_iter().map(|(target, key)| {
                    let path = path.clone();
                    Link { path, target, key }
                });
                self.links.extend(links);
            }
            return;
        };
        for item in items {
            let key = match &item.key {
                ObjectKey::Name(name) => Some(name.as_str()),
                ObjectKey::Expr(Expr { kind: ExprKind::String(text), .. }) => Some(&**text),
                ObjectKey::Expr(_) => None,
            };
            self.within(&[key.unwrap_or("*")], |walk| walk.expression(&item.value));
        }
    }
}

fn follow(
    configuration: &Configuration,
    path: &ModulePath,
    reference: &Traversal,
    hops: usize,
    targets: &mut Vec<(String, Option<String>)>,
) {
    let Some(module) = configuration.modules.get(path) else { return };
    let name = reference.steps.iter().find_map(|step| match step {
        TraversalStep::Attribute(name) => Some(name.as_str()),
        _ => None,
    });
    let (Some(name), true) = (name, hops > 0) else { return };
    let mut all = |path: &ModulePath, expression: &lang::Expression| {
        for reference in expression.references() {
            follow(configuration, path, reference, hops - 1, targets);
        }
    };
    match reference.root.as_str() {
        "local" => {
            if let Some(local) = module.locals.get(name) {
                all(path, &local.value);
            }
        }
        "var" => {
            let Some((parent, call)) = caller(configuration, path) else { return };
            if let Some(input) = call.inputs.get(name) {
                all(&parent, input);
            }
        }
        "module" => {
            let step = module.calls.keys().find(|step| !is_component(step) && &*step.name == name);
            let Some(step) = step else { return };
            let child = path.child(step.clone());
            let output = nth_attribute(reference, 1);
            let output = output.zip(configuration.modules.get(&child));
            if let Some(output) = output.and_then(|(name, module)| module.outputs.get(name)) {
                all(&child, &output.value);
            }
        }
        "each" | "count" | "self" | "path" | "terraform" | "data" | "ephemeral" => {}
        kind => {
            if exists(module, kind, name) {
                let prefix = if path.is_root() { String::new() } else { format!("{path}.") };
                targets.push((format!("{prefix}{kind}.{name}"), key_of(reference)));
            }
        }
    }
}

/// The key right behind the name of a resource, if it is written out.
fn key_of(reference: &Traversal) -> Option<String> {
    match reference.steps.get(1)? {
        TraversalStep::Index(key, _) => match (key.as_str(), key.as_number()) {
            (Some(text), _) => Some(address::InstanceKey::String(text.into()).to_string()),
            (_, Some(number)) => Some(format!("[{number}]")),
            _ => None,
        },
        _ => None,
    }
}

fn nth_attribute(reference: &Traversal, n: usize) -> Option<&str> {
    let mut names = reference.steps.iter().filter_map(|step| match step {
        TraversalStep::Attribute(name) => Some(name.as_str()),
        _ => None,
    });
    names.nth(n)
}

fn is_component(step: &address::ModulePathStep) -> bool {
    step.kind == address::ModuleKind::Component
}

/// Whether a module has a resource, or a component, of that type and name.
fn exists(module: &Module, kind: &str, name: &str) -> bool {
    let component = |step: &address::ModulePathStep| {
        is_component(step) && &*step.type_name == kind && &*step.name == name
    };
    module.calls.keys().any(component)
        || module.resources.keys().any(|resource| {
            resource.mode == address::ResourceMode::Managed
                && &*resource.type_name == kind
                && &*resource.name == name
        })
}

fn caller<'c>(
    configuration: &'c Configuration,
    path: &ModulePath,
) -> Option<(ModulePath, &'c config::ModuleCall)> {
    let parent = path.parent()?;
    let call = configuration.modules.get(&parent)?.calls.get(path.steps().last()?)?;
    Some((parent, call))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use config::LoadRequest;
    use lang::World;
    use lang::testing::FixedWorld;
    use syntax::SourceMap;

    use super::*;

    #[test]
    fn references_are_followed_through_locals_variables_and_outputs() {
        let main = r#"
resource "a_group" "own" {}
resource "a_net" "all" { for_each = { x = 1, y = 2 } }
module "m" {
  source = "./m"
  group  = local.group
}
locals {
  group = a_group.own.id
  loop  = local.loop
}
resource "a_host" "h" {
  groups = [local.group, module.m.made]
  net    = a_net.all["x"].id
  nets   = values(a_net.all)[*].id
  again  = local.loop
  none   = a_group.missing.id
  card {
    mounts = { "/data" = a_group.own, (var.x) = a_net.all["y"] }
  }
}
"#;
        let inner = r#"
variable "group" {}
resource "a_group" "made" {}
resource "a_host" "h" { groups = [var.group] }
output "made" { value = a_group.made.id }
"#;
        let world = FixedWorld::with_files([("main.tf", main), ("m/main.tf", inner)]);
        let world: &dyn World = &world;
        let (configuration, _) =
            config::load(LoadRequest { root: Path::new("."), world, sources: SourceMap::new() });
        let links = |path: &ModulePath| {
            let module = &configuration.modules[path];
            let host = module.resources.values().find(|one| &*one.address.type_name == "a_host");
            let body = &host.expect("there is a host").body;
            let shown = of_body(&configuration, path, body).into_iter().map(|link| {
                let key = link.key.unwrap_or_default();
                format!("{}: {}{key}", link.path.join("|"), link.target)
            });
            shown.collect::<Vec<_>>()
        };
        assert_eq!(
            links(&ModulePath::root()),
            [
                "groups: a_group.own",
                "groups: module.m.a_group.made",
                "net: a_net.all[\"x\"]",
                "nets: a_net.all",
                "card|mounts|/data: a_group.own",
                "card|mounts|*: a_net.all[\"y\"]",
            ]
        );
        let inner = configuration.modules.keys().find(|path| !path.is_root()).expect("a module");
        assert_eq!(links(inner), ["groups: a_group.own"]);
    }
}
