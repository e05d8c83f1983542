//! What the page sees of the machine: small, plain view-models, one per topic.
//!
//! They hold no browser type and no handle into the machine, so that the same page can be drawn
//! from a machine in another thread or behind a socket. Every row is an `Rc` whose pointer stays
//! the same while the row says the same: the page compares by pointer and redraws one row of
//! thousands. Texts are Kubernetes' own words and stay untranslated; what is prose
//! comes in every language of the page.

use std::rc::Rc;

use crate::sim::SimTime;

/// A shared text.
pub type Text = Rc<str>;

/// A list whose rows are shared one by one.
pub type Rows<T> = Rc<[Rc<T>]>;

/// The clock and the timeline under the slider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    pub now: SimTime,
    /// The furthest moment reached; beyond `now` after a rewind.
    pub end: SimTime,
    pub paused: bool,
    /// Thousandths of real time: 1000 is 1×.
    pub speed_milli: u32,
    /// etcd's revision.
    pub revision: u64,
    pub marks: Rc<[Mark]>,
}

/// A command line a person ran, as a tick on the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: SimTime,
    pub line: Text,
}

/// The four boxes of the form at the counter, in the order a request fills them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Authentication,
    Authorization,
    Admission,
    Validation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Refused,
    /// Never reached, or not asked for this verb.
    Skipped,
}

/// One request at the counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    pub id: u64,
    pub at: SimTime,
    pub verb: Text,
    /// Path and query as they came.
    pub path: Text,
    pub user: Text,
    pub code: u16,
    pub stamps: Rc<[(Stage, Verdict)]>,
    /// The Status message of a refused request, else empty.
    pub message: Text,
    /// The resource whose drawer it went into (`pods`); `None` for reads and refusals.
    pub drawer: Option<Text>,
    /// Who wrote it: a [`Seat::id`], or `person`.
    pub hand: Text,
    /// Who watches what was written and gets a copy: the ids of their seats.
    pub copies: Rc<[Text]>,
}

/// The counter: the slips worth looking at, newest last. Heartbeats and reads by the autopilot
/// are counted, not shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    pub slips: Rows<Slip>,
    pub requests: u64,
}

/// A drawer of the cabinet: one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawer {
    /// Plural, as in paths: `replicasets`.
    pub resource: Text,
    pub short: Text,
    pub kind: Text,
    pub count: usize,
    /// Revision of the last write into it, 0 if none.
    pub changed: u64,
}

/// A seat and who sits in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// As `kbh seat` takes it: `scheduler`, `kubelet@suda`.
    pub id: Text,
    pub title: Text,
    pub human: bool,
    /// Duties open now.
    pub duties: usize,
}

/// How a Pod is doing, for colour and shape; the word is beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Waiting,
    Bad,
    Done,
}

/// A Pod as the API server believes it to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    pub namespace: Text,
    pub name: Text,
    pub node: Option<Text>,
    /// The STATUS column of `kubectl get pods`.
    pub status: Text,
    pub tone: Tone,
    pub ready: bool,
    pub ip: Text,
    pub restarts: u32,
    pub image: Text,
    /// Requests, summed over containers.
    pub cpu_milli: u64,
    pub memory_bytes: u64,
    /// What the machine itself says, where that is not what the API server believes.
    pub machine: Text,
}

/// What a machine still needs before it is a node (scene one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    pub network: bool,
    pub ipvs: bool,
    pub registered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// No Node object: the machine is there, the API server has not heard of it.
    Unregistered,
    Ready,
    NotReady,
    /// The Ready condition is Unknown: the heartbeats stopped.
    Unknown,
}

/// How much of something a desk has given away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauge {
    pub used: u64,
    pub total: u64,
}

/// A desk: a machine, and the Node that stands for it if it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    pub name: Text,
    pub setup: Setup,
    pub ready: Readiness,
    pub plugged: bool,
    pub cordoned: bool,
    pub pod_cidr: Text,
    pub ip: Text,
    /// Millicores requested by its Pods, of the allocatable.
    pub cpu: Gauge,
    /// Bytes, likewise.
    pub memory: Gauge,
    pub pods: Rows<Pod>,
    /// Its kernel's IPVS table, in `ipvsadm -Ln` order.
    pub board: Rows<BoardRow>,
    pub kubelet: Rc<Seat>,
    pub proxy: Rc<Seat>,
    /// How many Pods sit here, drawn or not.
    pub pod_count: usize,
}

