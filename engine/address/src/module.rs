//! Module instances and the modules that they are instances of.

use std::fmt;
use std::sync::Arc;

use crate::key::InstanceKey;

/// How a module came to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModuleKind {
    /// By a `module` block.
    Call,
    /// By a component, whose implementation it is.
    Component,
}

/// One step from a module instance to an instance that it calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// How the module is called.
    pub kind: ModuleKind,
    /// The keyword of the calling block: `module`, or a component type such as `cluster`.
    pub type_name: Arc<str>,
    /// The label of the calling block.
    pub name: Arc<str>,
    /// Which instance of the call.
    pub key: InstanceKey,
}

impl ModuleStep {
    /// A step into a `module` block.
    pub fn call(name: impl Into<Arc<str>>, key: InstanceKey) -> Self {
        Self { kind: ModuleKind::Call, type_name: "module".into(), name: name.into(), key }
    }

    /// A step into the expansion of a component.
    pub fn component(
        type_name: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
        key: InstanceKey,
    ) -> Self {
        Self { kind: ModuleKind::Component, type_name: type_name.into(), name: name.into(), key }
    }
}

impl fmt::Display for ModuleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}{}", self.type_name, self.name, self.key)
    }
}

/// One instance of a module; the root module is the empty path.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleInstance(Arc<[ModuleStep]>);

impl ModuleInstance {
    /// The root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// The instance reached by these steps from the root.
    pub fn new(steps: impl IntoIterator<Item = ModuleStep>) -> Self {
        Self(steps.into_iter().collect())
    }

    /// True for the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The steps from the root, outermost first.
    pub fn steps(&self) -> &[ModuleStep] {
        &self.0
    }

    /// The instance that `step` leads to from here.
    #[must_use]
    pub fn child(&self, step: ModuleStep) -> Self {
        self.0.iter().cloned().chain([step]).collect()
    }

    /// The instance that calls this one; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, parents) = self.0.split_last()?;
        Some(Self(parents.into()))
    }

    /// The module that this is an instance of.
    pub fn module(&self) -> ModulePath {
        ModulePath::new(self.0.iter().map(ModulePathStep::from))
    }

    /// True when `self` is `ancestor` or lies inside it.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.0.starts_with(&ancestor.0)
    }

    /// The same where an `ancestor` that is named without a key stands for all instances of its call.
    pub fn is_within_any(&self, ancestor: &Self) -> bool {
        let Some((last, before)) = ancestor.0.split_last() else { return true };
        let Some(own) = self.0.get(before.len()) else { return false };
        let same = ModulePathStep::from(own) == ModulePathStep::from(last);
        let key = last.key == InstanceKey::None || last.key == own.key;
        self.0.starts_with(before) && same && key
    }
}

impl FromIterator<ModuleStep> for ModuleInstance {
    fn from_iter<I: IntoIterator<Item = ModuleStep>>(steps: I) -> Self {
        Self::new(steps)
    }
}

impl fmt::Display for ModuleInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, &self.0)
    }
}

/// One step of a [`ModulePath`]: a [`ModuleStep`] without its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePathStep {
    /// How the module is called.
    pub kind: ModuleKind,
    /// The keyword of the calling block.
    pub type_name: Arc<str>,
    /// The label of the calling block.
    pub name: Arc<str>,
}

impl From<&ModuleStep> for ModulePathStep {
    fn from(step: &ModuleStep) -> Self {
        Self { kind: step.kind, type_name: step.type_name.clone(), name: step.name.clone() }
    }
}

impl fmt::Display for ModulePathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.type_name, self.name)
    }
}

/// A module of the configuration, whatever instances it has; the root is the empty path.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(Arc<[ModulePathStep]>);

impl ModulePath {
    /// The root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// The module reached by these steps from the root.
    pub fn new(steps: impl IntoIterator<Item = ModulePathStep>) -> Self {
        Self(steps.into_iter().collect())
    }

    /// True for the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The steps from the root, outermost first.
    pub fn steps(&self) -> &[ModulePathStep] {
        &self.0
    }

    /// The module that `step` leads to from here.
    #[must_use]
    pub fn child(&self, step: ModulePathStep) -> Self {
        Self::new(self.0.iter().cloned().chain([step]))
    }

    /// The module that calls this one; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, parents) = self.0.split_last()?;
        Some(Self(parents.into()))
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, &self.0)
    }
}

/// Writes the items with dots between them.
fn write_joined(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            f.write_str(".")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}
