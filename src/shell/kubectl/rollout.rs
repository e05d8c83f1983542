//! `rollout status|history|undo|restart|pause|resume`.
//!
//! Source: k8s.io/kubectl/pkg/polymorphichelpers.

use super::super::print::TabWriter;
use super::super::transport::Transport;
use super::describe::template::pod_template;
use super::failure::{Failure, Result, message};
use super::follow::Follow;
use super::kube::{JSON_PATCH, Kube, Next, STRATEGIC, Step, Task, int, list, text, with_query};
use super::output::{DryRun, Format, done};
use super::resource::{Target, fail_with, known, list_pages, live_or_all};
use crate::api::Kind;
use crate::api::civil;
use crate::api::order::StableSort;
use crate::sim::SimTime;
use serde_json::{Value, json};

const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

fn targets(kube: &mut Kube) -> Result<Vec<Target>> {
    let args = kube.call.args.clone();
    if args.is_empty() && kube.flags().list("filename").is_empty() && kube.flags().text("selector").is_empty()
    {
        return message("required resource not specified");
    }
    let (targets, failures) = live_or_all(kube, &args, true)?;
    fail_with(failures)?;
    if targets.is_empty() {
        return message("no matching resources found");
    }
    Ok(targets)
}

pub fn status(kube: &mut Kube) -> Result<Next> {
    let targets = targets(kube)?;
    if targets.len() > 1 && kube.flags().text("selector").is_empty() {
        return message("rollout status is only supported on individual resources and resource collections - 2 resources were found".replace('2', &targets.len().to_string()));
    }
    let timeout = kube.flags().duration("timeout");
    let until = (!timeout.is_zero()).then(|| kube.now() + timeout);
    Ok(Next::Task(Box::new(Status {
        targets,
        follow: None,
        until,
    })))
}

struct Status {
    targets: Vec<Target>,
    follow: Option<Follow>,
    until: Option<SimTime>,
}

impl Task for Status {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        while let Some(target) = self.targets.first() {
            let revision = kube.flags().int("revision");
            if self.follow.is_none() {
                let follow = Follow::open(kube, &target.kind, &target.namespace, &target.name)?;
                let first = follow.object.clone();
                self.follow = Some(follow);
                if self.report(kube, first, revision)? {
                    continue;
                }
            }
            let Some(follow) = &mut self.follow else { continue };
            match follow.next(kube)? {
                Some(state) => {
                    self.report(kube, state, revision)?;
                }
                None if follow.ended => return message("watch closed before the rollout was done"),
                None if self.until.is_some_and(|until| kube.now() >= until) => {
                    return message("timed out waiting for the condition");
                }
                None => return Ok(Step::Wait(self.until)),
            }
        }
        Ok(Step::Done)
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        if let Some(follow) = &mut self.follow {
            follow.close(transport);
        }
    }
}

impl Status {
    /// Prints how far it is; true when that target is done with.
    fn report(&mut self, kube: &mut Kube, state: Option<Value>, revision: i64) -> Result<bool> {
        let Some(object) = state else {
            return message("object has been deleted");
        };
        let (line, is_done) = progress(&object, &self.targets[0].name, revision)?;
        kube.out(&line);
        let is_done = is_done || !kube.flags().on("watch");
        if is_done {
            if let Some(mut follow) = self.follow.take() {
                follow.close(kube.io.transport);
            }
            self.targets.remove(0);
        }
        Ok(is_done)
    }
}

