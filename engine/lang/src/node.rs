//! What a compiled expression is made of.

use std::sync::Arc;

use syntax::{BinaryOp, Ident, Span, UnaryOp};
use value::Value;

use crate::function::FunctionInfo;
use crate::traversal::Traversal;

/// An expression with its names resolved.
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) span: Span,
}

pub(crate) enum NodeKind {
    Constant(Value),
    /// A free reference, and its steps as they are evaluated.
    Reference(Arc<Traversal>, Vec<NodeStep>),
    /// A name that a `for` binds: its place on the stack.
    Local(usize),
    /// Steps applied to a value that is no free reference.
    Access(Box<Node>, Vec<NodeStep>),
    Splat {
        source: Box<Node>,
        each: Vec<NodeStep>,
    },
    Template(Vec<Part>),
    Tuple(Vec<Node>),
    Object(Vec<(Node, Node)>),
    Call(Box<Call>),
    Unary(UnaryOp, Box<Node>),
    Binary(Box<[Node; 2]>, BinaryOp),
    Conditional(Box<[Node; 3]>),
    For(Box<For>),
}

/// A step that is applied to a value.
pub(crate) enum NodeStep {
    Attribute(Ident),
    Index(Arc<Node>, Span),
    /// A splat: what follows in the list applies to each element.
    Splat(Vec<NodeStep>, Span),
}

pub(crate) struct Call {
    pub(crate) callee: Callee,
    pub(crate) args: Vec<Node>,
    pub(crate) expand_last: bool,
    pub(crate) name: Ident,
}

pub(crate) enum Callee {
    Builtin(&'static FunctionInfo),
    Try,
    Can,
    Provider,
}

pub(crate) struct For {
    /// Whether the key has a name; its place on the stack is before the element's.
    pub(crate) has_key: bool,
    pub(crate) collection: Node,
    /// The key of each entry, for an object.
    pub(crate) key: Option<Node>,
    pub(crate) body: Node,
    pub(crate) condition: Option<Node>,
    pub(crate) grouping: bool,
}

/// A part of a template.
pub(crate) enum Part {
    Literal(Arc<str>),
    Interpolation(Node),
    If { condition: Node, then: Vec<Part>, otherwise: Vec<Part> },
    For { has_key: bool, collection: Node, body: Vec<Part> },
}
