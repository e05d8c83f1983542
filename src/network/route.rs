//! The way of a request: name, IPVS, route, Pod, and what came back.

use super::policy::{self, Direction, Peer};
use super::{ARP_TIMEOUT, From, Hop, HopKind, Loss, Outcome, Request, SYN_TIMEOUT, Trace, World, dns};
use crate::api::Kind;
use crate::etcd::Key;
use crate::node::images::HttpRequest;
use crate::node::ipvs::{ConnectionId, Ending, Forward, Protocol, ServiceKey, Transfer, Verdict};
use crate::node::{Answer, Machine};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::Pod;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// How often one machine may pass a request on to another.
const MAX_MACHINES: usize = 4;

/// Sends a request and follows it to its end. Counters and access logs change at once, as if sent
/// and served at `now`; connections stay open for as long as the answer takes (see
/// [`Machine::tick`]).
pub fn request(world: &mut World<'_>, now: SimTime, from: &From, request: &Request) -> Trace {
    let mut way = Way {
        world,
        now,
        request,
        hops: Vec::new(),
        elapsed: Duration::ZERO,
        client: None,
        balanced: Vec::new(),
    };
    let (address, outcome) = way.go(from);
    way.finish(address, outcome)
}

struct Way<'a, 'w> {
    world: &'a mut World<'w>,
    now: SimTime,
    request: &'a Request,
    hops: Vec<Hop>,
    /// Time spent on the way there.
    elapsed: Duration,
    /// Namespace and name of the Pod that asks.
    client: Option<(Arc<str>, Arc<str>)>,
    /// The connections that IPVS tables hold for this request.
    balanced: Vec<(Arc<str>, ConnectionId)>,
}

/// Where a packet is.
struct Packet {
    /// The machine it is on.
    at: Arc<str>,
    to: SocketAddrV4,
    /// As the next one sees it.
    source: SocketAddrV4,
    /// The Pod it comes from, for 127.0.0.1.
    own: Option<Ipv4Addr>,
    /// What was asked for, when IPVS sent it elsewhere without translation.
    untranslated: Option<SocketAddrV4>,
}

impl Way<'_, '_> {
    fn hop(&mut self, kind: HopKind, machine: Option<Arc<str>>, latency: Duration) {
        self.elapsed += latency;
        self.hops.push(Hop {
            kind,
            machine,
            latency,
        });
    }

    fn lost(&mut self, loss: Loss, at: Option<Arc<str>>, outcome: Outcome) -> Outcome {
        self.hop(HopKind::Lost(loss), at, Duration::ZERO);
        outcome
    }

    fn machine(&self, name: &str) -> Option<&Machine> {
        self.world.machines.machine(name)
    }

    fn go(&mut self, from: &From) -> (Option<Ipv4Addr>, Outcome) {
        // Who asks, from where, and in which namespace names are looked up.
        let local = self.world.latency.local;
        let (at, source, own, namespace): (_, _, _, Arc<str>) = match from {
            From::Node { machine } => match self.machine(machine).filter(|machine| machine.powered()) {
                Some(machine) => (Some(machine.name.clone()), machine.ip, None, "default".into()),
                None => return (None, self.lost(Loss::NoClient, None, Outcome::Timeout)),
            },
            From::Pod { machine, sandbox } => {
                let found = self.machine(machine).filter(|machine| machine.powered());
                let sandbox = found.and_then(|machine| Some((machine, machine.runtime().sandbox(sandbox)?)));
                match sandbox {
                    Some((machine, pod)) => {
                        let asker = (pod.namespace.clone(), pod.pod_name.clone());
                        let (machine, ip) = (machine.name.clone(), pod.ip);
                        self.client = Some(asker.clone());
                        (Some(machine), ip, Some(ip), asker.0)
                    }
                    None => return (None, self.lost(Loss::NoClient, None, Outcome::Timeout)),
                }
            }
            From::Outside { ip } => (None, *ip, None, "default".into()),
        };
        let host = &self.request.host;
        let address = match host.parse::<Ipv4Addr>() {
            Ok(address) => address,
            Err(_) => {
                let machines = &*self.world.machines;
                let node = |name: &str| machines.machine(name).map(|machine| machine.ip);
                let names: &dyn dns::Names = match from {
                    From::Outside { .. } => &dns::NoNames,
                    _ => self.world.names,
                };
                let Some(address) = dns::resolve(names, &node, &namespace, host) else {
                    return (None, Outcome::NameNotResolved);
                };
                self.hop(
                    HopKind::Resolved {
                        name: host.clone(),
                        address,
                    },
                    at.clone(),
                    local,
                );
                address
            }
        };
        let to = SocketAddrV4::new(address, self.request.port);
        self.hop(
            HopKind::Client { address: source, to },
            at.clone(),
            Duration::ZERO,
        );
        let outcome = match at {
            Some(at) => {
                let port = self.world.machines.machine_mut(&at).map_or(0, Machine::next_port);
                let packet = Packet {
                    at,
                    to,
                    source: SocketAddrV4::new(source, port),
                    own,
                    untranslated: None,
                };
                self.on_machine(packet, 0)
            }
            None => self.enter_from_outside(SocketAddrV4::new(source, 40_000), to),
        };
        (Some(address), outcome)
    }

