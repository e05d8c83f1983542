//! Connections through the table: opened by a packet, closed, and forgotten after a time-out.
//!
//! Source: Linux `net/netfilter/ipvs/{ip_vs_conn,ip_vs_core,ip_vs_proto_tcp}.c`.

use super::{Forward, Ipvs, Protocol, ServiceKey};
use crate::api::sorted::{SortedMap, SortedSet};
use crate::sim::{SimTime, StateHasher};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// Names a connection on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(u64);

/// The states a connection shows in `ipvsadm -Lc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// The server has not answered yet.
    SynReceived,
    Established,
    TimeWait,
    /// Refused by the server.
    Close,
    Udp,
}

impl ConnectionState {
    pub fn name(self) -> &'static str {
        match self {
            ConnectionState::SynReceived => "SYN_RECV",
            ConnectionState::Established => "ESTABLISHED",
            ConnectionState::TimeWait => "TIME_WAIT",
            ConnectionState::Close => "CLOSE",
            ConnectionState::Udp => "UDP",
        }
    }

    /// Whether it counts as ActiveConn; every other state is InActConn.
    fn active(self) -> bool {
        self == ConnectionState::Established
    }
}

#[derive(Clone, Debug)]
pub struct Connection {
    pub client: SocketAddrV4,
    pub service: ServiceKey,
    pub server: SocketAddrV4,
    pub state: ConnectionState,
    /// When this state ends: an established connection closes, any other is forgotten.
    pub until: SimTime,
}

/// What a connection moved, both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    pub in_packets: u64,
    pub out_packets: u64,
    pub in_bytes: u64,
    pub out_bytes: u64,
}

/// `ipvsadm -L --timeout`, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub tcp_seconds: u32,
    pub tcp_fin_seconds: u32,
    pub udp_seconds: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            tcp_seconds: 900,
            tcp_fin_seconds: 120,
            udp_seconds: 300,
        }
    }
}

/// The kernel's time-outs that `ipvsadm --set` does not reach.
const TIME_WAIT: Duration = Duration::from_secs(120);
const SYN_RECEIVED: Duration = Duration::from_secs(60);
const CLOSE: Duration = Duration::from_secs(10);

/// Which server a client sticks to.
#[derive(Clone, Copy, Debug)]
struct Template {
    server: SocketAddrV4,
    until: SimTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Connection(ConnectionId),
    Template(ServiceKey, Ipv4Addr),
}

#[derive(Clone, Debug, Default)]
struct Book {
    open: SortedMap<ConnectionId, Connection>,
    templates: SortedMap<(ServiceKey, Ipv4Addr), Template>,
    due: SortedSet<(SimTime, Due)>,
}

/// Every connection of a machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    book: Arc<Book>,
    next: u64,
    timeouts: Timeouts,
}

impl Connections {
    pub(super) fn clear(&mut self) {
        self.book = Arc::default();
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Zero leaves a value as it is.
    pub(super) fn set_timeouts(&mut self, tcp: u32, tcp_fin: u32, udp: u32) {
        let keep = |new, old| if new == 0 { old } else { new };
        self.timeouts = Timeouts {
            tcp_seconds: keep(tcp, self.timeouts.tcp_seconds),
            tcp_fin_seconds: keep(tcp_fin, self.timeouts.tcp_fin_seconds),
            udp_seconds: keep(udp, self.timeouts.udp_seconds),
        };
    }

    pub(super) fn forget_service(&mut self, service: &ServiceKey) {
        self.forget(|key, _| key == service);
    }

    pub(super) fn forget_server(&mut self, service: &ServiceKey, server: &SocketAddrV4) {
        self.forget(|key, of| key == service && of == server);
    }

    fn forget(&mut self, which: impl Fn(&ServiceKey, &SocketAddrV4) -> bool) {
        if self.book.open.is_empty() && self.book.templates.is_empty() {
            return;
        }
        let Book { open, templates, due } = Arc::make_mut(&mut self.book);
        open.retain(|id, connection| {
            let gone = which(&connection.service, &connection.server);
            if gone {
                due.remove(&(connection.until, Due::Connection(*id)));
            }
            !gone
        });
        templates.retain(|(service, client), template| {
            let gone = which(service, &template.server);
            if gone {
                due.remove(&(template.until, Due::Template(*service, *client)));
            }
            !gone
        });
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(self.next);
        let Timeouts {
            tcp_seconds,
            tcp_fin_seconds,
            udp_seconds,
        } = self.timeouts;
        [tcp_seconds, tcp_fin_seconds, udp_seconds]
            .into_iter()
            .for_each(|n| hasher.number(u64::from(n)));
        hasher.number(self.book.open.len() as u64);
        for (id, connection) in &self.book.open {
            hasher.number(id.0);
            hasher.text(&connection.client.to_string());
            hasher.text(&connection.service.to_string());
            hasher.text(&connection.server.to_string());
            hasher.text(connection.state.name());
            hasher.number(connection.until.as_micros());
        }
        hasher.number(self.book.templates.len() as u64);
        for ((service, client), template) in &self.book.templates {
            hasher.text(&service.to_string());
            hasher.number(u64::from(u32::from(*client)));
            hasher.text(&template.server.to_string());
            hasher.number(template.until.as_micros());
        }
    }
}

/// What the table does with the first packet of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// The address and port are no virtual service: the packet goes its normal way.
    NotVirtual,
    /// A virtual service without a server to take it: answered with "port unreachable".
    NoServer,
    /// On to this server. The connection is open until [`Ipvs::settle`] says how it ended.
    To {
        /// The entry that matched; its port is zero when it takes any.
        service: ServiceKey,
        service_id: u64,
        server: SocketAddrV4,
        server_id: u64,
        forward: Forward,
        connection: ConnectionId,
    },
}

