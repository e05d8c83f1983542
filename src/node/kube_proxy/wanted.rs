//! The virtual services a Service wants on a machine, and their real servers.
//!
//! Source: pkg/proxy/topology.go (`CategorizeEndpoints`), pkg/proxy/ipvs/proxier.go.

use crate::api::sorted::SortedSet;
use crate::node::ipvs::{Protocol, Scheduler, ServiceKey, ServiceSettings};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

/// Source: `DefaultClientIPServiceAffinitySeconds`.
const AFFINITY_SECONDS: i32 = 10_800;

/// One virtual service and its servers.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub service: ServiceKey,
    pub settings: ServiceSettings,
    pub servers: Arc<SortedSet<SocketAddrV4>>,
}

fn address(text: Option<&str>) -> Option<Ipv4Addr> {
    text?.parse().ok()
}

/// The virtual addresses of a port, each with whether it is for traffic from outside.
fn addresses(
    service: &Service,
    spec: &ServiceSpec,
    port: &ServicePort,
    node_ip: Ipv4Addr,
) -> Vec<(Ipv4Addr, u16, bool)> {
    let number = |number: i32| u16::try_from(number).ok().filter(|number| *number > 0);
    let mut all = Vec::new();
    let Some(own) = number(port.port) else { return all };
    all.extend(address(spec.cluster_ip.as_deref()).map(|ip| (ip, own, false)));
    for ip in spec.external_ips.iter().flatten() {
        all.extend(address(Some(ip)).map(|ip| (ip, own, true)));
    }
    let status = service
        .status
        .as_ref()
        .and_then(|status| status.load_balancer.as_ref());
    for ingress in status.iter().flat_map(|status| status.ingress.iter().flatten()) {
        all.extend(address(ingress.ip.as_deref()).map(|ip| (ip, own, true)));
    }
    if matches!(spec.type_.as_deref(), Some("NodePort" | "LoadBalancer"))
        && let Some(node_port) = port.node_port.and_then(number)
    {
        all.push((node_ip, node_port, true));
    }
    all
}

fn is(
    endpoint: &Endpoint,
    of: fn(&k8s_openapi::api::discovery::v1::EndpointConditions) -> Option<bool>,
    unset: bool,
) -> bool {
    endpoint.conditions.as_ref().and_then(of).unwrap_or(unset)
}

/// The servers of one port: those that are ready; if there are none, those that still serve while
/// they terminate.
fn servers<'a>(
    slices: impl Iterator<Item = &'a Arc<EndpointSlice>> + Clone,
    port: &ServicePort,
    local_to: Option<&str>,
) -> SortedSet<SocketAddrV4> {
    let name = port.name.as_deref().unwrap_or("");
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    let choose = |ready: bool| -> SortedSet<SocketAddrV4> {
        let mut chosen = SortedSet::new();
        for slice in slices.clone().filter(|slice| slice.address_type == "IPv4") {
            let same = |own: &&k8s_openapi::api::discovery::v1::EndpointPort| {
                own.name.as_deref().unwrap_or("") == name
                    && own.protocol.as_deref().unwrap_or("TCP") == protocol
            };
            let number = slice
                .ports
                .iter()
                .flatten()
                .find(same)
                .and_then(|own| u16::try_from(own.port?).ok());
            let Some(number) = number else { continue };
            for endpoint in slice.endpoints.iter().flatten() {
                let wanted = if ready {
                    is(endpoint, |conditions| conditions.ready, true)
                } else {
                    is(endpoint, |conditions| conditions.serving, true)
                        && is(endpoint, |conditions| conditions.terminating, false)
                };
                let here = local_to.is_none_or(|node| endpoint.node_name.as_deref() == Some(node));
                if wanted && here {
                    let first = endpoint.addresses.first();
                    chosen.extend(
                        first
                            .and_then(|ip| ip.parse().ok())
                            .map(|ip| SocketAddrV4::new(ip, number)),
                    );
                }
            }
        }
        chosen
    };
    let ready = choose(true);
    if ready.is_empty() { choose(false) } else { ready }
}

/// Whether kube-proxy has anything to do with a Service.
pub fn is_proxied(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    spec.is_some_and(|spec| {
        spec.type_.as_deref() != Some("ExternalName")
            && !matches!(spec.cluster_ip.as_deref(), None | Some("" | "None"))
    })
}

/// Everything a Service wants on the machine `node`, in ipvsadm's order of a port's addresses.
pub fn wanted<'a>(
    service: &Service,
    slices: impl Iterator<Item = &'a Arc<EndpointSlice>> + Clone,
    node: &str,
    node_ip: Ipv4Addr,
) -> Vec<Wanted> {
    let mut all = Vec::new();
    let Some(spec) = service.spec.as_ref().filter(|_| is_proxied(service)) else {
        return all;
    };
    let mut settings = ServiceSettings::new(Scheduler::Rr);
    if spec.session_affinity.as_deref() == Some("ClientIP") {
        let config = spec
            .session_affinity_config
            .as_ref()
            .and_then(|config| config.client_ip.as_ref());
        let seconds = config
            .and_then(|client| client.timeout_seconds)
            .unwrap_or(AFFINITY_SECONDS);
        settings.persistent_seconds = Some(seconds.max(0) as u32);
    }
    for port in spec.ports.iter().flatten() {
        let Some(protocol) = Protocol::from_name(port.protocol.as_deref().unwrap_or("TCP")) else {
            continue;
        };
        let policy = |policy: &Option<String>| (policy.as_deref() == Some("Local")).then_some(node);
        let (inside, outside) = (
            policy(&spec.internal_traffic_policy),
            policy(&spec.external_traffic_policy),
        );
        let inner = Arc::new(servers(slices.clone(), port, inside));
        let outer = if inside == outside {
            inner.clone()
        } else {
            Arc::new(servers(slices.clone(), port, outside))
        };
        for (address, number, external) in addresses(service, spec, port, node_ip) {
            let servers = if external { outer.clone() } else { inner.clone() };
            all.push(Wanted {
                service: ServiceKey {
                    protocol,
                    address,
                    port: number,
                },
                settings,
                servers,
            });
        }
    }
    all
}

/// The virtual services a Service wants, without looking for servers.
pub fn keys(service: &Service, node_ip: Ipv4Addr) -> Vec<ServiceKey> {
    let Some(spec) = service.spec.as_ref().filter(|_| is_proxied(service)) else {
        return Vec::new();
    };
    let ports = spec.ports.iter().flatten();
    ports
        .filter_map(|port| {
            Some((
                port,
                Protocol::from_name(port.protocol.as_deref().unwrap_or("TCP"))?,
            ))
        })
        .flat_map(|(port, protocol)| {
            let key = move |(address, port, _)| ServiceKey {
                protocol,
                address,
                port,
            };
            addresses(service, spec, port, node_ip).into_iter().map(key)
        })
        .collect()
}
