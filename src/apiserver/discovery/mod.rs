//! What the server says about itself: groups, versions, resources, health, version, OpenAPI.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/discovery, …/server/healthz.

mod health;
mod resources;

pub use resources::{Announced, announced, stored};

use super::ApiServer;
use super::bootstrap::APISERVER_ADDRESS;
use super::http::{Asked, Reply, aggregated_discovery, method_not_allowed, page_not_found};
use crate::api::Status;
use crate::api::order::StableSort;
use http::{Method, header};
use resources::{GROUPS, Group, Resource};
use serde_json::{Value, json};

/// The version of Kubernetes this server answers as.
pub const KUBERNETES_VERSION: &str = "v1.36.3";

/// True for a group and version that has any resource.
pub fn serves(group: &str, version: &str) -> bool {
    (group.is_empty() && version == "v1")
        || GROUPS
            .iter()
            .any(|g| g.name == group && g.versions.contains(&version))
}

/// Serves a path that names no resource.
pub(super) fn serve(server: &mut ApiServer, asked: &Asked<'_>) -> Result<Reply, Status> {
    let segments: Vec<&str> = asked
        .path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let is_discovery = matches!(segments.as_slice(), ["api" | "apis" | "version", ..]);
    if *asked.method != Method::GET && is_discovery {
        return Err(method_not_allowed());
    }
    if let Some(reply) = health::serve(server, &segments, asked.query.get("verbose").is_some()) {
        return Ok(reply);
    }
    let aggregated = aggregated_discovery(asked.header(&header::ACCEPT));
    let value = match segments.as_slice() {
        [] => json!({"paths": paths()}),
        ["version"] => version(),
        ["api"] => match aggregated {
            Some(version) => return Ok(aggregate(asked, version, &[&resources::CORE])),
            None => json!({
                "kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": format!("{APISERVER_ADDRESS}:{}", server.config.secure_port)}],
            }),
        },
        ["apis"] => match aggregated {
            Some(version) => return Ok(aggregate(asked, version, &GROUPS.iter().collect::<Vec<_>>())),
            None => {
                let groups: Vec<Value> = GROUPS.iter().map(group_value).collect();
                json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
            }
        },
        ["api", "v1"] => {
            // The oldest of all: it came before lists had a version.
            json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": list(&resources::CORE, "v1")})
        }
        ["apis", name] => match GROUPS.iter().find(|group| group.name == *name) {
            Some(group) => {
                let mut value = group_value(group);
                value["kind"] = "APIGroup".into();
                value["apiVersion"] = "v1".into();
                value
            }
            None => return Ok(page_not_found()),
        },
        ["apis", name, version] => {
            match GROUPS
                .iter()
                .find(|group| group.name == *name && group.versions.contains(version))
            {
                Some(group) => json!({
                    "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": format!("{name}/{version}"),
                    "resources": list(group, version),
                }),
                None => return Ok(page_not_found()),
            }
        }
        ["openapi", ..] => return super::openapi::serve(asked, &segments[1..]),
        [".well-known", "openid-configuration"] => json!({
            "issuer": "https://kubernetes.default.svc.cluster.local", "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["HS256"],
        }),
        _ => return Ok(page_not_found()),
    };
    let mut accepted = asked.accept(false)?;
    if segments == ["version"] || segments.is_empty() {
        // The real server indents these for everybody.
        accepted.pretty = true;
    }
    Ok(Reply::value(200, &value, accepted))
}

fn version() -> Value {
    let minor = KUBERNETES_VERSION.split('.').nth(1).unwrap_or("");
    let before = minor.parse::<u32>().unwrap_or(1).saturating_sub(1).to_string();
    json!({
        "major": "1", "minor": minor, "emulationMajor": "1", "emulationMinor": minor,
        "minCompatibilityMajor": "1", "minCompatibilityMinor": before,
        "gitVersion": KUBERNETES_VERSION, "gitCommit": "kube-by-hand", "gitTreeState": "clean",
        "buildDate": "2026-04-01T00:00:00Z", "goVersion": "none", "compiler": "rustc", "platform": "linux/amd64",
    })
}

