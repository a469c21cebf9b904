//! What a test asserts of a module, once it is planned or applied.
//!
//! An assertion stands in a test file, but sees the names of the module under test; beside them `output`, and `run`
//! for what earlier runs gave.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::ResourceInstance;
use config::test_file::TestNames;
use config::{Condition, Reference, TestError};
use lang::{Expression, Lookup, Scope, Step, Traversal, TraversalStep};
use miette::Diagnostic;
use syntax::error_doc as doc;
use syntax::{Diagnostics, ErrorDoc, Ident, Span, suggest};
use thiserror::Error;
use value::{Type, Value, convert};

use super::{Evaluation, InstanceScope, ROOT, Repetition, nowhere, values_of};
use crate::{KnownValues, PlanError};

/// What is wrong with what a run has come to.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum AssertionError {
    /// An assertion does not hold.
    #[error("assertion does not hold: {message}")]
    #[diagnostic(code(stratiform::plan::assertion_failed))]
    Failed {
        /// The author's message.
        message: String,
        /// The condition.
        #[label("this is false")]
        span: Span,
        /// What the names in it are, where that may be shown.
        #[help]
        values: Option<KnownValues>,
    },
    /// An assertion depends on what only apply will know.
    #[error("the assertion depends on values that are not known yet")]
    #[diagnostic(
        code(stratiform::plan::assertion_unknown),
        help(
            "only apply will know it, or this run has not come to it: assert something else, let the run apply, or give mocks and overrides `override_during = plan`"
        )
    )]
    Unknown {
        /// The condition.
        #[label("not known yet{unknown}")]
        span: Span,
        /// Which names are not known, in words.
        unknown: String,
    },
    /// What was expected to fail has not failed.
    #[error("`{name}` was expected to fail, but did not")]
    #[diagnostic(
        code(stratiform::plan::missing_failure),
        help("the run is a failure: its input should break one of the conditions of `{name}`")
    )]
    MissingFailure {
        /// What was expected to fail.
        name: String,
        /// Where that is written.
        #[label("did not fail")]
        span: Span,
    },
    /// An expected failure has kept a run from being applied.
    #[error("the expected failure of `{name}` came while planning, so nothing was applied")]
    #[diagnostic(
        code(stratiform::plan::failure_in_plan),
        severity(warning),
        help("write `command = plan` in this run")
    )]
    FailureInPlan {
        /// What was expected to fail.
        name: String,
        /// Where that is written.
        #[label("failed in the plan")]
        span: Span,
    },
}

/// The codes of this file, for the reference.
pub const ASSERTION_ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::plan::assertion_failed",
        "Failed assertion",
        "An assertion of a test does not hold.",
    ),
    doc(
        "stratiform::plan::assertion_unknown",
        "Unknown assertion",
        "An assertion of a test depends on what only apply will know.",
    ),
    doc(
        "stratiform::plan::missing_failure",
        "Missing failure",
        "A test expects a condition to fail, but it holds.",
    ),
    doc(
        "stratiform::plan::failure_in_plan",
        "Failure before apply",
        "A test expects a failure in apply, but it came in the plan.",
    ),
];

/// How an assertion has ended.
#[derive(Debug)]
pub enum Asserted {
    /// It holds.
    Holds,
    /// It is false; the message of the author may come with warnings.
    Fails(Diagnostics),
    /// It has no value.
    Faulty(Diagnostics),
}

impl Evaluation {
    /// Evaluates what a test asserts, and first whatever that needs.
    pub fn assert(&mut self, condition: &Condition, names: &TestNames) -> Asserted {
        let references: Vec<Traversal> = [&condition.condition, &condition.error_message]
            .into_iter()
            .flat_map(|one| one.references().iter().cloned())
            .collect();
        if let Err(found) = self.ready(&references, names) {
            return Asserted::Faulty(found);
        }
        self.with_context(ROOT, &Repetition::single(), None, |ctx| {
            let inner = InstanceScope {
                evaluation: self,
                module: ROOT,
                repetition: &Repetition::single(),
                self_value: None,
            };
            let scope = AssertionScope { inner, names };
            let ctx = lang::Context { scope: &scope, ..*ctx };
            let value = match condition.condition.evaluate(&ctx) {
                Ok(value) => value.unmark().0,
                Err(found) => return Asserted::Faulty(found),
            };
            let span = condition.condition.span();
            if value.is_unknown() {
                let unknown = unknown_names(&condition.condition, &ctx);
                return Asserted::Faulty(AssertionError::Unknown { span, unknown }.into());
            }
            let holds = convert(&value, &Type::Bool).ok().and_then(|value| value.as_bool());
            let Some(holds) = holds else {
                let found =
                    if value.is_null() { "null".to_owned() } else { value.ty().friendly_name() };
                let error = PlanError::UnsuitableValue {
                    what: "condition",
                    address: "this assertion".to_owned(),
                    message: format!("must be true or false, but is {found}"),
                    span,
                    help: None,
                };
                return Asserted::Faulty(error.into());
            };
            if holds {
                return Asserted::Holds;
            }
            let message = match condition.error_message.evaluate(&ctx) {
                Ok(message) => shown_message(&message),
                Err(found) => {
                    let mut all: Diagnostics = AssertionError::Failed {
                        message: "its error message cannot be evaluated".to_owned(),
                        span,
                        values: values_of(&condition.condition, &ctx),
                    }
                    .into();
                    all.extend(found);
                    return Asserted::Fails(all);
                }
            };
            let values = values_of(&condition.condition, &ctx);
            Asserted::Fails(AssertionError::Failed { message, span, values }.into())
        })
    }

