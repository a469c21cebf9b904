//! Type constraints, and the defaults of optional attributes.

use std::collections::BTreeMap;
use std::sync::Arc;

use syntax::{Diagnostics, Expr, ExprKind, ObjectKey, Span};
use value::{ConversionError, Type, Value, convert};

use crate::error::EvalError;

/// A type constraint with the defaults that it declares.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeConstraint {
    /// The type, optional attributes included.
    pub ty: Type,
    /// Defaults of optional attributes, if there are any.
    pub defaults: Option<Defaults>,
}

/// Defaults of optional attributes, in the shape of the type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defaults {
    /// The default of each attribute that has one.
    pub values: BTreeMap<Arc<str>, Value>,
    /// Defaults within attributes.
    pub attributes: BTreeMap<Arc<str>, Defaults>,
    /// Defaults within the elements of a collection or tuple.
    pub elements: Vec<Option<Defaults>>,
}

impl TypeConstraint {
    /// The constraint that admits everything.
    pub fn any() -> Self {
        Self { ty: Type::Dynamic, defaults: None }
    }

    /// Fills in defaults, then converts.
    pub fn accept(&self, value: Value) -> Result<Value, ConversionError> {
        match &self.defaults {
            Some(defaults) => convert(&defaults.fill(&value), &self.ty),
            None => convert(&value, &self.ty),
        }
    }
}

impl Defaults {
    fn fill(&self, value: &Value) -> Value {
        if value.is_null() || value.is_unknown() {
            return value.clone();
        }
        let marks = value.marks();
        let filled = if let Some(entries) = value.entries() {
            let single = self.elements.first().and_then(Option::as_ref);
            if let Some(inner) = single {
                // A map, or an object that becomes one: the same defaults for each element.
                Value::object(
                    entries.iter().map(|(name, item)| (Arc::clone(name), inner.fill(item))),
                )
            } else {
                let mut all: BTreeMap<Arc<str>, Value> = entries.to_map();
                for (name, default) in &self.values {
                    if all.get(name).is_none_or(Value::is_null) {
                        all.insert(Arc::clone(name), default.clone());
                    }
                }
                for (name, inner) in &self.attributes {
                    if let Some(item) = all.get_mut(name) {
                        *item = inner.fill(item);
                    }
                }
                Value::object(all)
            }
        } else if let Some(items) = value.items() {
            let inner = |at: usize| {
                self.elements.get(at).or(self.elements.first()).and_then(Option::as_ref)
            };
            Value::tuple(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| {
                        inner(at).map_or_else(|| item.clone(), |inner| inner.fill(item))
                    })
                    .collect(),
            )
        } else {
            value.clone()
        };
        filled.mark(marks)
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty()
            && self.attributes.values().all(Self::is_empty)
            && self.elements.iter().flatten().all(Self::is_empty)
    }
}

/// Reads a type constraint.
pub fn parse_type(expr: &Expr) -> (TypeConstraint, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let (ty, defaults) = parse(expr, &mut diagnostics);
    let defaults = defaults.filter(|defaults| !defaults.is_empty());
    (TypeConstraint { ty, defaults }, diagnostics)
}

