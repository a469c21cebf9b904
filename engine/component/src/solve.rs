//! Finds the best assignment of choices to components. Pure, exact, and the same for the same input.
//!
//! In: a [`Problem`]: what each component may take, what they share, what binds them. Out: a [`Solution`] of the
//! least cost, or a [`Conflict`]: the smallest set of requirements that cannot all hold, with the cheapest one to
//! give up.
//!
//! 1. [`solve`] splits the components into groups that do not touch each other.
//! 2. A group whose links form no ring, and which shares nothing scarce, is solved by passing the best costs from
//!    the leaves to the root: `n` components at `p` places cost `n·p²`.
//! 3. Any other group is solved by branch and bound: the cheapest choice first, places that a link rules out are
//!    dropped at once, and a branch ends where even the cheapest rest cannot beat what is known.
//!
//! Ties go to the choice that stands first, so callers order choices by preference.

use std::collections::{BTreeMap, BTreeSet};

/// What is to be solved.
#[derive(Debug, Clone, Default)]
pub struct Problem {
    /// For each component, what it may take; the preferred first.
    pub components: Vec<Vec<Choice>>,
    /// How much there is of what is shared.
    pub pools: Vec<u64>,
    /// What binds two components.
    pub links: Vec<Link>,
    /// What all prices together may come to.
    pub budget: Option<u64>,
}

/// Something that a component may take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// What it costs in terms of the objective.
    pub cost: u128,
    /// What counts against the budget.
    pub price: u64,
    /// Where it is, from coarse to fine, such as backend, region, zone.
    pub place: Vec<u32>,
    /// What it takes of which pool.
    pub uses: Vec<(usize, u64)>,
    /// Requirements that it does not meet, by a number that the caller gives them.
    pub breaks: Vec<usize>,
}

/// Two components that must be, or had better be, near each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// One of the two.
    pub a: usize,
    /// The other.
    pub b: usize,
    /// So many levels of their places must be equal.
    pub same: usize,
    /// What it costs if so many levels are not equal.
    pub apart: Vec<(usize, u128)>,
}

/// A requirement that can be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// One of those that choices break.
    Own(usize),
    /// What there is of a pool.
    Pool(usize),
    /// A link.
    Link(usize),
    /// The budget.
    Budget,
}

/// The best assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// For each component, which of its choices.
    pub picks: Vec<usize>,
    /// What that costs, links included.
    pub cost: u128,
    /// False if the search was given up at [`MAX_NODES`]; then something cheaper may exist.
    pub proven: bool,
}

/// Why there is no assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Requirements that cannot all hold; without any one of them, the others can. Empty if a component has no
    /// choice at all.
    pub core: Vec<Requirement>,
    /// What to give up so that the cost is least, and what the whole costs then.
    pub relaxation: Option<(Requirement, Solution)>,
}

/// A search ends here, with the best that it has.
pub const MAX_NODES: u64 = 20_000_000;

/// Finds the cheapest assignment that meets all requirements.
pub fn solve(problem: &Problem) -> Result<Solution, Conflict> {
    let nothing = BTreeSet::new();
    attempt(problem, &nothing).ok_or_else(|| explain(problem))
}

/// The cheapest assignment if some requirements do not count.
fn attempt(problem: &Problem, relaxed: &BTreeSet<Requirement>) -> Option<Solution> {
    let search = Search::new(problem, relaxed)?;
    let mut picks = vec![0; problem.components.len()];
    let (mut cost, mut proven) = (0_u128, true);
    if search.budget.is_some() {
        // The budget ties everything together, if it binds at all.
        let free = Search { budget: None, ..search.clone() };
        let (unbound, sound) = free.groups_solved(&mut picks)?;
        (cost, proven) = (unbound, sound);
        if search.price(&picks) > search.budget.unwrap_or(u64::MAX) {
            let all: Vec<usize> = (0..problem.components.len()).collect();
            (cost, proven) = search.branch(&all, &mut picks)?;
        }
    } else {
        let (found, sound) = search.groups_solved(&mut picks)?;
        (cost, proven) = (cost + found, sound && proven);
    }
    Some(Solution { picks, cost, proven })
}

