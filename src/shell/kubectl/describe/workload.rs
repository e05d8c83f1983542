//! `describe` of what makes Pods.

use super::super::super::print::times::{micros, rfc1123};
use super::super::failure::Result;
use super::super::kube::{Kube, int, list, map, text, with_query};
use super::super::resource::{known, list_pages};
use super::{Lines, controller, int_or_string, or, pairs_text, selected_pods, selector_text, template};
use crate::api::Kind;
use crate::api::duration::human_duration;
use crate::api::order::StableSort;
use serde_json::Value;

/// `3 Running / 0 Waiting / …` of the Pods that an object controls.
fn pods_status(kube: &mut Kube, object: &Value, out: &mut Lines) -> Result<()> {
    let selector = selector_text(&object["spec"]["selector"]);
    let uid = text(object, "/metadata/uid").to_owned();
    let pods = selected_pods(kube, object, &selector)?;
    let own = pods.iter().filter(|p| {
        list(p, "/metadata/ownerReferences")
            .iter()
            .any(|o| o["controller"] == true && text(o, "/uid") == uid)
    });
    let phases: Vec<&str> = own.map(|p| text(p, "/status/phase")).collect();
    let count = |phase: &str| phases.iter().filter(|p| **p == phase).count();
    out.line(
        0,
        format!(
            "Pods Status:\t{} Running / {} Waiting / {} Succeeded / {} Failed",
            count("Running"),
            count("Pending"),
            count("Succeeded"),
            count("Failed")
        ),
    );
    Ok(())
}

fn conditions(object: &Value, out: &mut Lines) {
    let all = list(object, "/status/conditions");
    if all.is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    out.line(1, "Type\tStatus\tReason");
    out.line(1, "----\t------\t------");
    all.iter().for_each(|c| {
        out.line(
            1,
            format!(
                "{} \t{}\t{}",
                text(c, "/type"),
                text(c, "/status"),
                text(c, "/reason")
            ),
        )
    });
}

pub fn deployment(kube: &mut Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) -> Result<()> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let number = |field: &str| int(status, field).unwrap_or(0);
    out.name(object);
    out.line(
        0,
        format!(
            "CreationTimestamp:\t{}",
            rfc1123(&object["metadata"]["creationTimestamp"])
        ),
    );
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    out.line(0, format!("Selector:\t{}", selector_text(&spec["selector"])));
    out.line(
        0,
        format!(
            "Replicas:\t{} desired | {} updated | {} total | {} available | {} unavailable",
            int(spec, "/replicas").unwrap_or(1),
            number("/updatedReplicas"),
            number("/replicas"),
            number("/availableReplicas"),
            number("/unavailableReplicas")
        ),
    );
    out.line(0, format!("StrategyType:\t{}", text(spec, "/strategy/type")));
    out.line(
        0,
        format!("MinReadySeconds:\t{}", int(spec, "/minReadySeconds").unwrap_or(0)),
    );
    if let Some(rolling) = spec["strategy"].get("rollingUpdate").filter(|r| r.is_object()) {
        out.line(
            0,
            format!(
                "RollingUpdateStrategy:\t{} max unavailable, {} max surge",
                int_or_string(&rolling["maxUnavailable"]),
                int_or_string(&rolling["maxSurge"])
            ),
        );
    }
    template::describe(out, &spec["template"]);
    conditions(object, out);
    let selector = selector_text(&spec["selector"]);
    let uid = text(object, "/metadata/uid");
    let path = with_query(
        &known(Kind::ReplicaSet).collection(Some(text(object, "/metadata/namespace"))),
        &[("labelSelector", &selector)],
    );
    let mut sets: Vec<Value> = list_pages(kube, &path)?;
    sets.retain(|rs| {
        list(rs, "/metadata/ownerReferences")
            .iter()
            .any(|o| o["controller"] == true && text(o, "/uid") == uid)
    });
    sets.stable_sort_by_key(|rs| {
        (
            text(rs, "/metadata/creationTimestamp").to_owned(),
            text(rs, "/metadata/name").to_owned(),
        )
    });
    let current = sets
        .iter()
        .position(|rs| same_template(&rs["spec"]["template"], &spec["template"]));
    let shown = |all: &[&Value]| -> String {
        let each: Vec<String> = all
            .iter()
            .map(|rs| {
                format!(
                    "{} ({}/{} replicas created)",
                    text(rs, "/metadata/name"),
                    int(rs, "/status/replicas").unwrap_or(0),
                    int(rs, "/spec/replicas").unwrap_or(1)
                )
            })
            .collect();
        or(&each.join(", "), "<none>").to_owned()
    };
    let old: Vec<&Value> = sets
        .iter()
        .enumerate()
        .filter(|(i, _)| Some(*i) != current)
        .map(|(_, rs)| rs)
        .collect();
    let new: Vec<&Value> = current.map(|i| &sets[i]).into_iter().collect();
    out.line(0, format!("OldReplicaSets:\t{}", shown(&old)));
    out.line(0, format!("NewReplicaSet:\t{}", shown(&new)));
    out.events(kube, events);
    Ok(())
}

