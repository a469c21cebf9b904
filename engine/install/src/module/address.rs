//! What a `source` means.
//!
//! Source: Terraform's documented module sources; the forms of the manifest were observed.

use std::fmt;

/// The registry of addresses that name no host.
const DEFAULT_HOST: &str = "registry.terraform.io";

/// The source of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder beside the caller: `./x`, `../x`.
    Local(String),
    /// A module of a registry.
    Registry {
        /// The registry.
        host: String,
        /// `NAMESPACE/NAME/SYSTEM`.
        path: String,
        /// The folder in the package; empty for all of it.
        subdir: String,
    },
    /// A package behind an address.
    Remote(Remote),
}

/// A package behind an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// How to get it.
    pub getter: Getter,
    /// The address, without the getter's name and the subfolder.
    pub url: String,
    /// The folder in the package; empty for all of it.
    pub subdir: String,
    /// Whether the getter was written, or follows from a short form.
    pub(crate) forced: bool,
}

/// Ways to get a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Getter {
    /// A git repository.
    Git,
    /// An archive, or a page that says where one is.
    Http,
    /// An object in S3.
    S3,
    /// An object in Google Cloud Storage.
    Gcs,
    /// An absolute path.
    File,
}

impl Remote {
    /// The package without the folder in it: two calls with the same one share a download.
    pub fn package(&self) -> String {
        Self { subdir: String::new(), ..self.clone() }.to_string()
    }
}

impl fmt::Display for Source {
    /// The form that the manifest records.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => f.write_str(path),
            Self::Registry { host, path, subdir } if subdir.is_empty() => {
                write!(f, "{host}/{path}")
            }
            Self::Registry { host, path, subdir } => write!(f, "{host}/{path}//{subdir}"),
            Self::Remote(remote) => write!(f, "{remote}"),
        }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.getter {
            Getter::Git => "git::",
            Getter::S3 => "s3::",
            Getter::Gcs => "gcs::",
            Getter::Http | Getter::File => "",
        };
        let name = if self.forced { name } else { "" };
        let (path, query) = split_query(&self.url);
        write!(f, "{name}{path}")?;
        if !self.subdir.is_empty() {
            write!(f, "//{}", self.subdir)?;
        }
        f.write_str(query)
    }
}

/// `?` and what follows.
pub(crate) fn split_query(url: &str) -> (&str, &str) {
    url.find('?').map_or((url, ""), |at| url.split_at(at))
}

/// Values of a query, in order, decoded.
pub(crate) fn query_values(url: &str) -> Vec<(String, String)> {
    let query = split_query(url).1.trim_start_matches('?');
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// The address without some values of its query.
pub(crate) fn without(url: &str, names: &[&str]) -> String {
    let (path, query) = split_query(url);
    let kept: Vec<&str> = query
        .trim_start_matches('?')
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && !names.contains(&name)
        })
        .collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

/// Percent-decoding; `+` stays, since it stands in names of branches and in base64.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match value {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Reads a `source`. The error says why it has no meaning.
pub fn parse(text: &str) -> Result<Source, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text == "." || text == ".." || text.starts_with("./") || text.starts_with("../") {
        return Ok(Source::Local(text.to_owned()));
    }
    if text.starts_with('-') {
        return Err("it begins with `-`".to_owned());
    }
    if let Some(found) = registry(text)? {
        return Ok(found);
    }
    remote(text).map(Source::Remote)
}

/// `[HOST/]NAMESPACE/NAME/SYSTEM[//SUBDIR]`. `None` for what is of another kind.
fn registry(text: &str) -> Result<Option<Source>, String> {
    if text.contains("::") || text.contains("://") || text.contains('?') || text.contains('@') {
        return Ok(None);
    }
    let (path, subdir) = text.split_once("//").unwrap_or((text, ""));
    let parts: Vec<&str> = path.split('/').collect();
    let (host, rest) = match parts.len() {
        3 => (DEFAULT_HOST, &parts[..]),
        4 if parts[0].contains('.') || parts[0].starts_with("localhost:") => {
            (parts[0], &parts[1..])
        }
        _ => return Ok(None),
    };
    if matches!(host, "github.com" | "bitbucket.org") {
        return Ok(None);
    }
    let (words, system) = rest.split_at(2);
    let word = |part: &&str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let edge = |c: char| matches!(c, '-' | '_');
        !part.is_empty()
            && part.chars().all(inner)
            && !part.starts_with(edge)
            && !part.ends_with(edge)
    };
    let is_system = |part: &&str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        (1..=64).contains(&part.len()) && part.bytes().all(inner)
    };
    if !words.iter().all(word) || !system.iter().all(is_system) || !is_host(host) {
        return Ok(None);
    }
    let subdir = clean_subdir(subdir)?;
    Ok(Some(Source::Registry { host: host.to_lowercase(), path: rest.join("/"), subdir }))
}

