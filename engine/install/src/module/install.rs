//! Goes through all module calls, level by level, and brings what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syntax::{SourceMap, Span};

use super::address::{self, Getter, Remote, Source};
use super::calls::{self, Call};
use super::fetch::{self, Failure, Work};
use super::manifest::{Manifest, Record, modules_dir};
use crate::constraint::Constraints;
use crate::durable::{self, PlaceLock, Staging};
use crate::error::InstallError;
use crate::event::Event;
use crate::provider::in_parallel;
use crate::version::Version;
use crate::{Fetcher, Listener, registry};

/// What is to be installed.
pub struct Request<'a> {
    /// The folder of the root module.
    pub root: &'a Path,
    /// `.terraform`, or what `TF_DATA_DIR` says.
    pub data_dir: &'a Path,
    /// Fetch everything anew, in the newest versions that are allowed.
    pub upgrade: bool,
    /// Modules of test runs, by their keys; their paths begin at the root.
    pub tests: &'a BTreeMap<String, Call>,
    /// The time, for signatures of requests: `20260102T030405Z`.
    pub now: &'a str,
}

/// A module whose own calls are still to be seen.
struct Visit {
    key: String,
    dir: PathBuf,
    /// Folders of the callers, this one's last: a call that comes back to one of them is the loader's to refuse.
    chain: Vec<PathBuf>,
    /// The package that local sources may not leave; `None` in the root's own tree.
    package: Option<PathBuf>,
}

/// A call whose package has to be fetched.
struct Job {
    key: String,
    call: Call,
    source: Source,
    chain: Vec<PathBuf>,
}

/// A package on its way to one or more calls.
struct Bundle {
    jobs: Vec<Job>,
    version: Option<Version>,
    remote: Result<Remote, InstallError>,
}

/// Installs the modules of all calls and writes the manifest. Files that were read are added to `sources`, for the
/// places in errors.
///
/// # Errors
///
/// All faults; the manifest then records what was installed all the same.
pub fn install(
    fetcher: &Fetcher,
    request: &Request<'_>,
    sources: &mut SourceMap,
    listener: Listener<'_>,
) -> Result<Manifest, Vec<InstallError>> {
    let old = Manifest::read(request.data_dir);
    let mut new = Manifest::default();
    let root = Record { source: String::new(), version: None, dir: ".".into() };
    new.records.insert(String::new(), root);
    let mut walk = Walk { fetcher, request, listener, old, new, errors: Vec::new(), lock: None };
    let first = Visit {
        key: String::new(),
        dir: request.root.to_path_buf(),
        chain: vec![request.root.to_path_buf()],
        package: None,
    };
    let mut level = vec![first];
    while !level.is_empty() {
        level = walk.level(level, sources);
    }
    // Without any call there is nothing to record, and no folder is made.
    if (walk.new.records.len() > 1 || !walk.old.records.is_empty())
        && walk.new != walk.old
        && let Err(error) = walk.new.write(request.data_dir)
    {
        walk.errors.push(error);
    }
    if walk.errors.is_empty() { Ok(walk.new) } else { Err(walk.errors) }
}

/// Whether a folder calls any module.
pub fn has_calls(dir: &Path, sources: &mut SourceMap) -> bool {
    calls::read(dir, sources).is_ok_and(|calls| !calls.is_empty())
}

struct Walk<'a> {
    fetcher: &'a Fetcher,
    request: &'a Request<'a>,
    listener: Listener<'a>,
    old: Manifest,
    new: Manifest,
    errors: Vec<InstallError>,
    /// Keeps other runs out of the folder, once anything is fetched.
    lock: Option<PlaceLock>,
}