/// How a connection went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Served; both ends close at this time.
    Closes(SimTime),
    Refused,
    /// Nothing came back.
    Unanswered,
}

impl Ipvs {
    /// Takes the first packet of a new connection to `to`, chooses a server and counts.
    pub fn connect(&mut self, now: SimTime, to: ServiceKey, client: SocketAddrV4) -> Verdict {
        let any_port = ServiceKey { port: 0, ..to };
        let Some(key) = [to, any_port]
            .into_iter()
            .find(|key| self.services.contains_key(key))
        else {
            return Verdict::NotVirtual;
        };
        let stuck = self.sticks_to(now, &key, *client.ip());
        let Some(service) = self.service_mut(&key) else {
            return Verdict::NotVirtual;
        };
        let Some(server) = stuck.or_else(|| service.choose(client)) else {
            return Verdict::NoServer;
        };
        let Some(entry) = service.servers.get_mut(&server) else {
            return Verdict::NoServer;
        };
        let (forward, server_id) = (entry.settings.forward, entry.id);
        let counters = entry.counters_mut();
        counters.inactive += 1;
        counters.persistent += u32::from(service.settings.persistent_seconds.is_some() && stuck.is_none());
        let (persistent, service_id) = (service.settings.persistent_seconds, service.id);

        self.connections.next += 1;
        let id = ConnectionId(self.connections.next);
        let book = Arc::make_mut(&mut self.connections.book);
        let until = now + SYN_RECEIVED;
        let state = ConnectionState::SynReceived;
        book.open.insert(
            id,
            Connection {
                client,
                service: key,
                server,
                state,
                until,
            },
        );
        book.due.insert((until, Due::Connection(id)));
        if let Some(seconds) = persistent {
            let of = (key, *client.ip());
            let template = Template {
                server,
                until: now + Duration::from_secs(u64::from(seconds)),
            };
            if let Some(old) = book.templates.insert(of, template) {
                book.due.remove(&(old.until, Due::Template(of.0, of.1)));
            }
            book.due.insert((template.until, Due::Template(of.0, of.1)));
        }
        // A server without a port of its own takes whatever port was asked for.
        let port = if server.port() == 0 {
            to.port
        } else {
            server.port()
        };
        let server = SocketAddrV4::new(*server.ip(), port);
        Verdict::To {
            service: key,
            service_id,
            server,
            server_id,
            forward,
            connection: id,
        }
    }

    /// The server this client was sent to before, while that still holds and the server takes
    /// connections.
    fn sticks_to(&mut self, now: SimTime, key: &ServiceKey, client: Ipv4Addr) -> Option<SocketAddrV4> {
        let template = self.connections.book.templates.get(&(*key, client)).copied()?;
        let weight = self
            .services
            .get(key)?
            .servers
            .get(&template.server)?
            .settings
            .weight;
        if weight > 0 && template.until > now {
            return Some(template.server);
        }
        self.drop_template(key, client);
        None
    }

