//! From replies to bytes.

use super::negotiate::{Accepted, Format, Shape, not_acceptable};
use crate::api::codec;
use crate::api::table;
use crate::api::{Kind, KindInfo, Object, Status};
use crate::apiserver::List;
use crate::apiserver::managers::{Managers, Outgoing};
use crate::sim::SimTime;
use serde_json::{Value, json};
use std::sync::Arc;

/// How rows of a Table carry their object (`?includeObject=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncludeObject {
    None,
    #[default]
    Metadata,
    Object,
}

impl IncludeObject {
    /// Reads the query parameter; nothing for an unsupported value.
    pub fn parse(text: &str) -> Option<IncludeObject> {
        match text {
            "" | "Metadata" => Some(IncludeObject::Metadata),
            "None" => Some(IncludeObject::None),
            "Object" => Some(IncludeObject::Object),
            _ => None,
        }
    }
}

/// How objects of one kind are written for one client.
#[derive(Clone, Debug)]
pub struct Encoder {
    pub kind: Kind,
    /// The group and version asked for, which is not the stored one for some kinds.
    pub alias: Option<&'static super::alias::Alias>,
    pub accepted: Accepted,
    pub include: IncludeObject,
    /// Ages in Tables are relative to this.
    pub now: SimTime,
}

