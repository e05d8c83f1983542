//! Typed objects from values and back, without serde: its generated visitors were a tenth of the
//! page's download. Every struct is a row of `structs.rs` here, every field a call.
//!
//! Reading expects what the schema walk in [`super::decode`] has let through: nothing can fail, and
//! a scalar that nevertheless does not fit is read as its zero value. Writing is [`super::wire`]'s.

mod reader;
mod structs;

use super::civil;
use super::wire::Writer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::ByteString;
use k8s_openapi::api::{
    apps, authentication, authorization, autoscaling, batch, coordination, core, discovery, events,
    networking, policy, rbac, scheduling, storage,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, MicroTime, Time};
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use k8s_openapi::jiff::Timestamp;
use reader::Reader;
use serde_json::Value;
use std::collections::BTreeMap;

/// What can be written: a scalar, a list, a map, a struct.
pub trait Encode {
    fn write(&self, writer: &mut Writer);
    /// A field with this in it is not written.
    fn is_absent(&self) -> bool {
        false
    }
}

/// What can be in an object.
pub trait Part: Encode + Sized {
    /// What is there before anything was read.
    fn empty() -> Self;
    /// Takes over the value the reader is at.
    fn read(&mut self, reader: &mut Reader);
}

/// The object in a value that fits.
pub fn decode<T: Part>(value: Value) -> T {
    let mut object = T::empty();
    object.read(&mut Reader::new(value));
    object
}

/// Encodes as `k8s-openapi` does: what is absent is left out.
pub fn to_value<T: Encode + ?Sized>(object: &T) -> Value {
    super::wire::value(false, |writer| object.write(writer))
}

/// The same as text.
pub fn to_json<T: Encode + ?Sized>(object: &T) -> String {
    let mut out = Vec::new();
    super::wire::write(&mut out, false, |writer| object.write(writer));
    String::from_utf8(out).unwrap_or_default()
}

fn read_field<T: Part>(field: &mut T, reader: &mut Reader) {
    if reader.next_field() {
        field.read(reader);
    }
}

fn write_field<T: Encode>(field: &T, writer: &mut Writer) {
    if writer.next_field(field.is_absent()) {
        field.write(writer);
    }
}

/// Implements [`Part`] for structs: their path below `k8s_openapi`, `type_meta` if they carry
/// `apiVersion` and `kind`, their fields and the names of these in JSON, in byte order.
macro_rules! structs {
    ($($group:ident::$version:ident::$name:ident $($type_meta:ident)? { $($field:ident $json:literal,)* })*) => {$(
        impl Part for $group::$version::$name {
            fn empty() -> Self {
                Self { $($field: Part::empty()),* }
            }

            fn read(&mut self, reader: &mut Reader) {
                reader.enter_struct(concat!($($json, " "),*));
                $(read_field(&mut self.$field, reader);)*
                reader.leave();
            }
        }

        impl Encode for $group::$version::$name {
            fn write(&self, writer: &mut Writer) {
                writer.enter_struct(stringify!($name), concat!($($json, " "),*));
                $({
                    use k8s_openapi::Resource;
                    writer.$type_meta(Self::API_VERSION, Self::KIND);
                })?
                $(write_field(&self.$field, writer);)*
                writer.leave();
            }
        }
    )*};
}
structs::rows!(structs);

impl<T: Encode + ?Sized> Encode for &T {
    fn write(&self, writer: &mut Writer) {
        (**self).write(writer);
    }
}

impl<T: Part> Part for Option<T> {
    fn empty() -> Self {
        None
    }

    fn read(&mut self, reader: &mut Reader) {
        self.insert(T::empty()).read(reader);
    }
}

