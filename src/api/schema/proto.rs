//! Kubernetes' protobuf encoding, by the schema table and the field numbers in `proto.txt`.
//!
//! Values, not types, are what is read and written: typed clients (kubectl among them) send their
//! bodies so, and everything behind the codec stays as it is for JSON. Source of the form:
//! k8s.io/apimachinery/pkg/runtime/serializer/protobuf, protobuf.dev/programming-guides/encoding.

use super::{Field, Ty, Type};
use crate::api::sorted::SortedMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

static TEXT: &str = include_str!("proto.txt");

/// What every message of Kubernetes begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Nesting deeper than this is refused, as in JSON.
const MAX_DEPTH: usize = 200;

/// What a field number stands for.
#[derive(Debug)]
enum Row {
    Field(&'static str),
    /// A struct that is inlined in JSON: its fields by their own numbers.
    Inline(Vec<(u64, &'static str)>),
}

type Rows = SortedMap<u64, Row>;

fn rows(ty: &Type) -> &'static Rows {
    static TABLE: OnceLock<SortedMap<(&'static str, &'static str), Rows>> = OnceLock::new();
    static NONE: Rows = SortedMap::new();
    TABLE
        .get_or_init(parse)
        .get(&(ty.package, ty.name))
        .unwrap_or(&NONE)
}

fn parse() -> SortedMap<(&'static str, &'static str), Rows> {
    let mut table: SortedMap<(&'static str, &'static str), Rows> = SortedMap::new();
    let (mut package, mut name) = ("", "");
    for line in TEXT.lines() {
        if let Some(own) = line.strip_prefix('@') {
            package = own;
        } else if let Some((field, number)) = line.strip_prefix(' ').and_then(|row| row.rsplit_once(' ')) {
            let row = match field.strip_prefix('^') {
                None => Row::Field(field),
                Some(inner) => Row::Inline(
                    inner
                        .split(',')
                        .filter_map(|pair| pair.split_once(':'))
                        .filter_map(|(f, n)| Some((n.parse().ok()?, f)))
                        .collect(),
                ),
            };
            if let Ok(number) = number.parse() {
                table.entry((package, name)).or_default().insert(number, row);
            }
        } else {
            name = line;
        }
    }
    table
}

/// A message with its version and kind, out of its envelope.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub api_version: String,
    pub kind: String,
    pub raw: &'a [u8],
}

/// Opens `runtime.Unknown`.
///
/// Errors: a text for what is none.
pub fn open(bytes: &[u8]) -> Result<Envelope<'_>, String> {
    let body = bytes
        .strip_prefix(MAGIC)
        .ok_or("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")?;
    let mut out = Envelope {
        api_version: String::new(),
        kind: String::new(),
        raw: &[],
    };
    for part in Parts(body) {
        match part? {
            (1, Part::Bytes(meta)) => {
                for part in Parts(meta) {
                    match part? {
                        (1, Part::Bytes(text)) => {
                            out.api_version = String::from_utf8_lossy(text).into_owned()
                        }
                        (2, Part::Bytes(text)) => out.kind = String::from_utf8_lossy(text).into_owned(),
                        _ => {}
                    }
                }
            }
            (2, Part::Bytes(raw)) => out.raw = raw,
            _ => {}
        }
    }
    Ok(out)
}

/// Puts a message into its envelope.
pub fn close(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut meta = Vec::new();
    put_bytes(&mut meta, 1, api_version.as_bytes());
    put_bytes(&mut meta, 2, kind.as_bytes());
    let mut out = MAGIC.to_vec();
    put_bytes(&mut out, 1, &meta);
    put_bytes(&mut out, 2, raw);
    put_bytes(&mut out, 3, b"");
    put_bytes(&mut out, 4, b"");
    out
}

/// Reads a message of a type as the JSON value it stands for.
///
/// Errors: a text for bytes that are no such message.
pub fn decode(ty: &'static Type, bytes: &[u8]) -> Result<Value, String> {
    let mut out = Map::new();
    decode_into(ty, bytes, &mut out, 0)?;
    Ok(Value::Object(out))
}

