//! Passwords and keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dashu_int::UBig;
use dashu_int::fast_div::ConstDivisor;
use value::Value;

use super::ParameterType::{Number as N, String as S};
use super::{Arguments, FunctionInfo, Reply, at, failed, param, pure};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "bcrypt",
        &[param("str", S)],
        S,
        bcrypt,
        "Makes a bcrypt hash of a text, with a salt of its own.",
    )
    .with_variadic(param("cost", N))
    .impure(),
    pure(
        "rsadecrypt",
        &[param("ciphertext", S), param("privatekey", S)],
        S,
        rsadecrypt,
        "Decrypts a text in base64 with an RSA key in PEM form.",
    ),
];

const USUAL_COST: u32 = 10;

fn bcrypt(args: &Arguments<'_>) -> Reply {
    let cost = match args.values.len() {
        1 => USUAL_COST,
        2 => args
            .number(1)
            .to_u64()
            .and_then(|cost| u32::try_from(cost).ok())
            .filter(|cost| *cost <= 31)
            .ok_or_else(|| at(1, "the cost is a whole number up to 31"))?,
        _ => return Err(at(1, "there can be one cost only")),
    };
    // Smaller costs stand for the usual one.
    let cost = if cost < 4 { USUAL_COST } else { cost };
    if args.text(0).len() > 72 {
        return Err(at(0, "it has more than 72 bytes, and bcrypt takes no more"));
    }
    let mut salt = [0; 16];
    args.ctx.world.random_bytes(&mut salt);
    ::bcrypt::hash_with_salt(args.text(0), cost, salt)
        .map(|parts| Value::string(parts.format_for_version(::bcrypt::Version::TwoA)))
        .map_err(|error| failed(format!("no hash can be made: {error}")))
}

// RSA.

/// What decrypting needs of a key.
struct Key {
    modulus: UBig,
    exponent: UBig,
}

fn rsadecrypt(args: &Arguments<'_>) -> Reply {
    let cipher = STANDARD.decode(args.text(0)).map_err(|_| at(0, "it is not base64"))?;
    let key = read_key(args.text(1))
        .ok_or_else(|| at(1, "it is not an RSA private key in PEM form without a password"))?;
    let fault = || failed("the text was not encrypted for this key");
    let cipher = UBig::from_be_bytes(&cipher);
    if cipher >= key.modulus {
        return Err(fault());
    }
    let ring = ConstDivisor::new(key.modulus.clone());
    let plain = ring.reduce(cipher).pow(&key.exponent).residue();
    let size = key.modulus.to_be_bytes().len();
    let bytes = plain.to_be_bytes();
    // Padding: 0, 2, at least eight bytes that are not 0, and 0. The first one is lost in the number.
    if bytes.len() + 1 != size || bytes.first() != Some(&2) {
        return Err(fault());
    }
    let end = bytes.iter().position(|byte| *byte == 0).filter(|end| *end >= 9).ok_or_else(fault)?;
    String::from_utf8(bytes[end + 1..].to_vec())
        .map(Value::string)
        .map_err(|_| failed("what was encrypted is not UTF-8 text"))
}

/// Reads the forms PKCS #1, PKCS #8 and OpenSSH.
fn read_key(pem: &str) -> Option<Key> {
    let begin = pem.find("-----BEGIN ")?;
    let (label, rest) = pem[begin + 11..].split_once("-----")?;
    let body = rest.split("-----END ").next()?;
    let text: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
    let bytes = STANDARD.decode(text).ok()?;
    match label {
        "RSA PRIVATE KEY" => pkcs1(&bytes),
        "PRIVATE KEY" => {
            let mut fields = Der(&bytes).sequence()?;
            fields.element(2)?;
            fields.element(0x30)?;
            pkcs1(fields.element(4)?)
        }
        "OPENSSH PRIVATE KEY" => openssh(&bytes),
        _ => None,
    }
}

fn pkcs1(bytes: &[u8]) -> Option<Key> {
    let mut fields = Der(bytes).sequence()?;
    fields.element(2)?;
    let modulus = UBig::from_be_bytes(fields.element(2)?);
    fields.element(2)?;
    let exponent = UBig::from_be_bytes(fields.element(2)?);
    usable(Key { modulus, exponent })
}

/// A modulus of nothing, or an even one, is no key.
fn usable(key: Key) -> Option<Key> {
    let odd = key.modulus.to_le_bytes().first().is_some_and(|byte| byte & 1 == 1);
    (odd && !key.modulus.is_one()).then_some(key)
}

/// The elements of a structure in DER.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn sequence(mut self) -> Option<Self> {
        self.element(0x30).map(Der)
    }

    fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if length > 0x80 {
            let count = length - 0x80;
            let (digits, after) = rest.split_at_checked(count).filter(|_| count <= 4)?;
            length = digits.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length).filter(|_| *found == tag)?;
        self.0 = rest;
        Some(content)
    }
}

fn openssh(bytes: &[u8]) -> Option<Key> {
    let mut reader = Fields(bytes.strip_prefix(b"openssh-key-v1\0")?);
    if reader.field()? != b"none" {
        return None;
    }
    reader.field()?;
    reader.field()?;
    reader.number()?;
    reader.field()?;
    let mut private = Fields(reader.field()?);
    private.number()?;
    private.number()?;
    if private.field()? != b"ssh-rsa" {
        return None;
    }
    let modulus = UBig::from_be_bytes(private.field()?);
    private.field()?;
    let exponent = UBig::from_be_bytes(private.field()?);
    usable(Key { modulus, exponent })
}

/// Fields with their lengths before them.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<usize> {
        let (digits, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        usize::try_from(u32::from_be_bytes(*digits)).ok()
    }

    fn field(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (content, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }
}
