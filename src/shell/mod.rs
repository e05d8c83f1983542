//! The command line: a small bash around kubectl, curl and what the hosts have.
//!
//! [`Process`] runs one entered text. It never blocks: [`Process::poll`] goes as far as the world
//! allows and says what it waits for. Programs know the world only through [`Transport`], so the
//! requests they make are the ones a real tool would send.
//!
//! - [`transport`]: requests, answers, streams
//! - [`lex`], [`parse`]: words, quotes, here-documents, lists and pipelines
//! - [`process`], [`program`]: running them
//! - [`filters`], [`pattern`]: grep, head, sort and their kind
//! - [`print`]: tab columns, YAML, ages
//! - [`kubectl`], [`curl`]: the two clients
//! - [`terminal`]: the machine with its console; the log, rewinding and replaying
//! - [`host`], `tools`: the machine behind the transport, and what runs on the desks
//! - [`commands`]: a duty as a command line
//! - [`completion`]: what Tab offers
//! - [`draft`]: a manifest while it is written
//! - [`editor`]: answering `kubectl edit`

pub mod commands;
pub mod completion;
pub mod curl;
pub mod draft;
pub mod editor;
pub mod export;
pub mod filters;
pub mod host;
mod kubeconfig;
pub mod kubectl;
pub mod lex;
pub mod parse;
pub mod pattern;
pub mod print;
pub mod process;
pub mod program;
pub mod terminal;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod terminal_tests;
mod tools;
pub mod transport;
mod url;

pub use process::Process;
pub use program::{Editor, Io, Output, Piece, Program, Progress, Session};
pub use terminal::{JobId, LogLine, Printed, Terminal};
pub use transport::{
    ApiRequest, ApiResponse, Chunk, ExchangeId, NetError, ProgramOutput, StreamId, Transport,
};
