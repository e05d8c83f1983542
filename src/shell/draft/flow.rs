//! The cursor within braces and brackets, where indentation says nothing: `{name: a, ports: [{…`. What is
//! being written may lack its end.

use super::cursor::Slot;

/// Where the cursor stands, below the place the outermost bracket stands at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: Vec<String>,
    pub(super) slot: Slot,
    pub(super) word: String,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) siblings: Vec<String>,
    /// `apiVersion` and `kind` of the outermost mapping.
    pub(super) head: [String; 2],
}

#[derive(Clone, Copy, PartialEq)]
enum Token {
    /// A mapping or a list begins.
    Open(bool),
    Close,
    Comma,
    Colon,
    Word,
}

/// A mapping or a list that is open.
#[derive(Default)]
struct Frame {
    mapping: bool,
    /// A word that may be a key, and where it begins.
    pending: Option<(String, usize)>,
    /// The key whose value is due or here.
    key: Option<String>,
    keys: Vec<(String, usize)>,
    /// The value or item is here; a comma has to follow.
    full: bool,
}

/// The next token at or behind `at`: what it is, where it begins and ends.
fn token(text: &str, at: usize, after_quote: bool) -> Option<(Token, usize, usize)> {
    let mut at = at;
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start().len();
        let behind_blank = at == 0 || blank > 0;
        at += blank;
        if text[at..].starts_with('#') && behind_blank {
            at += text[at..].find('\n').unwrap_or(text.len() - at);
            continue;
        }
        break;
    }
    let rest = &text[at..];
    let first = rest.chars().next()?;
    let one = |token| Some((token, at, at + 1));
    let is_colon = |from: usize| {
        let next = text[from + 1..].chars().next();
        next.is_none_or(|next| next.is_whitespace() || ",[]{}".contains(next))
    };
    match first {
        '{' => one(Token::Open(true)),
        '[' => one(Token::Open(false)),
        '}' | ']' => one(Token::Close),
        ',' => one(Token::Comma),
        ':' if after_quote || is_colon(at) => one(Token::Colon),
        '"' | '\'' => {
            let mut escaped = false;
            let closing = rest.char_indices().skip(1).find(|(_, c)| {
                let closes = *c == first && !escaped;
                escaped = *c == '\\' && first == '"' && !escaped;
                closes || *c == '\n'
            });
            let to = closing.map_or(rest.len(), |(to, c)| if c == '\n' { to } else { to + 1 });
            Some((Token::Word, at, at + to))
        }
        _ => {
            let ends = |(to, c): &(usize, char)| {
                ",[]{}\n".contains(*c)
                    || (*c == ':' && is_colon(at + to))
                    || (*c == '#' && rest[..*to].ends_with(' '))
            };
            let to = rest.char_indices().find(ends).map_or(rest.len(), |(to, _)| to);
            let word = rest[..to].trim_end();
            // A colon alone, or what nothing is made of, is passed over as a word of its own.
            Some((Token::Word, at, at + word.len().max(first.len_utf8())))
        }
    }
}

fn unquoted(word: &str) -> String {
    word.trim_matches(['"', '\'']).to_owned()
}

/// Reads from the bracket at `start`. `Ok(None)` is a place between words, where nothing can be said.
/// # Errors
/// Where the brackets end, if the cursor is not within.
pub(super) fn place(text: &str, start: usize, cursor: usize) -> Result<Option<Place>, usize> {
    let cursor = cursor.min(text.len());
    let mut stack: Vec<Frame> = Vec::new();
    // The place, and how many brackets were open there.
    let mut found: Option<(Option<Place>, usize)> = None;
    let mut head = [String::new(), String::new()];
    let (mut at, mut after_quote) = (start, false);
    loop {
        let next = token(text, at, after_quote);
        let (from, to) = next.map_or((text.len(), text.len()), |(_, from, to)| (from, to));
        let in_word = matches!(next, Some((Token::Word, ..))) && from <= cursor && cursor <= to;
        if let (None, Some(top), true) = (&found, stack.last(), in_word || cursor <= from) {
            let path = stack[..stack.len() - 1]
                .iter()
                .filter_map(|frame| frame.key.clone());
            let slot = match (&top.key, top.mapping) {
                (Some(key), true) => Slot::Value(key.clone()),
                (None, true) => Slot::Key,
                (_, false) => Slot::Item,
            };
            let range = if in_word { (from, to) } else { (cursor, cursor) };
            let place = Place {
                path: path.collect(),
                slot,
                word: unquoted(&text[range.0..range.1]),
                from: range.0,
                to: range.1,
                ..Place::default()
            };
            let line = text[..cursor].rfind('\n').map_or(0, |at| at + 1);
            let commented = text[at.max(line).min(cursor)..cursor].contains('#');
            let between = top.full || top.pending.is_some() || (!in_word && commented);
            found = Some(((!between).then_some(place), stack.len()));
        }
        let Some((token, from, to)) = next else { break };
        let depth = stack.len();
        let text = &text[from..to];
        match (token, stack.last_mut()) {
            (Token::Open(mapping), _) => stack.push(Frame {
                mapping,
                ..Frame::default()
            }),
            (Token::Close, Some(frame)) => {
                if let Some((Some(place), open)) = &mut found
                    && *open == depth
                {
                    place.siblings = others(frame, place.from);
                    *open = 0;
                }
                stack.pop();
                match stack.last_mut() {
                    Some(outer) => outer.full = true,
                    None if found.is_none() => return Err(to),
                    None => break,
                }
            }
            (Token::Comma, Some(frame)) => (frame.pending, frame.key, frame.full) = (None, None, false),
            (Token::Colon, Some(frame)) => {
                if let Some((key, from)) = frame.pending.take() {
                    frame.keys.push((key.clone(), from));
                    frame.key = Some(key);
                }
            }
            (Token::Word, Some(frame)) if frame.mapping && frame.key.is_none() => {
                frame.pending = Some((unquoted(text), from));
            }
            (Token::Word, Some(frame)) => {
                frame.full = true;
                match frame.key.as_deref().filter(|_| depth == 1) {
                    Some("apiVersion") => head[0] = unquoted(text),
                    Some("kind") => head[1] = unquoted(text),
                    _ => {}
                }
            }
            (_, None) => break,
        }
        after_quote = text.starts_with(['"', '\'']);
        at = to;
    }
    // What has no end yet: its siblings are those so far.
    if let Some((Some(place), open)) = &mut found
        && let Some(frame) = stack.get(open.wrapping_sub(1))
    {
        place.siblings = others(frame, place.from);
    }
    Ok(found
        .and_then(|(place, _)| place)
        .map(|place| Place { head, ..place }))
}

/// The keys of a mapping but the one that begins there.
fn others(frame: &Frame, own: usize) -> Vec<String> {
    let others = frame.keys.iter().filter(|(_, from)| *from != own);
    others.map(|(key, _)| key.clone()).collect()
}
