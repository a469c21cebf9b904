//! Two strings: JSON by its values, several lines by lines, a long line by the words that differ.

use similar::{Algorithm, ChangeTag, DiffTag, TextDiff};
use value::Value;

use super::write::{becomes, json};
use super::{At, Diff, Line, MOST_PAIRS, close};
use crate::values::{Sign, quote, visible};

/// Lines of a text that are shown around a change.
const CONTEXT: usize = 3;

/// A line that is shorter than this is shown before and after.
const LONG: usize = 72;

/// Characters that are shown around a change in a long line.
const AROUND: usize = 16;

pub(super) fn compare(diff: &Diff<'_>, at: At<'_>, old: &str, new: &str, out: &mut Vec<Line>) {
    if let (Some(before), Some(after)) = (json(old), json(new)) {
        if before == after {
            return out.push(at.line(&format!("(JSON whose layout alone changes){}", at.tail)));
        }
        out.push(at.line("jsonencode("));
        let inner = At { indent: at.indent + 4, label: "", tail: "", note: "", ..at };
        diff.entry(&address::AttributePath::root(), inner, &before, &after, out);
        return out.push(close(at, ")"));
    }
    let lines = |text: &str| text.contains('\n') && !text.contains('\r');
    if lines(old) && lines(new) {
        out.push(at.line("<<-EOT"));
        by_lines(old, new, at.indent + 4, out);
        return out.push(close(at, "EOT"));
    }
    if old.len() > LONG && new.len() > LONG && !lines(old) && !lines(new) {
        let found = by_words(old, new, at.indent + 4);
        if !found.is_empty() {
            out.push(at.line(&format!("(long text, {})", places(found.len() / 2))));
            return out.extend(found);
        }
    }
    becomes(at, &Value::from(old), &Value::from(new), out);
}

fn places(count: usize) -> String {
    if count == 1 { "1 place differs".to_owned() } else { format!("{count} places differ") }
}

fn by_lines(old: &str, new: &str, indent: usize, out: &mut Vec<Line>) {
    let line = |sign: Sign, text: &str| {
        let note = match sign {
            Sign::Add | Sign::Remove if !text.ends_with('\n') => "no line feed at the end",
            _ => "",
        };
        let text = visible(text.trim_end_matches('\n'));
        Line { sign, indent, text, note: note.to_owned() }
    };
    let hidden = |count: usize| Line {
        indent,
        note: format!("({count} unchanged lines hidden)"),
        ..Line::default()
    };
    let count = |text: &str| text.matches('\n').count() + 1;
    if count(old).saturating_mul(count(new)) > MOST_PAIRS {
        out.push(hidden_as_whole(indent, count(old), count(new)));
        return;
    }
    let diff = TextDiff::from_lines(old, new);
    let kept: Vec<&str> = old.split_inclusive('\n').collect();
    let mut shown = 0;
    // To say that one line is hidden takes as much room as the line.
    let skip = |from: usize, to: usize, out: &mut Vec<Line>| match to.saturating_sub(from) {
        0 => {}
        1 => out.push(line(Sign::Same, kept[from])),
        count => out.push(hidden(count)),
    };
    for group in diff.grouped_ops(CONTEXT) {
        let start = group.first().map_or(0, |op| op.old_range().start);
        skip(shown, start, out);
        for op in &group {
            for change in diff.iter_changes(op) {
                out.push(match change.tag() {
                    ChangeTag::Equal => line(Sign::Same, change.value()),
                    ChangeTag::Insert => line(Sign::Add, change.value()),
                    ChangeTag::Delete => line(Sign::Remove, change.value()),
                });
            }
        }
        shown = group.last().map_or(shown, |op| op.old_range().end);
    }
    skip(shown, kept.len(), out);
}

fn hidden_as_whole(indent: usize, old: usize, new: usize) -> Line {
    let note = format!("({old} lines become {new}; too many to compare)");
    Line { indent, note, ..Line::default() }
}

/// Pairs of what goes and what comes, with some text around; none if little is the same.
fn by_words(old: &str, new: &str, indent: usize) -> Vec<Line> {
    let (gone, come) = (words(old), words(new));
    if gone.len().saturating_mul(come.len()) > MOST_PAIRS {
        return Vec::new();
    }
    let ops = similar::capture_diff_slices(Algorithm::Myers, &gone, &come);
    let same: usize = ops
        .iter()
        .filter(|op| op.tag() == DiffTag::Equal)
        .map(|op| gone[op.old_range()].iter().map(|word| word.len()).sum::<usize>())
        .sum();
    if same * 2 < old.len().max(new.len()) {
        return Vec::new();
    }
    let mut spans: Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> = Vec::new();
    for op in ops.iter().filter(|op| op.tag() != DiffTag::Equal) {
        let from = bytes(&gone, op.old_range());
        let to = bytes(&come, op.new_range());
        match spans.last_mut() {
            // Places that are so near that their surroundings meet are one place.
            Some((old, new)) if from.start <= old.end + 2 * AROUND => {
                old.end = from.end;
                new.end = to.end;
            }
            _ => spans.push((from, to)),
        }
    }
    let line = |sign: Sign, text: &str, at: std::ops::Range<usize>| Line {
        sign,
        indent,
        text: excerpt(text, at),
        note: String::new(),
    };
    spans
        .into_iter()
        .flat_map(|(from, to)| [line(Sign::Remove, old, from), line(Sign::Add, new, to)])
        .collect()
}

/// Words, and each character that is no part of one.
fn words(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        if !c.is_alphanumeric() {
            if start < at {
                out.push(&text[start..at]);
            }
            start = at + c.len_utf8();
            out.push(&text[at..start]);
        }
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

fn bytes(words: &[&str], range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = words[..range.start].iter().map(|word| word.len()).sum();
    let length: usize = words[range].iter().map(|word| word.len()).sum();
    start..start + length
}

fn excerpt(text: &str, at: std::ops::Range<usize>) -> String {
    let floor = |mut to: usize| {
        while !text.is_char_boundary(to) {
            to -= 1;
        }
        to
    };
    let start = floor(at.start.saturating_sub(AROUND));
    let end = floor((at.end + AROUND).min(text.len())).max(at.end);
    let quoted = quote(&text[start..end]);
    let inner = &quoted[1..quoted.len() - 1];
    let (head, tail) = (if start > 0 { "…" } else { "" }, if end < text.len() { "…" } else { "" });
    format!("\"{head}{inner}{tail}\"")
}
