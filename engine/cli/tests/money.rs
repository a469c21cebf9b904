//! `cost` as a whole command: what is priced by rates, what is by use, what is not priced, and the sums of components.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;
use serde_json::{Value as Json, json};

/// Resource types with arguments that are texts or numbers, for a provider that has no program here.
fn schema(types: &[(&str, &[(&str, &str)])]) -> String {
    let types = types.iter().map(|(name, arguments)| {
        let arguments = arguments
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), json!({ "type": kind, "optional": true })));
        let mut attributes: serde_json::Map<String, Json> = arguments.collect();
        attributes.insert("id".to_owned(), json!({ "type": "string", "computed": true }));
        ((*name).to_owned(), json!({ "version": 0, "block": { "attributes": attributes } }))
    });
    let types: serde_json::Map<String, Json> = types.collect();
    json!({
        "format_version": "1.0",
        "provider_schemas": {
            "registry.terraform.io/hashicorp/aws": {
                "provider": { "version": 0, "block": { "attributes": { "region": { "type": "string", "optional": true } } } },
                "resource_schemas": types,
            }
        }
    })
    .to_string()
}

const MAIN: &str = r#"provider "aws" { region = "us-east-1" }
resource "aws_nat_gateway" "out" {}
resource "aws_ebs_volume" "disk" {
  availability_zone = "us-west-2a"
  type              = "gp3"
  size              = 40
  iops              = 4000
  throughput        = 130
}
resource "aws_s3_bucket" "data" {}
resource "aws_vpc" "net" {}
"#;

fn stack(files: &[(&str, &str)]) -> Stack {
    let stack = Stack::new(files);
    stack.write(
        ".stratiform/schemas/aws.json",
        &schema(&[
            ("aws_nat_gateway", &[]),
            ("aws_s3_bucket", &[]),
            ("aws_vpc", &[]),
            (
                "aws_ebs_volume",
                &[
                    ("availability_zone", "string"),
                    ("type", "string"),
                    ("size", "number"),
                    ("iops", "number"),
                    ("throughput", "number"),
                ],
            ),
        ]),
    );
    stack
}

#[test]
fn disks_and_networks_are_priced_and_what_is_paid_by_use_is_told() {
    let stack = stack(&[("main.tf", MAIN)]);
    let text = stack.ok(&["cost"]);
    // 0.045 an hour and 8.40 a month.
    assert!(text.contains("USD per month: 0.00 before, 41.25"), "{text}");
    assert!(text.contains("0.023 USD per GB and month by use"), "{text}");
    assert!(text.contains("0.045 USD per GB by use"), "{text}");
    assert!(text.contains("not priced: 1 aws_vpc"), "{text}");
    assert!(text.contains("infracost, 2024-09-25"), "{text}");
    let json: Json = serde_json::from_str(&stack.ok(&["cost", "-json"])).expect("JSON");
    assert_eq!(json["after_usd_per_hour"]["low"], json!("0.056507"));
    assert_eq!(json["complete"], json!(false));
    assert_eq!(json["unpriced"], json!({ "aws_vpc": 1 }));
    let markdown = stack.ok(&["cost", "-format=markdown"]);
    assert!(markdown.contains("| `aws_nat_gateway.out` | none | 0.045 |"), "{markdown}");
}

#[test]
fn a_table_of_ones_own_prices_what_the_catalog_does_not_know() {
    let stack = stack(&[(
        "main.tf",
        "provider \"aws\" { region = \"eu-west-1\" }\nresource \"aws_nat_gateway\" \"out\" {}\n",
    )]);
    let text = stack.ok(&["cost"]);
    assert!(text.contains("no rate of `nat` by hour in `eu-west-1`"), "{text}");
    let table = "# stratiform-catalog 1 sources\nid\ttitle\turl\tlicence\tdate\nours\tOurs\tinternal\tprivate\t2999-01-01\n# stratiform-catalog 1 rates aws\nservice\tregion\tunit\tusd_low\tusd_high\tsource\nnat\t*\thour\t0.01\t0.02\tours\n";
    stack.write("stratiform.catalog.tsv", table);
    let text = stack.ok(&["cost"]);
    assert!(text.contains("0.01 to 0.02"), "{text}");
    stack.write("stratiform.catalog.tsv", &table.replace("\thour\t", "\tfortnight\t"));
    let error = stack.fails(&["cost"]);
    assert!(error.contains("fortnight") && error.contains("gb_month"), "{error}");
}

