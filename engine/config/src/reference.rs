//! From a traversal to what it names.

use std::sync::Arc;

use address::{ModuleKind, ModulePathStep, Resource, ResourceMode};
use lang::{Traversal, TraversalStep};
use miette::Diagnostic;
use syntax::{Ident, Span, suggest};
use thiserror::Error;

use crate::module::Module;

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// `var.x`
    Variable(Arc<str>),
    /// `local.x`
    Local(Arc<str>),
    /// `aws_vpc.x`, `data.aws_vpc.x`
    Resource(Resource),
    /// `module.x`, or `cluster.x` for a component.
    Call(ModulePathStep),
    /// `each.key` or `each.value`
    Each,
    /// `count.index`
    CountIndex,
    /// `self`
    SelfObject,
    /// `path.module` and the like
    Path,
    /// `terraform.workspace` and the like
    Terraform,
}

/// A reference that leads somewhere.
#[derive(Debug, Clone)]
pub struct Resolved<'a> {
    /// What it names.
    pub reference: Reference,
    /// How many steps behind the root name it.
    pub used: usize,
    /// The index right behind the name of a resource or call.
    pub key: Option<&'a TraversalStep>,
    /// What stands behind all that.
    pub rest: &'a [TraversalStep],
    /// The whole reference.
    pub span: Span,
}

/// A reference that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum ReferenceError {
    /// Nothing of this name is declared in the module.
    #[error("unknown {kind} `{name}`")]
    #[diagnostic(code(stratiform::config::unknown_reference))]
    Unknown {
        /// What the reference names: `resource`, `variable`, `module`.
        kind: &'static str,
        /// The name as written.
        name: String,
        /// The reference.
        #[label("not declared in this module")]
        span: Span,
        /// The nearest declaration.
        #[help]
        suggestion: Option<String>,
    },
    /// A name is missing behind the root.
    #[error("incomplete reference `{root}`")]
    #[diagnostic(code(stratiform::config::incomplete_reference))]
    Incomplete {
        /// The root.
        root: String,
        /// The reference.
        #[label("{expected}")]
        span: Span,
        /// What must follow.
        expected: &'static str,
        /// What to write.
        #[help]
        help: Option<String>,
    },
}

/// Finds what a reference names in a module.
pub fn resolve<'a>(
    module: &Module,
    traversal: &'a Traversal,
) -> Result<Resolved<'a>, ReferenceError> {
    let found = Finder { module, traversal };
    match traversal.root.as_str() {
        "var" => found.named("variable", "var", module.variables.keys(), Reference::Variable),
        "local" => found.named("local value", "local", module.locals.keys(), Reference::Local),
        "module" => found.call(),
        "data" => found.resource(ResourceMode::Data),
        "ephemeral" => found.resource(ResourceMode::Ephemeral),
        "resource" => found.resource(ResourceMode::Managed),
        "each" => Ok(found.plain(Reference::Each)),
        "count" => Ok(found.plain(Reference::CountIndex)),
        "self" => Ok(found.plain(Reference::SelfObject)),
        "path" => Ok(found.plain(Reference::Path)),
        "terraform" => Ok(found.plain(Reference::Terraform)),
        _ => found.component_or_resource(),
    }
}

struct Finder<'m, 'a> {
    module: &'m Module,
    traversal: &'a Traversal,
}

