//! One module instance and what is known of it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use address::{InstanceKey, ModuleInstance, ModulePathStep, Resource};
use config::Module;
use value::Value;

use super::ModuleId;

/// A module instance.
pub(crate) struct ModuleState {
    pub(crate) instance: ModuleInstance,
    pub(crate) module: Arc<Module>,
    pub(crate) parent: Option<ModuleId>,
    /// The call in the parent that made it.
    pub(crate) call: Option<ModulePathStep>,
    /// `each` and `count` of the call.
    pub(crate) repetition: Repetition,
    pub(crate) variables: BTreeMap<Arc<str>, Value>,
    pub(crate) locals: BTreeMap<Arc<str>, Value>,
    pub(crate) outputs: BTreeMap<Arc<str>, Value>,
    pub(crate) resources: BTreeMap<Resource, BlockState>,
    pub(crate) calls: BTreeMap<ModulePathStep, CallState>,
}

/// A resource block in a module instance.
#[derive(Default)]
pub(crate) struct BlockState {
    /// `None` until `count` or `for_each` is known.
    pub(crate) expansion: Option<Expansion>,
    pub(crate) instances: Instances,
    /// The value of the block as a whole, put together when it is asked for.
    pub(crate) whole: OnceLock<Value>,
}

/// The values of a block's instances by key. A block without `count` and `for_each`, of which there may be very
/// many, takes no more room than its one value.
#[derive(Default)]
pub(crate) struct Instances {
    single: Option<Value>,
    keyed: BTreeMap<InstanceKey, Value>,
}

impl Instances {
    pub(crate) fn get(&self, key: &InstanceKey) -> Option<&Value> {
        match key {
            InstanceKey::None => self.single.as_ref(),
            key => self.keyed.get(key),
        }
    }

    pub(crate) fn insert(&mut self, key: InstanceKey, value: Value) {
        match key {
            InstanceKey::None => self.single = Some(value),
            key => {
                self.keyed.insert(key, value);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &InstanceKey> {
        let single = self.single.as_ref().map(|_| &InstanceKey::None);
        single.into_iter().chain(self.keyed.keys())
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.single.iter().chain(self.keyed.values())
    }
}

/// A module call in a module instance.
#[derive(Default)]
pub(crate) struct CallState {
    /// `None` until `count` or `for_each` is known.
    pub(crate) expansion: Option<Expansion>,
    pub(crate) children: BTreeMap<InstanceKey, ModuleId>,
    /// The value of the call as a whole, put together when it is asked for.
    pub(crate) whole: OnceLock<Value>,
}

/// Which instances a block has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expansion {
    /// One, without a key.
    Single,
    /// So many, by number.
    Count(usize),
    /// One for each key, with its `each.value`.
    ForEach(BTreeMap<Arc<str>, Value>),
}

impl Expansion {
    /// The instances, in order.
    pub(crate) fn repetitions(&self) -> Vec<Repetition> {
        match self {
            Self::Single => vec![Repetition::single()],
            Self::Count(count) => (0..*count)
                .map(|index| Repetition {
                    key: InstanceKey::Int(i64::try_from(index).unwrap_or(i64::MAX)),
                    value: None,
                })
                .collect(),
            Self::ForEach(elements) => elements
                .iter()
                .map(|(key, value)| Repetition {
                    key: InstanceKey::String(Arc::clone(key)),
                    value: Some(value.clone()),
                })
                .collect(),
        }
    }

    /// True if there is an instance with this key.
    pub(crate) fn has(&self, key: &InstanceKey) -> bool {
        match (self, key) {
            (Self::Single, InstanceKey::None) => true,
            (Self::Count(count), InstanceKey::Int(index)) => {
                usize::try_from(*index).is_ok_and(|index| index < *count)
            }
            (Self::ForEach(elements), InstanceKey::String(key)) => elements.contains_key(key),
            _ => false,
        }
    }
}

/// What `count.index`, `each.key` and `each.value` mean to one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repetition {
    pub(crate) key: InstanceKey,
    pub(crate) value: Option<Value>,
}

impl Repetition {
    pub(crate) const fn single() -> Self {
        Self { key: InstanceKey::None, value: None }
    }
}

impl ModuleState {
    pub(crate) fn new(
        instance: ModuleInstance,
        module: Arc<Module>,
        origin: Option<(ModuleId, ModulePathStep)>,
        repetition: Repetition,
    ) -> Self {
        let resources =
            module.resources.keys().map(|resource| (resource.clone(), BlockState::default()));
        let calls = module.calls.keys().map(|step| (step.clone(), CallState::default()));
        let (parent, call) = origin.unzip();
        Self {
            instance,
            resources: resources.collect(),
            calls: calls.collect(),
            module,
            parent,
            call,
            repetition,
            variables: BTreeMap::new(),
            locals: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }
}
