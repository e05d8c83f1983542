//! Shell scripts, as far as manifests use them: lists, `&&`, `||`, `!`, `while`, `until`, `for`,
//! `if`, groups, variables, `$(…)`, `$((…))`, `>` and `>>`.
//!
//! A script becomes steps with jumps, so that a process can sleep anywhere and go on later.
//! What a shell can do beyond that (pipes, functions, here-documents, background jobs) is refused
//! with a message, never half done. `command &` runs in the foreground, `wait` then has nothing to do.

mod lexer;

use super::program::{Op, Part, Redirect, Word, Words};
use lexer::{Token, tokenize};

/// The longest script that is read, in bytes, and the deepest nesting.
const MAX_BYTES: usize = 64 * 1024;
const MAX_DEPTH: usize = 40;

/// Compiles a script. The error is what the shell prints after its name.
pub fn compile(script: &str) -> Result<Vec<Op>, String> {
    if script.len() > MAX_BYTES {
        return Err("script too long".to_owned());
    }
    let mut compiler = Compiler {
        tokens: tokenize(script, 0)?,
        at: 0,
        ops: Vec::new(),
        depth: 0,
        loops: Vec::new(),
    };
    compiler.list(&[])?;
    match compiler.peek() {
        None => Ok(compiler.ops),
        Some(_) => Err(compiler.unexpected()),
    }
}

struct Compiler {
    tokens: Vec<Token>,
    at: usize,
    ops: Vec<Op>,
    depth: usize,
    loops: Vec<Loop>,
}

/// A loop being compiled: where `continue` goes, and the jumps of `break` to be aimed at its end.
struct Loop {
    start: usize,
    breaks: Vec<usize>,
}

