//! `import` blocks: which objects come into the state, and where.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{AbsResource, ConfigResource, InstanceKey, Resource, ResourceInstance, ResourceMode};
use config::{Configuration, Import, Module, ProviderName};
use lang::{Expression, Traversal, TraversalStep};
use sdk::ImportKey;
use syntax::{Diagnostics, Span};
use value::{Marks, Type, Value, convert};

use crate::Request;
use crate::error::PlanError;
use crate::evaluation::{Evaluation, Expansion, ModuleId, ROOT, Repetition};
use crate::moved::Records;
use crate::prepare::Needs;
use crate::walk::for_each_expansion;

/// An object that is to be imported.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Its id at the provider, as far as that could be told before anything was looked at.
    pub(crate) id: Id,
    /// The block.
    pub(crate) span: Span,
}

/// The id of an object.
#[derive(Debug, Clone)]
pub(crate) enum Id {
    Known(ImportKey),
    /// What it is made from is known by the walk, for one element of the block's `for_each`; whether it is an identity.
    Later(Expression, Repetition, bool),
}

impl Wanted {
    /// What must be known before the id is, by the names of the root module.
    pub(crate) fn needs(&self, root: &Module) -> Option<Needs> {
        match &self.id {
            Id::Known(_) => None,
            Id::Later(expression, ..) => Some(Needs::of(root, expression.references())),
        }
    }

    /// The id, when all that it is made from has been planned.
    pub(crate) fn id_now(&self, evaluation: &Evaluation) -> Result<ImportKey, Diagnostics> {
        match &self.id {
            Id::Known(id) => Ok(id.clone()),
            Id::Later(expression, repetition, by_identity) => {
                let value = evaluation.evaluate(ROOT, repetition, expression)?;
                let key = key_of(&value, expression.span(), *by_identity, true)?;
                Ok(key.unwrap_or_else(|| ImportKey::Id(String::new())))
            }
        }
    }
}

/// The objects that the root module's `import` blocks name. The names that they refer to have values by now.
pub(crate) fn wanted(
    evaluation: &mut Evaluation,
) -> Result<BTreeMap<ResourceInstance, Wanted>, Diagnostics> {
    let root = Arc::clone(&evaluation.module(ROOT).module);
    let mut found = BTreeMap::new();
    let mut diagnostics = Diagnostics::new();
    for import in &root.imports {
        let references: Vec<Traversal> = references(import).cloned().collect();
        if let Err(errors) = evaluation.demand(ROOT, &references) {
            diagnostics.extend(errors);
            continue;
        }
        match expand(evaluation, import) {
            Ok(objects) => {
                for (address, wanted) in objects {
                    if let Some(first) = found.insert(address.clone(), wanted) {
                        diagnostics.push(config::RuleError::ImportTwice {
                            address: address.to_string(),
                            first: first.span,
                            second: import.span,
                        });
                    }
                }
            }
            Err(errors) => diagnostics.extend(errors),
        }
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(found) }
}

/// An object that is to be imported to the root module as that of a resource which is not written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritten {
    /// Where to; without a key.
    pub address: ResourceInstance,
    /// Its id at the provider.
    pub id: String,
    /// The provider configuration that the `import` block names.
    pub provider: Option<ProviderName>,
}

/// What the `import` blocks of a configuration bring in without a block for it. Instances of blocks with `count` or
/// `for_each` cannot be among them.
///
/// # Errors
///
/// What is wrong with the `import` blocks, or with the configuration around them.
pub async fn unwritten(request: &Request<'_>) -> Result<Vec<Unwritten>, Diagnostics> {
    let mut evaluation = crate::settings(request).await?;
    let found = wanted(&mut evaluation)?;
    let root = evaluation.module(ROOT).module.clone();
    let provider_of =
        |span: Span| root.imports.iter().find(|one| one.span == span)?.provider_name.clone();
    let missing = |address: &ResourceInstance| {
        address.module.is_root()
            && address.key == InstanceKey::None
            && !root.resources.contains_key(&address.resource)
    };
    let found = found.into_iter().filter(|(address, _)| missing(address));
    Ok(found
        .filter_map(|(address, wanted)| {
            let Id::Known(ImportKey::Id(id)) = wanted.id else { return None };
            Some(Unwritten { address, id, provider: provider_of(wanted.span) })
        })
        .collect())
}

