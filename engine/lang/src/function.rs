//! The functions of the language: one table, one file per group.
//!
//! To add one, copy the nearest neighbour in its group's file. What holds for all functions happens here: arguments
//! are counted and converted, null is refused, unknown arguments give an unknown result, and marks
//! pass from arguments to the result. A parameter's flags say where a function sees to it itself.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the table wants one kind of function, and most can fail"
)]

mod call;
mod provider;

mod charset;
mod cidr;
mod collection;
mod conversion;
mod crypto;
mod encoding;
mod file;
mod gzip;
mod hash;
mod number;
mod re2;
mod set;
mod string;
mod text_format;
mod time;
mod yaml;

use value::{Type, Value};

use crate::context::Context;

pub(crate) use call::{Failure, Reply, at, failed};

/// One function.
pub struct FunctionInfo {
    /// How it is called.
    pub name: &'static str,
    /// What it must be given.
    pub parameters: &'static [Parameter],
    /// What it may be given any number of times after that.
    pub variadic: Option<Parameter>,
    /// What it gives back; `Any` where that depends on the arguments.
    pub returns: ParameterType,
    /// What it does, in a sentence.
    pub description: &'static str,
    /// Whether the result may differ from call to call; it is unknown in a plan then.
    pub impure: bool,
    /// Whether the result may be null.
    pub(crate) nullable: bool,
    /// Finds the type of the result where `returns` does not say it all. Arguments may be unknown.
    pub(crate) typed: Option<TypeRule>,
    pub(crate) run: fn(&Arguments<'_>) -> Reply,
}

/// Finds the type of a result from the arguments, without their marks where the function does not take them.
pub(crate) type TypeRule = fn(&[Value]) -> Result<Type, Failure>;

/// What a function takes at a place.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name, for messages and pages.
    pub name: &'static str,
    /// Its type.
    pub ty: ParameterType,
    /// What the function sees to itself.
    pub(crate) flags: u8,
}

/// The function takes null there.
pub(crate) const NULL: u8 = 1;
/// The function takes values there that are unknown; values with unknown parts all functions take.
pub(crate) const UNKNOWN: u8 = 2;
/// The function takes values there whose type is not known.
pub(crate) const DYNAMIC: u8 = 4;
/// The function takes values of any type there, and sees itself to what they are.
pub(crate) const AS_IS: u8 = 16;
/// The function passes the marks of the argument on by itself.
pub(crate) const MARKED: u8 = 8;

/// The types that functions name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterType {
    /// Any value.
    Any,
    /// A bool.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// A list whose elements have one type.
    List,
    /// A list of bools.
    ListOfBool,
    /// A list of strings.
    ListOfString,
    /// A list of numbers.
    ListOfNumber,
    /// A set whose elements have one type.
    Set,
    /// A set of strings.
    SetOfString,
    /// A map of lists of strings.
    MapOfLists,
}

impl Parameter {
    /// Whether null may stand there.
    pub fn is_nullable(&self) -> bool {
        self.flags & NULL != 0
    }
}

impl ParameterType {
    /// The type of the language.
    pub fn ty(self) -> Type {
        match self {
            Self::Any => Type::Dynamic,
            Self::Bool => Type::Bool,
            Self::Number => Type::Number,
            Self::String => Type::String,
            Self::List => Type::list(Type::Dynamic),
            Self::ListOfBool => Type::list(Type::Bool),
            Self::ListOfString => Type::list(Type::String),
            Self::ListOfNumber => Type::list(Type::Number),
            Self::Set => Type::set(Type::Dynamic),
            Self::SetOfString => Type::set(Type::String),
            Self::MapOfLists => Type::map(Type::list(Type::String)),
        }
    }
}

/// What a function is called with: its arguments, converted and checked, and the world.
pub(crate) struct Arguments<'a> {
    pub(crate) values: Vec<Value>,
    /// The type that the result must have, `any` where the arguments do not say it.
    pub(crate) expected: Type,
    pub(crate) ctx: &'a Context<'a>,
}

