//! Objects as the API server writes them.
//!
//! Go writes some fields even when nothing is in them: structs that are no pointers as `{}`, times
//! as `null`, lists without `omitempty` as `null`. `k8s-openapi` leaves them out, so they are added
//! on the way out, by the name of the struct they belong to. Source: k8s.io/api, the `json` tags.

use super::codec::Encode;
use serde_json::{Map, Value};

/// A field's value when nothing is in it.
#[derive(Clone, Copy, Debug)]
enum Zero {
    Null,
    Number,
    Text,
    /// `{}`
    Empty,
    /// A struct with fields of its own that are always there.
    Struct(&'static [(&'static str, Zero)]),
}

type Row = (&'static str, Zero);

const CONDITION: &[Row] = &[("lastTransitionTime", Zero::Null)];
const PROBED: &[Row] = &[("lastProbeTime", Zero::Null), ("lastTransitionTime", Zero::Null)];
const BALANCER: &[Row] = &[("loadBalancer", Zero::Empty)];
const REPLICAS: &[Row] = &[("replicas", Zero::Number)];
const POD_SPEC: &[Row] = &[("containers", Zero::Null)];
const POD_TEMPLATE: &[Row] = &[("metadata", Zero::Empty), ("spec", Zero::Struct(POD_SPEC))];
const PORT: &[Row] = &[("kubeletEndpoint", Zero::Struct(&[("Port", Zero::Number)]))];
const NODE_INFO: &[Row] = &[
    ("machineID", Zero::Text),
    ("systemUUID", Zero::Text),
    ("bootID", Zero::Text),
    ("kernelVersion", Zero::Text),
    ("osImage", Zero::Text),
    ("containerRuntimeVersion", Zero::Text),
    ("kubeletVersion", Zero::Text),
    ("kubeProxyVersion", Zero::Text),
    ("operatingSystem", Zero::Text),
    ("architecture", Zero::Text),
];
const NODE_STATUS: &[Row] = &[
    ("daemonEndpoints", Zero::Struct(PORT)),
    ("nodeInfo", Zero::Struct(NODE_INFO)),
];
const DAEMON_SET_STATUS: &[Row] = &[
    ("currentNumberScheduled", Zero::Number),
    ("numberMisscheduled", Zero::Number),
    ("desiredNumberScheduled", Zero::Number),
    ("numberReady", Zero::Number),
];
const BUDGET_STATUS: &[Row] = &[
    ("disruptionsAllowed", Zero::Number),
    ("currentHealthy", Zero::Number),
    ("desiredHealthy", Zero::Number),
    ("expectedPods", Zero::Number),
];
const HPA_STATUS: &[Row] = &[("desiredReplicas", Zero::Number), ("currentMetrics", Zero::Null)];
const STATEFUL_SET_STATUS: &[Row] = &[("replicas", Zero::Number), ("availableReplicas", Zero::Number)];
const SPEC_AND_STATUS: &[Row] = &[("spec", Zero::Empty), ("status", Zero::Empty)];
const EVENT: &[Row] = &[
    ("involvedObject", Zero::Empty),
    ("source", Zero::Empty),
    ("firstTimestamp", Zero::Null),
    ("lastTimestamp", Zero::Null),
    ("eventTime", Zero::Null),
    ("reportingComponent", Zero::Text),
    ("reportingInstance", Zero::Text),
];

/// What a struct always has.
fn always(name: &str) -> &'static [Row] {
    match name {
        "Container" | "EphemeralContainer" => &[("resources", Zero::Empty)],
        "PodCondition" | "JobCondition" | "PersistentVolumeClaimCondition" => PROBED,
        "ContainerStatus" => &[("state", Zero::Empty), ("lastState", Zero::Empty)],
        "PodSpec" => POD_SPEC,
        "PodTemplateSpec" => POD_TEMPLATE,
        "Pod" => &[("spec", Zero::Struct(POD_SPEC)), ("status", Zero::Empty)],
        "ContainerStateRunning" => &[("startedAt", Zero::Null)],
        "ContainerStateTerminated" => &[("startedAt", Zero::Null), ("finishedAt", Zero::Null)],
        "Event" => EVENT,
        "Service" => &[("spec", Zero::Empty), ("status", Zero::Struct(BALANCER))],
        "ServicePort" => &[("targetPort", Zero::Number)],
        "ServiceStatus" | "IngressStatus" => BALANCER,
        "Ingress" => &[("spec", Zero::Empty), ("status", Zero::Struct(BALANCER))],
        "IngressServiceBackend" => &[("port", Zero::Empty)],
        "IngressClass" | "Lease" => &[("spec", Zero::Empty)],
        "NetworkPolicy" => &[("spec", Zero::Struct(&[("podSelector", Zero::Empty)]))],
        "NetworkPolicySpec" => &[("podSelector", Zero::Empty)],
        "Node" => &[("spec", Zero::Empty), ("status", Zero::Struct(NODE_STATUS))],
        "NodeStatus" => NODE_STATUS,
        "NodeDaemonEndpoints" => PORT,
        "NodeCondition" => &[
            ("lastHeartbeatTime", Zero::Null),
            ("lastTransitionTime", Zero::Null),
        ],
        "Deployment" | "Job" | "CronJob" | "Namespace" | "PersistentVolume" | "ResourceQuota" => {
            SPEC_AND_STATUS
        }
        "DeploymentSpec" => &[("strategy", Zero::Empty)],
        "DeploymentCondition" => &[("lastUpdateTime", Zero::Null), ("lastTransitionTime", Zero::Null)],
        "ReplicaSet" | "ReplicationController" => {
            &[("spec", Zero::Empty), ("status", Zero::Struct(REPLICAS))]
        }
        "ReplicaSetSpec" => &[("template", Zero::Struct(POD_TEMPLATE))],
        "StatefulSet" => &[
            ("spec", Zero::Empty),
            ("status", Zero::Struct(STATEFUL_SET_STATUS)),
        ],
        "StatefulSetStatus" => STATEFUL_SET_STATUS,
        "StatefulSetSpec" => &[("serviceName", Zero::Text), ("updateStrategy", Zero::Empty)],
        "DaemonSet" => &[("spec", Zero::Empty), ("status", Zero::Struct(DAEMON_SET_STATUS))],
        "DaemonSetSpec" => &[("updateStrategy", Zero::Empty)],
        "PersistentVolumeClaim" => &[
            ("spec", Zero::Struct(&[("resources", Zero::Empty)])),
            ("status", Zero::Empty),
        ],
        "PersistentVolumeClaimSpec" => &[("resources", Zero::Empty)],
        "PodDisruptionBudget" => &[("spec", Zero::Empty), ("status", Zero::Struct(BUDGET_STATUS))],
        "PodDisruptionBudgetStatus" => BUDGET_STATUS,
        "HorizontalPodAutoscaler" => &[("spec", Zero::Empty), ("status", Zero::Struct(HPA_STATUS))],
        "HorizontalPodAutoscalerStatus" => HPA_STATUS,
        "LimitRange" => &[("spec", Zero::Struct(&[("limits", Zero::Null)]))],
        "Role" | "ClusterRole" => &[("rules", Zero::Null)],
        "EndpointSlice" => &[("endpoints", Zero::Null), ("ports", Zero::Null)],
        "Endpoint" => &[("conditions", Zero::Empty)],
        "ReplicaSetCondition"
        | "ReplicationControllerCondition"
        | "StatefulSetCondition"
        | "DaemonSetCondition"
        | "NamespaceCondition"
        | "HorizontalPodAutoscalerCondition" => CONDITION,
        _ => &[],
    }
}

