//! What a plain scalar means: go-yaml v2's reading of YAML 1.1.
//!
//! Source: gopkg.in/yaml.v2 `resolve.go`.

use crate::api::decode::json_number;
use serde_json::Value;

/// What a plain scalar was read as.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    Null,
    Bool(bool),
    Number(Value),
    /// Kept as text; yet writers must quote it.
    Timestamp,
    /// `.nan`, `.inf`: JSON cannot say them.
    NotJson,
    /// `<<`
    Merge,
    Text,
}

/// Resolves a plain scalar.
pub fn resolve(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Resolved::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Resolved::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => {
            return Resolved::NotJson;
        }
        "<<" => return Resolved::Merge,
        _ => {}
    }
    match text.as_bytes()[0] {
        b'.' => match is_float(text).then(|| text.parse::<f64>()) {
            Some(Ok(number)) => float(number),
            _ => Resolved::Text,
        },
        b'0'..=b'9' | b'+' | b'-' => number(text),
        _ => Resolved::Text,
    }
}

fn number(text: &str) -> Resolved {
    if is_timestamp(text) {
        return Resolved::Timestamp;
    }
    let plain = text.replace('_', "");
    if let Some(value) = integer(&plain) {
        return Resolved::Number(value);
    }
    match is_float(&plain).then(|| plain.parse::<f64>()) {
        Some(Ok(number)) => float(number),
        _ => Resolved::Text,
    }
}

/// An integer as Go's `ParseInt` with base 0 reads it: `0x1f`, `0b1`, `0o17` and, as in YAML 1.1, `017`.
fn integer(plain: &str) -> Option<Value> {
    let (negative, digits) = match plain.as_bytes()[0] {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        let value = 0i64.checked_sub_unsigned(magnitude)?;
        return Some(value.into());
    }
    Some(magnitude.into())
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = &unsigned[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if whole == 0 && digits == 0 {
            return false;
        }
        rest = &fraction[digits..];
    } else if whole == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(power) => {
            let power = power.strip_prefix(['+', '-']).unwrap_or(power);
            !power.is_empty() && power.bytes().all(|b| b.is_ascii_digit())
        }
    }
}

/// A double as Go writes it into JSON: whole numbers lose their point.
fn float(number: f64) -> Resolved {
    if !number.is_finite() {
        return Resolved::NotJson;
    }
    if number.fract() == 0.0 && number.abs() < 1e21 {
        if let Some(whole) = json_number(&format!("{number:.0}")) {
            return Resolved::Number(whole);
        }
    }
    Resolved::Number(number.into())
}

/// `2006-1-2`, or with a time after `T`, `t` or blanks, a fraction and a zone.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut rest = &text[5..];
    let mut part = |most: usize, ends: &[char]| -> Option<u32> {
        let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let number = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        if !ends.is_empty() {
            rest = rest.strip_prefix(ends)?;
        }
        Some(number)
    };
    let (Some(month), Some(day)) = (part(2, &['-']), part(2, &[])) else {
        return false;
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return false;
    }
    if rest.is_empty() {
        return true;
    }
    let Some(after) = rest.strip_prefix(['T', 't', ' ']) else {
        return false;
    };
    rest = after.trim_start();
    let mut part = |most: usize, colon: bool| -> Option<u32> {
        let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let number = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        if colon {
            rest = rest.strip_prefix(':')?;
        }
        Some(number)
    };
    let (Some(hour), Some(minute), Some(second)) = (part(2, true), part(2, true), part(2, false)) else {
        return false;
    };
    if hour > 23 || minute > 59 || second > 59 {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let zone = rest.trim_start();
    zone.is_empty() || zone == "Z" || {
        let hours = zone.strip_prefix(['+', '-']).unwrap_or("x");
        !hours.is_empty() && hours.bytes().all(|b| b.is_ascii_digit() || b == b':')
    }
}

/// A number in base 60 to other readers (`12:30`); writers quote it.
pub fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or("");
    let mut count = 0;
    let rest_fits = parts.all(|part| {
        count += 1;
        let part = part.split('.').next().unwrap_or("");
        match part.as_bytes() {
            [d] => d.is_ascii_digit(),
            [a, b] => (b'0'..=b'5').contains(a) && b.is_ascii_digit(),
            _ => false,
        }
    });
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && rest_fits
        && count > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_1_1() {
        let number = |n: i64| Resolved::Number(n.into());
        for (text, expected) in [
            ("yes", Resolved::Bool(true)),
            ("off", Resolved::Bool(false)),
            ("n", Resolved::Bool(false)),
            ("nO", Resolved::Text),
            ("~", Resolved::Null),
            ("0644", number(420)),
            ("0o17", number(15)),
            ("08", number(8)),
            ("0x1F", number(31)),
            ("-0b11", number(-3)),
            ("1_000", number(1000)),
            ("3.0", number(3)),
            ("1e3", number(1000)),
            ("1.50", Resolved::Number(1.5.into())),
            (".5", Resolved::Number(0.5.into())),
            ("18446744073709551615", Resolved::Number(u64::MAX.into())),
            ("1.2.3", Resolved::Text),
            ("10.0.0.1", Resolved::Text),
            ("-", Resolved::Text),
            (".", Resolved::Text),
            ("100m", Resolved::Text),
            ("12:30", Resolved::Text),
            ("2026-11-20", Resolved::Timestamp),
            ("2026-11-20T23:05:52Z", Resolved::Timestamp),
            ("2026-11-20 23:05:52.1 +09:00", Resolved::Timestamp),
            ("2026-13-20", Resolved::Text),
            (".inf", Resolved::NotJson),
            ("infinity", Resolved::Text),
        ] {
            assert_eq!(resolve(text), expected, "{text}");
        }
        assert!(
            is_base60("12:30")
                && is_base60("1:2:3.5")
                && !is_base60("a:b")
                && !is_base60("10")
                && !is_base60("1:99")
        );
    }
}
