//! Laws of planning and applying, on random stacks of the simulated backend.
//!
//! `STRATIFORM_LAWS=N` looks at N stacks instead of the eight that a normal run has time for; `STRATIFORM_SEED=S` begins
//! at another seed.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use common::Stack;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value as Json;

const HEAD: &str = "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\nprovider \"sim\" {\n  world    = \"w\"\n  delay_ms = 2\n}\n";
const NODES: usize = 9;

/// A block: how many instances it has, and what each of them is made from. `None` is a block without `count`.
#[derive(Clone, Default)]
struct Block {
    count: Option<usize>,
    /// Another block, and one of its instances; all of them if none is named.
    from: Vec<(usize, Option<usize>)>,
    size: u32,
    zone: u32,
    first: bool,
}

/// Blocks by number; those that are missing are not configured.
type Graph = BTreeMap<usize, Block>;

fn random_graph(random: &mut StdRng) -> Graph {
    let mut graph = Graph::new();
    for at in 0..NODES {
        if !random.gen_bool(0.8) {
            continue;
        }
        let mut from = Vec::new();
        for (other, block) in &graph {
            if random.gen_bool(0.35) {
                let one = block.count.filter(|_| random.gen_bool(0.6));
                from.push((*other, one.map(|count| random.gen_range(0..count))));
            }
        }
        let block = Block {
            count: random.gen_bool(0.5).then(|| random.gen_range(1..4)),
            from,
            size: random.gen_range(0..2),
            zone: random.gen_range(0..2),
            first: random.gen_bool(0.25),
        };
        graph.insert(at, block);
    }
    graph
}

fn text(graph: &Graph) -> String {
    let mut text = HEAD.to_owned();
    for (at, block) in graph {
        let count = block.count.map_or(String::new(), |count| format!("  count  = {count}\n"));
        let name = if block.count.is_some() {
            format!("n{at}-${{count.index}}")
        } else {
            format!("n{at}")
        };
        let inputs = block.from.iter().map(|(other, index)| match (graph[other].count, index) {
            (None, _) => format!("sim_node.n{other}.id"),
            (Some(_), Some(index)) => format!("sim_node.n{other}[{index}].id"),
            (Some(_), None) => format!("join(\",\", sim_node.n{other}[*].id)"),
        });
        let inputs: Vec<String> = inputs.collect();
        let first =
            if block.first { "  lifecycle {\n    create_before_destroy = true\n  }\n" } else { "" };
        let _ = write!(
            text,
            "resource \"sim_node\" \"n{at}\" {{\n{count}  name   = \"{name}\"\n  size   = {}\n  zone   = \"z{}\"\n  inputs = [{}]\n{first}}}\n",
            block.size,
            block.zone,
            inputs.join(", ")
        );
    }
    text
}

fn names(at: usize, block: &Block) -> Vec<String> {
    match block.count {
        None => vec![format!("n{at}")],
        Some(count) => (0..count).map(|index| format!("n{at}-{index}")).collect(),
    }
}

/// Pairs of names: an instance, and one that it is made from.
fn edges(graph: &Graph) -> Vec<(String, String)> {
    let mut edges = Vec::new();
    for (at, block) in graph {
        for (other, index) in &block.from {
            let sources = names(*other, &graph[other]);
            let sources: Vec<&String> = match index {
                Some(index) => vec![&sources[*index]],
                None => sources.iter().collect(),
            };
            for name in names(*at, block) {
                edges.extend(sources.iter().map(|source| (name.clone(), (*source).clone())));
            }
        }
    }
    edges
}

