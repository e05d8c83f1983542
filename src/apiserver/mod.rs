//! One request's way: authentication, authorization, admission, decoding and validation, etcd.
//!
//! Typed callers use [`ApiServer::call`]; bytes come in through `http`, which decodes them and calls
//! the same. The server knows no node: what a kubelet has to answer (logs, exec) comes back as
//! [`Reply::Proxy`] for the machine to finish.

mod admission;
pub mod authentication;
pub mod authorization;
mod bootstrap;
pub mod discovery;
mod handlers;
pub mod http;
mod log;
pub mod managers;
pub mod openapi;
pub mod patch;
mod request;
mod service_ips;
pub mod sha256;
pub mod watch;

pub use admission::resource_quota;
pub use log::{LogEntry, RequestLog, Stage};
pub use request::*;
pub use watch::{Start, WatchEvent, WatchRequest, Watcher};

use crate::api::Status;
use crate::etcd::Store;
use crate::sim::{Rng, SimTime, StateHasher};
use service_ips::ServiceAddresses;

/// How the API server was started: its command-line flags, so to speak.
#[derive(Clone, Debug)]
pub struct Config {
    pub seed: u64,
    /// The ServiceAccount admission plugin. Company X runs with
    /// `--disable-admission-plugins=ServiceAccount`: nobody there creates the accounts.
    pub service_account_admission: bool,
    /// How many events the watch history holds.
    pub history_limit: usize,
    /// Where it says it listens: the `kubernetes` Service leads there.
    pub secure_port: u16,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            seed: 1,
            service_account_admission: false,
            history_limit: crate::etcd::DEFAULT_HISTORY,
            secure_port: 6443,
        }
    }
}

/// The answer to one request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub result: Result<Reply, Status>,
    /// Texts of `Warning` headers.
    pub warnings: Vec<String>,
    /// The request's number in the log; also what watch events name as their cause.
    pub request_id: u64,
}

/// The API server with the store behind it.
#[derive(Clone, Debug)]
pub struct ApiServer {
    pub etcd: Store,
    pub config: Config,
    pub log: RequestLog,
    names: Rng,
    uids: Rng,
    addresses: ServiceAddresses,
    /// Whose the bearer tokens are.
    pub authentication: authentication::Authentication,
    rbac: authorization::Index,
    /// Who owns which field of what is stored.
    pub managers: managers::Managers,
}

/// What a handler needs to know about the request it works on.
pub(crate) struct Context<'a> {
    pub now: SimTime,
    pub identity: &'a Identity,
    pub request_id: u64,
    pub warnings: Vec<String>,
    /// Under which name its changes are kept.
    pub manager: patch::Manager,
    /// What an apply found out about the managers; otherwise they follow from the change.
    pub managed: Option<patch::ManagedFields>,
    /// How far the request has come; where it was refused if it is refused.
    pub stage: Stage,
}

impl ApiServer {
    /// A server over an empty store, with the objects a fresh API server creates for itself.
    pub fn new(config: Config) -> ApiServer {
        let mut server = ApiServer {
            etcd: Store::with_history_limit(config.history_limit),
            log: RequestLog::default(),
            names: Rng::stream(config.seed, "names"),
            uids: Rng::stream(config.seed, "uids"),
            addresses: ServiceAddresses::new(config.seed),
            authentication: authentication::Authentication::default(),
            rbac: authorization::Index::default(),
            managers: managers::Managers::default(),
            config,
        };
        bootstrap::install(&mut server);
        server
    }

    /// Serves one request. `cause` is the request whose change made the caller act, zero for a
    /// person's own.
    pub fn call(&mut self, now: SimTime, identity: &Identity, cause: u64, request: Request) -> Answer {
        let request_id = self.log.next_id();
        let mut manager = patch::Manager::of_request(
            request.options.field_manager.as_deref(),
            &identity.agent,
            request.subresource.as_str(),
        );
        manager.alias = request.options.alias;
        let mut context = Context {
            now,
            identity,
            request_id,
            warnings: Vec::new(),
            manager,
            managed: None,
            stage: Stage::Authorization,
        };
        let mut entry = LogEntry::start(request_id, now, identity, cause, &request);
        let result = self.dispatch(&mut context, request);
        entry.finish(&result, context.stage, self.etcd.revision());
        self.log.push(entry);
        Answer {
            result,
            warnings: context.warnings,
            request_id,
        }
    }

    /// Removes what has outlived its etcd lease: Events after an hour.
    pub fn expire(&mut self, now: SimTime) {
        for key in self.etcd.leases.expire(now) {
            if let Some(revision) = self.etcd.get(&key).map(|value| value.mod_revision) {
                // The key was read a line above and nobody else writes in between.
                let _ = self.etcd.delete(&key, revision, 0);
                self.managers.removed(&key, self.etcd.revision());
            }
        }
    }

    /// Adds everything that decides what the server answers next.
    pub fn hash(&self, hasher: &mut StateHasher) {
        self.etcd.hash(hasher);
        hasher.number(self.names.state());
        hasher.number(self.uids.state());
        self.addresses.hash(hasher);
        self.managers.hash(hasher);
    }
}

#[cfg(test)]
mod tests;
