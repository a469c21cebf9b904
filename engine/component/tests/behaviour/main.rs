//! Whole configurations in memory: text in, decisions, calls and faults out.

extern crate stratiform_component as component;

mod common;
mod faults;
mod placement;
mod together;
