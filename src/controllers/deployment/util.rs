//! The arithmetic of a rollout.
//!
//! Source: pkg/controller/deployment/util/deployment_util.go.

use crate::api::codec;
use crate::api::order::StableSort;
use crate::api::schema::go_print;
use crate::client::helpers::Labels;
use crate::sim::SimTime;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::sync::Arc;

pub const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";
pub const HASH_LABEL: &str = "pod-template-hash";
/// What a ReplicaSet does not take over from its Deployment.
const OWN_ANNOTATIONS: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];

/// What of a Deployment is asked again and again.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub replicas: i32,
    pub max_surge: i32,
    pub max_unavailable: i32,
    pub rolling: bool,
    pub min_ready_seconds: i32,
    /// Seconds; none if progress has no deadline.
    pub progress_deadline: Option<i32>,
}

/// A count or a percentage of `total`.
pub fn scaled_value(value: Option<&IntOrString>, total: i32, round_up: bool) -> i32 {
    match value {
        None => 0,
        Some(IntOrString::Int(count)) => *count,
        Some(IntOrString::String(text)) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            let product = percent * i64::from(total);
            (if round_up {
                (product + 99).div_euclid(100)
            } else {
                product.div_euclid(100)
            }) as i32
        }
    }
}

impl Wanted {
    pub fn of(deployment: &Deployment) -> Wanted {
        let spec = deployment.spec.as_ref();
        let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1);
        let strategy = spec.and_then(|spec| spec.strategy.as_ref());
        let rolling = strategy.and_then(|strategy| strategy.type_.as_deref()) != Some("Recreate");
        let limits = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
        let (mut max_surge, mut max_unavailable) = (0, 0);
        if rolling {
            max_surge = scaled_value(
                limits.and_then(|limits| limits.max_surge.as_ref()),
                replicas,
                true,
            );
            max_unavailable = scaled_value(
                limits.and_then(|limits| limits.max_unavailable.as_ref()),
                replicas,
                false,
            );
            if max_surge == 0 && max_unavailable == 0 {
                // Both rounded to nothing: the rollout must still move.
                max_unavailable = 1;
            }
            max_unavailable = max_unavailable.min(replicas);
        }
        Wanted {
            replicas,
            max_surge,
            max_unavailable,
            rolling,
            min_ready_seconds: spec.and_then(|spec| spec.min_ready_seconds).unwrap_or(0),
            progress_deadline: spec
                .and_then(|spec| spec.progress_deadline_seconds)
                .filter(|s| *s != i32::MAX),
        }
    }
}

/// How many of a ReplicaSet's Pods are available, as it last said.
pub fn available(set: &ReplicaSet) -> i32 {
    set.status
        .as_ref()
        .and_then(|status| status.available_replicas)
        .unwrap_or(0)
}

pub fn replicas(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

pub fn name(set: &ReplicaSet) -> &str {
    set.metadata.name.as_deref().unwrap_or("")
}

pub fn revision(annotations: Option<&Labels>) -> i64 {
    annotations
        .and_then(|annotations| annotations.get(REVISION)?.parse().ok())
        .unwrap_or(0)
}

/// Whether two templates are the same but for the hash label.
pub fn same_template(set: &ReplicaSet, wanted: &PodTemplateSpec) -> bool {
    let Some(own) = set.spec.as_ref().and_then(|spec| spec.template.as_ref()) else {
        return false;
    };
    if own.spec != wanted.spec {
        return false;
    }
    let mut own = own.metadata.clone().unwrap_or_default();
    let mut wanted = wanted.metadata.clone().unwrap_or_default();
    for meta in [&mut own, &mut wanted] {
        let labels = meta.labels.get_or_insert_default();
        labels.remove(HASH_LABEL);
        meta.creation_timestamp = None;
    }
    own == wanted
}

/// A template's name in its Pods' names: FNV-1a of the way Go prints the structure, and of the
/// number of collisions so far. Source: kubernetes/pkg/controller/controller_utils.go, `ComputeHash`.
pub fn template_hash(template: &PodTemplateSpec, collisions: Option<i32>) -> String {
    let mut hash = 0x811c_9dc5u32;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    };
    add(go_print::pod_template(&codec::to_value(template)).as_bytes());
    if let Some(collisions) = collisions {
        add(&collisions.to_le_bytes());
        add(&[0; 4]);
    }
    safe_encode(&hash.to_string())
}

/// Digits as letters that spell no words. Source: apimachinery/pkg/util/rand, `SafeEncodeString`.
pub fn safe_encode(digits: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    digits
        .bytes()
        .map(|digit| char::from(LETTERS[digit as usize % LETTERS.len()]))
        .collect()
}

/// Sets the annotations that remember the size of the Deployment; true if that changed something.
pub fn set_size_annotations(annotations: &mut Labels, wanted: &Wanted) -> bool {
    let mut set = |key: &str, value: i32| {
        let value = value.to_string();
        let changed = annotations.get(key) != Some(&value);
        annotations.insert(key.to_owned(), value);
        changed
    };
    let desired = set(DESIRED, wanted.replicas);
    set(MAX, wanted.replicas + wanted.max_surge) || desired
}

pub fn desired_annotation(set: &ReplicaSet) -> Option<i32> {
    set.metadata.annotations.as_ref()?.get(DESIRED)?.parse().ok()
}