#[derive(Clone)]
struct Search<'a> {
    problem: &'a Problem,
    /// Choices that count, by component: they meet what is required, and no other is as good in every respect.
    domains: Vec<Vec<usize>>,
    /// Pools that could run out, with what there is.
    pools: BTreeMap<usize, u64>,
    links: Vec<&'a Link>,
    /// Links of each component.
    linked: Vec<Vec<usize>>,
    /// For each link, what its ends cost at least at each place that the link can demand.
    least: Vec<[BTreeMap<Vec<u32>, u128>; 2]>,
    budget: Option<u64>,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem, relaxed: &BTreeSet<Requirement>) -> Option<Self> {
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

    fn choice(&self, component: usize, pick: usize) -> &'a Choice {
        &self.problem.components[component][pick]
    }

    fn price(&self, picks: &[usize]) -> u64 {
        let prices = picks.iter().enumerate().map(|(one, &pick)| self.choice(one, pick).price);
        prices.fold(0, u64::saturating_add)
    }

    /// Solves group by group; the cost and whether it is proven to be least.
    fn groups_solved(&self, picks: &mut [usize]) -> Option<(u128, bool)> {
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

    /// Branch and bound over one group.
    fn branch(&self, group: &[usize], picks: &mut [usize]) -> Option<(u128, bool)> {
        let mut order = group.to_vec();
        // Few choices first: what is decided early decides the most.
        order.sort_by_key(|&one| {
            (self.domains[one].len(), std::cmp::Reverse(self.linked[one].len()), one)
        });
        let mut state = Branch {
            search: self,
            order,
            taken: self.pools.keys().map(|&pool| (pool, 0)).collect(),
            spent: 0,
            picked: vec![None; self.problem.components.len()],
            best: None,
            nodes: 0,
        };
        let domains: Vec<Vec<usize>> =
            state.order.iter().map(|&one| self.domains[one].clone()).collect();
        state.descend(0, 0, &domains);
        let (cost, found) = state.best?;
        for (&one, &pick) in state.order.iter().zip(&found) {
            picks[one] = pick;
        }
        Some((cost, state.nodes < MAX_NODES))
    }
}

impl Link {
    fn cost(&self, a: &Choice, b: &Choice) -> Option<u128> {
        let common = a.place.iter().zip(&b.place).take_while(|(a, b)| a == b).count();
        if common < self.same {
            return None;
        }
        let apart = self.apart.iter().filter(|(level, _)| common < *level).map(|(_, cost)| *cost);
        Some(apart.fold(0, u128::saturating_add))
    }
}

struct Branch<'s, 'a> {
    search: &'s Search<'a>,
    order: Vec<usize>,
    taken: BTreeMap<usize, u64>,
    spent: u64,
    picked: Vec<Option<usize>>,
    best: Option<(u128, Vec<usize>)>,
    nodes: u64,
}

impl Branch<'_, '_> {
    /// Decides the component at `depth`; `domains` is what is left to it and to those after it.
    fn descend(&mut self, depth: usize, cost: u128, domains: &[Vec<usize>]) {
        let Some(&one) = self.order.get(depth) else {
            if self.best.as_ref().is_none_or(|(least, _)| cost < *least) {
                let found = self.order.iter().filter_map(|&one| self.picked[one]).collect();
                self.best = Some((cost, found));
            }
            return;
        };
        // What the rest costs and spends at least, links left out.
        let rest = || domains[1..].iter().zip(&self.order[depth + 1..]);
        let choices = |(domain, other): (&Vec<usize>, &usize)| -> Vec<&Choice> {
            domain.iter().map(|&pick| self.search.choice(*other, pick)).collect()
        };
        // The least that each later component can cost.
        let least: Vec<u128> = rest()
            .map(|part| choices(part).iter().map(|choice| choice.cost).min().unwrap_or(0))
            .collect();
        let rest_cost = least.iter().copied().fold(0, u128::saturating_add);
        let rest_price = rest()
            .map(|part| choices(part).iter().map(|choice| choice.price).min().unwrap_or(0))
            .fold(0, u64::saturating_add);
        let mut ranked: Vec<(u128, u128, usize)> = Vec::new();
        for &pick in &domains[0] {
            let Some(step) = self.step(one, pick) else { continue };
            let Some(more) = self.ahead(depth, pick, &least) else { continue };
            ranked.push((step.saturating_add(more), step, pick));
        }
        // The sort keeps the order of equals: the preferred goes first.
        ranked.sort_by_key(|(step, _, _)| *step);
        for (ahead, step, pick) in ranked {
            if self.nodes >= MAX_NODES {
                return;
            }
            self.nodes += 1;
            let total = cost.saturating_add(step);
            let bound = cost.saturating_add(ahead).saturating_add(rest_cost);
            if self.best.as_ref().is_some_and(|(least, _)| bound >= *least) {
                return;
            }
            let choice = self.search.choice(one, pick);
            let spent = self.spent.saturating_add(choice.price);
            if self.search.budget.is_some_and(|budget| spent.saturating_add(rest_price) > budget) {
                continue;
            }
            let Some(narrowed) = self.narrow(depth, pick, &domains[1..]) else { continue };
            self.take(one, pick, true);
            self.descend(depth + 1, total, &narrowed);
            self.take(one, pick, false);
        }
    }

    /// What a choice costs beside those that are picked; `None` if a link or a pool forbids it.
    fn step(&self, one: usize, pick: usize) -> Option<u128> {
        let choice = self.search.choice(one, pick);
        let fits = choice.uses.iter().all(|(pool, amount)| {
            self.search.pools.get(pool).is_none_or(|all| {
                self.taken.get(pool).copied().unwrap_or(0).saturating_add(*amount) <= *all
            })
        });
        if !fits {
            return None;
        }
        let mut cost = choice.cost;
        for &at in &self.search.linked[one] {
            let link = self.search.links[at];
            let other = if link.a == one { link.b } else { link.a };
            if let Some(picked) = self.picked[other] {
                cost = cost.saturating_add(link.cost(choice, self.search.choice(other, picked))?);
            }
        }
        Some(cost)
    }