    /// Makes sure that the names in an assertion lead somewhere and have a value.
    fn ready(&mut self, references: &[Traversal], names: &TestNames) -> Result<(), Diagnostics> {
        let mut found = Diagnostics::new();
        let mut own = Vec::new();
        for reference in references {
            match reference.root.as_str() {
                "run" => {}
                "output" => found.extend(self.ready_output(reference)),
                "var" if is_test_variable(reference, names) => {}
                _ => match config::resolve(&self.module(ROOT).module, reference) {
                    Ok(resolved) => {
                        if let Reference::Resource(resource) = &resolved.reference
                            && self
                                .module(ROOT)
                                .module
                                .resources
                                .get(resource)
                                .is_some_and(|block| block.check.is_some())
                        {
                            continue;
                        }
                        own.push(reference.clone());
                    }
                    Err(error) => found.push(error),
                },
            }
        }
        if !found.has_errors()
            && let Err(errors) = self.demand(ROOT, &own)
        {
            found.extend(errors);
        }
        if found.has_errors() { Err(found) } else { Ok(()) }
    }

    fn ready_output(&mut self, reference: &Traversal) -> Diagnostics {
        let Some(name) = reference.steps.first().and_then(TraversalStep::as_attribute) else {
            return nowhere("output".to_owned(), reference.span, "a name must follow");
        };
        let outputs = &self.module(ROOT).module.outputs;
        if !outputs.contains_key(&name.text) {
            let near = suggest(&name.text, outputs.keys().map(|name| &**name));
            let reason = near.map_or_else(
                || "the module under test has no such output".to_owned(),
                |near| format!("the module under test has no such output; did you mean `{near}`?"),
            );
            return nowhere(format!("output.{name}"), reference.span, reason);
        }
        if self.has_failed() {
            return Diagnostics::new();
        }
        self.demand_root_output(&name.text).err().unwrap_or_default()
    }

    /// The outputs of the root module with their values, as far as they are known: what later runs see.
    pub fn outputs_for_runs(&mut self) -> Value {
        let names: Vec<Arc<str>> = self.module(ROOT).module.outputs.keys().cloned().collect();
        Value::object(names.into_iter().map(|name| {
            let value = self.demand_root_output(&name).unwrap_or_else(|_| Value::dynamic_unknown());
            (name, value)
        }))
    }

    /// The values of the root module's variables: those of the run, and defaults.
    pub fn root_variables(&self) -> &std::collections::BTreeMap<Arc<str>, Value> {
        &self.module(ROOT).variables
    }

    /// From now on what could not be evaluated counts as unknown.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    fn has_failed(&self) -> bool {
        self.failed
    }
}

fn is_test_variable(reference: &Traversal, names: &TestNames) -> bool {
    let name = reference.steps.first().and_then(TraversalStep::as_attribute);
    name.is_some_and(|name| names.variables.contains_key(&name.text))
}

/// The author's words, unless they would show what is secret.
fn shown_message(message: &Value) -> String {
    if !message.deep_marks().is_empty() {
        return "the message holds a sensitive value, so it is not shown".to_owned();
    }
    let text = convert(message, &Type::String).ok().filter(Value::is_known);
    text.as_ref().and_then(Value::as_str).unwrap_or("the message is not known yet").to_owned()
}

/// The references of a condition that are not known: `: terraform_data.a.id`.
fn unknown_names(condition: &Expression, ctx: &lang::Context<'_>) -> String {
    let mut names = BTreeSet::new();
    for reference in condition.references() {
        let value = Expression::reference(reference.clone()).evaluate(ctx);
        if value.is_ok_and(|value| !value.is_wholly_known()) {
            names.insert(format!("`{reference}`"));
        }
    }
    if names.is_empty() {
        return String::new();
    }
    format!(": {}", names.into_iter().collect::<Vec<_>>().join(", "))
}

