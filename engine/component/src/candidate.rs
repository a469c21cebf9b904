//! Judges one implementation on one offer for one component.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use lang::{Context, EvalError, Expression, Lookup, Phase, Scope, Step, World};
use syntax::{Diagnostics, Ident, Span, suggest};
use value::{Number, Type, Value};

use crate::market;
use crate::place::Offer;
use crate::types::{Implementation, Requirement};

/// How many of those that use up an offer are named.
const TAKERS_SHOWN: usize = 5;

/// The names that expressions of a component type know.
struct Names<'a> {
    input: &'a Value,
    offer: Option<&'a Value>,
}

impl Scope for Names<'_> {
    fn lookup(&self, root: &Ident, _: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        match (root.as_str(), self.offer) {
            ("input", _) => Ok(Lookup::root(self.input.clone())),
            ("offer", Some(offer)) => Ok(Lookup::root(offer.clone())),
            (name, _) => Err(EvalError::UnknownName {
                name: name.to_owned(),
                span,
                suggestion: Some(suggest(name, ["input", "offer"].into_iter()).map_or_else(
                    || "a component type knows `input` and, in implementations, `offer`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                )),
            }
            .into()),
        }
    }
}

/// Evaluates an expression of a component type.
pub(crate) fn evaluate(
    expression: &Expression,
    input: &Value,
    offer: Option<&Value>,
    world: &dyn World,
) -> Result<Value, Diagnostics> {
    let names = Names { input, offer };
    expression.evaluate(&Context {
        scope: &names,
        world,
        phase: Phase::Plan,
        module_dir: Path::new("."),
        functions: None,
    })
}

/// A condition: `None` if it is not known yet.
pub(crate) fn holds(value: &Value) -> Option<bool> {
    value::convert(value, &Type::Bool).ok()?.as_bool()
}

/// What `offer` is in expressions: what is known about it, with its name and backend.
pub(crate) fn offer_value(offer: &Offer) -> Value {
    let mut attributes = offer.attributes.clone();
    for (name, text) in [
        ("name", &*offer.name),
        ("backend", &*offer.backend),
        ("source", &*offer.source),
        ("date", &*offer.date),
    ] {
        if attributes.get_attr(name).is_none() {
            attributes = attributes.with_attr(name, Value::from(text));
        }
    }
    attributes
}

/// What is to be placed, and what it may stand on.
pub(crate) struct Question<'a> {
    pub(crate) implementation: &'a Implementation,
    pub(crate) offer: &'a Offer,
    /// The inputs as far as they are known.
    pub(crate) input: &'a Value,
    /// How many instances share the offer.
    pub(crate) instances: usize,
    pub(crate) world: &'a dyn World,
}

/// What a candidate that will do takes.
#[derive(Clone)]
pub(crate) struct Suited {
    /// Of the offer's capacity.
    pub(crate) demand: Vec<(Arc<str>, Number)>,
    /// How many of the offer.
    pub(crate) machines: u64,
    /// How many of these are there while nothing runs.
    pub(crate) standing: u64,
    /// Checks that have to wait.
    pub(crate) deferred: Vec<String>,
}

/// Whether a candidate will do.
pub(crate) enum Verdict {
    /// It will; some checks may have to wait.
    Suits(Suited),
    /// The implementation does not use offers of this kind.
    OtherKind,
    /// It lacks something.
    Lacks(String),
}

