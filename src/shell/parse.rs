//! From tokens to a script: lists of pipelines of simple commands with redirections.

use super::lex::{SyntaxError, Token, Word, tokens};

/// A script is at most this long.
pub const MAX_SCRIPT_BYTES: usize = 2 << 20;

/// When a pipeline of a list runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    Always,
    /// after `&&`
    IfOk,
    /// after `||`
    IfFailed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// Descriptor (`None` for both), append, file
    Output(Option<u8>, bool, Word),
    /// `2>&1` is `(2, 1)`
    Duplicate(u8, u8),
    Input(Word),
    /// A here-document's or here-string's text
    Here(Word),
}

/// `A=b name args > file`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimpleCommand {
    pub assignments: Vec<(String, Word)>,
    pub words: Vec<Word>,
    pub redirects: Vec<Redirect>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    pub when: Connector,
    /// `! pipeline`
    pub negated: bool,
    pub commands: Vec<SimpleCommand>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    pub pipelines: Vec<Pipeline>,
    /// bash's warnings about here-documents that the end of the text closed.
    pub warnings: Vec<String>,
}

/// Reads a script.
/// # Errors
/// What bash would say, without `bash: `; `Incomplete` when more lines could help.
pub fn parse(text: &str) -> Result<Script, SyntaxError> {
    if text.len() > MAX_SCRIPT_BYTES {
        return Err(SyntaxError::Wrong(format!(
            "script too long ({} bytes, at most {MAX_SCRIPT_BYTES})",
            text.len()
        )));
    }
    let (tokens, warnings) = tokens(text)?;
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
    };
    let pipelines = parser.list()?;
    Ok(Script { pipelines, warnings })
}

