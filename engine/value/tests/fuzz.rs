//! Random bytes, near to what providers send and states hold, through the codecs.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test binary"
)]

#[path = "../../syntax/tests/fuzz/driver.rs"]
mod driver;

use driver::fuzz;
use stratiform_value as value;
use value::{Number, Refinement, Type, Value, json, msgpack};

/// A small random source: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

const NAMES: &[&str] = &["a", "b", "id", "größe", "", "a b"];
const TEXTS: &[&str] = &["", "a", "é", "e\u{301}", "日本", "\u{0}", "\"", "true", "12", "${x}"];
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "127",
    "128",
    "-32",
    "-33",
    "255",
    "256",
    "65536",
    "4294967296",
    "0.1",
    "0.5",
    "-1e-9",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1e40",
    "3.4028235e38",
    "123456789012345678901234567890.5",
];

fn some_type(random: &mut Random, depth: usize) -> Type {
    match random.below(if depth == 0 { 4 } else { 9 }) {
        0 => Type::Bool,
        1 => Type::Number,
        2 => Type::String,
        3 => Type::Dynamic,
        4 => Type::list(some_type(random, depth - 1)),
        5 => Type::set(some_type(random, depth - 1)),
        6 => Type::map(some_type(random, depth - 1)),
        7 => Type::tuple(
            (0..random.below(4)).map(|_| some_type(random, depth - 1)).collect::<Vec<_>>(),
        ),
        _ => {
            let count = random.below(4);
            Type::object(
                (0..count)
                    .map(|_| (random.one_of(NAMES), some_type(random, depth - 1)))
                    .collect::<Vec<_>>(),
            )
        }
    }
}

/// A value that fits a type. What has no type of its own yet gets one.
fn some_value(random: &mut Random, ty: &Type, depth: usize) -> Value {
    match random.below(12) {
        0 => return Value::null(ty.clone()),
        1 => return Value::unknown(ty.clone()),
        2 => return Value::unknown_refined(ty.clone(), some_refinement(random, ty)),
        _ => {}
    }
    let count = random.below(if depth == 0 { 1 } else { 4 });
    match ty {
        Type::Bool => Value::bool(random.once_in(2)),
        Type::Number => Value::number(Number::parse(random.one_of(NUMBERS)).unwrap()),
        Type::String => Value::string(random.one_of(TEXTS)),
        // One type for all elements, as a list has it.
        Type::List(element) => {
            let element = settled(random, element);
            let items = (0..count).map(|_| some_value(random, &element, depth.saturating_sub(1)));
            Value::list(element.clone(), items.collect())
        }
        Type::Set(element) => {
            let element = settled(random, element);
            let items = (0..count).map(|_| some_value(random, &element, depth.saturating_sub(1)));
            Value::set(element.clone(), items.collect())
        }
        Type::Map(element) => {
            let element = settled(random, element);
            let items = (0..count).map(|_| {
                (random.one_of(NAMES), some_value(random, &element, depth.saturating_sub(1)))
            });
            let items: Vec<_> = items.collect();
            Value::map(element, items)
        }
        Type::Tuple(elements) => Value::tuple(
            elements.iter().map(|ty| some_value(random, ty, depth.saturating_sub(1))).collect(),
        ),
        Type::Object(object) => Value::object(
            object
                .attributes
                .iter()
                .map(|(name, attribute)| {
                    (name.clone(), some_value(random, &attribute.ty, depth.saturating_sub(1)))
                })
                .collect::<Vec<_>>(),
        ),
        Type::Dynamic => {
            let ty = settled(random, &Type::Dynamic);
            some_value(random, &ty, depth.saturating_sub(1))
        }
    }
}

/// The type with something definite in the place of every `any`.
fn settled(random: &mut Random, ty: &Type) -> Type {
    match ty {
        Type::Dynamic => [Type::Bool, Type::Number, Type::String][random.below(3)].clone(),
        Type::List(element) => Type::list(settled(random, element)),
        Type::Set(element) => Type::set(settled(random, element)),
        Type::Map(element) => Type::map(settled(random, element)),
        Type::Tuple(elements) => {
            Type::tuple(elements.iter().map(|ty| settled(random, ty)).collect::<Vec<_>>())
        }
        Type::Object(object) => Type::object(
            object
                .attributes
                .iter()
                .map(|(name, attribute)| (name.clone(), settled(random, &attribute.ty)))
                .collect::<Vec<_>>(),
        ),
        other => other.clone(),
    }
}

fn some_refinement(random: &mut Random, ty: &Type) -> Refinement {
    let mut refinement = Refinement { not_null: random.once_in(2), ..Refinement::default() };
    match ty {
        Type::String if random.once_in(2) => {
            refinement.prefix = Some(["a", "é-", "arn:"][random.below(3)].into());
        }
        Type::Number => {
            if random.once_in(2) {
                refinement.lower = Some((Number::from(1), random.once_in(2)));
            }
            if random.once_in(2) {
                refinement.upper = Some((Number::parse("10.5").unwrap(), random.once_in(2)));
            }
        }
        Type::List(_) | Type::Set(_) | Type::Map(_) => {
            refinement.min_length = Some(random.below(3));
            refinement.max_length = Some(3 + random.below(3));
        }
        _ => {}
    }
    refinement
}

