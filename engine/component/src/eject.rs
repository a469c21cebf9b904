//! Writes components as plain modules, with which anybody can go on without components.
//!
//! In: the placed configuration and what was decided. Out: [`Ejected`], texts for files: for each component a copy of
//! its implementation and a `module` call in the place of the block, with `moved` blocks that give its objects their
//! new addresses, and every reference to it written anew. Nothing else of a file changes. Nothing is written here.
//!
//! Read in this order: this file, which says what becomes of what; [`block`], the call in the place of a component;
//! [`folder`], the copy of an implementation; [`edit`], changes of a text by place.

mod block;
mod edit;
mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::ModulePath;
use config::Configuration;
use lang::World;
use syntax::{Block, Body, Expr, ExprKind, SourceMap};

use crate::decision::Decision;
use crate::error::ComponentError;
use crate::expand;
use crate::place::PlacedComponent;
use crate::types::{ComponentType, Types};
use edit::Edits;

/// What is to be ejected, and from what.
pub struct Request<'a> {
    /// The configuration, its components placed.
    pub configuration: &'a Configuration,
    /// All component types.
    pub types: &'a Types,
    /// The texts that the types come from.
    pub sources: &'a SourceMap,
    /// The components as they were written.
    pub components: &'a [PlacedComponent],
    /// Where they went.
    pub decisions: &'a [Decision],
    /// The addresses of those that are ejected; all of the root module, if none is named.
    pub addresses: &'a [String],
    /// The folder for the modules, relative to the root module.
    pub folder: &'a str,
    /// Whether nothing is to be left that Terraform does not know. Then the state is moved, since Terraform refuses
    /// `moved` blocks that name a component.
    pub for_terraform: bool,
    /// The files.
    pub world: &'a dyn World,
}

/// What to write.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ejected {
    /// Files that change: name, text before, text after.
    pub changed: Vec<(PathBuf, String, String)>,
    /// Files that are new.
    pub new: Vec<(PathBuf, Vec<u8>)>,
    /// Old and new address of each component.
    pub moves: Vec<(String, String)>,
    /// What could not be said in plain blocks, in sentences.
    pub notes: Vec<String>,
}

/// Blocks of the root module that Terraform does not know, beside components.
const OWN_BLOCKS: [&str; 2] = ["stack", "component_type"];

/// One component on its way out.
pub(crate) struct Leaving<'a> {
    pub(crate) component: &'a PlacedComponent,
    pub(crate) ty: &'a ComponentType,
    pub(crate) decision: Option<&'a Decision>,
    /// The name of the module call.
    pub(crate) name: String,
    /// The implementation's folder.
    pub(crate) source: PathBuf,
    /// The module that it was expanded into.
    pub(crate) module: &'a config::Module,
    /// What the implementation is told of the place.
    pub(crate) described: Option<value::Value>,
}

/// Works out what to write.
///
/// # Errors
///
/// If an address names no component of the root module, an implementation holds components itself, a name is taken,
/// or a component is written as JSON.
pub fn eject(request: &Request<'_>) -> Result<Ejected, ComponentError> {
    let leaving = leaving(request)?;
    let mut ejected = Ejected::default();
    let named: BTreeMap<(&str, &str), &str> = leaving
        .iter()
        .filter_map(|one| {
            let name = one.component.block.name.as_ref()?;
            Some(((one.component.block.type_name.as_str(), name.as_str()), one.name.as_str()))
        })
        .collect();
    for (path, before) in root_files(request) {
        let mut after = with_references(&before, &named);
        for one in &leaving {
            after = block::replaced(&after, one, request, &mut ejected.notes);
        }
        if request.for_terraform {
            after = without_own_blocks(&after, &path, &mut ejected.notes);
        }
        if after != before {
            ejected.changed.push((path, before, after));
        }
    }
    for one in &leaving {
        let target = Path::new(request.folder).join(&one.name);
        ejected.new.extend(folder::copied(one, request, &target)?);
        let old = one.component.address.clone();
        ejected.moves.push((old, format!("module.{}", one.name)));
    }
    ejected.notes.extend(unsaid(request, &leaving));
    Ok(ejected)
}

