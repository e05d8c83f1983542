//! Binds claims to volumes, and keeps both while they are in use.
//!
//! Source: pkg/controller/volume/persistentvolume (pv_controller.go), pkg/controller/volume/pvprotection
//! and pvcprotection. Nothing is provisioned here: classes with a provisioner wait for it.

use super::pods::{normal, warning};
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, PatchType, Request, Subresource};
use crate::client::helpers::pod_is_terminal;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::scheduler::{value, volume_serves};
use crate::seat::{Component, Duty, Observed, Plan, Why};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::{Value, json};
use std::sync::Arc;

const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY: &str = "pv.kubernetes.io/bound-by-controller";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// The persistent volume controller.
#[derive(Clone, Debug, Default)]
pub struct VolumeBinder;

fn name_of(volume: &PersistentVolume) -> &str {
    volume.metadata.name.as_deref().unwrap_or("")
}

fn volume_phase(volume: &PersistentVolume) -> &str {
    volume
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("")
}

fn claim_key(volume: &PersistentVolume) -> Option<Key> {
    let reference = volume.spec.as_ref()?.claim_ref.as_ref()?;
    let (namespace, name) = (reference.namespace.as_deref()?, reference.name.as_deref()?);
    Some(Key::new(Kind::PersistentVolumeClaim, namespace, name))
}

fn reserved_uid(volume: &PersistentVolume) -> Option<&str> {
    volume
        .spec
        .as_ref()?
        .claim_ref
        .as_ref()?
        .uid
        .as_deref()
        .filter(|uid| !uid.is_empty())
}

fn size(volume: &PersistentVolume) -> i64 {
    let capacity = volume
        .spec
        .as_ref()
        .and_then(|spec| spec.capacity.as_ref()?.get("storage"));
    capacity.map_or(0, |quantity| value(&quantity.0))
}

fn merge(object: &Object, patch: Value) -> Request {
    Request::patch(
        object.kind(),
        object.namespace(),
        object.name(),
        PatchType::Merge,
        patch,
    )
}

