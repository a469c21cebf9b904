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
        |a| text(&a.text(0).to_lowercase()),
        "Makes all letters small.",
    ),
    pure(
        "regex",
        &[param("pattern", S), param("string", S)],
        Any,
        regex,
        "Gives the first match of a regular expression: the text, or its groups.",
    ),
    pure(
        "regexall",
        &[param("pattern", S), param("string", S)],
        List,
        regexall,
        "Gives all matches of a regular expression.",
    ),
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
    ),
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
        |a| text(&a.text(0).to_uppercase()),
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
    if !prefix.starts_with(known) {
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
    let end = if length < 0 { count } else { start.saturating_add(length).min(count) };
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
            result.extend(letter.to_uppercase());
        }
        within = letter.is_alphanumeric() || letter == '_';
    }
    text(&result)
}

fn trim(args: &Arguments<'_>) -> Reply {
    let set: Vec<char> = args.text(1).chars().collect();
    text(args.text(0).trim_matches(set.as_slice()))
}

// Regular expressions.

fn pattern(text: &str, argument: usize) -> Result<Regex, Failure> {
    Regex::new(text).map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or("it cannot be read");
        at(argument, format!("not a regular expression: {}", last.trim_start_matches("error: ")))
            .help("the syntax is that of RE2: neither look-around nor back-references")
    })
}

/// A pattern without groups gives a string, with named groups an object, with plain ones a tuple.
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
    let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
    let element = match (names.is_empty(), names.iter().all(Option::is_some)) {
        (true, _) => Type::String,
        (_, true) => Type::object(names.iter().flatten().map(|name| (*name, Type::String))),
        _ => Type::tuple(names.iter().map(|_| Type::String)),
    };
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
