//! Packets: from a client to an answer, hop by hop, along the tables that are really on the machines.
//!
//! - here: who asks ([`From`]), what happens on the way ([`Hop`]), what comes of it ([`Outcome`])
//! - [`dns`]: names inside the cluster
//! - `route`: the way itself
//! - `fetch`: what processes in containers ask of the network
//! - [`policy`]: what NetworkPolicies let through; `route` asks where a packet leaves or enters a Pod
//! - `curl`: the outcome in curl's words

mod curl;
pub mod dns;
mod fetch;
pub mod policy;
mod route;

use crate::api::sorted::SortedMap;
pub use curl::CurlError;
pub use dns::{Names, Resolved};
pub use fetch::{exec, fetch};
use policy::Direction;
pub use route::request;

use crate::etcd::Store;
use crate::node::images::HttpResponse;
use crate::node::ipvs::ServiceKey;
use crate::node::{Machine, runtime::SandboxId};
use std::borrow::Borrow;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// The machines of a cluster, by name.
pub trait Machines {
    fn machine(&self, name: &str) -> Option<&Machine>;
    fn machine_mut(&mut self, name: &str) -> Option<&mut Machine>;
    /// The first machine, by name, for which `wanted` holds.
    fn find(&self, wanted: &dyn Fn(&Machine) -> bool) -> Option<&Machine>;
}

impl<K: Borrow<str> + Ord> Machines for SortedMap<K, Machine> {
    fn machine(&self, name: &str) -> Option<&Machine> {
        self.get(name)
    }

    fn machine_mut(&mut self, name: &str) -> Option<&mut Machine> {
        self.get_mut(name)
    }

    fn find(&self, wanted: &dyn Fn(&Machine) -> bool) -> Option<&Machine> {
        self.values().find(|machine| wanted(machine))
    }
}

/// How long packets take, one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Within a machine.
    pub local: Duration,
    /// From machine to machine.
    pub wire: Duration,
}

impl Default for Latency {
    /// An office network.
    fn default() -> Self {
        Latency {
            local: Duration::from_micros(50),
            wire: Duration::from_micros(300),
        }
    }
}

/// What a request travels through.
pub struct World<'a> {
    pub machines: &'a mut dyn Machines,
    pub names: &'a dyn Names,
    /// Where NetworkPolicies, and the labels they select by, are looked up.
    pub store: &'a Store,
    /// Where the API server listens; it is on none of the machines.
    pub api_server: Option<SocketAddrV4>,
    pub latency: Latency,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq)]
pub enum From {
    /// Someone at a machine.
    Node { machine: Arc<str> },
    /// A container of a Pod.
    Pod { machine: Arc<str>, sandbox: SandboxId },
    /// A computer in the office network that is no node.
    Outside { ip: Ipv4Addr },
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// An address, or a name.
    pub host: Arc<str>,
    pub port: u16,
    pub method: Arc<str>,
    /// With the query.
    pub path: Arc<str>,
    /// How long the client waits for a connection. Without it the kernel gives up after
    /// [`SYN_TIMEOUT`].
    pub connect_timeout: Option<Duration>,
}

impl Request {
    /// `GET /` of a host, without patience of its own.
    pub fn get(host: &str, port: u16, path: &str) -> Request {
        Request {
            host: host.into(),
            port,
            method: "GET".into(),
            path: path.into(),
            connect_timeout: None,
        }
    }
}

/// Six SYNs unanswered: 1 + 2 + 4 + 8 + 16 + 32 + 64 seconds, and a little.
pub const SYN_TIMEOUT: Duration = Duration::from_millis(134_400);
/// How long the kernel asks for the owner of an address in vain.
pub const ARP_TIMEOUT: Duration = Duration::from_millis(3_060);

