//! Folders that are known: one that many calls name is read and decoded once.
//!
//! Ten thousand calls of one module then hold its text, its syntax trees and its blocks once. What a folder means depends
//! on where it is called in two ways only, which are part of the key: as the root or not, and by a component or not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::{ModuleKind, ModulePath};

use crate::module::Module;

/// What has been read so far.
#[derive(Debug, Default)]
pub struct Folders {
    known: BTreeMap<(PathBuf, bool, bool), Known>,
}

#[derive(Debug)]
struct Known {
    /// As decoded, without provider configurations.
    decoded: Arc<Module>,
    /// As one call has it, with provider configurations.
    resolved: Option<Arc<Module>>,
}

fn key(path: &ModulePath, dir: &Path) -> (PathBuf, bool, bool) {
    let component = path.steps().last().is_some_and(|step| step.kind == ModuleKind::Component);
    (dir.to_path_buf(), path.is_root(), component)
}

impl Folders {
    /// A folder as decoded before, for a call at another place.
    pub(crate) fn decoded(&self, path: &ModulePath, dir: &Path) -> Option<Module> {
        let known = self.known.get(&key(path, dir))?;
        Some(Module { path: path.clone(), ..Module::clone(&known.decoded) })
    }

    pub(crate) fn keep_decoded(&mut self, module: &Module) {
        let decoded = Arc::new(module.clone());
        self.known.insert(key(&module.path, &module.dir), Known { decoded, resolved: None });
    }

    /// The module of another call of the same folder, with its provider configurations.
    pub(crate) fn resolved(&self, module: &Module) -> Option<Arc<Module>> {
        self.known.get(&key(&module.path, &module.dir))?.resolved.clone()
    }

    pub(crate) fn keep_resolved(&mut self, module: &Arc<Module>) {
        if let Some(known) = self.known.get_mut(&key(&module.path, &module.dir)) {
            known.resolved.get_or_insert_with(|| Arc::clone(module));
        }
    }
}
