//! Cron expressions: five fields, or one of the `@` words.
//!
//! Source: the format of github.com/robfig/cron/v3, `ParseStandard`; times are UTC.

use crate::api::civil;
use crate::sim::SimTime;
use jiff::Timestamp;

/// Which minutes, hours, days, months and weekdays are meant, as bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    minute: u64,
    hour: u64,
    day: u64,
    month: u64,
    weekday: u64,
    /// A field that says `*` does not count when both kinds of days are given.
    any_day: bool,
    any_weekday: bool,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Bits of one field, and whether it starts with `*`.
fn field(text: &str, min: u32, max: u32, names: &[&str], first_name: u32) -> Option<(u64, bool)> {
    let mut bits = 0u64;
    let number = |word: &str| -> Option<u32> {
        let named = names
            .iter()
            .position(|name| word.eq_ignore_ascii_case(name))
            .map(|at| at as u32 + first_name);
        named
            .or_else(|| word.parse().ok())
            .filter(|value| (min..=max).contains(value))
    };
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u32>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range {
            "*" | "?" => (min, max),
            _ => match range.split_once('-') {
                Some((from, to)) => (number(from)?, number(to)?),
                // `3/5` means from 3 on.
                None => (number(range)?, if step.is_some() { max } else { number(range)? }),
            },
        };
        if from > to {
            return None;
        }
        (from..=to)
            .step_by(step.unwrap_or(1) as usize)
            .for_each(|value| bits |= 1 << value);
    }
    Some((bits, text.starts_with('*') || text.starts_with('?')))
}

impl Schedule {
    pub fn parse(text: &str) -> Option<Schedule> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return None;
        };
        let (day, any_day) = field(day, 1, 31, &[], 0)?;
        // Sunday is 0 here; 7 is not accepted upstream either.
        let (weekday, any_weekday) = field(weekday, 0, 6, &DAYS, 0)?;
        Some(Schedule {
            minute: field(minute, 0, 59, &[], 0)?.0,
            hour: field(hour, 0, 23, &[], 0)?.0,
            day,
            month: field(month, 1, 12, &MONTHS, 1)?.0,
            weekday,
            any_day,
            any_weekday,
        })
    }

    /// Whether a day counts: of the month, and of the week.
    fn day_matches(&self, of_month: i64, of_week: i64) -> bool {
        let day = self.day & (1 << of_month) != 0;
        let weekday = self.weekday & (1 << of_week) != 0;
        if self.any_day || self.any_weekday {
            day && weekday
        } else {
            day || weekday
        }
    }

    /// The first time after `after`; none within five years, as for 30 February.
    pub fn next(&self, after: SimTime) -> Option<SimTime> {
        const DAY: i64 = 24 * 60;
        // In minutes since 1970; a part of one does not count.
        let mut at = after.timestamp().as_second().div_euclid(60) + 1;
        let year_of = |minute: i64| civil::date(minute.div_euclid(DAY)).0;
        let last_year = year_of(at) + 5;
        while year_of(at) <= last_year {
            let day = at.div_euclid(DAY);
            let (year, month, of_month) = civil::date(day);
            let of_day = at.rem_euclid(DAY);
            if self.month & (1 << month) == 0 {
                let (year, month) = if month == 12 {
                    (year + 1, 1)
                } else {
                    (year, month + 1)
                };
                at = civil::day_of(year, month, 1) * DAY;
            } else if !self.day_matches(of_month, civil::weekday(day)) {
                at = (day + 1) * DAY;
            } else if self.hour & (1 << (of_day / 60)) == 0 {
                at += 60 - of_day % 60;
            } else if self.minute & (1 << (of_day % 60)) == 0 {
                at += 1;
            } else {
                return Timestamp::from_second(at * 60).ok().map(SimTime::from_timestamp);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times after the start of the session, 2026-04-01T09:00:00Z, a Wednesday.
    fn next(text: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(text).unwrap();
        let mut at = SimTime::ZERO;
        let mut times = Vec::new();
        for _ in 0..count {
            at = schedule.next(at).unwrap();
            times.push(at.timestamp().to_string());
        }
        times
    }

    #[test]
    fn times() {
        assert_eq!(
            next("*/20 * * * *", 3),
            [
                "2026-04-01T09:20:00Z",
                "2026-04-01T09:40:00Z",
                "2026-04-01T10:00:00Z"
            ]
        );
        assert_eq!(next("0 0 29 2 *", 1), ["2028-02-29T00:00:00Z"]);
        assert_eq!(
            next("30 8 * * mon-fri", 2),
            ["2026-04-02T08:30:00Z", "2026-04-03T08:30:00Z"]
        );
        assert_eq!(
            next("0 12 13 * fri", 2),
            ["2026-04-03T12:00:00Z", "2026-04-10T12:00:00Z"]
        );
        assert_eq!(next("@hourly", 1), ["2026-04-01T10:00:00Z"]);
        for bad in [
            "",
            "* * * *",
            "60 * * * *",
            "* * * 13 *",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
        ] {
            assert_eq!(Schedule::parse(bad), None, "{bad}");
        }
        assert_eq!(Schedule::parse("0 0 30 2 *").unwrap().next(SimTime::ZERO), None);
    }
}
