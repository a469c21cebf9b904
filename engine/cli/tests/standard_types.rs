//! The component types of the standard library beside cluster, fabric, file system, pipeline and endpoint.
//!
//! On this machine they run. AWS is planned with its provider, which the folder that `STRATIFORM_TEST_PROVIDER_MIRROR`
//! names must have, and applied on an emulator where `STRATIFORM_TEST_AWS` is set and `moto_server` is on the path.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test binary"
)]

#[path = "clouds/emulator.rs"]
mod emulator;
#[path = "clouds/golden.rs"]
mod golden;

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use common::{Stack, ran};
use serde_json::{Value as Json, json};

const CONFIG: &str = r#"{"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128}"#;

const FILES: [(&str, &str); 4] = [
    ("weights/weights.bin", "weights "),
    ("weights/config.json", CONFIG),
    ("corpus/a.txt", "once upon a time\n"),
    ("ledger.csv", "date,usd\n1999-01-01,70\n"),
];

fn on_this_machine() -> Stack {
    let stack = Stack::new(&FILES);
    stack.write("main.tf", include_str!("standard_types/local.tf"));
    stack
}

/// A request on loopback: status and body.
fn ask(method: &str, url: &str, body: &str) -> (u16, Json) {
    let rest = url.strip_prefix("http://").expect("a URL of HTTP");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).expect("somebody listens");
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("a request can be sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Json::Null))
}

