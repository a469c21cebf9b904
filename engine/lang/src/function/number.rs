//! Numbers.

use value::{Number, Value};

use super::ParameterType::{Any, Number as N};
use super::{Arguments, FunctionInfo, Reply, at, failed, param, pure};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "abs",
        &[param("num", N)],
        N,
        |a| Ok(Value::number(a.number(0).abs())),
        "Drops the sign of a number.",
    ),
    pure(
        "ceil",
        &[param("num", N)],
        N,
        |a| Ok(Value::number(a.number(0).ceil())),
        "Rounds up to a whole number.",
    ),
    pure(
        "floor",
        &[param("num", N)],
        N,
        |a| Ok(Value::number(a.number(0).floor())),
        "Rounds down to a whole number.",
    ),
    pure(
        "log",
        &[param("num", N), param("base", N)],
        N,
        log,
        "Gives the logarithm of a number to a base.",
    ),
    pure("max", &[], N, |a| extreme(a, true), "Gives the largest of its arguments.")
        .with_variadic(param("numbers", N)),
    pure("min", &[], N, |a| extreme(a, false), "Gives the smallest of its arguments.")
        .with_variadic(param("numbers", N)),
    pure(
        "parseint",
        &[param("number", Any), param("base", N)],
        N,
        parseint,
        "Reads a whole number in a base from 2 to 62.",
    )
    .typed(|args| match args[0].ty() {
        value::Type::String => Ok(value::Type::Number),
        _ => Err(at(0, "it must be a string")),
    }),
    pure("pow", &[param("num", N), param("power", N)], N, pow, "Raises a number to a power."),
    pure(
        "signum",
        &[param("num", N)],
        N,
        |a| match a.number(0).to_i64() {
            Some(_) => Ok(Value::number(a.number(0).signum())),
            None => Err(at(0, "it must be a whole number")),
        },
        "Gives -1, 0 or 1, by the sign of a number.",
    ),
    pure("sum", &[param("list", Any)], N, sum, "Adds up the numbers of a list or set."),
    pure(
        "range",
        &[],
        super::ParameterType::ListOfNumber,
        range,
        "Counts: `range(limit)`, `range(start, limit)` or `range(start, limit, step)`.",
    )
    .with_variadic(param("params", N)),
    pure(
        "alltrue",
        &[param("list", super::ParameterType::ListOfBool)],
        super::ParameterType::Bool,
        |a| quantify(a, false),
        "Says whether all elements are true; so it is for no elements.",
    ),
    pure(
        "anytrue",
        &[param("list", super::ParameterType::ListOfBool)],
        super::ParameterType::Bool,
        |a| quantify(a, true),
        "Says whether some element is true.",
    ),
];

fn log(args: &Arguments<'_>) -> Reply {
    args.number(0)
        .log(&args.number(1))
        .map(Value::number)
        .ok_or_else(|| failed("the logarithm is not a number"))
}

fn pow(args: &Arguments<'_>) -> Reply {
    args.number(0)
        .pow(&args.number(1))
        .map(Value::number)
        .ok_or_else(|| failed("the power is not a number"))
}

fn extreme(args: &Arguments<'_>, largest: bool) -> Reply {
    let numbers = args.values.iter().filter_map(Value::as_number);
    let found = if largest { numbers.max() } else { numbers.min() };
    found.cloned().map(Value::number).ok_or_else(|| {
        failed("at least one number is needed")
            .help("to take the numbers of a list, write `list...`")
    })
}

