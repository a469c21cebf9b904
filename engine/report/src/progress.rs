//! What happens in apply, line by line.

use apply::{Event, Summary};
use plan::ephemeral::{Operation, Stage, Told};
use plan::{Action, StepKind};

use crate::style::Style;

/// What a step does: as it goes on, as a noun, and as machines call it.
pub(crate) fn verb(action: Action, kind: StepKind) -> (&'static str, &'static str, &'static str) {
    match (action, kind) {
        (_, StepKind::Create) => ("Creating", "Creation", "create"),
        (_, StepKind::Update) => ("Modifying", "Modifications", "update"),
        (_, StepKind::Delete) => ("Destroying", "Destruction", "delete"),
        _ => ("Reading", "Read", "read"),
    }
}

/// The line for what happens to an ephemeral object.
pub(crate) fn ephemeral(told: &Told, style: Style) -> String {
    let doing = doing(told.operation).0;
    let text = match told.stage {
        Stage::Started => format!("{doing}..."),
        Stage::Ended { elapsed_ms } => format!("{doing} complete after {}", duration(elapsed_ms)),
        Stage::Failed { elapsed_ms } => {
            style.red(&format!("{doing} failed after {}", duration(elapsed_ms)))
        }
    };
    format!("{}: {text}", style.bold(&told.address.to_string()))
}

/// What is done with an ephemeral object: as it goes on, and as machines call it.
pub(crate) fn doing(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::Open => ("Opening", "open"),
        Operation::Renew => ("Renewing", "renew"),
        Operation::Close => ("Closing", "close"),
    }
}

/// A time in words: `12s`, `3m4s`; milliseconds below a second.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match (seconds, seconds / 60) {
        (0, _) => format!("{ms}ms"),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, minutes) => format!("{minutes}m{}s", seconds % 60),
    }
}

/// The line for an event; `None` if it has none.
pub fn line(event: &Event, style: Style) -> Option<String> {
    Some(match event {
        Event::Started { address, action, kind, id } => {
            let id = id.as_ref().map(|id| format!(" [id={id}]")).unwrap_or_default();
            format!("{}: {}...{id}", style.bold(&address.to_string()), verb(*action, *kind).0)
        }
        Event::Progress { address, line } => {
            format!("{}: {line}", style.bold(&address.to_string()))
        }
        Event::ProvisionerStarted { address, kind } => {
            format!("{}: Provisioning with '{kind}'...", style.bold(&address.to_string()))
        }
        Event::ProvisionerEnded { .. } => return None,
        Event::Provisioner { address, kind, line } => {
            format!("{} ({kind}): {line}", style.bold(&address.to_string()))
        }
        Event::Finished { address, action, kind, id, elapsed_ms } => {
            let id = id.as_ref().map(|id| format!(" [id={id}]")).unwrap_or_default();
            let what = verb(*action, *kind).1;
            format!(
                "{}: {what} complete after {}{id}",
                style.bold(&address.to_string()),
                duration(*elapsed_ms)
            )
        }
        Event::Failed { address, action, kind, elapsed_ms } => {
            let what = verb(*action, *kind).1;
            let text = format!("{what} failed after {}", duration(*elapsed_ms));
            format!("{}: {}", style.bold(&address.to_string()), style.red(&text))
        }
        Event::Ephemeral(told) => ephemeral(told, style),
        Event::Stopping => style.yellow(
            "Stopping: what runs may end, nothing new begins. Interrupt again to stop at once.",
        ),
    })
}

/// The last lines of a run.
pub fn summary(summary: &Summary, destroy: bool, style: Style) -> String {
    let mut out = String::new();
    let what = if destroy { "Destroy" } else { "Apply" };
    let mut parts = Vec::new();
    if summary.imported > 0 {
        parts.push(format!("{} imported", summary.imported));
    }
    if !destroy {
        parts.push(format!("{} added", summary.added));
        parts.push(format!("{} changed", summary.changed));
    }
    parts.push(format!("{} destroyed", summary.destroyed));
    if summary.forgotten > 0 {
        parts.push(format!("{} forgotten", summary.forgotten));
    }
    let parts = parts.join(", ");
    if summary.is_complete() {
        out.push_str(&style.green(&format!("{what} complete! Resources: {parts}.")));
    } else {
        let failed = summary.failed.len();
        let skipped = summary.not_reached.len();
        let text = format!(
            "{what} incomplete. Resources: {parts}; {failed} failed, {skipped} not reached."
        );
        out.push_str(&style.red(&text));
        for (word, list) in [("failed", &summary.failed), ("not reached", &summary.not_reached)] {
            for address in list.iter().take(20) {
                out.push_str(&format!("\n  {word}: {address}"));
            }
            if list.len() > 20 {
                out.push_str(&format!("\n  {word}: {} more", list.len() - 20));
            }
        }
    }
    out.push('\n');
    out
}
