//! Empties Namespaces that are being deleted, and fills new ones with what every one has.
//!
//! Source: pkg/controller/namespace/deletion, pkg/controller/serviceaccount,
//! pkg/controller/certificates/rootcacertpublisher.

use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::apiserver::{Body, DeleteOptions, Identity, Request, Subresource, Verb};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, NamespaceCondition, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeMap;

const FINALIZER: &str = "kubernetes";
const ROOT_CA: &str = "kube-root-ca.crt";
const ROOT_CA_NOTE: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
    endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
    distributions of Kubernetes clusters.";
/// No key belongs to this one: connections inside the page need no certificates.
const ROOT_CA_TEXT: &str = "-----BEGIN CERTIFICATE-----\n\
    S3ViZSBieSBIYW5kOiB0aGlzIGlzIG5vIGNlcnRpZmljYXRlLCBub2JvZHkgbmVl\n\
    ZHMgb25lIGhlcmUu\n\
    -----END CERTIFICATE-----\n";

/// The namespace controller.
#[derive(Clone, Debug, Default)]
pub struct Namespaces;

fn is_terminating(namespace: &Namespace) -> bool {
    namespace.metadata.deletion_timestamp.is_some()
}

fn namespace_key(name: &str) -> Key {
    Key::new(Kind::Namespace, "", name)
}

/// What is left in a Namespace.
#[derive(Default)]
struct Content {
    /// How many objects of each kind, and whether one of them is not being deleted yet.
    kinds: SortedMap<Kind, (usize, bool)>,
    finalizers: SortedMap<String, usize>,
}

impl Content {
    fn of(caches: &Caches, namespace: &str) -> Content {
        let mut content = Content::default();
        for &kind in Kind::ALL.iter().filter(|kind| kind.namespaced()) {
            for key in caches.keys_in(kind, namespace) {
                let Some(object) = caches.get_object(key) else {
                    continue;
                };
                let (count, alive) = content.kinds.entry(kind).or_default();
                *count += 1;
                *alive |= object.meta().deletion_timestamp.is_none();
                for finalizer in object.meta().finalizers.iter().flatten() {
                    *content.finalizers.entry(finalizer.clone()).or_default() += 1;
                }
            }
        }
        content
    }

    fn conditions(&self, known: &[NamespaceCondition], now: SimTime) -> Vec<NamespaceCondition> {
        let remaining: Vec<String> = self
            .kinds
            .iter()
            .map(|(kind, (count, _))| format!("{} has {count} resource instances", resource(*kind)))
            .collect();
        let finalizers: Vec<String> = self
            .finalizers
            .iter()
            .map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"))
            .collect();
        let content = if remaining.is_empty() {
            (
                "False",
                "ContentRemoved",
                "All content successfully removed".to_owned(),
            )
        } else {
            (
                "True",
                "SomeResourcesRemain",
                format!("Some resources are remaining: {}", remaining.join(", ")),
            )
        };
        let held = if finalizers.is_empty() {
            (
                "False",
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished".to_owned(),
            )
        } else {
            let text = format!(
                "Some content in the namespace has finalizers remaining: {}",
                finalizers.join(", ")
            );
            ("True", "SomeFinalizersRemain", text)
        };
        let fine = |reason, message: &str| ("False", reason, message.to_owned());
        let wanted = [
            (
                "NamespaceDeletionDiscoveryFailure",
                fine("ResourcesDiscovered", "All resources successfully discovered"),
            ),
            (
                "NamespaceDeletionGroupVersionParsingFailure",
                fine("ParsedGroupVersions", "All legacy kube types successfully parsed"),
            ),
            (
                "NamespaceDeletionContentFailure",
                fine(
                    "ContentDeleted",
                    "All content successfully deleted, may be waiting on finalization",
                ),
            ),
            ("NamespaceContentRemaining", content),
            ("NamespaceFinalizersRemaining", held),
        ];
        let condition = |(of, (status, reason, message)): (&str, (&str, &str, String))| {
            let before = known
                .iter()
                .find(|known| known.type_ == of && known.status == status);
            NamespaceCondition {
                type_: of.to_owned(),
                status: status.to_owned(),
                reason: Some(reason.to_owned()),
                message: Some(message),
                last_transition_time: before
                    .and_then(|before| before.last_transition_time.clone())
                    .or_else(|| Some(now.meta_time())),
            }
        };
        wanted.map(condition).to_vec()
    }
}

