//! Judges the candidates of a component, keeps what stays, and says why.

use crate::candidate::{Question, Suited, Verdict};
use crate::decision::{Decision, Rejected};
use crate::error::ComponentError;
use crate::joint;
use crate::ladder::Ladder;
use crate::place::{Offer, Run};
use crate::ready::Ready;
use crate::stack::Objective;
use crate::types::{ComponentType, Implementation};

use value::Number;

/// More rejected candidates than this tell nobody more.
const MAX_REJECTED: usize = 20;

/// A chosen candidate.
pub(crate) struct Choice<'a> {
    pub(crate) candidate: Candidate<'a>,
    pub(crate) reasons: Vec<String>,
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) fallbacks: Vec<String>,
}

/// A candidate that suits its component.
#[derive(Clone)]
pub(crate) struct Candidate<'a> {
    pub(crate) implementation: &'a Implementation,
    pub(crate) offer: &'a Offer,
    /// What it takes of the offer.
    pub(crate) takes: Suited,
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

/// What judging all candidates of a component has shown.
#[derive(Default)]
pub(crate) struct Suitable<'a> {
    /// Those that suit, the best first.
    pub(crate) candidates: Vec<Candidate<'a>>,
    rejected: Vec<Rejected>,
    /// How many offers are of a kind that no implementation uses.
    other_kinds: usize,
}

impl<'a> Run<'a> {
    /// What suits a component; an error if nothing does.
    pub(crate) fn options(&mut self, one: &Ready<'a>) -> Option<Options<'a>> {
        let mut moved = None;
        let prior = self.request.prior.get(&one.address).filter(|_| !self.request.reoptimize);
        if let Some(prior) = prior {
            match self.keep(one, prior) {
                Ok(candidate) => {
                    self.ledger.take(&one.address, candidate.offer, &candidate.takes.demand);
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
            let pair =
                (std::ptr::from_ref(implementation) as usize, std::ptr::from_ref(offer) as usize);
            if self.other_kinds.contains(&pair) {
                found.other_kinds += 1;
                continue;
            }
            match self.question(one, implementation, offer).judge(&self.ledger) {
                Ok(Verdict::Suits(takes)) => {
                    found.candidates.push(Candidate { implementation, offer, takes });
                }
                Ok(Verdict::OtherKind) => {
                    found.other_kinds += 1;
                    if implementation.looks_at_offers_alone() {
                        self.other_kinds.insert(pair);
                    }
                }
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
    pub(crate) fn chosen(
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
        if let Some(shortage) = self.ledger.shortage(candidate.offer, &candidate.takes.demand) {
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
        self.ledger.take(&one.address, candidate.offer, &candidate.takes.demand);
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
            Ok(Verdict::Suits(takes)) => Ok(Candidate { implementation, offer, takes }),
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

    pub(crate) fn allows(&self, one: &Ready<'_>, backend: &str) -> bool {
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
        let number = self.placement.objective.of(&offer.attributes);
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
        match self.placement.objective.of(&offer.attributes) {
            Some(number) => format!("its `{attribute}` is {number}"),
            None => format!("its `{attribute}` is not known"),
        }
    }

    fn reason(&self, offer: &Offer) -> String {
        let attribute = self.placement.objective.attribute();
        match self.placement.objective.of(&offer.attributes) {
            Some(number) => format!("the best `{attribute}` of those that suit: {number}"),
            None => "the first that suits".to_owned(),
        }
    }
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
