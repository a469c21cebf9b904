//! What a component type declares, and where declarations are found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Configuration, Variable};
use indexmap::IndexMap;
use lang::{Expression, World};
use syntax::{Block, Body, Diagnostics, Expr, ExprKind, Ident, SourceMap, Span, suggest};
use value::Value;

use crate::error::ComponentError;

/// Where the standard library lies.
const LIBRARY: &str = "stratiform:modules";

/// An interface and its implementations.
#[derive(Debug, Clone)]
pub struct ComponentType {
    /// The keyword of its components.
    pub name: Ident,
    /// What it is for.
    pub description: Option<String>,
    /// What components may set, in source order.
    pub inputs: IndexMap<Arc<str>, Variable>,
    /// What each implementation gives back: name, meaning and place of declaration.
    pub outputs: IndexMap<Arc<str>, (Option<String>, Span)>,
    /// How near to the component that an input refers to: so many of backend, region and zone are the same.
    pub near: BTreeMap<Arc<str>, Near>,
    /// What it costs in an hour, in US dollars over `input`, if a component is in another region than the one that
    /// an input refers to.
    pub apart_usd_per_hour: Vec<(Arc<str>, Expression)>,
    /// In source order.
    pub implementations: Vec<Implementation>,
    /// The folder of the file that declares it.
    pub dir: PathBuf,
    /// Whether it comes from the standard library.
    pub from_library: bool,
}

/// One way to make a component real.
#[derive(Debug, Clone)]
pub struct Implementation {
    /// Its name within the type.
    pub name: Ident,
    /// The backend that it is for.
    pub backend: Arc<str>,
    /// The module's folder, relative to that of the type.
    pub source: String,
    /// Which offers it can use; all, if it does not say.
    pub offer: Option<Expression>,
    /// What must hold, over `offer` and `input`.
    pub requires: Vec<Requirement>,
    /// What it takes from the offer's capacity.
    pub demand: Vec<(Arc<str>, Expression)>,
    /// How many of the offer it takes, for price and quota; one, if it does not say.
    pub machines: Option<Expression>,
    /// How many of these are there while nothing runs; all, if it does not say.
    pub standing: Option<Expression>,
    /// The block's header.
    pub span: Span,
}

impl Implementation {
    /// Whether which offers it can use is the same for every component.
    pub(crate) fn looks_at_offers_alone(&self) -> bool {
        let references = self.offer.as_ref().map(Expression::references).unwrap_or_default();
        references.iter().all(|reference| reference.root.as_str() == "offer")
    }
}

/// How near two components must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Near {
    /// The same backend.
    Backend,
    /// The same region.
    Region,
    /// The same zone, where zones are known.
    Zone,
}

impl Near {
    /// How many levels of a place are equal.
    pub fn levels(self) -> usize {
        match self {
            Self::Backend => 1,
            Self::Region => 2,
            Self::Zone => 3,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Region => "region",
            Self::Zone => "zone",
        }
    }
}

/// A condition and what to say where it does not hold.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// True if all is well.
    pub condition: Expression,
    /// What to say otherwise.
    pub message: Option<Expression>,
}

/// All component types by name.
#[derive(Debug, Clone, Default)]
pub struct Types(pub BTreeMap<Arc<str>, ComponentType>);

/// Reads the standard library and the `component_type` blocks of the configuration. Those of the configuration
/// win, with a warning.
pub fn load_types(configuration: &mut Configuration, world: &dyn World) -> (Types, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut types = Types::default();
    let mut sources = SourceMap::clone(&configuration.sources);
    for (dir, body) in library(world, &mut sources, &mut diagnostics) {
        for block in body.blocks_named("component_type", 1) {
            types.add(&block, &dir, true, &mut diagnostics);
        }
    }
    configuration.sources = Arc::new(sources);
    for module in configuration.modules.values() {
        for block in &module.component_types {
            types.add(block, &module.dir, false, &mut diagnostics);
        }
    }
    (types, diagnostics)
}

