//! What a compiled expression is made of.

use std::sync::Arc;

use syntax::{BinaryOp, Ident, Nested, Span, UnaryOp};
use value::Value;

use crate::expression::Expression;
use crate::function::FunctionInfo;

/// An expression with its names resolved.
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) span: Span,
}

pub(crate) enum NodeKind {
    Constant(Value),
    /// A free reference: its place in the list of the expression that holds it.
    Reference(usize),
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
    Unary(UnaryOp, Nested<Node>),
    Binary(Nested<Node>, BinaryOp, Nested<Node>),
    Conditional(Nested<[Node; 3]>),
    For(Box<For>),
    /// Something that could not be compiled and was reported then.
    Broken,
}

/// A step that is applied to a value.
pub(crate) enum NodeStep {
    Attribute(Ident),
    Index(Expression, Span),
    /// A splat within a full splat.
    Splat(Vec<NodeStep>, Span),
}

pub(crate) struct Call {
    pub(crate) function: Callee,
    pub(crate) args: Vec<Node>,
    pub(crate) expand_last: bool,
    pub(crate) name: Ident,
}

pub(crate) enum Callee {
    Builtin(&'static FunctionInfo),
    Try,
    Can,
    Provider(Arc<str>),
}

pub(crate) struct For {
    /// Stack place of the key, if it has a name; the element's follows.
    pub(crate) slot: usize,
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
    For { slot: usize, has_key: bool, collection: Node, body: Vec<Part> },
}
