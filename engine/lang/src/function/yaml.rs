//! Reading YAML into values.
//!
//! The syntax is read by a library; here its events become values, with the scalars that Terraform knows: the
//! words of YAML 1.1 for truth and null, numbers in bases 8, 10 and 16, and times, which stay texts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};
use value::{Number, Type, Value};

use super::ParameterType::{Any, String as S};
use super::{Failure, FunctionInfo, Reply, at, param, pure};

pub(super) const FUNCTIONS: &[FunctionInfo] =
    &[pure("yamldecode", &[param("src", S)], Any, |a| decode(a.text(0)), "Reads a value in YAML.")
        .typed(|args| match args[0].as_str() {
            Some(text) => decode(text).map(|value| value.ty()),
            None => Ok(Type::Dynamic),
        })
        .nullable()];

/// Deeper than this no one writes by hand.
const DEPTH_LIMIT: usize = 1000;

fn decode(text: &str) -> Reply {
    let indented = text.lines().find(|line| !line.trim().is_empty());
    if indented.is_some_and(|line| line.starts_with('\t')) {
        return Err(fault("a line begins with a tab; YAML indents by spaces"));
    }
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: BTreeMap::new() };
    if !matches!(reader.next()?, Event::StreamStart) {
        return Err(fault("it does not begin"));
    }
    match reader.next()? {
        Event::DocumentStart(_) => {}
        // An empty text, or one of comments alone.
        _ => return Err(fault("a value is expected, but there is none")),
    }
    let first = reader.next()?;
    let value = reader.value(first, 0)?;
    match reader.next()? {
        Event::DocumentEnd => {}
        _ => return Err(fault("something follows the value")),
    }
    match reader.next()? {
        Event::StreamEnd => Ok(value),
        _ => Err(fault("there is more than one document")),
    }
}

fn fault(message: impl Into<String>) -> Failure {
    at(0, message)
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// By the number of an anchor; `None` while its value is still being read.
    anchors: BTreeMap<usize, Option<Value>>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Event<'t>, Failure> {
        match self.parser.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(fault(format!(
                "it is not YAML: line {}, column {}: {}",
                error.marker().line(),
                error.marker().col() + 1,
                error.info()
            ))),
            None => Err(fault("it ends too early")),
        }
    }

    fn value(&mut self, event: Event<'t>, depth: usize) -> Result<Value, Failure> {
        if depth > DEPTH_LIMIT {
            return Err(fault(format!("it is nested more than {DEPTH_LIMIT} deep")));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_deref())?;
                self.remember(anchor, &value);
                Ok(value)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(Some(value)) => Ok(value.clone()),
                Some(None) => Err(fault("an anchor is used within its own value")),
                None => Err(fault("an anchor is used that is not there")),
            },
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag, "seq")?;
                self.begin(anchor);
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.value(event, depth + 1)?),
                    }
                }
                let value = Value::tuple(items);
                self.remember(anchor, &value);
                Ok(value)
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag, "map")?;
                self.begin(anchor);
                let value = self.mapping(depth)?;
                self.remember(anchor, &value);
                Ok(value)
            }
            Event::DocumentStart(_) | Event::DocumentEnd | Event::StreamEnd => {
                Err(fault("a value is expected, but there is none"))
            }
            _ => Err(fault("a value is expected")),
        }
    }

    fn begin(&mut self, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
    }

    fn remember(&mut self, anchor: usize, value: &Value) {
        if anchor > 0 {
            self.anchors.insert(anchor, Some(value.clone()));
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Failure> {
        let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
        loop {
            let (text, style, tag) = match self.next()? {
                Event::MappingEnd => return Ok(Value::object(entries)),
                Event::Scalar(text, style, _, tag) => (text, style, tag),
                _ => return Err(fault("only strings can be keys")),
            };
            let merges = text == "<<" && tag.is_none();
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            if merges {
                merge(&mut entries, &value)?;
                continue;
            }
            let key = scalar(&text, style, tag.as_deref())?;
            let key = value::convert(&key, &Type::String).ok();
            let key = key.and_then(|key| key.as_arc_str().cloned());
            entries.push((key.ok_or_else(|| fault("only strings can be keys"))?, value));
        }
    }
}

/// Takes over the entries of a mapping, or of each one in a sequence.
fn merge(entries: &mut Vec<(Arc<str>, Value)>, value: &Value) -> Result<(), Failure> {
    if let Some(items) = value.items() {
        return items.iter().try_for_each(|item| match item.entries() {
            Some(_) => merge(entries, item),
            None => Err(fault("only mappings can be merged into one")),
        });
    }
    let found = value.entries().ok_or_else(|| fault("only mappings can be merged into one"))?;
    entries.extend(found.iter().map(|(name, value)| (Arc::clone(name), value.clone())));
    Ok(())
}

fn check_tag(tag: Option<Cow<'_, Tag>>, kind: &str) -> Result<(), Failure> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == kind) => {
            Err(fault(format!("a {kind} cannot have the tag `{}{}`", tag.handle, tag.suffix)))
        }
        _ => Ok(()),
    }
}

