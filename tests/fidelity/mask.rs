//! What differs between any two runs (uids, times, generated names, assigned addresses) replaced in
//! text.
//!
//! A mask is written with its value first. Sorting looks only at the kind; at the end the values are
//! numbered in order of appearance, so that two different uids stay different, or dropped.

use regex::{Captures, Regex};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Kinds whose values are told apart.
const NUMBERED: [&str; 4] = ["uid", "gen", "hash", "ip"];
/// The letters of generated names. Source: k8s.io/apimachinery/pkg/util/rand.
const LETTERS: &str = "[bcdfghjklmnpqrstvwxz2456789]";
/// Words of the cases that look generated.
const WORDS: [&str; 2] = ["https", "front"];

type Beside = fn(&str) -> bool;

struct Rule {
    pattern: Regex,
    /// What must hold of the text before and after a match.
    before: Beside,
    after: Beside,
    with: fn(&Captures) -> String,
}

fn token(kind: &str, value: &str) -> String {
    let value = if NUMBERED.contains(&kind) { value } else { "" };
    format!("\u{1}{kind}\u{2}{value}\u{3}")
}

/// The mask of a generated hash, wherever it is read from.
pub fn hash(value: &str) -> String {
    token("hash", value)
}

fn generated(kind: &str, found: &Captures) -> String {
    let word = &found[1];
    let is_number = word.len() < 5 && word.bytes().all(|b| b.is_ascii_digit());
    if WORDS.contains(&word) || is_number {
        found[0].to_owned()
    } else {
        format!("-{}", token(kind, word))
    }
}

fn anywhere(_: &str) -> bool {
    true
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn after_letter(before: &str) -> bool {
    before.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn before_no_word(after: &str) -> bool {
    !after.starts_with(is_word)
}

fn before_no_name(after: &str) -> bool {
    !after.starts_with(|c| is_word(c) || c == '-')
}

fn rule(pattern: &str, before: Beside, after: Beside, with: fn(&Captures) -> String) -> Rule {
    let pattern = Regex::new(&pattern.replace("LETTER", LETTERS)).unwrap();
    Rule {
        pattern,
        before,
        after,
        with,
    }
}

impl Rule {
    fn apply(&self, text: &str) -> String {
        let (mut out, mut done, mut at) = (String::new(), 0, 0);
        while let Some(found) = self.pattern.captures_at(text, at) {
            let whole = found.get(0).unwrap();
            if (self.before)(&text[..whole.start()]) && (self.after)(&text[whole.end()..]) {
                out.push_str(&text[done..whole.start()]);
                out.push_str(&(self.with)(&found));
                (done, at) = (whole.end(), whole.end());
            } else {
                at = whole.start() + text[whole.start()..].chars().next().map_or(1, char::len_utf8);
            }
            if at > text.len() {
                break;
            }
        }
        out.push_str(&text[done..]);
        out
    }
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let any = anywhere;
    vec![
        rule(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", any, any, |_| token("jwt", "")),
        rule(
            r"(?s)-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----(\\n|\n)?",
            any,
            any,
            |_| token("pem", ""),
        ),
        rule(
            r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
            any,
            any,
            |c| token("uid", &c[0]),
        ),
        rule(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}Z", any, any, |_| {
            token("microtime", "")
        }),
        rule(
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d\d:?\d\d|Z| UTC)?",
            any,
            any,
            |_| token("time", ""),
        ),
        rule(
            r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}",
            any,
            any,
            |_| token("time", ""),
        ),
        rule(
            r"\bv1\.\d+\.\d+([-+][\w.+-]+)?\b",
            any,
            |after| !after.starts_with(|c: char| c.is_ascii_digit()),
            |_| token("version", ""),
        ),
        rule(
            r"[0-9a-f]{15,17}\b",
            |before| before.ends_with('.'),
            any,
            |_| token("event", ""),
        ),
        rule(
            r"[0-9a-f]{64}",
            |before| before.ends_with("sha256:"),
            any,
            |_| token("digest", ""),
        ),
        rule(
            r"(/tmp/|/var/folders/)[\w./-]*?(LIVE|MERGED)-\d+",
            any,
            any,
            |c| format!("{}/{}", token("tmp", ""), &c[2]),
        ),
        rule(r"\b(LIVE|MERGED)-\d+", any, any, |c| c[1].to_owned()),
        rule(r"(too old resource version: \d+ )\(\d+\)", any, any, |c| {
            format!("{}({})", &c[1], token("rv", ""))
        }),
        rule(
            r"(Too large resource version: \d+, current: )\d+",
            any,
            any,
            |c| format!("{}{}", &c[1], token("rv", "")),
        ),
        rule(r#"(resourceVersion: )"\d+""#, any, any, |c| {
            format!("{}{}", &c[1], token("rv", ""))
        }),
        rule(r"(nodePort: |NodePort: .*?)3[0-2]\d{3}\b", any, any, |c| {
            if c[0].ends_with("30080") {
                c[0].to_owned()
            } else {
                format!("{}{}", &c[1], token("nodeport", ""))
            }
        }),
        rule(
            r"(\d:)(3[0-2]\d{3})",
            any,
            |after| after.starts_with("/TCP") || after.starts_with("/UDP"),
            |c| {
                if &c[2] == "30080" {
                    c[0].to_owned()
                } else {
                    format!("{}{}", &c[1], token("nodeport", ""))
                }
            },
        ),
        rule(r"-(LETTER{6,10})-(LETTER{5})\b", any, any, |c| {
            format!("-{}-{}", token("hash", &c[1]), token("gen", &c[2]))
        }),
        rule(r"-(LETTER{8,10})", after_letter, before_no_name, |c| {
            generated("hash", c)
        }),
        rule(
            r#""?(LETTER{6,10})"?"#,
            |before| before.ends_with("hash= ") || before.ends_with("hash: "),
            before_no_word,
            |c| token("hash", &c[1]),
        ),
        rule(
            r"LETTER{6,10}",
            |before| before.ends_with("hash="),
            before_no_word,
            |c| token("hash", &c[0]),
        ),
        rule(r"-(LETTER{5})", after_letter, before_no_name, |c| {
            generated("gen", c)
        }),
        rule(
            r"\d{8}\b",
            |before| before.ends_with('-'),
            any,
            |_| token("slot", ""),
        ),
    ]
});

