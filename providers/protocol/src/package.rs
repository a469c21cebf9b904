//! Provider binaries in folders, as Terraform lays them out, and their hashes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use crate::cache::file_digest;

/// This machine's platform as Terraform writes it, such as `linux_amd64`.
pub fn platform() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("{os}_{arch}")
}

/// The provider's binary in an unpacked folder: `terraform-provider-TYPE`, with or without a version.
pub fn binary_in(folder: &Path, type_name: &str) -> Option<PathBuf> {
    let prefix = format!("terraform-provider-{type_name}");
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| {
            let rest = name.strip_prefix(&prefix).map(|rest| rest.trim_end_matches(".exe"));
            rest.is_some_and(|rest| {
                rest.is_empty() || rest.starts_with("_v") || rest.starts_with("_V")
            })
        })
        .collect();
    names.sort();
    names.first().map(|name| folder.join(name))
}

/// The hash of an unpacked folder, as lock files write it: `h1:…`.
///
/// Source: base64 of the SHA-256 of the lines "hex digest, two spaces, path" of all files, in order.
pub fn folder_hash(folder: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    files.sort();
    let mut hasher = Sha256::new();
    for name in files {
        let digest = file_digest(&folder.join(&name))
            .ok_or_else(|| io::Error::other(format!("`{name}` cannot be read")))?;
        hasher.update(format!("{digest}  {name}\n"));
    }
    let digest = base64::engine::general_purpose::STANDARD.encode(hasher.finalize());
    Ok(format!("h1:{digest}"))
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

/// Lays a binary out as a filesystem mirror holds it, and gives the folder's hash.
pub fn lay_out(
    binary: &Path,
    mirror: &Path,
    address: &address::ProviderAddress,
    version: &str,
) -> io::Result<(PathBuf, String)> {
    let folder = mirror
        .join(&*address.host)
        .join(&*address.namespace)
        .join(&*address.type_name)
        .join(version)
        .join(platform());
    fs::create_dir_all(&folder)?;
    let target = folder.join(format!("terraform-provider-{}_v{version}", address.type_name));
    let own = folder.join(format!(".{}", std::process::id()));
    fs::copy(binary, &own)?;
    fs::rename(&own, &target)?;
    let hash = folder_hash(&folder)?;
    Ok((target, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_holds_a_binary_where_terraform_looks() {
        let folder = tempfile::tempdir().expect("a folder");
        let binary = folder.path().join("b");
        fs::write(&binary, "x").expect("written");
        let address = "example.com/a/b".parse().expect("an address");
        let (target, hash) =
            lay_out(&binary, &folder.path().join("m"), &address, "1.2.3").expect("laid out");
        let expected =
            format!("m/example.com/a/b/1.2.3/{}/terraform-provider-b_v1.2.3", platform());
        assert_eq!(target, folder.path().join(expected));
        assert_eq!(binary_in(target.parent().expect("a folder"), "b"), Some(target.clone()));
        assert_eq!(binary_in(target.parent().expect("a folder"), "bb"), None);
        // printf 'x' | sha256sum, then the line, hashed and in base64.
        let digest = file_digest(&target).expect("read");
        let line = format!("{digest}  terraform-provider-b_v1.2.3\n");
        let by_hand = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(line));
        assert_eq!(hash, format!("h1:{by_hand}"));
    }
}
