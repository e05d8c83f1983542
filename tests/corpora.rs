//! Every input a fuzz target found interesting (`fuzz/corpus/`), through the same function, in bounded time and memory.
//! What once crashed or hung is kept among them.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it measures how long an input takes"
)]

#[path = "../fuzz/inputs.rs"]
mod inputs;

use std::time::{Duration, Instant};

/// Generous, since this runs unoptimised on machines that do other things too.
const LONGEST: Duration = Duration::from_secs(5);
const MOST_MEMORY_KB: u64 = 1024 * 1024;

/// The most memory this process ever had, where the system tells.
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn replay(target: &str, run: fn(&[u8])) {
    let folder = format!("{}/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 10, "the corpus of {target} is missing");
    for file in files {
        let input = std::fs::read(&file).unwrap();
        let start = Instant::now();
        if std::panic::catch_unwind(|| run(&input)).is_err() {
            panic!("{} fails", file.display());
        }
        let took = start.elapsed();
        assert!(took < LONGEST, "{} takes {took:?}", file.display());
    }
    if let Some(peak) = peak_kb() {
        assert!(peak < MOST_MEMORY_KB, "{target} needs {peak} KB");
    }
}

#[test]
fn bodies() {
    replay("bodies", inputs::bodies);
}

#[test]
fn paths_queries() {
    replay("paths_queries", inputs::paths_queries);
}

#[test]
fn patches() {
    replay("patches", inputs::patches);
}

#[test]
fn selectors_quantities() {
    replay("selectors_quantities", inputs::selectors_quantities);
}

#[test]
fn command_lines() {
    replay("command_lines", inputs::command_lines);
}