fn decode_into(
    ty: &'static Type,
    bytes: &[u8],
    out: &mut Map<String, Value>,
    depth: usize,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err("the message is nested too deeply".to_owned());
    }
    for part in Parts(bytes) {
        let (number, part) = part?;
        match (rows(ty).get(&number), part) {
            (Some(Row::Field(name)), part) => set(ty, name, part, out, depth)?,
            (Some(Row::Inline(fields)), Part::Bytes(inner)) => {
                for part in Parts(inner) {
                    let (number, part) = part?;
                    if let Some((_, name)) = fields.iter().find(|(own, _)| *own == number) {
                        set(ty, name, part, out, depth)?;
                    }
                }
            }
            // A field this version does not know.
            _ => {}
        }
    }
    Ok(())
}

fn set(
    ty: &'static Type,
    name: &str,
    part: Part<'_>,
    out: &mut Map<String, Value>,
    depth: usize,
) -> Result<(), String> {
    let Some(field) = ty.field(name) else {
        return Ok(());
    };
    match &field.ty {
        Ty::List(inner) => {
            let slot = out.entry(name).or_insert_with(|| json!([]));
            let Value::Array(list) = slot else { return Ok(()) };
            match (&**inner, part) {
                (Ty::Int32 | Ty::Int64, Part::Bytes(packed)) => {
                    let mut rest = packed;
                    while !rest.is_empty() {
                        list.push((varint(&mut rest)? as i64).into());
                    }
                }
                (inner, part) => list.extend(single(inner, part, depth)?),
            }
        }
        Ty::Map(inner) => {
            let Part::Bytes(entry) = part else {
                return Err(format!("{name}: not a map entry"));
            };
            let (mut key, mut value) = (String::new(), None);
            for part in Parts(entry) {
                match part? {
                    (1, Part::Bytes(text)) => key = String::from_utf8_lossy(text).into_owned(),
                    (2, part) => value = map_value(inner, part, depth)?,
                    _ => {}
                }
            }
            let value = value.unwrap_or_else(|| {
                if **inner == Ty::String {
                    "".into()
                } else {
                    json!({})
                }
            });
            if let Value::Object(map) = out.entry(name).or_insert_with(|| json!({})) {
                map.insert(key, value);
            }
        }
        other => {
            if let Some(value) = single(other, part, depth)? {
                out.insert(name.to_owned(), value);
            }
        }
    }
    Ok(())
}

/// A map's value; a list there is a message of `items`.
fn map_value(ty: &Ty, part: Part<'_>, depth: usize) -> Result<Option<Value>, String> {
    let (Ty::List(inner), Part::Bytes(message)) = (ty, part) else {
        return single(ty, part, depth);
    };
    let mut list = Vec::new();
    for part in Parts(message) {
        if let (1, part) = part? {
            list.extend(single(inner, part, depth)?);
        }
    }
    Ok(Some(Value::Array(list)))
}

/// One value; nothing for the zero time.
fn single(ty: &Ty, part: Part<'_>, depth: usize) -> Result<Option<Value>, String> {
    let wrong = || format!("proto: wrong wire type for {ty:?}");
    Ok(Some(match (ty, part) {
        (Ty::Int32, Part::Varint(n)) => Value::from(n as i32),
        (Ty::Int64, Part::Varint(n)) => Value::from(n as i64),
        (Ty::Bool, Part::Varint(n)) => Value::from(n != 0),
        (Ty::Double, Part::Fixed64(bits)) => Value::from(f64::from_bits(bits)),
        (Ty::String, Part::Bytes(text)) => {
            Value::from(std::str::from_utf8(text).map_err(|_| "proto: string field contains invalid UTF-8")?)
        }
        (Ty::Bytes, Part::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Ty::Struct(id), Part::Bytes(message)) => {
            let mut map = Map::new();
            decode_into(id.get(), message, &mut map, depth + 1)?;
            Value::Object(map)
        }
        (Ty::Quantity, Part::Bytes(message)) => {
            String::from_utf8_lossy(first_bytes(message, 1)?.unwrap_or_default())
                .into_owned()
                .into()
        }
        (Ty::Raw | Ty::FieldsV1, Part::Bytes(message)) => {
            let raw = first_bytes(message, 1)?.unwrap_or_default();
            serde_json::from_slice(raw).map_err(|error| error.to_string())?
        }
        (Ty::IntOrString, Part::Bytes(message)) => {
            let (mut text, mut number, mut is_text) = (String::new(), 0, false);
            for part in Parts(message) {
                match part? {
                    (1, Part::Varint(n)) => is_text = n == 1,
                    (2, Part::Varint(n)) => number = n as i32,
                    (3, Part::Bytes(bytes)) => text = String::from_utf8_lossy(bytes).into_owned(),
                    _ => {}
                }
            }
            if is_text { text.into() } else { number.into() }
        }
        (Ty::Time | Ty::MicroTime, Part::Bytes(message)) => return time(message, *ty == Ty::MicroTime),
        _ => return Err(wrong()),
    }))
}

