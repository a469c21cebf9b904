//! `undo`: a plan that leads back to an earlier state, carried out as any plan.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use common::{Stack, ran};
use serde_json::Value as Json;

fn main_tf(body: &str) -> String {
    format!(
        "terraform {{\n  required_providers {{\n    sim = {{ source = \"stratiform/sim\" }}\n  }}\n}}\n\
         provider \"sim\" {{\n  world = \"w\"\n}}\n{body}"
    )
}

fn node(name: &str, rest: &str) -> String {
    format!("resource \"sim_node\" \"{name}\" {{\n  name = \"{name}\"\n{rest}}}\n")
}

fn applied(stack: &Stack, body: &str) {
    stack.write("main.tf", &main_tf(body));
    stack.ok(&["apply", "-auto-approve"]);
}

/// Objects that exist in the simulated world, by id.
fn world(stack: &Stack) -> BTreeMap<String, Json> {
    let entries = std::fs::read_dir(stack.dir().join("w")).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "json"));
    let objects = files.map(|entry| {
        let text = std::fs::read_to_string(entry.path()).expect("an object can be read");
        let object: Json = serde_json::from_str(&text).expect("an object is JSON");
        let attributes = object["attributes"].clone();
        (attributes["id"].as_str().expect("an object has an id").to_owned(), attributes)
    });
    objects.collect()
}

/// Recorded objects by address, with the name of an object in the place of its id: two states in which everything
/// is the same but for what the world numbers are equal.
fn recorded(stack: &Stack) -> BTreeMap<String, String> {
    let state: Json =
        serde_json::from_str(&stack.ok(&["state", "pull"])).expect("the state is JSON");
    let mut objects = Vec::new();
    let mut names = Vec::new();
    for resource in state["resources"].as_array().expect("a list") {
        for instance in resource["instances"].as_array().expect("a list") {
            let module = resource["module"].as_str().unwrap_or_default();
            let key = &instance["index_key"];
            let (kind, name) = (&resource["type"], &resource["name"]);
            let address = format!("{module} {kind}.{name}[{key}]");
            let mut attributes = instance["attributes"].clone();
            if let Some(id) = attributes["id"].as_str() {
                names.push((id.to_owned(), format!("<id of {address}>").replace('"', "'")));
            }
            attributes["depends_on"] = instance["dependencies"].clone();
            objects.push((address, attributes.to_string()));
        }
    }
    let mut outputs = state["outputs"].to_string();
    for (id, name) in &names {
        outputs = outputs.replace(id, name);
        for (_, text) in &mut objects {
            *text = text.replace(id, name);
        }
    }
    objects.push(("outputs".to_owned(), outputs));
    objects.into_iter().collect()
}

/// What is recorded is what exists.
fn whole(stack: &Stack, what: &str) {
    let state: Json =
        serde_json::from_str(&stack.ok(&["state", "pull"])).expect("the state is JSON");
    let mut there = world(stack);
    for resource in state["resources"].as_array().expect("a list") {
        for instance in resource["instances"].as_array().expect("a list") {
            if resource["type"] != "sim_node" {
                continue;
            }
            let attributes = &instance["attributes"];
            let id = attributes["id"].as_str().expect("an id");
            let found = there.remove(id).unwrap_or_else(|| panic!("{what}: {id} is not there"));
            assert_eq!(&found, attributes, "{what}");
        }
    }
    assert!(there.is_empty(), "{what}: there is more than is recorded: {there:?}");
}

