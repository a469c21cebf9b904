//! The order of the elements of a set.
//!
//! Strings, numbers and flags stand in their own order, what is unknown behind them and null last. Elements of other
//! types stand in the order of a text that shows them, which is Terraform's, so that a `for` over a set, and all that
//! comes of it, has the same order there and here.
//!
//! Source: observed behaviour of Terraform 1.11 and of the cty library.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::Value;
use crate::number::Number;

/// What orders an element that is neither string nor number nor flag. Elements whose texts are the same stand in the
/// order of values.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    rank: u8,
    text: String,
    value: Value,
}

impl Key {
    pub(super) fn of(value: &Value) -> Self {
        let mut text = String::new();
        show(&mut text, value);
        Self { rank: rank(value), text, value: value.clone() }
    }
}

/// Compares strings, numbers or flags.
pub(super) fn primitives(a: &Value, b: &Value) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| a.cmp(b))
}

fn rank(value: &Value) -> u8 {
    if value.is_null() { 2 } else { u8::from(value.is_unknown()) }
}

fn show(text: &mut String, value: &Value) {
    if value.is_unknown() {
        text.push('?');
    } else if value.is_null() {
        text.push('~');
    } else if let Some(number) = value.as_number() {
        text.push_str(&ten_digits(number));
    } else if let Some(flag) = value.as_bool() {
        text.push(if flag { 'T' } else { 'F' });
    } else if let Some(content) = value.as_str() {
        quote(text, content);
    } else if let Some(items) = value.items() {
        let (open, close) = if value.is_tuple() { ('<', '>') } else { ('[', ']') };
        text.push(open);
        for item in items {
            show(text, item);
            text.push(';');
        }
        text.push(close);
    } else if let Some(entries) = value.entries() {
        let named = value.is_map();
        text.push(if named { '{' } else { '<' });
        for (name, item) in entries {
            if named {
                quote(text, name);
                text.push(':');
            }
            show(text, item);
            text.push(';');
        }
        text.push(if named { '}' } else { '>' });
    }
}

fn quote(text: &mut String, content: &str) {
    text.push('"');
    for letter in content.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control.is_ascii_control() => {
                let _ = write!(text, "\\x{:02x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

/// A number with at most ten digits, with an exponent where it is very large or very small.
fn ten_digits(number: &Number) -> String {
    if number.is_infinite() || number.to_i64().is_some_and(|n| n.unsigned_abs() < 10_000_000_000) {
        return number.to_string();
    }
    let shown = format!("{:.9e}", number.to_f64());
    let Some((mantissa, exponent)) = shown.split_once('e') else { return shown };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..10).contains(&exponent) {
        let places = usize::try_from(9 - exponent).unwrap_or(0);
        let plain = format!("{:.places$}", number.to_f64());
        return plain.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::Type;

    #[test]
    fn elements_stand_in_a_fixed_order() {
        let lists = Value::set(
            Type::list(Type::String),
            vec![
                Value::list(Type::String, vec![]),
                Value::list(Type::String, vec![Value::from("a")]),
            ],
        );
        let lengths: Vec<_> = lists.items().into_iter().flatten().map(Value::len).collect();
        assert_eq!(lengths, [Some(1), Some(0)]);
        let texts = Value::set(
            Type::String,
            vec![Value::null(Type::String), Value::unknown(Type::String), Value::from("z")],
        );
        let last = texts.items().and_then(<[Value]>::last);
        assert!(last.is_some_and(Value::is_null));
    }

    #[test]
    fn numbers_have_ten_digits() {
        let table = [
            ("100", "100"),
            ("2.5", "2.5"),
            ("1e20", "1e+20"),
            ("0.00001", "1e-05"),
            ("0.1", "0.1"),
        ];
        for (text, expected) in table {
            let number = Number::parse(text).expect("it is a number");
            assert_eq!(ten_digits(&number), expected);
        }
    }
}
