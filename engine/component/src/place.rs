//! Chooses an implementation and an offer for each component.
//!
//! Components that the prior decisions still suit keep their places; all others are placed together, by `joint`.
//! Components of the chosen implementations are placed in further rounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{ModulePath, ModulePathStep};
use config::{ComponentBlock, Configuration};
use lang::World;
use sha2::{Digest, Sha256};
use syntax::{Diagnostics, Ident, suggest};
use value::{Marks, Number, Value};

use crate::candidate::{self, Ledger, Question, Verdict, evaluate, holds};
use crate::decision::{Decision, Rejected};
use crate::error::ComponentError;
use crate::expand::{self, Expansion};
use crate::inputs::{self, Written, shown};
use crate::joint;
use crate::known::Known;
use crate::ladder::Ladder;
use crate::stack::{self, Objective, Placement};
use crate::types::{ComponentType, Implementation, Types};

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
/// More rejected candidates than this tell nobody more.
const MAX_REJECTED: usize = 20;

/// Places all components and expands them.
pub fn place(configuration: Configuration, request: &PlaceRequest<'_>) -> (Placed, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let placement = {
        let known = Known::new(&configuration, request.inputs, request.world);
        stack::read(configuration.root().stack.as_ref(), &known, &mut diagnostics)
    };
    let mut run = Run {
        request,
        placement,
        configuration,
        ledger: Ledger::default(),
        decisions: BTreeMap::new(),
        deferred: Vec::new(),
        costs: BTreeMap::new(),
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
    };
    (placed, run.diagnostics)
}

pub(crate) struct Run<'a> {
    pub(crate) request: &'a PlaceRequest<'a>,
    pub(crate) placement: Placement,
    configuration: Configuration,
    pub(crate) ledger: Ledger,
    decisions: BTreeMap<String, Decision>,
    pub(crate) deferred: Vec<Deferred>,
    /// Price per hour by component.
    costs: BTreeMap<String, Number>,
    pub(crate) diagnostics: Diagnostics,
}

/// A component that is ready to be placed.
pub(crate) struct Ready<'a> {
    pub(crate) path: ModulePath,
    step: ModulePathStep,
    pub(crate) address: String,
    pub(crate) component: ComponentBlock,
    pub(crate) ty: &'a ComponentType,
    pub(crate) written: Written,
    /// The inputs as far as they are known.
    pub(crate) input: Value,
    instances: usize,
    /// Backends that the component itself allows.
    backends: Option<Vec<String>>,
    /// What it tries first, second, and so on.
    pub(crate) ladder: Ladder,
    /// False if a fault was found in it; then no place is looked for.
    sound: bool,
}

/// A chosen candidate.
struct Choice<'a> {
    candidate: Candidate<'a>,
    reasons: Vec<String>,
    rejected: Vec<Rejected>,
    fallbacks: Vec<String>,
}

/// A candidate that suits its component.
#[derive(Clone)]
pub(crate) struct Candidate<'a> {
    pub(crate) implementation: &'a Implementation,
    pub(crate) offer: &'a Offer,
    pub(crate) demand: Vec<(Arc<str>, Number)>,
    /// How many of the offer it takes.
    pub(crate) machines: u64,
    deferred: Vec<String>,
}

