//! `-o`: json, yaml, name, jsonpath, custom-columns, go-template; and the `pod/web created` lines.

use super::super::print::jsonpath::{Template, scalar};
use super::super::print::{TabWriter, gotemplate, json, yaml};
use super::failure::{Failure, Result, message};
use super::kube::{Kube, list, text};
use super::resource::Rk;
use crate::api::schema::{self, Type, go_json};
use serde_json::{Value, json};

/// How objects are printed.
pub enum Format {
    Json,
    Yaml,
    Name,
    JsonPath(String, Template),
    JsonPathAsJson(String, Template),
    /// headers and paths
    Columns(Vec<(String, Template)>),
    GoTemplate(gotemplate::Template),
}

impl Format {
    /// The format `-o` names, `None` for the command's own words (and for `wide`).
    /// # Errors
    /// kubectl's list of what would have been possible.
    pub fn of(kube: &mut Kube) -> Result<Option<Format>> {
        let given = kube.flags().text("output").to_owned();
        let template = kube.flags().text("template").to_owned();
        let given = if given.is_empty() && !template.is_empty() {
            "go-template".to_owned()
        } else {
            given
        };
        let (name, argument) = given
            .split_once('=')
            .map_or((given.as_str(), None), |(n, a)| (n, Some(a.to_owned())));
        let argument = argument.or((!template.is_empty()).then_some(template));
        let file = |kube: &mut Kube, name: &str| {
            kube.io.session.file(name).cloned().ok_or_else(|| {
                Failure::Message(format!(
                    "error reading --template {name}, open {name}: no such file or directory"
                ))
            })
        };
        Ok(Some(match (name, argument) {
            ("", _) => return Ok(None),
            ("json", None) => Format::Json,
            ("yaml", None) => Format::Yaml,
            ("name", None) => Format::Name,
            ("wide", None) if kube.flags().defines_wide() => return Ok(None),
            ("jsonpath" | "jsonpath-as-json", Some(path)) => {
                let mut template = json_path(&path)?;
                template.strict = !kube.flags().on("allow-missing-template-keys");
                if name == "jsonpath" {
                    Format::JsonPath(path, template)
                } else {
                    Format::JsonPathAsJson(path, template)
                }
            }
            ("jsonpath", None) => return message("template format specified but no template given"),
            ("jsonpath-file", Some(path)) => {
                let path = file(kube, &path)?;
                Format::JsonPath(path.clone(), json_path(&path)?)
            }
            ("go-template" | "template", Some(template)) => Format::GoTemplate(go_template(&template)?),
            ("go-template-file" | "templatefile", Some(path)) => {
                let template = file(kube, &path)?;
                Format::GoTemplate(go_template(&template)?)
            }
            ("go-template" | "template", None) => {
                return message("template format specified but no template given");
            }
            ("custom-columns", Some(spec)) if !spec.is_empty() => Format::Columns(columns(&spec)?),
            ("custom-columns-file", Some(path)) => {
                let Some(spec) = kube.io.session.file(&path) else {
                    return message(format!(
                        "error reading template {path}, open {path}: no such file or directory"
                    ));
                };
                Format::Columns(columns(&columns_of_file(spec)?)?)
            }
            ("custom-columns", _) => {
                return message("custom-columns format specified but no custom columns given");
            }
            _ => {
                let mut all = vec![
                    "go-template",
                    "go-template-file",
                    "json",
                    "jsonpath",
                    "jsonpath-as-json",
                    "jsonpath-file",
                    "name",
                    "template",
                    "templatefile",
                    "yaml",
                ];
                if kube.flags().defines_wide() {
                    all = vec![
                        "custom-columns",
                        "custom-columns-file",
                        "go-template",
                        "go-template-file",
                        "json",
                        "jsonpath",
                        "jsonpath-as-json",
                        "jsonpath-file",
                        "name",
                        "template",
                        "templatefile",
                        "wide",
                        "yaml",
                    ];
                }
                let head = "unable to match a printer suitable for the output format";
                return message(format!(
                    "{head} {given:?}, allowed formats are: {}",
                    all.join(",")
                ));
            }
        }))
    }

    /// Prints one object, or a List as one document.
    /// # Errors
    /// Templates that do not fit.
    pub fn print(&self, kube: &mut Kube, object: &Value) -> Result<()> {
        let text = self.render(kube, object)?;
        kube.out(&text);
        Ok(())
    }

