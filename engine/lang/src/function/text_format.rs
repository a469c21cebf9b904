//! `format` and `formatlist`.

use value::{Number, Refinement, Type, Value};

use super::ParameterType::{Any, String as S};
use super::{
    Arguments, Failure, FunctionInfo, NULL, Reply, UNKNOWN, at, failed, flagged, param, pure,
};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "format",
        &[param("format", S)],
        S,
        format_one,
        "Fills values into a text, as `%s`, `%d`, `%q`, `%v`, `%5.2f` and so on say.",
    )
    .with_variadic(flagged("args", Any, NULL | UNKNOWN)),
    pure(
        "formatlist",
        &[param("format", S)],
        super::ParameterType::ListOfString,
        format_list,
        "Formats a text for each element of lists.",
    )
    .with_variadic(flagged("args", Any, NULL | UNKNOWN)),
];

fn format_one(args: &Arguments<'_>) -> Reply {
    let format = args.text(0);
    if args.values[1..].iter().any(|value| !value.is_wholly_known()) {
        // What stands before the first verb is certain.
        let before = format.split('%').next().filter(|before| before.len() < format.len());
        let prefix = value::known_prefix(before.unwrap_or_default(), usize::MAX);
        let prefix = (!prefix.is_empty()).then(|| prefix.into());
        let refinement = Refinement { not_null: true, prefix, ..Refinement::default() };
        return Ok(Value::unknown_refined(Type::String, refinement));
    }
    let values: Vec<&Value> = args.values.iter().skip(1).collect();
    render(format, &values).map(Value::string)
}

/// What is walked in step, row by row; everything else is the same in each row.
fn is_column(value: &Value) -> bool {
    !value.is_null() && matches!(value.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_))
}

/// How many rows a column has; `None` if that is not known.
fn rows_of(value: &Value) -> Option<usize> {
    match value.ty() {
        Type::Tuple(elements) => Some(elements.len()),
        Type::Set(_) if !value.is_wholly_known() && value.len() != Some(1) => None,
        _ => value.len(),
    }
}

fn format_list(args: &Arguments<'_>) -> Reply {
    let rest = &args.values[1..];
    let mut length = None;
    let mut unknown = false;
    for (position, value) in rest.iter().enumerate() {
        if !is_column(value) {
            unknown |= value.is_unknown() && value.ty_is_dynamic();
            continue;
        }
        unknown |= value.is_unknown();
        let Some(found) = rows_of(value) else {
            unknown = true;
            continue;
        };
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
    if unknown {
        return Ok(args.unknown());
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
    /// The argument that it asks for, from 0.
    position: Option<usize>,
}

fn render(format: &str, values: &[&Value]) -> Result<String, Failure> {
    let mut out = String::with_capacity(format.len() + 16);
    let mut letters = format.chars().peekable();
    let mut next = 0_usize;
    let mut used = 0_usize;
    while let Some(letter) = letters.next() {
        if letter != '%' || letters.next_if_eq(&'%').is_some() {
            out.push(letter);
            continue;
        }
        let verb = Verb::read(&mut letters)?;
        next = verb.position.unwrap_or(next);
        let Some(kind) = letters.next_if(char::is_ascii_alphabetic) else {
            return Err(at(0, "a letter must follow `%`; write `%%` for a per cent sign"));
        };
        let Some(value) = values.get(next) else {
            let given =
                if values.len() == 1 { "1 is".to_owned() } else { format!("{} are", values.len()) };
            return Err(failed(format!(
                "`%{kind}` wants argument {}, but {given} given",
                next + 1
            )));
        };
        next += 1;
        used = used.max(next);
        out.push_str(&one(kind, &verb, value).map_err(|message| at(next, message))?);
    }
    if used < values.len() {
        return Err(at(used + 1, "the format does not use it"));
    }
    Ok(out)
}

impl Verb {
    /// Reads what stands between `%` and the letter.
    fn read(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Self, Failure> {
        let mut verb = Self::default();
        while let Some(flag) = letters.next_if(|letter| "-+ 0#".contains(*letter)) {
            match flag {
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                ' ' => verb.space = true,
                '0' => verb.zero = true,
                _ => verb.sharp = true,
            }
        }
        verb.width = digits(letters);
        if letters.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(letters).unwrap_or(0));
        }
        if letters.next_if_eq(&'[').is_some() {
            let leading_zero = letters.peek() == Some(&'0');
            let position = digits(letters).filter(|position| *position > 0 && !leading_zero);
            let (Some(position), Some(_)) = (position, letters.next_if_eq(&']')) else {
                return Err(at(0, "`%[` is followed by the number of an argument and `]`"));
            };
            verb.position = Some(position - 1);
        }
        Ok(verb)
    }
}

fn digits(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut text = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    // Wider than this is a mistake that would fill the memory.
    text.parse().ok().map(|number: usize| number.min(100_000))
}

/// Fills a text up to the width. Characters are counted, not bytes.
fn pad(text: String, verb: &Verb) -> String {
    let length = unicode_segmentation::UnicodeSegmentation::graphemes(text.as_str(), true).count();
    let missing = verb.width.unwrap_or(0).saturating_sub(length);
    let filling = if verb.zero { "0" } else { " " }.repeat(missing);
    if verb.minus { text + &filling } else { filling + &text }
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
        'v' => Ok(pad(if verb.sharp { json(value) } else { plainly(value) }, verb)),
        's' => Ok(pad(cut(text()?, verb), verb)),
        'q' => Ok(pad(json(&Value::string(cut(text()?, verb))), verb)),
        't' => value::convert(value, &Type::Bool)
            .ok()
            .and_then(|flag| flag.as_bool())
            .map(|flag| flag.to_string())
            .ok_or_else(|| "`%t` wants a bool".to_owned()),
        'b' | 'd' | 'o' | 'x' | 'X' => {
            whole(kind, &number()?, verb).ok_or_else(|| format!("`%{kind}` wants a whole number"))
        }
        'e' | 'E' | 'f' | 'g' | 'G' => Ok(float(kind, &number()?, verb)),
        other => Err(format!("`%{other}` is no way to show a value")),
    }
}

