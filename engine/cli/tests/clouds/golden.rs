//! A plan as few lines: each change with what is set, without what is not known and what is empty.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// More elements of a list than this tell nobody more.
const SHOWN: usize = 3;

/// Decisions, changes, outputs and price of a plan.
pub fn shown(text: &str, plan: &Json) -> String {
    let mut out = String::new();
    let placement = text.lines().skip_while(|line| *line != "Placement").skip(2);
    for line in placement.take_while(|line| !line.is_empty()) {
        let _ = writeln!(out, "{}", line.trim());
    }
    for change in plan["resource_changes"].as_array().into_iter().flatten() {
        let actions: Vec<&str> = change["change"]["actions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        let _ =
            writeln!(out, "\n{} {}", actions.join("/"), change["address"].as_str().unwrap_or("?"));
        for (name, value) in change["change"]["after"].as_object().into_iter().flatten() {
            if let Some(value) = short(value).filter(|_| name != "tags_all") {
                let _ = writeln!(out, "  {name} = {value}");
            }
        }
    }
    let last = text.lines().filter(|line| {
        ["Plan:", "Cost:", "  while nothing runs:"].iter().any(|start| line.starts_with(start))
    });
    for line in last {
        let _ = write!(out, "\n{line}\n");
    }
    out
}

/// What is left of a value without its empty parts.
fn short(value: &Json) -> Option<Json> {
    let kept = match value {
        Json::Null => return None,
        Json::Object(items) => {
            let items =
                items.iter().filter_map(|(name, value)| Some((name.clone(), short(value)?)));
            Json::Object(items.collect())
        }
        Json::Array(items) => {
            let mut kept: Vec<Json> = items.iter().filter_map(short).collect();
            let more = kept.len().saturating_sub(SHOWN);
            if more > 0 {
                let last = kept.pop();
                kept.truncate(SHOWN - 1);
                kept.push(Json::String(format!("… {more} more …")));
                kept.extend(last);
            }
            Json::Array(kept)
        }
        other => return Some(other.clone()),
    };
    let is_empty = kept.as_object().is_some_and(serde_json::Map::is_empty)
        || kept.as_array().is_some_and(Vec::is_empty);
    (!is_empty).then_some(kept)
}
