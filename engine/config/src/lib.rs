//! From files to typed blocks and a tree of modules, with every reference checked.
//!
//! In: a folder, read through a [`lang::World`]. Out: a [`Configuration`] and the diagnostics of all
//! independent faults. **This crate asks no provider**: the bodies of resources stay as the tree spells
//! them, for whoever knows their schema.
//!
//! Read in this order:
//!
//! 1. [`module`]: what a configuration is made of.
//! 2. [`load`]: reads the files of a folder and of the modules that it calls; `folders`: each folder once.
//! 3. `overrides`: what override files change; `block`: one file for each kind of block.
//! 4. [`provider`]: which provider configuration a resource belongs to.
//! 5. [`reference`]: from a traversal to what it names.
//! 6. [`validate`]: everything that can be found wrong without evaluating.
//! 7. `storage`: where the state is, which is asked before all this.
//! 8. [`input`]: values of root variables from files, options and the environment.
//! 9. [`test_file`]: test files; they say how a configuration is to be tried. [`under_test`]: the configuration as a run sees it.

pub mod module;

mod folders;
pub mod load;
mod overrides;

mod block;

pub mod provider;

pub mod reference;

pub mod validate;

pub mod input;

mod storage;
pub mod test_file;
mod test_providers;
pub mod under_test;

mod version;

mod error;
mod rule;
mod test_error;

pub use block::{check_moves, component_input, moved_component_types, written_out};
pub use error::{ConfigError, ERROR_DOCS};
pub use folders::Folders;
pub use input::{InputRequest, InputSource, InputValue, read_inputs, read_values};
pub use load::{
    FindModule, Found, LoadRequest, add_call, has_files, load, load_module_at, load_under_test,
    load_with,
};
pub use module::{
    Check, ComponentBlock, Condition, Configuration, IgnoreChanges, Import, Lifecycle, Local,
    Module, ModuleCall, Moved, OnFailure, Output, ProviderBlock, ProviderName, Provisioner,
    Removed, RequiredProvider, ResourceBlock, TerraformSettings, Variable, When,
};
pub use provider::{local_address, provider_block};
pub use reference::{Reference, ReferenceError, Resolved, resolve};
pub use rule::{RULE_DOCS, RuleError};
pub use storage::{LocalBackend, local_backend};
pub use test_error::{TEST_ERROR_DOCS, TestError};
pub use test_file::{TestFile, TestNames, TestRun, load_tests};
pub use test_providers::check_test_providers;
pub use validate::{built_in_versions, required_versions, root_aliases, validate};

/// The version of Terraform whose language this engine reads; `required_version` is checked against it.
pub const LANGUAGE_VERSION: &str = "1.11.4";
