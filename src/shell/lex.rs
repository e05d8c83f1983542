//! From text to words and operators, by bash's rules for quotes, comments and here-documents.

use std::fmt;

/// A piece of a word, before expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text as it is; `quoted` text is never split.
    Text { text: String, quoted: bool },
    /// `$NAME`, `${NAME}`, `$?`
    Variable { name: String, quoted: bool },
    /// `$(script)` or backquotes
    Command { script: String, quoted: bool },
}

/// A word as written; expansion may make none or several of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word(pub Vec<Part>);

impl Word {
    /// The text when nothing in the word needs expanding.
    pub fn literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|part| {
                if let Part::Text { text, .. } = part {
                    Some(text.as_str())
                } else {
                    None
                }
            })
            .collect()
    }

    fn push(&mut self, c: char, is_quoted: bool) {
        if let Some(Part::Text { text, quoted }) = self.0.last_mut()
            && *quoted == is_quoted
        {
            text.push(c);
            return;
        }
        self.0.push(Part::Text {
            text: c.to_string(),
            quoted: is_quoted,
        });
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    Word(Word),
    Pipe,
    PipeBoth,
    And,
    Or,
    Semicolon,
    Background,
    Newline,
    /// `>`, `>>`, `2>`, `&>` …: (descriptor, append), `None` for both
    Output(Option<u8>, bool),
    /// `2>&1`, `1>&2`
    Duplicate(u8, u8),
    Input,
    /// `<<EOF` with its text
    Here(Word),
    /// `<<<`
    HereString,
    /// `(`, `)`, which the grammar refuses
    Paren(char),
}

impl fmt::Display for Token {
    /// As bash names an unexpected token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Token::Word(word) => return f.write_str(&word.literal().unwrap_or_default()),
            Token::Pipe => "|",
            Token::PipeBoth => "|&",
            Token::And => "&&",
            Token::Or => "||",
            Token::Semicolon => ";",
            Token::Background => "&",
            Token::Newline => "newline",
            Token::Output(None, _) => "&>",
            Token::Output(_, false) => ">",
            Token::Output(_, true) => ">>",
            Token::Duplicate(..) => ">&",
            Token::Input => "<",
            Token::Here(_) => "<<",
            Token::HereString => "<<<",
            Token::Paren(c) => return write!(f, "{c}"),
        })
    }
}

/// Why a script cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// More lines could complete it: an open quote, a here-document, a trailing pipe.
    /// The text is bash's complaint should no more come.
    Incomplete(String),
    /// `syntax error near unexpected token …`
    Wrong(String),
}

/// Splits a script into tokens; also tells of here-documents that end with the text
/// (bash takes them, with a warning).
/// # Errors
/// `Incomplete` for open quotes and substitutions.
pub fn tokens(text: &str) -> Result<(Vec<Token>, Vec<String>), SyntaxError> {
    let mut lexer = Lexer {
        chars: text.chars().collect(),
        at: 0,
        line: 1,
        out: Vec::new(),
        pending: Vec::new(),
        open: Vec::new(),
    };
    lexer.run()?;
    Ok((lexer.out, lexer.open))
}

