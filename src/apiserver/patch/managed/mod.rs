//! `metadata.managedFields`: who set which field, by which operation, when.
//!
//! Source: k8s.io/apimachinery/pkg/util/managedfields.

mod lazy;
mod set;
mod typed;

pub use lazy::Managed;
pub use set::FieldSet;
pub(super) use typed::{compare, field_set, merge, problems, with_named_fields, without};

pub(super) use crate::api::schema::go_json::{empty, normalized};

use crate::api::order::StableSort;
use crate::api::schema::{self, Type};
use crate::api::{Kind, Object};
use crate::apiserver::http::alias::{self, Alias};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, Time};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// How a manager came to its fields. Applying sorts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Apply,
    Update,
}

/// Who changes an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    /// `kubectl-client-side-apply`: the `fieldManager` parameter, else the first part of the User-Agent.
    pub name: Arc<str>,
    /// `status`, or empty.
    pub subresource: &'static str,
    /// The second version of the kind it writes in; nothing for the stored one.
    pub alias: Option<&'static Alias>,
}

impl Manager {
    pub fn new(name: &str, subresource: &'static str) -> Manager {
        // Upstream cuts names that come from the User-Agent.
        let short: String = name.chars().take(128).collect();
        Manager {
            name: short.into(),
            subresource,
            alias: None,
        }
    }

    /// The manager of a request: the parameter, or the User-Agent up to its first slash, or `unknown`.
    pub fn of_request(field_manager: Option<&str>, user_agent: &str, subresource: &'static str) -> Manager {
        match field_manager.filter(|name| !name.is_empty()) {
            Some(name) => Manager::new(name, subresource),
            None => match user_agent.split('/').next().unwrap_or("") {
                "" => Manager::new("unknown", subresource),
                name => Manager::new(name, subresource),
            },
        }
    }
}

/// One manager's fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub manager: Arc<str>,
    pub operation: Operation,
    pub api_version: String,
    pub subresource: String,
    pub time: Option<Time>,
    pub fields: FieldSet,
}

impl Entry {
    /// Appliers are told apart without their version, as upstream does.
    fn is(&self, manager: &str, operation: Operation, api_version: &str, subresource: &str) -> bool {
        *self.manager == *manager
            && self.operation == operation
            && self.subresource == subresource
            && (operation == Operation::Apply || self.api_version == api_version)
    }

    /// The manager as conflicts name it.
    pub(super) fn words(&self) -> String {
        let mut text = format!("{:?}", &*self.manager);
        if !self.subresource.is_empty() {
            text += &format!(" with subresource {:?}", self.subresource);
        }
        if self.operation == Operation::Update {
            text += &format!(" using {}", self.api_version);
        }
        text
    }
}

/// The most entries of updaters; the oldest beyond are put together as `ancient-changes`.
const MOST_UPDATERS: usize = 10;
const ANCIENT: &str = "ancient-changes";

/// All managers of an object, in the order they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ManagedFields {
    pub entries: Vec<Entry>,
}

impl ManagedFields {
    /// Reads `metadata.managedFields`.
    pub fn from_typed(entries: &[ManagedFieldsEntry]) -> ManagedFields {
        let entries = entries.iter().map(|entry| Entry {
            manager: entry.manager.as_deref().unwrap_or("").into(),
            operation: if entry.operation.as_deref() == Some("Apply") {
                Operation::Apply
            } else {
                Operation::Update
            },
            api_version: entry.api_version.clone().unwrap_or_default(),
            subresource: entry.subresource.clone().unwrap_or_default(),
            time: entry.time.clone(),
            fields: entry
                .fields_v1
                .as_ref()
                .map(|fields| FieldSet::from_value(&fields.0))
                .unwrap_or_default(),
        });
        ManagedFields {
            entries: entries.collect(),
        }
    }

