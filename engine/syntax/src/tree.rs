//! The tree that every later stage reads: compact, spanned, free of the parser that made it.
//!
//! Comments and layout are not part of it. Strings have their escapes resolved, and templates have
//! their strip markers and here-document indentation applied, so that nobody above needs to know
//! how a text was spelled. Numbers alone keep their spelling, because rounding them is the business
//! of the value crate.

use std::sync::Arc;

use crate::nested::{Nested, deep};
use crate::source::Span;

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name, without quotes; escapes are resolved.
    pub text: Arc<str>,
    /// Where it stands, with its quotes if it has any.
    pub span: Span,
}

impl Ident {
    /// Makes a name that stands at `span`.
    pub fn new(text: impl Into<Arc<str>>, span: Span) -> Self {
        Self { text: text.into(), span }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Display for Ident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The content of a file or of a block.
///
/// Read it through the methods in [`crate::body`]: in a body that was written as JSON everything
/// stands in `attributes`, because JSON alone cannot tell an attribute from a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The attributes in source order. In a native body the names are unique.
    pub attributes: Vec<Attribute>,
    /// The blocks in source order; always empty in a JSON body.
    pub blocks: Vec<Block>,
    /// The whole file, or what stands between the braces.
    pub span: Span,
    /// Whether the body was written as JSON.
    pub json: bool,
    /// Whether parts of it were dropped because they could not be parsed. What is missing from such
    /// a body is no reason for a further error.
    pub incomplete: bool,
}

/// One `name = expression`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name on the left.
    pub name: Ident,
    /// The expression on the right.
    pub expr: Expr,
    /// Name to end of expression.
    pub span: Span,
}

/// One `kind "label" { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The word that the block starts with, such as `resource`.
    pub kind: Ident,
    /// The labels in order.
    pub labels: Vec<Ident>,
    /// What stands between the braces. Shared, so that a clone of the block is cheap.
    pub body: Arc<Body>,
    /// The whole block.
    pub span: Span,
    /// From the kind to the last label.
    pub header: Span,
}

/// An expression and where it stands.
// A configuration has one for every few bytes of its text: it must stay small. See the test below.
#[derive(Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

impl Clone for Expr {
    fn clone(&self) -> Self {
        deep(|| Self { kind: self.kind.clone(), span: self.span })
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.span == other.span && deep(|| self.kind == other.kind)
    }
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        deep(|| f.debug_struct("Expr").field("kind", &self.kind).field("span", &self.span).finish())
    }
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it was written.
    Number(Arc<str>),
    /// A string without interpolation, its escapes resolved.
    String(Arc<str>),
    /// A string or here-document with interpolations or directives. One part that is an
    /// interpolation is the template `"${a}"`, whose value is that of `a`, unconverted.
    Template(Vec<TemplatePart>),
    /// `[a, b]`.
    Tuple(Box<[Expr]>),
    /// `{ a = b }`. Keys may repeat; the last one counts.
    Object(Vec<ObjectItem>),
    /// The first name of a reference.
    Variable(Ident),
    /// `a.b`.
    GetAttr(Nested<Expr>, Ident),
    /// `a[b]`.
    Index(Nested<Expr>, Nested<Expr>),
    /// `a.0`; the span is that of the number.
    LegacyIndex(Nested<Expr>, u64, Span),
    /// `a[*].b` or `a.*.b`.
    Splat {
        /// What is taken apart.
        source: Nested<Expr>,
        /// Whether it is `[*]`, which takes every following step, or `.*`, which takes
        /// attributes only.
        full: bool,
        /// The steps that are applied to each element.
        each: Box<[SplatStep]>,
    },
    /// `f(a, b...)`.
    Call {
        /// The name; namespaces are joined, as in `provider::aws::arn_parse`.
        name: Box<Ident>,
        /// The arguments in order.
        args: Box<[Expr]>,
        /// Whether the last argument is followed by `...`.
        expand_last: bool,
        /// The parentheses and what stands between them.
        span_args: Span,
    },
    /// `-a` or `!a`.
    Unary(UnaryOp, Nested<Expr>),
    /// `a + b`.
    Binary(Nested<Expr>, BinaryOp, Nested<Expr>),
    /// `a ? b : c`.
    Conditional(Nested<Expr>, Nested<Expr>, Nested<Expr>),
    /// `[for k, v in c : b if d]`.
    ForTuple(Box<ForTuple>),
    /// `{for k, v in c : a => b if d}`.
    ForObject(Box<ForObject>),
    /// `(a)`.
    Parens(Nested<Expr>),
}

