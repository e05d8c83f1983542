//! JSON as Go's decoder reads it: its syntax errors word by word, bounded depth, bad UTF-8 and lone
//! surrogates replaced, duplicate keys noticed (the last one wins).
//!
//! Source: Go's encoding/json scanner, which k8s.io/apimachinery decodes bodies with.

use super::walk::join;
use crate::api::sorted::SortedMap;
use serde_json::{Map, Number, Value};

/// Nesting beyond this is refused with upstream's words; upstream's own bound is 10000, but every
/// later step here may recurse and a browser's stack is small.
pub const MAX_DEPTH: usize = 200;

/// What a second, slower reading finds: only wanted when something is wrong.
#[derive(Debug, Default)]
pub struct Record {
    /// Byte offset of each key, by path (`spec.containers[0].name`).
    pub offsets: SortedMap<String, usize>,
    /// Paths given twice, with the offset of the later key.
    pub duplicates: Vec<(String, usize)>,
}

/// Reads one JSON text. The flag says whether any object has a duplicate key.
pub fn parse(source: &[u8]) -> Result<(Value, bool), String> {
    let mut parser = Parser {
        source,
        at: 0,
        duplicates: false,
        record: None,
        path: String::new(),
    };
    let value = parser.document()?;
    Ok((value, parser.duplicates))
}

/// Reads again what [`parse`] accepted, noting where keys stand.
pub fn record(source: &[u8]) -> Record {
    let mut parser = Parser {
        source,
        at: 0,
        duplicates: false,
        record: Some(Record::default()),
        path: String::new(),
    };
    let _ = parser.document();
    parser.record.unwrap_or_default()
}

struct Parser<'a> {
    source: &'a [u8],
    at: usize,
    duplicates: bool,
    record: Option<Record>,
    path: String,
}

const END: &str = "unexpected end of JSON input";

impl Parser<'_> {
    fn document(&mut self) -> Result<Value, String> {
        let value = self.value(0)?;
        self.space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.unexpected("after top-level value")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// `invalid character 'b' looking for …`, or the end of input.
    fn unexpected(&self, context: &str) -> String {
        match self.peek() {
            None => END.to_owned(),
            Some(byte) => format!("invalid character {} {context}", quote(byte)),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b't') => self.literal("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.literal("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.literal("null").map(|()| Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.unexpected(&format!("in literal {word} (expecting {})", quote(expected))));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        self.at += 1;
        let mut map = Map::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(map));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let start = self.at;
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.at += 1;
            let duplicate = map.contains_key(&key);
            self.duplicates |= duplicate;
            let outer = self.path.len();
            if let Some(record) = &mut self.record {
                join(&mut self.path, &key);
                if duplicate {
                    record.duplicates.push((self.path.clone(), start));
                } else {
                    record.offsets.insert(self.path.clone(), start);
                }
            }
            let value = self.value(depth)?;
            self.path.truncate(outer);
            map.insert(key, value);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(map));
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            let outer = self.path.len();
            if self.record.is_some() {
                self.path.push_str(&format!("[{}]", items.len()));
                self.space();
                let (path, at) = (self.path.clone(), self.at);
                if let Some(record) = &mut self.record {
                    record.offsets.insert(path, at);
                }
            }
            items.push(self.value(depth)?);
            self.path.truncate(outer);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(items));
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.unexpected("after decimal point in numeric literal"));
            }
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.unexpected("in exponent of numeric literal"));
            }
            self.digits();
        }
        let text = String::from_utf8_lossy(&self.source[start..self.at]);
        number(&text)
            .ok_or_else(|| format!("json: cannot unmarshal number {text} into Go value of type float64"))
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out: Vec<u8> = Vec::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|b| b >= 0x20 && b != b'"' && b != b'\\') {
                self.at += 1;
            }
            out.extend_from_slice(&self.source[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match String::from_utf8(out) {
                        Ok(text) => text,
                        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
                    });
                }
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escape()?;
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let first = self.hex4()?;
                if (0xd800..0xdc00).contains(&first) && self.source[self.at..].starts_with(b"\\u") {
                    let before = self.at;
                    self.at += 2;
                    let second = self.hex4()?;
                    if (0xdc00..0xe000).contains(&second) {
                        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = before;
                }
                return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        Ok(c)
    }

    fn hex4(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            match self.peek().and_then(|b| char::from(b).to_digit(16)) {
                Some(digit) => code = code * 16 + digit,
                None => return Err(self.unexpected("in \\u hexadecimal character escape")),
            }
            self.at += 1;
        }
        Ok(code)
    }
}

/// A JSON number's value; nothing when it is beyond a double.
pub fn number(text: &str) -> Option<Value> {
    if let Ok(int) = text.parse::<i64>() {
        return Some(int.into());
    }
    if let Ok(int) = text.parse::<u64>() {
        return Some(int.into());
    }
    text.parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .map(Value::Number)
}

/// Quotes a byte as Go's scanner does.
fn quote(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        7 => r"'\a'".to_owned(),
        8 => r"'\b'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        11 => r"'\v'".to_owned(),
        12 => r"'\f'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        0..0x20 | 0x7f => format!(r"'\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!(r"'\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_serde_reads() {
        for text in [
            r#"{"a":[1,-2.5,1e3,18446744073709551615,true,null],"b":{"c":"\u00e9\ud83d\ude00\n\"x"}}"#,
            " 0 ",
            r#""""#,
            "[]",
            "{}",
        ] {
            assert_eq!(
                parse(text.as_bytes()).unwrap().0,
                serde_json::from_str::<Value>(text).unwrap()
            );
        }
    }

    #[test]
    fn errors_are_gos() {
        for (text, error) in [
            ("", END),
            ("{\"apiVersion\":\"v1\",", END),
            (
                "{bad",
                "invalid character 'b' looking for beginning of object key string",
            ),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            (
                "{\"a\":1 \"b\"",
                "invalid character '\"' after object key:value pair",
            ),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{}x", "invalid character 'x' after top-level value"),
            ("nul!", "invalid character '!' in literal null (expecting 'l')"),
            ("\"a\nb\"", "invalid character '\\n' in string literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("-x", "invalid character 'x' in numeric literal"),
            (
                "1.x",
                "invalid character 'x' after decimal point in numeric literal",
            ),
            (
                "\u{0}",
                "invalid character '\\x00' looking for beginning of value",
            ),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err(), error, "{text}");
        }
        assert_eq!(
            parse("[".repeat(100_000).as_bytes()).unwrap_err(),
            "exceeded max depth"
        );
    }

    #[test]
    fn duplicates_are_noticed() {
        let text = br#"{"spec":{"a":1,"l":[{"b":1,"b":2}],"a":2}}"#;
        let (value, duplicates) = parse(text).unwrap();
        assert!(duplicates && value["spec"]["a"] == 2);
        let paths: Vec<_> = record(text)
            .duplicates
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        assert_eq!(paths, ["spec.l[0].b", "spec.a"]);
    }
}
