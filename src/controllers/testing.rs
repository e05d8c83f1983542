//! A component with what it has observed, and nothing else.

use crate::api::{Kind, Object};
use crate::client::{Caches, Change};
use crate::etcd::{Event, EventType, Key};
use crate::seat::{Action, Component, Duty, Observed, Plan};
use crate::sim::SimTime;
use serde_json::Value;

pub struct Bench<C> {
    pub component: C,
    pub caches: Caches,
    pub now: SimTime,
    pub dirty: Vec<Key>,
}

impl<C: Component> Bench<C> {
    pub fn new(component: C) -> Bench<C> {
        let caches = Caches::new(component.watches());
        Bench {
            component,
            caches,
            now: SimTime::from_secs(1000),
            dirty: Vec::new(),
        }
    }

    /// Puts an object as a watch event would; uid and revision are filled in.
    pub fn put(&mut self, kind: Kind, value: Value) -> &mut Self {
        let mut object = Object::from_value(kind, value).unwrap();
        let revision = self.caches.revision + 1;
        let (key, meta) = (Key::of(&object), object.meta_mut());
        meta.resource_version = Some(revision.to_string());
        meta.uid.get_or_insert_with(|| format!("uid-{}", key.name));
        self.event(EventType::Put, key, object)
    }

    pub fn remove(&mut self, kind: Kind, namespace: &str, name: &str) -> &mut Self {
        let key = Key::new(kind, namespace, name);
        let object = self.caches.get_object(&key).unwrap().clone();
        self.event(EventType::Delete, key, object)
    }

    fn event(&mut self, event_type: EventType, key: Key, object: Object) -> &mut Self {
        self.caches.revision += 1;
        let event = Event {
            revision: self.caches.revision,
            event_type,
            key,
            object,
            previous: None,
            request: 0,
        };
        if let Some(change) = self.caches.observe(&event) {
            self.observe(&change);
        }
        self
    }

    fn observe(&mut self, change: &Change) {
        self.component.observe(&self.caches, change, &mut self.dirty);
    }

    pub fn plan(&self, kind: Kind, namespace: &str, name: &str) -> Plan {
        self.reconcile(&Key::new(kind, namespace, name))
    }

    pub fn reconcile(&self, key: &Key) -> Plan {
        let plan = self.component.reconcile(
            &Observed {
                caches: &self.caches,
                host: &(),
                now: self.now,
            },
            key,
        );
        for duty in &plan.duties {
            assert!(
                super::WORDS.iter().any(|(key, ..)| *key == duty.why.sentence),
                "no words for {}",
                duty.why.sentence
            );
        }
        plan
    }
}

/// `create pods web-`, `patch pods/status web`: what each duty does, in order.
pub fn verbs(plan: &Plan) -> Vec<String> {
    plan.duties.iter().map(verb).collect()
}

fn verb(duty: &Duty) -> String {
    let Action::Api(request) = &duty.action else {
        return String::new();
    };
    let name = match &request.body {
        crate::apiserver::Body::Object(object) if object.name().is_empty() => {
            object.meta().generate_name.clone().unwrap_or_default()
        }
        _ => request.name.to_string(),
    };
    let subresource = request.subresource.as_str();
    let slash = if subresource.is_empty() { "" } else { "/" };
    format!(
        "{} {}{slash}{subresource} {name}",
        request.verb.as_str(),
        request.kind.info().plural
    )
}

/// The object a duty sends, as JSON.
pub fn body(duty: &Duty) -> Value {
    let Action::Api(request) = &duty.action else {
        return Value::Null;
    };
    match &request.body {
        crate::apiserver::Body::Object(object) => object.to_value(),
        crate::apiserver::Body::Patch(_, patch) => patch.clone(),
        _ => Value::Null,
    }
}
