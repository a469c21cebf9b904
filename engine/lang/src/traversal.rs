//! References: a name and the steps behind it.

use std::fmt;

use syntax::{Ident, Span};
use value::Value;

use crate::expression::Expression;

/// A reference such as `aws_instance.a[count.index].id`.
#[derive(Clone, Debug)]
pub struct Traversal {
    /// The first name.
    pub root: Ident,
    /// What follows.
    pub steps: Vec<TraversalStep>,
    /// From the first name to the last step.
    pub span: Span,
}

/// One step of a [`Traversal`].
#[derive(Clone, Debug)]
pub enum TraversalStep {
    /// `.name`.
    Attribute(Ident),
    /// An index that is written out.
    Index(Value, Span),
    /// An index that must be evaluated. Names of an enclosing `for` are unknown when this is evaluated
    /// on its own.
    Dynamic(Expression, Span),
    /// `[*]` or `.*`; always the last step, since what follows belongs to the elements.
    Splat(Span),
}

impl TraversalStep {
    /// Where the step stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Attribute(name) => name.span,
            Self::Index(_, span) | Self::Dynamic(_, span) | Self::Splat(span) => *span,
        }
    }

    /// The name, if it is an attribute.
    pub fn as_attribute(&self) -> Option<&Ident> {
        match self {
            Self::Attribute(name) => Some(name),
            _ => None,
        }
    }
}

/// As it would be written; an index that must be evaluated shows as `[…]`.
impl fmt::Display for Traversal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root.text)?;
        for step in &self.steps {
            match step {
                TraversalStep::Attribute(name) => write!(f, ".{name}")?,
                TraversalStep::Index(index, _) => match index.as_str() {
                    Some(text) => write!(f, "[{text:?}]")?,
                    None => write!(f, "[{}]", value::json::to_string(index))?,
                },
                TraversalStep::Dynamic(..) => f.write_str("[…]")?,
                TraversalStep::Splat(_) => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}
