//! Rows as a real server makes them.

use super::{cells, columns, pod_status, row_conditions};
use crate::api::{Kind, Object, defaults};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

/// 2026-04-01T09:00:00Z, and five minutes later.
const START: i64 = 1_775_034_000;
const NOW: Timestamp = Timestamp::constant(START + 300, 0);

fn at(seconds: i64) -> Time {
    Time(Timestamp::constant(START + seconds, 0))
}

/// An object that is five minutes old.
fn object(kind: Kind, mut body: Value) -> Object {
    body["metadata"]["creationTimestamp"] = json!(at(0));
    if body["metadata"]["name"].is_null() {
        body["metadata"]["name"] = "x".into();
    }
    let mut object = Object::from_value(kind, body).expect("a readable object");
    defaults::apply(&mut object);
    object
}

fn row(kind: Kind, body: Value) -> Value {
    let object = object(kind, body);
    let cells = cells(&object, NOW);
    assert_eq!(cells.len(), columns(kind).len(), "a cell per column of {kind:?}");
    Value::Array(cells)
}

#[test]
fn every_kind_has_a_cell_per_column() {
    let spec = json!({"spec": {"template": {"spec": {"containers": []}}}});
    for kind in Kind::ALL {
        row(
            *kind,
            if *kind == Kind::CronJob {
                spec.clone()
            } else {
                json!({})
            },
        );
    }
}

fn status(spec: Value, status: Value) -> String {
    let mut body = json!({"spec": {"containers": [{"name": "c", "image": "a"}]}, "status": status});
    for (key, value) in spec.as_object().into_iter().flatten() {
        body["spec"][key] = value.clone();
    }
    match object(Kind::Pod, body) {
        Object::Pod(pod) => pod_status(&pod),
        _ => String::new(),
    }
}

fn container(state: Value) -> Value {
    json!({"name": "c", "image": "a", "imageID": "", "ready": true, "restartCount": 0, "state": state})
}

#[test]
fn pod_statuses() {
    let none = json!({});
    let main = |state: Value| json!({"phase": "Running", "containerStatuses": [container(state)]});
    assert_eq!(status(none.clone(), json!({"phase": "Pending"})), "Pending");
    assert_eq!(
        status(none.clone(), json!({"phase": "Failed", "reason": "Evicted"})),
        "Evicted"
    );
    assert_eq!(status(none.clone(), main(json!({"running": {}}))), "Running");
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    assert_eq!(status(none.clone(), main(waiting)), "CrashLoopBackOff");
    let ended = |reason: &str, code: i32| json!({"terminated": {"exitCode": code, "reason": reason}});
    assert_eq!(status(none.clone(), main(ended("Completed", 0))), "Completed");
    assert_eq!(status(none.clone(), main(ended("", 3))), "ExitCode:3");
    let gated = json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]});
    assert_eq!(status(none, gated), "SchedulingGated");
}

#[test]
fn init_containers() {
    let spec = json!({"initContainers": [{"name": "c", "image": "a"}, {"name": "d", "image": "a"}]});
    let init = |states: Value| json!({"phase": "Pending", "initContainerStatuses": states});
    let done = container(json!({"terminated": {"exitCode": 0, "reason": "Completed"}}));
    let waits = container(json!({"waiting": {"reason": "PodInitializing"}}));
    assert_eq!(
        status(
            spec.clone(),
            init(json!([container(json!({"running": {}})), waits]))
        ),
        "Init:0/2"
    );
    assert_eq!(status(spec.clone(), init(json!([done, waits]))), "Init:1/2");
    let failed = container(json!({"terminated": {"exitCode": 1, "reason": "Error"}}));
    assert_eq!(status(spec.clone(), init(json!([failed]))), "Init:Error");
    let held = container(json!({"waiting": {"reason": "ImagePullBackOff"}}));
    assert_eq!(status(spec, init(json!([held]))), "Init:ImagePullBackOff");
}

#[test]
fn pods() {
    let mut state = container(json!({"running": {}}));
    state["restartCount"] = 2.into();
    state["lastState"] = json!({"terminated": {"exitCode": 1, "finishedAt": at(280)}});
    let body = json!({"spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "a"}]}, "status": {
        "phase": "Running", "podIPs": [{"ip": "10.244.1.2"}], "containerStatuses": [state]}});
    assert_eq!(
        row(Kind::Pod, body),
        json!([
            "x",
            "1/1",
            "Running",
            "2 (20s ago)",
            "5m",
            "10.244.1.2",
            "n1",
            "<none>",
            "<none>"
        ])
    );
    let mut body = json!({"spec": {"containers": []}, "status": {"phase": "Running"}});
    body["metadata"] = json!({"name": "x", "deletionTimestamp": at(0)});
    assert_eq!(row(Kind::Pod, body)[2], "Terminating");
    let ended = object(
        Kind::Pod,
        json!({"spec": {"containers": []}, "status": {"phase": "Succeeded"}}),
    );
    let conditions = row_conditions(&ended).unwrap_or_default();
    assert_eq!(conditions[0]["message"], "The pod has completed successfully.");
}

