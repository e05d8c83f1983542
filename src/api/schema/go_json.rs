//! In which order Go's encoder writes the fields of a struct: as they are declared. What is no struct to its
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
const YOUNGER: [&str; 3] = [
    "apps/v1.DeploymentStatus terminatingReplicas",
    "apps/v1.ReplicaSetStatus terminatingReplicas",
    "core/v1.PodStatus observedGeneration",
];

/// Puts in what Go writes even where there is nothing: structs without a pointer, and the time an object was created.
pub fn fill(ty: &'static Type, value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    if (ty.package, ty.name) == ("meta/v1", "ObjectMeta") && !map.contains_key("creationTimestamp") {
        map.insert("creationTimestamp".to_owned(), Value::Null);
    }
    for younger in YOUNGER.iter().filter_map(|line| line.split_once(' ')) {
        if younger.0 == format!("{}.{}", ty.package, ty.name) {
            map.remove(younger.1);
        }
    }
    for field in &ty.fields {
        if let (Ty::Struct(_), true, false) = (&field.ty, field.plain, map.contains_key(field.name)) {
            map.insert(field.name.to_owned(), Value::Object(Map::new()));
        }
        if let Some(value) = map.get_mut(field.name) {
            fill_field(&field.ty, value);
        }
    }
}

fn fill_field(ty: &'static Ty, value: &mut Value) {
    match ty {
        Ty::Struct(id) => fill(id.get(), value),
        Ty::List(inner) => value
            .as_array_mut()
            .into_iter()
            .flatten()
            .for_each(|item| fill_field(inner, item)),
        Ty::Map(inner) => value
            .as_object_mut()
            .into_iter()
            .for_each(|map| map.values_mut().for_each(|item| fill_field(inner, item))),
        _ => {}
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
