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

impl Traversal {
    /// Reads a reference that stands as text, as in JSON: names, `.0`, `[0]` and `[\"key\"]`. All parts get the span.
    pub fn parse(text: &str, span: Span) -> Option<Self> {
        let name = |text: &str| -> Option<Ident> {
            let mut chars = text.chars();
            let first = chars.next()?;
            let starts = first.is_alphabetic() || first == '_';
            let goes_on = chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-');
            (starts && goes_on).then(|| Ident { text: text.into(), span })
        };
        let end = text.find(['.', '[']).unwrap_or(text.len());
        let root = name(&text[..end])?;
        let mut rest = &text[end..];
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let word = &after[..end];
                steps.push(match word.parse::<u64>() {
                    Ok(index) => TraversalStep::Index(Value::from(index), span),
                    Err(_) => TraversalStep::Attribute(name(word)?),
                });
                rest = &after[end..];
            } else {
                let after = rest.strip_prefix('[')?;
                let (index, after) = match after.strip_prefix('"') {
                    Some(quoted) => {
                        let (key, after) = quoted.split_once("\"]")?;
                        (Value::from(key), after)
                    }
                    None => {
                        let (digits, after) = after.split_once(']')?;
                        (Value::from(digits.parse::<u64>().ok()?), after)
                    }
                };
                steps.push(TraversalStep::Index(index, span));
                rest = after;
            }
        }
        Some(Self { root, steps, span })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_as_text_are_read_and_shown_alike() {
        let span = Span::new(0, 0);
        for text in ["a", "aws_vpc.main", "module.m[0].x", "data.a.b[\"k.y\"].c", "var.x-y"] {
            assert_eq!(Traversal::parse(text, span).map(|t| t.to_string()).as_deref(), Some(text));
        }
        for text in ["", "1a", "a.", "a[", "a[x]", "a..b", "a b", "${a}", "a[\"x]"] {
            assert!(Traversal::parse(text, span).is_none(), "{text}");
        }
    }
}
