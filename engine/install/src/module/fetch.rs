//! Brings one package into a folder.

use std::fs;
use std::path::{Path, PathBuf};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::address::{self, Getter, Remote, Source, query_values, split_query, without};
use super::{git, storage};
use crate::archive::{self, Kind};
use crate::error::InstallError;
use crate::event::Event;
use crate::http::{self, shown};
use crate::{Fetcher, Listener, durable, hash};

/// A page may lead to another so often.
const MAX_HOPS: u32 = 10;
/// No archive of a module is larger.
const MAX_ARCHIVE: u64 = 1 << 30;

/// A package that is there.
pub(crate) struct Package {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// The folder in it that a page or registry has named.
    pub(crate) subdir: String,
}

/// Why a package could not be had.
pub(crate) struct Failure {
    pub(crate) reason: String,
    pub(crate) help: Option<String>,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self { reason, help: None }
    }
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        error.to_string().into()
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
        Self { reason: error.to_string(), help }
    }
}

/// What fetching needs beside the address.
pub(crate) struct Work<'a> {
    pub(crate) fetcher: &'a Fetcher,
    /// An empty folder of this download alone.
    pub(crate) scratch: &'a Path,
    /// For signatures: `20260102T030405Z`.
    pub(crate) now: &'a str,
    pub(crate) listener: Listener<'a>,
}

/// Brings a package, following pages that lead elsewhere.
pub(crate) fn package(work: &Work<'_>, remote: &Remote) -> Result<Package, Failure> {
    let mut remote = remote.clone();
    let mut subdir = String::new();
    for _ in 0..MAX_HOPS {
        let dir = work.scratch.join("package");
        match remote.getter {
            Getter::Git => git::clone(&remote.url, &dir, work.scratch)?,
            Getter::File => local(&remote.url, &dir)?,
            Getter::S3 => {
                let object = storage::s3(&remote.url, work.fetcher_settings(), work.now)?;
                object_archive(
                    work,
                    &remote,
                    object,
                    &dir,
                    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                )?;
            }
            Getter::Gcs => {
                let object = storage::gcs(&remote.url, work.fetcher_settings())?;
                object_archive(work, &remote, object, &dir, "GOOGLE_OAUTH_ACCESS_TOKEN")?;
            }
            Getter::Http => match archive_kind(&remote.url)? {
                Some(kind) => {
                    let plain = without(&remote.url, &["archive", "checksum"]);
                    let authorization = work.fetcher_settings().netrc_authorization(&plain);
                    let headers: Vec<_> = authorization
                        .map(|value| ("Authorization".to_owned(), value))
                        .into_iter()
                        .collect();
                    download(work, &remote.url, &plain, &headers, kind, &dir)?;
                }
                None => {
                    let next = follow(work, &remote.url)?;
                    if !next.subdir.is_empty() {
                        subdir = join_subdirs(&next.subdir, &subdir);
                    }
                    remote = Remote { subdir: String::new(), ..next };
                    continue;
                }
            },
        }
        return Ok(Package { dir, subdir });
    }
    Err(format!("more than {MAX_HOPS} pages lead to each other").into())
}

impl Work<'_> {
    fn fetcher_settings(&self) -> &crate::Settings {
        &self.fetcher.settings
    }
}

/// `outer` is the folder that a page names, `inner` the one that the address named in that.
pub(crate) fn join_subdirs(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", other) | (other, "") => other.to_owned(),
        _ => format!("{outer}/{inner}"),
    }
}

fn local(url: &str, dir: &Path) -> Result<(), Failure> {
    let path = split_query(url.strip_prefix("file://").unwrap_or(url)).0;
    let found = fs::metadata(path).map_err(|error| format!("`{path}`: {error}"))?;
    if !found.is_dir() {
        return Err(format!("`{path}` is not a folder").into());
    }
    Ok(durable::link(&Path::new(path).canonicalize()?, dir)?)
}

/// The kind of archive that an address names; `None` for a page.
fn archive_kind(url: &str) -> Result<Option<Kind>, Failure> {
    let wanted = query_values(url).into_iter().find(|(name, _)| name == "archive");
    match wanted {
        Some((_, value)) if matches!(value.as_str(), "false" | "0") => Ok(None),
        Some((_, value)) => match Kind::named(&value) {
            Some(kind) => Ok(Some(kind)),
            None => Err(format!("`archive={value}` is not a kind of archive").into()),
        },
        None => Ok(Kind::of_name(split_query(url).0)),
    }
}

fn object_archive(
    work: &Work<'_>,
    remote: &Remote,
    object: storage::Object,
    dir: &Path,
    variables: &str,
) -> Result<(), Failure> {
    let kind = archive_kind(&remote.url)?
        .ok_or("the object is not an archive; name one that ends in `.zip` or `.tar.gz`")?;
    download(work, &remote.url, &object.url, &object.headers, kind, dir).map_err(|mut failure| {
        if !object.signed {
            failure.help = Some(format!(
                "no credentials were found, so that only public objects can be read; set {variables}"
            ));
        }
        failure
    })
}

fn download(
    work: &Work<'_>,
    url: &str,
    plain: &str,
    headers: &[(String, String)],
    kind: Kind,
    dir: &Path,
) -> Result<(), Failure> {
    let name = split_query(plain).0.rsplit('/').next().filter(|name| !name.is_empty());
    let file = work.scratch.join(format!("_{}", name.unwrap_or("archive")));
    let what = shown(plain);
    work.fetcher.http.download(plain, headers, &file, MAX_ARCHIVE, &|done, total| {
        (work.listener)(Event::Progress { what: what.clone(), done, total });
    })?;
    if let Some((_, wanted)) = query_values(url).into_iter().find(|(name, _)| name == "checksum") {
        check(work, &file, &wanted, &what)?;
    }
    fs::create_dir(dir)?;
    archive::unpack(&file, kind, dir, archive::MODULE, &what)?;
    Ok(())
}

