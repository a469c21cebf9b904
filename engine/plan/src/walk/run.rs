//! What each kind of node does when its turn has come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{
    InstanceKey, ModulePathStep, ModuleStep, ProviderConfig, Resource, ResourceInstance,
    ResourceMode, Target,
};
use futures::FutureExt;
use lang::Expression;
use sdk::ConfigureRequest;
use state::Dependency;
use syntax::{Diagnostics, Span};
use value::{Marks, Type, Value, convert};

use super::node::NodeState;
use super::{Answer, NodeId, NodeKey, Planned, Walk};
use crate::action::{Action, ActionReason};
use crate::error::PlanError;
use crate::evaluation::{Expansion, ModuleId, ModuleState, ROOT, Repetition, prefix};
use crate::instance::{Input, Output};
use crate::model::{Mode, ResourceChange};
use crate::prepare::Block;
use crate::problem::Place;
use crate::propose::propose_unknown;

impl Walk<'_> {
    pub(super) fn block(&self, module: ModuleId, resource: &Resource) -> Option<&Arc<Block>> {
        let path = &self.evaluation.module(module).module.path;
        let config = address::ConfigResource { module: path.clone(), resource: resource.clone() };
        self.prepared.blocks.get(&config)
    }

    /// A provider's settings are evaluated in the one instance of its module.
    pub(super) fn provider_module(&self, provider: &ProviderConfig) -> ModuleId {
        if provider.module.is_root() {
            return ROOT;
        }
        let found =
            self.evaluation.modules().find(|(_, state)| state.module.path == provider.module);
        found.map_or(ROOT, |(id, _)| id)
    }

    pub(super) fn run(&mut self, id: NodeId) {
        let result = match self.nodes[id.0].key.clone() {
            NodeKey::Variable(module, name) => {
                self.evaluation.evaluate_variable(module, &name).map(drop)
            }
            NodeKey::Local(module, name) => self.evaluation.evaluate_local(module, &name).map(drop),
            NodeKey::Output(module, name) => {
                self.evaluation.evaluate_output(module, &name).map(drop)
            }
            NodeKey::Expand(module, resource) => self.expand(module, &resource),
            NodeKey::ExpandCall(module, step) => self.expand_call(module, &step),
            NodeKey::Provider(provider) => return self.configure(id, &provider),
            NodeKey::Instance(module, resource, key) => {
                return self.instance(id, module, &resource, &key);
            }
            NodeKey::Whole(..)
            | NodeKey::CallOutputs(..)
            | NodeKey::CallDone(..)
            | NodeKey::CallAfter(..)
            | NodeKey::Orphan(_) => Ok(()),
        };
        self.settle(id, result);
    }

    fn settle(&mut self, id: NodeId, result: Result<(), Diagnostics>) {
        match result {
            Ok(()) => self.finish(id, NodeState::Done),
            Err(found) => {
                let subject = self.subject(id);
                self.report(&subject, found);
                self.finish(id, NodeState::Failed);
            }
        }
    }

    fn subject(&self, id: NodeId) -> String {
        let within = |module: ModuleId| prefix(&self.evaluation.module(module).instance);
        match &self.nodes[id.0].key {
            NodeKey::Variable(module, name) => format!("{}var.{name}", within(*module)),
            NodeKey::Local(module, name) => format!("{}local.{name}", within(*module)),
            NodeKey::Output(module, name) => format!("{}output.{name}", within(*module)),
            NodeKey::Expand(module, resource) | NodeKey::Whole(module, resource) => {
                format!("{}{resource}", within(*module))
            }
            NodeKey::Instance(module, resource, key) => {
                format!("{}{resource}{key}", within(*module))
            }
            NodeKey::ExpandCall(module, step)
            | NodeKey::CallOutputs(module, step)
            | NodeKey::CallDone(module, step)
            | NodeKey::CallAfter(module, step) => format!("{}{step}", within(*module)),
            NodeKey::Provider(provider) => provider.to_string(),
            NodeKey::Orphan(at) => format!("orphan {at}"),
        }
    }

    fn expand(&mut self, module: ModuleId, resource: &Resource) -> Result<(), Diagnostics> {
        let Some(block) = self.block(module, resource).cloned() else { return Ok(()) };
        let address = format!("{}{resource}", prefix(&self.evaluation.module(module).instance));
        let expansion = self.expansion(
            module,
            block.config.count.as_ref(),
            block.config.for_each.as_ref(),
            &address,
        )?;
        let keys: Vec<InstanceKey> = expansion.repetitions().into_iter().map(|r| r.key).collect();
        if let Some(state) = self.evaluation.module_mut(module).resources.get_mut(resource) {
            state.expansion = Some(expansion);
        }
        for key in keys {
            self.node(NodeKey::Instance(module, resource.clone(), key));
        }
        Ok(())
    }

    fn expand_call(&mut self, module: ModuleId, step: &ModulePathStep) -> Result<(), Diagnostics> {
        let parent = Arc::clone(&self.evaluation.module(module).module);
        let Some(call) = parent.calls.get(step) else { return Ok(()) };
        let address = format!("{}{step}", prefix(&self.evaluation.module(module).instance));
        let expansion =
            self.expansion(module, call.count.as_ref(), call.for_each.as_ref(), &address)?;
        let path = parent.path.child(step.clone());
        let Some(child) = self.evaluation.config.modules.get(&path).cloned() else { return Ok(()) };
        let mut children = BTreeMap::new();
        for repetition in expansion.repetitions() {
            let key = repetition.key.clone();
            let instance = self.evaluation.module(module).instance.child(ModuleStep {
                kind: step.kind,
                type_name: Arc::clone(&step.type_name),
                name: Arc::clone(&step.name),
                key: key.clone(),
            });
            let origin = Some((module, step.clone()));
            let id = self.evaluation.open(ModuleState::new(
                instance,
                Arc::clone(&child),
                origin,
                repetition,
            ));
            children.insert(key, id);
        }
        let opened: Vec<ModuleId> = children.values().copied().collect();
        if let Some(state) = self.evaluation.module_mut(module).calls.get_mut(step) {
            state.expansion = Some(expansion);
            state.children = children;
        }
        for id in opened {
            self.open(id);
        }
        Ok(())
    }

    fn expansion(
        &self,
        module: ModuleId,
        count: Option<&Expression>,
        for_each: Option<&Expression>,
        address: &str,
    ) -> Result<Expansion, Diagnostics> {
        let single = Repetition::single();
        if let Some(count) = count {
            let value = self.evaluation.evaluate(module, &single, count)?;
            return count_expansion(&value, count.span(), address).map_err(Into::into);
        }
        if let Some(for_each) = for_each {
            let value = self.evaluation.evaluate(module, &single, for_each)?;
            return for_each_expansion(&value, for_each.span(), address).map_err(Into::into);
        }
        Ok(Expansion::Single)
    }

    fn configure(&mut self, id: NodeId, provider: &ProviderConfig) {
        let Some(block) = self.prepared.providers.get(provider).cloned() else {
            return self.finish(id, NodeState::Failed);
        };
        let module = self.provider_module(provider);
        let config = match self.provider_config(module, &block) {
            Ok(config) => config,
            Err(found) => return self.settle(id, Err(found)),
        };
        let readers = self.request.readers.clone();
        let context = self.request.context.clone();
        let call = async move {
            let locate = |path: &address::AttributePath| {
                block.program.as_ref().map(|program| program.locate(path)).or(block.span)
            };
            let place = Place { address: block.address.to_string(), locate: &locate };
            let name = block.address.provider.short_name();
            let answer = async {
                let reader = match readers.create(&block.address.provider).await {
                    Some(Ok(reader)) => reader,
                    Some(Err(error)) => return Err(place.failure(&name, "start", &error).into()),
                    None => {
                        return Err(crate::prepare::unknown_provider(
                            &block.address.provider,
                            block.span,
                            &readers.names(),
                        )
                        .into());
                    }
                };
                let mut found = match reader.validate_provider(&config).await {
                    Ok(problems) => place.problems(problems),
                    Err(error) => place.failure(&name, "validate its settings", &error).into(),
                };
                if !found.has_errors() {
                    match reader.configure(ConfigureRequest { config, context }).await {
                        Ok(problems) => found.extend(place.problems(problems)),
                        Err(error) => found.push(place.failure(&name, "take its settings", &error)),
                    }
                }
                if found.has_errors() { Err(found) } else { Ok((reader, found)) }
            };
            let answer = answer.await;
            (
                id,
                answer.map(|(reader, warnings)| {
                    Answer::Provider(block.address.clone(), reader, warnings)
                }),
            )
        };
        self.start(call.boxed());
    }

    /// A provider's settings, without marks.
    pub(crate) fn provider_config(
        &self,
        module: ModuleId,
        block: &crate::prepare::ProviderBlock,
    ) -> Result<Value, Diagnostics> {
        crate::evaluation_of_provider(&self.evaluation, module, block)
    }

    fn instance(&mut self, id: NodeId, module: ModuleId, resource: &Resource, key: &InstanceKey) {
        let Some(block) = self.block(module, resource).cloned() else {
            return self.finish(id, NodeState::Failed);
        };
        let state = self.evaluation.module(module);
        let address = ResourceInstance {
            module: state.instance.clone(),
            resource: resource.clone(),
            key: key.clone(),
        };
        let repetition = repetition_of(state, resource, key);
        if !self.is_included(&address, &block) {
            let value = self.recorded_value(&address, &block);
            self.evaluation.set_in(module, resource, key, value);
            return self.finish(id, NodeState::Done);
        }
        let wants_config = self.options.mode == Mode::Normal;
        let config = if wants_config {
            self.instance_config(module, &repetition, &block, &address)
        } else {
            Ok(None)
        };
        let config = match config {
            Ok(config) => config,
            Err(found) => return self.settle(id, Err(found)),
        };
        let Some(reader) = self.providers.get(&block.config.provider).cloned() else {
            return self.finish(id, NodeState::Failed);
        };
        if resource.mode == ResourceMode::Data {
            return self.data(id, module, &block, &address, config, reader);
        }
        let dependencies = self.dependencies_of(id);
        let (stored, previous_address) = match self.records.get(&address) {
            Some((record, previous)) => (record.current.clone(), previous.clone()),
            None => (None, None),
        };
        let forced = self.forced(module, &block, &repetition, &address);
        let input = Input {
            address: address.clone(),
            previous_address,
            provider: block.config.provider.clone(),
            reader,
            schema: block.schema.clone(),
            config,
            import: if stored.is_none() { self.imports.get(&address).cloned() } else { None },
            stored,
            mode: self.options.mode,
            refresh: self.options.refresh,
            forced,
            removal: ActionReason::Destroying,
            forget: false,
            create_before_destroy: self.create_before_destroy.contains(&block.address),
            dependencies,
            block: Some(block),
        };
        self.start(
            async move { (id, input.run().await.map(|output| Answer::Instance(Box::new(output)))) }
                .boxed(),
        );
    }

    fn instance_config(
        &self,
        module: ModuleId,
        repetition: &Repetition,
        block: &Block,
        address: &ResourceInstance,
    ) -> Result<Option<Value>, Diagnostics> {
        let conditions = &block.config.lifecycle.preconditions;
        let failed = self.evaluation.check_conditions(
            module,
            repetition,
            None,
            conditions,
            "precondition",
            &address.to_string(),
        );
        if failed.has_errors() {
            return Err(failed);
        }
        let config = self
            .evaluation
            .with_context(module, repetition, None, |ctx| block.program.evaluate(ctx))?;
        Ok(Some(config))
    }

    fn forced(
        &self,
        module: ModuleId,
        block: &Block,
        repetition: &Repetition,
        address: &ResourceInstance,
    ) -> Option<ActionReason> {
        if self.options.replace.contains(address) {
            return Some(ActionReason::Requested);
        }
        let triggered = block.config.lifecycle.replace_triggered_by.iter().any(|trigger| {
            trigger
                .references()
                .iter()
                .any(|traversal| self.triggers(module, traversal, repetition))
        });
        triggered.then_some(ActionReason::Triggered)
    }

    /// Says whether what a trigger names is going to change.
    fn triggers(
        &self,
        module: ModuleId,
        traversal: &lang::Traversal,
        repetition: &Repetition,
    ) -> bool {
        let state = self.evaluation.module(module);
        let Ok(resolved) = config::resolve(&state.module, traversal) else { return false };
        let config::Reference::Resource(resource) = &resolved.reference else { return false };
        let key = crate::prepare::constant_key(resolved.key).or_else(|| {
            matches!(resolved.key, Some(lang::TraversalStep::Dynamic(..)))
                .then(|| repetition.key.clone())
        });
        let keys: Vec<InstanceKey> = match key {
            Some(key) => vec![key],
            None => state
                .resources
                .get(resource)
                .map(|b| b.instances.keys().cloned().collect())
                .unwrap_or_default(),
        };
        keys.into_iter().any(|key| {
            let address = ResourceInstance {
                module: state.instance.clone(),
                resource: resource.clone(),
                key,
            };
            let Some(planned) = self.results.get(&address) else { return false };
            let change = &planned.output.change;
            if !matches!(change.action, Action::Update | Action::Replace(_)) {
                return false;
            }
            match resolved.rest.first() {
                Some(lang::TraversalStep::Attribute(name)) => {
                    change.before.get_attr(&name.text) != change.after.get_attr(&name.text)
                }
                _ => true,
            }
        })
    }

    fn data(
        &mut self,
        id: NodeId,
        module: ModuleId,
        block: &Arc<Block>,
        address: &ResourceInstance,
        config: Option<Value>,
        reader: Arc<dyn sdk::Reader>,
    ) {
        let config = match config {
            Some(config) => config,
            None => {
                // Destroying and refreshing need the values that data sources give to providers.
                let repetition =
                    repetition_of(self.evaluation.module(module), &address.resource, &address.key);
                match self.instance_config(module, &repetition, block, address) {
                    Ok(Some(config)) => config,
                    Ok(None) => return self.finish(id, NodeState::Done),
                    Err(found) => return self.settle(id, Err(found)),
                }
            }
        };
        let (config, marks) = config.unmark_deep();
        let pending = !block.config.depends_on.is_empty() && self.has_pending_need(id);
        if !config.is_wholly_known() || pending {
            let reason =
                if pending { ActionReason::DependencyPending } else { ActionReason::ConfigUnknown };
            let after = propose_unknown(&block.schema.get().block, &config).mark_paths(&marks);
            self.evaluation.set_in(module, &address.resource, &address.key, after.clone());
            let dependencies = self.dependencies_of(id);
            let null = Value::null(block.schema.get().block.ty());
            let change = ResourceChange {
                address: address.clone(),
                deposed: None,
                previous_address: None,
                provider: block.config.provider.clone(),
                action: if self.options.mode == Mode::Normal { Action::Read } else { Action::NoOp },
                reason,
                before: null,
                after,
                requires_replace: Vec::new(),
                prior_private: Vec::new(),
                planned_private: Vec::new(),
                schema_version: block.schema.get().version,
                dependencies,
                create_before_destroy: false,
                importing: None,
            };
            let output = Output {
                change,
                drift: None,
                refreshed: None,
                prior_dependencies: Vec::new(),
                warnings: Diagnostics::new(),
            };
            self.results.insert(address.clone(), Planned { output, node: Some(id) });
            return self.finish(id, NodeState::Done);
        }
        let block = Arc::clone(block);
        let address = address.clone();
        self.start(
            async move { (id, crate::data::read(&reader, &block, &address, config, &marks).await) }
                .map(|(id, read)| (id, read.map(|(value, warnings)| Answer::Data(value, warnings))))
                .boxed(),
        );
    }

    /// Says whether something that a node needs is going to change.
    fn has_pending_need(&self, id: NodeId) -> bool {
        let mut seen = BTreeSet::new();
        let mut stack = self.nodes[id.0].needs.clone();
        while let Some(needed) = stack.pop() {
            if !seen.insert(needed) {
                continue;
            }
            if let NodeKey::Instance(module, resource, key) = &self.nodes[needed.0].key {
                let address = ResourceInstance {
                    module: self.evaluation.module(*module).instance.clone(),
                    resource: resource.clone(),
                    key: key.clone(),
                };
                if self
                    .results
                    .get(&address)
                    .is_some_and(|p| p.output.change.action != Action::NoOp)
                {
                    return true;
                }
            }
            stack.extend(self.nodes[needed.0].needs.iter().copied());
        }
        false
    }

    /// Takes in what a call gave back.
    pub(super) fn take(&mut self, id: NodeId, answer: Result<Answer, Diagnostics>) {
        let answer = match answer {
            Ok(answer) => answer,
            Err(found) => return self.settle(id, Err(found)),
        };
        match answer {
            Answer::Provider(provider, reader, warnings) => {
                let subject = self.subject(id);
                self.report(&subject, warnings);
                self.providers.insert(provider, reader);
                self.finish(id, NodeState::Done);
            }
            Answer::Data(value, warnings) => {
                let NodeKey::Instance(module, resource, key) = self.nodes[id.0].key.clone() else {
                    return;
                };
                let subject = self.subject(id);
                self.report(&subject, warnings);
                self.evaluation.set_in(module, &resource, &key, value.clone());
                let result = self.postconditions(module, &resource, &key, &value);
                self.settle(id, result);
            }
            Answer::Instance(output) => self.take_instance(id, *output),
        }
    }

    fn take_instance(&mut self, id: NodeId, mut output: Output) {
        let subject = self.subject(id);
        self.report(&subject, std::mem::take(&mut output.warnings));
        let address = output.change.address.clone();
        let NodeKey::Instance(module, resource, key) = self.nodes[id.0].key.clone() else {
            self.results.insert(address, Planned { output, node: None });
            return self.finish(id, NodeState::Done);
        };
        let value = match self.options.mode {
            Mode::Normal => output.change.after.clone(),
            // What is going to be destroyed is still worth what it is to providers that need it.
            Mode::Destroy | Mode::RefreshOnly if output.change.before.is_null() => {
                Value::unknown(output.change.before.ty())
            }
            Mode::Destroy | Mode::RefreshOnly => output.change.before.clone(),
        };
        self.evaluation.set_in(module, &resource, &key, value.clone());
        self.results.insert(address, Planned { output, node: Some(id) });
        let result = if self.options.mode == Mode::Normal {
            self.postconditions(module, &resource, &key, &value)
        } else {
            Ok(())
        };
        self.settle(id, result);
    }

    fn postconditions(
        &self,
        module: ModuleId,
        resource: &Resource,
        key: &InstanceKey,
        value: &Value,
    ) -> Result<(), Diagnostics> {
        let Some(block) = self.block(module, resource) else { return Ok(()) };
        let conditions = &block.config.lifecycle.postconditions;
        if conditions.is_empty() {
            return Ok(());
        }
        let state = self.evaluation.module(module);
        let repetition = repetition_of(state, resource, key);
        let address = format!("{}{resource}{key}", prefix(&state.instance));
        let found = self.evaluation.check_conditions(
            module,
            &repetition,
            Some(value),
            conditions,
            "postcondition",
            &address,
        );
        if found.has_errors() { Err(found) } else { Ok(()) }
    }

    fn is_included(&self, address: &ResourceInstance, block: &Block) -> bool {
        let Some(included) = &self.included else { return true };
        if self.targets.iter().any(|target| target.covers(address)) {
            return true;
        }
        // A block that is only needed by a target is planned whole; one that a target names an instance of
        // is planned for that instance alone.
        let named = self.targets.iter().any(|target| match target {
            Target::Instance(instance) => instance.block() == address.block(),
            _ => false,
        });
        !named && included.contains(&block.address) && self.options.mode == Mode::Normal
    }

    /// What the state says of an instance that this run leaves alone.
    fn recorded_value(&self, address: &ResourceInstance, block: &Block) -> Value {
        let ty = block.schema.get().block.ty();
        let stored = self.records.get(address).and_then(|(record, _)| record.current.as_ref());
        let decoded = stored.and_then(|stored| {
            value::json::decode_str(&stored.attributes_json, &ty).ok().map(|v| (v, stored))
        });
        let Some((value, stored)) = decoded else { return Value::unknown(ty) };
        let paths: Vec<_> =
            stored.sensitive_paths.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
        value.mark_paths(&paths)
    }

    /// The resources that an instance is made from, through whatever names lie between.
    pub(crate) fn dependencies_of(&mut self, id: NodeId) -> Arc<[Dependency]> {
        let mut found: BTreeSet<Dependency> = BTreeSet::new();
        for needed in self.nodes[id.0].needs.clone() {
            found.extend(self.sources_behind(needed).iter().cloned());
        }
        found.into_iter().collect()
    }

    /// The resources behind a node; worked off from a list, since names may form long chains.
    fn sources_behind(&mut self, start: NodeId) -> Arc<[Dependency]> {
        let mut stack = vec![start];
        while let Some(id) = stack.last().copied() {
            if self.dependencies.contains_key(&id) {
                stack.pop();
                continue;
            }
            let direct = self.direct_source(id);
            let needs = if direct.is_some() { Vec::new() } else { self.nodes[id.0].needs.clone() };
            let missing: Vec<NodeId> = needs
                .iter()
                .copied()
                .filter(|needed| !self.dependencies.contains_key(needed))
                .collect();
            if !missing.is_empty() {
                stack.extend(missing);
                continue;
            }
            let found: Arc<[Dependency]> = match direct {
                Some(dependency) => Arc::from([dependency]),
                None if needs.len() == 1 => Arc::clone(&self.dependencies[&needs[0]]),
                None => {
                    let all: BTreeSet<Dependency> = needs
                        .iter()
                        .flat_map(|needed| self.dependencies[needed].iter().cloned())
                        .collect();
                    all.into_iter().collect()
                }
            };
            self.dependencies.insert(id, found);
            stack.pop();
        }
        Arc::clone(&self.dependencies[&start])
    }

    fn direct_source(&self, id: NodeId) -> Option<Dependency> {
        match &self.nodes[id.0].key {
            NodeKey::Instance(module, resource, key) if resource.mode == ResourceMode::Managed => {
                Some(Dependency::Instance(ResourceInstance {
                    module: self.evaluation.module(*module).instance.clone(),
                    resource: resource.clone(),
                    key: key.clone(),
                }))
            }
            NodeKey::Whole(module, resource) if resource.mode == ResourceMode::Managed => {
                let module = self.evaluation.module(*module).instance.clone();
                Some(Dependency::Block(resource.clone().within(module)))
            }
            _ => None,
        }
    }

    /// Checks of all modules; a check that does not hold is a warning.
    pub(super) fn evaluate_checks(&mut self) {
        if self.options.mode != Mode::Normal {
            return;
        }
        let mut found = Diagnostics::new();
        for (id, state) in self.evaluation.modules() {
            for check in &state.module.checks {
                for assertion in &check.assertions {
                    match self.evaluation.condition(id, &Repetition::single(), None, assertion) {
                        Ok(None) => {}
                        Ok(Some(message)) => found.push(PlanError::CheckFailed {
                            name: check.name.text.to_string(),
                            message,
                            span: assertion.condition.span(),
                        }),
                        Err(errors) => found.extend(errors),
                    }
                }
            }
        }
        self.report("zzz checks", found);
    }
}