impl<'a> Finder<'_, 'a> {
    fn plain(&self, reference: Reference) -> Resolved<'a> {
        Resolved {
            reference,
            used: 0,
            key: None,
            rest: &self.traversal.steps,
            span: self.traversal.span,
        }
    }

    fn name(&self, at: usize) -> Option<&'a Ident> {
        match self.traversal.steps.get(at) {
            Some(TraversalStep::Attribute(name)) => Some(name),
            _ => None,
        }
    }

    fn incomplete(&self, expected: &'static str, help: Option<String>) -> ReferenceError {
        ReferenceError::Incomplete {
            root: self.traversal.root.text.to_string(),
            span: self.traversal.span,
            expected,
            help,
        }
    }

    fn unknown<'n>(
        &self,
        kind: &'static str,
        prefix: &str,
        name: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> ReferenceError {
        let shown = |name: &str| {
            if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
        };
        ReferenceError::Unknown {
            kind,
            name: shown(name),
            span: self.traversal.span,
            suggestion: suggest(name, names).map(|near| format!("did you mean `{}`?", shown(near))),
        }
    }

    fn named<'n>(
        &self,
        kind: &'static str,
        prefix: &str,
        mut names: impl Iterator<Item = &'n Arc<str>> + Clone,
        reference: fn(Arc<str>) -> Reference,
    ) -> Result<Resolved<'a>, ReferenceError> {
        let Some(name) = self.name(0) else {
            return Err(self.incomplete("a name must follow", None));
        };
        let all = names.clone();
        if !names.any(|declared| *declared == name.text) {
            return Err(self.unknown(kind, prefix, &name.text, all.map(|name| &**name)));
        }
        Ok(Resolved {
            reference: reference(Arc::clone(&name.text)),
            used: 1,
            key: None,
            rest: &self.traversal.steps[1..],
            span: self.traversal.span,
        })
    }

    fn call(&self) -> Result<Resolved<'a>, ReferenceError> {
        let Some(name) = self.name(0) else {
            return Err(self.incomplete("a module's name must follow", None));
        };
        let step = crate::load::call_step(&name.text);
        if !self.module.calls.contains_key(&step) {
            let calls = self.module.calls.keys().filter(|step| step.kind == ModuleKind::Call);
            return Err(self.unknown(
                "module",
                "module",
                &name.text,
                calls.map(|step| &*step.name),
            ));
        }
        Ok(self.with_key(Reference::Call(step), 1))
    }

    fn component_or_resource(&self) -> Result<Resolved<'a>, ReferenceError> {
        if let Some(name) = self.name(0) {
            let step = ModulePathStep {
                kind: ModuleKind::Component,
                type_name: Arc::clone(&self.traversal.root.text),
                name: Arc::clone(&name.text),
            };
            if self.module.calls.contains_key(&step) {
                return Ok(self.with_key(Reference::Call(step), 1));
            }
        }
        self.resource_at(ResourceMode::Managed, &self.traversal.root, 0)
    }

    fn resource(&self, mode: ResourceMode) -> Result<Resolved<'a>, ReferenceError> {
        let Some(type_name) = self.name(0) else {
            return Err(self.incomplete("a type and a name must follow", None));
        };
        self.resource_at(mode, type_name, 1)
    }

    fn resource_at(
        &self,
        mode: ResourceMode,
        type_name: &'a Ident,
        at: usize,
    ) -> Result<Resolved<'a>, ReferenceError> {
        let Some(name) = self.name(at) else {
            let quoted = self.traversal.steps.is_empty() && mode == ResourceMode::Managed;
            return Err(self.incomplete(
                "a resource's name must follow its type",
                quoted.then(|| format!("if a string is meant, write \"{type_name}\"")),
            ));
        };
        let resource =
            Resource { mode, type_name: Arc::clone(&type_name.text), name: Arc::clone(&name.text) };
        if !self.module.resources.contains_key(&resource) {
            let declared: Vec<String> = self
                .module
                .resources
                .keys()
                .map(ToString::to_string)
                .chain(self.module.calls.keys().map(ToString::to_string))
                .collect();
            let kind = if mode == ResourceMode::Data { "data source" } else { "resource" };
            return Err(self.unknown(
                kind,
                "",
                &resource.to_string(),
                declared.iter().map(String::as_str),
            ));
        }
        Ok(self.with_key(Reference::Resource(resource), at + 1))
    }

    fn with_key(&self, reference: Reference, used: usize) -> Resolved<'a> {
        let steps = &self.traversal.steps;
        let key = steps
            .get(used)
            .filter(|step| matches!(step, TraversalStep::Index(..) | TraversalStep::Dynamic(..)));
        let rest = &steps[used + usize::from(key.is_some())..];
        Resolved { reference, used, key, rest, span: self.traversal.span }
    }
}
