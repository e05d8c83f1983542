//! Watchers and reflectors.

use super::*;
use futures_util::{StreamExt, TryStreamExt, pin_mut};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event, InitialListStrategy};
use kube::runtime::{WatchStreamExt, reflector, watcher as watch};
use served::Server;

fn word(event: &Event<ConfigMap>) -> String {
    match event {
        Event::Init => "init".to_owned(),
        Event::InitApply(object) => format!("present {}", object.name_any()),
        Event::InitDone => "done".to_owned(),
        Event::Apply(object) => format!(
            "apply {}={}",
            object.name_any(),
            object.data.as_ref().unwrap()["key"]
        ),
        Event::Delete(object) => format!("delete {}", object.name_any()),
    }
}

async fn sees_every_change(strategy: InitialListStrategy) {
    let (_server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let post = PostParams::default();
    for name in ["a", "b", "c"] {
        maps.create(&post, &config_map(name, ("app", "web"), "1"))
            .await
            .unwrap();
    }
    maps.create(&post, &config_map("other", ("app", "db"), "1"))
        .await
        .unwrap();
    let config = watcher::Config {
        initial_list_strategy: strategy,
        ..watcher::Config::default().labels("app=web").page_size(2)
    };
    let events = watch(maps.clone(), config);
    pin_mut!(events);
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(word(&soon("the list", events.try_next()).await.unwrap().unwrap()));
    }
    assert_eq!(seen, ["init", "present a", "present b", "present c", "done"]);

    maps.create(&post, &config_map("d", ("app", "web"), "1"))
        .await
        .unwrap();
    let patch = Patch::Merge(json!({"data": {"key": "2"}}));
    maps.patch("a", &PatchParams::default(), &patch).await.unwrap();
    maps.patch("other", &PatchParams::default(), &patch)
        .await
        .unwrap();
    maps.delete("b", &DeleteParams::default()).await.unwrap();
    // Joins the selector, then leaves it.
    for app in ["web", "db"] {
        let patch = Patch::Merge(json!({"metadata": {"labels": {"app": app}}}));
        maps.patch("other", &PatchParams::default(), &patch)
            .await
            .unwrap();
    }
    seen.clear();
    for _ in 0..5 {
        seen.push(word(
            &soon("the changes", events.try_next()).await.unwrap().unwrap(),
        ));
    }
    assert_eq!(
        seen,
        [
            "apply d=1",
            "apply a=2",
            "delete b",
            "apply other=2",
            "delete other"
        ]
    );
}

#[tokio::test]
async fn list_then_watch() {
    sees_every_change(InitialListStrategy::ListWatch).await;
}

#[tokio::test]
async fn streaming_list() {
    sees_every_change(InitialListStrategy::StreamingList).await;
}

async fn forget_history(server: &Server) {
    let mut config = Config::new(format!("http://{}", server.address).parse().unwrap());
    config.auth_info.token = Some("admin-token".to_owned().into());
    let client = Client::try_from(config).unwrap();
    let request = http::Request::post("/debug/forget-history")
        .body(Vec::new())
        .unwrap();
    client.request_text(request).await.unwrap();
}

/// Drives a reflector until its store holds exactly these names; the errors on the way.
async fn drive_until(
    stream: &mut (impl futures_util::Stream<Item = Result<Event<ConfigMap>, watcher::Error>> + Unpin),
    store: &reflector::Store<ConfigMap>,
    names: &[String],
) -> Vec<watcher::Error> {
    let mut errors = Vec::new();
    let work = async {
        loop {
            let mut present: Vec<String> = store.state().iter().map(|object| object.name_any()).collect();
            present.sort();
            if present == names {
                return;
            }
            match stream.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => errors.push(error),
                None => panic!("a watcher does not end"),
            }
        }
    };
    soon("the store", work).await;
    errors
}

fn is_expired(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::WatchError(status) => status.code == 410 && status.reason == "Expired",
        watcher::Error::WatchStartFailed(Error::Api(status)) => status.code == 410,
        _ => false,
    }
}

