//! MessagePack to values. What is read comes from a provider and is not trusted: no length is believed
//! before the bytes are there, and nesting has a limit.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use rmp::Marker;

use super::{MAX_REFINEMENT_BYTES, REFINED, key};
use crate::codec::CodecError;
use crate::json::{MOST_VALUE_LEVELS, parse, type_from_json};
use crate::number::Number;
use crate::refinement::Refinement;
use crate::ty::{ObjectType, Type};
use crate::value::Value;

/// Reads a value of a type. Nothing may follow it.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, CodecError> {
    let mut reader = Reader { rest: bytes, path: AttributePath::root() };
    let value = reader.value(ty)?;
    if reader.rest.is_empty() { Ok(value) } else { reader.refuse("something follows the value") }
}

struct Reader<'a> {
    rest: &'a [u8],
    path: AttributePath,
}

/// One item as it stands, with the contents of collections still to be read.
enum Item<'a> {
    Nil,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'a [u8]),
    Array(usize),
    Map(usize),
    Extension(i8, &'a [u8]),
}

impl<'a> Reader<'a> {
    fn value(&mut self, ty: &Type) -> Result<Value, CodecError> {
        if self.path.0.len() > MOST_VALUE_LEVELS {
            return self.refuse("values are nested too deeply");
        }
        let item = self.item()?;
        match item {
            Item::Nil => return Ok(Value::null(ty.clone())),
            Item::Extension(code, payload) => return self.unknown(code, payload, ty),
            _ => {}
        }
        match ty {
            Type::Bool => match item {
                Item::Bool(flag) => Ok(Value::bool(flag)),
                _ => self.refuse("a bool is required"),
            },
            Type::Number => match self.number(&item) {
                Some(number) => Ok(Value::number(number)),
                None => self.refuse("a number is required"),
            },
            Type::String => match item {
                Item::Text(text) => Ok(Value::string(self.utf8(text)?)),
                _ => self.refuse("a string is required"),
            },
            Type::List(element) => {
                let items = self.elements(&item, element, false)?;
                Ok(Value::list((**element).clone(), items))
            }
            Type::Set(element) => {
                let items = self.elements(&item, element, true)?;
                Ok(Value::set((**element).clone(), items))
            }
            Type::Map(element) => self.map(&item, element),
            Type::Tuple(elements) => self.tuple(&item, elements),
            Type::Object(object) => self.object(&item, object),
            Type::Dynamic => self.dynamic(&item),
        }
    }

    fn elements(
        &mut self,
        item: &Item<'a>,
        element: &Type,
        set: bool,
    ) -> Result<Vec<Value>, CodecError> {
        let Item::Array(length) = *item else { return self.refuse("an array is required") };
        let mut items = Vec::with_capacity(length.min(self.rest.len()));
        for at in 0..length {
            let step = if set { PathStep::Element } else { index(at) };
            items.push(self.inside(step, element)?);
        }
        Ok(items)
    }

    fn map(&mut self, item: &Item<'a>, element: &Type) -> Result<Value, CodecError> {
        let Item::Map(length) = *item else { return self.refuse("a map is required") };
        let mut entries = Vec::with_capacity(length.min(self.rest.len()));
        for _ in 0..length {
            let name = self.name()?;
            let value = self.inside(PathStep::Key(Arc::clone(&name)), element)?;
            entries.push((name, value));
        }
        Ok(Value::map(element.clone(), entries))
    }

    fn tuple(&mut self, item: &Item<'a>, elements: &[Type]) -> Result<Value, CodecError> {
        let Item::Array(length) = *item else { return self.refuse("an array is required") };
        if length != elements.len() {
            return self
                .refuse(&format!("{} elements are required, {length} are given", elements.len()));
        }
        let mut items = Vec::with_capacity(elements.len());
        for (at, element) in elements.iter().enumerate() {
            items.push(self.inside(index(at), element)?);
        }
        Ok(Value::tuple(items))
    }

