//! A container's main process: goes through its program's steps as virtual time passes.
//!
//! - here: the steps
//! - `words`: variables, `$(…)`, `$((…))` in a shell's words
//! - `commands`: the small tools of a shell
//! - `fetch`: `wget` and `curl`, which wait for the network

mod commands;
mod fetch;
mod words;

use super::images::{OnTerm, Op, Program, Server, program_for};
use crate::sim::{SimTime, StateHasher};
use commands::{Effect, Output};
pub use fetch::{Answered, Fetch, FetchFailure};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Steps a process may take without time passing; then it waits for `BUSY_PAUSE`, a whole core busy.
const STEPS_AT_ONCE: usize = 2_000;
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// How much a variable, or a command's words, may hold, in bytes; what is longer is cut or empty.
const MAX_TEXT: usize = 16 * 1024;
/// How much all its files may hold, and how much it may print before time passes, in bytes.
const MAX_TEXTS: usize = 256 * 1024;

/// What a process sees around it.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub hostname: &'a str,
    pub env: &'a [(String, String)],
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Exit(i32),
    OutOfMemory,
}

/// What a process wrote, as far as somebody could want to read it.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    /// Whether to standard error, and the text.
    pieces: Vec<(bool, String)>,
    bytes: usize,
}

impl Written {
    fn push(&mut self, stderr: bool, text: String) {
        if !text.is_empty() && self.bytes < MAX_TEXTS {
            self.bytes += text.len();
            self.pieces.push((stderr, text));
        }
    }

    pub(super) fn into_pieces(self) -> Vec<(bool, String)> {
        self.pieces
    }
}

#[derive(Clone, Debug)]
pub(super) struct Process {
    program: Arc<Program>,
    at: usize,
    /// Takes no more steps and does not end: it waits to be stopped.
    forever: bool,
    /// The last command's exit code.
    status: i32,
    variables: BTreeMap<String, String>,
    /// What `for` loops have left, innermost last.
    lists: Vec<(usize, VecDeque<String>)>,
    listening: Vec<(u16, Server)>,
    wake: Option<SimTime>,
    growing: Option<(SimTime, u64)>,
    memory_limit: Option<u64>,
    /// From `trap`: the exit code SIGTERM leads to.
    trap: Option<i32>,
    busy: bool,
    files: Arc<BTreeMap<String, String>>,
    /// When its first step was taken.
    pub(super) started: SimTime,
    /// Requests answered, so that servers can count.
    served: u64,
    /// What it asked the network for and has no answer to.
    fetch: Option<Fetch>,
    /// The answer, for when it is there.
    answered: Option<Output>,
}

impl Process {
    pub(super) fn new(
        program: Program,
        files: BTreeMap<String, String>,
        memory_limit: Option<u64>,
    ) -> Process {
        Process {
            program: Arc::new(program),
            at: 0,
            forever: false,
            status: 0,
            variables: BTreeMap::new(),
            lists: Vec::new(),
            listening: Vec::new(),
            wake: None,
            growing: None,
            memory_limit,
            trap: None,
            busy: false,
            files: Arc::new(files),
            started: SimTime::ZERO,
            served: 0,
            fetch: None,
            answered: None,
        }
    }

