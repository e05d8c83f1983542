//! What a command word starts: the shell's own programs, and those of the host.

use super::super::export::quote;
use super::super::program::{Io, Program, Progress};
use super::super::transport::{HostState, ProgramOutput, Started, Transport, Waiting};
use super::super::{curl, editor, filters, kubectl};
use super::Process;

/// A command that only has a code.
pub(super) struct Fixed(pub(super) i32);

impl Program for Fixed {
    fn poll(&mut self, _: &mut Io) -> Progress {
        Progress::Done(self.0)
    }
}

/// `name: command not found`
struct Unknown(String);

impl Program for Unknown {
    fn poll(&mut self, io: &mut Io) -> Progress {
        if self.0.contains('/') {
            io.err(&format!("bash: {}: No such file or directory\n", self.0));
        } else {
            io.err(&format!("bash: {}: command not found\n", self.0));
        }
        Progress::Done(127)
    }
}

/// A program of the host, behind the transport.
struct HostProgram {
    argv: Vec<String>,
    waiting: Option<Waiting>,
}

impl Program for HostProgram {
    fn poll(&mut self, io: &mut Io) -> Progress {
        let host = io.session.host.clone();
        if let Some(waiting) = &self.waiting {
            let Some(result) = io.transport.finish_program(&host, waiting) else {
                return Progress::Waiting {
                    until: Some(waiting.until),
                };
            };
            return finish(io, &result);
        }
        let Some(stdin) = io.stdin.all() else {
            return Progress::Waiting { until: None };
        };
        match io.transport.start_program(&host, &self.argv, &stdin) {
            Some(Started::Done(result)) => finish(io, &result),
            Some(Started::Waiting(waiting)) => {
                let until = Some(waiting.until);
                self.waiting = Some(waiting);
                Progress::Waiting { until }
            }
            None => Unknown(self.argv[0].clone()).poll(io),
        }
    }
}

fn finish(io: &mut Io, result: &ProgramOutput) -> Progress {
    io.out(&result.stdout);
    io.err(&result.stderr);
    Progress::Done(result.code)
}

/// `ssh HOST [COMMAND…]`: the command on another machine; without one, the console moves there.
struct Ssh {
    args: Vec<String>,
    inner: Option<(String, Box<Process>)>,
}

impl Program for Ssh {
    fn poll(&mut self, io: &mut Io) -> Progress {
        if self.inner.is_none() {
            let Some((host, command)) = self.args.split_first() else {
                io.err("usage: ssh destination [command [argument ...]]\n");
                return Progress::Done(255);
            };
            let host = host.rsplit('@').next().unwrap_or(host).to_owned();
            match io.transport.host_state(&host) {
                HostState::Unknown => {
                    io.err(&format!(
                        "ssh: Could not resolve hostname {host}: Name or service not known\n"
                    ));
                    return Progress::Done(255);
                }
                HostState::Unreachable => {
                    io.err(&format!(
                        "ssh: connect to host {host} port 22: No route to host\n"
                    ));
                    return Progress::Done(255);
                }
                HostState::Up if command.is_empty() => {
                    io.session.host = host;
                    return Progress::Done(0);
                }
                HostState::Up => {
                    // As ssh does it: the words are joined, and the other side's shell splits them again.
                    // One word is a script of its own; several are words already.
                    let script = match command {
                        [script] => script.clone(),
                        words => words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "),
                    };
                    let Some(stdin) = io.stdin.all() else {
                        return Progress::Waiting { until: None };
                    };
                    let mut process = Process::nested(&script, 1);
                    process.give_stdin(stdin);
                    self.inner = Some((host, Box::new(process)));
                }
            }
        }
        let Some((host, process)) = &mut self.inner else {
            return Progress::Done(255);
        };
        let here = std::mem::replace(&mut io.session.host, host.clone());
        let progress = process.poll(io.session, io.transport);
        io.session.host = here;
        for piece in process.output.take() {
            io.output.push(piece.is_error, &piece.text);
        }
        progress
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        if let Some((_, process)) = &mut self.inner {
            process.interrupt(transport);
        }
    }
}

/// `bash -c SCRIPT`, `bash FILE`, or a script on standard input.
struct Bash {
    args: Vec<String>,
    inner: Option<Box<Process>>,
}

impl Program for Bash {
    fn poll(&mut self, io: &mut Io) -> Progress {
        if self.inner.is_none() {
            let script = match self
                .args
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .as_slice()
            {
                ["-c", script, ..] => (*script).to_owned(),
                [] => match io.stdin.all() {
                    Some(script) => script,
                    None => return Progress::Waiting { until: None },
                },
                [file, ..] => match io.session.file(file) {
                    Some(script) => script.clone(),
                    None => {
                        io.err(&format!("bash: {file}: No such file or directory\n"));
                        return Progress::Done(127);
                    }
                },
            };
            self.inner = Some(Box::new(Process::nested(&script, 1)));
        }
        let Some(process) = &mut self.inner else {
            return Progress::Done(1);
        };
        let progress = process.poll(io.session, io.transport);
        for piece in process.output.take() {
            io.output.push(piece.is_error, &piece.text);
        }
        progress
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        if let Some(process) = &mut self.inner {
            process.interrupt(transport);
        }
    }
}

/// `exit`: back from a machine to the reception.
struct Exit;

impl Program for Exit {
    fn poll(&mut self, io: &mut Io) -> Progress {
        io.session.host.clear();
        Progress::Done(0)
    }
}

/// Finds the program for a command line.
pub(super) fn program(argv: Vec<String>) -> Box<dyn Program> {
    let Some((name, args)) = argv.split_first() else {
        return Box::new(Fixed(0));
    };
    match name.as_str() {
        "kubectl" | "k" => kubectl::start(args),
        "curl" => curl::start(args),
        "ssh" => Box::new(Ssh {
            args: args.to_vec(),
            inner: None,
        }),
        "bash" | "sh" => Box::new(Bash {
            args: args.to_vec(),
            inner: None,
        }),
        "exit" | "logout" => Box::new(Exit),
        "kbh" if args.first().is_some_and(|first| first == "editor") => editor::start(args),
        _ => filters::start(name, args).unwrap_or_else(|| Box::new(HostProgram { argv, waiting: None })),
    }
}
