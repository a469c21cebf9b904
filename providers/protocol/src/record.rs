//! Writes calls down as text that can be compared: one line for a question, one for its answer.
//!
//! The text holds what the messages hold, secrets too: it is made only where a person asks for it.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use prost::Message;
use rmp::Marker;

use crate::rpc::{Method, Version};
use crate::wire;

/// Takes calls down in a file. Cheap to clone.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<File>>);

impl Recorder {
    /// Adds to a file, which only its owner may read.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = File::options().create(true).append(true).mode(0o600).open(path)?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// Takes one call down; `answer` is the fault where it failed.
    pub(crate) fn record(
        &self,
        provider: &str,
        method: Method,
        version: Version,
        question: &Bytes,
        answer: Result<&Bytes, &str>,
    ) {
        let name = method.name();
        let mut text = format!("{provider} {name} > {}\n", question_text(method, question));
        let answer = match answer {
            Ok(answer) => answer_text(method, version, answer),
            Err(fault) => format!("failed: {fault}"),
        };
        let _ = writeln!(text, "{provider} {name} < {answer}");
        if let Ok(mut file) = self.0.lock() {
            // A record that cannot be written must not stop the work.
            let _ = file.write_all(text.as_bytes());
        }
    }
}

fn shown<M: Message + Default + fmt::Debug>(bytes: &Bytes) -> String {
    match M::decode(bytes.clone()) {
        Ok(message) => format!("{message:?}"),
        Err(error) => format!("{} bytes that cannot be read: {error}", bytes.len()),
    }
}

fn question_text(method: Method, bytes: &Bytes) -> String {
    match method {
        Method::GetMetadata
        | Method::GetSchema
        | Method::GetIdentities
        | Method::GetFunctions
        | Method::Stop => shown::<wire::Empty>(bytes),
        Method::UpgradeIdentity => shown::<wire::UpgradeIdentity>(bytes),
        Method::ValidateProvider => shown::<wire::ValidateProvider>(bytes),
        Method::ValidateResource
        | Method::ValidateData
        | Method::ValidateEphemeral
        | Method::Open => shown::<wire::Validate>(bytes),
        Method::Upgrade => shown::<wire::Upgrade>(bytes),
        Method::Configure => shown::<wire::Configure>(bytes),
        Method::Read => shown::<wire::Read>(bytes),
        Method::Plan => shown::<wire::Plan>(bytes),
        Method::Apply => shown::<wire::Apply>(bytes),
        Method::Import => shown::<wire::Import>(bytes),
        Method::Move => shown::<wire::Move>(bytes),
        Method::ReadData => shown::<wire::ReadData>(bytes),
        Method::Renew | Method::Close => shown::<wire::Ephemeral>(bytes),
        Method::CallFunction => shown::<wire::CallFunction>(bytes),
    }
}

fn answer_text(method: Method, _version: Version, bytes: &Bytes) -> String {
    match method {
        Method::GetMetadata => shown::<wire::Metadata>(bytes),
        // The schemas of a big provider would be most of the record.
        Method::GetSchema | Method::GetIdentities => format!("{} bytes", bytes.len()),
        Method::UpgradeIdentity => shown::<wire::UpgradeIdentityAnswer>(bytes),
        Method::ValidateProvider => shown::<wire::ValidateProviderAnswer>(bytes),
        Method::ValidateResource
        | Method::ValidateData
        | Method::ValidateEphemeral
        | Method::Configure
        | Method::Close => shown::<wire::Diagnostics>(bytes),
        Method::Upgrade => shown::<wire::UpgradeAnswer>(bytes),
        Method::Read => shown::<wire::ReadAnswer>(bytes),
        Method::Plan => shown::<wire::PlanAnswer>(bytes),
        Method::Apply => shown::<wire::ApplyAnswer>(bytes),
        Method::Import => shown::<wire::ImportAnswer>(bytes),
        Method::Move => shown::<wire::MoveAnswer>(bytes),
        Method::ReadData => shown::<wire::ReadDataAnswer>(bytes),
        Method::Open => shown::<wire::OpenAnswer>(bytes),
        Method::Renew => shown::<wire::RenewAnswer>(bytes),
        Method::GetFunctions => shown::<wire::Functions>(bytes),
        Method::CallFunction => shown::<wire::CallFunctionAnswer>(bytes),
        Method::Stop => shown::<wire::StopAnswer>(bytes),
    }
}

/// As JSON without blanks, however it was written.
impl fmt::Debug for wire::RawState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::from_slice::<serde_json::Value>(&self.json) {
            Ok(json) => write!(f, "{json}"),
            Err(_) => f.write_str(&String::from_utf8_lossy(&self.json)),
        }?;
        if self.flatmap.is_empty() { Ok(()) } else { write!(f, " {:?}", self.flatmap) }
    }
}

impl fmt::Debug for wire::DynamicValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.msgpack.is_empty() {
            return f.write_str(&String::from_utf8_lossy(&self.json));
        }
        let mut text = String::new();
        let mut rest = &*self.msgpack;
        if item(&mut rest, &mut text, 0).is_none() || !rest.is_empty() {
            text.push_str("(cut short)");
        }
        f.write_str(&text)
    }
}

