//! `kustomize`, `apply -k`: resources, generators, patches and the simple transformers.
//!
//! Source: kubectl 1.32's kustomize (v5.5), <https://kubectl.docs.kubernetes.io/references/kustomize/>.

mod generate;
mod patches;
mod transform;

use super::super::print::yaml;
use super::super::program::Session;
use super::create::config::content_hash;
use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, list, text};
use super::manifest::documents;
use crate::api::Kind;
use crate::api::order::StableSort;
use serde_json::Value;

/// `kubectl kustomize DIR`
pub fn run(kube: &mut Kube) -> Result<Next> {
    let folder = match kube.call.args.as_slice() {
        [] => ".".to_owned(),
        [one] => one.clone(),
        _ => return message("specify one path to kustomization.yaml"),
    };
    let (objects, warnings) = build(kube.io.session, &folder)?;
    kube.err(&warnings);
    let pages: Vec<String> = objects.iter().map(yaml::document).collect();
    let pages = pages.join("---\n");
    match kube.flags().text("output").to_owned() {
        file if file.is_empty() => kube.out(&pages),
        file => kube
            .io
            .session
            .write(&file, &pages, false)
            .map_err(Failure::Message)?,
    }
    Ok(Next::Done)
}

/// The objects a folder's kustomization makes, in the order to apply them, and what stderr says.
/// # Errors
/// kustomize's words.
pub fn build(session: &Session, folder: &str) -> Result<(Vec<Value>, String)> {
    let mut at = Builder {
        session,
        warnings: String::new(),
    };
    let folder = joined("", folder);
    let mut items = at.accumulate(&folder, 0)?;
    for item in &mut items {
        if item.is_hashed {
            let hash = content_hash(item.kind(), "", &item.object, "".into());
            item.rename(format!("{}-{hash}", item.name()));
        }
    }
    transform::follow_names(&mut items);
    items.stable_sort_by_key(|item| item.place());
    Ok((items.into_iter().map(|item| item.object).collect(), at.warnings))
}

/// An object on its way, with the names it had.
#[derive(Clone)]
struct Item {
    object: Value,
    /// (namespace, name), oldest first
    was: Vec<(String, String)>,
    /// Its name ends in a hash of its content.
    is_hashed: bool,
}

impl Item {
    fn new(object: Value) -> Item {
        let mut item = Item {
            object,
            was: Vec::new(),
            is_hashed: false,
        };
        item.was.push(item.now());
        item
    }

    fn now(&self) -> (String, String) {
        (self.namespace().to_owned(), self.name().to_owned())
    }

    fn kind(&self) -> &str {
        text(&self.object, "/kind")
    }

    fn name(&self) -> &str {
        text(&self.object, "/metadata/name")
    }

    fn namespace(&self) -> &str {
        text(&self.object, "/metadata/namespace")
    }

    /// (group, version)
    fn api(&self) -> (&str, &str) {
        let version = text(&self.object, "/apiVersion");
        version.split_once('/').unwrap_or(("", version))
    }

    fn known(&self) -> Option<Kind> {
        Kind::by_api_version(text(&self.object, "/apiVersion"), self.kind())
    }

    fn rename(&mut self, name: String) {
        self.object["metadata"]["name"] = name.into();
        self.was.push(self.now());
    }

    fn was_named(&self, name: &str) -> bool {
        self.was.iter().any(|(_, was)| was == name)
    }

    /// `Service.v1.[noGrp]/web.[noNs]`
    fn id(&self) -> String {
        let (group, version) = self.api();
        let or = |text: &str, none: &str| {
            if text.is_empty() {
                none.to_owned()
            } else {
                text.to_owned()
            }
        };
        format!(
            "{}.{version}.{}/{}.{}",
            self.kind(),
            or(group, "[noGrp]"),
            self.name(),
            or(self.namespace(), "[noNs]")
        )
    }

    /// Its place among the others: what is needed first, then by type and name.
    fn place(&self) -> (usize, String) {
        const FIRST: &str = "Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume PersistentVolumeClaim Deployment StatefulSet CronJob PodDisruptionBudget";
        const LAST: usize = 100;
        let place = match self.kind() {
            "MutatingWebhookConfiguration" => LAST + 1,
            "ValidatingWebhookConfiguration" => LAST + 2,
            kind => FIRST.split(' ').position(|first| first == kind).unwrap_or(LAST),
        };
        let (group, version) = self.api();
        let group = if group.is_empty() { "~G" } else { group };
        (
            place,
            format!(
                "{group}_{version}_{}|{}|{}",
                self.kind(),
                self.namespace(),
                self.name()
            ),
        )
    }
}

