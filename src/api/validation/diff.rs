//! What changed, for messages about fields that may not: a unified difference of JSON.
//!
//! Source: k8s.io/apimachinery/pkg/util/diff, which uses github.com/pmezard/go-difflib, a port of
//! Python's difflib.

use crate::api::codec::{self, Encode};
use crate::api::order::StableSort;
use crate::api::sorted::SortedMap;
use serde_json::Value;
use std::fmt::Write;
use std::ops::Range;

const CONTEXT: usize = 3;
/// In texts of this many lines, lines that are frequent do not start a match.
const POPULAR_FROM: usize = 200;

/// The lines that differ with three lines around them.
pub fn of<T: Encode>(old: &T, new: &T) -> String {
    let (old, new) = (lines(old), lines(new));
    let mut out = String::new();
    for group in groups(&old, &new) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let span = |range: Range<usize>| match range.len() {
            1 => format!("{}", range.start + 1),
            0 => format!("{},0", range.start),
            count => format!("{},{count}", range.start + 1),
        };
        let (from, to) = (first.old.start..last.old.end, first.new.start..last.new.end);
        let _ = writeln!(out, "@@ -{} +{} @@", span(from), span(to));
        let mut add = |mark: char, lines: &[String]| {
            lines.iter().for_each(|line| {
                let _ = writeln!(out, "{mark}{line}");
            });
        };
        for change in &group {
            if change.same {
                add(' ', &old[change.old.clone()]);
            } else {
                add('-', &old[change.old.clone()]);
                add('+', &new[change.new.clone()]);
            }
        }
    }
    out
}

fn lines<T: Encode>(value: &T) -> Vec<String> {
    let pretty = indented(&codec::to_json(value));
    // As Go's encoder escapes what would mean something in HTML.
    let escape = |line: &str| {
        line.replace('&', "\\u0026")
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
    };
    pretty.lines().map(escape).collect()
}

/// JSON in lines, a space for each level, its fields in the order they have.
fn indented(json: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    let (mut in_text, mut escaped) = (false, false);
    let mut before = ' ';
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', depth));
    };
    for c in json.chars() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            out.push(c);
            before = c;
            continue;
        }
        let closes = matches!(c, '}' | ']');
        if closes {
            depth -= 1;
        }
        // Between brackets there is a line of its own for everything, but nothing for nothing.
        if closes != matches!(before, '{' | '[') || before == ',' {
            new_line(&mut out, depth);
        }
        match c {
            '{' | '[' => depth += 1,
            '"' => in_text = true,
            _ => {}
        }
        out.push(c);
        if c == ':' {
            out.push(' ');
        }
        before = c;
    }
    out
}

/// Lines that are the same, or that replace each other.
#[derive(Clone)]
struct Change {
    same: bool,
    old: Range<usize>,
    new: Range<usize>,
}

/// The changes from old to new, in groups that are far from each other.
fn groups(old: &[String], new: &[String]) -> Vec<Vec<Change>> {
    let mut changes = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (from, to, size) in matching_blocks(old, new) {
        if i < from || j < to {
            changes.push(Change {
                same: false,
                old: i..from,
                new: j..to,
            });
        }
        if size > 0 {
            changes.push(Change {
                same: true,
                old: from..from + size,
                new: to..to + size,
            });
        }
        (i, j) = (from + size, to + size);
    }
    let tail = |change: &Change, count: usize| {
        let count = count.min(change.old.len());
        Change {
            same: true,
            old: change.old.end - count..change.old.end,
            new: change.new.end - count..change.new.end,
        }
    };
    let head = |change: &Change, count: usize| {
        let count = count.min(change.old.len());
        let (old, new) = (change.old.start, change.new.start);
        Change {
            same: true,
            old: old..old + count,
            new: new..new + count,
        }
    };
    if let Some(first) = changes.first_mut().filter(|change| change.same) {
        *first = tail(first, CONTEXT);
    }
    if let Some(last) = changes.last_mut().filter(|change| change.same) {
        *last = head(last, CONTEXT);
    }
    let mut groups = Vec::new();
    let mut group: Vec<Change> = Vec::new();
    for change in changes {
        if change.same && change.old.len() > 2 * CONTEXT {
            group.push(head(&change, CONTEXT));
            groups.push(std::mem::take(&mut group));
            group.push(tail(&change, CONTEXT));
        } else {
            group.push(change);
        }
    }
    groups.push(group);
    groups.retain(|group| group.iter().any(|change| !change.same));
    groups
}

