//! Which cases differ, and which of them are known to.

use std::fmt::Write;

const LIST: &str = include_str!("deviations.txt");

/// An answer reduced to what is compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Normal {
    /// HTTP status or exit code, and the Status' reason.
    pub status: String,
    /// All of it, masked.
    pub full: String,
}

/// A case with the recorded answer and ours.
pub struct Case {
    pub name: String,
    pub want: Normal,
    pub have: Normal,
}

/// How far a listed case is known to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Not even the status agrees.
    Status,
    /// The status agrees, the whole answer does not.
    Full,
    /// Only the status means anything.
    StatusOnly,
}

fn known(name: &str) -> Option<Known> {
    let line = lines().find(|line| line.0 == name)?;
    match line.1 {
        "status" => Some(Known::Status),
        "full" => Some(Known::Full),
        "status-only" => Some(Known::StatusOnly),
        other => panic!("deviations.txt: {name}: {other:?} is not status, full or status-only"),
    }
}

/// (case, level, reason)
fn lines() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let lines = LIST
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let mut words = line.splitn(3, char::is_whitespace);
        let mut word = || words.next().map(str::trim).filter(|word| !word.is_empty());
        match (word(), word(), word()) {
            (Some(case), Some(level), Some(why)) => (case, level, why),
            _ => panic!("deviations.txt: not a case, a level and a reason: {line}"),
        }
    })
}

/// Holds every case of a suite against the list.
///
/// Panics if one differs that is not listed, or one is listed that does not differ or does not exist.
pub fn judge(suite: &str, cases: Vec<Case>) {
    let mut report = String::new();
    let (mut status, mut full) = (0, 0);
    for case in &cases {
        let same_status = case.want.status == case.have.status;
        let same = same_status && case.want.full == case.have.full;
        let known = known(&case.name);
        status += usize::from(same_status);
        full += usize::from(same || same_status && known == Some(Known::StatusOnly));
        let wrong = match known {
            None if same => None,
            None => Some(difference(case)),
            Some(Known::Status) if !same_status => None,
            Some(Known::Full) if same_status && !same => None,
            Some(Known::StatusOnly) if same_status => None,
            Some(Known::Status | Known::Full) if same => {
                Some("is listed in deviations.txt and no longer differs: take it off".to_owned())
            }
            Some(Known::Status) => Some("differs only in part now: it is `full`, not `status`".to_owned()),
            Some(_) => Some(difference(case)),
        };
        if let Some(wrong) = wrong {
            let _ = writeln!(report, "{} {wrong}\n", case.name);
        }
    }
    for (name, ..) in lines().filter(|line| line.0.starts_with(&format!("{suite}/"))) {
        if !cases.iter().any(|case| case.name == name) {
            let _ = writeln!(report, "{name} is listed in deviations.txt and is no case\n");
        }
    }
    println!(
        "{suite}: {} cases, {status} by status, {full} in full",
        cases.len()
    );
    assert!(report.is_empty(), "\n{report}");
}

/// The lines in which two answers differ, without those they begin and end with alike.
fn difference(case: &Case) -> String {
    let (want, have) = (lines_of(&case.want), lines_of(&case.have));
    let head = want.iter().zip(&have).take_while(|(a, b)| a == b).count();
    let rest = want.len().min(have.len()) - head;
    let tail = want
        .iter()
        .rev()
        .zip(have.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let mut out = String::from("differs:");
    for (sign, lines) in [('-', &want), ('+', &have)] {
        for line in lines[head.saturating_sub(3)..lines.len() - tail].iter().take(60) {
            let _ = write!(out, "\n  {sign} {}", line.chars().take(600).collect::<String>());
        }
    }
    out
}

fn lines_of(answer: &Normal) -> Vec<&str> {
    std::iter::once(answer.status.as_str())
        .chain(answer.full.lines())
        .collect()
}
