//! A plan for people, as text.
//!
//! A short plan is shown in the order of addresses. A long one begins with a summary, and what is destroyed or
//! replaced comes first: nobody has to scroll through a thousand new objects to learn what is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use plan::evaluation::Evaluation;
use plan::{Mode, OutputChange, Plan, ResourceChange};

use crate::diff::Line;
use crate::sheet::{Entry, Purpose, Sheet, Verb};
use crate::style::Style;
use crate::values::Sign;

/// A plan of more changes than this begins with a summary.
const LONG: usize = 25;

/// So many groups of objects are named in a summary's line; the others are counted.
const GROUPS: usize = 12;

/// Shows a plan.
pub fn plan(plan: &Plan, style: Style) -> String {
    View::of(plan).show(style)
}

/// What is shown of a plan.
pub struct View<'a> {
    /// The kind of plan.
    pub mode: Mode,
    /// Its changes.
    pub changes: &'a [ResourceChange],
    /// Its outputs.
    pub outputs: Vec<(&'a str, &'a OutputChange)>,
    /// Outputs that could not be planned, with what the state records of them.
    pub unplanned: Vec<(&'a str, &'a OutputChange)>,
    /// The values behind it.
    pub evaluation: &'a Evaluation,
    /// Whether it leaves something out.
    pub limited: bool,
    /// Whether planning met errors.
    pub errored: bool,
    /// What has drifted.
    pub drift: &'a [plan::DriftChange],
    /// Its placements.
    pub decisions: &'a [component::Decision],
    /// Checks that wait for values.
    pub deferred_checks: &'a [String],
    /// Changes that are put off.
    pub deferred: &'a [plan::DeferredChange],
    /// What apply carries out.
    pub steps: &'a [plan::Step],
    /// How many objects it touches.
    pub counts: plan::Counts,
    /// Whether it does nothing.
    pub empty: bool,
}

impl<'a> View<'a> {
    /// All of a plan.
    pub fn of(plan: &'a Plan) -> Self {
        Self {
            mode: plan.mode,
            changes: &plan.changes,
            outputs: plan.outputs.iter().map(|(name, change)| (name.as_ref(), change)).collect(),
            unplanned: plan
                .unplanned
                .iter()
                .map(|(name, change)| (name.as_ref(), change))
                .collect(),
            evaluation: &plan.evaluation,
            limited: plan.limited,
            errored: plan.errored,
            drift: &plan.drift,
            decisions: &plan.decisions,
            deferred_checks: &plan.deferred_checks,
            deferred: &plan.deferred,
            steps: &plan.steps,
            counts: plan.counts(),
            empty: plan.is_empty(),
        }
    }

    /// The text.
    pub fn show(&self, style: Style) -> String {
        text(&Sheet::of(self), style)
    }
}

/// The text of what is to be told of a plan.
pub fn text(sheet: &Sheet, style: Style) -> String {
    let mut out = String::new();
    if !sheet.drift.is_empty() && (sheet.mode == Purpose::Refresh || !sheet.empty) {
        drifted(sheet, style, &mut out);
    }
    if sheet.empty {
        sections(sheet, style, &mut out);
        let words = if sheet.errored {
            ERRORED
        } else if sheet.sections.is_empty() {
            nothing(sheet.mode)
        } else {
            "No changes now. What is put off is planned by the next run."
        };
        let _ = writeln!(out, "{}", style.green(words));
        return out;
    }
    if sheet.mode == Purpose::Apply {
        components(sheet, style, &mut out);
    }
    let mut entries: Vec<&Entry> = sheet.entries.iter().collect();
    let long = entries.len() > LONG;
    if long {
        summary(sheet, style, &mut out);
        // Stable: within each half the order of addresses stays.
        entries.sort_by_key(|entry| !entry.verb.destroys());
    }
    if !entries.is_empty() {
        legend(&entries, style, &mut out);
        let words = if sheet.errored {
            "Stratiform planned the following actions, but then encountered a problem:"
        } else {
            "Stratiform will perform the following actions:"
        };
        let _ = writeln!(out, "{}\n", style.bold(words));
    }
    for one in entries {
        entry(one, style, &mut out);
    }
    sections(sheet, style, &mut out);
    if sheet.mode != Purpose::Refresh {
        let _ = writeln!(out, "{} {}.", style.bold("Plan:"), totals(sheet));
    }
    if !sheet.outputs.is_empty() {
        let _ = writeln!(out, "\n{}", style.bold("Changes to Outputs:"));
        sheet.outputs.iter().for_each(|one| line(one, style, &mut out));
    }
    out
}