/// `sha256:HEX`, the bare hash, or `file:URL` of a list of hashes.
fn check(work: &Work<'_>, file: &Path, wanted: &str, what: &str) -> Result<(), Failure> {
    if let Some(list) = wanted.strip_prefix("file:") {
        let answer = work
            .fetcher
            .http
            .get_ok_as(list, work.fetcher_settings().netrc_authorization(list).as_deref())?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let name = what.rsplit('/').next().unwrap_or_default();
        let line = text.lines().find(|line| {
            line.split_whitespace()
                .nth(1)
                .is_some_and(|word| word.trim_start_matches(['*', '.', '/']) == name)
        });
        let words = line
            .or_else(|| text.lines().next().filter(|line| line.split_whitespace().count() == 1));
        let hash = words.and_then(|line| line.split_whitespace().next());
        let hash = hash.ok_or_else(|| format!("`{list}` has no hash for `{name}`"))?;
        return compare(file, None, hash, what);
    }
    match wanted.split_once(':') {
        Some((kind, hash)) => compare(file, Some(kind), hash, what),
        None => compare(file, None, wanted, what),
    }
}

fn compare(file: &Path, kind: Option<&str>, wanted: &str, what: &str) -> Result<(), Failure> {
    let kind = kind.or(match wanted.len() {
        32 => Some("md5"),
        40 => Some("sha1"),
        64 => Some("sha256"),
        128 => Some("sha512"),
        _ => None,
    });
    let found = match kind {
        Some("md5") => digest::<Md5>(file)?,
        Some("sha1") => digest::<Sha1>(file)?,
        Some("sha256") => digest::<Sha256>(file)?,
        Some("sha512") => digest::<Sha512>(file)?,
        _ => {
            return Err(format!(
                "`checksum={wanted}` is not an MD5, SHA-1, SHA-256 or SHA-512 hash"
            )
            .into());
        }
    };
    if found.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(InstallError::HashMismatch {
        file: what.to_owned(),
        wanted: wanted.to_owned(),
        found,
        help: "nothing of it was kept; check the address and the hash in `checksum=`".to_owned(),
    }
    .into())
}

fn digest<D: Digest>(file: &Path) -> std::io::Result<String> {
    let mut hasher = D::new();
    let mut reader = fs::File::open(file)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match std::io::Read::read(&mut reader, &mut buffer)? {
            0 => return Ok(hash::hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// Asks a page where the module is.
fn follow(work: &Work<'_>, url: &str) -> Result<Remote, Failure> {
    let plain = without(url, &["archive", "checksum"]);
    let sign = if plain.contains('?') { '&' } else { '?' };
    let url = format!("{plain}{sign}terraform-get=1");
    let authorization = work.fetcher_settings().netrc_authorization(&url);
    let answer = work.fetcher.http.get_ok_as(&url, authorization.as_deref())?;
    let page = String::from_utf8_lossy(&answer.body).into_owned();
    let named = answer.header("x-terraform-get").map(str::to_owned).or_else(|| meta_tag(&page));
    let named = named.filter(|named| !named.is_empty()).ok_or_else(|| Failure {
        reason: "it is neither an archive nor a page that says where one is".to_owned(),
        help: Some("name the kind of archive in the address: `?archive=zip`".to_owned()),
    })?;
    let relative = ["/", "./", "../"].iter().any(|start| named.starts_with(start));
    let named = if relative { http::join(&answer.url, &named) } else { named };
    match address::parse(&named)? {
        Source::Remote(remote) if remote.getter != Getter::File => Ok(remote),
        _ => Err(format!("the page leads to `{named}`, which cannot be fetched").into()),
    }
}

/// `<meta name="terraform-get" content="…">`
fn meta_tag(page: &str) -> Option<String> {
    let mut rest = page;
    while let Some(at) = rest.find("<meta") {
        rest = &rest[at + 5..];
        let tag = &rest[..rest.find('>')?];
        if attribute(tag, "name") == Some("terraform-get") {
            return attribute(tag, "content").map(|text| text.replace("&amp;", "&"));
        }
    }
    None
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let at = tag.find(&format!("{name}="))? + name.len() + 1;
    let quote = tag[at..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    tag[at + 1..].split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_name_modules_in_a_meta_tag() {
        let page = "<html><meta charset='x'><META><meta name=\"terraform-get\" content=\"https://a.b/c.zip?x=1&amp;y\" />";
        assert_eq!(meta_tag(page).as_deref(), Some("https://a.b/c.zip?x=1&y"));
        assert_eq!(meta_tag("<meta name='terraform-get'"), None);
    }

    #[test]
    fn archives_are_told_by_ending_or_by_what_the_address_says() {
        let kind = |url| archive_kind(url).ok().flatten();
        assert_eq!(kind("https://a.b/c.zip?x=1"), Some(Kind::Zip));
        assert_eq!(kind("https://a.b/c?archive=tar.gz"), Some(Kind::TarGz));
        assert_eq!(kind("https://a.b/c.zip?archive=false"), None);
        assert!(archive_kind("https://a.b/c?archive=rar").is_err());
    }
}