/// The line about an object's rollout, and whether it is complete.
fn progress(object: &Value, name: &str, revision: i64) -> Result<(String, bool)> {
    let number = |pointer: &str| int(object, pointer).unwrap_or(0);
    let observed = number("/metadata/generation") <= number("/status/observedGeneration");
    Ok(match text(object, "/kind") {
        "Deployment" => {
            if revision > 0 {
                let running: i64 = object["metadata"]["annotations"][REVISION]
                    .as_str()
                    .unwrap_or("0")
                    .parse()
                    .unwrap_or(0);
                if running != revision {
                    return message(format!(
                        "desired revision ({revision}) is different from the running revision ({running})"
                    ));
                }
            }
            if !observed {
                return Ok((
                    "Waiting for deployment spec update to be observed...\n".to_owned(),
                    false,
                ));
            }
            let exceeded = list(object, "/status/conditions")
                .iter()
                .any(|c| c["type"] == "Progressing" && c["reason"] == "ProgressDeadlineExceeded");
            if exceeded {
                return message(format!("deployment {name:?} exceeded its progress deadline"));
            }
            let (wanted, all) = (
                int(object, "/spec/replicas").unwrap_or(1),
                number("/status/replicas"),
            );
            let (updated, available) = (
                number("/status/updatedReplicas"),
                number("/status/availableReplicas"),
            );
            let waiting = |what: String| {
                (
                    format!("Waiting for deployment {name:?} rollout to finish: {what}...\n"),
                    false,
                )
            };
            if updated < wanted {
                waiting(format!(
                    "{updated} out of {wanted} new replicas have been updated"
                ))
            } else if all > updated {
                waiting(format!("{} old replicas are pending termination", all - updated))
            } else if available < updated {
                waiting(format!("{available} of {updated} updated replicas are available"))
            } else {
                (format!("deployment {name:?} successfully rolled out\n"), true)
            }
        }
        kind @ ("DaemonSet" | "StatefulSet")
            if text(object, "/spec/updateStrategy/type") != "RollingUpdate" =>
        {
            let _ = kind;
            return message("rollout status is only available for RollingUpdate strategy type");
        }
        "DaemonSet" => {
            let (wanted, updated, available) = (
                number("/status/desiredNumberScheduled"),
                number("/status/updatedNumberScheduled"),
                number("/status/numberAvailable"),
            );
            if !observed {
                (
                    "Waiting for daemon set spec update to be observed...\n".to_owned(),
                    false,
                )
            } else if updated < wanted {
                (
                    format!(
                        "Waiting for daemon set {name:?} rollout to finish: {updated} out of {wanted} new pods have been updated...\n"
                    ),
                    false,
                )
            } else if available < wanted {
                (
                    format!(
                        "Waiting for daemon set {name:?} rollout to finish: {available} of {wanted} updated pods are available...\n"
                    ),
                    false,
                )
            } else {
                (format!("daemon set {name:?} successfully rolled out\n"), true)
            }
        }
        "StatefulSet" => {
            let (wanted, ready, updated) = (
                int(object, "/spec/replicas").unwrap_or(1),
                number("/status/readyReplicas"),
                number("/status/updatedReplicas"),
            );
            let partition = int(object, "/spec/updateStrategy/rollingUpdate/partition");
            if number("/status/observedGeneration") == 0 || !observed {
                (
                    "Waiting for statefulset spec update to be observed...\n".to_owned(),
                    false,
                )
            } else if ready < wanted {
                (
                    format!("Waiting for {} pods to be ready...\n", wanted - ready),
                    false,
                )
            } else if let Some(partition) = partition {
                if updated < wanted - partition {
                    (
                        format!(
                            "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...\n",
                            wanted - partition
                        ),
                        false,
                    )
                } else {
                    (
                        format!("partitioned roll out complete: {updated} new pods have been updated...\n"),
                        true,
                    )
                }
            } else if text(object, "/status/updateRevision") != text(object, "/status/currentRevision") {
                (
                    format!(
                        "waiting for statefulset rolling update to complete {updated} pods at revision {}...\n",
                        text(object, "/status/updateRevision")
                    ),
                    false,
                )
            } else {
                (
                    format!(
                        "statefulset rolling update complete {} pods at revision {}...\n",
                        number("/status/currentReplicas"),
                        text(object, "/status/currentRevision")
                    ),
                    true,
                )
            }
        }
        other => return message(format!("no status viewer has been implemented for {other}")),
    })
}

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

/// Whether an object has rollouts.
fn rolls(target: &Target) -> bool {
    [Kind::Deployment, Kind::DaemonSet, Kind::StatefulSet]
        .iter()
        .any(|kind| target.kind.is(*kind))
}

/// A revision of an object: its number, change cause, template, and the object that keeps it.
type Revision = (i64, String, Value, Value);