/// Says whether a text can be a host as a person writes it: no Punycode, no dash at an edge.
fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "0"));
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.to_ascii_lowercase().starts_with("xn--")
    };
    name.split('.').all(is_label) && port.parse::<u16>().is_ok()
}

/// A folder in a package, without `.` and without leaving it.
pub(crate) fn clean_subdir(text: &str) -> Result<String, String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop().ok_or_else(|| format!("`//{text}` leads outside the package"))?;
        } else {
            parts.push(part);
        }
    }
    Ok(parts.join("/"))
}

/// Reads the address of a package.
pub(crate) fn remote(text: &str) -> Result<Remote, String> {
    let (forced, rest) = match text.split_once("::") {
        Some((name, rest)) if name.bytes().all(|b| b.is_ascii_alphanumeric()) => (Some(name), rest),
        _ => (None, text),
    };
    let (url, subdir) = split_subdir(rest);
    let subdir = clean_subdir(&subdir)?;
    let made = |getter, url: String| {
        Ok(Remote { getter, url, subdir: subdir.clone(), forced: forced.is_some() })
    };
    let short = |getter, url: String| {
        let url = nest_subdir(url);
        let subdir = clean_subdir(&format!("{}/{subdir}", url.1))?;
        Ok(Remote { getter, url: url.0, subdir, forced: true })
    };
    match forced {
        Some("git") => return made(Getter::Git, ssh_form(&url).unwrap_or(url)),
        Some("http" | "https") => return made(Getter::Http, url),
        Some("s3") => return made(Getter::S3, url),
        Some("gcs") => return made(Getter::Gcs, url),
        Some("file") => return made(Getter::File, url),
        Some("hg") => {
            return Err(
                "Mercurial is not supported; serve the module by git or as an archive".to_owned()
            );
        }
        Some(other) => {
            return Err(format!(
                "`{other}::` is not a way to get modules; there are `git::`, `s3::` and `gcs::`"
            ));
        }
        None => {}
    }
    if let Some((scheme, _)) = url.split_once("://") {
        return match scheme {
            "http" | "https" => made(Getter::Http, url),
            "git" => made(Getter::Git, url),
            "file" => made(Getter::File, url),
            "ssh" => {
                Err("write `git::` before it, so that it is read as a git repository".to_owned())
            }
            "s3" | "gs" => {
                Err(format!("write `s3::https://…` or `gcs::https://…` in place of `{scheme}://`"))
            }
            "hg" => {
                Err("Mercurial is not supported; serve the module by git or as an archive"
                    .to_owned())
            }
            other => Err(format!("`{other}://` is not an address that modules are fetched from")),
        };
    }
    if url.starts_with('/') {
        return made(Getter::File, format!("file://{url}"));
    }
    if let Some(url) = ssh_form(&url) {
        return short(Getter::Git, url);
    }
    let (path, query) = split_query(&url);
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["github.com" | "bitbucket.org", owner, name, ..] => {
            let host = parts[0];
            let name = name.strip_suffix(".git").unwrap_or(name);
            let inner = parts[3..].join("/");
            let inner = if inner.is_empty() { inner } else { format!("//{inner}") };
            short(Getter::Git, format!("https://{host}/{owner}/{name}.git{inner}{query}"))
        }
        ["github.com" | "bitbucket.org", ..] => Err(format!("`{}` needs an owner and a repository", parts[0])),
        ["www.googleapis.com", "storage", "v1", _, _, ..] => short(Getter::Gcs, format!("https://{url}")),
        [host, _, ..] if host.ends_with(".amazonaws.com") => short(Getter::S3, format!("https://{url}")),
        _ => Err("a path in this folder begins with `./` or `../`, and a module of a registry has the form \
                  `NAMESPACE/NAME/SYSTEM`".to_owned()),
    }
}

