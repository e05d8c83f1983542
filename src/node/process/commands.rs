//! The small tools a shell's script calls, as busybox has them.

use super::fetch::Fetch;
use super::{Process, Program, Surroundings, absolute};
use crate::api::civil;
use crate::sim::SimTime;
use std::sync::Arc;
use std::time::Duration;

/// What a command wants of the process that runs it.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    None,
    Exit,
    Sleep(Duration),
    Forever,
    Become(Box<Program>),
    Fetch(Box<Fetch>),
}

#[derive(Clone, Debug)]
pub(super) struct Output {
    pub stdout: String,
    pub stderr: String,
    pub status: i32,
    pub effect: Effect,
}

impl Output {
    fn status(status: i32) -> Output {
        Output {
            stdout: String::new(),
            stderr: String::new(),
            status,
            effect: Effect::None,
        }
    }

    pub(super) fn text(stdout: String) -> Output {
        Output {
            stdout,
            ..Output::status(0)
        }
    }

    pub(super) fn failed(status: i32, stderr: String) -> Output {
        Output {
            stderr,
            ..Output::status(status)
        }
    }

    fn effect(effect: Effect) -> Output {
        Output {
            effect,
            ..Output::status(0)
        }
    }
}

impl Process {
    /// One simple command, its words expanded.
    pub(super) fn command(&mut self, words: &[String], around: Surroundings<'_>, now: SimTime) -> Output {
        let Some((name, args)) = words.split_first() else {
            return Output::status(0);
        };
        let name = name.rsplit('/').next().unwrap_or(name);
        match name {
            ":" | "true" | "set" | "cd" | "wait" | "umask" | "chmod" | "chown" | "mkdir" | "sync"
            | "ulimit" => Output::status(0),
            "false" => Output::status(1),
            "exit" => {
                let status = args
                    .first()
                    .map_or(Some(self.status), |code| code.parse().ok())
                    .unwrap_or(2);
                Output {
                    effect: Effect::Exit,
                    ..Output::status(status & 0xff)
                }
            }
            "echo" => Output::text(echo(args)),
            "printf" => Output::text(printf(args)),
            "sleep" => sleep(args),
            "tail" if args.iter().any(|arg| arg.starts_with("-f") || arg == "-F") => {
                Output::effect(Effect::Forever)
            }
            "cat" | "head" | "tail" => self.cat(name, args),
            "touch" => {
                for file in args.iter().filter(|arg| !arg.starts_with('-')) {
                    self.write_file(file, "", true);
                }
                Output::status(0)
            }
            "rm" => self.rm(args),
            "ls" => self.ls(args),
            "test" | "[" => self.test(name, args),
            "hostname" => Output::text(format!("{}\n", around.hostname)),
            "pwd" => Output::text("/\n".to_owned()),
            "whoami" => Output::text("root\n".to_owned()),
            "uname" => Output::text(if args.is_empty() {
                "Linux\n".to_owned()
            } else {
                format!("Linux {} 6.12.0 #1 SMP x86_64 GNU/Linux\n", around.hostname)
            }),
            "date" => Output::text(date(args, now)),
            "env" | "printenv" if args.is_empty() => Output::text(self.environment(around)),
            "printenv" => {
                let value = around
                    .env
                    .iter()
                    .rev()
                    .find(|(name, _)| Some(name) == args.first());
                value.map_or_else(
                    || Output::status(1),
                    |(_, value)| Output::text(format!("{value}\n")),
                )
            }
            "export" => {
                for (name, value) in args.iter().filter_map(|arg| arg.split_once('=')) {
                    self.set(name, value.to_owned());
                }
                Output::status(0)
            }
            "seq" => seq(args),
            "expr" => Output::text(format!("{}\n", args.join(" "))),
            "trap" => {
                self.trap(args);
                Output::status(0)
            }
            "kill" => Output::status(0),
            "wget" | "curl" => match Fetch::parse(name, args) {
                Ok(fetch) => Output::effect(Effect::Fetch(Box::new(fetch))),
                Err((status, message)) => Output::failed(status, message),
            },
            _ => match Process::executable(if name == "exec" { args } else { words }) {
                Some(program) => Output::effect(Effect::Become(Box::new(program))),
                None => {
                    let name = if name == "exec" {
                        args.first().map_or("", String::as_str)
                    } else {
                        name
                    };
                    Output::failed(127, format!("sh: {name}: not found\n"))
                }
            },
        }
    }

