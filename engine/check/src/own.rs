//! Checks that people write themselves: `rule` blocks of the `stack` block.
//!
//! ```hcl
//! stack {
//!   rule "encrypted-buckets" {
//!     types         = ["aws_s3_bucket"]
//!     condition     = self.tags["class"] != "secret" || self_action != "create"
//!     error_message = "${self_address} holds secrets; its owner must create it"
//!     severity      = "warning"
//!   }
//! }
//! ```
//!
//! A condition is an expression over one planned object. It knows `self`, the object as it will be, `self_prior`, the
//! object as it is, `self_address`, `self_type` and `self_action` (`create`, `update`, `replace`, `delete`, `no-op`),
//! and variables and locals of the root module. What is only destroyed has no `self`: it is looked at by rules alone
//! that name `self_prior`. A condition that is not known yet is deferred, never skipped.

use address::ModulePath;
use component::known::Known;
use config::Configuration;
use lang::{
    Context, EvalError, Expression, Lookup, Phase, Scope, Step, Traversal, TraversalStep, World,
};
use syntax::{Block, Diagnostics, Ident, Report, Severity, Span, suggest};
use value::{Type, Value};

use crate::exception::Exception;
use crate::judge::Waits;
use crate::rule::Grade;
use crate::subject::Subject;

/// A rule that somebody wrote.
#[derive(Debug, Clone)]
pub struct OwnRule {
    /// Its name.
    pub name: String,
    /// The types that it is for; `None` for all resources.
    types: Option<Vec<String>>,
    /// What must hold.
    condition: Expression,
    /// What is said if it does not.
    message: Expression,
    /// How bad that is.
    pub grade: Grade,
}

impl OwnRule {
    /// Whether it looks at objects of a type. Components are looked at by rules that name their type.
    pub fn is_for(&self, type_name: &str, is_component: bool) -> bool {
        match &self.types {
            None => !is_component,
            Some(types) => types.iter().any(|one| one == type_name),
        }
    }

    /// Where its condition stands.
    pub fn span(&self) -> Span {
        self.condition.span()
    }

    fn sees_destroyed(&self) -> bool {
        self.condition.references().iter().any(|one| one.root.as_str() == "self_prior")
    }
}

/// An object for which a rule does not hold.
#[derive(Debug, Clone)]
pub struct OwnFinding<'r> {
    /// The rule.
    pub rule: &'r OwnRule,
    /// The object.
    pub address: String,
    /// What the rule says of it.
    pub message: String,
}

/// What people's own rules have found.
#[derive(Debug, Default)]
pub struct OwnVerdict<'r> {
    /// What is wrong, in the order of rules, then of subjects.
    pub findings: Vec<OwnFinding<'r>>,
    /// What an exception sets aside, with its place in the list of exceptions.
    pub excepted: Vec<(OwnFinding<'r>, usize)>,
    /// Conditions that wait for values.
    pub deferred: Vec<Waits>,
    /// Conditions that cannot be evaluated.
    pub faults: Diagnostics,
}

const ARGUMENTS: [&str; 4] = ["types", "condition", "error_message", "severity"];

/// Reads the rules of a configuration.
pub fn read(configuration: &Configuration) -> (Vec<OwnRule>, Diagnostics) {
    let mut faults = Diagnostics::new();
    let Some(stack) = &configuration.root().stack else { return (Vec::new(), faults) };
    let mut rules: Vec<OwnRule> = Vec::new();
    for block in stack.body.blocks_checked("rule", 1, &mut faults) {
        let Some(rule) = one(&block, &mut faults) else { continue };
        if rules.iter().any(|other| other.name == rule.name) {
            let message = format!("there are two rules `{}`", rule.name);
            faults.push(fault(&message, block.header, "give one of them another name"));
            continue;
        }
        rules.push(rule);
    }
    (rules, faults)
}

