//! `fmt`.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use similar::TextDiff;
use syntax::{Diagnostics, SourceMap};

use crate::args::Fmt;
use crate::exit::Exit;
use crate::session::problem;
use crate::terminal;

/// The files that have the language's native syntax.
const ENDINGS: [&str; 4] = [".tf", ".tfvars", ".tftest.hcl", ".tfmock.hcl"];

/// Brings files into the canonical layout.
pub(crate) fn fmt(args: &Fmt) -> Exit {
    let stdin = args.targets.first().is_some_and(|target| target == "-");
    let run = Run {
        list: (args.list && !stdin) || args.check,
        write: args.write && !stdin && !args.check,
        diff: args.diff,
    };
    let here = std::env::current_dir().ok();
    let mut work = Work { recursive: args.recursive, here, jobs: Vec::new() };
    if stdin {
        work.jobs.push(Job::StandardInput);
    } else if args.targets.is_empty() {
        work.target(".");
    } else {
        args.targets.iter().for_each(|target| work.target(target));
    }
    if run.write && args.targets.len() > 1 {
        work.once_each();
    }
    let mut out = String::new();
    let (mut found, mut sources) = (Diagnostics::new(), SourceMap::new());
    for done in run.all(work.jobs) {
        out.push_str(&done.out);
        if let Some((name, bytes)) = done.faulty {
            // Only files with faults are kept, to show them.
            found.extend(syntax::parse(&mut sources, &name, &bytes).1);
        }
        found.extend(done.found);
    }
    if !args.check || (args.list && !stdin) {
        terminal::print(&out);
    }
    if found.has_errors() {
        terminal::diagnostics(&found, &sources, terminal::style(args.no_color));
        return Exit::FmtFailure;
    }
    if args.check && !out.is_empty() { Exit::Unformatted } else { Exit::Success }
}

/// What is to be done, in the order in which it is told of.
enum Job {
    StandardInput,
    File(PathBuf),
    /// A target that is none.
    Fault(String),
}

/// Gathers what is to be done.
struct Work {
    recursive: bool,
    /// The folder that one is in.
    here: Option<PathBuf>,
    jobs: Vec<Job>,
}

impl Work {
    fn target(&mut self, target: &str) {
        let path = Path::new(target);
        match std::fs::metadata(path) {
            Err(error) => self.fault(format!("`{target}` cannot be read: {error}")),
            Ok(info) if info.is_dir() => self.folder(path),
            Ok(_) if is_formatted(target) => self.file(path),
            Ok(_) => self.fault(format!(
                "`{target}` is not one of the files that `fmt` formats: their names end in {}",
                ENDINGS.join(", ")
            )),
        }
    }

    fn folder(&mut self, folder: &Path) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries.flatten(),
            Err(error) => {
                self.fault(format!("folder `{}` cannot be read: {error}", folder.display()));
                return;
            }
        };
        let mut entries: Vec<_> = entries.map(|entry| (entry.file_name(), entry)).collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, entry) in entries {
            let name = name.to_string_lossy();
            if is_ignored(&name) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if self.recursive {
                    self.folder(&entry.path());
                }
            } else if is_formatted(&name) {
                self.file(&entry.path());
            }
        }
    }

    fn file(&mut self, path: &Path) {
        self.jobs.push(Job::File(from_here(path, self.here.as_deref())));
    }

    /// Drops files that were named before: after the first time there is nothing left to write.
    fn once_each(&mut self) {
        let mut seen = BTreeSet::new();
        self.jobs.retain(|job| match job {
            Job::File(path) => seen.insert(path.clone()),
            _ => true,
        });
    }

    fn fault(&mut self, message: String) {
        self.jobs.push(Job::Fault(message));
    }
}

/// What came of one job.
#[derive(Default)]
struct Done {
    /// What goes to standard output.
    out: String,
    found: Diagnostics,
    /// A text with syntax errors, and its name.
    faulty: Option<(String, Vec<u8>)>,
}