    /// From a computer in the office: only machines and the API server are there.
    fn enter_from_outside(&mut self, source: SocketAddrV4, to: SocketAddrV4) -> Outcome {
        let wire = self.world.latency.wire;
        if Some(to) == self.world.api_server {
            self.hop(HopKind::ApiServer { address: to }, None, wire);
            return Outcome::ApiServer;
        }
        let owner = self.world.machines.find(&|machine| machine.ip == *to.ip());
        let Some((owner, reachable)) = owner.map(|machine| (machine.name.clone(), machine.reachable()))
        else {
            return self.lost(Loss::NobodyHas(*to.ip()), None, Outcome::Timeout);
        };
        self.hop(
            HopKind::Wire {
                from: None,
                to: Some(owner.clone()),
            },
            None,
            wire,
        );
        if !reachable {
            return self.lost(Loss::Unplugged(owner.clone()), Some(owner), Outcome::Timeout);
        }
        self.on_machine(
            Packet {
                at: owner,
                to,
                source,
                own: None,
                untranslated: None,
            },
            1,
        )
    }

    /// A packet in a machine's kernel: its IPVS table first, then its routes.
    fn on_machine(&mut self, mut packet: Packet, passed: usize) -> Outcome {
        if passed > MAX_MACHINES {
            return self.lost(Loss::Loop, Some(packet.at), Outcome::Timeout);
        }
        if packet.to.ip().is_loopback() {
            // The machine's own, or the Pod's own, and no table is asked.
            let own = packet
                .own
                .or_else(|| self.machine(&packet.at).map(|machine| machine.ip));
            packet.to.set_ip(own.unwrap_or(Ipv4Addr::LOCALHOST));
            return self.deliver(packet);
        }
        if let Some(refused) = self.balance(&mut packet) {
            return refused;
        }
        if passed == 0 && self.denies(Direction::Egress, &packet) {
            let pod = self.client.as_ref().map_or("".into(), |(_, name)| name.clone());
            let loss = Loss::Denied(Direction::Egress, pod);
            return self.lost(loss, Some(packet.at), Outcome::Timeout);
        }
        let (address, here) = (*packet.to.ip(), packet.at.clone());
        let Some(machine) = self.machine(&here) else {
            return self.lost(Loss::NoClient, None, Outcome::Timeout);
        };
        let own_range = machine.pod_cidr().is_some_and(|cidr| cidr.contains(address));
        if machine.ip == address || own_range || packet.own == Some(address) {
            return self.deliver(packet);
        }
        let (plugged, networked) = (machine.reachable(), machine.cni_installed());
        let wire = self.world.latency.wire;
        if Some(packet.to) == self.world.api_server {
            if !plugged {
                return self.lost(Loss::Unplugged(here.clone()), Some(here), Outcome::Timeout);
            }
            self.hop(
                HopKind::Wire {
                    from: Some(here),
                    to: None,
                },
                None,
                wire,
            );
            self.hop(HopKind::ApiServer { address: packet.to }, None, Duration::ZERO);
            return Outcome::ApiServer;
        }
        let by_address = self.world.machines.find(&|machine| machine.ip == address);
        let by_range = || {
            self.world
                .machines
                .find(&|machine| machine.pod_cidr().is_some_and(|cidr| cidr.contains(address)))
        };
        let next = match by_address {
            Some(machine) => Some((machine, false)),
            None => by_range().map(|machine| (machine, true)),
        };
        let Some((next, is_pod)) =
            next.map(|(machine, is_pod)| ((machine.name.clone(), machine.reachable()), is_pod))
        else {
            return self.lost(Loss::NobodyHas(address), Some(here), Outcome::Timeout);
        };
        let (next, reachable) = next;
        if is_pod && !networked {
            return self.lost(Loss::NoPodNetwork(here.clone()), Some(here), Outcome::Timeout);
        }
        if !plugged {
            return self.lost(Loss::Unplugged(here.clone()), Some(here), Outcome::Timeout);
        }
        self.hop(
            HopKind::Wire {
                from: Some(here),
                to: Some(next.clone()),
            },
            None,
            wire,
        );
        if !reachable {
            return self.lost(Loss::Unplugged(next.clone()), Some(next), Outcome::Timeout);
        }
        packet.at = next;
        if is_pod {
            // Routed straight on to the Pod: the next machine's own range holds the address.
            return self.deliver(packet);
        }
        self.on_machine(packet, passed + 1)
    }

