//! A seat at work: look at a key, then do the duties or put them on the person's list.

use super::{Cluster, Happening};
use crate::apiserver::Identity;
use crate::client::WorkQueue;
use crate::etcd::Key;
use crate::node::NodeAction;
use crate::seat::{Action, Duty, Mode, Note, Plan, Refusal, SeatId};
use crate::sim::{SimTime, StateHasher};
use std::time::Duration;

/// Virtual time a component needs for one key: enough that two seats' work interleaves.
const WORK_TIME: Duration = Duration::from_micros(200);

/// Duties performed at once. A ReplicaSet may ask for 500 Pods: whoever runs the machine in slices gets
/// back in between.
const PORTION: usize = 8;

/// The duties of one key, while the autopilot works through them.
#[derive(Clone)]
pub(super) struct Round {
    key: Key,
    cause: u64,
    /// A refusal of one does not end the round.
    independent: bool,
    left: std::vec::IntoIter<Duty<NodeAction>>,
    refusal: Option<Refusal>,
}

impl Round {
    /// Somebody else sits down: what is left is found anew, once what was done is observed up to `revision`.
    pub(super) fn leave(self, queue: &mut WorkQueue, now: SimTime, revision: u64) {
        queue.gate(&self.key, revision);
        queue.add(self.key, now, self.cause);
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.text(&self.key.to_string());
        hasher.number(self.left.len() as u64);
    }
}

impl Cluster {
    /// Makes sure the event queue holds a `Work` for the seat's next due key.
    pub(super) fn schedule_work(&mut self, id: &SeatId) {
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        let observed = self
            .processes
            .get(&seat.process)
            .map_or(0, |process| process.observed(self.dispatched));
        let begun = seat.round.is_some().then_some(self.now);
        let Some(due) = begun.or_else(|| seat.queue.next_due(observed)) else {
            return;
        };
        let due = due.max(self.now);
        match seat.work {
            Some((at, _)) if at <= due => {}
            Some(later) => {
                self.queue.cancel(later);
                seat.work = Some(self.queue.push(due, Happening::Work(id.clone())));
            }
            None => seat.work = Some(self.queue.push(due, Happening::Work(id.clone()))),
        }
    }

    #[inline(never)]
    pub(super) fn work(&mut self, id: &SeatId) {
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        seat.work = None;
        if let Some(round) = seat.round.take() {
            self.perform_some(id, round);
            return;
        }
        let Some(process) = self.processes.get(&seat.process) else {
            return;
        };
        let observed = process.observed(self.dispatched);
        let Some((key, cause)) = seat.queue.pop(self.now, observed) else {
            self.schedule_work(id);
            return;
        };
        seat.note_look(&key, self.now);
        let machine = process.node.as_ref().and_then(|node| self.machines.get(node));
        let mut plan = seat.reconcile(&process.caches, machine, self.now, &key);
        if let Some(after) = plan.again_after {
            seat.queue.add(key.clone(), self.now + after, 0);
        }
        match seat.mode {
            Mode::Human => {
                seat.answered(&key, self.now, None);
                // From a desk whose cable is out nobody can report anything.
                if machine.is_some_and(|machine| !machine.reachable()) {
                    plan.duties.retain(|duty| matches!(duty.action, Action::Local(_)));
                }
                seat.set_duties(key, plan.duties);
                self.schedule_work_after(id, WORK_TIME);
            }
            Mode::Autopilot => {
                let mut notes = std::mem::take(&mut plan.notes);
                notes.extend(seat.new_facts(&key, std::mem::take(&mut plan.facts)));
                self.record_seen(id, cause, &notes);
                self.perform_plan(id, key, cause, plan);
            }
        }
    }

    /// Records what a component saw, as far as it reaches the API server.
    #[inline(never)]
    fn record_seen(&mut self, id: &SeatId, cause: u64, notes: &[Note]) {
        if notes.is_empty() || id.node().is_some_and(|node| !self.reaches_api(node)) {
            return;
        }
        for note in notes {
            self.record(id.component(), id.node(), cause, note, &Ok(String::new()));
        }
        self.dispatch();
    }

