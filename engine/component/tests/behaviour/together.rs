//! Components that are placed together.

use component::{Decision, Offer};
use value::{Type, Value};

use crate::common::{Run, run_types, texts};

const TYPES: &str = r#"
component_type "store" {
  input "size" {
    type    = number
    default = 1
  }
  output "id" {}
  implementation "cloud" {
    backend = "cloud"
    source  = "./any"
    offer   = offer.kind == "store"
  }
}
component_type "machines" {
  input "nodes" {
    type    = number
    default = 1
  }
  input "data" {
    type    = any
    default = null
  }
  output "id" {}
  near = { data = "region" }
  implementation "cloud" {
    backend  = "cloud"
    source   = "./any"
    offer    = offer.kind == "machine"
    machines = input.nodes
    demand   = { seats = input.nodes }
  }
}
"#;

fn offer(kind: &str, name: &str, region: &str, price: i64, seats: i64) -> Offer {
    let country = if region.starts_with("eu") { "DEU" } else { "USA" };
    Offer {
        backend: "cloud".into(),
        name: format!("{name}/{region}/on_demand").into(),
        attributes: Value::object([
            ("kind", Value::from(kind)),
            ("region", Value::from(region)),
            ("country", Value::from(country)),
            ("purchase", Value::from("on_demand")),
            ("price_usd_per_hour", Value::from(price)),
            ("capacity", Value::map(Type::Number, [("seats", Value::from(seats))])),
        ]),
        source: "test".to_owned(),
        date: "2026-11-24".to_owned(),
    }
}

/// Machines are cheap in the west, storage in the east, and it is dear to be apart.
fn market() -> Vec<Offer> {
    vec![
        offer("machine", "m", "west", 10, 8),
        offer("machine", "m", "east", 12, 8),
        offer("machine", "m", "eu", 14, 8),
        offer("store", "s", "west", 9, 8),
        offer("store", "s", "east", 1, 8),
        offer("store", "s", "eu", 2, 8),
    ]
}

const STACK: &str = "store \"d\" {}\nmachines \"m\" {\n  data = store.d\n}\n";

fn placed(settings: &str, stack: &str, prior: &[Decision]) -> Run {
    let main = format!("stack {{\n  placement {{\n{settings}\n  }}\n}}\n{TYPES}{stack}");
    run_types(&main, &market(), prior, false)
}

fn offers(run: &Run) -> Vec<&str> {
    assert!(!run.faults.has_errors(), "{:?}", texts(&run.faults));
    run.placed.decisions.iter().map(|one| one.offer.as_str()).collect()
}

#[test]
fn components_that_belong_together_go_where_the_whole_is_cheapest() {
    let run = placed("", STACK, &[]);
    // Alone, machines would go west for 10; with their data they cost 13 in the east, 19 in the west.
    assert_eq!(offers(&run), ["m/east/on_demand", "s/east/on_demand"]);
    let reasons = run.placed.decisions[0].reasons.join("; ");
    assert!(
        reasons.contains("`cloud` on `m/west/on_demand` would be best for it alone"),
        "{reasons}"
    );
    let rejected = &run.placed.decisions[0].rejected[0];
    assert_eq!(rejected.reason, "would do as well; its `price_usd_per_hour` is 10");
}

#[test]
fn the_number_of_machines_counts() {
    // 8 nodes: 8·10+9 in the west, 8·12+1 in the east.
    let stack = STACK.replace("data =", "nodes = 8\n  data =");
    assert_eq!(offers(&placed("", &stack, &[])), ["m/west/on_demand", "s/west/on_demand"]);
}

#[test]
fn regions_countries_and_prices_are_limits() {
    let table = [
        ("regions", "regions = [\"west\"]", "west"),
        ("residency", "countries = [\"DEU\"]", "eu"),
        ("quota", "quotas = { \"cloud/m\" = 1 }", "east"),
        ("price", "max_price_usd_per_hour = 10", "west"),
    ];
    for (case, setting, region) in table {
        let run = placed(setting, STACK, &[]);
        let expected = [format!("m/{region}/on_demand"), format!("s/{region}/on_demand")];
        assert_eq!(offers(&run), expected, "{case}");
    }
}

#[test]
fn a_conflict_names_the_smallest_set_and_what_giving_up_costs() {
    let run = placed("regions = [\"mars\"]", STACK, &[]);
    let text = texts(&run.faults).join("\n");
    assert!(text.contains("no placement for all components together"), "{text}");
    assert!(text.contains("- `regions` of the stack's placement"), "{text}");
    assert!(text.contains("all have a place, for 13.00 USD per hour"), "{text}");

    let run = placed(
        "quotas = { \"cloud/m\" = 3 }",
        &STACK.replace("data =", "nodes = 4\n  data ="),
        &[],
    );
    let text = texts(&run.faults).join("\n");
    assert!(text.contains("- at most 3 of `cloud/m`, by `quotas`"), "{text}");

    // Two requirements, each of which could hold without the other.
    let mixed = "regions = [\"west\"]\n    countries = [\"DEU\"]";
    let text = texts(&placed(mixed, STACK, &[]).faults).join("\n");
    assert!(text.contains("- `regions`") && text.contains("- `countries`"), "{text}");
    assert!(text.contains("without `countries`") || text.contains("without `regions`"), "{text}");
}

