//! From nodes to values. Each kind of node has its own function, here or in a module of its own.

use std::sync::Arc;

use syntax::{Diagnostics, Span, deep};
use value::{Marks, Value};

use crate::access;
use crate::context::{Context, Step};
use crate::error::EvalError;
use crate::expression::{Compiled, Expression};
use crate::node::{Node, NodeKind, NodeStep};
use crate::operator;
use crate::traversal::{Traversal, TraversalStep};

pub(crate) type Outcome = Result<Value, Diagnostics>;

/// One evaluation: what it was given, and the values of the names that enclosing `for`s bind.
pub(crate) struct Evaluation<'e> {
    pub(crate) ctx: &'e Context<'e>,
    compiled: Option<&'e Compiled>,
    locals: Vec<Value>,
}

impl<'e> Evaluation<'e> {
    pub(crate) fn new(ctx: &'e Context<'e>) -> Self {
        Self { ctx, compiled: None, locals: Vec::new() }
    }

    /// Evaluates an expression, which may be an index within another one.
    pub(crate) fn expression(&mut self, expression: &'e Expression) -> Outcome {
        let outer = self.compiled.replace(&expression.0);
        let outcome = self.node(&expression.0.node);
        self.compiled = outer;
        outcome
    }

    pub(crate) fn node(&mut self, node: &'e Node) -> Outcome {
        deep(|| self.shallow_node(node))
    }

    fn shallow_node(&mut self, node: &'e Node) -> Outcome {
        match &node.kind {
            NodeKind::Constant(value) => Ok(value.clone()),
            NodeKind::Reference(at) => self.reference(*at),
            NodeKind::Local(slot) => Ok(self.local(*slot)),
            NodeKind::Access(source, steps) => {
                let value = self.node(source)?;
                self.steps(value, steps)
            }
            NodeKind::Splat { source, each } => {
                let value = self.node(source)?;
                self.splat(value, each, source.span)
            }
            NodeKind::Template(parts) => self.template(parts),
            NodeKind::Tuple(items) => Ok(Value::tuple(self.all(items.iter())?)),
            NodeKind::Object(items) => self.object(items),
            NodeKind::Call(call) => self.call(call, node.span),
            NodeKind::Unary(operator, operand) => {
                let value = self.node(operand)?;
                operator::unary(*operator, &value, operand.span).map_err(Into::into)
            }
            NodeKind::Binary(left, operator, right) => {
                let (a, b) = self.both(left, right)?;
                let spans = operator::Spans { left: left.span, right: right.span, all: node.span };
                operator::binary(&a, *operator, &b, spans).map_err(Into::into)
            }
            NodeKind::Conditional(parts) => self.conditional(parts),
            NodeKind::For(inner) => self.comprehension(inner),
            NodeKind::Broken => Err(EvalError::Broken { span: node.span }.into()),
        }
    }

