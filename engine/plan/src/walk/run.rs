//! What each kind of node does when its turn has come: the choice, and what becomes of their answers.

use std::sync::Arc;

use address::{InstanceKey, ProviderConfig, Resource};
use syntax::Diagnostics;
use value::Value;

use super::node::NodeState;
use super::{Answer, NodeId, NodeKey, Walk, repetition_of};
use crate::evaluation::{ModuleId, ROOT, prefix};
use crate::instance::Output;
use crate::model::Mode;
use crate::prepare::Block;
use crate::problem::as_warnings;

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
            NodeKey::Output(module, name) if self.options.mode == Mode::RefreshOnly => {
                let failed = self.evaluation.check_output(module, &name);
                let subject = self.subject(id);
                // Nothing is going to be done on the strength of them.
                self.report(&subject, as_warnings(failed));
                self.evaluation.output_value(module, &name).map(drop)
            }
            // What is to go need not be what it promised.
            NodeKey::Output(module, name) if self.options.mode == Mode::Destroy => {
                self.evaluation.output_value(module, &name).map(drop)
            }
            NodeKey::Output(module, name) => {
                self.evaluation.evaluate_output(module, &name).map(drop)
            }
            NodeKey::Expand(module, resource) => self.expand(module, &resource),
            NodeKey::ExpandCall(module, step) => self.expand_call(module, &step),
            NodeKey::Provider(provider) => return self.configure(id, &provider),
            NodeKey::Instance(module, resource, key) => {
                return self.instance(id, module, &resource, &key);
            }
            NodeKey::Close(module, resource) => return self.close(id, module, &resource),
            NodeKey::LedBack(address) => return self.led_back(id, &address),
            NodeKey::Whole(..)
            | NodeKey::CallOutputs(..)
            | NodeKey::CallDone(..)
            | NodeKey::CallAfter(..)
            | NodeKey::AllLedBack(_)
            | NodeKey::Orphan(_) => Ok(()),
        };
        self.settle(id, result);
    }

    pub(super) fn settle(&mut self, id: NodeId, result: Result<(), Diagnostics>) {
        match result {
            Ok(()) => self.finish(id, NodeState::Done),
            Err(found) => {
                let subject = self.subject(id);
                self.report(&subject, found);
                self.finish(id, NodeState::Failed);
            }
        }
    }

    pub(super) fn subject(&self, id: NodeId) -> String {
        let within = |module: ModuleId| prefix(&self.evaluation.module(module).instance);
        match &self.nodes[id.0].key {
            NodeKey::Variable(module, name) => format!("{}var.{name}", within(*module)),
            NodeKey::Local(module, name) => format!("{}local.{name}", within(*module)),
            NodeKey::Output(module, name) => format!("{}output.{name}", within(*module)),
            NodeKey::Expand(module, resource)
            | NodeKey::Whole(module, resource)
            | NodeKey::Close(module, resource) => {
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
            NodeKey::LedBack(address) => address.to_string(),
            NodeKey::AllLedBack(block) => block.to_string(),
        }
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
            Answer::Data(value, warnings, deferred) => {
                let NodeKey::Instance(module, resource, key) = self.nodes[id.0].key.clone() else {
                    return;
                };
                let subject = self.subject(id);
                self.report(&subject, warnings);
                self.evaluation.set_in(module, &resource, &key, value.clone());
                if let Some(deferred) = deferred {
                    return self.data_put_off(id, value, deferred);
                }
                let result = self.postconditions(module, &resource, &key, &value);
                self.settle(id, result);
            }
            Answer::Checked(address, read, open) => self.take_checked(id, &address, read, open),
            Answer::Opened(value, open, warnings) => {
                let NodeKey::Instance(module, resource, key) = self.nodes[id.0].key.clone() else {
                    return;
                };
                let subject = self.subject(id);
                self.report(&subject, warnings);
                self.open.push(*open);
                self.node(NodeKey::Close(module, resource.clone()));
                self.evaluation.set_in(module, &resource, &key, value.clone());
                let result = self.postconditions(module, &resource, &key, &value);
                self.settle(id, result);
            }
            Answer::Closed(found) => {
                self.report("zzz ephemeral", found);
                self.finish(id, NodeState::Done);
            }
            Answer::Instance(output) => self.take_instance(id, output),
        }
    }

    fn take_instance(&mut self, id: NodeId, mut output: Box<Output>) {
        let subject = self.subject(id);
        self.report(&subject, std::mem::take(&mut output.warnings));
        let address = output.change.address.clone();
        if matches!(self.nodes[id.0].key, NodeKey::LedBack(_)) {
            return self.take_led_back(id, output);
        }
        let NodeKey::Instance(module, resource, key) = self.nodes[id.0].key.clone() else {
            self.keep(address, output, None);
            return self.finish(id, NodeState::Done);
        };
        let value = match self.options.mode {
            Mode::Normal => output.change.after.clone(),
            // What is going to be destroyed is still worth what it is to providers that need it.
            Mode::Destroy | Mode::RefreshOnly | Mode::Undo if output.change.before.is_null() => {
                Value::unknown(output.change.before.ty())
            }
            Mode::Destroy | Mode::RefreshOnly | Mode::Undo => output.change.before.clone(),
        };
        self.evaluation.set_in(module, &resource, &key, value.clone());
        let deferred = self.keep(address, output, Some(id));
        let result = match self.options.mode {
            Mode::Normal if !deferred => self.postconditions(module, &resource, &key, &value),
            Mode::RefreshOnly if value.is_known() => {
                let failed = self.postconditions(module, &resource, &key, &value).err();
                self.report(&subject, failed.map(as_warnings).unwrap_or_default());
                Ok(())
            }
            _ => Ok(()),
        };
        self.settle(id, result);
    }

    pub(super) fn postconditions(
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
}
