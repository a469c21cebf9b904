//! What can be asked of a value.

use std::sync::Arc;

use address::{AttributePath, PathStep};

use super::{Entries, Kind, Value};
use crate::marks::Marks;
use crate::number::Number;
use crate::refinement::Refinement;
use crate::ty::{ObjectAttribute, ObjectType, Type};

/// How an element is found in its collection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Position in a list or tuple, from 0.
    Index(usize),
    /// Name in a map or object.
    Name(Arc<str>),
    /// Elements of sets have no key but themselves.
    Element,
}

impl Value {
    /// The type. An object's and a tuple's are built from their parts.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Null(ty) | Kind::Unknown(ty, _) => ty.clone(),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(list) => Type::list(list.element.clone()),
            Kind::Set(set) => Type::set(set.element.clone()),
            Kind::Map(map) => Type::map(map.element.clone()),
            Kind::Tuple(tuple) => Type::tuple(tuple.items.iter().map(Self::ty)),
            Kind::Object(object) => {
                let attributes = object
                    .entries
                    .iter()
                    .map(|(name, value)| {
                        (Arc::clone(name), ObjectAttribute { ty: value.ty(), optional: false })
                    })
                    .collect();
                Type::Object(Arc::new(ObjectType { attributes }))
            }
        }
    }

    /// True for null and unknown values whose type is not known. Cheaper than asking for the type.
    pub fn ty_is_dynamic(&self) -> bool {
        matches!(self.kind, Kind::Null(Type::Dynamic) | Kind::Unknown(Type::Dynamic, _))
    }

    /// Says whether the value can never turn out to be null.
    pub fn is_never_null(&self) -> bool {
        match &self.kind {
            Kind::Null(_) => false,
            Kind::Unknown(_, known) => known.as_ref().is_some_and(|known| known.not_null),
            _ => true,
        }
    }

    /// Says whether the value has type `ty` as it stands, `any` standing for each type; builds no type. A collection
    /// without elements has every element type.
    pub fn conforms(&self, ty: &Type) -> bool {
        self.conforms_as(ty, true)
    }

    /// As [`Self::conforms`], but a collection without elements has its own element type alone.
    pub(crate) fn has_type(&self, ty: &Type) -> bool {
        self.conforms_as(ty, false)
    }

    fn conforms_as(&self, ty: &Type, empty_suits: bool) -> bool {
        let all = |items: &[Value], ty: &Type| {
            (empty_suits || !items.is_empty())
                && items.iter().all(|item| item.conforms_as(ty, empty_suits))
        };
        match (&self.kind, ty) {
            (_, Type::Dynamic)
            | (Kind::Bool(_), Type::Bool)
            | (Kind::Number(_), Type::Number)
            | (Kind::String(_), Type::String) => true,
            (Kind::Null(own) | Kind::Unknown(own, _), ty) => own.fits(ty),
            (Kind::List(list), Type::List(element)) => {
                list.element.fits(element) || all(&list.items, element)
            }
            (Kind::Set(set), Type::Set(element)) => {
                set.element.fits(element) || all(&set.items, element)
            }
            (Kind::Map(map), Type::Map(element)) => {
                let mut values = map.entries.values();
                map.element.fits(element)
                    || ((empty_suits || !map.entries.is_empty())
                        && values.all(|item| item.conforms_as(element, empty_suits)))
            }
            (Kind::Tuple(tuple), Type::Tuple(elements)) => {
                tuple.items.len() == elements.len()
                    && tuple
                        .items
                        .iter()
                        .zip(elements.iter())
                        .all(|(item, ty)| item.conforms_as(ty, empty_suits))
            }
            (Kind::Object(object), Type::Object(ty)) => {
                object.entries.len() == ty.attributes.len()
                    && object.entries.iter().zip(&ty.attributes).all(
                        |((name, value), (wanted, a))| {
                            name == wanted && value.conforms_as(&a.ty, empty_suits)
                        },
                    )
            }
            _ => false,
        }
    }

    /// True for null of any type.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }

    /// True if this value itself is known; what is in it may not be.
    pub fn is_known(&self) -> bool {
        !self.is_unknown()
    }

    /// True if this value itself is not known.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(..))
    }

    /// Whether more than so many collections stand within each other.
    pub fn is_deeper_than(&self, levels: usize) -> bool {
        self.elements().any(|(_, part)| levels == 0 || part.is_deeper_than(levels - 1))
    }

    /// True if this value and all that is in it are known.
    pub fn is_wholly_known(&self) -> bool {
        match &self.kind {
            Kind::Unknown(..) => false,
            Kind::List(inner) | Kind::Set(inner) | Kind::Tuple(inner) => inner.inside.wholly_known,
            Kind::Map(inner) | Kind::Object(inner) => inner.inside.wholly_known,
            _ => true,
        }
    }

    /// True for null, and for a collection that is null or has no elements.
    pub fn is_null_or_empty(&self) -> bool {
        self.is_null() || self.len() == Some(0)
    }

    /// Marks of this value itself.
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// Marks of this value and of all that is in it.
    pub fn deep_marks(&self) -> Marks {
        match &self.kind {
            Kind::List(inner) | Kind::Set(inner) | Kind::Tuple(inner) => {
                self.marks.union(inner.inside.marks)
            }
            Kind::Map(inner) | Kind::Object(inner) => self.marks.union(inner.inside.marks),
            _ => self.marks,
        }
    }

    /// True if this value itself is sensitive.
    pub fn is_sensitive(&self) -> bool {
        self.marks.contains(Marks::SENSITIVE)
    }

    /// The content of a known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The content of a known number.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The content of a known string.
    pub fn as_str(&self) -> Option<&str> {
        self.as_arc_str().map(|text| &**text)
    }

    /// The content of a known string, to share.
    pub fn as_arc_str(&self) -> Option<&Arc<str>> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// Elements of a known list, set or tuple.
    pub fn items(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(inner) | Kind::Set(inner) | Kind::Tuple(inner) => Some(&inner.items),
            _ => None,
        }
    }

    /// Elements of a known map or object.
    pub fn entries(&self) -> Option<&Entries> {
        match &self.kind {
            Kind::Map(inner) | Kind::Object(inner) => Some(&inner.entries),
            _ => None,
        }
    }

    /// Elements of a known collection, tuple or object with their keys; nothing for other values.
    pub fn elements(&self) -> impl Iterator<Item = (Key, &Value)> {
        let set = matches!(self.kind, Kind::Set(_));
        let items = self
            .items()
            .unwrap_or_default()
            .iter()
            .enumerate()
            .map(move |(at, item)| (if set { Key::Element } else { Key::Index(at) }, item));
        let entries = self
            .entries()
            .into_iter()
            .flat_map(Entries::iter)
            .map(|(name, value)| (Key::Name(Arc::clone(name)), value));
        items.chain(entries)
    }

    /// How many elements a known collection, tuple or object has.
    #[expect(clippy::len_without_is_empty, reason = "most values have no length, so none is empty")]
    pub fn len(&self) -> Option<usize> {
        match &self.kind {
            Kind::List(inner) | Kind::Set(inner) | Kind::Tuple(inner) => Some(inner.items.len()),
            Kind::Map(inner) | Kind::Object(inner) => Some(inner.entries.len()),
            _ => None,
        }
    }

    /// An element of a known map or object.
    pub fn get_attr(&self, name: &str) -> Option<&Value> {
        self.entries()?.get(name)
    }

    /// An element of a known list or tuple.
    pub fn get_index(&self, index: usize) -> Option<&Value> {
        match &self.kind {
            Kind::List(inner) | Kind::Tuple(inner) => inner.items.get(index),
            _ => None,
        }
    }

    /// True for a known set.
    pub fn is_set(&self) -> bool {
        matches!(self.kind, Kind::Set(_))
    }

    /// True for a known object.
    pub fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }

    /// True for a known map.
    pub fn is_map(&self) -> bool {
        matches!(self.kind, Kind::Map(_))
    }

    /// True for a known tuple.
    pub fn is_tuple(&self) -> bool {
        matches!(self.kind, Kind::Tuple(_))
    }

    /// True for a known list.
    pub fn is_list(&self) -> bool {
        matches!(self.kind, Kind::List(_))
    }

    /// What is said about an unknown value.
    pub fn refinement(&self) -> Option<&Refinement> {
        match &self.kind {
            Kind::Unknown(_, refinement) => refinement.as_deref(),
            _ => None,
        }
    }

    /// The value at a path, with the marks of all that holds it. `None` where the path leads nowhere or
    /// through a set. What lies in an unknown value is unknown, what lies in null is null.
    pub fn at(&self, path: &AttributePath) -> Option<Value> {
        let mut value = self.clone();
        for step in path.steps() {
            let marks = value.marks;
            let inner = match &value.kind {
                Kind::Unknown(ty, _) => Value::unknown(type_at(ty, step)?),
                Kind::Null(ty) => Value::null(type_at(ty, step)?),
                _ => match step {
                    PathStep::Attribute(name) | PathStep::Key(name) => {
                        value.get_attr(name)?.clone()
                    }
                    PathStep::Index(index) => {
                        value.get_index(usize::try_from(*index).ok()?)?.clone()
                    }
                    PathStep::Element => return None,
                },
            };
            value = inner.mark(marks);
        }
        Some(value)
    }
}

fn type_at(ty: &Type, step: &PathStep) -> Option<Type> {
    match (ty, step) {
        (Type::Dynamic, _) => Some(Type::Dynamic),
        (Type::Object(_), PathStep::Attribute(name) | PathStep::Key(name)) => {
            ty.attribute(name).cloned()
        }
        (Type::Map(element), PathStep::Attribute(_) | PathStep::Key(_))
        | (Type::List(element), PathStep::Index(_)) => Some((**element).clone()),
        (Type::Tuple(elements), PathStep::Index(index)) => {
            elements.get(usize::try_from(*index).ok()?).cloned()
        }
        _ => None,
    }
}
