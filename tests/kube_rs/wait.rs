//! Waiting for conditions, on Pods that really run.

use super::*;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::runtime::conditions::{
    is_created, is_deleted, is_deployment_completed, is_job_completed, is_pod_running,
};
use kube::runtime::wait::{Condition, await_condition, delete::delete_and_finalize};

pub fn pod(name: &str) -> Pod {
    from(
        json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "web", "image": "nginx:1.27"}]}}),
    )
}

pub fn deployment(name: &str, replicas: i32) -> Deployment {
    from(
        json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "web", "image": "nginx:1.26"}]}},
        }}),
    )
}

async fn waits<K>(api: &Api<K>, name: &str, condition: impl Condition<K>) -> Option<K>
where
    K: Clone + std::fmt::Debug + Send + serde::de::DeserializeOwned + kube::Resource + 'static,
{
    soon(name, await_condition(api.clone(), name, condition))
        .await
        .unwrap()
}

#[tokio::test]
async fn pod_from_nothing_to_running_and_gone() {
    let (_server, client) = connect().await;
    let pods: Api<Pod> = Api::default_namespaced(client);
    let waiting = tokio::spawn({
        let pods = pods.clone();
        async move { waits(&pods, "web", is_created()).await }
    });
    pods.create(&PostParams::default(), &pod("web")).await.unwrap();
    let seen = waiting.await.unwrap().unwrap();
    let running = waits(&pods, "web", is_pod_running()).await.unwrap();
    assert_eq!(running.uid(), seen.uid());
    assert!(running.spec.as_ref().unwrap().node_name.is_some());
    let gone = is_deleted(running.metadata.uid.as_ref().unwrap());
    pods.delete("web", &DeleteParams::default()).await.unwrap();
    assert!(waits(&pods, "web", gone).await.is_none());
}

#[tokio::test]
async fn rollout() {
    let (_server, client) = connect().await;
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let sets: Api<ReplicaSet> = Api::default_namespaced(client);
    deployments
        .create(&PostParams::default(), &deployment("web", 2))
        .await
        .unwrap();
    let first = waits(&deployments, "web", is_deployment_completed())
        .await
        .unwrap();
    assert_eq!(first.status.unwrap().available_replicas, Some(2));
    let image =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}}});
    deployments
        .patch("web", &PatchParams::default(), &Patch::Strategic(image))
        .await
        .unwrap();
    let rolled = |object: Option<&Deployment>| {
        object.is_some_and(|object| {
            let status = object.status.as_ref().unwrap();
            let observed = status.observed_generation == object.metadata.generation;
            observed && status.updated_replicas == Some(2) && status.replicas == Some(2)
        })
    };
    waits(&deployments, "web", rolled).await;
    waits(&deployments, "web", is_deployment_completed()).await;
    let sets = sets.list(&ListParams::default().labels("app=web")).await.unwrap();
    let mut scales: Vec<i32> = sets
        .iter()
        .map(|set| set.spec.as_ref().unwrap().replicas.unwrap())
        .collect();
    scales.sort_unstable();
    assert_eq!(scales, [0, 2]);
    // kube's `restart` is a patch of an annotation.
    let before = deployments.get("web").await.unwrap().metadata.generation;
    let after = deployments.restart("web").await.unwrap().metadata.generation;
    assert!(after > before);
}

#[tokio::test]
async fn job() {
    let (_server, client) = connect().await;
    let jobs: Api<Job> = Api::default_namespaced(client);
    let job: Job = from(
        json!({"metadata": {"name": "once"}, "spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", "echo done"]}]}}}}),
    );
    jobs.create(&PostParams::default(), &job).await.unwrap();
    let done = waits(&jobs, "once", is_job_completed()).await.unwrap();
    assert_eq!(done.status.unwrap().succeeded, Some(1));
}

/// The owner's going, in the three ways upstream knows.
#[tokio::test]
async fn delete_with_propagation() {
    let (_server, client) = connect().await;
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let sets: Api<ReplicaSet> = Api::default_namespaced(client.clone());
    let pods: Api<Pod> = Api::default_namespaced(client);
    for (name, params) in [
        ("fore", DeleteParams::foreground()),
        ("back", DeleteParams::background()),
        ("orphan", DeleteParams::orphan()),
    ] {
        deployments
            .create(&PostParams::default(), &deployment(name, 1))
            .await
            .unwrap();
        waits(&deployments, name, is_deployment_completed()).await;
        soon(name, delete_and_finalize(deployments.clone(), name, &params))
            .await
            .unwrap();
        assert!(deployments.get_opt(name).await.unwrap().is_none());
        let own = ListParams::default().labels(&format!("app={name}"));
        match name {
            // Foreground: nothing of it is left once the owner is gone.
            "fore" => {
                assert!(sets.list(&own).await.unwrap().items.is_empty());
                assert!(pods.list(&own).await.unwrap().items.is_empty());
            }
            "back" => {
                until("its Pods' end", || async {
                    pods.list(&own).await.unwrap().items.is_empty().then_some(())
                })
                .await;
                assert!(sets.list(&own).await.unwrap().items.is_empty());
            }
            _ => {
                let left = sets.list(&own).await.unwrap();
                assert_eq!(left.items.len(), 1);
                assert!(left.items[0].owner_references().is_empty());
                assert_eq!(pods.list(&own).await.unwrap().items.len(), 1);
            }
        }
    }
}
