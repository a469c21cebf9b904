//! How a value becomes another one; what does not change is shared.

use std::sync::Arc;

use address::{AttributePath, PathStep};

use super::{Entries, Kind, Value};
use crate::marks::Marks;

impl Value {
    /// Adds marks to this value itself.
    #[must_use]
    pub fn mark(mut self, marks: Marks) -> Self {
        self.marks = self.marks.union(marks);
        self
    }

    /// Takes the marks off this value itself.
    pub fn unmark(mut self) -> (Self, Marks) {
        let marks = std::mem::take(&mut self.marks);
        (self, marks)
    }

    /// Takes all marks off, however deep, and says where they were.
    pub fn unmark_deep(self) -> (Self, Vec<(AttributePath, Marks)>) {
        if self.deep_marks().is_empty() {
            return (self, Vec::new());
        }
        let mut found = Vec::new();
        self.walk(&mut |path, value| {
            if !value.marks.is_empty() {
                found.push((path.clone(), value.marks));
            }
            !value.deep_marks().is_empty()
        });
        (self.unmarked(Marks::SENSITIVE.union(Marks::EPHEMERAL)), found)
    }

    /// Takes these marks off, however deep.
    #[must_use]
    pub fn unmarked(self, marks: Marks) -> Self {
        if self.deep_marks().intersection(marks).is_empty() {
            return self;
        }
        let own = self.marks.without(marks);
        let mut rebuilt = match &self.kind {
            Kind::List(inner) | Kind::Set(inner) | Kind::Tuple(inner)
                if !inner.inside.marks.intersection(marks).is_empty() =>
            {
                self.with_items(
                    inner.items.iter().map(|item| item.clone().unmarked(marks)).collect(),
                )
            }
            Kind::Map(inner) | Kind::Object(inner)
                if !inner.inside.marks.intersection(marks).is_empty() =>
            {
                self.with_entries(
                    inner
                        .entries
                        .iter()
                        .map(|(n, v)| (Arc::clone(n), v.clone().unmarked(marks)))
                        .collect(),
                )
            }
            _ => self,
        };
        rebuilt.marks = own;
        rebuilt
    }

    /// Adds marks at paths. A path through a set, or to something that is not there, marks the nearest
    /// value that holds it.
    #[must_use]
    pub fn mark_paths(self, paths: &[(AttributePath, Marks)]) -> Self {
        paths.iter().fold(self, |value, (path, marks)| value.mark_at(path.steps(), *marks))
    }

    fn mark_at(self, steps: &[PathStep], marks: Marks) -> Self {
        let Some((step, rest)) = steps.split_first() else {
            return self.mark(marks);
        };
        let inner = match step {
            PathStep::Attribute(name) | PathStep::Key(name) => self.get_attr(name).cloned(),
            PathStep::Index(index) => {
                usize::try_from(*index).ok().and_then(|at| self.get_index(at)).cloned()
            }
            PathStep::Element => None,
        };
        match inner {
            Some(inner) if inner.is_null() && self.is_object() && !rest.is_empty() => self,
            Some(inner) => {
                let inner = inner.mark_at(rest, marks);
                self.put(step, inner).unwrap_or_else(|outer| outer.mark(marks))
            }
            None if self.is_null() => self,
            None => self.mark(marks),
        }
    }

    /// The same object or map with another value for one name, which is added if it is not there.
    #[must_use]
    pub fn with_attr(mut self, name: &str, value: Value) -> Self {
        let (Kind::Map(inner) | Kind::Object(inner)) = &mut self.kind else {
            return self;
        };
        let mut entries = match Arc::get_mut(inner) {
            Some(owned) => std::mem::take(&mut owned.entries),
            None => inner.entries.clone(),
        };
        if let Some(slot) = entries.slot(name) {
            *slot = value;
        } else {
            let mut pairs = entries.pairs();
            pairs.push((name.into(), value));
            entries = pairs.into_iter().collect();
        }
        self.with_entries(entries)
    }

    /// The same value with another one at a path. `None` where the path leads nowhere or through a set.
    pub fn replace_at(self, path: &AttributePath, value: Value) -> Option<Self> {
        self.replaced(path.steps(), value)
    }

    fn replaced(self, steps: &[PathStep], value: Value) -> Option<Self> {
        let Some((step, rest)) = steps.split_first() else {
            return Some(value);
        };
        let inner = match step {
            PathStep::Attribute(name) | PathStep::Key(name) => match self.get_attr(name) {
                Some(inner) => inner.clone(),
                None if rest.is_empty() && self.is_map() => value.clone(),
                None => return None,
            },
            PathStep::Index(index) => self.get_index(usize::try_from(*index).ok()?)?.clone(),
            PathStep::Element => return None,
        };
        let inner = inner.replaced(rest, value)?;
        self.put(step, inner).ok()
    }

