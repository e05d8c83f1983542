//! Managed fields that are computed when somebody reads them: most objects of a simulation are never looked at.

use super::{MOST_UPDATERS, ManagedFields, Manager, update};
use crate::api::{Object, codec, defaults};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::sync::{Arc, Mutex, PoisonError};

/// Unread changes of one object beyond which they are worked off at once, so that a chain never keeps
/// many old objects alive. A Pod is written less often than that until it is Ready.
const MOST_PENDING: usize = 16;

/// The managers of one version of an object. Cloning shares.
#[derive(Clone, Debug, Default)]
pub struct Managed(Option<Arc<Mutex<State>>>);

#[derive(Debug)]
enum State {
    /// With its JSON once that was asked for.
    Known(Arc<ManagedFields>, Option<Arc<str>>),
    Pending(Box<Pending>),
}

#[derive(Debug)]
struct Pending {
    before: Managed,
    /// The live object before the change; nothing for a create.
    old: Option<Object>,
    new: Object,
    manager: Manager,
    time: Time,
    /// Changes waiting, this one included.
    count: usize,
    /// Entries there are afterwards, at most.
    entries: usize,
}

/// Whether two versions of a Lease differ in nothing that somebody owns but the time of the renewal.
fn same_but_for_renewal(a: &Lease, b: &Lease) -> bool {
    let of = |lease: &Lease| {
        let (meta, spec) = (&lease.metadata, lease.spec.as_ref());
        let meta_is_plain = meta.labels.is_none()
            && meta.annotations.is_none()
            && meta.finalizers.is_none()
            && meta.generate_name.is_none();
        meta_is_plain && spec.is_some_and(|spec| spec.preferred_holder.is_none() && spec.strategy.is_none())
    };
    let (Some(old), Some(new)) = (&a.spec, &b.spec) else {
        return false;
    };
    of(a)
        && of(b)
        && a.metadata.owner_references == b.metadata.owner_references
        && old.holder_identity == new.holder_identity
        && old.lease_duration_seconds == new.lease_duration_seconds
        && old.lease_transitions == new.lease_transitions
        && old.acquire_time == new.acquire_time
        && old.renew_time.is_some()
        && new.renew_time.is_some()
}

impl Pending {
    /// Whether this change and the next are renewals of a Lease by one manager, so that from before the first to after
    /// the second is one renewal: the time of the first is lost in any case.
    fn is_lost_in(&self, old: Option<&Object>, new: &Object, manager: &Manager) -> bool {
        let (Some(Object::Lease(first)), Object::Lease(asked)) = (&self.old, &self.new) else {
            return false;
        };
        let (Some(Object::Lease(live)), Object::Lease(last)) = (old, new) else {
            return false;
        };
        let time = |lease: &Lease| lease.spec.as_ref().and_then(|spec| spec.renew_time.clone());
        let (start, middle, end) = (time(first), time(asked), time(last));
        self.manager == *manager
            // Else the entries of the oldest would be put together, and which those are is a matter of time.
            && self.entries <= MOST_UPDATERS
            && same_but_for_renewal(first, asked)
            && same_but_for_renewal(asked, live)
            && same_but_for_renewal(live, last)
            && middle == time(live)
            && start != middle
            && middle != end
            && start != end
    }
}

impl Managed {
    /// Managers that are known, as after an apply.
    pub fn known(fields: ManagedFields) -> Managed {
        Managed(Some(Arc::new(Mutex::new(State::Known(Arc::new(fields), None)))))
    }

    /// Notes an update (or, without `old`, a create); `new` as the client wanted it, see [`update`]. A new object is
    /// defaulted here.
    #[must_use]
    pub fn updated(&self, old: Option<Object>, new: Object, manager: Manager, time: Time) -> Managed {
        let pending = self.next(old, new, manager, time);
        let count = pending.count;
        let managed = Managed(Some(Arc::new(Mutex::new(State::Pending(Box::new(pending))))));
        if count > MOST_PENDING {
            managed.get();
        }
        managed
    }

    /// The managers, computed now if they were not yet.
    pub fn get(&self) -> Arc<ManagedFields> {
        let Some(state) = &self.0 else {
            return Arc::default();
        };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match &*state {
            State::Known(fields, _) => return fields.clone(),
            State::Pending(pending) => {
                // At most a few deep: see MOST_PENDING.
                let before = pending.before.get();
                let mut new = pending.new.clone();
                if pending.old.is_none() {
                    defaults::apply(&mut new);
                }
                Arc::new(update(
                    new.kind(),
                    pending.old.as_ref(),
                    &new,
                    &before,
                    &pending.manager,
                    &pending.time,
                ))
            }
        };
        *state = State::Known(known.clone(), None);
        known
    }

    /// `metadata.managedFields` as JSON; nothing without managers.
    pub fn json(&self) -> Option<Arc<str>> {
        let fields = self.get();
        if fields.entries.is_empty() {
            return None;
        }
        let mut state = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Known(_, Some(json)) => Some(json.clone()),
            State::Known(_, slot) => {
                let json: Arc<str> = codec::to_json(&fields.to_typed()).into();
                *slot = Some(json.clone());
                Some(json)
            }
            State::Pending(_) => None,
        }
    }

    fn next(&self, old: Option<Object>, new: Object, manager: Manager, time: Time) -> Pending {
        let (mut before, mut live) = (self.clone(), old);
        let (mut count, mut entries) = (1, 1);
        let state = self
            .0
            .as_ref()
            .map(|state| state.lock().unwrap_or_else(PoisonError::into_inner));
        match state.as_deref() {
            Some(State::Pending(last)) if last.is_lost_in(live.as_ref(), &new, &manager) => {
                (before, live) = (last.before.clone(), last.old.clone());
                (count, entries) = (last.count, last.entries);
            }
            Some(State::Pending(last)) => (count, entries) = (last.count + 1, last.entries + 1),
            Some(State::Known(fields, _)) => entries = fields.entries.len() + 1,
            None => {}
        }
        Pending {
            before,
            old: live,
            new,
            manager,
            time,
            count,
            entries,
        }
    }
}
