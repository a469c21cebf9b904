//! Types: what they are, how they compare, how people read them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The type of a value, or a constraint on it. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `any`: as a constraint any type, as the type of an unknown or null value one not known yet.
    Dynamic,
    /// `list(T)`
    List(Arc<Type>),
    /// `set(T)`
    Set(Arc<Type>),
    /// `map(T)`
    Map(Arc<Type>),
    /// `tuple([T, …])`
    Tuple(Arc<[Type]>),
    /// `object({name = T, …})`
    Object(Arc<ObjectType>),
}

/// The attributes of an object type, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectType {
    /// Attributes by name.
    pub attributes: BTreeMap<Arc<str>, ObjectAttribute>,
}

/// One attribute of an object type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectAttribute {
    /// Its type.
    pub ty: Type,
    /// True where a conversion may fill it with null.
    pub optional: bool,
}

impl Type {
    /// `list(element)`
    pub fn list(element: Type) -> Self {
        Self::List(Arc::new(element))
    }

    /// `set(element)`
    pub fn set(element: Type) -> Self {
        Self::Set(Arc::new(element))
    }

    /// `map(element)`
    pub fn map(element: Type) -> Self {
        Self::Map(Arc::new(element))
    }

    /// `tuple([…])`
    pub fn tuple(elements: impl IntoIterator<Item = Type>) -> Self {
        Self::Tuple(elements.into_iter().collect())
    }

    /// `object({…})` with every attribute required.
    pub fn object<N: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        Self::object_with_optional(attributes.into_iter().map(|(name, ty)| (name, ty, false)))
    }

    /// `object({…})`; the flag says whether the attribute is optional.
    pub fn object_with_optional<N: Into<Arc<str>>>(
        attributes: impl IntoIterator<Item = (N, Type, bool)>,
    ) -> Self {
        let attributes = attributes
            .into_iter()
            .map(|(name, ty, optional)| (name.into(), ObjectAttribute { ty, optional }))
            .collect();
        Self::Object(Arc::new(ObjectType { attributes }))
    }

    /// True for bool, number and string.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// True for list, set and map.
    pub fn is_collection(&self) -> bool {
        matches!(self, Self::List(_) | Self::Set(_) | Self::Map(_))
    }

    /// The type of a collection's elements.
    pub fn element(&self) -> Option<&Type> {
        match self {
            Self::List(element) | Self::Set(element) | Self::Map(element) => Some(element),
            _ => None,
        }
    }

    /// The type of an object's attribute.
    pub fn attribute(&self, name: &str) -> Option<&Type> {
        match self {
            Self::Object(object) => object.attributes.get(name).map(|attribute| &attribute.ty),
            _ => None,
        }
    }

    /// True where `any` stands somewhere in the type.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_dynamic(),
            Self::Tuple(elements) => elements.iter().any(Self::has_dynamic),
            Self::Object(object) => object.attributes.values().any(|a| a.ty.has_dynamic()),
        }
    }

    /// True where an object type with optional attributes stands somewhere in the type.
    pub fn has_optional(&self) -> bool {
        match self {
            Self::Dynamic | Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_optional(),
            Self::Tuple(elements) => elements.iter().any(Self::has_optional),
            Self::Object(object) => {
                object.attributes.values().any(|a| a.optional || a.ty.has_optional())
            }
        }
    }

    /// The same type with every attribute required: the type that a converted value has.
    #[must_use]
    pub fn without_optional(&self) -> Self {
        if !self.has_optional() {
            return self.clone();
        }
        match self {
            Self::List(element) => Self::list(element.without_optional()),
            Self::Set(element) => Self::set(element.without_optional()),
            Self::Map(element) => Self::map(element.without_optional()),
            Self::Tuple(elements) => Self::tuple(elements.iter().map(Self::without_optional)),
            Self::Object(object) => Self::object(
                object
                    .attributes
                    .iter()
                    .map(|(name, a)| (Arc::clone(name), a.ty.without_optional())),
            ),
            other => other.clone(),
        }
    }

    /// The type in words: `list of string`.
    pub fn friendly_name(&self) -> String {
        match self {
            Self::Bool => "bool".into(),
            Self::Number => "number".into(),
            Self::String => "string".into(),
            Self::Dynamic => "dynamic".into(),
            Self::List(element) => format!("list of {}", element.friendly_constraint()),
            Self::Set(element) => format!("set of {}", element.friendly_constraint()),
            Self::Map(element) => format!("map of {}", element.friendly_constraint()),
            Self::Tuple(_) => "tuple".into(),
            Self::Object(_) => "object".into(),
        }
    }

    fn friendly_constraint(&self) -> String {
        match self {
            Self::Dynamic => "any type".into(),
            other => other.friendly_name(),
        }
    }

    /// Says whether a value of this type needs no conversion to be one of type `wanted`.
    pub fn fits(&self, wanted: &Type) -> bool {
        match (self, wanted) {
            (_, Self::Dynamic) => true,
            (Self::List(a), Self::List(b))
            | (Self::Set(a), Self::Set(b))
            | (Self::Map(a), Self::Map(b)) => Arc::ptr_eq(a, b) || a.fits(b),
            (Self::Tuple(a), Self::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.fits(b))
            }
            (Self::Object(a), Self::Object(b)) => {
                Arc::ptr_eq(a, b)
                    || (a.attributes.len() == b.attributes.len()
                        && a.attributes
                            .iter()
                            .zip(b.attributes.iter())
                            .all(|((n, a), (m, b))| n == m && a.ty.fits(&b.ty)))
            }
            (a, b) => a == b,
        }
    }
}

/// The type as the language spells it: `list(string)`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::Dynamic => f.write_str("any"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Set(element) => write!(f, "set({element})"),
            Self::Map(element) => write!(f, "map({element})"),
            Self::Tuple(elements) => {
                f.write_str("tuple([")?;
                for (at, element) in elements.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{element}")?;
                }
                f.write_str("])")
            }
            Self::Object(object) => {
                f.write_str("object({")?;
                for (at, (name, attribute)) in object.attributes.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    if attribute.optional {
                        write!(f, "{comma}{name} = optional({})", attribute.ty)?;
                    } else {
                        write!(f, "{comma}{name} = {}", attribute.ty)?;
                    }
                }
                f.write_str("})")
            }
        }
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
