//! A plan as Markdown, for a comment on a pull request.
//!
//! Hosts cut or refuse long comments, so the text keeps to a size and says what it leaves out. Every change is
//! first only counted; then, as far as there is room, listed, and then shown in full: what is destroyed before
//! what is replaced, and both before the rest. So a destroyed object is the last to be left out.
//!
//! What comes from a plan stands in code alone: in `<code>` with its characters escaped, or in a fence that is
//! longer than any row of backticks in it. No value can end either, address a person or fetch a picture.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::diff::Line;
use crate::plan_html::escaped;
use crate::plan_text::{ERRORED, causes, nothing, remarks, totals};
use crate::sheet::{Entry, Purpose, Sheet, Verb};
use crate::values::Sign;

/// The most that GitHub takes for a comment. Its characters are counted here as bytes, so that they surely fit.
pub const GITHUB_LIMIT: usize = 65_536;

/// Room for headings, counts and the words about what was left out.
const RESERVED: usize = 4_000;

/// How much of one part of a plan is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Counted,
    Listed,
    Full,
}

/// The comment, in at most `limit` bytes.
pub fn comment(sheet: &Sheet, limit: usize) -> String {
    let what = match sheet.mode {
        Purpose::Apply => "Plan",
        Purpose::Destroy => "Plan to destroy",
        Purpose::Refresh => "Plan to record what is real",
        Purpose::Undo => "Plan to lead back",
    };
    if sheet.empty {
        let words = if sheet.errored { ERRORED } else { nothing(sheet.mode) };
        return format!("### {what}\n\n{words}\n");
    }
    let mut out = format!("### {what}: {}\n\n", totals(sheet));
    if sheet.errored {
        let _ = writeln!(out, "**{ERRORED}**\n");
    }
    warning(sheet, &mut out);
    let sections = sections(sheet);
    let mut left = limit.saturating_sub(out.len() + RESERVED);
    for section in &sections {
        if section.len() <= left {
            left -= section.len();
            out.push_str(section);
        }
    }
    let mut parts = parts(sheet);
    promote(&mut parts, &mut left);
    write(&parts, &mut out);
    out
}

fn warning(sheet: &Sheet, out: &mut String) {
    let count =
        |wanted: fn(Verb) -> bool| sheet.entries.iter().filter(|one| wanted(one.verb)).count();
    let destroyed = count(|verb| verb == Verb::Destroy);
    let replaced = count(|verb| verb.destroys() && verb != Verb::Destroy);
    let objects =
        |count: usize| if count == 1 { "object".to_owned() } else { "objects".to_owned() };
    let mut lost = Vec::new();
    if destroyed > 0 {
        lost.push(format!("{destroyed} {} will be destroyed", objects(destroyed)));
    }
    if replaced > 0 {
        lost.push(format!("{replaced} {} will be replaced", objects(replaced)));
    }
    if !lost.is_empty() {
        let _ = writeln!(out, "> [!WARNING]\n> {}.\n", lost.join(", "));
    }
}

/// What is not a change: placements, checks, what others have added.
fn sections(sheet: &Sheet) -> Vec<String> {
    let list = |title: &str, lines: Vec<String>| {
        let lines: String = lines.iter().map(|line| format!("- {}\n", code(line))).collect();
        format!("**{title}**\n\n{lines}\n")
    };
    let mut out = Vec::new();
    for section in &sheet.sections {
        out.push(list(&escaped(&section.title), section.lines.clone()));
    }
    if !sheet.placements.is_empty() {
        let lines = sheet.placements.iter();
        let line = |one: &crate::sheet::Placement| {
            format!("{} on {} ({}): {}", one.component, one.offer, one.backend, one.reason)
        };
        out.push(list("Placement", lines.map(line).collect()));
    }
    if !sheet.deferred_checks.is_empty() {
        out.push(list("Checked when the values are known", sheet.deferred_checks.clone()));
    }
    out
}

/// One change, outputs or drift: short and in full.
struct Part {
    group: Group,
    brief: String,
    full: String,
    depth: Depth,
}

/// The order in which parts are shown, and in which they get their room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Verb(Verb),
    Outputs,
    Drift,
}

impl Group {
    fn title(self) -> String {
        match self {
            Self::Verb(Verb::Destroy) => "Destroyed".to_owned(),
            Self::Verb(Verb::Replace) => "Replaced: destroyed, then created".to_owned(),
            Self::Verb(Verb::ReplaceNewFirst) => "Replaced: created, then destroyed".to_owned(),
            Self::Verb(Verb::Forget) => "Forgotten, not destroyed".to_owned(),
            Self::Verb(Verb::Update) => "Updated in place".to_owned(),
            Self::Verb(Verb::Create) => "Created".to_owned(),
            Self::Verb(Verb::Import) => "Imported".to_owned(),
            Self::Verb(Verb::Move) => "Moved".to_owned(),
            Self::Verb(Verb::Read) => "Read during apply".to_owned(),
            Self::Verb(Verb::Drifted | Verb::Gone) | Self::Drift => {
                "Changed outside of Stratiform".to_owned()
            }
            Self::Outputs => "Outputs".to_owned(),
        }
    }
}

