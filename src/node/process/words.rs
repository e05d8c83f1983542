//! What a shell makes of its words before it runs them.

use super::{MAX_TEXT, Process, Surroundings};
use crate::node::images::{Part, Word};
use crate::sim::SimTime;

impl Process {
    /// The words of a command: unquoted ones fall apart at blanks, and are gone when empty.
    pub(super) fn expand_all(&self, words: &[Word], around: Surroundings<'_>, now: SimTime) -> Vec<String> {
        let (mut out, mut bytes) = (Vec::new(), 0);
        for word in words {
            let text = self.expand(word, around, now);
            bytes += text.len();
            if bytes > MAX_TEXT {
                break;
            }
            let plain = word.parts.iter().all(|part| matches!(part, Part::Text(_)));
            if word.quoted || plain {
                out.push(text);
            } else {
                out.extend(text.split_whitespace().map(str::to_owned));
            }
        }
        out
    }

    pub(super) fn expand(&self, word: &Word, around: Surroundings<'_>, now: SimTime) -> String {
        let mut out = String::new();
        for part in &word.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Variable { name, default } => {
                    let value = self.variable(name, around);
                    match default {
                        Some(default) if value.is_empty() => out.push_str(default),
                        _ => out.push_str(&value),
                    }
                }
                Part::Output(words) => {
                    // The command cannot change this process; a sleep in it takes no time.
                    let words = self.expand_all(words, around, now);
                    let output = self.clone().command(&words, around, now);
                    out.push_str(output.stdout.trim_end_matches('\n'));
                }
                Part::Arithmetic(expression) => {
                    let lookup = |name: &str| self.variable(name, around).trim().parse().unwrap_or(0);
                    out.push_str(&arithmetic(expression, &lookup).unwrap_or(0).to_string());
                }
            }
            if out.len() > MAX_TEXT {
                return String::new();
            }
        }
        out
    }

    fn variable(&self, name: &str, around: Surroundings<'_>) -> String {
        let arguments = &self.program.arguments;
        match name {
            "?" => self.status.to_string(),
            "#" => arguments.len().to_string(),
            "@" | "*" => arguments.join(" "),
            "$" => "1".to_owned(),
            "0" => "sh".to_owned(),
            "HOSTNAME" => around.hostname.to_owned(),
            "RANDOM" => {
                // A shell's pseudo-random numbers, from where it stands: the same in every replay.
                ((self.at as u64 + self.served + self.variables.len() as u64) * 7_919 % 32_768).to_string()
            }
            _ => {
                let own = self.variables.get(name).cloned();
                let argument = || {
                    arguments
                        .get(name.parse::<usize>().ok()?.checked_sub(1)?)
                        .cloned()
                };
                let inherited = || {
                    around
                        .env
                        .iter()
                        .rev()
                        .find(|(known, _)| known == name)
                        .map(|(_, v)| v.clone())
                };
                own.or_else(argument).or_else(inherited).unwrap_or_default()
            }
        }
    }
}

/// `+ - * / %`, comparisons and brackets over whole numbers.
fn arithmetic(text: &str, lookup: &dyn Fn(&str) -> i64) -> Option<i64> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let length = if c.is_ascii_alphanumeric() || c == '_' || c == '$' {
            rest[1..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .map_or(rest.len(), |at| at + 1)
        } else if ["<=", ">=", "==", "!="]
            .iter()
            .any(|operator| rest.starts_with(operator))
        {
            2
        } else {
            c.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    let mut at = 0;
    let value = level(&tokens, &mut at, 0, lookup, 0)?;
    (at == tokens.len()).then_some(value)
}

const LEVELS: [&[&str]; 3] = [&["<", ">", "<=", ">=", "==", "!="], &["+", "-"], &["*", "/", "%"]];

fn level(
    tokens: &[&str],
    at: &mut usize,
    rank: usize,
    lookup: &dyn Fn(&str) -> i64,
    depth: usize,
) -> Option<i64> {
    let Some(operators) = LEVELS.get(rank) else {
        return atom(tokens, at, lookup, depth);
    };
    let mut left = level(tokens, at, rank + 1, lookup, depth)?;
    while let Some(operator) = tokens.get(*at).filter(|token| operators.contains(token)) {
        *at += 1;
        let right = level(tokens, at, rank + 1, lookup, depth)?;
        left = match *operator {
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" => left.checked_div(right)?,
            "%" => left.checked_rem(right)?,
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "==" => i64::from(left == right),
            _ => i64::from(left != right),
        };
    }
    Some(left)
}

fn atom(tokens: &[&str], at: &mut usize, lookup: &dyn Fn(&str) -> i64, depth: usize) -> Option<i64> {
    if depth > 50 {
        return None;
    }
    let token = *tokens.get(*at)?;
    *at += 1;
    match token {
        "(" => {
            let value = level(tokens, at, 0, lookup, depth + 1)?;
            let closed = tokens.get(*at) == Some(&")");
            *at += 1;
            closed.then_some(value)
        }
        "-" => Some(atom(tokens, at, lookup, depth + 1)?.wrapping_neg()),
        _ if token.starts_with(|c: char| c.is_ascii_digit()) => token.parse().ok(),
        _ => Some(lookup(token.trim_start_matches('$'))),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn arithmetic() {
        let eval = |text| super::arithmetic(text, &|name| if name == "i" { 4 } else { 0 });
        assert_eq!(eval("i + 1"), Some(5));
        assert_eq!(eval("2*(3+$i) % 5"), Some(4));
        assert_eq!(eval("-i--2"), Some(-2));
        assert_eq!(eval("i<5"), Some(1));
        assert_eq!(eval("1/0"), None);
        assert_eq!(eval("1 2"), None);
        assert_eq!(eval(""), None);
    }
}
