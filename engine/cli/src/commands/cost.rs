//! `cost`: what a plan costs and emits, before and after.

use std::sync::Arc;

use super::plan::mode;
use super::{fail, fail_with};
use crate::args::Cost;
use crate::exit::Exit;
use crate::judge::Bench;
use crate::session::{self, Session, Wanted};
use crate::{store, terminal};

/// Plans, and shows the price of it. A plan that is over its budget is shown all the same, and fails.
pub(crate) async fn cost(session: &Session, args: &Cost) -> Exit {
    let plan_args = &args.plan;
    let style = terminal::style(plan_args.common.no_color);
    let snapshot = match store::snapshot(&plan_args.common, &*session.world, store::Beside::Writer)
    {
        Ok(snapshot) => snapshot,
        Err(error) => return fail_with(error, style),
    };
    let options = match session::options(plan_args, mode(plan_args)) {
        Ok(options) => options,
        Err(found) => return fail(&found, &syntax::SourceMap::new(), style),
    };
    let (stack, mut found) = session.stack(&Wanted::of(plan_args), &snapshot).await;
    let configuration = Arc::clone(&stack.configuration);
    let (inputs, components) = (stack.inputs.clone(), stack.components.clone());
    if found.has_errors() {
        return fail(&found, &configuration.sources, style);
    }
    let (plan, more) = session.plan_unchecked(stack, &snapshot, options).await;
    found.extend(more);
    let Some(plan) = plan else { return fail(&found, &configuration.sources, style) };
    let bench = Bench {
        session,
        configuration: &configuration,
        inputs: &inputs,
        snapshot: &snapshot,
        components: &components,
    };
    let (estimate, catalog) = match bench.estimate(&plan) {
        Ok(found) => found,
        Err(error) => return fail_with(error, style),
    };
    let json = plan_args.common.json || args.format == "json";
    terminal::print(&match args.format.as_str() {
        _ if json => format!("{:#}\n", report::cost::json(&estimate)),
        "markdown" => report::cost::markdown(&estimate),
        _ => report::cost::text(&estimate),
    });
    found.extend(bench.over_budget(&plan, &estimate, &catalog));
    terminal::diagnostics(&found, &configuration.sources, style);
    if found.has_errors() { Exit::Failure } else { Exit::Success }
}