/// What is being written, as JSON text or as a value.
///
/// One type for both and no generic inside, so that the encoders of the 700 generated types exist once
/// and contain little but calls of the functions here.
pub struct Writer {
    form: Form,
    with_zeros: bool,
    open: Vec<Open>,
}

enum Form {
    Text(Vec<u8>),
    /// The value, once it is whole.
    Value(Value),
}

/// A list, map or struct being written.
struct Open {
    /// What is in it so far; nothing when text is written.
    built: Value,
    key: String,
    empty: bool,
    is_list: bool,
    /// What is always in it, and which of that it has got.
    rows: &'static [Row],
    seen: u16,
    /// The names of a struct's fields that were not asked for yet, and how many of them are passed over.
    names: Names,
    absent: usize,
}

/// Names of a struct's fields, each with a space behind it.
pub struct Names(pub &'static str);

impl Names {
    /// The next name, after passing over some; empty after the last.
    pub fn after(&mut self, passed: usize) -> &'static str {
        let mut name = "";
        for _ in 0..=passed {
            let end = self
                .0
                .bytes()
                .position(|byte| byte == b' ')
                .unwrap_or(self.0.len());
            name = self.0.get(..end).unwrap_or("");
            self.0 = self.0.get(end + 1..).unwrap_or("");
        }
        name
    }
}

