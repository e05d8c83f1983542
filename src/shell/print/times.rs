//! Ages and dates as kubectl words them.
//!
//! Source: k8s.io/apimachinery/pkg/util/duration.

use crate::sim::SimTime;
use serde_json::Value;

/// `duration.HumanDuration` of whole seconds: `5s`, `2m5s`, `3h`, `2d4h`, `1y20d`.
pub fn human_duration(seconds: i64) -> String {
    let two = |big: i64, big_unit: char, small: i64, small_unit: char| {
        if small == 0 {
            format!("{big}{big_unit}")
        } else {
            format!("{big}{big_unit}{small}{small_unit}")
        }
    };
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => two(hours / 24, 'd', hours % 24, 'h'),
        _ if hours < 24 * 365 * 2 => format!("{}d", hours / 24),
        _ if hours < 24 * 365 * 8 => two(hours / 24 / 365, 'y', hours / 24 % 365, 'd'),
        _ => format!("{}y", hours / 24 / 365),
    }
}

/// A timestamp of an object, in microseconds since 1970.
pub fn micros(value: &Value) -> Option<i64> {
    let timestamp: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(timestamp.as_microsecond())
}

/// The age of a timestamp, `<unknown>` when there is none.
pub fn age(value: &Value, now: SimTime) -> String {
    match micros(value) {
        Some(then) => human_duration((now.timestamp().as_microsecond() - then).div_euclid(1_000_000)),
        None => "<unknown>".to_owned(),
    }
}

/// `Fri, 20 Nov 2026 23:05:52 +0000`, Go's RFC1123Z in UTC.
pub fn rfc1123(value: &Value) -> String {
    match value
        .as_str()
        .and_then(|text| text.parse::<jiff::Timestamp>().ok())
    {
        Some(timestamp) => timestamp.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
        None => "Mon, 01 Jan 0001 00:00:00 +0000".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let table = [
            (-5, "<invalid>"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (11_000, "3h3m"),
            (28_800, "8h"),
            (172_800, "2d"),
            (176_400, "2d1h"),
            (864_000, "10d"),
            (63_072_000, "2y"),
            (63_158_400, "2y1d"),
        ];
        for (seconds, text) in table {
            assert_eq!(human_duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(
            rfc1123(&"2026-11-20T23:05:52Z".into()),
            "Fri, 20 Nov 2026 23:05:52 +0000"
        );
    }
}
