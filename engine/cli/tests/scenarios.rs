//! Whole sequences of configurations and commands, through this binary and, where it is on the path, through
//! Terraform: exit codes, every member of the plan's and the state's JSON, messages, faults and their lines.
//!
//! Each folder of `cases/` holds a `scenario.txt` that people write and an `expected.txt` that is recorded where both
//! programs agree; `cases/README.md` says how. A normal run asks Terraform about every fourth scenario;
//! `STRATIFORM_SCENARIOS=all` about each, `=N` about every Nth, `=own` about none. `STRATIFORM_SCENARIO=PART` runs those
//! alone whose names hold the part. `STRATIFORM_UPDATE_SCENARIOS=1` asks about all and records anew.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;
#[path = "common/documents.rs"]
mod documents;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Ran, Stack, ran};
use documents::{comparable, settled, without_secrets};
use serde_json::{Value as Json, json};

/// What a line of a scenario asks for.
enum Act {
    Write(String, String),
    Remove(String),
    Step { verb: String, args: Vec<String>, line: String },
}

struct Scenario {
    name: String,
    acts: Vec<Act>,
    /// Parts of what is compared in which the programs differ, with the reasons.
    waivers: BTreeMap<String, String>,
    /// Why Terraform is not asked.
    own: Option<String>,
}

/// What one step has shown.
#[derive(Debug, Default, Clone)]
struct Shown {
    line: String,
    exit: Option<i32>,
    plan: Option<Json>,
    state: Option<Json>,
    messages: BTreeSet<String>,
    faults: BTreeSet<String>,
    text: Option<String>,
    /// All that was printed; shown where a single scenario is looked at.
    raw: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Program {
    Ours,
    Terraform,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

const SIM: &str = "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\nprovider \"sim\" {\n  world = \"world\"\n}\n";

fn scenario(name: String, text: &str) -> Scenario {
    let mut found = Scenario { name, acts: Vec::new(), waivers: BTreeMap::new(), own: None };
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix("--- ") {
            let mut body = String::new();
            while let Some(next) = lines.next_if(|next| !is_directive(next)) {
                body.push_str(next);
                body.push('\n');
            }
            found.acts.push(Act::Write(path.trim().to_owned(), body));
        } else if let Some(path) = line.strip_prefix("xxx ") {
            found.acts.push(Act::Remove(path.trim().to_owned()));
        } else if let Some(line) = line.strip_prefix(">>> ") {
            let mut words = words(line).into_iter();
            let verb = words.next().expect("a step has a verb");
            found.acts.push(Act::Step { verb, args: words.collect(), line: line.to_owned() });
        } else if line == "with sim" {
            found.acts.push(Act::Write("providers.tf".into(), SIM.into()));
        } else if let Some(rest) = line.strip_prefix("waiver ") {
            let (part, reason) = rest.split_once(": ").expect("a waiver has a reason");
            found.waivers.insert(part.to_owned(), reason.to_owned());
        } else if let Some(reason) = line.strip_prefix("own: ") {
            found.own = Some(reason.to_owned());
        } else {
            assert!(
                line.is_empty() || line.starts_with('#'),
                "{}: `{line}` is no directive",
                found.name
            );
        }
    }
    found
}

fn is_directive(line: &str) -> bool {
    ["--- ", "xxx ", ">>> "].iter().any(|mark| line.starts_with(mark))
}

/// Words as a shell would take them, with single quotes alone.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn scenarios() -> Vec<Scenario> {
    let only = std::env::var("STRATIFORM_SCENARIO").ok();
    let entries = std::fs::read_dir(folder()).expect("the cases are there");
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| folder().join(name).is_dir())
        .filter(|name| only.as_ref().is_none_or(|only| name.contains(only.as_str())))
        .collect();
    names.sort();
    let read = |name: String| {
        let text = std::fs::read_to_string(folder().join(&name).join("scenario.txt"));
        let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
        scenario(name, &text)
    };
    names.into_iter().map(read).collect()
}

