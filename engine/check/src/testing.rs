//! Rules on values, for their tests.

use catalog::Catalog;
use catalog::fact::days_of;
use value::Value;

use crate::judge::judge;
use crate::rule::Rule;
use crate::subject::Subject;

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
    let planned = object(json);
    let prior = Value::dynamic_null();
    let subject = Subject {
        address: format!("{type_name}.x"),
        type_name,
        planned: &planned,
        prior: &prior,
        destroys: false,
        region: Some("us-east-1".to_owned()),
    };
    let today = days_of("2026-11-26").expect("a date");
    let verdict = judge(&[subject], catalog(), &[], today);
    let own = verdict.findings.into_iter().filter(|finding| finding.rule.id == rule.id);
    let deferred = verdict.deferred.iter().filter(|one| one.contains(rule.id)).count();
    (own.map(|finding| finding.problem.message).collect(), deferred)
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