    /// Prints an object that kubectl holds in its struct: with what Go does not leave out, and as JSON in the order
    /// of its declaration.
    /// # Errors
    /// As [`Format::print`].
    pub fn print_typed(&self, kube: &mut Kube, object: &Value) -> Result<()> {
        let Some(ty) = type_of(object) else {
            return self.print(kube, object);
        };
        let mut object = go_json::held(object.clone(), ty);
        if !matches!(self, Format::Json) {
            return self.print(kube, &object);
        }
        if !kube.flags().on("show-managed-fields") {
            object = without_managed_fields(object);
        }
        kube.out(&format!("{}\n", json::typed(&object, ty)));
        Ok(())
    }

    /// The same of a list of such objects; its text.
    /// # Errors
    /// As [`Format::print`].
    pub fn typed_list(&self, kube: &mut Kube, mut list: Value, item: &Value) -> Result<String> {
        let ty = type_of(item);
        if let (Some(ty), Some(items)) = (ty, list["items"].as_array_mut()) {
            for item in items {
                *item = go_json::held(item.take(), ty);
                if !kube.flags().on("show-managed-fields") {
                    *item = without_managed_fields(item.take());
                }
            }
        }
        match (self, ty) {
            (Format::Json, Some(ty)) => Ok(format!("{}\n", json::typed_list(&list, ty))),
            _ => self.render(kube, &list),
        }
    }

    fn render(&self, kube: &mut Kube, object: &Value) -> Result<String> {
        // Only the two whole forms leave something out.
        let whole = matches!(self, Format::Json | Format::Yaml);
        let object = if !whole || kube.flags().on("show-managed-fields") {
            object.clone()
        } else {
            without_managed_fields(object.clone())
        };
        let items: Vec<&Value> = if object["kind"] == "List" && object["items"].is_array() {
            list(&object, "/items").iter().collect()
        } else {
            vec![&object]
        };
        Ok(match self {
            Format::Json => format!("{}\n", json::pretty(&object)),
            Format::Yaml => yaml::document(&object),
            Format::Name => items.iter().map(|item| format!("{}\n", name_of(item))).collect(),
            Format::JsonPath(path, template) => template
                .print(&object)
                .map_err(|why| jsonpath_failure(path, &why, &object))?,
            Format::JsonPathAsJson(path, template) => {
                let found = template
                    .collect(&object)
                    .map_err(|why| jsonpath_failure(path, &why, &object))?;
                json::pretty(&found) + "\n"
            }
            Format::GoTemplate(template) => template.print(&object).map_err(Failure::Message)?,
            Format::Columns(columns) => {
                let mut table = String::new();
                if !kube.flags().on("no-headers") {
                    let heads: Vec<&str> = columns.iter().map(|c| c.0.as_str()).collect();
                    table = heads.join("\t") + "\n";
                }
                for item in items {
                    let cells: Vec<String> = columns
                        .iter()
                        .map(|(_, path)| {
                            let found: Vec<String> = path
                                .find(item)
                                .unwrap_or_default()
                                .into_iter()
                                .map(|v| {
                                    if v.is_null() {
                                        "<nil>".to_owned()
                                    } else {
                                        go_value(v)
                                    }
                                })
                                .collect();
                            if found.is_empty() {
                                "<none>".to_owned()
                            } else {
                                found.join(",")
                            }
                        })
                        .collect();
                    table.push_str(&(cells.join("\t") + "\n"));
                }
                TabWriter::table().format(&table)
            }
        })
    }
}

impl super::flags::Flags {
    /// Only `get` and its like know `-o wide` and custom columns.
    fn defines_wide(&self) -> bool {
        !self.text("no-headers").is_empty() || !self.text("types").is_empty()
    }
}

fn json_path(path: &str) -> Result<Template> {
    Template::new(path).map_err(|why| Failure::Message(format!("error parsing jsonpath {path}, {why}")))
}

fn go_template(text: &str) -> Result<gotemplate::Template> {
    gotemplate::Template::new(text)
        .map_err(|why| Failure::Message(format!("error parsing template {text}, {why}")))
}

fn jsonpath_failure(path: &str, why: &str, object: &Value) -> Failure {
    Failure::Message(format!(
        "error executing jsonpath {path:?}: Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{path}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
        go_syntax(object)
    ))
}

/// A value as Go's `%#v` prints it.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(items) => format!(
            "[]interface {{}}{{{}}}",
            items.iter().map(go_syntax).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{key:?}:{}", go_syntax(value)))
                .collect();
            format!("map[string]interface {{}}{{{}}}", entries.join(", "))
        }
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// A line of heads and a line of paths as `HEAD:PATH,…`.
fn columns_of_file(text: &str) -> Result<String> {
    let mut lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| !words.is_empty());
    let (Some(heads), Some(paths)) = (lines.next(), lines.next()) else {
        return message("invalid template, missing spec line.");
    };
    if heads.len() != paths.len() {
        return message(format!(
            "number of headers ({}) and field specifications ({}) don't match",
            heads.len(),
            paths.len()
        ));
    }
    let pairs: Vec<String> = heads
        .iter()
        .zip(paths)
        .map(|(head, path)| format!("{head}:{path}"))
        .collect();
    Ok(pairs.join(","))
}

