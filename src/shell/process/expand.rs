//! Words with their variables, substitutions and quotes become arguments.

use super::super::lex::{Part, Word};
use super::super::parse::{Pipeline, Redirect};
use super::super::program::Session;

/// The scripts of a pipeline's substitutions, in the order [`stage`] expands them.
pub(super) fn substitutions(pipeline: &Pipeline) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut add = |word: &Word| {
        for part in &word.0 {
            if let Part::Command { script, .. } = part {
                scripts.push(script.clone());
            }
        }
    };
    for command in &pipeline.commands {
        command.assignments.iter().for_each(|(_, word)| add(word));
        command.words.iter().for_each(&mut add);
        for redirect in &command.redirects {
            match redirect {
                Redirect::Here(word) | Redirect::Input(word) | Redirect::Output(_, _, word) => add(word),
                Redirect::Duplicate(..) => {}
            }
        }
    }
    scripts
}

fn variable(name: &str, session: &Session) -> String {
    match name {
        "?" => session
            .variables
            .get("?")
            .cloned()
            .unwrap_or_else(|| "0".to_owned()),
        "HOSTNAME" => session.host.clone(),
        "PWD" | "HOME" => "/root".to_owned(),
        _ => match name.split_once(":-") {
            Some((name, default)) => session
                .variables
                .get(name)
                .filter(|v| !v.is_empty())
                .cloned()
                .unwrap_or_else(|| default.to_owned()),
            None => session.variables.get(name).cloned().unwrap_or_default(),
        },
    }
}

/// A `~` that begins a word is the home directory.
fn home(text: &str, is_first: bool) -> String {
    match text.strip_prefix('~') {
        Some(rest) if is_first && (rest.is_empty() || rest.starts_with('/')) => format!("/root{rest}"),
        _ => text.to_owned(),
    }
}

pub(super) fn expand_unsplit(
    word: &Word,
    session: &Session,
    substituted: &mut dyn Iterator<Item = String>,
) -> String {
    word.0
        .iter()
        .enumerate()
        .map(|(at, part)| match part {
            Part::Text { text, quoted } => home(text, at == 0 && !quoted),
            Part::Variable { name, .. } => variable(name, session),
            Part::Command { .. } => substituted.next().unwrap_or_default(),
        })
        .collect()
}

/// Expansion with word splitting of what was not quoted.
pub(super) fn expand(
    word: &Word,
    session: &Session,
    substituted: &mut dyn Iterator<Item = String>,
) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let add = |text: &str, words: &mut Vec<String>, open: &mut bool| {
        if !*open {
            words.push(String::new());
            *open = true;
        }
        if let Some(last) = words.last_mut() {
            last.push_str(text);
        }
    };
    for (at, part) in word.0.iter().enumerate() {
        let (text, split) = match part {
            Part::Text { text, quoted } => (home(text, at == 0 && !quoted), false),
            Part::Variable { name, quoted } => (variable(name, session), !quoted),
            Part::Command { quoted, .. } => (substituted.next().unwrap_or_default(), !quoted),
        };
        if !split {
            add(&text, &mut words, &mut open);
            continue;
        }
        if text.starts_with(char::is_whitespace) {
            open = false;
        }
        for (i, piece) in text.split_whitespace().enumerate() {
            if i > 0 {
                open = false;
            }
            add(piece, &mut words, &mut open);
        }
        if text.ends_with(char::is_whitespace) {
            open = false;
        }
    }
    words
}
