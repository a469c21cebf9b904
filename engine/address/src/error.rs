//! What can be wrong with the text of an address.

use miette::Diagnostic;
use thiserror::Error;

/// A text that is not an address of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum AddressError {
    /// The text breaks off or goes on where an address of this kind cannot.
    #[error("`{text}` is not {wanted}: expected {expected} at character {position}")]
    #[diagnostic(
        code(stratiform::address::not_an_address),
        help("write it like `module.net[\"a\"].aws_instance.node[3]`")
    )]
    Syntax {
        /// The whole text.
        text: String,
        /// The kind of address that was asked for: `a resource instance address`.
        wanted: &'static str,
        /// What could stand at the position.
        expected: &'static str,
        /// Counted in characters from 1.
        position: usize,
    },

    /// A provider source address with the wrong number of parts, or an empty part.
    #[error("`{text}` is not a provider source address")]
    #[diagnostic(
        code(stratiform::address::not_a_provider),
        help("write it like `hashicorp/aws` or `registry.example.com/acme/gpu`")
    )]
    Provider {
        /// The whole text.
        text: String,
    },
}
