//! Instance keys: what tells the instances of one block apart.

use std::fmt;
use std::sync::Arc;

/// The key of an instance of a resource or module call.
///
/// Order: no key, then numbers by size, then strings.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// The block has neither `count` nor `for_each`.
    #[default]
    None,
    /// The index of an instance made by `count`, from 0.
    Int(i64),
    /// The key of an instance made by `for_each`.
    String(Arc<str>),
}

impl InstanceKey {
    /// True when the block has neither `count` nor `for_each`.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl From<i64> for InstanceKey {
    fn from(index: i64) -> Self {
        Self::Int(index)
    }
}

impl From<&str> for InstanceKey {
    fn from(key: &str) -> Self {
        Self::String(key.into())
    }
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Int(index) => write!(f, "[{index}]"),
            Self::String(key) => {
                f.write_str("[")?;
                write_quoted(f, key)?;
                f.write_str("]")
            }
        }
    }
}

/// Writes a string as the language quotes it: escapes for quotes, backslashes, line ends and the
/// two template openers.
pub(crate) fn write_quoted(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    f.write_char('"')?;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '$' | '%' if chars.peek() == Some(&'{') => {
                f.write_char(c)?;
                f.write_char(c)?;
            }
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
