//! What is told of tests: lines for people, Terraform's messages for machines.
//!
//! Source of the messages: Terraform's documentation, "Machine-Readable UI", and what version 1.11.4 prints.

use serde_json::{Map, Value as Json, json};
use syntax::{Diagnostics, SourceMap};

use crate::style::Style;
use crate::ui::Messages;

/// How a test has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It was not run.
    #[default]
    Skip,
    /// All is as it was asserted.
    Pass,
    /// An assertion does not hold.
    Fail,
    /// It could not be carried out.
    Error,
}

impl Status {
    /// The word that machines get.
    pub fn word(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }

    /// The word that people get: an error is a failure too.
    pub fn plain(self) -> &'static str {
        match self {
            Self::Error => "fail",
            other => other.word(),
        }
    }

    fn shown(self, style: Style) -> String {
        match self {
            Self::Skip => style.dim(self.plain()),
            Self::Pass => style.green(self.plain()),
            Self::Fail | Self::Error => style.red(self.plain()),
        }
    }
}

/// One run, once it has ended.
#[derive(Debug, Default)]
pub struct RunResult {
    /// Its name.
    pub name: String,
    /// How it has ended.
    pub status: Status,
    /// When it began, as RFC 3339; empty if it was not run.
    pub began: String,
    /// How long it took.
    pub elapsed_ms: u64,
    /// What was wrong, without colours.
    pub faults: String,
    /// Messages of the assertions that do not hold.
    pub failed: Vec<String>,
    /// How many assertions it has.
    pub assertions: usize,
}

/// One file of tests, once it has ended.
#[derive(Debug, Default)]
pub struct FileResult {
    /// Its path.
    pub name: String,
    /// How it has ended.
    pub status: Status,
    /// Its runs.
    pub runs: Vec<RunResult>,
}

/// How many runs have ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// As asserted.
    pub passed: usize,
    /// Otherwise.
    pub failed: usize,
    /// Not carried out.
    pub errored: usize,
    /// Not run.
    pub skipped: usize,
}

impl Counts {
    /// The counts of these files.
    pub fn of(files: &[FileResult]) -> Self {
        let mut counts = Self::default();
        for run in files.iter().flat_map(|file| &file.runs) {
            *match run.status {
                Status::Pass => &mut counts.passed,
                Status::Fail => &mut counts.failed,
                Status::Error => &mut counts.errored,
                Status::Skip => &mut counts.skipped,
            } += 1;
        }
        counts
    }

    fn words(self) -> String {
        let skipped = match self.skipped {
            0 => String::new(),
            skipped => format!(", {skipped} skipped"),
        };
        format!("{} passed, {} failed{skipped}.", self.passed, self.failed + self.errored)
    }
}

/// The status of all files together.
pub fn overall(files: &[FileResult]) -> Status {
    files.iter().map(|file| file.status).max().unwrap_or(Status::Pass)
}

/// `tests/a.tftest.hcl... in progress`
pub fn file_line(name: &str, what: &str, style: Style) -> String {
    format!("{name}... {}", style.dim(what))
}

/// `tests/a.tftest.hcl... pass`
pub fn file_end(name: &str, status: Status, style: Style) -> String {
    format!("{name}... {}", status.shown(style))
}

/// `  run "a"... pass`
pub fn run_line(name: &str, status: Status, style: Style) -> String {
    format!("  run \"{name}\"... {}", status.shown(style))
}

/// `Success! 3 passed, 0 failed.`
pub fn summary_line(files: &[FileResult], style: Style) -> String {
    let word =
        if overall(files) > Status::Pass { style.red("Failure!") } else { style.green("Success!") };
    format!("{word} {}", Counts::of(files).words())
}

/// An object that is left when the tests have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The instance.
    pub address: String,
    /// The key of an object that a replacement has left behind.
    pub deposed: Option<String>,
}

impl Left {
    fn json(&self) -> Json {
        let mut json = json!({ "instance": self.address });
        if let Some(key) = &self.deposed {
            json["deposed_key"] = json!(key);
        }
        json
    }

    fn line(&self) -> String {
        match &self.deposed {
            Some(key) => format!("  - {} (deposed object {key})\n", self.address),
            None => format!("  - {}\n", self.address),
        }
    }
}

/// A plan as tests show it: members of what `show -json` has, with the schemas that `providers schema` prints.
pub fn plan_body(mut plan: Json, schemas: Json) -> Json {
    let mut body = Map::new();
    body.insert("plan_format_version".to_owned(), plan["format_version"].take());
    for name in ["output_changes", "resource_changes", "resource_drift", "relevant_attributes"] {
        let member = plan[name].take();
        let empty = if name == "output_changes" { json!({}) } else { json!([]) };
        body.insert(name.to_owned(), if member.is_null() { empty } else { member });
    }
    with_schemas(body, schemas)
}

/// A state as tests show it.
pub fn state_body(mut state: Json, schemas: Json) -> Json {
    let mut body = Map::new();
    body.insert("state_format_version".to_owned(), state["format_version"].take());
    for name in ["root_module", "outputs"] {
        let member = state["values"][name].take();
        body.insert(name.to_owned(), if member.is_null() { json!({}) } else { member });
    }
    with_schemas(body, schemas)
}