/// `each` and `count` of an instance.
pub(crate) fn repetition_of(
    state: &ModuleState,
    resource: &Resource,
    key: &InstanceKey,
) -> Repetition {
    let value =
        match (state.resources.get(resource).and_then(|block| block.expansion.as_ref()), key) {
            (Some(Expansion::ForEach(elements)), InstanceKey::String(key)) => {
                elements.get(key).cloned()
            }
            _ => None,
        };
    Repetition { key: key.clone(), value }
}

fn count_expansion(value: &Value, span: Span, address: &str) -> Result<Expansion, PlanError> {
    let invalid = |message: String, help: Option<String>| PlanError::InvalidExpansion {
        argument: "count",
        address: address.to_owned(),
        message,
        span,
        help,
    };
    if !value.marks().is_empty() {
        let help = "use `nonsensitive(…)` if the number may be known".to_owned();
        return Err(invalid(
            "the number is sensitive or ephemeral, but addresses show it".to_owned(),
            Some(help),
        ));
    }
    if value.is_unknown() {
        return Err(PlanError::UnknownExpansion {
            argument: "count",
            address: address.to_owned(),
            span,
        });
    }
    let number = convert(value, &Type::Number).map_err(|error| invalid(error.to_string(), None))?;
    let Some(number) = number.as_number() else {
        return Err(invalid("a number is required, but it is null".to_owned(), None));
    };
    number.to_usize().map(Expansion::Count).ok_or_else(|| {
        invalid(format!("a whole number from 0 is required, but it is {number}"), None)
    })
}

