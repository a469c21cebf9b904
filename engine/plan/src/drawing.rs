//! The graph of a configuration, for whoever draws it.
//!
//! The nodes and edges are those that Terraform's `graph` shows: blocks, not instances, with redundant edges
//! left out.

use std::collections::{BTreeMap, BTreeSet};

use address::{ModulePath, ResourceMode};
use petgraph::algo::tred::{dag_to_toposorted_adjacency_list, dag_transitive_reduction_closure};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::graph::{BlockGraph, Object};
use crate::prepare::Prepared;

/// A graph to be drawn. An edge leads from what needs to what is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawing {
    /// The nodes by their names.
    pub nodes: BTreeMap<String, Drawn>,
    /// Edges between names.
    pub edges: BTreeSet<(String, String)>,
}

/// A node to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// What it is.
    pub kind: DrawnKind,
    /// The module that it lies in; empty for the root.
    pub module: String,
    /// Its name within the module.
    pub label: String,
}

/// The kinds of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DrawnKind {
    /// A resource or data source.
    Resource,
    /// A variable of the root module.
    Variable,
    /// A provider configuration.
    Provider,
    /// All else.
    Other,
}

/// Only resources, with an edge wherever one needs another through whatever names.
pub(crate) fn resources(graph: &BlockGraph) -> Drawing {
    let mut drawing = Drawing::default();
    let objects: Vec<&Object> =
        graph.objects().filter(|object| matches!(object, Object::Resource(_))).collect();
    let mut edges = Vec::new();
    for object in &objects {
        let (name, drawn) = drawn(object);
        drawing.nodes.insert(name.clone(), drawn);
        for needed in graph.needed_by([(*object).clone()]) {
            if needed != *object && matches!(needed, Object::Resource(_)) {
                edges.push((name.clone(), drawn_name(needed)));
            }
        }
    }
    drawing.edges = reduced(edges);
    drawing
}

/// Everything, with the ends of modules and providers.
pub(crate) fn whole(graph: &BlockGraph, prepared: &Prepared) -> Drawing {
    let mut drawing = Drawing::default();
    let mut edges: Vec<(String, String)> = Vec::new();
    for object in graph.objects() {
        let (name, drawn) = drawn(object);
        let ends = match object {
            Object::Provider(_) => Some(format!("{name} (close)")),
            _ => None,
        };
        if let Some(end) = ends {
            edges.push((end.clone(), name.clone()));
            edges.push((ROOT.to_owned(), end));
        }
        match object {
            // A variable of a module waits for the call, as the rest of the module does.
            Object::Variable(path, _) if !path.is_root() => {
                edges.push((name.clone(), format!("{path} (expand)")));
            }
            Object::CallWhole(path, step) => {
                let expand = format!("{} (expand)", path.child(step.clone()));
                edges.push((name.clone(), expand));
            }
            _ => {}
        }
        if is_outermost(object) {
            edges.push((ROOT.to_owned(), name.clone()));
        }
        drawing.nodes.insert(name, drawn);
    }
    for (from, to) in graph.edges() {
        let (from, to) = (drawn_name(from), drawn_name(to));
        if from != to {
            edges.push((from, to));
        }
    }
    for block in prepared.blocks.values() {
        let provider = Object::Provider(block.config.provider.clone());
        let resource = Object::Resource(block.address.clone());
        edges.push((format!("{} (close)", drawn_name(&provider)), drawn_name(&resource)));
    }
    drawing.edges = reduced(edges);
    drawing
}

/// The node that everything is needed for.
pub const ROOT: &str = "root";

/// Calls and outputs of the root module, and blocks of it that nothing needs.
fn is_outermost(object: &Object) -> bool {
    match object {
        Object::Variable(path, _)
        | Object::Local(path, _)
        | Object::Output(path, _)
        | Object::CallWhole(path, _) => path.is_root(),
        _ => false,
    }
}

fn within(path: &ModulePath) -> String {
    if path.is_root() { String::new() } else { format!("{path}.") }
}

fn drawn_name(object: &Object) -> String {
    drawn(object).0
}

fn drawn(object: &Object) -> (String, Drawn) {
    let (name, module, label, kind) = match object {
        Object::Variable(path, name) if path.is_root() => {
            (format!("var.{name}"), path, format!("var.{name}"), DrawnKind::Variable)
        }
        Object::Variable(path, name) => {
            let label = format!("var.{name}");
            (format!("{}{label} (expand)", within(path)), path, label, DrawnKind::Other)
        }
        Object::Local(path, name) => {
            let label = format!("local.{name}");
            (format!("{}{label} (expand)", within(path)), path, label, DrawnKind::Other)
        }
        Object::Output(path, name) => {
            let label = format!("output.{name}");
            (format!("{}{label} (expand)", within(path)), path, label, DrawnKind::Other)
        }
        Object::Resource(config) => {
            let kind = if config.resource.mode == ResourceMode::Ephemeral {
                DrawnKind::Other
            } else {
                DrawnKind::Resource
            };
            (format!("{config} (expand)"), &config.module, config.resource.to_string(), kind)
        }
        Object::Call(path, step) | Object::CallAfter(path, step) => {
            (format!("{}{step} (expand)", within(path)), path, step.to_string(), DrawnKind::Other)
        }
        Object::CallWhole(path, step) => {
            (format!("{}{step} (close)", within(path)), path, step.to_string(), DrawnKind::Other)
        }
        Object::Provider(provider) => {
            let name = provider.to_string();
            (name.clone(), &provider.module, name, DrawnKind::Provider)
        }
    };
    let module = if module.is_root() { String::new() } else { module.to_string() };
    (name, Drawn { kind, module, label })
}

/// Without edges that a longer way makes redundant.
fn reduced(edges: Vec<(String, String)>) -> BTreeSet<(String, String)> {
    let mut graph: DiGraph<String, ()> = DiGraph::new();
    let mut index: BTreeMap<String, NodeIndex> = BTreeMap::new();
    let unique: BTreeSet<(String, String)> = edges.into_iter().collect();
    for (from, to) in &unique {
        for name in [from, to] {
            if !index.contains_key(name) {
                index.insert(name.clone(), graph.add_node(name.clone()));
            }
        }
        graph.add_edge(index[from], index[to], ());
    }
    let Ok(sorted) = petgraph::algo::toposort(&graph, None) else { return unique };
    let (list, places) = dag_to_toposorted_adjacency_list::<_, u32>(&graph, &sorted);
    let (reduction, _) = dag_transitive_reduction_closure(&list);
    let kept = |from: &String, to: &String| {
        let place = |name: &String| places[index[name].index()];
        reduction.contains_edge(place(from), place(to))
    };
    unique.into_iter().filter(|(from, to)| kept(from, to)).collect()
}
