//! Numbers: binary floats of any size that remember their precision.
//!
//! A literal, and a number read from text, has 512 bits, rounded to the nearest, ties to even. A result
//! has the larger precision of its operands; an integer that a function makes has 64 bits, a result of
//! floating-point functions 53. Text shows the shortest decimal that reads back to the same number at
//! its own precision, never with an exponent; two numbers that are not integers are equal if they show
//! the same text.
//!
//! Source: observed behaviour of Terraform 1.11 and of the cty library.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use dashu_int::ops::{Abs, BitTest, DivRem};
use dashu_int::{IBig, Sign, UBig};

/// Precision of literals and of numbers read from text, in bits.
const LITERAL_BITS: u32 = 512;
/// Largest decimal exponent that is read: beyond it a number is a mistake or an attack.
const MAX_DECIMAL_EXPONENT: i64 = 50_000;

/// A number. Cheap to clone.
#[derive(Clone)]
pub struct Number {
    repr: Repr,
    precision: u32,
}

#[derive(Clone)]
enum Repr {
    Small(i64),
    /// Not an integer that fits `Small`; the significand is odd.
    Big(Arc<Big>),
    Infinite {
        negative: bool,
    },
}

/// `significand × 2^exponent`.
#[derive(Clone)]
struct Big {
    significand: IBig,
    exponent: i64,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self { repr: Repr::Small(0), precision: 64 };

    /// Positive infinity, the quotient of a positive number and zero in some functions.
    pub const INFINITY: Self =
        Self { repr: Repr::Infinite { negative: false }, precision: LITERAL_BITS };

