//! The example of every error page gives the error that the page is about.
#![allow(missing_docs, reason = "a test binary")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::Stack;

/// Codes that no test shows yet, one a line.
fn unshown() -> BTreeSet<&'static str> {
    include_str!("error_examples/unshown.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect()
}

#[test]
fn examples_give_their_errors() {
    let mut shown = 0;
    let mut wrong = Vec::new();
    let docs = config::RULE_DOCS.iter().chain(syntax::ERROR_DOCS);
    for doc in docs.filter(|doc| !doc.example.is_empty()) {
        let stack = Stack::new(&[
            ("main.tf", &format!("{}\n", doc.example)),
            ("m/main.tf", "output \"o\" {\n  value = 1\n}\n"),
        ]);
        let err = stack.fails(&["validate"]);
        if !err.contains(doc.code) {
            wrong.push(format!("{}\n{}\n{err}", doc.code, doc.example));
        }
        shown += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(shown >= 25, "only {shown} examples");
}

/// Faults between modules, which an example of one file cannot show.
#[test]
fn modules_and_their_calls_must_fit() {
    let declared = |body: &str| {
        format!(
            "terraform {{\n  required_providers {{\n    sim = {{ source = \"stratiform/sim\"{body} }}\n  }}\n}}\n"
        )
    };
    let alias = ", configuration_aliases = [sim.x]";
    let cases: [(&str, String, String); 6] = [
        ("import_place", "module \"m\" {\n  source = \"./m\"\n}\n".to_owned(), "resource \"terraform_data\" \"a\" {}\nimport {\n  to = terraform_data.a\n  id = \"x\"\n}\n".to_owned()),
        ("provider_not_passed", "module \"m\" {\n  source = \"./m\"\n}\n".to_owned(), declared(alias)),
        ("provider_not_taken", format!("{}module \"m\" {{\n  source    = \"./m\"\n  providers = {{ sim.y = sim }}\n}}\n", declared("")), declared("")),
        ("provider_mismatch", "module \"m\" {\n  source    = \"./m\"\n  providers = { sim = terraform }\n}\n".to_owned(), declared("")),
        ("provider_in_module", "module \"m\" {\n  source = \"./m\"\n  count  = 2\n}\n".to_owned(), format!("{}provider \"sim\" {{\n  world = \"w\"\n}}\n", declared(""))),
        ("scoped_data", "check \"c\" {\n  data \"sim_lookup\" \"a\" {\n    name = \"a\"\n  }\n  assert {\n    condition     = data.sim_lookup.a.size == 2\n    error_message = \"no\"\n  }\n}\noutput \"x\" {\n  value = data.sim_lookup.a.id\n}\n".to_owned(), String::new()),
    ];
    for (code, root, module) in cases {
        let stack = Stack::new(&[("main.tf", &root), ("m/main.tf", &module)]);
        let err = stack.fails(&["validate"]);
        assert!(err.contains(&format!("stratiform::config::{code}\n")), "{code}: {err}");
    }
}

/// Faults of files that no example can hold.
#[test]
fn files_that_cannot_be_read_show_their_codes() {
    let deep = format!("{{\"locals\": {}1{}}}", "[".repeat(300), "]".repeat(300));
    let cases: [(&str, &str, &[u8]); 5] = [
        ("invalid_utf8", "main.tf", b"locals {\n  a = \"\xff\"\n}\n"),
        ("nul_character", "main.tf", b"locals {\n  a = \"\0\"\n}\n"),
        ("invalid_json", "main.tf.json", b"{\"locals\": }"),
        ("json_block_shape", "main.tf.json", b"{\"locals\": 1}"),
        ("too_deep", "main.tf.json", deep.as_bytes()),
    ];
    for (code, name, bytes) in cases {
        let stack = Stack::new(&[]);
        std::fs::write(stack.dir().join(name), bytes).expect("a file can be written");
        let err = stack.fails(&["validate"]);
        assert!(err.contains(&format!("stratiform::syntax::{code}\n")), "{code}: {err}");
    }
}

#[test]
fn plans_that_contradict_themselves_are_refused() {
    let block = |from: &str, to: &str| {
        format!("moved {{\n  from = terraform_data.{from}\n  to   = terraform_data.{to}\n}}\n")
    };
    let data = |name: &str| format!("resource \"terraform_data\" \"{name}\" {{}}\n");
    let cases: [(&str, String); 6] = [
        (
            "no_such_attribute",
            format!("{}output \"x\" {{\n  value = terraform_data.a.inptu\n}}\n", data("a")),
        ),
        ("import_without_block", "import {\n  to = terraform_data.a\n  id = \"x\"\n}\n".to_owned()),
        ("moved_still_there", format!("{}{}{}", data("a"), data("b"), block("a", "b"))),
        ("contradicting_moves", block("a", "b") + &block("b", "a")),
        ("contradicting_moves", block("a", "b") + &block("a", "c")),
        (
            "removed_still_there",
            format!(
                "{}removed {{\n  from = terraform_data.a\n  lifecycle {{\n    destroy = false\n  }}\n}}\n",
                data("a")
            ),
        ),
    ];
    for (code, text) in cases {
        let command = if code == "no_such_attribute" { "validate" } else { "plan" };
        let err = Stack::new(&[("main.tf", &text)]).fails(&[command]);
        assert!(err.contains(&format!("stratiform::plan::{code}\n")), "{code}: {err}");
    }
}

#[test]
fn an_error_inside_a_module_shows_how_it_is_called() {
    let stack = Stack::new(&[
        ("main.tf", "module \"a\" {\n  source = \"./a\"\n}\n"),
        ("a/main.tf", "\nmodule \"b\" {\n  source = \"../b\"\n}\n"),
        ("b/main.tf", "output \"x\" {\n  value = var.nope\n}\n"),
    ]);
    let err = stack.fails(&["validate"]);
    let chain = "in `module.a.module.b`, called at main.tf:1, then a/main.tf:2";
    assert!(err.contains(chain), "{err}");
}

/// A folder of `cases.txt`: the code, the command, and what is done before, as named texts.
struct Case {
    code: String,
    command: Vec<String>,
    files: Vec<(String, String)>,
}

/// Runs a command line, whose first words may set variables: `NAME=VALUE plan -json`.
fn run_line(stack: &Stack, words: &[String]) -> common::Ran {
    let is_variable = |word: &&String| {
        word.split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    let variables: Vec<_> = words.iter().take_while(is_variable).collect();
    let args: Vec<&str> = words[variables.len()..].iter().map(String::as_str).collect();
    let mut command = stack.command(&args);
    for (name, value) in variables.iter().filter_map(|word| word.split_once('=')) {
        command.env(name, value);
    }
    common::ran(command.output().expect("the binary runs"))
}

/// One part of a case: a file, a command that must work, or a path to remove.
fn prepare(stack: &Stack, title: &str, text: &str) {
    if let Some(line) = title.strip_prefix("$ ") {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let ran = run_line(stack, &words);
        assert_eq!(ran.code, Some(0), "{line}\n{}\n{}", ran.out, ran.err);
    } else if let Some(path) = title.strip_prefix("remove ") {
        let path = stack.dir().join(path);
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    } else {
        stack.write(title, text);
    }
}

fn cases() -> Vec<Case> {
    let text = include_str!("error_examples/cases.txt");
    let parts = text.split("\n=== ").skip(1);
    parts
        .map(|part| {
            let (header, body) = part.split_once('\n').unwrap_or((part, ""));
            let mut words = header.split_whitespace().map(str::to_owned);
            let code = words.next().expect("a case has a code");
            let body = format!("\n{body}\n");
            let files = body.split("\n--- ").enumerate().map(|(at, file)| match at {
                0 => ("main.tf", file),
                _ => file.split_once('\n').unwrap_or((file, "")),
            });
            let is_step = |path: &str| path.starts_with("$ ") || path.starts_with("remove ");
            let files = files.filter(|(path, text)| is_step(path) || !text.trim().is_empty());
            let files = files
                .map(|(path, text)| (path.to_owned(), format!("{}\n", text.trim_matches('\n'))));
            Case { code, command: words.collect(), files: files.collect() }
        })
        .collect()
}

#[test]
fn folders_show_their_codes() {
    let mut wrong = Vec::new();
    for case in cases() {
        let stack = Stack::new(&[]);
        let before = case
            .files
            .iter()
            .filter_map(|(path, text)| Some((path.strip_prefix("before:")?, text)));
        let before: Vec<_> = before.collect();
        if !before.is_empty() {
            for (path, text) in &before {
                stack.write(path, text);
            }
            stack.ok(&["apply", "-auto-approve"]);
        }
        for (path, text) in case.files.iter().filter(|(path, _)| !path.starts_with("before:")) {
            prepare(&stack, path, text);
        }
        let ran = run_line(&stack, &case.command);
        let err = ran.err;
        if !err.contains(&format!("stratiform::{}\n", case.code)) {
            wrong.push(format!("{} {:?}\n{err}", case.code, case.command));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One who works on the state keeps others away, with a name if it has left one.
#[test]
fn a_state_in_use_is_left_alone() {
    let stack = Stack::new(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    stack.ok(&["apply", "-auto-approve"]);
    let folder = stack.dir().join(".stratiform/state/default");
    let open = std::fs::File::options().write(true).open(folder.join("open")).expect("it is there");
    open.lock().expect("nobody has it");
    let _ = std::fs::remove_file(folder.join("lock"));
    let err = stack.fails(&["apply", "-auto-approve"]);
    assert!(err.contains("stratiform::state::in_use\n"), "{err}");
    drop(open);
    stack.write(
        "main.tf",
        "resource \"terraform_data\" \"b\" {\n  provisioner \"local-exec\" {\n    command = \"echo > begun; sleep 60\"\n  }\n}\n",
    );
    let mut running = stack
        .command(&["apply", "-auto-approve"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary runs");
    let mut waits = 0;
    while !stack.dir().join("begun").exists() && waits < 600 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        waits += 1;
    }
    let second = stack.run(&["apply", "-auto-approve"]);
    running.kill().expect("it is ours");
    running.wait().expect("it ends");
    assert_eq!(second.code, Some(1), "{}", second.out);
    assert!(second.err.contains("stratiform::state::locked\n"), "{}", second.err);
}

/// An entry that is taken out of the database is missed, instead of its object being made again.
#[test]
fn a_state_with_entries_missing_is_refused() {
    let stack = Stack::new(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    stack.ok(&["apply", "-auto-approve"]);
    let database = sled::open(stack.dir().join(".stratiform/state/default/db")).expect("opens");
    let removed: Vec<_> = database.scan_prefix("r/").keys().flatten().collect();
    assert_eq!(removed.len(), 1);
    database.remove(&removed[0]).expect("removed");
    database.flush().expect("written");
    drop(database);
    let err = stack.fails(&["plan"]);
    assert!(err.contains("stratiform::state::incomplete\n"), "{err}");
}

/// The examples of the language's errors are arguments of an output.
#[test]
fn examples_of_the_language_give_their_errors() {
    let mut wrong = Vec::new();
    for doc in lang::error_docs().iter().filter(|doc| doc.example.starts_with("value = ")) {
        let elsewhere = cases().iter().any(|case| doc.code.ends_with(&case.code));
        if elsewhere || unshown().contains(doc.code) {
            continue;
        }
        let text = format!("output \"a\" {{\n  {}\n}}\n", doc.example);
        let err = Stack::new(&[("main.tf", &text)]).run(&["validate"]).err;
        if !err.contains(doc.code) {
            wrong.push(format!("{}\n{}\n{err}", doc.code, doc.example));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All sources of the folder.
fn sources(folder: &Path, all: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push(std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

/// Faults of addresses and of the local provider are told within those of others.
const WITHIN: [&str; 2] = ["stratiform::address::", "stratiform::local::"];

#[test]
fn every_code_has_a_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages =
        std::fs::read_to_string(root.join("docs/reference/errors.md")).expect("it is there");
    let mut all = Vec::new();
    for folder in ["engine", "state", "providers"] {
        sources(&root.join(folder), &mut all);
    }
    let mut codes = BTreeSet::new();
    for text in &all {
        for (at, _) in text.match_indices(concat!("code(", "stratiform::")) {
            let rest = &text[at + "code(".len()..];
            let code = rest.split_once(')').map(|(code, _)| code);
            codes.extend(code.filter(|code| !WITHIN.iter().any(|within| code.starts_with(within))));
        }
    }
    assert!(codes.len() >= 200, "only {} codes", codes.len());
    codes.retain(|code| !pages.contains(&format!("\n## `{code}`\n")));
    assert!(codes.is_empty(), "no page tells of {codes:#?}");
}

/// All sources of tests: files under a `tests` folder, and what follows `#[cfg(test)]` elsewhere.
fn test_sources(folder: &Path, all: &mut Vec<String>) {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            test_sources(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "snap") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let is_test = path.components().any(|part| part.as_os_str() == "tests");
            let from = if is_test { Some(0) } else { text.find("#[cfg(test)]") };
            all.extend(from.and_then(|from| text.get(from..)).map(str::to_owned));
        }
    }
}

#[test]
fn every_code_is_shown_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sources = Vec::new();
    for folder in ["engine", "state", "providers"] {
        test_sources(&root.join(folder), &mut sources);
    }
    let pages =
        std::fs::read_to_string(root.join("docs/reference/errors.md")).expect("it is there");
    let codes: BTreeSet<&str> =
        pages.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`')).collect();
    assert!(codes.len() >= 100, "the reference lists {} codes", codes.len());
    let unshown = unshown();
    let examples: Vec<&str> = (config::RULE_DOCS.iter())
        .chain(syntax::ERROR_DOCS)
        .chain(lang::error_docs())
        .filter(|doc| !doc.example.is_empty() && !unshown.contains(doc.code))
        .map(|doc| doc.code)
        .collect();
    let cases = cases();
    let is_shown = |code: &str| {
        let short = code.rsplit("::").next().unwrap_or_default();
        let quoted = format!("\"{short}\"");
        // A longer code may begin like this one.
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let mentioned = |text: &String| {
            text.contains(&quoted)
                || text.match_indices(code).any(|(at, _)| ends(&text[at + code.len()..]))
        };
        examples.contains(&code)
            || cases.iter().any(|case| code.ends_with(&case.code))
            || sources.iter().any(mentioned)
    };
    let stale = unshown.iter().filter(|code| !codes.contains(*code) || is_shown(code));
    let stale: Vec<_> = stale.collect();
    assert!(stale.is_empty(), "not a code, or shown by now: {stale:#?}");
    let missing: Vec<_> = codes.difference(&unshown).filter(|code| !is_shown(code)).collect();
    assert!(missing.is_empty(), "no test shows {missing:#?}");
}