fn columns(spec: &str) -> Result<Vec<(String, Template)>> {
    spec.split(',')
        .map(|column| {
            let (head, path) = column.split_once(':').ok_or_else(|| {
                Failure::Message(format!(
                    "unexpected custom-columns spec: {column}, expected <header>:<json-path-expr>"
                ))
            })?;
            Ok((
                head.to_owned(),
                Template::relaxed(path).map_err(Failure::Message)?,
            ))
        })
        .collect()
}

/// A value as Go's `%v` prints it: maps as `map[a:b]`, lists as `[a b]`.
pub fn go_value(value: &Value) -> String {
    match value {
        Value::Object(map) => format!(
            "map[{}]",
            map.iter()
                .map(|(k, v)| format!("{k}:{}", go_value(v)))
                .collect::<Vec<_>>()
                .join(" ")
        ),
        Value::Array(items) => format!("[{}]", items.iter().map(go_value).collect::<Vec<_>>().join(" ")),
        Value::Null => "<nil>".to_owned(),
        other => scalar(other),
    }
}

/// Takes `managedFields` out of an object, or out of each item of a List.
pub fn without_managed_fields(mut object: Value) -> Value {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
    }
    if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
        for item in items {
            *item = without_managed_fields(item.take());
        }
    }
    object
}

/// `deployment.apps/web`
pub fn name_of(object: &Value) -> String {
    let kind = text(object, "/kind").to_ascii_lowercase();
    let name = text(object, "/metadata/name");
    match text(object, "/apiVersion").split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

/// The List that `get -o yaml` makes of several objects.
pub fn list_of(items: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// What `--dry-run` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRun {
    None,
    Client,
    Server,
}

impl DryRun {
    /// # Errors
    /// kubectl's word on other values.
    pub fn of(kube: &mut Kube) -> Result<DryRun> {
        Ok(match kube.flags().text("dry-run") {
            "" | "none" => DryRun::None,
            "client" => DryRun::Client,
            "server" => DryRun::Server,
            "unchanged" => {
                kube.err(
                    "W1 helpers.go:703] --dry-run is deprecated and can be replaced with --dry-run=client.\n",
                );
                DryRun::Client
            }
            other if matches!(other, "true" | "false") => {
                let is_on = other == "true";
                kube.err(&format!("W1 helpers.go:692] --dry-run={other} is deprecated (boolean value) and can be replaced with --dry-run={}.\n", if is_on { "client" } else { "none" }));
                if is_on { DryRun::Client } else { DryRun::None }
            }
            other => {
                return message(format!(
                    "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
                ));
            }
        })
    }

    /// For the query of a request.
    pub fn query(self) -> &'static str {
        if self == DryRun::Server { "All" } else { "" }
    }

    pub fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

/// Prints `kind/name done`, or the object in the `-o` format.
/// # Errors
/// As [`Format::of`].
pub fn done(kube: &mut Kube, kind: &Rk, object: &Value, done: &str, dry_run: DryRun) -> Result<()> {
    match Format::of(kube)? {
        Some(format) => format.print(kube, object),
        None => {
            let name = text(object, "/metadata/name").to_owned();
            kube.out(&format!("{} {done}{}\n", kind.label(&name), dry_run.suffix()));
            Ok(())
        }
    }
}

/// [`done`] for an object that kubectl holds in its struct: one it generated, or changed by its fields.
/// # Errors
/// As [`Format::of`].
pub fn made(kube: &mut Kube, kind: &Rk, object: &Value, word: &str, dry_run: DryRun) -> Result<()> {
    match Format::of(kube)? {
        Some(format) => format.print_typed(kube, object),
        None => done(kube, kind, object, word, dry_run),
    }
}

/// The struct an object is of, by its version and kind.
pub fn type_of(object: &Value) -> Option<&'static Type> {
    let version = text(object, "/apiVersion");
    let (group, version) = version.split_once('/').unwrap_or(("core", version));
    let package = group.split('.').next()?;
    schema::named(&format!("{package}/{version}.{}", text(object, "/kind")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_go_values() {
        assert_eq!(
            name_of(&json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}})),
            "deployment.apps/web"
        );
        assert_eq!(
            go_value(&json!({"a": [1, "b"], "c": null})),
            "map[a:[1 b] c:<nil>]"
        );
    }
}
