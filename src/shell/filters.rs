//! The small programs around pipes: `echo cat grep head tail wc sort uniq cut tr tee true false
//! sleep date ls rm pwd cd clear history export env seq test`.

use super::pattern::Pattern;
use super::program::{Io, Program, Progress};
use super::transport::parse_duration;
use crate::api::order::StableSort;
use crate::sim::SimTime;

/// The names of this file's programs.
pub const NAMES: &[&str] = &[
    "cat", "cd", "clear", "cut", "date", "echo", "env", "export", "false", "grep", "head", "history", "ls",
    "printf", "pwd", "rm", "seq", "sleep", "sort", "tail", "tee", "test", "tr", "true", "uniq", "unset",
    "wc",
];

/// Starts one of them.
pub fn start(name: &str, args: &[String]) -> Option<Box<dyn Program>> {
    let args = args.to_vec();
    Some(match name {
        "echo" | "printf" | "true" | "false" | "ls" | "rm" | "pwd" | "cd" | "clear" | "history"
        | "export" | "unset" | "env" | "seq" | "date" | "test" => Box::new(Immediate {
            name: name.to_owned(),
            args,
        }),
        "cat" | "grep" | "head" | "tail" | "wc" | "sort" | "uniq" | "cut" | "tr" | "tee" => {
            Box::new(Filter {
                name: name.to_owned(),
                args,
                state: None,
            })
        }
        "sleep" => Box::new(Sleep { args, until: None }),
        _ => return None,
    })
}

/// Programs that read nothing and finish at once.
struct Immediate {
    name: String,
    args: Vec<String>,
}

impl Program for Immediate {
    fn poll(&mut self, io: &mut Io) -> Progress {
        match self.run(io) {
            Ok(code) => Progress::Done(code),
            Err(message) => {
                io.err(&format!("{}: {message}\n", self.name));
                Progress::Done(1)
            }
        }
    }
}

