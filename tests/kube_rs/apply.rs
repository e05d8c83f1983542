//! Server-side apply between two managers.

use super::*;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::Value;

fn web(replicas: Option<i32>, image: &str) -> Value {
    let mut spec = json!({
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}},
    });
    if let Some(replicas) = replicas {
        spec["replicas"] = replicas.into();
    }
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
}

fn managers(object: &Deployment) -> Vec<(String, String)> {
    let entries = object.managed_fields().iter();
    entries
        .map(|entry| (entry.manager.clone().unwrap(), entry.operation.clone().unwrap()))
        .collect()
}

#[tokio::test]
async fn conflict_and_force() {
    let (_server, client) = connect().await;
    let deployments: Api<Deployment> = Api::default_namespaced(client);
    let (alice, bob) = (PatchParams::apply("alice"), PatchParams::apply("bob"));
    let created = deployments
        .patch("web", &alice, &Patch::Apply(web(Some(2), "nginx:1.27")))
        .await
        .unwrap();
    assert_eq!(managers(&created)[0], ("alice".to_owned(), "Apply".to_owned()));
    let revision = created.resource_version();

    // The same again changes nothing.
    let same = deployments
        .patch("web", &alice, &Patch::Apply(web(Some(2), "nginx:1.27")))
        .await
        .unwrap();
    assert_eq!(same.metadata.generation, created.metadata.generation);

    let status = refused(
        deployments
            .patch("web", &bob, &Patch::Apply(web(Some(3), "nginx:1.27")))
            .await,
    );
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert_eq!(
        status.message,
        "Apply failed with 1 conflict: conflict with \"alice\": .spec.replicas"
    );
    let causes = &status.details.as_ref().unwrap().causes;
    assert_eq!(
        (causes[0].reason.as_str(), causes[0].field.as_str()),
        ("FieldManagerConflict", ".spec.replicas")
    );
    assert_eq!(causes[0].message, "conflict with \"alice\"");

    let forced = deployments
        .patch(
            "web",
            &bob.clone().force(),
            &Patch::Apply(web(Some(3), "nginx:1.27")),
        )
        .await
        .unwrap();
    assert_eq!(forced.spec.as_ref().unwrap().replicas, Some(3));
    assert_ne!(forced.resource_version(), revision);

    // Now it is the other's turn to be refused; who leaves a field out gives it up.
    let status = refused(
        deployments
            .patch("web", &alice, &Patch::Apply(web(Some(2), "nginx:1.27")))
            .await,
    );
    assert!(
        status.message.contains("conflict with \"bob\""),
        "{}",
        status.message
    );
    deployments
        .patch("web", &alice, &Patch::Apply(web(None, "nginx:1.27")))
        .await
        .unwrap();
    let without = deployments
        .patch("web", &bob, &Patch::Apply(web(None, "nginx:1.27")))
        .await
        .unwrap();
    assert_eq!(
        without.spec.as_ref().unwrap().replicas,
        Some(1),
        "nobody's any more: the default again"
    );
}

#[tokio::test]
async fn conflict_with_an_update() {
    let (_server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let params = PostParams {
        field_manager: Some("editor".to_owned()),
        ..PostParams::default()
    };
    maps.create(&params, &config_map("a", ("app", "web"), "1"))
        .await
        .unwrap();
    let wanted = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"key": "2", "more": "3"}});
    let status = refused(
        maps.patch("a", &PatchParams::apply("tool"), &Patch::Apply(&wanted))
            .await,
    );
    assert!(
        status
            .message
            .starts_with("Apply failed with 1 conflict: conflict with \"editor\" using v1"),
        "{}",
        status.message
    );
    let applied = maps
        .patch("a", &PatchParams::apply("tool").force(), &Patch::Apply(&wanted))
        .await
        .unwrap();
    assert_eq!(applied.data.as_ref().unwrap()["key"], "2");
    // The same again changes nothing.
    let revision = applied.metadata.resource_version;
    let same = maps
        .patch("a", &PatchParams::apply("tool"), &Patch::Apply(&wanted))
        .await
        .unwrap();
    assert_eq!(same.resource_version(), revision);
    // What an apply no longer says goes away.
    let less =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"key": "2"}});
    let applied = maps
        .patch("a", &PatchParams::apply("tool"), &Patch::Apply(&less))
        .await
        .unwrap();
    assert!(!applied.data.unwrap().contains_key("more"));
    // A dry run shows the outcome and keeps none of it.
    let dry = maps
        .patch("a", &PatchParams::apply("tool").dry_run(), &Patch::Apply(&wanted))
        .await
        .unwrap();
    assert_eq!(dry.data.unwrap()["more"], "3");
    assert!(!maps.get("a").await.unwrap().data.unwrap().contains_key("more"));
}

#[tokio::test]
async fn status_has_managers_of_its_own() {
    let (_server, client) = connect().await;
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::default_namespaced(client);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
        "spec": {"schedulerName": "nobody", "containers": [{"name": "c", "image": "nginx:1.27"}]}});
    pods.patch("a", &PatchParams::apply("maker"), &Patch::Apply(&pod))
        .await
        .unwrap();
    let status = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
        "status": {"conditions": [{"type": "company-x.example/checked", "status": "True"}]}});
    let patched = pods
        .patch_status("a", &PatchParams::apply("checker"), &Patch::Apply(&status))
        .await
        .unwrap();
    let conditions = patched.status.as_ref().unwrap().conditions.as_ref().unwrap();
    assert!(
        conditions
            .iter()
            .any(|condition| condition.type_ == "company-x.example/checked")
    );
    let entry = patched
        .managed_fields()
        .iter()
        .find(|entry| entry.manager.as_deref() == Some("checker"))
        .unwrap();
    assert_eq!(
        (entry.subresource.as_deref(), entry.operation.as_deref()),
        (Some("status"), Some("Apply"))
    );
}
