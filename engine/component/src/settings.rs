//! The `stack` block: where components may go.

use std::sync::Arc;

use syntax::{Block, Diagnostics, Span};
use value::Value;

use crate::error::ComponentError;

/// Settings of the AI layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Backends that may be used, the preferred one first; `None` for all.
    pub backends: Option<Vec<Arc<str>>>,
}

/// Reads the `stack` block.
pub(crate) fn read(block: Option<&Block>) -> (Settings, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut settings = Settings::default();
    let Some(block) = block else { return (settings, diagnostics) };
    let mut invalid = |name: &str, message: &str, span: Span| {
        diagnostics.push(ComponentError::InvalidSetting {
            name: name.to_owned(),
            message: message.to_owned(),
            span,
        });
    };
    for attribute in &block.body.attributes {
        invalid(
            &attribute.name.text,
            "there is no such setting; `placement { … }` is one",
            attribute.name.span,
        );
    }
    for inner in &block.body.blocks {
        if inner.kind.as_str() != "placement" {
            invalid(
                &inner.kind.text,
                "there is no such block; `placement { … }` is one",
                inner.kind.span,
            );
            continue;
        }
        for attribute in &inner.body.attributes {
            let (expression, _) = lang::compile(&attribute.expr);
            let value = expression.as_constant();
            let span = attribute.expr.span;
            match attribute.name.as_str() {
                "backends" => match value.and_then(names) {
                    Some(names) => settings.backends = Some(names),
                    None => invalid("backends", "a list of names of backends is required", span),
                },
                // With offers that have neither price nor carbon all objectives choose alike.
                "objective" => match value.and_then(Value::as_str) {
                    Some("cost" | "carbon" | "performance") => {}
                    _ => {
                        invalid("objective", "`cost`, `carbon` or `performance` is required", span);
                    }
                },
                "max_hourly_usd" => {
                    if value.and_then(Value::as_number).is_none() {
                        invalid("max_hourly_usd", "a number of US dollars is required", span);
                    }
                }
                other => invalid(other, "there is no such setting", attribute.name.span),
            }
        }
    }
    (settings, diagnostics)
}

/// One name, or a list of names.
pub(crate) fn names(value: &Value) -> Option<Vec<Arc<str>>> {
    if let Some(one) = value.as_arc_str() {
        return Some(vec![Arc::clone(one)]);
    }
    value.items()?.iter().map(|item| item.as_arc_str().cloned()).collect()
}
