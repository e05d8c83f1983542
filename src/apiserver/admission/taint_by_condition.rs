//! TaintNodesByCondition: a new Node takes no Pods before it has reported itself ready.

use crate::api::Object;
use k8s_openapi::api::core::v1::Taint;
use std::sync::Arc;

const NOT_READY: &str = "node.kubernetes.io/not-ready";

pub(super) fn on_create(object: &mut Object) {
    let Object::Node(node) = object else { return };
    let taints = Arc::make_mut(node)
        .spec
        .get_or_insert_default()
        .taints
        .get_or_insert_default();
    if !taints
        .iter()
        .any(|taint| taint.key == NOT_READY && taint.effect == "NoSchedule")
    {
        taints.push(Taint {
            key: NOT_READY.to_owned(),
            effect: "NoSchedule".to_owned(),
            ..Taint::default()
        });
    }
}
