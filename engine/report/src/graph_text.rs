//! A configuration's graph, for drawing programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use plan::drawing::{Drawing, Drawn, DrawnKind, ROOT};

fn plain(name: &str) -> &str {
    name.strip_suffix(" (expand)").unwrap_or(name)
}

/// Resources in the dot language, in the form of `terraform graph`.
pub fn resources(drawing: &Drawing) -> String {
    let mut out = String::from(
        "digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n",
    );
    let mut modules: BTreeMap<&str, Vec<(&str, &Drawn)>> = BTreeMap::new();
    for (name, drawn) in &drawing.nodes {
        modules.entry(&drawn.module).or_default().push((plain(name), drawn));
    }
    for (module, nodes) in &modules {
        let indent = if module.is_empty() { "" } else { "  " };
        if !module.is_empty() {
            let _ = write!(
                out,
                "  subgraph {:?} {{\n    label = {module:?}\n    fontname = \"sans-serif\"\n",
                format!("cluster_{module}")
            );
        }
        for (name, drawn) in nodes {
            let _ = writeln!(out, "{indent}  {name:?} [label={:?}];", drawn.label);
        }
        if !module.is_empty() {
            out.push_str("  }\n");
        }
    }
    let mut edges: Vec<(&str, &str, &str)> = drawing
        .edges
        .iter()
        .map(|(from, to)| {
            let module = drawing.nodes.get(from).map_or("", |drawn| drawn.module.as_str());
            (module, plain(from), plain(to))
        })
        .collect();
    edges.sort_unstable();
    for (_, from, to) in edges {
        let _ = writeln!(out, "  {from:?} -> {to:?};");
    }
    out.push_str("}\n");
    out
}

/// Everything in the dot language, in the form of `terraform graph -type=plan`.
pub fn whole(drawing: &Drawing) -> String {
    let mut out = String::from(
        "digraph {\n\tcompound = \"true\"\n\tnewrank = \"true\"\n\tsubgraph \"root\" {\n",
    );
    for (name, drawn) in &drawing.nodes {
        let shape = match drawn.kind {
            DrawnKind::Resource => "box",
            DrawnKind::Variable => "note",
            DrawnKind::Provider => "diamond",
            DrawnKind::Other => continue,
        };
        let label = plain(name);
        let _ = writeln!(
            out,
            "\t\t{:?} [label = {label:?}, shape = {shape:?}]",
            format!("[root] {name}")
        );
    }
    for (from, to) in &drawing.edges {
        let _ = writeln!(out, "\t\t{:?} -> {:?}", format!("[root] {from}"), format!("[root] {to}"));
    }
    out.push_str("\t}\n}\n");
    out
}

/// The same as a flow chart of mermaid.
pub fn mermaid(drawing: &Drawing) -> String {
    let mut out = String::from("flowchart RL\n");
    let ends = drawing.edges.iter().flat_map(|(from, to)| [from, to]);
    let names: BTreeSet<&String> = drawing.nodes.keys().chain(ends).collect();
    let place: BTreeMap<&String, usize> =
        names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    for (name, at) in &place {
        let text = if name.as_str() == ROOT { ROOT } else { plain(name) };
        let _ = writeln!(out, "  n{at}[\"{}\"]", text.replace('"', "#quot;"));
    }
    for (from, to) in &drawing.edges {
        if let (Some(from), Some(to)) = (place.get(from), place.get(to)) {
            let _ = writeln!(out, "  n{from} --> n{to}");
        }
    }
    out
}