fn parseint(args: &Arguments<'_>) -> Reply {
    let text = value::convert(args.value(0), &value::Type::String)
        .map_err(|error| at(0, error.message))?;
    let Some(base) = args.number(1).to_u64().filter(|base| (2..=62).contains(base)) else {
        return Err(at(1, "the base is a whole number from 2 to 62"));
    };
    let text = text.as_str().unwrap_or_default();
    let (digits, negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let not_a_number = || at(0, format!("it is not a whole number in base {base}"));
    if digits.is_empty() {
        return Err(not_a_number());
    }
    // Beyond this many digits a number is a mistake or an attack.
    let mut total = (digits.len() <= 10_000).then_some(Number::ZERO).ok_or_else(not_a_number)?;
    for digit in digits.chars() {
        let worth = digit_value(digit, base).ok_or_else(not_a_number)?;
        total = total.mul_add(base, worth);
    }
    Ok(Value::number(if negative { total.neg() } else { total }))
}

/// Letters count from 10; beyond base 36, capitals follow the small ones.
fn digit_value(digit: char, base: u64) -> Option<u64> {
    let worth = match digit {
        '0'..='9' => u64::from(digit) - u64::from('0'),
        'a'..='z' => u64::from(digit) - u64::from('a') + 10,
        'A'..='Z' if base <= 36 => u64::from(digit) - u64::from('A') + 10,
        'A'..='Z' => u64::from(digit) - u64::from('A') + 36,
        _ => return None,
    };
    (worth < base).then_some(worth)
}

fn sum(args: &Arguments<'_>) -> Reply {
    let Some(items) = args.value(0).items() else {
        return Err(at(0, "it must be a list, set or tuple of numbers"));
    };
    if items.is_empty() {
        return Err(at(0, "it must not be empty"));
    }
    if !args.value(0).is_wholly_known() {
        return Ok(args.unknown());
    }
    let mut total: Option<Number> = None;
    for item in items {
        let number = value::convert(item, &value::Type::Number)
            .ok()
            .and_then(|number| number.as_number().cloned())
            .ok_or_else(|| at(0, "all elements must be numbers"))?;
        total = match total {
            None => Some(number),
            Some(so_far) => so_far.add(&number),
        };
        if total.is_none() {
            return Err(at(0, "opposite infinities have no sum"));
        }
    }
    Ok(Value::number(total.unwrap_or(Number::ZERO)))
}

/// As many numbers as Terraform allows in one call.
const RANGE_LIMIT: usize = 1024;

fn range(args: &Arguments<'_>) -> Reply {
    let number = |index: usize| args.number(index);
    let one = Number::from(1_i64);
    let (start, limit, step) = match args.values.len() {
        1 => (Number::ZERO, number(0), None),
        2 => (number(0), number(1), None),
        3 => (number(0), number(1), Some(number(2))),
        _ => return Err(failed("`range` takes 1, 2 or 3 numbers")),
    };
    let down = start > limit;
    let step = step.unwrap_or_else(|| if down { one.neg() } else { one });
    if step.is_zero() && start != limit {
        return Err(at(2, "the step must not be zero"));
    }
    if args.values.len() == 3 && start != limit && step.is_negative() != down {
        let side = if down { "less" } else { "more" };
        return Err(at(2, format!("the step must be {side} than zero for this start and limit")));
    }
    let mut items = Vec::new();
    let mut current = start;
    while if down { current > limit } else { current < limit } {
        if items.len() >= RANGE_LIMIT {
            return Err(failed(format!("more than {RANGE_LIMIT} numbers")));
        }
        items.push(Value::number(current.clone()));
        current = current.add(&step).ok_or_else(|| failed("the numbers have no end"))?;
    }
    Ok(Value::list(value::Type::Number, items))
}

/// `decisive` is the content that settles the answer whatever else there is. Null counts as false.
/// Null counts as false. `alltrue` goes by the first element that decides, `anytrue` by any.
fn quantify(args: &Arguments<'_>, decisive: bool) -> Reply {
    let mut unknown = false;
    for item in args.items(0) {
        if item.is_unknown() {
            unknown = true;
            if !decisive {
                break;
            }
        } else if (item.as_bool() == Some(true)) == decisive {
            return Ok(Value::bool(decisive));
        }
    }
    Ok(if unknown { args.unknown() } else { Value::bool(!decisive) })
}
