//! The request log: every request with its verdict at each stage, and what caused it.

use super::request::{Identity, Reply, Request, Subresource, User, Verb};
use crate::api::{Kind, Status};
use crate::sim::SimTime;
use std::collections::VecDeque;
use std::sync::Arc;

/// The stations of a request's way, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Authentication,
    Authorization,
    Admission,
    Validation,
    Storage,
}

impl Stage {
    pub const ALL: [Stage; 5] = [
        Stage::Authentication,
        Stage::Authorization,
        Stage::Admission,
        Stage::Validation,
        Stage::Storage,
    ];
}

/// One served request.
#[derive(Clone, Debug)]
pub struct LogEntry {
    pub id: u64,
    pub at: SimTime,
    pub verb: Verb,
    pub kind: Kind,
    pub subresource: Subresource,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub user: Arc<User>,
    pub agent: Arc<str>,
    /// The request whose change made the caller act; zero for a person's own.
    pub cause: u64,
    /// HTTP status code.
    pub code: u16,
    /// The refusal's message; empty when it was served.
    pub message: String,
    /// Where it was refused; the last stage when it was served.
    pub stage: Stage,
    /// The store's revision afterwards.
    pub revision: u64,
}

impl LogEntry {
    pub(super) fn start(
        id: u64,
        at: SimTime,
        identity: &Identity,
        cause: u64,
        request: &Request,
    ) -> LogEntry {
        LogEntry {
            id,
            at,
            verb: request.verb,
            kind: request.kind,
            subresource: request.subresource,
            namespace: request.namespace.clone(),
            name: request.name.clone(),
            user: identity.user.clone(),
            agent: identity.agent.clone(),
            cause,
            code: 200,
            message: String::new(),
            stage: Stage::Authentication,
            revision: 0,
        }
    }

    pub(super) fn finish(&mut self, result: &Result<Reply, Status>, stage: Stage, revision: u64) {
        self.stage = stage;
        self.revision = revision;
        match result {
            Ok(Reply::Created(object)) => {
                self.code = 201;
                if self.name.is_empty() {
                    self.name = object.name().into();
                }
            }
            Ok(Reply::Value { code, .. }) => self.code = *code,
            Ok(_) => {}
            Err(status) => {
                self.code = status.code;
                self.message = status.message.clone();
            }
        }
    }

    pub fn refused(&self) -> bool {
        self.code >= 400
    }

    /// The path without query.
    pub fn path(&self) -> String {
        Request {
            subresource: self.subresource,
            ..Request::new(
                self.verb,
                self.kind,
                &self.namespace,
                &self.name,
                super::request::Body::None,
            )
        }
        .path()
    }
}

/// The last requests, oldest first.
#[derive(Clone, Debug, Default)]
pub struct RequestLog {
    last_id: u64,
    entries: VecDeque<Arc<LogEntry>>,
}

/// How many requests are remembered: enough to follow a roll-out of some hundred Pods back to its
/// `apply`, bounded because a tab may run for days.
const LIMIT: usize = 20_000;

impl RequestLog {
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn push(&mut self, entry: LogEntry) {
        self.entries.push_back(Arc::new(entry));
        if self.entries.len() > LIMIT {
            self.entries.pop_front();
        }
    }

    /// The number of the last request.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    pub fn get(&self, id: u64) -> Option<&Arc<LogEntry>> {
        let first = self.entries.front()?.id;
        self.entries.get(usize::try_from(id.checked_sub(first)?).ok()?)
    }

    /// Newest first.
    pub fn recent(&self) -> impl Iterator<Item = &Arc<LogEntry>> {
        self.entries.iter().rev()
    }

    /// The way from a request back to the one a person made, that one last.
    pub fn chain(&self, id: u64) -> Vec<Arc<LogEntry>> {
        let mut chain = Vec::new();
        let mut next = id;
        while let Some(entry) = self.get(next) {
            chain.push(entry.clone());
            if entry.cause == 0 || entry.cause >= entry.id {
                break;
            }
            next = entry.cause;
        }
        chain
    }
}
