//! A plan as one HTML page that needs nothing else: no server, no network, no file beside it.
//!
//! The page carries the [`Sheet`] as JSON; its script puts every word of it into the page as text. The page's own
//! policy lets no other script or style run than the two that are written here, whatever a value holds.

use base64::Engine as _;
use sha2::{Digest, Sha256};

use crate::plan_text::{ERRORED, nothing, totals};
use crate::sheet::{Purpose, Sheet};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// What stands above a plan.
pub struct Heading<'a> {
    /// What the plan is of, such as the name of its file.
    pub title: &'a str,
    /// When it was made, as RFC 3339.
    pub made_at: &'a str,
}

/// The page.
pub fn page(sheet: &Sheet, heading: &Heading<'_>) -> String {
    let verdict = match (sheet.errored, sheet.empty) {
        (true, true) => ERRORED.to_owned(),
        (true, false) => format!("Plan: {}. {ERRORED}", totals(sheet)),
        (false, true) => nothing(sheet.mode).to_owned(),
        (false, false) => format!("Plan: {}.", totals(sheet)),
    };
    let what = match sheet.mode {
        Purpose::Apply => "Plan",
        Purpose::Destroy => "Plan to destroy",
        Purpose::Refresh => "Plan to record what is real",
        Purpose::Undo => "Plan to lead back",
    };
    let sub = if heading.made_at.is_empty() {
        heading.title.to_owned()
    } else {
        format!("{}, made at {}", heading.title, heading.made_at)
    };
    let data = serde_json::to_string(sheet).unwrap_or_else(|_| "{}".to_owned());
    fill(
        PAGE,
        &[
            ("script_hash", &hash(SCRIPT)),
            ("style_hash", &hash(STYLE)),
            ("title", &escaped(&format!("{what}: {}", heading.title))),
            ("heading", what),
            ("sub", &escaped(&sub)),
            ("verdict", &escaped(&verdict)),
            ("style", STYLE),
            ("data", &island(&data)),
            ("script", SCRIPT),
        ],
    )
}

/// Replaces `{{name}}`, once through the page: what is put in is not looked at again.
fn fill(page: &str, values: &[(&str, &str)]) -> String {
    let mut out =
        String::with_capacity(page.len() + values.iter().map(|(_, v)| v.len()).sum::<usize>());
    let mut rest = page;
    while let Some((head, tail)) = rest.split_once("{{") {
        out.push_str(head);
        let Some((name, after)) = tail.split_once("}}") else { break };
        let value = values.iter().find(|(known, _)| *known == name);
        out.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    out + rest
}

/// What a policy knows a script or a style by.
fn hash(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// Text between tags and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in crate::values::visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// JSON that can stand in a script element: nothing in it can end the element or begin a comment.
fn island(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
