//! Agreement with Terraform on some thousand expressions, and on random ones.
//!
//! Compared are the value, its type, what is unknown in it and its marks; of refusals the kind, by `kinds.txt`.
//! The verdicts of the real program are stored with its version, so the comparison needs no program. With
//! `STRATIFORM_RECORD=1` it is asked again; with `STRATIFORM_RANDOM=100000` so many random expressions are
//! compared instead of a few.

pub(crate) mod cases;
pub(crate) mod constraints;
pub(crate) mod describe;
pub(crate) mod generate;
pub(crate) mod kinds;
pub(crate) mod names;
pub(crate) mod oracle;
pub(crate) mod plan_file;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::cases::{escaped, unescaped};
use self::describe::describe;
use self::kinds::{refusal, same_kind};
use self::names::{Locals, Marking, Stage};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/differential")
}

#[expect(clippy::disallowed_methods, reason = "a test is asked for more by its environment")]
pub(crate) fn wish(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The names as they are before the plan and in it.
pub(crate) struct Sides {
    validate: Locals,
    plan: Locals,
    marking: Marking,
}

impl Sides {
    pub(crate) fn new(marking: Marking) -> Self {
        Self {
            validate: Locals::new(Stage::Validate, marking),
            plan: Locals::new(Stage::Plan, marking),
            marking,
        }
    }

    /// The verdict on a case, as the oracle words it; of an error the codes.
    pub(crate) fn verdict(&self, case: &str) -> String {
        let case = self.marking.of(case);
        let shown = if case.contains("local.e") || case.contains("local.ue") {
            format!("ephemeralasnull({case})")
        } else {
            case
        };
        if let Err(faults) = self.validate.evaluate(&shown) {
            return refusal(&faults);
        }
        self.plan.evaluate(&shown).map_or_else(|faults| refusal(&faults), |value| describe(&value))
    }
}

pub(crate) fn agree(ours: &str, theirs: &str) -> bool {
    ours == theirs
        || (ours.starts_with("error") && theirs.starts_with("error") && same_kind(ours, theirs))
        // Where infinity is what comes out, Terraform fails when it stores that.
        || (theirs == oracle::INFINITE && (ours.starts_with("error") || ours.contains("Inf")))
}

/// Negative zero is zero here, also in texts and in names of attributes; Terraform keeps its sign, and shows it, at the
/// end of a text that was turned round.
fn agree_but_for_zero(ours: &str, theirs: &str) -> bool {
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().filter(|letter| *letter != '-').collect();
        letters.sort_unstable();
        letters
    };
    let turned =
        || theirs.contains("0-") || (theirs.contains("\"-0\"=") && ours.contains("\"0\"="));
    agree(ours, theirs)
        || agree(&without_signed_zero(ours), &without_signed_zero(theirs))
        || (turned() && letters(ours) == letters(theirs))
}

fn without_signed_zero(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let before = text[..at].chars().next_back().is_some_and(|c| c.is_ascii_digit());
        let number = &text[at + character.len_utf8()..];
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        let zero = number.starts_with('0') && number[..end].chars().all(|c| matches!(c, '0' | '.'));
        if character != '-' || before || !zero {
            out.push(character);
        }
    }
    out
}

