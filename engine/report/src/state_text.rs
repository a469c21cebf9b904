//! A state for people.

use std::fmt::Write as _;

use state::{OutputRecord, Record, StateSnapshot};
use value::{Marks, Value};

use crate::{console, diff};

/// One recorded object, in the language's notation. With a schema, its nested blocks are told from attributes.
pub fn record(record: &Record, schema: Option<&sdk::Block>) -> String {
    let mut out = String::new();
    let block = &record.address.resource;
    let kind = if block.mode == address::ResourceMode::Data { "data" } else { "resource" };
    let objects = record.current.iter().map(|object| (String::new(), object));
    let deposed =
        record.deposed.iter().map(|(key, object)| (format!(" (deposed object {key})"), object));
    for (note, object) in objects.chain(deposed) {
        let tainted = if object.status == state::ObjectStatus::Tainted { " (tainted)" } else { "" };
        let _ = writeln!(out, "# {}:{note}{tainted}", record.address);
        let _ = writeln!(out, "{kind} \"{}\" \"{}\" {{", block.type_name, block.name);
        let shown = attributes(&object.attributes_json, &object.sensitive_paths);
        for line in diff::whole(&shown, 4, schema) {
            let note =
                if line.note.is_empty() { String::new() } else { format!("# {}", line.note) };
            let text = format!("{}{}{note}", " ".repeat(line.indent), line.text);
            let _ = writeln!(out, "{}", text.trim_end());
        }
        out.push_str("}\n");
    }
    out
}

/// Recorded attributes as a value; what stands at an `any` position is unwrapped.
pub(crate) fn attributes(json: &str, sensitive: &[address::AttributePath]) -> Value {
    let tree = value::json::parse(json).unwrap_or_default();
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

/// Root outputs, in the language's notation that shows their types; sensitive ones are named but not shown.
pub fn outputs(snapshot: &StateSnapshot) -> String {
    let mut out = String::new();
    for (name, output) in &snapshot.outputs {
        let text = if output.sensitive { "<sensitive>".to_owned() } else { output_value(output) };
        let _ = writeln!(out, "{name} = {text}");
    }
    out
}

/// The value of one output, whether it may be printed or not.
pub fn output_value(output: &OutputRecord) -> String {
    output.value().map_or_else(|| output.value_json.to_string(), |value| console::value(&value))
}
