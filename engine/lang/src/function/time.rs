//! Times, durations and random identifiers.

use value::Value;

use super::ParameterType::{Number as N, String as S};
use super::{Arguments, Failure, FunctionInfo, Reply, at, hash, param, pure};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "formatdate",
        &[param("format", S), param("time", S)],
        S,
        formatdate,
        "Writes a time in a form such as `DD MMM YYYY hh:mm:ss ZZZ`.",
    ),
    pure(
        "plantimestamp",
        &[],
        S,
        |a| Ok(Value::string(Time::from_nanos(a.ctx.world.plan_time_unix_nanos()).to_string())),
        "Gives the time at which the plan was made.",
    ),
    pure(
        "timeadd",
        &[param("timestamp", S), param("duration", S)],
        S,
        timeadd,
        "Adds a duration such as `1h30m` to a time.",
    )
    .nullable(),
    pure(
        "timecmp",
        &[param("timestamp_a", S), param("timestamp_b", S)],
        N,
        timecmp,
        "Gives -1, 0 or 1 for earlier, same and later.",
    ),
    pure(
        "timestamp",
        &[],
        S,
        |a| Ok(Value::string(Time::from_nanos(a.ctx.world.now_unix_nanos()).to_string())),
        "Gives the time of apply.",
    )
    .impure(),
    pure("uuid", &[], S, uuid, "Makes a random UUID.").impure(),
];

fn uuid(args: &Arguments<'_>) -> Reply {
    let mut bytes = [0; 16];
    args.ctx.world.random_bytes(&mut bytes);
    Ok(Value::string(hash::uuid_text(bytes, 4)))
}

const NANOS: i128 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A moment and the zone that it is told in.
#[derive(Clone, Copy)]
struct Time {
    /// Since the start of 1970, UTC.
    nanos: i128,
    /// East of UTC, in seconds.
    offset: i64,
}

/// What a clock and a calendar show.
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// 0 is Sunday.
    weekday: i64,
}

impl Time {
    fn from_nanos(nanos: u128) -> Self {
        let seconds = i128::try_from(nanos).unwrap_or_default() / NANOS;
        Self { nanos: seconds * NANOS, offset: 0 }
    }

    /// Reads a time as RFC 3339 writes it.
    fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<i64> {
            let part = text.get(from..to)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let mark =
            |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
        if !(mark(4, b"-") && mark(7, b"-") && mark(10, b"T") && mark(13, b":") && mark(16, b":")) {
            return None;
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let mut rest = text.get(19..)?;
        let mut fraction = 0_i128;
        if let Some(behind) = rest.strip_prefix('.') {
            let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return None;
            }
            let padded = format!("{:0<9}", &behind[..digits]);
            fraction = padded[..9].parse().ok()?;
            rest = &behind[digits..];
        }
        let offset = parse_offset(rest)?;
        let valid = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !valid {
            return None;
        }
        let seconds =
            days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
        Some(Self { nanos: i128::from(seconds) * NANOS + fraction, offset })
    }

    fn fields(self) -> Fields {
        let seconds = i64::try_from(self.nanos.div_euclid(NANOS)).unwrap_or_default() + self.offset;
        let days = seconds.div_euclid(DAY);
        let within = seconds.rem_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        Fields {
            year,
            month,
            day,
            hour: within / 3600,
            minute: within % 3600 / 60,
            second: within % 60,
            weekday: (days + 4).rem_euclid(7),
        }
    }

    fn zone(self, colon: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs() / 60;
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }
}

/// As RFC 3339 has it, to the second.
impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let t = self.fields();
        let zone = if self.offset == 0 { "Z".to_owned() } else { self.zone(":") };
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
            t.year, t.month, t.day, t.hour, t.minute, t.second
        )
    }
}

fn parse_offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date. Years begin in March here, so that the leap day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A time as every function writes it; `None` if it is none.
pub(super) fn normalised(text: &str) -> Option<String> {
    Time::parse(text).map(|time| time.to_string())
}

fn time(args: &Arguments<'_>, index: usize) -> Result<Time, Failure> {
    Time::parse(args.text(index))
        .ok_or_else(|| at(index, "it is not a time such as `2026-01-31T09:00:00Z`"))
}

fn timeadd(args: &Arguments<'_>) -> Reply {
    let start = time(args, 0)?;
    let duration = parse_duration(args.text(1))
        .ok_or_else(|| at(1, "it is not a duration such as `1h30m` or `-10s`"))?;
    Ok(Value::string(Time { nanos: start.nanos + duration, ..start }.to_string()))
}

