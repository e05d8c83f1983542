//! Jobs.
//!
//! Source: kubernetes/pkg/apis/batch/validation/validation.go.

use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors};
use super::workloads::SPEC;
use super::{content, diff, internal, job_policy, pod, text, workloads};
use crate::api::codec::Encode;
use crate::api::labels::Selector;
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// An Indexed Job's status lists indexes in a text; these bounds keep it short.
const MAX_INDEXED: i32 = 100_000;

const MAX_WITH_MANY_COMPLETIONS: i32 = 10_000;

#[inline(never)]
pub fn job(job: &Job, errors: &mut Errors) {
    let Some(spec) = &job.spec else { return };
    generated_selector(job, spec, errors);
    job_spec(spec, &SPEC, errors);
    selector(spec, errors);
    let completions = spec.completions.unwrap_or(0);
    if is_indexed(spec) && completions > 0 {
        let name = text(&job.metadata.name);
        let longest = format!("{name}-{}", completions - 1);
        if !content::dns1123_label(&longest).is_empty() {
            let why = format!("will not able to create pod with invalid DNS label: {longest}");
            errors.push(FieldError::invalid(
                &Path::root("metadata").child("name"),
                name,
                why,
            ));
        }
    }
}

pub fn selector(spec: &JobSpec, errors: &mut Errors) {
    let path = &SPEC.child("selector");
    match &spec.selector {
        None => errors.push(FieldError::required(path, "")),
        Some(selector) => meta::label_selector(selector, path, errors),
    }
    let none = LabelSelector::default();
    let selector = spec.selector.as_ref().unwrap_or(&none);
    workloads::template_matches(selector, &spec.template, &SPEC.child("template"), errors);
}

/// A selector the server made finds the Job's own Pods and no others.
fn generated_selector(job: &Job, spec: &JobSpec, errors: &mut Errors) {
    let Some(selector) = spec
        .selector
        .as_ref()
        .filter(|_| spec.manual_selector != Some(true))
    else {
        return;
    };
    let (uid, name) = (text(&job.metadata.uid), text(&job.metadata.name));
    let labels = spec
        .template
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.labels.as_ref());
    let expected = [
        ("controller-uid", uid),
        ("job-name", name),
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
    ];
    let template = SPEC.child("template");
    let metadata = template.child("metadata");
    let labels_path = metadata.child("labels");
    for (key, value) in expected {
        let why = || format!("must be '{value}'");
        match labels.and_then(|labels| labels.get(key)) {
            Some(own) if own == value => {}
            Some(_) => errors.push(FieldError::invalid(&labels_path.key(key), Json(labels), why())),
            None => errors.push(FieldError::required(&labels_path.key(key), why())),
        }
    }
    let expected = expected
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    if Selector::from_label_selector(Some(selector)).is_ok_and(|selector| !selector.matches(&expected)) {
        errors.push(FieldError::invalid(
            &SPEC.child("selector"),
            Json(selector),
            "`selector` not auto-generated",
        ));
    }
}

pub fn is_indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

