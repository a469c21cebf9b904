//! What can be wrong with a text before anybody asks what it means.

use miette::Diagnostic;
use thiserror::Error;

use crate::diagnostic::ErrorDoc;
use crate::diagnostic::error_doc_with_example as doc;
use crate::source::Span;

/// A fault in the spelling of a file.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
pub enum SyntaxError {
    /// Something stands where the grammar wants something else.
    #[error("unexpected {found}")]
    #[diagnostic(code(stratiform::syntax::unexpected))]
    Unexpected {
        /// What stands there.
        found: String,
        /// What the grammar allows there.
        expected: String,
        /// The place.
        #[label("{expected}")]
        span: Span,
        /// What to do, where that can be told.
        #[help]
        help: Option<String>,
    },

    /// A bracket, string, comment or here-document is not closed before the file ends.
    #[error("unclosed {what}")]
    #[diagnostic(code(stratiform::syntax::unclosed))]
    Unclosed {
        /// What is open.
        what: &'static str,
        /// Where it was opened.
        #[label("opened here")]
        span: Span,
        /// What closes it.
        #[help]
        help: String,
    },

    /// A backslash is followed by something that is no escape.
    #[error("unknown escape sequence `{sequence}`")]
    #[diagnostic(
        code(stratiform::syntax::unknown_escape),
        help(
            "write `\\\\` for a backslash; the escapes are \\n, \\r, \\t, \\\", \\\\, \\uNNNN and \\UNNNNNNNN"
        )
    )]
    UnknownEscape {
        /// The backslash and what follows it.
        sequence: String,
        /// The place.
        #[label("not an escape")]
        span: Span,
    },

    /// The nesting is deeper than the parser goes.
    #[error("nested more than {limit} levels deep")]
    #[diagnostic(
        code(stratiform::syntax::too_deep),
        help("name an inner part with a `locals` entry and refer to that")
    )]
    TooDeep {
        /// How many levels are allowed.
        limit: usize,
        /// Where the limit is passed.
        #[label("one level too many starts here")]
        span: Span,
    },

    /// An attribute is set twice in one body.
    #[error("attribute `{name}` is set twice")]
    #[diagnostic(
        code(stratiform::syntax::duplicate_attribute),
        help("remove one of the two; the first one is used meanwhile")
    )]
    DuplicateAttribute {
        /// The name of the attribute.
        name: String,
        /// Where it was set first.
        #[label("first set here")]
        first: Span,
        /// Where it is set again.
        #[label(primary, "set again here")]
        span: Span,
    },

    /// The file is not UTF-8 text.
    #[error("not UTF-8 text: byte 0x{byte:02x} at byte offset {offset}")]
    #[diagnostic(
        code(stratiform::syntax::invalid_utf8),
        help("save the file as UTF-8; in a string, binary data goes through `filebase64`")
    )]
    InvalidUtf8 {
        /// The first byte that does not fit.
        byte: u8,
        /// Where it stands, counted from the start of the file.
        offset: usize,
        /// The place, shown as `?`.
        #[label("this is not a UTF-8 character")]
        span: Span,
    },

    /// A character that text never holds.
    #[error("the file holds a NUL character")]
    #[diagnostic(
        code(stratiform::syntax::nul_character),
        help("is this really a text file? If it is UTF-16, save it as UTF-8")
    )]
    NulCharacter {
        /// The place.
        #[label("NUL")]
        span: Span,
    },

    /// All files together are more than the span space holds.
    #[error("too much source text: {bytes} bytes with `{name}`")]
    #[diagnostic(
        code(stratiform::syntax::too_much_source),
        help(
            "all configuration files together may have 4 GiB; load large data with `file` or from a data source"
        )
    )]
    TooMuchSource {
        /// The file that did not fit.
        name: String,
        /// How much text there would be with it.
        bytes: u64,
    },

    /// A JSON file is not JSON.
    #[error("invalid JSON: {message}")]
    #[diagnostic(code(stratiform::syntax::invalid_json))]
    InvalidJson {
        /// What is wrong.
        message: String,
        /// What was expected.
        expected: String,
        /// The place.
        #[label("{expected}")]
        span: Span,
    },

    /// JSON holds something other than an object where a block must stand.
    #[error("`{kind}` must be a JSON object or an array of objects, not {found}")]
    #[diagnostic(code(stratiform::syntax::json_block_shape))]
    JsonBlockShape {
        /// The kind of block.
        kind: String,
        /// What stands there instead.
        found: &'static str,
        /// What the place should hold.
        expected: String,
        /// The place.
        #[label("{expected}")]
        span: Span,
    },
}

/// The codes of this crate, for the reference.
pub const ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::syntax::unexpected",
        "Unexpected text",
        "Something stands where the grammar wants something else; the label says what it wants.",
        "output \"a\" {\n  value = 1 +\n}",
    ),
    doc(
        "stratiform::syntax::unclosed",
        "Unclosed bracket or text",
        "A bracket, string, comment or here-document is open where the file ends.",
        "output \"a\" {\n  value = [1, 2\n}",
    ),
    doc(
        "stratiform::syntax::unknown_escape",
        "Unknown escape sequence",
        "A string in quotes knows `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uNNNN` and `\\UNNNNNNNN`.",
        "output \"a\" {\n  value = \"C:\\data\"\n}",
    ),
    doc(
        "stratiform::syntax::too_deep",
        "Nested too deeply",
        "Brackets, blocks and templates may be nested 250 levels deep.",
        "",
    ),
    doc(
        "stratiform::syntax::duplicate_attribute",
        "Attribute set twice",
        "A block sets each of its attributes once.",
        "output \"a\" {\n  value = 1\n  value = 2\n}",
    ),
    doc(
        "stratiform::syntax::invalid_utf8",
        "Not UTF-8",
        "Configuration files are text in UTF-8.",
        "",
    ),
    doc(
        "stratiform::syntax::nul_character",
        "NUL character",
        "Configuration files hold no NUL characters; those that do are mostly text in UTF-16, or no text.",
        "",
    ),
    doc(
        "stratiform::syntax::too_much_source",
        "Too much source text",
        "All configuration files together may have 4 GiB.",
        "",
    ),
    doc(
        "stratiform::syntax::invalid_json",
        "Invalid JSON",
        "A file whose name ends in `.json` is not JSON.",
        "",
    ),
    doc(
        "stratiform::syntax::json_block_shape",
        "No block in JSON",
        "In a JSON file a block is an object, and several of a kind are an array of objects.",
        "",
    ),
];