/// Equal but for the hash label.
fn same_template(a: &Value, b: &Value) -> bool {
    let bare = |template: &Value| {
        let mut template = template.clone();
        if let Some(labels) = template
            .pointer_mut("/metadata/labels")
            .and_then(Value::as_object_mut)
        {
            labels.remove("pod-template-hash");
        }
        template
    };
    bare(a) == bare(b)
}

pub fn replica_set(kube: &mut Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) -> Result<()> {
    out.name(object);
    out.line(
        0,
        format!("Selector:\t{}", selector_text(&object["spec"]["selector"])),
    );
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    if let Some(owner) = controller(object) {
        out.line(0, format!("Controlled By:\t{owner}"));
    }
    out.line(
        0,
        format!(
            "Replicas:\t{} current / {} desired",
            int(object, "/status/replicas").unwrap_or(0),
            int(object, "/spec/replicas").unwrap_or(1)
        ),
    );
    pods_status(kube, object, out)?;
    template::describe(out, &object["spec"]["template"]);
    conditions(object, out);
    out.events(kube, events);
    Ok(())
}

pub fn daemon_set(kube: &mut Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) -> Result<()> {
    let number = |field: &str| int(&object["status"], field).unwrap_or(0);
    out.line(0, format!("Name:\t{}", text(object, "/metadata/name")));
    out.line(
        0,
        format!("Selector:\t{}", selector_text(&object["spec"]["selector"])),
    );
    out.line(
        0,
        format!(
            "Node-Selector:\t{}",
            pairs_text(&map(object, "/spec/template/spec/nodeSelector"))
        ),
    );
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    out.line(
        0,
        format!(
            "Desired Number of Nodes Scheduled: {}",
            number("/desiredNumberScheduled")
        ),
    );
    out.line(
        0,
        format!(
            "Current Number of Nodes Scheduled: {}",
            number("/currentNumberScheduled")
        ),
    );
    out.line(
        0,
        format!(
            "Number of Nodes Scheduled with Up-to-date Pods: {}",
            number("/updatedNumberScheduled")
        ),
    );
    out.line(
        0,
        format!(
            "Number of Nodes Scheduled with Available Pods: {}",
            number("/numberAvailable")
        ),
    );
    out.line(
        0,
        format!("Number of Nodes Misscheduled: {}", number("/numberMisscheduled")),
    );
    pods_status(kube, object, out)?;
    template::describe(out, &object["spec"]["template"]);
    out.events(kube, events);
    Ok(())
}

pub fn stateful_set(
    kube: &mut Kube,
    object: &Value,
    events: Option<&[Value]>,
    out: &mut Lines,
) -> Result<()> {
    let spec = &object["spec"];
    out.name(object);
    out.line(
        0,
        format!(
            "CreationTimestamp:\t{}",
            rfc1123(&object["metadata"]["creationTimestamp"])
        ),
    );
    out.line(0, format!("Selector:\t{}", selector_text(&spec["selector"])));
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    out.line(
        0,
        format!(
            "Replicas:\t{} desired | {} total",
            int(spec, "/replicas").unwrap_or(1),
            int(object, "/status/replicas").unwrap_or(0)
        ),
    );
    out.line(
        0,
        format!("Update Strategy:\t{}", text(spec, "/updateStrategy/type")),
    );
    if let Some(partition) = int(spec, "/updateStrategy/rollingUpdate/partition") {
        out.line(1, format!("Partition:\t{partition}"));
    }
    if let Some(most) = spec.pointer("/updateStrategy/rollingUpdate/maxUnavailable") {
        out.line(1, format!("MaxUnavailable:\t{}", int_or_string(most)));
    }
    pods_status(kube, object, out)?;
    template::describe(out, &spec["template"]);
    let claims = list(spec, "/volumeClaimTemplates");
    out.line(
        0,
        if claims.is_empty() {
            "Volume Claims:\t<none>"
        } else {
            "Volume Claims:"
        },
    );
    for claim in claims {
        out.line(0, format!("  Name:\t{}", text(claim, "/metadata/name")));
        out.line(
            0,
            format!("  StorageClass:\t{}", text(claim, "/spec/storageClassName")),
        );
        out.labels("  Labels", &map(claim, "/metadata/labels"));
        out.annotations("  Annotations", claim);
        out.line(
            0,
            format!(
                "  Capacity:\t{}",
                or(text(claim, "/spec/resources/requests/storage"), "<default>")
            ),
        );
        let modes: Vec<&str> = list(claim, "/spec/accessModes")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        out.line(0, format!("  Access Modes:\t[{}]", modes.join(" ")));
    }
    out.events(kube, events);
    Ok(())
}

/// A number, or what stands for its absence.
fn number_or(value: &Value, pointer: &str, absent: &str) -> String {
    int(value, pointer).map_or_else(|| absent.to_owned(), |n| n.to_string())
}