fn group_value(group: &Group) -> Value {
    let version =
        |version: &&str| json!({"groupVersion": format!("{}/{version}", group.name), "version": version});
    let versions: Vec<Value> = group.versions.iter().map(version).collect();
    json!({"name": group.name, "preferredVersion": versions[0], "versions": versions})
}

/// `APIResourceList.resources`, by name.
fn list(group: &Group, version: &str) -> Vec<Value> {
    let mut out = Vec::new();
    for resource in resources::of(group.name, version) {
        let mut row = json!({
            "name": resource.plural, "singularName": resource.singular(), "namespaced": resource.namespaced,
            "kind": resource.kind, "verbs": resource.verbs,
        });
        if !resource.short_names.is_empty() {
            row["shortNames"] = json!(resource.short_names);
        }
        if !resource.categories.is_empty() {
            row["categories"] = json!(resource.categories);
        }
        if let Some(hash) = resource.storage_hash() {
            row["storageVersionHash"] = hash.into();
        }
        out.push((resource.plural.to_owned(), row));
        for sub in resource.subresources() {
            let name = format!("{}/{}", resource.plural, sub.name);
            let mut row = json!({
                "name": name, "singularName": "", "namespaced": resource.namespaced, "kind": sub.kind, "verbs": sub.verbs,
            });
            if let Some((group, version)) = sub.foreign {
                row["group"] = group.into();
                row["version"] = version.into();
            }
            out.push((name, row));
        }
    }
    out.stable_sort_by(|a, b| a.0.cmp(&b.0));
    out.into_iter().map(|(_, row)| row).collect()
}

/// All groups in one answer. Source: k8s.io/apiserver/pkg/endpoints/discovery/aggregated.
fn aggregate(asked: &Asked<'_>, version: &str, groups: &[&Group]) -> Reply {
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let versions: Vec<Value> = group
                .versions
                .iter()
                .map(|version| {
                    let mut resources = resources::of(group.name, version);
                    resources.stable_sort_by_key(|resource| resource.plural);
                    let resources: Vec<Value> = resources.iter().map(aggregated_resource).collect();
                    json!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            let metadata = if group.name.is_empty() {
                json!({})
            } else {
                json!({"name": group.name})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let value = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"), "metadata": {}, "items": items,
    });
    let accepted = super::http::Accepted {
        pretty: asked.pretty(),
        ..Default::default()
    };
    let content_type = match version {
        "v2" => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        _ => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
    };
    match Reply::value(200, &value, accepted) {
        Reply::Body {
            code,
            content,
            warnings,
            ..
        } => Reply::Body {
            code,
            content_type,
            content,
            warnings,
        },
        other => other,
    }
}

fn aggregated_resource(resource: &Resource) -> Value {
    let kind =
        |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut row = json!({
        "resource": resource.plural, "responseKind": kind("", "", resource.kind),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular(), "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        row["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        row["categories"] = json!(resource.categories);
    }
    let mut subresources = resource.subresources();
    subresources.stable_sort_by_key(|sub| sub.name);
    if !subresources.is_empty() {
        let rows = subresources.iter().map(|sub| {
            let (group, version) = sub.foreign.unwrap_or(("", ""));
            json!({"subresource": sub.name, "responseKind": kind(group, version, &sub.kind), "verbs": sub.verbs})
        });
        row["subresources"] = rows.collect();
    }
    row
}

fn paths() -> Vec<String> {
    let mut paths: Vec<String> = [
        "/.well-known/openid-configuration",
        "/api",
        "/api/v1",
        "/apis",
        "/apis/",
    ]
    .map(str::to_owned)
    .into();
    for group in GROUPS {
        paths.push(format!("/apis/{}", group.name));
        paths.extend(
            group
                .versions
                .iter()
                .map(|version| format!("/apis/{}/{version}", group.name)),
        );
    }
    for root in ["/healthz", "/livez", "/readyz"] {
        paths.push(root.to_owned());
        paths.extend(health::checks(root).map(|check| format!("{root}/{check}")));
    }
    paths.extend(["/openapi/v2", "/openapi/v3", "/version"].map(str::to_owned));
    paths.stable_sort();
    paths
}

#[cfg(test)]
mod tests;
