//! What a configuration is made of, once its blocks are decoded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use address::{
    AttributePath, InstanceKey, ModuleInstance, ModulePath, ModulePathStep, ModuleStep,
    ProviderAddress, ProviderConfig, Resource, Target,
};
use indexmap::IndexMap;
use lang::{Expression, Traversal, TypeConstraint};
use syntax::{Ident, SourceMap, Span};
use value::Value;

/// All modules of a stack.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The files behind all spans.
    pub sources: Arc<SourceMap>,
    /// Modules by path; the root is always there.
    pub modules: BTreeMap<ModulePath, Arc<Module>>,
    /// What a test puts in the place of single instances of modules; a step without a key stands for all keys.
    pub replaced: Vec<(ModuleInstance, Arc<Module>)>,
}

impl Configuration {
    /// The root module.
    pub fn root(&self) -> &Arc<Module> {
        self.modules.get(&ModulePath::root()).expect("loading always makes a root module")
    }

    /// What a test puts in the place of an instance, if it does.
    pub fn replacement_of(&self, instance: &ModuleInstance) -> Option<&Arc<Module>> {
        let is_meant = |(meant, step): (&ModuleStep, &ModuleStep)| {
            ModulePathStep::from(meant) == ModulePathStep::from(step)
                && (meant.key == InstanceKey::None || meant.key == step.key)
        };
        let replaced = self.replaced.iter().find(|(meant, _)| {
            meant.steps().len() == instance.steps().len()
                && meant.steps().iter().zip(instance.steps()).all(is_meant)
        });
        replaced.map(|(_, module)| module)
    }
}

/// One module: a folder of files, as called at one place.
#[derive(Debug, Clone, Default)]
pub struct Module {
    /// Where it is called.
    pub path: ModulePath,
    /// Its folder, relative to the working directory; `stratiform:…` for the standard library.
    pub dir: PathBuf,
    /// Input variables, in source order.
    pub variables: IndexMap<Arc<str>, Variable>,
    /// Local values, in source order.
    pub locals: IndexMap<Arc<str>, Local>,
    /// Outputs, in source order.
    pub outputs: IndexMap<Arc<str>, Output>,
    /// Managed, data and ephemeral resources.
    pub resources: BTreeMap<Resource, Arc<ResourceBlock>>,
    /// Module calls, and components once they are placed.
    pub calls: BTreeMap<ModulePathStep, ModuleCall>,
    /// Local names of providers.
    pub required_providers: BTreeMap<Arc<str>, RequiredProvider>,
    /// Provider configurations by local name and alias.
    pub provider_configs: BTreeMap<ProviderName, ProviderBlock>,
    /// The `terraform` block.
    pub terraform: TerraformSettings,
    /// What the module tells providers about itself, by their local names. Every value is written out.
    pub provider_metas: BTreeMap<Arc<str>, syntax::Block>,
    /// The `stack` block; only the root module may have one.
    pub stack: Option<syntax::Block>,
    /// Top-level blocks of kinds that this crate does not know; the component stage claims or refuses them.
    pub components: Vec<ComponentBlock>,
    /// Declarations of component types.
    pub component_types: Vec<syntax::Block>,
    /// Declared moves.
    pub moved: Vec<Moved>,
    /// Declared removals.
    pub removed: Vec<Removed>,
    /// Declared imports.
    pub imports: Vec<Import>,
    /// Check blocks.
    pub checks: Vec<Check>,
}

/// An input variable.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of the block")]
pub struct Variable {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeConstraint,
    /// True if text from the command line is its value as it stands: no type is declared, or a primitive one.
    pub takes_text: bool,
    /// The value if none is given; `None` if one must be.
    pub default: Option<Value>,
    /// What it means.
    pub description: Option<String>,
    /// Conditions on its value.
    pub validations: Vec<Condition>,
    /// Never shown.
    pub sensitive: bool,
    /// Never stored.
    pub ephemeral: bool,
    /// May be null.
    pub nullable: bool,
    /// The block's header.
    pub span: Span,
}

/// A local value.
#[derive(Debug, Clone)]
pub struct Local {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expression,
}

/// An output.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expression,
    /// What it means.
    pub description: Option<String>,
    /// Never shown.
    pub sensitive: bool,
    /// Never stored.
    pub ephemeral: bool,
    /// What it waits for beside what it refers to.
    pub depends_on: Vec<Traversal>,
    /// Conditions that must hold before it is evaluated.
    pub preconditions: Vec<Condition>,
    /// The block's header.
    pub span: Span,
}

/// A condition with the message that is shown if it is false.
#[derive(Debug, Clone)]
pub struct Condition {
    /// True if all is well.
    pub condition: Expression,
    /// What to say otherwise.
    pub error_message: Expression,
    /// The block.
    pub span: Span,
}

/// A resource block.
#[derive(Debug, Clone)]
pub struct ResourceBlock {
    /// Mode, type and name.
    pub address: Resource,
    /// The whole block.
    pub span: Span,
    /// Its first line.
    pub header: Span,
    /// How many instances.
    pub count: Option<Expression>,
    /// One instance for each element.
    pub for_each: Option<Expression>,
    /// What it waits for beside what it refers to.
    pub depends_on: Vec<Traversal>,
    /// Who manages it.
    pub provider: ProviderConfig,
    /// How its changes are handled.
    pub lifecycle: Lifecycle,
    /// What runs around its creation and destruction.
    pub provisioners: Vec<Provisioner>,
    /// The check that holds it, for a data source that only its check can see.
    pub check: Option<Arc<str>>,
    /// What is left for the provider's schema.
    pub body: Arc<syntax::Body>,
}