#[test]
fn what_an_apply_did_is_led_back() {
    let stack = Stack::new(&[]);
    let output = |size: u32| format!("output \"n\" {{\n  value = {size}\n}}\n");
    let link =
        |to: &str| format!("  inputs = [sim_node.{to}.id, \"at-${{sim_node.{to}.id}}/x\"]\n");
    let first = node("a", "  size = 1\n")
        + &node("b", "  zone = \"z1\"\n  secret = \"hush-hush\"\n")
        + &node("c", &link("b"))
        + &node("gone", "  secret_wo = \"hush-wo\"\n")
        + &node("after", &link("gone"))
        + &output(1);
    applied(&stack, &first);
    let before = recorded(&stack);
    let second = node("a", "  size = 2\n")
        + &node("b", "  zone = \"z2\"\n  secret = \"hush-hash\"\n")
        + &node("c", &link("b"))
        + &node("new", "")
        + &output(2);
    applied(&stack, &second);
    let changed = recorded(&stack);
    assert_ne!(before, changed);

    stack.ok(&["undo", "-out=p"]);
    assert_eq!(recorded(&stack), changed, "a plan changes nothing");
    let shown = stack.ok(&["show", "p"]);
    for wanted in [
        "# sim_node.a will be updated in-place",
        "size = 2 -> 1",
        "# sim_node.b must be replaced",
        "# sim_node.gone will be created",
        "(made anew: what the earlier object held does not come back)",
        "the provider decides anew on id",
        "write-only, so not recorded, and not set now: secret_wo",
        "# sim_node.new will be destroyed",
        "(made since operation 2 began)",
        "n = 2 -> 1",
        "Plan: 3 to add, 2 to change, 2 to destroy.",
    ] {
        assert!(shown.contains(wanted), "{wanted}\n{shown}");
    }
    assert!(!shown.contains("hush"), "{shown}");
    let text = stack.ok(&["undo", "-auto-approve"]);
    assert!(text.contains("leads back to the state before operation 2 (apply, "), "{text}");
    assert!(text.contains("The configuration stays as it is"), "{text}");
    assert_eq!(recorded(&stack), before, "{text}");
    whole(&stack, "after the undo");
    // The plan of an apply that is overtaken by it is stale.
    let err = stack.fails(&["apply", "p"]);
    assert!(err.contains("stratiform::plan"), "{err}");
    // What is configured still says otherwise; with the files of then there is nothing to do.
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(2));
    stack.write("main.tf", &main_tf(&first));
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0));

    // An undo is undone, and again.
    stack.ok(&["undo", "-auto-approve"]);
    assert_eq!(recorded(&stack), changed, "the undo is undone");
    whole(&stack, "after the undo of the undo");
    stack.ok(&["undo", "2", "-auto-approve"]);
    assert_eq!(recorded(&stack), before, "by its number");
    stack.ok(&["undo", "1", "-auto-approve"]);
    assert!(world(&stack).is_empty(), "before the first apply there was nothing");
    assert_eq!(stack.ok(&["state", "list"]), "");
    stack.ok(&["undo", "-auto-approve"]);
    assert_eq!(recorded(&stack), before, "from nothing");
    let again = stack.ok(&["undo", "4", "-refresh=false", "-auto-approve"]);
    assert!(again.contains("destroyed") || again.contains("No changes"), "{again}");
}

#[test]
fn a_plan_file_leads_back_as_it_was_shown() {
    let stack = Stack::new(&[]);
    let link = "  inputs = [sim_node.a.id]\n  secret = \"hush-hush\"\n";
    applied(&stack, &(node("a", "") + &node("b", link)));
    let before = recorded(&stack);
    applied(&stack, "");
    stack.ok(&["undo", "-out=p"]);
    let file = std::fs::read_to_string(stack.dir().join("p")).expect("the file is there");
    assert!(!file.contains("hush"), "secrets are sealed");
    let json: Json = serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
    let actions: Vec<&Json> = (json["resource_changes"].as_array().expect("a list").iter())
        .map(|change| &change["change"]["actions"][0])
        .collect();
    assert_eq!(actions, ["create", "create"]);
    stack.ok(&["apply", "p"]);
    assert_eq!(recorded(&stack), before);
    whole(&stack, "by a file");
    assert!(stack.fails(&["apply", "p"]).contains("operation 3"));
    stack.ok(&["undo", "-auto-approve"]);
    assert!(world(&stack).is_empty(), "that apply is undone as any other");
}

