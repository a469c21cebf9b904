//! Reads a folder, and the folders of the modules that it calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::{ModulePath, ModulePathStep};
use lang::World;
use syntax::{Body, Diagnostics, SourceMap, Span};

use crate::block;
use crate::error::ConfigError;
use crate::folders::Folders;
use crate::module::{Configuration, Module, ModuleCall};
use crate::overrides;
use crate::provider;
use crate::rule::RuleError;
use crate::under_test::{TestProviders, give_providers};

/// Virtual paths of the standard library begin like this.
const LIBRARY: &str = "stratiform:";
/// Deeper trees of modules are a mistake.
const MAX_MODULE_DEPTH: usize = 100;

/// What is to be loaded.
pub struct LoadRequest<'a> {
    /// The folder of the root module, relative to the working directory.
    pub root: &'a Path,
    /// Where files come from.
    pub world: &'a dyn World,
    /// Files that are known already; new ones are added.
    pub sources: SourceMap,
}

/// Finds the folder of a module from elsewhere, by the key of its call (`net.subnets`) and the call itself.
pub type FindModule<'a> = &'a dyn Fn(&str, &ModuleCall) -> Found;

/// What comes of looking for a module from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is in this folder.
    Dir(PathBuf),
    /// It is not installed.
    Nowhere,
    /// Its source has no meaning, and this says why.
    Senseless(String),
}

/// Loads a stack. The configuration is as good as it can be made; with errors it may lack parts.
pub fn load(request: LoadRequest<'_>) -> (Configuration, Diagnostics) {
    load_with(request, &|_, _| Found::Nowhere)
}

/// Loads a stack with modules from elsewhere, which are found by `find`.
pub fn load_with(request: LoadRequest<'_>, find: FindModule<'_>) -> (Configuration, Diagnostics) {
    load_under_test(request, find, &TestProviders::new())
}

/// Loads a stack as a test sees it: with provider configurations that take the place of the root module's own.
pub fn load_under_test(
    request: LoadRequest<'_>,
    find: FindModule<'_>,
    providers: &TestProviders,
) -> (Configuration, Diagnostics) {
    let mut loader = Loader {
        find,
        world: request.world,
        sources: request.sources,
        modules: BTreeMap::new(),
        folders: &mut Folders::default(),
        diagnostics: Diagnostics::new(),
        providers,
    };
    loader.load_tree(ModulePath::root(), request.root.to_path_buf(), None);
    let configuration = Configuration {
        sources: Arc::new(loader.sources),
        modules: loader.modules,
        replaced: Vec::new(),
    };
    let diagnostics = loader.diagnostics;
    (configuration, diagnostics)
}

/// Adds a call to a module: how a component becomes one. The caller loads the called module next.
pub fn add_call(configuration: &mut Configuration, module: &ModulePath, call: ModuleCall) {
    if let Some(module) = configuration.modules.get_mut(module) {
        Arc::make_mut(module).calls.insert(call.step.clone(), call);
    }
}

/// Loads a folder as the module at a path, with the modules that it calls; a folder that is known is not read again.
pub fn load_module_at(
    configuration: &mut Configuration,
    folders: &mut Folders,
    path: &ModulePath,
    dir: &Path,
    span: Span,
    world: &dyn World,
) -> Diagnostics {
    let mut loader = Loader {
        find: &|_, _| Found::Nowhere,
        world,
        sources: Arc::unwrap_or_clone(std::mem::take(&mut configuration.sources)),
        modules: std::mem::take(&mut configuration.modules),
        folders,
        diagnostics: Diagnostics::new(),
        providers: &TestProviders::new(),
    };
    loader.load_tree(path.clone(), dir.to_path_buf(), Some(span));
    configuration.sources = Arc::new(loader.sources);
    configuration.modules = loader.modules;
    loader.diagnostics
}

struct Loader<'a> {
    find: FindModule<'a>,
    world: &'a dyn World,
    sources: SourceMap,
    modules: BTreeMap<ModulePath, Arc<Module>>,
    folders: &'a mut Folders,
    diagnostics: Diagnostics,
    /// Take the place of the root module's.
    providers: &'a TestProviders,
}

