//! Makes a component ready to be placed: what it sets, as far as it is known, and what is wrong with that.

use std::sync::Arc;

use address::{ModulePath, ModulePathStep};
use config::{ComponentBlock, Configuration};
use syntax::{Diagnostics, Ident, suggest};
use value::{Marks, Number, Value};

use crate::candidate::{evaluate, holds};
use crate::error::ComponentError;
use crate::expand;
use crate::inputs::{self, Written};
use crate::known::Known;
use crate::ladder::Ladder;
use crate::place::{Deferred, Run};
use crate::stack;
use crate::types::{ComponentType, Types};

/// A component that is ready to be placed.
pub(crate) struct Ready<'a> {
    pub(crate) path: ModulePath,
    pub(crate) step: ModulePathStep,
    pub(crate) address: String,
    pub(crate) component: ComponentBlock,
    pub(crate) ty: &'a ComponentType,
    pub(crate) written: Written,
    /// The inputs as far as they are known.
    pub(crate) input: Value,
    pub(crate) instances: usize,
    /// Backends that the component itself allows.
    pub(crate) backends: Option<Vec<String>>,
    /// What it tries first, second, and so on.
    pub(crate) ladder: Ladder,
    /// False if a fault was found in it; then no place is looked for.
    pub(crate) sound: bool,
}

/// The top-level blocks that are neither of the language nor of a component type.
pub fn unknown_blocks(configuration: &Configuration, types: &Types) -> Diagnostics {
    let mut found = Diagnostics::new();
    let modules = configuration.modules.values();
    for component in modules.flat_map(|module| &module.components) {
        if types.get(component.type_name.as_str()).is_none() {
            found.push(unknown_block(types, &component.type_name));
        }
    }
    found
}

fn unknown_block(types: &Types, name: &Ident) -> ComponentError {
    const BLOCKS: [&str; 14] = [
        "resource",
        "data",
        "variable",
        "output",
        "locals",
        "module",
        "provider",
        "terraform",
        "moved",
        "removed",
        "import",
        "check",
        "ephemeral",
        "component_type",
    ];
    let types = types.0.keys().map(|name| &**name);
    let near = suggest(name.as_str(), BLOCKS.into_iter().chain(["stack"]).chain(types));
    ComponentError::UnknownBlock {
        name: name.text.to_string(),
        span: name.span,
        suggestion: near.map(|near| format!("did you mean `{near}`?")),
    }
}

impl<'a> Run<'a> {
    pub(crate) fn prepare(
        &mut self,
        path: ModulePath,
        component: ComponentBlock,
    ) -> Option<Ready<'a>> {
        let Some(ty) = self.request.types.get(component.type_name.as_str()) else {
            self.diagnostics.push(unknown_block(self.request.types, &component.type_name));
            return None;
        };
        let Some(step) = expand::step(&component) else {
            self.diagnostics.push(ComponentError::Labels {
                kind: component.type_name.text.to_string(),
                span: component.block.header,
            });
            return None;
        };
        let mut faults = Diagnostics::new();
        let written = inputs::read(&component, ty, &mut faults);
        let known = Known::new(&self.configuration, self.request.inputs, self.request.world);
        let input = input_values(&known, &path, &written, ty, &mut faults);
        let instances = instances(&known, &path, &written);
        let backends = allowed_backends(&known, &path, &written, &mut faults);
        let ladder = read_ladder(&known, &path, &written, &mut faults);
        let address = path.child(step.clone()).to_string();
        self.validate(&address, &component, ty, &written, &input, &mut faults);
        if instances.is_none() {
            let check = "how many instances there are, and whether all of them fit".to_owned();
            self.deferred.push(Deferred { component: address.clone(), check });
        }
        let sound = !faults.has_errors();
        self.diagnostics.extend(faults);
        let instances = instances.unwrap_or(1);
        Some(Ready {
            path,
            step,
            address,
            component,
            ty,
            written,
            input,
            instances,
            backends,
            ladder,
            sound,
        })
    }

    fn validate(
        &mut self,
        address: &str,
        component: &ComponentBlock,
        ty: &ComponentType,
        written: &Written,
        input: &Value,
        faults: &mut Diagnostics,
    ) {
        if faults.has_errors() {
            return;
        }
        for (name, variable) in &ty.inputs {
            for validation in &variable.validations {
                let value = match evaluate(&validation.condition, input, None, self.request.world) {
                    Ok(value) => value,
                    Err(found) => {
                        faults.extend(found);
                        continue;
                    }
                };
                let says =
                    evaluate(&validation.error_message, input, None, self.request.world).ok();
                let says = says
                    .filter(|text| text.marks().is_empty())
                    .and_then(|text| text.as_str().map(str::to_owned))
                    .unwrap_or_else(|| "a check of the type does not hold".to_owned());
                match holds(&value) {
                    Some(true) => {}
                    Some(false) => faults.push(ComponentError::Validation {
                        name: name.to_string(),
                        component: address.to_owned(),
                        message: says,
                        span: written
                            .inputs
                            .get(name)
                            .map_or(component.block.header, lang::Expression::span),
                    }),
                    None => {
                        self.deferred.push(Deferred { component: address.to_owned(), check: says });
                    }
                }
            }
        }
    }
}

