//! What can go wrong in an expression.

use miette::Diagnostic;
use syntax::{ErrorDoc, Span};
use thiserror::Error;

/// A fault of an expression. No variant holds a value that is sensitive.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum EvalError {
    /// There is no such function.
    #[error("unknown function `{name}`")]
    #[diagnostic(code(stratiform::lang::unknown_function))]
    UnknownFunction {
        /// The name.
        name: String,
        /// The name's place.
        #[label("no such function")]
        span: Span,
        /// The nearest name.
        #[help]
        suggestion: Option<String>,
    },
    /// A function got too few or too many arguments.
    #[error("function `{name}` takes {expected}, but got {found}")]
    #[diagnostic(code(stratiform::lang::argument_count), help("its form is `{usage}`"))]
    ArgumentCount {
        /// The function.
        name: String,
        /// How many it takes.
        expected: String,
        /// How many it got.
        found: usize,
        /// The call.
        #[label("{found} given")]
        span: Span,
        /// The function with its parameters.
        usage: String,
    },
    /// A function cannot work with an argument.
    #[error("function `{name}` failed: {message}")]
    #[diagnostic(code(stratiform::lang::function_failed))]
    FunctionFailed {
        /// The function.
        name: String,
        /// What is wrong.
        message: String,
        /// The argument, or the call.
        #[label("{message}")]
        span: Span,
        /// What to write.
        #[help]
        help: Option<String>,
    },
    /// A value has no such attribute.
    #[error("unsupported attribute `{name}`")]
    #[diagnostic(code(stratiform::lang::unsupported_attribute))]
    UnsupportedAttribute {
        /// The attribute.
        name: String,
        /// What the value is.
        found: String,
        /// The attribute's place.
        #[label("{found} has no such attribute")]
        span: Span,
        /// The nearest name.
        #[help]
        suggestion: Option<String>,
    },
    /// An index leads nowhere.
    #[error("invalid index: {message}")]
    #[diagnostic(code(stratiform::lang::invalid_index))]
    InvalidIndex {
        /// What was expected and what was found.
        message: String,
        /// The index.
        #[label("{message}")]
        span: Span,
        /// What to write.
        #[help]
        help: Option<String>,
    },
    /// A value is null where one is needed.
    #[error("{what} is null")]
    #[diagnostic(
        code(stratiform::lang::null_value),
        help("`try(…, default)` or `coalesce(…)` give a value where there is none")
    )]
    NullValue {
        /// What needs a value.
        what: String,
        /// The place.
        #[label("this is null")]
        span: Span,
    },
    /// An operand has another type.
    #[error("{what} has the wrong type: {message}")]
    #[diagnostic(code(stratiform::lang::operand_type))]
    OperandType {
        /// What is at fault.
        what: String,
        /// What was wanted and found.
        message: String,
        /// The operand.
        #[label("{message}")]
        span: Span,
    },
    /// A division by zero.
    #[error("division by zero")]
    #[diagnostic(
        code(stratiform::lang::division_by_zero),
        help("test the divisor first: `b == 0 ? 0 : a / b`")
    )]
    DivisionByZero {
        /// The operation.
        #[label("the divisor is 0")]
        span: Span,
    },
    /// The results of a condition have no common type.
    #[error("the two results of the condition have no common type")]
    #[diagnostic(
        code(stratiform::lang::inconsistent_conditional),
        help("convert one of them, for example by `tostring(…)` or `tolist(…)`")
    )]
    InconsistentConditional {
        /// The type of the first.
        first: String,
        /// The type of the second.
        second: String,
        /// The first.
        #[label("this is {first}")]
        first_span: Span,
        /// The second.
        #[label("this is {second}")]
        second_span: Span,
    },
    /// An object gets a key twice.
    #[error("duplicate key `{key}` in a `for` expression")]
    #[diagnostic(
        code(stratiform::lang::duplicate_key),
        help("add `...` behind the value to group values of one key")
    )]
    DuplicateKey {
        /// The key.
        key: String,
        /// The key expression.
        #[label("gives the same key twice")]
        span: Span,
    },
    /// A value cannot be put into a text.
    #[error("a {found} cannot stand in a template")]
    #[diagnostic(
        code(stratiform::lang::template_value),
        help("encode it, for example by `jsonencode(…)` or `join(\", \", …)`")
    )]
    TemplateValue {
        /// The value's type.
        found: String,
        /// The interpolation.
        #[label("this is a {found}")]
        span: Span,
    },
    /// A name stands where no name can.
    #[error("`{name}` cannot be used here")]
    #[diagnostic(
        code(stratiform::lang::reference_not_allowed),
        help("only values that are written out can stand here; a string needs quotes")
    )]
    ReferenceNotAllowed {
        /// The name.
        name: String,
        /// The reference.
        #[label("a reference")]
        span: Span,
    },
    /// A type constraint that is none.
    #[error("invalid type: {message}")]
    #[diagnostic(
        code(stratiform::lang::invalid_type),
        help(
            "types are `string`, `number`, `bool`, `any`, `list(T)`, `set(T)`, `map(T)`, `tuple([…])` and `object({{…}})`"
        )
    )]
    InvalidType {
        /// What is wrong.
        message: String,
        /// The place.
        #[label("{message}")]
        span: Span,
    },
    /// A number that cannot be read.
    #[error("`{text}` is not a number that can be stored")]
    #[diagnostic(code(stratiform::lang::invalid_number))]
    InvalidNumber {
        /// The text.
        text: String,
        /// The place.
        #[label("too large or too small")]
        span: Span,
    },
    /// None of the expressions of `try` worked.
    #[error("none of the expressions of `try` could be evaluated")]
    #[diagnostic(code(stratiform::lang::try_failed), help("end with a constant: `try(a.b, null)`"))]
    TryFailed {
        /// The call.
        #[label("all of them fail; the last: {last}")]
        span: Span,
        /// The last failure.
        last: String,
    },
}

