//! What a token's text is: anchors, tags, and scalars in their five styles.

use super::super::YamlError;
use super::{Scanner, Style, TokenKind, is_blank, is_blank_or_end, is_break};

impl Scanner {
    pub(super) fn scan_anchor(&mut self, alias: bool) -> Result<(), YamlError> {
        let start = self.mark;
        self.skip();
        let mut name = String::new();
        while self.char().is_ascii_alphanumeric() || matches!(self.char(), '_' | '-') {
            name.push(self.char());
            self.skip();
        }
        let c = self.char();
        if name.is_empty() || !(is_blank_or_end(c) || "?:,]}%@`".contains(c)) {
            return Err(self.fail("did not find expected alphabetic or numeric character"));
        }
        self.push(
            if alias {
                TokenKind::Alias(name)
            } else {
                TokenKind::Anchor(name)
            },
            start,
        );
        Ok(())
    }

    pub(super) fn scan_tag(&mut self) -> Result<(), YamlError> {
        let start = self.mark;
        let mut tag = String::new();
        let verbatim = self.char_at(1) == '<';
        loop {
            let c = self.char();
            if is_blank_or_end(c) || (self.in_flow() && ",[]{}".contains(c)) {
                break;
            }
            tag.push(c);
            self.skip();
            if verbatim && c == '>' {
                break;
            }
        }
        if verbatim {
            match tag.strip_prefix("!<").and_then(|t| t.strip_suffix('>')) {
                Some(inner) => tag = inner.to_owned(),
                None => return Err(self.fail("did not find the expected '>'")),
            }
        }
        let ends = is_blank_or_end(self.char()) || (self.in_flow() && self.char() == ',');
        if !ends {
            return Err(self.fail("did not find expected whitespace or line break"));
        }
        if let Some(short) = tag.strip_prefix("tag:yaml.org,2002:") {
            tag = format!("!!{short}");
        }
        self.push(TokenKind::Tag(tag), start);
        Ok(())
    }

    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<(), YamlError> {
        let start = self.mark;
        self.skip();
        let (mut chomp, mut increment) = (None, None);
        for _ in 0..2 {
            match self.char() {
                c @ ('+' | '-') if chomp.is_none() => chomp = Some(c),
                '0' => return Err(self.fail("found an indentation indicator equal to 0")),
                c if c.is_ascii_digit() && increment.is_none() => increment = c.to_digit(10),
                _ => break,
            }
            self.skip();
        }
        self.skip_blanks();
        if self.char() == '#' {
            while !is_break(self.char()) && !self.at_end() {
                self.skip();
            }
        }
        if !is_break(self.char()) && !self.at_end() {
            return Err(self.fail("did not find expected comment or line break"));
        }
        if !self.at_end() {
            self.read_break();
        }
        let mut indent = increment.map_or(0, |i| self.indent.max(0) + isize::try_from(i).unwrap_or(0));
        let mut text = String::new();
        let mut breaks = self.scan_block_breaks(&mut indent)?;
        let (mut leading, mut leading_blank) = (None, false);
        while self.column() == indent && !self.at_end() {
            let blank = is_blank(self.char());
            if !literal && leading == Some('\n') && !leading_blank && !blank {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.extend(leading);
            }
            leading = None;
            text.push_str(&breaks);
            leading_blank = blank;
            while !is_break(self.char()) && !self.at_end() {
                text.push(self.char());
                self.skip();
            }
            if !self.at_end() {
                leading = Some(self.read_break());
            }
            breaks = self.scan_block_breaks(&mut indent)?;
        }
        if chomp != Some('-') {
            text.extend(leading);
        }
        if chomp == Some('+') {
            text.push_str(&breaks);
        }
        self.push(TokenKind::Scalar(text, Style::Block), start);
        Ok(())
    }

    /// Skips indentation and empty lines; finds the indentation out when it is not known yet (zero).
    fn scan_block_breaks(&mut self, indent: &mut isize) -> Result<String, YamlError> {
        let mut breaks = String::new();
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && self.char() == ' ' {
                self.skip();
            }
            deepest = deepest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.char() == '\t' {
                return Err(self.fail("found a tab character where an indentation space is expected"));
            }
            if self.at_end() || !is_break(self.char()) {
                break;
            }
            breaks.push(self.read_break());
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(breaks)
    }

