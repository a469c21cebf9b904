//! `a ? b : c`.

use std::cmp::Ordering;

use syntax::{BinaryOp, Diagnostics, UnaryOp};
use value::{Number, Refinement, Type, Value};

use crate::comprehension::bool_condition;
use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome, in_words};
use crate::node::{Node, NodeKind};

impl<'e> Evaluation<'e> {
    /// Both sides count for the type and for the marks, but a fault of the side that is not chosen does not.
    pub(crate) fn conditional(&mut self, parts: &'e [Node; 3]) -> Outcome {
        let [condition, then, otherwise] = parts;
        let (first, second) = (self.node(then), self.node(otherwise));
        let first_value = first.as_ref().map_or_else(|_| self.in_spite(then), Value::clone);
        let second_value = second.as_ref().map_or_else(|_| self.in_spite(otherwise), Value::clone);
        let ty = common_type(&first_value, &second_value).ok_or_else(|| {
            Diagnostics::from(EvalError::BranchTypes {
                first: in_words(&first_value),
                second: in_words(&second_value),
                first_span: then.span,
                span: otherwise.span,
            })
        })?;
        let decided = self.node(condition)?;
        let marks = decided.marks().union(first_value.marks()).union(second_value.marks());
        let decision = bool_condition(&decided, condition.span)?;
        let chosen = match decision {
            Some(true) => (first?, then.span),
            Some(false) => (second?, otherwise.span),
            None => return Ok(undecided(&first_value, &second_value, ty).mark(marks)),
        };
        let (chosen, span) = chosen;
        let result = value::convert(&chosen, &ty)
            .map_err(|error| EvalError::BranchResult { message: error.to_string(), span })?;
        Ok(result.mark(marks))
    }
}

impl<'e> Evaluation<'e> {
    /// What is certain of the value of a node that has a fault: the type that its operator or its form gives it.
    fn in_spite(&mut self, node: &'e Node) -> Value {
        let mut part = |node: &'e Node| match self.node(node) {
            Ok(value) => value,
            Err(_) => self.in_spite(node),
        };
        match &node.kind {
            NodeKind::Unary(UnaryOp::Not, _) => Value::unknown(Type::Bool),
            NodeKind::Unary(UnaryOp::Negate, _) => Value::unknown(Type::Number),
            NodeKind::Binary(_, operator, _) => Value::unknown(match operator {
                BinaryOp::Add
                | BinaryOp::Subtract
                | BinaryOp::Multiply
                | BinaryOp::Divide
                | BinaryOp::Remainder => Type::Number,
                _ => Type::Bool,
            }),
            NodeKind::Template(_) => Value::unknown(Type::String).refined_not_null(),
            NodeKind::Tuple(items) => Value::tuple(items.iter().map(part).collect()),
            NodeKind::Object(items) => {
                let mut entries = Vec::with_capacity(items.len());
                for (key, value) in items {
                    let key = part(key);
                    let Some(name) = key.as_arc_str().cloned() else {
                        return Value::dynamic_unknown();
                    };
                    entries.push((name, part(value)));
                }
                Value::object(entries)
            }
            NodeKind::Splat { source, .. } => match part(source).ty() {
                Type::Dynamic => Value::dynamic_unknown(),
                Type::List(_) | Type::Set(_) => Value::unknown(Type::list(Type::Dynamic)),
                Type::Tuple(elements) => {
                    Value::unknown(Type::tuple(elements.iter().map(|_| Type::Dynamic)))
                }
                _ => Value::unknown(Type::tuple([Type::Dynamic])),
            },
            // Only a key that comes twice leaves the other entries as they are.
            NodeKind::For(inner) if inner.key.is_some() && !inner.grouping => match self.node(node)
            {
                Err(faults) if faults.iter().all(|fault| is_duplicate(fault)) => {
                    Value::empty_object()
                }
                _ => Value::dynamic_unknown(),
            },
            _ => Value::dynamic_unknown(),
        }
    }
}

fn is_duplicate(fault: &dyn miette::Diagnostic) -> bool {
    fault.code().is_some_and(|code| code.to_string() == "stratiform::lang::duplicate_key")
}

/// `None` stands for no common type. Null of no type takes the type of the other side.
fn common_type(first: &Value, second: &Value) -> Option<Type> {
    let untyped_null =
        |value: &Value| value.is_null() && value.ty_is_dynamic() && value.marks().is_empty();
    if untyped_null(first) {
        return Some(second.ty());
    }
    if untyped_null(second) {
        return Some(first.ty());
    }
    if first.ty_is_dynamic() || second.ty_is_dynamic() {
        return Some(Type::Dynamic);
    }
    let (a, b) = (first.ty(), second.ty());
    if a == b { Some(a) } else { value::unify(&[a, b]) }
}

/// What both sides have in common, where it is not known which one it will be.
fn undecided(first: &Value, second: &Value, ty: Type) -> Value {
    if first.is_null() && second.is_null() {
        return Value::null(ty);
    }
    let not_null = first.is_never_null() && second.is_never_null();
    let mut refinement = Refinement { not_null, ..Refinement::default() };
    let (a, b) = (first.ty(), second.ty());
    if a == Type::Number && b == Type::Number {
        let (lower, upper) =
            (wider(first, second, Ordering::Less), wider(first, second, Ordering::Greater));
        refinement.lower = lower;
        refinement.upper = upper;
    } else if a.is_collection() && a == b {
        let ((a_least, a_most), (b_least, b_most)) = (lengths(first), lengths(second));
        refinement.min_length = Some(a_least.min(b_least));
        refinement.max_length = a_most.zip(b_most).map(|(a, b)| a.max(b));
    }
    Value::unknown_refined(ty, refinement)
}

type Bound = Option<(Number, bool)>;

/// The lower or the upper one of two limits; none where one side has none.
fn wider(first: &Value, second: &Value, side: Ordering) -> Bound {
    let bound = |value: &Value| match (value.as_number(), value.refinement()) {
        (Some(number), _) => Some((number.clone(), true)),
        (None, Some(known)) if side == Ordering::Less => known.lower.clone(),
        (None, Some(known)) => known.upper.clone(),
        (None, None) => None,
    };
    let (a, b) = (bound(first)?, bound(second)?);
    Some(match a.0.cmp(&b.0) {
        Ordering::Equal => (a.0, a.1 || b.1),
        order if order == side => a,
        _ => b,
    })
}

/// How few and how many elements there may be.
fn lengths(value: &Value) -> (usize, Option<usize>) {
    match (value.len(), value.refinement()) {
        (Some(_), _) if value.is_set() && !value.is_wholly_known() => (0, None),
        (Some(length), _) => (length, Some(length)),
        (None, Some(known)) => (known.min_length.unwrap_or(0), known.max_length),
        (None, None) => (0, None),
    }
}
