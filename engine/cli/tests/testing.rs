//! `test`: whole folders with test files, through this program and through Terraform where it is there.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Ran, Stack, ran};
use serde_json::Value as Json;

/// A folder of `testing/cases.txt`.
struct Case {
    name: String,
    args: Vec<String>,
    exit: i32,
    /// Runs with their statuses, in the order of the files.
    runs: Vec<String>,
    files: Vec<(String, String)>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("testing/cases.txt");
    let parts = text.split("\n=== ").skip(1);
    parts
        .map(|part| {
            let mut files = part.split("\n--- ");
            let header = files.next().expect("a header");
            let (first, expected) = header.split_once("\n>>> ").expect("an expectation");
            let mut words = first.split_whitespace().map(str::to_owned);
            let mut expected = expected.split_whitespace();
            Case {
                name: words.next().expect("a name"),
                args: words.collect(),
                exit: expected.next().and_then(|code| code.parse().ok()).expect("an exit code"),
                runs: expected.map(str::to_owned).collect(),
                files: files
                    .map(|file| {
                        let (name, text) = file.split_once('\n').unwrap_or((file, ""));
                        (name.to_owned(), format!("{text}\n"))
                    })
                    .collect(),
            }
        })
        .collect()
}

fn stack(case: &Case) -> Stack {
    let files: Vec<(&str, &str)> =
        case.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Stack::new(&files)
}

/// What a run of the tests has told, as far as both programs tell the same.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    exit: Option<i32>,
    /// Types of messages with what they are about, in order.
    messages: Vec<String>,
    /// Severities of what was said about each file and run.
    faults: BTreeSet<String>,
}

fn told(ran: &Ran) -> Told {
    let mut messages = Vec::new();
    let mut faults = BTreeSet::new();
    for line in ran.out.lines() {
        let Ok(message) = serde_json::from_str::<Json>(line) else { continue };
        let kind = message["type"].as_str().unwrap_or_default();
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let about = format!("{} {}", text("@testfile"), text("@testrun"));
        let body = &message[kind];
        let detail = match kind {
            // A long run tells that it goes on.
            "test_run" if body["progress"] == "running" => continue,
            "diagnostic" => {
                faults.insert(format!("{about} {}", message["diagnostic"]["severity"]));
                continue;
            }
            "test_run" | "test_file" => format!("{} {}", body["progress"], body["status"]),
            "test_abstract" | "test_summary" | "test_cleanup" => body.to_string(),
            _ => String::new(),
        };
        messages.push(format!("{kind} {about} {detail}"));
    }
    Told { exit: ran.code, messages, faults }
}

/// Runs with their statuses.
fn statuses(ran: &Ran) -> Vec<String> {
    let messages = ran.out.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let ended = messages.filter(|message| message["test_run"]["progress"] == "complete");
    ended
        .map(|message| {
            let run = &message["test_run"];
            let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
            format!("{}:{}", text("run"), text("status"))
        })
        .collect()
}

