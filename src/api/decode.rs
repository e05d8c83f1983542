//! Decoding (being built).
use super::{Kind, Object, Status};
use serde_json::Value;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

pub struct Decoded {
    pub object: Object,
    pub warnings: Vec<String>,
}

pub fn decode(kind: Kind, value: Value, _validation: FieldValidation) -> Result<Decoded, Status> {
    Object::from_value(kind, value)
        .map(|object| Decoded { object, warnings: Vec::new() })
        .map_err(|error| Status::bad_request(error.to_string()))
}
