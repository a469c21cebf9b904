//! How a plan is shown: as text, as a page, as a comment; and its JSON, read by programs that nobody here wrote.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::Stack;
use serde_json::{Value as Json, json};

/// All kinds of values, and all that can happen to one.
const MAIN: &str = r##"
variable "v" {
  default = 1
}
variable "secret" {
  default   = "canary-91c2"
  sensitive = true
}
resource "terraform_data" "kinds" {
  input = {
    text    = "version ${var.v} \"quoted\" <b>"
    long    = "python3 train.py --data /data --epochs 10 --learning-rate 0.${var.v} --checkpoint-every 1000 --seed 7"
    lines   = "#!/bin/sh\nset -eu\nmkfs /dev/sdb\nmount /dev/sdb /data\necho ${var.v}\nsync\nls\ndf\nexit\n"
    json    = jsonencode({ Version = 1, Allow = ["read", "v${var.v}"], Same = { a = 1 } })
    list    = ["a", "b", "c", "d", "v${var.v}"]
    map     = { "plain" = 1, "with space" = var.v }
    nested  = { deep = [{ x = var.v, y = "same" }, { x = 2 }] }
    secret  = { token = var.secret, v = var.v }
    nothing = null
    gone    = var.v == "2" ? null : { a = 1 }
    kind    = var.v == "2" ? tostring("text") : null
  }
}
resource "terraform_data" "replaced" {
  input            = "same"
  triggers_replace = [var.v, "k"]
}
resource "terraform_data" "first" {
  triggers_replace = var.v
  lifecycle {
    create_before_destroy = true
  }
}
resource "terraform_data" "counted" {
  count = var.v == "2" ? 1 : 2
  input = terraform_data.kinds.output
}
output "o" {
  value = { v = var.v, id = terraform_data.replaced.id }
}
output "s" {
  value     = "${var.secret}-${var.v}"
  sensitive = true
}
"##;

/// Random ids of one width, so that a picture of the text can be kept.
fn settled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        let (head, tail) = rest.split_at(at + 1);
        out.push_str(head);
        let id = tail.get(..36).is_some_and(|id| {
            id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && id.matches('-').count() == 4
        });
        if id {
            out.push_str("ID");
        }
        rest = if id { &tail[36..] } else { tail };
    }
    out + rest
}

fn applied() -> Stack {
    let stack = Stack::new(&[("main.tf", MAIN)]);
    stack.ok(&["apply", "-auto-approve"]);
    stack
}

#[test]
fn a_plan_is_shown_as_people_know_it() {
    let stack = applied();
    let shown = stack.ok(&["plan", "-var=v=2", "-out=p"]);
    insta::assert_snapshot!("plan_of_all_kinds", settled(&shown));
    let again = stack.ok(&["show", "p"]);
    assert!(shown.starts_with(&again), "{again}");
}

#[test]
fn what_comes_is_shown_whole() {
    let stack = Stack::new(&[("main.tf", MAIN)]);
    insta::assert_snapshot!("plan_from_nothing", stack.ok(&["plan"]));
}

