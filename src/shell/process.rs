//! Runs a script: expansion, pipelines, redirections; one process per entered line.

use super::lex::{Part, SyntaxError, Word};
use super::parse::{Connector, Pipeline, Redirect, Script, SimpleCommand, parse};
use super::program::{Io, Output, Pipe, Program, Progress, Session};
use super::transport::{HostState, ProgramOutput, Started, Transport, Waiting};
use crate::sim::SimTime;

/// Substitutions may nest this deep.
const MAX_DEPTH: usize = 8;

/// A script under way. Poll it until it is [`Progress::Done`].
pub struct Process {
    script: Script,
    next: usize,
    running: Option<Running>,
    /// The exit code so far, `$?`.
    code: i32,
    /// What it printed; take it between polls.
    pub output: Output,
    depth: usize,
    failed: Option<i32>,
    /// Standard input of the first command, unless it is redirected.
    stdin: Option<String>,
}

enum Running {
    /// `$(…)` of the next pipeline, one after another.
    Substituting {
        scripts: Vec<String>,
        inner: Box<Process>,
        done: Vec<String>,
    },
    Pipeline(Vec<Stage>),
}

struct Stage {
    program: Box<dyn Program>,
    stdin: Pipe,
    stdout: Target,
    stderr: Target,
    code: Option<i32>,
}

#[derive(Clone, Debug, PartialEq)]
enum Target {
    Terminal,
    TerminalError,
    Pipe,
    File(String),
}

impl Process {
    /// Reads a script; complaints are printed, as bash prints them, with code 2.
    pub fn new(text: &str) -> Process {
        Process::nested(text, 0)
    }

    fn nested(text: &str, depth: usize) -> Process {
        let mut output = Output::default();
        let mut failed = None;
        let script = match parse(text) {
            Ok(script) if depth <= MAX_DEPTH => script,
            Ok(_) => {
                output.push(true, "bash: command substitution: nested too deep\n");
                failed = Some(2);
                Script::default()
            }
            Err(SyntaxError::Incomplete(message) | SyntaxError::Wrong(message)) => {
                output.push(true, &format!("bash: {message}\n"));
                failed = Some(2);
                Script::default()
            }
        };
        for warning in &script.warnings {
            output.push(true, &format!("bash: {warning}\n"));
        }
        Process {
            script,
            next: 0,
            running: None,
            code: 0,
            output,
            depth,
            failed,
            stdin: None,
        }
    }

    /// Goes on as far as it can without the world moving.
    pub fn poll(&mut self, session: &mut Session, transport: &mut dyn Transport) -> Progress {
        if let Some(code) = self.failed {
            return Progress::Done(code);
        }
        loop {
            match &mut self.running {
                Some(Running::Pipeline(stages)) => {
                    let negated = self.script.pipelines[self.next].negated;
                    match poll_stages(stages, session, transport, &mut self.output) {
                        Progress::Done(code) => {
                            self.code = if negated { i32::from(code == 0) } else { code };
                            session.variables.insert("?".to_owned(), self.code.to_string());
                            self.running = None;
                            self.next += 1;
                        }
                        waiting => return waiting,
                    }
                }
                Some(Running::Substituting { scripts, inner, done }) => {
                    let progress = inner.poll(session, transport);
                    for piece in inner.output.pieces.iter().filter(|p| p.is_error) {
                        self.output.push(true, &piece.text);
                    }
                    inner.output.pieces.retain(|p| !p.is_error);
                    let Progress::Done(_) = progress else {
                        return progress;
                    };
                    done.push(inner.output.stdout().trim_end_matches('\n').to_owned());
                    if let Some(script) = scripts.get(done.len()) {
                        **inner = Process::nested(script, self.depth + 1);
                    } else {
                        let done = std::mem::take(done);
                        self.start(done, session, transport);
                    }
                }
                None => {
                    let Some(pipeline) = self.script.pipelines.get(self.next) else {
                        return Progress::Done(self.code);
                    };
                    let skip = match pipeline.when {
                        Connector::Always => false,
                        Connector::IfOk => self.code != 0,
                        Connector::IfFailed => self.code == 0,
                    };
                    if skip {
                        self.next += 1;
                        continue;
                    }
                    let scripts = substitutions(pipeline);
                    if let Some(first) = scripts.first() {
                        let inner = Box::new(Process::nested(first, self.depth + 1));
                        self.running = Some(Running::Substituting {
                            scripts,
                            inner,
                            done: Vec::new(),
                        });
                    } else {
                        self.start(Vec::new(), session, transport);
                    }
                }
            }
        }
    }

    /// What the first command reads, if it is not redirected.
    fn give_stdin(&mut self, text: String) {
        self.stdin = Some(text);
    }

