//! MessagePack: the form of values on the wire between engine and provider.
//!
//! The type directs both ways. A value at an `any` position is an array of its own type, as JSON, and the
//! value. Unknown values are extensions; what is known about them travels in extension 12. Marks are not
//! written: who calls decides what may be sent.
//!
//! Source: the Terraform provider protocol and the cty library's MessagePack form.

mod read;
mod write;

pub use read::decode;
pub use write::encode;

/// The extension that holds an unknown value with what is known about it.
const REFINED: i8 = 12;
/// A longer payload of that extension is refused.
const MAX_REFINEMENT_BYTES: usize = 1024;
/// A prefix is cut to so many bytes.
const MAX_PREFIX_BYTES: usize = 256;

/// Keys of the map in that extension.
mod key {
    pub(super) const NULLNESS: u64 = 1;
    pub(super) const PREFIX: u64 = 2;
    pub(super) const LOWER: u64 = 3;
    pub(super) const UPPER: u64 = 4;
    pub(super) const MIN_LENGTH: u64 = 5;
    pub(super) const MAX_LENGTH: u64 = 6;
}

#[cfg(test)]
mod tests;
