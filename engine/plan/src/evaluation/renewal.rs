//! What apply asks of a plan's evaluation: the same blocks again, with values that are real by now.

use std::sync::Arc;

use address::{ProviderConfig, ResourceInstance};
use config::When;
use sdk::Reader;
use syntax::{Diagnostics, Span};
use value::Value;

use super::{Evaluation, Expansion, Judged, ROOT, Repetition};
use crate::ephemeral::{Listener, Open};
use crate::error::PlanError;
use crate::instance::{Final, plan_final};
use crate::model::ResourceChange;
use crate::prepare::{Block, walked_block};
use crate::problem::Place;
use crate::provisioner::{Provision, Provisioner};
use crate::walk::{for_each_expansion, repetition_of};

/// A block instance whose configuration is known by now.
pub struct Ready {
    /// `None` for an object that is led back: it may have no block any more.
    block: Option<Arc<Block>>,
    config: Value,
}

impl Ready {
    /// Plans the change once more and checks that it keeps to what was planned.
    pub async fn plan(
        self,
        reader: Arc<dyn Reader>,
        change: &ResourceChange,
    ) -> Result<Final, Diagnostics> {
        plan_final(reader, self.block, change, self.config).await
    }

    /// Reads the data source; the value carries its marks.
    pub async fn read(
        self,
        reader: Arc<dyn Reader>,
        address: &ResourceInstance,
    ) -> Result<(Value, Diagnostics), Diagnostics> {
        let (config, marks) = self.config.unmark_deep();
        let Some(block) = &self.block else { return Err(Diagnostics::new()) };
        let read = crate::data::read(&reader, block, address, config, &marks).await?;
        Ok((read.value, read.warnings))
    }
}

impl Evaluation {
    /// Evaluates the configuration of an instance again.
    pub fn renew(&mut self, address: &ResourceInstance) -> Result<Option<Ready>, Diagnostics> {
        if let Some(config) = self.restored.config(address) {
            return Ok(Some(Ready { block: None, config }));
        }
        let Some(id) = self.find(&address.module) else { return Ok(None) };
        let Some(block) = self.blocks.get(&address.block().config()).cloned() else {
            return Ok(None);
        };
        let lifecycle = &block.config.lifecycle;
        let conditions = lifecycle.preconditions.iter().chain(&lifecycle.postconditions);
        let references: Vec<lang::Traversal> =
            block
                .program
                .references()
                .iter()
                .chain(conditions.flat_map(|c| {
                    c.condition.references().iter().chain(c.error_message.references())
                }))
                .cloned()
                .collect();
        self.demand(id, &references)?;
        let repetition = self.repetition_now(id, &block, address)?;
        let failed = self.check_conditions(
            id,
            &repetition,
            None,
            &lifecycle.preconditions,
            "precondition",
            &address.to_string(),
        );
        if failed.has_errors() {
            return Err(failed);
        }
        let config = self.with_context(id, &repetition, None, |ctx| block.program.evaluate(ctx))?;
        Ok(Some(Ready { block: Some(block), config }))
    }

    /// An instance's key, with the value that `for_each` gives it by now.
    fn repetition_now(
        &mut self,
        id: super::ModuleId,
        block: &Block,
        address: &ResourceInstance,
    ) -> Result<Repetition, Diagnostics> {
        let planned = repetition_of(self.module(id), &address.resource, &address.key);
        let known = planned.value.as_ref().is_none_or(Value::is_wholly_known);
        let (Some(for_each), false, true) = (&block.config.for_each, known, block.reads_each_value)
        else {
            return Ok(planned);
        };
        let module = Arc::clone(&self.module(id).module);
        if let Some(walked) = walked_block(&module, for_each) {
            let walked = self.module(id).resources.get(&walked);
            let value = walked.and_then(|state| state.instances.get(&address.key).cloned());
            return Ok(Repetition { value: value.or(planned.value), ..planned });
        }
        self.demand(id, for_each.references())?;
        let elements = self.elements(id, for_each, &address.to_string())?;
        if let Some(state) = self.module_mut(id).resources.get_mut(&address.resource) {
            state.expansion = Some(elements);
        }
        Ok(repetition_of(self.module(id), &address.resource, &address.key))
    }

