//! `create -f`, and what all of `create KIND` share.

mod attached;
pub mod config;
pub mod network;
pub mod pod;
pub mod policy;
pub mod rbac;
pub mod workload;

use super::apply::{field_validation, with_last_applied, with_last_applied_typed};
use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, with_query};
use super::manifest;
use super::output::{DryRun, done, made};
use super::resource::{Rk, Target, fail_with, known};
use crate::api::Kind;
use serde_json::{Map, Value, json};

/// `create -f`
pub fn run(kube: &mut Kube) -> Result<Next> {
    let raw = kube.flags().text("raw").to_owned();
    let files = kube.flags().list("filename");
    if files.is_empty() && !kube.call.args.is_empty() {
        let args = kube.call.args.join(" ");
        return Err(Failure::Usage(format!("Unexpected args: [{args}]"), "create"));
    }
    let dry_run = DryRun::of(kube)?;
    if !raw.is_empty() {
        let found = manifest::objects(kube, &files)?;
        for (object, _) in found {
            let answer = kube.post(&raw, &object)?;
            kube.out(&format!("{}\n", super::super::print::json::compact(&answer)));
        }
        return Ok(Next::Done);
    }
    let mut failures = Vec::new();
    for target in manifest::required(kube)? {
        if let Err(failure) = create_one(kube, &target, dry_run) {
            failures.push(failure);
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

fn create_one(kube: &mut Kube, target: &Target, dry_run: DryRun) -> Result<()> {
    let object = if kube.flags().on("save-config") {
        with_last_applied(&target.object)
    } else {
        target.object.clone()
    };
    if dry_run == DryRun::Client {
        return done(kube, &target.kind, &object, "created", dry_run);
    }
    let manager = kube.field_manager();
    let query = [
        ("fieldManager", manager.as_str()),
        ("fieldValidation", field_validation(kube)),
        ("dryRun", dry_run.query()),
    ];
    let path = with_query(&target.kind.collection(Some(&target.namespace)), &query);
    let created = kube
        .post(&path, &object)
        .map_err(|f| f.with_source("creating", target.source.as_deref()))?;
    done(kube, &target.kind, &created, "created", dry_run)
}

/// Creates a generated object, or prints it.
fn generated(kube: &mut Kube, kind: Kind, mut object: Value) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let kind = known(kind);
    object["apiVersion"] = kind.api_version().into();
    object["kind"] = kind.kind.clone().into();
    object["metadata"]["creationTimestamp"] = Value::Null;
    if kind.namespaced && kube.flags().changed("namespace") {
        object["metadata"]["namespace"] = kube.namespace().into();
    }
    if kube.flags().on("save-config") {
        object = with_last_applied_typed(object);
    }
    if dry_run == DryRun::Client {
        made(kube, &kind, &object, "created", dry_run)?;
        return Ok(Next::Done);
    }
    let manager = kube.field_manager();
    let namespace = kube.namespace();
    let query = [
        ("fieldManager", manager.as_str()),
        ("fieldValidation", "Strict"),
        ("dryRun", dry_run.query()),
    ];
    let created = kube
        .post(&with_query(&kind.collection(Some(&namespace)), &query), &object)
        .map_err(|failure| match failed_to(&kind) {
            "" => failure,
            prefix => failure.retold(prefix),
        })?;
    made(kube, &kind, &created, "created", dry_run)?;
    Ok(Next::Done)
}

/// Some generators put their own words before the server's.
fn failed_to(kind: &Rk) -> &'static str {
    match kind.kind.as_str() {
        "Deployment" => "failed to create deployment: ",
        "ConfigMap" => "failed to create configmap: ",
        "Secret" => "failed to create secret ",
        "ServiceAccount" => "failed to create serviceaccount: ",
        "Job" => "failed to create job: ",
        "CronJob" => "failed to create cronjob: ",
        "Ingress" => "failed to create ingress: ",
        "RoleBinding" => "failed to create rolebinding: ",
        "ClusterRoleBinding" => "failed to create clusterrolebinding: ",
        "Service" => "failed to create ClusterIP service: ",
        "PodDisruptionBudget" => "failed to create poddisruptionbudgets: ",
        "ResourceQuota" => "failed to create quota: ",
        "PriorityClass" => "failed to create priorityclass: ",
        _ => "",
    }
}

/// The one NAME of a generator.
fn name(kube: &Kube) -> Result<String> {
    match kube.call.args.as_slice() {
        [name] => Ok(name.clone()),
        // Behind `--` stands a command.
        [name, ..] if kube.call.dash == Some(1) => Ok(name.clone()),
        args => Err(Failure::Usage(
            format!("exactly one NAME is required, got {}", args.len()),
            kube.call.command.name,
        )),
    }
}

fn required(kube: &Kube, flags: &[&str]) -> Result<()> {
    let missing: Vec<String> = flags
        .iter()
        .filter(|f| !kube.flags().changed(f))
        .map(|f| format!("{f:?}"))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        message(format!("required flag(s) {} not set", missing.join(", ")))
    }
}

