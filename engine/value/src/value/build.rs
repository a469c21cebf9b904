//! How values are made.

use std::sync::Arc;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Entries, Inside, Kind, Mapping, Sequence, Value};
use crate::marks::Marks;
use crate::number::Number;
use crate::refinement::Refinement;
use crate::ty::Type;

impl Value {
    const fn plain(kind: Kind) -> Self {
        Self { kind, marks: Marks::NONE }
    }

    /// Null of a type.
    pub fn null(ty: Type) -> Self {
        Self::plain(Kind::Null(ty))
    }

    /// A value of a type that is not known yet.
    pub fn unknown(ty: Type) -> Self {
        Self::plain(Kind::Unknown(ty, None))
    }

    /// A value that is not known yet but lies within limits. Limits that leave one value only give that one.
    pub fn unknown_refined(ty: Type, refinement: Refinement) -> Self {
        if refinement.is_empty() || ty == Type::Dynamic {
            return Self::unknown(ty);
        }
        if refinement.not_null
            && let Some(only) = only_choice(&ty, &refinement)
        {
            return only;
        }
        Self::plain(Kind::Unknown(ty, Some(Arc::new(refinement))))
    }

    /// The same value; if it is unknown, it is known not to be null.
    #[must_use]
    pub fn refined_not_null(self) -> Self {
        match &self.kind {
            Kind::Unknown(ty, known) if *ty != Type::Dynamic => {
                let refinement = known.as_deref().cloned().unwrap_or_default();
                if refinement.not_null {
                    return self;
                }
                let refinement = Refinement { not_null: true, ..refinement };
                Self::unknown_refined(ty.clone(), refinement).mark(self.marks)
            }
            _ => self,
        }
    }

    /// Null whose type is not known either.
    pub fn dynamic_null() -> Self {
        Self::null(Type::Dynamic)
    }

    /// A value of which nothing is known.
    pub fn dynamic_unknown() -> Self {
        Self::unknown(Type::Dynamic)
    }

    /// A bool.
    pub fn bool(value: bool) -> Self {
        Self::plain(Kind::Bool(value))
    }

    /// A number.
    pub fn number(value: impl Into<Number>) -> Self {
        Self::plain(Kind::Number(value.into()))
    }

    /// A string, brought into normal form C.
    pub fn string(value: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = value.into();
        let normal = text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes;
        Self::plain(Kind::String(if normal { text } else { text.nfc().collect::<String>().into() }))
    }

    /// A list; each item must already have the element type.
    pub fn list(element: Type, items: Vec<Value>) -> Self {
        let inside = Inside::of(items.iter());
        Self::plain(Kind::List(Arc::new(Sequence { element, items, inside })))
    }

    /// A list of nothing.
    pub fn empty_list(element: Type) -> Self {
        Self::list(element, Vec::new())
    }

    /// A set: sorts the items, drops repeated ones and takes their marks to itself.
    pub fn set(element: Type, items: Vec<Value>) -> Self {
        let mut marks = Marks::NONE;
        let mut items: Vec<Value> = items
            .into_iter()
            .map(|item| {
                let found = item.deep_marks();
                marks = marks.union(found);
                if found.is_empty() { item } else { item.unmark_deep().0 }
            })
            .collect();
        items.sort_unstable();
        // Two unknown elements may turn out to differ, so both stay.
        items.dedup_by(|a, b| a == b && a.is_wholly_known());
        let inside = Inside::of(items.iter());
        Self { kind: Kind::Set(Arc::new(Sequence { element, items, inside })), marks }
    }

    /// A map; each value must already have the element type.
    pub fn map<N: Into<Arc<str>>>(
        element: Type,
        entries: impl IntoIterator<Item = (N, Value)>,
    ) -> Self {
        let entries: Entries =
            entries.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let inside = Inside::of(entries.values());
        Self::plain(Kind::Map(Arc::new(Mapping { element, entries, inside })))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Value>) -> Self {
        let inside = Inside::of(items.iter());
        Self::plain(Kind::Tuple(Arc::new(Sequence { element: Type::Dynamic, items, inside })))
    }

    /// An object.
    pub fn object<N: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (N, Value)>) -> Self {
        let entries: Entries =
            attributes.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let inside = Inside::of(entries.values());
        Self::plain(Kind::Object(Arc::new(Mapping { element: Type::Dynamic, entries, inside })))
    }

    /// The object without attributes.
    pub fn empty_object() -> Self {
        Self::object(Vec::<(Arc<str>, Value)>::new())
    }

    /// A collection of the same kind and element type with other items; marks of `self` stay.
    pub(super) fn with_items(&self, items: Vec<Value>) -> Self {
        let rebuilt = match &self.kind {
            Kind::List(list) => Self::list(list.element.clone(), items),
            Kind::Set(set) => Self::set(set.element.clone(), items),
            Kind::Tuple(_) => Self::tuple(items),
            _ => return self.clone(),
        };
        rebuilt.mark(self.marks)
    }

    /// A map or object with other entries; marks of `self` stay.
    pub(super) fn with_entries(&self, entries: Entries) -> Self {
        let inside = Inside::of(entries.values());
        let kind = match &self.kind {
            Kind::Map(map) => {
                Kind::Map(Arc::new(Mapping { element: map.element.clone(), entries, inside }))
            }
            Kind::Object(_) => {
                Kind::Object(Arc::new(Mapping { element: Type::Dynamic, entries, inside }))
            }
            _ => return self.clone(),
        };
        Self { kind, marks: self.marks }
    }
}

/// The one value that a refinement leaves, if it leaves one only.
fn only_choice(ty: &Type, refinement: &Refinement) -> Option<Value> {
    if let (Type::Number, Some((lower, true)), Some((upper, true))) =
        (ty, &refinement.lower, &refinement.upper)
    {
        return (lower == upper).then(|| Value::number(lower.clone()));
    }
    let length = refinement.min_length.unwrap_or(0);
    if refinement.max_length != Some(length) {
        return None;
    }
    match (ty, length) {
        // More elements than this are not worth writing out.
        (Type::List(element), 0..=1024) => {
            let items = vec![Value::unknown((**element).clone()); length];
            Some(Value::list((**element).clone(), items))
        }
        (Type::Set(element), 0) => Some(Value::set((**element).clone(), Vec::new())),
        (Type::Set(element), 1) => {
            Some(Value::set((**element).clone(), vec![Value::unknown((**element).clone())]))
        }
        (Type::Map(element), 0) => {
            Some(Value::map((**element).clone(), Vec::<(Arc<str>, Value)>::new()))
        }
        _ => None,
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::string(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::string(value)
    }
}

impl From<Arc<str>> for Value {
    fn from(value: Arc<str>) -> Self {
        Self::string(value)
    }
}

macro_rules! from_number {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Self::number(value)
            }
        }
    )*};
}

from_number!(i64, i32, u32, u64, usize, Number);
