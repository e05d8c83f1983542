//! Ages and dates of objects as kubectl words them.

use crate::api::civil;
use crate::api::duration::human_duration;
use crate::sim::SimTime;
use serde_json::Value;

/// A timestamp of an object, in microseconds since 1970.
pub fn micros(value: &Value) -> Option<i64> {
    Some(civil::parse(value.as_str()?)?.as_microsecond())
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
    match value.as_str().and_then(civil::parse) {
        Some(timestamp) => civil::format(timestamp, "%a, %d %b %Y %H:%M:%S +0000"),
        None => "Mon, 01 Jan 0001 00:00:00 +0000".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(
            rfc1123(&"2026-11-20T23:05:52Z".into()),
            "Fri, 20 Nov 2026 23:05:52 +0000"
        );
    }
}
