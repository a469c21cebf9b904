//! Groups of components that touch each other, and those that form trees.

use std::collections::{BTreeMap, BTreeSet};

use super::{Choice, Link, Problem, Requirement};

#[derive(Clone)]
pub(super) struct Search<'a> {
    pub(super) problem: &'a Problem,
    /// Choices that count, by component: they meet what is required, and no other is as good in every respect.
    pub(super) domains: Vec<Vec<usize>>,
    /// Pools that could run out, with what there is.
    pub(super) pools: BTreeMap<usize, u64>,
    pub(super) links: Vec<&'a Link>,
    /// Links of each component.
    pub(super) linked: Vec<Vec<usize>>,
    /// For each link, what its ends cost at least at each place that the link can demand.
    pub(super) least: Vec<[BTreeMap<Vec<u32>, u128>; 2]>,
    pub(super) budget: Option<u64>,
}

impl<'a> Search<'a> {
    pub(super) fn new(problem: &'a Problem, relaxed: &BTreeSet<Requirement>) -> Option<Self> {
        let budget = problem.budget.filter(|_| !relaxed.contains(&Requirement::Budget));
        let keeps = |choice: &Choice| {
            choice.breaks.iter().all(|&broken| relaxed.contains(&Requirement::Own(broken)))
        };
        let mut domains: Vec<Vec<usize>> = Vec::with_capacity(problem.components.len());
        for choices in &problem.components {
            domains.push((0..choices.len()).filter(|&at| keeps(&choices[at])).collect());
        }
        let pools = scarce(problem, &domains, relaxed);
        let links: Vec<&Link> = problem
            .links
            .iter()
            .enumerate()
            .filter_map(|(at, link)| (!relaxed.contains(&Requirement::Link(at))).then_some(link))
            .collect();
        let mut linked = vec![Vec::new(); problem.components.len()];
        for (at, link) in links.iter().enumerate() {
            linked[link.a].push(at);
            linked[link.b].push(at);
        }
        let depth: Vec<usize> = linked
            .iter()
            .map(|own| {
                let levels = own.iter().flat_map(|&at| {
                    links[at].apart.iter().map(|(level, _)| *level).chain([links[at].same])
                });
                levels.max().unwrap_or(0)
            })
            .collect();
        for (component, domain) in domains.iter_mut().enumerate() {
            undominated(
                &problem.components[component],
                domain,
                depth[component],
                &pools,
                budget.is_some(),
            );
            if domain.is_empty() {
                return None;
            }
        }
        let least = links
            .iter()
            .map(|link| {
                [link.a, link.b].map(|end| cheapest(problem, end, &domains[end], link.same))
            })
            .collect();
        Some(Self { problem, domains, pools, links, linked, least, budget })
    }

    pub(super) fn choice(&self, component: usize, pick: usize) -> &'a Choice {
        &self.problem.components[component][pick]
    }

    pub(super) fn price(&self, picks: &[usize]) -> u64 {
        let prices = picks.iter().enumerate().map(|(one, &pick)| self.choice(one, pick).price);
        prices.fold(0, u64::saturating_add)
    }

    /// Solves group by group; the cost and whether it is proven to be least.
    pub(super) fn groups_solved(&self, picks: &mut [usize]) -> Option<(u128, bool)> {
        let (mut cost, mut proven) = (0_u128, true);
        for group in self.groups() {
            let tree = if self.is_plain(&group) { self.spread(&group) } else { None };
            let (part, sound) = match tree {
                Some(order) => (self.pass(&order, picks)?, true),
                None => self.branch(&group, picks)?,
            };
            cost = cost.saturating_add(part);
            proven &= sound;
        }
        Some((cost, proven))
    }

    /// Components that touch each other by a link or something scarce.
    fn groups(&self) -> Vec<Vec<usize>> {
        let count = self.problem.components.len();
        let mut leader: Vec<usize> = (0..count).collect();
        let mut join = |a: usize, b: usize| {
            let (a, b) = (find(&mut leader, a), find(&mut leader, b));
            leader[a.max(b)] = a.min(b);
        };
        self.links.iter().for_each(|link| join(link.a, link.b));
        let mut users: BTreeMap<usize, usize> = BTreeMap::new();
        for component in 0..count {
            for &pick in &self.domains[component] {
                for (pool, _) in &self.choice(component, pick).uses {
                    if self.pools.contains_key(pool) {
                        join(*users.entry(*pool).or_insert(component), component);
                    }
                }
            }
        }
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for component in 0..count {
            groups.entry(find(&mut leader, component)).or_default().push(component);
        }
        groups.into_values().collect()
    }

    /// Whether nothing scarce is used.
    fn is_plain(&self, group: &[usize]) -> bool {
        let uses = |component: &usize| {
            self.domains[*component].iter().any(|&pick| {
                self.choice(*component, pick)
                    .uses
                    .iter()
                    .any(|(pool, _)| self.pools.contains_key(pool))
            })
        };
        !group.iter().any(uses)
    }

    /// The group from the root outwards, each with its parent and their links; `None` if there is a ring.
    fn spread(&self, group: &[usize]) -> Option<Vec<(usize, Option<usize>, Vec<usize>)>> {
        let mut order = vec![(group[0], None, Vec::new())];
        let mut seen = BTreeSet::from([group[0]]);
        let mut next = 0;
        while next < order.len() {
            let (one, parent, _) = order[next].clone();
            let mut outward: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for &at in &self.linked[one] {
                let other =
                    if self.links[at].a == one { self.links[at].b } else { self.links[at].a };
                if Some(other) != parent && other != one {
                    outward.entry(other).or_default().push(at);
                }
            }
            for (other, links) in outward {
                if !seen.insert(other) {
                    return None;
                }
                order.push((other, Some(one), links));
            }
            next += 1;
        }
        Some(order)
    }

    /// Passes the best costs from the leaves to the root, and the picks back.
    fn pass(
        &self,
        order: &[(usize, Option<usize>, Vec<usize>)],
        picks: &mut [usize],
    ) -> Option<u128> {
        let count = self.problem.components.len();
        // For each choice of a component, what it and all that hangs on it cost.
        let mut costs: Vec<Vec<Option<u128>>> = vec![Vec::new(); count];
        // For each choice of the parent, the best of the child.
        let mut best: Vec<Vec<Option<usize>>> = vec![Vec::new(); count];
        for (one, _, _) in order {
            costs[*one] =
                self.domains[*one].iter().map(|&pick| Some(self.choice(*one, pick).cost)).collect();
        }
        for (one, parent, links) in order.iter().rev() {
            let Some(parent) = *parent else { continue };
            for at in 0..self.domains[parent].len() {
                let there = self.choice(parent, self.domains[parent][at]);
                let mut found: Option<(u128, usize)> = None;
                for (own, &pick) in self.domains[*one].iter().enumerate() {
                    let Some(own_cost) = costs[*one][own] else { continue };
                    let Some(between) = self.between(links, there, self.choice(*one, pick)) else {
                        continue;
                    };
                    let total = own_cost.saturating_add(between);
                    if found.is_none_or(|(least, _)| total < least) {
                        found = Some((total, own));
                    }
                }
                best[*one].push(found.map(|(_, own)| own));
                costs[parent][at] =
                    costs[parent][at].zip(found).map(|(sum, (more, _))| sum.saturating_add(more));
            }
        }
        let root = order[0].0;
        let (least, at) =
            (0..costs[root].len()).filter_map(|at| Some((costs[root][at]?, at))).min()?;
        let mut chosen: BTreeMap<usize, usize> = BTreeMap::from([(root, at)]);
        for (one, parent, _) in order {
            if let Some(parent) = parent {
                chosen.insert(*one, best[*one][chosen[parent]]?);
            }
            picks[*one] = self.domains[*one][chosen[one]];
        }
        Some(least)
    }

    /// What links between two choices cost; `None` if one forbids it.
    fn between(&self, links: &[usize], a: &Choice, b: &Choice) -> Option<u128> {
        links
            .iter()
            .try_fold(0_u128, |sum, &at| Some(sum.saturating_add(self.links[at].cost(a, b)?)))
    }
}