/// Revisions of an object, oldest first.
fn revisions(kube: &mut Kube, target: &Target) -> Result<Vec<Revision>> {
    let uid = text(&target.object, "/metadata/uid").to_owned();
    let kind = match target.kind.kind.as_str() {
        "Deployment" => Kind::ReplicaSet,
        "DaemonSet" | "StatefulSet" => Kind::ControllerRevision,
        _ => return none_for(target, "history viewer", "history"),
    };
    let selector = super::describe::selector_text(&target.object["spec"]["selector"]);
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
        let mut object = if target.kind.is(Kind::Deployment) {
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
        for field in ["initContainers", "containers"] {
            let containers = object.pointer_mut(&format!("/spec/template/spec/{field}"));
            for container in containers.and_then(Value::as_array_mut).into_iter().flatten() {
                if container.get("resources").is_none() {
                    container["resources"] = json!({});
                }
            }
        }
        if object["spec"]["template"]["metadata"].is_object() {
            object["spec"]["template"]["metadata"]["creationTimestamp"] = Value::Null;
        }
        format.print(kube, &object)?;
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
            for (key, value) in super::kube::map(&target.object, "/metadata/annotations") {
                if OWN.contains(&key) {
                    annotations[key] = value.into();
                }
            }
            for (key, value) in super::kube::map(holder, "/metadata/annotations") {
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

fn change(kube: &mut Kube, word: &str, body: &dyn Fn(&Target) -> Result<Value>) -> Result<Next> {
    let mut failures = Vec::new();
    for target in targets(kube)? {
        let manager = kube.field_manager();
        let path = with_query(&target.path(), &[("fieldManager", &manager)]);
        match body(&target).and_then(|body| kube.patch(&path, STRATEGIC, &body)) {
            Ok(patched) => done(kube, &target.kind, &patched, word, DryRun::None)?,
            Err(failure) => failures.push(failure),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

pub fn restart(kube: &mut Kube) -> Result<Next> {
    let now = civil::seconds(kube.now().timestamp());
    change(kube, "restarted", &|target| {
        if !rolls(target) {
            return message(format!(
                "{} {:?} restarting is not supported",
                target.kind.qualified(),
                target.name
            ));
        }
        if target.object["spec"]["paused"] == true {
            return message("can't restart paused deployment (run rollout resume first)");
        }
        Ok(
            json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": now}}}}}),
        )
    })
}

pub fn pause(kube: &mut Kube) -> Result<Next> {
    set_paused(kube, true)
}

pub fn resume(kube: &mut Kube) -> Result<Next> {
    set_paused(kube, false)
}

fn set_paused(kube: &mut Kube, paused: bool) -> Result<Next> {
    change(kube, if paused { "paused" } else { "resumed" }, &|target| {
        if !target.kind.is(Kind::Deployment) {
            return Err(Failure::Message(format!(
                "{} {:?} {} is not supported",
                target.kind.qualified(),
                target.name,
                if paused { "pausing" } else { "resuming" }
            )));
        }
        if (target.object["spec"]["paused"] == true) == paused {
            let how = if paused { "already" } else { "not" };
            return message(format!(
                "{} {:?} is {how} paused",
                target.kind.qualified(),
                target.name
            ));
        }
        Ok(json!({"spec": {"paused": if paused { true.into() } else { Value::Null }}}))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::process::Process;
    use super::super::super::program::{Progress, Session};
    use super::super::super::testing::Fake;
    use super::super::super::transport::Chunk;
    use super::*;

    const PATH: &str = "/apis/apps/v1/namespaces/default/deployments";

    fn deploy(updated: i64, all: i64, available: i64) -> Value {
        json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web", "namespace": "default", "generation": 2, "uid": "u"},
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}}, "status": {"observedGeneration": 2, "updatedReplicas": updated, "replicas": all, "availableReplicas": available}})
    }

    #[test]
    fn status_follows() {
        let mut fake = Fake::default()
            .on(&format!("GET {PATH}/web"), 200, deploy(1, 3, 3))
            .on(&format!("GET {PATH}"), 200, json!({"items": [deploy(1, 3, 3)]}));
        let mut session = Session::default();
        let mut process = Process::new("kubectl rollout status deploy/web");
        assert!(matches!(
            process.poll(&mut session, &mut fake),
            Progress::Waiting { .. }
        ));
        for state in [deploy(3, 4, 3), deploy(3, 3, 2), deploy(3, 3, 3)] {
            fake.events.push_back(Chunk::Data(
                json!({"type": "MODIFIED", "object": state}).to_string(),
            ));
        }
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(0));
        assert_eq!(
            process.output.stdout(),
            "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have been updated...\nWaiting for deployment \"web\" rollout to finish: 1 old replicas are pending termination...\nWaiting for deployment \"web\" rollout to finish: 2 of 3 updated replicas are available...\ndeployment \"web\" successfully rolled out\n"
        );
    }

    #[test]
    fn history_and_undo() {
        let rs = |revision: &str, image: &str| json!({"metadata": {"name": revision, "ownerReferences": [{"uid": "u"}], "annotations": {REVISION: revision}}, "spec": {"template": {"metadata": {"labels": {"app": "web", "pod-template-hash": "x"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}});
        let mut fake = Fake::default()
            .on(&format!("GET {PATH}/web"), 200, deploy(3, 3, 3))
            .on(&format!("PATCH {PATH}/web"), 200, deploy(3, 3, 3))
            .on(
                "GET /apis/apps/v1/namespaces/default/replicasets",
                200,
                json!({"items": [rs("2", "b"), rs("1", "a")]}),
            );
        assert_eq!(
            fake.run("kubectl rollout history deploy/web").0,
            "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n"
        );
        assert_eq!(
            fake.run("kubectl rollout undo deploy/web").0,
            "deployment.apps/web rolled back\n"
        );
        assert_eq!(
            fake.body()[0]["value"],
            json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "a"}]}})
        );
        assert_eq!(
            fake.run("kubectl rollout undo deploy/web --to-revision=9").1,
            "error: unable to find specified revision 9 in history\n"
        );
        assert_eq!(
            fake.run("kubectl rollout pause deploy/web").0,
            "deployment.apps/web paused\n"
        );
        assert_eq!(
            fake.run("kubectl rollout resume deploy/web").1,
            "error: deployments.apps \"web\" is not paused\n"
        );
        assert_eq!(
            fake.run("kubectl rollout foo").1,
            "error: unknown command \"foo\"\nSee 'kubectl rollout -h' for help and examples\n"
        );
        assert_eq!(
            fake.run("kubectl rollout status").1,
            "error: required resource not specified\n"
        );
    }
}
