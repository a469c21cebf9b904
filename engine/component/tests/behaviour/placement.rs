use address::ModulePath;
use component::Decision;

use crate::common::{machine, run, run_in, texts, world};

#[test]
fn a_component_becomes_a_call_of_its_implementation() {
    let run = run(
        "filesystem \"corpus\" {\n  capacity_gib = 4\n  scale { min = 2 }\n  step \"a\" { command = [\"x\"] }\n  step \"b\" { command = [\"y\"] }\n}\noutput \"p\" { value = filesystem.corpus.path }\n",
        &[machine("m", 10, 2)],
    );
    assert!(run.faults.is_empty(), "{:?}", texts(&run.faults));
    assert!(texts(&config::validate(&run.placed.configuration)).is_empty());
    let root = run.placed.configuration.root();
    assert!(root.components.is_empty());
    let (step, call) = root.calls.first_key_value().expect("there is one call");
    assert_eq!(step.to_string(), "filesystem.corpus");
    assert!(run.placed.configuration.modules.contains_key(&ModulePath::root().child(step.clone())));
    let mut inputs: Vec<&str> = call.inputs.keys().map(|name| &**name).collect();
    inputs.sort_unstable();
    assert_eq!(inputs, ["capacity_gib", "component", "scale", "step"]);
    let steps = call.inputs["step"].as_constant().expect("nothing in it is a reference");
    assert_eq!(value::json::to_string(steps), r#"{"a":{"command":["x"]},"b":{"command":["y"]}}"#);
    let described = call.inputs["component"].as_constant().expect("it is known");
    assert_eq!(described.get_attr("backend").and_then(value::Value::as_str), Some("local"));
}

#[test]
fn the_cheapest_offer_that_suits_is_chosen_and_the_reasons_are_recorded() {
    let offers = [machine("dear", 10, 9), machine("small", 1, 1), machine("cheap", 10, 2)];
    let run = run("filesystem \"a\" { capacity_gib = 4 }", &offers);
    let decision = &run.placed.decisions[0];
    assert_eq!((decision.offer.as_str(), decision.backend.as_str()), ("cheap", "local"));
    assert_eq!(decision.reasons, ["the best `price_usd_per_hour` of those that suit: 2"]);
    assert_eq!(decision.rejected[0].candidate, "`local` on `small`");
    assert_eq!(
        decision.rejected[0].reason,
        "wants 4 of `disk_gib`, `small` has 1 left: 3 too little"
    );
    assert_eq!(Decision::from_json(&decision.to_json()).as_ref(), Some(decision));
}

#[test]
fn what_was_placed_stays_until_it_no_longer_suits() {
    let main = "filesystem \"a\" { capacity_gib = 4 }";
    let dear = [machine("dear", 10, 9)];
    let first = run(main, &dear).placed.decisions;
    let both = [machine("cheap", 10, 2), machine("dear", 10, 9)];
    let again = run_in(&world(main), &both, &first).placed.decisions;
    assert_eq!(
        (again[0].offer.as_str(), again[0].reasons[0].as_str()),
        ("dear", "stays where it was placed before")
    );
    let shrunk = [machine("cheap", 10, 2), machine("dear", 3, 9)];
    let moved = run_in(&world(main), &shrunk, &first).placed.decisions;
    assert_eq!(moved[0].offer, "cheap");
    assert_eq!(
        moved[0].reasons[0],
        "left `dear` on `local`: wants 4 of `disk_gib`, `dear` has 3 left: 1 too little"
    );
}

#[test]
fn what_is_placed_already_does_not_give_way_to_what_is_new() {
    let offers = [machine("m", 10, 2)];
    let first = run("filesystem \"z\" { capacity_gib = 8 }", &offers).placed.decisions;
    let both = "filesystem \"a\" { capacity_gib = 8 }\nfilesystem \"z\" { capacity_gib = 8 }";
    let run = run_in(&world(both), &offers, &first);
    assert!(texts(&run.faults)[0].starts_with("no place for `filesystem.a`"), "{:?}", run.faults);
    assert_eq!(run.placed.decisions[0].component, "filesystem.z");
}

#[test]
fn variables_and_locals_are_known_and_what_resources_give_is_deferred() {
    let known = "variable \"n\" { default = 3 }\nlocals { c = var.n + 1 }\nfilesystem \"a\" { capacity_gib = local.c * 3 }";
    let found = run(known, &[machine("m", 10, 2)]);
    assert!(texts(&found.faults)[0].contains("wants 12 of `disk_gib`"), "{:?}", found.faults);
    let unknown = "resource \"terraform_data\" \"x\" { input = 5 }\nfilesystem \"a\" { capacity_gib = terraform_data.x.output }";
    let found = run(unknown, &[machine("m", 10, 2)]);
    assert!(found.faults.is_empty(), "{:?}", texts(&found.faults));
    assert_eq!(found.placed.deferred.len(), 3, "{:?}", found.placed.deferred);
}

#[test]
fn equal_inputs_give_equal_decisions() {
    let main = "filesystem \"b\" { capacity_gib = 4 }\nfilesystem \"a\" { capacity_gib = 4 }";
    let offers = [machine("one", 5, 2), machine("two", 5, 2)];
    let (first, second) = (run(main, &offers).placed, run(main, &offers).placed);
    assert_eq!(first.decisions, second.decisions);
    let places: Vec<&str> = first.decisions.iter().map(|one| one.offer.as_str()).collect();
    assert_eq!(places, ["one", "two"]);
}