fn timecmp(args: &Arguments<'_>) -> Reply {
    let (first, second) = (time(args, 0)?, time(args, 1)?);
    Ok(Value::number(match first.nanos.cmp(&second.nanos) {
        std::cmp::Ordering::Less => -1_i64,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }))
}

/// Nanoseconds of a duration as Go writes it.
fn parse_duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0_i128;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, behind) = rest.split_at(digits);
        let length = behind
            .find(|letter: char| letter.is_ascii_digit() || letter == '.')
            .unwrap_or(behind.len());
        let (unit, next) = behind.split_at(length);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => NANOS,
            "m" => 60 * NANOS,
            "h" => 3600 * NANOS,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || number.len() > 18 {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        let fraction: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        total += whole * unit + fraction * unit / scale;
        rest = next;
    }
    Some(sign * total)
}

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
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

fn formatdate(args: &Arguments<'_>) -> Reply {
    let moment = time(args, 1)?;
    let letters: Vec<char> = args.text(0).chars().collect();
    let mut out = String::new();
    let mut place = 0;
    while let Some(letter) = letters.get(place).copied() {
        if letter == '\'' {
            place = quoted(&letters, place, &mut out)
                .ok_or_else(|| at(0, "a quote `'` is not closed"))?;
            continue;
        }
        let run = letters[place..].iter().take_while(|next| **next == letter).count();
        if letter.is_ascii_alphabetic() {
            let part = date_part(letter, run, moment).ok_or_else(|| {
                let verb: String = letters[place..place + run].iter().collect();
                at(0, format!("`{verb}` is no part of a date"))
                    .help("put plain text between single quotes")
            })?;
            out.push_str(&part);
        } else {
            out.extend(std::iter::repeat_n(letter, run));
        }
        place += run;
    }
    Ok(Value::string(out))
}

/// Copies what stands in single quotes, two of which are one, and says where it ends.
fn quoted(letters: &[char], start: usize, out: &mut String) -> Option<usize> {
    let mut place = start + 1;
    // Nothing between quotes is a quote.
    if letters.get(place) == Some(&'\'') && letters.get(place + 1).is_none() {
        out.push('\'');
        return Some(place + 1);
    }
    loop {
        match (letters.get(place)?, letters.get(place + 1)) {
            ('\'', Some('\'')) => {
                out.push('\'');
                place += 2;
            }
            ('\'', _) => return Some(place + 1),
            (letter, _) => {
                out.push(*letter);
                place += 1;
            }
        }
    }
}

fn date_part(letter: char, run: usize, moment: Time) -> Option<String> {
    let t = moment.fields();
    let name =
        |names: &[&str], at: i64| names.get(usize::try_from(at).ok()?).map(|n| (*n).to_owned());
    let two = |number: i64| format!("{number:02}");
    let twelve = if t.hour % 12 == 0 { 12 } else { t.hour % 12 };
    let half = if t.hour < 12 { "am" } else { "pm" };
    match (letter, run) {
        ('Y', 4) => Some(format!("{:04}", t.year)),
        ('Y', 2) => Some(two(t.year % 100)),
        ('M', 4) => name(&MONTHS, t.month - 1),
        ('M', 3) => name(&MONTHS, t.month - 1).map(|n| n[..3].to_owned()),
        ('M', 2) => Some(two(t.month)),
        ('M', 1) => Some(t.month.to_string()),
        ('D', 2) => Some(two(t.day)),
        ('D', 1) => Some(t.day.to_string()),
        ('E', 4) => name(&DAYS, t.weekday),
        ('E', 3) => name(&DAYS, t.weekday).map(|n| n[..3].to_owned()),
        ('h', 2) => Some(two(t.hour)),
        ('h', 1) => Some(t.hour.to_string()),
        ('H', 2) => Some(two(twelve)),
        ('H', 1) => Some(twelve.to_string()),
        ('A', 2) => Some(half.to_uppercase()),
        ('a', 2) => Some(half.to_owned()),
        ('m', 2) => Some(two(t.minute)),
        ('m', 1) => Some(t.minute.to_string()),
        ('s', 2) => Some(two(t.second)),
        ('s', 1) => Some(t.second.to_string()),
        ('Z', 3) if moment.offset == 0 => Some("UTC".to_owned()),
        ('Z', 1) if moment.offset == 0 => Some("Z".to_owned()),
        ('Z', 3 | 4) => Some(moment.zone("")),
        ('Z', 1 | 5) => Some(moment.zone(":")),
        _ => None,
    }
}
