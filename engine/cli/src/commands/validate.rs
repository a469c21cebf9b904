//! `validate`.

use state::StateSnapshot;

use super::fail;
use crate::args::Validate;
use crate::exit::Exit;
use crate::fetching;
use crate::session::{Session, Wanted};
use crate::terminal;

/// Checks everything that can be checked without looking at real objects.
pub(crate) async fn validate(session: &Session, args: &Validate) -> Exit {
    let style = terminal::style(args.common.no_color);
    let (stack, mut found) = session.stack(&Wanted::nothing(), &StateSnapshot::default()).await;
    let sources = std::sync::Arc::clone(&stack.configuration.sources);
    // A folder without configuration has nothing wrong in it; planning it makes no sense.
    found = crate::session::without_no_files(found);
    if !found.has_errors() {
        let readers = plan::Readers::new(&session.registry);
        let snapshot = StateSnapshot::default();
        let request = session.request(stack, &snapshot, plan::Options::default(), &readers);
        let configuration = std::sync::Arc::clone(&request.configuration);
        found.extend(report::calls::with_calls(plan::check(&request).await, &configuration));
    }
    let mut sources = sources;
    if !args.no_tests {
        let mut with_tests = syntax::SourceMap::clone(&sources);
        let directory = args.test_directory.as_deref();
        let world = &*session.world;
        let (tests, errors) = fetching::tests(world, directory, &mut with_tests);
        found.extend(errors);
        found.extend(fetching::check_test_providers(world, &tests));
        let providers = super::test::all_providers(&tests);
        let depth = fetching::Depth::References;
        let all = &mut with_tests;
        found.extend(fetching::faults_of_test_modules(world, &tests, &providers, depth, all));
        sources = std::sync::Arc::new(with_tests);
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
