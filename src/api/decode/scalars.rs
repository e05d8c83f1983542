//! Scalars whose Go types decode themselves, with their errors word by word.
//!
//! Sources: Go's `time.Parse` and `encoding/base64`.

/// Checks standard base64 as Go's decoder does (line ends are skipped); the error is the input byte.
pub fn check_base64(text: &str) -> Result<(), usize> {
    let src = text.as_bytes();
    let is_digit = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    let is_break = |b: u8| b == b'\n' || b == b'\r';
    let mut at = 0;
    loop {
        let mut in_group = 0;
        while in_group < 4 {
            let Some(&byte) = src.get(at) else {
                return if in_group == 0 { Ok(()) } else { Err(at - in_group) };
            };
            at += 1;
            if is_digit(byte) {
                in_group += 1;
            } else if is_break(byte) {
                continue;
            } else if byte != b'=' || in_group < 2 {
                return Err(at - 1);
            } else {
                while src.get(at).is_some_and(|&b| is_break(b)) {
                    at += 1;
                }
                if in_group == 2 {
                    match src.get(at) {
                        None => return Err(src.len()),
                        Some(b'=') => at += 1,
                        Some(_) => return Err(at - 1),
                    }
                    while src.get(at).is_some_and(|&b| is_break(b)) {
                        at += 1;
                    }
                }
                return if at < src.len() { Err(at) } else { Ok(()) };
            }
        }
    }
}

/// `2006-01-02T15:04:05Z07:00`
pub const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
/// `metav1.MicroTime`'s layout.
pub const RFC3339_MICRO: &str = "2006-01-02T15:04:05.000000Z07:00";

/// Parses a time as Go's `time.Parse` does with one of the two layouts above.
pub fn check_time(value: &str, layout: &str) -> Result<(), String> {
    let whole = value;
    let fail = |rest: &str, element: &str| {
        Err(format!(
            "parsing time {whole:?} as {layout:?}: cannot parse {rest:?} as {element:?}"
        ))
    };
    let range = |what: &str| Err(format!("parsing time {whole:?}: {what} out of range"));
    let mut rest = value;
    let mut numbers = [0u32; 6];
    for (index, (element, width, separator)) in [
        ("2006", 4, "-"),
        ("01", 2, "-"),
        ("02", 2, "T"),
        ("15", 2, ":"),
        ("04", 2, ":"),
        ("05", 2, ""),
    ]
    .into_iter()
    .enumerate()
    {
        match digits(rest, width, element == "15") {
            Some((number, used)) => {
                numbers[index] = number;
                let bad = match element {
                    "01" => (number == 0 || number > 12).then_some("month"),
                    "15" => (number > 23).then_some("hour"),
                    "04" => (number > 59).then_some("minute"),
                    "05" => (number > 59).then_some("second"),
                    _ => None,
                };
                if let Some(what) = bad {
                    return range(what);
                }
                rest = &rest[used..];
            }
            None => return fail(rest, element),
        }
        match rest.strip_prefix(separator) {
            Some(after) => rest = after,
            None => return fail(rest, separator),
        }
    }
    let fraction = rest
        .strip_prefix(['.', ','])
        .map_or(0, |f| f.bytes().take_while(u8::is_ascii_digit).count());
    if layout == RFC3339_MICRO {
        if fraction != 6 {
            return fail(rest, ".000000");
        }
        rest = &rest[7..];
    } else if fraction > 0 {
        rest = &rest[1 + fraction..];
    }
    if let Some(after) = rest.strip_prefix('Z') {
        rest = after;
    } else {
        let zone = rest.as_bytes();
        let well_formed = zone.len() >= 6
            && matches!(zone[0], b'+' | b'-')
            && zone[3] == b':'
            && [1, 2, 4, 5].iter().all(|&i| zone[i].is_ascii_digit());
        if !well_formed {
            return fail(rest, "Z07:00");
        }
        let two = |i: usize| u32::from(zone[i] - b'0') * 10 + u32::from(zone[i + 1] - b'0');
        if two(1) > 24 {
            return range("time zone offset hour");
        }
        if two(4) > 60 {
            return range("time zone offset minute");
        }
        rest = &rest[6..];
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {whole:?}: extra text: {rest:?}"));
    }
    let (year, month, day) = (numbers[0], numbers[1], numbers[2]);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day == 0 || day > days {
        range("day")
    } else {
        Ok(())
    }
}

/// Reads `width` digits; Go's hour may have one.
fn digits(text: &str, width: usize, or_one: bool) -> Option<(u32, usize)> {
    let count = text.bytes().take(width).take_while(u8::is_ascii_digit).count();
    if count == width || (or_one && count == 1) {
        text[..count].parse().ok().map(|number| (number, count))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64() {
        for (text, at) in [
            ("!!", 0),
            ("YQ", 0),
            ("YQ=", 3),
            ("YQ==x", 4),
            ("YWI", 0),
            ("=", 0),
            ("YQ=x", 2),
        ] {
            assert_eq!(check_base64(text), Err(at), "{text}");
        }
        for text in ["", "YQ==", "YWI=", "YWJj", "YW\nJj\n"] {
            assert_eq!(check_base64(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn times() {
        let time = |text| check_time(text, RFC3339).err().unwrap_or_default();
        assert_eq!(time("2026-11-20T23:06:30Z"), "");
        assert_eq!(time("2026-11-20T23:06:30.5+09:00"), "");
        assert_eq!(
            time("now"),
            "parsing time \"now\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"now\" as \"2006\""
        );
        assert_eq!(
            time("2026-11-20"),
            "parsing time \"2026-11-20\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"T\""
        );
        assert_eq!(
            time("2026-13-20T00:00:00Z"),
            "parsing time \"2026-13-20T00:00:00Z\": month out of range"
        );
        assert_eq!(
            time("2026-02-30T00:00:00Z"),
            "parsing time \"2026-02-30T00:00:00Z\": day out of range"
        );
        assert_eq!(
            time("2026-02-03T00:00:00Zx"),
            "parsing time \"2026-02-03T00:00:00Zx\": extra text: \"x\""
        );
        assert!(check_time("2026-02-03T00:00:00Z", RFC3339_MICRO).is_err());
        assert!(check_time("2026-02-03T00:00:00.123456Z", RFC3339_MICRO).is_ok());
    }
}