#[test]
fn a_component_is_what_all_its_parts_come_to() {
    let types = r#"component_type "trainer" {
  implementation "aws" {
    backend = "aws"
    source  = "./trainer"
    offer   = offer.name == "p5.48xlarge/us-east-1/on_demand"
  }
}
trainer "llm" {}
provider "aws" { region = "us-east-1" }
"#;
    let module = "resource \"aws_nat_gateway\" \"out\" {}\nresource \"aws_vpc\" \"net\" {}\n";
    let stack = stack(&[("main.tf", types), ("trainer/main.tf", module)]);
    let json: Json = serde_json::from_str(&stack.ok(&["cost", "-json"])).expect("JSON");
    assert_eq!(
        json["components"],
        json!([{ "address": "trainer.llm", "before": { "low": "0.00", "high": "0.00" }, "after": { "low": "55.085", "high": "55.085" }, "standing": { "low": "55.085", "high": "55.085" } }])
    );
    assert_eq!(json["after_usd_per_hour"]["low"], json!("55.085"));
    let text = stack.ok(&["cost"]);
    assert!(text.contains("trainer.llm: 0.00 before, 55.085 after, per hour"), "{text}");
}

#[test]
fn offers_are_a_data_source() {
    let stack = Stack::new(&[(
        "main.tf",
        "data \"offers\" \"h100\" {\n  accelerator = \"H100\"\n  region      = \"us-east-1\"\n  purchase    = \"on_demand\"\n  limit       = 2\n}\noutput \"names\" {\n  value = [for one in data.offers.h100.offers : \"${one.backend} ${one.machine} ${one.price_usd_per_hour} ${one.zones[0]}\"]\n}\noutput \"count\" { value = data.offers.h100.count }\nresource \"terraform_data\" \"cheapest\" {\n  input = data.offers.h100.offers[0].machine\n}\n",
    )]);
    stack.ok(&["init"]);
    stack.ok(&["apply", "-auto-approve"]);
    let names: Json = serde_json::from_str(&stack.ok(&["output", "-json", "names"])).expect("JSON");
    assert_eq!(
        names,
        json!(["aws p5.4xlarge 6.88 us-east-1a", "aws p5.48xlarge 55.04 us-east-1a"])
    );
    let again = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{}{}", again.out, again.err);
    // A table of one's own counts here too.
    stack.write(
        "stratiform.catalog.tsv",
        "# stratiform-catalog 1 prices aws\ntype\tregion\tpurchase\tusd_per_hour_low\tusd_per_hour_high\tsource\np5.48xlarge\tus-east-1\ton_demand\t5\t5\tkarpenter-aws\n",
    );
    let plan = stack.ok(&["plan"]);
    assert!(plan.contains("-> \"p5.48xlarge\""), "{plan}");
    for (wrong, message) in [
        ("purchase    = \"gift\"", "`gift` is none of `on_demand`"),
        ("purchase    = \"on_demand\"\n  max_price_usd_per_hour = 0.01", "index"),
        ("purchase    = \"spot\"\n  colour = 1", "colour"),
    ] {
        let main = std::fs::read_to_string(stack.dir().join("main.tf")).expect("a file");
        let stack = Stack::new(&[("main.tf", &main.replace("purchase    = \"on_demand\"", wrong))]);
        let error = stack.fails(&["plan"]);
        assert!(error.contains(message), "{wrong}\n{error}");
    }
}

/// A trainer of two machines of 55.04 USD an hour, of which so many stay when nothing runs.
fn trainers(standing: &str, stack: &str) -> String {
    format!(
        r#"stack {{
{stack}
}}
component_type "trainer" {{
  implementation "aws" {{
    backend  = "aws"
    source   = "./trainer"
    offer    = offer.name == "p5.48xlarge/us-east-1/on_demand"
    machines = 2
    {standing}
  }}
}}
trainer "llm" {{}}
"#
    )
}

const NO_PARTS: (&str, &str) =
    ("trainer/main.tf", "variable \"component\" {}\nresource \"terraform_data\" \"a\" {}\n");

