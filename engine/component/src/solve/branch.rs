//! Branch and bound, for groups that form rings or share something scarce.

use std::collections::BTreeMap;

use super::search::Search;
use super::{Choice, MAX_NODES};

impl Search<'_> {
    /// Branch and bound over one group.
    pub(super) fn branch(&self, group: &[usize], picks: &mut [usize]) -> Option<(u128, bool)> {
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