/// Everything but the selector; `path` is the spec's.
pub fn job_spec(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let counts = [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        (
            "ttlSecondsAfterFinished",
            spec.ttl_seconds_after_finished.map(i64::from),
        ),
        (
            "backoffLimitPerIndex",
            spec.backoff_limit_per_index.map(i64::from),
        ),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ];
    for (field, value) in counts {
        meta::nonnegative(value.unwrap_or(0), &path.child(field), errors);
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        let why = "when maxFailedIndexes is specified";
        errors.push(FieldError::required(&path.child("backoffLimitPerIndex"), why));
    }
    if let Some(manager) = &spec.managed_by {
        let path = &path.child("managedBy");
        domain_prefixed_path(manager, path, errors);
        if manager.len() > 63 {
            errors.push(FieldError::too_long(path, 63));
        }
    }
    match spec.completion_mode.as_deref() {
        Some("Indexed") => indexed(spec, path, errors),
        None | Some("NonIndexed") => not_indexed(spec, path, errors),
        Some(other) => {
            let supported = &["NonIndexed", "Indexed"];
            errors.push(FieldError::not_supported(
                &path.child("completionMode"),
                other,
                supported,
            ));
        }
    }
    if let Some(policy) = &spec.pod_failure_policy {
        job_policy::failure(policy, spec, &path.child("podFailurePolicy"), errors);
    }
    if let Some(policy) = &spec.success_policy {
        let path = &path.child("successPolicy");
        if is_indexed(spec) {
            job_policy::success(policy, spec.completions.unwrap_or(0), path, errors);
        } else {
            errors.push(FieldError::invalid(
                path,
                Json(job_policy::internal(policy)),
                "requires indexed completion mode",
            ));
        }
    }
    if let Some(policy) = spec.pod_replacement_policy.as_deref() {
        let supported: &[&str] = if spec.pod_failure_policy.is_some() {
            &["Failed"]
        } else {
            &["Failed", "TerminatingOrFailed"]
        };
        if !supported.contains(&policy) {
            errors.push(FieldError::not_supported(
                &path.child("podReplacementPolicy"),
                policy,
                supported,
            ));
        }
    }
    let template_path = &path.child("template");
    pod::template(&spec.template, template_path, errors);
    restart_policy(
        spec,
        &spec.template,
        &template_path.child("spec").child("restartPolicy"),
        errors,
    );
}

fn indexed(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let (parallelism, failed) = (
        spec.parallelism.unwrap_or(0),
        spec.max_failed_indexes.unwrap_or(0),
    );
    let (parallelism_path, failed_path) = (&path.child("parallelism"), &path.child("maxFailedIndexes"));
    if spec.completions.is_none() {
        errors.push(FieldError::required(
            &path.child("completions"),
            "when completion mode is Indexed",
        ));
    }
    if parallelism > MAX_INDEXED {
        let why = format!("must be less than or equal to {MAX_INDEXED} when completion mode is Indexed");
        errors.push(FieldError::invalid(parallelism_path, parallelism, why));
    }
    if spec.completions.is_some_and(|completions| failed > completions) {
        errors.push(FieldError::invalid(
            failed_path,
            failed,
            "must be less than or equal to completions",
        ));
    }
    if failed > MAX_INDEXED {
        errors.push(FieldError::invalid(
            failed_path,
            failed,
            format!("must be less than or equal to {MAX_INDEXED}"),
        ));
    }
    if spec.completions.unwrap_or(0) <= MAX_INDEXED || spec.backoff_limit_per_index.is_none() {
        return;
    }
    if spec.max_failed_indexes.is_none() {
        let why = format!("must be specified when completions is above {MAX_INDEXED}");
        errors.push(FieldError::required(failed_path, why));
    }
    for (path, value) in [(parallelism_path, parallelism), (failed_path, failed)] {
        if value > MAX_WITH_MANY_COMPLETIONS {
            let why = format!(
                "must be less than or equal to {MAX_WITH_MANY_COMPLETIONS} when completions are above {MAX_INDEXED} \
                 and used with backoff limit per index"
            );
            errors.push(FieldError::invalid(path, value, why));
        }
    }
}

fn not_indexed(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    let fields = [
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            errors.push(FieldError::invalid(
                &path.child(field),
                value,
                "requires indexed completion mode",
            ));
        }
    }
}

fn restart_policy(spec: &JobSpec, template: &PodTemplateSpec, path: &Path, errors: &mut Errors) {
    match template
        .spec
        .as_ref()
        .map_or("", |spec| text(&spec.restart_policy))
    {
        // Defaulting writes Always where nothing was said.
        "" | "Always" => errors.push(FieldError::required(
            path,
            "valid values: \"OnFailure\", \"Never\"",
        )),
        "Never" => {}
        "OnFailure" => {
            if spec.pod_failure_policy.is_some() {
                let why = "only \"Never\" is supported when podFailurePolicy is specified";
                errors.push(FieldError::invalid(path, "OnFailure", why));
            }
        }
        other => errors.push(FieldError::not_supported(path, other, &["OnFailure", "Never"])),
    }
}