    /// Reads decimal text, with an optional sign, fraction and exponent, or `inf`. `None` if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(small) = text.parse::<i64>() {
            return Some(Self { repr: Repr::Small(small), precision: LITERAL_BITS });
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if matches!(digits, "inf" | "Inf") {
            return Some(Self { repr: Repr::Infinite { negative }, precision: LITERAL_BITS });
        }
        let (mantissa, exponent) = match digits.find(['e', 'E']) {
            Some(at) => (&digits[..at], parse_exponent(&digits[at + 1..])?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let exponent = exponent - i64::try_from(fraction.len()).ok()?;
        if exponent.abs() > MAX_DECIMAL_EXPONENT || mantissa.len() > 100_000 {
            return None;
        }
        let significand = UBig::from_str_radix(&format!("{whole}{fraction}"), 10).ok()?;
        let significand =
            IBig::from_parts(if negative { Sign::Negative } else { Sign::Positive }, significand);
        let power = UBig::from(10u8).pow(usize::try_from(exponent.unsigned_abs()).ok()?);
        Some(if exponent >= 0 {
            Self::rounded(significand * IBig::from(power), 0, LITERAL_BITS, false)
        } else {
            Self::quotient(&significand, 0, &IBig::from(power), 0, LITERAL_BITS)
        })
    }

    /// The number that a 64-bit float holds, exactly. `None` for NaN.
    pub fn from_f64(float: f64) -> Option<Self> {
        if float.is_nan() {
            return None;
        }
        if float.is_infinite() {
            return Some(Self { repr: Repr::Infinite { negative: float < 0.0 }, precision: 53 });
        }
        let bits = float.to_bits();
        let biased = i64::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
        let fraction = bits & ((1 << 52) - 1);
        let (significand, exponent) =
            if biased == 0 { (fraction, -1074) } else { (fraction | (1 << 52), biased - 1075) };
        let significand =
            if float < 0.0 { -IBig::from(significand) } else { IBig::from(significand) };
        Some(Self::rounded(significand, exponent, 53, false))
    }

    /// The number as it is, with its precision, for [`Self::from_exact`]: `significand`, `p` and the binary exponent
    /// where there is one, `@` and the precision in bits where it is not that of literals.
    pub(crate) fn to_exact(&self) -> String {
        let mut text = match &self.repr {
            Repr::Small(small) => small.to_string(),
            Repr::Big(big) => format!("{}p{}", big.significand, big.exponent),
            Repr::Infinite { negative } => if *negative { "-inf" } else { "inf" }.to_owned(),
        };
        if self.precision != LITERAL_BITS {
            text.push_str(&format!("@{}", self.precision));
        }
        text
    }

    /// Reads what [`Self::to_exact`] has written.
    pub(crate) fn from_exact(text: &str) -> Option<Self> {
        let (text, precision) = match text.split_once('@') {
            Some((text, precision)) => (text, precision.parse().ok()?),
            None => (text, LITERAL_BITS),
        };
        let repr = match (text, text.split_once('p')) {
            ("inf", _) => Repr::Infinite { negative: false },
            ("-inf", _) => Repr::Infinite { negative: true },
            (_, Some((significand, exponent))) => {
                let significand = IBig::from_str_radix(significand, 10).ok()?;
                let exponent: i64 = exponent.parse().ok()?;
                if exponent.abs() > 4 * MAX_DECIMAL_EXPONENT
                    || significand.trailing_zeros() != Some(0)
                {
                    return None;
                }
                Repr::Big(Arc::new(Big { significand, exponent }))
            }
            (text, None) => Repr::Small(text.parse().ok()?),
        };
        Some(Self { repr, precision })
    }

    /// The integer, if the number is one that fits.
    pub fn to_i64(&self) -> Option<i64> {
        match self.repr {
            Repr::Small(small) => Some(small),
            _ => None,
        }
    }

    /// The integer, if the number is one that fits.
    pub fn to_u64(&self) -> Option<u64> {
        match &self.repr {
            Repr::Small(small) => u64::try_from(*small).ok(),
            Repr::Big(big) if big.exponent >= 0 => u64::try_from(&big.integer()).ok(),
            _ => None,
        }
    }

    /// The integer, if the number is one that fits.
    pub fn to_usize(&self) -> Option<usize> {
        self.to_u64().and_then(|number| usize::try_from(number).ok())
    }

    /// The nearest 64-bit float.
    pub fn to_f64(&self) -> f64 {
        match &self.repr {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the nearest float is what is asked for"
            )]
            Repr::Small(small) => *small as f64,
            Repr::Infinite { negative: true } => f64::NEG_INFINITY,
            Repr::Infinite { negative: false } => f64::INFINITY,
            // The decimal text of enough digits is read by the standard library, which rounds correctly.
            Repr::Big(_) => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// The 64-bit float that is exactly this number, if there is one. Integers have none.
    pub fn to_exact_f64(&self) -> Option<f64> {
        match &self.repr {
            Repr::Small(_) => None,
            Repr::Infinite { .. } => Some(self.to_f64()),
            Repr::Big(big) => {
                // The significand is odd, so that its bits are those that a float must hold.
                let fits = big.exponent < 0
                    && big.exponent >= -1022
                    && big.significand.clone().abs().bit_len() <= 53;
                fits.then(|| self.to_f64())
            }
        }
    }

    /// True for whole numbers.
    pub fn is_integer(&self) -> bool {
        match &self.repr {
            Repr::Small(_) => true,
            Repr::Big(big) => big.exponent >= 0,
            Repr::Infinite { .. } => false,
        }
    }

    /// True for the infinities.
    pub fn is_infinite(&self) -> bool {
        matches!(self.repr, Repr::Infinite { .. })
    }

    /// True for zero.
    pub fn is_zero(&self) -> bool {
        matches!(self.repr, Repr::Small(0))
    }

    /// True below zero.
    pub fn is_negative(&self) -> bool {
        match &self.repr {
            Repr::Small(small) => *small < 0,
            Repr::Big(big) => big.significand.sign() == Sign::Negative,
            Repr::Infinite { negative } => *negative,
        }
    }

    /// The sum; `None` for opposite infinities.
    pub fn add(&self, other: &Self) -> Option<Self> {
        let precision = self.precision.max(other.precision);
        if let (Repr::Small(a), Repr::Small(b)) = (&self.repr, &other.repr)
            && let Some(sum) = a.checked_add(*b)
        {
            return Some(Self::small(sum, precision));
        }
        let (a, b) = match (self.finite(), other.finite()) {
            (Some(a), Some(b)) => (a, b),
            (None, None) => return (self == other).then(|| self.clone()),
            (None, _) => return Some(self.clone()),
            (_, None) => return Some(other.clone()),
        };
        let exponent = a.exponent.min(b.exponent);
        let sum = a.shifted_to(exponent) + b.shifted_to(exponent);
        Some(Self::rounded(sum, exponent, precision, false))
    }

    /// The difference; `None` for equal infinities.
    pub fn sub(&self, other: &Self) -> Option<Self> {
        self.add(&other.neg())
    }

    /// The product; `None` for zero and an infinity.
    pub fn mul(&self, other: &Self) -> Option<Self> {
        let precision = self.precision.max(other.precision);
        if let (Repr::Small(a), Repr::Small(b)) = (&self.repr, &other.repr)
            && let Some(product) = a.checked_mul(*b)
        {
            return Some(Self::small(product, precision));
        }
        let (Some(a), Some(b)) = (self.finite(), other.finite()) else {
            let negative = self.is_negative() != other.is_negative();
            let zero = self.is_zero() || other.is_zero();
            return (!zero).then_some(Self { repr: Repr::Infinite { negative }, precision });
        };
        Some(Self::rounded(
            a.significand * b.significand,
            a.exponent + b.exponent,
            precision,
            false,
        ))
    }

    /// The quotient, infinite for a division by zero; `None` for zeros and for infinities.
    pub fn div(&self, other: &Self) -> Option<Self> {
        let precision = self.precision.max(other.precision);
        if other.is_zero() {
            let negative = self.is_negative();
            let some = !self.is_zero() && !self.is_infinite();
            return some.then_some(Self { repr: Repr::Infinite { negative }, precision });
        }
        let Some(a) = self.finite() else {
            let negative = self.is_negative() != other.is_negative();
            return (!other.is_infinite())
                .then_some(Self { repr: Repr::Infinite { negative }, precision });
        };
        let Some(b) = other.finite() else {
            return Some(Self::small(0, precision));
        };
        Some(Self::quotient(&a.significand, a.exponent, &b.significand, b.exponent, precision))
    }

    /// The remainder of a division that rounds towards zero; it has the sign of `self`. By zero, all of it remains;
    /// `None` for infinities.
    ///
    /// The quotient is rounded to the precision first, so that 2 holds 0.1 twenty times and nothing remains, although
    /// the nearest number to 0.1 is a little larger.
    pub fn rem(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return Some(self.clone());
        }
        if self.is_infinite() || other.is_infinite() {
            return None;
        }
        let times = self.div(other)?.trunc().finite()?;
        let other = other.finite()?;
        let taken = Self::rounded(
            times.significand * other.significand,
            times.exponent + other.exponent,
            self.precision,
            false,
        );
        self.sub(&taken)
    }

