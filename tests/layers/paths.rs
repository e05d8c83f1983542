//! Finds the paths a Rust source text names: a small lexer and an expander of `use` trees.

/// One path, resolved to the crate where it starts with `crate`, `self` or `super`.
#[derive(Debug, PartialEq)]
pub struct Use {
    pub path: Vec<String>,
    pub line: usize,
}

/// A word (identifier or keyword), `::`, or any other single character that matters.
#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Separator,
    Sign(char),
}

/// Every path the text names, also in expressions; `module` is where the text stands.
pub fn uses(text: &str, module: &[String]) -> Vec<Use> {
    let tokens = lex(text);
    let mut found = Vec::new();
    // Inline modules around the current place, with the brace depth at which each began.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while let Some((token, _)) = tokens.get(at) {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => {
                depth -= 1usize.min(depth);
                inline.pop_if(|(_, began)| *began == depth);
            }
            Token::Word(word) if word == "mod" => {
                if let (Some((Token::Word(name), _)), Some((Token::Sign('{'), _))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    inline.push((name.clone(), depth));
                    at += 1;
                }
            }
            // A word after `::` or `.` belongs to something already read.
            Token::Word(_) => {
                let here: Vec<String> = module
                    .iter()
                    .cloned()
                    .chain(inline.iter().map(|(name, _)| name.clone()))
                    .collect();
                at = tree(&tokens, at, &[], &here, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads a path or `use` tree that begins at `at`; the place after it.
fn tree(
    tokens: &[(Token, usize)],
    mut at: usize,
    before: &[String],
    here: &[String],
    found: &mut Vec<Use>,
) -> usize {
    let mut path = before.to_vec();
    let mut line = 0;
    loop {
        match tokens.get(at) {
            Some((Token::Word(word), l)) => {
                path.push(word.clone());
                line = *l;
            }
            Some((Token::Sign('*'), l)) if !path.is_empty() => {
                path.push("*".into());
                line = *l;
            }
            Some((Token::Sign('{'), _)) if !path.is_empty() => {
                at += 1;
                loop {
                    match tokens.get(at) {
                        Some((Token::Sign(','), _)) => at += 1,
                        Some((Token::Word(_) | Token::Sign('*' | '{'), _)) => {
                            at = tree(tokens, at, &path, here, found)
                        }
                        Some((Token::Sign('}'), _)) => return at + 1,
                        // Not a use tree after all.
                        _ => return at,
                    }
                }
            }
            _ => break,
        }
        at += 1;
        match tokens.get(at) {
            Some((Token::Separator, _)) => at += 1,
            _ => break,
        }
    }
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    // `pub(crate)` and `pub(super)` name nothing.
    let visibility = path.len() == 1 && matches!(tokens.get(at), Some((Token::Sign(')'), _)));
    if !visibility {
        found.push(Use {
            path: resolve(path, here),
            line,
        });
    }
    at
}

/// `self` and `super` at the beginning become `crate::…`.
fn resolve(path: Vec<String>, here: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let own = usize::from(path.first().is_some_and(|name| name == "self") && path.len() > 1);
    if ups + own == 0 {
        return path;
    }
    let (ups, skip) = if own == 1 {
        (path[1..].iter().take_while(|n| *n == "super").count(), 1)
    } else {
        (ups, 0)
    };
    let base = &here[..here.len().saturating_sub(ups)];
    std::iter::once("crate".to_string())
        .chain(base.iter().cloned())
        .chain(path[skip + ups..].iter().cloned())
        .collect()
}

/// The tokens with their lines; comments, strings, characters and lifetimes are left out.
fn lex(text: &str) -> Vec<(Token, usize)> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut tokens, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let begin = i;
        match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => {
                let mut open = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (open, i) = (open + 1, i + 2),
                        ('*', '/') => (open, i) = (open - 1, i + 2),
                        _ => i += 1,
                    }
                    if open == 0 || i >= chars.len() {
                        break;
                    }
                }
            }
            '"' => i = after_string(&chars, i),
            // Raw strings: r"…", r#"…"#, br"…", cr"…".
            'r' | 'b' | 'c' if raw_hashes(&chars, i).is_some() => {
                let (start, hashes) = raw_hashes(&chars, i).unwrap_or_default();
                i = start;
                while i < chars.len() && !(at(i) == '"' && (1..=hashes).all(|n| at(i + n) == '#')) {
                    i += 1;
                }
                i += hashes + 1;
            }
            '\'' if at(i + 1) == '\\' => {
                i += 3;
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            '\'' if at(i + 2) == '\'' => i += 3,
            '\'' => {
                i += 1;
                while word(at(i)) {
                    i += 1;
                }
            }
            c if word(c) => {
                while word(at(i)) {
                    i += 1;
                }
                tokens.push((Token::Word(chars[begin..i].iter().collect()), line));
            }
            ':' if at(i + 1) == ':' => {
                tokens.push((Token::Separator, line));
                i += 2;
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push((Token::Sign(c), line));
                }
                i += 1;
            }
        }
        line += chars[begin..i.min(chars.len())]
            .iter()
            .filter(|c| **c == '\n')
            .count();
    }
    tokens
}

/// The place after a string that begins at `i`.
fn after_string(chars: &[char], mut i: usize) -> usize {
    i += 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// Where the text of a raw string begins, and how many `#` close it.
fn raw_hashes(chars: &[char], mut i: usize) -> Option<(usize, usize)> {
    if matches!(chars.get(i), Some('b' | 'c')) {
        i += 1;
    }
    if chars.get(i) != Some(&'r') {
        return None;
    }
    let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(i + 1 + hashes) == Some(&'"')).then_some((i + 2 + hashes, hashes))
}
