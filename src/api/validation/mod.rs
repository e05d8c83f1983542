//! Validation: what the API server refuses, field by field, with upstream's words.
//!
//! Source: kubernetes/pkg/apis/*/validation and k8s.io/apimachinery/pkg/api/validation.

pub mod content;
pub mod field;

pub use field::{FieldError, FieldErrorKind};
