//! Moments as Kubernetes writes and reads them: RFC 3339 in UTC.

use k8s_openapi::jiff::Timestamp;

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
/// Source: the days of an era of 400 years are always the same; a year begins in March here, so
/// that a leap day is a year's last.
pub fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

fn text(moment: Timestamp, micros: Option<i32>) -> String {
    let second = moment.as_nanosecond().div_euclid(1_000_000_000) as i64;
    let (year, month, day) = date(second.div_euclid(86_400));
    let of_day = second.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if let Some(micros) = micros {
        text.push_str(&format!(".{micros:06}"));
    }
    text.push('Z');
    text
}

/// `2026-04-01T09:00:00Z`: `metav1.Time`.
pub fn seconds(moment: Timestamp) -> String {
    text(moment, None)
}

/// `2026-04-01T09:00:00.000000Z`: `metav1.MicroTime`.
pub fn micros(moment: Timestamp) -> String {
    let nanos = moment.as_nanosecond().rem_euclid(1_000_000_000);
    text(moment, Some((nanos / 1_000) as i32))
}

/// Reads what the schema walk has let through; anything else is the epoch.
pub fn parse(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_jiff_does() {
        let mut state = 5_i64;
        for _ in 0..20_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // Years 1 to 9999.
            let second = (state >> 1).rem_euclid(315_537_897_599) - 62_135_596_800;
            let moment = Timestamp::new(second, (state >> 8).rem_euclid(1_000_000_000) as i32).unwrap();
            let theirs = |format| k8s_openapi::jiff::fmt::strtime::format(format, moment).unwrap();
            assert_eq!(micros(moment), theirs("%Y-%m-%dT%H:%M:%S%.6fZ"));
            assert_eq!(seconds(moment), theirs("%Y-%m-%dT%H:%M:%SZ"));
        }
        assert_eq!(seconds(parse("0001-01-01T00:00:00Z")), "0001-01-01T00:00:00Z");
    }
}
