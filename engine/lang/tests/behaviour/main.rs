//! What expressions evaluate to: text in, value or fault out.

extern crate stratiform_lang as lang;

mod common;
mod differential;
mod errors;
mod functions;
mod laws;
mod providers;
mod references;
mod size;
mod terraform;
mod types;
mod unknowns;
