//! Walks over values along their type, as structured-merge-diff sees it: which paths an object sets, what changed
//! between two, merging an applied configuration, removing items.
//!
//! Source: sigs.k8s.io/structured-merge-diff/v6/typed.

use super::set::{Element, FieldSet};
use crate::api::schema::go_json::go_type;
use crate::api::schema::{Field, Ty, Type};
use crate::api::sorted::SortedMap;
use serde_json::{Map, Value};

/// How a value is owned and merged.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// As a whole: scalars and everything atomic.
    Leaf,
    Struct(&'static Type),
    /// Each key on its own.
    Map(&'static Ty),
    /// A list whose elements are found by their keys.
    Keyed(&'static Field, &'static Ty),
    /// A list of scalars, each owned on its own.
    Set,
}

impl Shape {
    pub fn of_type(ty: &'static Type) -> Shape {
        if ty.atomic { Shape::Leaf } else { Shape::Struct(ty) }
    }

    fn of_field(field: &'static Field) -> Shape {
        match &field.ty {
            Ty::List(inner) if !field.list_keys.is_empty() => Shape::Keyed(field, inner),
            Ty::List(_) if field.set => Shape::Set,
            Ty::Map(_) if field.atomic => Shape::Leaf,
            ty => Shape::of(ty),
        }
    }

    fn of(ty: &'static Ty) -> Shape {
        match ty {
            Ty::Struct(id) => Shape::of_type(id.get()),
            Ty::Map(inner) => Shape::Map(inner),
            _ => Shape::Leaf,
        }
    }

    /// The shape of what is behind a key of a struct or map, or of a list's elements.
    fn child(self, key: &str) -> Shape {
        match self {
            Shape::Struct(ty) => ty.field(key).map_or(Shape::Leaf, Shape::of_field),
            Shape::Map(inner) | Shape::Keyed(_, inner) => Shape::of(inner),
            Shape::Leaf | Shape::Set => Shape::Leaf,
        }
    }
}

fn field_element(key: &str) -> Element {
    ["f:", key].concat()
}

/// A list element's step: by keys, with defaults for keys that are not there, or by value.
fn list_element(shape: Shape, item: &Value) -> Element {
    let Shape::Keyed(field, inner) = shape else {
        return format!("v:{item}");
    };
    let mut keys = Map::new();
    for &key in &field.list_keys {
        let default = || {
            let struct_field = inner.base_struct().and_then(|ty| ty.field(key));
            struct_field.and_then(|field| field.key_default).map(Value::from)
        };
        if let Some(value) = item.get(key).cloned().or_else(default) {
            keys.insert(key.to_owned(), value);
        }
    }
    format!("k:{}", Value::Object(keys))
}

fn object(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

fn list(value: Option<&Value>) -> Option<&Vec<Value>> {
    value.and_then(Value::as_array)
}

/// The paths an applied configuration sets.
pub fn field_set(value: &Value, ty: &'static Type) -> FieldSet {
    let mut set = FieldSet::new();
    collect(value, Shape::of_type(ty), &mut Vec::new(), &mut set);
    set
}

fn collect(value: &Value, shape: Shape, path: &mut Vec<Element>, set: &mut FieldSet) {
    match shape {
        Shape::Leaf => set.insert(path),
        Shape::Struct(_) | Shape::Map(_) => {
            for (key, inner) in value.as_object().into_iter().flatten() {
                path.push(field_element(key));
                collect(inner, shape.child(key), path, set);
                let empty = inner.is_null() || inner.as_object().is_some_and(Map::is_empty);
                if empty || matches!(shape, Shape::Map(_)) {
                    set.insert(path);
                }
                path.pop();
            }
        }
        Shape::Keyed(..) | Shape::Set => {
            let items = list(Some(value)).map(Vec::as_slice).unwrap_or_default();
            for (element, same) in group(items, shape) {
                path.push(element);
                if let [item] = same.as_slice() {
                    collect(item, shape.child(""), path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
    }
}

/// Elements by their step; duplicates together.
fn group(items: &[Value], shape: Shape) -> SortedMap<Element, Vec<&Value>> {
    let mut groups: SortedMap<Element, Vec<&Value>> = SortedMap::new();
    for item in items {
        groups.entry(list_element(shape, item)).or_default().push(item);
    }
    groups
}

/// What differs between two objects.
#[derive(Debug, Default)]
pub struct Comparison {
    pub added: FieldSet,
    pub modified: FieldSet,
    pub removed: FieldSet,
}

/// Compares two objects of a type.
pub fn compare(old: &Value, new: &Value, ty: &'static Type) -> Comparison {
    let mut comparison = Comparison::default();
    comparison.walk(Shape::of_type(ty), Some(old), Some(new), &mut Vec::new());
    comparison
}

impl Comparison {
    fn leaf(&mut self, old: &Value, new: &Value, path: &[Element]) {
        if old != new {
            self.modified.insert(path);
        }
    }

    fn walk(&mut self, shape: Shape, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<Element>) {
        let (left, right) = match (old, new) {
            (Some(left), Some(right)) => (left, right),
            (None, Some(new)) => return self.added.insert_with(path, everything(shape, new)),
            (Some(old), None) => return self.removed.insert_with(path, everything(shape, old)),
            (None, None) => return,
        };
        match shape {
            Shape::Leaf => self.leaf(left, right, path),
            Shape::Struct(_) | Shape::Map(_) => {
                let (a, b) = (object(old), object(new));
                if a.is_none_or(Map::is_empty) && b.is_none_or(Map::is_empty) {
                    return self.leaf(left, right, path);
                }
                for (key, value) in a.into_iter().flatten() {
                    path.push(field_element(key));
                    self.walk(shape.child(key), Some(value), b.and_then(|b| b.get(key)), path);
                    path.pop();
                }
                for (key, value) in b.into_iter().flatten() {
                    if a.is_none_or(|a| !a.contains_key(key)) {
                        path.push(field_element(key));
                        self.walk(shape.child(key), None, Some(value), path);
                        path.pop();
                    }
                }
            }
            Shape::Keyed(..) | Shape::Set => {
                let (a, b) = (list(old), list(new));
                if a.is_none_or(Vec::is_empty) && b.is_none_or(Vec::is_empty) {
                    return self.leaf(left, right, path);
                }
                let a = group(a.map(Vec::as_slice).unwrap_or_default(), shape);
                let b = group(b.map(Vec::as_slice).unwrap_or_default(), shape);
                for element in a
                    .keys()
                    .chain(b.keys().filter(|element| !a.contains_key(*element)))
                {
                    let none = Vec::new();
                    let (left, right) = (a.get(element).unwrap_or(&none), b.get(element).unwrap_or(&none));
                    path.push(element.clone());
                    if left.len() > 1 || right.len() > 1 {
                        match (left.is_empty(), right.is_empty()) {
                            (true, _) => self.added.insert(path),
                            (_, true) => self.removed.insert(path),
                            _ if left != right => self.modified.insert(path),
                            _ => {}
                        }
                    } else {
                        self.walk(
                            shape.child(""),
                            left.first().copied(),
                            right.first().copied(),
                            path,
                        );
                    }
                    path.pop();
                }
            }
        }
    }
}

/// All paths below a value that is there on one side only.
fn everything(shape: Shape, value: &Value) -> FieldSet {
    match shape {
        Shape::Leaf => FieldSet::new(),
        Shape::Struct(_) | Shape::Map(_) => object(Some(value))
            .into_iter()
            .flatten()
            .map(|(key, inner)| (field_element(key), everything(shape.child(key), inner)))
            .collect(),
        Shape::Keyed(..) | Shape::Set => group(list(Some(value)).map_or(&[], Vec::as_slice), shape)
            .into_iter()
            .map(|(element, same)| match same.as_slice() {
                [item] => (element, everything(shape.child(""), item)),
                _ => (element, FieldSet::new()),
            })
            .collect(),
    }
}

/// Merges an applied configuration into the live object: its values win, lists by key are merged in its order.
pub fn merge(live: &Value, applied: &Value, ty: &'static Type) -> Value {
    merged(Shape::of_type(ty), Some(live), Some(applied)).unwrap_or_default()
}

fn merged(shape: Shape, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let leaf = || applied.or(live).cloned();
    match shape {
        Shape::Leaf => leaf(),
        Shape::Struct(_) | Shape::Map(_) => {
            let (a, b) = (object(live), object(applied));
            if a.is_none_or(Map::is_empty) && b.is_none_or(Map::is_empty) {
                return leaf();
            }
            let mut out = Map::new();
            let keys = a.into_iter().flatten().map(|(key, _)| key);
            for key in keys.chain(b.into_iter().flatten().map(|(key, _)| key)) {
                if out.contains_key(key) {
                    continue;
                }
                if let Some(value) = merged(
                    shape.child(key),
                    a.and_then(|a| a.get(key)),
                    b.and_then(|b| b.get(key)),
                ) {
                    out.insert(key.clone(), value);
                }
            }
            Some(Value::Object(out))
        }
        Shape::Keyed(..) | Shape::Set => {
            let (a, b) = (list(live), list(applied));
            if a.is_none_or(Vec::is_empty) && b.is_none_or(Vec::is_empty) {
                return leaf();
            }
            let (a, b) = (
                a.map(Vec::as_slice).unwrap_or_default(),
                b.map(Vec::as_slice).unwrap_or_default(),
            );
            Some(Value::Array(merged_list(shape, a, b)))
        }
    }
}

/// Elements both know come in the applied order; the live ones between them stay where they were.
fn merged_list(shape: Shape, live: &[Value], applied: &[Value]) -> Vec<Value> {
    let live_elements: Vec<Element> = live.iter().map(|item| list_element(shape, item)).collect();
    let applied_elements: Vec<Element> = applied.iter().map(|item| list_element(shape, item)).collect();
    let find = |elements: &[Element], wanted: &Element| elements.iter().position(|element| element == wanted);
    let mut shared = applied_elements
        .iter()
        .filter(|element| find(&live_elements, element).is_some())
        .peekable();
    let mut taken: Vec<&Element> = Vec::new();
    let mut out = Vec::with_capacity(live.len() + applied.len());
    let (mut l, mut r) = (0, 0);
    while l < live.len() || r < applied.len() {
        if l < live.len() && r < applied.len() {
            let element = &live_elements[l];
            if *element == applied_elements[r] {
                out.extend(merged(shape.child(""), Some(&live[l]), Some(&applied[r])));
                taken.push(element);
                shared.next_if_eq(&element);
                l += 1;
                r += 1;
                continue;
            }
            if find(&applied_elements, element).is_some()
                && shared.peek().is_some_and(|next| *next != element)
            {
                // Known to both, but it is another one's turn.
                l += 1;
                continue;
            }
        }
        if l < live.len() {
            let element = &live_elements[l];
            if find(&applied_elements, element).is_none() {
                out.push(live[l].clone());
                l += 1;
                continue;
            }
            if taken.contains(&element) {
                l += 1;
            }
        }
        if r < applied.len() {
            let element = &applied_elements[r];
            let current = find(&live_elements, element).map(|at| &live[at]);
            out.extend(merged(shape.child(""), current, Some(&applied[r])));
            taken.push(element);
            shared.next_if_eq(&element);
            r += 1;
        }
    }
    out
}

/// The object without the items of a set. What becomes empty becomes null.
pub fn without(value: &Value, items: &FieldSet, ty: &'static Type) -> Value {
    removed(Shape::of_type(ty), value, items)
}

fn removed(shape: Shape, value: &Value, items: &FieldSet) -> Value {
    match (shape, value) {
        (Shape::Struct(_) | Shape::Map(_), Value::Object(map)) => {
            let mut out = Map::new();
            for (key, inner) in map {
                let element = field_element(key);
                if items.has(&element) {
                    continue;
                }
                let inner = match items.below(&element) {
                    Some(below) => removed(shape.child(key), inner, below),
                    None => inner.clone(),
                };
                out.insert(key.clone(), inner);
            }
            if out.is_empty() {
                Value::Null
            } else {
                Value::Object(out)
            }
        }
        (Shape::Keyed(..) | Shape::Set, Value::Array(list)) => {
            let mut out = Vec::new();
            for item in list {
                let element = list_element(shape, item);
                if items.has(&element) {
                    continue;
                }
                out.push(match items.below(&element) {
                    Some(below) => removed(shape.child(""), item, below),
                    None => item.clone(),
                });
            }
            if out.is_empty() {
                Value::Null
            } else {
                Value::Array(out)
            }
        }
        (_, value) => value.clone(),
    }
}

/// The set with the struct fields on the way to its paths as members.
pub fn with_named_fields(set: &FieldSet, ty: &'static Type) -> FieldSet {
    set.with_named_fields(&mut |path, element| {
        let mut shape = Shape::of_type(ty);
        for step in path {
            shape = shape.child(step.strip_prefix("f:").unwrap_or(""));
        }
        match (shape, element.strip_prefix("f:")) {
            (Shape::Struct(ty), Some(name)) => ty.field(name).is_some(),
            _ => false,
        }
    })
}

/// What an applied configuration must not be: unknown fields, values of other types, list elements without their keys or
/// given twice. In upstream's words, each with its path.
pub fn problems(value: &Value, ty: &'static Type) -> Vec<String> {
    let mut found = Vec::new();
    check_struct(value, ty, &mut String::new(), &mut found);
    found
}

fn check_struct(value: &Value, ty: &'static Type, path: &mut String, found: &mut Vec<String>) {
    let Value::Object(map) = value else {
        if !value.is_null() {
            found.push(format!(
                "{path}: expected map, got &{{{}}}",
                crate::apiserver::patch::print::go(value)
            ));
        }
        return;
    };
    for (key, inner) in map {
        let outer = path.len();
        path.push('.');
        path.push_str(key);
        match ty.field(key) {
            None => found.push(format!("{path}: field not declared in schema")),
            Some(field) => check(inner, &field.ty, Some(field), path, found),
        }
        path.truncate(outer);
    }
}

fn check(
    value: &Value,
    ty: &'static Ty,
    field: Option<&'static Field>,
    path: &mut String,
    found: &mut Vec<String>,
) {
    if value.is_null() || found.len() >= 100 {
        return;
    }
    let got = |what: &str| format!("{what}, got &{{{}}}", crate::apiserver::patch::print::go(value));
    match (ty, value) {
        (Ty::Struct(id), _) => check_struct(value, id.get(), path, found),
        (Ty::List(inner), Value::Array(items)) => {
            let keyed = field
                .map(Shape::of_field)
                .filter(|shape| matches!(shape, Shape::Keyed(..)));
            let mut seen = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let mut step = format!("[{index}]");
                if let Some(shape @ Shape::Keyed(field, inner)) = keyed {
                    if let Some(missing) = missing_key(field, inner, item) {
                        found.push(format!(
                            "{path}: element {index}: associative list with keys has an element that omits key field \
                             \"{missing}\" (and doesn't have default value)"
                        ));
                        continue;
                    }
                    let mut set = FieldSet::new();
                    let element = list_element(shape, item);
                    set.insert(std::slice::from_ref(&element));
                    step = set.paths().remove(0);
                    if seen.contains(&element) {
                        found.push(format!("{path}: duplicate entries for key {step}"));
                    }
                    seen.push(element);
                }
                let outer = path.len();
                path.push_str(&step);
                check(item, inner, None, path, found);
                path.truncate(outer);
            }
        }
        (Ty::Map(inner), Value::Object(map)) => {
            for (key, item) in map {
                let outer = path.len();
                path.push('.');
                path.push_str(key);
                check(item, inner, None, path, found);
                path.truncate(outer);
            }
        }
        (Ty::List(_), _) => found.push(format!("{path}: {}", got("expected list"))),
        (Ty::Map(_), _) => found.push(format!("{path}: {}", got("expected map"))),
        (Ty::Int32 | Ty::Int64 | Ty::Double, other) if !other.is_number() => {
            found.push(format!(
                "{path}: expected numeric (int or float), got {}",
                go_type(other)
            ));
        }
        (Ty::Bool, other) if !other.is_boolean() => {
            found.push(format!("{path}: expected boolean, got {}", go_type(other)))
        }
        (Ty::String | Ty::Time | Ty::MicroTime | Ty::Bytes, other) if !other.is_string() => {
            found.push(format!(
                "{path}: expected string, got &value.valueUnstructured{{Value:{other}}}"
            ));
        }
        _ => {}
    }
}

fn missing_key(field: &'static Field, element: &'static Ty, item: &Value) -> Option<&'static str> {
    let has_default = |key: &str| {
        element
            .base_struct()
            .and_then(|ty| ty.field(key))
            .is_some_and(|f| f.key_default.is_some())
    };
    field
        .list_keys
        .iter()
        .copied()
        .find(|key| item.get(key).is_none() && !has_default(key))
}
