//! JSONPath in kubectl's dialect: `{.a.b[0]}`, `{range .items[*]}…{end}`, `..`, `[*]`, slices,
//! unions, filters `[?(@.a=="b")]`, quoted text.
//!
//! Source: k8s.io/client-go/util/jsonpath and its documentation page.

mod read;
mod walk;

use read::Reader;
use serde_json::Value;
use walk::{NOTHING_TO_END, Walk};

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
    /// An `{end}` without its range, which fails when it is reached.
    End,
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
        let (mut nodes, ended) = reader.nodes()?;
        if ended {
            nodes.push(Node::End);
        }
        Ok(Template { nodes, strict: false })
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
                Node::End => return Err(NOTHING_TO_END.to_owned()),
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

/// A value as the templates print it: strings bare, composites as JSON.
pub fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => super::json::compact(other),
    }
}

#[cfg(test)]
mod tests {
    use super::walk::{NOTHING_TO_END, TOO_MUCH};
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
            ("{range .items[*]}{.n}", "12"),
            ("{.kind}{end}", NOTHING_TO_END),
            ("{.items[0].n}{1}{-2.5}", "11-2.5"),
            ("{1.2.3}", "cannot parse number 1.2.3"),
        ];
        for (template, want) in table {
            assert_eq!(print(template), want, "{template}");
        }
        assert!(Template::new("{.a").is_err());
        assert_eq!(
            Template::relaxed("metadata.name").unwrap(),
            Template::relaxed("{.metadata.name}").unwrap()
        );
    }
}
