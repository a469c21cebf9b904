//! A configuration as a run of a test file sees it: with providers of the file, without modules that are overridden.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use address::{InstanceKey, ModulePath, ResourceMode, Target};
use lang::{Context, Expression, Phase, World};
use syntax::{Body, Diagnostics, Expr, ExprKind, ObjectItem, ObjectKey, Span};
use value::{Type, Value, convert};

use crate::error::ConfigError;
use crate::module::{Configuration, Module, Output, ProviderBlock, ProviderName};
use crate::test_file::{Override, TestNames};

/// A provider configuration of the root module, as a test file has it.
pub type TestProviders = BTreeMap<ProviderName, ProviderBlock>;

/// Puts provider configurations in the place of a module's own.
pub(crate) fn give_providers(module: &mut Module, providers: &TestProviders) {
    for (name, block) in providers {
        let block = ProviderBlock { name: name.clone(), ..block.clone() };
        module.provider_configs.insert(name.clone(), block);
    }
}

/// Gives provider configurations of the root module the settings that they have by now.
pub fn set_providers(configuration: &mut Configuration, providers: &TestProviders) {
    if let Some(root) = configuration.modules.get_mut(&ModulePath::root()) {
        give_providers(Arc::make_mut(root), providers);
    }
}

/// Puts outputs in the place of what a module has, or one instance of it. False if there is no such call.
pub fn override_module(configuration: &mut Configuration, one: &Override) -> bool {
    let Target::Module(instance) = &one.target else { return false };
    let path = instance.module();
    let Some(module) = configuration.modules.get(&path) else { return false };
    let outputs = module.outputs.iter().map(|(name, output)| {
        let value = one.values.get_attr(name).cloned().unwrap_or_else(Value::dynamic_null);
        let value = Expression::literal(value, one.span);
        let output =
            Output { value, depends_on: Vec::new(), preconditions: Vec::new(), ..output.clone() };
        (Arc::clone(name), output)
    });
    let mut variables = module.variables.clone();
    for variable in variables.values_mut() {
        variable.validations.clear();
    }
    let made_up = Module {
        path: module.path.clone(),
        dir: module.dir.clone(),
        variables,
        outputs: outputs.collect(),
        required_providers: module.required_providers.clone(),
        ..Module::default()
    };
    let made_up = Arc::new(made_up);
    if instance.steps().iter().any(|step| step.key != InstanceKey::None) {
        configuration.replaced.push((instance.clone(), made_up));
        return true;
    }
    configuration.modules.insert(path.clone(), made_up);
    configuration.modules.retain(|other, _| {
        other.steps().len() <= path.steps().len() || !other.steps().starts_with(path.steps())
    });
    true
}

/// The faults without those about where the state is: tests keep theirs in memory.
pub fn without_storage(found: Diagnostics) -> Diagnostics {
    let mut kept = Diagnostics::new();
    for one in found {
        let storage = {
            let error: &(dyn std::error::Error + 'static) = &*one;
            matches!(error.downcast_ref(), Some(ConfigError::Unsupported { .. }))
        };
        if !storage {
            kept.push_boxed(one);
        }
    }
    kept
}

/// Says whether an address is in a configuration.
pub fn is_declared(configuration: &Configuration, target: &Target) -> bool {
    let has = |module: &address::ModuleInstance, resource: &address::Resource| {
        let module = configuration.modules.get(&module.module());
        module.is_some_and(|module| module.resources.contains_key(resource))
    };
    match target {
        Target::Module(instance) => configuration.modules.contains_key(&instance.module()),
        Target::Resource(block) => has(&block.module, &block.resource),
        Target::Instance(instance) => has(&instance.module, &instance.resource),
    }
}

/// Says whether a target names objects of this mode.
pub fn names_mode(target: &Target, mode: ResourceMode) -> bool {
    match target {
        Target::Module(_) => false,
        Target::Resource(block) => block.resource.mode == mode,
        Target::Instance(instance) => instance.resource.mode == mode,
    }
}

/// The references of a body's own arguments and of all blocks in it.
pub fn body_references(body: &Body) -> Vec<lang::Traversal> {
    let mut all = Vec::new();
    let mut waiting = vec![body];
    while let Some(body) = waiting.pop() {
        for attribute in &body.attributes {
            all.extend(lang::compile(&attribute.expr).0.references().iter().cloned());
        }
        waiting.extend(body.blocks.iter().map(|block| &*block.body));
    }
    all
}

/// The body with values in the place of arguments that refer to variables of the file and to earlier runs.
///
/// # Errors
///
/// What such an argument refers to has no value.
pub fn settled(body: &Body, names: &TestNames, world: &dyn World) -> Result<Body, Diagnostics> {
    let mut found = Diagnostics::new();
    let settled = settle(body, names, world, &mut found);
    if found.has_errors() { Err(found) } else { Ok(settled) }
}

fn settle(body: &Body, names: &TestNames, world: &dyn World, found: &mut Diagnostics) -> Body {
    let mut settled = body.clone();
    for attribute in &mut settled.attributes {
        let (expression, _) = lang::compile(&attribute.expr);
        let concerned =
            |traversal: &lang::Traversal| matches!(traversal.root.as_str(), "var" | "run");
        let references = expression.references();
        if references.is_empty() || !references.iter().all(concerned) {
            continue;
        }
        match evaluate(&expression, names, world) {
            Ok(value) => attribute.expr = literal(&value, attribute.expr.span),
            Err(errors) => found.extend(errors),
        }
    }
    for block in &mut settled.blocks {
        block.body = Arc::new(settle(&block.body, names, world, found));
    }
    settled
}

/// Evaluates an expression of a test file that stands outside of assertions.
///
/// # Errors
///
/// Those of the expression.
pub fn evaluate(
    expression: &Expression,
    names: &TestNames,
    world: &dyn World,
) -> Result<Value, Diagnostics> {
    expression.evaluate(&Context {
        scope: names,
        world,
        phase: Phase::Apply,
        module_dir: Path::new("."),
        functions: None,
    })
}

/// The value as somebody would write it; what is not known is null.
fn literal(value: &Value, span: Span) -> Expr {
    let kind = if value.is_null() || value.is_unknown() {
        ExprKind::Null
    } else if let Some(value) = value.as_bool() {
        ExprKind::Bool(value)
    } else if value.as_number().is_some() {
        let text = convert(value, &Type::String).ok();
        let text = text.as_ref().and_then(Value::as_arc_str).cloned();
        ExprKind::Number(text.unwrap_or_else(|| "0".into()))
    } else if let Some(text) = value.as_arc_str() {
        ExprKind::String(Arc::clone(text))
    } else if let Some(entries) = value.entries() {
        let items = entries.iter().map(|(name, value)| ObjectItem {
            key: ObjectKey::Expr(Expr { kind: ExprKind::String(Arc::clone(name)), span }),
            value: literal(value, span),
        });
        ExprKind::Object(items.collect())
    } else {
        ExprKind::Tuple(value.elements().map(|(_, value)| literal(value, span)).collect())
    };
    Expr { kind, span }
}
