//! Calls of functions that providers bring along.

use syntax::{Diagnostics, Span};
use value::{Marks, Value};

use super::call::Given;
use crate::context::{Context, Signature, SignatureParameter};
use crate::error::EvalError;
use crate::evaluate::Outcome;

/// What is called, for the messages.
struct Callee<'a> {
    name: &'a str,
    span: Span,
}

impl Callee<'_> {
    fn fault(&self, message: impl Into<String>) -> Diagnostics {
        EvalError::Call {
            function: self.name.to_owned(),
            message: message.into(),
            span: self.span,
            help: None,
        }
        .into()
    }

    fn argument(&self, parameter: &SignatureParameter, message: String, span: Span) -> EvalError {
        EvalError::Argument {
            function: self.name.to_owned(),
            argument: parameter.name.clone(),
            message,
            span,
            help: None,
        }
    }
}

/// Calls `provider::NAME::function` by its signature.
pub(super) fn call(ctx: &Context<'_>, name: &str, given: Given, span: Span) -> Outcome {
    let callee = Callee { name, span };
    let mut parts = name.split("::").skip(1);
    let (Some(provider), Some(function), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(callee.fault("a function of a provider is written `provider::NAME::function`"));
    };
    let Some(functions) = ctx.functions else {
        return Err(callee.fault("functions of providers cannot be called here"));
    };
    let signature =
        functions.signature(provider, function).map_err(|reason| callee.fault(reason))?;
    let count = given.values.len();
    let least = signature.parameters.len();
    if count < least || (count > least && signature.variadic.is_none()) {
        return Err(count_error(&signature, name, count, span).into());
    }
    let marks = given.values.iter().fold(given.marks, |m, value| m.union(value.deep_marks()));
    let spans = given.spans;
    let Some(values) = prepared(&callee, &signature, given.values, &spans)? else {
        return Ok(Value::unknown(signature.returns).mark(marks));
    };
    let result = functions.call(provider, function, &values);
    let result = result.map_err(|fault| match fault.argument {
        Some(at) => match (parameter(&signature, at), spans.get(at)) {
            (Some(parameter), Some(place)) => {
                callee.argument(parameter, fault.message, *place).into()
            }
            _ => callee.fault(fault.message),
        },
        None => callee.fault(fault.message),
    })?;
    if !result.conforms(&signature.returns) {
        return Err(callee.fault(format!(
            "the provider answered with {}, but its function is declared to give {}",
            result.ty(),
            signature.returns
        )));
    }
    Ok(result.mark(marks))
}

fn parameter(signature: &Signature, position: usize) -> Option<&SignatureParameter> {
    signature.parameters.get(position).or(signature.variadic.as_ref())
}

/// The arguments as the function takes them; `None` if one is not known and the function does not take that.
fn prepared(
    callee: &Callee<'_>,
    signature: &Signature,
    values: Vec<Value>,
    spans: &[Span],
) -> Result<Option<Vec<Value>>, Diagnostics> {
    let mut faults = Diagnostics::new();
    let mut unknown = false;
    let mut prepared = Vec::with_capacity(values.len());
    for (position, value) in values.into_iter().enumerate() {
        let Some(parameter) = parameter(signature, position) else { continue };
        let span = spans.get(position).copied().unwrap_or(callee.span);
        if value.is_null() && !parameter.allow_null {
            faults.push(callee.argument(parameter, "it must not be null".to_owned(), span));
            continue;
        }
        match value::convert(&value.unmarked(Marks::ALL), &parameter.ty) {
            Ok(value) => {
                unknown |= !parameter.allow_unknown && !value.is_wholly_known();
                prepared.push(value);
            }
            Err(error) => faults.push(callee.argument(parameter, error.to_string(), span)),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok((!unknown).then_some(prepared))
}

fn count_error(signature: &Signature, name: &str, found: usize, span: Span) -> EvalError {
    let least = signature.parameters.len();
    let mut names: Vec<String> = signature.parameters.iter().map(|p| p.name.clone()).collect();
    names.extend(signature.variadic.iter().map(|parameter| format!("{}...", parameter.name)));
    let more = if signature.variadic.is_some() { "at least " } else { "" };
    EvalError::ArgumentCount {
        function: name.to_owned(),
        expected: format!("{more}{least} argument{}", if least == 1 { "" } else { "s" }),
        found: if found == 1 { "1 is".to_owned() } else { format!("{found} are") },
        usage: format!("{name}({})", names.join(", ")),
        span,
    }
}
