//! Type constraints: `list(object({ a = string, b = optional(number, 5) }))`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use syntax::{Diagnostics, Expr, ExprKind, Ident, ObjectItem, Span, suggest};
use value::{ConversionError, Type, Value};

use crate::context::{Context, NoNames, Phase};
use crate::error::EvalError;
use crate::testing::FixedWorld;

/// A type, and what stands in for attributes that are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeConstraint {
    /// The type; optional attributes are flagged in it.
    pub ty: Type,
    /// Defaults of optional attributes, if there are any.
    pub defaults: Option<Defaults>,
}

/// Defaults of optional attributes, laid out like the type that they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Of this object's attributes.
    pub values: BTreeMap<Arc<str>, Value>,
    /// Of what is inside attributes; for a tuple, the key is the position.
    pub children: BTreeMap<Arc<str>, Defaults>,
    /// Of each element of a list, set or map.
    pub element: Option<Box<Defaults>>,
}

impl TypeConstraint {
    /// The constraint that everything meets.
    pub fn any() -> Self {
        Self { ty: Type::Dynamic, defaults: None }
    }

    /// Fills in defaults, then converts.
    ///
    /// # Errors
    ///
    /// The path and the types that do not fit.
    pub fn accept(&self, value: Value) -> Result<Value, ConversionError> {
        let value = match &self.defaults {
            Some(defaults) => defaults.apply(value),
            None => value,
        };
        value::convert(&value, &self.ty)
    }
}

impl Defaults {
    fn is_empty(&self) -> bool {
        self.values.is_empty() && self.children.is_empty() && self.element.is_none()
    }

    /// Fills in what is missing or null. Null and unknown values stay as they are.
    pub fn apply(&self, value: Value) -> Value {
        if let Some(items) = value.items() {
            return self.apply_to_items(&value, items);
        }
        let Some(entries) = value.entries() else { return value };
        let marks = value.marks();
        let fill = |name: &Arc<str>, item: Value| match self.children.get(name) {
            Some(inner) => inner.apply(item),
            None => self.element.as_ref().map_or(item.clone(), |inner| inner.apply(item)),
        };
        let mut found: Vec<(Arc<str>, Value)> = Vec::with_capacity(entries.len());
        for (name, item) in entries {
            let item = match self.values.get(name) {
                Some(default) if item.is_null() => default.clone(),
                _ => item.clone(),
            };
            found.push((Arc::clone(name), fill(name, item)));
        }
        for (name, default) in &self.values {
            if !entries.contains_key(name) {
                found.push((Arc::clone(name), fill(name, default.clone())));
            }
        }
        // A map may get attributes of other types than its own, so it becomes an object; the conversion
        // that follows decides.
        let filled = if value.is_map() && self.values.is_empty() && self.element.is_none() {
            return value;
        } else {
            Value::object(found)
        };
        filled.mark(marks)
    }

    fn apply_to_items(&self, value: &Value, items: &[Value]) -> Value {
        let filled: Vec<Value> = items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let inner =
                    self.element.as_deref().or_else(|| self.children.get(at.to_string().as_str()));
                inner.map_or_else(|| item.clone(), |inner| inner.apply(item.clone()))
            })
            .collect();
        // A tuple takes elements of any types; the conversion makes a list or set of it again.
        if filled.as_slice() == items {
            return value.clone();
        }
        Value::tuple(filled).mark(value.marks())
    }
}

/// Reads a type constraint. What is no type counts as `any`, so that one fault is reported once.
pub fn parse_type(expr: &Expr) -> (TypeConstraint, Diagnostics) {
    let mut reader = Reader { diagnostics: Diagnostics::new() };
    let (ty, defaults) = reader.outermost(expr);
    let defaults = Some(defaults).filter(|defaults| !defaults.is_empty());
    (TypeConstraint { ty, defaults }, reader.diagnostics)
}

struct Reader {
    diagnostics: Diagnostics,
}

type Read = (Type, Defaults);

const KEYWORDS: [&str; 9] =
    ["string", "number", "bool", "any", "list", "set", "map", "object", "tuple"];

impl Reader {
    /// `list` and `map` alone, from before element types, mean elements of any type.
    fn outermost(&mut self, expr: &Expr) -> Read {
        match &expr.kind {
            ExprKind::Variable(name) if name.as_str() == "list" => {
                (Type::list(Type::Dynamic), Defaults::default())
            }
            ExprKind::Variable(name) if name.as_str() == "map" => {
                (Type::map(Type::Dynamic), Defaults::default())
            }
            _ => self.read(expr),
        }
    }

    fn read(&mut self, expr: &Expr) -> Read {
        match &expr.kind {
            ExprKind::Variable(name) => (self.keyword(name), Defaults::default()),
            ExprKind::Call { name, args, span_args, .. } => {
                self.constructor(name, args, *span_args)
            }
            ExprKind::Parens(inner) => self.read(inner),
            ExprKind::String(text) => {
                let help = format!("write `{text}` without quotes");
                self.fail("a type stands without quotes", expr.span, Some(help))
            }
            _ => self.fail(
                "a type is a keyword such as `string`, or a call such as `list(string)`",
                expr.span,
                None,
            ),
        }
    }

