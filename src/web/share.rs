//! The session as a link: seed and log, deflated, in the address's fragment. A link may come from
//! anyone: it is bounded in size, in lines and in time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::api::validation::content;
use crate::cluster::{Preset, Setup};
use crate::shell::terminal::LogLine;
use crate::sim::SimTime;

/// A session to open.
pub struct Opening {
    pub setup: Setup,
    pub log: Vec<LogLine>,
    /// The moment it was shared at.
    pub until: SimTime,
}

const MAX_BYTES: usize = 4 << 20;
const MAX_LINES: usize = 5_000;
const MAX_DESKS: usize = 200;
/// A week of the office.
const MAX_MILLIS: u64 = 7 * 24 * 3_600_000;
const PREFIX: &str = "s=";

/// The office of the story: Bob's desk is set up; the first scene brings Inazu's.
pub fn story() -> Setup {
    Setup {
        seed: 1,
        preset: Preset::CompanyX,
        desks: vec!["bob".into()],
        ..Setup::default()
    }
}

/// The fragment for a session.
pub fn pack(setup: &Setup, log: &[LogLine], now: SimTime) -> String {
    let lines: Vec<Value> = log
        .iter()
        .map(|line| json!([line.at.as_micros(), line.line]))
        .collect();
    let session = json!({
        "v": 1,
        "seed": setup.seed,
        "preset": setup.preset.name(),
        "desks": setup.desks,
        "until": now.as_micros(),
        "log": lines,
    });
    let packed = miniz_oxide::deflate::compress_to_vec(session.to_string().as_bytes(), 9);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(packed))
}

/// A link that says it holds a session, and does not, or one beyond the bounds.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken;

/// Reads a fragment; `None` if it is none of ours.
/// # Errors
/// What cannot be opened.
pub fn unpack(fragment: &str) -> Result<Option<Opening>, Broken> {
    match fragment.trim_start_matches('#').strip_prefix(PREFIX) {
        Some(packed) => read(packed).map(Some).ok_or(Broken),
        None => Ok(None),
    }
}

fn read(packed: &str) -> Option<Opening> {
    let packed = URL_SAFE_NO_PAD.decode(packed).ok()?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, MAX_BYTES).ok()?;
    let session: Value = serde_json::from_slice(&bytes).ok()?;
    let lines = session.get("log")?.as_array()?;
    let desks = session.get("desks")?.as_array()?;
    if session.get("v")?.as_u64()? != 1 || lines.len() > MAX_LINES || desks.len() > MAX_DESKS {
        return None;
    }
    let mut last = 0;
    let mut log = Vec::with_capacity(lines.len());
    for line in lines {
        let at = line.get(0)?.as_u64()?;
        if at < last || at > MAX_MILLIS * 1000 {
            return None;
        }
        last = at;
        log.push(LogLine {
            at: SimTime::from_micros(at),
            line: line.get(1)?.as_str()?.to_string(),
        });
    }
    let until = session.get("until")?.as_u64()?.min(MAX_MILLIS * 1000);
    let desks = desks
        .iter()
        .map(|desk| {
            desk.as_str()
                .filter(|desk| content::dns1123_subdomain(desk).is_empty())
                .map(str::to_string)
        })
        .collect::<Option<_>>()?;
    let setup = Setup {
        seed: session.get("seed")?.as_u64()?,
        preset: Preset::parse(session.get("preset")?.as_str()?),
        desks,
        ..Setup::default()
    };
    Some(Opening {
        setup,
        log,
        until: SimTime::from_micros(until),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_survives_its_link() {
        let log = vec![
            LogLine {
                at: SimTime::from_millis(5),
                line: "kubectl run web --image=nginx".into(),
            },
            LogLine {
                at: SimTime::from_millis(900),
                line: "kubectl apply -f - <<'EOF'\nkind: 机\nEOF".into(),
            },
        ];
        let link = pack(&story(), &log, SimTime::from_secs(2));
        let opening = unpack(&format!("#{link}")).unwrap().unwrap();
        assert_eq!(opening.log, log);
        assert_eq!(opening.setup.desks, story().desks);
        assert_eq!(opening.setup.preset, Preset::CompanyX);
        assert_eq!(opening.until, SimTime::from_secs(2));
    }

    #[test]
    fn what_is_no_session_is_not_opened() {
        for fragment in ["", "#", "#other"] {
            assert!(matches!(unpack(fragment), Ok(None)), "{fragment}");
        }
        for fragment in ["#s=", "#s=!!!!", "#s=AAAA", "#s=%3Cscript%3E"] {
            assert!(unpack(fragment).is_err(), "{fragment}");
        }
        let odd = Setup {
            desks: vec!["<img src=x>".into()],
            ..story()
        };
        assert!(unpack(&pack(&odd, &[], SimTime::ZERO)).is_err());
        let backwards = [
            LogLine {
                at: SimTime::from_secs(9),
                line: "a".into(),
            },
            LogLine {
                at: SimTime::from_secs(1),
                line: "b".into(),
            },
        ];
        assert!(unpack(&pack(&story(), &backwards, SimTime::ZERO)).is_err());
        // A bomb: small when packed, large when opened.
        let bomb = [LogLine {
            at: SimTime::ZERO,
            line: "a".repeat(MAX_BYTES),
        }];
        assert!(unpack(&pack(&story(), &bomb, SimTime::ZERO)).is_err());
    }
}
