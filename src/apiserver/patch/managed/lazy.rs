//! Managed fields that are computed when somebody reads them: most objects of a simulation are never looked at.

use super::{ManagedFields, Manager, update};
use crate::api::{Object, defaults};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::sync::{Arc, Mutex, PoisonError};

/// Unread changes of one object beyond which they are worked off at once, so that a chain never keeps
/// many old objects alive.
const MOST_PENDING: usize = 4;

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
        let count = self.waiting() + 1;
        let pending = Pending {
            before: self.clone(),
            old,
            new,
            manager,
            time,
            count,
        };
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
                let json: Arc<str> = fields.to_value().to_string().into();
                *slot = Some(json.clone());
                Some(json)
            }
            State::Pending(_) => None,
        }
    }

    fn waiting(&self) -> usize {
        let Some(state) = &self.0 else { return 0 };
        match &*state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Known(..) => 0,
            State::Pending(pending) => pending.count,
        }
    }
}
