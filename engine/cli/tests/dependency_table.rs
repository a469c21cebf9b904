//! The table of crates in `docs/architecture.md` says who may depend on whom; this compares it with the
//! manifests.
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

/// What the manifests say, under the same short names.
fn declared() -> Table {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
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
