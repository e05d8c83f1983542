//! `create role`, `create clusterrole`, their bindings, `create serviceaccount`, `create token`.

use super::super::failure::{Failure, Result, message};
use super::super::kube::{Kube, Next, text};
use super::super::output::Format;
use super::super::resource::{known, resolve};
use super::{generated, name, pairs};
use crate::api::Kind;
use serde_json::{Value, json};

pub fn serviceaccount(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    generated(kube, Kind::ServiceAccount, json!({"metadata": {"name": name}}))
}

/// The verbs of RBAC that mean something to the API server.
const VERBS: [&str; 15] = [
    "*",
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
];

/// Rules of `create role` and `create clusterrole`.
fn rules(kube: &mut Kube) -> Result<Vec<Value>> {
    let verbs = kube.flags().list("verb");
    if verbs.is_empty() {
        return message("at least one verb must be specified");
    }
    let urls = kube.flags().list("non-resource-url");
    let resources = kube.flags().list("resource");
    if resources.is_empty() && urls.is_empty() {
        return message(if kube.call.command.name.ends_with("clusterrole") {
            "one of resource or nonResourceURL must be specified"
        } else {
            "at least one resource must be specified"
        });
    }
    if urls.iter().any(|url| url != "*" && !url.starts_with('/')) {
        return message("nonResourceURL should start with /");
    }
    for verb in verbs.iter().filter(|_| !resources.is_empty()) {
        if !VERBS.contains(&verb.as_str()) {
            kube.err(&format!("Warning: '{verb}' is not a standard resource verb\n"));
        }
    }
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for resource in resources {
        let (word, sub) = resource
            .split_once('/')
            .map_or((resource.as_str(), String::new()), |(w, s)| (w, format!("/{s}")));
        if word == "*" {
            groups.push((String::new(), vec![resource.clone()]));
            continue;
        }
        let kind = resolve(kube, word).map_err(|failure| Failure::Plain(failure.text()))?;
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
    let aggregated = kube.flags().text("aggregation-rule").to_owned();
    if !aggregated.is_empty() {
        let flags = ["verb", "resource", "resource-name", "non-resource-url"];
        if flags.iter().any(|flag| kube.flags().changed(flag)) {
            return message("aggregation rule must be specified without any other rules");
        }
        let labels = pairs(&aggregated, "aggregation-rule")?;
        let rule = json!({"clusterRoleSelectors": [{"matchLabels": labels}]});
        return generated(
            kube,
            Kind::ClusterRole,
            json!({"metadata": {"name": name}, "aggregationRule": rule, "rules": null}),
        );
    }
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
        .map_err(|f| f.retold("failed to create token: "))?;
    match Format::of(kube)? {
        Some(format) => format.print_typed(kube, &answer)?,
        None => {
            let token = text(&answer, "/status/token").to_owned();
            kube.out(&format!("{token}\n"));
        }
    }
    Ok(Next::Done)
}