impl Loader<'_> {
    /// Loads a module and all below it, from a list, so that depth costs no stack.
    fn load_tree(&mut self, path: ModulePath, dir: PathBuf, span: Option<Span>) {
        let mut waiting = vec![(path, dir, span)];
        while let Some((path, dir, span)) = waiting.pop() {
            let Some(mut module) = self.load_module(&path, &dir, span) else { continue };
            if path.is_root() {
                give_providers(&mut module, self.providers);
            }
            for call in module.calls.values() {
                let child = path.child(call.step.clone());
                let Some(child_dir) = self.call_dir(&dir, &child, call) else { continue };
                if self.comes_back(&path, &dir, &child_dir)
                    || child.steps().len() > MAX_MODULE_DEPTH
                {
                    let dir = child_dir.display().to_string();
                    self.diagnostics.push(ConfigError::ModuleRecursion { dir, span: call.header });
                    continue;
                }
                waiting.push((child, child_dir, Some(call.header)));
            }
            // The parent is there by now, so provider configurations can be followed upwards.
            let twin = self.folders.resolved(&module);
            let errors = provider::resolve_resources(&mut module, twin.as_deref(), &self.modules);
            self.diagnostics.extend(errors);
            let module = Arc::new(module);
            self.folders.keep_resolved(&module);
            self.modules.insert(path, module);
        }
    }

    fn comes_back(&self, path: &ModulePath, dir: &Path, child: &Path) -> bool {
        if dir == child {
            return true;
        }
        let mut path = path.parent();
        while let Some(at) = path {
            if self.modules.get(&at).is_some_and(|module| module.dir == child) {
                return true;
            }
            path = at.parent();
        }
        false
    }

    fn call_dir(&mut self, dir: &Path, path: &ModulePath, call: &ModuleCall) -> Option<PathBuf> {
        let span = call.input_spans.get("source").copied().unwrap_or(call.header);
        let local = call.source.starts_with("./") || call.source.starts_with("../");
        if call.source.is_empty() {
            return None;
        }
        if !local {
            let key: Vec<&str> = path.steps().iter().map(|step| &*step.name).collect();
            let text = call.source.clone();
            match (self.find)(&key.join("."), call) {
                Found::Dir(found) => return Some(found),
                Found::Nowhere => {
                    self.diagnostics.push(ConfigError::ModuleSource { source_text: text, span });
                }
                Found::Senseless(reason) => {
                    self.diagnostics.push(RuleError::ModuleAddress { text, reason, span });
                }
            }
            return None;
        }
        Some(join(dir, &call.source))
    }

    fn load_module(&mut self, path: &ModulePath, dir: &Path, span: Option<Span>) -> Option<Module> {
        if let Some(module) = self.folders.decoded(path, dir) {
            return Some(module);
        }
        let listing = match self.world.read_dir(if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        }) {
            Ok(listing) => listing,
            Err(error) => {
                let missing = error.kind() == std::io::ErrorKind::NotFound;
                let shown = dir.display().to_string();
                match span.filter(|_| missing) {
                    Some(span) => {
                        self.diagnostics.push(ConfigError::ModuleMissing { dir: shown, span });
                    }
                    None => self.diagnostics.push(ConfigError::Unreadable {
                        path: shown,
                        reason: error.to_string(),
                        span,
                    }),
                }
                return path
                    .is_root()
                    .then(|| Module { dir: dir.to_path_buf(), ..Module::default() });
            }
        };
        let mut names: Vec<String> = listing
            .into_iter()
            .filter(|entry| !entry.is_dir && is_configuration(&entry.name))
            .map(|entry| entry.name)
            .collect();
        names.sort();
        if names.is_empty() && path.is_root() {
            self.diagnostics.push(ConfigError::NoFiles { dir: shown_dir(dir) });
        }
        let (mut primary, mut override_bodies) = (Vec::new(), Vec::new());
        for name in names {
            let Some(body) = self.read_body(dir, &name) else { continue };
            if is_override(&name) { override_bodies.push(body) } else { primary.push(body) }
        }
        let bodies = overrides::merge(primary, override_bodies, &mut self.diagnostics);
        let (module, errors) = block::decode_module(path.clone(), dir.to_path_buf(), &bodies);
        self.diagnostics.extend(errors);
        self.folders.keep_decoded(&module);
        Some(module)
    }

    fn read_body(&mut self, dir: &Path, name: &str) -> Option<Body> {
        let file = join(dir, name);
        match self.world.read_file(&file) {
            Ok(bytes) => {
                let shown = file.display().to_string();
                let (body, errors) = if name.ends_with(".json") {
                    syntax::parse_json(&mut self.sources, &shown, &bytes)
                } else {
                    syntax::parse(&mut self.sources, &shown, &bytes)
                };
                self.diagnostics.extend(errors);
                Some(body)
            }
            Err(error) => {
                self.diagnostics.push(ConfigError::Unreadable {
                    path: file.display().to_string(),
                    reason: error.to_string(),
                    span: None,
                });
                None
            }
        }
    }
}

fn shown_dir(dir: &Path) -> String {
    if dir.as_os_str().is_empty() { ".".to_owned() } else { dir.display().to_string() }
}

/// Whether a folder has files that make a stack or a module. One that cannot be read counts: the loader says why.
pub fn has_files(world: &dyn World, dir: &Path) -> bool {
    let is_file = |entry: &lang::DirEntry| !entry.is_dir && is_configuration(&entry.name);
    world.read_dir(dir).map_or(true, |listing| listing.iter().any(is_file))
}

fn is_configuration(name: &str) -> bool {
    let hidden = name.starts_with('.')
        || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'));
    !hidden && (name.ends_with(".tf") || name.ends_with(".tf.json"))
}

fn is_override(name: &str) -> bool {
    let stem = name.strip_suffix(".tf.json").or_else(|| name.strip_suffix(".tf")).unwrap_or(name);
    stem == "override" || stem.ends_with("_override")
}

/// Joins a folder and a relative path by their text, without asking the file system; `.` and `..` are
/// resolved where that is possible.
pub fn join(dir: &Path, relative: &str) -> PathBuf {
    let text = dir.to_string_lossy();
    let (root, rest) = match text.strip_prefix(LIBRARY) {
        Some(rest) => (LIBRARY, rest),
        None if text.starts_with('/') => ("/", text.trim_start_matches('/')),
        None => ("", &*text),
    };
    let mut parts: Vec<&str> =
        rest.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in relative.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    PathBuf::from(format!("{root}{}", parts.join("/")))
}

/// The step of a module call.
pub(crate) fn call_step(name: &Arc<str>) -> ModulePathStep {
    ModulePathStep {
        kind: address::ModuleKind::Call,
        type_name: "module".into(),
        name: Arc::clone(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_by_their_text() {
        let table = [
            (".", "./a", "a"),
            ("", "main.tf", "main.tf"),
            ("a/b", "../c", "a/c"),
            ("a", "../../c", "../c"),
            ("/x/y", "../z", "/x/z"),
            ("stratiform:modules/cluster", "./local", "stratiform:modules/cluster/local"),
        ];
        for (dir, relative, expected) in table {
            assert_eq!(join(Path::new(dir), relative), Path::new(expected), "{dir} + {relative}");
        }
    }
}
