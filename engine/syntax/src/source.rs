//! One address space for all source text.
//!
//! Every file that is added gets a base offset; a [`Span`] is a range of bytes in the space that the
//! files share, so that an error needs no file name beside it and one [`SourceMap`] finds the text
//! behind any span. Give `Arc<SourceMap>` to miette as the source of a report.
//!
//! The text of a file is its bytes without a byte order mark, and with `?` for every byte that is
//! not UTF-8; so offsets within the text are offsets in the file, less the mark.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use unicode_segmentation::UnicodeSegmentation;

use crate::error::SyntaxError;

/// A range of bytes in the space that all files of a [`SourceMap`] share.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Makes the span `start..end`.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// How many bytes it covers.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it covers nothing.
    pub fn is_empty(self) -> bool {
        self.end == self.start
    }
}

impl From<Span> for SourceSpan {
    fn from(span: Span) -> Self {
        (span.start as usize, span.len()).into()
    }
}

/// Names one file of a [`SourceMap`].
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct FileId(u32);

/// The text of one file.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// The name to show, as the caller gave it.
    pub name: String,
    /// The text, without a byte order mark.
    pub text: Arc<str>,
    /// Where the file starts in the shared space.
    pub base: u32,
    /// Whether the file started with a byte order mark.
    pub byte_order_mark: bool,
    /// The offset within `text` of the first byte of each line; never empty.
    line_starts: Vec<u32>,
    /// Where the blocks of the file are, and their headers, once somebody has asked.
    headers: OnceLock<Vec<(Range<u32>, String)>>,
}

impl SourceText {
    /// The header of the block of the file around a byte of it, such as `output "a"`; `None` outside of blocks, and in
    /// JSON. The file is read for that once, however many faults of it are told.
    pub fn block_around(&self, at: u32) -> Option<&str> {
        let headers = self.headers.get_or_init(|| {
            if self.name.ends_with(".json") {
                return Vec::new();
            }
            let mut alone = SourceMap::new();
            let (body, _) = crate::parse(&mut alone, &self.name, self.text.as_bytes());
            let header = |block: &crate::Block| {
                let labels = block.labels.iter().map(|label| format!(" \"{label}\""));
                format!("{}{}", block.kind, labels.collect::<String>())
            };
            let blocks = body.blocks.iter();
            blocks.map(|block| (block.span.start..block.span.end, header(block))).collect()
        });
        let around = headers.iter().find(|(span, _)| span.contains(&at));
        around.map(|(_, header)| header.as_str())
    }

    /// The span of the whole file.
    pub fn span(&self) -> Span {
        Span { start: self.base, end: self.base + length_u32(&self.text) }
    }

    /// The text of line `line`, counted from 1, without its line ending.
    pub fn line(&self, line: usize) -> Option<&str> {
        let range = self.line_range(line.checked_sub(1)?)?;
        Some(self.text[range].trim_end_matches('\n').trim_end_matches('\r'))
    }

    /// The bytes of a line counted from 0, with its line ending.
    fn line_range(&self, line: usize) -> Option<Range<usize>> {
        let start = *self.line_starts.get(line)? as usize;
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |&end| end as usize);
        Some(start..end)
    }

    /// The line, counted from 0, that holds an offset within `text`.
    fn line_at(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start as usize <= offset) - 1
    }

    /// Graphemes between the start of the line and an offset within `text`.
    fn column_at(&self, line: usize, offset: usize) -> usize {
        let start = self.line_starts[line] as usize;
        let offset = floor_boundary(&self.text, offset.max(start));
        self.text[start..offset].graphemes(true).count()
    }
}

/// Where an offset stands, in the words of an editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name of the file.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters as a reader sees them.
    pub column: usize,
    /// Bytes from the start of the file, a byte order mark included.
    pub byte: usize,
}

/// All source text of a run.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    /// In order of `base`; each base is one past the end of the file before it, so that the end of
    /// one file and the start of the next are different offsets.
    files: Vec<SourceText>,
}

impl SourceMap {
    /// Makes an empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and gives it a place in the shared space.
    ///
    /// Bytes that are not UTF-8 are replaced; the [parsers](crate::parse) report them.
    ///
    /// # Errors
    ///
    /// [`SyntaxError::TooMuchSource`] when all files together would exceed 4 GiB.
    pub fn add(&mut self, name: impl Into<String>, bytes: Vec<u8>) -> Result<FileId, SyntaxError> {
        let name = name.into();
        let (text, byte_order_mark) = readable_text(bytes);
        let base = self.files.last().map_or(0, |file| u64::from(file.span().end) + 1);
        let end = base + text.len() as u64 + 1;
        let (Ok(base), Ok(_), Ok(id)) =
            (u32::try_from(base), u32::try_from(end), u32::try_from(self.files.len()))
        else {
            return Err(SyntaxError::TooMuchSource { name, bytes: end });
        };
        let line_starts = line_starts(&text);
        let (text, headers) = (text.into(), OnceLock::new());
        self.files.push(SourceText { name, text, base, byte_order_mark, line_starts, headers });
        Ok(FileId(id))
    }

