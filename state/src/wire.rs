//! How entries look on disk: JSON with short field names. These types are only here; nothing else derives
//! a serial form.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::journal::{Intent, IntentAction};
use crate::record::{Dependency, DeposedKey, Identity, Object, ObjectStatus, OutputRecord, Record};
use crate::store::{ChangeKind, ChangeSummary, OperationId, OperationInfo, OperationOutcome};

#[derive(Serialize, Deserialize)]
pub(crate) struct WireObject {
    v: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tainted: bool,
    attributes: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    private: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    instances: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    blocks: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cbd: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sensitive: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    set: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<(u64, String)>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireRecord {
    address: String,
    provider: String,
    current: Option<WireObject>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deposed: Vec<(String, WireObject)>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireOutput {
    value: String,
    ty: String,
    sensitive: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireIntent {
    operation: u64,
    address: String,
    provider: String,
    action: String,
    deposed: Option<String>,
    token: String,
    prior: Option<String>,
    planned: String,
    private: String,
    time: u64,
    schema_version: u64,
    instances: Vec<String>,
    blocks: Vec<String>,
    cbd: bool,
    sensitive: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireOperation {
    command: String,
    who: String,
    time: u64,
    summary: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    plan: String,
    outcome: Option<(String, String)>,
}

type Read<T> = Result<T, String>;

pub(crate) fn to_bytes<T: Serialize>(wire: &T) -> Vec<u8> {
    serde_json::to_vec(wire).expect("the wire types hold only what JSON can write")
}

pub(crate) fn from_bytes<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Read<T> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn parse<T: std::str::FromStr>(text: &str) -> Read<T> {
    text.parse().map_err(|_| format!("`{text}` is no address"))
}

fn all<T: std::str::FromStr>(texts: &[String]) -> Read<Vec<T>> {
    texts.iter().map(|text| parse(text)).collect()
}

fn split(dependencies: &[Dependency]) -> (Vec<String>, Vec<String>) {
    let (mut instances, mut blocks) = (Vec::new(), Vec::new());
    for dependency in dependencies {
        match dependency {
            Dependency::Instance(instance) => instances.push(instance.to_string()),
            Dependency::Block(block) => blocks.push(block.to_string()),
        }
    }
    (instances, blocks)
}

fn joined(instances: &[String], blocks: &[String]) -> Read<Vec<Dependency>> {
    let instances = instances.iter().map(|text| parse(text).map(Dependency::Instance));
    instances.chain(blocks.iter().map(|text| parse(text).map(Dependency::Block))).collect()
}

fn bytes(text: &str) -> Read<Vec<u8>> {
    STANDARD.decode(text).map_err(|_| "private data is not base 64".to_owned())
}

impl WireObject {
    fn new(object: &Object) -> Self {
        let (instances, blocks) = split(&object.dependencies);
        Self {
            v: object.schema_version,
            tainted: object.status == ObjectStatus::Tainted,
            attributes: object.attributes_json.to_string(),
            private: STANDARD.encode(&object.private),
            instances,
            blocks,
            cbd: object.create_before_destroy,
            sensitive: object.sensitive_paths.iter().map(ToString::to_string).collect(),
            set: object.configured.iter().map(ToString::to_string).collect(),
            identity: object.identity.as_ref().map(|one| (one.version, one.json.to_string())),
        }
    }

    fn read(self) -> Read<Object> {
        Ok(Object {
            schema_version: self.v,
            status: if self.tainted { ObjectStatus::Tainted } else { ObjectStatus::Ready },
            attributes_json: self.attributes.into(),
            private: bytes(&self.private)?,
            dependencies: joined(&self.instances, &self.blocks)?,
            create_before_destroy: self.cbd,
            sensitive_paths: all(&self.sensitive)?,
            configured: self.set.into_iter().map(Arc::from).collect(),
            identity: self.identity.map(|(version, json)| Identity { version, json: json.into() }),
        })
    }
}

impl Object {
    /// The object as text, as it lies in a store; sensitive values included.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&to_bytes(&WireObject::new(self))).into_owned()
    }

    /// Reads what [`Self::to_text`] has written; `None` if it is something else.
    pub fn from_text(text: &str) -> Option<Self> {
        from_bytes::<WireObject>(text.as_bytes()).ok()?.read().ok()
    }
}

impl Record {
    /// Tells whether a record is still what it was: SHA-256 of all that is in it, in hexadecimal digits.
    pub fn digest(&self) -> String {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(to_bytes(&WireRecord::new(self)));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl WireRecord {
    pub(crate) fn new(record: &Record) -> Self {
        Self {
            address: record.address.to_string(),
            provider: record.provider.to_string(),
            current: record.current.as_ref().map(WireObject::new),
            deposed: record
                .deposed
                .iter()
                .map(|(key, object)| (key.to_string(), WireObject::new(object)))
                .collect(),
        }
    }

    pub(crate) fn read(self) -> Read<Record> {
        let deposed = self.deposed.into_iter().map(|(key, object)| {
            let key: DeposedKey = key.parse().map_err(|_| format!("`{key}` is no deposed key"))?;
            Ok((key, object.read()?))
        });
        Ok(Record {
            address: parse(&self.address)?,
            provider: parse(&self.provider)?,
            deposed: deposed.collect::<Read<_>>()?,
            current: self.current.map(WireObject::read).transpose()?,
        })
    }
}

impl WireOutput {
    pub(crate) fn new(output: &OutputRecord) -> Self {
        Self {
            value: output.value_json.to_string(),
            ty: output.type_json.to_string(),
            sensitive: output.sensitive,
        }
    }

    pub(crate) fn read(self) -> OutputRecord {
        OutputRecord {
            value_json: self.value.into(),
            type_json: self.ty.into(),
            sensitive: self.sensitive,
        }
    }
}

impl WireIntent {
    pub(crate) fn new(intent: &Intent) -> Self {
        let (action, deposed) = match &intent.action {
            IntentAction::Create => ("create", None),
            IntentAction::Update => ("update", None),
            IntentAction::Delete => ("delete", None),
            IntentAction::DeleteDeposed(key) => ("delete", Some(key.to_string())),
        };
        let (instances, blocks) = split(&intent.dependencies);
        Self {
            operation: intent.operation.0,
            address: intent.address.to_string(),
            provider: intent.provider.to_string(),
            action: action.to_owned(),
            deposed,
            token: intent.token.clone(),
            prior: intent.prior_json.as_deref().map(str::to_owned),
            planned: intent.planned_json.to_string(),
            private: STANDARD.encode(&intent.private),
            time: intent.time_unix_ms,
            schema_version: intent.schema_version,
            instances,
            blocks,
            cbd: intent.create_before_destroy,
            sensitive: intent.sensitive_paths.iter().map(ToString::to_string).collect(),
        }
    }

    pub(crate) fn read(self) -> Read<Intent> {
        let action = match (self.action.as_str(), self.deposed) {
            ("create", None) => IntentAction::Create,
            ("update", None) => IntentAction::Update,
            ("delete", None) => IntentAction::Delete,
            ("delete", Some(key)) => IntentAction::DeleteDeposed(
                key.parse().map_err(|_| format!("`{key}` is no deposed key"))?,
            ),
            (other, _) => return Err(format!("`{other}` is no action")),
        };
        Ok(Intent {
            operation: OperationId(self.operation),
            address: parse(&self.address)?,
            provider: parse(&self.provider)?,
            action,
            token: self.token,
            prior_json: self.prior.map(Arc::from),
            planned_json: self.planned.into(),
            private: bytes(&self.private)?,
            time_unix_ms: self.time,
            schema_version: self.schema_version,
            dependencies: joined(&self.instances, &self.blocks)?,
            create_before_destroy: self.cbd,
            sensitive_paths: all(&self.sensitive)?,
        })
    }
}

impl WireOperation {
    pub(crate) fn new(info: &OperationInfo, outcome: Option<&OperationOutcome>) -> Self {
        let outcome = outcome.map(|outcome| match outcome {
            OperationOutcome::Done => ("done".to_owned(), String::new()),
            OperationOutcome::Failed { message } => ("failed".to_owned(), message.clone()),
            OperationOutcome::Interrupted => ("interrupted".to_owned(), String::new()),
        });
        Self {
            command: info.command.clone(),
            who: info.who.clone(),
            time: info.time_unix_ms,
            summary: info.summary.clone(),
            plan: info.plan.clone(),
            outcome,
        }
    }

    pub(crate) fn read(self) -> (OperationInfo, Option<OperationOutcome>) {
        let outcome = self.outcome.map(|(kind, message)| match kind.as_str() {
            "done" => OperationOutcome::Done,
            "interrupted" => OperationOutcome::Interrupted,
            _ => OperationOutcome::Failed { message },
        });
        let info = OperationInfo {
            command: self.command,
            who: self.who,
            time_unix_ms: self.time,
            summary: self.summary,
            plan: self.plan,
        };
        (info, outcome)
    }
}

pub(crate) fn summaries_to_bytes(summaries: &[&ChangeSummary]) -> Vec<u8> {
    let rows: Vec<(&str, &str)> = summaries
        .iter()
        .map(|summary| {
            let kind = match summary.kind {
                ChangeKind::Added => "added",
                ChangeKind::TakenIn => "taken in",
                ChangeKind::Updated => "updated",
                ChangeKind::Removed => "removed",
                ChangeKind::Forgotten => "forgotten",
            };
            (kind, summary.address.as_str())
        })
        .collect();
    to_bytes(&rows)
}

pub(crate) fn summaries_from_bytes(bytes: &[u8]) -> Read<Vec<ChangeSummary>> {
    let rows: Vec<(String, String)> = from_bytes(bytes)?;
    let summary = |(kind, address): (String, String)| {
        let kind = match kind.as_str() {
            "added" => ChangeKind::Added,
            "taken in" => ChangeKind::TakenIn,
            "removed" => ChangeKind::Removed,
            "forgotten" => ChangeKind::Forgotten,
            _ => ChangeKind::Updated,
        };
        ChangeSummary { address, kind }
    };
    Ok(rows.into_iter().map(summary).collect())
}
