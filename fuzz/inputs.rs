//! What a stranger's bytes may do: be refused in Kubernetes' words, or be served. Nothing here may panic, take long or
//! hold much memory; each function also checks what must be true of any answer.

#![allow(dead_code, reason = "each fuzz target uses one of these")]

use http::{HeaderMap, HeaderValue, Request, Uri, header};
use kube_by_hand::api::{FieldSelector, Kind, Quantity, Selector};
use kube_by_hand::apiserver::http::{HttpAnswer, serve};
use kube_by_hand::apiserver::{ApiServer, Config};
use kube_by_hand::cluster::{Cluster, Preset, Setup};
use kube_by_hand::shell::Terminal;
use kube_by_hand::shell::print::{gotemplate, jsonpath};
use kube_by_hand::sim::SimTime;
use serde_json::{Value, json};
use std::cell::OnceCell;
use std::time::Duration;

const NOW: SimTime = SimTime::from_secs(5);

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

/// Where bodies go: a kind each, by a letter in front of the body.
const COLLECTIONS: &[&str] = &[
    "/api/v1/namespaces",
    "/api/v1/nodes",
    "/api/v1/persistentvolumes",
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/endpoints",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/events",
    "/api/v1/namespaces/default/serviceaccounts",
    "/api/v1/namespaces/default/replicationcontrollers",
    "/api/v1/namespaces/default/persistentvolumeclaims",
    "/api/v1/namespaces/default/limitranges",
    "/api/v1/namespaces/default/resourcequotas",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/apps/v1/namespaces/default/replicasets",
    "/apis/apps/v1/namespaces/default/statefulsets",
    "/apis/apps/v1/namespaces/default/daemonsets",
    "/apis/apps/v1/namespaces/default/controllerrevisions",
    "/apis/batch/v1/namespaces/default/jobs",
    "/apis/batch/v1/namespaces/default/cronjobs",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    "/apis/networking.k8s.io/v1/ingressclasses",
    "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
    "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
    "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
    "/apis/scheduling.k8s.io/v1/priorityclasses",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/events.k8s.io/v1/namespaces/default/events",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authentication.k8s.io/v1/tokenreviews",
];

thread_local! {
    static FRESH: OnceCell<ApiServer> = const { OnceCell::new() };
    static OFFICE: OnceCell<Cluster> = const { OnceCell::new() };
}

/// A server as it is after its start, with an object of some kinds in it.
fn server() -> ApiServer {
    FRESH.with(|fresh| {
        let server = fresh.get_or_init(|| {
            let mut server = ApiServer::new(Config::default());
            for (path, object) in OBJECTS {
                let (code, body) = send(&mut server, "POST", path, JSON, object.as_bytes());
                assert_eq!(code, 201, "{path}: {body}");
            }
            server
        });
        server.clone()
    })
}

const OBJECTS: &[(&str, &str)] = &[
    (
        "/api/v1/namespaces/default/configmaps",
        r#"{"metadata":{"name":"a","labels":{"app":"web"}},"data":{"k":"v"}}"#,
    ),
    (
        "/api/v1/namespaces/default/pods",
        r#"{"metadata":{"name":"a","labels":{"app":"web"}},"spec":{"containers":[{"name":"web","image":"nginx:1.27","ports":[{"containerPort":80}],"env":[{"name":"A","value":"b"}]}],"tolerations":[{"key":"k","operator":"Exists"}],"volumes":[{"name":"v","emptyDir":{}}]}}"#,
    ),
    (
        "/api/v1/namespaces/default/services",
        r#"{"metadata":{"name":"a"},"spec":{"selector":{"app":"web"},"ports":[{"name":"http","port":80},{"name":"https","port":443}]}}"#,
    ),
    (
        "/apis/apps/v1/namespaces/default/deployments",
        r#"{"metadata":{"name":"a","finalizers":["example.com/a"]},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"web","image":"nginx:1.26","args":["x"]},{"name":"side","image":"busybox"}]}}}}"#,
    ),
    (
        "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
        r#"{"metadata":{"name":"a"},"spec":{"minAvailable":"50%","selector":{"matchLabels":{"app":"web"}}}}"#,
    ),
];

