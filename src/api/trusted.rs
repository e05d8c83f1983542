//! Typed decoding of values that are known to fit, and encoding that cannot fail.
//!
//! The schema walk in `decode` has looked at every field before this runs, so no error can occur
//! here; the error type is empty, and the compiler leaves out every error path of the 700 generated
//! visitors. That is a quarter of the page's download.

use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};
use std::fmt;

/// No error: there is no value of this type.
#[derive(Debug)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl serde::de::Error for Never {
    /// Reached only when the walk let something through that the type refuses: a defect of ours.
    #[cold]
    #[inline(never)]
    fn custom<T: fmt::Display>(_: T) -> Never {
        panic!("a value that passed the schema walk does not fit its type")
    }
}

impl serde::ser::Error for Never {
    #[cold]
    #[inline(never)]
    fn custom<T: fmt::Display>(_: T) -> Never {
        panic!("a Kubernetes type refused to be encoded")
    }
}

/// Decodes a value that fits. Scalars that nevertheless do not are read as their zero value.
pub fn decode<T: serde::de::DeserializeOwned>(value: Value) -> T {
    match T::deserialize(Trusted(value)) {
        Ok(decoded) => decoded,
        Err(never) => match never {},
    }
}

struct Trusted(Value);

impl Trusted {
    #[inline(never)]
    fn integer(&self) -> i64 {
        match &self.0 {
            Value::Number(number) => number
                .as_i64()
                .or_else(|| number.as_f64().map(|n| n as i64))
                .unwrap_or(0),
            _ => 0,
        }
    }

    #[inline(never)]
    fn text(self) -> String {
        match self.0 {
            Value::String(text) => text,
            _ => String::new(),
        }
    }
}