/// What else is known of the plan.
fn sections(sheet: &Sheet, style: Style, out: &mut String) {
    for section in &sheet.sections {
        let _ = writeln!(out, "{}\n", style.bold(&section.title));
        for line in &section.lines {
            let _ = writeln!(out, "  {line}");
        }
        out.push('\n');
    }
}

/// What is said of a plan beside which there were errors.
pub(crate) const ERRORED: &str =
    "There were errors: this is what could be planned in spite of them. It cannot be applied.";

/// What is said of a plan that does nothing.
pub(crate) fn nothing(mode: Purpose) -> &'static str {
    match mode {
        Purpose::Destroy => "No changes. No objects need to be destroyed.",
        Purpose::Refresh => "No changes. Every object is what the state records.",
        Purpose::Undo => "No changes. Every object is what it was then.",
        Purpose::Apply => "No changes. The real objects match the configuration.",
    }
}

/// The counts, as Terraform counts.
pub(crate) fn totals(sheet: &Sheet) -> String {
    let counts = sheet.counts;
    let mut parts = Vec::new();
    if counts.import > 0 {
        parts.push(format!("{} to import", counts.import));
    }
    parts.push(format!("{} to add", counts.add));
    parts.push(format!("{} to change", counts.change));
    parts.push(format!("{} to destroy", counts.destroy));
    if counts.forget > 0 {
        parts.push(format!("{} to forget", counts.forget));
    }
    parts.join(", ")
}

fn drifted(sheet: &Sheet, style: Style, out: &mut String) {
    let _ = writeln!(out, "{}\n", style.bold("Note: Objects have changed outside of Stratiform"));
    sheet.drift.iter().for_each(|one| entry(one, style, out));
    if sheet.mode == Purpose::Refresh && !sheet.empty {
        let words = "This is a refresh-only plan: apply records these changes in the state and touches no object.";
        comment(words, "", style, out);
        out.push('\n');
    }
}

fn components(sheet: &Sheet, style: Style, out: &mut String) {
    if !sheet.placements.is_empty() {
        let _ = writeln!(out, "{}\n", style.bold("Placement"));
        for one in &sheet.placements {
            let component = style.bold(&one.component);
            let _ =
                writeln!(out, "  {component} on {} ({}): {}", one.offer, one.backend, one.reason);
        }
        out.push('\n');
    }
    if !sheet.deferred_checks.is_empty() {
        let _ = writeln!(out, "{}\n", style.bold("Checked when the values are known"));
        for check in &sheet.deferred_checks {
            let _ = writeln!(out, "  {check}");
        }
        out.push('\n');
    }
}

fn legend(entries: &[&Entry], style: Style, out: &mut String) {
    let verbs: BTreeSet<Verb> = entries.iter().map(|entry| entry.verb).collect();
    let signed = verbs.into_iter().filter(|verb| verb.sign() != Sign::Same).rev();
    let mut lines: Vec<String> = Vec::new();
    for verb in signed {
        lines.push(format!("{} {}", verb.sign().show(style), verb.meaning()));
    }
    if !lines.is_empty() {
        let _ = writeln!(out, "Actions are shown by these symbols:\n{}\n", lines.join("\n"));
    }
}

/// What is destroyed and replaced, each by name; the rest by module and type.
fn summary(sheet: &Sheet, style: Style, out: &mut String) {
    let _ =
        writeln!(out, "{}\n", style.bold(&format!("Summary of {} changes", sheet.entries.len())));
    let mut by_verb: BTreeMap<Verb, Vec<&Entry>> = BTreeMap::new();
    for entry in &sheet.entries {
        by_verb.entry(entry.verb).or_default().push(entry);
    }
    for (verb, entries) in by_verb {
        let _ = writeln!(out, "{} {} to {}", verb.sign().show(style), entries.len(), verb.word());
        if verb.destroys() && sheet.mode != Purpose::Destroy {
            for entry in entries {
                let causes = causes(entry);
                let causes = if causes.is_empty() { causes } else { format!("  ({causes})") };
                let _ = writeln!(out, "      {}{}", style.bold(&entry.address), style.dim(&causes));
            }
            continue;
        }
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        for entry in entries {
            *groups.entry(without_keys(&entry.address)).or_default() += 1;
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let width = groups.iter().take(GROUPS).map(|(name, _)| name.chars().count()).max();
        for (name, count) in groups.iter().take(GROUPS) {
            let _ = writeln!(out, "      {name:w$}  {count}", w = width.unwrap_or(0));
        }
        if groups.len() > GROUPS {
            let rest: usize = groups[GROUPS..].iter().map(|(_, count)| count).sum();
            let kinds = groups.len() - GROUPS;
            let _ = writeln!(out, "      and {rest} more in {kinds} blocks");
        }
    }
    out.push('\n');
}

/// An address whose keys are stars: the block, for all of its instances.
fn without_keys(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let mut rest = address;
    while let Some((head, tail)) = rest.split_once('[') {
        out.push_str(head);
        out.push_str("[*]");
        let end = if tail.starts_with('"') { end_of_string(tail) } else { tail.find(']') };
        rest = end.map_or("", |at| tail[at..].trim_start_matches(']'));
    }
    out + rest
}

/// Where a string in quotes ends: behind the first quote that no backslash stands before.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at + 1)
    })
}