#[test]
fn nobody_is_asked_twice_and_a_no_changes_nothing() {
    let stack = Stack::new(&[]);
    assert!(stack.fails(&["undo"]).contains("nothing has been done yet"));
    applied(&stack, &node("a", ""));
    let before = recorded(&stack);
    let err = stack.fails(&["undo"]);
    assert!(err.contains("not confirmed"), "{err}");
    assert_eq!(recorded(&stack), before);
    let err = stack.fails(&["undo", "9"]);
    assert!(err.contains("stratiform::state::no_operation"), "{err}");
    applied(&stack, &node("b", ""));
    stack.ok(&["history", "prune", "-keep=1"]);
    let err = stack.fails(&["undo", "1"]);
    assert!(err.contains("stratiform::state::not_held"), "{err}");
    stack.ok(&["undo", "-auto-approve"]);
    assert_eq!(recorded(&stack), before);
    let json = stack.ok(&["undo", "-auto-approve", "-json"]);
    for line in json.lines() {
        serde_json::from_str::<Json>(line).expect("every line is JSON");
    }
}

#[test]
fn what_moved_goes_back_and_what_was_let_go_is_taken_up_again() {
    let stack = Stack::new(&[]);
    let secret = "  zone = sensitive(\"hush-hush\")\n";
    applied(&stack, &(node("a", "") + &node("kept", secret)));
    let (before, there) = (recorded(&stack), world(&stack));
    let moved = node("a", "").replace("\"sim_node\" \"a\"", "\"sim_node\" \"z\"");
    let removed = "removed {\n  from = sim_node.kept\n  lifecycle {\n    destroy = false\n  }\n}\n";
    applied(&stack, &(moved + "moved {\n  from = sim_node.a\n  to   = sim_node.z\n}\n" + removed));
    assert_eq!(stack.ok(&["state", "list"]), "sim_node.z\n");
    let text = stack.ok(&["undo", "-auto-approve"]);
    assert!(text.contains("1 to import, 0 to add, 0 to change, 0 to destroy"), "{text}");
    assert!(!text.contains("hush"), "{text}");
    assert_eq!(recorded(&stack), before);
    assert_eq!(world(&stack), there, "no object is touched");
    // By hand, too.
    stack.ok(&["state", "rm", "sim_node.kept"]);
    stack.ok(&["state", "mv", "sim_node.a", "sim_node.y"]);
    stack.ok(&["undo", "4", "-auto-approve"]);
    assert_eq!(recorded(&stack), before);
    assert_eq!(world(&stack), there, "no object is touched");
}

#[test]
fn what_was_taken_in_is_let_go_and_not_destroyed() {
    let stack = Stack::new(&[]);
    applied(&stack, &node("a", ""));
    stack.ok(&["state", "rm", "sim_node.a"]);
    let there = world(&stack);
    let id = there.keys().next().expect("an object").clone();
    let import = format!("import {{\n  to = sim_node.a\n  id = \"{id}\"\n}}\n");
    applied(&stack, &(node("a", "") + &import));
    let text = stack.ok(&["undo", "-auto-approve"]);
    assert!(text.contains("will not be destroyed"), "{text}");
    assert_eq!(world(&stack), there);
    assert_eq!(stack.ok(&["state", "list"]), "");
}

#[test]
fn what_was_let_go_and_is_gone_is_made_anew() {
    let stack = Stack::new(&[]);
    applied(&stack, &(node("a", "") + "resource \"terraform_data\" \"d\" {\n  input = 1\n}\n"));
    let before = recorded(&stack);
    stack.ok(&["state", "rm", "sim_node.a", "terraform_data.d"]);
    for id in world(&stack).into_keys() {
        std::fs::remove_file(stack.dir().join(format!("w/{id}.json"))).expect("it was there");
    }
    let text = stack.ok(&["undo", "2", "-auto-approve", "-refresh=false"]);
    assert!(text.contains("1 to import, 1 to add, 0 to change, 0 to destroy"), "{text}");
    assert_eq!(recorded(&stack), before);
    whole(&stack, "made anew");
}

#[test]
fn protected_objects_and_missing_providers_stop_it() {
    let stack = Stack::new(&[]);
    applied(&stack, "");
    applied(&stack, &node("a", "  lifecycle {\n    prevent_destroy = true\n  }\n"));
    stack
        .write("main.tf", &main_tf(&node("a", "  lifecycle {\n    prevent_destroy = true\n  }\n")));
    let err = stack.fails(&["undo", "-auto-approve"]);
    assert!(err.contains("prevent_destroy"), "{err}");
    applied(&stack, "");
    // A provider's configuration in a module that is gone cannot be made up.
    let stack = Stack::new(&[("m/main.tf", &main_tf(&node("a", "")))]);
    stack.write("main.tf", "module \"m\" {\n  source = \"./m\"\n}\n");
    stack.ok(&["apply", "-auto-approve"]);
    stack.ok(&["destroy", "-auto-approve"]);
    stack.write("main.tf", "");
    let err = stack.fails(&["undo", "-auto-approve"]);
    assert!(err.contains("can only be brought back with it"), "{err}");
}

