//! Terraform's state file, version 4, both ways.
//!
//! Source: the format as Terraform 1.11 writes it.

mod export;

mod import;

pub use export::export;
pub use import::import;