impl Done {
    fn fault(message: &str) -> Self {
        let mut done = Self::default();
        done.found.push(problem(message));
        done
    }
}

#[derive(Clone, Copy)]
struct Run {
    list: bool,
    write: bool,
    diff: bool,
}

impl Run {
    /// Does all jobs, as many at a time as there are processors, and tells of them in their order.
    fn all(self, jobs: Vec<Job>) -> Vec<Done> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let take = || {
            let at = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(at).map(|job| (at, job))
        };
        let work = || {
            let mut done = Vec::new();
            while let Some((at, job)) = take() {
                done.push((at, self.one(job)));
            }
            done
        };
        // A thread is not worth its start for a handful of files.
        let helpers = (jobs.len() / 16).min(processors - 1);
        let mut all = std::thread::scope(|scope| {
            let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            for helper in helpers {
                match helper.join() {
                    Ok(done) => all.extend(done),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            all
        });
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, done)| done).collect()
    }

    fn one(self, job: &Job) -> Done {
        match job {
            Job::Fault(message) => Done::fault(message),
            Job::StandardInput => {
                let mut bytes = Vec::new();
                match std::io::stdin().lock().read_to_end(&mut bytes) {
                    Ok(_) => self.text("<stdin>", None, bytes),
                    Err(error) => Done::fault(&format!("standard input cannot be read: {error}")),
                }
            }
            Job::File(path) => match std::fs::read(path) {
                Ok(bytes) => self.text(&path.display().to_string(), Some(path), bytes),
                Err(error) => {
                    Done::fault(&format!("file `{}` cannot be read: {error}", path.display()))
                }
            },
        }
    }

    /// Formats one text, which came from `file` if it is not standard input's.
    fn text(self, name: &str, file: Option<&Path>, bytes: Vec<u8>) -> Done {
        let formatted = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|before| syntax::format_checked(before).map(|after| (before, after)));
        let Some((before, after)) = formatted else {
            return Done { faulty: Some((name.to_owned(), bytes)), ..Done::default() };
        };
        let mut done = Done::default();
        if after != before {
            if self.list {
                done.out.push_str(name);
                done.out.push('\n');
            }
            if let Some(file) = file.filter(|_| self.write)
                && let Err(error) = replace(file, &after)
            {
                done.found.push(problem(&format!("file `{name}` cannot be written: {error}")));
                return done;
            }
            if self.diff {
                done.out.push_str(&difference(name, before, &after));
            }
        }
        if !self.list && !self.write && !self.diff {
            done.out.push_str(&after);
            if !after.ends_with('\n') {
                done.out.push('\n');
            }
        }
        done
    }
}

/// The path as seen from the folder that one is in, without a look at the disk.
fn from_here(path: &Path, here: Option<&Path>) -> PathBuf {
    let Some(here) = here else { return path.to_path_buf() };
    let mut whole = PathBuf::new();
    for part in here.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    let same = here.components().zip(whole.components()).take_while(|(a, b)| a == b).count();
    let up = here.components().skip(same).map(|_| Component::ParentDir);
    up.chain(whole.components().skip(same)).collect()
}

fn is_formatted(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What editors leave behind, and what is hidden.
fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

/// Puts the new text in the place of the old one, so that at every moment one of the two is there.
pub(super) fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let file = std::fs::canonicalize(file)?;
    let permissions = std::fs::metadata(&file)?.permissions();
    if permissions.readonly() {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    // Two links to one file may be at work at once.
    let thread = std::thread::current().id();
    let new = folder.join(format!(".{name}.{}.{thread:?}.fmt", std::process::id()));
    let written = std::fs::write(&new, text)
        .and_then(|()| std::fs::set_permissions(&new, permissions))
        .and_then(|()| std::fs::rename(&new, &file));
    if written.is_err() {
        // The old text stands; what is left of the new one is of no use.
        let _ = std::fs::remove_file(&new);
    }
    written
}

pub(super) fn difference(name: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    unified.context_radius(3).header(&format!("old/{name}"), &format!("new/{name}")).to_string()
}
