//! Places all components of a round together: makes a [`Problem`] of candidates, and words of its conflicts.

use std::collections::BTreeMap;

use lang::TraversalStep;
use value::{Number, Value};

use crate::candidate::evaluate;
use crate::choose::{Candidate, Options};
use crate::error::ComponentError;
use crate::ladder::Ladder;
use crate::market;
use crate::place::{Deferred, Offer, Run};
use crate::ready::Ready;
use crate::solve::{self, Choice, Conflict, Link, Problem, Requirement, Solution};
use crate::types::Near;

/// What counts as the price of something whose price is not known: more than anything costs, less than a search
/// could not add up.
pub(crate) const UNKNOWN_USD: u64 = 1_000_000;
const MICRO: f64 = 1e6;
/// Costs of a performance are what is missing to this.
const PERFECT: u128 = 1 << 80;
/// What a later step of `try` costs, so that no price makes up for it.
const RUNG: u128 = 1 << 100;

/// What came of it.
pub(crate) enum Outcome {
    /// The candidate of each component; `None` where there was none.
    Solved(Vec<Option<usize>>),
    /// Capacity of offers does not suffice for all; nothing else is in the way.
    Shortage,
    /// Something else is in the way.
    Conflict(ComponentError),
}

/// Requirements of the stack that a candidate may break, by their number.
const OWN: [&str; 4] = ["regions", "countries", "purchase", "max_price_usd_per_hour"];

/// Places all that have options.
pub(crate) fn solve<'a>(
    run: &mut Run<'a>,
    ready: &[Ready<'a>],
    options: &[Option<Options<'a>>],
) -> Outcome {
    let parts: Vec<(usize, &Ready<'a>, &Options<'a>)> = ready
        .iter()
        .zip(options)
        .enumerate()
        .filter_map(|(at, (one, options))| Some((at, one, options.as_ref()?)))
        .collect();
    let (links, words) = links(run, &parts);
    let mut maker = Maker { run, pools: Pools::default(), places: BTreeMap::new() };
    let components = parts
        .iter()
        .map(|(_, one, options)| maker.choices(&one.ladder, &options.candidates, options.kept))
        .collect();
    let (pools, names) = (maker.pools.left, maker.pools.names);
    let budget = run.placement.max_hourly_usd.as_ref().map(|(limit, _)| micro(limit));
    let problem = Problem { components, pools, links, budget };
    match solve::solve(&problem) {
        Ok(solution) => {
            hint(run, &parts, &problem, &solution);
            Outcome::Solved(spread(options.len(), &parts, &solution.picks))
        }
        // The sum of prices is told by itself, with what each component costs.
        Err(Conflict { core, relaxation: Some((Requirement::Budget, solution)) })
            if core.len() == 1 =>
        {
            Outcome::Solved(spread(options.len(), &parts, &solution.picks))
        }
        Err(conflict) => {
            let capacity = |one: &Requirement| matches!(one, Requirement::Pool(at) if !names[*at].starts_with("at most"));
            if conflict.core.is_empty() || conflict.core.iter().all(capacity) {
                return Outcome::Shortage;
            }
            let say = |one: &Requirement| match one {
                Requirement::Own(at) => format!("`{}` of the stack's placement", OWN[*at]),
                Requirement::Pool(at) => names[*at].clone(),
                Requirement::Link(at) => words[*at].clone(),
                Requirement::Budget => "`max_hourly_usd` of the stack's placement".to_owned(),
            };
            let lines: Vec<String> =
                conflict.core.iter().map(|one| format!("- {}", say(one))).collect();
            let relaxation = conflict.relaxation.map_or_else(
                || "giving up one of them is not enough".to_owned(),
                |(one, solution)| {
                    let price = price_of(&problem, &solution.picks);
                    format!("without {} all have a place, for {price} USD per hour", say(&one))
                },
            );
            // The last one is new: what stays comes first.
            let span = parts.last().map(|(_, one, _)| one.component.block.header);
            Outcome::Conflict(ComponentError::Conflict {
                requirements: lines.join("\n"),
                relaxation,
                span: span.unwrap_or_default(),
            })
        }
    }
}

type Parts<'p, 'a> = [(usize, &'p Ready<'a>, &'p Options<'a>)];

fn spread(count: usize, parts: &Parts<'_, '_>, picks: &[usize]) -> Vec<Option<usize>> {
    let mut all = vec![None; count];
    for ((at, _, _), pick) in parts.iter().zip(picks) {
        all[*at] = Some(*pick);
    }
    all
}

fn price_of(problem: &Problem, picks: &[usize]) -> catalog::UsdPerHour {
    let prices = picks.iter().zip(&problem.components).map(|(&pick, all)| all[pick].price);
    catalog::UsdPerHour(prices.fold(0, u64::saturating_add))
}

/// Millionths, rounded up; as much as can be written if it is more.
fn micro(number: &Number) -> u64 {
    let scaled = (number.to_f64() * MICRO).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast keeps to the bounds of the type, and what is below zero counts as nothing"
    )]
    let whole = scaled as u64;
    whole
}

