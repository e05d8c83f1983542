//! Requests through the simulated network: the console's own, and a client's steady stream.

use super::{Cluster, Happening};
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object, Status};
use crate::apiserver::http::remote_command;
use crate::apiserver::{ProxyRequest, Subresource};
use crate::etcd::{Key, Store};
use crate::network::{self, From, Names, Outcome, Request, Resolved, Trace, World};
use crate::node::Executed;
use crate::node::runtime::ContainerId;
use crate::seat::Mode;
use crate::sim::{SimTime, StateHasher};
use k8s_openapi::api::core::v1::{EndpointAddress, Endpoints, Service};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// The person's own computer, which is no node.
const RECEPTION: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 3);

/// The API server's computer.
pub const API_SERVER: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 2);

/// How many flights are remembered for the page.
const REMEMBERED: usize = 256;

/// At most this many requests a second from one client: beyond it dots are no longer seen.
pub const MAX_RATE_MILLI: u64 = 200_000;

/// One request that was sent.
#[derive(Clone, Debug)]
pub struct Flight {
    pub id: u64,
    pub started: SimTime,
    pub trace: Arc<Trace>,
    /// The client that sent it; none for one the console sent.
    pub client: Option<u64>,
}

impl Flight {
    pub fn lands(&self) -> SimTime {
        self.started + self.trace.total
    }
}

/// A client that asks again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    pub id: u64,
    /// A machine's name, `pod/NAMESPACE/NAME`, or empty for the reception.
    pub from: Arc<str>,
    pub request: Request,
    /// Thousandths of requests per second.
    pub rate_milli: u64,
    pub sent: u64,
    pub answered: u64,
    pub failed: u64,
}

impl Client {
    fn pause(&self) -> Duration {
        Duration::from_micros(1_000_000_000 / self.rate_milli.max(1))
    }
}

/// All clients and the last flights.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    next: u64,
    clients: SortedMap<u64, Client>,
    flights: VecDeque<Flight>,
}

impl Traffic {
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values()
    }

    /// Oldest first.
    pub fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.flights.iter()
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(self.next);
        for client in self.clients.values() {
            for number in [
                client.id,
                client.rate_milli,
                client.sent,
                client.answered,
                client.failed,
            ] {
                hasher.number(number);
            }
        }
    }
}

/// Cluster DNS over what the API server holds.
struct Dns<'a>(&'a Store);

impl Names for Dns<'_> {
    fn service(&self, namespace: &str, name: &str) -> Option<Resolved> {
        let service = self.0.get(&Key::new(Kind::Service, namespace, name))?;
        self.resolve(service.object.get::<Service>()?)
    }

    fn endpoint(&self, namespace: &str, service: &str, hostname: &str) -> Option<Ipv4Addr> {
        let mut addresses = self.endpoints(namespace, service)?;
        let found = addresses.find(|address| address.hostname.as_deref() == Some(hostname))?;
        found.ip.parse().ok()
    }
}

impl<'a> Dns<'a> {
    /// The ready addresses of a Service.
    fn endpoints(&self, namespace: &str, name: &str) -> Option<impl Iterator<Item = &'a EndpointAddress>> {
        let endpoints = self.0.get(&Key::new(Kind::Endpoints, namespace, name))?;
        let subsets = endpoints.object.get::<Endpoints>()?.subsets.iter().flatten();
        Some(subsets.flat_map(|subset| subset.addresses.iter().flatten()))
    }

    fn resolve(&self, service: &Service) -> Option<Resolved> {
        let spec = service.spec.as_ref()?;
        if spec.type_.as_deref() == Some("ExternalName") {
            return spec.external_name.clone().map(Resolved::Alias);
        }
        match spec.cluster_ip.as_deref() {
            Some("None") => {
                let namespace = service.metadata.namespace.as_deref()?;
                let name = service.metadata.name.as_deref()?;
                let addresses = self.endpoints(namespace, name)?;
                let addresses = addresses.filter_map(|address| address.ip.parse().ok());
                Some(Resolved::Addresses(addresses.collect()))
            }
            Some(ip) => ip.parse().ok().map(|ip| Resolved::Addresses(vec![ip])),
            None => None,
        }
    }
}

/// What a kubelet answers the API server.
#[derive(Clone, Debug, PartialEq)]
pub enum KubeletAnswer {
    /// The text of a log.
    Log(String),
    /// All messages of a stream: channel and text.
    Exec(Vec<(u8, String)>),
    /// A stream that goes on with what the container writes behind this line; see
    /// [`Cluster::kubelet_log_after`].
    Attached { behind: Option<Arc<str>> },
}

/// The exit code of what had to be stopped: 128 and SIGKILL.
const KILLED: i32 = 137;

impl Cluster {
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Sends one request from a machine (or from the reception, when `from` is empty).
    pub fn send(&mut self, from: &str, request: Request) -> Flight {
        self.fly(from, request, None)
    }