#[test]
fn what_is_paid_while_nothing_runs_is_another_price() {
    let stack = Stack::new(&[("main.tf", &trainers("standing = 0", "")), NO_PARTS]);
    let running = "Cost: 110.08 USD per hour, 80358.40 per month; +110.08 per hour by this plan.";
    let plan = stack.ok(&["plan", "-out=p"]);
    assert!(plan.contains(running), "{plan}");
    let standing = "while nothing runs: 0.00 USD per hour, 0.00 per month";
    assert!(plan.contains(standing), "{plan}");
    for format in ["text", "markdown"] {
        let cost = stack.ok(&["cost", &format!("-format={format}")]);
        assert!(cost.contains("110.08 (0.00 standing)") && cost.contains(standing), "{cost}");
    }
    let page = stack.ok(&["report", "-html=-", "p"]);
    assert!(page.contains(standing) && page.contains("110.08 (0.00 standing)"), "{page}");
    let cost = || -> Json { serde_json::from_str(&stack.ok(&["cost", "-json"])).expect("JSON") };
    let json = cost();
    assert_eq!(json["after_usd_per_hour"], json!({ "low": "110.08", "high": "110.08" }));
    assert_eq!(json["standing_usd_per_hour"], json!({ "low": "0.00", "high": "0.00" }));
    assert_eq!(json["resources"][0]["after"]["standing_usd_per_hour"]["high"], json!("0.00"));
    assert_eq!(json["components"][0]["standing"]["high"], json!("0.00"));
    // One that stays is paid for; more than there are cannot be.
    for (standing, usd) in [("standing = 1", "55.04"), ("standing = 9", "110.08"), ("", "110.08")] {
        stack.write("main.tf", &trainers(standing, ""));
        assert_eq!(cost()["standing_usd_per_hour"]["low"], json!(usd), "{standing}");
    }
    let plan = stack.ok(&["plan"]);
    assert!(plan.contains(running) && !plan.contains("while nothing runs"), "{plan}");
}

#[test]
fn a_limit_judges_what_runs_unless_it_names_what_stands() {
    let stack = Stack::new(&[NO_PARTS]);
    for (limit, refused) in [
        ("max_hourly_usd = 110", Some("the plan comes to 110.08 USD per hour")),
        ("max_hourly_usd = 111", None),
        ("max_standing_hourly_usd = 55.04", None),
        (
            "max_standing_hourly_usd = 55",
            Some("the plan comes to 55.04 USD per hour while nothing runs, 0.04 more"),
        ),
        ("max_standing_monthly_usd = 40000", Some("40179.20 USD per month while nothing runs")),
        ("max_standing_monthly_usd = 40180", None),
    ] {
        let budget = format!("  budget {{\n    {limit}\n  }}");
        stack.write("main.tf", &trainers("standing = 1", &budget));
        let ran = stack.run(&["plan"]);
        assert_eq!(ran.code, Some(i32::from(refused.is_some())), "{limit}\n{}", ran.err);
        let text = ran.err.split_whitespace().filter(|word| *word != "│");
        let text = text.collect::<Vec<_>>().join(" ");
        assert!(refused.is_none_or(|wanted| text.contains(wanted)), "{limit}\n{text}");
    }
}

#[test]
fn a_budget_counts_what_stands_where_it_says_so() {
    let stack = Stack::new(&[NO_PARTS]);
    for (counts, code) in [("", 1), ("counts = \"running\"", 1), ("counts = \"standing\"", 0)] {
        let budget = format!(
            "budget \"team\" {{\n  backend = \"local\"\n  amount_usd = 100\n  period = \"day\"\n  enforce = \"block\"\n  {counts}\n}}\n"
        );
        stack.write("main.tf", &format!("{}{budget}", trainers("standing = 0", "")));
        let ran = stack.run(&["plan"]);
        assert_eq!(ran.code, Some(code), "{counts}\n{}\n{}", ran.out, ran.err);
        assert_eq!(ran.err.contains("comes to 2641.92 USD per day"), code == 1, "{}", ran.err);
    }
}