/// Writes one item of MessagePack, whatever its type; `None` if it is cut short or too deep.
fn item(rest: &mut &[u8], out: &mut String, depth: usize) -> Option<()> {
    if depth > 256 {
        return None;
    }
    let marker = Marker::from_u8(take(rest, 1)?[0]);
    // Writing to a string cannot fail.
    let _ = match marker {
        Marker::Null => write!(out, "null"),
        Marker::True => write!(out, "true"),
        Marker::False => write!(out, "false"),
        Marker::FixPos(number) => write!(out, "{number}"),
        Marker::FixNeg(number) => write!(out, "{number}"),
        Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => {
            write!(out, "{}", number(rest, width(marker))?)
        }
        Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => {
            let width = width(marker);
            let shift = 64 - 8 * width;
            write!(out, "{}", (number(rest, width)? << shift).cast_signed() >> shift)
        }
        Marker::F32 => {
            let bits = u32::try_from(number(rest, 4)?).ok()?;
            write!(out, "{}", f32::from_bits(bits))
        }
        Marker::F64 => write!(out, "{}", f64::from_bits(number(rest, 8)?)),
        Marker::FixStr(length) => return string(rest, length.into(), out),
        Marker::Str8
        | Marker::Bin8
        | Marker::Str16
        | Marker::Bin16
        | Marker::Str32
        | Marker::Bin32 => {
            let length = usize::try_from(number(rest, width(marker))?).ok()?;
            return string(rest, length, out);
        }
        Marker::FixArray(length) => return array(rest, length.into(), out, depth),
        Marker::Array16 | Marker::Array32 => {
            let length = number(rest, width(marker))?;
            return array(rest, length, out, depth);
        }
        Marker::FixMap(length) => return map(rest, length.into(), out, depth),
        Marker::Map16 | Marker::Map32 => {
            let length = number(rest, width(marker))?;
            return map(rest, length, out, depth);
        }
        Marker::FixExt1 => return extension(rest, 1, out, depth),
        Marker::FixExt2 => return extension(rest, 2, out, depth),
        Marker::FixExt4 => return extension(rest, 4, out, depth),
        Marker::FixExt8 => return extension(rest, 8, out, depth),
        Marker::FixExt16 => return extension(rest, 16, out, depth),
        Marker::Ext8 | Marker::Ext16 | Marker::Ext32 => {
            let length = usize::try_from(number(rest, width(marker))?).ok()?;
            return extension(rest, length, out, depth);
        }
        Marker::Reserved => return None,
    };
    Some(())
}

fn width(marker: Marker) -> usize {
    match marker {
        Marker::U8 | Marker::I8 | Marker::Str8 | Marker::Bin8 | Marker::Ext8 => 1,
        Marker::U16
        | Marker::I16
        | Marker::Str16
        | Marker::Bin16
        | Marker::Ext16
        | Marker::Array16
        | Marker::Map16 => 2,
        Marker::U64 | Marker::I64 => 8,
        _ => 4,
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn number(rest: &mut &[u8], width: usize) -> Option<u64> {
    Some(take(rest, width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn string(rest: &mut &[u8], length: usize, out: &mut String) -> Option<()> {
    let _ = write!(out, "{:?}", String::from_utf8_lossy(take(rest, length)?));
    Some(())
}

fn array(rest: &mut &[u8], length: u64, out: &mut String, depth: usize) -> Option<()> {
    out.push('[');
    for at in 0..length {
        if at > 0 {
            out.push_str(", ");
        }
        item(rest, out, depth + 1)?;
    }
    out.push(']');
    Some(())
}

fn map(rest: &mut &[u8], length: u64, out: &mut String, depth: usize) -> Option<()> {
    out.push('{');
    for at in 0..length {
        if at > 0 {
            out.push_str(", ");
        }
        item(rest, out, depth + 1)?;
        out.push_str(": ");
        item(rest, out, depth + 1)?;
    }
    out.push('}');
    Some(())
}

fn extension(rest: &mut &[u8], length: usize, out: &mut String, depth: usize) -> Option<()> {
    let code = take(rest, 1)?[0];
    let mut payload = take(rest, length)?;
    out.push_str("(unknown");
    if code == 12 {
        out.push(' ');
        item(&mut payload, out, depth + 1)?;
    }
    out.push(')');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use value::{Refinement, Type, Value};

    #[test]
    fn values_are_shown_as_what_they_are() {
        let value = Value::object([
            ("a", Value::tuple(vec![Value::from(-300), Value::from("x\"y")])),
            ("b", Value::unknown(Type::String)),
            ("c", Value::unknown_refined(Type::String, Refinement::not_null())),
            ("d", Value::null(Type::Bool)),
        ]);
        let msgpack = value::msgpack::encode(&value, &value.ty()).expect("written");
        let sent = wire::DynamicValue { msgpack, json: Vec::new() };
        assert_eq!(
            format!("{sent:?}"),
            r#"{"a": [-300, "x\"y"], "b": (unknown), "c": (unknown {1: false}), "d": null}"#
        );
    }
}
