//! Decodes the blocks of a module, one file for each kind.
//!
//! [`decode_module`] is the list; to add a kind, copy the nearest neighbour and add its line there.

mod body;
mod check;
mod condition;
mod lifecycle;
mod module_call;
mod moved;
mod output;
mod provider;
mod provisioner;
mod resource;
mod terraform;
pub(crate) mod test_file;
mod test_mock;
mod test_run;
mod variable;

use std::path::PathBuf;
use std::sync::Arc;

use address::{ModulePath, ResourceMode};
use syntax::{Block, Body, Diagnostics, Ident, Span};

use crate::error::ConfigError;
use crate::module::{ComponentBlock, Local, Module};
use crate::rule::RuleError;

pub use body::written_out;
pub(crate) use body::{Decoder, Meta, first_call, rest};
pub use moved::{check_moves, moved_component_types};
pub(crate) use provider::check_local_name;

/// Kinds of top-level blocks, with how many labels each takes.
const KINDS: &[(&str, usize, &str)] = &[
    ("terraform", 0, "no labels"),
    ("variable", 1, "one label: its name"),
    ("locals", 0, "no labels"),
    ("output", 1, "one label: its name"),
    ("module", 1, "one label: its name"),
    ("resource", 2, "two labels: its type and its name"),
    ("data", 2, "two labels: its type and its name"),
    ("ephemeral", 2, "two labels: its type and its name"),
    ("provider", 1, "one label: the provider's name"),
    ("moved", 0, "no labels"),
    ("removed", 0, "no labels"),
    ("import", 0, "no labels"),
    ("check", 1, "one label: its name"),
    ("stack", 0, "no labels"),
    ("component_type", 1, "one label: its name"),
];

/// Names of variables that a module call uses for itself.
const RESERVED: [&str; 8] =
    ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];

/// Decodes all files of a module.
pub(crate) fn decode_module(
    path: ModulePath,
    dir: PathBuf,
    bodies: &[Body],
) -> (Module, Diagnostics) {
    let mut module = Module { path, dir, ..Module::default() };
    let mut diagnostics = Diagnostics::new();
    for body in bodies {
        for block in top_level_blocks(body, &mut diagnostics) {
            decode_block(&mut module, &block, &mut diagnostics);
        }
        if !body.json {
            for attribute in &body.attributes {
                diagnostics.push(ConfigError::UnsupportedArgument {
                    name: attribute.name.text.to_string(),
                    block: "a file".to_owned(),
                    span: attribute.name.span,
                    suggestion: Some("arguments stand inside of blocks; values with names go into `locals { … }`".to_owned()),
                });
            }
        }
    }
    (module, diagnostics)
}

/// An input of a component type: it is written like a variable.
pub fn component_input(block: &Block) -> (Option<crate::module::Variable>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let variable = variable::decode(block, &mut diagnostics);
    (variable, diagnostics)
}

fn top_level_blocks(body: &Body, diagnostics: &mut Diagnostics) -> Vec<Block> {
    if !body.json {
        return body.blocks.clone();
    }
    let mut blocks = Vec::new();
    for attribute in &body.attributes {
        let kind = attribute.name.as_str();
        let labels =
            KINDS.iter().find(|(name, ..)| *name == kind).map_or(1, |(_, labels, _)| *labels);
        let found = body.blocks_checked(kind, labels, diagnostics);
        let known = KINDS.iter().any(|(name, ..)| *name == kind);
        if found.is_empty() && !known && kind != "//" {
            diagnostics.push(ConfigError::UnsupportedBlock {
                name: kind.to_owned(),
                block: "a file".to_owned(),
                span: attribute.name.span,
                suggestion: syntax::suggest(kind, KINDS.iter().map(|(name, ..)| *name))
                    .map(|near| format!("did you mean `{near}`?")),
            });
        }
        blocks.extend(found);
    }
    blocks
}

