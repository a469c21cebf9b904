//! The example of every error page gives the error that the page is about.
#![allow(missing_docs, reason = "a test binary")]

mod common;

use common::Stack;

#[test]
fn examples_give_their_errors() {
    let mut shown = 0;
    let mut wrong = Vec::new();
    for doc in config::RULE_DOCS.iter().filter(|doc| !doc.example.is_empty()) {
        let stack = Stack::new(&[
            ("main.tf", &format!("{}\n", doc.example)),
            ("m/main.tf", "output \"o\" {\n  value = 1\n}\n"),
        ]);
        let err = stack.fails(&["validate"]);
        if !err.contains(doc.code) {
            wrong.push(format!("{}\n{}\n{err}", doc.code, doc.example));
        }
        shown += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(shown >= 25, "only {shown} examples");
}

/// Faults between modules, which an example of one file cannot show.
#[test]
fn modules_and_their_calls_must_fit() {
    let declared = |body: &str| {
        format!(
            "terraform {{\n  required_providers {{\n    sim = {{ source = \"stratiform/sim\"{body} }}\n  }}\n}}\n"
        )
    };
    let alias = ", configuration_aliases = [sim.x]";
    let cases: [(&str, String, String); 6] = [
        ("import_place", "module \"m\" {\n  source = \"./m\"\n}\n".to_owned(), "resource \"terraform_data\" \"a\" {}\nimport {\n  to = terraform_data.a\n  id = \"x\"\n}\n".to_owned()),
        ("provider_not_passed", "module \"m\" {\n  source = \"./m\"\n}\n".to_owned(), declared(alias)),
        ("provider_not_taken", format!("{}module \"m\" {{\n  source    = \"./m\"\n  providers = {{ sim.y = sim }}\n}}\n", declared("")), declared("")),
        ("provider_mismatch", "module \"m\" {\n  source    = \"./m\"\n  providers = { sim = terraform }\n}\n".to_owned(), declared("")),
        ("provider_in_module", "module \"m\" {\n  source = \"./m\"\n  count  = 2\n}\n".to_owned(), format!("{}provider \"sim\" {{\n  world = \"w\"\n}}\n", declared(""))),
        ("scoped_data", "check \"c\" {\n  data \"sim_lookup\" \"a\" {\n    name = \"a\"\n  }\n  assert {\n    condition     = data.sim_lookup.a.size == 2\n    error_message = \"no\"\n  }\n}\noutput \"x\" {\n  value = data.sim_lookup.a.id\n}\n".to_owned(), String::new()),
    ];
    for (code, root, module) in cases {
        let stack = Stack::new(&[("main.tf", &root), ("m/main.tf", &module)]);
        let err = stack.fails(&["validate"]);
        assert!(err.contains(&format!("stratiform::config::{code}\n")), "{code}: {err}");
    }
}

#[test]
fn plans_that_contradict_themselves_are_refused() {
    let block = |from: &str, to: &str| {
        format!("moved {{\n  from = terraform_data.{from}\n  to   = terraform_data.{to}\n}}\n")
    };
    let data = |name: &str| format!("resource \"terraform_data\" \"{name}\" {{}}\n");
    let cases: [(&str, String); 6] = [
        (
            "no_such_attribute",
            format!("{}output \"x\" {{\n  value = terraform_data.a.inptu\n}}\n", data("a")),
        ),
        ("import_without_block", "import {\n  to = terraform_data.a\n  id = \"x\"\n}\n".to_owned()),
        ("moved_still_there", format!("{}{}{}", data("a"), data("b"), block("a", "b"))),
        ("contradicting_moves", block("a", "b") + &block("b", "a")),
        ("contradicting_moves", block("a", "b") + &block("a", "c")),
        (
            "removed_still_there",
            format!(
                "{}removed {{\n  from = terraform_data.a\n  lifecycle {{\n    destroy = false\n  }}\n}}\n",
                data("a")
            ),
        ),
    ];
    for (code, text) in cases {
        let command = if code == "no_such_attribute" { "validate" } else { "plan" };
        let err = Stack::new(&[("main.tf", &text)]).fails(&[command]);
        assert!(err.contains(&format!("stratiform::plan::{code}\n")), "{code}: {err}");
    }
}

#[test]
fn an_error_inside_a_module_shows_how_it_is_called() {
    let stack = Stack::new(&[
        ("main.tf", "module \"a\" {\n  source = \"./a\"\n}\n"),
        ("a/main.tf", "\nmodule \"b\" {\n  source = \"../b\"\n}\n"),
        ("b/main.tf", "output \"x\" {\n  value = var.nope\n}\n"),
    ]);
    let err = stack.fails(&["validate"]);
    let chain = "in `module.a.module.b`, called at main.tf:1, then a/main.tf:2";
    assert!(err.contains(chain), "{err}");
}
