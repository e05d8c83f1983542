//! Reads the text of a template.
//!
//! Source: k8s.io/client-go/util/jsonpath/parser.go.

use super::{MAX_DEPTH, Node, Operand, Path, Step};
use serde_json::Value;

pub(super) struct Reader {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    pub(super) depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, text: &str) -> bool {
        let hit = text
            .chars()
            .enumerate()
            .all(|(i, c)| self.chars.get(self.at + i) == Some(&c));
        if hit {
            self.at += text.chars().count();
        }
        hit
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Reads to the end, where every range ends too, or to `{end}`; tells whether that was found.
    pub(super) fn nodes(&mut self) -> Result<(Vec<Node>, bool), String> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek() {
            if c != '{' {
                self.at += 1;
                match nodes.last_mut() {
                    Some(Node::Text(text)) => text.push(c),
                    _ => nodes.push(Node::Text(c.to_string())),
                }
                continue;
            }
            self.at += 1;
            if self.action(&mut nodes)? {
                return Ok((nodes, true));
            }
        }
        Ok((nodes, false))
    }

    /// One `{…}`; true when it was `{end}`.
    fn action(&mut self, nodes: &mut Vec<Node>) -> Result<bool, String> {
        loop {
            self.spaces();
            match self.peek() {
                None => return Err("unclosed action".to_owned()),
                Some('}') => {
                    self.at += 1;
                    return Ok(false);
                }
                Some(quote @ ('"' | '\'')) => {
                    let text = self.quoted(quote)?;
                    nodes.push(Node::Text(text));
                }
                Some(_) if self.take("end") => {
                    self.spaces();
                    return if self.take("}") {
                        Ok(true)
                    } else {
                        Err("unclosed action".to_owned())
                    };
                }
                Some(_) if self.take("range") => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err("ranges nested too deep".to_owned());
                    }
                    self.spaces();
                    let path = self.path(&['}'])?;
                    if !self.take("}") {
                        return Err("unclosed action".to_owned());
                    }
                    let (inner, _) = self.nodes()?;
                    self.depth -= 1;
                    nodes.push(Node::Range(path, inner));
                    return Ok(false);
                }
                Some('0'..='9' | '+' | '-') => {
                    let number = self.number()?;
                    nodes.push(Node::Text(number));
                }
                Some(_) => {
                    let path = self.path(&['}', ' '])?;
                    nodes.push(Node::Path(path));
                }
            }
        }
    }

    /// A number by itself, as it is printed.
    fn number(&mut self) -> Result<String, String> {
        let rest = &self.chars[self.at..];
        let sign = usize::from(matches!(rest.first(), Some('+' | '-')));
        let digits = rest[sign..]
            .iter()
            .take_while(|c| c.is_ascii_digit() || **c == '.');
        let text: String = rest[..sign + digits.count()].iter().collect();
        self.at += text.len();
        let number = text.strip_prefix('+').unwrap_or(&text);
        match (number.parse::<i64>(), number.parse::<f64>()) {
            (Ok(whole), _) => Ok(whole.to_string()),
            (_, Ok(number)) => Ok(number.to_string()),
            _ => Err(format!("cannot parse number {text}")),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or("unterminated quoted string")?;
            self.at += 1;
            match c {
                c if c == quote => return Ok(text),
                '\\' => {
                    let c = self.peek().ok_or("unterminated quoted string")?;
                    self.at += 1;
                    text.push(match c {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        c => c,
                    });
                }
                c => text.push(c),
            }
        }
    }

    fn path(&mut self, ends: &[char]) -> Result<Path, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("path nested too deep".to_owned());
        }
        let mut path = Vec::new();
        while let Some(c) = self.peek().filter(|c| !ends.contains(c)) {
            match c {
                '$' => {
                    self.at += 1;
                    path.push(Step::Root);
                }
                '@' => {
                    self.at += 1;
                    path.push(Step::Current);
                }
                '.' if self.take("..") => {
                    path.push(Step::Recursive);
                    if let Some(name) = self.name() {
                        path.push(Step::Field(name));
                    }
                }
                '.' => {
                    self.at += 1;
                    if self.take("*") {
                        path.push(Step::Wildcard);
                    } else if let Some(name) = self.name() {
                        path.push(Step::Field(name));
                    }
                }
                '*' => {
                    self.at += 1;
                    path.push(Step::Wildcard);
                }
                '[' => {
                    self.at += 1;
                    let step = self.brackets()?;
                    path.push(step);
                }
                c => match self.name() {
                    Some(name) if path.is_empty() => path.push(Step::Identifier(name)),
                    _ => {
                        return Err(format!(
                            "unrecognized character in action: U+{:04X} '{c}'",
                            c as u32
                        ));
                    }
                },
            }
        }
        self.depth -= 1;
        Ok(path)
    }

    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    self.at += 1;
                    name.extend(self.peek());
                    self.at += 1;
                }
                '.' | '[' | ']' | '{' | '}' | ' ' | ')' | '(' | ',' | '=' | '!' | '<' | '>' | '*' | '@'
                | '$' | '"' | '\'' => break,
                c => {
                    name.push(c);
                    self.at += 1;
                }
            }
        }
        (!name.is_empty()).then_some(name)
    }

    fn brackets(&mut self) -> Result<Step, String> {
        self.spaces();
        if self.take("?(") {
            let left = self.path(&['=', '!', '<', '>', ')', ' '])?;
            self.spaces();
            let operator = ["==", "!=", "<=", ">=", "<", ">"]
                .into_iter()
                .find(|o| self.take(o));
            let condition = match operator {
                None => None,
                Some(operator) => {
                    self.spaces();
                    let operand = match self.peek() {
                        Some(quote @ ('"' | '\'')) => Operand::Value(Value::String(self.quoted(quote)?)),
                        Some('@' | '$' | '.') => Operand::Path(self.path(&[')', ' '])?),
                        _ => {
                            let mut word = String::new();
                            while let Some(c) = self.peek().filter(|c| *c != ')' && *c != ' ') {
                                word.push(c);
                                self.at += 1;
                            }
                            Operand::Value(
                                serde_json::from_str(&word)
                                    .map_err(|_| format!("unrecognized filter value {word:?}"))?,
                            )
                        }
                    };
                    Some((operator.to_owned(), operand))
                }
            };
            self.spaces();
            return if self.take(")]") {
                Ok(Step::Filter(left, condition))
            } else {
                Err("unterminated filter".to_owned())
            };
        }
        let mut parts = Vec::new();
        loop {
            self.spaces();
            match self.peek() {
                None => return Err("unterminated array".to_owned()),
                Some('\'') => {
                    let name = self.quoted('\'')?;
                    parts.push(Step::Field(name));
                }
                Some(_) => {
                    let mut word = String::new();
                    while let Some(c) = self.peek().filter(|c| *c != ']' && *c != ',') {
                        word.push(c);
                        self.at += 1;
                    }
                    let bad = || format!("invalid array index {word}");
                    let number = |text: &str| -> Result<Option<i64>, String> {
                        if text.trim().is_empty() {
                            Ok(None)
                        } else {
                            text.trim().parse().map(Some).map_err(|_| bad())
                        }
                    };
                    parts.push(match word.trim() {
                        "*" => Step::Wildcard,
                        word if word.contains(':') => {
                            let cells: Vec<&str> = word.split(':').collect();
                            Step::Slice(
                                number(cells[0])?,
                                number(cells[1])?,
                                number(cells.get(2).copied().unwrap_or("1"))?.unwrap_or(1),
                            )
                        }
                        word if word.starts_with('.') => {
                            let mut inner = Reader {
                                chars: word.chars().collect(),
                                at: 0,
                                depth: self.depth,
                            };
                            Step::Union(vec![inner.path(&[])?])
                        }
                        word => Step::Index(number(word)?.ok_or_else(bad)?),
                    });
                }
            }
            self.spaces();
            if self.take("]") {
                return Ok(if parts.len() == 1 {
                    parts.remove(0)
                } else {
                    Step::Union(parts.into_iter().map(|p| vec![p]).collect())
                });
            }
            if !self.take(",") {
                return Err("unterminated array".to_owned());
            }
        }
    }
}
