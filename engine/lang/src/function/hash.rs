//! Digests, of texts and of files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest;
use value::Value;

use super::ParameterType::String as S;
use super::{Arguments, FunctionInfo, Reply, at, file, param, pure};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "base64sha256",
        &[param("str", S)],
        S,
        |a| text_digest(a, base64::<sha2::Sha256>),
        "Gives the SHA-256 of a text in base64.",
    ),
    pure(
        "base64sha512",
        &[param("str", S)],
        S,
        |a| text_digest(a, base64::<sha2::Sha512>),
        "Gives the SHA-512 of a text in base64.",
    ),
    pure(
        "filebase64sha256",
        &[param("path", S)],
        S,
        |a| file_digest(a, base64::<sha2::Sha256>),
        "Gives the SHA-256 of a file in base64.",
    ),
    pure(
        "filebase64sha512",
        &[param("path", S)],
        S,
        |a| file_digest(a, base64::<sha2::Sha512>),
        "Gives the SHA-512 of a file in base64.",
    ),
    pure(
        "filemd5",
        &[param("path", S)],
        S,
        |a| file_digest(a, hex::<md5::Md5>),
        "Gives the MD5 of a file in hexadecimal.",
    ),
    pure(
        "filesha1",
        &[param("path", S)],
        S,
        |a| file_digest(a, hex::<sha1::Sha1>),
        "Gives the SHA-1 of a file in hexadecimal.",
    ),
    pure(
        "filesha256",
        &[param("path", S)],
        S,
        |a| file_digest(a, hex::<sha2::Sha256>),
        "Gives the SHA-256 of a file in hexadecimal.",
    ),
    pure(
        "filesha512",
        &[param("path", S)],
        S,
        |a| file_digest(a, hex::<sha2::Sha512>),
        "Gives the SHA-512 of a file in hexadecimal.",
    ),
    pure(
        "md5",
        &[param("str", S)],
        S,
        |a| text_digest(a, hex::<md5::Md5>),
        "Gives the MD5 of a text in hexadecimal.",
    ),
    pure(
        "sha1",
        &[param("str", S)],
        S,
        |a| text_digest(a, hex::<sha1::Sha1>),
        "Gives the SHA-1 of a text in hexadecimal.",
    ),
    pure(
        "sha256",
        &[param("str", S)],
        S,
        |a| text_digest(a, hex::<sha2::Sha256>),
        "Gives the SHA-256 of a text in hexadecimal.",
    ),
    pure(
        "sha512",
        &[param("str", S)],
        S,
        |a| text_digest(a, hex::<sha2::Sha512>),
        "Gives the SHA-512 of a text in hexadecimal.",
    ),
    pure(
        "uuidv5",
        &[param("namespace", S), param("name", S)],
        S,
        uuidv5,
        "Gives the UUID of a name in a namespace: `dns`, `url`, `oid`, `x500` or a UUID.",
    ),
];

fn text_digest(args: &Arguments<'_>, digest: fn(&[u8]) -> String) -> Reply {
    Ok(Value::string(digest(args.text(0).as_bytes())))
}

fn file_digest(args: &Arguments<'_>, digest: fn(&[u8]) -> String) -> Reply {
    Ok(Value::string(digest(&file::read(args, 0)?)))
}

fn hex<D: Digest>(bytes: &[u8]) -> String {
    to_hex(&D::digest(bytes))
}

fn base64<D: Digest>(bytes: &[u8]) -> String {
    STANDARD.encode(D::digest(bytes))
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Namespaces of RFC 4122, appendix C: they differ in one byte.
fn namespace(name: &str) -> Option<[u8; 16]> {
    let known = |kind: u8| {
        let mut bytes = *b"\x6b\xa7\xb8\x10\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8";
        bytes[3] = kind;
        bytes
    };
    match name {
        "dns" => Some(known(0x10)),
        "url" => Some(known(0x11)),
        "oid" => Some(known(0x12)),
        "x500" => Some(known(0x14)),
        other => {
            let bare = other
                .strip_prefix("urn:uuid:")
                .or_else(|| other.strip_prefix('{')?.strip_suffix('}'))
                .unwrap_or(other);
            let dashes = |at: usize| matches!(at, 8 | 13 | 18 | 23);
            let dashed = bare.len() == 36
                && bare.bytes().enumerate().all(|(at, byte)| dashes(at) == (byte == b'-'));
            let digits = if dashed { bare.replace('-', "") } else { other.to_owned() };
            let mut bytes = [0; 16];
            if digits.len() != 32 || !digits.is_ascii() {
                return None;
            }
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok()?;
            }
            Some(bytes)
        }
    }
}

fn uuidv5(args: &Arguments<'_>) -> Reply {
    let Some(namespace) = namespace(args.text(0)) else {
        return Err(at(0, "it must be `dns`, `url`, `oid`, `x500` or a UUID"));
    };
    let mut hash = sha1::Sha1::new();
    hash.update(namespace);
    hash.update(args.text(1).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Ok(Value::string(uuid_text(bytes, 5)))
}

/// The text of a UUID of a version, made of 16 bytes.
pub(super) fn uuid_text(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = to_hex(&bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}
