//! Commands that change one thing of objects that exist: `label annotate taint cordon uncordon
//! patch replace scale set`.

use super::apply::{field_validation, with_last_applied};
use super::create::pairs;
use super::failure::{Failure, Result, message};
use super::kube::{JSON_PATCH, Kube, MERGE, Next, STRATEGIC, int, list, text, with_query};
use super::manifest;
use super::output::{DryRun, Format, done};
use super::patch;
use super::resource::{MISSING, Target, fail_with, known, live};
use crate::api::Kind;
use serde_json::{Map, Value, json};

/// Arguments that change something (`a=b`, `a-`) separated from those that name objects.
fn split_changes(args: &[String], what: &str) -> Result<(Vec<String>, Vec<String>)> {
    let is_change = |arg: &str| arg.contains('=') || arg.ends_with('-');
    let first = args.iter().position(|a| is_change(a)).unwrap_or(args.len());
    if let Some(late) = args[first..].iter().find(|a| !is_change(a)) {
        return message(format!(
            "all resources must be specified before {what} changes: {late}"
        ));
    }
    Ok((args[..first].to_vec(), args[first..].to_vec()))
}

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
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    for change in &changes {
        match change.split_once('=') {
            Some((key, value)) => set.push((key.to_owned(), value.to_owned())),
            None => remove.push(change[..change.len() - 1].to_owned()),
        }
    }
    if let Some((key, _)) = set.iter().find(|(key, _)| remove.contains(key)) {
        return message(format!("cannot modify and remove the same {what}(s), [{key}]"));
    }
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
                kube.out(&format!("{key}={}\n", value.as_str().unwrap_or("")));
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
                    "'{key}' already has a value ({}), and --overwrite is false",
                    old[key].as_str().unwrap_or("")
                )
            })
            .collect();
        if !clash.is_empty() {
            failures.push(Failure::Message(clash.join(", ")));
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
            } else if what == "label" {
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
        let body = if changed.is_empty() {
            json!({})
        } else {
            json!({"metadata": {field: changed}})
        };
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

/// `key=value:Effect`
struct Taint {
    key: String,
    value: String,
    effect: String,
}

fn read_taint(text: &str) -> Result<Taint> {
    let bad = || Failure::Message(format!("invalid taint spec: {text}"));
    let (pair, effect) = text.rsplit_once(':').ok_or_else(bad)?;
    if !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
        return message(format!(
            "invalid taint effect: {effect}, unsupported taint effect"
        ));
    }
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    if key.is_empty() {
        Err(bad())
    } else {
        Ok(Taint {
            key: key.to_owned(),
            value: value.to_owned(),
            effect: effect.to_owned(),
        })
    }
}

