//! The difference of two values, as lines.
//!
//! In: two values with their marks. Out: [`Line`]s, each with a sign and a depth and free of anything sensitive;
//! whoever shows them chooses colours and widths. [`entries`] and the functions below it walk both values at once;
//! [`write`](mod@write) puts down one value; [`text`] compares strings: JSON by its values, others by lines or
//! words; [`blocks`] shows what a schema calls a nested block as one.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use serde::{Deserialize, Serialize};
use similar::DiffTag;
use value::Value;

use crate::values::{Sign, key, quote};

mod blocks;
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

/// More pairs of elements of sets than this are not looked at for likeness.
const MOST_LIKENESSES: usize = 10_000;

/// The attributes of an object that comes, changes or goes, one per line or more; then how many are hidden. Its
/// nested blocks follow if a schema tells them from attributes.
pub(crate) fn object(
    before: &Value,
    after: &Value,
    indent: usize,
    requires_replace: &[AttributePath],
    schema: Option<&sdk::Block>,
) -> Vec<Line> {
    let Some(block) = schema else {
        let mut out = Vec::new();
        let diff = Diff { requires_replace, quiet: false };
        diff.entries(&AttributePath::root(), before, after, indent, &mut out);
        return out;
    };
    let shown = |quiet: bool| {
        let mut out = Vec::new();
        let root = AttributePath::root();
        Diff { requires_replace, quiet }.body(block, &root, (before, after), indent, &mut out);
        out
    };
    let lines = shown(block.is_of_older_form());
    // Where nothing else differs, that is what has to be shown.
    let silent = lines.iter().all(|line| line.sign == Sign::Same) && before != after;
    if silent { shown(false) } else { lines }
}

/// All that an object holds, with the blocks that a schema tells from attributes.
pub(crate) fn whole(object: &Value, indent: usize, schema: Option<&sdk::Block>) -> Vec<Line> {
    let mut out = Vec::new();
    let blocks = schema.map(|block| &block.blocks);
    let is_block = |name: &str| blocks.is_some_and(|blocks| blocks.contains_key(name));
    let shown: Vec<_> = object
        .entries()
        .into_iter()
        .flatten()
        .filter(|(name, value)| !value.is_null() && !is_block(name))
        .collect();
    let width = shown.iter().map(|(name, _)| key(name).chars().count()).max().unwrap_or(0);
    for (name, value) in shown {
        let label = format!("{:width$} = ", key(name));
        put(At { sign: Sign::Same, indent, label: &label, tail: "", note: "" }, value, &mut out);
    }
    for (name, nested) in blocks.into_iter().flatten() {
        let held = object.get_attr(name).cloned().unwrap_or_else(Value::dynamic_null);
        let one = |label: &str, body: &Value, out: &mut Vec<Line>| {
            let lines = whole(body, indent + 4, Some(&nested.block));
            let text = format!("{name}{label} {{{}", if lines.is_empty() { "}" } else { "" });
            out.push(Line { indent, text, ..Line::default() });
            if !lines.is_empty() {
                out.extend(lines);
                out.push(Line { indent, text: "}".to_owned(), ..Line::default() });
            }
        };
        let mut found = Vec::new();
        if held.is_sensitive() {
            let text = format!("{name} (sensitive value)");
            found.push(Line { indent, text, ..Line::default() });
        } else if let Some(items) = held.items() {
            for item in items {
                one("", item, &mut found);
            }
        } else if nested.nesting == sdk::Nesting::Map {
            for (label, item) in held.entries().into_iter().flatten() {
                one(&format!(" {}", quote(label)), item, &mut found);
            }
        } else if !held.is_null() {
            one("", &held, &mut found);
        }
        if !found.is_empty() && !out.is_empty() {
            out.push(Line::default());
        }
        out.append(&mut found);
    }
    out
}

/// One value that becomes another, under a name.
pub(crate) fn named(name: &str, before: &Value, after: &Value, indent: usize) -> Vec<Line> {
    let mut out = Vec::new();
    let at = At { sign: Sign::Change, indent, label: name, tail: "", note: "" };
    let diff = Diff { requires_replace: &[], quiet: false };
    diff.entry(&AttributePath::root(), at, before, after, &mut out);
    out
}

struct Diff<'a> {
    requires_replace: &'a [AttributePath],
    /// Whether a null that becomes an empty string, or the reverse, is no change: providers of the older kind cannot
    /// tell the two apart.
    quiet: bool,
}