/// The inputs as an object, as far as they are known; defaults are filled in.
fn input_values(
    known: &Known<'_>,
    path: &ModulePath,
    written: &Written,
    ty: &ComponentType,
    faults: &mut Diagnostics,
) -> Value {
    let mut entries = Vec::with_capacity(ty.inputs.len());
    for (name, variable) in &ty.inputs {
        let default =
            || variable.default.clone().unwrap_or_else(|| Value::unknown(variable.ty.ty.clone()));
        let given = written.inputs.get(name);
        let value = given.map_or_else(default, |given| known.evaluate(path, given));
        let value = if value.is_null() && !variable.nullable { default() } else { value };
        let value = match variable.ty.accept(value) {
            Ok(value) => value,
            Err(error) => {
                faults.push(ComponentError::InputType {
                    name: name.to_string(),
                    message: error.to_string(),
                    span: given.map_or(variable.span, lang::Expression::span),
                });
                Value::dynamic_unknown()
            }
        };
        let marks = if variable.sensitive { Marks::SENSITIVE } else { Marks::NONE };
        entries.push((Arc::clone(name), value.mark(marks)));
    }
    Value::object(entries)
}

/// How many instances there are; `None` if that is not known yet.
fn instances(known: &Known<'_>, path: &ModulePath, written: &Written) -> Option<usize> {
    if let Some(count) = &written.count {
        return known.evaluate(path, count).as_number().and_then(Number::to_usize);
    }
    match &written.for_each {
        Some(for_each) => known.evaluate(path, for_each).len(),
        None => Some(1),
    }
}

fn read_ladder(
    known: &Known<'_>,
    path: &ModulePath,
    written: &Written,
    faults: &mut Diagnostics,
) -> Ladder {
    let Some(expression) = &written.ladder else { return Ladder::default() };
    Ladder::read(&known.evaluate(path, expression)).unwrap_or_else(|message| {
        faults.push(ComponentError::Setting { message, span: expression.span(), help: None });
        Ladder::default()
    })
}

fn allowed_backends(
    known: &Known<'_>,
    path: &ModulePath,
    written: &Written,
    faults: &mut Diagnostics,
) -> Option<Vec<String>> {
    let expression = written.backend.as_ref()?;
    match stack::names(&known.evaluate(path, expression)) {
        Ok(names) => Some(names),
        Err(message) => {
            faults.push(ComponentError::Setting {
                message: message.to_owned(),
                span: expression.span(),
                help: Some("write `backend = \"local\"`".to_owned()),
            });
            None
        }
    }
}
