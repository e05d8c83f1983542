//! Writes down which Pods answer for a Service, in slices of at most a hundred.
//!
//! Source: k8s.io/endpointslice (reconciler.go, utils.go) and pkg/controller/endpointslice.

use super::pods::on_failure;
use super::selected::{
    HEADLESS, LAST_CHANGE, MANAGED_BY, SERVICE_NAME, SelectedPods, belongs, find_port, hostname, is_headless,
    pod_ip, target_ref, trigger_time,
};
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, Request};
use crate::client::helpers::{Labels, controller_ref, pod_is_ready, pod_node};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(super) const CONTROLLER: &str = "endpointslice-controller.k8s.io";
/// Source: `--max-endpoints-per-slice`.
const MAX_ENDPOINTS: usize = 100;
/// How long changes gather: upstream is held back by its client's 20 requests per second.
pub(super) const BATCH_PERIOD: Duration = Duration::from_millis(100);
const ZONE: &str = "topology.kubernetes.io/zone";

/// The endpointslice controller.
#[derive(Clone, Debug, Default)]
pub struct EndpointSlices {
    pods: SelectedPods,
}

/// The Service a slice is for.
pub fn service_of_slice(object: &Object) -> Option<Key> {
    let name = object.meta().labels.as_ref()?.get(SERVICE_NAME)?;
    Some(Key::new(Kind::Service, object.namespace(), name))
}

fn managed(slice: &EndpointSlice) -> bool {
    slice
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(MANAGED_BY))
        .is_some_and(|by| by == CONTROLLER)
}

/// What a slice of this Service is called and labelled.
fn slice_meta(service: &Service, trigger: Option<String>) -> ObjectMeta {
    let name = service.metadata.name.clone().unwrap_or_default();
    let mut labels: Labels = service.metadata.labels.clone().unwrap_or_default();
    labels.retain(|key, _| key != SERVICE_NAME && key != MANAGED_BY && key != HEADLESS);
    if is_headless(service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER.to_owned());
    labels.insert(SERVICE_NAME.to_owned(), name.clone());
    ObjectMeta {
        generate_name: Some(format!("{name}-")),
        namespace: service.metadata.namespace.clone(),
        labels: Some(labels),
        annotations: trigger.map(|time| BTreeMap::from([(LAST_CHANGE.to_owned(), time)])),
        owner_references: Some(vec![controller_ref(Kind::Service, &service.metadata)]),
        ..ObjectMeta::default()
    }
}

fn endpoint_ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    let resolve = |port: &k8s_openapi::api::core::v1::ServicePort| {
        Some(EndpointPort {
            name: Some(port.name.clone().unwrap_or_default()),
            port: Some(find_port(pod, port)?),
            protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
            app_protocol: port.app_protocol.clone(),
        })
    };
    ports.into_iter().flatten().filter_map(resolve).collect()
}