/// Whether of two values one is null and the other an empty string.
fn is_nothing_new(before: &Value, after: &Value) -> bool {
    let blank = |value: &Value| value.as_str() == Some("") && !value.is_sensitive();
    (before.is_null() && blank(after)) || (blank(before) && after.is_null())
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
        let names = names_of(before, after);
        self.some_entries(path, (before, after), &names, path.is_root(), indent, out);
    }

    /// Those of the attributes or elements that have these names. `identity` asks for what names an object, though
    /// it stays.
    fn some_entries(
        &self,
        path: &AttributePath,
        (before, after): (&Value, &Value),
        names: &std::collections::BTreeSet<&Arc<str>>,
        identity: bool,
        indent: usize,
        out: &mut Vec<Line>,
    ) {
        let map = before.is_map() || after.is_map();
        let null = Value::dynamic_null();
        let pairs: Vec<(&Arc<str>, &Value, &Value)> = names
            .iter()
            .map(|name| {
                (
                    *name,
                    before.get_attr(name).unwrap_or(&null),
                    after.get_attr(name).unwrap_or(&null),
                )
            })
            .collect();
        let shown = |(name, before, after): &(&Arc<str>, &Value, &Value)| {
            let nothing = before.is_null() && after.is_null();
            let names = identity && matches!(&***name, "id" | "name" | "tags");
            let silent = self.quiet && is_nothing_new(before, after);
            !nothing && ((before != after && !silent) || names)
        };
        let width = pairs
            .iter()
            .filter(|pair| shown(pair))
            .map(|(name, ..)| entry_key(name, map).chars().count())
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
            let label = format!("{:width$} = ", entry_key(name, map));
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
            if before.is_set() && after.is_set() {
                self.members(path, old, new, at.indent + 4, out);
            } else {
                self.items(path, old, new, at.indent + 4, out);
            }
            return out.push(close(at, "]"));
        }
        match (before.as_str(), after.as_str()) {
            (Some(old), Some(new)) => text::compare(self, at, old, new, out),
            _ => write::becomes(at, before, after, out),
        }
    }

    fn members(
        &self,
        path: &AttributePath,
        old: &[Value],
        new: &[Value],
        indent: usize,
        out: &mut Vec<Line>,
    ) {
        let plain = |sign: Sign| At { sign, indent, label: "", tail: ",", note: "" };
        let members = Members::of(old, new);
        let mut silent = 0;
        for (before, after) in members.changed {
            let start = out.len();
            self.entry(path, plain(Sign::Change), before, after, out);
            if self.quiet && out[start + 1..].iter().all(|line| line.sign == Sign::Same) {
                out.truncate(start);
                silent += 1;
            }
        }
        members.gone.iter().for_each(|item| put(plain(Sign::Remove), item, out));
        members.come.iter().for_each(|item| put(plain(Sign::Add), item, out));
        let same = members.same;
        hide(same + silent, "element", indent, out);
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

fn names_of<'v>(before: &'v Value, after: &'v Value) -> std::collections::BTreeSet<&'v Arc<str>> {
    before.entries().into_iter().chain(after.entries()).flat_map(value::Entries::keys).collect()
}

/// What becomes of the elements of a set, which have neither a place nor a name: objects that share more than half
/// of what they hold count as one that changes, all others go and come.
struct Members<'v> {
    same: usize,
    changed: Vec<(&'v Value, &'v Value)>,
    gone: Vec<&'v Value>,
    come: Vec<&'v Value>,
}

impl<'v> Members<'v> {
    fn of(old: &'v [Value], new: &'v [Value]) -> Self {
        let (mut gone, mut come): (Vec<&Value>, Vec<&Value>) = (Vec::new(), Vec::new());
        for (tag, from, to) in operations(old, new) {
            if tag != DiffTag::Equal {
                gone.extend(&old[from]);
                come.extend(&new[to]);
            }
        }
        let same = old.len() - gone.len();
        let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
        if gone.len().saturating_mul(come.len()) <= MOST_LIKENESSES {
            for (a, before) in gone.iter().enumerate() {
                let alike = come
                    .iter()
                    .enumerate()
                    .filter_map(|(b, after)| likeness(before, after).map(|shared| (shared, a, b)));
                pairs.extend(alike);
            }
        }
        // The most alike first; then in order.
        pairs.sort_by_key(|(shared, a, b)| (std::cmp::Reverse(*shared), *a, *b));
        let mut partner: Vec<Option<usize>> = vec![None; gone.len()];
        let mut taken = vec![false; come.len()];
        for (_, a, b) in pairs {
            if partner[a].is_none() && !taken[b] {
                partner[a] = Some(b);
                taken[b] = true;
            }
        }
        let changed = gone.iter().zip(&partner);
        let changed = changed.filter_map(|(before, b)| b.map(|b| (*before, come[b]))).collect();
        let alone = |(item, paired): (&'v Value, bool)| (!paired).then_some(item);
        let gone = gone.into_iter().zip(partner.iter().map(Option::is_some));
        Self {
            same,
            changed,
            gone: gone.filter_map(alone).collect(),
            come: come.iter().copied().zip(taken).filter_map(alone).collect(),
        }
    }
}

/// Of two objects, how many attributes they share, if more than half of those that either has.
fn likeness(before: &Value, after: &Value) -> Option<usize> {
    let (old, new) = (before.entries()?, after.entries()?);
    let null = Value::dynamic_null();
    let (mut shared, mut all) = (0, 0);
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(name))) {
        let (a, b) = (old.get(name).unwrap_or(&null), new.get(name).unwrap_or(&null));
        let empty = |value: &Value| value.is_null() || is_nothing_new(value, &null);
        if empty(a) && empty(b) {
            continue;
        }
        all += 1;
        shared += usize::from(a == b);
    }
    (shared * 2 > all).then_some(shared)
}

/// The name of an attribute, or the key of an element of a map, which is always in quotes.
fn entry_key(name: &str, map: bool) -> String {
    if map { quote(name) } else { key(name) }
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
