use super::*;
use crate::api::{Kind, Object};
use serde_json::json;
use std::time::Duration;

fn server() -> ApiServer {
    ApiServer::new(Config::default())
}

fn admin() -> Identity {
    Identity::component("admin", &["system:masters"], "kubectl")
}

fn pod(name: &str) -> Object {
    let value = json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    Object::from_value(Kind::Pod, value).unwrap()
}

fn ok(server: &mut ApiServer, request: Request) -> Object {
    server
        .call(SimTime::from_secs(1), &admin(), 0, request)
        .result
        .unwrap()
        .object()
        .unwrap()
}

fn refusal(server: &mut ApiServer, request: Request) -> Status {
    server
        .call(SimTime::from_secs(1), &admin(), 0, request)
        .result
        .unwrap_err()
}

#[test]
fn create_fills_in_what_the_server_decides() {
    let mut server = server();
    let created = ok(&mut server, Request::create(pod("web")));
    assert_eq!(created.meta().generation, Some(1));
    assert_eq!(created.uid().len(), 36);
    assert_eq!(created.revision(), server.etcd.revision());
    let Object::Pod(pod_object) = &created else {
        panic!("not a Pod")
    };
    assert_eq!(
        pod_object.status.as_ref().unwrap().phase.as_deref(),
        Some("Pending")
    );
    assert_eq!(
        pod_object
            .spec
            .as_ref()
            .unwrap()
            .tolerations
            .as_ref()
            .unwrap()
            .len(),
        2
    );
    let again = refusal(&mut server, Request::create(pod("web")));
    assert_eq!(
        (again.code, again.message.as_str()),
        (409, "pods \"web\" already exists")
    );
}

#[test]
fn a_stale_update_is_a_conflict_and_changes_nothing() {
    let mut server = server();
    let first = ok(&mut server, Request::create(pod("web")));
    let mut changed = first.clone();
    changed.meta_mut().labels = Some([("a".to_owned(), "b".to_owned())].into());
    ok(&mut server, Request::update(changed.clone()));
    let revision = server.etcd.revision();
    let status = refusal(&mut server, Request::update(changed));
    assert_eq!(status.code, 409);
    assert!(
        status
            .message
            .ends_with("please apply your changes to the latest version and try again")
    );
    assert_eq!(server.etcd.revision(), revision);
}

#[test]
fn an_update_that_changes_nothing_spends_no_revision() {
    let mut server = server();
    let created = ok(&mut server, Request::create(pod("web")));
    let revision = server.etcd.revision();
    ok(&mut server, Request::update(created));
    assert_eq!(server.etcd.revision(), revision);
}

#[test]
fn binding_happens_once() {
    let mut server = server();
    ok(&mut server, Request::create(pod("web")));
    server
        .call(
            SimTime::ZERO,
            &admin(),
            0,
            Request::bind("default", "web", "suda"),
        )
        .result
        .unwrap();
    let status = refusal(&mut server, Request::bind("default", "web", "bob"));
    assert_eq!(
        status.message,
        "Operation cannot be fulfilled on pods/binding \"web\": pod web is already assigned to node \"suda\""
    );
}

#[test]
fn a_bound_pod_is_deleted_gracefully_and_an_unbound_one_at_once() {
    let mut server = server();
    ok(&mut server, Request::create(pod("web")));
    ok(&mut server, Request::create(pod("tray")));
    server
        .call(
            SimTime::ZERO,
            &admin(),
            0,
            Request::bind("default", "web", "suda"),
        )
        .result
        .unwrap();
    let delete = |name| Request::delete(Kind::Pod, "default", name, DeleteOptions::default());
    let deleted = ok(&mut server, delete("web"));
    assert_eq!(deleted.meta().deletion_grace_period_seconds, Some(30));
    assert!(
        deleted.meta().deletion_timestamp.as_ref().unwrap().0
            > (SimTime::ZERO + Duration::from_secs(30)).timestamp()
    );
    ok(&mut server, delete("tray"));
    assert_eq!(server.etcd.count(Kind::Pod), 1);
    let now = DeleteOptions {
        grace_period_seconds: Some(0),
        ..DeleteOptions::default()
    };
    ok(&mut server, Request::delete(Kind::Pod, "default", "web", now));
    assert_eq!(server.etcd.count(Kind::Pod), 0);
}

#[test]
fn finalizers_hold_an_object_until_the_last_is_gone() {
    let mut server = server();
    let mut map = k8s_openapi::api::core::v1::ConfigMap::default();
    map.metadata.name = Some("held".to_owned());
    map.metadata.namespace = Some("default".to_owned());
    map.metadata.finalizers = Some(vec!["example.com/f".to_owned()]);
    ok(&mut server, Request::create(map));
    let mut held = ok(
        &mut server,
        Request::delete(Kind::ConfigMap, "default", "held", DeleteOptions::default()),
    );
    assert!(held.meta().deletion_timestamp.is_some());
    held.meta_mut().finalizers = None;
    ok(&mut server, Request::update(held));
    assert_eq!(server.etcd.count(Kind::ConfigMap), 0);
}

#[test]
fn pages_continue_without_gap_at_the_same_revision() {
    let mut server = server();
    for name in ["a", "b", "c"] {
        ok(&mut server, Request::create(pod(name)));
    }
    let mut request = Request::list(Kind::Pod, "default");
    request.options.limit = Some(2);
    let Ok(Reply::List(first)) = server.call(SimTime::ZERO, &admin(), 0, request.clone()).result else {
        panic!()
    };
    assert_eq!((first.items.len(), first.remaining), (2, Some(1)));
    ok(&mut server, Request::create(pod("aa")));
    request.options.continue_token = first.continue_token;
    let Ok(Reply::List(second)) = server.call(SimTime::ZERO, &admin(), 0, request).result else {
        panic!()
    };
    let names: Vec<_> = second.items.iter().map(Object::name).collect();
    assert_eq!((names, second.revision), (vec!["c"], first.revision));
}

#[test]
fn strangers_are_refused_and_the_log_says_where() {
    let mut server = server();
    let viewer = Identity::component("viewer", &["viewers"], "curl");
    let status = server
        .call(SimTime::ZERO, &viewer, 0, Request::list(Kind::Pod, "default"))
        .result
        .unwrap_err();
    assert_eq!(
        status.message,
        "pods is forbidden: User \"viewer\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""
    );
    let entry = server.log.recent().next().unwrap();
    assert_eq!((entry.stage, entry.code), (Stage::Authorization, 403));
}

#[test]
fn status_and_spec_are_isolated() {
    let mut server = server();
    let created = ok(&mut server, Request::create(pod("web")));
    let Object::Pod(mut changed) = created else {
        panic!("not a Pod")
    };
    let inner = std::sync::Arc::make_mut(&mut changed);
    inner.status.get_or_insert_default().phase = Some("Running".to_owned());
    inner.spec.as_mut().unwrap().containers[0].image = Some("redis".to_owned());
    let Object::Pod(after) = ok(&mut server, Request::update_status(changed)) else {
        panic!("not a Pod")
    };
    assert_eq!(after.status.as_ref().unwrap().phase.as_deref(), Some("Running"));
    assert_eq!(
        after.spec.as_ref().unwrap().containers[0].image.as_deref(),
        Some("nginx")
    );
    assert_eq!(after.metadata.generation, Some(1));
}
