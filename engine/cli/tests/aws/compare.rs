//! Says in which leaves two JSON documents differ.

use std::collections::{BTreeMap, BTreeSet};

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

/// Whether a text is the hardware address of a network card; its parts are no names of their own.
fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let hex = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.len() == 6 && parts.iter().all(hex)
}

/// Two worlds that began apart name the same things differently: ids, addresses, times. A name of one world must
/// always stand for the same name of the other. What people wrote into the configuration is the same in both.
pub struct Names {
    written: BTreeSet<String>,
    there: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
}

impl Names {
    /// Nothing is named yet; `configuration` is what people wrote.
    pub fn new<'a>(configuration: impl IntoIterator<Item = &'a str>) -> Self {
        let written = configuration.into_iter().flat_map(words).map(str::to_owned).collect();
        Self { written, there: BTreeMap::new(), back: BTreeMap::new() }
    }

    /// True if the two texts say the same, each in the names of its world.
    pub fn same(&mut self, one: &str, other: &str) -> bool {
        if one == other {
            return true;
        }
        if is_mac(one) && is_mac(other) {
            return self.stand_for_each_other(one, other);
        }
        let (a, b) = (words(one), words(other));
        if a.len() != b.len() {
            return false;
        }
        let digits = |text: &str| {
            text.chars().all(|letter| letter.is_ascii_digit() || letter == 'T' || letter == 'Z')
        };
        // A clock gives one name to two things, or two names to one.
        let differ = |(x, y): &(&&str, &&str)| x != y && !(digits(x) && digits(y));
        let pairs: Vec<(&&str, &&str)> = a.iter().zip(&b).filter(differ).collect();
        if pairs.iter().any(|(x, y)| self.written.contains(**x) || self.written.contains(**y)) {
            return false;
        }
        let (x, y): (Vec<&str>, Vec<&str>) = pairs.into_iter().map(|(x, y)| (*x, *y)).unzip();
        x.is_empty() || self.stand_for_each_other(&x.join(" "), &y.join(" "))
    }

    fn stand_for_each_other(&mut self, x: &str, y: &str) -> bool {
        let there = self.there.entry(x.to_owned()).or_insert_with(|| y.to_owned());
        let back = self.back.entry(y.to_owned()).or_insert_with(|| x.to_owned());
        there == y && back == x
    }

    /// The same for lists whose order each world has chosen by its own names.
    pub fn same_elements(&mut self, one: &[Json], other: &[Json]) -> bool {
        let mut left: Vec<&str> = other.iter().filter_map(Json::as_str).collect();
        if one.len() != other.len() || left.len() != other.len() {
            return false;
        }
        one.iter().filter_map(Json::as_str).all(|text| {
            let found = left.iter().position(|candidate| {
                let (there, back) = (self.there.clone(), self.back.clone());
                let same = self.same(text, candidate);
                if !same {
                    (self.there, self.back) = (there, back);
                }
                same
            });
            found.map(|at| left.remove(at)).is_some()
        })
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).collect()
}

/// All leaves of two states that do not say the same. What providers mark as sensitive may be random.
pub fn different_states(names: &mut Names, one: &Json, other: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    let empty = serde_json::Map::new();
    let (a, b) = (one.as_object().unwrap_or(&empty), other.as_object().unwrap_or(&empty));
    let addresses: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let nothing = Json::Null;
    let sides =
        |address: &String| (a.get(address).unwrap_or(&nothing), b.get(address).unwrap_or(&nothing));
    // Ids first: what lists are ordered by is known then.
    for name in ["id", "arn", "name"] {
        for address in &addresses {
            let (x, y) = sides(address);
            if let (Some(x), Some(y)) =
                (x["attributes"][name].as_str(), y["attributes"][name].as_str())
            {
                names.same(x, y);
            }
        }
    }
    for address in addresses {
        let (x, y) = sides(address);
        walk(names, address, &without_sensitive(x), &without_sensitive(y), &mut found);
    }
    found
}

/// The object with nothing where it is sensitive, and with its marks in order.
fn without_sensitive(object: &Json) -> Json {
    let mut object = object.clone();
    let mut paths = object["sensitive_attributes"].as_array().cloned().unwrap_or_default();
    for path in &paths {
        let steps: Vec<&str> = path
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|step| step["value"].as_str())
            .collect();
        if let [name] = steps.as_slice() {
            let value = &mut object["attributes"][*name];
            *value = Json::Bool(value.is_null());
        }
    }
    paths.sort_by_key(ToString::to_string);
    object["sensitive_attributes"] = Json::Array(paths);
    object
}

fn walk(names: &mut Names, at: &str, one: &Json, other: &Json, found: &mut Vec<Difference>) {
    match (one, other) {
        (Json::Object(a), Json::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let absent = Json::from("<absent>");
            for key in keys {
                let (x, y) = (a.get(key).unwrap_or(&absent), b.get(key).unwrap_or(&absent));
                walk(names, &format!("{at}.{key}"), x, y, found);
            }
        }
        (Json::Array(a), Json::Array(b)) if !a.is_empty() && a.iter().all(Json::is_string) => {
            if !names.same_elements(a, b) {
                found.push((at.to_owned(), one.clone(), other.clone()));
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (index, (x, y)) in a.iter().zip(b).enumerate() {
                walk(names, &format!("{at}[{index}]"), x, y, found);
            }
        }
        (Json::String(a), Json::String(b)) if names.same(a, b) => {}
        _ if one == other => {}
        _ => found.push((at.to_owned(), one.clone(), other.clone())),
    }
}

#[test]
fn names_stand_for_each_other_in_both_directions() {
    let mut names = Names::new(["a train-1 and serve"]);
    assert!(names.same("arn:x/vpc-0a1b2c", "arn:x/vpc-9f8e7d"));
    assert!(names.same("vpc-0a1b2c", "vpc-9f8e7d"));
    assert!(!names.same("vpc-0a1b2c", "vpc-111111"), "one name, two meanings");
    assert!(!names.same("vpc-222222", "vpc-9f8e7d"), "two names, one meaning");
    assert!(!names.same("train", "serve"), "names that people chose");
    assert!(!names.same("train", "other"), "a name that people chose");
    assert!(names.same("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"));
    assert!(names.same("key/54fcf03e-161a-4d71", "key/6b4780de-c2f1-4678"));
    assert!(!names.same("key/54fcf03e-161a-4d71", "key/6b4780de-c2f1-aaaa"));
    assert!(names.same("02:00:00:22:cd:77", "02:00:00:4f:47:4f"));
    assert!(!names.same("02:00:00:22:cd:77", "02:00:00:00:00:01"), "one card, two addresses");
    let list = |all: &[&str]| all.iter().map(|one| Json::from(*one)).collect::<Vec<_>>();
    assert!(names.same("s-aa1", "s-zz1") && names.same("s-bb2", "s-yy2"));
    assert!(names.same_elements(&list(&["s-aa1", "s-bb2"]), &list(&["s-yy2", "s-zz1"])));
    assert!(!names.same_elements(&list(&["s-aa1"]), &list(&["s-yy2"])));
}