    /// What `for_each` walks, evaluated again.
    pub(super) fn elements(
        &self,
        id: super::ModuleId,
        for_each: &lang::Expression,
        address: &str,
    ) -> Result<Expansion, Diagnostics> {
        let value = self.evaluate(id, &Repetition::single(), for_each)?;
        for_each_expansion(&value, for_each.span(), address).map_err(Diagnostics::from)
    }

    /// Checks of all modules: what does not hold is a warning.
    pub(crate) fn checks(&self) -> Diagnostics {
        let mut found = Diagnostics::new();
        for (id, state) in self.modules() {
            for check in &state.module.checks {
                for assertion in &check.assertions {
                    match self.judge(id, &Repetition::single(), None, assertion) {
                        Ok(Judged::Holds) => {}
                        Ok(Judged::Open) => found.push(PlanError::CheckOpen {
                            name: check.name.text.to_string(),
                            span: assertion.condition.span(),
                        }),
                        Ok(Judged::Fails(failed)) => found.push(PlanError::CheckFailed {
                            name: check.name.text.to_string(),
                            message: failed.message,
                            span: assertion.condition.span(),
                            values: failed.values,
                        }),
                        Err(errors) => found.extend(errors),
                    }
                }
            }
        }
        found
    }

    /// Checks of all modules once everything is done, with the values that are real by then.
    pub fn final_checks(&mut self) -> Diagnostics {
        let modules: Vec<_> =
            self.modules().map(|(id, state)| (id, Arc::clone(&state.module))).collect();
        for (id, module) in modules {
            let assertions = module.checks.iter().flat_map(|check| &check.assertions);
            let references: Vec<lang::Traversal> = assertions
                .flat_map(|one| {
                    one.condition.references().iter().chain(one.error_message.references())
                })
                .cloned()
                .collect();
            if let Err(found) = self.demand(id, &references) {
                return crate::problem::as_warnings(found);
            }
        }
        crate::problem::as_warnings(self.checks())
    }

    /// Says whether an instance is a data source of a check.
    pub fn is_checked(&self, address: &ResourceInstance) -> bool {
        self.blocks.get(&address.block().config()).is_some_and(|block| block.config.check.is_some())
    }

    /// The provisioners of an instance whose object is `own`. A `removed` block has those of what it removes.
    pub fn provisions(
        &mut self,
        address: &ResourceInstance,
        when: When,
        own: &Value,
    ) -> Result<Vec<Provision>, Diagnostics> {
        let Some(id) = self.find(&address.module) else {
            return self.provisions_of_removed(address, when, own);
        };
        let Some(block) = self.blocks.get(&address.block().config()).cloned() else {
            return self.provisions_of_removed(address, when, own);
        };
        let wanted: Vec<&Provisioner> =
            block.provisioners.iter().filter(|one| one.when == when).collect();
        for provisioner in &wanted {
            self.demand(id, provisioner.references())?;
        }
        let repetition = repetition_of(self.module(id), &address.resource, &address.key);
        let evaluate = |one: &&Provisioner| {
            self.with_context(id, &repetition, Some(own), |ctx| one.evaluate(ctx))
        };
        wanted.iter().map(evaluate).collect()
    }

    /// Says whether commands may run around the changes of an instance.
    pub fn has_provisioners(&self, address: &ResourceInstance) -> bool {
        match self.blocks.get(&address.block().config()) {
            Some(block) => !block.provisioners.is_empty(),
            // `removed` blocks may have some; they are few, so nobody looks further.
            None => self.modules().any(|(_, module)| !module.module.removed.is_empty()),
        }
    }

