//! The HorizontalPodAutoscaler: what it can say and do without a metrics server.
//!
//! Source: pkg/controller/podautoscaler/horizontal.go. Every metric is answered as unavailable;
//! keeping the size between its limits works.

use super::pods::{normal, on_failure, warning};
use crate::api::{Kind, Object};
use crate::apiserver::{Identity, Request};
use crate::client::helpers::moment;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerSpec,
    HorizontalPodAutoscalerStatus,
};
use k8s_openapi::api::core::v1::ReplicationController;
use std::time::Duration;

/// Source: `--horizontal-pod-autoscaler-sync-period`.
const SYNC_PERIOD: Duration = Duration::from_secs(15);

/// The horizontal pod autoscaler.
#[derive(Clone, Debug, Default)]
pub struct Autoscaler;

/// The size of the target: wanted, and reported.
fn scale(caches: &Caches, spec: &HorizontalPodAutoscalerSpec, namespace: &str) -> Option<(Kind, i32, i32)> {
    let target = &spec.scale_target_ref;
    let kind = Kind::by_api_version(target.api_version.as_deref().unwrap_or(""), &target.kind)?;
    let name = target.name.as_str();
    let (wanted, reported) = match kind {
        Kind::Deployment => {
            let found = caches.get::<Deployment>(namespace, name)?;
            (
                found.spec.as_ref()?.replicas,
                found.status.as_ref().and_then(|status| status.replicas),
            )
        }
        Kind::ReplicaSet => {
            let found = caches.get::<ReplicaSet>(namespace, name)?;
            (
                found.spec.as_ref()?.replicas,
                found.status.as_ref().map(|status| status.replicas),
            )
        }
        Kind::StatefulSet => {
            let found = caches.get::<StatefulSet>(namespace, name)?;
            (
                found.spec.as_ref()?.replicas,
                found.status.as_ref().map(|status| status.replicas),
            )
        }
        Kind::ReplicationController => {
            let found = caches.get::<ReplicationController>(namespace, name)?;
            (
                found.spec.as_ref()?.replicas,
                found.status.as_ref().map(|status| status.replicas),
            )
        }
        _ => return None,
    };
    Some((kind, wanted.unwrap_or(1), reported.unwrap_or(0)))
}

fn set_condition(
    status: &mut HorizontalPodAutoscalerStatus,
    of: &str,
    value: &str,
    reason: &str,
    message: &str,
    now: SimTime,
) {
    let conditions = status.conditions.get_or_insert_default();
    let at = conditions
        .iter()
        .position(|known| known.type_ == of)
        .unwrap_or_else(|| {
            conditions.push(HorizontalPodAutoscalerCondition {
                type_: of.to_owned(),
                ..Default::default()
            });
            conditions.len() - 1
        });
    let condition = &mut conditions[at];
    if condition.status != value {
        condition.last_transition_time = Some(now.meta_time());
    }
    condition.status = value.to_owned();
    condition.reason = Some(reason.to_owned());
    condition.message = Some(message.to_owned());
}

/// Why the first metric has no value: event reason and text.
fn unavailable(spec: &HorizontalPodAutoscalerSpec) -> (&'static str, String) {
    let missing = "the server could not find the requested resource";
    let metric = spec.metrics.iter().flatten().next();
    match metric.map(|metric| metric.type_.as_str()) {
        Some("Pods") => (
            "FailedGetPodsMetric",
            format!("unable to get metric: unable to fetch metrics from custom metrics API: {missing}"),
        ),
        Some("Object") => (
            "FailedGetObjectMetric",
            format!("unable to get metric: unable to fetch metrics from custom metrics API: {missing}"),
        ),
        Some("External") => (
            "FailedGetExternalMetric",
            format!(
                "unable to get external metric: unable to fetch metrics from external metrics API: {missing}"
            ),
        ),
        _ => {
            let resource = metric.and_then(|metric| metric.resource.as_ref());
            let name = resource.map_or("cpu", |resource| &resource.name);
            let average = resource.is_some_and(|resource| resource.target.type_ == "AverageValue");
            let what = if average {
                ""
            } else {
                "failed to get cpu utilization: "
            }
            .replace("cpu", name);
            let fetch = format!(
                "unable to get metrics for resource {name}: unable to fetch metrics from resource metrics API: {missing} (get pods.metrics.k8s.io)"
            );
            ("FailedGetResourceMetric", format!("{what}{fetch}"))
        }
    }
}