    fn origin(&self, from: &str) -> From {
        if let Some((namespace, name)) = from.strip_prefix("pod/").and_then(|pod| pod.split_once('/')) {
            for machine in self.machines.values() {
                let sandbox = machine
                    .runtime()
                    .sandboxes()
                    .find(|sandbox| &*sandbox.namespace == namespace && &*sandbox.pod_name == name);
                if let Some(sandbox) = sandbox {
                    return From::Pod {
                        machine: machine.name.clone(),
                        sandbox: sandbox.id.clone(),
                    };
                }
            }
        }
        match from {
            "" => From::Outside { ip: RECEPTION },
            name => From::Node { machine: name.into() },
        }
    }

    fn fly(&mut self, from: &str, request: Request, client: Option<u64>) -> Flight {
        let from = self.origin(from);
        let trace = self.through_network(|world, now| network::request(world, now, &from, &request));
        self.flew(trace, client)
    }

    /// Lets something use the network as it is now.
    fn through_network<R>(&mut self, run: impl FnOnce(&mut World<'_>, SimTime) -> R) -> R {
        let mut world = World {
            machines: &mut self.machines,
            names: &Dns(&self.api.etcd),
            store: &self.api.etcd,
            api_server: Some(SocketAddrV4::new(API_SERVER, self.api.config.secure_port)),
            latency: network::Latency::default(),
        };
        run(&mut world, self.now)
    }

    /// A container's process waits for an answer from the network.
    pub(super) fn container_fetches(&mut self, machine: &str, container: &ContainerId) {
        let trace = self.through_network(|world, now| network::fetch(world, now, machine, container));
        if let Some(trace) = trace {
            self.flew(trace, None);
        }
    }

    /// Runs a command in a container of a machine.
    ///
    /// Errors: runc's.
    pub fn exec_in(&mut self, machine: &str, id: &ContainerId, argv: &[String]) -> Result<Executed, String> {
        let executed = self.through_network(|world, now| network::exec(world, now, machine, id, argv));
        let (executed, traces) = executed?;
        for trace in traces {
            self.flew(trace, None);
        }
        Ok(executed)
    }

    /// Remembers a request for the page, and when the machines it passed have something to do.
    fn flew(&mut self, trace: Trace, client: Option<u64>) -> Flight {
        let (trace, now) = (Arc::new(trace), self.now);
        let woken: Vec<Arc<str>> = trace.hops.iter().filter_map(|hop| hop.machine.clone()).collect();
        for name in woken {
            let deadline = self
                .machines
                .get(&name)
                .and_then(crate::node::Machine::next_deadline);
            self.schedule_desk(&name, deadline);
        }
        self.traffic.next += 1;
        let flight = Flight {
            id: self.traffic.next,
            started: now,
            trace,
            client,
        };
        self.traffic.flights.push_back(flight.clone());
        if self.traffic.flights.len() > REMEMBERED {
            self.traffic.flights.pop_front();
        }
        flight
    }

    /// Starts a client; answers its number.
    pub fn start_client(&mut self, from: &str, request: Request, rate_milli: u64) -> u64 {
        self.traffic.next += 1;
        let id = self.traffic.next;
        let client = Client {
            id,
            from: from.into(),
            request,
            rate_milli: rate_milli.clamp(1, MAX_RATE_MILLI),
            sent: 0,
            answered: 0,
            failed: 0,
        };
        self.traffic.clients.insert(id, client);
        self.queue.push(self.now, Happening::Ask(id));
        id
    }

    /// Stops one client, or all of them; how many were stopped.
    pub fn stop_clients(&mut self, id: Option<u64>) -> usize {
        let before = self.traffic.clients.len();
        self.traffic
            .clients
            .retain(|own, _| id.is_some_and(|id| id != *own));
        before - self.traffic.clients.len()
    }

    #[inline(never)]
    pub(super) fn client_asks(&mut self, id: u64) {
        let Some(client) = self.traffic.clients.get(&id).cloned() else {
            return;
        };
        let flight = self.fly(&client.from, client.request.clone(), Some(id));
        let answered = matches!(&flight.trace.outcome, Outcome::Http(_) | Outcome::ApiServer);
        let next = self.now + client.pause();
        if let Some(client) = self.traffic.clients.get_mut(&id) {
            client.sent += 1;
            if answered {
                client.answered += 1;
            } else {
                client.failed += 1;
            }
        }
        self.queue.push(next, Happening::Ask(id));
    }

    /// Passes on what a request over the wire changed.
    pub fn after_request(&mut self) {
        self.dispatch();
    }

    /// The container of a Pod on its machine: of the last attempt, or of the one before it.
    fn container_of(&self, proxy: &ProxyRequest, previous: bool) -> Option<(Arc<str>, ContainerId)> {
        let machine = self.machines.get(&*proxy.node)?;
        let uid = proxy.pod.metadata.uid.as_deref().unwrap_or("");
        let mut attempts = machine
            .runtime()
            .containers_of(uid)
            .into_iter()
            .filter(|own| own.config.name == proxy.container);
        let found = if previous {
            attempts.nth(1)
        } else {
            attempts.next()
        };
        found.map(|container| (machine.name.clone(), container.id.clone()))
    }

    /// What the Pod's kubelet answers to logs, exec and attach.
    ///
    /// Errors: those of the API server's proxy to the kubelet.
    pub fn kubelet_answer(&mut self, proxy: &ProxyRequest) -> Result<KubeletAnswer, Status> {
        let pod = proxy.pod.metadata.name.as_deref().unwrap_or("");
        let container = &proxy.container;
        if proxy.node.is_empty() {
            // A Pod in the tray has no log yet; upstream answers an empty one.
            return Ok(KubeletAnswer::Log(String::new()));
        }
        if !self.reaches_api(&proxy.node) {
            let ip = self
                .machines
                .get(&*proxy.node)
                .map(|machine| machine.ip.to_string());
            let ip = ip.unwrap_or_else(|| proxy.node.clone());
            let path = format!(
                "/containerLogs/{}/{pod}/{container}",
                proxy.pod.metadata.namespace.as_deref().unwrap_or("")
            );
            let message =
                format!("Get \"https://{ip}:10250{path}\": dial tcp {ip}:10250: connect: no route to host");
            return Err(Status::new(500, "InternalError", message));
        }
        let previous = proxy.parameters["previous"]
            .as_str()
            .is_some_and(|text| text == "true");
        let Some((machine, id)) = self.container_of(proxy, previous) else {
            if previous {
                return Err(Status::bad_request(format!(
                    "previous terminated container \"{container}\" in pod \"{pod}\" not found"
                )));
            }
            return Err(Status::bad_request(format!(
                "container \"{container}\" in pod \"{pod}\" is waiting to start: ContainerCreating"
            )));
        };
        if proxy.subresource == Subresource::Exec {
            return Ok(KubeletAnswer::Exec(self.exec(&machine, &id, proxy)));
        }
        if proxy.subresource == Subresource::Attach {
            return Ok(match self.kubelet_log_after(proxy, None) {
                Some((_, last, true)) => KubeletAnswer::Attached { behind: last },
                _ => KubeletAnswer::Exec(remote_command::not_attached(
                    "container is in CONTAINER_EXITED state",
                )),
            });
        }
        let Some(found) = self
            .machines
            .get(&machine)
            .and_then(|machine| machine.runtime().container(&id))
        else {
            return Ok(KubeletAnswer::Log(String::new()));
        };
        let timestamps = proxy.parameters["timestamps"].as_str() == Some("true");
        let lines: Vec<String> = found.log().map(|line| log_text(line, timestamps)).collect();
        let tail = proxy.parameters["tailLines"]
            .as_str()
            .and_then(|text| text.parse::<usize>().ok());
        let skip = tail.map_or(0, |tail| lines.len().saturating_sub(tail));
        Ok(KubeletAnswer::Log(lines[skip..].concat()))
    }

    /// The stream of a command in a container.
    /// Source: pkg/kubelet/server (`getExec`), containerd's words.
    fn exec(&mut self, machine: &str, id: &ContainerId, proxy: &ProxyRequest) -> Vec<(u8, String)> {
        let argv: Vec<String> = match &proxy.parameters["command"] {
            serde_json::Value::Array(words) => words
                .iter()
                .filter_map(|word| word.as_str().map(str::to_owned))
                .collect(),
            serde_json::Value::String(word) => vec![word.clone()],
            _ => Vec::new(),
        };
        match self.exec_in(machine, id, &argv) {
            Ok(executed) => {
                let code = executed.exit_code.unwrap_or(KILLED);
                remote_command::messages(executed.stdout, executed.stderr, code)
            }
            Err(why) => remote_command::not_started(&format!(
                "failed to exec in container: failed to start exec \"{}\": {why}",
                id.as_str()
            )),
        }
    }

    /// The lines of a followed log after the line `seen` (all of them if it was rotated away), the
    /// last line now, and whether the container still runs.
    pub fn kubelet_log_after(
        &self,
        proxy: &ProxyRequest,
        seen: Option<&Arc<str>>,
    ) -> Option<(String, Option<Arc<str>>, bool)> {
        let (machine, id) = self.container_of(proxy, false)?;
        let container = self.machines.get(&machine)?.runtime().container(&id)?;
        let lines: Vec<_> = container.log().collect();
        let start = seen.and_then(|seen| lines.iter().rposition(|line| Arc::ptr_eq(&line.text, seen)));
        let fresh = &lines[start.map_or(0, |at| at + 1)..];
        let text: String = fresh.iter().map(|line| log_text(line, false)).collect();
        let last = lines.last().map(|line| line.text.clone());
        Some((text, last, container.is_running()))
    }

    /// Whether a person sits in a desk's seat.
    pub fn held_by_hand(&self, seat: &crate::seat::SeatId) -> bool {
        self.seat(seat).is_some_and(|seat| seat.mode == Mode::Human)
    }

    /// The object of a key, for programs on a machine that ask what a Pod looks like.
    pub fn stored(&self, key: &Key) -> Option<&Object> {
        self.api.etcd.get(key).map(|value| &value.object)
    }
}

fn log_text(line: &crate::node::runtime::LogLine, timestamps: bool) -> String {
    if timestamps {
        format!("{} {}\n", line.at.timestamp(), line.text)
    } else {
        format!("{}\n", line.text)
    }
}