/// What stands behind `--`.
fn command(kube: &Kube) -> Vec<String> {
    let args = &kube.call.args;
    args[kube.call.dash.unwrap_or(1).min(args.len())..].to_vec()
}

pub fn namespace(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    generated(
        kube,
        Kind::Namespace,
        json!({"metadata": {"name": name}, "spec": {}, "status": {}}),
    )
}

/// `cpu=1,pods=2`
pub fn pairs(text: &str, flag: &str) -> Result<Map<String, Value>> {
    text.split(',')
        .filter(|p| !p.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.into())),
            None => message(format!("invalid argument syntax for {flag}: {pair}")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Fake;
    use super::workload::image_name;
    use serde_json::json;

    #[test]
    fn generators_print_what_the_recordings_hold() {
        let mut fake = Fake::default();
        let want = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  creationTimestamp: null\n  labels:\n    app: \"y\"\n  name: \"y\"\nspec:\n  replicas: 2\n  selector:\n    matchLabels:\n      app: \"y\"\n  strategy: {}\n  template:\n    metadata:\n      creationTimestamp: null\n      labels:\n        app: \"y\"\n    spec:\n      containers:\n      - image: nginx\n        name: nginx\n        resources: {}\nstatus: {}\n";
        assert_eq!(
            fake.run("kubectl create deploy y --image=nginx --replicas=2 --dry-run=client -o yaml")
                .0,
            want
        );
        assert!(
            fake.run("kubectl run x --image=nginx --dry-run=client -o yaml")
                .0
                .contains("  - image: nginx\n    name: x\n    resources: {}\n  dnsPolicy: ClusterFirst\n")
        );
        assert_eq!(
            fake.run("kubectl create ns").1,
            "error: exactly one NAME is required, got 0\nSee 'kubectl create namespace -h' for help and examples\n"
        );
        assert_eq!(
            fake.run("kubectl create deployment x").1,
            "error: required flag(s) \"image\" not set\n"
        );
        assert_eq!(
            fake.run(
                "kubectl create svc nodeport x --tcp=80:8080 --dry-run=client -o jsonpath='{.spec.ports}'"
            )
            .0,
            "[{\"name\":\"80-8080\",\"port\":80,\"protocol\":\"TCP\",\"targetPort\":8080}]"
        );
        assert!(fake.requests.is_empty());
        assert_eq!(image_name("registry.example/a/nginx:1.2@sha256:1"), "nginx");
        assert!(image_name("my_app.v2").starts_with("my-app-v2-"));
    }

    #[test]
    fn expose_reads_ports_and_labels() {
        let deploy = json!({"metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"spec": {"containers": [{"ports": [{"containerPort": 80}]}]}}}});
        let mut fake = Fake::default()
            .on(
                "GET /apis/apps/v1/namespaces/default/deployments/web",
                200,
                deploy,
            )
            .on(
                "POST /api/v1/namespaces/default/services",
                201,
                json!({"metadata": {"name": "web2"}}),
            );
        assert_eq!(
            fake.run("kubectl expose deploy web --name=web2 --port=8080 --target-port=80")
                .0,
            "service/web2 exposed\n"
        );
        assert_eq!(
            fake.body()["spec"],
            json!({"ports": [{"port": 8080, "protocol": "TCP", "targetPort": 80}], "selector": {"app": "web"}})
        );
    }
}
