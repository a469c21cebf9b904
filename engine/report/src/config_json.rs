//! A configuration for machines: the `configuration` member of a plan's JSON. Expressions are shown as constants
//! or as what they refer to, never by value.

use std::collections::{BTreeMap, BTreeSet};

use address::{ModulePath, ProviderAddress};
use config::{Configuration, Module, ModuleCall, Output, ResourceBlock, Variable};
use lang::{Expression, Traversal, TraversalStep};
use serde_json::{Map, Value as Json, json};
use syntax::{Body, Expr, ExprKind, ObjectKey};
use value::Value;

/// The configuration as JSON.
pub(crate) fn configuration(configuration: &Configuration) -> Json {
    let mut out = Map::new();
    let whole = Whole::of(configuration);
    let providers = provider_configs(&whole);
    if !providers.is_empty() {
        out.insert("provider_config".to_owned(), Json::Object(providers));
    }
    out.insert("root_module".to_owned(), module(&whole, configuration.root()));
    Json::Object(out)
}

/// A configuration, and which of its modules use which provider.
struct Whole<'a> {
    configuration: &'a Configuration,
    uses: BTreeSet<(&'a ModulePath, &'a ProviderAddress)>,
}

impl<'a> Whole<'a> {
    fn of(configuration: &'a Configuration) -> Self {
        let mut uses = BTreeSet::new();
        for (path, module) in &configuration.modules {
            uses.extend(module.resources.values().map(|one| (path, &one.provider.provider)));
            uses.extend(module.required_providers.values().map(|one| (path, &one.address)));
        }
        Self { configuration, uses }
    }

    /// The module whose configuration of a provider a module without one has: its parent's, as long as the parent
    /// uses the provider too.
    ///
    /// Source: what Terraform 1.11 prints for modules whose parents do and do not use a provider.
    fn home(&self, module: &ModulePath, provider: &ProviderAddress) -> ModulePath {
        let mut home = module.clone();
        while let Some(parent) = home.parent().filter(|one| self.uses.contains(&(one, provider))) {
            home = parent;
        }
        home
    }

    fn provider_key(&self, module: &ModulePath, resource: &ResourceBlock) -> String {
        let provider = &resource.provider.provider;
        match &resource.provider.alias {
            Some(alias) => format!("{}.{alias}", provider.type_name),
            None => within(&self.home(module, provider), &provider.type_name),
        }
    }
}

/// A name that is a module's own.
fn within(module: &ModulePath, name: &str) -> String {
    if module.is_root() { name.to_owned() } else { format!("{module}:{name}") }
}

fn provider_configs(whole: &Whole<'_>) -> Map<String, Json> {
    let mut found: BTreeMap<String, Json> = BTreeMap::new();
    for (path, module) in &whole.configuration.modules {
        for resource in module.resources.values() {
            let address = &resource.provider.provider;
            let key = whole.provider_key(path, resource);
            let entry = found.entry(key).or_insert_with(
                || json!({ "name": &*address.type_name, "full_name": address.to_string() }),
            );
            let home = whole.home(path, address);
            if resource.provider.alias.is_none() && !home.is_root() {
                entry["module_address"] = json!(home.to_string());
            }
        }
        for (name, block) in &module.provider_configs {
            let key = match &name.alias {
                Some(alias) => format!("{}.{alias}", name.local),
                None => within(path, &name.local),
            };
            let entry = found.entry(key).or_insert_with(|| json!({ "name": &*name.local }));
            if let Some(alias) = &name.alias {
                entry["alias"] = json!(&**alias);
            }
            if let Some(required) = module.required_providers.get(&name.local) {
                entry["full_name"] = json!(required.address.to_string());
                if let Some(version) = &required.version {
                    entry["version_constraint"] = json!(canonical(version));
                }
            }
            if !module.path.is_root() {
                entry["module_address"] = json!(module.path.to_string());
            }
            let expressions = body(&block.body);
            if expressions.as_object().is_some_and(|all| !all.is_empty()) {
                entry["expressions"] = expressions;
            }
        }
    }
    for (path, module) in &whole.configuration.modules {
        for (name, required) in &module.required_providers {
            let home = whole.home(path, &required.address);
            if is_passed(whole, path, name) || found.contains_key(&within(&home, name)) {
                continue;
            }
            let mut entry = json!({ "name": &**name, "full_name": required.address.to_string() });
            if let Some(version) = &required.version {
                entry["version_constraint"] = json!(canonical(version));
            }
            if !home.is_root() {
                entry["module_address"] = json!(home.to_string());
            }
            found.insert(within(&home, name), entry);
        }
    }
    found.into_iter().collect()
}

/// Whether the call of a module gives it its configuration of a provider.
fn is_passed(whole: &Whole<'_>, path: &ModulePath, local: &str) -> bool {
    let (Some(parent), Some(step)) = (path.parent(), path.steps().last()) else { return false };
    let call = whole.configuration.modules.get(&parent).and_then(|module| {
        let mut calls = module.calls.values();
        calls.find(|call| call.step.name == step.name)
    });
    call.is_some_and(|call| {
        call.providers.keys().any(|name| *name.local == *local && name.alias.is_none())
    })
}