#[test]
fn what_is_placed_stays_and_something_better_is_hinted_at() {
    let west = placed("regions = [\"west\"]", STACK, &[]).placed.decisions;
    let run = placed("", STACK, &west);
    assert_eq!(offers(&run), ["m/west/on_demand", "s/west/on_demand"]);
    let text = texts(&run.faults).join("\n");
    assert!(text.contains("a better placement exists"), "{text}");
    assert!(text.contains("`price_usd_per_hour` 13.00 instead of 19.00"), "{text}");
    let quiet = placed("reoptimize_threshold = 0.5", STACK, &west);
    assert!(quiet.faults.is_empty(), "{:?}", texts(&quiet.faults));
    let main = format!("{TYPES}{STACK}");
    let again = run_types(&main, &market(), &west, true);
    assert_eq!(offers(&again), ["m/east/on_demand", "s/east/on_demand"]);
}

#[test]
fn a_new_component_follows_what_is_placed_already() {
    let west = placed("regions = [\"west\"]", "store \"d\" {}\n", &[]).placed.decisions;
    let run = placed("", STACK, &west);
    assert_eq!(offers(&run), ["m/west/on_demand", "s/west/on_demand"]);
}

#[test]
fn settings_and_nearness_that_cannot_be_read_are_told() {
    let table = [
        ("regions = 3", "a list of names that is known before planning is expected"),
        ("quotas = { m = 3 }", "numbers of machines by `backend/type`"),
        ("quotas = 3", "numbers of machines by `backend/type`"),
        ("reoptimize_threshold = -1", "a number that is not negative"),
        ("max_price_usd_per_hour = \"much\"", "a number of US dollars per hour"),
        ("region = [\"west\"]", "did you mean `regions`?"),
    ];
    for (setting, expected) in table {
        let text = texts(&placed(setting, STACK, &[]).faults).join("\n");
        assert!(text.contains(expected), "{setting}: {text}");
    }
    let near = format!("{}{STACK}", TYPES.replace("data = \"region\"", "date = \"street\""));
    let text = texts(&run_types(&near, &market(), &[], false).faults).join("\n");
    assert!(text.contains("the name of an input is expected"), "{text}");
}

#[test]
fn what_is_tried_first_is_taken_if_it_can_be_and_the_rest_is_recorded() {
    let stack = |steps: &str| STACK.replace("data =", &format!("try = [{steps}]\n  data ="));
    let run = placed("", &stack("{ region = \"eu\" }, { region = [\"west\", \"east\"] }"), &[]);
    assert_eq!(offers(&run), ["m/eu/on_demand", "s/eu/on_demand"], "dearer, but tried first");
    let decision = &run.placed.decisions[0];
    assert_eq!(decision.fallbacks, ["m/west/on_demand"]);
    assert!(
        decision.reasons.contains(&"step 1 of 2 in `try`".to_owned()),
        "{:?}",
        decision.reasons
    );
    assert_eq!(Decision::from_json(&decision.to_json()).as_ref(), Some(decision));

    let later =
        placed("regions = [\"east\"]", &stack("{ region = \"eu\" }, { region = \"east\" }"), &[]);
    assert_eq!(
        offers(&later),
        ["m/east/on_demand", "s/east/on_demand"],
        "the first step is ruled out"
    );
    assert!(later.placed.decisions[0].reasons.contains(&"step 2 of 2 in `try`".to_owned()));

    let table = [
        ("{ regoin = \"eu\" }", "did you mean `region`?"),
        ("3", "a list of objects that is known before planning"),
        ("", "a list of objects that is known before planning"),
    ];
    for (steps, expected) in table {
        let text = texts(&placed("", &stack(steps), &[]).faults).join("\n");
        assert!(text.contains(expected), "{steps}: {text}");
    }
    let text = texts(&placed("", &stack("{ region = \"mars\" }"), &[]).faults).join("\n");
    assert!(text.contains("no place for `machines.m`"), "{text}");
}

#[test]
fn the_best_performance_of_all_is_found() {
    let mut offers = market();
    for (offer, performance) in offers.iter_mut().zip([5, 9, 7, 1, 1, 1]) {
        offer.attributes =
            offer.attributes.clone().with_attr("performance", Value::from(performance));
    }
    let main =
        format!("stack {{\n  placement {{ objective = \"performance\" }}\n}}\n{TYPES}{STACK}");
    let run = run_types(&main, &offers, &[], false);
    let places: Vec<&str> = run.placed.decisions.iter().map(|one| one.offer.as_str()).collect();
    assert_eq!(places, ["m/east/on_demand", "s/east/on_demand"]);
}

#[test]
fn what_it_costs_to_be_apart_is_weighed_against_prices() {
    let types = TYPES.replace(
        "near = { data = \"region\" }",
        "input \"read_gib_per_hour\" {\n    type    = number\n    default = 0\n  }\n  apart_usd_per_hour = { data = input.read_gib_per_hour / 50 }",
    );
    let at = |gib: &str| {
        let main = format!(
            "{types}{}",
            STACK.replace("data =", &format!("read_gib_per_hour = {gib}\n  data ="))
        );
        let run = run_types(&main, &market(), &[], false);
        let places: Vec<String> =
            run.placed.decisions.iter().map(|one| one.offer.clone()).collect();
        assert!(run.faults.is_empty(), "{:?}", texts(&run.faults));
        places
    };
    // Machines cost 10 in the west and 12 in the east, where the data are: up to 2 USD it pays to be apart.
    assert_eq!(at("50"), ["m/west/on_demand", "s/east/on_demand"]);
    assert_eq!(at("150"), ["m/east/on_demand", "s/east/on_demand"]);
    let wrong = types.replace("{ data = input.read", "{ date = input.read");
    let text =
        texts(&run_types(&format!("{wrong}{STACK}"), &market(), &[], false).faults).join("\n");
    assert!(text.contains("`date` is not an input of this type"), "{text}");
}
