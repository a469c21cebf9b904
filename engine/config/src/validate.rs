//! Everything that can be found wrong without evaluating: references, inputs of calls, versions.
//!
//! Runs once components are module calls, so that their references are ordinary ones.

use std::sync::Arc;

use address::{ModulePath, Resource};
use lang::{Expression, Traversal};
use syntax::{Body, Diagnostics, Span, suggest};

use crate::error::ConfigError;
use crate::module::{Condition, Configuration, Module, ModuleCall, ResourceBlock};
use crate::reference::{Reference, resolve};

/// Checks a whole configuration.
pub fn validate(configuration: &Configuration) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for (path, module) in &configuration.modules {
        let mut check = Check { configuration, path, module, diagnostics: &mut diagnostics };
        check.versions();
        check.names();
        for block in module.resources.values() {
            check.resource(block);
        }
        for call in module.calls.values() {
            check.call(call);
        }
    }
    diagnostics
}

struct Check<'a> {
    configuration: &'a Configuration,
    path: &'a ModulePath,
    module: &'a Module,
    diagnostics: &'a mut Diagnostics,
}

/// Which names mean something at a place.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    count: bool,
    each: bool,
    own: bool,
    /// The block itself, which may not refer to itself.
    block: Option<&'a Resource>,
}

impl Check<'_> {
    fn versions(&mut self) {
        for (wanted, span) in &self.module.terraform.required_version {
            if !satisfies(crate::LANGUAGE_VERSION, wanted) {
                self.diagnostics.push(ConfigError::RequiredVersion {
                    wanted: wanted.clone(),
                    ours: crate::LANGUAGE_VERSION,
                    span: *span,
                });
            }
        }
    }

    fn names(&mut self) {
        let place = Place::default();
        for variable in self.module.variables.values() {
            self.conditions(&variable.validations, place);
        }
        for local in self.module.locals.values() {
            self.expression(&local.value, place);
        }
        for output in self.module.outputs.values() {
            self.expression(&output.value, place);
            self.traversals(&output.depends_on, place);
            self.conditions(&output.preconditions, place);
        }
        for block in self.module.provider_configs.values() {
            self.body(&block.body, &[], place);
        }
        for check in &self.module.checks {
            self.conditions(&check.assertions, place);
        }
        for import in &self.module.imports {
            let place = Place { each: import.for_each.is_some(), ..place };
            self.expression(&import.id, place);
            if let Some(for_each) = &import.for_each {
                self.expression(for_each, Place::default());
            }
        }
    }

    fn resource(&mut self, block: &ResourceBlock) {
        let outside = Place { block: Some(&block.address), ..Place::default() };
        for expression in [&block.count, &block.for_each].into_iter().flatten() {
            self.expression(expression, outside);
        }
        let place =
            Place { count: block.count.is_some(), each: block.for_each.is_some(), ..outside };
        self.traversals(&block.depends_on, outside);
        self.body(&block.body, &[], place);
        self.conditions(&block.lifecycle.preconditions, place);
        self.conditions(&block.lifecycle.postconditions, Place { own: true, ..place });
        for trigger in &block.lifecycle.replace_triggered_by {
            self.expression(trigger, place);
        }
    }

    fn call(&mut self, call: &ModuleCall) {
        for expression in [&call.count, &call.for_each].into_iter().flatten() {
            self.expression(expression, Place::default());
        }
        let place = Place {
            count: call.count.is_some(),
            each: call.for_each.is_some(),
            ..Place::default()
        };
        self.traversals(&call.depends_on, Place::default());
        for input in call.inputs.values() {
            self.expression(input, place);
        }
        let Some(child) = self.configuration.modules.get(&self.path.child(call.step.clone()))
        else {
            return;
        };
        for name in call.inputs.keys().filter(|name| !child.variables.contains_key(*name)) {
            self.diagnostics.push(ConfigError::UnknownInput {
                module: call.step.to_string(),
                name: name.to_string(),
                span: call.input_spans.get(name).copied().unwrap_or(call.header),
                suggestion: suggest(name, child.variables.keys().map(|name| &**name))
                    .map(|near| format!("did you mean `{near}`?")),
            });
        }
        for (name, variable) in &child.variables {
            if variable.default.is_none() && !call.inputs.contains_key(name) {
                self.diagnostics.push(ConfigError::MissingInput {
                    module: call.step.to_string(),
                    name: name.to_string(),
                    span: call.header,
                    declared: variable.span,
                });
            }
        }
    }

    fn conditions(&mut self, conditions: &[Condition], place: Place<'_>) {
        for condition in conditions {
            self.expression(&condition.condition, place);
            self.expression(&condition.error_message, place);
        }
    }

    /// Expressions of a body whose schema is not known; names in `iterators` belong to dynamic blocks.
    fn body(&mut self, body: &Body, iterators: &[Arc<str>], place: Place<'_>) {
        for attribute in &body.attributes {
            if body.json && &*attribute.name.text == "dynamic" {
                continue;
            }
            // Faults of the expression itself are reported by who compiles it against the schema.
            let (expression, _) = lang::compile(&attribute.expr);
            for traversal in
                expression.references().iter().filter(|t| !iterators.contains(&t.root.text))
            {
                self.traversal(traversal, place);
            }
        }
        for block in &body.blocks {
            if &*block.kind.text != "dynamic" {
                self.body(&block.body, iterators, place);
                continue;
            }
            let iterator = block.body.attribute("iterator").and_then(|attribute| {
                let (expression, _) = lang::compile(&attribute.expr);
                expression.as_traversal().map(|traversal| Arc::clone(&traversal.root.text))
            });
            let iterator =
                iterator.or_else(|| block.labels.first().map(|label| Arc::clone(&label.text)));
            if let Some(for_each) = block.body.attribute("for_each") {
                let (expression, _) = lang::compile(&for_each.expr);
                for traversal in
                    expression.references().iter().filter(|t| !iterators.contains(&t.root.text))
                {
                    self.traversal(traversal, place);
                }
            }
            let inner: Vec<Arc<str>> = iterators.iter().cloned().chain(iterator).collect();
            for content in block.body.blocks_named("content", 0) {
                self.body(&content.body, &inner, place);
            }
        }
    }

    fn expression(&mut self, expression: &Expression, place: Place<'_>) {
        self.traversals(expression.references(), place);
    }

    fn traversals(&mut self, traversals: &[Traversal], place: Place<'_>) {
        for traversal in traversals {
            self.traversal(traversal, place);
        }
    }

    fn traversal(&mut self, traversal: &Traversal, place: Place<'_>) {
        let resolved = match resolve(self.module, traversal) {
            Ok(resolved) => resolved,
            Err(error) => return self.diagnostics.push(error),
        };
        let span = traversal.span;
        match &resolved.reference {
            Reference::CountIndex if !place.count => {
                self.out_of_place("count", span, "`count.index` exists in blocks that set `count`");
            }
            Reference::Each if !place.each => {
                self.out_of_place(
                    "each",
                    span,
                    "`each.key` and `each.value` exist in blocks that set `for_each`",
                );
            }
            Reference::SelfObject if !place.own => {
                self.out_of_place("self", span, "`self` exists in postconditions");
            }
            Reference::Resource(resource) if place.block == Some(resource) => {
                self.diagnostics
                    .push(ConfigError::SelfReference { address: resource.to_string(), span });
            }
            Reference::Call(step) => self.output(step, &resolved, span),
            _ => {}
        }
    }

    fn output(
        &mut self,
        step: &address::ModulePathStep,
        resolved: &crate::Resolved<'_>,
        span: Span,
    ) {
        let Some(lang::TraversalStep::Attribute(name)) = resolved.rest.first() else { return };
        let Some(child) = self.configuration.modules.get(&self.path.child(step.clone())) else {
            return;
        };
        let repeated = self
            .module
            .calls
            .get(step)
            .is_some_and(|call| call.count.is_some() || call.for_each.is_some());
        if child.outputs.contains_key(&name.text) || (repeated && resolved.key.is_none()) {
            return;
        }
        self.diagnostics.push(crate::ReferenceError::Unknown {
            kind: "output",
            name: format!("{step}.{name}"),
            span,
            suggestion: suggest(&name.text, child.outputs.keys().map(|name| &**name))
                .map(|near| format!("did you mean `{step}.{near}`?")),
        });
    }

    fn out_of_place(&mut self, name: &str, span: Span, help: &str) {
        self.diagnostics.push(ConfigError::OutOfPlace {
            name: name.to_owned(),
            span,
            help: help.to_owned(),
        });
    }
}

