//! Published modules, through this binary and through Terraform: loading, `validate` and `fmt`.
//!
//! `STRATIFORM_TEST_MODULES` names a folder that has one for each of them, `STRATIFORM_TEST_PROVIDER_MIRROR` one with
//! the providers that they use. Of each the root, what is in its `modules` and what is in its `wrappers` are compared:
//! whether `init` succeeds, what `validate` finds, by file and line, and every byte that `fmt` would change. A folder
//! whose providers are not in the mirror fails in both programs, and is compared no further.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ran, Stack, copy, ran};
use serde_json::Value as Json;

/// What one program says of one folder.
#[derive(PartialEq, Debug)]
struct Verdict {
    init: Option<i32>,
    validate: Option<i32>,
    /// Severity, file and line of everything found.
    found: Vec<(String, String, u64)>,
}

#[test]
fn published_modules_load_validate_and_format_as_with_terraform() {
    let Some(modules) = std::env::var_os("STRATIFORM_TEST_MODULES") else {
        println!("skipped: STRATIFORM_TEST_MODULES names no folder with published modules");
        return;
    };
    let Some(mirror) = std::env::var_os("STRATIFORM_TEST_PROVIDER_MIRROR") else {
        println!("skipped: STRATIFORM_TEST_PROVIDER_MIRROR names no folder with their providers");
        return;
    };
    if Command::new("terraform").arg("version").output().is_err() {
        println!("skipped: no `terraform` on the path");
        return;
    }
    let settings = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        Path::new(&mirror).display()
    );
    let (mut wrong, mut validated) = (Vec::new(), 0);
    for module in folders(Path::new(&modules)) {
        let sides = [false, true].map(|theirs| {
            let stack = Stack::new(&[("cli.tfrc", &settings)]);
            copy(&module, &stack.dir().join("m"));
            (stack, theirs)
        });
        let name = module.file_name().expect("a name").to_string_lossy().into_owned();
        let formats = sides
            .each_ref()
            .map(|side| run(side, Path::new("m"), &["fmt", "-check", "-diff", "-recursive"]));
        let [ours, theirs] = &formats;
        if (ours.code, &ours.out) != (theirs.code, &theirs.out) {
            wrong.push(format!("{name}: fmt\n{}\nTerraform:\n{}", ours.out, theirs.out));
        }
        for part in parts(&module) {
            let [ours, theirs] = sides.each_ref().map(|side| verdict(side, &part));
            validated += usize::from(theirs.validate.is_some());
            if ours != theirs {
                let part = part.display();
                wrong.push(format!("{name}, {part}: ours {ours:?}, Terraform's {theirs:?}"));
            }
        }
        println!("{name} compared");
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(validated > 0, "no folder could be validated: are their providers in the mirror?");
    println!("{validated} folders were validated");
}

fn folders(within: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(within) else { return Vec::new() };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// The folders of a module that have configuration, as seen from the one around its copy.
fn parts(module: &Path) -> Vec<PathBuf> {
    let mut parts = vec![module.to_path_buf(), module.join("wrappers")];
    parts.extend(["modules", "wrappers"].iter().flat_map(|name| folders(&module.join(name))));
    let has_files = |path: &PathBuf| {
        std::fs::read_dir(path).is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.path().extension().is_some_and(|end| end == "tf"))
        })
    };
    // The root counts even if it has none: `init` has an answer for that.
    parts.retain(|path| path == module || has_files(path));
    let copied = |path: PathBuf| Path::new("m").join(path.strip_prefix(module).unwrap_or(&path));
    parts.into_iter().map(copied).collect()
}

fn run((stack, theirs): &(Stack, bool), folder: &Path, args: &[&str]) -> Ran {
    let mut command = stack.command(args);
    if *theirs {
        command = Command::new("terraform");
        command.args(args).env("CHECKPOINT_DISABLE", "1");
    }
    command.current_dir(stack.dir().join(folder));
    command.env("TF_CLI_CONFIG_FILE", stack.dir().join("cli.tfrc"));
    ran(command.output().expect("the program runs"))
}

fn verdict(side: &(Stack, bool), part: &Path) -> Verdict {
    let init = run(side, part, &["init", "-backend=false", "-input=false"]).code;
    if init != Some(0) {
        return Verdict { init, validate: None, found: Vec::new() };
    }
    let validate = run(side, part, &["validate", "-json"]);
    let document: Json = serde_json::from_str(&validate.out).expect("`validate -json` writes JSON");
    let mut found: Vec<_> = document["diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| {
            let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
            let range = &one["range"];
            let line = range["start"]["line"].as_u64().unwrap_or_default();
            (text(&one["severity"]), text(&range["filename"]), line)
        })
        .collect();
    found.sort();
    Verdict { init, validate: validate.code, found }
}
