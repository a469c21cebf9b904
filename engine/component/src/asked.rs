//! What a component's type and implementation ask of its inputs, to be asked again once more of them are known.
//!
//! While components are placed, what resources and other components give is unknown. Checks of it wait; apply has the
//! values, and decides them here before it makes what depends on them.

use std::sync::Arc;

use config::{Condition, Variable};
use indexmap::IndexMap;
use lang::{Expression, World};
use syntax::{Diagnostics, Span};
use value::{Marks, Value};

use crate::candidate::{self, evaluate, holds};
use crate::choose::Choice;
use crate::error::ComponentError;
use crate::ready::Ready;
use crate::types::{Implementation, Requirement};

/// The inputs of a component as they are written, and what is asked of them.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    inputs: Arc<IndexMap<Arc<str>, Input>>,
    requires: Arc<Vec<Requirement>>,
    /// The offer that was chosen, as conditions see it.
    offer: Option<Value>,
    header: Option<Span>,
}

#[derive(Debug, Clone)]
struct Input {
    declared: Variable,
    written: Option<Expression>,
}

/// What a second look at a component has found.
#[derive(Debug, Default)]
pub struct Again {
    /// What does not hold.
    pub found: Diagnostics,
    /// What is still not known, in words.
    pub waits: Vec<String>,
}

impl Asked {
    pub(crate) fn of(
        one: &Ready<'_>,
        implementation: &Implementation,
        choice: Option<&Choice<'_>>,
    ) -> Self {
        let inputs = one.ty.inputs.iter().map(|(name, declared)| {
            let written = one.written.inputs.get(name).cloned();
            (Arc::clone(name), Input { declared: declared.clone(), written })
        });
        Self {
            inputs: Arc::new(inputs.collect()),
            requires: Arc::new(implementation.requires.clone()),
            offer: choice.map(|choice| candidate::offer_value(choice.candidate.offer)),
            header: Some(one.component.block.header),
        }
    }

    /// The inputs as they are by now. `ask` evaluates expressions of the component's block; `None` stands for what
    /// cannot be evaluated yet. What was known before stays what it was.
    #[must_use]
    pub fn inputs(
        &self,
        before: &Value,
        ask: impl FnOnce(&[&Expression]) -> Vec<Option<Value>>,
    ) -> Value {
        let open: Vec<(&Arc<str>, &Input, &Expression)> = self
            .inputs
            .iter()
            .filter(|(name, _)| !before.get_attr(name).is_some_and(Value::is_wholly_known))
            .filter_map(|(name, input)| Some((name, input, input.written.as_ref()?)))
            .collect();
        let expressions: Vec<&Expression> = open.iter().map(|(_, _, written)| *written).collect();
        if expressions.is_empty() {
            return before.clone();
        }
        let mut now = before.clone();
        for ((name, input, _), value) in open.into_iter().zip(ask(&expressions)) {
            let Some(value) = value else { continue };
            let value = match &input.declared.default {
                Some(default) if value.is_null() && !input.declared.nullable => default.clone(),
                _ => value,
            };
            // A value of another type is the plan's to complain of.
            if let Ok(value) = input.declared.ty.accept(value) {
                let marks = if input.declared.sensitive { Marks::SENSITIVE } else { Marks::NONE };
                now = now.with_attr(name, value.mark(marks));
            }
        }
        now
    }

    /// Decides what could not be decided with the inputs of before and can be with those of now.
    #[must_use]
    pub fn again(&self, address: &str, before: &Value, now: &Value, world: &dyn World) -> Again {
        let mut again = Again::default();
        for (name, input) in &*self.inputs {
            for validation in &input.declared.validations {
                let Condition { condition, error_message, .. } = validation;
                let says = Some(error_message);
                let held = |inputs: &Value| self.held(condition, inputs, false, world);
                let (Some(None), now_held) = (held(before), held(now)) else { continue };
                let message =
                    self.says(says, now, false, "a check of the type does not hold", world);
                match now_held {
                    Some(None) | None => again.waits.push(message),
                    Some(Some(true)) => {}
                    Some(Some(false)) => again.found.push(ComponentError::Validation {
                        name: name.to_string(),
                        component: address.to_owned(),
                        message,
                        span: self.place(input),
                    }),
                }
            }
        }
        for requirement in &*self.requires {
            let held = |inputs: &Value| self.held(&requirement.condition, inputs, true, world);
            let (Some(None), now_held) = (held(before), held(now)) else { continue };
            let fallback = "a requirement of its type does not hold";
            let message = self.says(requirement.message.as_ref(), now, true, fallback, world);
            match now_held {
                Some(None) | None => again.waits.push(message),
                Some(Some(true)) => {}
                Some(Some(false)) => again.found.push(ComponentError::FitsNoMore {
                    component: address.to_owned(),
                    message,
                    span: self.header.unwrap_or_default(),
                }),
            }
        }
        again
    }

    fn place(&self, input: &Input) -> Span {
        input.written.as_ref().map_or(self.header.unwrap_or_default(), Expression::span)
    }

    /// `None` where it cannot be evaluated, `Some(None)` where that is not known yet.
    fn held(
        &self,
        condition: &Expression,
        inputs: &Value,
        with_offer: bool,
        world: &dyn World,
    ) -> Option<Option<bool>> {
        let offer = self.offer.as_ref().filter(|_| with_offer);
        evaluate(condition, inputs, offer, world).ok().map(|value| holds(&value))
    }

    fn says(
        &self,
        message: Option<&Expression>,
        inputs: &Value,
        with_offer: bool,
        fallback: &str,
        world: &dyn World,
    ) -> String {
        let offer = self.offer.as_ref().filter(|_| with_offer);
        let value = message.and_then(|message| evaluate(message, inputs, offer, world).ok());
        let text = value.filter(|value| value.marks().is_empty());
        text.and_then(|text| text.as_str().map(str::to_owned))
            .unwrap_or_else(|| fallback.to_owned())
    }
}
