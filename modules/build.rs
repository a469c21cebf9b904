//! Lists the files of the standard library, so that the binary can carry them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    println!("cargo::rerun-if-changed={}", root.display());
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort();
    let mut code = String::from("&[\n");
    for relative in found {
        let path = root.join(&relative);
        let _ =
            writeln!(code, "    ({relative:?}, include_bytes!({:?})),", path.display().to_string());
    }
    code.push(']');
    #[expect(
        clippy::disallowed_methods,
        reason = "build scripts are told their folder by the environment"
    )]
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("files.rs");
    if let Err(error) = std::fs::write(&out, code) {
        println!("cargo::error={}: {error}", out.display());
    }
}

fn walk(root: &Path, dir: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let own = dir == root && !path.is_dir();
        if hidden || own || path.ends_with("src") || path.ends_with("target") {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, found);
        } else if path.extension().is_some_and(|kind| kind == "py") {
            // Scripts that make files are no part of the library.
        } else if let Ok(relative) = path.strip_prefix(root) {
            found.push(relative.to_string_lossy().into_owned());
        }
    }
}
