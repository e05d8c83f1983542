//! The patch formats as pure functions over values: JSON patch, merge patch, strategic merge patch, server-side apply.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go.

mod apply;
pub mod managed;
mod print;
mod strategic;

pub use apply::apply;
pub use managed::{Managed, ManagedFields, Manager};
pub use strategic::{strategic, strategic_typed};

use super::request::PatchType;
use crate::api::decode::{self, Decoded, FieldValidation, Words, json_kind};
use crate::api::status::{StatusCause, StatusDetails};
use crate::api::{Kind, Object, Status, schema, yaml};
use json_patch::PatchOperation;
use json_patch::jsonptr::Pointer;
use serde_json::Value;

/// The most operations of one JSON patch.
const MOST_OPERATIONS: usize = 10_000;

/// Reads a patch's body.
///
/// Errors: 400 for what is not JSON (not YAML, for apply) or not of the format's shape, 413 for too many operations.
pub fn read(format: PatchType, source: &[u8]) -> Result<Value, Status> {
    if format == PatchType::Apply {
        return read_applied(source);
    }
    let frame = if format == PatchType::Strategic {
        ""
    } else {
        "error decoding patch: "
    };
    let wrong = |why: &str| Status::bad_request(format!("{frame}{why}"));
    let (value, _) = decode::parse_json(source).map_err(|why| wrong(&why))?;
    let (fits, target) = match format {
        PatchType::Json => (value.is_array() || value.is_null(), "[]handlers.jsonPatchOp"),
        _ => (value.is_object() || value.is_null(), "map[string]interface {}"),
    };
    if !fits {
        return Err(wrong(&format!(
            "json: cannot unmarshal {} into Go value of type {target}",
            json_kind(&value)
        )));
    }
    match value {
        Value::Array(operations) if operations.len() > MOST_OPERATIONS => Err(Status::new(
            413,
            "RequestEntityTooLarge",
            format!(
                "Request entity too large: The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {}",
                operations.len()
            ),
        )),
        Value::Array(operations) => {
            if let Some(other) = operations.iter().find(|operation| !operation.is_object()) {
                return Err(wrong(&format!(
                    "json: cannot unmarshal {} into Go value of type handlers.jsonPatchOp",
                    json_kind(other)
                )));
            }
            Ok(Value::Array(operations))
        }
        Value::Null if format == PatchType::Json => Ok(Value::Array(Vec::new())),
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        value => Ok(value),
    }
}

/// An applied configuration is YAML (JSON among it); of duplicate keys the last counts.
fn read_applied(source: &[u8]) -> Result<Value, Status> {
    let text = String::from_utf8_lossy(source);
    let wrong = |why: String| Status::bad_request(format!("error decoding YAML: {why}"));
    let document = yaml::read_one(&text)
        .map_err(|error| wrong(format!("error converting YAML to JSON: {}", error.go_text())))?;
    match document.value {
        value @ Value::Object(_) => Ok(value),
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        other => Err(wrong(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            json_kind(&other)
        ))),
    }
}

/// How many bytes of JSON the `copy` operations of one patch may add together, since each may double what is there.
/// Source: k8s.io/apiserver/pkg/server/config.go, `JSONPatchMaxCopyBytes`.
const MOST_COPIED: usize = 3 * 1024 * 1024;

