//! OpenAPI v3, generated from the schema table: what `kubectl explain`, client-side validation and
//! strategic merge in clients read.
//!
//! Source: k8s.io/kube-openapi/pkg/{builder3,handler3}.

mod paths;
mod schemas;

use super::discovery::KUBERNETES_VERSION;
use super::http::{Asked, Reply, page_not_found};
use super::sha256;
use crate::api::Status;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// The documents, one per group and version that has stored kinds.
const DOCUMENTS: &[&str] = &[
    "api/v1",
    "apis/apps/v1",
    "apis/authentication.k8s.io/v1",
    "apis/authorization.k8s.io/v1",
    "apis/autoscaling/v1",
    "apis/autoscaling/v2",
    "apis/batch/v1",
    "apis/coordination.k8s.io/v1",
    "apis/discovery.k8s.io/v1",
    "apis/events.k8s.io/v1",
    "apis/networking.k8s.io/v1",
    "apis/policy/v1",
    "apis/rbac.authorization.k8s.io/v1",
    "apis/scheduling.k8s.io/v1",
    "apis/storage.k8s.io/v1",
];

/// Serves a path below `/openapi`.
pub(super) fn serve(asked: &Asked<'_>, segments: &[&str]) -> Result<Reply, Status> {
    let Some((&"v3", document)) = segments.split_first() else {
        return Ok(page_not_found());
    };
    let accepted = asked.accept(false)?;
    if document.is_empty() {
        return Ok(Reply::value(200, &index(), accepted));
    }
    let name = document.join("/");
    if !DOCUMENTS.contains(&name.as_str()) {
        return Ok(page_not_found());
    }
    let (group, version) = match document {
        ["api", version] => ("", *version),
        ["apis", group, version] => (*group, *version),
        _ => return Ok(page_not_found()),
    };
    Ok(Reply::value(200, &document_of(group, version), accepted))
}

/// `/openapi/v3`: where each document is. Its hash lets clients cache it for good.
fn index() -> Value {
    // The documents change with the program only.
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = HASH.get_or_init(|| {
        let digest = sha256::digest(format!("{KUBERNETES_VERSION} {}", env!("CARGO_PKG_VERSION")).as_bytes());
        digest.iter().take(32).map(|byte| format!("{byte:02X}")).collect()
    });
    let paths: Map<String, Value> = DOCUMENTS
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                json!({"serverRelativeURL": format!("/openapi/v3/{name}?hash={hash}")}),
            )
        })
        .collect();
    json!({"paths": paths})
}

/// One group and version's document.
pub fn document_of(group: &str, version: &str) -> Value {
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": KUBERNETES_VERSION},
        "paths": paths::of(group, version),
        "components": {"schemas": schemas::of(group, version)},
    })
}

/// A kind in the form `x-kubernetes-group-version-kind` wants it.
fn gvk(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explain_finds_its_way() {
        let document = document_of("apps", "v1");
        let path = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments"];
        assert_eq!(
            path["get"]["x-kubernetes-group-version-kind"]["kind"],
            "Deployment"
        );
        let schemas = &document["components"]["schemas"];
        let deployment = &schemas["io.k8s.api.apps.v1.Deployment"];
        assert_eq!(deployment["x-kubernetes-group-version-kind"][0]["group"], "apps");
        assert_eq!(
            deployment["properties"]["spec"]["allOf"][0]["$ref"],
            "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"
        );
        let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
        assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
        assert_eq!(containers["x-kubernetes-patch-strategy"], "merge");
    }

    #[test]
    fn fields_name_their_values() {
        let document = document_of("", "v1");
        let field = |ty: &str, name: &str| {
            document["components"]["schemas"][format!("io.k8s.api.core.v1.{ty}")]["properties"][name].clone()
        };
        let operator = field("Toleration", "operator");
        assert_eq!(operator["enum"], json!(["Equal", "Exists", "Gt", "Lt"]));
        let description = operator["description"].as_str().unwrap();
        assert!(
            description.ends_with(concat!(
                "\n\nPossible enum values:\n - `\"Equal\"`\n - `\"Exists\"`",
                "\n - `\"Gt\"`\n - `\"Lt\"`"
            )),
            "{description}"
        );
        // Of a list's and a map's values only the names are published.
        let families = field("ServiceSpec", "ipFamilies");
        assert_eq!(families["items"]["enum"], json!(["", "IPv4", "IPv6"]));
        assert!(families["enum"].is_null());
        assert!(!families["description"].as_str().unwrap().contains("Possible"));
        let statuses = field("PersistentVolumeClaimStatus", "allocatedResourceStatuses");
        assert_eq!(
            statuses["additionalProperties"]["enum"].as_array().map(Vec::len),
            Some(5)
        );
        assert!(field("Container", "restartPolicy")["enum"].is_null(), "no +enum");
    }

    #[test]
    fn every_reference_is_defined() {
        fn references<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
            match value {
                Value::Object(map) => {
                    out.extend(map.get("$ref").and_then(Value::as_str));
                    map.values().for_each(|value| references(value, out));
                }
                Value::Array(list) => list.iter().for_each(|value| references(value, out)),
                _ => {}
            }
        }
        for name in DOCUMENTS {
            let (prefix, version) = name.rsplit_once('/').unwrap();
            let document = document_of(prefix.strip_prefix("apis/").unwrap_or(""), version);
            let mut found = Vec::new();
            references(&document, &mut found);
            assert!(!found.is_empty(), "{name}");
            for reference in found {
                let key = reference.strip_prefix("#/components/schemas/").unwrap();
                assert!(
                    !document["components"]["schemas"][key].is_null(),
                    "{name}: {reference}"
                );
            }
        }
    }
}
