use super::apply;
use crate::api::{Kind, Object};
use serde_json::{Value, json};

fn defaulted(kind: Kind, value: Value) -> Value {
    let mut object = Object::from_value(kind, value).unwrap();
    apply(&mut object);
    let once = object.to_value();
    apply(&mut object);
    assert_eq!(object.to_value(), once, "defaulting twice changes nothing more");
    once
}

#[test]
fn pod() {
    let pod = json!({"metadata": {"name": "a"}, "spec": {"hostNetwork": true, "containers": [{
        "name": "c", "image": "nginx", "ports": [{"containerPort": 80}],
        "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}},
        "livenessProbe": {"httpGet": {"port": 80}}}], "volumes": [{"name": "v"}]}});
    let spec = &defaulted(Kind::Pod, pod)["spec"];
    assert_eq!(
        spec["containers"][0],
        json!({"name": "c", "image": "nginx", "imagePullPolicy": "Always", "ports": [
            {"containerPort": 80, "hostPort": 80, "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}},
            "livenessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
                              "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"})
    );
    assert_eq!(spec["volumes"], json!([{"name": "v", "emptyDir": {}}]));
    assert_eq!(
        (&spec["dnsPolicy"], &spec["enableServiceLinks"]),
        (&json!("ClusterFirst"), &json!(true))
    );
}

#[test]
fn image_pull_policies() {
    for (image, policy) in [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1", "IfNotPresent"),
        ("r:5000/a", "Always"),
        ("r:5000/a:1", "IfNotPresent"),
        ("a@sha256:00", "IfNotPresent"),
        ("", "IfNotPresent"),
    ] {
        let mut given = None;
        super::pod::image_pull_policy(&mut given, Some(image));
        assert_eq!(given.as_deref(), Some(policy), "{image}");
    }
}

#[test]
fn workloads() {
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}});
    let deployment = json!({"spec": {"selector": {}, "template": template}});
    let spec = &defaulted(Kind::Deployment, deployment)["spec"];
    assert_eq!(
        spec["strategy"]["rollingUpdate"],
        json!({"maxSurge": "25%", "maxUnavailable": "25%"})
    );
    assert_eq!(
        (&spec["replicas"], &spec["progressDeadlineSeconds"]),
        (&json!(1), &json!(600))
    );
    let job = defaulted(Kind::Job, json!({"spec": {"template": template}}));
    assert_eq!(job["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(
        (&job["spec"]["completions"], &job["spec"]["backoffLimit"]),
        (&json!(1), &json!(6))
    );
}

#[test]
fn services() {
    let service = json!({"spec": {"type": "NodePort", "ports": [{"port": 80}]}});
    assert_eq!(
        defaulted(Kind::Service, service)["spec"],
        json!({"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}], "sessionAffinity": "None",
               "externalTrafficPolicy": "Cluster", "internalTrafficPolicy": "Cluster"})
    );
}

#[test]
fn others() {
    let range = json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}});
    assert_eq!(
        defaulted(Kind::LimitRange, range)["spec"]["limits"][0],
        json!({"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}})
    );
    let secret = defaulted(Kind::Secret, json!({"stringData": {"a": "b"}}));
    assert_eq!(
        (&secret["data"], &secret["type"]),
        (&json!({"a": "Yg=="}), &json!("Opaque"))
    );
    let namespace = defaulted(Kind::Namespace, json!({"metadata": {"name": "n"}}));
    assert_eq!(
        namespace["metadata"]["labels"],
        json!({"kubernetes.io/metadata.name": "n"})
    );
}
