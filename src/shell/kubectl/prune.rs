//! `apply --prune`: what was applied once and is not among the manifests any more.
//!
//! Source: k8s.io/kubectl/pkg/cmd/apply/prune.go.

use super::apply::LAST_APPLIED;
use super::failure::{Failure, Result, message};
use super::kube::{Kube, text, with_query};
use super::output::{DryRun, done};
use super::resource::{Rk, known, list_pages};
use crate::api::Kind;
use serde_json::{Value, json};

/// What may be pruned when nothing is named.
const NAMESPACED: [Kind; 14] = [
    Kind::ConfigMap,
    Kind::Endpoints,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Secret,
    Kind::Service,
    Kind::Job,
    Kind::CronJob,
    Kind::Ingress,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
];
const CLUSTER_WIDE: [Kind; 2] = [Kind::Namespace, Kind::PersistentVolume];

/// What `--prune` needs beside it, before anything is applied.
/// # Errors
/// kubectl's words.
pub fn check(kube: &Kube) -> Result<()> {
    let flags = kube.flags();
    let (all, selected) = (flags.on("all"), !flags.text("selector").is_empty());
    if !flags.on("prune") {
        return Ok(());
    }
    if all && selected {
        return message("cannot set --all and --selector at the same time");
    }
    if !all && !selected {
        return message(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
        );
    }
    allowed(kube).map(|_| ())
}

/// The kinds `--prune-allowlist` names, within namespaces and beyond.
fn allowed(kube: &Kube) -> Result<(Vec<Rk>, Vec<Rk>)> {
    let (mut within, mut wide): (Vec<Rk>, Vec<Rk>) = (Vec::new(), Vec::new());
    for one in &kube.flags().list("prune-allowlist") {
        let parts: Vec<&str> = one.split('/').collect();
        let [group, version, kind] = parts.as_slice() else {
            return message(format!(
                "invalid GroupVersionKind format: {one}, please follow <group/version/kind>"
            ));
        };
        let api_version = match *group {
            "core" | "" => (*version).to_owned(),
            group => format!("{group}/{version}"),
        };
        let Some(found) = Kind::by_api_version(&api_version, kind).map(known) else {
            return message(format!("no matches for kind {kind:?} in version {api_version:?}"));
        };
        if found.namespaced { &mut within } else { &mut wide }.push(found);
    }
    Ok((within, wide))
}

/// Deletes what was applied and has none of these UIDs.
/// # Errors
/// The API server's Status.
pub fn prune(kube: &mut Kube, visited: &[String], namespaces: &[String], dry_run: DryRun) -> Result<()> {
    let (mut within, mut wide) = allowed(kube)?;
    if within.is_empty() && wide.is_empty() {
        within = NAMESPACED.into_iter().map(known).collect();
        wide = CLUSTER_WIDE.into_iter().map(known).collect();
        kube.err("W1 prune.go:71] Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.\n");
    }
    for namespace in namespaces {
        for kind in &within {
            prune_kind(kube, kind, Some(namespace), visited, dry_run)?;
        }
    }
    for kind in &wide {
        prune_kind(kube, kind, None, visited, dry_run)?;
    }
    Ok(())
}

fn prune_kind(
    kube: &mut Kube,
    kind: &Rk,
    namespace: Option<&str>,
    visited: &[String],
    dry_run: DryRun,
) -> Result<()> {
    let selector = kube.flags().text("selector").to_owned();
    let path = with_query(&kind.collection(namespace), &[("labelSelector", &selector)]);
    let gone = |object: &Value| {
        object["metadata"]["annotations"].get(LAST_APPLIED).is_some()
            && !visited.iter().any(|uid| uid == text(object, "/metadata/uid"))
    };
    for object in list_pages(kube, &path)?.iter().filter(|object| gone(object)) {
        if dry_run != DryRun::Client {
            let path = with_query(
                &kind.path(namespace.unwrap_or(""), text(object, "/metadata/name")),
                &[("dryRun", dry_run.query())],
            );
            let cascade = match kube.flags().text("cascade") {
                "orphan" => "Orphan",
                "foreground" => "Foreground",
                _ => "Background",
            };
            kube.delete(
                &path,
                &json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": cascade}),
            )
            .or_else(|failure: Failure| {
                if failure.is_not_found() {
                    Ok(Value::Null)
                } else {
                    Err(failure)
                }
            })?;
        }
        done(kube, kind, object, "pruned", dry_run)?;
    }
    Ok(())
}
