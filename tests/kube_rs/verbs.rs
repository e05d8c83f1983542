//! The verbs one by one: what comes back, and how refusals look to a client.

use super::*;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, Preconditions, ValidationDirective};

#[tokio::test]
async fn create_get_replace_delete() {
    let (_server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let post = PostParams::default();
    assert!(maps.get_opt("a").await.unwrap().is_none());
    let status = refused(maps.get("a").await);
    assert_eq!(
        (status.code, status.reason.as_str(), status.message.as_str()),
        (404, "NotFound", "configmaps \"a\" not found")
    );
    let first = maps
        .create(&post, &config_map("a", ("app", "web"), "1"))
        .await
        .unwrap();
    let status = refused(maps.create(&post, &first).await);
    assert_eq!(
        (status.code, status.message.as_str()),
        (500, "resourceVersion should not be set on objects to be created")
    );
    let status = refused(maps.create(&post, &config_map("a", ("app", "web"), "1")).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "AlreadyExists"));

    let mut changed = first.clone();
    changed
        .data
        .get_or_insert_default()
        .insert("key".to_owned(), "2".to_owned());
    let second = maps.replace("a", &post, &changed).await.unwrap();
    assert_ne!(second.resource_version(), first.resource_version());
    // Whoever still holds the first version is told so.
    let status = refused(maps.replace("a", &post, &changed).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert!(status.message.contains(
        "the object has been modified; please apply your changes to the latest version and try again"
    ));

    let stale = DeleteParams::default().preconditions(Preconditions {
        uid: None,
        resource_version: first.resource_version(),
    });
    assert_eq!(refused(maps.delete("a", &stale).await).code, 409);
    let gone = maps
        .delete("a", &DeleteParams::default())
        .await
        .unwrap()
        .right()
        .expect("a Status");
    assert!(gone.is_success());
    assert_eq!(gone.details.unwrap().uid, first.uid().unwrap());
}

#[tokio::test]
async fn entries() {
    let (_server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let post = PostParams::default();
    for round in 1..=2 {
        let mut entry = maps
            .entry("a")
            .await
            .unwrap()
            .or_insert(ConfigMap::default)
            .and_modify(|object| {
                let data = object.data.get_or_insert_default();
                let count = data.get("count").and_then(|text| text.parse().ok()).unwrap_or(0);
                data.insert("count".to_owned(), (count + 1).to_string());
            });
        entry.commit(&post).await.unwrap();
        assert_eq!(entry.get().data.as_ref().unwrap()["count"], round.to_string());
    }
    // Somebody else is quicker.
    let mut mine = maps.entry("a").await.unwrap().or_insert(ConfigMap::default);
    maps.patch(
        "a",
        &PatchParams::default(),
        &Patch::Merge(json!({"data": {"count": "9"}})),
    )
    .await
    .unwrap();
    mine.get_mut()
        .data
        .get_or_insert_default()
        .insert("more".to_owned(), "x".to_owned());
    let error = mine.commit(&post).await.unwrap_err();
    assert!(
        matches!(&error, kube::api::entry::CommitError::Save(Error::Api(status)) if status.code == 409),
        "{error}"
    );
}

#[tokio::test]
async fn patches() {
    let (_server, client) = connect().await;
    let pods: Api<Pod> = Api::default_namespaced(client);
    let pod: Pod = from(
        json!({"metadata": {"name": "web", "labels": {"app": "web", "tier": "front"}},
        "spec": {"schedulerName": "nobody", "containers": [{"name": "a", "image": "nginx:1.26"}, {"name": "b", "image": "busybox:1.36"}]}}),
    );
    pods.create(&PostParams::default(), &pod).await.unwrap();
    let params = PatchParams::default();

    let merged = pods
        .patch(
            "web",
            &params,
            &Patch::Merge(json!({"metadata": {"labels": {"tier": null, "new": "x"}}})),
        )
        .await
        .unwrap();
    assert_eq!(
        merged
            .labels()
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect::<Vec<_>>(),
        ["app=web", "new=x"]
    );

    // By the list's key: the other container stays.
    let image = json!({"spec": {"containers": [{"name": "a", "image": "nginx:1.27"}]}});
    let strategic = pods
        .patch("web", &params, &Patch::Strategic(image))
        .await
        .unwrap();
    let images: Vec<_> = strategic
        .spec
        .unwrap()
        .containers
        .into_iter()
        .map(|container| container.image.unwrap())
        .collect();
    assert_eq!(images, ["nginx:1.27", "busybox:1.36"]);

    let operations = |value| Patch::Json::<()>(serde_json::from_value(value).unwrap());
    let json_patched = pods
        .patch(
            "web",
            &params,
            &operations(json!([
                {"op": "test", "path": "/metadata/labels/app", "value": "web"},
                {"op": "replace", "path": "/metadata/labels/app", "value": "db"},
            ])),
        )
        .await
        .unwrap();
    assert_eq!(json_patched.labels()["app"], "db");
    let status = refused(
        pods.patch(
            "web",
            &params,
            &operations(json!([{"op": "test", "path": "/metadata/labels/app", "value": "web"}])),
        )
        .await,
    );
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));

    // What may not change, and what is not a field.
    let status = refused(
        pods.patch(
            "web",
            &params,
            &Patch::Merge(json!({"spec": {"containers": null}})),
        )
        .await,
    );
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    let strict = PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..params
    };
    let status = refused(
        pods.patch("web", &strict, &Patch::Merge(json!({"spec": {"bogus": 1}})))
            .await,
    );
    assert!(
        status.message.contains("unknown field \"spec.bogus\""),
        "{}",
        status.message
    );
}

