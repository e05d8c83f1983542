//! Kinds that are served in a second version: the same stored object, written differently.
//!
//! Source: pkg/apis/events/v1/conversion.go, pkg/apis/autoscaling/v1/conversion.go.

use crate::api::Kind;
use serde_json::{Map, Value, json};

/// A second version of a stored kind.
#[derive(Debug)]
pub struct Alias {
    pub kind: Kind,
    pub group: &'static str,
    pub version: &'static str,
    /// The type in the schema table.
    pub type_name: &'static str,
    pub from_stored: fn(Value) -> Value,
    pub to_stored: fn(Value) -> Value,
}

impl Alias {
    pub fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }
}

static ALIASES: &[Alias] = &[
    Alias {
        kind: Kind::Event,
        group: "events.k8s.io",
        version: "v1",
        type_name: "events/v1.Event",
        from_stored: event_from_core,
        to_stored: event_to_core,
    },
    Alias {
        kind: Kind::HorizontalPodAutoscaler,
        group: "autoscaling",
        version: "v1",
        type_name: "autoscaling/v1.HorizontalPodAutoscaler",
        from_stored: hpa_from_v2,
        to_stored: hpa_to_v2,
    },
];

/// The second versions of stored kinds.
pub fn all() -> &'static [Alias] {
    ALIASES
}

/// Finds the alias a path names.
pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Alias> {
    ALIASES
        .iter()
        .find(|a| a.group == group && a.version == version && a.kind.info().plural == plural)
}

/// Field names of core/v1 Event and of events.k8s.io/v1 Event.
const EVENT_FIELDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn rename(value: Value, names: impl Fn(&str) -> Option<&'static str>) -> Value {
    let Value::Object(map) = value else { return value };
    let renamed = map
        .into_iter()
        .map(|(key, value)| (names(&key).map_or(key, str::to_owned), value));
    Value::Object(renamed.collect::<Map<String, Value>>())
}

fn event_from_core(value: Value) -> Value {
    let mut value = rename(value, |key| {
        EVENT_FIELDS
            .iter()
            .find(|(core, _)| *core == key)
            .map(|(_, new)| *new)
    });
    value["apiVersion"] = "events.k8s.io/v1".into();
    // Here these are left out when they are empty.
    if let Value::Object(map) = &mut value {
        for field in ["reportingInstance", "reportingController"] {
            if map.get(field) == Some(&Value::String(String::new())) {
                map.remove(field);
            }
        }
    }
    value
}

fn event_to_core(value: Value) -> Value {
    let mut value = rename(value, |key| {
        EVENT_FIELDS
            .iter()
            .find(|(_, new)| *new == key)
            .map(|(core, _)| *core)
    });
    value["apiVersion"] = "v1".into();
    value
}

/// v1 knows one metric, the CPU's average utilization; what else there is it keeps as annotations.
fn hpa_from_v2(mut value: Value) -> Value {
    value["apiVersion"] = "autoscaling/v1".into();
    let metrics = value["spec"]["metrics"].take();
    if let Value::Object(spec) = &mut value["spec"] {
        spec.remove("metrics");
    }
    let cpu = |metric: &&Value| {
        metric["type"] == "Resource"
            && metric["resource"]["name"] == "cpu"
            && metric["resource"]["target"]["averageUtilization"].is_i64()
    };
    let list = metrics.as_array().cloned().unwrap_or_default();
    if let Some(metric) = list.iter().find(cpu) {
        value["spec"]["targetCPUUtilizationPercentage"] =
            metric["resource"]["target"]["averageUtilization"].clone();
    }
    let others: Vec<&Value> = list.iter().filter(|metric| !cpu(metric)).collect();
    let mut annotations = Vec::new();
    if !others.is_empty() {
        annotations.push(("autoscaling.alpha.kubernetes.io/metrics", json!(others)));
    }
    if let Value::Object(spec) = &mut value["spec"] {
        annotations.extend(
            spec.remove("behavior")
                .map(|b| ("autoscaling.alpha.kubernetes.io/behavior", b)),
        );
    }
    if let Value::Object(status) = &mut value["status"] {
        annotations.extend(
            status
                .remove("conditions")
                .map(|c| ("autoscaling.alpha.kubernetes.io/conditions", c)),
        );
        annotations.extend(
            status
                .remove("currentMetrics")
                .map(|m| ("autoscaling.alpha.kubernetes.io/current-metrics", m)),
        );
    }
    for (key, annotation) in annotations {
        value["metadata"]["annotations"][key] = annotation.to_string().into();
    }
    value
}

fn hpa_to_v2(mut value: Value) -> Value {
    value["apiVersion"] = "autoscaling/v2".into();
    let Value::Object(spec) = &mut value["spec"] else {
        return value;
    };
    let percentage = spec
        .remove("targetCPUUtilizationPercentage")
        .filter(|p| !p.is_null());
    let mut metrics: Vec<Value> = percentage
        .map(|p| json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": p}}}))
        .into_iter()
        .collect();
    let mut take = |key: &str| -> Option<Value> {
        let annotations = value["metadata"]["annotations"].as_object_mut()?;
        serde_json::from_str(annotations.remove(key)?.as_str()?).ok()
    };
    let more = take("autoscaling.alpha.kubernetes.io/metrics");
    let behavior = take("autoscaling.alpha.kubernetes.io/behavior");
    take("autoscaling.alpha.kubernetes.io/conditions");
    take("autoscaling.alpha.kubernetes.io/current-metrics");
    if let Some(Value::Array(more)) = more {
        metrics.extend(more);
    }
    if !metrics.is_empty() {
        value["spec"]["metrics"] = metrics.into();
    }
    if let Some(behavior) = behavior {
        value["spec"]["behavior"] = behavior;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let event = json!({"apiVersion": "v1", "involvedObject": {"name": "p"}, "message": "m", "count": 2, "reason": "R"});
        let new = event_from_core(event.clone());
        assert_eq!(new["note"], "m");
        assert_eq!(event_to_core(new), event);
        let hpa = json!({"apiVersion": "autoscaling/v2", "metadata": {}, "spec": {"maxReplicas": 3, "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]}});
        let old = hpa_from_v2(hpa.clone());
        assert_eq!(old["spec"]["targetCPUUtilizationPercentage"], 80);
        assert_eq!(hpa_to_v2(old)["spec"], hpa["spec"]);
    }
}
