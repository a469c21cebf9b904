//! JSON for machines as two programs can be compared in it: without what is random, and without what is known to differ.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use serde_json::{Map, Value as Json, json};

/// What differs from run to run, or is written down as a difference, is taken out; objects are sorted by name and
/// resources by address.
pub fn comparable(json: &Json) -> Json {
    match json {
        Json::Object(entries) => {
            let mut out = Map::new();
            let left_out =
                ["timestamp", "@timestamp", "terraform", "stratiform", "elapsed_seconds"];
            let mut names: Vec<_> =
                entries.keys().filter(|name| !left_out.contains(&name.as_str())).collect();
            names.sort();
            for name in names {
                out.insert(name.clone(), comparable(&entries[name]));
            }
            // Terraform records what an object is made from with all that this is made from in turn.
            if out.contains_key("values") {
                out.shift_remove("depends_on");
            }
            // Terraform shows a JSON template as a constant too, unevaluated.
            if out.contains_key("references") {
                out.shift_remove("constant_value");
            }
            for id in ["id", "id_value"] {
                if out.get(id).is_some_and(Json::is_string) {
                    out.insert(id.to_owned(), json!("ID"));
                }
            }
            Json::Object(out)
        }
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(comparable).collect();
            items.sort_by_key(|item| {
                let text = |name: &str| item.get(name).map(ToString::to_string);
                (text("address").or(text("resource")), text("attribute"), text("deposed"))
            });
            Json::Array(items)
        }
        // Ids are random.
        Json::String(text) if text.len() == 36 && text.matches('-').count() == 4 => json!("ID"),
        other => other.clone(),
    }
}

/// Sensitive values are null here and shown by Terraform, so they are compared with nobody's.
pub fn without_secrets(json: &mut Json) {
    if let Json::Object(entries) = json {
        let marks = |name: &str| entries.get(name).cloned().unwrap_or(Json::Null);
        let pairs = [
            ("before", marks("before_sensitive")),
            ("after", marks("after_sensitive")),
            ("values", marks("sensitive_values")),
            ("value", marks("sensitive")),
        ];
        for (name, marks) in pairs {
            if let Some(value) = entries.get_mut(name) {
                hide(value, &marks);
            }
        }
        entries.values_mut().for_each(without_secrets);
    } else if let Json::Array(items) = json {
        items.iter_mut().for_each(without_secrets);
    }
}

/// Puts null where the marks say that a value is sensitive.
pub fn hide(value: &mut Json, marks: &Json) {
    match (value, marks) {
        (value, Json::Bool(true)) => *value = Json::Null,
        (Json::Object(entries), Json::Object(marks)) => {
            for (name, value) in entries {
                hide(value, marks.get(name).unwrap_or(&Json::Null));
            }
        }
        (Json::Array(items), Json::Array(marks)) => {
            for (value, marks) in items.iter_mut().zip(marks) {
                hide(value, marks);
            }
        }
        _ => {}
    }
}

/// The text with what is random in it named by its kind: UUIDs, ids of the simulated backend, times.
pub fn settled(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(match word {
            word if is_uuid(word) => "UUID",
            word if is_node(word) => "NODE",
            word if is_time(word) => "TIME",
            word => word,
        });
        let after = if is_time(word) {
            after.trim_start_matches(|c: char| c == ':' || is_word(c))
        } else {
            after
        };
        let mut chars = after.chars();
        out.extend(chars.next());
        rest = chars.as_str();
    }
    out
}

fn is_uuid(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// The date of an RFC 3339 time with its hour; what is after the first colon goes as well.
fn is_time(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() == 13 && bytes[10] == b'T' && bytes[4] == b'-' && bytes[7] == b'-'
}

/// `n-TOKEN-NUMBER`: what `sim_node` calls its objects.
fn is_node(word: &str) -> bool {
    let Some((token, number)) = word.strip_prefix("n-").and_then(|rest| rest.rsplit_once('-'))
    else {
        return false;
    };
    token.len() >= 8 && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}