/// A number generator that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// A random configuration of nodes and data in the root module and in instances of a module; the edges go from
/// later names to earlier ones, so that two configurations of one kind of names never contradict each other.
fn random_stack(dice: &mut Dice) -> Vec<(&'static str, String)> {
    let mut body = String::new();
    let mut made: Vec<String> = Vec::new();
    for at in 0..10 {
        if dice.roll(3) == 0 {
            continue;
        }
        let mut inputs = Vec::new();
        for from in &made {
            if dice.roll(4) == 0 {
                inputs.push(match dice.roll(3) {
                    0 => format!("\"x/${{{from}.id}}/y\""),
                    _ => format!("{from}.id"),
                });
            }
        }
        let mut rest = format!("  inputs = [{}]\n", inputs.join(", "));
        if dice.roll(2) == 0 {
            let _ = writeln!(rest, "  size = {}", dice.roll(3));
        }
        if dice.roll(3) == 0 {
            let _ = writeln!(rest, "  zone = \"z{}\"", dice.roll(3));
        }
        if dice.roll(4) == 0 {
            let _ = writeln!(rest, "  secret = \"hush-{}\"", dice.roll(3));
        }
        if at % 4 == 3 {
            rest.push_str("  lifecycle {\n    create_before_destroy = true\n  }\n");
        }
        let name = format!("n{at}");
        if at % 3 == 1 {
            let count = dice.roll(3);
            body += &node(&name, &format!("  count = {count}\n{rest}"));
            made.extend((0..count).map(|index| format!("sim_node.{name}[{index}]")));
        } else {
            body += &node(&name, &rest);
            made.push(format!("sim_node.{name}"));
        }
    }
    if let Some(from) = made.last() {
        let _ = write!(body, "output \"o\" {{\n  value = \"of ${{{from}.id}}\"\n}}\n");
        if dice.roll(2) == 0 {
            let keys =
                ["[\"k\"]", "[\"k\", \"l\"]", "[]"][usize::try_from(dice.roll(3)).expect("small")];
            let _ = write!(
                body,
                "module \"m\" {{\n  source   = \"./m\"\n  for_each = toset({keys})\n  from     = {from}.id\n  size     = {}\n}}\n",
                dice.roll(3)
            );
        }
    }
    vec![("main.tf", main_tf(&body))]
}

const MODULE: &str = "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\n\
    variable \"from\" {}\nvariable \"size\" {}\n\
    resource \"sim_node\" \"inner\" {\n  name   = \"inner\"\n  size   = var.size\n  inputs = [var.from]\n}\n\
    resource \"sim_node\" \"last\" {\n  name   = \"last\"\n  inputs = [sim_node.inner.id]\n}\n";

/// `STRATIFORM_UNDO=N` runs N random pairs instead of the 12 that a normal run has time for.
#[test]
fn undo_leads_back_whatever_was_applied() {
    let rounds: u64 =
        std::env::var("STRATIFORM_UNDO").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    for round in 0..rounds {
        let mut dice = Dice(round + 1);
        let stack = Stack::new(&[("m/main.tf", MODULE)]);
        let apply = |stack: &Stack, dice: &mut Dice| {
            for (name, text) in random_stack(dice) {
                stack.write(name, &text);
            }
            stack.ok(&["apply", "-auto-approve", "-parallelism=3"]);
            recorded(stack)
        };
        let first = apply(&stack, &mut dice);
        let second = apply(&stack, &mut dice);
        let what = format!("round {round}, in {}", stack.dir().display());
        if round % 2 == 0 {
            stack.ok(&["undo", "2", "-auto-approve", "-parallelism=3"]);
        } else {
            stack.ok(&["undo", "2", "-out=p"]);
            stack.ok(&["apply", "p"]);
        }
        assert_eq!(recorded(&stack), first, "{what}");
        whole(&stack, &what);
        let text = stack.ok(&["undo", "2", "-auto-approve"]);
        assert!(text.contains("No changes."), "{what}\n{text}");
        stack.ok(&["undo", "3", "-auto-approve"]);
        assert_eq!(recorded(&stack), second, "{what}: the undo is undone");
        whole(&stack, &what);
    }
}