static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}").unwrap());
static NODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bnode-[0-2]\b").unwrap());
static NODE_COMMAND: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bnode|drain|cordon|taint").unwrap());
static AGE: LazyLock<Rule> = LazyLock::new(|| {
    let before = |before: &str| !before.ends_with(|c| is_word(c) || "=.:/-".contains(c));
    let after = |after: &str| !after.starts_with(|c| is_word(c) || c == '=');
    rule(r"\d+[dhms](\d+[hms])?( ago)?", before, after, |_| {
        "<age>".to_owned()
    })
});
static REPEATED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<age> \(x\d+ over <age>\)").unwrap());
static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new("\u{1}(\\w+)\u{2}([^\u{3}]*)\u{3}").unwrap());

/// Masks the answers of one case.
pub struct Masker {
    /// Addresses named in the question are meant literally.
    addresses: Vec<String>,
    /// So are the nodes of a question about nodes.
    nodes: bool,
    /// Where the server was, in what kubectl printed.
    pub server: Option<String>,
}

impl Masker {
    /// `asked` is the whole question, `command` its command line (empty for a request).
    pub fn new(asked: &str, command: &str, group: &str) -> Masker {
        let mut addresses: Vec<String> = ADDRESS
            .find_iter(asked)
            .map(|found| found.as_str().to_owned())
            .collect();
        addresses.push("10.96.0.1".to_owned());
        let path = if command.is_empty() {
            asked.lines().next().unwrap_or("")
        } else {
            ""
        };
        let nodes =
            path.contains("node") || NODE_COMMAND.is_match(command) || matches!(group, "binding" | "node");
        Masker {
            addresses,
            nodes,
            server: None,
        }
    }

    pub fn text(&self, text: &str) -> String {
        let mut text = match &self.server {
            Some(server) => {
                let host = server.split("//").nth(1).unwrap_or(server);
                text.replace(server, "<server>").replace(host, "<server>")
            }
            None => text.to_owned(),
        };
        for rule in RULES.iter() {
            text = rule.apply(&text);
        }
        text = self.masked_addresses(&text);
        if self.nodes {
            text
        } else {
            NODE.replace_all(&text, "node-N").into_owned()
        }
    }

    fn masked_addresses(&self, text: &str) -> String {
        let (mut out, mut done) = (String::new(), 0);
        for found in ADDRESS.find_iter(text) {
            let before = text[..found.start()].ends_with(|c| is_word(c) || c == '.');
            let run = text[found.end()..]
                .chars()
                .take_while(|c| is_word(*c) || *c == '.');
            if before
                || run.into_iter().any(|c| c.is_ascii_digit())
                || self.addresses.iter().any(|a| a == found.as_str())
            {
                continue;
            }
            out.push_str(&text[done..found.start()]);
            out.push_str(&token("ip", found.as_str()));
            done = found.end();
        }
        out.push_str(&text[done..]);
        out
    }
}

/// Ages replaced, with how often something was repeated over them.
pub fn ages(text: &str) -> String {
    repeats(&AGE.apply(text))
}

/// "5m (x3 over 10m)" of masked ages as one age.
pub fn repeats(text: &str) -> String {
    REPEATED.replace_all(text, "<age>").into_owned()
}

/// Masks without their values.
pub fn bare(text: &str) -> String {
    TOKEN.replace_all(text, "<$1>").into_owned()
}

/// Masks with their values numbered as they come.
pub fn number(text: &str) -> String {
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let numbered = TOKEN.replace_all(text, |found: &Captures| {
        let (kind, value) = (&found[1], &found[2]);
        if !NUMBERED.contains(&kind) {
            return format!("<{kind}>");
        }
        let values = seen.entry(kind.to_owned()).or_default();
        let place = values.iter().position(|known| known == value).unwrap_or_else(|| {
            values.push(value.to_owned());
            values.len() - 1
        });
        format!("<{kind}{}>", place + 1)
    });
    numbered.into_owned()
}

/// Whether an object's text names something generated, so that its place in a list says nothing.
pub fn has_generated(text: &str) -> bool {
    ["\u{1}gen\u{2}", "\u{1}event\u{2}", "\u{1}hash\u{2}"]
        .iter()
        .any(|mark| text.contains(mark))
}
