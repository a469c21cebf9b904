//! Chooses an implementation and an offer for each component.
//!
//! Components that the prior decisions still suit keep their places; all others are placed together, by `joint`.
//! Components of the chosen implementations are placed in further rounds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::ModulePath;
use config::{ComponentBlock, Configuration};
use lang::World;
use sha2::{Digest, Sha256};
use syntax::Diagnostics;
use value::{Number, Value};

use crate::asked::Asked;
use crate::candidate::{self, Ledger};
use crate::choose::{Candidate, Choice, Options};
use crate::decision::Decision;
use crate::error::ComponentError;
use crate::expand::{self, Expansion};
use crate::inputs::shown;
use crate::joint;
use crate::known::Known;
use crate::market;
use crate::ready::Ready;
use crate::stack::{self, Placement};
use crate::types::Types;

/// What a backend sells, or has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The backend.
    pub backend: Arc<str>,
    /// What it is called there.
    pub name: Arc<str>,
    /// What is known about it: an object; `capacity`, where there is one, is a map of numbers.
    pub attributes: Value,
    /// Who says so.
    pub source: String,
    /// When.
    pub date: String,
}

/// What a placement needs to know.
pub struct PlaceRequest<'a> {
    /// All component types.
    pub types: &'a Types,
    /// All offers, in an order that breaks ties.
    pub offers: &'a [Offer],
    /// Values of root variables.
    pub inputs: &'a BTreeMap<Arc<str>, Value>,
    /// Decisions of the last run, by component address.
    pub prior: &'a BTreeMap<String, Decision>,
    /// Whether the last decisions count for nothing.
    pub reoptimize: bool,
    /// Files and clock.
    pub world: &'a dyn World,
}

/// A configuration whose components are module calls.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The configuration; no component is left in it.
    pub configuration: Configuration,
    /// What was decided, in the order of addresses.
    pub decisions: Vec<Decision>,
    /// Checks that wait for values.
    pub deferred: Vec<Deferred>,
    /// The components themselves, in the order of addresses.
    pub components: Vec<PlacedComponent>,
}

/// A component as it was written, for whoever looks at what it asks for.
#[derive(Debug, Clone)]
pub struct PlacedComponent {
    /// Its address, such as `cluster.train`.
    pub address: String,
    /// The module that it stands in.
    pub module: ModulePath,
    /// The inputs as far as they are known before planning; an object with all inputs of the type.
    pub input: Value,
    /// As it was written.
    pub block: ComponentBlock,
    /// What its type and its implementation ask of the inputs.
    pub asked: Asked,
}

/// A check that waits for a value that is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    /// The component's address.
    pub component: String,
    /// What is to be checked, in words.
    pub check: String,
}

/// Implementations that hold components of their own end somewhere.
const MAX_ROUNDS: usize = 16;

/// Places all components and expands them.
pub fn place(configuration: Configuration, request: &PlaceRequest<'_>) -> (Placed, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let placement = {
        let known = Known::new(&configuration, request.inputs, request.world);
        stack::read(configuration.root().stack.as_ref(), &known, &mut diagnostics)
    };
    let mut placement = placement;
    let mut offers = Vec::new();
    for (offer, count) in market::reserved(&placement.reserved, request.offers, &mut diagnostics) {
        placement.quotas.push((format!("{}/{}", offer.backend, offer.name), count));
        offers.push(offer);
    }
    offers.extend_from_slice(request.offers);
    // What conditions see of an offer is put together once, and not for every component.
    for offer in &mut offers {
        offer.attributes = candidate::offer_value(offer);
    }
    let request = &PlaceRequest {
        types: request.types,
        offers: &offers,
        inputs: request.inputs,
        prior: request.prior,
        reoptimize: request.reoptimize,
        world: request.world,
    };
    let mut run = Run {
        request,
        placement,
        configuration,
        folders: config::Folders::default(),
        ledger: Ledger::default(),
        decisions: BTreeMap::new(),
        deferred: Vec::new(),
        components: BTreeMap::new(),
        costs: BTreeMap::new(),
        other_kinds: BTreeSet::new(),
        diagnostics,
    };
    for round in 0.. {
        let waiting = run.take_components();
        if waiting.is_empty() {
            break;
        }
        if round == MAX_ROUNDS {
            run.refuse_depth(&waiting);
            break;
        }
        run.place_all(waiting);
    }
    run.check_budget();
    run.deferred.sort_by(|a, b| a.component.cmp(&b.component));
    let placed = Placed {
        configuration: run.configuration,
        decisions: run.decisions.into_values().collect(),
        deferred: run.deferred,
        components: run.components.into_values().collect(),
    };
    (placed, run.diagnostics)
}

