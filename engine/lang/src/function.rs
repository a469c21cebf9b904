//! The functions of the language: one table, one file per group.
//!
//! [`call`] does what is the same for all: converts arguments, carries marks over the call, and answers
//! "unknown" where an argument is not known. A function itself sees known, unmarked values.

mod collection;
mod conversion;
mod encoding;
mod files;
mod hash;
mod network;
mod numeric;
mod set;
mod text;
mod time;

use std::sync::LazyLock;

use syntax::{Diagnostics, Span};
use value::{Marks, Type, Value, convert};

use crate::context::{Context, Phase};
use crate::error::EvalError;
use crate::evaluate::Outcome;

/// A function of the language.
pub struct FunctionInfo {
    /// Its name.
    pub name: &'static str,
    /// Its parameters, optional ones last.
    pub params: Vec<Param>,
    /// How many of the parameters may be left out.
    pub optional: usize,
    /// The parameter that takes all further arguments.
    pub variadic: Option<Param>,
    /// What it does, in one sentence.
    pub description: &'static str,
    /// True if its value depends on the clock, a random source or files.
    pub impure: bool,
    pub(crate) returns: Returns,
    pub(crate) sees: Sees,
    pub(crate) run: fn(&Args<'_>) -> Result<Value, Fault>,
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether null is an argument like others.
    pub nullable: bool,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything.
    Any,
    /// A string.
    Text,
    /// A number.
    Number,
    /// A bool.
    Bool,
    /// A list of strings.
    Texts,
    /// A list, set or tuple.
    Sequence,
    /// A map or object.
    Mapping,
    /// A set, or what converts to one.
    Set,
}

/// The type of a result, as far as it is known without the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returns {
    Any,
    Text,
    Number,
    Bool,
    Texts,
}

/// How much of its arguments a function wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sees {
    /// Wholly known values; marks of all parts go to the result.
    All,
    /// The outside: elements may be unknown, and keep their marks.
    Outside,
    /// Whatever there is, unknown values and marks included.
    Everything,
}

/// What went wrong, and in which argument.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) argument: Option<usize>,
    pub(crate) message: String,
}

pub(crate) fn fault(argument: usize, message: impl Into<String>) -> Fault {
    Fault { argument: Some(argument), message: message.into() }
}

/// The arguments of a call.
pub(crate) struct Args<'a> {
    pub(crate) values: &'a [Value],
    pub(crate) ctx: &'a Context<'a>,
}

impl Args<'_> {
    pub(crate) fn get(&self, at: usize) -> Option<&Value> {
        self.values.get(at)
    }

    pub(crate) fn value(&self, at: usize) -> Result<&Value, Fault> {
        self.values.get(at).ok_or_else(|| fault(at, "an argument is missing"))
    }

    pub(crate) fn text(&self, at: usize) -> Result<&str, Fault> {
        self.value(at)?.as_str().ok_or_else(|| fault(at, "a string is required"))
    }

    pub(crate) fn number(&self, at: usize) -> Result<&value::Number, Fault> {
        self.value(at)?.as_number().ok_or_else(|| fault(at, "a number is required"))
    }

    pub(crate) fn integer(&self, at: usize) -> Result<i64, Fault> {
        self.number(at)?.to_i64().ok_or_else(|| fault(at, "a whole number is required"))
    }

    pub(crate) fn flag(&self, at: usize) -> Result<bool, Fault> {
        self.value(at)?.as_bool().ok_or_else(|| fault(at, "a bool is required"))
    }

    pub(crate) fn items(&self, at: usize) -> Result<&[Value], Fault> {
        self.value(at)?.items().ok_or_else(|| fault(at, "a list, set or tuple is required"))
    }

    pub(crate) fn texts(&self, at: usize) -> Result<Vec<&str>, Fault> {
        let items = self.items(at)?.iter();
        items.map(|item| item.as_str().ok_or_else(|| fault(at, "the list holds null"))).collect()
    }
}

impl FunctionInfo {
    pub(crate) fn least(&self) -> usize {
        self.params.len() - self.optional
    }

    pub(crate) fn most(&self) -> Option<usize> {
        if self.variadic.is_some() { None } else { Some(self.params.len()) }
    }

    /// The function with its parameters: `lookup(map, key, default?)`.
    pub fn usage(&self) -> String {
        let least = self.least();
        let mut names: Vec<String> = self
            .params
            .iter()
            .enumerate()
            .map(|(at, param)| format!("{}{}", param.name, if at < least { "" } else { "?" }))
            .collect();
        names.extend(self.variadic.map(|param| format!("{}...", param.name)));
        format!("{}({})", self.name, names.join(", "))
    }

    fn param(&self, at: usize) -> Option<Param> {
        self.params.get(at).copied().or(self.variadic)
    }
}

/// All functions, in the order of their names.
pub fn functions() -> &'static [FunctionInfo] {
    static ALL: LazyLock<Vec<FunctionInfo>> = LazyLock::new(|| {
        let groups = [
            numeric::functions(),
            text::functions(),
            collection::functions(),
            set::functions(),
            conversion::functions(),
            encoding::functions(),
            hash::functions(),
            files::functions(),
            time::functions(),
            network::functions(),
        ];
        let mut all: Vec<FunctionInfo> = groups.into_iter().flatten().collect();
        all.sort_by_key(|info| info.name);
        all
    });
    &ALL
}

