//! Patches: strategic merges and lists of JSON operations, with or without a target.

use super::super::super::pattern::Pattern;
use super::super::failure::{Failure, Result, message};
use super::super::kube::{list, map, text};
use super::super::manifest::documents;
use super::{Builder, Item};
use crate::api::labels::Selector;
use crate::apiserver::patch;
use serde_json::Value;

impl Builder<'_> {
    pub(super) fn patch(&self, folder: &str, kustomization: &Value, items: &mut Vec<Item>) -> Result<()> {
        for entry in list(kustomization, "/patchesStrategicMerge") {
            let given = entry.as_str().unwrap_or("");
            let content = self.file(folder, given).unwrap_or_else(|_| given.to_owned());
            apply(&content, &Value::Null, items)?;
        }
        for field in ["patches", "patchesJson6902"] {
            for entry in list(kustomization, &format!("/{field}")) {
                let content = match (text(entry, "/patch"), text(entry, "/path")) {
                    ("", "") => return message("must specify one of patch and path"),
                    (inline, "") => inline.to_owned(),
                    ("", path) => self.file(folder, path).map_err(|why| {
                        Failure::Message(format!("failed to get the patch file from path({path}): {why}"))
                    })?,
                    _ => return message("patch and path can't be set at the same time"),
                };
                apply(&content, &entry["target"], items)?;
            }
        }
        Ok(())
    }
}

fn apply(content: &str, target: &Value, items: &mut Vec<Item>) -> Result<()> {
    for document in documents(content, "patch")? {
        if document.is_array() {
            if !target.is_object() {
                return message(format!(
                    "must specify a target for JSON patch [patch: {content:?}]"
                ));
            }
            for item in items.iter_mut().filter(|item| selected(item, target)) {
                patch::json(&mut item.object, &document)
                    .map_err(|status| Failure::Message(status.message))?;
            }
            continue;
        }
        let wanted = Item::new(document);
        let hit: Vec<bool> = items
            .iter()
            .map(|item| match target {
                Value::Object(_) => selected(item, target),
                _ => {
                    item.kind() == wanted.kind()
                        && item.api().0 == wanted.api().0
                        && item.was_named(wanted.name())
                        && (wanted.namespace().is_empty()
                            || item.was.iter().any(|(space, _)| space == wanted.namespace()))
                }
            })
            .collect();
        if !target.is_object() && !hit.contains(&true) {
            let id = wanted.id();
            return message(format!(
                "no resource matches strategic merge patch {id:?}: no matches for Id {id}; failed to find unique target for patch {id}"
            ));
        }
        let mut hits = hit.iter();
        if wanted.object["$patch"] == "delete" {
            items.retain(|_| hits.next() != Some(&true));
            continue;
        }
        for item in items.iter_mut().filter(|_| hits.next() == Some(&true)) {
            merge(item, &wanted.object)?;
        }
    }
    Ok(())
}

/// A strategic merge; the object stays what it is.
fn merge(item: &mut Item, with: &Value) -> Result<()> {
    let mut with = with.clone();
    for field in ["apiVersion", "kind"] {
        with[field] = item.object[field].clone();
    }
    for field in ["name", "namespace"] {
        if let Some(map) = with.get_mut("metadata").and_then(Value::as_object_mut) {
            map.remove(field);
        }
    }
    match item.known() {
        Some(kind) => {
            item.object = patch::strategic(kind, &item.object, &with)
                .map_err(|status| Failure::Message(status.message))?;
        }
        None => json_patch::merge(&mut item.object, &with),
    }
    Ok(())
}

/// Whether a patch's target means an object; names are patterns for the whole name.
fn selected(item: &Item, target: &Value) -> bool {
    let fits = |field: &str, value: &str| match text(target, &format!("/{field}")) {
        "" => true,
        wanted => Pattern::new(&format!("^({wanted})$"), true, false)
            .is_ok_and(|pattern| pattern.find(value).is_some()),
    };
    let labels = |field: &str, from: &str| {
        let has = map(&item.object, from)
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        match text(target, &format!("/{field}")) {
            "" => true,
            wanted => Selector::parse(wanted).is_ok_and(|selector| selector.matches(&has)),
        }
    };
    let (group, version) = item.api();
    fits("group", group)
        && fits("version", version)
        && fits("kind", item.kind())
        && item
            .was
            .iter()
            .any(|(space, name)| fits("name", name) && fits("namespace", space))
        && labels("labelSelector", "/metadata/labels")
        && labels("annotationSelector", "/metadata/annotations")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn targets() {
        let item = Item::new(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"app": "web"}}}),
        );
        let hit = |target: Value| selected(&item, &target);
        assert!(hit(json!({})) && hit(json!({"kind": "Deployment", "name": "w.*", "group": "apps"})));
        assert!(!hit(json!({"name": "we"})) && !hit(json!({"kind": "Deploy"})));
        assert!(hit(json!({"labelSelector": "app in (web,db)"})) && !hit(json!({"labelSelector": "app=db"})));
    }
}
