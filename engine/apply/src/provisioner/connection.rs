//! What a `connection` block comes to.
//!
//! Source: the arguments and defaults that Terraform documents for connections.

use std::path::Path;
use std::time::Duration;

use remote::{Agent, Login, Proxy, Settings};
use value::{Marks, Value};

/// How long it is tried to connect, where the block does not say.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// Where scripts are put.
const SCRIPT_PATH: &str = "/tmp/terraform_%RAND%.sh";

/// How to reach a machine, and where scripts go on it.
pub(super) struct Connection {
    pub(super) settings: Settings,
    /// With `%RAND%` where something random belongs.
    pub(super) script_path: String,
    /// The machine as people may see it.
    pub(super) shown: String,
}

/// Reads the values of a block. Errors are for people; no secret is in them.
pub(super) fn read(block: Option<&Value>, agent: Option<&Path>) -> Result<Connection, String> {
    let Some(marked) = block else {
        return Err("it needs a `connection` block that says how to reach the machine".to_owned());
    };
    let (block, _) = marked.clone().unmark_deep();
    if !block.is_wholly_known() {
        return Err("an argument of its connection is still unknown".to_owned());
    }
    let text = |name: &str| {
        let text = block.get_attr(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    match text("type").as_deref() {
        None | Some("ssh") => {}
        Some("winrm") => {
            return Err("connections of type `winrm` do not exist here; Windows has an OpenSSH server, which `type = \"ssh\"` reaches".to_owned());
        }
        Some(other) => {
            return Err(format!("there is no connection of type `{other}`; write `ssh`"));
        }
    }
    match text("target_platform").as_deref() {
        None | Some("unix") => {}
        Some("windows") => {
            return Err("machines with `target_platform = \"windows\"` cannot be provisioned yet; only those with a POSIX shell".to_owned());
        }
        Some(other) => return Err(format!("`target_platform` is `{other}`; write `unix`")),
    }
    let host = text("host").ok_or("its connection has no `host`")?;
    let port = |name: &str, usual: u16| match block.get_attr(name).and_then(Value::as_number) {
        None => Ok(usual),
        Some(number) => match number.to_u64().map(u16::try_from) {
            Some(Ok(0)) => Ok(usual),
            Some(Ok(port)) => Ok(port),
            _ => Err(format!("`{name}` is {number}; ports go from 1 to 65535")),
        },
    };
    let target = Login {
        host: bare(&host),
        port: port("port", 22)?,
        user: text("user").unwrap_or_else(|| "root".to_owned()),
        password: text("password"),
        private_key: text("private_key"),
        certificate: text("certificate"),
        host_key: text("host_key"),
    };
    let bastion = match text("bastion_host") {
        None => None,
        Some(host) => Some(Login {
            host: bare(&host),
            port: port("bastion_port", target.port)?,
            user: text("bastion_user").unwrap_or_else(|| target.user.clone()),
            password: text("bastion_password").or_else(|| target.password.clone()),
            // A certificate belongs to its key: they come from the same place.
            certificate: text("bastion_certificate").or_else(|| {
                let own = text("bastion_private_key").is_some();
                target.certificate.clone().filter(|_| !own)
            }),
            private_key: text("bastion_private_key").or_else(|| target.private_key.clone()),
            host_key: text("bastion_host_key"),
        }),
    };
    let proxy = match text("proxy_host") {
        None => None,
        Some(host) => {
            let scheme = text("proxy_scheme").unwrap_or_else(|| "http".to_owned());
            if scheme != "http" {
                return Err(format!(
                    "proxies of scheme `{scheme}` do not exist here; write `http`"
                ));
            }
            let user = text("proxy_user_name");
            let credentials =
                user.map(|user| (user, text("proxy_user_password").unwrap_or_default()));
            Some(Proxy { host: bare(&host), port: port("proxy_port", 80)?, credentials })
        }
    };
    let timeout = match text("timeout") {
        None => TIMEOUT,
        Some(text) => duration(&text).ok_or_else(|| {
            format!(
                "`timeout` is `{text}`; write a number with its unit, as `90s`, `5m` or `1h30m`"
            )
        })?,
    };
    let shown = match marked.get_attr("host").map(Value::deep_marks) {
        Some(marks) if marks == Marks::default() => host,
        _ => "(sensitive)".to_owned(),
    };
    Ok(Connection {
        settings: Settings {
            target,
            bastion,
            proxy,
            agent: socket(&block, agent)?
                .map(|socket| Agent { socket, identity: text("agent_identity") }),
            timeout,
        },
        script_path: text("script_path").unwrap_or_else(|| SCRIPT_PATH.to_owned()),
        shown,
    })
}

/// The agent is asked where there is one, unless `agent` says otherwise.
fn socket(block: &Value, agent: Option<&Path>) -> Result<Option<std::path::PathBuf>, String> {
    match block.get_attr("agent").and_then(Value::as_bool) {
        Some(false) => Ok(None),
        Some(true) if agent.is_none() => {
            Err("`agent` is true, and `SSH_AUTH_SOCK` names no agent".to_owned())
        }
        _ => Ok(agent.map(Path::to_path_buf)),
    }
}

/// An IPv6 address may stand in brackets.
fn bare(host: &str) -> String {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).to_owned()
}

/// Numbers with units, as `1h30m` or `1.5s`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        rest = &rest[end..];
        seconds += number * unit;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let table = [
            ("90s", Some(90.0)),
            ("5m", Some(300.0)),
            ("1h30m", Some(5400.0)),
            ("1.5s", Some(1.5)),
            ("250ms", Some(0.25)),
            ("300", None),
            ("5 m", None),
            ("-5m", None),
            ("", None),
            ("5x", None),
        ];
        for (text, wanted) in table {
            assert_eq!(duration(text).map(|found| found.as_secs_f64()), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_not_said_has_its_usual_value() {
        let block = Value::object([
            ("host", Value::from("[::1]")),
            ("private_key", Value::from("k")),
            ("certificate", Value::from("c")),
            ("bastion_host", Value::from("b")),
            ("bastion_private_key", Value::from("other")),
            ("bastion_port", Value::from(2222)),
        ]);
        let found =
            read(Some(&block), Some(Path::new("/agent"))).map_err(|_| ()).expect("it is complete");
        let target = &found.settings.target;
        assert_eq!((&*target.host, target.port, &*target.user), ("::1", 22, "root"));
        let bastion = found.settings.bastion.as_ref().expect("there is one");
        assert_eq!((bastion.port, bastion.private_key.as_deref()), (2222, Some("other")));
        assert_eq!(bastion.certificate, None, "it is for the other key");
        assert!(found.settings.agent.is_some());
        assert_eq!(found.settings.timeout, Duration::from_secs(300));
    }
}