    /// By how much a choice makes linked components dearer than the cheapest that they could have; `None` if it
    /// leaves nothing to one of them.
    fn ahead(&self, depth: usize, pick: usize, least: &[u128]) -> Option<u128> {
        let one = self.order[depth];
        let choice = self.search.choice(one, pick);
        let mut dearest: BTreeMap<usize, u128> = BTreeMap::new();
        for &at in &self.search.linked[one] {
            let link = self.search.links[at];
            let (other, end) = if link.a == one { (link.b, 1) } else { (link.a, 0) };
            if self.picked[other].is_none() && other != one {
                let least = *self.search.least[at][end].get(choice.place.get(..link.same)?)?;
                let entry = dearest.entry(other).or_default();
                *entry = (*entry).max(least);
            }
        }
        let rest = least.iter().zip(&self.order[depth + 1..]);
        let more =
            rest.filter_map(|(least, other)| Some(dearest.get(other)?.saturating_sub(*least)));
        Some(more.fold(0, u128::saturating_add))
    }

    /// What is left to later components; `None` if nothing is left to one of them.
    fn narrow(&self, depth: usize, pick: usize, domains: &[Vec<usize>]) -> Option<Vec<Vec<usize>>> {
        let one = self.order[depth];
        let choice = self.search.choice(one, pick);
        let mut narrowed = domains.to_vec();
        for &at in &self.search.linked[one] {
            let link = self.search.links[at];
            let other = if link.a == one { link.b } else { link.a };
            let Some(later) = self.order[depth + 1..].iter().position(|&later| later == other)
            else {
                continue;
            };
            narrowed[later]
                .retain(|&theirs| link.cost(choice, self.search.choice(other, theirs)).is_some());
            if narrowed[later].is_empty() {
                return None;
            }
        }
        Some(narrowed)
    }

    fn take(&mut self, one: usize, pick: usize, on: bool) {
        let choice = self.search.choice(one, pick);
        for (pool, amount) in &choice.uses {
            if let Some(taken) = self.taken.get_mut(pool) {
                *taken = if on { taken.saturating_add(*amount) } else { *taken - *amount };
            }
        }
        self.spent =
            if on { self.spent.saturating_add(choice.price) } else { self.spent - choice.price };
        self.picked[one] = on.then_some(pick);
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

/// The smallest set of requirements that cannot all hold.
fn explain(problem: &Problem) -> Conflict {
    let all = requirements(problem);
    let everything: BTreeSet<Requirement> = all.iter().copied().collect();
    if attempt(problem, &everything).is_none() {
        return Conflict { core: Vec::new(), relaxation: None };
    }
    let impossible = |kept: &[Requirement]| {
        let relaxed = all.iter().filter(|one| !kept.contains(one)).copied().collect();
        attempt(problem, &relaxed).is_none()
    };
    let core = small_core(&all, &impossible).unwrap_or_else(|| {
        // Drop one after another as long as what is left cannot hold.
        let mut core = all.clone();
        for one in &all {
            let without: Vec<Requirement> =
                core.iter().filter(|kept| *kept != one).copied().collect();
            if impossible(&without) {
                core = without;
            }
        }
        core
    });
    let freed =
        core.iter().filter_map(|&one| Some((one, attempt(problem, &BTreeSet::from([one]))?)));
    let relaxation = freed.min_by_key(|(one, solution)| (solution.cost, *one));
    Conflict { core, relaxation }
}

/// One or two requirements that cannot hold, if so few are to blame. More would be too many pairs to try.
fn small_core(
    all: &[Requirement],
    impossible: &dyn Fn(&[Requirement]) -> bool,
) -> Option<Vec<Requirement>> {
    const PAIRS_AMONG: usize = 40;
    if let Some(&one) = all.iter().find(|one| impossible(&[**one])) {
        return Some(vec![one]);
    }
    if all.len() > PAIRS_AMONG {
        return None;
    }
    for (at, &first) in all.iter().enumerate() {
        if let Some(&second) = all[at + 1..].iter().find(|second| impossible(&[first, **second])) {
            return Some(vec![first, second]);
        }
    }
    None
}

fn requirements(problem: &Problem) -> Vec<Requirement> {
    let choices = problem.components.iter().flatten();
    let own: BTreeSet<usize> = choices.flat_map(|choice| choice.breaks.iter().copied()).collect();
    let own = own.into_iter().map(Requirement::Own);
    let pools = (0..problem.pools.len()).map(Requirement::Pool);
    let links = (0..problem.links.len()).map(Requirement::Link);
    own.chain(pools).chain(links).chain(problem.budget.map(|_| Requirement::Budget)).collect()
}