/// Says whether a version satisfies a constraint such as `>= 1.5, < 2.0` or `~> 1.11`. What cannot be read is
/// not satisfied.
pub(crate) fn satisfies(version: &str, constraint: &str) -> bool {
    let parse = |text: &str| -> Option<Vec<u64>> {
        let number = text.trim().split('-').next().unwrap_or_default();
        number.split('.').map(|part| part.parse().ok()).collect()
    };
    let Some(ours) = parse(version) else { return false };
    let padded = |numbers: &[u64]| {
        let mut numbers = numbers.to_vec();
        numbers.resize(3.max(numbers.len()), 0);
        numbers
    };
    let ours = padded(&ours);
    constraint.split(',').all(|part| {
        let part = part.trim();
        let at = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
        let (operator, wanted) = part.split_at(at);
        let Some(wanted) = parse(wanted) else { return false };
        let full = padded(&wanted);
        match operator.trim() {
            "" | "=" => ours == full,
            "!=" => ours != full,
            ">" => ours > full,
            ">=" => ours >= full,
            "<" => ours < full,
            "<=" => ours <= full,
            "~>" => {
                let fixed = wanted.len().saturating_sub(1).max(1);
                ours >= full && ours[..fixed] == full[..fixed]
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::satisfies;

    #[test]
    fn version_constraints_are_compared_part_by_part() {
        let table = [
            (">= 1.5", true),
            (">= 1.5, < 2.0", true),
            ("< 1.11.4", false),
            ("~> 1.11", true),
            ("~> 1.11.0", true),
            ("~> 1.10.0", false),
            ("1.11.4", true),
            ("!= 1.11.4", false),
            ("nonsense", false),
        ];
        for (constraint, expected) in table {
            assert_eq!(satisfies("1.11.4", constraint), expected, "{constraint}");
        }
    }
}
