//! What Terraform answers to many expressions at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use value::Value;

use super::describe::describe;
use super::names::Marking;
use super::{names, plan_file};

/// Expressions in one resource; a resource costs more than an expression.
const PER_RESOURCE: usize = 20;

/// The verdict on each expression: a value as [`describe`] shows it, or `error: ` and Terraform's summary.
/// `None` if there is no such program.
pub(crate) fn verdicts(expressions: &[String], marking: Marking) -> Option<Vec<String>> {
    let expressions: &[String] =
        &expressions.iter().map(|expression| marking.of(expression)).collect::<Vec<_>>();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let root = folder.path();
    for (path, content) in names::FILES {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("files lie in folders")).expect("writable");
        std::fs::write(path, content).expect("writable");
    }
    std::fs::write(root.join("main.tf"), names::declarations(marking)).expect("writable");
    let ready = terraform(root, &["init", "-input=false"])?;
    assert!(ready.0, "{}", ready.1);
    let mut verdicts = vec![String::new(); expressions.len()];
    let mut open: Vec<usize> = (0..expressions.len()).collect();
    let mut alone = BTreeSet::new();
    // Each round finds the faults of one stage.
    for _ in 0..40 {
        let chunks = chunks(&open, &alone);
        let lines = write_cases(root, expressions, &chunks);
        let (done, output) = terraform(root, PLAN)?;
        if done {
            let archive = std::fs::read(root.join("plan")).expect("a plan was written");
            record(root, &archive, &chunks, &mut verdicts);
            return Some(verdicts);
        }
        let mut faults = faults(&output, &lines);
        for chunk in infinite(&output) {
            match chunks[chunk].as_slice() {
                [only] => {
                    faults.insert(*only, String::new());
                    verdicts[*only] = INFINITE.to_owned();
                }
                several => alone.extend(several),
            }
        }
        assert!(!faults.is_empty() || !alone.is_empty(), "no case is to blame: {output}");
        for (case, summary) in faults.iter().filter(|(_, summary)| !summary.is_empty()) {
            verdicts[*case] = format!("error: {summary}");
        }
        open.retain(|case| !faults.contains_key(case));
    }
    panic!("there are always more faults")
}

/// Makes a plan and writes it to `plan`.
pub(crate) const PLAN: &[&str] =
    &["plan", "-input=false", "-refresh=false", "-lock=false", "-json", "-out=plan"];

/// The verdict on an infinite number, which a plan cannot hold.
pub(crate) const INFINITE: &str = "infinite";

/// Puts cases into resources; those that must be alone each get one.
fn chunks(open: &[usize], alone: &BTreeSet<usize>) -> Vec<Vec<usize>> {
    let (single, others): (Vec<usize>, Vec<usize>) =
        open.iter().partition(|case| alone.contains(case));
    let mut chunks: Vec<Vec<usize>> = others.chunks(PER_RESOURCE).map(<[usize]>::to_vec).collect();
    chunks.extend(single.into_iter().map(|case| vec![case]));
    chunks
}

/// The resources whose values cannot be stored because a number in them is infinite.
fn infinite(output: &str) -> Vec<usize> {
    let place = |line: &str| {
        let (_, rest) = line.split_once("failed to encode terraform_data.case")?;
        let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
        rest[..end].parse().ok().filter(|_| line.contains("infinity"))
    };
    output.lines().filter_map(place).collect()
}

/// Writes the cases, a file for each resource, for Terraform reads the whole file for every fault in it. Says where
/// each begins, by file and line.
fn write_cases(
    root: &Path,
    expressions: &[String],
    chunks: &[Vec<usize>],
) -> BTreeMap<(String, u64), usize> {
    let mut lines = BTreeMap::new();
    for at in 0..=expressions.len() {
        let path = root.join(format!("case{at}.tf"));
        if path.exists() {
            std::fs::remove_file(path).expect("removable");
        }
    }
    for (at, chunk) in chunks.iter().enumerate() {
        let file = format!("case{at}.tf");
        let mut text = format!("resource \"terraform_data\" \"case{at}\" {{\n  input = [\n");
        let mut line = 3;
        for case in chunk {
            let expression = &expressions[*case];
            let shown = if expression.contains("local.e") || expression.contains("local.ue") {
                format!("ephemeralasnull({expression}),\n")
            } else {
                format!("{expression},\n")
            };
            lines.insert((file.clone(), line), *case);
            line += shown.matches('\n').count() as u64;
            text += &shown;
        }
        text += "  ]\n}\n";
        std::fs::write(root.join(file), text).expect("writable");
    }
    lines
}

pub(crate) fn faults(
    output: &str,
    lines: &BTreeMap<(String, u64), usize>,
) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    for line in output.lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let diagnostic = &message["diagnostic"];
        if diagnostic["severity"] != "error" {
            continue;
        }
        let (Some(file), Some(at)) = (
            diagnostic["range"]["filename"].as_str(),
            diagnostic["range"]["start"]["line"].as_u64(),
        ) else {
            continue;
        };
        let place = (file.to_owned(), at);
        let Some(((found_in, _), case)) = lines.range(..=place).next_back() else { continue };
        if found_in != file {
            continue;
        }
        let summary = diagnostic["summary"].as_str().unwrap_or_default().to_owned();
        found.entry(*case).or_insert(summary);
    }
    found
}

fn record(root: &Path, archive: &[u8], chunks: &[Vec<usize>], verdicts: &mut [String]) {
    let inputs: BTreeMap<String, Value> = plan_file::inputs(archive).into_iter().collect();
    for (at, chunk) in chunks.iter().enumerate() {
        let input = &inputs[&format!("terraform_data.case{at}")];
        let items = input.items().expect("the input is a tuple");
        for (case, item) in chunk.iter().zip(items) {
            // Where the folder is does not matter; for us it is this one.
            verdicts[*case] = describe(item).replace(&root.display().to_string(), "/stack");
        }
    }
}

pub(crate) fn terraform(root: &Path, arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new("terraform")
        .args(arguments)
        .current_dir(root)
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("HOME", "/home/somebody")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some((output.status.success(), text + &String::from_utf8_lossy(&output.stderr)))
}

/// The version of the program.
pub(crate) fn version() -> Option<String> {
    let (_, text) = terraform(Path::new("."), &["version"])?;
    text.lines().next().map(|line| line.trim_start_matches("Terraform v").to_owned())
}
