//! PodDisruptionBudgets, PriorityClasses and StorageClasses.
//!
//! Source: kubernetes/pkg/apis/{policy,scheduling,storage}/validation/validation.go.

use super::field::{self, FieldError, Internal, Path};
use super::meta::{self, Errors};
use super::workloads::{self, SPEC};
use super::{content, text};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;

/// Above this only system classes may be.
const HIGHEST_USER_PRIORITY: i32 = 1_000_000_000;
const SYSTEM_PREFIX: &str = "system-";
const SYSTEM_CLASSES: [(&str, i32); 2] = [
    ("system-cluster-critical", 2_000_000_000),
    ("system-node-critical", 2_000_001_000),
];
const MAX_PARAMETERS: usize = 512;
const MAX_PARAMETER_BYTES: usize = 256 << 10;

#[inline(never)]
pub fn disruption_budget(budget: &PodDisruptionBudget, errors: &mut Errors) {
    let default = PodDisruptionBudgetSpec::default();
    let spec = budget.spec.as_ref().unwrap_or(&default);
    if spec.min_available.is_some() && spec.max_unavailable.is_some() {
        // The bad value is the whole spec, under the names it has inside upstream.
        let internal = Internal([
            ("MinAvailable", field::value(&spec.min_available)),
            ("Selector", field::value(&spec.selector)),
            ("MaxUnavailable", field::value(&spec.max_unavailable)),
            (
                "UnhealthyPodEvictionPolicy",
                field::value(&spec.unhealthy_pod_eviction_policy),
            ),
        ]);
        errors.push(FieldError::invalid(
            &SPEC,
            internal,
            "minAvailable and maxUnavailable cannot be both set",
        ));
    }
    for (field, value) in [
        ("minAvailable", &spec.min_available),
        ("maxUnavailable", &spec.max_unavailable),
    ] {
        if let Some(value) = value {
            let path = &SPEC.child(field);
            workloads::int_or_percent(value, path, errors);
            workloads::not_over_all(value, path, errors);
        }
    }
    if let Some(selector) = &spec.selector {
        meta::label_selector(selector, &SPEC.child("selector"), errors);
    }
    if let Some(policy) = spec.unhealthy_pod_eviction_policy.as_deref() {
        let supported = &["AlwaysAllow", "IfHealthyBudget"];
        if !supported.contains(&policy) {
            errors.push(FieldError::not_supported(
                &SPEC.child("unhealthyPodEvictionPolicy"),
                policy,
                supported,
            ));
        }
    }
}

pub fn disruption_budget_status(budget: &PodDisruptionBudget, errors: &mut Errors) {
    let Some(status) = &budget.status else { return };
    let path = Path::root("status");
    let counts = [
        ("disruptionsAllowed", status.disruptions_allowed),
        ("currentHealthy", status.current_healthy),
        ("desiredHealthy", status.desired_healthy),
        ("expectedPods", status.expected_pods),
    ];
    for (field, value) in counts {
        meta::nonnegative_opt(value, &path.child(field), errors);
    }
}

pub fn priority_class(class: &PriorityClass, errors: &mut Errors) {
    let name = text(&class.metadata.name);
    let value = class.value.unwrap_or(0);
    if let Some((_, own)) = SYSTEM_CLASSES.iter().find(|(system, _)| *system == name) {
        // The server itself makes these; anyone else can only make them as they are.
        if value != *own || class.global_default == Some(true) {
            let why = format!(
                "priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: value of \
                 {name} PriorityClass must be {own}"
            );
            errors.push(FieldError::forbidden(&Path::root("metadata").child("name"), why));
        }
    } else if name.starts_with(SYSTEM_PREFIX) {
        let why = format!(
            "priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: {name} is not a \
             known system priority class"
        );
        errors.push(FieldError::forbidden(&Path::root("metadata").child("name"), why));
    } else if value > HIGHEST_USER_PRIORITY {
        let why = format!("maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}");
        errors.push(FieldError::forbidden(&Path::root("value"), why));
    }
    preemption_policy(class, errors);
}

