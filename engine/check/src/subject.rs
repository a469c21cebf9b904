//! What is looked at: planned objects and components, and who refers to whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use component::Decision;
use value::Value;

use crate::link::Link;
use crate::rule::Found;

/// A planned object, or a component.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// Its address.
    pub address: String,
    /// The address without keys of instances: that of its block.
    pub home: String,
    /// Its resource type, or its component type.
    pub type_name: &'a str,
    /// The object as it will be, or the inputs of the component; null if there will be none.
    pub planned: &'a Value,
    /// The object as it is; null if there is none.
    pub prior: &'a Value,
    /// Whether what is there is destroyed, for good or to be made anew.
    pub destroys: bool,
    /// Whether its successor is made before it is destroyed.
    pub overlaps: bool,
    /// Whether the plan does something with it. Rules judge only those, and may look at the others.
    pub changes: bool,
    /// The region of its provider, or of its place, where that is known.
    pub region: Option<String>,
    /// What its block refers to.
    pub links: Arc<[Link]>,
    /// Whether it is a component.
    pub component: bool,
    /// Where the component was placed; `None` for a resource.
    pub decision: Option<&'a Decision>,
}

/// All subjects of a plan, by address and by what they refer to.
#[derive(Debug)]
pub struct Everything<'a> {
    /// The subjects.
    pub subjects: &'a [Subject<'a>],
    by_home: BTreeMap<&'a str, Vec<usize>>,
    /// By what is referred to, and the type of who refers to it.
    by_target: BTreeMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Everything<'a> {
    /// Sorts subjects. Linear in subjects and links.
    pub fn new(subjects: &'a [Subject<'a>]) -> Self {
        let mut by_home: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_target: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (at, subject) in subjects.iter().enumerate() {
            by_home.entry(&subject.home).or_default().push(at);
            for link in &*subject.links {
                let from = by_target.entry((&link.target, subject.type_name)).or_default();
                if from.last() != Some(&at) {
                    from.push(at);
                }
            }
        }
        Self { subjects, by_home, by_target }
    }

    /// All instances of a block.
    pub fn at(&self, home: &str) -> impl Iterator<Item = &'a Subject<'a>> + use<'a> {
        self.of_places(self.by_home.get(home))
    }

    /// All subjects of a type.
    pub fn of_type<'t>(&self, type_name: &'t str) -> impl Iterator<Item = &'a Subject<'a>> + 't
    where
        'a: 't,
    {
        self.subjects.iter().filter(move |subject| subject.type_name == type_name)
    }

    /// Those of a type that refer to a block.
    pub fn pointing_at(
        &self,
        home: &str,
        type_name: &str,
    ) -> impl Iterator<Item = &'a Subject<'a>> + use<'a> {
        self.of_places(self.by_target.get(&(home, type_name)))
    }

    fn of_places(
        &self,
        at: Option<&Vec<usize>>,
    ) -> impl Iterator<Item = &'a Subject<'a>> + use<'a> {
        let subjects = self.subjects;
        at.cloned().unwrap_or_default().into_iter().map(move |at| &subjects[at])
    }
}

impl Subject<'_> {
    /// Whether it is a component, and no resource.
    pub fn is_component(&self) -> bool {
        self.component
    }

    /// What the plan does with it: `create`, `update`, `replace`, `delete` or `no-op`.
    pub fn action(&self) -> &'static str {
        match (self.prior.is_null(), self.planned.is_null()) {
            (_, true) => "delete",
            _ if !self.changes => "no-op",
            _ if self.destroys => "replace",
            (true, false) => "create",
            (false, false) => "update",
        }
    }

    /// The subjects of a type that an argument refers to, all instances of each.
    pub fn linked<'f>(
        &self,
        found: &Found<'f>,
        argument: &str,
        type_name: &str,
    ) -> impl Iterator<Item = &'f Subject<'f>> + use<'f> {
        self.linked_at(found, &[argument], type_name)
    }

    /// The same for what stands within an argument, such as `["mounts", "/data"]`.
    pub fn linked_at<'f>(
        &self,
        found: &Found<'f>,
        path: &[&str],
        type_name: &str,
    ) -> impl Iterator<Item = &'f Subject<'f>> + use<'f> {
        let mut subjects: Vec<&'f Subject<'f>> = Vec::new();
        for link in self.links.iter().filter(|link| link.is_within(path)) {
            for subject in found.all.at(&link.target) {
                let meant = link.key.as_ref().is_none_or(|key| subject.address.ends_with(&**key));
                let known = subjects.iter().any(|other| std::ptr::eq(*other, subject));
                if meant && !known && subject.type_name == type_name {
                    subjects.push(subject);
                }
            }
        }
        subjects.into_iter()
    }
}

/// An argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field<T> {
    /// It has this value.
    Known(T),
    /// It is not set.
    Absent,
    /// Its value is not known yet, or is sensitive: rules neither look at it nor name it.
    Unknown,
}

impl<T> Field<T> {
    /// The value, or one to take if it is not set; `None` if it is not known yet.
    pub fn or(self, fallback: T) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent => Some(fallback),
            Self::Unknown => None,
        }
    }

    /// Whether it has to be waited for.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// The value if there is one.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    fn map<U>(self, with: impl FnOnce(T) -> Option<U>) -> Field<U> {
        match self {
            Self::Known(value) => with(value).map_or(Field::Absent, Field::Known),
            Self::Absent => Field::Absent,
            Self::Unknown => Field::Unknown,
        }
    }
}

/// An argument of an object.
pub fn field<'v>(object: &'v Value, name: &str) -> Field<&'v Value> {
    match object.get_attr(name) {
        _ if object.is_unknown() => Field::Unknown,
        None => Field::Absent,
        Some(value) if value.is_unknown() || !value.deep_marks().is_empty() => Field::Unknown,
        Some(value) if value.is_null() => Field::Absent,
        Some(value) => Field::Known(value),
    }
}

/// An argument that is text; an empty text counts as not set.
pub fn text<'v>(object: &'v Value, name: &str) -> Field<&'v str> {
    field(object, name).map(|value| value.as_str().filter(|text| !text.is_empty()))
}

/// An argument that is a number.
pub fn number(object: &Value, name: &str) -> Field<f64> {
    field(object, name).map(|value| value.as_number().map(value::Number::to_f64))
}

/// An argument that is a number, or a number in a string, as some providers have it.
pub fn amount(object: &Value, name: &str) -> Field<f64> {
    field(object, name).map(|value| {
        let written = value.as_str().and_then(|text| text.trim().parse().ok());
        value.as_number().map(value::Number::to_f64).or(written)
    })
}

/// An argument that is a list or a set. Its length is known even where its elements are not.
pub fn items<'v>(object: &'v Value, name: &str) -> Field<&'v [Value]> {
    match object.get_attr(name) {
        _ if object.is_unknown() => Field::Unknown,
        None => Field::Absent,
        Some(value) if value.is_unknown() || !value.marks().is_empty() => Field::Unknown,
        Some(value) => value.items().map_or(Field::Absent, Field::Known),
    }
}

/// An argument that is true or false.
pub fn flag(object: &Value, name: &str) -> Field<bool> {
    field(object, name).map(Value::as_bool)
}

/// Nested blocks of a kind, in order; none if they are not known yet.
pub fn blocks<'v>(object: &'v Value, name: &str) -> &'v [Value] {
    match object.get_attr(name) {
        Some(value) if value.is_object() => std::slice::from_ref(value),
        Some(value) => value.items().unwrap_or_default(),
        None => &[],
    }
}

/// The first nested block of a kind.
pub fn block<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    blocks(object, name).first()
}
