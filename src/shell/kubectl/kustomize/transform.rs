//! What changes every object: namespace, names, labels, annotations, images, replicas; and the
//! references that follow a changed name.

use super::super::failure::{Result, message};
use super::super::kube::{list, text};
use super::Item;
use serde_json::{Map, Value};

/// The transformers of one kustomization, in kustomize's order.
pub(super) fn run(kustomization: &Value, items: &mut [Item]) -> Result<()> {
    let namespace = text(kustomization, "/namespace");
    if !namespace.is_empty() {
        for item in items.iter_mut() {
            match item.known() {
                Some(kind) if !kind.info().namespaced => {
                    if item.kind() == "Namespace" {
                        item.rename(namespace.to_owned());
                    }
                }
                _ => item.object["metadata"]["namespace"] = namespace.into(),
            }
            let now = item.now();
            item.was.push(now);
        }
    }
    let (prefix, suffix) = (
        text(kustomization, "/namePrefix"),
        text(kustomization, "/nameSuffix"),
    );
    for item in items.iter_mut() {
        let fixed = matches!(
            item.kind(),
            "Namespace" | "CustomResourceDefinition" | "APIService"
        );
        if !fixed && (!prefix.is_empty() || !suffix.is_empty()) {
            item.rename(format!("{prefix}{}{suffix}", item.name()));
        }
    }
    for item in items.iter_mut() {
        if let Some(pairs) = kustomization["commonLabels"].as_object() {
            add_labels(item, pairs, true, true);
        }
        for entry in list(kustomization, "/labels") {
            if !list(entry, "/fields").is_empty() {
                return message("labels.fields of a Kustomization is not supported here");
            }
            let selectors = entry["includeSelectors"] == true;
            if let Some(pairs) = entry["pairs"].as_object() {
                add_labels(
                    item,
                    pairs,
                    selectors,
                    selectors || entry["includeTemplates"] == true,
                );
            }
        }
        if let Some(pairs) = kustomization["commonAnnotations"].as_object() {
            add(&mut item.object, "metadata/annotations", pairs);
            each_template(&mut item.object, &mut |template| {
                add(template, "metadata/annotations", pairs);
            });
        }
    }
    for entry in list(kustomization, "/replicas") {
        let mut found = false;
        for item in items
            .iter_mut()
            .filter(|item| item.was_named(text(entry, "/name")))
        {
            if matches!(
                item.kind(),
                "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController"
            ) {
                item.object["spec"]["replicas"] = entry["count"].clone();
                found = true;
            }
        }
        if !found {
            return message(format!(
                "resource with name {} does not match a config with the following GVK [Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] ReplicationController.[noVer].[noGrp]]",
                text(entry, "/name")
            ));
        }
    }
    for entry in list(kustomization, "/images") {
        items
            .iter_mut()
            .for_each(|item| set_image(&mut item.object, entry));
    }
    follow_names(items);
    Ok(())
}

/// Sets all pairs below a path, which is made.
fn add(value: &mut Value, path: &str, pairs: &Map<String, Value>) {
    let mut at = value;
    for part in path.split('/') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[part];
    }
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    for (key, value) in pairs {
        at[key] = value.clone();
    }
}

/// The same where the path is there already.
fn add_if(value: &mut Value, path: &str, pairs: &Map<String, Value>) {
    if value.pointer(&format!("/{path}")).is_some_and(Value::is_object) {
        add(value, path, pairs);
    }
}

/// The templates of Pods, and of Jobs, in an object.
fn each_template(object: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    for path in [
        "/spec/template",
        "/spec/jobTemplate",
        "/spec/jobTemplate/spec/template",
    ] {
        if let Some(template) = object.pointer_mut(path).filter(|t| t["spec"].is_object()) {
            change(template);
        }
    }
}

fn add_labels(item: &mut Item, pairs: &Map<String, Value>, selectors: bool, templates: bool) {
    let object = &mut item.object;
    add(object, "metadata/labels", pairs);
    if templates {
        each_template(object, &mut |template| add(template, "metadata/labels", pairs));
    }
    if !selectors {
        return;
    }
    match text(object, "/kind") {
        "Service" | "ReplicationController" => add(object, "spec/selector", pairs),
        "Deployment" | "ReplicaSet" | "DaemonSet" => add(object, "spec/selector/matchLabels", pairs),
        "StatefulSet" => {
            add(object, "spec/selector/matchLabels", pairs);
            let claims = object.pointer_mut("/spec/volumeClaimTemplates");
            for claim in claims.and_then(Value::as_array_mut).into_iter().flatten() {
                add(claim, "metadata/labels", pairs);
            }
        }
        _ => {
            for path in ["spec/selector/matchLabels", "spec/podSelector/matchLabels"] {
                add_if(object, path, pairs);
            }
        }
    }
    each_template(object, &mut |template| {
        inner_selectors(&mut template["spec"], pairs);
    });
}

/// The label selectors of affinities and spread constraints.
fn inner_selectors(value: &mut Value, pairs: &Map<String, Value>) {
    add_if(value, "labelSelector/matchLabels", pairs);
    match value {
        Value::Object(map) => map.values_mut().for_each(|inner| inner_selectors(inner, pairs)),
        Value::Array(all) => all.iter_mut().for_each(|inner| inner_selectors(inner, pairs)),
        _ => {}
    }
}