/// Names of the module, and those that only tests have.
struct AssertionScope<'a> {
    inner: InstanceScope<'a>,
    names: &'a TestNames,
}

impl Scope for AssertionScope<'_> {
    fn lookup(&self, root: &Ident, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        match (root.as_str(), steps.first()) {
            ("run", _) => self.names.run(steps, span),
            ("output", Some(Step::Attribute(name))) => {
                let outputs = self.inner.evaluation.root_outputs();
                let value = outputs.get(&name.text).cloned().unwrap_or_else(Value::dynamic_unknown);
                Ok(Lookup { value, used: 1 })
            }
            ("var", Some(Step::Attribute(name))) => {
                match self.inner.evaluation.root_variables().get(&name.text) {
                    Some(value) => Ok(Lookup { value: value.clone(), used: 1 }),
                    None => match self.names.variables.get(&name.text) {
                        Some(value) => Ok(Lookup { value: value.clone(), used: 1 }),
                        None => self.inner.lookup(root, steps, span),
                    },
                }
            }
            _ => self.inner.lookup(root, steps, span),
        }
    }
}

/// Something whose conditions a test expects to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    name: String,
    span: Span,
}

impl Expected {
    /// What a reference in `expect_failures` names.
    ///
    /// # Errors
    ///
    /// It names what has no conditions.
    pub fn of(reference: &Traversal) -> Result<Self, TestError> {
        let fault =
            || TestError::ExpectedFailure { name: reference.to_string(), span: reference.span };
        let name = reference.to_string();
        let steps = &reference.steps;
        let named = match reference.root.as_str() {
            "var" | "output" | "check" => steps.len() == 1 && steps[0].as_attribute().is_some(),
            "module" | "local" | "run" | "each" | "count" | "path" | "terraform" | "self" => false,
            _ => name.parse::<ResourceInstance>().is_ok(),
        };
        if named { Ok(Self { name, span: reference.span }) } else { Err(fault()) }
    }

    /// Says whether a fault is of this thing.
    fn is_of(&self, address: &str) -> bool {
        if address == self.name {
            return true;
        }
        // A resource stands for all its instances.
        let (own, other) = (self.name.parse::<ResourceInstance>(), address.parse());
        match (own, other) {
            (Ok(own), Ok::<ResourceInstance, _>(other)) => {
                own.key == address::InstanceKey::None && own.block() == other.block()
            }
            _ => false,
        }
    }

    /// The fault of this thing's not having failed.
    pub fn missing(&self) -> AssertionError {
        AssertionError::MissingFailure { name: self.name.clone(), span: self.span }
    }

    /// The warning that this thing has failed before anything was applied.
    pub fn in_plan(&self) -> AssertionError {
        AssertionError::FailureInPlan { name: self.name.clone(), span: self.span }
    }
}

/// Faults of a run, sorted.
#[derive(Debug, Default)]
pub struct Sorted {
    /// Faults that were not expected. What a check block asserts counts as an error here.
    pub unexpected: Diagnostics,
    /// Faults that were expected.
    pub expected: Diagnostics,
    /// The places of those expectations that were met.
    pub met: BTreeSet<usize>,
}

/// Sorts the faults of a run by whether they were expected.
pub fn sort_failures(found: Diagnostics, expected: &[Expected]) -> Sorted {
    let mut sorted = Sorted::default();
    for one in found {
        let failure = {
            let error: &(dyn std::error::Error + 'static) = &*one;
            error.downcast_ref::<PlanError>().and_then(failed_condition)
        };
        let Some((address, raised)) = failure else {
            sorted.unexpected.push_boxed(one);
            continue;
        };
        let met: Vec<usize> = expected
            .iter()
            .enumerate()
            .filter(|(_, e)| e.is_of(&address))
            .map(|(at, _)| at)
            .collect();
        if met.is_empty() {
            match raised {
                Some(error) => sorted.unexpected.push(error),
                None => sorted.unexpected.push_boxed(one),
            }
        } else {
            sorted.expected.push_boxed(one);
            sorted.met.extend(met);
        }
    }
    sorted
}

/// What has failed, if a condition has; for a check also the same as an error.
fn failed_condition(error: &PlanError) -> Option<(String, Option<PlanError>)> {
    match error {
        PlanError::ConditionFailed { address, .. } => Some((address.clone(), None)),
        PlanError::CheckFailed { name, message, span, values } => {
            let address = format!("check.{name}");
            let raised = PlanError::ConditionFailed {
                kind: "assertion",
                address: address.clone(),
                message: message.clone(),
                span: *span,
                values: values.clone(),
            };
            Some((address, Some(raised)))
        }
        _ => None,
    }
}
