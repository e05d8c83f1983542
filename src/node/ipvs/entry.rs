//! What a table consists of, what may be done to it, and how that is refused.

use super::estimator::Estimator;
use super::{Scheduler, Transfer};
use crate::sim::{SimTime, StateHasher};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

/// The transport protocols IPVS balances, in the order of their numbers (which `ipvsadm` sorts by).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    /// `TCP`, as tables and the API write it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        }
    }

    /// From a Service port's `protocol`.
    pub fn from_name(name: &str) -> Option<Protocol> {
        [Protocol::Tcp, Protocol::Udp, Protocol::Sctp]
            .into_iter()
            .find(|p| p.name() == name)
    }

    /// The option that names a service of this protocol.
    pub(super) fn option(self) -> &'static str {
        match self {
            Protocol::Tcp => "-t",
            Protocol::Udp => "-u",
            Protocol::Sctp => "--sctp-service",
        }
    }
}

/// What identifies a virtual service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceKey {
    pub protocol: Protocol,
    pub address: Ipv4Addr,
    pub port: u16,
}

impl fmt::Display for ServiceKey {
    /// As on ipvsadm's command line: `-t 10.96.0.10:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{}", self.protocol.option(), self.address, self.port)
    }
}

/// How packets reach the real server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forward {
    /// `-m`: network address translation, what kube-proxy uses.
    Masq,
    /// `-g`: direct routing; ipvsadm's default, and a Pod that does not hold the virtual address
    /// drops what arrives this way.
    #[default]
    Route,
    /// `-i`: IP in IP.
    Tunnel,
}

impl Forward {
    /// The word in `ipvsadm -L`.
    pub fn name(self) -> &'static str {
        match self {
            Forward::Masq => "Masq",
            Forward::Route => "Route",
            Forward::Tunnel => "Tunnel",
        }
    }

    pub(super) fn option(self) -> &'static str {
        match self {
            Forward::Masq => "-m",
            Forward::Route => "-g",
            Forward::Tunnel => "-i",
        }
    }
}

/// The settings of a virtual service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceSettings {
    pub scheduler: Scheduler,
    /// `-p`: a client stays with its server for this many seconds after its last connection.
    pub persistent_seconds: Option<u32>,
    /// `-b sh-port`: source hashing looks at the port too.
    pub sh_port: bool,
    /// `-b sh-fallback`: source hashing goes on to another server when the first is not available.
    pub sh_fallback: bool,
}

impl ServiceSettings {
    pub fn new(scheduler: Scheduler) -> ServiceSettings {
        ServiceSettings {
            scheduler,
            persistent_seconds: None,
            sh_port: false,
            sh_fallback: false,
        }
    }
}

/// The settings of a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    pub forward: Forward,
    /// Zero: no new connections.
    pub weight: u16,
}

/// One change of the table: what an `ipvsadm` line or a kube-proxy's netlink call asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    AddService {
        service: ServiceKey,
        settings: ServiceSettings,
    },
    EditService {
        service: ServiceKey,
        settings: ServiceSettings,
    },
    DeleteService {
        service: ServiceKey,
    },
    AddServer {
        service: ServiceKey,
        server: SocketAddrV4,
        settings: ServerSettings,
    },
    EditServer {
        service: ServiceKey,
        server: SocketAddrV4,
        settings: ServerSettings,
    },
    DeleteServer {
        service: ServiceKey,
        server: SocketAddrV4,
    },
    Clear,
    /// Zeroes the statistics, of one service or of all.
    Zero {
        service: Option<ServiceKey>,
    },
    SetTimeouts {
        tcp_seconds: u32,
        tcp_fin_seconds: u32,
        udp_seconds: u32,
    },
}

/// What the kernel refuses, in ipvsadm's words (`ipvs_strerror` in libipvs.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpvsError {
    ServiceExists,
    NoSuchService,
    /// A server was named for a service that is not there.
    ServiceNotDefined,
    DestinationExists,
    NoSuchDestination,
    Invalid,
    /// The ip_vs module is not loaded.
    NotLoaded,
}

impl fmt::Display for IpvsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IpvsError::ServiceExists => "Service already exists",
            IpvsError::NoSuchService => "No such service",
            IpvsError::ServiceNotDefined => "Service not defined",
            IpvsError::DestinationExists => "Destination already exists",
            IpvsError::NoSuchDestination => "No such destination",
            IpvsError::Invalid => {
                "Invalid operation.  Possibly wrong module version, address not unicast, ..."
            }
            IpvsError::NotLoaded => {
                "Can't initialize ipvs: Protocol not available\n\
                 Are you sure that IP Virtual Server is built in the kernel or as module?"
            }
        })
    }
}

impl std::error::Error for IpvsError {}

impl IpvsError {
    /// What `ipvsadm` exits with.
    pub fn exit_code(self) -> i32 {
        if self == IpvsError::NotLoaded { 2 } else { 255 }
    }
}

/// What was counted since the entry was made or zeroed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub connections: u64,
    pub in_packets: u64,
    pub out_packets: u64,
    pub in_bytes: u64,
    pub out_bytes: u64,
}

impl Stats {
    pub(super) fn add(&mut self, transfer: &Transfer) {
        self.connections += 1;
        self.in_packets += transfer.in_packets;
        self.out_packets += transfer.out_packets;
        self.in_bytes += transfer.in_bytes;
        self.out_bytes += transfer.out_bytes;
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        for number in [
            self.connections,
            self.in_packets,
            self.out_packets,
            self.in_bytes,
            self.out_bytes,
        ] {
            hasher.number(number);
        }
    }
}

/// Numbers of a server that has had traffic; most of a big table never has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub active: u32,
    pub inactive: u32,
    pub persistent: u32,
    pub stats: Stats,
    pub rates: Estimator,
}

/// A real server ("destination" in the kernel).
#[derive(Clone, Debug)]
pub struct Server {
    /// The same for as long as the entry is there; never used again on this machine.
    pub id: u64,
    pub settings: ServerSettings,
    pub(super) counters: Option<Box<Counters>>,
}

impl Server {
    pub fn active_connections(&self) -> u32 {
        self.counters.as_ref().map_or(0, |c| c.active)
    }

    pub fn inactive_connections(&self) -> u32 {
        self.counters.as_ref().map_or(0, |c| c.inactive)
    }

    /// Persistence templates that point here.
    pub fn persistent_connections(&self) -> u32 {
        self.counters.as_ref().map_or(0, |c| c.persistent)
    }

    pub fn stats(&self) -> Stats {
        self.counters.as_ref().map_or_else(Stats::default, |c| c.stats)
    }

    /// Connections, packets in and out, bytes in and out per second.
    pub fn rates(&self, now: SimTime) -> [u64; 5] {
        self.counters.as_ref().map_or([0; 5], |c| c.rates.per_second(now))
    }

    pub(super) fn counters_mut(&mut self) -> &mut Counters {
        self.counters.get_or_insert_default()
    }
}