/// The first of the group that a component belongs to.
fn find(leader: &mut [usize], one: usize) -> usize {
    let mut at = one;
    while leader[at] != at {
        leader[at] = leader[leader[at]];
        at = leader[at];
    }
    at
}

/// Pools that run out if everybody takes as much as they may.
fn scarce(
    problem: &Problem,
    domains: &[Vec<usize>],
    relaxed: &BTreeSet<Requirement>,
) -> BTreeMap<usize, u64> {
    let mut most: BTreeMap<usize, u64> = BTreeMap::new();
    for (component, domain) in domains.iter().enumerate() {
        let mut own: BTreeMap<usize, u64> = BTreeMap::new();
        for &pick in domain {
            for (pool, amount) in &problem.components[component][pick].uses {
                let entry = own.entry(*pool).or_default();
                *entry = (*entry).max(*amount);
            }
        }
        for (pool, amount) in own {
            let entry = most.entry(pool).or_default();
            *entry = entry.saturating_add(amount);
        }
    }
    let counts = |pool: &usize| !relaxed.contains(&Requirement::Pool(*pool));
    let scarce =
        most.into_iter().filter(|(pool, most)| counts(pool) && *most > problem.pools[*pool]);
    scarce.map(|(pool, _)| (pool, problem.pools[pool])).collect()
}

/// What a component costs at least at each place, down to a level.
fn cheapest(
    problem: &Problem,
    component: usize,
    domain: &[usize],
    level: usize,
) -> BTreeMap<Vec<u32>, u128> {
    let mut least: BTreeMap<Vec<u32>, u128> = BTreeMap::new();
    for &pick in domain {
        let choice = &problem.components[component][pick];
        let Some(place) = choice.place.get(..level) else { continue };
        let entry = least.entry(place.to_vec()).or_insert(choice.cost);
        *entry = (*entry).min(choice.cost);
    }
    least
}

/// Drops choices for which another one stands at the same place, takes the same, and costs no more.
fn undominated(
    choices: &[Choice],
    domain: &mut Vec<usize>,
    depth: usize,
    pools: &BTreeMap<usize, u64>,
    priced: bool,
) {
    let mut kept: BTreeMap<(Vec<u32>, Vec<(usize, u64)>, u64), usize> = BTreeMap::new();
    for &at in domain.iter() {
        let choice = &choices[at];
        let place: Vec<u32> = choice.place.iter().take(depth).copied().collect();
        let mut uses = choice.uses.clone();
        uses.retain(|(pool, _)| pools.contains_key(pool));
        let key = (place, uses, if priced { choice.price } else { 0 });
        let best = kept.entry(key).or_insert(at);
        if choice.cost < choices[*best].cost {
            *best = at;
        }
    }
    let mut left: Vec<usize> = kept.into_values().collect();
    left.sort_unstable();
    *domain = left;
}
