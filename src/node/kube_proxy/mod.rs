//! kube-proxy in IPVS mode: Services and EndpointSlices against this machine's table.
//!
//! Source: pkg/proxy/ipvs/proxier.go and graceful_termination.go of Kubernetes 1.36, where the
//! mode is deprecated. A key is a Service; one more stands for what no Service wants.

mod wanted;
mod words;

use crate::api::sorted::{SortedMap, SortedSet};
pub use words::WORDS;

use super::ipvs::{
    Change as Edit, Forward, Protocol, Server, ServerSettings, Service as Virtual, ServiceKey,
};
use super::{Machine, NodeAction};
use crate::api::{Kind, Object};
use crate::apiserver::Identity;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

/// Source: `--ipvs-min-sync-period`.
const MIN_SYNC_PERIOD: Duration = Duration::from_secs(1);
/// How often a server without new connections is looked at. Source: graceful_termination.go.
const DRAIN_CHECK: Duration = Duration::from_secs(60);
const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MASQ: ServerSettings = ServerSettings {
    forward: Forward::Masq,
    weight: 1,
};
const DRAINING: ServerSettings = ServerSettings {
    forward: Forward::Masq,
    weight: 0,
};

/// The kube-proxy of one machine.
#[derive(Clone, Debug)]
pub struct KubeProxy {
    node: Arc<str>,
    slices: SortedMap<Key, SortedMap<Arc<str>, Arc<EndpointSlice>>>,
}

/// The key that stands for what is in the table and should not be.
fn table_key() -> Key {
    Key::new(Kind::Service, "", "")
}

fn service_of(object: &Object) -> Option<Key> {
    let name = object.meta().labels.as_ref()?.get(SERVICE_NAME)?;
    Some(Key::new(Kind::Service, object.namespace(), name))
}

impl KubeProxy {
    pub fn new(name: &str) -> KubeProxy {
        KubeProxy {
            node: name.into(),
            slices: SortedMap::new(),
        }
    }

    fn edit(&self, sentence: &'static str, args: Vec<Arc<str>>, edit: Edit) -> Duty<NodeAction> {
        Duty::local(Why { sentence, args }, NodeAction::Ipvs(edit))
    }

    /// The edits for one Service.
    fn service_plan(
        &self,
        observed: &Observed<'_, Machine>,
        key: &Key,
        service: &Service,
    ) -> Plan<NodeAction> {
        let mut plan = Plan::default();
        let machine = observed.host;
        let slices = self
            .slices
            .get(key)
            .into_iter()
            .flat_map(|slices| slices.values());
        for want in wanted::wanted(service, slices, &self.node, machine.ip) {
            let known = machine.ipvs().service(&want.service);
            let (service, settings) = (want.service, want.settings);
            let args = || {
                vec![
                    key.name.clone(),
                    Arc::from(format!("{}:{}", service.address, service.port)),
                ]
            };
            match known {
                None => {
                    let edit = Edit::AddService { service, settings };
                    plan.duties
                        .push(self.edit("kube-proxy.add_service", args(), edit));
                }
                Some(known) if known.settings != settings => {
                    let edit = Edit::EditService { service, settings };
                    plan.duties
                        .push(self.edit("kube-proxy.edit_service", args(), edit));
                }
                Some(_) => {}
            }
            for server in want.servers.iter() {
                let edit = match known.and_then(|known| known.server(server)) {
                    None => (
                        "kube-proxy.add_server",
                        Edit::AddServer {
                            service,
                            server: *server,
                            settings: MASQ,
                        },
                    ),
                    Some(known) if known.settings != MASQ => (
                        "kube-proxy.edit_server",
                        Edit::EditServer {
                            service,
                            server: *server,
                            settings: MASQ,
                        },
                    ),
                    Some(_) => continue,
                };
                plan.duties.push(self.edit(
                    edit.0,
                    vec![key.name.clone(), server.to_string().into()],
                    edit.1,
                ));
            }
            if let Some(known) = known {
                for (server, state) in known
                    .servers()
                    .filter(|(server, _)| !want.servers.contains(server))
                {
                    self.remove_server(&key.name, service, server, state, &mut plan);
                }
            }
        }
        plan
    }

