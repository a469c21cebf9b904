//! Everything that can be found wrong without evaluating: references, inputs of calls, versions.
//!
//! Runs once components are module calls, so that their references are ordinary ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{ModulePath, ProviderAddress, Resource};
use lang::{Expression, Traversal, TraversalStep};
use syntax::{Body, Diagnostics, Span, suggest};

use crate::error::ConfigError;
use crate::module::{Condition, Configuration, Module, ModuleCall, ProviderName, ResourceBlock};
use crate::reference::{Reference, resolve};
use crate::rule::RuleError;

/// Checks a whole configuration.
pub fn validate(configuration: &Configuration) -> Diagnostics {
    let mut diagnostics = required_versions(configuration);
    diagnostics.extend(built_in_versions(configuration));
    for (path, module) in &configuration.modules {
        let mut check = Check { configuration, path, module, diagnostics: &mut diagnostics };
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

/// Complains of modules that were written for another version of the language.
pub fn required_versions(configuration: &Configuration) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for module in configuration.modules.values() {
        for (wanted, span) in &module.terraform.required_version {
            if !crate::version::satisfies(crate::LANGUAGE_VERSION, wanted) {
                diagnostics.push(ConfigError::RequiredVersion {
                    wanted: wanted.clone(),
                    ours: crate::LANGUAGE_VERSION,
                    span: *span,
                });
            }
        }
    }
    diagnostics
}

/// Complains of versions that are wanted of a provider that is part of the program.
pub fn built_in_versions(configuration: &Configuration) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for module in configuration.modules.values() {
        for (local, required) in &module.required_providers {
            if required.version.is_some() && required.address == ProviderAddress::builtin() {
                diagnostics.push(RuleError::BuiltInVersion {
                    local: local.to_string(),
                    provider: required.address.to_string(),
                    span: required.span,
                });
            }
        }
    }
    diagnostics
}

