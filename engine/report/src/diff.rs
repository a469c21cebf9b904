//! The difference of two values, as lines.
//!
//! In: two values with their marks. Out: [`Line`]s, each with a sign and a depth and free of anything sensitive;
//! whoever shows them chooses colours and widths. [`entries`] and the functions below it walk both values at once;
//! [`write`](mod@write) puts down one value; [`text`] compares strings: JSON by its values, others by lines or
//! words.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use serde::{Deserialize, Serialize};
use similar::DiffTag;
use value::Value;

use crate::values::{Sign, key};

mod text;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use write::{brief, put};

/// One line of a difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What happens to what stands on it.
    #[serde(rename = "s", default, skip_serializing_if = "is_same")]
    pub sign: Sign,
    /// Columns before the sign.
    #[serde(rename = "i", default)]
    pub indent: usize,
    /// The line itself.
    #[serde(rename = "t")]
    pub text: String,
    /// A remark after it, without the `#`.
    #[serde(rename = "n", default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_same(sign: &Sign) -> bool {
    *sign == Sign::Same
}

/// Where lines go, and how deep they stand.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) sign: Sign,
    pub(crate) indent: usize,
    /// What stands before the value: `name = `, or nothing.
    pub(crate) label: &'a str,
    /// What stands after it: a comma, or nothing.
    pub(crate) tail: &'a str,
    pub(crate) note: &'a str,
}

impl At<'_> {
    fn line(self, text: &str) -> Line {
        let text = format!("{}{text}", self.label);
        Line { sign: self.sign, indent: self.indent, text, note: self.note.to_owned() }
    }
}

/// More pairs than this are not compared one by one: what has been put aside for reading is worth more than a
/// shortest difference of two large texts.
const MOST_PAIRS: usize = 4_000_000;

/// The attributes of an object that comes, changes or goes, one per line or more; then how many are hidden.
pub(crate) fn object(
    before: &Value,
    after: &Value,
    indent: usize,
    requires_replace: &[AttributePath],
) -> Vec<Line> {
    let mut out = Vec::new();
    let diff = Diff { requires_replace };
    diff.entries(&AttributePath::root(), before, after, indent, &mut out);
    out
}

/// One value that becomes another, under a name.
pub(crate) fn named(name: &str, before: &Value, after: &Value, indent: usize) -> Vec<Line> {
    let mut out = Vec::new();
    let at = At { sign: Sign::Change, indent, label: name, tail: "", note: "" };
    Diff { requires_replace: &[] }.entry(&AttributePath::root(), at, before, after, &mut out);
    out
}

struct Diff<'a> {
    requires_replace: &'a [AttributePath],
}

impl Diff<'_> {
    fn entries(
        &self,
        path: &AttributePath,
        before: &Value,
        after: &Value,
        indent: usize,
        out: &mut Vec<Line>,
    ) {
        let map = before.is_map() || after.is_map();
        let names: std::collections::BTreeSet<&Arc<str>> = before
            .entries()
            .into_iter()
            .chain(after.entries())
            .flat_map(value::Entries::keys)
            .collect();
        let null = Value::dynamic_null();
        let pairs: Vec<(&Arc<str>, &Value, &Value)> = names
            .into_iter()
            .map(|name| {
                (
                    name,
                    before.get_attr(name).unwrap_or(&null),
                    after.get_attr(name).unwrap_or(&null),
                )
            })
            .collect();
        let shown = |(name, before, after): &(&Arc<str>, &Value, &Value)| {
            let nothing = before.is_null() && after.is_null();
            let identity = path.is_root() && matches!(&***name, "id" | "name");
            !nothing && (before != after || identity)
        };
        let width = pairs
            .iter()
            .filter(|pair| shown(pair))
            .map(|(name, ..)| key(name).chars().count())
            .max()
            .unwrap_or(0);
        let mut hidden = 0;
        for pair in &pairs {
            let (name, before, after) = *pair;
            if !shown(pair) {
                hidden += usize::from(!before.is_null() || !after.is_null());
                continue;
            }
            let step = if map {
                PathStep::Key(Arc::clone(name))
            } else {
                PathStep::Attribute(Arc::clone(name))
            };
            let label = format!("{:width$} = ", key(name));
            let at = At { sign: Sign::Change, indent, label: &label, tail: "", note: "" };
            self.entry(&path.child(step), at, before, after, out);
        }
        let what = if map { "element" } else { "attribute" };
        hide(hidden, what, indent, out);
    }

    fn entry(
        &self,
        path: &AttributePath,
        at: At<'_>,
        before: &Value,
        after: &Value,
        out: &mut Vec<Line>,
    ) {
        let forced = self.requires_replace.contains(path);
        let at = At { note: if forced { "forces replacement" } else { at.note }, ..at };
        let sign = |sign: Sign| At { sign, ..at };
        if before == after {
            return put(sign(Sign::Same), after, out);
        }
        if before.is_null() && !after.is_sensitive() {
            return put(sign(Sign::Add), after, out);
        }
        if after.is_null() && !before.is_sensitive() {
            let tail = format!(" -> null{}", at.tail);
            return put(At { sign: Sign::Remove, tail: &tail, ..at }, before, out);
        }
        if before.is_sensitive() || after.is_sensitive() {
            return out.push(secret(at, before, after));
        }
        if after.is_unknown() {
            let line = format!("{} -> (known after apply){}", write::brief(before), at.tail);
            return out.push(at.line(&line));
        }
        if before.entries().is_some() && after.entries().is_some() {
            out.push(at.line("{"));
            self.entries(path, before, after, at.indent + 4, out);
            return out.push(close(at, "}"));
        }
        if let (Some(old), Some(new)) = (before.items(), after.items()) {
            out.push(at.line("["));
            self.items(path, old, new, at.indent + 4, out);
            return out.push(close(at, "]"));
        }
        match (before.as_str(), after.as_str()) {
            (Some(old), Some(new)) => text::compare(self, at, old, new, out),
            _ => write::becomes(at, before, after, out),
        }
    }

    fn items(
        &self,
        path: &AttributePath,
        old: &[Value],
        new: &[Value],
        indent: usize,
        out: &mut Vec<Line>,
    ) {
        let plain = |sign: Sign| At { sign, indent, label: "", tail: ",", note: "" };
        let ops = operations(old, new);
        let last = ops.len().saturating_sub(1);
        for (place, (tag, a, b)) in ops.into_iter().enumerate() {
            if tag == DiffTag::Equal {
                let before = usize::from(place > 0);
                let behind = usize::from(place < last);
                kept(&old[a], before, behind, plain(Sign::Same), out);
                continue;
            }
            let pairs = if tag == DiffTag::Replace { a.len().min(b.len()) } else { 0 };
            for step in 0..pairs {
                let index = PathStep::Index(i64::try_from(a.start + step).unwrap_or(i64::MAX));
                let (from, to) = (&old[a.start + step], &new[b.start + step]);
                self.entry(&path.child(index), plain(Sign::Change), from, to, out);
            }
            old[a.start + pairs..a.end].iter().for_each(|item| put(plain(Sign::Remove), item, out));
            new[b.start + pairs..b.end].iter().for_each(|item| put(plain(Sign::Add), item, out));
        }
    }
}

