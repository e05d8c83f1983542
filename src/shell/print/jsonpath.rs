//! JSONPath in kubectl's dialect: `{.a.b[0]}`, `{range .items[*]}…{end}`, `..`, `[*]`, slices,
//! unions, filters `[?(@.a=="b")]`, quoted text.
//!
//! Source: k8s.io/client-go/util/jsonpath and its documentation page.

use serde_json::Value;
use std::cell::Cell;

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Wildcard,
    Recursive,
    Slice(Option<i64>, Option<i64>, i64),
    Index(i64),
    Union(Vec<Vec<Step>>),
    Filter(Path, Option<(String, Operand)>),
    /// A word that names nothing.
    Identifier(String),
    /// `$`, or a path that starts at `@`
    Root,
    Current,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Value(Value),
    Path(Path),
}

type Path = Vec<Step>;

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    Path(Path),
    Range(Path, Vec<Node>),
}

/// A compiled template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    nodes: Vec<Node>,
    /// A missing field is an error.
    pub strict: bool,
}

/// Templates and their paths nest at most this deep.
const MAX_DEPTH: usize = 32;

impl Template {
    /// Reads a template; text outside braces is printed as it is.
    /// # Errors
    /// client-go's complaints.
    pub fn new(text: &str) -> Result<Template, String> {
        let mut reader = Reader {
            chars: text.chars().collect(),
            at: 0,
            depth: 0,
        };
        let (nodes, ended) = reader.nodes(false)?;
        if ended {
            Err("not in range, nothing to end".to_owned())
        } else {
            Ok(Template { nodes, strict: false })
        }
    }

    /// Reads `-o jsonpath`'s or `--sort-by`'s relaxed form, where braces and the dot may be left out.
    /// # Errors
    /// As [`Template::new`].
    pub fn relaxed(text: &str) -> Result<Template, String> {
        let bare = text
            .strip_prefix('{')
            .and_then(|t| t.strip_suffix('}'))
            .unwrap_or(text);
        let bare = bare.strip_prefix('.').unwrap_or(bare);
        if bare.contains(['{', '}']) {
            return Err("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'".to_string());
        }
        Template::new(&format!("{{.{bare}}}"))
    }

    /// Prints the template for an object. Missing fields print nothing.
    /// # Errors
    /// Indexes out of bounds and filters on wrong types.
    pub fn print(&self, root: &Value) -> Result<String, String> {
        let mut out = String::new();
        Walk::new(root, self.strict).print(&self.nodes, root, &mut out)?;
        Ok(out)
    }

    /// What every path outside ranges finds, as a list.
    /// # Errors
    /// As [`Template::print`].
    pub fn collect(&self, root: &Value) -> Result<Value, String> {
        let mut all = Vec::new();
        let walk = Walk::new(root, self.strict);
        for node in &self.nodes {
            match node {
                Node::Text(text) => all.push(text.clone().into()),
                Node::Path(path) | Node::Range(path, _) => {
                    all.extend(walk.walk(path, vec![root])?.into_iter().cloned());
                }
            }
        }
        Ok(Value::Array(all))
    }

    /// What the first path finds, in order.
    /// # Errors
    /// As [`Template::print`].
    pub fn find<'v>(&self, root: &'v Value) -> Result<Vec<&'v Value>, String> {
        match self.nodes.iter().find_map(|n| {
            if let Node::Path(path) = n {
                Some(path)
            } else {
                None
            }
        }) {
            Some(path) => Walk::new(root, self.strict).walk(path, vec![root]),
            None => Ok(Vec::new()),
        }
    }
}

/// How many values one template may visit: a few nested ranges or `..` over one another would otherwise never end.
/// A dozen fields of ten thousand Pods fit.
const MOST_VISITS: usize = 500_000;

/// How much one template may print.
const MOST_BYTES: usize = 8 << 20;

const TOO_MUCH: &str = "the template finds too much";

/// One evaluation of a template.
struct Walk<'v> {
    root: &'v Value,
    /// A field that is not there is an error.
    strict: bool,
    /// How many values may still be visited.
    left: Cell<usize>,
}

/// A value as the templates print it: strings bare, composites as JSON.
pub fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => super::json::compact(other),
    }
}

