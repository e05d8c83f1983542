//! Validation: what the API server refuses, field by field, with upstream's words.
//!
//! Source: kubernetes/pkg/apis/*/validation and k8s.io/apimachinery/pkg/api/validation.

mod affinity;
mod container;
pub mod content;
mod core;
mod diff;
pub mod field;
mod meta;
mod network;
mod pod;
mod pod_update;
mod resources;
mod security;
mod service;
mod volume;

pub use field::{FieldError, FieldErrorKind};

use super::Object;

fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or("")
}

pub fn create(object: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    meta::create(object.kind(), object.meta(), &mut errors);
    if let Object::Pod(pod) = object { pod::create(pod, &mut errors) }
    errors
}
pub fn update(new: &Object, old: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    meta::update(new.meta(), old.meta(), &mut errors);
    if let (Object::Pod(pod), Object::Pod(old)) = (new, old) { pod_update::update(pod, old, &mut errors) }
    errors
}
pub fn status_update(_new: &Object, _old: &Object) -> Vec<FieldError> {
    Vec::new()
}
