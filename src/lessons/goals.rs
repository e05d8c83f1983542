//! Goals: invariants over the cluster. How a person reached one does not matter, and no goal asks
//! for a command, an Event or a text.

use crate::api::sorted::SortedSet;
use k8s_openapi::api::core::v1 as core;

use crate::api::{Kind, Object};
use crate::apiserver::{Subresource, Verb};
use crate::cluster::Cluster;
use crate::etcd::Key;
use crate::seat::Mode;

/// The Service and the label of the story.
const WEB: &str = "web";

/// Whether a scene's goal is met now; `None` if the scene has no goal of that name.
pub fn met(cluster: &Cluster, scene: &str, goal: &str) -> Option<bool> {
    let inazu = cluster.machine("inazu").ok();
    Some(match (scene, goal) {
        ("1-first-day", "desk") => inazu.is_some(),
        ("1-first-day", "network") => inazu.is_some_and(|desk| desk.cni_installed() && desk.ipvs().loaded()),
        ("1-first-day", "registered") => node(cluster, "inazu").is_some(),
        ("2-clocking-in", "ready") => node(cluster, "inazu").is_some_and(is_ready),
        ("2-clocking-in", "silent") => nodes(cluster).any(|node| ready_status(node) == Some("Unknown")),
        ("3-first-job", "bound") => pods(cluster).any(is_bound),
        ("3-first-job", "running") => pods(cluster).any(is_running),
        ("3-first-job", "healed") => pods(cluster).any(|pod| is_running(pod) && restarts(pod) > 0),
        ("4-replicaset", "three") => ready_web(cluster).count() == 3,
        ("4-replicaset", "again") => {
            let replicas = wanted(cluster).unwrap_or(0);
            replicas > 0 && a_pod_was_deleted(cluster) && ready_web(cluster).count() >= replicas
        }
        ("4-replicaset", "fewer") => wanted(cluster) == Some(2) && web(cluster).count() == 2,
        ("5-service", "listed") => {
            let listed = listed(cluster);
            !listed.is_empty() && listed == ready_web(cluster).filter_map(ip).collect()
        }
        ("5-service", "plugged") => {
            let listed = listed(cluster);
            !listed.is_empty()
                && cluster
                    .machines
                    .keys()
                    .all(|desk| plugged(cluster, desk).as_ref() == Some(&listed))
        }
        ("5-service", "answers") => {
            let ip = cluster_ip(cluster);
            let flights = cluster
                .traffic()
                .flights()
                .filter(|flight| flight.trace.answered());
            let to_web =
                flights.filter(|flight| flight.trace.address.map(|address| address.to_string()) == ip);
            to_web
                .filter_map(|flight| flight.trace.server())
                .collect::<SortedSet<_>>()
                .len()
                > 1
        }
        ("6-hand-over", "auto") => cluster.seats().all(|seat| seat.mode == Mode::Autopilot),
        ("6-hand-over", "survived") => {
            let dark = |pod: &core::Pod| {
                let node = pod
                    .spec
                    .as_ref()
                    .and_then(|spec| spec.node_name.as_deref())
                    .unwrap_or("");
                cluster.machine(node).map_or(true, |machine| !machine.reachable())
            };
            let alive = ready_web(cluster).filter(|pod| !dark(pod)).count();
            let replicas = wanted(cluster).unwrap_or(0);
            // What was there stays written down until the desk is back.
            let lost = pods(cluster).any(|pod| is_web(pod) && is_bound(pod) && dark(pod));
            lost && replicas > 0 && alive >= replicas
        }
        _ => return None,
    })
}

fn objects(cluster: &Cluster, kind: Kind) -> impl Iterator<Item = &Object> {
    cluster.api.etcd.range(kind, "").map(|(_, value)| &value.object)
}

fn pods(cluster: &Cluster) -> impl Iterator<Item = &core::Pod> {
    objects(cluster, Kind::Pod).filter_map(|object| object.get::<core::Pod>().map(|pod| &**pod))
}

fn nodes(cluster: &Cluster) -> impl Iterator<Item = &core::Node> {
    objects(cluster, Kind::Node).filter_map(|object| object.get::<core::Node>().map(|node| &**node))
}

fn node<'a>(cluster: &'a Cluster, name: &str) -> Option<&'a core::Node> {
    nodes(cluster).find(|node| node.metadata.name.as_deref() == Some(name))
}

fn ready_status(node: &core::Node) -> Option<&str> {
    let mut conditions = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions
        .find(|condition| condition.type_ == "Ready")
        .map(|condition| condition.status.as_str())
}

fn is_ready(node: &core::Node) -> bool {
    ready_status(node) == Some("True")
}

fn is_bound(pod: &core::Pod) -> bool {
    pod.spec
        .as_ref()
        .and_then(|spec| spec.node_name.as_deref())
        .is_some_and(|node| !node.is_empty())
}