/// A folder in which one program carries out a scenario.
struct Bench {
    stack: Stack,
    program: Program,
    /// Modules and providers may have to be brought first.
    changed: bool,
}

impl Bench {
    fn new(program: Program) -> Self {
        let stack = Stack::new(&[]);
        if program == Program::Terraform {
            let plugins = stack.home().join("plugins");
            std::fs::create_dir_all(&plugins).expect("a folder can be made");
            let mut overrides = String::new();
            for name in ["core", "sim", "local"] {
                let link = plugins.join(format!("terraform-provider-{name}"));
                std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_stratiform"), link).expect("a link");
                overrides += &format!("    \"stratiform/{name}\" = \"{}\"\n", plugins.display());
            }
            let text = format!(
                "provider_installation {{\n  dev_overrides {{\n{overrides}  }}\n  direct {{}}\n}}\n"
            );
            std::fs::write(stack.home().join("cli.tfrc"), text).expect("it can be written");
        }
        Self { stack, program, changed: false }
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = match self.program {
            Program::Ours => self.stack.command(args),
            Program::Terraform => {
                let mut command = Command::new("terraform");
                command.args(args).current_dir(self.stack.dir()).env_clear();
                command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
                command.env("HOME", self.stack.home()).env("STRATIFORM_HOME", self.stack.home());
                command.env("TF_CLI_CONFIG_FILE", self.stack.home().join("cli.tfrc"));
                command.env("CHECKPOINT_DISABLE", "1").env("NO_COLOR", "1");
                command
            }
        };
        ran(command.stdin(Stdio::null()).output().expect("the program runs"))
    }

    fn shell(&self, line: &str) -> Ran {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.stack.dir()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        ran(command.stdin(Stdio::null()).output().expect("a shell runs"))
    }

    fn act(&mut self, act: &Act) -> Option<Shown> {
        match act {
            Act::Write(path, text) => {
                self.stack.write(path, text);
                self.changed = true;
            }
            Act::Remove(path) => {
                std::fs::remove_file(self.stack.dir().join(path)).expect("the file is there");
                self.changed = true;
            }
            Act::Step { verb, args, line } => return Some(self.step(verb, args, line)),
        }
        None
    }

    fn step(&mut self, verb: &str, args: &[String], line: &str) -> Shown {
        let mut shown = Shown { line: line.to_owned(), ..Shown::default() };
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        if self.changed && self.program == Program::Terraform && verb != "sh" {
            self.run(&["get"]);
            self.changed = false;
        }
        match verb {
            "plan" => self.plan(&args, &mut shown),
            "apply" => {
                self.plan(&args, &mut shown);
                if matches!(shown.exit, Some(0 | 2)) {
                    self.told(&["apply", "-json", "step.plan"], &mut shown);
                    self.look(&mut shown);
                }
            }
            "auto" => {
                self.told(&[&["apply", "-json", "-auto-approve"], &*args].concat(), &mut shown);
                self.look(&mut shown);
            }
            "destroy" => {
                self.told(&[&["destroy", "-json", "-auto-approve"], &*args].concat(), &mut shown);
                self.look(&mut shown);
            }
            "validate" => {
                let ran = self.run(&[&["validate", "-json"], &*args].concat());
                shown.exit = ran.code;
                let report: Json = serde_json::from_str(&ran.out).unwrap_or_default();
                for one in report["diagnostics"].as_array().into_iter().flatten() {
                    shown.faults.extend(fault(one));
                }
                shown.raw += &format!("{}{}", ran.out, ran.err);
            }
            "run" => {
                let ran = self.run(&args);
                shown.exit = ran.code;
                shown.raw += &format!("{}{}", ran.out, ran.err);
                self.look(&mut shown);
            }
            "out" => {
                let ran = self.run(&args);
                shown.exit = ran.code;
                shown.raw += &ran.err;
                shown.text = Some(settled(&ran.out));
            }
            "sh" => {
                let ran = self.shell(line.strip_prefix("sh ").unwrap_or_default());
                shown.exit = ran.code;
                shown.text = Some(settled(&(ran.out + &ran.err)));
            }
            other => panic!("`{other}` is no verb of a scenario"),
        }
        shown
    }

