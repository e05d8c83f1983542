//! What kubectl printed, reduced to what is compared.

use crate::deviations::Normal;
use crate::json::{self, KUBELET, go_values, pretty};
use crate::kubectl::files_of;
use crate::mask::{self, Masker, bare, number};
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

static REASON: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\((\w+)\)").unwrap());
static GENERATION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(  generation: )\d+").unwrap());
static SCALED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\(combined from similar events\): |Scaled (up|down)| from \d+ to \d+").unwrap()
});
static MACHINE_ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"((imageID|containerID): ).*").unwrap());
static SORTED_LIST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^( *)(conditions|managedFields|endpoints|addresses):$").unwrap());
static OF_MACHINE: LazyLock<Regex> = LazyLock::new(|| {
    let parts = "Addresses|Capacity|Allocatable|System Info|Non-terminated Pods|Allocated resources|Lease|PodCIDRs?|ProviderID";
    Regex::new(&format!("^({parts}):")).unwrap()
});

/// Of a case with `rc`, `stdout`, `stderr` and `relay`; `recorded` names its command and group.
pub fn normal(said: &Value, recorded: &Value) -> Normal {
    let command = recorded["cmd"].as_str().unwrap();
    let asked = format!("{command}\n{}", files_of(command));
    let mut masker = Masker::new(&asked, command, recorded["group"].as_str().unwrap());
    masker.server = said["relay"].as_str().map(str::to_owned);
    let text = |name: &str| said[name].as_str().unwrap_or("");
    let (out, err) = (
        printed(text("stdout"), &masker, command, false),
        printed(text("stderr"), &masker, command, true),
    );
    let refused = said["rc"] != 0 && text("stderr").contains("Error from server");
    let reason = REASON
        .captures(text("stderr"))
        .filter(|_| refused)
        .map_or(String::new(), |found| found[1].to_owned());
    Normal {
        status: format!("{} {reason}", said["rc"]),
        full: format!("# exit code {}\n# stdout\n{out}\n# stderr\n{err}", said["rc"]),
    }
}

fn printed(text: &str, masker: &Masker, command: &str, is_error: bool) -> String {
    let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
    let verb = arguments.first().copied().unwrap_or("");
    if command.ends_with("-o json") && !is_error {
        if let Ok(value) = serde_json::from_str(text) {
            return number(&pretty(&json::walk(&value, masker, "")));
        }
    }
    let mut text = masker.text(&go_values(text));
    if command.contains("endpointslice") {
        text = GENERATION.replace_all(&text, "${1}<generation>").into_owned();
    }
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let yaml = command.contains("-o yaml");
    if !yaml && !matches!(verb, "explain" | "diff" | "version") && !command.contains("view-last-applied") {
        lines
            .iter_mut()
            .for_each(|line| *line = mask::repeats(&squeeze(&mask::ages(line))));
    }
    let json = command
        .rsplit("-o")
        .next()
        .unwrap_or("")
        .split('=')
        .next()
        .unwrap_or("")
        .contains("json");
    match verb {
        "describe" => {
            if command.contains("describe node") {
                lines = without_machine(lines);
            }
            lines = sorted_events(lines);
            if command.starts_with("kubectl describe cm") || command.starts_with("kubectl describe secret") {
                lines.sort();
            }
        }
        "get" | "events" | "delete" | "drain" | "top" | "api-resources" | "api-versions"
            if !yaml && !json =>
        {
            lines.retain(|line| !line.is_empty());
            lines.sort_by_key(|line| bare(line));
            if verb == "drain" {
                lines.iter_mut().for_each(sort_warning);
            }
            if command.contains("event") || verb == "drain" || arguments.contains(&"-w") {
                let mut seen: Vec<String> = Vec::new();
                lines.retain(|line| {
                    let shown = bare(line);
                    let is_new = !seen.contains(&shown);
                    seen.push(shown);
                    is_new && !from_kubelet(line)
                });
            }
        }
        "get" if command.contains("jsonpath") => lines.sort_by_key(|line| bare(line)),
        "rollout" if arguments.contains(&"status") => {
            lines.retain(|line| !line.is_empty());
            lines.drain(..lines.len().saturating_sub(1));
        }
        _ => {}
    }
    if yaml {
        lines = sorted_yaml(&lines);
    }
    bare(&lines.join("\n")).trim_matches('\n').to_owned()
}

