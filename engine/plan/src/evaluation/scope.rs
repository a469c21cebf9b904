//! What names mean inside a block of a module instance.

use std::sync::Arc;

use address::{InstanceKey, ModuleKind, ModulePathStep, Resource, ResourceMode};
use lang::{Lookup, Scope, Step};
use syntax::{Diagnostics, Ident, Span, suggest};
use value::Value;

use super::module::{BlockState, CallState, Expansion};
use super::{Evaluation, ModuleId, Repetition, nowhere};

/// Names as seen by one instance of a block.
pub(crate) struct InstanceScope<'a> {
    pub(crate) evaluation: &'a Evaluation,
    pub(crate) module: ModuleId,
    pub(crate) repetition: &'a Repetition,
    pub(crate) self_value: Option<&'a Value>,
}

impl Scope for InstanceScope<'_> {
    fn lookup(&self, root: &Ident, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        match root.as_str() {
            "var" => self.named(steps, span, "variable", &self.state().variables),
            "local" => self.named(steps, span, "local value", &self.state().locals),
            "count" => self.count(steps, span),
            "each" => self.each(steps, span),
            "path" => self.path(steps, span),
            "terraform" => self.terraform(steps, span),
            "self" => match self.self_value {
                Some(value) => Ok(Lookup { value: value.clone(), used: 0 }),
                None => Err(nowhere(
                    "self".into(),
                    span,
                    "`self` means something only in postconditions",
                )),
            },
            "module" => self.call(ModuleKind::Call, root, steps, span),
            "data" => self.prefixed(ResourceMode::Data, root, steps, span),
            "ephemeral" => self.prefixed(ResourceMode::Ephemeral, root, steps, span),
            "resource" => self.prefixed(ResourceMode::Managed, root, steps, span),
            type_name if self.is_component(type_name, steps) => {
                self.call(ModuleKind::Component, root, steps, span)
            }
            _ => self.resource(ResourceMode::Managed, root, steps, 0, span),
        }
    }
}

fn name_of<'a>(step: Option<&Step<'a>>) -> Option<&'a Ident> {
    match step {
        Some(Step::Attribute(name)) => Some(name),
        _ => None,
    }
}