    fn plan(&self, args: &[&str], shown: &mut Shown) {
        let _ = std::fs::remove_file(self.stack.dir().join("step.plan"));
        self.told(&[&["plan", "-json", "-input=false", "-out=step.plan"], args].concat(), shown);
        if self.stack.dir().join("step.plan").is_file() {
            let ran = self.run(&["show", "-json", "step.plan"]);
            shown.plan = document(&ran.out);
        }
        if !matches!(shown.exit, Some(0 | 2)) {
            // What could be planned beside errors is never carried out.
            let _ = std::fs::remove_file(self.stack.dir().join("step.plan"));
        }
    }

    /// The state as it is now.
    fn look(&self, shown: &mut Shown) {
        let ran = self.run(&["show", "-json"]);
        shown.state = document(&ran.out);
        if shown.state.is_none() {
            shown.raw += &format!("{}{}", ran.out, ran.err);
        }
    }

    fn told(&self, args: &[&str], shown: &mut Shown) {
        let ran = self.run(args);
        shown.exit = ran.code;
        shown.raw += &format!("{}{}", ran.out, ran.err);
        for line in ran.out.lines() {
            match serde_json::from_str::<Json>(line) {
                Ok(message) if message["type"] == "diagnostic" => {
                    shown.faults.extend(fault(&message["diagnostic"]));
                }
                Ok(message) => shown.messages.extend(summary(&message)),
                Err(_) => {
                    shown.messages.insert(format!("not JSON: {line}"));
                }
            }
        }
    }
}

fn document(text: &str) -> Option<Json> {
    let mut json: Json = serde_json::from_str(&settled(text)).ok()?;
    let secrets: Vec<String> = json["configuration"]["root_module"]["variables"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, variable)| variable["sensitive"] == json!(true))
        .map(|(name, _)| name.clone())
        .collect();
    // Values of sensitive variables are left out here.
    if let Some(variables) = json.get_mut("variables").and_then(Json::as_object_mut) {
        variables.retain(|name, _| !secrets.contains(name));
    }
    if json.get("variables") == Some(&json!({})) {
        json.as_object_mut().map(|all| all.shift_remove("variables"));
    }
    without_secrets(&mut json);
    forget_marks_of_replacements(&mut json);
    Some(comparable(&json))
}

/// Terraform 1.11.4 loses in `planned_values` what the schema says is sensitive of an object that is replaced.
fn forget_marks_of_replacements(plan: &mut Json) {
    let changes = plan["resource_changes"].as_array().cloned().unwrap_or_default();
    let replaced: BTreeMap<String, Json> = changes
        .iter()
        .filter(|one| one["change"]["actions"].as_array().is_some_and(|all| all.len() == 2))
        .filter_map(|one| {
            Some((one["address"].as_str()?.to_owned(), one["change"]["after_sensitive"].clone()))
        })
        .collect();
    let mut waiting = vec![&mut plan["planned_values"]["root_module"]];
    while let Some(module) = waiting.pop() {
        let Some(module) = module.as_object_mut() else { continue };
        for (name, part) in module {
            let parts = part.as_array_mut().into_iter().flatten();
            if name == "child_modules" {
                waiting.extend(parts);
            } else if name == "resources" {
                for resource in parts {
                    let marks = resource["address"].as_str().and_then(|at| replaced.get(at));
                    if let Some(marks) = marks.cloned() {
                        documents::hide(&mut resource["values"], &marks);
                        resource["sensitive_values"] = Json::Null;
                    }
                }
            }
        }
    }
    if plan["planned_values"]["root_module"].is_null() {
        plan.as_object_mut().map(|all| all.shift_remove("planned_values"));
    }
}

