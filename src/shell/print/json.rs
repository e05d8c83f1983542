//! JSON as Go's encoder writes it: keys sorted, `<`, `>` and `&` escaped.

use crate::api::order::StableSort;
use crate::api::schema::{Ty, Type, go_json};
use serde_json::{Map, Value};

/// Writes a value over several lines, indented by four spaces, without a newline at the end.
pub fn pretty(value: &Value) -> String {
    indented(value, 4)
}

/// The same with another width of indentation.
pub fn indented(value: &Value, width: usize) -> String {
    let mut out = String::new();
    write(value, Order::Sorted, 0, Some(width), &mut out);
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

/// An object as Go writes one it has decoded into its struct, over several lines: fields as they are declared.
pub fn typed(value: &Value, ty: &'static Type) -> String {
    let mut out = String::new();
    write(value, Order::Of(ty), 0, Some(4), &mut out);
    out
}

/// The same on one line.
pub fn typed_compact(value: &Value, ty: &'static Type) -> String {
    let mut out = String::new();
    write(value, Order::Of(ty), 0, None, &mut out);
    out
}

/// A list of such objects.
pub fn typed_list(list: &Value, ty: &'static Type) -> String {
    let mut out = String::new();
    write(list, Order::ListOf(ty), 0, Some(4), &mut out);
    out
}

/// A value of structs that are not the API's: of each object these fields first, in this order.
pub fn ranked(value: &Value, fields: &[&str], width: usize) -> String {
    let mut out = String::new();
    write(value, Order::Ranked(fields), 0, Some(width), &mut out);
    out
}

/// In which order the fields of an object stand.
#[derive(Clone, Copy)]
enum Order<'a> {
    Sorted,
    Of(&'static Type),
    /// As those of what a field of that type holds.
    In(&'static Ty),
    Ranked(&'a [&'a str]),
    /// Those of a list of objects of that type, and of its items.
    ListOf(&'static Type),
    ItemsOf(&'static Type),
}

impl<'a> Order<'a> {
    fn entries<'v>(self, map: &'v Map<String, Value>) -> Vec<(&'v String, &'v Value, Order<'a>)> {
        let sorted = |order: Order<'a>| map.iter().map(|(key, value)| (key, value, order)).collect();
        match self {
            Order::Of(ty) => go_json::fields(ty, map)
                .into_iter()
                .map(|(key, value, ty)| (key, value, ty.map_or(Order::Sorted, Order::In)))
                .collect(),
            Order::In(Ty::Struct(id)) => Order::Of(id.get()).entries(map),
            Order::In(Ty::Map(inner)) => sorted(Order::In(inner)),
            Order::Ranked(fields) => {
                let rank = |key: &str| fields.iter().position(|own| *own == key).unwrap_or(fields.len());
                let mut entries: Vec<_> = sorted(self);
                entries.stable_sort_by_key(|(key, ..)| rank(key));
                entries
            }
            Order::ListOf(ty) => {
                let entries = Order::Ranked(&["kind", "apiVersion", "metadata", "items"]).entries(map);
                let order = |key: &str| match key {
                    "items" => Order::ItemsOf(ty),
                    _ => Order::Sorted,
                };
                entries
                    .into_iter()
                    .map(|(key, value, _)| (key, value, order(key)))
                    .collect()
            }
            Order::Sorted | Order::In(_) | Order::ItemsOf(_) => sorted(Order::Sorted),
        }
    }

    fn of_items(self) -> Order<'a> {
        match self {
            Order::In(Ty::List(inner)) => Order::In(inner),
            Order::ItemsOf(ty) => Order::Of(ty),
            Order::Ranked(_) => self,
            _ => Order::Sorted,
        }
    }
}

/// Writes with this width of indentation, or on one line.
fn write(value: &Value, order: Order<'_>, depth: usize, width: Option<usize>, out: &mut String) {
    let indent = |depth: usize, out: &mut String| {
        if let Some(width) = width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', depth * width));
        }
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (i, (key, value, order)) in order.entries(map).into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                indent(depth + 1, out);
                out.push_str(&escaped(Value::from(key.as_str()).to_string()));
                out.push_str(if width.is_some() { ": " } else { ":" });
                write(value, order, depth + 1, width, out);
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
                write(item, order.of_items(), depth + 1, width, out);
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
    fn orders() {
        let value = serde_json::json!({"spec": {"selector": {"b": "1", "a": "2"}, "ports": [{"port": 80, "name": "x"}]}, "apiVersion": "v1", "kind": "Service"});
        let ty = crate::api::schema::named("core/v1.Service").unwrap();
        let typed = r#"{"kind":"Service","apiVersion":"v1","spec":{"ports":[{"name":"x","port":80}],"selector":{"a":"2","b":"1"}}}"#;
        assert_eq!(super::typed_compact(&value, ty), typed);
        let ranked = super::ranked(
            &serde_json::json!({"a": 1, "z": {"y": 2, "b": 3}}),
            &["z", "y"],
            1,
        );
        assert_eq!(ranked, "{\n \"z\": {\n  \"y\": 2,\n  \"b\": 3\n },\n \"a\": 1\n}");
    }

    #[test]
    fn layout() {
        let value = serde_json::json!({"b": [], "a": [1, {"c": "<"}]});
        assert_eq!(
            super::pretty(&value),
            "{\n    \"a\": [\n        1,\n        {\n            \"c\": \"\\u003c\"\n        }\n    ],\n    \"b\": []\n}"
        );
    }
}