fn with_schemas(mut body: Map<String, Json>, mut schemas: Json) -> Json {
    body.insert("provider_format_version".to_owned(), schemas["format_version"].take());
    body.insert("provider_schemas".to_owned(), schemas["provider_schemas"].take());
    Json::Object(body)
}

/// What could not be destroyed.
pub fn left_over(name: &str, left: &[Left]) -> String {
    let list: String = left.iter().map(Left::line).collect();
    format!("These resources are left of {name}, and must be destroyed by hand:\n{list}")
}

impl Messages {
    /// Which tests there are.
    pub fn test_abstract<'a>(
        &self,
        files: impl IntoIterator<Item = (&'a str, Vec<&'a str>)>,
    ) -> Json {
        let files: Map<String, Json> = files
            .into_iter()
            .map(|(file, runs)| {
                (file.to_owned(), if runs.is_empty() { Json::Null } else { json!(runs) })
            })
            .collect();
        let runs: usize = files.values().filter_map(Json::as_array).map(Vec::len).sum();
        let many = |count: usize, word: &str| {
            format!("{count} {word}{}", if count == 1 { "" } else { "s" })
        };
        let text = format!("Found {} and {}", many(files.len(), "file"), many(runs, "run block"));
        self.message("info", "test_abstract", &text, &[("test_abstract", Json::Object(files))])
    }

    /// A file has begun, is being cleaned up, or has ended.
    pub fn test_file(&self, file: &str, progress: &str, status: Option<Status>) -> Json {
        let text = match (progress, status) {
            (_, Some(status)) => format!("{file}... {}", status.plain()),
            ("teardown", None) => format!("{file}... tearing down"),
            _ => format!("{file}... in progress"),
        };
        let mut body = json!({ "path": file, "progress": progress });
        if let Some(status) = status {
            body["status"] = json!(status.word());
        }
        let message = self.message("info", "test_file", &text, &[("test_file", body)]);
        of_test(message, file, None)
    }

    /// A run has begun, goes on, is being cleaned up, or has ended.
    pub fn test_run(
        &self,
        file: &str,
        run: &str,
        progress: &str,
        elapsed_ms: u64,
        status: Option<Status>,
    ) -> Json {
        let what = match (progress, status) {
            (_, Some(status)) => status.plain(),
            ("teardown", None) => "tearing down",
            _ => "in progress",
        };
        let mut body = json!({ "path": file, "run": run, "progress": progress });
        match status {
            Some(status) => body["status"] = json!(status.word()),
            None => body["elapsed"] = json!(elapsed_ms),
        }
        let text = format!("  \"{run}\"... {what}");
        let message = self.message("info", "test_run", &text, &[("test_run", body)]);
        of_test(message, file, Some(run))
    }

    /// Errors and warnings of a run or a file.
    pub fn test_diagnostics(
        &self,
        file: &str,
        run: Option<&str>,
        found: &Diagnostics,
        sources: &SourceMap,
    ) -> Vec<Json> {
        let all = self.diagnostics(found, sources).into_iter();
        all.map(|message| of_test(message, file, run)).collect()
    }

    /// The plan of a run.
    pub fn test_plan(&self, file: &str, run: &str, plan: Json) -> Json {
        let text = "-verbose flag enabled, printing plan";
        of_test(self.message("info", "test_plan", text, &[("test_plan", plan)]), file, Some(run))
    }

    /// The state that a run has left.
    pub fn test_state(&self, file: &str, run: &str, state: Json) -> Json {
        let text = "-verbose flag enabled, printing state";
        of_test(self.message("info", "test_state", text, &[("test_state", state)]), file, Some(run))
    }

    /// What could not be destroyed.
    pub fn test_cleanup(&self, file: &str, run: &str, left: &[Left]) -> Json {
        let text = format!(
            "Stratiform left some resources of {file}/{run}, they need to be cleaned up manually."
        );
        let left: Vec<Json> = left.iter().map(Left::json).collect();
        let body = json!({ "failed_resources": left });
        let message = self.message("error", "test_cleanup", &text, &[("test_cleanup", body)]);
        of_test(message, file, Some(run))
    }

    /// What is left because nobody had the time to destroy it.
    pub fn test_interrupt(&self, file: &str, run: &str, left: &[Left]) -> Json {
        let text = "Stratiform was interrupted and has not destroyed what the tests have made.";
        let left: Vec<Json> = left.iter().map(Left::json).collect();
        let body = json!({ "state": left });
        let message = self.message("error", "test_interrupt", text, &[("test_interrupt", body)]);
        of_test(message, file, Some(run))
    }

    /// The last message.
    pub fn test_summary(&self, files: &[FileResult]) -> Json {
        let counts = Counts::of(files);
        let body = json!({
            "status": overall(files).word(),
            "passed": counts.passed,
            "failed": counts.failed,
            "errored": counts.errored,
            "skipped": counts.skipped,
        });
        let text = summary_line(files, Style::PLAIN);
        self.message("info", "test_summary", &text, &[("test_summary", body)])
    }
}

/// Says of which file and run a message is.
fn of_test(mut message: Json, file: &str, run: Option<&str>) -> Json {
    message["@testfile"] = json!(file);
    if let Some(run) = run {
        message["@testrun"] = json!(run);
    }
    message
}
