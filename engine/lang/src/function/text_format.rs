//! `format` and `formatlist`.

use value::{Number, Type, Value};

use super::ParameterType::{Any, String as S};
use super::{
    Arguments, Failure, FunctionInfo, NULL, PARTIAL, Reply, at, failed, flagged, param, pure,
};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "format",
        &[param("format", S)],
        S,
        format_one,
        "Fills values into a text, as `%s`, `%d`, `%q`, `%v`, `%5.2f` and so on say.",
    )
    .with_variadic(flagged("args", Any, NULL)),
    pure(
        "formatlist",
        &[param("format", S)],
        Any,
        format_list,
        "Formats a text for each element of lists.",
    )
    .with_variadic(flagged("args", Any, NULL | PARTIAL)),
];

fn format_one(args: &Arguments<'_>) -> Reply {
    let values: Vec<&Value> = args.values.iter().skip(1).collect();
    render(args.text(0), &values).map(Value::string)
}

/// Lists are walked together, single values stay the same for each.
fn format_list(args: &Arguments<'_>) -> Reply {
    let rest = &args.values[1..];
    let mut length = None;
    for (position, value) in rest.iter().enumerate() {
        let Some(found) = value.items().map(<[Value]>::len) else { continue };
        match length {
            None => length = Some((found, position)),
            Some((wanted, first)) if wanted != found => {
                return Err(at(
                    position + 1,
                    format!("it has {found} elements, but argument {} has {wanted}", first + 2),
                ));
            }
            Some(_) => {}
        }
    }
    let rows = length.map_or(1, |(length, _)| length);
    let mut results = Vec::with_capacity(rows);
    for row in 0..rows {
        let values: Vec<&Value> =
            rest.iter().map(|value| value.items().map_or(value, |items| &items[row])).collect();
        results.push(if values.iter().all(|value| value.is_wholly_known()) {
            Value::string(render(args.text(0), &values)?)
        } else {
            crate::operator::not_null(Type::String)
        });
    }
    Ok(Value::list(Type::String, results))
}

/// One `%…` of a format.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of the format")]
struct Verb {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

fn render(format: &str, values: &[&Value]) -> Result<String, Failure> {
    let mut out = String::with_capacity(format.len() + 16);
    let mut letters = format.chars().peekable();
    let mut next = 0_usize;
    let mut explicit = false;
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut verb = Verb::default();
        while let Some(flag) = letters.peek().copied() {
            match flag {
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                ' ' => verb.space = true,
                '0' => verb.zero = true,
                '#' => verb.sharp = true,
                _ => break,
            }
            letters.next();
        }
        verb.width = digits(&mut letters);
        if letters.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(&mut letters).unwrap_or(0));
        }
        if letters.next_if_eq(&'[').is_some() {
            let position = digits(&mut letters).filter(|position| *position > 0);
            let (Some(position), Some(_)) = (position, letters.next_if_eq(&']')) else {
                return Err(at(0, "`%[` is followed by the number of an argument and `]`"));
            };
            next = position - 1;
            explicit = true;
        }
        let Some(kind) = letters.next() else {
            return Err(at(0, "`%` stands at the end; write `%%` for a per cent sign"));
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = values.get(next) else {
            return Err(failed(format!(
                "`%{kind}` wants argument {}, but {} given",
                next + 1,
                if values.len() == 1 { "1 is".to_owned() } else { format!("{} are", values.len()) }
            )));
        };
        next += 1;
        let text = one(kind, &verb, value).map_err(|message| at(next, message))?;
        pad(&mut out, &text, &verb, matches!(kind, 's' | 'q' | 'v' | 't'));
    }
    if !explicit && next < values.len() {
        return Err(at(next + 1, "the format does not use it"));
    }
    Ok(out)
}

fn digits(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut text = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    // Wider than this is a mistake that would fill the memory.
    text.parse().ok().map(|number: usize| number.min(100_000))
}

fn pad(out: &mut String, text: &str, verb: &Verb, textual: bool) {
    let length = unicode_segmentation::UnicodeSegmentation::graphemes(text, true).count();
    let missing = verb.width.unwrap_or(0).saturating_sub(length);
    if verb.minus {
        out.push_str(text);
        out.extend(std::iter::repeat_n(' ', missing));
    } else if verb.zero && !textual {
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(rest) => text.split_at(text.len() - rest.len()),
            None => ("", text),
        };
        out.push_str(sign);
        out.extend(std::iter::repeat_n('0', missing));
        out.push_str(digits);
    } else {
        out.extend(std::iter::repeat_n(if verb.zero { '0' } else { ' ' }, missing));
        out.push_str(text);
    }
}

