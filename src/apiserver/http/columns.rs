//! Name and creation time, the columns every kind has.

use crate::api::{Kind, Object};
use crate::sim::SimTime;
use serde_json::{Value, json};

pub fn column_definitions(_kind: Kind) -> Value {
    json!([
        {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
        {"name": "Created At", "type": "date", "format": "", "description": "", "priority": 0},
    ])
}

pub fn cells(object: &Object, _now: SimTime) -> Value {
    json!([object.name(), object.meta().creation_timestamp])
}

pub fn row_conditions(_object: &Object) -> Option<Value> {
    None
}