#[derive(Default)]
struct Pools {
    /// What is left of each.
    left: Vec<u64>,
    /// What each is, in words.
    names: Vec<String>,
    by_name: BTreeMap<String, usize>,
}

impl Pools {
    fn get(
        &mut self,
        key: String,
        name: impl FnOnce() -> String,
        left: impl FnOnce() -> u64,
    ) -> usize {
        *self.by_name.entry(key).or_insert_with(|| {
            self.left.push(left());
            self.names.push(name());
            self.left.len() - 1
        })
    }
}

struct Maker<'r, 'a> {
    run: &'r Run<'a>,
    pools: Pools,
    /// Numbers of names of places.
    places: BTreeMap<String, u32>,
}

impl Maker<'_, '_> {
    fn choices(
        &mut self,
        ladder: &Ladder,
        candidates: &[Candidate<'_>],
        kept: bool,
    ) -> Vec<Choice> {
        let choice = |candidate| {
            let mut choice = self.choice(candidate, kept);
            choice.cost += RUNG * ladder.rung(candidate.offer).unwrap_or(0) as u128;
            choice
        };
        candidates.iter().map(choice).collect()
    }

    fn choice(&mut self, candidate: &Candidate<'_>, kept: bool) -> Choice {
        let offer = candidate.offer;
        let price = offer.attributes.get_attr("price_usd_per_hour").and_then(Value::as_number);
        let price = price.map_or(0, micro).saturating_mul(candidate.takes.machines);
        let score = self.run.score(offer);
        let machines = u128::from(candidate.takes.machines.max(1));
        let cost = if self.run.placement.objective.may_be_negative() {
            let (more, less) = (micro(&score), micro(&score.neg()));
            PERFECT + u128::from(more).saturating_mul(machines)
                - u128::from(less).saturating_mul(machines).min(PERFECT)
        } else {
            u128::from(micro(&score)).saturating_mul(machines)
        };
        Choice {
            cost,
            price,
            place: self.place(offer),
            uses: self.uses(candidate, kept),
            // What is placed is there already.
            breaks: if kept { Vec::new() } else { self.breaks(offer) },
        }
    }

    fn place(&mut self, offer: &Offer) -> Vec<u32> {
        let text = |name: &str| offer.attributes.get_attr(name).and_then(Value::as_str);
        let backend = offer.backend.to_string();
        let region = format!("{backend}/{}", text("region").unwrap_or_default());
        let zone = format!("{region}/{}", text("zone").unwrap_or_default());
        [backend, region, zone]
            .into_iter()
            .map(|name| {
                let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
                *self.places.entry(name).or_insert(next)
            })
            .collect()
    }

    fn uses(&mut self, candidate: &Candidate<'_>, kept: bool) -> Vec<(usize, u64)> {
        let offer = candidate.offer;
        let mut uses = Vec::new();
        // What those that stay take is in the ledger already.
        for (name, amount) in candidate.takes.demand.iter().filter(|_| !kept) {
            let all = offer.attributes.get_attr("capacity").and_then(|all| all.get_attr(name));
            let Some(all) = all.and_then(Value::as_number) else { continue };
            let pool = self.pools.get(
                format!("{}/{}/{name}", offer.backend, offer.name),
                || format!("`{}` has {all} of `{name}`", offer.name),
                || all.sub(&self.run.ledger.taken(offer, name)).map_or(0, |left| micro(&left)),
            );
            uses.push((pool, micro(amount)));
        }
        for (key, most) in &self.run.placement.quotas {
            if quota_covers(key, offer) {
                let name = || format!("at most {most} of `{key}`, by `quotas`");
                let pool = self.pools.get(format!("quota {key}"), name, || *most);
                uses.push((pool, candidate.takes.machines));
            }
        }
        uses
    }

    fn breaks(&self, offer: &Offer) -> Vec<usize> {
        let placement = &self.run.placement;
        let among = |allowed: &Option<Vec<String>>, attribute: &str| {
            allowed.as_ref().is_none_or(|allowed| {
                let own = offer.attributes.get_attr(attribute).and_then(Value::as_str);
                own.is_some_and(|own| allowed.iter().any(|one| one == own))
            })
        };
        let price = offer.attributes.get_attr("price_usd_per_hour").and_then(Value::as_number);
        // A region is not bought: how, and for how much, is said of machines.
        let is_bought = !market::is_region(offer);
        let holds = [
            among(&placement.regions, "region"),
            among(&placement.countries, "country"),
            // What is reserved was bought already.
            !is_bought || is_reserved(offer) || among(&placement.purchase, "purchase"),
            !is_bought
                || placement
                    .max_price_usd_per_hour
                    .as_ref()
                    .is_none_or(|most| price.is_some_and(|price| price <= most)),
        ];
        holds.iter().enumerate().filter(|(_, holds)| !**holds).map(|(at, _)| at).collect()
    }
}

fn is_reserved(offer: &Offer) -> bool {
    offer.attributes.get_attr("purchase").and_then(Value::as_str) == Some(market::RESERVED)
}

/// `aws/p5.48xlarge` covers the offers of that machine in all regions.
fn quota_covers(key: &str, offer: &Offer) -> bool {
    let Some((backend, name)) = key.split_once('/') else { return false };
    let machine = offer.name.split('/').next().unwrap_or_default();
    *offer.backend == *backend && (*offer.name == *name || machine == name)
}

/// What binds components that refer to each other, by what their types say.
fn links<'a>(run: &mut Run<'a>, parts: &Parts<'_, 'a>) -> (Vec<Link>, Vec<String>) {
    let (mut links, mut words) = (Vec::new(), Vec::new());
    for (a, (_, one, _)) in parts.iter().enumerate() {
        for (input, near) in &one.ty.near {
            for b in referred(parts, a, input) {
                links.push(Link { a, b, same: near.levels(), apart: Vec::new() });
                let (one, other) = (&one.address, &parts[b].1.address);
                words.push(format!("`{one}` and `{other}` must share their {}", near.word()));
            }
        }
        for (input, expression) in &one.ty.apart_usd_per_hour {
            let others = referred(parts, a, input);
            // Only money can be added to money.
            let Some(dollar) = run.placement.objective.of_a_dollar().filter(|_| !others.is_empty())
            else {
                continue;
            };
            let value = match evaluate(expression, &one.input, None, run.request.world) {
                Ok(value) => value,
                Err(faults) => {
                    run.diagnostics.extend(faults);
                    continue;
                }
            };
            let Some(usd) = value.as_number().filter(|usd| !usd.is_negative()) else {
                let check = format!("what it costs to be in another region than `{input}`");
                run.deferred.push(Deferred { component: one.address.clone(), check });
                continue;
            };
            let cost = u128::from(micro(usd)) * u128::from(dollar) / 1_000_000;
            for b in others {
                links.push(Link { a, b, same: 0, apart: vec![(Near::Region.levels(), cost)] });
                words.push(format!(
                    "the cost of `{}` apart from `{}`",
                    one.address, parts[b].1.address
                ));
            }
        }
    }
    (links, words)
}

