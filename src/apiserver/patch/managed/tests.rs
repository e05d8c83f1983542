use super::super::apply;
use super::*;
use crate::api::{Status, defaults};
use serde_json::json;

fn time(second: i64) -> Time {
    Time(k8s_openapi::jiff::Timestamp::from_second(1_800_000_000 + second).unwrap())
}

/// As the server has it after decoding and defaulting.
fn object(kind: Kind, value: Value) -> Object {
    let mut object = Object::from_value(kind, value).unwrap();
    defaults::apply(&mut object);
    object
}

fn manager(name: &str) -> Manager {
    Manager::new(name, "")
}

fn fields(managed: &ManagedFields, manager: &str) -> Value {
    managed
        .entries
        .iter()
        .find(|entry| *entry.manager == *manager)
        .map_or(Value::Null, |entry| entry.fields.to_value())
}

fn deployment(replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ssa"},
        "spec": {"paused": true, "replicas": replicas, "selector": {"matchLabels": {"app": "ssa"}},
            "template": {"metadata": {"labels": {"app": "ssa"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}},
    })
}

#[test]
fn a_created_pod_is_owned_as_recorded() {
    let pod = json!({"metadata": {"name": "fv", "labels": {"app": "fv"}}, "spec": {"schedulerName": "none", "containers": [{"name": "c", "image": "nginx:1.25"}]}});
    let managed = update(
        Kind::Pod,
        None,
        &object(Kind::Pod, pod),
        &ManagedFields::default(),
        &manager("fidelity"),
        &time(0),
    );
    assert_eq!(
        fields(&managed, "fidelity"),
        json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {}, "f:resources": {},
                    "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {}}},
                "f:dnsPolicy": {}, "f:enableServiceLinks": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
                "f:terminationGracePeriodSeconds": {},
            },
        })
    );
}