// Scalars.

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Failure> {
    let plain = style == ScalarStyle::Plain;
    let Some(tag) = tag else {
        return if plain { implied(text) } else { Ok(Value::from(text)) };
    };
    let unsuitable =
        || fault(format!("a scalar does not suit its tag `{}{}`", tag.handle, tag.suffix));
    // A single `!` says that the text is meant as it stands.
    if !tag.is_yaml_core_schema() {
        let plain_mark = tag.suffix.is_empty() && tag.handle == "!"
            || tag.handle.is_empty() && tag.suffix == "!";
        return if plain_mark { Ok(Value::from(text)) } else { Err(unsuitable()) };
    }
    let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    match tag.suffix.as_str() {
        "str" => Ok(Value::from(text)),
        "binary" => {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD.decode(text);
            decoded.map(|_| Value::from(text)).map_err(|_| unsuitable())
        }
        // Text in quotes that could be a number or a word is taken as text all the same.
        "bool" | "int" | "float" | "null" | "timestamp" if quoted && hinted(text) => {
            Ok(Value::from(text))
        }
        "bool" => word(text).filter(|value| value.as_bool().is_some()).ok_or_else(unsuitable),
        "null" => Ok(word(text).unwrap_or_else(Value::dynamic_null)),
        "int" | "float" => match word(text) {
            Some(value) => Ok(value),
            None => number(text).ok_or_else(unsuitable),
        },
        "timestamp" => match word(text) {
            Some(value) => Ok(value),
            None => timestamp(text).map(Value::string).ok_or_else(unsuitable),
        },
        _ => Err(unsuitable()),
    }
}

/// Whether the first letter lets something other than text be expected.
fn hinted(text: &str) -> bool {
    text.is_empty()
        || text.starts_with(|c: char| c.is_ascii_digit() || "+-.yYnNtTfFoO~".contains(c))
}

fn implied(text: &str) -> Result<Value, Failure> {
    if let Some(value) = word(text) {
        return Ok(value);
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(fault("it has a number that is none"));
    }
    if text.starts_with('.') {
        return Ok(Number::parse(text).map_or_else(|| Value::from(text), Value::number));
    }
    if let Some(time) = timestamp(text) {
        return Ok(Value::string(time));
    }
    if is_number(text) {
        return number(text).ok_or_else(|| fault("it has a number out of range"));
    }
    Ok(Value::from(text))
}

fn word(text: &str) -> Option<Value> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::bool(false)
        }
        "" | "~" | "null" | "Null" | "NULL" => Value::dynamic_null(),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::number(Number::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::number(Number::INFINITY.neg()),
        _ => return None,
    })
}

/// Whether a text has the form of a number: whole ones in three bases, and fractions.
fn is_number(text: &str) -> bool {
    let all = |digits: &str, radix: u32| {
        !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, 16);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let exponent_fits =
        exponent.is_none_or(|text| all(text.strip_prefix(['-', '+']).unwrap_or(text), 10));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let empty_or_digits = |digits: &str| digits.is_empty() || all(digits, 10);
    let some = !whole.is_empty() || !fraction.is_empty();
    exponent_fits && some && empty_or_digits(whole) && empty_or_digits(fraction)
}

fn number(text: &str) -> Option<Value> {
    let plain = text.replace('_', "");
    if let Some(number) = Number::parse(&plain) {
        return Some(Value::number(number));
    }
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let radix = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
    let found = radix
        .into_iter()
        .find_map(|(prefix, radix)| u64::from_str_radix(digits.strip_prefix(prefix)?, radix).ok());
    let found = found.map(Number::from).or_else(|| Number::parse(digits))?;
    Some(Value::number(if negative { found.neg() } else { found }))
}

/// A date, with or without a time, in the form that times have everywhere else.
fn timestamp(text: &str) -> Option<String> {
    let (year, rest) = text.split_once('-')?;
    if year.len() != 4 || !year.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (month, rest) = rest.split_once('-')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, rest) = rest.split_at(end);
    let two = |digits: &str| {
        let fits = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| format!("{digits:0>2}"))
    };
    let date = format!("{year}-{}-{}", two(month)?, two(day)?);
    let shown = match rest.chars().next() {
        None => format!("{date}T00:00:00Z"),
        Some('T' | 't') => {
            let zone = rest.rfind(['Z', '+', '-'])?;
            let (clock, zone) = rest[1..].split_at(zone - 1);
            format!("{date}T{}{zone}", clock_text(clock, two)?)
        }
        Some(' ') => format!("{date}T{}Z", clock_text(&rest[1..], two)?),
        Some(_) => return None,
    };
    super::time::normalised(&shown)
}

fn clock_text(clock: &str, two: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut parts = clock.splitn(3, ':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let (second, fraction) = second.split_once('.').unwrap_or((second, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(format!("{}:{}:{}", two(hour)?, two(minute)?, two(second)?))
}
