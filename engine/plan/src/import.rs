//! `import` blocks: which objects come into the state, and where.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{InstanceKey, ResourceInstance};
use config::Import;
use lang::{Traversal, TraversalStep};
use syntax::{Diagnostics, Span};
use value::{Marks, Type, Value, convert};

use crate::error::PlanError;
use crate::evaluation::{Evaluation, Expansion, ModuleId, ROOT, Repetition};
use crate::walk::for_each_expansion;

/// An object that is to be imported.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Its id at the provider; unknown until something else is applied.
    pub(crate) id: Option<String>,
    /// The block.
    pub(crate) span: Span,
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
        let id = id_of(&id, import.id.span(), true)?;
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

/// The id as text; `None` while it is unknown, where that is allowed.
pub(crate) fn id_of(
    value: &Value,
    span: Span,
    must_be_known: bool,
) -> Result<Option<String>, Diagnostics> {
    let fault = |message: &str, help: &str| -> Diagnostics {
        PlanError::UnsuitableValue {
            what: "id",
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
        Some(text) => Ok(Some(text.to_owned())),
    }
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
