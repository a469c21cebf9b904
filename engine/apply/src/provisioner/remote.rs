//! Runs scripts on another machine, and copies files to it.

use address::ResourceInstance;
use plan::Provision;
use remote::{Access, Content, Ended, Machine, RemoteError, quoted};
use value::Value;

use super::{Around, connection};
use crate::event::Event;

/// A script without a first line of its own is one for this shell.
const SHELL: &[u8] = b"#!/bin/sh\n";

/// Runs a `remote-exec` or a `file` provisioner.
pub(super) async fn run(
    provision: &Provision,
    address: &ResourceInstance,
    around: &Around,
) -> Result<(), String> {
    let secret = !provision.config.deep_marks().is_empty();
    let (config, _) = provision.config.clone().unmark_deep();
    if !config.is_wholly_known() {
        return Err("an argument is still unknown".to_owned());
    }
    let agent = around.ssh_agent.as_deref();
    let connection = connection::read(provision.connection.as_ref(), agent)?;
    let tell = |line: String| {
        let kind = std::sync::Arc::clone(&provision.kind);
        (around.events)(Event::Provisioner { address: address.clone(), kind, line });
    };
    tell(format!("Connecting to {} over SSH…", connection.shown));
    // What a machine that is not to be named says may name it.
    let hidden =
        connection.shown != connection.settings.target.host && connection.shown == "(sensitive)";
    let machine = remote::connect(&connection.settings, &mut |line| {
        if !hidden {
            tell(line);
        }
    })
    .await
    .map_err(|error| match error {
        RemoteError::Unreachable { .. } if hidden => {
            "the machine could not be reached in time".to_owned()
        }
        other => other.to_string(),
    })?;
    tell("Connected".to_owned());
    let result = if &*provision.kind == "file" {
        copy(&machine, &config).await
    } else {
        if secret {
            tell("(output is not shown: a sensitive value is among the arguments)".to_owned());
        }
        let mut show = |line: &str| {
            if !secret {
                tell(line.to_owned());
            }
        };
        scripts(&machine, &config, &connection.script_path, around, &mut show).await
    };
    machine.close().await;
    result
}

fn text<'v>(config: &'v Value, name: &str) -> Option<&'v str> {
    config.get_attr(name).and_then(Value::as_str)
}

async fn copy(machine: &Machine, config: &Value) -> Result<(), String> {
    let destination = text(config, "destination")
        .filter(|path| !path.is_empty())
        .ok_or("`destination` is empty")?;
    let result = match (text(config, "content"), text(config, "source")) {
        (Some(content), _) => {
            machine.write(Content::Bytes(content.as_bytes()), destination, Access::Usual).await
        }
        (None, Some(source)) => machine.copy(source, destination).await,
        (None, None) => return Err("neither `source` nor `content` is set".to_owned()),
    };
    result.map_err(|error| error.to_string())
}

async fn scripts(
    machine: &Machine,
    config: &Value,
    path: &str,
    around: &Around,
    show: &mut (dyn FnMut(&str) + Send),
) -> Result<(), String> {
    for script in read_scripts(config).await? {
        let mut random = [0u8; 8];
        around.world.random_bytes(&mut random);
        let path = path.replace("%RAND%", &u64::from_ne_bytes(random).to_string());
        let failed = |error: RemoteError| error.to_string();
        machine.write(Content::Bytes(&script), &path, Access::Script).await.map_err(failed)?;
        let command = format!("chmod 700 {0} && {0}", quoted(&path));
        let ended = machine.run(&command, show).await.map_err(failed)?;
        let removed = machine.run(&format!("rm -f {}", quoted(&path)), &mut |_| {}).await;
        match ended {
            // A script may end the connection, as one that restarts the machine; then it stays.
            Ended::Code(0) => drop(removed),
            Ended::Code(code) => return Err(format!("the script ended with exit code {code}")),
            Ended::Signal(name) => return Err(format!("the script was ended by signal {name}")),
        }
    }
    Ok(())
}

/// The scripts with their first lines; `inline` is one script.
async fn read_scripts(config: &Value) -> Result<Vec<Vec<u8>>, String> {
    let texts = |name: &str| {
        let items = config.get_attr(name).and_then(Value::items)?;
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        Some(texts.collect::<Option<Vec<_>>>().ok_or_else(|| format!("`{name}` holds null")))
    };
    let whole = |script: Vec<u8>| {
        if script.starts_with(b"#!") { script } else { [SHELL, &script[..]].concat() }
    };
    if let Some(lines) = texts("inline") {
        return Ok(vec![whole((lines?.join("\n") + "\n").into_bytes())]);
    }
    let paths = match (text(config, "script"), texts("scripts")) {
        (Some(script), _) => vec![script.to_owned()],
        (None, Some(scripts)) => scripts?,
        (None, None) => return Err("none of `inline`, `script` and `scripts` is set".to_owned()),
    };
    let mut found = Vec::new();
    for path in paths {
        let script = tokio::fs::read(&path).await;
        found.push(whole(script.map_err(|error| format!("`{path}` cannot be read: {error}"))?));
    }
    Ok(found)
}