fn request(method: &str, uri: &str, content_type: &str, body: &[u8]) -> Option<Request<Vec<u8>>> {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::from_static("Bearer admin-token"),
    );
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).ok()?);
    let mut request = Request::new(body.to_vec());
    *request.method_mut() = method.parse().ok()?;
    *request.uri_mut() = uri.parse::<Uri>().ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

/// The code and the body, which is JSON.
fn send(server: &mut ApiServer, method: &str, uri: &str, content_type: &str, body: &[u8]) -> (u16, Value) {
    let request = request(method, uri, content_type, body).expect("a request");
    match serve(server, NOW, &request) {
        HttpAnswer::Response(response) => {
            let code = response.status().as_u16();
            let value = serde_json::from_slice(response.body()).unwrap_or_else(|error| {
                panic!("{code} {error}: {}", String::from_utf8_lossy(response.body()))
            });
            (code, value)
        }
        other => panic!("{other:?}"),
    }
}

/// What must be true of every refusal.
fn check_refusal(code: u16, status: &Value) {
    assert!((400..=504).contains(&code), "{code}: {status}");
    assert_eq!(status["kind"], "Status", "{status}");
    assert_eq!(status["code"], code, "{status}");
    assert_ne!(status["reason"], "InternalError", "{status}");
}

/// The letter in front chooses; the rest is what it says.
fn split(data: &[u8]) -> (usize, &[u8]) {
    match data {
        [] => (0, data),
        [first, rest @ ..] => (usize::from(*first), rest),
    }
}

