//! Paths from an object to something inside it.

use std::fmt;
use std::sync::Arc;

use crate::key::write_quoted;

/// One step of an [`AttributePath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStep {
    /// Into an attribute of an object.
    Attribute(Arc<str>),
    /// Into an element of a map.
    Key(Arc<str>),
    /// Into an element of a list or tuple, from 0.
    Index(i64),
    /// Into some element of a set; elements of sets are not told apart.
    Element,
}

/// Where in an object something stands: `tags["a"]`, `node[0].name`. Empty means the object itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributePath(pub Vec<PathStep>);

impl AttributePath {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path one step further.
    #[must_use]
    pub fn child(&self, step: PathStep) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// The path to an attribute of what this path leads to.
    #[must_use]
    pub fn attribute(&self, name: impl Into<Arc<str>>) -> Self {
        self.child(PathStep::Attribute(name.into()))
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }

    /// True for the object itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the outermost attribute, if the path begins with one.
    pub fn first_attribute(&self) -> Option<&str> {
        match self.0.first() {
            Some(PathStep::Attribute(name)) => Some(name),
            _ => None,
        }
    }

    /// True when `self` is `ancestor` or lies inside it.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.0.starts_with(&ancestor.0)
    }
}

impl From<&str> for AttributePath {
    fn from(attribute: &str) -> Self {
        Self(vec![PathStep::Attribute(attribute.into())])
    }
}

impl FromIterator<PathStep> for AttributePath {
    fn from_iter<I: IntoIterator<Item = PathStep>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Attribute(name) if position == 0 => f.write_str(name)?,
                PathStep::Attribute(name) => write!(f, ".{name}")?,
                PathStep::Key(key) => {
                    f.write_str("[")?;
                    write_quoted(f, key)?;
                    f.write_str("]")?;
                }
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Element => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}
