//! Rules on values, for their tests.

use catalog::Catalog;
use component::Decision;
use value::Value;

use crate::judge::{Circumstances, Verdict, judge};
use crate::link::Link;
use crate::rule::Rule;
use crate::subject::Subject;
use crate::when::seconds_of;

/// The catalog that the binary carries.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: std::sync::LazyLock<Catalog> = std::sync::LazyLock::new(read);
    &CATALOG
}

fn read() -> Catalog {
    let tables = modules::files().iter().filter(|(name, _)| name.ends_with(".tsv"));
    let tables = tables.map(|(name, bytes)| (*name, std::str::from_utf8(bytes).expect("text")));
    Catalog::read(tables).expect("the embedded catalog can be read")
}

/// An object from JSON in which `"?"` stands for what is not known yet.
pub(crate) fn object(json: &str) -> Value {
    let tree: serde_json::Value = serde_json::from_str(json).expect("the test is JSON");
    value::json::from_plain(&tree).transform(&mut |_, value| {
        if value.as_str() == Some("?") { Value::dynamic_unknown() } else { value }
    })
}

/// What one rule says of an object: messages, then what it waits for.
pub(crate) fn says(rule: &Rule, type_name: &str, json: &str) -> (Vec<String>, usize) {
    assert!(rule.types.contains(&type_name), "{} is not for {type_name}", rule.id);
    let mut stack = Stack::default();
    stack.add(&format!("{type_name}.x"), json, &[]);
    let verdict = stack.judge();
    let own = verdict.findings.into_iter().filter(|finding| finding.rule.id == rule.id);
    let deferred = verdict.deferred.iter().filter(|one| one.rule == rule.id).count();
    (own.map(|finding| finding.problem.message).collect(), deferred)
}

/// Several objects and components that refer to each other.
#[derive(Default)]
pub(crate) struct Stack {
    parts: Vec<Part>,
    quotas: Vec<(String, u64)>,
}

/// At noon of a day, with nothing set aside.
pub(crate) fn circumstances(quotas: &[(String, u64)]) -> Circumstances<'_> {
    let now_s = seconds_of("2026-11-26T12:00:00Z").expect("a time");
    Circumstances { catalog: catalog(), exceptions: &[], quotas, now_s }
}

struct Part {
    address: String,
    type_name: String,
    planned: Value,
    links: Vec<Link>,
    decision: Option<Decision>,
    region: String,
}

impl Stack {
    /// Adds an object by address; its links are an argument, with `/` between the parts of a path, and a target.
    pub(crate) fn add(&mut self, address: &str, json: &str, links: &[(&str, &str)]) -> &mut Self {
        let type_name = address.rsplit_once('.').expect("an address has a type").0.to_owned();
        let links = links.iter().map(|(path, target)| {
            let (home, key) = match target.split_once('[') {
                Some((home, key)) => (home, Some(format!("[{key}"))),
                None => (*target, None),
            };
            Link {
                path: path.split('|').map(str::to_owned).collect(),
                target: home.to_owned(),
                key,
            }
        });
        self.parts.push(Part {
            address: address.to_owned(),
            type_name,
            planned: object(json),
            links: links.collect(),
            decision: None,
            region: "us-east-1".to_owned(),
        });
        self
    }

    /// Says in which region the last one is.
    pub(crate) fn region(&mut self, region: &str) -> &mut Self {
        region.clone_into(&mut self.parts.last_mut().expect("something was added").region);
        self
    }

    /// Says where the last one was placed: attributes of the offer as JSON, and how many of it.
    pub(crate) fn placed(&mut self, offer: &str, machines: u64) -> &mut Self {
        let last = self.parts.last_mut().expect("something was added");
        last.decision = Some(Decision {
            component: last.address.clone(),
            component_type: last.type_name.clone(),
            backend: "aws".to_owned(),
            implementation: "aws".to_owned(),
            offer: "an offer".to_owned(),
            offer_attributes: serde_json::from_str(offer).expect("the test is JSON"),
            machines,
            standing_machines: machines,
            inputs_digest: String::new(),
            reasons: Vec::new(),
            rejected: Vec::new(),
            fallbacks: Vec::new(),
        });
        self
    }

    /// States a quota.
    pub(crate) fn quota(&mut self, machine: &str, most: u64) -> &mut Self {
        self.quotas.push((machine.to_owned(), most));
        self
    }

    /// What all rules find.
    pub(crate) fn judge(&self) -> Verdict {
        self.with_subjects(judge)
    }

    /// Gives all of them to something.
    pub(crate) fn with_subjects<T>(
        &self,
        work: impl FnOnce(&[Subject<'_>], &Circumstances<'_>) -> T,
    ) -> T {
        let prior = Value::dynamic_null();
        let subjects: Vec<Subject<'_>> = self
            .parts
            .iter()
            .map(|part| Subject {
                address: part.address.clone(),
                home: part.address.split('[').next().unwrap_or_default().to_owned(),
                type_name: &part.type_name,
                planned: &part.planned,
                prior: &prior,
                destroys: false,
                overlaps: false,
                changes: true,
                region: Some(part.region.clone()),
                links: part.links.clone().into(),
                component: false,
                decision: part.decision.as_ref(),
            })
            .collect();
        work(&subjects, &circumstances(&self.quotas))
    }

    /// What one rule finds: its messages.
    pub(crate) fn says(&self, rule: &Rule) -> Vec<String> {
        let findings = self.judge().findings.into_iter();
        let own = findings.filter(|finding| finding.rule.id == rule.id);
        own.map(|finding| finding.problem.message).collect()
    }
}

/// Asserts for each case what the rule says of an object: nothing, or something that contains a text.
pub(crate) fn table(rule: &Rule, type_name: &str, cases: &[(&str, &str, Option<&str>)]) {
    for (case, json, expected) in cases {
        let (messages, _) = says(rule, type_name, json);
        match expected {
            None => assert!(messages.is_empty(), "{case}: {messages:?}"),
            Some(part) => {
                assert!(messages.iter().any(|one| one.contains(part)), "{case}: {messages:?}");
            }
        }
    }
}

/// A subject without links, in `us-east-1`.
pub(crate) fn subject<'v>(
    type_name: &'v str,
    prior: &'v Value,
    planned: &'v Value,
    destroys: bool,
) -> Subject<'v> {
    Subject {
        address: format!("{type_name}.x"),
        home: format!("{type_name}.x"),
        type_name,
        planned,
        prior,
        destroys,
        overlaps: false,
        changes: true,
        region: Some("us-east-1".to_owned()),
        links: std::sync::Arc::from([]),
        component: false,
        decision: None,
    }
}