fn from_kubelet(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words
        .windows(2)
        .any(|pair| matches!(pair[0], "Normal" | "Warning") && KUBELET.contains(&pair[1]))
}

/// Runs of blanks as two, which is what aligns columns; the indent stays.
fn squeeze(line: &str) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let mut out = line[..indent].to_owned();
    let mut blanks = String::new();
    for c in line[indent..].trim_end().chars() {
        if c.is_whitespace() {
            blanks.push(c);
            continue;
        }
        out.push_str(if blanks.chars().count() > 1 { "  " } else { &blanks });
        blanks.clear();
        out.push(c);
    }
    out
}

/// kubectl walks a map for the warnings of a drain.
fn sort_warning(line: &mut String) {
    if let Some(rest) = line.strip_prefix("Warning: ") {
        let mut parts: Vec<&str> = rest.split("; ").collect();
        parts.sort_unstable();
        *line = format!("Warning: {}", parts.join("; "));
    }
}

/// Sorts and joins equal lines below `Events:`.
fn sorted_events(lines: Vec<String>) -> Vec<String> {
    let (mut out, mut lines) = (Vec::new(), lines.into_iter().peekable());
    while let Some(line) = lines.next() {
        let is_head = line.starts_with("Events:");
        out.push(line);
        if !is_head {
            continue;
        }
        let mut body = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
            let line = mask::repeats(&line);
            let mut words = line.split_whitespace();
            if words.next().is_none() || words.next().is_none_or(|reason| !KUBELET.contains(&reason)) {
                body.push(line);
            }
        }
        // The steps of a rollout differ from run to run.
        if body
            .iter()
            .filter(|line| line.contains("ScalingReplicaSet"))
            .count()
            > 2
        {
            for line in &mut body {
                let said = |found: &regex::Captures| if found.get(1).is_some() { "Scaled" } else { "" };
                *line = SCALED.replace_all(line, said).into_owned();
            }
        }
        let mut rest: Vec<String> = body.iter().skip(2).map(|line| bare(line)).collect();
        rest.sort();
        rest.dedup();
        out.extend(body.into_iter().take(2));
        out.append(&mut rest);
    }
    out
}

fn without_machine(lines: Vec<String>) -> Vec<String> {
    let mut skipping = false;
    let keep = |line: &String| {
        skipping = OF_MACHINE.is_match(line) || skipping && line.starts_with(' ');
        !skipping
    };
    lines.into_iter().filter(keep).collect()
}

/// Sorts the entries of lists without an order by their text; masks what the machine sets.
fn sorted_yaml(lines: &[String]) -> Vec<String> {
    let (mut out, mut at): (Vec<String>, usize) = (Vec::new(), 0);
    while let Some(line) = lines.get(at) {
        out.push(MACHINE_ID.replace(line, "${1}<id>").into_owned());
        at += 1;
        let Some(list) = SORTED_LIST.captures(line) else {
            continue;
        };
        let (first, further) = (format!("{}- ", &list[1]), format!("{}  ", &list[1]));
        let mut entries: Vec<Vec<String>> = Vec::new();
        while let Some(line) = lines
            .get(at)
            .filter(|l| l.starts_with(&first) || !entries.is_empty() && l.starts_with(&further))
        {
            if line.starts_with(&first) {
                entries.push(Vec::new());
            }
            entries.last_mut().unwrap().push(line.clone());
            at += 1;
        }
        let by_field = &list[2] == "managedFields";
        entries.sort_by_key(|entry| {
            let mut entry = entry.clone();
            if by_field {
                entry.sort();
            }
            bare(&entry.join("\n"))
        });
        out.extend(entries.into_iter().flatten());
    }
    out
}
