//! In which order Go's encoder writes the fields of a struct: as they are declared. What is no struct to its
//! writer (a map, an object that is not decoded) has its keys sorted.
//!
//! Source: the types.go of k8s.io/api. The protobuf numbers follow the declarations but for fields that came
//! later and stand among older ones: [`MOVED`] has those that an object of `kubectl create` and its kin can have.

use super::{Ty, Type, go_print, proto};
use serde_json::{Map, Value};

/// By struct: a field and the one it stands behind; behind `^` is before all.
const MOVED: [(&str, &str); 19] = [
    ("meta/v1.OwnerReference", "apiVersion:^"),
    ("core/v1.ConfigMap", "immutable:metadata"),
    ("core/v1.Secret", "immutable:metadata stringData:data"),
    (
        "core/v1.PodStatus",
        "observedGeneration:^ nominatedNodeName:reason hostIPs:hostIP podIPs:podIP initContainerStatuses:startTime",
    ),
    ("core/v1.NodeSpec", "podCIDRs:podCIDR"),
    ("core/v1.PodCondition", "observedGeneration:type"),
    (
        "core/v1.ServiceSpec",
        "clusterIPs:clusterIP ipFamilies:sessionAffinityConfig",
    ),
    ("core/v1.ServicePort", "appProtocol:protocol"),
    (
        "apps/v1.DeploymentStatus",
        "readyReplicas:updatedReplicas terminatingReplicas:unavailableReplicas",
    ),
    (
        "apps/v1.DeploymentCondition",
        "lastUpdateTime:status lastTransitionTime:lastUpdateTime",
    ),
    ("apps/v1.DaemonSetStatus", "observedGeneration:numberReady"),
    ("apps/v1.ReplicaSetSpec", "minReadySeconds:replicas"),
    (
        "apps/v1.ReplicaSetStatus",
        "readyReplicas:fullyLabeledReplicas availableReplicas:readyReplicas terminatingReplicas:availableReplicas",
    ),
    ("core/v1.ReplicationControllerSpec", "minReadySeconds:replicas"),
    (
        "batch/v1.JobSpec",
        "podFailurePolicy:activeDeadlineSeconds successPolicy:podFailurePolicy backoffLimit:successPolicy backoffLimitPerIndex:backoffLimit maxFailedIndexes:backoffLimitPerIndex",
    ),
    ("batch/v1.CronJobSpec", "timeZone:schedule"),
    ("networking/v1.IngressSpec", "ingressClassName:^"),
    ("networking/v1.HTTPIngressPath", "pathType:path"),
    (
        "authentication/v1.TokenRequestSpec",
        "expirationSeconds:audiences",
    ),
];

fn order(ty: &Type) -> Vec<String> {
    if let Some(order) = go_print::order(ty) {
        return order;
    }
    let mut order: Vec<String> = proto::order(ty).into_iter().map(str::to_owned).collect();
    let name = format!("{}.{}", ty.package, ty.name);
    let moved = MOVED
        .iter()
        .find(|(own, _)| *own == name)
        .map_or("", |(_, moved)| moved);
    for (field, before) in moved.split(' ').filter_map(|pair| pair.split_once(':')) {
        order.retain(|own| own != field);
        let at = order.iter().position(|own| own == before).map_or(0, |at| at + 1);
        order.insert(at, field.to_owned());
    }
    order
}

/// The fields of a value of a struct as Go writes them, each with what it holds; `kind` and `apiVersion`, which an
/// object embeds, come first, and what the struct does not know comes last.
pub fn fields<'a>(
    ty: &'static Type,
    value: &'a Map<String, Value>,
) -> Vec<(&'a String, &'a Value, Option<&'static Ty>)> {
    let order = order(ty);
    let own = |name: &str| ty.field(name).map(|field| &field.ty);
    let embedded = ["kind", "apiVersion"]
        .into_iter()
        .filter(|name| !order.iter().any(|own| own == name));
    let known: Vec<&str> = embedded.chain(order.iter().map(String::as_str)).collect();
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
    fn what_is_moved_is_there() {
        for (name, moved) in MOVED {
            let order = proto::order(named(name).unwrap_or_else(|| panic!("no type {name}")));
            for name in moved.split([' ', ':']).filter(|name| !["", "^"].contains(name)) {
                assert!(order.contains(&name), "{name}");
            }
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