/// What forces a replacement.
pub(crate) fn causes(entry: &Entry) -> String {
    let forcing = entry.lines.iter().filter(|line| line.note.starts_with("forces replacement"));
    let names: Vec<&str> = forcing
        .filter_map(|line| {
            Some(line.text.split_once(" = ").or(line.text.split_once(" {"))?.0.trim())
        })
        .filter(|name| !name.is_empty())
        .collect();
    let mut parts = entry.reasons.clone();
    if !names.is_empty() {
        parts.push(format!("{} cannot change in place", names.join(", ")));
    }
    parts.join("; ")
}

/// The first line of an entry, without the address.
pub(crate) fn headline(entry: &Entry) -> String {
    match (&entry.verb, &entry.moved_from) {
        (Verb::Move, Some(from)) => format!("has moved here from {from}"),
        (verb, _) => verb.phrase().to_owned(),
    }
}

/// The lines below it.
pub(crate) fn remarks(entry: &Entry) -> Vec<String> {
    let mut remarks: Vec<String> = entry.reasons.iter().map(|one| format!("({one})")).collect();
    if let (Some(from), false) = (&entry.moved_from, entry.verb == Verb::Move) {
        remarks.push(format!("(moved from {from})"));
    }
    remarks
}

fn entry(entry: &Entry, style: Style, out: &mut String) {
    let what = headline(entry);
    let what = if entry.verb.destroys() { style.red(&what) } else { what };
    let _ = writeln!(out, "  # {} {what}", style.bold(&entry.address));
    for remark in remarks(entry) {
        comment(&remark, "  # ", style, out);
    }
    let sign = entry.verb.sign().show(style);
    let Entry { kind, type_name, name, .. } = entry;
    let _ = writeln!(out, "{sign} {kind} \"{type_name}\" \"{name}\" {{");
    entry.lines.iter().for_each(|one| line(one, style, out));
    out.push_str("    }\n\n");
}

fn comment(text: &str, prefix: &str, style: Style, out: &mut String) {
    for part in wrapped(text, style.room(prefix.len())) {
        let _ = writeln!(out, "{}", style.dim(&format!("{prefix}{part}")));
    }
}

pub(crate) fn line(line: &Line, style: Style, out: &mut String) {
    let indent = " ".repeat(line.indent);
    let note = if line.note.is_empty() { String::new() } else { format!("# {}", line.note) };
    let loud = line.note.starts_with("forces replacement");
    let note = if loud { style.red(&note) } else { style.dim(&note) };
    if line.text.is_empty() {
        let _ = writeln!(out, "{}", format!("{indent}{} {note}", line.sign.show(style)).trim_end());
        return;
    }
    let gap = if note.is_empty() { "" } else { " " };
    // A short text needs no look at its width.
    if !style.wrap || line.text.len() + line.indent + 4 <= style.width {
        let _ = writeln!(out, "{indent}{} {}{gap}{note}", line.sign.show(style), line.text);
        return;
    }
    let parts = wrapped(&line.text, style.room(line.indent + 6));
    let last = parts.len() - 1;
    for (at, part) in parts.iter().enumerate() {
        let sign = if at == 0 { line.sign.show(style) } else { "     ".to_owned() };
        let note = if at == last { format!("{gap}{note}") } else { String::new() };
        let _ = writeln!(out, "{indent}{sign} {part}{note}");
    }
}

/// A text in pieces of at most `width` characters, cut after spaces where there are some; at least one piece.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    while rest.len() > width {
        let space = rest[..width].iter().rposition(|c| *c == ' ').map(|at| at + 1);
        let cut = space.filter(|at| *at > width / 2).unwrap_or(width);
        let tail = rest.split_off(cut);
        parts.push(rest.into_iter().collect::<String>().trim_end().to_owned());
        rest = tail;
    }
    parts.push(rest.into_iter().collect());
    parts
}