    /// The managers that a client wants an object to start from: nothing where it names none, or where one of its entries
    /// cannot be read, so that clients who know nothing of managers do not take them away. A single empty entry takes
    /// them away.
    /// Source: managedfields/internal/fieldmanager.go, `decodeLiveOrNew`.
    pub fn claimed(entries: Option<&[ManagedFieldsEntry]>) -> Option<ManagedFields> {
        let entries = entries.filter(|entries| !entries.is_empty())?;
        if entries == [ManagedFieldsEntry::default()] {
            return Some(ManagedFields::default());
        }
        let readable = |entry: &ManagedFieldsEntry| {
            matches!(entry.operation.as_deref(), Some("Apply" | "Update"))
                && entry.fields_type.as_deref() == Some("FieldsV1")
                && entry
                    .fields_v1
                    .as_ref()
                    .is_some_and(|fields| fields.0.is_object())
        };
        entries
            .iter()
            .all(readable)
            .then(|| ManagedFields::from_typed(entries))
    }

    /// Writes `metadata.managedFields`.
    pub fn to_typed(&self) -> Vec<ManagedFieldsEntry> {
        self.entries
            .iter()
            .map(|entry| ManagedFieldsEntry {
                manager: Some(entry.manager.to_string()),
                operation: Some(
                    if entry.operation == Operation::Apply {
                        "Apply"
                    } else {
                        "Update"
                    }
                    .to_owned(),
                ),
                api_version: Some(entry.api_version.clone()),
                subresource: Some(entry.subresource.clone()).filter(|name| !name.is_empty()),
                time: entry.time.clone(),
                fields_type: Some("FieldsV1".to_owned()),
                fields_v1: Some(FieldsV1(entry.fields.to_value())),
            })
            .collect()
    }

    pub(super) fn position(
        &self,
        manager: &str,
        operation: Operation,
        api_version: &str,
        subresource: &str,
    ) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.is(manager, operation, api_version, subresource))
    }

    /// Drops empty entries, limits the updaters, sorts.
    pub(super) fn finish(mut self) -> ManagedFields {
        self.entries.retain(|entry| !entry.fields.is_empty());
        self.cap();
        let seconds = |entry: &Entry| entry.time.as_ref().map_or(0, |time| time.0.as_second());
        self.entries.stable_sort_by(|a, b| {
            (
                a.operation,
                seconds(a),
                &a.manager,
                &a.api_version,
                &a.subresource,
            )
                .cmp(&(
                    b.operation,
                    seconds(b),
                    &b.manager,
                    &b.api_version,
                    &b.subresource,
                ))
        });
        self
    }

    fn cap(&mut self) {
        let mut updaters: Vec<usize> = (0..self.entries.len())
            .filter(|&at| self.entries[at].operation == Operation::Update)
            .collect();
        if updaters.len() <= MOST_UPDATERS {
            return;
        }
        let seconds = |entry: &Entry| entry.time.as_ref().map_or(0, |time| time.0.as_second());
        updaters.stable_sort_by(|&a, &b| {
            let (a, b) = (&self.entries[a], &self.entries[b]);
            seconds(a)
                .cmp(&seconds(b))
                .then_with(|| a.manager.cmp(&b.manager))
        });
        let surplus = updaters.len() - MOST_UPDATERS;
        // The oldest are put together per version; the bucket itself takes a place.
        let mut old: Vec<usize> = updaters.into_iter().take(surplus + 1).collect();
        old.stable_sort();
        for at in old.into_iter().rev() {
            let entry = self.entries.remove(at);
            match self.position(ANCIENT, Operation::Update, &entry.api_version, "") {
                Some(bucket) => {
                    let bucket = &mut self.entries[bucket];
                    bucket.fields = std::mem::take(&mut bucket.fields).union(&entry.fields);
                    if seconds(&entry) > seconds(bucket) {
                        bucket.time = entry.time;
                    }
                }
                None => self.entries.push(Entry {
                    manager: ANCIENT.into(),
                    subresource: String::new(),
                    ..entry
                }),
            }
        }
    }
}

/// The metadata nobody owns.
pub(super) fn stripped() -> &'static FieldSet {
    static SET: OnceLock<FieldSet> = OnceLock::new();
    SET.get_or_init(unowned)
}

