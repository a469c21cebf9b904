//! `fmt`.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

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
    let mut run = Run {
        list: (args.list && !stdin) || args.check,
        write: args.write && !stdin && !args.check,
        diff: args.diff,
        recursive: args.recursive,
        out: String::new(),
        found: Diagnostics::new(),
        sources: SourceMap::new(),
    };
    if stdin {
        run.stdin();
    } else if args.targets.is_empty() {
        run.target(".");
    } else {
        args.targets.iter().for_each(|target| run.target(target));
    }
    if !args.check || (args.list && !stdin) {
        terminal::print(&run.out);
    }
    if run.found.has_errors() {
        terminal::diagnostics(&run.found, &run.sources, terminal::style(args.no_color));
        return Exit::FmtFailure;
    }
    if args.check && !run.out.is_empty() { Exit::Unformatted } else { Exit::Success }
}

struct Run {
    list: bool,
    write: bool,
    diff: bool,
    recursive: bool,
    /// What goes to standard output.
    out: String,
    found: Diagnostics,
    sources: SourceMap,
}

impl Run {
    fn stdin(&mut self) {
        let mut bytes = Vec::new();
        if let Err(error) = std::io::stdin().lock().read_to_end(&mut bytes) {
            self.fault(&format!("standard input cannot be read: {error}"));
            return;
        }
        self.text("<stdin>", None, &bytes);
    }

    fn target(&mut self, target: &str) {
        let path = Path::new(target);
        match std::fs::metadata(path) {
            Err(error) => self.fault(&format!("`{target}` cannot be read: {error}")),
            Ok(info) if info.is_dir() => self.folder(path),
            Ok(_) if is_formatted(target) => self.file(path),
            Ok(_) => self.fault(&format!(
                "`{target}` is not one of the files that `fmt` formats: their names end in {}",
                ENDINGS.join(", ")
            )),
        }
    }

    fn folder(&mut self, folder: &Path) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries.flatten(),
            Err(error) => {
                self.fault(&format!("folder `{}` cannot be read: {error}", folder.display()));
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
        let path = from_here(path);
        match std::fs::read(&path) {
            Ok(bytes) => self.text(&path.display().to_string(), Some(&path), &bytes),
            Err(error) => self.fault(&format!("file `{}` cannot be read: {error}", path.display())),
        }
    }

    /// Formats one text, which came from `file` if it is not standard input's.
    fn text(&mut self, name: &str, file: Option<&Path>, bytes: &[u8]) {
        // Only files with faults are kept, to show them.
        let mut sources = SourceMap::new();
        if syntax::parse(&mut sources, name, bytes).1.has_errors() {
            let (_, faults) = syntax::parse(&mut self.sources, name, bytes);
            self.found.extend(faults);
            return;
        }
        let Ok(before) = std::str::from_utf8(bytes) else { return };
        let after = syntax::format(before);
        if after != before {
            if self.list {
                self.out.push_str(name);
                self.out.push('\n');
            }
            if let Some(file) = file.filter(|_| self.write)
                && let Err(error) = replace(file, &after)
            {
                self.fault(&format!("file `{name}` cannot be written: {error}"));
                return;
            }
            if self.diff {
                self.out.push_str(&difference(name, before, &after));
            }
        }
        if !self.list && !self.write && !self.diff {
            self.out.push_str(&after);
            if !after.ends_with('\n') {
                self.out.push('\n');
            }
        }
    }

    fn fault(&mut self, message: &str) {
        self.found.push(problem(message));
    }
}

/// The path as seen from the folder that one is in, without a look at the disk.
fn from_here(path: &Path) -> PathBuf {
    let Ok(here) = std::env::current_dir() else { return path.to_path_buf() };
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
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let file = std::fs::canonicalize(file)?;
    let permissions = std::fs::metadata(&file)?.permissions();
    if permissions.readonly() {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let new = folder.join(format!(".{name}.{}.fmt", std::process::id()));
    let written = std::fs::write(&new, text)
        .and_then(|()| std::fs::set_permissions(&new, permissions))
        .and_then(|()| std::fs::rename(&new, &file));
    if written.is_err() {
        // The old text stands; what is left of the new one is of no use.
        let _ = std::fs::remove_file(&new);
    }
    written
}

fn difference(name: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    unified.context_radius(3).header(&format!("old/{name}"), &format!("new/{name}")).to_string()
}
