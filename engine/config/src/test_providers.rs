//! Which provider a local name of a test file means: the first run that gives it to a module decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::ProviderAddress;
use syntax::Diagnostics;

use crate::module::{Module, ProviderName};
use crate::provider::local_address;
use crate::test_error::TestError;
use crate::test_file::{TestFile, TestRun};

/// Complains of provider configurations of a test file that stand for different providers in different runs. `module`
/// gives the root of the module that a run is about; runs whose module is not there say nothing.
pub fn check_test_providers(
    file: &TestFile,
    module: &dyn Fn(&TestRun) -> Option<Arc<Module>>,
) -> Diagnostics {
    let mut types: BTreeMap<Arc<str>, ProviderAddress> = BTreeMap::new();
    let configured: BTreeSet<&Arc<str>> = file.providers.keys().map(|name| &name.local).collect();
    let mut found = Diagnostics::new();
    for run in &file.runs {
        let Some(module) = module(run) else { continue };
        for (inner, outer) in &run.providers {
            let wanted = local_address(&module, &inner.local);
            match types.get(&outer.local) {
                // Only the module of the folder itself is held to it, as in Terraform.
                Some(is) if *is != wanted && run.module.is_none() => {
                    found.push(TestError::ProviderMismatch {
                        name: outer.to_string(),
                        is: is.to_string(),
                        wanted: format!("`{inner}` of the module is {wanted}"),
                        span: run.providers_span.unwrap_or(run.span),
                    });
                }
                Some(_) => {}
                None if configured.contains(&outer.local) => {
                    types.insert(Arc::clone(&outer.local), wanted);
                }
                None => {}
            }
        }
        if run.providers.is_empty() {
            for local in known(&module).into_iter().filter(|local| configured.contains(local)) {
                let address = local_address(&module, &local);
                types.entry(local).or_insert(address);
            }
        }
    }
    let by_name = |run: &&TestRun| run.module.is_none() && run.providers.is_empty();
    let Some(module) = file.runs.iter().find(by_name).and_then(module) else { return found };
    for (name, provider) in &file.providers {
        let wanted = local_address(&module, &name.local);
        let is = types.get(&name.local).unwrap_or(&wanted);
        if *is != wanted && takes(&module, name) {
            found.push(TestError::ProviderMismatch {
                name: name.to_string(),
                is: is.to_string(),
                wanted: format!("a run without `providers` wants {wanted}"),
                span: provider.span(),
            });
        }
    }
    found
}

/// The local names of providers that a module uses.
fn known(module: &Module) -> BTreeSet<Arc<str>> {
    let of_resources = module.resources.values().map(|block| &block.provider.provider.type_name);
    let required = module.required_providers.keys();
    let configured = module.provider_configs.keys().map(|name| &name.local);
    required.chain(configured).chain(of_resources).cloned().collect()
}

/// Whether a module has a provider configuration of this name, or wants to be given one.
fn takes(module: &Module, name: &ProviderName) -> bool {
    module.provider_configs.contains_key(name)
        || module.required_providers.get(&name.local).is_some_and(|required| {
            name.alias.as_ref().is_none_or(|alias| required.aliases.contains(alias))
        })
}
