//! A state for people.

use std::fmt::Write as _;

use state::{Record, StateSnapshot};
use value::{Marks, Value};

use crate::values::value;

/// One recorded object, in the language's notation.
pub fn record(record: &Record) -> String {
    let mut out = String::new();
    let block = &record.address.resource;
    let _ = writeln!(out, "# {}", record.address);
    let objects = record.current.iter().map(|object| (String::new(), object));
    let deposed =
        record.deposed.iter().map(|(key, object)| (format!(" (deposed object {key})"), object));
    for (note, object) in objects.chain(deposed) {
        let tainted =
            if object.status == state::ObjectStatus::Tainted { " (in doubt)" } else { "" };
        let _ =
            writeln!(out, "resource \"{}\" \"{}\" {{{note}{tainted}", block.type_name, block.name);
        let shown = attributes(&object.attributes_json, &object.sensitive_paths);
        let width = shown
            .entries()
            .into_iter()
            .flatten()
            .filter(|(_, v)| !v.is_null())
            .map(|(n, _)| n.len())
            .max();
        let width = width.unwrap_or(0);
        for (name, attribute) in shown.entries().into_iter().flatten().filter(|(_, v)| !v.is_null())
        {
            let _ = writeln!(out, "    {name:width$} = {}", value(attribute, 4));
        }
        out.push_str("}\n");
    }
    out
}

/// Recorded attributes as a value; what stands at an `any` position is unwrapped.
pub(crate) fn attributes(json: &str, sensitive: &[address::AttributePath]) -> Value {
    let tree: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let object = value::json::from_plain(&tree).transform(&mut |_, value| {
        let wrapped = value.is_object() && value.len() == Some(2);
        match (value.get_attr("value"), value.get_attr("type")) {
            (Some(inner), Some(_)) if wrapped => inner.clone(),
            _ => value,
        }
    });
    let paths: Vec<_> = sensitive.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
    object.mark_paths(&paths)
}

/// Root outputs; sensitive ones are named but not shown.
pub fn outputs(snapshot: &StateSnapshot) -> String {
    let width = snapshot.outputs.keys().map(|name| name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, output) in &snapshot.outputs {
        let text = if output.sensitive {
            "<sensitive>".to_owned()
        } else {
            output_value(&output.value_json)
        };
        let _ = writeln!(out, "{name:width$} = {text}");
    }
    out
}

/// The value of one output.
pub fn output_value(json: &str) -> String {
    let tree: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    value(&value::json::from_plain(&tree), 0)
}
