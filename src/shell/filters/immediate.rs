//! Programs that read nothing: `echo`, `ls`, `test`, `sleep` and their kind.

use super::super::program::{Io, Program, Progress};
use super::super::transport::parse_duration;
use super::unescape;
use crate::api::civil;
use crate::sim::SimTime;

/// Programs that read nothing and finish at once.
pub(super) struct Immediate {
    pub(super) name: String,
    pub(super) args: Vec<String>,
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
                io.out(&(civil::format(now, "%a %b %e %H:%M:%S UTC %Y") + "\n"));
            }
            "ls" => {
                let names: Vec<String> = match args.iter().find(|a| !a.starts_with('-')) {
                    None if args.iter().any(|a| a.contains(['a', 'A'])) => {
                        io.session.files.keys().cloned().collect()
                    }
                    None => io.session.names().cloned().collect(),
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
                    if !io.session.remove(name) && !force {
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
pub(super) struct Sleep {
    pub(super) args: Vec<String>,
    pub(super) until: Option<SimTime>,
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