/// `[for k, v in c : b if d]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForTuple {
    /// The name of the key or index, if it is wanted.
    pub key: Option<Ident>,
    /// The name of the element.
    pub value: Ident,
    /// What is walked.
    pub collection: Expr,
    /// What each element becomes.
    pub body: Expr,
    /// Which elements count.
    pub condition: Option<Expr>,
}

/// `{for k, v in c : a => b if d}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForObject {
    /// The name of the key or index, if it is wanted.
    pub key: Option<Ident>,
    /// The name of the element.
    pub value: Ident,
    /// What is walked.
    pub collection: Expr,
    /// The key that each element gets.
    pub key_expr: Expr,
    /// The value that each element gets.
    pub value_expr: Expr,
    /// Which elements count.
    pub condition: Option<Expr>,
    /// Whether `...` gathers the values of equal keys.
    pub grouping: bool,
}

/// One `key = value` of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectItem {
    /// The key.
    pub key: ObjectKey,
    /// The value.
    pub value: Expr,
}

/// The key of an object item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectKey {
    /// A bare name, which stands for itself.
    Name(Ident),
    /// Anything else, including quoted and parenthesised keys.
    Expr(Expr),
}

impl ObjectKey {
    /// Where the key stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Name(name) => name.span,
            Self::Expr(expr) => expr.span,
        }
    }

    /// The key, if it is known without evaluating anything.
    pub fn literal(&self) -> Option<&Arc<str>> {
        match self {
            Self::Name(name) => Some(&name.text),
            Self::Expr(Expr { kind: ExprKind::String(text), .. }) => Some(text),
            Self::Expr(_) => None,
        }
    }
}

/// One step of a splat, applied to each element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SplatStep {
    /// `.name`.
    Attr(Ident),
    /// `[expression]`.
    Index(Expr),
    /// `.0`; the span is that of the number.
    LegacyIndex(u64, Span),
    /// A splat within `[*]`: the steps so far give a list, and `each` goes over its elements.
    Splat {
        /// Whether it is `[*]`.
        full: bool,
        /// The steps that are applied to each element.
        each: Vec<SplatStep>,
    },
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplatePart {
    /// Text as it will come out: escapes, strip markers and indentation are applied.
    Literal(Arc<str>),
    /// `${ … }`.
    Interpolation(Expr),
    /// `%{ if … }…%{ else }…%{ endif }`.
    If {
        /// What decides.
        condition: Expr,
        /// The text if it holds.
        then: Vec<TemplatePart>,
        /// The text if it does not; empty without `else`.
        otherwise: Vec<TemplatePart>,
    },
    /// `%{ for … }…%{ endfor }`.
    For {
        /// The name of the key or index, if it is wanted.
        key: Option<Ident>,
        /// The name of the element.
        value: Ident,
        /// What is walked.
        collection: Expr,
        /// The text for each element.
        body: Vec<TemplatePart>,
    },
}

/// Operators before one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`.
    Negate,
    /// `!`.
    Not,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `||`.
    Or,
    /// `&&`.
    And,
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`.
    Remainder,
}

impl UnaryOp {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Negate => "-",
            Self::Not => "!",
        }
    }
}

impl BinaryOp {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_compact() {
        assert!(size_of::<Expr>() <= 48, "{}", size_of::<Expr>());
        assert!(size_of::<ObjectItem>() <= 96, "{}", size_of::<ObjectItem>());
        assert!(size_of::<Attribute>() <= 80, "{}", size_of::<Attribute>());
    }
}