fn leaving<'a>(request: &Request<'a>) -> Result<Vec<Leaving<'a>>, ComponentError> {
    let root: Vec<&PlacedComponent> =
        request.components.iter().filter(|one| one.module.is_root()).collect();
    let mut wanted = root.clone();
    if !request.addresses.is_empty() {
        for address in request.addresses {
            if !root.iter().any(|one| one.address == *address) {
                return Err(unknown(address, request, &root));
            }
        }
        wanted.retain(|one| request.addresses.contains(&one.address));
    }
    if request.for_terraform
        && let Some(left) =
            root.iter().find(|one| !wanted.iter().any(|other| other.address == one.address))
    {
        return Err(refused(
            &left.address,
            "is left, and Terraform does not know it",
            "name all components, or none for all of them",
            left,
        ));
    }
    let mut names: BTreeSet<String> = request
        .configuration
        .root()
        .calls
        .keys()
        .filter(|step| step.kind == address::ModuleKind::Call)
        .map(|step| step.name.to_string())
        .collect();
    wanted.into_iter().map(|one| leaving_one(one, request, &mut names)).collect()
}

fn leaving_one<'a>(
    component: &'a PlacedComponent,
    request: &Request<'a>,
    names: &mut BTreeSet<String>,
) -> Result<Leaving<'a>, ComponentError> {
    let type_name = component.block.type_name.as_str();
    let missing =
        |what: &str| refused(&component.address, what, "plan without errors first", component);
    let name = component.block.name.as_ref().ok_or_else(|| missing("has no name"))?;
    if component.block.block.body.json {
        let help = "write it in the native syntax first";
        return Err(refused(&component.address, "is written as JSON", help, component));
    }
    let step = expand::step(&component.block).ok_or_else(|| missing("has no name"))?;
    let path = ModulePath::root().child(step.clone());
    let module =
        request.configuration.modules.get(&path).ok_or_else(|| missing("has no implementation"))?;
    let inner =
        request.components.iter().find(|other| other.module.steps().starts_with(path.steps()));
    if let Some(inner) = inner {
        let what = format!("has a component within its implementation, `{}`", inner.address);
        let help = "implementations that hold components cannot be ejected yet";
        return Err(refused(&component.address, &what, help, component));
    }
    let call = request.configuration.root().calls.get(&step);
    let described =
        call.and_then(|call| call.inputs.get(expand::COMPONENT_VARIABLE)?.as_constant().cloned());
    let call_name = format!("{type_name}_{name}");
    if !names.insert(call_name.clone()) {
        let what = format!("would become `module.{call_name}`, which is there already");
        return Err(refused(
            &component.address,
            &what,
            "rename that module first, with a `moved` block",
            component,
        ));
    }
    Ok(Leaving {
        component,
        ty: request.types.get(type_name).ok_or_else(|| missing("has no type"))?,
        decision: request.decisions.iter().find(|one| one.component == component.address),
        name: call_name,
        source: module.dir.clone(),
        module,
        described,
    })
}

fn refused(address: &str, what: &str, help: &str, component: &PlacedComponent) -> ComponentError {
    ComponentError::Eject {
        address: address.to_owned(),
        what: what.to_owned(),
        span: component.block.block.header,
        help: help.to_owned(),
    }
}

fn unknown(address: &str, request: &Request<'_>, root: &[&PlacedComponent]) -> ComponentError {
    let inner = request.components.iter().any(|one| one.address == address);
    let near = syntax::suggest(address, root.iter().map(|one| one.address.as_str()));
    let help = match (inner, near, root.is_empty()) {
        (true, ..) => "components within modules cannot be ejected yet".to_owned(),
        (_, Some(near), _) => format!("did you mean `{near}`?"),
        (_, None, true) => "the root module has no components".to_owned(),
        _ => {
            let all: Vec<&str> = root.iter().map(|one| one.address.as_str()).collect();
            format!("the components are `{}`", all.join("`, `"))
        }
    };
    ComponentError::EjectUnknown { address: address.to_owned(), help }
}

