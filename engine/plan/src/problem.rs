//! A provider's problems, located in the source.

use address::AttributePath;
use sdk::{Problem, ProviderError, Severity};
use syntax::{Diagnostics, Report, Span};
use value::Value;

use crate::validity::Violation;

/// Where a problem belongs: an address, and how attribute paths lead to lines.
pub struct Place<'a> {
    /// The resource instance or provider configuration.
    pub address: String,
    /// The line of an attribute, or of the block for the empty path.
    pub locate: &'a (dyn Fn(&AttributePath) -> Option<Span> + Sync),
    /// Values with their marks. A provider may repeat what it was given, and what is sensitive in it is taken out.
    pub given: &'a (dyn Fn() -> Vec<Value> + Sync),
}

/// Nothing sensitive was given.
pub(crate) fn nothing() -> Vec<Value> {
    Vec::new()
}

/// The text without the sensitive parts of these values.
pub fn without_secrets(text: String, given: &[Value]) -> String {
    let mut secrets: Vec<String> = Vec::new();
    for value in given {
        collect_secrets(value, false, &mut secrets);
    }
    // A longer one may hold a shorter one.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), SENSITIVE))
}

/// What stands where a secret was.
const SENSITIVE: &str = "(sensitive value)";
/// Shorter texts are in every message by chance, and taking them out would tell what they are.
const SHORTEST_SECRET: usize = 4;

fn collect_secrets(value: &Value, within: bool, found: &mut Vec<String>) {
    let secret = within || value.is_sensitive();
    if !secret && value.deep_marks().is_empty() {
        return;
    }
    if let Some(items) = value.items() {
        for item in items {
            collect_secrets(item, secret, found);
        }
    } else if let Some(entries) = value.entries() {
        for (_, item) in entries {
            collect_secrets(item, secret, found);
        }
    } else if secret && !value.is_null() && !value.is_unknown() {
        let text = match value.as_str() {
            Some(text) => text.to_owned(),
            None => value::json::to_string(value),
        };
        if text.chars().count() >= SHORTEST_SECRET && !matches!(&*text, "true" | "false") {
            found.push(text);
        }
    }
}

/// The same faults as warnings.
pub fn as_warnings(found: Diagnostics) -> Diagnostics {
    let mut warnings = Diagnostics::new();
    for one in found {
        if syntax::severity_of(&*one) == syntax::Severity::Warning {
            warnings.push_boxed(one);
        } else {
            warnings.push(report_of(&*one));
        }
    }
    warnings
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
        if problems.is_empty() {
            return Diagnostics::new();
        }
        let given = (self.given)();
        let clean = |problem: Problem| Problem {
            summary: without_secrets(problem.summary, &given),
            detail: without_secrets(problem.detail, &given),
            ..problem
        };
        problems.into_iter().map(|problem| self.problem(clean(problem))).collect()
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
            message: format!(
                "provider `{provider}` failed to {call}: {}",
                without_secrets(error.to_string(), &(self.given)())
            ),
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
        let given = if found.is_empty() { Vec::new() } else { (self.given)() };
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
                        without_secrets(violation.message.clone(), &given)
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

#[cfg(test)]
mod tests {
    use value::Marks;

    use super::*;

    #[test]
    fn secrets_are_taken_out_of_what_providers_say() {
        let secret = |text: &str| Value::from(text).mark(Marks::SENSITIVE);
        let given = [
            Value::object([("open", Value::from("public")), ("deep", secret("hunter22"))]),
            Value::tuple(vec![Value::from("inner-key")]).mark(Marks::SENSITIVE),
            Value::from(123_456).mark(Marks::SENSITIVE),
            secret("hunter22-and-more"),
            secret("no"),
        ];
        let said = "public hunter22, hunter22-and-more; inner-key=123456, no";
        let wanted =
            "public (sensitive value), (sensitive value); (sensitive value)=(sensitive value), no";
        assert_eq!(without_secrets(said.to_owned(), &given), wanted);
    }
}
