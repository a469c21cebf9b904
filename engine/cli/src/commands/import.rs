//! `import`: puts one object that exists into the state, as that of a configured resource.
//!
//! The object is looked up and recorded as it is; its block is not evaluated, so an empty one is enough. What has to
//! change to make it what the block says is for the next plan.

use plan::{Mode, Options, PlanError};
use state::{Change, OperationInfo, StateStore};
use syntax::SourceMap;

use super::state::edit;
use super::{recover, takeover};
use crate::args::{Import, PlanArgs};
use crate::exit::Exit;
use crate::session::{Session, Wanted, problem, without};
use crate::store;
use crate::ui::Ui;

/// Imports one object.
pub(crate) async fn import(session: &Session, args: &Import) -> Exit {
    let common = &args.plan.common;
    let ui = Ui::new(common, session.clock());
    let address: address::ResourceInstance = match args.address.parse() {
        Ok(address) => address,
        Err(_) => {
            let message = format!("`{}` is not the address of a resource instance", args.address);
            let help = "write TYPE.NAME, with its module before and its key behind, such as `module.a.aws_vpc.main[\"x\"]`";
            return ui
                .fail_with(syntax::Report { help: Some(help.to_owned()), ..problem(&message) });
        }
    };
    if let Err(exit) = takeover::take_over(session, common, true) {
        return exit;
    }
    let world = &*session.world;
    let store = match store::open(common, world) {
        Ok(store) => store,
        Err(error) => return ui.fail_with(error),
    };
    let guard = match store::lock(&store, common, "import", world) {
        Ok(guard) => guard,
        Err(error) => return ui.fail_with(error),
    };
    let plan_args =
        PlanArgs { common: common.clone(), given: args.plan.given.clone(), ..PlanArgs::default() };
    if let Err(exit) = recover::settle(session, &store, &plan_args, &ui).await {
        return exit;
    }
    let snapshot = match store.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return ui.fail_with(error),
    };
    let (stack, mut found) = session.stack(&Wanted::of(&plan_args), &snapshot).await;
    let sources = std::sync::Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return ui.fail(&found, &sources);
    }
    ui.note(&format!("{address}: Importing from ID \"{}\"...", args.id));
    let usual = Options::default();
    let options = Options {
        mode: Mode::RefreshOnly,
        targets: vec![address::Target::Instance(address.clone())],
        imports: vec![(address.clone(), args.id.clone())],
        parallelism: args.parallelism.unwrap_or(usual.parallelism).max(1),
        ..usual
    };
    let (plan, more) = session.plan(stack, &snapshot, options).await;
    // It was not a person who limited the plan.
    found.extend(without(more, "stratiform::plan::targeted"));
    ui.diagnostics(&found, &sources);
    let Some(plan) = plan else { return Exit::Failure };
    let change = plan.changes.iter().find(|change| change.address == address);
    let Some(record) = change.and_then(|change| plan.imported(change)) else {
        let error = PlanError::ImportTarget {
            address: address.to_string(),
            reason: "its provider gave no object".to_owned(),
            help: "see whether the id is that of an object of this type".to_owned(),
        };
        return ui.fail(&error.into(), &SourceMap::new());
    };
    let info = OperationInfo {
        command: "import".to_owned(),
        who: store::who(),
        time_unix_ms: store::now_ms(world),
        summary: format!("{address} from {}", args.id),
        plan: String::new(),
    };
    match edit::write(&store, &guard, info, vec![Change::PutRecord(record)], None) {
        Ok(()) => {
            ui.note(&format!("\n{}", ui.style.green("Import successful!")));
            ui.note("The object is in the state now; `stratiform plan` says in what it differs from its block.");
            Exit::Success
        }
        Err(error) => ui.fail_with(error),
    }
}