impl Question<'_> {
    pub(crate) fn judge(&self, ledger: &Ledger) -> Result<Verdict, Diagnostics> {
        let offer = offer_value(self.offer);
        let mut deferred = Vec::new();
        if let Some(filter) = &self.implementation.offer {
            match holds(&evaluate(filter, self.input, Some(&offer), self.world)?) {
                Some(true) => {}
                Some(false) => return Ok(Verdict::OtherKind),
                None => deferred.push(format!(
                    "whether offer `{}` is of the kind that is wanted",
                    self.offer.name
                )),
            }
        } else if market::is_region(self.offer) {
            // Who says nothing means machines.
            return Ok(Verdict::OtherKind);
        }
        for requirement in &self.implementation.requires {
            let value = evaluate(&requirement.condition, self.input, Some(&offer), self.world)?;
            match holds(&value) {
                Some(true) => {}
                Some(false) => return Ok(Verdict::Lacks(self.message(requirement, &offer))),
                None => deferred.push(self.message(requirement, &offer)),
            }
        }
        let mut demand = Vec::new();
        for (name, expression) in &self.implementation.demand {
            let value = evaluate(expression, self.input, Some(&offer), self.world)?;
            if value.is_null() {
                continue;
            }
            match value::convert(&value, &Type::Number).ok().as_ref().and_then(Value::as_number) {
                Some(number) => {
                    let all =
                        number.mul(&Number::from(self.instances)).unwrap_or_else(|| number.clone());
                    demand.push((Arc::clone(name), all));
                }
                None => {
                    deferred
                        .push(format!("whether `{name}` fits into offer `{}`", self.offer.name));
                }
            }
        }
        Ok(match ledger.shortage(self.offer, &demand) {
            Some(shortage) => Verdict::Lacks(shortage),
            None => {
                let instances = self.instances as u64;
                let machines = &self.implementation.machines;
                let machines = self.number(machines.as_ref(), instances, &offer, &mut deferred)?;
                let standing = &self.implementation.standing;
                let standing = self.number(standing.as_ref(), machines, &offer, &mut deferred)?;
                let standing = standing.min(machines);
                Verdict::Suits(Suited { demand, machines, standing, deferred })
            }
        })
    }

    /// How many of the offer all instances take, by an expression about one of them.
    fn number(
        &self,
        each: Option<&Expression>,
        otherwise: u64,
        offer: &Value,
        deferred: &mut Vec<String>,
    ) -> Result<u64, Diagnostics> {
        let Some(expression) = each else { return Ok(otherwise) };
        let value = evaluate(expression, self.input, Some(offer), self.world)?;
        let number = value::convert(&value, &Type::Number).ok();
        match number.as_ref().and_then(Value::as_number).and_then(|number| number.ceil().to_u64()) {
            Some(each) => Ok(each.saturating_mul(self.instances as u64)),
            None => {
                deferred.push(format!("how many of offer `{}` are taken", self.offer.name));
                Ok(otherwise)
            }
        }
    }

    /// What the type says; a sensitive text is not shown.
    fn message(&self, requirement: &Requirement, offer: &Value) -> String {
        let fallback = || "a requirement of its type does not hold".to_owned();
        let Some(message) = &requirement.message else { return fallback() };
        match evaluate(message, self.input, Some(offer), self.world) {
            Ok(value) if value.marks().is_empty() => {
                value.as_str().map_or_else(fallback, str::to_owned)
            }
            _ => fallback(),
        }
    }
}

/// Backend, offer and the name of what it has so much of.
type Capacity = (Arc<str>, Arc<str>, Arc<str>);

/// What is taken from each offer, and by whom.
#[derive(Default)]
pub(crate) struct Ledger {
    taken: BTreeMap<Capacity, Vec<(String, Number)>>,
}

impl Ledger {
    /// How much of a capacity is taken already.
    pub(crate) fn taken(&self, offer: &Offer, name: &Arc<str>) -> Number {
        let key = (Arc::clone(&offer.backend), Arc::clone(&offer.name), Arc::clone(name));
        let takers = self.taken.get(&key).map(Vec::as_slice).unwrap_or_default();
        takers.iter().fold(Number::ZERO, |sum, (_, number)| sum.add(number).unwrap_or(sum))
    }

    pub(crate) fn take(&mut self, component: &str, offer: &Offer, demand: &[(Arc<str>, Number)]) {
        for (name, number) in demand {
            let key = (Arc::clone(&offer.backend), Arc::clone(&offer.name), Arc::clone(name));
            self.taken.entry(key).or_default().push((component.to_owned(), number.clone()));
        }
    }

    /// What is missing, and by how much.
    pub(crate) fn shortage(&self, offer: &Offer, demand: &[(Arc<str>, Number)]) -> Option<String> {
        let mut missing = Vec::new();
        for (name, wanted) in demand.iter().filter(|(_, wanted)| !wanted.is_zero()) {
            let capacity = offer.attributes.get_attr("capacity").and_then(|all| all.get_attr(name));
            let Some(capacity) = capacity.and_then(Value::as_number) else {
                missing.push(format!("wants {wanted} of `{name}`, `{}` has none", offer.name));
                continue;
            };
            let key = (Arc::clone(&offer.backend), Arc::clone(&offer.name), Arc::clone(name));
            let takers = self.taken.get(&key).map(Vec::as_slice).unwrap_or_default();
            let taken =
                takers.iter().fold(Number::ZERO, |sum, (_, number)| sum.add(number).unwrap_or(sum));
            let left = capacity.sub(&taken).unwrap_or(Number::ZERO);
            let Some(short) = wanted.sub(&left).filter(|short| *short > Number::ZERO) else {
                continue;
            };
            let mut text = format!(
                "wants {wanted} of `{name}`, `{}` has {left} left: {short} too little",
                offer.name
            );
            if !takers.is_empty() {
                let mut who: Vec<String> = takers
                    .iter()
                    .take(TAKERS_SHOWN)
                    .map(|(component, number)| format!("`{component}` takes {number}"))
                    .collect();
                if takers.len() > TAKERS_SHOWN {
                    who.push(format!("{} more", takers.len() - TAKERS_SHOWN));
                }
                text = format!("{text} (of {capacity}, {})", who.join(", "));
            }
            missing.push(text);
        }
        (!missing.is_empty()).then(|| missing.join("; "))
    }
}