impl VolumeBinder {
    /// The volume for a claim: the one that is reserved for it, or the smallest that serves.
    fn find<'a>(
        &self,
        caches: &'a Caches,
        claim: &PersistentVolumeClaim,
        key: &Key,
    ) -> Option<&'a Arc<PersistentVolume>> {
        let asked = claim
            .spec
            .as_ref()
            .and_then(|spec| spec.volume_name.as_deref())
            .filter(|name| !name.is_empty());
        let uid = claim.metadata.uid.as_deref();
        let usable = |volume: &&Arc<PersistentVolume>| match claim_key(volume) {
            Some(reserved) => reserved == *key && reserved_uid(volume).is_none_or(|own| Some(own) == uid),
            None => volume_phase(volume) == "Available" || asked.is_some(),
        };
        if let Some(name) = asked {
            return caches.get::<PersistentVolume>("", name).filter(usable);
        }
        let serving = caches.list::<PersistentVolume>("").filter(usable);
        let serving = serving.filter(|volume| claim_key(volume).is_some() || volume_serves(volume, claim));
        serving.min_by_key(|volume| (claim_key(volume).is_none(), size(volume), name_of(volume)))
    }

    fn claim_plan(&self, observed: &Observed<'_>, key: &Key, plan: &mut Plan) {
        let Some(claim) = observed.caches.by_key::<PersistentVolumeClaim>(key) else {
            return;
        };
        let Some(spec) = &claim.spec else { return };
        let phase = claim
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref())
            .unwrap_or("");
        let completed = claim
            .metadata
            .annotations
            .as_ref()
            .is_some_and(|annotations| annotations.contains_key(BIND_COMPLETED));
        if completed {
            let volume = spec
                .volume_name
                .as_deref()
                .and_then(|name| observed.caches.get::<PersistentVolume>("", name));
            match volume {
                Some(volume) => self.finish(volume, claim, key, plan),
                None if phase != "Lost" => {
                    let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
                    let duty = self.claim_status(claim, key, json!({"phase": "Lost"}));
                    plan.duties.push(duty.note(warning(key, "ClaimLost", message)));
                }
                None => {}
            }
            return;
        }
        if claim.metadata.deletion_timestamp.is_some() {
            return;
        }
        let class_name = spec.storage_class_name.as_deref().unwrap_or("");
        let class = observed.caches.get::<StorageClass>("", class_name);
        let delayed =
            class.is_some_and(|class| class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"));
        let annotations = claim.metadata.annotations.as_ref();
        let selected = annotations.is_some_and(|annotations| annotations.contains_key(SELECTED_NODE));
        let found = self.find(observed.caches, claim, key);
        // Who waits for a consumer only takes what the scheduler reserved.
        let found =
            found.filter(|volume| !delayed || claim_key(volume).is_some() || spec.volume_name.is_some());
        if let Some(volume) = found {
            self.bind(volume, claim, key, plan);
            return;
        }
        if phase != "Pending" {
            plan.duties
                .push(self.claim_status(claim, key, json!({"phase": "Pending"})));
        }
        let note = match class {
            _ if spec.volume_name.as_deref().is_some_and(|name| !name.is_empty()) => return,
            _ if class_name.is_empty() => {
                let message = "no persistent volumes available for this claim and no storage class is set";
                normal(key, "FailedBinding", message)
            }
            None => {
                let message = format!("storageclass.storage.k8s.io \"{class_name}\" not found");
                warning(key, "ProvisioningFailed", message)
            }
            Some(_) if delayed && !selected => {
                let message = "waiting for first consumer to be created before binding";
                normal(key, "WaitForFirstConsumer", message)
            }
            Some(class) if class.provisioner == "kubernetes.io/no-provisioner" => {
                let message = "storageclass does not support dynamic provisioning";
                warning(key, "ProvisioningFailed", message)
            }
            Some(class) => {
                let message = format!(
                    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system \
                     administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
                    class.provisioner
                );
                normal(key, "ExternalProvisioning", message)
            }
        };
        plan.facts.push(note.into());
    }

    fn claim_status(&self, claim: &Arc<PersistentVolumeClaim>, key: &Key, status: Value) -> Duty {
        let request = merge(&Object::from(claim.clone()), json!({"status": status}))
            .with_subresource(Subresource::Status);
        Duty::api(Why::new("volumes.claim_status", &[&key.name]), request)
    }

    /// Reserves the volume, then the claim, each with its status.
    fn bind(
        &self,
        volume: &Arc<PersistentVolume>,
        claim: &Arc<PersistentVolumeClaim>,
        key: &Key,
        plan: &mut Plan,
    ) {
        let why = || Why::new("volumes.bind", &[&key.name, name_of(volume)]);
        if reserved_uid(volume) != claim.metadata.uid.as_deref() {
            let reference = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": *key.name, "namespace": *key.namespace,
                "uid": claim.metadata.uid, "resourceVersion": claim.metadata.resource_version});
            let mut patch = json!({"spec": {"claimRef": reference}});
            if claim_key(volume).is_none() {
                patch["metadata"] = json!({"annotations": {BOUND_BY: "yes"}});
            }
            plan.duties
                .push(Duty::api(why(), merge(&Object::from(volume.clone()), patch)));
        }
        let mut annotations = json!({BIND_COMPLETED: "yes"});
        let mut patch = json!({});
        if claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()) != Some(name_of(volume)) {
            annotations[BOUND_BY] = "yes".into();
            patch["spec"] = json!({"volumeName": name_of(volume)});
        }
        patch["metadata"] = json!({"annotations": annotations});
        plan.duties
            .push(Duty::api(why(), merge(&Object::from(claim.clone()), patch)));
        self.finish(volume, claim, key, plan);
    }

    /// Says on both sides that they are bound.
    fn finish(
        &self,
        volume: &Arc<PersistentVolume>,
        claim: &Arc<PersistentVolumeClaim>,
        key: &Key,
        plan: &mut Plan,
    ) {
        if volume_phase(volume) != "Bound" && claim.metadata.deletion_timestamp.is_none() {
            plan.duties.push(volume_status(volume, "Bound"));
        }
        let status = claim.status.as_ref();
        let offered = volume.spec.as_ref();
        let modes = offered.and_then(|spec| spec.access_modes.clone());
        let capacity = offered.and_then(|spec| spec.capacity.clone());
        let same = status.is_some_and(|status| {
            status.phase.as_deref() == Some("Bound")
                && status.access_modes == modes
                && status.capacity == capacity
        });
        if !same {
            let wanted = json!({"phase": "Bound", "accessModes": modes, "capacity": capacity});
            plan.duties.push(self.claim_status(claim, key, wanted));
        }
    }

    fn volume_plan(&self, observed: &Observed<'_>, key: &Key, plan: &mut Plan) {
        let Some(volume) = observed.caches.by_key::<PersistentVolume>(key) else {
            return;
        };
        let phase = volume_phase(volume);
        let Some(claim_key) = claim_key(volume) else {
            if phase != "Available" {
                plan.duties.push(volume_status(volume, "Available"));
            }
            return;
        };
        let claim = observed.caches.by_key::<PersistentVolumeClaim>(&claim_key);
        let Some(uid) = reserved_uid(volume) else {
            // Reserved by name for a claim to come.
            if claim.is_none() && phase != "Available" {
                plan.duties.push(volume_status(volume, "Available"));
            }
            return;
        };
        if claim.is_some_and(|claim| claim.metadata.uid.as_deref() == Some(uid)) {
            return;
        }
        if phase != "Released" && phase != "Failed" {
            plan.duties.push(volume_status(volume, "Released"));
        }
        let policy = volume
            .spec
            .as_ref()
            .and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
        if policy == Some("Delete") && volume.metadata.deletion_timestamp.is_none() {
            let why = Why::new("volumes.reclaim", &[&key.name]);
            plan.duties.push(Duty::api(
                why,
                Request::delete(Kind::PersistentVolume, "", &key.name, DeleteOptions::default()),
            ));
        }
    }
}