/// All candidates that suit a component alone, the best first.
pub(crate) struct Options<'a> {
    pub(crate) candidates: Vec<Candidate<'a>>,
    /// Whether the one candidate is where the component is already.
    pub(crate) kept: bool,
    /// Why it left the place that it had.
    moved: Option<String>,
    rejected: Vec<Rejected>,
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

    // Preparation.

    fn prepare(&mut self, path: ModulePath, component: ComponentBlock) -> Option<Ready<'a>> {
        let Some(ty) = self.request.types.get(component.type_name.as_str()) else {
            self.diagnostics.push(self.unknown_block(&component.type_name));
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

    fn unknown_block(&self, name: &Ident) -> ComponentError {
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
        let types = self.request.types.0.keys().map(|name| &**name);
        let near = suggest(name.as_str(), BLOCKS.into_iter().chain(["stack"]).chain(types));
        ComponentError::UnknownBlock {
            name: name.text.to_string(),
            span: name.span,
            suggestion: near.map(|near| format!("did you mean `{near}`?")),
        }
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

    // Choice.

    /// What suits a component; an error if nothing does.
    fn options(&mut self, one: &Ready<'a>) -> Option<Options<'a>> {
        let mut moved = None;
        let prior = self.request.prior.get(&one.address).filter(|_| !self.request.reoptimize);
        if let Some(prior) = prior {
            match self.keep(one, prior) {
                Ok(candidate) => {
                    self.ledger.take(&one.address, candidate.offer, &candidate.demand);
                    let candidates = vec![candidate];
                    return Some(Options { candidates, kept: true, moved, rejected: Vec::new() });
                }
                Err(reason) => {
                    moved =
                        Some(format!("left `{}` on `{}`: {reason}", prior.offer, prior.backend));
                }
            }
        }
        let found = self.suitable(one)?;
        if found.candidates.is_empty() {
            let reasons = why_not(one, &found.rejected, found.other_kinds, moved);
            self.diagnostics.push(ComponentError::NoPlacement {
                component: one.address.clone(),
                reasons,
                span: one.component.block.header,
            });
            return None;
        }
        let (candidates, rejected) = (found.candidates, found.rejected);
        Some(Options { candidates, kept: false, moved, rejected })
    }

    /// Judges every candidate; `None` if one cannot be judged.
    pub(crate) fn suitable(&mut self, one: &Ready<'a>) -> Option<Suitable<'a>> {
        let mut found = Suitable::default();
        for (implementation, offer) in self.candidates(one) {
            match self.question(one, implementation, offer).judge(&self.ledger) {
                Ok(Verdict::Suits { demand, machines, deferred }) => {
                    found.candidates.push(Candidate {
                        implementation,
                        offer,
                        demand,
                        machines,
                        deferred,
                    });
                }
                Ok(Verdict::OtherKind) => found.other_kinds += 1,
                Ok(Verdict::Lacks(reason)) => {
                    let candidate = candidate_name(implementation, offer);
                    found.rejected.push(Rejected { candidate, reason });
                }
                Err(faults) => {
                    self.diagnostics.extend(faults);
                    return None;
                }
            }
        }
        Some(found)
    }

    /// The candidate that was picked, with the reasons; an error if others have taken what it needs.
    fn chosen(
        &mut self,
        one: &Ready<'a>,
        mut options: Options<'a>,
        pick: usize,
    ) -> Option<Choice<'a>> {
        if options.kept {
            let stays = "stays where it was placed before".to_owned();
            // Why it was placed there is still worth knowing.
            let prior = self.request.prior.get(&one.address);
            let earlier = prior.map(|prior| prior.reasons.clone()).unwrap_or_default();
            let earlier = earlier.into_iter().filter(|reason| *reason != stays);
            let reasons = std::iter::once(stays.clone()).chain(earlier).collect();
            let rejected = prior.map(|prior| prior.rejected.clone()).unwrap_or_default();
            let candidate = options.candidates.swap_remove(0);
            let fallbacks = prior.map(|prior| prior.fallbacks.clone()).unwrap_or_default();
            return Some(Choice { candidate, reasons, rejected, fallbacks });
        }
        let candidate = options.candidates[pick].clone();
        if let Some(shortage) = self.ledger.shortage(candidate.offer, &candidate.demand) {
            let candidate = candidate_name(candidate.implementation, candidate.offer);
            options.rejected.push(Rejected { candidate, reason: shortage });
            let reasons = why_not(one, &options.rejected, 0, options.moved);
            self.diagnostics.push(ComponentError::NoPlacement {
                component: one.address.clone(),
                reasons,
                span: one.component.block.header,
            });
            return None;
        }
        self.ledger.take(&one.address, candidate.offer, &candidate.demand);
        let mut reasons: Vec<String> = options.moved.into_iter().collect();
        reasons.push(self.reason(candidate.offer));
        let rung = one.ladder.rung(candidate.offer).unwrap_or(0);
        if one.ladder.len() > 0 {
            reasons.push(format!("step {} of {} in `try`", rung + 1, one.ladder.len()));
        }
        let mut rejected = options.rejected;
        let first = &options.candidates[0];
        if pick > 0 {
            let name = candidate_name(first.implementation, first.offer);
            reasons.push(format!("{name} would be best for it alone, but not for all components"));
        }
        rejected.truncate(MAX_REJECTED);
        let others = options.candidates.iter().enumerate().filter(|(at, _)| *at != pick);
        for (_, other) in others.take(MAX_REJECTED - rejected.len()) {
            let reason = format!("would do as well; {}", self.score_words(other.offer));
            rejected.push(Rejected {
                candidate: candidate_name(other.implementation, other.offer),
                reason,
            });
        }
        let fallbacks = fallbacks(&one.ladder, rung, &options.candidates);
        Some(Choice { candidate, reasons, rejected, fallbacks })
    }

    /// The prior place, if it still exists and suits; else why not.
    fn keep(&self, one: &Ready<'a>, prior: &Decision) -> Result<Candidate<'a>, String> {
        if prior.component_type != *one.ty.name.text {
            return Err("it was of another type then".to_owned());
        }
        let implementation = one
            .ty
            .implementations
            .iter()
            .find(|i| i.name.as_str() == prior.implementation && *i.backend == *prior.backend)
            .ok_or("its implementation is gone")?;
        let offer = self
            .request
            .offers
            .iter()
            .find(|offer| *offer.backend == *prior.backend && *offer.name == *prior.offer)
            .ok_or("that is offered no more")?;
        if !self.allows(one, &prior.backend) {
            return Err("the backend is allowed no more".to_owned());
        }
        if one.ladder.rung(offer).is_none() {
            return Err("it is not among what is tried".to_owned());
        }
        match self.question(one, implementation, offer).judge(&self.ledger) {
            Ok(Verdict::Suits { demand, machines, deferred }) => {
                Ok(Candidate { implementation, offer, demand, machines, deferred })
            }
            Ok(Verdict::OtherKind) => Err("the implementation uses such offers no more".to_owned()),
            Ok(Verdict::Lacks(reason)) => Err(reason),
            Err(_) => Err("its requirements cannot be evaluated".to_owned()),
        }
    }

    fn question<'q>(
        &self,
        one: &'q Ready<'a>,
        implementation: &'q Implementation,
        offer: &'q Offer,
    ) -> Question<'q>
    where
        'a: 'q,
    {
        Question {
            implementation,
            offer,
            input: &one.input,
            instances: one.instances,
            world: self.request.world,
        }
    }

    fn allows(&self, one: &Ready<'_>, backend: &str) -> bool {
        let among = |names: &Option<Vec<String>>| {
            names.as_ref().is_none_or(|names| names.iter().any(|name| name == backend))
        };
        among(&one.backends) && among(&self.placement.backends)
    }

    /// All pairs of implementation and offer on an allowed backend, the best first.
    fn candidates(&self, one: &Ready<'a>) -> Vec<(&'a Implementation, &'a Offer)> {
        let ty: &'a ComponentType = one.ty;
        let offers: &'a [Offer] = self.request.offers;
        let mut found = Vec::new();
        for (implementation_at, implementation) in ty.implementations.iter().enumerate() {
            if !self.allows(one, &implementation.backend) {
                continue;
            }
            let fitting =
                offers.iter().enumerate().filter(|(_, o)| o.backend == implementation.backend);
            for (offer_at, offer) in fitting {
                let Some(rung) = one.ladder.rung(offer) else { continue };
                let rank = (self.backend_rank(one, &offer.backend), implementation_at, offer_at);
                found.push(((rung, self.score(offer)), rank, implementation, offer));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        found.into_iter().map(|(_, _, implementation, offer)| (implementation, offer)).collect()
    }

    fn backend_rank(&self, one: &Ready<'_>, backend: &str) -> usize {
        let order = one.backends.as_ref().or(self.placement.backends.as_ref());
        order.and_then(|names| names.iter().position(|name| name == backend)).unwrap_or(0)
    }

    /// The smaller, the better. What an offer does not say counts as nothing.
    pub(crate) fn score(&self, offer: &Offer) -> Number {
        let found = offer.attributes.get_attr(self.placement.objective.attribute());
        let number = found.and_then(Value::as_number).cloned();
        match (number, self.placement.objective) {
            (Some(number), Objective::Performance) => number.neg(),
            (Some(number), _) => number,
            // What the catalog sells at a price that it does not know is not free.
            (None, _) if offer.attributes.get_attr("unknown_price").is_some() => {
                Number::from(joint::UNKNOWN_USD)
            }
            (None, _) => Number::ZERO,
        }
    }

    /// What an offer says of what is best.
    fn score_words(&self, offer: &Offer) -> String {
        let attribute = self.placement.objective.attribute();
        match offer.attributes.get_attr(attribute).and_then(Value::as_number) {
            Some(number) => format!("its `{attribute}` is {number}"),
            None => format!("its `{attribute}` is not known"),
        }
    }

    fn reason(&self, offer: &Offer) -> String {
        let attribute = self.placement.objective.attribute();
        match offer.attributes.get_attr(attribute).and_then(Value::as_number) {
            Some(number) => format!("the best `{attribute}` of those that suit: {number}"),
            None => "the first that suits".to_owned(),
        }
    }

    // Outcome.

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
        let found = expand::expand(&mut self.configuration, &expansion, self.request.world);
        self.diagnostics.extend(found);
        if let Some(choice) = choice {
            self.record(one, choice);
        }
    }

    fn record(&mut self, one: &Ready<'_>, choice: Choice<'_>) {
        let Candidate { implementation, offer, machines, deferred, .. } = choice.candidate;
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
                inputs_digest: digest(&one.input),
                reasons: choice.reasons,
                rejected: choice.rejected,
                fallbacks: choice.fallbacks,
            },
        );
    }

    fn check_budget(&mut self) {
        let Some((limit, span)) = &self.placement.max_hourly_usd else { return };
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

/// What judging all candidates of a component has shown.
#[derive(Default)]
pub(crate) struct Suitable<'a> {
    /// Those that suit, the best first.
    pub(crate) candidates: Vec<Candidate<'a>>,
    rejected: Vec<Rejected>,
    /// How many offers are of a kind that no implementation uses.
    other_kinds: usize,
}

/// One line for each reason why there is no place.
fn why_not(
    one: &Ready<'_>,
    rejected: &[Rejected],
    other_kinds: usize,
    moved: Option<String>,
) -> String {
    let mut lines: Vec<String> = moved.into_iter().collect();
    let listed = rejected.iter().take(MAX_REJECTED);
    lines.extend(listed.map(|one| format!("{}: {}", one.candidate, one.reason)));
    if rejected.len() > MAX_REJECTED {
        lines.push(format!("and {} more", rejected.len() - MAX_REJECTED));
    }
    if other_kinds > 0 {
        let plural = if other_kinds == 1 { " is" } else { "s are" };
        lines.push(format!(
            "{other_kinds} offer{plural} of a kind that `{}` does not use",
            one.ty.name
        ));
    }
    if lines.is_empty() {
        let backends: Vec<&str> = one.ty.implementations.iter().map(|i| &*i.backend).collect();
        lines.push(if backends.is_empty() {
            format!("component type `{}` has no implementation", one.ty.name)
        } else {
            format!(
                "`{}` has implementations for `{}`, but none of these is both allowed and offered here",
                one.ty.name,
                backends.join("`, `")
            )
        });
    }
    lines.join("\n")
}

/// The best candidate of each later step.
fn fallbacks(ladder: &Ladder, rung: usize, candidates: &[Candidate<'_>]) -> Vec<String> {
    let later = (rung + 1)..ladder.len();
    let best = |rung| candidates.iter().find(|one| ladder.rung(one.offer) == Some(rung));
    later.filter_map(|rung| best(rung).map(|one| one.offer.name.to_string())).collect()
}

fn candidate_name(implementation: &Implementation, offer: &Offer) -> String {
    format!("`{}` on `{}`", implementation.name, offer.name)
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