/// Kustomizations nest at most this deep, and make at most this many objects.
const MAX_DEPTH: usize = 16;
const MAX_ITEMS: usize = 10_000;

/// The fields that are read, and what their values are: `s` text, `m` texts by name, `o` an object,
/// `l` a list.
const FIELDS: &[(&str, char)] = &[
    ("apiVersion", 's'),
    ("kind", 's'),
    ("metadata", 'o'),
    ("resources", 'l'),
    ("bases", 'l'),
    ("namePrefix", 's'),
    ("nameSuffix", 's'),
    ("namespace", 's'),
    ("commonLabels", 'm'),
    ("labels", 'l'),
    ("commonAnnotations", 'm'),
    ("images", 'l'),
    ("replicas", 'l'),
    ("configMapGenerator", 'l'),
    ("secretGenerator", 'l'),
    ("generatorOptions", 'o'),
    ("patches", 'l'),
    ("patchesStrategicMerge", 'l'),
    ("patchesJson6902", 'l'),
];
const NOT_HERE: &[&str] = &[
    "buildMetadata",
    "components",
    "configurations",
    "crds",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "helmGlobals",
    "openapi",
    "replacements",
    "sortOptions",
    "transformers",
    "validators",
    "vars",
];
/// Deprecated fields and what to use instead.
const OLD: &[(&str, &str)] = &[
    ("bases", "resources"),
    ("commonLabels", "labels"),
    ("patchesJson6902", "patches"),
    ("patchesStrategicMerge", "patches"),
];

struct Builder<'s> {
    session: &'s Session,
    warnings: String,
}

/// A path below a folder, without `.` and `..`.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// How a path is named in messages: the console's files lie in /root.
fn absolute(path: &str) -> String {
    format!("/root/{path}").trim_end_matches('/').to_owned()
}

fn missing_file(path: &str) -> String {
    let path = absolute(path);
    format!("evalsymlink failure on '{path}' : lstat {path}: no such file or directory")
}

