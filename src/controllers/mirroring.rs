//! Copies Endpoints that somebody wrote for a Service without selector into EndpointSlices.
//!
//! Source: pkg/controller/endpointslicemirroring.

use super::selected::{LAST_CHANGE, MANAGED_BY, SERVICE_NAME};
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, Request};
use crate::client::helpers::{Labels, controller_ref};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use k8s_openapi::api::core::v1::{EndpointAddress, EndpointSubset, Endpoints, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeMap;
use std::sync::Arc;

const CONTROLLER: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";
/// Source: `--mirroring-max-endpoints-per-subset`.
const MAX_PER_SUBSET: usize = 1000;

/// The endpointslice mirroring controller.
#[derive(Clone, Debug, Default)]
pub struct Mirroring;

fn is_mirrored(endpoints: &Endpoints, service: Option<&Arc<Service>>) -> bool {
    let meta = &endpoints.metadata;
    let spec = service.and_then(|service| service.spec.as_ref());
    spec.is_some_and(|spec| spec.selector.as_ref().is_none_or(BTreeMap::is_empty))
        && meta
            .labels
            .as_ref()
            .and_then(|labels| labels.get(SKIP))
            .map(String::as_str)
            != Some("true")
        && meta
            .annotations
            .as_ref()
            .is_none_or(|annotations| !annotations.contains_key(LEADER))
}

fn endpoint(address: &EndpointAddress, ready: bool) -> Endpoint {
    Endpoint {
        addresses: vec![address.ip.clone()],
        conditions: Some(EndpointConditions {
            ready: Some(ready),
            ..EndpointConditions::default()
        }),
        hostname: address.hostname.clone(),
        node_name: address.node_name.clone(),
        target_ref: address.target_ref.clone(),
        ..Endpoint::default()
    }
}

fn slice(meta: &ObjectMeta, subset: &EndpointSubset) -> EndpointSlice {
    let ready = subset
        .addresses
        .iter()
        .flatten()
        .map(|address| endpoint(address, true));
    let others = subset
        .not_ready_addresses
        .iter()
        .flatten()
        .map(|address| endpoint(address, false));
    let port = |port: &k8s_openapi::api::core::v1::EndpointPort| EndpointPort {
        name: Some(port.name.clone().unwrap_or_default()),
        port: Some(port.port),
        protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
        app_protocol: port.app_protocol.clone(),
    };
    EndpointSlice {
        metadata: meta.clone(),
        address_type: "IPv4".to_owned(),
        endpoints: Some(ready.chain(others).take(MAX_PER_SUBSET).collect()),
        ports: Some(subset.ports.iter().flatten().map(port).collect()),
    }
}

impl Component for Mirroring {
    fn name(&self) -> &'static str {
        "endpointslice-mirroring"
    }

    fn identity(&self) -> Identity {
        super::identity("endpointslicemirroring-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::Endpoints, Kind::Service, Kind::EndpointSlice]
            .map(Watch::all)
            .to_vec()
    }

    fn observe(&mut self, _caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        let key = |name: &Arc<str>| Key {
            kind: Kind::Endpoints,
            namespace: change.key.namespace.clone(),
            name: name.clone(),
        };
        match change.object() {
            Object::Endpoints(_) | Object::Service(_) => dirty.push(key(&change.key.name)),
            Object::EndpointSlice(slice) => {
                let labels = slice.metadata.labels.as_ref();
                if labels
                    .and_then(|labels| labels.get(MANAGED_BY))
                    .is_some_and(|by| by == CONTROLLER)
                    && let Some(name) = labels.and_then(|labels| labels.get(SERVICE_NAME))
                {
                    dirty.push(key(&name.as_str().into()));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let caches = observed.caches;
        let mine = |slice: &&Arc<EndpointSlice>| {
            let label = |name: &str| slice.metadata.labels.as_ref().and_then(|labels| labels.get(name));
            label(MANAGED_BY).is_some_and(|by| by == CONTROLLER)
                && label(SERVICE_NAME).is_some_and(|of| **of == *key.name)
        };
        let mut known: Vec<&Arc<EndpointSlice>> = caches
            .list::<EndpointSlice>(&key.namespace)
            .filter(mine)
            .collect();
        let service = caches.get::<Service>(&key.namespace, &key.name);
        let endpoints = caches
            .by_key::<Endpoints>(key)
            .filter(|endpoints| is_mirrored(endpoints, service));
        if let Some(endpoints) = endpoints {
            let mut labels: Labels = endpoints.metadata.labels.clone().unwrap_or_default();
            labels.insert(SERVICE_NAME.to_owned(), key.name.to_string());
            labels.insert(MANAGED_BY.to_owned(), CONTROLLER.to_owned());
            let mut annotations = endpoints.metadata.annotations.clone().unwrap_or_default();
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            annotations.remove(LAST_CHANGE);
            let meta = ObjectMeta {
                generate_name: Some(format!("{}-", key.name)),
                namespace: endpoints.metadata.namespace.clone(),
                labels: Some(labels),
                annotations: (!annotations.is_empty()).then_some(annotations),
                owner_references: Some(vec![controller_ref(Kind::Endpoints, &endpoints.metadata)]),
                ..ObjectMeta::default()
            };
            for subset in endpoints.subsets.iter().flatten() {
                let wanted = slice(&meta, subset);
                // A slice of the same ports is kept and brought up to date.
                let at = known.iter().position(|known| known.ports == wanted.ports);
                match at.map(|at| known.remove(at)) {
                    None => plan.duties.push(Duty::api(
                        Why::new("mirroring.create", &[&key.name]),
                        Request::create(wanted),
                    )),
                    Some(own)
                        if own.endpoints != wanted.endpoints
                            || own.metadata.labels != wanted.metadata.labels =>
                    {
                        let mut updated = (**own).clone();
                        updated.endpoints = wanted.endpoints;
                        updated.metadata.labels = wanted.metadata.labels;
                        plan.duties.push(Duty::api(
                            Why::new("mirroring.update", &[&key.name]),
                            Request::update(updated),
                        ));
                    }
                    Some(_) => {}
                }
            }
        }
        for slice in known {
            let name = slice.metadata.name.as_deref().unwrap_or("");
            let request = Request::delete(
                Kind::EndpointSlice,
                &key.namespace,
                name,
                DeleteOptions::default(),
            );
            plan.duties.push(Duty::api(
                Why::new("mirroring.delete", &[&key.name, name]),
                request,
            ));
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Endpoints).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::json;

    #[test]
    fn mirrors_only_what_nobody_else_does() {
        let mut bench = Bench::new(Mirroring);
        bench.put(Kind::Endpoints, json!({"metadata": {"name": "web", "namespace": "d"}, "subsets": [
            {"addresses": [{"ip": "10.0.0.1"}], "notReadyAddresses": [{"ip": "10.0.0.2"}], "ports": [{"port": 80}]}]}));
        assert_eq!(bench.plan(Kind::Endpoints, "d", "web").duties, []);
        bench.put(
            Kind::Service,
            json!({"metadata": {"name": "web", "namespace": "d"}, "spec": {"clusterIP": "10.96.0.9"}}),
        );
        let plan = bench.plan(Kind::Endpoints, "d", "web");
        assert_eq!(verbs(&plan), ["create endpointslices web-"]);
        let mut slice = body(&plan.duties[0]);
        assert_eq!(slice["endpoints"][1]["conditions"], json!({"ready": false}));
        slice["metadata"]["name"] = json!("web-1");
        bench.put(Kind::EndpointSlice, slice);
        assert_eq!(bench.plan(Kind::Endpoints, "d", "web").duties, []);
        bench.put(
            Kind::Service,
            json!({"metadata": {"name": "web", "namespace": "d"}, "spec": {"selector": {"a": "b"}}}),
        );
        assert_eq!(
            verbs(&bench.plan(Kind::Endpoints, "d", "web")),
            ["delete endpointslices web-1"]
        );
    }
}
