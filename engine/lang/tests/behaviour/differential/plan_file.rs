//! Reads what a plan of `terraform_data` resources says about their `input`: value, type, unknown parts with
//! their refinements, sensitive paths.
//!
//! Source: observed plan files of Terraform 1.11. A plan is a ZIP archive; `tfplan` in it is a protobuf
//! message; values in that are `MessagePack`.

use std::io::Read as _;
use std::sync::Arc;

use address::{AttributePath, PathStep};
use value::{Marks, Number, Refinement, Type, Value};

/// The `input` of each resource, by address.
pub(crate) fn inputs(archive: &[u8]) -> Vec<(String, Value)> {
    let plan = entry(archive, "tfplan");
    let mut found = Vec::new();
    for (field, body) in fields(&plan) {
        if let (3, Field::Bytes(body)) = (field, body) {
            found.extend(resource(body));
        }
    }
    found
}

fn resource(body: &[u8]) -> Option<(String, Value)> {
    let mut address = None;
    let mut planned = None;
    for (field, body) in fields(body) {
        match (field, body) {
            (13, Field::Bytes(text)) => address = Some(String::from_utf8_lossy(text).into_owned()),
            (9, Field::Bytes(change)) => planned = Some(change),
            _ => {}
        }
    }
    let mut packed: &[u8] = &[];
    let mut sensitive = Vec::new();
    for (field, body) in fields(planned?) {
        match (field, body) {
            (2, Field::Bytes(value)) => packed = dynamic(value),
            (4, Field::Bytes(path)) => sensitive.push(path),
            _ => {}
        }
    }
    let ty = Type::object([
        ("id", Type::String),
        ("input", Type::Dynamic),
        ("output", Type::Dynamic),
        ("triggers_replace", Type::Dynamic),
    ]);
    let object = Unpack(packed).value(&ty);
    let mut input = object.get_attr("input").expect("the resource has an input").clone();
    for path in sensitive {
        let mut steps = steps(path);
        if steps.is_empty() || steps.remove(0) != PathStep::Attribute("input".into()) {
            continue;
        }
        input = input.mark_paths(&[(AttributePath(steps), Marks::SENSITIVE)]);
    }
    Some((address?, input))
}

fn steps(path: &[u8]) -> Vec<PathStep> {
    let mut steps = Vec::new();
    for (_, step) in fields(path) {
        let Field::Bytes(step) = step else { continue };
        for (field, body) in fields(step) {
            let Field::Bytes(body) = body else { continue };
            steps.push(match field {
                1 => PathStep::Attribute(String::from_utf8_lossy(body).into()),
                _ => match Unpack(dynamic(body)).raw() {
                    Raw::Text(key) => PathStep::Key(key.into()),
                    Raw::Number(index) => PathStep::Index(index.to_i64().unwrap_or(0)),
                    _ => PathStep::Element,
                },
            });
        }
    }
    steps
}

fn dynamic(body: &[u8]) -> &[u8] {
    let bytes = fields(body).into_iter().find_map(|(field, body)| match (field, body) {
        (1, Field::Bytes(bytes)) => Some(bytes),
        _ => None,
    });
    bytes.unwrap_or_default()
}

// ZIP.

/// The content of a file of an archive whose sizes stand in its directory.
fn entry(archive: &[u8], wanted: &str) -> Vec<u8> {
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    let u32_at = |at: usize| u16_at(at) | (u16_at(at + 2) << 16);
    let end = archive.windows(4).rposition(|w| w == b"PK\x05\x06").expect("a ZIP archive ends so");
    let mut at = u32_at(end + 16);
    while archive[at..].starts_with(b"PK\x01\x02") {
        let (name, extra, comment) = (u16_at(at + 28), u16_at(at + 30), u16_at(at + 32));
        if &archive[at + 46..at + 46 + name] == wanted.as_bytes() {
            let local = u32_at(at + 42);
            let start = local + 30 + u16_at(local + 26) + u16_at(local + 28);
            let packed = &archive[start..start + u32_at(at + 20)];
            let mut content = Vec::new();
            flate2::read::DeflateDecoder::new(packed)
                .read_to_end(&mut content)
                .expect("the entry is whole");
            return content;
        }
        at += 46 + name + extra + comment;
    }
    panic!("the archive has {wanted}")
}

