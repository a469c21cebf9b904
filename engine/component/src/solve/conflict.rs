//! Which requirements are to blame where there is no assignment.

use std::collections::BTreeSet;

use super::{Conflict, Problem, Requirement, attempt};

/// The smallest set of requirements that cannot all hold.
pub(super) fn explain(problem: &Problem) -> Conflict {
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
