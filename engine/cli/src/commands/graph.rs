//! `graph` and `providers`: what a configuration is made of.

use state::StateSnapshot;

use super::fail;
use crate::args::{Graph, ProvidersArgs};
use crate::exit::Exit;
use crate::fetching;
use crate::session::{Session, Wanted};
use crate::terminal;

/// Prints the graph of the configuration.
pub(crate) async fn graph(session: &Session, args: &Graph) -> Exit {
    let style = terminal::style(args.common.no_color);
    let (stack, found) = session.stack(&Wanted::nothing(), &StateSnapshot::default()).await;
    let sources = std::sync::Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return fail(&found, &sources, style);
    }
    let view = match args.kind.as_deref() {
        None => plan::View::Resources,
        Some("plan" | "plan-refresh-only" | "plan-destroy" | "apply") => plan::View::Whole,
        Some(other) => {
            let message = format!("`-type={other}` is not known: there is `plan`");
            return super::fail_message(&message, style);
        }
    };
    let readers = plan::Readers::new(&session.registry);
    let snapshot = StateSnapshot::default();
    let request = session.request(stack, &snapshot, plan::Options::default(), &readers);
    match plan::draw(&request, view).await {
        Ok(drawing) => {
            terminal::print(&match (args.mermaid, view) {
                (true, _) => report::graph_text::mermaid(&drawing),
                (false, plan::View::Resources) => report::graph_text::resources(&drawing),
                (false, plan::View::Whole) => report::graph_text::whole(&drawing),
            });
            Exit::Success
        }
        Err(found) => fail(&found, &sources, style),
    }
}

/// Prints which module needs which providers.
pub(crate) async fn providers(session: &Session, args: &ProvidersArgs) -> Exit {
    let style = terminal::style(args.common.no_color);
    let (stack, found) = session.stack_without_providers(&StateSnapshot::default()).await;
    if found.has_errors() {
        return fail(&found, &stack.configuration.sources, style);
    }
    let mut sources = syntax::SourceMap::new();
    let (tests, found) =
        fetching::tests(&*session.world, args.test_directory.as_deref(), &mut sources);
    if found.has_errors() {
        return fail(&found, &sources, style);
    }
    let tested: Vec<_> = tests.iter().map(|file| fetching::tested(&*session.world, file)).collect();
    let tree = report::providers_text::tree(&stack.configuration, &tested);
    terminal::print(&format!("\nProviders required by configuration:\n{tree}\n"));
    Exit::Success
}
