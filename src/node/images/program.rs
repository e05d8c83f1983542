//! A process as a list of steps, small enough to keep one per container.

use std::sync::Arc;
use std::time::Duration;

/// Piece of a word in a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    /// `$NAME`, `${NAME:-default}`; `?` is the last exit code, `#` and `@` the arguments.
    Variable {
        name: String,
        default: Option<String>,
    },
    /// `$(command)`
    Output(Vec<Word>),
    /// `$((expression))`
    Arithmetic(String),
}

/// One word; `quoted` keeps an empty value as a word of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    pub parts: Vec<Part>,
    pub quoted: bool,
}

impl Word {
    pub fn text(text: &str) -> Word {
        Word {
            parts: vec![Part::Text(text.to_owned())],
            quoted: true,
        }
    }
}

pub type Words = Vec<Word>;

/// Where a command's output goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    pub file: Word,
    pub append: bool,
}

/// What listens on a port.
#[derive(Clone, Debug, PartialEq)]
pub enum Server {
    Nginx,
    Apache,
    /// Serves the container's files below this folder, as busybox's httpd does.
    Files {
        root: String,
    },
    /// Answers everything with this text.
    Text(String),
    /// "Hello from" and the Pod's name; `/healthz`, `/version`.
    Hello {
        version: String,
    },
    HelloApp {
        version: String,
    },
    RequestEcho,
    /// agnhost's `netexec`.
    NetExec,
    /// agnhost's `serve-hostname`.
    Hostname,
    /// agnhost's `liveness`: healthy for ten seconds only.
    Liveness,
    /// Takes connections, speaks no HTTP.
    Tcp,
}

/// What SIGTERM does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTerm {
    /// Process 1 has no default handlers: it goes on until SIGKILL.
    Ignored,
    /// Stops listening at once and ends with this code after a while.
    Exits { code: i32, after: Duration },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A simple command of the shell.
    Run {
        words: Words,
        redirect: Option<Redirect>,
    },
    Assign {
        name: String,
        value: Word,
    },
    /// Whether the last command failed.
    JumpIfFailed(usize),
    JumpIfSucceeded(usize),
    Jump(usize),
    /// `!`: success becomes failure and the other way round.
    Negate,
    /// Succeeds, for the end of a compound command.
    Succeed,
    /// `for`: the words become a list that `Next` takes from.
    Each {
        words: Words,
    },
    /// Gives the next word to the variable, or jumps when there is none.
    Next {
        name: String,
        done: usize,
    },
    /// A line in the container's log.
    Log {
        text: String,
        stderr: bool,
    },
    Sleep(Duration),
    Listen {
        port: u16,
        server: Server,
    },
    /// From now on so many bytes more per second.
    Grow {
        bytes_per_second: u64,
    },
    Exit(i32),
    /// Serves, or sleeps, for ever.
    Forever,
}

/// What a container runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub ops: Vec<Op>,
    pub on_term: OnTerm,
    /// In bytes, when just started.
    pub memory_bytes: u64,
    /// In thousandths of a core, when nothing is asked of it.
    pub cpu_milli: u64,
    /// `$1` and on.
    pub arguments: Arc<[String]>,
}

impl Program {
    /// What a container that was created and not started runs: nothing.
    pub fn idle() -> Program {
        Program {
            ops: vec![Op::Forever],
            on_term: OnTerm::Ignored,
            memory_bytes: 0,
            cpu_milli: 0,
            arguments: Arc::new([]),
        }
    }
}
