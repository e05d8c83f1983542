//! The `set` family: image, resources, serviceaccount, selector, subject.

use super::super::create::policy::quantities;
use super::super::failure::{Failure, Result, message};
use super::super::kube::{Kube, Next, STRATEGIC, with_query};
use super::super::output::{DryRun, made};
use super::super::patch;
use super::super::resource::{MISSING, MISSING_LOCAL, Target, fail_with, known, live, select};
use crate::api::Kind;
use crate::api::labels::{Operator, Selector};
use serde_json::{Map, Value, json};

/// The Pod spec inside an object that has a template, and its pointer.
pub(super) fn pod_spec(target: &Target) -> Option<&'static str> {
    Some(match target.kind.kind.as_str() {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicationController" => {
            "/spec/template/spec"
        }
        _ => return None,
    })
}

/// Changes objects by a function and patches what differs; `failed` stands before what the server says against that.
pub(super) fn set(
    kube: &mut Kube,
    names: &[String],
    word: &str,
    failed: &str,
    change: &dyn Fn(&mut Value, &Target) -> Result<()>,
) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let files = kube.flags().list("filename");
    if names.is_empty() && files.is_empty() {
        return message(MISSING);
    }
    if kube.flags().on("local") && files.is_empty() {
        return message(match kube.call.command.name {
            "set env" | "set serviceaccount" => MISSING,
            _ => MISSING_LOCAL,
        });
    }
    let (targets, mut failures) = live(kube, names)?;
    for target in targets {
        let mut changed = target.object.clone();
        if let Err(failure) = change(&mut changed, &target) {
            failures.push(failure);
            continue;
        }
        let body = patch::two_way(&target.object, &changed);
        // These two write even what is so already.
        if body == json!({}) && !["selector updated", "serviceaccount updated"].contains(&word) {
            continue;
        }
        if dry_run == DryRun::Client || kube.flags().on("local") {
            made(kube, &target.kind, &changed, word, dry_run)?;
            continue;
        }
        let path = with_query(
            &target.path(),
            &[("fieldManager", "kubectl-set"), ("dryRun", dry_run.query())],
        );
        match kube.patch(&path, STRATEGIC, &body) {
            Ok(patched) => made(kube, &target.kind, &patched, word, dry_run)?,
            Err(failure) => failures.push(match failed {
                "" => failure,
                words => failure.retold(words),
            }),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

/// How an object is named: by its resource, or by its kind where nobody asked the server.
fn label(target: &Target, local: bool) -> String {
    match local {
        true => format!("{}/{}", target.kind.singular, target.name),
        false => format!("{}/{}", target.kind.plural, target.name),
    }
}

/// Runs a change over the containers that `--containers` names.
pub(super) fn each_container(
    object: &mut Value,
    target: &Target,
    local: bool,
    names: &str,
    change: &mut dyn FnMut(&mut Value),
) -> Result<usize> {
    let Some(pointer) = pod_spec(target) else {
        return message(format!(
            "{} the object is not a pod or does not have a pod template: *v1.{}",
            label(target, local),
            target.kind.kind
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
        select(kube, &names)?;
        return message("at least one image update is required");
    }
    let local = kube.flags().on("local");
    set(
        kube,
        &names,
        "image updated",
        "failed to patch image update to pod template: ",
        &|object, target| {
            for image in &images {
                let (name, image) = image.split_once('=').unwrap_or((image, ""));
                let found = each_container(object, target, local, name, &mut |c| c["image"] = image.into())?;
                if found == 0 {
                    return message(format!("unable to find container named {name:?}"));
                }
            }
            Ok(())
        },
    )
}

pub fn set_resources(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let (limits, requests) = (
        quantities(kube.flags().text("limits"))?,
        quantities(kube.flags().text("requests"))?,
    );
    if limits.is_empty() && requests.is_empty() {
        return message(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        );
    }
    let containers = kube.flags().text("containers").to_owned();
    let local = kube.flags().on("local");
    set(
        kube,
        &args,
        "resource requirements updated",
        "failed to patch resources update to pod template ",
        &|object, target| {
            let found = each_container(object, target, local, &containers, &mut |container| {
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
        },
    )
}

pub fn set_service_account(kube: &mut Kube) -> Result<Next> {
    let mut args = kube.call.args.clone();
    let of_files = !kube.flags().list("filename").is_empty();
    let Some(account) = args.pop().filter(|_| of_files || !args.is_empty()) else {
        return message("serviceaccount is required");
    };
    let local = kube.flags().on("local");
    set(
        kube,
        &args,
        "serviceaccount updated",
        "failed to patch ServiceAccountName ",
        &|object, target| {
            let Some(spec) = pod_spec(target).and_then(|p| object.pointer_mut(p)) else {
                return message(format!(
                    "{} the object is not a pod or does not have a pod template: *v1.{}",
                    label(target, local),
                    target.kind.kind
                ));
            };
            spec["serviceAccountName"] = account.clone().into();
            Ok(())
        },
    )
}

pub fn set_selector(kube: &mut Kube) -> Result<Next> {
    let mut args = kube.call.args.clone();
    let Some(selector) = args.pop() else {
        return message("one selector is required");
    };
    let selector = label_selector(&selector)?;
    set(kube, &args, "selector updated", "", &|object, target| {
        if !target.kind.is(Kind::Service) {
            return message("setting a selector is only supported for Services");
        }
        if !selector.expressions.is_empty() {
            let expressions = selector.expressions.join(" ");
            return message(format!(
                "match expression [{expressions}] not supported on this object"
            ));
        }
        object["spec"]["selector"] = selector.labels.clone().into();
        Ok(())
    })
}

/// A `metav1.LabelSelector`, its expressions as Go prints them.
#[derive(Default)]
struct LabelSelector {
    labels: Map<String, Value>,
    expressions: Vec<String>,
}

/// Reads a selector as a `metav1.LabelSelector`, which knows fewer operators.
/// Source: k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go, `ParseToLabelSelector`.
fn label_selector(text: &str) -> Result<LabelSelector> {
    let parsed = Selector::parse(text)
        .map_err(|why| Failure::Message(format!("couldn't parse the selector string {text:?}: {why}")))?;
    let mut selector = LabelSelector::default();
    for one in parsed.requirements() {
        let operator = match one.operator {
            Operator::Equals | Operator::DoubleEquals => {
                let value = one.values.first().cloned().unwrap_or_default();
                selector.labels.insert(one.key.clone(), value.into());
                continue;
            }
            Operator::In => "In",
            Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            Operator::GreaterThan => return message("\"gt\" isn't supported in label selectors"),
            Operator::LessThan => return message("\"lt\" isn't supported in label selectors"),
            Operator::NotEquals => return message("\"!=\" is not a valid label selector operator"),
        };
        let values = one.values.join(" ");
        selector
            .expressions
            .push(format!("{{{} {operator} [{values}]}}", one.key));
    }
    Ok(selector)
}

/// The kind of a binding for `set subject`, kept here as it works on two kinds alike.
pub fn set_subject(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    if args.is_empty() && kube.flags().list("filename").is_empty() {
        return message(MISSING);
    }
    let (users, groups, accounts) = (
        kube.flags().list("user"),
        kube.flags().list("group"),
        kube.flags().list("serviceaccount"),
    );
    if users.is_empty() && groups.is_empty() && accounts.is_empty() {
        return message("you must specify at least one value of user, group or serviceaccount");
    }
    let group = known(Kind::Role).group.clone();
    set(
        kube,
        &args,
        "subjects updated",
        "failed to patch subjects to rolebinding: ",
        &|object, target| {
            if !target.kind.is(Kind::RoleBinding) && !target.kind.is(Kind::ClusterRoleBinding) {
                return message(format!(
                    "{}/{} setting subjects is only supported for RoleBinding/ClusterRoleBinding",
                    target.kind.plural, target.name
                ));
            }
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
        },
    )
}
