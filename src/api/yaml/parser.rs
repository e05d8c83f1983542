//! From tokens to a tree of nodes with their places.

use super::YamlError;
use super::scanner::{MAX_DEPTH, Mark, Scanner, Style, TokenKind};
use crate::api::sorted::SortedMap;

pub type NodeId = usize;

#[derive(Debug)]
pub enum NodeKind {
    Scalar(String, Style),
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    /// The node that was anchored.
    Alias(NodeId),
}

#[derive(Debug)]
pub struct Node {
    pub kind: NodeKind,
    pub tag: Option<String>,
    pub mark: Mark,
}

/// The first document of a text.
#[derive(Debug, Default)]
pub struct Tree {
    pub nodes: Vec<Node>,
    /// Nothing for an empty document.
    pub root: Option<NodeId>,
    /// Where text follows that belongs to no document; upstream ignores it.
    pub ignored: Option<Mark>,
}

pub fn parse(text: &str) -> Result<Tree, YamlError> {
    let mut parser = Parser {
        scanner: Scanner::new(text)?,
        tree: Tree::default(),
        anchors: SortedMap::new(),
        depth: 0,
    };
    parser.document()?;
    Ok(parser.tree)
}

struct Parser {
    scanner: Scanner,
    tree: Tree,
    anchors: SortedMap<String, NodeId>,
    depth: usize,
}

impl Parser {
    fn document(&mut self) -> Result<(), YamlError> {
        while self.next_is(|k| matches!(k, TokenKind::DocumentEnd))? {
            self.scanner.next()?;
        }
        let mut directives = false;
        while self.next_is(|k| matches!(k, TokenKind::Directive))? {
            self.scanner.next()?;
            directives = true;
        }
        if self.next_is(|k| matches!(k, TokenKind::DocumentStart))? {
            self.scanner.next()?;
        } else if directives {
            return Err(self.fail("did not find expected <document start>"));
        } else if self.next_is(|k| matches!(k, TokenKind::StreamEnd))? {
            return Ok(());
        }
        let bare = |k: &TokenKind| {
            matches!(
                k,
                TokenKind::Directive
                    | TokenKind::DocumentStart
                    | TokenKind::DocumentEnd
                    | TokenKind::StreamEnd
            )
        };
        let root = if self.next_is(bare)? {
            self.empty()?
        } else {
            self.node(true, false)?
        };
        self.tree.root = Some(root);
        // What cannot even be scanned is of no interest: upstream stops reading here too.
        if let Ok(token) = self.scanner.peek()
            && !bare(&token.kind)
        {
            self.tree.ignored = Some(token.mark);
        }
        Ok(())
    }

    fn next_is(&mut self, test: impl Fn(&TokenKind) -> bool) -> Result<bool, YamlError> {
        Ok(test(&self.scanner.peek()?.kind))
    }

    fn fail(&mut self, problem: &str) -> YamlError {
        match self.scanner.peek() {
            Ok(token) => YamlError::parser(problem, token.mark),
            Err(error) => error,
        }
    }

    fn add(&mut self, kind: NodeKind, tag: Option<String>, mark: Mark) -> NodeId {
        self.tree.nodes.push(Node { kind, tag, mark });
        self.tree.nodes.len() - 1
    }

    /// A value that is not there.
    fn empty(&mut self) -> Result<NodeId, YamlError> {
        let mark = self.scanner.peek()?.mark;
        Ok(self.add(NodeKind::Scalar(String::new(), Style::Plain), None, mark))
    }