/// `images`: another name, tag or digest wherever containers are.
fn set_image(value: &mut Value, entry: &Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                if matches!(key.as_str(), "containers" | "initContainers") {
                    for container in inner.as_array_mut().into_iter().flatten() {
                        if let Some(image) = new_image(text(container, "/image"), entry) {
                            container["image"] = image.into();
                        }
                    }
                }
                set_image(inner, entry);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|inner| set_image(inner, entry)),
        _ => {}
    }
}

fn new_image(image: &str, entry: &Value) -> Option<String> {
    let slash = image.rfind('/').map_or(0, |at| at + 1);
    let end = image[slash..]
        .find([':', '@'])
        .map_or(image.len(), |at| slash + at);
    let (name, version) = image.split_at(end);
    if name.is_empty() || name != text(entry, "/name") {
        return None;
    }
    let name = match text(entry, "/newName") {
        "" => name,
        new => new,
    };
    let version = match (text(entry, "/newTag"), text(entry, "/digest")) {
        ("", "") => version.to_owned(),
        (tag, "") => format!(":{tag}"),
        ("", digest) => format!("@{digest}"),
        (tag, digest) => format!(":{tag}@{digest}"),
    };
    Some(format!("{name}{version}"))
}

/// Where a name stands, by the key it or its object has: (key, field inside, kind).
const REFERENCES: &[(&str, &str, &str)] = &[
    ("configMap", "name", "ConfigMap"),
    ("configMapRef", "name", "ConfigMap"),
    ("configMapKeyRef", "name", "ConfigMap"),
    ("secretRef", "name", "Secret"),
    ("secretKeyRef", "name", "Secret"),
    ("secret", "name", "Secret"),
    ("secretName", "", "Secret"),
    ("imagePullSecrets", "name", "Secret"),
    ("secrets", "name", "Secret"),
    ("claimName", "", "PersistentVolumeClaim"),
    ("volumeName", "", "PersistentVolume"),
    ("serviceAccountName", "", "ServiceAccount"),
    ("serviceName", "", "Service"),
    ("service", "name", "Service"),
    ("storageClassName", "", "StorageClass"),
    ("priorityClassName", "", "PriorityClass"),
    ("ingressClassName", "", "IngressClass"),
    // These say themselves what they mean.
    ("scaleTargetRef", "name", ""),
    ("roleRef", "name", ""),
    ("subjects", "name", ""),
];

/// Puts the present name wherever an object is called by one it had.
pub(super) fn follow_names(items: &mut [Item]) {
    // (kind, the names it had, its namespace and name now)
    type Renamed = (String, Vec<(String, String)>, (String, String));
    let renamed: Vec<Renamed> = items
        .iter()
        .filter(|item| item.was.iter().any(|was| *was != item.now()))
        .map(|item| (item.kind().to_owned(), item.was.clone(), item.now()))
        .collect();
    let find = |kind: &str, namespace: &str, name: &str| {
        let candidates = || {
            renamed
                .iter()
                .filter(|(of, was, _)| of == kind && was.iter().any(|(_, was)| was == name))
        };
        candidates()
            .find(|(_, _, now)| now.0 == namespace)
            .or_else(|| candidates().next())
            .map(|(_, was, now)| (was.clone(), now.clone()))
    };
    for item in items.iter_mut() {
        let namespace = item.namespace().to_owned();
        if let Some(map) = item.object.as_object_mut() {
            for (key, value) in map
                .iter_mut()
                .filter(|(key, _)| !matches!(key.as_str(), "metadata" | "data"))
            {
                follow(key, value, &namespace, &find);
            }
        }
    }
}

type Find<'f> = &'f dyn Fn(&str, &str, &str) -> Option<(Vec<(String, String)>, (String, String))>;

fn follow(key: &str, value: &mut Value, namespace: &str, find: Find) {
    let reference = REFERENCES.iter().find(|(at, _, _)| *at == key);
    match value {
        Value::Array(all) => all
            .iter_mut()
            .for_each(|inner| follow(key, inner, namespace, find)),
        Value::Object(map) => {
            if let Some((_, field, kind)) = reference.filter(|(_, field, _)| !field.is_empty()) {
                let own = |name: &str| map.get(name).and_then(Value::as_str).unwrap_or("");
                let kind = if kind.is_empty() { own("kind") } else { kind };
                let (name, space) = (own(field).to_owned(), own("namespace").to_owned());
                if let Some((was, now)) = find(kind, namespace, &name) {
                    let is_subject = key == "subjects";
                    let same = space.is_empty()
                        || was
                            .iter()
                            .any(|(old, _)| *old == space || old.is_empty() && space == "default");
                    if !is_subject || same {
                        map.insert((*field).to_owned(), now.1.into());
                    }
                    if is_subject && same && !now.0.is_empty() {
                        map.insert("namespace".to_owned(), now.0.into());
                    }
                }
            }
            for (key, inner) in map.iter_mut() {
                follow(key, inner, namespace, find);
            }
        }
        Value::String(name) => {
            if let Some((_, _, kind)) = reference.filter(|(_, field, _)| field.is_empty())
                && let Some((_, now)) = find(kind, namespace, name)
            {
                *name = now.1;
            }
        }
        _ => {}
    }
}
