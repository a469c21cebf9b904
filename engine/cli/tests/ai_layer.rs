//! Catalog, placement over it, budgets and prices, as whole commands. No provider of a cloud is needed: the
//! implementations are made of `terraform_data`.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;

/// Machines of two clouds, and storage that must be in their region.
const TYPES: &str = r#"
component_type "trainer" {
  input "chip" { type = string }
  input "nodes" {
    type    = number
    default = 1
  }
  output "offer" { description = "Where it is." }

  implementation "aws" {
    backend  = "aws"
    source   = "./any"
    offer    = offer.accelerator == input.chip && offer.accelerator_count >= 8
    machines = input.nodes
  }
  implementation "azure" {
    backend  = "azure"
    source   = "./any"
    offer    = offer.accelerator == input.chip && offer.accelerator_count >= 8
    machines = input.nodes
  }
}
"#;

const ANY: &str = r#"
variable "component" { type = any }
variable "chip" { type = string }
variable "nodes" { type = number }
resource "terraform_data" "this" { input = var.component.offer.name }
output "offer" { value = terraform_data.this.output }
"#;

fn stack(main: &str) -> Stack {
    Stack::new(&[("main.tf", &format!("{TYPES}{main}")), ("any/main.tf", ANY)])
}

const TRAINER: &str = "trainer \"t\" {\n  chip  = \"H100\"\n  nodes = 2\n}\n";

