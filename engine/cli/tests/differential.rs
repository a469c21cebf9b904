//! Whole folders, through this binary and through Terraform: accepted or rejected, at which stage, with which kind of
//! error, and the plan.
//!
//! The cases are in `differential/cases.txt`, Terraform's verdicts with the version that gave them in
//! `differential/verdicts.jsonl`, which of our codes say what Terraform's summaries say in `differential/kinds.txt`,
//! differences that are meant in `differential/waivers.txt`, each with its reason.
//! `STRATIFORM_UPDATE_VERDICTS=1` asks the `terraform` on the path again about every case that has changed.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::Stack;
use serde_json::{Map, Value as Json, json};

/// One folder and what is asked about it.
struct Case {
    name: String,
    files: Vec<(String, String)>,
    /// Further arguments of `plan`.
    arguments: Vec<String>,
    /// Changes with every change of the case.
    digest: String,
}

/// What an engine makes of a case.
#[derive(Debug, Clone, PartialEq)]
struct Verdict {
    /// Rejected before anything is evaluated, or while it is checked; with what it said.
    validate: Result<(), Vec<String>>,
    /// The plan's changes; `None` where `validate` has failed.
    plan: Option<Result<Json, Vec<String>>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential")
}

/// FNV-1a: small, and the same everywhere.
fn digest(text: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join("cases.txt")).expect("the cases are there");
    let mut cases = Vec::new();
    for part in text.split("\n=== ").skip(1) {
        let (header, body) = part.split_once('\n').unwrap_or((part, ""));
        let mut words = words(header).into_iter();
        let name = words.next().expect("a case has a name");
        let arguments = words.collect();
        let body =
            body.replace("@ ", "resource \"terraform_data\" ").replace("@.", "terraform_data.");
        let mut files: Vec<(String, String)> = Vec::new();
        for (at, file) in format!("\n{body}\n").split("\n--- ").enumerate() {
            let (path, text) = if at == 0 {
                ("main.tf", file)
            } else {
                file.split_once('\n').unwrap_or((file, ""))
            };
            if at > 0 || !file.trim().is_empty() || !body.contains("--- ") {
                files.push((path.to_owned(), format!("{}\n", text.trim_matches('\n'))));
            }
        }
        cases.push(Case { name, files, arguments, digest: digest(part.trim_end()) });
    }
    cases
}

/// Words; those in double quotes may hold spaces.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split(" \"").enumerate() {
        if at == 0 {
            words.extend(part.split_whitespace().map(str::to_owned));
        } else {
            words.push(part.trim_end_matches('"').to_owned());
        }
    }
    words
}

