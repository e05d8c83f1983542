//! Patches that kubectl computes: two- and three-way strategic merge, and JSON merge.
//!
//! Source: k8s.io/apimachinery/pkg/util/strategicpatch and jsonmergepatch.

use serde_json::{Map, Value, json};

/// How a list is patched: by this key of its elements, or as a whole.
fn merge_key(field: &str, items: &[&Value]) -> Option<&'static str> {
    let has = |key: &str| {
        items
            .iter()
            .flat_map(|l| l.as_array())
            .flatten()
            .any(|item| item.get(key).is_some())
    };
    Some(match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "secrets" => "name",
        "ports" if has("containerPort") => "containerPort",
        "ports" => "port",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "hostAliases" => "ip",
        "topologySpreadConstraints" => "topologyKey",
        "conditions" | "addresses" => "type",
        "ownerReferences" => "uid",
        _ => return None,
    })
}

/// Lists of plain values that are merged as sets.
fn primitive_merge(field: &str) -> bool {
    field == "finalizers"
}

/// Endpoints and EndpointSlices, Ingresses and the like carry lists of the same names that are
/// replaced whole.
fn knows_keys(kind: &str) -> bool {
    !matches!(kind, "EndpointSlice" | "Endpoints" | "NetworkPolicy" | "Ingress")
}

/// The strategic merge patch that turns `from` into `to`.
pub fn two_way(from: &Value, to: &Value) -> Value {
    let keyed = knows_keys(to["kind"].as_str().unwrap_or(""));
    let mut patch = diff_maps(
        from,
        to,
        Mode {
            additions: true,
            deletions: true,
            keyed,
        },
    );
    ensure_map(&mut patch);
    patch
}

/// The patch of `kubectl apply`: what `modified` changes in `current`, and what `original` had
/// and `modified` no longer has.
pub fn three_way(original: &Value, modified: &Value, current: &Value) -> Value {
    let keyed = knows_keys(modified["kind"].as_str().unwrap_or(""));
    let mut delta = diff_maps(
        current,
        modified,
        Mode {
            additions: true,
            deletions: false,
            keyed,
        },
    );
    let deletions = diff_maps(
        original,
        modified,
        Mode {
            additions: false,
            deletions: true,
            keyed,
        },
    );
    ensure_map(&mut delta);
    combine(&mut delta, deletions);
    delta
}

/// The JSON merge patch of `kubectl apply` for kinds whose lists have no keys.
pub fn three_way_json(original: &Value, modified: &Value, current: &Value) -> Value {
    let mut patch = json_diff(current, modified);
    ensure_map(&mut patch);
    let mut gone = removed(original, modified);
    ensure_map(&mut gone);
    combine(&mut patch, gone);
    patch
}

