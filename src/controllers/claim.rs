//! Adopting what matches and releasing what no longer does.
//!
//! Source: k8s.io/kubernetes/pkg/controller/controller_ref_manager.go.

use crate::api::{Kind, Object};
use crate::apiserver::{PatchType, Request};
use crate::client::helpers::{controller_ref, pod_is_active};
use crate::seat::{Duty, Why};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::json;
use std::sync::Arc;

/// The patch that makes `owner` the controller of `object`.
pub fn adopt(owner: &OwnerReference, object: &Object) -> Request {
    let meta = object.meta();
    let patch = json!({"metadata": {"ownerReferences": [{
        "apiVersion": owner.api_version, "kind": owner.kind, "name": owner.name, "uid": owner.uid,
        "controller": true, "blockOwnerDeletion": true,
    }], "uid": meta.uid}});
    Request::patch(
        object.kind(),
        object.namespace(),
        object.name(),
        PatchType::Strategic,
        patch,
    )
}

/// The patch that takes the reference to `owner` off `object`.
pub fn release(owner_uid: &str, object: &Object) -> Request {
    let patch = json!({"metadata": {
        "ownerReferences": [{"$patch": "delete", "uid": owner_uid}], "uid": object.meta().uid,
    }});
    Request::patch(
        object.kind(),
        object.namespace(),
        object.name(),
        PatchType::Strategic,
        patch,
    )
}

/// The Pods of `owner` once its orphans are adopted and strangers released; the duties for both
/// are added.
pub fn claim_pods<'a>(
    kind: Kind,
    owner: &ObjectMeta,
    matches: impl Fn(&Pod) -> bool,
    owned: impl Iterator<Item = &'a Arc<Pod>>,
    orphans: impl Iterator<Item = &'a Arc<Pod>>,
    duties: &mut Vec<Duty>,
) -> Vec<&'a Arc<Pod>> {
    let deleting = owner.deletion_timestamp.is_some();
    let mut claimed = Vec::new();
    for pod in owned {
        if matches(pod) {
            claimed.push(pod);
        } else if !deleting && pod_is_active(pod) {
            let object = Object::Pod(pod.clone());
            let why = Why::new(
                "controllers.release",
                &[object.name(), owner.name.as_deref().unwrap_or("")],
            );
            duties.push(Duty::api(
                why,
                release(owner.uid.as_deref().unwrap_or(""), &object),
            ));
        }
    }
    if !deleting {
        for pod in orphans.filter(|pod| pod_is_active(pod) && matches(pod)) {
            let object = Object::Pod(pod.clone());
            let why = Why::new(
                "controllers.adopt",
                &[object.name(), owner.name.as_deref().unwrap_or("")],
            );
            duties.push(Duty::api(why, adopt(&controller_ref(kind, owner), &object)));
            claimed.push(pod);
        }
    }
    claimed
}