/// Runs a binary in the case's folder: whether it went well, and what it printed.
fn run(stack: &Stack, binary: &str, args: &[&str]) -> (bool, String, String) {
    let mut command = if binary == "terraform" {
        let mut command = Command::new("terraform");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", "/dev/null");
        command.env("HOME", stack.home()).args(args).current_dir(stack.dir());
        command
    } else {
        stack.command(args)
    };
    command.stdin(std::process::Stdio::null());
    let output = command.output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn ask(case: &Case, binary: &str) -> Verdict {
    let files = |before: bool| {
        case.files.iter().filter_map(move |(path, text)| match path.strip_prefix("before:") {
            Some(path) if before => Some((path, text.as_str())),
            None if !before => Some((path.as_str(), text.as_str())),
            _ => None,
        })
    };
    let first: Vec<(&str, &str)> = files(true).collect();
    let stack = Stack::new(&first);
    if !first.is_empty() {
        run(&stack, binary, &["init", "-no-color", "-input=false"]);
        let (ok, out, err) = run(&stack, binary, &["apply", "-auto-approve", "-no-color"]);
        assert!(ok, "{}: {binary} cannot apply what was before\n{out}{err}", case.name);
        for (path, _) in &first {
            std::fs::remove_file(stack.dir().join(path)).expect("the file is there");
        }
    }
    files(false).for_each(|(path, text)| stack.write(path, text));
    let mut verdict = Verdict { validate: Ok(()), plan: None };
    if binary == "terraform" {
        let (ok, out, err) = run(&stack, binary, &["init", "-no-color", "-input=false"]);
        if !ok {
            verdict.validate = Err(headlines(&(out + &err)));
            return verdict;
        }
    }
    let (_, out, err) = run(&stack, binary, &["validate", "-json", "-no-color"]);
    let report: Json = serde_json::from_str(&out).unwrap_or(Json::Null);
    if report["valid"] != json!(true) {
        let found = report["diagnostics"].as_array().cloned().unwrap_or_default();
        let errors = found.iter().filter(|one| one["severity"] == "error");
        let mut said: Vec<String> = errors
            .map(|one| {
                let text = |key: &str| one[key].as_str().unwrap_or_default();
                let said = format!("{} {}: {}", text("code"), text("summary"), text("detail"));
                said.trim_start().to_owned()
            })
            .collect();
        if said.is_empty() {
            said.push(err);
        }
        verdict.validate = Err(said);
        return verdict;
    }
    let mut args = vec!["plan", "-input=false", "-no-color", "-out=p"];
    args.extend(case.arguments.iter().map(String::as_str));
    let (ok, out, err) = run(&stack, binary, &args);
    verdict.plan = Some(if ok {
        let (ok, out, err) = run(&stack, binary, &["show", "-json", "p"]);
        assert!(ok, "{}: {err}", case.name);
        let out = without_ids(&out);
        Ok(compared(&serde_json::from_str(&out).expect("`show -json` prints JSON")))
    } else if binary == "terraform" {
        Err(headlines(&(out + &err)))
    } else {
        Err(vec![err])
    });
    verdict
}

/// The text with UUIDs, which are random, all alike.
fn without_ids(text: &str) -> String {
    const SHAPE: [usize; 5] = [8, 4, 4, 4, 12];
    let is_id = |part: &str| {
        let lengths: Vec<usize> = part.split('-').map(str::len).collect();
        lengths == SHAPE && part.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    let parts = text.split('"').map(|part| if is_id(part) { "ID" } else { part });
    parts.collect::<Vec<_>>().join("\"")
}

/// The lines of Terraform's text that name errors.
fn headlines(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.split_once("Error: "))
        .map(|(_, said)| said.to_owned())
        .collect()
}

/// What of a plan's JSON is compared.
fn compared(plan: &Json) -> Json {
    let mut resources = Map::new();
    for change in plan["resource_changes"].as_array().into_iter().flatten() {
        let mut kept = Map::new();
        for key in ["action_reason", "previous_address", "deposed"] {
            if let Some(value) = change.get(key) {
                kept.insert(key.to_owned(), value.clone());
            }
        }
        kept.insert("change".to_owned(), masked(&change["change"]));
        resources.insert(change["address"].as_str().unwrap_or_default().to_owned(), kept.into());
    }
    let mut outputs = Map::new();
    for (name, change) in plan["output_changes"].as_object().into_iter().flatten() {
        outputs.insert(name.clone(), masked(change));
    }
    json!({ "resources": resources, "outputs": outputs })
}

/// Sensitive values are not shown by us, so they are compared with nobody's.
fn masked(change: &Json) -> Json {
    let mut change = change.clone();
    for side in ["before", "after"] {
        let marks = change[format!("{side}_sensitive")].clone();
        hide(&mut change[side], &marks);
        if change[format!("{side}_sensitive")] == json!(false) {
            change[format!("{side}_sensitive")] = json!({});
        }
    }
    if change["after_unknown"] == json!(false) {
        change["after_unknown"] = json!({});
    }
    change
}

fn hide(value: &mut Json, marks: &Json) {
    match (value, marks) {
        (value, Json::Bool(true)) => *value = Json::Null,
        (Json::Object(entries), Json::Object(marks)) => {
            for (name, value) in entries {
                hide(value, marks.get(name).unwrap_or(&Json::Null));
            }
        }
        (Json::Array(items), Json::Array(marks)) => {
            for (value, marks) in items.iter_mut().zip(marks) {
                hide(value, marks);
            }
        }
        _ => {}
    }
}

fn to_json(case: &Case, verdict: &Verdict) -> Json {
    let outcome = |result: &Result<Json, Vec<String>>| match result {
        Ok(plan) => json!({ "accepted": plan }),
        Err(said) => json!({ "rejected": said }),
    };
    json!({
        "case": case.name,
        "digest": case.digest,
        "validate": outcome(&verdict.validate.clone().map(|()| Json::Null)),
        "plan": verdict.plan.as_ref().map(outcome),
    })
}

fn from_json(entry: &Json) -> Verdict {
    let outcome = |json: &Json| match json.get("rejected") {
        Some(said) => Err(said
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect()),
        None => Ok(json["accepted"].clone()),
    };
    Verdict {
        validate: outcome(&entry["validate"]).map(drop),
        plan: Some(&entry["plan"]).filter(|plan| !plan.is_null()).map(outcome),
    }
}

/// Does something with every case, two at a time.
fn each<T: Send>(cases: &[Case], work: impl Fn(&Case) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, T>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((at, case)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|at| Some((at, cases.get(at)?)))
                {
                    let result = work(case);
                    done.lock().expect("no thread panics with the lock").insert(at, result);
                }
            });
        }
    });
    done.into_inner().expect("all threads have ended").into_values().collect()
}

