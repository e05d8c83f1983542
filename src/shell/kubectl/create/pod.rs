//! `kubectl run`.

use super::super::failure::{Failure, Result, message};
use super::super::inside::check_input;
use super::super::kube::{Kube, Next, with_query};
use super::super::output::{DryRun, made};
use super::super::resource::known;
use super::{pairs, required};
use crate::api::Kind;
use serde_json::{Map, Value, json};

/// `kubectl run`
pub fn run(kube: &mut Kube) -> Result<Next> {
    required(kube, &["image"])?;
    let args = kube.call.args.clone();
    let Some(name) = args.first().filter(|_| kube.call.dash != Some(0)).cloned() else {
        return Err(Failure::Usage("NAME is required for run".to_owned(), "run"));
    };
    let image = kube.flags().text("image").to_owned();
    if image.is_empty() {
        return message("--image is required");
    }
    if image.contains(char::is_whitespace) {
        return message(format!("Invalid image name {image:?}: invalid reference format"));
    }
    if kube.flags().on("tty") && !kube.flags().on("stdin") {
        return usage("-i/--stdin is required for containers with -t/--tty=true".to_owned());
    }
    let attaching = match kube.flags().changed("attach") {
        true => kube.flags().on("attach"),
        false => kube.flags().on("stdin"),
    };
    if kube.flags().on("rm") && !attaching {
        return usage("--rm should only be used for attached containers".to_owned());
    }
    let policy = kube.flags().text("image-pull-policy");
    if !matches!(policy, "" | "Always" | "IfNotPresent" | "Never") {
        return usage(format!("invalid image pull policy: {policy}"));
    }
    let dry_run = DryRun::of(kube)?;
    if attaching && dry_run != DryRun::None {
        return usage(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)"
                .to_owned(),
        );
    }
    if attaching {
        check_input(kube, &args[1..])?;
    }
    let restart = kube.flags().text("restart").to_owned();
    if !matches!(restart.as_str(), "Always" | "OnFailure" | "Never") {
        return usage(format!("invalid restart policy: {restart}"));
    }
    let rest: Vec<String> = args[1..].to_vec();
    let mut container = json!({"name": name, "image": image, "resources": {}});
    if !rest.is_empty() {
        container[if kube.flags().on("command") {
            "command"
        } else {
            "args"
        }] = rest.into();
    }
    for flag in ["stdin", "tty"] {
        if kube.flags().on(flag) {
            container[flag] = true.into();
        }
    }
    if kube.flags().on("stdin") && !kube.flags().on("leave-stdin-open") {
        container["stdinOnce"] = true.into();
    }
    let mut env = Vec::new();
    for pair in kube.flags().list("env") {
        let Some((key, value)) = pair.split_once('=') else {
            return message(format!("invalid env: {pair}"));
        };
        env.push(json!({"name": key, "value": value}));
    }
    if !env.is_empty() {
        container["env"] = env.into();
    }
    let port = kube.flags().text("port").to_owned();
    if !port.is_empty() {
        let number: u16 = port
            .parse()
            .map_err(|_| Failure::Message(format!("strconv.Atoi: parsing {port:?}: invalid syntax")))?;
        container["ports"] = json!([{"containerPort": number}]);
    } else if kube.flags().on("expose") {
        return usage("--port must be set when exposing a service".to_owned());
    }
    if !kube.flags().text("image-pull-policy").is_empty() {
        container["imagePullPolicy"] = kube.flags().text("image-pull-policy").into();
    }
    if kube.flags().on("privileged") {
        container["securityContext"] = json!({"privileged": true});
    }
    let given = kube.flags().text("labels").to_owned();
    let labels: Value = if given.is_empty() {
        json!({"run": name})
    } else {
        labels_of(&given)?.into()
    };
    let mut metadata = json!({"name": name, "labels": labels, "creationTimestamp": null});
    let annotations = kube.flags().list("annotations");
    if !annotations.is_empty() {
        metadata["annotations"] = pairs(&annotations.join(","), "annotations")?.into();
    }
    if kube.flags().changed("namespace") {
        metadata["namespace"] = kube.namespace().into();
    }
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart}, "status": {}});
    let overrides = kube.flags().text("overrides").to_owned();
    if !overrides.is_empty() {
        let patch: Value = serde_json::from_str(&overrides)
            .map_err(|_| Failure::Message("Invalid JSON Patch".to_owned()))?;
        json_patch::merge(&mut pod, &patch);
    }
    let kind = known(Kind::Pod);
    let namespace = kube.namespace();
    let mut all = Vec::new();
    let created = if dry_run == DryRun::Client {
        pod
    } else {
        let query = [("fieldManager", "kubectl-run"), ("dryRun", dry_run.query())];
        kube.post(&with_query(&kind.collection(Some(&namespace)), &query), &pod)?
    };
    if kube.flags().on("expose") {
        let port: u16 = port.parse().unwrap_or(0);
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "creationTimestamp": null},
            "spec": {"ports": [{"port": port, "protocol": "TCP", "targetPort": port}], "selector": labels}, "status": {"loadBalancer": {}}});
        let kind = known(Kind::Service);
        let object = if dry_run == DryRun::Client {
            service
        } else {
            kube.post(
                &with_query(
                    &kind.collection(Some(&namespace)),
                    &[("fieldManager", "kubectl-run"), ("dryRun", dry_run.query())],
                ),
                &service,
            )?
        };
        made(kube, &kind, &object, "created", dry_run)?;
        all.push((kind, object));
        if kube.flags().text("output") == "yaml" {
            kube.out("---\n---\n");
        }
    }
    if attaching {
        all.push((kind, created));
        return super::attached::begin(kube, &all);
    }
    made(kube, &kind, &created, "created", dry_run)?;
    Ok(Next::Done)
}

fn usage<T>(text: String) -> Result<T> {
    Err(Failure::Usage(text, "run"))
}

/// `a=b,c=d`
fn labels_of(text: &str) -> Result<Map<String, Value>> {
    text.split(',')
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.into())),
            None => message(format!("unexpected label spec: {pair}")),
        })
        .collect()
}
