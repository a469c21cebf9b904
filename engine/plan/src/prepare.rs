//! Makes a configuration ready for the walk: bodies compiled against schemas, references sorted.
//!
//! What is found here holds for all instances of a block, so that the walk does no name resolution.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{
    ConfigResource, InstanceKey, ModulePath, ModulePathStep, ProviderConfig, Resource, ResourceMode,
};
use config::{Configuration, Module, Reference, Resolved, ResourceBlock};
use lang::{Expression, Traversal, TraversalStep};
use sdk::{IdentitySchema, ProviderSchema, Schema};
use syntax::{Diagnostics, Span, suggest};
use value::Value;

use crate::decode::Program;
use crate::error::PlanError;
use crate::provisioner::Provisioner;

/// A configuration with everything that the walk needs to know beforehand.
pub(crate) struct Prepared {
    pub(crate) blocks: BTreeMap<ConfigResource, Arc<Block>>,
    pub(crate) providers: BTreeMap<ProviderConfig, Arc<ProviderBlock>>,
    pub(crate) modules: BTreeMap<ModulePath, ModuleReferences>,
}

/// A resource block.
pub(crate) struct Block {
    pub(crate) address: ConfigResource,
    pub(crate) config: Arc<ResourceBlock>,
    pub(crate) schema: TypeSchema,
    pub(crate) program: Program,
    pub(crate) provisioners: Vec<Provisioner>,
    /// What `count` or `for_each` needs.
    pub(crate) expansion_needs: Needs,
    /// What one instance needs.
    pub(crate) instance_needs: Needs,
    /// Whether an instance reads the value that `for_each` gives it, which may be known in apply alone.
    pub(crate) reads_each_value: bool,
    /// True if the block, or one that is made from it, makes replacements first.
    pub(crate) create_before_destroy: bool,
    /// What the module tells the block's provider about itself.
    pub(crate) meta: Option<Value>,
}

/// A provider configuration: its block, or none where the provider needs no settings.
pub(crate) struct ProviderBlock {
    pub(crate) address: ProviderConfig,
    pub(crate) schema: Arc<ProviderSchema>,
    pub(crate) program: Option<Program>,
    pub(crate) needs: Needs,
    pub(crate) span: Option<Span>,
}

/// What the named things of a module need.
pub(crate) struct ModuleReferences {
    pub(crate) locals: BTreeMap<Arc<str>, Needs>,
    pub(crate) outputs: BTreeMap<Arc<str>, Needs>,
    pub(crate) calls: BTreeMap<ModulePathStep, CallReferences>,
}

/// What a module call needs.
pub(crate) struct CallReferences {
    pub(crate) expansion: Needs,
    pub(crate) depends_on: Needs,
    pub(crate) inputs: BTreeMap<Arc<str>, Needs>,
}

/// A resource type's schema, within its provider's.
#[derive(Clone)]
pub(crate) struct TypeSchema {
    provider: Arc<ProviderSchema>,
    mode: ResourceMode,
    type_name: Arc<str>,
}

impl TypeSchema {
    pub(crate) fn find(
        provider: &Arc<ProviderSchema>,
        mode: ResourceMode,
        type_name: &Arc<str>,
    ) -> Option<Self> {
        let found = Self { provider: Arc::clone(provider), mode, type_name: Arc::clone(type_name) };
        found.lookup().is_some().then_some(found)
    }

    fn lookup(&self) -> Option<&Schema> {
        match self.mode {
            ResourceMode::Managed => self.provider.resources.get(&self.type_name),
            ResourceMode::Data => self.provider.data_sources.get(&self.type_name),
            ResourceMode::Ephemeral => self.provider.ephemerals.get(&self.type_name),
        }
    }

    pub(crate) fn get(&self) -> &Schema {
        self.lookup().expect("the constructor has found it, and schemas do not change")
    }

    /// What tells objects of the type apart; `None` for types without identities.
    pub(crate) fn identity(&self) -> Option<&IdentitySchema> {
        let managed = self.mode == ResourceMode::Managed;
        self.provider.identities.get(&self.type_name).filter(|_| managed)
    }

