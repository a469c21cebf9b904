//! How a function is called: what holds for all of them.

use std::sync::Arc;

use syntax::{Diagnostics, Span};
use value::{Marks, Type, Value};

use super::{Arguments, FunctionInfo, MARKED, NULL, PARTIAL, Parameter, ParameterType, UNKNOWN};
use crate::context::Phase;
use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome, in_words};
use crate::node::{Call, Callee};
use crate::operator::not_null;

/// What a function answers.
pub(crate) type Reply = Result<Value, Failure>;

/// Why a function has no result.
pub(crate) struct Failure {
    /// The argument to blame; `None` blames the call.
    pub(crate) argument: Option<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// A failure of the call as a whole.
pub(crate) fn failed(message: impl Into<String>) -> Failure {
    Failure { argument: None, message: message.into(), help: None }
}

/// A failure that an argument causes.
pub(crate) fn at(argument: usize, message: impl Into<String>) -> Failure {
    Failure { argument: Some(argument), message: message.into(), help: None }
}

impl Failure {
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl<'e> Evaluation<'e> {
    pub(crate) fn call(&mut self, call: &'e Call, span: Span) -> Outcome {
        match &call.function {
            Callee::Try => self.call_try(call, span),
            Callee::Can => Ok(self.call_can(call)),
            Callee::Builtin(info) => {
                let Some(given) = self.arguments(call)? else {
                    return Ok(Value::dynamic_unknown());
                };
                self.builtin(info, given, span)
            }
            Callee::Provider(name) => {
                let Some(given) = self.arguments(call)? else {
                    return Ok(Value::dynamic_unknown());
                };
                self.provider(name, &given, span)
            }
        }
    }

    /// The arguments with their places; `None` if it is not known how many there are.
    fn arguments(&mut self, call: &'e Call) -> Result<Option<Given>, Diagnostics> {
        let mut values = self.all(call.args.iter())?;
        let mut spans: Vec<Span> = call.args.iter().map(|arg| arg.span).collect();
        if !call.expand_last {
            return Ok(Some(Given { values, spans, marks: Marks::NONE }));
        }
        let (Some(last), Some(span)) = (values.pop(), spans.pop()) else {
            return Ok(Some(Given { values, spans, marks: Marks::NONE }));
        };
        let found = || EvalError::ExpandArgument { found: in_words(&last), span };
        if last.is_unknown() {
            return match last.ty() {
                Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_) => Ok(None),
                _ => Err(found().into()),
            };
        }
        let items = last.items().ok_or_else(found)?;
        values.extend(items.iter().cloned());
        spans.resize(values.len(), span);
        Ok(Some(Given { values, spans, marks: last.marks() }))
    }

    fn builtin(&mut self, info: &'static FunctionInfo, given: Given, span: Span) -> Outcome {
        let least = info.parameters.len();
        if given.values.len() < least || (given.values.len() > least && info.variadic.is_none()) {
            return Err(crate::compile::count_error(info, given.values.len(), span).into());
        }
        let Given { values, spans, marks } = given;
        let prepared = prepare(info, values, &spans)?;
        let marks = marks.union(prepared.marks);
        if prepared.unknown || (info.impure && self.ctx.phase == Phase::Plan) {
            return Ok(unknown_result(info).mark(marks));
        }
        let arguments = Arguments { values: prepared.values, ctx: self.ctx };
        match (info.run)(&arguments) {
            Ok(value) => Ok(value.mark(marks)),
            Err(failure) => Err(locate(info, failure, &spans, span).into()),
        }
    }

    fn provider(&mut self, name: &Arc<str>, given: &Given, span: Span) -> Outcome {
        let answer = self.ctx.functions.and_then(|all| all.call(name, &given.values));
        let fault = |message: String, span: Span| EvalError::Call {
            function: name.to_string(),
            message,
            span,
            help: None,
        };
        match answer {
            Some(Ok(value)) => Ok(value.mark(given.marks)),
            Some(Err((argument, message))) => {
                let place = argument.and_then(|at| given.spans.get(at).copied()).unwrap_or(span);
                Err(fault(message, place).into())
            }
            None => Err(fault("no provider here has this function".to_owned(), span).into()),
        }
    }

