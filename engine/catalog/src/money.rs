//! Money, exactly.

use std::fmt;
use std::str::FromStr;

/// A price per hour in millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsdPerHour(pub u64);

/// Hours in a month, as price lists count them.
pub const HOURS_PER_MONTH: u64 = 730;

impl UsdPerHour {
    /// The price of so many; the largest price that can be written if it is more.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// Both together; the largest price that can be written if it is more.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What a month of it costs.
    #[must_use]
    pub fn per_month(self) -> Self {
        self.times(HOURS_PER_MONTH)
    }
}

impl FromStr for UsdPerHour {
    type Err = ();

    /// Reads a decimal without sign or exponent; digits beyond the sixth after the point are cut off.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(());
        }
        let mut micros =
            whole.parse::<u64>().ok().and_then(|n| n.checked_mul(1_000_000)).ok_or(())?;
        let mut unit = 100_000;
        for digit in fraction.bytes().take(6) {
            micros = micros.checked_add(u64::from(digit - b'0') * unit).ok_or(())?;
            unit /= 10;
        }
        Ok(Self(micros))
    }
}

impl fmt::Display for UsdPerHour {
    /// At least two digits after the point, and no more than are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let digits = format!("{fraction:06}");
        let needed = digits.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{}", &digits[..needed])
    }
}

#[cfg(test)]
mod tests {
    use super::UsdPerHour;

    #[test]
    fn prices_are_read_and_shown_exactly() {
        let table = [
            ("55.04", Some(55_040_000), "55.04"),
            ("0.0255", Some(25_500), "0.0255"),
            ("7", Some(7_000_000), "7.00"),
            ("0.0000019", Some(1), "0.000001"),
            ("-1", None, ""),
            ("1e3", None, ""),
            ("", None, ""),
            (".5", None, ""),
            ("99999999999999999999", None, ""),
        ];
        for (text, micros, shown) in table {
            let read = text.parse::<UsdPerHour>().ok();
            assert_eq!(read, micros.map(UsdPerHour), "{text}");
            if let Some(price) = read {
                assert_eq!(price.to_string(), shown, "{text}");
            }
        }
    }
}
