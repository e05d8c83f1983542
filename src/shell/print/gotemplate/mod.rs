//! The part of Go's `text/template` that `-o go-template` is used for: text, fields, variables, `range`, `if`, `with`,
//! `else`, `break`, `continue`, `define`, `template`, `block`, and the predefined functions in [`functions`].
//!
//! Source: pkg.go.dev/text/template; k8s.io/cli-runtime/pkg/printers/template.go.

mod functions;

use crate::api::sorted::SortedMap;
use functions::{FUNCTIONS, call};
use serde_json::Value;
use std::cell::Cell;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Keyword {
    If,
    Range,
    With,
}

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Print(Expression),
    Assign(String, Expression),
    /// keyword, variables (index, value), subject, body, else
    Block(Keyword, Vec<String>, Expression, Vec<Node>, Vec<Node>),
    /// `{{template "name" dot}}`
    Template(String, Option<Expression>),
    Break,
    Continue,
}

/// Commands of a pipeline, each a list of words.
type Expression = Vec<Vec<Operand>>;

#[derive(Clone, Debug)]
enum Operand {
    Literal(Value),
    /// variable name (`""` for the dot), then fields
    Path(Option<String>, Vec<String>),
    Function(String),
    Group(Expression),
}

/// A compiled template.
#[derive(Clone, Debug)]
pub struct Template {
    nodes: Vec<Node>,
    defined: Vec<(String, Vec<Node>)>,
}

const MAX_DEPTH: usize = 32;

const UNEXPECTED_END: &str = "template: output:1: unexpected EOF";

impl Template {
    /// # Errors
    /// What cannot be read.
    pub fn new(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut trim = false;
        while let Some(open) = rest.find("{{") {
            let mut before = &rest[..open];
            if trim {
                before = before.trim_start();
            }
            let inner = &rest[open + 2..];
            let close = inner.find("}}").ok_or("template: output:1: unclosed action")?;
            let mut action = &inner[..close];
            if let Some(rest) = action.strip_prefix("- ") {
                before = before.trim_end();
                action = rest;
            }
            trim = action.ends_with(" -");
            action = action.strip_suffix(" -").unwrap_or(action);
            pieces.push((before.to_owned(), Some(action.trim().to_owned())));
            rest = &inner[close + 2..];
        }
        pieces.push((if trim { rest.trim_start() } else { rest }.to_owned(), None));
        let mut parser = Parser {
            pieces: pieces.into_iter(),
            defined: Vec::new(),
        };
        match parser.nodes(0, false)? {
            (nodes, None) => Ok(Template {
                nodes,
                defined: parser.defined,
            }),
            (_, Some(word)) => Err(format!("template: output:1: unexpected {{{{{word}}}}}")),
        }
    }

    /// # Errors
    /// What cannot be evaluated.
    pub fn print(&self, root: &Value) -> Result<String, String> {
        let mut scope = Scope {
            defined: &self.defined,
            variables: SortedMap::from([(String::new(), root.clone())]),
            out: String::new(),
            left: Cell::new(MOST_WORK),
            depth: 0,
        };
        scope.run(&self.nodes, root)?;
        Ok(scope.out)
    }
}

/// Reads pieces of text, each with the action behind it.
struct Parser {
    pieces: std::vec::IntoIter<(String, Option<String>)>,
    defined: Vec<(String, Vec<Node>)>,
}

