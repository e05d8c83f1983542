//! CronJobs.
//!
//! Source: kubernetes/pkg/apis/batch/validation/validation.go.

use super::batch::job_spec;
use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors};
use super::workloads::SPEC;
use super::{content, cron, text};
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, JobSpec};

/// The controller appends eleven characters to the names of Jobs, which are labels of Pods.
const MAX_CRON_JOB_NAME: usize = 52;

#[inline(never)]
pub fn cron_job(job: &CronJob, errors: &mut Errors) {
    cron_spec(&job.spec, None, errors);
    let name = text(&job.metadata.name);
    if name.len() > MAX_CRON_JOB_NAME {
        let why = content::max_len_error(MAX_CRON_JOB_NAME);
        errors.push(FieldError::invalid(
            &Path::root("metadata").child("name"),
            name,
            why,
        ));
    }
}

#[inline(never)]
pub fn cron_job_update(new: &CronJob, old: &CronJob, errors: &mut Errors) {
    cron_spec(&new.spec, Some(&old.spec), errors);
}

fn cron_spec(spec: &CronJobSpec, old: Option<&CronJobSpec>, errors: &mut Errors) {
    let path = &SPEC.child("schedule");
    let schedule = &spec.schedule;
    if schedule.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        if let Err(why) = cron::check(schedule) {
            errors.push(FieldError::invalid(path, schedule, why));
        }
        if schedule.contains("TZ") {
            let allowed = old.is_some_and(|old| old.schedule.contains("TZ"));
            if !allowed {
                let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
                errors.push(FieldError::invalid(path, schedule, why));
            } else if spec.time_zone.is_some() {
                let why = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
                errors.push(FieldError::invalid(path, schedule, why));
            }
        }
    }
    meta::nonnegative(
        spec.starting_deadline_seconds.unwrap_or(0),
        &SPEC.child("startingDeadlineSeconds"),
        errors,
    );
    if old.is_none_or(|old| old.time_zone != spec.time_zone) {
        if let Some(zone) = &spec.time_zone {
            time_zone(zone, &SPEC.child("timeZone"), errors);
        }
    }
    let path = &SPEC.child("concurrencyPolicy");
    match text(&spec.concurrency_policy) {
        "Allow" | "Forbid" | "Replace" => {}
        "" => errors.push(FieldError::required(path, "")),
        other => errors.push(FieldError::not_supported(
            path,
            other,
            &["Allow", "Forbid", "Replace"],
        )),
    }
    let template_path = &SPEC.child("jobTemplate");
    let path = &template_path.child("spec");
    let default = JobSpec::default();
    let job = spec.job_template.spec.as_ref().unwrap_or(&default);
    job_spec(job, path, errors);
    if let Some(selector) = &job.selector {
        errors.push(FieldError::invalid(
            &path.child("selector"),
            Json(selector),
            "`selector` will be auto-generated",
        ));
    }
    if job.manual_selector == Some(true) {
        errors.push(FieldError::not_supported(
            &path.child("manualSelector"),
            true,
            &["nil", "false"],
        ));
    }
    meta::nonnegative_opt(
        spec.successful_jobs_history_limit,
        &SPEC.child("successfulJobsHistoryLimit"),
        errors,
    );
    meta::nonnegative_opt(
        spec.failed_jobs_history_limit,
        &SPEC.child("failedJobsHistoryLimit"),
        errors,
    );
}

fn time_zone(zone: &str, path: &Path, errors: &mut Errors) {
    if zone.is_empty() {
        errors.push(FieldError::invalid(
            path,
            zone,
            "timeZone must be nil or non-empty string",
        ));
        return;
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte);
    let fits = |part: &str| {
        part != "."
            && part != ".."
            && !part.starts_with('-')
            && (1..=14).contains(&part.len())
            && part.bytes().all(plain)
    };
    let local = zone.eq_ignore_ascii_case("local");
    if local {
        let why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.push(FieldError::invalid(path, zone, why));
    }
    if !zone.split('/').all(fits) || !(cron::is_known_zone(zone) || zone == "Local") {
        errors.push(FieldError::invalid(
            path,
            zone,
            format!("unknown time zone {zone}"),
        ));
    }
}
