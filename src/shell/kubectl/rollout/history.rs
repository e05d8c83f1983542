//! `rollout history` and `rollout undo`: the revisions behind an object.

use super::super::super::print::TabWriter;
use super::super::describe::template::pod_template;
use super::super::failure::{Result, message};
use super::super::kube::{JSON_PATCH, Kube, Next, STRATEGIC, int, list, text, with_query};
use super::super::output::{DryRun, Format, done};
use super::super::resource::{Target, known, list_pages};
use super::{CHANGE_CAUSE, REVISION, rolls, targets};
use crate::api::Kind;
use crate::api::order::StableSort;
use serde_json::{Value, json};

/// A revision of an object: its number, change cause, template, and the object that keeps it.
type Revision = (i64, String, Value, Value);

/// That there is no such thing for an object's kind.
fn none_for<T>(target: &Target, what: &str, retrieved: &str) -> Result<T> {
    let title = target.kind.title();
    message(match target.kind.kind.as_str() {
        "ReplicaSet" | "ReplicationController" | "Pod" | "Job" | "CronJob" => {
            format!("no {what} has been implemented for {title:?}")
        }
        kind => format!(
            "error retrieving {retrieved} for {title:?}, no visitor method exists for {{{} {kind}}}",
            target.kind.group,
        ),
    })
}

/// Revisions of an object, oldest first.
fn revisions(kube: &mut Kube, target: &Target) -> Result<Vec<Revision>> {
    let uid = text(&target.object, "/metadata/uid").to_owned();
    let kind = match target.kind.kind.as_str() {
        "Deployment" => Kind::ReplicaSet,
        "DaemonSet" | "StatefulSet" => Kind::ControllerRevision,
        _ => return none_for(target, "history viewer", "history"),
    };
    let selector = super::super::describe::selector_text(&target.object["spec"]["selector"]);
    let path = with_query(
        &known(kind).collection(Some(&target.namespace)),
        &[("labelSelector", &selector)],
    );
    let mut found = Vec::new();
    for holder in list_pages(kube, &path)? {
        if !list(&holder, "/metadata/ownerReferences")
            .iter()
            .any(|o| text(o, "/uid") == uid)
        {
            continue;
        }
        let cause = holder["metadata"]["annotations"][CHANGE_CAUSE]
            .as_str()
            .unwrap_or("")
            .to_owned();
        let (revision, template) = match kind {
            Kind::ReplicaSet => (
                holder["metadata"]["annotations"][REVISION]
                    .as_str()
                    .unwrap_or("0")
                    .parse()
                    .unwrap_or(0),
                holder["spec"]["template"].clone(),
            ),
            _ => (
                int(&holder, "/revision").unwrap_or(0),
                holder["data"]["spec"]["template"].clone(),
            ),
        };
        found.push((revision, cause, template, holder));
    }
    found.stable_sort_by_key(|r| r.0);
    Ok(found)
}

pub fn history(kube: &mut Kube) -> Result<Next> {
    let wanted = kube.flags().int("revision");
    if wanted < 0 {
        return message(format!("revision must be a positive integer: {wanted}"));
    }
    for target in targets(kube)? {
        let found = revisions(kube, &target)?;
        if let Some(format) = Format::of(kube)? {
            print_revisions(kube, &format, &target, &found, wanted)?;
            continue;
        }
        let mut body = if wanted > 0 {
            match found.iter().find(|r| r.0 == wanted) {
                None => return message("unable to find the specified revision".to_string()),
                Some((_, cause, template, _)) => {
                    let mut template = template.clone();
                    if !cause.is_empty() {
                        template["metadata"]["annotations"][CHANGE_CAUSE] = cause.clone().into();
                    }
                    // Printed without column layout, as kubectl does.
                    pod_template(&template)
                }
            }
        } else if found.is_empty() {
            "No rollout history found.".to_owned()
        } else {
            let mut table = "REVISION\tCHANGE-CAUSE\n".to_owned();
            for (revision, cause, _, _) in &found {
                table.push_str(&format!(
                    "{revision}\t{}\n",
                    if cause.is_empty() { "<none>" } else { cause }
                ));
            }
            TabWriter::describe().format(&table)
        };
        let with = if wanted > 0 {
            format!("with revision #{wanted}")
        } else {
            String::new()
        };
        body.push('\n');
        kube.out(&format!("{} {with}\n{body}", target.label()));
    }
    Ok(Next::Done)
}

