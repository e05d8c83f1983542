//! A component is a diff: what it observes, compared with what is wanted, gives duties.
//!
//! On autopilot a seat performs its duties; with a person in it the same duties are the person's
//! to-do list. A duty is never ticked off: it is gone when the world agrees.

use crate::api::{Kind, order};
use crate::apiserver::{Identity, Request};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::sim::{SimTime, StateHasher};
use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Names a seat: `scheduler`, `replicaset`, `kubelet@inazu`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatId(Arc<str>);

impl Ord for SeatId {
    fn cmp(&self, other: &SeatId) -> Ordering {
        order::names(&self.0, &other.0)
    }
}

impl PartialOrd for SeatId {
    fn partial_cmp(&self, other: &SeatId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl SeatId {
    pub fn new(name: &str) -> SeatId {
        SeatId(name.into())
    }

    /// `kubelet@inazu`
    pub fn at(component: &str, node: &str) -> SeatId {
        SeatId(format!("{component}@{node}").into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `kubelet` of `kubelet@inazu`.
    pub fn component(&self) -> &str {
        self.0
            .split_once('@')
            .map_or(&*self.0, |(component, _)| component)
    }

    /// `inazu` of `kubelet@inazu`.
    pub fn node(&self) -> Option<&str> {
        self.0.split_once('@').map(|(_, node)| node)
    }
}

impl fmt::Display for SeatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who sits in a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Human,
    Autopilot,
}

/// Why something is to be done: the key of a sentence and what fills its gaps, so that the page
/// can say it in the reader's language.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// For example `scheduler.bind`.
    pub sentence: &'static str,
    pub args: Vec<Arc<str>>,
}

impl Why {
    pub fn new(sentence: &'static str, args: &[&str]) -> Why {
        Why {
            sentence,
            args: args.iter().map(|arg| Arc::from(*arg)).collect(),
        }
    }
}

/// One thing to do. `L` is what a component can do on its own machine; control-plane components
/// have none.
#[derive(Clone, Debug, PartialEq)]
pub enum Action<L = Infallible> {
    Api(Box<Request>),
    Local(L),
}

/// An Event that the autopilot records about `about` once its action was answered.
/// In texts `{name}` stands for the name of the object answered, `{error}` for the refusal.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub about: Key,
    pub warning: bool,
    pub reason: &'static str,
    pub message: String,
    /// Record it when the action failed instead of when it succeeded.
    pub on_failure: bool,
    /// For example `spec.containers{nginx}`; empty for the whole object.
    pub field_path: String,
}

/// Something that holds, and the Event that says so when it begins to.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub note: Note,
    /// The moment it is about, if that makes it another fact: the start that was missed.
    pub at: Option<SimTime>,
}

impl From<Note> for Fact {
    fn from(note: Note) -> Fact {
        Fact { note, at: None }
    }
}

/// The first duty of a round that was not granted. The duties after it were not tried, unless the plan says that
/// they are [independent](Plan::independent).
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What the duty was about; `None` for local work.
    pub kind: Option<Kind>,
    /// The Status message, or what the machine said.
    pub message: String,
}

/// One entry of a to-do list.
#[derive(Clone, Debug, PartialEq)]
pub struct Duty<L = Infallible> {
    pub why: Why,
    pub action: Action<L>,
    pub notes: Vec<Note>,
}

impl<L> Duty<L> {
    pub fn api(why: Why, request: Request) -> Duty<L> {
        Duty {
            why,
            action: Action::Api(Box::new(request)),
            notes: Vec::new(),
        }
    }

    pub fn local(why: Why, action: L) -> Duty<L> {
        Duty {
            why,
            action: Action::Local(action),
            notes: Vec::new(),
        }
    }

    pub fn note(mut self, note: Note) -> Duty<L> {
        self.notes.push(note);
        self
    }
}

/// What a reconcile answers: the duties in the order they should be done (later ones may assume
/// that earlier ones succeeded), and when to look again although nothing changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<L = Infallible> {
    pub duties: Vec<Duty<L>>,
    pub again_after: Option<Duration>,
    /// Events about what was seen rather than done (a probe failed, a container started), each
    /// answered once. The autopilot records them.
    pub notes: Vec<Note>,
    /// Events about what holds now (no Pod matches, a claim has no volume), answered for as long as
    /// it holds. The autopilot records one when it did not hold at the look before.
    pub facts: Vec<Fact>,
    /// The duties do not build on each other: one that is refused keeps no other from being done.
    pub independent: bool,
}