/// A `<<` whose text comes after the end of this line.
struct Pending {
    token: usize,
    delimiter: String,
    expand: bool,
    strip_tabs: bool,
    line: usize,
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    out: Vec<Token>,
    pending: Vec<Pending>,
    open: Vec<String>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn take(&mut self, text: &str) -> bool {
        let matches = text.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c));
        if matches {
            self.at += text.chars().count();
        }
        matches
    }

    fn run(&mut self) -> Result<(), SyntaxError> {
        while let Some(c) = self.peek(0) {
            match c {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.peek(1) == Some('\n') => {
                    self.at += 2;
                    self.line += 1;
                }
                '\n' => {
                    self.next();
                    self.out.push(Token::Newline);
                    self.here_documents()?;
                }
                '#' => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.at += 1
                    }
                }
                _ if self.operator()? => {}
                _ => {
                    let word = self.word()?;
                    self.out.push(Token::Word(word));
                }
            }
        }
        if !self.pending.is_empty() {
            self.here_documents()?;
        }
        Ok(())
    }

    fn operator(&mut self) -> Result<bool, SyntaxError> {
        let token = if self.take("&&") {
            Token::And
        } else if self.take("||") {
            Token::Or
        } else if self.take("|&") {
            Token::PipeBoth
        } else if self.take("|") {
            Token::Pipe
        } else if self.take("&>>") {
            Token::Output(None, true)
        } else if self.take("&>") {
            Token::Output(None, false)
        } else if self.take("&") {
            Token::Background
        } else if self.take(";") {
            Token::Semicolon
        } else if self.take("2>&1") {
            Token::Duplicate(2, 1)
        } else if self.take("1>&2") || self.take(">&2") {
            Token::Duplicate(1, 2)
        } else if self.take("2>>") {
            Token::Output(Some(2), true)
        } else if self.take("2>") {
            Token::Output(Some(2), false)
        } else if self.take("1>>") || self.take(">>") {
            Token::Output(Some(1), true)
        } else if self.take("1>") || self.take(">|") || self.take(">") {
            Token::Output(Some(1), false)
        } else if self.take("<<<") {
            Token::HereString
        } else if self.take("<<") {
            return self.here_start().map(|()| true);
        } else if self.take("<") {
            Token::Input
        } else if let Some(c @ ('(' | ')')) = self.peek(0) {
            self.at += 1;
            Token::Paren(c)
        } else {
            return Ok(false);
        };
        self.out.push(token);
        Ok(true)
    }

    fn here_start(&mut self) -> Result<(), SyntaxError> {
        let strip_tabs = self.take("-");
        while matches!(self.peek(0), Some(' ' | '\t')) {
            self.at += 1;
        }
        let line = self.line;
        let word = self.word()?;
        let Some(delimiter) = word.literal().filter(|_| !word.0.is_empty()) else {
            return Err(SyntaxError::Wrong("newline".to_owned()));
        };
        let expand = word
            .0
            .iter()
            .all(|part| matches!(part, Part::Text { quoted: false, .. }));
        self.pending.push(Pending {
            token: self.out.len(),
            delimiter,
            expand,
            strip_tabs,
            line,
        });
        self.out.push(Token::Here(Word::default()));
        Ok(())
    }

    /// Reads the texts of the here-documents of the line that just ended.
    fn here_documents(&mut self) -> Result<(), SyntaxError> {
        for pending in std::mem::take(&mut self.pending) {
            let mut text = String::new();
            let mut closed = false;
            while self.at < self.chars.len() {
                let mut line = String::new();
                while let Some(c) = self.next() {
                    if c == '\n' {
                        break;
                    }
                    line.push(c);
                }
                let line = if pending.strip_tabs {
                    line.trim_start_matches('\t')
                } else {
                    &line
                };
                if line == pending.delimiter {
                    closed = true;
                    break;
                }
                text.push_str(line);
                text.push('\n');
            }
            if !closed {
                self.open.push(format!(
                    "warning: here-document at line {} delimited by end-of-file (wanted `{}')",
                    pending.line, pending.delimiter
                ));
            }
            let word = if pending.expand {
                let mut inner = Lexer {
                    chars: text.chars().collect(),
                    at: 0,
                    line: self.line,
                    out: Vec::new(),
                    pending: Vec::new(),
                    open: Vec::new(),
                };
                let mut word = Word::default();
                inner.double_quoted(&mut word, None)?;
                word
            } else {
                Word(vec![Part::Text { text, quoted: true }])
            };
            self.out[pending.token] = Token::Here(word);
        }
        Ok(())
    }

    fn word(&mut self) -> Result<Word, SyntaxError> {
        let mut word = Word::default();
        while let Some(c) = self.peek(0) {
            match c {
                ' ' | '\t' | '\r' | '\n' | '|' | '&' | ';' | '<' | '>' | '(' | ')' => break,
                '\\' => {
                    self.at += 1;
                    match self.next() {
                        Some('\n') => {}
                        Some(c) => word.push(c, true),
                        None => return Err(SyntaxError::Incomplete("unexpected end of file".to_owned())),
                    }
                }
                '\'' => {
                    self.at += 1;
                    word.0.push(Part::Text {
                        text: String::new(),
                        quoted: true,
                    });
                    loop {
                        match self.next() {
                            Some('\'') => break,
                            Some(c) => word.push(c, true),
                            None => return Err(unclosed('\'')),
                        }
                    }
                }
                '"' => {
                    self.at += 1;
                    word.0.push(Part::Text {
                        text: String::new(),
                        quoted: true,
                    });
                    self.double_quoted(&mut word, Some('"'))?;
                }
                '$' if self.peek(1) == Some('\'') => {
                    self.at += 2;
                    self.ansi_quoted(&mut word)?;
                }
                '$' | '`' => self.dollar(&mut word, false)?,
                c => {
                    self.at += 1;
                    word.push(c, false);
                }
            }
        }
        Ok(word)
    }

    /// Text in which `$`, backquotes and backslashes keep their meaning; `close` ends it, or the end.
    fn double_quoted(&mut self, word: &mut Word, close: Option<char>) -> Result<(), SyntaxError> {
        loop {
            match self.peek(0) {
                None if close.is_none() => return Ok(()),
                None => return Err(unclosed('"')),
                c if c == close => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => {
                    self.at += 1;
                    match self.next() {
                        Some('\n') => {}
                        Some(c @ ('$' | '`' | '\\')) => word.push(c, true),
                        Some('"') if close.is_some() => word.push('"', true),
                        Some(c) => {
                            word.push('\\', true);
                            word.push(c, true);
                        }
                        None => word.push('\\', true),
                    }
                }
                Some('$' | '`') => self.dollar(word, true)?,
                Some(c) => {
                    self.next();
                    word.push(c, true);
                }
            }
        }
    }

    /// `$'…'` with backslash escapes.
    fn ansi_quoted(&mut self, word: &mut Word) -> Result<(), SyntaxError> {
        word.0.push(Part::Text {
            text: String::new(),
            quoted: true,
        });
        loop {
            match self.next() {
                None => return Err(unclosed('\'')),
                Some('\'') => return Ok(()),
                Some('\\') => word.push(
                    match self.next() {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('r') => '\r',
                        Some(c) => c,
                        None => '\\',
                    },
                    true,
                ),
                Some(c) => word.push(c, true),
            }
        }
    }

    fn dollar(&mut self, word: &mut Word, quoted: bool) -> Result<(), SyntaxError> {
        if self.take("`") {
            let mut script = String::new();
            loop {
                match self.next() {
                    Some('`') => break,
                    Some(c) => script.push(c),
                    None => return Err(unclosed('`')),
                }
            }
            word.0.push(Part::Command { script, quoted });
            return Ok(());
        }
        self.at += 1;
        match self.peek(0) {
            Some('(') => {
                self.at += 1;
                let script = self.substitution()?;
                word.0.push(Part::Command { script, quoted });
            }
            Some('{') => {
                self.at += 1;
                let mut name = String::new();
                loop {
                    match self.next() {
                        Some('}') => break,
                        Some(c) => name.push(c),
                        None => return Err(unclosed('}')),
                    }
                }
                word.0.push(Part::Variable { name, quoted });
            }
            Some(c @ ('?' | '#' | '$' | '0'..='9')) => {
                self.at += 1;
                word.0.push(Part::Variable {
                    name: c.to_string(),
                    quoted,
                });
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let mut name = String::new();
                while let Some(c) = self.peek(0).filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                    self.at += 1;
                }
                word.0.push(Part::Variable { name, quoted });
            }
            _ => word.push('$', quoted),
        }
        Ok(())
    }

    /// The script up to the closing parenthesis, quotes and nesting respected.
    fn substitution(&mut self) -> Result<String, SyntaxError> {
        let (mut script, mut depth, mut quote) = (String::new(), 1usize, None);
        while let Some(c) = self.next() {
            match (quote, c) {
                (Some('"') | None, '\\') => {
                    script.push(c);
                    script.extend(self.next());
                    continue;
                }
                (Some(open), c) if c == open => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '(') => depth += 1,
                (None, ')') => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(script);
                    }
                }
                _ => {}
            }
            script.push(c);
        }
        Err(unclosed(')'))
    }
}

fn unclosed(quote: char) -> SyntaxError {
    SyntaxError::Incomplete(format!("unexpected EOF while looking for matching `{quote}'"))
}