pub(crate) struct Run<'a> {
    pub(crate) request: &'a PlaceRequest<'a>,
    pub(crate) placement: Placement,
    pub(crate) configuration: Configuration,
    pub(crate) folders: config::Folders,
    pub(crate) ledger: Ledger,
    decisions: BTreeMap<String, Decision>,
    pub(crate) deferred: Vec<Deferred>,
    components: BTreeMap<String, PlacedComponent>,
    /// Price per hour by component.
    costs: BTreeMap<String, Number>,
    /// Implementations and offers, by their places in memory, that never go together, whatever a component asks for.
    pub(crate) other_kinds: BTreeSet<(usize, usize)>,
    pub(crate) diagnostics: Diagnostics,
}

impl<'a> Run<'a> {
    /// The components of all modules, which have none afterwards.
    fn take_components(&mut self) -> Vec<(ModulePath, ComponentBlock)> {
        let mut taken = Vec::new();
        for (path, module) in &mut self.configuration.modules {
            if !module.components.is_empty() {
                let components = std::mem::take(&mut Arc::make_mut(module).components);
                taken.extend(components.into_iter().map(|component| (path.clone(), component)));
            }
        }
        taken
    }

    fn refuse_depth(&mut self, waiting: &[(ModulePath, ComponentBlock)]) {
        for (_, component) in waiting {
            self.diagnostics.push(ComponentError::Recursion {
                component: shown(component),
                span: component.block.header,
            });
        }
    }

    fn place_all(&mut self, waiting: Vec<(ModulePath, ComponentBlock)>) {
        let mut ready: Vec<Ready<'a>> = Vec::new();
        for (path, component) in waiting {
            let Some(one) = self.prepare(path, component) else { continue };
            if let Some(first) = ready.iter().find(|other| other.address == one.address) {
                self.diagnostics.push(ComponentError::Duplicate {
                    name: one.address.clone(),
                    first: first.component.block.header,
                    span: one.component.block.header,
                });
                continue;
            }
            ready.push(one);
        }
        // What has a place keeps it, and what that takes is gone, before others look for theirs.
        ready.sort_by(|a, b| {
            let settled = |one: &Ready<'_>| !self.request.prior.contains_key(&one.address);
            settled(a).cmp(&settled(b)).then_with(|| a.address.cmp(&b.address))
        });
        let options: Vec<Option<Options<'a>>> =
            ready.iter().map(|one| if one.sound { self.options(one) } else { None }).collect();
        let picks = self.picks(&ready, &options);
        for (at, (one, options)) in ready.iter().zip(options).enumerate() {
            let choice = options.zip(picks[at]);
            let choice = choice.and_then(|(options, pick)| self.chosen(one, options, pick));
            self.settle(one, choice);
        }
    }

