//! A provider of one's own, from `provider new` to a stack that uses it.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Stack, ran, workspace};

/// The folder that cargo builds into, and the profile's folder in it.
fn target() -> (PathBuf, PathBuf) {
    let own = std::env::current_exe().expect("a test has a path");
    let profile = own.ancestors().nth(2).expect("tests lie in a folder of the profile's folder");
    let target = profile.parent().expect("profiles lie in the target folder");
    (target.to_owned(), profile.to_owned())
}

#[test]
fn the_how_to_shows_the_program_that_is_built() {
    let page =
        std::fs::read_to_string(workspace().join("docs/how-to/provider.md")).expect("a page");
    let program = workspace().join("engine/cli/template/provider/main.rs");
    let program = std::fs::read_to_string(program).expect("a program");
    assert!(page.contains(&format!("```rust\n{program}```\n")), "copy the program into the page");
    let lines = program.lines().count();
    assert!(lines < 130, "about a hundred lines can be shown, not {lines}");
}

/// Plans, applies, changes by hand, finds that, changes, destroys.
fn lives(stack: &Stack, name: &str) {
    let file = stack.dir().join("hello.txt");
    let read = || std::fs::read_to_string(&file).unwrap_or_default();
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(read(), "Hello.\n");
    stack.ok(&["plan", "-detailed-exitcode"]);
    std::fs::write(&file, "Meddled.\n").expect("written");
    let out = stack.ok(&["plan"]);
    assert!(out.contains("0 to add, 1 to change, 0 to destroy"), "{out}");
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(read(), "Hello.\n");
    stack.ok(&["state", "rm", &format!("{name}_file.hello")]);
    stack.ok(&["import", &format!("{name}_file.hello"), "hello.txt"]);
    stack.ok(&["plan", "-detailed-exitcode"]);
    stack.ok(&["destroy", "-auto-approve"]);
    assert!(!file.exists());
}

/// A stack with the example of a new provider, and a development override that names its program.
fn example(text: &str, name: &str, program: &Path) -> Stack {
    let stack = Stack::new(&[("main.tf", text)]);
    let folder = stack.dir().join("plugins");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let link = folder.join(format!("terraform-provider-{name}"));
    std::os::unix::fs::symlink(program, link).expect("a link can be made");
    let rc = format!(
        "provider_installation {{\n  dev_overrides {{\n    \"example/{name}\" = \"{}\"\n  }}\n  direct {{}}\n}}\n",
        folder.display()
    );
    std::fs::create_dir_all(stack.home()).expect("a folder can be made");
    std::fs::write(stack.home().join(".terraformrc"), rc).expect("written");
    stack
}

#[test]
fn the_program_of_the_how_to_is_a_provider() {
    let program = target().1.join("examples").join("note");
    assert!(program.exists(), "build it first: cargo build -p stratiform --example note");
    let text = include_str!("../template/provider/example.tf");
    let stack = example(text, "note", &program);
    lives(&stack, "note");
    stack.write("main.tf", &text.replace("hello.txt", "a/b"));
    assert!(stack.fails(&["plan"]).contains("this is no name of a file"));
    let report = stack.ok(&["provider", "check", program.to_str().expect("a path of text")]);
    assert!(report.contains("0 failed"), "{report}");
}

#[test]
fn a_new_provider_builds_and_works_here_and_with_terraform() {
    let stack = Stack::new(&[]);
    let sdk = format!("-sdk={}", workspace().display());
    stack.ok(&["provider", "new", "mycloud", &sdk]);
    let folder = stack.dir().join("terraform-provider-mycloud");
    assert!(stack.fails(&["provider", "new", "mycloud", &sdk]).contains("is not empty"));
    assert!(stack.fails(&["provider", "new", "My", &sdk]).contains("no name of a provider"));
    assert!(stack.fails(&["provider", "new", "other", "-sdk=/nowhere"]).contains("-sdk=DIR"));
    // The versions that are at hand already.
    std::fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("copied");
    let (target, profile) = target();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--offline", "--quiet"]).current_dir(&folder);
    cargo.env("CARGO_TARGET_DIR", &target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = match cargo.output() {
        Ok(output) => ran(output),
        Err(error) => return println!("skipped: cargo cannot be run: {error}"),
    };
    assert_eq!(built.code, Some(0), "{}", built.err);
    let program = profile.join("terraform-provider-mycloud");
    let text = std::fs::read_to_string(folder.join("example/main.tf")).expect("an example");
    let stack = example(&text, "mycloud", &program);
    lives(&stack, "mycloud");

    let theirs = example(&text, "mycloud", &program);
    let terraform = |args: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(args).current_dir(theirs.dir()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", theirs.home()).env("CHECKPOINT_DISABLE", "1");
        command.env("TF_CLI_CONFIG_FILE", theirs.home().join(".terraformrc"));
        command.output().map(ran)
    };
    let Ok(applied) = terraform(&["apply", "-auto-approve", "-no-color"]) else {
        return println!("skipped: there is no terraform on the path");
    };
    assert_eq!(applied.code, Some(0), "{}\n{}", applied.out, applied.err);
    let empty = terraform(&["plan", "-detailed-exitcode", "-no-color"]).expect("it runs");
    assert_eq!(empty.code, Some(0), "{}\n{}", empty.out, empty.err);
    assert!(theirs.dir().join("hello.txt").exists());
}