/// The native files of the root module, with their texts as they lie there.
fn root_files(request: &Request<'_>) -> Vec<(PathBuf, String)> {
    let dir = &request.configuration.root().dir;
    let here = |name: &str| {
        let parent = Path::new(name).parent().unwrap_or(Path::new(""));
        config::load::join(parent, "") == config::load::join(dir, "")
    };
    let native = |name: &str| Path::new(name).extension().is_some_and(|kind| kind == "tf");
    let files = request.configuration.sources.files();
    let mut found: Vec<(PathBuf, String)> = files
        .filter(|file| here(&file.name) && native(&file.name))
        .map(|file| {
            let mark = if file.byte_order_mark { "\u{feff}" } else { "" };
            (PathBuf::from(&file.name), format!("{mark}{}", file.text))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The text and the tree of a file; places in the tree are offsets in the text.
pub(crate) fn parsed(text: &str) -> Body {
    let mut sources = SourceMap::new();
    syntax::parse(&mut sources, "ejected.tf", text.as_bytes()).0
}

/// References to the components lead to the module calls.
fn with_references(text: &str, named: &BTreeMap<(&str, &str), &str>) -> String {
    let mut edits = Edits::new(text);
    edit::expressions(&parsed(text), &mut |expr, shadowed| {
        let ExprKind::GetAttr(from, name) = &expr.kind else { return };
        let ExprKind::Variable(root) = &from.kind else { return };
        let hidden = shadowed.iter().any(|own| **own == *root.text);
        if let Some(call) = named.get(&(root.as_str(), name.as_str())).filter(|_| !hidden) {
            edits.replace(root.span.join(name.span), format!("module.{call}"));
        }
    });
    edits.done()
}

fn without_own_blocks(text: &str, path: &Path, notes: &mut Vec<String>) -> String {
    let mut edits = Edits::new(text);
    for block in &parsed(text).blocks {
        if OWN_BLOCKS.contains(&block.kind.as_str()) {
            let labels: Vec<String> =
                block.labels.iter().map(|one| format!(" \"{one}\"")).collect();
            let line = text[..block.span.start as usize].matches('\n').count() + 1;
            notes.push(format!(
                "`{}{}` of {}:{line} is taken out, since Terraform does not know it.",
                block.kind,
                labels.concat(),
                path.display()
            ));
            edits.remove_block(block.span);
        }
    }
    edits.done()
}

/// What goes with the component and cannot be kept.
fn unsaid(request: &Request<'_>, leaving: &[Leaving<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    let all: Vec<String> =
        leaving.iter().map(|one| format!("`{}`", one.component.address)).collect();
    if !all.is_empty() {
        notes.push(format!(
            "{}: checks of what a component asks for, its place being kept or found anew, and its requirements end here; its objects are checked as any others.",
            all.join(", ")
        ));
    }
    let json = request.configuration.sources.files().filter(|file| file.name.ends_with(".tf.json"));
    for file in json {
        let named = leaving.iter().find(|one| file.text.contains(&one.component.address));
        if let Some(one) = named {
            notes.push(format!(
                "`{}` names `{}`: write `module.{}` there; JSON files are not changed.",
                file.name, one.component.address, one.name
            ));
        }
    }
    notes
}

/// The blocks of a file of this kind and label.
pub(crate) fn labelled<'a>(body: &'a Body, kind: &str, label: &str) -> Option<&'a Block> {
    body.blocks.iter().find(|block| {
        block.kind.as_str() == kind && matches!(&block.labels[..], [one] if one.as_str() == label)
    })
}

/// Names that a module's variables cannot have once it is called by a `module` block.
const RESERVED: [&str; 8] =
    ["source", "version", "providers", "count", "for_each", "depends_on", "lifecycle", "locals"];

/// What an input is called as a variable of a module that is called.
pub(crate) fn variable_name(input: &str) -> String {
    if RESERVED.contains(&input) { format!("input_{input}") } else { input.to_owned() }
}

/// The type of an expression, where it is a lone name such as `any`.
pub(crate) fn lone_name(expr: &Expr) -> Option<&Arc<str>> {
    match &expr.kind {
        ExprKind::Variable(name) => Some(&name.text),
        _ => None,
    }
}