fn stored() -> (String, BTreeMap<String, Json>) {
    let text = std::fs::read_to_string(folder().join("verdicts.jsonl")).unwrap_or_default();
    let mut lines = text.lines();
    let version = lines.next().unwrap_or_default().to_owned();
    let entries = lines.filter_map(|line| serde_json::from_str::<Json>(line).ok());
    (
        version,
        entries
            .map(|entry| (entry["case"].as_str().unwrap_or_default().to_owned(), entry))
            .collect(),
    )
}

fn update(cases: &[Case]) {
    let (_, old) = stored();
    let version =
        Command::new("terraform").args(["version", "-json"]).output().expect("terraform runs");
    let version: Json = serde_json::from_slice(&version.stdout).expect("it prints JSON");
    let lines = each(cases, |case| match old.get(&case.name) {
        Some(entry) if entry["digest"] == json!(case.digest) => entry.clone(),
        _ => to_json(case, &ask(case, "terraform")),
    });
    let mut text = format!("{}\n", json!({ "terraform_version": version["terraform_version"] }));
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    std::fs::write(folder().join("verdicts.jsonl"), text).expect("the verdicts can be written");
}

fn waivers() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join("waivers.txt")).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let entries = lines.filter_map(|line| line.split_once(": "));
    entries.map(|(name, reason)| (name.to_owned(), reason.to_owned())).collect()
}

/// Whoever looks for a difference looks there.
#[test]
fn each_waiver_names_its_row_of_the_documentation() {
    let page = include_str!("../../../docs/compatibility.md");
    for (case, reason) in waivers() {
        let row = reason.strip_prefix('[').and_then(|rest| rest.split_once("] "));
        let (row, _) = row.unwrap_or_else(|| panic!("{case}: `[ROW] REASON` is expected"));
        assert!(page.contains(&format!("\n| {row} | ")), "{case}: there is no row `{row}`");
    }
}

