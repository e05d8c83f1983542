//! Strategic merge patch: lists merged by their keys, directives, and the order elements end up in.
//!
//! Source: k8s.io/apimachinery/pkg/util/strategicpatch/patch.go.

use super::print;
use crate::api::order::StableSort;
use crate::api::schema::{self, Field, Ty, Type};
use crate::api::{Kind, Status};
use serde_json::{Map, Value};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_PRIMITIVES: &str = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER: &str = "$setElementOrder/";

/// Applies a strategic merge patch to an object of a kind.
///
/// Errors: 400 for malformed directives, 500 (as upstream) for lists that cannot be merged.
pub fn strategic(kind: Kind, value: &Value, patch: &Value) -> Result<Value, Status> {
    strategic_typed(schema::of(kind), value, patch)
}

/// Applies a strategic merge patch to a value of any struct of the schema table.
pub fn strategic_typed(ty: &'static Type, value: &Value, patch: &Value) -> Result<Value, Status> {
    let (Value::Object(value), Value::Object(patch)) = (value, patch) else {
        return Err(Status::bad_request("Invalid JSON document"));
    };
    merge_map(value.clone(), patch.clone(), Some(ty)).map(Value::Object)
}

type Object = Map<String, Value>;

/// An error upstream does not map to a code.
fn internal(message: String) -> Status {
    Status::new(500, "", message)
}

fn merge_map(mut original: Object, mut patch: Object, ty: Option<&'static Type>) -> Result<Object, Status> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some("delete") => Ok(Object::new()),
            _ => Err(internal(format!(
                "unknown patch type: {} in map: {}",
                print::go(directive),
                print::go(&Value::Object(patch.clone()))
            ))),
        };
    }
    retain_keys(&mut original, &mut patch)?;
    order_lists(&mut original, &mut patch, ty)?;
    for (key, patched) in patch {
        let (key, deletes) = match key.strip_prefix(DELETE_PRIMITIVES) {
            Some(name) => (name.to_owned(), true),
            None => (key, false),
        };
        if patched.is_null() {
            original.remove(&key);
            continue;
        }
        let Some(current) = original.get_mut(&key) else {
            if !deletes {
                original.insert(key, clean(patched));
            }
            continue;
        };
        let field = ty.and_then(|ty| ty.field(&key));
        match (current, patched) {
            (Value::Object(current), Value::Object(patched)) => {
                let inner = field.and_then(|field| match &field.ty {
                    Ty::Struct(id) => Some(id.get()),
                    _ => None,
                });
                let merged = merge_map(std::mem::take(current), patched, inner)?;
                *current = merged;
            }
            (Value::Array(current), Value::Array(patched)) => {
                if deletes {
                    current.retain(|item| !patched.contains(item));
                } else if let Some(field) = field.filter(|field| field.merge) {
                    let merged = merge_list(std::mem::take(current), patched, field)?;
                    *current = merged;
                } else {
                    *current = patched;
                }
            }
            (current, patched) => {
                if !deletes {
                    *current = clean(patched);
                }
            }
        }
    }
    Ok(original)
}

/// `$retainKeys`: what the patch does not name is cleared from a union.
fn retain_keys(original: &mut Object, patch: &mut Object) -> Result<(), Status> {
    let Some(keys) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    let wrong = || Status::bad_request("invalid patch format of retainKeys");
    let Value::Array(keys) = keys else {
        return Err(wrong());
    };
    let kept = |name: &str| keys.iter().any(|key| key.as_str() == Some(name));
    if patch
        .iter()
        .any(|(key, value)| !value.is_null() && !key.starts_with('$') && !kept(key))
    {
        return Err(wrong());
    }
    original.retain(|key, _| kept(key));
    Ok(())
}

/// `$setElementOrder/x`: merges list `x` and puts it in the given order.
fn order_lists(original: &mut Object, patch: &mut Object, ty: Option<&'static Type>) -> Result<(), Status> {
    let names: Vec<String> = patch
        .keys()
        .filter_map(|key| key.strip_prefix(ELEMENT_ORDER))
        .map(str::to_owned)
        .collect();
    for name in names {
        let wrong = || Status::bad_request("invalid patch format of setElementOrder list");
        let Some(Value::Array(order)) = patch.remove(&format!("{ELEMENT_ORDER}{name}")) else {
            return Err(wrong());
        };
        let field = ty.and_then(|ty| ty.field(&name));
        let key = field.and_then(|field| field.merge_key);
        let current = match original.get(&name) {
            Some(Value::Array(items)) => Some(items.clone()),
            None | Some(Value::Null) => None,
            Some(_) => return Err(wrong()),
        };
        let patched = match patch.get(&name) {
            Some(Value::Array(items)) => Some(items.clone()),
            None | Some(Value::Null) => None,
            Some(_) => return Err(wrong()),
        };
        if let Some(patched) = &patched {
            check_order(patched, &order, key)?;
        }
        let merged = match (&current, patched) {
            (None, None) => continue,
            (Some(current), None) => current.clone(),
            (None, Some(patched)) => patched
                .into_iter()
                .filter(|item| !is_directive(item))
                .map(clean)
                .collect(),
            (Some(current), Some(patched)) => match field.filter(|field| field.merge) {
                Some(field) => merge_list(current.clone(), patched, field)?,
                None => patched,
            },
        };
        patch.remove(&name);
        let ordered = arrange(merged, &order, &current.unwrap_or_default(), key);
        original.insert(name, Value::Array(ordered));
    }
    Ok(())
}

