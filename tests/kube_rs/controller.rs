//! A controller as kube's guides write one: it owns a child, and a finalizer cleans up behind it.

use super::*;
use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Event as CoreEvent;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::events::{Event as Note, EventType, Recorder, Reporter};
use kube::runtime::finalizer::{Event as FinalizerEvent, finalizer};
use kube::runtime::watcher;
use kube::{Resource, ResourceExt};
use std::sync::Arc;

const FINALIZER: &str = "company-x.example/clean-up";

struct Context {
    client: Client,
}

#[derive(Debug)]
struct Failed(String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

fn failed(error: impl std::fmt::Display) -> Failed {
    Failed(error.to_string())
}

/// Every parent gets a child with its data; a parent that goes leaves a note in the ledger.
async fn reconcile(parent: Arc<ConfigMap>, context: Arc<Context>) -> Result<Action, Failed> {
    let maps: Api<ConfigMap> = Api::namespaced(context.client.clone(), DEMO);
    finalizer(&maps, FINALIZER, parent, |event| async {
        match event {
            FinalizerEvent::Apply(parent) => {
                let mut child = config_map(&format!("{}-child", parent.name_any()), ("role", "child"), "");
                child.data.clone_from(&parent.data);
                child.metadata.owner_references = Some(parent.controller_owner_ref(&()).into_iter().collect());
                let params = PatchParams::apply("parenting").force();
                maps.patch(&child.name_any(), &params, &Patch::Apply(&child)).await.map_err(failed)?;
            }
            FinalizerEvent::Cleanup(parent) => {
                let note = json!({"data": {parent.name_any(): parent.metadata.deletion_timestamp.is_some().to_string()}});
                maps.patch("ledger", &PatchParams::default(), &Patch::Merge(note)).await.map_err(failed)?;
            }
        }
        Ok::<_, Failed>(Action::await_change())
    })
    .await
    .map_err(failed)
}

#[tokio::test]
async fn child_and_finalizer() {
    let (_server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), DEMO);
    let post = PostParams::default();
    maps.create(&post, &config_map("ledger", ("role", "ledger"), ""))
        .await
        .unwrap();

    let context = Arc::new(Context {
        client: client.clone(),
    });
    let controller = Controller::new(maps.clone(), watcher::Config::default().labels("role=parent"))
        .owns(maps.clone(), watcher::Config::default().labels("role=child"))
        .run(
            reconcile,
            |_, _, _| Action::requeue(Duration::from_millis(100)),
            context,
        )
        .for_each(|r| async move { drop(r) });
    let controller = tokio::spawn(controller);

    let parent = maps
        .create(&post, &config_map("p", ("role", "parent"), "one"))
        .await
        .unwrap();
    let child = until("the child", || async { maps.get_opt("p-child").await.unwrap() }).await;
    assert_eq!(child.owner_references()[0].uid, parent.uid().unwrap());
    assert_eq!(child.owner_references()[0].controller, Some(true));
    assert_eq!(maps.get("p").await.unwrap().finalizers(), [FINALIZER]);

    // It follows its parent, and is put back.
    maps.patch(
        "p",
        &PatchParams::default(),
        &Patch::Merge(json!({"data": {"key": "two"}})),
    )
    .await
    .unwrap();
    until("the change", || async {
        maps.get("p-child")
            .await
            .unwrap()
            .data
            .filter(|data| data["key"] == "two")
    })
    .await;
    let old = maps.get("p-child").await.unwrap().uid();
    maps.delete("p-child", &DeleteParams::default()).await.unwrap();
    until("another child", || async {
        maps.get_opt("p-child")
            .await
            .unwrap()
            .filter(|child| child.uid() != old)
    })
    .await;

    // Deleting the parent runs the clean-up first; then it goes, and the garbage collector takes the child.
    let deleted = maps.delete("p", &DeleteParams::default()).await.unwrap();
    let waiting = deleted.left().expect("the object, since a finalizer holds it");
    assert!(waiting.metadata.deletion_timestamp.is_some());
    until("the parent's end", || async {
        maps.get_opt("p").await.unwrap().is_none().then_some(())
    })
    .await;
    let ledger = maps.get("ledger").await.unwrap();
    assert_eq!(ledger.data.unwrap()["p"], "true");
    until("the child's end", || async {
        maps.get_opt("p-child").await.unwrap().is_none().then_some(())
    })
    .await;
    controller.abort();
}

/// Without its controller, an object with a finalizer stays, and the finalizer can be taken off by hand.
#[tokio::test]
async fn finalizer_without_its_controller() {
    let (_server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::namespaced(client, DEMO);
    let mut held = config_map("held", ("role", "parent"), "");
    held.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
    maps.create(&PostParams::default(), &held).await.unwrap();
    maps.delete("held", &DeleteParams::default()).await.unwrap();
    let mut held = maps.get("held").await.unwrap();
    assert!(held.metadata.deletion_timestamp.is_some());
    // No other finalizer may be added to what is going.
    held.metadata.finalizers = Some(vec![FINALIZER.to_owned(), "company-x.example/more".to_owned()]);
    let status = refused(maps.replace("held", &PostParams::default(), &held).await);
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    let patch = Patch::Json::<()>(
        serde_json::from_value(json!([{"op": "remove", "path": "/metadata/finalizers/0"}])).unwrap(),
    );
    maps.patch("held", &PatchParams::default(), &patch).await.unwrap();
    assert!(maps.get_opt("held").await.unwrap().is_none());
}

/// Controllers report what they do as Events of the newer group; a second report counts up.
#[tokio::test]
async fn recorded_events() {
    let (_server, client) = connect().await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), DEMO);
    let about = maps
        .create(&PostParams::default(), &config_map("p", ("role", "parent"), ""))
        .await
        .unwrap();
    let reporter = Reporter {
        controller: "parenting".to_owned(),
        instance: Some("one".to_owned()),
    };
    let recorder = Recorder::new(client.clone(), reporter);
    let note = Note {
        type_: EventType::Normal,
        reason: "Created".to_owned(),
        note: Some("created the child".to_owned()),
        action: "Reconciling".to_owned(),
        secondary: None,
    };
    for _ in 0..2 {
        recorder.publish(&note, &about.object_ref(&())).await.unwrap();
    }
    let events: Api<CoreEvent> = Api::namespaced(client, DEMO);
    let found = events
        .list(&ListParams::default().fields("involvedObject.name=p"))
        .await
        .unwrap();
    let [event] = found.items.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (event.reason.as_deref(), event.message.as_deref()),
        (Some("Created"), Some("created the child"))
    );
    assert_eq!(event.reporting_component.as_deref(), Some("parenting"));
    assert_eq!(event.series.as_ref().and_then(|series| series.count), Some(2));
}
