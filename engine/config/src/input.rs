//! Values of root variables: environment, files and options, each overruling the one before.

use std::collections::BTreeMap;
use std::sync::Arc;

use lang::{Context, NoNames, Phase, World};
use syntax::{Diagnostics, SourceMap, Span, suggest};
use value::Value;

use crate::error::ConfigError;
use crate::module::{Module, Variable};
use crate::rule::RuleError;

/// Where values come from, weakest first.
pub struct InputRequest<'a> {
    /// The sources, in the order in which they overrule each other.
    pub sources: Vec<InputSource>,
    /// The root module.
    pub module: &'a Module,
    /// The world that functions in values see.
    pub world: &'a dyn World,
}

/// One source of values.
#[derive(Debug, Clone)]
pub enum InputSource {
    /// A `TF_VAR_name` of the environment.
    Environment {
        /// The variable.
        name: String,
        /// The text.
        text: String,
    },
    /// A `.tfvars` or `.tfvars.json` file.
    File {
        /// Its path, for messages.
        path: String,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// A `-var name=text`.
    Argument {
        /// The variable.
        name: String,
        /// The text.
        text: String,
    },
}

/// The value of a root variable.
#[derive(Debug, Clone)]
pub struct InputValue {
    /// The value, of the variable's type.
    pub value: Value,
    /// Where it comes from, for messages.
    pub source: String,
    /// Where it is written, if in a file.
    pub span: Option<Span>,
}

/// Reads the values of all root variables that have no default or are given one. Files are added to `sources`.
pub fn read_inputs(
    request: InputRequest<'_>,
    sources: &mut SourceMap,
) -> (BTreeMap<Arc<str>, InputValue>, Diagnostics) {
    let module = request.module;
    let (found, mut diagnostics) = read(request, sources, Strangers::Refused);
    for (name, variable) in &module.variables {
        if variable.default.is_none() && !found.contains_key(name) {
            diagnostics
                .push(ConfigError::MissingVariable { name: name.to_string(), span: variable.span });
        }
    }
    (found, diagnostics)
}

/// Reads values as [`read_inputs`] does, and takes those of variables that the module does not declare too. None
/// need be there.
pub fn read_values(
    request: InputRequest<'_>,
    sources: &mut SourceMap,
) -> (BTreeMap<Arc<str>, InputValue>, Diagnostics) {
    read(request, sources, Strangers::Taken)
}

/// What becomes of values for variables that the module does not declare.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strangers {
    Refused,
    Taken,
}

fn read(
    request: InputRequest<'_>,
    sources: &mut SourceMap,
    strangers: Strangers,
) -> (BTreeMap<Arc<str>, InputValue>, Diagnostics) {
    let mut reader = Reader {
        module: request.module,
        world: request.world,
        sources,
        found: BTreeMap::new(),
        diagnostics: Diagnostics::new(),
        strangers,
    };
    for source in request.sources {
        match source {
            InputSource::Environment { name, text } => {
                if let Some(variable) = request.module.variables.get(name.as_str()) {
                    let shown = format!("the environment (`TF_VAR_{name}`)");
                    reader.text(variable, &shown, &text);
                }
            }
            InputSource::Argument { name, text } => {
                if let Some(variable) = request.module.variables.get(name.as_str()) {
                    reader.text(variable, "`-var`", &text)
                } else if strangers == Strangers::Taken {
                    reader.take(name.as_str().into(), Value::from(text), "`-var`", None);
                } else {
                    let suggestion = reader.suggestion(&name);
                    reader.diagnostics.push(ConfigError::UndeclaredVariable {
                        name,
                        source_text: "`-var`".to_owned(),
                        span: None,
                        suggestion,
                    });
                }
            }
            InputSource::File { path, bytes } => reader.file(&path, &bytes),
        }
    }
    (reader.found, reader.diagnostics)
}

struct Reader<'a> {
    module: &'a Module,
    world: &'a dyn World,
    sources: &'a mut SourceMap,
    found: BTreeMap<Arc<str>, InputValue>,
    diagnostics: Diagnostics,
    strangers: Strangers,
}

