//! Operators.

use syntax::{BinaryOp, Span, UnaryOp};
use value::{Number, Refinement, Type, Value};

use crate::error::EvalError;

/// Where the operands stand, and the whole.
#[derive(Clone, Copy)]
pub(crate) struct Spans {
    pub(crate) left: Span,
    pub(crate) right: Span,
    pub(crate) all: Span,
}

pub(crate) fn unary(operator: UnaryOp, operand: &Value, span: Span) -> Result<Value, EvalError> {
    let ty = match operator {
        UnaryOp::Negate => Type::Number,
        UnaryOp::Not => Type::Bool,
    };
    let value = operand_as(operand, &ty, operator.symbol(), span)?;
    let result = match (value.as_number(), value.as_bool()) {
        (Some(number), _) => Value::number(number.neg()),
        (_, Some(flag)) => Value::bool(!flag),
        _ => not_null(ty),
    };
    Ok(result.mark(operand.marks()))
}

pub(crate) fn binary(
    left: &Value,
    operator: BinaryOp,
    right: &Value,
    spans: Spans,
) -> Result<Value, EvalError> {
    let result = match operator {
        BinaryOp::Equal => from_known(equal(left, right), Type::Bool),
        BinaryOp::NotEqual => from_known(equal(left, right).map(|same| !same), Type::Bool),
        BinaryOp::And | BinaryOp::Or => logic(left, operator, right, spans)?,
        _ => numeric(left, operator, right, spans)?,
    };
    let marks = match operator {
        BinaryOp::Equal | BinaryOp::NotEqual => left.deep_marks().union(right.deep_marks()),
        _ => left.marks().union(right.marks()),
    };
    Ok(result.mark(marks))
}

pub(crate) use value::equal;

fn from_known(result: Option<bool>, ty: Type) -> Value {
    result.map_or_else(|| not_null(ty), Value::bool)
}

/// An unknown value that will not be null.
pub(crate) fn not_null(ty: Type) -> Value {
    Value::unknown_refined(ty, Refinement::not_null())
}

fn operand_as(
    value: &Value,
    ty: &Type,
    operator: &'static str,
    span: Span,
) -> Result<Value, EvalError> {
    if value.is_null() {
        let message = format!("{} is required, but this is null", in_article(ty));
        return Err(EvalError::Operand { operator, message, span });
    }
    value::convert(value, ty).map_err(|error| EvalError::Operand {
        operator,
        message: error.message,
        span,
    })
}

fn in_article(ty: &Type) -> String {
    format!("a {}", ty.friendly_name())
}

fn logic(
    left: &Value,
    operator: BinaryOp,
    right: &Value,
    spans: Spans,
) -> Result<Value, EvalError> {
    let a = operand_as(left, &Type::Bool, operator.symbol(), spans.left)?;
    let b = operand_as(right, &Type::Bool, operator.symbol(), spans.right)?;
    Ok(match (a.as_bool(), b.as_bool()) {
        (Some(a), Some(b)) if operator == BinaryOp::And => Value::bool(a && b),
        (Some(a), Some(b)) => Value::bool(a || b),
        _ => not_null(Type::Bool),
    })
}

fn numeric(
    left: &Value,
    operator: BinaryOp,
    right: &Value,
    spans: Spans,
) -> Result<Value, EvalError> {
    let a = operand_as(left, &Type::Number, operator.symbol(), spans.left)?;
    let b = operand_as(right, &Type::Number, operator.symbol(), spans.right)?;
    let compares = matches!(
        operator,
        BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual
    );
    let (Some(x), Some(y)) = (a.as_number(), b.as_number()) else {
        if compares {
            return Ok(from_known(compare_ranges(&a, operator, &b), Type::Bool));
        }
        return Ok(not_null(Type::Number));
    };
    let no_result = |what| EvalError::NoResult { what, span: spans.all };
    let number = |result: Option<Number>| {
        result.map(Value::number).ok_or_else(|| no_result("arithmetic with infinity has no result"))
    };
    match operator {
        BinaryOp::Less => Ok(Value::bool(x < y)),
        BinaryOp::LessOrEqual => Ok(Value::bool(x <= y)),
        BinaryOp::Greater => Ok(Value::bool(x > y)),
        BinaryOp::GreaterOrEqual => Ok(Value::bool(x >= y)),
        // Terraform goes on with infinity, and fails where that is stored, without naming a line.
        BinaryOp::Divide if y.is_zero() => Err(no_result("division by zero")),
        BinaryOp::Divide => number(x.div(y)),
        BinaryOp::Remainder => number(x.rem(y)),
        BinaryOp::Subtract => number(x.sub(y)),
        BinaryOp::Multiply => number(x.mul(y)),
        _ => number(x.add(y)),
    }
}

/// The least and the greatest number that a value may be; infinite where nothing is known.
fn range(value: &Value) -> (Number, Number) {
    if let Some(number) = value.as_number() {
        return (number.clone(), number.clone());
    }
    let known = value.refinement();
    let lower = known.and_then(|known| known.lower.clone());
    let upper = known.and_then(|known| known.upper.clone());
    (
        lower.map_or_else(|| Number::INFINITY.neg(), |(lower, _)| lower),
        upper.map_or(Number::INFINITY, |(upper, _)| upper),
    )
}

/// A comparison that what is known of the operands decides. Limits count as not included.
fn compare_ranges(a: &Value, operator: BinaryOp, b: &Value) -> Option<bool> {
    let ((a_least, a_most), (b_least, b_most)) = (range(a), range(b));
    let (below, above) = (a_most < b_least, a_least > b_most);
    match operator {
        BinaryOp::Less | BinaryOp::LessOrEqual if below => Some(true),
        BinaryOp::Less | BinaryOp::LessOrEqual if above => Some(false),
        BinaryOp::Greater | BinaryOp::GreaterOrEqual if above => Some(true),
        BinaryOp::Greater | BinaryOp::GreaterOrEqual if below => Some(false),
        _ => None,
    }
}