/// A name as a path carries it; Events may have almost any.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Bodies to create from. What was created comes back the same, and is accepted back unchanged; a review is
/// answered and not kept, also when it has a name.
pub fn bodies(data: &[u8]) {
    let (which, body) = split(data);
    let collection = COLLECTIONS[which % COLLECTIONS.len()];
    let content_type = if which >= 128 { YAML } else { JSON };
    let mut server = server();
    let (code, created) = send(&mut server, "POST", collection, content_type, body);
    if code >= 300 {
        return check_refusal(code, &created);
    }
    let name = created["metadata"]["name"].as_str().unwrap_or("");
    if name.is_empty() || collection.ends_with("reviews") {
        return;
    }
    let place = format!("{collection}/{}", escaped(name));
    let (code, read) = send(&mut server, "GET", &place, JSON, &[]);
    assert_eq!((code, &read), (200, &created), "{place}");
    let (code, put) = send(&mut server, "PUT", &place, JSON, read.to_string().as_bytes());
    assert!(code == 200 || code == 422, "{place}: {put}");
    if code == 200 {
        assert_eq!(put, read, "{place}");
    }
    let (code, gone) = send(&mut server, "DELETE", &place, JSON, &[]);
    assert!(code < 300 || gone["kind"] == "Status", "{gone}");
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

const ACCEPTS: &[&str] = &[
    JSON,
    YAML,
    "application/vnd.kubernetes.protobuf",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "*/*",
];

/// Paths and queries of every method, with every form of answer.
pub fn paths_queries(data: &[u8]) {
    let (which, text) = split(data);
    let method = METHODS[which % METHODS.len()];
    let accept = ACCEPTS[which / METHODS.len() % ACCEPTS.len()];
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let Some(mut request) = request(method, text, JSON, b"{}") else {
        return;
    };
    request
        .headers_mut()
        .insert(header::ACCEPT, HeaderValue::from_static(accept));
    let mut server = server();
    match serve(&mut server, NOW, &request) {
        HttpAnswer::Response(response) => {
            let code = response.status().as_u16();
            assert!((200..=504).contains(&code), "{code}");
        }
        HttpAnswer::Watch(mut watch) => {
            watch.poll(&server, NOW);
            let _ = send(
                &mut server,
                "DELETE",
                "/api/v1/namespaces/default/configmaps/a",
                JSON,
                &[],
            );
            let in_lines = watch.head().headers()["content-type"] == "application/json";
            let events = watch.poll(&server, NOW + Duration::from_secs(61));
            match in_lines {
                true => lines(&events),
                false => frames(&events),
            }
        }
        HttpAnswer::Proxy(_) => {}
    }
}

/// A watch in JSON.
fn lines(events: &[u8]) {
    for line in events.split_inclusive(|byte| *byte == b'\n') {
        serde_json::from_slice::<Value>(line).expect("a line of JSON");
    }
}

/// A watch in protobuf: whole frames, each as long as it says.
fn frames(mut events: &[u8]) {
    while let Some((length, rest)) = events.split_first_chunk::<4>() {
        events = rest
            .get(u32::from_be_bytes(*length) as usize..)
            .expect("a whole frame");
    }
    assert!(events.is_empty(), "{events:?}");
}

const PATCHED: &[&str] = &[
    "/api/v1/namespaces/default/configmaps/a",
    "/api/v1/namespaces/default/pods/a",
    "/api/v1/namespaces/default/services/a",
    "/apis/apps/v1/namespaces/default/deployments/a",
    "/apis/policy/v1/namespaces/default/poddisruptionbudgets/a",
    "/apis/apps/v1/namespaces/default/deployments/a/status",
    "/apis/apps/v1/namespaces/default/deployments/a/scale",
    "/api/v1/namespaces/default/configmaps/new",
];

const PATCH_TYPES: &[&str] = &[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

/// Patches of every format. Applying one twice says the same both times.
pub fn patches(data: &[u8]) {
    let (which, body) = split(data);
    let path = PATCHED[which % PATCHED.len()];
    let format = PATCH_TYPES[which / PATCHED.len() % PATCH_TYPES.len()];
    let uri = format!("{path}?fieldManager=fuzz&force={}", which >= 128);
    // Only an apply may be forced, and only there it changes anything.
    let uri = if format.starts_with("application/apply") {
        &uri
    } else {
        path
    };
    let mut server = server();
    let (code, patched) = send(&mut server, "PATCH", uri, format, body);
    if code >= 300 {
        return check_refusal(code, &patched);
    }
    if format.starts_with("application/apply") {
        let (code, again) = send(&mut server, "PATCH", uri, format, body);
        assert!(code == 200 || code == 409, "{again}");
        if code == 200 {
            assert_eq!(again, patched, "applying the same again changes nothing");
        }
    }
}

/// Selectors, quantities, and the templates of kubectl's outputs. What can be read can be written and read again.
pub fn selectors_quantities(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(selector) = Selector::parse(text) {
        let written = selector.to_string();
        assert_eq!(Selector::parse(&written), Ok(selector), "{written}");
    }
    if let Ok(selector) = FieldSelector::parse(Kind::Pod, text) {
        for (_, value) in server().etcd.range(Kind::Pod, "") {
            selector.matches(&value.object);
        }
    }
    if let Ok(quantity) = Quantity::parse(text) {
        let written = Quantity::canonical(text).unwrap_or_else(|| text.to_owned());
        let read = Quantity::parse(&written).expect("the canonical form parses");
        assert_eq!(read.milli_value(), quantity.milli_value(), "{text} {written}");
    }
    let value = json!({"items": [{"metadata": {"name": "a", "labels": {"app": "web"}}, "spec": {"n": 1.5, "list": [1, null, true]}}], "kind": "List"});
    for template in [jsonpath::Template::new(text), jsonpath::Template::relaxed(text)] {
        let _ = template.and_then(|template| template.print(&value));
    }
    let _ = gotemplate::Template::new(text).and_then(|template| template.print(&value));
}

/// A cluster with one node, everything on autopilot.
fn office_of_one() -> Cluster {
    Cluster::new(Setup {
        preset: Preset::Autopilot,
        desks: vec!["alice".to_owned()],
        ..Setup::default()
    })
}

/// Whole scripts in the console, on a machine of its own.
pub fn command_lines(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut terminal = Terminal::over(OFFICE.with(|office| office.get_or_init(office_of_one).clone()));
    let first = terminal.run(text, Duration::from_secs(3));
    assert!(
        first.code.is_none_or(|code| (0..=255).contains(&code)),
        "{first:?}"
    );
    // Whatever it did, the console still answers.
    let after = terminal.run("kubectl version", Duration::from_secs(3));
    assert!(after.code.is_some(), "{after:?}");
}
