//! YAML as kubectl writes it: keys in natural order, sequences not indented below their key,
//! strings quoted that YAML 1.1 would misread, lines folded after 80 columns.
//!
//! The rules are those of libyaml's emitter as sigs.k8s.io/yaml uses it.

use serde_json::Value;
use std::cmp::Ordering;

const BEST_WIDTH: usize = 80;

/// Writes a document, newline included.
pub fn document(value: &Value) -> String {
    let mut out = Emitter::default();
    out.node(value, 0, Place::Top);
    if !out.text.ends_with('\n') {
        out.text.push('\n');
    }
    out.text
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    /// after `key:`
    Value,
    /// after `- `
    Item,
}

#[derive(Default)]
struct Emitter {
    text: String,
}

impl Emitter {
    fn column(&self) -> usize {
        self.text.rsplit('\n').next().unwrap_or("").chars().count()
    }

    fn indent(&mut self, columns: usize) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n(' ', columns));
    }

    /// `indent` is the column at which this node's lines start.
    fn node(&mut self, value: &Value, indent: usize, place: Place) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort_by(|a, b| natural(a, b));
                for (i, key) in keys.into_iter().enumerate() {
                    if i > 0 || place != Place::Item {
                        self.indent(indent);
                    }
                    self.scalar(key, indent, true);
                    self.text.push(':');
                    let value = &map[key];
                    match value {
                        // A sequence stands at its key's column.
                        Value::Array(items) if !items.is_empty() => self.node(value, indent, Place::Value),
                        _ => self.node(value, indent + 2, Place::Value),
                    }
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    if i > 0 || place != Place::Item {
                        self.indent(indent);
                    }
                    self.text.push_str("- ");
                    self.node(item, indent + 2, Place::Item);
                }
            }
            leaf => {
                if place == Place::Value {
                    self.text.push(' ');
                }
                match leaf {
                    Value::Object(_) => self.text.push_str("{}"),
                    Value::Array(_) => self.text.push_str("[]"),
                    Value::String(text) => self.scalar(text, indent, false),
                    other => self.text.push_str(&other.to_string()),
                }
            }
        }
    }

    fn scalar(&mut self, text: &str, indent: usize, key: bool) {
        let form = Analysis::of(text);
        let misread = resolves(text);
        if text.contains('\n') && !key && form.block {
            self.literal(text, indent);
        } else if !text.contains('\n') && !misread && form.plain && !(key && text.is_empty()) {
            self.folded(text, indent, key, "");
        } else if !misread && !text.contains('\n') && form.single {
            self.folded(text, indent, key, "'");
        } else {
            self.double(text, indent, key);
        }
    }

    /// Plain or single-quoted text; a space beyond column 80 becomes a line break.
    fn folded(&mut self, text: &str, indent: usize, key: bool, quote: &str) {
        self.text.push_str(quote);
        let chars: Vec<char> = text.chars().collect();
        let mut column = self.column();
        let mut after_space = false;
        for (i, &c) in chars.iter().enumerate() {
            let inside = quote.is_empty() || i > 0 && i + 1 < chars.len();
            if c == ' ' && !key && !after_space && inside && column > BEST_WIDTH && chars.get(i + 1) != Some(&' ') {
                self.indent(indent);
                column = indent;
            } else {
                if c == '\'' && !quote.is_empty() {
                    self.text.push('\'');
                }
                self.text.push(c);
                column += 1;
            }
            after_space = c == ' ';
        }
        self.text.push_str(quote);
    }

    fn double(&mut self, text: &str, indent: usize, key: bool) {
        self.text.push('"');
        let chars: Vec<char> = text.chars().collect();
        let mut column = self.column();
        let mut after_space = false;
        for (i, &c) in chars.iter().enumerate() {
            let before = self.text.len();
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\t' => self.text.push_str("\\t"),
                '\r' => self.text.push_str("\\r"),
                '\0' => self.text.push_str("\\0"),
                '\u{7}' => self.text.push_str("\\a"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{b}' => self.text.push_str("\\v"),
                '\u{c}' => self.text.push_str("\\f"),
                '\u{1b}' => self.text.push_str("\\e"),
                ' ' if !key && !after_space && i > 0 && i + 1 < chars.len() && column > BEST_WIDTH => {
                    self.indent(indent);
                    if chars[i + 1] == ' ' {
                        self.text.push('\\');
                    }
                    column = indent;
                    after_space = true;
                    continue;
                }
                c if printable(c) => self.text.push(c),
                c if (c as u32) < 0x100 => self.text.push_str(&format!("\\x{:02X}", c as u32)),
                c if (c as u32) < 0x10000 => self.text.push_str(&format!("\\u{:04X}", c as u32)),
                c => self.text.push_str(&format!("\\U{:08X}", c as u32)),
            }
            column += self.text[before..].chars().count();
            after_space = c == ' ';
        }
        self.text.push('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.text.push('|');
        if text.starts_with([' ', '\n']) {
            self.text.push('2');
        }
        if !text.ends_with('\n') {
            self.text.push('-');
        } else if text.len() == 1 || text.ends_with("\n\n") {
            self.text.push('+');
        }
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            self.text.push('\n');
            if !line.is_empty() {
                self.text.extend(std::iter::repeat_n(' ', indent));
                self.text.push_str(line);
            }
        }
        self.text.push('\n');
    }
}