fn parts(sheet: &Sheet) -> Vec<Part> {
    let of = |group: Group, entry: &Entry| {
        let causes = causes(entry);
        let why = if causes.is_empty() { String::new() } else { format!(" – {}", code(&causes)) };
        let from = match &entry.moved_from {
            Some(from) => format!(" – from {}", code(from)),
            None => String::new(),
        };
        let brief = format!("- {}{why}{from}\n", code(&entry.address));
        let remarks: String = remarks(entry).iter().map(|one| format!("# {one}\n")).collect();
        let head = format!("{} {}", code(&entry.address), entry.verb.phrase());
        let full = details(&head, &(remarks + &fenced_lines(&entry.lines)));
        Part { group, brief, full, depth: Depth::Counted }
    };
    let mut parts: Vec<Part> =
        sheet.entries.iter().map(|entry| of(Group::Verb(entry.verb), entry)).collect();
    if !sheet.outputs.is_empty() {
        let plural = if sheet.changed_outputs == 1 { "" } else { "s" };
        let head = format!("{} output{plural}", sheet.changed_outputs);
        let full = details(&head, &fenced_lines(&sheet.outputs));
        let brief = format!("- {head}\n");
        parts.push(Part { group: Group::Outputs, brief, full, depth: Depth::Counted });
    }
    parts.extend(sheet.drift.iter().map(|entry| of(Group::Drift, entry)));
    // Stable: within a group the order of addresses stays.
    parts.sort_by_key(|part| part.group);
    parts
}

/// Gives room to the most important first: what is lost is listed, then shown in full, before the rest is listed;
/// and the rest is not listed to the last object where some of it could be shown.
fn promote(parts: &mut [Part], left: &mut usize) {
    let lost = |group: Group| matches!(group, Group::Verb(verb) if verb.destroys());
    promote_to(Depth::Listed, parts, left, lost);
    promote_to(Depth::Full, parts, left, lost);
    let mut half = *left / 2;
    *left -= half;
    promote_to(Depth::Listed, parts, &mut half, |group| !lost(group));
    *left += half;
    promote_to(Depth::Full, parts, left, |group| !lost(group));
}

fn promote_to(depth: Depth, parts: &mut [Part], left: &mut usize, of: impl Fn(Group) -> bool) {
    for part in parts.iter_mut().filter(|part| of(part.group) && depth > part.depth) {
        let more = match (depth, part.depth) {
            (Depth::Full, Depth::Listed) => part.full.len().saturating_sub(part.brief.len()),
            (Depth::Full, _) => continue,
            _ => part.brief.len(),
        };
        if more <= *left {
            *left -= more;
            part.depth = depth;
        }
    }
}

fn write(parts: &[Part], out: &mut String) {
    let mut groups: BTreeMap<Group, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        groups.entry(part.group).or_default().push(part);
    }
    let (mut listed, mut counted) = (0, 0);
    for (group, parts) in groups {
        let _ = writeln!(out, "**{}** ({})\n", group.title(), parts.len());
        let of = |depth: Depth| parts.iter().filter(move |part| part.depth == depth);
        of(Depth::Full).for_each(|part| out.push_str(&part.full));
        if of(Depth::Full).next().is_some() {
            out.push('\n');
        }
        of(Depth::Listed).for_each(|part| out.push_str(&part.brief));
        let rest = of(Depth::Counted).count();
        if rest > 0 {
            let _ = writeln!(out, "- and {rest} more that are not listed here");
        }
        listed += of(Depth::Listed).count();
        counted += rest;
        out.push('\n');
    }
    if listed + counted > 0 {
        let _ = writeln!(
            out,
            "Left out, so that this comment fits: details of {}, {counted} of them not even listed. \
             `stratiform show PLANFILE` prints the whole plan.",
            if listed + counted == 1 {
                "1 part".to_owned()
            } else {
                format!("{} parts", listed + counted)
            }
        );
    }
}

fn details(head: &str, text: &str) -> String {
    let fence = fence(text);
    format!("<details><summary>{head}</summary>\n\n{fence}diff\n{text}{fence}\n\n</details>\n")
}

/// Backticks that no text inside can be taken for.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Lines with their signs in the first column, where a difference's colours hang on them.
fn fenced_lines(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        let sign = match line.sign {
            Sign::Add => "+",
            Sign::Remove => "-",
            Sign::Change => "!",
            _ => " ",
        };
        let note = if line.note.is_empty() { String::new() } else { format!("# {}", line.note) };
        let gap = if line.text.is_empty() || note.is_empty() { "" } else { " " };
        let indent = " ".repeat(line.indent.saturating_sub(2).max(1));
        let whole = format!("{sign}{indent}{}{gap}{note}", line.text);
        out.push_str(whole.trim_end());
        out.push('\n');
    }
    out
}

/// Foreign text on one line. Markdown is not looked for within an element of HTML that begins in its line, save
/// in what could begin some: those characters are written by number.
fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in crate::values::visible(text).chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | '-' | '/' | ',' => out.push(c),
            c if !c.is_ascii() => out.push(c),
            c => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
        }
    }
    out + "</code>"
}
