//! The flags of the programs that read lines.

use super::super::pattern::Pattern;
use super::lines::Kind;
use super::unescape;

#[derive(Default)]
pub(super) struct Options {
    pub(super) flags: Vec<(char, String)>,
    pub(super) words: Vec<String>,
}

impl Options {
    pub(super) fn read(&mut self, args: &[String], takes_value: &str) -> Result<(), String> {
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                self.words.extend(args.cloned());
                return Ok(());
            }
            if let Some(long) = arg.strip_prefix("--") {
                let (name, value) = long.split_once('=').unwrap_or((long, ""));
                let short = match name {
                    "ignore-case" => 'i',
                    "invert-match" => 'v',
                    "count" => 'c',
                    "extended-regexp" => 'E',
                    "only-matching" => 'o',
                    "lines" => 'n',
                    "reverse" => 'r',
                    "unique" => 'u',
                    "color" | "colour" => continue,
                    _ => return Err(format!("unrecognized option '{arg}'")),
                };
                self.flags.push((short, value.to_owned()));
                continue;
            }
            let Some(short) = arg.strip_prefix('-').filter(|s| !s.is_empty()) else {
                self.words.push(arg.clone());
                continue;
            };
            if short.chars().all(|c| c.is_ascii_digit()) {
                self.flags.push(('n', short.to_owned()));
                continue;
            }
            let chars = short.char_indices();
            for (i, c) in chars {
                if takes_value.contains(c) {
                    let rest = &short[i + c.len_utf8()..];
                    let value = if rest.is_empty() {
                        args.next()
                            .cloned()
                            .ok_or_else(|| format!("option requires an argument -- '{c}'"))?
                    } else {
                        rest.to_owned()
                    };
                    self.flags.push((c, value));
                    break;
                }
                self.flags.push((c, String::new()));
            }
        }
        Ok(())
    }

    fn has(&self, c: char) -> bool {
        self.flags.iter().any(|f| f.0 == c)
    }

    fn value(&self, c: char) -> Option<&str> {
        self.flags.iter().rev().find(|f| f.0 == c).map(|f| f.1.as_str())
    }

    fn number(&self, c: char, default: usize) -> Result<usize, String> {
        self.value(c).map_or(Ok(default), |text| {
            text.trim_start_matches('+')
                .parse()
                .map_err(|_| format!("invalid number of lines: '{text}'"))
        })
    }

    /// The program's own form, and how many words are not files.
    pub(super) fn kind(&self, name: &str) -> Result<(Kind, usize), String> {
        let known = match name {
            "cat" => "nu",
            "grep" => "ivcEeoqnmAFw",
            "head" | "tail" => "nc",
            "wc" => "lwc",
            "sort" => "rnukt",
            "uniq" => "c",
            "cut" => "df",
            "tr" => "d",
            _ => "a",
        };
        if let Some((c, _)) = self.flags.iter().find(|f| !known.contains(f.0)) {
            return Err(format!("invalid option -- '{c}'"));
        }
        Ok(match name {
            "cat" => (
                Kind::Cat {
                    number: self.has('n'),
                },
                0,
            ),
            "grep" => {
                let (text, skip) = match self.value('e') {
                    Some(text) => (text.to_owned(), 0),
                    None => (self.words.first().cloned().ok_or("no pattern given")?, 1),
                };
                let text = if self.has('F') {
                    text.chars()
                        .flat_map(|c| {
                            if ".*[]^$\\+?|()".contains(c) {
                                vec!['\\', c]
                            } else {
                                vec![c]
                            }
                        })
                        .collect()
                } else {
                    text
                };
                let extended = self.has('E') || self.has('F');
                let text = if self.has('w') {
                    format!("(^|[^a-zA-Z0-9_])({text})([^a-zA-Z0-9_]|$)")
                } else {
                    text
                };
                let pattern = Pattern::new(&text, extended || self.has('w'), self.has('i'))?;
                let kind = Kind::Grep {
                    pattern,
                    invert: self.has('v'),
                    count: self.has('c'),
                    only: self.has('o'),
                    quiet: self.has('q'),
                    number: self.has('n'),
                    max: self.number('m', usize::MAX)?,
                    after: self.number('A', 0)?,
                };
                (kind, skip)
            }
            "head" => (
                Kind::Head {
                    lines: self.number('n', 10)?,
                },
                0,
            ),
            "tail" => (
                Kind::Tail {
                    lines: self.number('n', 10)?,
                    from: self.value('n').is_some_and(|v| v.starts_with('+')),
                },
                0,
            ),
            "wc" => {
                let all = self.flags.is_empty();
                (
                    Kind::Count {
                        lines: all || self.has('l'),
                        words: all || self.has('w'),
                        bytes: all || self.has('c'),
                    },
                    0,
                )
            }
            "sort" => {
                let key = self
                    .value('k')
                    .map(|k| {
                        k.split([',', '.'])
                            .next()
                            .unwrap_or(k)
                            .trim_end_matches(|c: char| c.is_ascii_alphabetic())
                            .parse()
                            .map_err(|_| format!("invalid number at field start: '{k}'"))
                    })
                    .transpose()?;
                let numeric = self.has('n') || self.value('k').is_some_and(|k| k.contains('n'));
                (
                    Kind::Sort {
                        reverse: self.has('r'),
                        numeric,
                        unique: self.has('u'),
                        key,
                    },
                    0,
                )
            }
            "uniq" => (Kind::Unique { count: self.has('c') }, 0),
            "cut" => {
                let fields = self
                    .value('f')
                    .ok_or("you must specify a list of bytes, characters, or fields")?;
                let fields = fields
                    .split(',')
                    .map(|part| {
                        let (a, b) = part.split_once('-').unwrap_or((part, part));
                        Some((
                            if a.is_empty() { 1 } else { a.parse().ok()? },
                            if b.is_empty() { usize::MAX } else { b.parse().ok()? },
                        ))
                    })
                    .collect::<Option<Vec<(usize, usize)>>>()
                    .ok_or("invalid field value")?;
                (
                    Kind::Cut {
                        delimiter: self.value('d').and_then(|d| d.chars().next()).unwrap_or('\t'),
                        fields,
                    },
                    0,
                )
            }
            "tr" => {
                let set = |i: usize| -> Vec<char> {
                    let text = unescape(self.words.get(i).map_or("", |w| w));
                    let chars: Vec<char> = text.chars().collect();
                    let mut out = Vec::new();
                    let mut at = 0;
                    while at < chars.len() {
                        if at + 2 < chars.len() && chars[at + 1] == '-' {
                            out.extend(chars[at]..=chars[at + 2]);
                            at += 3;
                        } else {
                            out.push(chars[at]);
                            at += 1;
                        }
                    }
                    out
                };
                let (from, to) = (set(0), set(1));
                if from.is_empty() || (to.is_empty() && !self.has('d')) {
                    return Err("missing operand".to_owned());
                }
                (
                    Kind::Translate {
                        from,
                        to,
                        delete: self.has('d'),
                    },
                    self.words.len(),
                )
            }
            _ => (
                Kind::Tee {
                    file: self.words.first().cloned().ok_or("missing file")?,
                },
                self.words.len(),
            ),
        })
    }
}