fn json_diff(from: &Value, to: &Value) -> Value {
    let (Some(a), Some(b)) = (from.as_object(), to.as_object()) else {
        return to.clone();
    };
    let mut patch = Map::new();
    for (key, value) in b {
        match a.get(key) {
            Some(old) if old == value => {}
            Some(old) if old.is_object() && value.is_object() => {
                let inner = json_diff(old, value);
                if inner.as_object().is_some_and(|m| !m.is_empty()) {
                    patch.insert(key.clone(), inner);
                }
            }
            _ => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(patch)
}

fn removed(original: &Value, modified: &Value) -> Value {
    let (Some(a), Some(b)) = (original.as_object(), modified.as_object()) else {
        return json!({});
    };
    let mut patch = Map::new();
    for (key, value) in a {
        match b.get(key) {
            None => drop(patch.insert(key.clone(), Value::Null)),
            Some(new) if value.is_object() && new.is_object() => {
                let inner = removed(value, new);
                if inner.as_object().is_some_and(|m| !m.is_empty()) {
                    patch.insert(key.clone(), inner);
                }
            }
            Some(_) => {}
        }
    }
    Value::Object(patch)
}

fn ensure_map(value: &mut Value) {
    if !value.is_object() {
        *value = json!({});
    }
}

#[derive(Clone, Copy)]
struct Mode {
    additions: bool,
    deletions: bool,
    keyed: bool,
}

fn diff_maps(from: &Value, to: &Value, mode: Mode) -> Value {
    let empty = Map::new();
    let (a, b) = (
        from.as_object().unwrap_or(&empty),
        to.as_object().unwrap_or(&empty),
    );
    let mut patch = Map::new();
    for (key, new) in b {
        let Some(old) = a.get(key) else {
            if mode.additions {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        };
        if old == new {
            continue;
        }
        match (old, new) {
            (Value::Object(_), Value::Object(_)) => {
                let inner = diff_maps(old, new, mode);
                if inner.as_object().is_some_and(|m| !m.is_empty()) {
                    patch.insert(key.clone(), inner);
                }
            }
            (Value::Array(x), Value::Array(y)) => match merge_key(key, &[old, new]).filter(|_| mode.keyed) {
                Some(merge_key) => diff_keyed(key, merge_key, x, y, mode, &mut patch),
                None if primitive_merge(key) => {
                    let added: Vec<Value> = y.iter().filter(|v| !x.contains(v)).cloned().collect();
                    let gone: Vec<Value> = x.iter().filter(|v| !y.contains(v)).cloned().collect();
                    if mode.additions && !added.is_empty() {
                        patch.insert(key.clone(), added.into());
                    }
                    if mode.deletions && !gone.is_empty() {
                        patch.insert(format!("$deleteFromPrimitiveList/{key}"), gone.into());
                    }
                    patch.insert(format!("$setElementOrder/{key}"), new.clone());
                }
                None if mode.additions => drop(patch.insert(key.clone(), new.clone())),
                None => {}
            },
            _ if mode.additions => drop(patch.insert(key.clone(), new.clone())),
            _ => {}
        }
    }
    if mode.deletions {
        for key in a.keys().filter(|k| !b.contains_key(*k)) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    Value::Object(patch)
}

fn diff_keyed(
    field: &str,
    key: &str,
    from: &[Value],
    to: &[Value],
    mode: Mode,
    patch: &mut Map<String, Value>,
) {
    let same = |a: &Value, b: &Value| a.get(key).is_some() && a.get(key) == b.get(key);
    let mut items = Vec::new();
    for new in to {
        match from.iter().find(|old| same(old, new)) {
            Some(old) if old == new => {}
            Some(old) => {
                let mut inner = diff_maps(old, new, mode);
                if inner.as_object().is_some_and(|m| !m.is_empty()) {
                    inner[key] = new[key].clone();
                    items.push(inner);
                }
            }
            None if mode.additions => items.push(new.clone()),
            None => {}
        }
    }
    if mode.deletions {
        for old in from.iter().filter(|old| !to.iter().any(|new| same(old, new))) {
            items.push(json!({"$patch": "delete", key: old[key].clone()}));
        }
    }
    let order = |list: &[Value]| {
        list.iter()
            .filter_map(|v| v.get(key).cloned())
            .collect::<Vec<_>>()
    };
    let kept_order = order(to);
    let old_order: Vec<Value> = order(from)
        .into_iter()
        .filter(|k| kept_order.contains(k))
        .collect();
    let moved = mode.additions
        && old_order
            != kept_order
                .iter()
                .filter(|k| old_order.contains(k))
                .cloned()
                .collect::<Vec<_>>();
    if !items.is_empty() || moved {
        let order: Vec<Value> = kept_order.into_iter().map(|k| json!({ key: k })).collect();
        patch.insert(format!("$setElementOrder/{field}"), order.into());
    }
    if !items.is_empty() {
        patch.insert(field.to_owned(), items.into());
    }
}

/// Puts the second patch into the first: maps merged, keyed lists joined.
fn combine(into: &mut Value, other: Value) {
    let (Some(target), Value::Object(other)) = (into.as_object_mut(), other) else {
        return;
    };
    for (key, value) in other {
        match target.get_mut(&key) {
            Some(existing) if existing.is_object() && value.is_object() => combine(existing, value),
            Some(Value::Array(items)) if value.is_array() && !key.starts_with('$') => {
                let merge_key = merge_key(&key, &[&Value::Array(items.clone()), &value]).unwrap_or("name");
                for item in value.as_array().into_iter().flatten() {
                    match items
                        .iter_mut()
                        .find(|i| i.get(merge_key).is_some() && i.get(merge_key) == item.get(merge_key))
                    {
                        Some(existing) => combine(existing, item.clone()),
                        None => items.push(item.clone()),
                    }
                }
            }
            Some(_) => {}
            None => drop(target.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategic() {
        let from = json!({"kind": "Deployment", "spec": {"replicas": 3, "containers": [{"name": "web", "image": "a", "env": [{"name": "A", "value": "1"}]}]}});
        let to = json!({"kind": "Deployment", "spec": {"replicas": 4, "containers": [{"name": "web", "image": "b", "env": [{"name": "A", "value": "1"}]}]}});
        assert_eq!(
            two_way(&from, &to),
            json!({"spec": {"replicas": 4, "$setElementOrder/containers": [{"name": "web"}], "containers": [{"name": "web", "image": "b"}]}})
        );
        assert_eq!(two_way(&to, &to), json!({}));
    }

    #[test]
    fn three_ways() {
        let original = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"env": [{"name": "X"}, {"name": "Y"}]}});
        let modified = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"env": [{"name": "X"}]}});
        let current = json!({"metadata": {"labels": {"a": "1", "b": "2", "live": "x"}}, "spec": {"env": [{"name": "X"}, {"name": "Y"}, {"name": "Z"}]}, "status": {}});
        assert_eq!(
            three_way(&original, &modified, &current),
            json!({"metadata": {"labels": {"b": null}}, "spec": {"$setElementOrder/env": [{"name": "X"}], "env": [{"$patch": "delete", "name": "Y"}]}})
        );
        assert_eq!(
            three_way_json(&original, &modified, &current)["metadata"],
            json!({"labels": {"b": null}})
        );
    }
}
