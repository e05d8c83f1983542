//! The part of Go's `text/template` that `-o go-template` is used for: fields, `range`, `if`,
//! `else`, `end`, `with`, `index`, `len`, `printf`, `eq`, `ne`, `not`, `and`, `or`, variables, text.

use crate::api::sorted::SortedMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::cell::Cell;

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Print(Expression),
    Assign(String, Expression),
    /// keyword, variables (index, value), subject, body, else
    Block(&'static str, Vec<String>, Expression, Vec<Node>, Vec<Node>),
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
pub struct Template(Vec<Node>);

const MAX_DEPTH: usize = 32;

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
        let mut pieces = pieces.into_iter();
        let (nodes, end) = nodes(&mut pieces, 0)?;
        match end {
            None => Ok(Template(nodes)),
            Some(word) => Err(format!("template: output:1: unexpected {{{{{word}}}}}")),
        }
    }

    /// # Errors
    /// What cannot be evaluated.
    pub fn print(&self, root: &Value) -> Result<String, String> {
        let mut scope = Scope {
            variables: SortedMap::from([(String::new(), root.clone())]),
            out: String::new(),
            left: Cell::new(MOST_WORK),
        };
        scope.run(&self.0, root)?;
        Ok(scope.out)
    }
}

fn nodes(
    pieces: &mut dyn Iterator<Item = (String, Option<String>)>,
    depth: usize,
) -> Result<(Vec<Node>, Option<String>), String> {
    if depth > MAX_DEPTH {
        return Err("template: nested too deep".to_owned());
    }
    let mut out = Vec::new();
    while let Some((text, action)) = pieces.next() {
        if !text.is_empty() {
            out.push(Node::Text(text));
        }
        let Some(action) = action else { break };
        let (word, rest) = action.split_once(char::is_whitespace).unwrap_or((&action, ""));
        match word {
            "end" | "else" => return Ok((out, Some(action))),
            "range" | "if" | "with" => {
                let keyword = if word == "range" {
                    "range"
                } else if word == "if" {
                    "if"
                } else {
                    "with"
                };
                let (variables, subject) = match rest.split_once(":=") {
                    Some((names, subject)) => (
                        names
                            .split(',')
                            .map(|n| n.trim().trim_start_matches('$').to_owned())
                            .collect(),
                        subject,
                    ),
                    None => (Vec::new(), rest),
                };
                let subject = expression(subject)?;
                let (body, mut end) = nodes(pieces, depth + 1)?;
                let mut otherwise = Vec::new();
                if let Some(chain) = end
                    .as_ref()
                    .and_then(|e| e.strip_prefix("else if "))
                    .map(str::to_owned)
                {
                    let mut inner =
                        std::iter::once((String::new(), Some(format!("if {chain}")))).chain(&mut *pieces);
                    let (nested, _) = self::one_block(&mut inner, depth + 1)?;
                    otherwise = nested;
                    end = Some("end".to_owned());
                } else if end.as_deref() == Some("else") {
                    (otherwise, end) = nodes(pieces, depth + 1)?;
                }
                if end.as_deref() != Some("end") {
                    return Err("template: output:1: unexpected EOF".to_owned());
                }
                out.push(Node::Block(keyword, variables, subject, body, otherwise));
            }
            _ if action.starts_with("/*") => {}
            _ => match action.split_once(":=").or(action.split_once(" = ")) {
                Some((name, value)) if name.trim().starts_with('$') => {
                    out.push(Node::Assign(name.trim()[1..].to_owned(), expression(value)?));
                }
                _ => out.push(Node::Print(expression(&action)?)),
            },
        }
    }
    Ok((out, None))
}

/// `else if` opens a block that shares its `end` with the outer one.
fn one_block(
    pieces: &mut dyn Iterator<Item = (String, Option<String>)>,
    depth: usize,
) -> Result<(Vec<Node>, Option<String>), String> {
    let Some((_, Some(action))) = pieces.next() else {
        return Ok((Vec::new(), None));
    };
    let subject = expression(action.trim_start_matches("if "))?;
    let (body, mut end) = nodes(pieces, depth + 1)?;
    let mut otherwise = Vec::new();
    if end.as_deref() == Some("else") {
        (otherwise, end) = nodes(pieces, depth + 1)?;
    }
    Ok((vec![Node::Block("if", Vec::new(), subject, body, otherwise)], end))
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
    if matches!(
        word,
        "base64decode"
            | "exists"
            | "index"
            | "len"
            | "printf"
            | "print"
            | "println"
            | "eq"
            | "ne"
            | "lt"
            | "gt"
            | "not"
            | "and"
            | "or"
    ) {
        return Ok(Operand::Function(word.to_owned()));
    }
    serde_json::from_str(word)
        .map(Operand::Literal)
        .map_err(|_| format!("template: output:1: function {word:?} not defined"))
}

