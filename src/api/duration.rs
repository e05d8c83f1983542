//! Ages as Kubernetes words them.
//!
//! Source: k8s.io/apimachinery/pkg/util/duration.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use k8s_openapi::jiff::Timestamp;
use std::time::Duration;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// A span of whole seconds, with two units at most: `5s`, `2m5s`, `3h`, `2d4h`, `1y20d`. Spans
/// before zero are clocks that disagree, or nonsense.
pub fn human_duration(seconds: i64) -> String {
    let two = |unit: i64, letter: char, lesser: i64, lesser_letter: char| match seconds % unit / lesser {
        0 => format!("{}{letter}", seconds / unit),
        rest => format!("{}{letter}{rest}{lesser_letter}", seconds / unit),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        _ if seconds < 2 * MINUTE => format!("{seconds}s"),
        _ if seconds < 10 * MINUTE => two(MINUTE, 'm', 1, 's'),
        _ if seconds < 3 * HOUR => format!("{}m", seconds / MINUTE),
        _ if seconds < 8 * HOUR => two(HOUR, 'h', MINUTE, 'm'),
        _ if seconds < 2 * DAY => format!("{}h", seconds / HOUR),
        _ if seconds < 8 * DAY => two(DAY, 'd', HOUR, 'h'),
        _ if seconds < 2 * YEAR => format!("{}d", seconds / DAY),
        _ if seconds < 8 * YEAR => two(YEAR, 'y', DAY, 'd'),
        _ => format!("{}y", seconds / YEAR),
    }
}

/// `1.234s`, `812ms`, `2m40s`: a duration as Go prints it, to the millisecond.
pub fn go_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return if millis == 0 {
            "0s".to_owned()
        } else {
            format!("{millis}ms")
        };
    }
    let (minutes, millis) = (millis / 60_000, millis % 60_000);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let fraction = format!("{:03}", millis % 1000);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    let seconds = format!("{}{dot}{fraction}s", millis / 1000);
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

/// The time from one timestamp to another, worded.
pub fn between(from: Timestamp, to: Timestamp) -> String {
    human_duration((to.as_microsecond() - from.as_microsecond()) / 1_000_000)
}

/// The age of what happened at a time; `<unknown>` if it never did.
pub fn since(time: Option<&Time>, now: Timestamp) -> String {
    since_timestamp(time.map(|time| time.0), now)
}

/// The same for the finer times of Events and Leases.
pub fn since_micro(time: Option<&MicroTime>, now: Timestamp) -> String {
    since_timestamp(time.map(|time| time.0), now)
}

fn since_timestamp(time: Option<Timestamp>, now: Timestamp) -> String {
    match time.filter(|time| !is_zero(*time)) {
        Some(time) => between(time, now),
        None => "<unknown>".to_owned(),
    }
}

/// Go's zero time, 0001-01-01, stands for none.
pub fn is_zero(time: Timestamp) -> bool {
    const GO_ZERO: i64 = -62_135_596_800;
    time.as_second() <= GO_ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let table = [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (121, "2m1s"),
            (599, "9m59s"),
            (600, "10m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 60, "3h1m"),
            (8 * HOUR, "8h"),
            (2 * DAY, "2d"),
            (2 * DAY + HOUR, "2d1h"),
            (8 * DAY, "8d"),
            (2 * YEAR, "2y"),
            (2 * YEAR + DAY, "2y1d"),
            (8 * YEAR + DAY, "8y"),
        ];
        for (seconds, text) in table {
            assert_eq!(human_duration(seconds), text, "{seconds}");
        }
        assert_eq!(since(None, Timestamp::constant(0, 0)), "<unknown>");
        assert_eq!(
            since(Some(&Time(Timestamp::constant(0, 0))), Timestamp::constant(90, 0)),
            "90s"
        );
    }
}
