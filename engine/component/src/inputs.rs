//! What a component block says: inputs as expressions for the call, and as values for the choice.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::Variable;
use indexmap::IndexMap;
use lang::{Expression, Traversal};
use syntax::{
    Block, Body, Diagnostics, Expr, ExprKind, Ident, ObjectItem, ObjectKey, Span, suggest,
};
use value::Value;

use crate::error::ComponentError;
use crate::scope::{OfferScope, StaticScope, evaluate};
use crate::types::ComponentType;

/// A component block, taken apart.
pub(crate) struct Inputs {
    pub(crate) expressions: IndexMap<Arc<str>, Expression>,
    pub(crate) spans: BTreeMap<Arc<str>, Span>,
    pub(crate) depends_on: Vec<Traversal>,
    pub(crate) backends: Option<Vec<Arc<str>>>,
}

const META: &[&str] = &["depends_on", "backend", "count", "for_each"];

/// Takes a block apart; nested blocks become objects, or maps where they have a label.
pub(crate) fn read(component: &str, kind: &ComponentType, block: &Block) -> (Inputs, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut inputs = Inputs {
        expressions: IndexMap::new(),
        spans: BTreeMap::new(),
        depends_on: Vec::new(),
        backends: None,
    };
    for (name, expr) in entries(&block.body) {
        match name.as_str() {
            "depends_on" => inputs.depends_on = references(&expr, &mut diagnostics),
            "backend" => {
                let (expression, _) = lang::compile(&expr);
                inputs.backends = expression.as_constant().and_then(crate::settings::names);
                if inputs.backends.is_none() {
                    diagnostics.push(ComponentError::InvalidInput {
                        component: component.to_owned(),
                        name: "backend".to_owned(),
                        message: "the name of a backend, or a list of names, must be written out"
                            .to_owned(),
                        span: expr.span,
                    });
                }
            }
            "count" | "for_each" => diagnostics.push(ComponentError::Unsupported {
                what: format!("`{name}` in a component"),
                span: name.span,
            }),
            _ if !kind.inputs.contains_key(&name.text) => {
                diagnostics.push(ComponentError::UnknownInput {
                    component: component.to_owned(),
                    name: name.text.to_string(),
                    span: name.span,
                    suggestion: suggest(
                        &name.text,
                        kind.inputs.keys().map(|key| &**key).chain(META.iter().copied()),
                    )
                    .map(|near| format!("did you mean `{near}`?")),
                });
            }
            _ => {
                let (expression, errors) = lang::compile(&expr);
                diagnostics.extend(errors);
                inputs.spans.insert(Arc::clone(&name.text), name.span);
                inputs.expressions.insert(Arc::clone(&name.text), expression);
            }
        }
    }
    for (name, variable) in &kind.inputs {
        if variable.default.is_none() && !inputs.expressions.contains_key(name) {
            let description =
                variable.description.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            diagnostics.push(ComponentError::MissingInput {
                component: component.to_owned(),
                name: name.to_string(),
                description,
                span: block.header,
            });
        }
    }
    (inputs, diagnostics)
}

fn references(expr: &Expr, diagnostics: &mut Diagnostics) -> Vec<Traversal> {
    let ExprKind::Tuple(items) = &expr.kind else { return Vec::new() };
    let mut found = Vec::new();
    for item in items {
        let (expression, errors) = lang::compile(item);
        diagnostics.extend(errors);
        found.extend(expression.as_traversal().cloned());
    }
    found
}

/// The arguments of a body, nested blocks turned into objects.
fn entries(body: &Body) -> Vec<(Ident, Expr)> {
    let mut found: Vec<(Ident, Expr)> = body
        .attributes
        .iter()
        .map(|attribute| (attribute.name.clone(), attribute.expr.clone()))
        .collect();
    let mut groups: IndexMap<Arc<str>, Vec<&Block>> = IndexMap::new();
    for block in &body.blocks {
        groups.entry(Arc::clone(&block.kind.text)).or_default().push(block);
    }
    for blocks in groups.into_values() {
        let Some(first) = blocks.first() else { continue };
        let span = blocks.iter().fold(first.span, |span, block| span.join(block.span));
        let kind = if first.labels.is_empty() {
            if blocks.len() == 1 {
                object(&first.body).kind
            } else {
                ExprKind::Tuple(blocks.iter().map(|block| object(&block.body)).collect())
            }
        } else {
            ExprKind::Object(
                blocks
                    .iter()
                    .filter_map(|block| {
                        let label = block.labels.first()?.clone();
                        Some(ObjectItem { key: ObjectKey::Name(label), value: object(&block.body) })
                    })
                    .collect(),
            )
        };
        found.push((first.kind.clone(), Expr { kind, span }));
    }
    found
}

fn object(body: &Body) -> Expr {
    let items = entries(body)
        .into_iter()
        .map(|(name, value)| ObjectItem { key: ObjectKey::Name(name), value });
    Expr { kind: ExprKind::Object(items.collect()), span: body.span }
}

/// The inputs as one object, as far as they are known now; validations that can be decided are.
pub(crate) fn evaluate_all(
    component: &str,
    kind: &ComponentType,
    inputs: &Inputs,
    scope: &StaticScope<'_>,
) -> (Value, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut values: Vec<(Arc<str>, Value)> = Vec::new();
    for (name, variable) in &kind.inputs {
        let (value, errors) = one(component, variable, inputs.expressions.get(name), scope);
        diagnostics.extend(errors);
        values.push((Arc::clone(name), value));
    }
    let object = Value::object(values);
    let seen = OfferScope { offer: None, input: &object };
    for (name, variable) in &kind.inputs {
        for validation in &variable.validations {
            let holds = evaluate(&seen, scope.world, &validation.condition);
            match holds {
                Ok(value) if value.as_bool() == Some(false) => {
                    let message = evaluate(&seen, scope.world, &validation.error_message);
                    let message = message.ok().and_then(|text| text.as_str().map(str::to_owned));
                    let span = inputs.expressions.get(name).map_or(variable.span, Expression::span);
                    diagnostics.push(ComponentError::InvalidInput {
                        component: component.to_owned(),
                        name: name.to_string(),
                        message: message.unwrap_or_else(|| "a validation fails".to_owned()),
                        span,
                    });
                }
                Ok(_) => {}
                Err(errors) => diagnostics.extend(errors),
            }
        }
    }
    (object, diagnostics)
}

fn one(
    component: &str,
    variable: &Variable,
    expression: Option<&Expression>,
    scope: &StaticScope<'_>,
) -> (Value, Diagnostics) {
    let unknown = || Value::unknown(variable.ty.ty.without_optional());
    let Some(expression) = expression else {
        return (variable.default.clone().unwrap_or_else(unknown), Diagnostics::new());
    };
    let value = match evaluate(scope, scope.world, expression) {
        Ok(value) => value,
        Err(errors) => return (unknown(), errors),
    };
    match variable.ty.accept(value) {
        Ok(value) if value.is_null() && variable.default.is_some() && !variable.nullable => {
            (variable.default.clone().unwrap_or_else(unknown), Diagnostics::new())
        }
        Ok(value) => (value, Diagnostics::new()),
        Err(error) => {
            let fault = ComponentError::InvalidInput {
                component: component.to_owned(),
                name: variable.name.text.to_string(),
                message: error.to_string(),
                span: expression.span(),
            };
            (unknown(), fault.into())
        }
    }
}