/// `example.com/path`: what controllers are called. Upstream: IsDomainPrefixedPath.
pub fn domain_prefixed_path(name: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    let Some((domain, rest)) = name
        .split_once('/')
        .filter(|(domain, rest)| !domain.is_empty() && !rest.is_empty())
    else {
        let why = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        errors.push(FieldError::invalid(path, name, why));
        return;
    };
    meta::check(content::dns1123_subdomain(domain), domain, path, errors);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !rest.bytes().all(plain) {
        let regex = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
        errors.push(FieldError::invalid(
            path,
            rest,
            content::regex_error("Invalid path", regex, &[]),
        ));
    }
}

#[inline(never)]
pub fn job_update(new: &Job, old: &Job, errors: &mut Errors) {
    let (Some(spec), Some(old_spec)) = (&new.spec, &old.spec) else {
        return;
    };
    job_spec(spec, &SPEC, errors);
    selector(spec, errors);
    completions_update(spec, old_spec, errors);
    meta::immutable(
        &spec.selector,
        &old_spec.selector,
        &SPEC.child("selector"),
        errors,
    );
    template_update(new, old, errors);
    immutable(
        &spec.completion_mode,
        &old_spec.completion_mode,
        "completionMode",
        errors,
    );
    immutable(
        &spec.pod_failure_policy,
        &old_spec.pod_failure_policy,
        "podFailurePolicy",
        errors,
    );
    immutable(
        &spec.backoff_limit_per_index,
        &old_spec.backoff_limit_per_index,
        "backoffLimitPerIndex",
        errors,
    );
    immutable(&spec.managed_by, &old_spec.managed_by, "managedBy", errors);
    immutable(
        &spec.success_policy,
        &old_spec.success_policy,
        "successPolicy",
        errors,
    );
}

fn immutable<T: PartialEq + Encode>(new: &T, old: &T, field: &str, errors: &mut Errors) {
    meta::immutable(new, old, &SPEC.child(field), errors);
}

fn completions_update(spec: &JobSpec, old: &JobSpec, errors: &mut Errors) {
    if !is_indexed(spec) {
        immutable(&spec.completions, &old.completions, "completions", errors);
        return;
    }
    let Some(completions) = spec.completions.filter(|_| spec.completions != old.completions) else {
        return;
    };
    if Some(completions) != spec.parallelism {
        let why = "can only be modified in tandem with spec.parallelism";
        errors.push(FieldError::invalid(&SPEC.child("completions"), completions, why));
    }
}

/// A suspended Job that never ran may still be steered to other nodes.
fn template_update(new: &Job, old: &Job, errors: &mut Errors) {
    let (Some(spec), Some(old_spec)) = (&new.spec, &old.spec) else {
        return;
    };
    if spec.template == old_spec.template {
        return;
    }
    let mut expected = old_spec.template.clone();
    let started = old
        .status
        .as_ref()
        .is_some_and(|status| status.start_time.is_some());
    if old_spec.suspend == Some(true) && !started {
        let mut metadata = expected.metadata.take().unwrap_or_default();
        let wanted = spec.template.metadata.clone().unwrap_or_default();
        (metadata.labels, metadata.annotations) = (wanted.labels, wanted.annotations);
        expected.metadata = Some(metadata);
        if let (Some(old), Some(new)) = (expected.spec.as_mut(), spec.template.spec.as_ref()) {
            old.node_selector.clone_from(&new.node_selector);
            old.tolerations.clone_from(&new.tolerations);
            old.scheduling_gates.clone_from(&new.scheduling_gates);
            let node_affinity = new
                .affinity
                .as_ref()
                .and_then(|affinity| affinity.node_affinity.clone());
            let mut affinity = old.affinity.take().unwrap_or_default();
            affinity.node_affinity = node_affinity;
            old.affinity =
                Some(affinity).filter(|affinity| new.affinity.is_some() || *affinity != Default::default());
            for (old, new) in old
                .containers
                .iter_mut()
                .zip(&new.containers)
                .filter(|(old, new)| old.name == new.name)
            {
                old.resources.clone_from(&new.resources);
            }
        }
    }
    if !diff::semantic_equal(&spec.template, &expected) {
        let template = Json(internal::pod_template(&spec.template));
        errors.push(FieldError::invalid(
            &SPEC.child("template"),
            template,
            meta::IMMUTABLE,
        ));
    }
}