    /// The file with this identity.
    pub fn file(&self, id: FileId) -> &SourceText {
        &self.files[id.0 as usize]
    }

    /// All files in the order in which they were added.
    pub fn files(&self) -> impl Iterator<Item = &SourceText> {
        self.files.iter()
    }

    /// The file that holds a span. A span that belongs to no file is taken to be in the last one
    /// before it.
    ///
    /// # Panics
    ///
    /// When the map is empty.
    pub fn file_of(&self, span: Span) -> &SourceText {
        self.file_at(span.start as usize).expect("a span comes from a file of the map")
    }

    /// The text behind a span.
    pub fn text(&self, span: Span) -> &str {
        let Some(file) = self.file_at(span.start as usize) else { return "" };
        let base = file.base as usize;
        file.text.get(span.start as usize - base..span.end as usize - base).unwrap_or("")
    }

    /// Line and column of an offset in the shared space.
    ///
    /// # Panics
    ///
    /// When the map is empty.
    pub fn locate(&self, offset: u32) -> Location {
        let file = self.file_of(Span::new(offset, offset));
        let within = ((offset - file.base) as usize).min(file.text.len());
        let line = file.line_at(within);
        Location {
            file: file.name.clone(),
            line: line + 1,
            column: file.column_at(line, within) + 1,
            byte: within + if file.byte_order_mark { BYTE_ORDER_MARK.len() } else { 0 },
        }
    }

    /// The labels of a diagnostic, gathered by file in the order of the map.
    pub fn split_labels(
        &self,
        diagnostic: &dyn miette::Diagnostic,
    ) -> Vec<(&SourceText, Vec<(Span, Option<String>)>)> {
        let mut labels: Vec<_> = diagnostic
            .labels()
            .into_iter()
            .flatten()
            .filter_map(|label| {
                let start = u32::try_from(label.offset()).ok()?;
                let end = u32::try_from(label.offset() + label.len()).ok()?;
                Some((Span::new(start, end), label.label().map(str::to_owned)))
            })
            .collect();
        labels.sort_by_key(|(span, _)| *span);
        let mut split: Vec<(&SourceText, Vec<_>)> = Vec::new();
        for label in labels {
            let Some(file) = self.file_at(label.0.start as usize) else { continue };
            match split.last_mut() {
                Some((last, labels)) if last.base == file.base => labels.push(label),
                _ => split.push((file, vec![label])),
            }
        }
        split
    }

    fn file_at(&self, offset: usize) -> Option<&SourceText> {
        let after = self.files.partition_point(|file| file.base as usize <= offset);
        self.files.get(after.checked_sub(1)?)
    }
}

/// The most bytes of one line that are shown on either side of a span.
const SHOWN_BESIDE_SPAN_BYTES: usize = 2000;

impl SourceCode for SourceMap {
    /// Reads whole lines around `span`; lines of thousands of characters are cut.
    ///
    /// A span that reaches over the end of its file is out of bounds, which is what makes miette
    /// draw labels in several files as several snippets.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let file = self.file_at(span.offset()).ok_or(MietteError::OutOfBounds)?;
        let base = file.base as usize;
        let (start, end) = (span.offset() - base, span.offset() - base + span.len());
        if end > file.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let (start_line, end_line) = (file.line_at(start), file.line_at(end));
        let first_line = start_line.saturating_sub(context_lines_before);
        let last_line = (end_line + context_lines_after).min(file.line_starts.len() - 1);
        let whole = file.line_starts[first_line] as usize
            ..file.line_range(last_line).map_or(file.text.len(), |range| range.end);
        let from = if context_lines_before == 0 {
            floor_boundary(&file.text, start)
        } else {
            floor_boundary(
                &file.text,
                whole.start.max(start.saturating_sub(SHOWN_BESIDE_SPAN_BYTES)),
            )
        };
        let to = ceil_boundary(&file.text, whole.end.min(end + SHOWN_BESIDE_SPAN_BYTES));
        let shown = file.text[from..to].trim_end_matches('\n').trim_end_matches('\r');
        let line = file.line_at(from);
        Ok(Box::new(MietteSpanContents::new_named(
            file.name.clone(),
            &file.text.as_bytes()[from..from + shown.len().max(end.saturating_sub(from))],
            (base + from, shown.len().max(end.saturating_sub(from))).into(),
            line,
            file.column_at(line, from),
            last_line - line,
        )))
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of a file without its byte order mark, of the same length as the bytes after the mark.
fn readable_text(mut bytes: Vec<u8>) -> (String, bool) {
    let byte_order_mark = bytes.starts_with(BYTE_ORDER_MARK);
    if byte_order_mark {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        let mut text = String::with_capacity(error.as_bytes().len());
        for chunk in error.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| '?'));
        }
        text
    });
    (text, byte_order_mark)
}

fn line_starts(text: &str) -> Vec<u32> {
    let after_newlines = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n');
    std::iter::once(0).chain(after_newlines.map(|(_, next)| next)).collect()
}

fn length_u32(text: &str) -> u32 {
    u32::try_from(text.len()).expect("`add` refuses longer files")
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn ceil_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset += 1;
    }
    offset
}
