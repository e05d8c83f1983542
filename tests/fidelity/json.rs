//! A REST answer reduced to what is compared.

use crate::deviations::Normal;
use crate::mask::{self, Masker, bare, number};
use regex::Regex;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// What a kubelet tells of its own work depends on the machine.
pub const KUBELET: [&str; 5] = ["Pulling", "Pulled", "Created", "Started", "Killing"];

static DIFFERENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)\n[ \u{a0}]+core\.\w+\{\n.*?\n[ \u{a0}]+\}\n?").unwrap());
static STRUCTURE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"Invalid value: [\w.*\[\]]+\{").unwrap());
static CAUSE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r", [\w.\[\]]+: ").unwrap());

/// An answer's status, headers and body.
pub fn normal(response: &Value, masker: &Masker) -> Normal {
    let body = &response["body"];
    let (body, reason) = match body {
        Value::Array(_) => {
            let events = watch_events(walk(body, masker, ""));
            let refused = events.iter().filter(|event| event["type"] == "ERROR");
            let reasons: Vec<String> = refused
                .map(|event| event["object"]["reason"].to_string())
                .collect();
            (Value::Array(events), reasons.join(","))
        }
        Value::String(text) => (masker.text(text).into(), String::new()),
        _ => {
            let reason = if body["kind"] == "Status" {
                body["reason"].to_string()
            } else {
                String::new()
            };
            (walk(body, masker, ""), reason)
        }
    };
    let content_type = response["content_type"].as_str().unwrap_or("");
    let content_type: String = content_type.to_ascii_lowercase().split_whitespace().collect();
    let warnings = response["warnings"].as_array().into_iter().flatten();
    let warnings: Vec<String> = warnings.map(|w| masker.text(w.as_str().unwrap_or(""))).collect();
    let full = json!({
        "status": response["status"], "content_type": content_type, "warnings": warnings, "headers": response["headers"], "body": body,
    });
    Normal {
        status: format!("{} {reason}", response["status"]),
        full: number(&pretty(&full)),
    }
}

/// Indented, with the marks of masks as they are.
pub fn pretty(value: &Value) -> String {
    unescape(&serde_json::to_string_pretty(value).unwrap())
}

fn compact(value: &Value) -> String {
    unescape(&value.to_string())
}

fn unescape(text: &str) -> String {
    text.replace("\\u0001", "\u{1}")
        .replace("\\u0002", "\u{2}")
        .replace("\\u0003", "\u{3}")
}

/// Go prints whole structures into some messages; only their place is compared.
pub fn go_values(text: &str) -> String {
    let text = DIFFERENCE.replace_all(text, "\n<difference>\n").into_owned();
    let (mut out, mut done) = (String::new(), 0);
    for found in STRUCTURE.find_iter(&text) {
        if found.start() < done {
            continue;
        }
        let (mut depth, mut quoted, mut previous, mut end) = (0, false, ' ', text.len());
        for (at, c) in text[found.end() - 1..].char_indices() {
            match c {
                '"' if previous != '\\' => quoted = !quoted,
                '{' if !quoted => depth += 1,
                '}' if !quoted => depth -= 1,
                _ => {}
            }
            previous = c;
            if depth == 0 && !quoted {
                end = found.end() + at;
                break;
            }
        }
        out.push_str(&text[done..found.start()]);
        out.push_str("Invalid value: <value>");
        done = end;
    }
    out.push_str(&text[done..]);
    out
}

/// Causes of one field come in any order upstream: they are found while walking a map.
fn unordered_causes(status: &mut Map<String, Value>) {
    let Some(causes) = status
        .get_mut("details")
        .and_then(|d| d.get_mut("causes"))
        .and_then(Value::as_array_mut)
    else {
        return;
    };
    let fields: Vec<Value> = causes.iter().map(|cause| cause["field"].clone()).collect();
    let first = |field: &Value| fields.iter().position(|known| known == field);
    if fields
        .iter()
        .enumerate()
        .all(|(at, field)| first(field) == Some(at))
    {
        return;
    }
    causes.sort_by_key(|cause| (first(&cause["field"]), cause["message"].to_string()));
    let message = status
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_owned();
    let (head, tail) = message.split_once(" is invalid: ").unwrap_or((&message, ""));
    let tail = tail.trim_matches(['[', ']']);
    let (mut parts, mut from) = (Vec::new(), 0);
    for found in CAUSE.find_iter(tail) {
        parts.push(&tail[from..found.start()]);
        from = found.start() + 2;
    }
    parts.push(&tail[from..]);
    parts.sort_unstable();
    status.insert(
        "message".to_owned(),
        format!("{head} is invalid: {}", parts.join(" | ")).into(),
    );
}

