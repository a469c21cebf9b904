//! Digests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use value::Value;

use super::Kind::Text;
use super::{Args, Fault, FunctionInfo, Returns, f, fault, p};

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f(
            "md5",
            &[p("text", Text)],
            Returns::Text,
            "The MD5 digest of a text, in hexadecimal.",
            |a| of::<Md5>(a, hex),
        ),
        f(
            "sha1",
            &[p("text", Text)],
            Returns::Text,
            "The SHA-1 digest of a text, in hexadecimal.",
            |a| of::<Sha1>(a, hex),
        ),
        f(
            "sha256",
            &[p("text", Text)],
            Returns::Text,
            "The SHA-256 digest of a text, in hexadecimal.",
            |a| of::<Sha256>(a, hex),
        ),
        f(
            "sha512",
            &[p("text", Text)],
            Returns::Text,
            "The SHA-512 digest of a text, in hexadecimal.",
            |a| of::<Sha512>(a, hex),
        ),
        f(
            "base64sha256",
            &[p("text", Text)],
            Returns::Text,
            "The SHA-256 digest of a text, in base 64.",
            |a| of::<Sha256>(a, base64),
        ),
        f(
            "base64sha512",
            &[p("text", Text)],
            Returns::Text,
            "The SHA-512 digest of a text, in base 64.",
            |a| of::<Sha512>(a, base64),
        ),
        f(
            "filemd5",
            &[p("path", Text)],
            Returns::Text,
            "The MD5 digest of a file, in hexadecimal.",
            |a| file::<Md5>(a, hex),
        )
        .impure(),
        f(
            "filesha1",
            &[p("path", Text)],
            Returns::Text,
            "The SHA-1 digest of a file, in hexadecimal.",
            |a| file::<Sha1>(a, hex),
        )
        .impure(),
        f(
            "filesha256",
            &[p("path", Text)],
            Returns::Text,
            "The SHA-256 digest of a file, in hexadecimal.",
            |a| file::<Sha256>(a, hex),
        )
        .impure(),
        f(
            "filesha512",
            &[p("path", Text)],
            Returns::Text,
            "The SHA-512 digest of a file, in hexadecimal.",
            |a| file::<Sha512>(a, hex),
        )
        .impure(),
        f(
            "filebase64sha256",
            &[p("path", Text)],
            Returns::Text,
            "The SHA-256 digest of a file, in base 64.",
            |a| file::<Sha256>(a, base64),
        )
        .impure(),
        f(
            "filebase64sha512",
            &[p("path", Text)],
            Returns::Text,
            "The SHA-512 digest of a file, in base 64.",
            |a| file::<Sha512>(a, base64),
        )
        .impure(),
        f(
            "uuidv5",
            &[p("namespace", Text), p("name", Text)],
            Returns::Text,
            "A UUID made from a name within a namespace.",
            uuidv5,
        ),
    ]
}

fn of<D: Digest>(args: &Args<'_>, show: fn(&[u8]) -> String) -> Result<Value, Fault> {
    Ok(show(&D::digest(args.text(0)?.as_bytes())).into())
}

fn file<D: Digest>(args: &Args<'_>, show: fn(&[u8]) -> String) -> Result<Value, Fault> {
    let bytes = super::files::read(args, 0)?;
    Ok(show(&D::digest(&bytes)).into())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A name-based UUID of version 5. Source: RFC 9562, section 5.5 and appendix C.
fn uuidv5(args: &Args<'_>) -> Result<Value, Fault> {
    let namespace = match args.text(0)? {
        "dns" => "6ba7b8109dad11d180b400c04fd430c8".to_owned(),
        "url" => "6ba7b8119dad11d180b400c04fd430c8".to_owned(),
        "oid" => "6ba7b8129dad11d180b400c04fd430c8".to_owned(),
        "x500" => "6ba7b8149dad11d180b400c04fd430c8".to_owned(),
        other => other.replace('-', ""),
    };
    let bytes: Option<Vec<u8>> = (namespace.len() == 32 && namespace.is_ascii())
        .then(|| {
            (0..16).map(|at| u8::from_str_radix(&namespace[2 * at..2 * at + 2], 16).ok()).collect()
        })
        .flatten();
    let mut input = bytes.ok_or_else(|| {
        fault(0, "the namespace is neither `dns`, `url`, `oid`, `x500` nor a UUID")
    })?;
    input.extend_from_slice(args.text(1)?.as_bytes());
    let mut digest = Sha1::digest(&input)[..16].to_vec();
    digest[6] = (digest[6] & 0x0f) | 0x50;
    digest[8] = (digest[8] & 0x3f) | 0x80;
    Ok(super::time::uuid_text(&digest).into())
}
