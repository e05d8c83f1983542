//! kubectl: one table of commands and flags, each command a few requests.

mod apply;
mod auth;
mod change;
mod config;
mod create;
mod delete;
mod describe;
mod drain;
mod dump;
mod edit;
mod events;
mod explain;
pub mod failure;
pub mod flags;
mod follow;
mod get;
mod help;
mod info;
mod inside;
pub mod kube;
mod kustomize;
mod logs;
mod manifest;
mod output;
mod patch;
mod prune;
mod reconcile;
pub mod resource;
mod rollout;
pub mod table;
mod top;
mod wait;

use super::program::{Io, Program, Progress};
use super::transport::Transport;
use crate::api::sorted::SortedSet;
use failure::Failure;
use flags::Flags;
use kube::{Call, Kube, Next, Step, Task};
use table::{COMMANDS, Command, GLOBAL, GROUPS};

/// A kubectl command line as a program.
pub fn start(args: &[String]) -> Box<dyn Program> {
    Box::new(Kubectl {
        args: args.to_vec(),
        state: State::New,
        warned: SortedSet::new(),
    })
}

struct Kubectl {
    args: Vec<String>,
    state: State,
    warned: SortedSet<String>,
}

enum State {
    New,
    Running(Box<Call>, Box<dyn Task>),
    Done,
}

impl Program for Kubectl {
    fn poll(&mut self, io: &mut Io) -> Progress {
        // `-f -` wants all of stdin; nothing else reads it, so waiting does no harm.
        if !io.stdin.closed {
            return Progress::Waiting { until: None };
        }
        let (call, outcome) = match std::mem::replace(&mut self.state, State::Done) {
            State::Done => return Progress::Done(1),
            State::New => match parse(&self.args) {
                Ok(mut call) => {
                    let target = config::target(&call, io.session).map(|target| call.target = target);
                    let mut kube = Kube {
                        io,
                        call: &call,
                        warned: &mut self.warned,
                    };
                    let outcome = if call.flags.changed("help") {
                        let text = help::command(call.command);
                        kube.out(&text);
                        Ok(Next::Done)
                    } else {
                        target.and_then(|()| (call.command.run)(&mut kube))
                    };
                    (call, outcome)
                }
                Err(Parsed::Text(text)) => {
                    io.out(&text);
                    return Progress::Done(0);
                }
                Err(Parsed::Group(text)) => {
                    io.out(&text);
                    return Progress::Done(1);
                }
                Err(Parsed::Failure(failure)) => {
                    io.err(&failure.printed());
                    return Progress::Done(failure.exit_code());
                }
            },
            State::Running(call, task) => (*call, Ok(Next::Task(task))),
        };
        let outcome = match outcome {
            Ok(Next::Task(mut task)) => {
                let step = task.poll(&mut Kube {
                    io,
                    call: &call,
                    warned: &mut self.warned,
                });
                match step {
                    Ok(Step::Done) => Ok(0),
                    Ok(Step::Wait(until)) => {
                        self.state = State::Running(Box::new(call), task);
                        return Progress::Waiting { until };
                    }
                    Ok(Step::Editing) => {
                        self.state = State::Running(Box::new(call), task);
                        return Progress::Editing;
                    }
                    Err(failure) => {
                        task.cancel(io.transport);
                        Err(failure)
                    }
                }
            }
            Ok(Next::Done) => Ok(0),
            Ok(Next::Code(code)) => Ok(code),
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(0) if call.flags.on("warnings-as-errors") && !self.warned.is_empty() => {
                let (n, s) = (self.warned.len(), if self.warned.len() == 1 { "" } else { "s" });
                io.err(&format!("error: {n} warning{s} received\n"));
                Progress::Done(1)
            }
            Ok(code) => Progress::Done(code),
            Err(failure) => {
                io.err(&failure.printed());
                Progress::Done(failure.exit_code())
            }
        }
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        if let State::Running(_, task) = &mut self.state {
            task.cancel(transport);
        }
    }
}

/// Why a command line runs no command.
enum Parsed {
    /// Help that was asked for.
    Text(String),
    /// Help of a group that was named without a command.
    Group(String),
    Failure(Failure),
}

