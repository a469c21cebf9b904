//! Component types: an interface, and one implementation per backend.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Configuration, Variable};
use indexmap::IndexMap;
use lang::{Expression, World};
use syntax::{Block, Diagnostics, ExprKind, ObjectKey, SourceMap, Span};

use crate::error::ComponentError;

/// Component types by name.
pub type Types = BTreeMap<Arc<str>, Arc<ComponentType>>;

/// The folder of the standard library, as the world serves it.
const LIBRARY: &str = "stratiform:modules";

/// A component type.
#[derive(Debug, Clone)]
pub struct ComponentType {
    /// Its name: the kind of its blocks.
    pub name: Arc<str>,
    /// What it stands for.
    pub description: String,
    /// Its inputs, written like variables.
    pub inputs: IndexMap<Arc<str>, Variable>,
    /// Its outputs with their descriptions.
    pub outputs: IndexMap<Arc<str>, String>,
    /// Its implementations, in the order in which they are tried.
    pub implementations: Vec<Implementation>,
    /// The declaration.
    pub span: Span,
}

/// How a component type is made on one backend.
#[derive(Debug, Clone)]
pub struct Implementation {
    /// Its name.
    pub name: Arc<str>,
    /// The backend.
    pub backend: Arc<str>,
    /// The module's folder.
    pub source: String,
    /// The folder of the file that declares it.
    pub dir: PathBuf,
    /// Which offers it can use; all if absent.
    pub offer: Option<Expression>,
    /// What must hold of offer and inputs.
    pub requires: Vec<Requirement>,
    /// What it takes from the offer's capacity.
    pub demand: Option<Expression>,
    /// The block.
    pub span: Span,
}

/// A condition on offer and inputs.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// True if the offer will do.
    pub condition: Expression,
    /// What is missing otherwise.
    pub message: Expression,
}

/// Reads the standard library and the types that the configuration declares; a user's type goes before one of
/// the library.
pub fn load_types(configuration: &mut Configuration, world: &dyn World) -> (Types, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut types = Types::new();
    let mut sources = SourceMap::clone(&configuration.sources);
    for (dir, block) in library_blocks(&mut sources, world, &mut diagnostics) {
        if let Some(found) = decode(&block, &dir, &mut diagnostics) {
            types.insert(Arc::clone(&found.name), Arc::new(found));
        }
    }
    configuration.sources = Arc::new(sources);
    for module in configuration.modules.values() {
        for block in &module.component_types {
            let Some(found) = decode(block, &module.dir, &mut diagnostics) else { continue };
            if types.contains_key(&found.name) {
                diagnostics.push(ComponentError::TypeReplaced {
                    name: found.name.to_string(),
                    span: block.header,
                });
            }
            types.insert(Arc::clone(&found.name), Arc::new(found));
        }
    }
    (types, diagnostics)
}

