//! Our parser against another one, on generated and on damaged programs.

use crate::diagnostic::Diagnostics;
use crate::oracle;
use crate::parser;
use crate::position::Positions;
use crate::testing::{Random, Spelling, mutate, program};
use crate::tree::Body;

fn ours(text: &str) -> Option<Body> {
    let mut found = Diagnostics::new();
    let body = parser::body(text, &Positions::From(0), &mut found);
    (!found.has_errors()).then_some(body)
}

fn theirs(text: &str) -> Option<Body> {
    let mut found = Diagnostics::new();
    let body = oracle::body(text, &Positions::From(0), &mut found)?;
    (!found.has_errors()).then_some(body)
}

/// Runs `seeds` programs through both; says how many both accepted.
fn compare(seeds: std::ops::Range<u64>, spelling: Spelling, damage: bool) -> usize {
    let mut both = 0;
    for seed in seeds {
        let mut random = Random(seed);
        let mut text = program(&mut random, spelling);
        if damage {
            let Ok(damaged) = String::from_utf8(mutate(&mut random, &text)) else { continue };
            text = damaged;
        }
        if waived(&text) {
            continue;
        }
        let (Some(a), Some(b)) = (ours(&text), theirs(&text)) else { continue };
        both += 1;
        let difference = difference(&without_spans(&a), &without_spans(&b))
            .or_else(|| difference(&format!("{a:?}"), &format!("{b:?}")));
        assert_eq!(difference, None, "seed {seed}\n{text}");
    }
    both
}

/// What the other parser is known to read otherwise than terraform 1.11.4 does. Most of its differences are
/// refusals, and need no word here.
fn waived(text: &str) -> bool {
    // It does not normalise.
    if !unicode_normalization::is_nfc(text) {
        return true;
    }
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((_, marker)) = line.rsplit_once("<<") else { continue };
        let marker = marker.trim_start_matches('-').trim();
        // It does not find the end of a here-document without lines.
        if !marker.is_empty() && lines.peek().is_some_and(|next| next.trim() == marker) {
            return true;
        }
    }
    false
}

/// What two texts hold around the place where they begin to differ.
fn difference(a: &str, b: &str) -> Option<(String, String)> {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let near = |text: &str| text.chars().skip(same.saturating_sub(150)).take(300).collect();
    (a != b).then(|| (near(a), near(b)))
}

fn without_spans(body: &Body) -> String {
    let mut shown = String::new();
    let text = format!("{body:?}");
    let mut rest = text.as_str();
    while let Some(at) = rest.find("Span {") {
        shown.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('}').map_or(0, |end| end + 1)..];
    }
    shown + rest
}

fn labels(found: &Diagnostics, text: &str) -> Vec<String> {
    let labels = found.iter().filter_map(|one| one.labels()).flatten();
    labels
        .map(|label| {
            format!(
                "{:?} {:?}",
                label.label(),
                text.get(label.offset()..).map(|t| &t[..t.len().min(20)])
            )
        })
        .collect()
}

#[test]
fn programs_become_the_same_tree() {
    assert!(compare(0..700, Spelling::Plain, false) > 250);
    assert!(compare(0..700, Spelling::Wild, false) > 250);
}

#[test]
fn damaged_programs_become_the_same_tree_if_any() {
    assert!(compare(0..1500, Spelling::Plain, true) > 50);
    assert!(compare(0..1500, Spelling::Wild, true) > 50);
}

#[test]
fn generated_programs_are_accepted() {
    for seed in 0..1000 {
        let spelling = if seed % 2 == 0 { Spelling::Plain } else { Spelling::Wild };
        let text = program(&mut Random(seed), spelling);
        let mut found = Diagnostics::new();
        parser::body(&text, &Positions::From(0), &mut found);
        assert!(!found.has_errors(), "seed {seed}\n{text}\n{found:?} {:?}", labels(&found, &text));
    }
}