/// Finds the command a line names: the longest row whose words begin it.
pub fn find_command(words: &[&str]) -> Option<(&'static Command, usize)> {
    let mut best: Option<(&'static Command, usize)> = None;
    for command in COMMANDS {
        let names = std::iter::once(command.name).chain(command.aliases.iter().copied());
        for name in names {
            let parts: Vec<&str> = name.split(' ').collect();
            if words.len() >= parts.len()
                && words[..parts.len()] == parts[..]
                && best.is_none_or(|(_, n)| parts.len() > n)
            {
                best = Some((command, parts.len()));
            }
        }
    }
    best
}

fn parse(args: &[String]) -> Result<Call, Parsed> {
    // Global flags may stand before the command.
    let global: Vec<&flags::Flag> = GLOBAL.iter().collect();
    let mut first = 0;
    let mut before: Vec<String> = Vec::new();
    while let Some(arg) = args.get(first).filter(|a| a.starts_with('-') && a.len() > 1) {
        if matches!(arg.as_str(), "-h" | "--help") {
            return Err(Parsed::Text(help::overview()));
        }
        before.push(arg.clone());
        first += 1;
        let name = arg.trim_start_matches('-');
        let takes_value = !arg.contains('=')
            && global.iter().any(|f| {
                f.kind != flags::Kind::Bool
                    && (f.name == name && arg.starts_with("--")
                        || f.short.is_some_and(|c| arg.len() == 2 && name.starts_with(c)))
            });
        if takes_value && let Some(value) = args.get(first) {
            before.push(value.clone());
            first += 1;
        }
    }
    let rest = &args[first..];
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    let Some(word) = words.first() else {
        return Err(Parsed::Text(help::overview()));
    };
    if *word == "help" {
        return Err(Parsed::Text(
            find_command(&words[1..]).map_or_else(help::overview, |(command, _)| help::command(command)),
        ));
    }
    if *word == "options" {
        return Err(Parsed::Text(help::options()));
    }
    if let Some((name, about)) = GROUPS.iter().rev().find(|(name, _)| {
        let parts: Vec<&str> = name.split(' ').collect();
        // `create svc` is the one short name of a group.
        let same = |(word, part): (&&str, &&str)| word == part || (*word == "svc" && *part == "service");
        words.len() >= parts.len() && words.iter().zip(&parts).all(same)
    }) && find_command(&words).is_none_or(|(c, _)| c.name.len() < name.len())
    {
        let next = words.get(name.split(' ').count());
        return Err(match next {
            None => Parsed::Group(help::group(name, about)),
            Some(word) if word.starts_with('-') => Parsed::Text(help::group(name, about)),
            Some(_) => Parsed::Failure(Failure::Plain(format!(
                "error: unknown command {:?}\nSee 'kubectl {name} -h' for help and examples",
                words[name.split(' ').count()..].join(" ")
            ))),
        });
    }
    let Some((command, used)) = find_command(&words) else {
        let close: Vec<&str> = help::suggestions(word);
        let mut text = format!("error: unknown command {word:?} for \"kubectl\"");
        if !close.is_empty() {
            text.push_str("\n\nDid you mean this?\n");
            close
                .iter()
                .for_each(|name| text.push_str(&format!("\t{name}\n")));
        }
        return Err(Parsed::Failure(Failure::Plain(text)));
    };
    before.extend_from_slice(&rest[used..]);
    let table: Vec<&flags::Flag> = command
        .flags
        .iter()
        .flat_map(|set| set.iter())
        .chain(GLOBAL)
        .collect();
    match Flags::parse(&table, &before) {
        Ok((mut flags, args, dash)) => {
            let folder = flags.text("kustomize");
            if !folder.is_empty() {
                if flags.changed("filename") {
                    return Err(Parsed::Failure(Failure::Message(
                        "only one of -f or -k can be specified".to_owned(),
                    )));
                }
                let folder = format!("{}{folder}", manifest::KUSTOMIZE);
                flags.set("filename", &folder);
            }
            Ok(Call {
                command,
                flags,
                args,
                dash,
                target: config::Target::default(),
            })
        }
        Err(why) => Err(Parsed::Failure(Failure::Plain(format!(
            "error: {why}\nSee 'kubectl {} --help' for usage.",
            command.name
        )))),
    }
}
