//! Equality and order.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Entries, Kind, Mapping, Sequence, Value};

/// The language's `==`: `None` where it depends on what is unknown. Marks do not count.
///
/// Values of different types differ; null equals null of any type.
pub fn equal(a: &Value, b: &Value) -> Option<bool> {
    if a.is_null() || b.is_null() {
        let (null, other) = if a.is_null() { (a, b) } else { (b, a) };
        let never = other.refinement().is_some_and(|refinement| refinement.not_null);
        return match (null.is_null() && other.is_null(), other.is_unknown()) {
            (true, _) => Some(true),
            (false, true) if never => Some(false),
            (false, true) => None,
            (false, false) => Some(false),
        };
    }
    match (&a.kind, &b.kind) {
        (Kind::Unknown(_, r), other) | (other, Kind::Unknown(_, r)) => {
            let other = Value { kind: other.clone(), marks: a.marks };
            let excluded = r.as_ref().is_some_and(|refinement| !refinement.admits(&other));
            excluded.then_some(false)
        }
        (Kind::Bool(a), Kind::Bool(b)) => Some(a == b),
        (Kind::Number(a), Kind::Number(b)) => Some(a == b),
        (Kind::String(a), Kind::String(b)) => Some(a == b),
        (Kind::List(x), Kind::List(y)) | (Kind::Tuple(x), Kind::Tuple(y)) => sequences(x, y),
        (Kind::Set(x), Kind::Set(y)) => {
            if x.inside.wholly_known && y.inside.wholly_known {
                Some(x.items.len() == y.items.len() && sequences(x, y) == Some(true))
            } else {
                None
            }
        }
        (Kind::Map(x), Kind::Map(y)) | (Kind::Object(x), Kind::Object(y)) => {
            if x.entries.len() != y.entries.len() || x.entries.keys().ne(y.entries.keys()) {
                return Some(false);
            }
            every(x.entries.values().zip(y.entries.values()))
        }
        _ => Some(false),
    }
}

fn sequences(a: &Arc<Sequence>, b: &Arc<Sequence>) -> Option<bool> {
    if a.items.len() != b.items.len() {
        return Some(false);
    }
    if Arc::ptr_eq(a, b) && a.inside.wholly_known {
        return Some(true);
    }
    every(a.items.iter().zip(b.items.iter()))
}

fn every<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<bool> {
    let mut all = Some(true);
    for (a, b) in pairs {
        match equal(a, b) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
    }
    all
}

impl Value {
    /// Structural equality that does not look at marks.
    pub fn equals_ignoring_marks(&self, other: &Self) -> bool {
        if self.deep_marks().is_empty() && other.deep_marks().is_empty() {
            return self == other;
        }
        self.clone().unmark_deep().0 == other.clone().unmark_deep().0
    }

    /// Structural equality that looks neither at refinements nor at marks.
    pub fn equals_ignoring_refinements(&self, other: &Self) -> bool {
        let pairwise = |a: &Arc<Sequence>, b: &Arc<Sequence>| {
            Arc::ptr_eq(a, b)
                || (a.element == b.element
                    && a.items.len() == b.items.len()
                    && a.items.iter().zip(&b.items).all(|(a, b)| a.equals_ignoring_refinements(b)))
        };
        match (&self.kind, &other.kind) {
            (Kind::Unknown(a, _), Kind::Unknown(b, _)) => a == b,
            (Kind::List(a), Kind::List(b))
            | (Kind::Set(a), Kind::Set(b))
            | (Kind::Tuple(a), Kind::Tuple(b)) => pairwise(a, b),
            (Kind::Map(a), Kind::Map(b)) | (Kind::Object(a), Kind::Object(b)) => {
                Arc::ptr_eq(a, b)
                    || (a.element == b.element
                        && a.entries.keys().eq(b.entries.keys())
                        && a.entries
                            .values()
                            .zip(b.entries.values())
                            .all(|(a, b)| a.equals_ignoring_refinements(b)))
            }
            (a, b) => a == b,
        }
    }
}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        self.element == other.element && self.items == other.items
    }
}

impl Eq for Sequence {}

impl Hash for Sequence {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.items.hash(state);
    }
}

impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        self.element == other.element && self.entries == other.entries
    }
}

impl Eq for Mapping {}

impl Hash for Mapping {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.entries.hash(state);
    }
}

/// A total order in which numbers and strings stand as people expect; across kinds it is arbitrary but
/// fixed. It agrees with `==`.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        let content = match (&self.kind, &other.kind) {
            (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
            (Kind::Number(a), Kind::Number(b)) => a.cmp(b),
            (Kind::String(a), Kind::String(b)) => a.cmp(b),
            (Kind::Null(a), Kind::Null(b)) => a.cmp(b),
            (Kind::Unknown(a, r), Kind::Unknown(b, s)) => a.cmp(b).then_with(|| {
                if r == s { Ordering::Equal } else { format!("{r:?}").cmp(&format!("{s:?}")) }
            }),
            (Kind::List(a), Kind::List(b))
            | (Kind::Set(a), Kind::Set(b))
            | (Kind::Tuple(a), Kind::Tuple(b)) => {
                a.items.cmp(&b.items).then_with(|| a.element.cmp(&b.element))
            }
            (Kind::Map(a), Kind::Map(b)) | (Kind::Object(a), Kind::Object(b)) => {
                Entries::cmp(&a.entries, &b.entries).then_with(|| a.element.cmp(&b.element))
            }
            (a, b) => rank(a).cmp(&rank(b)),
        };
        content.then_with(|| self.marks.cmp(&other.marks))
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn rank(kind: &Kind) -> u8 {
    match kind {
        Kind::Null(_) => 0,
        Kind::Bool(_) => 1,
        Kind::Number(_) => 2,
        Kind::String(_) => 3,
        Kind::Tuple(_) => 4,
        Kind::List(_) => 5,
        Kind::Set(_) => 6,
        Kind::Object(_) => 7,
        Kind::Map(_) => 8,
        Kind::Unknown(..) => 9,
    }
}
