//! One way to evaluate text.

use std::path::Path;

use lang::testing::FixedWorld;
use lang::{Context, EvalError, Expression, Lookup, Phase, Scope, Step};
use syntax::{Diagnostics, Ident, SourceMap, Span};
use value::{Marks, Refinement, Type, Value};

/// Names that tests use: `unknown` (a string, never null), `anything` (unknown), `secret`, `secrets`, `n`.
pub(crate) struct Names;

impl Scope for Names {
    fn lookup(&self, root: &Ident, _: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        let value = match root.as_str() {
            "unknown" => Value::unknown_refined(Type::String, Refinement::not_null()),
            "unknown_list" => Value::unknown(Type::list(Type::String)),
            "anything" => Value::dynamic_unknown(),
            "secret" => Value::from("sec").mark(Marks::SENSITIVE),
            "secrets" => Value::object([("a", Value::from("sec").mark(Marks::SENSITIVE))]),
            "n" => Value::from(7),
            "template" => Value::from("${a}"),
            _ => {
                let name = root.text.to_string();
                return Err(EvalError::UnknownName { name, span, suggestion: None }.into());
            }
        };
        Ok(Lookup::root(value))
    }
}

pub(crate) fn compile(text: &str) -> (Expression, Diagnostics) {
    try_compile(text).unwrap_or_else(|faults| panic!("{text} parses: {faults:?}"))
}

/// The faults are those of parsing; those of compiling come with the expression.
pub(crate) fn try_compile(text: &str) -> Result<(Expression, Diagnostics), Diagnostics> {
    let mut map = SourceMap::new();
    // In parentheses an expression may have line ends, as it may between brackets.
    let source = format!("x = [\n{text}\n]\n");
    let (body, faults) = syntax::parse(&mut map, "test.tf", source.as_bytes());
    if faults.has_errors() {
        return Err(faults);
    }
    let expr = &body.attribute("x").expect("there is one attribute").expr;
    match &expr.kind {
        syntax::ExprKind::Tuple(items) if items.len() == 1 => Ok(lang::compile(&items[0])),
        other => panic!("{text} is one expression, but {other:?}"),
    }
}

pub(crate) fn try_evaluate(text: &str, world: &FixedWorld) -> Result<Value, Diagnostics> {
    let (expression, faults) = compile(text);
    if faults.has_errors() {
        return Err(faults);
    }
    evaluate_in_spite(&expression, world)
}

/// Evaluates whatever compiling has made of a text.
pub(crate) fn evaluate_in_spite(
    expression: &Expression,
    world: &FixedWorld,
) -> Result<Value, Diagnostics> {
    expression.evaluate(&Context {
        scope: &Names,
        world,
        phase: Phase::Plan,
        module_dir: Path::new("."),
        functions: None,
    })
}

pub(crate) fn evaluate(text: &str) -> Value {
    try_evaluate(text, &FixedWorld::default())
        .unwrap_or_else(|faults| panic!("{text} has a value, but {faults:?}"))
}

/// The messages of the faults of an expression that has some.
pub(crate) fn faults(text: &str) -> Vec<String> {
    let faults = try_evaluate(text, &FixedWorld::default()).expect_err(text);
    faults.iter().map(ToString::to_string).collect()
}