    /// The first expression that has a value. If whether it has one depends on what is unknown, so does
    /// the result.
    fn call_try(&mut self, call: &'e Call, span: Span) -> Outcome {
        let mut faults = Diagnostics::new();
        for arg in &call.args {
            match self.node(arg) {
                Ok(value) if value.is_wholly_known() => return Ok(value),
                Ok(value) => return Ok(Value::dynamic_unknown().mark(value.deep_marks())),
                Err(found) => faults.extend(found),
            }
        }
        let reasons: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Err(EvalError::Call {
            function: call.name.text.to_string(),
            message: format!("no expression has a value: {}", reasons.join("; ")),
            span,
            help: Some("give a last argument that always has a value".to_owned()),
        }
        .into())
    }

    fn call_can(&mut self, call: &'e Call) -> Value {
        match call.args.first().map(|only| self.node(only)) {
            Some(Ok(value)) if value.is_wholly_known() => Value::bool(true),
            Some(Ok(_)) => Value::unknown(Type::Bool),
            Some(Err(_)) | None => Value::bool(false),
        }
    }
}

struct Given {
    values: Vec<Value>,
    spans: Vec<Span>,
    /// Marks of what was expanded.
    marks: Marks,
}

struct Prepared {
    values: Vec<Value>,
    marks: Marks,
    unknown: bool,
}

fn parameter(info: &'static FunctionInfo, position: usize) -> Option<Parameter> {
    info.parameters.get(position).copied().or(info.variadic)
}

/// Converts the arguments, takes their marks off and finds out whether one is unknown.
fn prepare(
    info: &'static FunctionInfo,
    values: Vec<Value>,
    spans: &[Span],
) -> Result<Prepared, Diagnostics> {
    let mut prepared =
        Prepared { values: Vec::with_capacity(values.len()), marks: Marks::NONE, unknown: false };
    let mut faults = Diagnostics::new();
    for (position, value) in values.into_iter().enumerate() {
        let Some(parameter) = parameter(info, position) else { continue };
        match prepare_one(parameter, value, &mut prepared) {
            Ok(value) => prepared.values.push(value),
            Err(message) => faults.push(EvalError::Argument {
                function: info.name.to_owned(),
                argument: parameter.name.to_owned(),
                message,
                span: spans.get(position).copied().unwrap_or_default(),
                help: None,
            }),
        }
    }
    if faults.is_empty() { Ok(prepared) } else { Err(faults) }
}

fn prepare_one(
    parameter: Parameter,
    value: Value,
    prepared: &mut Prepared,
) -> Result<Value, String> {
    let has = |flag: u8| parameter.flags & flag != 0;
    if value.is_null() && !has(NULL) {
        return Err("it must not be null".to_owned());
    }
    let value = match parameter.ty {
        ParameterType::Any => value,
        other => value::convert(&value, &other.ty()).map_err(|error| error.to_string())?,
    };
    let value = if has(MARKED) {
        value
    } else {
        prepared.marks = prepared.marks.union(value.deep_marks());
        value.unmarked(Marks::SENSITIVE.union(Marks::EPHEMERAL))
    };
    prepared.unknown |= match (has(UNKNOWN), has(PARTIAL)) {
        (true, _) => false,
        (_, true) => value.is_unknown(),
        _ => !value.is_wholly_known(),
    };
    Ok(value)
}

fn unknown_result(info: &FunctionInfo) -> Value {
    match info.returns {
        ParameterType::Any => Value::dynamic_unknown(),
        other => not_null(other.ty()),
    }
}

fn locate(info: &FunctionInfo, failure: Failure, spans: &[Span], span: Span) -> EvalError {
    let function = info.name.to_owned();
    let Failure { argument, message, help } = failure;
    let parameter = argument.and_then(|at| info.parameters.get(at).or(info.variadic.as_ref()));
    match (parameter, argument.and_then(|at| spans.get(at))) {
        (Some(parameter), Some(place)) => EvalError::Argument {
            function,
            argument: parameter.name.to_owned(),
            message,
            span: *place,
            help,
        },
        _ => EvalError::Call { function, message, span, help },
    }
}