fn one(kind: char, verb: &Verb, value: &Value) -> Result<String, String> {
    if value.is_null() && kind != 'v' {
        return Err(format!("`%{kind}` cannot show null; `%v` can"));
    }
    let number = || {
        value::convert(value, &Type::Number)
            .ok()
            .and_then(|number| number.as_number().cloned())
            .ok_or_else(|| format!("`%{kind}` wants a number"))
    };
    let text = || {
        value::convert(value, &Type::String)
            .ok()
            .and_then(|text| text.as_str().map(str::to_owned))
            .ok_or_else(|| format!("`%{kind}` wants a string"))
    };
    match kind {
        'v' if verb.sharp => Ok(value::json::to_string(value)),
        'v' => Ok(plainly(value)),
        's' => Ok(cut(text()?, verb)),
        'q' => Ok(value::json::to_string(&Value::string(text()?))),
        't' => value::convert(value, &Type::Bool)
            .ok()
            .and_then(|flag| flag.as_bool())
            .map(|flag| flag.to_string())
            .ok_or_else(|| "`%t` wants a bool".to_owned()),
        'd' => Ok(signed(number()?.trunc().to_string(), verb)),
        'b' | 'o' | 'x' | 'X' => radix(kind, &number()?, verb),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => Ok(signed(float(kind, &number()?, verb), verb)),
        other => Err(format!("`%{other}` is no way to show a value")),
    }
}

fn plainly(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value::json::to_string(value),
    }
}

fn cut(text: String, verb: &Verb) -> String {
    match verb.precision {
        Some(most) => unicode_segmentation::UnicodeSegmentation::graphemes(text.as_str(), true)
            .take(most)
            .collect(),
        None => text,
    }
}

fn signed(text: String, verb: &Verb) -> String {
    if text.starts_with('-') {
        text
    } else if verb.plus {
        format!("+{text}")
    } else if verb.space {
        format!(" {text}")
    } else {
        text
    }
}

fn radix(kind: char, number: &Number, verb: &Verb) -> Result<String, String> {
    let whole =
        number.trunc().to_i64().ok_or_else(|| format!("`%{kind}` wants a smaller number"))?;
    let size = whole.unsigned_abs();
    let digits = match kind {
        'b' => format!("{size:b}"),
        'o' => format!("{size:o}"),
        'x' => format!("{size:x}"),
        _ => format!("{size:X}"),
    };
    let prefix = match (verb.sharp, kind) {
        (true, 'b') => "0b",
        (true, 'o') => "0",
        (true, 'x') => "0x",
        (true, 'X') => "0X",
        _ => "",
    };
    Ok(signed(format!("{}{prefix}{digits}", if whole < 0 { "-" } else { "" }), verb))
}

fn float(kind: char, number: &Number, verb: &Verb) -> String {
    let float = number.to_f64();
    let precision = verb.precision.unwrap_or(6);
    match kind {
        'f' | 'F' => format!("{float:.precision$}"),
        'e' | 'E' => exponential(&format!("{float:.precision$e}"), kind),
        _ => {
            let exponent = if float == 0.0 { 0.0 } else { float.abs().log10().floor() };
            let digits = verb.precision.unwrap_or(21).max(1);
            let in_range =
                exponent >= -4.0 && exponent < f64::from(u32::try_from(digits).unwrap_or(u32::MAX));
            let letter = if kind == 'g' { 'e' } else { 'E' };
            match (in_range, verb.precision) {
                (true, None) => format!("{float}"),
                (true, Some(digits)) => {
                    let behind = digits.max(1).saturating_sub(1);
                    let rounded: f64 = format!("{float:.behind$e}").parse().unwrap_or(float);
                    format!("{rounded}")
                }
                (false, None) => exponential(&format!("{float:e}"), letter),
                (false, Some(digits)) => {
                    let behind = digits.max(1) - 1;
                    exponential(&format!("{float:.behind$e}"), letter)
                }
            }
        }
    }
}

/// `1.5e3` as C writes it: a sign and at least two digits.
fn exponential(text: &str, letter: char) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}{letter}{sign}{digits:0>2}")
}