pub fn taint(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let first = args
        .iter()
        .position(|a| a.contains('=') || a.contains(':') || a.ends_with('-'))
        .unwrap_or(args.len());
    let (names, changes) = args.split_at(first);
    let by_selector = kube.flags().on("all") || !kube.flags().text("selector").is_empty();
    if names.is_empty() || names.len() == 1 && !by_selector && !names[0].contains('/') {
        return message("one or more resources must be specified as <resource> <name>");
    }
    if changes.is_empty() {
        return message("at least one taint update is required");
    }
    let dry_run = DryRun::of(kube)?;
    let mut add = Vec::new();
    // (key, effect; empty for any)
    let mut remove: Vec<(String, String)> = Vec::new();
    for change in changes {
        match change.strip_suffix('-') {
            Some(gone) => {
                let (key, effect) = gone.split_once(':').unwrap_or((gone, ""));
                remove.push((key.split('=').next().unwrap_or(key).to_owned(), effect.to_owned()));
            }
            None => add.push(read_taint(change)?),
        }
    }
    let overwrite = kube.flags().on("overwrite");
    let (targets, mut failures) = live(kube, names)?;
    for target in targets {
        if !target.kind.is(Kind::Node) {
            return message(format!(
                "invalid resource type {}, only [node] types are supported",
                target.kind.plural
            ));
        }
        let old = list(&target.object, "/spec/taints").to_vec();
        let clash: Vec<&str> = add
            .iter()
            .filter(|t| {
                !overwrite
                    && old
                        .iter()
                        .any(|o| text(o, "/key") == t.key && text(o, "/effect") == t.effect)
            })
            .map(|t| t.key.as_str())
            .collect();
        if !clash.is_empty() {
            failures.push(Failure::Message(format!(
                "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
                target.name,
                clash.join(",")
            )));
            continue;
        }
        let mut taints: Vec<Value> = add
            .iter()
            .map(|t| {
                let mut taint = json!({"effect": t.effect, "key": t.key});
                if !t.value.is_empty() {
                    taint["value"] = t.value.clone().into();
                }
                taint
            })
            .collect();
        taints.extend(
            old.iter()
                .filter(|o| {
                    !add.iter()
                        .any(|t| text(o, "/key") == t.key && text(o, "/effect") == t.effect)
                })
                .cloned(),
        );
        let mut missing = Vec::new();
        for (key, effect) in &remove {
            let before = taints.len();
            taints
                .retain(|t| !(text(t, "/key") == key && (effect.is_empty() || text(t, "/effect") == effect)));
            if taints.len() == before {
                missing.push(Failure::Message(format!(
                    "taint {:?} not found",
                    if effect.is_empty() {
                        key.clone()
                    } else {
                        format!("{key}:{effect}")
                    }
                )));
            }
        }
        if !missing.is_empty() {
            failures.extend(missing);
            continue;
        }
        let word = match (add.is_empty(), remove.is_empty()) {
            (false, true)
                if old.iter().any(|o| add.iter().any(|t| text(o, "/key") == t.key)) && overwrite =>
            {
                "modified"
            }
            (false, true) => "tainted",
            (true, false) => "untainted",
            _ => "modified",
        };
        let body = json!({"spec": {"taints": if taints.is_empty() { Value::Null } else { taints.into() }}});
        if dry_run == DryRun::Client {
            done(kube, &target.kind, &target.object, word, dry_run)?;
            continue;
        }
        let path = with_query(
            &target.path(),
            &[("fieldManager", "kubectl-taint"), ("dryRun", dry_run.query())],
        );
        match kube.patch(&path, STRATEGIC, &body) {
            // A dry run on the server is not mentioned here.
            Ok(patched) => done(kube, &target.kind, &patched, word, DryRun::None)?,
            Err(failure) => failures.push(failure),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

pub fn cordon(kube: &mut Kube) -> Result<Next> {
    let nodes = named_nodes(kube)?;
    for node in nodes {
        set_schedulable(kube, &node, false)?;
    }
    Ok(Next::Done)
}

pub fn uncordon(kube: &mut Kube) -> Result<Next> {
    let nodes = named_nodes(kube)?;
    for node in nodes {
        set_schedulable(kube, &node, true)?;
    }
    Ok(Next::Done)
}

/// The nodes of `cordon`, `uncordon` and `drain`.
pub fn named_nodes(kube: &mut Kube) -> Result<Vec<Target>> {
    let command = kube.call.command.name;
    let mut args = kube.call.args.clone();
    let selector = kube.flags().text("selector").to_owned();
    if args.is_empty() && selector.is_empty() {
        return Err(Failure::Usage(format!("USAGE: {command} NODE [flags]"), command));
    }
    if !args.is_empty() && !selector.is_empty() {
        return message("cannot specify both a node name and a --selector option");
    }
    if args.iter().all(|a| !a.contains('/')) {
        args.insert(0, "node".to_owned());
    }
    let (targets, failures) = live(kube, &args)?;
    fail_with(failures)?;
    Ok(targets)
}

/// Marks a node, and says so.
pub fn set_schedulable(kube: &mut Kube, node: &Target, schedulable: bool) -> Result<()> {
    let dry_run = DryRun::of(kube)?;
    let word = if schedulable { "uncordoned" } else { "cordoned" };
    let is_cordoned = node.object["spec"]["unschedulable"] == true;
    if is_cordoned != schedulable {
        return done(
            kube,
            &node.kind,
            &node.object,
            &format!("already {word}"),
            dry_run,
        );
    }
    if dry_run != DryRun::Client {
        let value = if schedulable { Value::Null } else { true.into() };
        let path = with_query(&node.path(), &[("dryRun", dry_run.query())]);
        kube.patch(&path, STRATEGIC, &json!({"spec": {"unschedulable": value}}))
            .map_err(|f| {
                Failure::Message(format!(
                    "unable to {} node {:?}: {}",
                    &word[..word.len() - 2],
                    node.name,
                    f.text()
                ))
            })?;
    }
    done(kube, &node.kind, &node.object, word, dry_run)
}

pub fn patch_object(kube: &mut Kube) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let mut given = kube.flags().text("patch").to_owned();
    let file = kube.flags().text("patch-file").to_owned();
    if given.is_empty() && file.is_empty() {
        return message("must specify --patch or --patch-file containing the contents of the patch");
    }
    if !given.is_empty() && !file.is_empty() {
        return message("cannot specify --patch and --patch-file together");
    }
    let kind = match kube.flags().text("type").to_lowercase().as_str() {
        "strategic" => STRATEGIC,
        "merge" => MERGE,
        "json" => JSON_PATCH,
        other => {
            return message(format!(
                "--type must be one of [json merge strategic], not {other:?}"
            ));
        }
    };
    if !file.is_empty() {
        given = match (file.as_str(), kube.io.session.file(&file)) {
            ("-", _) => kube.io.stdin.rest(),
            (_, Some(text)) => text.clone(),
            _ => {
                return message(format!(
                    "unable to read patch file: open {file}: no such file or directory"
                ));
            }
        };
    }
    let raw_json = given.trim_start().starts_with('{');
    let body = match manifest::documents(&given, "patch") {
        // What looks like JSON goes to the server as it is, who says what is wrong with it.
        Err(_) if raw_json => Value::Null,
        Ok(mut values) if values.len() == 1 => values.remove(0),
        Ok(_) => Value::Null,
        Err(failure) => {
            return message(format!(
                "unable to parse {given:?}: {}",
                failure
                    .text()
                    .trim_start_matches("error parsing patch: error converting YAML to JSON: ")
            ));
        }
    };
    let args = kube.call.args.clone();
    if args.is_empty() && kube.flags().list("filename").is_empty() {
        return message(MISSING);
    }
    let (targets, mut failures) = live(kube, &args)?;
    if targets.is_empty() && failures.is_empty() {
        return message("no objects passed to patch");
    }
    let sub = match kube.flags().text("subresource") {
        "" => String::new(),
        sub => format!("/{sub}"),
    };
    for target in targets {
        if dry_run == DryRun::Client {
            let mut object = target.object.clone();
            if kind == MERGE || kind == STRATEGIC {
                json_patch::merge(&mut object, &body);
            }
            done(kube, &target.kind, &object, "patched", dry_run)?;
            continue;
        }
        let manager = kube.field_manager();
        let path = with_query(
            &(target.path() + &sub),
            &[("fieldManager", &manager), ("dryRun", dry_run.query())],
        );
        let outcome = match raw_json {
            true => kube
                .send_text(
                    "PATCH",
                    &path,
                    super::kube::ACCEPT_JSON,
                    Some(kind),
                    given.clone(),
                )
                .map(|answer| answer.json()),
            false => kube.patch(&path, kind, &body),
        };
        match outcome {
            Ok(patched) => {
                let same = patched["metadata"]["resourceVersion"]
                    == target.object["metadata"]["resourceVersion"]
                    && patched == target.object;
                done(
                    kube,
                    &target.kind,
                    &patched,
                    if same { "patched (no change)" } else { "patched" },
                    DryRun::None,
                )?;
            }
            Err(failure) => failures.push(failure),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

pub fn replace(kube: &mut Kube) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let targets = manifest::required(kube)?;
    let force = kube.flags().on("force");
    let manager = kube.field_manager();
    let mut failures = Vec::new();
    for target in targets {
        let object = if kube.flags().on("save-config") {
            with_last_applied(&target.object)
        } else {
            keep_annotation(kube, &target)
        };
        let source = target.source.as_deref();
        if dry_run == DryRun::Client {
            done(kube, &target.kind, &object, "replaced", dry_run)?;
            continue;
        }
        let query = [
            ("fieldManager", manager.as_str()),
            ("fieldValidation", field_validation(kube)),
            ("dryRun", dry_run.query()),
        ];
        let outcome = if force {
            match kube.delete(
                &target.path(),
                &json!({"propagationPolicy": "Background", "gracePeriodSeconds": 0}),
            ) {
                Err(failure) if !failure.is_not_found() => Err(failure),
                _ => {
                    kube.out(&format!("{} {:?} deleted\n", target.kind.prefix(), target.name));
                    kube.post(
                        &with_query(&target.kind.collection(Some(&target.namespace)), &query),
                        &object,
                    )
                }
            }
        } else {
            kube.put(&with_query(&target.path(), &query), &object)
        };
        match outcome {
            Ok(replaced) => done(kube, &target.kind, &replaced, "replaced", dry_run)?,
            Err(failure) => failures.push(failure.with_source("replacing", source)),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

/// Replaces the last-applied annotation only where the manifest carries one.
fn keep_annotation(_: &Kube, target: &Target) -> Value {
    if target.object["metadata"]["annotations"]
        .get(super::apply::LAST_APPLIED)
        .is_some()
    {
        with_last_applied(&target.object)
    } else {
        target.object.clone()
    }
}

pub fn scale(kube: &mut Kube) -> Result<Next> {
    if !kube.flags().changed("replicas") {
        return message("required flag(s) \"replicas\" not set");
    }
    let replicas = kube.flags().int("replicas");
    if replicas < 0 {
        return message(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        );
    }
    let dry_run = DryRun::of(kube)?;
    let args = kube.call.args.clone();
    let (targets, mut failures) = live(kube, &args)?;
    if targets.is_empty() && failures.len() == 1 {
        return message(format!("no objects passed to scale {}", failures[0].text()));
    }
    let current = kube.flags().int("current-replicas");
    let version = kube.flags().text("resource-version").to_owned();
    for target in targets {
        if dry_run == DryRun::Client {
            done(kube, &target.kind, &target.object, "scaled", dry_run)?;
            continue;
        }
        let path = format!("{}/scale", target.path());
        let outcome = if current >= 0 || !version.is_empty() {
            precise_scale(kube, &path, replicas, current, &version, dry_run)
        } else {
            kube.patch(
                &with_query(&path, &[("dryRun", dry_run.query())]),
                MERGE,
                &json!({"spec": {"replicas": replicas}}),
            )
        };
        match outcome {
            Ok(_) => {
                let shown = if Format::of(kube)?.is_some() {
                    kube.get(&target.path())?
                } else {
                    target.object.clone()
                };
                done(kube, &target.kind, &shown, "scaled", dry_run)?;
            }
            Err(failure) => failures.push(failure),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

fn precise_scale(
    kube: &mut Kube,
    path: &str,
    replicas: i64,
    current: i64,
    version: &str,
    dry_run: DryRun,
) -> Result<Value> {
    let mut scale = kube.get(path)?;
    let now = int(&scale, "/spec/replicas").unwrap_or(0);
    if current >= 0 && now != current {
        return message(format!("Expected replicas to be {current}, was {now}"));
    }
    let is = text(&scale, "/metadata/resourceVersion");
    if !version.is_empty() && is != version {
        return message(format!("Expected resource version to be {version}, was {is}"));
    }
    scale["spec"]["replicas"] = replicas.into();
    kube.put(&with_query(path, &[("dryRun", dry_run.query())]), &scale)
}

/// The Pod spec inside an object that has a template, and its pointer.
fn pod_spec(target: &Target) -> Option<&'static str> {
    Some(match target.kind.kind.as_str() {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicationController" => {
            "/spec/template/spec"
        }
        _ => return None,
    })
}

/// Changes objects by a function and patches what differs.
fn set(
    kube: &mut Kube,
    names: &[String],
    word: &str,
    change: &dyn Fn(&mut Value, &Target) -> Result<()>,
) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    if names.is_empty() && kube.flags().list("filename").is_empty() {
        return message(MISSING);
    }
    let (targets, mut failures) = live(kube, names)?;
    for target in targets {
        let mut changed = target.object.clone();
        if let Err(failure) = change(&mut changed, &target) {
            failures.push(failure);
            continue;
        }
        let body = patch::two_way(&target.object, &changed);
        if body == json!({}) {
            continue;
        }
        if dry_run == DryRun::Client || kube.flags().on("local") {
            done(kube, &target.kind, &changed, word, dry_run)?;
            continue;
        }
        let path = with_query(
            &target.path(),
            &[("fieldManager", "kubectl-set"), ("dryRun", dry_run.query())],
        );
        match kube.patch(&path, STRATEGIC, &body) {
            Ok(patched) => done(kube, &target.kind, &patched, word, dry_run)?,
            Err(failure) => failures.push(failure.wrapped("failed to patch update to pod template: ")),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

/// Runs a change over the containers that `--containers` names.
fn each_container(
    object: &mut Value,
    target: &Target,
    names: &str,
    change: &mut dyn FnMut(&mut Value),
) -> Result<usize> {
    let Some(pointer) = pod_spec(target) else {
        return message(format!(
            "{}/{} the object is not a pod or does not have a pod template: {}",
            target.kind.plural, target.name, target.kind.kind
        ));
    };
    let mut count = 0;
    for field in ["initContainers", "containers"] {
        let Some(containers) = object
            .pointer_mut(&format!("{pointer}/{field}"))
            .and_then(Value::as_array_mut)
        else {
            continue;
        };
        for container in containers {
            let name = container["name"].as_str().unwrap_or("");
            let hit =
                names == "*" || names == name || names.strip_suffix('*').is_some_and(|p| name.starts_with(p));
            if hit {
                count += 1;
                change(container);
            }
        }
    }
    Ok(count)
}

pub fn set_image(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let (names, images): (Vec<String>, Vec<String>) = args.into_iter().partition(|a| !a.contains('='));
    if names.is_empty() && kube.flags().list("filename").is_empty() {
        return message(MISSING);
    }
    if images.is_empty() {
        return message("at least one image update is required");
    }
    set(kube, &names, "image updated", &|object, target| {
        for image in &images {
            let (name, image) = image.split_once('=').unwrap_or((image, ""));
            let found = each_container(object, target, name, &mut |c| c["image"] = image.into())?;
            if found == 0 {
                return message(format!("unable to find container named {name:?}"));
            }
        }
        Ok(())
    })
}

/// Where a variable's value comes from, in words.
fn env_source(source: &Value) -> String {
    if let Some(field) = source.get("fieldRef") {
        return format!("field path {}", text(field, "/fieldPath"));
    }
    if let Some(resource) = source.get("resourceFieldRef") {
        return format!("resource field {}", text(resource, "/resource"));
    }
    let (kind, key) = if source.get("secretKeyRef").is_some() {
        ("secret", &source["secretKeyRef"])
    } else {
        ("configmap", &source["configMapKeyRef"])
    };
    format!("{kind} {}, key {}", text(key, "/name"), text(key, "/key"))
}

pub fn set_env(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let (names, mut changes): (Vec<String>, Vec<String>) = args
        .into_iter()
        .partition(|a| !a.contains('=') && !a.ends_with('-'));
    changes.extend(kube.flags().list("env"));
    let containers = kube.flags().text("containers").to_owned();
    if kube.flags().on("list") {
        let (targets, failures) = live(kube, &names)?;
        fail_with(failures)?;
        for target in targets {
            let pointer = pod_spec(&target).unwrap_or("/spec");
            let mut text_out = String::new();
            for container in list(&target.object, &format!("{pointer}/containers")) {
                text_out.push_str(&format!(
                    "# {} {}, container {}\n",
                    target.kind.kind,
                    target.name,
                    text(container, "/name")
                ));
                for env in list(container, "/env") {
                    match env.get("value") {
                        Some(value) => text_out.push_str(&format!(
                            "{}={}\n",
                            text(env, "/name"),
                            value.as_str().unwrap_or("")
                        )),
                        None => text_out.push_str(&format!(
                            "# {} from {}\n",
                            text(env, "/name"),
                            env_source(&env["valueFrom"])
                        )),
                    }
                }
            }
            kube.out(&text_out);
        }
        return Ok(Next::Done);
    }
    if changes.is_empty() {
        return message("at least one environment variable must be provided");
    }
    set(kube, &names, "env updated", &|object, target| {
        let found = each_container(object, target, &containers, &mut |container| {
            let mut env = container["env"].as_array().cloned().unwrap_or_default();
            for change in &changes {
                match change.split_once('=') {
                    Some((key, value)) => match env.iter_mut().find(|e| text(e, "/name") == key) {
                        Some(entry) => *entry = json!({"name": key, "value": value}),
                        None => env.push(json!({"name": key, "value": value})),
                    },
                    None => env.retain(|e| text(e, "/name") != &change[..change.len() - 1]),
                }
            }
            if env.is_empty() {
                container.as_object_mut().map(|c| c.remove("env"));
            } else {
                container["env"] = env.into();
            }
        })?;
        if found == 0 {
            message(format!(
                "{}/{} does not have any containers matching {containers:?}",
                target.kind.plural, target.name
            ))
        } else {
            Ok(())
        }
    })
}

pub fn set_resources(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let (limits, requests) = (
        pairs(kube.flags().text("limits"), "limits")?,
        pairs(kube.flags().text("requests"), "requests")?,
    );
    if limits.is_empty() && requests.is_empty() {
        return message(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        );
    }
    let containers = kube.flags().text("containers").to_owned();
    set(kube, &args, "resource requirements updated", &|object, target| {
        let found = each_container(object, target, &containers, &mut |container| {
            for (field, values) in [("limits", &limits), ("requests", &requests)] {
                for (key, value) in values {
                    container["resources"][field][key] = value.clone();
                }
            }
        })?;
        if found == 0 {
            message(format!("unable to find container named {containers}"))
        } else {
            Ok(())
        }
    })
}

pub fn set_service_account(kube: &mut Kube) -> Result<Next> {
    let mut args = kube.call.args.clone();
    let Some(account) = args.pop().filter(|_| !args.is_empty()) else {
        return message("serviceaccount is required");
    };
    set(kube, &args, "serviceaccount updated", &|object, target| {
        let Some(spec) = pod_spec(target).and_then(|p| object.pointer_mut(p)) else {
            return message("the object has no pod template");
        };
        spec["serviceAccountName"] = account.clone().into();
        Ok(())
    })
}

pub fn set_selector(kube: &mut Kube) -> Result<Next> {
    let mut args = kube.call.args.clone();
    let Some(selector) = args.pop().filter(|_| !args.is_empty()) else {
        return message("one resource and one selector is required");
    };
    let wanted = pairs(&selector, "selector")?;
    set(kube, &args, "selector updated", &|object, target| {
        let place = if target.kind.group.is_empty() {
            "/spec"
        } else {
            "/spec/selector"
        };
        match object.pointer_mut(place) {
            Some(spec) if target.kind.group.is_empty() => spec["selector"] = wanted.clone().into(),
            Some(selector) => selector["matchLabels"] = wanted.clone().into(),
            None => {}
        }
        Ok(())
    })
}

/// The kind of a binding for `set subject`, kept here as it works on two kinds alike.
pub fn set_subject(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let (users, groups, accounts) = (
        kube.flags().list("user"),
        kube.flags().list("group"),
        kube.flags().list("serviceaccount"),
    );
    if users.is_empty() && groups.is_empty() && accounts.is_empty() {
        return message("you must specify at least one value of user, group or serviceaccount");
    }
    let group = known(Kind::Role).group.clone();
    set(kube, &args, "subjects updated", &|object, _| {
        let mut subjects = object["subjects"].as_array().cloned().unwrap_or_default();
        let mut wanted: Vec<Value> = users
            .iter()
            .map(|u| json!({"apiGroup": group, "kind": "User", "name": u}))
            .collect();
        wanted.extend(
            groups
                .iter()
                .map(|g| json!({"apiGroup": group, "kind": "Group", "name": g})),
        );
        for account in &accounts {
            let Some((namespace, name)) = account.split_once(':') else {
                return message("serviceaccount must be <namespace>:<name>");
            };
            wanted.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
        }
        subjects.extend(
            wanted
                .into_iter()
                .filter(|w| !object["subjects"].as_array().is_some_and(|s| s.contains(w))),
        );
        object["subjects"] = subjects.into();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Fake;
    use super::*;

    fn deploy() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default", "resourceVersion": "1", "labels": {"tier": "front"}},
            "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.26"}]}}}})
    }

    const PATH: &str = "/apis/apps/v1/namespaces/default/deployments/web";

    fn fake() -> Fake {
        Fake::default()
            .on(&format!("GET {PATH}"), 200, deploy())
            .on(
                &format!("PATCH {PATH}"),
                200,
                json!({"metadata": {"name": "web", "resourceVersion": "2"}}),
            )
            .on(&format!("PATCH {PATH}/scale"), 200, json!({}))
            .on(
                &format!("GET {PATH}/scale"),
                200,
                json!({"spec": {"replicas": 5}}),
            )
    }

    #[test]
    fn labels() {
        let mut fake = fake();
        assert_eq!(
            fake.run("kubectl label deploy web tier=back").1,
            "error: 'tier' already has a value (front), and --overwrite is false\n"
        );
        assert_eq!(
            fake.run("kubectl label deploy web tier=back --overwrite").0,
            "deployment.apps/web labeled\n"
        );
        assert_eq!(fake.body(), json!({"metadata": {"labels": {"tier": "back"}}}));
        assert_eq!(
            fake.run("kubectl label deploy web tier-").0,
            "deployment.apps/web unlabeled\n"
        );
        assert_eq!(
            fake.run("kubectl label deploy/web tier=front").0,
            "deployment.apps/web not labeled\n"
        );
        assert_eq!(
            fake.run("kubectl label deploy web x-").0,
            "label \"x\" not found.\ndeployment.apps/web not labeled\n"
        );
        assert_eq!(
            fake.run("kubectl label pod x").1,
            "error: at least one label update is required\n"
        );
        assert_eq!(
            fake.run("kubectl annotate deploy web note=hi").0,
            "deployment.apps/web annotated\n"
        );
    }

    #[test]
    fn images_and_scales() {
        let mut fake = fake();
        assert_eq!(
            fake.run("kubectl set image deploy/web web=nginx:1.27").0,
            "deployment.apps/web image updated\n"
        );
        assert_eq!(
            fake.body(),
            json!({"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "web"}], "containers": [{"image": "nginx:1.27", "name": "web"}]}}}})
        );
        assert_eq!(
            fake.run("kubectl set image deploy/web x=y").1,
            "error: unable to find container named \"x\"\n"
        );
        assert_eq!(
            fake.run("kubectl scale deploy web --replicas=5").0,
            "deployment.apps/web scaled\n"
        );
        assert_eq!(fake.body(), json!({"spec": {"replicas": 5}}));
        assert_eq!(
            fake.run("kubectl scale deploy web --current-replicas=9 --replicas=2")
                .1,
            "error: Expected replicas to be 9, was 5\n"
        );
        assert_eq!(
            fake.run("kubectl scale deploy web").1,
            "error: required flag(s) \"replicas\" not set\n"
        );
        assert_eq!(
            fake.run("kubectl patch deploy web -p '{\"a\":1}'").0,
            "deployment.apps/web patched\n"
        );
        assert_eq!(
            fake.run("kubectl patch pod x").1,
            "error: must specify --patch or --patch-file containing the contents of the patch\n"
        );
    }

    #[test]
    fn nodes() {
        let mut fake = Fake::default().on("GET /api/v1/nodes/n", 200, json!({"metadata": {"name": "n"}, "spec": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}})).on("PATCH /api/v1/nodes/n", 200, json!({"metadata": {"name": "n"}}));
        assert_eq!(fake.run("kubectl cordon n").0, "node/n cordoned\n");
        assert_eq!(fake.body(), json!({"spec": {"unschedulable": true}}));
        assert_eq!(fake.run("kubectl uncordon n").0, "node/n already uncordoned\n");
        assert_eq!(fake.run("kubectl taint node n k-").0, "node/n untainted\n");
        assert_eq!(fake.body(), json!({"spec": {"taints": null}}));
        assert_eq!(
            fake.run("kubectl taint node n k=w:NoSchedule").1,
            "error: node n already has k taint(s) with same effect(s) and --overwrite is false\n"
        );
        assert_eq!(
            fake.run("kubectl taint node n q-").1,
            "error: taint \"q\" not found\n"
        );
        assert_eq!(
            fake.run("kubectl cordon").1,
            "error: USAGE: cordon NODE [flags]\nSee 'kubectl cordon -h' for help and examples\n"
        );
    }
}