/// A row of a node's IPVS table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardRow {
    /// Stable: `TCP 10.96.0.10:80` or that plus ` 10.244.0.7:80`.
    pub key: Text,
    pub protocol: Text,
    /// `address:port` of the virtual service or of the real server.
    pub address: Text,
    /// The real server's columns; `None` for a virtual service.
    pub real: Option<RealServer>,
    /// The virtual service's scheduler (`rr`); empty for a real server.
    pub scheduler: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealServer {
    /// `Masq`, `Route` or `Tunnel`.
    pub forward: Text,
    pub weight: u32,
    pub active: u32,
    pub inactive: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub namespace: Text,
    pub name: Text,
    pub kind: Text,
    pub cluster_ip: Text,
    /// `80/TCP,443/TCP`, as kubectl prints it.
    pub ports: Text,
    /// The first port, 0 without one.
    pub port: i32,
    pub selector: Text,
}

/// One address of an Endpoints object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub namespace: Text,
    /// The Endpoints object, named like its Service.
    pub service: Text,
    /// `ip:port`, or the bare address when the subset names no port.
    pub address: Text,
    /// `targetRef.name`, empty without one.
    pub pod: Text,
    pub node: Text,
    pub ready: bool,
}

/// One endpoint of an EndpointSlice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceRow {
    pub namespace: Text,
    pub slice: Text,
    pub service: Text,
    pub address: Text,
    pub ports: Text,
    pub pod: Text,
    pub node: Text,
    pub ready: bool,
}

/// The three tables between a Pod and a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    pub services: Rows<Service>,
    pub endpoints: Rows<Endpoint>,
    pub slices: Rows<SliceRow>,
}

/// A duty of a seat a person holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    pub id: Text,
    /// The [`Seat::id`].
    pub seat: Text,
    /// Why it is there, in English and in Japanese.
    pub why: (Text, Text),
    /// The command line that does it, ready to run; may span lines (a heredoc).
    pub line: Text,
    /// What a hand would carry to do it.
    pub carry: Option<Cargo>,
    /// It comes back every few seconds.
    pub heartbeat: bool,
}

/// Something a hand can carry across the floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cargo {
    Pod {
        namespace: Text,
        name: Text,
    },
    Endpoint {
        namespace: Text,
        service: Text,
        address: Text,
    },
}

/// A line of the request log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub id: u64,
    pub at: SimTime,
    pub verb: Text,
    pub path: Text,
    pub user: Text,
    pub code: u16,
    /// The Status message of a refused request, else empty.
    pub message: Text,
}

/// A request on its way through the data plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dot {
    pub id: u64,
    /// `GET 10.96.0.10:80`.
    pub label: Text,
    /// Where it is when, in order. Between two hops it travels in a straight line.
    pub hops: Rc<[Hop]>,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub at: SimTime,
    pub place: Place,
    /// What happened there, as the table says it (`10.96.0.10:80 -> 10.244.1.4:80`).
    pub note: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Visitor,
    /// A desk's switchboard.
    Board(Text),
    Pod {
        namespace: Text,
        name: Text,
    },
    /// Nowhere: refused, or lost in the dark.
    Nowhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Flying,
    Answered,
    Refused,
    TimedOut,
}

/// What the visitor asks for, and how it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub dots: Rows<Dot>,
    /// Requests per second, over all clients; 0 is off.
    pub rate_per_second: u32,
    /// `address:port` asked for.
    pub target: Text,
    /// The desk the visitor stands at.
    pub from: Text,
    pub answered: u64,
    pub failed: u64,
}

/// The scheduler's verdict on one Pod while it is carried, a row per desk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    pub desks: Rc<[DeskFit]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskFit {
    pub desk: Text,
    /// The score (0–100) of a desk that fits, or why it does not, in the filter's own words.
    pub verdict: Result<u32, Text>,
}

/// A goal of the step at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    pub id: Text,
    pub met: bool,
}

/// Everything the page draws, by topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Views {
    pub clock: Rc<Clock>,
    pub reception: Rc<Reception>,
    pub drawers: Rows<Drawer>,
    /// Cluster-wide seats; a desk's two are on the desk.
    pub seats: Rows<Seat>,
    /// Pods without a node.
    pub tray: Rows<Pod>,
    pub desks: Rows<Desk>,
    pub network: Rc<Network>,
    pub duties: Rows<Duty>,
    pub requests: Rows<Request>,
    /// Too much for cards: the floor draws density.
    pub dense: bool,
    pub traffic: Rc<Traffic>,
    pub goals: Rc<[Goal]>,
}