    /// The negated number.
    #[must_use]
    pub fn neg(&self) -> Self {
        match &self.repr {
            Repr::Small(small) => match small.checked_neg() {
                Some(negated) => Self::small(negated, self.precision),
                None => Self::rounded(-IBig::from(*small), 0, self.precision, false),
            },
            Repr::Big(big) => {
                Self::rounded(-big.significand.clone(), big.exponent, self.precision, false)
            }
            Repr::Infinite { negative } => {
                Self { repr: Repr::Infinite { negative: !negative }, precision: self.precision }
            }
        }
    }

    /// The magnitude.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(&self) -> Self {
        Self::small(
            if self.is_zero() {
                0
            } else if self.is_negative() {
                -1
            } else {
                1
            },
            64,
        )
    }

    /// The largest integer that is not above the number.
    #[must_use]
    pub fn floor(&self) -> Self {
        match &self.repr {
            Repr::Big(big) if big.exponent < 0 => {
                let bits = usize::try_from(-big.exponent).unwrap_or(usize::MAX);
                // A shift to the right rounds towards negative infinity.
                Self::rounded(big.significand.clone() >> bits, 0, self.precision, false)
            }
            _ => self.clone(),
        }
    }

    /// The smallest integer that is not below the number.
    #[must_use]
    pub fn ceil(&self) -> Self {
        self.neg().floor().neg()
    }

    /// The integer part.
    #[must_use]
    pub fn trunc(&self) -> Self {
        if self.is_negative() { self.ceil() } else { self.floor() }
    }

    /// `self` to the power of `exponent`, in 64-bit floats; `None` where that is not a number.
    pub fn pow(&self, exponent: &Self) -> Option<Self> {
        Self::from_f64(crate::float::pow(self.to_f64(), exponent.to_f64()))
    }

    /// The logarithm to `base`, in 64-bit floats; `None` where that is not a number.
    pub fn log(&self, base: &Self) -> Option<Self> {
        Self::from_f64(crate::float::ln(self.to_f64()) / crate::float::ln(base.to_f64()))
    }

    /// The digits of a whole number in a base from 2 to 36, without its sign; `None` for any other number.
    pub fn to_digits(&self, base: u8) -> Option<String> {
        if !self.is_integer() {
            return None;
        }
        let (_, magnitude) = self.finite()?.integer().into_parts();
        Some(magnitude.in_radix(base).to_string())
    }

    /// A whole number times another one, plus a third; exact, whatever the precision.
    #[must_use]
    pub fn mul_add(&self, factor: u64, more: u64) -> Self {
        let integer = self.finite().map_or(IBig::ZERO, |big| big.integer());
        let result = integer * IBig::from(factor) + IBig::from(more);
        let bits = u32::try_from(result.clone().abs().bit_len()).unwrap_or(u32::MAX);
        Self::rounded(result, 0, bits.max(64), false)
    }

    /// The exact value as decimal digits, without its sign, and how many of them follow the point.
    fn exact_decimal(&self) -> (String, usize) {
        let Some(big) = self.finite() else { return ("0".to_owned(), 0) };
        let (_, magnitude) = big.significand.clone().into_parts();
        if big.exponent >= 0 {
            let whole = magnitude << usize::try_from(big.exponent).unwrap_or(0);
            return (whole.to_string(), 0);
        }
        let places = usize::try_from(-big.exponent).unwrap_or(0);
        ((magnitude * UBig::from(5u8).pow(places)).to_string(), places)
    }

    /// The magnitude with so many places behind the point, rounded to the nearest, ties to even.
    pub fn to_fixed(&self, places: usize) -> String {
        let (digits, have) = self.exact_decimal();
        let digits = round_digits(&digits, signed(digits.len()) - signed(have) + signed(places));
        // The rounded digits count from the last place that is wanted.
        let digits = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }

    /// The magnitude as significant digits, rounded to so many, and the decimal exponent of the first one.
    pub fn to_significant(&self, count: usize) -> (String, i64) {
        let (digits, have) = self.exact_decimal();
        let trimmed = digits.trim_start_matches('0');
        if trimmed.is_empty() {
            return ("0".repeat(count), 0);
        }
        let exponent = signed(trimmed.len()) - signed(have) - 1;
        let rounded = round_digits(trimmed, signed(count));
        if rounded.len() > count {
            return (rounded[..count].to_owned(), exponent + 1);
        }
        (format!("{rounded:0<count$}"), exponent)
    }

    fn small(number: i64, precision: u32) -> Self {
        Self { repr: Repr::Small(number), precision }
    }

    fn finite(&self) -> Option<Big> {
        match &self.repr {
            Repr::Small(small) => Some(Big { significand: IBig::from(*small), exponent: 0 }),
            Repr::Big(big) => Some(Big::clone(big)),
            Repr::Infinite { .. } => None,
        }
    }

    /// `significand × 2^exponent`, rounded to `precision` bits, ties to even. `sticky` says that the true
    /// value lies a little further from zero.
    fn rounded(significand: IBig, exponent: i64, precision: u32, sticky: bool) -> Self {
        let (sign, mut magnitude) = significand.into_parts();
        let mut exponent = exponent;
        let length = magnitude.bit_len();
        let limit = precision as usize;
        if length > limit {
            let cut = length - limit;
            let half = magnitude.bit(cut - 1);
            let below = sticky || magnitude.trailing_zeros().is_some_and(|zeros| zeros < cut - 1);
            magnitude >>= cut;
            if half && (below || magnitude.bit(0)) {
                magnitude += UBig::ONE;
            }
            exponent += i64::try_from(cut).unwrap_or(i64::MAX);
        }
        let Some(zeros) = magnitude.trailing_zeros() else {
            return Self::small(0, precision);
        };
        magnitude >>= zeros;
        exponent += i64::try_from(zeros).unwrap_or(i64::MAX);
        let odd = IBig::from_parts(sign, magnitude);
        if (0..64).contains(&exponent)
            && let Ok(small) =
                i64::try_from(&(odd.clone() << usize::try_from(exponent).unwrap_or(0)))
        {
            return Self::small(small, precision);
        }
        Self { repr: Repr::Big(Arc::new(Big { significand: odd, exponent })), precision }
    }

    fn quotient(a: &IBig, a_exponent: i64, b: &IBig, b_exponent: i64, precision: u32) -> Self {
        let wanted = precision as usize + 2 + b.clone().abs().bit_len();
        let shift = wanted.saturating_sub(a.clone().abs().bit_len());
        let negative = (a.sign() == Sign::Negative) != (b.sign() == Sign::Negative);
        let (_, a) = a.clone().into_parts();
        let (_, b) = b.clone().into_parts();
        let (quotient, rest) = (a << shift).div_rem(b);
        let exponent = a_exponent - b_exponent - i64::try_from(shift).unwrap_or(i64::MAX);
        let sign = if negative { Sign::Negative } else { Sign::Positive };
        Self::rounded(IBig::from_parts(sign, quotient), exponent, precision, !rest.is_zero())
    }
}

