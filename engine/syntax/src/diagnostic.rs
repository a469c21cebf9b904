//! How faults are gathered and passed on.
//!
//! A stage that finds faults in what a person wrote pushes them here and goes on. Each fault is any
//! type that implements [`miette::Diagnostic`], with labels in the span space of the
//! [`SourceMap`](crate::SourceMap).

use std::fmt;

use miette::{Diagnostic, LabeledSpan};

use crate::source::Span;

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The work goes on.
    Warning,
    /// The work cannot go on.
    Error,
}

impl From<Severity> for miette::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warning => Self::Warning,
            Severity::Error => Self::Error,
        }
    }
}

/// The faults of a stage, in the order in which they were found.
#[derive(Default)]
pub struct Diagnostics(Vec<BoxedDiagnostic>);

/// A diagnostic of any type that can travel between threads.
pub type BoxedDiagnostic = Box<dyn Diagnostic + Send + Sync + 'static>;

impl Diagnostics {
    /// Makes an empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault.
    pub fn push(&mut self, diagnostic: impl Diagnostic + Send + Sync + 'static) {
        self.0.push(Box::new(diagnostic));
    }

    /// Adds a fault that is boxed already.
    pub fn push_boxed(&mut self, diagnostic: BoxedDiagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all faults of another collection.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether one of them is an error. A diagnostic that names no severity is one.
    pub fn has_errors(&self) -> bool {
        self.iter().any(|diagnostic| severity_of(diagnostic) == Severity::Error)
    }

    /// The faults in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &(dyn Diagnostic + Send + Sync + 'static)> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The severity of a diagnostic. Advice counts as a warning, and no severity as an error.
pub fn severity_of(diagnostic: &dyn Diagnostic) -> Severity {
    match diagnostic.severity() {
        Some(miette::Severity::Warning | miette::Severity::Advice) => Severity::Warning,
        Some(miette::Severity::Error) | None => Severity::Error,
    }
}

impl<D: Diagnostic + Send + Sync + 'static> From<D> for Diagnostics {
    fn from(diagnostic: D) -> Self {
        Self(vec![Box::new(diagnostic)])
    }
}

impl<D: Diagnostic + Send + Sync + 'static> FromIterator<D> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = D>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().map(|one| Box::new(one) as BoxedDiagnostic).collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = BoxedDiagnostic;
    type IntoIter = std::vec::IntoIter<BoxedDiagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(ToString::to_string)).finish()
    }
}

/// A fault that somebody else found, a provider say, in words of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How bad it is.
    pub severity: Severity,
    /// The documented code of this kind of fault.
    pub code: String,
    /// One line.
    pub message: String,
    /// Places that have to do with it, the most telling first.
    pub labels: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
    /// More about it, of any length.
    pub detail: Option<String>,
    /// The object that was being worked on.
    pub address: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity.into())
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.labels.iter().enumerate().map(|(index, (span, text))| {
            let text = Some(text.clone()).filter(|text| !text.is_empty());
            if index == 0 {
                LabeledSpan::new_primary_with_span(text, *span)
            } else {
                LabeledSpan::new_with_span(text, *span)
            }
        });
        Some(Box::new(labels))
    }

    /// Object, detail and advice, since miette has one place for text below the source.
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let address = self.address.as_ref().map(|address| format!("concerns `{address}`"));
        let parts: Vec<&str> = [address.as_deref(), self.detail.as_deref(), self.help.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        if parts.is_empty() { None } else { Some(Box::new(parts.join("\n\n"))) }
    }
}

/// The page of one error code. Every crate lists its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorDoc {
    /// `stratiform::<crate>::<snake_case>`.
    pub code: &'static str,
    /// The message with its variable parts left out.
    pub title: &'static str,
    /// Why it comes up and what to do about it.
    pub explanation: &'static str,
    /// A short configuration or command that gives this error.
    pub example: &'static str,
}

/// A page without an example of its own: code, title and explanation.
pub const fn error_doc(
    code: &'static str,
    title: &'static str,
    explanation: &'static str,
) -> ErrorDoc {
    error_doc_with_example(code, title, explanation, "")
}

/// A page: code, title, explanation and example.
pub const fn error_doc_with_example(
    code: &'static str,
    title: &'static str,
    explanation: &'static str,
    example: &'static str,
) -> ErrorDoc {
    ErrorDoc { code, title, explanation, example }
}