/// `-o`: the ReplicaSets, or the object as it was at each revision.
fn print_revisions(
    kube: &mut Kube,
    format: &Format,
    target: &Target,
    found: &[Revision],
    wanted: i64,
) -> Result<()> {
    let mut first = true;
    for (revision, _, template, holder) in found {
        if wanted > 0 && *revision != wanted {
            continue;
        }
        if !first && matches!(format, Format::Yaml) {
            kube.out("---\n");
        }
        first = false;
        let object = if target.kind.is(Kind::Deployment) {
            Target::of(&known(Kind::ReplicaSet), holder.clone()).object
        } else {
            let mut object = target.object.clone();
            let mut template = template.clone();
            if let Some(map) = template.as_object_mut() {
                map.remove("$patch");
            }
            object["spec"]["template"] = template;
            object
        };
        format.print_typed(kube, &object)?;
    }
    if first && wanted > 0 {
        return message("unable to find the specified revision");
    }
    Ok(())
}

pub fn undo(kube: &mut Kube) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let wanted = kube.flags().int("to-revision");
    for target in targets(kube)? {
        let name = target.name.clone();
        if target.object["spec"]["paused"] == true {
            return message("you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again".to_string());
        }
        if !rolls(&target) {
            return none_for(&target, "rollbacker", "rollbacker");
        }
        let found = revisions(kube, &target)?;
        let chosen = if wanted > 0 {
            found.iter().find(|r| r.0 == wanted)
        } else {
            found.len().checked_sub(2).and_then(|i| found.get(i))
        };
        let Some((revision, _, template, holder)) = chosen else {
            return match wanted {
                0 if !target.kind.is(Kind::Deployment) => message("no last revision to roll back to"),
                0 => message(format!("no rollout history found for deployment {name:?}")),
                _ => message(format!("unable to find specified revision {wanted} in history")),
            };
        };
        if dry_run == DryRun::Client {
            let will = if !target.kind.is(Kind::Deployment) {
                "will roll back to "
            } else {
                ""
            };
            let text = format!("{will}{}", pod_template(template));
            done(kube, &target.kind, &target.object, &text, dry_run)?;
            continue;
        }
        let mut template = template.clone();
        if let Some(labels) = template
            .pointer_mut("/metadata/labels")
            .and_then(Value::as_object_mut)
        {
            labels.remove("pod-template-hash");
        }
        let current = &target.object["spec"]["template"];
        if *current == template {
            done(
                kube,
                &target.kind,
                &target.object,
                &format!("skipped rollback (current template already matches revision {revision})"),
                dry_run,
            )?;
            continue;
        }
        let path = with_query(&target.path(), &[("dryRun", dry_run.query())]);
        let patched = if target.kind.is(Kind::Deployment) {
            // The deployment keeps its own bookkeeping annotations and takes over the others.
            const OWN: [&str; 5] = [
                "kubectl.kubernetes.io/last-applied-configuration",
                REVISION,
                "deployment.kubernetes.io/revision-history",
                "deployment.kubernetes.io/desired-replicas",
                "deployment.kubernetes.io/max-replicas",
            ];
            let mut annotations = json!({});
            for (key, value) in super::super::kube::map(&target.object, "/metadata/annotations") {
                if OWN.contains(&key) {
                    annotations[key] = value.into();
                }
            }
            for (key, value) in super::super::kube::map(holder, "/metadata/annotations") {
                if !OWN.contains(&key) {
                    annotations[key] = value.into();
                }
            }
            let body = json!([{"op": "replace", "path": "/spec/template", "value": template}, {"op": "replace", "path": "/metadata/annotations", "value": annotations}]);
            kube.patch(&path, JSON_PATCH, &body)?
        } else {
            kube.patch(&path, STRATEGIC, &holder["data"])?
        };
        done(kube, &target.kind, &patched, "rolled back", dry_run)?;
    }
    Ok(Next::Done)
}