/// Brings the annotations of the new ReplicaSet up to date; true if that changed something.
pub fn set_new_annotations(annotations: &mut Labels, deployment: &Deployment, new_revision: i64) -> bool {
    let mut changed = false;
    for (key, value) in deployment.metadata.annotations.iter().flatten() {
        if !OWN_ANNOTATIONS.contains(&key.as_str()) && annotations.get(key) != Some(value) {
            annotations.insert(key.clone(), value.clone());
            changed = true;
        }
    }
    let old = annotations.get(REVISION).cloned();
    if old.as_ref().and_then(|old| old.parse::<i64>().ok()).unwrap_or(0) < new_revision {
        annotations.insert(REVISION.to_owned(), new_revision.to_string());
        changed = true;
        if let Some(old) = old {
            let history = annotations.entry(REVISION_HISTORY.to_owned()).or_default();
            if !history.split(',').any(|past| past == old) {
                if !history.is_empty() {
                    history.push(',');
                }
                history.push_str(&old);
            }
        }
    }
    changed
}

/// How many Pods the new ReplicaSet may have now.
pub fn new_replicas(wanted: &Wanted, all: i32, new: i32) -> i32 {
    if !wanted.rolling {
        return wanted.replicas;
    }
    let most = wanted.replicas + wanted.max_surge;
    if all >= most {
        new
    } else {
        new + (most - all).min(wanted.replicas - new)
    }
}

/// By how many Pods a ReplicaSet grows or shrinks with its Deployment.
pub fn proportion(set: &ReplicaSet, wanted: &Wanted, status_replicas: i32, to_add: i32, added: i32) -> i32 {
    let size = replicas(set);
    if size == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let fraction = if wanted.replicas == 0 {
        -size
    } else {
        let before = set
            .metadata
            .annotations
            .as_ref()
            .and_then(|annotations| annotations.get(MAX)?.parse::<i32>().ok());
        let before = before
            .filter(|before| *before > 0)
            .unwrap_or(status_replicas)
            .max(1);
        let grown = f64::from(size) * f64::from(wanted.replicas + wanted.max_surge) / f64::from(before);
        grown.round() as i32 - size
    };
    let allowed = to_add - added;
    if to_add > 0 {
        fraction.min(allowed)
    } else {
        fraction.max(allowed)
    }
}

pub fn condition<'a>(status: &'a DeploymentStatus, of: &str) -> Option<&'a DeploymentCondition> {
    status
        .conditions
        .as_ref()?
        .iter()
        .find(|condition| condition.type_ == of)
}

pub fn remove_condition(status: &mut DeploymentStatus, of: &str) {
    if let Some(conditions) = &mut status.conditions {
        conditions.retain(|condition| condition.type_ != of);
    }
}

/// Sets a condition unless it says the same already; keeps the time of a status that stays.
pub fn set_condition(
    status: &mut DeploymentStatus,
    of: &str,
    value: &str,
    reason: &str,
    message: &str,
    now: SimTime,
) {
    let known = condition(status, of);
    if known.is_some_and(|known| known.status == value && known.reason.as_deref() == Some(reason)) {
        return;
    }
    let since = known
        .filter(|known| known.status == value)
        .and_then(|known| known.last_transition_time.clone());
    let new = DeploymentCondition {
        type_: of.to_owned(),
        status: value.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_update_time: Some(now.meta_time()),
        last_transition_time: Some(since.unwrap_or_else(|| now.meta_time())),
    };
    remove_condition(status, of);
    status.conditions.get_or_insert_default().push(new);
}

pub fn complete(wanted: &Wanted, deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let all = Some(wanted.replicas);
    let or_zero = |count: Option<i32>| Some(count.unwrap_or(0));
    or_zero(status.updated_replicas) == all
        && or_zero(status.replicas) == all
        && or_zero(status.available_replicas) == all
        && status.observed_generation >= deployment.metadata.generation
}

/// Whether the newer status is further than the older one.
pub fn progressing(old: &DeploymentStatus, new: &DeploymentStatus) -> bool {
    let n = |count: Option<i32>| count.unwrap_or(0);
    n(new.updated_replicas) > n(old.updated_replicas)
        || n(new.replicas) - n(new.updated_replicas) < n(old.replicas) - n(old.updated_replicas)
        || n(new.ready_replicas) > n(old.ready_replicas)
        || n(new.available_replicas) > n(old.available_replicas)
}

/// Oldest first, then by name.
pub fn by_age(sets: &mut [&Arc<ReplicaSet>]) {
    sets.stable_sort_by(|a, b| {
        (&a.metadata.creation_timestamp, &a.metadata.name)
            .cmp(&(&b.metadata.creation_timestamp, &b.metadata.name))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic() {
        let percent = IntOrString::String("25%".to_owned());
        assert_eq!(
            (
                scaled_value(Some(&percent), 10, true),
                scaled_value(Some(&percent), 10, false)
            ),
            (3, 2)
        );
        assert_eq!(safe_encode("0123456789").len(), 10);
        let wanted = Wanted {
            replicas: 10,
            max_surge: 3,
            max_unavailable: 2,
            rolling: true,
            min_ready_seconds: 0,
            progress_deadline: None,
        };
        assert_eq!(new_replicas(&wanted, 10, 0), 3);
        assert_eq!(new_replicas(&wanted, 13, 3), 3);
        assert_eq!(new_replicas(&wanted, 5, 5), 10);
    }
}