fn log(stack: &Stack) -> Vec<String> {
    let text = std::fs::read_to_string(stack.dir().join("w/calls.log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// What exists, by name: without ids, which are random, and inputs, which hold ids.
fn world(stack: &Stack) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(stack.dir().join("w")).into_iter().flatten().flatten();
    let files = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"));
    let mut objects: Vec<(String, String)> = files
        .map(|path| {
            let object: Json =
                serde_json::from_str(&std::fs::read_to_string(path).expect("an object"))
                    .expect("JSON");
            let object = &object["attributes"];
            (
                object["name"].as_str().unwrap_or_default().to_owned(),
                format!("{} {}", object["size"], object["zone"]),
            )
        })
        .collect();
    objects.sort();
    objects
}

/// Where in a stretch of the log each name is created, updated and deleted.
struct Order {
    created: BTreeMap<String, usize>,
    updated: BTreeMap<String, usize>,
    deleted: BTreeMap<String, usize>,
}

fn order(all: &[String], from: usize) -> Order {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut created, mut updated, mut deleted) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (at, line) in all.iter().enumerate() {
        let words: Vec<&str> = line.split(' ').collect();
        let (into, name) = match words.as_slice() {
            ["create", name, id] => {
                names.insert(id, name);
                (&mut created, Some(*name))
            }
            ["update", id] => (&mut updated, names.get(id).copied()),
            ["delete", id] => (&mut deleted, names.get(id).copied()),
            _ => continue,
        };
        if let Some(name) = name.filter(|_| at >= from) {
            into.insert(name.to_owned(), at);
        }
    }
    Order { created, updated, deleted }
}

fn keeps_order(order: &Order, before: &Graph, after: &Graph, what: &str) {
    for (user, source) in edges(after) {
        let made = |name: &str| order.created.get(name).or(order.updated.get(name));
        if let (Some(user_at), Some(source_at)) = (made(&user), made(&source)) {
            assert!(source_at < user_at, "{what}: {user} is made from {source}, which came later");
        }
    }
    for (user, source) in edges(before) {
        if let (Some(user_at), Some(source_at)) =
            (order.deleted.get(&user), order.deleted.get(&source))
        {
            assert!(
                user_at < source_at,
                "{what}: {source} went before {user}, which was made from it"
            );
        }
    }
}

fn plan_json(stack: &Stack, args: &[&str]) -> Json {
    stack.ok(&[&["plan", "-out=p"], args].concat());
    let mut json: Json = serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
    json["timestamp"] = Json::Null;
    json
}

fn changed(plan: &Json) -> BTreeSet<String> {
    let changes = plan["resource_changes"].as_array().cloned().unwrap_or_default();
    let real =
        changes.iter().filter(|one| one["change"]["actions"] != serde_json::json!(["no-op"]));
    real.filter_map(|one| Some(one["address"].as_str()?.to_owned())).collect()
}

fn stacks(mut each: impl FnMut(u64, &mut StdRng)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("STRATIFORM_SEED").unwrap_or(1);
    for seed in first..first + number("STRATIFORM_LAWS").unwrap_or(8) {
        each(seed, &mut StdRng::seed_from_u64(seed));
    }
}

#[test]
fn plans_change_nothing_and_are_equal_byte_for_byte() {
    stacks(|seed, random| {
        let stack = Stack::new(&[("main.tf", &text(&random_graph(random)))]);
        for round in 0..2 {
            let what = format!("seed {seed}, round {round}");
            let (calls, objects) = (log(&stack), world(&stack));
            let one = plan_json(&stack, &["-parallelism=1"]);
            let other = plan_json(&stack, &["-parallelism=16"]);
            assert_eq!(one.to_string(), other.to_string(), "{what}");
            assert_eq!(stack.ok(&["plan"]), stack.ok(&["plan", "-parallelism=3"]), "{what}");
            stack.run(&["drift"]);
            stack.ok(&["plan", "-destroy"]);
            stack.ok(&["plan", "-refresh-only"]);
            assert_eq!((log(&stack), world(&stack)), (calls, objects), "{what}");
            stack.ok(&["apply", "-auto-approve"]);
            stack.write("main.tf", &text(&random_graph(random)));
        }
    });
}

#[test]
fn steps_keep_to_every_edge_and_its_reverse() {
    stacks(|seed, random| {
        let mut before = Graph::new();
        let stack = Stack::new(&[]);
        for round in 0..3 {
            let what = format!("seed {seed}, round {round}, in {}", stack.dir().display());
            let graph = random_graph(random);
            stack.write("main.tf", &text(&graph));
            let from = log(&stack).len();
            stack.ok(&[
                "apply",
                "-auto-approve",
                &format!("-parallelism={}", random.gen_range(1..12)),
            ]);
            keeps_order(&order(&log(&stack), from), &before, &graph, &what);
            assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0), "{what}");
            let wanted: usize = graph.iter().map(|(at, block)| names(*at, block).len()).sum();
            assert_eq!(world(&stack).len(), wanted, "{what}");
            before = graph;
        }
        let from = log(&stack).len();
        stack.ok(&["destroy", "-auto-approve"]);
        keeps_order(
            &order(&log(&stack), from),
            &before,
            &Graph::new(),
            &format!("seed {seed}, destroy"),
        );
        assert!(world(&stack).is_empty());
    });
}

