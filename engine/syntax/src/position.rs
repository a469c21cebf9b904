//! Where the characters of a parsed text stand in the shared span space.

use std::ops::Range;

use crate::source::Span;

/// Maps offsets in a text that is being parsed to the shared span space.
pub(crate) enum Positions<'a> {
    /// The text stands in its file as it is, starting here.
    From(u32),
    /// The text was decoded: for every byte of it, and for its end, where it comes from.
    Table(&'a [u32]),
}

impl Positions<'_> {
    pub(crate) fn at(&self, offset: usize) -> u32 {
        match self {
            Self::From(base) => base + u32::try_from(offset).expect("source texts are below 4 GiB"),
            Self::Table(table) => {
                table.get(offset).or(table.last()).copied().expect("a table holds the text's end")
            }
        }
    }

    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.at(range.start), self.at(range.end))
    }
}
