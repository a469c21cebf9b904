//! Texts in other character encodings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding;
use value::Value;

use super::ParameterType::String as S;
use super::{Arguments, Failure, FunctionInfo, Reply, at, param, pure};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "textdecodebase64",
        &[param("source", S), param("encoding", S)],
        S,
        decode,
        "Reads text in base64 that has a character encoding such as `UTF-16LE`.",
    ),
    pure(
        "textencodebase64",
        &[param("string", S), param("encoding", S)],
        S,
        encode,
        "Writes a text in a character encoding such as `UTF-16LE`, in base64.",
    ),
];

/// A way to write characters as bytes.
enum Charset {
    /// One byte for each of the first characters, up to this one.
    Direct(u32),
    Utf16 {
        little: bool,
        mark: bool,
    },
    Table(&'static Encoding),
}

/// Names are those that the IANA registered.
fn charset(args: &Arguments<'_>) -> Result<Charset, Failure> {
    let name = args.text(1).to_ascii_lowercase();
    match name.as_str() {
        "utf-16le" | "csutf16le" => Ok(Charset::Utf16 { little: true, mark: false }),
        "utf-16be" | "csutf16be" => Ok(Charset::Utf16 { little: false, mark: false }),
        "utf-16" | "csutf16" => Ok(Charset::Utf16 { little: false, mark: true }),
        "iso-8859-1" | "iso_8859-1" | "latin1" | "l1" | "cp819" | "ibm819" | "iso-ir-100"
        | "iso_8859-1:1987" | "csisolatin1" => Ok(Charset::Direct(0xff)),
        "us-ascii" | "ascii" | "ansi_x3.4-1968" | "iso-ir-6" | "us" | "csascii" | "iso646-us"
        | "ibm367" | "cp367" => Ok(Charset::Direct(0x7f)),
        other => Encoding::for_label(other.as_bytes())
            .map(Charset::Table)
            .ok_or_else(|| at(1, "no character encoding of this name is known")),
    }
}

fn encode(args: &Arguments<'_>) -> Reply {
    let text = args.text(0);
    let missing = || at(0, "it has a character that the encoding does not have");
    let bytes = match charset(args)? {
        Charset::Direct(last) => text
            .chars()
            .map(|letter| {
                u8::try_from(u32::from(letter)).ok().filter(|byte| u32::from(*byte) <= last)
            })
            .collect::<Option<Vec<u8>>>()
            .ok_or_else(missing)?,
        Charset::Utf16 { little, mark } => {
            let start = mark.then_some(0xfeff);
            let units = start.into_iter().chain(text.encode_utf16());
            units
                .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
                .collect()
        }
        Charset::Table(encoding) => {
            let (bytes, _, unmapped) = encoding.encode(text);
            if unmapped {
                return Err(missing());
            }
            bytes.into_owned()
        }
    };
    Ok(Value::string(STANDARD.encode(bytes)))
}

fn decode(args: &Arguments<'_>) -> Reply {
    let bytes = STANDARD.decode(args.text(0)).map_err(|_| at(0, "it is not base64"))?;
    let broken = || at(0, "it has bytes that mean nothing in this encoding");
    let text = match charset(args)? {
        Charset::Direct(last) => bytes
            .iter()
            .map(|byte| {
                if u32::from(*byte) <= last {
                    char::from(*byte)
                } else {
                    char::REPLACEMENT_CHARACTER
                }
            })
            .collect(),
        Charset::Utf16 { little, mark } => {
            let (body, little) = match (mark, bytes.as_slice()) {
                (true, [0xff, 0xfe, rest @ ..]) => (rest, true),
                (true, [0xfe, 0xff, rest @ ..]) => (rest, false),
                (_, all) => (all, little),
            };
            let encoding = if little { encoding_rs::UTF_16LE } else { encoding_rs::UTF_16BE };
            whole(encoding, body).ok_or_else(broken)?
        }
        Charset::Table(encoding) => whole(encoding, &bytes).ok_or_else(broken)?,
    };
    Ok(Value::string(text))
}

/// `None` if a byte means nothing.
fn whole(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(std::borrow::Cow::into_owned)
}
