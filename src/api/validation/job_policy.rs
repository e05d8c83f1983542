//! What Jobs say about failed and succeeded Pods.
//!
//! Source: kubernetes/pkg/apis/batch/validation/validation.go.

use super::field::{self, FieldError, Internal, Json, Path, Raw, go_quote};
use super::meta::{self, Errors};
use k8s_openapi::api::batch::v1::{
    JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern, SuccessPolicy,
};

const MAX_RULES: usize = 20;

const MAX_EXIT_CODES: usize = 255;

const MAX_INDEXES_TEXT: usize = 64 << 10;

const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];

pub fn failure(policy: &PodFailurePolicy, spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let rules_path = path.child("rules");
    if policy.rules.len() > MAX_RULES {
        errors.push(FieldError::too_many(&rules_path, policy.rules.len(), MAX_RULES));
    }
    for (i, rule) in policy.rules.iter().enumerate() {
        let path = &rules_path.index(i);
        let action_path = &path.child("action");
        match rule.action.as_str() {
            "" => {
                let why = r#"valid values: ["Count" "FailIndex" "FailJob" "Ignore"]"#;
                errors.push(FieldError::required(action_path, why));
            }
            "FailIndex" if spec.backoff_limit_per_index.is_none() => {
                let why = "requires the backoffLimitPerIndex to be set";
                errors.push(FieldError::invalid(action_path, "FailIndex", why));
            }
            action if !ACTIONS.contains(&action) => {
                errors.push(FieldError::not_supported(action_path, action, ACTIONS));
            }
            _ => {}
        }
        let conditions = rule.on_pod_conditions.as_deref().unwrap_or(&[]);
        if let Some(codes) = &rule.on_exit_codes {
            exit_codes(codes, spec, &path.child("onExitCodes"), errors);
        }
        if !conditions.is_empty() {
            pod_conditions(conditions, &path.child("onPodConditions"), errors);
        }
        let why = match (rule.on_exit_codes.is_some(), !conditions.is_empty()) {
            (true, true) => "specifying both OnExitCodes and OnPodConditions is not supported",
            (false, false) => "specifying one of OnExitCodes and OnPodConditions is required",
            _ => continue,
        };
        errors.push(FieldError::invalid(path, Raw(""), why));
    }
}

fn exit_codes(
    codes: &PodFailurePolicyOnExitCodesRequirement,
    spec: &JobSpec,
    path: &Path,
    errors: &mut Errors,
) {
    let operator_path = &path.child("operator");
    match codes.operator.as_str() {
        "In" | "NotIn" => {}
        "" => errors.push(FieldError::required(
            operator_path,
            r#"valid values: ["In" "NotIn"]"#,
        )),
        other => errors.push(FieldError::not_supported(operator_path, other, &["In", "NotIn"])),
    }
    if let Some(name) = &codes.container_name {
        let pod = spec.template.spec.as_ref();
        let containers = pod.map_or(&[][..], |pod| &pod.containers);
        let init = pod.and_then(|pod| pod.init_containers.as_deref()).unwrap_or(&[]);
        if !containers
            .iter()
            .chain(init)
            .any(|container| container.name == *name)
        {
            let why = "must be one of the container or initContainer names in the pod template";
            errors.push(FieldError::invalid(&path.child("containerName"), name, why));
        }
    }
    let values_path = path.child("values");
    match codes.values.len() {
        0 => errors.push(FieldError::invalid(
            &values_path,
            Json(&codes.values),
            "at least one value is required",
        )),
        count if count > MAX_EXIT_CODES => {
            errors.push(FieldError::too_many(&values_path, count, MAX_EXIT_CODES))
        }
        _ => {}
    }
    for (i, code) in codes.values.iter().enumerate() {
        let path = &values_path.index(i);
        if codes.operator == "In" && *code == 0 {
            errors.push(FieldError::invalid(
                path,
                *code,
                "must not be 0 for the In operator",
            ));
        }
        if codes.values[..i].contains(code) {
            errors.push(FieldError::duplicate(path, *code));
        }
    }
    if !codes.values.is_sorted() {
        errors.push(FieldError::invalid(
            &values_path,
            Json(&codes.values),
            "must be ordered",
        ));
    }
}