pub fn job(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    let (spec, status) = (&object["spec"], &object["status"]);
    out.name(object);
    out.line(
        0,
        if spec["selector"].is_object() {
            format!("Selector:\t{}", selector_text(&spec["selector"]))
        } else {
            "Selector:\t".to_owned()
        },
    );
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    if let Some(owner) = controller(object) {
        out.line(0, format!("Controlled By:\t{owner}"));
    }
    out.line(
        0,
        format!("Parallelism:\t{}", number_or(spec, "/parallelism", "<unset>")),
    );
    out.line(
        0,
        format!("Completions:\t{}", number_or(spec, "/completions", "<unset>")),
    );
    if !text(spec, "/completionMode").is_empty() {
        out.line(0, format!("Completion Mode:\t{}", text(spec, "/completionMode")));
    }
    if let Some(suspend) = spec["suspend"].as_bool() {
        out.line(0, format!("Suspend:\t{suspend}"));
    }
    if let Some(limit) = int(spec, "/backoffLimit") {
        out.line(0, format!("Backoff Limit:\t{limit}"));
    }
    if let Some(seconds) = int(spec, "/ttlSecondsAfterFinished") {
        out.line(0, format!("TTL Seconds After Finished:\t{seconds}"));
    }
    if status["startTime"].is_string() {
        out.line(0, format!("Start Time:\t{}", rfc1123(&status["startTime"])));
    }
    if status["completionTime"].is_string() {
        out.line(
            0,
            format!("Completed At:\t{}", rfc1123(&status["completionTime"])),
        );
    }
    if let (Some(start), Some(end)) = (micros(&status["startTime"]), micros(&status["completionTime"])) {
        out.line(
            0,
            format!("Duration:\t{}", human_duration((end - start) / 1_000_000)),
        );
    }
    if let Some(seconds) = int(spec, "/activeDeadlineSeconds") {
        out.line(0, format!("Active Deadline Seconds:\t{seconds}s"));
    }
    let count = |field: &str| int(status, field).unwrap_or(0);
    let ready = int(status, "/ready").map_or(String::new(), |n| format!(" ({n} Ready)"));
    out.line(
        0,
        format!(
            "Pods Statuses:\t{} Active{ready} / {} Succeeded / {} Failed",
            count("/active"),
            count("/succeeded"),
            count("/failed")
        ),
    );
    if text(spec, "/completionMode") == "Indexed" {
        out.line(
            0,
            format!(
                "Completed Indexes:\t{}",
                or(text(status, "/completedIndexes"), "<none>")
            ),
        );
    }
    template::describe(out, &spec["template"]);
    out.events(kube, events);
}

pub fn cron_job(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    let spec = &object["spec"];
    out.head(object);
    out.line(0, format!("Schedule:\t{}", text(spec, "/schedule")));
    if !text(spec, "/timeZone").is_empty() {
        out.line(0, format!("Time Zone:\t{}", text(spec, "/timeZone")));
    }
    out.line(
        0,
        format!("Concurrency Policy:\t{}", text(spec, "/concurrencyPolicy")),
    );
    out.line(
        0,
        format!(
            "Suspend:\t{}",
            match spec["suspend"].as_bool() {
                Some(true) => "True",
                Some(false) => "False",
                None => "<unset>",
            }
        ),
    );
    out.line(
        0,
        format!(
            "Successful Job History Limit:\t{}",
            number_or(spec, "/successfulJobsHistoryLimit", "<unset>")
        ),
    );
    out.line(
        0,
        format!(
            "Failed Job History Limit:\t{}",
            number_or(spec, "/failedJobsHistoryLimit", "<unset>")
        ),
    );
    out.line(
        0,
        format!(
            "Starting Deadline Seconds:\t{}",
            int(spec, "/startingDeadlineSeconds").map_or("<unset>".to_owned(), |n| format!("{n}s"))
        ),
    );
    let job = &spec["jobTemplate"]["spec"];
    out.line(
        0,
        if job["selector"].is_object() {
            format!("Selector:\t{}", selector_text(&job["selector"]))
        } else {
            "Selector:\t<unset>".to_owned()
        },
    );
    out.line(
        0,
        format!("Parallelism:\t{}", number_or(job, "/parallelism", "<unset>")),
    );
    out.line(
        0,
        format!("Completions:\t{}", number_or(job, "/completions", "<unset>")),
    );
    if let Some(seconds) = int(job, "/activeDeadlineSeconds") {
        out.line(0, format!("Active Deadline Seconds:\t{seconds}s"));
    }
    template::describe(out, &job["template"]);
    let last = &object["status"]["lastScheduleTime"];
    out.line(
        0,
        format!(
            "Last Schedule Time:\t{}",
            if last.is_string() {
                rfc1123(last)
            } else {
                "<unset>".to_owned()
            }
        ),
    );
    let active: Vec<&str> = list(object, "/status/active")
        .iter()
        .map(|a| text(a, "/name"))
        .collect();
    out.line(0, format!("Active Jobs:\t{}", or(&active.join(", "), "<none>")));
    out.events(kube, events);
}
