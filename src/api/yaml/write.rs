//! Writing YAML as kubectl prints it: keys sorted as go-yaml v2 sorts them, lists flush with their key, texts that
//! YAML 1.1 would misread in double quotes, several lines as `|` blocks, plain text folded after column 80.
//!
//! Source: gopkg.in/yaml.v2 `encode.go`, `sorter.go`, `emitterc.go`.

use super::resolve::{Resolved, is_base60, resolve};
use crate::api::order::StableSort;
use serde_json::Value;
use std::cmp::Ordering;

const WIDTH: usize = 80;
/// Longer keys take the `? ` form.
const LONGEST_SIMPLE_KEY: usize = 128;

/// Writes one document, with a line end after it.
pub fn to_yaml(value: &Value) -> String {
    let mut writer = Writer {
        out: String::new(),
        column: 0,
    };
    match value {
        Value::Object(map) if !map.is_empty() => writer.mapping(value, 0, false),
        Value::Array(items) if !items.is_empty() => writer.sequence(items, 0, false),
        scalar => {
            writer.scalar(scalar, 0);
            writer.line_end();
        }
    }
    writer.out
}

struct Writer {
    out: String,
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn line_end(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn indent(&mut self, indent: usize) {
        for _ in 0..indent {
            self.out.push(' ');
        }
        self.column += indent;
    }

    /// `inline`: the first key continues the current line (`- name: …`).
    fn mapping(&mut self, value: &Value, indent: usize, inline: bool) {
        let Value::Object(map) = value else { return };
        let mut keys: Vec<&String> = map.keys().collect();
        keys.stable_sort_by(|a, b| natural_order(a, b));
        for (index, key) in keys.into_iter().enumerate() {
            if index > 0 || !inline {
                self.indent(indent);
            }
            let analysis = Analysis::of(key);
            if key.len() > LONGEST_SIMPLE_KEY || analysis.multiline {
                self.put("? ");
                self.scalar(&Value::String(key.clone()), indent);
                self.line_end();
                self.indent(indent);
                self.put(":");
            } else {
                self.text(key, &analysis, indent, true);
                self.put(":");
            }
            self.after_key(&map[key], indent);
        }
    }

    fn after_key(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.line_end();
                self.mapping(value, indent + 2, false);
            }
            Value::Array(items) if !items.is_empty() => {
                self.line_end();
                self.sequence(items, indent, false);
            }
            scalar => {
                self.put(" ");
                self.scalar(scalar, indent);
                self.line_end();
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize, inline: bool) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 || !inline {
                self.indent(indent);
            }
            self.put("- ");
            match item {
                Value::Object(map) if !map.is_empty() => self.mapping(item, indent + 2, true),
                Value::Array(inner) if !inner.is_empty() => self.sequence(inner, indent + 2, true),
                scalar => {
                    self.scalar(scalar, indent);
                    self.line_end();
                }
            }
        }
    }

    /// A scalar or an empty collection; `indent` is that of what it stands in.
    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.put("null"),
            Value::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Value::Number(number) => self.put(&number_text(number)),
            Value::String(text) => self.text(text, &Analysis::of(text), indent, false),
            Value::Array(_) => self.put("[]"),
            Value::Object(_) => self.put("{}"),
        }
    }

    fn text(&mut self, text: &str, analysis: &Analysis, indent: usize, key: bool) {
        let reads_as_text = resolve(text) == Resolved::Text && !is_base60(text);
        if analysis.multiline {
            if analysis.block && !key && text.contains('\n') {
                self.literal(text, indent)
            } else {
                self.double_quoted(text, indent, key)
            }
        } else if !reads_as_text {
            self.double_quoted(text, indent, key);
        } else if analysis.plain {
            self.plain(text, indent, key);
        } else if analysis.single_quoted {
            self.single_quoted(text, indent, key);
        } else {
            self.double_quoted(text, indent, key);
        }
    }

    /// Breaks the line at a lone blank once the line is full.
    fn folds(&self, chars: &[char], at: usize, key: bool) -> bool {
        !key && self.column > WIDTH
            && at > 0
            && at + 1 < chars.len()
            && chars[at - 1] != ' '
            && chars[at + 1] != ' '
    }

    fn fold(&mut self, indent: usize) {
        self.line_end();
        self.indent(indent + 2);
    }

    fn plain(&mut self, text: &str, indent: usize, key: bool) {
        let chars: Vec<char> = text.chars().collect();
        for (at, &c) in chars.iter().enumerate() {
            if c == ' ' && self.folds(&chars, at, key) {
                self.fold(indent);
            } else {
                self.out.push(c);
                self.column += 1;
            }
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, key: bool) {
        self.put("'");
        let chars: Vec<char> = text.chars().collect();
        for (at, &c) in chars.iter().enumerate() {
            if c == ' ' && self.folds(&chars, at, key) {
                self.fold(indent);
            } else if c == '\'' {
                self.put("''");
            } else {
                self.out.push(c);
                self.column += 1;
            }
        }
        self.put("'");
    }

    fn double_quoted(&mut self, text: &str, indent: usize, key: bool) {
        self.put("\"");
        let chars: Vec<char> = text.chars().collect();
        let mut spaces = false;
        for (at, &c) in chars.iter().enumerate() {
            let escape = match c {
                '"' => Some("\\\"".to_owned()),
                '\\' => Some("\\\\".to_owned()),
                '\0' => Some("\\0".to_owned()),
                '\u{7}' => Some("\\a".to_owned()),
                '\u{8}' => Some("\\b".to_owned()),
                '\t' => Some("\\t".to_owned()),
                '\n' => Some("\\n".to_owned()),
                '\u{b}' => Some("\\v".to_owned()),
                '\u{c}' => Some("\\f".to_owned()),
                '\r' => Some("\\r".to_owned()),
                '\u{1b}' => Some("\\e".to_owned()),
                '\u{85}' => Some("\\N".to_owned()),
                '\u{a0}' => Some("\\_".to_owned()),
                '\u{2028}' => Some("\\L".to_owned()),
                '\u{2029}' => Some("\\P".to_owned()),
                c if !is_printable(c) => Some(match u32::from(c) {
                    code @ ..=0xff => format!("\\x{code:02X}"),
                    code @ ..=0xffff => format!("\\u{code:04X}"),
                    code => format!("\\U{code:08X}"),
                }),
                _ => None,
            };
            if let Some(escape) = escape {
                self.put(&escape);
                spaces = false;
            } else if c == ' ' {
                if !key && !spaces && self.column > WIDTH && at > 0 && at + 1 < chars.len() {
                    self.fold(indent);
                    if chars[at + 1] == ' ' {
                        self.put("\\");
                    }
                } else {
                    self.put(" ");
                }
                spaces = true;
            } else {
                self.out.push(c);
                self.column += 1;
                spaces = false;
            }
        }
        self.put("\"");
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        let body = match text.strip_suffix('\n') {
            None => {
                self.put("-");
                text
            }
            Some(body) if body.is_empty() || body.ends_with('\n') => {
                self.put("+");
                body
            }
            Some(body) => body,
        };
        for line in body.split('\n') {
            self.line_end();
            if !line.is_empty() {
                self.indent(indent + 2);
                self.put(line);
            }
        }
    }
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Which styles a text allows (in block context).
struct Analysis {
    multiline: bool,
    plain: bool,
    single_quoted: bool,
    block: bool,
}

impl Analysis {
    fn of(text: &str) -> Analysis {
        let mut found = Analysis {
            multiline: false,
            plain: true,
            single_quoted: true,
            block: !text.is_empty(),
        };
        let chars: Vec<char> = text.chars().collect();
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut before_blank, mut previous_space, mut previous_break) = (true, false, false);
        for (at, &c) in chars.iter().enumerate() {
            let last = at + 1 == chars.len();
            let blank_follows = last || matches!(chars[at + 1], ' ' | '\t') || is_break(chars[at + 1]);
            indicators |= match c {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
                | '`'
                    if at == 0 =>
                {
                    true
                }
                '?' | '-' if at == 0 => blank_follows,
                ':' => blank_follows,
                '#' => before_blank,
                _ => false,
            };
            if !is_printable(c) {
                (found.plain, found.single_quoted, found.block) = (false, false, false);
            }
            if c == ' ' {
                found.plain &= at > 0 && !last;
                found.block &= !last;
                if previous_break {
                    (found.plain, found.single_quoted) = (false, false);
                }
            } else if is_break(c) {
                found.multiline = true;
                found.plain = false;
                if previous_space {
                    (found.single_quoted, found.block) = (false, false);
                }
            }
            (previous_space, previous_break) = (c == ' ', is_break(c));
            before_blank = matches!(c, ' ' | '\t') || is_break(c);
        }
        found.plain &= !indicators;
        found
    }
}

fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        // Go's %g: an exponent for very large and very small numbers.
        Some(float) if number.is_f64() => {
            let exponent = float.abs().log10().floor();
            if float != 0.0 && !(-4.0..21.0).contains(&exponent) {
                let text = format!("{float:e}");
                let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
                let (sign, power) = power.strip_prefix('-').map_or(('+', power), |p| ('-', p));
                format!("{digits}e{sign}{power:0>2}")
            } else {
                format!("{float}")
            }
        }
        _ => number.to_string(),
    }
}

/// Letters after everything else, digits by their number.
fn natural_order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    for at in 0..a.len().min(b.len()) {
        if a[at] == b[at] {
            continue;
        }
        match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
            (true, true) => return a[at].cmp(&b[at]),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        // A zero that continues a number is worth its place.
        let mut start = 0u64;
        if a[at] == '0' || b[at] == '0' {
            let inside = a[..at]
                .iter()
                .rev()
                .take_while(|c| c.is_ascii_digit())
                .any(|&c| c != '0');
            start = u64::from(inside);
        }
        let run = |chars: &[char]| {
            let digits = chars[at..].iter().take_while(|c| c.is_ascii_digit());
            digits.fold((0usize, start), |(count, number), c| {
                (
                    count + 1,
                    number
                        .saturating_mul(10)
                        .saturating_add(u64::from(c.to_digit(10).unwrap_or(0))),
                )
            })
        };
        let ((a_count, a_number), (b_count, b_number)) = (run(&a), run(&b));
        return a_number
            .cmp(&b_number)
            .then(a_count.cmp(&b_count))
            .then(a[at].cmp(&b[at]));
    }
    a.len().cmp(&b.len())
}
