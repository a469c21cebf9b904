//! A value, and the difference of two, in the language's notation.

use std::fmt::Write as _;
use std::sync::Arc;

use address::{AttributePath, PathStep};
use similar::{ChangeTag, TextDiff};
use value::Value;

use crate::style::Style;

/// How a line of a difference begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Stays.
    Same,
    /// Comes.
    Add,
    /// Goes.
    Remove,
    /// Changes.
    Change,
    /// Is replaced.
    Replace,
    /// Is replaced, the new one first.
    ReplaceFirst,
    /// Is read.
    Read,
}

impl Sign {
    /// Three columns.
    pub fn show(self, style: Style) -> String {
        match self {
            Self::Same => "   ".to_owned(),
            Self::Add => format!("  {}", style.green("+")),
            Self::Remove => format!("  {}", style.red("-")),
            Self::Change => format!("  {}", style.yellow("~")),
            Self::Replace => format!("{}{}{}", style.red("-"), "/", style.green("+")),
            Self::ReplaceFirst => format!("{}{}{}", style.green("+"), "/", style.red("-")),
            Self::Read => format!(" {}", style.dim("<=")),
        }
    }
}

/// A value on as many lines as it needs; inner lines are indented by `indent` columns.
pub fn value(shown: &Value, indent: usize) -> String {
    if shown.is_sensitive() {
        return "(sensitive value)".to_owned();
    }
    if shown.is_unknown() {
        return "(known after apply)".to_owned();
    }
    if shown.is_null() {
        return "null".to_owned();
    }
    if let Some(text) = shown.as_str() {
        return string(text, indent);
    }
    if let Some(items) = shown.items() {
        if items.is_empty() {
            return "[]".to_owned();
        }
        let inner = indent + 4;
        let lines: String = items.iter().fold(String::new(), |out, item| {
            out + &format!("{}{},\n", pad(inner), value(item, inner))
        });
        return format!("[\n{lines}{}]", pad(indent));
    }
    if let Some(entries) = shown.entries() {
        if entries.is_empty() {
            return "{}".to_owned();
        }
        let inner = indent + 4;
        let map = shown.is_map();
        let width = entries.keys().map(|name| key(name, map).chars().count()).max().unwrap_or(0);
        let lines = entries.iter().fold(String::new(), |out, (name, item)| {
            out + &format!("{}{:width$} = {}\n", pad(inner), key(name, map), value(item, inner))
        });
        return format!("{{\n{lines}{}}}", pad(indent));
    }
    value::json::to_string(shown)
}

fn pad(columns: usize) -> String {
    " ".repeat(columns)
}

fn key(name: &str, map: bool) -> String {
    let plain = !map && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if plain { name.to_owned() } else { value::json::to_string(&Value::from(name)) }
}

/// A string; one of several lines as a here-document.
fn string(text: &str, indent: usize) -> String {
    if !text.contains('\n') || text.contains('\r') {
        return value::json::to_string(&Value::from(text));
    }
    let inner = indent + 4;
    let lines = text
        .trim_end_matches('\n')
        .lines()
        .fold(String::new(), |out, line| out + &pad(inner) + line + "\n");
    format!("<<-EOT\n{lines}{}EOT", pad(indent))
}

/// What one object's lines are made from.
pub struct Diff<'a> {
    /// Colours.
    pub style: Style,
    /// Attributes that make a replacement necessary.
    pub requires_replace: &'a [AttributePath],
    /// Whether unchanged attributes are shown.
    pub show_unchanged: bool,
}

