//! `metadata functions`: how every function is called, for programs.

use serde_json::{Map, Value as Json, json};

use super::fail_message;
use crate::args::Metadata;
use crate::exit::Exit;
use crate::terminal;

/// Prints the signatures of all functions in Terraform's format, version 1.0.
pub(crate) fn metadata(command: &Metadata) -> Exit {
    let Metadata::Functions(common) = command;
    if !common.json {
        let style = terminal::style(common.no_color);
        return fail_message("`metadata functions` prints JSON only: write `-json`", style);
    }
    terminal::line(&report().to_string());
    Exit::Success
}

fn report() -> Json {
    let mut signatures: Vec<(String, Json)> =
        lang::functions().map(|info| (info.name.to_owned(), signature(info))).collect();
    signatures.push((
        "can".to_owned(),
        json!({
            "description": "Says whether an expression has a value.",
            "return_type": "bool",
            "parameters": [{ "name": "expression", "type": "dynamic" }],
        }),
    ));
    signatures.push((
        "try".to_owned(),
        json!({
            "description": "Gives the value of the first expression that has one.",
            "return_type": "dynamic",
            "variadic_parameter": { "name": "expressions", "type": "dynamic" },
        }),
    ));
    // Each can also be called by its full name.
    let full = signatures.iter().map(|(name, json)| (format!("core::{name}"), json.clone()));
    let mut all: Vec<(String, Json)> = full.collect();
    all.extend(signatures);
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    let all: Map<String, Json> = all.into_iter().collect();
    json!({ "format_version": "1.0", "function_signatures": all })
}

fn signature(info: &'static lang::FunctionInfo) -> Json {
    let mut json = Map::new();
    json.insert("description".to_owned(), info.description.into());
    json.insert("return_type".to_owned(), value::json::type_to_json(&info.return_type()));
    if !info.parameters.is_empty() {
        json.insert("parameters".to_owned(), info.parameters.iter().map(parameter).collect());
    }
    if let Some(variadic) = &info.variadic {
        json.insert("variadic_parameter".to_owned(), parameter(variadic));
    }
    Json::Object(json)
}

fn parameter(parameter: &lang::function::Parameter) -> Json {
    let mut json = Map::new();
    json.insert("name".to_owned(), parameter.name.into());
    if parameter.is_nullable() {
        json.insert("is_nullable".to_owned(), true.into());
    }
    json.insert("type".to_owned(), value::json::type_to_json(&parameter.ty.ty()));
    Json::Object(json)
}
