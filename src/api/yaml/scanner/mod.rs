//! From characters to YAML 1.1 tokens, with the marks and the error texts of libyaml's family, which
//! Kubernetes' Go reader belongs to.
//!
//! Own code: the library behind `serde_yaml` keeps neither positions nor the quoting of scalars, does
//! not bound nesting, and resolves YAML 1.2.

mod scalars;

use super::YamlError;
use std::collections::VecDeque;

/// Nesting beyond this is refused (upstream's bound is 10000; a browser's stack is small).
pub const MAX_DEPTH: usize = 200;

/// A place in the text, counted from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub index: usize,
    pub line: usize,
    pub column: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Quoted,
    Block,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    StreamEnd,
    Directive,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    Tag(String),
    Scalar(String, Style),
}

#[derive(Clone, Debug)]
pub struct Token {
    pub kind: TokenKind,
    pub mark: Mark,
}

#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    mark: Mark,
}

pub struct Scanner {
    chars: Vec<char>,
    mark: Mark,
    tokens: VecDeque<Token>,
    taken: usize,
    /// Column of the current block, -1 outside.
    indent: isize,
    indents: Vec<isize>,
    /// One per flow level, the last is the current one.
    simple_keys: Vec<SimpleKey>,
    simple_key_allowed: bool,
    ended: bool,
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// The end of the text reads as NUL.
fn is_blank_or_end(c: char) -> bool {
    is_blank(c) || is_break(c) || c == '\0'
}

fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

impl Scanner {
    pub fn new(text: &str) -> Result<Scanner, YamlError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut mark = Mark::default();
        for c in text.chars() {
            if !is_printable(c) {
                return Err(YamlError::reader("control characters are not allowed", mark));
            }
            mark.index += 1;
            mark.column += 1;
            if c == '\n' {
                mark.line += 1;
                mark.column = 0;
            }
        }
        Ok(Scanner {
            chars: text.chars().collect(),
            mark: Mark::default(),
            tokens: VecDeque::new(),
            taken: 0,
            indent: -1,
            indents: Vec::new(),
            simple_keys: vec![SimpleKey::default()],
            simple_key_allowed: true,
            ended: false,
        })
    }

    /// The next token, left in place.
    pub fn peek(&mut self) -> Result<&Token, YamlError> {
        self.fill()?;
        let mark = self.mark;
        if self.tokens.is_empty() {
            self.tokens.push_back(Token {
                kind: TokenKind::StreamEnd,
                mark,
            });
        }
        Ok(&self.tokens[0])
    }

    /// Takes the next token.
    pub fn next(&mut self) -> Result<Token, YamlError> {
        self.peek()?;
        self.taken += 1;
        Ok(self.tokens.pop_front().unwrap_or(Token {
            kind: TokenKind::StreamEnd,
            mark: self.mark,
        }))
    }

    /// Scans until the first token cannot become a key any more.
    fn fill(&mut self) -> Result<(), YamlError> {
        while !self.ended {
            if !self.tokens.is_empty() {
                self.drop_stale_keys()?;
                if !self
                    .simple_keys
                    .iter()
                    .any(|key| key.possible && key.token_number == self.taken)
                {
                    return Ok(());
                }
            }
            self.fetch()?;
        }
        Ok(())
    }

    fn char(&self) -> char {
        self.char_at(0)
    }

    fn char_at(&self, ahead: usize) -> char {
        self.chars.get(self.mark.index + ahead).copied().unwrap_or('\0')
    }

    fn at_end(&self) -> bool {
        self.mark.index >= self.chars.len()
    }

    fn column(&self) -> isize {
        self.mark.column.cast_signed()
    }

    fn skip(&mut self) {
        self.mark.index += 1;
        self.mark.column += 1;
    }

    fn skip_many(&mut self, count: usize) {
        for _ in 0..count {
            self.skip();
        }
    }

    fn skip_blanks(&mut self) {
        while is_blank(self.char()) {
            self.skip();
        }
    }