impl Big {
    fn shifted_to(&self, exponent: i64) -> IBig {
        self.significand.clone() << usize::try_from(self.exponent - exponent).unwrap_or(0)
    }

    fn integer(&self) -> IBig {
        self.shifted_to(0)
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i64 = digits.parse().ok()?;
    Some(if text.starts_with('-') { -exponent } else { exponent })
}

/// The shortest decimal that reads back to the same number at its precision.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repr {
            Repr::Small(small) => write!(f, "{small}"),
            Repr::Infinite { negative: true } => f.write_str("-Inf"),
            Repr::Infinite { negative: false } => f.write_str("+Inf"),
            Repr::Big(big) => {
                let (sign, magnitude) = big.significand.clone().into_parts();
                if sign == Sign::Negative {
                    f.write_str("-")?;
                }
                f.write_str(&shortest(&magnitude, big.exponent, self.precision))
            }
        }
    }
}

/// The shortest digits within half a unit in the last place of `odd × 2^exponent`.
fn shortest(odd: &UBig, exponent: i64, precision: u32) -> String {
    let length = odd.bit_len();
    if exponent >= 0 && length + usize::try_from(exponent).unwrap_or(0) <= precision as usize {
        return (odd << usize::try_from(exponent).unwrap_or(0)).to_string();
    }
    // The significand with all its bits, and two more so that a quarter of a unit is whole.
    let pad = (precision as usize).saturating_sub(length);
    let mantissa: UBig = odd << pad;
    let at_power_of_two = odd.is_one();
    let even = !mantissa.bit(0);
    let exponent = exponent - i64::try_from(pad).unwrap_or(i64::MAX) - 2;
    let centre: UBig = mantissa << 2;
    let low = &centre - UBig::from(if at_power_of_two { 1u8 } else { 2u8 });
    let high = &centre + UBig::from(2u8);
    let power = usize::try_from(exponent.unsigned_abs()).unwrap_or(usize::MAX);
    let (scale, places) =
        if exponent < 0 { (UBig::from(5u8).pow(power), power) } else { (UBig::ONE << power, 0) };
    let digits = [low, centre, high].map(|bound| (bound * &scale).to_string());
    let (kept, total) = round_between(&digits, even);
    with_point(&kept, total, places)
}