impl Reader<'_> {
    fn take(&mut self, name: Arc<str>, value: Value, source: &str, span: Option<Span>) {
        self.found.insert(name, InputValue { value, source: source.to_owned(), span });
    }

    fn suggestion(&self, name: &str) -> Option<String> {
        suggest(name, self.module.variables.keys().map(|name| &**name))
            .map(|near| format!("did you mean `{near}`?"))
    }

    fn text(&mut self, variable: &Variable, source: &str, text: &str) {
        if variable.takes_text {
            return self.accept(variable, Value::from(text), source, None);
        }
        let file = format!("<value for var.{}>", variable.name);
        let (expr, errors) = syntax::parse_expression(self.sources, &file, text);
        let failed = errors.has_errors();
        self.diagnostics.extend(errors);
        if let (Some(expr), false) = (expr, failed)
            && let Some(value) = self.evaluate(&expr)
        {
            self.accept(variable, value, source, Some(expr.span));
        }
    }

    fn file(&mut self, path: &str, bytes: &[u8]) {
        let (body, errors) = if path.ends_with(".json") {
            syntax::parse_json_values(self.sources, path, bytes)
        } else {
            syntax::parse(self.sources, path, bytes)
        };
        self.diagnostics.extend(errors);
        for block in &body.blocks {
            self.diagnostics.push(ConfigError::UnsupportedBlock {
                name: block.kind.text.to_string(),
                block: "a variables file".to_owned(),
                span: block.kind.span,
                suggestion: Some("such a file holds only `name = value`".to_owned()),
            });
        }
        let source = format!("`{path}`");
        for attribute in &body.attributes {
            let name = &attribute.name.text;
            if let Some(variable) = self.module.variables.get(name) {
                if let Some(value) = self.evaluate(&attribute.expr) {
                    self.accept(variable, value, &source, Some(attribute.expr.span));
                }
            } else if self.strangers == Strangers::Taken {
                if let Some(value) = self.evaluate(&attribute.expr) {
                    self.take(Arc::clone(name), value, &source, Some(attribute.expr.span));
                }
            } else {
                let suggestion = self.suggestion(name);
                self.diagnostics.push(ConfigError::UnusedValue {
                    name: name.to_string(),
                    source_text: source.clone(),
                    span: Some(attribute.name.span),
                    suggestion,
                });
            }
        }
    }

    fn evaluate(&mut self, expr: &syntax::Expr) -> Option<Value> {
        if let Some(call) = crate::block::first_call(expr) {
            self.diagnostics.push(RuleError::CallNotAllowed {
                function: call.text.to_string(),
                name: "the value of a variable".to_owned(),
                span: call.span,
            });
            return None;
        }
        let (expression, errors) = lang::compile(expr);
        let failed = errors.has_errors();
        self.diagnostics.extend(errors);
        if failed {
            return None;
        }
        let ctx = Context {
            scope: &NoNames,
            world: self.world,
            phase: Phase::Plan,
            module_dir: std::path::Path::new("."),
            functions: None,
        };
        match expression.evaluate(&ctx) {
            Ok(value) => Some(value),
            Err(errors) => {
                self.diagnostics.extend(errors);
                None
            }
        }
    }

    fn accept(&mut self, variable: &Variable, value: Value, source: &str, span: Option<Span>) {
        let name = Arc::clone(&variable.name.text);
        match variable.ty.accept(value) {
            Ok(value) => {
                self.found.insert(name, InputValue { value, source: source.to_owned(), span });
            }
            Err(error) => {
                self.diagnostics.push(ConfigError::VariableType {
                    name: name.to_string(),
                    source_text: source.to_owned(),
                    message: error.to_string(),
                    wanted: variable.ty.ty.to_string(),
                    span: span.or(Some(variable.span)),
                });
                // The variable has a value, if a bad one; that none is given would be a second report.
                let value = Value::unknown(variable.ty.ty.without_optional());
                self.found.insert(name, InputValue { value, source: source.to_owned(), span });
            }
        }
    }
}
