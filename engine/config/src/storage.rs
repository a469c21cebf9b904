//! Where the root module says that the state is, read before anything else is.
//!
//! Everything is checked when the module is loaded; what is wrong is passed over here.

use std::path::Path;

use lang::World;
use syntax::{Block, Body, ExprKind, SourceMap};

/// The settings of a `backend "local"` block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalBackend {
    /// The state's file for the workspace `default`.
    pub path: Option<String>,
    /// The folder with a folder for every other workspace.
    pub workspace_dir: Option<String>,
}

/// The `backend "local"` block of the module in the working folder. Override files come last, and count.
pub fn local_backend(world: &dyn World) -> Option<LocalBackend> {
    let folder = Path::new(".");
    let mut names: Vec<String> = world
        .read_dir(folder)
        .ok()?
        .into_iter()
        .filter(|entry| !entry.is_dir && !entry.name.starts_with('.'))
        .map(|entry| entry.name)
        .filter(|name| name.ends_with(".tf") || name.ends_with(".tf.json"))
        .collect();
    let overrides = |name: &String| {
        let stem = name.split(".tf").next().unwrap_or_default();
        stem == "override" || stem.ends_with("_override")
    };
    names.sort_by_key(|name| (overrides(name), name.clone()));
    let mut found = None;
    for name in names {
        let Ok(bytes) = world.read_file(&folder.join(&name)) else { continue };
        // Most files say nothing of it, and parsing them all would take as long as loading them.
        if !bytes.windows(7).any(|part| part == b"backend") {
            continue;
        }
        let mut sources = SourceMap::new();
        let (body, _) = if name.ends_with(".json") {
            syntax::parse_json(&mut sources, &name, &bytes)
        } else {
            syntax::parse(&mut sources, &name, &bytes)
        };
        found = in_body(&body).or(found);
    }
    found
}

fn in_body(body: &Body) -> Option<LocalBackend> {
    let mut none = syntax::Diagnostics::new();
    let blocks = |body: &Body, kind: &str, labels: usize, none: &mut syntax::Diagnostics| {
        body.blocks_checked(kind, labels, none)
    };
    let terraform: Vec<Block> = blocks(body, "terraform", 0, &mut none);
    let backends: Vec<Block> =
        terraform.iter().flat_map(|one| blocks(&one.body, "backend", 1, &mut none)).collect();
    let local = backends
        .into_iter()
        .find(|one| one.labels.first().is_some_and(|label| label.as_str() == "local"))?;
    let text = |name: &str| match &local.body.attribute(name)?.expr.kind {
        ExprKind::String(text) => Some(text.to_string()),
        _ => None,
    };
    Some(LocalBackend { path: text("path"), workspace_dir: text("workspace_dir") })
}

#[cfg(test)]
mod tests {
    use lang::testing::FixedWorld;

    use super::*;

    #[test]
    fn the_block_is_found_in_both_spellings_and_overridden() {
        let of =
            |files: &[(&str, &str)]| local_backend(&FixedWorld::with_files(files.iter().copied()));
        let backend = |path: &str, dir: Option<&str>| {
            Some(LocalBackend {
                path: Some(path.to_owned()),
                workspace_dir: dir.map(str::to_owned),
            })
        };
        let native = "terraform {\n  backend \"local\" {\n    path          = \"a/s\"\n    workspace_dir = \"w\"\n  }\n}\n";
        assert_eq!(of(&[("main.tf", native)]), backend("a/s", Some("w")));
        let json = "{ \"terraform\": { \"backend\": { \"local\": { \"path\": \"j\" } } } }";
        assert_eq!(of(&[("main.tf.json", json)]), backend("j", None));
        assert_eq!(of(&[("x_override.tf.json", json), ("z.tf", native)]), backend("j", None));
        assert_eq!(of(&[("main.tf", "# backend\nlocals {}\n")]), None);
        assert_eq!(of(&[("main.tf", "terraform {\n  backend \"s3\" {}\n}\n")]), None);
        // What is not whole is reported by whoever loads the module.
        assert_eq!(of(&[("main.tf", "terraform { backend \"local\" {\n")]), None);
        assert_eq!(of(&[]), None);
    }
}