impl Builder<'_> {
    /// A file below a folder.
    fn file(&self, folder: &str, name: &str) -> std::result::Result<String, String> {
        let path = joined(folder, name);
        if !folder.is_empty() && !path.starts_with(&format!("{folder}/")) {
            return Err(format!(
                "security; file '{}' is not in or below '{}'",
                absolute(&path),
                absolute(folder)
            ));
        }
        self.session
            .file(&path)
            .cloned()
            .ok_or_else(|| missing_file(&path))
    }

    fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || !self.session.directory(path).is_empty()
    }

    fn accumulate(&mut self, folder: &str, depth: usize) -> Result<Vec<Item>> {
        if depth > MAX_DEPTH {
            return message(format!(
                "cycle detected: kustomizations nest too deep at '{}'",
                absolute(folder)
            ));
        }
        if !self.is_folder(folder) {
            return message(if self.session.file(folder).is_some() {
                format!(
                    "must build at directory: '{}': file is not directory",
                    absolute(folder)
                )
            } else {
                let shown = if depth == 0 {
                    folder.to_owned()
                } else {
                    absolute(folder)
                };
                format!(
                    "must build at directory: not a valid directory: evalsymlink failure on '{shown}' : lstat {}: no such file or directory",
                    absolute(folder)
                )
            });
        }
        let kustomization = self.read(folder)?;
        let mut items: Vec<Item> = Vec::new();
        for field in ["resources", "bases"] {
            for entry in list(&kustomization, &format!("/{field}")) {
                let entry = entry.as_str().unwrap_or("");
                for item in self.resource(folder, entry, depth)? {
                    if let Some(twice) = items.iter().find(|other| other.id() == item.id()) {
                        return message(format!(
                            "accumulating resources: accumulation err='merging resources from '{entry}': may not add resource with an already registered id: {}': must build at directory: '{}': file is not directory",
                            twice.id(),
                            absolute(&joined(folder, entry))
                        ));
                    }
                    items.push(item);
                }
            }
        }
        self.generate(folder, &kustomization, &mut items)?;
        self.patch(folder, &kustomization, &mut items)?;
        transform::run(&kustomization, &mut items)?;
        if items.len() > MAX_ITEMS {
            return message(format!("more than {MAX_ITEMS} objects"));
        }
        Ok(items)
    }

    /// What one entry of `resources` brings: a file's objects, or another kustomization's.
    fn resource(&mut self, folder: &str, entry: &str, depth: usize) -> Result<Vec<Item>> {
        let path = joined(folder, entry);
        if entry.contains("://") || entry.starts_with("git@") {
            return message(format!(
                "accumulating resources: accumulation err='accumulating resources from '{entry}': no network beyond the cluster'"
            ));
        }
        if self.session.file(&path).is_none() && self.is_folder(&path) {
            return self.accumulate(&path, depth + 1);
        }
        let wrong = |why: String| {
            Failure::Message(format!(
                "accumulating resources: accumulation err='accumulating resources from '{entry}': {why}': must build at directory: not a valid directory: {}",
                missing_file(&path)
            ))
        };
        let content = self.file(folder, entry).map_err(wrong)?;
        let mut items = Vec::new();
        for document in documents(&content, entry)? {
            let objects = match document.get("items").and_then(Value::as_array) {
                Some(inner) if text(&document, "/kind").ends_with("List") => inner.clone(),
                _ if document.is_null() => Vec::new(),
                _ => vec![document],
            };
            for object in objects {
                if text(&object, "/kind").is_empty() {
                    return Err(wrong("missing Resource metadata".to_owned()));
                }
                if text(&object, "/metadata/name").is_empty() {
                    return Err(wrong("missing metadata.name in object".to_owned()));
                }
                items.push(Item::new(object));
            }
        }
        Ok(items)
    }

    /// The folder's Kustomization, checked.
    fn read(&mut self, folder: &str) -> Result<Value> {
        let found: Vec<String> = ["kustomization.yaml", "kustomization.yml", "Kustomization"]
            .iter()
            .filter_map(|name| self.session.file(&joined(folder, name)).cloned())
            .collect();
        let content = match found.as_slice() {
            [one] => one,
            [] => {
                return message(format!(
                    "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
                    absolute(folder)
                ));
            }
            _ => {
                return message(format!(
                    "Found multiple kustomization files under: {}\n",
                    absolute(folder)
                ));
            }
        };
        let invalid = |why: &str| Failure::Message(format!("invalid Kustomization: {why}"));
        let value = crate::api::yaml::read_one(content)
            .map_err(|error| invalid(&error.go_text()))?
            .value;
        let Some(map) = value.as_object() else {
            return message("kustomization.yaml is empty");
        };
        for (field, value) in map {
            if NOT_HERE.contains(&field.as_str()) {
                return message(format!("{field} of a Kustomization is not supported here"));
            }
            let Some((_, shape)) = FIELDS.iter().find(|(name, _)| name == field) else {
                return Err(invalid(&format!("json: unknown field {field:?}")));
            };
            let go = |value: &Value| match value {
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                _ => "object",
            };
            let bad = |value: &Value, wanted: &str| {
                invalid(&format!(
                    "json: cannot unmarshal {} into Go struct field Kustomization.{field} of type {wanted}",
                    go(value)
                ))
            };
            match (shape, value) {
                (_, Value::Null)
                | ('s', Value::String(_))
                | ('l', Value::Array(_))
                | ('o', Value::Object(_)) => {}
                ('m', Value::Object(texts)) => {
                    if let Some(other) = texts.values().find(|value| !value.is_string()) {
                        return Err(bad(other, "string"));
                    }
                }
                ('s', other) => return Err(bad(other, "string")),
                ('l', other) => return Err(bad(other, "[]string")),
                (_, other) => return Err(bad(other, "map[string]string")),
            }
        }
        if map
            .keys()
            .all(|key| matches!(key.as_str(), "apiVersion" | "kind" | "metadata"))
        {
            return message("kustomization.yaml is empty");
        }
        for (old, new) in OLD.iter().filter(|(old, _)| map.contains_key(*old)) {
            self.warnings.push_str(&format!(
                "# Warning: '{old}' is deprecated. Please use '{new}' instead. Run 'kustomize edit fix' to update your Kustomization automatically.\n"
            ));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
