//! The copy of an implementation, as a module that anybody can call: types, defaults, descriptions and conditions that
//! the component type has written down stand with its variables.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lang::World;
use syntax::{Block, Body, Expr, ExprKind, SourceMap};
use value::Value;

use super::edit::{self, Edits};
use super::{Leaving, Request, labelled, lone_name, parsed, variable_name};
use crate::error::ComponentError;
use crate::expand::COMPONENT_VARIABLE;

/// The files of the copy.
pub(crate) fn copied(
    one: &Leaving<'_>,
    request: &Request<'_>,
    target: &Path,
) -> Result<Vec<(PathBuf, Vec<u8>)>, ComponentError> {
    let mut files = Vec::new();
    read(&one.source, Path::new(""), request.world, &mut files).map_err(|error| {
        ComponentError::Eject {
            address: one.component.address.clone(),
            what: format!("has an implementation that cannot be read: {error}"),
            span: one.component.block.block.header,
            help: format!("look at `{}`", one.source.display()),
        }
    })?;
    let declared = Declared::of(one, request.sources);
    let written = |(path, bytes): (PathBuf, Vec<u8>)| {
        let native = path.extension().is_some_and(|kind| kind == "tf");
        let top = path.parent().is_none_or(|parent| parent.as_os_str().is_empty());
        let bytes = match std::str::from_utf8(&bytes) {
            Ok(text) if native && top => rewritten(text, one, declared.as_ref()).into_bytes(),
            _ => bytes,
        };
        (target.join(path), bytes)
    };
    Ok(files.into_iter().map(written).collect())
}

fn read(
    dir: &Path,
    inner: &Path,
    world: &dyn World,
    files: &mut Vec<(PathBuf, Vec<u8>)>,
) -> std::io::Result<()> {
    // Joined by text: the library's paths have no trailing slash.
    let whole = |path: &Path| config::load::join(dir, &path.to_string_lossy());
    let mut entries = world.read_dir(&whole(inner))?;
    entries.sort();
    for entry in entries.into_iter().filter(|entry| !entry.name.starts_with('.')) {
        let path = inner.join(&entry.name);
        if entry.is_dir {
            read(dir, &path, world, files)?;
        } else {
            let bytes = world.read_file(&whole(&path))?;
            files.push((path, bytes));
        }
    }
    Ok(())
}

/// Of what the implementation is told of its place, what it looks at.
pub(crate) fn looked_at(one: &Leaving<'_>, request: &Request<'_>) -> Option<Value> {
    let described = one.described.as_ref()?;
    let mut files = Vec::new();
    read(&one.source, Path::new(""), request.world, &mut files).ok()?;
    let mut used = Used::default();
    for (path, bytes) in &files {
        if path.extension().is_some_and(|kind| kind == "tf")
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            edit::expressions(&parsed(text), &mut |expr, _| used.note(expr));
        }
    }
    Some(used.of(described))
}

/// The names behind `var.component` and `var.component.offer`, and how often these stand for themselves.
#[derive(Default)]
struct Used {
    names: BTreeSet<String>,
    facts: BTreeSet<String>,
    seen: usize,
    named: usize,
    offers: usize,
    offers_named: usize,
}

impl Used {
    fn note(&mut self, expr: &Expr) {
        let ExprKind::GetAttr(from, name) = &expr.kind else { return };
        if lone_name(from).is_some_and(|root| &**root == "var") {
            self.seen += usize::from(name.as_str() == COMPONENT_VARIABLE);
            return;
        }
        let ExprKind::GetAttr(root, middle) = &from.kind else { return };
        if lone_name(root).is_some_and(|root| &**root == "var") {
            if middle.as_str() == COMPONENT_VARIABLE {
                self.named += 1;
                self.offers += usize::from(name.as_str() == "offer");
                self.names.insert(name.as_str().to_owned());
            }
            return;
        }
        let ExprKind::GetAttr(root, first) = &root.kind else { return };
        let var = lone_name(root).is_some_and(|root| &**root == "var");
        if var && first.as_str() == COMPONENT_VARIABLE && middle.as_str() == "offer" {
            self.offers_named += 1;
            self.facts.insert(name.as_str().to_owned());
        }
    }

    fn of(&self, described: &Value) -> Value {
        let Some(entries) = described.entries().filter(|_| self.seen == self.named) else {
            return described.clone();
        };
        let kept = entries.iter().filter(|(name, _)| self.names.contains(&***name));
        Value::object(kept.map(|(name, value)| {
            let facts =
                value.entries().filter(|_| &**name == "offer" && self.offers == self.offers_named);
            let value = match facts {
                Some(facts) => Value::object(
                    facts
                        .iter()
                        .filter(|(fact, _)| self.facts.contains(&***fact))
                        .map(|(fact, value)| (Arc::clone(fact), value.clone())),
                ),
                None => value.clone(),
            };
            (Arc::clone(name), value)
        }))
    }
}