impl Encoder {
    fn info(&self) -> &'static KindInfo {
        self.kind.info()
    }

    pub(super) fn meta_version(&self) -> &'static str {
        if self.accepted.beta {
            "meta.k8s.io/v1beta1"
        } else {
            "meta.k8s.io/v1"
        }
    }

    pub(super) fn api_version(&self) -> String {
        self.alias
            .map_or_else(|| self.info().api_version(), |alias| alias.api_version())
    }

    /// The object in the version asked for.
    fn whole(&self, object: &Object, managers: &Managers) -> Value {
        let mut value = object.to_wire();
        fill(&mut value["metadata"], object, managers);
        match self.alias {
            Some(alias) => (alias.from_stored)(value),
            None => value,
        }
    }

    /// One object.
    ///
    /// Errors: 406 for a shape an object cannot have.
    pub(super) fn object(&self, object: &Object, managers: &Managers) -> Result<Content, Status> {
        match self.accepted.shape {
            Shape::Whole if self.is_plain_json() => Ok(Content::Object(managers.outgoing(object))),
            _ => self
                .shaped(object, managers)
                .map(|value| Content::Bytes(self.bytes(&value))),
        }
    }

    fn is_plain_json(&self) -> bool {
        self.accepted.format == Format::Json && !self.accepted.pretty && self.alias.is_none()
    }

    /// One object in the shape asked for.
    ///
    /// Errors: 406 for a shape an object cannot have.
    pub fn shaped(&self, object: &Object, managers: &Managers) -> Result<Value, Status> {
        match self.accepted.shape {
            Shape::Whole => Ok(self.whole(object, managers)),
            Shape::Partial => Ok(self.partial(object, managers)),
            Shape::Table => Ok(self.table(
                std::slice::from_ref(object),
                managers,
                object.revision(),
                None,
                true,
            )),
            Shape::PartialList => Err(not_acceptable(
                "you requested PartialObjectMetadataList, but the requested object is not a list",
            )),
        }
    }

    /// One watch event's object as a Table; later events do without the columns.
    pub fn event_table(&self, object: &Object, managers: &Managers, with_columns: bool) -> Value {
        self.table(
            std::slice::from_ref(object),
            managers,
            object.revision(),
            None,
            with_columns,
        )
    }

    /// A bookmark has no row of its own; its annotations go into an empty object's.
    pub fn bookmark_table(&self, revision: u64, metadata: Value, with_columns: bool) -> Value {
        let mut table = self.table(&[], &Managers::default(), revision, None, with_columns);
        let object =
            json!({"kind": "PartialObjectMetadata", "apiVersion": self.meta_version(), "metadata": metadata});
        let cells: Vec<Value> = table["columnDefinitions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|_| "".into())
            .collect();
        table["rows"] = json!([{"cells": cells, "object": object}]);
        table
    }

    fn partial(&self, object: &Object, managers: &Managers) -> Value {
        let mut metadata = codec::to_value(object.meta());
        if self.kind == Kind::DaemonSet {
            // An annotation only in its served form; internally it is a field, and metadata is taken from there.
            if let Some(annotations) = metadata["annotations"].as_object_mut() {
                annotations.remove("deprecated.daemonset.template.generation");
                if annotations.is_empty() {
                    metadata
                        .as_object_mut()
                        .map(|metadata| metadata.remove("annotations"));
                }
            }
        }
        fill(&mut metadata, object, managers);
        json!({"kind": "PartialObjectMetadata", "apiVersion": self.meta_version(), "metadata": metadata})
    }

    /// A page of a collection.
    ///
    /// Errors: 406 for a shape a list cannot have.
    pub fn list(&self, list: &List, managers: &Managers) -> Result<Vec<u8>, Status> {
        match self.accepted.shape {
            Shape::Whole if self.is_plain_json() => Ok(self.plain_list(list, managers)),
            Shape::Whole => {
                let items: Vec<Value> = list
                    .items
                    .iter()
                    .map(|object| self.item(object, managers))
                    .collect();
                let kind = format!("{}List", self.info().name);
                let value = json!({
                    "kind": kind, "apiVersion": self.api_version(), "metadata": list_meta(list.revision, Some(list)), "items": items,
                });
                Ok(self.bytes(&value))
            }
            Shape::PartialList => {
                let items: Vec<Value> = list
                    .items
                    .iter()
                    .map(|object| self.partial(object, managers))
                    .collect();
                let value = json!({
                    "kind": "PartialObjectMetadataList", "apiVersion": self.meta_version(),
                    "metadata": list_meta(list.revision, Some(list)), "items": items,
                });
                Ok(self.bytes(&value))
            }
            Shape::Table => {
                Ok(self.bytes(&self.table(&list.items, managers, list.revision, Some(list), true)))
            }
            Shape::Partial => Err(not_acceptable(
                "you requested PartialObjectMetadata, but the requested object is a list",
            )),
        }
    }

    /// An item of a list carries no version and kind of its own.
    fn item(&self, object: &Object, managers: &Managers) -> Value {
        let mut value = self.whole(object, managers);
        if let Value::Object(map) = &mut value {
            map.remove("kind");
            map.remove("apiVersion");
        }
        value
    }

    /// The common case, without building values in between.
    fn plain_list(&self, list: &List, managers: &Managers) -> Vec<u8> {
        let (kind, version) = (self.info().name, self.info().api_version());
        let mut out = Vec::with_capacity(256 + 4096 * list.items.len());
        out.extend_from_slice(
            format!("{{\"kind\":\"{kind}List\",\"apiVersion\":\"{version}\",\"metadata\":").as_bytes(),
        );
        out.extend_from_slice(list_meta(list.revision, Some(list)).to_string().as_bytes());
        out.extend_from_slice(b",\"items\":[");
        // How every object begins; a list's items do without it.
        let head = format!("{{\"apiVersion\":\"{version}\",\"kind\":\"{kind}\",");
        for (i, object) in list.items.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            match written(object, managers).strip_prefix(head.as_bytes()) {
                Some(rest) => {
                    out.push(b'{');
                    out.extend_from_slice(rest);
                }
                None => out.extend_from_slice(self.item(object, managers).to_string().as_bytes()),
            }
        }
        out.extend_from_slice(b"]}\n");
        out
    }

    fn table(
        &self,
        objects: &[Object],
        managers: &Managers,
        revision: u64,
        list: Option<&List>,
        with_columns: bool,
    ) -> Value {
        let columns: Value = if with_columns {
            json!(table::columns(self.kind))
        } else {
            Value::Null
        };
        let rows: Vec<Value> = objects.iter().map(|object| self.row(object, managers)).collect();
        json!({
            "kind": "Table", "apiVersion": self.meta_version(), "metadata": list_meta(revision, list),
            "columnDefinitions": columns, "rows": rows,
        })
    }

    fn row(&self, object: &Object, managers: &Managers) -> Value {
        let mut row = json!({"cells": table::cells(object, self.now.timestamp())});
        if let Some(conditions) = table::row_conditions(object) {
            row["conditions"] = conditions;
        }
        row["object"] = match self.include {
            IncludeObject::None => Value::Null,
            IncludeObject::Metadata => self.partial(object, managers),
            IncludeObject::Object => self.whole(object, managers),
        };
        row
    }

    /// A value in the format asked for.
    pub fn bytes(&self, value: &Value) -> Vec<u8> {
        bytes(value, self.accepted)
    }
}

/// Puts the managed fields into an object's metadata.
fn fill(metadata: &mut Value, object: &Object, managers: &Managers) {
    let Some(Ok(fields)) = managers
        .json(object)
        .map(|json| serde_json::from_str::<Value>(&json))
    else {
        return;
    };
    if let Value::Object(metadata) = metadata {
        metadata.insert("managedFields".to_owned(), fields);
    }
}

