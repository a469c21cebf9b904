//! go-plugin's handshake: variables that say who asks, and one line that says where to connect.
//!
//! Source: the go-plugin library, protocol 1.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Name of the variable that tells a provider that it is started by a host.
pub const COOKIE_NAME: &str = "TF_PLUGIN_MAGIC_COOKIE";
/// Its value.
pub const COOKIE_VALUE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
/// Name of the variable with the versions that a host speaks.
pub(crate) const VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
/// Name of the variable with the host's certificate.
pub(crate) const CLIENT_CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";

/// A shorter field of the line is no certificate.
const SHORTEST_CERTIFICATE: usize = 50;

/// Where a provider listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket in the file system.
    Unix(PathBuf),
    /// Host and port.
    Tcp(String),
}

/// What a provider says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The version of the provider protocol, which may be none that was asked for.
    pub(crate) version: u64,
    pub(crate) endpoint: Endpoint,
    /// Its certificate, in DER.
    pub(crate) certificate: Option<Vec<u8>>,
}

/// Reads the line. The error says what is wrong with it.
pub(crate) fn parse(line: &str) -> Result<Line, String> {
    let fields: Vec<&str> = line.trim().split('|').collect();
    let [core, version, network, address, rest @ ..] = &fields[..] else {
        return Err(format!(
            "it printed `{}` where the line of the plugin handshake belongs",
            shown(line)
        ));
    };
    if *core != "1" {
        return Err(format!("it speaks version {} of the plugin handshake, not 1", shown(core)));
    }
    let version = version
        .parse()
        .map_err(|_| format!("`{}` is no version of the provider protocol", shown(version)))?;
    let endpoint = match *network {
        "unix" => Endpoint::Unix(PathBuf::from(address)),
        "tcp" => Endpoint::Tcp((*address).to_owned()),
        other => return Err(format!("it listens on `{}`, not on `unix` or `tcp`", shown(other))),
    };
    if rest.first().is_none_or(|protocol| *protocol != "grpc") {
        return Err("it does not speak gRPC: it was built for a Terraform before 0.12".to_owned());
    }
    let certificate = match rest.get(1).map(|text| text.trim_end_matches('=')) {
        Some(text) if text.len() > SHORTEST_CERTIFICATE => {
            let bytes = STANDARD_NO_PAD.decode(text);
            Some(bytes.map_err(|_| "its certificate is not base64".to_owned())?)
        }
        _ => None,
    };
    Ok(Line { version, endpoint, certificate })
}

/// Writes the line.
pub(crate) fn line(version: u64, endpoint: &Endpoint, certificate: Option<&[u8]>) -> String {
    let (network, address) = match endpoint {
        Endpoint::Unix(path) => ("unix", path.display().to_string()),
        Endpoint::Tcp(address) => ("tcp", address.clone()),
    };
    let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
    format!("1|{version}|{network}|{address}|grpc|{certificate}")
}

/// Picks the version to serve: the highest that both know, else the lowest of ours, which the host refuses.
pub(crate) fn negotiate(asked: Option<&str>) -> u64 {
    let asked: Vec<u64> =
        asked.unwrap_or("5").split(',').filter_map(|number| number.trim().parse().ok()).collect();
    if asked.contains(&6) { 6 } else { 5 }
}

/// Text of a stranger, short and without control characters.
pub(crate) fn shown(text: &str) -> String {
    let clean: String = text.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_written() {
        let certificate = vec![7; 60];
        for endpoint in
            [Endpoint::Unix("/tmp/x/plugin".into()), Endpoint::Tcp("127.0.0.1:10001".into())]
        {
            for certificate in [None, Some(certificate.clone())] {
                let text = line(6, &endpoint, certificate.as_deref());
                let expected = Line { version: 6, endpoint: endpoint.clone(), certificate };
                assert_eq!(parse(&text), Ok(expected));
            }
        }
        let padded = format!("1|5|unix|/s|grpc|{}==\n", STANDARD_NO_PAD.encode([1; 58]));
        assert_eq!(parse(&padded).map(|line| line.certificate), Ok(Some(vec![1; 58])));
    }

    #[test]
    fn what_is_no_handshake_says_why() {
        let table = [
            (
                "debug: hello",
                "it printed `debug: hello` where the line of the plugin handshake belongs",
            ),
            ("2|6|unix|/s|grpc|", "it speaks version 2 of the plugin handshake, not 1"),
            ("1|six|unix|/s|grpc|", "`six` is no version of the provider protocol"),
            ("1|6|pipe|/s|grpc|", "it listens on `pipe`, not on `unix` or `tcp`"),
            ("1|4|unix|/s", "it does not speak gRPC: it was built for a Terraform before 0.12"),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_highest_common_version_is_served() {
        assert_eq!(negotiate(Some("5,6")), 6);
        assert_eq!(negotiate(Some("5")), 5);
        assert_eq!(negotiate(Some("9")), 5);
        assert_eq!(negotiate(None), 5);
    }
}