    /// Which candidate each component gets, all of them together.
    fn picks(
        &mut self,
        ready: &[Ready<'a>],
        options: &[Option<Options<'a>>],
    ) -> Vec<Option<usize>> {
        match joint::solve(self, ready, options) {
            joint::Outcome::Solved(picks) => picks,
            // Capacity alone is at fault: the first that finds too little left says so best.
            joint::Outcome::Shortage => options.iter().map(|one| one.as_ref().map(|_| 0)).collect(),
            joint::Outcome::Conflict(error) => {
                self.diagnostics.push(error);
                vec![None; options.len()]
            }
        }
    }

    fn settle(&mut self, one: &Ready<'a>, choice: Option<Choice<'a>>) {
        let fallback = || {
            let allowed = one.ty.implementations.iter().find(|i| self.allows(one, &i.backend));
            allowed.or_else(|| one.ty.implementations.first())
        };
        let Some(implementation) =
            choice.as_ref().map_or_else(fallback, |choice| Some(choice.candidate.implementation))
        else {
            return;
        };
        let expansion = Expansion {
            path: &one.path,
            step: &one.step,
            component: &one.component,
            ty: one.ty,
            written: &one.written,
            implementation,
            offer: choice.as_ref().map(|choice| choice.candidate.offer),
        };
        let found = expand::expand(
            &mut self.configuration,
            &mut self.folders,
            &expansion,
            self.request.world,
        );
        self.diagnostics.extend(found);
        self.components.insert(
            one.address.clone(),
            PlacedComponent {
                address: one.address.clone(),
                module: one.path.clone(),
                input: one.input.clone(),
                block: one.component.clone(),
                asked: Asked::of(one, implementation, choice.as_ref()),
            },
        );
        if let Some(choice) = choice {
            self.record(one, choice);
        }
    }

    fn record(&mut self, one: &Ready<'_>, choice: Choice<'_>) {
        let Candidate { implementation, offer, takes } = choice.candidate;
        let candidate::Suited { machines, standing, deferred, .. } = takes;
        let price = offer.attributes.get_attr("price_usd_per_hour").and_then(Value::as_number);
        if let Some(price) = price.and_then(|price| price.mul(&Number::from(machines))) {
            self.costs.insert(one.address.clone(), price);
        }
        let component = || one.address.clone();
        let deferred = deferred.into_iter();
        self.deferred.extend(deferred.map(|check| Deferred { component: component(), check }));
        let attributes = plain(&candidate::offer_value(offer));
        self.decisions.insert(
            one.address.clone(),
            Decision {
                component: one.address.clone(),
                component_type: one.ty.name.text.to_string(),
                backend: implementation.backend.to_string(),
                implementation: implementation.name.text.to_string(),
                offer: offer.name.to_string(),
                offer_attributes: value::json::to_plain(&attributes),
                machines,
                standing_machines: standing,
                inputs_digest: digest(&one.input),
                reasons: choice.reasons,
                rejected: choice.rejected,
                fallbacks: choice.fallbacks,
            },
        );
    }

    fn check_budget(&mut self) {
        let Some((limit, span)) = &self.placement.max_hourly_usd else { return };
        let text = |one: &Decision, name: &str| one.offer_attributes.get(name).cloned();
        let is_sold = |one: &&Decision| {
            one.machines > 0 && text(one, "kind").is_some_and(|kind| kind == "instance_type")
        };
        let unpriced: Vec<String> = self
            .decisions
            .values()
            .filter(is_sold)
            .filter(|one| !self.costs.contains_key(&one.component))
            .map(|one| format!("`{}` on `{}`", one.component, one.offer))
            .collect();
        if !unpriced.is_empty() {
            let parts = unpriced.join(", ");
            self.diagnostics.push(ComponentError::UnknownPrice { parts, span: *span });
            return;
        }
        let total =
            self.costs.values().fold(Number::ZERO, |sum, cost| sum.add(cost).unwrap_or(sum));
        let Some(over) = total.sub(limit).filter(|over| *over > Number::ZERO) else { return };
        let parts: Vec<String> = self
            .costs
            .iter()
            .map(|(component, cost)| format!("`{component}` costs {cost}"))
            .collect();
        self.diagnostics.push(ComponentError::OverBudget {
            total: total.to_string(),
            over: over.to_string(),
            parts: parts.join(", "),
            span: *span,
        });
    }
}

/// The value with words in the place of what is sensitive or unknown.
fn plain(value: &Value) -> Value {
    value.clone().transform(&mut |_, value| {
        if !value.marks().is_empty() {
            Value::from("(sensitive)")
        } else if value.is_unknown() {
            Value::from("(unknown)")
        } else {
            value
        }
    })
}

fn digest(input: &Value) -> String {
    use std::fmt::Write as _;
    let text = value::json::to_string(&plain(input));
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
