//! `resource.Quantity`: exact fixed-point numbers such as `100m`, `1.5Gi` or `2e3`.
//!
//! Source: k8s.io/apimachinery/pkg/api/resource/quantity.go. Values are kept in nano units, the
//! finest Kubernetes keeps; what is finer rounds away from zero.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use std::cmp::Ordering;
use std::fmt;

const NANO: i128 = 1_000_000_000;
/// Binary quantities are capped here, as upstream does.
const MAX_BINARY: i128 = i64::MAX as i128 * NANO;

/// How a quantity was written, and is written again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `12M`
    #[default]
    DecimalSi,
    /// `12Mi`
    BinarySi,
    /// `12e6`
    DecimalExponent,
}

/// Why a text is no quantity; prints upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    FormatWrong,
    Numeric,
    Suffix,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QuantityError::FormatWrong => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            QuantityError::Numeric => "unable to parse numeric part of quantity",
            QuantityError::Suffix => "unable to parse quantity's suffix",
        })
    }
}

impl std::error::Error for QuantityError {}

/// A quantity that was parsed. Equality and order are by value, whatever the format.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nano: i128,
    format: Format,
}

impl Quantity {
    pub const ZERO: Quantity = Quantity {
        nano: 0,
        format: Format::DecimalSi,
    };

    /// Whole units.
    pub fn new(value: i64, format: Format) -> Quantity {
        Quantity {
            nano: i128::from(value) * NANO,
            format,
        }
    }

    /// Thousandths, as processors are counted.
    pub fn from_milli(milli: i64) -> Quantity {
        Quantity {
            nano: i128::from(milli) * 1_000_000,
            format: Format::DecimalSi,
        }
    }

    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        let parts = Parts::scan(text)?;
        let (suffix, format) = Suffix::interpret(parts.suffix).ok_or(QuantityError::Suffix)?;
        let magnitude = match suffix {
            Suffix::Ten(exponent) => parts.times_power_of_ten(exponent),
            Suffix::Two(exponent) => parts.times_power_of_two(exponent).min(MAX_BINARY),
        };
        let format = if format == Format::BinarySi && magnitude < NANO {
            Format::DecimalSi
        } else {
            format
        };
        Ok(Quantity {
            nano: if parts.negative { -magnitude } else { magnitude },
            format,
        })
    }

    /// Reads an object's field; what is no quantity counts as zero (validation has rejected it).
    pub fn of(text: &Text) -> Quantity {
        Quantity::parse(&text.0).unwrap_or(Quantity::ZERO)
    }

    /// Whole units, rounded up (away from zero), as schedulers count bytes and Pods.
    pub fn value(self) -> i64 {
        self.scaled(NANO)
    }

    /// Thousandths, rounded up (away from zero), as schedulers count processors.
    pub fn milli_value(self) -> i64 {
        self.scaled(1_000_000)
    }

    fn scaled(self, unit: i128) -> i64 {
        let rounded = self.nano / unit + (self.nano % unit).signum();
        rounded.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    pub fn format(self) -> Format {
        self.format
    }

    pub fn is_zero(self) -> bool {
        self.nano == 0
    }

    pub fn is_negative(self) -> bool {
        self.nano < 0
    }

    /// True when the value has no fraction.
    pub fn is_integer(self) -> bool {
        self.nano % NANO == 0
    }

    /// Finer than thousandths is rounded up to them, as defaulting does with resource lists.
    pub fn round_up_to_milli(self) -> Quantity {
        let milli = 1_000_000;
        let rounded = self.nano / milli + (self.nano % milli).signum();
        Quantity {
            // What was too large to be read stays the largest.
            nano: rounded.saturating_mul(milli),
            format: self.format,
        }
    }

    /// The form upstream writes after reading `text`; `None` when it is the same text (or no quantity).
    /// Upstream keeps texts that look canonical, even when they are not (`1.500`).
    pub fn canonical(text: &str) -> Option<String> {
        if text == "0" {
            return None;
        }
        let parts = Parts::scan(text).ok()?;
        let (suffix, _) = Suffix::interpret(parts.suffix)?;
        let kept = match suffix {
            // Looking only at ASCII digits, so slicing is safe.
            Suffix::Two(exponent) => {
                parts.fraction.is_empty()
                    && 15 - parts.integer.len() as i32 - (exponent as f32 * 3.0 / 10.0) as i32 > 0
                    && parts.integer.parse::<u64>().is_ok_and(|value| value & 7 != 0)
            }
            Suffix::Ten(exponent) => {
                let scale = exponent - parts.fraction.len() as i32;
                let digits = parts.integer.len() + parts.fraction.len();
                let last = parts
                    .integer
                    .bytes()
                    .chain(parts.fraction.bytes())
                    .rev()
                    .take(3)
                    .collect::<Vec<_>>();
                digits <= 18
                    && scale >= -9
                    && scale % 3 == 0
                    && last != b"000"
                    && !parts.integer.starts_with('0')
            }
        };
        if kept {
            return None;
        }
        let written = Quantity::parse(text).ok()?.to_string();
        (written != text).then_some(written)
    }
}

