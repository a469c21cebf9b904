//! A value in the language's notation; the signs that lines of a difference begin with.

use serde::{Deserialize, Serialize};
use value::Value;

use crate::style::Style;

/// How a line of a difference begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sign {
    /// Stays.
    #[default]
    #[serde(rename = "")]
    Same,
    /// Comes.
    #[serde(rename = "+")]
    Add,
    /// Goes.
    #[serde(rename = "-")]
    Remove,
    /// Changes.
    #[serde(rename = "~")]
    Change,
    /// Is replaced.
    #[serde(rename = "-/+")]
    Replace,
    /// Is replaced, the new one first.
    #[serde(rename = "+/-")]
    ReplaceFirst,
    /// Is read.
    #[serde(rename = "<=")]
    Read,
    /// Is dropped from the state and lives on.
    #[serde(rename = ".")]
    Forget,
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
            Self::Forget => format!("  {}", style.red(".")),
        }
    }

    /// Without colours and columns.
    pub fn text(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Add => "+",
            Self::Remove => "-",
            Self::Change => "~",
            Self::Replace => "-/+",
            Self::ReplaceFirst => "+/-",
            Self::Read => "<=",
            Self::Forget => ".",
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
        let written = |name: &str| if shown.is_map() { quote(name) } else { key(name) };
        let width = entries.keys().map(|name| written(name).chars().count()).max().unwrap_or(0);
        let lines = entries.iter().fold(String::new(), |out, (name, item)| {
            out + &format!("{}{:width$} = {}\n", pad(inner), written(name), value(item, inner))
        });
        return format!("{{\n{lines}{}}}", pad(indent));
    }
    value::json::to_string(shown)
}

fn pad(columns: usize) -> String {
    " ".repeat(columns)
}

/// A key of an object or a map; in quotes where it is not a plain word.
pub(crate) fn key(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        && name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if plain { name.to_owned() } else { quote(name) }
}

/// A string; one of several lines as a here-document.
fn string(text: &str, indent: usize) -> String {
    if !text.contains('\n') || text.contains('\r') {
        return quote(text);
    }
    let inner = indent + 4;
    let lines = text
        .trim_end_matches('\n')
        .lines()
        .fold(String::new(), |out, line| out + &pad(inner) + &visible(line) + "\n");
    format!("<<-EOT\n{lines}{}EOT", pad(indent))
}

/// A string in quotes; what would move a cursor or turn the direction of writing is spelled out.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => spell(c, &mut out),
        }
    }
    out.push('"');
    out
}

/// A text as it may be written to a terminal.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\t' { out.push(c) } else { spell(c, &mut out) }
    }
    out
}

/// Escape sequences, separators of lines and marks of direction: a value could disguise itself with them.
fn spell(c: char, out: &mut String) {
    let hidden = c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if hidden {
        out.push_str(&format!("\\u{:04x}", u32::from(c)));
    } else {
        out.push(c);
    }
}