#[test]
fn signs_of_zeros_are_told_from_other_signs() {
    for (text, wanted) in [
        ("-0", "0"),
        ("[-0, -0.000, -10, -0.01, 1-0]", "[0, 0.000, -10, -0.01, 1-0]"),
        ("string \"a-0\" \"-0\"", "string \"a0\" \"0\""),
    ] {
        assert_eq!(without_signed_zero(text), wanted);
    }
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
        let verdicts =
            oracle::verdicts(&cases, Marking::AsDefined).expect("`terraform` is there to be asked");
        let mut text = format!("# Terraform {version}\n");
        for (case, verdict) in cases.iter().zip(&verdicts) {
            text += &format!("{}\t{verdict}\n", escaped(case));
        }
        std::fs::write(&path, text).expect("the verdicts can be stored");
    }
    let stored = table(&std::fs::read_to_string(&path).expect("the verdicts are stored"));
    let waivers = table(include_str!("differential/waivers.txt"));
    let sides = Sides::new(Marking::AsDefined);
    let mut differing = Vec::new();
    let mut missing = 0;
    for case in &cases {
        let Some(theirs) = stored.get(case) else {
            missing += 1;
            continue;
        };
        let ours = sides.verdict(case);
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

/// Whoever looks for a difference looks there.
#[test]
fn each_waiver_names_its_row_of_the_documentation() {
    let page = include_str!("../../../../docs/compatibility.md");
    for (case, reason) in table(include_str!("differential/waivers.txt")) {
        let row = reason.strip_prefix('[').and_then(|rest| rest.split_once("] "));
        let (row, _) = row.unwrap_or_else(|| panic!("{case}: `[ROW] REASON` is expected"));
        assert!(page.contains(&format!("\n| {row} | ")), "{case}: there is no row `{row}`");
    }
}

#[test]
fn type_constraints_agree_with_the_stored_verdicts() {
    let cases = constraints::all();
    let path = folder().join("constraints.txt");
    let named = |(ty, value): &(&str, &str)| format!("{ty} <- {value}");
    if wish("STRATIFORM_RECORD").is_some() {
        let version = oracle::version().expect("`terraform` is there to be asked");
        let verdicts = constraints::verdicts(&cases).expect("`terraform` is there to be asked");
        let mut text = format!("# Terraform {version}\n");
        for (case, verdict) in cases.iter().zip(&verdicts) {
            text += &format!("{}\t{verdict}\n", named(case));
        }
        std::fs::write(&path, text).expect("the verdicts can be stored");
    }
    let stored = table(&std::fs::read_to_string(&path).expect("the verdicts are stored"));
    let waivers = table(include_str!("differential/waivers.txt"));
    let mut differing = Vec::new();
    for (case, ours) in cases.iter().zip(constraints::ours(&cases)) {
        let name = named(case);
        let theirs = stored.get(&name).unwrap_or_else(|| panic!("no verdict on {name}"));
        if agree(&ours, theirs) == waivers.contains_key(&name) {
            differing.push(format!("{name}\n  ours   {ours}\n  theirs {theirs}"));
        }
    }
    assert!(cases.len() >= 500, "{} cases", cases.len());
    let (all, differ) = (cases.len(), differing.len());
    assert!(differing.is_empty(), "{differ} of {all} differ:\n{}", differing.join("\n"));
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
    let mut reports = Vec::new();
    let mut done = 0;
    while done < wanted {
        let size = (wanted - done).min(10_000);
        let mut random = generate::Random::new(seed.wrapping_add(done));
        let trees: Vec<generate::Tree> =
            (0..size).map(|_| generate::expression(&mut random)).collect();
        let failing = differing(&trees);
        println!("{} of {size} from seed {} differ", failing.len(), seed.wrapping_add(done));
        for tree in failing.into_iter().take(60) {
            println!("{}", tree.text());
            reports.push(tree);
        }
        done += size;
    }
    let minimal = minimised(reports);
    assert!(
        minimal.is_empty(),
        "{} differ; each is an output of its own, after these declarations:\n{}\n{}",
        minimal.len(),
        names::declarations(Marking::AsDefined),
        minimal.join("\n")
    );
}

fn differing(trees: &[generate::Tree]) -> Vec<generate::Tree> {
    let texts: Vec<String> = trees.iter().map(generate::Tree::text).collect();
    let Some(theirs) = oracle::verdicts(&texts, Marking::AsDefined) else { return Vec::new() };
    let sides = Sides::new(Marking::AsDefined);
    let answers = texts.iter().zip(&theirs).zip(trees);
    let (mut found, mut perhaps, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for ((text, theirs), tree) in answers {
        let ours = sides.verdict(text);
        if agree_but_for_zero(&ours, theirs) || of_a_partly_unknown_set(text, &ours, theirs) {
            continue;
        }
        if ours.starts_with("error") && theirs.starts_with("error") {
            refused.push((tree.clone(), ours));
        } else if may_be_of_marks(text, &ours, theirs) {
            perhaps.push(tree.clone());
        } else {
            found.push(tree.clone());
        }
    }
    found.extend(differing_without_marks(perhaps));
    found.extend(without_several_faults(&sides, refused));
    found
}

/// Where an expression has several faults, another one may be told first. Then what we tell is the fault of a smaller
/// expression, of which Terraform says the same.
fn without_several_faults(
    sides: &Sides,
    refused: Vec<(generate::Tree, String)>,
) -> Vec<generate::Tree> {
    let mut parts = Vec::new();
    for (at, (tree, ours)) in refused.iter().enumerate() {
        let once = tree.smaller().into_iter().filter(|part| part.text().len() < tree.text().len());
        let once: Vec<generate::Tree> = once.take(200).collect();
        let twice = once.iter().flat_map(|part| part.smaller().into_iter().take(100));
        let all: std::collections::BTreeSet<String> =
            twice.chain(once.iter().cloned()).map(|part| part.text()).collect();
        let mut same: Vec<String> =
            all.into_iter().filter(|part| sides.verdict(part) == *ours).collect();
        same.sort_by_key(String::len);
        parts.extend(same.into_iter().take(20).map(|part| (at, part)));
    }
    let texts: Vec<String> = parts.iter().map(|(_, text)| text.clone()).collect();
    let theirs = if texts.is_empty() { None } else { oracle::verdicts(&texts, sides.marking) };
    let explained: std::collections::BTreeSet<usize> = parts
        .iter()
        .zip(theirs.unwrap_or_default())
        .filter(|((at, _), theirs)| agree(&refused[*at].1, theirs))
        .map(|((at, _), _)| *at)
        .collect();
    let trees = refused.into_iter().enumerate();
    trees.filter(|(at, _)| !explained.contains(at)).map(|(_, (tree, _))| tree).collect()
}

/// As a list, a set that is not wholly known is an unknown list of its own element type in Terraform, even where a list
/// of another type is wanted; here the elements that are known must convert.
fn of_a_partly_unknown_set(text: &str, ours: &str, theirs: &str) -> bool {
    text.contains("u_in_set") && ours == "error: lang::branch_result" && theirs.contains('?')
}

/// Of an argument that is unknown, Terraform drops the marks in some functions and operators; here they stay, so that
/// nothing sensitive ever loses its mark. So a value may be marked here and not there, and what asks for marks,
/// `issensitive` or `ephemeralasnull`, may answer otherwise. Nothing else may differ: [`differing_without_marks`] asks
/// again with no marks at all. The same holds for the mark of a null element of a set.
fn may_be_of_marks(text: &str, ours: &str, theirs: &str) -> bool {
    // So does an object that is asked for an attribute by a name that is sensitive.
    let unknown = text.contains("local.u")
        || theirs.contains('?')
        || text.contains("local.s_null")
        || text.contains('[');
    let marked =
        ["local.s_", "local.e", "local.us_", "sensitive("].iter().any(|m| text.contains(m));
    let asked =
        text.contains("issensitive(") || text.contains("local.e") || text.contains("local.ue");
    let more = ours.matches('~').count() > theirs.matches('~').count();
    unknown && marked && (more || asked)
}

fn differing_without_marks(trees: Vec<generate::Tree>) -> Vec<generate::Tree> {
    if trees.is_empty() {
        return trees;
    }
    let texts: Vec<String> = trees.iter().map(generate::Tree::text).collect();
    let Some(theirs) = oracle::verdicts(&texts, Marking::None) else { return trees };
    let sides = Sides::new(Marking::None);
    let answers = trees.into_iter().zip(texts.iter().zip(&theirs));
    answers
        .filter(|(_, (text, theirs))| !agree_but_for_zero(&sides.verdict(text), theirs))
        .map(|(tree, _)| tree)
        .collect()
}

/// Every round asks about all smaller forms of all trees at once.
fn minimised(mut trees: Vec<generate::Tree>) -> Vec<String> {
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
            differing(&candidates).iter().map(generate::Tree::text).collect();
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
    let theirs = oracle::verdicts(&texts, Marking::AsDefined).unwrap_or_default();
    let sides = Sides::new(Marking::AsDefined);
    texts
        .iter()
        .zip(&theirs)
        .map(|(text, theirs)| {
            format!("{text}\n  ours   {}\n  theirs {theirs}", sides.verdict(text))
        })
        .collect()
}