#[test]
fn moves_and_what_is_forgotten_are_said() {
    let stack = Stack::new(&[
        (
            "main.tf",
            "resource \"terraform_data\" \"a\" {\n  input = 1\n}\nresource \"terraform_data\" \"b\" {\n  input = 2\n}\nresource \"terraform_data\" \"c\" {\n  input = 3\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n",
        ),
        ("m/main.tf", "resource \"terraform_data\" \"in\" {}\n"),
    ]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.write(
        "main.tf",
        "resource \"terraform_data\" \"x\" {\n  input = 1\n}\nmoved {\n  from = terraform_data.a\n  to   = terraform_data.x\n}\nresource \"terraform_data\" \"y\" {\n  input = 4\n}\nmoved {\n  from = terraform_data.b\n  to   = terraform_data.y\n}\nremoved {\n  from = terraform_data.c\n  lifecycle {\n    destroy = false\n  }\n}\n",
    );
    insta::assert_snapshot!("plan_of_moves", settled(&stack.ok(&["plan"])));
}

#[test]
fn a_long_plan_says_first_what_is_lost() {
    let text = "variable \"n\" {\n  type    = number\n  default = 30\n}\nresource \"terraform_data\" \"many\" {\n  count            = var.n\n  input            = count.index\n  triggers_replace = count.index == 1 ? var.n : 0\n}\nresource \"terraform_data\" \"more\" {\n  count = 30 - var.n\n}\n";
    let stack = Stack::new(&[("main.tf", text)]);
    stack.ok(&["apply", "-auto-approve"]);
    let shown = stack.ok(&["plan", "-var=n=4"]);
    let at = |what: &str| shown.find(what).unwrap_or_else(|| panic!("{what}\n{shown}"));
    assert!(shown.starts_with("Summary of 53 changes\n\n  - 26 to destroy\n"), "{shown}");
    assert!(at("terraform_data.more[*]  26") < at("will perform the following actions"));
    assert!(shown.contains("-/+ 1 to replace\n      terraform_data.many[1]  (triggers_replace cannot change in place)\n"), "{shown}");
    let last_lost = shown.rfind("will be destroyed").expect("something is destroyed");
    assert!(last_lost < at("will be created"), "what is lost comes before what is new");
    assert_eq!(shown.matches("will be destroyed").count(), 26, "each of them in full");
}

const HOSTILE: &str = r#"
resource "terraform_data" "x" {
  for_each = toset(["</script><script>alert(1)</script>", "a\"b'c`d", "\u202e{evil}", "``` \n# heading\n<img src=x onerror=alert(1)>"])
  input    = { (each.key) = "@someone ![p](http://example.test/p.png) ${each.key} \u001b[31m" , text = "one\n```\n</details>\n\u001b]0;title\u0007\u202e\nend" }
}
"#;

#[test]
fn no_value_gets_out_of_its_place() {
    let stack = Stack::new(&[("main.tf", HOSTILE)]);
    let text = stack.ok(&["plan", "-out=p"]);
    let page = stack.ok(&["report", "-html=-", "p"]);
    let comment = stack.ok(&["report", "p", "-markdown"]);
    for (form, shown) in [("text", &text), ("page", &page), ("comment", &comment)] {
        let moving = |c: char| {
            (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c)
        };
        assert!(!shown.contains(moving), "{form}: {shown}");
    }
    assert_eq!(page.matches("<script").count(), 2, "the data and the page's own");
    assert!(!page.contains("<img") && !page.contains("onerror=alert(1)>"), "{page}");
    for outside in page.split("<style>").chain(page.split("</style>")) {
        assert!(!outside.contains("src=\"http") && !outside.contains("href=\"http"), "{outside}");
    }
    // What stands outside of fences has no character of Markdown's or HTML's that came from a value.
    let mut fence: Option<usize> = None;
    for line in comment.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            Some(length) if ticks >= length && line.trim_matches('`').is_empty() => fence = None,
            None => assert!(
                !line.contains('@')
                    && !line.contains("![")
                    && !line.contains("<img")
                    && !line.contains("<script"),
                "{line}"
            ),
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "every fence ends");
}

#[test]
fn reports_hold_no_secret() {
    let stack = applied();
    stack.ok(&["plan", "-var=v=2", "-out=p"]);
    for args in [&["report", "p", "-html=-"][..], &["report", "-markdown=-", "p"], &["show", "p"]] {
        let out = stack.ok(args);
        assert!(!out.contains("canary"), "{args:?}\n{out}");
        assert!(out.contains("(sensitive value)"), "{args:?}\n{out}");
    }
    let file = std::fs::read_to_string(stack.dir().join("p")).expect("a plan file");
    let body = file.lines().nth(1).expect("a line behind the checksum");
    let sheet: Json = serde_json::from_str(body).expect("JSON");
    assert!(!sheet["sheet"].to_string().contains("canary"));
}

#[test]
fn a_page_is_written_and_names_what_it_shows() {
    let stack = applied();
    stack.ok(&["plan", "-var=v=2", "-out=p"]);
    assert_eq!(stack.ok(&["report", "p", "-html", "p.html", "-markdown", "p.md"]), "");
    let page = std::fs::read_to_string(stack.dir().join("p.html")).expect("a page");
    assert!(page.contains("Plan: 2 to add, 2 to change, 3 to destroy."), "{page}");
    let island = page.split("id=\"plan\">").nth(1).and_then(|rest| rest.split("</script>").next());
    let sheet: Json = serde_json::from_str(island.expect("the data")).expect("JSON");
    assert_eq!(sheet["entries"].as_array().map(Vec::len), Some(5));
    let comment = std::fs::read_to_string(stack.dir().join("p.md")).expect("a comment");
    insta::assert_snapshot!("comment", settled(&comment));
}

