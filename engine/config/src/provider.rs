//! Which provider configuration a resource belongs to.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{ModulePath, ProviderAddress, ProviderConfig};
use syntax::{Diagnostics, Span};

use crate::error::ConfigError;
use crate::module::{Module, ProviderBlock, ProviderName};

/// The block of a provider configuration, if it has one.
pub fn provider_block<'a>(
    module: &'a Module,
    config: &ProviderConfig,
) -> Option<&'a ProviderBlock> {
    module.provider_configs.values().find(|block| {
        block.name.alias == config.alias
            && local_address(module, &block.name.local) == config.provider
    })
}

/// The source address behind a local name.
pub fn local_address(module: &Module, local: &str) -> ProviderAddress {
    match module.required_providers.get(local) {
        Some(required) => required.address.clone(),
        None => ProviderAddress::implied(local),
    }
}

/// Gives every resource of a module its absolute provider configuration. The module's ancestors are there. Blocks are
/// shared with a module of the same folder, its `twin`, where they come out the same.
pub(crate) fn resolve_resources(
    module: &mut Module,
    twin: Option<&Module>,
    modules: &BTreeMap<ModulePath, Arc<Module>>,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut known: BTreeMap<ProviderName, Option<ProviderConfig>> = BTreeMap::new();
    let mut resources = std::mem::take(&mut module.resources);
    for block in resources.values_mut() {
        // Decoding has left the local name and alias here.
        let name = ProviderName {
            local: Arc::clone(&block.provider.provider.type_name),
            alias: block.provider.alias.clone(),
        };
        let found = known.entry(name.clone()).or_insert_with(|| resolve(module, &name, modules));
        let like = twin.and_then(|twin| twin.resources.get(&block.address));
        if let (Some(config), Some(like)) = (&*found, like)
            && like.provider == *config
        {
            *block = Arc::clone(like);
            continue;
        }
        let block = Arc::make_mut(block);
        if let Some(config) = found {
            block.provider = config.clone();
        } else {
            diagnostics.push(unknown(&name, block.header));
            block.provider.provider = local_address(module, &name.local);
        }
    }
    module.resources = resources;
    diagnostics
}

fn unknown(name: &ProviderName, span: Span) -> ConfigError {
    let (local, alias) = (&name.local, name.alias.as_deref().unwrap_or_default());
    ConfigError::UnknownProviderConfig {
        name: format!("{local}.{alias}"),
        span,
        help: format!(
            "add `provider \"{local}\" {{ alias = \"{alias}\" }}`, or pass it in by `providers = {{ … }}`"
        ),
    }
}

fn resolve(
    module: &Module,
    name: &ProviderName,
    modules: &BTreeMap<ModulePath, Arc<Module>>,
) -> Option<ProviderConfig> {
    let provider = local_address(module, &name.local);
    if module.provider_configs.contains_key(name) {
        return Some(ProviderConfig {
            module: module.path.clone(),
            provider,
            alias: name.alias.clone(),
        });
    }
    let Some((parent, step)) = module.path.parent().zip(module.path.steps().last()) else {
        let root = ProviderConfig { module: ModulePath::root(), provider, alias: None };
        return name.alias.is_none().then_some(root);
    };
    let parent = modules.get(&parent)?;
    if let Some(outer) = parent.calls.get(step).and_then(|call| call.providers.get(name)) {
        return resolve(parent, outer, modules);
    }
    if name.alias.is_some() {
        return None;
    }
    // A default configuration is inherited by its source address, whatever the parent calls it.
    let outer = parent
        .required_providers
        .iter()
        .find(|(_, required)| required.address == provider)
        .map_or_else(|| Arc::clone(&name.local), |(local, _)| Arc::clone(local));
    if local_address(parent, &outer) == provider {
        return resolve(parent, &ProviderName { local: outer, alias: None }, modules);
    }
    Some(ProviderConfig { module: ModulePath::root(), provider, alias: None })
}
