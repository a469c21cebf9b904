//! The module calls of a folder, read without decoding anything else, so that a fault elsewhere hinders nobody.

use std::collections::BTreeMap;
use std::path::Path;

use syntax::{Block, ExprKind, SourceMap, Span};

use crate::error::InstallError;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its source as written.
    pub source: String,
    /// Its version constraint as written.
    pub version: Option<String>,
    /// Where the source is written.
    pub span: Span,
}

/// Calls by name. A name that a file overrides has the later file's words. Faults of syntax are for the loader.
pub(crate) fn read(
    dir: &Path,
    sources: &mut SourceMap,
) -> Result<BTreeMap<String, Call>, InstallError> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .map_err(|error| InstallError::read(dir, &error))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| {
            !name.starts_with('.') && (name.ends_with(".tf") || name.ends_with(".tf.json"))
        })
        .collect();
    names.sort_by_key(|name| (is_override(name), name.clone()));
    let mut calls = BTreeMap::new();
    for name in names {
        let path = dir.join(&name);
        let bytes = std::fs::read(&path).map_err(|error| InstallError::read(&path, &error))?;
        let json = name.ends_with(".json");
        // JSON may spell the word with escapes.
        if !json && !names_module(&bytes) {
            continue;
        }
        let shown = path.strip_prefix(".").unwrap_or(&path).display().to_string();
        let (body, _) = if json {
            syntax::parse_json(sources, &shown, &bytes)
        } else {
            syntax::parse(sources, &shown, &bytes)
        };
        for block in body.blocks_named("module", 1) {
            let Some(label) = block.labels.first() else { continue };
            add(&mut calls, label.as_str(), &block);
        }
    }
    Ok(calls)
}

/// Whether a file may call modules. Most call none, and the loader reads them all the same.
fn names_module(text: &[u8]) -> bool {
    text.windows(6).any(|word| word == b"module")
}

fn is_override(name: &str) -> bool {
    let stem = name.strip_suffix(".tf.json").or_else(|| name.strip_suffix(".tf")).unwrap_or(name);
    stem == "override" || stem.ends_with("_override")
}

fn add(calls: &mut BTreeMap<String, Call>, name: &str, block: &Block) {
    let text = |name: &str| {
        let attribute = block.body.attribute(name)?;
        match &attribute.expr.kind {
            ExprKind::String(text) => Some((text.to_string(), attribute.expr.span)),
            _ => None,
        }
    };
    match (calls.get_mut(name), text("source")) {
        (Some(call), source) => {
            if let Some((source, span)) = source {
                (call.source, call.span) = (source, span);
            }
            if let Some((version, _)) = text("version") {
                call.version = Some(version);
            }
        }
        (None, Some((source, span))) => {
            let version = text("version").map(|(version, _)| version);
            calls.insert(name.to_owned(), Call { source, version, span });
        }
        (None, None) => {}
    }
}