impl Parser {
    /// Reads to the end, or to the `end` or `else` that belongs to a block around; answers that too.
    fn nodes(&mut self, depth: usize, in_range: bool) -> Result<(Vec<Node>, Option<String>), String> {
        if depth > MAX_DEPTH {
            return Err("template: nested too deep".to_owned());
        }
        let mut out = Vec::new();
        while let Some((text, action)) = self.pieces.next() {
            if !text.is_empty() {
                out.push(Node::Text(text));
            }
            let Some(action) = action else { break };
            let (word, rest) = action.split_once(char::is_whitespace).unwrap_or((&action, ""));
            out.push(match word {
                "end" | "else" => return Ok((out, Some(action))),
                "range" => self.block(Keyword::Range, rest, depth, in_range)?,
                "if" => self.block(Keyword::If, rest, depth, in_range)?,
                "with" => self.block(Keyword::With, rest, depth, in_range)?,
                "break" | "continue" if !in_range => {
                    return Err(format!(
                        "template: output:1: {{{{{word}}}}} outside {{{{range}}}}"
                    ));
                }
                "break" => Node::Break,
                "continue" => Node::Continue,
                "define" | "block" => {
                    let (name, subject) = named(word, rest)?;
                    let (body, end) = self.nodes(depth + 1, false)?;
                    if end.as_deref() != Some("end") {
                        return Err(UNEXPECTED_END.to_owned());
                    }
                    self.defined.push((name.clone(), body));
                    if word == "define" {
                        continue;
                    }
                    Node::Template(name, subject)
                }
                "template" => {
                    let (name, subject) = named(word, rest)?;
                    Node::Template(name, subject)
                }
                _ if action.starts_with("/*") => continue,
                _ => match action.split_once(":=").or(action.split_once(" = ")) {
                    Some((name, value)) if name.trim().starts_with('$') => {
                        Node::Assign(name.trim()[1..].to_owned(), expression(value)?)
                    }
                    _ => Node::Print(expression(&action)?),
                },
            });
        }
        Ok((out, None))
    }

    /// Reads a block to its `end`, behind its keyword.
    fn block(&mut self, keyword: Keyword, head: &str, depth: usize, in_range: bool) -> Result<Node, String> {
        let (variables, subject) = match head.split_once(":=") {
            Some((names, subject)) => {
                let names = names
                    .split(',')
                    .map(|n| n.trim().trim_start_matches('$').to_owned());
                (names.collect(), subject)
            }
            None => (Vec::new(), head),
        };
        let subject = expression(subject)?;
        let (body, end) = self.nodes(depth + 1, in_range || keyword == Keyword::Range)?;
        let end = end.ok_or(UNEXPECTED_END)?;
        let otherwise = match end.split_once(char::is_whitespace) {
            None if end == "end" => Vec::new(),
            None => match self.nodes(depth + 1, in_range)? {
                (nodes, Some(end)) if end == "end" => nodes,
                _ => return Err(UNEXPECTED_END.to_owned()),
            },
            // `else if` opens a block that shares its `end` with this one.
            Some((_, chain)) => match chain.trim_start().split_once(char::is_whitespace) {
                Some(("if", head)) => vec![self.block(Keyword::If, head, depth + 1, in_range)?],
                Some(("with", head)) => vec![self.block(Keyword::With, head, depth + 1, in_range)?],
                _ => return Err(format!("template: output:1: unexpected {{{{{end}}}}}")),
            },
        };
        Ok(Node::Block(keyword, variables, subject, body, otherwise))
    }
}

/// A quoted name, and what may stand behind it.
fn named(word: &str, rest: &str) -> Result<(String, Option<Expression>), String> {
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let (name, subject) =
        quoted.ok_or_else(|| format!("template: output:1: missing name in {word} clause"))?;
    let subject = subject.trim();
    let subject = (!subject.is_empty()).then(|| expression(subject)).transpose()?;
    Ok((name.to_owned(), subject))
}

fn expression(text: &str) -> Result<Expression, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let found = commands(&chars, &mut at, 0)?;
    if at < chars.len() {
        Err(format!("template: output:1: unexpected {:?}", chars[at]))
    } else {
        Ok(found)
    }
}

