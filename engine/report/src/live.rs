//! What runs at this moment: state for a picture on a terminal, and for a line every ten seconds elsewhere. Pure;
//! the caller knows the time and moves the cursor.

use std::collections::BTreeMap;

use address::ResourceInstance;
use apply::Event;
use plan::ephemeral::{Operation, Stage};
use plan::{Action, StepKind};

use crate::progress::{doing, duration, verb};
use crate::style::Style;

/// How often a step that takes its time is told of where there is no terminal, in milliseconds.
const TELL_EVERY_MS: u64 = 10_000;

/// A run as far as it has come.
#[derive(Debug)]
pub struct Live {
    total: usize,
    done: usize,
    failed: usize,
    running: BTreeMap<ResourceInstance, Running>,
    /// What is done with ephemeral objects: since when, and when it was last told of.
    ephemeral: BTreeMap<ResourceInstance, (Operation, u64, u64)>,
}

/// An operation on an ephemeral object that takes its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillEphemeral {
    /// The instance.
    pub address: ResourceInstance,
    /// What is done.
    pub operation: Operation,
    /// How long it has been going on.
    pub elapsed_ms: u64,
}

impl StillEphemeral {
    /// The line for people.
    pub fn line(&self, style: Style) -> String {
        let what = doing(self.operation).0.to_lowercase();
        let address = style.bold(&self.address.to_string());
        format!("{address}: Still {what}... [{} elapsed]", duration(self.elapsed_ms))
    }
}

#[derive(Debug)]
struct Running {
    action: Action,
    kind: StepKind,
    since_ms: u64,
    told_ms: u64,
    /// What the provider has said last.
    line: String,
}

/// A step that takes its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// The instance.
    pub address: ResourceInstance,
    /// The planned action.
    pub action: Action,
    /// Which half of it.
    pub kind: StepKind,
    /// How long it has been running.
    pub elapsed_ms: u64,
}

impl Still {
    /// The line for people.
    pub fn line(&self, style: Style) -> String {
        let what = verb(self.action, self.kind).0.to_lowercase();
        let address = style.bold(&self.address.to_string());
        format!("{address}: Still {what}... [{} elapsed]", duration(self.elapsed_ms))
    }
}

impl Live {
    /// A run of so many steps, of which none has begun.
    pub fn new(total: usize) -> Self {
        let (running, ephemeral) = (BTreeMap::new(), BTreeMap::new());
        Self { total, done: 0, failed: 0, running, ephemeral }
    }

    /// Takes in what has happened.
    pub fn on(&mut self, event: &Event, now_ms: u64) {
        match event {
            Event::Started { address, action, kind, .. } => {
                let running = Running {
                    action: *action,
                    kind: *kind,
                    since_ms: now_ms,
                    told_ms: now_ms,
                    line: String::new(),
                };
                self.running.insert(address.clone(), running);
            }
            Event::Progress { address, line } => {
                if let Some(running) = self.running.get_mut(address) {
                    line.clone_into(&mut running.line);
                }
            }
            Event::Provisioner { address, line, .. } => {
                if let Some(running) = self.running.get_mut(address) {
                    line.clone_into(&mut running.line);
                }
            }
            Event::Finished { address, .. } => {
                self.running.remove(address);
                self.done += 1;
            }
            Event::Failed { address, .. } => {
                self.running.remove(address);
                self.failed += 1;
            }
            Event::Ephemeral(told) if told.stage == Stage::Started => {
                self.ephemeral.insert(told.address.clone(), (told.operation, now_ms, now_ms));
            }
            Event::Ephemeral(told) => {
                self.ephemeral.remove(&told.address);
            }
            Event::ProvisionerStarted { .. } | Event::ProvisionerEnded { .. } | Event::Stopping => {
            }
        }
    }

    /// The steps that have taken ten seconds more since they were last told of.
    pub fn still(&mut self, now_ms: u64) -> Vec<Still> {
        let mut told = Vec::new();
        for (address, running) in &mut self.running {
            if now_ms.saturating_sub(running.told_ms) >= TELL_EVERY_MS {
                running.told_ms = now_ms;
                told.push(Still {
                    address: address.clone(),
                    action: running.action,
                    kind: running.kind,
                    elapsed_ms: now_ms.saturating_sub(running.since_ms),
                });
            }
        }
        told
    }

    /// The operations on ephemeral objects that have taken ten seconds more since they were last told of.
    pub fn still_ephemeral(&mut self, now_ms: u64) -> Vec<StillEphemeral> {
        let mut told = Vec::new();
        for (address, (operation, since_ms, told_ms)) in &mut self.ephemeral {
            if now_ms.saturating_sub(*told_ms) >= TELL_EVERY_MS {
                *told_ms = now_ms;
                let elapsed_ms = now_ms.saturating_sub(*since_ms);
                let (address, operation) = (address.clone(), *operation);
                told.push(StillEphemeral { address, operation, elapsed_ms });
            }
        }
        told
    }

