//! The table of crates in `docs/architecture.md` says who may depend on whom, and `deny.toml` which licences may
//! be linked; this compares both with the manifests.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::workspace;

type Table = BTreeMap<String, BTreeSet<String>>;

/// Rows such as "| `plan` | `component`, `sdk` |".
fn documented() -> Table {
    let text = std::fs::read_to_string(workspace().join("docs/architecture.md"))
        .expect("the page is there");
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = text.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let name = names(cells[1]).into_iter().next().expect("a row names a crate");
        (name, names(cells[2]))
    })
    .collect()
}

fn metadata(more: &[&str]) -> serde_json::Value {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1"])
        .args(more)
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// What the manifests say, under the same short names.
fn declared() -> Table {
    let metadata = metadata(&["--no-deps"]);
    let short = |name: &str| match name {
        "stratiform" => Some("cli".to_owned()),
        other => other.strip_prefix("stratiform-").map(str::to_owned),
    };
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages
        .filter_map(|package| {
            let name = short(package["name"].as_str()?)?;
            let dependencies = package["dependencies"].as_array()?.iter();
            let ours = dependencies.filter_map(|dependency| short(dependency["name"].as_str()?));
            Some((name, ours.collect()))
        })
        .collect()
}

#[test]
fn every_crate_depends_on_what_its_row_names() {
    let (documented, declared) = (documented(), declared());
    let crates = |table: &Table| table.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(crates(&documented), crates(&declared), "the table has a row for each crate");
    // A row's crates may be used with all that those may use.
    let allowed = |name: &str| {
        let mut found: BTreeSet<String> = BTreeSet::new();
        let mut waiting: Vec<String> = documented[name].iter().cloned().collect();
        while let Some(next) = waiting.pop() {
            if found.insert(next.clone()) {
                waiting.extend(documented.get(&next).into_iter().flatten().cloned());
            }
        }
        found
    };
    for (name, dependencies) in &declared {
        let allowed = allowed(name);
        let extra: Vec<&String> = dependencies.difference(&allowed).collect();
        assert!(extra.is_empty(), "`{name}` depends on {extra:?}, which its row does not allow");
    }
}

/// Says whether a licence expression can be met with the licences that are allowed.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    // `A/B` is an older spelling of `A OR B`; no expression in use nests deeper than one pair of parentheses.
    let expression = expression.replace('/', " OR ");
    let all = expression.split(" AND ").map(|part| part.trim_matches(['(', ')', ' ']).to_owned());
    all.into_iter().all(|part| part.split(" OR ").any(|one| allowed.contains(one.trim())))
}

#[test]
fn every_linked_crate_has_a_licence_that_is_allowed() {
    let deny = std::fs::read_to_string(workspace().join("deny.toml")).expect("the list is there");
    let list = deny.split("allow = [").nth(1).and_then(|rest| rest.split(']').next());
    let quoted = list.expect("a list").split('"').skip(1).step_by(2);
    let allowed: BTreeSet<String> = quoted.map(str::to_owned).collect();
    assert!(allowed.len() > 5, "{allowed:?}");
    assert!(is_met("MIT OR LGPL-3.0", &allowed) && is_met("(MIT OR X) AND ISC", &allowed));
    assert!(!is_met("MIT AND GPL-3.0", &allowed) && !is_met("LGPL-3.0-only", &allowed));
    // What other systems would link has not been fetched here.
    let rustc = std::process::Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let metadata = metadata(&["--filter-platform", host]);
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 100, "{}", packages.len());
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_met(licence, &allowed), "`{}` has the licence {licence}", package["name"]);
    }
}
