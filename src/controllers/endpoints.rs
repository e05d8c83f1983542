//! Writes down all Pods that answer for a Service in one Endpoints object, as before slices.
//!
//! Source: pkg/controller/endpoint/endpoints_controller.go, pkg/api/v1/endpoints/util.go.

use super::pods::on_failure;
use super::selected::{
    HEADLESS, LAST_CHANGE, SelectedPods, belongs, find_port, hostname, is_headless, pod_ip, target_ref,
    trigger_time,
};
use crate::api::order::StableSort;
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, Request};
use crate::client::helpers::{Labels, pod_is_ready, pod_node};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const CONTROLLER: &str = "endpoint-controller";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
/// Source: `maxCapacity`.
const MAX_ADDRESSES: usize = 1000;

/// The endpoint controller.
#[derive(Clone, Debug, Default)]
pub struct EndpointsController {
    pods: SelectedPods,
}

fn ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    let mut resolved: Vec<EndpointPort> = ports
        .into_iter()
        .flatten()
        .filter_map(|port| {
            Some(EndpointPort {
                name: port.name.clone().filter(|name| !name.is_empty()),
                port: find_port(pod, port)?,
                protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
                app_protocol: port.app_protocol.clone(),
            })
        })
        .collect();
    resolved.stable_sort_by(|a, b| (&a.name, a.port, &a.protocol).cmp(&(&b.name, b.port, &b.protocol)));
    resolved
}

fn address(service: &Service, pod: &Pod) -> EndpointAddress {
    let node = pod_node(pod);
    EndpointAddress {
        ip: pod_ip(pod).unwrap_or_default().to_owned(),
        hostname: hostname(pod, service),
        node_name: (!node.is_empty()).then(|| node.to_owned()),
        target_ref: Some(target_ref(pod)),
    }
}

/// The labels of a Service's Endpoints.
fn labels(service: &Service) -> Labels {
    let mut labels: Labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(HEADLESS);
    if is_headless(service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER.to_owned());
    labels
}

/// A Service's Endpoints with one Pod's address more, written as the controller writes it, whether the Pod
/// is ready or not; `None` if it has no address or is listed already.
pub fn with_pod(known: Option<&Endpoints>, service: &Service, pod: &Pod) -> Option<Endpoints> {
    let ip = pod_ip(pod).filter(|ip| !ip.is_empty())?;
    let mut endpoints = known.cloned().unwrap_or_default();
    endpoints.metadata.name = service.metadata.name.clone();
    endpoints.metadata.namespace = service.metadata.namespace.clone();
    endpoints.metadata.labels = Some(labels(service));
    endpoints.metadata.managed_fields = None;
    let subsets = endpoints.subsets.get_or_insert_default();
    let listed = |subset: &EndpointSubset| subset.addresses.iter().flatten().any(|own| own.ip == ip);
    if subsets.iter().any(listed) {
        return None;
    }
    for subset in subsets.iter_mut() {
        if let Some(others) = &mut subset.not_ready_addresses {
            others.retain(|own| own.ip != ip);
            if others.is_empty() {
                subset.not_ready_addresses = None;
            }
        }
    }
    let ports = ports(service, pod);
    let ports = (!ports.is_empty()).then_some(ports);
    let addresses = with_ports(subsets, ports).addresses.get_or_insert_default();
    addresses.push(address(service, pod));
    addresses.sort_by_cached_key(by_ip);
    subsets.retain(|subset| subset.addresses.is_some() || subset.not_ready_addresses.is_some());
    Some(endpoints)
}

/// The subset with these ports; a new one where there is none.
fn with_ports(subsets: &mut Vec<EndpointSubset>, ports: Option<Vec<EndpointPort>>) -> &mut EndpointSubset {
    let at = subsets.iter().position(|subset| subset.ports == ports);
    let at = at.unwrap_or_else(|| {
        subsets.push(EndpointSubset {
            ports,
            ..EndpointSubset::default()
        });
        subsets.len() - 1
    });
    &mut subsets[at]
}

fn by_ip(address: &EndpointAddress) -> (Option<Ipv4Addr>, String, Option<String>) {
    let uid = address.target_ref.as_ref().and_then(|target| target.uid.clone());
    (address.ip.parse().ok(), address.ip.clone(), uid)
}

impl EndpointsController {
    /// The addresses grouped by their ports, ready ones and others, in upstream's order.
    fn subsets(&self, service: &Service, key: &Key) -> Vec<EndpointSubset> {
        let publish = service
            .spec
            .as_ref()
            .and_then(|spec| spec.publish_not_ready_addresses)
            .unwrap_or(false);
        let without_ports = is_headless(service)
            && service
                .spec
                .as_ref()
                .is_none_or(|s| s.ports.as_ref().is_none_or(Vec::is_empty));
        let mut subsets: Vec<EndpointSubset> = Vec::new();
        for pod in self.pods.of(key).filter(|pod| belongs(pod, publish)) {
            let ports = ports(service, pod);
            if ports.is_empty() && !without_ports {
                continue;
            }
            let ports = (!ports.is_empty()).then_some(ports);
            let subset = with_ports(&mut subsets, ports);
            let ready = publish || pod_is_ready(pod);
            let list = if ready {
                &mut subset.addresses
            } else {
                &mut subset.not_ready_addresses
            };
            list.get_or_insert_default().push(address(service, pod));
        }
        for subset in &mut subsets {
            for list in [&mut subset.addresses, &mut subset.not_ready_addresses] {
                list.iter_mut().for_each(|list| list.sort_by_cached_key(by_ip));
            }
        }
        subsets
    }
}

