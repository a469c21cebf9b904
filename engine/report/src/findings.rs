//! What checks have found of a plan, as a plan file keeps it: a part of reports, and the XML of `JUnit`.

use std::error::Error;
use std::fmt::Write as _;

use serde_json::Value as Json;
use syntax::{Diagnostics, Report, Severity, severity_of};

use crate::diagnostics::sorted;
use crate::junit::escaped;
use crate::sheet::Section;
use crate::values::visible;

/// The part of a report about what was found; `None` if nothing was.
pub fn section(found: &Diagnostics) -> Option<Section> {
    let line = |one: &(dyn miette::Diagnostic + Send + Sync + 'static)| {
        let code = one.code()?.to_string();
        let rule = code.rsplit("::").next().unwrap_or_default().to_owned();
        let grade = match severity_of(one) {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let report = (one as &(dyn Error + 'static)).downcast_ref::<Report>();
        let address = report.and_then(|report| report.address.as_ref());
        let at = address.map(|address| format!(" {address}:")).unwrap_or_default();
        Some(visible(&format!("{grade} {rule}:{at} {one}")))
    };
    let lines: Vec<String> = sorted(found).into_iter().filter_map(line).collect();
    (!lines.is_empty()).then(|| Section { title: "Findings".to_owned(), lines, bars: Vec::new() })
}

/// A plan as the results of tests: one suite for the conditions and checks of the configuration, one for what rules have
/// found. What only apply can decide counts as skipped, a warning as passed with its words.
///
/// `document` is what `show -json` prints of the plan, `sarif` the log of its findings, `deferred` the checks that wait.
pub fn junit(document: &Json, sarif: &Json, deferred: &[String]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    let mut conditions = Vec::new();
    for check in list(&document["checks"]) {
        let kind = text(&check["address"]["kind"]);
        let instances = list(&check["instances"]);
        for instance in if instances.is_empty() { vec![check.clone()] } else { instances } {
            let name = text(&instance["address"]["to_display"]);
            let problems = list(&instance["problems"]);
            let words: Vec<String> = problems.iter().map(|one| text(&one["message"])).collect();
            let outcome = match instance["status"].as_str().unwrap_or_default() {
                "pass" => Outcome::Passed(String::new()),
                "fail" => Outcome::Failed(words.join("; ")),
                "error" => Outcome::Error(words.join("; ")),
                _ => Outcome::Skipped("only apply can decide it".to_owned()),
            };
            conditions.push(Case { name, class: kind.clone(), outcome });
        }
    }
    let mut findings = Vec::new();
    for result in list(&sarif["runs"][0]["results"]) {
        let rule = text(&result["ruleId"]);
        let place = &result["locations"][0];
        let address = text(&place["logicalLocations"][0]["fullyQualifiedName"]);
        let name = if address.is_empty() { rule.clone() } else { address };
        let message = text(&result["message"]["text"]);
        let outcome = match result["level"].as_str() {
            Some("error") => Outcome::Failed(message),
            _ => Outcome::Passed(message),
        };
        findings.push(Case { name, class: rule, outcome });
    }
    for check in deferred {
        let outcome = Outcome::Skipped("it waits for values".to_owned());
        findings.push(Case { name: check.clone(), class: "deferred".to_owned(), outcome });
    }
    suite("conditions", &conditions, &mut out);
    suite("findings", &findings, &mut out);
    out.push_str("</testsuites>\n");
    out
}

struct Case {
    name: String,
    class: String,
    outcome: Outcome,
}

/// How a case has ended, with words.
enum Outcome {
    Passed(String),
    Failed(String),
    Error(String),
    Skipped(String),
}

fn suite(name: &str, cases: &[Case], out: &mut String) {
    let count =
        |wanted: fn(&Outcome) -> bool| cases.iter().filter(|one| wanted(&one.outcome)).count();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{}\" skipped=\"{}\" failures=\"{}\" errors=\"{}\">",
        cases.len(),
        count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        count(|outcome| matches!(outcome, Outcome::Failed(_))),
        count(|outcome| matches!(outcome, Outcome::Error(_))),
    );
    for case in cases {
        let (name, class) = (escaped(&case.name), escaped(&case.class));
        let body = match &case.outcome {
            Outcome::Passed(words) if words.is_empty() => String::new(),
            Outcome::Passed(words) => format!("<system-out>{}</system-out>", escaped(words)),
            Outcome::Failed(words) => format!("<failure message=\"{}\"></failure>", escaped(words)),
            Outcome::Error(words) => format!("<error message=\"{}\"></error>", escaped(words)),
            Outcome::Skipped(words) => {
                format!("<skipped message=\"{}\"></skipped>", escaped(words))
            }
        };
        let _ =
            writeln!(out, "    <testcase name=\"{name}\" classname=\"{class}\">{body}</testcase>");
    }
    out.push_str("  </testsuite>\n");
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_outcome_has_its_element() {
        let instance = |name: &str, status: &str| {
            json!({ "address": { "to_display": name }, "status": status,
                "problems": [{ "message": "a < b" }] })
        };
        let document = json!({ "checks": [{
            "address": { "kind": "resource", "to_display": "a.b" },
            "instances": [instance("a.b[0]", "pass"), instance("a.b[1]", "fail"), instance("a.b[2]", "unknown")],
        }] });
        let sarif = json!({ "runs": [{ "results": [
            { "ruleId": "stratiform::check::C-01", "level": "warning", "message": { "text": "tight" } },
            { "ruleId": "stratiform::check::C-02", "level": "error", "message": { "text": "full" },
              "locations": [{ "logicalLocations": [{ "fullyQualifiedName": "x.y" }] }] },
        ] }] });
        let xml = junit(&document, &sarif, &["C-03 of z".to_owned()]);
        for part in [
            "<testsuite name=\"conditions\" tests=\"3\" skipped=\"1\" failures=\"1\" errors=\"0\">",
            "<testsuite name=\"findings\" tests=\"3\" skipped=\"1\" failures=\"1\" errors=\"0\">",
            "<failure message=\"a &lt; b\">",
            "<testcase name=\"x.y\" classname=\"stratiform::check::C-02\"><failure message=\"full\">",
            "<system-out>tight</system-out>",
            "<testcase name=\"C-03 of z\" classname=\"deferred\"><skipped",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
    }
}