    /// Reads one line break, normalized.
    fn read_break(&mut self) -> char {
        let c = self.char();
        self.mark.index += if c == '\r' && self.char_at(1) == '\n' {
            2
        } else {
            1
        };
        self.mark.line += 1;
        self.mark.column = 0;
        if matches!(c, '\u{2028}' | '\u{2029}') {
            c
        } else {
            '\n'
        }
    }

    fn fail(&self, problem: &str) -> YamlError {
        YamlError::scanner(problem, self.mark)
    }

    fn in_flow(&self) -> bool {
        self.simple_keys.len() > 1
    }

    fn push(&mut self, kind: TokenKind, mark: Mark) {
        self.tokens.push_back(Token { kind, mark });
    }

    fn drop_stale_keys(&mut self) -> Result<(), YamlError> {
        let mark = self.mark;
        for key in &mut self.simple_keys {
            if key.possible && (key.mark.line < mark.line || key.mark.index + 1024 < mark.index) {
                if key.required {
                    return Err(YamlError::scanner("could not find expected ':'", mark));
                }
                key.possible = false;
            }
        }
        Ok(())
    }

    fn save_simple_key(&mut self) -> Result<(), YamlError> {
        if self.simple_key_allowed {
            let required = !self.in_flow() && self.indent == self.column();
            let key = SimpleKey {
                possible: true,
                required,
                token_number: self.taken + self.tokens.len(),
                mark: self.mark,
            };
            self.remove_simple_key()?;
            if let Some(last) = self.simple_keys.last_mut() {
                *last = key;
            }
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Result<(), YamlError> {
        let mark = self.mark;
        if let Some(key) = self.simple_keys.last_mut() {
            if key.possible && key.required {
                return Err(YamlError::scanner("could not find expected ':'", mark));
            }
            key.possible = false;
        }
        Ok(())
    }

    /// Opens a block when the column is deeper than the current one. `at` is the token to put the start before.
    fn roll_indent(
        &mut self,
        column: isize,
        at: Option<usize>,
        kind: TokenKind,
        mark: Mark,
    ) -> Result<(), YamlError> {
        if self.in_flow() || self.indent >= column {
            return Ok(());
        }
        if self.indents.len() >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.indents.push(self.indent);
        self.indent = column;
        let token = Token { kind, mark };
        match at {
            Some(number) => self.tokens.insert(number - self.taken, token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    fn too_deep(&self) -> YamlError {
        self.fail(&format!("exceeded max depth of {MAX_DEPTH}"))
    }

    fn unroll_indent(&mut self, column: isize) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            self.push(TokenKind::BlockEnd, self.mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch(&mut self) -> Result<(), YamlError> {
        self.skip_to_next_token();
        self.drop_stale_keys()?;
        self.unroll_indent(self.column());
        let c = self.char();
        if self.at_end() {
            self.unroll_indent(-1);
            self.remove_simple_key()?;
            self.simple_key_allowed = false;
            self.push(TokenKind::StreamEnd, self.mark);
            self.ended = true;
            return Ok(());
        }
        if self.mark.column == 0 {
            if c == '%' {
                return self.fetch_directive();
            }
            if self.at_document_indicator("---") {
                return self.fetch_document_indicator(TokenKind::DocumentStart);
            }
            if self.at_document_indicator("...") {
                return self.fetch_document_indicator(TokenKind::DocumentEnd);
            }
        }
        let next_blank = is_blank_or_end(self.char_at(1));
        match c {
            '[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            '{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            ']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            '}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            ',' => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.take_char(TokenKind::FlowEntry)
            }
            '-' if next_blank => self.fetch_block_entry(),
            '?' if self.in_flow() || next_blank => self.fetch_key(),
            ':' if self.in_flow() || next_blank => self.fetch_value(),
            '*' | '&' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                self.scan_anchor(c == '*')
            }
            '!' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                self.scan_tag()
            }
            '|' | '>' if !self.in_flow() => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.scan_block_scalar(c == '|')
            }
            '\'' | '"' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                self.scan_quoted(c)
            }
            '-' => self.fetch_plain(),
            '?' | ':' if !self.in_flow() => self.fetch_plain(),
            _ if is_blank_or_end(c) || "-?:,[]{}#&*!|>'\"%@`".contains(c) => {
                Err(self.fail("found character that cannot start any token"))
            }
            _ => self.fetch_plain(),
        }
    }

    fn take_char(&mut self, kind: TokenKind) -> Result<(), YamlError> {
        self.push(kind, self.mark);
        self.skip();
        Ok(())
    }

    fn skip_to_next_token(&mut self) {
        loop {
            while self.char() == ' ' || (self.char() == '\t' && (self.in_flow() || !self.simple_key_allowed))
            {
                self.skip();
            }
            if self.char() == '#' {
                while !is_break(self.char()) && !self.at_end() {
                    self.skip();
                }
            }
            if self.at_end() || !is_break(self.char()) {
                return;
            }
            self.read_break();
            if !self.in_flow() {
                self.simple_key_allowed = true;
            }
        }
    }

    fn at_document_indicator(&self, indicator: &str) -> bool {
        self.mark.column == 0
            && indicator.chars().enumerate().all(|(i, c)| self.char_at(i) == c)
            && is_blank_or_end(self.char_at(3))
    }

    /// A directive changes nothing here (tags are read in their long and `!!` forms only); its line is skipped.
    fn fetch_directive(&mut self) -> Result<(), YamlError> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.mark;
        let mut line = String::new();
        while !is_break(self.char()) && !self.at_end() {
            line.push(self.char());
            self.skip();
        }
        if !(line.starts_with("%YAML ") || line.starts_with("%TAG ")) {
            return Err(YamlError::scanner("found unknown directive name", start));
        }
        self.push(TokenKind::Directive, start);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind) -> Result<(), YamlError> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(kind, self.mark);
        self.skip_many(3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Result<(), YamlError> {
        self.save_simple_key()?;
        if self.simple_keys.len() + self.indents.len() > MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.simple_keys.push(SimpleKey::default());
        self.simple_key_allowed = true;
        self.take_char(kind)
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Result<(), YamlError> {
        self.remove_simple_key()?;
        if self.in_flow() {
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.take_char(kind)
    }

    fn fetch_block_entry(&mut self) -> Result<(), YamlError> {
        if !self.in_flow() {
            if !self.simple_key_allowed {
                return Err(self.fail("block sequence entries are not allowed in this context"));
            }
            self.roll_indent(self.column(), None, TokenKind::BlockSequenceStart, self.mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.take_char(TokenKind::BlockEntry)
    }

    fn fetch_key(&mut self) -> Result<(), YamlError> {
        if !self.in_flow() {
            if !self.simple_key_allowed {
                return Err(self.fail("mapping keys are not allowed in this context"));
            }
            self.roll_indent(self.column(), None, TokenKind::BlockMappingStart, self.mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = !self.in_flow();
        self.take_char(TokenKind::Key)
    }

    fn fetch_value(&mut self) -> Result<(), YamlError> {
        let key = self.simple_keys.last().copied().unwrap_or_default();
        if key.possible {
            let at = key.token_number - self.taken;
            self.tokens.insert(
                at,
                Token {
                    kind: TokenKind::Key,
                    mark: key.mark,
                },
            );
            self.roll_indent(
                key.mark.column.cast_signed(),
                Some(key.token_number),
                TokenKind::BlockMappingStart,
                key.mark,
            )?;
            if let Some(last) = self.simple_keys.last_mut() {
                last.possible = false;
            }
            self.simple_key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.simple_key_allowed {
                    return Err(self.fail("mapping values are not allowed in this context"));
                }
                self.roll_indent(self.column(), None, TokenKind::BlockMappingStart, self.mark)?;
            }
            self.simple_key_allowed = !self.in_flow();
        }
        self.take_char(TokenKind::Value)
    }
}
