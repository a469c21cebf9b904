//! Published modules, as they are and slightly damaged, through this binary and through Terraform: what `get` says, on
//! which lines `validate` finds errors, and the bytes that `fmt` writes.
//!
//! `STRATIFORM_TEST_MODULES` names a folder that holds a folder for each module; `STRATIFORM_TEST_PROVIDER_MIRROR` may
//! name a folder with providers, without which nothing is validated. Lower bounds on versions of providers are taken
//! out of the copies, so that whatever lies in the mirror will do: what a newer provider would know is then an error in
//! both. `STRATIFORM_TEST_MODULES_EVERY=N` validates every Nth folder alone.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test binary"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Ran, copy, ran};
use serde_json::Value as Json;

/// The copies that both programs work on.
struct Copies {
    root: tempfile::TempDir,
}

#[derive(Clone, Copy, PartialEq)]
enum Program {
    Ours,
    Terraform,
}

const BOTH: [Program; 2] = [Program::Ours, Program::Terraform];

impl Copies {
    /// `None`, with a word, where there is nothing to compare.
    fn new() -> Option<Self> {
        let Some(modules) = std::env::var_os("STRATIFORM_TEST_MODULES") else {
            println!("skipped: STRATIFORM_TEST_MODULES names no folder with published modules");
            return None;
        };
        if Command::new("terraform").arg("version").stdout(Stdio::null()).status().is_err() {
            println!("skipped: there is no terraform on the path to compare with");
            return None;
        }
        let copies = Self { root: tempfile::tempdir().expect("a temporary folder") };
        for program in BOTH {
            copy(Path::new(&modules), &copies.of(program));
        }
        Some(copies)
    }

    fn of(&self, program: Program) -> PathBuf {
        self.root.path().join(if program == Program::Ours { "ours" } else { "theirs" })
    }

    /// The folders with configuration, relative to a copy.
    fn folders(&self) -> Vec<PathBuf> {
        let root = self.of(Program::Ours);
        let mut found = BTreeSet::new();
        for file in files(&root, "tf") {
            let folder = file.parent().expect("a file has a folder");
            found.insert(folder.strip_prefix(&root).expect("it is in the copy").to_path_buf());
        }
        found.into_iter().collect()
    }

    fn run(&self, program: Program, folder: &Path, args: &[&str]) -> Ran {
        let name = match program {
            Program::Ours => env!("CARGO_BIN_EXE_stratiform"),
            Program::Terraform => "terraform",
        };
        let mut command = Command::new(name);
        command.args(args).current_dir(self.of(program).join(folder)).env_clear();
        let home = self.root.path().join("home");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &home).env("STRATIFORM_HOME", &home).env("NO_COLOR", "1");
        command.env("TF_CLI_CONFIG_FILE", self.rc()).env("CHECKPOINT_DISABLE", "1");
        ran(command.stdin(Stdio::null()).output().expect("it runs"))
    }

    fn rc(&self) -> PathBuf {
        let path = self.root.path().join("rc");
        let mirror = mirror().unwrap_or_else(|| self.root.path().join("nothing"));
        fs::create_dir_all(self.root.path().join("nothing")).expect("a folder can be made");
        let text = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            mirror.display()
        );
        fs::write(&path, text).expect("a file can be written");
        path
    }

    /// Rewrites all files with an ending in both copies.
    fn rewrite(&self, ending: &str, change: impl Fn(&str) -> String) {
        for program in BOTH {
            for path in files(&self.of(program), ending) {
                let text = fs::read_to_string(&path).expect("a file can be read");
                fs::write(&path, change(&text)).expect("a file can be written");
            }
        }
    }
}

fn mirror() -> Option<PathBuf> {
    std::env::var_os("STRATIFORM_TEST_PROVIDER_MIRROR").map(PathBuf::from)
}

