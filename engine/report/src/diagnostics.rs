//! Errors and warnings.

use miette::{GraphicalReportHandler, GraphicalTheme};
use serde_json::{Value as Json, json};
use syntax::{Diagnostics, Severity, SourceMap, severity_of};

use crate::style::Style;

/// Shows one fault with its source lines.
pub fn text(
    diagnostic: &(dyn miette::Diagnostic + Send + Sync + 'static),
    sources: &SourceMap,
    style: Style,
) -> String {
    let theme =
        if style.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler =
        GraphicalReportHandler::new_themed(theme).with_width(style.width).with_links(false);
    let mut out = String::new();
    let with_source = WithSource { inner: diagnostic, sources };
    // Writing to a string does not fail; should the renderer refuse, the plain message still tells.
    if handler.render_report(&mut out, &with_source).is_err() {
        out = format!("{diagnostic}\n");
    }
    out
}

/// Shows all faults, in the order of their places.
pub fn all_text(diagnostics: &Diagnostics, sources: &SourceMap, style: Style) -> String {
    sorted(diagnostics).into_iter().map(|one| text(one, sources, style) + "\n").collect()
}

pub(crate) fn sorted(
    diagnostics: &Diagnostics,
) -> Vec<&(dyn miette::Diagnostic + Send + Sync + 'static)> {
    let mut all: Vec<_> = diagnostics.iter().collect();
    all.sort_by_key(|one| {
        let place = one.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
        (severity_of(*one) == Severity::Warning, place.unwrap_or(usize::MAX))
    });
    all
}

/// One fault in Terraform's JSON form.
pub fn json(
    diagnostic: &(dyn miette::Diagnostic + Send + Sync + 'static),
    sources: &SourceMap,
) -> Json {
    let severity = match severity_of(diagnostic) {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut out = json!({
        "severity": severity,
        "summary": diagnostic.to_string(),
        "detail": diagnostic.help().map(|help| help.to_string()).unwrap_or_default(),
    });
    if let Some(code) = diagnostic.code() {
        out["code"] = json!(code.to_string());
    }
    let label = diagnostic.labels().and_then(|labels| {
        let labels: Vec<_> = labels.collect();
        labels.iter().find(|label| label.primary()).or(labels.first()).cloned()
    });
    let has_files = sources.files().next().is_some();
    if let (Some(label), true) = (label, has_files) {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = syntax::Span::new(offset(label.offset()), offset(label.offset() + label.len()));
        let file = sources.file_of(span);
        let (start, end) = (sources.locate(span.start), sources.locate(span.end));
        let byte = |at: u32| at.saturating_sub(file.base);
        out["range"] = json!({
            "filename": file.name,
            "start": { "line": start.line, "column": start.column, "byte": byte(span.start) },
            "end": { "line": end.line, "column": end.column, "byte": byte(span.end) },
        });
        let mut values: Vec<(&str, &str)> =
            crate::calls::cause(diagnostic).into_iter().flat_map(plan::KnownValues::iter).collect();
        values.sort_unstable();
        let statement = |(name, value): (&str, &str)| json!({ "traversal": name, "statement": format!("is {value}") });
        out["snippet"] = json!({
            "context": file.block_around(byte(span.start)),
            "code": file.line(start.line).unwrap_or_default(),
            "start_line": start.line,
            "highlight_start_offset": start.column.saturating_sub(1),
            "highlight_end_offset": start.column.saturating_sub(1) + span.len(),
            "values": values.into_iter().map(statement).collect::<Vec<_>>(),
        });
    }
    out
}

/// What `validate -json` prints.
pub fn validate_json(diagnostics: &Diagnostics, sources: &SourceMap) -> Json {
    let all = sorted(diagnostics);
    let count = |wanted: Severity| all.iter().filter(|one| severity_of(**one) == wanted).count();
    let errors = count(Severity::Error);
    json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": count(Severity::Warning),
        "diagnostics": all.iter().map(|one| json(*one, sources)).collect::<Vec<_>>(),
    })
}

/// A diagnostic together with the files that its labels point into.
struct WithSource<'a> {
    inner: &'a (dyn miette::Diagnostic + Send + Sync + 'static),
    sources: &'a SourceMap,
}

impl std::fmt::Debug for WithSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.inner, f)
    }
}

impl std::fmt::Display for WithSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self.inner, f)
    }
}

impl std::error::Error for WithSource<'_> {}

impl miette::Diagnostic for WithSource<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.inner.code()
    }

    fn severity(&self) -> Option<miette::Severity> {
        self.inner.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.inner.help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.sources.files().next()?;
        self.inner.labels()
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(self.sources)
    }
}
