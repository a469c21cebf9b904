//! From bytes to a spanned tree, and the diagnostics that point into it.
//!
//! In: the bytes of `.tf`, `.tfvars`, `.tf.json` and `.tfvars.json` files, templates and the values of
//! `-var`. Out: one compact [`Body`] or [`Expr`] whose every part has a [`Span`], and the
//! [`Diagnostics`] of all independent faults. This crate knows no block type, no function and no
//! variable.
//!
//! Read in this order:
//!
//! 1. [`source`]: one span space over all files; the text behind a span.
//! 2. [`tree`]: what a configuration is made of.
//! 3. [`body`]: how decoders ask a body for its attributes and blocks, native or JSON alike.
//! 4. [`diagnostic`]: how faults are gathered, and how a code is documented.
//! 5. [`parse`]: the entry points. `lex` cuts a text into tokens and `parser` builds the tree of
//!    them, with `template` for what strings hold; `json` reads the JSON spelling.
//! 6. [`format`]: the canonical layout of a file.
//!
//! # Invariants
//!
//! * Every span of a tree lies within its file, on character boundaries.
//! * No input makes this crate panic or overflow the stack: nesting is limited, and the limit is a
//!   diagnostic. Chains of any length are no nesting; see [`Nested`].

pub mod source;

pub mod tree;

pub mod body;

pub mod diagnostic;

pub mod format;

pub mod parse;

pub mod testing;

mod character;
mod error;
mod json;
mod lex;
mod names;
mod nested;
mod parser;
mod position;
mod suggest;
mod template;

#[cfg(test)]
mod differential;
#[cfg(test)]
mod oracle;

pub use diagnostic::{
    BoxedDiagnostic, Diagnostics, ErrorDoc, Report, Severity, error_doc, error_doc_with_example,
    severity_of,
};
pub use error::{ERROR_DOCS, SyntaxError};
pub use format::{format, format_checked};
pub use nested::{Nested, deep};
pub use parse::{parse, parse_expression, parse_json, parse_json_values, parse_template};
pub use source::{FileId, Location, SourceMap, SourceText, Span};
pub use suggest::suggest;
pub use tree::{
    Attribute, BinaryOp, Block, Body, Expr, ExprKind, ForObject, ForTuple, Ident, ObjectItem,
    ObjectKey, SplatStep, TemplatePart, UnaryOp,
};