/// `pods.`, `deployments.apps`: as this controller's texts name a resource.
fn resource(kind: Kind) -> String {
    format!("{}.{}", kind.info().plural, kind.info().group)
}

impl Component for Namespaces {
    fn name(&self) -> &'static str {
        "namespace"
    }

    fn identity(&self) -> Identity {
        super::identity("namespace-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        Kind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.namespaced() || *kind == Kind::Namespace)
            .map(Watch::all)
            .collect()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        if change.key.kind == Kind::Namespace {
            dirty.push(change.key.clone());
            return;
        }
        let matters = change.new.as_ref().is_none_or(|new| {
            change
                .old
                .as_ref()
                .is_none_or(|old| old.meta().finalizers != new.meta().finalizers)
        });
        if matters
            && caches
                .get::<Namespace>("", &change.key.namespace)
                .is_some_and(|ns| is_terminating(ns))
        {
            dirty.push(namespace_key(&change.key.namespace));
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(namespace) = observed
            .caches
            .by_key::<Namespace>(key)
            .filter(|ns| is_terminating(ns))
        else {
            return plan;
        };
        let finalizers = namespace
            .spec
            .as_ref()
            .and_then(|spec| spec.finalizers.as_deref())
            .unwrap_or_default();
        if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return plan;
        }
        let content = Content::of(observed.caches, &key.name);
        for (kind, (count, _)) in content.kinds.iter().filter(|(_, (_, alive))| *alive) {
            let why = Why::new(
                "namespace.empty",
                &[&key.name, &count.to_string(), kind.info().plural],
            );
            let options = Body::Delete(DeleteOptions::default());
            plan.duties.push(Duty::api(
                why,
                Request::new(Verb::DeleteCollection, *kind, &key.name, "", options),
            ));
        }
        let status = namespace.status.as_ref();
        let known = status
            .and_then(|status| status.conditions.as_deref())
            .unwrap_or_default();
        let conditions = content.conditions(known, observed.now);
        if known != conditions && !content.kinds.is_empty() {
            let mut updated = (**namespace).clone();
            updated.status.get_or_insert_default().conditions = Some(conditions);
            let why = Why::new("namespace.status", &[&key.name]);
            plan.duties.push(Duty::api(why, Request::update_status(updated)));
        }
        if content.kinds.is_empty() {
            let mut updated = (**namespace).clone();
            let rest: Vec<String> = finalizers
                .iter()
                .filter(|own| *own != FINALIZER)
                .cloned()
                .collect();
            updated.spec.get_or_insert_default().finalizers = Some(rest);
            let request = Request::update(updated).with_subresource(Subresource::Finalize);
            plan.duties
                .push(Duty::api(Why::new("namespace.finalize", &[&key.name]), request));
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Namespace).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

fn filled(name: &str, namespace: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        ..ObjectMeta::default()
    }
}

/// The two controllers that see to it that every Namespace has an object of a given name.
#[derive(Clone, Debug)]
pub enum Furnisher {
    /// The ServiceAccount `default`.
    ServiceAccount,
    /// The ConfigMap `kube-root-ca.crt`.
    RootCa,
}

impl Furnisher {
    fn kind(&self) -> Kind {
        match self {
            Furnisher::ServiceAccount => Kind::ServiceAccount,
            Furnisher::RootCa => Kind::ConfigMap,
        }
    }

    fn object_name(&self) -> &'static str {
        match self {
            Furnisher::ServiceAccount => "default",
            Furnisher::RootCa => ROOT_CA,
        }
    }
}