    fn object(&mut self, item: &Item<'a>, object: &ObjectType) -> Result<Value, CodecError> {
        let Item::Map(length) = *item else { return self.refuse("an object is required") };
        let wanted = object.attributes.len();
        if length != wanted {
            return self.refuse(&format!(
                "an object with {wanted} attributes is required, {length} are given"
            ));
        }
        let mut entries = Vec::with_capacity(wanted.min(self.rest.len()));
        for _ in 0..length {
            let name = self.name()?;
            let Some((name, attribute)) = object.attributes.get_key_value(&name) else {
                return self.refuse(&format!("unsupported attribute `{name}`"));
            };
            let step = PathStep::Attribute(Arc::clone(name));
            entries.push((Arc::clone(name), self.inside(step, &attribute.ty)?));
        }
        let value = Value::object(entries);
        // An attribute that comes twice leaves another one out.
        if value.len() == Some(wanted) {
            Ok(value)
        } else {
            self.refuse("an attribute is given twice, and another one is missing")
        }
    }

    fn dynamic(&mut self, item: &Item<'a>) -> Result<Value, CodecError> {
        let wrong = "an array of a type and a value is required";
        let Item::Array(2) = *item else { return self.refuse(wrong) };
        let Item::Text(text) = self.item()? else { return self.refuse(wrong) };
        let Some(json) = std::str::from_utf8(text).ok().and_then(|text| parse(text).ok()) else {
            return self.refuse("the type of a value is not JSON");
        };
        match type_from_json(&json) {
            // Each level adds to the path only where something is inside; a chain of bare `any` adds here.
            Ok(Type::Dynamic) => self.inside(PathStep::Element, &Type::Dynamic),
            Ok(own) => self.value(&own.without_optional()),
            Err(error) => self.refuse(&error.message),
        }
    }

    fn unknown(&self, code: i8, payload: &[u8], ty: &Type) -> Result<Value, CodecError> {
        if code != REFINED || payload.len() < 2 {
            return Ok(Value::unknown(ty.clone()));
        }
        if payload.len() > MAX_REFINEMENT_BYTES {
            return self.refuse("what is said about an unknown value is too long");
        }
        let mut inner = Reader { rest: payload, path: self.path.clone() };
        let refinement = inner.refinement()?;
        Ok(Value::unknown_refined(ty.clone(), refinement))
    }

    fn refinement(&mut self) -> Result<Refinement, CodecError> {
        let wrong = "what is said about an unknown value cannot be read";
        let Item::Map(length) = self.item()? else { return self.refuse(wrong) };
        let mut found = Refinement::default();
        for _ in 0..length {
            let (Item::Unsigned(entry), value) = (self.item()?, self.item()?) else {
                return self.refuse(wrong);
            };
            match (entry, value) {
                (key::NULLNESS, Item::Bool(null)) => found.not_null = !null,
                (key::PREFIX, Item::Text(text)) => found.prefix = Some(self.utf8(text)?.into()),
                (key::LOWER | key::UPPER, Item::Array(2)) => {
                    let (number, inclusive) = (self.item()?, self.item()?);
                    let (Some(number), Item::Bool(inclusive)) = (self.number(&number), inclusive)
                    else {
                        return self.refuse(wrong);
                    };
                    let bound = Some((number, inclusive));
                    *(if entry == key::LOWER { &mut found.lower } else { &mut found.upper }) =
                        bound;
                }
                (key::MIN_LENGTH | key::MAX_LENGTH, Item::Unsigned(length)) => {
                    let length = usize::try_from(length).ok();
                    *(if entry == key::MIN_LENGTH {
                        &mut found.min_length
                    } else {
                        &mut found.max_length
                    }) = length;
                }
                // A newer peer may say more than this one knows; scalars can be passed over.
                (_, Item::Array(_) | Item::Map(_)) => return self.refuse(wrong),
                _ => {}
            }
        }
        Ok(found)
    }

    fn number(&self, item: &Item<'a>) -> Option<Number> {
        match *item {
            Item::Signed(number) => Some(Number::from(number)),
            Item::Unsigned(number) => Number::parse(&number.to_string()),
            Item::Float(number) => Number::from_f64(number),
            Item::Text(text) => Number::parse(std::str::from_utf8(text).ok()?),
            _ => None,
        }
    }

