//! Texts.

use regex::Regex;
use unicode_segmentation::UnicodeSegmentation;
use value::{Type, Value};

use super::ParameterType::{Any, Bool, List, ListOfString, Number as N, String as S};
use super::{Arguments, Failure, FunctionInfo, Reply, UNKNOWN, at, failed, flagged, param, pure};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "chomp",
        &[param("str", S)],
        S,
        |a| text(a.text(0).trim_end_matches(['\r', '\n'])),
        "Drops line ends at the end of a text.",
    ),
    pure(
        "endswith",
        &[param("str", S), param("suffix", S)],
        Bool,
        |a| Ok(Value::bool(a.text(0).ends_with(a.text(1)))),
        "Says whether a text ends with another.",
    ),
    pure(
        "indent",
        &[param("spaces", N), param("str", S)],
        S,
        indent,
        "Indents all lines of a text but the first.",
    ),
    pure(
        "join",
        &[param("separator", S)],
        S,
        join,
        "Puts the strings of lists together, with a separator between them.",
    )
    .with_variadic(param("lists", ListOfString)),
    pure(
        "lower",
        &[param("str", S)],
        S,
        |a| text(&a.text(0).chars().map(lower).collect::<String>()),
        "Makes all letters small.",
    ),
    pure(
        "regex",
        &[param("pattern", S), param("string", S)],
        Any,
        regex,
        "Gives the first match of a regular expression: the text, or its groups.",
    )
    .typed(|args| match args[0].as_str() {
        Some(text) => match_type(&pattern(text, 0)?),
        None => Ok(Type::Dynamic),
    }),
    pure(
        "regexall",
        &[param("pattern", S), param("string", S)],
        List,
        regexall,
        "Gives all matches of a regular expression.",
    )
    .typed(|args| match args[0].as_str() {
        Some(text) => match_type(&pattern(text, 0)?).map(Type::list),
        None => Ok(Type::list(Type::Dynamic)),
    }),
    pure(
        "replace",
        &[param("str", S), param("substr", S), param("replace", S)],
        S,
        replace,
        "Replaces a part wherever it occurs; `/…/` is a regular expression.",
    ),
    pure(
        "split",
        &[param("separator", S), param("str", S)],
        ListOfString,
        split,
        "Cuts a text at each separator.",
    ),
    pure(
        "startswith",
        &[flagged("str", S, UNKNOWN), param("prefix", S)],
        Bool,
        startswith,
        "Says whether a text starts with another.",
    ),
    pure(
        "strcontains",
        &[param("str", S), param("substr", S)],
        Bool,
        |a| Ok(Value::bool(a.text(0).contains(a.text(1)))),
        "Says whether a text holds another.",
    )
    .nullable(),
    pure(
        "strrev",
        &[param("str", S)],
        S,
        |a| text(&a.text(0).graphemes(true).rev().collect::<String>()),
        "Turns a text round, character by character.",
    ),
    pure(
        "substr",
        &[param("str", S), param("offset", N), param("length", N)],
        S,
        substr,
        "Takes a part of a text, by characters; a negative offset counts from the end.",
    ),
    pure("title", &[param("str", S)], S, title, "Makes the first letter of each word a capital."),
    pure(
        "trim",
        &[param("str", S), param("cutset", S)],
        S,
        trim,
        "Drops characters of a set at both ends.",
    ),
    pure(
        "trimprefix",
        &[param("str", S), param("prefix", S)],
        S,
        |a| text(a.text(0).strip_prefix(a.text(1)).unwrap_or(a.text(0))),
        "Drops a prefix, if it is there.",
    ),
    pure(
        "trimspace",
        &[param("str", S)],
        S,
        |a| text(a.text(0).trim()),
        "Drops white space at both ends.",
    ),
    pure(
        "trimsuffix",
        &[param("str", S), param("suffix", S)],
        S,
        |a| text(a.text(0).strip_suffix(a.text(1)).unwrap_or(a.text(0))),
        "Drops a suffix, if it is there.",
    ),
    pure(
        "upper",
        &[param("str", S)],
        S,
        |a| text(&a.text(0).chars().map(upper).collect::<String>()),
        "Makes all letters capitals.",
    ),
];

fn text(text: &str) -> Reply {
    Ok(Value::string(text))
}

fn indent(args: &Arguments<'_>) -> Reply {
    let spaces = args.number(0).to_usize().ok_or_else(|| at(0, "it must be a whole number"))?;
    text(&args.text(1).replace('\n', &format!("\n{}", " ".repeat(spaces))))
}

fn join(args: &Arguments<'_>) -> Reply {
    let mut parts = Vec::new();
    if args.values.iter().any(|list| !list.is_wholly_known()) {
        return Ok(args.unknown());
    }
    for (position, list) in args.values.iter().enumerate().skip(1) {
        for item in list.items().unwrap_or_default() {
            parts.push(item.as_str().ok_or_else(|| at(position, "an element is null"))?);
        }
    }
    if args.values.len() < 2 {
        return Err(failed("at least one list is needed"));
    }
    text(&parts.join(args.text(0)))
}

fn split(args: &Arguments<'_>) -> Reply {
    let (separator, whole) = (args.text(0), args.text(1));
    let parts: Vec<Value> = if separator.is_empty() {
        whole.chars().map(|letter| Value::string(letter.to_string())).collect()
    } else {
        whole.split(separator).map(Value::from).collect()
    };
    Ok(Value::list(Type::String, parts))
}

