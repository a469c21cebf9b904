//! `console` and `metadata functions`, beside Terraform's own where the binary is here.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use common::{Ran, Stack, ran};
use serde_json::Value as Json;

const MAIN: &str = r#"
variable "v" {
  type    = object({ a = optional(string, "d"), n = number })
  default = { n = 1 }
}
variable "s" {
  default   = "x"
  sensitive = true
}
locals {
  l    = "loc"
  many = "a\nb\nEOT"
}
resource "terraform_data" "t" {
  input = "hello"
}
"#;

/// What is typed, all at once, and what Terraform 1.11.4 shows; `None` stands for an error.
const LINES: &[(&str, Option<&str>)] = &[
    ("var.v", Some("{\n  \"a\" = \"d\"\n  \"n\" = 1\n}\n")),
    ("type(var.v)", Some("object({\n    a: string,\n    n: number,\n})\n")),
    ("tolist([\"a\", \"b\"])", Some("tolist([\n  \"a\",\n  \"b\",\n])\n")),
    ("local.many", Some("<<EOT_\na\nb\nEOT\nEOT_\n")),
    ("{ a = \"x\\ny\" }", Some("{\n  \"a\" = <<-EOT\n  x\n  y\n  EOT\n}\n")),
    ("var.s", Some("(sensitive value)\n")),
    ("[var.s]", Some("[\n  (sensitive value),\n]\n")),
    ("terraform_data.t", Some("(known after apply)\n")),
    ("null", Some("null\n")),
    ("tolist(null)", Some("tolist(null) /* of dynamic */\n")),
    ("toset([])", Some("toset([])\n")),
    ("\"q\\\"x\\u0001é\"", Some("\"q\\\"x\\x01é\"\n")),
    ("1e30", Some("1000000000000000000000000000000\n")),
    (
        "type([1, { a = tolist([1]) }])",
        Some("tuple([\n    number,\n    object({\n        a: list(number),\n    }),\n])\n"),
    ),
    ("type(tomap({}))", Some("map(dynamic)\n")),
    (
        "{ \"a b\" = 1, \"c\" = tomap({ z = null }) }",
        Some("{\n  \"a b\" = 1\n  \"c\" = tomap({\n    \"z\" = null\n  })\n}\n"),
    ),
    ("terraform.workspace", Some("\"default\"\n")),
    ("local.l", Some("\"loc\"\n")),
    ("bcrypt(\"a\") == uuid()", Some("false\n")),
    ("", Some("\n")),
    ("exit", Some("")),
    ("1\nexit", Some("")),
    ("1\n2", Some("2\n")),
    ("nope", None),
    ("nope\n1", None),
    ("1 +", None),
    ("type(1) == 2", None),
    ("var.nope", None),
    ("module.x", None),
];

fn piped(mut command: Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("the input is piped");
    // A program that ends at the first fault reads no further.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    ran(child.wait_with_output().expect("the program ends"))
}

fn terraform(args: &[&str]) -> Command {
    let mut command = Command::new("terraform");
    command.args(args).env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", "/dev/null");
    command
}

fn is_there() -> bool {
    let there = terraform(&["version"]).output().is_ok();
    if !there {
        println!("skipped: no `terraform` on the path");
    }
    there
}

#[test]
fn values_are_shown_as_terraform_shows_them() {
    let stack = Stack::new(&[("main.tf", MAIN)]);
    for (line, expected) in LINES {
        let found = piped(stack.command(&["console", "-no-color"]), &format!("{line}\n"));
        match expected {
            Some(expected) => {
                assert_eq!(
                    (found.code, found.out.as_str()),
                    (Some(0), *expected),
                    "{line}: {}",
                    found.err
                );
            }
            None => {
                assert_eq!((found.code, found.out.as_str()), (Some(1), ""), "{line}");
                assert!(!found.err.is_empty(), "{line}");
            }
        }
    }
}

#[test]
fn terraform_shows_what_is_recorded_here() {
    if !is_there() {
        return;
    }
    let stack = Stack::new(&[("main.tf", MAIN)]);
    for (line, expected) in LINES {
        let mut command = terraform(&["console", "-no-color"]);
        command.current_dir(stack.dir());
        let found = piped(command, &format!("{line}\n"));
        assert_eq!(found.code, Some(i32::from(expected.is_none())), "{line}");
        assert_eq!(found.out, expected.unwrap_or_default(), "{line}");
    }
}

#[test]
fn console_sees_variables_state_and_plan() {
    let stack = Stack::new(&[("main.tf", MAIN)]);
    let ask = |args: &[&str], line: &str| {
        let found = piped(stack.command(args), &format!("{line}\n"));
        assert_eq!(found.code, Some(0), "{line}: {}", found.err);
        found.out
    };
    assert_eq!(ask(&["console", "-var", "v={n=5}"], "var.v.n"), "5\n");
    assert_eq!(ask(&["console", "-plan"], "terraform_data.t.input"), "\"hello\"\n");
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(ask(&["console"], "terraform_data.t.output"), "\"hello\"\n");
    stack.write("main.tf", &MAIN.replace("\"hello\"", "\"changed\""));
    assert_eq!(ask(&["console"], "terraform_data.t.input"), "\"hello\"\n");
    assert_eq!(ask(&["console", "-plan"], "terraform_data.t.input"), "\"changed\"\n");
}

#[test]
fn function_signatures_are_those_of_terraform() {
    let stack = Stack::new(&[]);
    let ours: Json =
        serde_json::from_str(&stack.ok(&["metadata", "functions", "-json"])).expect("it is JSON");
    assert_eq!(ours["format_version"], "1.0");
    assert_eq!(ours["function_signatures"].as_object().map(serde_json::Map::len), Some(236));
    assert!(stack.fails(&["metadata", "functions"]).contains("-json"));
    if !is_there() {
        return;
    }
    let output = terraform(&["metadata", "functions", "-json"]).output().expect("it runs");
    let theirs: Json = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(without_descriptions(ours), without_descriptions(theirs));
}

