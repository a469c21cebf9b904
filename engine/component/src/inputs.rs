//! What a component sets: attributes, and nested blocks as objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::ComponentBlock;
use indexmap::IndexMap;
use lang::{Expression, Traversal};
use syntax::{Body, Diagnostics, Expr, ExprKind, Ident, ObjectItem, ObjectKey, Span, suggest};

use crate::error::ComponentError;
use crate::types::ComponentType;

/// What every component may say beside its inputs.
pub const META_ARGUMENTS: [&str; 5] = ["count", "for_each", "depends_on", "backend", "try"];

/// A component as it was written, its expressions compiled.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Inputs that are set.
    pub inputs: IndexMap<Arc<str>, Expression>,
    /// Where each name stands.
    pub spans: BTreeMap<Arc<str>, Span>,
    /// How many instances.
    pub count: Option<Expression>,
    /// One instance for each element.
    pub for_each: Option<Expression>,
    /// What it waits for beside what it refers to.
    pub depends_on: Vec<Traversal>,
    /// Where it may go.
    pub backend: Option<Expression>,
    /// What to try first, second, and so on.
    pub ladder: Option<Expression>,
}

/// Reads the body of a component, and complains of what its type does not have.
pub fn read(
    component: &ComponentBlock,
    ty: &ComponentType,
    diagnostics: &mut Diagnostics,
) -> Written {
    let mut written = Written::default();
    for (name, expr) in fields(&component.block.body) {
        let (expression, faults) = lang::compile(&expr);
        diagnostics.extend(faults);
        match name.as_str() {
            "count" => written.count = Some(expression),
            "for_each" => written.for_each = Some(expression),
            "backend" => written.backend = Some(expression),
            "try" => written.ladder = Some(expression),
            "depends_on" => written.depends_on = references(&expr, diagnostics),
            input if ty.inputs.contains_key(input) => {
                written.spans.insert(Arc::clone(&name.text), name.span);
                written.inputs.insert(Arc::clone(&name.text), expression);
            }
            _ => diagnostics.push(unknown_input(ty, &name)),
        }
    }
    for (name, variable) in &ty.inputs {
        let missing = variable.default.is_none() && !written.inputs.contains_key(name);
        if missing && !component.block.body.incomplete {
            diagnostics.push(ComponentError::MissingInput {
                component: shown(component),
                name: name.to_string(),
                span: component.block.header,
                help: variable.description.clone(),
            });
        }
    }
    written
}

/// Type and name, as in references.
pub fn shown(component: &ComponentBlock) -> String {
    let name = component.name.as_ref().map_or("?", Ident::as_str);
    format!("{}.{name}", component.type_name)
}

fn unknown_input(ty: &ComponentType, name: &Ident) -> ComponentError {
    let names: Vec<&str> = ty.inputs.keys().map(|name| &**name).collect();
    let all = names.iter().copied().chain(META_ARGUMENTS);
    let suggestion = match suggest(name.as_str(), all) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => format!("`{}` has no inputs", ty.name),
        None => format!("the inputs are `{}`", names.join("`, `")),
    };
    ComponentError::UnknownInput {
        kind: ty.name.text.to_string(),
        name: name.text.to_string(),
        span: name.span,
        suggestion: Some(suggestion),
    }
}

fn references(expr: &Expr, diagnostics: &mut Diagnostics) -> Vec<Traversal> {
    let fault = |span| ComponentError::Setting {
        message: "a list of references is expected".to_owned(),
        span,
        help: Some("write `depends_on = [cluster.train, module.network]`".to_owned()),
    };
    let ExprKind::Tuple(items) = &expr.kind else {
        diagnostics.push(fault(expr.span));
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in items {
        match lang::compile(item).0.as_traversal() {
            Some(traversal) => found.push(traversal.clone()),
            None => diagnostics.push(fault(item.span)),
        }
    }
    found
}

/// Attributes as they are; blocks of one kind as an object, or, with labels, as a map by label.
fn fields(body: &Body) -> Vec<(Ident, Expr)> {
    let mut found: Vec<(Ident, Expr)> = body
        .attributes
        .iter()
        .map(|attribute| (attribute.name.clone(), attribute.expr.clone()))
        .collect();
    for block in &body.blocks {
        // Labels lead inwards: `step "a" {}` is the entry `a` of `step`.
        let mut expr = object(&block.body, block.span);
        for label in block.labels.iter().rev() {
            let key = Expr { kind: ExprKind::String(Arc::clone(&label.text)), span: label.span };
            let items = vec![ObjectItem { key: ObjectKey::Expr(key), value: expr }];
            expr = Expr { kind: ExprKind::Object(items), span: block.span };
        }
        let earlier = found.iter_mut().find(|(name, _)| name.text == block.kind.text);
        match (earlier, expr.kind) {
            (Some((_, Expr { kind: ExprKind::Object(items), .. })), ExprKind::Object(more)) => {
                items.extend(more);
            }
            (_, kind) => found.push((block.kind.clone(), Expr { kind, span: block.span })),
        }
    }
    found
}

fn object(body: &Body, span: Span) -> Expr {
    let items = fields(body)
        .into_iter()
        .map(|(name, value)| ObjectItem { key: ObjectKey::Name(name), value })
        .collect();
    Expr { kind: ExprKind::Object(items), span }
}