    /// The picture: one line for each step that runs, the longest first, then how far the run is. No line is wider
    /// than `width`, and there are at most `rows` of them. Empty while nothing runs.
    pub fn frame(&self, now_ms: u64, width: usize, rows: usize, style: Style) -> Vec<String> {
        if self.running.is_empty() {
            return Vec::new();
        }
        let mut longest: Vec<_> = self.running.iter().collect();
        longest.sort_by_key(|(_, running)| running.since_ms);
        let room = rows.saturating_sub(1).max(1);
        let shown =
            if longest.len() > room { room.saturating_sub(1).max(1) } else { longest.len() };
        let mut lines: Vec<String> = longest
            .iter()
            .take(shown)
            .map(|(address, running)| {
                let what = verb(running.action, running.kind).0.to_lowercase();
                let elapsed = duration(now_ms.saturating_sub(running.since_ms));
                let said = if running.line.is_empty() {
                    String::new()
                } else {
                    format!("  {}", running.line)
                };
                cut(&format!("  {address}: {what} {elapsed}{said}"), width)
            })
            .collect();
        if longest.len() > shown {
            lines.push(cut(&format!("  and {} more", longest.len() - shown), width));
        }
        let waiting = self.total.saturating_sub(self.done + self.failed + self.running.len());
        let mut text = format!(
            "{} of {} done, {} running, {waiting} waiting",
            self.done,
            self.total,
            self.running.len()
        );
        if self.failed > 0 {
            text.push_str(&format!(", {} failed", self.failed));
        }
        lines.push(style.bold(&cut(&text, width)));
        lines
    }
}

/// A line that fits; control characters of providers' words are left out.
fn cut(text: &str, width: usize) -> String {
    let clean: Vec<char> = text.chars().filter(|c| !c.is_control()).collect();
    if clean.len() <= width {
        return clean.into_iter().collect();
    }
    clean.into_iter().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(name: &str) -> Event {
        let address = format!("sim_node.{name}").parse().expect("an address");
        Event::Started { address, action: Action::Create, kind: StepKind::Create, id: None }
    }

    fn finished(name: &str) -> Event {
        let address = format!("sim_node.{name}").parse().expect("an address");
        let (action, kind) = (Action::Create, StepKind::Create);
        Event::Finished { address, action, kind, id: None, elapsed_ms: 0 }
    }

    #[test]
    fn the_picture_shows_what_runs_longest_and_what_is_waited_for() {
        let mut live = Live::new(9);
        assert!(live.frame(0, 80, 10, Style::PLAIN).is_empty());
        for (at, name) in [(0, "d"), (1000, "a"), (2000, "b"), (3000, "c")] {
            live.on(&started(name), at);
        }
        let line = "step train:\u{1b}[31m running".to_owned();
        live.on(
            &Event::Progress { address: "sim_node.d".parse().expect("an address"), line },
            4000,
        );
        live.on(&finished("b"), 5000);
        assert_eq!(
            live.frame(63_000, 80, 10, Style::PLAIN),
            [
                "  sim_node.d: creating 1m3s  step train:[31m running",
                "  sim_node.a: creating 1m2s",
                "  sim_node.c: creating 1m0s",
                "1 of 9 done, 3 running, 5 waiting",
            ]
        );
        assert_eq!(
            live.frame(63_000, 20, 3, Style::PLAIN),
            ["  sim_node.d: creat…", "  and 2 more", "1 of 9 done, 3 runn…"]
        );
    }

    #[test]
    fn long_steps_are_told_of_every_ten_seconds() {
        let mut live = Live::new(1);
        live.on(&started("a"), 0);
        assert!(live.still(9_999).is_empty());
        let told = live.still(10_000);
        assert_eq!(told[0].line(Style::PLAIN), "sim_node.a: Still creating... [10s elapsed]");
        assert!(live.still(15_000).is_empty());
        assert_eq!(live.still(20_500)[0].elapsed_ms, 20_500);
        live.on(&finished("a"), 21_000);
        assert!(live.still(90_000).is_empty());
    }

    #[test]
    fn long_operations_on_ephemeral_objects_are_told_of_too() {
        let told = |stage| {
            let address = "ephemeral.sim_lease.a".parse().expect("an address");
            Event::Ephemeral(plan::ephemeral::Told { address, operation: Operation::Open, stage })
        };
        let mut live = Live::new(1);
        live.on(&told(Stage::Started), 0);
        assert!(live.still_ephemeral(9_999).is_empty() && live.still(10_000).is_empty());
        let still = live.still_ephemeral(10_000);
        let lines: Vec<_> = still.iter().map(|one| one.line(Style::PLAIN)).collect();
        assert_eq!(lines, ["ephemeral.sim_lease.a: Still opening... [10s elapsed]"]);
        assert!(live.still_ephemeral(19_999).is_empty());
        live.on(&told(Stage::Ended { elapsed_ms: 20_000 }), 20_000);
        assert!(live.still_ephemeral(40_000).is_empty());
    }
}