    /// A server that should not be there: gone at once, or first without new connections.
    fn remove_server(
        &self,
        name: &Arc<str>,
        service: ServiceKey,
        server: &SocketAddrV4,
        state: &Server,
        plan: &mut Plan<NodeAction>,
    ) {
        let open = state.active_connections() + state.inactive_connections();
        let args = || vec![name.clone(), Arc::from(server.to_string())];
        if open == 0 || service.protocol != Protocol::Tcp {
            let edit = Edit::DeleteServer {
                service,
                server: *server,
            };
            plan.duties
                .push(self.edit("kube-proxy.delete_server", args(), edit));
        } else if state.settings.weight != 0 {
            let edit = Edit::EditServer {
                service,
                server: *server,
                settings: DRAINING,
            };
            plan.duties
                .push(self.edit("kube-proxy.drain_server", args(), edit));
            plan.again_after(DRAIN_CHECK);
        } else {
            plan.again_after(DRAIN_CHECK);
        }
    }

    /// Takes out what no Service wants: addresses of the Service range, and node ports.
    fn table_plan(&self, observed: &Observed<'_, Machine>) -> Plan<NodeAction> {
        let mut plan = Plan::default();
        let machine = observed.host;
        let services = observed.caches.list::<Service>("");
        let wanted: SortedSet<ServiceKey> = services
            .flat_map(|service| wanted::keys(service, machine.ip))
            .collect();
        let ours = |key: &ServiceKey| {
            let octets = key.address.octets();
            (octets[0] == 10 && octets[1] == 96)
                || (key.address == machine.ip && (30_000..=32_767).contains(&key.port))
        };
        let stale = |(key, _): &(&ServiceKey, &Arc<Virtual>)| !wanted.contains(key) && ours(key);
        for (service, _) in machine.ipvs().services().filter(stale) {
            let address = Arc::from(format!("{}:{}", service.address, service.port));
            plan.duties.push(self.edit(
                "kube-proxy.delete_service",
                vec![address],
                Edit::DeleteService { service: *service },
            ));
        }
        plan
    }
}

impl Component<Machine, NodeAction> for KubeProxy {
    fn name(&self) -> &'static str {
        "kube-proxy"
    }

    fn identity(&self) -> Identity {
        Identity::component("system:kube-proxy", &["system:authenticated"], "kube-proxy")
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all(Kind::Service), Watch::all(Kind::EndpointSlice)]
    }

    fn observe(&mut self, _caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Service(_) => dirty.extend([change.key.clone(), table_key()]),
            Object::EndpointSlice(_) => {
                let of = |object: &Option<Object>| object.as_ref().and_then(service_of);
                let (old, new) = (of(&change.old), of(&change.new));
                if let Some(slices) = old
                    .as_ref()
                    .filter(|_| old != new)
                    .and_then(|old| self.slices.get_mut(old))
                {
                    slices.remove(&change.key.name);
                }
                if let (Some(new), Some(Object::EndpointSlice(slice))) = (&new, &change.new) {
                    self.slices
                        .entry(new.clone())
                        .or_default()
                        .insert(change.key.name.clone(), slice.clone());
                }
                if old != new {
                    dirty.extend(old);
                }
                dirty.extend(new);
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_, Machine>, key: &Key) -> Plan<NodeAction> {
        let mut plan = Plan::default();
        let machine = observed.host;
        if !machine.powered() {
            return plan;
        }
        let table = *key == table_key();
        if !machine.ipvs().loaded() {
            if table && !machine.is_doing(&NodeAction::LoadIpvs) {
                plan.duties.push(Duty::local(
                    Why::new("kube-proxy.load", &[&self.node]),
                    NodeAction::LoadIpvs,
                ));
            }
            return plan;
        }
        if table {
            return self.table_plan(observed);
        }
        match observed.caches.by_key::<Service>(key) {
            Some(service) => self.service_plan(observed, key, service),
            None => plan,
        }
    }

    fn min_interval(&self) -> Duration {
        MIN_SYNC_PERIOD
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        let mut keys = vec![table_key()];
        keys.extend(caches.keys(Kind::Service).cloned());
        keys
    }

    fn boxed_clone(&self) -> Box<dyn Component<Machine, NodeAction>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