#[test]
fn nodes() {
    let body = json!({
        "metadata": {"name": "n1", "labels": {"node-role.kubernetes.io/control-plane": ""}},
        "spec": {"unschedulable": true},
        "status": {"conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "172.18.0.2"}]},
    });
    assert_eq!(
        row(Kind::Node, body),
        json!([
            "n1",
            "Ready,SchedulingDisabled",
            "control-plane",
            "5m",
            "",
            "172.18.0.2",
            "<none>",
            "<unknown>",
            "<unknown>",
            "<unknown>"
        ])
    );
    assert_eq!(row(Kind::Node, json!({}))[1], "Unknown");
}

#[test]
fn services() {
    let body = json!({"metadata": {"name": "np"}, "spec": {"type": "NodePort", "clusterIPs": ["10.96.74.186"],
        "selector": {"app": "web"}, "ports": [{"port": 80, "nodePort": 30080}, {"port": 443}]}});
    assert_eq!(
        row(Kind::Service, body),
        json!([
            "np",
            "NodePort",
            "10.96.74.186",
            "<none>",
            "80:30080/TCP,443/TCP",
            "5m",
            "app=web"
        ])
    );
    let balanced = json!({"spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}});
    assert_eq!(row(Kind::Service, balanced)[3], "<pending>");
    let addresses: Vec<Value> = (1..=5).map(|i| json!({"ip": format!("10.0.0.{i}")})).collect();
    let endpoints = json!({"subsets": [{"addresses": addresses, "ports": [{"port": 80}]}]});
    assert_eq!(
        row(Kind::Endpoints, endpoints)[1],
        "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more..."
    );
    let slice = json!({"addressType": "IPv4", "endpoints": [], "ports": []});
    assert_eq!(
        row(Kind::EndpointSlice, slice),
        json!(["x", "IPv4", "<unset>", "<unset>", "5m"])
    );
}

#[test]
fn workloads() {
    let template = json!({"spec": {"containers": [{"name": "web", "image": "nginx:1.25"}]}});
    let body = json!({"metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        "status": {"readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3}});
    assert_eq!(
        row(Kind::Deployment, body),
        json!(["web", "3/3", 3, 3, "5m", "web", "nginx:1.25", "app=web"])
    );
    let job = json!({"spec": {"completions": 2, "template": template}, "status": {"succeeded": 1,
        "startTime": at(10)}});
    assert_eq!(
        row(Kind::Job, job),
        json!([
            "x",
            "Running",
            "1/2",
            "4m50s",
            "5m",
            "web",
            "nginx:1.25",
            "<none>"
        ])
    );
    let cron = json!({"spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": template}}}});
    assert_eq!(
        row(Kind::CronJob, cron),
        json!([
            "x",
            "*/5 * * * *",
            "<none>",
            "False",
            0,
            "<none>",
            "5m",
            "web",
            "nginx:1.25",
            "<none>"
        ])
    );
}

#[test]
fn other_kinds() {
    let metrics = json!([{"type": "Resource", "resource": {"name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 80}}}]);
    let scaler = json!({"spec": {"minReplicas": 1, "maxReplicas": 5, "metrics": metrics,
        "scaleTargetRef": {"kind": "Deployment", "name": "web"}}});
    assert_eq!(
        row(Kind::HorizontalPodAutoscaler, scaler),
        json!(["x", "Deployment/web", "cpu: <unknown>/80%", "1", 5, 0, "5m"])
    );
    let event = json!({"involvedObject": {"kind": "Pod", "name": "p"}, "reason": "Pulled", "type": "Normal",
        "message": " done\n", "count": 3, "source": {"component": "kubelet", "host": "n1"},
        "firstTimestamp": at(0), "lastTimestamp": at(290)});
    assert_eq!(
        row(Kind::Event, event),
        json!([
            "10s",
            "Normal",
            "Pulled",
            "pod/p",
            "",
            "kubelet, n1",
            "done",
            "5m",
            3,
            "x"
        ])
    );
    let quota = json!({"status": {"hard": {"pods": "5", "limits.cpu": "2"}, "used": {"pods": "1"}}});
    assert_eq!(
        row(Kind::ResourceQuota, quota),
        json!(["x", "pods: 1/5", "limits.cpu: 0/2", "5m"])
    );
    assert_eq!(row(Kind::Role, json!({})), json!(["x", "2026-04-01T09:00:00Z"]));
}
