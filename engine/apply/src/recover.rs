//! What an earlier run has left open, and how it is settled.
//!
//! An open intent says that a call may have been made. The provider is asked what became of it: by the token of
//! a create, by looking at the object of an update or a destruction.

use std::sync::Arc;

use address::ResourceInstance;
use plan::evaluation::Evaluation;
use sdk::{
    Context, IdentitySchema, Private, Provider, ReadRequest, Registry, TokenAnswer, UpgradeRequest,
};
use state::{
    Change, DeposedKey, Identity, IntentAction, Object, ObjectStatus, Outcome, Record,
    RecordedIntent, StateError, StateStore,
};
use syntax::Diagnostics;
use value::Value;

use crate::providers::Providers;

/// What was found about one intent.
#[derive(Debug)]
pub struct Settled {
    /// The instance.
    pub address: ResourceInstance,
    /// What was tried.
    pub action: &'static str,
    /// What became of it.
    pub found: Found,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The object was made; it is in the state now.
    Made,
    /// Nothing was made.
    NotMade,
    /// The object was looked at, and the state says what it is now.
    Looked,
    /// The object is gone; the state says so.
    Gone,
    /// The backend is still at it; the intent stays open.
    InProgress,
    /// The provider cannot tell; the reader has to look.
    Unknown,
    /// The provider could not be asked; the intent stays open.
    NotAsked(String),
}

/// Settles all open intents that can be settled.
///
/// # Errors
///
/// [`StateError`] if the state cannot be read or written.
pub async fn recover(
    store: &dyn StateStore,
    registry: &Registry,
    context: &Context,
    evaluation: &mut Evaluation,
) -> Result<Vec<Settled>, StateError> {
    let open = store.journal().open_intents()?;
    let mut providers = Providers::new(registry.clone(), context.clone());
    let mut settled = Vec::new();
    for recorded in open {
        let snapshot = store.snapshot()?;
        let record =
            snapshot.records.get(&recorded.intent.address).map(|record| Record::clone(record));
        let provider = providers.get(&recorded.intent.provider, evaluation).await;
        let (found, outcome, changes) = match provider {
            Ok(provider) => ask(&provider, &recorded, record).await,
            Err(found) => (Found::NotAsked(first_message(&found)), None, Vec::new()),
        };
        if let Some(outcome) = outcome {
            store.journal().settle(recorded.sequence, outcome, changes)?;
        }
        let action = match recorded.intent.action {
            IntentAction::Create => "create",
            IntentAction::Update => "update",
            IntentAction::Delete | IntentAction::DeleteDeposed(_) => "destroy",
        };
        settled.push(Settled { address: recorded.intent.address, action, found });
    }
    Ok(settled)
}

fn first_message(found: &Diagnostics) -> String {
    found.iter().next().map(ToString::to_string).unwrap_or_default()
}

type Verdict = (Found, Option<Outcome>, Vec<Change>);

async fn ask(
    provider: &Arc<dyn Provider>,
    recorded: &RecordedIntent,
    record: Option<Record>,
) -> Verdict {
    match &recorded.intent.action {
        IntentAction::Create => ask_create(provider, recorded, record).await,
        IntentAction::DeleteDeposed(key) => ask_object(provider, recorded, record, Some(key)).await,
        IntentAction::Update | IntentAction::Delete => {
            ask_object(provider, recorded, record, None).await
        }
    }
}

