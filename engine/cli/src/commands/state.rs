//! `state …`: what the state says; `edit` holds what changes it.

pub(crate) mod edit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{ProviderAddress, ResourceInstance, ResourceMode, Target};
use state::StateSnapshot;

use super::{fail_message, fail_with};
use crate::args::{Common, State};
use crate::exit::Exit;
use crate::session::Session;
use crate::store::Beside;
use crate::{store, terminal};

/// What is recorded, also while an apply is at work.
pub(super) fn snapshot(session: &Session, common: &Common) -> Result<StateSnapshot, Exit> {
    store::snapshot(common, &*session.world, Beside::Writer)
        .map_err(|error| fail_with(error, terminal::style(common.no_color)))
}

/// `state …`
pub(crate) async fn state(session: &Session, command: &State) -> Exit {
    match command {
        State::List(args) => {
            let style = terminal::style(args.common.no_color);
            let mut targets: Vec<Target> = Vec::new();
            for text in &args.addresses {
                match text.parse() {
                    Ok(target) => targets.push(target),
                    Err(_) => return fail_message(&format!("`{text}` is not an address"), style),
                }
            }
            let snapshot = match snapshot(session, &args.common) {
                Ok(snapshot) => snapshot,
                Err(exit) => return exit,
            };
            if snapshot.serial == 0 {
                let help = "there is no state yet: the first `apply` makes one";
                return fail_message(help, style);
            }
            for address in snapshot.records.keys() {
                if targets.is_empty() || targets.iter().any(|target| target.covers(address)) {
                    terminal::line(&address.to_string());
                }
            }
            Exit::Success
        }
        State::Show(args) => match find(session, &args.common, &args.address) {
            Ok(record) => {
                let shapes = Shapes::of(session, [&*record]).await;
                terminal::print(&report::state_text::record(&record, shapes.get(&record)));
                Exit::Success
            }
            Err(exit) => exit,
        },
        State::Pull(common) => match snapshot(session, common) {
            Ok(snapshot) => match state::tfstate::export(&snapshot, config::LANGUAGE_VERSION) {
                Ok(state) => {
                    terminal::line(&format!("{state:#}"));
                    Exit::Success
                }
                Err(error) => fail_with(error, terminal::style(common.no_color)),
            },
            Err(exit) => exit,
        },
        State::Mv(args) => edit::mv(session, args),
        State::Rm(args) => edit::rm(session, args),
        State::ReplaceProvider(args) => edit::replace_provider(session, args),
        State::Push(args) | State::Import(args) => edit::push(session, args),
        State::Export(args) => super::takeover::export(session, args),
    }
}

/// What tells nested blocks from attributes in what a state records. Of a provider that is not installed nothing is
/// known, and all that it has recorded counts as attributes.
pub(crate) struct Shapes(BTreeMap<ProviderAddress, Arc<sdk::ProviderSchema>>);

impl Shapes {
    /// Those of the providers of some records.
    pub(crate) async fn of(
        session: &Session,
        records: impl IntoIterator<Item = &state::Record>,
    ) -> Self {
        let used: BTreeSet<&ProviderAddress> =
            records.into_iter().map(|record| &record.provider.provider).collect();
        let readers = plan::Readers::new(&session.registry);
        let mut found = BTreeMap::new();
        for provider in used {
            found.extend(readers.schemas([provider]).await.unwrap_or_default());
        }
        Self(found)
    }

    /// That of the type of a record.
    pub(crate) fn get(&self, record: &state::Record) -> Option<&sdk::Block> {
        let schema = self.0.get(&record.provider.provider)?;
        let resource = &record.address.resource;
        let schemas = match resource.mode {
            ResourceMode::Managed => &schema.resources,
            ResourceMode::Data => &schema.data_sources,
            ResourceMode::Ephemeral => &schema.ephemerals,
        };
        schemas.get(&resource.type_name).map(|schema| &schema.block)
    }
}

/// The record at an address.
fn find(session: &Session, common: &Common, address: &str) -> Result<Arc<state::Record>, Exit> {
    let style = terminal::style(common.no_color);
    let Ok(wanted) = address.parse::<ResourceInstance>() else {
        let words = format!("`{address}` is not the address of a resource instance");
        return Err(fail_message(&words, style));
    };
    let snapshot = snapshot(session, common)?;
    if let Some(record) = snapshot.records.get(&wanted) {
        Ok(Arc::clone(record))
    } else {
        let known: Vec<String> = snapshot.records.keys().map(ToString::to_string).collect();
        let near = syntax::suggest(address, known.iter().map(String::as_str));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Err(fail_message(&format!("the state has no `{address}`{hint}"), style))
    }
}
