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

pub mod curl;
pub mod export;
pub mod filters;
pub mod kubectl;
pub mod lex;
pub mod parse;
pub mod pattern;
pub mod print;
pub mod process;
pub mod program;
#[cfg(test)]
pub mod testing;
pub mod transport;

pub use process::Process;
pub use program::{Editor, Io, Output, Piece, Program, Progress, Session};
pub use transport::{ApiRequest, ApiResponse, Chunk, ExchangeId, NetError, ProgramOutput, StreamId, Transport};
