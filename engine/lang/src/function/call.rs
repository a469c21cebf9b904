//! How a function is called: what holds for all of them.

use syntax::{Diagnostics, Span};
use value::{Marks, Type, Value};

use super::provider;
use super::{
    AS_IS, Arguments, DYNAMIC, FunctionInfo, MARKED, NULL, Parameter, ParameterType, UNKNOWN,
};
use crate::context::Phase;
use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome, in_words};
use crate::node::{Call, Callee};

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
            Callee::Try | Callee::Can if call.expand_last => self.call_expanded(call, span),
            Callee::Try => self.call_try(call, span),
            Callee::Can => Ok(self.call_can(call)),
            Callee::Builtin(info) => {
                let Some(given) = self.arguments(call, Some(info))? else {
                    return Ok(Value::dynamic_unknown());
                };
                self.builtin(info, given, span)
            }
            Callee::Provider(name) => {
                let Some(given) = self.arguments(call, None)? else {
                    return Ok(Value::dynamic_unknown());
                };
                provider::call(self.ctx, name, given, span)
            }
        }
    }

    /// The arguments with their places; `None` if it is not known how many there are. Where some have no value, those
    /// that have one are held against their parameters all the same, so that every fault is told at once.
    fn arguments(
        &mut self,
        call: &'e Call,
        info: Option<&'static FunctionInfo>,
    ) -> Result<Option<Given>, Diagnostics> {
        let outcomes: Vec<Outcome> = call.args.iter().map(|arg| self.node(arg)).collect();
        if outcomes.iter().any(Result::is_err) {
            let alone = outcomes.len() - usize::from(call.expand_last);
            let mut faults = Diagnostics::new();
            for (position, (outcome, arg)) in outcomes.into_iter().zip(&call.args).enumerate() {
                match (outcome, info) {
                    (Err(found), _) => faults.extend(found),
                    (Ok(value), Some(info)) if position < alone => {
                        if let Err(fault) = suited(info, position, value, arg.span) {
                            faults.push(fault);
                        }
                    }
                    _ => {}
                }
            }
            return Err(faults);
        }
        let mut values: Vec<Value> = outcomes.into_iter().flatten().collect();
        let mut spans: Vec<Span> = call.args.iter().map(|arg| arg.span).collect();
        if !call.expand_last {
            return Ok(Some(Given { values, spans, marks: Marks::NONE }));
        }
        let (Some(last), Some(span)) = (values.pop(), spans.pop()) else {
            return Ok(Some(Given { values, spans, marks: Marks::NONE }));
        };
        let found = || EvalError::ExpandArgument { found: in_words(&last), span };
        let expandable =
            matches!(last.ty(), Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_));
        if last.is_unknown() && expandable {
            return Ok(None);
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
        let values = converted(info, values, &spans)?;
        let fault = |failure| Diagnostics::from(locate(info, failure, &spans, span));
        let expected = expected_type(info, &values).map_err(fault)?;
        let prepared = unmarked(info, values);
        let marks = marks.union(prepared.marks);
        let Some(expected) = expected else {
            return Ok(Value::dynamic_unknown().mark(marks));
        };
        if prepared.unknown || (info.impure && self.ctx.phase == Phase::Plan) {
            return Ok(refined(info, Value::unknown(expected)).mark(marks));
        }
        let arguments = Arguments { values: prepared.values, expected, ctx: self.ctx };
        (info.run)(&arguments).map(|value| refined(info, value).mark(marks)).map_err(fault)
    }

    /// With `...` the expressions have been evaluated before the function sees them, so all of them have values.
    fn call_expanded(&mut self, call: &'e Call, span: Span) -> Outcome {
        let Some(given) = self.arguments(call, None)? else { return Ok(Value::dynamic_unknown()) };
        let known = given.values.first().map(Value::is_wholly_known);
        match (&call.function, known) {
            (_, None) => Err(EvalError::Call {
                function: call.name.text.to_string(),
                message: "an expression is needed".to_owned(),
                span,
                help: None,
            }
            .into()),
            (Callee::Try, Some(true)) => Ok(given.values[0].clone()),
            (Callee::Try, Some(false)) => Ok(Value::dynamic_unknown()),
            (_, Some(true)) => Ok(Value::bool(true)),
            (_, Some(false)) => Ok(Value::unknown(Type::Bool)),
        }
    }

    /// The first expression that has a value. If whether it has one depends on what is unknown, so does
    /// the result.
    fn call_try(&mut self, call: &'e Call, span: Span) -> Outcome {
        let mut faults = Diagnostics::new();
        for arg in &call.args {
            match self.node(arg) {
                Ok(value) if value.is_wholly_known() => return Ok(value),
                Ok(_) => return Ok(Value::dynamic_unknown()),
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

/// Arguments with their places.
pub(super) struct Given {
    pub(super) values: Vec<Value>,
    pub(super) spans: Vec<Span>,
    /// Marks of what was expanded.
    pub(super) marks: Marks,
}

struct Prepared {
    values: Vec<Value>,
    marks: Marks,
    unknown: bool,
}

fn parameter(info: &'static FunctionInfo, position: usize) -> Option<Parameter> {
    info.parameters.get(position).copied().or(info.variadic)
}

impl Parameter {
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Converts the arguments to the types of the parameters, and reports every one that does not suit.
fn converted(
    info: &'static FunctionInfo,
    values: Vec<Value>,
    spans: &[Span],
) -> Result<Vec<Value>, Diagnostics> {
    let mut faults = Diagnostics::new();
    let mut converted = Vec::with_capacity(values.len());
    for (position, value) in values.into_iter().enumerate() {
        match suited(info, position, value, spans.get(position).copied().unwrap_or_default()) {
            Ok(value) => converted.extend(value),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(converted) } else { Err(faults) }
}

/// An argument as its parameter wants it; `None` where there is no such parameter.
fn suited(
    info: &'static FunctionInfo,
    position: usize,
    value: Value,
    span: Span,
) -> Result<Option<Value>, EvalError> {
    let Some(parameter) = parameter(info, position) else { return Ok(None) };
    let result = match parameter.ty {
        ParameterType::Any => Ok(value),
        _ if parameter.has(AS_IS) => Ok(value),
        other if open_set_as_list(&value, &other.ty()) => Err(format!(
            "{} required, but have {} with elements that are not known yet",
            other.ty().friendly_name(),
            value.ty().friendly_name()
        )),
        other => value::convert(&value, &other.ty()).map_err(|error| error.to_string()),
    };
    result.map(Some).map_err(|message| EvalError::Argument {
        function: info.name.to_owned(),
        argument: parameter.name.to_owned(),
        message,
        span,
        help: None,
    })
}

/// A set with unknown elements has no certain length, so it becomes an unknown list; its elements keep their type
/// then, which may not be the wanted one.
fn open_set_as_list(value: &Value, wanted: &Type) -> bool {
    let Type::List(wanted) = wanted else { return false };
    let open = value.is_set() && !value.is_unknown() && !value.is_wholly_known();
    let element = value.ty().element().cloned();
    open && **wanted != Type::Dynamic
        && element.is_some_and(|own| own != **wanted && own != Type::Dynamic)
}

/// The type of the result as far as the types of the parameters say it.
pub(super) fn declared_type(info: &'static FunctionInfo) -> Type {
    if info.parameters.iter().any(|parameter| parameter.has(AS_IS)) {
        // Such a function looks at its arguments itself, so nothing stands in the way of its result's type.
        return info.returns.ty();
    }
    let all = info.parameters.iter().chain(info.variadic.as_ref());
    let unknown: Vec<Value> = all.map(|parameter| Value::unknown(parameter.ty.ty())).collect();
    match expected_type(info, &unknown) {
        Ok(Some(ty)) => ty,
        Ok(None) | Err(_) => Type::Dynamic,
    }
}

/// The type of the result; `None` if an argument has no known type and the function cannot do without.
fn expected_type(info: &'static FunctionInfo, values: &[Value]) -> Result<Option<Type>, Failure> {
    for (position, value) in values.iter().enumerate() {
        let Some(parameter) = parameter(info, position) else { continue };
        if value.is_null() && !parameter.has(NULL) {
            return Err(at(position, "it must not be null"));
        }
        if value.ty_is_dynamic() && !parameter.has(DYNAMIC) {
            return Ok(None);
        }
    }
    let Some(rule) = info.typed else { return Ok(Some(info.returns.ty())) };
    let marked = |(position, value): (usize, &Value)| {
        let takes_marks = parameter(info, position).is_some_and(|p| p.has(MARKED));
        !takes_marks && !value.deep_marks().is_empty()
    };
    if !values.iter().enumerate().any(marked) {
        return rule(values).map(Some);
    }
    let plain: Vec<Value> = values
        .iter()
        .enumerate()
        .map(|(position, value)| {
            if marked((position, value)) {
                value.clone().unmarked(Marks::ALL)
            } else {
                value.clone()
            }
        })
        .collect();
    rule(&plain).map(Some)
}

/// Takes marks off where the function does not see to them, and finds out whether an argument is unknown.
fn unmarked(info: &'static FunctionInfo, values: Vec<Value>) -> Prepared {
    let mut prepared =
        Prepared { values: Vec::with_capacity(values.len()), marks: Marks::NONE, unknown: false };
    let bars = |(position, value): (usize, &Value)| {
        value.is_unknown() && !parameter(info, position).is_none_or(|p| p.has(UNKNOWN))
    };
    prepared.unknown = values.iter().enumerate().any(bars);
    for (position, value) in values.into_iter().enumerate() {
        let Some(parameter) = parameter(info, position) else { continue };
        prepared.values.push(if parameter.has(MARKED) {
            // A function that is not asked cannot see to the marks.
            if prepared.unknown {
                prepared.marks = prepared.marks.union(value.marks());
            }
            value
        } else {
            prepared.marks = prepared.marks.union(value.deep_marks());
            value.unmarked(Marks::ALL)
        });
    }
    prepared
}

/// Says of a result that it is not null, where the function promises that.
fn refined(info: &FunctionInfo, value: Value) -> Value {
    if info.nullable { value } else { value.refined_not_null() }
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
