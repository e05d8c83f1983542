//! Field errors: which field is wrong, and why, in upstream's words.
//!
//! Source: k8s.io/apimachinery/pkg/util/validation/field. Paths are built only when something is
//! wrong: a [`Path`] is a chain of borrowed segments on the stack.

use crate::api::codec::{self, Encode};
use crate::api::wire::Writer;
use std::fmt;

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldErrorKind {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    TypeInvalid,
    Internal,
}

impl FieldErrorKind {
    /// The reason of a Status cause.
    pub fn reason(self) -> &'static str {
        match self {
            FieldErrorKind::NotFound => "FieldValueNotFound",
            FieldErrorKind::Required => "FieldValueRequired",
            FieldErrorKind::Duplicate => "FieldValueDuplicate",
            FieldErrorKind::Invalid => "FieldValueInvalid",
            FieldErrorKind::NotSupported => "FieldValueNotSupported",
            FieldErrorKind::Forbidden => "FieldValueForbidden",
            FieldErrorKind::TooLong => "FieldValueTooLong",
            FieldErrorKind::TooMany => "FieldValueTooMany",
            FieldErrorKind::TypeInvalid => "FieldValueTypeInvalid",
            FieldErrorKind::Internal => "InternalError",
        }
    }

    fn words(self) -> &'static str {
        match self {
            FieldErrorKind::NotFound => "Not found",
            FieldErrorKind::Required => "Required value",
            FieldErrorKind::Duplicate => "Duplicate value",
            FieldErrorKind::Invalid | FieldErrorKind::TypeInvalid => "Invalid value",
            FieldErrorKind::NotSupported => "Unsupported value",
            FieldErrorKind::Forbidden => "Forbidden",
            FieldErrorKind::TooLong => "Too long",
            FieldErrorKind::TooMany => "Too many",
            FieldErrorKind::Internal => "Internal error",
        }
    }
}

/// One wrong field. Prints as `spec.replicas: Invalid value: -1: must be …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub kind: FieldErrorKind,
    /// `spec.containers[0].name`
    pub field: String,
    /// The wrong value as it is printed (texts quoted, structures as JSON); empty if it is left out.
    pub value: String,
    pub detail: String,
}

impl FieldError {
    fn new(kind: FieldErrorKind, path: &Path, value: String, detail: impl Into<String>) -> FieldError {
        FieldError {
            kind,
            field: path.to_string(),
            value,
            detail: detail.into(),
        }
    }

    pub fn required(path: &Path, detail: impl Into<String>) -> FieldError {
        FieldError::new(FieldErrorKind::Required, path, String::new(), detail)
    }

    pub fn forbidden(path: &Path, detail: impl Into<String>) -> FieldError {
        FieldError::new(FieldErrorKind::Forbidden, path, String::new(), detail)
    }

    pub fn invalid(path: &Path, value: impl BadValue, detail: impl Into<String>) -> FieldError {
        FieldError::new(FieldErrorKind::Invalid, path, value.printed(), detail)
    }

    pub fn type_invalid(path: &Path, value: impl BadValue, detail: impl Into<String>) -> FieldError {
        FieldError::new(FieldErrorKind::TypeInvalid, path, value.printed(), detail)
    }

    pub fn duplicate(path: &Path, value: impl BadValue) -> FieldError {
        FieldError::new(FieldErrorKind::Duplicate, path, value.printed(), "")
    }

    pub fn not_found(path: &Path, value: impl BadValue) -> FieldError {
        FieldError::new(FieldErrorKind::NotFound, path, value.printed(), "")
    }

    /// `supported` in the order they are to be printed.
    pub fn not_supported(path: &Path, value: impl BadValue, supported: &[&str]) -> FieldError {
        let detail = if supported.is_empty() {
            String::new()
        } else {
            let quoted: Vec<String> = supported.iter().map(|value| go_quote(value)).collect();
            format!("supported values: {}", quoted.join(", "))
        };
        FieldError::new(FieldErrorKind::NotSupported, path, value.printed(), detail)
    }

    /// `max` in bytes; zero stands for an unnamed limit.
    pub fn too_long(path: &Path, max: usize) -> FieldError {
        let detail = match max {
            0 => "value is too long".to_owned(),
            1 => "may not be more than 1 byte".to_owned(),
            max => format!("may not be more than {max} bytes"),
        };
        FieldError::new(FieldErrorKind::TooLong, path, String::new(), detail)
    }

    pub fn too_many(path: &Path, actual: usize, max: usize) -> FieldError {
        let items = if max == 1 { "item" } else { "items" };
        FieldError::new(
            FieldErrorKind::TooMany,
            path,
            actual.to_string(),
            format!("must have at most {max} {items}"),
        )
    }

