//! Numbers.

use value::{Number, Value};

use super::Kind::{Number as Num, Sequence, Text};
use super::{Args, Fault, FunctionInfo, Returns, f, fault, p};

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f("abs", &[p("number", Num)], Returns::Number, "The magnitude of a number.", |a| {
            one(a, Number::abs)
        }),
        f(
            "ceil",
            &[p("number", Num)],
            Returns::Number,
            "The smallest whole number that is not below a number.",
            |a| one(a, Number::ceil),
        ),
        f(
            "floor",
            &[p("number", Num)],
            Returns::Number,
            "The largest whole number that is not above a number.",
            |a| one(a, Number::floor),
        ),
        f(
            "signum",
            &[p("number", Num)],
            Returns::Number,
            "-1, 0 or 1, by the sign of a number.",
            |a| one(a, Number::signum),
        ),
        f("max", &[p("number", Num)], Returns::Number, "The largest of several numbers.", |a| {
            best(a, true)
        })
        .variadic(p("numbers", Num)),
        f("min", &[p("number", Num)], Returns::Number, "The smallest of several numbers.", |a| {
            best(a, false)
        })
        .variadic(p("numbers", Num)),
        f(
            "sum",
            &[p("list", Sequence)],
            Returns::Number,
            "The sum of the numbers in a list or set.",
            sum,
        ),
        f(
            "pow",
            &[p("number", Num), p("power", Num)],
            Returns::Number,
            "A number to a power.",
            |a| {
                let result = a.number(0)?.pow(a.number(1)?);
                result.map(Value::number).ok_or_else(|| fault(0, "the result is not a number"))
            },
        ),
        f(
            "log",
            &[p("number", Num), p("base", Num)],
            Returns::Number,
            "The logarithm of a number to a base.",
            |a| {
                let result = a.number(0)?.log(a.number(1)?);
                result.map(Value::number).ok_or_else(|| fault(0, "the result is not a number"))
            },
        ),
        f(
            "parseint",
            &[p("text", Text), p("base", Num)],
            Returns::Number,
            "The whole number that a text spells in a base from 2 to 62.",
            parseint,
        ),
    ]
}

fn one(args: &Args<'_>, compute: fn(&Number) -> Number) -> Result<Value, Fault> {
    Ok(Value::number(compute(args.number(0)?)))
}

fn best(args: &Args<'_>, larger: bool) -> Result<Value, Fault> {
    let mut found = args.number(0)?;
    for at in 1..args.values.len() {
        let number = args.number(at)?;
        if (number > found) == larger && number != found {
            found = number;
        }
    }
    Ok(Value::number(found.clone()))
}

fn sum(args: &Args<'_>) -> Result<Value, Fault> {
    let items = args.items(0)?;
    if items.is_empty() {
        return Err(fault(0, "the list is empty"));
    }
    let mut total = Number::ZERO;
    for item in items {
        let item = value::convert(item, &value::Type::Number)
            .map_err(|error| fault(0, error.to_string()))?;
        let number = item.as_number().ok_or_else(|| fault(0, "the list holds null"))?;
        total = total.add(number).ok_or_else(|| fault(0, "the sum is not a number"))?;
    }
    Ok(Value::number(total))
}

fn parseint(args: &Args<'_>) -> Result<Value, Fault> {
    let base = args.integer(1)?;
    let base = u32::try_from(base).ok().filter(|base| (2..=62).contains(base));
    let base = base.ok_or_else(|| fault(1, "the base must be from 2 to 62"))?;
    let text = args.text(0)?;
    let wrong = || fault(0, format!("the text is no whole number in base {base}"));
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() {
        return Err(wrong());
    }
    let factor = Number::from(i64::from(base));
    let mut total = Number::parse("0").unwrap_or(Number::ZERO);
    for character in digits.chars() {
        let digit = match character {
            '0'..='9' => u32::from(character) - u32::from('0'),
            'a'..='z' => u32::from(character) - u32::from('a') + 10,
            'A'..='Z' if base <= 36 => u32::from(character) - u32::from('A') + 10,
            'A'..='Z' => u32::from(character) - u32::from('A') + 36,
            _ => return Err(wrong()),
        };
        if digit >= base {
            return Err(wrong());
        }
        let next = total.mul(&factor).and_then(|total| total.add(&Number::from(i64::from(digit))));
        total = next.ok_or_else(wrong)?;
    }
    Ok(Value::number(if negative { total.neg() } else { total }))
}