fn invalid(
    message: impl Into<String>,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> (Type, Option<Defaults>) {
    diagnostics.push(EvalError::InvalidType { message: message.into(), span });
    (Type::Dynamic, None)
}

fn parse(expr: &Expr, diagnostics: &mut Diagnostics) -> (Type, Option<Defaults>) {
    match &expr.kind {
        ExprKind::Parens(inner) => parse(inner, diagnostics),
        ExprKind::Variable(name) => named(name.as_str(), expr.span, diagnostics),
        // JSON, and very old configurations, write the type as a string.
        ExprKind::String(text) => parse_text(text, expr.span, diagnostics),
        ExprKind::Call { name, args, .. } => match (name.as_str(), args.as_slice()) {
            ("list" | "set" | "map", [element]) => {
                let (element, defaults) = parse(element, diagnostics);
                let defaults = defaults
                    .map(|inner| Defaults { elements: vec![Some(inner)], ..Defaults::default() });
                let ty = match name.as_str() {
                    "list" => Type::list(element),
                    "set" => Type::set(element),
                    _ => Type::map(element),
                };
                (ty, defaults)
            }
            ("tuple", [elements]) => parse_tuple(elements, diagnostics),
            ("object", [attributes]) => parse_object(attributes, diagnostics),
            ("optional", _) => invalid(
                "`optional` stands only around the type of an object's attribute",
                expr.span,
                diagnostics,
            ),
            ("list" | "set" | "map" | "tuple" | "object", _) => {
                invalid(format!("`{name}` takes one argument"), expr.span, diagnostics)
            }
            (other, _) => invalid(format!("there is no type `{other}`"), name.span, diagnostics),
        },
        _ => invalid("a type is required", expr.span, diagnostics),
    }
}

fn named(name: &str, span: Span, diagnostics: &mut Diagnostics) -> (Type, Option<Defaults>) {
    match name {
        "string" => (Type::String, None),
        "number" => (Type::Number, None),
        "bool" => (Type::Bool, None),
        "any" => (Type::Dynamic, None),
        "list" | "set" | "map" => invalid(
            format!("`{name}` needs the type of its elements: `{name}(string)`"),
            span,
            diagnostics,
        ),
        other => invalid(format!("there is no type `{other}`"), span, diagnostics),
    }
}

fn parse_text(text: &str, span: Span, diagnostics: &mut Diagnostics) -> (Type, Option<Defaults>) {
    match text {
        "list" => (Type::list(Type::Dynamic), None),
        "map" => (Type::map(Type::Dynamic), None),
        "string" | "number" | "bool" | "any" => named(text, span, diagnostics),
        _ => {
            let mut scratch = syntax::SourceMap::new();
            let (parsed, errors) = syntax::parse_expression(&mut scratch, "<type>", text);
            match parsed {
                Some(expr) if !errors.has_errors() => {
                    let mut inner = Diagnostics::new();
                    let found = parse(&expr, &mut inner);
                    // Spans of the scratch map mean nothing outside.
                    if inner.has_errors() {
                        invalid("the text is no type", span, diagnostics)
                    } else {
                        found
                    }
                }
                _ => invalid("the text is no type", span, diagnostics),
            }
        }
    }
}

fn parse_tuple(elements: &Expr, diagnostics: &mut Diagnostics) -> (Type, Option<Defaults>) {
    let ExprKind::Tuple(items) = &elements.kind else {
        return invalid("`tuple` takes a list of types", elements.span, diagnostics);
    };
    let (types, defaults): (Vec<Type>, Vec<Option<Defaults>>) =
        items.iter().map(|item| parse(item, diagnostics)).unzip();
    (Type::tuple(types), Some(Defaults { elements: defaults, ..Defaults::default() }))
}

fn parse_object(attributes: &Expr, diagnostics: &mut Diagnostics) -> (Type, Option<Defaults>) {
    let ExprKind::Object(items) = &attributes.kind else {
        return invalid(
            "`object` takes a map of types: `object({ name = string })`",
            attributes.span,
            diagnostics,
        );
    };
    let mut found = Vec::new();
    let mut defaults = Defaults::default();
    for item in items {
        let name = match &item.key {
            ObjectKey::Name(name) => Some(Arc::clone(&name.text)),
            ObjectKey::Expr(_) => item.key.literal().cloned(),
        };
        let Some(name) = name else {
            invalid("an attribute's name must be written out", item.key.span(), diagnostics);
            continue;
        };
        let (ty, optional, inner, default) = parse_attribute(&item.value, diagnostics);
        if let Some(inner) = inner {
            defaults.attributes.insert(Arc::clone(&name), inner);
        }
        if let Some(default) = default {
            defaults.values.insert(Arc::clone(&name), default);
        }
        found.push((name, ty, optional));
    }
    (Type::object_with_optional(found), Some(defaults))
}

fn parse_attribute(
    expr: &Expr,
    diagnostics: &mut Diagnostics,
) -> (Type, bool, Option<Defaults>, Option<Value>) {
    let ExprKind::Call { name, args, .. } = &expr.kind else {
        let (ty, inner) = parse(expr, diagnostics);
        return (ty, false, inner, None);
    };
    if name.as_str() != "optional" {
        let (ty, inner) = parse(expr, diagnostics);
        return (ty, false, inner, None);
    }
    let (ty_expr, default_expr) = match args.as_slice() {
        [ty] => (ty, None),
        [ty, default] => (ty, Some(default)),
        _ => {
            let (ty, _) = invalid(
                "`optional` takes a type and, if wanted, a default",
                expr.span,
                diagnostics,
            );
            return (ty, true, None, None);
        }
    };
    let (ty, inner) = parse(ty_expr, diagnostics);
    let default = default_expr.and_then(|expr| {
        let (expression, errors) = crate::compile(expr);
        diagnostics.extend(errors);
        let constraint = TypeConstraint { ty: ty.clone(), defaults: inner.clone() };
        match expression.as_constant().map(|value| constraint.accept(value.clone())) {
            Some(Ok(value)) => Some(value),
            Some(Err(error)) => {
                invalid(format!("the default does not fit: {error}"), expr.span, diagnostics);
                None
            }
            None => {
                invalid("the default must be written out", expr.span, diagnostics);
                None
            }
        }
    });
    (ty, true, inner, default)
}
