//! What can be wrong with an expression.

use miette::Diagnostic;
use syntax::{ErrorDoc, Span};
use thiserror::Error;

/// A fault in an expression, found when it is compiled or evaluated. No message holds a sensitive value.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum EvalError {
    /// No function has this name.
    #[error("unknown function `{name}`")]
    #[diagnostic(code(stratiform::lang::unknown_function))]
    UnknownFunction {
        /// The name as written.
        name: String,
        /// The name's place.
        #[label("no function of this name")]
        span: Span,
        /// The nearest name, where one is near.
        #[help]
        suggestion: Option<String>,
    },

    /// A call has too few or too many arguments.
    #[error("function `{function}` takes {expected}, but {found} given")]
    #[diagnostic(code(stratiform::lang::argument_count), help("write `{usage}`"))]
    ArgumentCount {
        /// The function.
        function: String,
        /// How many it takes, in words.
        expected: String,
        /// How many there are, in words.
        found: String,
        /// How a call looks.
        usage: String,
        /// The call's parentheses.
        #[label("{expected} expected")]
        span: Span,
    },

    /// An argument does not suit the function.
    #[error("unsuitable value for `{argument}` of function `{function}`: {message}")]
    #[diagnostic(code(stratiform::lang::argument))]
    Argument {
        /// The function.
        function: String,
        /// The name of the parameter.
        argument: String,
        /// What is wrong with it.
        message: String,
        /// The argument.
        #[label("{message}")]
        span: Span,
        /// What to do, where that can be told.
        #[help]
        help: Option<String>,
    },

    /// A function cannot do its work.
    #[error("call of function `{function}` failed: {message}")]
    #[diagnostic(code(stratiform::lang::call))]
    Call {
        /// The function.
        function: String,
        /// Why.
        message: String,
        /// The call.
        #[label("{message}")]
        span: Span,
        /// What to do, where that can be told.
        #[help]
        help: Option<String>,
    },

    /// What stands before `...` has no elements to hand over.
    #[error("only a list, set or tuple can be expanded into arguments")]
    #[diagnostic(
        code(stratiform::lang::expand_argument),
        help("put a list before `...`, or drop the `...`")
    )]
    ExpandArgument {
        /// What stands there, in words.
        found: String,
        /// The last argument.
        #[label("this is {found}")]
        span: Span,
    },

    /// An object, or a map, has no such attribute.
    #[error("{holder} has no attribute `{name}`")]
    #[diagnostic(code(stratiform::lang::unsupported_attribute))]
    UnsupportedAttribute {
        /// What it was looked for in.
        holder: String,
        /// The name as written.
        name: String,
        /// The name's place.
        #[label("no such attribute")]
        span: Span,
        /// The nearest name, or those that there are.
        #[help]
        suggestion: Option<String>,
    },

    /// A value of this type has no attributes.
    #[error("attribute `{name}` asked of {found}, which has no attributes")]
    #[diagnostic(code(stratiform::lang::not_an_object))]
    NotAnObject {
        /// The name as written.
        name: String,
        /// What was found, in words.
        found: String,
        /// The name's place.
        #[label("the value before this is {found}")]
        span: Span,
        /// What to write instead, where that can be told.
        #[help]
        help: Option<String>,
    },

    /// Something was asked of null.
    #[error("{what} of a null value")]
    #[diagnostic(
        code(stratiform::lang::null_value),
        help(
            "null has no content: use a condition, `try` or `coalesce` where the value may be null"
        )
    )]
    NullValue {
        /// What was asked.
        what: String,
        /// The place.
        #[label("the value is null here")]
        span: Span,
    },

    /// A list or tuple is not that long, or a map has no such element.
    #[error("no element {index} in {holder}")]
    #[diagnostic(code(stratiform::lang::invalid_index))]
    InvalidIndex {
        /// The index in backticks, or a word for it where it is sensitive.
        index: String,
        /// What it was looked for in.
        holder: String,
        /// The index.
        #[label("{reason}")]
        span: Span,
        /// Why it is not there.
        reason: String,
        /// The nearest key, where one is near.
        #[help]
        suggestion: Option<String>,
    },

    /// A value of this type has no elements.
    #[error("{found} cannot be indexed")]
    #[diagnostic(code(stratiform::lang::not_indexable))]
    NotIndexable {
        /// What was found, in words.
        found: String,
        /// The index.
        #[label("an index needs a list, tuple, map or object before it")]
        span: Span,
        /// What to write instead, where that can be told.
        #[help]
        help: Option<String>,
    },

    /// The index itself has the wrong type.
    #[error("unsuitable index: {message}")]
    #[diagnostic(code(stratiform::lang::index_type))]
    IndexType {
        /// What was wanted and found.
        message: String,
        /// The index.
        #[label("{message}")]
        span: Span,
    },

    /// An operand has the wrong type, or is null.
    #[error("unsuitable operand of `{operator}`: {message}")]
    #[diagnostic(code(stratiform::lang::operand))]
    Operand {
        /// The operator as written.
        operator: &'static str,
        /// What was wanted and found.
        message: String,
        /// The operand.
        #[label("{message}")]
        span: Span,
    },

    /// Arithmetic without a result.
    #[error("{what}")]
    #[diagnostic(
        code(stratiform::lang::no_result),
        help("guard the operation with a condition, such as `b == 0 ? 0 : a / b`")
    )]
    NoResult {
        /// What was tried.
        what: &'static str,
        /// The operation.
        #[label("no number is the result of this")]
        span: Span,
    },

    /// A condition is no bool.
    #[error("unsuitable condition: {message}")]
    #[diagnostic(
        code(stratiform::lang::condition),
        help("a condition is `true` or `false`; compare with `==`, `<` or the like")
    )]
    Condition {
        /// What was found.
        message: String,
        /// The condition.
        #[label("{message}")]
        span: Span,
    },

    /// The two sides of a conditional have no common type.
    #[error("the two results of a condition have no common type")]
    #[diagnostic(
        code(stratiform::lang::branch_types),
        help("give both sides the same type, with `tostring`, `tolist` or the like")
    )]
    BranchTypes {
        /// The type of the first, in words.
        first: String,
        /// The type of the second, in words.
        second: String,
        /// The first result.
        #[label("{first}")]
        first_span: Span,
        /// The second result.
        #[label(primary, "{second}")]
        span: Span,
    },

    /// The chosen result of a conditional does not convert to the type that both have in common.
    #[error("the chosen result of a condition does not have the common type: {message}")]
    #[diagnostic(
        code(stratiform::lang::branch_result),
        help(
            "both results get one type; give them the same one, with `tostring`, `tolist` or the like"
        )
    )]
    BranchResult {
        /// What does not fit.
        message: String,
        /// The result.
        #[label("{message}")]
        span: Span,
    },

    /// `for` walks something that has no elements.
    #[error("`for` cannot walk {found}")]
    #[diagnostic(
        code(stratiform::lang::for_collection),
        help("`for` needs a list, set, tuple, map or object")
    )]
    ForCollection {
        /// What was found, in words.
        found: String,
        /// The collection.
        #[label("this is {found}")]
        span: Span,
    },

    /// A key of an object is null or no string.
    #[error("unsuitable key: {message}")]
    #[diagnostic(code(stratiform::lang::object_key), help("a key is a string, or converts to one"))]
    ObjectKey {
        /// What was found.
        message: String,
        /// The key.
        #[label("{message}")]
        span: Span,
    },

    /// Two elements give the same key.
    #[error("two elements give the same key{key}")]
    #[diagnostic(
        code(stratiform::lang::duplicate_key),
        help("write `...` after the value to gather the values of equal keys in lists")
    )]
    DuplicateKey {
        /// The key with a space and backticks; empty where it is sensitive.
        key: String,
        /// The key expression.
        #[label("gives the same key twice")]
        span: Span,
    },

    /// A part of a template is no text.
    #[error("{found} cannot become part of a text")]
    #[diagnostic(
        code(stratiform::lang::template_part),
        help(
            "take a part of it that is a string, or turn it into text with `jsonencode` or `join`"
        )
    )]
    TemplatePart {
        /// What was found, in words.
        found: String,
        /// The interpolation.
        #[label("this is {found}")]
        span: Span,
    },

    /// A template that was read from elsewhere has a fault.
    #[error("fault in template `{template}`, line {line}, column {column}: {message}")]
    #[diagnostic(code(stratiform::lang::template))]
    Template {
        /// Where the template came from.
        template: String,
        /// The line of the fault, from 1.
        line: usize,
        /// Its column, from 1.
        column: usize,
        /// The fault.
        message: String,
        /// The call that rendered it.
        #[label("rendered here")]
        span: Span,
        /// What to do, where that can be told.
        #[help]
        help: Option<String>,
    },

    /// A name stands for nothing here.
    #[error("unknown name `{name}`")]
    #[diagnostic(code(stratiform::lang::unknown_name))]
    UnknownName {
        /// The name as written.
        name: String,
        /// Its place.
        #[label("not defined here")]
        span: Span,
        /// The nearest name, where one is near.
        #[help]
        suggestion: Option<String>,
    },

    /// A reference stands where only constants may.
    #[error("reference to `{name}` where only constants are allowed")]
    #[diagnostic(
        code(stratiform::lang::reference_not_allowed),
        help("write the value itself; to use names inside a text, quote it")
    )]
    ReferenceNotAllowed {
        /// The first name of the reference.
        name: String,
        /// The reference.
        #[label("not known here")]
        span: Span,
    },

    /// A number that cannot be represented.
    #[error("number out of range")]
    #[diagnostic(code(stratiform::lang::number_range), help("an exponent is at most 50000"))]
    NumberRange {
        /// The literal.
        #[label("too large or too small")]
        span: Span,
    },

    /// Not a type expression.
    #[error("not a type: {message}")]
    #[diagnostic(code(stratiform::lang::type_expression))]
    TypeExpression {
        /// What is wrong.
        message: String,
        /// The place.
        #[label("{message}")]
        span: Span,
        /// What to write.
        #[help]
        help: Option<String>,
    },

    /// A part that could not be compiled was evaluated nevertheless.
    #[error("expression with errors was evaluated")]
    #[diagnostic(code(stratiform::lang::broken), help("mend the errors reported for it first"))]
    Broken {
        /// The part.
        #[label("has errors")]
        span: Span,
    },
}

