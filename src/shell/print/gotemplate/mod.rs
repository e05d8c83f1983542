//! The part of Go's `text/template` that `-o go-template` is used for: text, fields, variables, `range`, `if`, `with`,
//! `else`, `break`, `continue`, `define`, `template`, `block`, and the predefined functions in [`functions`].
//!
//! Source: pkg.go.dev/text/template; k8s.io/cli-runtime/pkg/printers/template.go.

mod functions;
mod parse;

use crate::api::sorted::SortedMap;
use functions::call;
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

impl Template {
    /// # Errors
    /// What cannot be read.
    pub fn new(text: &str) -> Result<Template, String> {
        parse::template(text)
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
