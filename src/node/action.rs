//! What can be done on a machine, and what it answers.
//!
//! Every action takes time: [`Machine::begin`] says how long, [`Machine::complete`] makes it so.
//! The verbs are the Container Runtime Interface's (`crictl`) and `ipvsadm`'s.
//!
//! [`Machine::begin`]: super::Machine::begin
//! [`Machine::complete`]: super::Machine::complete

use super::address::Cidr;
use super::ipvs::{self, Change, IpvsError};
use super::runtime::{ContainerConfig, ContainerId, SandboxId};
use k8s_openapi::api::core::v1::Pod;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One piece of local work.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeAction {
    /// Fetches an image, however often it is there already.
    PullImage {
        image: String,
    },
    RemoveImage {
        image: String,
    },
    /// Starts the Pod's sandbox: its pause container, and its address from the CNI plugin.
    RunPodSandbox {
        pod: Arc<Pod>,
    },
    /// Kills what runs in the sandbox and releases its address.
    StopPodSandbox {
        sandbox: SandboxId,
    },
    /// Removes a sandbox with its containers, stopping it first if need be.
    RemovePodSandbox {
        sandbox: SandboxId,
    },
    CreateContainer {
        sandbox: SandboxId,
        config: Arc<ContainerConfig>,
    },
    StartContainer {
        container: ContainerId,
    },
    /// SIGTERM, and SIGKILL when it is still there after `grace`.
    StopContainer {
        container: ContainerId,
        grace: Duration,
    },
    RemoveContainer {
        container: ContainerId,
    },
    /// Sets up the Pod network with this range.
    InstallCni {
        pod_cidr: Cidr,
    },
    /// `modprobe ip_vs`
    LoadIpvs,
    /// Takes effect when begun, like the system call it is.
    Ipvs(Change),
}

impl fmt::Display for NodeAction {
    /// As a command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeAction::PullImage { image } => write!(f, "crictl pull {image}"),
            NodeAction::RemoveImage { image } => write!(f, "crictl rmi {image}"),
            NodeAction::RunPodSandbox { pod } => {
                let (namespace, name) = (&pod.metadata.namespace, &pod.metadata.name);
                let namespace = namespace.as_deref().unwrap_or("default");
                write!(
                    f,
                    "crictl runp {namespace}/{}",
                    name.as_deref().unwrap_or_default()
                )
            }
            NodeAction::StopPodSandbox { sandbox } => write!(f, "crictl stopp {}", sandbox.short()),
            NodeAction::RemovePodSandbox { sandbox } => write!(f, "crictl rmp {}", sandbox.short()),
            NodeAction::CreateContainer { sandbox, config } => {
                write!(f, "crictl create {} {}", sandbox.short(), config.name)
            }
            NodeAction::StartContainer { container } => write!(f, "crictl start {}", container.short()),
            NodeAction::StopContainer { container, grace } => {
                write!(
                    f,
                    "crictl stop --timeout {} {}",
                    grace.as_secs(),
                    container.short()
                )
            }
            NodeAction::RemoveContainer { container } => write!(f, "crictl rm {}", container.short()),
            NodeAction::InstallCni { pod_cidr } => write!(f, "kbh node cni {pod_cidr}"),
            NodeAction::LoadIpvs => f.write_str("modprobe ip_vs"),
            NodeAction::Ipvs(change) => write!(f, "ipvsadm {}", ipvs::Arguments(change)),
        }
    }
}

/// Names an action that was begun on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActionId(pub u64);

/// An action that was begun: call `complete` with `id` after `after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    pub id: ActionId,
    pub after: Duration,
}

/// What an action made.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    None,
    /// The image's id, as `imageID` shows it in a Pod's status.
    Image(Arc<str>),
    Sandbox(SandboxId),
    Container(ContainerId),
}

/// Something that happened on a machine.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeEvent {
    /// An action came to its end, well or not.
    Done {
        id: ActionId,
        action: NodeAction,
        result: Result<Output, NodeError>,
    },
    /// A container's main process ended, by itself or stopped.
    ContainerExited {
        pod_uid: Arc<str>,
        container: ContainerId,
        exit_code: i32,
    },
    /// A container's process waits for an answer from the network: see `network::fetch`.
    Fetch { container: ContainerId },
    /// Pods' connections through this machine closed or were forgotten; nothing else changed.
    ConnectionsAged,
}

/// What a machine refuses, in containerd's and ipvsadm's words.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeError {
    /// An answer of the container runtime: `rpc error: code = … desc = …`.
    Runtime {
        code: &'static str,
        message: String,
    },
    Ipvs(IpvsError),
    /// The machine is powered off; nothing can be done on it.
    Off,
}

impl NodeError {
    pub(super) fn unknown(message: impl Into<String>) -> NodeError {
        NodeError::Runtime {
            code: "Unknown",
            message: message.into(),
        }
    }

    pub(super) fn not_found(message: impl Into<String>) -> NodeError {
        NodeError::Runtime {
            code: "NotFound",
            message: message.into(),
        }
    }

    /// The text after `desc = `, as Events of image pulls show it.
    pub fn message(&self) -> String {
        match self {
            NodeError::Runtime { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeError::Runtime { code, message } => write!(f, "rpc error: code = {code} desc = {message}"),
            NodeError::Ipvs(error) => error.fmt(f),
            NodeError::Off => f.write_str("the machine is powered off"),
        }
    }
}

impl std::error::Error for NodeError {}

impl From<IpvsError> for NodeError {
    fn from(error: IpvsError) -> NodeError {
        NodeError::Ipvs(error)
    }
}
