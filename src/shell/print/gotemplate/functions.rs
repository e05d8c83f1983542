//! The functions a template may call: Go's own, and `exists` and `base64decode` of kubectl.

use super::{shown, truth};
use crate::shell::url::escape_query;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What a word may call.
pub(super) const FUNCTIONS: [&str; 20] = [
    "and",
    "base64decode",
    "eq",
    "exists",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "slice",
    "urlquery",
];

/// Calls a function.
/// # Errors
/// Arguments that do not fit.
pub(super) fn call(name: &str, values: Vec<Value>) -> Result<Value, String> {
    let wrong = || format!("wrong number of args for {name}");
    let order = |a: &Value, b: &Value| match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (a, b) => (a == b).then_some(std::cmp::Ordering::Equal),
    };
    Ok(match (name, values.as_slice()) {
        ("index", [base, keys @ ..]) => keys
            .iter()
            .try_fold(base, |at, key| match key {
                Value::String(key) => at.get(key),
                key => at.get(key.as_u64()? as usize),
            })
            .cloned()
            .unwrap_or(Value::Null),
        ("len", [value]) => match value {
            Value::Array(items) => items.len().into(),
            Value::Object(map) => map.len().into(),
            Value::String(text) => text.len().into(),
            _ => return Err("error calling len: len of nil pointer".to_owned()),
        },
        ("base64decode", [Value::String(text)]) => {
            let bytes = STANDARD
                .decode(text)
                .map_err(|_| "error calling base64decode: base64 decode failed".to_owned())?;
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
        ("exists", [value, path @ ..]) => {
            let found = path.iter().try_fold(value, |at, step| match step {
                Value::String(key) => at.get(key),
                Value::Number(index) => at.get(index.as_u64()? as usize),
                _ => None,
            });
            found.is_some().into()
        }
        ("slice", [Value::String(text), bounds @ ..]) => {
            let (from, to) = between(bounds, text.len())?;
            text.get(from..to).unwrap_or("").into()
        }
        ("slice", [Value::Array(items), bounds @ ..]) => {
            let (from, to) = between(bounds, items.len())?;
            Value::Array(items[from..to].to_vec())
        }
        ("html", all) => all
            .iter()
            .map(shown)
            .map(|text| html(&text))
            .collect::<String>()
            .into(),
        ("js", all) => all
            .iter()
            .map(shown)
            .map(|text| js(&text))
            .collect::<String>()
            .into(),
        ("urlquery", all) => {
            let text: String = all.iter().map(shown).collect();
            escape_query(&text).into()
        }
        ("printf", [Value::String(format), rest @ ..]) => printf(format, rest).into(),
        ("print", all) => print(all).into(),
        ("println", all) => format!("{}\n", all.iter().map(shown).collect::<Vec<_>>().join(" ")).into(),
        ("not", [value]) => (!truth(value)).into(),
        ("and", [first, rest @ ..]) => rest
            .iter()
            .fold(first, |at, next| if truth(at) { next } else { at })
            .clone(),
        ("or", [first, rest @ ..]) => rest
            .iter()
            .fold(first, |at, next| if truth(at) { at } else { next })
            .clone(),
        ("eq", [a, rest @ ..]) if !rest.is_empty() => rest
            .iter()
            .any(|b| order(a, b) == Some(std::cmp::Ordering::Equal))
            .into(),
        ("ne", [a, b]) => (order(a, b) != Some(std::cmp::Ordering::Equal)).into(),
        ("lt", [a, b]) => (order(a, b) == Some(std::cmp::Ordering::Less)).into(),
        ("gt", [a, b]) => (order(a, b) == Some(std::cmp::Ordering::Greater)).into(),
        ("le", [a, b]) => (order(a, b).is_some_and(|o| o.is_le())).into(),
        ("ge", [a, b]) => (order(a, b).is_some_and(|o| o.is_ge())).into(),
        _ => return Err(wrong()),
    })
}

/// The bounds of `slice`, checked.
fn between(bounds: &[Value], len: usize) -> Result<(usize, usize), String> {
    let at = |index: usize, default: usize| match bounds.get(index) {
        Some(bound) => bound.as_u64().map(|bound| bound as usize),
        None => Some(default),
    };
    match (at(0, 0), at(1, len)) {
        (Some(from), Some(to)) if from <= to && to <= len => Ok((from, to)),
        _ => Err("error calling slice: index out of range".to_owned()),
    }
}

/// Puts spaces between values of which neither is a text.
fn print(values: &[Value]) -> String {
    let mut out = String::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 && !value.is_string() && !values[at - 1].is_string() {
            out.push(' ');
        }
        out.push_str(&shown(value));
    }
    out
}

/// Go's verbs with flags `-` and `0` and a width.
fn printf(format: &str, values: &[Value]) -> String {
    let (mut out, mut values) = (String::new(), values.iter());
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let (mut left, mut zeros, mut width) = (false, false, 0usize);
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | ' ' | '#' | '0')) {
            left |= flag == '-';
            zeros |= flag == '0';
        }
        while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
            chars.next();
            width = (width * 10 + digit as usize).min(MOST_WIDTH);
        }
        while chars.next_if(|c| *c == '.' || c.is_ascii_digit()).is_some() {}
        let text = match chars.next() {
            None => "%!(NOVERB)".to_owned(),
            Some('%') => "%".to_owned(),
            Some(verb) => match values.next() {
                None => format!("%!{verb}(MISSING)"),
                Some(Value::String(text)) if verb == 'd' => format!("%!d(string={text})"),
                Some(value) if verb == 'q' => format!("{:?}", shown(value)),
                Some(value) => shown(value),
            },
        };
        let missing = width.saturating_sub(text.chars().count());
        let fill = if zeros && !left { "0" } else { " " }.repeat(missing);
        out.extend(if left { [text, fill] } else { [fill, text] });
    }
    out
}

/// Wider fields are cut to this.
const MOST_WIDTH: usize = 1000;

fn html(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => out.extend(['\\', c]),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", c as u32)),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out
}