/// One thing that happens to a request on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    pub kind: HopKind,
    /// The machine where it happens; `None` between machines and outside.
    pub machine: Option<Arc<str>>,
    /// How long it takes.
    pub latency: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub enum HopKind {
    /// The client sends.
    Client {
        address: Ipv4Addr,
        to: SocketAddrV4,
    },
    Resolved {
        name: Arc<str>,
        address: Ipv4Addr,
    },
    /// The node's IPVS chose a server. The ids are those of the table's rows.
    Balanced {
        service: ServiceKey,
        service_id: u64,
        server: SocketAddrV4,
        server_id: u64,
    },
    /// From one machine to another; `None` is the office outside.
    Wire {
        from: Option<Arc<str>>,
        to: Option<Arc<str>>,
    },
    /// Into a Pod's network.
    Pod {
        namespace: Arc<str>,
        name: Arc<str>,
        address: SocketAddrV4,
    },
    /// To a process on the machine itself.
    Host {
        address: SocketAddrV4,
    },
    ApiServer {
        address: SocketAddrV4,
    },
    /// It goes no further.
    Lost(Loss),
}

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Loss {
    /// A virtual service without a server that takes connections.
    NoServer(ServiceKey),
    /// The address is a Service's, the port is not.
    NoSuchServicePort(SocketAddrV4),
    /// Nothing listens on that port.
    NothingListens(SocketAddrV4),
    /// No Pod has that address (any more).
    NoSuchPod(Ipv4Addr),
    /// Nobody has that address.
    NobodyHas(Ipv4Addr),
    /// This machine's Pod network is not set up: it knows no way to Pods elsewhere.
    NoPodNetwork(Arc<str>),
    /// Cable or power is out.
    Unplugged(Arc<str>),
    /// IPVS forwarded without translation, and the Pod does not hold the Service's address.
    NotTranslated(SocketAddrV4),
    /// A NetworkPolicy does not let it into, or out of, this Pod.
    Denied(policy::Direction, Arc<str>),
    /// The machine or Pod that asks is not there.
    NoClient,
    /// Too many machines passed it on to each other.
    Loop,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Http(HttpResponse),
    /// Connected to the API server; what it answers is its affair.
    ApiServer,
    /// Connected to something that does not speak HTTP.
    NotHttp,
    /// Refused at once (a RST, or "port unreachable").
    Refused,
    /// "No route to host", after the owner of the address was asked for in vain.
    Unreachable,
    /// Nothing came back.
    Timeout,
    NameNotResolved,
}

/// A request's whole way.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub request: Request,
    /// What the host's name stands for.
    pub address: Option<Ipv4Addr>,
    pub hops: Vec<Hop>,
    pub outcome: Outcome,
    /// From sending to the answer, or to giving up.
    pub total: Duration,
}

impl Trace {
    /// Whether an HTTP answer came, of whatever status.
    pub fn answered(&self) -> bool {
        matches!(self.outcome, Outcome::Http(_))
    }

    /// The real server that IPVS chose last, if one did.
    pub fn server(&self) -> Option<SocketAddrV4> {
        self.hops.iter().rev().find_map(|hop| match hop.kind {
            HopKind::Balanced { server, .. } => Some(server),
            _ => None,
        })
    }
}

impl fmt::Display for HopKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |name: &Option<Arc<str>>| name.as_deref().unwrap_or("the office").to_owned();
        match self {
            HopKind::Client { address, to } => write!(f, "{address} connects to {to}"),
            HopKind::Resolved { name, address } => write!(f, "DNS: {name} is {address}"),
            HopKind::Balanced { service, server, .. } => write!(f, "IPVS: {service} goes to {server}"),
            HopKind::Wire { from, to } => write!(f, "from {} to {}", place(from), place(to)),
            HopKind::Pod {
                namespace,
                name,
                address,
            } => write!(f, "to Pod {namespace}/{name} at {address}"),
            HopKind::Host { address } => write!(f, "to a process on the machine at {address}"),
            HopKind::ApiServer { address } => write!(f, "to the API server at {address}"),
            HopKind::Lost(loss) => loss.fmt(f),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::NoServer(service) => write!(f, "IPVS has no server for {service}"),
            Loss::NoSuchServicePort(to) => {
                write!(f, "{} is a Service's address, port {} is not", to.ip(), to.port())
            }
            Loss::NothingListens(to) => write!(f, "nothing listens at {to}"),
            Loss::NoSuchPod(address) => write!(f, "no Pod has the address {address}"),
            Loss::NobodyHas(address) => write!(f, "nobody has the address {address}"),
            Loss::NoPodNetwork(machine) => write!(f, "the Pod network of {machine} is not set up"),
            Loss::Unplugged(machine) => write!(f, "{machine} cannot be reached"),
            Loss::NotTranslated(server) => write!(
                f,
                "forwarded to {server} without translation (-m); the Pod drops it"
            ),
            Loss::Denied(Direction::Ingress, pod) => {
                write!(f, "no NetworkPolicy of Pod {pod} lets it in")
            }
            Loss::Denied(Direction::Egress, pod) => write!(f, "no NetworkPolicy of Pod {pod} lets it out"),
            Loss::NoClient => f.write_str("the client is not there"),
            Loss::Loop => f.write_str("it was passed on too often"),
        }
    }
}

#[cfg(test)]
mod tests;