macro_rules! docs {
    ($($code:literal, $title:literal, $explanation:literal, $example:literal;)*) => {
        &[$(ErrorDoc {
            code: concat!("stratiform::lang::", $code),
            title: $title,
            explanation: $explanation,
            example: $example,
        }),*]
    };
}

/// The codes of this crate, for the reference.
pub fn error_docs() -> &'static [ErrorDoc] {
    docs![
        "unknown_function", "unknown function", "The table of functions has no entry of this name.", "value = uper(\"a\")";
        "argument_count", "wrong number of arguments", "A call has more or fewer arguments than the function takes.", "value = upper(\"a\", \"b\")";
        "argument", "unsuitable argument", "An argument is null, has another type, or a content that the function cannot use.", "value = upper([])";
        "call", "call failed", "The arguments are of the right types, but together they have no result.", "value = coalesce(null)";
        "expand_argument", "cannot expand", "Only what has elements can stand before `...`.", "value = max(1...)";
        "unsupported_attribute", "no such attribute", "An object has the attributes of its type and no others.", "value = { a = 1 }.b";
        "not_an_object", "no attributes", "Only objects and maps have attributes.", "value = \"text\".length";
        "null_value", "null value", "Null has neither attributes nor elements.", "value = null.name";
        "invalid_index", "no such element", "The index lies beyond the end, or the map has no such key.", "value = [1, 2][2]";
        "not_indexable", "cannot be indexed", "Numbers, bools, strings and sets have no numbered elements.", "value = \"text\"[0]";
        "index_type", "unsuitable index", "A list wants a whole number, a map a string.", "value = [1, 2][\"a\"]";
        "operand", "unsuitable operand", "Arithmetic wants numbers, logic wants bools; neither takes null.", "value = 1 + \"a\"";
        "no_result", "no result", "Zero divided by zero has no result, nor has most arithmetic with infinity.", "value = 0 / 0";
        "condition", "unsuitable condition", "What decides must be true or false.", "value = \"maybe\" ? 1 : 2";
        "branch_types", "no common type", "A conditional has one type, so both results must convert to it.", "value = true ? [] : {}";
        "branch_result", "result without the common type", "Both results of a conditional get one type, and the chosen one does not convert to it.", "";
        "for_collection", "cannot be walked", "`for` needs something with elements.", "value = [for x in 5 : x]";
        "object_key", "unsuitable key", "Keys of objects are strings and never null.", "value = { (null) = 1 }";
        "duplicate_key", "same key twice", "Without `...` each key may come up once.", "value = { for x in [1, 1] : x => x }";
        "template_part", "not text", "Lists and objects have no one text form.", "value = \"list: ${[1]}\"";
        "template", "fault in a template", "A template file or string has a fault of its own.", "";
        "unknown_name", "unknown name", "A template knows only the names that it is given.", "";
        "reference_not_allowed", "reference not allowed", "The value is needed before anything is evaluated.", "-var 'a=local.b'";
        "number_range", "number out of range", "The exponent of the number is too large.", "value = 1e99999999";
        "type_expression", "not a type", "A type is string, number, bool, any, or list, set, map, tuple or object of types.", "type = strng";
        "broken", "expression with errors", "Something was evaluated although it had not compiled.", "";
    ]
}
