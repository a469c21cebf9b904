//! A plan for people.

use std::fmt::Write as _;

use plan::{Action, ActionReason, Mode, OutputChange, Plan, ReplaceOrder, ResourceChange};

use crate::style::Style;
use crate::values::{Diff, Sign, value};

/// Shows a plan.
pub fn plan(plan: &Plan, style: Style) -> String {
    let view = View {
        mode: plan.mode,
        changes: &plan.changes,
        outputs: plan.outputs.iter().map(|(name, change)| (name.as_ref(), change)).collect(),
        drift: &plan.drift,
        decisions: &plan.decisions,
        deferred_checks: &plan.deferred_checks,
        counts: plan.counts(),
        empty: plan.is_empty(),
    };
    view.show(style)
}

/// What is shown of a plan, whether it was made now or read from a file.
pub struct View<'a> {
    /// The kind of plan.
    pub mode: Mode,
    /// Its changes.
    pub changes: &'a [ResourceChange],
    /// Its outputs.
    pub outputs: Vec<(&'a str, &'a OutputChange)>,
    /// What has drifted.
    pub drift: &'a [plan::DriftChange],
    /// Its placements.
    pub decisions: &'a [component::Decision],
    /// Checks that wait for values.
    pub deferred_checks: &'a [String],
    /// How many objects it touches.
    pub counts: plan::Counts,
    /// Whether it does nothing.
    pub empty: bool,
}

impl View<'_> {
    /// The text.
    pub fn show(&self, style: Style) -> String {
        let mut out = String::new();
        if !self.drift.is_empty() && (self.mode == Mode::RefreshOnly || !self.empty) {
            self.drifted(style, &mut out);
        }
        if self.empty {
            let line = match self.mode {
                Mode::Destroy => "Nothing to destroy.",
                Mode::RefreshOnly => "No drift: every object is what the state records.",
                Mode::Normal => "No changes: the real objects match the configuration.",
            };
            let _ = writeln!(out, "{}", style.green(line));
            return out;
        }
        let placed: Vec<_> = self.decisions.iter().collect();
        if !placed.is_empty() && self.mode == Mode::Normal {
            let _ = writeln!(out, "{}\n", style.bold("Placement"));
            for decision in placed {
                let reason = decision.reasons.first().map(String::as_str).unwrap_or_default();
                let _ = writeln!(
                    out,
                    "  {} on {} ({}): {reason}",
                    style.bold(&decision.component),
                    decision.offer,
                    decision.backend
                );
            }
            out.push('\n');
        }
        if !self.deferred_checks.is_empty() && self.mode == Mode::Normal {
            let _ = writeln!(out, "{}\n", style.bold("Checked when the values are known"));
            for check in self.deferred_checks {
                let _ = writeln!(out, "  {check}");
            }
            out.push('\n');
        }
        let visible: Vec<&ResourceChange> =
            self.changes.iter().filter(|change| is_visible(change)).collect();
        if !visible.is_empty() {
            let _ = writeln!(out, "{}\n", style.bold("Actions"));
        }
        for change in visible {
            resource(change, style, &mut out);
        }
        let counts = self.counts;
        if self.mode != Mode::RefreshOnly {
            let mut parts = Vec::new();
            if counts.imported > 0 {
                parts.push(format!("{} to import", counts.imported));
            }
            parts.push(format!("{} to add", counts.added));
            parts.push(format!("{} to change", counts.changed));
            parts.push(format!("{} to destroy", counts.destroyed));
            if counts.forgotten > 0 {
                parts.push(format!("{} to forget", counts.forgotten));
            }
            let _ = writeln!(out, "{} {}.", style.bold("Plan:"), parts.join(", "));
        }
        self.show_outputs(style, &mut out);
        out
    }

    fn drifted(&self, style: Style, out: &mut String) {
        let _ = writeln!(out, "{}\n", style.bold("Changed outside of this stack"));
        for drift in self.drift {
            let what = if drift.real.is_null() { "is gone" } else { "has changed" };
            let _ = writeln!(out, "  {} {what}", style.bold(&drift.address.to_string()));
            for attribute in &drift.attributes {
                let _ = writeln!(
                    out,
                    "    {} {}: {} -> {}",
                    style.yellow("~"),
                    attribute.path,
                    value(&attribute.recorded, 4),
                    value(&attribute.real, 4)
                );
            }
        }
        out.push('\n');
    }

    fn show_outputs(&self, style: Style, out: &mut String) {
        let changed: Vec<_> =
            self.outputs.iter().filter(|(_, change)| change.action != Action::NoOp).collect();
        if changed.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{}", style.bold("Outputs"));
        let width = changed.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, change) in changed {
            let hide = |shown: &value::Value| {
                if change.sensitive { "(sensitive value)".to_owned() } else { value(shown, 4) }
            };
            let (sign, text) = match change.action {
                Action::Create => (Sign::Add, hide(&change.after)),
                Action::Delete => (Sign::Remove, format!("{} -> null", hide(&change.before))),
                _ if change.sensitive => (Sign::Change, "(sensitive value)".to_owned()),
                _ => (Sign::Change, format!("{} -> {}", hide(&change.before), hide(&change.after))),
            };
            let _ = writeln!(out, "{} {name:width$} = {text}", sign.show(style));
        }
    }
}

