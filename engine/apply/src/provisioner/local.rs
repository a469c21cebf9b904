//! Runs commands on this machine.

use std::process::Stdio;

use address::ResourceInstance;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use value::Value;

use super::Around;
use crate::event::Event;

/// What a command is made of, without marks.
struct Command {
    program: String,
    arguments: Vec<String>,
    shown: String,
    folder: Option<String>,
    environment: Vec<(String, String)>,
    quiet: bool,
    secret: bool,
}

/// Runs the command; its output is told line by line.
pub(super) async fn run(
    config: &Value,
    address: &ResourceInstance,
    around: &Around,
) -> Result<(), String> {
    let command = command(config)?;
    let tell = |line: String| {
        (around.events)(Event::Provisioner {
            address: address.clone(),
            kind: "local-exec".into(),
            line,
        });
    };
    if command.secret {
        tell("(output is not shown: a sensitive value is among the arguments)".to_owned());
    } else if command.quiet {
        tell("local-exec: Executing: Suppressed by quiet=true".to_owned());
    } else {
        tell(format!("Executing: {}", command.shown));
    }
    let mut process = tokio::process::Command::new(&command.program);
    process.args(&command.arguments).envs(command.environment).kill_on_drop(true);
    process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(folder) = &command.folder {
        process.current_dir(folder);
    }
    let mut child = process
        .spawn()
        .map_err(|error| format!("`{}` cannot be started: {error}", command.program))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let shows = !command.secret;
    let ((), (), status) =
        tokio::join!(lines(out, shows, &tell), lines(err, shows, &tell), child.wait());
    let status = status.map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(());
    }
    Err(match status.code() {
        Some(code) => format!("the command ended with exit code {code}"),
        None => "the command was ended by a signal".to_owned(),
    })
}

/// Tells every line of a stream.
async fn lines(stream: Option<impl AsyncRead + Unpin>, shows: bool, tell: &impl Fn(String)) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        if shows {
            tell(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
        }
        line.clear();
    }
}

fn command(config: &Value) -> Result<Command, String> {
    let secret = !config.deep_marks().is_empty();
    let (config, _) = config.clone().unmark_deep();
    if !config.is_wholly_known() {
        return Err("an argument is still unknown".to_owned());
    }
    let text = |name: &str| config.get_attr(name).and_then(Value::as_str).map(str::to_owned);
    let shown = text("command").filter(|text| !text.is_empty()).ok_or("`command` is empty")?;
    let interpreter = config.get_attr("interpreter").and_then(Value::items).unwrap_or_default();
    let mut words: Vec<String> =
        interpreter.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if words.is_empty() {
        words = if cfg!(windows) {
            vec!["cmd".to_owned(), "/C".to_owned()]
        } else {
            vec!["/bin/sh".to_owned(), "-c".to_owned()]
        };
    }
    words.push(shown);
    let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    let shown = format!("[{}]", quoted.join(" "));
    let program = words.remove(0);
    let environment = config.get_attr("environment").and_then(Value::entries).into_iter().flatten();
    let environment = environment
        .filter_map(|(name, value)| Some((name.to_string(), value.as_str()?.to_owned())));
    Ok(Command {
        program,
        arguments: words,
        shown,
        folder: text("working_dir"),
        environment: environment.collect(),
        quiet: config.get_attr("quiet").and_then(Value::as_bool).unwrap_or(false),
        secret,
    })
}