/// What depends on the simulated machines, not on the API.
fn strip_machine(node: &mut Map<String, Value>) {
    let status = [
        "capacity",
        "allocatable",
        "images",
        "daemonEndpoints",
        "addresses",
        "config",
        "runtimeHandlers",
        "features",
        "volumesInUse",
    ];
    let mut strip = |part: &str, names: &[&str]| {
        if let Some(part) = node.get_mut(part).and_then(Value::as_object_mut) {
            names.iter().for_each(|name| drop(part.remove(*name)));
        }
    };
    strip("status", &status);
    strip("metadata", &["managedFields"]);
    strip("spec", &["podCIDR", "podCIDRs", "providerID"]);
    if let Some(info) = node
        .get_mut("status")
        .and_then(|s| s.get_mut("nodeInfo"))
        .and_then(Value::as_object_mut)
    {
        info.values_mut().for_each(|value| *value = "<info>".into());
    }
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// `key` is the name under which the value stands, also that of the list around it.
pub fn walk(value: &Value, masker: &Masker, key: &str) -> Value {
    match value {
        Value::Object(object) => walk_object(object.clone(), masker, key),
        Value::Array(items) => items.iter().map(|item| walk(item, masker, key)).collect(),
        Value::String(text) if key == "message" => masker.text(&go_values(text)).into(),
        Value::String(text) => masker.text(text).into(),
        other => other.clone(),
    }
}

fn walk_object(mut object: Map<String, Value>, masker: &Masker, key: &str) -> Value {
    let is = |object: &Map<String, Value>, kind: &str| object.get("kind").is_some_and(|k| k == kind);
    if is(&object, "Node") && object.get("status").is_some_and(|s| s.get("nodeInfo").is_some()) {
        strip_machine(&mut object);
    }
    if object.get("reason").is_some_and(|r| r == "FailedScheduling")
        || object.contains_key("involvedObject")
        || object.contains_key("regarding")
    {
        object.remove("count");
        object.remove("series");
    }
    if is(&object, "Status") {
        unordered_causes(&mut object);
    }
    let managed = |labels: &Value| labels.get("endpointslice.kubernetes.io/managed-by").is_some();
    if key == "metadata" && object.contains_key("generation") && object.get("labels").is_some_and(managed) {
        // Counts the controller's batches.
        object.insert("generation".to_owned(), "<generation>".into());
    }
    if object.contains_key("gitVersion") {
        for (name, value) in object
            .iter_mut()
            .filter(|(name, _)| !matches!(name.as_str(), "major" | "minor"))
        {
            let _ = name;
            *value = "<build>".into();
        }
    }
    let mut out = Map::new();
    for (name, value) in &object {
        let (name, value) = entry(name, value, masker);
        out.insert(name, value);
    }
    let listed = out
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("List") || kind == "Table");
    if listed || out.contains_key("items") {
        sort_items(&mut out, &["items", "rows"], false);
    }
    sort_items(&mut out, &["endpoints", "addresses"], true);
    Value::Object(out)
}

fn entry(name: &str, value: &Value, masker: &Masker) -> (String, Value) {
    let masked = |value: Value| (name.to_owned(), value);
    let marked = |text: &str, mark: &str| Value::from(if text.is_empty() { "" } else { mark });
    match (name, value) {
        ("resourceVersion", Value::String(text)) if digits(text) => masked(marked(text, "<rv>")),
        ("managedFields", Value::Array(_)) => {
            let mut entries = walk(value, masker, name);
            let by = |entry: &Value| {
                ["manager", "operation", "subresource", "apiVersion"].map(|part| entry[part].to_string())
            };
            entries.as_array_mut().unwrap().sort_by_key(by);
            masked(entries)
        }
        ("nodePort", Value::Number(port))
            if port
                .as_i64()
                .is_some_and(|p| p != 30080 && (30000..32768).contains(&p)) =>
        {
            masked("<nodeport>".into())
        }
        ("imageID" | "containerID", Value::String(text)) => masked(marked(text, &format!("<{name}>"))),
        ("pod-template-hash" | "controller-revision-hash", Value::String(text)) => {
            masked(mask::hash(text.rsplit('-').next().unwrap_or("")).into())
        }
        ("continue", Value::String(text)) if !text.is_empty() => masked("<continue>".into()),
        ("hash", Value::String(_)) => masked("<hash>".into()),
        ("conditions", Value::Array(items)) if items.iter().all(Value::is_object) => {
            let mut conditions = walk(value, masker, name);
            conditions
                .as_array_mut()
                .unwrap()
                .sort_by_key(|condition| condition["type"].to_string());
            masked(conditions)
        }
        ("cells", Value::Array(cells)) => masked(cells.iter().map(|cell| walk_cell(cell, masker)).collect()),
        _ => (masker.text(name), walk(value, masker, name)),
    }
}

fn walk_cell(cell: &Value, masker: &Masker) -> Value {
    match cell {
        Value::String(text) => mask::ages(&masker.text(text)).into(),
        other => other.clone(),
    }
}

/// Lists of objects with generated names have no comparable order, and their Events repeat.
fn sort_items(object: &mut Map<String, Value>, names: &[&str], always: bool) {
    for name in names {
        let Some(items) = object.get_mut(*name).and_then(Value::as_array_mut) else {
            continue;
        };
        let texts: Vec<String> = items.iter().map(compact).collect();
        if !always && !texts.iter().any(|text| mask::has_generated(text)) {
            continue;
        }
        let mut pairs: Vec<(String, String)> = texts.into_iter().map(|text| (bare(&text), text)).collect();
        pairs.sort();
        let mut seen: Vec<String> = Vec::new();
        items.clear();
        for (shown, text) in pairs {
            let is_event = shown.contains("\"involvedObject\"")
                || shown.contains("\"regarding\"")
                || text.contains("\u{1}event\u{2}");
            let of_kubelet = || {
                KUBELET
                    .iter()
                    .any(|reason| shown.contains(&format!("\"{reason}\"")))
            };
            if is_event && (seen.contains(&shown) || of_kubelet()) {
                continue;
            }
            seen.push(shown);
            // Numbered within the item.
            items.push(serde_json::from_str(&number(&text)).unwrap());
        }
    }
}

/// Repeated bookmarks and repeated equal events count once.
fn watch_events(events: Value) -> Vec<Value> {
    let Value::Array(events) = events else {
        return Vec::new();
    };
    let mut out: Vec<(String, Value)> = Vec::new();
    for event in events {
        let shown = bare(&compact(&event));
        if out.last().is_none_or(|last| last.0 != shown) {
            out.push((shown, event));
        }
    }
    out.into_iter().map(|(_, event)| event).collect()
}
