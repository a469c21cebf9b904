//! Findings for code scanners: SARIF 2.1.0.
//!
//! Source: OASIS, Static Analysis Results Interchange Format version 2.1.0, sections 3.13 to 3.35. Columns count
//! Unicode code points, and regions end behind their last one.

use std::collections::BTreeMap;
use std::error::Error;

use serde_json::{Value as Json, json};
use syntax::{Diagnostics, Report, Severity, SourceMap, Span, severity_of};

use crate::diagnostics::sorted;

/// All errors and warnings of a run as one log.
pub fn sarif(found: &Diagnostics, sources: &SourceMap, version: &str) -> Json {
    let mut rules: BTreeMap<String, Json> = BTreeMap::new();
    let mut results = Vec::new();
    for one in sorted(found) {
        let id = one.code().map_or_else(|| "stratiform".to_owned(), |code| code.to_string());
        let report = (one as &(dyn Error + 'static)).downcast_ref::<Report>();
        let level = match severity_of(one) {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        rules.entry(id.clone()).or_insert_with(|| rule(&id));
        let mut text = one.to_string();
        let more = match report {
            Some(report) => report.help.clone(),
            None => one.help().map(|help| help.to_string()),
        };
        if let Some(more) = more {
            text = format!("{text}\n{more}");
        }
        let mut result = json!({ "ruleId": id, "level": level, "message": { "text": text } });
        let mut location = serde_json::Map::new();
        if let Some(place) = place(one, sources) {
            location.insert("physicalLocation".to_owned(), place);
        }
        if let Some(address) = report.and_then(|report| report.address.as_ref()) {
            let logical = json!([{ "fullyQualifiedName": address, "kind": "resource" }]);
            location.insert("logicalLocations".to_owned(), logical);
        }
        if !location.is_empty() {
            result["locations"] = json!([location]);
        }
        if id == "stratiform::check::excepted" {
            let reason = one.labels().and_then(|mut labels| labels.next());
            let reason = reason.and_then(|label| label.label().map(str::to_owned));
            result["suppressions"] =
                json!([{ "kind": "inSource", "status": "accepted", "justification": reason }]);
        }
        results.push(result);
    }
    // Results name the place of their rule in the list.
    let places: BTreeMap<&String, usize> = rules.keys().zip(0..).collect();
    for result in &mut results {
        let id = result["ruleId"].as_str().unwrap_or_default().to_owned();
        result["ruleIndex"] = json!(places.get(&id));
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "stratiform",
                "version": version,
                "rules": rules.into_values().collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// What is known of a rule: one of the checks, or a documented code.
fn rule(id: &str) -> Json {
    let name = id.rsplit("::").next().unwrap_or(id);
    match check::RULES.iter().find(|rule| rule.id == name) {
        Some(rule) => json!({
            "id": id,
            "name": rule.id,
            "shortDescription": { "text": rule.title },
            "fullDescription": { "text": rule.formula },
            "help": { "text": format!("{}\nSource: {}.", rule.example, rule.source) },
        }),
        None => json!({ "id": id, "name": name }),
    }
}

fn place(
    diagnostic: &(dyn miette::Diagnostic + Send + Sync + 'static),
    sources: &SourceMap,
) -> Option<Json> {
    sources.files().next()?;
    let labels: Vec<_> = diagnostic.labels()?.collect();
    let label = labels.iter().find(|label| label.primary()).or(labels.first())?;
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let span = Span::new(offset(label.offset()), offset(label.offset() + label.len()));
    let file = sources.file_of(span);
    let (start, end) = (sources.locate(span.start), sources.locate(span.end));
    let column = |line: usize, at: u32| {
        let text = file.line(line).unwrap_or_default();
        let before = file.text.get(..(at - file.base) as usize).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        before[line_start..].chars().count().min(text.chars().count()) + 1
    };
    let uri = uri(&file.name);
    Some(json!({
        "artifactLocation": { "uri": uri },
        "region": {
            "startLine": start.line,
            "startColumn": column(start.line, span.start),
            "endLine": end.line,
            "endColumn": column(end.line, span.end),
        },
    }))
}

/// A path as a reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn log() -> Json {
        let mut sources = SourceMap::new();
        let text = "a = 1\nä = \"größe\" # b\n";
        sources.add("mo dule/main.tf", text.as_bytes().to_vec()).expect("it is UTF-8");
        let at = u32::try_from(text.find("\"gr").expect("it is there")).expect("small");
        let span = Span::new(at, at + u32::try_from("\"größe\"".len()).expect("small"));
        let mut found = Diagnostics::new();
        let report = |code: &str, severity| Report {
            severity,
            code: format!("stratiform::check::{code}"),
            message: format!("{code} does not hold"),
            labels: vec![(span, "because".to_owned())],
            help: Some("do this".to_owned()),
            detail: Some("source: a page".to_owned()),
            address: Some("aws_ebs_volume.a[0]".to_owned()),
        };
        found.push(report("C-31", Severity::Error));
        found.push(report("excepted", Severity::Warning));
        found.push(Report { labels: Vec::new(), ..report("C-31", Severity::Error) });
        sarif(&found, &sources, "1.2.3")
    }

    #[test]
    fn findings_have_rules_places_and_suppressions() {
        let log = log();
        let run = &log["runs"][0];
        let results = run["results"].as_array().expect("a list");
        assert_eq!(results.len(), 3);
        let first = &results[0];
        assert_eq!(first["ruleId"], "stratiform::check::C-31");
        assert_eq!(first["level"], "error");
        assert_eq!(first["message"]["text"], "C-31 does not hold\ndo this");
        let place = &first["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "mo%20dule/main.tf");
        let region = json!({ "startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 12 });
        assert_eq!(place["region"], region, "columns are code points, not bytes");
        let logical = &first["locations"][0]["logicalLocations"][0];
        assert_eq!(logical["fullyQualifiedName"], "aws_ebs_volume.a[0]");
        assert!(results[1]["locations"][0].get("physicalLocation").is_none());
        assert_eq!(results[2]["suppressions"][0]["justification"], "because");
        let rules = run["tool"]["driver"]["rules"].as_array().expect("a list");
        for result in results {
            let at =
                usize::try_from(result["ruleIndex"].as_u64().expect("a place")).expect("small");
            assert_eq!(rules[at]["id"], result["ruleId"]);
        }
        assert_eq!(rules[0]["shortDescription"]["text"], "gp3 volumes");
    }

    /// The members that the schema requires, those that it allows where something stands, and its enumerations.
    #[test]
    fn the_log_has_what_the_schema_requires() {
        let log = log();
        let object = |value: &Json, required: &[&str], allowed: &[&str]| {
            let names: BTreeSet<&str> =
                value.as_object().expect("an object").keys().map(String::as_str).collect();
            for name in required {
                assert!(names.contains(name), "{name} in {value}");
            }
            let all: BTreeSet<&str> = required.iter().chain(allowed).copied().collect();
            assert!(names.is_subset(&all), "{names:?} are among {all:?}");
        };
        object(&log, &["version", "runs"], &["$schema", "inlineExternalProperties", "properties"]);
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        object(run, &["tool"], &["results", "columnKind", "artifacts", "invocations"]);
        assert!(
            ["utf16CodeUnits", "unicodeCodePoints"].contains(&run["columnKind"].as_str().unwrap())
        );
        object(&run["tool"], &["driver"], &["extensions", "properties"]);
        let driver = &run["tool"]["driver"];
        object(driver, &["name"], &["version", "semanticVersion", "informationUri", "rules"]);
        for rule in driver["rules"].as_array().expect("a list") {
            object(
                rule,
                &["id"],
                &["name", "shortDescription", "fullDescription", "help", "helpUri", "properties"],
            );
            for text in ["shortDescription", "fullDescription", "help"] {
                if let Some(text) = rule.get(text) {
                    object(text, &["text"], &["markdown", "properties"]);
                }
            }
        }
        for result in run["results"].as_array().expect("a list") {
            object(
                result,
                &["message"],
                &["ruleId", "ruleIndex", "level", "locations", "suppressions"],
            );
            assert!(
                ["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap())
            );
            object(&result["message"], &["text"], &["markdown", "id", "arguments", "properties"]);
            for location in result["locations"].as_array().expect("a list") {
                object(location, &[], &["physicalLocation", "logicalLocations", "message"]);
                if let Some(place) = location.get("physicalLocation") {
                    object(place, &["artifactLocation"], &["region", "contextRegion", "address"]);
                    object(&place["artifactLocation"], &["uri"], &["uriBaseId", "index"]);
                    for (_, number) in place["region"].as_object().expect("an object") {
                        assert!(number.as_u64().is_some_and(|number| number >= 1), "{number}");
                    }
                }
            }
            for one in result.get("suppressions").and_then(Json::as_array).into_iter().flatten() {
                object(one, &["kind"], &["status", "justification", "guid", "location"]);
                assert!(["inSource", "external"].contains(&one["kind"].as_str().unwrap()));
                let status = one["status"].as_str().unwrap();
                assert!(["accepted", "underReview", "rejected"].contains(&status));
            }
        }
    }
}
