//! A provider's problems, located in the source.

use address::AttributePath;
use sdk::{Problem, ProviderError, Severity};
use syntax::{Diagnostics, Report, Span};

use crate::validity::Violation;

/// Where a problem belongs: an address, and how attribute paths lead to lines.
pub struct Place<'a> {
    /// The resource instance or provider configuration.
    pub address: String,
    /// The line of an attribute, or of the block for the empty path.
    pub locate: &'a (dyn Fn(&AttributePath) -> Option<Span> + Sync),
}

/// The same faults as warnings.
pub fn as_warnings(found: Diagnostics) -> Diagnostics {
    found
        .into_iter()
        .map(|one| Report { severity: syntax::Severity::Warning, ..report_of(&*one) })
        .collect()
}

fn report_of(one: &(dyn miette::Diagnostic + Send + Sync + 'static)) -> Report {
    let labels = one.labels().into_iter().flatten().map(|label| {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span::new(offset(label.offset()), offset(label.offset() + label.len()));
        (span, label.label().unwrap_or_default().to_owned())
    });
    Report {
        severity: syntax::Severity::Warning,
        code: one.code().map(|code| code.to_string()).unwrap_or_default(),
        message: one.to_string(),
        labels: labels.collect(),
        help: one.help().map(|help| help.to_string()),
        detail: None,
        address: None,
    }
}

impl Place<'_> {
    /// Turns the provider's own problems into diagnostics.
    pub fn problems(&self, problems: Vec<Problem>) -> Diagnostics {
        problems.into_iter().map(|problem| self.problem(problem)).collect()
    }

    fn problem(&self, problem: Problem) -> Report {
        let path = problem.path.unwrap_or_default();
        let label = if path.is_root() { String::new() } else { format!("`{path}`") };
        Report {
            severity: match problem.severity {
                Severity::Error => syntax::Severity::Error,
                Severity::Warning => syntax::Severity::Warning,
            },
            code: "stratiform::plan::provider_problem".to_owned(),
            message: problem.summary,
            labels: (self.locate)(&path).into_iter().map(|span| (span, label.clone())).collect(),
            help: None,
            detail: Some(problem.detail).filter(|detail| !detail.is_empty()),
            address: Some(self.address.clone()),
        }
    }

    /// A call that got no proper answer.
    pub fn failure(&self, provider: &str, call: &str, error: &ProviderError) -> Report {
        Report {
            severity: syntax::Severity::Error,
            code: "stratiform::plan::provider_failed".to_owned(),
            message: format!("provider `{provider}` failed to {call}: {error}"),
            labels: (self.locate)(&AttributePath::root())
                .into_iter()
                .map(|span| (span, String::new()))
                .collect(),
            help: Some(
                "nothing else was stopped; run again, and tell the provider's makers if it stays"
                    .to_owned(),
            ),
            detail: None,
            address: Some(self.address.clone()),
        }
    }

    /// Rules that an answer breaks.
    pub fn violations(&self, provider: &str, call: &str, found: Vec<Violation>) -> Diagnostics {
        found
            .into_iter()
            .map(|violation| {
                let attribute = if violation.path.is_root() {
                    String::new()
                } else {
                    format!(" for `{}`", violation.path)
                };
                Report {
                    severity: syntax::Severity::Error,
                    code: "stratiform::plan::invalid_answer".to_owned(),
                    message: format!(
                        "provider `{provider}` gave an invalid answer to {call}{attribute}: {}",
                        violation.message
                    ),
                    labels: (self.locate)(&violation.path)
                        .into_iter()
                        .map(|span| (span, String::new()))
                        .collect(),
                    help: Some(
                        "this is a fault of the provider; report it to its makers".to_owned(),
                    ),
                    detail: None,
                    address: Some(self.address.clone()),
                }
            })
            .collect()
    }
}