fn preemption_policy(class: &PriorityClass, errors: &mut Errors) {
    let path = &Path::root("preemptionPolicy");
    match text(&class.preemption_policy) {
        "PreemptLowerPriority" | "Never" => {}
        "" => errors.push(FieldError::required(path, "")),
        other => errors.push(FieldError::not_supported(
            path,
            other,
            &["PreemptLowerPriority", "Never"],
        )),
    }
}

pub fn priority_class_update(new: &PriorityClass, old: &PriorityClass, errors: &mut Errors) {
    if new.value.unwrap_or(0) != old.value.unwrap_or(0) {
        errors.push(FieldError::forbidden(
            &Path::root("value"),
            "may not be changed in an update.",
        ));
    }
    let path = Path::root("preemptionPolicy");
    meta::immutable(&new.preemption_policy, &old.preemption_policy, &path, errors);
}

#[inline(never)]
pub fn storage_class(class: &StorageClass, errors: &mut Errors) {
    let path = &Path::root("provisioner");
    let provisioner = &class.provisioner;
    if provisioner.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        meta::check(
            content::qualified_name(&provisioner.to_lowercase()),
            provisioner,
            path,
            errors,
        );
    }
    let path = &Path::root("parameters");
    if let Some(parameters) = &class.parameters {
        if parameters.len() > MAX_PARAMETERS {
            errors.push(FieldError::too_long(path, MAX_PARAMETERS));
        } else {
            if parameters.contains_key("") {
                errors.push(FieldError::invalid(path, "", "field can not be empty."));
            }
            if parameters
                .iter()
                .map(|(key, value)| key.len() + value.len())
                .sum::<usize>()
                > MAX_PARAMETER_BYTES
            {
                errors.push(FieldError::too_long(path, MAX_PARAMETER_BYTES));
            }
        }
    }
    let reclaim = text(&class.reclaim_policy);
    if !matches!(reclaim, "" | "Delete" | "Retain") {
        errors.push(FieldError::not_supported(
            &Path::root("reclaimPolicy"),
            reclaim,
            &["Delete", "Retain"],
        ));
    }
    let path = &Path::root("volumeBindingMode");
    match class.volume_binding_mode.as_deref() {
        Some("Immediate" | "WaitForFirstConsumer") => {}
        None => errors.push(FieldError::required(path, "")),
        Some(other) => errors.push(FieldError::not_supported(
            path,
            other,
            &["Immediate", "WaitForFirstConsumer"],
        )),
    }
    allowed_topologies(class, errors);
}

fn allowed_topologies(class: &StorageClass, errors: &mut Errors) {
    let root = Path::root("allowedTopologies");
    for (i, term) in class.allowed_topologies.iter().flatten().enumerate() {
        let term_path = root.index(i);
        let path = term_path.child("matchLabelExpressions");
        let expressions = term.match_label_expressions.as_deref().unwrap_or(&[]);
        for (j, expression) in expressions.iter().enumerate() {
            let path = &path.index(j);
            let values_path = path.child("values");
            if expression.values.is_empty() {
                errors.push(FieldError::required(&values_path, ""));
            }
            for (k, value) in expression.values.iter().enumerate() {
                if expression.values[..k].contains(value) {
                    errors.push(FieldError::duplicate(&values_path.index(k), value));
                }
            }
            meta::label_name(&expression.key, &path.child("key"), errors);
            if expressions[..j]
                .iter()
                .any(|earlier| earlier.key == expression.key)
            {
                errors.push(FieldError::duplicate(&path.child("key"), &expression.key));
            }
        }
    }
}

pub fn storage_class_update(new: &StorageClass, old: &StorageClass, errors: &mut Errors) {
    let changed = [
        ("parameters", new.parameters != old.parameters),
        ("provisioner", new.provisioner != old.provisioner),
        ("reclaimPolicy", new.reclaim_policy != old.reclaim_policy),
    ];
    for (field, _) in changed.into_iter().filter(|(_, changed)| *changed) {
        errors.push(FieldError::forbidden(
            &Path::root(field),
            format!("updates to {field} are forbidden."),
        ));
    }
    let path = Path::root("volumeBindingMode");
    meta::immutable(&new.volume_binding_mode, &old.volume_binding_mode, &path, errors);
}