/// What is known about the start of an unknown text may settle the answer.
fn startswith(args: &Arguments<'_>) -> Reply {
    let prefix = args.text(1);
    if let Some(text) = args.value(0).as_str() {
        return Ok(Value::bool(text.starts_with(prefix)));
    }
    let known = args.value(0).refinement().and_then(|r| r.prefix.as_deref()).unwrap_or_default();
    if known.starts_with(prefix) {
        return Ok(Value::bool(true));
    }
    if known.len() >= prefix.len() {
        return Ok(Value::bool(false));
    }
    Ok(crate::operator::not_null(Type::Bool))
}

fn substr(args: &Arguments<'_>) -> Reply {
    let characters: Vec<&str> = args.text(0).graphemes(true).collect();
    let whole = |index: usize| {
        args.number(index).to_i64().ok_or_else(|| at(index, "it must be a whole number"))
    };
    let (offset, length) = (whole(1)?, whole(2)?);
    let count = i64::try_from(characters.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 { (count + offset).max(0) } else { offset.min(count) };
    // Counted from the end, a length of zero reaches to the end, as in Terraform.
    let to_end = length < 0 || (length == 0 && offset < 0);
    let end = if to_end { count } else { start.saturating_add(length).min(count) };
    let place = |at: i64| usize::try_from(at).unwrap_or(0);
    text(&characters[place(start)..place(end)].concat())
}

fn title(args: &Arguments<'_>) -> Reply {
    let mut result = String::with_capacity(args.text(0).len());
    let mut within = false;
    for letter in args.text(0).chars() {
        if within {
            result.push(letter);
        } else {
            result.push(capital(letter));
        }
        // Beyond ASCII, spaces alone end a word: so it is in Go, whose function this is.
        within = match letter.is_ascii() {
            true => letter.is_ascii_alphanumeric() || letter == '_',
            false => !letter.is_whitespace(),
        };
    }
    text(&result)
}

/// One letter for one: what has no small form of one letter stays.
fn lower(letter: char) -> char {
    let mut small = letter.to_lowercase();
    match (small.next(), small.next()) {
        (Some(only), None) => only,
        // The only letter whose small form is longer.
        _ if letter == 'İ' => 'i',
        _ => letter,
    }
}

/// One letter for one: what has no capital of one letter stays.
fn upper(letter: char) -> char {
    let mut large = letter.to_uppercase();
    match (large.next(), large.next()) {
        (Some(only), None) => only,
        _ => greek_capital(letter).unwrap_or(letter),
    }
}

/// Greek vowels with an iota below them have capitals of one letter too.
fn greek_capital(letter: char) -> Option<char> {
    let code = u32::from(letter);
    match code {
        0x1f80..=0x1faf => char::from_u32(code | 8),
        0x1fb3 | 0x1fc3 | 0x1ff3 => char::from_u32(code + 9),
        _ => None,
    }
}

/// The form at the start of a word, which a few double letters have besides their capital.
fn capital(letter: char) -> char {
    match letter {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        other => upper(other),
    }
}

fn trim(args: &Arguments<'_>) -> Reply {
    let set: Vec<char> = args.text(1).chars().collect();
    text(args.text(0).trim_matches(set.as_slice()))
}

// Regular expressions.

/// The type of a match: a text, or a tuple or object of the groups.
fn match_type(regex: &Regex) -> Result<Type, Failure> {
    let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
    match names.iter().flatten().count() {
        _ if names.is_empty() => Ok(Type::String),
        0 => Ok(Type::tuple(names.iter().map(|_| Type::String))),
        named if named == names.len() => {
            Ok(Type::object(names.iter().flatten().map(|name| (*name, Type::String))))
        }
        _ => Err(at(0, "named and unnamed groups cannot be mixed")),
    }
}

fn pattern(text: &str, argument: usize) -> Result<Regex, Failure> {
    let fault = |reason: &str| {
        at(argument, format!("not a regular expression: {reason}"))
            .help("the syntax is that of RE2: neither look-around nor back-references")
    };
    let translated = super::re2::translate(text).map_err(fault)?;
    Regex::new(&translated).map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or("it cannot be read");
        fault(last.trim_start_matches("error: "))
    })
}

fn captured(regex: &Regex, captures: &regex::Captures<'_>) -> Result<Value, Failure> {
    let group = |at: usize| {
        captures.get(at).map_or_else(|| Value::null(Type::String), |found| found.as_str().into())
    };
    let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
    let with_name = names.iter().flatten().count();
    if names.is_empty() {
        Ok(group(0))
    } else if with_name == 0 {
        Ok(Value::tuple((1..=names.len()).map(group).collect()))
    } else if with_name == names.len() {
        let entries = names.iter().enumerate().filter_map(|(index, name)| {
            Some((std::sync::Arc::<str>::from((*name)?), group(index + 1)))
        });
        Ok(Value::object(entries))
    } else {
        Err(at(0, "named and unnamed groups cannot be mixed"))
    }
}

fn regex(args: &Arguments<'_>) -> Reply {
    let regex = pattern(args.text(0), 0)?;
    match regex.captures(args.text(1)) {
        Some(captures) => captured(&regex, &captures),
        None => Err(failed("the pattern matches nothing in the text")
            .help("`try(regex(…), null)` gives null then, and `regexall` an empty list")),
    }
}

fn regexall(args: &Arguments<'_>) -> Reply {
    let regex = pattern(args.text(0), 0)?;
    let found: Result<Vec<Value>, Failure> =
        regex.captures_iter(args.text(1)).map(|captures| captured(&regex, &captures)).collect();
    let found = found?;
    let element = args.element();
    Ok(Value::list(element, found))
}

fn replace(args: &Arguments<'_>) -> Reply {
    let (whole, part, new) = (args.text(0), args.text(1), args.text(2));
    let inner = part.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    match inner {
        Some(inner) => text(&pattern(inner, 1)?.replace_all(whole, new)),
        None => text(&whole.replace(part, new)),
    }
}