fn first_bytes(message: &[u8], wanted: u64) -> Result<Option<&[u8]>, String> {
    for part in Parts(message) {
        if let (number, Part::Bytes(bytes)) = part? {
            if number == wanted {
                return Ok(Some(bytes));
            }
        }
    }
    Ok(None)
}

fn time(message: &[u8], micros: bool) -> Result<Option<Value>, String> {
    let (mut seconds, mut nanos) = (None, 0);
    for part in Parts(message) {
        match part? {
            (1, Part::Varint(n)) => seconds = Some(n as i64),
            (2, Part::Varint(n)) => nanos = n as i32,
            _ => {}
        }
    }
    let Some(seconds) = seconds else { return Ok(None) };
    let moment = jiff::Timestamp::new(seconds, nanos).map_err(|_| "time out of range")?;
    Ok(Some(if micros {
        format!("{moment:.6}").into()
    } else {
        format!("{moment:.0}").into()
    }))
}

/// Writes a value of a type as a message. What the type does not know is left out.
pub fn encode(ty: &'static Type, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, row) in rows(ty) {
        match row {
            Row::Field(name) => put_field(&mut out, *number, ty.field(name), &value[*name]),
            Row::Inline(fields) => {
                let mut inner = Vec::new();
                for (number, name) in fields {
                    put_field(&mut inner, *number, ty.field(name), &value[*name]);
                }
                put_bytes(&mut out, *number, &inner);
            }
        }
    }
    out
}

/// A list of objects: `metadata` and `items`.
pub fn encode_list(item: &'static Type, list: &Value) -> Vec<u8> {
    let mut meta = Vec::new();
    let metadata = &list["metadata"];
    for (number, name) in [(1, "selfLink"), (2, "resourceVersion"), (3, "continue")] {
        put_bytes(
            &mut meta,
            number,
            metadata[name].as_str().unwrap_or("").as_bytes(),
        );
    }
    if let Some(remaining) = metadata["remainingItemCount"].as_i64() {
        put_varint_field(&mut meta, 4, remaining as u64);
    }
    let mut out = Vec::new();
    put_bytes(&mut out, 1, &meta);
    for own in list["items"].as_array().into_iter().flatten() {
        put_bytes(&mut out, 2, &encode(item, own));
    }
    out
}

/// One event of a watch in its frame: a length of four bytes, then `meta/v1.WatchEvent`, which has no envelope of
/// its own around that of its object.
/// Source: k8s.io/apimachinery/pkg/runtime/serializer/protobuf, `NewRawSerializer`, `LengthDelimitedFramer`.
pub fn watch_frame(word: &str, object: &[u8]) -> Vec<u8> {
    let mut extension = Vec::new();
    put_bytes(&mut extension, 1, object);
    let mut event = Vec::new();
    put_bytes(&mut event, 1, word.as_bytes());
    put_bytes(&mut event, 2, &extension);
    let mut out = (event.len() as u32).to_be_bytes().to_vec();
    out.append(&mut event);
    out
}

fn put_field(out: &mut Vec<u8>, number: u64, field: Option<&Field>, value: &Value) {
    let Some(field) = field.filter(|_| !value.is_null()) else {
        return;
    };
    match (&field.ty, value) {
        (Ty::List(inner), Value::Array(list)) => list.iter().for_each(|value| put(out, number, inner, value)),
        (Ty::Map(inner), Value::Object(map)) => {
            for (key, value) in map {
                let mut entry = Vec::new();
                put_bytes(&mut entry, 1, key.as_bytes());
                match (&**inner, value) {
                    (Ty::List(inner), Value::Array(list)) => {
                        let mut items = Vec::new();
                        list.iter().for_each(|value| put(&mut items, 1, inner, value));
                        put_bytes(&mut entry, 2, &items);
                    }
                    (inner, value) => put(&mut entry, 2, inner, value),
                }
                put_bytes(out, number, &entry);
            }
        }
        (ty, value) => put(out, number, ty, value),
    }
}