    /// What this machine's IPVS makes of the packet; the outcome if it ends here.
    fn balance(&mut self, packet: &mut Packet) -> Option<Outcome> {
        let (now, local, here) = (self.now, self.world.latency.local, packet.at.clone());
        let machine = self.world.machines.machine_mut(&here)?;
        if !machine.ipvs().loaded() || packet.untranslated.is_some() {
            return None;
        }
        let key = ServiceKey {
            protocol: Protocol::Tcp,
            address: *packet.to.ip(),
            port: packet.to.port(),
        };
        match machine.ipvs_mut().connect(now, key, packet.source) {
            // kube-proxy binds Service addresses to the machine, where nothing else listens.
            Verdict::NotVirtual if machine.ip != key.address && machine.ipvs().has_address(key.address) => {
                Some(self.lost(Loss::NoSuchServicePort(packet.to), Some(here), Outcome::Refused))
            }
            Verdict::NotVirtual => None,
            Verdict::NoServer => Some(self.lost(Loss::NoServer(key), Some(here), Outcome::Refused)),
            Verdict::To {
                service,
                service_id,
                server,
                server_id,
                forward,
                connection,
            } => {
                self.balanced.push((here.clone(), connection));
                // Sent by the machine itself, or come in from outside: masqueraded on the way out.
                let masqueraded = packet.own.is_none();
                if let Some(machine) = self.machine(&here).filter(|_| masqueraded) {
                    let local_pod = machine.pod_cidr().is_some_and(|cidr| cidr.contains(*server.ip()));
                    let gateway = machine.pod_gateway().filter(|_| local_pod);
                    packet.source.set_ip(gateway.unwrap_or(machine.ip));
                }
                self.hop(
                    HopKind::Balanced {
                        service,
                        service_id,
                        server,
                        server_id,
                    },
                    Some(here),
                    local,
                );
                if forward != Forward::Masq {
                    packet.untranslated = Some(packet.to);
                }
                packet.to = server;
                None
            }
        }
    }

    /// Whether NetworkPolicies keep a packet in the Pod it comes from, or out of the Pod it goes to.
    fn denies(&self, direction: Direction, packet: &Packet) -> bool {
        let store = self.world.store;
        // The common case; to find out whose address it is means to ask every machine.
        if store.range(Kind::NetworkPolicy, "").next().is_none() {
            return false;
        }
        let (from, to) = (*packet.source.ip(), *packet.to.ip());
        let here = self.machine(&packet.at);
        let is_here = |ip| here.is_some_and(|own| own.ip == ip || own.pod_gateway() == Some(ip));
        // A Pod always reaches itself, and the machine it is on and the Pod reach each other.
        let near = match direction {
            Direction::Ingress => is_here(from),
            Direction::Egress => is_here(to),
        };
        if near || packet.own == Some(to) {
            return false;
        }
        let pod = |namespace: &str, name: &str| {
            let key = Key::new(Kind::Pod, namespace, name);
            store.get(&key)?.object.get::<Pod>().map(|pod| &**pod)
        };
        let asker = self
            .client
            .as_ref()
            .and_then(|(namespace, name)| pod(namespace, name));
        let machine = self
            .world
            .machines
            .find(&|machine| machine.runtime().sandbox_at(to).is_some());
        let asked = machine
            .and_then(|machine| machine.runtime().sandbox_at(to))
            .and_then(|sandbox| pod(&sandbox.namespace, &sandbox.pod_name));
        let (own, peer, address) = match direction {
            Direction::Ingress => (asked, asker, from),
            Direction::Egress => (asker, asked, to),
        };
        let peer = Peer { address, pod: peer };
        own.is_some_and(|own| !policy::allows(store, direction, own, &peer, packet.to.port()))
    }

