//! Text.

use std::collections::BTreeMap;

use unicode_segmentation::UnicodeSegmentation;
use value::{Type, Value, convert};

use super::Kind::{Any, Number as Num, Text, Texts};
use super::{Args, Fault, FunctionInfo, Returns, f, fault, nullable, p};

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f(
            "chomp",
            &[p("text", Text)],
            Returns::Text,
            "A text without the line ends at its end.",
            |a| {
                let t = a.text(0)?;
                Ok(t.trim_end_matches(['\n', '\r']).into())
            },
        ),
        f("lower", &[p("text", Text)], Returns::Text, "A text in lower case.", |a| {
            let t = a.text(0)?;
            Ok(t.to_lowercase().into())
        }),
        f("upper", &[p("text", Text)], Returns::Text, "A text in upper case.", |a| {
            let t = a.text(0)?;
            Ok(t.to_uppercase().into())
        }),
        f(
            "title",
            &[p("text", Text)],
            Returns::Text,
            "A text with each word's first letter in upper case.",
            |a| {
                let t = a.text(0)?;
                Ok(title(t).into())
            },
        ),
        f(
            "trimspace",
            &[p("text", Text)],
            Returns::Text,
            "A text without white space at both ends.",
            |a| {
                let t = a.text(0)?;
                Ok(t.trim().into())
            },
        ),
        f("strrev", &[p("text", Text)], Returns::Text, "A text backwards.", |a| {
            let t = a.text(0)?;
            Ok(t.graphemes(true).rev().collect::<String>().into())
        }),
        f(
            "trimprefix",
            &[p("text", Text), p("prefix", Text)],
            Returns::Text,
            "A text without a prefix.",
            |a| {
                let (t, x) = (a.text(0)?, a.text(1)?);
                Ok(t.strip_prefix(x).unwrap_or(t).into())
            },
        ),
        f(
            "trimsuffix",
            &[p("text", Text), p("suffix", Text)],
            Returns::Text,
            "A text without a suffix.",
            |a| {
                let (t, x) = (a.text(0)?, a.text(1)?);
                Ok(t.strip_suffix(x).unwrap_or(t).into())
            },
        ),
        f(
            "trim",
            &[p("text", Text), p("characters", Text)],
            Returns::Text,
            "A text without certain characters at both ends.",
            |a| {
                let (t, x) = (a.text(0)?, a.text(1)?);
                Ok(t.trim_matches(|c| x.contains(c)).into())
            },
        ),
        f(
            "startswith",
            &[p("text", Text), p("prefix", Text)],
            Returns::Bool,
            "Whether a text begins with another.",
            |a| Ok(a.text(0)?.starts_with(a.text(1)?).into()),
        ),
        f(
            "endswith",
            &[p("text", Text), p("suffix", Text)],
            Returns::Bool,
            "Whether a text ends with another.",
            |a| Ok(a.text(0)?.ends_with(a.text(1)?).into()),
        ),
        f(
            "strcontains",
            &[p("text", Text), p("part", Text)],
            Returns::Bool,
            "Whether a text holds another.",
            |a| Ok(a.text(0)?.contains(a.text(1)?).into()),
        ),
        f(
            "join",
            &[p("separator", Text)],
            Returns::Text,
            "The texts of lists, with a separator between them.",
            join,
        )
        .variadic(p("lists", Texts)),
        f(
            "split",
            &[p("separator", Text), p("text", Text)],
            Returns::Texts,
            "The parts of a text between separators.",
            |a| {
                let (separator, text) = (a.text(0)?, a.text(1)?);
                let parts: Vec<Value> = if separator.is_empty() {
                    text.graphemes(true).map(Value::from).collect()
                } else {
                    text.split(separator).map(Value::from).collect()
                };
                Ok(Value::list(Type::String, parts))
            },
        ),
        f(
            "indent",
            &[p("spaces", Num), p("text", Text)],
            Returns::Text,
            "A text with each line but the first moved to the right.",
            |a| {
                let spaces = usize::try_from(a.integer(0)?)
                    .map_err(|_| fault(0, "a number from 0 is required"))?;
                Ok(a.text(1)?
                    .replace('\n', &format!("\n{}", " ".repeat(spaces.min(10_000))))
                    .into())
            },
        ),
        f(
            "substr",
            &[p("text", Text), p("offset", Num), p("length", Num)],
            Returns::Text,
            "A part of a text, counted in characters as people see them.",
            substr,
        ),
        f(
            "replace",
            &[p("text", Text), p("search", Text), p("replacement", Text)],
            Returns::Text,
            "A text with each occurrence replaced; `/…/` searches by a regular expression.",
            replace,
        ),
        f(
            "regex",
            &[p("pattern", Text), p("text", Text)],
            Returns::Any,
            "What a regular expression finds first.",
            |a| {
                let pattern = pattern(a.text(0)?)?;
                let found = pattern.captures(a.text(1)?);
                found
                    .map(|found| captured(&pattern, &found))
                    .ok_or_else(|| fault(1, "the pattern does not match"))
            },
        ),
        f(
            "regexall",
            &[p("pattern", Text), p("text", Text)],
            Returns::Any,
            "All that a regular expression finds.",
            |a| {
                let pattern = pattern(a.text(0)?)?;
                let found: Vec<Value> = pattern
                    .captures_iter(a.text(1)?)
                    .map(|found| captured(&pattern, &found))
                    .collect();
                let element = found.first().map_or(Type::String, Value::ty);
                Ok(Value::list(element, found))
            },
        ),
        f(
            "format",
            &[p("format", Text)],
            Returns::Text,
            "A text made from a format such as `%s is %d`.",
            |a| format_with(a.text(0)?, &a.values[1..]).map(Value::from),
        )
        .variadic(nullable("values", Any)),
        f(
            "formatlist",
            &[p("format", Text)],
            Returns::Texts,
            "Texts made from a format, one for each element of lists.",
            formatlist,
        )
        .variadic(nullable("values", Any)),
        f(
            "templatestring",
            &[p("template", Text), p("variables", super::Kind::Mapping)],
            Returns::Text,
            "A text made from a template.",
            |a| {
                super::files::render(a.text(0)?, "<template>", a.value(1)?, a.ctx)
                    .map_err(|message| fault(0, message))
            },
        ),
    ]
}

fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .flat_map(|c| {
            let upper = start && c.is_alphabetic();
            start = !(c.is_alphanumeric() || c == '_' || c == '\'');
            if upper { c.to_uppercase().collect::<Vec<_>>() } else { vec![c] }
        })
        .collect()
}

fn join(args: &Args<'_>) -> Result<Value, Fault> {
    let mut parts: Vec<&str> = Vec::new();
    for at in 1..args.values.len() {
        parts.extend(args.texts(at)?);
    }
    Ok(parts.join(args.text(0)?).into())
}

fn substr(args: &Args<'_>) -> Result<Value, Fault> {
    let letters: Vec<&str> = args.text(0)?.graphemes(true).collect();
    let (offset, length) = (args.integer(1)?, args.integer(2)?);
    let count = i64::try_from(letters.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 { (count + offset).max(0) } else { offset.min(count) };
    let end = if length < 0 { count } else { start.saturating_add(length).min(count) };
    let (start, end) = (usize::try_from(start).unwrap_or(0), usize::try_from(end).unwrap_or(0));
    Ok(letters.get(start..end.max(start)).unwrap_or_default().concat().into())
}

fn replace(args: &Args<'_>) -> Result<Value, Fault> {
    let (text, search, replacement) = (args.text(0)?, args.text(1)?, args.text(2)?);
    match search.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(inner) if search.len() > 1 => {
            let pattern = pattern(inner).map_err(|found| fault(1, found.message))?;
            // `$1x` means the group `1x` to our library too, so nothing has to be rewritten.
            Ok(pattern.replace_all(text, replacement).into_owned().into())
        }
        _ => Ok(text.replace(search, replacement).into()),
    }
}

fn pattern(text: &str) -> Result<regex::Regex, Fault> {
    regex::Regex::new(text).map_err(|_| fault(0, "the regular expression cannot be read"))
}

fn captured(pattern: &regex::Regex, found: &regex::Captures<'_>) -> Value {
    let group = |at: usize| {
        found.get(at).map_or_else(|| Value::null(Type::String), |group| Value::from(group.as_str()))
    };
    let names: Vec<&str> = pattern.capture_names().flatten().collect();
    if !names.is_empty() {
        return Value::object(names.into_iter().map(|name| {
            let value = found
                .name(name)
                .map_or_else(|| Value::null(Type::String), |group| group.as_str().into());
            (name, value)
        }));
    }
    match found.len() {
        1 => group(0),
        count => Value::tuple((1..count).map(group).collect()),
    }
}

fn formatlist(args: &Args<'_>) -> Result<Value, Fault> {
    let format = args.text(0)?;
    let values = &args.values[1..];
    let lists = || values.iter().filter_map(Value::items);
    let Some(length) = lists().map(<[Value]>::len).next() else {
        return Ok(Value::list(Type::String, vec![format_with(format, values)?.into()]));
    };
    if lists().any(|items| items.len() != length) {
        return Err(fault(1, "all lists must have the same length"));
    }
    let lines = (0..length).map(|at| {
        let row: Vec<Value> = values
            .iter()
            .map(|value| value.items().map_or_else(|| value.clone(), |items| items[at].clone()))
            .collect();
        format_with(format, &row).map(Value::from)
    });
    Ok(Value::list(Type::String, lines.collect::<Result<_, _>>()?))
}