/// Where an error or a warning stands. The words are each program's own.
fn fault(diagnostic: &Json) -> Option<String> {
    // Said by Terraform of the way in which its providers are given to it here.
    if diagnostic["summary"].as_str().is_some_and(|text| text.contains("development overrides")) {
        return None;
    }
    let severity = diagnostic["severity"].as_str().unwrap_or_default();
    let range = &diagnostic["range"];
    let place = match range["filename"].as_str() {
        Some(file) => format!("{file}:{}", range["start"]["line"]),
        None => diagnostic["address"].as_str().unwrap_or("-").to_owned(),
    };
    Some(format!("{severity} {place}"))
}

/// A message by its kind and by what it is about; `None` for those that only tell of progress.
fn summary(message: &Json) -> Option<String> {
    let kind = message["type"].as_str().unwrap_or_default();
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let change = &message["change"];
    let hook = &message["hook"];
    Some(match kind {
        "version" | "log" | "apply_progress" | "refresh_start" | "refresh_complete" => return None,
        "planned_change" | "resource_drift" => format!(
            "{kind} {} {} {}{}{}",
            text(&change["resource"]["addr"]),
            text(&change["action"]),
            text(&change["reason"]),
            change["previous_resource"]["addr"]
                .as_str()
                .map(|at| format!(" from {at}"))
                .unwrap_or_default(),
            if change["importing"].is_null() { "" } else { " importing" },
        ),
        "change_summary" => format!("{kind} {}", comparable(&message["changes"])),
        "outputs" => {
            let mut outputs = message["outputs"].clone();
            for output in outputs.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
                without_secrets(output);
            }
            settled(&format!("{kind} {}", comparable(&outputs)))
        }
        "provision_progress" => {
            format!("{kind} {} {}", text(&hook["resource"]["addr"]), text(&hook["output"]))
        }
        _ => format!("{kind} {} {}", text(&hook["resource"]["addr"]), text(&hook["action"])),
    })
}

/// What is kept of a step, to be read by people and compared where Terraform is missing.
fn expected_lines(shown: &Shown) -> String {
    let mut lines = vec![format!(">>> {}", shown.line)];
    lines.push(format!(
        "exit {}",
        shown.exit.map_or("by a signal".to_owned(), |code| code.to_string())
    ));
    lines.extend(shown.faults.iter().cloned());
    if let Some(plan) = &shown.plan {
        lines.extend(plan_lines(plan));
    }
    if let Some(state) = &shown.state {
        let mut held = Vec::new();
        holds(&state["values"]["root_module"], &mut held);
        let held = if held.is_empty() { "nothing".to_owned() } else { held.join(", ") };
        lines.push(format!("the state holds {held}"));
    }
    for line in shown.text.iter().flat_map(|text| text.lines()) {
        lines.push(format!("| {line}").trim_end().to_owned());
    }
    lines.join("\n") + "\n"
}

