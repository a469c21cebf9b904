//! Runs the rules.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use catalog::Catalog;

use crate::exception::Exception;
use crate::rule::{Finding, Found, RULES};
use crate::subject::{Everything, Subject};

/// What the rules have found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// What is wrong, in the order of subjects, then of rules.
    pub findings: Vec<Finding>,
    /// What an exception sets aside, with its place in the list of exceptions.
    pub excepted: Vec<(Finding, usize)>,
    /// Checks that wait for values.
    pub deferred: Vec<Waits>,
    /// How many checks were made.
    pub checked: usize,
}

/// A check that waits for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// What is looked at.
    pub address: String,
    /// The rule, by id or name.
    pub rule: String,
    /// What is to be checked, and what for it waits.
    pub text: String,
}

impl std::fmt::Display for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.address, self.text)
    }
}

/// Types that no rule is for, but that rules look at beside others.
const BESIDE: &[&str] = &[
    "aws_sagemaker_endpoint",
    "aws_security_group",
    "aws_security_group_rule",
    "aws_subnet",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
];

/// Whether any rule is for resources of this type.
pub fn concerns(type_name: &str) -> bool {
    static TYPES: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| RULES.iter().flat_map(|rule| rule.types.iter().copied()).collect());
    TYPES.contains(type_name)
}

/// Whether rules look at resources of this type, be it beside others.
pub fn is_seen(type_name: &str) -> bool {
    concerns(type_name) || is_beside(type_name)
}

/// Whether rules look at resources of this type beside those that they are for.
pub fn is_beside(type_name: &str) -> bool {
    BESIDE.contains(&type_name)
}

/// What rules go by beside the subjects.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// What backends sell.
    pub catalog: &'a Catalog,
    /// Rules that people have set aside.
    pub exceptions: &'a [Exception],
    /// How many machines there may be, by `backend/type`.
    pub quotas: &'a [(String, u64)],
    /// Seconds since 1970.
    pub now_s: i64,
}

/// Looks at all subjects.
pub fn judge(subjects: &[Subject<'_>], given: &Circumstances<'_>) -> Verdict {
    let exceptions = given.exceptions;
    let today = given.now_s.div_euclid(crate::when::SECONDS_PER_DAY);
    let mut verdict = Verdict::default();
    let all = Everything::new(subjects);
    for subject in subjects.iter().filter(|subject| subject.changes) {
        for rule in RULES.iter().filter(|rule| rule.types.contains(&subject.type_name)) {
            let mut found = Found::new(given, &all);
            (rule.run)(subject, &mut found);
            verdict.checked += 1;
            for name in found.waits_for {
                verdict.deferred.push(Waits {
                    address: subject.address.clone(),
                    rule: rule.id.to_owned(),
                    text: format!("{} {}, once `{name}` is known", rule.id, rule.title),
                });
            }
            for problem in found.findings {
                let finding = Finding { rule, address: subject.address.clone(), problem };
                let excepted =
                    exceptions.iter().position(|one| one.covers(rule.id, &finding.address, today));
                match excepted {
                    Some(at) => verdict.excepted.push((finding, at)),
                    None => verdict.findings.push(finding),
                }
            }
        }
    }
    verdict
}
