//! Values of the language: exact numbers, unknowns with refinements, nulls, marks, collections.
//!
//! In: whatever an expression, a provider or a stored state says. Out: [`Value`]s, which everything
//! above passes around by cheap clones; and their JSON form.
//!
//! Read in this order:
//!
//! 1. [`ty`]: types and how people spell them.
//! 2. [`number`]: binary floats of 512 bits, printed as the shortest decimal that reads back.
//! 3. [`marks`], [`refinement`]: what a value carries beside its content.
//! 4. [`value`]: the value itself; `build`, `look` and `change` hold its methods, `order` its laws.
//! 5. [`convert()`] and [`unify()`]: from one type to another, and to a common one.
//! 6. [`json`], [`msgpack`]: the codecs; [`exact`] for what must come back as it was.
//!
//! # Invariants
//!
//! * A collection knows whether all in it is known, and which marks lie in it, without a walk.
//! * Strings are in Unicode normal form C.
//! * A set holds no value twice and no marked element; marks of elements move to the set.
//! * `Debug` shows no sensitive value.

pub mod ty;

mod float;
pub mod number;

pub mod marks;
pub mod refinement;

pub mod value;

mod convert;
mod unify;

mod codec;
pub mod exact;
pub mod json;
pub mod msgpack;

pub use codec::CodecError;
pub use convert::{ConversionError, convert, converted_type};
pub use marks::Marks;
pub use number::Number;
pub use refinement::{Refinement, known_prefix};
pub use ty::{ObjectAttribute, ObjectType, Type};
pub use unify::unify;
pub use value::{Entries, Key, Value, equal};