/// A short form may itself name a folder.
fn nest_subdir(url: String) -> (String, String) {
    split_subdir(&url)
}

/// Takes `//folder` out of an address; the `//` of `https://` is none.
fn split_subdir(text: &str) -> (String, String) {
    let (path, query) = split_query(text);
    let from = path.find("://").map_or(0, |at| at + 3);
    match path[from..].find("//") {
        Some(at) => {
            let (url, subdir) = path.split_at(from + at);
            (format!("{url}{query}"), subdir.trim_start_matches('/').to_owned())
        }
        None => (text.to_owned(), String::new()),
    }
}

/// `git@host:path` as `ssh://git@host/path`.
fn ssh_form(text: &str) -> Option<String> {
    let (user, rest) = text.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let plain = |part: &str| !part.is_empty() && !part.contains(['/', ':', '?']);
    if !plain(user) || !plain(host) || path.starts_with('/') || text.contains("://") {
        return None;
    }
    Some(format!("ssh://{user}@{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_recorded_as_terraform_records_them() {
        let table = [
            ("./a", "./a"),
            ("/srv/a", "file:///srv/a"),
            ("../a", "../a"),
            ("acme/net/aws", "registry.terraform.io/acme/net/aws"),
            ("acme/net/aws//modules/x", "registry.terraform.io/acme/net/aws//modules/x"),
            ("example.com/acme/net/aws", "example.com/acme/net/aws"),
            ("github.com/acme/net", "git::https://github.com/acme/net.git"),
            ("github.com/acme/net//x?ref=v1", "git::https://github.com/acme/net.git//x?ref=v1"),
            ("github.com/acme/net/x", "git::https://github.com/acme/net.git//x"),
            ("bitbucket.org/acme/net", "git::https://bitbucket.org/acme/net.git"),
            ("git@github.com:acme/net.git", "git::ssh://git@github.com/acme/net.git"),
            ("git::ssh://git@a.b/c.git?ref=v1", "git::ssh://git@a.b/c.git?ref=v1"),
            ("git::git@a.b:c.git//d", "git::ssh://git@a.b/c.git//d"),
            (
                "git::https://a.b/c.git//d?ref=v1&depth=1",
                "git::https://a.b/c.git//d?ref=v1&depth=1",
            ),
            ("https://a.b/c.zip", "https://a.b/c.zip"),
            ("https://a.b/c.zip//d?checksum=md5:0", "https://a.b/c.zip//d?checksum=md5:0"),
            ("s3::https://s3.amazonaws.com/b/c.zip", "s3::https://s3.amazonaws.com/b/c.zip"),
            ("b.s3.amazonaws.com/c.zip", "s3::https://b.s3.amazonaws.com/c.zip"),
            (
                "gcs::https://www.googleapis.com/storage/v1/b/c.zip",
                "gcs::https://www.googleapis.com/storage/v1/b/c.zip",
            ),
            (
                "www.googleapis.com/storage/v1/b/c.zip",
                "gcs::https://www.googleapis.com/storage/v1/b/c.zip",
            ),
        ];
        for (text, expected) in table {
            let found = parse(text).map(|source| source.to_string());
            assert_eq!(found.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let table = [
            ("", "empty"),
            ("net", "begins with `./`"),
            ("a/b", "begins with `./`"),
            ("hg::https://a.b/c", "Mercurial"),
            ("ftp://a.b/c", "`ftp://`"),
            ("oci::x", "`oci::`"),
            ("git::https://a.b/c//../d", "outside the package"),
            ("--upload-pack=x", "begins with `-`"),
            ("github.com/acme", "an owner"),
        ];
        for (text, expected) in table {
            let error = parse(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn values_are_taken_out_of_a_query() {
        let url = "https://a.b/c?ref=a%2Fb&depth=1&x=+";
        let values = query_values(url);
        assert_eq!(values[0], ("ref".to_owned(), "a/b".to_owned()));
        assert_eq!(without(url, &["ref", "depth"]), "https://a.b/c?x=+");
        assert_eq!(without("https://a.b/c?ref=1", &["ref"]), "https://a.b/c");
    }
}
