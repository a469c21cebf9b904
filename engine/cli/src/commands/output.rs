//! `output`: what the root module's outputs say.

use serde_json::{Value as Json, json};

use super::fail_message;
use super::state::snapshot;
use crate::args::Output;
use crate::exit::Exit;
use crate::session::Session;
use crate::terminal;

/// Shows outputs.
pub(crate) fn output(session: &Session, args: &Output) -> Exit {
    let style = terminal::style(args.common.no_color);
    let snapshot = match snapshot(session, &args.common) {
        Ok(snapshot) => snapshot,
        Err(exit) => return exit,
    };
    let parse = |text: &str| value::json::parse(text).unwrap_or_default();
    let Some(name) = &args.name else {
        if args.common.json {
            let all: serde_json::Map<String, Json> = snapshot
                .outputs
                .iter()
                .map(|(name, output)| {
                    let entry = json!({
                        "sensitive": output.sensitive,
                        "type": parse(&output.type_json),
                        "value": parse(&output.value_json),
                    });
                    (name.to_string(), entry)
                })
                .collect();
            terminal::line(&format!("{:#}", Json::Object(all)));
        } else if snapshot.outputs.is_empty() {
            terminal::error_line("The state has no outputs.");
        } else {
            terminal::print(&report::state_text::outputs(&snapshot));
        }
        return Exit::Success;
    };
    let Some(output) = snapshot.outputs.get(name.as_str()) else {
        let near = syntax::suggest(name, snapshot.outputs.keys().map(|key| &**key));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return fail_message(&format!("the state has no output `{name}`{hint}"), style);
    };
    if args.common.json {
        terminal::line(&output.value_json);
    } else if args.raw {
        match parse(&output.value_json) {
            Json::String(text) => terminal::print(&text),
            value @ (Json::Number(_) | Json::Bool(_)) => terminal::print(&value.to_string()),
            _ => {
                return fail_message(
                    "`-raw` prints strings, numbers and bools; use `-json`",
                    style,
                );
            }
        }
    } else {
        terminal::line(&report::state_text::output_value(output));
    }
    Exit::Success
}