    fn keyword(&mut self, name: &Ident) -> Type {
        match name.as_str() {
            "string" => Type::String,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "any" => Type::Dynamic,
            kind @ ("list" | "set" | "map") => {
                let help = format!("write `{kind}(any)`, or name the element type");
                self.fail("the element type is missing", name.span, Some(help)).0
            }
            "object" => {
                let help = "write `object({ name = string })`".to_owned();
                self.fail("the attribute types are missing", name.span, Some(help)).0
            }
            "tuple" => {
                let help = "write `tuple([string, number])`".to_owned();
                self.fail("the element types are missing", name.span, Some(help)).0
            }
            other => {
                let near = suggest(other, KEYWORDS.into_iter());
                let help = near.map(|near| format!("did you mean `{near}`?"));
                self.fail(&format!("no type is called `{other}`"), name.span, help).0
            }
        }
    }

    fn constructor(&mut self, name: &Ident, args: &[Expr], span: Span) -> Read {
        match (name.as_str(), args) {
            (kind @ ("list" | "set" | "map"), [element]) => {
                let (element, defaults) = self.read(element);
                let ty = match kind {
                    "list" => Type::list(element),
                    "set" => Type::set(element),
                    _ => Type::map(element),
                };
                let inner = Some(defaults).filter(|inner| !inner.is_empty()).map(Box::new);
                (ty, Defaults { element: inner, ..Defaults::default() })
            }
            ("object", [Expr { kind: ExprKind::Object(items), .. }]) => self.object(items),
            ("tuple", [Expr { kind: ExprKind::Tuple(elements), .. }]) => self.tuple(elements),
            ("optional", _) => {
                self.fail("`optional` is for attributes of an object", name.span, None)
            }
            ("list" | "set" | "map", _) => {
                let help = format!("write `{name}(string)`");
                self.fail("one element type is expected", span, Some(help))
            }
            ("object", _) => {
                let help = "write `object({ name = string })`".to_owned();
                self.fail("an object of attribute types is expected", span, Some(help))
            }
            ("tuple", _) => {
                let help = "write `tuple([string, number])`".to_owned();
                self.fail("a list of element types is expected", span, Some(help))
            }
            ("string" | "number" | "bool" | "any", _) => {
                let help = format!("write `{name}`");
                self.fail("this type takes no arguments", span, Some(help))
            }
            (other, _) => {
                let near = suggest(other, KEYWORDS.into_iter().chain(["optional"]));
                let help = near.map(|near| format!("did you mean `{near}`?"));
                self.fail(&format!("no type is called `{other}`"), name.span, help)
            }
        }
    }

    fn tuple(&mut self, elements: &[Expr]) -> Read {
        let mut types = Vec::with_capacity(elements.len());
        let mut defaults = Defaults::default();
        for (at, element) in elements.iter().enumerate() {
            let (ty, inner) = self.read(element);
            types.push(ty);
            if !inner.is_empty() {
                defaults.children.insert(at.to_string().into(), inner);
            }
        }
        (Type::tuple(types), defaults)
    }

    fn object(&mut self, items: &[ObjectItem]) -> Read {
        let mut attributes = Vec::with_capacity(items.len());
        let mut defaults = Defaults::default();
        for item in items {
            let Some(name) = item.key.literal().cloned() else {
                let _ = self.fail("the name of an attribute is expected", item.key.span(), None);
                continue;
            };
            let (ty, optional) = self.attribute(&name, &item.value, &mut defaults);
            attributes.push((name, ty, optional));
        }
        (Type::object_with_optional(attributes), defaults)
    }

    fn attribute(&mut self, name: &Arc<str>, expr: &Expr, into: &mut Defaults) -> (Type, bool) {
        let (inner, default, optional) = match &expr.kind {
            ExprKind::Call { name, args, .. } if name.as_str() == "optional" => match &args[..] {
                [ty] => (ty, None, true),
                [ty, default] => (ty, Some(default), true),
                _ => {
                    let help = "write `optional(string)` or `optional(string, \"default\")`";
                    let _ = self.fail(
                        "`optional` takes a type and perhaps a default",
                        expr.span,
                        Some(help.to_owned()),
                    );
                    return (Type::Dynamic, true);
                }
            },
            _ => (expr, None, false),
        };
        let (ty, defaults) = self.read(inner);
        if let Some(default) = default.and_then(|default| self.default(default, &ty)) {
            into.values.insert(Arc::clone(name), default);
        }
        if !defaults.is_empty() {
            into.children.insert(Arc::clone(name), defaults);
        }
        (ty, optional)
    }

    fn default(&mut self, expr: &Expr, ty: &Type) -> Option<Value> {
        let (compiled, diagnostics) = crate::compile::compile_default(expr);
        if diagnostics.has_errors() {
            self.diagnostics.extend(diagnostics);
            return None;
        }
        // No function that reads from outside makes sense here, so an empty world serves.
        let world = FixedWorld::default();
        let ctx = Context {
            scope: &NoNames,
            world: &world,
            phase: Phase::Plan,
            module_dir: Path::new("."),
            functions: None,
        };
        let value = match compiled.evaluate(&ctx) {
            Ok(value) => value,
            Err(diagnostics) => {
                self.diagnostics.extend(diagnostics);
                return None;
            }
        };
        match value::convert(&value, ty) {
            Ok(value) => Some(value),
            Err(error) => {
                let _ = self.fail(
                    &format!("the default does not have the attribute's type: {error}"),
                    expr.span,
                    None,
                );
                None
            }
        }
    }

    fn fail(&mut self, message: &str, span: Span, help: Option<String>) -> Read {
        self.diagnostics.push(EvalError::TypeExpression {
            message: message.to_owned(),
            span,
            help,
        });
        (Type::Dynamic, Defaults::default())
    }
}