impl<L> Default for Plan<L> {
    fn default() -> Self {
        Plan {
            duties: Vec::new(),
            again_after: None,
            notes: Vec::new(),
            facts: Vec::new(),
            independent: false,
        }
    }
}

impl<L> Plan<L> {
    pub fn of(duties: Vec<Duty<L>>) -> Plan<L> {
        Plan {
            duties,
            ..Plan::default()
        }
    }

    /// Keeps the earlier of two times to look again.
    pub fn again_after(&mut self, delay: Duration) {
        self.again_after = Some(self.again_after.map_or(delay, |known| known.min(delay)));
    }
}

impl Plan<Infallible> {
    /// The same plan as one of a component with a machine: there are no local actions to convert.
    pub fn widen<L>(self) -> Plan<L> {
        let widen = |duty: Duty| {
            let action = match duty.action {
                Action::Api(request) => Action::Api(request),
                Action::Local(never) => match never {},
            };
            Duty {
                why: duty.why,
                action,
                notes: duty.notes,
            }
        };
        Plan {
            duties: self.duties.into_iter().map(widen).collect(),
            again_after: self.again_after,
            notes: self.notes,
            facts: self.facts,
            independent: self.independent,
        }
    }
}

/// What a component sees when it reconciles. `H` is the machine it runs on, `()` for the control plane.
pub struct Observed<'a, H: ?Sized = ()> {
    pub caches: &'a Caches,
    pub host: &'a H,
    pub now: SimTime,
}

/// A component: from what it observes and a key to the duties that would close the gap.
///
/// `reconcile` must be a pure function of its arguments and of what `observe` derived from the
/// same caches and `answered` was told; it reads no clock and draws no random number. Two keep a
/// memory of their own behind it: the scheduler of decisions that still hold, and the kubelet of
/// what its probes found.
pub trait Component<H: ?Sized = (), L = Infallible>: Send {
    /// The component's name as seats and user agents write it, e.g. `replicaset`.
    fn name(&self) -> &'static str;

    /// Who it is to the API server, e.g. `system:serviceaccount:kube-system:replicaset-controller`.
    fn identity(&self) -> Identity;

    /// What must be listed and watched for it.
    fn watches(&self) -> Vec<Watch>;

    /// The keys that `change` makes worth looking at. `caches` already holds the change. Called
    /// for every change of a watched kind; indexes a component derives are kept up here as well.
    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>);

    /// Compares what is with what is wanted for one key.
    fn reconcile(&self, observed: &Observed<'_, H>, key: &Key) -> Plan<L>;

    /// Told after each look at a key, and how the autopilot's round of duties ended: for a component
    /// whose status speaks of it (`ReplicaFailure`), or that waits from its first look on.
    fn answered(&mut self, _key: &Key, _now: SimTime, _refusal: Option<&Refusal>) {}

    /// The keys to look at when the machine below changed (a container exited, a pull finished),
    /// or when somebody new takes the seat.
    fn all_keys(&self, caches: &Caches) -> Vec<Key>;

    /// More keys to look at then: what is on the machine below although the API server no longer knows of it.
    fn keys_of_host(&self, _host: &H) -> Vec<Key> {
        Vec::new()
    }

    /// The shortest time between two looks at the same key, so that a burst of changes becomes one
    /// piece of work (kube-proxy's `minSyncPeriod`, for example).
    fn min_interval(&self) -> Duration {
        Duration::ZERO
    }

    /// What it remembers beyond what `observe` derives from its caches, for the state hash.
    fn hash(&self, _hasher: &mut StateHasher) {}

    /// A copy for a checkpoint of the machine.
    fn boxed_clone(&self) -> Box<dyn Component<H, L>>;
}

impl<H: ?Sized, L> Clone for Box<dyn Component<H, L>> {
    fn clone(&self) -> Self {
        self.boxed_clone()
    }
}