/// Cuts to the most addresses an Endpoints object may have; ready ones stay first.
fn truncate(subsets: &mut [EndpointSubset]) -> bool {
    let len = |list: &Option<Vec<EndpointAddress>>| list.as_ref().map_or(0, Vec::len);
    let ready: usize = subsets.iter().map(|subset| len(&subset.addresses)).sum();
    let others: usize = subsets
        .iter()
        .map(|subset| len(&subset.not_ready_addresses))
        .sum();
    if ready + others <= MAX_ADDRESSES {
        return false;
    }
    let cut_ready = ready > MAX_ADDRESSES;
    let (room, total) = if cut_ready {
        (MAX_ADDRESSES, ready)
    } else {
        (MAX_ADDRESSES - ready, others)
    };
    let mut left = room;
    for subset in subsets {
        let list = if cut_ready {
            &mut subset.addresses
        } else {
            &mut subset.not_ready_addresses
        };
        let share = (len(list) * room).div_ceil(total).min(left);
        list.iter_mut().for_each(|list| list.truncate(share));
        left -= share;
        if cut_ready || share == 0 {
            subset.not_ready_addresses = None;
        }
    }
    true
}

impl Component for EndpointsController {
    fn name(&self) -> &'static str {
        "endpoints"
    }

    fn identity(&self) -> Identity {
        super::identity("endpoint-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::Service, Kind::Pod, Kind::Endpoints]
            .map(Watch::all)
            .to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Endpoints(_) => {
                let service = Key {
                    kind: Kind::Service,
                    ..change.key.clone()
                };
                if caches.get_object(&service).is_some() {
                    dirty.push(service);
                }
            }
            _ => self.pods.observe(caches, change, dirty),
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let known = observed.caches.get::<Endpoints>(&key.namespace, &key.name);
        let Some(service) = observed.caches.by_key::<Service>(key) else {
            if known.is_some() {
                let why = Why::new("endpoints.delete", &[&key.name]);
                let request = Request::delete(
                    Kind::Endpoints,
                    &key.namespace,
                    &key.name,
                    DeleteOptions::default(),
                );
                plan.duties.push(Duty::api(why, request));
            }
            return plan;
        };
        let Some(spec) = &service.spec else { return plan };
        if spec.selector.as_ref().is_none_or(BTreeMap::is_empty)
            || spec.type_.as_deref() == Some("ExternalName")
        {
            return plan;
        }
        let mut subsets = self.subsets(service, key);
        let truncated = truncate(&mut subsets);
        let labels = labels(service);
        let known_annotations = known
            .and_then(|known| known.metadata.annotations.clone())
            .unwrap_or_default();
        let subsets = (!subsets.is_empty()).then_some(subsets);
        let agrees = |known: &Arc<Endpoints>| {
            known.subsets.as_ref().filter(|subsets| !subsets.is_empty()) == subsets.as_ref()
        };
        if let Some(known) = known
            && known.metadata.labels.as_ref() == Some(&labels)
            && agrees(known)
            && known_annotations.contains_key(OVER_CAPACITY) == truncated
        {
            return plan;
        }
        let mut annotations = known_annotations;
        let last = annotations.get(LAST_CHANGE).cloned();
        match trigger_time(service, self.pods.of(key), last.as_deref()) {
            Some(time) => annotations.insert(LAST_CHANGE.to_owned(), time),
            None => annotations.remove(LAST_CHANGE),
        };
        annotations.remove(OVER_CAPACITY);
        if truncated {
            annotations.insert(OVER_CAPACITY.to_owned(), "truncated".to_owned());
        }
        let mut metadata = known
            .map(|known| known.metadata.clone())
            .unwrap_or_else(|| ObjectMeta {
                name: service.metadata.name.clone(),
                namespace: service.metadata.namespace.clone(),
                ..ObjectMeta::default()
            });
        metadata.labels = Some(labels);
        metadata.annotations = (!annotations.is_empty()).then_some(annotations);
        let ready: usize = subsets
            .iter()
            .flatten()
            .map(|subset| subset.addresses.as_ref().map_or(0, Vec::len))
            .sum();
        let why = if known.is_some_and(agrees) {
            Why::new("endpoints.label", &[&key.name])
        } else {
            Why::new("endpoints.write", &[&key.name, &ready.to_string()])
        };
        let wanted = Endpoints { metadata, subsets };
        let (request, reason, verb) = if known.is_some() {
            (Request::update(wanted), "FailedToUpdateEndpoint", "update")
        } else {
            (Request::create(wanted), "FailedToCreateEndpoint", "create")
        };
        let about = Key {
            kind: Kind::Endpoints,
            ..key.clone()
        };
        let message = format!(
            "Failed to {verb} endpoint {}/{}: {{error}}",
            key.namespace, key.name
        );
        plan.duties
            .push(Duty::api(why, request).note(on_failure(&about, reason, message)));
        plan
    }

    fn min_interval(&self) -> Duration {
        super::endpointslice::BATCH_PERIOD
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Service).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::{Value, json};

    fn service() -> Value {
        json!({"metadata": {"name": "web", "namespace": "d", "uid": "s", "labels": {"a": "b"}},
               "spec": {"clusterIP": "10.96.0.9", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}})
    }

    fn pod(name: &str, ip: &str, ready: bool) -> Value {
        json!({"metadata": {"name": name, "namespace": "d", "labels": {"app": "web"}},
               "spec": {"nodeName": "n", "containers": []},
               "status": {"phase": "Running", "podIP": ip, "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}})
    }

    #[test]
    fn writes_ready_and_unready_addresses_in_order() {
        let mut bench = Bench::new(EndpointsController::default());
        bench
            .put(Kind::Service, service())
            .put(Kind::Pod, pod("a", "10.0.0.10", true));
        bench
            .put(Kind::Pod, pod("b", "10.0.0.9", true))
            .put(Kind::Pod, pod("c", "10.0.0.1", false));
        let plan = bench.plan(Kind::Service, "d", "web");
        assert_eq!(verbs(&plan), ["create endpoints web"]);
        let written = body(&plan.duties[0]);
        let ips = |field: &str| -> Vec<Value> {
            written["subsets"][0][field]
                .as_array()
                .unwrap()
                .iter()
                .map(|address| address["ip"].clone())
                .collect()
        };
        assert_eq!(
            (ips("addresses"), ips("notReadyAddresses")),
            (
                vec![json!("10.0.0.9"), json!("10.0.0.10")],
                vec![json!("10.0.0.1")]
            )
        );
        assert_eq!(
            written["metadata"]["labels"],
            json!({"a": "b", "endpoints.kubernetes.io/managed-by": "endpoint-controller"})
        );
        bench.put(Kind::Endpoints, written);
        assert_eq!(bench.plan(Kind::Service, "d", "web").duties, []);
    }

    #[test]
    fn a_list_written_pod_by_pod_is_the_controllers() {
        let mut bench = Bench::new(EndpointsController::default());
        let object = |kind, value| Object::from_value(kind, value).unwrap();
        let service = object(Kind::Service, service());
        let service = service.get::<Service>().unwrap();
        bench.put(Kind::Service, self::service());
        let mut written: Option<Endpoints> = None;
        for (name, ip) in [("a", "10.0.0.10"), ("b", "10.0.0.9")] {
            let mut pod = pod(name, ip, true);
            pod["metadata"]["uid"] = format!("uid-{name}").into();
            bench.put(Kind::Pod, pod.clone());
            let pod = object(Kind::Pod, pod);
            let pod = pod.get::<Pod>().unwrap();
            written = with_pod(written.as_ref(), service, pod);
            assert_eq!(with_pod(written.as_ref(), service, pod), None, "listed already");
        }
        let mut written = written.unwrap();
        bench.put(Kind::Endpoints, Object::from(written.clone()).to_value());
        assert_eq!(bench.plan(Kind::Service, "d", "web").duties, []);
        written.metadata.labels = None;
        bench.put(Kind::Endpoints, Object::from(written).to_value());
        let plan = bench.plan(Kind::Service, "d", "web");
        assert_eq!(plan.duties[0].why.sentence, "endpoints.label");
    }

    #[test]
    fn goes_with_its_service() {
        let mut bench = Bench::new(EndpointsController::default());
        bench.put(Kind::Service, service());
        let empty = body(&bench.plan(Kind::Service, "d", "web").duties[0]);
        assert_eq!(empty.get("subsets"), None);
        bench
            .put(Kind::Endpoints, empty)
            .remove(Kind::Service, "d", "web");
        assert_eq!(
            verbs(&bench.plan(Kind::Service, "d", "web")),
            ["delete endpoints web"]
        );
    }

    #[test]
    fn no_more_than_a_thousand() {
        let mut bench = Bench::new(EndpointsController::default());
        bench.put(Kind::Service, service());
        for nr in 0..1100 {
            bench.put(
                Kind::Pod,
                pod(
                    &format!("p{nr}"),
                    &format!("10.0.{}.{}", nr / 250, nr % 250),
                    nr != 0,
                ),
            );
        }
        let written = body(&bench.plan(Kind::Service, "d", "web").duties[0]);
        assert_eq!(written["subsets"][0]["addresses"].as_array().unwrap().len(), 1000);
        assert_eq!(written["metadata"]["annotations"][OVER_CAPACITY], "truncated");
    }
}
