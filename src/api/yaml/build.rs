//! From the tree of nodes to a JSON value, aliases followed within bounds.

use super::parser::{NodeId, NodeKind, Tree};
use super::positions::Positions;
use super::resolve::{Resolved, resolve};
use super::scanner::{MAX_DEPTH, Style};
use super::{Document, Hint, YamlError};
use serde_json::{Map, Value};

/// Bytes of text that aliases may repeat; beyond this a small document could fill the memory.
const MOST_ALIASED_BYTES: usize = 4 << 20;

pub fn build(tree: Tree) -> Result<Document, YamlError> {
    let mut builder = Builder {
        tree: &tree,
        decoded: 0,
        aliased: 0,
        aliased_bytes: 0,
        following: Vec::new(),
        document: Document::default(),
    };
    if let Some(root) = tree.root {
        builder.document.value = builder.value(root, 0)?;
    }
    let mut document = builder.document;
    if let Some(mark) = tree.ignored {
        document.hints.push(Hint {
            line: mark.line + 1,
            column: mark.column + 1,
            text:
                "what follows does not belong to the document and is ignored; start a new one with a line ---"
                    .to_owned(),
        });
    }
    document.positions = Positions::new(tree);
    Ok(document)
}

struct Builder<'a> {
    tree: &'a Tree,
    decoded: usize,
    aliased: usize,
    aliased_bytes: usize,
    /// Anchored nodes being expanded.
    following: Vec<NodeId>,
    document: Document,
}