impl Compiler {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// The next token if it is this bare word.
    fn keyword(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(Word { parts, quoted: false })) => match parts.as_slice() {
                [Part::Text(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    fn unexpected(&self) -> String {
        match self.peek() {
            None => "syntax error: unexpected end of file".to_owned(),
            Some(token) => {
                let text = match token {
                    Token::Word(_) => self.keyword().unwrap_or("word").to_owned(),
                    Token::End => ";".to_owned(),
                    Token::And => "&&".to_owned(),
                    Token::Or => "||".to_owned(),
                    Token::Open => "(".to_owned(),
                    Token::Close => ")".to_owned(),
                    Token::To { .. } => ">".to_owned(),
                };
                format!("syntax error: unexpected \"{text}\"")
            }
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.keyword() != Some(word) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    fn skip_ends(&mut self) {
        while self.peek() == Some(&Token::End) {
            self.at += 1;
        }
    }

    /// Commands up to one of the `stops` or the end.
    fn list(&mut self, stops: &[&str]) -> Result<(), String> {
        loop {
            self.skip_ends();
            let stop = self.keyword().is_some_and(|word| stops.contains(&word));
            if stop || matches!(self.peek(), None | Some(Token::Close)) {
                return Ok(());
            }
            self.and_or()?;
            if !matches!(self.peek(), None | Some(Token::End | Token::Close)) {
                return Err(self.unexpected());
            }
        }
    }

    fn and_or(&mut self) -> Result<(), String> {
        self.command()?;
        loop {
            let and = match self.peek() {
                Some(Token::And) => true,
                Some(Token::Or) => false,
                _ => return Ok(()),
            };
            self.at += 1;
            while self.peek() == Some(&Token::End) {
                self.at += 1;
            }
            let jump = self.ops.len();
            self.ops.push(Op::Jump(0));
            self.command()?;
            let end = self.ops.len();
            self.ops[jump] = if and {
                Op::JumpIfFailed(end)
            } else {
                Op::JumpIfSucceeded(end)
            };
        }
    }

    fn command(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("nesting too deep".to_owned());
        }
        let result = self.command_inner();
        self.depth -= 1;
        result
    }

    fn command_inner(&mut self) -> Result<(), String> {
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            self.list(&[])?;
            if self.peek() != Some(&Token::Close) {
                return Err(self.unexpected());
            }
            self.at += 1;
            return Ok(());
        }
        let keyword = self.keyword().map(str::to_owned);
        match keyword.as_deref() {
            Some("!") => {
                self.at += 1;
                self.command()?;
                self.ops.push(Op::Negate);
                Ok(())
            }
            Some("{") => {
                self.at += 1;
                self.list(&["}"])?;
                self.expect("}")
            }
            Some("while") => self.while_loop(true),
            Some("until") => self.while_loop(false),
            Some("for") => self.for_loop(),
            Some("if") => {
                self.at += 1;
                self.condition()
            }
            Some("break") => {
                self.at += 1;
                let jump = self.ops.len();
                self.ops.push(Op::Jump(0));
                let inner = self.loops.last_mut().ok_or("break: only meaningful in a loop")?;
                inner.breaks.push(jump);
                Ok(())
            }
            Some("continue") => {
                self.at += 1;
                let start = self
                    .loops
                    .last()
                    .ok_or("continue: only meaningful in a loop")?
                    .start;
                self.ops.push(Op::Jump(start));
                Ok(())
            }
            Some("then" | "do" | "done" | "fi" | "else" | "elif" | "}" | "case" | "function") => {
                Err(self.unexpected())
            }
            _ => self.simple(),
        }
    }

    fn while_loop(&mut self, wanted: bool) -> Result<(), String> {
        self.at += 1;
        let start = self.ops.len();
        self.list(&["do"])?;
        self.expect("do")?;
        let out = self.ops.len();
        self.ops.push(Op::Jump(0));
        self.body(start)?;
        let end = self.ops.len();
        self.ops[out] = if wanted {
            Op::JumpIfFailed(end)
        } else {
            Op::JumpIfSucceeded(end)
        };
        self.ops.push(Op::Succeed);
        Ok(())
    }

    fn for_loop(&mut self) -> Result<(), String> {
        self.at += 1;
        let name = self.keyword().ok_or_else(|| self.unexpected())?.to_owned();
        self.at += 1;
        self.expect("in")?;
        let mut words = Words::new();
        while let Some(Token::Word(word)) = self.peek() {
            words.push(word.clone());
            self.at += 1;
        }
        self.skip_ends();
        self.expect("do")?;
        self.ops.push(Op::Each { words });
        let start = self.ops.len();
        self.ops.push(Op::Jump(0));
        self.body(start)?;
        self.ops[start] = Op::Next {
            name,
            done: self.ops.len(),
        };
        Ok(())
    }

    /// A loop's body up to `done`, the jump back to `start`, and the aim of every `break`.
    fn body(&mut self, start: usize) -> Result<(), String> {
        self.loops.push(Loop {
            start,
            breaks: Vec::new(),
        });
        let result = self.list(&["done"]);
        let inner = self.loops.pop();
        result?;
        self.expect("done")?;
        self.ops.push(Op::Jump(start));
        let end = self.ops.len();
        for at in inner.into_iter().flat_map(|inner| inner.breaks) {
            self.ops[at] = Op::Jump(end);
        }
        Ok(())
    }

    /// After `if` or `elif`.
    fn condition(&mut self) -> Result<(), String> {
        self.list(&["then"])?;
        self.expect("then")?;
        let skip = self.ops.len();
        self.ops.push(Op::Jump(0));
        self.list(&["elif", "else", "fi"])?;
        let out = self.ops.len();
        self.ops.push(Op::Jump(0));
        self.ops[skip] = Op::JumpIfFailed(self.ops.len());
        match self.keyword() {
            Some("elif") => {
                self.at += 1;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err("nesting too deep".to_owned());
                }
                self.condition()?;
                self.depth -= 1;
            }
            Some("else") => {
                self.at += 1;
                self.list(&["fi"])?;
                self.expect("fi")?;
            }
            _ => {
                self.expect("fi")?;
                self.ops.push(Op::Succeed);
            }
        }
        self.ops[out] = Op::Jump(self.ops.len());
        Ok(())
    }

    fn simple(&mut self) -> Result<(), String> {
        let (mut words, mut redirect) = (Words::new(), None);
        loop {
            match self.peek() {
                Some(Token::Word(word)) => {
                    words.push(word.clone());
                    self.at += 1;
                }
                Some(Token::To { append }) => {
                    let append = *append;
                    self.at += 1;
                    let Some(Token::Word(file)) = self.peek() else {
                        return Err(self.unexpected());
                    };
                    redirect = Some(Redirect {
                        file: file.clone(),
                        append,
                    });
                    self.at += 1;
                }
                _ => break,
            }
        }
        if words.is_empty() && redirect.is_none() {
            return Err(self.unexpected());
        }
        // `NAME=value` alone sets the shell's own variable.
        while let Some((name, value)) = words.first().and_then(assignment) {
            self.ops.push(Op::Assign { name, value });
            words.remove(0);
        }
        if !words.is_empty() || redirect.is_some() {
            self.ops.push(Op::Run { words, redirect });
        }
        Ok(())
    }
}

fn assignment(word: &Word) -> Option<(String, Word)> {
    let (first, rest) = word.parts.split_first()?;
    let Part::Text(text) = first else { return None };
    let (name, value) = text.split_once('=')?;
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let parts = std::iter::once(Part::Text(value.to_owned()))
        .chain(rest.iter().cloned())
        .collect();
    valid.then(|| (name.to_owned(), Word { parts, quoted: true }))
}
