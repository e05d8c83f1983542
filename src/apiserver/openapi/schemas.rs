//! `components.schemas`: the types a group and version's kinds reach.

use super::gvk;
use crate::api::Kind;
use crate::api::schema::{self, Field, Ty, Type, docs};
use crate::api::sorted::SortedMap;
use crate::apiserver::http::alias;
use serde_json::{Map, Value, json};

/// Kinds that are served but not stored, as group, version, type.
const QUESTIONS: &[(&str, &str, &str)] = &[
    ("", "v1", "core/v1.Binding"),
    ("policy", "v1", "policy/v1.Eviction"),
    ("autoscaling", "v1", "autoscaling/v1.Scale"),
    ("authentication.k8s.io", "v1", "authentication/v1.TokenRequest"),
    ("authentication.k8s.io", "v1", "authentication/v1.TokenReview"),
    (
        "authentication.k8s.io",
        "v1",
        "authentication/v1.SelfSubjectReview",
    ),
    (
        "authorization.k8s.io",
        "v1",
        "authorization/v1.SubjectAccessReview",
    ),
    (
        "authorization.k8s.io",
        "v1",
        "authorization/v1.SelfSubjectAccessReview",
    ),
    (
        "authorization.k8s.io",
        "v1",
        "authorization/v1.LocalSubjectAccessReview",
    ),
    (
        "authorization.k8s.io",
        "v1",
        "authorization/v1.SelfSubjectRulesReview",
    ),
];

/// The type of a stored kind in the version of its alias.
pub fn root(kind: Kind, group: &str, version: &str) -> Option<&'static Type> {
    if kind.info().group == group && kind.info().version == version {
        return Some(schema::of(kind));
    }
    alias::all()
        .iter()
        .find(|a| a.kind == kind && a.group == group)
        .and_then(|a| schema::named(a.type_name))
}

pub fn of(group: &str, version: &str) -> Map<String, Value> {
    let mut out = Collected::default();
    for resource in crate::apiserver::discovery::stored(group, version) {
        let Some(ty) = root(resource, group, version) else {
            continue;
        };
        let name = resource.name();
        out.add(ty);
        if let Some(value) = out.schemas.get_mut(&schema_name(ty)) {
            value["x-kubernetes-group-version-kind"] = json!([gvk(group, version, name)]);
        }
        out.add_list(ty, group, version, name);
    }
    for (own, _, name) in QUESTIONS.iter().filter(|(g, v, _)| *g == group && *v == version) {
        let Some(ty) = schema::named(name) else { continue };
        out.add(ty);
        if let Some(value) = out.schemas.get_mut(&schema_name(ty)) {
            value["x-kubernetes-group-version-kind"] = json!([gvk(own, version, ty.name)]);
        }
    }
    for name in ["meta/v1.DeleteOptions", "meta/v1.Status"] {
        schema::named(name).into_iter().for_each(|ty| out.add(ty));
    }
    out.schemas.insert(format!("{META}.Patch"), json!({
        "description": "Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.", "type": "object",
    }));
    out.schemas.into_iter().collect()
}

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// `io.k8s.api.core.v1.Pod`
pub fn schema_name(ty: &Type) -> String {
    match ty.package {
        "meta/v1" => format!("{META}.{}", ty.name),
        package => format!("io.k8s.api.{}.{}", package.replace('/', "."), ty.name),
    }
}

#[derive(Default)]
struct Collected {
    schemas: SortedMap<String, Value>,
}

impl Collected {
    fn add(&mut self, ty: &'static Type) {
        let name = schema_name(ty);
        if self.schemas.contains_key(&name) {
            return;
        }
        self.schemas.insert(name.clone(), Value::Null);
        let mut properties = Map::new();
        for field in &ty.fields {
            let mut value = self.of_type(&field.ty, true);
            let doc = docs().description(ty, field);
            if !doc.is_empty() {
                value["description"] = doc.into();
            }
            let values: Vec<Value> = docs().values(field).map(|(value, _)| value.into()).collect();
            if !values.is_empty() {
                innermost(&mut value)["enum"] = Value::Array(values);
            }
            annotate(&mut value, field);
            properties.insert(field.name.to_owned(), value);
        }
        let required: Vec<&str> = ty
            .fields
            .iter()
            .filter(|f| f.required && f.name != "metadata")
            .map(|f| f.name)
            .collect();
        let mut value = json!({"type": "object"});
        if !properties.is_empty() {
            value["properties"] = Value::Object(properties);
        }
        if !required.is_empty() {
            value["required"] = json!(required);
        }
        let doc = docs().of_type(ty);
        if !doc.is_empty() {
            value["description"] = doc.into();
        }
        if ty.atomic {
            value["x-kubernetes-map-type"] = "atomic".into();
        }
        self.schemas.insert(name, value);
    }

