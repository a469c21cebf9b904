//! Random bytes, near to programs, through everything that reads text.
//!
//! Seconds by default; `STRATIFORM_FUZZ_SECONDS=600` goes on for ten minutes, with other seeds each time if
//! `STRATIFORM_FUZZ_SEED` is another. A failure names its seed.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test binary"
)]

use std::time::{Duration, Instant};

use stratiform_syntax as syntax;
use syntax::testing::{Random, Spelling, meaning, mutate, program};
use syntax::{Diagnostics, SourceMap};

fn option(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Calls `check` with one seed after the other until the time is over.
fn fuzz(name: &str, check: impl Fn(u64)) {
    let end = Instant::now() + Duration::from_secs(option("STRATIFORM_FUZZ_SECONDS", 8) / 4);
    let first = option("STRATIFORM_FUZZ_SEED", 1) << 32;
    let mut seed = first;
    while Instant::now() < end {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(seed)));
        if let Err(panic) = outcome {
            println!("{name}: seed {seed}");
            std::panic::resume_unwind(panic);
        }
        seed += 1;
    }
    println!("{name}: {} cases", seed - first);
}

/// Labels lie within the file, and each fault is told once.
fn check_faults(faults: &Diagnostics, map: &SourceMap, text: &[u8]) {
    let limit = map.files().last().map_or(0, |file| file.span().end as usize) + 1;
    let mut seen = Vec::new();
    for fault in faults.iter() {
        let labels: Vec<_> = fault.labels().into_iter().flatten().collect();
        for label in &labels {
            assert!(
                label.offset() + label.len() <= limit,
                "{fault} at {label:?} of {:?}",
                String::from_utf8_lossy(text)
            );
        }
        let place: Vec<_> = labels.iter().map(|label| (label.offset(), label.len())).collect();
        let told = (fault.to_string(), place);
        assert!(!seen.contains(&told), "twice: {told:?} of {:?}", String::from_utf8_lossy(text));
        seen.push(told);
    }
}

fn case(seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let spelling = if random.once_in(2) { Spelling::Wild } else { Spelling::Plain };
    let text = program(&mut random, spelling);
    if random.once_in(3) { text.into_bytes() } else { mutate(&mut random, &text) }
}

fn spans_are_within(body: &syntax::Body, text: &str) {
    for attribute in &body.attributes {
        let span = attribute.span.start as usize..attribute.span.end as usize;
        assert!(text.get(span.clone()).is_some(), "{span:?} of {text:?}");
    }
    for block in &body.blocks {
        let span = block.span.start as usize..block.span.end as usize;
        let shown = text.get(span.clone());
        assert!(
            shown.is_some_and(|shown| shown.starts_with(block.kind.as_str())),
            "{span:?} of {text:?}"
        );
        spans_are_within(&block.body, text);
    }
}

#[test]
fn files() {
    fuzz("files", |seed| {
        let bytes = case(seed);
        let mut map = SourceMap::new();
        let (body, faults) = syntax::parse(&mut map, "a.tf", &bytes);
        check_faults(&faults, &map, &bytes);
        let text = map.files().next().unwrap().text.clone();
        spans_are_within(&body, &text);
        let checked = std::str::from_utf8(&bytes).ok().and_then(syntax::format_checked);
        assert_eq!(checked.is_none(), faults.has_errors(), "{text:?}");
        if faults.has_errors() {
            return;
        }
        let text = String::from_utf8(bytes).unwrap();
        let once = syntax::format(&text);
        assert_eq!(checked.as_ref(), Some(&once));
        let (again, faults) = syntax::parse(&mut map, "b.tf", once.as_bytes());
        assert!(!faults.has_errors(), "{faults:?}\n{text:?}\n{once:?}");
        assert_eq!(meaning(&body), meaning(&again), "{text:?}\n{once:?}");
        let mut last = once;
        for _ in 0..6 {
            last = syntax::format(&last);
        }
        assert_eq!(syntax::format(&last), last, "{text:?}");
    });
}

#[test]
fn templates() {
    fuzz("templates", |seed| {
        let bytes = case(seed);
        let text = String::from_utf8_lossy(&bytes);
        let mut map = SourceMap::new();
        let (expr, faults) = syntax::parse_template(&mut map, "a.tftpl", &text);
        check_faults(&faults, &map, &bytes);
        assert!(expr.is_some() || faults.has_errors(), "{text:?}");
    });
}

#[test]
fn expressions() {
    fuzz("expressions", |seed| {
        let bytes = case(seed);
        let text = String::from_utf8_lossy(&bytes);
        let expression = text.split_once('=').map_or(&*text, |(_, rest)| rest);
        let mut map = SourceMap::new();
        let (expr, faults) = syntax::parse_expression(&mut map, "-var", expression);
        check_faults(&faults, &map, &bytes);
        assert!(expr.is_some() || faults.has_errors(), "{text:?}");
    });
}

#[test]
fn json() {
    const BITS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "\"a\"",
        "\"${b}\"",
        "\"%{if\"",
        ":",
        ",",
        "1",
        "-0.5e3",
        "null",
        "true",
        "\"//\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\n",
        " ",
        "\"${\\\"x\\\"\"",
        "\\",
        "é",
    ];
    fuzz("json", |seed| {
        let mut random = Random(seed);
        let mut text = String::new();
        for _ in 0..random.below(30) {
            text.push_str(random.one_of(BITS));
        }
        let text = format!("{{\"k\": {text}}}");
        let bytes = if random.once_in(2) { mutate(&mut random, &text) } else { text.into_bytes() };
        for read in [syntax::parse_json, syntax::parse_json_values] {
            let mut map = SourceMap::new();
            let (body, mut faults) = read(&mut map, "a.tf.json", &bytes);
            check_faults(&faults, &map, &bytes);
            // As decoders ask: what JSON means follows from what is asked of it.
            for labels in 0..3 {
                for block in body.blocks_checked("k", labels, &mut faults) {
                    assert_eq!(block.labels.len(), labels);
                    block.body.blocks_checked("a", 1, &mut faults);
                }
            }
            for attribute in &body.attributes {
                assert!(format!("{attribute:?}").contains("span"));
            }
        }
    });
}