fn library_blocks(
    sources: &mut SourceMap,
    world: &dyn World,
    diagnostics: &mut Diagnostics,
) -> Vec<(PathBuf, Block)> {
    // A world without a library is one without component types.
    let Ok(folders) = world.read_dir(Path::new(LIBRARY)) else { return Vec::new() };
    let mut found = Vec::new();
    for folder in folders.into_iter().filter(|entry| entry.is_dir) {
        let dir = Path::new(LIBRARY).join(&folder.name);
        let file = dir.join("component.tf");
        match world.read_file(&file) {
            Ok(bytes) => {
                let (body, errors) = syntax::parse(sources, &file.display().to_string(), &bytes);
                diagnostics.extend(errors);
                let blocks =
                    body.blocks.into_iter().filter(|block| block.kind.as_str() == "component_type");
                found.extend(blocks.map(|block| (dir.clone(), block)));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => diagnostics.push(ComponentError::Library { reason: error.to_string() }),
        }
    }
    found
}

fn decode(block: &Block, dir: &Path, diagnostics: &mut Diagnostics) -> Option<ComponentType> {
    let name = block.labels.first()?;
    let mut found = ComponentType {
        name: Arc::clone(&name.text),
        description: text(block, "description").unwrap_or_default(),
        inputs: IndexMap::new(),
        outputs: IndexMap::new(),
        implementations: Vec::new(),
        span: block.header,
    };
    let invalid = |message: String, span: Span| ComponentError::InvalidType {
        name: name.text.to_string(),
        message,
        span,
    };
    for inner in &block.body.blocks {
        match (inner.kind.as_str(), inner.labels.as_slice()) {
            ("input", [_]) => {
                let (variable, errors) = config::component_input(inner);
                diagnostics.extend(errors);
                if let Some(variable) = variable {
                    found.inputs.insert(Arc::clone(&variable.name.text), variable);
                }
            }
            ("output", [label]) => {
                found.outputs.insert(
                    Arc::clone(&label.text),
                    text(inner, "description").unwrap_or_default(),
                );
            }
            ("implementation", [label]) => {
                match implementation(inner, &label.text, dir, diagnostics) {
                    Ok(implementation) => found.implementations.push(implementation),
                    Err(message) => diagnostics.push(invalid(message, inner.header)),
                }
            }
            (other, _) => {
                let message = format!(
                    "`{other}` is neither `input`, `output` nor `implementation` with one label"
                );
                diagnostics.push(invalid(message, inner.header));
            }
        }
    }
    for attribute in block.body.attributes.iter().filter(|a| a.name.as_str() != "description") {
        diagnostics.push(invalid(
            format!("there is no argument `{}`", attribute.name),
            attribute.name.span,
        ));
    }
    if found.implementations.is_empty() {
        diagnostics.push(invalid("it has no implementation".to_owned(), block.header));
    }
    Some(found)
}

fn text(block: &Block, name: &str) -> Option<String> {
    match &block.body.attribute(name)?.expr.kind {
        ExprKind::String(text) => Some(text.to_string()),
        _ => None,
    }
}

fn implementation(
    block: &Block,
    name: &Arc<str>,
    dir: &Path,
    diagnostics: &mut Diagnostics,
) -> Result<Implementation, String> {
    let mut compile = |expr: &syntax::Expr| {
        let (expression, errors) = lang::compile(expr);
        diagnostics.extend(errors);
        expression
    };
    let offer = block.body.attribute("offer").map(|attribute| compile(&attribute.expr));
    let demand = block.body.attribute("demand").map(|attribute| compile(&attribute.expr));
    let mut requires = Vec::new();
    if let Some(attribute) = block.body.attribute("requires") {
        let ExprKind::Tuple(items) = &attribute.expr.kind else {
            return Err("`requires` is a list of objects with `condition` and `message`".to_owned());
        };
        for item in items {
            let ExprKind::Object(parts) = &item.kind else {
                return Err(
                    "`requires` is a list of objects with `condition` and `message`".to_owned()
                );
            };
            let part = |wanted: &str| {
                parts.iter().find(|part| match &part.key {
                    ObjectKey::Name(name) => name.as_str() == wanted,
                    ObjectKey::Expr(_) => part.key.literal().is_some_and(|key| &**key == wanted),
                })
            };
            let (Some(condition), Some(message)) = (part("condition"), part("message")) else {
                return Err("each entry of `requires` has `condition` and `message`".to_owned());
            };
            requires.push(Requirement {
                condition: compile(&condition.value),
                message: compile(&message.value),
            });
        }
    }
    let known = ["backend", "source", "offer", "demand", "requires", "description"];
    if let Some(other) = block.body.attributes.iter().find(|a| !known.contains(&a.name.as_str())) {
        return Err(format!("there is no argument `{}` in an implementation", other.name));
    }
    let source = text(block, "source")
        .ok_or("an implementation needs a `source`: the path of its module")?;
    Ok(Implementation {
        name: Arc::clone(name),
        backend: text(block, "backend").map_or_else(|| Arc::clone(name), Arc::from),
        source,
        dir: dir.to_owned(),
        offer,
        requires,
        demand,
        span: block.header,
    })
}
