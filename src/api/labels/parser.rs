//! The text form of selectors: `a=b,c in (d,e),!f`.
//!
//! Source: k8s.io/apimachinery/pkg/labels/selector.go.

use super::{Operator, Requirement};
use crate::api::validation::content;
use crate::api::validation::field::go_quote;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A run of operator characters that means nothing.
    Error(&'a str),
    End,
    Word(&'a str),
    /// `in` and `notin` are operators after a key and words elsewhere.
    Symbol(&'a str),
}

impl<'a> Token<'a> {
    fn text(self) -> String {
        match self {
            Token::Error(run) => format!("error expected: keyword found '{run}'"),
            Token::End => String::new(),
            Token::Word(text) | Token::Symbol(text) => text.to_owned(),
        }
    }

    fn word(self) -> Option<&'a str> {
        match self {
            Token::Word(text) | Token::Symbol(text @ ("in" | "notin")) => Some(text),
            _ => None,
        }
    }

    fn is(self, symbol: &str) -> bool {
        self == Token::Symbol(symbol)
    }
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'=' | b'!' | b'(' | b')' | b',' | b'>' | b'<')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    const SYMBOLS: &[&str] = &[")", ",", "!", "==", "=", ">", "<", "!=", "("];
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        while at < bytes.len() && is_blank(bytes[at]) {
            at += 1;
        }
        // A zero byte ends the text, as upstream's lexer has it.
        if at >= bytes.len() || bytes[at] == 0 {
            out.push(Token::End);
            return out;
        }
        let start = at;
        if !is_special(bytes[at]) {
            while at < bytes.len() && bytes[at] != 0 && !is_special(bytes[at]) && !is_blank(bytes[at]) {
                at += 1;
            }
            let word = &text[start..at];
            out.push(if matches!(word, "in" | "notin") {
                Token::Symbol(word)
            } else {
                Token::Word(word)
            });
            continue;
        }
        // The longest run that is a symbol; every symbol's first character is one, except none.
        let mut best = None;
        while at < bytes.len() && is_special(bytes[at]) {
            match SYMBOLS.iter().find(|symbol| **symbol == &text[start..=at]) {
                Some(symbol) => best = Some(*symbol),
                None if best.is_some() => break,
                None => {}
            }
            at += 1;
        }
        out.push(best.map_or(Token::Error(&text[start..at]), Token::Symbol));
    }
}

pub struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a str) -> Parser<'a> {
        Parser {
            tokens: tokens(text),
            at: 0,
        }
    }

    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.at).copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub fn parse(&mut self) -> Result<Vec<Requirement>, String> {
        let mut out = Vec::new();
        loop {
            let token = self.peek();
            if token == Token::End {
                return Ok(out);
            }
            if token.word().is_none() && !token.is("!") {
                return Err(format!(
                    "found '{}', expected: !, identifier, or 'end of string'",
                    token.text()
                ));
            }
            out.push(
                self.requirement()
                    .map_err(|why| format!("unable to parse requirement: {why}"))?,
            );
            let token = self.next();
            if token == Token::End {
                return Ok(out);
            }
            if !token.is(",") {
                return Err(format!(
                    "found '{}', expected: ',' or 'end of string'",
                    token.text()
                ));
            }
            let after = self.peek();
            if after.word().is_none() && !after.is("!") {
                return Err(format!(
                    "found '{}', expected: identifier after ','",
                    after.text()
                ));
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.next();
        let negated = token.is("!");
        if negated {
            token = self.next();
        }
        let Some(key) = token.word() else {
            return Err(format!("found '{}', expected: identifier", token.text()));
        };
        let complaints = content::qualified_name(key);
        if !complaints.is_empty() {
            return Err(format!(
                "<nil>: Invalid value: {}: {}",
                go_quote(key),
                complaints.join("; ")
            ));
        }
        if negated {
            return Requirement::new(key, Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.peek(), Token::End) || self.peek().is(",") {
            return Requirement::new(key, Operator::Exists, Vec::new());
        }
        let token = self.next();
        let operator = match token {
            Token::Symbol("in") => Operator::In,
            Token::Symbol("notin") => Operator::NotIn,
            Token::Symbol("=") => Operator::Equals,
            Token::Symbol("==") => Operator::DoubleEquals,
            Token::Symbol("!=") => Operator::NotEquals,
            Token::Symbol(">") => Operator::GreaterThan,
            Token::Symbol("<") => Operator::LessThan,
            other => {
                return Err(format!(
                    "found '{}', expected: in, notin, =, ==, !=, gt, lt",
                    other.text()
                ));
            }
        };
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => vec![self.exact_value()?],
        };
        Requirement::new(key, operator, values)
    }

    fn exact_value(&mut self) -> Result<String, String> {
        if self.peek() == Token::End || self.peek().is(",") {
            return Ok(String::new());
        }
        let token = self.next();
        token
            .word()
            .map(str::to_owned)
            .ok_or_else(|| format!("found '{}', expected: identifier", token.text()))
    }

    /// `(a,b)`; empty places stand for the empty value.
    fn values(&mut self) -> Result<Vec<String>, String> {
        let token = self.next();
        if !token.is("(") {
            return Err(format!("found '{}' expected: '('", token.text()));
        }
        let token = self.peek();
        if token.is(")") {
            self.next();
            return Ok(vec![String::new()]);
        }
        if token.word().is_none() && !token.is(",") {
            return Err(format!(
                "found '{}', expected: ',', ')' or identifier",
                token.text()
            ));
        }
        let mut set = BTreeSet::new();
        loop {
            let token = self.next();
            if let Some(word) = token.word() {
                set.insert(word.to_owned());
                let after = self.peek();
                if after.is(")") {
                    break;
                }
                if !after.is(",") {
                    return Err(format!("found '{}', expected: ',' or ')'", after.text()));
                }
            } else if token.is(",") {
                let after = self.peek();
                if set.is_empty() || after.is(")") || after.is(",") {
                    set.insert(String::new());
                }
                if after.is(")") {
                    break;
                }
            } else {
                return Err(format!("found '{}', expected: ',', or identifier", token.text()));
            }
        }
        self.next();
        Ok(set.into_iter().collect())
    }
}