impl Immediate {
    fn run(&self, io: &mut Io) -> Result<i32, String> {
        let args = &self.args;
        match self.name.as_str() {
            "false" => return Ok(1),
            "true" | "clear" => {}
            "echo" => {
                let flags = args
                    .iter()
                    .take_while(|a| matches!(a.as_str(), "-n" | "-e" | "-ne" | "-en"))
                    .count();
                let has = |c: char| args[..flags].iter().any(|a| a.contains(c));
                let mut text = args[flags..].join(" ");
                if has('e') {
                    text = unescape(&text);
                }
                io.out(&text);
                if !has('n') {
                    io.out("\n");
                }
            }
            "printf" => {
                let Some((format, rest)) = args.split_first() else {
                    return Err("usage: printf format [arguments]".to_owned());
                };
                io.out(&printf(format, rest));
            }
            "pwd" => io.out("/root\n"),
            "cd" => {}
            "date" => {
                let now = io.transport.now().timestamp();
                io.out(&format!("{}\n", now.strftime("%a %b %e %H:%M:%S UTC %Y")));
            }
            "ls" => {
                let names: Vec<String> = match args.iter().find(|a| !a.starts_with('-')) {
                    None => io.session.files.keys().cloned().collect(),
                    Some(name) if io.session.file(name).is_some() => vec![name.clone()],
                    Some(name) => {
                        let found = io.session.directory(name);
                        if found.is_empty() {
                            return Err(format!("cannot access '{name}': No such file or directory"));
                        }
                        found
                    }
                };
                for name in names {
                    io.out(&format!("{name}\n"));
                }
            }
            "rm" => {
                let force = args.iter().any(|a| a.starts_with('-') && a.contains('f'));
                for name in args.iter().filter(|a| !a.starts_with('-')) {
                    let key = name.strip_prefix("./").unwrap_or(name);
                    if io.session.files.remove(key).is_none() && !force {
                        return Err(format!("cannot remove '{name}': No such file or directory"));
                    }
                }
            }
            "history" => {
                let lines: String = io
                    .session
                    .history
                    .iter()
                    .enumerate()
                    .map(|(i, line)| format!("{:5}  {line}\n", i + 1))
                    .collect();
                io.out(&lines);
            }
            "export" => {
                for arg in args {
                    if let Some((name, value)) = arg.split_once('=') {
                        io.session.variables.insert(name.to_owned(), value.to_owned());
                    }
                }
            }
            "unset" => args
                .iter()
                .for_each(|name| drop(io.session.variables.remove(name))),
            "env" => {
                let lines: String = io
                    .session
                    .variables
                    .iter()
                    .map(|(name, value)| format!("{name}={value}\n"))
                    .collect();
                io.out(&lines);
            }
            "seq" => {
                let numbers: Vec<i64> = args
                    .iter()
                    .map(|a| {
                        a.parse()
                            .map_err(|_| format!("invalid floating point argument: '{a}'"))
                    })
                    .collect::<Result<_, _>>()?;
                let (from, to) = match numbers[..] {
                    [to] => (1, to),
                    [from, to] => (from, to),
                    _ => return Err("missing operand".to_owned()),
                };
                for n in from..=to.min(from.saturating_add(100_000)) {
                    io.out(&format!("{n}\n"));
                }
            }
            "test" => {
                let words: Vec<&str> = args.iter().map(String::as_str).collect();
                let truth = match words[..] {
                    ["-n", text] => !text.is_empty(),
                    ["-z", text] => text.is_empty(),
                    ["-f" | "-e", name] => io.session.file(name).is_some(),
                    [a, "=" | "==", b] => a == b,
                    [a, "!=", b] => a != b,
                    [a, op @ ("-eq" | "-ne" | "-lt" | "-gt" | "-le" | "-ge"), b] => {
                        let number = |text: &str| {
                            text.parse::<i64>()
                                .map_err(|_| format!("{text}: integer expression expected"))
                        };
                        let (a, b) = (number(a)?, number(b)?);
                        match op {
                            "-eq" => a == b,
                            "-ne" => a != b,
                            "-lt" => a < b,
                            "-gt" => a > b,
                            "-le" => a <= b,
                            _ => a >= b,
                        }
                    }
                    [text] => !text.is_empty(),
                    _ => false,
                };
                return Ok(i32::from(!truth));
            }
            _ => {}
        }
        Ok(0)
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// `%s`, `%d` and `%%`; the format repeats while arguments are left.
fn printf(format: &str, args: &[String]) -> String {
    let format = unescape(format);
    let (mut out, mut args) = (String::new(), args.iter());
    loop {
        let before = args.len();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            match (c, if c == '%' { chars.next() } else { None }) {
                ('%', Some('s' | 'd' | 'b')) => out.push_str(args.next().map_or("", |a| a)),
                ('%', Some(other)) => out.push(other),
                (c, _) => out.push(c),
            }
        }
        if args.len() == 0 || args.len() == before {
            return out;
        }
    }
}

/// Waits in virtual time.
struct Sleep {
    args: Vec<String>,
    until: Option<SimTime>,
}

impl Program for Sleep {
    fn poll(&mut self, io: &mut Io) -> Progress {
        let now = io.transport.now();
        let until = match self.until {
            Some(until) => until,
            None => {
                let text = self.args.first().cloned().unwrap_or_default();
                let bare = !text.ends_with(|c: char| c.is_ascii_alphabetic());
                match parse_duration(&if bare { format!("{text}s") } else { text.clone() }) {
                    Ok(duration) => *self.until.insert(now + duration),
                    Err(_) => {
                        io.err(&format!("sleep: invalid time interval '{text}'\n"));
                        return Progress::Done(1);
                    }
                }
            }
        };
        if now >= until {
            Progress::Done(0)
        } else {
            Progress::Waiting { until: Some(until) }
        }
    }
}

/// Programs that read lines, from files or from the pipe.
struct Filter {
    name: String,
    args: Vec<String>,
    state: Option<State>,
}

struct State {
    kind: Kind,
    lines: Vec<String>,
    /// Lines read.
    count: usize,
    words: usize,
    bytes: usize,
    /// Lines that matched, or equal lines in a row.
    hits: usize,
    /// Lines of context still to print.
    context: usize,
}

enum Kind {
    Cat {
        number: bool,
    },
    Grep {
        pattern: Pattern,
        invert: bool,
        count: bool,
        only: bool,
        quiet: bool,
        number: bool,
        max: usize,
        after: usize,
    },
    Head {
        lines: usize,
    },
    Tail {
        lines: usize,
        from: bool,
    },
    Count {
        lines: bool,
        words: bool,
        bytes: bool,
    },
    Sort {
        reverse: bool,
        numeric: bool,
        unique: bool,
        key: Option<usize>,
    },
    Unique {
        count: bool,
    },
    Cut {
        delimiter: char,
        fields: Vec<(usize, usize)>,
    },
    Translate {
        from: Vec<char>,
        to: Vec<char>,
        delete: bool,
    },
    Tee {
        file: String,
    },
}

impl Program for Filter {
    fn poll(&mut self, io: &mut Io) -> Progress {
        if self.state.is_none() {
            match self.prepare(io) {
                Ok(state) => self.state = Some(state),
                Err(message) => {
                    io.err(&format!("{}: {message}\n", self.name));
                    return Progress::Done(if self.name == "grep" { 2 } else { 1 });
                }
            }
        }
        let Some(state) = &mut self.state else {
            return Progress::Done(1);
        };
        while let Some(line) = io.stdin.line() {
            if let Some(code) = state.line(line, io) {
                return Progress::Done(code);
            }
        }
        if !io.stdin.closed {
            return Progress::Waiting { until: None };
        }
        Progress::Done(state.end(io))
    }
}

impl Filter {
    fn prepare(&mut self, io: &mut Io) -> Result<State, String> {
        let mut options = Options::default();
        let takes_value = match self.name.as_str() {
            "head" | "tail" => "nc",
            "grep" => "emA",
            "sort" => "kt",
            "cut" => "df",
            _ => "",
        };
        options.read(&self.args, takes_value)?;
        let (kind, skip) = options.kind(&self.name)?;
        let mut files: Vec<String> = options.words.split_off(skip.min(options.words.len()));
        if let Kind::Tee { .. } = kind {
            files.clear();
        }
        let from_files = files.iter().any(|f| f != "-");
        if from_files {
            let mut text = String::new();
            for name in &files {
                match io.session.file(name) {
                    Some(file) => {
                        text.push_str(file);
                        if !file.ends_with('\n') && !file.is_empty() && files.len() > 1 {
                            text.push('\n');
                        }
                    }
                    None => return Err(format!("{name}: No such file or directory")),
                }
            }
            *io.stdin = super::program::Pipe::of(text);
        }
        Ok(State {
            kind,
            lines: Vec::new(),
            count: 0,
            words: 0,
            bytes: 0,
            hits: 0,
            context: 0,
        })
    }
}

#[derive(Default)]
struct Options {
    flags: Vec<(char, String)>,
    words: Vec<String>,
}

impl Options {
    fn read(&mut self, args: &[String], takes_value: &str) -> Result<(), String> {
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
    fn kind(&self, name: &str) -> Result<(Kind, usize), String> {
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

impl State {
    /// Takes a line; a code ends the program early.
    fn line(&mut self, line: String, io: &mut Io) -> Option<i32> {
        self.count += 1;
        match &self.kind {
            Kind::Cat { number: true } => io.out(&format!("{:6}\t{line}\n", self.count)),
            Kind::Cat { number: false } => {
                io.out(&line);
                // A last line without newline stays without one.
                if !io.stdin.unfinished {
                    io.out("\n");
                }
            }
            Kind::Grep {
                pattern,
                invert,
                count,
                only,
                quiet,
                number,
                max,
                after,
            } => {
                let label = if *number {
                    format!("{}:", self.count)
                } else {
                    String::new()
                };
                let found = pattern.find(&line);
                if found.is_some() == *invert {
                    if self.context > 0 {
                        self.context -= 1;
                        io.out(&format!("{}{line}\n", label.replace(':', "-")));
                    }
                    return None;
                }
                self.hits += 1;
                if *quiet {
                    return Some(0);
                }
                if !*count {
                    match found {
                        Some((start, end)) if *only => io.out(&format!("{label}{}\n", &line[start..end])),
                        _ => io.out(&format!("{label}{line}\n")),
                    }
                    self.context = *after;
                    if self.hits >= *max {
                        return Some(0);
                    }
                }
            }
            Kind::Head { lines } => {
                if self.count <= *lines {
                    io.out(&format!("{line}\n"));
                }
                if self.count >= *lines {
                    return Some(0);
                }
            }
            Kind::Tail { lines, from: true } => {
                if self.count >= *lines {
                    io.out(&format!("{line}\n"));
                }
            }
            Kind::Tail { lines, from: false } => {
                self.lines.push(line);
                if self.lines.len() > lines.saturating_mul(2).saturating_add(100) {
                    self.lines.drain(..self.lines.len() - *lines);
                }
            }
            Kind::Count { .. } => {
                self.words += line.split_whitespace().count();
                self.bytes += line.len() + usize::from(!io.stdin.unfinished);
                self.count -= usize::from(io.stdin.unfinished);
            }
            Kind::Sort { .. } => self.lines.push(line),
            Kind::Unique { count } => {
                if self.lines.first() != Some(&line) {
                    let count = *count;
                    self.flush_unique(count, io);
                    self.lines = vec![line];
                }
                self.hits += 1;
            }
            Kind::Cut { delimiter, fields } => {
                let cells: Vec<&str> = line.split(*delimiter).collect();
                let kept: Vec<&str> = cells
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| {
                        cells.len() == 1 || fields.iter().any(|(a, b)| (*a..=*b).contains(&(i + 1)))
                    })
                    .map(|(_, cell)| *cell)
                    .collect();
                io.out(&format!("{}\n", kept.join(&delimiter.to_string())));
            }
            Kind::Translate { from, to, delete } => {
                let line = if io.stdin.unfinished {
                    line
                } else {
                    format!("{line}\n")
                };
                let text: String = line
                    .chars()
                    .filter_map(|c| match from.iter().position(|f| *f == c) {
                        None => Some(c),
                        Some(_) if *delete => None,
                        Some(i) => to.get(i).or(to.last()).copied(),
                    })
                    .collect();
                io.out(&text);
            }
            Kind::Tee { file } => {
                let text = format!("{line}\n");
                if let Err(message) = io.session.write(file, &text, self.count > 1) {
                    io.err(&format!("tee: {file}: {message}\n"));
                }
                io.out(&text);
            }
        }
        None
    }

    fn flush_unique(&mut self, count: bool, io: &mut Io) {
        if let Some(last) = self.lines.first() {
            let label = if count {
                format!("{:7} ", self.hits)
            } else {
                String::new()
            };
            io.out(&format!("{label}{last}\n"));
        }
        self.hits = 0;
    }

    /// The input ended.
    fn end(&mut self, io: &mut Io) -> i32 {
        match &self.kind {
            Kind::Grep { count, .. } => {
                if *count {
                    io.out(&format!("{}\n", self.hits));
                }
                return i32::from(self.hits == 0);
            }
            Kind::Tail { lines, .. } => self.lines[self.lines.len().saturating_sub(*lines)..]
                .iter()
                .for_each(|line| io.output.push(false, &format!("{line}\n"))),
            Kind::Count { lines, words, bytes } => {
                let wanted = [(*lines, self.count), (*words, self.words), (*bytes, self.bytes)];
                let numbers: Vec<String> = wanted.iter().filter(|w| w.0).map(|w| w.1.to_string()).collect();
                let width = if numbers.len() > 1 { 7 } else { 0 };
                let cells: Vec<String> = numbers.iter().map(|n| format!("{n:>width$}")).collect();
                io.out(&format!("{}\n", cells.join(" ")));
            }
            Kind::Sort {
                reverse,
                numeric,
                unique,
                key,
            } => {
                let (reverse, numeric, unique, key) = (*reverse, *numeric, *unique, *key);
                let field = |line: &str| -> String {
                    match key {
                        Some(k) => line
                            .split_whitespace()
                            .skip(k.max(1) - 1)
                            .collect::<Vec<_>>()
                            .join(" "),
                        None => line.to_owned(),
                    }
                };
                let number = |text: &str| -> f64 {
                    let text = text.trim_start();
                    let end = text
                        .find(|c: char| !c.is_ascii_digit() && c != '-' && c != '.')
                        .unwrap_or(text.len());
                    text[..end].parse().unwrap_or(0.0)
                };
                self.lines.stable_sort_by(|a, b| {
                    let (x, y) = (field(a), field(b));
                    let order = if numeric {
                        number(&x).total_cmp(&number(&y))
                    } else {
                        x.cmp(&y)
                    };
                    let order = order.then_with(|| a.cmp(b));
                    if reverse { order.reverse() } else { order }
                });
                if unique {
                    self.lines.dedup();
                }
                self.lines
                    .iter()
                    .for_each(|line| io.output.push(false, &format!("{line}\n")));
            }
            Kind::Unique { count } => {
                let count = *count;
                self.flush_unique(count, io);
            }
            _ => {}
        }
        0
    }
}
