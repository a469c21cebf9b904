//! Which of our error codes say what a summary of Terraform says.
//!
//! `kinds.txt` has a line for each summary: the summary, a tab, the codes that mean the same; where one of them names
//! another kind on purpose, a further line with that code, a tab and the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use syntax::Diagnostics;

const TABLE: &str = include_str!("kinds.txt");

/// The codes for each summary.
static KINDS: LazyLock<BTreeMap<&str, BTreeSet<&str>>> = LazyLock::new(|| {
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (summary, codes, _) in rows() {
        kinds.entry(summary).or_default().extend(codes.split(' '));
    }
    kinds
});

/// Summary, codes, and the reason where the kinds are not the same.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (summary, rest) = line.split_once('\t')?;
        let (codes, reason) = rest.split_once('\t').map_or((rest, None), |(c, r)| (c, Some(r)));
        Some((summary, codes, reason))
    })
}

/// The codes of what was found, without what all have in common.
pub(crate) fn refusal(faults: &Diagnostics) -> String {
    let codes: BTreeSet<String> = faults
        .iter()
        .filter_map(|fault| fault.code())
        .map(|code| code.to_string().trim_start_matches("stratiform::").to_owned())
        .collect();
    format!("error: {}", codes.into_iter().collect::<Vec<_>>().join(" "))
}

/// Whether one of our codes stands in the row of their summary. An error without a code agrees with all.
pub(crate) fn same_kind(ours: &str, theirs: &str) -> bool {
    let (Some(ours), Some(theirs)) = (ours.strip_prefix("error: "), theirs.strip_prefix("error: "))
    else {
        return true;
    };
    let codes = KINDS.get(theirs);
    ours.split(' ').any(|code| codes.is_some_and(|codes| codes.contains(code)))
}

#[test]
fn the_table_of_kinds_has_no_row_too_many() {
    let known: BTreeSet<&str> =
        lang::error_docs().iter().map(|doc| doc.code.trim_start_matches("stratiform::")).collect();
    let unknown: Vec<&str> = rows()
        .flat_map(|(_, codes, _)| codes.split(' '))
        .filter(|code| code.starts_with("lang::") && !known.contains(code))
        .collect();
    assert_eq!(unknown, Vec::<&str>::new());
    let stored = include_str!("verdicts.txt");
    let unheard: Vec<&str> = KINDS
        .keys()
        .filter(|summary| !stored.contains(&format!("\terror: {summary}\n")))
        .copied()
        .collect();
    assert_eq!(unheard, Vec::<&str>::new(), "Terraform says this of no stored case");
}

#[test]
fn another_kind_of_refusal_is_a_difference() {
    assert!(same_kind("error: lang::operand", "error: Invalid operand"));
    assert!(same_kind("error: lang::call lang::operand", "error: Invalid operand"));
    assert!(!same_kind("error: lang::condition", "error: Invalid operand"));
    assert!(!same_kind("error: lang::operand", "error: Something new"));
}