/// The patch list has to be in the order it asks for.
fn check_order(patched: &[Value], order: &[Value], key: Option<&str>) -> Result<(), Status> {
    let mut at = 0;
    for item in patched.iter().filter(|item| !is_directive(item)) {
        match order[at..].iter().position(|other| same(item, other, key)) {
            Some(found) => at += found + 1,
            None => {
                let (items, order) = (patched.to_vec(), order.to_vec());
                return Err(internal(format!(
                    "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                    print::go(&Value::Array(items)),
                    print::go(&Value::Array(order))
                )));
            }
        }
    }
    Ok(())
}

fn is_directive(item: &Value) -> bool {
    item.get(DIRECTIVE).is_some()
}

fn merge_list(original: Vec<Value>, patch: Vec<Value>, field: &'static Field) -> Result<Vec<Value>, Status> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let Some(key) = field.merge_key else {
        let mut merged: Vec<Value> = Vec::new();
        for item in original.iter().chain(&patch) {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
        }
        return Ok(arrange(merged, &patch, &original, None));
    };
    let element = field.ty.base_struct();
    let server_order = original.clone();
    let (mut merged, changes) = special_elements(original, patch, key)?;
    for change in &changes {
        let Value::Object(map) = change else {
            return Err(internal("list element types are not identical".to_owned()));
        };
        if map.get(key).is_none() {
            return Err(no_merge_key(change, key));
        }
        match merged.iter_mut().find(|item| same(item, change, Some(key))) {
            Some(Value::Object(current)) => {
                *current = merge_map(std::mem::take(current), map.clone(), element)?
            }
            Some(other) => *other = change.clone(),
            None => merged.push(clean(change.clone())),
        }
    }
    Ok(arrange(merged, &changes, &server_order, Some(key)))
}

fn no_merge_key(item: &Value, key: &str) -> Status {
    internal(format!(
        "map: {} does not contain declared merge key: {key}",
        print::go(item)
    ))
}

/// Elements with `$patch`: deletes happen at once, a replace makes the patch the whole list.
fn special_elements(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), Status> {
    let mut changes = Vec::with_capacity(patch.len());
    let mut replace = false;
    for item in patch {
        let Some(directive) = item.get(DIRECTIVE) else {
            changes.push(item);
            continue;
        };
        match directive.as_str() {
            Some("delete") => {
                if item.get(key).is_none() {
                    return Err(no_merge_key(&item, key));
                }
                original.retain(|other| !same(other, &item, Some(key)));
            }
            Some("replace") => replace = true,
            Some("merge") => {
                return Err(internal(
                    "merging lists cannot yet be specified in the patch".to_owned(),
                ));
            }
            _ => {
                return Err(internal(format!(
                    "unknown patch type: {} in map: {}",
                    print::go(directive),
                    print::go(&item)
                )));
            }
        }
    }
    if replace {
        Ok((changes, Vec::new()))
    } else {
        Ok((original, changes))
    }
}

fn same(a: &Value, b: &Value, key: Option<&str>) -> bool {
    match key {
        Some(key) => a.get(key).is_some_and(|value| Some(value) == b.get(key)),
        None => a == b,
    }
}

/// Elements the patch names come in its order, the others keep theirs; between the two groups the server's old order
/// decides where it knows both.
fn arrange(merged: Vec<Value>, order: &[Value], server: &[Value], key: Option<&str>) -> Vec<Value> {
    let index = |list: &[Value], item: &Value| list.iter().position(|other| same(other, item, key));
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| index(order, item).is_some());
    named.stable_sort_by_key(|item| index(order, item));
    others.stable_sort_by_key(|item| index(server, item).unwrap_or(usize::MAX));
    let mut out = Vec::with_capacity(named.len() + others.len());
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    loop {
        let take_other = match (others.peek(), named.peek()) {
            (None, None) => return out,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(other), Some(name)) => match (index(server, other), index(server, name)) {
                (Some(a), Some(b)) => a < b,
                _ => false,
            },
        };
        out.extend(if take_other { others.next() } else { named.next() });
    }
}

/// What a patch adds, without its nulls and directives.
fn clean(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(key, value)| !value.is_null() && !is_marker(key))
                .map(|(key, value)| (key, clean(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .filter(|item| {
                    item.get(DIRECTIVE)
                        .and_then(Value::as_str)
                        .is_none_or(|d| d == "merge")
                })
                .map(clean)
                .collect(),
        ),
        scalar => scalar,
    }
}

fn is_marker(key: &str) -> bool {
    key == DIRECTIVE
        || key == RETAIN_KEYS
        || key.starts_with(DELETE_PRIMITIVES)
        || key.starts_with(ELEMENT_ORDER)
}