fn printable(c: char) -> bool {
    matches!(c as u32, 0x0A | 0x20..=0x7E | 0x85 | 0xA0..=0xD7FF | 0xE000..=0xFFFD | 0x10000..) && c != '\u{feff}'
}

/// Which styles may carry a text.
struct Analysis {
    plain: bool,
    single: bool,
    block: bool,
}

impl Analysis {
    fn of(text: &str) -> Analysis {
        if text.is_empty() {
            return Analysis { plain: false, single: true, block: false };
        }
        let chars: Vec<char> = text.chars().collect();
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut special, mut break_space, mut space_break) = (false, false, false);
        let mut before = '\0';
        for (i, &c) in chars.iter().enumerate() {
            let followed = chars.get(i + 1).is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            indicators |= match c {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' if i == 0 => true,
                '?' | '-' if i == 0 => followed,
                ':' => followed,
                '#' => matches!(before, ' ' | '\t' | '\n'),
                _ => false,
            };
            special |= !printable(c);
            break_space |= c == ' ' && before == '\n';
            space_break |= c == '\n' && before == ' ';
            before = c;
        }
        let edge = |c: Option<&char>| matches!(c, Some(' ' | '\n'));
        let edges = edge(chars.first()) || edge(chars.last());
        let trailing_space = chars.last() == Some(&' ');
        let bad = space_break || special;
        Analysis {
            plain: !edges && !break_space && !bad && !indicators && !text.contains('\n'),
            single: !break_space && !bad,
            block: !trailing_space && !bad,
        }
    }
}

/// True when YAML 1.1 would read the bare text as something other than a string.
pub fn resolves(text: &str) -> bool {
    if matches!(
        text,
        "" | "~" | "null" | "Null" | "NULL" | "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON"
            | "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" | ".nan" | ".NaN" | ".NAN"
            | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" | "<<"
    ) {
        return true;
    }
    number(text) || base_60(text) || timestamp(text)
}

fn number(text: &str) -> bool {
    let plain = text.replace('_', "");
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    if unsigned.is_empty() || !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            return !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        }
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && !exponent.is_empty() && digits(exponent)
}

/// `12:30:45`
fn base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or("");
    let rest: Vec<&str> = parts.collect();
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '_');
    !rest.is_empty() && digits(first) && first.starts_with(|c: char| c.is_ascii_digit())
        && rest.iter().enumerate().all(|(i, part)| {
            let part = if i + 1 == rest.len() { part.split_once('.').map_or(*part, |(whole, _)| whole) } else { part };
            (1..=2).contains(&part.len()) && part.parse::<u8>().is_ok_and(|n| n < 60)
        })
}

