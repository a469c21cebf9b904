//! The solver against trying everything, and against the clock.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a test binary"
)]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use stratiform_component::solve::{Choice, Link, Problem, Requirement, solve};

/// The least cost, by trying everything. A slow and plain second opinion.
fn naive(problem: &Problem, without: &[Requirement]) -> Option<u128> {
    let counts = |one: Requirement| !without.contains(&one);
    let mut best = None;
    let mut picks = vec![0; problem.components.len()];
    'all: loop {
        if let Some(cost) = value_of(problem, &picks, &counts) {
            best = Some(best.map_or(cost, |least: u128| least.min(cost)));
        }
        for (pick, choices) in picks.iter_mut().zip(&problem.components) {
            *pick += 1;
            if *pick < choices.len() {
                continue 'all;
            }
            *pick = 0;
        }
        return best;
    }
}

/// What an assignment costs; `None` if it breaks something that counts.
fn value_of(
    problem: &Problem,
    picks: &[usize],
    counts: &dyn Fn(Requirement) -> bool,
) -> Option<u128> {
    let chosen: Vec<&Choice> = picks
        .iter()
        .zip(&problem.components)
        .map(|(&pick, all)| all.get(pick))
        .collect::<Option<_>>()?;
    if chosen.iter().any(|choice| choice.breaks.iter().any(|&one| counts(Requirement::Own(one)))) {
        return None;
    }
    for (pool, all) in problem.pools.iter().enumerate() {
        let taken: u64 = chosen
            .iter()
            .flat_map(|choice| &choice.uses)
            .filter(|(of, _)| *of == pool)
            .map(|(_, amount)| amount)
            .sum();
        if taken > *all && counts(Requirement::Pool(pool)) {
            return None;
        }
    }
    let mut cost: u128 = chosen.iter().map(|choice| choice.cost).sum();
    for (at, link) in problem.links.iter().enumerate() {
        if !counts(Requirement::Link(at)) {
            continue;
        }
        let (a, b) = (&chosen[link.a].place, &chosen[link.b].place);
        let equal = (0..a.len()).take_while(|&level| a[level] == b[level]).count();
        if equal < link.same {
            return None;
        }
        cost += link
            .apart
            .iter()
            .filter(|(level, _)| equal < *level)
            .map(|(_, more)| more)
            .sum::<u128>();
    }
    let price: u64 = chosen.iter().map(|choice| choice.price).sum();
    (problem.budget.is_none_or(|budget| price <= budget) || !counts(Requirement::Budget))
        .then_some(cost)
}

fn a_choice() -> impl Strategy<Value = Choice> {
    (
        0..30_u64,
        0..20_u64,
        0..2_u32,
        0..3_u32,
        proptest::option::of((0..2_usize, 1..5_u64)),
        proptest::option::weighted(0.2, 0..3_usize),
    )
        .prop_map(|(cost, price, backend, region, uses, breaks)| Choice {
            cost: u128::from(cost),
            price,
            place: vec![backend, region],
            uses: uses.into_iter().collect(),
            breaks: breaks.into_iter().collect(),
        })
}

fn a_problem() -> impl Strategy<Value = Problem> {
    let components = proptest::collection::vec(proptest::collection::vec(a_choice(), 1..5), 1..6);
    let links = proptest::collection::vec((0..6_usize, 0..6_usize, 0..3_usize, 0..15_u64), 0..5);
    (components, proptest::collection::vec(2..10_u64, 2), links, proptest::option::of(5..60_u64))
        .prop_map(|(components, pools, links, budget)| {
            let count = components.len();
            let links =
                links.into_iter().map(|(a, b, same, cost)| (a % count, b % count, same, cost));
            let links = links.filter(|(a, b, ..)| a != b);
            let links = links
                .map(|(a, b, same, cost)| Link { a, b, same, apart: vec![(2, u128::from(cost))] })
                .collect();
            Problem { components, pools, links, budget }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_answer_is_the_best_of_all(problem in a_problem()) {
        let all = |_: Requirement| true;
        match (solve(&problem), naive(&problem, &[])) {
            (Ok(found), Some(least)) => {
                prop_assert!(found.proven);
                prop_assert_eq!(found.cost, least);
                prop_assert_eq!(value_of(&problem, &found.picks, &all), Some(least));
                prop_assert_eq!(solve(&problem).unwrap().picks, found.picks);
            }
            (Err(conflict), None) => {
                // Each of the core is needed for the conflict: without it the rest of the core can hold.
                let everything: Vec<Requirement> = requirements(&problem);
                let outside = |kept: &[Requirement]| -> Vec<Requirement> {
                    everything.iter().filter(|one| !kept.contains(one)).copied().collect()
                };
                prop_assert!(naive(&problem, &outside(&conflict.core)).is_none());
                for at in 0..conflict.core.len() {
                    let mut fewer = conflict.core.clone();
                    fewer.remove(at);
                    prop_assert!(naive(&problem, &outside(&fewer)).is_some());
                }
                if let Some((one, solution)) = conflict.relaxation {
                    prop_assert_eq!(naive(&problem, &[one]), Some(solution.cost));
                }
            }
            (found, least) => prop_assert!(false, "{found:?} but {least:?}"),
        }
    }
}

fn requirements(problem: &Problem) -> Vec<Requirement> {
    let own = (0..3).map(Requirement::Own);
    let pools = (0..problem.pools.len()).map(Requirement::Pool);
    let links = (0..problem.links.len()).map(Requirement::Link);
    own.chain(pools).chain(links).chain([Requirement::Budget]).collect()
}

/// Choices in many regions, with prices that differ and cannot be told by a rule.
fn many(seed: u64, regions: u32) -> Vec<Choice> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..regions * 8)
        .map(|at| {
            let cost = 1_000_000 + next() % 9_000_000;
            Choice {
                cost: u128::from(cost),
                price: cost,
                place: vec![at % 3, at % regions],
                ..Choice::default()
            }
        })
        .collect()
}

fn timed(problem: &Problem) -> Duration {
    let start = Instant::now();
    assert!(solve(problem).unwrap().proven);
    start.elapsed()
}

#[test]
fn two_hundred_components_that_hang_together_are_solved_soon() {
    let components: Vec<Vec<Choice>> = (0..200).map(|seed| many(seed + 1, 60)).collect();
    let links: Vec<Link> = (1..200)
        .map(|b| Link {
            a: (b - 1) / 2,
            b,
            same: usize::from(b % 5 == 0),
            apart: vec![(2, 700_000)],
        })
        .collect();
    let took = timed(&Problem { components, links, ..Problem::default() });
    // The promise is 2 s of a release build; this is a build for tests on a shared machine.
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_stack_over_thousands_of_offers_is_solved_soon() {
    let components: Vec<Vec<Choice>> = (0..6).map(|seed| many(seed + 7, 1_000)).collect();
    let links = vec![
        Link { a: 0, b: 1, same: 2, apart: Vec::new() },
        Link { a: 0, b: 2, same: 2, apart: Vec::new() },
        Link { a: 1, b: 2, same: 2, apart: Vec::new() },
        Link { a: 3, b: 0, same: 1, apart: vec![(2, 300_000)] },
    ];
    let took = timed(&Problem { components, links, ..Problem::default() });
    assert!(took < Duration::from_secs(5), "{took:?}");
}
