//! Validation: what the API server refuses, field by field, with upstream's words.
//!
//! Source: kubernetes/pkg/apis/*/validation and k8s.io/apimachinery/pkg/api/validation.

pub mod content;
pub mod field;

pub use field::{FieldError, FieldErrorKind};

use super::Object;
pub fn create(_object: &Object) -> Vec<FieldError> {
    Vec::new()
}
pub fn update(_new: &Object, _old: &Object) -> Vec<FieldError> {
    Vec::new()
}
pub fn status_update(_new: &Object, _old: &Object) -> Vec<FieldError> {
    Vec::new()
}
