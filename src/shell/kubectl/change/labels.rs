//! `label`, `annotate`.

use super::super::failure::{Failure, Result, message};
use super::super::kube::{Kube, MERGE, Next, with_query};
use super::super::output::{DryRun, done};
use super::super::resource::{fail_with, live};
use super::split_changes;
use crate::api::validation::content;
use serde_json::{Map, Value, json};

pub fn label(kube: &mut Kube) -> Result<Next> {
    change_map(kube, "label", "labels", "labeled")
}

pub fn annotate(kube: &mut Kube) -> Result<Next> {
    change_map(kube, "annotation", "annotations", "annotated")
}

fn change_map(kube: &mut Kube, what: &str, field: &str, past: &str) -> Result<Next> {
    let (names, changes) = split_changes(&kube.call.args.clone(), what)?;
    let dry_run = DryRun::of(kube)?;
    let listing = kube.flags().on("list");
    if names.is_empty() && kube.flags().list("filename").is_empty() {
        return message(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>".to_string(),
        );
    }
    if changes.is_empty() && !listing {
        return message(format!("at least one {what} update is required"));
    }
    let (mut set, mut remove) = (Vec::<(String, String)>::new(), Vec::new());
    for change in &changes {
        match change.split_once('=') {
            Some((_, value)) if what == "label" && value.contains('=') => {
                return message(format!("invalid label spec: {change}"));
            }
            Some((key, value)) => {
                let complaints = content::label_value(value);
                if what == "label" && !complaints.is_empty() {
                    return message(format!(
                        "invalid label value: {change:?}: {}",
                        complaints.join(";")
                    ));
                }
                // The last value of a key holds.
                set.retain(|(known, _)| known != key);
                set.push((key.to_owned(), value.to_owned()));
            }
            None => remove.push(change[..change.len() - 1].to_owned()),
        }
    }
    if let Some((key, _)) = set.iter().find(|(key, _)| remove.contains(key)) {
        return message(match what {
            "label" => "can not both modify and remove a label in the same command".to_owned(),
            _ => format!("can not both modify and remove the following {what}(s) in the same command: {key}"),
        });
    }
    if kube.flags().on("local") && kube.flags().list("filename").is_empty() {
        let example = if what == "label" { "pod" } else { "rsrc" };
        return message(format!(
            "can only use local files by -f {example}.yaml or --filename={example}.json when --local=true is set"
        ));
    }
    let version = kube.flags().text("resource-version").to_owned();
    let overwrite = kube.flags().on("overwrite");
    let (targets, mut failures) = live(kube, &names)?;
    let several = targets.len() > 1;
    for target in targets {
        let old = target.object["metadata"][field]
            .as_object()
            .cloned()
            .unwrap_or_default();
        if listing {
            if several {
                kube.out(&format!(
                    "Listing {field} for {}.{}/{}:\n",
                    target.kind.kind, target.kind.group, target.name
                ));
            }
            for (key, value) in &old {
                let indent = if several { " " } else { "" };
                kube.out(&format!("{indent}{key}={}\n", value.as_str().unwrap_or("")));
            }
            if changes.is_empty() {
                continue;
            }
        }
        let clash: Vec<String> = set
            .iter()
            .filter(|(key, value)| !overwrite && old.get(key).is_some_and(|v| v != value))
            .map(|(key, _)| {
                format!(
                    "'{key}' already has a value ({})",
                    old[key].as_str().unwrap_or("")
                )
            })
            .collect();
        if !clash.is_empty() {
            let clash = clash.join(", ");
            failures.push(Failure::Message(match what {
                "label" => format!("{clash}, and --overwrite is false"),
                _ => format!("--overwrite is false but found the following declared annotation(s): {clash}"),
            }));
            continue;
        }
        let mut changed = Map::new();
        for (key, value) in &set {
            if old.get(key).and_then(Value::as_str) != Some(value) {
                changed.insert(key.clone(), value.clone().into());
            }
        }
        for key in &remove {
            if old.contains_key(key) {
                changed.insert(key.clone(), Value::Null);
            } else if what == "label" && dry_run != DryRun::Client {
                kube.out(&format!("label {key:?} not found.\n"));
            }
        }
        let only_removed = !changed.is_empty() && changed.values().all(Value::is_null);
        let word = match (what, changed.is_empty()) {
            ("label", true) => "not labeled",
            ("label", false) if only_removed && !overwrite => "unlabeled",
            _ => past,
        };
        if dry_run == DryRun::Client || changed.is_empty() && what == "label" {
            let mut object = target.object.clone();
            json_patch::merge(&mut object, &json!({"metadata": {field: changed}}));
            done(kube, &target.kind, &object, word, dry_run)?;
            continue;
        }
        let mut body = if changed.is_empty() {
            json!({})
        } else {
            json!({"metadata": {field: changed}})
        };
        if !version.is_empty() {
            body["metadata"]["resourceVersion"] = version.clone().into();
        }
        let manager = kube.field_manager();
        let path = with_query(
            &target.path(),
            &[("fieldManager", &manager), ("dryRun", dry_run.query())],
        );
        match kube.patch(&path, MERGE, &body) {
            Ok(patched) => done(kube, &target.kind, &patched, word, dry_run)?,
            Err(failure) => failures.push(failure),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}
