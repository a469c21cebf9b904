//! Named values, sorted by name, in one allocation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Value;

/// Values by name, in the order of the names; each name once.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entries(Vec<(Arc<str>, Value)>);

impl Entries {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// True if the name is there.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values.
    pub fn iter(
        &self,
    ) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> + DoubleEndedIterator + Clone {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// The names.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Arc<str>> + DoubleEndedIterator + Clone {
        self.0.iter().map(|(name, _)| name)
    }

    /// The values.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// The same in a map of the standard library.
    pub fn to_map(&self) -> BTreeMap<Arc<str>, Value> {
        self.0.iter().cloned().collect()
    }

    pub(super) fn pairs(self) -> Vec<(Arc<str>, Value)> {
        self.0
    }

    pub(super) fn slot(&mut self, name: &str) -> Option<&mut Value> {
        let at = self.0.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }
}

/// Of values with the same name, the last one stays.
impl FromIterator<(Arc<str>, Value)> for Entries {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.reverse();
            entries.dedup_by(|(later, _), (kept, _)| later == kept);
            entries.reverse();
        }
        Self(entries)
    }
}

impl<'a> IntoIterator for &'a Entries {
    type Item = (&'a Arc<str>, &'a Value);
    type IntoIter = std::iter::Map<
        std::slice::Iter<'a, (Arc<str>, Value)>,
        fn(&'a (Arc<str>, Value)) -> (&'a Arc<str>, &'a Value),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl IntoIterator for Entries {
    type Item = (Arc<str>, Value);
    type IntoIter = std::vec::IntoIter<(Arc<str>, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
