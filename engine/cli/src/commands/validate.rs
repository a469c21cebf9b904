//! `validate`.

use state::StateSnapshot;

use super::fail;
use crate::args::Validate;
use crate::exit::Exit;
use crate::session::Session;
use crate::terminal;

/// Checks everything that can be checked without looking at real objects.
pub(crate) async fn validate(session: &Session, args: &Validate) -> Exit {
    let style = terminal::style(args.common.no_color);
    let (stack, mut found) =
        session.stack(&args.vars, &args.var_files, &StateSnapshot::default()).await;
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