    /// Whether the provider takes over objects of other types.
    pub(crate) fn moves(&self) -> bool {
        self.provider.capabilities.move_resource
    }

    pub(crate) fn plans_destroy(&self) -> bool {
        self.provider.capabilities.plan_destroy
    }
}

/// What something refers to, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needs {
    pub(crate) all: Vec<(Need, Span)>,
}

/// One thing that is referred to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    Variable(Arc<str>),
    Local(Arc<str>),
    Resource(Resource, Which),
    Output(ModulePathStep, Which, Arc<str>),
    /// All outputs of a call.
    Call(ModulePathStep, Which),
    /// Everything in a call, by `depends_on`.
    Everything(ModulePathStep),
}

/// Which instances of a block are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Which {
    All,
    One(InstanceKey),
    /// The one with the key of the instance that refers.
    Same,
}

impl Needs {
    pub(crate) fn of<'a>(
        module: &Module,
        references: impl IntoIterator<Item = &'a Traversal>,
    ) -> Self {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for traversal in references {
            // What does not resolve has been reported by config.
            let Ok(resolved) = config::resolve(module, traversal) else { continue };
            let Some(need) = need(&resolved) else { continue };
            if seen.insert(need.clone()) {
                all.push((need, traversal.span));
            }
        }
        all.shrink_to_fit();
        Self { all }
    }

    /// Adds what `depends_on` names: whole blocks and whole modules.
    pub(crate) fn depends_on(mut self, module: &Module, references: &[Traversal]) -> Self {
        for traversal in references {
            let Ok(resolved) = config::resolve(module, traversal) else { continue };
            let need = match &resolved.reference {
                Reference::Call(step) => Need::Everything(step.clone()),
                Reference::Resource(resource) => Need::Resource(resource.clone(), Which::All),
                _ => match need(&resolved) {
                    Some(need) => need,
                    None => continue,
                },
            };
            self.all.push((need, traversal.span));
        }
        self
    }

    fn and(mut self, other: Self) -> Self {
        self.all.extend(other.all);
        self
    }
}

fn need(resolved: &Resolved<'_>) -> Option<Need> {
    Some(match &resolved.reference {
        Reference::Variable(name) => Need::Variable(Arc::clone(name)),
        Reference::Local(name) => Need::Local(Arc::clone(name)),
        Reference::Resource(resource) => Need::Resource(resource.clone(), which(resolved.key)),
        Reference::Call(step) => match output_name(resolved) {
            Some(output) => Need::Output(step.clone(), which(resolved.key), output),
            None => Need::Call(step.clone(), which(resolved.key)),
        },
        _ => return None,
    })
}

fn which(key: Option<&TraversalStep>) -> Which {
    if let Some(key) = constant_key(key) {
        return Which::One(key);
    }
    let Some(TraversalStep::Dynamic(expression, _)) = key else { return Which::All };
    let Some(traversal) = expression.as_traversal() else { return Which::All };
    let names = (traversal.root.as_str(), traversal.steps.as_slice());
    match names {
        ("count", [TraversalStep::Attribute(part)]) if part.as_str() == "index" => Which::Same,
        ("each", [TraversalStep::Attribute(part)]) if part.as_str() == "key" => Which::Same,
        _ => Which::All,
    }
}

/// Says whether a reference is `each.value` or leads into it.
pub(crate) fn is_each_value(reference: &Traversal) -> bool {
    let part = reference.steps.first();
    reference.root.as_str() == "each"
        && matches!(part, Some(TraversalStep::Attribute(name)) if name.as_str() == "value")
}

/// The block whose instances `for_each` walks, if it is one with keys and nothing else.
pub(crate) fn walked_block(module: &Module, for_each: &Expression) -> Option<Resource> {
    let resolved = config::resolve(module, for_each.as_traversal()?).ok()?;
    let Reference::Resource(resource) = &resolved.reference else { return None };
    let whole = resolved.key.is_none() && resolved.rest.is_empty();
    let has_keys = module.resources.get(resource).is_some_and(|block| block.for_each.is_some());
    (whole && has_keys).then(|| resource.clone())
}

