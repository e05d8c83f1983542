//! Scripted scenarios: command lines, virtual time, and below each the output it must have.
//!
//! A scenario file (`tests/scenarios/*.txt`):
//!
//! ```text
//! # company-x bob            preset, then the desks that are there
//! @ 5s                       let time pass
//! $ kubectl get nodes        a command line; further lines of it start with "> "
//! NAME   STATUS …            what it must print, up to the next line that starts with @, $ or ##
//! ## a remark
//! ```
//!
//! `REWRITE=1 cargo test --test scenarios` writes what is printed now; read the difference.

use kube_by_hand::cluster::{Preset, Setup};
use kube_by_hand::shell::{LogLine, Terminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a command may take in virtual time.
const PATIENCE: Duration = Duration::from_secs(120);

fn setup(header: &str) -> Setup {
    let mut words = header.trim_start_matches('#').split_whitespace();
    let preset = Preset::parse(words.next().unwrap_or("company-x"));
    Setup {
        preset,
        desks: words.map(str::to_owned).collect(),
        ..Setup::default()
    }
}

fn span(text: &str) -> Duration {
    let text = text.trim();
    let parse = |number: &str| {
        number
            .parse::<u64>()
            .unwrap_or_else(|_| panic!("bad time {text:?}"))
    };
    match text.strip_suffix("ms") {
        Some(number) => Duration::from_millis(parse(number)),
        None => Duration::from_secs(parse(text.trim_end_matches('s'))),
    }
}

/// Plays a scenario; the same file with what was really printed, and the machine as it stands then.
fn play(text: &str) -> (String, Terminal) {
    let mut lines = text.lines().peekable();
    let header = lines.next().expect("a header line");
    let mut terminal = Terminal::new(setup(header));
    let mut out = format!("{header}\n");
    while let Some(line) = lines.next() {
        if let Some(time) = line.strip_prefix('@') {
            terminal.advance(span(time));
        } else if let Some(command) = line.strip_prefix("$ ") {
            let mut script = command.to_owned();
            out.push_str(line);
            out.push('\n');
            while let Some(more) = lines.next_if(|line| line.starts_with("> ") || *line == ">") {
                script.push('\n');
                script.push_str(more.strip_prefix("> ").unwrap_or(""));
                out.push_str(more);
                out.push('\n');
            }
            let is_output = |line: &&str| !line.starts_with(['@', '$']) && !line.starts_with("##");
            while lines.next_if(is_output).is_some() {}
            let printed = terminal.run(&script, PATIENCE);
            for piece in printed.pieces {
                out.push_str(&piece.text);
            }
            if !out.ends_with('\n') {
                out.push('\n');
            }
            if printed.code != Some(0) {
                out.push_str(&format!("[exit code {}]\n", printed.code.unwrap_or(-1)));
            }
            continue;
        }
        out.push_str(line);
        out.push('\n');
    }
    (out, terminal)
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of scenarios")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are scenarios");
    files
}

#[test]
fn every_scenario_prints_what_it_says() {
    let rewrite = std::env::var_os("REWRITE").is_some();
    let mut wrong = Vec::new();
    for path in files() {
        let expected = std::fs::read_to_string(&path).expect("a readable scenario");
        let (printed, _) = play(&expected);
        if printed == expected {
            continue;
        }
        if rewrite {
            std::fs::write(&path, printed).expect("a writable scenario");
            continue;
        }
        let line = expected
            .lines()
            .zip(printed.lines())
            .take_while(|(a, b)| a == b)
            .count();
        wrong.push(format!(
            "{}:{}:\n  expected {:?}\n  printed  {:?}",
            path.display(),
            line + 1,
            expected.lines().nth(line).unwrap_or("<end>"),
            printed.lines().nth(line).unwrap_or("<end>"),
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The log is the session: replaying it gives the same machine.
#[test]
fn every_scenario_replays_to_the_same_hash() {
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("a readable scenario");
        let (_, played) = play(&text);
        let log: Vec<LogLine> = played.log().to_vec();
        let replayed = Terminal::replay(setup(text.lines().next().unwrap_or("")), log, played.now());
        assert_eq!(replayed.hash(), played.hash(), "{}", path.display());
    }
}
