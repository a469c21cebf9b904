//! `validate` and `init`.

use state::StateSnapshot;

use super::fail;
use crate::args::{Common, Validate};
use crate::exit::Exit;
use crate::session::Session;
use crate::terminal;

/// Checks everything that can be checked without looking at real objects.
pub(crate) async fn validate(session: &Session, args: &Validate) -> Exit {
    let style = terminal::style(args.common.no_color);
    let (stack, mut found) =
        session.stack(&args.vars, &args.var_files, &StateSnapshot::default(), false).await;
    let sources = std::sync::Arc::clone(&stack.configuration.sources);
    // Values for variables are the business of plan.
    found = found
        .into_iter()
        .filter(|one| {
            one.code().is_none_or(|code| code.to_string() != "stratiform::config::missing_variable")
        })
        .fold(syntax::Diagnostics::new(), |mut all, one| {
            all.push_boxed(one);
            all
        });
    if !found.has_errors() {
        let readers = plan::Readers::new(&session.registry);
        let snapshot = StateSnapshot::default();
        let request = session.request(stack, &snapshot, plan::Options::default(), &readers);
        found.extend(plan::check(&request).await);
    }
    if args.common.json {
        let report = report::diagnostics::validate_json(&found, &sources);
        terminal::line(&format!("{report:#}"));
        return if found.has_errors() { Exit::Failure } else { Exit::Success };
    }
    if found.has_errors() {
        return fail(&found, &sources, style);
    }
    terminal::diagnostics(&found, &sources, style);
    terminal::line(&style.green("Success! The configuration is valid."));
    Exit::Success
}

/// Nothing has to be downloaded; says which providers are used.
pub(crate) async fn init(session: &Session, common: &Common) -> Exit {
    let style = terminal::style(common.no_color);
    let (stack, found) = session.stack(&[], &[], &StateSnapshot::default(), false).await;
    let sources = std::sync::Arc::clone(&stack.configuration.sources);
    let mut missing = syntax::Diagnostics::new();
    let blocks = stack.configuration.modules.values().flat_map(|module| module.resources.values());
    let used: std::collections::BTreeSet<_> =
        blocks.map(|block| block.provider.provider.clone()).collect();
    for address in &used {
        if session.registry.get(address).is_none() {
            missing.push(crate::session::problem(&format!(
                "provider `{address}` is not linked in, and downloading providers is not supported yet"
            )));
        }
    }
    drop(found);
    if missing.has_errors() {
        return fail(&missing, &sources, style);
    }
    for address in &used {
        terminal::line(&format!("- {address} (linked in)"));
    }
    terminal::line(&style.green("Initialised: nothing has to be downloaded."));
    Exit::Success
}
