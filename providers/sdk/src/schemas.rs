//! Schemas by name, each made when it is first asked for.
//!
//! A big provider has a thousand types, of which a stack uses a handful: keeping the rest as what they came in
//! saves the time and memory of taking them apart.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;
use std::sync::{Arc, OnceLock};

use crate::schema::Schema;

/// Schemas by name, in order of names. Cheap to clone.
#[derive(Clone, Default)]
pub struct Schemas(BTreeMap<Arc<str>, Arc<Slot>>);

struct Slot {
    made: OnceLock<Schema>,
    make: Option<Box<dyn Fn() -> Schema + Send + Sync>>,
}

impl Slot {
    fn get(&self) -> &Schema {
        self.made.get_or_init(|| self.make.as_ref().map_or_else(Schema::default, |make| make()))
    }
}

impl Schemas {
    /// Adds a schema.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, schema: Schema) {
        let slot = Slot { made: OnceLock::from(schema), make: None };
        self.0.insert(name.into(), Arc::new(slot));
    }

    /// Adds a schema that is made when it is first asked for.
    pub fn insert_lazy(
        &mut self,
        name: impl Into<Arc<str>>,
        make: impl Fn() -> Schema + Send + Sync + 'static,
    ) {
        let slot = Slot { made: OnceLock::new(), make: Some(Box::new(make)) };
        self.0.insert(name.into(), Arc::new(slot));
    }

    /// The schema of this name.
    pub fn get(&self, name: &str) -> Option<&Schema> {
        self.0.get(name).map(|slot| slot.get())
    }

    /// True if there is one of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.0.keys()
    }

    /// Names and schemas; makes every one of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Schema)> {
        self.0.iter().map(|(name, slot)| (name, slot.get()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromIterator<(Arc<str>, Schema)> for Schemas {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Schema)>>(schemas: I) -> Self {
        let mut all = Self::default();
        for (name, schema) in schemas {
            all.insert(name, schema);
        }
        all
    }
}

impl Index<&str> for Schemas {
    type Output = Schema;

    fn index(&self, name: &str) -> &Schema {
        self.get(name).expect("who indexes knows that the name is there, as with every map")
    }
}

impl<'a> IntoIterator for &'a Schemas {
    type Item = (&'a Arc<str>, &'a Schema);
    type IntoIter = Box<dyn Iterator<Item = Self::Item> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_schema_is_made_once_and_only_if_it_is_asked_for() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let mut schemas = Schemas::default();
        for name in ["a", "b"] {
            schemas.insert_lazy(name, || {
                MADE.fetch_add(1, Ordering::Relaxed);
                Schema { version: 7, ..Schema::default() }
            });
        }
        assert_eq!(schemas.keys().map(|name| &**name).collect::<Vec<_>>(), ["a", "b"]);
        assert!(schemas.contains_key("a") && schemas.get("c").is_none());
        assert_eq!(MADE.load(Ordering::Relaxed), 0);
        assert_eq!((schemas["b"].version, schemas["b"].version), (7, 7));
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }
}
