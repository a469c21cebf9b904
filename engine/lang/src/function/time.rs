//! Time, and random identifiers.

use value::Value;

use super::Kind::Text;
use super::{Args, Fault, FunctionInfo, Returns, f, fault, p};

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f(
            "timestamp",
            &[],
            Returns::Text,
            "The time at which it is evaluated; unknown while planning.",
            |a| Ok(show(seconds(a.ctx.world.now_unix_nanos()), 0).into()),
        )
        .impure(),
        f("plantimestamp", &[], Returns::Text, "The time at which the plan was made.", |a| {
            Ok(show(seconds(a.ctx.world.plan_time_unix_nanos()), 0).into())
        })
        .impure(),
        f("uuid", &[], Returns::Text, "A random UUID; unknown while planning.", |a| {
            let mut bytes = [0u8; 16];
            a.ctx.world.random_bytes(&mut bytes);
            bytes[6] = (bytes[6] & 0x0f) | 0x40;
            bytes[8] = (bytes[8] & 0x3f) | 0x80;
            Ok(uuid_text(&bytes).into())
        })
        .impure(),
        f(
            "timeadd",
            &[p("timestamp", Text), p("duration", Text)],
            Returns::Text,
            "A time with a duration such as `1h30m` added.",
            |a| {
                let (at, offset) = time(a, 0)?;
                let duration = duration(a.text(1)?)
                    .ok_or_else(|| fault(1, "a duration such as `1h30m` is required"))?;
                Ok(show(at + duration, offset).into())
            },
        ),
        f(
            "timecmp",
            &[p("first", Text), p("second", Text)],
            Returns::Number,
            "-1, 0 or 1, by the order of two times.",
            |a| {
                let (first, second) = (time(a, 0)?.0, time(a, 1)?.0);
                Ok(Value::from(match first.cmp(&second) {
                    std::cmp::Ordering::Less => -1i64,
                    std::cmp::Ordering::Equal => 0,
                    std::cmp::Ordering::Greater => 1,
                }))
            },
        ),
        f(
            "formatdate",
            &[p("format", Text), p("timestamp", Text)],
            Returns::Text,
            "A time in a format such as `DD MMM YYYY hh:mm`.",
            formatdate,
        ),
    ]
}

/// The text of a UUID's 16 bytes.
pub(super) fn uuid_text(bytes: &[u8]) -> String {
    let hex = super::hash::hex(bytes);
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .map(|part| hex.get(part).unwrap_or_default().to_owned())
        .join("-")
}

fn seconds(nanos: u128) -> i64 {
    i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX)
}

fn time(args: &Args<'_>, at: usize) -> Result<(i64, i64), Fault> {
    parse(args.text(at)?).ok_or_else(|| {
        fault(at, "a time as in RFC 3339 is required, such as `2026-01-02T03:04:05Z`")
    })
}

/// Seconds since 1970 and the offset from UTC in seconds.
fn parse(text: &str) -> Option<(i64, i64)> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = text.get(from..to)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let marks = [(4, '-'), (7, '-'), (10, 'T'), (13, ':'), (16, ':')];
    if !text.is_ascii()
        || !marks.iter().all(|(at, mark)| text[*at.min(&text.len())..].starts_with(*mark))
    {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let valid = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None;
    }
    let mut rest = text.get(19..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        rest = &fraction[digits..];
    }
    let offset = match rest {
        "Z" => 0,
        _ => {
            let sign = match rest.chars().next()? {
                '+' => 1,
                '-' => -1,
                _ => return None,
            };
            let (hours, minutes) = rest.get(1..)?.split_once(':')?;
            if hours.len() != 2 || minutes.len() != 2 {
                return None;
            }
            sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60)
        }
    };
    Some((
        days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset,
        offset,
    ))
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date. Source: the well-known algorithm on eras of 400 years.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn show(at: i64, offset: i64) -> String {
    let local = at + offset;
    let (year, month, day) = civil_from_days(local.div_euclid(86_400));
    let second = local.rem_euclid(86_400);
    let zone = zone(offset, ":", true);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{zone}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

fn zone(offset: i64, colon: &str, z: bool) -> String {
    if offset == 0 && z {
        return "Z".to_owned();
    }
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

/// A duration in whole seconds, from text such as `-1h30m`.
fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanos: f64 = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [
            ("ns", 1.0),
            ("us", 1e3),
            ("µs", 1e3),
            ("ms", 1e6),
            ("s", 1e9),
            ("m", 6e10),
            ("h", 3.6e12),
        ];
        let (unit, scale) = units.into_iter().find(|(unit, _)| {
            rest.strip_prefix(unit).is_some_and(|after| !(*unit == "m" && after.starts_with('s')))
        })?;
        nanos += number * scale;
        rest = &rest[unit.len()..];
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a duration beyond 64 bits of seconds saturates"
    )]
    let seconds = (nanos / 1e9) as i64;
    Some(if negative { -seconds } else { seconds })
}

fn formatdate(args: &Args<'_>) -> Result<Value, Fault> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const DAYS: [&str; 7] =
        ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    let (at, offset) = time(args, 1)?;
    let local = at + offset;
    let (year, month, day) = civil_from_days(local.div_euclid(86_400));
    let second_of_day = local.rem_euclid(86_400);
    let (hour, minute, second) =
        (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    let name =
        |names: &[&'static str], at: i64| names[usize::try_from(at).unwrap_or(0) % names.len()];
    let weekday = name(&DAYS, local.div_euclid(86_400).rem_euclid(7));
    let month_name = name(&MONTHS, month - 1);
    let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    let format = args.text(0)?;
    let mut out = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let body = &rest[1..];
            let mut end = 0;
            let mut chars = body.char_indices().peekable();
            let mut closed = false;
            while let Some((at, c)) = chars.next() {
                if c != '\'' {
                    out.push(c);
                } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
                    out.push('\'');
                } else {
                    end = at + 1;
                    closed = true;
                    break;
                }
            }
            if !closed {
                return Err(fault(0, "a quote in the format is not closed"));
            }
            rest = &body[end..];
            continue;
        }
        if !first.is_ascii_alphabetic() {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let length = rest.chars().take_while(|c| *c == first).count();
        let verb = &rest[..length];
        out.push_str(&match verb {
            "YYYY" => format!("{year:04}"),
            "YY" => format!("{:02}", year.rem_euclid(100)),
            "MMMM" => month_name.to_owned(),
            "MMM" => month_name[..3].to_owned(),
            "MM" => format!("{month:02}"),
            "M" => month.to_string(),
            "DD" => format!("{day:02}"),
            "D" => day.to_string(),
            "EEEE" => weekday.to_owned(),
            "EEE" => weekday[..3].to_owned(),
            "hh" => format!("{hour:02}"),
            "h" => hour.to_string(),
            "HH" => format!("{hour12:02}"),
            "H" => hour12.to_string(),
            "AA" => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            "aa" => if hour < 12 { "am" } else { "pm" }.to_owned(),
            "mm" => format!("{minute:02}"),
            "m" => minute.to_string(),
            "ss" => format!("{second:02}"),
            "s" => second.to_string(),
            "ZZZZZ" => zone(offset, ":", false),
            "ZZZZ" => zone(offset, "", false),
            "ZZZ" => {
                if offset == 0 {
                    "UTC".to_owned()
                } else {
                    zone(offset, "", false)
                }
            }
            "Z" => zone(offset, ":", true),
            other => {
                return Err(fault(
                    0,
                    format!("there is no format verb `{other}`; quote letters by '…'"),
                ));
            }
        });
        rest = &rest[length..];
    }
    Ok(out.into())
}
