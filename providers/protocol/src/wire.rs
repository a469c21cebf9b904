//! The messages of tfplugin 5 and 6 and of go-plugin's own services, as they stand on the wire.
//!
//! Both versions share their messages; where they differ, the field carries both numbers or the difference is
//! handled where the message is built. Attributes of schemas have other numbers in each, so that a block keeps
//! them as bytes until the version says how to read them. Schemas stay bytes, too: of a provider with a thousand
//! types only those in use are ever decoded.
//!
//! Source: the published protocol definitions, versions 5.9 and 6.9.

use std::collections::BTreeMap;

use prost::Message;

pub(crate) mod plugin;

/// A value, in one of two encodings.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct DynamicValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) msgpack: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) json: Vec<u8>,
}

/// A message without fields.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Diagnostic {
    #[prost(int32, tag = "1")]
    pub(crate) severity: i32,
    /// Bytes, since a provider may send what is not UTF-8; the fault is then its text alone.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) summary: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) detail: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    pub(crate) attribute: Option<AttributePath>,
}

/// The severity of an error.
pub(crate) const ERROR: i32 = 1;
/// The severity of a warning.
pub(crate) const WARNING: i32 = 2;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttributePath {
    #[prost(message, repeated, tag = "1")]
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Step {
    #[prost(oneof = "Selector", tags = "1, 2, 3")]
    pub(crate) selector: Option<Selector>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Selector {
    #[prost(string, tag = "1")]
    Attribute(String),
    #[prost(string, tag = "2")]
    Key(String),
    #[prost(int64, tag = "3")]
    Index(i64),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FunctionError {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
    #[prost(int64, optional, tag = "2")]
    pub(crate) argument: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct RawState {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) json: Vec<u8>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(crate) flatmap: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Schema {
    #[prost(int64, tag = "1")]
    pub(crate) version: i64,
    #[prost(message, optional, tag = "2")]
    pub(crate) block: Option<Block>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Block {
    #[prost(int64, tag = "1")]
    pub(crate) version: i64,
    /// Each an [`AttributeV5`] or [`AttributeV6`].
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(crate) attributes: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) block_types: Vec<NestedBlock>,
    #[prost(string, tag = "4")]
    pub(crate) description: String,
    #[prost(int32, tag = "5")]
    pub(crate) description_kind: i32,
    #[prost(bool, tag = "6")]
    pub(crate) deprecated: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NestedBlock {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) block: Option<Block>,
    #[prost(int32, tag = "3")]
    pub(crate) nesting: i32,
    #[prost(int64, tag = "4")]
    pub(crate) min_items: i64,
    #[prost(int64, tag = "5")]
    pub(crate) max_items: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttributeV5 {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) ty: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) description: String,
    #[prost(bool, tag = "4")]
    pub(crate) required: bool,
    #[prost(bool, tag = "5")]
    pub(crate) optional: bool,
    #[prost(bool, tag = "6")]
    pub(crate) computed: bool,
    #[prost(bool, tag = "7")]
    pub(crate) sensitive: bool,
    #[prost(int32, tag = "8")]
    pub(crate) description_kind: i32,
    #[prost(bool, tag = "9")]
    pub(crate) deprecated: bool,
    #[prost(bool, tag = "10")]
    pub(crate) write_only: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttributeV6 {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) ty: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) description: String,
    #[prost(bool, tag = "4")]
    pub(crate) required: bool,
    #[prost(bool, tag = "5")]
    pub(crate) optional: bool,
    #[prost(bool, tag = "6")]
    pub(crate) computed: bool,
    #[prost(bool, tag = "7")]
    pub(crate) sensitive: bool,
    #[prost(int32, tag = "8")]
    pub(crate) description_kind: i32,
    #[prost(bool, tag = "9")]
    pub(crate) deprecated: bool,
    #[prost(message, optional, tag = "10")]
    pub(crate) nested: Option<NestedObject>,
    #[prost(bool, tag = "11")]
    pub(crate) write_only: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NestedObject {
    #[prost(message, repeated, tag = "1")]
    pub(crate) attributes: Vec<AttributeV6>,
    #[prost(int32, tag = "3")]
    pub(crate) nesting: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Function {
    #[prost(message, repeated, tag = "1")]
    pub(crate) parameters: Vec<Parameter>,
    #[prost(message, optional, tag = "2")]
    pub(crate) variadic: Option<Parameter>,
    #[prost(message, optional, tag = "3")]
    pub(crate) result: Option<Return>,
    #[prost(string, tag = "4")]
    pub(crate) summary: String,
    #[prost(string, tag = "5")]
    pub(crate) description: String,
    #[prost(int32, tag = "6")]
    pub(crate) description_kind: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Parameter {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) ty: Vec<u8>,
    #[prost(bool, tag = "3")]
    pub(crate) allow_null: bool,
    #[prost(bool, tag = "4")]
    pub(crate) allow_unknown: bool,
    #[prost(string, tag = "5")]
    pub(crate) description: String,
    #[prost(int32, tag = "6")]
    pub(crate) description_kind: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Return {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) ty: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ServerCapabilities {
    #[prost(bool, tag = "1")]
    pub(crate) plan_destroy: bool,
    #[prost(bool, tag = "2")]
    pub(crate) schema_optional: bool,
    #[prost(bool, tag = "3")]
    pub(crate) move_state: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ClientCapabilities {
    #[prost(bool, tag = "1")]
    pub(crate) deferral_allowed: bool,
    #[prost(bool, tag = "2")]
    pub(crate) write_only_allowed: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Deferred {
    #[prost(int32, tag = "1")]
    pub(crate) reason: i32,
}

/// Everything that a provider offers; each schema still as bytes.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProviderSchema {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(crate) provider: Option<Vec<u8>>,
    #[prost(btree_map = "string, bytes", tag = "2")]
    pub(crate) resources: BTreeMap<String, Vec<u8>>,
    #[prost(btree_map = "string, bytes", tag = "3")]
    pub(crate) data_sources: BTreeMap<String, Vec<u8>>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(crate) provider_meta: Option<Vec<u8>>,
    #[prost(message, optional, tag = "6")]
    pub(crate) capabilities: Option<ServerCapabilities>,
    #[prost(btree_map = "string, message", tag = "7")]
    pub(crate) functions: BTreeMap<String, Function>,
    #[prost(btree_map = "string, bytes", tag = "8")]
    pub(crate) ephemerals: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TypeName {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub(crate) capabilities: Option<ServerCapabilities>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) data_sources: Vec<TypeName>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) resources: Vec<TypeName>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) functions: Vec<TypeName>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) ephemerals: Vec<TypeName>,
}

/// Declares a message in one line a field.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty = [$($spec:tt)*],)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Message)]
            pub(crate) struct $name {
                $($(#[$field_doc])* #[prost($($spec)*)] pub(crate) $field: $ty,)*
            }
        )*
    };
}

messages! {
    /// The configuration of a provider, to be checked.
    ValidateProvider { config: Option<DynamicValue> = [message, optional, tag = "1"], }
    ValidateProviderAnswer {
        /// Version 5 alone; nobody reads it.
        prepared: Option<DynamicValue> = [message, optional, tag = "1"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "2"],
    }
    /// The configuration of a resource, data source or ephemeral resource, to be checked.
    Validate {
        type_name: String = [string, tag = "1"],
        config: Option<DynamicValue> = [message, optional, tag = "2"],
        /// Of managed resources alone.
        capabilities: Option<ClientCapabilities> = [message, optional, tag = "3"],
    }
    /// An answer that is complaints alone.
    Diagnostics { diagnostics: Vec<Diagnostic> = [message, repeated, tag = "1"], }
    Upgrade {
        type_name: String = [string, tag = "1"],
        version: i64 = [int64, tag = "2"],
        raw_state: Option<RawState> = [message, optional, tag = "3"],
    }
    UpgradeAnswer {
        state: Option<DynamicValue> = [message, optional, tag = "1"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "2"],
    }
    Configure {
        terraform_version: String = [string, tag = "1"],
        config: Option<DynamicValue> = [message, optional, tag = "2"],
        capabilities: Option<ClientCapabilities> = [message, optional, tag = "3"],
    }
    Read {
        type_name: String = [string, tag = "1"],
        current: Option<DynamicValue> = [message, optional, tag = "2"],
        private: Vec<u8> = [bytes = "vec", tag = "3"],
        provider_meta: Option<DynamicValue> = [message, optional, tag = "4"],
        capabilities: Option<ClientCapabilities> = [message, optional, tag = "5"],
        identity: Option<Identity> = [message, optional, tag = "6"],
    }
    ReadAnswer {
        new: Option<DynamicValue> = [message, optional, tag = "1"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "2"],
        private: Vec<u8> = [bytes = "vec", tag = "3"],
        deferred: Option<Deferred> = [message, optional, tag = "4"],
        identity: Option<Identity> = [message, optional, tag = "5"],
    }
    Plan {
        type_name: String = [string, tag = "1"],
        prior: Option<DynamicValue> = [message, optional, tag = "2"],
        proposed: Option<DynamicValue> = [message, optional, tag = "3"],
        config: Option<DynamicValue> = [message, optional, tag = "4"],
        prior_private: Vec<u8> = [bytes = "vec", tag = "5"],
        provider_meta: Option<DynamicValue> = [message, optional, tag = "6"],
        capabilities: Option<ClientCapabilities> = [message, optional, tag = "7"],
        prior_identity: Option<Identity> = [message, optional, tag = "8"],
    }
    PlanAnswer {
        planned: Option<DynamicValue> = [message, optional, tag = "1"],
        requires_replace: Vec<AttributePath> = [message, repeated, tag = "2"],
        planned_private: Vec<u8> = [bytes = "vec", tag = "3"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "4"],
        legacy_types: bool = [bool, tag = "5"],
        deferred: Option<Deferred> = [message, optional, tag = "6"],
        planned_identity: Option<Identity> = [message, optional, tag = "7"],
    }
    Apply {
        type_name: String = [string, tag = "1"],
        prior: Option<DynamicValue> = [message, optional, tag = "2"],
        planned: Option<DynamicValue> = [message, optional, tag = "3"],
        config: Option<DynamicValue> = [message, optional, tag = "4"],
        planned_private: Vec<u8> = [bytes = "vec", tag = "5"],
        provider_meta: Option<DynamicValue> = [message, optional, tag = "6"],
        planned_identity: Option<Identity> = [message, optional, tag = "7"],
    }
    ApplyAnswer {
        new: Option<DynamicValue> = [message, optional, tag = "1"],
        private: Vec<u8> = [bytes = "vec", tag = "2"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "3"],
        legacy_types: bool = [bool, tag = "4"],
        identity: Option<Identity> = [message, optional, tag = "5"],
    }
    Import {
        type_name: String = [string, tag = "1"],
        id: String = [string, tag = "2"],
        capabilities: Option<ClientCapabilities> = [message, optional, tag = "3"],
        identity: Option<Identity> = [message, optional, tag = "4"],
    }
    ImportAnswer {
        imported: Vec<Imported> = [message, repeated, tag = "1"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "2"],
        deferred: Option<Deferred> = [message, optional, tag = "3"],
    }
    Imported {
        type_name: String = [string, tag = "1"],
        state: Option<DynamicValue> = [message, optional, tag = "2"],
        private: Vec<u8> = [bytes = "vec", tag = "3"],
        identity: Option<Identity> = [message, optional, tag = "4"],
    }
    /// What tells an object from all others.
    Identity { data: Option<DynamicValue> = [message, optional, tag = "1"], }
    IdentitySchema {
        version: i64 = [int64, tag = "1"],
        attributes: Vec<IdentityAttribute> = [message, repeated, tag = "2"],
    }
    IdentityAttribute {
        name: String = [string, tag = "1"],
        ty: Vec<u8> = [bytes = "vec", tag = "2"],
        required_for_import: bool = [bool, tag = "3"],
        optional_for_import: bool = [bool, tag = "4"],
        description: String = [string, tag = "5"],
    }
    IdentitySchemas {
        schemas: BTreeMap<String, IdentitySchema> = [btree_map = "string, message", tag = "1"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "2"],
    }
    UpgradeIdentity {
        type_name: String = [string, tag = "1"],
        version: i64 = [int64, tag = "2"],
        raw: Option<RawState> = [message, optional, tag = "3"],
    }
    UpgradeIdentityAnswer {
        identity: Option<Identity> = [message, optional, tag = "1"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "2"],
    }
    /// What is kept of a provider between runs: no message of the protocol.
    Cached {
        schemas: Vec<u8> = [bytes = "vec", tag = "1"],
        identities: Vec<u8> = [bytes = "vec", tag = "2"],
    }
    Move {
        source_provider: String = [string, tag = "1"],
        source_type: String = [string, tag = "2"],
        source_version: i64 = [int64, tag = "3"],
        source_state: Option<RawState> = [message, optional, tag = "4"],
        target_type: String = [string, tag = "5"],
        source_private: Vec<u8> = [bytes = "vec", tag = "6"],
        source_identity: Option<RawState> = [message, optional, tag = "7"],
        source_identity_version: i64 = [int64, tag = "8"],
    }
    MoveAnswer {
        state: Option<DynamicValue> = [message, optional, tag = "1"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "2"],
        private: Vec<u8> = [bytes = "vec", tag = "3"],
        identity: Option<Identity> = [message, optional, tag = "4"],
    }
    ReadData {
        type_name: String = [string, tag = "1"],
        config: Option<DynamicValue> = [message, optional, tag = "2"],
        provider_meta: Option<DynamicValue> = [message, optional, tag = "3"],
        capabilities: Option<ClientCapabilities> = [message, optional, tag = "4"],
    }
    ReadDataAnswer {
        state: Option<DynamicValue> = [message, optional, tag = "1"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "2"],
        deferred: Option<Deferred> = [message, optional, tag = "3"],
    }
    Timestamp {
        seconds: i64 = [int64, tag = "1"],
        nanos: i32 = [int32, tag = "2"],
    }
    OpenAnswer {
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "1"],
        renew_at: Option<Timestamp> = [message, optional, tag = "2"],
        result: Option<DynamicValue> = [message, optional, tag = "3"],
        private: Option<Vec<u8>> = [bytes = "vec", optional, tag = "4"],
        deferred: Option<Deferred> = [message, optional, tag = "5"],
    }
    /// An open ephemeral object, to be renewed or closed.
    Ephemeral {
        type_name: String = [string, tag = "1"],
        private: Option<Vec<u8>> = [bytes = "vec", optional, tag = "2"],
    }
    RenewAnswer {
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "1"],
        renew_at: Option<Timestamp> = [message, optional, tag = "2"],
        private: Option<Vec<u8>> = [bytes = "vec", optional, tag = "3"],
    }
    Functions {
        functions: BTreeMap<String, Function> = [btree_map = "string, message", tag = "1"],
        diagnostics: Vec<Diagnostic> = [message, repeated, tag = "2"],
    }
    CallFunction {
        name: String = [string, tag = "1"],
        arguments: Vec<DynamicValue> = [message, repeated, tag = "2"],
    }
    CallFunctionAnswer {
        result: Option<DynamicValue> = [message, optional, tag = "1"],
        error: Option<FunctionError> = [message, optional, tag = "2"],
    }
    StopAnswer { error: String = [string, tag = "1"], }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_of_newer_peers_are_passed_over() {
        #[derive(Clone, PartialEq, Message)]
        struct Newer {
            #[prost(bool, tag = "5")]
            legacy: bool,
            #[prost(string, tag = "99")]
            news: String,
        }
        let bytes = Newer { legacy: true, news: "x".to_owned() }.encode_to_vec();
        assert!(PlanAnswer::decode(&*bytes).expect("old fields can be read").legacy_types);
    }

    #[test]
    fn text_that_is_not_utf8_does_not_hide_a_diagnostic() {
        let sent = Diagnostic {
            severity: ERROR,
            summary: vec![b'n', 0xff],
            detail: Vec::new(),
            attribute: None,
        };
        let read = Diagnostic::decode(&*sent.encode_to_vec()).expect("a diagnostic");
        assert_eq!(String::from_utf8_lossy(&read.summary), "n\u{fffd}");
    }
}
