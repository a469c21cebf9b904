//! Why something is planned as it is, in words and as JSON. Sensitive values are in neither.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use plan::explain::{Before, Difference, Explanation, Origin, OriginKind, Related};
use plan::{Action, DriftChange, Plan, ResourceChange, StepKind};
use serde_json::{Value as Json, json};
use syntax::{SourceMap, Span};
use value::{Marks, Value};

use crate::diff::brief;
use crate::drift::place;
use crate::plan_json::{self, plain};
use crate::sheet;
use crate::style::Style;
use crate::values::visible;
use crate::values_json::hidden;

/// So many lines of one list are shown.
const LISTED: usize = 30;

/// A longer list or object is counted, not shown.
const LONGEST: usize = 80;

/// Where the value of a variable of the root module comes from.
#[derive(Debug, Clone)]
pub struct Given {
    /// In words: a file, an option, the environment.
    pub source: String,
    /// Where it is written, if in a file.
    pub span: Option<Span>,
}

/// What a check has found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule's id.
    pub id: String,
    /// What the rule is about.
    pub title: String,
    /// Whether the plan is refused for it.
    pub error: bool,
    /// What is wrong, with the numbers.
    pub message: String,
    /// What must hold.
    pub formula: String,
    /// What to write instead.
    pub fix: String,
    /// Who says so.
    pub source: String,
    /// Why it is set aside, if it is.
    pub excepted: Option<String>,
}

/// Everything that is told.
pub struct Told<'a> {
    /// What was asked about.
    pub address: &'a str,
    /// The plan.
    pub plan: &'a Plan,
    /// What is known of it.
    pub explanation: &'a Explanation,
    /// The configuration's texts.
    pub sources: &'a SourceMap,
    /// Where variables come from.
    pub given: &'a BTreeMap<Arc<str>, Given>,
    /// What checks have found.
    pub findings: &'a [Finding],
}

