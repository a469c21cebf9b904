//! `variable "name" { … }`

use address::PathStep;
use lang::TypeConstraint;
use syntax::{Block, Diagnostics, Expr, ExprKind};

use super::{Decoder, condition, label};
use crate::error::ConfigError;
use crate::module::Variable;
use crate::rule::RuleError;

pub(crate) fn decode(block: &Block, diagnostics: &mut Diagnostics) -> Option<Variable> {
    let name = label(block)?.clone();
    let mut decoder = Decoder::new(block, diagnostics);
    let ty = match decoder.attribute("type") {
        Some(attribute) => {
            let (ty, errors) = lang::parse_type(&attribute.expr);
            decoder.diagnostics.extend(errors);
            Some(ty)
        }
        None => None,
    };
    let takes_text = ty.as_ref().is_none_or(|constraint| constraint.ty.is_primitive());
    let ty = ty.unwrap_or_else(TypeConstraint::any);
    let default = decoder.constant("default", "a value that is written out");
    let description = decoder.text("description").map(|(text, _)| text.to_string());
    let sensitive = decoder.flag("sensitive").unwrap_or(false);
    let ephemeral = decoder.flag("ephemeral").unwrap_or(false);
    let nullable = decoder.flag("nullable").unwrap_or(true);
    let validations = decoder.blocks("validation", 0);
    decoder.finish();
    let validations = validations_of(block.kind.as_str(), &name.text, &validations, diagnostics);
    if let (false, Some((value, span))) = (nullable, &default)
        && value.is_null()
    {
        diagnostics.push(RuleError::NullDefault { name: name.text.to_string(), span: *span });
    }
    let default = default.map(|(value, span)| match ty.accept(value) {
        Ok(value) => value,
        Err(error) => {
            let expr = block.body.attribute("default").map(|attribute| &attribute.expr);
            let span = expr.map_or(span, |expr| part_at(expr, error.path.steps()).span);
            diagnostics.push(ConfigError::DefaultType {
                name: name.text.to_string(),
                message: error.to_string(),
                wanted: ty.ty.to_string(),
                reason: error.message,
                span,
            });
            // There is a default, so nobody need be told to give a value.
            value::Value::unknown(ty.ty.without_optional())
        }
    });
    // What could not be read may have been the default.
    let unread = block.body.incomplete.then(|| value::Value::unknown(ty.ty.without_optional()));
    let default = default.or(unread);
    let span = block.header;
    Some(Variable {
        name,
        ty,
        takes_text,
        default,
        description,
        validations,
        sensitive,
        ephemeral,
        nullable,
        span,
    })
}

/// A validation must look at its own variable.
fn validations_of(
    block_kind: &str,
    name: &str,
    blocks: &[Block],
    diagnostics: &mut Diagnostics,
) -> Vec<crate::module::Condition> {
    let mut found = Vec::new();
    for block in blocks {
        let Some(condition) = condition::decode(block, diagnostics) else { continue };
        // An input of a component type looks at itself as `input.NAME`.
        let own = block_kind != "variable"
            || condition.condition.references().iter().any(|reference| {
                reference.root.as_str() == "var"
                    && reference
                        .steps
                        .first()
                        .and_then(lang::TraversalStep::as_attribute)
                        .is_some_and(|step| &*step.text == name)
            });
        if !own {
            let span = condition.condition.span();
            diagnostics.push(RuleError::ValidationElsewhere { name: name.to_owned(), span });
        }
        found.push(condition);
    }
    found
}

/// The part of a written value that a path leads to, as deep as it is written out.
fn part_at<'a>(expr: &'a Expr, path: &[PathStep]) -> &'a Expr {
    let mut expr = expr;
    for step in path {
        let inner = match (&expr.kind, step) {
            (ExprKind::Object(items), PathStep::Attribute(name) | PathStep::Key(name)) => {
                items.iter().find(|item| item.key.literal() == Some(name)).map(|item| &item.value)
            }
            (ExprKind::Tuple(items), PathStep::Index(index)) => {
                usize::try_from(*index).ok().and_then(|index| items.get(index))
            }
            _ => None,
        };
        match inner {
            Some(inner) => expr = inner,
            None => break,
        }
    }
    expr
}
