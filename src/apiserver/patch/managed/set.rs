//! Sets of field paths as `metadata.managedFields` stores them (`fieldsV1`).
//!
//! Source: sigs.k8s.io/structured-merge-diff/v6/fieldpath.

use crate::api::sorted::SortedMap;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// One step of a path in its stored form: `f:name` a field, `k:{"name":"c"}` a list element by its keys,
/// `v:"x"` an element of a set, `i:0` an element by index.
pub type Element = String;

/// A set of field paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    children: SortedMap<Element, Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    /// The path to here is in the set.
    member: bool,
    below: FieldSet,
}

impl Node {
    /// Adds a path below this one, or this one itself, with what is below.
    fn insert(&mut self, rest: &[Element], below: FieldSet) {
        if !rest.is_empty() {
            return self.below.insert_with(rest, below);
        }
        self.member = true;
        if self.below.is_empty() {
            self.below = below;
        } else {
            self.below.add(&below);
        }
    }
}

/// Steps that are in the set themselves, each with what is below it.
impl FromIterator<(Element, FieldSet)> for FieldSet {
    fn from_iter<I: IntoIterator<Item = (Element, FieldSet)>>(steps: I) -> FieldSet {
        let node = |(step, below)| (step, Node { member: true, below });
        FieldSet {
            children: steps.into_iter().map(node).collect(),
        }
    }
}

impl FieldSet {
    pub fn new() -> FieldSet {
        FieldSet::default()
    }

    /// Reads `fieldsV1`; what is not of its form is skipped.
    pub fn from_value(value: &Value) -> FieldSet {
        let mut set = FieldSet::new();
        let Value::Object(map) = value else { return set };
        for (element, inner) in map.iter().filter(|(element, _)| *element != ".") {
            let member = match inner {
                Value::Object(inner) => inner.is_empty() || inner.contains_key("."),
                _ => continue,
            };
            set.children.insert(
                element.clone(),
                Node {
                    member,
                    below: FieldSet::from_value(inner),
                },
            );
        }
        set
    }