fn unowned() -> FieldSet {
    let metadata: serde_json::Map<String, Value> = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "generation",
        "managedFields",
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ]
    .iter()
    .map(|name| (format!("f:{name}"), json!({})))
    .collect();
    let mut fields = FieldSet::from_value(&json!({"f:apiVersion": {}, "f:kind": {}, "f:metadata": metadata}));
    fields.insert(&["f:metadata".to_owned()]);
    fields
}

/// What a write through this door cannot change, whatever it carries: the status through the object, the spec through
/// the status. Source: the strategies' GetResetFields.
pub(super) fn reset(ty: &'static Type, subresource: &str) -> FieldSet {
    let mut set = FieldSet::new();
    let more: &[&str] = match subresource {
        "status" => {
            set.insert(&["f:spec".to_owned()]);
            match ty.name {
                "Pod" => &["deletionTimestamp", "ownerReferences"],
                "Deployment" => &["labels"],
                _ => &[],
            }
        }
        _ => {
            if ty.field("status").is_some() && ty.field("spec").is_some() {
                set.insert(&["f:status".to_owned()]);
            }
            &[]
        }
    };
    for name in more {
        set.insert(&["f:metadata".to_owned(), format!("f:{name}")]);
    }
    set
}

/// An object as Go holds it, without its managed fields.
pub(super) fn value_of(object: &Object) -> Value {
    let mut value = object.to_value();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    normalized(value, schema::of(object.kind()))
}

/// The managers after an update: who changed a field owns it, who lost it does not any more.
///
/// `old` is the live object (nothing for a create), `new` what the client asked for after decoding, patching and
/// defaulting, but before admission and strategy filled more in.
pub fn update(
    kind: Kind,
    old: Option<&Object>,
    new: &Object,
    managed: &ManagedFields,
    manager: &Manager,
    time: &Time,
) -> ManagedFields {
    let ty = schema::of(kind);
    let old = old.map_or_else(|| empty(ty), value_of);
    let version = match manager.alias {
        Some(alias) => alias.api_version(),
        None => kind.info().api_version(),
    };
    let managed = renamed(kind, managed.clone(), |alias| alias.fields_to_stored);
    let managed = update_values(ty, &version, &old, &value_of(new), &managed, manager, time);
    renamed(kind, managed, |alias| alias.fields_from_stored)
}

/// Fields that were set in a kind's second version, under the names of the other one.
fn renamed(kind: Kind, mut managed: ManagedFields, way: fn(&Alias) -> fn(Value) -> Value) -> ManagedFields {
    for alias in alias::all().iter().filter(|alias| alias.kind == kind) {
        let version = alias.api_version();
        for entry in managed
            .entries
            .iter_mut()
            .filter(|entry| entry.api_version == version)
        {
            entry.fields = FieldSet::from_value(&way(alias)(entry.fields.to_value()));
        }
    }
    managed
}

pub(super) fn update_values(
    ty: &'static Type,
    api_version: &str,
    old: &Value,
    new: &Value,
    managed: &ManagedFields,
    manager: &Manager,
    time: &Time,
) -> ManagedFields {
    let changes = compare(old, new, ty);
    let gained = changes.added.union(&changes.modified);
    let mut managed = managed.clone();
    for entry in &mut managed.entries {
        let fields = std::mem::take(&mut entry.fields);
        entry.fields = fields.difference(&gained).difference(&changes.removed);
    }
    let taken = gained
        .difference(stripped())
        .recursive_difference(&reset(ty, manager.subresource));
    if !taken.is_empty() {
        match managed.position(&manager.name, Operation::Update, api_version, manager.subresource) {
            Some(at) => {
                let entry = &mut managed.entries[at];
                entry.fields = std::mem::take(&mut entry.fields).union(&taken);
                entry.time = Some(time.clone());
            }
            None => managed.entries.push(Entry {
                manager: manager.name.clone(),
                operation: Operation::Update,
                api_version: api_version.to_owned(),
                subresource: manager.subresource.to_owned(),
                time: Some(time.clone()),
                fields: taken,
            }),
        }
    }
    managed.finish()
}

#[cfg(test)]
mod tests;