/// The declaration file of each folder of the library, in the order of their names.
fn library(
    world: &dyn World,
    sources: &mut SourceMap,
    diagnostics: &mut Diagnostics,
) -> Vec<(PathBuf, Body)> {
    // A world without a library is fine: tests, or types of one's own alone.
    let Ok(mut folders) = world.read_dir(Path::new(LIBRARY)) else { return Vec::new() };
    folders.sort();
    let mut bodies = Vec::new();
    for folder in folders.into_iter().filter(|folder| folder.is_dir) {
        let dir = PathBuf::from(format!("{LIBRARY}/{}", folder.name));
        let file = format!("{}/component.tf", dir.display());
        if !world.exists(Path::new(&file)) {
            continue;
        }
        match world.read_file(Path::new(&file)) {
            Ok(bytes) => {
                let (body, faults) = syntax::parse(sources, &file, &bytes);
                diagnostics.extend(faults);
                bodies.push((dir, body));
            }
            Err(_) => diagnostics.push(ComponentError::Library { path: file }),
        }
    }
    bodies
}

impl Types {
    /// The type of this name.
    pub fn get(&self, name: &str) -> Option<&ComponentType> {
        self.0.get(name)
    }

    fn add(
        &mut self,
        block: &Block,
        dir: &Path,
        from_library: bool,
        diagnostics: &mut Diagnostics,
    ) {
        let mut reader = Reader { diagnostics };
        let Some(declared) = reader.component_type(block, dir, from_library) else { return };
        if let Some(other) = self.0.get(&declared.name.text) {
            let origin =
                if other.from_library { "of the standard library" } else { "declared elsewhere" };
            reader.diagnostics.push(ComponentError::OverriddenType {
                name: declared.name.text.to_string(),
                origin,
                span: block.header,
            });
        }
        self.0.insert(Arc::clone(&declared.name.text), declared);
    }
}

