//! What changed, for messages about fields that may not.
//!
//! Upstream prints its internal structures (k8s.io/apimachinery/pkg/util/diff); this prints the
//! same kind of difference over the fields as a manifest names them.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

const CONTEXT: usize = 3;

/// The lines that differ with three lines around them, in the unified form.
pub fn of<T: Serialize>(old: &T, new: &T) -> String {
    let (old, new) = (lines(old), lines(new));
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - start;
    let end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let (from, until) = (start.saturating_sub(CONTEXT), end.saturating_sub(CONTEXT));
    let after = end - until;
    let (old_count, new_count) = (old.len() - until - from, new.len() - until - from);
    let mut out = format!("@@ -{},{old_count} +{},{new_count} @@\n", from + 1, from + 1);
    let mut add = |mark: char, lines: &[String]| {
        for line in lines {
            out.push(mark);
            out.push_str(line);
            out.push('\n');
        }
    };
    add(' ', &old[from..start]);
    add('-', &old[start..old.len() - end]);
    add('+', &new[start..new.len() - end]);
    add(' ', &old[old.len() - end..old.len() - end + after]);
    out
}

fn lines<T: Serialize>(value: &T) -> Vec<String> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b" "));
    if value.serialize(&mut serializer).is_err() {
        return Vec::new();
    }
    String::from_utf8_lossy(&bytes)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Equal as Kubernetes compares: what is empty is the same as what is missing.
pub fn semantic_equal<T: Serialize + PartialEq>(a: &T, b: &T) -> bool {
    a == b || pruned(a) == pruned(b)
}

fn pruned<T: Serialize>(value: &T) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or_default();
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
}