impl Walk<'_> {
    /// Installs what modules of one depth call; returns the called ones.
    fn level(&mut self, visits: Vec<Visit>, sources: &mut SourceMap) -> Vec<Visit> {
        let mut next = Vec::new();
        let mut jobs = Vec::new();
        for visit in visits {
            // A folder that is missing is the loader's to report.
            let Ok(mut calls) = calls::read(&visit.dir, sources) else { continue };
            if visit.key.is_empty() {
                calls
                    .extend(self.request.tests.iter().map(|(key, one)| (key.clone(), one.clone())));
            }
            for (name, call) in calls {
                let key = if visit.key.is_empty() { name } else { format!("{}.{name}", visit.key) };
                match address::parse(&call.source) {
                    Ok(Source::Local(path)) => next.extend(self.local(&visit, key, &path, &call)),
                    Ok(source) => {
                        let chain = visit.chain.clone();
                        match self.reuse(&key, &source, &call) {
                            Some(record) => next.extend(self.visit_of(key, record, chain)),
                            None => jobs.push(Job { key, call, source, chain }),
                        }
                    }
                    Err(reason) => self.errors.push(InstallError::ModuleSource {
                        source_text: call.source.clone(),
                        reason,
                        span: Some(call.span),
                    }),
                }
            }
        }
        next.extend(self.fetch_all(jobs));
        next
    }

    fn local(&mut self, visit: &Visit, key: String, path: &str, call: &Call) -> Option<Visit> {
        if call.version.is_some() {
            self.errors.push(InstallError::ModuleSource {
                source_text: call.source.clone(),
                reason: "a folder has no versions; remove `version`".to_owned(),
                span: Some(call.span),
            });
            return None;
        }
        let dir = config::load::join(&visit.dir, path);
        if let Some(package) = &visit.package
            && !dir.starts_with(package)
        {
            self.errors.push(InstallError::ModuleSource {
                source_text: call.source.clone(),
                reason: "it leads outside the package that the calling module came in".to_owned(),
                span: Some(call.span),
            });
            return None;
        }
        let record = Record { source: path.to_owned(), version: None, dir: dir.clone() };
        if self.old.records.get(&key) != Some(&record) || self.request.upgrade {
            let shown = dir.display().to_string();
            (self.listener)(Event::InstalledModule { key: key.clone(), dir: shown });
        }
        self.new.records.insert(key.clone(), record);
        if visit.chain.contains(&dir) {
            return None;
        }
        let mut chain = visit.chain.clone();
        chain.push(dir.clone());
        Some(Visit { key, dir, chain, package: visit.package.clone() })
    }

    /// What is installed already and still fits.
    fn reuse(&self, key: &str, source: &Source, call: &Call) -> Option<Record> {
        let record = self.old.records.get(key).filter(|_| !self.request.upgrade)?;
        let fits = match (&record.version, &call.version) {
            (_, None) => true,
            (Some(version), Some(text)) => text.parse::<Constraints>().ok()?.allow(version),
            (None, Some(_)) => false,
        };
        let there = record.source == source.to_string() && record.dir.is_dir();
        (fits && there).then(|| record.clone())
    }

    fn visit_of(&mut self, key: String, record: Record, mut chain: Vec<PathBuf>) -> Option<Visit> {
        let dir = record.dir.clone();
        let package = modules_dir(self.request.data_dir).join(&key);
        self.new.records.insert(key.clone(), record);
        // A package that calls itself gets new folders for ever.
        if chain.len() > 100 {
            return None;
        }
        chain.push(dir.clone());
        Some(Visit { key, dir, chain, package: Some(package) })
    }

    fn fetch_all(&mut self, jobs: Vec<Job>) -> Vec<Visit> {
        if jobs.is_empty() {
            return Vec::new();
        }
        let place = modules_dir(self.request.data_dir);
        if self.lock.is_none() {
            match PlaceLock::take(&place.join(".lock")) {
                Ok(lock) => self.lock = Some(lock),
                Err(error) => {
                    self.errors.push(InstallError::write(&place, &error));
                    return Vec::new();
                }
            }
            durable::sweep(&place);
        }
        let bundles = self.bundle(jobs);
        let (fetcher, request, listener) = (self.fetcher, self.request, self.listener);
        let results =
            in_parallel(&bundles, |bundle| fetch_bundle(fetcher, request, listener, bundle));
        let mut next = Vec::new();
        for (bundle, result) in bundles.into_iter().zip(results) {
            match result {
                Ok(records) => {
                    for (job, record) in bundle.jobs.into_iter().zip(records) {
                        next.extend(self.visit_of(job.key, record, job.chain));
                    }
                }
                Err(errors) => self.errors.extend(errors),
            }
        }
        next
    }

    /// Calls with the same package share one download. Registries are asked first, for versions and addresses.
    fn bundle(&mut self, jobs: Vec<Job>) -> Vec<Bundle> {
        let asked = in_parallel(&jobs, |job| resolve(self.fetcher, self.listener, job));
        let mut bundles: BTreeMap<(String, Option<String>), Bundle> = BTreeMap::new();
        for (job, result) in jobs.into_iter().zip(asked) {
            match result {
                Ok((remote, version)) => {
                    let name = (remote.package(), version.as_ref().map(ToString::to_string));
                    let bundle = bundles.entry(name).or_insert_with(|| Bundle {
                        jobs: Vec::new(),
                        version,
                        remote: Ok(remote),
                    });
                    bundle.jobs.push(job);
                }
                Err(error) => self.errors.push(error),
            }
        }
        bundles.into_values().collect()
    }
}

