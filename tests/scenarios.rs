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

#[path = "scenarios/play.rs"]
mod play;

use kube_by_hand::shell::{LogLine, Terminal};
use play::{play, setup};
use std::path::{Path, PathBuf};

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
        let log: &[LogLine] = played.terminal.log();
        for scene in &played.scenes {
            let setup = setup(text.lines().next().unwrap_or(""));
            let replayed = Terminal::replay(setup, log[..scene.lines].to_vec(), scene.end);
            assert_eq!(replayed.hash(), scene.hash, "{}: {}", path.display(), scene.title);
        }
    }
}