/// What the value of one element needs: of a block's instances the one with the same key, else all that
/// `for_each` needs.
fn needs_of_element(module: &Module, for_each: &Expression, expansion: &Needs) -> Needs {
    match walked_block(module, for_each) {
        Some(resource) => {
            Needs { all: vec![(Need::Resource(resource, Which::Same), for_each.span())] }
        }
        None => expansion.clone(),
    }
}

/// The instance key, where the step behind a block's name is one that is known without evaluating.
pub(crate) fn constant_key(step: Option<&TraversalStep>) -> Option<InstanceKey> {
    let Some(TraversalStep::Index(value, _)) = step else { return None };
    if let Some(text) = value.as_arc_str() {
        return Some(InstanceKey::String(Arc::clone(text)));
    }
    value.as_number()?.to_i64().map(InstanceKey::Int)
}

/// The output that a reference to a call names right behind the call and its key.
pub(crate) fn output_name(resolved: &Resolved<'_>) -> Option<Arc<str>> {
    match resolved.rest.first() {
        Some(TraversalStep::Attribute(name)) => Some(Arc::clone(&name.text)),
        _ => None,
    }
}

/// Compiles all blocks. `schemas` has an entry for each provider that the configuration uses and that exists.
pub(crate) fn prepare(
    configuration: &Configuration,
    schemas: &BTreeMap<address::ProviderAddress, Arc<ProviderSchema>>,
    available: &[String],
    recorded: &BTreeSet<ProviderConfig>,
) -> (Prepared, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut prepared =
        Prepared { blocks: BTreeMap::new(), providers: BTreeMap::new(), modules: BTreeMap::new() };
    let mut reported = BTreeSet::new();
    for (path, module) in &configuration.modules {
        prepared.modules.insert(path.clone(), module_references(module));
        let (metas, found) = metas(module, schemas);
        diagnostics.extend(found);
        for (resource, block) in &module.resources {
            let address = &block.provider.provider;
            let Some(schema) = schemas.get(address) else {
                if reported.insert(address.clone()) {
                    diagnostics.push(unknown_provider(address, Some(block.header), available));
                }
                continue;
            };
            let Some(schema) = TypeSchema::find(schema, resource.mode, &resource.type_name) else {
                diagnostics.push(unknown_type(resource, block, schema));
                continue;
            };
            let config = ConfigResource { module: path.clone(), resource: resource.clone() };
            let meta = metas.get(address).cloned();
            let (mut block, errors) = prepare_block(module, config, block, schema);
            block.meta = meta;
            diagnostics.extend(errors);
            prepared.blocks.insert(block.address.clone(), Arc::new(block));
        }
    }
    let used: BTreeSet<ProviderConfig> = prepared
        .blocks
        .values()
        .map(|block| block.config.provider.clone())
        .chain(recorded.iter().cloned())
        .collect();
    for address in used {
        let (provider, errors) = prepare_provider(configuration, &address, schemas);
        diagnostics.extend(errors);
        if let Some(provider) = provider {
            prepared.providers.insert(address, Arc::new(provider));
        }
    }
    (prepared, diagnostics)
}