    fn name(&mut self) -> Result<Arc<str>, CodecError> {
        match self.item()? {
            Item::Text(text) => Ok(self.utf8(text)?.into()),
            _ => self.refuse("a name must be a string"),
        }
    }

    fn utf8(&self, text: &'a [u8]) -> Result<&'a str, CodecError> {
        std::str::from_utf8(text).or_else(|_| self.refuse("a string is not valid UTF-8"))
    }

    fn item(&mut self) -> Result<Item<'a>, CodecError> {
        let marker = Marker::from_u8(self.take(1)?[0]);
        Ok(match marker {
            Marker::Null => Item::Nil,
            Marker::True => Item::Bool(true),
            Marker::False => Item::Bool(false),
            Marker::FixPos(number) => Item::Unsigned(number.into()),
            Marker::FixNeg(number) => Item::Signed(number.into()),
            Marker::U8 => Item::Unsigned(self.uint(1)?),
            Marker::U16 => Item::Unsigned(self.uint(2)?),
            Marker::U32 => Item::Unsigned(self.uint(4)?),
            Marker::U64 => Item::Unsigned(self.uint(8)?),
            Marker::I8 => Item::Signed(self.int(1)?),
            Marker::I16 => Item::Signed(self.int(2)?),
            Marker::I32 => Item::Signed(self.int(4)?),
            Marker::I64 => Item::Signed(self.int(8)?),
            Marker::F32 => {
                let mut bytes = [0; 4];
                bytes.copy_from_slice(self.take(4)?);
                Item::Float(f32::from_be_bytes(bytes).into())
            }
            Marker::F64 => Item::Float(f64::from_bits(self.uint(8)?)),
            Marker::FixStr(length) => Item::Text(self.take(length.into())?),
            Marker::Str8 | Marker::Bin8 => Item::Text(self.sized(1)?),
            Marker::Str16 | Marker::Bin16 => Item::Text(self.sized(2)?),
            Marker::Str32 | Marker::Bin32 => Item::Text(self.sized(4)?),
            Marker::FixArray(length) => Item::Array(length.into()),
            Marker::Array16 => Item::Array(self.length(2)?),
            Marker::Array32 => Item::Array(self.length(4)?),
            Marker::FixMap(length) => Item::Map(length.into()),
            Marker::Map16 => Item::Map(self.length(2)?),
            Marker::Map32 => Item::Map(self.length(4)?),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => self.sized_extension(1)?,
            Marker::Ext16 => self.sized_extension(2)?,
            Marker::Ext32 => self.sized_extension(4)?,
            Marker::Reserved => return self.refuse("a byte has no meaning"),
        })
    }

    fn extension(&mut self, length: usize) -> Result<Item<'a>, CodecError> {
        let code = self.take(1)?[0].cast_signed();
        Ok(Item::Extension(code, self.take(length)?))
    }

    fn sized_extension(&mut self, width: usize) -> Result<Item<'a>, CodecError> {
        let length = self.length(width)?;
        self.extension(length)
    }

    fn sized(&mut self, width: usize) -> Result<&'a [u8], CodecError> {
        let length = self.length(width)?;
        self.take(length)
    }

    fn length(&mut self, width: usize) -> Result<usize, CodecError> {
        Ok(usize::try_from(self.uint(width)?).unwrap_or(usize::MAX))
    }

    fn uint(&mut self, width: usize) -> Result<u64, CodecError> {
        Ok(self.take(width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn int(&mut self, width: usize) -> Result<i64, CodecError> {
        let shift = 64 - 8 * width;
        Ok((self.uint(width)? << shift).cast_signed() >> shift)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => self.refuse("the value is cut short"),
        }
    }

    fn inside(&mut self, step: PathStep, ty: &Type) -> Result<Value, CodecError> {
        self.path.0.push(step);
        let read = self.value(ty);
        self.path.0.pop();
        read
    }

    fn refuse<T>(&self, message: &str) -> Result<T, CodecError> {
        Err(CodecError::new(&self.path, message))
    }
}

fn index(at: usize) -> PathStep {
    PathStep::Index(i64::try_from(at).unwrap_or(i64::MAX))
}
