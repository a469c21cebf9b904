//! Secrets that other programs and files hold: `credentials_helper` for registries, `.netrc` for module packages.
//!
//! Source: Terraform's page about credentials helpers; the manual page of `.netrc`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::InstallError;

/// A program that is asked once for the token of each host.
#[derive(Clone)]
pub(crate) struct Helper {
    /// Or why there is none; only who needs it is told.
    program: Result<PathBuf, String>,
    arguments: Vec<String>,
    answers: Arc<Mutex<BTreeMap<String, Option<Arc<str>>>>>,
}

impl Helper {
    /// The helper of a name, in the first of the folders that has it.
    pub(crate) fn find(name: &str, arguments: Vec<String>, folders: &[PathBuf]) -> Self {
        let file = format!("terraform-credentials-{name}{}", std::env::consts::EXE_SUFFIX);
        let program = folders.iter().map(|folder| folder.join(&file)).find(|path| path.is_file());
        let program = program.ok_or_else(|| {
            let folders: Vec<_> =
                folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
            format!("its program `{file}` is not in {}", folders.join(" or "))
        });
        Self { program, arguments, answers: Arc::default() }
    }

    /// The token for a host; `None` if the helper has none.
    pub(crate) fn token(&self, host: &str) -> Result<Option<Arc<str>>, InstallError> {
        // The lock is held while the program runs: hosts are few, and each is asked for once.
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = answers.get(host) {
            return Ok(known.clone());
        }
        let wrong = |file: String| move |reason| InstallError::Settings { file, reason };
        let program = self.program.clone().map_err(wrong("credentials_helper".to_owned()))?;
        let found = self.ask(&program, host).map_err(wrong(program.display().to_string()))?;
        answers.insert(host.to_owned(), found.clone());
        Ok(found)
    }

    fn ask(&self, program: &Path, host: &str) -> Result<Option<Arc<str>>, String> {
        let output = Command::new(program)
            .args(&self.arguments)
            .args(["get", host])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("it cannot be started: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("asked for `{host}`, it failed: {}", said.trim()));
        }
        // What it wrote is secret, also where it is wrong.
        let json: serde_json::Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| format!("asked for `{host}`, it did not answer in JSON"))?;
        match (json.as_object(), json.get("token")) {
            (Some(_), None) => Ok(None),
            (Some(_), Some(serde_json::Value::String(token))) => Ok(Some(token.as_str().into())),
            _ => Err(format!("asked for `{host}`, it answered without a `token` that is text")),
        }
    }
}

/// User and password of a host, as a `.netrc` file has them.
pub(crate) fn of_netrc(text: &str, host: &str) -> Option<(String, String)> {
    let mut words = words(text).into_iter();
    let mut wanted = false;
    let (mut user, mut password) = (None, None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" | "default" => {
                if wanted {
                    break;
                }
                wanted = word == "default" || words.next().is_some_and(|name| name == host);
            }
            "login" if wanted => user = words.next(),
            "password" if wanted => password = words.next(),
            "login" | "password" | "account" => drop(words.next()),
            _ => {}
        }
    }
    wanted.then(|| (user.unwrap_or_default(), password.unwrap_or_default()))
}

/// Without comments and macros.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("macdef") {
            // It ends with the first empty line.
            lines.by_ref().take_while(|line| !line.trim().is_empty()).for_each(drop);
            continue;
        }
        let before = line.split_whitespace().take_while(|word| !word.starts_with('#'));
        found.extend(before.map(|word| word.trim_matches('"').to_owned()));
    }
    found
}

/// The file that `NETRC` names, or the one of the home folder.
pub(crate) fn netrc_path(named: Option<&str>, home: Option<&Path>) -> Option<PathBuf> {
    named.map(PathBuf::from).or_else(|| Some(home?.join(".netrc")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_netrc() {
        let text = "# mine\nmachine a.example login me password one\nmacdef init\nmachine b.example\n\nmachine b.example\n  login you # here\n  account x\n  password \"two\"\ndefault login anybody password three\nmachine late.example login l password p\n";
        let table = [
            ("a.example", Some(("me", "one"))),
            ("b.example", Some(("you", "two"))),
            ("c.example", Some(("anybody", "three"))),
        ];
        for (host, wanted) in table {
            let found = of_netrc(text, host);
            let found = found.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
            assert_eq!(found, wanted, "{host}");
        }
        assert_eq!(of_netrc("machine a login b password c", "other"), None);
    }
}