fn commands(chars: &[char], at: &mut usize, depth: usize) -> Result<Expression, String> {
    if depth > MAX_DEPTH {
        return Err("template: nested too deep".to_owned());
    }
    let mut all: Expression = vec![Vec::new()];
    while let Some(&c) = chars.get(*at) {
        let operand = match c {
            ')' => break,
            c if c.is_whitespace() => {
                *at += 1;
                continue;
            }
            '|' => {
                *at += 1;
                all.push(Vec::new());
                continue;
            }
            '(' => {
                *at += 1;
                let inner = commands(chars, at, depth + 1)?;
                if chars.get(*at) != Some(&')') {
                    return Err("template: output:1: unclosed left paren".to_owned());
                }
                *at += 1;
                Operand::Group(inner)
            }
            '"' | '`' => {
                let mut text = String::new();
                *at += 1;
                loop {
                    let next = *chars
                        .get(*at)
                        .ok_or("template: output:1: unterminated quoted string")?;
                    *at += 1;
                    if next == c {
                        break;
                    }
                    if next == '\\' && c == '"' {
                        let escaped = *chars
                            .get(*at)
                            .ok_or("template: output:1: unterminated quoted string")?;
                        *at += 1;
                        text.push(match escaped {
                            'n' => '\n',
                            't' => '\t',
                            other => other,
                        });
                    } else {
                        text.push(next);
                    }
                }
                Operand::Literal(Value::String(text))
            }
            _ => {
                let mut word = String::new();
                while let Some(c) = chars
                    .get(*at)
                    .filter(|c| !c.is_whitespace() && !matches!(c, ')' | '(' | '|'))
                {
                    word.push(*c);
                    *at += 1;
                }
                if word.is_empty() {
                    return Err("template: output:1: missing value for command".to_owned());
                }
                operand(&word)?
            }
        };
        if let Some(last) = all.last_mut() {
            last.push(operand);
        }
    }
    if all.iter().any(Vec::is_empty) {
        return Err("template: output:1: missing value for command".to_owned());
    }
    Ok(all)
}

fn operand(word: &str) -> Result<Operand, String> {
    let fields = |text: &str| {
        text.split('.')
            .filter(|f| !f.is_empty())
            .map(str::to_owned)
            .collect()
    };
    if let Some(path) = word.strip_prefix('.') {
        return Ok(Operand::Path(None, fields(path)));
    }
    if let Some(rest) = word.strip_prefix('$') {
        let (name, path) = rest.split_once('.').unwrap_or((rest, ""));
        return Ok(Operand::Path(Some(name.to_owned()), fields(path)));
    }
    if FUNCTIONS.contains(&word) {
        return Ok(Operand::Function(word.to_owned()));
    }
    serde_json::from_str(word)
        .map(Operand::Literal)
        .map_err(|_| format!("template: output:1: function {word:?} not defined"))
}

/// Where to go on behind a node.
#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Scope<'t> {
    defined: &'t [(String, Vec<Node>)],
    variables: SortedMap<String, Value>,
    out: String,
    /// How much may still be evaluated.
    left: Cell<usize>,
    /// How many templates call each other here.
    depth: usize,
}

/// How much a template may evaluate, in values copied and sixteenths of the text they hold: a few lines of nested
/// ranges or doubled variables would otherwise never end. Some ten thousand Pods of a list fit.
const MOST_WORK: usize = 5_000_000;

/// What a value costs to copy.
fn weight(value: &Value) -> usize {
    1 + match value {
        Value::String(text) => text.len() / 16,
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => map.values().map(weight).sum(),
        _ => 0,
    }
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(a) => !a.is_empty(),
        Value::Object(m) => !m.is_empty(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::Object(map) => format!(
            "map[{}]",
            map.iter()
                .map(|(k, v)| format!("{k}:{}", shown(v)))
                .collect::<Vec<_>>()
                .join(" ")
        ),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        other => super::jsonpath::scalar(other),
    }
}