/// Something that runs after a resource is created, or before it is destroyed.
#[derive(Debug, Clone)]
pub struct Provisioner {
    /// `local-exec`, `remote-exec` or `file`.
    pub kind: Ident,
    /// When it runs.
    pub when: When,
    /// What its failure means.
    pub on_failure: OnFailure,
    /// How to reach the machine: its own `connection`, with what only the resource's says.
    pub connection: Option<syntax::Block>,
    /// What is left for the provisioner.
    pub body: syntax::Body,
    /// The block's first line.
    pub header: Span,
}

/// When a provisioner runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// After the object is created.
    #[default]
    Create,
    /// Before the object is destroyed.
    Destroy,
}

/// What the failure of a provisioner means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The step has failed.
    #[default]
    Fail,
    /// A warning.
    Continue,
}

/// How changes of a resource are handled.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Replacements make the new object first.
    pub create_before_destroy: Option<bool>,
    /// Destroying it is an error.
    pub prevent_destroy: bool,
    /// What the configuration leaves alone once the object exists.
    pub ignore_changes: IgnoreChanges,
    /// A change of these makes a new object.
    pub replace_triggered_by: Vec<Expression>,
    /// Conditions that must hold before it is planned.
    pub preconditions: Vec<Condition>,
    /// Conditions that must hold of the object.
    pub postconditions: Vec<Condition>,
}

/// What the configuration leaves alone once the object exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum IgnoreChanges {
    /// Nothing.
    #[default]
    None,
    /// Everything.
    All,
    /// These attributes.
    Paths(Vec<(AttributePath, Span)>),
}

/// A module call.
#[derive(Debug, Clone)]
pub struct ModuleCall {
    /// Its name; for a component also its type.
    pub step: ModulePathStep,
    /// The source as written.
    pub source: String,
    /// The versions that it may have, as written; for modules from a registry.
    pub version: Option<String>,
    /// Values for the module's variables.
    pub inputs: IndexMap<Arc<str>, Expression>,
    /// Where each input is written.
    pub input_spans: BTreeMap<Arc<str>, Span>,
    /// How many instances.
    pub count: Option<Expression>,
    /// One instance for each element.
    pub for_each: Option<Expression>,
    /// What everything in it waits for.
    pub depends_on: Vec<Traversal>,
    /// Provider configurations passed in: the child's name, and the parent's.
    pub providers: BTreeMap<ProviderName, ProviderName>,
    /// The whole block.
    pub span: Span,
    /// Its first line.
    pub header: Span,
}

/// A provider configuration as a module names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProviderName {
    /// The local name.
    pub local: Arc<str>,
    /// The alias.
    pub alias: Option<Arc<str>>,
}

impl std::fmt::Display for ProviderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.alias {
            Some(alias) => write!(f, "{}.{alias}", self.local),
            None => f.write_str(&self.local),
        }
    }
}

/// What a module says about a provider that it needs.
#[derive(Debug, Clone)]
pub struct RequiredProvider {
    /// Where it comes from.
    pub address: ProviderAddress,
    /// The version constraint as written.
    pub version: Option<String>,
    /// Aliases that must be passed in.
    pub aliases: Vec<Arc<str>>,
    /// The entry.
    pub span: Span,
}

/// A provider block.
#[derive(Debug, Clone)]
pub struct ProviderBlock {
    /// Local name and alias.
    pub name: ProviderName,
    /// What is left for the provider's schema.
    pub body: Arc<syntax::Body>,
    /// True if a test makes its objects up: it takes no settings.
    pub mocked: bool,
    /// The block's first line.
    pub span: Span,
}

/// The `terraform` block.
#[derive(Debug, Clone, Default)]
pub struct TerraformSettings {
    /// Version constraints as written.
    pub required_version: Vec<(String, Span)>,
    /// The first `required_providers` block.
    pub required_providers: Option<Span>,
    /// The first `backend` or `cloud` block.
    pub storage: Option<Span>,
}

/// A top-level block of a kind that this crate does not know.
#[derive(Debug, Clone)]
pub struct ComponentBlock {
    /// Its kind.
    pub type_name: Ident,
    /// Its label, if it has exactly one.
    pub name: Option<Ident>,
    /// The block.
    pub block: syntax::Block,
}

/// A declared move.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Old address, within the module.
    pub from: Target,
    /// New address, within the module.
    pub to: Target,
    /// The block.
    pub span: Span,
}

/// A declared removal.
#[derive(Debug, Clone)]
pub struct Removed {
    /// What is removed, within the module.
    pub from: Target,
    /// False if the object lives on outside of the state.
    pub destroy: bool,
    /// What runs before it is destroyed.
    pub provisioners: Vec<Provisioner>,
    /// The block.
    pub span: Span,
}

/// A declared import.
#[derive(Debug, Clone)]
pub struct Import {
    /// The resource instance.
    pub to: Traversal,
    /// The id at the provider, or the identity.
    pub id: Expression,
    /// Whether it is the identity.
    pub by_identity: bool,
    /// One import for each element.
    pub for_each: Option<Expression>,
    /// Where it names a provider: that is for resources that are not written out yet.
    pub provider: Option<Span>,
    /// That provider.
    pub provider_name: Option<ProviderName>,
    /// The block.
    pub span: Span,
}

/// A check block.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name.
    pub name: Ident,
    /// What it asserts.
    pub assertions: Vec<Condition>,
    /// The block.
    pub span: Span,
}
