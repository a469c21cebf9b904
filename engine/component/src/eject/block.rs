//! The `module` call that stands in the place of a component.

use std::fmt::Write as _;

use indexmap::IndexMap;
use lang::text::{is_name, of_value};
use syntax::{Block, Body};

use super::edit::Edits;
use super::{Leaving, Request, folder, labelled, parsed, variable_name};
use crate::expand::COMPONENT_VARIABLE;

/// The text of a file with the component's block replaced; the text as it is, if it is not in this file.
pub(crate) fn replaced(
    text: &str,
    one: &Leaving<'_>,
    request: &Request<'_>,
    notes: &mut Vec<String>,
) -> String {
    let body = parsed(text);
    let written = &one.component.block;
    let name = written.name.as_ref().map_or("", |name| name.as_str());
    let Some(block) = labelled(&body, written.type_name.as_str(), name) else {
        return text.to_owned();
    };
    let mut edits = Edits::new(text);
    edits.replace(block.span, call(text, block, one, request, notes));
    edits.done()
}

fn call(
    text: &str,
    block: &Block,
    one: &Leaving<'_>,
    request: &Request<'_>,
    notes: &mut Vec<String>,
) -> String {
    let mut out = String::new();
    for line in told(one) {
        let _ = writeln!(out, "# {line}");
    }
    let _ = writeln!(out, "module \"{}\" {{", one.name);
    let _ = writeln!(out, "source = \"./{}/{}\"\n", request.folder, one.name);
    if one.module.variables.contains_key(COMPONENT_VARIABLE)
        && let Some(described) = folder::looked_at(one, request)
    {
        let _ = writeln!(out, "{COMPONENT_VARIABLE} = {}\n", of_value(&described));
    }
    out.push_str(arguments(text, block, one, notes).trim_end().trim_start_matches(['\n', '\r']));
    out.push_str("\n}");
    if !request.for_terraform {
        let (old, new) = (&one.component.address, &one.name);
        let _ = write!(
            out,
            "\n\n# To be removed once every state has been applied with it; Terraform refuses it.\nmoved {{\nfrom = {old}\nto = module.{new}\n}}"
        );
    }
    syntax::format(&out).trim_end().to_owned()
}

/// From which decision the place comes.
fn told(one: &Leaving<'_>) -> Vec<String> {
    let Some(decision) = one.decision else { return Vec::new() };
    let mut lines = vec![format!(
        "Was `{}`, placed on {} ({}){}.",
        decision.component,
        decision.offer,
        decision.backend,
        match one.module.variables.contains_key(COMPONENT_VARIABLE) {
            true => format!("; `{COMPONENT_VARIABLE}` has what was known of it then"),
            false => String::new(),
        }
    )];
    lines.extend(decision.reasons.iter().map(|reason| format!("- {}", reason.replace('\n', " "))));
    lines
}

/// What the component sets, as it is written there, comments included.
fn arguments(text: &str, block: &Block, one: &Leaving<'_>, notes: &mut Vec<String>) -> String {
    let body = &block.body;
    let mut edits = Edits::new(text);
    let mut gone = |name: &str, why: &str| {
        notes.push(format!("`{name}` of `{}` is left out: {why}.", one.component.address));
    };
    for attribute in &body.attributes {
        match attribute.name.as_str() {
            "count" | "for_each" | "depends_on" => {}
            "backend" | "try" => {
                gone(attribute.name.as_str(), "the place is settled");
                edits.remove_lines(attribute.span);
            }
            name if one.module.variables.contains_key(name) => {
                edits.replace(attribute.name.span, variable_name(name));
            }
            name => {
                gone(name, "the implementation does not use it");
                edits.remove_lines(attribute.span);
            }
        }
    }
    for (kind, blocks) in by_kind(body) {
        let used = one.module.variables.contains_key(kind);
        if !used {
            gone(kind, "the implementation does not use it");
        }
        for (at, inner) in blocks.iter().enumerate() {
            if used && at == 0 {
                let argument = variable_name(kind);
                edits.replace(inner.span, format!("{argument} = {}", object(text, &blocks)));
            } else {
                edits.remove_lines(inner.span);
            }
        }
    }
    let whole = edits.done();
    // The braces are where they were, counted from either end.
    let head = body.span.start as usize
        + text.len().saturating_sub(text.trim_start_matches('\u{feff}').len());
    let tail = text.len() - (head + body.span.len());
    whole.get(head..whole.len().saturating_sub(tail)).unwrap_or_default().to_owned()
}

fn by_kind(body: &Body) -> IndexMap<&str, Vec<&Block>> {
    let mut found: IndexMap<&str, Vec<&Block>> = IndexMap::new();
    for block in &body.blocks {
        found.entry(block.kind.as_str()).or_default().push(block);
    }
    found
}

/// Blocks of one kind as an object, or, with labels, as a map by label.
fn object(text: &str, blocks: &[&Block]) -> String {
    let mut out = String::from("{\n");
    for block in blocks {
        for label in &block.labels {
            let key = label.as_str();
            let shown =
                if is_name(key) { key.to_owned() } else { of_value(&value::Value::from(key)) };
            let _ = writeln!(out, "{shown} = {{");
        }
        out.push_str(inside(text, &block.body).trim_end().trim_start_matches(['\n', '\r']));
        out.push('\n');
        out.push_str(&"}\n".repeat(block.labels.len()));
    }
    out.push('}');
    out
}

/// What stands between the braces of a block, as the entries of an object.
fn inside(text: &str, body: &Body) -> String {
    let mut edits = Edits::new(text);
    for (kind, blocks) in by_kind(body) {
        for (at, inner) in blocks.iter().enumerate() {
            if at == 0 {
                edits.replace(inner.span, format!("{kind} = {}", object(text, &blocks)));
            } else {
                edits.remove_lines(inner.span);
            }
        }
    }
    let whole = edits.done();
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    let head = body.span.start as usize + mark;
    let tail = text.len() - (head + body.span.len());
    whole.get(head..whole.len().saturating_sub(tail)).unwrap_or_default().to_owned()
}