/// Complains of provider configurations that the root module wants from a caller. It can be validated without them,
/// as a module that others call is, but not planned.
pub fn root_aliases(configuration: &Configuration) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let root = configuration.root();
    for (local, required) in &root.required_providers {
        for alias in &required.aliases {
            let name = ProviderName { local: Arc::clone(local), alias: Some(Arc::clone(alias)) };
            if !root.provider_configs.contains_key(&name) {
                diagnostics.push(RuleError::RootAlias {
                    name: format!("{local}.{alias}"),
                    local: local.to_string(),
                    alias: alias.to_string(),
                    span: required.span,
                });
            }
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
    /// The check whose data source is visible.
    check: Option<&'a str>,
    count: bool,
    each: bool,
    own: bool,
    /// The block itself, which may not refer to itself.
    block: Option<&'a Resource>,
}

impl Check<'_> {
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
            self.depends_on(&output.depends_on, place);
            self.conditions(&output.preconditions, place);
        }
        for block in self.module.provider_configs.values() {
            self.body(&block.body, &[], place);
        }
        for check in &self.module.checks {
            self.conditions(&check.assertions, Place { check: Some(&check.name.text), ..place });
        }
        let mut imported: BTreeMap<String, Span> = BTreeMap::new();
        for import in &self.module.imports {
            let is_dynamic = |step: &TraversalStep| matches!(step, TraversalStep::Dynamic(..));
            if !import.to.steps.iter().any(is_dynamic) {
                let address = import.to.to_string();
                if let Some(first) = imported.insert(address.clone(), import.span) {
                    let second = import.span;
                    self.diagnostics.push(RuleError::ImportTwice { address, first, second });
                }
            }
            if let Some(span) = import.provider.filter(|_| self.is_written_out(&import.to)) {
                self.diagnostics.push(RuleError::ImportProvider { span });
            }
            let place = Place { each: import.for_each.is_some(), ..place };
            self.expression(&import.id, place);
            self.import_keys(&import.to, place);
            if let Some(for_each) = &import.for_each {
                self.expression(for_each, Place::default());
            }
        }
    }

    /// Says whether a target of an import has a block. In a module, it cannot be without one.
    fn is_written_out(&self, to: &Traversal) -> bool {
        let name = to.steps.first().and_then(TraversalStep::as_attribute);
        to.root.as_str() == "module"
            || self.module.resources.keys().any(|resource| {
                resource.mode == address::ResourceMode::Managed
                    && resource.type_name == to.root.text
                    && name.is_some_and(|name| name.text == resource.name)
            })
    }

    fn resource(&mut self, block: &ResourceBlock) {
        let outside = Place {
            block: Some(&block.address),
            check: block.check.as_deref(),
            ..Place::default()
        };
        for expression in [&block.count, &block.for_each].into_iter().flatten() {
            self.expression(expression, outside);
        }
        let place =
            Place { count: block.count.is_some(), each: block.for_each.is_some(), ..outside };
        // A block that depends on itself waits for nobody, so it is let pass.
        self.depends_on(&block.depends_on, Place { block: None, ..outside });
        for provisioner in &block.provisioners {
            // By the time it runs, the object is there.
            let place = Place { own: true, block: None, ..place };
            self.body(&provisioner.body, &[], place);
            if let Some(connection) = &provisioner.connection {
                self.body(&connection.body, &[], place);
            }
        }
        self.body(&block.body, &[], place);
        self.conditions(&block.lifecycle.preconditions, place);
        self.conditions(&block.lifecycle.postconditions, Place { own: true, ..place });
        for trigger in &block.lifecycle.replace_triggered_by {
            self.trigger(trigger, place);
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
        self.depends_on(&call.depends_on, Place::default());
        for input in call.inputs.values() {
            self.expression(input, place);
        }
        let Some(child) = self.configuration.modules.get(&self.path.child(call.step.clone()))
        else {
            return;
        };
        self.providers(call, child);
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

    /// What a call passes in, and what its module wants or configures itself.
    fn providers(&mut self, call: &ModuleCall, child: &Module) {
        let module = call.step.to_string();
        let shown = ProviderName::to_string;
        for (local, required) in &child.required_providers {
            for alias in &required.aliases {
                let name =
                    ProviderName { local: Arc::clone(local), alias: Some(Arc::clone(alias)) };
                if !call.providers.contains_key(&name) {
                    let (module, name) = (module.clone(), shown(&name));
                    self.diagnostics.push(RuleError::ProviderNotPassed {
                        module,
                        name,
                        span: call.header,
                    });
                }
            }
        }
        for name in call.providers.keys().filter(|name| name.alias.is_some()) {
            let wanted = child.required_providers.get(&name.local).is_some_and(|required| {
                name.alias.as_ref().is_some_and(|alias| required.aliases.contains(alias))
            });
            if !wanted && !child.provider_configs.contains_key(name) {
                let (module, name) = (module.clone(), shown(name));
                self.diagnostics.push(RuleError::ProviderNotTaken {
                    module,
                    name,
                    span: call.header,
                });
            }
        }
        for (inner, outer) in &call.providers {
            let wanted = crate::provider::local_address(child, &inner.local);
            let given = crate::provider::local_address(self.module, &outer.local);
            if wanted != given {
                self.diagnostics.push(RuleError::ProviderMismatch {
                    module: module.clone(),
                    name: shown(inner),
                    wanted: wanted.to_string(),
                    given: given.to_string(),
                    span: call.header,
                });
            }
        }
        for name in call.providers.keys() {
            let own = child.provider_configs.get(name);
            let filled =
                own.filter(|own| !own.body.attributes.is_empty() || !own.body.blocks.is_empty());
            if let Some(own) = filled {
                self.diagnostics.push(RuleError::ProviderOverridden {
                    module: module.clone(),
                    name: shown(name),
                    span: call.header,
                    provider: own.span,
                });
            }
        }
        let own = child.provider_configs.values().find(|block| {
            !block.body.attributes.is_empty()
                || !block.body.blocks.is_empty()
                || block.name.alias.is_some()
        });
        let repeated = [
            ("count", call.count.as_ref().map(Expression::span)),
            ("for_each", call.for_each.as_ref().map(Expression::span)),
            ("depends_on", call.depends_on.first().map(|first| first.span)),
        ];
        for (argument, span) in repeated {
            if let (Some(span), Some(own)) = (span, own) {
                let (module, provider) = (module.clone(), own.span);
                self.diagnostics.push(RuleError::ProviderInModule {
                    module,
                    argument,
                    span,
                    provider,
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
        if let Some(error) = self.symbol(&resolved, traversal).or_else(|| self.key(&resolved, span))
        {
            return self.diagnostics.push(error);
        }
        match &resolved.reference {
            Reference::Resource(resource) if self.is_hidden(resource, place) => {
                let check = self.module.resources.get(resource).and_then(|r| r.check.clone());
                self.diagnostics.push(RuleError::ScopedData {
                    address: resource.to_string(),
                    check: check.unwrap_or_default().to_string(),
                    span,
                });
            }
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

    /// A data source within a check is seen by that check alone.
    fn is_hidden(&self, resource: &Resource, place: Place<'_>) -> bool {
        let check = self.module.resources.get(resource).and_then(|block| block.check.as_deref());
        check.is_some() && check != place.check
    }

    /// Names of `each`, `count`, `path` and `terraform` that do not exist.
    fn symbol(&self, resolved: &crate::Resolved<'_>, traversal: &Traversal) -> Option<RuleError> {
        let (known, listed): (&[&str], _) = match &resolved.reference {
            Reference::Each => (&["key", "value"], "`each.key` and `each.value`"),
            Reference::CountIndex => (&["index"], "`count.index`, and nothing else"),
            Reference::Path => {
                (&["module", "root", "cwd"], "`path.module`, `path.root` and `path.cwd`")
            }
            Reference::Terraform => {
                (&["workspace", "applying"], "`terraform.workspace` and `terraform.applying`")
            }
            _ => return None,
        };
        let name = traversal.steps.first().and_then(TraversalStep::as_attribute);
        let name = name.map(|name| name.as_str()).unwrap_or_default();
        (!known.contains(&name)).then(|| RuleError::NoSuchSymbol {
            root: traversal.root.text.to_string(),
            name: name.to_owned(),
            known: listed,
            span: traversal.span,
        })
    }

    /// An index must be there exactly where a block has several instances.
    fn key(&self, resolved: &crate::Resolved<'_>, span: Span) -> Option<RuleError> {
        let Reference::Resource(resource) = &resolved.reference else { return None };
        let block = self.module.resources.get(resource)?;
        let repeated = block.count.is_some() || block.for_each.is_some();
        let address = resource.to_string();
        if !repeated && resolved.key.is_some() {
            return Some(RuleError::UnexpectedKey { address, span });
        }
        let names_part = matches!(resolved.rest.first(), Some(TraversalStep::Attribute(_)));
        if !repeated || resolved.key.is_some() || !names_part {
            return None;
        }
        let help = if block.count.is_some() {
            format!(
                "write `{address}[0]…` or `{address}[count.index]…`, or `{address}[*]…` for all"
            )
        } else {
            format!("write `{address}[\"KEY\"]…` or `{address}[each.key]…`")
        };
        Some(RuleError::MissingKey { address, help, span })
    }

    fn depends_on(&mut self, traversals: &[Traversal], place: Place<'_>) {
        for traversal in traversals {
            if let Ok(resolved) = resolve(self.module, traversal)
                && let Reference::Resource(_) = &resolved.reference
                && !resolved.rest.is_empty()
            {
                let whole = traversal.steps.len() - resolved.rest.len();
                let whole =
                    Traversal { steps: traversal.steps[..whole].to_vec(), ..traversal.clone() };
                self.diagnostics.push(RuleError::DependsOnAttribute {
                    whole: whole.to_string(),
                    span: traversal.span,
                });
                continue;
            }
            self.traversal(traversal, place);
        }
    }

    /// What replaces a resource is another resource.
    fn trigger(&mut self, trigger: &Expression, place: Place<'_>) {
        for traversal in trigger.references() {
            let root = traversal.root.as_str();
            if matches!(
                root,
                "var" | "local" | "module" | "data" | "path" | "terraform" | "self" | "ephemeral"
            ) {
                self.diagnostics
                    .push(RuleError::Trigger { name: traversal.to_string(), span: traversal.span });
            } else {
                self.traversal(traversal, place);
            }
        }
    }

    /// Indices of an import's address.
    fn import_keys(&mut self, to: &Traversal, place: Place<'_>) {
        for step in &to.steps {
            if let TraversalStep::Dynamic(index, _) = step {
                self.expression(index, place);
            }
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