async fn ask_create(
    provider: &Arc<dyn Provider>,
    recorded: &RecordedIntent,
    record: Option<Record>,
) -> Verdict {
    let intent = &recorded.intent;
    let type_name = &intent.address.resource.type_name;
    let answer = match provider.find_by_token(type_name, &intent.token).await {
        Ok(answer) => answer,
        Err(error) => return (Found::NotAsked(error.to_string()), None, Vec::new()),
    };
    let (state, private) = match answer {
        TokenAnswer::Absent => {
            return (
                Found::NotMade,
                Some(Outcome::Failed { message: "nothing was made".into() }),
                Vec::new(),
            );
        }
        TokenAnswer::Unsupported => return (Found::Unknown, Some(Outcome::Unknown), Vec::new()),
        TokenAnswer::InProgress => return (Found::InProgress, None, Vec::new()),
        TokenAnswer::Present { state, private } => (state, private),
    };
    let schema = provider.schema();
    let Some(ty) = schema.resources.get(type_name).map(|schema| schema.block.ty()) else {
        return (Found::NotAsked("the provider has no such type".into()), None, Vec::new());
    };
    let Ok(json) = value::json::encode_string(&state, &ty) else {
        return (
            Found::NotAsked("the provider's answer does not fit its schema".into()),
            None,
            Vec::new(),
        );
    };
    let object = Object {
        schema_version: intent.schema_version,
        status: ObjectStatus::Ready,
        attributes_json: json.into(),
        private: private.as_bytes().to_vec(),
        dependencies: intent.dependencies.clone(),
        create_before_destroy: intent.create_before_destroy,
        sensitive_paths: intent.sensitive_paths.clone(),
        configured: Vec::new(),
        identity: None,
    };
    let mut record = record.unwrap_or_else(|| Record {
        address: intent.address.clone(),
        provider: intent.provider.clone(),
        current: None,
        deposed: std::collections::BTreeMap::new(),
    });
    if let Some(old) = record.current.replace(object) {
        let number = u32::try_from(recorded.sequence % u64::from(u32::MAX)).unwrap_or(0);
        record.deposed.insert(DeposedKey::from_number(number), old);
    }
    (Found::Made, Some(Outcome::Done), vec![Change::PutRecord(record)])
}

/// Looks at the object that an update or a destruction concerned.
async fn ask_object(
    provider: &Arc<dyn Provider>,
    recorded: &RecordedIntent,
    record: Option<Record>,
    deposed: Option<&DeposedKey>,
) -> Verdict {
    let intent = &recorded.intent;
    let Some(mut record) = record else { return (Found::Gone, Some(Outcome::Done), Vec::new()) };
    let object = match deposed {
        Some(key) => record.deposed.get(key).cloned(),
        None => record.current.clone(),
    };
    let Some(object) = object else { return (Found::Gone, Some(Outcome::Done), Vec::new()) };
    let real = match look(provider, intent.address.resource.type_name.clone(), &object).await {
        Ok(real) => real,
        Err(message) => return (Found::NotAsked(message), None, Vec::new()),
    };
    let found = if real.is_some() { Found::Looked } else { Found::Gone };
    match deposed {
        Some(key) if real.is_none() => {
            record.deposed.remove(key);
        }
        Some(_) => {}
        None => record.current = real,
    }
    let change = if record.is_empty() {
        Change::DeleteRecord(intent.address.clone())
    } else {
        Change::PutRecord(record)
    };
    (found, Some(Outcome::Unknown), vec![change])
}

async fn look(
    provider: &Arc<dyn Provider>,
    type_name: Arc<str>,
    object: &Object,
) -> Result<Option<Object>, String> {
    let schema_of = provider.schema();
    let schema = schema_of.resources.get(&type_name).ok_or("the provider has no such type")?;
    let identities = schema_of.identities.get(&type_name);
    let request = UpgradeRequest {
        type_name: Arc::clone(&type_name),
        version: object.schema_version,
        state_json: Arc::clone(&object.attributes_json),
    };
    let upgraded = provider.upgrade(request).await.map_err(|error| error.to_string())?;
    let current: Value = upgraded.value.ok_or("the stored object cannot be read")?;
    let request = ReadRequest {
        identity: identities.and_then(|by| known_identity(by, object)),
        meta: None,
        private: Private::from(object.private.as_slice()),
        type_name: Arc::clone(&type_name),
        current,
    };
    let answer = provider.read(request).await.map_err(|error| error.to_string())?;
    if let Some(problem) = answer.problems.iter().find(|problem| problem.is_error()) {
        return Err(problem.summary.clone());
    }
    if answer.new.is_null() {
        return Ok(None);
    }
    let json = value::json::encode_string(&answer.new, &schema.block.ty())
        .map_err(|error| error.to_string())?;
    Ok(Some(Object {
        schema_version: schema.version,
        attributes_json: json.into(),
        private: answer.private.as_bytes().to_vec(),
        identity: identities
            .zip(answer.identity.as_ref())
            .and_then(|(by, one)| Identity::of(by.version, one)),
        ..object.clone()
    }))
}

/// The stored identity of an object, if it is in the form of the current schema.
fn known_identity(schema: &IdentitySchema, object: &Object) -> Option<Value> {
    let stored = object.identity.as_ref().filter(|one| one.version == schema.version)?;
    value::json::decode_str(&stored.json, &schema.ty()).ok()
}
