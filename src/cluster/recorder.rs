//! The recorder of Events: repeated ones become one with a count.
//!
//! Source: k8s.io/client-go/tools/record. Names are the object's name, a dot and a hexadecimal
//! number (upstream takes the time in nanoseconds; here it is a counter, so that replays agree).

use super::Cluster;
use crate::api::Kind;
use crate::api::sorted::SortedMap;
use crate::apiserver::http::alias;
use crate::apiserver::{Identity, Request};
use crate::etcd::Key;
use crate::seat::Note;
use crate::sim::Rng;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use std::sync::Arc;

/// What makes two Events the same one.
type Correlation = (Key, &'static str, String, String);

/// How many Events are remembered for counting, as upstream's LRU.
const REMEMBERED: usize = 4096;

#[derive(Clone, Debug)]
pub(super) struct Recorder {
    rng: Rng,
    known: SortedMap<Correlation, Key>,
}

impl Recorder {
    pub fn new(seed: u64) -> Recorder {
        Recorder {
            rng: Rng::stream(seed, "event-names"),
            known: SortedMap::new(),
        }
    }

    /// For the state hash. What is known follows from the Events that were made.
    pub fn state(&self) -> u64 {
        self.rng.state()
    }
}

/// The name a component signs its Events with.
fn source_of(component: &str) -> &str {
    match component {
        "scheduler" => "default-scheduler",
        "kubelet" => "kubelet",
        "kube-proxy" => "kube-proxy",
        "replicaset" => "replicaset-controller",
        "replicationcontroller" => "replication-controller",
        "deployment" => "deployment-controller",
        "statefulset" => "statefulset-controller",
        "daemonset" => "daemonset-controller",
        "job" => "job-controller",
        "cronjob" => "cronjob-controller",
        "endpoints" => "endpoint-controller",
        "endpointslice" => "endpoint-slice-controller",
        "node-lifecycle" => "node-controller",
        "taint-eviction" => "taint-eviction-controller",
        "disruption" => "controllermanager",
        "horizontalpodautoscaler" => "horizontal-pod-autoscaler",
        "persistentvolume-binder" => "persistentvolume-controller",
        "service-lb" => "service-controller",
        other => other,
    }
}

/// The program that writes a component's Events.
fn program_of(component: &str) -> &str {
    match component {
        "scheduler" => "kube-scheduler",
        "kubelet" | "kube-proxy" => component,
        _ => "kube-controller-manager",
    }
}

/// The scheduler records through events.k8s.io, the others through the core group.
fn in_version_of(component: &str, mut request: Request) -> Request {
    if component == "scheduler" {
        request.options.alias = alias::find("events.k8s.io", "v1", "events");
    }
    request
}

/// `web.17a2b3c4d5e6f708`. By hand, as it is done for every Event, and formatting is slow in a browser.
fn event_name(about: &str, number: u64) -> String {
    let mut name = String::with_capacity(about.len() + 17);
    name.push_str(about);
    name.push('.');
    for digit in (0..16).rev() {
        let digit = number >> (digit * 4) & 0xf;
        name.extend(char::from_digit(digit as u32, 16));
    }
    name
}

impl Cluster {
    /// Writes an Event about the outcome of a duty: the name of the object answered, or the refusal.
    pub(super) fn record(
        &mut self,
        component: &str,
        node: Option<&str>,
        cause: u64,
        note: &Note,
        outcome: &Result<String, String>,
    ) {
        if note.on_failure != outcome.is_err() {
            return;
        }
        let message = match outcome {
            // Most say nothing about the outcome, and to look for one character is quick.
            _ if !note.message.contains('{') => note.message.clone(),
            Ok(name) if note.message.contains("{name}") => note.message.replace("{name}", name),
            Err(error) if note.message.contains("{error}") => note.message.replace("{error}", error),
            _ => note.message.clone(),
        };
        self.record_event(component, node, cause, note, message);
    }

    fn record_event(
        &mut self,
        component: &str,
        node: Option<&str>,
        cause: u64,
        note: &Note,
        message: String,
    ) {
        let source = source_of(component);
        let now = self.now.meta_time();
        let correlation = (
            note.about.clone(),
            note.reason,
            message.clone(),
            source.to_owned(),
        );
        let identity = Identity::component("system:apiserver", &["system:masters"], program_of(component));
        if let Some(Some(known)) = self
            .recorder
            .known
            .get(&correlation)
            .map(|key| self.api.etcd.get(key).map(|value| value.object.clone()))
        {
            if let crate::api::Object::Event(mut event) = known {
                let changed = Arc::make_mut(&mut event);
                if changed.event_time.is_some() {
                    let series = changed.series.get_or_insert_default();
                    series.count = Some(series.count.unwrap_or(1) + 1);
                    series.last_observed_time = Some(self.now.micro_time());
                } else {
                    changed.count = Some(changed.count.unwrap_or(1) + 1);
                    changed.last_timestamp = Some(now);
                }
                let request = in_version_of(component, Request::update(event));
                self.api.call(self.now, &identity, cause, request);
                return;
            }
        }
        let Some(value) = self.api.etcd.get(&note.about) else {
            // What it is about is gone; upstream's recorder would only keep a stale reference.
            return;
        };
        let about = &value.object;
        let info = about.kind().info();
        let namespace = match about.namespace() {
            "" => "default",
            own => own,
        };
        let mut event = Event {
            involved_object: ObjectReference {
                api_version: Some(info.api_version()),
                kind: Some(info.name.to_owned()),
                name: Some(about.name().to_owned()),
                namespace: about.meta().namespace.clone(),
                uid: Some(match about.kind() {
                    // kubelets name their Node by its name.
                    Kind::Node if component == "kubelet" => about.name().to_owned(),
                    _ => about.uid().to_owned(),
                }),
                resource_version: about.meta().resource_version.clone(),
                field_path: (!note.field_path.is_empty()).then(|| note.field_path.clone()),
            },
            count: Some(1),
            first_timestamp: Some(now.clone()),
            last_timestamp: Some(now),
            message: Some(message),
            reason: Some(note.reason.to_owned()),
            reporting_component: Some(source.to_owned()),
            reporting_instance: Some(node.unwrap_or("").to_owned()),
            source: Some(EventSource {
                component: Some(source.to_owned()),
                host: node.map(str::to_owned),
            }),
            type_: Some(if note.warning { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        };
        if component == "scheduler" {
            // Events of events.k8s.io have one precise time and an action.
            event.event_time = Some(self.now.micro_time());
            (event.count, event.first_timestamp, event.last_timestamp) = (None, None, None);
            event.source = Some(EventSource::default());
            event.action = Some(
                if note.reason == "Scheduled" {
                    "Binding"
                } else {
                    "Scheduling"
                }
                .to_owned(),
            );
            event.reporting_instance = Some(format!("{source}-{}", self.setup.host));
        }
        event.metadata.namespace = Some(namespace.to_owned());
        event.metadata.name = Some(event_name(about.name(), self.recorder.rng.next_u64()));
        let request = in_version_of(component, Request::create(event));
        let answer = self.api.call(self.now, &identity, cause, request);
        if let Ok(Some(object)) = answer.result.map(|reply| reply.object()) {
            if self.recorder.known.len() >= REMEMBERED {
                self.recorder.known.clear();
            }
            self.recorder.known.insert(correlation, Key::of(&object));
        }
    }
}
