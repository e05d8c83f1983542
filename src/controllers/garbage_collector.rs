//! Deletes what its owners left behind, in the background, before the owner goes, or not at all.
//!
//! Source: pkg/controller/garbagecollector. Upstream keeps a graph of everything; here the caches
//! are that graph, and only who depends on whom is kept besides.

use super::claim::release;
use crate::api::sorted::{SortedMap, SortedSet};
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, PatchType, Propagation, Request};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::json;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// The garbage collector.
#[derive(Clone, Debug, Default)]
pub struct GarbageCollector {
    /// What depends on the object with a uid.
    dependents: SortedMap<String, SortedSet<Key>>,
}

fn owners(object: &Object) -> &[OwnerReference] {
    object.meta().owner_references.as_deref().unwrap_or_default()
}

fn has_finalizer(object: &Object, finalizer: &str) -> bool {
    object
        .meta()
        .finalizers
        .iter()
        .flatten()
        .any(|own| own == finalizer)
}

/// Whether an object waits for its dependents to be gone.
fn waits_for_dependents(object: &Object) -> bool {
    object.meta().deletion_timestamp.is_some() && has_finalizer(object, FOREGROUND)
}

/// Where an owner is filed; none for kinds that are not served.
fn owner_key(reference: &OwnerReference, namespace: &str) -> Option<Key> {
    let kind = Kind::by_api_version(&reference.api_version, &reference.kind)?;
    Some(Key::new(
        kind,
        if kind.namespaced() { namespace } else { "" },
        &reference.name,
    ))
}

enum Owner {
    Solid,
    /// Gone, or another object of the same name.
    Dangling,
    Waiting,
}

fn judge(caches: &Caches, reference: &OwnerReference, namespace: &str) -> Owner {
    let Some(key) = owner_key(reference, namespace) else {
        return Owner::Solid;
    };
    match caches.get_object(&key) {
        Some(owner) if owner.uid() == reference.uid => {
            if waits_for_dependents(owner) {
                Owner::Waiting
            } else {
                Owner::Solid
            }
        }
        _ => Owner::Dangling,
    }
}

fn without_finalizer(object: &Object, finalizer: &str) -> Request {
    let rest: Vec<&String> = object
        .meta()
        .finalizers
        .iter()
        .flatten()
        .filter(|own| *own != finalizer)
        .collect();
    let patch = json!({"metadata": {"finalizers": rest, "resourceVersion": object.meta().resource_version}});
    Request::patch(
        object.kind(),
        object.namespace(),
        object.name(),
        PatchType::Merge,
        patch,
    )
}

/// `ReplicaSet web-7c5`
fn called(object: &Object) -> String {
    format!("{} {}", object.kind().name(), object.name())
}

impl GarbageCollector {
    fn dependents<'a>(
        &'a self,
        caches: &'a Caches,
        owner: &Object,
    ) -> impl Iterator<Item = &'a Object> + use<'a> {
        let keys = self.dependents.get(owner.uid()).into_iter().flatten();
        keys.filter_map(|key| caches.get_object(key))
    }

    /// The duty to delete something without an owner that holds it.
    fn delete(&self, object: &Object, propagation: Propagation) -> Duty {
        let options = DeleteOptions {
            propagation: Some(propagation),
            precondition_uid: Some(object.uid().to_owned()),
            ..DeleteOptions::default()
        };
        let owner = owners(object)
            .first()
            .map_or(String::new(), |owner| format!("{} {}", owner.kind, owner.name));
        let why = Why::new("garbage-collector.delete", &[&called(object), &owner]);
        Duty::api(
            why,
            Request::delete(object.kind(), object.namespace(), object.name(), options),
        )
    }

    /// What to do about one dependent, as upstream's `attemptToDeleteItem`.
    fn attempt(&self, caches: &Caches, object: &Object, plan: &mut Plan) {
        if object.meta().deletion_timestamp.is_some() {
            return;
        }
        let (mut solid, mut dangling, mut waiting) = (false, Vec::new(), Vec::new());
        for reference in owners(object) {
            match judge(caches, reference, object.namespace()) {
                Owner::Solid => solid = true,
                Owner::Dangling => dangling.push(reference),
                Owner::Waiting => waiting.push(reference),
            }
        }
        if dangling.is_empty() && waiting.is_empty() {
            return;
        }
        if solid {
            for reference in dangling.into_iter().chain(waiting) {
                let why = Why::new("garbage-collector.release", &[&called(object), &reference.name]);
                plan.duties.push(Duty::api(why, release(&reference.uid, object)));
            }
            return;
        }
        let propagation = if !waiting.is_empty() && self.dependents(caches, object).next().is_some() {
            Propagation::Foreground
        } else if has_finalizer(object, ORPHAN) {
            Propagation::Orphan
        } else if has_finalizer(object, FOREGROUND) {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        plan.duties.push(self.delete(object, propagation));
    }
}