impl Told<'_> {
    fn change(&self) -> Option<&ResourceChange> {
        self.explanation.change.map(|at| &self.plan.changes[at])
    }

    fn drift(&self) -> Option<&DriftChange> {
        let change = self.change()?;
        self.plan.drift.iter().find(|drift| drift.address == change.address)
    }

    fn at(&self, span: Option<Span>) -> String {
        span.map(|span| place(self.sources, span)).unwrap_or_default()
    }

    /// Why, one sentence each.
    fn reasons(&self) -> Vec<String> {
        let Some(change) = self.change() else { return Vec::new() };
        let mut out = Vec::new();
        if let Some(from) = &change.previous_address {
            out.push(format!("a move gives it this address; it was {from}"));
        }
        if let Some(id) = &change.importing {
            out.push(format!("an import brings the object `{}` into the state", visible(id)));
        }
        let forcing: Vec<String> = self
            .explanation
            .differences
            .iter()
            .filter(|one| one.forces)
            .map(|one| format!("`{}`", one.path))
            .collect();
        match change.action {
            Action::NoOp if change.importing.is_some() || change.previous_address.is_some() => {}
            Action::NoOp => {
                out.push("the real object is what the configuration says".to_owned());
            }
            Action::Create => out.push("the state has no object at this address".to_owned()),
            Action::Update => {
                out.push("what is wanted differs, and can be changed in place".to_owned());
            }
            Action::Replace(_) if !forcing.is_empty() => {
                out.push(format!("{} cannot change in place", forcing.join(", ")));
            }
            _ => {}
        }
        out.extend(sheet::reason(change));
        out.extend(change.remarks.iter().cloned());
        if let Action::Replace(order) = change.action {
            out.push(match order {
                plan::ReplaceOrder::CreateThenDelete => {
                    "the new object is made before the old one goes: `create_before_destroy` holds for it or for what is made from it".to_owned()
                }
                plan::ReplaceOrder::DeleteThenCreate => "the old object goes first".to_owned(),
            });
        }
        out
    }

    fn headline(&self) -> &'static str {
        match self.change().map(|change| (change, sheet::verb(change))) {
            Some((_, Some(verb))) => verb.phrase(),
            Some((_, None)) => "stays as it is",
            None => "",
        }
    }

    /// For people.
    pub fn text(&self, style: Style) -> String {
        let mut out = String::new();
        let at = self.at(self.explanation.span);
        let head = style.bold(&visible(self.address));
        let headline = self.headline();
        let _ = writeln!(out, "{}", format!("{head} {headline}").trim_end());
        if !at.is_empty() {
            let _ = writeln!(out, "{}", style.dim(&at));
        }
        self.why(style, &mut out);
        if let Some(drift) = self.drift() {
            heading("Changed outside of Stratiform", style, &mut out);
            if drift.real.is_null() {
                out.push_str("  it is gone\n");
            }
            for one in &drift.attributes {
                let (recorded, real) = (short(&one.recorded), short(&one.real));
                let at = style.dim(&self.at(one.span));
                let _ = writeln!(out, "  {}: recorded {recorded}, real {real}  {at}", one.path);
            }
        }
        let explanation = self.explanation;
        self.related("It is made from", &explanation.depends_on, style, &mut out);
        self.related("Made from it", &explanation.dependents, style, &mut out);
        if !explanation.before.is_empty() {
            heading("What must come first", style, &mut out);
            for one in explanation.before.iter().take(LISTED) {
                let (does, address) = self.step(one);
                let _ = writeln!(out, "  {does} {}", visible(&address));
            }
            more(explanation.before.len(), &mut out);
            if explanation.before_those > 0 {
                let count = explanation.before_those;
                let plural = if count == 1 { "step" } else { "steps" };
                let _ = writeln!(out, "  and before these, {count} more {plural}");
            }
        }
        if !explanation.values.is_empty() {
            heading("Where its values come from", style, &mut out);
            for one in &explanation.values {
                self.origin(one, 2, style, &mut out);
            }
        }
        if !self.findings.is_empty() {
            heading("What checks find", style, &mut out);
            for one in self.findings {
                let _ = writeln!(out, "  {} {}: {}", one.id, one.title, visible(&one.message));
                let _ = writeln!(out, "      must hold: {}", one.formula);
                let _ = writeln!(out, "      to mend it: {}", visible(&one.fix));
                let _ = writeln!(out, "{}", style.dim(&format!("      source: {}", one.source)));
                if let Some(reason) = &one.excepted {
                    let _ = writeln!(out, "      set aside: {}", visible(reason));
                }
            }
        }
        out
    }

    fn why(&self, style: Style, out: &mut String) {
        let reasons = self.reasons();
        if reasons.is_empty() {
            return;
        }
        heading("Why", style, out);
        for reason in &reasons {
            let _ = writeln!(out, "  {}", visible(reason));
        }
        for span in &self.explanation.triggers {
            let at = style.dim(&self.at(Some(*span)));
            let _ = writeln!(out, "  replace_triggered_by: {}  {at}", self.source(*span));
        }
        let differences = &self.explanation.differences;
        for one in differences.iter().take(LISTED) {
            let Difference { path, before, after, .. } = one;
            let line = match one.span {
                Some(span) => self.at(Some(span)),
                None => "no line sets it; the provider decides".to_owned(),
            };
            let line = style.dim(&line);
            let forces =
                if one.forces { style.red("  # forces replacement") } else { String::new() };
            let change = format!("{path}: {}", becomes(before, after));
            let _ = writeln!(out, "  {} {change}{forces}  {line}", style.yellow("~"));
        }
        more(differences.len(), out);
    }

    fn related(&self, title: &str, list: &[Related], style: Style, out: &mut String) {
        if list.is_empty() {
            return;
        }
        heading(title, style, out);
        for one in list.iter().take(LISTED) {
            let what = one.action.map_or("", happens);
            let at = style.dim(&self.at(one.span));
            let line = format!("  {}  {what}  {at}", visible(&one.address));
            let _ = writeln!(out, "{}", line.trim_end());
        }
        more(list.len(), out);
    }

    fn step(&self, before: &Before) -> (&'static str, String) {
        let does = match before.kind {
            StepKind::Create => "create",
            StepKind::Update => "update",
            StepKind::Delete => "destroy",
            StepKind::Forget => "forget",
            StepKind::Read => "read",
            StepKind::Import => "import",
            StepKind::Join => "",
        };
        (does, self.plan.changes[before.change].address.to_string())
    }

    fn origin(&self, origin: &Origin, indent: usize, style: Style, out: &mut String) {
        let value = origin.value.as_ref().map(|value| format!(" = {}", short(value)));
        let value = value.unwrap_or_default();
        let how = self.how(origin);
        let at = self.at(self.written(origin));
        let gap = match (&*how, &*at) {
            ("", _) | (_, "") => "",
            ("given by", _) => " ",
            _ => ", ",
        };
        let place = style.dim(&format!("{how}{gap}{at}"));
        let name = visible(&origin.name);
        let _ = writeln!(out, "{:indent$}{name}{value}  {place}", "");
        for one in &origin.from {
            self.origin(one, indent + 2, style, out);
        }
    }

    /// The line that gives the value.
    fn written(&self, origin: &Origin) -> Option<Span> {
        match self.given_of(origin) {
            // What stands on a command line is in no file.
            Some(given) => {
                given.span.filter(|span| !self.sources.file_of(*span).name.starts_with('<'))
            }
            None => origin.span,
        }
    }

    fn given_of(&self, origin: &Origin) -> Option<&Given> {
        if origin.kind != OriginKind::Variable {
            return None;
        }
        let name = origin.name.strip_prefix("var.")?;
        self.given.get(name.split(['.', '[']).next()?)
    }

    fn how(&self, origin: &Origin) -> String {
        let words = match origin.kind {
            OriginKind::Literal => "written out",
            OriginKind::Variable => match self.given_of(origin) {
                // A place in a file says the file as well.
                Some(_) if self.written(origin).is_some() => "given by",
                Some(given) => return format!("given by {}", given.source),
                None => "its default",
            },
            OriginKind::Input => "given by the call",
            OriginKind::Default => "its default",
            OriginKind::Local => "local value",
            OriginKind::Output => "output",
            OriginKind::Argument => "argument",
            OriginKind::Decided => "decided by the provider",
            OriginKind::Read => "read by a data source",
            OriginKind::Resource => "the whole resource",
            OriginKind::Repetition if origin.name.starts_with("count") => "of `count`",
            OriginKind::Repetition => "of `for_each`",
            OriginKind::Expression | OriginKind::Other => "",
        };
        words.to_owned()
    }

    /// One line of the source.
    fn source(&self, span: Span) -> String {
        let text = self.sources.text(span);
        visible(text.lines().next().unwrap_or_default())
    }

    /// For machines.
    pub fn json(&self) -> Json {
        let explanation = self.explanation;
        let mut out = json!({ "format_version": "1.0", "address": self.address });
        self.put_place(&mut out, explanation.span);
        if let Some(change) = self.change() {
            out["actions"] = json!(change.action.names());
            if let Some(reason) = plan_json::reason(change) {
                out["action_reason"] = json!(reason);
            }
            out["reasons"] = json!(self.reasons());
        }
        let differences = explanation.differences.iter().map(|one| {
            let mut entry = json!({
                "path": one.path.to_string(),
                "before": plain(&hidden(one.before.clone())),
                "after": plain(&hidden(one.after.clone())),
                "after_unknown": one.after.is_unknown(),
                "sensitive": secret(&one.before) || secret(&one.after),
                "forces_replacement": one.forces,
            });
            self.put_place(&mut entry, one.span);
            entry
        });
        out["changes"] = differences.collect();
        let drift = self.drift().into_iter().flat_map(|drift| &drift.attributes).map(|one| {
            let mut entry = json!({
                "path": one.path.to_string(),
                "recorded": plain(&hidden(one.recorded.clone())),
                "real": plain(&hidden(one.real.clone())),
            });
            self.put_place(&mut entry, one.span);
            entry
        });
        out["drift"] = drift.collect();
        out["gone"] = json!(self.drift().is_some_and(|drift| drift.real.is_null()));
        let related = |list: &[Related]| -> Json {
            let entry = |one: &Related| {
                let mut entry = json!({ "address": one.address });
                if let Some(action) = one.action {
                    entry["actions"] = json!(action.names());
                }
                self.put_place(&mut entry, one.span);
                entry
            };
            list.iter().map(entry).collect()
        };
        out["depends_on"] = related(&explanation.depends_on);
        out["dependents"] = related(&explanation.dependents);
        let before = explanation.before.iter().map(|one| {
            let (does, address) = self.step(one);
            json!({ "step": does, "address": address })
        });
        out["waits_for"] = before.collect();
        out["values"] = explanation.values.iter().map(|one| self.origin_json(one)).collect();
        let findings = self.findings.iter().map(|one| {
            json!({
                "id": one.id,
                "title": one.title,
                "severity": if one.error { "error" } else { "warning" },
                "message": one.message,
                "formula": one.formula,
                "fix": one.fix,
                "source": one.source,
                "excepted": one.excepted,
            })
        });
        out["checks"] = findings.collect();
        out
    }

    fn origin_json(&self, origin: &Origin) -> Json {
        let kind = match origin.kind {
            OriginKind::Literal => "literal",
            OriginKind::Expression => "expression",
            OriginKind::Variable if self.given_of(origin).is_none() => "default",
            OriginKind::Variable => "variable",
            OriginKind::Input => "input",
            OriginKind::Default => "default",
            OriginKind::Local => "local",
            OriginKind::Output => "output",
            OriginKind::Argument => "argument",
            OriginKind::Decided => "provider",
            OriginKind::Read => "data",
            OriginKind::Resource => "resource",
            OriginKind::Repetition => "repetition",
            OriginKind::Other => "other",
        };
        let mut out = json!({ "name": origin.name, "kind": kind });
        if let Some(value) = &origin.value {
            out["value"] = plain(&hidden(value.clone()));
            out["sensitive"] = json!(secret(value));
            out["unknown"] = json!(!value.is_wholly_known());
        }
        if let Some(given) = self.given_of(origin) {
            out["given_by"] = json!(given.source);
        }
        self.put_place(&mut out, self.written(origin));
        if !origin.from.is_empty() {
            out["from"] = origin.from.iter().map(|one| self.origin_json(one)).collect();
        }
        out
    }

    fn put_place(&self, entry: &mut Json, span: Option<Span>) {
        if let Some(span) = span {
            let at = self.sources.locate(span.start);
            entry["file"] = json!(at.file);
            entry["line"] = json!(at.line);
        }
    }
}

