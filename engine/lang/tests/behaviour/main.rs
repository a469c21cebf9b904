//! What expressions evaluate to: text in, value or fault out.

extern crate stratiform_lang as lang;

mod common;
mod errors;
mod functions;
mod laws;
mod references;
mod size;
mod terraform;
mod types;
mod unknowns;