impl Arguments<'_> {
    /// An argument; the table guarantees that required ones are there.
    pub(crate) fn value(&self, at: usize) -> &Value {
        &self.values[at]
    }

    /// A string argument. Only for parameters of that type that take neither null nor unknown values.
    pub(crate) fn text(&self, at: usize) -> &str {
        self.values[at].as_str().unwrap_or_default()
    }

    /// A number argument, as for [`Self::text`].
    pub(crate) fn number(&self, at: usize) -> value::Number {
        self.values[at].as_number().cloned().unwrap_or(value::Number::ZERO)
    }

    /// An unknown result.
    pub(crate) fn unknown(&self) -> Value {
        Value::unknown(self.expected.clone())
    }

    /// The element type of the result.
    pub(crate) fn element(&self) -> Type {
        self.expected.element().cloned().unwrap_or(Type::Dynamic)
    }

    /// The elements of a known list, set or tuple argument.
    pub(crate) fn items(&self, at: usize) -> &[Value] {
        self.values[at].items().unwrap_or_default()
    }
}

const fn param(name: &'static str, ty: ParameterType) -> Parameter {
    Parameter { name, ty, flags: 0 }
}

const fn flagged(name: &'static str, ty: ParameterType, flags: u8) -> Parameter {
    Parameter { name, ty, flags }
}

const fn pure(
    name: &'static str,
    parameters: &'static [Parameter],
    returns: ParameterType,
    run: fn(&Arguments<'_>) -> Reply,
    description: &'static str,
) -> FunctionInfo {
    FunctionInfo {
        name,
        parameters,
        variadic: None,
        returns,
        description,
        impure: false,
        nullable: false,
        typed: None,
        run,
    }
}

impl FunctionInfo {
    const fn with_variadic(mut self, parameter: Parameter) -> Self {
        self.variadic = Some(parameter);
        self
    }

    const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    const fn typed(mut self, rule: TypeRule) -> Self {
        self.typed = Some(rule);
        self
    }

    const fn impure(mut self) -> Self {
        self.impure = true;
        self
    }

    /// The type of the result as far as the types of the parameters say it; `any` where it depends on the
    /// arguments.
    pub fn return_type(&'static self) -> Type {
        call::declared_type(self)
    }

    /// How a call looks.
    pub fn usage(&self) -> String {
        let mut names: Vec<String> = self.parameters.iter().map(|p| p.name.to_owned()).collect();
        names.extend(self.variadic.iter().map(|parameter| format!("{}...", parameter.name)));
        format!("{}({})", self.name, names.join(", "))
    }

    pub(crate) fn expected_arguments(&self) -> String {
        let count = self.parameters.len();
        let plural = if count == 1 { "" } else { "s" };
        match (count, self.variadic.is_some()) {
            (0, false) => "no arguments".to_owned(),
            (_, false) => format!("{count} argument{plural}"),
            (_, true) => format!("at least {count} argument{plural}"),
        }
    }
}

const GROUPS: &[&[FunctionInfo]] = &[
    number::FUNCTIONS,
    string::FUNCTIONS,
    text_format::FUNCTIONS,
    collection::FUNCTIONS,
    set::FUNCTIONS,
    encoding::FUNCTIONS,
    charset::FUNCTIONS,
    yaml::FUNCTIONS,
    hash::FUNCTIONS,
    crypto::FUNCTIONS,
    file::FUNCTIONS,
    conversion::FUNCTIONS,
    time::FUNCTIONS,
    cidr::FUNCTIONS,
];

/// All functions but `try` and `can`, which are part of the evaluation itself.
pub fn functions() -> impl Iterator<Item = &'static FunctionInfo> {
    GROUPS.iter().flat_map(|group| group.iter())
}

pub(crate) fn find(name: &str) -> Option<&'static FunctionInfo> {
    functions().find(|info| info.name == name)
}

/// What to say about functions that Terraform had once.
pub(crate) fn gone(name: &str) -> Option<&'static str> {
    match name {
        "list" => Some("write `tolist([…])` or `[…]`"),
        "map" => Some("write `tomap({…})` or `{…}`"),
        _ => None,
    }
}
