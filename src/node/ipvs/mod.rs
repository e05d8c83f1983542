//! IPVS: the kernel's table of virtual services, the switchboard on each desk.
//!
//! - here: the table and what may be done to it ([`Change`])
//! - `schedule`: which real server a new connection gets
//! - `connections`: what is open, what is dying, and when it is forgotten
//! - `print`: as `ipvsadm` prints it
//! - `command`: `ipvsadm`'s command line
//!
//! Source: Linux `net/netfilter/ipvs/ip_vs_ctl.c`; texts are ipvsadm 1.31's.
//! The sysctls stand as kube-proxy sets them: `expire_nodest_conn` and `expire_quiescent_template` on.

mod command;
mod connections;
mod print;
mod schedule;

pub use command::{Format, IpvsCommand, Listing, UsageError, command};
pub use connections::{Connection, ConnectionId, ConnectionState, Ending, Timeouts, Transfer, Verdict};
pub use schedule::Scheduler;
pub use print::Arguments;

use crate::sim::StateHasher;
use connections::Connections;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

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
        [Protocol::Tcp, Protocol::Udp, Protocol::Sctp].into_iter().find(|p| p.name() == name)
    }

    /// The option that names a service of this protocol.
    fn option(self) -> &'static str {
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

    fn option(self) -> &'static str {
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
        ServiceSettings { scheduler, persistent_seconds: None, sh_port: false, sh_fallback: false }
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
    AddService { service: ServiceKey, settings: ServiceSettings },
    EditService { service: ServiceKey, settings: ServiceSettings },
    DeleteService { service: ServiceKey },
    AddServer { service: ServiceKey, server: SocketAddrV4, settings: ServerSettings },
    EditServer { service: ServiceKey, server: SocketAddrV4, settings: ServerSettings },
    DeleteServer { service: ServiceKey, server: SocketAddrV4 },
    Clear,
    /// Zeroes the statistics, of one service or of all.
    Zero { service: Option<ServiceKey> },
    SetTimeouts { tcp_seconds: u32, tcp_fin_seconds: u32, udp_seconds: u32 },
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
    fn add(&mut self, transfer: &Transfer) {
        self.connections += 1;
        self.in_packets += transfer.in_packets;
        self.out_packets += transfer.out_packets;
        self.in_bytes += transfer.in_bytes;
        self.out_bytes += transfer.out_bytes;
    }

    fn hash(&self, hasher: &mut StateHasher) {
        for number in [self.connections, self.in_packets, self.out_packets, self.in_bytes, self.out_bytes] {
            hasher.number(number);
        }
    }
}

/// Numbers of a server that has had traffic; most of a big table never has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    active: u32,
    inactive: u32,
    persistent: u32,
    stats: Stats,
}

/// A real server ("destination" in the kernel).
#[derive(Clone, Debug)]
pub struct Server {
    /// The same for as long as the entry is there; never used again on this machine.
    pub id: u64,
    pub settings: ServerSettings,
    counters: Option<Box<Counters>>,
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

    fn counters_mut(&mut self) -> &mut Counters {
        self.counters.get_or_insert_default()
    }
}

/// A virtual service and its real servers.
#[derive(Clone, Debug)]
pub struct Service {
    /// The same for as long as the entry is there; never used again on this machine.
    pub id: u64,
    pub settings: ServiceSettings,
    servers: BTreeMap<SocketAddrV4, Server>,
    /// The kernel's list, which it adds to at the head: newest first.
    list: BTreeMap<Reverse<u64>, SocketAddrV4>,
    mark: schedule::Mark,
    stats: Stats,
}

impl Service {
    /// By address and port, as `ipvsadm` sorts them.
    pub fn servers(&self) -> impl ExactSizeIterator<Item = (&SocketAddrV4, &Server)> {
        self.servers.iter()
    }

    pub fn server(&self, address: &SocketAddrV4) -> Option<&Server> {
        self.servers.get(address)
    }

    pub fn stats(&self) -> Stats {
        self.stats
    }
}

/// The table of one machine. Cloning is cheap: services are shared until one of the copies changes.
#[derive(Clone, Debug, Default)]
pub struct Ipvs {
    loaded: bool,
    services: Arc<BTreeMap<ServiceKey, Arc<Service>>>,
    connections: Connections,
    next_id: u64,
}

impl Ipvs {
    /// Whether the kernel module is there; without it every call fails.
    pub fn loaded(&self) -> bool {
        self.loaded
    }

    /// `modprobe ip_vs`
    pub fn load(&mut self) {
        self.loaded = true;
    }

    /// A reboot: the module comes back, the table does not.
    pub(super) fn reset(&mut self) {
        self.services = Arc::default();
        self.connections.clear();
    }

    /// In `ipvsadm`'s order: protocol, address, port.
    pub fn services(&self) -> impl ExactSizeIterator<Item = (&ServiceKey, &Arc<Service>)> {
        self.services.iter()
    }

    pub fn service(&self, key: &ServiceKey) -> Option<&Arc<Service>> {
        self.services.get(key)
    }

    /// Whether some virtual service has this address (kube-proxy then binds it to `kube-ipvs0`).
    pub fn has_address(&self, address: Ipv4Addr) -> bool {
        [Protocol::Tcp, Protocol::Udp, Protocol::Sctp].into_iter().any(|protocol| {
            let from = ServiceKey { protocol, address, port: 0 };
            let to = ServiceKey { protocol, address, port: u16::MAX };
            self.services.range(from..=to).next().is_some()
        })
    }

    pub fn timeouts(&self) -> Timeouts {
        self.connections.timeouts()
    }

