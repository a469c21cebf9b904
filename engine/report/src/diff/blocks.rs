//! What a schema calls a nested block, shown as one: a name, a label where it has one, and a body of its own.
//!
//! Blocks stand below the attributes, one kind after the other, an empty line between kinds. Blocks in a list are
//! compared by what leads from one list to the other; those in a set have no place and no name, so that those are
//! compared that are alike; those in a map are compared by their labels.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use sdk::{Block, Nesting};
use similar::DiffTag;
use value::Value;

use super::{Diff, Line, Members, hide, names_of, operations};
use crate::values::{Sign, quote};

/// Where one kind of blocks stands.
struct Kind<'a> {
    name: &'a str,
    block: &'a Block,
    path: &'a AttributePath,
    indent: usize,
}

impl Diff<'_> {
    /// Attributes, then blocks.
    pub(super) fn body(
        &self,
        block: &Block,
        path: &AttributePath,
        (before, after): (&Value, &Value),
        indent: usize,
        out: &mut Vec<Line>,
    ) {
        let mut names = names_of(before, after);
        names.retain(|name| !block.blocks.contains_key(*name));
        let start = out.len();
        self.some_entries(path, (before, after), &names, true, indent, out);
        let null = Value::dynamic_null();
        let mut hidden = 0;
        for (name, nested) in &block.blocks {
            let old = before.get_attr(name).unwrap_or(&null);
            let new = after.get_attr(name).unwrap_or(&null);
            let path = path.child(PathStep::Attribute(Arc::clone(name)));
            let kind = Kind { name, block: &nested.block, path: &path, indent };
            let mut found = Vec::new();
            hidden += self.kind(&kind, nested.nesting, old, new, &mut found);
            if !found.is_empty() {
                part(start, out);
                out.append(&mut found);
            }
        }
        if hidden > 0 {
            part(start, out);
            hide(hidden, "block", indent, out);
        }
    }

    /// All blocks of one kind; how many of them stay.
    fn kind(
        &self,
        kind: &Kind<'_>,
        nesting: Nesting,
        before: &Value,
        after: &Value,
        out: &mut Vec<Line>,
    ) -> usize {
        if is_hidden(before) || is_hidden(after) {
            return self.whole(kind, before, after, out);
        }
        match nesting {
            Nesting::Single | Nesting::Group => self.one(kind, "", kind.path, before, after, out),
            Nesting::List | Nesting::Set => {
                let old = before.items().unwrap_or_default();
                let new = after.items().unwrap_or_default();
                if nesting == Nesting::List {
                    self.sequence(kind, old, new, out)
                } else {
                    self.crowd(kind, old, new, out)
                }
            }
            Nesting::Map => {
                let null = Value::dynamic_null();
                let mut same = 0;
                for label in names_of(before, after) {
                    let path = kind.path.child(PathStep::Key(Arc::clone(label)));
                    let old = before.get_attr(label).unwrap_or(&null);
                    let new = after.get_attr(label).unwrap_or(&null);
                    same += self.one(kind, &format!(" {}", quote(label)), &path, old, new, out);
                }
                same
            }
        }
    }

    /// Blocks that are held in a list; how many of them stay.
    fn sequence(
        &self,
        kind: &Kind<'_>,
        old: &[Value],
        new: &[Value],
        out: &mut Vec<Line>,
    ) -> usize {
        let null = Value::dynamic_null();
        let mut same = 0;
        let at = |index: usize| {
            kind.path.child(PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX)))
        };
        for (tag, from, to) in operations(old, new) {
            if tag == DiffTag::Equal {
                same += from.len();
                continue;
            }
            let pairs = from.len().min(to.len());
            for step in 0..pairs {
                let (a, b) = (from.start + step, to.start + step);
                same += self.one(kind, "", &at(a), &old[a], &new[b], out);
            }
            for (step, gone) in old[from.clone()].iter().enumerate().skip(pairs) {
                self.one(kind, "", &at(from.start + step), gone, &null, out);
            }
            for (step, come) in new[to.clone()].iter().enumerate().skip(pairs) {
                self.one(kind, "", &at(to.start + step), &null, come, out);
            }
        }
        same
    }

    /// Blocks that are held in a set; how many of them stay.
    fn crowd(&self, kind: &Kind<'_>, old: &[Value], new: &[Value], out: &mut Vec<Line>) -> usize {
        let null = Value::dynamic_null();
        let members = Members::of(old, new);
        let mut same = members.same;
        for (before, after) in members.changed {
            same += self.one(kind, "", kind.path, before, after, out);
        }
        for before in members.gone {
            self.one(kind, "", kind.path, before, &null, out);
        }
        for after in members.come {
            self.one(kind, "", kind.path, &null, after, out);
        }
        same
    }

    /// One block; 1 if it stays and nothing is shown.
    fn one(
        &self,
        kind: &Kind<'_>,
        label: &str,
        path: &AttributePath,
        before: &Value,
        after: &Value,
        out: &mut Vec<Line>,
    ) -> usize {
        if before.is_null() && after.is_null() {
            return 0;
        }
        if before == after || (self.quiet && self.is_silent(kind.block, before, after)) {
            return 1;
        }
        if is_hidden(before) || is_hidden(after) {
            return self.whole(kind, before, after, out);
        }
        let sign = match (before.is_null(), after.is_null()) {
            (true, _) => Sign::Add,
            (_, true) => Sign::Remove,
            _ => Sign::Change,
        };
        let note = self.note(path, kind);
        let text = format!("{}{label} {{", kind.name);
        let mut body = Vec::new();
        self.body(kind.block, path, (before, after), kind.indent + 4, &mut body);
        if body.is_empty() {
            out.push(Line { sign, indent: kind.indent, text: format!("{text}}}"), note });
            return 0;
        }
        out.push(Line { sign, indent: kind.indent, text, note });
        out.append(&mut body);
        out.push(Line { indent: kind.indent, text: "}".to_owned(), ..Line::default() });
        0
    }

    /// Blocks that can only be told of together: they are not known yet, or nobody may see them.
    fn whole(&self, kind: &Kind<'_>, before: &Value, after: &Value, out: &mut Vec<Line>) -> usize {
        if before == after {
            return 1;
        }
        let empty =
            |value: &Value| value.is_null() || value.items().is_some_and(<[Value]>::is_empty);
        let secret = before.is_sensitive() || after.is_sensitive();
        let what = if secret { "(sensitive value)" } else { "(known after apply)" };
        let sign = match (
            !before.is_sensitive() && empty(before),
            !after.is_sensitive() && empty(after),
        ) {
            (true, _) => Sign::Add,
            (_, true) => Sign::Remove,
            _ => Sign::Change,
        };
        let text = format!("{} {what}", kind.name);
        out.push(Line { sign, indent: kind.indent, text, note: self.note(kind.path, kind) });
        0
    }

    fn note(&self, path: &AttributePath, kind: &Kind<'_>) -> String {
        let forced = |path: &AttributePath| self.requires_replace.contains(path);
        if forced(path) || forced(kind.path) {
            "forces replacement".to_owned()
        } else {
            String::new()
        }
    }

    /// Whether two blocks differ in nothing but nulls and empty strings.
    fn is_silent(&self, block: &Block, before: &Value, after: &Value) -> bool {
        if before.is_null() || after.is_null() || before.is_sensitive() || after.is_sensitive() {
            return false;
        }
        let mut lines = Vec::new();
        self.body(block, &AttributePath::root(), (before, after), 0, &mut lines);
        lines.iter().all(|line| line.sign == Sign::Same)
    }
}

/// Whether nothing of a value may or can be shown.
fn is_hidden(value: &Value) -> bool {
    value.is_sensitive() || value.is_unknown()
}

/// An empty line between what stands there and what follows.
fn part(start: usize, out: &mut Vec<Line>) {
    if out.len() > start {
        out.push(Line::default());
    }
}