/// The shortest prefix of the middle number, rounded down or up, that lies between the outer two. Returns
/// its digits and how many digits the full number has.
fn round_between(bounds: &[String; 3], inclusive: bool) -> (Vec<u8>, usize) {
    let total = bounds[2].len();
    let padded = |text: &String| {
        let mut digits = vec![b'0'; total - text.len()];
        digits.extend_from_slice(text.as_bytes());
        digits
    };
    let (low, middle, high) = (padded(&bounds[0]), padded(&bounds[1]), padded(&bounds[2]));
    let rest_is_zero =
        |digits: &[u8], from: usize| digits[from..].iter().all(|digit| *digit == b'0');
    let mut above_low = false;
    let mut below_high = 0u8;
    for at in 0..total {
        above_low |= middle[at] > low[at];
        below_high = match below_high {
            0 => high[at] - middle[at],
            1 => (high[at] + 10 - middle[at]).min(2),
            more => more,
        };
        let down = above_low || (inclusive && rest_is_zero(&low, at + 1));
        let up = match below_high {
            0 => false,
            1 => inclusive || !rest_is_zero(&high, at + 1),
            _ => true,
        };
        if !down && !up {
            continue;
        }
        let mut kept = middle[..=at].to_vec();
        let rounds_up = match middle.get(at + 1) {
            None => false,
            Some(b'5') if rest_is_zero(&middle, at + 2) => (middle[at] - b'0') % 2 == 1,
            Some(next) => *next >= b'5',
        };
        if up && (!down || rounds_up) {
            return (increment(kept), total);
        }
        kept.truncate(at + 1);
        return (kept, total);
    }
    (middle, total)
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The first digits of a number, rounded to the nearest, ties to even. A carry makes them one more.
fn round_digits(digits: &str, count: i64) -> String {
    let Ok(count) = usize::try_from(count) else { return "0".to_owned() };
    let bytes = digits.as_bytes();
    if count >= bytes.len() {
        return format!("{digits:0<count$}");
    }
    let (kept, rest) = bytes.split_at(count);
    let tie = rest[0] == b'5' && rest[1..].iter().all(|digit| *digit == b'0');
    let odd = kept.last().is_some_and(|digit| (digit - b'0') % 2 == 1);
    let up = if tie { odd } else { rest[0] >= b'5' };
    let kept = if up { increment(kept.to_vec()) } else { kept.to_vec() };
    let text = String::from_utf8_lossy(&kept).into_owned();
    if text.is_empty() { "0".to_owned() } else { text }
}

/// Adds one in the last place; a carry out of the first place makes the number one digit longer, which is
/// marked by a leading digit.
fn increment(mut digits: Vec<u8>) -> Vec<u8> {
    for at in (0..digits.len()).rev() {
        if digits[at] == b'9' {
            digits[at] = b'0';
        } else {
            digits[at] += 1;
            return digits;
        }
    }
    digits.insert(0, b'1');
    digits
}

fn with_point(kept: &[u8], total: usize, places: usize) -> String {
    // `kept` are the first digits of a number of `total` digits, of which `places` follow the point.
    let kept = String::from_utf8_lossy(kept);
    let mut digits = kept.into_owned();
    while digits.len() < total {
        digits.push('0');
    }
    if digits.len() <= places {
        digits = format!("{}{digits}", "0".repeat(places + 1 - digits.len()));
    }
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (&self.repr, &other.repr) {
            (Repr::Small(a), Repr::Small(b)) => a == b,
            (Repr::Infinite { negative: a }, Repr::Infinite { negative: b }) => a == b,
            (Repr::Big(a), Repr::Big(b)) => {
                (a.exponent == b.exponent && a.significand == b.significand)
                    || (!self.is_integer()
                        && !other.is_integer()
                        && self.to_string() == other.to_string())
            }
            _ => false,
        }
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.repr {
            Repr::Small(small) => small.hash(state),
            Repr::Infinite { negative } => negative.hash(state),
            Repr::Big(big) if big.exponent >= 0 => {
                big.significand.hash(state);
                big.exponent.hash(state);
            }
            Repr::Big(_) => self.to_string().hash(state),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Repr::Small(a), Repr::Small(b)) = (&self.repr, &other.repr) {
            return a.cmp(b);
        }
        if self == other {
            return Ordering::Equal;
        }
        match (self.finite(), other.finite()) {
            (Some(a), Some(b)) => {
                let exponent = a.exponent.min(b.exponent);
                a.shifted_to(exponent)
                    .cmp(&b.shifted_to(exponent))
                    .then_with(|| self.to_string().cmp(&other.to_string()))
            }
            (None, _) if self.is_negative() => Ordering::Less,
            (None, _) => Ordering::Greater,
            (_, None) if other.is_negative() => Ordering::Greater,
            (_, None) => Ordering::Less,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::small(number, 64)
    }
}

impl From<i32> for Number {
    fn from(number: i32) -> Self {
        Self::small(i64::from(number), 64)
    }
}

impl From<u32> for Number {
    fn from(number: u32) -> Self {
        Self::small(i64::from(number), 64)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::rounded(IBig::from(number), 0, 64, false)
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self::rounded(IBig::from(number), 0, 64, false)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn n(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("`{text}` is a number"))
    }

    #[test]
    fn arithmetic_prints_as_terraform_does() {
        let length = |n: usize| Number::from(n);
        let table = [
            ("0.1 + 0.2", n("0.1").add(&n("0.2")), "0.3"),
            ("integer fraction", length(1).div(&length(3)), "0.33333333333333333334"),
            ("-7 % 3", n("-7").rem(&n("3")), "-1"),
            ("pow(2, 0.5)", n("2").pow(&n("0.5")), "1.4142135623730951"),
            (
                "pow(2, 0.5) * 1",
                n("2").pow(&n("0.5")).and_then(|root| root.mul(&n("1"))),
                "1.4142135623730951454746218587388284504413604736328125",
            ),
            ("1/3*3", n("1").div(&n("3")).and_then(|third| third.mul(&n("3"))), "1"),
            ("2.5 floor", Some(n("2.5").floor()), "2"),
            ("-2.5 floor", Some(n("-2.5").floor()), "-3"),
            ("-2.5 ceil", Some(n("-2.5").ceil()), "-2"),
            (
                "largest integer and one",
                n("9223372036854775807").add(&n("1")),
                "9223372036854775808",
            ),
            ("exponent", Number::parse("1.5e3"), "1500"),
            ("small", Number::parse("1e-7"), "0.0000001"),
        ];
        for (case, number, expected) in table {
            assert_eq!(
                number.map(|number| number.to_string()).as_deref(),
                Some(expected),
                "{case}"
            );
        }
        let third = n("1").div(&n("3")).map(|third| third.to_string()).unwrap_or_default();
        assert!(
            third.starts_with("0.3333") && third.ends_with("335") && third.len() > 150,
            "{third}"
        );
        assert_eq!(n("1e400").to_string(), format!("1{}", "0".repeat(400)));
    }

    #[test]
    fn what_is_not_decimal_text_is_no_number() {
        for text in
            ["", "-", ".", "1e", "0x10", "1_000", "++1", " 1", "NaN", "infinity", "1e99999999"]
        {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn floats_equal_literals_of_the_same_text() {
        assert_eq!(Number::from_f64(0.1), Some(n("0.1")));
        assert_ne!(n("0.1"), n("0.2"));
        assert!(n("0.1") < n("0.2") && n("-1e30") < n("1"));
    }

    proptest! {
        #[test]
        fn text_of_a_literal_reads_back(digits in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?") {
            let number = n(&digits);
            prop_assert_eq!(n(&number.to_string()), number);
        }

        #[test]
        fn floats_print_as_short_as_can_be_and_read_back(float in -1e15f64..1e15f64) {
            let text = Number::from_f64(float).expect("finite").to_string();
            prop_assert_eq!(text.parse::<f64>(), Ok(float));
            // Of two equally short texts either may be shown, hence the length.
            prop_assert!(text.len() <= format!("{float}").len(), "{}", text);
        }

        #[test]
        fn sums_of_integers_are_exact(a in any::<i64>(), b in any::<i64>()) {
            let sum = n(&a.to_string()).add(&n(&b.to_string())).expect("finite");
            prop_assert_eq!(sum.to_string(), (i128::from(a) + i128::from(b)).to_string());
        }
    }
}