fn is_visible(change: &ResourceChange) -> bool {
    change.action != Action::NoOp || change.importing.is_some() || change.previous_address.is_some()
}

fn resource(change: &ResourceChange, style: Style, out: &mut String) {
    let address = match &change.deposed {
        Some(key) => format!("{} (deposed object {key})", change.address),
        None => change.address.to_string(),
    };
    let (sign, what) = match change.action {
        Action::NoOp => (Sign::Same, "stays as it is".to_owned()),
        Action::Create => (Sign::Add, "will be created".to_owned()),
        Action::Read => (Sign::Read, "will be read during apply".to_owned()),
        Action::Update => (Sign::Change, "will be updated in place".to_owned()),
        Action::Replace(ReplaceOrder::DeleteThenCreate) => {
            (Sign::Replace, "must be replaced".to_owned())
        }
        Action::Replace(ReplaceOrder::CreateThenDelete) => {
            (Sign::ReplaceFirst, "must be replaced, the new object first".to_owned())
        }
        Action::Delete => (Sign::Remove, "will be destroyed".to_owned()),
        Action::Forget => {
            (Sign::Remove, "will be dropped from the state; the object lives on".to_owned())
        }
    };
    let _ = writeln!(out, "  # {} {what}", style.bold(&address));
    if let Some(reason) = reason(change.reason) {
        let _ = writeln!(out, "  {}", style.dim(&format!("# {reason}")));
    }
    if let Some(previous) = &change.previous_address {
        let _ = writeln!(out, "  {}", style.dim(&format!("# moved from {previous}")));
    }
    if let Some(id) = &change.importing {
        let _ = writeln!(out, "  {}", style.dim(&format!("# imported by its id \"{id}\"")));
    }
    let block = &change.address.resource;
    let kind = if block.mode == address::ResourceMode::Data { "data" } else { "resource" };
    let _ =
        writeln!(out, "{} {kind} \"{}\" \"{}\" {{", sign.show(style), block.type_name, block.name);
    let diff = Diff { style, requires_replace: &change.requires_replace, show_unchanged: false };
    let nothing = value::Value::dynamic_null();
    let (before, after) = match change.action {
        Action::Delete | Action::Forget => (&change.before, &nothing),
        Action::Create | Action::Read => (&nothing, &change.after),
        _ => (&change.before, &change.after),
    };
    out.push_str(&diff.object(before, after, 4));
    out.push_str("    }\n\n");
}

fn reason(reason: ActionReason) -> Option<&'static str> {
    match reason {
        ActionReason::Difference | ActionReason::CannotUpdate | ActionReason::Destroying => None,
        ActionReason::Tainted => Some("because its creation did not end well"),
        ActionReason::Requested => Some("because `-replace` asks for it"),
        ActionReason::Triggered => {
            Some("because of a change to something in `replace_triggered_by`")
        }
        ActionReason::NoResource => Some("because its block is not in the configuration"),
        ActionReason::NoModule => Some("because its module is not in the configuration"),
        ActionReason::NoKey => Some("because its key is not in `count` or `for_each`"),
        ActionReason::WrongRepetition => Some(
            "because its block has `count`, `for_each` or neither, and its key is of another kind",
        ),
        ActionReason::ConfigUnknown => {
            Some("because its configuration depends on values known after apply")
        }
        ActionReason::DependencyPending => {
            Some("because something in `depends_on` is going to change")
        }
        ActionReason::CheckNested => Some("because a check looks again when all is done"),
        ActionReason::Deposed => Some("left over from an unfinished replacement"),
    }
}
