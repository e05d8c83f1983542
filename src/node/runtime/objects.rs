//! What the runtime keeps: images, sandboxes, containers.

use super::ContainerConfig;
use crate::node::process::Process;
use crate::sim::{SimTime, StateHasher};
use std::collections::VecDeque;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

macro_rules! id {
    ($name:ident) => {
        /// 64 hexadecimal digits.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            pub(in crate::node) fn new(id: &str) -> $name {
                $name(id.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first 13 digits, as `crictl` lists it.
            pub fn short(&self) -> &str {
                self.0.get(..13).unwrap_or(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(SandboxId);
id!(ContainerId);

/// An image on the machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// `docker.io/library/nginx:latest`
    pub reference: Arc<str>,
    /// `sha256:…`, the digest of its configuration.
    pub id: Arc<str>,
    /// `docker.io/library/nginx@sha256:…`, what a Pod's status calls its imageID.
    pub digest: Arc<str>,
    pub size_bytes: u64,
    pub pulled_at: SimTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxState {
    Ready,
    NotReady,
}

impl SandboxState {
    /// As CRI writes it.
    pub fn name(self) -> &'static str {
        match self {
            SandboxState::Ready => "SANDBOX_READY",
            SandboxState::NotReady => "SANDBOX_NOTREADY",
        }
    }
}

/// A Pod's surroundings: its pause container, network namespace and address.
#[derive(Clone, Debug, PartialEq)]
pub struct Sandbox {
    pub id: SandboxId,
    pub pod_uid: Arc<str>,
    pub pod_name: Arc<str>,
    pub namespace: Arc<str>,
    /// How many sandboxes this Pod had before.
    pub attempt: u32,
    /// The machine's own address for a Pod with `hostNetwork`.
    pub ip: Ipv4Addr,
    pub host_network: bool,
    pub hostname: Arc<str>,
    pub state: SandboxState,
    pub created_at: SimTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerState {
    Created,
    Running,
    Exited,
}

impl ContainerState {
    /// As CRI writes it.
    pub fn name(self) -> &'static str {
        match self {
            ContainerState::Created => "CONTAINER_CREATED",
            ContainerState::Running => "CONTAINER_RUNNING",
            ContainerState::Exited => "CONTAINER_EXITED",
        }
    }
}

/// One line a container wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    pub at: SimTime,
    pub stderr: bool,
    pub text: Arc<str>,
}

/// How many lines of a container's log are kept; older ones are lost, as with log rotation.
pub const LOG_LINES: usize = 200;

/// What is longer is cut.
const LOG_LINE_BYTES: usize = 4096;

#[derive(Clone, Debug)]
pub struct Container {
    pub id: ContainerId,
    pub sandbox: SandboxId,
    pub pod_uid: Arc<str>,
    /// Name, image as asked for, attempt, command line, environment.
    pub config: Arc<ContainerConfig>,
    /// `docker.io/library/nginx@sha256:…`
    pub image_id: Arc<str>,
    pub state: ContainerState,
    pub created_at: SimTime,
    pub started_at: Option<SimTime>,
    pub finished_at: Option<SimTime>,
    /// Meaningful once exited.
    pub exit_code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`, `Unknown`; empty before the exit.
    pub reason: &'static str,
    /// Why it could not start.
    pub message: String,
    /// SIGTERM was sent.
    pub stopping: bool,
    pub(in crate::node) log: VecDeque<LogLine>,
    pub(in crate::node) process: Process,
}

impl Container {
    pub fn is_running(&self) -> bool {
        self.state == ContainerState::Running
    }

    /// The lines that are kept, oldest first.
    pub fn log(&self) -> impl ExactSizeIterator<Item = &LogLine> {
        self.log.iter()
    }

    /// Ports that are listened on now.
    pub fn listening(&self) -> Vec<u16> {
        if self.is_running() {
            self.process.ports()
        } else {
            Vec::new()
        }
    }

    /// CPU in thousandths of a core and memory in bytes, as `crictl stats` would show.
    pub fn usage(&self, now: SimTime) -> (u64, u64) {
        let Some(started) = self.started_at.filter(|_| self.is_running()) else {
            return (0, 0);
        };
        self.process.usage(now.since(started))
    }

    /// When the process wants to go on by itself.
    pub(in crate::node) fn wake(&self) -> Option<SimTime> {
        self.process.wake().filter(|_| self.is_running())
    }

    pub(in crate::node) fn write(&mut self, at: SimTime, stderr: bool, text: &str) {
        // Only the last lines are kept anyway.
        let skipped = text.lines().count().saturating_sub(LOG_LINES);
        for line in text.lines().skip(skipped) {
            let end = (0..=line.len().min(LOG_LINE_BYTES))
                .rev()
                .find(|at| line.is_char_boundary(*at));
            let line = &line[..end.unwrap_or(0)];
            if self.log.len() == LOG_LINES {
                self.log.pop_front();
            }
            self.log.push_back(LogLine {
                at,
                stderr,
                text: line.into(),
            });
        }
    }

    /// The end of the main process.
    pub(in crate::node) fn exit(&mut self, at: SimTime, code: i32, reason: &'static str) {
        self.state = ContainerState::Exited;
        self.finished_at = Some(at);
        self.exit_code = code;
        self.reason = reason;
    }

    pub(in crate::node) fn hash(&self, hasher: &mut StateHasher) {
        for text in [
            self.id.as_str(),
            self.sandbox.as_str(),
            &self.config.name,
            &self.config.image,
            self.reason,
        ] {
            hasher.text(text);
        }
        hasher.text(self.state.name());
        let time = |at: Option<SimTime>| at.map_or(0, |at| at.as_micros() + 1);
        for number in [
            u64::from(self.config.attempt),
            self.created_at.as_micros(),
            time(self.started_at),
            time(self.finished_at),
            self.exit_code as u64,
            u64::from(self.stopping),
            self.log.len() as u64,
        ] {
            hasher.number(number);
        }
        for line in &self.log {
            hasher.number(line.at.as_micros() << 1 | u64::from(line.stderr));
            hasher.text(&line.text);
        }
        self.process.hash(hasher);
    }
}
