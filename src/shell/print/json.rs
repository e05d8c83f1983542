//! JSON as Go's encoder writes it: keys sorted, `<`, `>` and `&` escaped.

use serde_json::Value;

/// Writes a value over several lines, indented by four spaces, without a newline at the end.
pub fn pretty(value: &Value) -> String {
    indented(value, 4)
}

/// The same with another width of indentation.
pub fn indented(value: &Value, width: usize) -> String {
    let mut out = String::new();
    write(value, 0, width, &mut out);
    out
}

/// On one line.
pub fn compact(value: &Value) -> String {
    escaped(value.to_string())
}

/// Inside JSON these characters stand in strings only.
fn escaped(text: String) -> String {
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text;
    }
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

fn write(value: &Value, depth: usize, width: usize, out: &mut String) {
    let indent = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', depth * width));
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                indent(depth + 1, out);
                out.push_str(&escaped(Value::from(key.as_str()).to_string()));
                out.push_str(": ");
                write(value, depth + 1, width, out);
            }
            indent(depth, out);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                indent(depth + 1, out);
                write(item, depth + 1, width, out);
            }
            indent(depth, out);
            out.push(']');
        }
        other => out.push_str(&escaped(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn layout() {
        let value = serde_json::json!({"b": [], "a": [1, {"c": "<"}]});
        assert_eq!(
            super::pretty(&value),
            "{\n    \"a\": [\n        1,\n        {\n            \"c\": \"\\u003c\"\n        }\n    ],\n    \"b\": []\n}"
        );
    }
}