    /// The next key is looked at a little later, so that other seats get their turn.
    fn schedule_work_after(&mut self, id: &SeatId, pause: Duration) {
        let now = self.now;
        self.now = now + pause;
        self.schedule_work(id);
        self.now = now;
    }

    /// Performs duties in order. A refusal lets the key come back later, and ends the round unless
    /// the duties are independent.
    fn perform_plan(&mut self, id: &SeatId, key: Key, cause: u64, plan: Plan<NodeAction>) {
        if !plan.duties.is_empty() {
            let (independent, left) = (plan.independent, plan.duties.into_iter());
            let round = Round {
                key,
                cause,
                independent,
                left,
                refusal: None,
            };
            self.perform_some(id, round);
            return;
        }
        let now = self.now;
        if let Some(seat) = self.seats.get_mut(id) {
            seat.answered(&key, now, None);
            seat.queue.forget(&key);
        }
        self.schedule_work_after(id, WORK_TIME);
    }

    /// Performs the next duties of a round; what is left goes on at the same moment.
    #[inline(never)]
    fn perform_some(&mut self, id: &SeatId, mut round: Round) {
        let now = self.now;
        let Some(seat) = self.seats.get(id) else { return };
        let identity = seat.identity();
        let component = seat.id.component().to_owned();
        let node = id.node().map(str::to_owned);
        let portion: Vec<_> = round.left.by_ref().take(PORTION).collect();
        for duty in portion {
            if let Err(refused) = self.perform(&component, node.as_deref(), &identity, round.cause, duty) {
                round.refusal.get_or_insert(refused);
                if !round.independent {
                    round.left = Vec::new().into_iter();
                    break;
                }
            }
        }
        self.dispatch();
        let revision = self.api.etcd.revision();
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        if round.left.len() > 0 {
            seat.round = Some(round);
            self.schedule_work(id);
            return;
        }
        let Round {
            key, cause, refusal, ..
        } = round;
        seat.answered(&key, now, refusal.as_ref());
        seat.queue.gate(&key, revision);
        if refusal.is_some() {
            seat.queue.add_rate_limited(key, now, cause);
        } else {
            seat.queue.forget(&key);
        }
        self.schedule_work_after(id, WORK_TIME);
    }

    /// Performs one duty and records its Events.
    #[inline(never)]
    fn perform(
        &mut self,
        component: &str,
        node: Option<&str>,
        identity: &Identity,
        cause: u64,
        duty: Duty<NodeAction>,
    ) -> Result<(), Refusal> {
        match duty.action {
            Action::Api(request) => {
                let kind = Some(request.kind);
                if node.is_some_and(|node| !self.reaches_api(node)) {
                    let message = "the API server cannot be reached".to_owned();
                    return Err(Refusal { kind, message });
                }
                let answer = self.api.call(self.now, identity, cause, *request);
                let outcome = match answer.result {
                    Ok(reply) => Ok(reply
                        .object()
                        .map(|object| object.name().to_owned())
                        .unwrap_or_default()),
                    Err(status) => Err(status.message),
                };
                for note in &duty.notes {
                    self.record(component, node, answer.request_id, note, &outcome);
                }
                outcome.map(drop).map_err(|message| Refusal { kind, message })
            }
            Action::Local(action) => {
                // Only a node's components have local work.
                let Some(node) = node else { return Ok(()) };
                let outcome = self
                    .begin_local(node, action, cause)
                    .map(|_| String::new())
                    .map_err(|error| error.to_string());
                for note in &duty.notes {
                    self.record(component, Some(node), cause, note, &outcome);
                }
                outcome
                    .map(drop)
                    .map_err(|message| Refusal { kind: None, message })
            }
        }
    }
}