/// A version constraint as Terraform writes it: versions with all their parts, no operator for equality.
fn canonical(constraint: &str) -> String {
    let one = |part: &str| {
        let part = part.trim();
        let at = part.find(|c: char| c.is_ascii_digit() || c == 'v').unwrap_or(part.len());
        let (operator, version) = (part[..at].trim(), part[at..].trim_start_matches('v'));
        let numbers = version.split(['-', '+']).next().unwrap_or(version);
        let rest = &version[numbers.len()..];
        let wanted = if operator == "~>" { 2 } else { 3 };
        let missing = wanted_parts(numbers, wanted);
        match operator {
            "" | "=" => format!("{numbers}{missing}{rest}"),
            operator => format!("{operator} {numbers}{missing}{rest}"),
        }
    };
    constraint.split(',').map(one).collect::<Vec<_>>().join(", ")
}

/// What fills up a version to so many parts.
fn wanted_parts(numbers: &str, wanted: usize) -> String {
    ".0".repeat(wanted.saturating_sub(numbers.split('.').count()))
}

fn module(whole: &Whole<'_>, module: &Module) -> Json {
    let mut out = Map::new();
    let outputs: Map<String, Json> =
        module.outputs.iter().map(|(name, one)| (name.to_string(), output(one))).collect();
    let is_data = |one: &ResourceBlock| one.address.mode == address::ResourceMode::Data;
    let data = module.resources.values().filter(|one| is_data(one));
    // As Terraform 1.11: the format knows no ephemeral blocks.
    let is_managed = |one: &ResourceBlock| one.address.mode == address::ResourceMode::Managed;
    let others = module.resources.values().filter(|one| is_managed(one));
    let resources: Vec<Json> =
        others.chain(data).map(|one| resource(whole, &module.path, one)).collect();
    let calls: Map<String, Json> =
        module.calls.values().map(|one| (step_name(&one.step), call(whole, module, one))).collect();
    let variables: Map<String, Json> =
        module.variables.iter().map(|(name, one)| (name.to_string(), variable(one))).collect();
    if !outputs.is_empty() {
        out.insert("outputs".to_owned(), Json::Object(sorted(outputs)));
    }
    if !resources.is_empty() {
        out.insert("resources".to_owned(), Json::Array(resources));
    }
    if !calls.is_empty() {
        out.insert("module_calls".to_owned(), Json::Object(calls));
    }
    if !variables.is_empty() {
        out.insert("variables".to_owned(), Json::Object(sorted(variables)));
    }
    Json::Object(out)
}

fn sorted(map: Map<String, Json>) -> Map<String, Json> {
    map.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect()
}

fn output(output: &Output) -> Json {
    let mut out = Map::new();
    if output.sensitive {
        out.insert("sensitive".to_owned(), json!(true));
    }
    out.insert("expression".to_owned(), compiled(&output.value));
    depends_on(&output.depends_on, &mut out);
    if let Some(text) = &output.description {
        out.insert("description".to_owned(), json!(text));
    }
    Json::Object(out)
}

fn variable(variable: &Variable) -> Json {
    let mut out = Map::new();
    if let Some(default) = &variable.default {
        out.insert("default".to_owned(), value::json::to_plain(default));
    }
    if let Some(text) = &variable.description {
        out.insert("description".to_owned(), json!(text));
    }
    if variable.sensitive {
        out.insert("sensitive".to_owned(), json!(true));
    }
    Json::Object(out)
}

fn provisioner(provisioner: &config::Provisioner) -> Json {
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(&*provisioner.kind.text));
    let expressions = body(&provisioner.body);
    if expressions.as_object().is_some_and(|all| !all.is_empty()) {
        out.insert("expressions".to_owned(), expressions);
    }
    Json::Object(out)
}

/// How many instances; left out where it must be computed from nothing that has a name.
fn repetition(name: &str, expression: &Expression, out: &mut Map<String, Json>) {
    let shown = compiled(expression);
    if shown != json!({}) {
        out.insert(name.to_owned(), shown);
    }
}

fn depends_on(list: &[Traversal], out: &mut Map<String, Json>) {
    if !list.is_empty() {
        let names: Vec<String> = list.iter().map(ToString::to_string).collect();
        out.insert("depends_on".to_owned(), json!(names));
    }
}