impl Diff<'_> {
    /// The attributes of an object that comes, changes or goes, one per line or more; then how many are hidden.
    pub fn object(&self, before: &Value, after: &Value, indent: usize) -> String {
        let mut out = String::new();
        self.entries(&AttributePath::root(), before, after, indent, &mut out);
        out
    }

    fn entries(
        &self,
        path: &AttributePath,
        before: &Value,
        after: &Value,
        indent: usize,
        out: &mut String,
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
            !nothing && (self.show_unchanged || before != after || identity)
        };
        let width = pairs
            .iter()
            .filter(|pair| shown(pair))
            .map(|(name, ..)| key(name, map).chars().count())
            .max();
        let width = width.unwrap_or(0);
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
            let path = path.child(step);
            let label = format!("{:width$} = ", key(name, map));
            self.entry(&path, &label, before, after, indent, out);
        }
        if hidden > 0 {
            let plural = if hidden == 1 { "" } else { "s" };
            let what = if map { "element" } else { "attribute" };
            let line = self.style.dim(&format!("# ({hidden} unchanged {what}{plural} hidden)"));
            let _ = writeln!(out, "{}    {line}", pad(indent));
        }
    }

    fn entry(
        &self,
        path: &AttributePath,
        label: &str,
        before: &Value,
        after: &Value,
        indent: usize,
        out: &mut String,
    ) {
        let line = |sign: Sign, text: &str, out: &mut String| {
            let _ = writeln!(out, "{}{} {label}{text}", pad(indent), sign.show(self.style));
        };
        let inner = indent + 4;
        let forces = if self.requires_replace.contains(path) {
            format!(" {}", self.style.red("# forces replacement"))
        } else {
            String::new()
        };
        if before == after {
            return line(Sign::Same, &value(after, inner), out);
        }
        if before.is_null() {
            return line(Sign::Add, &(value(after, inner) + &forces), out);
        }
        if after.is_null() {
            return line(Sign::Remove, &format!("{} -> null{forces}", value(before, inner)), out);
        }
        let opaque = before.is_sensitive() || after.is_sensitive() || after.is_unknown();
        if before.is_sensitive() && after.is_sensitive() {
            return line(Sign::Change, &format!("(sensitive value){forces}"), out);
        }
        if !opaque && before.entries().is_some() && after.entries().is_some() {
            line(Sign::Change, &format!("{{{forces}"), out);
            self.entries(path, before, after, inner, out);
            let _ = writeln!(out, "{}    }}", pad(indent));
            return;
        }
        if !opaque && before.items().is_some() && after.items().is_some() {
            line(Sign::Change, &format!("[{forces}"), out);
            self.items(before, after, inner, out);
            let _ = writeln!(out, "{}    ]", pad(indent));
            return;
        }
        match (before.as_str(), after.as_str()) {
            (Some(old), Some(new)) if !opaque && old.contains('\n') && new.contains('\n') => {
                line(Sign::Change, &format!("<<-EOT{forces}"), out);
                self.lines(old, new, inner, out);
                let _ = writeln!(out, "{}    EOT", pad(indent));
            }
            _ => line(
                Sign::Change,
                &format!("{} -> {}{forces}", value(before, inner), value(after, inner)),
                out,
            ),
        }
    }

    fn items(&self, before: &Value, after: &Value, indent: usize, out: &mut String) {
        let (old, new) = (before.items().unwrap_or_default(), after.items().unwrap_or_default());
        let mut hidden = 0;
        for op in similar::capture_diff_slices(similar::Algorithm::Myers, old, new) {
            let (tag, a, b) = op.as_tag_tuple();
            if tag == similar::DiffTag::Equal && !self.show_unchanged {
                hidden += a.len();
                continue;
            }
            let mut show = |sign: Sign, items: &[Value]| {
                for item in items {
                    let _ = writeln!(
                        out,
                        "{}{} {},",
                        pad(indent),
                        sign.show(self.style),
                        value(item, indent + 4)
                    );
                }
            };
            if tag == similar::DiffTag::Equal {
                show(Sign::Same, &old[a]);
                continue;
            }
            show(Sign::Remove, &old[a]);
            show(Sign::Add, &new[b]);
        }
        if hidden > 0 {
            let plural = if hidden == 1 { "" } else { "s" };
            let line = self.style.dim(&format!("# ({hidden} unchanged element{plural} hidden)"));
            let _ = writeln!(out, "{}    {line}", pad(indent));
        }
    }

    fn lines(&self, old: &str, new: &str, indent: usize, out: &mut String) {
        for change in TextDiff::from_lines(old, new).iter_all_changes() {
            let sign = match change.tag() {
                ChangeTag::Equal => Sign::Same,
                ChangeTag::Insert => Sign::Add,
                ChangeTag::Delete => Sign::Remove,
            };
            let text = change.value().trim_end_matches('\n');
            let _ = writeln!(out, "{}{} {text}", pad(indent), sign.show(self.style));
        }
    }
}
