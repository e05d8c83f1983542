//! Finding out what there is, and working with it without types.

use super::*;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use kube::discovery::{self, Discovery, Scope, verbs};
use kube::{Resource, ResourceExt};
use serde_json::Value;

#[tokio::test]
async fn groups_and_kinds() {
    let (_server, client) = connect().await;
    let version = client.apiserver_version().await.unwrap();
    assert_eq!((version.major.as_str(), version.minor.as_str()), ("1", "36"));
    let plain = Discovery::new(client.clone()).run().await.unwrap();
    let aggregated = Discovery::new(client.clone()).run_aggregated().await.unwrap();
    for found in [&plain, &aggregated] {
        for group in ["", "apps", "batch", "rbac.authorization.k8s.io"] {
            assert!(found.has_group(group), "{group}");
        }
        let (resource, capabilities) = found
            .resolve_gvk(&GroupVersionKind::gvk("apps", "v1", "Deployment"))
            .unwrap();
        assert_eq!(
            (resource.plural.as_str(), &capabilities.scope),
            ("deployments", &Scope::Namespaced)
        );
        assert!(capabilities.supports_operation(verbs::WATCH));
        let mut below: Vec<&str> = capabilities
            .subresources
            .iter()
            .map(|(sub, _)| sub.plural.as_str())
            .collect();
        below.sort_unstable();
        assert_eq!(below, ["scale", "status"]);
    }
    let group = discovery::group(&client, "apps").await.unwrap();
    assert_eq!(group.preferred_version(), Some("v1"));
    let (node, capabilities) = discovery::pinned_kind(&client, &GroupVersionKind::gvk("", "v1", "Node"))
        .await
        .unwrap();
    assert_eq!(
        (node.plural.as_str(), capabilities.scope),
        ("nodes", Scope::Cluster)
    );
}

/// Everything that can be listed lists, and every object found can be read again.
#[tokio::test]
async fn every_kind_lists() {
    let (_server, client) = connect().await;
    let found = Discovery::new(client.clone()).run_aggregated().await.unwrap();
    let (mut kinds, mut objects) = (0, 0);
    for group in found.groups() {
        for (resource, capabilities) in group.recommended_resources() {
            if !capabilities.supports_operation(verbs::LIST) {
                continue;
            }
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
            let list = api
                .list(&ListParams::default())
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", resource.kind));
            kinds += 1;
            for object in list {
                let api: Api<DynamicObject> = match object.namespace() {
                    Some(namespace) => Api::namespaced_with(client.clone(), &namespace, &resource),
                    None => Api::all_with(client.clone(), &resource),
                };
                if !capabilities.supports_operation(verbs::GET) {
                    continue;
                }
                if let Some(again) = api.get_opt(&object.name_any()).await.unwrap() {
                    assert_eq!(
                        again.uid(),
                        object.uid(),
                        "{} {}",
                        resource.kind,
                        object.name_any()
                    );
                    objects += 1;
                }
            }
        }
    }
    assert!(kinds >= 34 && objects >= 20, "{kinds} kinds, {objects} objects");
}

#[tokio::test]
async fn dynamic_objects_and_tables() {
    let (_server, client) = connect().await;
    let resource = ApiResource::erase::<ConfigMap>(&());
    let maps: Api<DynamicObject> = Api::default_namespaced_with(client.clone(), &resource);
    let wanted = DynamicObject::new("a", &resource).data(json!({"data": {"key": "1"}}));
    maps.patch("a", &PatchParams::apply("tool"), &Patch::Apply(&wanted))
        .await
        .unwrap();
    assert_eq!(maps.get("a").await.unwrap().data["data"]["key"], "1");

    let request = http::Request::get(format!("{}?", ConfigMap::url_path(&(), Some(DEMO))))
        .header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())
        .unwrap();
    let table: Value = client.request(request).await.unwrap();
    assert_eq!(table["kind"], "Table");
    let columns: Vec<&str> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|column| column["name"].as_str())
        .collect();
    assert_eq!(columns, ["Name", "Data", "Age"]);
    let cells = |name: &str| {
        table["rows"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["cells"][0] == name)
            .unwrap()["cells"][1]
            .clone()
    };
    assert_eq!(cells("a"), 1);
}
