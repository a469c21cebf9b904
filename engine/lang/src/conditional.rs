//! `a ? b : c`.

use syntax::Diagnostics;
use value::{Refinement, Type, Value};

use crate::comprehension::bool_condition;
use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome, in_words};
use crate::node::Node;

impl<'e> Evaluation<'e> {
    /// Both sides count for the type, but a fault of the side that is not chosen does not.
    pub(crate) fn conditional(&mut self, parts: &'e [Node; 3]) -> Outcome {
        let [condition, then, otherwise] = parts;
        let decided = self.node(condition)?;
        let marks = decided.marks();
        let decision = bool_condition(&decided, condition.span)?;
        let (first, second) = (self.node(then), self.node(otherwise));
        let (first, second) = match (decision, first, second) {
            (_, Ok(first), Ok(second)) => (first, second),
            // Without the type of the other side, the chosen one stays as it is.
            (Some(true), Ok(chosen), Err(_)) | (Some(false), Err(_), Ok(chosen)) => {
                return Ok(chosen.mark(marks));
            }
            (None, Err(mut faults), Err(others)) => {
                faults.extend(others);
                return Err(faults);
            }
            (Some(true) | None, Err(faults), _) | (Some(false) | None, _, Err(faults)) => {
                return Err(faults);
            }
        };
        let ty = common_type(&first, &second).ok_or_else(|| {
            Diagnostics::from(EvalError::BranchTypes {
                first: in_words(&first),
                second: in_words(&second),
                first_span: then.span,
                span: otherwise.span,
            })
        })?;
        let result = match decision {
            Some(true) => converted(&first, &ty),
            Some(false) => converted(&second, &ty),
            None => undecided(&first, &second, ty),
        };
        Ok(result.mark(marks))
    }
}

/// `None` stands for no common type. Null of no type takes the type of the other side.
fn common_type(first: &Value, second: &Value) -> Option<Type> {
    let untyped_null = |value: &Value| value.is_null() && value.ty() == Type::Dynamic;
    if untyped_null(first) {
        return Some(second.ty());
    }
    if untyped_null(second) {
        return Some(first.ty());
    }
    let (a, b) = (first.ty(), second.ty());
    if a == b { Some(a) } else { value::unify(&[a, b]) }
}

fn converted(value: &Value, ty: &Type) -> Value {
    value::convert(value, ty).unwrap_or_else(|_| value.clone())
}

fn undecided(first: &Value, second: &Value, ty: Type) -> Value {
    let marks = first.deep_marks().union(second.deep_marks());
    let never_null = |value: &Value| {
        !value.is_null() && (value.is_known() || value.refinement().is_some_and(|r| r.not_null))
    };
    let result = if never_null(first) && never_null(second) {
        Value::unknown_refined(ty, Refinement::not_null())
    } else {
        Value::unknown(ty)
    };
    result.mark(marks)
}