/// What a module tells its providers about itself. Of those that it does not use, nobody knows what they take.
fn metas(
    module: &Module,
    schemas: &BTreeMap<address::ProviderAddress, Arc<ProviderSchema>>,
) -> (BTreeMap<address::ProviderAddress, Value>, Diagnostics) {
    let mut found = BTreeMap::new();
    let mut diagnostics = Diagnostics::new();
    for (name, block) in &module.provider_metas {
        let address = config::local_address(module, name);
        let used = module.resources.values().any(|one| one.provider.provider == address);
        let Some(schema) = schemas.get(&address).filter(|_| used) else { continue };
        let Some(meta) = &schema.meta else {
            let provider = address.to_string();
            diagnostics.push(PlanError::NoProviderMeta { provider, span: block.header });
            continue;
        };
        let owner = format!("provider_meta \"{name}\"");
        let (program, errors) = Program::compile(&block.body, &meta.block, &owner, block.header);
        let failed = errors.has_errors();
        diagnostics.extend(errors);
        if failed {
            continue;
        }
        match config::written_out(|ctx| program.evaluate(ctx)) {
            Ok(value) => {
                found.insert(address, value.unmark_deep().0);
            }
            Err(errors) => diagnostics.extend(errors),
        }
    }
    (found, diagnostics)
}

pub(crate) fn unknown_provider(
    address: &address::ProviderAddress,
    span: Option<Span>,
    available: &[String],
) -> PlanError {
    PlanError::UnknownProvider {
        provider: address.to_string(),
        span,
        help: format!("run `stratiform init` to install it; at hand are: {}", available.join(", ")),
    }
}

fn unknown_type(resource: &Resource, block: &ResourceBlock, schema: &ProviderSchema) -> PlanError {
    let (kind, names): (_, Vec<&str>) = match resource.mode {
        ResourceMode::Data => {
            ("data source", schema.data_sources.keys().map(|name| &**name).collect())
        }
        ResourceMode::Ephemeral => {
            ("ephemeral resource", schema.ephemerals.keys().map(|name| &**name).collect())
        }
        ResourceMode::Managed => {
            ("resource", schema.resources.keys().map(|name| &**name).collect())
        }
    };
    PlanError::UnknownType {
        kind,
        name: resource.type_name.to_string(),
        provider: block.provider.provider.to_string(),
        span: block.header,
        suggestion: suggest(&resource.type_name, names.into_iter())
            .map(|near| format!("did you mean `{near}`?")),
    }
}

fn prepare_block(
    module: &Module,
    address: ConfigResource,
    block: &Arc<ResourceBlock>,
    schema: TypeSchema,
) -> (Block, Diagnostics) {
    let (program, mut diagnostics) = Program::compile(
        &block.body,
        &schema.get().block,
        &address.resource.type_name,
        block.header,
    );
    let mut provisioners = Vec::new();
    for provisioner in &block.provisioners {
        let (provisioner, found) = Provisioner::compile(provisioner);
        diagnostics.extend(found);
        provisioners.push(provisioner);
    }
    ignored_names(block, &schema.get().block, &mut diagnostics);
    let expansion = [&block.count, &block.for_each].into_iter().flatten();
    let expansion_needs = Needs::of(module, expansion.flat_map(Expression::references));
    let conditions = block.lifecycle.preconditions.iter().chain(&block.lifecycle.postconditions);
    let conditions = conditions
        .flat_map(|c| c.condition.references().iter().chain(c.error_message.references()));
    let triggers = block.lifecycle.replace_triggered_by.iter().flat_map(Expression::references);
    let provisioned = provisioners.iter().flat_map(|one| one.references());
    let references = program.references().iter().chain(conditions).chain(triggers);
    let references: Vec<&Traversal> = references.chain(provisioned).collect();
    let reads_each_value = references.iter().any(|reference| is_each_value(reference));
    let instance_needs =
        Needs::of(module, references.iter().copied()).depends_on(module, &block.depends_on);
    let instance_needs = match &block.for_each {
        Some(for_each) if reads_each_value => {
            instance_needs.and(needs_of_element(module, for_each, &expansion_needs))
        }
        _ => instance_needs,
    };
    // A condition may refer to the block's own other instances only through `self`.
    let own = &address.resource;
    let instance_needs = Needs {
        all: instance_needs
            .all
            .into_iter()
            .filter(|(need, _)| !matches!(need, Need::Resource(resource, _) if resource == own))
            .collect(),
    };
    let create_before_destroy = block.lifecycle.create_before_destroy.unwrap_or(false);
    let block = Block {
        address,
        config: Arc::clone(block),
        schema,
        program,
        provisioners,
        expansion_needs,
        instance_needs,
        reads_each_value,
        create_before_destroy,
        meta: None,
    };
    (block, diagnostics)
}

