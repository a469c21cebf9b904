//! `a ? b : c`.

use std::cmp::Ordering;

use syntax::{BinaryOp, Diagnostics, UnaryOp};
use value::{Marks, Number, Refinement, Type, Value};

use crate::comprehension::bool_condition;
use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome, in_words, object_key};
use crate::node::{Node, NodeKind, NodeStep, Part};

impl<'e> Evaluation<'e> {
    /// Both sides count for the type and for the marks, but a fault of the side that is not chosen does not.
    pub(crate) fn conditional(&mut self, parts: &'e [Node; 3]) -> Outcome {
        let [condition, then, otherwise] = parts;
        let (first, second) = (self.node(then), self.node(otherwise));
        let first_value = first.as_ref().map_or_else(|_| self.in_spite(then), Value::clone);
        let second_value = second.as_ref().map_or_else(|_| self.in_spite(otherwise), Value::clone);
        let Some(ty) = common_type(&first_value, &second_value) else {
            let mut faults = Diagnostics::from(EvalError::BranchTypes {
                first: in_words(&first_value),
                second: in_words(&second_value),
                first_span: then.span,
                span: otherwise.span,
            });
            // The condition is wrong or right whatever the sides are.
            let decided = self.node(condition);
            match decided.map(|value| bool_condition(&value, condition.span)) {
                Ok(decision) => {
                    faults.extend(decision.err().map(Diagnostics::from).unwrap_or_default())
                }
                Err(found) => faults.extend(found),
            }
            return Err(faults);
        };
        let decided = self.node(condition)?;
        let marks = decided.marks().union(first_value.marks()).union(second_value.marks());
        let decision = bool_condition(&decided, condition.span)?;
        let chosen = match decision {
            Some(true) => (first?, then.span),
            Some(false) => (second?, otherwise.span),
            None => return Ok(undecided(&first_value, &second_value, ty).mark(marks)),
        };
        let (chosen, span) = chosen;
        if unlike_parts(&chosen, &ty) {
            let message = "all elements must have the same type".to_owned();
            return Err(EvalError::BranchResult { message, span }.into());
        }
        let result = value::convert(&chosen, &ty)
            .map_err(|error| EvalError::BranchResult { message: error.to_string(), span })?;
        Ok(result.mark(marks))
    }
}

impl<'e> Evaluation<'e> {
    /// What is certain of the value of a node that has a fault: the type that its operator or its form gives it.
    fn in_spite(&mut self, node: &'e Node) -> Value {
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
            NodeKind::Template(parts) => {
                let marks = self.marks_in_spite(parts);
                Value::unknown(Type::String).refined_not_null().mark(marks)
            }
            NodeKind::Conditional(parts) => self.conditional_in_spite(parts),
            NodeKind::Tuple(items) => {
                Value::tuple(items.iter().map(|item| self.node_in_spite(item)).collect())
            }
            NodeKind::Object(items) => {
                let mut entries = Vec::with_capacity(items.len());
                let mut marks = Marks::NONE;
                for (key, value) in items {
                    let name = self.node_in_spite(key);
                    marks = marks.union(name.marks());
                    let name = object_key(&name, key.span).ok().and_then(|key| key.name);
                    let value = self.node_in_spite(value);
                    let Some(name) = name else { return Value::dynamic_unknown() };
                    entries.push((name, value));
                }
                Value::object(entries).mark(marks)
            }
            NodeKind::Splat { source, each } => match self.node(source) {
                Ok(source) => self.splat_in_spite(&source, each),
                Err(_) => Value::dynamic_unknown(),
            },
            NodeKind::For(inner) => self.comprehension_in_spite(inner),
            NodeKind::Reference(at) => self.reference_in_spite(*at),
            NodeKind::Access(source, steps) => {
                let value = self.node_in_spite(source);
                self.steps_in_spite(value, steps)
            }
            _ => Value::dynamic_unknown(),
        }
    }

    /// The type that a splat over this has, whatever is wrong with its steps.
    fn splat_in_spite(&mut self, source: &Value, each: &'e [NodeStep]) -> Value {
        let mut step = |ty: &Type| self.steps_in_spite(Value::unknown(ty.clone()), each).ty();
        if source.is_null() {
            return Value::dynamic_unknown();
        }
        let ty = match source.ty() {
            Type::Dynamic => return Value::dynamic_unknown(),
            Type::List(element) | Type::Set(element) => Type::list(step(&element)),
            Type::Tuple(elements) => Type::tuple(elements.iter().map(step).collect::<Vec<_>>()),
            // It may turn out to be null, of which there would be no elements.
            _ if source.is_unknown() && !source.is_never_null() => {
                return Value::dynamic_unknown().mark(source.marks());
            }
            only => Type::tuple([step(&only)]),
        };
        Value::unknown(ty).mark(source.marks())
    }

    /// The marks of the parts of a template, those with a fault left out.
    fn marks_in_spite(&mut self, parts: &'e [Part]) -> Marks {
        parts.iter().fold(Marks::NONE, |marks, part| match part {
            Part::Interpolation(node) => marks.union(self.node_in_spite(node).marks()),
            Part::If { condition: node, .. } | Part::For { collection: node, .. } => {
                let whole = self.marks_of_part(part);
                marks.union(whole.unwrap_or_else(|| self.node_in_spite(node).marks()))
            }
            Part::Literal(_) => marks,
        })
    }

    /// The value of a node, or what is certain of it.
    pub(crate) fn node_in_spite(&mut self, node: &'e Node) -> Value {
        match self.node(node) {
            Ok(value) => value,
            Err(_) => self.in_spite(node),
        }
    }

    /// A conditional within one has its type, whatever is wrong with it.
    fn conditional_in_spite(&mut self, parts: &'e [Node; 3]) -> Value {
        let [condition, then, otherwise] = parts;
        let (first, second) = (self.node_in_spite(then), self.node_in_spite(otherwise));
        let Some(ty) = common_type(&first, &second) else { return Value::dynamic_unknown() };
        let decided = self.node_in_spite(condition);
        let marks = decided.marks().union(first.marks()).union(second.marks());
        match bool_condition(&decided, condition.span) {
            Err(_) => Value::unknown(ty),
            Ok(None) => undecided(&first, &second, ty).mark(marks),
            Ok(Some(which)) => {
                let chosen = if which { first } else { second };
                value::convert(&chosen, &ty).unwrap_or_else(|_| Value::unknown(ty)).mark(marks)
            }
        }
    }
}

/// The other side is a collection of `any`, so this one must become one as it stands, without conversion of its parts.
fn unlike_parts(chosen: &Value, ty: &Type) -> bool {
    let open = matches!(ty, Type::List(element) | Type::Map(element) if **element == Type::Dynamic);
    let built = matches!(chosen.ty(), Type::Tuple(_) | Type::Object(_));
    let mut types = chosen.elements().map(|(_, part)| part.ty()).filter(|ty| *ty != Type::Dynamic);
    open && built && types.next().is_some_and(|first| types.any(|other| other != first))
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