fn endpoint(service: &Service, pod: &Pod, caches: &Caches) -> Endpoint {
    let serving = pod_is_ready(pod);
    let terminating = pod.metadata.deletion_timestamp.is_some();
    let publish = service
        .spec
        .as_ref()
        .and_then(|spec| spec.publish_not_ready_addresses)
        .unwrap_or(false);
    let node = pod_node(pod);
    let zone = caches
        .get::<Node>("", node)
        .and_then(|node| node.metadata.labels.as_ref()?.get(ZONE).cloned());
    Endpoint {
        addresses: vec![pod_ip(pod).unwrap_or_default().to_owned()],
        conditions: Some(EndpointConditions {
            ready: Some(publish || (serving && !terminating)),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        node_name: (!node.is_empty()).then(|| node.to_owned()),
        target_ref: Some(target_ref(pod)),
        hostname: hostname(pod, service),
        zone,
        ..Endpoint::default()
    }
}

fn same_endpoint(a: &Endpoint, b: &Endpoint) -> bool {
    let uid = |endpoint: &Endpoint| endpoint.target_ref.as_ref().and_then(|target| target.uid.clone());
    a.addresses == b.addresses && a.hostname == b.hostname && uid(a) == uid(b)
}

/// One slice being brought up to date.
struct Draft<'a> {
    known: &'a Arc<EndpointSlice>,
    endpoints: Vec<Endpoint>,
    changed: bool,
}

/// The wanted endpoints by what their ports are.
type Wanted = Vec<(Vec<EndpointPort>, SortedMap<String, Endpoint>)>;

impl EndpointSlices {
    fn wanted(&self, service: &Service, key: &Key, caches: &Caches) -> Wanted {
        let mut wanted: Wanted = Vec::new();
        for pod in self.pods.of(key).filter(|pod| belongs(pod, true)) {
            let ports = endpoint_ports(service, pod);
            let endpoint = endpoint(service, pod, caches);
            let uid = pod.metadata.uid.clone().unwrap_or_default();
            match wanted.iter_mut().find(|(known, _)| *known == ports) {
                Some((_, endpoints)) => {
                    endpoints.insert(uid, endpoint);
                }
                None => wanted.push((ports, SortedMap::from([(uid, endpoint)]))),
            }
        }
        wanted
    }
}

fn updated(known: &EndpointSlice, meta: &ObjectMeta, endpoints: Vec<Endpoint>) -> EndpointSlice {
    let mut slice = EndpointSlice {
        metadata: known.metadata.clone(),
        address_type: known.address_type.clone(),
        endpoints: Some(endpoints),
        ports: known.ports.clone(),
    };
    slice.metadata.labels = meta.labels.clone();
    slice.metadata.owner_references = meta.owner_references.clone();
    let annotations = slice.metadata.annotations.get_or_insert_default();
    match meta
        .annotations
        .as_ref()
        .and_then(|wanted| wanted.get(LAST_CHANGE))
    {
        Some(time) => annotations.insert(LAST_CHANGE.to_owned(), time.clone()),
        None => annotations.remove(LAST_CHANGE),
    };
    slice
}

/// Whether labels or owner are not as they should be.
fn meta_differs(known: &ObjectMeta, meta: &ObjectMeta) -> bool {
    known.labels != meta.labels || known.owner_references != meta.owner_references
}

impl Component for EndpointSlices {
    fn name(&self) -> &'static str {
        "endpointslice"
    }

    fn identity(&self) -> Identity {
        super::identity("endpointslice-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::Service, Kind::Pod, Kind::EndpointSlice, Kind::Node]
            .map(Watch::all)
            .to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::EndpointSlice(slice) if managed(slice) => dirty.extend(service_of_slice(change.object())),
            Object::Node(node) => {
                let zone =
                    |object: &Option<Object>| object.as_ref()?.meta().labels.as_ref()?.get(ZONE).cloned();
                if change.old.is_some() && change.new.is_some() && zone(&change.old) != zone(&change.new) {
                    let on_it = |pod: &&Arc<Pod>| Some(pod_node(pod)) == node.metadata.name.as_deref();
                    let keys = caches
                        .keys(Kind::Service)
                        .filter(|key| self.pods.of(key).any(|pod| on_it(&pod)));
                    dirty.extend(keys.cloned());
                }
            }
            _ => self.pods.observe(caches, change, dirty),
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(service) = observed.caches.by_key::<Service>(key) else {
            return plan;
        };
        let Some(spec) = &service.spec else { return plan };
        let no_selector = spec.selector.as_ref().is_none_or(BTreeMap::is_empty);
        if no_selector
            || spec.type_.as_deref() == Some("ExternalName")
            || service.metadata.deletion_timestamp.is_some()
        {
            return plan;
        }
        let existing: Vec<&Arc<EndpointSlice>> = observed
            .caches
            .list::<EndpointSlice>(&key.namespace)
            .filter(|slice| {
                let of = slice
                    .metadata
                    .labels
                    .as_ref()
                    .and_then(|labels| labels.get(SERVICE_NAME));
                of.is_some_and(|of| **of == *key.name)
                    && managed(slice)
                    && slice.metadata.deletion_timestamp.is_none()
            })
            .collect();
        let last = existing
            .iter()
            .filter_map(|slice| slice.metadata.annotations.as_ref()?.get(LAST_CHANGE))
            .max();
        let trigger = trigger_time(service, self.pods.of(key), last.map(String::as_str));
        let meta = slice_meta(service, trigger);
        let mut kept = 0;
        let mut updates = Vec::new();
        let mut creates = Vec::new();
        let mut deletes: Vec<&Arc<EndpointSlice>> = Vec::new();
        let mut wanted = self.wanted(service, key, observed.caches);
        let mut drafts: Vec<(usize, Draft<'_>)> = Vec::new();
        for &slice in &existing {
            let ports = slice.ports.as_deref().unwrap_or_default();
            let Some(group) = wanted.iter().position(|(known, _)| known == ports) else {
                deletes.push(slice);
                continue;
            };
            let mut draft = Draft {
                known: slice,
                endpoints: Vec::new(),
                changed: false,
            };
            for endpoint in slice.endpoints.iter().flatten() {
                let uid = endpoint
                    .target_ref
                    .as_ref()
                    .and_then(|target| target.uid.as_deref())
                    .unwrap_or("");
                let same = wanted[group]
                    .1
                    .get(uid)
                    .is_some_and(|wanted| same_endpoint(wanted, endpoint));
                if !same {
                    draft.changed = true;
                } else if let Some(wanted) = wanted[group].1.remove(uid) {
                    draft.changed |= wanted != *endpoint;
                    draft.endpoints.push(wanted);
                }
            }
            drafts.push((group, draft));
        }
        for (group, (ports, missing)) in wanted.into_iter().enumerate() {
            let mut missing: Vec<Endpoint> = missing.into_values().collect();
            let mut of_group: Vec<Draft<'_>> = Vec::new();
            let mut rest = Vec::new();
            for (of, draft) in drafts {
                if of == group {
                    of_group.push(draft)
                } else {
                    rest.push((of, draft))
                }
            }
            drafts = rest;
            fill(&mut of_group, &mut missing);
            for draft in of_group {
                if draft.endpoints.is_empty() {
                    deletes.push(draft.known);
                } else {
                    kept += 1;
                    if draft.changed || meta_differs(&draft.known.metadata, &meta) {
                        updates.push(updated(draft.known, &meta, draft.endpoints));
                    }
                }
            }
            while !missing.is_empty() {
                let rest = missing.split_off(missing.len().min(MAX_ENDPOINTS));
                creates.push(EndpointSlice {
                    metadata: meta.clone(),
                    address_type: "IPv4".to_owned(),
                    endpoints: Some(std::mem::replace(&mut missing, rest)),
                    ports: Some(ports.clone()),
                });
            }
        }
        if kept == 0 && creates.is_empty() {
            // One empty slice says that the Service was looked at.
            let empty = |slice: &&&Arc<EndpointSlice>| {
                slice.ports.as_ref().is_none_or(Vec::is_empty)
                    && slice.endpoints.as_ref().is_none_or(Vec::is_empty)
            };
            match deletes.iter().find(empty).copied() {
                Some(placeholder) => {
                    deletes.retain(|slice| !Arc::ptr_eq(slice, placeholder));
                    if meta_differs(&placeholder.metadata, &meta) {
                        updates.push(updated(placeholder, &meta, Vec::new()));
                    }
                }
                None => creates.push(EndpointSlice {
                    metadata: meta.clone(),
                    address_type: "IPv4".to_owned(),
                    endpoints: Some(Vec::new()),
                    ports: Some(Vec::new()),
                }),
            }
        }
        self.duties(service, key, creates, updates, deletes, &mut plan);
        plan
    }

    fn min_interval(&self) -> Duration {
        BATCH_PERIOD
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Service).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

/// Puts missing endpoints into slices with room: first those that change anyway, then, if the
/// rest would not fill a slice of its own, the fullest slice that can take all of it.
fn fill(drafts: &mut [Draft<'_>], missing: &mut Vec<Endpoint>) {
    let put = |draft: &mut Draft<'_>, missing: &mut Vec<Endpoint>| {
        let room = MAX_ENDPOINTS
            .saturating_sub(draft.endpoints.len())
            .min(missing.len());
        draft.changed |= room > 0;
        draft.endpoints.extend(missing.drain(..room));
    };
    for draft in drafts
        .iter_mut()
        .filter(|draft| draft.changed && !draft.endpoints.is_empty())
    {
        put(draft, missing);
    }
    let rest = missing.len() % MAX_ENDPOINTS;
    if rest > 0 {
        let fits = drafts
            .iter_mut()
            .filter(|draft| draft.endpoints.len() + rest <= MAX_ENDPOINTS);
        if let Some(draft) = fits.max_by_key(|draft| draft.endpoints.len()) {
            let mut last = missing.split_off(missing.len() - rest);
            put(draft, &mut last);
        }
    }
}

impl EndpointSlices {
    fn duties(
        &self,
        service: &Service,
        key: &Key,
        creates: Vec<EndpointSlice>,
        updates: Vec<EndpointSlice>,
        deletes: Vec<&Arc<EndpointSlice>>,
        plan: &mut Plan,
    ) {
        let failed = |duty: Duty, verb: &str| {
            let namespace = service.metadata.namespace.as_deref().unwrap_or("");
            let message = format!(
                "Error updating Endpoint Slices for Service {namespace}/{}: failed to {verb} EndpointSlice for Service {namespace}/{}: {{error}}",
                key.name, key.name
            );
            duty.note(on_failure(key, "FailedToUpdateEndpointSlices", message))
        };
        for slice in creates {
            let count = slice.endpoints.as_ref().map_or(0, Vec::len).to_string();
            let why = Why::new("endpointslice.create", &[&key.name, &count]);
            plan.duties
                .push(failed(Duty::api(why, Request::create(slice)), "create"));
        }
        for slice in updates {
            let ready = |endpoint: &&Endpoint| {
                endpoint
                    .conditions
                    .as_ref()
                    .is_some_and(|c| c.ready == Some(true))
            };
            let ready = slice.endpoints.iter().flatten().filter(ready).count().to_string();
            let name = slice.metadata.name.clone().unwrap_or_default();
            let why = Why::new("endpointslice.update", &[&key.name, &name, &ready]);
            plan.duties
                .push(failed(Duty::api(why, Request::update(slice)), "update"));
        }
        for slice in deletes {
            let name = slice.metadata.name.as_deref().unwrap_or("");
            let why = Why::new("endpointslice.delete", &[&key.name, name]);
            let request = Request::delete(
                Kind::EndpointSlice,
                &key.namespace,
                name,
                DeleteOptions::default(),
            );
            plan.duties.push(failed(Duty::api(why, request), "delete"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::{Value, json};

    fn service() -> Value {
        json!({"metadata": {"name": "web", "namespace": "d", "uid": "s"},
               "spec": {"clusterIP": "10.96.0.9", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http", "protocol": "TCP"}]}})
    }

    fn pod(name: &str, ip: &str, ready: bool) -> Value {
        json!({"metadata": {"name": name, "namespace": "d", "labels": {"app": "web"}},
               "spec": {"nodeName": "n", "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}]},
               "status": {"phase": "Running", "podIP": ip, "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}})
    }

    /// Stores what the duties create and update, as the API server would.
    fn perform(bench: &mut Bench<EndpointSlices>) -> Vec<String> {
        let plan = bench.plan(Kind::Service, "d", "web");
        for (nr, duty) in plan.duties.iter().enumerate() {
            let mut slice = body(duty);
            if slice.is_null() {
                continue;
            }
            if slice["metadata"]["name"].is_null() {
                slice["metadata"]["name"] = format!("web-{nr}-{}", bench.caches.revision).into();
            }
            bench.put(Kind::EndpointSlice, slice);
        }
        assert_eq!(bench.plan(Kind::Service, "d", "web").duties, []);
        verbs(&plan)
    }

    #[test]
    fn a_service_without_pods_gets_an_empty_slice_which_is_replaced() {
        let mut bench = Bench::new(EndpointSlices::default());
        bench.put(Kind::Service, service());
        assert_eq!(perform(&mut bench), ["create endpointslices web-"]);
        bench.put(Kind::Pod, pod("a", "10.0.0.1", true));
        let plan = bench.plan(Kind::Service, "d", "web");
        assert!(verbs(&plan)[1].starts_with("delete endpointslices web-0-"));
        let slice = body(&plan.duties[0]);
        assert_eq!(
            slice["ports"],
            json!([{"name": "", "port": 8080, "protocol": "TCP"}])
        );
        assert_eq!(
            slice["endpoints"][0]["conditions"],
            json!({"ready": true, "serving": true, "terminating": false})
        );
        assert_eq!(slice["metadata"]["labels"]["kubernetes.io/service-name"], "web");
    }

    #[test]
    fn splits_after_a_hundred_and_updates_in_place() {
        let mut bench = Bench::new(EndpointSlices::default());
        bench.put(Kind::Service, service());
        for nr in 0..150 {
            bench.put(Kind::Pod, pod(&format!("p{nr}"), &format!("10.0.0.{nr}"), true));
        }
        assert_eq!(
            perform(&mut bench),
            ["create endpointslices web-", "create endpointslices web-"]
        );
        bench.put(Kind::Pod, pod("p3", "10.0.0.3", false));
        assert_eq!(perform(&mut bench).len(), 1);
        bench.put(Kind::Pod, pod("extra", "10.0.1.1", true));
        let done = perform(&mut bench);
        assert!(done.len() == 1 && done[0].starts_with("update"), "{done:?}");
        bench.put(Kind::Pod, pod("p3", "10.0.7.7", true));
        assert_eq!(perform(&mut bench).len(), 1);
        assert_eq!(
            bench
                .caches
                .list::<EndpointSlice>("d")
                .map(|s| s.endpoints.as_ref().unwrap().len())
                .sum::<usize>(),
            151
        );
    }

    #[test]
    fn a_terminating_pod_still_serves() {
        let mut bench = Bench::new(EndpointSlices::default());
        let mut leaving = pod("a", "10.0.0.1", true);
        leaving["metadata"]["deletionTimestamp"] = json!("2026-04-01T09:00:00Z");
        bench.put(Kind::Service, service()).put(Kind::Pod, leaving);
        let slice = body(&bench.plan(Kind::Service, "d", "web").duties[0]);
        assert_eq!(
            slice["endpoints"][0]["conditions"],
            json!({"ready": false, "serving": true, "terminating": true})
        );
    }
}
