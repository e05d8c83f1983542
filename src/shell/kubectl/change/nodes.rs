//! `taint`, `cordon`, `uncordon`.

use super::super::failure::{Failure, Result, message};
use super::super::kube::{Kube, Next, STRATEGIC, list, text, with_query};
use super::super::output::{DryRun, done, made};
use super::super::resource::{Target, fail_with, live};
use crate::api::Kind;
use crate::api::validation::content;
use serde_json::{Value, json};

/// `key=value:Effect`
struct Taint {
    key: String,
    value: String,
    effect: String,
}

/// Reads a taint that is added, or one that is removed: its effect, and then its key alone, may be left out.
/// Source: k8s.io/kubectl/pkg/cmd/taint/utils.go, `parseTaint`.
fn read_taint(text: &str) -> Result<Taint> {
    let usage = |why: String| Failure::Usage(why, "taint");
    let bad = || usage(format!("invalid taint spec: {text}"));
    let because =
        |complaints: Vec<String>| usage(format!("invalid taint spec: {text}, {}", complaints.join("; ")));
    let parts: Vec<&str> = text.split(':').collect();
    let (key, value, effect) = match parts[..] {
        [key] => (key, "", ""),
        [pair, effect] => {
            if !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
                return Err(usage(format!(
                    "invalid taint effect: {effect}, unsupported taint effect"
                )));
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if value.contains('=') {
                return Err(bad());
            }
            let complaints = content::label_value(value);
            if !complaints.is_empty() {
                return Err(because(complaints));
            }
            (key, value, effect)
        }
        _ => return Err(bad()),
    };
    let complaints = content::qualified_name(key);
    if !complaints.is_empty() {
        return Err(because(complaints));
    }
    Ok(Taint {
        key: key.to_owned(),
        value: value.to_owned(),
        effect: effect.to_owned(),
    })
}

pub fn taint(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let first = args
        .iter()
        .position(|a| a.contains('=') || a.contains(':') || a.ends_with('-'))
        .unwrap_or(args.len());
    let (names, changes) = args.split_at(first);
    if let Some(slashed) = names.iter().find(|name| name.contains('/')) {
        return Err(Failure::Plain(format!(
            "the server doesn't have a resource type {slashed:?}"
        )));
    }
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
                let taint = read_taint(gone)?;
                remove.push((taint.key, taint.effect));
            }
            None => {
                let taint = read_taint(change)?;
                if taint.effect.is_empty() {
                    return Err(Failure::Usage(format!("invalid taint spec: {change}"), "taint"));
                }
                add.push(taint);
            }
        }
    }
    for (i, taint) in add.iter().enumerate() {
        if add[..i]
            .iter()
            .any(|t| t.key == taint.key && t.effect == taint.effect)
        {
            return Err(Failure::Usage(
                format!(
                    "duplicated taints with the same key and effect: {{{} {} {} <nil>}}",
                    taint.key, taint.value, taint.effect
                ),
                "taint",
            ));
        }
    }
    let both: Vec<String> = remove
        .iter()
        .filter(|(key, effect)| {
            add.iter()
                .any(|t| *key == t.key && (effect.is_empty() || *effect == t.effect))
        })
        .map(|(key, effect)| format!("{key}={effect}"))
        .collect();
    if !both.is_empty() {
        return message(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            both.join(", ")
        ));
    }
    let overwrite = kube.flags().on("overwrite");
    let (targets, mut failures) = live(kube, names)?;
    for target in targets {
        if !target.kind.is(Kind::Node) {
            return message(format!(
                "invalid resource type {}, only node types are supported",
                target.kind.singular
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
            let mut object = target.object.clone();
            json_patch::merge(&mut object, &body);
            done(kube, &target.kind, &object, word, DryRun::None)?;
            continue;
        }
        let path = with_query(
            &target.path(),
            &[("fieldManager", "kubectl-taint"), ("dryRun", dry_run.query())],
        );
        match kube.patch(&path, STRATEGIC, &body) {
            // A dry run is not mentioned here.
            Ok(patched) => made(kube, &target.kind, &patched, word, DryRun::None)?,
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