fn one(block: &Block, faults: &mut Diagnostics) -> Option<OwnRule> {
    let label = block.labels.first()?;
    let name = label.text.to_string();
    let built_in = name.strip_prefix("C-").is_some_and(|rest| rest.parse::<u32>().is_ok());
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if built_in || name.is_empty() || !name.chars().all(legal) {
        let help = "letters, digits, `-` and `_` make a name; `C-` with a number is one of ours";
        faults.push(fault(&format!("`{name}` is no name for a rule"), label.span, help));
        return None;
    }
    for other in block.body.names() {
        if !ARGUMENTS.contains(&other.as_str()) {
            let near = suggest(other.as_str(), ARGUMENTS.into_iter());
            let help = near.map_or_else(
                || format!("a rule has {}", ARGUMENTS.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            faults.push(fault(&format!("a rule has no `{other}`"), other.span, &help));
        }
    }
    let mut compiled = |name: &str| {
        let attribute = block.body.attribute(name)?;
        let (expression, found) = lang::compile(&attribute.expr);
        faults.extend(found);
        Some(expression)
    };
    let (types, severity) = (compiled("types"), compiled("severity"));
    let (condition, message) = (compiled("condition"), compiled("error_message"));
    let types = match types {
        None => None,
        Some(written) => match written.as_constant().and_then(names) {
            Some(names) => Some(names),
            None => {
                let help = "write `types = [\"aws_instance\"]`";
                faults.push(fault("`types` is a list of types, written out", written.span(), help));
                return None;
            }
        },
    };
    let grade = match severity.as_ref().map(|one| (one.as_constant(), one.span())) {
        None => Grade::Error,
        Some((word, span)) => match word.and_then(Value::as_str) {
            Some("error") => Grade::Error,
            Some("warning") => Grade::Warning,
            _ => {
                let help = "an error refuses the plan, a warning does not";
                faults.push(fault("`severity` is `\"error\"` or `\"warning\"`", span, help));
                return None;
            }
        },
    };
    let (Some(condition), Some(message)) = (condition, message) else {
        let help = "write `condition = self.…` and `error_message = \"…\"`";
        faults.push(fault("a rule has a condition and an error message", block.header, help));
        return None;
    };
    Some(OwnRule { name, types, condition, message, grade })
}

fn names(value: &Value) -> Option<Vec<String>> {
    value.items()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

fn fault(message: &str, span: Span, help: &str) -> Report {
    Report {
        severity: Severity::Error,
        code: "stratiform::check::rule".to_owned(),
        message: message.to_owned(),
        labels: vec![(span, String::new())],
        help: Some(help.to_owned()),
        detail: None,
        address: None,
    }
}

/// Looks at all subjects. `today` is in days since 1970.
pub fn judge<'r>(
    rules: &'r [OwnRule],
    subjects: &[Subject<'_>],
    known: &Known<'_>,
    world: &dyn World,
    exceptions: &[Exception],
    today: i64,
) -> OwnVerdict<'r> {
    let mut verdict = OwnVerdict::default();
    for rule in rules {
        let concerned = subjects.iter().filter(|subject| {
            rule.is_for(subject.type_name, subject.is_component())
                && (!subject.planned.is_null() || rule.sees_destroyed())
        });
        for subject in concerned {
            let names = Names { known, subject };
            let ctx = Context {
                scope: &names,
                world,
                phase: Phase::Plan,
                module_dir: std::path::Path::new("."),
                functions: None,
            };
            let value = match rule.condition.evaluate(&ctx) {
                Ok(value) => value.unmark_deep().0,
                Err(found) => {
                    // The same fault for every object would drown all else.
                    verdict.faults.extend(found);
                    break;
                }
            };
            let holds = value::convert(&value, &Type::Bool).ok();
            if value.is_unknown() {
                verdict.deferred.push(Waits {
                    address: subject.address.clone(),
                    rule: rule.name.clone(),
                    text: format!("{}, once its condition is known", rule.name),
                });
                continue;
            }
            match holds.as_ref().and_then(Value::as_bool) {
                Some(true) => {}
                Some(false) => {
                    let message = said(rule, &ctx);
                    let finding = OwnFinding { rule, address: subject.address.clone(), message };
                    let covers = |one: &Exception| one.covers(&rule.name, &finding.address, today);
                    match exceptions.iter().position(covers) {
                        Some(at) => verdict.excepted.push((finding, at)),
                        None => verdict.findings.push(finding),
                    }
                }
                None => {
                    let message = format!(
                        "the condition of rule `{}` is {} for `{}`",
                        rule.name,
                        value.ty(),
                        subject.address
                    );
                    verdict.faults.push(fault(&message, rule.span(), "it is true or false"));
                    break;
                }
            }
        }
    }
    verdict
}

/// The message; nothing of it if it would show what is sensitive.
fn said(rule: &OwnRule, ctx: &Context<'_>) -> String {
    let message = rule.message.evaluate(ctx).ok().filter(|one| one.deep_marks().is_empty());
    let message = message.and_then(|one| value::convert(&one, &Type::String).ok());
    message
        .as_ref()
        .and_then(Value::as_str)
        .map_or_else(|| "its condition does not hold".to_owned(), str::to_owned)
}

struct Names<'a> {
    known: &'a Known<'a>,
    subject: &'a Subject<'a>,
}

const NAMES: [&str; 7] =
    ["self", "self_prior", "self_address", "self_type", "self_action", "var", "local"];

impl Scope for Names<'_> {
    fn lookup(&self, root: &Ident, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        let subject = self.subject;
        let value = match root.as_str() {
            "self" => subject.planned.clone(),
            "self_prior" => subject.prior.clone(),
            "self_address" => Value::from(subject.address.as_str()),
            "self_type" => Value::from(subject.type_name),
            "self_action" => Value::from(subject.action()),
            "var" | "local" => {
                let Some(Step::Attribute(name)) = steps.first() else {
                    return Ok(Lookup::root(Value::dynamic_unknown()));
                };
                let reference = Expression::reference(Traversal {
                    root: root.clone(),
                    steps: vec![TraversalStep::Attribute((*name).clone())],
                    span,
                });
                let value = self.known.evaluate(&ModulePath::root(), &reference);
                return Ok(Lookup { value, used: 1 });
            }
            name => {
                return Err(EvalError::UnknownName {
                    name: name.to_owned(),
                    span,
                    suggestion: Some(suggest(name, NAMES.into_iter()).map_or_else(
                        || format!("a rule knows {}", NAMES.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    )),
                }
                .into());
            }
        };
        Ok(Lookup::root(value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use config::LoadRequest;
    use lang::testing::FixedWorld;
    use syntax::SourceMap;

    use super::*;
    use crate::testing::{object, subject};

    /// What a stack block with rules says of one object: findings, deferred, faults.
    fn said(rules: &str, type_name: &str, prior: &str, planned: &str) -> [Vec<String>; 3] {
        let main = format!("locals {{\n  most = 4\n}}\nstack {{\n{rules}\n}}\n");
        let world = FixedWorld::with_files([("main.tf", &*main)]);
        let world: &dyn World = &world;
        let (configuration, found) =
            config::load(LoadRequest { root: Path::new("."), world, sources: SourceMap::new() });
        assert!(!found.has_errors(), "the test is a configuration");
        let (rules, faults) = read(&configuration);
        let told = |found: &Diagnostics| found.iter().map(ToString::to_string).collect();
        if faults.has_errors() {
            return [Vec::new(), Vec::new(), told(&faults)];
        }
        let inputs = BTreeMap::new();
        let known = Known::new(&configuration, &inputs, world);
        let (prior, planned) = (object(prior), object(planned));
        let subjects = [subject(type_name, &prior, &planned, planned.is_null())];
        let verdict = judge(&rules, &subjects, &known, world, &[], 0);
        let findings = verdict.findings.iter().map(|one| one.message.clone()).collect();
        let deferred = verdict.deferred.iter().map(ToString::to_string).collect();
        [findings, deferred, told(&verdict.faults)]
    }

    const SIZE: &str = r#"rule "small" {
  types         = ["aws_instance"]
  condition     = self.cores <= local.most
  error_message = "${self_address} (${self_action}) has ${self.cores} cores, not ${local.most}"
}"#;

    #[test]
    fn conditions_hold_or_say_why() {
        let none: Vec<String> = Vec::new();
        let of = |planned: &str| said(SIZE, "aws_instance", "null", planned);
        assert_eq!(of(r#"{"cores": 4}"#)[0], none);
        assert_eq!(of(r#"{"cores": 8}"#)[0], ["aws_instance.x (create) has 8 cores, not 4"]);
        assert_eq!(said(SIZE, "aws_other", "null", r#"{"cores": 8}"#)[0], none, "another type");
        let later = of(r#"{"cores": "?"}"#);
        assert_eq!(later[1], ["aws_instance.x: small, once its condition is known"]);
        assert_eq!(said(SIZE, "aws_instance", r#"{"cores": 8}"#, "null")[0], none, "destroyed");
        assert_eq!(of(r#"{"cpus": 8}"#)[2].len(), 1, "there is no such attribute");
    }

    #[test]
    fn what_is_destroyed_is_seen_by_rules_that_ask_for_it() {
        let rule = r#"rule "keep" {
  condition     = self_action != "delete" || self_prior.name != "corpus"
  error_message = "the corpus stays"
}"#;
        let of = |name: &str| said(rule, "a_b", &format!(r#"{{"name": "{name}"}}"#), "null");
        assert_eq!(of("corpus")[0], ["the corpus stays"]);
        assert!(of("other")[0].is_empty());
    }

    #[test]
    fn rules_that_cannot_be_used_are_refused() {
        for (case, rule, expected) in [
            ("no condition", r#"rule "a" { error_message = "b" }"#, "a condition and an error"),
            ("a name of ours", r#"rule "C-99" { condition = true }"#, "`C-99` is no name"),
            (
                "a slip",
                "rule \"a\" {\n condition = true\n error_message = \"b\"\n severty = \"error\"\n}",
                "a rule has no `severty`",
            ),
            (
                "no such severity",
                "rule \"a\" {\n condition = true\n error_message = \"b\"\n severity = \"bad\"\n}",
                "`severity` is",
            ),
            (
                "types that are worked out",
                "rule \"a\" {\n condition = true\n error_message = \"b\"\n types = local.most\n}",
                "`types` is a list",
            ),
            (
                "not a condition",
                "rule \"a\" {\n condition = \"perhaps\"\n error_message = \"b\"\n}",
                "is string for `a_b.x`",
            ),
            (
                "a name that is not known",
                "rule \"a\" {\n condition = slf.x == 1\n error_message = \"b\"\n}",
                "slf",
            ),
            (
                "two of a name",
                "rule \"a\" {\n condition = true\n error_message = \"b\"\n}\nrule \"a\" {\n condition = true\n error_message = \"b\"\n}",
                "two rules `a`",
            ),
        ] {
            let [_, _, faults] = said(rule, "a_b", "null", "{}");
            assert!(faults.iter().any(|one| one.contains(expected)), "{case}: {faults:?}");
        }
    }

    #[test]
    fn messages_show_nothing_that_is_sensitive() {
        let world = FixedWorld::with_files([(
            "main.tf",
            "stack {\n  rule \"a\" {\n    condition     = self.key == \"x\"\n    error_message = \"the key is ${self.key}\"\n  }\n}\n",
        )]);
        let world: &dyn World = &world;
        let (configuration, _) =
            config::load(LoadRequest { root: Path::new("."), world, sources: SourceMap::new() });
        let (rules, _) = read(&configuration);
        let inputs = BTreeMap::new();
        let known = Known::new(&configuration, &inputs, world);
        let planned = Value::object([("key", Value::from("s3cret").mark(value::Marks::SENSITIVE))]);
        let prior = Value::dynamic_null();
        let subjects = [subject("a_b", &prior, &planned, false)];
        let verdict = judge(&rules, &subjects, &known, world, &[], 0);
        assert_eq!(verdict.findings[0].message, "its condition does not hold");
    }
}