/// Where the package of a call is, and in which version.
fn resolve(
    fetcher: &Fetcher,
    listener: Listener<'_>,
    job: &Job,
) -> Result<(Remote, Option<Version>), InstallError> {
    let Job { key, call, source, .. } = job;
    let wrong = |reason: String| InstallError::ModuleSource {
        source_text: call.source.clone(),
        reason,
        span: Some(call.span),
    };
    match source {
        Source::Local(_) => Err(wrong("it is a folder".to_owned())),
        Source::Remote(remote) => {
            if call.version.is_some() {
                return Err(wrong(
                    "only modules of a registry have versions; remove `version`".to_owned(),
                ));
            }
            let source = shown(source);
            listener(Event::DownloadingModule { key: key.clone(), source, version: None });
            Ok((remote.clone(), None))
        }
        Source::Registry { host, path, .. } => {
            let version = choose(fetcher, call, host, path, key)?;
            let (source, version_shown) = (shown(source), Some(version.clone()));
            listener(Event::DownloadingModule { key: key.clone(), source, version: version_shown });
            let text = registry::module_source(fetcher, host, path, &version)
                .map_err(|error| failed(job, error.into()))?;
            let remote = match address::parse(&text).map_err(&wrong)? {
                Source::Remote(remote) if remote.getter != Getter::File => remote,
                _ => {
                    return Err(wrong(format!(
                        "the registry leads to `{text}`, which cannot be fetched"
                    )));
                }
            };
            Ok((remote, Some(version)))
        }
    }
}

fn choose(
    fetcher: &Fetcher,
    call: &Call,
    host: &str,
    path: &str,
    key: &str,
) -> Result<Version, InstallError> {
    let text = call.version.as_deref().unwrap_or_default();
    let constraints: Constraints = text.parse().map_err(|_| InstallError::Constraint {
        text: text.to_owned(),
        what: format!("module `{key}`"),
        span: Some(call.span),
    })?;
    let versions = registry::module_versions(fetcher, host, path).map_err(|error| {
        let Failure { reason, help } = error.into();
        fetch_error(key, &call.source, reason, help, call.span)
    })?;
    constraints.newest(&versions).cloned().ok_or_else(|| {
        let mut sorted = versions.clone();
        sorted.sort();
        let newest: Vec<String> = sorted.iter().rev().take(5).map(ToString::to_string).collect();
        InstallError::NoModuleVersion {
            source_text: call.source.clone(),
            constraints: if text.is_empty() {
                "any release".to_owned()
            } else {
                constraints.to_string()
            },
            span: Some(call.span),
            available: match newest.len() {
                0 => "the registry has no version of it".to_owned(),
                _ => format!("the newest are: {}", newest.join(", ")),
            },
        }
    })
}

fn fetch_error(
    key: &str,
    source: &str,
    reason: String,
    help: Option<String>,
    span: Span,
) -> InstallError {
    InstallError::ModuleFetch {
        key: key.to_owned(),
        source_text: hide_secrets(source),
        reason,
        span: Some(span),
        help,
    }
}

fn failed(job: &Job, failure: Failure) -> InstallError {
    fetch_error(&job.key, &job.call.source, failure.reason, failure.help, job.call.span)
}

fn shown(source: &Source) -> String {
    hide_secrets(&source.to_string())
}

/// Keys and passwords that a source may hold.
fn hide_secrets(source: &str) -> String {
    let mut text = address::without(
        source,
        &["sshkey", "aws_access_key_id", "aws_access_key_secret", "aws_access_token"],
    );
    if let Some(scheme) = text.find("://") {
        let host = &text[scheme + 3..];
        let end = host.find('/').unwrap_or(host.len());
        if let Some(at) = host[..end].rfind('@')
            && host[..at].contains(':')
        {
            text = format!("{}{}", &text[..scheme + 3], &host[at + 1..]);
        }
    }
    text
}