    pub fn internal(path: &Path, detail: impl Into<String>) -> FieldError {
        FieldError::new(FieldErrorKind::Internal, path, String::new(), detail)
    }

    /// The message without the field: what a Status cause says.
    pub fn body(&self) -> String {
        let mut out = self.kind.words().to_owned();
        if !self.value.is_empty() {
            out.push_str(": ");
            out.push_str(&self.value);
        }
        if !self.detail.is_empty() {
            out.push_str(": ");
            out.push_str(&self.detail);
        }
        out
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// A value that can be printed in an error.
pub trait BadValue {
    fn printed(&self) -> String;
}

impl BadValue for &str {
    fn printed(&self) -> String {
        go_quote(self)
    }
}

impl BadValue for &String {
    fn printed(&self) -> String {
        go_quote(self)
    }
}

macro_rules! plain_bad_value {
    ($($type:ty),*) => { $(impl BadValue for $type {
        fn printed(&self) -> String { self.to_string() }
    })* };
}
plain_bad_value!(i32, i64, usize, bool);

/// Printed as it is: for structures whose upstream form is not their JSON.
pub struct Raw<T>(pub T);

impl<T: AsRef<str>> BadValue for Raw<T> {
    fn printed(&self) -> String {
        self.0.as_ref().to_owned()
    }
}

/// Printed as JSON; `None` is `null`.
pub struct Json<T>(pub T);

impl<T: Encode> BadValue for Json<T> {
    fn printed(&self) -> String {
        codec::to_json(&self.0)
    }
}

/// A structure under the names it has inside upstream, in upstream's order: what is printed for
/// structures whose manifest form has other names.
pub struct Internal<const N: usize>(pub [(&'static str, serde_json::Value); N]);

impl<const N: usize> Encode for Internal<N> {
    fn write(&self, writer: &mut Writer) {
        writer.fields(self.0.iter().map(|(name, value)| (*name, value)));
    }
}

impl<const N: usize> BadValue for Internal<N> {
    fn printed(&self) -> String {
        Json(self).printed()
    }
}

/// A field of an [`Internal`] structure.
pub fn value(value: impl Encode) -> serde_json::Value {
    codec::to_value(&value)
}

/// Quotes as Go's `%q` does.
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if c.is_control() || (c.is_whitespace() && c != ' ') || c as u32 == 0xfeff => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    /// `a.b` after a dot.
    Field(&'a str),
    /// `[3]`
    Index(usize),
    /// `[key]`
    Key(&'a str),
    /// Nothing: for the path of no object at all.
    Empty,
}

/// Where a field is. Costs nothing until it is printed.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    segment: Segment<'a>,
}

impl<'a> Path<'a> {
    pub const fn root(field: &'a str) -> Path<'a> {
        Path {
            parent: None,
            segment: Segment::Field(field),
        }
    }

    /// The path above `metadata` and `spec`.
    pub const fn nil() -> Path<'a> {
        Path {
            parent: None,
            segment: Segment::Empty,
        }
    }

    pub const fn child(&'a self, field: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            segment: Segment::Field(field),
        }
    }

    pub const fn index(&'a self, index: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            segment: Segment::Index(index),
        }
    }

    pub const fn key(&'a self, key: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            segment: Segment::Key(key),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = match self.parent {
            Some(parent) if !matches!(parent.segment, Segment::Empty) => {
                parent.fmt(f)?;
                false
            }
            _ => true,
        };
        match self.segment {
            Segment::Field(field) if first => f.write_str(field),
            Segment::Field(field) => write!(f, ".{field}"),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Key(key) => write!(f, "[{key}]"),
            Segment::Empty => f.write_str("<nil>"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_messages() {
        let spec = Path::root("spec");
        let containers = spec.child("containers");
        let first = containers.index(0);
        let path = first.child("name");
        assert_eq!(path.to_string(), "spec.containers[0].name");
        assert_eq!(Path::root("data").key("a b").to_string(), "data[a b]");
        let error = FieldError::invalid(&path, "a\"\n\u{1}é", "why");
        assert_eq!(
            error.to_string(),
            "spec.containers[0].name: Invalid value: \"a\\\"\\n\\x01é\": why"
        );
        assert_eq!(FieldError::required(&path, "").body(), "Required value");
        assert_eq!(
            FieldError::not_supported(&path, "x", &["a", "b"]).body(),
            "Unsupported value: \"x\": supported values: \"a\", \"b\""
        );
        assert_eq!(
            FieldError::too_long(&path, 63).body(),
            "Too long: may not be more than 63 bytes"
        );
        assert_eq!(
            FieldError::invalid(&path, Json(None::<String>), "d").body(),
            "Invalid value: null: d"
        );
    }
}
