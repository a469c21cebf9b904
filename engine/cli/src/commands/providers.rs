//! `providers schema`: the schemas of the providers in use.

use std::collections::BTreeSet;

use state::StateSnapshot;

use super::{fail, fail_message};
use crate::args::Common;
use crate::exit::Exit;
use crate::session::Session;
use crate::terminal;

/// Prints the schemas of the providers that the configuration uses.
pub(crate) async fn schema(session: &Session, args: &Common) -> Exit {
    let style = terminal::style(args.no_color);
    if !args.json {
        return fail_message("`providers schema` prints JSON alone: add `-json`", style);
    }
    let (stack, found) = session.stack(&[], &[], &StateSnapshot::default()).await;
    let configuration = &stack.configuration;
    let missing = |code: &str| code == "stratiform::config::missing_variable";
    let bad = found.iter().any(|one| one.code().is_none_or(|code| !missing(&code.to_string())));
    if found.has_errors() && bad {
        return fail(&found, &configuration.sources, style);
    }
    let mut used = BTreeSet::new();
    for module in configuration.modules.values() {
        used.extend(module.resources.values().map(|block| block.provider.provider.clone()));
        used.extend(module.required_providers.values().map(|one| one.address.clone()));
        let blocks = module.provider_configs.values();
        used.extend(blocks.map(|block| config::local_address(module, &block.name.local)));
    }
    match plan::Readers::new(&session.registry).schemas(&used).await {
        Ok(schemas) => {
            let schemas = schemas.iter().map(|(address, schema)| (address, &**schema));
            terminal::line(&report::schema_json::providers(schemas).to_string());
            Exit::Success
        }
        Err((address, error)) => fail_message(&format!("provider `{address}`: {error}"), style),
    }
}
