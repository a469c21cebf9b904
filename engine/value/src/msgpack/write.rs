//! Values to MessagePack.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use rmp::encode as put;
use unicode_segmentation::UnicodeSegmentation;

use super::{MAX_PREFIX_BYTES, REFINED, key};
use crate::codec::CodecError;
use crate::json::type_to_json;
use crate::number::Number;
use crate::refinement::Refinement;
use crate::ty::Type;
use crate::value::Value;

/// Writes a value of a type.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>, CodecError> {
    let mut writer = Writer { bytes: Vec::new(), path: AttributePath::root() };
    writer.value(value, ty)?;
    Ok(writer.bytes)
}

struct Writer {
    bytes: Vec<u8>,
    path: AttributePath,
}

/// The outcome of writing to memory, which cannot fail.
fn sure<T, E: std::fmt::Debug>(written: Result<T, E>) {
    written.expect("memory takes every byte");
}

impl Writer {
    fn value(&mut self, value: &Value, ty: &Type) -> Result<(), CodecError> {
        if *ty == Type::Dynamic && value.ty() != Type::Dynamic {
            let own = value.ty();
            sure(put::write_array_len(&mut self.bytes, 2));
            let json = type_to_json(&own).to_string();
            sure(put::write_bin(&mut self.bytes, json.as_bytes()));
            return self.value(value, &own);
        }
        if value.is_unknown() {
            self.unknown(value.refinement());
            return Ok(());
        }
        if value.is_null() {
            sure(put::write_nil(&mut self.bytes));
            return Ok(());
        }
        match ty {
            Type::Bool => match value.as_bool() {
                Some(flag) => sure(put::write_bool(&mut self.bytes, flag)),
                None => return self.refuse("a bool is required"),
            },
            Type::Number => match value.as_number() {
                Some(number) => self.number(number),
                None => return self.refuse("a number is required"),
            },
            Type::String => match value.as_str() {
                Some(text) => sure(put::write_str(&mut self.bytes, text)),
                None => return self.refuse("a string is required"),
            },
            Type::List(element) | Type::Set(element) => {
                let Some(items) = value.items() else {
                    return self.refuse("a sequence is required");
                };
                self.array(items.len());
                for (at, item) in items.iter().enumerate() {
                    self.inside(index(at), item, element)?;
                }
            }
            Type::Tuple(elements) => {
                let Some(items) = value.items().filter(|items| items.len() == elements.len())
                else {
                    return self.refuse(&format!("{} elements are required", elements.len()));
                };
                self.array(items.len());
                for (at, (item, element)) in items.iter().zip(elements.iter()).enumerate() {
                    self.inside(index(at), item, element)?;
                }
            }
            Type::Map(element) => {
                let Some(entries) = value.entries() else {
                    return self.refuse("a map is required");
                };
                self.map(entries.len());
                for (name, item) in entries.iter() {
                    sure(put::write_str(&mut self.bytes, name));
                    self.inside(PathStep::Key(Arc::clone(name)), item, element)?;
                }
            }
            Type::Object(object) => {
                let Some(entries) = value.entries() else {
                    return self.refuse("an object is required");
                };
                self.map(object.attributes.len());
                for (name, attribute) in &object.attributes {
                    let Some(item) = entries.get(name) else {
                        return self.refuse(&format!("attribute `{name}` is missing"));
                    };
                    sure(put::write_str(&mut self.bytes, name));
                    self.inside(PathStep::Attribute(Arc::clone(name)), item, &attribute.ty)?;
                }
            }
            Type::Dynamic => return self.refuse("a value of a definite type is required"),
        }
        Ok(())
    }

    fn array(&mut self, length: usize) {
        sure(put::write_array_len(&mut self.bytes, u32::try_from(length).unwrap_or(u32::MAX)));
    }

    fn map(&mut self, length: usize) {
        sure(put::write_map_len(&mut self.bytes, u32::try_from(length).unwrap_or(u32::MAX)));
    }

    /// An integer where one fits, a float where it is the same number, else decimal text.
    fn number(&mut self, number: &Number) {
        if let Some(small) = number.to_i64() {
            sure(put::write_sint(&mut self.bytes, small));
        } else if let Some(float) = number.to_exact_f64() {
            sure(put::write_f64(&mut self.bytes, float));
        } else {
            sure(put::write_str(&mut self.bytes, &number.to_string()));
        }
    }

    fn unknown(&mut self, refinement: Option<&Refinement>) {
        let Some(refinement) = refinement else {
            self.bytes.extend_from_slice(&[0xd4, 0, 0]);
            return;
        };
        let mut inner = Writer { bytes: Vec::new(), path: AttributePath::root() };
        let entries = inner.refinement(refinement);
        let mut payload = Vec::new();
        sure(put::write_map_len(&mut payload, entries));
        payload.extend_from_slice(&inner.bytes);
        sure(put::write_ext_meta(
            &mut self.bytes,
            u32::try_from(payload.len()).unwrap_or(u32::MAX),
            REFINED,
        ));
        self.bytes.extend_from_slice(&payload);
    }

    /// Writes the entries; gives how many.
    fn refinement(&mut self, refinement: &Refinement) -> u32 {
        let mut entries = 0;
        let mut entry = |writer: &mut Self, key: u64| {
            entries += 1;
            sure(put::write_uint(&mut writer.bytes, key));
        };
        if refinement.not_null {
            entry(self, key::NULLNESS);
            sure(put::write_bool(&mut self.bytes, false));
        }
        if let Some(prefix) = &refinement.prefix {
            entry(self, key::PREFIX);
            sure(put::write_str(&mut self.bytes, cut(prefix)));
        }
        for (key, bound) in [(key::LOWER, &refinement.lower), (key::UPPER, &refinement.upper)] {
            if let Some((number, inclusive)) = bound {
                entry(self, key);
                self.array(2);
                self.number(number);
                sure(put::write_bool(&mut self.bytes, *inclusive));
            }
        }
        let lengths =
            [(key::MIN_LENGTH, refinement.min_length), (key::MAX_LENGTH, refinement.max_length)];
        for (key, length) in lengths {
            if let Some(length) = length {
                entry(self, key);
                sure(put::write_sint(&mut self.bytes, i64::try_from(length).unwrap_or(i64::MAX)));
            }
        }
        entries
    }

    fn inside(&mut self, step: PathStep, value: &Value, ty: &Type) -> Result<(), CodecError> {
        self.path.0.push(step);
        let written = self.value(value, ty);
        self.path.0.pop();
        written
    }

    fn refuse(&self, message: &str) -> Result<(), CodecError> {
        Err(CodecError::new(&self.path, message))
    }
}

fn index(at: usize) -> PathStep {
    PathStep::Index(i64::try_from(at).unwrap_or(i64::MAX))
}

/// The longest part of a prefix that is allowed and ends between two characters as people see them.
fn cut(prefix: &str) -> &str {
    if prefix.len() <= MAX_PREFIX_BYTES {
        return prefix;
    }
    let ends = prefix.grapheme_indices(true).map(|(at, _)| at);
    let end = ends.take_while(|end| *end <= MAX_PREFIX_BYTES).last().unwrap_or(0);
    &prefix[..end]
}
