//! The endpoint gateway.
