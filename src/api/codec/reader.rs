//! Where decoding is.

use crate::api::wire::Names;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// The value to be read next, and what is left of the lists, maps and structs around it.
pub struct Reader {
    value: Value,
    open: Vec<Open>,
}

enum Open {
    Items(std::vec::IntoIter<Value>),
    Entries(serde_json::map::IntoIter),
    /// A struct: the names that were not asked for yet, the next field, and those behind it.
    Fields(Names, Option<(String, Value)>, serde_json::map::IntoIter),
}

/// None of these is inlined: they are all the code the structs share.
impl Reader {
    pub fn new(value: Value) -> Reader {
        Reader {
            value,
            open: Vec::new(),
        }
    }

    #[inline(never)]
    pub fn boolean(&self) -> bool {
        self.value.as_bool().unwrap_or(false)
    }

    #[inline(never)]
    pub fn integer(&self) -> i64 {
        match &self.value {
            Value::Number(number) => number
                .as_i64()
                .or_else(|| number.as_f64().map(|n| n as i64))
                .unwrap_or(0),
            _ => 0,
        }
    }

    #[inline(never)]
    pub fn small_integer(&self) -> i32 {
        self.integer().clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }

    #[inline(never)]
    pub fn float(&self) -> f64 {
        self.value.as_f64().unwrap_or(0.0)
    }

    pub fn is_text(&self) -> bool {
        self.value.is_string()
    }

    #[inline(never)]
    pub fn text(&mut self) -> String {
        match self.value() {
            Value::String(text) => text,
            _ => String::new(),
        }
    }

    /// The value as it is.
    pub fn value(&mut self) -> Value {
        std::mem::take(&mut self.value)
    }

    fn map(&mut self) -> serde_json::map::IntoIter {
        match self.value() {
            Value::Object(map) => map,
            _ => Map::new(),
        }
        .into_iter()
    }

    /// Goes into a list; answers how many items it has.
    #[inline(never)]
    pub fn enter_list(&mut self) -> usize {
        let items = match self.value() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        let length = items.len();
        self.open.push(Open::Items(items.into_iter()));
        length
    }

    #[inline(never)]
    pub fn enter_map(&mut self) {
        let map = self.map();
        self.open.push(Open::Entries(map));
    }

    /// Goes into a struct with these fields, each name with a space behind it, in byte order.
    #[inline(never)]
    pub fn enter_struct(&mut self, names: &'static str) {
        let mut map = self.map();
        self.open.push(Open::Fields(Names(names), map.next(), map));
    }

    /// Goes to the next item of the list; false, and out of it, after the last.
    #[inline(never)]
    pub fn next_item(&mut self) -> bool {
        if let Some(Open::Items(items)) = self.open.last_mut()
            && let Some(value) = items.next()
        {
            self.value = value;
            return true;
        }
        self.leave();
        false
    }

    /// Goes to the next entry of the map; none, and out of it, after the last.
    #[inline(never)]
    pub fn next_entry(&mut self) -> Option<String> {
        if let Some(Open::Entries(entries)) = self.open.last_mut()
            && let Some((key, value)) = entries.next()
        {
            self.value = value;
            return Some(key);
        }
        self.leave();
        None
    }

    /// Goes to the struct's next field; false when it is not there, or null.
    #[inline(never)]
    pub fn next_field(&mut self) -> bool {
        let Some(Open::Fields(names, next, rest)) = self.open.last_mut() else {
            return false;
        };
        // Nothing is left, which is so for most fields of a large struct.
        if next.is_none() {
            return false;
        }
        let wanted = names.after(0);
        // Both are in byte order, so that what comes before is unknown here.
        while let Some((key, value)) = next {
            match key.as_str().cmp(wanted) {
                Ordering::Less => *next = rest.next(),
                Ordering::Greater => return false,
                Ordering::Equal => {
                    self.value = std::mem::take(value);
                    *next = rest.next();
                    return !self.value.is_null();
                }
            }
        }
        false
    }

    pub fn leave(&mut self) {
        self.open.pop();
    }
}