    fn service_mut(&mut self, key: &ServiceKey) -> Option<&mut Service> {
        // Looked up first: a miss must not copy a shared table.
        self.services.get(key)?;
        Arc::make_mut(&mut self.services).get_mut(key).map(Arc::make_mut)
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Makes one change, at once and whole, or fails as the kernel would.
    pub fn apply(&mut self, change: &Change) -> Result<(), IpvsError> {
        if !self.loaded {
            return Err(IpvsError::NotLoaded);
        }
        match *change {
            Change::AddService { service, settings } => self.add_service(service, settings),
            Change::EditService { service, settings } => {
                let entry = self.service_mut(&service).ok_or(IpvsError::NoSuchService)?;
                if !usable(&service, &settings) {
                    return Err(IpvsError::Invalid);
                }
                let rescheduled = entry.settings.scheduler != settings.scheduler;
                entry.settings = settings;
                if rescheduled {
                    entry.scheduler_bound();
                }
                Ok(())
            }
            Change::DeleteService { service } => {
                if self.services.get(&service).is_none() {
                    return Err(IpvsError::NoSuchService);
                }
                Arc::make_mut(&mut self.services).remove(&service);
                self.connections.forget_service(&service);
                Ok(())
            }
            Change::AddServer { service, server, settings } => self.add_server(service, server, settings),
            Change::EditServer { service, server, settings } => {
                let entry = self.service_mut(&service).ok_or(IpvsError::ServiceNotDefined)?;
                let known = entry.servers.get_mut(&server).ok_or(IpvsError::NoSuchDestination)?;
                known.settings = settings;
                entry.servers_changed();
                Ok(())
            }
            Change::DeleteServer { service, server } => {
                let entry = self.service_mut(&service).ok_or(IpvsError::ServiceNotDefined)?;
                let gone = entry.servers.remove(&server).ok_or(IpvsError::NoSuchDestination)?;
                entry.list.remove(&Reverse(gone.id));
                entry.server_removed(gone.id);
                if gone.counters.is_some() {
                    self.connections.forget_server(&service, &server);
                }
                Ok(())
            }
            Change::Clear => {
                self.reset();
                Ok(())
            }
            Change::Zero { service: Some(service) } => {
                self.service_mut(&service).ok_or(IpvsError::NoSuchService)?.zero();
                Ok(())
            }
            Change::Zero { service: None } => {
                Arc::make_mut(&mut self.services).values_mut().for_each(|entry| Arc::make_mut(entry).zero());
                Ok(())
            }
            Change::SetTimeouts { tcp_seconds, tcp_fin_seconds, udp_seconds } => {
                self.connections.set_timeouts(tcp_seconds, tcp_fin_seconds, udp_seconds);
                Ok(())
            }
        }
    }

    fn add_service(&mut self, key: ServiceKey, settings: ServiceSettings) -> Result<(), IpvsError> {
        if self.services.contains_key(&key) {
            return Err(IpvsError::ServiceExists);
        }
        if !usable(&key, &settings) {
            return Err(IpvsError::Invalid);
        }
        let service = Service {
            id: self.new_id(),
            settings,
            servers: BTreeMap::new(),
            list: BTreeMap::new(),
            mark: schedule::Mark::default(),
            stats: Stats::default(),
        };
        Arc::make_mut(&mut self.services).insert(key, Arc::new(service));
        Ok(())
    }

    fn add_server(
        &mut self,
        key: ServiceKey,
        address: SocketAddrV4,
        settings: ServerSettings,
    ) -> Result<(), IpvsError> {
        let service = self.services.get(&key).ok_or(IpvsError::ServiceNotDefined)?;
        if service.servers.contains_key(&address) {
            return Err(IpvsError::DestinationExists);
        }
        if !unicast(*address.ip()) {
            return Err(IpvsError::Invalid);
        }
        let id = self.new_id();
        let service = self.service_mut(&key).ok_or(IpvsError::ServiceNotDefined)?;
        service.servers.insert(address, Server { id, settings, counters: None });
        service.list.insert(Reverse(id), address);
        service.servers_changed();
        Ok(())
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(u64::from(self.loaded));
        hasher.number(self.next_id);
        hasher.number(self.services.len() as u64);
        for (key, service) in self.services.iter() {
            hasher.text(&key.to_string());
            hasher.number(service.id);
            hasher.text(service.settings.scheduler.name());
            hasher.number(service.settings.persistent_seconds.map_or(0, u64::from));
            hasher.number(u64::from(service.settings.sh_port) + 2 * u64::from(service.settings.sh_fallback));
            service.mark.hash(hasher);
            service.stats.hash(hasher);
            hasher.number(service.servers.len() as u64);
            for (address, server) in &service.servers {
                hasher.number(u64::from(u32::from(*address.ip())) << 16 | u64::from(address.port()));
                hasher.number(server.id);
                hasher.text(server.settings.forward.name());
                hasher.number(u64::from(server.settings.weight));
                let counters = server.counters.as_deref().copied().unwrap_or_default();
                hasher.number(u64::from(counters.active));
                hasher.number(u64::from(counters.inactive));
                hasher.number(u64::from(counters.persistent));
                counters.stats.hash(hasher);
            }
        }
        self.connections.hash(hasher);
    }
}

impl Service {
    fn zero(&mut self) {
        self.stats = Stats::default();
        for server in self.servers.values_mut().filter(|server| server.counters.is_some()) {
            server.counters_mut().stats = Stats::default();
        }
    }
}

/// The kernel wants persistence for "any port".
fn usable(key: &ServiceKey, settings: &ServiceSettings) -> bool {
    unicast(key.address) && (key.port != 0 || settings.persistent_seconds.is_some())
}

fn unicast(address: Ipv4Addr) -> bool {
    !(address.is_multicast() || address.is_broadcast() || address.is_unspecified())
}

#[cfg(test)]
mod tests;
