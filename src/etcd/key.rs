//! Keys, in the order etcd keeps them: by kind, then namespace, then name.

use crate::api::{Kind, Object, order};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// Where an object is filed. Cluster-scoped objects have an empty namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub kind: Kind,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

impl Key {
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Key {
        Key {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    pub fn of(object: &Object) -> Key {
        Key::new(object.kind(), object.namespace(), object.name())
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        self.kind
            .cmp(&other.kind)
            .then_with(|| order::names(&self.namespace, &other.namespace))
            .then_with(|| order::names(&self.name, &other.name))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Key {
    /// As `etcdctl get --prefix /registry` prints it. Some kinds keep the folder of their first
    /// resource name (source: k8s.io/kubernetes/pkg/registry, `genericregistry.Store` set-up).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = match self.kind {
            Kind::Service => "services/specs",
            Kind::Endpoints => "services/endpoints",
            Kind::Node => "minions",
            Kind::ReplicationController => "controllers",
            Kind::Ingress => "ingress",
            other => other.info().plural,
        };
        write!(f, "/registry/{folder}")?;
        if !self.namespace.is_empty() {
            write!(f, "/{}", self.namespace)?;
        }
        write!(f, "/{}", self.name)
    }
}