    /// Writes `fieldsV1`.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        for (element, node) in &self.children {
            let mut inner = node.below.to_value();
            if let Value::Object(inner) = &mut inner
                && node.member
                && !inner.is_empty()
            {
                inner.insert(".".to_owned(), Value::Object(Map::new()));
            }
            map.insert(element.clone(), inner);
        }
        Value::Object(map)
    }

    pub fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    pub fn insert(&mut self, path: &[Element]) {
        self.insert_with(path, FieldSet::new());
    }

    /// Adds a path and, below it, another set.
    pub fn insert_with(&mut self, path: &[Element], below: FieldSet) {
        let [step, rest @ ..] = path else { return };
        match self.children.get_mut(step) {
            Some(node) => node.insert(rest, below),
            None => {
                let mut node = Node::default();
                node.insert(rest, below);
                self.children.insert(step.clone(), node);
            }
        }
    }

    /// Whether the path of one step is in the set.
    pub fn has(&self, element: &str) -> bool {
        self.children.get(element).is_some_and(|node| node.member)
    }

    /// What is in the set below a step.
    pub fn below(&self, element: &str) -> Option<&FieldSet> {
        self.children
            .get(element)
            .map(|node| &node.below)
            .filter(|set| !set.is_empty())
    }

    pub fn union(mut self, other: &FieldSet) -> FieldSet {
        self.add(other);
        self
    }

    fn add(&mut self, other: &FieldSet) {
        for (element, node) in &other.children {
            match self.children.get_mut(element) {
                Some(own) => {
                    own.member |= node.member;
                    own.below.add(&node.below);
                }
                None => {
                    self.children.insert(element.clone(), node.clone());
                }
            }
        }
    }

    pub fn intersection(&self, other: &FieldSet) -> FieldSet {
        let mut set = FieldSet::new();
        for (element, node) in &self.children {
            let Some(theirs) = other.children.get(element) else {
                continue;
            };
            let both = Node {
                member: node.member && theirs.member,
                below: node.below.intersection(&theirs.below),
            };
            if both.member || !both.below.is_empty() {
                set.children.insert(element.clone(), both);
            }
        }
        set
    }

    /// The paths that are not in `other`; a path in `other` does not take what is below it.
    pub fn difference(mut self, other: &FieldSet) -> FieldSet {
        self.subtract(other, false);
        self
    }

    /// The paths that are neither in `other` nor below a path of it.
    pub fn recursive_difference(mut self, other: &FieldSet) -> FieldSet {
        self.subtract(other, true);
        self
    }

    fn subtract(&mut self, other: &FieldSet, recursive: bool) {
        self.children.retain(|element, node| {
            if let Some(theirs) = other.children.get(element) {
                if theirs.member && recursive {
                    return false;
                }
                node.member &= !theirs.member;
                node.below.subtract(&theirs.below, recursive);
            }
            node.member || !node.below.is_empty()
        });
    }

    /// With every struct field on the way to a path made a member. `is_named` tells struct fields from map keys; it is asked
    /// with the path so far and the step.
    pub fn with_named_fields(&self, is_named: &mut dyn FnMut(&[Element], &str) -> bool) -> FieldSet {
        let mut path = Vec::new();
        self.named(&mut path, is_named)
    }

    fn named(&self, path: &mut Vec<Element>, is_named: &mut dyn FnMut(&[Element], &str) -> bool) -> FieldSet {
        let mut set = FieldSet::new();
        for (element, node) in &self.children {
            let member = node.member || is_named(path, element);
            path.push(element.clone());
            let below = node.below.named(path, is_named);
            path.pop();
            set.children.insert(element.clone(), Node { member, below });
        }
        set
    }

    /// Every path in words: `.spec.containers[name="web"].image`; upper ones first.
    pub fn paths(&self) -> Vec<String> {
        let mut out = Vec::new();
        self.collect("", &mut out);
        out
    }

    fn collect(&self, prefix: &str, out: &mut Vec<String>) {
        for (element, _) in self.children.iter().filter(|(_, node)| node.member) {
            out.push(format!("{prefix}{}", words(element)));
        }
        for (element, node) in &self.children {
            node.below.collect(&format!("{prefix}{}", words(element)), out);
        }
    }
}

/// A step as messages write it.
fn words(element: &str) -> String {
    let Some((kind, rest)) = element.split_once(':') else {
        return element.to_owned();
    };
    match kind {
        "f" => format!(".{rest}"),
        "k" => {
            let mut text = String::from("[");
            if let Ok(Value::Object(keys)) = serde_json::from_str::<Value>(rest) {
                for (index, (key, value)) in keys.iter().enumerate() {
                    let _ = write!(text, "{}{key}={value}", if index > 0 { "," } else { "" });
                }
            }
            text + "]"
        }
        "v" => format!("[={rest}]"),
        _ => format!("[{rest}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(value: Value) -> FieldSet {
        FieldSet::from_value(&value)
    }

    #[test]
    fn stored_form() {
        let stored = json!({"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}}}, "f:replicas": {}}, "f:metadata": {"f:finalizers": {"v:\"x\"": {}}}});
        let fields = set(stored.clone());
        assert_eq!(fields.to_value(), stored);
        assert_eq!(
            fields.paths(),
            [
                ".metadata.finalizers[=\"x\"]",
                ".spec.replicas",
                ".spec.containers[name=\"c\"]",
                ".spec.containers[name=\"c\"].image"
            ]
        );
    }

    #[test]
    fn algebra() {
        let a = set(json!({"f:a": {".": {}, "f:b": {}}, "f:c": {}}));
        let b = set(json!({"f:a": {}, "f:d": {}}));
        assert_eq!(
            a.clone().difference(&b),
            set(json!({"f:a": {"f:b": {}}, "f:c": {}}))
        );
        assert_eq!(a.clone().recursive_difference(&b), set(json!({"f:c": {}})));
        assert_eq!(a.intersection(&b), set(json!({"f:a": {}})));
        assert_eq!(
            a.clone().union(&b),
            set(json!({"f:a": {".": {}, "f:b": {}}, "f:c": {}, "f:d": {}}))
        );
        assert!(a.clone().difference(&a).is_empty());
    }
}
