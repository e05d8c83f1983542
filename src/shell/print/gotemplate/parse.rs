//! Reads the text of a template.
//!
//! Source: pkg.go.dev/text/template/parse.

use super::functions::FUNCTIONS;
use super::{Expression, Keyword, MAX_DEPTH, Node, Operand, Template};
use serde_json::Value;

const UNEXPECTED_END: &str = "template: output:1: unexpected EOF";

/// Reads a template.
/// # Errors
/// What cannot be read, in Go's words.
pub(super) fn template(text: &str) -> Result<Template, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim = false;
    while let Some(open) = rest.find("{{") {
        let mut before = &rest[..open];
        if trim {
            before = before.trim_start();
        }
        let inner = &rest[open + 2..];
        let close = inner.find("}}").ok_or("template: output:1: unclosed action")?;
        let mut action = &inner[..close];
        if let Some(rest) = action.strip_prefix("- ") {
            before = before.trim_end();
            action = rest;
        }
        trim = action.ends_with(" -");
        action = action.strip_suffix(" -").unwrap_or(action);
        pieces.push((before.to_owned(), Some(action.trim().to_owned())));
        rest = &inner[close + 2..];
    }
    pieces.push((if trim { rest.trim_start() } else { rest }.to_owned(), None));
    let mut parser = Parser {
        pieces: pieces.into_iter(),
        defined: Vec::new(),
    };
    match parser.nodes(0, false)? {
        (nodes, None) => Ok(Template {
            nodes,
            defined: parser.defined,
        }),
        (_, Some(word)) => Err(format!("template: output:1: unexpected {{{{{word}}}}}")),
    }
}

/// Reads pieces of text, each with the action behind it.
struct Parser {
    pieces: std::vec::IntoIter<(String, Option<String>)>,
    defined: Vec<(String, Vec<Node>)>,
}

impl Parser {
    /// Reads to the end, or to the `end` or `else` that belongs to a block around; answers that too.
    fn nodes(&mut self, depth: usize, in_range: bool) -> Result<(Vec<Node>, Option<String>), String> {
        if depth > MAX_DEPTH {
            return Err("template: nested too deep".to_owned());
        }
        let mut out = Vec::new();
        while let Some((text, action)) = self.pieces.next() {
            if !text.is_empty() {
                out.push(Node::Text(text));
            }
            let Some(action) = action else { break };
            let (word, rest) = action.split_once(char::is_whitespace).unwrap_or((&action, ""));
            out.push(match word {
                "end" | "else" => return Ok((out, Some(action))),
                "range" => self.block(Keyword::Range, rest, depth, in_range)?,
                "if" => self.block(Keyword::If, rest, depth, in_range)?,
                "with" => self.block(Keyword::With, rest, depth, in_range)?,
                "break" | "continue" if !in_range => {
                    return Err(format!(
                        "template: output:1: {{{{{word}}}}} outside {{{{range}}}}"
                    ));
                }
                "break" => Node::Break,
                "continue" => Node::Continue,
                "define" | "block" => {
                    let (name, subject) = named(word, rest)?;
                    let (body, end) = self.nodes(depth + 1, false)?;
                    if end.as_deref() != Some("end") {
                        return Err(UNEXPECTED_END.to_owned());
                    }
                    self.defined.push((name.clone(), body));
                    if word == "define" {
                        continue;
                    }
                    Node::Template(name, subject)
                }
                "template" => {
                    let (name, subject) = named(word, rest)?;
                    Node::Template(name, subject)
                }
                _ if action.starts_with("/*") => continue,
                _ => match action.split_once(":=").or(action.split_once(" = ")) {
                    Some((name, value)) if name.trim().starts_with('$') => {
                        Node::Assign(name.trim()[1..].to_owned(), expression(value)?)
                    }
                    _ => Node::Print(expression(&action)?),
                },
            });
        }
        Ok((out, None))
    }

