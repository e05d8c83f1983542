//! Runs a script: expansion, pipelines, redirections; one process per entered line.

mod expand;
mod programs;

use super::lex::SyntaxError;
use super::parse::{Connector, Redirect, Script, SimpleCommand, parse};
use super::program::{Io, Output, Pipe, Program, Progress, Session};
use super::transport::Transport;
use crate::sim::SimTime;
use expand::{expand, expand_unsplit, substitutions};
use programs::{Fixed, program};

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
    pub(in crate::shell) fn give_stdin(&mut self, text: String) {
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
