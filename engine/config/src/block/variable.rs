//! `variable "name" { … }`

use lang::TypeConstraint;
use syntax::{Block, Diagnostics};

use super::{Decoder, condition, label};
use crate::error::ConfigError;
use crate::module::Variable;

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
    let validations = condition::decode_all(&validations, diagnostics);
    let default = default.map(|(value, span)| match ty.accept(value) {
        Ok(value) => value,
        Err(error) => {
            let name = name.text.to_string();
            diagnostics.push(ConfigError::DefaultType { name, message: error.to_string(), span });
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
