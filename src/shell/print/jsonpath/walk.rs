//! Follows the paths of a template through a document, within bounds.

use super::{Node, Operand, Step, scalar};
use crate::api::schema::go_json;
use serde_json::Value;
use std::cell::Cell;

/// How many values one template may visit: a few nested ranges or `..` over one another would otherwise never end.
/// A dozen fields of ten thousand Pods fit.
const MOST_VISITS: usize = 500_000;

/// How much one template may print.
const MOST_BYTES: usize = 8 << 20;

pub(super) const NOTHING_TO_END: &str = "not in range, nothing to end";

pub(super) const TOO_MUCH: &str = "the template finds too much";

/// One evaluation of a template.
pub(super) struct Walk<'v> {
    root: &'v Value,
    /// A field that is not there is an error.
    strict: bool,
    /// How many values may still be visited.
    left: Cell<usize>,
}

impl<'v> Walk<'v> {
    pub(super) fn new(root: &'v Value, strict: bool) -> Walk<'v> {
        Walk {
            root,
            strict,
            left: Cell::new(MOST_VISITS),
        }
    }

    pub(super) fn print(&self, nodes: &[Node], current: &'v Value, out: &mut String) -> Result<(), String> {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Path(path) => {
                    for (i, value) in self.walk(path, vec![current])?.into_iter().enumerate() {
                        if i > 0 {
                            out.push(' ');
                        }
                        out.push_str(&scalar(value));
                        if out.len() > MOST_BYTES {
                            return Err(TOO_MUCH.to_owned());
                        }
                    }
                }
                Node::End => return Err(NOTHING_TO_END.to_owned()),
                Node::Range(path, inner) => {
                    for item in self.walk(path, vec![current])? {
                        self.print(inner, item, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn spend(&self, visits: usize) -> Result<(), String> {
        let left = self.left.get().checked_sub(visits);
        self.left.set(left.ok_or(TOO_MUCH)?);
        Ok(())
    }

    pub(super) fn walk(&self, path: &[Step], at: Vec<&'v Value>) -> Result<Vec<&'v Value>, String> {
        self.follow(path, self.strict, at)
    }

    fn follow(&self, path: &[Step], strict: bool, mut at: Vec<&'v Value>) -> Result<Vec<&'v Value>, String> {
        for step in path {
            let mut next = Vec::new();
            if let Step::Union(paths) = step {
                for path in paths {
                    self.spend(at.len())?;
                    next.extend(self.follow(path, strict, at.clone())?);
                }
                at = next;
                continue;
            }
            for value in at {
                let before = next.len();
                match step {
                    Step::Identifier(name) => return Err(format!("unrecognized identifier {name}")),
                    Step::Root => next.push(self.root),
                    Step::Current => next.push(value),
                    Step::Field(name) => match value.as_object().and_then(|m| m.get(name)) {
                        None if strict => return Err(format!("{name} is not found")),
                        found => next.extend(found),
                    },
                    Step::Wildcard => children(value, &mut next),
                    Step::Recursive => descend(value, &mut next),
                    Step::Index(i) => {
                        if let Some(items) = value.as_array() {
                            let index = if *i < 0 { items.len() as i64 + i } else { *i };
                            match usize::try_from(index).ok().and_then(|i| items.get(i)) {
                                Some(item) => next.push(item),
                                None => {
                                    return Err(format!(
                                        "array index out of bounds: index {i}, length {}",
                                        items.len()
                                    ));
                                }
                            }
                        } else if !value.is_null() {
                            return Err(format!("{} is not array or slice", go_json::go_type(value)));
                        }
                    }
                    Step::Slice(from, to, step) => {
                        let items = value.as_array().map_or(&[][..], Vec::as_slice);
                        let length = items.len() as i64;
                        let place = |i: i64| (if i < 0 { i + length } else { i }).clamp(0, length);
                        let (from, to) = (place(from.unwrap_or(0)), place(to.unwrap_or(length)));
                        if from < to {
                            next.extend(
                                items[from as usize..to as usize]
                                    .iter()
                                    .step_by((*step).max(1) as usize),
                            );
                        }
                    }
                    Step::Union(_) => {}
                    Step::Filter(left, condition) => {
                        for item in value.as_array().map_or(&[][..], Vec::as_slice) {
                            if self.holds(left, condition.as_ref(), item)? {
                                next.push(item);
                            }
                        }
                    }
                }
                self.spend(1 + next.len() - before)?;
            }
            at = next;
        }
        Ok(at)
    }

    fn holds(
        &self,
        left: &[Step],
        condition: Option<&(String, Operand)>,
        item: &'v Value,
    ) -> Result<bool, String> {
        let found = self.follow(left, false, vec![item])?;
        let Some((operator, operand)) = condition else {
            return Ok(!found.is_empty());
        };
        let right = match operand {
            Operand::Value(value) => vec![value],
            Operand::Path(path) => self.follow(path, false, vec![item])?,
        };
        let ([left, ..], [right, ..]) = (found.as_slice(), right.as_slice()) else {
            return Ok(false);
        };
        let order = match (left, right) {
            (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            (a, b) if a == b => Some(std::cmp::Ordering::Equal),
            _ => None,
        };
        use std::cmp::Ordering::{Equal, Greater, Less};
        Ok(match operator.as_str() {
            "==" => order == Some(Equal),
            "!=" => order != Some(Equal),
            "<" => order == Some(Less),
            ">" => order == Some(Greater),
            "<=" => matches!(order, Some(Less | Equal)),
            _ => matches!(order, Some(Greater | Equal)),
        })
    }
}

fn children<'v>(value: &'v Value, next: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => next.extend(items),
        Value::Object(map) => next.extend(map.values()),
        _ => {}
    }
}

fn descend<'v>(value: &'v Value, next: &mut Vec<&'v Value>) {
    next.push(value);
    match value {
        Value::Array(items) => items.iter().for_each(|child| descend(child, next)),
        Value::Object(map) => map.values().for_each(|child| descend(child, next)),
        _ => {}
    }
}