fn happens(action: Action) -> &'static str {
    match action {
        Action::NoOp => "stays as it is",
        Action::Create => "will be created",
        Action::Read => "will be read during apply",
        Action::Update => "will change",
        Action::Replace(_) => "will be replaced",
        Action::Delete => "will be destroyed",
        Action::Forget => "will be forgotten",
    }
}

fn heading(title: &str, style: Style, out: &mut String) {
    let _ = writeln!(out, "\n{}", style.bold(title));
}

fn more(count: usize, out: &mut String) {
    if count > LISTED {
        let _ = writeln!(out, "  and {} more", count - LISTED);
    }
}

fn secret(value: &Value) -> bool {
    value.deep_marks().contains(Marks::SENSITIVE)
}

fn becomes(before: &Value, after: &Value) -> String {
    if secret(before) || secret(after) {
        return "(sensitive value)".to_owned();
    }
    format!("{} -> {}", short(before), short(after))
}

/// A value on one line.
fn short(value: &Value) -> String {
    if !value.deep_marks().is_empty() {
        return "(sensitive value)".to_owned();
    }
    if value.is_unknown() {
        return "(known after apply)".to_owned();
    }
    // A small list or object fits on the line.
    let text = value::json::to_string(value);
    let small = value.is_wholly_known() && text.chars().count() <= LONGEST;
    if value.as_str().is_none() && small { visible(&text) } else { brief(value) }
}