#[test]
fn all_types_run_on_this_machine_and_the_next_plan_is_empty() {
    let stack = on_this_machine();
    stack.ok(&["apply", "-auto-approve"]);
    let again = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{}\n{}", again.out, again.err);
    let outputs: Json = serde_json::from_str(&stack.ok(&["output", "-json"])).expect("JSON");
    let value = |name: &str| outputs[name]["value"].clone();

    // What the folder says of its model, and what the block says.
    assert_eq!(value("shape")["layers"], json!(2));
    assert_eq!(value("shape")["heads"], json!(4));
    assert_eq!(value("spent"), json!(0));

    // Only what is approved is served, and it is what was made.
    let served = value("served");
    assert_eq!(
        served.as_object().map(|all| all.keys().collect::<Vec<_>>()),
        Some(vec![&"chat".to_owned()])
    );
    let path = served["chat"]["path"].as_str().expect("a path");
    assert_eq!(std::fs::read_to_string(path).expect("a file"), "weights once upon a time\n");

    let store = value("search");
    let store = store.as_str().expect("a URL").trim_end_matches('/');
    for (name, vector) in [("east", "[1, 0]"), ("north", "[0, 2]"), ("northeast", "[3, 3]")] {
        let body = format!("{{\"vector\": {vector}, \"payload\": \"{name}\"}}");
        assert_eq!(ask("PUT", &format!("{store}/vectors/{name}"), &body).0, 200);
    }
    let (status, found) =
        ask("POST", &format!("{store}/search"), r#"{"vector": [0, 1], "top": 2}"#);
    assert_eq!(status, 200, "{found}");
    let near: Vec<&Json> =
        found["found"].as_array().expect("a list").iter().map(|one| &one["id"]).collect();
    assert_eq!(near, ["north", "northeast"]);
    // The angle between north and northeast is an eighth of a turn.
    let score = found["found"][1]["score"].as_f64().expect("a number");
    assert!((score - 0.5f64.sqrt()).abs() < 1e-6, "{score}");
    let (status, wrong) = ask("POST", &format!("{store}/search"), r#"{"vector": [1]}"#);
    assert_eq!((status, &wrong["error"]), (400, &json!("a vector of 2 numbers is expected")));

    for user in ["ada", "grace"] {
        let url = value("places")[user].as_str().expect("a URL").to_owned();
        assert_eq!(ask("GET", &url, "").0, 200, "{url}");
    }
    stack.ok(&["destroy", "-auto-approve"]);
}

/// Without the breaks that the width of a terminal makes.
fn unbroken(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '│').collect()
}

#[test]
fn weights_are_pinned_and_what_is_approved_is_what_is_served() {
    let stack = on_this_machine();
    let main = include_str!("standard_types/local.tf");
    let table = [
        ("heads          = 4", "heads          = 8", "heads is 8 here and 4 there"),
        ("heads          = 4", "digest = \"0123\"", "something else lies in ./weights"),
        ("format   = \"txt\"", "format   = \"parquet\"", "a.txt in ./corpus end otherwise"),
        ("models[\"chat\"]", "models[\"chat@next\"]", "chat@next"),
        ("approved = [\"chat\"]", "approved = [\"chatt\"]", "What is approved is one of `models`"),
        ("period     = \"year\"", "period     = \"week\"", "`day`, `month`, `quarter` or `year`"),
        ("amount_usd = 100", "amount_usd = -100", "more than 0 US dollars"),
        ("dimensions = 2", "dimensions = 0.5", "1 to 16000 numbers"),
        ("vectors    = 1000", "vectors    = 1000000000000", "MiB of memory"),
        ("[\"ada\", \"grace\"]", "[\"ada\", \"ada\"]", "Every user is named once"),
        ("machines = 1", "machines = 0", "at least one"),
        ("machines = 1", "kind = \"capacity_block\"", "say `auto_accept = true`"),
        ("machines = 1", "gpus_per_machine = 64", "too few"),
        ("framework = \"none\"", "framework = \"torch\"", "`pytorch`, `tensorflow`, `jax`"),
        ("framework = \"none\"", "framework_version = \"latest\"", "three numbers with dots"),
        ("source         = \"./weights\"", "source = \"hf:a/b@main\"", "pinned by a whole commit"),
        ("source   = \"./corpus\"", "source   = \"s3://a/b\"", "`s3://a/b` is none"),
    ];
    for (before, after, wanted) in table {
        assert!(main.contains(before), "{before}");
        stack.write("main.tf", &main.replace(before, after));
        let ran = stack.run(&["apply", "-auto-approve"]);
        assert_eq!(ran.code, Some(1), "{after}\n{}\n{}", ran.out, ran.err);
        assert!(unbroken(&ran.err).contains(&unbroken(wanted)), "{wanted}\n{}", ran.err);
    }
    stack.write("main.tf", main);
    stack.ok(&["destroy", "-auto-approve"]);
}

#[test]
fn what_is_spent_is_told_and_blocks() {
    let year = stack_year();
    let ledger = format!("date,usd\n{year}-01-02,60.5\n1999-01-01,70\n");
    let stack = Stack::new(&[
        ("ledger.csv", &ledger),
        (
            "main.tf",
            "budget \"team\" {\n  amount_usd = 100\n  period = \"year\"\n  ledger = \"./ledger.csv\"\n  backend = \"local\"\n  enforce = \"block\"\n}\noutput \"spent\" { value = budget.team.spent_usd }\n",
        ),
    ]);
    let ran = stack.run(&["apply", "-auto-approve"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    let told = format!("{}{}", ran.out, ran.err);
    assert!(told.contains("60.5 of 100 US dollars"), "{told}");
    assert_eq!(stack.ok(&["output", "spent"]).trim(), "60.5");
    stack.write("ledger.csv", &format!("{ledger}{year}-01-03,39.5\n"));
    let error = stack.fails(&["plan"]);
    assert!(unbroken(&error).contains(&unbroken("is spent: 100 of 100 US dollars")), "{error}");
}

#[test]
fn a_plan_that_comes_to_more_than_a_budget_has_is_refused_or_told() {
    // 8 H100 in one machine are 55.04 USD an hour: 1320.96 a day.
    let budget = |amount: u32, enforce: &str| {
        Stack::new(&[(
            "main.tf",
            &format!(
                "stack {{\n  placement {{\n    backends = [\"bought\", \"local\"]\n  }}\n}}\ncomponent_type \"trainer\" {{\n  implementation \"aws\" {{\n    backend = \"aws\"\n    source = \"./trainer\"\n    offer = offer.name == \"p5.48xlarge/us-east-1/on_demand\"\n  }}\n}}\ntrainer \"llm\" {{\n  backend = \"aws\"\n}}\nbudget \"day\" {{\n  amount_usd = {amount}\n  period = \"day\"\n  enforce = \"{enforce}\"\n  backend = \"local\"\n}}\n"
            )
            .replace("\"bought\"", "\"aws\""),
        ), ("trainer/main.tf", "resource \"terraform_data\" \"a\" {}\n")])
    };
    let error = budget(1000, "block").fails(&["plan"]);
    assert!(error.contains("stratiform::check::over_budget"), "{error}");
    assert!(
        unbroken(&error).contains(&unbroken("1320.96 USD per day, 320.96 more than `budget.day`")),
        "{error}"
    );
    let told = budget(1000, "warn").run(&["plan"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.err.contains("check::perhaps_over_budget"), "{}", told.err);
    let quiet = budget(1321, "block").run(&["plan"]);
    assert_eq!(quiet.code, Some(0), "{}", quiet.err);
    assert!(!quiet.err.contains("check::over_budget"), "{}", quiet.err);
}

fn stack_year() -> String {
    let text =
        Stack::new(&[("main.tf", "output \"y\" { value = formatdate(\"YYYY\", timestamp()) }\n")]);
    text.ok(&["apply", "-auto-approve"]);
    text.ok(&["output", "-raw", "y"]).trim().to_owned()
}

/// A stack with the provider at hand; `None` where it is missing, and says so.
fn on_aws() -> Option<Stack> {
    let mirror = std::env::var("STRATIFORM_TEST_PROVIDER_MIRROR").ok();
    let Some(mirror) = mirror.filter(|dir| Path::new(dir).is_dir()) else {
        println!("skipped: STRATIFORM_TEST_PROVIDER_MIRROR names no folder");
        return None;
    };
    let stack = Stack::new(&FILES);
    let rc = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n"
    );
    stack.write("cli.tfrc", &rc);
    stack.write("main.tf", include_str!("standard_types/aws.tf"));
    Some(stack)
}

fn ok(stack: &Stack, args: &[&str]) -> String {
    let mut command = stack.command(args);
    command.env("TF_CLI_CONFIG_FILE", stack.dir().join("cli.tfrc"));
    let ran = ran(command.output().expect("the binary runs"));
    assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
    ran.out
}

#[test]
fn all_types_plan_on_aws() {
    let Some(stack) = on_aws() else { return };
    stack.write("planned.tf", include_str!("standard_types/aws_planned.tf"));
    ok(&stack, &["init"]);
    let text = ok(&stack, &["plan", "-out=p"]);
    let plan: Json = serde_json::from_str(&ok(&stack, &["show", "-json", "p"])).expect("JSON");
    insta::assert_snapshot!("standard_types_on_aws", golden::shown(&text, &plan));
    let outputs: Vec<String> = ["images", "mount", "open", "index", "memory_gib"]
        .iter()
        .map(|name| format!("{name} = {}", plan["planned_values"]["outputs"][name]["value"]))
        .collect();
    insta::assert_snapshot!("standard_types_on_aws_outputs", outputs.join("\n"));
}

#[test]
fn the_emulator_takes_them_and_gives_them_back() {
    if std::env::var_os("STRATIFORM_TEST_AWS").is_none() {
        println!("skipped: STRATIFORM_TEST_AWS is not set");
        return;
    }
    let Some(stack) = on_aws() else { return };
    let Some((_emulator, port)) = emulator::start() else {
        println!("skipped: there is no moto_server on the path");
        return;
    };
    stack.write("terraform.tfvars", &format!("endpoint = \"http://127.0.0.1:{port}\"\n"));
    ok(&stack, &["init"]);
    ok(&stack, &["apply", "-auto-approve", "-parallelism=20"]);
    let base = ok(&stack, &["output", "-raw", "base"]);
    assert!(base.starts_with("s3://base-model-"), "{base}");
    ok(&stack, &["plan", "-out=p"]);
    let plan: Json = serde_json::from_str(&ok(&stack, &["show", "-json", "p"])).expect("JSON");
    for change in plan["resource_changes"].as_array().expect("changes") {
        let is_still = change["change"]["actions"] == json!(["no-op"]);
        assert!(is_still, "{}: {}", change["address"], change["change"]);
    }
    // The emulator cannot delete groups.
    ok(&stack, &["state", "rm", "registry.models"]);
    ok(&stack, &["destroy", "-auto-approve", "-parallelism=20"]);
    assert_eq!(ok(&stack, &["state", "list"]).trim(), "");
}