impl Builder<'_> {
    fn value(&mut self, id: NodeId, depth: usize) -> Result<Value, YamlError> {
        let node = &self.tree.nodes[id];
        self.decoded += 1;
        self.aliased += usize::from(!self.following.is_empty());
        if depth > MAX_DEPTH {
            return Err(YamlError::content(
                format!("exceeded max depth of {MAX_DEPTH}"),
                node.mark,
            ));
        }
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        let ratio = self.aliased as f64 / self.decoded as f64;
        let excessive =
            self.aliased > 100 && self.decoded > 1000 && ratio > allowed_alias_ratio(self.decoded);
        if excessive || self.aliased_bytes > MOST_ALIASED_BYTES {
            return Err(YamlError::content(
                "document contains excessive aliasing",
                node.mark,
            ));
        }
        match &node.kind {
            NodeKind::Alias(target) => {
                let target = *target;
                if self.following.contains(&target) || self.contains(target, id) {
                    return Err(YamlError::content("anchor value contains itself", node.mark));
                }
                self.following.push(target);
                let value = self.value(target, depth + 1);
                self.following.pop();
                value
            }
            NodeKind::Scalar(text, style) => self.scalar(id, text, *style),
            NodeKind::Sequence(items) => items.iter().map(|&item| self.value(item, depth + 1)).collect(),
            NodeKind::Mapping(pairs) => {
                let mut map = Map::new();
                for &(key, value) in pairs {
                    self.pair(key, value, &mut map, depth)?;
                }
                Ok(Value::Object(map))
            }
        }
    }

    /// Ids are given in the order of the text, parents first: a node contains those up to its next sibling, so an alias
    /// inside its own anchor is one whose target is an ancestor. Ancestors are found by walking down.
    fn contains(&self, target: NodeId, alias: NodeId) -> bool {
        if target >= alias {
            return false;
        }
        let mut here = target;
        loop {
            let last_before = |ids: &mut dyn Iterator<Item = NodeId>| ids.filter(|&id| id <= alias).max();
            let next = match &self.tree.nodes[here].kind {
                NodeKind::Sequence(items) => last_before(&mut items.iter().copied()),
                NodeKind::Mapping(pairs) => last_before(&mut pairs.iter().flat_map(|&(k, v)| [k, v])),
                NodeKind::Scalar(..) | NodeKind::Alias(_) => None,
            };
            match next {
                Some(next) if next == alias => return true,
                Some(next) => here = next,
                None => return false,
            }
        }
    }

    fn pair(
        &mut self,
        key_id: NodeId,
        value_id: NodeId,
        map: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), YamlError> {
        let key_node = &self.tree.nodes[key_id];
        if let NodeKind::Scalar(text, Style::Plain) = &key_node.kind
            && key_node.tag.is_none()
            && resolve(text) == Resolved::Merge
        {
            return self.merge(value_id, map, depth);
        }
        let key = match self.value(key_id, depth + 1)? {
            Value::String(text) => text,
            Value::Bool(value) => {
                let written = match &key_node.kind {
                    NodeKind::Scalar(text, _) => text.clone(),
                    _ => String::new(),
                };
                self.hint(key_id, format!("the key {written} is read as the boolean {value} and becomes \"{value}\"; quote it to keep it"));
                value.to_string()
            }
            Value::Number(number) => number.to_string(),
            other => {
                let what = crate::api::decode::json_kind(&other);
                return Err(YamlError::content(
                    format!("unsupported map key of type: {what}"),
                    key_node.mark,
                ));
            }
        };
        let value = self.value(value_id, depth + 1)?;
        if map.contains_key(&key) && self.following.is_empty() {
            self.document
                .duplicates
                .push((self.tree.nodes[value_id].mark.line + 1, key.clone()));
        }
        map.insert(key, value);
        Ok(())
    }

    /// `<<: *base` or `<<: [*a, *b]`
    fn merge(&mut self, id: NodeId, map: &mut Map<String, Value>, depth: usize) -> Result<(), YamlError> {
        let wrong = || {
            YamlError::content(
                "map merge requires map or sequence of maps as the value",
                self.tree.nodes[id].mark,
            )
        };
        let wrong = wrong();
        match self.value(id, depth + 1)? {
            Value::Object(base) => map.extend(base),
            Value::Array(bases) => {
                // Earlier ones win.
                for base in bases.into_iter().rev() {
                    match base {
                        Value::Object(base) => map.extend(base),
                        _ => return Err(wrong),
                    }
                }
            }
            _ => return Err(wrong),
        }
        Ok(())
    }

    fn scalar(&mut self, id: NodeId, text: &str, style: Style) -> Result<Value, YamlError> {
        let node = &self.tree.nodes[id];
        if !self.following.is_empty() {
            self.aliased_bytes += text.len();
        }
        let tag = node.tag.as_deref();
        let plain = match tag {
            None => style == Style::Plain,
            Some("!!str" | "!") => false,
            Some("!!binary") => {
                let clean: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                return match base64::Engine::decode(&base64::engine::general_purpose::STANDARD, clean) {
                    Ok(bytes) => Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned())),
                    Err(_) => Err(YamlError::content(
                        "!!binary value contains invalid base64 data",
                        node.mark,
                    )),
                };
            }
            Some(tag) => tag.starts_with("!!"),
        };
        if !plain {
            return Ok(Value::String(text.to_owned()));
        }
        let resolved = resolve(text);
        let fits = match (tag, &resolved) {
            (Some("!!int"), Resolved::Number(n)) => !n.is_f64(),
            (Some("!!int"), _) => false,
            (Some("!!float"), r) => matches!(r, Resolved::Number(_) | Resolved::NotJson),
            (Some("!!bool"), r) => matches!(r, Resolved::Bool(_)),
            (Some("!!null"), r) => matches!(r, Resolved::Null),
            _ => true,
        };
        if !fits {
            let tag = tag.unwrap_or("");
            return Err(YamlError::content(
                format!("cannot decode !!str `{text}` as a {tag}"),
                node.mark,
            ));
        }
        self.lint(id, text, &resolved);
        match resolved {
            Resolved::Null => Ok(Value::Null),
            Resolved::Bool(value) => Ok(value.into()),
            Resolved::Number(value) => Ok(value),
            Resolved::NotJson => Err(YamlError::content(
                format!("json: unsupported value: {text}"),
                node.mark,
            )),
            Resolved::Timestamp | Resolved::Merge | Resolved::Text => Ok(Value::String(text.to_owned())),
        }
    }

    fn lint(&mut self, id: NodeId, text: &str, resolved: &Resolved) {
        match resolved {
            Resolved::Bool(value)
                if !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false") =>
            {
                self.hint(
                    id,
                    format!("{text} is read as the boolean {value} (YAML 1.1); quote it if a text is meant"),
                );
            }
            Resolved::Number(value) if !value.to_string().eq(text) => {
                let what = match text.trim_start_matches(['+', '-']).as_bytes() {
                    [b'0', b'0'..=b'9', ..] if !value.is_f64() && text != "08" => "octal number, in decimal",
                    _ => "number",
                };
                self.hint(
                    id,
                    format!("{text} is read as the {what} {value}; quote it if a text is meant"),
                );
            }
            _ => {}
        }
    }

    fn hint(&mut self, id: NodeId, text: String) {
        let mark = self.tree.nodes[id].mark;
        if self.following.is_empty() && self.document.hints.len() < 100 {
            self.document.hints.push(Hint {
                line: mark.line + 1,
                column: mark.column + 1,
                text,
            });
        }
    }
}

/// How much of a document may come from aliases: nearly all of a small one, a tenth of a large one.
fn allowed_alias_ratio(decoded: usize) -> f64 {
    const LOW: usize = 400_000;
    const HIGH: usize = 4_000_000;
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    match decoded {
        ..=LOW => 0.99,
        HIGH.. => 0.10,
        _ => 0.99 - 0.89 * ((decoded - LOW) as f64 / (HIGH - LOW) as f64),
    }
}
