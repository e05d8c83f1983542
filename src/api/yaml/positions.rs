//! Where each value of a document stands in its text.

use super::parser::{NodeId, NodeKind, Tree};
use super::resolve::{Resolved, resolve};
use super::scanner::{Mark, Style};
use serde_json::Value;

/// From field paths, as the API server's messages write them, to lines and columns.
#[derive(Debug, Default)]
pub struct Positions {
    tree: Tree,
    offset: usize,
}

impl Positions {
    pub(super) fn new(tree: Tree) -> Positions {
        Positions { tree, offset: 0 }
    }

    pub(super) fn shift(&mut self, lines: usize) {
        self.offset += lines;
    }

    /// Line and column, from 1, of the key (or list item) at a path like `spec.containers[0].image`,
    /// `metadata.labels[app.kubernetes.io/name]` or `.spec.containers[name="web"].image`.
    pub fn find(&self, path: &str) -> Option<(usize, usize)> {
        let (mark, rest) = self.walk(path)?;
        rest.is_empty().then(|| self.place(mark))
    }

    /// Like [`Positions::find`], but what is not there is placed at the nearest thing around it: a missing
    /// `spec.selector` at `spec`, and anything in an empty document at its start.
    pub fn nearest(&self, path: &str) -> (usize, usize) {
        self.walk(path)
            .map_or((self.offset + 1, 1), |(mark, _)| self.place(mark))
    }

    /// Line and column of the document's first value.
    pub fn start(&self) -> (usize, usize) {
        self.nearest("")
    }

    fn place(&self, mark: Mark) -> (usize, usize) {
        (self.offset + mark.line + 1, mark.column + 1)
    }

    /// Goes along a path as far as it exists: the last place and what is left of the path.
    fn walk<'p>(&self, path: &'p str) -> Option<(Mark, &'p str)> {
        let mut here = self.tree.root?;
        let mut mark = self.tree.nodes[here].mark;
        let mut rest = path;
        while !rest.is_empty() {
            if let NodeKind::Alias(target) = self.tree.nodes[here].kind {
                here = target;
            }
            let step = match &self.tree.nodes[here].kind {
                NodeKind::Mapping(pairs) => self.step_key(pairs, rest),
                NodeKind::Sequence(items) => self.step_item(items, rest),
                NodeKind::Scalar(..) | NodeKind::Alias(_) => None,
            };
            let Some((next, at, after)) = step else { break };
            (here, mark, rest) = (next, at, after);
        }
        Some((mark, rest))
    }

    fn step_key<'p>(&self, pairs: &[(NodeId, NodeId)], path: &'p str) -> Option<(NodeId, Mark, &'p str)> {
        let bracketed = path.strip_prefix('[');
        let name = bracketed.unwrap_or_else(|| path.strip_prefix('.').unwrap_or(path));
        let mut best: Option<(usize, NodeId, Mark, &'p str)> = None;
        for &(key, value) in pairs {
            let Some(text) = self.key_text(key) else { continue };
            let Some(after) = name.strip_prefix(text.as_str()) else {
                continue;
            };
            let after = match bracketed {
                Some(_) => match after.strip_prefix(']') {
                    Some(after) => after,
                    None => continue,
                },
                None if after.is_empty() || after.starts_with(['.', '[']) => after,
                None => continue,
            };
            // The longest key wins; of duplicates the last, whose value counts.
            if best.as_ref().is_none_or(|(length, ..)| text.len() >= *length) {
                best = Some((text.len(), value, self.tree.nodes[key].mark, after));
            }
        }
        best.map(|(_, value, mark, after)| (value, mark, after))
    }

    fn key_text(&self, id: NodeId) -> Option<String> {
        let id = match self.tree.nodes[id].kind {
            NodeKind::Alias(target) => target,
            _ => id,
        };
        match &self.tree.nodes[id].kind {
            NodeKind::Scalar(text, Style::Plain) => Some(match resolve(text) {
                Resolved::Bool(value) => value.to_string(),
                Resolved::Number(value) => value.to_string(),
                _ => text.clone(),
            }),
            NodeKind::Scalar(text, _) => Some(text.clone()),
            _ => None,
        }
    }

    fn step_item<'p>(&self, items: &[NodeId], path: &'p str) -> Option<(NodeId, Mark, &'p str)> {
        let inner = path.strip_prefix('[')?;
        let (selector, after) = inner.split_at(inner.find(']')?);
        let found = match selector.parse::<usize>() {
            Ok(index) => *items.get(index)?,
            Err(_) => *items.iter().find(|&&item| self.matches(item, selector))?,
        };
        Some((found, self.tree.nodes[found].mark, &after[1..]))
    }

    /// `name="web"` or `containerPort=80,protocol="TCP"`; keys the text leaves out are not held against it.
    fn matches(&self, item: NodeId, selector: &str) -> bool {
        let NodeKind::Mapping(pairs) = &self.tree.nodes[item].kind else {
            return false;
        };
        let mut any = false;
        let all = selector.split(',').all(|part| {
            let Some((name, wanted)) = part.split_once('=') else {
                return false;
            };
            let wanted = match serde_json::from_str::<Value>(wanted) {
                Ok(Value::String(text)) => text,
                Ok(other) => other.to_string(),
                Err(_) => wanted.to_owned(),
            };
            match pairs
                .iter()
                .find(|(key, _)| self.key_text(*key).as_deref() == Some(name))
            {
                None => true,
                Some((_, value)) => {
                    any = true;
                    self.key_text(*value) == Some(wanted)
                }
            }
        });
        all && any
    }
}
