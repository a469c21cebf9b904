//! Says in which leaves two JSON documents differ.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// One leaf: where it is, and what both sides hold.
pub type Difference = (String, Json, Json);

/// All leaves that differ. An absent one counts as null under another name.
pub fn differences(at: &str, one: &Json, other: &Json, found: &mut Vec<Difference>) {
    match (one, other) {
        (Json::Object(a), Json::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let absent = Json::from("<absent>");
            for name in names {
                let (x, y) = (a.get(name).unwrap_or(&absent), b.get(name).unwrap_or(&absent));
                differences(&format!("{at}.{name}"), x, y, found);
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (index, (x, y)) in a.iter().zip(b).enumerate() {
                differences(&format!("{at}[{index}]"), x, y, found);
            }
        }
        _ if one == other => {}
        _ => found.push((at.to_owned(), one.clone(), other.clone())),
    }
}

/// Changes by address; one object may have a current and a deposed one. What the two programs print differently on
/// purpose is left out: this engine shows no sensitive value, and orders sets by value, Terraform by a hash.
pub fn changes(plan: &Json, part: &str) -> BTreeMap<String, Json> {
    let mut list = plan[part].as_array().cloned().unwrap_or_default();
    for one in &mut list {
        without_secrets(&mut one["change"]);
        order_sets(&mut one["change"]);
    }
    let key = |one: &Json| format!("{}{}", one["address"], one["deposed"]);
    list.into_iter().map(|one| (key(&one), one)).collect()
}

/// Removes sensitive values before and after a change.
pub fn without_secrets(change: &mut Json) {
    for (values, marks) in [("before", "before_sensitive"), ("after", "after_sensitive")] {
        let marks = change[marks].clone();
        if change.get(values).is_some() {
            redact(&mut change[values], &marks);
        }
    }
}

fn redact(value: &mut Json, marks: &Json) {
    match (value, marks) {
        (value, Json::Bool(true)) => *value = Json::Null,
        (Json::Object(value), Json::Object(marks)) => {
            for (name, mark) in marks {
                if let Some(inner) = value.get_mut(name) {
                    redact(inner, mark);
                }
            }
        }
        (Json::Array(value), Json::Array(marks)) => {
            value.iter_mut().zip(marks).for_each(|(inner, mark)| redact(inner, mark));
        }
        _ => {}
    }
}

/// Attributes of the suite that are sets of more than one object, and the paths that force a replacement.
const SETS: [&str; 3] = ["ingress", "egress", "replace_paths"];

fn order_sets(value: &mut Json) {
    match value {
        Json::Object(members) => {
            for (name, member) in members {
                order_sets(member);
                if let (true, Json::Array(elements)) = (SETS.contains(&&**name), member) {
                    elements.sort_by_key(ToString::to_string);
                }
            }
        }
        Json::Array(elements) => elements.iter_mut().for_each(order_sets),
        _ => {}
    }
}

/// Two worlds that began apart name the same things differently: ids, addresses, times. A name of one world must
/// always stand for the same name of the other.
#[derive(Default)]
pub struct Names {
    there: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
}

impl Names {
    /// True if the two texts say the same, each in the names of its world.
    pub fn same(&mut self, one: &str, other: &str) -> bool {
        let (a, b) = (words(one), words(other));
        a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| x == y || self.stands_for(x, y))
    }

    fn stands_for(&mut self, one: &str, other: &str) -> bool {
        // A clock gives one name to two things, or two names to one.
        let digits = |text: &str| {
            text.chars().all(|letter| letter.is_ascii_digit() || letter == 'T' || letter == 'Z')
        };
        if digits(one) && digits(other) {
            return true;
        }
        // Names that people chose are equal in both worlds; those that a machine chose hold digits.
        let chosen =
            |text: &str| text.len() >= 5 && text.chars().any(|letter| letter.is_ascii_digit());
        if !chosen(one) && !chosen(other) {
            return false;
        }
        let there = self.there.entry(one.to_owned()).or_insert_with(|| other.to_owned());
        let back = self.back.entry(other.to_owned()).or_insert_with(|| one.to_owned());
        there == other && back == one
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).collect()
}

#[test]
fn names_stand_for_each_other_in_both_directions() {
    let mut names = Names::default();
    assert!(names.same("arn:x/vpc-0a1b2c", "arn:x/vpc-9f8e7d"));
    assert!(names.same("vpc-0a1b2c", "vpc-9f8e7d"));
    assert!(!names.same("vpc-0a1b2c", "vpc-111111"), "one name, two meanings");
    assert!(!names.same("vpc-222222", "vpc-9f8e7d"), "two names, one meaning");
    assert!(!names.same("train", "serve"), "names that people chose");
    assert!(names.same("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"));
}
