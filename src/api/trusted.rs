//! Typed decoding of values that are known to fit.
//!
//! The schema walk in `decode` has looked at every field before this runs, so no error can occur
//! here; the error type is empty, and the compiler leaves out every error path of the 700 generated
//! visitors. All that is owned lies in one reader, so that they have nothing to clean up either: the
//! little that is left of them is still a good part of the page's download.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;
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
    match T::deserialize(&mut Reader {
        value,
        key: String::new(),
        open: Vec::new(),
    }) {
        Ok(decoded) => decoded,
        Err(never) => match never {},
    }
}

/// Where decoding is: the value to be read next, and what is left of the lists and maps around it.
struct Reader {
    value: Value,
    /// The field `value` belongs to, until it is asked for.
    key: String,
    open: Vec<Open>,
}

/// A list or map being read. Every visitor reads to the end, which closes it.
enum Open {
    Items(std::vec::IntoIter<Value>),
    Fields(serde_json::map::IntoIter),
}

/// None of these is inlined: they are all the code the visitors share.
impl Reader {
    #[inline(never)]
    fn is_null(&self) -> bool {
        self.value.is_null()
    }

    #[inline(never)]
    fn boolean(&self) -> bool {
        self.value.as_bool().unwrap_or(false)
    }

    #[inline(never)]
    fn integer(&self) -> i64 {
        match &self.value {
            Value::Number(number) => number
                .as_i64()
                .or_else(|| number.as_f64().map(|n| n as i64))
                .unwrap_or(0),
            _ => 0,
        }
    }

    #[inline(never)]
    fn small_integer(&self) -> i32 {
        self.integer().clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }

    #[inline(never)]
    fn float(&self) -> f64 {
        self.value.as_f64().unwrap_or(0.0)
    }

    #[inline(never)]
    fn text(&mut self) -> String {
        match std::mem::take(&mut self.value) {
            Value::String(text) => text,
            _ => String::new(),
        }
    }

    #[inline(never)]
    fn enter_list(&mut self) {
        let items = match std::mem::take(&mut self.value) {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        self.open.push(Open::Items(items.into_iter()));
    }

    #[inline(never)]
    fn enter_map(&mut self) {
        let map = match std::mem::take(&mut self.value) {
            Value::Object(map) => map,
            _ => serde_json::Map::new(),
        };
        self.open.push(Open::Fields(map.into_iter()));
    }

    /// Goes to the next item or field of the innermost list or map; false, and out of it, after the last.
    #[inline(never)]
    fn advance(&mut self) -> bool {
        let next = match self.open.last_mut() {
            Some(Open::Items(items)) => items.next(),
            Some(Open::Fields(fields)) => fields.next().map(|(key, value)| {
                self.key = key;
                value
            }),
            None => None,
        };
        match next {
            Some(value) => self.value = value,
            None => {
                self.open.pop();
                return false;
            }
        }
        true
    }

    #[inline(never)]
    fn left(&self) -> usize {
        match self.open.last() {
            Some(Open::Items(items)) => items.len(),
            Some(Open::Fields(fields)) => fields.len(),
            None => 0,
        }
    }
}

impl<'de> Deserializer<'de> for &mut Reader {
    type Error = Never;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => visitor.visit_i64(value),
                (None, value) => visitor.visit_f64(value.unwrap_or(0.0)),
            },
            Value::String(_) => visitor.visit_string(self.text()),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_bool(self.boolean())
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_i32(self.small_integer())
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_i64(self.integer())
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_f64(self.float())
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_string(self.text())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_string(self.text())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        if self.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
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
        self.enter_list();
        visitor.visit_seq(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.enter_map();
        visitor.visit_map(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Never> {
        self.deserialize_map(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

impl<'de> SeqAccess<'de> for &mut Reader {
    type Error = Never;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Never> {
        if self.advance() {
            seed.deserialize(&mut **self).map(Some)
        } else {
            Ok(None)
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left())
    }
}

impl<'de> MapAccess<'de> for &mut Reader {
    type Error = Never;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Never> {
        if self.advance() {
            seed.deserialize(Key(&mut self.key)).map(Some)
        } else {
            Ok(None)
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Never> {
        seed.deserialize(&mut **self)
    }
}

/// A field's name: looked at for a struct, taken for a map.
struct Key<'a>(&'a mut String);

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Never;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_str(self.0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_string(std::mem::take(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
