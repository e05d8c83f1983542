//! Types the lines of `kubectl/commands.txt` into a console and keeps what it prints.
//!
//! ```text
//! case NAME kubectl …   a line whose output is compared (if one was recorded)
//! quiet kubectl …       a line that only prepares
//! settle 4s             time passes
//! ```

use crate::requests::parse_span;
use crate::rest::setup;
use kube_by_hand::shell::Terminal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a command may take in virtual time.
const PATIENCE: Duration = Duration::from_secs(75);

const FILES: [(&str, &str); 7] = [
    ("app.yaml", include_str!("../differential/app.yaml")),
    ("app2.yaml", include_str!("../differential/app2.yaml")),
    ("more.yaml", include_str!("../differential/more.yaml")),
    ("unknown.yaml", include_str!("../differential/unknown.yaml")),
    ("invalid.yaml", include_str!("../differential/invalid.yaml")),
    ("big.yaml", include_str!("kubectl/big.yaml")),
    ("pinned.yaml", include_str!("kubectl/pinned.yaml")),
];

/// What every case printed, in the form of the recordings.
pub fn play(script: &str) -> BTreeMap<String, Value> {
    let mut terminal = Terminal::new(setup());
    for (name, text) in FILES {
        terminal.session.files.insert(name.to_owned(), text.to_owned());
    }
    terminal.advance(Duration::from_secs(5));
    let mut printed = BTreeMap::new();
    for line in script
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (word, rest) = line.split_once(' ').unwrap();
        let (name, command) = match word {
            "settle" => {
                terminal.advance(parse_span(rest));
                continue;
            }
            "quiet" => ("", rest),
            "case" => rest.split_once(' ').unwrap(),
            _ => panic!("not a step: {line}"),
        };
        let output = terminal.run(command, PATIENCE);
        // A program takes its time, and components get their turn.
        terminal.advance(Duration::from_millis(50));
        let server = terminal.session.server.clone();
        let said =
            json!({"rc": output.code, "stdout": output.stdout(), "stderr": output.stderr(), "relay": server});
        printed.insert(name.to_owned(), said);
    }
    printed
}

/// The files a command line names, which are part of the question.
pub fn files_of(command: &str) -> String {
    FILES
        .iter()
        .filter(|file| command.contains(file.0))
        .map(|file| file.1)
        .collect()
}
