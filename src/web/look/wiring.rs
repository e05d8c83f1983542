//! Lines for the two gestures between a Pod and a packet: a Pod onto a Service's Endpoints, an
//! address onto a switchboard.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::api::{Kind, Object};
use crate::apiserver::{Body, Request, Verb};
use crate::cluster::Cluster;
use crate::controllers::endpoints::with_pod;
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

/// The line that adds a Pod's address to an Endpoints object; `None` if the Pod is in another
/// namespace, has no address yet, or is listed already.
pub fn add_endpoint(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    pod_namespace: &str,
    pod_name: &str,
) -> Option<String> {
    let stored = |kind, name| Some(&cluster.api.etcd.get(&Key::new(kind, namespace, name))?.object);
    let pod = stored(Kind::Pod, pod_name)?.get::<core::Pod>()?;
    let known = stored(Kind::Endpoints, name).and_then(|object| object.get::<core::Endpoints>());
    let service = service(cluster, namespace, name)?;
    if namespace != pod_namespace {
        return None;
    }
    let written = with_pod(known.map(|known| &**known), service, pod)?;
    let verb = if known.is_some() {
        Verb::Update
    } else {
        Verb::Create
    };
    Some(commands::api_line(&Request::new(
        verb,
        Kind::Endpoints,
        namespace,
        name,
        Body::Object(Object::from(written)),
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
