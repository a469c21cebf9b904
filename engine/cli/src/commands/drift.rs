//! `drift`: says what differs from the state. It holds providers that can only look.

use std::sync::Arc;

use plan::Mode;

use super::{fail, fail_with};
use crate::args::PlanArgs;
use crate::exit::Exit;
use crate::session::{self, Session, Wanted};
use crate::{store, terminal};

/// The command.
pub(crate) async fn drift(session: &Session, args: &PlanArgs) -> Exit {
    let style = terminal::style(args.common.no_color);
    let snapshot = match store::snapshot(&args.common, &*session.world, store::Beside::Writer) {
        Ok(snapshot) => snapshot,
        Err(error) => return fail_with(error, style),
    };
    let options = match session::options(args, Mode::RefreshOnly) {
        Ok(options) => options,
        Err(found) => return fail(&found, &syntax::SourceMap::new(), style),
    };
    let (stack, mut found) = session.stack(&Wanted::of(args), &snapshot).await;
    let sources = Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return fail(&found, &sources, style);
    }
    let (plan, more) = session.plan(stack, &snapshot, options).await;
    found.extend(more);
    let Some(mut plan) = plan else { return fail(&found, &sources, style) };
    // Nobody has changed what a provider only spells otherwise.
    plan.drift.retain(|change| !change.spelling);
    for change in &mut plan.drift {
        change.attributes.retain(|attribute| !attribute.spelling);
    }
    terminal::diagnostics(&found, &sources, style);
    if args.common.json {
        terminal::line(&format!("{:#}", report::drift::json(&plan.drift, &sources)));
    } else {
        terminal::print(&report::drift::text(&plan.drift, &sources, style));
    }
    if plan.drift.is_empty() { Exit::Success } else { Exit::Changes }
}