    fn put(self, step: &PathStep, value: Value) -> Result<Self, Self> {
        match step {
            PathStep::Attribute(name) | PathStep::Key(name) if self.entries().is_some() => {
                Ok(self.with_attr(name, value))
            }
            PathStep::Index(index) => {
                let Some(items) = self.items() else { return Err(self) };
                let Some(at) = usize::try_from(*index).ok().filter(|at| *at < items.len()) else {
                    return Err(self);
                };
                let mut items = items.to_vec();
                items[at] = value;
                Ok(self.with_items(items))
            }
            _ => Err(self),
        }
    }

    /// The same map or object without one name.
    #[must_use]
    pub fn without_attr(self, name: &str) -> Self {
        let Some(entries) = self.entries() else { return self };
        let entries: Entries = entries
            .iter()
            .filter(|(key, _)| &***key != name)
            .map(|(key, value)| (Arc::clone(key), value.clone()))
            .collect();
        self.with_entries(entries)
    }

    /// Applies a function to each value, inner ones first. Parts for which it returns what it got are
    /// shared with the original.
    #[must_use]
    pub fn transform(self, change: &mut impl FnMut(&AttributePath, Value) -> Value) -> Self {
        let mut path = AttributePath::root();
        self.transformed(&mut path, change)
    }

    fn transformed(
        self,
        path: &mut AttributePath,
        change: &mut impl FnMut(&AttributePath, Value) -> Value,
    ) -> Self {
        let rebuilt = if let Some(items) = self.items() {
            let set = self.is_set();
            let mut changed = false;
            let mut new = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                let step = if set {
                    PathStep::Element
                } else {
                    PathStep::Index(i64::try_from(at).unwrap_or(i64::MAX))
                };
                path.0.push(step);
                let item_new = item.clone().transformed(path, change);
                path.0.pop();
                changed |= !item_new.same(item);
                new.push(item_new);
            }
            if changed { self.with_items(new) } else { self }
        } else if let Some(entries) = self.entries() {
            let map = self.is_map();
            let mut changed = false;
            let mut new = Vec::with_capacity(entries.len());
            for (name, value) in entries {
                let name = Arc::clone(name);
                path.0.push(if map {
                    PathStep::Key(name.clone())
                } else {
                    PathStep::Attribute(name.clone())
                });
                let value_new = value.clone().transformed(path, change);
                path.0.pop();
                changed |= !value_new.same(value);
                new.push((name, value_new));
            }
            if changed { self.with_entries(new.into_iter().collect()) } else { self }
        } else {
            self
        };
        change(path, rebuilt)
    }

    /// Shows each value to a function, outer ones first; where it answers false, what is inside is left out.
    pub fn walk(&self, visit: &mut impl FnMut(&AttributePath, &Value) -> bool) {
        let mut path = AttributePath::root();
        self.walked(&mut path, visit);
    }

    fn walked(
        &self,
        path: &mut AttributePath,
        visit: &mut impl FnMut(&AttributePath, &Value) -> bool,
    ) {
        if !visit(path, self) {
            return;
        }
        let set = self.is_set();
        let map = self.is_map();
        for (at, item) in self.items().unwrap_or_default().iter().enumerate() {
            path.0.push(if set {
                PathStep::Element
            } else {
                PathStep::Index(i64::try_from(at).unwrap_or(i64::MAX))
            });
            item.walked(path, visit);
            path.0.pop();
        }
        for (name, value) in self.entries().into_iter().flatten() {
            let name = Arc::clone(name);
            path.0.push(if map { PathStep::Key(name) } else { PathStep::Attribute(name) });
            value.walked(path, visit);
            path.0.pop();
        }
    }

    /// Where unknown values lie.
    pub fn unknown_paths(&self) -> Vec<AttributePath> {
        let mut paths = Vec::new();
        self.walk(&mut |path, value| {
            if value.is_unknown() {
                paths.push(path.clone());
            }
            !value.is_wholly_known()
        });
        paths
    }

    /// Says without comparing contents whether two values are the same one.
    fn same(&self, other: &Self) -> bool {
        self.marks == other.marks
            && match (&self.kind, &other.kind) {
                (Kind::List(a), Kind::List(b))
                | (Kind::Set(a), Kind::Set(b))
                | (Kind::Tuple(a), Kind::Tuple(b)) => Arc::ptr_eq(a, b),
                (Kind::Map(a), Kind::Map(b)) | (Kind::Object(a), Kind::Object(b)) => {
                    Arc::ptr_eq(a, b)
                }
                (Kind::String(a), Kind::String(b)) => Arc::ptr_eq(a, b) || a == b,
                (Kind::Bool(a), Kind::Bool(b)) => a == b,
                (Kind::Number(a), Kind::Number(b)) => a == b,
                (Kind::Null(a), Kind::Null(b)) => a == b,
                (Kind::Unknown(a, c), Kind::Unknown(b, d)) => a == b && c == d,
                _ => false,
            }
    }
}