/// `2026-11-20`, with or without a time
fn timestamp(text: &str) -> bool {
    let year = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if year != 4 || !text[4..].starts_with('-') {
        return false;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split('-').skip(1);
    let small = |part: Option<&str>, most: u8| part.is_some_and(|p| p.len() <= 2 && p.parse::<u8>().is_ok_and(|n| (1..=most).contains(&n)));
    if !small(parts.next(), 12) || !small(parts.next(), 31) || parts.next().is_some() {
        return false;
    }
    time.is_none_or(|time| {
        let end = time.find(['Z', '+', '-']).unwrap_or(time.len());
        time[..end].split(':').count() == 3 && time[..end].chars().all(|c| c.is_ascii_digit() || c == ':' || c == '.')
    })
}

/// The order of keys: letters after everything else, numbers by value.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    for i in 0..a.len().min(b.len()) {
        if a[i] == b[i] {
            continue;
        }
        match (a[i].is_alphabetic(), b[i].is_alphabetic()) {
            (true, true) => return a[i].cmp(&b[i]),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            _ => {}
        }
        let run = |chars: &[char]| chars[i..].iter().take_while(|c| c.is_ascii_digit()).count();
        let value = |chars: &[char]| chars[i..].iter().map_while(|c| c.to_digit(10)).fold(0u64, |n, d| n.saturating_mul(10).saturating_add(d.into()));
        // Below a leading one the digits that follow are worth the same in both.
        let lead = (a[i] == '0' || b[i] == '0') && a[..i].iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
        let (x, y) = if lead { (run(&a) as u64, run(&b) as u64) } else { (value(&a), value(&b)) };
        return x.cmp(&y).then(run(&a).cmp(&run(&b))).then(a[i].cmp(&b[i]));
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shapes() {
        let value = json!({"kind": "Pod", "items": [{"a": 1, "b": ["x", {"c": {}}]}], "e": [], "n": null, "l": [["q"]]});
        assert_eq!(document(&value), "e: []\nitems:\n- a: 1\n  b:\n  - x\n  - c: {}\nkind: Pod\nl:\n- - q\n\"n\": null\n");
    }

    #[test]
    fn quoting() {
        let table = [("y", "\"y\""), ("1", "\"1\""), ("1.25", "\"1.25\""), ("a: b", "'a: b'"), ("", "\"\""), ("2026-11-20T23:05:52Z", "\"2026-11-20T23:05:52Z\""), ("it's", "it's"), ("'q", "'''q'"), ("a\tb", "\"a\\tb\""), ("*", "'*'"), ("80/TCP", "80/TCP"), ("0x1f", "\"0x1f\""), ("1e3", "\"1e3\""), ("nginx:1.25", "nginx:1.25"), ("12:30", "\"12:30\""), ("-", "'-'"), ("a #b", "'a #b'"), (" a", "' a'"), ("100m", "100m"), ("日本", "日本")];
        for (text, want) in table {
            assert_eq!(document(&json!(text)).trim_end(), want);
        }
    }

    #[test]
    fn blocks() {
        assert_eq!(document(&json!({"a": {"k": "x\ny\n", "m": "x\ny", "z": " x\n\n"}})), "a:\n  k: |\n    x\n    y\n  m: |-\n    x\n    y\n  z: |2+\n     x\n\n");
        assert_eq!(document(&json!({"a": "x \ny"})), "a: \"x \\ny\"\n");
    }

    #[test]
    fn folding() {
        let long = "word ".repeat(20);
        let text = document(&json!({"message": long.trim()}));
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().nth(1).unwrap().starts_with("  word"));
    }

    #[test]
    fn order() {
        assert_eq!(document(&json!({"a10": 1, "a2": 2, "B": 3, "a.b": 4})), "B: 3\na.b: 4\na2: 2\na10: 1\n");
    }
}
