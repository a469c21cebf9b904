//! What can be known of values before anything is planned: variables, locals, inputs of module calls.
//!
//! What resources, data sources and other components give is unknown here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use address::ModulePath;
use config::Configuration;
use lang::{Context, Expression, Lookup, Phase, Scope, Step, World};
use syntax::{Diagnostics, Ident, Span};
use value::Value;

/// The static view of a configuration.
pub struct Known<'a> {
    configuration: &'a Configuration,
    /// Values of root variables.
    inputs: &'a BTreeMap<Arc<str>, Value>,
    world: &'a dyn World,
    /// Values of locals and variables; what is being worked out stands as unknown, which ends cycles.
    memo: RefCell<BTreeMap<(ModulePath, Arc<str>), Value>>,
}

impl<'a> Known<'a> {
    /// A view with these values of root variables.
    pub fn new(
        configuration: &'a Configuration,
        inputs: &'a BTreeMap<Arc<str>, Value>,
        world: &'a dyn World,
    ) -> Self {
        Self { configuration, inputs, world, memo: RefCell::default() }
    }

    /// The value of an expression of a module as far as it is known. Faults count as unknown here: planning finds
    /// them again, with everything at hand.
    pub fn evaluate(&self, path: &ModulePath, expression: &Expression) -> Value {
        let scope = ModuleScope { known: self, path };
        let dir = self
            .configuration
            .modules
            .get(path)
            .map(|module| module.dir.clone())
            .unwrap_or_default();
        let ctx = Context {
            scope: &scope,
            world: self.world,
            phase: Phase::Plan,
            module_dir: &dir,
            functions: None,
        };
        expression.evaluate(&ctx).unwrap_or_else(|_| Value::dynamic_unknown())
    }

    fn remembered(&self, path: &ModulePath, name: String, work: impl FnOnce() -> Value) -> Value {
        let key = (path.clone(), Arc::from(name));
        if let Some(value) = self.memo.borrow().get(&key) {
            return value.clone();
        }
        self.memo.borrow_mut().insert(key.clone(), Value::dynamic_unknown());
        let value = work();
        self.memo.borrow_mut().insert(key, value.clone());
        value
    }

    fn variable(&self, path: &ModulePath, name: &str) -> Value {
        let Some(variable) =
            self.configuration.modules.get(path).and_then(|module| module.variables.get(name))
        else {
            return Value::dynamic_unknown();
        };
        let given = match path.parent() {
            None => self.inputs.get(name).cloned(),
            Some(parent) => {
                let step = path.steps().last();
                let caller = self.configuration.modules.get(&parent);
                let call = caller.zip(step).and_then(|(caller, step)| caller.calls.get(step));
                call.and_then(|call| call.inputs.get(name))
                    .map(|input| self.evaluate(&parent, input))
            }
        };
        let fallback = || variable.default.clone().unwrap_or_else(Value::dynamic_unknown);
        let value = given.unwrap_or_else(fallback);
        variable.ty.accept(value).unwrap_or_else(|_| Value::dynamic_unknown())
    }

    fn local(&self, path: &ModulePath, name: &str) -> Value {
        let local = self.configuration.modules.get(path).and_then(|module| module.locals.get(name));
        local.map_or_else(Value::dynamic_unknown, |local| self.evaluate(path, &local.value))
    }
}

/// The names of one module.
struct ModuleScope<'a> {
    known: &'a Known<'a>,
    path: &'a ModulePath,
}

impl Scope for ModuleScope<'_> {
    fn lookup(&self, root: &Ident, steps: &[Step<'_>], _: Span) -> Result<Lookup, Diagnostics> {
        let Some(Step::Attribute(name)) = steps.first() else {
            return Ok(Lookup { value: Value::dynamic_unknown(), used: steps.len() });
        };
        let (known, path) = (self.known, self.path);
        let dir = |path: &ModulePath| {
            let module = known.configuration.modules.get(path);
            module.map_or_else(Value::dynamic_unknown, |module| shown_dir(&module.dir))
        };
        let value = match (root.as_str(), name.as_str()) {
            ("var", name) => {
                known.remembered(path, format!("var.{name}"), || known.variable(path, name))
            }
            ("local", name) => {
                known.remembered(path, format!("local.{name}"), || known.local(path, name))
            }
            ("path", "module") => dir(path),
            ("path", "root") => dir(&ModulePath::root()),
            ("path", "cwd") => {
                Value::string(known.world.working_dir().to_string_lossy().into_owned())
            }
            _ => return Ok(Lookup { value: Value::dynamic_unknown(), used: steps.len() }),
        };
        Ok(Lookup { value, used: 1 })
    }
}

fn shown_dir(dir: &std::path::Path) -> Value {
    let text = dir.to_string_lossy().into_owned();
    Value::string(if text.is_empty() { ".".to_owned() } else { text })
}
