//! `moved`, `removed` and `import` blocks: how objects and addresses meet.

use address::{ModuleKind, ResourceMode, Target};
use lang::{Traversal, TraversalStep};
use syntax::{Attribute, Block, Diagnostics, Span};

use super::module_call::provider_name;
use super::{Decoder, provisioner};
use crate::error::ConfigError;
use crate::module::{Configuration, Import, Module, Moved, Removed, When};
use crate::rule::RuleError;

pub(crate) fn decode_moved(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let mut decoder = Decoder::new(block, diagnostics);
    let from = target(&mut decoder, "from");
    let to = target(&mut decoder, "to");
    decoder.finish();
    let (Some((from, _)), Some((to, _))) = (from, to) else { return };
    let from = match (from.as_component(), &to) {
        // What reads as a resource may be a component that has become a module; `check_moves` asks which it is.
        (Some(component), Target::Module(_)) if component.steps().len() == 1 && !is_data(&from) => {
            Target::Module(component)
        }
        _ => from,
    };
    let kind = |target: &Target| {
        if matches!(target, Target::Module(_)) { "module" } else { "resource" }
    };
    if kind(&from) != kind(&to) {
        let (from, to) = (kind(&from), kind(&to));
        return diagnostics.push(RuleError::MovedKinds { from, to, span: block.header });
    }
    module.moved.push(Moved { from, to, span: block.header });
}

pub(crate) fn decode_removed(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let mut decoder = Decoder::new(block, diagnostics);
    let from = target(&mut decoder, "from");
    let lifecycles = decoder.blocks("lifecycle", 0);
    let connections = decoder.blocks("connection", 0);
    let provisioners = decoder.blocks("provisioner", 1);
    decoder.finish();
    let mut destroy = true;
    for lifecycle in &lifecycles {
        let mut decoder = Decoder::new(lifecycle, diagnostics);
        destroy = decoder.flag("destroy").unwrap_or(true);
        decoder.finish();
    }
    let provisioners = provisioner::decode_all(&provisioners, &connections, diagnostics);
    for provisioner in provisioners.iter().filter(|one| one.when == When::Create) {
        diagnostics.push(RuleError::RemovedProvisioner { span: provisioner.header });
    }
    let Some((from, span)) = from else { return };
    if let Target::Instance(_) = from {
        diagnostics.push(RuleError::RemovedInstance { span });
    }
    if is_data(&from) {
        diagnostics.push(RuleError::DataAddress { what: "removed", span });
    }
    module.removed.push(Removed { from, destroy, provisioners, span: block.header });
}

/// The component types that moves into modules name.
pub fn moved_component_types(module: &Module) -> impl Iterator<Item = (&str, Span)> {
    module.moved.iter().filter_map(|moved| {
        let Target::Module(from) = &moved.from else { return None };
        let step = from.steps().first().filter(|step| step.kind == ModuleKind::Component)?;
        Some((&*step.type_name, moved.span))
    })
}

/// Complains of moves of resources into modules: what has such a type is no component.
pub fn check_moves(
    configuration: &Configuration,
    is_component_type: &dyn Fn(&str) -> bool,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    for module in configuration.modules.values() {
        for (_, span) in moved_component_types(module).filter(|(name, _)| !is_component_type(name))
        {
            found.push(RuleError::MovedKinds { from: "resource", to: "module", span });
        }
    }
    found
}

fn is_data(target: &Target) -> bool {
    let mode = match target {
        Target::Module(_) => return false,
        Target::Resource(block) => block.resource.mode,
        Target::Instance(instance) => instance.resource.mode,
    };
    mode != ResourceMode::Managed
}

pub(crate) fn decode_import(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    if !module.path.is_root() {
        diagnostics.push(RuleError::ImportPlace { span: block.header });
    }
    let mut decoder = Decoder::new(block, diagnostics);
    decoder.required("to");
    let to = decoder.attribute("to").and_then(|to| import_target(to, &mut decoder));
    let identity = decoder.attribute("identity").map(|identity| identity.name.span);
    let by_identity = identity.is_some();
    let both = identity.zip(decoder.attribute("id").map(|id| id.name.span));
    let id = if by_identity { decoder.expression("identity") } else { decoder.required("id") };
    if by_identity {
        decoder.expression("id");
    }
    let for_each = decoder.expression("for_each");
    let provider = decoder.attribute("provider");
    let provider_name = provider.and_then(|provider| provider_name(&provider.expr));
    let provider = provider.map(|provider| provider.name.span);
    decoder.finish();
    if let Some((identity, id)) = both {
        return diagnostics.push(RuleError::ImportTwoKeys { identity, id });
    }
    let (Some(to), Some(id)) = (to, id) else { return };
    let address = to.to_string();
    if to.root.as_str() == "data" || address.contains(".data.") {
        return diagnostics.push(RuleError::DataAddress { what: "imported", span: to.span });
    }
    if let Some(own) = id.references().iter().find(|own| is_within(own, &to)) {
        let span = own.span;
        diagnostics.push(RuleError::ImportOfItself { address, span });
    }
    module.imports.push(Import {
        to,
        id,
        by_identity,
        for_each,
        provider,
        provider_name,
        span: block.header,
    });
}

/// Says whether a reference leads to the imported block or into it.
fn is_within(reference: &Traversal, to: &Traversal) -> bool {
    let names = |traversal: &Traversal| -> Vec<String> {
        let steps = traversal.steps.iter().filter_map(TraversalStep::as_attribute);
        std::iter::once(&traversal.root).chain(steps).map(|name| name.text.to_string()).collect()
    };
    to.root.as_str() != "module" && names(reference).starts_with(&names(to))
}

/// A reference whose indices may be expressions.
fn import_target(attribute: &Attribute, decoder: &mut Decoder<'_>) -> Option<Traversal> {
    let found = traversal(attribute, decoder);
    if found.is_none() {
        decoder.diagnostics.push(ConfigError::InvalidAddress {
            text: "to".to_owned(),
            expected: "the address of a resource instance",
            span: attribute.expr.span,
        });
    }
    found
}

fn target(decoder: &mut Decoder<'_>, name: &'static str) -> Option<(Target, Span)> {
    decoder.required(name)?;
    let attribute = decoder.attribute(name)?;
    let parsed =
        traversal(attribute, decoder).and_then(|traversal| traversal.to_string().parse().ok());
    if parsed.is_none() {
        decoder.diagnostics.push(ConfigError::InvalidAddress {
            text: name.to_owned(),
            expected: "the address of a resource or module",
            span: attribute.expr.span,
        });
    }
    Some((parsed?, attribute.expr.span))
}

fn traversal(attribute: &Attribute, decoder: &mut Decoder<'_>) -> Option<Traversal> {
    if decoder.body.json {
        return decoder.reference(&attribute.expr);
    }
    decoder.compile(&attribute.expr).as_traversal().cloned()
}
