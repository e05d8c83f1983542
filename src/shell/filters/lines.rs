//! Programs that read lines: `cat`, `grep`, `sort` and their kind.

use super::super::pattern::Pattern;
use super::super::program::{Io, Pipe, Program, Progress};
use super::options::Options;
use crate::api::order::StableSort;

/// Programs that read lines, from files or from the pipe.
pub(super) struct Filter {
    pub(super) name: String,
    pub(super) args: Vec<String>,
    pub(super) state: Option<State>,
}

pub(super) struct State {
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

pub(super) enum Kind {
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
            *io.stdin = Pipe::of(text);
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
