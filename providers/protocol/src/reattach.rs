//! `TF_REATTACH_PROVIDERS`: providers that somebody else has started, in a debugger or a test.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::handshake::Endpoint;
use crate::host::Source;
use crate::rpc::Version;

/// Reads the variable: addresses, and where their providers listen.
pub fn parse(text: &str) -> Result<Vec<(String, Source)>, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    let entries = json.as_object().ok_or("it must be an object")?;
    entries.iter().map(|(address, entry)| Ok((address.clone(), source(address, entry)?))).collect()
}

fn source(address: &str, entry: &Json) -> Result<Source, String> {
    let lacks = |what: &str| format!("the entry of `{address}` lacks {what}");
    if entry["Protocol"].as_str() != Some("grpc") {
        return Err(format!("the entry of `{address}` must have the protocol `grpc`"));
    }
    let version = match entry["ProtocolVersion"].as_u64() {
        None | Some(0) => Version::V5,
        Some(number) => Version::from_number(number)
            .ok_or_else(|| format!("`{address}` speaks version {number}; 5 and 6 are known"))?,
    };
    let path = entry["Addr"]["String"].as_str().ok_or_else(|| lacks("`Addr.String`"))?;
    let endpoint = match entry["Addr"]["Network"].as_str() {
        Some("unix") => Endpoint::Unix(PathBuf::from(path)),
        Some("tcp") => Endpoint::Tcp(path.to_owned()),
        _ => return Err(lacks("a network, `unix` or `tcp`")),
    };
    Ok(Source::Reattach { endpoint, version })
}

/// Writes the variable for one provider.
pub fn write(address: &str, version: Version, endpoint: &Endpoint) -> String {
    let (network, path) = match endpoint {
        Endpoint::Unix(path) => ("unix", path.display().to_string()),
        Endpoint::Tcp(address) => ("tcp", address.clone()),
    };
    json!({ address: {
        "Protocol": "grpc",
        "ProtocolVersion": version.number(),
        "Pid": std::process::id(),
        "Test": true,
        "Addr": { "Network": network, "String": path },
    } })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_reads_back() {
        let endpoint = Endpoint::Unix("/tmp/s".into());
        let text = write("registry.terraform.io/x/y", Version::V6, &endpoint);
        let read = parse(&text).expect("an entry");
        assert_eq!(read[0].0, "registry.terraform.io/x/y");
        assert!(
            matches!(&read[0].1, Source::Reattach { endpoint: e, version: Version::V6 } if *e == endpoint)
        );
    }

    #[test]
    fn a_wrong_entry_says_what_is_wrong() {
        for (text, expected) in [
            ("x", "no JSON"),
            ("[]", "it must be an object"),
            (r#"{"a":{"Protocol":"netrpc"}}"#, "must have the protocol `grpc`"),
            (r#"{"a":{"Protocol":"grpc","ProtocolVersion":4}}"#, "speaks version 4"),
            (r#"{"a":{"Protocol":"grpc","Addr":{"Network":"unix"}}}"#, "lacks `Addr.String`"),
        ] {
            let fault = parse(text).expect_err(text);
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
