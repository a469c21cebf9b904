//! Operators.

use syntax::{BinaryOp, Diagnostics, Span, UnaryOp};
use value::{Number, Type, Value, convert, equal};

use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome};
use crate::node::Node;

pub(crate) fn unary(operator: UnaryOp, operand: &Value, span: Span) -> Outcome {
    let wanted = match operator {
        UnaryOp::Negate => Type::Number,
        UnaryOp::Not => Type::Bool,
    };
    let value = operand_of(operand, &wanted, operator.symbol(), span)?;
    let marks = value.marks();
    let result = match (value.as_number(), value.as_bool()) {
        (Some(number), _) => Value::number(number.neg()),
        (_, Some(flag)) => Value::bool(!flag),
        _ => Value::unknown(wanted),
    };
    Ok(result.mark(marks))
}

pub(crate) fn binary(
    evaluation: &mut Evaluation<'_>,
    left: &Node,
    operator: BinaryOp,
    right: &Node,
    span: Span,
) -> Outcome {
    let a = evaluation.node(left)?;
    let b = evaluation.node(right)?;
    let marks = a.marks().union(b.marks());
    match operator {
        BinaryOp::Equal | BinaryOp::NotEqual => {
            let marks = a.deep_marks().union(b.deep_marks());
            let same = equal(&a, &b).map(|same| same == (operator == BinaryOp::Equal));
            Ok(same.map_or_else(|| Value::unknown(Type::Bool), Value::bool).mark(marks))
        }
        BinaryOp::And | BinaryOp::Or => {
            let a = operand_of(&a, &Type::Bool, operator.symbol(), left.span)?.as_bool();
            let b = operand_of(&b, &Type::Bool, operator.symbol(), right.span)?.as_bool();
            // One operand may decide alone.
            let decisive = operator == BinaryOp::Or;
            let result = match (a, b) {
                (Some(a), Some(b)) => Some(if decisive { a || b } else { a && b }),
                (Some(known), None) | (None, Some(known)) if known == decisive => Some(decisive),
                _ => None,
            };
            Ok(result.map_or_else(|| Value::unknown(Type::Bool), Value::bool).mark(marks))
        }
        _ => {
            let a = operand_of(&a, &Type::Number, operator.symbol(), left.span)?;
            let b = operand_of(&b, &Type::Number, operator.symbol(), right.span)?;
            let result = match (a.as_number(), b.as_number()) {
                (Some(a), Some(b)) => arithmetic(a, operator, b, span)?,
                _ => {
                    Value::unknown(if is_comparison(operator) { Type::Bool } else { Type::Number })
                }
            };
            Ok(result.mark(marks))
        }
    }
}

fn is_comparison(operator: BinaryOp) -> bool {
    matches!(
        operator,
        BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual
    )
}

fn arithmetic(a: &Number, operator: BinaryOp, b: &Number, span: Span) -> Outcome {
    let number = |result: Option<Number>| {
        result.map(Value::number).ok_or_else(|| {
            EvalError::OperandType {
                what: format!("an operand of `{}`", operator.symbol()),
                message: "the result is not a number".to_owned(),
                span,
            }
            .into()
        })
    };
    match operator {
        BinaryOp::Add => number(a.add(b)),
        BinaryOp::Subtract => number(a.sub(b)),
        BinaryOp::Multiply => number(a.mul(b)),
        BinaryOp::Divide | BinaryOp::Remainder if b.is_zero() => {
            Err(EvalError::DivisionByZero { span }.into())
        }
        BinaryOp::Divide => number(a.div(b)),
        BinaryOp::Remainder => number(a.rem(b)),
        BinaryOp::Less => Ok(Value::bool(a < b)),
        BinaryOp::LessOrEqual => Ok(Value::bool(a <= b)),
        BinaryOp::Greater => Ok(Value::bool(a > b)),
        _ => Ok(Value::bool(a >= b)),
    }
}

fn operand_of(
    value: &Value,
    wanted: &Type,
    symbol: &str,
    span: Span,
) -> Result<Value, Diagnostics> {
    if value.is_null() {
        return Err(EvalError::NullValue { what: format!("an operand of `{symbol}`"), span }.into());
    }
    convert(value, wanted).map_err(|error| {
        EvalError::OperandType {
            what: format!("an operand of `{symbol}`"),
            message: error.to_string(),
            span,
        }
        .into()
    })
}