/// Components that an input of a component refers to.
fn referred(parts: &Parts<'_, '_>, of: usize, input: &str) -> Vec<usize> {
    let one = parts[of].1;
    let references = one.written.inputs.get(input).map(lang::Expression::references);
    let mut found = Vec::new();
    for reference in references.unwrap_or_default() {
        let Some(TraversalStep::Attribute(name)) = reference.steps.first() else { continue };
        let other = parts.iter().position(|(_, other, _)| {
            other.path == one.path
                && other.component.type_name.text == reference.root.text
                && other.component.name.as_ref().is_some_and(|own| own.text == name.text)
        });
        found.extend(other.filter(|other| *other != of && !found.contains(other)));
    }
    found
}

/// How long a move may take to pay for itself, in hours, if nothing is said: a month.
const PAYS_BACK_HOURS: f64 = 720.0;

/// Whether what is saved in an hour, in millionths, makes up for what so many moves cost.
fn pays_back(run: &Run<'_>, saved: f64, moves: usize) -> bool {
    let placement = &run.placement;
    let (Some(usd), Some(dollar)) = (&placement.move_usd, placement.objective.of_a_dollar()) else {
        return true;
    };
    let hours = placement.move_pays_back_hours.as_ref().map_or(PAYS_BACK_HOURS, Number::to_f64);
    #[expect(clippy::cast_precision_loss, reason = "a comparison of sums")]
    let (moves, dollar) = (moves as f64, dollar as f64);
    saved * hours > usd.to_f64() * dollar * moves
}