/// Fills a format: `%s %q %d %b %o %x %X %e %f %g %t %v %#v %%`, with flags, width, precision and `[n]`.
fn format_with(format: &str, values: &[Value]) -> Result<String, Fault> {
    let mut out = String::new();
    let mut next = 0usize;
    let mut used: BTreeMap<usize, ()> = BTreeMap::new();
    let mut explicit = false;
    let mut chars = format.chars().peekable();
    while let Some(character) = chars.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-+# 0".contains(*c)) {
            match flag {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                '#' => spec.sharp = true,
                '0' => spec.zero = true,
                _ => spec.space = true,
            }
        }
        spec.width = digits(&mut chars).unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(digits(&mut chars).unwrap_or(0));
        }
        if chars.next_if_eq(&'[').is_some() {
            let at = digits(&mut chars).filter(|at| *at > 0);
            let closed = chars.next_if_eq(&']').is_some();
            let at =
                at.filter(|_| closed).ok_or_else(|| fault(0, "`%[n]` needs a number from 1"))?;
            next = at - 1;
            explicit = true;
        }
        let verb = chars.next().ok_or_else(|| fault(0, "the format ends within a verb"))?;
        if verb == '%' {
            out.push('%');
            continue;
        }
        let value = values.get(next).ok_or_else(|| {
            fault(
                0,
                format!(
                    "the format needs at least {} values, but there are {}",
                    next + 1,
                    values.len()
                ),
            )
        })?;
        used.insert(next, ());
        out.push_str(&spec.show(verb, value, next + 1)?);
        next += 1;
    }
    if !explicit && used.len() < values.len() {
        return Err(fault(
            used.len() + 1,
            format!("the format uses {} values, but there are {}", used.len(), values.len()),
        ));
    }
    Ok(out)
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut text = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    text.parse().ok().map(|number: usize| number.min(10_000))
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of a format verb")]
struct Spec {
    left: bool,
    plus: bool,
    sharp: bool,
    zero: bool,
    space: bool,
    width: usize,
    precision: Option<usize>,
}

impl Spec {
    fn show(&self, verb: char, value: &Value, argument: usize) -> Result<String, Fault> {
        let wrong = |message: String| fault(argument, message);
        let as_type = |ty: Type| convert(value, &ty).map_err(|error| wrong(error.to_string()));
        let body = match verb {
            'v' if self.sharp => value::json::to_string(value),
            'v' => match value.as_str() {
                Some(text) => text.to_owned(),
                None if value.ty().is_primitive() && !value.is_null() => {
                    as_type(Type::String)?.as_str().unwrap_or_default().to_owned()
                }
                None => value::json::to_string(value),
            },
            's' | 'q' => {
                let text = as_type(Type::String)?;
                let text = text.as_str().ok_or_else(|| wrong("the value is null".to_owned()))?;
                let text: String = match self.precision {
                    Some(most) => text.graphemes(true).take(most).collect(),
                    None => text.to_owned(),
                };
                if verb == 'q' { value::json::to_string(&Value::from(text)) } else { text }
            }
            't' => as_type(Type::Bool)?
                .as_bool()
                .ok_or_else(|| wrong("the value is null".to_owned()))?
                .to_string(),
            'd' | 'b' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let number = as_type(Type::Number)?;
                let number =
                    number.as_number().ok_or_else(|| wrong("the value is null".to_owned()))?;
                self.number(verb, number).map_err(wrong)?
            }
            other => return Err(fault(0, format!("there is no verb `%{other}`"))),
        };
        Ok(self.pad(body, !matches!(verb, 's' | 'q' | 'v' | 't')))
    }

    fn number(&self, verb: char, number: &value::Number) -> Result<String, String> {
        let whole = || {
            number
                .trunc()
                .to_i64()
                .ok_or_else(|| "the number is too large for this verb".to_owned())
        };
        let text = match verb {
            'd' => number.trunc().to_string(),
            'b' => radix(whole()?, 2),
            'o' => radix(whole()?, 8),
            'x' => radix(whole()?, 16),
            'X' => radix(whole()?, 16).to_uppercase(),
            'f' | 'F' => format!("{:.*}", self.precision.unwrap_or(6), number.to_f64()),
            'e' | 'E' => {
                let text = format!("{:.*e}", self.precision.unwrap_or(6), number.to_f64());
                let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let exponent: i32 = exponent.parse().unwrap_or(0);
                let sign = if exponent < 0 { '-' } else { '+' };
                let letter = if verb == 'E' { 'E' } else { 'e' };
                format!("{mantissa}{letter}{sign}{:02}", exponent.abs())
            }
            _ => number.to_string(),
        };
        let sign = if self.plus {
            "+"
        } else if self.space {
            " "
        } else {
            ""
        };
        Ok(if text.starts_with('-') { text } else { format!("{sign}{text}") })
    }

    fn pad(&self, body: String, numeric: bool) -> String {
        let length = body.graphemes(true).count();
        let missing = self.width.saturating_sub(length);
        if missing == 0 {
            return body;
        }
        if self.left {
            return format!("{body}{}", " ".repeat(missing));
        }
        if self.zero && numeric {
            let (sign, digits) = match body.strip_prefix(['-', '+', ' ']) {
                Some(digits) => body.split_at(body.len() - digits.len()),
                None => ("", body.as_str()),
            };
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        format!("{}{body}", " ".repeat(missing))
    }
}

fn radix(number: i64, base: u64) -> String {
    let mut rest = number.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(rest % base).unwrap_or(0);
        digits.push(char::from_digit(digit, 16).unwrap_or('0'));
        rest /= base;
        if rest == 0 {
            break;
        }
    }
    let text: String = digits.into_iter().rev().collect();
    if number < 0 { format!("-{text}") } else { text }
}