    /// Ctrl-C: code 130.
    pub fn interrupt(&mut self, transport: &mut dyn Transport) {
        match self.running.take() {
            Some(Running::Pipeline(mut stages)) => {
                stages.iter_mut().for_each(|s| s.program.cancel(transport))
            }
            Some(Running::Substituting { mut inner, .. }) => inner.interrupt(transport),
            None => {}
        }
        self.failed = Some(130);
        self.code = 130;
    }

    /// Expands and starts the next pipeline.
    fn start(&mut self, substituted: Vec<String>, session: &mut Session, transport: &mut dyn Transport) {
        let pipeline = self.script.pipelines[self.next].clone();
        let mut substituted = substituted.into_iter();
        let count = pipeline.commands.len();
        let mut stages = Vec::new();
        for (i, command) in pipeline.commands.into_iter().enumerate() {
            match stage(command, i, count, &mut substituted, session, transport) {
                Ok(stage) => stages.push(stage),
                Err(message) => {
                    self.output.push(true, &format!("bash: {message}\n"));
                    stages.push(Stage {
                        program: Box::new(Fixed(1)),
                        stdin: Pipe::empty(),
                        stdout: Target::Pipe,
                        stderr: Target::TerminalError,
                        code: None,
                    });
                }
            }
        }
        if let (Some(text), Some(first)) = (self.stdin.take(), stages.first_mut())
            && first.stdin.is_empty()
        {
            first.stdin = Pipe::of(text);
        }
        self.running = Some(Running::Pipeline(stages));
    }
}

fn poll_stages(
    stages: &mut [Stage],
    session: &mut Session,
    transport: &mut dyn Transport,
    terminal: &mut Output,
) -> Progress {
    let mut until: Option<SimTime> = None;
    let mut editing = false;
    let last = stages.len() - 1;
    for i in 0..stages.len() {
        if stages[i].code.is_some() {
            continue;
        }
        let mut output = Output::default();
        let stage = &mut stages[i];
        let mut io = Io {
            session,
            transport,
            stdin: &mut stage.stdin,
            output: &mut output,
        };
        match stage.program.poll(&mut io) {
            Progress::Done(code) => stage.code = Some(code),
            Progress::Waiting { until: at } => until = [until, at].into_iter().flatten().min(),
            Progress::Editing => editing = true,
        }
        for piece in output.take() {
            let target = if piece.is_error {
                stages[i].stderr.clone()
            } else {
                stages[i].stdout.clone()
            };
            match target {
                Target::Terminal => terminal.push(false, &piece.text),
                Target::TerminalError => terminal.push(true, &piece.text),
                Target::Pipe => {
                    if let Some(next) = stages.get_mut(i + 1).filter(|next| next.code.is_none()) {
                        next.stdin.push(&piece.text);
                    }
                }
                Target::File(name) => {
                    if name != "/dev/null"
                        && let Err(message) = session.write(&name, &piece.text, true)
                    {
                        terminal.push(true, &format!("bash: {name}: {message}\n"));
                    }
                }
            }
        }
        if stages[i].code.is_some() {
            if let Some(next) = stages.get_mut(i + 1) {
                next.stdin.closed = true;
            }
            // Whoever writes into a pipe nobody reads is stopped.
            for earlier in &mut stages[..i] {
                if earlier.code.is_none() && earlier.stdout == Target::Pipe {
                    earlier.program.cancel(transport);
                    earlier.code = Some(141);
                }
            }
        }
    }
    match stages[last].code {
        Some(code) if stages.iter().all(|s| s.code.is_some()) => Progress::Done(code),
        _ if editing => Progress::Editing,
        _ => Progress::Waiting { until },
    }
}

/// A command that only has a code.
struct Fixed(i32);

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
                        words => words
                            .iter()
                            .map(|word| super::export::quote(word))
                            .collect::<Vec<_>>()
                            .join(" "),
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
fn program(argv: Vec<String>) -> Box<dyn Program> {
    let Some((name, args)) = argv.split_first() else {
        return Box::new(Fixed(0));
    };
    match name.as_str() {
        "kubectl" | "k" => super::kubectl::start(args),
        "curl" => super::curl::start(args),
        "ssh" => Box::new(Ssh {
            args: args.to_vec(),
            inner: None,
        }),
        "bash" | "sh" => Box::new(Bash {
            args: args.to_vec(),
            inner: None,
        }),
        "exit" | "logout" => Box::new(Exit),
        _ => {
            super::filters::start(name, args).unwrap_or_else(|| Box::new(HostProgram { argv, waiting: None }))
        }
    }
}

