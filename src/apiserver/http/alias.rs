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
    /// The same for a set of managed fields.
    pub fields_from_stored: fn(Value) -> Value,
    pub fields_to_stored: fn(Value) -> Value,
}

impl Eq for Alias {}

impl PartialEq for Alias {
    fn eq(&self, other: &Alias) -> bool {
        self.type_name == other.type_name
    }
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
        fields_from_stored: |fields| rename_fields(fields, |name| other_name(name, true)),
        fields_to_stored: |fields| rename_fields(fields, |name| other_name(name, false)),
    },
    Alias {
        kind: Kind::HorizontalPodAutoscaler,
        group: "autoscaling",
        version: "v1",
        type_name: "autoscaling/v1.HorizontalPodAutoscaler",
        from_stored: hpa_from_v2,
        to_stored: hpa_to_v2,
        fields_from_stored: |fields| rename_spec(fields, "f:metrics", "f:targetCPUUtilizationPercentage"),
        fields_to_stored: |fields| rename_spec(fields, "f:targetCPUUtilizationPercentage", "f:metrics"),
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

/// An Event's field under its name in the other version.
fn other_name(name: &str, from_core: bool) -> Option<&'static str> {
    let pairs = EVENT_FIELDS.iter();
    let mut pairs = pairs.map(|(core, new)| if from_core { (core, new) } else { (new, core) });
    pairs.find(|(known, _)| **known == name).map(|(_, other)| *other)
}

fn rename_fields(fields: Value, names: impl Fn(&str) -> Option<&'static str>) -> Value {
    let Value::Object(map) = fields else { return fields };
    let renamed = map
        .into_iter()
        .map(|(key, value)| match key.strip_prefix("f:").and_then(&names) {
            Some(name) => (format!("f:{name}"), value),
            None => (key, value),
        });
    Value::Object(renamed.collect::<Map<String, Value>>())
}

/// v1 has one percentage where v2 has a list of metrics.
fn rename_spec(mut fields: Value, from: &str, to: &str) -> Value {
    if let Some(spec) = fields.get_mut("f:spec").and_then(Value::as_object_mut) {
        if spec.remove(from).is_some() {
            spec.insert(to.to_owned(), json!({}));
        }
    }
    fields
}

fn event_from_core(value: Value) -> Value {
    let mut value = rename(value, |key| other_name(key, true));
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
    let mut value = rename(value, |key| other_name(key, false));
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
    fn the_types_are_known() {
        for alias in all() {
            assert!(
                crate::api::schema::named(alias.type_name).is_some(),
                "{}",
                alias.type_name
            );
        }
    }

    #[test]
    fn managed_fields_have_the_names_of_their_version() {
        let event = find("events.k8s.io", "v1", "events").unwrap();
        let stored = json!({"f:message": {}, "f:reason": {}});
        let written = (event.fields_from_stored)(stored.clone());
        assert_eq!(written, json!({"f:note": {}, "f:reason": {}}));
        assert_eq!((event.fields_to_stored)(written), stored);
    }

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