#[test]
fn a_comment_fits_and_lists_what_is_destroyed() {
    let text = "variable \"n\" {\n  default = 900\n}\nresource \"terraform_data\" \"old\" {\n  count = var.n\n  input = \"a value that takes some room in a comment, ${count.index}\"\n}\nresource \"terraform_data\" \"new\" {\n  count = 900 - var.n\n  input = count.index\n}\n";
    let stack = Stack::new(&[("main.tf", text)]);
    stack.ok(&["apply", "-auto-approve"]);
    stack.ok(&["plan", "-var=n=600", "-out=p"]);
    let comment = stack.ok(&["report", "p", "-markdown"]);
    assert!(comment.len() <= 65_536, "{}", comment.len());
    for gone in 600..900 {
        assert!(comment.contains(&format!("old&#91;{gone}&#93;")), "{gone}");
    }
    assert!(comment.contains("Left out, so that this comment fits"), "{comment}");
    assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
}

#[test]
fn a_report_needs_a_form_and_a_plan_file() {
    let stack = Stack::new(&[("main.tf", "")]);
    assert!(stack.fails(&["report", "p"]).contains("-html FILE"));
    assert!(stack.fails(&["report", "p", "-markdown"]).contains("`p` cannot be read"));
}

/// The folder of programs that were installed for this; `None` says why, and the test passes.
fn readers(program: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("STRATIFORM_TEST_PYTHON_BIN").map(PathBuf::from);
    let found = folder.map(|folder| folder.join(program)).filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: STRATIFORM_TEST_PYTHON_BIN names no folder that holds {program}");
    }
    let terraform =
        Command::new("terraform").arg("version").env("CHECKPOINT_DISABLE", "1").output();
    if terraform.is_err() {
        println!("skipped: terraform is not here to compare with");
        return None;
    }
    found
}

const POLICED: &str = r#"
variable "team" {
  default = "core"
}
resource "terraform_data" "good" {
  input = { owner = var.team, size = 3 }
}
resource "terraform_data" "bad" {
  count = 2
  input = { size = 30 + count.index }
}
module "m" {
  source = "./m"
  from   = terraform_data.good.input.owner
}
"#;

const POLICED_CHILD: &str = r#"
variable "from" {}
resource "terraform_data" "in" {
  input            = { owner = var.from, size = 5 }
  triggers_replace = "x"
}
resource "terraform_data" "bare" {
  input = { size = 99 }
}
"#;