    /// Reads a block to its `end`, behind its keyword.
    fn block(&mut self, keyword: Keyword, head: &str, depth: usize, in_range: bool) -> Result<Node, String> {
        let (variables, subject) = match head.split_once(":=") {
            Some((names, subject)) => {
                let names = names
                    .split(',')
                    .map(|n| n.trim().trim_start_matches('$').to_owned());
                (names.collect(), subject)
            }
            None => (Vec::new(), head),
        };
        let subject = expression(subject)?;
        let (body, end) = self.nodes(depth + 1, in_range || keyword == Keyword::Range)?;
        let end = end.ok_or(UNEXPECTED_END)?;
        let otherwise = match end.split_once(char::is_whitespace) {
            None if end == "end" => Vec::new(),
            None => match self.nodes(depth + 1, in_range)? {
                (nodes, Some(end)) if end == "end" => nodes,
                _ => return Err(UNEXPECTED_END.to_owned()),
            },
            // `else if` opens a block that shares its `end` with this one.
            Some((_, chain)) => match chain.trim_start().split_once(char::is_whitespace) {
                Some(("if", head)) => vec![self.block(Keyword::If, head, depth + 1, in_range)?],
                Some(("with", head)) => vec![self.block(Keyword::With, head, depth + 1, in_range)?],
                _ => return Err(format!("template: output:1: unexpected {{{{{end}}}}}")),
            },
        };
        Ok(Node::Block(keyword, variables, subject, body, otherwise))
    }
}

/// A quoted name, and what may stand behind it.
fn named(word: &str, rest: &str) -> Result<(String, Option<Expression>), String> {
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let (name, subject) =
        quoted.ok_or_else(|| format!("template: output:1: missing name in {word} clause"))?;
    let subject = subject.trim();
    let subject = (!subject.is_empty()).then(|| expression(subject)).transpose()?;
    Ok((name.to_owned(), subject))
}

fn expression(text: &str) -> Result<Expression, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let found = commands(&chars, &mut at, 0)?;
    if at < chars.len() {
        Err(format!("template: output:1: unexpected {:?}", chars[at]))
    } else {
        Ok(found)
    }
}

fn commands(chars: &[char], at: &mut usize, depth: usize) -> Result<Expression, String> {
    if depth > MAX_DEPTH {
        return Err("template: nested too deep".to_owned());
    }
    let mut all: Expression = vec![Vec::new()];
    while let Some(&c) = chars.get(*at) {
        let operand = match c {
            ')' => break,
            c if c.is_whitespace() => {
                *at += 1;
                continue;
            }
            '|' => {
                *at += 1;
                all.push(Vec::new());
                continue;
            }
            '(' => {
                *at += 1;
                let inner = commands(chars, at, depth + 1)?;
                if chars.get(*at) != Some(&')') {
                    return Err("template: output:1: unclosed left paren".to_owned());
                }
                *at += 1;
                Operand::Group(inner)
            }
            '"' | '`' => {
                let mut text = String::new();
                *at += 1;
                loop {
                    let next = *chars
                        .get(*at)
                        .ok_or("template: output:1: unterminated quoted string")?;
                    *at += 1;
                    if next == c {
                        break;
                    }
                    if next == '\\' && c == '"' {
                        let escaped = *chars
                            .get(*at)
                            .ok_or("template: output:1: unterminated quoted string")?;
                        *at += 1;
                        text.push(match escaped {
                            'n' => '\n',
                            't' => '\t',
                            other => other,
                        });
                    } else {
                        text.push(next);
                    }
                }
                Operand::Literal(Value::String(text))
            }
            _ => {
                let mut word = String::new();
                while let Some(c) = chars
                    .get(*at)
                    .filter(|c| !c.is_whitespace() && !matches!(c, ')' | '(' | '|'))
                {
                    word.push(*c);
                    *at += 1;
                }
                if word.is_empty() {
                    return Err("template: output:1: missing value for command".to_owned());
                }
                operand(&word)?
            }
        };
        if let Some(last) = all.last_mut() {
            last.push(operand);
        }
    }
    if all.iter().any(Vec::is_empty) {
        return Err("template: output:1: missing value for command".to_owned());
    }
    Ok(all)
}

fn operand(word: &str) -> Result<Operand, String> {
    let fields = |text: &str| {
        text.split('.')
            .filter(|f| !f.is_empty())
            .map(str::to_owned)
            .collect()
    };
    if let Some(path) = word.strip_prefix('.') {
        return Ok(Operand::Path(None, fields(path)));
    }
    if let Some(rest) = word.strip_prefix('$') {
        let (name, path) = rest.split_once('.').unwrap_or((rest, ""));
        return Ok(Operand::Path(Some(name.to_owned()), fields(path)));
    }
    if FUNCTIONS.contains(&word) {
        return Ok(Operand::Function(word.to_owned()));
    }
    serde_json::from_str(word)
        .map(Operand::Literal)
        .map_err(|_| format!("template: output:1: function {word:?} not defined"))
}
