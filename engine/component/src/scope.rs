//! Names as placement sees them: what is known before anything is planned.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use config::Module;
use lang::{Context, Expression, Lookup, Phase, Scope, Step, World};
use syntax::{Diagnostics, Ident, Span};
use value::Value;

/// The root module's variables and locals; everything else is unknown.
pub(crate) struct StaticScope<'a> {
    pub(crate) module: &'a Module,
    pub(crate) variables: &'a BTreeMap<Arc<str>, Value>,
    pub(crate) world: &'a dyn World,
    /// Locals that have been evaluated, or are being evaluated: those count as unknown.
    locals: Mutex<BTreeMap<Arc<str>, Value>>,
}

impl<'a> StaticScope<'a> {
    pub(crate) fn new(
        module: &'a Module,
        variables: &'a BTreeMap<Arc<str>, Value>,
        world: &'a dyn World,
    ) -> Self {
        Self { module, variables, world, locals: Mutex::default() }
    }

    fn local(&self, name: &Arc<str>) -> Value {
        let known = |name: &Arc<str>| {
            self.locals.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
        };
        if let Some(value) = known(name) {
            return value;
        }
        let note = |value: Value| {
            self.locals
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(Arc::clone(name), value);
        };
        note(Value::dynamic_unknown());
        let Some(local) = self.module.locals.get(name) else { return Value::dynamic_unknown() };
        // A fault in it is reported when the walk evaluates it.
        let value =
            evaluate(self, self.world, &local.value).unwrap_or_else(|_| Value::dynamic_unknown());
        note(value.clone());
        value
    }
}

impl Scope for StaticScope<'_> {
    fn lookup(&self, root: &Ident, steps: &[Step<'_>], _: Span) -> Result<Lookup, Diagnostics> {
        let value = match (root.as_str(), steps.first()) {
            ("var", Some(Step::Attribute(name))) => {
                let given = self.variables.get(&name.text).cloned();
                let default =
                    || self.module.variables.get(&name.text).and_then(|v| v.default.clone());
                given.or_else(default).unwrap_or_else(Value::dynamic_unknown)
            }
            ("local", Some(Step::Attribute(name))) => self.local(&name.text),
            _ => return Ok(Lookup { value: Value::dynamic_unknown(), used: steps.len() }),
        };
        Ok(Lookup { value, used: 1 })
    }
}

/// `offer` and `input`, as `requires`, `offer` and `demand` of an implementation see them.
pub(crate) struct OfferScope<'a> {
    pub(crate) offer: Option<&'a Value>,
    pub(crate) input: &'a Value,
}

impl Scope for OfferScope<'_> {
    fn lookup(&self, root: &Ident, _: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        match (root.as_str(), self.offer) {
            ("offer", Some(offer)) => Ok(Lookup { value: offer.clone(), used: 0 }),
            ("input", _) => Ok(Lookup { value: self.input.clone(), used: 0 }),
            _ => lang::NoNames.lookup(root, &[], span),
        }
    }
}

pub(crate) fn evaluate(
    scope: &dyn Scope,
    world: &dyn World,
    expression: &Expression,
) -> Result<Value, Diagnostics> {
    expression.evaluate(&Context {
        scope,
        world,
        phase: Phase::Plan,
        module_dir: std::path::Path::new("."),
        functions: None,
    })
}