    /// Evaluates nodes that do not depend on each other, and gathers the faults of all of them.
    pub(crate) fn all(
        &mut self,
        nodes: impl Iterator<Item = &'e Node>,
    ) -> Result<Vec<Value>, Diagnostics> {
        let mut values = Vec::with_capacity(nodes.size_hint().0);
        let mut faults = Diagnostics::new();
        for node in nodes {
            match self.node(node) {
                Ok(value) => values.push(value),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(values) } else { Err(faults) }
    }

    fn both(&mut self, left: &'e Node, right: &'e Node) -> Result<(Value, Value), Diagnostics> {
        match (self.node(left), self.node(right)) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(mut faults), Err(others)) => {
                faults.extend(others);
                Err(faults)
            }
            (Err(faults), _) | (_, Err(faults)) => Err(faults),
        }
    }

    fn object(&mut self, items: &'e [(Node, Node)]) -> Outcome {
        let mut entries = Vec::with_capacity(items.len());
        let mut faults = Diagnostics::new();
        let mut marks = Marks::NONE;
        let mut known = true;
        for (key, value) in items {
            let name = self.node(key).and_then(|name| object_key(&name, key.span));
            match (name, self.node(value)) {
                (Ok(key), Ok(value)) => {
                    marks = marks.union(key.marks);
                    match key.name {
                        Some(name) => entries.push((name, value)),
                        None => known = false,
                    }
                }
                (Err(found), Ok(_)) | (Ok(_), Err(found)) => faults.extend(found),
                (Err(found), Err(others)) => {
                    faults.extend(found);
                    faults.extend(others);
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let object = if known { Value::object(entries) } else { Value::dynamic_unknown() };
        Ok(object.mark(marks))
    }

    // Names.

    /// Names of a `for` around an index that is evaluated on its own are unknown.
    fn local(&self, slot: usize) -> Value {
        self.locals.get(slot).cloned().unwrap_or_else(Value::dynamic_unknown)
    }

    /// Binds the names of a `for` from a place on.
    pub(crate) fn bind(&mut self, slot: usize, key: Option<Value>, element: Value) {
        self.locals.truncate(slot);
        while self.locals.len() < slot {
            self.locals.push(Value::dynamic_unknown());
        }
        self.locals.extend(key);
        self.locals.push(element);
    }

    /// Forgets the names of a `for`.
    pub(crate) fn unbind(&mut self, slot: usize) {
        self.locals.truncate(slot);
    }

    fn reference(&mut self, at: usize) -> Outcome {
        let Some(traversal) = self.compiled.and_then(|compiled| compiled.references.get(at)) else {
            return Ok(Value::dynamic_unknown());
        };
        let indices = self.indices(traversal)?;
        self.resolved(traversal, &indices)
    }

    /// What is certain of a reference with a fault in an index: the type of an element.
    pub(crate) fn reference_in_spite(&mut self, at: usize) -> Value {
        let Some(traversal) = self.compiled.and_then(|compiled| compiled.references.get(at)) else {
            return Value::dynamic_unknown();
        };
        let indices: Vec<Option<Value>> = traversal
            .steps
            .iter()
            .map(|step| match step {
                TraversalStep::Index(index, _) => Some(index.clone()),
                TraversalStep::Dynamic(index, _) => Some(self.expression_in_spite(index)),
                TraversalStep::Attribute(_) | TraversalStep::Splat(_) => None,
            })
            .collect();
        self.resolved(traversal, &indices).unwrap_or_else(|_| Value::dynamic_unknown())
    }

    fn expression_in_spite(&mut self, expression: &'e Expression) -> Value {
        let outer = self.compiled.replace(&expression.0);
        let value = self.node_in_spite(&expression.0.node);
        self.compiled = outer;
        value
    }

    /// What is certain of the end of steps, one of which has a fault.
    pub(crate) fn steps_in_spite(&mut self, mut value: Value, steps: &'e [NodeStep]) -> Value {
        for step in steps {
            let next = match step {
                NodeStep::Attribute(name) => access::attribute(&value, name).map_err(Into::into),
                NodeStep::Index(index, span) => {
                    let index = self.expression_in_spite(index);
                    access::index(&value, &index, *span).map_err(Into::into)
                }
                NodeStep::Splat(each, span) => self.splat(value.clone(), each, *span),
            };
            let Ok(next) = next else { return Value::dynamic_unknown() };
            value = next;
        }
        value
    }

    fn resolved(&mut self, traversal: &'e Traversal, indices: &[Option<Value>]) -> Outcome {
        let steps: Vec<Step<'_>> = traversal
            .steps
            .iter()
            .zip(indices)
            .filter_map(|(step, index)| match (step, index) {
                (TraversalStep::Attribute(name), _) => Some(Step::Attribute(name)),
                (step, Some(index)) => Some(Step::Index(index, step.span())),
                _ => None,
            })
            .collect();
        let found = self.ctx.scope.lookup(&traversal.root, &steps, traversal.span)?;
        let used = found.used.min(steps.len());
        let marks =
            indices.iter().take(used).flatten().fold(Marks::NONE, |m, i| m.union(i.marks()));
        let mut value = found.value.mark(marks);
        for step in &steps[used..] {
            value = match step {
                Step::Attribute(name) => access::attribute(&value, name)?,
                Step::Index(index, span) => access::index(&value, index, *span)?,
            };
        }
        Ok(value)
    }

    fn indices(&mut self, traversal: &'e Traversal) -> Result<Vec<Option<Value>>, Diagnostics> {
        traversal
            .steps
            .iter()
            .map(|step| match step {
                TraversalStep::Index(index, _) => Ok(Some(index.clone())),
                TraversalStep::Dynamic(index, _) => self.expression(index).map(Some),
                TraversalStep::Attribute(_) | TraversalStep::Splat(_) => Ok(None),
            })
            .collect()
    }

    pub(crate) fn steps(&mut self, mut value: Value, steps: &'e [NodeStep]) -> Outcome {
        for step in steps {
            value = match step {
                NodeStep::Attribute(name) => access::attribute(&value, name)?,
                NodeStep::Index(index, span) => {
                    let index = self.expression(index)?;
                    access::index(&value, &index, *span)?
                }
                NodeStep::Splat(each, span) => self.splat(value, each, *span)?,
            };
        }
        Ok(value)
    }
}

/// The key of an entry: `None` if it is not known.
pub(crate) struct ObjectKeyValue {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) marks: Marks,
}

pub(crate) fn object_key(key: &Value, span: Span) -> Result<ObjectKeyValue, Diagnostics> {
    let marks = key.marks();
    if key.is_null() {
        let message = "a key cannot be null".to_owned();
        return Err(EvalError::ObjectKey { message, span }.into());
    }
    let text = value::convert(key, &value::Type::String)
        .map_err(|error| EvalError::ObjectKey { message: error.message, span })?;
    Ok(ObjectKeyValue { name: text.as_arc_str().cloned(), marks })
}

/// The type in words with its article, for messages.
pub(crate) fn in_words(value: &Value) -> String {
    if value.is_null() {
        return "null".to_owned();
    }
    let name = value.ty().friendly_name();
    let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {name}")
}