fn plan_lines(plan: &Json) -> Vec<String> {
    let list = |name: &str| plan[name].as_array().cloned().unwrap_or_default();
    let actions = |change: &Json| {
        let all = change["actions"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("+")
    };
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    for drift in list("resource_drift") {
        lines.push(format!("drift {} {}", actions(&drift["change"]), text(&drift["address"])));
    }
    for one in list("resource_changes") {
        let mut line = format!("{} {}", actions(&one["change"]), text(&one["address"]));
        for (name, words) in
            [("previous_address", "from"), ("deposed", "deposed"), ("action_reason", "because")]
        {
            if let Some(value) = one[name].as_str() {
                let value = if name == "deposed" { "" } else { value };
                line += &format!(" {words} {value}");
            }
        }
        if !one["change"]["importing"].is_null() {
            line += " importing";
        }
        if line != format!("no-op {}", text(&one["address"])) {
            lines.push(line.trim_end().to_owned());
        }
    }
    for one in list("deferred_changes") {
        lines.push(format!("deferred {}", text(&one["resource_change"]["address"])));
    }
    for (name, change) in plan["output_changes"].as_object().into_iter().flatten() {
        let done = actions(change);
        if done != "no-op" {
            lines.push(format!("output {done} {name}"));
        }
    }
    for check in list("checks") {
        lines.push(format!(
            "check {} {}",
            text(&check["address"]["to_display"]),
            text(&check["status"])
        ));
    }
    lines
}

fn holds(module: &Json, held: &mut Vec<String>) {
    for resource in module["resources"].as_array().into_iter().flatten() {
        let mut line = resource["address"].as_str().unwrap_or_default().to_owned();
        if resource["tainted"] == json!(true) {
            line += " (tainted)";
        }
        if resource.as_object().is_some_and(|all| all.keys().any(|key| key.starts_with("deposed")))
        {
            line += " (deposed)";
        }
        held.push(line);
    }
    for child in module["child_modules"].as_array().into_iter().flatten() {
        holds(child, held);
    }
}

fn carry_out(scenario: &Scenario, program: Program) -> (Stack, Vec<Shown>) {
    let mut bench = Bench::new(program);
    let shown = scenario.acts.iter().filter_map(|act| bench.act(act)).collect();
    (bench.stack, shown)
}

/// The parts in which two steps differ, with what differs.
fn differences(ours: &Shown, theirs: &Shown) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut note = |part: &str, ours: String, theirs: String| {
        if ours != theirs {
            let diff = similar::TextDiff::from_lines(&theirs, &ours);
            let diff = diff.unified_diff().header("terraform", "stratiform").to_string();
            found.push((part.to_owned(), diff));
        }
    };
    note("exit", format!("{:?}\n", ours.exit), format!("{:?}\n", theirs.exit));
    let lines = |set: &BTreeSet<String>| set.iter().map(|line| format!("{line}\n")).collect();
    let (ours_faults, theirs_faults) = unmatched(&ours.faults, &theirs.faults);
    note("faults", lines(&ours_faults), lines(&theirs_faults));
    note("messages", lines(&ours.messages), lines(&theirs.messages));
    note("text", ours.text.clone().unwrap_or_default(), theirs.text.clone().unwrap_or_default());
    for (part, ours, theirs) in
        [("plan", &ours.plan, &theirs.plan), ("state", &ours.state, &theirs.state)]
    {
        let empty = serde_json::Map::new();
        let members = |document: &Option<Json>| {
            document.as_ref().and_then(Json::as_object).unwrap_or(&empty).clone()
        };
        let (ours, theirs) = (members(ours), members(theirs));
        let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        for name in names {
            let show =
                |member: Option<&Json>| member.map_or(String::new(), |one| format!("{one:#}\n"));
            note(&format!("{part}.{name}"), show(ours.get(name)), show(theirs.get(name)));
        }
    }
    found
}

/// Faults that the other program does not have. A fault without a place is the same as one of its kind with a place: who
/// says more is not wrong.
fn unmatched(
    ours: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
) -> (BTreeSet<String>, BTreeSet<String>) {
    // The line within a file is a matter of taste: the block, its header, or the argument.
    let files = |set: &BTreeSet<String>| -> BTreeSet<String> {
        set.iter().map(|one| one.split(':').next().unwrap_or(one).to_owned()).collect()
    };
    let (ours, theirs) = (&files(ours), &files(theirs));
    let (mut ours_left, mut theirs_left) = (ours - theirs, theirs - ours);
    for severity in ["error", "warning"] {
        let placeless = format!("{severity} -");
        let placed = ours_left.iter().any(|one| one.starts_with(severity));
        if placed && theirs_left.remove(&placeless) {
            ours_left.retain(|one| !one.starts_with(severity));
        }
    }
    (ours_left, theirs_left)
}

/// Does something with every scenario, a few at a time.
fn each<T: Send>(all: &[Scenario], work: impl Fn(usize, &Scenario) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, T>> = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = all.get(at) else { return };
                    let result = work(at, scenario);
                    done.lock().expect("no thread panics with the lock").insert(at, result);
                }
            });
        }
    });
    done.into_inner().expect("all threads have ended").into_values().collect()
}

/// What a normal run has time for.
const USUAL_STRIDE: usize = 4;

