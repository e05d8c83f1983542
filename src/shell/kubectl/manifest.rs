//! Manifests: `-f` from the session's files, from stdin, several documents, Lists.

use super::failure::{Failure, Result, message};
use super::kube::{Kube, map, text};
use super::resource::{Target, of_object};
use crate::api::labels::Selector;
use serde_json::Value;

/// Before the folder of `-k`, which stands among the names of `-f`.
pub const KUSTOMIZE: &str = "kustomize://";

/// The documents of a YAML or JSON text as JSON.
/// # Errors
/// In kubectl's words, with the line.
pub fn documents(text: &str, source: &str) -> Result<Vec<Value>> {
    match crate::api::yaml::read_all(text) {
        Ok(documents) => Ok(documents.into_iter().map(|d| d.value).collect()),
        Err(error) => message(format!(
            "error parsing {source}: error converting YAML to JSON: {}",
            error.go_text()
        )),
    }
}

/// The text of one `-f` argument: (name in messages, text).
fn sources(kube: &mut Kube, name: &str) -> Result<Vec<(String, String)>> {
    if name == "-" {
        let text = kube.io.stdin.rest();
        return Ok(vec![("STDIN".to_owned(), text)]);
    }
    if name == "/dev/null" {
        return Ok(vec![(name.to_owned(), String::new())]);
    }
    if name.starts_with("http://") || name.starts_with("https://") {
        return message(format!(
            "unable to read URL {name:?}, server could not be reached: no network beyond the cluster"
        ));
    }
    if let Some(text) = kube.io.session.file(name) {
        return Ok(vec![(name.to_owned(), text.clone())]);
    }
    let recursive = kube.flags().on("recursive");
    let inside: Vec<String> = kube.io.session.directory(name);
    let wanted = |path: &str| {
        let below = path
            .trim_start_matches(name.trim_start_matches("./").trim_end_matches('/'))
            .trim_start_matches('/');
        let known = path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json");
        known && (recursive || !below.contains('/'))
    };
    if inside.is_empty() {
        return message(format!("the path {name:?} does not exist"));
    }
    let found: Vec<_> = inside
        .into_iter()
        .filter(|path| wanted(path))
        .map(|path| {
            let text = kube.io.session.file(&path).cloned().unwrap_or_default();
            (path, text)
        })
        .collect();
    if found.is_empty() {
        return message(format!(
            "error reading [{name}]: recognized file extensions are [.json .yaml .yml]"
        ));
    }
    Ok(found)
}

/// The raw objects of `-f`, Lists taken apart.
/// # Errors
/// Missing files and unreadable documents.
pub fn objects(kube: &mut Kube, names: &[String]) -> Result<Vec<(Value, String)>> {
    let mut all = Vec::new();
    for name in names {
        if let Some(folder) = name.strip_prefix(KUSTOMIZE) {
            let (objects, warnings) = super::kustomize::build(kube.io.session, folder)?;
            kube.err(&warnings);
            all.extend(objects.into_iter().map(|object| (object, folder.to_owned())));
            continue;
        }
        for (source, text) in sources(kube, name)? {
            for value in documents(&text, &source)? {
                flatten(value, &source, &mut all)?;
            }
        }
    }
    Ok(all)
}

fn flatten(value: Value, source: &str, all: &mut Vec<(Value, String)>) -> Result<()> {
    if !value.is_object() {
        return message(format!(
            "error parsing {source}: error converting YAML to JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            go_kind(&value)
        ));
    }
    if text(&value, "/kind").is_empty() {
        let missing = if text(&value, "/apiVersion").is_empty() {
            "[apiVersion not set, kind not set]"
        } else {
            "kind not set"
        };
        return message(format!(
            "error validating {source:?}: error validating data: {missing}; if you choose to ignore these errors, turn validation off with --validate=false"
        ));
    }
    if text(&value, "/apiVersion").is_empty() {
        return message(format!(
            "error validating {source:?}: error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false"
        ));
    }
    match value {
        Value::Object(mut map)
            if map
                .get("kind")
                .and_then(Value::as_str)
                .is_some_and(|k| k.ends_with("List"))
                && map.get("items").is_some_and(Value::is_array) =>
        {
            if let Some(Value::Array(items)) = map.remove("items") {
                for item in items {
                    flatten(item, source, all)?;
                }
            }
        }
        value => all.push((value, source.to_owned())),
    }
    Ok(())
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        _ => "null",
    }
}

/// The objects of `-f` with their resources and namespaces, not yet looked up.
/// # Errors
/// Missing files, unreadable documents, unknown kinds, a namespace that contradicts `-n`.
pub fn load(kube: &mut Kube, names: &[String]) -> Result<Vec<Target>> {
    let targets = load_if_any(kube, names)?;
    if targets.is_empty() {
        return message("no objects passed to ".to_owned() + kube.call.command.name);
    }
    Ok(targets)
}

/// The same, where no object at all is no error.
/// # Errors
/// As [`load`].
pub fn load_if_any(kube: &mut Kube, names: &[String]) -> Result<Vec<Target>> {
    let found = objects(kube, names)?;
    targets(kube, found)
}

/// Objects with their resources and namespaces; those that `-l` does not select are left out.
fn targets(kube: &mut Kube, found: Vec<(Value, String)>) -> Result<Vec<Target>> {
    let namespace = kube.namespace();
    let forced = kube.flags().changed("namespace");
    let given = kube.selector();
    let selector = Selector::parse(given)
        .map_err(|why| Failure::Message(format!("the provided selector {given:?} is not valid: {why}")))?;
    let mut targets = Vec::new();
    for (mut object, source) in found {
        let labels = map(&object, "/metadata/labels")
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        if !selector.matches(&labels) {
            continue;
        }
        let kind = of_object(kube, &object, &source)?;
        let mut own = text(&object, "/metadata/namespace").to_owned();
        if kind.namespaced {
            if own.is_empty() {
                own = namespace.clone();
                // Nobody on this side knows what is namespaced.
                if !kube.flags().on("local")
                    && let Some(meta) = object.as_object_mut().map(|o| {
                        o.entry("metadata")
                            .or_insert_with(|| Value::Object(Default::default()))
                    })
                    && meta.is_object()
                {
                    meta["namespace"] = own.clone().into();
                }
            } else if forced && own != namespace {
                return message(format!(
                    "the namespace from the provided object {own:?} does not match the namespace {namespace:?}. You must pass '--namespace={own}' to perform this operation."
                ));
            }
        }
        let name = text(&object, "/metadata/name").to_owned();
        targets.push(Target {
            kind,
            namespace: own,
            name,
            object,
            source: Some(source),
        });
    }
    Ok(targets)
}

/// Fails with `must specify one of -f and -k` without `-f`.
/// # Errors
/// That.
pub fn required(kube: &mut Kube) -> Result<Vec<Target>> {
    let files = kube.flags().list("filename");
    if files.is_empty() {
        return message("must specify one of -f and -k");
    }
    load(kube, &files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_documents() {
        let values = documents("a: 1\n---\n# nothing\n---\n{\"b\": 2}\n", "x").unwrap();
        assert_eq!(values.len(), 2);
        assert!(
            documents("a: b: c", "x.yaml")
                .unwrap_err()
                .printed()
                .starts_with("error: error parsing x.yaml: error converting YAML to JSON: yaml: ")
        );
    }
}
