//! `describe` of a kind that has no form of its own: every field, labelled.

use super::super::kube::Kube;
use super::super::output::go_value;
use super::Lines;
use serde_json::Value;

pub fn describe(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    out.line(0, format!("Name:\t{}", super::text(object, "/metadata/name")));
    out.line(
        0,
        format!("Namespace:\t{}", super::text(object, "/metadata/namespace")),
    );
    out.labels("Labels", &super::map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    content(out, object, "", 0);
    out.events(kube, events);
}

fn content(out: &mut Lines, value: &Value, path: &str, level: usize) {
    const SKIPPED: [&str; 5] = [
        ".metadata.managedFields",
        ".metadata.name",
        ".metadata.namespace",
        ".metadata.labels",
        ".metadata.annotations",
    ];
    for (key, value) in value.as_object().into_iter().flatten() {
        let here = format!("{path}.{key}");
        if SKIPPED.contains(&here.as_str()) {
            continue;
        }
        match value {
            Value::Object(_) => {
                out.line(level, format!("{}:", label(key)));
                content(out, value, &here, level + 1);
            }
            Value::Array(items) => {
                out.line(level, format!("{}:", label(key)));
                for item in items {
                    match item {
                        Value::Object(_) => content(out, item, &here, level + 1),
                        other => out.line(level + 1, go_value(other)),
                    }
                }
            }
            other => out.line(level, format!("{}:\t{}", label(key), go_value(other))),
        }
    }
}

/// `apiVersion` → `API Version`
fn label(field: &str) -> String {
    if field.chars().any(|c| !c.is_alphabetic() && c != '-') {
        return field.to_owned();
    }
    let chars: Vec<char> = field.chars().collect();
    let mut words: Vec<String> = Vec::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| chars[j]);
        let after = chars.get(i + 1);
        let starts = match before {
            None => true,
            Some(b) => {
                (c.is_uppercase() && (!b.is_uppercase() || after.is_some_and(|a| a.is_lowercase())))
                    || (c == '-') != (b == '-')
            }
        };
        if starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words
        .into_iter()
        .map(|word| {
            let upper = word.to_uppercase();
            if matches!(upper.as_str(), "API" | "URL" | "UID" | "OSB" | "GUID") {
                return upper;
            }
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn labels() {
        for (field, want) in [
            ("apiVersion", "API Version"),
            ("holderIdentity", "Holder Identity"),
            ("uid", "UID"),
            ("a.b", "a.b"),
            ("creationTimestamp", "Creation Timestamp"),
            ("podIPs", "Pod I Ps"),
        ] {
            assert_eq!(super::label(field), want, "{field}");
        }
    }
}