impl Component for Autoscaler {
    fn name(&self) -> &'static str {
        "horizontalpodautoscaler"
    }

    fn identity(&self) -> Identity {
        super::identity("horizontal-pod-autoscaler")
    }

    fn watches(&self) -> Vec<Watch> {
        [
            Kind::HorizontalPodAutoscaler,
            Kind::Deployment,
            Kind::ReplicaSet,
            Kind::StatefulSet,
            Kind::ReplicationController,
        ]
        .map(Watch::all)
        .to_vec()
    }

    fn observe(&mut self, _caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        if let Object::HorizontalPodAutoscaler(_) = change.object() {
            if change.new.is_some() {
                dirty.push(change.key.clone());
            }
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let now = observed.now;
        let Some(autoscaler) = observed.caches.by_key::<HorizontalPodAutoscaler>(key) else {
            return plan;
        };
        let spec = &autoscaler.spec;
        // The first look comes a period after it was created; `min_interval` spaces the others.
        let due = moment(&autoscaler.metadata.creation_timestamp).map_or(now, |at| at + SYNC_PERIOD);
        if now < due {
            plan.again_after(due.since(now));
            return plan;
        }
        plan.again_after(SYNC_PERIOD);
        let known = autoscaler.status.clone().unwrap_or_default();
        let mut status = known.clone();
        let target = &spec.scale_target_ref;
        let able = |status: &mut HorizontalPodAutoscalerStatus, value, reason, message: &str| {
            set_condition(status, "AbleToScale", value, reason, message, now);
        };
        match scale(observed.caches, spec, &key.namespace) {
            None => {
                let plural = Kind::by_api_version(target.api_version.as_deref().unwrap_or(""), &target.kind)
                    .map_or_else(
                        || target.kind.to_lowercase(),
                        |kind| kind.info().qualified_resource(),
                    );
                let error = format!("{plural} \"{}\" not found", target.name);
                able(
                    &mut status,
                    "False",
                    "FailedGetScale",
                    &format!("the HPA controller was unable to get the target's current scale: {error}"),
                );
                plan.notes.push(warning(key, "FailedGetScale", error));
            }
            Some((kind, wanted, reported)) => {
                able(
                    &mut status,
                    "True",
                    "SucceededGetScale",
                    "the HPA controller was able to get the target's current scale",
                );
                status.current_replicas = Some(reported).filter(|count| *count != 0);
                let least = spec.min_replicas.unwrap_or(1);
                let bound = wanted.clamp(least, spec.max_replicas.max(least));
                if wanted == 0 && least != 0 {
                    status.desired_replicas = 0;
                    let message = "scaling is disabled since the replica count of the target is zero";
                    set_condition(
                        &mut status,
                        "ScalingActive",
                        "False",
                        "ScalingDisabled",
                        message,
                        now,
                    );
                } else if bound != wanted {
                    let reason = if bound < wanted {
                        "Current number of replicas above Spec.MaxReplicas"
                    } else {
                        "Current number of replicas below Spec.MinReplicas"
                    };
                    status.desired_replicas = bound;
                    status.last_scale_time = Some(now.meta_time());
                    able(
                        &mut status,
                        "True",
                        "SucceededRescale",
                        &format!("the HPA controller was able to update the target scale to {bound}"),
                    );
                    let why = Why::new("autoscaler.scale", &[&key.name, &target.name, &bound.to_string()]);
                    plan.duties.push(
                        Duty::api(why, Request::scale(kind, &key.namespace, &target.name, bound))
                            .note(normal(
                                key,
                                "SuccessfulRescale",
                                format!("New size: {bound}; reason: {reason}"),
                            ))
                            .note(on_failure(
                                key,
                                "FailedRescale",
                                format!("New size: {bound}; reason: {reason}; error: {{error}}"),
                            )),
                    );
                } else {
                    let (reason, error) = unavailable(spec);
                    status.desired_replicas = reported;
                    let active = format!("the HPA was unable to compute the replica count: {error}");
                    set_condition(&mut status, "ScalingActive", "False", reason, &active, now);
                    let count = spec.metrics.as_ref().map_or(1, Vec::len);
                    let summary = format!(
                        "invalid metrics ({count} invalid out of {count}), first error is: failed to get cpu resource metric value: {error}"
                    );
                    plan.notes.push(warning(key, reason, error));
                    plan.notes
                        .push(warning(key, "FailedComputeMetricsReplicas", summary));
                }
            }
        }
        if status != known {
            let mut updated = (**autoscaler).clone();
            updated.status = Some(status);
            plan.duties.push(Duty::api(
                Why::new("autoscaler.status", &[&key.name]),
                Request::update_status(updated),
            ));
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::HorizontalPodAutoscaler).cloned().collect()
    }

    fn min_interval(&self) -> Duration {
        SYNC_PERIOD
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::{Value, json};

    fn bench(replicas: i32) -> Bench<Autoscaler> {
        let mut bench = Bench::new(Autoscaler);
        bench.put(Kind::Deployment, json!({"metadata": {"name": "web", "namespace": "d"},
            "spec": {"replicas": replicas, "selector": {}, "template": {}}, "status": {"replicas": replicas}}));
        let created: Value = bench.now.timestamp().to_string().into();
        bench.put(Kind::HorizontalPodAutoscaler, json!({"metadata": {"name": "h", "namespace": "d", "creationTimestamp": created},
            "spec": {"minReplicas": 1, "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                     "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}]}}));
        bench
    }

    #[test]
    fn says_what_is_missing_after_a_period() {
        let mut bench = bench(2);
        assert_eq!(
            bench.plan(Kind::HorizontalPodAutoscaler, "d", "h").again_after,
            Some(SYNC_PERIOD)
        );
        bench.now = bench.now + SYNC_PERIOD;
        let plan = bench.plan(Kind::HorizontalPodAutoscaler, "d", "h");
        let status = body(&plan.duties[0])["status"].clone();
        assert_eq!(
            (&status["currentReplicas"], &status["desiredReplicas"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(status["conditions"][1]["reason"], "FailedGetResourceMetric");
        assert_eq!(plan.notes.len(), 2);
    }

    #[test]
    fn keeps_the_limits() {
        let mut bench = bench(5);
        bench.now = bench.now + SYNC_PERIOD;
        let plan = bench.plan(Kind::HorizontalPodAutoscaler, "d", "h");
        assert_eq!(
            verbs(&plan),
            [
                "update deployments/scale web",
                "update horizontalpodautoscalers/status h"
            ]
        );
        assert_eq!(
            plan.duties[0].notes[0].message,
            "New size: 3; reason: Current number of replicas above Spec.MaxReplicas"
        );
    }
}
