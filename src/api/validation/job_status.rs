//! What a Job's status may say.
//!
//! Source: kubernetes/pkg/apis/batch/validation/validation.go.

use super::batch::is_indexed;
use super::field::{self, FieldError, Internal, Json, Path, Raw};
use super::job_policy::indexes;
use super::meta::{self, Errors};
use crate::api::sorted::SortedSet;
use k8s_openapi::api::batch::v1::{Job, JobStatus, UncountedTerminatedPods};

pub fn has(status: Option<&JobStatus>, condition: &str) -> bool {
    let conditions = status
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or(&[]);
    conditions
        .iter()
        .any(|own| own.type_ == condition && own.status == "True")
}

/// A Job's status, which only moves forward.
#[inline(never)]
pub fn status(new: &Job, old: &Job, errors: &mut Errors) {
    let path = &Path::root("status");
    let Some(status) = &new.status else { return };
    let default = JobStatus::default();
    let old_status = old.status.as_ref().unwrap_or(&default);
    let counts = [
        ("active", status.active),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("ready", status.ready),
        ("terminating", status.terminating),
    ];
    for (field, value) in counts {
        meta::nonnegative_opt(value, &path.child(field), errors);
    }
    if let Some(uncounted) = &status.uncounted_terminated_pods {
        uncounted_pods(uncounted, &path.child("uncountedTerminatedPods"), errors);
    }
    conditions(new, status, path, errors);
    finished(status, path, errors);
    for condition in ["Failed", "Complete", "FailureTarget"] {
        if has(Some(old_status), condition) && !has(Some(status), condition) {
            let why = format!("cannot disable the terminal {condition}=True condition");
            errors.push(FieldError::invalid(&path.child("conditions"), Raw(""), why));
        }
    }
    let counters = [
        ("failed", status.failed, old_status.failed),
        ("succeeded", status.succeeded, old_status.succeeded),
    ];
    for (field, new, old) in counters {
        if new.unwrap_or(0) < old.unwrap_or(0) {
            let why = format!("cannot decrease the {field} counter");
            errors.push(FieldError::invalid(&path.child(field), new.unwrap_or(0), why));
        }
    }
    if let (Some(time), Some(before)) = (&status.completion_time, &old_status.completion_time) {
        if time != before {
            errors.push(FieldError::invalid(
                &path.child("completionTime"),
                Json(time),
                meta::IMMUTABLE,
            ));
        }
    }
    let suspended = new.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
    if old_status.start_time.is_some() && old_status.start_time != status.start_time && !suspended {
        let why = "startTime cannot be removed for unsuspended job";
        errors.push(FieldError::required(&path.child("startTime"), why));
    }
}

fn uncounted_pods(uncounted: &UncountedTerminatedPods, path: &Path, errors: &mut Errors) {
    let mut seen = SortedSet::new();
    for (field, uids) in [("succeeded", &uncounted.succeeded), ("failed", &uncounted.failed)] {
        let path = path.child(field);
        for (i, uid) in uids.iter().flatten().enumerate() {
            if uid.is_empty() {
                errors.push(FieldError::invalid(&path.index(i), uid, "must not be empty"));
            } else if !seen.insert(uid) {
                errors.push(FieldError::duplicate(&path.index(i), uid));
            }
        }
    }
}

/// Conditions that exclude or require each other.
pub fn conditions(job: &Job, status: &JobStatus, path: &Path, errors: &mut Errors) {
    let conditions_path = &path.child("conditions");
    let [complete, failed, target, criteria] =
        ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"].map(|name| has(Some(status), name));
    let mut refuse = |wrong: bool, why: &str| {
        if wrong {
            errors.push(FieldError::invalid(conditions_path, Raw(""), why));
        }
    };
    refuse(
        complete && failed,
        "cannot set Complete=True and Failed=true conditions",
    );
    refuse(
        complete && target,
        "cannot set Complete=True and FailureTarget=true conditions",
    );
    refuse(
        failed && !target,
        "cannot set Failed=True condition without the FailureTarget=true condition",
    );
    refuse(
        complete && !criteria,
        "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
    );
    refuse(
        criteria && failed,
        "cannot set SuccessCriteriaMet=True and Failed=true conditions",
    );
    refuse(
        criteria && target,
        "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
    );
    let time_path = &path.child("completionTime");
    match &status.completion_time {
        Some(time) if !complete => {
            let why = "cannot set completionTime when there is no Complete=True condition";
            errors.push(FieldError::invalid(time_path, Json(time), why));
        }
        None if complete => {
            errors.push(FieldError::required(
                time_path,
                "completionTime is required for Complete jobs",
            ));
        }
        Some(time) if status.start_time.as_ref().is_some_and(|start| time.0 < start.0) => {
            errors.push(FieldError::invalid(
                time_path,
                Json(time),
                "must be equal to or after `startTime`",
            ));
        }
        _ => {}
    }
    let Some(spec) = &job.spec else { return };
    let completed = status.completed_indexes.as_deref().unwrap_or("");
    let completed_path = &path.child("completedIndexes");
    if let Some(Err(why)) = spec
        .completions
        .map(|completions| indexes(completed, completions))
    {
        errors.push(FieldError::invalid(
            completed_path,
            completed,
            format!("error parsing completedIndexes: {why}"),
        ));
    }
    if !completed.is_empty() && !is_indexed(spec) {
        let why = "cannot set non-empty completedIndexes when non-indexed completion mode";
        errors.push(FieldError::invalid(completed_path, completed, why));
    }
    if let Some(failed) = status
        .failed_indexes
        .as_deref()
        .filter(|_| spec.backoff_limit_per_index.is_none())
    {
        let why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        errors.push(FieldError::invalid(&path.child("failedIndexes"), failed, why));
    }
    let (ready, active) = (status.ready.unwrap_or(0), status.active.unwrap_or(0));
    if ready > active {
        errors.push(FieldError::invalid(
            &path.child("ready"),
            ready,
            "cannot set more ready pods than active",
        ));
    }
}

/// What a finished Job can no longer have.
fn finished(status: &JobStatus, path: &Path, errors: &mut Errors) {
    if !has(Some(status), "Complete") && !has(Some(status), "Failed") {
        return;
    }
    for (field, value) in [("active", status.active), ("terminating", status.terminating)] {
        let value = value.unwrap_or(0);
        if value > 0 {
            let why = format!("{field}>0 is invalid for finished job");
            errors.push(FieldError::invalid(&path.child(field), value, why));
        }
    }
    if status.start_time.is_none() {
        errors.push(FieldError::required(
            &path.child("startTime"),
            "startTime is required for finished job",
        ));
    }
    let uncounted = status.uncounted_terminated_pods.as_ref();
    let some = |uids: &Option<Vec<String>>| uids.as_ref().is_some_and(|uids| !uids.is_empty());
    if let Some(pods) = uncounted.filter(|pods| some(&pods.failed) || some(&pods.succeeded)) {
        let internal = Internal([
            ("Succeeded", field::value(&pods.succeeded)),
            ("Failed", field::value(&pods.failed)),
        ]);
        let path = &path.child("uncountedTerminatedPods");
        errors.push(FieldError::invalid(
            path,
            internal,
            "must be empty for finished job",
        ));
    }
}
