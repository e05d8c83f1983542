//! StorageObjectInUseProtection: volumes and claims are not removed while somebody uses them.

use crate::api::{Kind, Object};

pub(super) fn on_create(object: &mut Object) {
    let finalizer = match object.kind() {
        Kind::PersistentVolume => "kubernetes.io/pv-protection",
        Kind::PersistentVolumeClaim => "kubernetes.io/pvc-protection",
        _ => return,
    };
    let finalizers = object.meta_mut().finalizers.get_or_insert_default();
    if !finalizers.iter().any(|own| own == finalizer) {
        finalizers.push(finalizer.to_owned());
    }
}