/// Terraform is asked about every so manyth scenario; `None` where it is not asked at all.
fn stride() -> Option<usize> {
    let wanted = std::env::var("STRATIFORM_SCENARIOS").ok();
    if wanted.as_deref() == Some("own") {
        return None;
    }
    let mut asked = Command::new("terraform");
    asked.arg("version").stdout(Stdio::null()).stderr(Stdio::null());
    if !asked.status().is_ok_and(|status| status.success()) {
        println!("skipped: there is no terraform on the path to compare with");
        return None;
    }
    let update = std::env::var_os("STRATIFORM_UPDATE_SCENARIOS").is_some();
    let single = std::env::var_os("STRATIFORM_SCENARIO").is_some();
    Some(match wanted.as_deref() {
        Some("all") => 1,
        _ if update || single => 1,
        Some(number) => number.parse().unwrap_or(USUAL_STRIDE).max(1),
        None => USUAL_STRIDE,
    })
}

#[test]
fn every_scenario_goes_as_it_does_with_terraform() {
    let all = scenarios();
    let update = std::env::var_os("STRATIFORM_UPDATE_SCENARIOS").is_some();
    let stride = stride();
    let reports = each(&all, |at, scenario| {
        let asked = stride.is_some_and(|stride| at % stride == 0) && scenario.own.is_none();
        let (_kept, ours) = carry_out(scenario, Program::Ours);
        let theirs = asked.then(|| carry_out(scenario, Program::Terraform).1);
        let path = folder().join(&scenario.name).join("expected.txt");
        let waived = |part: &str| {
            scenario
                .waivers
                .keys()
                .find(|waiver| part == *waiver || part.starts_with(&format!("{waiver}.")))
        };
        let mut wrong = Vec::new();
        let mut used = BTreeSet::new();
        for (ours, theirs) in ours.iter().zip(theirs.iter().flatten()) {
            // What Terraform finds before it plans, this program may find beside what it can plan.
            let mut seen = ours.clone();
            if theirs.exit == Some(1) && theirs.plan.is_none() {
                seen.plan = None;
                seen.messages.retain(|one| theirs.messages.contains(one));
            }
            for (part, difference) in differences(&seen, theirs) {
                if let Some(waiver) = waived(&part) {
                    used.insert(waiver.clone());
                } else {
                    wrong.push(format!(
                        "{}: `{}` differs in {part}\n{difference}",
                        scenario.name, ours.line
                    ));
                }
            }
            if !wrong.is_empty() {
                if std::env::var_os("STRATIFORM_SCENARIO").is_some() {
                    wrong.push(format!("ours said\n{}\ntheirs said\n{}", ours.raw, theirs.raw));
                }
                break;
            }
        }
        if theirs.is_some() && wrong.is_empty() {
            for waiver in scenario.waivers.keys().filter(|waiver| !used.contains(*waiver)) {
                wrong.push(format!(
                    "{}: the waiver of {waiver} is not needed any more",
                    scenario.name
                ));
            }
        }
        let lines =
            |shown: &[Shown]| shown.iter().map(expected_lines).collect::<Vec<_>>().join("\n");
        let said = lines(&ours);
        if update && (scenario.own.is_some() || theirs.is_some()) {
            // Where the two differ on purpose or in words, it is our own way that must stay.
            if wrong.is_empty() {
                std::fs::write(&path, &said).expect("it can be written");
            }
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if said != expected && wrong.is_empty() {
            let diff = similar::TextDiff::from_lines(&expected, &said);
            let diff = diff.unified_diff().header("expected", "happened").to_string();
            wrong.push(format!("{} is not as expected\n{diff}", scenario.name));
        }
        wrong.join("\n")
    });
    let wrong: Vec<String> = reports.into_iter().filter(|report| !report.is_empty()).collect();
    assert!(wrong.is_empty(), "{} of {}\n\n{}", wrong.len(), all.len(), wrong.join("\n\n"));
}

#[test]
fn there_are_scenarios_of_every_rule() {
    if std::env::var_os("STRATIFORM_SCENARIO").is_none() {
        assert!(scenarios().len() >= 120, "{}", scenarios().len());
    }
}
