//! `create quota`, `create priorityclass`, `create poddisruptionbudget`, `autoscale`.

use super::super::failure::{Failure, Result, message};
use super::super::kube::{Kube, Next, with_query};
use super::super::output::{DryRun, made};
use super::super::resource::{fail_with, known, live};
use super::{generated, name, required};
use crate::api::Kind;
use crate::api::labels::{Operator, Selector};
use crate::api::quantity::Quantity;
use serde_json::{Map, Value, json};

pub fn quota(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let mut spec = json!({});
    let hard = quantities(kube.flags().text("hard"))?;
    if !hard.is_empty() {
        spec["hard"] = hard.into();
    }
    let scopes = kube.flags().list("scopes");
    if !scopes.is_empty() {
        spec["scopes"] = scopes.into();
    }
    generated(
        kube,
        Kind::ResourceQuota,
        json!({"metadata": {"name": name}, "spec": spec, "status": {}}),
    )
}

pub fn priorityclass(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let mut object = json!({"metadata": {"name": name}, "value": kube.flags().int("value"), "preemptionPolicy": kube.flags().text("preemption-policy")});
    if kube.flags().on("global-default") {
        object["globalDefault"] = true.into();
    }
    if !kube.flags().text("description").is_empty() {
        object["description"] = kube.flags().text("description").into();
    }
    generated(kube, Kind::PriorityClass, object)
}

/// `cpu=1,pods=2`
/// # Errors
/// What is no quantity.
pub fn quantities(text: &str) -> Result<Map<String, Value>> {
    let mut all = Map::new();
    for one in text.split(',').filter(|one| !one.is_empty()) {
        let Some((key, value)) = one.split_once('=') else {
            return message(format!(
                "Invalid argument syntax {one}, expected <resource>=<value>"
            ));
        };
        if Quantity::parse(value).is_err() {
            return message(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            );
        }
        let value = Quantity::canonical(value).unwrap_or_else(|| value.to_owned());
        all.insert(key.to_owned(), value.into());
    }
    Ok(all)
}

/// A selector's text as a LabelSelector.
fn label_selector(text: &str) -> Result<Value> {
    let selector = Selector::parse(text).map_err(Failure::Message)?;
    let (mut labels, mut expressions) = (Map::new(), Vec::new());
    for requirement in selector.requirements() {
        let values: Vec<String> = requirement.values.clone();
        let operator = match requirement.operator {
            Operator::Equals | Operator::DoubleEquals => {
                labels.insert(requirement.key.clone(), values.join("").into());
                continue;
            }
            Operator::In => "In",
            Operator::NotEquals | Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            _ => return message(format!("{text:?} cannot be a label selector")),
        };
        let mut expression = json!({"key": requirement.key, "operator": operator});
        if !values.is_empty() {
            expression["values"] = values.into();
        }
        expressions.push(expression);
    }
    let mut out = json!({});
    if !labels.is_empty() {
        out["matchLabels"] = labels.into();
    }
    if !expressions.is_empty() {
        out["matchExpressions"] = expressions.into();
    }
    Ok(out)
}

pub fn disruption_budget(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let selector = kube.flags().text("selector").to_owned();
    if selector.is_empty() {
        return message("a selector must be specified");
    }
    let number = |text: &str| -> Value { text.parse::<i64>().map_or_else(|_| text.into(), Into::into) };
    let mut spec = json!({"selector": label_selector(&selector)?});
    match (
        kube.flags().text("min-available"),
        kube.flags().text("max-unavailable"),
    ) {
        ("", "") => return message("one of min-available or max-unavailable must be specified"),
        (least, "") => spec["minAvailable"] = number(least),
        ("", most) => spec["maxUnavailable"] = number(most),
        _ => return message("min-available and max-unavailable cannot be both specified"),
    }
    generated(
        kube,
        Kind::PodDisruptionBudget,
        json!({"metadata": {"name": name}, "spec": spec, "status": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0}}),
    )
}

/// `kubectl autoscale`
pub fn autoscale(kube: &mut Kube) -> Result<Next> {
    required(kube, &["max"])?;
    let args = kube.call.args.clone();
    let dry_run = DryRun::of(kube)?;
    let (least, most, cpu) = (
        kube.flags().int("min"),
        kube.flags().int("max"),
        kube.flags().int("cpu-percent"),
    );
    if most < 1 {
        return message(format!(
            "--max=MAXPODS is required and must be at least 1, max: {most}"
        ));
    }
    if most < least {
        return message(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {most}, min: {least}"
        ));
    }
    let (targets, failures) = live(kube, &args)?;
    fail_with(failures)?;
    for target in targets {
        if !matches!(
            target.kind.kind.as_str(),
            "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet"
        ) {
            return message(format!(
                "cannot autoscale a {}: could not find scale subresource for {}, Resource={} in discovery information",
                target.kind.kind,
                target.kind.group_version(),
                target.kind.plural
            ));
        }
        let name = match kube.flags().text("name") {
            "" => target.name.clone(),
            name => name.to_owned(),
        };
        let mut spec = json!({"maxReplicas": most, "scaleTargetRef": {"apiVersion": target.kind.api_version(), "kind": target.kind.kind, "name": target.name}});
        if least > 0 {
            spec["minReplicas"] = least.into();
        }
        if cpu >= 0 {
            spec["targetCPUUtilizationPercentage"] = cpu.into();
        }
        let mut metadata = json!({"name": name, "creationTimestamp": null});
        if kube.flags().changed("namespace") {
            metadata["namespace"] = target.namespace.clone().into();
        }
        // kubectl 1.32 writes the first version.
        let object = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec, "status": {"currentReplicas": 0, "desiredReplicas": 0}});
        let kind = known(Kind::HorizontalPodAutoscaler);
        let object = if dry_run == DryRun::Client {
            object
        } else {
            let query = [("fieldManager", "kubectl-autoscale"), ("dryRun", dry_run.query())];
            let collection =
                kind.collection(Some(&target.namespace))
                    .replacen("/autoscaling/v2/", "/autoscaling/v1/", 1);
            kube.post(&with_query(&collection, &query), &object)?
        };
        let word = match dry_run {
            DryRun::Client => "created",
            _ => "autoscaled",
        };
        made(kube, &kind, &object, word, dry_run)?;
    }
    Ok(Next::Done)
}