/// Runs of equal lines: where in old, where in new, how many; the last one is empty.
fn matching_blocks(old: &[String], new: &[String]) -> Vec<(usize, usize, usize)> {
    let mut places: SortedMap<&str, Vec<usize>> = SortedMap::new();
    for (j, line) in new.iter().enumerate() {
        places.entry(line).or_default().push(j);
    }
    if new.len() >= POPULAR_FROM {
        let limit = new.len() / 100 + 1;
        places.retain(|_, lines| lines.len() <= limit);
    }
    let mut found = Vec::new();
    let mut open = vec![(0..old.len(), 0..new.len())];
    while let Some((a, b)) = open.pop() {
        let (i, j, size) = longest_match(old, new, &places, &a, &b);
        if size == 0 {
            continue;
        }
        found.push((i, j, size));
        open.push((a.start..i, b.start..j));
        open.push((i + size..a.end, j + size..b.end));
    }
    found.stable_sort();
    let mut blocks: Vec<(usize, usize, usize)> = Vec::new();
    for (i, j, size) in found {
        match blocks.last_mut() {
            Some(last) if last.0 + last.2 == i && last.1 + last.2 == j => last.2 += size,
            _ => blocks.push((i, j, size)),
        }
    }
    blocks.push((old.len(), new.len(), 0));
    blocks
}

/// The first of the longest runs of equal lines within the ranges.
fn longest_match(
    old: &[String],
    new: &[String],
    places: &SortedMap<&str, Vec<usize>>,
    a: &Range<usize>,
    b: &Range<usize>,
) -> (usize, usize, usize) {
    let mut best = (a.start, b.start, 0);
    let mut lengths: SortedMap<usize, usize> = SortedMap::new();
    for i in a.clone() {
        let mut next = SortedMap::new();
        for &j in places
            .get(old[i].as_str())
            .into_iter()
            .flatten()
            .filter(|j| b.contains(j))
        {
            let length = j
                .checked_sub(1)
                .and_then(|before| lengths.get(&before))
                .unwrap_or(&0)
                + 1;
            next.insert(j, length);
            if length > best.2 {
                best = (i + 1 - length, j + 1 - length, length);
            }
        }
        lengths = next;
    }
    let (mut i, mut j, mut size) = best;
    while i > a.start && j > b.start && old[i - 1] == new[j - 1] {
        (i, j, size) = (i - 1, j - 1, size + 1);
    }
    while i + size < a.end && j + size < b.end && old[i + size] == new[j + size] {
        size += 1;
    }
    (i, j, size)
}

/// Equal as Kubernetes compares: what is empty is the same as what is missing.
pub fn semantic_equal<T: Encode + PartialEq>(a: &T, b: &T) -> bool {
    a == b || pruned(a) == pruned(b)
}

fn pruned<T: Encode>(value: &T) -> Value {
    let mut value = codec::to_value(value);
    prune(&mut value);
    value
}

/// Flags that upstream keeps as plain booleans, so that false is the same as missing.
const PLAIN_FLAGS: &[&str] = &[
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "stdin",
    "stdinOnce",
    "tty",
    "readOnly",
];

fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(prune);
            map.retain(|key, value| match value {
                Value::Null => false,
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => !items.is_empty(),
                // An empty structure may mean something (`emptyDir: {}`), except these.
                Value::Object(map) => {
                    !(map.is_empty() && matches!(key.as_str(), "resources" | "securityContext"))
                }
                Value::Bool(false) => !PLAIN_FLAGS.contains(&key.as_str()),
                _ => true,
            });
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn one_line() {
        let old = json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5});
        let new = json!({"a": 1, "b": 2, "c": 3, "d": 9, "e": 5});
        let expected = "@@ -2,6 +2,6 @@\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3,\n- \"d\": 4,\n+ \"d\": 9,\n  \"e\": 5\n }\n";
        assert_eq!(super::of(&old, &new), expected);
    }

    #[test]
    fn empty_is_missing() {
        assert!(super::semantic_equal(&json!({"a": "", "b": []}), &json!({})));
        assert!(!super::semantic_equal(&json!({"emptyDir": {}}), &json!({})));
    }

    #[test]
    fn indents_as_an_encoder_does() {
        use serde::Serialize;
        for value in [
            json!({"a": {}, "b": [], "c": [1, "x: {, \"[\\", {"d": null}], "\\": {"e": [[], [2.5, true]]}}),
            json!([]),
            json!("{}"),
        ] {
            let mut bytes = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
            let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
            value.serialize(&mut serializer).unwrap();
            assert_eq!(
                super::indented(&value.to_string()),
                String::from_utf8(bytes).unwrap()
            );
        }
    }
}
