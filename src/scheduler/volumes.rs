//! The VolumeBinding plugin, as far as claims and volumes without storage classes of a cloud go.
//!
//! Source: pkg/scheduler/framework/plugins/volumebinding.

use super::filter::Rejection;
use super::info::{NodeInfo, PodInfo};
use super::resources::value;
use super::terms::node_term_matches;
use crate::api::order::StableSort;
use crate::client::Caches;
use crate::client::helpers::selector_matches;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use std::sync::Arc;

pub const NAME: &str = "VolumeBinding";

/// The claims of a Pod.
#[derive(Debug)]
pub struct Volumes<'a> {
    bound: Vec<&'a Arc<PersistentVolume>>,
    /// Claims that wait for their first consumer, with the volumes that could serve them,
    /// smallest first.
    waiting: Vec<(
        &'a Arc<PersistentVolumeClaim>,
        Vec<&'a Arc<PersistentVolume>>,
        bool,
    )>,
}

fn class_of<'a>(caches: &'a Caches, claim: &PersistentVolumeClaim) -> Option<&'a Arc<StorageClass>> {
    let name = claim.spec.as_ref()?.storage_class_name.as_deref()?;
    caches.get::<StorageClass>("", name)
}

/// Whether a volume could be bound to a claim: class, modes, selector and size.
pub fn volume_serves(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let (Some(offered), Some(wanted)) = (&volume.spec, &claim.spec) else {
        return false;
    };
    let request = wanted
        .resources
        .as_ref()
        .and_then(|resources| resources.requests.as_ref()?.get("storage"));
    let capacity = offered
        .capacity
        .as_ref()
        .and_then(|capacity| capacity.get("storage"));
    let size = |quantity: Option<&k8s_openapi::apimachinery::pkg::api::resource::Quantity>| {
        quantity.map_or(0, |q| value(&q.0))
    };
    let class = |name: &Option<String>| name.clone().unwrap_or_default();
    let mode = |mode: &Option<String>| mode.clone().unwrap_or_else(|| "Filesystem".to_owned());
    let modes = offered.access_modes.as_deref().unwrap_or_default();
    class(&offered.storage_class_name) == class(&wanted.storage_class_name)
        && mode(&offered.volume_mode) == mode(&wanted.volume_mode)
        && wanted
            .access_modes
            .iter()
            .flatten()
            .all(|mode| modes.contains(mode))
        && size(capacity) >= size(request)
        && volume.metadata.deletion_timestamp.is_none()
        && wanted
            .selector
            .as_ref()
            .is_none_or(|s| selector_matches(s, volume.metadata.labels.as_ref()))
}

fn is_free(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let status = volume.status.as_ref().and_then(|status| status.phase.as_deref());
    match volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) {
        None => status == Some("Available"),
        Some(reserved) => {
            reserved.name == claim.metadata.name
                && reserved.namespace == claim.metadata.namespace
                && reserved
                    .uid
                    .as_ref()
                    .is_none_or(|uid| Some(uid) == claim.metadata.uid.as_ref())
        }
    }
}

impl<'a> Volumes<'a> {
    /// None for a Pod without claims; the error is for all nodes.
    pub fn new(caches: &'a Caches, pod: &PodInfo) -> Result<Option<Volumes<'a>>, String> {
        let volumes = pod.pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
        let pod_name = pod.pod.metadata.name.as_deref().unwrap_or("");
        let mut found = Volumes {
            bound: Vec::new(),
            waiting: Vec::new(),
        };
        let mut any = false;
        for volume in volumes.into_iter().flatten() {
            let generated = format!("{pod_name}-{}", volume.name);
            let name = match (&volume.persistent_volume_claim, &volume.ephemeral) {
                (Some(claim), _) => claim.claim_name.as_str(),
                (None, Some(_)) => &generated,
                (None, None) => continue,
            };
            any = true;
            let Some(claim) = caches.get::<PersistentVolumeClaim>(&pod.key.namespace, name) else {
                return Err(format!("persistentvolumeclaim \"{name}\" not found"));
            };
            if claim.metadata.deletion_timestamp.is_some() {
                return Err(format!("persistentvolumeclaim \"{name}\" is being deleted"));
            }
            if claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Lost") {
                return Err(format!(
                    "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{}\"",
                    claim
                        .spec
                        .as_ref()
                        .and_then(|spec| spec.volume_name.as_deref())
                        .unwrap_or("")
                ));
            }
            let volume_name = claim
                .spec
                .as_ref()
                .and_then(|spec| spec.volume_name.as_deref())
                .unwrap_or("");
            if !volume_name.is_empty() {
                found
                    .bound
                    .extend(caches.get::<PersistentVolume>("", volume_name));
                continue;
            }
            let class = class_of(caches, claim);
            if class.and_then(|class| class.volume_binding_mode.as_deref()) != Some("WaitForFirstConsumer") {
                return Err("pod has unbound immediate PersistentVolumeClaims".to_owned());
            }
            let provisions = class.is_some_and(|class| class.provisioner != "kubernetes.io/no-provisioner");
            let mut candidates: Vec<_> = caches
                .list::<PersistentVolume>("")
                .filter(|volume| volume_serves(volume, claim) && is_free(volume, claim))
                .collect();
            candidates.stable_sort_by_key(|volume| {
                let capacity = volume
                    .spec
                    .as_ref()
                    .and_then(|spec| spec.capacity.as_ref()?.get("storage"));
                capacity.map_or(0, |quantity| value(&quantity.0))
            });
            found.waiting.push((claim, candidates, provisions));
        }
        Ok(any.then_some(found))
    }

    pub fn filter(&self, node: &NodeInfo) -> Option<Rejection> {
        if !self.bound.iter().all(|volume| reachable(volume, node)) {
            return Some(Rejection::unresolvable(
                NAME,
                "node(s) didn't match PersistentVolume's node affinity",
            ));
        }
        self.choose(node).is_none().then(|| {
            Rejection::unresolvable(NAME, "node(s) didn't find available persistent volumes to bind")
        })
    }

    /// A volume per waiting claim for this node; claims that will be provisioned have none.
    pub fn choose(
        &self,
        node: &NodeInfo,
    ) -> Option<Vec<(&'a Arc<PersistentVolumeClaim>, Option<&'a Arc<PersistentVolume>>)>> {
        let mut chosen: Vec<(&Arc<PersistentVolumeClaim>, Option<&Arc<PersistentVolume>>)> = Vec::new();
        for (claim, candidates, provisions) in &self.waiting {
            let taken = |volume: &Arc<PersistentVolume>| {
                chosen
                    .iter()
                    .any(|(_, other)| other.is_some_and(|other| Arc::ptr_eq(other, volume)))
            };
            match candidates
                .iter()
                .find(|volume| reachable(volume, node) && !taken(volume))
            {
                Some(volume) => chosen.push((claim, Some(volume))),
                None if *provisions => chosen.push((claim, None)),
                None => return None,
            }
        }
        Some(chosen)
    }
}

fn reachable(volume: &PersistentVolume, node: &NodeInfo) -> bool {
    let affinity = volume
        .spec
        .as_ref()
        .and_then(|spec| spec.node_affinity.as_ref()?.required.as_ref());
    affinity.is_none_or(|required| {
        required
            .node_selector_terms
            .iter()
            .any(|term| node_term_matches(term, &node.node))
    })
}
