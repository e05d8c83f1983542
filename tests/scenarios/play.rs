//! Plays the files of this folder, see `tests/scenarios.rs`.

use kube_by_hand::cluster::{Preset, Setup};
use kube_by_hand::shell::Terminal;
use std::time::Duration;

/// How long a command may take in virtual time.
const PATIENCE: Duration = Duration::from_secs(120);

/// The setup a scenario's first line asks for.
pub fn setup(header: &str) -> Setup {
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
pub fn play(text: &str) -> (String, Terminal) {
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