/// Attributes of `ignore_changes` that the schema does not have.
fn ignored_names(block: &ResourceBlock, schema: &sdk::Block, diagnostics: &mut Diagnostics) {
    let config::IgnoreChanges::Paths(paths) = &block.lifecycle.ignore_changes else { return };
    for (path, span) in paths {
        let Some(address::PathStep::Attribute(name)) = path.steps().first() else { continue };
        if schema.attributes.contains_key(name) || schema.blocks.contains_key(name) {
            continue;
        }
        let names = schema.attributes.keys().chain(schema.blocks.keys()).map(|name| &**name);
        diagnostics.push(PlanError::NoSuchAttribute {
            holder: block.address.type_name.to_string(),
            name: name.to_string(),
            span: *span,
            suggestion: suggest(name, names).map(|near| format!("did you mean `{near}`?")),
        });
    }
}

fn prepare_provider(
    configuration: &Configuration,
    address: &ProviderConfig,
    schemas: &BTreeMap<address::ProviderAddress, Arc<ProviderSchema>>,
) -> (Option<ProviderBlock>, Diagnostics) {
    let Some(schema) = schemas.get(&address.provider) else { return (None, Diagnostics::new()) };
    let Some(module) = configuration.modules.get(&address.module) else {
        return (None, Diagnostics::new());
    };
    let found = config::provider_block(module, address);
    let (program, span, diagnostics) = match found {
        Some(block) if block.mocked => (None, Some(block.span), Diagnostics::new()),
        Some(block) => {
            let owner = format!("provider \"{}\"", address.provider.type_name);
            let (program, diagnostics) =
                Program::compile(&block.body, &schema.provider.block, &owner, block.span);
            (Some(program), Some(block.span), diagnostics)
        }
        None => (None, None, Diagnostics::new()),
    };
    let needs =
        program.as_ref().map(|program| Needs::of(module, program.references())).unwrap_or_default();
    let provider = ProviderBlock {
        address: address.clone(),
        schema: Arc::clone(schema),
        program,
        needs,
        span,
    };
    (Some(provider), diagnostics)
}

fn module_references(module: &Module) -> ModuleReferences {
    let locals = module
        .locals
        .iter()
        .map(|(name, local)| (Arc::clone(name), Needs::of(module, local.value.references())));
    let outputs = module.outputs.iter().map(|(name, output)| {
        let conditions = output
            .preconditions
            .iter()
            .flat_map(|c| c.condition.references().iter().chain(c.error_message.references()));
        let needs = Needs::of(module, output.value.references().iter().chain(conditions));
        (Arc::clone(name), needs.depends_on(module, &output.depends_on))
    });
    let calls = module.calls.iter().map(|(step, call)| {
        let expansion = [&call.count, &call.for_each].into_iter().flatten();
        let expansion = Needs::of(module, expansion.flat_map(Expression::references));
        let input_needs = |input: &Expression| {
            let needs = Needs::of(module, input.references());
            // The value of an element may be known in apply alone.
            let reads_element = input.references().iter().any(is_each_value);
            if reads_element { needs.and(expansion.clone()) } else { needs }
        };
        let references = CallReferences {
            expansion: expansion.clone(),
            depends_on: Needs::default().depends_on(module, &call.depends_on),
            inputs: call
                .inputs
                .iter()
                .map(|(name, input)| (Arc::clone(name), input_needs(input)))
                .collect(),
        };
        (step.clone(), references)
    });
    ModuleReferences {
        locals: locals.collect(),
        outputs: outputs.collect(),
        calls: calls.collect(),
    }
}

impl Block {
    /// Everything that the block refers to.
    pub(crate) fn all_needs(&self) -> Needs {
        self.expansion_needs.clone().and(self.instance_needs.clone())
    }
}