fn put(out: &mut Vec<u8>, number: u64, ty: &Ty, value: &Value) {
    let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match ty {
        Ty::Int32 | Ty::Int64 => put_varint_field(out, number, value.as_i64().unwrap_or(0) as u64),
        Ty::Bool => put_varint_field(out, number, u64::from(value == true)),
        Ty::Double => {
            put_varint(out, number << 3 | 1);
            out.extend_from_slice(&value.as_f64().unwrap_or(0.0).to_bits().to_le_bytes());
        }
        Ty::String => put_bytes(out, number, text().as_bytes()),
        Ty::Bytes => put_bytes(out, number, &STANDARD.decode(text()).unwrap_or_default()),
        Ty::Struct(id) => put_bytes(out, number, &encode(id.get(), value)),
        Ty::Quantity => {
            let mut message = Vec::new();
            put_bytes(&mut message, 1, text().as_bytes());
            put_bytes(out, number, &message);
        }
        Ty::Raw | Ty::FieldsV1 => {
            let mut message = Vec::new();
            put_bytes(&mut message, 1, value.to_string().as_bytes());
            put_bytes(out, number, &message);
        }
        Ty::IntOrString => {
            let mut message = Vec::new();
            put_varint_field(&mut message, 1, u64::from(value.is_string()));
            put_varint_field(&mut message, 2, value.as_i64().unwrap_or(0) as u64);
            put_bytes(&mut message, 3, value.as_str().unwrap_or("").as_bytes());
            put_bytes(out, number, &message);
        }
        Ty::Time | Ty::MicroTime => {
            let Ok(moment) = text().parse::<jiff::Timestamp>() else {
                return;
            };
            let mut message = Vec::new();
            put_varint_field(&mut message, 1, moment.as_second() as u64);
            put_varint_field(&mut message, 2, moment.subsec_nanosecond() as u64);
            put_bytes(out, number, &message);
        }
        // Lists and maps are handled by their field.
        Ty::List(_) | Ty::Map(_) => {}
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_varint_field(out: &mut Vec<u8>, number: u64, value: u64) {
    put_varint(out, number << 3);
    put_varint(out, value);
}

fn put_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// What stands behind a field number.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
}

/// The parts of a message.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = Result<(u64, Part<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let part = self.part();
        if part.is_err() {
            self.0 = &[];
        }
        Some(part)
    }
}

impl<'a> Parts<'a> {
    fn part(&mut self) -> Result<(u64, Part<'a>), String> {
        let tag = varint(&mut self.0)?;
        let part = match tag & 7 {
            0 => Part::Varint(varint(&mut self.0)?),
            1 => {
                let bytes: [u8; 8] = self.take(8)?.try_into().map_err(|_| "unexpected EOF")?;
                Part::Fixed64(u64::from_le_bytes(bytes))
            }
            2 => {
                let size = varint(&mut self.0)?;
                Part::Bytes(self.take(usize::try_from(size).map_err(|_| "proto: integer overflow")?)?)
            }
            5 => {
                self.take(4)?;
                Part::Varint(0)
            }
            other => return Err(format!("proto: illegal wireType {other}")),
        };
        Ok((tag >> 3, part))
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(size).ok_or("unexpected EOF")?;
        self.0 = rest;
        Ok(taken)
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or("unexpected EOF")?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("proto: integer overflow".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::schema::named;
    use proptest::prelude::*;

    #[test]
    fn there_and_back() {
        let pod = json!({
            "metadata": {"name": "a", "labels": {"x": "y"}, "creationTimestamp": "2026-04-01T09:00:00Z"},
            "spec": {
                "containers": [{"name": "c", "resources": {"requests": {"cpu": "100m"}},
                    "livenessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 10}, "ports": [{"containerPort": 80}]}],
                "volumes": [{"name": "v", "configMap": {"name": "cm", "defaultMode": 420}}],
                "terminationGracePeriodSeconds": 30, "hostNetwork": true,
            },
        });
        let ty = named("core/v1.Pod").unwrap();
        let bytes = close("v1", "Pod", &encode(ty, &pod));
        let envelope = open(&bytes).unwrap();
        assert_eq!(
            (envelope.api_version.as_str(), envelope.kind.as_str()),
            ("v1", "Pod")
        );
        assert_eq!(decode(ty, envelope.raw).unwrap(), pod);
        let review = json!({"spec": {"user": "u", "extra": {"k": ["a", "b"]}}});
        let ty = named("authorization/v1.SubjectAccessReview").unwrap();
        assert_eq!(decode(ty, &encode(ty, &review)).unwrap(), review);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(named("core/v1.Pod").unwrap(), &bytes);
            let _ = open(&[MAGIC, &bytes].concat());
        }
    }
}