/// The codes of this crate, for the reference.
pub const ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::lang::unknown_function",
        "Unknown function",
        "There is no function of this name. The nearest one is suggested.",
    ),
    doc(
        "stratiform::lang::argument_count",
        "Number of arguments",
        "A function got more or fewer arguments than it takes.",
    ),
    doc(
        "stratiform::lang::function_failed",
        "Function failed",
        "A function cannot work with what it was given.",
    ),
    doc(
        "stratiform::lang::unsupported_attribute",
        "Unsupported attribute",
        "A value has no attribute of this name.",
    ),
    doc(
        "stratiform::lang::invalid_index",
        "Invalid index",
        "An index is out of range, or of a kind that the value does not take.",
    ),
    doc("stratiform::lang::null_value", "Null value", "A value is needed, but there is null."),
    doc(
        "stratiform::lang::operand_type",
        "Operand of another type",
        "An operand cannot be converted to what the operator takes.",
    ),
    doc(
        "stratiform::lang::division_by_zero",
        "Division by zero",
        "The divisor of `/` or `%` is zero.",
    ),
    doc(
        "stratiform::lang::inconsistent_conditional",
        "No common type",
        "Both results of a condition must convert to one type.",
    ),
    doc(
        "stratiform::lang::duplicate_key",
        "Duplicate key",
        "A `for` expression gives two values to one key of an object.",
    ),
    doc(
        "stratiform::lang::template_value",
        "Value in a template",
        "Only strings, numbers and bools can stand in a template.",
    ),
    doc(
        "stratiform::lang::reference_not_allowed",
        "Reference not allowed",
        "The value must be written out.",
    ),
    doc("stratiform::lang::invalid_type", "Invalid type", "A type constraint is not one."),
    doc(
        "stratiform::lang::invalid_number",
        "Invalid number",
        "A number's exponent is out of range.",
    ),
    doc("stratiform::lang::try_failed", "Nothing worked", "All expressions of a `try` fail."),
];

const fn doc(code: &'static str, title: &'static str, explanation: &'static str) -> ErrorDoc {
    ErrorDoc { code, title, explanation, example: "" }
}
