//! Random bytes, near to programs, through everything that reads text.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test binary"
)]

#[path = "fuzz/driver.rs"]
mod driver;

use driver::fuzz;
use stratiform_syntax as syntax;
use syntax::testing::{Random, Spelling, meaning, mutate, program};
use syntax::{Diagnostics, SourceMap};

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

/// A file is read without a panic; what is right stays right, and says the same, when it is laid out anew.
fn check_file(bytes: &[u8]) {
    let mut map = SourceMap::new();
    let (body, faults) = syntax::parse(&mut map, "a.tf", bytes);
    check_faults(&faults, &map, bytes);
    let text = map.files().next().unwrap().text.clone();
    spans_are_within(&body, &text);
    let checked = std::str::from_utf8(bytes).ok().and_then(syntax::format_checked);
    assert_eq!(checked.is_none(), faults.has_errors(), "{text:?}");
    if faults.has_errors() {
        return;
    }
    let text = std::str::from_utf8(bytes).unwrap();
    let once = syntax::format(text);
    assert_eq!(checked.as_ref(), Some(&once));
    let (again, faults) = syntax::parse(&mut map, "b.tf", once.as_bytes());
    assert!(!faults.has_errors(), "{faults:?}\n{text:?}\n{once:?}");
    let (before, after) = (meaning(&body), meaning(&again));
    if !(indexes_a_number(text) && joined(&before) == joined(&after)) {
        assert_eq!(before, after, "{text:?}\n{once:?}");
    }
    let mut last = once;
    for _ in 0..6 {
        last = syntax::format(&last);
    }
    assert_eq!(syntax::format(&last), last, "{text:?}");
}

/// Whether an index stands behind a number, as in `0 .1`. It has no value, and is laid out as a number with a fraction,
/// as Terraform does.
fn indexes_a_number(text: &str) -> bool {
    text.match_indices('.').any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let (number, index) = (before.trim_end(), after.trim_start());
        let apart = number.len() < before.len() || index.len() < after.len();
        apart
            && number.ends_with(|c: char| c.is_ascii_digit())
            && index.starts_with(|c: char| c.is_ascii_digit())
    })
}

fn joined(meaning: &str) -> String {
    meaning.replace([' ', '.'], "")
}

#[test]
fn files() {
    fuzz("files", |seed| check_file(&case(seed)));
}

/// Every file of this repository that is in the language.
fn published() -> Vec<String> {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let ends = |end: &str| name.ends_with(end);
            if name == "target" || name.starts_with('.') {
            } else if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if ends(".tf") || ends(".tfvars") || ends(".hcl") {
                texts.push(std::fs::read_to_string(entry.path()).unwrap_or_default());
            }
        }
    }
    assert!(texts.len() > 10, "the modules and examples are there");
    texts
}

#[test]
fn real_files() {
    let texts = published();
    fuzz("real_files", |seed| {
        let mut random = Random(seed);
        let text = &texts[random.below(texts.len())];
        // A part is as good as the whole, and faster.
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let from = random.below(lines.len());
        let part = lines[from..(from + 1 + random.below(60)).min(lines.len())].concat();
        check_file(&mutate(&mut random, &part));
    });
}

/// Bytes that nobody meant as a program.
#[test]
fn noise() {
    fuzz("noise", |seed| {
        let mut random = Random(seed);
        let length = random.below(200);
        let few = random.once_in(2);
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                let byte = random.below(256);
                u8::try_from(if few { 32 + byte % 96 } else { byte }).unwrap()
            })
            .collect();
        check_file(&bytes);
        for read in [syntax::parse_json, syntax::parse_json_values] {
            let mut map = SourceMap::new();
            let (_, faults) = read(&mut map, "a.tf.json", &bytes);
            check_faults(&faults, &map, &bytes);
        }
    });
}

/// Brackets, blocks, templates and chains, far beyond what anybody writes, and cut off anywhere.
#[test]
fn nesting() {
    const OPENERS: &[&str] = &[
        "(",
        "[",
        "{a=",
        "\"${",
        "f(",
        "[for x in ",
        "{for k, v in ",
        "b {\n",
        "x = ",
        "a ? ",
        "!",
        "-",
        "a.b[",
        "a + ",
        "\"%{if ",
        "\"%{for x in y}",
        "<<E\n${",
        "a[*].",
        "a == b ? ",
    ];
    const CLOSERS: &[&str] = &[")", "]", "}", "}\"", "\n}", ": 1", " : a]", "%{endif}\"", "\nE\n"];
    fuzz("nesting", |seed| {
        let mut random = Random(seed);
        let mut text = String::from("x = ");
        for _ in 0..=random.below(3) {
            let opener = random.one_of(OPENERS);
            text.push_str(&opener.repeat(random.below(2000)));
        }
        text.push('1');
        for _ in 0..random.below(3) {
            let closer = random.one_of(CLOSERS);
            text.push_str(&closer.repeat(random.below(2000)));
        }
        text.push('\n');
        check_file(text.as_bytes());
        let mut map = SourceMap::new();
        let (_, faults) = syntax::parse_template(&mut map, "a.tftpl", &text);
        check_faults(&faults, &map, text.as_bytes());
        let json: String = text
            .chars()
            .map(|character| match character {
                '(' | '{' => '[',
                ')' | '}' => ']',
                other => other,
            })
            .collect();
        let json = format!("{{\"k\": {}", &json[4..]);
        let (_, faults) = syntax::parse_json(&mut map, "a.tf.json", json.as_bytes());
        check_faults(&faults, &map, json.as_bytes());
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
