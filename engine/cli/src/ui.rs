//! How a run speaks: plain lines, a live picture on a terminal, or Terraform's JSON messages.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use apply::Event;
use lang::World;
use report::live::Live;
use report::ui::Messages;
use report::{Style, progress};
use serde_json::Value as Json;
use syntax::{Diagnostics, SourceMap};

use crate::args::Common;
use crate::exit::Exit;
use crate::session::problem;
use crate::world::rfc3339;
use crate::{store, terminal};

/// One run's voice. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ui {
    json: bool,
    pub(crate) style: Style,
    world: Arc<dyn World>,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    live: Live,
    /// Whether the picture is drawn at all.
    draws: bool,
    /// Lines of the picture that stand below the printed ones.
    drawn: usize,
}

impl Ui {
    pub(crate) fn new(common: &Common, world: Arc<dyn World>) -> Self {
        let style = terminal::style(common.no_color);
        let draws = !common.json
            && std::io::stdout().is_terminal()
            && store::env("CI").is_none()
            && store::env("TERM").is_none_or(|term| term != "dumb");
        let shared = Shared { live: Live::new(0), draws, drawn: 0 };
        let ui = Self { json: common.json, style, world, shared: Arc::new(Mutex::new(shared)) };
        if ui.json {
            let version = env!("CARGO_PKG_VERSION");
            ui.say(&ui.messages().version(config::LANGUAGE_VERSION, version));
        }
        ui
    }

    /// Whether machines listen.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) fn messages(&self) -> Messages {
        Messages { timestamp: rfc3339(self.now_ms()) }
    }

    fn now_ms(&self) -> u64 {
        store::now_ms(&*self.world)
    }

    /// Prints a message.
    pub(crate) fn say(&self, message: &Json) {
        terminal::line(&message.to_string());
    }

    /// A line for people; machines get it as a log message.
    pub(crate) fn note(&self, text: &str) {
        if self.json {
            if !text.trim().is_empty() {
                self.say(&self.messages().log("info", text.trim()));
            }
        } else {
            terminal::line(text);
        }
    }

    /// A line about something odd.
    pub(crate) fn warn(&self, text: &str) {
        if self.json {
            self.say(&self.messages().log("warn", text));
        } else {
            terminal::error_line(&self.style.yellow(text));
        }
    }

    pub(crate) fn diagnostics(&self, found: &Diagnostics, sources: &SourceMap) {
        if self.json {
            for message in self.messages().diagnostics(found, sources) {
                self.say(&message);
            }
        } else {
            terminal::diagnostics(found, sources, self.style);
        }
    }

    /// Prints faults; the exit code that they ask for.
    pub(crate) fn fail(&self, found: &Diagnostics, sources: &SourceMap) -> Exit {
        self.diagnostics(found, sources);
        Exit::Failure
    }

    /// Prints one fault that has no place in the source.
    pub(crate) fn fail_with(&self, error: impl miette::Diagnostic + Send + Sync + 'static) -> Exit {
        self.fail(&error.into(), &SourceMap::new())
    }

    /// Prints a message as an error.
    pub(crate) fn fail_message(&self, message: &str) -> Exit {
        self.fail_with(problem(message))
    }

    /// A run of so many steps begins.
    pub(crate) fn begin(&self, steps: usize) {
        self.shared().live = Live::new(steps);
    }

    /// Takes in and shows what has happened.
    pub(crate) fn event(&self, event: &Event) {
        let mut shared = self.shared();
        shared.live.on(event, self.now_ms());
        if self.json {
            if let Some(message) = self.messages().event(event) {
                self.say(&message);
            }
            return;
        }
        // What is in the picture need not be printed as well.
        let in_picture = matches!(event, Event::Started { .. });
        if let (Some(line), false) = (progress::line(event, self.style), shared.draws && in_picture)
        {
            let frame = shared.draws.then(|| self.frame(&shared));
            let text = erase(shared.drawn) + &line + "\n" + &frame_text(frame.as_deref());
            shared.drawn = frame.map_or(0, |lines| lines.len());
            terminal::print(&text);
        }
    }

    /// Some time has passed.
    pub(crate) fn tick(&self) {
        let mut shared = self.shared();
        if shared.draws {
            let frame = self.frame(&shared);
            let text = erase(shared.drawn) + &frame_text(Some(&frame));
            shared.drawn = frame.len();
            if !text.is_empty() {
                terminal::print(&text);
            }
            return;
        }
        for still in shared.live.still_ephemeral(self.now_ms()) {
            if self.json {
                self.say(&self.messages().still_ephemeral(&still));
            } else {
                terminal::line(&still.line(self.style));
            }
        }
        for still in shared.live.still(self.now_ms()) {
            if self.json {
                self.say(&self.messages().still(&still));
            } else {
                terminal::line(&still.line(self.style));
            }
        }
    }

    /// Takes the picture away.
    pub(crate) fn end(&self) {
        let mut shared = self.shared();
        let text = erase(shared.drawn);
        shared.drawn = 0;
        terminal::print(&text);
    }

    fn frame(&self, shared: &Shared) -> Vec<String> {
        let (width, rows) = terminal::size();
        shared.live.frame(self.now_ms(), width, rows.min(12), self.style)
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        // What it guards is for show alone, so a panic elsewhere does no harm here.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves the cursor above the picture, and clears from there to the end.
fn erase(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!("\u{1b}[{lines}A\u{1b}[J") }
}

fn frame_text(lines: Option<&[String]>) -> String {
    lines.unwrap_or_default().iter().map(|line| format!("{line}\n")).collect()
}