#[test]
fn nodes_of_a_cluster_that_are_not_kept_are_not_a_standing_price() {
    let stack = Stack::new(&[]);
    let json = |options: &str| -> Json {
        let main = format!(
            "stack {{\n  placement {{\n    backends = [\"google\"]\n    regions = [\"us-east4\"]\n    purchase = [\"on_demand\"]\n  }}\n}}\nprovider \"google\" {{\n  project = \"p\"\n}}\nfabric \"f\" {{\n  options = {{ google = {{ zone = \"us-east4-a\", cards = \"tcpxo\" }} }}\n}}\ncluster \"c\" {{\n  nodes = 2\n  accelerator = {{ type = \"h100\", count = 16 }}\n  fabric = fabric.f\n  try = [{{ machine = \"a3-megagpu-8g\" }}]\n  options = {{ google = {{ {options} }} }}\n}}\n"
        );
        stack.write("main.tf", &main);
        serde_json::from_str(&stack.ok(&["cost", "-json"])).expect("JSON")
    };
    let schemas = common::workspace().join("examples/schemas/google.json");
    let schemas = std::fs::read_to_string(schemas).expect("schemas");
    stack.write(".stratiform/schemas/google.json", &schemas);
    let all = json("");
    assert_eq!(all["standing_usd_per_hour"], all["after_usd_per_hour"]);
    let none = json("min_nodes = 0");
    assert_eq!(none["after_usd_per_hour"], all["after_usd_per_hour"]);
    assert_eq!(none["standing_usd_per_hour"]["high"], json!("0.00"));
}

#[test]
fn a_machine_without_a_price_does_not_pass_a_limit_for_free() {
    let main = |limit: &str| {
        trainers(
            "",
            &format!("  placement {{\n    purchase = [\"capacity_block\"]\n    {limit}\n  }}"),
        )
        .replace("on_demand\"\n    machines", "capacity_block\"\n    machines")
    };
    let stack = Stack::new(&[("main.tf", &main("max_hourly_usd = 1000000")), NO_PARTS]);
    let error = stack.fails(&["plan"]);
    assert!(error.contains("stratiform::component::unknown_price"), "{error}");
    assert!(error.contains("`trainer.llm` on `p5.48xlarge"), "{error}");
    stack.write("main.tf", &main(""));
    stack.ok(&["plan"]);
    // A machine of one's own is for no sale.
    stack.write(
        "main.tf",
        "stack {\n  placement {\n    max_hourly_usd = 1\n  }\n}\ncluster \"c\" {\n  backend = \"local\"\n}\n",
    );
    stack.ok(&["plan"]);
}

/// An endpoint of `SageMaker` as plain resources, with the scaling that `scaling` says.
fn served(scaling: &str) -> String {
    format!(
        r#"provider "aws" {{ region = "us-east-1" }}
resource "aws_sagemaker_endpoint_configuration" "e" {{
  production_variants = [{{ variant_name = "main", instance_type = "ml.g5.48xlarge", initial_instance_count = 2 }}]
}}
{scaling}
"#
    )
}

#[test]
fn an_endpoint_that_goes_to_zero_costs_nothing_while_nobody_asks() {
    let stack = Stack::new(&[]);
    let mut schemas: Json = serde_json::from_str(&schema(&[
        ("aws_sagemaker_endpoint_configuration", &[]),
        (
            "aws_appautoscaling_target",
            &[("resource_id", "string"), ("min_capacity", "number"), ("max_capacity", "number")],
        ),
    ]))
    .expect("JSON");
    let types = &mut schemas["provider_schemas"]["registry.terraform.io/hashicorp/aws"];
    types["resource_schemas"]["aws_sagemaker_endpoint_configuration"]["block"]["attributes"]["production_variants"] = json!({
        "type": ["list", ["object", { "variant_name": "string", "instance_type": "string", "initial_instance_count": "number" }]],
        "optional": true,
    });
    stack.write(".stratiform/schemas/aws.json", &schemas.to_string());
    let target = |variant: &str| {
        format!(
            "resource \"aws_appautoscaling_target\" \"e\" {{\n  resource_id = \"endpoint/e/variant/{variant}\"\n  min_capacity = 0\n  max_capacity = 4\n}}"
        )
    };
    // A g5.48xlarge is 16.288 an hour: two without scaling, none to four with it.
    for (scaling, running, standing) in [
        (String::new(), "32.576", "32.576"),
        (target("main"), "65.152", "0.00"),
        (target("other"), "32.576", "32.576"),
    ] {
        stack.write("main.tf", &served(&scaling));
        let json: Json = serde_json::from_str(&stack.ok(&["cost", "-json"])).expect("JSON");
        assert_eq!(json["after_usd_per_hour"]["high"], json!(running), "{scaling}");
        assert_eq!(json["standing_usd_per_hour"]["high"], json!(standing), "{scaling}");
    }
    stack.write("main.tf", &served(&target("main")));
    let text = stack.ok(&["cost"]);
    assert!(
        text.contains("0 to 4 g5.48xlarge at the price of EC2, SageMaker's is above"),
        "{text}"
    );
}