    fn provisions_of_removed(
        &self,
        address: &ResourceInstance,
        when: When,
        own: &Value,
    ) -> Result<Vec<Provision>, Diagnostics> {
        let covers = |module: &address::ModuleInstance, removed: &config::Removed| {
            crate::moved::removes(module, &removed.from, address)
        };
        let found = self.modules().find_map(|(id, state)| {
            let removed = state.module.removed.iter().find(|one| covers(&state.instance, one))?;
            Some((id, removed))
        });
        let Some((id, removed)) = found else { return Ok(Vec::new()) };
        let repetition = Repetition { key: address.key.clone(), value: None };
        let blocks = removed.provisioners.iter().filter(|block| block.when == when);
        blocks
            .map(|block| {
                let (provisioner, found) = Provisioner::compile(block);
                if found.has_errors() {
                    return Err(found);
                }
                self.with_context(id, &repetition, Some(own), |ctx| provisioner.evaluate(ctx))
            })
            .collect()
    }

    /// Says whether there are ephemeral blocks at all.
    pub fn has_ephemerals(&self) -> bool {
        self.blocks.keys().any(|block| block.resource.mode == address::ResourceMode::Ephemeral)
    }

    /// Ephemeral instances that a change's block, its provisioners or its provider refers to, through whatever
    /// names, and that have no value yet; those that others need come first.
    pub fn ephemerals_behind(&self, change: &ResourceChange) -> Vec<ResourceInstance> {
        let mut found = Vec::new();
        if let Some(id) = self.find(&change.address.module)
            && let Some(block) = self.blocks.get(&change.address.block().config())
        {
            self.collect_ephemerals(id, block, &mut found);
        }
        if let Some(provider) = self.providers.get(&change.provider)
            && let Some(program) = &provider.program
        {
            let module = self.module_of_provider(&change.provider);
            self.ephemerals_of(module, program.references(), &mut found);
        }
        found
    }

    fn collect_ephemerals(
        &self,
        id: super::ModuleId,
        block: &Block,
        found: &mut Vec<ResourceInstance>,
    ) {
        let provisioned = block.provisioners.iter().flat_map(|one| one.references());
        let lifecycle = &block.config.lifecycle;
        let conditions = lifecycle.preconditions.iter().chain(&lifecycle.postconditions);
        let judged = conditions.flat_map(|one| {
            one.condition.references().iter().chain(one.error_message.references())
        });
        let references: Vec<_> =
            block.program.references().iter().chain(provisioned).chain(judged).cloned().collect();
        self.ephemerals_of(id, &references, found);
    }

    fn ephemerals_of(
        &self,
        id: super::ModuleId,
        references: &[lang::Traversal],
        found: &mut Vec<ResourceInstance>,
    ) {
        for (module, resource) in self.ephemerals_named(id, references) {
            let state = self.module(module);
            let expansion =
                state.resources.get(&resource).and_then(|block| block.expansion.as_ref());
            for repetition in expansion.map(Expansion::repetitions).unwrap_or_default() {
                let address = ResourceInstance {
                    module: state.instance.clone(),
                    resource: resource.clone(),
                    key: repetition.key,
                };
                if self.instance(&address).is_some() || found.contains(&address) {
                    continue;
                }
                if let Some(block) = self.blocks.get(&address.block().config()) {
                    self.collect_ephemerals(module, block, found);
                }
                found.push(address);
            }
        }
    }

    /// The provider configuration of an instance's block.
    pub fn provider_of(&self, address: &ResourceInstance) -> Option<ProviderConfig> {
        Some(self.blocks.get(&address.block().config())?.config.provider.clone())
    }