fn decode_block(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let kind = block.kind.as_str();
    if let Some((_, wanted, expected)) = KINDS.iter().find(|(name, ..)| *name == kind)
        && block.labels.len() != *wanted
    {
        let example =
            ["", " \"name\"", " \"type\" \"name\""].get(*wanted).copied().unwrap_or_default();
        diagnostics.push(ConfigError::Labels {
            kind: kind.to_owned(),
            expected,
            span: block.header,
            found: block.labels.len(),
            help: format!("write `{kind}{example} {{ … }}`"),
        });
        return;
    }
    if kind != "provider" {
        for label in &block.labels {
            if !is_name(&label.text) {
                diagnostics.push(ConfigError::InvalidName {
                    name: label.text.to_string(),
                    span: label.span,
                });
            }
        }
    }
    match kind {
        "terraform" => terraform::decode(module, block, diagnostics),
        "variable" => {
            if let Some(variable) = variable::decode(block, diagnostics) {
                insert_variable(module, variable, diagnostics);
            }
        }
        "locals" => decode_locals(module, block, diagnostics),
        "output" => output::decode(module, block, diagnostics),
        "module" => module_call::decode(module, block, diagnostics),
        "resource" => drop(resource::decode(module, block, ResourceMode::Managed, diagnostics)),
        "data" => drop(resource::decode(module, block, ResourceMode::Data, diagnostics)),
        "ephemeral" => drop(resource::decode(module, block, ResourceMode::Ephemeral, diagnostics)),
        "provider" => provider::decode(module, block, diagnostics),
        "moved" => moved::decode_moved(module, block, diagnostics),
        "removed" => moved::decode_removed(module, block, diagnostics),
        "import" => moved::decode_import(module, block, diagnostics),
        "check" => check::decode(module, block, diagnostics),
        "stack" => decode_stack(module, block, diagnostics),
        "component_type" => module.component_types.push(block.clone()),
        _ => module.components.push(ComponentBlock {
            type_name: block.kind.clone(),
            name: if block.labels.len() == 1 { block.labels.first().cloned() } else { None },
            block: block.clone(),
        }),
    }
}

fn insert_variable(
    module: &mut Module,
    variable: crate::module::Variable,
    diagnostics: &mut Diagnostics,
) {
    let name = Arc::clone(&variable.name.text);
    // A component sets the variables of its implementation without writing a call.
    let called =
        module.path.steps().last().is_none_or(|step| step.kind == address::ModuleKind::Call);
    if called && RESERVED.contains(&&*name) {
        let (name, span) = (name.to_string(), variable.name.span);
        diagnostics.push(RuleError::ReservedName { name, span });
    }
    if let Some(first) = module.variables.get(&name) {
        return diagnostics.push(duplicate("variable", &name, first.span, variable.span));
    }
    module.variables.insert(name, variable);
}

fn decode_locals(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    for attribute in &block.body.attributes {
        let name = &attribute.name;
        if !is_name(&name.text) {
            diagnostics
                .push(ConfigError::InvalidName { name: name.text.to_string(), span: name.span });
        }
        if let Some(first) = module.locals.get(&name.text) {
            diagnostics.push(duplicate("local value", &name.text, first.name.span, name.span));
            continue;
        }
        let (value, errors) = lang::compile(&attribute.expr);
        diagnostics.extend(errors);
        module.locals.insert(Arc::clone(&name.text), Local { name: name.clone(), value });
    }
    for inner in &block.body.blocks {
        diagnostics.push(ConfigError::UnsupportedBlock {
            name: inner.kind.text.to_string(),
            block: "locals".to_owned(),
            span: inner.kind.span,
            suggestion: Some(format!("write `{} = {{ … }}`", inner.kind)),
        });
    }
}

fn decode_stack(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    if !module.path.is_root() {
        return diagnostics.push(ConfigError::OutOfPlace {
            name: "stack".to_owned(),
            span: block.header,
            help: "settings of the stack belong in the root module".to_owned(),
        });
    }
    if let Some(first) = &module.stack {
        return diagnostics.push(duplicate("block", "stack", first.header, block.header));
    }
    module.stack = Some(block.clone());
}

pub(crate) fn duplicate(kind: &'static str, name: &str, first: Span, second: Span) -> ConfigError {
    ConfigError::Duplicate { kind, name: name.to_owned(), first, second }
}

/// Says whether a text can be a name.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// The only label of a block whose labels have been counted.
pub(crate) fn label(block: &Block) -> Option<&Ident> {
    block.labels.first()
}