fn stage(
    command: SimpleCommand,
    index: usize,
    count: usize,
    substituted: &mut dyn Iterator<Item = String>,
    session: &mut Session,
    transport: &mut dyn Transport,
) -> Result<Stage, String> {
    let _ = transport;
    let mut argv = Vec::new();
    let mut values = Vec::new();
    for (name, word) in &command.assignments {
        values.push((name.clone(), expand(word, session, substituted).join(" ")));
    }
    for word in &command.words {
        argv.extend(expand(word, session, substituted));
    }
    // Without a command the variables are the shell's own.
    if argv.is_empty() {
        session.variables.extend(values);
    }
    let mut stage = Stage {
        program: Box::new(Fixed(0)),
        stdin: if index == 0 {
            Pipe::empty()
        } else {
            Pipe::default()
        },
        stdout: if index + 1 == count {
            Target::Terminal
        } else {
            Target::Pipe
        },
        stderr: Target::TerminalError,
        code: None,
    };
    for redirect in &command.redirects {
        match redirect {
            Redirect::Here(word) => {
                let text = expand_unsplit(word, session, substituted);
                stage.stdin = Pipe::of(text);
            }
            Redirect::Input(word) => {
                let name = expand_unsplit(word, session, substituted);
                let text = match session.file(&name) {
                    Some(text) => text.clone(),
                    None if name == "/dev/null" => String::new(),
                    None => return Err(format!("{name}: No such file or directory")),
                };
                stage.stdin = Pipe::of(text);
            }
            Redirect::Output(descriptor, append, word) => {
                let name = expand_unsplit(word, session, substituted);
                if name != "/dev/null" {
                    session
                        .write(&name, "", *append)
                        .map_err(|m| format!("{name}: {m}"))?;
                }
                if descriptor.is_none_or(|d| d == 1) {
                    stage.stdout = Target::File(name.clone());
                }
                if descriptor.is_none_or(|d| d == 2) {
                    stage.stderr = Target::File(name);
                }
            }
            Redirect::Duplicate(2, _) => stage.stderr = stage.stdout.clone(),
            Redirect::Duplicate(..) => stage.stdout = stage.stderr.clone(),
        }
    }
    stage.program = program(argv);
    Ok(stage)
}

/// The scripts of a pipeline's substitutions, in the order [`stage`] expands them.
fn substitutions(pipeline: &Pipeline) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut add = |word: &Word| {
        for part in &word.0 {
            if let Part::Command { script, .. } = part {
                scripts.push(script.clone());
            }
        }
    };
    for command in &pipeline.commands {
        command.assignments.iter().for_each(|(_, word)| add(word));
        command.words.iter().for_each(&mut add);
        for redirect in &command.redirects {
            match redirect {
                Redirect::Here(word) | Redirect::Input(word) | Redirect::Output(_, _, word) => add(word),
                Redirect::Duplicate(..) => {}
            }
        }
    }
    scripts
}

fn variable(name: &str, session: &Session) -> String {
    match name {
        "?" => session
            .variables
            .get("?")
            .cloned()
            .unwrap_or_else(|| "0".to_owned()),
        "HOSTNAME" => session.host.clone(),
        "PWD" | "HOME" => "/root".to_owned(),
        _ => match name.split_once(":-") {
            Some((name, default)) => session
                .variables
                .get(name)
                .filter(|v| !v.is_empty())
                .cloned()
                .unwrap_or_else(|| default.to_owned()),
            None => session.variables.get(name).cloned().unwrap_or_default(),
        },
    }
}

fn expand_unsplit(word: &Word, session: &Session, substituted: &mut dyn Iterator<Item = String>) -> String {
    word.0
        .iter()
        .map(|part| match part {
            Part::Text { text, .. } => text.clone(),
            Part::Variable { name, .. } => variable(name, session),
            Part::Command { .. } => substituted.next().unwrap_or_default(),
        })
        .collect()
}

/// Expansion with word splitting of what was not quoted.
fn expand(word: &Word, session: &Session, substituted: &mut dyn Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let add = |text: &str, words: &mut Vec<String>, open: &mut bool| {
        if !*open {
            words.push(String::new());
            *open = true;
        }
        if let Some(last) = words.last_mut() {
            last.push_str(text);
        }
    };
    for part in &word.0 {
        let (text, split) = match part {
            Part::Text { text, .. } => (text.clone(), false),
            Part::Variable { name, quoted } => (variable(name, session), !quoted),
            Part::Command { quoted, .. } => (substituted.next().unwrap_or_default(), !quoted),
        };
        if !split {
            add(&text, &mut words, &mut open);
            continue;
        }
        if text.starts_with(char::is_whitespace) {
            open = false;
        }
        for (i, piece) in text.split_whitespace().enumerate() {
            if i > 0 {
                open = false;
            }
            add(piece, &mut words, &mut open);
        }
        if text.ends_with(char::is_whitespace) {
            open = false;
        }
    }
    words
}