fn volume_status(volume: &Arc<PersistentVolume>, phase: &str) -> Duty {
    let request = merge(&Object::from(volume.clone()), json!({"status": {"phase": phase}}))
        .with_subresource(Subresource::Status);
    Duty::api(
        Why::new("volumes.volume_status", &[name_of(volume), phase]),
        request,
    )
}

impl Component for VolumeBinder {
    fn name(&self) -> &'static str {
        "persistentvolume-binder"
    }

    fn identity(&self) -> Identity {
        super::identity("persistent-volume-binder")
    }

    fn watches(&self) -> Vec<Watch> {
        [
            Kind::PersistentVolume,
            Kind::PersistentVolumeClaim,
            Kind::StorageClass,
        ]
        .map(Watch::all)
        .to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        let unbound = |caches: &Caches, dirty: &mut Vec<Key>| {
            let waits = |claim: &&Arc<PersistentVolumeClaim>| {
                claim.status.as_ref().and_then(|status| status.phase.as_deref()) != Some("Bound")
            };
            let claims = caches.list::<PersistentVolumeClaim>("").filter(waits);
            dirty.extend(claims.map(|claim| Key::of(&Object::from(claim.clone()))));
        };
        match change.object() {
            Object::PersistentVolume(volume) => {
                dirty.push(change.key.clone());
                match claim_key(volume) {
                    Some(claim) => dirty.push(claim),
                    None => unbound(caches, dirty),
                }
            }
            Object::PersistentVolumeClaim(claim) => {
                dirty.push(change.key.clone());
                if let Some(volume) = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()) {
                    dirty.push(Key::new(Kind::PersistentVolume, "", volume));
                }
            }
            Object::StorageClass(_) => unbound(caches, dirty),
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        match key.kind {
            Kind::PersistentVolume => self.volume_plan(observed, key, &mut plan),
            _ => self.claim_plan(observed, key, &mut plan),
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches
            .keys(Kind::PersistentVolume)
            .chain(caches.keys(Kind::PersistentVolumeClaim))
            .cloned()
            .collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

/// The two controllers that hold back the deletion of storage in use.
#[derive(Clone, Debug)]
pub enum Protection {
    /// Claims that a Pod uses.
    Claims,
    /// Volumes that are bound.
    Volumes,
}

impl Protection {
    fn kind(&self) -> Kind {
        match self {
            Protection::Claims => Kind::PersistentVolumeClaim,
            Protection::Volumes => Kind::PersistentVolume,
        }
    }

    fn finalizer(&self) -> &'static str {
        match self {
            Protection::Claims => "kubernetes.io/pvc-protection",
            Protection::Volumes => "kubernetes.io/pv-protection",
        }
    }

    fn in_use(&self, caches: &Caches, object: &Object) -> bool {
        match object {
            Object::PersistentVolume(volume) => volume_phase(volume) == "Bound",
            other => caches
                .list::<Pod>(other.namespace())
                .any(|pod| !pod_is_terminal(pod) && uses(pod, other.name())),
        }
    }
}

/// Whether a Pod mounts a claim.
fn uses(pod: &Pod, claim: &str) -> bool {
    let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
    volumes.into_iter().flatten().any(|volume| {
        let named = volume
            .persistent_volume_claim
            .as_ref()
            .is_some_and(|source| source.claim_name == claim);
        let own = || format!("{}-{}", pod.metadata.name.as_deref().unwrap_or(""), volume.name) == claim;
        named || (volume.ephemeral.is_some() && own())
    })
}

impl Component for Protection {
    fn name(&self) -> &'static str {
        match self {
            Protection::Claims => "persistentvolumeclaim-protection",
            Protection::Volumes => "persistentvolume-protection",
        }
    }

    fn identity(&self) -> Identity {
        super::identity(match self {
            Protection::Claims => "pvc-protection-controller",
            Protection::Volumes => "pv-protection-controller",
        })
    }

    fn watches(&self) -> Vec<Watch> {
        match self {
            Protection::Claims => [Kind::PersistentVolumeClaim, Kind::Pod].map(Watch::all).to_vec(),
            Protection::Volumes => vec![Watch::all(Kind::PersistentVolume)],
        }
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        if change.key.kind == self.kind() {
            dirty.push(change.key.clone());
        } else if let Object::Pod(pod) = change.object()
            && (change.new.is_none() || pod_is_terminal(pod))
        {
            let deleting = |key: &&Key| {
                caches
                    .get_object(key)
                    .is_some_and(crate::client::helpers::is_deleting)
            };
            dirty.extend(
                caches
                    .keys_in(Kind::PersistentVolumeClaim, &change.key.namespace)
                    .filter(deleting)
                    .cloned(),
            );
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(object) = observed.caches.get_object(key) else {
            return plan;
        };
        let finalizers = object.meta().finalizers.clone().unwrap_or_default();
        let protected = finalizers.iter().any(|own| own == self.finalizer());
        let deleting = object.meta().deletion_timestamp.is_some();
        if deleting && protected && !self.in_use(observed.caches, object) {
            let rest: Vec<&String> = finalizers.iter().filter(|own| *own != self.finalizer()).collect();
            let why = Why::new("volumes.let_go", &[&key.name]);
            plan.duties.push(Duty::api(
                why,
                merge(object, json!({"metadata": {"finalizers": rest}})),
            ));
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(self.kind()).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};

    fn volume(name: &str, size: &str) -> Value {
        json!({"metadata": {"name": name}, "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"]}, "status": {"phase": "Available"}})
    }

    fn claim() -> Value {
        json!({"metadata": {"name": "c", "namespace": "d", "uid": "u"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "",
            "resources": {"requests": {"storage": "1Gi"}}}, "status": {"phase": "Pending"}})
    }

    #[test]
    fn binds_to_the_smallest_that_serves() {
        let mut bench = Bench::new(VolumeBinder);
        bench
            .put(Kind::PersistentVolume, volume("big", "5Gi"))
            .put(Kind::PersistentVolume, volume("fits", "2Gi"));
        bench
            .put(Kind::PersistentVolume, volume("small", "1Mi"))
            .put(Kind::PersistentVolumeClaim, claim());
        let plan = bench.plan(Kind::PersistentVolumeClaim, "d", "c");
        let expected = [
            "patch persistentvolumes fits",
            "patch persistentvolumeclaims c",
            "patch persistentvolumes/status fits",
            "patch persistentvolumeclaims/status c",
        ];
        assert_eq!(verbs(&plan), expected);
        assert_eq!(body(&plan.duties[1])["spec"]["volumeName"], "fits");
        assert_eq!(body(&plan.duties[3])["status"]["capacity"]["storage"], "2Gi");
    }

    #[test]
    fn says_why_not() {
        let mut bench = Bench::new(VolumeBinder);
        bench.put(Kind::PersistentVolumeClaim, claim());
        let plan = bench.plan(Kind::PersistentVolumeClaim, "d", "c");
        assert_eq!(
            plan.facts[0].note.message,
            "no persistent volumes available for this claim and no storage class is set"
        );
    }

    #[test]
    fn a_volume_without_its_claim_is_released() {
        let mut bench = Bench::new(VolumeBinder);
        let mut bound = volume("v", "1Gi");
        bound["spec"]["claimRef"] = json!({"name": "c", "namespace": "d", "uid": "u"});
        bound["status"]["phase"] = json!("Bound");
        bench.put(Kind::PersistentVolume, bound);
        assert_eq!(
            body(&bench.plan(Kind::PersistentVolume, "", "v").duties[0]),
            json!({"status": {"phase": "Released"}})
        );
    }

    #[test]
    fn a_claim_in_use_is_kept() {
        let mut bench = Bench::new(Protection::Claims);
        let mut going = claim();
        going["metadata"]["deletionTimestamp"] = json!("2026-04-01T09:00:00Z");
        going["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
        bench.put(Kind::PersistentVolumeClaim, going);
        bench.put(
            Kind::Pod,
            json!({"metadata": {"name": "p", "namespace": "d"}, "spec": {"containers": [],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}}),
        );
        assert_eq!(bench.plan(Kind::PersistentVolumeClaim, "d", "c").duties, []);
        bench.remove(Kind::Pod, "d", "p");
        assert_eq!(
            body(&bench.plan(Kind::PersistentVolumeClaim, "d", "c").duties[0]),
            json!({"metadata": {"finalizers": []}})
        );
    }
}
