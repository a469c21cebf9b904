//! Which texts are syntax errors: the verdicts of terraform 1.11.4, asked anew where it is at hand.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test binary"
)]

mod table;

use std::process::Command;

use stratiform_syntax::{SourceMap, parse};
use table::{ACCEPTED, REFUSED};

fn is_accepted(text: &str) -> bool {
    !parse(&mut SourceMap::new(), "case.tf", text.as_bytes()).1.has_errors()
}

#[test]
fn verdicts_are_those_of_terraform() {
    assert!(ACCEPTED.len() + REFUSED.len() >= 350);
    let wrong_refused: Vec<_> = ACCEPTED.iter().filter(|text| !is_accepted(text)).collect();
    let wrong_accepted: Vec<_> = REFUSED.iter().filter(|text| is_accepted(text)).collect();
    assert!(
        wrong_refused.is_empty() && wrong_accepted.is_empty(),
        "we refuse: {wrong_refused:#?}\nwe accept: {wrong_accepted:#?}"
    );
}

#[test]
fn stored_verdicts_are_still_those_of_terraform() {
    let folder = tempfile::tempdir().unwrap();
    let texts = || ACCEPTED.iter().chain(REFUSED);
    for (at, text) in texts().enumerate() {
        std::fs::write(folder.path().join(format!("case{at:05}.tf")), text).unwrap();
    }
    let output = Command::new("terraform")
        .args(["fmt", "-list=false", "-write=false", "-no-color", "."])
        .current_dir(folder.path())
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .output();
    let Ok(output) = output else {
        println!("skipped: terraform is not at hand");
        return;
    };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    for (at, text) in texts().enumerate() {
        let refused = errors.contains(&format!("case{at:05}.tf"));
        assert_eq!(refused, at >= ACCEPTED.len(), "{text:?}");
    }
}