#[test]
fn an_interrupted_apply_and_another_one_are_as_one() {
    stacks(|seed, random| {
        let (first, second) = (random_graph(random), random_graph(random));
        let (whole, broken) = (Stack::new(&[]), Stack::new(&[]));
        for graph in [first, second] {
            for stack in [&whole, &broken] {
                stack.write("main.tf", &text(&graph));
            }
            whole.ok(&["apply", "-auto-approve"]);
            for _ in 0..2 {
                let mut child = broken
                    .command(&["apply", "-auto-approve"])
                    .stdout(std::process::Stdio::null())
                    .stderr(std::process::Stdio::null())
                    .spawn()
                    .expect("the binary runs");
                std::thread::sleep(Duration::from_millis(random.gen_range(5..60)));
                let pid = child.id().to_string();
                let _ = std::process::Command::new("kill").args(["-INT", &pid]).status();
                child.wait().expect("it ends");
            }
            broken.ok(&["apply", "-auto-approve"]);
            assert_eq!(world(&broken), world(&whole), "seed {seed}, in {}", broken.dir().display());
            assert_eq!(broken.ok(&["state", "list"]), whole.ok(&["state", "list"]), "seed {seed}");
            assert_eq!(broken.run(&["plan", "-detailed-exitcode"]).code, Some(0), "seed {seed}");
        }
    });
}

/// The blocks that a block is made from, and those in turn.
fn sources(graph: &Graph, at: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([at]);
    let mut waiting = vec![at];
    while let Some(next) = waiting.pop() {
        for (source, _) in &graph[&next].from {
            if found.insert(*source) {
                waiting.push(*source);
            }
        }
    }
    found
}

#[test]
fn a_target_touches_what_it_must_and_no_more() {
    stacks(|seed, random| {
        let graph = random_graph(random);
        let stack = Stack::new(&[("main.tf", &text(&graph))]);
        let all = changed(&plan_json(&stack, &[]));
        for at in graph.keys() {
            let block_of = |address: &str| -> usize {
                let number = address.trim_start_matches("sim_node.n");
                number.split('[').next().and_then(|text| text.parse().ok()).expect("a number")
            };
            let limited = changed(&plan_json(&stack, &[&format!("-target=sim_node.n{at}")]));
            let blocks: BTreeSet<usize> = limited.iter().map(|one| block_of(one)).collect();
            assert_eq!(blocks, sources(&graph, *at), "seed {seed}, n{at}");
            // What is left out is the rest, and what is made from what is named.
            let rest = changed(&plan_json(&stack, &[&format!("-exclude=sim_node.n{at}")]));
            for address in &rest {
                assert!(
                    !sources(&graph, block_of(address)).contains(at),
                    "seed {seed}, n{at}: {address}"
                );
            }
            for address in all.difference(&rest) {
                assert!(
                    sources(&graph, block_of(address)).contains(at),
                    "seed {seed}, n{at}: {address}"
                );
            }
        }
    });
}