// Protobuf.

enum Field<'a> {
    Bytes(&'a [u8]),
    Other,
}

fn fields(mut body: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !body.is_empty() {
        let tag = varint(&mut body);
        let field = match tag & 7 {
            0 => {
                varint(&mut body);
                Field::Other
            }
            1 => {
                body = &body[8..];
                Field::Other
            }
            2 => {
                let length = usize::try_from(varint(&mut body)).expect("a length fits");
                let (bytes, rest) = body.split_at(length);
                body = rest;
                Field::Bytes(bytes)
            }
            _ => {
                body = &body[4..];
                Field::Other
            }
        };
        found.push((tag >> 3, field));
    }
    found
}

fn varint(body: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = body[0];
        *body = &body[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

// MessagePack.

struct Unpack<'a>(&'a [u8]);

enum Raw {
    Nil,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(usize),
    Map(usize),
    Extension(Vec<u8>),
}

impl Unpack<'_> {
    fn take(&mut self, count: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken.to_vec()
    }

    fn size(&mut self, bytes: usize) -> usize {
        self.take(bytes).into_iter().fold(0, |size, byte| (size << 8) | usize::from(byte))
    }

    fn text(&mut self, length: usize) -> Raw {
        Raw::Text(String::from_utf8(self.take(length)).expect("texts are UTF-8"))
    }

    fn extension(&mut self, length: usize) -> Raw {
        // The codes differ only in what the payload says itself.
        self.take(1);
        Raw::Extension(self.take(length))
    }

    fn integer(&mut self, bytes: usize, signed: bool) -> Raw {
        let read = self.take(bytes);
        let negative = signed && read[0] & 0x80 != 0;
        let fill = if negative { 0xff } else { 0 };
        let mut wide = [fill; 16];
        wide[16 - bytes..].copy_from_slice(&read);
        let number = i128::from_be_bytes(wide).to_string();
        Raw::Number(Number::parse(&number).expect("an integer is a number"))
    }

    fn raw(&mut self) -> Raw {
        let first = self.take(1)[0];
        match first {
            0xc0 => Raw::Nil,
            0xc2 => Raw::Bool(false),
            0xc3 => Raw::Bool(true),
            0x00..=0x7f => Raw::Number(Number::from(i64::from(first))),
            0xe0..=0xff => Raw::Number(Number::from(i64::from(first) - 256)),
            0x80..=0x8f => Raw::Map(usize::from(first & 15)),
            0x90..=0x9f => Raw::Array(usize::from(first & 15)),
            0xa0..=0xbf => self.text(usize::from(first & 31)),
            0xc4 | 0xd9 => {
                let length = self.size(1);
                self.text(length)
            }
            0xc5 | 0xda => {
                let length = self.size(2);
                self.text(length)
            }
            0xc6 | 0xdb => {
                let length = self.size(4);
                self.text(length)
            }
            0xc7 => {
                let length = self.size(1);
                self.extension(length)
            }
            0xc8 => {
                let length = self.size(2);
                self.extension(length)
            }
            0xca => {
                let bits = u32::try_from(self.size(4)).expect("four bytes");
                Raw::Number(Number::from_f64(f64::from(f32::from_bits(bits))).expect("a number"))
            }
            0xcb => {
                let bits = self.size(8) as u64;
                Raw::Number(Number::from_f64(f64::from_bits(bits)).expect("a number"))
            }
            0xcc => self.integer(1, false),
            0xcd => self.integer(2, false),
            0xce => self.integer(4, false),
            0xcf => self.integer(8, false),
            0xd0 => self.integer(1, true),
            0xd1 => self.integer(2, true),
            0xd2 => self.integer(4, true),
            0xd3 => self.integer(8, true),
            0xd4..=0xd8 => self.extension(1 << (first - 0xd4)),
            0xdc => Raw::Array(self.size(2)),
            0xdd => Raw::Array(self.size(4)),
            0xde => Raw::Map(self.size(2)),
            0xdf => Raw::Map(self.size(4)),
            other => panic!("MessagePack byte {other:#x} is not used"),
        }
    }

    fn value(&mut self, ty: &Type) -> Value {
        if *ty == Type::Dynamic {
            return self.dynamic();
        }
        match (self.raw(), ty) {
            (Raw::Nil, ty) => Value::null(ty.clone()),
            (Raw::Extension(payload), ty) => {
                Value::unknown_refined(ty.clone(), refinement(&payload))
            }
            (Raw::Bool(flag), _) => Value::bool(flag),
            (Raw::Number(number), _) => Value::number(number),
            (Raw::Text(text), Type::Number) => {
                Value::number(Number::parse(&text).expect("a number in text"))
            }
            (Raw::Text(text), _) => Value::string(text),
            (Raw::Array(length), Type::List(element)) => {
                Value::list((**element).clone(), (0..length).map(|_| self.value(element)).collect())
            }
            (Raw::Array(length), Type::Set(element)) => {
                Value::set((**element).clone(), (0..length).map(|_| self.value(element)).collect())
            }
            (Raw::Array(_), Type::Tuple(elements)) => {
                Value::tuple(elements.iter().map(|ty| self.value(ty)).collect())
            }
            (Raw::Map(length), ty) => {
                let entries: Vec<(Arc<str>, Value)> = (0..length)
                    .map(|_| {
                        let Raw::Text(name) = self.raw() else { panic!("keys are texts") };
                        let inner = match ty {
                            Type::Map(element) => element,
                            ty => ty.attribute(&name).expect("an attribute of the type"),
                        };
                        let value = self.value(inner);
                        (Arc::from(name), value)
                    })
                    .collect();
                match ty {
                    Type::Map(element) => Value::map((**element).clone(), entries),
                    _ => Value::object(entries),
                }
            }
            (_, ty) => panic!("the content does not suit {ty}"),
        }
    }

    fn dynamic(&mut self) -> Value {
        match self.raw() {
            Raw::Nil => Value::dynamic_null(),
            Raw::Extension(..) => Value::dynamic_unknown(),
            Raw::Array(2) => {
                let Raw::Text(ty) = self.raw() else { panic!("a type comes first") };
                let json = serde_json::from_str(&ty).expect("a type is JSON");
                let ty = value::json::type_from_json(&json).expect("a type is a type");
                self.value(&ty)
            }
            _ => panic!("a dynamic value is a pair"),
        }
    }
}