    /// `trap 'exit 3' TERM`: any other handler ends the script as an interrupted `wait` does.
    fn trap(&mut self, args: &[String]) {
        let Some((handler, signals)) = args.split_first() else {
            return;
        };
        if !signals
            .iter()
            .any(|signal| matches!(signal.as_str(), "TERM" | "SIGTERM" | "15"))
        {
            return;
        }
        let last = handler.rsplit([';', '&']).next().unwrap_or_default().trim();
        let mut words = last.split_whitespace();
        self.trap = match (words.next(), handler.as_str()) {
            (_, "") => None,
            (Some("exit"), _) => Some(words.next().and_then(|code| code.parse().ok()).unwrap_or(0)),
            _ => Some(143),
        };
    }

    fn cat(&self, name: &str, args: &[String]) -> Output {
        let mut out = Output::status(0);
        for file in args.iter().filter(|arg| !arg.starts_with('-')) {
            match self.files.get(&absolute(file)) {
                Some(text) => out.stdout.push_str(text),
                None if file == "/dev/null" => {}
                None => {
                    out.status = 1;
                    out.stderr.push_str(&format!(
                        "{name}: can't open '{file}': No such file or directory\n"
                    ));
                }
            }
        }
        out
    }

    fn rm(&mut self, args: &[String]) -> Output {
        let force = args.iter().any(|arg| arg.starts_with('-') && arg.contains('f'));
        let mut out = Output::status(0);
        for file in args.iter().filter(|arg| !arg.starts_with('-')) {
            if Arc::make_mut(&mut self.files).remove(&absolute(file)).is_none() && !force {
                out.status = 1;
                out.stderr
                    .push_str(&format!("rm: can't remove '{file}': No such file or directory\n"));
            }
        }
        out
    }

    fn ls(&self, args: &[String]) -> Output {
        let folder = args
            .iter()
            .find(|arg| !arg.starts_with('-'))
            .map_or("/", String::as_str);
        let path = absolute(folder);
        if self.files.contains_key(&path) {
            return Output::text(format!("{folder}\n"));
        }
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let inside = self.files.keys().filter_map(|file| file.strip_prefix(&prefix));
        let mut names: Vec<_> = inside.filter_map(|rest| rest.split('/').next()).collect();
        names.dedup();
        if names.is_empty() && path != "/" {
            return Output::failed(1, format!("ls: {folder}: No such file or directory\n"));
        }
        Output::text(names.iter().map(|name| format!("{name}\n")).collect())
    }

    fn test(&self, name: &str, args: &[String]) -> Output {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let args = match (name, args.split_last()) {
            ("[", Some((&"]", rest))) => rest.to_vec(),
            ("[", _) => return Output::failed(2, "sh: missing ]\n".to_owned()),
            _ => args,
        };
        let number = |text: &str| text.parse::<i64>().ok();
        let exists = |file: &str| {
            let path = absolute(file);
            let folder = format!("{}/", path.trim_end_matches('/'));
            self.files.contains_key(&path) || self.files.keys().any(|known| known.starts_with(&folder))
        };
        let (negated, args) = match args.split_first() {
            Some((&"!", rest)) => (true, rest.to_vec()),
            _ => (false, args),
        };
        let holds = match args.as_slice() {
            [] => false,
            [text] => !text.is_empty(),
            ["-f" | "-e" | "-d" | "-r", file] => exists(file),
            ["-s", file] => self
                .files
                .get(&absolute(file))
                .is_some_and(|text| !text.is_empty()),
            ["-z", text] => text.is_empty(),
            ["-n", text] => !text.is_empty(),
            [a, "=" | "==", b] => a == b,
            [a, "!=", b] => a != b,
            [a, operator, b] => {
                let (Some(a), Some(b)) = (number(a), number(b)) else {
                    return Output::failed(2, "sh: bad number\n".to_owned());
                };
                match *operator {
                    "-eq" => a == b,
                    "-ne" => a != b,
                    "-lt" => a < b,
                    "-le" => a <= b,
                    "-gt" => a > b,
                    "-ge" => a >= b,
                    _ => return Output::failed(2, format!("sh: {operator}: unknown operand\n")),
                }
            }
            _ => return Output::failed(2, "sh: too many arguments\n".to_owned()),
        };
        Output::status(i32::from(holds == negated))
    }

