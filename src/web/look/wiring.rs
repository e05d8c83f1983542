//! Lines for the two gestures between a Pod and a packet: a Pod onto a Service's Endpoints, an
//! address onto a switchboard.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::api::{Kind, Object};
use crate::apiserver::{Body, Request, Verb};
use crate::cluster::Cluster;
use crate::etcd::Key;
use crate::shell::commands;

fn service<'a>(cluster: &'a Cluster, namespace: &str, name: &str) -> Option<&'a core::Service> {
    match cluster
        .api
        .etcd
        .get(&Key::new(Kind::Service, namespace, name))
        .map(|value| &value.object)
    {
        Some(Object::Service(service)) => Some(service),
        _ => None,
    }
}

/// The number a Service's port leads to on a Pod.
fn target(port: &core::ServicePort, pod: &core::Pod) -> i32 {
    match &port.target_port {
        Some(IntOrString::Int(number)) if *number > 0 => *number,
        Some(IntOrString::String(name)) => {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
            ports
                .find(|known| known.name.as_deref() == Some(name))
                .map_or(port.port, |known| known.container_port)
        }
        _ => port.port,
    }
}

/// The line that adds a Pod's address to an Endpoints object; `None` if the Pod is in another
/// namespace, has no address yet, or is listed already.
pub fn add_endpoint(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    pod_namespace: &str,
    pod_name: &str,
) -> Option<String> {
    let Object::Pod(pod) = &cluster
        .api
        .etcd
        .get(&Key::new(Kind::Pod, pod_namespace, pod_name))?
        .object
    else {
        return None;
    };
    let ip = pod.status.as_ref()?.pod_ip.clone().filter(|ip| !ip.is_empty())?;
    if namespace != pod_namespace {
        return None;
    }
    let known = match cluster
        .api
        .etcd
        .get(&Key::new(Kind::Endpoints, namespace, name))
        .map(|value| &value.object)
    {
        Some(Object::Endpoints(endpoints)) => Some((**endpoints).clone()),
        _ => None,
    };
    let verb = if known.is_some() {
        Verb::Update
    } else {
        Verb::Create
    };
    let mut endpoints = known.unwrap_or_default();
    endpoints.metadata.name = Some(name.to_string());
    endpoints.metadata.namespace = Some(namespace.to_string());
    endpoints.metadata.managed_fields = None;
    let subsets = endpoints.subsets.get_or_insert_default();
    if subsets
        .iter()
        .flat_map(|subset| subset.addresses.iter().flatten())
        .any(|address| address.ip == ip)
    {
        return None;
    }
    for subset in subsets.iter_mut() {
        if let Some(waiting) = &mut subset.not_ready_addresses {
            waiting.retain(|address| address.ip != ip);
        }
    }
    let address = core::EndpointAddress {
        ip,
        node_name: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        target_ref: Some(core::ObjectReference {
            kind: Some("Pod".into()),
            namespace: Some(namespace.to_string()),
            name: Some(pod_name.to_string()),
            uid: pod.metadata.uid.clone(),
            ..Default::default()
        }),
        ..Default::default()
    };
    match subsets.first_mut() {
        Some(subset) => subset.addresses.get_or_insert_default().push(address),
        None => {
            let ports = service(cluster, namespace, name)
                .and_then(|service| service.spec.as_ref()?.ports.clone())
                .unwrap_or_default();
            let ports = ports.iter().map(|port| core::EndpointPort {
                name: port.name.clone(),
                port: target(port, pod),
                protocol: port.protocol.clone(),
                ..Default::default()
            });
            subsets.push(core::EndpointSubset {
                addresses: Some(vec![address]),
                ports: Some(ports.collect()),
                ..Default::default()
            });
        }
    }
    let object = Object::from(endpoints);
    Some(commands::api_line(&Request::new(
        verb,
        Kind::Endpoints,
        namespace,
        name,
        Body::Object(object),
    )))
}

/// The line that puts an address into a desk's switchboard, below its Service's virtual server,
/// which comes first if it is not there. `None` if the Service has no cluster IP.
pub fn add_rule(cluster: &Cluster, namespace: &str, name: &str, address: &str, desk: &str) -> Option<String> {
    let spec = service(cluster, namespace, name)?.spec.as_ref()?;
    let cluster_ip = spec
        .cluster_ip
        .as_deref()
        .filter(|ip| !ip.is_empty() && *ip != "None")?;
    let wanted: Option<i32> = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let ports = spec.ports.as_deref().unwrap_or_default();
    let leads_there = |port: &&core::ServicePort| matches!(port.target_port, Some(IntOrString::Int(number)) if Some(number) == wanted);
    let port = ports.iter().find(leads_there).or(ports.first())?;
    let option = if port.protocol.as_deref() == Some("UDP") {
        "-u"
    } else {
        "-t"
    };
    let at = format!("{option} {cluster_ip}:{}", port.port);
    let rule = format!("ssh {desk} ipvsadm -a {at} -r {address} -m");
    let machine = cluster.machine(desk).ok()?;
    let there = machine.ipvs().services().any(|(key, _)| key.to_string() == at);
    Some(if there {
        rule
    } else {
        format!("ssh {desk} ipvsadm -A {at} -s rr && {rule}")
    })
}
