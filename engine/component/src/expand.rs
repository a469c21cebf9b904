//! The module call that a placed component becomes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use address::{ModuleKind, ModulePath, ModulePathStep};
use config::{ComponentBlock, Configuration, Module, ModuleCall};
use indexmap::IndexMap;
use lang::{Expression, World};
use syntax::Diagnostics;
use value::{Type, Value};

use crate::candidate::offer_value;
use crate::error::ComponentError;
use crate::inputs::Written;
use crate::place::Offer;
use crate::types::{ComponentType, Implementation};

/// The variable through which an implementation learns where it was placed.
pub(crate) const COMPONENT_VARIABLE: &str = "component";

/// The step from a module to the expansion of a component.
pub(crate) fn step(component: &ComponentBlock) -> Option<ModulePathStep> {
    Some(ModulePathStep {
        kind: ModuleKind::Component,
        type_name: Arc::clone(&component.type_name.text),
        name: Arc::clone(&component.name.as_ref()?.text),
    })
}

/// What is expanded, and into what.
pub(crate) struct Expansion<'a> {
    pub(crate) path: &'a ModulePath,
    pub(crate) step: &'a ModulePathStep,
    pub(crate) component: &'a ComponentBlock,
    pub(crate) ty: &'a ComponentType,
    pub(crate) written: &'a Written,
    pub(crate) implementation: &'a Implementation,
    /// `None` where it found no place; then it is expanded so that references to it still resolve.
    pub(crate) offer: Option<&'a Offer>,
}

/// Adds the call and loads the implementation's module.
pub(crate) fn expand(
    configuration: &mut Configuration,
    folders: &mut config::Folders,
    expansion: &Expansion<'_>,
    world: &dyn World,
) -> Diagnostics {
    let child = expansion.path.child(expansion.step.clone());
    let dir = config::load::join(&expansion.ty.dir, &expansion.implementation.source);
    // The loader looks for the call when it follows provider configurations upwards.
    config::add_call(configuration, expansion.path, expansion.call(&dir, IndexMap::new()));
    let span = expansion.implementation.span;
    let mut diagnostics = config::load_module_at(configuration, folders, &child, &dir, span, world);
    let Some(module) = configuration.modules.get(&child) else { return diagnostics };
    for (name, (_, span)) in &expansion.ty.outputs {
        if !module.outputs.contains_key(name) && !diagnostics.has_errors() {
            diagnostics.push(ComponentError::MissingOutput {
                kind: expansion.ty.name.text.to_string(),
                implementation: expansion.implementation.name.text.to_string(),
                name: name.to_string(),
                dir: dir.display().to_string(),
                span: *span,
            });
        }
    }
    let declared: Vec<Arc<str>> = module.variables.keys().cloned().collect();
    if let Some(module) = configuration.modules.get_mut(&child) {
        take_types(Arc::make_mut(module), expansion.ty);
    }
    let inputs =
        declared.into_iter().filter_map(|name| Some((Arc::clone(&name), expansion.input(&name)?)));
    let call = expansion.call(&dir, inputs.collect());
    config::add_call(configuration, expansion.path, call);
    diagnostics
}

/// A variable of an implementation that takes anything has the type of the component's input, so that types,
/// and defaults of optional attributes, are written once.
fn take_types(module: &mut Module, ty: &ComponentType) {
    for (name, variable) in &mut module.variables {
        if let Some(input) = ty.inputs.get(name)
            && variable.ty.ty == Type::Dynamic
        {
            variable.ty = input.ty.clone();
        }
    }
}

impl Expansion<'_> {
    fn call(&self, dir: &Path, inputs: IndexMap<Arc<str>, Expression>) -> ModuleCall {
        ModuleCall {
            step: self.step.clone(),
            source: dir.display().to_string(),
            version: None,
            inputs,
            input_spans: self.written.spans.clone(),
            count: self.written.count.clone(),
            for_each: self.written.for_each.clone(),
            depends_on: self.written.depends_on.clone(),
            providers: BTreeMap::new(),
            span: self.component.block.span,
            header: self.component.block.header,
        }
    }

    /// What the component sets, else the default of the type.
    fn input(&self, name: &str) -> Option<Expression> {
        let header = self.component.block.header;
        if let Some(written) = self.written.inputs.get(name) {
            return Some(written.clone());
        }
        if let Some(variable) = self.ty.inputs.get(name) {
            return variable.default.clone().map(|value| Expression::literal(value, header));
        }
        (name == COMPONENT_VARIABLE).then(|| Expression::literal(self.described(), header))
    }

    fn described(&self) -> Value {
        let offer = self.offer.map_or_else(Value::dynamic_null, offer_value);
        Value::object([
            ("type", Value::string(Arc::clone(&self.step.type_name))),
            ("name", Value::string(Arc::clone(&self.step.name))),
            ("backend", Value::string(Arc::clone(&self.implementation.backend))),
            ("offer", offer),
        ])
    }
}
