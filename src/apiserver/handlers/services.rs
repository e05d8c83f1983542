//! Addresses and ports of Services.
//!
//! Source: k8s.io/kubernetes/pkg/registry/core/service/storage/alloc.go.

use super::super::ApiServer;
use crate::api::validation::FieldError;
use crate::api::validation::field::{Json, Path, Raw};
use crate::api::{Kind, Object, Status};
use k8s_openapi::api::core::v1::{Service, ServicePort};

impl ApiServer {
    /// Gives a Service the addresses and node ports its type needs, and takes back those it no
    /// longer needs. Nothing stays taken when it is refused.
    pub(super) fn allocate(&mut self, service: &mut Service, old: Option<&Service>) -> Result<(), Status> {
        let owner = owner(service);
        let name = service.metadata.name.clone().unwrap_or_default();
        let taken_before = self.addresses.clone();
        let outcome = self
            .allocate_ip(service, old, &owner)
            .and_then(|()| self.allocate_ports(service, old, &owner));
        outcome.map_err(|error| {
            self.addresses = taken_before;
            Status::invalid(Kind::Service.info(), &name, vec![error])
        })
    }

    fn allocate_ip(
        &mut self,
        service: &mut Service,
        old: Option<&Service>,
        owner: &str,
    ) -> Result<(), FieldError> {
        let Some(spec) = service.spec.as_mut() else {
            return Ok(());
        };
        let old_ip = old
            .and_then(|old| old.spec.as_ref())
            .and_then(|spec| spec.cluster_ip.clone());
        if spec.type_.as_deref() == Some("ExternalName") {
            if let Some(ip) = old_ip {
                self.addresses.release_ip(&ip, owner);
            }
            (
                spec.cluster_ip,
                spec.cluster_ips,
                spec.ip_families,
                spec.ip_family_policy,
            ) = (None, None, None, None);
            return Ok(());
        }
        let root = Path::root("spec");
        let cluster_ips = root.child("clusterIPs");
        // An update that leaves the address out keeps it.
        if spec.cluster_ip.as_deref().is_none_or(str::is_empty) {
            spec.cluster_ip = old_ip.filter(|ip| !ip.is_empty());
        }
        match spec.cluster_ip.as_deref() {
            None | Some("") => match self.addresses.next_ip(owner) {
                Some(ip) => spec.cluster_ip = Some(ip),
                None => {
                    return Err(FieldError::invalid(
                        &cluster_ips,
                        Json(Vec::<String>::new()),
                        "failed to allocate a serviceIP: range is full",
                    ));
                }
            },
            Some("None") => {}
            Some(ip) => {
                let ip = ip.to_owned();
                self.addresses
                    .take_ip(&ip, owner)
                    .map_err(|why| FieldError::invalid(&cluster_ips, Json(vec![ip]), why))?;
            }
        }
        spec.cluster_ips = spec.cluster_ip.clone().map(|ip| vec![ip]);
        spec.ip_families.get_or_insert_with(|| vec!["IPv4".to_owned()]);
        spec.ip_family_policy
            .get_or_insert_with(|| "SingleStack".to_owned());
        Ok(())
    }

    fn allocate_ports(
        &mut self,
        service: &mut Service,
        old: Option<&Service>,
        owner: &str,
    ) -> Result<(), FieldError> {
        let Some(spec) = service.spec.as_mut() else {
            return Ok(());
        };
        let old_ports: Vec<ServicePort> = old
            .and_then(|old| old.spec.as_ref())
            .and_then(|spec| spec.ports.clone())
            .unwrap_or_default();
        let wants_ports = match spec.type_.as_deref() {
            Some("NodePort") => true,
            Some("LoadBalancer") => spec.allocate_load_balancer_node_ports != Some(false),
            _ => false,
        };
        for (index, port) in spec.ports.iter_mut().flatten().enumerate() {
            let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
            if !wants_ports {
                continue;
            }
            if port.node_port.unwrap_or(0) == 0 {
                port.node_port = old_ports
                    .iter()
                    .find(|old| old.port == port.port && old.protocol == port.protocol)
                    .and_then(|old| old.node_port)
                    .or_else(|| self.addresses.next_port(&protocol, owner));
            }
            if let Some(number) = port.node_port {
                self.addresses
                    .take_port(number, &protocol, owner)
                    .map_err(|why| {
                        FieldError::invalid(
                            &Path::root("spec").child("ports").index(index).child("nodePort"),
                            Raw(number.to_string()),
                            why,
                        )
                    })?;
            }
        }
        for old in old_ports {
            let Some(number) = old.node_port else { continue };
            let kept = spec
                .ports
                .iter()
                .flatten()
                .any(|port| port.node_port == Some(number) && port.protocol == old.protocol);
            if !kept {
                self.addresses
                    .release_port(number, old.protocol.as_deref().unwrap_or("TCP"), owner);
            }
        }
        Ok(())
    }

    /// Takes back what a removed object held.
    pub(super) fn release(&mut self, object: &Object) {
        let Object::Service(service) = object else { return };
        let owner = owner(service);
        let Some(spec) = service.spec.as_ref() else { return };
        if let Some(ip) = &spec.cluster_ip {
            self.addresses.release_ip(ip, &owner);
        }
        for port in spec.ports.iter().flatten() {
            if let Some(number) = port.node_port {
                self.addresses
                    .release_port(number, port.protocol.as_deref().unwrap_or("TCP"), &owner);
            }
        }
    }
}

/// A Service is known to the allocator by its uid: a new one of the same name is another one.
fn owner(service: &Service) -> String {
    service.metadata.uid.clone().unwrap_or_default()
}
