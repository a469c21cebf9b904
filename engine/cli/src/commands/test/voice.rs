//! What is told of tests while they go: lines for people, messages for machines.

use config::TestFile;
use lang::World as _;
use report::test::{self, FileResult, Left, RunResult, Status};
use serde_json::Value as Json;
use syntax::{Diagnostics, SourceMap};

use crate::args::{Common, TestArgs};
use crate::exit::Exit;
use crate::session::Session;
use crate::terminal;
use crate::ui::Ui;

/// The tests' voice.
pub(super) struct Voice {
    ui: Ui,
    world: std::sync::Arc<crate::world::RealWorld>,
}

impl Voice {
    pub(super) fn new(session: &Session, args: &TestArgs) -> Self {
        let common = Common { no_color: args.no_color, json: args.json, ..Common::default() };
        Self { ui: Ui::new(&common, session.clock()), world: session.world.clone() }
    }

    /// The voice of the whole command.
    pub(super) fn ui(&self) -> Ui {
        self.ui.clone()
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.world.now_unix_nanos() / 1_000_000).unwrap_or(u64::MAX)
    }

    /// The present, as RFC 3339.
    pub(super) fn timestamp(&self) -> String {
        self.ui.messages().timestamp
    }

    pub(super) fn fail_message(&self, message: &str) -> Exit {
        self.ui.fail_message(message)
    }

    pub(super) fn fail(&self, found: &Diagnostics, sources: &SourceMap) -> Exit {
        self.ui.fail(found, sources)
    }

    pub(super) fn diagnostics(&self, found: &Diagnostics, sources: &SourceMap) {
        self.ui.diagnostics(found, sources);
    }

    pub(super) fn begin(&self, files: &[TestFile]) {
        if self.ui.is_json() {
            let names = files.iter().map(|file| {
                let runs = file.runs.iter().map(|run| &*run.name.text).collect();
                (file.name.as_str(), runs)
            });
            self.ui.say(&self.ui.messages().test_abstract(names));
        }
    }

    pub(super) fn file_begins(&self, file: &str) {
        if self.ui.is_json() {
            self.ui.say(&self.ui.messages().test_file(file, "starting", None));
        } else {
            terminal::line(&test::file_line(file, "in progress", self.ui.style));
        }
    }

    pub(super) fn file_cleans_up(&self, file: &str) {
        if self.ui.is_json() {
            self.ui.say(&self.ui.messages().test_file(file, "teardown", None));
        } else {
            terminal::line(&test::file_line(file, "tearing down", self.ui.style));
        }
    }

    pub(super) fn file_ends(&self, file: &str, status: Status) {
        if self.ui.is_json() {
            self.ui.say(&self.ui.messages().test_file(file, "complete", Some(status)));
        } else {
            terminal::line(&test::file_end(file, status, self.ui.style));
        }
    }

    pub(super) fn run_begins(&self, file: &str, run: &str) {
        self.run_progress(file, run, "starting", 0);
    }

    /// A run that takes long, or whose objects are being destroyed; people see its line when it has ended.
    pub(super) fn run_progress(&self, file: &str, run: &str, progress: &str, elapsed_ms: u64) {
        if self.ui.is_json() {
            let message = self.ui.messages().test_run(file, run, progress, elapsed_ms, None);
            self.ui.say(&message);
        }
    }

    pub(super) fn run_ends(
        &self,
        file: &str,
        result: &RunResult,
        found: &Diagnostics,
        sources: &SourceMap,
    ) {
        let (run, status) = (result.name.as_str(), result.status);
        if self.ui.is_json() {
            let message = self.ui.messages().test_run(file, run, "complete", 0, Some(status));
            self.ui.say(&message);
        } else {
            terminal::line(&test::run_line(run, status, self.ui.style));
        }
        self.tell(file, Some(run), found, sources);
    }

    /// Faults and warnings of a run or a file.
    pub(super) fn tell(
        &self,
        file: &str,
        run: Option<&str>,
        found: &Diagnostics,
        sources: &SourceMap,
    ) {
        if self.ui.is_json() {
            for message in self.ui.messages().test_diagnostics(file, run, found, sources) {
                self.ui.say(&message);
            }
        } else {
            self.ui.diagnostics(found, sources);
        }
    }

    /// Whether machines are told of schemas beside plans and states.
    pub(super) fn wants_schemas(&self) -> bool {
        self.ui.is_json()
    }

    /// The plan of a run.
    pub(super) fn plan(&self, file: &str, run: &str, plan: &plan::Plan, schemas: Json) {
        let view = report::plan_text::View::of(plan);
        if self.ui.is_json() {
            let plan = report::plan_json::plan(&view, config::LANGUAGE_VERSION);
            let plan = test::plan_body(plan, schemas);
            self.ui.say(&self.ui.messages().test_plan(file, run, plan));
        } else {
            terminal::print(&format!("\n{}\n", view.show(self.ui.style)));
        }
    }

    /// The state that a run has left.
    pub(super) fn state(
        &self,
        file: &str,
        run: &str,
        snapshot: &state::StateSnapshot,
        schemas: Json,
    ) {
        if self.ui.is_json() {
            let state = report::values_json::state(snapshot, config::LANGUAGE_VERSION);
            let state = test::state_body(state, schemas);
            return self.ui.say(&self.ui.messages().test_state(file, run, state));
        }
        terminal::line("");
        for record in snapshot.records.values() {
            terminal::line(&report::state_text::record(record, None));
        }
        if !snapshot.outputs.is_empty() {
            terminal::line("Outputs:\n");
            terminal::line(&report::state_text::outputs(snapshot));
        }
    }

    /// What could not be destroyed.
    pub(super) fn left_over(&self, file: &str, run: &str, left: &[Left]) {
        if self.ui.is_json() {
            self.ui.say(&self.ui.messages().test_cleanup(file, run, left));
        } else {
            terminal::error_line(&test::left_over(&format!("{file}/{run}"), left));
        }
    }

    /// What was not even tried to destroy.
    pub(super) fn abandoned(&self, file: &str, run: &str, left: &[Left]) {
        if self.ui.is_json() {
            self.ui.say(&self.ui.messages().test_interrupt(file, run, left));
        } else {
            terminal::error_line(&test::left_over(&format!("{file}/{run}"), left));
        }
    }

    pub(super) fn end(&self, files: &[FileResult]) {
        if self.ui.is_json() {
            self.ui.say(&self.ui.messages().test_summary(files));
        } else {
            terminal::line(&format!("\n{}", test::summary_line(files, self.ui.style)));
        }
    }
}
