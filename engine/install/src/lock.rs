//! The lock file: which version of each provider is taken, and which packages count as that version.
//!
//! It is written byte for byte as Terraform writes it, so that a team may use both programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use address::ProviderAddress;
use syntax::{Attribute, Block, ExprKind, SourceMap};

use crate::constraint::Constraints;
use crate::durable;
use crate::error::InstallError;
use crate::version::Version;

/// The file's name, in the folder of the root module.
pub const FILE_NAME: &str = ".terraform.lock.hcl";

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// One entry per provider, in the order of their addresses.
    pub providers: BTreeMap<ProviderAddress, Entry>,
}

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The version that was chosen.
    pub version: Version,
    /// The constraints of all modules at that time, in canonical form; perhaps empty.
    pub constraints: String,
    /// Hashes of packages that count as this version.
    pub hashes: BTreeSet<String>,
}

impl Lock {
    /// Reads the file; an absent one is an empty one.
    ///
    /// # Errors
    ///
    /// [`InstallError::LockFile`] when it is there and makes no sense.
    pub fn read(path: &Path) -> Result<Self, InstallError> {
        match fs::read(path) {
            Ok(bytes) => Self::parse(&path.display().to_string(), &bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(InstallError::read(path, &error)),
        }
    }

    /// Reads the text of a lock file.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, InstallError> {
        let wrong = |reason: String| InstallError::LockFile { file: name.to_owned(), reason };
        let mut sources = SourceMap::new();
        let (body, found) = syntax::parse(&mut sources, name, bytes);
        if let Some(fault) = found.iter().next() {
            return Err(wrong(fault.to_string()));
        }
        let mut lock = Self::default();
        for block in &body.blocks {
            // Terraform keeps the word `module` for later; what is unknown is left alone.
            if block.kind.as_str() != "provider" {
                continue;
            }
            let (address, entry) = read_entry(block).map_err(wrong)?;
            if lock.providers.insert(address.clone(), entry).is_some() {
                return Err(wrong(format!("provider `{address}` stands there twice")));
            }
        }
        Ok(lock)
    }

    /// Writes the file, durably.
    pub fn write(&self, path: &Path) -> Result<(), InstallError> {
        durable::write_file(path, self.to_string().as_bytes())
            .map_err(|error| InstallError::write(path, &error))
    }
}

fn read_entry(block: &Block) -> Result<(ProviderAddress, Entry), String> {
    let [label] = &block.labels[..] else {
        return Err("a `provider` block has one label, its source address".to_owned());
    };
    let address: ProviderAddress =
        label.as_str().parse().map_err(|_| format!("`{label}` is not a provider address"))?;
    let text = |name: &str| match block.body.attribute(name).map(|found| &found.expr.kind) {
        None => Ok(None),
        Some(ExprKind::String(text)) => Ok(Some(text.to_string())),
        Some(_) => Err(format!("`{name}` of `{address}` is not a string")),
    };
    let version = text("version")?.ok_or_else(|| format!("`{address}` has no `version`"))?;
    let version =
        version.parse().map_err(|_| format!("`{version}` of `{address}` is not a version"))?;
    let constraints = text("constraints")?.unwrap_or_default();
    let parsed: Constraints = constraints
        .parse()
        .map_err(|_| format!("`constraints` of `{address}` cannot be read: `{constraints}`"))?;
    let hashes = block.body.attribute("hashes").map_or(Ok(BTreeSet::new()), read_hashes)?;
    Ok((address, Entry { version, constraints: parsed.to_string(), hashes }))
}

fn read_hashes(attribute: &Attribute) -> Result<BTreeSet<String>, String> {
    let ExprKind::Tuple(items) = &attribute.expr.kind else {
        return Err("`hashes` is not a list".to_owned());
    };
    let texts = items.iter().map(|item| match &item.kind {
        ExprKind::String(text) if text.contains(':') => Ok(text.to_string()),
        _ => Err("`hashes` holds something that is not a hash".to_owned()),
    });
    texts.collect()
}

impl std::fmt::Display for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "# This file is maintained automatically by \"terraform init\".\n\
             # Manual edits may be lost in future updates.\n",
        )?;
        for (address, entry) in &self.providers {
            let Entry { version, constraints, hashes } = entry;
            writeln!(f, "\nprovider \"{address}\" {{")?;
            if constraints.is_empty() {
                writeln!(f, "  version = \"{version}\"")?;
            } else {
                writeln!(f, "  version     = \"{version}\"\n  constraints = \"{constraints}\"")?;
            }
            if !hashes.is_empty() {
                writeln!(f, "  hashes = [")?;
                for hash in hashes {
                    writeln!(f, "    \"{hash}\",")?;
                }
                writeln!(f, "  ]")?;
            }
            writeln!(f, "}}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "example.com/acme/db" {
  version = "1.0.0-beta.1"
  hashes = [
    "h1:abc=",
  ]
}

provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = ">= 4.0.0, ~> 5.0, != 5.99.0"
  hashes = [
    "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=",
    "zh:00112233",
  ]
}
"#;

    #[test]
    fn a_lock_file_is_written_as_it_was_read() {
        let lock = Lock::parse("lock", FILE.as_bytes()).expect("a lock file");
        assert_eq!(lock.to_string(), FILE);
    }

    #[test]
    fn a_torn_or_foreign_file_is_refused() {
        let table = [
            (&FILE[..FILE.len() - 20], "lock file"),
            ("provider \"a/b/c/d\" {\n  version = \"1.0.0\"\n}\n", "not a provider address"),
            ("provider \"a/b\" {\n}\n", "has no `version`"),
            ("provider \"a/b\" {\n  version = \"x\"\n}\n", "is not a version"),
            ("provider \"a/b\" {\n  version = \"1.0.0\"\n  hashes = [1]\n}\n", "not a hash"),
        ];
        for (text, expected) in table {
            let error = Lock::parse("lock", text.as_bytes()).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