/// What differs, in words; `None` if nothing does.
fn difference(ours: &Verdict, theirs: &Verdict) -> Option<String> {
    match (&ours.validate, &theirs.validate) {
        (Ok(()), Ok(())) => {}
        (Err(ours), Err(theirs)) => return other_kind(ours, theirs),
        // What its plan rejects may be found by ours before.
        (Err(ours), Ok(())) if let Some(Err(theirs)) = &theirs.plan => {
            return other_kind(ours, theirs);
        }
        (Ok(()), Err(said)) => return Some(format!("validate accepts; Terraform says {said:?}")),
        (Err(said), Ok(())) => return Some(format!("validate says {said:?}; Terraform accepts")),
    }
    match (&ours.plan, &theirs.plan) {
        (Some(Ok(ours)), Some(Ok(theirs))) if ours == theirs => None,
        (Some(Ok(ours)), Some(Ok(theirs))) => {
            Some(format!("the plan differs:\n    ours   {ours}\n    theirs {theirs}"))
        }
        (Some(Ok(_)), Some(Err(said))) => Some(format!("plan accepts; Terraform says {said:?}")),
        (Some(Err(said)), Some(Ok(_))) => Some(format!("plan says {said:?}; Terraform accepts")),
        (Some(Err(ours)), Some(Err(theirs))) => other_kind(ours, theirs),
        _ => None,
    }
}

/// Which of our codes say what a summary of Terraform says.
fn kinds() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let lines = include_str!("differential/kinds.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('\t');
        let (Some(summary), Some(codes)) = (parts.next(), parts.next()) else { continue };
        kinds.entry(summary).or_default().extend(codes.split(' '));
    }
    kinds
}

/// A summary without what is named in it.
fn summary(said: &str) -> String {
    let said = said.split(": ").next().unwrap_or_default();
    let parts = said.split('"').enumerate();
    let parts: Vec<&str> = parts.map(|(at, part)| if at % 2 == 1 { "…" } else { part }).collect();
    parts.join("\"")
}

/// Says so if none of our codes means one of their summaries.
fn other_kind(ours: &[String], theirs: &[String]) -> Option<String> {
    let table = kinds();
    let codes: BTreeSet<&str> = ours
        .iter()
        .flat_map(|said| said.split_whitespace())
        .filter_map(|word| word.strip_prefix("stratiform::"))
        .collect();
    let same = theirs
        .iter()
        .any(|said| table.get(summary(said).as_str()).is_some_and(|row| !row.is_disjoint(&codes)));
    (!same).then(|| format!("the kind differs: ours {codes:?}, Terraform says {theirs:?}"))
}

#[test]
fn another_kind_of_error_is_a_difference() {
    let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let ours = texts(&["stratiform::config::duplicate a: b"]);
    let theirs = texts(&["Duplicate resource \"a\" configuration: a was declared"]);
    assert_eq!(other_kind(&ours, &theirs), None);
    assert!(other_kind(&texts(&["stratiform::config::labels a: b"]), &theirs).is_some());
    assert!(other_kind(&ours, &texts(&["Something new: more"])).is_some());
    assert!(other_kind(&texts(&["no code"]), &theirs).is_some());
}

#[test]
fn whole_folders_get_terraforms_verdict() {
    let cases = cases();
    assert!(cases.len() >= 300, "only {} cases", cases.len());
    if std::env::var_os("STRATIFORM_UPDATE_VERDICTS").is_some() {
        update(&cases);
    }
    let (version, verdicts) = stored();
    let waivers = waivers();
    let only = std::env::var("STRATIFORM_CASE").ok();
    let reports = each(&cases, |case| {
        if only.as_ref().is_some_and(|only| !case.name.contains(only.as_str())) {
            return None;
        }
        let Some(entry) =
            verdicts.get(&case.name).filter(|entry| entry["digest"] == json!(case.digest))
        else {
            return Some(format!("{}: no stored verdict for this text", case.name));
        };
        let found = difference(&ask(case, "stratiform"), &from_json(entry));
        match (found, waivers.get(&case.name)) {
            (Some(found), None) => {
                let files: String =
                    case.files.iter().map(|(path, text)| format!("--- {path}\n{text}")).collect();
                Some(format!("{}: {found}\n{files}", case.name))
            }
            (None, Some(_)) => Some(format!("{}: the waiver is not needed any more", case.name)),
            _ => None,
        }
    });
    let wrong: Vec<String> = reports.into_iter().flatten().collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ from {version}\n\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