fn terraform(stack: &Stack, args: &[&str]) -> Ran {
    let mut command = Command::new("terraform");
    command.args(args).current_dir(stack.dir()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", stack.home()).env("CHECKPOINT_DISABLE", "1");
    command.env("TF_CLI_CONFIG_FILE", "/dev/null");
    ran(command.output().expect("terraform runs"))
}

fn has_terraform() -> bool {
    let found = Command::new("terraform").arg("version").stdout(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("skipped: there is no terraform on the path");
    }
    found
}

#[test]
fn every_case_ends_as_it_says() {
    let mut wrong = Vec::new();
    for case in cases() {
        let stack = stack(&case);
        let mut args = vec!["test", "-json"];
        args.extend(case.args.iter().map(String::as_str));
        let ran = stack.run(&args);
        if ran.code != Some(case.exit) || statuses(&ran) != case.runs {
            wrong.push(format!(
                "{}: {:?} {:?}\n{}\n{}",
                case.name,
                ran.code,
                statuses(&ran),
                ran.out,
                ran.err
            ));
        }
        let left: Vec<_> = std::fs::read_dir(stack.dir())
            .expect("the folder is there")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with(".stratiform") || name.contains("tfstate"))
            .collect();
        if !left.is_empty() {
            wrong.push(format!("{}: tests have touched the folder: {left:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases in which this program deliberately tells something else: the name and why.
const OTHERWISE: &[(&str, &str)] = &[(
    "a_mock_that_does_not_fit",
    "an object whose creation failed is half-made in Terraform, and destroyed; here nothing was made",
)];

#[test]
fn terraform_tells_the_same() {
    if !has_terraform() {
        return;
    }
    let mut wrong = Vec::new();
    for case in cases() {
        if OTHERWISE.iter().any(|(name, _)| *name == case.name) {
            continue;
        }
        let stack = stack(&case);
        // Faults of test files keep `init` from ending well, and the tests then say them again.
        terraform(&stack, &["init"]);
        let mut args = vec!["test", "-json"];
        args.extend(case.args.iter().map(String::as_str));
        let (ours, theirs) = (told(&stack.run(&args)), told(&terraform(&stack, &args)));
        if ours != theirs {
            wrong.push(format!("{}\n ours: {ours:#?}\n theirs: {theirs:#?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn people_see_what_they_know() {
    let case = "a_failure_goes_on_and_an_error_skips_the_rest";
    let case = cases().into_iter().find(|one| one.name == case).expect("the case is there");
    let stack = stack(&case);
    let ran = stack.run(&["test"]);
    assert_eq!(
        ran.out,
        "a.tftest.hcl... in progress
  run \"good\"... pass
  run \"fails\"... fail
  run \"also\"... fail
  run \"err\"... fail
  run \"after\"... skip
  run \"later\"... skip
a.tftest.hcl... tearing down
a.tftest.hcl... fail
b.tftest.hcl... in progress
  run \"one\"... pass
b.tftest.hcl... tearing down
b.tftest.hcl... pass

Failure! 2 passed, 3 failed, 2 skipped.
"
    );
    for part in [
        "stratiform::plan::assertion_failed",
        "assertion does not hold: name is alpha",
        "a.tftest.hcl:8:21",
        "terraform_data.a.input == \"beta\"",
        "`terraform_data.a.input` is \"alpha\"",
    ] {
        assert!(ran.err.contains(part), "{part} in {}", ran.err);
    }
    if has_terraform() {
        let theirs = terraform(&stack, &["test", "-no-color"]);
        assert_eq!(ran.out, theirs.out);
    }
}

const SECRETIVE: &[(&str, &str)] = &[
    (
        "main.tf",
        "variable \"key\" {\n  sensitive = true\n  default   = \"hush-hush\"\n}\nresource \"terraform_data\" \"a\" {\n  input = var.key\n}\noutput \"key\" {\n  value     = var.key\n  sensitive = true\n}\n",
    ),
    (
        "x.tftest.hcl",
        "run \"a\" {\n  assert {\n    condition     = var.key == \"x\"\n    error_message = \"the key is ${var.key}\"\n  }\n  assert {\n    condition     = terraform_data.a.output == \"x\"\n    error_message = \"no\"\n  }\n}\nrun \"b\" {\n  variables {\n    key = run.a.key\n  }\n  assert {\n    condition     = run.a.key == \"x\"\n    error_message = \"no\"\n  }\n}\n",
    ),
];

#[test]
fn what_is_sensitive_is_not_shown() {
    let stack = Stack::new(SECRETIVE);
    let file = stack.dir().join("out.xml");
    for args in
        [&["test", "-verbose"][..], &["test", "-verbose", "-json"], &["test", "-junit-xml=out.xml"]]
    {
        let ran = stack.run(args);
        assert_eq!(ran.code, Some(1), "{args:?} {}", ran.err);
        let all = format!("{}{}", ran.out, ran.err);
        assert!(!all.contains("hush"), "{args:?}: {all}");
        assert!(all.contains("not shown") || args.contains(&"-junit-xml=out.xml"), "{all}");
    }
    let xml = std::fs::read_to_string(file).expect("the file is there");
    assert!(xml.contains("failures=\"2\"") && !xml.contains("hush"), "{xml}");
}

#[test]
fn results_are_written_as_junit() {
    let case = "a_failure_goes_on_and_an_error_skips_the_rest";
    let case = cases().into_iter().find(|one| one.name == case).expect("the case is there");
    let stack = stack(&case);
    stack.fails(&["test", "-junit-xml=ours.xml"]);
    let read = |name: &str| std::fs::read_to_string(stack.dir().join(name)).expect("it is there");
    // What stands in attributes and elements, without times and texts.
    let shape = |text: &str| -> Vec<String> {
        let tags = text.split('<').filter(|tag| {
            tag.starts_with("test")
                || tag.starts_with("fail")
                || tag.starts_with("err")
                || tag.starts_with("skip")
        });
        tags.map(|tag| {
            let tag = tag.split('>').next().unwrap_or_default();
            let parts = tag
                .split("\" ")
                .filter(|part| !part.starts_with("time") && !part.contains("message="));
            let word = tag.split_whitespace().next().unwrap_or_default().to_owned();
            word + " " + &parts.map(|part| part.trim_end_matches('"')).collect::<Vec<_>>().join(" ")
        })
        .collect()
    };
    let ours = shape(&read("ours.xml"));
    assert!(
        ours.iter().any(|tag| tag.contains("skipped=\"2 failures=\"2 errors=\"1")),
        "{ours:#?}"
    );
    if has_terraform() {
        terraform(&stack, &["test", "-junit-xml=theirs.xml"]);
        assert_eq!(ours, shape(&read("theirs.xml")));
    }
}

#[test]
fn verbose_shows_plans_and_states() {
    let stack = Stack::new(&[
        (
            "main.tf",
            "resource \"terraform_data\" \"a\" {\n  input = \"x\"\n}\noutput \"o\" {\n  value = terraform_data.a.output\n}\n",
        ),
        ("x.tftest.hcl", "run \"p\" {\n  command = plan\n}\nrun \"a\" {}\n"),
    ]);
    let out = stack.ok(&["test", "-verbose"]);
    let plan = out.find("terraform_data.a will be created").expect("the plan is shown");
    let state = out.find("# terraform_data.a:\nresource").expect("the state is shown");
    assert!(plan < state && out.contains("o = \"x\""), "{out}");
    let out = stack.ok(&["test", "-verbose", "-json"]);
    let messages: Vec<Json> =
        out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let find = |kind: &str| messages.iter().find(|one| one["type"] == kind).expect("a message");
    let change = &find("test_plan")["test_plan"]["resource_changes"][0];
    assert_eq!(change["change"]["actions"], serde_json::json!(["create"]));
    let state = &find("test_state")["test_state"];
    assert_eq!(state["root_module"]["resources"][0]["values"]["input"], "x", "{state}");
    let members = |ran: &Ran, kind: &str| -> BTreeSet<String> {
        let messages = ran.out.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let body = messages.filter(|one| one["type"] == kind).map(|one| one[kind].clone()).next();
        body.as_ref()
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    };
    let schemas = &state["provider_schemas"]["terraform.io/builtin/terraform"];
    assert!(schemas["resource_schemas"]["terraform_data"].is_object(), "{state}");
    if has_terraform() {
        let args = ["test", "-verbose", "-json"];
        let (ours, theirs) = (stack.run(&args), terraform(&stack, &args));
        for kind in ["test_plan", "test_state"] {
            let (ours, theirs) = (members(&ours, kind), members(&theirs, kind));
            assert!(theirs.is_subset(&ours), "{kind}: {ours:?} lacks some of {theirs:?}");
        }
    }
}

/// Providers that only this program has.
const WITH_PROVIDERS: &[(&str, &str)] = &[
    (
        "main.tf",
        "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\nprovider \"sim\" {\n  world = \"real\"\n}\ndata \"sim_lookup\" \"d\" {\n  name = \"nowhere\"\n}\nresource \"sim_node\" \"n\" {\n  name = \"n\"\n  size = data.sim_lookup.d.size\n}\noutput \"size\" {\n  value = sim_node.n.size\n}\n",
    ),
    ("setup/main.tf", "output \"world\" {\n  value = \"made\"\n}\n"),
];

#[test]
fn settings_of_providers_come_from_variables_and_runs() {
    let stack = Stack::new(WITH_PROVIDERS);
    stack.write(
        "x.tftest.hcl",
        "variables {\n  name = \"wor\"\n}\nprovider \"sim\" {\n  world = \"${var.name}${run.setup.world}\"\n}\noverride_data {\n  target = data.sim_lookup.d\n  values = {\n    size = 0.5\n  }\n}\nrun \"setup\" {\n  module {\n    source = \"./setup\"\n  }\n  providers = {}\n}\nrun \"a\" {\n  assert {\n    condition     = output.size == 0.5\n    error_message = \"size ${output.size}\"\n  }\n}\n",
    );
    let ran = stack.run(&["test"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    assert!(stack.dir().join("wormade").exists(), "the world of the test file was used");
    assert!(!stack.dir().join("real").exists(), "the module's own was not");
}

#[test]
fn mocked_providers_touch_nothing() {
    let stack = Stack::new(WITH_PROVIDERS);
    stack.write(
        "x.tftest.hcl",
        "mock_provider \"sim\" {\n  mock_data \"sim_lookup\" {\n    defaults = {\n      size = 7\n    }\n  }\n}\nrun \"a\" {\n  assert {\n    condition     = output.size == 7 && length(sim_node.n.id) == 8\n    error_message = jsonencode(sim_node.n)\n  }\n}\n",
    );
    let ran = stack.run(&["test"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    assert!(!stack.dir().join("real").exists(), "no world was made");
}

/// Values that are known in the plan are the same in apply, which Terraform does not manage.
#[test]
fn values_made_up_in_the_plan_are_those_of_apply() {
    let stack = Stack::new(&[
        (
            "main.tf",
            "resource \"terraform_data\" \"a\" {\n  count = 3\n}\noutput \"ids\" {\n  value = terraform_data.a[*].id\n}\n",
        ),
        (
            "x.tftest.hcl",
            "mock_provider \"terraform\" {\n  override_during = plan\n}\nrun \"a\" {\n  assert {\n    condition     = length(distinct(output.ids)) == 3\n    error_message = jsonencode(output.ids)\n  }\n}\nrun \"b\" {\n  command   = plan\n  state_key = \"b\"\n  assert {\n    condition     = length(output.ids[0]) == 8\n    error_message = jsonencode(output.ids)\n  }\n}\n",
        ),
    ]);
    let ran = stack.run(&["test"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
}

#[cfg(unix)]
fn interrupted(stack: &Stack, times: usize) -> Ran {
    let mut command = stack.command(&["test"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let ready = stack.dir().join("ready");
    for _ in 0..600 {
        if ready.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    for _ in 0..times {
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().expect("kill is there");
        assert!(sent.success(), "the program still runs");
        std::thread::sleep(Duration::from_millis(300));
    }
    ran(child.wait_with_output().expect("it ends"))
}

#[cfg(unix)]
fn slow() -> Stack {
    Stack::new(&[
        (
            "main.tf",
            "resource \"terraform_data\" \"x\" {\n  provisioner \"local-exec\" {\n    command = \"touch ready; sleep 2\"\n  }\n  provisioner \"local-exec\" {\n    when    = destroy\n    command = \"touch destroyed\"\n  }\n}\n",
        ),
        ("a.tftest.hcl", "run \"one\" {}\nrun \"two\" {}\n"),
        ("b.tftest.hcl", "run \"three\" {}\n"),
    ])
}

#[cfg(unix)]
#[test]
fn an_interrupt_lets_the_run_end_and_cleans_up() {
    let stack = slow();
    let ran = interrupted(&stack, 1);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("run \"one\"... pass") && ran.out.contains("run \"two\"... skip"));
    assert!(ran.out.contains("b.tftest.hcl... skip"), "{}", ran.out);
    assert!(ran.out.ends_with("Success! 1 passed, 0 failed, 2 skipped.\n"), "{}", ran.out);
    assert!(stack.dir().join("destroyed").exists(), "what was made was destroyed");
}

#[cfg(unix)]
#[test]
fn a_second_interrupt_stops_and_lists_what_is_left() {
    let stack = slow();
    let ran = interrupted(&stack, 2);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("run \"one\"... fail"), "{}", ran.out);
    assert!(ran.err.contains("left of a.tftest.hcl/one"), "{}", ran.err);
    assert!(ran.err.contains("  - terraform_data.x"), "{}", ran.err);
    assert!(!stack.dir().join("destroyed").exists(), "nothing was destroyed any more");
}

#[test]
fn each_code_of_test_files_is_shown() {
    let module = "variable \"v\" {\n  default = 1\n  validation {\n    condition     = var.v < 5\n    error_message = \"too large\"\n  }\n}\nresource \"terraform_data\" \"a\" {}\nmodule \"m\" {\n  source = \"./m\"\n}\noutput \"o\" {\n  value = var.v\n}\n";
    let run = |body: &str| format!("run \"r\" {{\n{body}\n}}\n");
    let cases: BTreeMap<&str, String> = [
        ("stratiform::config::override_target", "override_data {\n  target = terraform_data.a\n}\n".to_owned()),
        ("stratiform::config::run_options", run("  plan_options {\n    mode    = refresh-only\n    refresh = false\n  }")),
        ("stratiform::config::run_reference", run("  variables {\n    v = run.r.o\n  }")),
        ("stratiform::config::variable_reference", run("  variables {\n    v = var.nope\n  }")),
        ("stratiform::config::test_reference", run("  variables {\n    v = terraform_data.a.id\n  }")),
        ("stratiform::config::expected_failure", run("  expect_failures = [local.x]")),
        ("stratiform::config::unused_variable", run("  variables {\n    w = 1\n  }")),
        ("stratiform::config::override_nowhere", "override_resource {\n  target = terraform_data.b\n}\n".to_owned() + &run("")),
        ("stratiform::config::test_provider_version", "provider \"terraform\" {\n  version = \"1.0\"\n}\n".to_owned() + &run("")),
        ("stratiform::config::test_provider_mismatch", "mock_provider \"two\" {}\nrun \"a\" {\n  providers = { two = two }\n}\n".to_owned() + &run("  providers = { terraform = two }")),
        ("stratiform::plan::assertion_failed", run("  assert {\n    condition     = var.v == 2\n    error_message = \"no\"\n  }")),
        ("stratiform::plan::assertion_unknown", run("  command = plan\n  assert {\n    condition     = terraform_data.a.id == \"x\"\n    error_message = \"no\"\n  }")),
        ("stratiform::plan::missing_failure", run("  expect_failures = [var.v]")),
        ("stratiform::plan::failure_in_plan", run("  variables {\n    v = 7\n  }\n  expect_failures = [var.v]")),
    ]
    .into();
    let documented: BTreeSet<&str> = (config::TEST_ERROR_DOCS.iter())
        .chain(plan::assertion::ASSERTION_ERROR_DOCS)
        .map(|doc| doc.code)
        .collect();
    assert_eq!(cases.keys().copied().collect::<BTreeSet<_>>(), documented);
    for (code, text) in cases {
        let stack = Stack::new(&[
            ("main.tf", module),
            ("m/main.tf", "output \"o\" {\n  value = 1\n}\n"),
            ("x.tftest.hcl", &text),
        ]);
        let ran = stack.run(&["test"]);
        assert!(ran.err.contains(&format!("{code}\n")), "{code}: {}", ran.err);
    }
}

#[test]
fn validate_reads_test_files() {
    let case = "everything_that_is_wrong_with_a_file";
    let case = cases().into_iter().find(|one| one.name == case).expect("the case is there");
    let stack = stack(&case);
    let err = stack.fails(&["validate"]);
    for part in [
        "unsupported block `foo` in `a test file`",
        "unsupported argument `bar` in `run`",
        "`command` must be `plan` or `apply`",
        "duplicate run `a`",
        "`b c` is not a valid name",
        "duplicate block `variables`",
        "duplicate provider configuration `a`",
        "`override_data` cannot override `terraform_data.x`",
        "stratiform::config::constant_required",
        "stratiform::config::run_options",
        "the condition of this `assert` depends on nothing",
    ] {
        assert!(err.contains(part), "{part} in {err}");
    }
    stack.ok(&["validate", "-no-tests"]);
    let report = stack.run(&["validate", "-json"]);
    let report: Json = serde_json::from_str(&report.out).expect("JSON");
    assert_eq!(report["diagnostics"][0]["range"]["filename"], "x.tftest.hcl", "{report}");
    if has_terraform() {
        assert_eq!(terraform(&stack, &["validate", "-no-color"]).code, Some(1));
        assert_eq!(terraform(&stack, &["validate", "-no-tests"]).code, Some(0));
    }
}

#[test]
fn validate_reads_the_modules_of_runs() {
    for (case, code) in [
        ("a_helper_with_errors", "stratiform::config::duplicate"),
        ("a_reference_to_nothing_in_a_helper", "stratiform::config::unknown_reference"),
    ] {
        let case = cases().into_iter().find(|one| one.name == case).expect("the case is there");
        let stack = stack(&case);
        let err = stack.fails(&["validate"]);
        assert!(err.contains(code) && err.contains("helper/main.tf:"), "{err}");
        stack.ok(&["validate", "-no-tests"]);
        if has_terraform() {
            terraform(&stack, &["init"]);
            assert_eq!(terraform(&stack, &["validate"]).code, Some(1));
        }
    }
}

#[test]
fn init_brings_the_modules_of_runs() {
    if !Command::new("git").arg("version").stdout(Stdio::null()).status().is_ok_and(|s| s.success())
    {
        println!("skipped: there is no git");
        return;
    }
    let repository = tempfile::tempdir().expect("a temporary folder");
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(args).current_dir(repository.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "a").env(format!("GIT_{who}_EMAIL"), "a@b");
        }
        assert!(command.output().expect("git runs").status.success(), "{args:?}");
    };
    let text = "module \"inner\" {\n  source = \"./inner\"\n}\noutput \"o\" {\n  value = module.inner.o\n}\n";
    std::fs::write(repository.path().join("main.tf"), text).expect("a file can be written");
    std::fs::create_dir(repository.path().join("inner")).expect("a folder can be made");
    let text = "output \"o\" {\n  value = \"from git\"\n}\n";
    std::fs::write(repository.path().join("inner/main.tf"), text).expect("a file can be written");
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "all"]);
    let source = format!("git::file://{}", repository.path().display());
    let test = format!(
        "run \"r\" {{\n  module {{\n    source = \"{source}\"\n  }}\n  assert {{\n    condition     = output.o == \"from git\"\n    error_message = output.o\n  }}\n}}\n"
    );
    let stack = Stack::new(&[
        ("main.tf", "output \"o\" {\n  value = 1\n}\n"),
        ("tests/x.tftest.hcl", &test),
    ]);
    let err = stack.fails(&["test"]);
    assert!(err.contains("stratiform::config::module_source"), "{err}");
    stack.ok(&["init"]);
    stack.ok(&["test"]);
    let manifest = std::fs::read_to_string(stack.dir().join(".terraform/modules/modules.json"));
    let manifest: Json = serde_json::from_str(&manifest.expect("it is there")).expect("JSON");
    let keys: Vec<&str> = manifest["Modules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["Key"].as_str())
        .collect();
    assert_eq!(keys, ["", "test.tests.x.r", "test.tests.x.r.inner"]);
}

/// Components are placed for tests as for plans.
#[test]
fn stacks_with_components_are_tested_too() {
    let stack = Stack::new(&[
        (
            "main.tf",
            "stack {\n  placement {\n    backends = [\"local\"]\n  }\n}\nfilesystem \"f\" {\n  capacity_gib = 1\n}\n",
        ),
        (
            "x.tftest.hcl",
            "run \"a\" {\n  command = plan\n  assert {\n    condition     = filesystem.f != null\n    error_message = \"no\"\n  }\n}\n",
        ),
    ]);
    let ran = stack.run(&["test"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
}

/// The example of the how-to page does what the page says.
#[test]
fn the_example_of_the_documentation_works() {
    let page = common::workspace().join("docs/how-to/test-modules.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let mut blocks = page.split("```").skip(1).step_by(2);
    let test = blocks.next().and_then(|block| block.strip_prefix("hcl\n")).expect("a test file");
    let shown = blocks
        .next()
        .and_then(|block| block.split_once("stratiform test\n"))
        .expect("what is shown");
    let stack = Stack::new(&[
        (
            "main.tf",
            "variable \"name\" {\n  validation {\n    condition     = length(var.name) > 2\n    error_message = \"too short\"\n  }\n}\nresource \"terraform_data\" \"bucket\" {\n  input = var.name\n}\noutput \"id\" {\n  value = terraform_data.bucket.id\n}\n",
        ),
        ("tests/bucket.tftest.hcl", test),
    ]);
    assert_eq!(stack.ok(&["test"]), shown.1);
}

/// What a plan has not come to is not known, and is no reason to fall over.
#[test]
fn assertions_on_what_was_not_planned_are_unknown() {
    let module = "variable \"v\" {\n  default = 1\n  validation {\n    condition     = var.v < 5\n    error_message = \"too large\"\n  }\n}\nresource \"terraform_data\" \"a\" {\n  input = var.v\n}\nresource \"terraform_data\" \"b\" {\n  count = 2\n}\noutput \"o\" {\n  value = terraform_data.a.output\n}\n";
    let assertion = |text: &str| {
        format!("  assert {{\n    condition     = {text}\n    error_message = \"no\"\n  }}\n")
    };
    let targeted = "  plan_options {\n    target = [terraform_data.a]\n  }\n";
    let failing = "  command = plan\n  variables {\n    v = 7\n  }\n  expect_failures = [var.v]\n";
    let cases = [
        (targeted, "terraform_data.b[0].id == \"x\"", false),
        (targeted, "terraform_data.a.output == 1", true),
        (failing, "terraform_data.a.output == 1", false),
        (failing, "output.o == 1", false),
        (failing, "var.v == 7", true),
    ];
    for (head, condition, holds) in cases {
        let test = format!("run \"r\" {{\n{head}{}}}\n", assertion(condition));
        let stack = Stack::new(&[("main.tf", module), ("x.tftest.hcl", &test)]);
        let ran = stack.run(&["test"]);
        assert_eq!(ran.code, Some(i32::from(!holds)), "{head}{condition}: {}", ran.err);
        assert_eq!(ran.err.contains("plan::assertion_unknown"), !holds, "{condition}: {}", ran.err);
    }
}

/// The made-up words in a value, which differ from run to run, as one word.
fn without_words(value: &Json) -> Json {
    match value {
        Json::Object(entries) => entries
            .iter()
            .map(|(name, value)| (name.clone(), without_words(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Json::Array(items) => items.iter().map(without_words).collect(),
        Json::String(text)
            if text.len() == 8
                && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) =>
        {
            "WORD".into()
        }
        other => other.clone(),
    }
}

/// The objects that the failing assertions of a run show as JSON.
fn shown_objects(ran: &Ran, text: &str) -> Vec<Json> {
    let messages = ran.out.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let texts = messages.filter_map(|one| Some(one["diagnostic"][text].as_str()?.to_owned()));
    let objects = texts.filter_map(|text| serde_json::from_str(&text[text.find('{')?..]).ok());
    objects.map(|one: Json| without_words(&one)).collect()
}

#[test]
fn mocks_of_the_aws_provider_are_those_of_terraform() {
    let Some(mirror) = std::env::var_os("STRATIFORM_TEST_PROVIDER_MIRROR") else {
        println!("skipped: STRATIFORM_TEST_PROVIDER_MIRROR names no folder of providers");
        return;
    };
    if !has_terraform() {
        return;
    }
    let stack = Stack::new(&[
        ("main.tf", include_str!("testing/aws/main.tf")),
        ("tests/mocks.tftest.hcl", include_str!("testing/aws/mocks.tftest.hcl")),
    ]);
    let mirror = mirror.to_string_lossy().into_owned();
    stack.write(
        "rc",
        &format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n"
        ),
    );
    let rc = stack.dir().join("rc");
    let run = |program: &str, args: &[&str]| {
        let mut command = stack.command(args);
        if program == "terraform" {
            command = Command::new("terraform");
            command.args(args).current_dir(stack.dir()).env_clear();
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
            command.env("HOME", stack.home()).env("CHECKPOINT_DISABLE", "1");
        }
        ran(command.env("TF_CLI_CONFIG_FILE", &rc).output().expect("it runs"))
    };
    let init = run("terraform", &["init"]);
    assert_eq!(init.code, Some(0), "{}", init.err);
    let (ours, theirs) =
        (run("stratiform", &["test", "-json"]), run("terraform", &["test", "-json"]));
    assert_eq!(statuses(&ours), ["made:fail", "changed:fail", "kept:pass"], "{}", ours.out);
    assert_eq!(statuses(&ours), statuses(&theirs));
    let (ours, theirs) = (shown_objects(&ours, "summary"), shown_objects(&theirs, "detail"));
    assert_eq!(ours.len(), 2, "each failing run shows its objects");
    assert_eq!(ours, theirs);
    assert_eq!(ours[1]["i"]["root_block_device"][0]["volume_id"], "vol-1");
}

#[test]
fn one_instance_of_a_module_is_overridden() {
    let main = r#"
module "x" {
  count  = 2
  source = "./m"
}
module "y" {
  for_each = toset(["a", "b"])
  source   = "./m"
}
output "x" {
  value = module.x[*].o
}
output "y" {
  value = { for key, one in module.y : key => one.inner }
}
"#;
    let child = r#"
resource "terraform_data" "r" {
  count = 2
  input = 1
}
module "inner" {
  source = "./inner"
}
output "o" {
  value = terraform_data.r[1].output
}
output "inner" {
  value = module.inner.o
}
"#;
    let tests = r#"
run "overridden" {
  override_module {
    target  = module.x[0]
    outputs = { o = "over" }
  }
  override_module {
    target  = module.y["a"].module.inner
    outputs = { o = "within" }
  }
  override_resource {
    target = module.x[1].terraform_data.r[1]
    values = { output = "one" }
  }
  assert {
    condition     = output.x[0] == "over" && output.x[1] == "one"
    error_message = jsonencode(output.x)
  }
  assert {
    condition     = output.y["a"] == "within" && output.y["b"] == 2
    error_message = jsonencode(output.y)
  }
}
"#;
    let inner = "resource \"terraform_data\" \"i\" {\n  input = 2\n}\noutput \"o\" {\n  value = terraform_data.i.output\n}\n";
    let stack = Stack::new(&[
        ("main.tf", main),
        ("m/main.tf", child),
        ("m/inner/main.tf", inner),
        ("a.tftest.hcl", tests),
    ]);
    stack.ok(&["get"]);
    assert!(stack.ok(&["test"]).contains("1 passed, 0 failed"));
    if Command::new("terraform").arg("version").output().is_err() {
        println!("skipped: no `terraform` on the path to compare with");
        return;
    }
    let theirs = |args: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(args).current_dir(stack.dir());
        command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", "/dev/null");
        command.output().expect("terraform runs")
    };
    theirs(&["init"]);
    let said = theirs(&["test", "-no-color"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
}

#[test]
fn providers_of_runs_stand_in_the_tree_of_providers() {
    let stack = Stack::new(&[
        ("main.tf", "resource \"terraform_data\" \"a\" {}\n"),
        ("setup/main.tf", "resource \"random_id\" \"a\" {\n  byte_length = 1\n}\n"),
        ("a.tftest.hcl", "run \"setup\" {\n  module {\n    source = \"./setup\"\n  }\n}\n"),
        ("tests/plain.tftest.hcl", "run \"b\" {}\n"),
    ]);
    let lines = [
        ".",
        "├── provider[terraform.io/builtin/terraform]",
        "├── test.a",
        "│   └── run.setup",
        "│       └── provider[registry.terraform.io/hashicorp/random]",
        "└── test.tests.plain",
    ];
    let tree = stack.ok(&["providers"]);
    assert!(tree.contains(&lines.join("\n")), "{tree}");
    let elsewhere = stack.ok(&["providers", "-test-directory=none"]);
    assert!(!elsewhere.contains("plain"), "{elsewhere}");
}