    fn environment(&self, around: Surroundings<'_>) -> String {
        let mut lines = vec![format!("HOSTNAME={}\n", around.hostname)];
        lines.extend(around.env.iter().map(|(name, value)| format!("{name}={value}\n")));
        lines.concat()
    }
}

fn echo(args: &[String]) -> String {
    let (mut newline, mut escapes, mut words) = (true, false, args);
    while let Some((flag, rest)) = words.split_first() {
        let flags = flag
            .strip_prefix('-')
            .filter(|f| !f.is_empty() && f.chars().all(|c| "neE".contains(c)));
        let Some(flags) = flags else { break };
        newline &= !flags.contains('n');
        escapes |= flags.contains('e');
        words = rest;
    }
    let mut text = words.join(" ");
    if escapes {
        text = unescape(&text);
    }
    if newline {
        text.push('\n');
    }
    text
}

fn unescape(text: &str) -> String {
    text.replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\r", "\r")
        .replace("\\\\", "\\")
}

/// `%s` and `%d` take the arguments in turn.
fn printf(args: &[String]) -> String {
    let Some((format, args)) = args.split_first() else {
        return String::new();
    };
    let mut args = args.iter();
    let format = unescape(format);
    let (mut out, mut rest) = (String::new(), format.as_str());
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        match after.next() {
            Some('s' | 'd' | 'i' | 'u') => out.push_str(args.next().map_or("", String::as_str)),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
        rest = after.as_str();
    }
    out + rest
}

fn sleep(args: &[String]) -> Output {
    let mut total = 0.0;
    for arg in args {
        if arg == "infinity" || arg == "inf" {
            return Output::effect(Effect::Forever);
        }
        let (number, unit) = match arg.chars().last() {
            Some('s') => (&arg[..arg.len() - 1], 1.0),
            Some('m') => (&arg[..arg.len() - 1], 60.0),
            Some('h') => (&arg[..arg.len() - 1], 3_600.0),
            Some('d') => (&arg[..arg.len() - 1], 86_400.0),
            _ => (arg.as_str(), 1.0),
        };
        let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let Some(seconds) = number.parse::<f64>().ok().filter(|_| plain) else {
            return Output::failed(1, format!("sleep: invalid number '{arg}'\n"));
        };
        total += seconds * unit;
    }
    if args.is_empty() {
        return Output::failed(1, "sleep: missing operand\n".to_owned());
    }
    // Longer than a century is for ever; at least a tick passes, so that no loop stands still.
    if total > 3.2e9 {
        return Output::effect(Effect::Forever);
    }
    Output::effect(Effect::Sleep(Duration::from_micros(
        ((total * 1e6) as u64).max(1_000),
    )))
}

fn seq(args: &[String]) -> Output {
    let numbers: Option<Vec<i64>> = args.iter().map(|arg| arg.parse().ok()).collect();
    let (first, step, last) = match numbers.as_deref() {
        Some([last]) => (1, 1, *last),
        Some([first, last]) => (*first, 1, *last),
        Some([first, step, last]) if *step > 0 => (*first, *step, *last),
        _ => return Output::failed(1, "seq: invalid number\n".to_owned()),
    };
    let numbers = (0..10_000)
        .map(|n| first.saturating_add(step.saturating_mul(n)))
        .take_while(|n| *n <= last);
    Output::text(numbers.map(|n| format!("{n}\n")).collect())
}

fn date(args: &[String], now: SimTime) -> String {
    let format = args
        .iter()
        .find_map(|arg| arg.strip_prefix('+'))
        .unwrap_or("%a %b %e %H:%M:%S UTC %Y");
    civil::format(now.timestamp(), format) + "\n"
}
