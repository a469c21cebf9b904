//! Functions.
use super::FunctionInfo;
pub(super) const FUNCTIONS: &[FunctionInfo] = &[];