/// The files below a folder, without what was installed.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder can be read").flatten() {
        let path = entry.path();
        if path.is_dir() && !entry.file_name().to_string_lossy().starts_with('.') {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|one| one == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Formats both copies, and compares what is said and written.
fn same_format(copies: &Copies, what: &str) {
    let check = BOTH.map(|program| {
        let ran = copies.run(program, Path::new("."), &["fmt", "-check", "-recursive"]);
        let names: BTreeSet<String> = ran.out.lines().map(str::to_owned).collect();
        (ran.code, names)
    });
    assert_eq!(check[0], check[1], "{what}: `fmt -check`");
    for program in BOTH {
        copies.run(program, Path::new("."), &["fmt", "-recursive"]);
    }
    let [ours, theirs] = BOTH.map(|program| files(&copies.of(program), "tf"));
    assert!(!ours.is_empty(), "there are files");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let texts = [ours, theirs].map(|path| fs::read_to_string(path).expect("a file"));
        assert_eq!(texts[0], texts[1], "{what}: {}", ours.display());
    }
}

#[test]
fn published_modules_are_formatted_as_by_terraform() {
    let Some(copies) = Copies::new() else { return };
    same_format(&copies, "as published");
    // Without indentation and alignment.
    copies.rewrite("tf", |text| {
        let lines = text.lines().map(|line| {
            let (front, back) = line.split_once(" =").unwrap_or((line, ""));
            let equals = if back.is_empty() { "" } else { "=" };
            format!("{}{equals}{}\n", front.trim(), back)
        });
        lines.collect()
    });
    same_format(&copies, "without indentation");
    copies.rewrite("tf", |text| text.replace("{\n", "{\n\n\n   ").replace(", ", " ,"));
    same_format(&copies, "with blanks elsewhere");
}

/// The places of errors: file and line.
fn error_lines(report: &str) -> BTreeSet<String> {
    let report: Json = serde_json::from_str(report).unwrap_or_default();
    let found = report["diagnostics"].as_array().cloned().unwrap_or_default();
    // Terraform's plan alone tells of data for a provider that takes none.
    let meta = |one: &&Json| one["summary"].as_str().unwrap_or_default().contains("provider_meta");
    let errors = found.iter().filter(|one| one["severity"] == "error" && !meta(one));
    errors
        .map(|one| format!("{}:{}", one["range"]["filename"], one["range"]["start"]["line"]))
        .collect()
}

/// Takes lower bounds out of the requirements of a file.
fn without_lower_bounds(text: &str) -> String {
    let line = |line: &str| match line.split_once("version = \">= ") {
        Some((front, back)) if !front.contains("required_") && !back.contains(',') => {
            format!("{front}version = \">= 0\"\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn published_modules_get_terraforms_verdict() {
    let Some(copies) = Copies::new() else { return };
    copies.rewrite("tf", without_lower_bounds);
    let every = std::env::var("STRATIFORM_TEST_MODULES_EVERY").ok();
    let every: usize = every.and_then(|text| text.parse().ok()).unwrap_or(1);
    let (mut wrong, mut validated, mut loaded) = (Vec::new(), 0, 0);
    for (at, folder) in copies.folders().iter().enumerate() {
        let shown = folder.display();
        let got = BOTH.map(|program| copies.run(program, folder, &["get", "-no-color"]).code);
        if got[0] != got[1] {
            wrong.push(format!(
                "{shown}: `get` exits with {:?}, Terraform's with {:?}",
                got[0], got[1]
            ));
            continue;
        }
        loaded += usize::from(got[0] == Some(0));
        if got[0] != Some(0) || mirror().is_none() || at % every != 0 {
            continue;
        }
        let init =
            BOTH.map(|program| copies.run(program, folder, &["init", "-no-color", "-input=false"]));
        // What the mirror lacks is lacking for both.
        if init.iter().any(|ran| ran.code != Some(0)) {
            if init[0].code != init[1].code {
                let [ours, theirs] = init;
                wrong.push(format!(
                    "{shown}: `init`\nours {}{}\ntheirs {}{}",
                    ours.out, ours.err, theirs.out, theirs.err
                ));
            }
            continue;
        }
        let reports = BOTH
            .map(|program| copies.run(program, folder, &["validate", "-json", "-no-color"]).out);
        let lines = [error_lines(&reports[0]), error_lines(&reports[1])];
        validated += 1;
        let [ours, theirs] = &lines;
        // Terraform leaves out what is made from a block with a fault.
        if !theirs.is_subset(ours) || theirs.is_empty() != ours.is_empty() {
            wrong.push(format!("{shown}: errors of ours at {ours:?}, of Terraform at {theirs:?}"));
        }
    }
    println!("{loaded} folders were loaded, {validated} validated");
    assert!(loaded > 0, "there is something to load");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
