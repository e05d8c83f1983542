//! `create -f`, `create KIND` (what used to be generators), `run`, `expose`, `autoscale`.

use super::apply::{field_validation, with_last_applied};
use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, int, list, map, text, with_query};
use super::manifest;
use super::output::{DryRun, Format, done};
use super::resource::{Rk, Selection, Target, fail_with, known, live, resolve, select};
use crate::api::Kind;
use base64::Engine;
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
        object = with_last_applied(&object);
    }
    if dry_run == DryRun::Client {
        done(kube, &kind, &object, "created", dry_run)?;
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
        .map_err(|f| f.wrapped(failed_to(&kind)))?;
    done(kube, &kind, &created, "created", dry_run)?;
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
        "ResourceQuota" => "failed to create resourcequota: ",
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

/// `nginx:1.25` → `nginx`, as a container is named after its image.
fn image_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let last = last.split(['@', ':']).next().unwrap_or(last);
    last.to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>()
        .trim_matches('-')
        .to_owned()
}

pub fn namespace(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    generated(
        kube,
        Kind::Namespace,
        json!({"metadata": {"name": name}, "spec": {}, "status": {}}),
    )
}

pub fn serviceaccount(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    generated(kube, Kind::ServiceAccount, json!({"metadata": {"name": name}}))
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
            _ => return message("from must be an existing cronjob"),
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

/// `--from-literal`, `--from-file`, `--from-env-file` in order.
fn literals(kube: &mut Kube) -> Result<Map<String, Value>> {
    let mut data = Map::new();
    let mut add = |key: String, value: String| {
        if data.insert(key.clone(), value.into()).is_some() {
            return message(format!(
                "cannot add key {key:?}, another key by that name already exists in Data"
            ));
        }
        Ok(())
    };
    for file in kube.flags().list("from-file") {
        let (key, path) = file.split_once('=').map_or_else(
            || (file.rsplit('/').next().unwrap_or(&file).to_owned(), file.clone()),
            |(k, p)| (k.to_owned(), p.to_owned()),
        );
        match kube.io.session.file(&path) {
            Some(content) => add(key, content.clone())?,
            None => return message(format!("error reading {path}: no such file or directory")),
        }
    }
    for literal in kube.flags().list("from-literal") {
        let Some((key, value)) = literal.split_once('=') else {
            return message(format!("invalid literal source {literal}, expected key=value"));
        };
        add(key.to_owned(), value.trim_matches(['\'', '"']).to_owned())?;
    }
    for file in kube.flags().list("from-env-file") {
        let Some(content) = kube.io.session.file(&file).cloned() else {
            return message(format!("error reading {file}: no such file or directory"));
        };
        for line in content
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
        {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            add(key.to_owned(), value.to_owned())?;
        }
    }
    Ok(data)
}

pub fn configmap(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let data = literals(kube)?;
    let mut object = json!({"metadata": {"name": name}});
    if !data.is_empty() {
        object["data"] = data.into();
    }
    generated(kube, Kind::ConfigMap, object)
}

pub fn secret_generic(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let data: Map<String, Value> = literals(kube)?
        .into_iter()
        .map(|(key, value)| {
            (
                key,
                base64::engine::general_purpose::STANDARD
                    .encode(value.as_str().unwrap_or(""))
                    .into(),
            )
        })
        .collect();
    let mut object = json!({"metadata": {"name": name}});
    if !data.is_empty() {
        object["data"] = data.into();
    }
    if !kube.flags().text("type").is_empty() {
        object["type"] = kube.flags().text("type").into();
    }
    generated(kube, Kind::Secret, object)
}

/// `create service clusterip|nodeport|loadbalancer|externalname`
pub fn service(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let kind = match kube.call.command.name.rsplit(' ').next() {
        Some("nodeport") => "NodePort",
        Some("loadbalancer") => "LoadBalancer",
        Some("externalname") => "ExternalName",
        _ => "ClusterIP",
    };
    let tcp = kube.flags().list("tcp");
    let cluster_ip = kube.flags().text("clusterip").to_owned();
    if tcp.is_empty() && cluster_ip != "None" && kind != "ExternalName" {
        return message("at least one tcp port specifier must be provided");
    }
    let mut ports = Vec::new();
    for one in &tcp {
        let (port, target) = one.split_once(':').unwrap_or((one, one));
        let number = port
            .parse::<u16>()
            .map_err(|_| Failure::Message(format!("strconv.ParseInt: parsing {port:?}: invalid syntax")))?;
        let target: Value = target.parse::<u16>().map_or_else(|_| target.into(), Into::into);
        let mut entry =
            json!({"name": one.replace(':', "-"), "port": number, "protocol": "TCP", "targetPort": target});
        if kube.flags().int("node-port") > 0 {
            entry["nodePort"] = kube.flags().int("node-port").into();
        }
        ports.push(entry);
    }
    let labels = json!({"app": name});
    let mut spec = json!({"selector": labels, "type": kind});
    if !ports.is_empty() {
        spec["ports"] = ports.into();
    }
    if kind == "ExternalName" {
        required(kube, &["external-name"])?;
        spec["externalName"] = kube.flags().text("external-name").into();
    }
    if !cluster_ip.is_empty() {
        spec["clusterIP"] = cluster_ip.into();
    }
    generated(
        kube,
        Kind::Service,
        json!({"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"loadBalancer": {}}}),
    )
}

/// Rules of `create role` and `create clusterrole`.
fn rules(kube: &mut Kube) -> Result<Vec<Value>> {
    let verbs = kube.flags().list("verb");
    if verbs.is_empty() {
        return message("at least one verb must be specified");
    }
    let urls = kube.flags().list("non-resource-url");
    let resources = kube.flags().list("resource");
    if resources.is_empty() && urls.is_empty() {
        return message("at least one resource must be specified");
    }
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for resource in resources {
        let (word, sub) = resource
            .split_once('/')
            .map_or((resource.as_str(), String::new()), |(w, s)| (w, format!("/{s}")));
        let kind = resolve(kube, word)
            .map_err(|_| Failure::Message(format!("the server doesn't have a resource type {word:?}")))?;
        let name = format!("{}{sub}", kind.plural);
        match groups.iter_mut().find(|g| g.0 == kind.group) {
            Some(group) => group.1.push(name),
            None => groups.push((kind.group.clone(), vec![name])),
        }
    }
    let names = kube.flags().list("resource-name");
    let mut rules: Vec<Value> = groups
        .into_iter()
        .map(|(group, resources)| {
            let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
            if !names.is_empty() {
                rule["resourceNames"] = names.clone().into();
            }
            rule
        })
        .collect();
    if !urls.is_empty() {
        rules.push(json!({"nonResourceURLs": urls, "verbs": verbs}));
    }
    Ok(rules)
}

pub fn role(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let rules = rules(kube)?;
    generated(
        kube,
        Kind::Role,
        json!({"metadata": {"name": name}, "rules": rules}),
    )
}

pub fn clusterrole(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let rules = rules(kube)?;
    generated(
        kube,
        Kind::ClusterRole,
        json!({"metadata": {"name": name}, "rules": rules}),
    )
}

/// `create rolebinding` and `create clusterrolebinding`
pub fn binding(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let cluster = kube.call.command.name.ends_with("clusterrolebinding");
    let (role, cluster_role) = (
        kube.flags().text("role").to_owned(),
        kube.flags().text("clusterrole").to_owned(),
    );
    if cluster && cluster_role.is_empty() {
        return message("required flag(s) \"clusterrole\" not set");
    }
    if !cluster && role.is_empty() == cluster_role.is_empty() {
        return message("exactly one of clusterrole or role must be specified");
    }
    let group = "rbac.authorization.k8s.io";
    let mut subjects = Vec::new();
    for user in kube.flags().list("user") {
        subjects.push(json!({"apiGroup": group, "kind": "User", "name": user}));
    }
    for name in kube.flags().list("group") {
        subjects.push(json!({"apiGroup": group, "kind": "Group", "name": name}));
    }
    for account in kube.flags().list("serviceaccount") {
        let Some((namespace, name)) = account
            .split_once(':')
            .filter(|(a, b)| !a.is_empty() && !b.is_empty())
        else {
            return message("serviceaccount must be <namespace>:<name>");
        };
        subjects.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
    }
    let (kind, target) = if role.is_empty() {
        ("ClusterRole", cluster_role)
    } else {
        ("Role", role)
    };
    let mut object =
        json!({"metadata": {"name": name}, "roleRef": {"apiGroup": group, "kind": kind, "name": target}});
    if !subjects.is_empty() {
        object["subjects"] = subjects.into();
    }
    generated(
        kube,
        if cluster {
            Kind::ClusterRoleBinding
        } else {
            Kind::RoleBinding
        },
        object,
    )
}

pub fn quota(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let mut spec = json!({});
    let hard = pairs(kube.flags().text("hard"), "hard")?;
    if !hard.is_empty() {
        spec["hard"] = hard.into();
    }
    generated(
        kube,
        Kind::ResourceQuota,
        json!({"metadata": {"name": name}, "spec": spec, "status": {}}),
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

pub fn priorityclass(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let mut object = json!({"metadata": {"name": name}, "value": kube.flags().int("value"), "preemptionPolicy": kube.flags().text("preemption-policy")});
    if kube.flags().on("global-default") {
        object["globalDefault"] = true.into();
    }
    if !kube.flags().text("description").is_empty() {
        object["description"] = kube.flags().text("description").into();
    }
    generated(kube, Kind::PriorityClass, object)
}

pub fn disruption_budget(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let selector = kube.flags().text("selector").to_owned();
    if selector.is_empty() {
        return message("a selector must be specified");
    }
    let number = |text: &str| -> Value { text.parse::<i64>().map_or_else(|_| text.into(), Into::into) };
    let mut spec = json!({"selector": {"matchLabels": pairs(&selector, "selector")?}});
    match (
        kube.flags().text("min-available"),
        kube.flags().text("max-unavailable"),
    ) {
        ("", "") => return message("one of min-available or max-unavailable must be specified"),
        (least, "") => spec["minAvailable"] = number(least),
        ("", most) => spec["maxUnavailable"] = number(most),
        _ => return message("min-available and max-unavailable cannot be both specified"),
    }
    generated(
        kube,
        Kind::PodDisruptionBudget,
        json!({"metadata": {"name": name}, "spec": spec, "status": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0}}),
    )
}

/// `create ingress NAME --rule=host/path=service:port[,tls]`
pub fn ingress(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let (mut rules, mut tls): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let backend = |text: &str| -> Option<Value> {
        let (service, port) = text.split_once(':')?;
        let port = port
            .parse::<u16>()
            .map_or_else(|_| json!({"name": port}), |n| json!({"number": n}));
        Some(json!({"service": {"name": service, "port": port}}))
    };
    for rule in kube.flags().list("rule") {
        let bad = || {
            Failure::Message(format!(
                "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ))
        };
        let (main, option) = rule
            .split_once(',')
            .map_or((rule.as_str(), None), |(m, o)| (m, Some(o)));
        let (place, target) = main.split_once('=').ok_or_else(bad)?;
        let (host, path) = place.split_once('/').ok_or_else(bad)?;
        let (path, path_type) = path.strip_suffix('*').map_or((path, "Exact"), |p| (p, "Prefix"));
        let entry = json!({"path": format!("/{path}"), "pathType": path_type, "backend": backend(target).ok_or_else(bad)?});
        match rules.iter_mut().find(|r| text(r, "/host") == host) {
            Some(existing) => {
                if let Some(paths) = existing["http"]["paths"].as_array_mut() {
                    paths.push(entry);
                }
            }
            None if host.is_empty() => rules.push(json!({"http": {"paths": [entry]}})),
            None => rules.push(json!({"host": host, "http": {"paths": [entry]}})),
        }
        if let Some(option) = option.filter(|o| o.starts_with("tls")) {
            let mut one = json!({"hosts": [host]});
            if let Some((_, secret)) = option.split_once('=') {
                one["secretName"] = secret.into();
            }
            tls.push(one);
        }
    }
    let default = kube.flags().text("default-backend").to_owned();
    if rules.is_empty() && default.is_empty() {
        return message(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        );
    }
    let mut spec = json!({});
    if !rules.is_empty() {
        spec["rules"] = rules.into();
    }
    if !tls.is_empty() {
        spec["tls"] = tls.into();
    }
    if !default.is_empty() {
        spec["defaultBackend"] = backend(&default).ok_or_else(|| {
            Failure::Message("default-backend should be in format servicename:serviceport".to_owned())
        })?;
    }
    if !kube.flags().text("class").is_empty() {
        spec["ingressClassName"] = kube.flags().text("class").into();
    }
    generated(
        kube,
        Kind::Ingress,
        json!({"metadata": {"name": name}, "spec": spec, "status": {"loadBalancer": {}}}),
    )
}

pub fn token(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let path = format!(
        "{}/token",
        known(Kind::ServiceAccount).path(&kube.namespace(), &name)
    );
    let mut spec = json!({"audiences": null, "boundObjectRef": null, "expirationSeconds": null});
    let audiences = kube.flags().list("audience");
    if !audiences.is_empty() {
        spec["audiences"] = audiences.into();
    }
    let duration = kube.flags().duration("duration").as_secs();
    if duration > 0 {
        spec["expirationSeconds"] = duration.into();
    }
    let answer = kube
        .post(&path, &json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {"creationTimestamp": null}, "spec": spec, "status": {"token": "", "expirationTimestamp": null}}))
        .map_err(|f| f.wrapped("failed to create token: "))?;
    match Format::of(kube)? {
        Some(format) => format.print(kube, &answer)?,
        None => {
            let token = text(&answer, "/status/token").to_owned();
            kube.out(&format!("{token}\n"));
        }
    }
    Ok(Next::Done)
}

/// `kubectl run`
pub fn run_pod(kube: &mut Kube) -> Result<Next> {
    required(kube, &["image"])?;
    let args = kube.call.args.clone();
    let Some(name) = args.first().filter(|_| kube.call.dash != Some(0)).cloned() else {
        return Err(Failure::Usage("NAME is required for run".to_owned(), "run"));
    };
    let image = kube.flags().text("image").to_owned();
    if image.is_empty() || image.contains(char::is_whitespace) {
        return message(format!("Invalid image name {image:?}: invalid reference format"));
    }
    if kube.flags().on("stdin")
        || kube.flags().on("tty")
        || kube.flags().on("attach")
        || kube.flags().on("rm")
    {
        return message(
            "attaching to a container is not supported here: run the pod without -i, -t, --attach and --rm, then use kubectl logs",
        );
    }
    let dry_run = DryRun::of(kube)?;
    let restart = kube.flags().text("restart").to_owned();
    if !matches!(restart.as_str(), "Always" | "OnFailure" | "Never") {
        return message(format!("invalid restart policy: {restart:?}"));
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
            .map_err(|_| Failure::Message(format!("strconv.ParseInt: parsing {port:?}: invalid syntax")))?;
        container["ports"] = json!([{"containerPort": number}]);
    } else if kube.flags().on("expose") {
        return message("--port must be set when exposing a service");
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
        pairs(&given, "labels")?.into()
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
            .map_err(|e| Failure::Message(format!("invalid character in overrides: {e}")))?;
        json_patch::merge(&mut pod, &patch);
    }
    let kind = known(Kind::Pod);
    let namespace = kube.namespace();
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
        let made = if dry_run == DryRun::Client {
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
        done(kube, &kind, &made, "created", dry_run)?;
        if kube.flags().text("output") == "yaml" {
            kube.out("---\n---\n");
        }
    }
    done(kube, &kind, &created, "created", dry_run)?;
    Ok(Next::Done)
}

/// `kubectl expose`
pub fn expose(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let dry_run = DryRun::of(kube)?;
    let (targets, failures) = live(kube, &args)?;
    fail_with(failures)?;
    for target in targets {
        let object = &target.object;
        let selector: Value = match kube.flags().text("selector") {
            "" => match target.kind.kind.as_str() {
                "Service" | "ReplicationController" => object["spec"]["selector"].clone(),
                "Deployment" | "ReplicaSet" => object["spec"]["selector"]["matchLabels"].clone(),
                "Pod" => object["metadata"]["labels"].clone(),
                _ => return message(format!("cannot expose a {}", target.kind.kind)),
            },
            given => pairs(given, "selector")?.into(),
        };
        if selector.as_object().is_none_or(Map::is_empty) {
            let what = if target.kind.is(Kind::Pod) {
                "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed".to_owned()
            } else {
                format!(
                    "couldn't retrieve selectors via --selector flag or introspection: the {} has no selector set",
                    target.kind.kind.to_lowercase()
                )
            };
            return message(what);
        }
        let pod = match target.kind.kind.as_str() {
            "Pod" => &object["spec"],
            _ => &object["spec"]["template"]["spec"],
        };
        // (port, protocol) pairs that the object itself names
        let own: Vec<(i64, String)> = if target.kind.is(Kind::Service) {
            list(object, "/spec/ports")
                .iter()
                .filter_map(|p| Some((int(p, "/port")?, text(p, "/protocol").to_owned())))
                .collect()
        } else {
            list(pod, "/containers")
                .iter()
                .flat_map(|c| list(c, "/ports"))
                .filter_map(|p| Some((int(p, "/containerPort")?, text(p, "/protocol").to_owned())))
                .collect()
        };
        let protocol = kube.flags().text("protocol").to_owned();
        let mut ports: Vec<(i64, String)> = Vec::new();
        match kube.flags().text("port") {
            "" if own.is_empty() => return message("couldn't find port via --port flag or introspection"),
            "" => ports.extend(own.iter().cloned()),
            given => {
                for one in given.split(',') {
                    let number = one.parse().map_err(|_| {
                        Failure::Message(format!("strconv.ParseInt: parsing {one:?}: invalid syntax"))
                    })?;
                    let known = own
                        .iter()
                        .find(|p| p.0 == number)
                        .map_or("", |p| p.1.as_str())
                        .to_owned();
                    ports.push((number, known));
                }
            }
        }
        let several = ports.len() > 1;
        let wanted = kube.flags().text("target-port").to_owned();
        let ports: Vec<Value> = ports
            .into_iter()
            .enumerate()
            .map(|(i, (port, own))| {
                let protocol = if !protocol.is_empty() {
                    protocol.clone()
                } else if own.is_empty() {
                    "TCP".to_owned()
                } else {
                    own
                };
                let to: Value = if wanted.is_empty() {
                    port.into()
                } else {
                    wanted
                        .parse::<u16>()
                        .map_or_else(|_| wanted.clone().into(), Into::into)
                };
                let mut entry = json!({"port": port, "protocol": protocol, "targetPort": to});
                if several {
                    entry["name"] = format!("port-{}", i + 1).into();
                }
                entry
            })
            .collect();
        let name = match kube.flags().text("name") {
            "" => target.name.clone(),
            name => name.to_owned(),
        };
        let mut metadata = json!({"name": name, "creationTimestamp": null});
        let labels = kube.flags().text("labels").to_owned();
        if !labels.is_empty() {
            metadata["labels"] = pairs(&labels, "labels")?.into();
        } else if !map(object, "/metadata/labels").is_empty() {
            metadata["labels"] = object["metadata"]["labels"].clone();
        }
        if kube.flags().changed("namespace") {
            metadata["namespace"] = target.namespace.clone().into();
        }
        let mut spec = json!({"ports": ports, "selector": selector});
        for (flag, field) in [
            ("type", "type"),
            ("cluster-ip", "clusterIP"),
            ("session-affinity", "sessionAffinity"),
            ("load-balancer-ip", "loadBalancerIP"),
        ] {
            if !kube.flags().text(flag).is_empty() {
                spec[field] = kube.flags().text(flag).into();
            }
        }
        if !kube.flags().text("external-ip").is_empty() {
            spec["externalIPs"] = json!([kube.flags().text("external-ip")]);
        }
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}});
        let kind = known(Kind::Service);
        let made = if dry_run == DryRun::Client {
            service
        } else {
            let query = [("fieldManager", "kubectl-expose"), ("dryRun", dry_run.query())];
            kube.post(
                &with_query(&kind.collection(Some(&target.namespace)), &query),
                &service,
            )?
        };
        done(kube, &kind, &made, "exposed", dry_run)?;
    }
    Ok(Next::Done)
}

/// `kubectl autoscale`
pub fn autoscale(kube: &mut Kube) -> Result<Next> {
    required(kube, &["max"])?;
    let args = kube.call.args.clone();
    let dry_run = DryRun::of(kube)?;
    let (least, most, cpu) = (
        kube.flags().int("min"),
        kube.flags().int("max"),
        kube.flags().int("cpu-percent"),
    );
    if most < 1 {
        return message(format!(
            "--max=MAXPODS is required and must be at least 1, max: {most}"
        ));
    }
    if most < least {
        return message(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {most}, min: {least}"
        ));
    }
    let (targets, failures) = live(kube, &args)?;
    fail_with(failures)?;
    for target in targets {
        if !matches!(
            target.kind.kind.as_str(),
            "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet"
        ) {
            return message(format!(
                "cannot autoscale a {}: could not find scale subresource",
                target.kind.kind
            ));
        }
        let name = match kube.flags().text("name") {
            "" => target.name.clone(),
            name => name.to_owned(),
        };
        let mut spec = json!({"maxReplicas": most, "scaleTargetRef": {"apiVersion": target.kind.api_version(), "kind": target.kind.kind, "name": target.name}});
        if least > 0 {
            spec["minReplicas"] = least.into();
        }
        if cpu >= 0 {
            spec["metrics"] = json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": cpu}}}]);
        }
        let mut metadata = json!({"name": name, "creationTimestamp": null});
        if kube.flags().changed("namespace") {
            metadata["namespace"] = target.namespace.clone().into();
        }
        let object = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec, "status": {"currentMetrics": null, "desiredReplicas": 0}});
        let kind = known(Kind::HorizontalPodAutoscaler);
        let made = if dry_run == DryRun::Client {
            // kubectl itself still writes the first version.
            let mut old = object;
            old["apiVersion"] = "autoscaling/v1".into();
            old["status"] = json!({"currentReplicas": 0, "desiredReplicas": 0});
            if let Some(spec) = old["spec"].as_object_mut() {
                spec.remove("metrics");
                if cpu >= 0 {
                    spec.insert("targetCPUUtilizationPercentage".to_owned(), cpu.into());
                }
            }
            old
        } else {
            let query = [("fieldManager", "kubectl-autoscale"), ("dryRun", dry_run.query())];
            kube.post(
                &with_query(&kind.collection(Some(&target.namespace)), &query),
                &object,
            )?
        };
        done(kube, &kind, &made, "autoscaled", dry_run)?;
    }
    Ok(Next::Done)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Fake;
    use super::*;

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
        assert_eq!(image_name("k8s.gcr.io/a/Nginx_x:1.2@sha256:1"), "nginx-x");
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