/// A text taken apart.
struct Parts<'a> {
    negative: bool,
    /// Digits before the point, without leading zeros, `0` if there are none.
    integer: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn scan(text: &'a str) -> Result<Parts<'a>, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::FormatWrong);
        }
        let negative = text.starts_with('-');
        let rest = text
            .strip_prefix(['-', '+'])
            .unwrap_or(text)
            .trim_start_matches('0');
        let end_of = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (integer, mut rest) = rest.split_at(end_of(rest));
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            (fraction, rest) = after.split_at(end_of(after));
        }
        let suffix = rest;
        let letters = rest
            .find(|c: char| !"eEinumkKMGTP".contains(c))
            .unwrap_or(rest.len());
        let tail = rest[letters..]
            .strip_prefix(['-', '+'])
            .unwrap_or(&rest[letters..]);
        if end_of(tail) != tail.len() {
            return Err(QuantityError::FormatWrong);
        }
        Ok(Parts {
            negative,
            integer: if integer.is_empty() { "0" } else { integer },
            fraction,
            suffix,
        })
    }

    /// Nano units, rounded up.
    fn times_power_of_ten(&self, exponent: i32) -> i128 {
        // Nine more digits than the text has make nano units; all beyond rounds up.
        let wanted = 9 + exponent;
        let mut value: i128 = 0;
        let mut rest = false;
        for (i, digit) in self.integer.bytes().chain(self.fraction.bytes()).enumerate() {
            let place = self.integer.len() as i64 + i64::from(wanted) - 1 - i as i64;
            if place < 0 {
                rest |= digit != b'0';
            } else {
                value = value.saturating_mul(10).saturating_add(i128::from(digit - b'0'));
            }
        }
        let missing = (i64::from(wanted) - self.fraction.len() as i64).clamp(0, 40);
        if value != 0 {
            value = (0..missing).fold(value, |value, _| value.saturating_mul(10));
        }
        value.saturating_add(i128::from(rest))
    }

    /// Nano units, rounded up.
    fn times_power_of_two(&self, exponent: u32) -> i128 {
        let unit = (1i128 << exponent) * NANO;
        let integer = self
            .integer
            .parse::<i128>()
            .unwrap_or(i128::MAX)
            .saturating_mul(unit);
        // Ten digits of the fraction keep the product in range; what is beyond counts as one more.
        let (near, far) = self.fraction.split_at(self.fraction.len().min(10));
        let digits = near.parse::<i128>().unwrap_or(0);
        let divisor = 10i128.pow(near.len() as u32);
        let product = digits * unit;
        let up = product % divisor != 0 || far.bytes().any(|b| b != b'0');
        integer.saturating_add(product / divisor + i128::from(up))
    }
}

enum Suffix {
    Ten(i32),
    Two(u32),
}

impl Suffix {
    fn interpret(text: &str) -> Option<(Suffix, Format)> {
        let ten = |exponent| Some((Suffix::Ten(exponent), Format::DecimalSi));
        let two = |exponent| Some((Suffix::Two(exponent), Format::BinarySi));
        match text {
            "n" => ten(-9),
            "u" => ten(-6),
            "m" => ten(-3),
            "" => ten(0),
            "k" => ten(3),
            "M" => ten(6),
            "G" => ten(9),
            "T" => ten(12),
            "P" => ten(15),
            "E" => ten(18),
            "Ki" => two(10),
            "Mi" => two(20),
            "Gi" => two(30),
            "Ti" => two(40),
            "Pi" => two(50),
            "Ei" => two(60),
            _ => {
                let exponent = text.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?;
                Some((Suffix::Ten(exponent.clamp(-1000, 1000)), Format::DecimalExponent))
            }
        }
    }
}

impl fmt::Display for Quantity {
    /// The canonical form: no fraction, the largest suffix that keeps it exact.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nano == 0 {
            return f.write_str("0");
        }
        let small = self.nano.unsigned_abs() < 1024 * NANO.unsigned_abs();
        if self.format == Format::BinarySi && !small && self.is_integer() {
            let mut number = self.nano / NANO;
            let mut suffix = 0;
            while number % 1024 == 0 && suffix < 6 {
                number /= 1024;
                suffix += 1;
            }
            return write!(f, "{number}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][suffix]);
        }
        let mut number = self.nano;
        let mut exponent = -9;
        while number % 1000 == 0 && (exponent < 18 || self.format == Format::DecimalExponent) {
            number /= 1000;
            exponent += 3;
        }
        if self.format == Format::DecimalExponent {
            return if exponent == 0 {
                write!(f, "{number}")
            } else {
                write!(f, "{number}e{exponent}")
            };
        }
        let suffix = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][(exponent / 3 + 3) as usize];
        write!(f, "{number}{suffix}")
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.nano == other.nano
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        self.nano.cmp(&other.nano)
    }
}

impl std::ops::Add for Quantity {
    type Output = Quantity;
    /// A zero takes the other's format.
    fn add(self, other: Quantity) -> Quantity {
        let format = if self.is_zero() { other.format } else { self.format };
        Quantity {
            nano: self.nano.saturating_add(other.nano),
            format,
        }
    }
}

impl std::ops::AddAssign for Quantity {
    fn add_assign(&mut self, other: Quantity) {
        *self = *self + other;
    }
}

impl std::ops::Sub for Quantity {
    type Output = Quantity;
    /// A zero takes the other's format.
    fn sub(self, other: Quantity) -> Quantity {
        let format = if self.is_zero() { other.format } else { self.format };
        Quantity {
            nano: self.nano.saturating_sub(other.nano),
            format,
        }
    }
}

impl From<Quantity> for Text {
    fn from(quantity: Quantity) -> Text {
        Text(quantity.to_string())
    }
}

#[cfg(test)]
mod tests;