/// Applies a JSON patch (RFC 6902) as evanphx/json-patch v4 does: no operation reaches the root, and what is not there
/// equals null.
///
/// Errors: 422 with upstream's general words, whatever operation failed; the value is then of no use.
pub fn json(value: &mut Value, operations: &Value) -> Result<(), Status> {
    let patch: json_patch::Patch = serde_json::from_value(operations.clone()).map_err(|_| unprocessable())?;
    let mut copied = 0;
    for operation in &*patch {
        if operation.path().is_root() {
            return Err(unprocessable());
        }
        let source = |from: &Pointer| {
            let source = value.pointer(from.as_str()).filter(|_| !from.is_root());
            source.ok_or_else(unprocessable)
        };
        let added = match operation {
            PatchOperation::Test(test) if test.value.is_null() && is_missing(value, &test.path) => continue,
            PatchOperation::Test(_) | PatchOperation::Remove(_) => None,
            PatchOperation::Add(add) => Some(&add.value),
            PatchOperation::Replace(replace) => Some(&replace.value),
            PatchOperation::Move(from) => Some(source(&from.from)?),
            PatchOperation::Copy(from) => {
                let source = source(&from.from)?;
                copied += source.to_string().len();
                Some(source)
            }
        };
        let too_deep = |added: &Value| operation.path().count() + depth(added) > decode::MAX_DEPTH;
        if copied > MOST_COPIED || added.is_some_and(too_deep) {
            return Err(unprocessable());
        }
        json_patch::patch_unsafe(value, std::slice::from_ref(operation)).map_err(|_| unprocessable())?;
    }
    Ok(())
}

/// Whether a patch reads or writes `metadata.managedFields`, which live beside the objects.
pub fn reaches_managers(format: PatchType, patch: &Value) -> bool {
    match format {
        PatchType::Json => {
            let paths = patch.as_array().into_iter().flatten();
            let mut paths = paths.flat_map(|operation| [&operation["path"], &operation["from"]]);
            paths.any(|path| {
                path.as_str()
                    .is_some_and(|path| path.starts_with("/metadata/managedFields"))
            })
        }
        _ => patch["metadata"].get("managedFields").is_some(),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Whether an object that is there lacks the field a path names.
fn is_missing(value: &Value, path: &Pointer) -> bool {
    let parent = path.parent().and_then(|parent| value.pointer(parent.as_str()));
    parent.is_some_and(Value::is_object) && value.pointer(path.as_str()).is_none()
}

fn unprocessable() -> Status {
    let mut status = Status::new(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
    );
    status.details = Some(Box::default());
    status
}

/// Applies a merge patch (RFC 7386).
pub fn merge(value: &mut Value, patch: &Value) {
    json_patch::merge(value, patch);
}

/// Decodes what a patch made of an object. Unlike a body's, a patched object's errors blame the patch.
///
/// Errors: 422 ` "" is invalid: patch: Invalid value: …`.
pub fn decode_patched(
    kind: Kind,
    format: PatchType,
    patch: &Value,
    patched: Value,
    validation: FieldValidation,
) -> Result<Decoded, Status> {
    let words = if format == PatchType::Strategic {
        Words::Unstructured
    } else {
        Words::Json
    };
    let mut body = decode::Body::from(patched);
    let before = (format != PatchType::Strategic).then(|| body.value.clone());
    let checked = decode::check(schema::of(kind), &mut body, words);
    let error = match (checked.error, validation) {
        (Some(error), _) => Some(error),
        (None, FieldValidation::Strict) if !checked.strict.is_empty() => {
            Some(format!("strict decoding error: {}", checked.strict.join(", ")))
        }
        _ => None,
    };
    if let Some(error) = error {
        let shown = match before {
            Some(value) => value.to_string(),
            None => print::go(patch),
        };
        return Err(blame(&shown, &error));
    }
    let warnings = if validation == FieldValidation::Warn {
        checked.strict
    } else {
        Vec::new()
    };
    // Everything unknown or unfit is gone now; the second look inside is short.
    let object = Object::from_value(kind, body.value)?;
    Ok(Decoded { object, warnings })
}

/// 422 ` "" is invalid: patch: Invalid value: …`, as Go quotes what was to be decoded.
pub fn blame(shown: &str, why: &str) -> Status {
    let message = format!("Invalid value: {}: {why}", Value::String(shown.to_owned()));
    let mut status = Status::new(422, "Invalid", format!(" \"\" is invalid: patch: {message}"));
    let cause = StatusCause {
        reason: "FieldValueInvalid".to_owned(),
        message,
        field: "patch".to_owned(),
    };
    status.details = Some(Box::new(StatusDetails {
        causes: vec![cause],
        ..StatusDetails::default()
    }));
    status
}

#[cfg(test)]
mod tests;