fn refinement(payload: &[u8]) -> Refinement {
    let mut refinement = Refinement::default();
    if payload.len() < 2 {
        return refinement;
    }
    let mut unpack = Unpack(payload);
    let Raw::Map(count) = unpack.raw() else { return refinement };
    for _ in 0..count {
        let Raw::Number(key) = unpack.raw() else { panic!("keys are numbers") };
        match key.to_i64() {
            Some(1) => refinement.not_null = matches!(unpack.raw(), Raw::Bool(false)),
            Some(2) => {
                if let Raw::Text(prefix) = unpack.raw() {
                    refinement.prefix = Some(prefix.into());
                }
            }
            Some(key @ (3 | 4)) => {
                let _ = unpack.raw();
                let number = unpack.value(&Type::Number);
                let inclusive = matches!(unpack.raw(), Raw::Bool(true));
                let bound = number.as_number().map(|number| (number.clone(), inclusive));
                if key == 3 { refinement.lower = bound } else { refinement.upper = bound }
            }
            Some(key) => {
                let Raw::Number(length) = unpack.raw() else { panic!("a length is a number") };
                if key == 5 {
                    refinement.min_length = length.to_usize();
                } else {
                    refinement.max_length = length.to_usize();
                }
            }
            None => panic!("keys are small"),
        }
    }
    refinement
}