    /// Opens an ephemeral instance with the values that are known by now, and gives it its value.
    pub async fn open_ephemeral(
        &mut self,
        address: &ResourceInstance,
        reader: Arc<dyn Reader>,
        listener: &Listener,
    ) -> Result<(Option<Open>, Diagnostics), Diagnostics> {
        let Some(Ready { block: Some(block), config }) = self.renew(address)? else {
            return Ok((None, Diagnostics::new()));
        };
        if let Some(path) = config.unknown_paths().into_iter().next() {
            return Err(PlanError::UnsuitableValue {
                what: "value",
                address: format!("{address}.{path}"),
                message: "is still unknown, so the object cannot be opened".to_owned(),
                span: block.program.locate(&path),
                help: None,
            }
            .into());
        }
        let (value, open, mut warnings) =
            crate::ephemeral::open(reader, &block, address.clone(), config, listener).await?;
        let conditions = self.accept(address, value);
        if conditions.has_errors() {
            warnings.extend(crate::ephemeral::close_all(vec![open]).await);
            warnings.extend(conditions);
            return Err(warnings);
        }
        Ok((Some(open), warnings))
    }

    /// Records a real object and checks the conditions on it.
    pub fn accept(&mut self, address: &ResourceInstance, value: Value) -> Diagnostics {
        self.set_instance(address, value.clone());
        // What was right earlier need not hold what the configuration says now.
        if self.restored.accept(address, &value) {
            return Diagnostics::new();
        }
        let Some(id) = self.find(&address.module) else { return Diagnostics::new() };
        let Some(block) = self.blocks.get(&address.block().config()).cloned() else {
            return Diagnostics::new();
        };
        let conditions = &block.config.lifecycle.postconditions;
        if conditions.is_empty() {
            return Diagnostics::new();
        }
        let repetition = repetition_of(self.module(id), &address.resource, &address.key);
        self.check_conditions(
            id,
            &repetition,
            Some(&value),
            conditions,
            "postcondition",
            &address.to_string(),
        )
    }

    /// The settings of a provider as they are known now; `None` if nothing in the plan uses it.
    pub fn provider_settings(
        &mut self,
        provider: &ProviderConfig,
    ) -> Result<Option<Value>, Diagnostics> {
        let Some(block) = self.providers.get(provider).cloned() else { return Ok(None) };
        let module = self.module_of_provider(provider);
        if let Some(program) = &block.program {
            let references = program.references().to_vec();
            self.demand(module, &references)?;
        }
        crate::evaluation_of_provider(self, module, &block).map(Some)
    }

    pub(crate) fn module_of_provider(&self, provider: &ProviderConfig) -> super::ModuleId {
        let mut modules = self.modules();
        let found = modules.find(|(_, state)| state.module.path == provider.module);
        found.map_or(ROOT, |(id, _)| id)
    }

    /// The line of an attribute of an instance's block.
    pub fn locate(
        &self,
        address: &ResourceInstance,
        path: &address::AttributePath,
    ) -> Option<Span> {
        Some(self.blocks.get(&address.block().config())?.program.locate(path))
    }

    /// Turns a provider's problems about an instance into diagnostics. `given` are values that it knows, with their
    /// marks.
    pub fn place<T>(
        &self,
        address: &ResourceInstance,
        given: &(dyn Fn() -> Vec<Value> + Sync),
        run: impl FnOnce(&Place<'_>) -> T,
    ) -> T {
        let locate = |path: &address::AttributePath| self.locate(address, path);
        run(&Place { address: address.to_string(), locate: &locate, given })
    }

    /// The schema of an instance's type, if its block is still configured.
    pub fn schema_of(&self, address: &ResourceInstance) -> Option<sdk::Schema> {
        Some(self.blocks.get(&address.block().config())?.schema.get().clone())
    }

    /// The type of an instance's object, if its block is still configured.
    pub fn object_type(&self, address: &ResourceInstance) -> Option<value::Type> {
        if let Some(ty) = self.restored.ty(address) {
            return Some(ty);
        }
        Some(self.blocks.get(&address.block().config())?.schema.get().block.ty())
    }
}