struct Reader<'a> {
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn component_type(
        &mut self,
        block: &Block,
        dir: &Path,
        from_library: bool,
    ) -> Option<ComponentType> {
        let [name] = &block.labels[..] else {
            self.fail("one label is expected, the type's name", block.header, None);
            return None;
        };
        let mut inputs = IndexMap::new();
        for inner in block.body.blocks_checked("input", 1, self.diagnostics) {
            let (variable, faults) = config::component_input(&inner);
            self.diagnostics.extend(faults);
            if let Some(variable) = variable {
                inputs.insert(Arc::clone(&variable.name.text), variable);
            }
        }
        let mut outputs = IndexMap::new();
        for inner in block.body.blocks_checked("output", 1, self.diagnostics) {
            if let [label] = &inner.labels[..] {
                outputs.insert(
                    Arc::clone(&label.text),
                    (self.text(&inner.body, "description"), inner.header),
                );
            }
        }
        let blocks = block.body.blocks_checked("implementation", 1, self.diagnostics);
        let implementations =
            blocks.iter().filter_map(|inner| self.implementation(inner)).collect();
        let allowed =
            ["description", "input", "output", "near", "apart_usd_per_hour", "implementation"];
        self.only(&block.body, &allowed);
        let apart = block.body.attribute("apart_usd_per_hour");
        let apart = apart.map(|attribute| self.demand(&attribute.expr)).unwrap_or_default();
        for (name, expression) in &apart {
            if !inputs.contains_key(name) {
                self.fail(
                    &format!("`{name}` is not an input of this type"),
                    expression.span(),
                    None,
                );
            }
        }
        let near =
            block.body.attribute("near").map(|attribute| self.near(&attribute.expr, &inputs));
        Some(ComponentType {
            name: name.clone(),
            description: self.text(&block.body, "description"),
            inputs,
            outputs,
            near: near.unwrap_or_default(),
            apart_usd_per_hour: apart,
            implementations,
            dir: dir.to_path_buf(),
            from_library,
        })
    }

    fn implementation(&mut self, block: &Block) -> Option<Implementation> {
        let [name] = &block.labels[..] else {
            self.fail("one label is expected, the implementation's name", block.header, None);
            return None;
        };
        let backend = self.required_text(block, "backend");
        let source = self.required_text(block, "source");
        let offer = block.body.attribute("offer").map(|attribute| self.compile(&attribute.expr));
        let requires =
            block.body.attribute("requires").map(|attribute| self.requirements(&attribute.expr));
        let demand = block.body.attribute("demand").map(|attribute| self.demand(&attribute.expr));
        let machines =
            block.body.attribute("machines").map(|attribute| self.compile(&attribute.expr));
        let standing =
            block.body.attribute("standing").map(|attribute| self.compile(&attribute.expr));
        let allowed = [
            "description",
            "backend",
            "source",
            "offer",
            "requires",
            "demand",
            "machines",
            "standing",
        ];
        self.only(&block.body, &allowed);
        Some(Implementation {
            name: name.clone(),
            backend: backend?.into(),
            source: source?,
            offer,
            requires: requires.unwrap_or_default(),
            demand: demand.unwrap_or_default(),
            machines,
            standing,
            span: block.header,
        })
    }

    fn requirements(&mut self, expr: &Expr) -> Vec<Requirement> {
        let help = "write `requires = [{ condition = …, message = \"…\" }]`";
        let ExprKind::Tuple(items) = &expr.kind else {
            self.fail("a list of conditions with messages is expected", expr.span, Some(help));
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            let ExprKind::Object(fields) = &item.kind else {
                self.fail(
                    "an object with `condition` and `message` is expected",
                    item.span,
                    Some(help),
                );
                continue;
            };
            let mut field = |name: &str| {
                let found = fields
                    .iter()
                    .find(|field| field.key.literal().is_some_and(|key| &**key == name));
                found.map(|field| self.compile(&field.value))
            };
            let (condition, message) = (field("condition"), field("message"));
            match condition {
                Some(condition) => found.push(Requirement { condition, message }),
                None => self.fail("`condition` is missing", item.span, Some(help)),
            }
        }
        found
    }

    fn demand(&mut self, expr: &Expr) -> Vec<(Arc<str>, Expression)> {
        let help = "write `demand = { disk_gib = input.capacity_gib }`";
        let ExprKind::Object(items) = &expr.kind else {
            self.fail("an object of numbers is expected", expr.span, Some(help));
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            match item.key.literal() {
                Some(name) => found.push((Arc::clone(name), self.compile(&item.value))),
                None => {
                    self.fail("the name of a capacity is expected", item.key.span(), Some(help));
                }
            }
        }
        found
    }

    fn near(
        &mut self,
        expr: &Expr,
        inputs: &IndexMap<Arc<str>, Variable>,
    ) -> BTreeMap<Arc<str>, Near> {
        let help = "write `near = { fabric = \"zone\" }`, with `backend`, `region` or `zone`";
        let ExprKind::Object(items) = &expr.kind else {
            self.fail("an object of names is expected", expr.span, Some(help));
            return BTreeMap::new();
        };
        let mut found = BTreeMap::new();
        for item in items {
            let level = match self.compile(&item.value).as_constant().and_then(Value::as_str) {
                Some("backend") => Some(Near::Backend),
                Some("region") => Some(Near::Region),
                Some("zone") => Some(Near::Zone),
                _ => None,
            };
            let input = item.key.literal().filter(|name| inputs.contains_key(*name));
            match (input, level) {
                (Some(name), Some(level)) => {
                    found.insert(Arc::clone(name), level);
                }
                (None, _) => {
                    self.fail("the name of an input is expected", item.key.span(), Some(help))
                }
                (_, None) => {
                    self.fail("a level of places is expected", item.value.span, Some(help))
                }
            }
        }
        found
    }

    fn compile(&mut self, expr: &Expr) -> Expression {
        let (expression, faults) = lang::compile(expr);
        self.diagnostics.extend(faults);
        expression
    }

    fn text(&mut self, body: &Body, name: &str) -> Option<String> {
        let expression = self.compile(&body.attribute(name)?.expr);
        let found = expression.as_constant().and_then(|value| value.as_str().map(str::to_owned));
        if found.is_none() {
            self.fail("a string that is written out is expected", expression.span(), None);
        }
        found
    }

    fn required_text(&mut self, block: &Block, name: &str) -> Option<String> {
        if block.body.attribute(name).is_none() {
            self.fail(&format!("`{name}` is missing"), block.header, None);
        }
        self.text(&block.body, name)
    }

    fn only(&mut self, body: &Body, allowed: &[&'static str]) {
        let unexpected: Vec<Ident> =
            body.names().filter(|name| !allowed.contains(&name.as_str())).cloned().collect();
        for name in unexpected {
            let near = suggest(name.as_str(), allowed.iter().copied());
            let help = near.map(|near| format!("did you mean `{near}`?"));
            self.fail(&format!("`{name}` does not belong here"), name.span, help.as_deref());
        }
    }

    fn fail(&mut self, message: &str, span: Span, help: Option<&str>) {
        self.diagnostics.push(ComponentError::Declaration {
            message: message.to_owned(),
            span,
            help: help.map(str::to_owned),
        });
    }
}