    /// `PodList` with `items`.
    fn add_list(&mut self, ty: &'static Type, group: &str, version: &str, kind: &str) {
        if let Some(meta) = schema::named("meta/v1.ListMeta") {
            self.add(meta);
        } else {
            self.schemas
                .entry(format!("{META}.ListMeta"))
                .or_insert_with(list_meta);
        }
        let own = schema_name(ty);
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        self.schemas.insert(
            format!("{own}List"),
            json!({
                "description": format!("{kind}List is a list of {kind} objects."), "type": "object", "required": ["items"],
                "properties": {
                    "apiVersion": {"type": "string"}, "kind": {"type": "string"},
                    "metadata": {"allOf": [reference(&format!("{META}.ListMeta"))], "default": {}},
                    "items": {"type": "array", "items": {"allOf": [reference(&own)], "default": {}}},
                },
                "x-kubernetes-group-version-kind": [gvk(group, version, &format!("{kind}List"))],
            }),
        );
    }

    fn of_type(&mut self, ty: &Ty, top: bool) -> Value {
        let mut shared = |name: &str, value: Value| {
            self.schemas.entry(name.to_owned()).or_insert(value);
            json!({"allOf": [{"$ref": format!("#/components/schemas/{name}")}]})
        };
        match ty {
            Ty::String => json!({"type": "string"}),
            Ty::Int32 => json!({"type": "integer", "format": "int32"}),
            Ty::Int64 => json!({"type": "integer", "format": "int64"}),
            Ty::Bool => json!({"type": "boolean"}),
            Ty::Double => json!({"type": "number", "format": "double"}),
            Ty::Bytes => json!({"type": "string", "format": "byte"}),
            Ty::IntOrString => shared(
                "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
                json!({"description": "IntOrString is a type that can hold an int32 or a string.", "oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"}),
            ),
            Ty::Quantity => shared(
                "io.k8s.apimachinery.pkg.api.resource.Quantity",
                json!({"description": "Quantity is a fixed-point representation of a number.", "oneOf": [{"type": "string"}, {"type": "number"}]}),
            ),
            Ty::Time => shared(
                "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
                json!({"description": "Time is a moment in RFC3339 form.", "type": "string", "format": "date-time"}),
            ),
            Ty::MicroTime => shared(
                "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
                json!({"description": "MicroTime is a moment with microseconds.", "type": "string", "format": "date-time"}),
            ),
            Ty::Raw => shared(
                "io.k8s.apimachinery.pkg.runtime.RawExtension",
                json!({"description": "RawExtension holds any object.", "type": "object"}),
            ),
            Ty::FieldsV1 => shared(
                "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
                json!({"description": "FieldsV1 stores a set of fields in a trie.", "type": "object"}),
            ),
            Ty::Struct(id) => {
                self.add(id.get());
                let mut value =
                    json!({"allOf": [{"$ref": format!("#/components/schemas/{}", schema_name(id.get()))}]});
                if top {
                    value["default"] = json!({});
                }
                value
            }
            Ty::List(inner) => json!({"type": "array", "items": self.of_type(inner, false)}),
            Ty::Map(inner) => json!({"type": "object", "additionalProperties": self.of_type(inner, false)}),
        }
    }
}

/// What is at the bottom of lists and maps.
fn innermost(value: &mut Value) -> &mut Value {
    for inner in ["items", "additionalProperties"] {
        if value[inner].is_object() {
            return innermost(&mut value[inner]);
        }
    }
    value
}

/// What patches need to know of a field.
fn annotate(value: &mut Value, field: &Field) {
    if let Some(key) = field.merge_key {
        value["x-kubernetes-patch-merge-key"] = key.into();
    }
    match (field.merge, field.retain_keys) {
        (true, true) => value["x-kubernetes-patch-strategy"] = "merge,retainKeys".into(),
        (true, false) => value["x-kubernetes-patch-strategy"] = "merge".into(),
        (false, true) => value["x-kubernetes-patch-strategy"] = "retainKeys".into(),
        (false, false) => {}
    }
    if !field.list_keys.is_empty() {
        value["x-kubernetes-list-type"] = "map".into();
        value["x-kubernetes-list-map-keys"] = json!(field.list_keys);
    } else if field.set {
        value["x-kubernetes-list-type"] = "set".into();
    } else if matches!(field.ty, Ty::List(_)) && !field.merge {
        value["x-kubernetes-list-type"] = "atomic".into();
    }
    if field.atomic {
        value["x-kubernetes-map-type"] = "atomic".into();
    }
}

fn list_meta() -> Value {
    json!({
        "description": "ListMeta describes metadata that synthetic resources must have, including lists and various status objects.",
        "type": "object",
        "properties": {
            "continue": {"type": "string"}, "remainingItemCount": {"type": "integer", "format": "int64"},
            "resourceVersion": {"type": "string"}, "selfLink": {"type": "string"},
        },
    })
}
