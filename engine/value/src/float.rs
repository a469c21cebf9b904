//! Logarithm and power of 64-bit floats, to the last bit as Terraform computes them.
//!
//! The last bit of such a function depends on the method. These are the methods of Go's library: the logarithm by
//! a polynomial in `(f-1)/(f+1)`, and the power by squaring, with the exponential for a fraction of the exponent.
//!
//! Source: the FreeBSD mathematics library, which documents the polynomial; observed results.

#![expect(
    clippy::excessive_precision,
    clippy::float_cmp,
    clippy::many_single_char_names,
    reason = "constants and names are those of the published methods, and special cases are exact"
)]

/// The natural logarithm.
pub(crate) fn ln(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 7] = [
        6.666_666_666_666_735_13e-1,
        3.999_999_999_940_941_908e-1,
        2.857_142_874_366_239_149e-1,
        2.222_219_843_214_978_396e-1,
        1.818_357_216_161_805_012e-1,
        1.531_383_769_920_937_332e-1,
        1.479_819_860_511_658_591e-1,
    ];
    const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
    if x.is_nan() || x.is_infinite() || x <= 0.0 {
        return x.ln();
    }
    let (mut fraction, mut exponent) = split(x);
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let (s2, s4) = (s * s, s * s * (s * s));
    let [l1, l2, l3, l4, l5, l6, l7] = COEFFICIENTS;
    let t1 = s2 * (l1 + s4 * (l3 + s4 * (l5 + s4 * l7)));
    let t2 = s4 * (l2 + s4 * (l4 + s4 * l6));
    let r = t1 + t2;
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f)
}

/// `x` to the power of `y`.
pub(crate) fn pow(x: f64, y: f64) -> f64 {
    let special = y == 0.0 || x == 1.0 || x == 0.0 || !x.is_finite() || !y.is_finite();
    if special || y.abs() >= 9.0e15 || (x < 0.0 && y.fract() != 0.0) {
        return x.powf(y);
    }
    if y == 1.0 {
        return x;
    }
    if y.abs() == 0.5 {
        return if y > 0.0 { x.sqrt() } else { 1.0 / x.sqrt() };
    }
    let (mut whole, mut fraction) = (y.abs().trunc(), y.abs().fract());
    let (mut result, mut result_exponent) = (1.0, 0_i32);
    if fraction != 0.0 {
        if fraction > 0.5 {
            fraction -= 1.0;
            whole += 1.0;
        }
        result = exp(fraction * ln(x));
    }
    let (mut power, mut power_exponent) = split(x);
    #[expect(clippy::cast_possible_truncation, reason = "it is below 9e15")]
    let mut bits = whole as i64;
    while bits != 0 {
        if !(-4096..=4096).contains(&power_exponent) {
            result_exponent += power_exponent;
            break;
        }
        if bits & 1 == 1 {
            result *= power;
            result_exponent += power_exponent;
        }
        power *= power;
        power_exponent *= 2;
        if power < 0.5 {
            power += power;
            power_exponent -= 1;
        }
        bits >>= 1;
    }
    if y < 0.0 {
        result = 1.0 / result;
        result_exponent = -result_exponent;
    }
    scale(result, result_exponent)
}

/// The exponential, by a short series for a sixteenth of what is left of the argument, squared four times.
fn exp(x: f64) -> f64 {
    const SERIES: [f64; 8] = [
        2.480_158_730_158_730_158_7e-5,
        1.984_126_984_126_984_127_0e-4,
        1.388_888_888_888_888_888_9e-3,
        8.333_333_333_333_333_333_3e-3,
        4.166_666_666_666_666_666_7e-2,
        1.666_666_666_666_666_666_7e-1,
        0.5,
        1.0,
    ];
    const LN2_HIGH: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
    const LN2_LOW: f64 = 0.282_352_905_630_315_771_225_884_481_750_134_360_255_254_120_68e-12;
    if !(-700.0..=700.0).contains(&x) {
        return x.exp();
    }
    let k = (x * std::f64::consts::LOG2_E).round_ties_even();
    let rest = (-k).mul_add(LN2_LOW, (-k).mul_add(LN2_HIGH, x)) * 0.0625;
    let series = SERIES[1..].iter().fold(SERIES[0], |sum, next| sum.mul_add(rest, *next));
    let mut less_one = rest * series;
    for _ in 0..4 {
        less_one *= less_one + 2.0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is below 1100")]
    let exponent = k as i32;
    scale(less_one + 1.0, exponent)
}

/// A fraction from a half up to one, and the power of two that it is multiplied by.
fn split(x: f64) -> (f64, i32) {
    let x_normal = if x.abs() < f64::MIN_POSITIVE { x * 2.0_f64.powi(64) } else { x };
    let shift = if x.abs() < f64::MIN_POSITIVE { 64 } else { 0 };
    let bits = x_normal.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0) - 1022;
    let fraction = f64::from_bits((bits & !(0x7ff << 52)) | (1022 << 52));
    (fraction, exponent - shift)
}

/// `x` times a power of two.
fn scale(x: f64, exponent: i32) -> f64 {
    // In two steps, so that neither overflows before its time.
    let first = exponent.clamp(-1000, 1000);
    x * 2.0_f64.powi(first) * 2.0_f64.powi((exponent - first).clamp(-1100, 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_bits_are_those_of_terraform() {
        assert_eq!(ln(3.0) / ln(2.0), 1.584_962_500_721_156);
        assert_eq!(pow(2.0, 2.5), 5.656_854_249_492_38);
        assert_eq!(pow(2.0, 10.0), 1024.0);
        assert_eq!(pow(2.0, -1.0), 0.5);
        assert_eq!(pow(2.0, 1000.0), 2.0_f64.powi(1000));
        assert!(pow(10.0, 400.0).is_infinite());
    }
}