struct Scope {
    variables: SortedMap<String, Value>,
    out: String,
    /// How much may still be evaluated.
    left: Cell<usize>,
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

impl Scope {
    fn spend(&self, work: usize) -> Result<(), String> {
        let left = self.left.get().checked_sub(work);
        self.left
            .set(left.ok_or("template: output:1: the template evaluates to too much")?);
        Ok(())
    }

    fn run(&mut self, nodes: &[Node], dot: &Value) -> Result<(), String> {
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
                Node::Block(keyword, variables, subject, body, otherwise) => {
                    let subject = self.value(subject, dot)?;
                    if !truth(&subject) {
                        self.run(otherwise, dot)?;
                    } else if *keyword == "range" {
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
                            match variables.as_slice() {
                                [value] => drop(self.variables.insert(value.clone(), item.clone())),
                                [index, value] => {
                                    self.variables.insert(index.clone(), key);
                                    self.variables.insert(value.clone(), item.clone());
                                }
                                _ => {}
                            }
                            self.run(body, &item)?;
                        }
                    } else {
                        if let [name] = variables.as_slice() {
                            self.variables.insert(name.clone(), subject.clone());
                        }
                        self.run(body, if *keyword == "with" { &subject } else { dot })?;
                    }
                }
            }
        }
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

fn call(name: &str, values: Vec<Value>) -> Result<Value, String> {
    let wrong = || format!("wrong number of args for {name}");
    let order = |a: &Value, b: &Value| match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (a, b) => (a == b).then_some(std::cmp::Ordering::Equal),
    };
    Ok(match (name, values.as_slice()) {
        ("index", [base, keys @ ..]) => keys
            .iter()
            .try_fold(base, |at, key| match key {
                Value::String(key) => at.get(key),
                key => at.get(key.as_u64()? as usize),
            })
            .cloned()
            .unwrap_or(Value::Null),
        ("len", [value]) => match value {
            Value::Array(items) => items.len().into(),
            Value::Object(map) => map.len().into(),
            Value::String(text) => text.len().into(),
            _ => return Err("error calling len: len of nil pointer".to_owned()),
        },
        ("base64decode", [Value::String(text)]) => {
            let bytes = STANDARD
                .decode(text)
                .map_err(|_| "error calling base64decode: base64 decode failed".to_owned())?;
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
        ("exists", [value, path @ ..]) => {
            let found = path.iter().try_fold(value, |at, step| match step {
                Value::String(key) => at.get(key),
                Value::Number(index) => at.get(index.as_u64()? as usize),
                _ => None,
            });
            found.is_some().into()
        }
        ("printf", [Value::String(format), rest @ ..]) => {
            let (mut out, mut rest) = (String::new(), rest.iter());
            let mut chars = format.chars();
            while let Some(c) = chars.next() {
                if c != '%' {
                    out.push(c);
                    continue;
                }
                match chars.find(|c| !c.is_ascii_digit() && *c != '-' && *c != '.') {
                    Some('q') => out.push_str(&format!("{:?}", rest.next().map(shown).unwrap_or_default())),
                    Some('%') | None => out.push('%'),
                    Some(_) => out.push_str(&rest.next().map(shown).unwrap_or_default()),
                }
            }
            out.into()
        }
        ("print", all) => all.iter().map(shown).collect::<String>().into(),
        ("println", all) => format!("{}\n", all.iter().map(shown).collect::<Vec<_>>().join(" ")).into(),
        ("not", [value]) => (!truth(value)).into(),
        ("and", [first, rest @ ..]) => rest
            .iter()
            .fold(first, |at, next| if truth(at) { next } else { at })
            .clone(),
        ("or", [first, rest @ ..]) => rest
            .iter()
            .fold(first, |at, next| if truth(at) { at } else { next })
            .clone(),
        ("eq", [a, rest @ ..]) if !rest.is_empty() => rest
            .iter()
            .any(|b| order(a, b) == Some(std::cmp::Ordering::Equal))
            .into(),
        ("ne", [a, b]) => (order(a, b) != Some(std::cmp::Ordering::Equal)).into(),
        ("lt", [a, b]) => (order(a, b) == Some(std::cmp::Ordering::Less)).into(),
        ("gt", [a, b]) => (order(a, b) == Some(std::cmp::Ordering::Greater)).into(),
        _ => return Err(wrong()),
    })
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
        assert!(Template::new("{{range .a}}").is_err() && Template::new("{{nope}}").is_err());
    }
}