/// Changes a few bytes; `bits` are pieces that mean something in the format.
fn mutate(random: &mut Random, bytes: &[u8], bits: &[&[u8]]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 => drop(bytes.splice(at..at, random.one_of(bits).iter().copied())),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 if at < bytes.len() => bytes[at] = random.below(256).try_into().unwrap(),
            3 => bytes.truncate(at),
            4 => {
                let end = (at + random.below(6)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let end = (at + random.below(20)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
        }
    }
    bytes
}

#[test]
fn message_pack() {
    const BITS: &[&[u8]] = &[
        &[0xc0],
        &[0xc1],
        &[0xc2],
        &[0x80],
        &[0x90],
        &[0x92],
        &[0xdc, 0xff, 0xff],
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xdf, 0x7f, 0xff, 0xff, 0xff],
        &[0xdb, 0xff, 0xff, 0xff, 0xff],
        &[0xc6, 0x80, 0, 0, 0],
        &[0xd4, 0, 0],
        &[0xc7, 4, 12, 0x82, 1, 0xc2, 2],
        &[0xc7, 3, 12, 0x81, 5, 0xff],
        &[0xc9, 0xff, 0xff, 0xff, 0xff, 12],
        &[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
        &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        &[0xca, 0x80, 0, 0, 0],
        b"\x92\xc4\x09\"dynamic\"",
        b"\x92\xc4\x08\"string\"",
        b"\x92\xc4\x11[\"list\",\"string\"]",
        b"\xa61e9999",
        b"\xa9-1e-99999",
        &[0xa2, 0xff, 0xfe],
    ];
    fuzz("message_pack", |seed| {
        let mut random = Random(seed);
        let ty = some_type(&mut random, 3);
        let value = some_value(&mut random, &ty, 3);
        let bytes = msgpack::encode(&value, &ty).unwrap_or_else(|error| {
            panic!("{error}: a value of its type can be written: {value:?} as {ty:?}")
        });
        let back = msgpack::decode(&bytes, &ty);
        assert!(back.is_ok(), "{value:?} as {ty:?} reads back: {back:?}, {bytes:02x?}");
        let back = back.unwrap();
        if !ty.has_dynamic() {
            assert_eq!(back, value, "as {ty:?}, {bytes:02x?}");
        }
        let bytes = mutate(&mut random, &bytes, BITS);
        let Ok(read) = msgpack::decode(&bytes, &ty) else { return };
        // What was read is a value like any other: it can be written, and means the same then.
        if let Ok(written) = msgpack::encode(&read, &ty) {
            let once = msgpack::decode(&written, &ty).unwrap();
            // By text: a float beyond 64 bits has few digits, and as text it is read with more.
            assert_eq!(format!("{once:?}"), format!("{read:?}"), "{bytes:02x?} as {ty:?}");
            let written = msgpack::encode(&once, &ty).unwrap();
            assert_eq!(msgpack::decode(&written, &ty), Ok(once), "{bytes:02x?} as {ty:?}");
        } else {
            assert!(ty.has_dynamic(), "{read:?} of {bytes:02x?} as {ty:?} can be written");
        }
        assert!(read.conforms(&ty), "{read:?} of {bytes:02x?} fits {ty:?}");
        let _ = (json::to_string(&read), read.ty(), format!("{read:?}"));
    });
}

#[test]
fn json_wire() {
    const BITS: &[&[u8]] = &[
        b"null",
        b"true",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"1e400",
        b"-0",
        b"1e-400",
        b"99999999999999999999",
        b"{\"value\":1,\"type\":\"number\"}",
        b"\"type\":",
        b"[\"list\",",
        b"\\ud83d",
        b"\\u0000",
        "é".as_bytes(),
        &[0xff],
    ];
    fuzz("json_wire", |seed| {
        let mut random = Random(seed);
        let ty = some_type(&mut random, 3);
        let value = some_value(&mut random, &ty, 3);
        let text = match json::encode_string(&value, &ty) {
            Ok(text) => {
                let back = json::decode_str(&text, &ty);
                assert!(back.is_ok(), "{value:?} as {ty:?} reads back from {text}: {back:?}");
                if !ty.has_dynamic() {
                    assert_eq!(back, Ok(value), "{text} as {ty:?}");
                }
                text
            }
            Err(_) => {
                assert!(!value.is_wholly_known() || ty.has_dynamic(), "{value:?} as {ty:?}");
                json::to_string(&value)
            }
        };
        let bytes = mutate(&mut random, text.as_bytes(), BITS);
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(read) = json::decode_str(&text, &ty) {
            assert!(read.conforms(&ty), "{read:?} of {text} fits {ty:?}");
            if let Ok(written) = json::encode_string(&read, &ty) {
                assert_eq!(json::decode_str(&written, &ty), Ok(read), "{text} as {ty:?}");
            } else {
                assert!(ty.has_dynamic(), "{read:?} of {text} as {ty:?} can be written");
            }
        }
        if let Ok(plain) = serde_json::from_str(&text) {
            let read = json::from_plain(&plain);
            assert!(read.conforms(&Type::Dynamic));
            let again: serde_json::Value = serde_json::from_str(&json::to_string(&read)).unwrap();
            assert_eq!(json::from_plain(&again), read, "{text}");
        }
        let types = mutate(&mut random, json::type_to_json(&ty).to_string().as_bytes(), BITS);
        if let Ok(read) = serde_json::from_slice(&types)
            && let Ok(ty) = json::type_from_json(&read)
        {
            assert_eq!(json::type_from_json(&json::type_to_json(&ty)), Ok(ty), "{read}");
        }
    });
}
