//! What differs from the state: as text with the configuration's lines, and as JSON.

use std::fmt::Write as _;

use plan::DriftChange;
use serde_json::{Value as Json, json};
use syntax::SourceMap;

use crate::style::Style;
use crate::values::value;

/// Shows drift, with the line that put each recorded value there.
pub fn text(drift: &[DriftChange], sources: &SourceMap, style: Style) -> String {
    let mut out = String::new();
    if drift.is_empty() {
        let _ =
            writeln!(out, "{}", style.green("In sync: every object is what the state records."));
        return out;
    }
    for change in drift {
        let what = if change.real.is_null() { "is gone" } else { "differs from the state" };
        let place =
            change.span.map(|span| format!("  ({})", place(sources, span))).unwrap_or_default();
        let _ = writeln!(
            out,
            "{} {what}{}",
            style.bold(&change.address.to_string()),
            style.dim(&place)
        );
        for attribute in &change.attributes {
            let recorded = value(&attribute.recorded, 4);
            let real = value(&attribute.real, 4);
            let line = attribute
                .span
                .map(|span| format!("  ({})", self::place(sources, span)))
                .unwrap_or_default();
            let _ = writeln!(
                out,
                "  {} {}: recorded {recorded}, real {real}{}",
                style.yellow("~"),
                attribute.path,
                style.dim(&line)
            );
        }
    }
    let plural = if drift.len() == 1 { "object has" } else { "objects have" };
    let _ = writeln!(
        out,
        "\n{}",
        style.yellow(&format!("Drift: {} {plural} changed outside of this stack.", drift.len()))
    );
    out
}

pub(crate) fn place(sources: &SourceMap, span: syntax::Span) -> String {
    let at = sources.locate(span.start);
    format!("{}:{}", sources.file_of(span).name, at.line)
}

/// Drift as JSON.
pub fn json(drift: &[DriftChange], sources: &SourceMap) -> Json {
    let shown = |value: &value::Value| {
        if value.deep_marks().is_empty() {
            value::json::to_plain(value)
        } else {
            json!("(sensitive value)")
        }
    };
    let objects: Vec<Json> = drift
        .iter()
        .map(|change| {
            let attributes: Vec<Json> = change
                .attributes
                .iter()
                .map(|attribute| {
                    json!({
                        "path": attribute.path.to_string(),
                        "recorded": shown(&attribute.recorded),
                        "real": shown(&attribute.real),
                        "declared_at": attribute.span.map(|span| place(sources, span)),
                    })
                })
                .collect();
            json!({
                "address": change.address.to_string(),
                "gone": change.real.is_null(),
                "attributes": attributes,
                "declared_at": change.span.map(|span| place(sources, span)),
            })
        })
        .collect();
    json!({ "format_version": "1.0", "in_sync": drift.is_empty(), "drift": objects })
}
