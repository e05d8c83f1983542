//! One walk of a JSON value along its Go type: unknown fields, type errors in Go's words, and the
//! normal form the typed decoder wants (no nulls, quantities as strings).
//!
//! Sources: Go's encoding/json `decode.go` as sigs.k8s.io/json changed it, and apimachinery's
//! `runtime/converter.go`.

use super::scalars::{RFC3339, RFC3339_MICRO, check_base64, check_time};
use crate::api::civil;
use crate::api::quantity::Quantity;
use crate::api::schema::{self, Field, Ty, Type};
use serde_json::{Map, Number, Value};

/// Whose words a type error uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// The JSON decoder's: bodies, JSON and merge patches.
    Json,
    /// The unstructured converter's: strategic merge patches.
    Unstructured,
}

/// Something that does not fit the type.
#[derive(Debug)]
pub struct Mismatch {
    pub path: String,
    pub text: String,
    /// A type's own decoder said it; that stops Go's decoder and outweighs earlier errors.
    pub stops: bool,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Paths of unknown fields: `spec.containers[0].imagee`.
    pub unknown: Vec<String>,
    pub mismatches: Vec<Mismatch>,
}

/// Appends a key to a path as strict decoding writes paths.
pub fn join(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// Walks a whole object.
pub fn walk(value: &mut Value, ty: &'static Type, words: Words) -> Findings {
    let mut walk = Walk {
        words,
        found: Findings::default(),
        path: String::new(),
        stack: Vec::new(),
    };
    match value {
        Value::Object(map) => walk.object(map, ty),
        other => {
            let text = format!(
                "json: cannot unmarshal {} into Go value of type {}",
                json_kind(other),
                ty.go_name()
            );
            walk.found.mismatches.push(Mismatch {
                path: String::new(),
                text,
                stops: false,
            });
        }
    }
    walk.found
}

/// Seconds of 0000-01-01T00:00:00Z since the epoch.
const YEAR_ZERO: i64 = -62_167_219_200;

/// The most problems of a kind that are kept, as upstream.
const MOST: usize = 100;

struct Walk {
    words: Words,
    found: Findings,
    path: String,
    /// Field names from the root, without indices and map keys.
    stack: Vec<&'static str>,
}

/// Where a value stands: in which field of which struct, below how many lists and maps.
#[derive(Clone, Copy)]
struct Spot {
    owner: &'static Type,
    field: &'static Field,
    unwrapped: usize,
}

impl Walk {
    fn object(&mut self, map: &mut Map<String, Value>, ty: &'static Type) {
        let mut drop = Vec::new();
        for (key, value) in map.iter_mut() {
            let outer = self.path.len();
            join(&mut self.path, key);
            match ty.field(key) {
                None => {
                    if self.found.unknown.len() < MOST {
                        self.found.unknown.push(self.path.clone());
                    }
                    drop.push(key.clone());
                }
                Some(_) if value.is_null() => drop.push(key.clone()),
                Some(field) => {
                    self.stack.push(field.name);
                    self.value(
                        value,
                        &field.ty,
                        Spot {
                            owner: ty,
                            field,
                            unwrapped: 0,
                        },
                    );
                    self.stack.pop();
                    if field.is_dropped(value) {
                        drop.push(key.clone());
                    }
                }
            }
            self.path.truncate(outer);
        }
        for key in drop {
            map.remove(&key);
        }
        for (name, ty) in &ty.times {
            if !map.contains_key(*name) {
                map.insert((*name).to_owned(), zero_time(ty).into());
            }
        }
    }

    fn value(&mut self, value: &mut Value, ty: &'static Ty, spot: Spot) {
        match ty {
            Ty::Raw | Ty::FieldsV1 => {}
            Ty::Struct(id) => match value {
                Value::Object(map) => {
                    let inner = id.get();
                    self.object(map, inner);
                    // A whole object inside another (a claim template) has one version and kind, whatever it says.
                    if schema::is_kind(inner) {
                        map.remove("apiVersion");
                        map.remove("kind");
                    }
                }
                _ => self.mismatch(value, ty, spot),
            },
            Ty::List(inner) => match value {
                Value::Array(items) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        let outer = self.path.len();
                        self.path.push_str(&format!("[{index}]"));
                        self.element(item, inner, spot);
                        self.path.truncate(outer);
                    }
                }
                _ => self.mismatch(value, ty, spot),
            },
            Ty::Map(inner) => match value {
                Value::Object(map) => {
                    for (key, item) in map.iter_mut() {
                        let outer = self.path.len();
                        join(&mut self.path, key);
                        self.element(item, inner, spot);
                        self.path.truncate(outer);
                    }
                }
                _ => self.mismatch(value, ty, spot),
            },
            Ty::String if value.is_string() => {}
            Ty::Bool if value.is_boolean() => {}
            Ty::Double if value.is_number() => {}
            Ty::Int32 | Ty::Int64 => self.integer(value, ty, spot),
            Ty::Bytes => match value {
                Value::String(text) => match check_base64(text) {
                    Ok(()) => normalize_base64(text),
                    Err(at) => self.push(format!("illegal base64 data at input byte {at}"), false),
                },
                _ => self.mismatch(value, ty, spot),
            },
            Ty::Quantity => self.quantity(value),
            Ty::Time => self.time(value, RFC3339),
            Ty::MicroTime => self.time(value, RFC3339_MICRO),
            Ty::IntOrString => self.int_or_string(value),
            Ty::String | Ty::Bool | Ty::Double => self.mismatch(value, ty, spot),
        }
    }

    /// An element of a list or map; null stands for the type's zero value there.
    fn element(&mut self, value: &mut Value, ty: &'static Ty, spot: Spot) {
        if value.is_null() {
            *value = match ty {
                Ty::String | Ty::Bytes => Value::String(String::new()),
                Ty::Quantity => Value::String("0".to_owned()),
                Ty::Int32 | Ty::Int64 | Ty::Double | Ty::IntOrString => 0.into(),
                Ty::Bool => Value::Bool(false),
                Ty::Struct(id) => {
                    let mut map = Map::new();
                    self.object(&mut map, id.get());
                    Value::Object(map)
                }
                Ty::Map(_) => Value::Object(Map::new()),
                Ty::List(_) => Value::Array(Vec::new()),
                Ty::Time | Ty::MicroTime => zero_time(ty).into(),
                Ty::Raw | Ty::FieldsV1 => Value::Null,
            };
            return;
        }
        self.value(
            value,
            ty,
            Spot {
                unwrapped: spot.unwrapped + 1,
                ..spot
            },
        );
    }

    fn integer(&mut self, value: &mut Value, ty: &Ty, spot: Spot) {
        let Value::Number(number) = value else {
            return self.mismatch(value, ty, spot);
        };
        let fits = match ty {
            Ty::Int32 => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            _ => number.as_i64().is_some(),
        };
        if fits {
            return;
        }
        if self.words == Words::Unstructured {
            // Go converts between number types as C does.
            #[expect(clippy::cast_possible_truncation, reason = "Go's conversion truncates too")]
            let whole = number
                .as_i64()
                .unwrap_or_else(|| number.as_f64().unwrap_or(0.0) as i64);
            #[expect(clippy::cast_possible_truncation, reason = "Go's conversion truncates too")]
            let whole = if *ty == Ty::Int32 {
                i64::from(whole as i32)
            } else {
                whole
            };
            *value = whole.into();
            return;
        }
        let what = format!("number {}", number_text(number));
        self.unmarshal_error(&what, spot);
    }

    fn quantity(&mut self, value: &mut Value) {
        let text = match &*value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number_text(number),
            other => other.to_string(),
        };
        match Quantity::parse(text.trim()) {
            Err(why) => self.push(why.to_string(), true),
            Ok(_) if value.is_number() => *value = Value::String(text),
            Ok(_) => {}
        }
    }

    fn time(&mut self, value: &Value, layout: &str) {
        match value {
            Value::String(text) => {
                let fits = check_time(text, layout).and_then(|()| {
                    let parsed = civil::parse(text);
                    // Before year zero (a zone can lead there) it could not be written again.
                    let writable = parsed.is_some_and(|time| time.as_second() >= YEAR_ZERO);
                    writable
                        .then_some(())
                        .ok_or_else(|| format!("parsing time {text:?}: year out of range"))
                });
                if let Err(why) = fits {
                    self.push(why, true);
                }
            }
            other => self.push(
                format!(
                    "json: cannot unmarshal {} into Go value of type string",
                    json_kind(other)
                ),
                true,
            ),
        }
    }

    fn int_or_string(&mut self, value: &Value) {
        let what = match value {
            Value::String(_) => return,
            Value::Number(number) => {
                if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) {
                    return;
                }
                format!("number {}", number_text(number))
            }
            other => json_kind(other).to_owned(),
        };
        self.push(
            format!("json: cannot unmarshal {what} into Go value of type int32"),
            true,
        );
    }

    fn mismatch(&mut self, value: &Value, ty: &Ty, spot: Spot) {
        if self.words == Words::Json {
            return self.unmarshal_error(json_kind(value), spot);
        }
        let from = match value {
            Value::Null => return,
            Value::Bool(_) => "bool",
            Value::Number(n) if n.is_f64() => "float64",
            Value::Number(_) => "int64",
            Value::String(_) => "string",
            Value::Array(_) => "slice",
            Value::Object(_) => "map",
        };
        let text = match ty {
            Ty::Map(_) => format!("cannot restore map from {from}"),
            Ty::List(_) | Ty::Bytes => format!("cannot restore slice from {from}"),
            Ty::Struct(_) => format!("cannot restore struct from: {from}"),
            _ => format!(
                "unrecognized type: {}",
                match ty {
                    Ty::Int32 => "int32",
                    Ty::Int64 => "int64",
                    Ty::Bool => "bool",
                    Ty::Double => "float64",
                    _ => "string",
                }
            ),
        };
        self.push(text, true);
    }

    fn unmarshal_error(&mut self, what: &str, spot: Spot) {
        let text = format!(
            "json: cannot unmarshal {what} into Go struct field {}.{} of type {}",
            spot.owner.name,
            self.stack.join("."),
            spot.field.go_type(spot.unwrapped)
        );
        self.push(text, false);
    }

    fn push(&mut self, text: String, stops: bool) {
        if self.found.mismatches.len() < MOST {
            self.found.mismatches.push(Mismatch {
                path: self.path.clone(),
                text,
                stops,
            });
        }
    }
}

/// What Go calls a JSON value in its errors.
pub fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Go skips line ends and ignores bits after the last byte; the typed decoder does not.
fn normalize_base64(text: &mut String) {
    use base64::Engine;
    use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
    text.retain(|c| c != '\n' && c != '\r');
    if !text.ends_with('=') {
        return;
    }
    let lenient = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    if let Ok(bytes) = lenient.decode(text.as_bytes()) {
        *text = STANDARD.encode(bytes);
    }
}

fn zero_time(ty: &Ty) -> &'static str {
    if *ty == Ty::MicroTime {
        "0001-01-01T00:00:00.000000Z"
    } else {
        "0001-01-01T00:00:00Z"
    }
}

fn number_text(number: &Number) -> String {
    number.to_string()
}