/// Elements that stay: those beside a change are shown, the others counted.
fn kept(items: &[Value], before: usize, behind: usize, at: At<'_>, out: &mut Vec<Line>) {
    if items.len() <= before + behind {
        return items.iter().for_each(|item| put(at, item, out));
    }
    items[..before].iter().for_each(|item| put(at, item, out));
    hide(items.len() - before - behind, "element", at.indent, out);
    items[items.len() - behind..].iter().for_each(|item| put(at, item, out));
}

/// What leads from one list to the other.
fn operations(
    old: &[Value],
    new: &[Value],
) -> Vec<(DiffTag, std::ops::Range<usize>, std::ops::Range<usize>)> {
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return vec![(DiffTag::Replace, 0..old.len(), 0..new.len())];
    }
    let ops = similar::capture_diff_slices(similar::Algorithm::Myers, old, new);
    let mut out: Vec<(DiffTag, std::ops::Range<usize>, std::ops::Range<usize>)> = Vec::new();
    for op in ops {
        let (tag, a, b) = op.as_tag_tuple();
        // What goes and what comes at one place is one change, in whichever order it was found.
        match out.last_mut() {
            Some((before, x, y)) if tag != DiffTag::Equal && *before != DiffTag::Equal => {
                *before = DiffTag::Replace;
                x.end = a.end.max(x.end);
                y.end = b.end.max(y.end);
            }
            _ => out.push((tag, a, b)),
        }
    }
    out
}

/// A value that is sensitive on one side is shown on neither.
fn secret(at: At<'_>, before: &Value, after: &Value) -> Line {
    let (sign, text, turns) = match (before.is_sensitive(), after.is_sensitive()) {
        _ if before.is_null() => (Sign::Add, "(sensitive value)", ""),
        _ if after.is_null() => (Sign::Remove, "(sensitive value) -> null", ""),
        (false, true) => (Sign::Change, "(sensitive value)", "becomes sensitive"),
        (true, false) => (Sign::Change, "(sensitive value)", "is no longer sensitive"),
        _ => (Sign::Change, "(sensitive value)", ""),
    };
    let notes = [at.note, turns];
    let notes: Vec<&str> = notes.into_iter().filter(|note| !note.is_empty()).collect();
    let note = notes.join(", ");
    At { sign, note: &note, ..at }.line(&format!("{text}{}", at.tail))
}

fn close(at: At<'_>, bracket: &str) -> Line {
    let text = format!("{bracket}{}", at.tail);
    Line { sign: Sign::Same, indent: at.indent, text, note: String::new() }
}

fn hide(count: usize, what: &str, indent: usize, out: &mut Vec<Line>) {
    if count > 0 {
        let plural = if count == 1 { "" } else { "s" };
        let note = format!("({count} unchanged {what}{plural} hidden)");
        out.push(Line { indent, note, ..Line::default() });
    }
}
