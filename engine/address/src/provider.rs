//! Providers and their configurations.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::AddressError;
use crate::module::ModulePath;

/// The host of providers and modules whose source address names none.
pub const DEFAULT_HOST: &str = "registry.terraform.io";
/// The namespace of providers whose source address names none.
pub const DEFAULT_NAMESPACE: &str = "hashicorp";

/// What backends sell is built in, as `terraform_data` is.
const OFFERS: &str = "offers";

/// The source address of a provider: `registry.terraform.io/hashicorp/aws`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderAddress {
    /// Where it is published.
    pub host: Arc<str>,
    /// Who publishes it.
    pub namespace: Arc<str>,
    /// What it is called: the usual local name.
    pub type_name: Arc<str>,
}

impl ProviderAddress {
    /// The provider that a local name implies where nothing else is declared.
    pub fn implied(local_name: &str) -> Self {
        if local_name == "terraform" {
            return Self::builtin();
        }
        if local_name == OFFERS {
            return Self {
                host: DEFAULT_HOST.into(),
                namespace: "stratiform".into(),
                type_name: OFFERS.into(),
            };
        }
        Self {
            host: DEFAULT_HOST.into(),
            namespace: DEFAULT_NAMESPACE.into(),
            type_name: local_name.into(),
        }
    }

    /// The provider of `terraform_data`, which every engine has built in.
    pub fn builtin() -> Self {
        Self {
            host: "terraform.io".into(),
            namespace: "builtin".into(),
            type_name: "terraform".into(),
        }
    }

    /// The address as people write it: without the default host, and without the default
    /// namespace then.
    pub fn short_name(&self) -> String {
        match (&*self.host, &*self.namespace) {
            (DEFAULT_HOST, namespace) => format!("{namespace}/{}", self.type_name),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for ProviderAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.type_name)
    }
}

impl FromStr for ProviderAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let parts: Vec<&str> = text.split('/').collect();
        let (host, namespace, type_name) = match parts[..] {
            [type_name] => (DEFAULT_HOST, DEFAULT_NAMESPACE, type_name),
            [namespace, type_name] => (DEFAULT_HOST, namespace, type_name),
            [host, namespace, type_name] => (host, namespace, type_name),
            _ => return Err(AddressError::Provider { text: text.into() }),
        };
        let is_part = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
        };
        if ![host, namespace, type_name].into_iter().all(is_part) {
            return Err(AddressError::Provider { text: text.into() });
        }
        Ok(Self {
            host: host.to_lowercase().into(),
            namespace: namespace.to_lowercase().into(),
            type_name: type_name.to_lowercase().into(),
        })
    }
}

/// One configuration of a provider: the default one of a module, or one with an alias.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderConfig {
    /// The module that holds the `provider` block.
    pub module: ModulePath,
    /// The provider that it configures.
    pub provider: ProviderAddress,
    /// The alias, where the block has one.
    pub alias: Option<Arc<str>>,
}

impl fmt::Display for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider[\"{}\"]", self.provider)?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}

impl FromStr for ProviderConfig {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError::Provider { text: text.into() };
        let at = text.find("provider[\"").ok_or_else(wrong)?;
        let (module, rest) = text.split_at(at);
        let module = match module.strip_suffix('.') {
            Some(module) => module.parse()?,
            None if module.is_empty() => ModulePath::root(),
            None => return Err(wrong()),
        };
        let rest = rest.strip_prefix("provider[\"").ok_or_else(wrong)?;
        let (provider, rest) = rest.split_once("\"]").ok_or_else(wrong)?;
        let alias = match rest.strip_prefix('.') {
            Some(alias) if !alias.is_empty() => Some(alias.into()),
            None if rest.is_empty() => None,
            _ => return Err(wrong()),
        };
        Ok(Self { module, provider: provider.parse()?, alias })
    }
}
