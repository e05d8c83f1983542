//! Spec and status as parts: what a write of one must leave of the other.

use super::object::Object;
use std::sync::Arc;

macro_rules! with_status {
    ($object:expr, $other:expr, |$a:ident, $b:ident| $body:expr, else $default:expr) => {
        with_status!(@expand $object, $other, $a, $b, $body, $default;
            Namespace Node Pod Service ReplicationController PersistentVolume PersistentVolumeClaim
            ResourceQuota Deployment ReplicaSet StatefulSet DaemonSet Job CronJob Ingress
            HorizontalPodAutoscaler PodDisruptionBudget)
    };
    (@expand $object:expr, $other:expr, $a:ident, $b:ident, $body:expr, $default:expr; $($variant:ident)*) => {
        match ($object, $other) {
            $((Object::$variant($a), Object::$variant($b)) => $body,)*
            _ => $default,
        }
    };
}

macro_rules! spec_only {
    ($object:expr, $other:expr, |$a:ident, $b:ident| $body:expr, else $default:expr) => {
        match ($object, $other) {
            (Object::NetworkPolicy($a), Object::NetworkPolicy($b)) => $body,
            (Object::IngressClass($a), Object::IngressClass($b)) => $body,
            (Object::Lease($a), Object::Lease($b)) => $body,
            _ => $default,
        }
    };
}

impl Object {
    /// Whether the kind has a status that only the `status` subresource writes.
    pub fn has_status(&self) -> bool {
        with_status!(self, self, |_a, _b| true, else false)
    }

    /// Takes the status of `other`, an object of the same kind.
    pub fn take_status(&mut self, other: &Object) {
        with_status!(self, other, |a, b| {
            if a.status != b.status {
                Arc::make_mut(a).status = b.status.clone();
            }
        }, else {})
    }

    /// Takes the spec of `other`, an object of the same kind.
    pub fn take_spec(&mut self, other: &Object) {
        with_status!(self, other, |a, b| {
            if a.spec != b.spec {
                Arc::make_mut(a).spec = b.spec.clone();
            }
        }, else {})
    }

    /// Whether both have the same spec; kinds without a spec compare equal.
    pub fn same_spec(&self, other: &Object) -> bool {
        with_status!(self, other, |a, b| a.spec == b.spec, else spec_only!(self, other, |a, b| a.spec == b.spec, else true))
    }

    /// Empties the status, as creation does.
    pub fn clear_status(&mut self) {
        let this = self;
        match this {
            Object::Namespace(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::Service(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::Pod(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::ReplicationController(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::PersistentVolume(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::PersistentVolumeClaim(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::ResourceQuota(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::Deployment(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::ReplicaSet(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::StatefulSet(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::DaemonSet(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::Job(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::CronJob(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::Ingress(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::HorizontalPodAutoscaler(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            Object::PodDisruptionBudget(o) if o.status.is_some() => Arc::make_mut(o).status = None,
            _ => {}
        }
    }
}
