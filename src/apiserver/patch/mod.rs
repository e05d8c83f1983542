//! Patches (being built).
use crate::api::{Kind, Status};
use serde_json::Value;

pub fn json(value: &mut Value, operations: &Value) -> Result<(), Status> {
    let patch: json_patch::Patch =
        serde_json::from_value(operations.clone()).map_err(|error| Status::bad_request(error.to_string()))?;
    json_patch::patch(value, &patch).map_err(|error| Status::bad_request(error.to_string()))
}

pub fn merge(value: &mut Value, patch: &Value) {
    json_patch::merge(value, patch);
}

pub fn strategic(_kind: Kind, value: &Value, patch: &Value) -> Result<Value, Status> {
    let mut value = value.clone();
    merge(&mut value, patch);
    Ok(value)
}