    pub(super) fn scan_quoted(&mut self, quote: char) -> Result<(), YamlError> {
        let start = self.mark;
        self.skip();
        let mut text = String::new();
        loop {
            if self.at_document_indicator("---") || self.at_document_indicator("...") {
                return Err(self.fail("found unexpected document indicator"));
            }
            if self.at_end() {
                return Err(self.fail("found unexpected end of stream"));
            }
            let mut joined = false;
            while !is_blank_or_end(self.char()) {
                let c = self.char();
                if quote == '\'' && c == '\'' && self.char_at(1) == '\'' {
                    text.push('\'');
                    self.skip_many(2);
                } else if c == quote {
                    break;
                } else if quote == '"' && c == '\\' && is_break(self.char_at(1)) {
                    self.skip();
                    self.read_break();
                    joined = true;
                    break;
                } else if quote == '"' && c == '\\' {
                    self.skip();
                    let c = self.scan_escape()?;
                    text.push(c);
                } else {
                    text.push(c);
                    self.skip();
                }
            }
            if self.char() == quote && !self.at_end() {
                break;
            }
            self.fold_blanks(&mut text, joined);
        }
        self.skip();
        self.push(TokenKind::Scalar(text, Style::Quoted), start);
        Ok(())
    }

    /// Blanks and breaks inside a quoted scalar: blanks stay within a line, one break is a space, more are breaks.
    fn fold_blanks(&mut self, text: &mut String, joined: bool) {
        let mut blanks = String::new();
        let mut breaks: Option<String> = joined.then(String::new);
        let mut first = None;
        while is_blank(self.char()) || is_break(self.char()) {
            if is_blank(self.char()) {
                if breaks.is_none() {
                    blanks.push(self.char());
                }
                self.skip();
            } else {
                let c = self.read_break();
                match &mut breaks {
                    None => {
                        first = Some(c);
                        breaks = Some(String::new());
                    }
                    Some(more) => more.push(c),
                }
            }
        }
        match breaks {
            None => text.push_str(&blanks),
            Some(more) => join_lines(text, first, &more),
        }
    }

    fn scan_escape(&mut self) -> Result<char, YamlError> {
        let width = match self.char() {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c => {
                let plain = match c {
                    '0' => '\0',
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    't' | '\t' => '\t',
                    'n' => '\n',
                    'v' => '\u{b}',
                    'f' => '\u{c}',
                    'r' => '\r',
                    'e' => '\u{1b}',
                    ' ' | '"' | '\'' | '\\' | '/' => c,
                    'N' => '\u{85}',
                    '_' => '\u{a0}',
                    'L' => '\u{2028}',
                    'P' => '\u{2029}',
                    _ => return Err(self.fail("found unknown escape character")),
                };
                self.skip();
                return Ok(plain);
            }
        };
        self.skip();
        let mut code = 0u32;
        for _ in 0..width {
            let Some(digit) = self.char().to_digit(16) else {
                return Err(self.fail("did not find expected hexdecimal number"));
            };
            code = code.wrapping_shl(4) | digit;
            self.skip();
        }
        char::from_u32(code).ok_or_else(|| self.fail("found invalid Unicode character escape code"))
    }

    pub(super) fn fetch_plain(&mut self) -> Result<(), YamlError> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.mark;
        let indent = self.indent + 1;
        let mut text = String::new();
        let (mut blanks, mut first, mut breaks, mut broken) = (String::new(), None, String::new(), false);
        loop {
            if self.at_document_indicator("---") || self.at_document_indicator("...") || self.char() == '#' {
                break;
            }
            while !is_blank_or_end(self.char()) {
                let c = self.char();
                let next_blank = is_blank_or_end(self.char_at(1));
                let flow_end =
                    self.in_flow() && (matches!(c, ',' | '[' | ']' | '{' | '}') || (c == '?' && next_blank));
                let flow_value = self.in_flow() && c == ':' && ",[]{}".contains(self.char_at(1));
                if (c == ':' && next_blank) || flow_end || flow_value {
                    break;
                }
                if broken {
                    join_lines(&mut text, first.take(), &breaks);
                    broken = false;
                } else {
                    text.push_str(&blanks);
                }
                blanks.clear();
                breaks.clear();
                text.push(c);
                self.skip();
            }
            if !is_blank(self.char()) && !is_break(self.char()) {
                break;
            }
            while is_blank(self.char()) || is_break(self.char()) {
                if is_blank(self.char()) {
                    if broken && self.column() < indent && self.char() == '\t' {
                        return Err(self.fail("found a tab character that violates indentation"));
                    }
                    if !broken {
                        blanks.push(self.char());
                    }
                    self.skip();
                } else {
                    let c = self.read_break();
                    if broken {
                        breaks.push(c);
                    } else {
                        blanks.clear();
                        first = Some(c);
                        broken = true;
                    }
                }
            }
            if !self.in_flow() && self.column() < indent {
                break;
            }
        }
        if broken {
            self.simple_key_allowed = true;
        }
        self.push(TokenKind::Scalar(text, Style::Plain), start);
        Ok(())
    }
}

/// Folds a break (`first`) and the empty lines after it.
fn join_lines(text: &mut String, first: Option<char>, more: &str) {
    match first {
        Some('\n') if more.is_empty() => text.push(' '),
        Some('\n') | None => {}
        Some(other) => text.push(other),
    }
    text.push_str(more);
}
