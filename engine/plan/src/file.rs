//! A plan on disk.
//!
//! The file holds what was planned, for `show`, and everything that the plan was made from: the configuration's
//! files, variables, options and the state's serial. `apply FILE` plans again from these and goes on only if
//! the result is the same, so that nothing is applied that was not shown.
