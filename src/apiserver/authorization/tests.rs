use super::*;
use crate::api::{Kind, Object};
use crate::apiserver::Config;
use crate::sim::SimTime;
use serde_json::json;

fn server() -> ApiServer {
    ApiServer::new(Config::default())
}

fn identity(name: &str, groups: &[&str]) -> Identity {
    Identity::component(name, groups, "test")
}

fn write(server: &mut ApiServer, who: &Identity, kind: Kind, value: serde_json::Value) -> Result<(), Status> {
    let object = Object::from_value(kind, value).unwrap();
    server
        .call(SimTime::ZERO, who, 0, Request::create(object))
        .result
        .map(drop)
}

fn may(server: &mut ApiServer, who: &Identity, verb: &str, resource: &str, namespace: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let attributes = Attributes {
        verb,
        resource,
        subresource,
        namespace,
        ..Attributes::default()
    };
    server.decide(&who.user, &attributes).allowed
}

#[test]
fn a_role_binding_grants_in_its_namespace_and_is_seen_at_once() {
    let mut server = server();
    let (admin, viewer) = (
        identity("a", &["system:masters"]),
        identity("viewer", &["viewers"]),
    );
    assert!(!may(&mut server, &viewer, "get", "pods", "default"));
    let role = json!({"metadata": {"name": "r", "namespace": "default"}, "rules": [{"apiGroups": [""], "resources": ["pods", "*/log"], "verbs": ["get"]}]});
    write(&mut server, &admin, Kind::Role, role).unwrap();
    let binding = json!({"metadata": {"name": "b", "namespace": "default"}, "subjects": [{"kind": "Group", "name": "viewers", "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}});
    write(&mut server, &admin, Kind::RoleBinding, binding).unwrap();
    for (verb, resource, namespace, expected) in [
        ("get", "pods", "default", true),
        ("get", "pods/log", "default", true),
        ("get", "pods/exec", "default", false),
        ("list", "pods", "default", false),
        ("get", "pods", "kube-system", false),
        ("get", "pods", "", false),
    ] {
        assert_eq!(
            may(&mut server, &viewer, verb, resource, namespace),
            expected,
            "{verb} {resource} {namespace}"
        );
    }
}

#[test]
fn nobody_grants_what_they_do_not_hold() {
    let mut server = server();
    let admin = identity("a", &["system:masters"]);
    let editor = identity("bob", &["devs"]);
    let binding = json!({"metadata": {"name": "b", "namespace": "default"}, "subjects": [{"kind": "User", "name": "bob", "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}});
    write(&mut server, &admin, Kind::RoleBinding, binding).unwrap();
    let role = |name: &str, resource: &str| json!({"metadata": {"name": name, "namespace": "default"}, "rules": [{"apiGroups": [""], "resources": [resource], "verbs": ["get", "list"]}]});
    write(&mut server, &editor, Kind::Role, role("ok", "pods")).unwrap();
    let refused = write(&mut server, &editor, Kind::Role, role("no", "nodes")).unwrap_err();
    assert_eq!(
        refused.message,
        "roles.rbac.authorization.k8s.io \"no\" is forbidden: user \"bob\" (groups=[\"devs\"]) is attempting to grant \
         RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"list\"]}"
    );
}

#[test]
fn refusals_in_upstreams_words() {
    let mut server = server();
    let viewer = identity("viewer", &["viewers"]);
    for (attributes, message) in [
        (
            Attributes {
                verb: "list",
                resource: "pods",
                namespace: "demo",
                ..Attributes::default()
            },
            "pods is forbidden: User \"viewer\" cannot list resource \"pods\" in API group \"\" in the namespace \"demo\"",
        ),
        (
            Attributes {
                verb: "get",
                group: "apps",
                resource: "deployments",
                subresource: "scale",
                name: "web",
                ..Attributes::default()
            },
            "deployments.apps \"web\" is forbidden: User \"viewer\" cannot get resource \"deployments/scale\" in API group \"apps\" at the cluster scope",
        ),
        (
            Attributes {
                verb: "get",
                path: "/metrics",
                ..Attributes::default()
            },
            "forbidden: User \"viewer\" cannot get path \"/metrics\"",
        ),
    ] {
        assert_eq!(
            check(&mut server, &viewer.user, &attributes).unwrap_err().message,
            message
        );
    }
}

#[test]
fn components_may_do_their_work() {
    let mut server = server();
    let scheduler = identity("system:kube-scheduler", &["system:authenticated"]);
    assert!(may(&mut server, &scheduler, "create", "pods/binding", "default"));
    assert!(!may(&mut server, &scheduler, "create", "pods", "default"));
    let node = identity("system:node:node-0", &["system:nodes", "system:authenticated"]);
    assert!(may(&mut server, &node, "patch", "pods/status", "default"));
    let controller = identity(
        "system:serviceaccount:kube-system:replicaset-controller",
        &["system:serviceaccounts", "system:authenticated"],
    );
    assert!(may(&mut server, &controller, "create", "pods", "default"));
    assert!(!may(&mut server, &controller, "delete", "nodes", ""));
}
