//! From a request's body to a typed object: syntax, version and kind, unknown and duplicate fields,
//! type errors, then one typed decoding.
//!
//! Sources: k8s.io/apiserver/pkg/endpoints/handlers (`create.go`, `rest.go`), apimachinery's
//! `runtime/serializer/json`.

mod body;
mod json;
mod scalars;
mod walk;

pub use body::{Body, Format, decode_body, foreign};
pub use json::{MAX_DEPTH, number as json_number, parse as parse_json};
pub use scalars::{RFC3339, RFC3339_MICRO, check_base64, check_time};
pub use walk::{Words, json_kind};

use super::codec::{self, Part};
use super::kind::Kind;
use super::object::Object;
use super::schema::{self, Type};
use super::status::Status;
use crate::api::order::StableSort;
use serde_json::Value;

/// What to do about unknown and duplicate fields (`?fieldValidation=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

impl FieldValidation {
    /// Reads the query parameter; empty is the default. Nothing for an unsupported value.
    pub fn parse(text: &str) -> Option<FieldValidation> {
        match text {
            "Ignore" => Some(FieldValidation::Ignore),
            "" | "Warn" => Some(FieldValidation::Warn),
            "Strict" => Some(FieldValidation::Strict),
            _ => None,
        }
    }
}

/// A decoded object with the warnings about its fields (texts without the `299 -` frame).
#[derive(Debug)]
pub struct Decoded {
    pub object: Object,
    pub warnings: Vec<String>,
}

/// What a type's walk found, in upstream's order.
#[derive(Debug, Default)]
pub struct Checked {
    /// `unknown field "spec.bogus"`, `duplicate field "spec.replicas"`
    pub strict: Vec<String>,
    /// The error Go's decoder reports.
    pub error: Option<String>,
}

/// Decodes an object of a stored kind. The body's `apiVersion` and `kind` may be absent; when present they must be
/// the kind's own ([`Body::check_kind`] says so in upstream's words).
///
/// Errors: 400 BadRequest.
pub fn decode<'a>(
    kind: Kind,
    body: impl Into<Body<'a>>,
    validation: FieldValidation,
) -> Result<Decoded, Status> {
    let info = kind.info();
    let mut body = body.into();
    let warnings = check_body(schema::of(kind), &mut body, validation)
        .map_err(|why| cannot_be_handled(info.name, info.version, &why))?;
    Ok(Decoded {
        object: Object::decode_checked(kind, body.value),
        warnings,
    })
}

/// Decodes what is not a stored kind: `decode_named::<Eviction>("policy/v1.Eviction", …)`.
///
/// Errors: 400 BadRequest.
pub fn decode_named<'a, T: Part>(
    type_name: &str,
    body: impl Into<Body<'a>>,
    validation: FieldValidation,
) -> Result<(T, Vec<String>), Status> {
    let mut body = body.into();
    let Some(ty) = schema::named(type_name) else {
        return Err(Status::new(
            500,
            "InternalError",
            format!("no type {type_name} in the schema table"),
        ));
    };
    let version = ty.package.rsplit('/').next().unwrap_or("");
    let warnings =
        check_body(ty, &mut body, validation).map_err(|why| cannot_be_handled(ty.name, version, &why))?;
    Ok((codec::decode(body.value), warnings))
}

fn cannot_be_handled(name: &str, version: &str, why: &str) -> Status {
    Status::bad_request(format!(
        "{name} in version \"{version}\" cannot be handled as a {name}: {why}"
    ))
}

/// Checks and normalizes; the warnings, or the error's text.
fn check_body(
    ty: &'static Type,
    body: &mut Body,
    validation: FieldValidation,
) -> Result<Vec<String>, String> {
    let checked = check(ty, body, Words::Json);
    if let Some(error) = checked.error {
        return Err(error);
    }
    match validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Warn => Ok(checked.strict),
        FieldValidation::Strict if checked.strict.is_empty() => Ok(Vec::new()),
        FieldValidation::Strict => Err(format!("strict decoding error: {}", checked.strict.join(", "))),
    }
}

/// Walks a body along a type. Afterwards the value has no unknown field and no null the type cannot hold.
pub fn check(ty: &'static Type, body: &mut Body, words: Words) -> Checked {
    let mut found = walk::walk(&mut body.value, ty, words);
    let record = body.record_if(body.has_duplicates || found.unknown.len() > 1 || found.mismatches.len() > 1);
    let place = |path: &str| {
        record
            .as_ref()
            .and_then(|r| r.offsets.get(path))
            .copied()
            .unwrap_or(0)
    };
    found.mismatches.stable_sort_by_key(|m| place(&m.path));
    let stop = found.mismatches.iter().position(|m| m.stops).unwrap_or(0);
    let error = if found.mismatches.is_empty() {
        None
    } else {
        Some(found.mismatches.swap_remove(stop).text)
    };
    // A duplicate below an unknown field was never looked at.
    let below_unknown = |path: &str| {
        found.unknown.iter().any(|u| {
            path.strip_prefix(u.as_str())
                .is_some_and(|rest| matches!(rest.bytes().next(), None | Some(b'.' | b'[')))
        })
    };
    let mut strict: Vec<(usize, String)> = Vec::new();
    if let Some(record) = &record {
        for (path, at) in record.duplicates.iter().filter(|(path, _)| !below_unknown(path)) {
            strict.push((*at, format!("duplicate field {}", quote(path))));
        }
    }
    strict.extend(
        found
            .unknown
            .iter()
            .map(|path| (place(path), format!("unknown field {}", quote(path)))),
    );
    strict.stable_sort_by_key(|(at, _)| *at);
    let mut texts: Vec<String> = body.yaml_duplicates.iter().cloned().collect();
    for (_, text) in strict {
        if !texts.contains(&text) && texts.len() < 100 {
            texts.push(text);
        }
    }
    Checked { strict: texts, error }
}

/// Go's `%q` of a field path.
fn quote(path: &str) -> String {
    Value::String(path.to_owned()).to_string()
}

#[cfg(test)]
mod tests;
