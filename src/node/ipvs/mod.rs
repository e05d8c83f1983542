//! IPVS: the kernel's table of virtual services, the switchboard on each desk.
//!
//! - here: the table
//! - `entry`: what it consists of, and what may be done to it ([`Change`])
//! - `schedule`: which real server a new connection gets
//! - `connections`: what is open, what is dying, and when it is forgotten
//! - `estimator`: rates per second
//! - `print`: as `ipvsadm` prints it
//! - `command`, `options`: `ipvsadm`'s command line
//!
//! Source: Linux `net/netfilter/ipvs/ip_vs_ctl.c`; texts are ipvsadm 1.31's.
//! The sysctls stand as kube-proxy sets them: `expire_nodest_conn` and `expire_quiescent_template` on.

mod command;
mod connections;
mod entry;
mod estimator;
mod options;
mod print;
mod schedule;

use crate::api::sorted::SortedMap;
pub use command::{Format, IpvsCommand, Listing, UsageError, command};
pub use connections::{Connection, ConnectionId, ConnectionState, Ending, Timeouts, Transfer, Verdict};
pub use entry::{
    Change, Forward, IpvsError, Protocol, Server, ServerSettings, ServiceKey, ServiceSettings, Stats,
};
pub use print::Arguments;
pub use schedule::Scheduler;

use crate::sim::{SimTime, StateHasher};
use connections::Connections;
use std::cmp::Reverse;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

/// A virtual service and its real servers.
#[derive(Clone, Debug)]
pub struct Service {
    /// The same for as long as the entry is there; never used again on this machine.
    pub id: u64,
    pub settings: ServiceSettings,
    servers: SortedMap<SocketAddrV4, Server>,
    /// The kernel's list, which it adds to at the head: newest first.
    list: SortedMap<Reverse<u64>, SocketAddrV4>,
    mark: schedule::Mark,
    stats: Stats,
    rates: estimator::Estimator,
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

    /// Connections, packets in and out, bytes in and out per second.
    pub fn rates(&self, now: SimTime) -> [u64; 5] {
        self.rates.per_second(now)
    }
}

/// The table of one machine. Cloning is cheap: services are shared until one of the copies changes.
#[derive(Clone, Debug, Default)]
pub struct Ipvs {
    loaded: bool,
    services: Arc<SortedMap<ServiceKey, Arc<Service>>>,
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
    #[inline(never)]
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
        [Protocol::Tcp, Protocol::Udp, Protocol::Sctp]
            .into_iter()
            .any(|protocol| {
                let from = ServiceKey {
                    protocol,
                    address,
                    port: 0,
                };
                let to = ServiceKey {
                    protocol,
                    address,
                    port: u16::MAX,
                };
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
            Change::AddServer {
                service,
                server,
                settings,
            } => self.add_server(service, server, settings),
            Change::EditServer {
                service,
                server,
                settings,
            } => {
                let entry = self.service_mut(&service).ok_or(IpvsError::ServiceNotDefined)?;
                let known = entry
                    .servers
                    .get_mut(&server)
                    .ok_or(IpvsError::NoSuchDestination)?;
                known.settings = settings;
                entry.servers_changed();
                Ok(())
            }
            Change::DeleteServer { service, server } => {
                let entry = self.service_mut(&service).ok_or(IpvsError::ServiceNotDefined)?;
                let gone = entry
                    .servers
                    .remove(&server)
                    .ok_or(IpvsError::NoSuchDestination)?;
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
            Change::Zero {
                service: Some(service),
            } => {
                self.service_mut(&service).ok_or(IpvsError::NoSuchService)?.zero();
                Ok(())
            }
            Change::Zero { service: None } => {
                Arc::make_mut(&mut self.services)
                    .values_mut()
                    .for_each(|entry| Arc::make_mut(entry).zero());
                Ok(())
            }
            Change::SetTimeouts {
                tcp_seconds,
                tcp_fin_seconds,
                udp_seconds,
            } => {
                self.connections
                    .set_timeouts(tcp_seconds, tcp_fin_seconds, udp_seconds);
                Ok(())
            }
        }
    }

    #[inline(never)]
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
            servers: SortedMap::new(),
            list: SortedMap::new(),
            mark: schedule::Mark::default(),
            stats: Stats::default(),
            rates: estimator::Estimator::default(),
        };
        Arc::make_mut(&mut self.services).insert(key, Arc::new(service));
        Ok(())
    }

    #[inline(never)]
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
        service.servers.insert(
            address,
            Server {
                id,
                settings,
                counters: None,
            },
        );
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
            service.rates.hash(hasher);
            hasher.number(service.servers.len() as u64);
            for (address, server) in &service.servers {
                hasher.number(u64::from(u32::from(*address.ip())) << 16 | u64::from(address.port()));
                hasher.number(server.id);
                let settings = u64::from(server.settings.weight) << 8 | server.settings.forward as u64;
                hasher.number(settings << 1 | u64::from(server.counters.is_some()));
                if let Some(counters) = server.counters.as_deref() {
                    hasher.number(u64::from(counters.active) << 32 | u64::from(counters.inactive));
                    hasher.number(u64::from(counters.persistent));
                    counters.stats.hash(hasher);
                    counters.rates.hash(hasher);
                }
            }
        }
        self.connections.hash(hasher);
    }
}

impl Service {
    fn zero(&mut self) {
        self.stats = Stats::default();
        self.rates = estimator::Estimator::default();
        for server in self
            .servers
            .values_mut()
            .filter(|server| server.counters.is_some())
        {
            let counters = server.counters_mut();
            counters.stats = Stats::default();
            counters.rates = estimator::Estimator::default();
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