    fn node(&mut self, block: bool, indentless: bool) -> Result<NodeId, YamlError> {
        if self.depth > MAX_DEPTH {
            return Err(self.fail(&format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.depth += 1;
        let node = self.node_inner(block, indentless);
        self.depth -= 1;
        node
    }

    fn node_inner(&mut self, block: bool, indentless: bool) -> Result<NodeId, YamlError> {
        let start = self.scanner.peek()?.mark;
        let (mut anchor, mut tag) = (None, None);
        loop {
            match &self.scanner.peek()?.kind {
                TokenKind::Alias(name) if anchor.is_none() && tag.is_none() => {
                    let Some(&target) = self.anchors.get(name) else {
                        return Err(YamlError::content(
                            format!("unknown anchor '{name}' referenced"),
                            start,
                        ));
                    };
                    self.scanner.next()?;
                    return Ok(self.add(NodeKind::Alias(target), None, start));
                }
                TokenKind::Anchor(name) if anchor.is_none() => anchor = Some(name.clone()),
                TokenKind::Tag(name) if tag.is_none() => tag = Some(name.clone()),
                _ => break,
            }
            self.scanner.next()?;
        }
        let kind = self.scanner.peek()?.kind.clone();
        // The node gets its place before its children, so that an alias inside it can be recognized.
        let id = self.add(NodeKind::Sequence(Vec::new()), tag.clone(), start);
        let anchored = anchor.is_some();
        if let Some(name) = anchor {
            self.anchors.insert(name, id);
        }
        let kind = match kind {
            TokenKind::BlockEntry if indentless => self.indentless_sequence()?,
            TokenKind::Scalar(text, style) => {
                self.scanner.next()?;
                NodeKind::Scalar(text, style)
            }
            TokenKind::FlowSequenceStart => self.flow_sequence()?,
            TokenKind::FlowMappingStart => self.flow_mapping()?,
            TokenKind::BlockSequenceStart if block => self.block_sequence()?,
            TokenKind::BlockMappingStart if block => self.block_mapping()?,
            _ if anchored || tag.is_some() => NodeKind::Scalar(String::new(), Style::Plain),
            _ => return Err(self.fail("did not find expected node content")),
        };
        self.tree.nodes[id].kind = kind;
        Ok(id)
    }

    fn block_sequence(&mut self) -> Result<NodeKind, YamlError> {
        self.scanner.next()?;
        let mut items = Vec::new();
        loop {
            match self.scanner.peek()?.kind {
                TokenKind::BlockEntry => {
                    self.scanner.next()?;
                    items.push(
                        if self.next_is(|k| matches!(k, TokenKind::BlockEntry | TokenKind::BlockEnd))? {
                            self.empty()?
                        } else {
                            self.node(true, false)?
                        },
                    );
                }
                TokenKind::BlockEnd => {
                    self.scanner.next()?;
                    return Ok(NodeKind::Sequence(items));
                }
                _ => return Err(self.fail("did not find expected '-' indicator")),
            }
        }
    }

    fn indentless_sequence(&mut self) -> Result<NodeKind, YamlError> {
        let mut items = Vec::new();
        let ends = |k: &TokenKind| {
            matches!(
                k,
                TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
            )
        };
        while self.next_is(|k| matches!(k, TokenKind::BlockEntry))? {
            self.scanner.next()?;
            items.push(if self.next_is(ends)? {
                self.empty()?
            } else {
                self.node(true, false)?
            });
        }
        Ok(NodeKind::Sequence(items))
    }

    fn block_mapping(&mut self) -> Result<NodeKind, YamlError> {
        self.scanner.next()?;
        let mut pairs = Vec::new();
        let ends = |k: &TokenKind| matches!(k, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd);
        loop {
            match self.scanner.peek()?.kind {
                TokenKind::Key => {
                    self.scanner.next()?;
                    let key = if self.next_is(ends)? {
                        self.empty()?
                    } else {
                        self.node(true, true)?
                    };
                    let value = if self.next_is(|k| matches!(k, TokenKind::Value))? {
                        self.scanner.next()?;
                        if self.next_is(ends)? {
                            self.empty()?
                        } else {
                            self.node(true, true)?
                        }
                    } else {
                        self.empty()?
                    };
                    pairs.push((key, value));
                }
                TokenKind::BlockEnd => {
                    self.scanner.next()?;
                    return Ok(NodeKind::Mapping(pairs));
                }
                _ => return Err(self.fail("did not find expected key")),
            }
        }
    }

    fn flow_sequence(&mut self) -> Result<NodeKind, YamlError> {
        self.scanner.next()?;
        let mut items = Vec::new();
        let end = |k: &TokenKind| matches!(k, TokenKind::FlowSequenceEnd);
        while !self.next_is(end)? {
            if !items.is_empty() {
                if !self.next_is(|k| matches!(k, TokenKind::FlowEntry))? {
                    return Err(self.fail("did not find expected ',' or ']'"));
                }
                self.scanner.next()?;
                if self.next_is(end)? {
                    break;
                }
            }
            let item = if self.next_is(|k| matches!(k, TokenKind::Key))? {
                // `[a: b]` is a mapping of one pair.
                let mark = self.scanner.next()?.mark;
                let stops = |k: &TokenKind| {
                    matches!(
                        k,
                        TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
                    )
                };
                let key = if self.next_is(stops)? {
                    self.empty()?
                } else {
                    self.node(false, false)?
                };
                let value =
                    self.flow_value(|k| matches!(k, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd))?;
                self.add(NodeKind::Mapping(vec![(key, value)]), None, mark)
            } else {
                self.node(false, false)?
            };
            items.push(item);
        }
        self.scanner.next()?;
        Ok(NodeKind::Sequence(items))
    }

    fn flow_mapping(&mut self) -> Result<NodeKind, YamlError> {
        self.scanner.next()?;
        let mut pairs = Vec::new();
        let end = |k: &TokenKind| matches!(k, TokenKind::FlowMappingEnd);
        while !self.next_is(end)? {
            if !pairs.is_empty() {
                if !self.next_is(|k| matches!(k, TokenKind::FlowEntry))? {
                    return Err(self.fail("did not find expected ',' or '}'"));
                }
                self.scanner.next()?;
                if self.next_is(end)? {
                    break;
                }
            }
            let pair = if self.next_is(|k| matches!(k, TokenKind::Key))? {
                self.scanner.next()?;
                let stops = |k: &TokenKind| {
                    matches!(
                        k,
                        TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd
                    )
                };
                let key = if self.next_is(stops)? {
                    self.empty()?
                } else {
                    self.node(false, false)?
                };
                (
                    key,
                    self.flow_value(|k| matches!(k, TokenKind::FlowEntry | TokenKind::FlowMappingEnd))?,
                )
            } else {
                (self.node(false, false)?, self.empty()?)
            };
            pairs.push(pair);
        }
        self.scanner.next()?;
        Ok(NodeKind::Mapping(pairs))
    }

    fn flow_value(&mut self, ends: impl Fn(&TokenKind) -> bool) -> Result<NodeId, YamlError> {
        if !self.next_is(|k| matches!(k, TokenKind::Value))? {
            return self.empty();
        }
        self.scanner.next()?;
        if self.next_is(ends)? {
            self.empty()
        } else {
            self.node(false, false)
        }
    }
}
