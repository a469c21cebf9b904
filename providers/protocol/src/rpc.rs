//! The calls of the protocol by name, and messages as bytes on a gRPC connection.

use bytes::{Buf, BufMut, Bytes};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Schemas of big providers are megabytes, and states may be too.
pub(crate) const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// tfplugin5: attributes have no attributes of their own.
    V5,
    /// tfplugin6
    V6,
}

impl Version {
    /// The version of this number.
    pub fn from_number(number: u64) -> Option<Self> {
        match number {
            5 => Some(Self::V5),
            6 => Some(Self::V6),
            _ => None,
        }
    }

    /// Its number.
    pub fn number(self) -> u64 {
        match self {
            Self::V5 => 5,
            Self::V6 => 6,
        }
    }
}

macro_rules! methods {
    ($($name:ident = $v6:literal, $v5:literal, $words:literal;)*) => {
        /// A call of the provider service.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Method { $($name,)* }

        impl Method {
            /// Every call.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// The path of the call on the wire.
            pub(crate) fn path(self, version: Version) -> &'static str {
                match (self, version) {
                    $((Self::$name, Version::V6) => concat!("/tfplugin6.Provider/", $v6),
                      (Self::$name, Version::V5) => concat!("/tfplugin5.Provider/", $v5),)*
                }
            }

            /// The call's name, the same for both versions.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => $v6,)* }
            }

            /// What a provider lacks that does not know the call.
            pub(crate) fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }
        }
    };
}

methods! {
    GetMetadata = "GetMetadata", "GetMetadata", "listing its types";
    GetSchema = "GetProviderSchema", "GetSchema", "schemas";
    ValidateProvider = "ValidateProviderConfig", "PrepareProviderConfig", "checking its settings";
    ValidateResource = "ValidateResourceConfig", "ValidateResourceTypeConfig", "checking resources";
    ValidateData = "ValidateDataResourceConfig", "ValidateDataSourceConfig", "checking data sources";
    ValidateEphemeral = "ValidateEphemeralResourceConfig", "ValidateEphemeralResourceConfig", "ephemeral resources";
    GetIdentities = "GetResourceIdentitySchemas", "GetResourceIdentitySchemas", "identities";
    UpgradeIdentity = "UpgradeResourceIdentity", "UpgradeResourceIdentity", "stored identities";
    Upgrade = "UpgradeResourceState", "UpgradeResourceState", "stored objects";
    Configure = "ConfigureProvider", "Configure", "settings";
    Read = "ReadResource", "ReadResource", "reading resources";
    Plan = "PlanResourceChange", "PlanResourceChange", "planning";
    Apply = "ApplyResourceChange", "ApplyResourceChange", "changing resources";
    Import = "ImportResourceState", "ImportResourceState", "import";
    Move = "MoveResourceState", "MoveResourceState", "taking over objects of other types";
    ReadData = "ReadDataSource", "ReadDataSource", "data sources";
    Open = "OpenEphemeralResource", "OpenEphemeralResource", "ephemeral resources";
    Renew = "RenewEphemeralResource", "RenewEphemeralResource", "renewing ephemeral resources";
    Close = "CloseEphemeralResource", "CloseEphemeralResource", "closing ephemeral resources";
    GetFunctions = "GetFunctions", "GetFunctions", "functions";
    CallFunction = "CallFunction", "CallFunction", "functions";
    Stop = "StopProvider", "Stop", "being stopped";
}

impl Method {
    /// The call behind a path, with its version.
    pub(crate) fn from_path(path: &str) -> Option<(Self, Version)> {
        [Version::V6, Version::V5].into_iter().find_map(|version| {
            let found = Self::ALL.iter().find(|method| method.path(version) == path)?;
            Some((*found, version))
        })
    }
}

/// Messages as they are, so that one place decodes them and another may write them down.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