impl Component for Furnisher {
    fn name(&self) -> &'static str {
        match self {
            Furnisher::ServiceAccount => "serviceaccount",
            Furnisher::RootCa => "root-ca-certificate-publisher",
        }
    }

    fn identity(&self) -> Identity {
        super::identity(match self {
            Furnisher::ServiceAccount => "service-account-controller",
            Furnisher::RootCa => "root-ca-cert-publisher",
        })
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all(Kind::Namespace), Watch::all(self.kind())]
    }

    fn observe(&mut self, _caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        if change.key.kind == Kind::Namespace {
            if change.old.is_none() {
                dirty.push(change.key.clone());
            }
        } else if change.key.kind == self.kind() && *change.key.name == *self.object_name() {
            dirty.push(namespace_key(&change.key.namespace));
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let name = self.object_name();
        let Some(namespace) = observed.caches.by_key::<Namespace>(key) else {
            return plan;
        };
        if is_terminating(namespace) {
            return plan;
        }
        let known = observed
            .caches
            .get_object(&Key::new(self.kind(), &key.name, name));
        let data = || BTreeMap::from([("ca.crt".to_owned(), ROOT_CA_TEXT.to_owned())]);
        let request = match (self, known) {
            (Furnisher::ServiceAccount, None) => Request::create(ServiceAccount {
                metadata: filled(name, &key.name),
                ..ServiceAccount::default()
            }),
            (Furnisher::RootCa, None) => {
                let mut map = ConfigMap {
                    metadata: filled(name, &key.name),
                    data: Some(data()),
                    ..ConfigMap::default()
                };
                map.metadata.annotations = Some(BTreeMap::from([(
                    "kubernetes.io/description".to_owned(),
                    ROOT_CA_NOTE.to_owned(),
                )]));
                Request::create(map)
            }
            (Furnisher::RootCa, Some(Object::ConfigMap(map))) if map.data != Some(data()) => {
                let mut updated = (**map).clone();
                updated.data = Some(data());
                Request::update(updated)
            }
            _ => return plan,
        };
        let why = Why::new("namespace.furnish", &[&key.name, self.kind().name(), name]);
        plan.duties.push(Duty::api(why, request));
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Namespace).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::json;

    #[test]
    fn empties_then_lets_go() {
        let mut bench = Bench::new(Namespaces);
        bench.put(
            Kind::Namespace,
            json!({"metadata": {"name": "d", "deletionTimestamp": "2026-04-01T09:00:00Z"},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Terminating"}}),
        );
        bench.put(
            Kind::ConfigMap,
            json!({"metadata": {"name": "c", "namespace": "d"}}),
        );
        bench.put(Kind::Secret, json!({"metadata": {"name": "s", "namespace": "d", "deletionTimestamp": "2026-04-01T09:00:00Z", "finalizers": ["x/y"]}}));
        let plan = bench.plan(Kind::Namespace, "", "d");
        assert_eq!(
            verbs(&plan),
            ["deletecollection configmaps ", "update namespaces/status d"]
        );
        let conditions = body(&plan.duties[1])["status"]["conditions"].clone();
        assert_eq!(
            conditions[3]["message"],
            "Some resources are remaining: configmaps. has 1 resource instances, secrets. has 1 resource instances"
        );
        assert_eq!(
            conditions[4]["message"],
            "Some content in the namespace has finalizers remaining: x/y in 1 resource instances"
        );
        bench
            .remove(Kind::ConfigMap, "d", "c")
            .remove(Kind::Secret, "d", "s");
        let plan = bench.plan(Kind::Namespace, "", "d");
        assert_eq!(verbs(&plan), ["update namespaces/finalize d"]);
        assert_eq!(body(&plan.duties[0])["spec"].get("finalizers"), Some(&json!([])));
    }

    #[test]
    fn every_namespace_is_furnished_again_and_again() {
        let mut bench = Bench::new(Furnisher::ServiceAccount);
        bench.put(Kind::Namespace, json!({"metadata": {"name": "d"}}));
        let plan = bench.plan(Kind::Namespace, "", "d");
        assert_eq!(verbs(&plan), ["create serviceaccounts default"]);
        bench.put(Kind::ServiceAccount, body(&plan.duties[0]));
        assert_eq!(bench.plan(Kind::Namespace, "", "d").duties, []);
        bench.remove(Kind::ServiceAccount, "d", "default");
        assert_eq!(bench.plan(Kind::Namespace, "", "d").duties.len(), 1);
        let mut bench = Bench::new(Furnisher::RootCa);
        bench.put(Kind::Namespace, json!({"metadata": {"name": "d"}}));
        assert_eq!(
            verbs(&bench.plan(Kind::Namespace, "", "d")),
            ["create configmaps kube-root-ca.crt"]
        );
    }
}