impl InstanceScope<'_> {
    fn state(&self) -> &super::ModuleState {
        self.evaluation.module(self.module)
    }

    /// `data.`, `ephemeral.` or `resource.` stands before a type.
    fn prefixed(
        &self,
        mode: ResourceMode,
        root: &Ident,
        steps: &[Step<'_>],
        span: Span,
    ) -> Result<Lookup, Diagnostics> {
        match steps.first() {
            Some(Step::Attribute(type_name)) => {
                self.resource(mode, type_name, &steps[1..], 1, span)
            }
            _ => Err(nowhere(root.text.to_string(), span, "a type and a name must follow")),
        }
    }

    fn named(
        &self,
        steps: &[Step<'_>],
        span: Span,
        kind: &str,
        values: &std::collections::BTreeMap<Arc<str>, Value>,
    ) -> Result<Lookup, Diagnostics> {
        let Some(name) = name_of(steps.first()) else {
            return Err(nowhere(kind.to_owned(), span, "a name must follow"));
        };
        // What failed to evaluate has been reported where it failed.
        let value = values.get(&name.text).cloned().unwrap_or_else(Value::dynamic_unknown);
        Ok(Lookup { value, used: 1 })
    }

    fn count(&self, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        if self.evaluation.checking {
            return Ok(Lookup { value: Value::unknown(value::Type::Number), used: 1 });
        }
        match (name_of(steps.first()).map(Ident::as_str), &self.repetition.key) {
            (Some("index"), InstanceKey::Int(index)) => {
                Ok(Lookup { value: Value::from(*index), used: 1 })
            }
            (Some("index"), _) => {
                Err(nowhere("count.index".into(), span, "this block has no `count`"))
            }
            _ => Err(nowhere("count".into(), span, "only `count.index` exists")),
        }
    }

    fn each(&self, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        if self.evaluation.checking {
            let key = name_of(steps.first()).is_some_and(|name| name.as_str() == "key");
            let value =
                if key { Value::unknown(value::Type::String) } else { Value::dynamic_unknown() };
            return Ok(Lookup { value, used: 1 });
        }
        let InstanceKey::String(key) = &self.repetition.key else {
            return Err(nowhere("each".into(), span, "this block has no `for_each`"));
        };
        match name_of(steps.first()).map(Ident::as_str) {
            Some("key") => Ok(Lookup { value: Value::string(Arc::clone(key)), used: 1 }),
            Some("value") => {
                let value = self.repetition.value.clone().unwrap_or_else(Value::dynamic_unknown);
                Ok(Lookup { value, used: 1 })
            }
            _ => Err(nowhere("each".into(), span, "only `each.key` and `each.value` exist")),
        }
    }

    fn path(&self, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        let shown = |path: &std::path::Path| {
            let text = path.to_string_lossy();
            Value::from(if text.is_empty() { ".".to_owned() } else { text.into_owned() })
        };
        let value = match name_of(steps.first()).map(Ident::as_str) {
            Some("module") => shown(&self.state().module.dir),
            Some("root") => shown(&self.evaluation.module(super::ROOT).module.dir),
            Some("cwd") => shown(&self.evaluation.world.working_dir()),
            _ => {
                return Err(nowhere(
                    "path".into(),
                    span,
                    "only `path.module`, `path.root` and `path.cwd` exist",
                ));
            }
        };
        Ok(Lookup { value, used: 1 })
    }

    fn terraform(&self, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        match name_of(steps.first()).map(Ident::as_str) {
            Some("workspace") => {
                Ok(Lookup { value: Value::string(Arc::clone(&self.evaluation.workspace)), used: 1 })
            }
            Some("applying") => Ok(Lookup {
                value: Value::bool(self.evaluation.phase == lang::Phase::Apply)
                    .mark(value::Marks::EPHEMERAL),
                used: 1,
            }),
            _ => Err(nowhere(
                "terraform".into(),
                span,
                "only `terraform.workspace` and `terraform.applying` exist",
            )),
        }
    }

    fn is_component(&self, type_name: &str, steps: &[Step<'_>]) -> bool {
        name_of(steps.first()).is_some_and(|name| {
            self.state().calls.keys().any(|step| {
                step.kind == ModuleKind::Component
                    && &*step.type_name == type_name
                    && step.name == name.text
            })
        })
    }

    fn resource(
        &self,
        mode: ResourceMode,
        type_name: &Ident,
        steps: &[Step<'_>],
        used: usize,
        span: Span,
    ) -> Result<Lookup, Diagnostics> {
        let Some(name) = name_of(steps.first()) else {
            return Err(nowhere(
                type_name.text.to_string(),
                span,
                "a resource's name must follow its type",
            ));
        };
        let resource =
            Resource { mode, type_name: Arc::clone(&type_name.text), name: Arc::clone(&name.text) };
        let Some(block) = self.state().resources.get(&resource) else {
            let near: Vec<String> =
                self.state().resources.keys().map(ToString::to_string).collect();
            let near = suggest(&resource.to_string(), near.iter().map(String::as_str));
            let reason = near.map_or_else(
                || "not declared in this module".to_owned(),
                |near| format!("not declared in this module; did you mean `{near}`?"),
            );
            return Err(nowhere(resource.to_string(), span, reason));
        };
        let used = used + 1;
        match (&block.expansion, steps.get(1)) {
            (Some(Expansion::Single), _) => {
                Ok(Lookup { value: instance(block, &InstanceKey::None), used })
            }
            (Some(expansion), Some(Step::Index(index, _))) => match key_of(index) {
                Some(key) if expansion.has(&key) => {
                    Ok(Lookup { value: instance(block, &key).mark(index.marks()), used: used + 1 })
                }
                Some(key) => Err(nowhere(
                    format!("{resource}{key}"),
                    span,
                    format!("there is no instance with this key; {}", describe(expansion)),
                )),
                None => Ok(Lookup { value: whole_block(block, expansion), used }),
            },
            (Some(expansion), _) => Ok(Lookup { value: whole_block(block, expansion), used }),
            (None, _) => Ok(Lookup { value: Value::dynamic_unknown(), used }),
        }
    }

    fn call(
        &self,
        kind: ModuleKind,
        root: &Ident,
        steps: &[Step<'_>],
        span: Span,
    ) -> Result<Lookup, Diagnostics> {
        let Some(name) = name_of(steps.first()) else {
            return Err(nowhere(root.text.to_string(), span, "a name must follow"));
        };
        let step = ModulePathStep {
            kind,
            type_name: Arc::clone(&root.text),
            name: Arc::clone(&name.text),
        };
        let Some(call) = self.state().calls.get(&step) else {
            return Err(nowhere(format!("{root}.{name}"), span, "not declared in this module"));
        };
        let Some(expansion) = &call.expansion else {
            return Ok(Lookup { value: self.unknown_call(&step), used: 1 });
        };
        let (key, used, marks) = match (expansion, steps.get(1)) {
            (Expansion::Single, _) => (InstanceKey::None, 1, value::Marks::NONE),
            (_, Some(Step::Index(index, _))) => match key_of(index) {
                Some(key) => (key, 2, index.marks()),
                None => return Ok(Lookup { value: self.whole_call(call, expansion), used: 1 }),
            },
            _ => return Ok(Lookup { value: self.whole_call(call, expansion), used: 1 }),
        };
        let Some(child) = call.children.get(&key) else {
            return Err(nowhere(
                format!("{root}.{name}{key}"),
                span,
                format!("there is no instance with this key; {}", describe(expansion)),
            ));
        };
        let child = self.evaluation.module(*child);
        if let Some(output) = name_of(steps.get(used)) {
            if let Some(value) = child.outputs.get(&output.text) {
                return Ok(Lookup { value: value.clone().mark(marks), used: used + 1 });
            }
            if child.module.outputs.contains_key(&output.text) {
                return Ok(Lookup { value: Value::dynamic_unknown(), used: used + 1 });
            }
            let near = suggest(&output.text, child.module.outputs.keys().map(|name| &**name));
            let reason = near.map_or_else(
                || "the module has no such output".to_owned(),
                |near| format!("the module has no such output; did you mean `{near}`?"),
            );
            return Err(nowhere(format!("{root}.{name}.{output}"), span, reason));
        }
        Ok(Lookup { value: outputs(child).mark(marks), used })
    }

    /// What is known of a call before it is expanded: which outputs it has.
    fn unknown_call(&self, step: &ModulePathStep) -> Value {
        let parent = &self.state().module;
        let child = self.evaluation.config.modules.get(&parent.path.child(step.clone()));
        let (Some(child), Some(call)) = (child, parent.calls.get(step)) else {
            return Value::dynamic_unknown();
        };
        let outputs = child.outputs.keys().map(|name| (Arc::clone(name), value::Type::Dynamic));
        let one = value::Type::object(outputs);
        Value::unknown(match (&call.count, &call.for_each) {
            (Some(_), _) => value::Type::list(one),
            (_, Some(_)) => value::Type::map(one),
            _ => one,
        })
    }

    fn whole_call(&self, call: &CallState, expansion: &Expansion) -> Value {
        let build = || {
            let child = |key: &InstanceKey| {
                call.children
                    .get(key)
                    .map_or_else(Value::dynamic_unknown, |id| outputs(self.evaluation.module(*id)))
            };
            collect(expansion, child)
        };
        call.whole.get_or_init(build).clone()
    }
}

fn outputs(child: &super::ModuleState) -> Value {
    Value::object(child.module.outputs.keys().map(|name| {
        (Arc::clone(name), child.outputs.get(name).cloned().unwrap_or_else(Value::dynamic_unknown))
    }))
}

fn instance(block: &BlockState, key: &InstanceKey) -> Value {
    block.instances.get(key).cloned().unwrap_or_else(Value::dynamic_unknown)
}

fn whole_block(block: &BlockState, expansion: &Expansion) -> Value {
    block.whole.get_or_init(|| collect(expansion, |key| instance(block, key))).clone()
}

/// A tuple for `count`, an object for `for_each`.
fn collect(expansion: &Expansion, element: impl Fn(&InstanceKey) -> Value) -> Value {
    match expansion {
        Expansion::Single => element(&InstanceKey::None),
        Expansion::Count(count) => Value::tuple(
            (0..*count)
                .map(|index| element(&InstanceKey::Int(i64::try_from(index).unwrap_or(i64::MAX))))
                .collect(),
        ),
        Expansion::ForEach(elements) => Value::object(
            elements
                .keys()
                .map(|key| (Arc::clone(key), element(&InstanceKey::String(Arc::clone(key))))),
        ),
    }
}

/// The instance key that a known index value stands for.
pub(super) fn key_of(index: &Value) -> Option<InstanceKey> {
    if let Some(text) = index.as_arc_str() {
        return Some(InstanceKey::String(Arc::clone(text)));
    }
    index.as_number()?.to_i64().map(InstanceKey::Int)
}

fn describe(expansion: &Expansion) -> String {
    match expansion {
        Expansion::Single => "it has neither `count` nor `for_each`".to_owned(),
        Expansion::Count(0) => "`count` is 0".to_owned(),
        Expansion::Count(count) => format!("`count` gives keys from 0 to {}", count - 1),
        Expansion::ForEach(elements) => {
            let mut keys: Vec<String> =
                elements.keys().take(5).map(|key| format!("\"{key}\"")).collect();
            if elements.len() > 5 {
                keys.push("…".to_owned());
            }
            format!(
                "`for_each` gives {}",
                if keys.is_empty() { "no keys".to_owned() } else { keys.join(", ") }
            )
        }
    }
}
