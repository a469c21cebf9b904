//! The canonical layout, against `terraform fmt` where that is at hand.
//!
//! `STRATIFORM_FMT_TREES=DIR:DIR` compares all files below these folders too.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test binary"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use stratiform_syntax as syntax;
use syntax::testing::{Random, Spelling, meaning, mutate, program};
use syntax::{Body, Diagnostics, SourceMap};

fn parse(text: &str) -> (Body, Diagnostics) {
    syntax::parse(&mut SourceMap::new(), "test.tf", text.as_bytes())
}

fn is_terraform_here() -> bool {
    let here = Command::new("terraform").arg("version").env("CHECKPOINT_DISABLE", "1").output();
    here.is_ok_and(|output| output.status.success())
}

/// Formats texts by one run of terraform; `None` for those that it refuses.
fn by_terraform(texts: &[String]) -> Vec<Option<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = |at: usize| folder.path().join(format!("case{at:05}.tf"));
    for (at, text) in texts.iter().enumerate() {
        std::fs::write(path(at), text).unwrap();
    }
    let output = Command::new("terraform")
        .args(["fmt", "-list=false", "-no-color", "."])
        .current_dir(folder.path())
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = |at: usize| errors.contains(&format!("case{at:05}.tf"));
    let read = |at| (!refused(at)).then(|| std::fs::read_to_string(path(at)).unwrap());
    (0..texts.len()).map(read).collect()
}

/// The line in which two texts begin to differ.
fn difference(ours: &str, theirs: &str) -> Option<String> {
    if ours == theirs {
        return None;
    }
    let pairs = ours.split('\n').zip(theirs.split('\n'));
    let line = pairs.clone().position(|(a, b)| a != b);
    Some(match line {
        Some(at) => {
            let (a, b) = pairs.clone().nth(at).unwrap();
            format!("line {}\nours:   {a:?}\ntheirs: {b:?}", at + 1)
        }
        None => "one is longer".to_owned(),
    })
}

/// Terraform drops labels with a `$` or `%` in them, and the index of `a[true]`. There we differ.
fn loses_meaning(before: &str, after: &str) -> bool {
    let (after, faults) = parse(after);
    faults.has_errors() || meaning(&after) != meaning(&parse(before).0)
}

fn compare(texts: &[String]) {
    if !is_terraform_here() {
        println!("skipped: terraform is not at hand");
        return;
    }
    let mut failures = Vec::new();
    let mut lossy = 0;
    for (text, theirs) in texts.iter().zip(by_terraform(texts)) {
        let accepted = !parse(text).1.has_errors();
        match theirs {
            None if !accepted => {}
            Some(theirs) if accepted => {
                let found = difference(&syntax::format(text), &theirs);
                if found.is_some() && loses_meaning(text, &theirs) {
                    lossy += 1;
                    continue;
                }
                failures.extend(found.map(|found| format!("{found}\nof:\n{text}")));
            }
            theirs => failures.push(format!(
                "{} is accepted by {} only",
                text,
                if theirs.is_some() { "terraform" } else { "us" }
            )),
        }
    }
    println!("{} texts, {lossy} of which terraform changes the meaning of", texts.len());
    let count = failures.len();
    failures.truncate(8);
    assert!(
        failures.is_empty(),
        "{count} of {} differ:\n{}",
        texts.len(),
        failures.join("\n----\n")
    );
}

#[test]
fn generated_programs_are_formatted_as_by_terraform() {
    let make = |seed: u64| {
        let spelling = if seed.is_multiple_of(2) { Spelling::Plain } else { Spelling::Wild };
        program(&mut Random(seed), spelling)
    };
    compare(&(0..1000).map(make).collect::<Vec<_>>());
}

#[test]
fn damaged_programs_are_formatted_or_refused_as_by_terraform() {
    let make = |seed: u64| {
        let mut random = Random(seed);
        let text = program(&mut random, Spelling::Wild);
        // NUL characters we refuse, as docs/compatibility.md says.
        String::from_utf8(mutate(&mut random, &text)).ok().filter(|text| !text.contains('\0'))
    };
    compare(&(10_000..10_600).filter_map(make).collect::<Vec<_>>());
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            files_below(&path, found);
        } else if [".tf", ".tfvars", ".tftest.hcl"].iter().any(|end| name.ends_with(end)) {
            found.push(path);
        }
    }
}

#[test]
fn real_files_are_formatted_as_by_terraform() {
    let mut files = Vec::new();
    files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &mut files);
    for folder in std::env::var("STRATIFORM_FMT_TREES").unwrap_or_default().split(':') {
        if !folder.is_empty() {
            files_below(Path::new(folder), &mut files);
        }
    }
    let texts: Vec<String> =
        files.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    assert!(texts.len() > 10);
    println!("{} files", texts.len());
    compare(&texts);
}

#[test]
fn formatting_twice_changes_nothing_and_the_meaning_stays() {
    for seed in 20_000..21_000 {
        let text = program(&mut Random(seed), Spelling::Wild);
        let once = syntax::format(&text);
        let (before, after) = (parse(&text).0, parse(&once));
        assert!(!after.1.has_errors(), "seed {seed}: {:?}\n{text}\n-----\n{once}", after.1);
        assert_eq!(meaning(&before), meaning(&after.0), "seed {seed}\n{text}\n-----\n{once}");
        // Each run takes one layer off `"${"${a}"}"`.
        let mut last = once;
        for _ in 0..4 {
            last = syntax::format(&last);
        }
        assert_eq!(syntax::format(&last), last, "seed {seed}\n{text}");
    }
}
