//! A store that lives as long as the process, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::StateError;
use crate::ledger::{Durability, Keep, Ledger};
use crate::store::{LockGuard, LockInfo, LockRequest};

/// A store in memory.
pub type MemoryStore = Ledger<Memory>;

/// Entries in memory. Clones share them.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    holder: Option<LockInfo>,
}

impl MemoryStore {
    /// An empty store.
    pub fn empty() -> Self {
        Self::open(Memory::default(), None, "memory", "default").expect("memory does not fail")
    }
}

impl Memory {
    fn inner<T>(&self, run: impl FnOnce(&mut Inner) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keep for Memory {
    fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.inner(|inner| inner.entries.get(name).cloned()))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StateError> {
        let prefix = prefix.to_vec();
        Ok(self.inner(|inner| {
            let found = inner
                .entries
                .range(prefix.clone()..)
                .take_while(|(name, _)| name.starts_with(&prefix));
            found.map(|(name, entry)| (name.clone(), entry.clone())).collect()
        }))
    }

    fn scan_from(&self, prefix: &[u8], from: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StateError> {
        let mut found = self.scan(prefix)?;
        found.retain(|(name, _)| name.as_slice() >= from);
        Ok(found)
    }

    fn write(
        &self,
        batch: Vec<(Vec<u8>, Option<Vec<u8>>)>,
        _serial: u64,
        _durability: Durability,
    ) -> Result<(), StateError> {
        self.inner(|inner| {
            for (name, entry) in batch {
                match entry {
                    Some(entry) => inner.entries.insert(name, entry),
                    None => inner.entries.remove(&name),
                };
            }
        });
        Ok(())
    }

    fn lock(&self, request: LockRequest) -> Result<LockGuard, StateError> {
        let info = LockInfo::of(&request, None);
        let taken = self.inner(|inner| {
            if let Some(holder) = &inner.holder {
                Err(StateError::Locked { holder: Box::new(holder.clone()) })
            } else {
                inner.holder = Some(info.clone());
                Ok(())
            }
        });
        taken?;
        let shared = self.clone();
        let release = move || {
            shared.inner(|inner| inner.holder = None);
            Ok(())
        };
        Ok(LockGuard::new(info, None, Box::new(release)))
    }

    fn lock_info(&self) -> Result<Option<LockInfo>, StateError> {
        Ok(self.inner(|inner| inner.holder.clone()))
    }

    fn force_unlock(&self, id: &str) -> Result<LockInfo, StateError> {
        self.inner(|inner| match inner.holder.take() {
            Some(holder) if holder.id == id => Ok(holder),
            other => {
                inner.holder = other;
                Err(StateError::NoLock { id: id.to_owned() })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;

    #[test]
    fn keeps_the_promises_of_a_store() {
        crate::conformance::check_store(&mut MemoryStore::empty);
    }
}