impl Scope<'_> {
    fn spend(&self, work: usize) -> Result<(), String> {
        let left = self.left.get().checked_sub(work);
        self.left
            .set(left.ok_or("template: output:1: the template evaluates to too much")?);
        Ok(())
    }

    fn run(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, String> {
        for node in nodes {
            self.spend(1)?;
            match node {
                Node::Text(text) => {
                    self.spend(text.len() / 16)?;
                    self.out.push_str(text);
                }
                Node::Print(expression) => {
                    let value = self.value(expression, dot)?;
                    self.out.push_str(&shown(&value));
                }
                Node::Assign(name, expression) => {
                    let value = self.value(expression, dot)?;
                    self.variables.insert(name.clone(), value);
                }
                Node::Break => return Ok(Flow::Break),
                Node::Continue => return Ok(Flow::Continue),
                Node::Template(name, subject) => self.template(name, subject.as_ref(), dot)?,
                Node::Block(Keyword::Range, variables, subject, body, otherwise) => {
                    let subject = self.value(subject, dot)?;
                    if truth(&subject) {
                        self.range(variables, subject, body)?;
                    } else {
                        self.run(otherwise, dot)?;
                    }
                }
                Node::Block(keyword, variables, subject, body, otherwise) => {
                    let subject = self.value(subject, dot)?;
                    if let [name] = variables.as_slice() {
                        self.variables.insert(name.clone(), subject.clone());
                    }
                    let flow = match (truth(&subject), keyword) {
                        (false, _) => self.run(otherwise, dot)?,
                        (true, Keyword::With) => self.run(body, &subject)?,
                        (true, _) => self.run(body, dot)?,
                    };
                    if flow != Flow::Next {
                        return Ok(flow);
                    }
                }
            }
        }
        Ok(Flow::Next)
    }

    fn range(&mut self, variables: &[String], subject: Value, body: &[Node]) -> Result<(), String> {
        let items: Vec<(Value, Value)> = match subject {
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(i, v)| (i.into(), v))
                .collect(),
            Value::Object(map) => map.into_iter().map(|(k, v)| (k.into(), v)).collect(),
            other => return Err(format!("range can't iterate over {}", shown(&other))),
        };
        for (key, item) in items {
            match variables {
                [value] => drop(self.variables.insert(value.clone(), item.clone())),
                [index, value] => {
                    self.variables.insert(index.clone(), key);
                    self.variables.insert(value.clone(), item.clone());
                }
                _ => {}
            }
            if self.run(body, &item)? == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    /// Runs a defined template, which sees no variables but `$`.
    fn template(&mut self, name: &str, subject: Option<&Expression>, dot: &Value) -> Result<(), String> {
        let dot = subject.map_or(Ok(Value::Null), |subject| self.value(subject, dot))?;
        // The last definition of a name holds.
        let found = self.defined.iter().rev().find(|(own, _)| own == name);
        let (_, body) = found.ok_or_else(|| format!("template {name:?} not defined"))?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("exceeded maximum template depth".to_owned());
        }
        let own = SortedMap::from([(String::new(), dot.clone())]);
        let variables = std::mem::replace(&mut self.variables, own);
        self.run(body, &dot)?;
        self.variables = variables;
        self.depth -= 1;
        Ok(())
    }

    fn value(&self, commands: &Expression, dot: &Value) -> Result<Value, String> {
        let mut piped: Option<Value> = None;
        for command in commands {
            let mut values = Vec::new();
            let name = match command.first() {
                Some(Operand::Function(name)) => Some(name.as_str()),
                _ => None,
            };
            for operand in &command[usize::from(name.is_some())..] {
                values.push(match operand {
                    Operand::Literal(value) => value.clone(),
                    Operand::Group(inner) => self.value(inner, dot)?,
                    Operand::Function(name) => return Err(format!("wrong number of args for {name}")),
                    Operand::Path(base, fields) => {
                        let base = match base {
                            Some(name) => self
                                .variables
                                .get(name)
                                .ok_or_else(|| format!("undefined variable \"${name}\""))?,
                            None => dot,
                        };
                        let found = fields.iter().try_fold(base, |at, field| at.get(field));
                        self.spend(found.map_or(1, weight))?;
                        found.cloned().unwrap_or(Value::Null)
                    }
                });
            }
            values.extend(piped.take());
            piped = Some(match name {
                Some(name) => call(name, values)?,
                None => values.into_iter().next().unwrap_or(Value::Null),
            });
            self.spend(piped.as_ref().map_or(1, weight))?;
        }
        Ok(piped.unwrap_or(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates() {
        let root = json!({"spec": {"replicas": 3}, "items": [{"n": "a", "l": {"x.y": "1"}}, {"n": "b"}]});
        let table = [
            ("{{.spec.replicas}}{{\"\\n\"}}", "3\n"),
            ("{{range .items}}{{.n}} {{end}}", "a b "),
            ("{{.nope}}", "<no value>"),
            ("{{range $i, $e := .items}}{{$i}}={{$e.n}};{{end}}", "0=a;1=b;"),
            ("{{index (index .items 0) \"n\"}}", "a"),
            ("{{if eq .spec.replicas 3}}y{{else}}n{{end}}", "y"),
            ("{{len .items}}", "2"),
            ("{{with .spec}}{{.replicas}}{{end}}", "3"),
            (
                "{{range .items}}{{if .l}}L{{else if eq .n \"b\"}}B{{end}}{{end}}",
                "LB",
            ),
            ("{{.spec.replicas | printf \"%d!\"}}", "3!"),
            (
                "{{printf \"%-4s|%3d|%03d|%q|%v\" \"ab\" 7 7 \"c\" true}}",
                "ab  |  7|007|\"c\"|true",
            ),
            ("{{printf \"%d %s\" \"x\"}}", "%!d(string=x) %!s(MISSING)"),
            ("{{print 1 2 \"x\"}}{{println \"y\" 1}}", "1 2xy 1\n"),
            (
                "{{range .items}}{{if eq .n \"b\"}}{{break}}{{end}}{{.n}}{{end}}",
                "a",
            ),
            ("{{range .items}}{{if .l}}{{continue}}{{end}}{{.n}}{{end}}", "b"),
            (
                "{{define \"a\"}}A{{.}}{{end}}{{template \"a\" .spec.replicas}}",
                "A3",
            ),
            ("{{block \"b\" .spec}}{{.replicas}}{{end}}", "3"),
            ("{{with .nope}}x{{else with .spec}}{{.replicas}}{{end}}", "3"),
            ("{{slice \"hello\" 1 3}} {{len (slice .items 1)}}", "el 1"),
            (
                "{{html \"<a>\"}} {{js \"a<b\"}} {{urlquery \"a b/c\"}}",
                "&lt;a&gt; a\\u003Cb a+b%2Fc",
            ),
            ("{{le 1 1}} {{ge 1 2}}", "true false"),
        ];
        for (template, want) in table {
            assert_eq!(
                Template::new(template).unwrap().print(&root).unwrap(),
                want,
                "{template}"
            );
        }
        let doubled = "{{$x := print $x $x}}".repeat(60);
        let nested = format!("{}{}", "{{range $.items}}".repeat(30), "{{end}}".repeat(30));
        for endless in [format!("{{{{$x := \"x\"}}}}{doubled}"), nested] {
            let error = Template::new(&endless).unwrap().print(&root).unwrap_err();
            assert!(error.ends_with("evaluates to too much"), "{error}");
        }
        let looping = Template::new("{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}").unwrap();
        assert_eq!(
            looping.print(&root).unwrap_err(),
            "exceeded maximum template depth"
        );
        for wrong in ["{{range .a}}", "{{nope}}", "{{break}}", "{{define x}}{{end}}"] {
            assert!(Template::new(wrong).is_err(), "{wrong}");
        }
    }
}