#[tokio::test]
async fn lists_in_pages_and_collections_at_once() {
    let (_server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    for n in 0..7 {
        let app = if n % 2 == 0 { "even" } else { "odd" };
        maps.create(
            &PostParams::default(),
            &config_map(&format!("m-{n}"), ("app", app), ""),
        )
        .await
        .unwrap();
    }
    let mut params = ListParams::default().labels("app in (even, odd)").limit(3);
    let (mut names, mut pages) = (Vec::new(), 0);
    loop {
        let page = maps.list(&params).await.unwrap();
        names.extend(page.iter().map(ResourceExt::name_any));
        pages += 1;
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    assert_eq!((names.len(), pages), (7, 3));
    assert_eq!(
        maps.list(&ListParams::default().fields("metadata.name=m-3"))
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    let status = refused(maps.list(&ListParams::default().fields("spec.nonsense=1")).await);
    assert_eq!(status.code, 400);

    let gone = maps
        .delete_collection(&DeleteParams::default(), &ListParams::default().labels("app=odd"))
        .await
        .unwrap();
    assert!(gone.is_left() || gone.is_right());
    assert_eq!(
        maps.list(&ListParams::default().labels("app=odd"))
            .await
            .unwrap()
            .items
            .len(),
        0
    );
    assert_eq!(
        maps.list(&ListParams::default().labels("app=even"))
            .await
            .unwrap()
            .items
            .len(),
        4
    );
}

#[tokio::test]
async fn dry_runs_generated_names_and_invalid_objects() {
    let (_server, client) = connect().await;
    let secrets: Api<Secret> = Api::default_namespaced(client.clone());
    let post = PostParams::default();
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let secret: Secret = from(json!({"metadata": {"generateName": "s-"}, "stringData": {"user": "alice"}}));
    let shown = secrets.create(&dry, &secret).await.unwrap();
    assert!(shown.name_any().len() == 7 && secrets.get_opt(&shown.name_any()).await.unwrap().is_none());
    let made = secrets.create(&post, &secret).await.unwrap();
    assert_eq!(made.data.unwrap()["user"].0, b"alice");

    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let status = refused(
        maps.create(&post, &config_map("Not_A_Name", ("app", "web"), ""))
            .await,
    );
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert_eq!(status.details.unwrap().causes[0].field, "metadata.name");

    // Into a namespace that is not there.
    let nowhere: Api<ConfigMap> = Api::namespaced(client, "nowhere");
    let status = refused(nowhere.create(&post, &config_map("a", ("app", "web"), "")).await);
    assert_eq!(
        (status.code, status.message.as_str()),
        (404, "namespaces \"nowhere\" not found")
    );
}

/// Two identities: one that may do nothing, one that nobody knows.
#[tokio::test]
async fn refused_identities() {
    let (server, _admin) = connect().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&server, "viewer-token"));
    let status = refused(maps.list(&ListParams::default()).await);
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    assert!(
        status.message.starts_with("configmaps is forbidden: User \""),
        "{}",
        status.message
    );
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&server, "nobody-knows-this"));
    assert_eq!(refused(maps.list(&ListParams::default()).await).code, 401);
}