impl<T: Encode> Encode for Option<T> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Some(part) => part.write(writer),
            None => writer.value(&Value::Null),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Part> Part for Vec<T> {
    fn empty() -> Self {
        Vec::new()
    }

    fn read(&mut self, reader: &mut Reader) {
        self.reserve_exact(reader.enter_list());
        while reader.next_item() {
            let mut item = T::empty();
            item.read(reader);
            self.push(item);
        }
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn write(&self, writer: &mut Writer) {
        writer.list(self);
    }
}

impl<T: Part> Part for BTreeMap<String, T> {
    fn empty() -> Self {
        BTreeMap::new()
    }

    fn read(&mut self, reader: &mut Reader) {
        reader.enter_map();
        while let Some(key) = reader.next_entry() {
            let mut part = T::empty();
            part.read(reader);
            self.insert(key, part);
        }
    }
}

impl<T: Encode> Encode for BTreeMap<String, T> {
    fn write(&self, writer: &mut Writer) {
        writer.fields(self.iter().map(|(key, part)| (key.as_str(), part)));
    }
}

impl<T: Encode> Encode for [T] {
    fn write(&self, writer: &mut Writer) {
        writer.list(self);
    }
}

impl Encode for str {
    fn write(&self, writer: &mut Writer) {
        writer.text(self);
    }
}

macro_rules! scalars {
    ($($type:ty, $empty:expr; $this:ident, |$reader:ident| $read:expr, |$writer:ident| $write:expr;)*) => {$(
        impl Part for $type {
            fn empty() -> Self {
                $empty
            }

            fn read(&mut self, $reader: &mut Reader) {
                *self = $read;
            }
        }

        impl Encode for $type {
            fn write(&self, $writer: &mut Writer) {
                let $this = self;
                $write
            }
        }
    )*};
}
scalars! {
    bool, false; this, |reader| reader.boolean(), |writer| writer.boolean(*this);
    i32, 0; this, |reader| reader.small_integer(), |writer| writer.integer((*this).into());
    i64, 0; this, |reader| reader.integer(), |writer| writer.integer(*this);
    f64, 0.0; this, |reader| reader.float(), |writer| writer.value(&(*this).into());
    String, String::new(); this, |reader| reader.text(), |writer| writer.text(this);
    Value, Value::Null; this, |reader| reader.value(), |writer| writer.value(this);
    Quantity, Quantity::default(); this, |reader| Quantity(reader.text()), |writer| writer.text(&this.0);
    RawExtension, RawExtension::default(); this, |reader| RawExtension(reader.value()), |writer| writer.value(&this.0);
    FieldsV1, FieldsV1::default(); this, |reader| FieldsV1(reader.value()), |writer| writer.value(&this.0);
    ByteString, ByteString::default(); this,
        |reader| ByteString(STANDARD.decode(reader.text()).unwrap_or_default()),
        |writer| writer.text(&STANDARD.encode(&this.0));
    IntOrString, IntOrString::default(); this,
        |reader| if reader.is_text() { IntOrString::String(reader.text()) } else { IntOrString::Int(reader.small_integer()) },
        |writer| match this {
            IntOrString::Int(number) => writer.integer((*number).into()),
            IntOrString::String(text) => writer.text(text),
        };
    Time, Time(Timestamp::UNIX_EPOCH); this,
        |reader| Time(civil::parse(&reader.text()).unwrap_or_default()),
        |writer| writer.text(&civil::seconds(this.0));
    MicroTime, MicroTime(Timestamp::UNIX_EPOCH); this,
        |reader| MicroTime(civil::parse(&reader.text()).unwrap_or_default()),
        |writer| writer.text(&civil::micros(this.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::schema::{self, Ty, Type};
    use serde_json::{Map, json};

    /// A value with everything in it, numbers and texts all different.
    fn full(ty: &Ty, depth: usize, count: &mut i32) -> Value {
        *count += 1;
        match ty {
            Ty::String | Ty::Quantity => format!("text {count}").into(),
            Ty::Int32 | Ty::Int64 => (*count).into(),
            Ty::Bool => (*count % 2 == 0).into(),
            Ty::Double => (f64::from(*count) + 0.5).into(),
            Ty::IntOrString if *count % 2 == 0 => (*count).into(),
            Ty::IntOrString => format!("port {count}").into(),
            Ty::Time => format!("2026-04-01T12:{:02}:07Z", *count % 60).into(),
            Ty::MicroTime => format!("2026-04-01T12:{:02}:07.{count:06}Z", *count % 60).into(),
            Ty::Bytes => STANDARD.encode(count.to_string()).into(),
            Ty::Raw | Ty::FieldsV1 => json!({"any": [null, 1, {"f:a": {}}], "n": *count}),
            Ty::Struct(id) => full_struct(id.get(), depth + 1, count),
            Ty::List(inner) => json!([full(inner, depth, count), full(inner, depth, count)]),
            Ty::Map(inner) => json!({"b": full(inner, depth, count), "a/c": full(inner, depth, count)}),
        }
    }

    fn full_struct(ty: &Type, depth: usize, count: &mut i32) -> Value {
        let mut map = Map::new();
        if depth < 12 {
            for field in &ty.fields {
                map.insert(field.name.to_owned(), full(&field.ty, depth, count));
            }
        }
        Value::Object(map)
    }

    /// Ours and serde's, beside each other.
    fn same<T>(name: &str)
    where
        T: Part + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
    {
        let ty = schema::named(name).unwrap_or_else(|| panic!("{name} is not in the schema"));
        let whole = full_struct(ty, 0, &mut 0);
        let mut half = whole.clone();
        for (at, field) in ty.fields.iter().enumerate() {
            match at % 3 {
                0 => half[field.name] = Value::Null,
                1 => drop(half.as_object_mut().unwrap().remove(field.name)),
                _ => {}
            }
        }
        let unknown = json!({"": 1, "AAA": 2, "mmm": {"a": 1}, "~": 3});
        for mut value in [whole, half, json!({}), unknown] {
            fill_in_type_meta(&mut value, ty);
            // Whose kind is fixed says so even of nothing, and serde insists on it.
            let nothing = to_value(&decode::<T>(json!({})));
            if let (Some(api_version), Some(kind)) = (nothing.get("apiVersion"), nothing.get("kind")) {
                value["apiVersion"] = api_version.clone();
                value["kind"] = kind.clone();
            }
            // A missing time is no error here: the walk has put Go's zero there.
            for field in ty.fields.iter().filter(|field| field.required) {
                if matches!(field.ty, Ty::Time | Ty::MicroTime) {
                    value[field.name] = full(&field.ty, 0, &mut 0);
                }
            }
            let theirs: T =
                serde_json::from_value(value.clone()).unwrap_or_else(|why| panic!("{name}: {why}"));
            let ours: T = decode(value);
            assert_eq!(ours, theirs, "{name}");
            assert_eq!(to_value(&ours), serde_json::to_value(&theirs).unwrap(), "{name}");
            assert_eq!(to_json(&ours), serde_json::to_string(&theirs).unwrap(), "{name}");
        }
    }

    /// Objects inside objects (volumeClaimTemplates) tell their kind too, and serde looks at it.
    fn fill_in_type_meta(value: &mut Value, ty: &Type) {
        for field in &ty.fields {
            let Some(inner) = field.ty.base_struct() else {
                continue;
            };
            let Some(inside) = value.get_mut(field.name) else {
                continue;
            };
            let each: Vec<&mut Value> = match inside {
                Value::Array(items) => items.iter_mut().collect(),
                Value::Object(map) if matches!(field.ty, Ty::Map(_)) => map.values_mut().collect(),
                other => vec![other],
            };
            for one in each.into_iter().filter(|one| one.is_object()) {
                if inner.name == "PersistentVolumeClaim" && inner.package == "core/v1" {
                    one["apiVersion"] = "v1".into();
                    one["kind"] = "PersistentVolumeClaim".into();
                }
                fill_in_type_meta(one, inner);
            }
        }
    }

    macro_rules! every_struct {
        ($($group:ident::$version:ident::$name:ident $($type_meta:ident)? { $($field:ident $json:literal,)* })*) => {
            #[test]
            fn reads_and_writes_as_serde_does() {
                $({
                    // $($type_meta)?
                    same::<$group::$version::$name>(concat!(stringify!($group), "/", stringify!($version), ".", stringify!($name)));
                    let names: &[&str] = &[$($json),*];
                    assert!(names.is_sorted(), "{}", stringify!($name));
                })*
            }
        };
    }
    structs::rows!(every_struct);
}
