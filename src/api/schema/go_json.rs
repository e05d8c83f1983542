//! What Go holds of an object in a struct, and how it writes it: in which order its encoder writes the fields of a struct: as they are declared. What is no struct to its
//! writer (a map, an object that is not decoded) has its keys sorted.
//!
//! Source: the types.go of k8s.io/api, for the objects that `kubectl create` and its kin hold and all that is in
//! them. Where a struct is not in `order.txt` its fields are declared in the order of the alphabet, or it is a
//! volume of a kind that Kubernetes has removed.

use super::{Ty, Type, go_print};
use serde_json::{Map, Value};

static TEXT: &str = include_str!("order.txt");

fn order(ty: &Type) -> Vec<String> {
    if let Some(order) = go_print::order(ty) {
        return order;
    }
    let name = format!("{}.{}", ty.package, ty.name);
    let mut lines = TEXT.lines().filter_map(|line| line.split_once(' '));
    match lines.find(|(own, _)| *own == name) {
        Some((_, fields)) => fields.split(' ').map(str::to_owned).collect(),
        None => ty.fields.iter().map(|field| field.name.to_owned()).collect(),
    }
}

/// The fields of a value of a struct as Go writes them, each with what it holds; `kind` and `apiVersion`, which an
/// object embeds, come first, and what the struct does not know comes last.
pub fn fields<'a>(
    ty: &'static Type,
    value: &'a Map<String, Value>,
) -> Vec<(&'a String, &'a Value, Option<&'static Ty>)> {
    let order = order(ty);
    let own = |name: &str| ty.field(name).map(|field| &field.ty);
    let is_object = ty.field("metadata").is_some();
    let embedded = ["kind", "apiVersion"].into_iter().filter(|_| is_object);
    let others = order.iter().map(String::as_str);
    let known: Vec<&str> = embedded
        .chain(others.filter(|name| !is_object || !["kind", "apiVersion"].contains(name)))
        .collect();
    let first = known.iter().filter_map(|name| value.get_key_value(*name));
    let rest = value.iter().filter(|(name, _)| !known.contains(&name.as_str()));
    first
        .chain(rest)
        .map(|(name, value)| (name, value, own(name)))
        .collect()
}

/// Fields younger than the structs of the kubectl that the console has (1.32): decoding loses them.
const YOUNGER: [(&str, &str); 4] = [
    ("apps/v1.DeploymentStatus", "terminatingReplicas"),
    ("apps/v1.ReplicaSetStatus", "terminatingReplicas"),
    ("core/v1.PodCondition", "observedGeneration"),
    ("core/v1.PodStatus", "observedGeneration"),
];

/// An object as kubectl prints it once it has decoded it into its struct.
pub fn held(mut value: Value, ty: &'static Type) -> Value {
    normalize(&mut value, ty);
    as_1_32(&mut value, ty);
    value
}

/// What the structs of kubectl 1.32 have otherwise: they write the time an object was created even where there is
/// none, and who reported an Event, and do not know what is younger.
fn as_1_32(value: &mut Value, ty: &'static Type) {
    let Value::Object(map) = value else { return };
    let name = format!("{}.{}", ty.package, ty.name);
    if name == "meta/v1.ObjectMeta" {
        map.entry("creationTimestamp").or_insert(Value::Null);
    }
    if name == "core/v1.Event" {
        for field in ["reportingComponent", "reportingInstance"] {
            map.entry(field).or_insert_with(|| "".into());
        }
    }
    for (own, field) in YOUNGER {
        if own == name {
            map.remove(field);
        }
    }
    for field in &ty.fields {
        if let (Some(inner), Some(value)) = (field.ty.base_struct(), map.get_mut(field.name)) {
            each(value, &field.ty, &|value| as_1_32(value, inner));
        }
    }
}

/// Visits the structs at the bottom of lists and maps.
fn each(value: &mut Value, ty: &'static Ty, visit: &dyn Fn(&mut Value)) {
    match (ty, value) {
        (Ty::Struct(_), value) => visit(value),
        (Ty::List(inner), Value::Array(items)) => items.iter_mut().for_each(|item| each(item, inner, visit)),
        (Ty::Map(inner), Value::Object(map)) => map.values_mut().for_each(|item| each(item, inner, visit)),
        _ => {}
    }
}

/// An object as Go's types hold it: structs without a pointer are there, what is zero is not.
pub fn normalized(mut value: Value, ty: &'static Type) -> Value {
    normalize(&mut value, ty);
    value
}

fn normalize(value: &mut Value, ty: &'static Type) {
    let Value::Object(map) = value else { return };
    map.retain(|key, inner| match ty.field(key) {
        Some(field) if !field.is_dropped(inner) => {
            if let Some(ty) = field.ty.base_struct() {
                each(inner, &field.ty, &|value| normalize(value, ty));
            }
            true
        }
        _ => false,
    });
    for field in ty.fields.iter().filter(|field| field.plain || field.required) {
        if !map.contains_key(field.name) {
            map.insert(field.name.to_owned(), zero(&field.ty));
        }
    }
}

/// An object of a type as Go makes a new one.
pub fn empty(ty: &'static Type) -> Value {
    normalized(Value::Object(Map::new()), ty)
}

fn zero(ty: &'static Ty) -> Value {
    match ty {
        Ty::Struct(id) => empty(id.get()),
        Ty::String => "".into(),
        Ty::Int32 | Ty::Int64 | Ty::Double | Ty::IntOrString => 0.into(),
        Ty::Bool => false.into(),
        Ty::Quantity => "0".into(),
        Ty::Bytes | Ty::Time | Ty::MicroTime | Ty::Raw | Ty::FieldsV1 | Ty::List(_) | Ty::Map(_) => {
            Value::Null
        }
    }
}

/// The type Go decodes a value into that it knows no struct for.
pub fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use super::super::named;
    use super::*;

    #[test]
    fn the_table_names_every_field() {
        for (name, fields) in TEXT.lines().filter_map(|line| line.split_once(' ')) {
            let ty = named(name).unwrap_or_else(|| panic!("no type {name}"));
            let mut names: Vec<&str> = fields.split(' ').collect();
            names.sort_unstable();
            // An object embeds these two.
            let is_object = ty.field("metadata").is_some();
            let own = ty.fields.iter().map(|field| field.name);
            let own: Vec<&str> = own
                .filter(|own| !is_object || !["kind", "apiVersion"].contains(own))
                .collect();
            assert_eq!(names, own, "{name}");
        }
    }

    #[test]
    fn fields_stand_as_they_are_declared() {
        let ty = named("core/v1.Service").unwrap();
        let value =
            serde_json::json!({"metadata": {}, "apiVersion": "v1", "spec": {}, "kind": "Service", "more": 1});
        let names: Vec<_> = fields(ty, value.as_object().unwrap())
            .into_iter()
            .map(|(name, ..)| name.as_str())
            .collect();
        assert_eq!(names, ["kind", "apiVersion", "metadata", "spec", "more"]);
        let spec = order(named("core/v1.ServiceSpec").unwrap());
        assert_eq!(
            spec[..5],
            ["ports", "selector", "clusterIP", "clusterIPs", "type"]
        );
        assert_eq!(
            order(named("networking/v1.IngressSpec").unwrap())[0],
            "ingressClassName"
        );
    }
}
