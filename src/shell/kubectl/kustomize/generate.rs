//! ConfigMaps and Secrets from literals and files.

use super::super::failure::{Failure, Result, message};
use super::super::kube::{list, map, text};
use super::{Builder, Item};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

impl Builder<'_> {
    pub(super) fn generate(&self, folder: &str, kustomization: &Value, items: &mut Vec<Item>) -> Result<()> {
        for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            for entry in list(kustomization, &format!("/{field}")) {
                self.one(folder, kind, entry, &kustomization["generatorOptions"], items)?;
            }
        }
        Ok(())
    }

    fn one(
        &self,
        folder: &str,
        kind: &str,
        entry: &Value,
        common: &Value,
        items: &mut Vec<Item>,
    ) -> Result<()> {
        let name = text(entry, "/name");
        if name.is_empty() {
            return message(format!("a {} must have a name", kind.to_ascii_lowercase()));
        }
        let mut data = self.pairs(folder, entry)?;
        if kind == "Secret" {
            for value in data.values_mut() {
                *value = folded(&STANDARD.encode(value.as_str().unwrap_or(""))).into();
            }
        }
        let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
        if !text(entry, "/namespace").is_empty() {
            object["metadata"]["namespace"] = entry["namespace"].clone();
        }
        if !data.is_empty() {
            object["data"] = data.into();
        }
        if kind == "Secret" {
            object["type"] = match text(entry, "/type") {
                "" => "Opaque".into(),
                given => given.into(),
            };
        }
        let own = &entry["options"];
        for options in [common, own] {
            for field in ["labels", "annotations"] {
                for (key, value) in map(options, &format!("/{field}")) {
                    object["metadata"][field][key] = value.into();
                }
            }
            if options["immutable"] == true {
                object["immutable"] = true.into();
            }
        }
        let mut item = Item::new(object);
        item.is_hashed = [common, own]
            .iter()
            .all(|options| options["disableNameSuffixHash"] != true);
        match text(entry, "/behavior") {
            "" | "create" => {
                if let Some(other) = items.iter().find(|other| other.id() == item.id()) {
                    return message(format!(
                        "may not add resource with an already registered id: {}",
                        other.id()
                    ));
                }
                items.push(item);
            }
            behavior @ ("merge" | "replace") => {
                let existing = items
                    .iter_mut()
                    .find(|other| other.kind() == kind && other.was_named(name));
                let Some(existing) = existing else {
                    return message(format!(
                        "id {} does not exist; cannot merge or replace",
                        item.id()
                    ));
                };
                if behavior == "replace" {
                    existing.object["data"] = item.object["data"].take();
                } else if let Some(new) = item.object["data"].as_object() {
                    for (key, value) in new {
                        existing.object["data"][key] = value.clone();
                    }
                }
            }
            other => return message(format!("unknown behavior: {other}")),
        }
        Ok(())
    }

    /// `literals`, `files` and `envs` of a generator.
    fn pairs(&self, folder: &str, entry: &Value) -> Result<Map<String, Value>> {
        let wrong = |why: String| Failure::Message(format!("loading KV pairs: {why}"));
        let mut data = Map::new();
        let mut add = |key: &str, value: &str| match data.insert(key.to_owned(), value.into()) {
            None => Ok(()),
            Some(_) => Err(wrong(format!("configmap has duplicate key {key:?}"))),
        };
        let words = |field: &str| {
            list(entry, &format!("/{field}"))
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let mut envs = words("envs");
        envs.extend(entry["env"].as_str().map(str::to_owned));
        for name in envs {
            let content = self
                .file(folder, &name)
                .map_err(|why| wrong(format!("env source files: [{name}]: {why}")))?;
            for line in content.lines().map(str::trim_start) {
                if !line.is_empty() && !line.starts_with('#') {
                    let (key, value) = line.split_once('=').unwrap_or((line, ""));
                    add(key, value)?;
                }
            }
        }
        for literal in words("literals") {
            let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return Err(wrong(format!(
                    "literal sources [{literal}]: invalid literal source {literal}, expected key=value"
                )));
            };
            add(key, value.trim_matches(['"', '\'']))?;
        }
        for file in words("files") {
            let (key, path) = match file.split_once('=') {
                Some((key, path)) => (key, path),
                None => (file.rsplit('/').next().unwrap_or(&file), file.as_str()),
            };
            let content = self
                .file(folder, path)
                .map_err(|why| wrong(format!("file sources: [{file}]: {why}")))?;
            add(key, &content)?;
        }
        Ok(data)
    }
}

/// Long base64 in lines of 70 characters.
fn folded(text: &str) -> String {
    const WIDTH: usize = 70;
    if text.len() <= WIDTH {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, more) = rest.split_at(WIDTH.min(rest.len()));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out
}