impl Component for GarbageCollector {
    fn name(&self) -> &'static str {
        "garbage-collector"
    }

    fn identity(&self) -> Identity {
        super::identity("generic-garbage-collector")
    }

    fn watches(&self) -> Vec<Watch> {
        Kind::ALL
            .iter()
            .copied()
            .filter(|kind| *kind != Kind::Event)
            .map(Watch::all)
            .collect()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        let (old, new) = (change.old.as_ref(), change.new.as_ref());
        let before = old.map(owners).unwrap_or_default();
        let after = new.map(owners).unwrap_or_default();
        let another = match (old, new) {
            (Some(old), Some(new)) => old.uid() != new.uid(),
            _ => true,
        };
        if another || before != after {
            for reference in before {
                if let Some(dependents) = self.dependents.get_mut(&reference.uid) {
                    dependents.remove(&change.key);
                    if dependents.is_empty() {
                        self.dependents.remove(&reference.uid);
                    }
                }
            }
            for reference in after {
                match self.dependents.get_mut(&reference.uid) {
                    Some(dependents) => {
                        dependents.insert(change.key.clone());
                    }
                    None => {
                        self.dependents
                            .insert(reference.uid.clone(), SortedSet::from([change.key.clone()]));
                    }
                }
            }
            let held = |reference: &OwnerReference| {
                matches!(judge(caches, reference, &change.key.namespace), Owner::Solid)
            };
            if !after.iter().all(held) {
                dirty.push(change.key.clone());
            }
            // An owner may have waited for just this one.
            for reference in before {
                let owner = owner_key(reference, &change.key.namespace);
                dirty.extend(owner.filter(|key| caches.get_object(key).is_some_and(waits_for_dependents)));
            }
        }
        if let Some(old) = old.filter(|_| another) {
            dirty.extend(self.dependents.get(old.uid()).into_iter().flatten().cloned());
        }
        let deleting = |object: &Object| {
            object.meta().deletion_timestamp.is_some()
                && (has_finalizer(object, FOREGROUND) || has_finalizer(object, ORPHAN))
        };
        if new.is_some_and(deleting) {
            dirty.push(change.key.clone());
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let caches = observed.caches;
        let Some(object) = caches.get_object(key) else {
            return plan;
        };
        if object.meta().deletion_timestamp.is_some() {
            if has_finalizer(object, ORPHAN) {
                for dependent in self.dependents(caches, object) {
                    let why = Why::new("garbage-collector.orphan", &[&called(dependent), &called(object)]);
                    plan.duties.push(Duty::api(why, release(object.uid(), dependent)));
                }
                let why = Why::new("garbage-collector.let_go", &[&called(object)]);
                plan.duties
                    .push(Duty::api(why, without_finalizer(object, ORPHAN)));
            } else if has_finalizer(object, FOREGROUND) {
                let blocks = |dependent: &&Object| {
                    owners(dependent)
                        .iter()
                        .any(|own| own.uid == object.uid() && own.block_owner_deletion == Some(true))
                };
                if !self
                    .dependents(caches, object)
                    .any(|dependent| blocks(&dependent))
                {
                    let why = Why::new("garbage-collector.let_go", &[&called(object)]);
                    plan.duties
                        .push(Duty::api(why, without_finalizer(object, FOREGROUND)));
                }
                for dependent in self.dependents(caches, object) {
                    self.attempt(caches, dependent, &mut plan);
                }
            }
            return plan;
        }
        self.attempt(caches, object, &mut plan);
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        let interesting = |(_, object): &(&Key, &Object)| {
            !owners(object).is_empty() || object.meta().deletion_timestamp.is_some()
        };
        caches
            .all()
            .filter(interesting)
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::Value;

    fn owner(more: Value) -> Value {
        let mut meta = json!({"name": "o", "namespace": "d", "uid": "u"});
        more.as_object()
            .unwrap()
            .iter()
            .for_each(|(key, value)| meta[key] = value.clone());
        json!({"metadata": meta})
    }

    fn child(block: bool) -> Value {
        json!({"metadata": {"name": "c", "namespace": "d", "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u", "blockOwnerDeletion": block}]}})
    }

    fn bench(owner: Value) -> Bench<GarbageCollector> {
        let mut bench = Bench::new(GarbageCollector::default());
        bench
            .put(Kind::ConfigMap, owner)
            .put(Kind::ConfigMap, child(true));
        bench
    }

    #[test]
    fn background() {
        let mut bench = bench(owner(json!({})));
        assert_eq!(bench.plan(Kind::ConfigMap, "d", "c").duties, []);
        bench.dirty.clear();
        bench.remove(Kind::ConfigMap, "d", "o");
        assert_eq!(bench.dirty.len(), 1);
        assert_eq!(
            verbs(&bench.plan(Kind::ConfigMap, "d", "c")),
            ["delete configmaps c"]
        );
        // Another object of the same name is no owner.
        bench.put(Kind::ConfigMap, owner(json!({"uid": "other"})));
        assert_eq!(
            verbs(&bench.plan(Kind::ConfigMap, "d", "c")),
            ["delete configmaps c"]
        );
    }

    #[test]
    fn foreground_waits() {
        let deleting = json!({"deletionTimestamp": "2026-04-01T09:00:00Z", "finalizers": [FOREGROUND]});
        let mut bench = bench(owner(deleting));
        assert_eq!(
            verbs(&bench.plan(Kind::ConfigMap, "d", "o")),
            ["delete configmaps c"]
        );
        bench.dirty.clear();
        bench.remove(Kind::ConfigMap, "d", "c");
        assert!(bench.dirty.iter().any(|key| &*key.name == "o"));
        let plan = bench.plan(Kind::ConfigMap, "d", "o");
        assert_eq!(body(&plan.duties[0])["metadata"]["finalizers"], json!([]));
    }

    #[test]
    fn orphans_are_let_go() {
        let deleting = json!({"deletionTimestamp": "2026-04-01T09:00:00Z", "finalizers": [ORPHAN, "mine"]});
        let bench = bench(owner(deleting));
        let plan = bench.plan(Kind::ConfigMap, "d", "o");
        assert_eq!(verbs(&plan), ["patch configmaps c", "patch configmaps o"]);
        assert_eq!(body(&plan.duties[1])["metadata"]["finalizers"], json!(["mine"]));
    }
}
