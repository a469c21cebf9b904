//! What is known about a value that is not known yet.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

use crate::number::Number;
use crate::value::Value;

/// Limits within which an unknown value will lie. The default says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Refinement {
    /// It will not be null.
    pub not_null: bool,
    /// The string begins with this text.
    pub prefix: Option<Arc<str>>,
    /// The number is above this; at least this, where the flag is set.
    pub lower: Option<(Number, bool)>,
    /// The number is below this; at most this, where the flag is set.
    pub upper: Option<(Number, bool)>,
    /// The collection has at least so many elements.
    pub min_length: Option<usize>,
    /// The collection has at most so many elements.
    pub max_length: Option<usize>,
}

impl Refinement {
    /// Says only that the value will not be null.
    pub fn not_null() -> Self {
        Self { not_null: true, ..Self::default() }
    }

    /// True where nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Says whether a value, known or not, may be what this describes.
    pub fn admits(&self, value: &Value) -> bool {
        if value.is_unknown() {
            return true;
        }
        if value.is_null() {
            return !self.not_null;
        }
        let prefix = self
            .prefix
            .as_deref()
            .is_none_or(|prefix| value.as_str().is_none_or(|text| text.starts_with(prefix)));
        let number = value.as_number().is_none_or(|number| {
            self.lower
                .as_ref()
                .is_none_or(|(limit, inclusive)| number > limit || (*inclusive && number == limit))
                && self.upper.as_ref().is_none_or(|(limit, inclusive)| {
                    number < limit || (*inclusive && number == limit)
                })
        });
        let length = value.len().is_none_or(|length| {
            self.min_length.is_none_or(|least| length >= least)
                && self.max_length.is_none_or(|most| length <= most)
        });
        prefix && number && length
    }

    /// What holds when both hold.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let longer = |a: &Option<Arc<str>>, b: &Option<Arc<str>>| match (a, b) {
            (Some(a), Some(b)) => Some(if a.len() >= b.len() { a.clone() } else { b.clone() }),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let tighter =
            |a: &Option<(Number, bool)>, b: &Option<(Number, bool)>, lower: bool| match (a, b) {
                (Some(a), Some(b)) if a.0 == b.0 => Some((a.0.clone(), a.1 && b.1)),
                (Some(a), Some(b)) => {
                    Some(if (a.0 > b.0) == lower { a.clone() } else { b.clone() })
                }
                (a, b) => a.clone().or_else(|| b.clone()),
            };
        Self {
            not_null: self.not_null || other.not_null,
            prefix: longer(&self.prefix, &other.prefix),
            lower: tighter(&self.lower, &other.lower, true),
            upper: tighter(&self.upper, &other.upper, false),
            min_length: self.min_length.max(other.min_length),
            max_length: match (self.max_length, other.max_length) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }
}

/// The part of a text, up to a number of bytes, that stays whatever comes behind it.
///
/// A letter at the end may join with what follows, so it is left out; a delimiter never does.
pub fn known_prefix(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    match text.grapheme_indices(true).next_back() {
        Some((at, last)) if !(last.len() == 1 && DELIMITERS.contains(last)) => &text[..at],
        _ => text,
    }
}

/// Characters that end a grapheme cluster, whatever follows.
const DELIMITERS: &str = "-_:;/\\,.(){}[]|?!~ \t@#$%^&*+\"'";
