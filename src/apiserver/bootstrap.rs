//! The objects a fresh API server creates for itself.

use super::ApiServer;
use super::patch::Manager;
use crate::api::Object;
use crate::etcd::Key;
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{
    EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Namespace, NamespaceSpec, NamespaceStatus,
    Service, ServicePort, ServiceSpec,
};
use k8s_openapi::api::discovery::v1::{
    Endpoint, EndpointConditions, EndpointPort as SlicePort, EndpointSlice,
};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::sync::Arc;

/// Where the API server itself listens.
pub const APISERVER_ADDRESS: &str = "192.168.0.2";

/// Writes them straight to the store: there is nobody yet who could ask.
pub(super) fn install(server: &mut ApiServer) {
    for name in ["kube-system", "kube-public", "kube-node-lease", "default"] {
        put(server, namespace(name));
    }
    for (name, value, text) in [
        (
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
        (
            "system-cluster-critical",
            2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
    ] {
        let mut class = PriorityClass {
            value: Some(value),
            description: Some(text.to_owned()),
            preemption_policy: Some("PreemptLowerPriority".to_owned()),
            ..PriorityClass::default()
        };
        class.metadata.name = Some(name.to_owned());
        class.metadata.generation = Some(1);
        put(server, class.into());
    }
    for object in super::authorization::install() {
        put(server, object);
    }
    let _ = server.addresses.take_ip("10.96.0.1", "default/kubernetes");
    let port = i32::from(server.config.secure_port);
    put(server, kubernetes_service(port));
    put(server, kubernetes_endpoints(port));
    put(server, kubernetes_slice(port));
}

fn put(server: &mut ApiServer, mut object: Object) {
    let uid = server.uids.uuid();
    let meta = object.meta_mut();
    meta.uid = Some(uid);
    meta.creation_timestamp = Some(SimTime::ZERO.meta_time());
    let key = Key::of(&object);
    // The store is empty and the names differ.
    if let Ok(created) = server.etcd.create(key, object.clone(), 0) {
        let manager = Manager::new("kube-apiserver", "");
        // What the registry fills in is nobody's.
        match &mut object {
            Object::Namespace(namespace) => Arc::make_mut(namespace).spec = None,
            Object::Service(service) => {
                let spec = Arc::make_mut(service).spec.get_or_insert_default();
                spec.cluster_ips = None;
                spec.ip_families = None;
            }
            _ => {}
        }
        server
            .managers
            .wrote(None, object, &created, manager, SimTime::ZERO);
    }
}

fn namespace(name: &str) -> Object {
    let mut namespace = Namespace {
        spec: Some(NamespaceSpec {
            finalizers: Some(vec!["kubernetes".to_owned()]),
        }),
        status: Some(NamespaceStatus {
            phase: Some("Active".to_owned()),
            ..NamespaceStatus::default()
        }),
        ..Namespace::default()
    };
    namespace.metadata.name = Some(name.to_owned());
    namespace.metadata.labels = Some([("kubernetes.io/metadata.name".to_owned(), name.to_owned())].into());
    namespace.into()
}

fn kubernetes_service(port: i32) -> Object {
    let mut service = Service {
        spec: Some(ServiceSpec {
            cluster_ip: Some("10.96.0.1".to_owned()),
            cluster_ips: Some(vec!["10.96.0.1".to_owned()]),
            internal_traffic_policy: Some("Cluster".to_owned()),
            ip_families: Some(vec!["IPv4".to_owned()]),
            ip_family_policy: Some("SingleStack".to_owned()),
            ports: Some(vec![ServicePort {
                name: Some("https".to_owned()),
                port: 443,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::Int(port)),
                ..ServicePort::default()
            }]),
            session_affinity: Some("None".to_owned()),
            type_: Some("ClusterIP".to_owned()),
            ..ServiceSpec::default()
        }),
        status: Some(Default::default()),
        ..Service::default()
    };
    service.metadata.name = Some("kubernetes".to_owned());
    service.metadata.namespace = Some("default".to_owned());
    service.metadata.labels = Some(
        [("component", "apiserver"), ("provider", "kubernetes")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
    );
    service.into()
}

fn kubernetes_endpoints(port: i32) -> Object {
    let mut endpoints = Endpoints {
        subsets: Some(vec![EndpointSubset {
            addresses: Some(vec![EndpointAddress {
                ip: APISERVER_ADDRESS.to_owned(),
                ..EndpointAddress::default()
            }]),
            ports: Some(vec![EndpointPort {
                name: Some("https".to_owned()),
                port,
                protocol: Some("TCP".to_owned()),
                ..EndpointPort::default()
            }]),
            ..EndpointSubset::default()
        }]),
        ..Endpoints::default()
    };
    endpoints.metadata.name = Some("kubernetes".to_owned());
    endpoints.metadata.namespace = Some("default".to_owned());
    endpoints.metadata.labels = Some(
        [(
            "endpointslice.kubernetes.io/skip-mirror".to_owned(),
            "true".to_owned(),
        )]
        .into(),
    );
    endpoints.into()
}

fn kubernetes_slice(port: i32) -> Object {
    let mut slice = EndpointSlice {
        address_type: "IPv4".to_owned(),
        endpoints: Some(vec![Endpoint {
            addresses: vec![APISERVER_ADDRESS.to_owned()],
            conditions: Some(EndpointConditions {
                ready: Some(true),
                ..EndpointConditions::default()
            }),
            ..Endpoint::default()
        }]),
        ports: Some(vec![SlicePort {
            name: Some("https".to_owned()),
            port: Some(port),
            protocol: Some("TCP".to_owned()),
            ..SlicePort::default()
        }]),
        ..EndpointSlice::default()
    };
    slice.metadata.name = Some("kubernetes".to_owned());
    slice.metadata.namespace = Some("default".to_owned());
    slice.metadata.generation = Some(1);
    slice.metadata.labels = Some([("kubernetes.io/service-name".to_owned(), "kubernetes".to_owned())].into());
    slice.into()
}