/// What an answer carries.
pub(crate) enum Content {
    Bytes(Vec<u8>),
    /// An object that is yet to be written, which takes no server.
    Object(Outgoing),
}

impl Content {
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Content::Bytes(bytes) => bytes,
            Content::Object(object) => {
                let text = object.bytes(encode);
                let mut out = Vec::with_capacity(text.len() + 1);
                out.extend_from_slice(&text);
                out.push(b'\n');
                out
            }
        }
    }
}

/// An object with its managed fields.
pub(super) fn written(object: &Object, managers: &Managers) -> Arc<[u8]> {
    managers.outgoing(object).bytes(encode)
}

/// An object with its managed fields, which are kept as text: they are put in behind the brace of `metadata`.
fn encode(object: &Object, fields: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    object.write_json(&mut out);
    let (Some(fields), Some(at)) = (fields, metadata_start(&out)) else {
        return out;
    };
    let rest = out.split_off(at);
    out.extend_from_slice(b"\"managedFields\":");
    out.extend_from_slice(fields.as_bytes());
    if !rest.starts_with(b"}") {
        out.push(b',');
    }
    out.extend_from_slice(&rest);
    out
}

/// Where the fields of an object's own `metadata` begin (others may be nested deeper).
fn metadata_start(json: &[u8]) -> Option<usize> {
    const KEY: &[u8] = b"\"metadata\":{";
    let (mut depth, mut in_text, mut at) = (0usize, false, 0);
    while let Some(&byte) = json.get(at) {
        match byte {
            b'\\' if in_text => at += 1,
            b'"' if depth == 1 && !in_text && json[at..].starts_with(KEY) => return Some(at + KEY.len()),
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// `metadata` of a list or Table.
fn list_meta(revision: u64, list: Option<&List>) -> Value {
    let mut meta = json!({"resourceVersion": revision.to_string()});
    if let Some(list) = list {
        if let Some(token) = &list.continue_token {
            meta["continue"] = token.clone().into();
        }
        if let Some(remaining) = list.remaining {
            meta["remainingItemCount"] = remaining.into();
        }
    }
    meta
}

/// A value in a client's format. JSON ends with a line feed, as Go's encoder writes it.
pub fn bytes(value: &Value, accepted: Accepted) -> Vec<u8> {
    match accepted.format {
        Format::Yaml => crate::api::yaml::to_yaml(value).into_bytes(),
        #[cfg(not(target_arch = "wasm32"))]
        Format::Protobuf => protobuf(value),
        #[cfg(target_arch = "wasm32")]
        Format::Protobuf => Vec::new(),
        Format::Json => {
            let encoded = if accepted.pretty {
                serde_json::to_vec_pretty(value)
            } else {
                serde_json::to_vec(value)
            };
            let mut out = encoded.unwrap_or_default();
            out.push(b'\n');
            out
        }
    }
}

/// One event of a watch: a line of JSON, or a frame of protobuf.
pub(super) fn event(format: Format, word: &str, object: &Value) -> Vec<u8> {
    match format {
        #[cfg(not(target_arch = "wasm32"))]
        Format::Protobuf => crate::api::schema::proto::watch_frame(word, &protobuf(object)),
        _ => format!("{}\n", json!({"type": word, "object": object})).into_bytes(),
    }
}

/// A value as protobuf; what has no type in the table comes as an empty message of its kind.
#[cfg(not(target_arch = "wasm32"))]
fn protobuf(value: &Value) -> Vec<u8> {
    use crate::api::schema::{self, proto};
    let (api_version, kind) = (
        value["apiVersion"].as_str().unwrap_or(""),
        value["kind"].as_str().unwrap_or(""),
    );
    let find = |kind: &str| {
        if let Some(kind) = Kind::by_api_version(api_version, kind) {
            return Some(schema::of(kind));
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
        let package = group.split('.').next().unwrap_or(group);
        schema::named(&format!("{package}/{version}.{kind}"))
            .or_else(|| schema::named(&format!("meta/v1.{kind}")))
    };
    let raw = match (find(kind), kind.strip_suffix("List").and_then(find)) {
        (Some(ty), _) => proto::encode(ty, value),
        (None, Some(item)) => proto::encode_list(item, value),
        (None, None) => Vec::new(),
    };
    proto::close(api_version, kind, &raw)
}

impl Format {
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Yaml => "application/yaml",
            Format::Protobuf => super::negotiate::PROTOBUF,
        }
    }
}