/// The `component_type` block, as it is written.
struct Declared {
    text: String,
    body: Body,
}

impl Declared {
    fn of(one: &Leaving<'_>, sources: &SourceMap) -> Option<Self> {
        let file = sources.file_of(one.ty.name.span);
        let text = file.text.to_string();
        let whole = parsed(&text);
        let block = labelled(&whole, "component_type", one.ty.name.as_str())?;
        let body = Body::clone(&block.body);
        Some(Self { text, body })
    }

    fn input(&self, name: &str) -> Option<&Block> {
        labelled(&self.body, "input", name)
    }

    fn attribute(&self, input: &Block, name: &str) -> Option<&str> {
        self.of_span(input.body.attribute(name)?.expr.span)
    }

    fn of_span(&self, span: syntax::Span) -> Option<&str> {
        self.text.get(span.start as usize..span.end as usize)
    }
}

/// A file of the module with its variables as those of a module that stands alone.
fn rewritten(text: &str, one: &Leaving<'_>, declared: Option<&Declared>) -> String {
    let body = parsed(text);
    let mut edits = Edits::new(text);
    edit::expressions(&body, &mut |expr, _| {
        let ExprKind::GetAttr(from, name) = &expr.kind else { return };
        if lone_name(from).is_some_and(|root| &**root == "var") {
            edits.replace(name.span, variable_name(name.as_str()));
        }
    });
    // Variables hold no references to be renamed but in their conditions, which stay as they are.
    let text = edits.done();
    let body = parsed(&text);
    let mut edits = Edits::new(&text);
    let mut after_new = false;
    for block in body.blocks.iter().filter(|block| block.kind.as_str() == "variable") {
        let [name] = &block.labels[..] else { continue };
        let input = declared.and_then(|declared| Some((declared, declared.input(name.as_str())?)));
        if let Some((declared, input)) = input {
            // One line each may stand close together; blocks of several lines are set apart.
            let close = text[..block.span.start as usize].ends_with("}\n") && !after_new;
            let gap = if close { "\n" } else { "" };
            let below =
                if text[block.span.end as usize..].starts_with("\nvariable") { "\n" } else { "" };
            let new = variable(&text, block, one, declared, input);
            edits.replace(block.span, format!("{gap}{new}{below}"));
            after_new = true;
        } else {
            after_new = false;
        }
    }
    let out = edits.done();
    if out == text { out } else { syntax::format(&out) }
}

fn variable(
    text: &str,
    block: &Block,
    one: &Leaving<'_>,
    declared: &Declared,
    input: &Block,
) -> String {
    let name = block.labels.first().map_or("", |label| label.as_str());
    let mut out = format!("variable \"{}\" {{\n", variable_name(name));
    let own = |name: &str| block.body.attribute(name);
    let spelled =
        |span: syntax::Span| text.get(span.start as usize..span.end as usize).unwrap_or("any");
    let ty = match own("type").map(|attribute| &attribute.expr) {
        Some(expr) if lone_name(expr).is_none_or(|name| &**name != "any") => {
            Some(spelled(expr.span))
        }
        any => declared.attribute(input, "type").or(any.map(|_| "any")),
    };
    if let Some(ty) = ty {
        let _ = writeln!(out, "type = {ty}");
    }
    for attribute in block.body.attributes.iter().filter(|one| one.name.as_str() != "type") {
        let _ = writeln!(out, "{}", spelled(attribute.span));
    }
    for wanted in ["default", "description"] {
        if let Some(given) = declared.attribute(input, wanted).filter(|_| own(wanted).is_none()) {
            let _ = writeln!(out, "{wanted} = {given}");
        }
    }
    for inner in &block.body.blocks {
        let _ = writeln!(out, "\n{}", spelled(inner.span));
    }
    for condition in input.body.blocks.iter().filter(|inner| inner.kind.as_str() == "validation") {
        if let Some(condition) = validation(declared, condition, one) {
            let _ = writeln!(out, "\n{condition}");
        }
    }
    out.push('}');
    out
}

/// A condition over `input` as one over `var`; `None` if it looks at an input that the module does not take.
fn validation(declared: &Declared, block: &Block, one: &Leaving<'_>) -> Option<String> {
    let mut edits = Edits::new(&declared.text);
    let mut known = true;
    edit::expressions(&block.body, &mut |expr, _| {
        let ExprKind::GetAttr(from, name) = &expr.kind else { return };
        if lone_name(from).is_some_and(|root| &**root == "input") {
            known &= one.module.variables.contains_key(name.as_str());
            edits.replace(from.span, "var".to_owned());
            edits.replace(name.span, variable_name(name.as_str()));
        }
    });
    let whole = edits.done();
    let (start, end) = (block.span.start as usize, declared.text.len() - block.span.end as usize);
    let text = whole.get(start..whole.len() - end)?.to_owned();
    known.then_some(text)
}