/// What is wrong with blocks even if they need not be filled in yet: an object may be imported before its block says
/// what it is like.
pub(crate) fn tolerated(found: Diagnostics) -> Diagnostics {
    let mut kept = Diagnostics::new();
    for one in found {
        let code = one.code().map(|code| code.to_string()).unwrap_or_default();
        if code != "stratiform::plan::missing_argument" && code != "stratiform::plan::block_count" {
            kept.push_boxed(one);
        }
    }
    kept
}

/// Objects that a command names. Each must lead to a configured resource that has no object yet; whether it has such
/// an instance is known later.
pub(crate) fn asked_for(
    configuration: &Configuration,
    records: &Records,
    imports: &[(ResourceInstance, String)],
) -> Result<BTreeMap<ResourceInstance, Wanted>, Diagnostics> {
    let mut found = BTreeMap::new();
    let mut diagnostics = Diagnostics::new();
    for (address, id) in imports {
        let mut wrong = |reason: &str, help: String| {
            let (address, reason) = (address.to_string(), reason.to_owned());
            diagnostics.push(PlanError::ImportTarget { address, reason, help });
        };
        let Resource { mode, type_name, name } = &address.resource;
        let module = configuration.modules.get(&address.module.module());
        if *mode != ResourceMode::Managed {
            wrong(
                "it is not a managed resource",
                "data sources are read anew by every plan, and need no import".to_owned(),
            );
        } else if module.is_none() {
            let help = "add the `module` block first".to_owned();
            wrong("its module is not in the configuration", help);
        } else if module.is_some_and(|module| !module.resources.contains_key(&address.resource)) {
            let place = match address.module.is_root() {
                true => "the root module".to_owned(),
                false => address.module.module().to_string(),
            };
            let help = format!(
                "write it in {place} first, if only as `resource \"{type_name}\" \"{name}\" {{}}`"
            );
            wrong("it is not in the configuration", help);
        } else if records.get(address).is_some_and(|(record, _)| record.current.is_some()) {
            let help = format!(
                "it stays what it is; `state rm {address}` makes room, and leaves the object alone"
            );
            wrong("it has an object already", help);
        }
        let id = Id::Known(ImportKey::Id(id.clone()));
        found.insert(address.clone(), Wanted { id, span: Span::default() });
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(found) }
}

/// Everything that an import refers to.
pub(crate) fn references(import: &Import) -> impl Iterator<Item = &Traversal> {
    let indices = import.to.steps.iter().filter_map(|step| match step {
        TraversalStep::Dynamic(index, _) => Some(index),
        _ => None,
    });
    let expressions = indices.chain(&import.for_each).chain([&import.id]);
    expressions.flat_map(|expression| expression.references())
}

fn expand(
    evaluation: &Evaluation,
    import: &Import,
) -> Result<Vec<(ResourceInstance, Wanted)>, Diagnostics> {
    let repetitions = match &import.for_each {
        None => vec![Repetition::single()],
        Some(for_each) => {
            let value = evaluation.evaluate(ROOT, &Repetition::single(), for_each)?;
            let value = listed(value);
            let expansion = for_each_expansion(&value, for_each.span(), "import")?;
            debug_assert!(!matches!(expansion, Expansion::Single), "`for_each` gives keys");
            expansion.repetitions()
        }
    };
    let mut found = Vec::new();
    for repetition in repetitions {
        let address = address(evaluation, ROOT, &repetition, &import.to)?;
        let id = evaluation.evaluate(ROOT, &repetition, &import.id)?;
        let id = match key_of(&id, import.id.span(), import.by_identity, false)? {
            Some(id) => Id::Known(id),
            None => Id::Later(import.id.clone(), repetition, import.by_identity),
        };
        found.push((address, Wanted { id, span: import.span }));
    }
    Ok(found)
}

/// A list or tuple counts as its elements under their positions.
fn listed(value: Value) -> Value {
    match (value.ty(), value.items()) {
        (Type::Tuple(_) | Type::List(_), Some(items)) if value.marks().is_empty() => {
            Value::object(items.iter().enumerate().map(|(at, item)| (at.to_string(), item.clone())))
        }
        _ => value,
    }
}

