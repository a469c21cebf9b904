//! What is wrong whatever the values will be: every expression evaluated once with nothing known.
//!
//! Variables of all modules, resources, `each` and `count` are unknown; as far as their types are known
//! they have these. What a call gives is checked against the variable and its rules, but not used inside,
//! for a module may guard with `count` what does not fit the values of one call. So a wrong argument of a
//! function, a type that does not convert or a value that is sensitive where it must not be is found by
//! `validate`, with all others, and without looking at any object.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{AttributePath, ProviderAddress, ProviderConfig, ResourceMode};
use config::{Condition, Module, Reference};
use lang::{Expression, Traversal, TraversalStep};
use sdk::Reader;
use syntax::{Diagnostics, Span, suggest};
use value::{Marks, Type, Value};

use crate::Request;
use crate::error::PlanError;
use crate::evaluation::{Evaluation, ModuleId, Repetition, prefix};
use crate::prepare::{Block, Prepared, ProviderBlock};
use crate::problem::Place;
use crate::provider::Readers;
use crate::walk::{count_expansion, for_each_expansion};

/// Checks everything in a configuration that has no ring and fits its schemas.
pub(crate) async fn check(request: &Request<'_>, prepared: &Prepared) -> Diagnostics {
    let mut evaluation = Evaluation::for_check(
        Arc::clone(&request.configuration),
        Arc::clone(&request.world),
        Arc::clone(&request.workspace),
    );
    evaluation.use_functions(request.readers);
    let ids: Vec<ModuleId> = evaluation.modules().map(|(id, _)| id).collect();
    let mut found = Diagnostics::new();
    for id in &ids {
        found.extend(evaluation.demand_module(*id));
    }
    let mut check = Check { evaluation: &evaluation, prepared, found, questions: Vec::new() };
    for id in ids {
        check.module(id);
    }
    let Check { mut found, questions, .. } = check;
    found.extend(ask_providers(request, prepared, questions).await);
    found
}

struct Check<'a> {
    evaluation: &'a Evaluation,
    prepared: &'a Prepared,
    found: Diagnostics,
    /// What providers are asked about.
    questions: Vec<Question>,
}

impl Check<'_> {
    fn module(&mut self, id: ModuleId) {
        let module = Arc::clone(&self.evaluation.module(id).module);
        self.attributes(&module);
        for resource in module.resources.keys() {
            let address =
                address::ConfigResource { module: module.path.clone(), resource: resource.clone() };
            if let Some(block) = self.prepared.blocks.get(&address).cloned() {
                self.resource(id, &block);
            }
        }
        for (step, call) in &module.calls {
            let address = format!("{}{step}", prefix(&self.evaluation.module(id).instance));
            self.repetition(id, call.count.as_ref(), call.for_each.as_ref(), &address);
        }
        for check in &module.checks {
            self.conditions(id, &check.assertions, None);
        }
        self.imports(id, &module);
        for (address, provider) in &self.prepared.providers {
            if address.module == module.path
                && let Some(program) = &provider.program
            {
                let single = Repetition::single();
                let value =
                    self.evaluation.with_context(id, &single, None, |ctx| program.evaluate(ctx));
                // An empty block is not asked about: what it lacks may be in the environment of the plan.
                if let Some(value) = self.take(value).filter(|_| !program.sets_nothing()) {
                    let about = About::Provider(address.clone());
                    self.questions.push(Question { about, value });
                }
            }
        }
    }

    fn take<T>(&mut self, result: Result<T, Diagnostics>) -> Option<T> {
        result.map_err(|found| self.found.extend(found)).ok()
    }

    fn resource(&mut self, id: ModuleId, block: &Arc<Block>) {
        let address =
            format!("{}{}", prefix(&self.evaluation.module(id).instance), block.address.resource);
        let config = &block.config;
        self.repetition(id, config.count.as_ref(), config.for_each.as_ref(), &address);
        let single = Repetition::single();
        let value =
            self.evaluation.with_context(id, &single, None, |ctx| block.program.evaluate(ctx));
        if let Some(value) = self.take(value) {
            let refused = refuse_ephemeral(block, &value, &address);
            if refused.is_empty() {
                self.questions.push(Question { about: About::Block(Arc::clone(block)), value });
            }
            self.found.extend(refused);
        }
        let own = Value::unknown(block.schema.get().block.ty());
        self.conditions(id, &config.lifecycle.preconditions, None);
        self.conditions(id, &config.lifecycle.postconditions, Some(&own));
        for provisioner in &block.provisioners {
            let result = self
                .evaluation
                .with_context(id, &single, Some(&own), |ctx| provisioner.evaluate(ctx));
            self.take(result);
        }
    }

    fn repetition(
        &mut self,
        id: ModuleId,
        count: Option<&Expression>,
        for_each: Option<&Expression>,
        address: &str,
    ) {
        let single = Repetition::single();
        let (expression, count) = match (count, for_each) {
            (Some(count), _) => (count, true),
            (None, Some(for_each)) => (for_each, false),
            (None, None) => return,
        };
        let value = self.evaluation.evaluate(id, &single, expression);
        let Some(value) = self.take(value) else { return };
        let span = expression.span();
        let expansion = if count {
            count_expansion(&value, span, address)
        } else {
            for_each_expansion(&value, span, address)
        };
        match expansion {
            // Whether it will be known is for the plan to say.
            Ok(_) | Err(PlanError::UnknownExpansion { .. }) => {}
            Err(error) => self.found.push(error),
        }
    }

    /// Only that they can be evaluated: whether they hold is for the plan to say.
    fn conditions(&mut self, id: ModuleId, conditions: &[Condition], own: Option<&Value>) {
        for condition in conditions {
            let single = Repetition::single();
            let value = self
                .evaluation
                .with_context(id, &single, own, |ctx| condition.condition.evaluate(ctx));
            let Some(value) = self.take(value) else { continue };
            // A null comes to light with the plan's values.
            if !value.is_null() {
                let result = self.evaluation.condition(id, &single, own, condition);
                self.take(result);
            }
        }
    }

    fn imports(&mut self, id: ModuleId, module: &Module) {
        let single = Repetition::single();
        for import in &module.imports {
            if let Some(for_each) = &import.for_each {
                let value = self.evaluation.evaluate(id, &single, for_each);
                self.take(value);
            }
            let value = self.evaluation.evaluate(id, &single, &import.id);
            if let Some(value) = self.take(value)
                && let Err(found) =
                    crate::import::key_of(&value, import.id.span(), import.by_identity, false)
            {
                self.found.extend(found);
            }
        }
    }

    /// Attributes of resources that their schemas do not have.
    fn attributes(&mut self, module: &Module) {
        for traversal in references(module, self.prepared) {
            let Ok(resolved) = config::resolve(module, traversal) else { continue };
            let Reference::Resource(resource) = &resolved.reference else { continue };
            let address =
                address::ConfigResource { module: module.path.clone(), resource: resource.clone() };
            let Some(block) = self.prepared.blocks.get(&address) else { continue };
            if let Some(error) = missing_attribute(
                &resource.to_string(),
                block.schema.get().block.ty(),
                resolved.rest,
            ) {
                self.found.push(error);
            }
        }
    }
}

