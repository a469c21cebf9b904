//! Finds the best assignment of choices to components. Pure, exact, and the same for the same input.
//!
//! In: a [`Problem`]: what each component may take, what they share, what binds them. Out: a [`Solution`] of the
//! least cost, or a [`Conflict`]: the smallest set of requirements that cannot all hold, with the cheapest one to
//! give up.
//!
//! 1. [`solve`], with `search`, splits the components into groups that do not touch each other.
//! 2. A group whose links form no ring, and which shares nothing scarce, is solved by passing the best costs from
//!    the leaves to the root: `n` components at `p` places cost `n·p²`.
//! 3. Any other group is solved in `branch`, by branch and bound: the cheapest choice first, places that a link
//!    rules out are dropped at once, and a branch ends where even the cheapest rest cannot beat what is known.
//! 4. Where there is no solution, `conflict` finds what is to blame.
//!
//! Ties go to the choice that stands first, so callers order choices by preference.

mod search;

mod branch;
mod conflict;

use std::collections::BTreeSet;

use conflict::explain;
use search::Search;

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
