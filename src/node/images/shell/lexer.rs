//! A script's words and operators.

use super::MAX_DEPTH;
use crate::node::images::program::{Part, Word, Words};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(Word),
    /// `;` or a line's end or `&`
    End,
    And,
    Or,
    Open,
    Close,
    To {
        append: bool,
    },
}

/// Characters of a script with a place to look from.
struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    depth: usize,
}

pub(super) fn tokenize(script: &str, depth: usize) -> Result<Vec<Token>, String> {
    if depth > MAX_DEPTH {
        return Err("nesting too deep".to_owned());
    }
    let mut reader = Reader {
        rest: script.chars().peekable(),
        depth,
    };
    let mut tokens = Vec::new();
    while let Some(&c) = reader.rest.peek() {
        match c {
            ' ' | '\t' | '\r' => {
                reader.rest.next();
            }
            '#' => while reader.rest.next_if(|c| *c != '\n').is_some() {},
            ';' | '\n' => {
                reader.rest.next();
                tokens.push(Token::End);
            }
            '&' => {
                reader.rest.next();
                tokens.push(if reader.rest.next_if_eq(&'&').is_some() {
                    Token::And
                } else {
                    Token::End
                });
            }
            '|' => {
                reader.rest.next();
                if reader.rest.next_if_eq(&'|').is_none() {
                    return Err("pipes are not supported here".to_owned());
                }
                tokens.push(Token::Or);
            }
            '(' => {
                reader.rest.next();
                tokens.push(Token::Open);
            }
            ')' => {
                reader.rest.next();
                tokens.push(Token::Close);
            }
            '>' => {
                reader.rest.next();
                let append = reader.rest.next_if_eq(&'>').is_some();
                // `>&2`: both streams end up in the same log.
                if reader.rest.next_if_eq(&'&').is_some() {
                    reader.rest.next();
                } else {
                    tokens.push(Token::To { append });
                }
            }
            '<' => return Err("input redirection is not supported here".to_owned()),
            _ => {
                let word = reader.word()?;
                // `2>/dev/null`, `2>&1`: the number belongs to the arrow, and errors are not told apart.
                let descriptor =
                    matches!(word.parts.as_slice(), [Part::Text(text)] if text == "2" || text == "1");
                if descriptor && !word.quoted && reader.rest.peek() == Some(&'>') {
                    reader.rest.next();
                    while reader.rest.next_if(|c| "&> ".contains(*c)).is_some() {}
                    while reader
                        .rest
                        .next_if(|c| !c.is_whitespace() && !";&|)".contains(*c))
                        .is_some()
                    {}
                } else {
                    tokens.push(Token::Word(word));
                }
            }
        }
    }
    Ok(tokens)
}

impl Reader<'_> {
    fn word(&mut self) -> Result<Word, String> {
        let (mut word, mut text) = (Word::default(), String::new());
        while let Some(&c) = self.rest.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' => {
                    self.rest.next();
                    word.quoted = true;
                    loop {
                        match self.rest.next() {
                            Some('\'') => break,
                            Some(c) => text.push(c),
                            None => return Err("syntax error: unterminated quoted string".to_owned()),
                        }
                    }
                }
                '"' => {
                    self.rest.next();
                    word.quoted = true;
                    loop {
                        match self.rest.next() {
                            Some('"') => break,
                            Some('\\') => match self.rest.next() {
                                Some(c @ ('"' | '\\' | '$' | '`')) => text.push(c),
                                Some('\n') => {}
                                Some(c) => text.extend(['\\', c]),
                                None => return Err("syntax error: unterminated quoted string".to_owned()),
                            },
                            Some('$') => self.dollar(&mut word, &mut text)?,
                            Some(c) => text.push(c),
                            None => return Err("syntax error: unterminated quoted string".to_owned()),
                        }
                    }
                }
                '\\' => {
                    self.rest.next();
                    match self.rest.next() {
                        Some('\n') | None => {}
                        Some(c) => {
                            word.quoted = true;
                            text.push(c);
                        }
                    }
                }
                '$' => {
                    self.rest.next();
                    self.dollar(&mut word, &mut text)?;
                }
                '`' => {
                    self.rest.next();
                    let mut command = String::new();
                    loop {
                        match self.rest.next() {
                            Some('`') => break,
                            Some(c) => command.push(c),
                            None => return Err("syntax error: unterminated quoted string".to_owned()),
                        }
                    }
                    self.output(&command, &mut word, &mut text)?;
                }
                _ => {
                    self.rest.next();
                    text.push(c);
                }
            }
        }
        if !text.is_empty() {
            word.parts.push(Part::Text(text));
        }
        Ok(word)
    }

    /// After a dollar sign.
    fn dollar(&mut self, word: &mut Word, text: &mut String) -> Result<(), String> {
        let name_char = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let mut flush = |word: &mut Word| {
            if !text.is_empty() {
                word.parts.push(Part::Text(std::mem::take(text)));
            }
        };
        match self.rest.peek() {
            Some('(') => {
                self.rest.next();
                let inner = self.until_closed('(', ')')?;
                match inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
                    Some(expression) => {
                        flush(word);
                        word.parts.push(Part::Arithmetic(expression.to_owned()));
                        Ok(())
                    }
                    None => self.output(&inner, word, text),
                }
            }
            Some('{') => {
                self.rest.next();
                let inner = self.until_closed('{', '}')?;
                let (name, default) = match inner.split_once(":-").or_else(|| inner.split_once('-')) {
                    Some((name, default)) => (name, Some(default.to_owned())),
                    None => (inner.as_str(), None),
                };
                if !name.chars().all(|c| name_char(&c)) {
                    return Err("bad substitution".to_owned());
                }
                flush(word);
                word.parts.push(Part::Variable {
                    name: name.to_owned(),
                    default,
                });
                Ok(())
            }
            Some(c) if name_char(c) => {
                let mut name = String::new();
                let digit = c.is_ascii_digit();
                while let Some(c) = self.rest.next_if(|c| name_char(c) && (!digit || name.is_empty())) {
                    name.push(c);
                }
                flush(word);
                word.parts.push(Part::Variable { name, default: None });
                Ok(())
            }
            Some(c @ ('?' | '#' | '@' | '*' | '$')) => {
                let name = c.to_string();
                self.rest.next();
                flush(word);
                word.parts.push(Part::Variable { name, default: None });
                Ok(())
            }
            _ => {
                text.push('$');
                Ok(())
            }
        }
    }

    fn until_closed(&mut self, open: char, close: char) -> Result<String, String> {
        let (mut inner, mut depth) = (String::new(), 1);
        for c in self.rest.by_ref() {
            depth += i32::from(c == open) - i32::from(c == close);
            if depth == 0 {
                return Ok(inner);
            }
            inner.push(c);
        }
        Err(format!(
            "syntax error: unexpected end of file (expecting \"{close}\")"
        ))
    }

    /// `$(command)`: one simple command.
    fn output(&mut self, command: &str, word: &mut Word, text: &mut String) -> Result<(), String> {
        let mut words = Words::new();
        for token in tokenize(command, self.depth + 1)? {
            match token {
                Token::Word(inner) => words.push(inner),
                _ => return Err("only a simple command is supported in $(…) here".to_owned()),
            }
        }
        if !text.is_empty() {
            word.parts.push(Part::Text(std::mem::take(text)));
        }
        word.parts.push(Part::Output(words));
        Ok(())
    }
}