fn terraform(stack: &Stack, args: &[&str]) -> String {
    let ran = Command::new("terraform")
        .args(args)
        .current_dir(stack.dir())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .expect("terraform is here");
    assert!(ran.status.success(), "{args:?} {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// The same configuration, planned by both; the plan's JSON lies in `plan.json`.
fn planned_by_both() -> (Stack, Stack) {
    let files = [("main.tf", POLICED), ("m/main.tf", POLICED_CHILD)];
    let (ours, theirs) = (Stack::new(&files), Stack::new(&files));
    ours.ok(&["plan", "-out=p"]);
    ours.write("plan.json", &ours.ok(&["show", "-json", "p"]));
    terraform(&theirs, &["init", "-no-color"]);
    terraform(&theirs, &["plan", "-out=p"]);
    theirs.write("plan.json", &terraform(&theirs, &["show", "-json", "p"]));
    (ours, theirs)
}

#[test]
fn checkov_finds_the_same() {
    let Some(checkov) = readers("checkov") else { return };
    let (ours, theirs) = planned_by_both();
    let policy = "metadata:\n  id: CKV2_OWN_1\n  name: every object has an owner\n  category: GENERAL_SECURITY\ndefinition:\n  cond_type: attribute\n  resource_types: [terraform_data]\n  attribute: input.owner\n  operator: exists\n";
    let found = |stack: &Stack| -> Json {
        stack.write("policies/owner.yaml", policy);
        let ran = Command::new(&checkov)
            .args([
                "-f",
                "plan.json",
                "--external-checks-dir",
                "policies",
                "--framework",
                "terraform_plan",
            ])
            .args(["-o", "json", "--skip-download", "--check", "CKV2_OWN_1"])
            .current_dir(stack.dir())
            .output()
            .expect("checkov runs");
        let report: Json = serde_json::from_slice(&ran.stdout)
            .unwrap_or_else(|error| panic!("{error} {}", String::from_utf8_lossy(&ran.stderr)));
        let list = |kind: &str| -> Vec<String> {
            let checks = report["results"][kind].as_array().cloned().unwrap_or_default();
            let mut names: Vec<String> = checks
                .iter()
                .map(|one| format!("{} {}", one["check_id"], one["resource_address"]))
                .collect();
            names.sort();
            names
        };
        json!({ "failed": list("failed_checks"), "passed": list("passed_checks"), "errors": report["summary"]["parsing_errors"] })
    };
    let (here, there) = (found(&ours), found(&theirs));
    assert_eq!(here, there);
    assert_eq!(here["failed"].as_array().map(Vec::len), Some(3), "{here}");
}

#[test]
fn terraform_compliance_finds_the_same() {
    let Some(program) = readers("terraform-compliance") else { return };
    let (ours, theirs) = planned_by_both();
    let feature = "Feature: sizes and owners\n  Scenario: every object has an input\n    Given I have terraform_data defined\n    Then it must contain input\n  Scenario: every input has an owner\n    Given I have terraform_data defined\n    When it has input\n    Then it must contain owner\n  Scenario: nothing is replaced by hand\n    Given I have terraform_data defined\n    When it has triggers_replace\n    Then its triggers_replace must be x\n";
    let found = |stack: &Stack| -> (Option<i32>, Vec<String>) {
        stack.write("features/a.feature", feature);
        let ran = Command::new(&program)
            .args(["-f", "features", "-p", "plan.json", "--no-ansi"])
            .current_dir(stack.dir())
            .output()
            .expect("terraform-compliance runs");
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        let told = text
            .lines()
            .filter(|line| ["Failure:", " passed, "].iter().any(|word| line.contains(word)));
        (ran.status.code(), told.map(str::to_owned).collect())
    };
    let (here, there) = (found(&ours), found(&theirs));
    assert_eq!(here, there);
    assert_eq!(here.0, Some(1), "one scenario fails: {here:?}");
}

#[test]
fn tftest_drives_the_binary() {
    let Some(python) = readers("python3") else { return };
    let stack = Stack::new(&[
        (
            "main.tf",
            "variable \"n\" {\n  default = 2\n}\nresource \"terraform_data\" \"a\" {\n  count = var.n\n  input = count.index\n}\nmodule \"m\" {\n  source = \"./m\"\n}\noutput \"names\" {\n  value = [for a in terraform_data.a : a.output]\n}\noutput \"known\" {\n  value = \"yes\"\n}\n",
        ),
        ("m/main.tf", "resource \"terraform_data\" \"in\" {\n  input = \"x\"\n}\n"),
    ]);
    stack.write("drive.py", "import sys, tftest\ntf = tftest.TerraformTest('.', binary=sys.argv[1])\ntf.setup()\nplan = tf.plan(output=True, tf_vars={'n': '3'})\nassert plan.outputs['known'] == 'yes', plan.outputs\nassert sorted(plan.root_module.resources) == ['terraform_data.a[0]', 'terraform_data.a[1]', 'terraform_data.a[2]']\nassert plan.modules['module.m'].resources['terraform_data.in']['values']['input'] == 'x'\nassert plan.variables['n'] == '3', plan.variables\nassert len(plan.resource_changes) == 4\ntf.apply(tf_vars={'n': '3'})\nassert tf.output()['names'] == [0, 1, 2], tf.output()\nassert len(tf.state_pull().resources) == 2\ntf.destroy(tf_vars={'n': '3'})\nassert not tf.state_pull().resources\nprint('driven')\n");
    let ran = common::ran(
        Command::new(python)
            .args(["drive.py", env!("CARGO_BIN_EXE_stratiform")])
            .current_dir(stack.dir())
            .env("STRATIFORM_HOME", stack.home())
            .output()
            .expect("python runs"),
    );
    assert!(ran.out.contains("driven"), "{}\n{}", ran.out, ran.err);
}