pub(crate) fn find(name: &str) -> Option<&'static FunctionInfo> {
    let all = functions();
    all.binary_search_by(|info| info.name.cmp(name)).ok().map(|at| &all[at])
}

/// Calls a function.
pub(crate) fn call(
    info: &FunctionInfo,
    args: &[Value],
    spans: &[Span],
    ctx: &Context<'_>,
    span: Span,
) -> Outcome {
    let failed = |fault: Fault| -> Diagnostics {
        EvalError::FunctionFailed {
            name: info.name.to_owned(),
            message: fault.message,
            span: fault.argument.and_then(|at| spans.get(at).copied()).unwrap_or(span),
            help: None,
        }
        .into()
    };
    if args.len() < info.least() || info.most().is_some_and(|most| args.len() > most) {
        let message =
            format!("{} arguments are given, but its form is `{}`", args.len(), info.usage());
        return Err(failed(Fault { argument: None, message }));
    }
    if info.impure
        && info.sees == Sees::All
        && info.params.is_empty()
        && ctx.phase == Phase::Plan
        && info.name != "plantimestamp"
    {
        return Ok(Value::unknown_refined(Type::String, value::Refinement::not_null()));
    }
    let mut marks = Marks::NONE;
    let mut plain = Vec::with_capacity(args.len());
    let mut unknown = false;
    for (at, arg) in args.iter().enumerate() {
        let Some(param) = info.param(at) else { continue };
        if info.sees == Sees::Everything {
            plain.push(arg.clone());
            continue;
        }
        let (value, found) = match info.sees {
            Sees::All => (arg.clone().unmark_deep().0, arg.deep_marks()),
            _ => arg.clone().unmark(),
        };
        marks = marks.union(found);
        if value.is_null() && !param.nullable {
            return Err(failed(fault(at, format!("`{}` must not be null", param.name))));
        }
        let value = accept(&value, param.kind).map_err(|message| failed(fault(at, message)))?;
        unknown |= match info.sees {
            Sees::All => !value.is_wholly_known(),
            _ => value.is_unknown(),
        };
        plain.push(value);
    }
    if unknown {
        return Ok(unknown_result(info).mark(marks));
    }
    let result = (info.run)(&Args { values: &plain, ctx }).map_err(failed)?;
    Ok(result.mark(marks))
}

fn unknown_result(info: &FunctionInfo) -> Value {
    let ty = match info.returns {
        Returns::Any => return Value::dynamic_unknown(),
        Returns::Text => Type::String,
        Returns::Number => Type::Number,
        Returns::Bool => Type::Bool,
        Returns::Texts => Type::list(Type::String),
    };
    Value::unknown_refined(ty, value::Refinement::not_null())
}

fn accept(value: &Value, kind: Kind) -> Result<Value, String> {
    let wanted = match kind {
        Kind::Any => return Ok(value.clone()),
        Kind::Text => Type::String,
        Kind::Number => Type::Number,
        Kind::Bool => Type::Bool,
        Kind::Texts => Type::list(Type::String),
        Kind::Set => Type::set(Type::Dynamic),
        Kind::Sequence => {
            let fits = value.is_null()
                || value.items().is_some()
                || (value.is_unknown()
                    && matches!(
                        value.ty(),
                        Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_)
                    ));
            return if fits {
                Ok(value.clone())
            } else {
                Err(format!(
                    "a list, set or tuple is required, but this is a {}",
                    value.ty().friendly_name()
                ))
            };
        }
        Kind::Mapping => {
            let fits = value.is_null()
                || value.entries().is_some()
                || (value.is_unknown()
                    && matches!(value.ty(), Type::Dynamic | Type::Map(_) | Type::Object(_)));
            return if fits {
                Ok(value.clone())
            } else {
                Err(format!(
                    "a map or object is required, but this is a {}",
                    value.ty().friendly_name()
                ))
            };
        }
    };
    convert(value, &wanted).map_err(|error| error.to_string())
}

// The short forms that the tables of the groups are written in.

pub(crate) const fn p(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, nullable: false }
}

pub(crate) const fn nullable(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, nullable: true }
}

pub(crate) fn f(
    name: &'static str,
    params: &[Param],
    returns: Returns,
    description: &'static str,
    run: fn(&Args<'_>) -> Result<Value, Fault>,
) -> FunctionInfo {
    FunctionInfo {
        name,
        params: params.to_vec(),
        optional: 0,
        variadic: None,
        description,
        impure: false,
        returns,
        sees: Sees::All,
        run,
    }
}

impl FunctionInfo {
    pub(crate) fn optional(mut self, count: usize) -> Self {
        self.optional = count;
        self
    }

    pub(crate) fn variadic(mut self, param: Param) -> Self {
        self.variadic = Some(param);
        self
    }

    pub(crate) fn outside(mut self) -> Self {
        self.sees = Sees::Outside;
        self
    }

    pub(crate) fn everything(mut self) -> Self {
        self.sees = Sees::Everything;
        self
    }

    pub(crate) fn impure(mut self) -> Self {
        self.impure = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::functions;

    #[test]
    fn every_function_is_described_and_unique() {
        for pair in functions().windows(2) {
            assert!(pair[0].name < pair[1].name, "`{}` is there twice", pair[0].name);
        }
        for info in functions() {
            assert!(info.description.len() > 10, "`{}` needs a description", info.name);
            assert!(
                info.optional <= info.params.len(),
                "`{}` has no more parameters than optional ones",
                info.name
            );
        }
    }
}
