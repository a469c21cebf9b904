//! The results of tests in the XML of `JUnit`, which servers for continuous integration read.

use std::fmt::Write as _;

use crate::test::{FileResult, RunResult, Status};

/// The document: a suite for each file, a case for each run.
pub fn document(files: &[FileResult]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><testsuites>\n");
    for file in files {
        let count = |status: Status| file.runs.iter().filter(|run| run.status == status).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" skipped=\"{}\" failures=\"{}\" errors=\"{}\">",
            escaped(&file.name),
            file.runs.len(),
            count(Status::Skip),
            count(Status::Fail),
            count(Status::Error)
        );
        let mut before = None;
        for run in &file.runs {
            out.push_str(&case(&file.name, run, before));
            if run.status == Status::Error {
                before = Some(run.name.as_str());
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(file: &str, run: &RunResult, before: Option<&str>) -> String {
    let (name, file) = (escaped(&run.name), escaped(file));
    let time = if run.began.is_empty() {
        String::new()
    } else {
        let seconds = format!("{}.{:03}", run.elapsed_ms / 1000, run.elapsed_ms % 1000);
        format!(" time=\"{seconds}\" timestamp=\"{}\"", escaped(&run.began))
    };
    let open = format!("    <testcase name=\"{name}\" classname=\"{file}\"{time}>");
    let (kind, message, body) = match run.status {
        Status::Pass => return format!("{open}</testcase>\n"),
        Status::Skip => {
            let body = before.map(|before| {
                format!("run \"{before}\" ended in an error, so the rest of its file was skipped")
            });
            ("skipped", "skipped".to_owned(), body.unwrap_or_else(|| "interrupted".to_owned()))
        }
        Status::Fail => {
            let message = format!(
                "{} of {} assertions failed: {}",
                run.failed.len(),
                run.assertions,
                run.failed.join("; ")
            );
            ("failure", message, run.faults.clone())
        }
        Status::Error => ("error", "could not be carried out".to_owned(), run.faults.clone()),
    };
    format!(
        "{open}\n      <{kind} message=\"{}\">{}</{kind}>\n    </testcase>\n",
        escaped(&message),
        cdata(&body)
    )
}

/// Text for an attribute. What XML cannot hold is left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().filter(|c| is_allowed(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c => out.push(c),
        }
    }
    out
}

fn cdata(text: &str) -> String {
    let text: String = text.chars().filter(|c| is_allowed(*c)).collect();
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_message_holds_the_document_stays_one() {
        let run = |name: &str, status, faults: &str| RunResult {
            name: name.to_owned(),
            status,
            began: "2026-01-02T03:04:05Z".to_owned(),
            elapsed_ms: 1234,
            faults: faults.to_owned(),
            failed: vec!["a < b & \"c\"".to_owned()],
            assertions: 2,
        };
        let skipped = RunResult { name: "last".to_owned(), ..RunResult::default() };
        let runs = vec![
            run("a", Status::Pass, ""),
            run("b", Status::Fail, "x ]]> y\u{1b}[0m"),
            run("c", Status::Error, "in pieces"),
            skipped,
        ];
        let file = FileResult { name: "t.tftest.hcl".to_owned(), status: Status::Error, runs };
        let text = document(&[file]);
        for part in [
            "tests=\"4\" skipped=\"1\" failures=\"1\" errors=\"1\"",
            "<testcase name=\"a\" classname=\"t.tftest.hcl\" time=\"1.234\" timestamp=\"2026-01-02T03:04:05Z\"></testcase>",
            "message=\"1 of 2 assertions failed: a &lt; b &amp; &quot;c&quot;\"",
            "<![CDATA[x ]]]]><![CDATA[> y[0m]]>",
            "<testcase name=\"last\" classname=\"t.tftest.hcl\">",
            "run \"c\" ended in an error",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
