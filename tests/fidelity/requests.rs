//! The language of `rest/requests.txt`.
//!
//! ```text
//! case NAME METHOD PATH      a request whose answer is compared (if one was recorded)
//! send METHOD PATH           a request that only prepares
//!   Accept: text/csv         … with a header
//!   as: viewer-token         … with another token ("nobody" for none)
//!   = {"kind": …}            … with this body, byte for byte
//!   = text "not JSON"        … with this text as body
//!   = CASE with [patch]      … with an earlier answer as body, after a JSON patch
//! open NAME PATH … close     a watch; what stands between happens while it is open
//! let VAR SOURCE /pointer    a value out of an answer: of a GET of a path, a case, or the last `send`;
//!                            <VAR> stands for it in paths and bodies, without a pointer it is a case
//! settle 5s                  time passes
//! forget                     the server forgets its history
//! ```

use std::time::Duration;

#[derive(Debug, Default)]
pub struct Ask {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// Another token than the administrator's; empty for none.
    pub token: Option<String>,
    pub body: Option<Body>,
}

#[derive(Debug)]
pub enum Body {
    Text(String),
    /// A case's answer, and a JSON patch.
    Answer(String, String),
}

#[derive(Debug)]
pub enum Step {
    Case(String, Ask),
    Send(Ask),
    Open(String, Ask),
    Close,
    Let {
        name: String,
        source: String,
        pointer: Option<String>,
    },
    Settle(Duration),
    Forget,
}

/// Reads a script.
///
/// Panics on what is no step.
pub fn parse(script: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in script
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(detail) = line.strip_prefix("  ") {
            match steps.last_mut() {
                Some(Step::Case(_, ask) | Step::Send(ask) | Step::Open(_, ask)) => ask.detail(detail),
                _ => panic!("belongs to no request: {line}"),
            }
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        let ask = |method: &str, path: &str| Ask {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Ask::default()
        };
        steps.push(match words[..] {
            ["case", name, method, path] => Step::Case(name.to_owned(), ask(method, path)),
            ["send", method, path] => Step::Send(ask(method, path)),
            ["open", name, path] => Step::Open(name.to_owned(), ask("GET", path)),
            ["close"] => Step::Close,
            ["let", name, source] => Step::Let {
                name: name.to_owned(),
                source: source.to_owned(),
                pointer: None,
            },
            ["let", name, source, pointer] => Step::Let {
                name: name.to_owned(),
                source: source.to_owned(),
                pointer: Some(pointer.to_owned()),
            },
            ["settle", span] => Step::Settle(parse_span(span)),
            ["forget"] => Step::Forget,
            _ => panic!("not a step: {line}"),
        });
    }
    steps
}

/// "300ms" or "5s".
pub fn parse_span(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(number) => Duration::from_millis(number.parse().unwrap()),
        None => Duration::from_secs(text.trim_end_matches('s').parse().unwrap()),
    }
}

impl Ask {
    fn detail(&mut self, detail: &str) {
        if let Some(token) = detail.strip_prefix("as: ") {
            self.token = Some(if token == "nobody" {
                String::new()
            } else {
                token.to_owned()
            });
        } else if let Some(body) = detail.strip_prefix("= ") {
            self.body = Some(match (body.strip_prefix("text "), body.split_once(" with ")) {
                (Some(text), _) => Body::Text(serde_json::from_str(text).unwrap()),
                (None, Some((case, patch))) if !body.starts_with(['{', '[', '"']) => {
                    Body::Answer(case.to_owned(), patch.to_owned())
                }
                _ => Body::Text(body.to_owned()),
            });
        } else {
            let (name, value) = detail.split_once(": ").expect("a header");
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }
}