/// A kill at any point of the writes: another undo to the same state ends where the first one would have.
#[test]
fn killed_anywhere_another_undo_gets_there() {
    let link = |to: &str| format!("  inputs = [sim_node.{to}.id]\n");
    let first = node("a", "  zone = \"1\"\n") + &node("b", &link("a")) + &node("c", "  size = 1\n");
    let second = node("a", "  zone = \"2\"\n") + &node("c", "  size = 2\n") + &node("d", "");
    let mut killed = 0;
    for point in state::FAILPOINTS {
        for count in [1, 2, 3, 5, 7] {
            let stack = Stack::new(&[]);
            applied(&stack, &first);
            let before = recorded(&stack);
            applied(&stack, &second);
            let mut command = stack.command(&["undo", "2", "-auto-approve", "-parallelism=2"]);
            let done =
                command.env("STRATIFORM_TEST_FAILPOINT", format!("{point}:{count}")).output();
            killed += usize::from(ran(done.expect("the binary runs")).code.is_none());
            let what = format!("{point}:{count}, in {}", stack.dir().display());
            stack.ok(&["undo", "2", "-auto-approve"]);
            assert_eq!(recorded(&stack), before, "{what}");
            whole(&stack, &what);
        }
    }
    assert!(killed >= 16, "the points are reached: {killed}");
}

#[test]
fn a_target_leads_back_what_it_must_and_no_more() {
    let stack = Stack::new(&[]);
    let with = |size: u32, zone: &str, rest: &str| {
        node("a", &format!("  size = {size}\n"))
            + &node("b", &format!("  size   = {size}\n  inputs = [sim_node.a.name]\n"))
            + &node("c", &format!("  size = {size}\n  zone = \"{zone}\"\n"))
            + rest
    };
    applied(&stack, &with(1, "x", &node("gone", "")));
    let fresh = node("new", "") + &node("user", "  inputs = [sim_node.new.id]\n");
    applied(&stack, &with(2, "y", &fresh));
    let sizes = |stack: &Stack| -> BTreeMap<String, Option<u64>> {
        let all = world(stack).into_values();
        all.map(|object| {
            let name = object["name"].as_str().unwrap_or_default().to_owned();
            (name, object["size"].as_u64())
        })
        .collect()
    };
    let last = |stack: &Stack| -> String {
        let told: Json = serde_json::from_str(&stack.ok(&["history", "-json"])).expect("JSON");
        let all = told["operations"].as_array().expect("operations").clone();
        all.iter().rev().find(|one| one["command"] == "apply").expect("one")["operation"]
            .to_string()
    };
    let operation = last(&stack);
    let undo = |target: &str| stack.ok(&["undo", &operation, "-auto-approve", target]);
    // One that another was made from: the other stays.
    let out = undo("-target=sim_node.a");
    assert!(out.contains("0 added, 1 changed, 0 destroyed"), "{out}");
    let now = sizes(&stack);
    assert_eq!((now["a"], now["b"], now["c"]), (Some(1), Some(2), Some(2)));
    assert!(now.contains_key("new") && !now.contains_key("gone"));
    // One that was destroyed comes back, alone.
    let out = undo("-target=sim_node.gone");
    assert!(out.contains("1 added, 0 changed, 0 destroyed"), "{out}");
    // One that was not there goes, with what is made from it.
    let out = undo("-target=sim_node.new");
    assert!(out.contains("0 added, 0 changed, 2 destroyed"), "{out}");
    // The rest.
    stack.ok(&["undo", &operation, "-auto-approve"]);
    let now = sizes(&stack);
    assert_eq!((now["a"], now["b"], now["c"]), (Some(1), Some(1), Some(1)));
    assert_eq!(now.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c", "gone"]);
    assert!(stack.fails(&["undo", "-target=no address!"]).contains("stratiform::"));
}