#[test]
fn a_deployment_and_its_status_are_owned_as_recorded() {
    let mut value = deployment(1);
    value["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{"containerPort": 80}]);
    let created = object(Kind::Deployment, value);
    let managed = update(
        Kind::Deployment,
        None,
        &created,
        &ManagedFields::default(),
        &manager("a"),
        &time(0),
    );
    let spec = &fields(&managed, "a")["f:spec"];
    assert_eq!(
        spec["f:strategy"],
        json!({"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}})
    );
    assert_eq!(spec["f:selector"], json!({}));
    assert_eq!(
        spec["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"c\"}"]["f:ports"],
        json!({".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}}})
    );
    let mut value = created.to_value();
    value["status"] = json!({"observedGeneration": 1, "terminatingReplicas": 0, "conditions": [{"type": "Available", "status": "True"}]});
    value["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
    let status = Object::from_value(Kind::Deployment, value).unwrap();
    let managed = update(
        Kind::Deployment,
        Some(&created),
        &status,
        &managed,
        &Manager::new("kcm", "status"),
        &time(1),
    );
    assert_eq!(
        fields(&managed, "kcm"),
        json!({
            "f:metadata": {"f:annotations": {".": {}, "f:deployment.kubernetes.io/revision": {}}},
            "f:status": {
                "f:conditions": {".": {}, "k:{\"type\":\"Available\"}": {".": {}, "f:lastTransitionTime": {}, "f:lastUpdateTime": {}, "f:status": {}, "f:type": {}}},
                "f:observedGeneration": {}, "f:terminatingReplicas": {},
            },
        })
    );
    assert_eq!(managed.entries[1].subresource, "status");
    // What is removed is nobody's; who changes a field takes it.
    let mut value = status.to_value();
    value["metadata"]["annotations"] = json!({});
    value["spec"]["replicas"] = json!(5);
    let next = Object::from_value(Kind::Deployment, value).unwrap();
    let managed = update(
        Kind::Deployment,
        Some(&status),
        &next,
        &managed,
        &manager("b"),
        &time(2),
    );
    assert_eq!(fields(&managed, "b"), json!({"f:spec": {"f:replicas": {}}}));
    assert_eq!(fields(&managed, "a")["f:spec"].get("f:replicas"), None);
    assert_eq!(fields(&managed, "kcm").get("f:metadata"), None);
    assert_eq!(ManagedFields::from_typed(&managed.to_typed()), managed);
}

/// Applies and stores as the server would.
fn applied(
    live: Option<&Object>,
    managed: &ManagedFields,
    config: Value,
    by: &str,
    force: bool,
    at: i64,
) -> Result<(Object, ManagedFields), Status> {
    let (value, managed) = apply(
        Kind::Deployment,
        live,
        managed,
        &config,
        &manager(by),
        force,
        &time(at),
    )?;
    Ok((object(Kind::Deployment, value), managed))
}

fn config(more: Value) -> Value {
    let mut value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ssa"}});
    json_patch::merge(&mut value, &more);
    value
}

#[test]
fn the_recorded_session_of_alice_and_bob() {
    let none = ManagedFields::default();
    let (live, managed) = applied(None, &none, deployment(1), "alice", false, 0).unwrap();
    assert_eq!(
        fields(&managed, "alice"),
        json!({"f:spec": {
            "f:paused": {}, "f:replicas": {}, "f:selector": {},
            "f:template": {"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}, "f:name": {}}}}},
        }})
    );
    let two = config(json!({"spec": {"replicas": 2}}));
    let conflict = applied(Some(&live), &managed, two.clone(), "bob", false, 1).unwrap_err();
    assert_eq!((conflict.code, conflict.reason.as_str()), (409, "Conflict"));
    assert_eq!(
        conflict.message,
        "Apply failed with 1 conflict: conflict with \"alice\": .spec.replicas"
    );
    let cause = &conflict.details.unwrap().causes[0];
    assert_eq!(
        (
            cause.reason.as_str(),
            cause.message.as_str(),
            cause.field.as_str()
        ),
        (
            "FieldManagerConflict",
            "conflict with \"alice\"",
            ".spec.replicas"
        )
    );

    let (live, managed) = applied(Some(&live), &managed, two, "bob", true, 2).unwrap();
    assert_eq!(live.to_value()["spec"]["replicas"], 2);
    assert_eq!(fields(&managed, "bob"), json!({"f:spec": {"f:replicas": {}}}));
    assert_eq!(fields(&managed, "alice")["f:spec"].get("f:replicas"), None);

    // Bob applies something else: replicas is nobody's, goes, and defaults to one.
    let label = config(json!({"metadata": {"labels": {"z": "1"}}}));
    let (live, managed) = applied(Some(&live), &managed, label.clone(), "bob", false, 3).unwrap();
    assert_eq!(live.to_value()["spec"]["replicas"], 1);
    assert_eq!(
        fields(&managed, "bob"),
        json!({"f:metadata": {"f:labels": {"f:z": {}}}})
    );
    let (again, same) = applied(Some(&live), &managed, label, "bob", false, 4).unwrap();
    assert_eq!(
        (again, same),
        (live.clone(), managed.clone()),
        "applying the same again changes nothing, not even the time"
    );

    // Co-owned fields stay when one owner lets go.
    let (_, managed) = applied(
        Some(&live),
        &managed,
        config(json!({"spec": {"paused": true}})),
        "carol",
        false,
        5,
    )
    .unwrap();
    let (live, _) = applied(
        Some(&live),
        &managed,
        config(json!({"metadata": {"labels": {"z": "1"}}})),
        "carol",
        false,
        6,
    )
    .unwrap();
    assert_eq!(live.to_value()["spec"]["paused"], true);
}

#[test]
fn kubectl_takes_over_what_it_applied_from_the_client() {
    let mut value = deployment(3);
    value["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]);
    let config = value.clone();
    value["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": config.to_string()});
    let live = object(Kind::Deployment, value);
    let managed = update(
        Kind::Deployment,
        None,
        &live,
        &ManagedFields::default(),
        &manager("kubectl-client-side-apply"),
        &time(0),
    );
    let conflict = applied(Some(&live), &managed, config.clone(), "kubectl", false, 1).unwrap_err();
    assert_eq!(
        conflict.message,
        "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: .spec.template.spec.containers[name=\"c\"].env[name=\"NODE\"].valueFrom.fieldRef"
    );
    let (live, _) = applied(Some(&live), &managed, config.clone(), "kubectl", true, 1).unwrap();
    assert_eq!(live.meta().annotations.as_ref().unwrap().len(), 1);
}

#[test]
fn lists_by_key_merge_in_the_applied_order() {
    let containers = |names: &[&str]| json!({"spec": {"template": {"spec": {"containers": names.iter().map(|n| json!({"name": n})).collect::<Value>()}}}});
    let names = |object: &Object| {
        let value = object.to_value();
        let list = value["spec"]["template"]["spec"]["containers"]
            .as_array()
            .unwrap()
            .clone();
        list.iter()
            .map(|c| c["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join("")
    };
    let none = ManagedFields::default();
    let (live, managed) = applied(None, &none, config(containers(&["a", "b", "c"])), "x", false, 0).unwrap();
    let (other, managed) = applied(
        Some(&live),
        &managed,
        config(containers(&["d", "c", "a"])),
        "y",
        false,
        1,
    )
    .unwrap();
    assert_eq!(names(&other), "bdca");
    let (left, _) = applied(Some(&other), &managed, config(containers(&["a"])), "y", false, 2).unwrap();
    assert_eq!(names(&left), "bca", "d was only y's");
}

#[test]
fn refusals() {
    let refuse = |config: Value| {
        apply(
            Kind::Deployment,
            None,
            &ManagedFields::default(),
            &config,
            &manager("bob"),
            false,
            &time(0),
        )
        .unwrap_err()
    };
    let set = refuse(config(json!({"metadata": {"managedFields": [{"manager": "x"}]}})));
    assert_eq!(
        (set.code, set.message.as_str()),
        (400, "metadata.managedFields must be nil")
    );
    let bogus = refuse(config(json!({"spec": {"bogus": 1}})));
    assert_eq!(
        bogus.message,
        "failed to create typed patch object (/ssa; apps/v1, Kind=Deployment): .spec.bogus: field not declared in schema"
    );
    assert_eq!(
        refuse(json!({"apiVersion": "v1", "kind": "Pod"})).message,
        "invalid object type: /v1, Kind=Pod"
    );
    let twice = refuse(config(
        json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}, {"image": "x"}]}}}}),
    ));
    assert!(
        twice.message.contains("duplicate entries for key [name=\"a\"]")
            && twice.message.contains("element 2: associative list with keys"),
        "{}",
        twice.message
    );
    assert!(
        refuse(config(json!({"spec": {"replicas": "x"}})))
            .message
            .ends_with(".spec.replicas: expected numeric (int or float), got string")
    );
}

#[test]
fn read_late_is_read_right() {
    let make = |replicas| object(Kind::Deployment, deployment(replicas));
    let mut eager = ManagedFields::default();
    let mut lazy = Managed::default();
    let mut live: Option<Object> = None;
    for step in 0..12 {
        let (next, by) = (make(step % 3), manager(["a", "b", "c"][(step % 2) as usize]));
        eager = update(Kind::Deployment, live.as_ref(), &next, &eager, &by, &time(step));
        lazy = lazy.updated(live.clone(), next.clone(), by, time(step));
        live = Some(next);
        if step % 5 == 0 {
            assert_eq!(*lazy.get(), eager);
        }
    }
    assert_eq!(*lazy.get(), eager);
}

#[test]
fn the_oldest_updaters_are_put_together() {
    let mut managed = ManagedFields::default();
    let mut live = object(Kind::ConfigMap, json!({"data": {}}));
    for step in 0..15 {
        let mut value = live.to_value();
        value["data"][format!("k{step}")] = "v".into();
        let next = Object::from_value(Kind::ConfigMap, value).unwrap();
        managed = update(
            Kind::ConfigMap,
            Some(&live),
            &next,
            &managed,
            &manager(&format!("m{step:02}")),
            &time(step),
        );
        live = next;
    }
    assert_eq!(managed.entries.len(), MOST_UPDATERS);
    let ancient = fields(&managed, ANCIENT);
    assert_eq!(
        ancient["f:data"].as_object().unwrap().len(),
        7,
        "six keys and the map"
    );
}

/// A Lease as it is stored: holder and the second of its last renewal.
fn lease(holder: &str, second: i64) -> Object {
    let at = time(second).0;
    let spec = json!({"holderIdentity": holder, "leaseDurationSeconds": 40, "renewTime": format!("{at:.6}")});
    let value = json!({"metadata": {"name": "bob", "namespace": "kube-node-lease", "resourceVersion": second.to_string()}, "spec": spec});
    object(Kind::Lease, value)
}

#[test]
fn renewals_nobody_read_are_the_same_as_those_that_were_read() {
    let story = [
        ("kubelet", "bob", 10),
        ("kubelet", "bob", 20),
        ("kubelet", "bob", 30),
        ("kubectl", "suda", 40),
        ("kubectl", "suda", 50),
        ("kubelet", "bob", 60),
        ("kubelet", "bob", 70),
        // Back to what it was before: as if it had not been touched, but for who did.
        ("kubelet", "bob", 60),
        ("kubelet", "bob", 80),
        ("kubectl", "bob", 90),
        ("kubectl", "bob", 100),
    ];
    let play = |reads: bool| {
        let mut live = lease("bob", 0);
        let mut managed = Managed::default().updated(None, live.clone(), manager("kubelet"), time(0));
        let mut seen = Vec::new();
        for (at, (who, holder, second)) in story.into_iter().enumerate() {
            let new = lease(holder, second);
            managed = managed.updated(Some(live), new.clone(), manager(who), time(100 + at as i64));
            live = new;
            if reads {
                seen.push(managed.get());
            }
        }
        (managed.get(), seen)
    };
    let (unread, (read, seen)) = (play(false).0, play(true));
    assert_eq!(unread, read);
    assert_eq!(seen.len(), story.len());
    assert_eq!(read.entries.len(), 2);
}
