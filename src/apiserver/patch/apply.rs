//! Server-side apply: merge, prune, conflicts.
//!
//! Source: sigs.k8s.io/structured-merge-diff/v6/merge/update.go and apimachinery's managedfields managers.

use super::managed::{
    self, Entry, FieldSet, ManagedFields, Manager, Operation, compare, empty, field_set, merge, normalized,
    problems, with_named_fields, without,
};
use crate::api::order::StableSort;
use crate::api::schema::{self, Type};
use crate::api::status::{StatusCause, StatusDetails};
use crate::api::{Kind, Object, Status};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Applies a configuration: the object as it becomes (to be decoded, defaulted and written like an update) and its managers.
///
/// `live` is nothing when the object is to be created.
///
/// Errors: 400 for another version or kind and for managed fields in the configuration, 409 with a cause per conflict, 500 (as
/// upstream) for what does not fit the schema.
pub fn apply(
    kind: Kind,
    live: Option<&Object>,
    managed: &ManagedFields,
    applied: &Value,
    manager: &Manager,
    force: bool,
    time: &Time,
) -> Result<(Value, ManagedFields), Status> {
    check_applied(kind, applied)?;
    let ty = schema::of(kind);
    let api_version = kind.info().api_version();
    let live_value = live.map_or_else(|| empty(ty), managed::value_of);
    let mut managed = managed.clone();
    if let (Some(_), true) = (live, managed.entries.is_empty()) {
        // An object nobody tracked: what it holds belongs to whoever wrote it before.
        let before = Manager::new("before-first-apply", "");
        managed = managed::update_values(ty, &api_version, &empty(ty), &live_value, &managed, &before, time);
    }
    let request = Apply {
        ty,
        api_version: &api_version,
        live: &live_value,
        applied,
        manager,
        time,
    };
    match request.run(&managed, force) {
        Err(conflicts) if &*manager.name == "kubectl" => {
            // What kubectl applied from the client before, and is still so, may be taken over.
            let allowed = last_applied_fields(&live_value, ty, &api_version);
            let left: Vec<(Entry, FieldSet)> = conflicts
                .into_iter()
                .map(|(entry, set)| (entry, set.difference(&allowed)))
                .filter(|(_, set)| !set.is_empty())
                .collect();
            if left.is_empty() {
                request.run(&managed, true)
            } else {
                Err(left)
            }
        }
        result => result,
    }
    .map(|(mut value, managed)| {
        if &*manager.name == "kubectl" {
            refresh_last_applied(&mut value);
        }
        (value, managed)
    })
    .map_err(conflict_status)
}

fn check_applied(kind: Kind, applied: &Value) -> Result<(), Status> {
    let text = |key: &str| applied.get(key).and_then(Value::as_str).unwrap_or("");
    let (api_version, name) = (text("apiVersion"), text("kind"));
    if name.is_empty() {
        return Err(Status::bad_request(format!(
            "Object 'Kind' is missing in '{applied}'"
        )));
    }
    if api_version != kind.info().api_version() || name != kind.name() {
        let version = if api_version.contains('/') {
            api_version.to_owned()
        } else {
            format!("/{api_version}")
        };
        return Err(Status::bad_request(format!(
            "invalid object type: {version}, Kind={name}"
        )));
    }
    if applied
        .pointer("/metadata/managedFields")
        .is_some_and(|fields| fields.as_array().is_none_or(|list| !list.is_empty()))
    {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    let problems = problems(applied, schema::of(kind));
    let why = match problems.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!(
            "errors:\n{}",
            many.iter()
                .map(|problem| format!("  {problem}"))
                .collect::<Vec<_>>()
                .join("\n")
        ),
    };
    let meta = |key: &str| {
        applied
            .pointer(&format!("/metadata/{key}"))
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let version = if api_version.contains('/') {
        api_version.to_owned()
    } else {
        format!("/{api_version}")
    };
    let (namespace, object) = (meta("namespace"), meta("name"));
    Err(Status::new(
        500,
        "",
        format!("failed to create typed patch object ({namespace}/{object}; {version}, Kind={name}): {why}"),
    ))
}

type Conflicts = Vec<(Entry, FieldSet)>;

struct Apply<'a> {
    ty: &'static Type,
    api_version: &'a str,
    live: &'a Value,
    applied: &'a Value,
    manager: &'a Manager,
    time: &'a Time,
}