fn is_running(pod: &core::Pod) -> bool {
    let mut containers = pod
        .status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten());
    containers.any(|container| {
        container
            .state
            .as_ref()
            .is_some_and(|state| state.running.is_some())
    })
}

fn restarts(pod: &core::Pod) -> i32 {
    pod.status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten())
        .map(|container| container.restart_count)
        .sum()
}

fn ip(pod: &core::Pod) -> Option<String> {
    pod.status.as_ref()?.pod_ip.clone()
}

fn is_web(pod: &core::Pod) -> bool {
    let label = pod.metadata.labels.as_ref().and_then(|labels| labels.get("app"));
    label.is_some_and(|app| app == WEB)
}

/// Pods with `app=web` that are not on their way out.
fn web(cluster: &Cluster) -> impl Iterator<Item = &core::Pod> {
    pods(cluster).filter(|pod| is_web(pod) && pod.metadata.deletion_timestamp.is_none())
}

fn ready_web(cluster: &Cluster) -> impl Iterator<Item = &core::Pod> {
    web(cluster).filter(|pod| {
        let mut conditions = pod
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten());
        conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
    })
}

/// `spec.replicas` of the first ReplicaSet whose template is `app=web`.
fn wanted(cluster: &Cluster) -> Option<usize> {
    let mut sets = objects(cluster, Kind::ReplicaSet)
        .filter_map(|object| object.get::<k8s_openapi::api::apps::v1::ReplicaSet>());
    sets.find_map(|set| {
        let spec = set.spec.as_ref()?;
        let labels = spec.template.as_ref()?.metadata.as_ref()?.labels.as_ref()?;
        (labels.get("app").is_some_and(|app| app == WEB)).then(|| spec.replicas.unwrap_or(1).max(0) as usize)
    })
}

fn a_pod_was_deleted(cluster: &Cluster) -> bool {
    cluster.api.log.recent().take(2_000).any(|entry| {
        let deletes = matches!(entry.verb, Verb::Delete | Verb::DeleteCollection);
        deletes && entry.kind == Kind::Pod && entry.subresource == Subresource::None && !entry.refused()
    })
}

fn cluster_ip(cluster: &Cluster) -> Option<String> {
    let service = cluster.api.etcd.get(&Key::new(Kind::Service, "default", WEB))?;
    service
        .object
        .get::<core::Service>()?
        .spec
        .as_ref()?
        .cluster_ip
        .clone()
}

/// The addresses in the Endpoints of the Service.
fn listed(cluster: &Cluster) -> SortedSet<String> {
    let endpoints = cluster.api.etcd.get(&Key::new(Kind::Endpoints, "default", WEB));
    let endpoints = endpoints.and_then(|value| value.object.get::<core::Endpoints>());
    let subsets = endpoints
        .iter()
        .flat_map(|endpoints| endpoints.subsets.iter().flatten());
    subsets
        .flat_map(|subset| subset.addresses.iter().flatten())
        .map(|address| address.ip.clone())
        .collect()
}

/// The addresses behind the Service on a desk's switchboard.
fn plugged(cluster: &Cluster, desk: &str) -> Option<SortedSet<String>> {
    let ip = cluster_ip(cluster)?;
    let machine = cluster.machine(desk).ok()?;
    let services = machine
        .ipvs()
        .services()
        .filter(|(key, _)| key.address.to_string() == ip);
    Some(
        services
            .flat_map(|(_, service)| service.servers().map(|(address, _)| address.ip().to_string()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Preset, Setup};

    #[test]
    fn every_goal_is_known_and_none_is_met_in_an_empty_office() {
        let empty = Cluster::new(Setup {
            preset: Preset::CompanyX,
            ..Setup::default()
        });
        for scene in super::super::story() {
            for goal in &scene.text("en").goals {
                assert_eq!(
                    met(&empty, scene.id, &goal.id),
                    Some(false),
                    "{} {}",
                    scene.id,
                    goal.id
                );
            }
        }
        assert_eq!(met(&empty, "3-first-job", "moon"), None);
    }

    #[test]
    fn the_first_day_by_hand() {
        let mut office = Cluster::new(Setup {
            preset: Preset::Autopilot,
            ..Setup::default()
        });
        office.add_desk("inazu").unwrap();
        assert_eq!(met(&office, "1-first-day", "desk"), Some(true));
        assert_eq!(met(&office, "1-first-day", "registered"), Some(false));
        office.advance(std::time::Duration::from_secs(30));
        assert_eq!(met(&office, "1-first-day", "network"), Some(true));
        assert_eq!(met(&office, "2-clocking-in", "ready"), Some(true));
        office.unplug("inazu").unwrap();
        office.advance(std::time::Duration::from_secs(90));
        assert_eq!(met(&office, "2-clocking-in", "silent"), Some(true));
    }
}