fn json(value: &Value) -> String {
    value::json::to_string(value)
}

fn plainly(value: &Value) -> String {
    match (value.as_str(), value.as_number()) {
        (Some(text), _) => text.to_owned(),
        (_, Some(number)) => {
            let digits = shortest('g', number, None);
            if number.is_negative() { format!("-{digits}") } else { digits }
        }
        _ => json(value),
    }
}

fn cut(text: String, verb: &Verb) -> String {
    match verb.precision {
        Some(most) if most > 0 => {
            unicode_segmentation::UnicodeSegmentation::graphemes(text.as_str(), true)
                .take(most)
                .collect()
        }
        _ => text,
    }
}

fn sign(number: &Number, verb: &Verb) -> &'static str {
    match (number.is_negative(), verb.plus, verb.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn whole(kind: char, number: &Number, verb: &Verb) -> Option<String> {
    let base = match kind {
        'b' => 2,
        'o' => 8,
        'd' => 10,
        _ => 16,
    };
    let mut digits = number.to_digits(base)?;
    if kind == 'X' {
        digits = digits.to_uppercase();
    }
    let prefix = match (verb.sharp, kind) {
        (true, 'b') => "0b",
        (true, 'o') => "0",
        (true, 'x') => "0x",
        (true, 'X') => "0X",
        _ => "",
    };
    if digits == "0" && verb.precision == Some(0) {
        return Some(String::new());
    }
    let zeros = verb.precision.unwrap_or(0).saturating_sub(digits.len());
    digits = "0".repeat(zeros) + &digits;
    let sign = sign(number, verb);
    let missing = verb.width.unwrap_or(0).saturating_sub(sign.len() + prefix.len() + digits.len());
    Some(if verb.minus {
        format!("{sign}{prefix}{digits}{}", " ".repeat(missing))
    } else if verb.zero && verb.precision.is_none() {
        format!("{sign}{prefix}{}{digits}", "0".repeat(missing))
    } else {
        format!("{}{sign}{prefix}{digits}", " ".repeat(missing))
    })
}

fn float(kind: char, number: &Number, verb: &Verb) -> String {
    if number.is_infinite() {
        return if number.is_negative() { "-Inf" } else { "+Inf" }.to_owned();
    }
    let digits = match kind {
        'f' => number.to_fixed(verb.precision.unwrap_or(6)),
        'e' | 'E' => scientific(kind, number, verb.precision.unwrap_or(6) + 1),
        _ => shortest(kind, number, verb.precision),
    };
    let sign = sign(number, verb);
    let missing = verb.width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
    if verb.minus {
        format!("{sign}{digits}{}", " ".repeat(missing))
    } else if verb.zero {
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        format!("{}{sign}{digits}", " ".repeat(missing))
    }
}

fn scientific(letter: char, number: &Number, count: usize) -> String {
    let (digits, exponent) = number.to_significant(count);
    exponential(letter, &digits, exponent)
}

fn exponential(letter: char, digits: &str, exponent: i64) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}{letter}{sign}{:02}", exponent.unsigned_abs())
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// With an exponent only where the number is very small or large, as `%g` has it.
fn shortest(kind: char, number: &Number, precision: Option<usize>) -> String {
    let (digits, exponent, limit) = match precision {
        Some(count) => {
            let count = count.max(1);
            let (digits, exponent) = number.to_significant(count);
            let kept = digits.trim_end_matches('0').len().max(1);
            let limit = if count > kept && signed(kept) > exponent { kept } else { count };
            (digits[..kept].to_owned(), exponent, limit)
        }
        None => {
            let text = number.abs().to_string();
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let all = format!("{whole}{fraction}");
            let significant = all.trim_start_matches('0');
            let leading = all.len() - significant.len();
            let exponent =
                if significant.is_empty() { 0 } else { signed(whole.len()) - signed(leading) - 1 };
            let kept = significant.trim_end_matches('0');
            (if kept.is_empty() { "0".to_owned() } else { kept.to_owned() }, exponent, 6)
        }
    };
    let letter = if kind == 'g' { 'e' } else { 'E' };
    if exponent < -4 || exponent >= i64::try_from(limit).unwrap_or(i64::MAX) {
        return exponential(letter, &digits, exponent);
    }
    match usize::try_from(exponent) {
        Ok(exponent) if digits.len() > exponent + 1 => {
            format!("{}.{}", &digits[..=exponent], &digits[exponent + 1..])
        }
        Ok(exponent) => format!("{digits:0<width$}", width = exponent + 1),
        Err(_) => {
            let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
            format!("0.{}{digits}", "0".repeat(zeros))
        }
    }
}
