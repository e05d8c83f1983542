//! `scale`.

use super::super::failure::{Result, message};
use super::super::kube::{Kube, MERGE, Next, int, text, with_query};
use super::super::output::{DryRun, Format, done};
use super::super::resource::{fail_with, live};
use serde_json::{Value, json};

pub fn scale(kube: &mut Kube) -> Result<Next> {
    if !kube.flags().changed("replicas") {
        return message("required flag(s) \"replicas\" not set");
    }
    let replicas = kube.flags().int("replicas");
    if replicas < 0 {
        return message(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        );
    }
    let dry_run = DryRun::of(kube)?;
    let args = kube.call.args.clone();
    let (targets, mut failures) = live(kube, &args)?;
    if targets.is_empty() && failures.len() == 1 {
        return message(format!("no objects passed to scale {}", failures[0].text()));
    }
    let current = kube.flags().int("current-replicas");
    let version = kube.flags().text("resource-version").to_owned();
    for target in targets {
        if dry_run == DryRun::Client {
            done(kube, &target.kind, &target.object, "scaled", dry_run)?;
            continue;
        }
        let path = format!("{}/scale", target.path());
        let outcome = if current >= 0 || !version.is_empty() {
            precise_scale(kube, &path, replicas, current, &version, dry_run)
        } else {
            kube.patch(
                &with_query(&path, &[("dryRun", dry_run.query())]),
                MERGE,
                &json!({"spec": {"replicas": replicas}}),
            )
        };
        match outcome {
            Ok(_) => {
                let shown = if Format::of(kube)?.is_some() {
                    kube.get(&target.path())?
                } else {
                    target.object.clone()
                };
                done(kube, &target.kind, &shown, "scaled", dry_run)?;
            }
            Err(failure) => failures.push(failure),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

fn precise_scale(
    kube: &mut Kube,
    path: &str,
    replicas: i64,
    current: i64,
    version: &str,
    dry_run: DryRun,
) -> Result<Value> {
    let mut scale = kube.get(path)?;
    let now = int(&scale, "/spec/replicas").unwrap_or(0);
    if current >= 0 && now != current {
        return message(format!("Expected replicas to be {current}, was {now}"));
    }
    let is = text(&scale, "/metadata/resourceVersion");
    if !version.is_empty() && is != version {
        return message(format!("Expected resource version to be {version}, was {is}"));
    }
    scale["spec"]["replicas"] = replicas.into();
    kube.put(&with_query(path, &[("dryRun", dry_run.query())]), &scale)
}
