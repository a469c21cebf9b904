//! From expressions to values.
//!
//! In: expressions as the tree spells them, a [`Scope`] that knows what names stand for, a [`World`].
//! Out: a [`value::Value`], or diagnostics that point at the part at fault. This crate knows no resource,
//! no variable and no module; whoever calls it does.
//!
//! Read in this order:
//!
//! 1. [`expression`]: an expression that was compiled once, with its references.
//! 2. [`traversal`]: what a reference is made of.
//! 3. `compile`: from the tree to nodes; functions are found and constants are computed here.
//! 4. [`context`]: what an evaluation is given; everything outside comes in through it.
//! 5. `evaluate`: from nodes to values; `access`, `operator`, `comprehension`, `splat`, `template`
//!    and `conditional` hold a kind of node each.
//! 6. [`function`]: the table of functions, one file per group.
//! 7. [`type_expr`]: type constraints and the defaults of optional attributes.
//!
//! # Invariants
//!
//! * Compiling is linear in the text, and evaluating is linear in what it touches.
//! * Evaluation is pure but for `timestamp`, `uuid` and `bcrypt`, which are unknown while planning.
//! * A mark never gets lost on the way from an operand to a result, `nonsensitive` aside.
//! * No message holds a value that is sensitive.

pub mod expression;

pub mod traversal;

mod compile;
mod node;

pub mod context;

mod access;
mod comprehension;
mod conditional;
mod evaluate;
mod operator;
mod splat;
mod template;

pub mod function;

pub mod text;
pub mod type_expr;

mod error;
pub mod testing;

pub use compile::compile;
pub use context::{
    Context, DirEntry, Fault, Lookup, NoNames, Phase, ProviderFunctions, Scope, Signature,
    SignatureParameter, Step, World,
};
pub use error::{EvalError, error_docs};
pub use expression::Expression;
pub use function::{FunctionInfo, functions};
pub use traversal::{Traversal, TraversalStep};
pub use type_expr::{Defaults, TypeConstraint, parse_type};