/// Says so if what stays is far from what would be decided now.
fn hint<'a>(run: &mut Run<'a>, parts: &Parts<'_, 'a>, problem: &Problem, now: &Solution) {
    let kept: Vec<usize> = (0..parts.len()).filter(|&at| parts[at].2.kept).collect();
    if kept.is_empty() || run.placement.objective.may_be_negative() {
        return;
    }
    let mut free = Vec::new();
    for &at in &kept {
        // A component that nothing else suits has nowhere to go.
        let Some(found) = run.suitable(parts[at].1) else { return };
        free.push(found.candidates);
    }
    let maker_run: &Run<'a> = run;
    let mut maker = Maker { run: maker_run, pools: Pools::default(), places: BTreeMap::new() };
    let mut components = Vec::new();
    let mut names = Vec::new();
    let mut freed = free.into_iter();
    for (_, one, options) in parts {
        let ladder = &one.ladder;
        let mut candidates = options.candidates.clone();
        if options.kept {
            // What stays needs no capacity beside what it has.
            let others = freed.next().unwrap_or_default();
            let same = |other: &Candidate<'_>| {
                other.offer.backend == candidates[0].offer.backend
                    && other.offer.name == candidates[0].offer.name
            };
            let others: Vec<Candidate<'a>> = others.into_iter().filter(|one| !same(one)).collect();
            let mut choices = maker.choices(ladder, &candidates, true);
            choices.extend(maker.choices(ladder, &others, false));
            candidates.extend(others);
            components.push(choices);
        } else {
            components.push(maker.choices(ladder, &candidates, false));
        }
        names.push(candidates);
    }
    let pools = maker.pools.left;
    let better =
        Problem { components, pools, links: problem.links.clone(), budget: problem.budget };
    let Ok(best) = solve::solve(&better) else { return };
    let (now, then) = (now.cost, best.cost);
    let share = run.placement.reoptimize_threshold.as_ref().map_or(0.15, Number::to_f64);
    #[expect(clippy::cast_precision_loss, reason = "a comparison of sums with a share")]
    let saved = now.saturating_sub(then) as f64;
    #[expect(clippy::cast_precision_loss, reason = "a comparison of sums with a share")]
    if now == 0 || saved <= share * now as f64 {
        return;
    }
    let attribute = run.placement.objective.attribute();
    let moves: Vec<String> = kept
        .iter()
        .filter(|&&at| best.picks[at] > 0)
        .map(|&at| {
            let to = names[at][best.picks[at]].offer;
            format!("`{}` on `{}` ({})", parts[at].1.address, to.name, to.backend)
        })
        .collect();
    if moves.is_empty() || !pays_back(run, saved, moves.len()) {
        return;
    }
    // Steps of `try` are no part of the number that is shown.
    let shown = |cost: u128| {
        catalog::UsdPerHour(u64::try_from(cost % RUNG).unwrap_or(u64::MAX)).to_string()
    };
    run.diagnostics.push(ComponentError::BetterPlacement {
        better: format!(
            "{}: `{attribute}` {} instead of {}",
            moves.join(", "),
            shown(then),
            shown(now)
        ),
    });
}
