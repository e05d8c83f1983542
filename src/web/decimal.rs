//! Numbers for style sheets: written as whole numbers are, because the code that writes any float exactly is large,
//! and slow where it is done for each dot of each frame.

/// With so many decimals, at most 9, rounded half away from zero.
pub fn decimal(value: f64, places: u32) -> String {
    let unit = 10_i64.pow(places.min(9));
    let scaled = (value * unit as f64).round() as i64;
    let (whole, part) = (
        scaled.unsigned_abs() / unit as u64,
        scaled.unsigned_abs() % unit as u64,
    );
    let sign = if scaled < 0 { "-" } else { "" };
    match places.min(9) as usize {
        0 => format!("{sign}{whole}"),
        places => format!("{sign}{whole}.{part:0places$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_it_is_formatted_otherwise() {
        for value in [0.0, 0.04, 0.96, 1.0, 12.345, -1.26, -3.0, 1234.5678, 1e9] {
            assert_eq!(decimal(value, 1), format!("{value:.1}"), "{value}");
            assert_eq!(decimal(value, 4), format!("{value:.4}"), "{value}");
            assert_eq!(decimal(value, 0), format!("{value:.0}"), "{value}");
        }
        assert_eq!(
            (decimal(-0.04, 1).as_str(), decimal(-0.26, 0).as_str()),
            ("0.0", "0"),
            "not minus nothing"
        );
    }
}
