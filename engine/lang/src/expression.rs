//! An expression, compiled once and evaluated for each instance.

use std::fmt;
use std::sync::Arc;

use syntax::{Diagnostics, Span};
use value::Value;

use crate::context::Context;
use crate::evaluate::Evaluation;
use crate::node::{Node, NodeKind};
use crate::traversal::Traversal;

/// An expression. Cheap to clone.
#[derive(Clone)]
pub struct Expression(pub(crate) Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) node: Arc<Node>,
    pub(crate) references: Vec<Traversal>,
    pub(crate) impure: bool,
}

impl Expression {
    /// An expression that is a value.
    pub fn literal(value: Value, span: Span) -> Self {
        let node = Arc::new(Node { kind: NodeKind::Constant(value), span });
        Self(Arc::new(Compiled { node, references: Vec::new(), impure: false }))
    }

    /// Where it is written.
    pub fn span(&self) -> Span {
        self.0.node.span
    }

    /// The free references, in the order of the text; names that a `for` binds are none.
    pub fn references(&self) -> &[Traversal] {
        &self.0.references
    }

    /// The value, if it is the same everywhere.
    pub fn as_constant(&self) -> Option<&Value> {
        match &self.0.node.kind {
            NodeKind::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// The reference, if the whole expression is one.
    pub fn as_traversal(&self) -> Option<&Traversal> {
        match &self.0.node.kind {
            NodeKind::Reference(traversal, _) => Some(traversal),
            _ => None,
        }
    }

    /// True if its value depends on more than its references: the clock, a random source or files.
    pub fn uses_impure(&self) -> bool {
        self.0.impure
    }

    /// Evaluates it.
    pub fn evaluate(&self, ctx: &Context<'_>) -> Result<Value, Diagnostics> {
        if let NodeKind::Constant(value) = &self.0.node.kind {
            return Ok(value.clone());
        }
        Evaluation::new(ctx).node(&self.0.node)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression")
            .field("span", &self.span())
            .field("references", &self.0.references.len())
            .finish()
    }
}
