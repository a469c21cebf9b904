//! What a state store keeps: one record per resource instance, outputs and placement decisions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use address::{AbsResource, AttributePath, ProviderConfig, ResourceInstance};

use value::Value;

use crate::error::StateError;

/// All that is known of one resource instance.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose record it is.
    pub address: ResourceInstance,
    /// The provider configuration that manages the objects.
    pub provider: ProviderConfig,
    /// The object that the address stands for; `None` when only deposed ones are left.
    pub current: Option<Object>,
    /// Objects that a replacement has left behind and that still have to be deleted.
    pub deposed: BTreeMap<DeposedKey, Object>,
}

impl Record {
    /// A record with a current object and nothing deposed.
    pub fn new(address: ResourceInstance, provider: ProviderConfig, current: Object) -> Self {
        Self { address, provider, current: Some(current), deposed: BTreeMap::new() }
    }

    /// True when no object is left, so that the record should be deleted.
    pub fn is_empty(&self) -> bool {
        self.current.is_none() && self.deposed.is_empty()
    }
}

/// Shows no attribute: any of them may be sensitive.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("address", &format_args!("{}", self.address))
            .field("provider", &format_args!("{}", self.provider))
            .field("current", &self.current)
            .field("deposed", &self.deposed)
            .finish()
    }
}

/// One real object, as its provider last described it.
#[derive(Clone, PartialEq, Eq)]
pub struct Object {
    /// The version of the resource type's schema that wrote the attributes.
    pub schema_version: u64,
    /// Whether the object may stay.
    pub status: ObjectStatus,
    /// The attributes as JSON text: an object, in Terraform's encoding of values.
    pub attributes_json: Arc<str>,
    /// What the provider keeps for itself; opaque.
    pub private: Vec<u8>,
    /// What the object was created from; it has to be deleted before these are.
    pub dependencies: Vec<Dependency>,
    /// Whether a replacement is created before this object is deleted.
    pub create_before_destroy: bool,
    /// Where in the attributes sensitive values stand, beyond what the schema says.
    pub sensitive_paths: Vec<AttributePath>,
    /// The arguments and blocks that its configuration set; empty where nobody knows.
    pub configured: Vec<Arc<str>>,
    /// What tells the object from all others at its backend, for types that have identities.
    pub identity: Option<Identity>,
}

/// A stored identity. No part of one is sensitive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The version of the identity's schema that wrote it.
    pub version: u64,
    /// An object, in Terraform's encoding of values.
    pub json: Arc<str>,
}

impl Identity {
    /// An identity by a version of its schema, as it is stored; `None` if it is not wholly known.
    pub fn of(version: u64, identity: &Value) -> Option<Self> {
        let json = || value::json::to_string(identity).into();
        identity.is_wholly_known().then(|| Self { version, json: json() })
    }
}

impl Object {
    /// A sound object with these attributes and nothing else to say about it.
    pub fn new(schema_version: u64, attributes_json: impl Into<Arc<str>>) -> Self {
        Self {
            schema_version,
            status: ObjectStatus::Ready,
            attributes_json: attributes_json.into(),
            private: Vec::new(),
            dependencies: Vec::new(),
            create_before_destroy: false,
            sensitive_paths: Vec::new(),
            configured: Vec::new(),
            identity: None,
        }
    }
}

/// Shows no attribute: any of them may be sensitive.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("schema_version", &self.schema_version)
            .field("status", &self.status)
            .field("attributes_bytes", &self.attributes_json.len())
            .field("dependencies", &self.dependencies)
            .finish_non_exhaustive()
    }
}

/// Whether an object may stay as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectStatus {
    /// It may.
    #[default]
    Ready,
    /// It was left half-made, or a person asked for a new one: it is replaced by the next apply.
    Tainted,
}

/// Something that an object was created from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dependency {
    /// One instance.
    Instance(ResourceInstance),
    /// A whole block, with all its instances.
    Block(AbsResource),
}

impl Dependency {
    /// The block that is depended upon, or whose instance is.
    pub fn block(&self) -> AbsResource {
        match self {
            Self::Instance(instance) => instance.block(),
            Self::Block(block) => block.clone(),
        }
    }
}

/// Tells the deposed objects of one instance apart: eight hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeposedKey(Arc<str>);

impl DeposedKey {
    /// The key that is made from a number, such as an operation's sequence.
    pub fn from_number(number: u32) -> Self {
        Self(format!("{number:08x}").into())
    }

    /// The eight digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeposedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DeposedKey {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 8 && text.bytes().all(is_digit) {
            Ok(Self(text.into()))
        } else {
            Err(StateError::DeposedKey { text: text.into() })
        }
    }
}

/// The value of an output of the root module, as the last apply left it.
#[derive(Clone, PartialEq, Eq)]
pub struct OutputRecord {
    /// The value as JSON text.
    pub value_json: Arc<str>,
    /// Its type as JSON text, in Terraform's encoding of types.
    pub type_json: Arc<str>,
    /// Whether it may not be printed.
    pub sensitive: bool,
}

impl OutputRecord {
    /// The value, without a mark; `None` if the texts are no value.
    pub fn value(&self) -> Option<Value> {
        let ty = value::json::parse(&self.type_json).ok()?;
        let ty = value::json::type_from_json(&ty).ok()?;
        value::json::decode_str(&self.value_json, &ty).ok()
    }
}

/// Shows no value: it may be sensitive.
impl fmt::Debug for OutputRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputRecord")
            .field("type_json", &self.type_json)
            .field("sensitive", &self.sensitive)
            .finish_non_exhaustive()
    }
}

/// Where a component was placed, and why. Opaque here; the component stage writes and reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    /// The module instance that the component expands into.
    pub component: String,
    /// The decision as JSON text.
    pub json: Arc<str>,
}
