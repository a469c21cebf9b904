//! The value: what it is made of.

mod build;
mod change;
mod debug;
mod entries;
mod look;
mod order;
mod set_order;

use std::sync::Arc;

use crate::marks::Marks;
use crate::number::Number;
use crate::refinement::Refinement;
use crate::ty::Type;

pub use entries::Entries;
pub use look::Key;
pub use order::equal;

/// A value of the language with its marks. Cheap to clone: what is large is shared.
///
/// Equality, order and hash are structural: they look at content, at the type of what is null, unknown or
/// an empty collection, at refinements and at marks. The `==` of the language is [`equal`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Value {
    kind: Kind,
    marks: Marks,
}

/// The content. A collection's flags are true of what is in it; constructors in `build` keep them so.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Kind {
    Null(Type),
    Unknown(Type, Option<Arc<Refinement>>),
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    List(Arc<Sequence>),
    Set(Arc<Sequence>),
    Map(Arc<Mapping>),
    Tuple(Arc<Sequence>),
    Object(Arc<Mapping>),
}

/// Elements in order; a set's are sorted and differ from each other. `element` is `any` for tuples.
struct Sequence {
    element: Type,
    items: Vec<Value>,
    inside: Inside,
}

/// Elements by name. `element` is `any` for objects.
struct Mapping {
    element: Type,
    entries: Entries,
    inside: Inside,
}

/// What is true of all values in a collection, however deep.
#[derive(Clone, Copy)]
struct Inside {
    wholly_known: bool,
    marks: Marks,
}

impl Inside {
    fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let start = Self { wholly_known: true, marks: Marks::NONE };
        values.fold(start, |inside, value| Self {
            wholly_known: inside.wholly_known && value.is_wholly_known(),
            marks: inside.marks.union(value.deep_marks()),
        })
    }
}