/// The watch ended while nobody looked, and the history it would resume from was compacted meanwhile.
#[tokio::test]
async fn reflector_resumes_after_a_compaction() {
    for strategy in [InitialListStrategy::ListWatch, InitialListStrategy::StreamingList] {
        let (server, client) = connect().await;
        let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
        let secrets: Api<Secret> = Api::default_namespaced(client);
        let post = PostParams::default();
        for name in ["early", "stays"] {
            maps.create(&post, &config_map(name, ("app", "web"), "1"))
                .await
                .unwrap();
        }
        let (store, writer) = reflector::store();
        let config = watcher::Config {
            initial_list_strategy: strategy,
            ..watcher::Config::default().labels("app=web").timeout(1)
        };
        let stream = reflector(writer, watch(maps.clone(), config)).default_backoff();
        pin_mut!(stream);
        drive_until(&mut stream, &store, &["early".to_owned(), "stays".to_owned()]).await;

        // Nobody reads now; the open watch ends by its own time.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        maps.create(&post, &config_map("late", ("app", "web"), "1"))
            .await
            .unwrap();
        maps.delete("early", &DeleteParams::default()).await.unwrap();
        let secret: Secret = from(json!({"metadata": {"name": "moves-the-revision"}}));
        secrets.create(&post, &secret).await.unwrap();
        forget_history(&server).await;

        let errors = drive_until(&mut stream, &store, &["late".to_owned(), "stays".to_owned()]).await;
        assert!(
            errors.iter().any(is_expired),
            "the watch was resumed across a compaction: {errors:?}"
        );

        // And it goes on.
        maps.create(&post, &config_map("next", ("app", "web"), "1"))
            .await
            .unwrap();
        drive_until(
            &mut stream,
            &store,
            &["late".to_owned(), "next".to_owned(), "stays".to_owned()],
        )
        .await;
    }
}

/// The client reads too slowly: more happens than fits on the way, and then the history is compacted.
#[tokio::test]
async fn slow_reflector_is_overtaken_by_a_compaction() {
    let (server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let (store, writer) = reflector::store();
    let stream = reflector(
        writer,
        watch(maps.clone(), watcher::Config::default().labels("app=web")),
    )
    .default_backoff();
    pin_mut!(stream);
    drive_until(&mut stream, &store, &[]).await;
    let post = PostParams::default();
    maps.create(&post, &config_map("first", ("app", "web"), "1"))
        .await
        .unwrap();
    drive_until(&mut stream, &store, &["first".to_owned()]).await;

    let large = "x".repeat(900 * 1024);
    let mut names = vec!["first".to_owned()];
    for n in 0..30 {
        let name = format!("large-{n:02}");
        maps.create(&post, &config_map(&name, ("app", "web"), &large))
            .await
            .unwrap();
        names.push(name);
    }
    forget_history(&server).await;
    let errors = drive_until(&mut stream, &store, &names).await;
    assert!(
        errors.iter().any(is_expired),
        "the watch was overtaken: {errors:?}"
    );
}

#[tokio::test]
async fn metadata_only() {
    let (_server, client) = connect().await;
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let partial: Api<PartialObjectMeta<Pod>> = Api::default_namespaced(client);
    let pod: Pod = from(
        json!({"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}),
    );
    pods.create(&PostParams::default(), &pod).await.unwrap();

    let events = watch(partial, watcher::Config::default()).touched_objects();
    pin_mut!(events);
    let partial = soon("metadata", events.try_next()).await.unwrap().unwrap();
    let types = partial.types.as_ref().unwrap();
    assert_eq!(
        (types.api_version.as_str(), types.kind.as_str()),
        ("meta.k8s.io/v1", "PartialObjectMetadata")
    );
    assert_eq!(
        (partial.name_any().as_str(), partial.labels()["app"].as_str()),
        ("web", "web")
    );

    let one = pods.get_metadata("web").await.unwrap();
    assert_eq!(one.metadata.uid, partial.metadata.uid);
    let list = pods.list_metadata(&Default::default()).await.unwrap();
    assert_eq!(list.items.len(), 1);
    assert!(pods.get_metadata_opt("nobody").await.unwrap().is_none());
    let patch = Patch::Merge(json!({"metadata": {"labels": {"app": "db"}}}));
    let patched = pods
        .patch_metadata("web", &PatchParams::default(), &patch)
        .await
        .unwrap();
    assert_eq!(patched.labels()["app"], "db");
}

/// The raw verb below the watcher: event types, bookmarks, the end by time-out.
#[tokio::test]
async fn raw_watch() {
    let (_server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    maps.create(&PostParams::default(), &config_map("a", ("app", "web"), "1"))
        .await
        .unwrap();
    let params = WatchParams::default().labels("app=web").timeout(3);
    let events = soon("a watch", maps.watch(&params, "0")).await.unwrap();
    let events: Vec<WatchEvent<ConfigMap>> = soon("its end", events.try_collect()).await.unwrap();
    let (first, bookmark) = match events.as_slice() {
        [WatchEvent::Added(first), WatchEvent::Bookmark(bookmark)] => (first, bookmark),
        other => panic!("{other:?}"),
    };
    assert_eq!(first.name_any(), "a");
    assert_eq!(bookmark.types.kind, "ConfigMap");
    assert!(
        bookmark.metadata.resource_version.parse::<u64>().unwrap()
            >= first.resource_version().unwrap().parse().unwrap()
    );

    // A revision nobody has yet is refused by the list and by the watch alike.
    let future = refused(maps.list(&kube::api::ListParams::default().at("999999999")).await);
    assert_eq!((future.code, future.reason.as_str()), (504, "Timeout"));
}