impl Apply<'_> {
    fn run(&self, managed: &ManagedFields, force: bool) -> Result<(Value, ManagedFields), Conflicts> {
        let ty = self.ty;
        let own = managed.position(
            &self.manager.name,
            Operation::Apply,
            self.api_version,
            self.manager.subresource,
        );
        let last = own
            .map(|at| managed.entries[at].fields.clone())
            .unwrap_or_default();
        let mut managed = managed.clone();
        let reset = super::managed::reset(ty, self.manager.subresource);
        let fields = field_set(self.applied, ty)
            .recursive_difference(&unowned())
            .recursive_difference(&reset);
        let old_time = own.and_then(|at| managed.entries[at].time.clone());
        if let Some(at) = own {
            managed.entries.remove(at);
        }
        let entry = Entry {
            manager: self.manager.name.clone(),
            operation: Operation::Apply,
            api_version: self.api_version.to_owned(),
            subresource: self.manager.subresource.to_owned(),
            time: old_time,
            fields,
        };

        let merged = merge(self.live, self.applied, ty);
        let all = managed
            .entries
            .iter()
            .fold(entry.fields.clone(), |set, entry| set.union(&entry.fields));
        let pruned = prune(&merged, &last, &all, ty);

        let changes = compare(self.live, &pruned, ty);
        let gained = changes.added.union(&changes.modified);
        let mut conflicts = Vec::new();
        for other in &mut managed.entries {
            let conflict = other.fields.intersection(&gained);
            let fields = std::mem::take(&mut other.fields);
            other.fields = fields.difference(&changes.removed).difference(&conflict);
            if !conflict.is_empty() {
                conflicts.push((other.clone(), conflict));
            }
        }
        if !force && !conflicts.is_empty() {
            return Err(conflicts);
        }
        let mut entry = entry;
        if entry.time.is_none() || !gained.is_empty() || !changes.removed.is_empty() {
            entry.time = Some(self.time.clone());
        }
        managed.entries.push(entry);
        Ok((clear_nulls(normalized(pruned, ty)), managed.finish()))
    }
}

/// What an applier never owns, with everything below it except other metadata.
fn unowned() -> FieldSet {
    let mut value = managed::stripped().to_value();
    // Taking `metadata` itself would take labels and annotations along.
    if let Some(metadata) = value.get_mut("f:metadata").and_then(Value::as_object_mut) {
        metadata.remove(".");
    }
    FieldSet::from_value(&value)
}

/// Takes away what this manager applied before, does not apply any more, and nobody else owns.
fn prune(merged: &Value, last: &FieldSet, owned: &FieldSet, ty: &'static Type) -> Value {
    if last.is_empty() {
        return merged.clone();
    }
    let named = |set: &FieldSet| with_named_fields(set, ty);
    let pruned = without(merged, &named(last), ty);
    // What others own comes back.
    let merged_set = named(&field_set(merged, ty));
    let pruned_set = named(&field_set(&pruned, ty));
    let pruned = without(
        merged,
        &merged_set.clone().difference(&pruned_set.union(&named(owned))),
        ty,
    );
    // And what the last configuration did not name itself is not left dangling, but kept.
    let pruned_set = named(&field_set(&pruned, ty));
    without(
        merged,
        &merged_set.difference(&pruned_set).intersection(&named(last)),
        ty,
    )
}

/// The fields of the client-side apply annotation that are still as they were applied.
fn last_applied_fields(live: &Value, ty: &'static Type, api_version: &str) -> FieldSet {
    let text = live
        .pointer("/metadata/annotations")
        .and_then(|map| map.get(LAST_APPLIED))
        .and_then(Value::as_str);
    let Some(Ok(applied)) = text.map(serde_json::from_str::<Value>) else {
        return FieldSet::new();
    };
    if applied.get("apiVersion").and_then(Value::as_str) != Some(api_version)
        || !problems(&applied, ty).is_empty()
    {
        return FieldSet::new();
    }
    let changes = compare(&applied, live, ty);
    field_set(&applied, ty)
        .difference(&changes.modified)
        .difference(&changes.added)
        .difference(&changes.removed)
}

/// kubectl applying on the server keeps the annotation of applying from the client up to date, if there is one.
fn refresh_last_applied(value: &mut Value) {
    let mut copy = value.clone();
    if let Some(metadata) = copy.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else {
            return;
        };
        if annotations.remove(LAST_APPLIED).is_none() {
            return;
        }
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    value["metadata"]["annotations"][LAST_APPLIED] = format!("{copy}\n").into();
}

fn clear_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, clear_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(clear_nulls).collect(),
        scalar => scalar,
    }
}

fn conflict_status(conflicts: Conflicts) -> Status {
    let mut lines: Vec<(String, Vec<String>)> = conflicts
        .into_iter()
        .map(|(entry, set)| (entry.words(), set.paths()))
        .collect();
    lines.stable_sort();
    let count: usize = lines.iter().map(|(_, paths)| paths.len()).sum();
    let message = match lines.as_slice() {
        [(manager, paths)] if count == 1 => format!(
            "Apply failed with 1 conflict: conflict with {manager}: {}",
            paths[0]
        ),
        many => {
            let blocks: Vec<String> = many
                .iter()
                .map(|(manager, paths)| {
                    let paths: String = paths.iter().map(|path| format!("\n- {path}")).collect();
                    format!("conflicts with {manager}:{paths}")
                })
                .collect();
            format!("Apply failed with {count} conflicts: {}", blocks.join("\n"))
        }
    };
    let causes = lines.into_iter().flat_map(|(manager, paths)| {
        paths.into_iter().map(move |field| StatusCause {
            reason: "FieldManagerConflict".to_owned(),
            message: format!("conflict with {manager}"),
            field,
        })
    });
    let details = StatusDetails {
        causes: causes.collect(),
        ..StatusDetails::default()
    };
    let mut status = Status::new(409, "Conflict", message);
    status.details = Some(Box::new(details));
    status
}