/// What names the object; `None` while it is unknown, where that is allowed.
pub(crate) fn key_of(
    value: &Value,
    span: Span,
    by_identity: bool,
    must_be_known: bool,
) -> Result<Option<ImportKey>, Diagnostics> {
    let fault = |message: &str, help: &str| -> Diagnostics {
        PlanError::UnsuitableValue {
            what: if by_identity { "identity" } else { "id" },
            address: "import".to_owned(),
            message: message.to_owned(),
            span,
            help: Some(help.to_owned()),
        }
        .into()
    };
    if value.deep_marks().contains(Marks::SENSITIVE) {
        return Err(fault(
            "is sensitive, but the plan shows ids",
            "wrap it in `nonsensitive(…)` if it may be shown",
        ));
    }
    if value.deep_marks().contains(Marks::EPHEMERAL) {
        return Err(fault(
            "is ephemeral, but the plan stores ids",
            "use a value that may be stored",
        ));
    }
    if by_identity {
        if !value.is_wholly_known() {
            return if must_be_known {
                Err(fault(
                    "is known only after apply",
                    "use values that are known now, or apply what they depend on first",
                ))
            } else {
                Ok(None)
            };
        }
        return if value.is_null() || value.entries().is_none() {
            Err(fault("is no object", "write `{ … }` with the attributes of the type's identity"))
        } else {
            Ok(Some(ImportKey::Identity(value.clone())))
        };
    }
    let text = convert(value, &Type::String)
        .map_err(|_| fault("is no text", "write the id that the provider gave to the object"))?;
    if text.is_unknown() {
        return if must_be_known {
            Err(fault(
                "is known only after apply",
                "use an id that is known now, or apply what it depends on first",
            ))
        } else {
            Ok(None)
        };
    }
    match text.as_str() {
        None => Err(fault("is null", "write the id that the provider gave to the object")),
        Some("") => Err(fault("is empty", "write the id that the provider gave to the object")),
        Some(text) => Ok(Some(ImportKey::Id(text.to_owned()))),
    }
}

/// The block that an import leads to, whatever its keys are.
pub(crate) fn block_of(import: &Import) -> Option<ConfigResource> {
    let names: Vec<&str> = [import.to.root.as_str()]
        .into_iter()
        .chain(import.to.steps.iter().filter_map(|step| match step {
            TraversalStep::Attribute(name) => Some(name.as_str()),
            _ => None,
        }))
        .collect();
    let block: AbsResource = names.join(".").parse().ok()?;
    Some(block.config())
}

/// The instance that `to` names for one element.
fn address(
    evaluation: &Evaluation,
    module: ModuleId,
    repetition: &Repetition,
    to: &Traversal,
) -> Result<ResourceInstance, Diagnostics> {
    let mut text = to.root.text.to_string();
    for step in &to.steps {
        match step {
            TraversalStep::Attribute(name) => {
                text.push('.');
                text.push_str(&name.text);
            }
            TraversalStep::Index(index, _) => text.push_str(&key(index).to_string()),
            TraversalStep::Dynamic(index, span) => {
                let value = evaluation.evaluate(module, repetition, index)?;
                if value.is_unknown() || !value.marks().is_empty() {
                    return Err(PlanError::UnsuitableValue {
                        what: "index",
                        address: "import".to_owned(),
                        message: "must be known, and may be neither sensitive nor ephemeral"
                            .to_owned(),
                        span: *span,
                        help: None,
                    }
                    .into());
                }
                text.push_str(&key(&value).to_string());
            }
            TraversalStep::Splat(_) => text.push_str("[*]"),
        }
    }
    text.parse().map_err(|_| {
        PlanError::UnsuitableValue {
            what: "`to`",
            address: "import".to_owned(),
            message: format!("must be the address of one resource instance, but is `{text}`"),
            span: to.span,
            help: Some(
                "write `TYPE.NAME`, with `[…]` where the block has several instances".to_owned(),
            ),
        }
        .into()
    })
}

fn key(value: &Value) -> InstanceKey {
    match (value.as_arc_str(), value.as_number().and_then(|number| number.to_i64())) {
        (Some(text), _) => InstanceKey::String(Arc::clone(text)),
        (None, Some(index)) => InstanceKey::Int(index),
        (None, None) => InstanceKey::None,
    }
}
