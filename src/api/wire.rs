//! Objects as the API server writes them.
//!
//! Go writes some fields even when nothing is in them: structs that are no pointers as `{}`, times
//! as `null`, lists without `omitempty` as `null`. `k8s-openapi` leaves them out, so they are added
//! on the way out, by the name of the struct they belong to. Source: k8s.io/api, the `json` tags.

use super::trusted::Never;
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
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
    /// The next text is the name of a map's entry.
    at_key: bool,
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
}

/// Appends as JSON, with what is always there.
pub fn write(out: &mut Vec<u8>, object: impl FnOnce(&mut Writer)) {
    let mut writer = Writer::new(Form::Text(std::mem::take(out)), true);
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

impl Writer {
    fn new(form: Form, with_zeros: bool) -> Writer {
        Writer {
            form,
            with_zeros,
            open: Vec::new(),
            at_key: false,
        }
    }

    /// Writes a typed object. Every Kubernetes type can be.
    pub fn object<T: Serialize>(&mut self, object: &T) {
        match object.serialize(self) {
            Ok(()) => (),
            Err(never) => match never {},
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
    fn boolean(&mut self, value: bool) {
        self.put(Value::Bool(value));
    }

    #[inline(never)]
    fn integer(&mut self, value: i64) {
        self.put(value.into());
    }

    #[inline(never)]
    fn text(&mut self, text: &str) {
        if std::mem::take(&mut self.at_key) {
            return self.field(text);
        }
        match &mut self.form {
            Form::Text(out) => serde_json::to_writer(out, text).unwrap_or(()),
            Form::Value(_) => self.put(text.into()),
        }
    }

    #[inline(never)]
    fn enter(&mut self, is_list: bool, rows: &'static [Row]) {
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
        });
    }

    #[inline(never)]
    fn enter_struct(&mut self, name: &str) {
        self.enter(false, if self.with_zeros { always(name) } else { &[] });
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
                serde_json::to_writer(&mut *out, key).unwrap_or(());
                out.push(b':');
            }
            Form::Value(_) => open.key = key.to_owned(),
        }
    }

    #[inline(never)]
    fn leave(&mut self) {
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
        self.enter(false, rows);
        self.leave();
    }
}

macro_rules! scalars {
    ($($method:ident($value:ident: $type:ty) => $write:ident($written:expr);)*) => {
        $(fn $method(self, $value: $type) -> Result<(), Never> {
            self.$write($written);
            Ok(())
        })*
    };
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = &'a mut Writer;
    type SerializeTuple = &'a mut Writer;
    type SerializeTupleStruct = &'a mut Writer;
    type SerializeTupleVariant = &'a mut Writer;
    type SerializeMap = &'a mut Writer;
    type SerializeStruct = &'a mut Writer;
    type SerializeStructVariant = &'a mut Writer;

    scalars! {
        serialize_bool(value: bool) => boolean(value);
        serialize_i8(value: i8) => integer(value.into());
        serialize_i16(value: i16) => integer(value.into());
        serialize_i32(value: i32) => integer(value.into());
        serialize_i64(value: i64) => integer(value);
        serialize_u8(value: u8) => integer(value.into());
        serialize_u16(value: u16) => integer(value.into());
        serialize_u32(value: u32) => integer(value.into());
        serialize_u64(value: u64) => put(value.into());
        serialize_f32(value: f32) => put(value.into());
        serialize_f64(value: f64) => put(value.into());
        serialize_char(value: char) => text(value.encode_utf8(&mut [0; 4]));
        serialize_str(value: &str) => text(value);
        serialize_bytes(value: &[u8]) => put(value.into());
    }

    fn serialize_none(self) -> Result<(), Never> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Never> {
        self.put(Value::Null);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Never> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Never> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        self.enter(false, &[]);
        self.field(variant);
        value.serialize(&mut *self)?;
        self.leave();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Never> {
        self.enter(true, &[]);
        Ok(self)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self, Never> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, Never> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, Never> {
        self.serialize_seq(Some(length))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Never> {
        self.enter(false, &[]);
        Ok(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self, Never> {
        self.enter_struct(name);
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, Never> {
        self.serialize_struct(name, length)
    }
}

macro_rules! elements {
    ($($trait:ident, $method:ident;)*) => { $(impl $trait for &mut Writer {
        type Ok = ();
        type Error = Never;
        fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
            self.item();
            value.serialize(&mut **self)
        }
        fn end(self) -> Result<(), Never> {
            self.leave();
            Ok(())
        }
    })* };
}
elements! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

impl SerializeMap for &mut Writer {
    type Ok = ();
    type Error = Never;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Never> {
        self.at_key = true;
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Never> {
        self.leave();
        Ok(())
    }
}

macro_rules! fields {
    ($($trait:ident;)*) => { $(impl $trait for &mut Writer {
        type Ok = ();
        type Error = Never;
        fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Never> {
            self.field(key);
            value.serialize(&mut **self)
        }
        fn end(self) -> Result<(), Never> {
            self.leave();
            Ok(())
        }
    })* };
}
fields! { SerializeStruct; SerializeStructVariant; }

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