impl<'de> Deserializer<'de> for Trusted {
    type Error = Never;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(ref number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => visitor.visit_i64(value),
                (None, value) => visitor.visit_f64(value.unwrap_or(0.0)),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            Value::Object(map) => visitor.visit_map(Fields::of(map)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_bool(self.0.as_bool().unwrap_or(false))
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_i32(self.integer().clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_i64(self.integer())
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_f64(self.0.as_f64().unwrap_or(0.0))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_string(self.text())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_string(self.text())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Never> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        let items = match self.0 {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        visitor.visit_seq(Items(items.into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        let map = match self.0 {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        visitor.visit_map(Fields::of(map))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Never> {
        self.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
        ignored_any
    }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Never;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Never> {
        match self.0.next() {
            Some(value) => seed.deserialize(Trusted(value)).map(Some),
            None => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Fields {
    entries: serde_json::map::IntoIter,
    value: Value,
}

impl Fields {
    fn of(map: Map<String, Value>) -> Fields {
        Fields {
            entries: map.into_iter(),
            value: Value::Null,
        }
    }

    #[inline(never)]
    fn next(&mut self) -> Option<String> {
        let (key, value) = self.entries.next()?;
        self.value = value;
        Some(key)
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Never;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Never> {
        match self.next() {
            Some(key) => seed.deserialize(key.into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Never> {
        seed.deserialize(Trusted(std::mem::take(&mut self.value)))
    }
}

/// Encodes; every Kubernetes type can be.
pub fn encode<T: serde::Serialize>(value: &T) -> Value {
    match value.serialize(Encoder) {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

struct Encoder;

struct EncodeList(Vec<Value>);

struct EncodeMap {
    map: Map<String, Value>,
    key: String,
}

impl serde::Serializer for Encoder {
    type Ok = Value;
    type Error = Never;
    type SerializeSeq = EncodeList;
    type SerializeTuple = EncodeList;
    type SerializeTupleStruct = EncodeList;
    type SerializeTupleVariant = EncodeList;
    type SerializeMap = EncodeMap;
    type SerializeStruct = EncodeMap;
    type SerializeStructVariant = EncodeMap;

    fn serialize_bool(self, value: bool) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_i8(self, value: i8) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_i16(self, value: i16) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_i32(self, value: i32) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_i64(self, value: i64) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_u8(self, value: u8) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_u16(self, value: u16) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_u32(self, value: u32) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_u64(self, value: u64) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_f32(self, value: f32) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_f64(self, value: f64) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_char(self, value: char) -> Result<Value, Never> {
        Ok(value.to_string().into())
    }
    #[inline(never)]
    fn serialize_str(self, value: &str) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Never> {
        Ok(value.into())
    }
    fn serialize_none(self) -> Result<Value, Never> {
        Ok(Value::Null)
    }
    fn serialize_some<T: ?Sized + serde::Serialize>(self, value: &T) -> Result<Value, Never> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Value, Never> {
        Ok(Value::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Never> {
        Ok(Value::Null)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Never> {
        Ok(variant.into())
    }
    fn serialize_newtype_struct<T: ?Sized + serde::Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Never> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + serde::Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Never> {
        let mut map = Map::new();
        map.insert(variant.to_owned(), value.serialize(self)?);
        Ok(Value::Object(map))
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<EncodeList, Never> {
        Ok(EncodeList(Vec::with_capacity(length.unwrap_or(0))))
    }
    fn serialize_tuple(self, length: usize) -> Result<EncodeList, Never> {
        self.serialize_seq(Some(length))
    }
    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<EncodeList, Never> {
        self.serialize_seq(Some(length))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        length: usize,
    ) -> Result<EncodeList, Never> {
        self.serialize_seq(Some(length))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<EncodeMap, Never> {
        Ok(EncodeMap {
            map: Map::new(),
            key: String::new(),
        })
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<EncodeMap, Never> {
        self.serialize_map(None)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<EncodeMap, Never> {
        self.serialize_map(None)
    }
}

impl EncodeMap {
    #[inline(never)]
    fn put(&mut self, key: &str, value: Value) {
        self.map.insert(key.to_owned(), value);
    }
}

impl serde::ser::SerializeSeq for EncodeList {
    type Ok = Value;
    type Error = Never;
    fn serialize_element<T: ?Sized + serde::Serialize>(&mut self, value: &T) -> Result<(), Never> {
        self.0.push(value.serialize(Encoder)?);
        Ok(())
    }
    fn end(self) -> Result<Value, Never> {
        Ok(Value::Array(self.0))
    }
}

impl serde::ser::SerializeTuple for EncodeList {
    type Ok = Value;
    type Error = Never;
    fn serialize_element<T: ?Sized + serde::Serialize>(&mut self, value: &T) -> Result<(), Never> {
        serde::ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<Value, Never> {
        serde::ser::SerializeSeq::end(self)
    }
}

impl serde::ser::SerializeTupleStruct for EncodeList {
    type Ok = Value;
    type Error = Never;
    fn serialize_field<T: ?Sized + serde::Serialize>(&mut self, value: &T) -> Result<(), Never> {
        serde::ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<Value, Never> {
        serde::ser::SerializeSeq::end(self)
    }
}

impl serde::ser::SerializeTupleVariant for EncodeList {
    type Ok = Value;
    type Error = Never;
    fn serialize_field<T: ?Sized + serde::Serialize>(&mut self, value: &T) -> Result<(), Never> {
        serde::ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<Value, Never> {
        serde::ser::SerializeSeq::end(self)
    }
}

impl serde::ser::SerializeMap for EncodeMap {
    type Ok = Value;
    type Error = Never;
    fn serialize_key<T: ?Sized + serde::Serialize>(&mut self, key: &T) -> Result<(), Never> {
        if let Value::String(text) = key.serialize(Encoder)? {
            self.key = text;
        }
        Ok(())
    }
    fn serialize_value<T: ?Sized + serde::Serialize>(&mut self, value: &T) -> Result<(), Never> {
        let key = std::mem::take(&mut self.key);
        self.map.insert(key, value.serialize(Encoder)?);
        Ok(())
    }
    fn end(self) -> Result<Value, Never> {
        Ok(Value::Object(self.map))
    }
}

impl serde::ser::SerializeStruct for EncodeMap {
    type Ok = Value;
    type Error = Never;
    fn serialize_field<T: ?Sized + serde::Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        let value = value.serialize(Encoder)?;
        self.put(key, value);
        Ok(())
    }
    fn end(self) -> Result<Value, Never> {
        Ok(Value::Object(self.map))
    }
}

impl serde::ser::SerializeStructVariant for EncodeMap {
    type Ok = Value;
    type Error = Never;
    fn serialize_field<T: ?Sized + serde::Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        serde::ser::SerializeStruct::serialize_field(self, key, value)
    }
    fn end(self) -> Result<Value, Never> {
        Ok(Value::Object(self.map))
    }
}