/// All references of a module, in the order of its parts.
fn references<'a>(module: &'a Module, prepared: &'a Prepared) -> Vec<&'a Traversal> {
    let mut found: Vec<&Traversal> = Vec::new();
    module.variables.values().for_each(|one| conditions(&mut found, &one.validations));
    module.locals.values().for_each(|one| expression(&mut found, &one.value));
    for output in module.outputs.values() {
        expression(&mut found, &output.value);
        conditions(&mut found, &output.preconditions);
    }
    for call in module.calls.values() {
        let inputs = call.inputs.values();
        inputs.chain(&call.count).chain(&call.for_each).for_each(|one| expression(&mut found, one));
    }
    for check in &module.checks {
        conditions(&mut found, &check.assertions);
    }
    for resource in module.resources.keys() {
        let address =
            address::ConfigResource { module: module.path.clone(), resource: resource.clone() };
        let Some(block) = prepared.blocks.get(&address) else { continue };
        let config = &block.config;
        config.count.iter().chain(&config.for_each).for_each(|one| expression(&mut found, one));
        found.extend(block.program.references());
        conditions(&mut found, &config.lifecycle.preconditions);
        conditions(&mut found, &config.lifecycle.postconditions);
        block.provisioners.iter().for_each(|one| found.extend(one.references()));
    }
    for (address, provider) in &prepared.providers {
        if address.module == module.path {
            found.extend(provider.program.iter().flat_map(|program| program.references()));
        }
    }
    found
}

fn expression<'e>(found: &mut Vec<&'e Traversal>, expression: &'e Expression) {
    found.extend(expression.references());
}

fn conditions<'e>(found: &mut Vec<&'e Traversal>, conditions: &'e [Condition]) {
    for condition in conditions {
        expression(found, &condition.condition);
        expression(found, &condition.error_message);
    }
}

/// Follows attribute steps into a type; the error names the first that is not there.
fn missing_attribute(address: &str, ty: Type, steps: &[TraversalStep]) -> Option<PlanError> {
    let mut ty = ty;
    let mut holder = address.to_owned();
    for step in steps {
        let TraversalStep::Attribute(name) = step else { return None };
        let Type::Object(_) = &ty else { return None };
        match ty.attribute(&name.text) {
            Some(inner) => {
                let inner = inner.clone();
                holder = format!("{holder}.{name}");
                ty = inner;
            }
            None => {
                let Type::Object(object) = &ty else { return None };
                let names = object.attributes.keys().map(|name| &**name);
                return Some(PlanError::NoSuchAttribute {
                    holder,
                    name: name.text.to_string(),
                    span: name.span,
                    suggestion: suggest(&name.text, names)
                        .map(|near| format!("did you mean `{near}`?")),
                });
            }
        }
    }
    None
}