fn for_each_expansion(value: &Value, span: Span, address: &str) -> Result<Expansion, PlanError> {
    let invalid = |message: String, help: Option<String>| PlanError::InvalidExpansion {
        argument: "for_each",
        address: address.to_owned(),
        message,
        span,
        help,
    };
    let unknown =
        || PlanError::UnknownExpansion { argument: "for_each", address: address.to_owned(), span };
    if !value.marks().is_empty() {
        let help = "use `nonsensitive(…)` if the keys may be known".to_owned();
        return Err(invalid(
            "it is sensitive or ephemeral, but addresses show its keys".to_owned(),
            Some(help),
        ));
    }
    if value.is_unknown() {
        return Err(unknown());
    }
    if value.is_null() {
        return Err(invalid(
            "a map or a set of strings is required, but it is null".to_owned(),
            None,
        ));
    }
    if let Some(entries) = value.entries() {
        return Ok(Expansion::ForEach(entries.to_map()));
    }
    if !value.is_set() {
        let help = "wrap a list of strings in `toset(…)`".to_owned();
        let found = value.ty().friendly_name();
        return Err(invalid(
            format!("a map or a set of strings is required, but it is a {found}"),
            Some(help),
        ));
    }
    let mut elements = BTreeMap::new();
    for item in value.items().unwrap_or_default() {
        if item.is_unknown() {
            return Err(unknown());
        }
        let Some(key) = item.as_arc_str() else {
            let found = if item.is_null() { "null".to_owned() } else { item.ty().friendly_name() };
            return Err(invalid(format!("the set must hold strings, but holds {found}"), None));
        };
        elements.insert(Arc::clone(key), item.clone());
    }
    Ok(Expansion::ForEach(elements))
}
