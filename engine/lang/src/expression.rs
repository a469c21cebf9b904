//! An expression, compiled once and evaluated for each instance.

use std::fmt;
use std::sync::Arc;

use syntax::{Diagnostics, Span};
use value::Value;

use crate::context::Context;
use crate::error::EvalError;
use crate::evaluate::Evaluation;
use crate::function::has_infinity;
use crate::node::{Node, NodeKind};
use crate::traversal::Traversal;

/// A compiled expression. Cheap to clone.
#[derive(Clone)]
pub struct Expression(pub(crate) Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) node: Node,
    pub(crate) references: Vec<Traversal>,
    pub(crate) impure: bool,
    /// Whether something is divided in it, which may give infinity.
    pub(crate) divides: bool,
}

impl Expression {
    /// An expression that is a value as it stands.
    pub fn literal(value: Value, span: Span) -> Self {
        let node = Node { kind: NodeKind::Constant(value), span };
        Self(Arc::new(Compiled { node, references: Vec::new(), impure: false, divides: false }))
    }

    /// An expression that is a reference.
    pub fn reference(traversal: Traversal) -> Self {
        let node = Node { kind: NodeKind::Reference(0), span: traversal.span };
        Self(Arc::new(Compiled {
            node,
            references: vec![traversal],
            impure: false,
            divides: false,
        }))
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.0.node.span
    }

    /// The references in it, in source order, those within indices included. Names that a `for` binds are none.
    pub fn references(&self) -> &[Traversal] {
        &self.0.references
    }

    /// The value, if it depends on nothing.
    pub fn as_constant(&self) -> Option<&Value> {
        match &self.0.node.kind {
            NodeKind::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// The reference, if the whole expression is one.
    pub fn as_traversal(&self) -> Option<&Traversal> {
        match &self.0.node.kind {
            NodeKind::Reference(at) => self.0.references.get(*at),
            _ => None,
        }
    }

    /// Says whether the result may differ from call to call.
    pub fn uses_impure(&self) -> bool {
        self.0.impure
    }

    /// Computes the value.
    ///
    /// # Errors
    ///
    /// All independent faults, those of the scope included.
    pub fn evaluate(&self, ctx: &Context<'_>) -> Result<Value, Diagnostics> {
        if let NodeKind::Constant(value) = &self.0.node.kind {
            return Ok(value.clone());
        }
        let value = Evaluation::new(ctx).expression(self)?;
        // Within an expression infinity is a number like others, but no plan and no state can hold it.
        if self.0.divides && has_infinity(&value) {
            let what = "division by zero";
            return Err(EvalError::NoResult { what, span: self.span() }.into());
        }
        Ok(value)
    }
}

/// Shows the kind of thing it is, never the constants in it.
impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression")
            .field("span", &self.span())
            .field("references", &self.0.references.len())
            .finish()
    }
}