/// Descriptions are in everybody's own words.
fn without_descriptions(json: Json) -> Json {
    match json {
        Json::Object(map) => Json::Object(
            map.into_iter()
                .filter(|(name, value)| !(name == "description" && value.is_string()))
                .map(|(name, value)| (name, without_descriptions(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(without_descriptions).collect()),
        other => other,
    }
}

#[test]
fn console_needs_no_configuration() {
    let stack = Stack::new(&[]);
    let ran = piped(stack.command(&["console"]), "1 + 1\n");
    assert_eq!(ran.out.trim(), "2");
}

/// What a terminal shows, without what moves its cursor.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\r', "");
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |at| at + 1);
        shown + &part[end..]
    })
}

/// Types lines into the console at a terminal, each when it is asked for; returns all that is shown.
fn typed(stack: &Stack, lines: &[&str]) -> Option<String> {
    let mut command = Command::new("script");
    let console = concat!(env!("CARGO_BIN_EXE_stratiform"), " console -no-color");
    command.args(["-qec", console, "/dev/null"]).current_dir(stack.dir());
    command.env_clear().env("TERM", "xterm");
    for (name, value) in stack.command(&[]).get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        println!("skipped: no `script` to make a terminal");
        return None;
    };
    let mut stdin = child.stdin.take().expect("the input is piped");
    let mut stdout = child.stdout.take().expect("the output is piped");
    let (sender, receiver) = std::sync::mpsc::channel::<Vec<u8>>();
    let reader = std::thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = stdout.read(&mut part) {
            let _ = sender.send(part[..length].to_vec());
        }
    });
    let mut shown = Vec::new();
    for line in lines {
        loop {
            let Ok(part) = receiver.recv_timeout(std::time::Duration::from_secs(30)) else {
                let _ = child.kill();
                panic!("no prompt for {line:?} after\n{}", plain(&shown));
            };
            shown.extend(part);
            if [">", ":"].iter().any(|end| plain(&shown).trim_end_matches(' ').ends_with(end)) {
                break;
            }
        }
        stdin.write_all(format!("{line}\r").as_bytes()).expect("it reads");
    }
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while child.try_wait().expect("a child").is_none() {
        if std::time::Instant::now() > until {
            let _ = child.kill();
            shown.extend(receiver.try_iter().flatten());
            panic!("the session does not end after\n{}", plain(&shown));
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    reader.join().expect("the terminal is closed");
    shown.extend(receiver.iter().flatten());
    Some(plain(&shown))
}

#[test]
fn what_was_typed_is_there_in_the_next_session_and_no_secret_is() {
    let stack = Stack::new(&[("main.tf", MAIN)]);
    let lines = [
        "upper(\"one\")",
        "[",
        "  \"two\",",
        "]",
        "<<EOT",
        "three",
        "EOT",
        " upper(\"unseen\")",
        "sensitive(\"geheim\")",
        "nonsensitive(var.s) == \"x\" ? \"opened\" : \"\"",
        "exit",
    ];
    let Some(shown) = typed(&stack, &lines) else { return };
    for answer in ["\"ONE\"", "[\n  \"two\",\n]", "\"UNSEEN\"", "(sensitive value)"] {
        assert!(shown.contains(answer), "{answer} is in\n{shown}");
    }
    let path = stack.home().join("console_history");
    let kept = std::fs::read_to_string(&path).expect("a history");
    let expected = [
        "upper(\"one\")",
        "[\\n  \"two\",\\n]",
        "<<EOT\\nthree\\nEOT",
        "nonsensitive(var.s) == \"x\" ? \"opened\" : \"\"",
        "exit",
    ];
    assert_eq!(kept.lines().collect::<Vec<_>>(), expected);
    // Up, and enter: the newest entry but one.
    let shown = typed(&stack, &["\u{1b}[A\u{1b}[A", "exit"]).expect("a terminal");
    assert!(shown.contains("\"opened\""), "{shown}");
}

#[test]
fn an_entry_ends_where_its_brackets_do() {
    let stack = Stack::new(&[]);
    for (text, expected) in [
        ("[1, # one ]\n2]\n", "[\n  1,\n  2,\n]\n"),
        ("\"a ${\n1}\"\n", "\"a 1\"\n"),
        ("<<EOT\nhi\nEOT\n", "<<EOT\nhi\n\nEOT\n"),
        ("upper(<<-EOT\n  a\n  EOT\n)\n", "<<EOT\nA\n\nEOT\n"),
        ("1 + \\\n2\n", "3\n"),
        ("[\n1\n]\n4", "4\n"),
    ] {
        let found = piped(stack.command(&["console"]), text);
        assert_eq!((found.code, found.out.as_str()), (Some(0), expected), "{text}{}", found.err);
    }
    for text in ["[\n1\n", "<<EOT\nhi\n", "\"a\n\"\n"] {
        let found = piped(stack.command(&["console"]), text);
        assert_eq!((found.code, found.out.as_str()), (Some(1), ""), "{text}");
    }
}

#[test]
fn get_reports_what_blocks_say_and_not_what_they_refer_to() {
    let stack = Stack::new(&[("main.tf", "variable \"a\" {\n  typ = 1\n}\n")]);
    let error = stack.fails(&["get"]);
    assert!(error.contains("stratiform::config::unsupported_argument"), "{error}");
    let stack = Stack::new(&[("main.tf", "output \"a\" {\n  value = var.nowhere\n}\n")]);
    stack.ok(&["get"]);
    Stack::new(&[]).ok(&["get"]);
}