/// Fetches a package once and gives each call its own copy.
fn fetch_bundle(
    fetcher: &Fetcher,
    request: &Request<'_>,
    listener: Listener<'_>,
    bundle: &Bundle,
) -> Result<Vec<Record>, Vec<InstallError>> {
    let place = modules_dir(request.data_dir);
    let Ok(remote) = &bundle.remote else { return Err(Vec::new()) };
    let all = |failure: Failure| {
        let jobs = bundle.jobs.iter();
        let failures = jobs.map(|job| {
            let Failure { reason, help } = &failure;
            failed(job, Failure { reason: reason.clone(), help: help.clone() })
        });
        failures.collect::<Vec<_>>()
    };
    let staging = Staging::dir(&place).map_err(|error| all(error.into()))?;
    let work = Work { fetcher, scratch: staging.path(), now: request.now, listener };
    let package = fetch::package(&work, remote).map_err(all)?;
    let copies =
        copy_all(&package.dir, bundle.jobs.len(), &place).map_err(|error| all(error.into()))?;
    let (mut records, mut errors) = (Vec::new(), Vec::new());
    let mut staged: Vec<(Staging, PathBuf)> = copies;
    staged.push((staging, package.dir.clone()));
    for (job, (staging, dir)) in bundle.jobs.iter().zip(staged) {
        let inner = fetch::join_subdirs(&package.subdir, &subdir_of(&job.source, remote));
        match publish(job, staging, &dir, &inner, &place, bundle.version.clone()) {
            Ok(record) => {
                let dir = record.dir.display().to_string();
                listener(Event::InstalledModule { key: job.key.clone(), dir });
                records.push(record);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(records) } else { Err(errors) }
}

/// The folder in the package that the call names; the registry may name one around it.
fn subdir_of(source: &Source, remote: &Remote) -> String {
    match source {
        Source::Registry { subdir, .. } => fetch::join_subdirs(&remote.subdir, subdir),
        Source::Remote(remote) => remote.subdir.clone(),
        Source::Local(_) => String::new(),
    }
}

/// Copies for all calls but one.
fn copy_all(dir: &Path, calls: usize, place: &Path) -> std::io::Result<Vec<(Staging, PathBuf)>> {
    let copies = (1..calls).map(|_| {
        let staging = Staging::dir(place)?;
        let copy = staging.path().join("package");
        if std::fs::symlink_metadata(dir)?.is_symlink() {
            durable::link(&std::fs::read_link(dir)?, &copy)?;
        } else {
            durable::copy_dir(dir, &copy)?;
        }
        Ok((staging, copy))
    });
    copies.collect()
}

fn publish(
    job: &Job,
    staging: Staging,
    dir: &Path,
    inner: &str,
    place: &Path,
    version: Option<Version>,
) -> Result<Record, InstallError> {
    if !inner.is_empty() && !dir.join(inner).is_dir() {
        let folders: BTreeSet<String> = std::fs::read_dir(dir)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with('.'))
            .collect();
        let folders: Vec<String> = folders.into_iter().take(8).collect();
        let help = format!("it has the folders: {}", folders.join(", "));
        let reason = format!("the package has no folder `{inner}`");
        return Err(failed(job, Failure { reason, help: Some(help) }));
    }
    let target = place.join(&job.key);
    staging.publish(dir, &target).map_err(|error| InstallError::write(&target, &error))?;
    let dir = if inner.is_empty() { target } else { target.join(inner) };
    Ok(Record { source: job.source.to_string(), version, dir })
}

/// Copies a module into a folder that holds no configuration yet: `init -from-module`.
///
/// # Errors
///
/// Whatever fetching gives, and a folder that is not empty.
pub fn copy_into(
    fetcher: &Fetcher,
    request: &Request<'_>,
    source: &str,
    listener: Listener<'_>,
) -> Result<(), InstallError> {
    let wrong = |reason: String| InstallError::ModuleSource {
        source_text: source.to_owned(),
        reason,
        span: None,
    };
    let root = request.root;
    let entries = std::fs::read_dir(root).map_err(|error| InstallError::read(root, &error))?;
    if entries.flatten().any(|entry| !entry.file_name().to_string_lossy().starts_with('.')) {
        return Err(wrong("the target folder is not empty".to_owned()));
    }
    let parsed = address::parse(source).map_err(wrong)?;
    let failed = |failure: Failure| InstallError::ModuleFetch {
        key: "root".to_owned(),
        source_text: hide_secrets(source),
        reason: failure.reason,
        span: None,
        help: failure.help,
    };
    if let Source::Local(path) = &parsed {
        return durable::copy_dir(Path::new(path), root).map_err(|error| failed(error.into()));
    }
    let call = Call { source: source.to_owned(), version: None, span: Span::new(0, 0) };
    let job = Job { key: "root".to_owned(), call, source: parsed, chain: Vec::new() };
    let (remote, _) = resolve(fetcher, listener, &job).map_err(without_place)?;
    let place = modules_dir(request.data_dir);
    let staging = Staging::dir(&place).map_err(|error| InstallError::write(&place, &error))?;
    let work = Work { fetcher, scratch: staging.path(), now: request.now, listener };
    let package = fetch::package(&work, &remote).map_err(failed)?;
    let inner = fetch::join_subdirs(&package.subdir, &subdir_of(&job.source, &remote));
    let dir = if inner.is_empty() { package.dir } else { package.dir.join(inner) };
    copy_without_history(&dir, root).map_err(|error| failed(error.into()))
}

/// The history of the module is not that of the new folder.
fn copy_without_history(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            durable::copy_dir(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// An address on the command line stands in no file.
fn without_place(error: InstallError) -> InstallError {
    match error {
        InstallError::ModuleSource { source_text, reason, .. } => {
            InstallError::ModuleSource { source_text, reason, span: None }
        }
        InstallError::ModuleFetch { key, source_text, reason, help, .. } => {
            InstallError::ModuleFetch { key, source_text, reason, help, span: None }
        }
        InstallError::NoModuleVersion { source_text, constraints, available, .. } => {
            InstallError::NoModuleVersion { source_text, constraints, available, span: None }
        }
        other => other,
    }
}
