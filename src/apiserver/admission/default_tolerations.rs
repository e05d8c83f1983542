//! DefaultTolerationSeconds: Pods stay five minutes on a node that went away.

use crate::api::Object;
use k8s_openapi::api::core::v1::Toleration;
use std::sync::Arc;

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const SECONDS: i64 = 300;

#[inline(never)]
pub(super) fn on_create(object: &mut Object) {
    let Object::Pod(pod) = object else { return };
    let tolerations = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.tolerations.as_deref())
        .unwrap_or(&[]);
    let tolerated = |key: &str| {
        tolerations.iter().any(|toleration| {
            let own = toleration.key.as_deref().unwrap_or("");
            let effect = toleration.effect.as_deref().unwrap_or("");
            (own == key || own.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        })
    };
    let missing: Vec<&str> = [NOT_READY, UNREACHABLE]
        .into_iter()
        .filter(|key| !tolerated(key))
        .collect();
    if missing.is_empty() {
        return;
    }
    let Some(spec) = Arc::make_mut(pod).spec.as_mut() else {
        return;
    };
    spec.tolerations
        .get_or_insert_default()
        .extend(missing.into_iter().map(|key| Toleration {
            key: Some(key.to_owned()),
            operator: Some("Exists".to_owned()),
            effect: Some("NoExecute".to_owned()),
            toleration_seconds: Some(SECONDS),
            ..Toleration::default()
        }));
}