/// Appends as JSON, with or without what is always there.
pub fn write(out: &mut Vec<u8>, with_zeros: bool, object: impl FnOnce(&mut Writer)) {
    let mut writer = Writer::new(Form::Text(std::mem::take(out)), with_zeros);
    object(&mut writer);
    if let Form::Text(text) = writer.form {
        *out = text;
    }
}

/// As a value, with or without what is always there.
pub fn value(with_zeros: bool, object: impl FnOnce(&mut Writer)) -> Value {
    let mut writer = Writer::new(Form::Value(Value::Null), with_zeros);
    object(&mut writer);
    match writer.form {
        Form::Value(value) => value,
        Form::Text(_) => Value::Null,
    }
}

/// Appends a text in quotes; hardly any has something to escape.
fn quoted(out: &mut Vec<u8>, text: &str) {
    let escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if text.bytes().fold(false, |any, byte| any | escaped(byte)) {
        return serde_json::to_writer(out, text).unwrap_or(());
    }
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

impl Writer {
    fn new(form: Form, with_zeros: bool) -> Writer {
        Writer {
            form,
            with_zeros,
            open: Vec::new(),
        }
    }

    /// A value that is whole goes where it belongs.
    #[inline(never)]
    fn put(&mut self, value: Value) {
        match &mut self.form {
            Form::Text(out) => serde_json::to_writer(out, &value).unwrap_or(()),
            Form::Value(root) => match self.open.last_mut() {
                None => *root = value,
                Some(open) => match &mut open.built {
                    Value::Array(items) => items.push(value),
                    Value::Object(map) => _ = map.insert(std::mem::take(&mut open.key), value),
                    _ => (),
                },
            },
        }
    }

    #[inline(never)]
    pub fn boolean(&mut self, value: bool) {
        self.put(Value::Bool(value));
    }

    #[inline(never)]
    pub fn integer(&mut self, value: i64) {
        self.put(value.into());
    }

    #[inline(never)]
    pub fn text(&mut self, text: &str) {
        match &mut self.form {
            Form::Text(out) => quoted(out, text),
            Form::Value(_) => self.put(text.into()),
        }
    }

    /// Any JSON.
    #[inline(never)]
    pub fn value(&mut self, value: &Value) {
        match &mut self.form {
            Form::Text(out) => serde_json::to_writer(out, value).unwrap_or(()),
            Form::Value(_) => self.put(value.clone()),
        }
    }

    #[inline(never)]
    fn enter(&mut self, is_list: bool, rows: &'static [Row], names: &'static str) {
        let built = match &mut self.form {
            Form::Text(out) => {
                out.push(if is_list { b'[' } else { b'{' });
                Value::Null
            }
            Form::Value(_) if is_list => Value::Array(Vec::new()),
            Form::Value(_) => Value::Object(Map::new()),
        };
        self.open.push(Open {
            built,
            key: String::new(),
            empty: true,
            is_list,
            rows,
            seen: 0,
            names: Names(names),
            absent: 0,
        });
    }

    /// Begins a struct with these fields, each name with a space behind it.
    #[inline(never)]
    pub fn enter_struct(&mut self, name: &str, names: &'static str) {
        self.enter(false, if self.with_zeros { always(name) } else { &[] }, names);
    }

    /// Writes the name of the struct's next field, unless that is absent; whether its value is next.
    #[inline(never)]
    pub fn next_field(&mut self, absent: bool) -> bool {
        let Some(open) = self.open.last_mut() else {
            return false;
        };
        if absent {
            open.absent += 1;
            return false;
        }
        let name = open.names.after(std::mem::take(&mut open.absent));
        self.field(name);
        true
    }

    pub fn list<T: Encode>(&mut self, items: &[T]) {
        self.enter(true, &[], "");
        for item in items {
            self.item();
            item.write(self);
        }
        self.leave();
    }

    /// A map, or a struct whose fields are known here only.
    pub fn fields<'a, T: Encode + 'a>(&mut self, fields: impl Iterator<Item = (&'a str, &'a T)>) {
        self.enter(false, &[], "");
        for (name, value) in fields {
            self.field(name);
            value.write(self);
        }
        self.leave();
    }

    /// What says whose struct it is.
    pub fn type_meta(&mut self, api_version: &str, kind: &str) {
        self.field("apiVersion");
        self.text(api_version);
        self.field("kind");
        self.text(kind);
    }

    /// An item of a list is next.
    #[inline(never)]
    fn item(&mut self) {
        if let (Some(open), Form::Text(out)) = (self.open.last_mut(), &mut self.form)
            && !std::mem::take(&mut open.empty)
        {
            out.push(b',');
        }
    }

    /// The value of a map's entry or of a struct's field is next.
    #[inline(never)]
    fn field(&mut self, key: &str) {
        self.item();
        let Some(open) = self.open.last_mut() else { return };
        if let Some(at) = open.rows.iter().position(|(name, _)| *name == key) {
            open.seen |= 1 << at;
        }
        match &mut self.form {
            Form::Text(out) => {
                quoted(out, key);
                out.push(b':');
            }
            Form::Value(_) => open.key = key.to_owned(),
        }
    }

    #[inline(never)]
    pub fn leave(&mut self) {
        if let Some((rows, seen)) = self.open.last().map(|open| (open.rows, open.seen)) {
            for (at, (name, zero)) in rows.iter().enumerate() {
                if seen & (1 << at) == 0 {
                    self.field(name);
                    self.zero(*zero);
                }
            }
        }
        let Some(open) = self.open.pop() else { return };
        match &mut self.form {
            Form::Text(out) => out.push(if open.is_list { b']' } else { b'}' }),
            Form::Value(_) => self.put(open.built),
        }
    }

    fn zero(&mut self, zero: Zero) {
        match zero {
            Zero::Null => self.put(Value::Null),
            Zero::Number => self.integer(0),
            Zero::Text => self.text(""),
            Zero::Empty => self.whole(&[]),
            Zero::Struct(rows) => self.whole(rows),
        }
    }

    /// A struct in which there is only what is always there.
    fn whole(&mut self, rows: &'static [Row]) {
        self.enter(false, rows, "");
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use crate::api::{Kind, Object};
    use serde_json::json;

    #[test]
    fn empty_structs_times_and_lists_are_written() {
        let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let wire = Object::from_value(Kind::Pod, pod).unwrap().to_wire();
        assert_eq!(wire["spec"]["containers"][0]["resources"], json!({}));
        assert!(
            wire["status"]["conditions"][0]
                .as_object()
                .unwrap()
                .contains_key("lastProbeTime")
        );
        let service = Object::from_value(
            Kind::Service,
            json!({"metadata": {}, "spec": {"ports": [{"port": 80}]}}),
        )
        .unwrap();
        assert_eq!(service.to_wire()["status"], json!({"loadBalancer": {}}));
        let mut bytes = Vec::new();
        service.write_json(&mut bytes);
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap(),
            service.to_wire()
        );
        assert!(
            String::from_utf8(bytes)
                .unwrap()
                .ends_with(r#""ports":[{"port":80,"targetPort":0}]},"status":{"loadBalancer":{}}}"#)
        );
    }
}