    fn drop_template(&mut self, key: &ServiceKey, client: Ipv4Addr) {
        let book = Arc::make_mut(&mut self.connections.book);
        let Some(template) = book.templates.remove(&(*key, client)) else {
            return;
        };
        book.due.remove(&(template.until, Due::Template(*key, client)));
        if let Some(server) = self
            .service_mut(key)
            .and_then(|s| s.servers.get_mut(&template.server))
        {
            let counters = server.counters_mut();
            counters.persistent = counters.persistent.saturating_sub(1);
        }
    }

    /// Says how a connection ended and what it moved. A connection that is gone is ignored.
    pub fn settle(&mut self, now: SimTime, id: ConnectionId, ending: Ending, transfer: Transfer) {
        let udp = Duration::from_secs(u64::from(self.connections.timeouts.udp_seconds));
        let Some(connection) = self.connections.book.open.get(&id) else {
            return;
        };
        let (service, server) = (connection.service, connection.server);
        let (state, until) = match ending {
            Ending::Closes(at) if service.protocol == Protocol::Udp => (ConnectionState::Udp, at + udp),
            Ending::Closes(at) => (ConnectionState::Established, at),
            Ending::Refused => (ConnectionState::Close, now + CLOSE),
            Ending::Unanswered => (ConnectionState::SynReceived, now + SYN_RECEIVED),
        };
        if let Some(service) = self.service_mut(&service) {
            service.stats.add(&transfer);
            service.rates.count(now, &transfer);
            if let Some(server) = service.servers.get_mut(&server) {
                let counters = server.counters_mut();
                counters.stats.add(&transfer);
                counters.rates.count(now, &transfer);
            }
        }
        self.turn(id, state, until);
    }

    /// Moves a connection to a state and keeps its server's counters in step.
    fn turn(&mut self, id: ConnectionId, state: ConnectionState, until: SimTime) {
        let book = Arc::make_mut(&mut self.connections.book);
        let Some(connection) = book.open.get_mut(&id) else {
            return;
        };
        book.due.remove(&(connection.until, Due::Connection(id)));
        book.due.insert((until, Due::Connection(id)));
        let before = std::mem::replace(&mut connection.state, state);
        connection.until = until;
        let (service, server) = (connection.service, connection.server);
        if before.active() != state.active()
            && let Some(server) = self
                .service_mut(&service)
                .and_then(|s| s.servers.get_mut(&server))
        {
            let counters = server.counters_mut();
            let (from, to) = if state.active() {
                (&mut counters.inactive, &mut counters.active)
            } else {
                (&mut counters.active, &mut counters.inactive)
            };
            *from = from.saturating_sub(1);
            *to += 1;
        }
    }

    /// When the next connection closes or is forgotten.
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.connections.book.due.first().map(|(at, _)| *at)
    }

    /// Closes and forgets what is due. True when something changed.
    pub fn tick(&mut self, now: SimTime) -> bool {
        let mut changed = false;
        while let Some((at, due)) = self
            .connections
            .book
            .due
            .first()
            .copied()
            .filter(|(at, _)| *at <= now)
        {
            changed = true;
            match due {
                Due::Template(service, client) => self.drop_template(&service, client),
                Due::Connection(id) => {
                    let state = self
                        .connections
                        .book
                        .open
                        .get(&id)
                        .map(|connection| connection.state);
                    if state == Some(ConnectionState::Established) {
                        self.turn(id, ConnectionState::TimeWait, at + TIME_WAIT);
                    } else {
                        self.forget_connection(id, at);
                    }
                }
            }
        }
        changed
    }

    fn forget_connection(&mut self, id: ConnectionId, until: SimTime) {
        let book = Arc::make_mut(&mut self.connections.book);
        book.due.remove(&(until, Due::Connection(id)));
        let Some(connection) = book.open.remove(&id) else {
            return;
        };
        let service = self.service_mut(&connection.service);
        if let Some(server) = service.and_then(|s| s.servers.get_mut(&connection.server)) {
            let counters = server.counters_mut();
            counters.inactive = counters.inactive.saturating_sub(1);
        }
    }

    /// Open and dying connections, oldest first.
    pub fn connections(&self) -> impl ExactSizeIterator<Item = &Connection> {
        self.connections.book.open.values()
    }

    /// Persistence: service, client, server and when it ends.
    pub fn templates(&self) -> impl Iterator<Item = (&ServiceKey, Ipv4Addr, SocketAddrV4, SimTime)> {
        let templates = self.connections.book.templates.iter();
        templates.map(|((service, client), template)| (service, *client, template.server, template.until))
    }
}