/// True when a console should ask for another line before running the text.
pub fn wants_more(text: &str) -> bool {
    match tokens(text) {
        Ok((_, open)) if !open.is_empty() => true,
        Ok(_) => {
            text.trim_end_matches([' ', '\t']).ends_with('\\')
                || matches!(parse(text), Err(SyntaxError::Incomplete(_)))
        }
        Err(error) => matches!(error, SyntaxError::Incomplete(_)),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

fn unexpected(token: Option<Token>) -> SyntaxError {
    match token {
        Some(token) => SyntaxError::Wrong(format!("syntax error near unexpected token `{token}'")),
        None => SyntaxError::Incomplete("syntax error: unexpected end of file".to_owned()),
    }
}

impl Parser {
    fn newlines(&mut self) {
        while self.tokens.next_if_eq(&Token::Newline).is_some() {}
    }

    fn list(&mut self) -> Result<Vec<Pipeline>, SyntaxError> {
        let mut pipelines = Vec::new();
        let mut when = Connector::Always;
        loop {
            self.newlines();
            if self.tokens.peek().is_none() {
                return if when == Connector::Always {
                    Ok(pipelines)
                } else {
                    Err(unexpected(None))
                };
            }
            pipelines.push(self.pipeline(when)?);
            when = match self.tokens.next() {
                Some(Token::And) => Connector::IfOk,
                Some(Token::Or) => Connector::IfFailed,
                Some(Token::Semicolon | Token::Newline) | None => Connector::Always,
                Some(Token::Background) => {
                    return Err(SyntaxError::Wrong(
                        "background jobs (`&') are not supported here".to_owned(),
                    ));
                }
                other => return Err(unexpected(other)),
            };
        }
    }

    fn pipeline(&mut self, when: Connector) -> Result<Pipeline, SyntaxError> {
        let bang = Token::Word(Word(vec![super::lex::Part::Text {
            text: "!".to_owned(),
            quoted: false,
        }]));
        let negated = self.tokens.next_if_eq(&bang).is_some();
        let mut commands = vec![self.command()?];
        loop {
            if self.tokens.next_if_eq(&Token::PipeBoth).is_some() {
                if let Some(last) = commands.last_mut() {
                    last.redirects.push(Redirect::Duplicate(2, 1));
                }
            } else if self.tokens.next_if_eq(&Token::Pipe).is_none() {
                return Ok(Pipeline {
                    when,
                    negated,
                    commands,
                });
            }
            self.newlines();
            commands.push(self.command()?);
        }
    }

    fn command(&mut self) -> Result<SimpleCommand, SyntaxError> {
        let mut command = SimpleCommand::default();
        loop {
            match self.tokens.peek() {
                Some(Token::Word(_)) => {
                    let Some(Token::Word(word)) = self.tokens.next() else {
                        break;
                    };
                    match assignment(&word).filter(|_| command.words.is_empty()) {
                        Some(assignment) => command.assignments.push(assignment),
                        None => command.words.push(word),
                    }
                }
                Some(Token::Output(..) | Token::Input | Token::HereString) => {
                    let operator = self.tokens.next();
                    let target = match self.tokens.next() {
                        Some(Token::Word(word)) => word,
                        None => return Err(unexpected(Some(Token::Newline))),
                        other => return Err(unexpected(other)),
                    };
                    command.redirects.push(match operator {
                        Some(Token::Output(fd, append)) => Redirect::Output(fd, append, target),
                        Some(Token::HereString) => {
                            let mut target = target;
                            target.0.push(super::lex::Part::Text {
                                text: "\n".to_owned(),
                                quoted: true,
                            });
                            Redirect::Here(target)
                        }
                        _ => Redirect::Input(target),
                    });
                }
                Some(Token::Duplicate(from, to)) => {
                    command.redirects.push(Redirect::Duplicate(*from, *to));
                    self.tokens.next();
                }
                Some(Token::Here(_)) => {
                    let Some(Token::Here(text)) = self.tokens.next() else {
                        break;
                    };
                    command.redirects.push(Redirect::Here(text));
                }
                _ => break,
            }
        }
        if command == SimpleCommand::default() {
            Err(unexpected(self.tokens.next()))
        } else {
            Ok(command)
        }
    }
}

/// `NAME=value` as a leading word.
fn assignment(word: &Word) -> Option<(String, Word)> {
    use super::lex::Part;
    let Part::Text { text, quoted: false } = word.0.first()? else {
        return None;
    };
    let (name, value) = text.split_once('=')?;
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !starts || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let mut parts = vec![Part::Text {
        text: value.to_owned(),
        quoted: false,
    }];
    parts.extend_from_slice(&word.0[1..]);
    Some((name.to_owned(), Word(parts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        parse(text)
            .unwrap()
            .pipelines
            .iter()
            .flat_map(|p| &p.commands)
            .map(|c| c.words.iter().map(|w| w.literal().unwrap()).collect())
            .collect()
    }

    #[test]
    fn words_and_quotes() {
        assert_eq!(
            words("a 'b c' \"d\\\"e\" f\\ g # h"),
            [["a", "b c", "d\"e", "f g"]]
        );
        assert_eq!(words("a '' x#y"), [["a", "", "x#y"]]);
        assert_eq!(words("a \\\n b"), [["a", "b"]]);
    }

    #[test]
    fn lists() {
        let script = parse("a && b || c; d | e\nf").unwrap();
        let when: Vec<_> = script.pipelines.iter().map(|p| p.when).collect();
        use Connector::*;
        assert_eq!(when, [Always, IfOk, IfFailed, Always, Always]);
        assert_eq!(script.pipelines[3].commands.len(), 2);
    }

    #[test]
    fn here_documents() {
        let script = parse("cat <<'E' | grep x\na $b\nE\necho z").unwrap();
        let Redirect::Here(text) = &script.pipelines[0].commands[0].redirects[0] else {
            panic!()
        };
        assert_eq!(text.literal().unwrap(), "a $b\n");
        assert_eq!(script.pipelines.len(), 2);
        assert!(wants_more("cat <<EOF\nx"));
        assert!(parse("cat <<EOF\nx").unwrap().warnings[0].contains("wanted `EOF'"));
    }

    #[test]
    fn complaints() {
        assert_eq!(
            parse("a | | b"),
            Err(SyntaxError::Wrong(
                "syntax error near unexpected token `|'".into()
            ))
        );
        assert_eq!(
            parse("a 'b"),
            Err(SyntaxError::Incomplete(
                "unexpected EOF while looking for matching `''".into()
            ))
        );
        assert!(wants_more("a &&") && wants_more("a \\") && !wants_more("a; b"));
        assert!(parse(&"x".repeat(MAX_SCRIPT_BYTES + 1)).is_err());
    }
}
