//! Agreement with Terraform on some thousand expressions, and on random ones.
//!
//! The verdicts of the real program are stored with its version, so the comparison needs no program. With
//! `STRATIFORM_RECORD=1` it is asked again; with `STRATIFORM_RANDOM=100000` so many random expressions are
//! compared instead of a few.

pub(crate) mod cases;
pub(crate) mod describe;
pub(crate) mod generate;
pub(crate) mod names;
pub(crate) mod oracle;
pub(crate) mod plan_file;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::cases::{escaped, unescaped};
use self::describe::describe;
use self::names::Locals;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/differential")
}

#[expect(clippy::disallowed_methods, reason = "a test is asked for more by its environment")]
pub(crate) fn wish(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Our verdict where the fault is a division by zero, of which Terraform makes infinity.
const BY_ZERO: &str = "error: division by zero";

/// The verdict on a case, as the oracle words it; an error without its kind.
pub(crate) fn ours(locals: &Locals, case: &str) -> String {
    let shown = if case.contains("local.e") || case.contains("local.ue") {
        format!("ephemeralasnull({case})")
    } else {
        case.to_owned()
    };
    match locals.evaluate(&shown) {
        Ok(value) => describe(&value),
        Err(faults) if faults.iter().any(|f| f.to_string().contains("division by zero")) => {
            BY_ZERO.to_owned()
        }
        Err(_) => "error".to_owned(),
    }
}

pub(crate) fn agree(ours: &str, theirs: &str) -> bool {
    ours == theirs
        || (ours.starts_with("error") && theirs.starts_with("error"))
        || (theirs == oracle::INFINITE && ours.contains("Inf"))
}

/// Reads lines of an expression, a tab and something about it.
fn table(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter(|line| !line.starts_with("# "))
        .filter_map(|line| line.split_once('\t'))
        .map(|(case, about)| (unescaped(case), about.to_owned()))
        .collect()
}

#[test]
fn expressions_agree_with_the_stored_verdicts() {
    let cases = cases::all();
    let path = folder().join("verdicts.txt");
    if wish("STRATIFORM_RECORD").is_some() {
        let version = oracle::version().expect("`terraform` is there to be asked");
        let verdicts = oracle::verdicts(&cases).expect("`terraform` is there to be asked");
        let mut text = format!("# Terraform {version}\n");
        for (case, verdict) in cases.iter().zip(&verdicts) {
            text += &format!("{}\t{verdict}\n", escaped(case));
        }
        std::fs::write(&path, text).expect("the verdicts can be stored");
    }
    let stored = table(&std::fs::read_to_string(&path).expect("the verdicts are stored"));
    let waivers = table(include_str!("differential/waivers.txt"));
    let locals = Locals::new();
    let mut differing = Vec::new();
    let mut missing = 0;
    for case in &cases {
        let Some(theirs) = stored.get(case) else {
            missing += 1;
            continue;
        };
        let ours = ours(&locals, case);
        match (agree(&ours, theirs), waivers.contains_key(case)) {
            (false, false) => differing.push(format!("{case}\n  ours   {ours}\n  theirs {theirs}")),
            (true, true) => differing.push(format!("{case}\n  no longer differs: drop its waiver")),
            _ => {}
        }
    }
    assert!(cases.len() >= 3000, "{} cases", cases.len());
    assert!(
        differing.is_empty(),
        "{} of {} differ:\n{}",
        differing.len(),
        cases.len(),
        differing.join("\n")
    );
    assert_eq!(missing, 0, "cases without a stored verdict: record them with STRATIFORM_RECORD=1");
}

/// Why an answer may differ although nobody wrote that down for this expression.
///
/// A division by zero is an error here at once; Terraform fails later, where infinity is stored.
///
/// Of an argument that is unknown, Terraform drops the marks in some functions and operators; here they stay, so
/// that nothing sensitive ever loses its mark. The value is unknown in both.
fn explained(case: &str, ours: &str, theirs: &str) -> bool {
    if ours == BY_ZERO {
        return true;
    }
    let mixed = case.contains("local.e") && case.contains("local.u");
    if mixed && (ours.starts_with("null:") || theirs.starts_with(ours)) {
        // What is ephemeral of the unknown came out as null, or without what is known of it.
        return true;
    }
    let bare = |text: &str| text.replace('~', "");
    ours.contains('?')
        && ours.matches('~').count() > theirs.matches('~').count()
        && bare(ours) == bare(theirs)
}

/// Compares random expressions; what differs is made as small as it gets.
#[test]
fn random_expressions_agree_with_terraform() {
    if oracle::version().is_none() {
        println!("skipped: no `terraform` on the path");
        return;
    }
    let number = |name: &str| wish(name).and_then(|text| text.parse::<u64>().ok());
    let wanted = number("STRATIFORM_RANDOM").unwrap_or(400);
    let seed = number("STRATIFORM_SEED").unwrap_or(1);
    let locals = Locals::new();
    let mut reports = Vec::new();
    let mut done = 0;
    while done < wanted {
        let size = (wanted - done).min(10_000);
        let mut random = generate::Random::new(seed.wrapping_add(done));
        let trees: Vec<generate::Tree> =
            (0..size).map(|_| generate::expression(&mut random)).collect();
        let failing = differing(&locals, &trees);
        println!("{} of {size} from seed {} differ", failing.len(), seed.wrapping_add(done));
        for tree in failing.into_iter().take(60) {
            println!("{}", tree.text());
            reports.push(tree);
        }
        done += size;
    }
    let minimal = minimised(&locals, reports);
    assert!(
        minimal.is_empty(),
        "{} differ; each is an output of its own, after these declarations:\n{}\n{}",
        minimal.len(),
        names::declarations(),
        minimal.join("\n")
    );
}

fn differing(locals: &Locals, trees: &[generate::Tree]) -> Vec<generate::Tree> {
    let texts: Vec<String> = trees.iter().map(generate::Tree::text).collect();
    let Some(theirs) = oracle::verdicts(&texts) else { return Vec::new() };
    let differs = |text: &str, theirs: &str| {
        let ours = ours(locals, text);
        !agree(&ours, theirs) && !explained(text, &ours, theirs)
    };
    let pairs = texts.iter().zip(&theirs).zip(trees);
    pairs
        .filter(|((text, theirs), _)| differs(text, theirs))
        .map(|(_, tree)| tree.clone())
        .collect()
}

/// Every round asks about all smaller forms of all trees at once.
fn minimised(locals: &Locals, mut trees: Vec<generate::Tree>) -> Vec<String> {
    for _ in 0..8 {
        let mut candidates = Vec::new();
        let mut owners = Vec::new();
        for (owner, tree) in trees.iter().enumerate() {
            for smaller in tree.smaller().into_iter().take(60) {
                candidates.push(smaller);
                owners.push(owner);
            }
        }
        if candidates.is_empty() {
            break;
        }
        let failing: std::collections::BTreeSet<String> =
            differing(locals, &candidates).iter().map(generate::Tree::text).collect();
        let mut changed = false;
        for (candidate, owner) in candidates.into_iter().zip(owners) {
            let text = candidate.text();
            if failing.contains(&text) && text.len() < trees[owner].text().len() {
                trees[owner] = candidate;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let mut texts: Vec<String> = trees.iter().map(generate::Tree::text).collect();
    texts.sort();
    texts.dedup();
    let theirs = oracle::verdicts(&texts).unwrap_or_default();
    texts
        .iter()
        .zip(&theirs)
        .map(|(text, theirs)| format!("{text}\n  ours   {}\n  theirs {theirs}", ours(locals, text)))
        .collect()
}