fn pod_conditions(patterns: &[PodFailurePolicyOnPodConditionsPattern], path: &Path, errors: &mut Errors) {
    if patterns.len() > MAX_RULES {
        errors.push(FieldError::too_many(path, patterns.len(), MAX_RULES));
    }
    for (i, pattern) in patterns.iter().enumerate() {
        let path = &path.index(i);
        meta::label_name(&pattern.type_, &path.child("type"), errors);
        let status_path = &path.child("status");
        match pattern.status.as_deref().unwrap_or("") {
            "True" | "False" | "Unknown" => {}
            "" => errors.push(FieldError::required(
                status_path,
                r#"valid values: ["False" "True" "Unknown"]"#,
            )),
            other => errors.push(FieldError::not_supported(
                status_path,
                other,
                &["False", "True", "Unknown"],
            )),
        }
    }
}

/// A success policy under the names it has inside upstream.
pub fn internal(policy: &SuccessPolicy) -> Internal<1> {
    let rules = policy.rules.iter().map(|rule| {
        let (indexes, count) = (
            field::value(&rule.succeeded_indexes),
            field::value(rule.succeeded_count),
        );
        Internal([("SucceededIndexes", indexes), ("SucceededCount", count)])
    });
    Internal([("Rules", field::value(rules.collect::<Vec<_>>()))])
}

pub fn success(policy: &SuccessPolicy, completions: i32, path: &Path, errors: &mut Errors) {
    let rules_path = path.child("rules");
    if policy.rules.is_empty() {
        let why = "at least one rules must be specified when the successPolicy is specified";
        errors.push(FieldError::required(&rules_path, why));
    }
    if policy.rules.len() > MAX_RULES {
        errors.push(FieldError::too_many(&rules_path, policy.rules.len(), MAX_RULES));
    }
    for (i, rule) in policy.rules.iter().enumerate() {
        let path = &rules_path.index(i);
        if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
            let why = "at least one of succeededCount or succeededIndexes must be specified";
            errors.push(FieldError::required(path, why));
        }
        let mut total = 0;
        if let Some(text) = &rule.succeeded_indexes {
            let path = &path.child("succeededIndexes");
            if text.len() > MAX_INDEXES_TEXT {
                errors.push(FieldError::too_long(path, MAX_INDEXES_TEXT));
            }
            match indexes(text, completions) {
                Ok(count) => total = count,
                Err(why) => {
                    let why = format!("error parsing succeededIndexes: {why}");
                    errors.push(FieldError::invalid(path, text, why));
                }
            }
        }
        let Some(count) = rule.succeeded_count else {
            continue;
        };
        let path = &path.child("succeededCount");
        meta::nonnegative(i64::from(count), path, errors);
        if count > completions {
            let why =
                format!("must be less than or equal to {completions} (the number of specified completions)");
            errors.push(FieldError::invalid(path, count, why));
        }
        if rule.succeeded_indexes.is_some() && count > total {
            let why = format!(
                "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
            );
            errors.push(FieldError::invalid(path, count, why));
        }
    }
}

/// How many indexes a text like `1,3-5` names.
pub fn indexes(text: &str, completions: i32) -> Result<i32, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let mut last: Option<i32> = None;
    let mut total = 0;
    for part in text.split(',') {
        let (first, end) = interval(part, completions)?;
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(format!(
                "non-increasing order, previous: {last}, current: {first}"
            ));
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}

fn interval(text: &str, completions: i32) -> Result<(i32, i32), String> {
    let limits: Vec<&str> = text.split('-').collect();
    let read = |limit: &str| -> Result<i32, String> {
        let quoted = go_quote(limit);
        let index: i32 = limit
            .parse()
            .map_err(|_| format!("cannot convert string to integer for index: {quoted}"))?;
        if index >= completions {
            Err(format!("too large index: {quoted}"))
        } else {
            Ok(index)
        }
    };
    match limits.as_slice() {
        [only] => read(only).map(|index| (index, index)),
        [first, last] => {
            let (first, last) = (read(first)?, read(last)?);
            if first >= last {
                return Err(format!(
                    "non-increasing order, previous: {first}, current: {last}"
                ));
            }
            Ok((first, last))
        }
        _ => Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
            go_quote(text)
        )),
    }
}
