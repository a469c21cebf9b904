//! Modules from git, by the `git` program, so that its credentials, keys and proxies work as people set them up.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;

use super::address::{query_values, without};
use crate::error::InstallError;

/// What a reference asks of git.
struct Wish {
    url: String,
    reference: Option<String>,
    depth: Option<u32>,
    ssh_key: Option<String>,
}

/// Clones into a folder that does not exist yet. `scratch` is a folder for a key.
pub(crate) fn clone(url: &str, into: &Path, scratch: &Path) -> Result<(), String> {
    let wish = read(url)?;
    let key = match &wish.ssh_key {
        Some(text) => Some(write_key(text, scratch)?),
        None => None,
    };
    let run = |dir: Option<&Path>, args: &[&str]| run(dir, args, key.as_deref());
    let target = into.to_string_lossy();
    let depth = wish.depth.map(|depth| depth.to_string());
    match (&depth, &wish.reference) {
        (None, reference) => {
            run(None, &["clone", "--", &wish.url, &target])?;
            if let Some(reference) = reference {
                // A branch is known by its remote's name where no local one has it.
                run(Some(into), &["checkout", "--quiet", reference, "--"]).or_else(|_| {
                    run(Some(into), &["checkout", "--quiet", &format!("origin/{reference}"), "--"])
                })?;
            }
        }
        (Some(depth), None) => run(None, &["clone", "--depth", depth, "--", &wish.url, &target])?,
        (Some(depth), Some(reference)) => {
            // A fetch takes names and commits alike.
            run(None, &["init", "--quiet", "--", &target])?;
            run(Some(into), &["remote", "add", "--", "origin", &wish.url])?;
            run(Some(into), &["fetch", "--quiet", "--depth", depth, "--", "origin", reference])?;
            run(Some(into), &["checkout", "--quiet", "FETCH_HEAD", "--"])?;
        }
    }
    if into.join(".gitmodules").exists() {
        run(Some(into), &["submodule", "update", "--quiet", "--init", "--recursive"])?;
    }
    Ok(())
}

fn read(url: &str) -> Result<Wish, String> {
    let mut wish = Wish {
        url: without(url, &["ref", "depth", "sshkey"]),
        reference: None,
        depth: None,
        ssh_key: None,
    };
    for (name, value) in query_values(url) {
        match name.as_str() {
            "ref" if value.starts_with('-') => {
                return Err(format!("`ref={value}` begins with `-`"));
            }
            "ref" if !value.is_empty() => wish.reference = Some(value),
            "depth" => {
                let depth = value.parse().ok().filter(|depth| *depth > 0);
                wish.depth =
                    Some(depth.ok_or_else(|| format!("`depth={value}` is not a number above 0"))?);
            }
            "sshkey" => wish.ssh_key = Some(value),
            _ => {}
        }
    }
    // What begins with a letter and `::` would start a helper program.
    if wish.url.starts_with('-') || wish.url.contains("::") {
        return Err("the address is not one of a repository".to_owned());
    }
    Ok(wish)
}

fn write_key(text: &str, scratch: &Path) -> Result<String, String> {
    let key = base64::engine::general_purpose::STANDARD
        .decode(text.replace(' ', "+"))
        .map_err(|_| "`sshkey` is not a key in base64".to_owned())?;
    let path = scratch.join("key");
    fs::write(&path, "")
        .and_then(|()| private(&path))
        .and_then(|()| fs::write(&path, key))
        .map_err(|error| error.to_string())?;
    Ok(format!("ssh -o IdentitiesOnly=yes -i '{}'", path.to_string_lossy().replace('\'', "'\\''")))
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

fn run(dir: Option<&Path>, args: &[&str], ssh: Option<&str>) -> Result<(), String> {
    let mut command = Command::new("git");
    command.args(["-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false"]);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
    // Several run at once, so that none can ask; nor may a folder above be taken for the repository.
    command.env("GIT_TERMINAL_PROMPT", "0").env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
    if let Some(dir) = dir {
        command.current_dir(dir);
    }
    if let Some(ssh) = ssh {
        command.env("GIT_SSH_COMMAND", ssh);
    }
    let output = command.output().map_err(|error| {
        InstallError::Tool { tool: "git".to_owned(), reason: error.to_string() }.to_string()
            + "; install git, or take the module from an archive or a registry"
    })?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let from = lines.len().saturating_sub(6);
    let shown: Vec<String> = lines[from..].iter().map(|line| hide(line)).collect();
    let status =
        output.status.code().map_or_else(|| "a signal".to_owned(), |code| code.to_string());
    Err(format!("git {} ended with {status}: {}", args[0], shown.join("; ")))
}

/// Git may repeat an address with its password.
fn hide(line: &str) -> String {
    let words = line.split(' ').map(|word| match (word.find("://"), word.find('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}{}", &word[..scheme + 3], &word[at + 1..])
        }
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_addresses_cannot_be_options_or_programs() {
        for url in
            ["https://a.b/c?ref=--upload-pack=x", "-x", "ext::sh -c x", "https://a.b/c?depth=0"]
        {
            assert!(read(url).is_err(), "{url}");
        }
        let wish = read("https://a.b/c?ref=v1&depth=3&other=1").expect("a repository");
        assert_eq!((wish.url.as_str(), wish.depth), ("https://a.b/c?other=1", Some(3)));
    }

    #[test]
    fn passwords_are_not_repeated() {
        assert_eq!(hide("fatal: 'https://u:p@a.b/c' failed"), "fatal: 'https://a.b/c' failed");
    }
}
