//! Plays the files of this folder, see `tests/scenarios.rs`.

use kube_by_hand::cluster::{Preset, Setup};
use kube_by_hand::shell::Terminal;
use kube_by_hand::sim::SimTime;
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

/// What lies between two remarks (`## …`) of a scenario, once it is played.
pub struct Scene {
    pub title: String,
    /// How many lines the log has at its end.
    pub lines: usize,
    pub end: SimTime,
    pub hash: String,
}

/// A scenario that was played.
pub struct Played {
    pub terminal: Terminal,
    pub scenes: Vec<Scene>,
}

/// Notes that a scene ends here.
fn end_scene(title: &str, terminal: &mut Terminal, scenes: &mut Vec<Scene>) {
    // What is due now belongs to it.
    terminal.run_until(terminal.now());
    scenes.push(Scene {
        title: title.to_owned(),
        lines: terminal.log().len(),
        end: terminal.now(),
        hash: terminal.hash(),
    });
}

/// Plays a scenario; the same file with what was really printed, and the machine as it stands then.
pub fn play(text: &str) -> (String, Played) {
    let mut lines = text.lines().peekable();
    let header = lines.next().expect("a header line");
    let mut terminal = Terminal::new(setup(header));
    let mut out = format!("{header}\n");
    let (mut scenes, mut title) = (Vec::new(), header);
    while let Some(line) = lines.next() {
        if let Some(next) = line.strip_prefix("## ") {
            end_scene(std::mem::replace(&mut title, next), &mut terminal, &mut scenes);
        }
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
    end_scene(title, &mut terminal, &mut scenes);
    (out, Played { terminal, scenes })
}
