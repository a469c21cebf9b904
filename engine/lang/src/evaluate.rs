//! From nodes to values.

use std::sync::Arc;

use syntax::{Diagnostics, Span};
use value::{Marks, Type, Value, convert, unify};

use crate::access;
use crate::context::{Context, Step};
use crate::error::EvalError;
use crate::function;
use crate::node::{Call, Callee, Node, NodeKind, NodeStep};
use crate::operator;
use crate::traversal::Traversal;

/// One evaluation: the context, and the values that `for` expressions have bound.
pub(crate) struct Evaluation<'a> {
    pub(crate) ctx: &'a Context<'a>,
    pub(crate) locals: Vec<Value>,
}

pub(crate) type Outcome = Result<Value, Diagnostics>;

impl<'a> Evaluation<'a> {
    pub(crate) fn new(ctx: &'a Context<'a>) -> Self {
        Self { ctx, locals: Vec::new() }
    }

    pub(crate) fn node(&mut self, node: &Node) -> Outcome {
        match &node.kind {
            NodeKind::Constant(value) => Ok(value.clone()),
            NodeKind::Reference(traversal, steps) => self.reference(traversal, steps, node.span),
            NodeKind::Local(slot) => {
                Ok(self.locals.get(*slot).cloned().unwrap_or_else(Value::dynamic_unknown))
            }
            NodeKind::Access(source, steps) => {
                let value = self.node(source)?;
                self.steps(value, steps, source.span)
            }
            NodeKind::Splat { source, each } => {
                let value = self.node(source)?;
                self.splat(value, each, source.span)
            }
            NodeKind::Template(parts) => self.template(parts, node.span),
            NodeKind::Tuple(items) => {
                let items = self.all(items)?;
                Ok(Value::tuple(items))
            }
            NodeKind::Object(items) => self.object(items),
            NodeKind::Call(call) => self.call(call, node.span),
            NodeKind::Unary(operator, operand) => {
                let value = self.node(operand)?;
                operator::unary(*operator, &value, operand.span)
            }
            NodeKind::Binary(operands, operator) => {
                let [left, right] = &**operands;
                operator::binary(self, left, *operator, right, node.span)
            }
            NodeKind::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                self.conditional(condition, yes, no)
            }
            NodeKind::For(parts) => self.comprehension(parts),
        }
    }

    /// Evaluates all nodes, so that all their faults are reported.
    pub(crate) fn all(&mut self, nodes: &[Node]) -> Result<Vec<Value>, Diagnostics> {
        let mut values = Vec::with_capacity(nodes.len());
        let mut diagnostics = Diagnostics::new();
        for node in nodes {
            match self.node(node) {
                Ok(value) => values.push(value),
                Err(found) => diagnostics.extend(found),
            }
        }
        if diagnostics.is_empty() { Ok(values) } else { Err(diagnostics) }
    }

    fn object(&mut self, items: &[(Node, Node)]) -> Outcome {
        let mut entries: Vec<(Arc<str>, Value)> = Vec::with_capacity(items.len());
        let mut marks = Marks::NONE;
        let mut unknown_key = false;
        for (key_node, value_node) in items {
            let key = self.node(key_node)?;
            let value = self.node(value_node)?;
            marks = marks.union(key.deep_marks());
            if key.is_unknown() {
                unknown_key = true;
                continue;
            }
            entries.push((key_text(&key, key_node.span)?, value));
        }
        let object = if unknown_key { Value::dynamic_unknown() } else { Value::object(entries) };
        Ok(object.mark(marks))
    }

    fn reference(&mut self, traversal: &Traversal, steps: &[NodeStep], span: Span) -> Outcome {
        // Index values are computed first, since the scope may use them to find one instance.
        let mut indexes: Vec<Option<Value>> = Vec::with_capacity(steps.len());
        for step in steps {
            indexes.push(match step {
                NodeStep::Index(node, _) => Some(self.node(node)?),
                _ => None,
            });
        }
        let plain: Vec<Step<'_>> = steps
            .iter()
            .zip(&indexes)
            .map_while(|(step, index)| match (step, index) {
                (NodeStep::Attribute(name), _) => Some(Step::Attribute(name)),
                (NodeStep::Index(_, span), Some(index)) => Some(Step::Index(index, *span)),
                _ => None,
            })
            .collect();
        let found = self.ctx.scope.lookup(&traversal.root, &plain, span)?;
        let mut value = found.value;
        for (step, index) in steps.iter().zip(&indexes).skip(found.used) {
            value = match (step, index) {
                (NodeStep::Attribute(name), _) => access::attribute(&value, name)?,
                (NodeStep::Index(_, span), Some(index)) => access::index(&value, index, *span)?,
                (other, _) => self.step(value, other, span)?,
            };
        }
        Ok(value)
    }

    pub(crate) fn steps(&mut self, value: Value, steps: &[NodeStep], span: Span) -> Outcome {
        let mut value = value;
        for step in steps {
            value = self.step(value, step, span)?;
        }
        Ok(value)
    }

    fn step(&mut self, value: Value, step: &NodeStep, span: Span) -> Outcome {
        match step {
            NodeStep::Attribute(name) => access::attribute(&value, name),
            NodeStep::Index(node, span) => {
                let index = self.node(node)?;
                access::index(&value, &index, *span)
            }
            NodeStep::Splat(each, _) => self.splat(value, each, span),
        }
    }

    /// Applies steps to each element of a list, set or tuple; null counts as none, anything else as one.
    pub(crate) fn splat(&mut self, source: Value, each: &[NodeStep], span: Span) -> Outcome {
        let marks = source.marks();
        if source.is_null() {
            return Ok(Value::tuple(Vec::new()).mark(marks));
        }
        if source.is_unknown() {
            let single = !matches!(
                source.ty(),
                Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Dynamic
            );
            if !single {
                return Ok(Value::dynamic_unknown().mark(marks));
            }
        }
        let items: Vec<Value> = match source.items() {
            Some(items) => items.to_vec(),
            None => vec![source.clone().unmark().0],
        };
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            found.push(self.steps(item, each, span)?);
        }
        let list = match source.ty() {
            Type::List(_) | Type::Set(_) => {
                let types: Vec<Type> = found.iter().map(Value::ty).collect();
                match unify(&types) {
                    Some(element) if element != Type::Dynamic && !found.is_empty() => {
                        let items = found
                            .iter()
                            .map(|item| convert(item, &element))
                            .collect::<Result<_, _>>();
                        items.map_or_else(
                            |_| Value::tuple(found),
                            |items| Value::list(element, items),
                        )
                    }
                    _ => Value::tuple(found),
                }
            }
            _ => Value::tuple(found),
        };
        Ok(list.mark(marks))
    }

    fn conditional(&mut self, condition: &Node, yes: &Node, no: &Node) -> Outcome {
        let decided = self.node(condition)?;
        let marks = decided.marks();
        if decided.is_null() {
            return Err(EvalError::NullValue {
                what: "the condition".to_owned(),
                span: condition.span,
            }
            .into());
        }
        let decided = convert(&decided, &Type::Bool).map_err(|error| EvalError::OperandType {
            what: "the condition".to_owned(),
            message: error.to_string(),
            span: condition.span,
        })?;
        let (first, second) = (self.node(yes), self.node(no));
        let (first, second) = match (decided.as_bool(), first, second) {
            // Only the branch that is taken has to work.
            (Some(true), Ok(first), Err(_)) => return Ok(first.mark(marks)),
            (Some(false), Err(_), Ok(second)) => return Ok(second.mark(marks)),
            (_, first, second) => (first?, second?),
        };
        let types: Vec<Type> =
            [&first, &second].into_iter().filter(|v| !is_untyped_null(v)).map(Value::ty).collect();
        let Some(common) = unify(&types) else {
            return Err(EvalError::InconsistentConditional {
                first: first.ty().friendly_name(),
                second: second.ty().friendly_name(),
                first_span: yes.span,
                second_span: no.span,
            }
            .into());
        };
        let chosen = match decided.as_bool() {
            Some(true) => &first,
            Some(false) => &second,
            None => {
                let marks = marks.union(first.marks()).union(second.marks());
                return Ok(unknown_of_both(&first, &second, common).mark(marks));
            }
        };
        let converted =
            if common == Type::Dynamic { Ok(chosen.clone()) } else { convert(chosen, &common) };
        Ok(converted.unwrap_or_else(|_| chosen.clone()).mark(marks))
    }

    fn call(&mut self, call: &Call, span: Span) -> Outcome {
        match call.callee {
            Callee::Try => self.try_each(call, span),
            Callee::Can => {
                let works = match call.args.first() {
                    Some(arg) => match self.node(arg) {
                        Ok(value) if !value.is_wholly_known() => {
                            return Ok(Value::unknown(Type::Bool));
                        }
                        Ok(_) => true,
                        Err(_) => false,
                    },
                    None => false,
                };
                Ok(Value::bool(works))
            }
            Callee::Builtin(info) => {
                let (args, spans) = self.arguments(call)?;
                function::call(info, &args, &spans, self.ctx, span)
            }
            Callee::Provider => self.provider_function(call, span),
        }
    }

    fn try_each(&mut self, call: &Call, span: Span) -> Outcome {
        let mut last = String::new();
        for arg in &call.args {
            match self.node(arg) {
                Ok(value) => return Ok(value),
                Err(found) => {
                    last = found.iter().next().map(ToString::to_string).unwrap_or_default()
                }
            }
        }
        Err(EvalError::TryFailed { span, last }.into())
    }

    /// The arguments, with the last one spread where `...` says so.
    fn arguments(&mut self, call: &Call) -> Result<(Vec<Value>, Vec<Span>), Diagnostics> {
        let mut values = self.all(&call.args)?;
        let mut spans: Vec<Span> = call.args.iter().map(|arg| arg.span).collect();
        if call.expand_last
            && let (Some(last), Some(span)) = (values.pop(), spans.pop())
        {
            let marks = last.marks();
            let Some(items) = last.items() else {
                return Err(EvalError::FunctionFailed {
                    name: call.name.text.to_string(),
                    message: "`...` spreads a known list, set or tuple".to_owned(),
                    span,
                    help: None,
                }
                .into());
            };
            for item in items {
                values.push(item.clone().mark(marks));
                spans.push(span);
            }
        }
        Ok((values, spans))
    }

    fn provider_function(&mut self, call: &Call, span: Span) -> Outcome {
        let (args, spans) = self.arguments(call)?;
        let marks = args.iter().fold(Marks::NONE, |marks, arg| marks.union(arg.deep_marks()));
        let plain: Vec<Value> = args.into_iter().map(|arg| arg.unmark_deep().0).collect();
        let answer =
            self.ctx.functions.and_then(|functions| functions.call(&call.name.text, &plain));
        match answer {
            Some(Ok(value)) => Ok(value.mark(marks)),
            Some(Err((argument, message))) => Err(EvalError::FunctionFailed {
                name: call.name.text.to_string(),
                message,
                span: argument.and_then(|at| spans.get(at).copied()).unwrap_or(span),
                help: None,
            }
            .into()),
            None => Err(EvalError::UnknownFunction {
                name: call.name.text.to_string(),
                span: call.name.span,
                suggestion: Some("functions of providers are not supported here yet".to_owned()),
            }
            .into()),
        }
    }
}

fn is_untyped_null(value: &Value) -> bool {
    value.is_null() && value.ty() == Type::Dynamic
}

fn unknown_of_both(first: &Value, second: &Value, common: Type) -> Value {
    let never_null = |value: &Value| {
        !value.is_null()
            && (value.is_known()
                || value.refinement().is_some_and(|refinement| refinement.not_null))
    };
    if never_null(first) && never_null(second) && common != Type::Dynamic {
        return Value::unknown_refined(common, value::Refinement::not_null());
    }
    Value::unknown(common)
}

/// The text of an object's key.
pub(crate) fn key_text(key: &Value, span: Span) -> Result<Arc<str>, Diagnostics> {
    if key.is_null() {
        return Err(EvalError::NullValue { what: "the key of an object".to_owned(), span }.into());
    }
    let text = convert(key, &Type::String).map_err(|error| EvalError::OperandType {
        what: "the key of an object".to_owned(),
        message: error.to_string(),
        span,
    })?;
    Ok(text.as_arc_str().cloned().unwrap_or_else(|| "".into()))
}