    /// When it wants to go on.
    pub(super) fn wake(&self) -> Option<SimTime> {
        match (self.wake, self.out_of_memory_at()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    pub(super) fn ports(&self) -> Vec<u16> {
        self.listening.iter().map(|(port, _)| *port).collect()
    }

    pub(super) fn server(&self, port: u16) -> Option<&Server> {
        self.listening
            .iter()
            .find(|(listening, _)| *listening == port)
            .map(|(_, server)| server)
    }

    pub(super) fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Counts a request.
    pub(super) fn serve(&mut self) {
        self.served += 1;
    }

    /// A server that was told to stop takes no more connections.
    pub(super) fn stop_listening(&mut self) {
        self.listening.clear();
    }

    /// CPU in thousandths of a core and memory in bytes, so long after the start.
    pub(super) fn usage(&self, age: Duration) -> (u64, u64) {
        let cpu = if self.busy { 1_000 } else { self.program.cpu_milli };
        (cpu, self.memory(self.started + age))
    }

    fn memory(&self, now: SimTime) -> u64 {
        let grown = self.growing.map_or(0, |(since, rate)| {
            (u128::from(rate) * now.since(since).as_micros() / 1_000_000).min(u128::from(u64::MAX >> 1))
                as u64
        });
        self.program.memory_bytes + grown
    }

    fn out_of_memory_at(&self) -> Option<SimTime> {
        let limit = self.memory_limit?;
        if self.program.memory_bytes > limit {
            return Some(self.started + BUSY_PAUSE);
        }
        let (since, rate) = self.growing.filter(|(_, rate)| *rate > 0)?;
        let micros = u128::from(limit - self.program.memory_bytes) * 1_000_000 / u128::from(rate) + 1;
        Some(since + Duration::from_micros(micros.min(u128::from(u64::MAX >> 2)) as u64))
    }

    pub(super) fn on_term(&self) -> OnTerm {
        match self.trap {
            Some(code) => OnTerm::Exits {
                code,
                after: Duration::from_millis(10),
            },
            None => self.program.on_term,
        }
    }

    /// Takes steps until it waits for time to pass, or ends.
    pub(super) fn run(
        &mut self,
        around: Surroundings<'_>,
        now: SimTime,
        written: &mut Written,
    ) -> Option<End> {
        if self.out_of_memory_at().is_some_and(|at| at <= now) {
            return Some(End::OutOfMemory);
        }
        if self.forever || self.wake.is_some_and(|at| at > now) {
            return None;
        }
        if self.fetch.is_some() {
            return None;
        }
        self.wake = None;
        if let Some(output) = self.answered.take() {
            let program = self.program.clone();
            let redirect = match program.ops.get(self.at.wrapping_sub(1)) {
                Some(Op::Run { redirect, .. }) => redirect.as_ref(),
                _ => None,
            };
            self.finish(output, redirect, around, now, written);
        }
        for _ in 0..STEPS_AT_ONCE {
            let program = self.program.clone();
            let Some(op) = program.ops.get(self.at) else {
                return Some(End::Exit(self.status));
            };
            self.at += 1;
            match op {
                Op::Run { words, redirect } => {
                    let words = self.expand_all(words, around, now);
                    let output = self.command(&words, around, now);
                    let end = self.finish(output, redirect.as_ref(), around, now, written);
                    if end.is_some() || self.wake.is_some() || self.fetch.is_some() || self.forever {
                        self.busy = false;
                        return end;
                    }
                }
                Op::Assign { name, value } => {
                    let value = self.expand(value, around, now);
                    self.set(name, value);
                    self.status = 0;
                }
                Op::JumpIfFailed(to) if self.status != 0 => self.at = *to,
                Op::JumpIfSucceeded(to) if self.status == 0 => self.at = *to,
                Op::JumpIfFailed(_) | Op::JumpIfSucceeded(_) => {}
                Op::Jump(to) => self.at = *to,
                Op::Negate => self.status = i32::from(self.status == 0),
                Op::Succeed => self.status = 0,
                Op::Each { words } => {
                    let words = self.expand_all(words, around, now);
                    self.lists.push((self.at, words.into()));
                }
                Op::Next { name, done } => self.next(name, *done),
                Op::Log { text, stderr } => written.push(*stderr, text.clone()),
                Op::Sleep(time) => {
                    self.wake = Some(now + *time);
                    self.busy = false;
                    return None;
                }
                Op::Listen { port, server } => self.listening.push((*port, server.clone())),
                Op::Grow { bytes_per_second } => self.growing = Some((now, *bytes_per_second)),
                Op::Exit(code) => return Some(End::Exit(*code)),
                Op::Forever => {
                    self.forever = true;
                    return None;
                }
            }
        }
        self.busy = true;
        self.wake = Some(now + BUSY_PAUSE);
        None
    }

    /// `for`: the loop at this step takes its next word.
    fn next(&mut self, name: &str, done: usize) {
        let me = self.at - 1;
        // `break` leaves lists of loops inside this one behind.
        while self.lists.last().is_some_and(|(at, _)| *at > me) {
            self.lists.pop();
        }
        match self
            .lists
            .last_mut()
            .filter(|(at, _)| *at == me)
            .and_then(|(_, left)| left.pop_front())
        {
            Some(word) => {
                self.set(name, word);
            }
            None => {
                self.lists.pop();
                self.at = done;
            }
        }
    }

    fn set(&mut self, name: &str, mut value: String) {
        if value.len() > MAX_TEXT {
            value.clear();
        }
        if self.variables.len() < 1_000 || self.variables.contains_key(name) {
            self.variables.insert(name.to_owned(), value);
        }
    }

    fn finish(
        &mut self,
        output: Output,
        redirect: Option<&super::images::Redirect>,
        around: Surroundings<'_>,
        now: SimTime,
        written: &mut Written,
    ) -> Option<End> {
        self.status = output.status;
        match redirect {
            Some(redirect) => {
                let file = self.expand(&redirect.file, around, now);
                self.write_file(&file, &output.stdout, redirect.append);
            }
            None => written.push(false, output.stdout),
        }
        written.push(true, output.stderr);
        match output.effect {
            Effect::None => None,
            Effect::Exit => Some(End::Exit(self.status)),
            Effect::Sleep(time) => {
                self.wake = Some(now + time);
                None
            }
            Effect::Forever => {
                self.forever = true;
                None
            }
            Effect::Fetch(fetch) => {
                self.fetch = Some(*fetch);
                None
            }
            Effect::Become(program) => {
                self.program = Arc::new(*program);
                self.at = 0;
                self.wake = Some(now);
                None
            }
        }
    }

    fn write_file(&mut self, path: &str, text: &str, append: bool) {
        if path == "/dev/null" {
            return;
        }
        let path = absolute(path);
        let files = Arc::make_mut(&mut self.files);
        let full = files.values().map(String::len).sum::<usize>() + text.len() > MAX_TEXTS;
        if full || files.len() > 1_000 {
            self.status = 1;
            return;
        }
        let file = files.entry(path).or_default();
        if !append {
            file.clear();
        }
        file.push_str(text);
    }

    /// What it asked the network for.
    pub(super) fn fetch(&self) -> Option<&Fetch> {
        self.fetch.as_ref()
    }

    /// The network's answer, which is there at `at`.
    pub(super) fn fetched(&mut self, at: SimTime, answer: &Answered) {
        if let Some(fetch) = self.fetch.take() {
            self.answered = Some(fetch.output(answer));
            self.wake = Some(at);
        }
    }

    /// A command beside the main process, in a copy of its files.
    pub(super) fn beside(&self, program: Program, now: SimTime) -> Beside {
        let mut process = Process::new(program, BTreeMap::new(), None);
        process.files = self.files.clone();
        process.started = now;
        Beside {
            process,
            written: Written::default(),
            began: now,
            at: now,
            sleeps: 0,
        }
    }

    /// Takes over the files of a command that ran beside it.
    pub(super) fn take_files(&mut self, beside: &Beside) {
        self.files = beside.process.files.clone();
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        for number in [
            self.at as u64,
            self.status as u64,
            u64::from(self.busy) + 2 * u64::from(self.forever),
            self.served,
        ] {
            hasher.number(number);
        }
        hasher.number(self.wake().map_or(0, |at| at.as_micros() + 1));
        hasher.number(u64::from(self.fetch.is_some()) + 2 * u64::from(self.answered.is_some()));
        hasher.number(self.growing.map_or(0, |(since, _)| since.as_micros() + 1));
        hasher.number(self.trap.map_or(0, |code| code as u64 + 1));
        for (at, left) in &self.lists {
            hasher.number(*at as u64);
            left.iter().for_each(|word| hasher.text(word));
        }
        for map in [&self.variables, &*self.files] {
            hasher.number(map.len() as u64);
            for (name, value) in map {
                hasher.text(name);
                hasher.text(value);
            }
        }
        hasher.number(self.listening.len() as u64);
        self.listening
            .iter()
            .for_each(|(port, _)| hasher.number(u64::from(*port)));
    }

    /// What another executable would do, for `exec nginx` and the like.
    fn executable(words: &[String]) -> Option<Program> {
        program_for(None, words, &[]).ok()
    }
}

/// A command that runs beside a container's main process (`kubectl exec`, exec probes): all at once,
/// as long as it sleeps in virtual time.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    process: Process,
    written: Written,
    began: SimTime,
    at: SimTime,
    sleeps: usize,
}

/// A command that sleeps so often has said enough.
const MAX_SLEEPS: usize = 1_000;

impl Beside {
    /// Goes on until it ends, or (`None`) waits for the network.
    pub(super) fn run(&mut self, around: Surroundings<'_>) -> Option<Executed> {
        let exit_code = loop {
            match self.process.run(around, self.at, &mut self.written) {
                Some(End::Exit(code)) => break Some(code),
                Some(End::OutOfMemory) => break Some(137),
                None if self.process.fetch.is_some() => return None,
                None => {}
            }
            self.sleeps += 1;
            match self.process.wake().filter(|_| self.sleeps < MAX_SLEEPS) {
                Some(next) => self.at = next,
                None => break None,
            }
        };
        let pick = |wanted: bool| {
            let of = self.written.pieces.iter().filter(|(stderr, _)| *stderr == wanted);
            of.map(|(_, text)| text.as_str()).collect::<String>()
        };
        Some(Executed {
            stdout: pick(false),
            stderr: pick(true),
            exit_code,
            took: self.at.since(self.began),
        })
    }

    /// What it asks the network, and when.
    pub(super) fn fetch(&self) -> Option<(SimTime, &Fetch)> {
        self.process.fetch().map(|fetch| (self.at, fetch))
    }

    pub(super) fn answer(&mut self, took: Duration, answer: &Answered) {
        self.process.fetched(self.at + took, answer);
        self.at = self.at + took;
    }
}

/// What a command beside the main process did.
#[derive(Clone, Debug, PartialEq)]
pub struct Executed {
    pub stdout: String,
    pub stderr: String,
    /// `None`: it never ends by itself.
    pub exit_code: Option<i32>,
    pub took: Duration,
}

/// Relative paths start at the root, where containers start.
fn absolute(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}
