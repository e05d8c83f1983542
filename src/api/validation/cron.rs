//! Whether a CronJob's schedule can be read, and its time zone is known.
//!
//! Source: github.com/robfig/cron/v3 parser.go, in the standard form with five fields.

use super::field::go_quote;

struct Bounds {
    min: u32,
    max: u32,
    /// Names of the values from `min` on.
    names: &'static [&'static str],
}

const FIELDS: [Bounds; 5] = [
    Bounds {
        min: 0,
        max: 59,
        names: &[],
    },
    Bounds {
        min: 0,
        max: 23,
        names: &[],
    },
    Bounds {
        min: 1,
        max: 31,
        names: &[],
    },
    Bounds {
        min: 1,
        max: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Bounds {
        min: 0,
        max: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// The complaint of the parser.
pub fn check(schedule: &str) -> Result<(), String> {
    let mut rest = schedule;
    if rest.starts_with("TZ=") || rest.starts_with("CRON_TZ=") {
        let Some((zone, after)) = rest.split_once(' ') else {
            return Err("invalid schedule format: runtime error: slice bounds out of range [:-1]".to_owned());
        };
        let name = zone.split_once('=').map_or("", |(_, name)| name);
        if !is_known_zone(name) && !matches!(name, "" | "Local") {
            return Err(format!("provided bad location {name}: unknown time zone {name}"));
        }
        rest = after.trim();
    }
    if let Some(descriptor) = rest.strip_prefix('@') {
        return match descriptor {
            "yearly" | "annually" | "monthly" | "weekly" | "daily" | "midnight" | "hourly" => Ok(()),
            every if every.starts_with("every ") => duration(&every["every ".len()..])
                .map_err(|why| format!("failed to parse duration {rest}: {why}")),
            _ => Err(format!("unrecognized descriptor: {rest}")),
        };
    }
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!(
            "expected exactly 5 fields, found {}: [{}]",
            fields.len(),
            fields.join(" ")
        ));
    }
    for (text, bounds) in fields.iter().zip(&FIELDS) {
        for expression in text.split(',').filter(|part| !part.is_empty()) {
            range(expression, bounds)?;
        }
    }
    Ok(())
}

fn range(expression: &str, bounds: &Bounds) -> Result<(), String> {
    let mut parts = expression.split('/');
    let span = parts.next().unwrap_or("");
    let (step, more_steps) = (parts.next(), parts.next().is_some());
    let mut ends = span.split('-');
    let first = ends.next().unwrap_or("");
    let (second, more_ends) = (ends.next(), ends.next().is_some());
    let (start, mut end) = if first == "*" || first == "?" {
        (bounds.min, bounds.max)
    } else {
        let start = number_or_name(first, bounds)?;
        match second {
            None => (start, start),
            Some(_) if more_ends => return Err(format!("too many hyphens: {expression}")),
            Some(text) => (start, number_or_name(text, bounds)?),
        }
    };
    let mut width = 1;
    if more_steps {
        return Err(format!("too many slashes: {expression}"));
    }
    if let Some(step) = step {
        width = number(step)?;
        // `5/10` runs to the end.
        if second.is_none() {
            end = bounds.max;
        }
    }
    if start < bounds.min {
        return Err(format!(
            "beginning of range ({start}) below minimum ({}): {expression}",
            bounds.min
        ));
    }
    if end > bounds.max {
        return Err(format!(
            "end of range ({end}) above maximum ({}): {expression}",
            bounds.max
        ));
    }
    if start > end {
        return Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {expression}"
        ));
    }
    if width == 0 {
        return Err(format!("step of range should be a positive number: {expression}"));
    }
    Ok(())
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u32, String> {
    match bounds
        .names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text))
    {
        Some(index) => Ok(bounds.min + index as u32),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u32, String> {
    let parsed: i64 = text.parse().map_err(|_| {
        format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {}: invalid syntax",
            go_quote(text)
        )
    })?;
    u32::try_from(parsed).map_err(|_| format!("negative number ({parsed}) not allowed: {text}"))
}

/// Go's durations: `1h30m`.
fn duration(text: &str) -> Result<(), String> {
    let quoted = go_quote(text);
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(());
    }
    if rest.is_empty() {
        return Err(format!("time: invalid duration {quoted}"));
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        if rest[..digits].trim_matches('.').is_empty() {
            return Err(format!("time: invalid duration {quoted}"));
        }
        rest = &rest[digits..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        match &rest[..unit] {
            "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h" => rest = &rest[unit..],
            "" => return Err(format!("time: missing unit in duration {quoted}")),
            other => {
                return Err(format!(
                    "time: unknown unit {} in duration {quoted}",
                    go_quote(other)
                ));
            }
        }
    }
    Ok(())
}

/// Without the zone files, a zone is known by its area or by being one of those without an area.
pub fn is_known_zone(name: &str) -> bool {
    const AREAS: &[&str] = &[
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Brazil",
        "Canada",
        "Chile",
        "Etc",
        "Europe",
        "Indian",
        "Mexico",
        "Pacific",
        "US",
    ];
    const PLAIN: &[&str] = &[
        "CET",
        "CST6CDT",
        "Cuba",
        "EET",
        "EST",
        "EST5EDT",
        "Egypt",
        "Eire",
        "Factory",
        "GB",
        "GB-Eire",
        "GMT",
        "GMT+0",
        "GMT-0",
        "GMT0",
        "Greenwich",
        "HST",
        "Hongkong",
        "Iceland",
        "Iran",
        "Israel",
        "Jamaica",
        "Japan",
        "Kwajalein",
        "Libya",
        "MET",
        "MST",
        "MST7MDT",
        "NZ",
        "NZ-CHAT",
        "Navajo",
        "PRC",
        "PST8PDT",
        "Poland",
        "Portugal",
        "ROC",
        "ROK",
        "Singapore",
        "Turkey",
        "UCT",
        "UTC",
        "Universal",
        "W-SU",
        "WET",
        "Zulu",
    ];
    match name.split_once('/') {
        Some((area, place)) => AREAS.contains(&area) && place.starts_with(|c: char| c.is_ascii_uppercase()),
        None => PLAIN.contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        for good in [
            "* * * * *",
            "*/5 0-6 1,15 jan-MAR mon",
            "@hourly",
            "@every 1h30m",
            "5/10 * ? * 6",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let bad = [
            ("nope", "expected exactly 5 fields, found 1: [nope]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            (
                "5-1 * * * *",
                "beginning of range (5) beyond end of range (1): 5-1",
            ),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            (
                "a * * * *",
                "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax",
            ),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("@x", "unrecognized descriptor: @x"),
        ];
        for (text, why) in bad {
            assert_eq!(check(text), Err(why.to_owned()));
        }
    }
}
