//! Points in time, as configurations write them.

use catalog::fact::days_of;

/// A day without leap seconds.
pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

/// Seconds since 1970 of a time such as `2027-01-31T11:30:00Z`; `None` if it is none.
///
/// Source: RFC 3339, section 5.6; fractions of seconds are left out.
pub(crate) fn seconds_of(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let days = days_of(date)?;
    let (clock, offset_s) = match rest.find(['Z', 'z', '+', '-']) {
        None => return None,
        Some(at) => (rest.get(..at)?, offset(rest.get(at..)?)?),
    };
    let whole = clock.split('.').next()?;
    let mut parts = whole.split(':');
    let hours = part(parts.next()?, 23)?;
    let (minutes, seconds) = (part(parts.next()?, 59)?, part(parts.next()?, 60)?);
    let none_left = parts.next().is_none();
    none_left.then_some(days * SECONDS_PER_DAY + hours * 3600 + minutes * 60 + seconds - offset_s)
}

fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    Some(sign * (part(hours, 23)? * 3600 + part(minutes, 59)? * 60))
}

fn part(text: &str, most: i64) -> Option<i64> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= most)
}

#[cfg(test)]
mod tests {
    use super::seconds_of;

    #[test]
    fn times_are_read_or_refused() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-26T12:00:00Z", Some(1_795_694_400)),
            ("2026-11-26T13:00:00+01:00", Some(1_795_694_400)),
            ("2026-11-26T04:30:00.25-07:30", Some(1_795_694_400)),
            ("2026-11-26", None),
            ("2026-11-26T12:00:00", None),
            ("2026-11-26T24:00:00Z", None),
            ("2026-11-26T1:00:00Z", None),
            ("soon", None),
        ] {
            assert_eq!(seconds_of(text), expected, "{text}");
        }
    }
}