fn resource(whole: &Whole<'_>, module: &ModulePath, resource: &ResourceBlock) -> Json {
    let address = &resource.address;
    let mut out = Map::new();
    out.insert("address".to_owned(), json!(address.to_string()));
    let mode = if address.mode == address::ResourceMode::Data { "data" } else { "managed" };
    out.insert("mode".to_owned(), json!(mode));
    out.insert("type".to_owned(), json!(&*address.type_name));
    out.insert("name".to_owned(), json!(&*address.name));
    out.insert("provider_config_key".to_owned(), json!(whole.provider_key(module, resource)));
    let expressions = body(&resource.body);
    if expressions.as_object().is_some_and(|all| !all.is_empty()) {
        out.insert("expressions".to_owned(), expressions);
    }
    let provisioners: Vec<Json> = resource.provisioners.iter().map(provisioner).collect();
    if !provisioners.is_empty() {
        out.insert("provisioners".to_owned(), Json::Array(provisioners));
    }
    out.insert("schema_version".to_owned(), json!(0));
    if let Some(count) = &resource.count {
        repetition("count_expression", count, &mut out);
    }
    if let Some(for_each) = &resource.for_each {
        repetition("for_each_expression", for_each, &mut out);
    }
    depends_on(&resource.depends_on, &mut out);
    Json::Object(out)
}

fn call(whole: &Whole<'_>, parent: &Module, call: &ModuleCall) -> Json {
    let mut out = Map::new();
    out.insert("source".to_owned(), json!(call.source));
    let expressions: Map<String, Json> =
        call.inputs.iter().map(|(name, input)| (name.to_string(), compiled(input))).collect();
    if !expressions.is_empty() {
        out.insert("expressions".to_owned(), Json::Object(sorted(expressions)));
    }
    if let Some(count) = &call.count {
        repetition("count_expression", count, &mut out);
    }
    if let Some(for_each) = &call.for_each {
        repetition("for_each_expression", for_each, &mut out);
    }
    let path = parent.path.child(call.step.clone());
    if let Some(child) = whole.configuration.modules.get(&path) {
        out.insert("module".to_owned(), module(whole, child));
    }
    depends_on(&call.depends_on, &mut out);
    Json::Object(out)
}

fn step_name(step: &address::ModulePathStep) -> String {
    let text = step.to_string();
    text.strip_prefix("module.").map_or(text.clone(), str::to_owned)
}

fn body(body: &Body) -> Json {
    let mut out = Map::new();
    for attribute in &body.attributes {
        out.insert(attribute.name.text.to_string(), expression(&attribute.expr));
    }
    for block in &body.blocks {
        let entry = out.entry(block.kind.text.to_string()).or_insert_with(|| json!([]));
        if let Some(list) = entry.as_array_mut() {
            list.push(self::body(&block.body));
        }
    }
    Json::Object(sorted(out))
}

fn expression(expr: &Expr) -> Json {
    match constant(expr) {
        Some(value) => json!({ "constant_value": value }),
        None => references(&lang::compile(expr).0),
    }
}

fn compiled(expression: &Expression) -> Json {
    match expression.as_constant() {
        Some(value) => json!({ "constant_value": value::json::to_plain(value) }),
        None => references(expression),
    }
}

/// The value of an expression that is written out; `None` for everything that must be computed.
fn constant(expr: &Expr) -> Option<Json> {
    Some(match &expr.kind {
        ExprKind::Null => Json::Null,
        ExprKind::Bool(value) => json!(value),
        ExprKind::Number(text) => {
            value::json::to_plain(&Value::number(value::Number::parse(text)?))
        }
        ExprKind::String(text) => json!(&**text),
        ExprKind::Tuple(items) => Json::Array(items.iter().map(constant).collect::<Option<_>>()?),
        ExprKind::Object(items) => {
            let entries = items.iter().map(|item| {
                let key = match &item.key {
                    ObjectKey::Name(name) => name.text.to_string(),
                    ObjectKey::Expr(expr) => constant(expr)?.as_str()?.to_owned(),
                };
                Some((key, constant(&item.value)?))
            });
            Json::Object(sorted(entries.collect::<Option<_>>()?))
        }
        _ => return None,
    })
}

fn references(expression: &Expression) -> Json {
    // In the order of the text: what is indexed before the index.
    let mut references: Vec<&Traversal> = expression.references().iter().collect();
    references.sort_by_key(|reference| reference.span.start);
    let names: Vec<String> = references.into_iter().flat_map(prefixes).collect();
    if names.is_empty() { json!({}) } else { json!({ "references": names }) }
}

/// A reference and everything around it, down to the object that it is about.
fn prefixes(reference: &Traversal) -> Vec<String> {
    let computed =
        |step: &TraversalStep| matches!(step, TraversalStep::Dynamic(..) | TraversalStep::Splat(_));
    let end = reference.steps.iter().position(computed).unwrap_or(reference.steps.len());
    // `var.a`, `local.a`, `each.value`, `module.a`: a name and one step; `data.type.name`: two; `type.name`: one.
    // An instance of a module is one name, too: `module.a["x"]`.
    let instance = matches!(&*reference.root.text, "module")
        && reference.steps.get(1).is_some_and(|step| !matches!(step, TraversalStep::Attribute(..)));
    let least = match &*reference.root.text {
        "data" | "ephemeral" => 2,
        "module" if instance => 2,
        "self" => 0,
        _ => 1,
    };
    let cut = |length: usize| {
        let steps = reference.steps[..length].to_vec();
        Traversal { root: reference.root.clone(), steps, span: reference.span }.to_string()
    };
    (least.min(end)..=end).rev().map(cut).collect()
}