/// Ephemeral values may stand only in what is stored nowhere.
pub(crate) fn refuse_ephemeral(block: &Block, config: &Value, address: &str) -> Diagnostics {
    if block.address.resource.mode == ResourceMode::Ephemeral
        || !config.deep_marks().contains(Marks::EPHEMERAL)
    {
        return Diagnostics::new();
    }
    let schema = &block.schema.get().block;
    let (_, marks) = config.clone().unmark_deep();
    let ephemeral = marks.iter().filter(|(_, marks)| marks.contains(Marks::EPHEMERAL));
    let stored = ephemeral.filter(|(path, _)| {
        schema.attribute_at(path).is_none_or(|attribute| !attribute.write_only)
    });
    let mut first: BTreeMap<String, &AttributePath> = BTreeMap::new();
    for (path, _) in stored {
        let root = AttributePath(path.steps().iter().take(1).cloned().collect());
        first.entry(root.to_string()).or_insert(path);
    }
    let errors = first.into_values().map(|path| PlanError::UnsuitableValue {
        what: "value",
        address: format!("{address}.{path}"),
        message: "is ephemeral, but the attribute is stored".to_owned(),
        span: block.program.locate(path),
        help: Some(
            "use a write-only argument, or `ephemeralasnull(…)` where null will do".to_owned(),
        ),
    });
    let mut found = Diagnostics::new();
    errors.for_each(|error| found.push(error));
    found
}

/// A configuration that a provider is asked about.
struct Question {
    about: About,
    /// With marks.
    value: Value,
}

/// Whose configuration it is.
enum About {
    Block(Arc<Block>),
    Provider(ProviderConfig),
}

/// Asks providers about the configurations that they will get; they are not configured for that.
async fn ask_providers(
    request: &Request<'_>,
    prepared: &Prepared,
    questions: Vec<Question>,
) -> Diagnostics {
    let mut readers: BTreeMap<ProviderAddress, Option<Arc<dyn Reader>>> = BTreeMap::new();
    let mut found = Diagnostics::new();
    for Question { about, value } in questions {
        let provider = match &about {
            About::Block(block) => &block.config.provider.provider,
            About::Provider(address) => &address.provider,
        };
        if !readers.contains_key(provider) {
            let reader = request.readers.create(provider).await.and_then(Result::ok);
            readers.insert(provider.clone(), reader);
        }
        let Some(Some(reader)) = readers.get(provider) else { continue };
        let (config, marks) = value.unmark_deep();
        let reader = Readers::discreet(Arc::clone(reader), &config, &marks);
        let asked = Asked { name: provider.short_name(), reader, config };
        match &about {
            About::Block(block) => found.extend(asked.about_block(block).await),
            About::Provider(address) => {
                if let Some(block) = prepared.providers.get(address) {
                    found.extend(asked.about_settings(block).await);
                }
            }
        }
    }
    found
}

/// A question on its way.
struct Asked {
    name: String,
    reader: Arc<dyn Reader>,
    /// Without marks.
    config: Value,
}

impl Asked {
    async fn about_block(&self, block: &Block) -> Diagnostics {
        let type_name = &block.address.resource.type_name;
        let problems = match block.address.resource.mode {
            ResourceMode::Managed => self.reader.validate_resource(type_name, &self.config).await,
            ResourceMode::Data => self.reader.validate_data(type_name, &self.config).await,
            ResourceMode::Ephemeral => {
                self.reader.validate_ephemeral(type_name, &self.config).await
            }
        };
        let locate = |path: &AttributePath| Some(block.program.locate(path));
        self.found(block.address.to_string(), &block.schema.get().block, &locate, problems)
    }

    async fn about_settings(&self, block: &ProviderBlock) -> Diagnostics {
        let problems = self.reader.validate_provider(&self.config).await;
        let locate = |path: &AttributePath| {
            block.program.as_ref().map(|program| program.locate(path)).or(block.span)
        };
        self.found(block.address.to_string(), &block.schema.provider.block, &locate, problems)
    }

    fn found(
        &self,
        address: String,
        schema: &sdk::Block,
        locate: &(dyn Fn(&AttributePath) -> Option<Span> + Sync),
        problems: Result<sdk::Problems, sdk::ProviderError>,
    ) -> Diagnostics {
        let given = || {
            let secret = schema.sensitive_paths(&self.config).into_iter();
            let secret: Vec<_> = secret.map(|path| (path, Marks::SENSITIVE)).collect();
            vec![self.config.clone().mark_paths(&secret)]
        };
        let place = Place { address, locate, given: &given };
        match problems {
            Ok(problems) => place.problems(problems),
            Err(error) => place.failure(&self.name, "validate", &error).into(),
        }
    }
}
