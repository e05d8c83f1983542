//! Messages of a real kube-apiserver.

use crate::api::{Kind, Object, Status, defaults, validation};
use serde_json::{Value, json};

fn object(kind: Kind, mut body: Value) -> Object {
    if body["metadata"].is_null() {
        body["metadata"] = json!({"name": "x"});
    }
    let mut object = Object::from_value(kind, body).expect("a readable object");
    if kind.namespaced() {
        object.meta_mut().namespace = Some("default".to_owned());
    }
    defaults::apply(&mut object);
    object
}

/// The refusal without the words before the fields.
fn refusal(kind: Kind, body: Value) -> String {
    let object = object(kind, body);
    let errors = validation::create(&object);
    if errors.is_empty() {
        return String::new();
    }
    let message =
        serde_json::to_value(Status::invalid(kind.info(), object.name(), errors)).expect("a Status");
    let message = message["message"].as_str().unwrap_or_default().to_owned();
    message
        .split_once(" is invalid: ")
        .map(|(_, rest)| rest.to_owned())
        .unwrap_or(message)
}

fn pod(extra: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "c", "image": "nginx"}]});
    for (key, value) in extra.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    json!({"spec": spec})
}

#[test]
fn pods() {
    let table = [
        (json!({}), ""),
        (json!({"containers": []}), "spec.containers: Required value"),
        (
            json!({"containers": [{"name": "c", "image": "a"}, {"name": "c", "image": "b"}]}),
            "spec.containers[1].name: Duplicate value: \"c\"",
        ),
        (
            json!({"restartPolicy": "Sometimes"}),
            "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \
             \"Never\"",
        ),
        (
            json!({"containers": [{"name": "c", "image": "a", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}),
            "spec.containers[0].volumeMounts[0].name: Not found: \"v\"",
        ),
        (
            json!({"containers": [{"name": "c", "image": "a",
                "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}]}),
            "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1",
        ),
        (
            json!({"tolerations": [{"key": "k", "operator": "Exists", "value": "v"}]}),
            "spec.tolerations[0].operator: Invalid value: \"v\": value must be empty when `operator` is 'Exists'",
        ),
        (
            json!({"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "X"}]}),
            "[spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero, \
             spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty, \
             spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"X\": supported values: \
             \"DoNotSchedule\", \"ScheduleAnyway\"]",
        ),
    ];
    for (extra, expected) in table {
        assert_eq!(refusal(Kind::Pod, pod(extra.clone())), expected, "{extra}");
    }
}

#[test]
fn deployments() {
    let deployment = |extra: Value| {
        let mut spec = json!({
            "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "a"}]}},
        });
        for (key, value) in extra.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        json!({"spec": spec})
    };
    let table = [
        (json!({}), ""),
        (
            json!({"replicas": -1}),
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            json!({"selector": {}}),
            "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: {\"app\":\"x\"}: `selector` \
             does not match template `labels`]",
        ),
        (
            json!({"strategy": {"type": "Foo"}}),
            "spec.strategy: Unsupported value: {\"Type\":\"Foo\",\"RollingUpdate\":null}: supported values: \
             \"Recreate\", \"RollingUpdate\"",
        ),
        (
            json!({"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}}),
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
        ),
        (
            json!({"progressDeadlineSeconds": 5, "minReadySeconds": 10}),
            "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
        ),
    ];
    for (extra, expected) in table {
        assert_eq!(
            refusal(Kind::Deployment, deployment(extra.clone())),
            expected,
            "{extra}"
        );
    }
}

#[test]
fn other_kinds() {
    let table = [
        (
            Kind::Service,
            json!({"spec": {"type": "Foo", "ports": [{"port": 80}]}}),
            "spec.type: Unsupported value: \"Foo\": supported values: \"ClusterIP\", \"ExternalName\", \
             \"LoadBalancer\", \"NodePort\"",
        ),
        (
            Kind::Job,
            json!({"spec": {"manualSelector": true, "selector": {"matchLabels": {"a": "b"}}, "template": {
                "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "a"}]}}}}),
            "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"",
        ),
        (
            Kind::Ingress,
            json!({"spec": {}}),
            "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified",
        ),
        (
            Kind::PriorityClass,
            json!({"value": 2_000_000_000}),
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
        ),
        (
            Kind::PersistentVolume,
            json!({"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}}),
            "spec: Required value: must specify a volume type",
        ),
        (
            Kind::NetworkPolicy,
            json!({"spec": {"ingress": [{"from": [{}], "ports": [{"port": 10, "endPort": 5}]}]}}),
            "[spec.ingress[0].ports[0].endPort: Invalid value: 10: must be greater than or equal to `port`, \
             spec.ingress[0].from[0]: Required value: must specify a peer]",
        ),
        (
            Kind::PodDisruptionBudget,
            json!({"spec": {"minAvailable": 1, "maxUnavailable": "50%"}}),
            "spec: Invalid value: {\"MinAvailable\":1,\"Selector\":null,\"MaxUnavailable\":\"50%\",\
             \"UnhealthyPodEvictionPolicy\":null}: minAvailable and maxUnavailable cannot be both set",
        ),
        (
            Kind::Role,
            json!({"rules": [{"verbs": [], "apiGroups": [""], "resources": []}]}),
            "[rules[0].verbs: Required value: verbs must contain at least one value, rules[0].resources: Required \
             value: resource rules must supply at least one resource]",
        ),
    ];
    for (kind, body, expected) in table {
        assert_eq!(refusal(kind, body.clone()), expected, "{body}");
    }
}

#[test]
fn names() {
    let named = |name: &str| {
        let mut body = pod(json!({}));
        body["metadata"] = json!({"name": name});
        body
    };
    assert_eq!(
        refusal(Kind::Pod, named("")),
        "metadata.name: Required value: name or generateName is required"
    );
    assert!(refusal(Kind::Pod, named("Bad_Name")).starts_with(
        "metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of"
    ));
}

#[test]
fn immutable_fields() {
    let map = |extra: Value| {
        let mut body = json!({"metadata": {"name": "m"}, "immutable": true, "data": {"a": "1"}});
        for (key, value) in extra.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        object(Kind::ConfigMap, body)
    };
    let texts = |new: &Object, old: &Object| -> Vec<String> {
        validation::update(new, old)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        texts(&map(json!({"data": {"a": "2"}})), &map(json!({}))),
        ["data: Forbidden: field is immutable when `immutable` is set"]
    );
    assert!(texts(&map(json!({})), &map(json!({}))).is_empty());
    let binding = |role: &str| {
        let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role});
        object(
            Kind::RoleBinding,
            json!({"metadata": {"name": "b"}, "roleRef": reference}),
        )
    };
    assert_eq!(
        texts(&binding("zz"), &binding("yy")),
        [
            "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"Role\",\"Name\":\"zz\"}: \
          cannot change roleRef"
        ]
    );
}

#[test]
fn changes_of_a_pod_are_shown() {
    // The Pod of a recorded refusal.
    let spec = |name: &str| {
        json!({"metadata": {"name": "p1"}, "spec": {
            "containers": [{"name": name, "image": "nginx:1.25", "volumeMounts": [
                {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "t", "readOnly": true}]}],
            "schedulerName": "none", "serviceAccountName": "default",
            "volumes": [{"name": "t", "projected": {"sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
                {"downwardAPI": {"items": [{"fieldRef": {"fieldPath": "metadata.namespace"},
                    "path": "namespace"}]}}]}}]}})
    };
    let (new, old) = (object(Kind::Pod, spec("other")), object(Kind::Pod, spec("c")));
    let errors = validation::update(&new, &old);
    let shown = errors[0].detail.split_once('\n').map_or("", |(_, rest)| rest);
    let expected = "@@ -91,7 +91,7 @@
  \"InitContainers\": null,
  \"Containers\": [
   {
-   \"Name\": \"c\",
+   \"Name\": \"other\",
    \"Image\": \"nginx:1.25\",
    \"Command\": null,
    \"Args\": null,
";
    assert_eq!(shown, expected);
}