#[test]
fn the_catalog_is_shown_as_a_table_and_as_json() {
    let stack = Stack::new(&[]);
    let ran =
        stack.run(&["catalog", "offers", "-accelerator=H100", "-region=us-east-1", "-limit=2"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("backend  type"), "{}", ran.out);
    assert!(lines[1].contains("p5.4xlarge") && lines[1].contains("6.88"), "{}", ran.out);
    assert!(lines[2].contains("p5.48xlarge") && lines[2].contains("55.04"), "{}", ran.out);
    assert!(lines[3].starts_with("… and "), "{}", ran.out);

    let ran = stack.run(&["catalog", "chips", "-name=H200", "-json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(json[0]["memory_mib"], 144_384);
    let ran = stack.run(&["catalog", "prices", "-backend=azure", "-name=Standard_ND96isr_H200_v5"]);
    assert!(ran.out.contains("84.8") && ran.out.contains("2026-06-18"), "{}", ran.out);
    let ran = stack.run(&["catalog", "regions", "-name=europe-north1"]);
    assert!(ran.out.contains("europe-north1"), "{}", ran.out);
    let ran = stack.run(&["catalog", "types", "-backend=google", "-accelerator=TPU"]);
    assert_eq!(ran.out.lines().count(), 10, "{}", ran.out);
    let ran = stack.run(&["catalog", "offers", "-purchase=gift"]);
    assert!(ran.err.contains("`-purchase=gift` is not one of `on_demand`"), "{}", ran.err);
}

#[test]
fn tables_of_ones_own_are_taken_over_and_faulty_ones_are_not() {
    let stack = Stack::new(&[(
        "mine.tsv",
        "# stratiform-catalog 1 prices aws\ntype\tregion\tpurchase\tusd_per_hour_low\tusd_per_hour_high\tsource\np5.48xlarge\tus-east-1\ton_demand\t31.5\t31.5\tkarpenter-aws\n",
    )]);
    let ran = stack.run(&["catalog", "update", "mine.tsv"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let ran = stack.run(&["catalog", "prices", "-name=p5.48xlarge"]);
    assert!(ran.out.contains("31.5") && !ran.out.contains("55.04"), "{}", ran.out);
    stack.write("bad.tsv", "type,price\n");
    let ran = stack.run(&["catalog", "update", "bad.tsv"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("begins with `# stratiform-catalog 1 KIND`"), "{}", ran.err);
    stack.write("stratiform.catalog.tsv", "# stratiform-catalog 2 prices aws\n");
    let ran = stack.run(&["catalog", "chips"]);
    assert!(ran.err.contains("format 2 of the catalog"), "{}", ran.err);
}

#[test]
fn a_component_goes_to_the_cheapest_offer_of_the_catalog_and_is_priced() {
    let stack = stack(TRAINER);
    let ran = stack.run(&["plan"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("trainer.t on p5.48xlarge/us-east-1/on_demand (aws)"), "{}", ran.out);
    assert!(ran.out.contains("Cost: 110.08 USD per hour, 80358.40 per month"), "{}", ran.out);

    let ran = stack.run(&["cost"]);
    assert!(ran.out.contains("trainer.t"), "{}", ran.out);
    assert!(ran.out.contains("karpenter-aws, 2026-07-20"), "{}", ran.out);
    // 2 machines, 8 chips of 700 W, 369.473 g, 730 hours.
    assert!(ran.out.contains("CO2e: at least 3021 kg per month"), "{}", ran.out);
    let ran = stack.run(&["cost", "-json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(json["after_usd_per_hour"]["low"], "110.08");
    assert_eq!(json["complete"], true);
    let ran = stack.run(&["cost", "-format=markdown"]);
    assert!(ran.out.contains("| `trainer.t` | none | 110.08 |"), "{}", ran.out);
}

#[test]
fn a_plan_over_its_budget_is_refused() {
    let budget = |limit: &str| format!("stack {{\n  budget {{\n    {limit}\n  }}\n}}\n{TRAINER}");
    let over = stack(&budget("max_hourly_usd = 100"));
    let ran = over.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(
        ran.err.contains("the plan comes to 110.08 USD per hour, 10.08 more than `max_hourly_usd`"),
        "{}",
        ran.err
    );
    assert_eq!(over.run(&["state", "list"]).out, "", "nothing was made");
    // The price is shown all the same.
    let ran = over.run(&["cost"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("110.08"), "{}", ran.out);
    let table = [
        ("max_hourly_usd = 120", Some(0), ""),
        ("max_monthly_usd = 80000", Some(1), "80358.40 USD per month, 358.40 more"),
        ("max_carbon_kg_per_month = 3000", Some(1), "kg CO2e per month"),
        ("max_hourly_usd = \"much\"", Some(1), "is a number that is known before planning"),
        ("max_hourly = 3", Some(1), "did you mean `max_hourly_usd`?"),
    ];
    for (limit, code, text) in table {
        let ran = stack(&budget(limit)).run(&["plan"]);
        assert_eq!(ran.code, code, "{limit}: {}", ran.err);
        assert!(ran.err.contains(text), "{limit}: {}", ran.err);
    }
}

#[test]
fn placements_stay_until_they_are_asked_to_move() {
    let stack =
        stack(&format!("stack {{\n  placement {{ backends = [\"azure\"] }}\n}}\n{TRAINER}"));
    let ran = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let name = "Standard_ND96is_noIB_H100_v5/eastus/on_demand";
    assert!(ran.out.contains(name), "{}", ran.out);
    stack.write("main.tf", &format!("{TYPES}{TRAINER}"));
    let ran = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(ran.code, Some(0), "it stays: {}", ran.out);
    assert!(ran.err.contains("a better placement exists"), "{}", ran.err);
    assert!(ran.err.contains("110.08 instead of 176.976"), "{}", ran.err);
    let ran = stack.run(&["plan", "-reoptimize", "-detailed-exitcode", "-out=p"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.out.contains("p5.48xlarge/us-east-1/on_demand (aws)"), "{}", ran.out);
    let ran = stack.run(&["apply", "p"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(stack.run(&["plan", "-detailed-exitcode"]).code == Some(0));
}

#[test]
fn limits_that_rule_everything_out_are_named_with_the_price_of_giving_one_up() {
    let settings =
        "stack {\n  placement {\n    countries = [\"FRA\"]\n    backends  = [\"azure\"]\n  }\n}\n";
    let ran = stack(&format!("{settings}{TRAINER}")).run(&["plan"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.err.contains("`countries` of the stack's placement"), "{}", ran.err);
    assert!(ran.err.contains("all have a place, for 176.976 USD per hour"), "{}", ran.err);
}

#[test]
fn exceptions_need_a_reason_and_a_day() {
    let table = [
        (
            "exception \"C-31\" {\n    until = \"2027-01-31\"\n  }",
            "says why it is made, and on which day",
        ),
        (
            "exception \"C-31\" {\n    reason = \"x\"\n    until = \"soon\"\n  }",
            "says why it is made",
        ),
        (
            "exception \"C-3\" {\n    reason = \"x\"\n    until = \"2027-01-31\"\n  }",
            "there is no check `C-3`",
        ),
        (
            "exception \"C-31\" {\n    reason = \"x\"\n    until = \"2020-01-31\"\n  }",
            "the exception from C-31 ended on 2020-01-31",
        ),
    ];
    for (block, expected) in table {
        let stack = Stack::new(&[("main.tf", &format!("stack {{\n  {block}\n}}\n"))]);
        let ran = stack.run(&["plan"]);
        assert!(ran.err.contains(expected), "{block}: {}", ran.err);
    }
}

#[test]
fn a_lock_file_shows_placements_to_reviews_and_holds_them_without_a_state() {
    let settings = |backends: &str| {
        format!("stack {{\n  placement {{\n    lock_file = true\n{backends}\n  }}\n}}\n{TRAINER}")
    };
    let first = stack(&settings("    backends = [\"azure\"]"));
    assert_eq!(first.run(&["plan"]).code, Some(0));
    let path = first.dir().join("stratiform.placement.json");
    assert!(!path.exists(), "a plan writes nothing");
    let ran = first.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let text = std::fs::read_to_string(&path).expect("apply has written it");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let entry = &json["components"]["trainer.t"];
    assert_eq!(entry["offer"], "Standard_ND96is_noIB_H100_v5/eastus/on_demand");
    let reasons = entry["reasons"].to_string();
    assert!(reasons.contains("the best `price_usd_per_hour`"), "{reasons}");
    // A second apply keeps the reasons, and the file.
    assert_eq!(first.run(&["apply", "-auto-approve"]).code, Some(0));
    let again = std::fs::read_to_string(&path).expect("the file stays");
    assert!(again.contains("the best `price_usd_per_hour`"), "{again}");

    let second = stack(&settings(""));
    second.write("stratiform.placement.json", &text);
    let ran = second.run(&["plan"]);
    assert!(
        ran.out.contains("Standard_ND96is_noIB_H100_v5"),
        "it holds without a state: {}",
        ran.out
    );
    second.write("stratiform.placement.json", "{}");
    let ran = second.run(&["plan"]);
    assert!(ran.err.contains("is no lock file of placements"), "{}", ran.err);
}

/// The standard library's types on AWS, with stand-ins for what implements them.
fn trained(main: &str) -> Stack {
    let on = |type_: &str, offer: &str, machines: &str| {
        let library = format!("{}/../../modules/{type_}/component.tf", env!("CARGO_MANIFEST_DIR"));
        let library = std::fs::read_to_string(library).expect("the library is there");
        let (inputs, _) = library.split_once("  implementation").expect("it has an implementation");
        format!(
            r#"{inputs}
  implementation "aws" {{
    backend  = "aws"
    source   = "./{type_}"
    offer    = offer.region == "us-east-1" && {offer}
    machines = {machines}
  }}
}}
"#
        )
    };
    let cluster = on(
        "cluster",
        "lower(coalesce(offer.accelerator, \"-\")) == input.accelerator.type && offer.accelerator_count == 8 && offer.purchase == \"on_demand\"",
        "input.nodes",
    );
    let filesystem = on("filesystem", "offer.kind == \"region\"", "0");
    let pipeline = on("pipeline", "offer.kind == \"region\"", "0");
    let module = |outputs: &str| {
        format!(
            "variable \"component\" {{ type = any }}\nresource \"terraform_data\" \"this\" {{ input = var.component.offer.name }}\n{outputs}"
        )
    };
    Stack::new(&[
        ("main.tf", main),
        ("cluster.tf", &cluster),
        ("filesystem.tf", &filesystem),
        ("pipeline.tf", &pipeline),
        (
            "cluster/main.tf",
            &module(
                "output \"id\" { value = terraform_data.this.id }\noutput \"nodes\" { value = [] }\noutput \"mounts\" { value = {} }\n",
            ),
        ),
        (
            "filesystem/main.tf",
            &module(
                "output \"path\" { value = terraform_data.this.id }\noutput \"fingerprint\" { value = null }\n",
            ),
        ),
        (
            "pipeline/main.tf",
            &module("output \"artifacts\" { value = {} }\noutput \"metrics\" { value = {} }\n"),
        ),
    ])
}

/// Llama 3 70B on 64 H100, as `ai` teams write it.
fn pretraining(workload: &str) -> String {
    format!(
        r#"filesystem "scratch" {{
  capacity_gib        = 1
  throughput_mb_per_s = 9600
}}
cluster "train" {{
  nodes       = 8
  accelerator = {{ type = "h100", count = 64 }}
  mounts      = {{ "/data" = filesystem.scratch }}
}}
pipeline "pretrain" {{
  cluster = cluster.train
  step "train" {{
    command    = ["true"]
    checkpoint = {{ mount = "/data", max_stall_s = 120 }}
    workload = {{
      params_billion      = 70
      layers              = 80
      hidden              = 8192
      heads               = 64
      sequence_tokens     = 4096
      global_batch_tokens = 4000000
      tokens_billion      = 2
      utilization         = 0.4
      {workload}
    }}
  }}
}}
"#
    )
}

#[test]
fn what_training_needs_is_worked_out_before_anything_is_made() {
    let wrong = trained(&pretraining("tensor_parallel = 16\n      max_usd = 4000"));
    let ran = wrong.run(&["plan"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let said = ran.err.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    for part in [
        "stratiform::check::C-11",
        "main.tf:12:3",
        // 16·70e9/16 of states, 4096·8192·80·(34 + 5·64·4096/8192)/16 of activations.
        "needs 70.0 GB of states and 32.5 GB of activations on each H100",
        "stratiform::check::C-25",
        "`tensor_parallel = 16`, but NVLink4 of H100 joins 8",
        "stratiform::check::C-54",
        "costs 4058 to 4058 USD",
        "more than `max_usd = 4000`",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }

    let right = "tensor_parallel = 8\n      zero_stage = 3\n      recompute = \"selective\"";
    let ran = trained(&pretraining(right)).run(&["plan"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(!ran.err.contains("check::C-"), "{}", ran.err);
    for part in [
        "Estimates:",
        "pipeline.pretrain step `train`: training time 9.2 h = 6·7.000e10·2.000e9/(64·9.890e14·0.4)",
        "cost of a run 4058 USD",
        "best interval of checkpoints",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    let ran = trained(&pretraining(right)).run(&["cost", "-json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(json["estimates"][0]["unit"], "h", "{}", ran.out);
}

#[test]
fn inputs_that_are_not_known_yet_are_listed() {
    let main = format!(
        "resource \"terraform_data\" \"size\" {{ input = 8 }}\n{}",
        pretraining("")
            .replace("params_billion      = 70", "params_billion = terraform_data.size.output")
    );
    let ran = trained(&main).run(&["plan"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("pipeline.pretrain: C-11 memory of training"), "{}", ran.out);
}

const OWN: &str = r#"
variable "most" { default = 3 }
stack {
  rule "short-inputs" {
    types         = ["terraform_data"]
    condition     = length(self.input) <= var.most
    error_message = "${self_address} holds ${length(self.input)} letters, not ${var.most}"
  }
}
resource "terraform_data" "a" { input = "abc" }
resource "terraform_data" "b" { input = "abcdef" }
"#;

#[test]
fn rules_of_ones_own_refuse_a_plan_and_may_be_set_aside() {
    let ran = Stack::new(&[("main.tf", OWN)]).run(&["plan", "-sarif=found.sarif"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("stratiform::check::short-inputs"), "{}", ran.err);
    assert!(ran.err.contains("terraform_data.b holds 6 letters, not 3"), "{}", ran.err);
    assert!(!ran.err.contains("terraform_data.a holds"), "{}", ran.err);

    let ran = Stack::new(&[("main.tf", OWN)]).run(&["plan", "-var", "most=6"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);

    let exception = "stack {\n  exception \"short-inputs\" {\n    reason = \"agreed\"\n    until = \"2999-01-01\"\n  }\n";
    let ran = Stack::new(&[("main.tf", &OWN.replace("stack {\n", exception))]).run(&["plan"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("short-inputs is set aside until 2999-01-01"), "{}", ran.err);
}

#[test]
fn findings_are_written_for_code_scanners() {
    let stack = Stack::new(&[("main.tf", OWN)]);
    let ran = stack.run(&["plan", "-sarif=found.sarif"]);
    assert_eq!(ran.code, Some(1), "there is no plan, and a log all the same");
    let text = std::fs::read_to_string(stack.dir().join("found.sarif")).expect("it is written");
    let log: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "stratiform::check::short-inputs");
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "main.tf");
    assert_eq!(place["region"]["startLine"], 11, "the resource's line");
    let logical = &result["locations"][0]["logicalLocations"][0];
    assert_eq!(logical["fullyQualifiedName"], "terraform_data.b");
    let ran = stack.run(&["plan", "-sarif=no/such/folder/x", "-var", "most=9"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("`no/such/folder/x` cannot be written"), "{}", ran.err);
}

const LATER: &str = r#"
stack {
  rule "short-inputs" {
    types         = ["terraform_data"]
    condition     = self_address != "terraform_data.b" || length(self.input) <= 3
    error_message = "${self_address} would hold ${length(self.input)} letters"
  }
}
resource "terraform_data" "a" { input = "abcdef" }
resource "terraform_data" "b" { input = terraform_data.a.output }
resource "terraform_data" "c" { input = terraform_data.b.output }
"#;

#[test]
fn checks_that_waited_are_decided_before_their_object_is_made() {
    for saved in [false, true] {
        let stack = Stack::new(&[("main.tf", LATER)]);
        let planned = stack.ok(&["plan", "-out=p"]);
        assert!(
            planned.contains("terraform_data.b: short-inputs, once its condition"),
            "{planned}"
        );
        let args: &[&str] = if saved { &["apply", "p"] } else { &["apply", "-auto-approve"] };
        let ran = stack.run(args);
        assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("stratiform::check::short-inputs"), "{}", ran.err);
        assert!(ran.err.contains("terraform_data.b would hold 6 letters"), "{}", ran.err);
        assert_eq!(stack.ok(&["state", "list"]).trim(), "terraform_data.a", "nothing else is made");

        stack.write("main.tf", &LATER.replace("abcdef", "abc"));
        stack.ok(&["apply", "-auto-approve"]);
        assert_eq!(stack.ok(&["state", "list"]).lines().count(), 3);
    }
}

#[test]
fn regions_are_offered_to_those_alone_that_ask_for_them() {
    let types = |offer: &str| {
        format!(
            "component_type \"net\" {{\n  output \"offer\" {{}}\n  implementation \"aws\" {{\n    backend = \"aws\"\n    source = \"./net\"\n    {offer}\n  }}\n}}\nnet \"n\" {{}}\nstack {{\n  placement {{\n    regions = [\"eu-west-1\"]\n    purchase = [\"on_demand\"]\n    max_price_usd_per_hour = 1000\n  }}\n}}\n"
        )
    };
    let net = "variable \"component\" { type = any }\nresource \"terraform_data\" \"this\" { input = var.component.offer.zones }\noutput \"offer\" { value = var.component.offer.name }\n";
    // How and for how much a machine is bought says nothing of a region.
    let asks = types("offer = offer.kind == \"region\"\n    machines = 0");
    let stack = Stack::new(&[("main.tf", &asks), ("net/main.tf", net)]);
    let text = stack.ok(&["plan"]);
    assert!(text.contains("net.n on eu-west-1 (aws)"), "{text}");
    assert!(text.contains("eu-west-1c"), "{text}");
    assert!(!text.contains("0.00 USD"), "it is not priced as nothing: {text}");
    // Who says nothing means machines.
    stack.write("main.tf", &types("").replace("eu-west-1", "us-east-1"));
    let text = stack.ok(&["plan"]);
    assert!(text.contains("/us-east-1/on_demand (aws)"), "{text}");
}

/// The offers of the components, in the order of their addresses.
fn offers_of(plan: &str) -> Vec<String> {
    let lines = plan.lines().skip_while(|line| *line != "Placement").skip(2);
    let lines = lines.take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| Some(line.split(" on ").nth(1)?.split(' ').next()?.to_owned()))
        .collect()
}

#[test]
fn what_is_reserved_is_taken_first_and_no_more_than_there_is() {
    let main = "stack {\n  placement {\n    backends = [\"aws\"]\n    purchase = [\"on_demand\"]\n    reserved = { \"aws/us-west-2/p5.48xlarge\" = 3 }\n  }\n}\ntrainer \"a\" {\n  chip  = \"H100\"\n  nodes = 2\n}\ntrainer \"b\" {\n  chip  = \"H100\"\n  nodes = 2\n}\ntrainer \"c\" {\n  chip  = \"H100\"\n}\n";
    let stack = stack(main);
    let ran = stack.run(&["plan"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    // Two and one of three are paid for already: `a` or `b`, and `c`.
    let mut offers = offers_of(&ran.out);
    assert_eq!(offers[2], "p5.48xlarge/us-west-2/reserved", "{}", ran.out);
    offers.sort();
    assert_eq!(
        offers,
        [
            "p5.48xlarge/us-east-1/on_demand",
            "p5.48xlarge/us-west-2/reserved",
            "p5.48xlarge/us-west-2/reserved"
        ]
    );
    assert!(ran.out.contains("Cost: 110.08 USD per hour"), "{}", ran.out);
    stack.write("main.tf", &format!("{TYPES}{}", main.replace("us-west-2", "us-west-9")));
    let error = stack.fails(&["plan"]);
    assert!(error.contains("which nobody sells"), "{error}");
    stack.write("main.tf", &format!("{TYPES}{}", main.replace("aws/us-west-2/p5", "aws/p5")));
    let error = stack.fails(&["plan"]);
    assert!(error.contains("by `backend/region/type`"), "{error}");
}

#[test]
fn weights_trade_money_for_carbon_and_speed() {
    let placed = |objective: &str| {
        let stack = stack(&format!(
            "stack {{\n  placement {{\n    backends = [\"aws\"]\n    purchase = [\"on_demand\"]\n    objective = {objective}\n  }}\n}}\n{TRAINER}"
        ));
        // Two regions at prices that differ by a dollar, and grids that differ by much.
        stack.write(
            "stratiform.catalog.tsv",
            "# stratiform-catalog 1 prices aws\ntype\tregion\tpurchase\tusd_per_hour_low\tusd_per_hour_high\tsource\np5.48xlarge\teu-north-1\ton_demand\t56.04\t56.04\tkarpenter-aws\n",
        );
        let ran = stack.run(&["plan"]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        offers_of(&ran.out).remove(0)
    };
    assert_eq!(placed("\"cost\""), "p5.48xlarge/us-east-1/on_demand");
    assert_eq!(placed("{ cost = 1, carbon = 0.1 }"), "p5.48xlarge/us-east-1/on_demand");
    // 5.6 kW emit some 2 kg an hour in one region and a tenth of that in the other.
    assert_eq!(placed("{ cost = 1, carbon = 1 }"), "p5.48xlarge/eu-north-1/on_demand");
    // 8 chips of 989 TFLOPS at 20 dollars for a thousand are worth more than they cost; of two nodes as well.
    assert_eq!(placed("{ cost = 1, performance = 20 }"), "p5.48xlarge/us-east-1/on_demand");
    let stack =
        stack(&format!("stack {{\n  placement {{ objective = {{ speed = 1 }} }}\n}}\n{TRAINER}"));
    let error = stack.fails(&["plan"]);
    assert!(error.contains("object of weights"), "{error}");
}

#[test]
fn something_better_is_told_if_it_pays_for_the_move() {
    let main = |more: &str| {
        format!(
            "{TYPES}stack {{\n  placement {{\n    backends = [\"aws\"]\n    purchase = [\"on_demand\"]\n    {more}\n  }}\n}}\n{TRAINER}"
        )
    };
    let stack = Stack::new(&[("main.tf", &main("")), ("any/main.tf", ANY)]);
    stack.ok(&["apply", "-auto-approve"]);
    // Of 110.08 an hour 30.08 can be saved.
    stack.write(
        "stratiform.catalog.tsv",
        "# stratiform-catalog 1 prices aws\ntype\tregion\tpurchase\tusd_per_hour_low\tusd_per_hour_high\tsource\np5.48xlarge\teu-north-1\ton_demand\t40\t40\tkarpenter-aws\n",
    );
    for (more, is_told) in [
        ("", true),
        // 30.08 in 720 hours are 21657.60.
        ("move_usd = 21657", true),
        ("move_usd = 21658", false),
        ("move_usd = 300\n    move_pays_back_hours = 10", true),
        ("move_usd = 301\n    move_pays_back_hours = 10", false),
    ] {
        stack.write("main.tf", &main(more));
        let ran = stack.run(&["plan"]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        let told = ran.err.contains("stratiform::component::better_placement");
        assert_eq!(told, is_told, "{more}\n{}", ran.err);
    }
}

#[test]
fn reports_have_what_a_plan_costs_and_what_was_found() {
    let stack = stack(TRAINER);
    stack.write(
        "checks.tf",
        "check \"never\" {\n  assert {\n    condition     = terraform.workspace == \"blue\"\n    error_message = \"one is <more> than none\"\n  }\n}\n",
    );
    stack.ok(&["plan", "-out=p"]);
    let comment = stack.ok(&["report", "p", "-markdown"]);
    for part in ["**Cost**", "110.08 USD per hour", "**Findings**", "does not hold"] {
        assert!(comment.contains(part), "{part} in {comment}");
    }
    stack.ok(&["report", "p", "-html=p.html", "-junit=p.xml", "-sarif=p.sarif"]);
    let read = |name: &str| std::fs::read_to_string(stack.dir().join(name)).expect("a report");
    let page = read("p.html");
    let island = page.split("id=\"plan\">").nth(1).and_then(|rest| rest.split("</script>").next());
    let sheet: serde_json::Value = serde_json::from_str(island.expect("the data")).expect("JSON");
    let sections = sheet["sections"].as_array().expect("sections");
    let cost = sections.iter().find(|one| one["title"] == "Cost").expect("a part about money");
    assert_eq!(cost["bars"][0]["label"], "trainer.t");
    assert_eq!((&cost["bars"][0]["before"], &cost["bars"][0]["after"]), (&0.into(), &1000.into()));
    let xml = read("p.xml");
    for part in [
        "<testcase name=\"check.never\" classname=\"check\"><failure message=\"one is &lt;more&gt; than none\">",
        "classname=\"stratiform::plan::check_failed\"><system-out>",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    let sarif: serde_json::Value = serde_json::from_str(&read("p.sarif")).expect("JSON");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&"stratiform::plan::check_failed".into(), &"warning".into())
    );
    let at = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(at, "checks.tf");
    // Reports are made from the file alone.
    std::fs::remove_file(stack.dir().join("checks.tf")).expect("it is there");
    assert_eq!(stack.ok(&["report", "p", "-markdown"]), comment);
}
