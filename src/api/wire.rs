//! Objects as the API server writes them.
//!
//! Go writes some fields even when nothing is in them: structs that are no pointers as `{}`, times
//! as `null`, lists without `omitempty` as `null`. `k8s-openapi` leaves them out, so they are added
//! on the way out, by the name of the struct they belong to. Source: k8s.io/api, the `json` tags.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Value;

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

impl Serialize for Zero {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Zero::Null => serializer.serialize_unit(),
            Zero::Number => serializer.serialize_i32(0),
            Zero::Text => serializer.serialize_str(""),
            Zero::Empty => serializer.serialize_map(Some(0))?.end(),
            Zero::Struct(rows) => {
                let mut map = serializer.serialize_map(Some(rows.len()))?;
                for (name, zero) in *rows {
                    map.serialize_entry(name, zero)?;
                }
                map.end()
            }
        }
    }
}

/// Appends a typed object as JSON, with what is always there.
pub fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, object: &T) {
    let written = object.serialize(Wire(&mut serde_json::Serializer::new(out), true));
    debug_assert!(written.is_ok(), "a typed object is always JSON");
}

/// A typed object as a value, with or without what is always there. One function for both, so that
/// every type is compiled once.
pub fn value<T: Serialize + ?Sized>(object: &T, with_zeros: bool) -> Value {
    object
        .serialize(Wire(serde_json::value::Serializer, with_zeros))
        .unwrap_or(Value::Null)
}

/// A serializer that adds what is always there, if told to.
struct Wire<S>(S, bool);

/// A value below another: it is written the same way.
struct Below<'a, T: ?Sized>(&'a T, bool);

impl<T: Serialize + ?Sized> Serialize for Below<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Wire(serializer, self.1))
    }
}

/// A struct being written, with what it always has and which of that it has got.
struct Fields<C> {
    inner: C,
    rows: &'static [Row],
    seen: u8,
    with_zeros: bool,
}

macro_rules! pass_on {
    ($($method:ident($type:ty);)*) => { $(fn $method(self, value: $type) -> Result<S::Ok, S::Error> { self.0.$method(value) })* };
}

impl<S: Serializer> Serializer for Wire<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Wire<S::SerializeSeq>;
    type SerializeTuple = Wire<S::SerializeTuple>;
    type SerializeTupleStruct = Wire<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Wire<S::SerializeTupleVariant>;
    type SerializeMap = Wire<S::SerializeMap>;
    type SerializeStruct = Fields<S::SerializeStruct>;
    type SerializeStructVariant = Wire<S::SerializeStructVariant>;

    pass_on! {
        serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64);
        serialize_u8(u8); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64); serialize_f32(f32);
        serialize_f64(f64); serialize_char(char); serialize_str(&str); serialize_bytes(&[u8]);
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Below(value, self.1))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Below(value, self.1))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0
            .serialize_newtype_variant(name, index, variant, &Below(value, self.1))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let zeros = self.1;
        self.0.serialize_seq(len).map(|inner| Wire(inner, zeros))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let zeros = self.1;
        self.0.serialize_tuple(len).map(|inner| Wire(inner, zeros))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let zeros = self.1;
        self.0
            .serialize_tuple_struct(name, len)
            .map(|inner| Wire(inner, zeros))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let zeros = self.1;
        self.0
            .serialize_tuple_variant(name, index, variant, len)
            .map(|inner| Wire(inner, zeros))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let zeros = self.1;
        self.0.serialize_map(len).map(|inner| Wire(inner, zeros))
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let rows = if self.1 { always(name) } else { &[] };
        // The length is a hint, and none is empty: what is added comes at the end.
        let inner = self
            .0
            .serialize_struct(name, len.max(usize::from(!rows.is_empty())))?;
        Ok(Fields {
            inner,
            rows,
            seen: 0,
            with_zeros: self.1,
        })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let zeros = self.1;
        self.0
            .serialize_struct_variant(name, index, variant, len)
            .map(|inner| Wire(inner, zeros))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

impl<C: SerializeStruct> SerializeStruct for Fields<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), C::Error> {
        if let Some(at) = self.rows.iter().position(|(name, _)| *name == key) {
            self.seen |= 1 << at;
        }
        self.inner.serialize_field(key, &Below(value, self.with_zeros))
    }

    fn end(mut self) -> Result<C::Ok, C::Error> {
        for (at, (name, zero)) in self.rows.iter().enumerate() {
            if self.seen & (1 << at) == 0 {
                self.inner.serialize_field(name, zero)?;
            }
        }
        self.inner.end()
    }
}

macro_rules! elements {
    ($($trait:ident, $method:ident;)*) => { $(impl<C: $trait> $trait for Wire<C> {
        type Ok = C::Ok;
        type Error = C::Error;
        fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
            self.0.$method(&Below(value, self.1))
        }
        fn end(self) -> Result<C::Ok, C::Error> {
            self.0.end()
        }
    })* };
}
elements! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

impl<C: SerializeMap> SerializeMap for Wire<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.0.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.0.serialize_value(&Below(value, self.1))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.0.end()
    }
}

impl<C: SerializeStructVariant> SerializeStructVariant for Wire<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), C::Error> {
        self.0.serialize_field(key, &Below(value, self.1))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.0.end()
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
    }
}
