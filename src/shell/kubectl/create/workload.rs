//! `create deployment`, `create job`, `create cronjob`.

use super::super::failure::{Result, message};
use super::super::kube::{Kube, Next, text};
use super::super::resource::{Selection, known, select};
use super::{command, generated, name, required};
use crate::api::Kind;
use crate::apiserver::sha256;
use serde_json::{Value, json};

/// `nginx:1.25` → `nginx`, as a container is named after its image. What cannot stand in a name
/// becomes a dash, and then something of its own follows.
pub(super) fn image_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let last = last.split(['@', ':']).next().unwrap_or(last);
    if !last.contains(['_', '.']) {
        return last.to_owned();
    }
    let own: String = sha256::digest(last.as_bytes())[..5]
        .iter()
        .map(|byte| b"bcdfghjklmnpqrstvwxz2456789"[usize::from(*byte) % 27] as char)
        .collect();
    format!("{}-{own}", last.replace(['_', '.'], "-"))
}

pub fn deployment(kube: &mut Kube) -> Result<Next> {
    required(kube, &["image"])?;
    let name = name(kube)?;
    let images = kube.flags().list("image");
    let command = command(kube);
    if images.len() > 1 && !command.is_empty() {
        return message("cannot specify multiple --image options and command");
    }
    let mut containers: Vec<Value> = images
        .iter()
        .map(|image| json!({"name": image_name(image), "image": image, "resources": {}}))
        .collect();
    if !command.is_empty() {
        containers[0]["command"] = command.into();
    }
    if kube.flags().changed("port") {
        containers[0]["ports"] = json!([{"containerPort": kube.flags().int("port")}]);
    }
    let labels = json!({"app": name});
    let object = json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": kube.flags().int("replicas"), "selector": {"matchLabels": labels}, "strategy": {},
            "template": {"metadata": {"creationTimestamp": null, "labels": labels}, "spec": {"containers": containers}}},
        "status": {},
    });
    generated(kube, Kind::Deployment, object)
}

pub fn job(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let from = kube.flags().text("from").to_owned();
    if from.is_empty() == kube.flags().text("image").is_empty() {
        return message("either --image or --from must be specified");
    }
    if !from.is_empty() {
        let source = match select(kube, &[from])? {
            Selection::Named(named) if named[0].0.is(Kind::CronJob) => named[0].1.clone(),
            Selection::Named(named) => {
                return message(format!("unknown object type *v1.{}", named[0].0.kind));
            }
            Selection::Types(_) => return message("from must be an existing cronjob"),
        };
        let cron = kube.get(&known(Kind::CronJob).path(&kube.namespace(), &source))?;
        let mut annotations = cron["spec"]["jobTemplate"]["metadata"]["annotations"].clone();
        if !annotations.is_object() {
            annotations = json!({});
        }
        annotations["cronjob.kubernetes.io/instantiate"] = "manual".into();
        let mut metadata = json!({"name": name, "annotations": annotations,
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": source, "uid": text(&cron, "/metadata/uid"), "controller": true}]});
        if let Some(labels) = cron.pointer("/spec/jobTemplate/metadata/labels") {
            metadata["labels"] = labels.clone();
        }
        let mut spec = cron["spec"]["jobTemplate"]["spec"].clone();
        if spec["template"].is_object() {
            spec["template"]["metadata"]["creationTimestamp"] = Value::Null;
        }
        let object = json!({"metadata": metadata, "spec": spec, "status": {}});
        return generated(kube, Kind::Job, object);
    }
    let template = job_template(kube, &name, "Never");
    generated(
        kube,
        Kind::Job,
        json!({"metadata": {"name": name}, "spec": {"template": template}, "status": {}}),
    )
}

fn job_template(kube: &Kube, name: &str, restart: &str) -> Value {
    let mut container = json!({"name": name, "image": kube.flags().text("image"), "resources": {}});
    let command = command(kube);
    if !command.is_empty() {
        container["command"] = command.into();
    }
    json!({"metadata": {"creationTimestamp": null}, "spec": {"containers": [container], "restartPolicy": restart}})
}

pub fn cronjob(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    required(kube, &["image", "schedule"])?;
    let restart = match kube.flags().text("restart") {
        "" => "OnFailure",
        given => given,
    };
    let template = job_template(kube, &name, restart);
    let object = json!({"metadata": {"name": name}, "spec": {"schedule": kube.flags().text("schedule"),
        "jobTemplate": {"metadata": {"creationTimestamp": null, "name": name}, "spec": {"template": template}}}, "status": {}});
    generated(kube, Kind::CronJob, object)
}