    /// A packet on the machine where its address is: into the Pod, or to a process of the machine.
    fn deliver(&mut self, packet: Packet) -> Outcome {
        let denied = self.denies(Direction::Ingress, &packet);
        let Packet {
            at,
            to,
            source,
            untranslated,
            ..
        } = packet;
        let (now, local) = (self.now + self.elapsed, self.world.latency.local);
        let Some(machine) = self.world.machines.machine_mut(&at) else {
            return self.lost(Loss::NoClient, None, Outcome::Timeout);
        };
        let is_host = machine.ip == *to.ip();
        if untranslated.is_some() && !is_host {
            return self.lost(Loss::NotTranslated(to), Some(at), Outcome::Timeout);
        }
        let kind = match machine.runtime().sandbox_at(*to.ip()) {
            Some(pod) => HopKind::Pod {
                namespace: pod.namespace.clone(),
                name: pod.pod_name.clone(),
                address: to,
            },
            None if is_host => HopKind::Host { address: to },
            None => return self.lost(Loss::NoSuchPod(*to.ip()), Some(at), Outcome::Unreachable),
        };
        if let HopKind::Pod { name, .. } = &kind
            && denied
        {
            let loss = Loss::Denied(Direction::Ingress, name.clone());
            return self.lost(loss, Some(at), Outcome::Timeout);
        }
        let host = if self.request.port == 80 {
            self.request.host.to_string()
        } else {
            format!("{}:{}", self.request.host, self.request.port)
        };
        let http = HttpRequest {
            method: &self.request.method,
            ..HttpRequest::get(&self.request.path, &host, *source.ip())
        };
        let answer = machine.serve(now, *to.ip(), to.port(), &http);
        self.hop(kind, Some(at.clone()), local);
        match answer {
            Answer::Http(response) => Outcome::Http(response),
            Answer::NotHttp => Outcome::NotHttp,
            Answer::Refused => self.lost(Loss::NothingListens(to), Some(at), Outcome::Refused),
            Answer::NobodyThere => self.lost(Loss::NoSuchPod(*to.ip()), Some(at), Outcome::Unreachable),
        }
    }

    /// Adds the way back, and tells the IPVS tables how their connections went.
    fn finish(self, address: Option<Ipv4Addr>, outcome: Outcome) -> Trace {
        let patience = self.request.connect_timeout.unwrap_or(SYN_TIMEOUT);
        let total = match &outcome {
            // Connecting takes a way there and back before the request itself does.
            Outcome::Http(response) => self.elapsed * 4 + response.takes,
            Outcome::ApiServer | Outcome::NotHttp => self.elapsed * 4,
            Outcome::Refused | Outcome::NameNotResolved => self.elapsed * 2,
            Outcome::Unreachable => ARP_TIMEOUT + self.elapsed * 2,
            Outcome::Timeout => patience.min(SYN_TIMEOUT),
        };
        let (total, outcome) = if total > patience {
            (patience, Outcome::Timeout)
        } else {
            (total, outcome)
        };
        let ending = match outcome {
            Outcome::Http(_) | Outcome::ApiServer | Outcome::NotHttp => Ending::Closes(self.now + total),
            Outcome::Refused => Ending::Refused,
            _ => Ending::Unanswered,
        };
        let transfer = transfer(&outcome, self.request);
        for (machine, connection) in &self.balanced {
            if let Some(machine) = self.world.machines.machine_mut(machine) {
                machine.ipvs_mut().settle(self.now, *connection, ending, transfer);
            }
        }
        Trace {
            request: self.request.clone(),
            address,
            hops: self.hops,
            outcome,
            total,
        }
    }
}

/// Packets and bytes with their IP and TCP headers (52 bytes, the first one's 60), as the kernel counts.
fn transfer(outcome: &Outcome, request: &Request) -> Transfer {
    const SYN: u64 = 60;
    const BARE: u64 = 52;
    const SEGMENT: u64 = 1_448;
    match outcome {
        Outcome::Http(response) => {
            // Start line and headers of a curl GET and of a small server's answer, about.
            let asked = 70 + (request.path.len() + request.host.len()) as u64;
            let told = 230 + response.body.len() as u64;
            let segments = told.div_ceil(SEGMENT);
            Transfer {
                // SYN, ACK, request, an ACK per two segments, FIN, last ACK
                in_packets: 5 + segments.div_ceil(2),
                in_bytes: SYN + BARE * (4 + segments.div_ceil(2)) + asked,
                // SYN-ACK, ACK of the request, the answer, FIN
                out_packets: 3 + segments,
                out_bytes: SYN + BARE * (2 + segments) + told,
            }
        }
        Outcome::ApiServer | Outcome::NotHttp => Transfer {
            in_packets: 5,
            in_bytes: SYN + BARE * 4 + 70,
            out_packets: 3,
            out_bytes: SYN + BARE * 2,
        },
        Outcome::Refused => Transfer {
            in_packets: 1,
            in_bytes: SYN,
            out_packets: 1,
            out_bytes: 40,
        },
        // The first SYN and the repetitions until the client gave up.
        _ => {
            let patience = request.connect_timeout.unwrap_or(SYN_TIMEOUT).as_secs();
            let sent = 1 + u64::from((patience + 1).max(1).ilog2().min(6));
            Transfer {
                in_packets: sent,
                in_bytes: SYN * sent,
                ..Transfer::default()
            }
        }
    }
}
