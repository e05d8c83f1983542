//! The calendar: moments as Kubernetes and the programs on a desk write and read them, in UTC.
//!
//! `jiff` knows far more of the world than a cluster that lives in UTC; here is what is needed.

use k8s_openapi::jiff::Timestamp;

const DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Year, month and day of a day counted from 1970-01-01.
///
/// A year begins in March here, so that a leap day is a year's last; 400 years always have the
/// same number of days.
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

/// The day counted from 1970-01-01. Months from 1 to 12; days beyond a month's last go on into the next.
pub fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The day of the week of a day counted from 1970-01-01; Sunday is 0.
pub fn weekday(day: i64) -> i64 {
    (day + 4).rem_euclid(7)
}

/// Writes a moment as `strftime` does: `%Y-%m-%d %H:%M:%S`. What it does not know stays as it is.
pub fn format(moment: Timestamp, format: &str) -> String {
    let nanos = moment.as_nanosecond();
    let (second, nanos) = (
        nanos.div_euclid(1_000_000_000) as i64,
        nanos.rem_euclid(1_000_000_000) as i64,
    );
    let day_number = second.div_euclid(DAY);
    let (year, month, day) = date(day_number);
    let of_day = second.rem_euclid(DAY);
    let (hour, minute, of_minute) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let (month_name, weekday_name) = (MONTHS[month as usize - 1], WEEKDAYS[weekday(day_number) as usize]);
    let hour12 = (hour + 11) % 12 + 1;
    let mut out = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let (value, width, fill) = match rest.next() {
            Some('Y') => (year, 4, '0'),
            Some('C') => (year / 100, 2, '0'),
            Some('y') => (year % 100, 2, '0'),
            Some('m') => (month, 2, '0'),
            Some('d') => (day, 2, '0'),
            Some('e') => (day, 2, ' '),
            Some('j') => (day_number - day_of(year, 1, 1) + 1, 3, '0'),
            Some('H') => (hour, 2, '0'),
            Some('k') => (hour, 2, ' '),
            Some('I') => (hour12, 2, '0'),
            Some('l') => (hour12, 2, ' '),
            Some('M') => (minute, 2, '0'),
            Some('S') => (of_minute, 2, '0'),
            Some('s') => (second, 0, '0'),
            Some('N') => (nanos, 9, '0'),
            // Microseconds, as in Go's layouts `.000000`.
            Some('f') => (nanos / 1_000, 6, '0'),
            Some('u') => ((weekday(day_number) + 6) % 7 + 1, 0, '0'),
            Some('w') => (weekday(day_number), 0, '0'),
            other => {
                match other {
                    Some('a') => out.push_str(&weekday_name[..3]),
                    Some('A') => out.push_str(weekday_name),
                    Some('b' | 'h') => out.push_str(&month_name[..3]),
                    Some('B') => out.push_str(month_name),
                    Some('D') => out.push_str(&self::format(moment, "%m/%d/%y")),
                    Some('F') => out.push_str(&self::format(moment, "%Y-%m-%d")),
                    Some('R') => out.push_str(&self::format(moment, "%H:%M")),
                    Some('T') => out.push_str(&self::format(moment, "%H:%M:%S")),
                    Some('p') => out.push_str(if hour < 12 { "AM" } else { "PM" }),
                    Some('P') => out.push_str(if hour < 12 { "am" } else { "pm" }),
                    Some('Z') => out.push_str("UTC"),
                    Some('z') => out.push_str("+0000"),
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('%') => out.push('%'),
                    Some(unknown) => out.extend(['%', unknown]),
                    None => out.push('%'),
                }
                continue;
            }
        };
        let text = value.to_string();
        out.extend(std::iter::repeat_n(
            fill,
            usize::saturating_sub(width, text.len()),
        ));
        out.push_str(&text);
    }
    out
}

/// `2026-04-01T09:00:00Z`: `metav1.Time`.
pub fn seconds(moment: Timestamp) -> String {
    format(moment, "%Y-%m-%dT%H:%M:%SZ")
}

/// `2026-04-01T09:00:00.000000Z`: `metav1.MicroTime`.
pub fn micros(moment: Timestamp) -> String {
    format(moment, "%Y-%m-%dT%H:%M:%S.%fZ")
}

/// Reads RFC 3339, as Go does: `2026-04-01T09:00:00Z`, `2026-04-01T18:00:00.5+09:00`.
pub fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once('T')?;
    let at = time.find(['Z', '+', '-'])?;
    let (time, zone) = time.split_at(at);
    let (time, fraction) = time.split_once(['.', ',']).unwrap_or((time, ""));
    let numbers = |text: &str, separator: char| -> Option<[i64; 3]> {
        let mut parts = text.split(separator).map(number);
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(numbers)
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let number_of_day = day_of(year, month, day);
    let exists = (1..=12).contains(&month) && self::date(number_of_day) == (year, month, day);
    if !exists || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut offset = 0;
    if zone != "Z" {
        let (hours, minutes) = zone.get(1..)?.split_once(':')?;
        offset = number(hours)? * 3_600 + number(minutes)? * 60;
        if zone.starts_with('-') {
            offset = -offset;
        }
    }
    let mut nanos = 0;
    for place in 0..9 {
        nanos = nanos * 10 + fraction.get(place..=place).map_or(Some(0), number)?;
    }
    let second = number_of_day * DAY + hour * 3_600 + minute * 60 + second - offset;
    Timestamp::new(second, nanos as i32).ok()
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| {
        text.bytes()
            .fold(0, |number, c| number * 10 + i64::from(c - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::jiff::fmt::strtime;

    /// Moments of the years 1 to 9999.
    fn moments() -> impl Iterator<Item = Timestamp> {
        let mut state = 5_u64;
        (0..10_000).map(move |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let second = (state >> 13) as i64 % 315_537_800_000 - 62_135_596_800;
            Timestamp::new(second, (state % 1_000_000_000) as i32).unwrap()
        })
    }

    #[test]
    fn writes_as_jiff_does() {
        let all = "%Y %y %m %d %e %j %H %k %I %l %M %S %a %A %b %h %B %D %F %R %T %p %P %n %t %% %u %w";
        for moment in moments() {
            let theirs = |format| strtime::format(format, moment).unwrap();
            assert_eq!(format(moment, all), theirs(all));
            assert_eq!(micros(moment), theirs("%Y-%m-%dT%H:%M:%S%.6fZ"));
            assert_eq!(seconds(moment), theirs("%Y-%m-%dT%H:%M:%SZ"));
        }
    }

    #[test]
    fn reads_as_jiff_does() {
        for (at, moment) in moments().enumerate() {
            let offset = at as i64 % 1_400 - 700;
            let zone = format!(
                "{}{:02}:{:02}",
                if offset < 0 { '-' } else { '+' },
                offset.abs() / 60,
                offset.abs() % 60
            );
            let local = format(moment, "%Y-%m-%dT%H:%M:%S.%N");
            for text in [
                format!("{local}Z"),
                format!("{local}{zone}"),
                seconds(moment),
                micros(moment),
            ] {
                assert_eq!(parse(&text), text.parse().ok(), "{text}");
            }
        }
        for bad in [
            "",
            "now",
            "2026-04-01",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-04-01T24:00:00Z",
            "2026-04-01T00:60:00Z",
            "2026-04-01T00:00:00",
            "2026-04-01T00:00:00.xZ",
            "2026-04-01T00:00:00+09",
            "2026-04-01T00:00:00Zx",
            "2026-04-01T00:00:-1Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(parse("2026-04-01T9:00:00Z"), parse("2026-04-01T09:00:00Z"));
    }
}