impl<'v> Walk<'v> {
    fn new(root: &'v Value, strict: bool) -> Walk<'v> {
        Walk {
            root,
            strict,
            left: Cell::new(MOST_VISITS),
        }
    }

    fn print(&self, nodes: &[Node], current: &'v Value, out: &mut String) -> Result<(), String> {
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

    fn walk(&self, path: &[Step], at: Vec<&'v Value>) -> Result<Vec<&'v Value>, String> {
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
                            return Err("is not array or slice".to_owned());
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

struct Reader {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, text: &str) -> bool {
        let hit = text
            .chars()
            .enumerate()
            .all(|(i, c)| self.chars.get(self.at + i) == Some(&c));
        if hit {
            self.at += text.chars().count();
        }
        hit
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Reads to the end, or to `{end}`; tells whether that was found.
    fn nodes(&mut self, in_range: bool) -> Result<(Vec<Node>, bool), String> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek() {
            if c != '{' {
                self.at += 1;
                match nodes.last_mut() {
                    Some(Node::Text(text)) => text.push(c),
                    _ => nodes.push(Node::Text(c.to_string())),
                }
                continue;
            }
            self.at += 1;
            if self.action(&mut nodes)? {
                return Ok((nodes, true));
            }
        }
        if in_range {
            Err("unclosed range: missing {end}".to_owned())
        } else {
            Ok((nodes, false))
        }
    }

    /// One `{…}`; true when it was `{end}`.
    fn action(&mut self, nodes: &mut Vec<Node>) -> Result<bool, String> {
        loop {
            self.spaces();
            match self.peek() {
                None => return Err("unclosed action".to_owned()),
                Some('}') => {
                    self.at += 1;
                    return Ok(false);
                }
                Some(quote @ ('"' | '\'')) => {
                    let text = self.quoted(quote)?;
                    nodes.push(Node::Text(text));
                }
                Some(_) if self.take("end") => {
                    self.spaces();
                    return if self.take("}") {
                        Ok(true)
                    } else {
                        Err("unclosed action".to_owned())
                    };
                }
                Some(_) if self.take("range") => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err("ranges nested too deep".to_owned());
                    }
                    self.spaces();
                    let path = self.path(&['}'])?;
                    if !self.take("}") {
                        return Err("unclosed action".to_owned());
                    }
                    let (inner, _) = self.nodes(true)?;
                    self.depth -= 1;
                    nodes.push(Node::Range(path, inner));
                    return Ok(false);
                }
                Some(_) => {
                    let path = self.path(&['}', ' '])?;
                    nodes.push(Node::Path(path));
                }
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or("unterminated quoted string")?;
            self.at += 1;
            match c {
                c if c == quote => return Ok(text),
                '\\' => {
                    let c = self.peek().ok_or("unterminated quoted string")?;
                    self.at += 1;
                    text.push(match c {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        c => c,
                    });
                }
                c => text.push(c),
            }
        }
    }

    fn path(&mut self, ends: &[char]) -> Result<Path, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("path nested too deep".to_owned());
        }
        let mut path = Vec::new();
        while let Some(c) = self.peek().filter(|c| !ends.contains(c)) {
            match c {
                '$' => {
                    self.at += 1;
                    path.push(Step::Root);
                }
                '@' => {
                    self.at += 1;
                    path.push(Step::Current);
                }
                '.' if self.take("..") => {
                    path.push(Step::Recursive);
                    if let Some(name) = self.name() {
                        path.push(Step::Field(name));
                    }
                }
                '.' => {
                    self.at += 1;
                    if self.take("*") {
                        path.push(Step::Wildcard);
                    } else if let Some(name) = self.name() {
                        path.push(Step::Field(name));
                    }
                }
                '*' => {
                    self.at += 1;
                    path.push(Step::Wildcard);
                }
                '[' => {
                    self.at += 1;
                    let step = self.brackets()?;
                    path.push(step);
                }
                c => match self.name() {
                    Some(name) if path.is_empty() => path.push(Step::Identifier(name)),
                    _ => {
                        return Err(format!(
                            "unrecognized character in action: U+{:04X} '{c}'",
                            c as u32
                        ));
                    }
                },
            }
        }
        self.depth -= 1;
        Ok(path)
    }

    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    self.at += 1;
                    name.extend(self.peek());
                    self.at += 1;
                }
                '.' | '[' | ']' | '{' | '}' | ' ' | ')' | '(' | ',' | '=' | '!' | '<' | '>' | '*' | '@'
                | '$' | '"' | '\'' => break,
                c => {
                    name.push(c);
                    self.at += 1;
                }
            }
        }
        (!name.is_empty()).then_some(name)
    }

    fn brackets(&mut self) -> Result<Step, String> {
        self.spaces();
        if self.take("?(") {
            let left = self.path(&['=', '!', '<', '>', ')', ' '])?;
            self.spaces();
            let operator = ["==", "!=", "<=", ">=", "<", ">"]
                .into_iter()
                .find(|o| self.take(o));
            let condition = match operator {
                None => None,
                Some(operator) => {
                    self.spaces();
                    let operand = match self.peek() {
                        Some(quote @ ('"' | '\'')) => Operand::Value(Value::String(self.quoted(quote)?)),
                        Some('@' | '$' | '.') => Operand::Path(self.path(&[')', ' '])?),
                        _ => {
                            let mut word = String::new();
                            while let Some(c) = self.peek().filter(|c| *c != ')' && *c != ' ') {
                                word.push(c);
                                self.at += 1;
                            }
                            Operand::Value(
                                serde_json::from_str(&word)
                                    .map_err(|_| format!("unrecognized filter value {word:?}"))?,
                            )
                        }
                    };
                    Some((operator.to_owned(), operand))
                }
            };
            self.spaces();
            return if self.take(")]") {
                Ok(Step::Filter(left, condition))
            } else {
                Err("unterminated filter".to_owned())
            };
        }
        let mut parts = Vec::new();
        loop {
            self.spaces();
            match self.peek() {
                None => return Err("unterminated array".to_owned()),
                Some('\'') => {
                    let name = self.quoted('\'')?;
                    parts.push(Step::Field(name));
                }
                Some(_) => {
                    let mut word = String::new();
                    while let Some(c) = self.peek().filter(|c| *c != ']' && *c != ',') {
                        word.push(c);
                        self.at += 1;
                    }
                    let bad = || format!("invalid array index {word}");
                    let number = |text: &str| -> Result<Option<i64>, String> {
                        if text.trim().is_empty() {
                            Ok(None)
                        } else {
                            text.trim().parse().map(Some).map_err(|_| bad())
                        }
                    };
                    parts.push(match word.trim() {
                        "*" => Step::Wildcard,
                        word if word.contains(':') => {
                            let cells: Vec<&str> = word.split(':').collect();
                            Step::Slice(
                                number(cells[0])?,
                                number(cells[1])?,
                                number(cells.get(2).copied().unwrap_or("1"))?.unwrap_or(1),
                            )
                        }
                        word if word.starts_with('.') => {
                            let mut inner = Reader {
                                chars: word.chars().collect(),
                                at: 0,
                                depth: self.depth,
                            };
                            Step::Union(vec![inner.path(&[])?])
                        }
                        word => Step::Index(number(word)?.ok_or_else(bad)?),
                    });
                }
            }
            self.spaces();
            if self.take("]") {
                return Ok(if parts.len() == 1 {
                    parts.remove(0)
                } else {
                    Step::Union(parts.into_iter().map(|p| vec![p]).collect())
                });
            }
            if !self.take(",") {
                return Err("unterminated array".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn print(template: &str) -> String {
        let root = json!({"kind": "List", "items": [
            {"metadata": {"name": "a", "labels": {"x.io/y": "z"}}, "n": 1, "c": [{"t": "Ready", "s": "True"}]},
            {"metadata": {"name": "b"}, "n": 2, "c": [{"t": "Other", "s": "No"}]}]});
        Template::new(template)
            .and_then(|t| t.print(&root))
            .unwrap_or_else(|e| e)
    }

    /// Each `..` visits everything below everything.
    #[test]
    fn templates_that_never_end() {
        let ranges = format!("{}{{$}}{}", "{range $..*}".repeat(20), "{end}".repeat(20));
        for endless in ["{..$..$..$..$..$..$..$..$}", &ranges] {
            assert_eq!(print(endless), TOO_MUCH);
        }
    }

    #[test]
    fn templates() {
        let table = [
            ("{.kind}", "List"),
            ("{.items[*].metadata.name}", "a b"),
            ("{.items[0].n}", "1"),
            ("{.items[-1].n}", "2"),
            ("{.nope.x}", ""),
            (
                "{range .items[*]}{.metadata.name}{\"\\t\"}{.n}{\"\\n\"}{end}",
                "a\t1\nb\t2\n",
            ),
            ("{..name}", "a b"),
            ("{.items[0].metadata.labels.x\\.io/y}", "z"),
            ("{.items[?(@.n>1)].metadata.name}", "b"),
            ("{.items[*].c[?(@.t==\"Ready\")].s}", "True"),
            ("{.items[0:1].n}", "1"),
            ("{.items[*]['metadata.name','n']}", "1 2"),
            ("x={.items[0]['n']} {'y'}", "x=1 y"),
            ("{.items[0].metadata.labels}", "{\"x.io/y\":\"z\"}"),
            ("{.items[5].n}", "array index out of bounds: index 5, length 2"),
            ("{.items[?(@.c)].n}", "1 2"),
            ("{$.kind}", "List"),
        ];
        for (template, want) in table {
            assert_eq!(print(template), want, "{template}");
        }
        assert!(Template::new("{range .a}").is_err() && Template::new("{.a").is_err());
        assert_eq!(
            Template::relaxed("metadata.name").unwrap(),
            Template::relaxed("{.metadata.name}").unwrap()
        );
    }
}
