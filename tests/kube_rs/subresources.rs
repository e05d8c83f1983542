//! What lies below an object: status, scale, eviction, log, token, reviews.

use super::wait::{deployment, pod};
use super::*;
use futures_util::AsyncBufReadExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{EvictParams, LogParams, Patch, PatchParams};
use kube::runtime::conditions::is_pod_running;
use kube::runtime::wait::await_condition;

#[tokio::test]
async fn scale_and_status() {
    let (_server, client) = connect().await;
    let deployments: Api<Deployment> = Api::default_namespaced(client);
    let created = deployments
        .create(&PostParams::default(), &deployment("web", 1))
        .await
        .unwrap();
    let mut scale = deployments.get_scale("web").await.unwrap();
    assert_eq!(scale.spec.as_ref().unwrap().replicas, Some(1));
    scale.spec.as_mut().unwrap().replicas = Some(2);
    // Whatever its controller wrote into the status meanwhile.
    scale.metadata.resource_version = None;
    let scaled = deployments
        .replace_scale("web", &PostParams::default(), &scale)
        .await
        .unwrap();
    assert_eq!(scaled.spec.unwrap().replicas, Some(2));
    let patch = Patch::Merge(json!({"spec": {"replicas": 3}}));
    let scaled = deployments
        .patch_scale("web", &PatchParams::default(), &patch)
        .await
        .unwrap();
    assert_eq!(scaled.spec.unwrap().replicas, Some(3));
    assert_eq!(scaled.status.unwrap().selector.as_deref(), Some("app=web"));
    let live = deployments.get("web").await.unwrap();
    assert!(live.metadata.generation > created.metadata.generation);

    // The status door changes the status and nothing else.
    let condition = json!({"type": "Checked", "status": "True", "lastTransitionTime": "2026-04-01T00:00:00Z", "lastUpdateTime": "2026-04-01T00:00:00Z"});
    let patch = Patch::Strategic(json!({"spec": {"replicas": 9}, "status": {"conditions": [condition]}}));
    let patched = deployments
        .patch_status("web", &PatchParams::default(), &patch)
        .await
        .unwrap();
    assert_eq!(patched.spec.unwrap().replicas, Some(3));
    let conditions = patched.status.unwrap().conditions.unwrap();
    assert!(conditions.iter().any(|condition| condition.type_ == "Checked"));
    let read = deployments.get_status("web").await.unwrap();
    assert_eq!(read.metadata.uid, live.metadata.uid);
}

#[tokio::test]
async fn logs() {
    let (_server, client) = connect().await;
    let pods: Api<Pod> = Api::default_namespaced(client);
    let talker: Pod = from(
        json!({"metadata": {"name": "talker"}, "spec": {"restartPolicy": "Never", "containers": [
        {"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", "echo one; echo two; sleep 2; echo three"]}]}}),
    );
    pods.create(&PostParams::default(), &talker).await.unwrap();
    soon(
        "running",
        await_condition(pods.clone(), "talker", is_pod_running()),
    )
    .await
    .unwrap();
    let tail = LogParams {
        tail_lines: Some(1),
        ..LogParams::default()
    };
    assert!(
        until("a line", || async {
            pods.logs("talker", &tail)
                .await
                .ok()
                .filter(|text| !text.is_empty())
        })
        .await
        .ends_with('\n')
    );
    let follow = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let mut lines = soon("the log", pods.log_stream("talker", &follow))
        .await
        .unwrap()
        .lines();
    let mut all = Vec::new();
    let reading = async {
        use futures_util::TryStreamExt;
        while let Some(line) = lines.try_next().await.unwrap() {
            all.push(line);
        }
    };
    soon("the log's end", reading).await;
    assert_eq!(all, ["one", "two", "three"]);
    let other = LogParams {
        container: Some("nobody".to_owned()),
        ..LogParams::default()
    };
    let status = refused(pods.logs("talker", &other).await);
    assert_eq!(
        (status.code, status.message.as_str()),
        (400, "container nobody is not valid for pod talker")
    );
}

#[tokio::test]
async fn eviction() {
    let (_server, client) = connect().await;
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let budgets: Api<PodDisruptionBudget> = Api::default_namespaced(client);
    pods.create(&PostParams::default(), &pod("free")).await.unwrap();
    pods.create(&PostParams::default(), &pod("kept")).await.unwrap();
    let budget: PodDisruptionBudget = from(
        json!({"metadata": {"name": "kept"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "kept"}}}}),
    );
    budgets.create(&PostParams::default(), &budget).await.unwrap();
    for name in ["free", "kept"] {
        soon("running", await_condition(pods.clone(), name, is_pod_running()))
            .await
            .unwrap();
    }
    until("the budget", || async {
        budgets
            .get("kept")
            .await
            .unwrap()
            .status
            .filter(|status| status.current_healthy == Some(1))
    })
    .await;
    let evicted = pods.evict("free", &EvictParams::default()).await.unwrap();
    assert!(evicted.is_success());
    until("its end", || async {
        pods.get_opt("free").await.unwrap().is_none().then_some(())
    })
    .await;
    let status = refused(pods.evict("kept", &EvictParams::default()).await);
    assert_eq!((status.code, status.reason.as_str()), (429, "TooManyRequests"));
    assert_eq!(
        status.message,
        "Cannot evict pod as it would violate the pod's disruption budget."
    );
}

#[tokio::test]
async fn tokens_and_reviews() {
    let (server, admin) = connect().await;
    let accounts: Api<ServiceAccount> = Api::default_namespaced(admin.clone());
    let account: ServiceAccount = from(json!({"metadata": {"name": "robot"}}));
    accounts.create(&PostParams::default(), &account).await.unwrap();
    let wish: TokenRequest = from(json!({"spec": {"audiences": [], "expirationSeconds": 3600}}));
    let given = accounts
        .create_token_request("robot", &PostParams::default(), &wish)
        .await
        .unwrap();
    let robot = client(&server, given.status.unwrap().token.as_deref().unwrap());

    let ask = |client: &Client| {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
        async move {
            let review: SelfSubjectAccessReview = from(
                json!({"spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": DEMO}}}),
            );
            reviews
                .create(&PostParams::default(), &review)
                .await
                .unwrap()
                .status
                .unwrap()
                .allowed
        }
    };
    assert!(ask(&admin).await);
    assert!(!ask(&robot).await);
    let pods: Api<Pod> = Api::default_namespaced(robot);
    let status = refused(pods.list(&Default::default()).await);
    assert!(
        status
            .message
            .contains("User \"system:serviceaccount:demo:robot\" cannot list resource \"pods\""),
        "{}",
        status.message
    );
}
