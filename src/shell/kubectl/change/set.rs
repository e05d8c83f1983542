//! The `set` family: image, env, resources, serviceaccount, selector, subject.

use super::super::create::config::{env_name_error, is_env_name};
use super::super::create::policy::quantities;
use super::super::failure::{Failure, Result, message};
use super::super::kube::{Kube, Next, STRATEGIC, list, text, with_query};
use super::super::output::{DryRun, made};
use super::super::patch;
use super::super::resource::{MISSING, MISSING_LOCAL, Target, fail_with, known, live, select};
use super::split_changes;
use crate::api::Kind;
use crate::api::labels::{Operator, Selector};
use serde_json::{Map, Value, json};

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

/// Changes objects by a function and patches what differs; `failed` stands before what the server says against that.
fn set(
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
fn each_container(
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
    let (names, mut changes) = split_changes(&kube.call.args.clone(), "environment")?;
    changes.extend(kube.flags().list("env"));
    if names.is_empty() && kube.flags().list("filename").is_empty() {
        return message("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    let containers = kube.flags().text("containers").to_owned();
    if kube.flags().on("list") {
        let (targets, failures) = live(kube, &names)?;
        fail_with(failures)?;
        for target in targets {
            let pointer = pod_spec(&target).unwrap_or("/spec");
            let mut text_out = String::new();
            let all = ["containers", "initContainers"]
                .into_iter()
                .flat_map(|field| list(&target.object, &format!("{pointer}/{field}")));
            for container in all {
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
    let removed = changes.iter().filter(|change| !change.contains('='));
    let removed: Vec<&str> = removed.map(|change| &change[..change.len() - 1]).collect();
    let set_too = |change: &String| {
        change
            .split_once('=')
            .is_some_and(|(key, _)| removed.contains(&key))
    };
    if changes.iter().any(set_too) {
        return message("can not both modify and remove the same environment variable in the same command");
    }
    for change in &changes {
        let key = change.split_once('=').map(|(key, _)| key);
        if let Some(key) = key.filter(|key| !is_env_name(key)) {
            return message(env_name_error(key));
        }
    }
    let local = kube.flags().on("local");
    let overwrite = kube.flags().on("overwrite");
    let wanted = env_of_source(kube)?;
    let none = std::cell::RefCell::new(Vec::new());
    let next = set(
        kube,
        &names,
        "env updated",
        "failed to patch env update to pod template: ",
        &|object, target| {
            let mut clash = None;
            let found = each_container(object, target, local, &containers, &mut |container| {
                let mut env = container["env"].as_array().cloned().unwrap_or_default();
                let mut put = |entry: Value| match env.iter_mut().find(|e| e["name"] == entry["name"]) {
                    Some(old) if !overwrite && *old != entry => {
                        clash = Some(format!(
                            "'{}' already has a value ({}), and --overwrite is false",
                            text(old, "/name"),
                            text(old, "/value")
                        ));
                    }
                    Some(old) => *old = entry,
                    None => env.push(entry),
                };
                for change in &changes {
                    if let Some((key, value)) = change.split_once('=') {
                        put(json!({"name": key, "value": value}));
                    }
                }
                wanted.iter().cloned().for_each(put);
                env.retain(|e| !removed.contains(&text(e, "/name")));
                if env.is_empty() {
                    container.as_object_mut().map(|c| c.remove("env"));
                } else {
                    container["env"] = env.into();
                }
            })?;
            if let Some(clash) = clash {
                return message(format!("{}/{} {clash}", target.kind.plural, target.name));
            }
            if found == 0 {
                none.borrow_mut().push(format!(
                    "{}/{} does not have any containers matching {containers:?}",
                    target.kind.kind, target.name
                ));
            }
            Ok(())
        },
    );
    for text in none.into_inner() {
        kube.warn(&text);
    }
    next
}

/// `set env --from=configmap/NAME`: a variable for each of its keys.
fn env_of_source(kube: &mut Kube) -> Result<Vec<Value>> {
    let from = kube.flags().text("from").to_owned();
    if from.is_empty() {
        return Ok(Vec::new());
    }
    let (prefix, keys) = (kube.flags().text("prefix").to_owned(), kube.flags().list("keys"));
    let (sources, failures) = live(kube, &[from])?;
    fail_with(failures)?;
    let mut env = Vec::new();
    for source in sources {
        let reference = match source.kind.kind.as_str() {
            "ConfigMap" => "configMapKeyRef",
            "Secret" => "secretKeyRef",
            kind => return message(format!("unsupported resource specified in --from: {kind}")),
        };
        for key in source.object["data"]
            .as_object()
            .into_iter()
            .flat_map(|data| data.keys())
        {
            if !keys.is_empty() && !keys.contains(key) {
                continue;
            }
            let name = key.to_uppercase().replace(['-', '.'], "_");
            if name != *key {
                kube.warn(&format!("key {key} transferred to {name}"));
            }
            env.push(json!({"name": format!("{prefix}{name}"), "valueFrom": {reference: {"key": key, "name": source.name}}}));
        }
    }
    Ok(env)
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
