//! Equality and order.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Entries, Kind, Mapping, Sequence, Value};

/// The `==` of the language, marks left out; `None` where it depends on what is unknown. Values of different
/// types differ, but null equals null of every type.
pub fn equal(a: &Value, b: &Value) -> Option<bool> {
    if a.is_null() && b.is_null() {
        return Some(true);
    }
    if (a.is_null() && b.is_never_null()) || (b.is_null() && a.is_never_null()) {
        return Some(false);
    }
    match (a.is_unknown(), b.is_unknown()) {
        (true, true) => return None,
        (true, false) => return equals_unknown(b, a),
        (false, true) => return equals_unknown(a, b),
        (false, false) => {}
    }
    match (&a.kind, &b.kind) {
        (Kind::Bool(a), Kind::Bool(b)) => Some(a == b),
        (Kind::Number(a), Kind::Number(b)) => Some(a == b),
        (Kind::String(a), Kind::String(b)) => Some(a == b),
        (Kind::List(_) | Kind::Set(_) | Kind::Map(_) | Kind::Tuple(_) | Kind::Object(_), _) => {
            let (own, other) = (a.ty(), b.ty());
            if a.has_open_type() || b.has_open_type() {
                let apart = !own.fits(&other) && !other.fits(&own);
                return apart.then_some(false);
            }
            if own == other { content(a, b) } else { Some(false) }
        }
        _ => Some(false),
    }
}

/// Whether a known value can be the same as an unknown one.
fn equals_unknown(known: &Value, unknown: &Value) -> Option<bool> {
    let Kind::Unknown(ty, refinement) = &unknown.kind else { return None };
    if refinement.as_ref().is_some_and(|refinement| !refinement.admits(known)) {
        return Some(false);
    }
    let open = known.is_null() || ty.has_dynamic();
    (!open && known.ty() != *ty).then_some(false)
}

/// Compares collections of one type.
fn content(a: &Value, b: &Value) -> Option<bool> {
    match (&a.kind, &b.kind) {
        (Kind::List(x), Kind::List(y)) | (Kind::Tuple(x), Kind::Tuple(y)) => sequences(x, y),
        (Kind::Set(x), Kind::Set(y)) => {
            // Elements that are not known yet may turn out to be any of the others.
            let open = |set: &Sequence| set.items.iter().any(Value::is_unknown);
            if open(x) || open(y) {
                return None;
            }
            Some(x.items == y.items)
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

/// What cannot be told yet hides what comes behind it, as in Terraform.
fn every<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<bool> {
    for (a, b) in pairs {
        match equal(a, b) {
            Some(true) => {}
            other => return other,
        }
    }
    Some(true)
}

impl Value {
    /// Whether something in it has a type that is not known yet.
    fn has_open_type(&self) -> bool {
        if self.is_wholly_known() {
            return false;
        }
        match &self.kind {
            Kind::Unknown(ty, _) => ty.has_dynamic(),
            _ => self.elements().any(|(_, inner)| inner.has_open_type()),
        }
    }

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
