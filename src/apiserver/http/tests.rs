use super::*;
use crate::api::Kind;
use crate::apiserver::Config;
use serde_json::{Value, json};

const NOW: SimTime = SimTime::from_secs(5);

fn server() -> ApiServer {
    ApiServer::new(Config::default())
}

/// Sends `METHOD PATH` with headers, one per line, and a body.
fn send(server: &mut ApiServer, line: &str, headers: &str, body: &str) -> HttpAnswer {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    let own_token = headers.contains("authorization");
    for (key, value) in headers.lines().filter_map(|line| line.split_once(": ")) {
        request = request.header(key, value);
    }
    if !own_token {
        request = request.header("authorization", "Bearer admin-token");
    }
    serve(server, NOW, &request.body(body.as_bytes().to_vec()).unwrap())
}

fn text(server: &mut ApiServer, line: &str, headers: &str, body: &str) -> (u16, String) {
    match send(server, line, headers, body) {
        HttpAnswer::Response(response) => (
            response.status().as_u16(),
            String::from_utf8(response.into_body()).unwrap(),
        ),
        other => panic!("{other:?}"),
    }
}

fn json_of(server: &mut ApiServer, line: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let (code, text) = text(server, line, "", &body);
    (code, serde_json::from_str(&text).unwrap())
}

const CONFIGMAPS: &str = "/api/v1/namespaces/default/configmaps";

#[test]
fn a_life() {
    let mut server = server();
    let cm = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}});
    let (code, created) = json_of(&mut server, &format!("POST {CONFIGMAPS}"), &cm);
    assert_eq!((code, created["kind"].as_str()), (201, Some("ConfigMap")));
    let (code, got) = json_of(&mut server, &format!("GET {CONFIGMAPS}/a"), &Value::Null);
    assert_eq!((code, &got), (200, &created));
    let (_, list) = json_of(&mut server, &format!("GET {CONFIGMAPS}?limit=1"), &Value::Null);
    assert_eq!(
        (list["kind"].as_str(), list["items"][0]["data"]["k"].as_str()),
        (Some("ConfigMapList"), Some("v"))
    );
    assert!(list["items"][0].get("kind").is_none());
    let patch = "content-type: application/merge-patch+json";
    let (code, _) = text(
        &mut server,
        &format!("PATCH {CONFIGMAPS}/a"),
        patch,
        r#"{"data":{"k":"w"}}"#,
    );
    assert_eq!(code, 200);
    let (code, gone) = json_of(&mut server, &format!("DELETE {CONFIGMAPS}/a"), &Value::Null);
    assert_eq!((code, gone["status"].as_str()), (200, Some("Success")));
    assert_eq!(
        json_of(&mut server, &format!("GET {CONFIGMAPS}/a"), &Value::Null).0,
        404
    );
}

#[test]
fn what_is_refused_and_how() {
    let mut server = server();
    for (line, headers, body, code, words) in [
        (
            "GET /api/v1/nosuch",
            "",
            "",
            404,
            "the server could not find the requested resource",
        ),
        ("GET /nosuch", "", "", 404, "404 page not found"),
        (
            "GET /apis/nosuch.group/v1/things",
            "",
            "",
            404,
            "404 page not found",
        ),
        (
            "PUT /api/v1/namespaces/default/pods",
            "",
            "{}",
            405,
            "the server does not allow this method",
        ),
        (
            "POST /api/v1/namespaces/default/pods/x",
            "",
            "{}",
            405,
            "the server does not allow this method",
        ),
        (
            "OPTIONS /api/v1/namespaces",
            "",
            "",
            405,
            "the server does not allow this method",
        ),
        (
            "POST /api/v1/namespaces/default/pods",
            "content-type: text/plain",
            "x",
            415,
            "accepted media types include",
        ),
        (
            "PATCH /api/v1/namespaces/default/pods/x",
            "content-type: application/json",
            "{}",
            415,
            "415: Unsupported Media Type",
        ),
        (
            "GET /api/v1/namespaces/default/pods",
            "accept: text/csv",
            "",
            406,
            "only the following media types are accepted",
        ),
        (
            "GET /api/v1/pods",
            "authorization: Bearer nope",
            "",
            401,
            "Unauthorized",
        ),
        (
            "GET /api/v1/pods",
            "authorization: Bearer viewer-token",
            "",
            403,
            "pods is forbidden: User \\\"viewer\\\" cannot list resource",
        ),
        (
            "GET /metrics",
            "authorization: Bearer viewer-token",
            "",
            403,
            "cannot get path \\\"/metrics\\\"",
        ),
        (
            "GET /api/v1/namespaces/default/pods?watch=1&resourceVersion=x",
            "",
            "",
            500,
            "strconv.ParseUint",
        ),
        (
            "POST /api/v1/namespaces/default/pods",
            "",
            "{",
            400,
            "unexpected end of JSON input",
        ),
    ] {
        let (got, text) = text(&mut server, line, headers, body);
        assert_eq!(got, code, "{line}: {text}");
        assert!(text.contains(words), "{line}: {text}");
    }
    let refused = server.log.recent().find(|entry| entry.code == 403).unwrap();
    assert_eq!(
        (refused.path().as_str(), refused.stage),
        ("/api/v1/pods", super::super::Stage::Authorization)
    );
}

#[test]
fn a_revision_of_the_future_is_too_large() {
    let mut server = server();
    for path in ["/api/v1/pods", "/api/v1/namespaces/default"] {
        let line = format!("GET {path}?resourceVersion=999999");
        let (code, body) = json_of(&mut server, &line, &Value::Null);
        assert_eq!((code, &body["reason"]), (504, &json!("Timeout")));
        let message = body["message"].as_str().unwrap();
        assert!(message.starts_with("Timeout: Too large resource version: 999999, current: "));
        let details = json!({"retryAfterSeconds": 1,
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]});
        assert_eq!(body["details"], details);
    }
}

/// A status update may label a Pod, but not a Deployment. Source: pkg/registry, the status strategies.
#[test]
fn labels_through_the_status() {
    let mut server = server();
    let containers = json!([{"name": "c", "image": "nginx"}]);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": containers}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {
        "selector": {"matchLabels": {"app": "a"}},
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": containers}}}});
    for (path, object, expected) in [
        ("/api/v1/namespaces/default/pods", pod, json!({"x": "y"})),
        (
            "/apis/apps/v1/namespaces/default/deployments",
            deployment,
            Value::Null,
        ),
    ] {
        let (code, _) = json_of(&mut server, &format!("POST {path}"), &object);
        assert_eq!(code, 201);
        let patch = r#"{"metadata": {"labels": {"x": "y"}}}"#;
        let headers = "content-type: application/merge-patch+json";
        let (code, body) = text(&mut server, &format!("PATCH {path}/a/status"), headers, patch);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((code, &body["metadata"]["labels"]), (200, &expected));
    }
}

/// The frames of a watch in protobuf: the event's word, and the object as a value of its type.
fn frames(mut bytes: &[u8], kind: Kind) -> Vec<(String, String, Value)> {
    use crate::api::schema::{self, proto};
    let mut out = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (event, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        bytes = rest;
        assert_eq!(event[0], 0x0a, "field 1, the type");
        let word = String::from_utf8(event[2..][..usize::from(event[1])].to_vec()).unwrap();
        let at = event
            .windows(4)
            .position(|part| part == b"k8s\0")
            .expect("an envelope");
        let envelope = proto::open(&event[at..]).unwrap();
        let object = proto::decode(schema::of(kind), envelope.raw).unwrap();
        out.push((word, envelope.kind, object));
    }
    out
}

#[test]
fn a_watch_in_protobuf_comes_in_frames() {
    let mut server = server();
    let post = |server: &mut ApiServer, name: &str| {
        let cm =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": "v"}});
        assert_eq!(json_of(server, &format!("POST {CONFIGMAPS}"), &cm).0, 201);
    };
    post(&mut server, "a");
    let accept = "accept: application/vnd.kubernetes.protobuf;stream=watch";
    let query = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";
    let HttpAnswer::Watch(mut watch) = send(&mut server, &format!("GET {CONFIGMAPS}?{query}"), accept, "")
    else {
        panic!("no watch")
    };
    assert_eq!(
        watch.head().headers()["content-type"],
        "application/vnd.kubernetes.protobuf;stream=watch"
    );
    post(&mut server, "b");
    let (_, gone) = json_of(&mut server, &format!("DELETE {CONFIGMAPS}/a"), &Value::Null);
    assert_eq!(gone["status"], "Success");
    let seen = frames(&watch.poll(&server, NOW), Kind::ConfigMap);
    let words: Vec<(&str, &str)> = seen
        .iter()
        .map(|(word, _, object)| (word.as_str(), object["metadata"]["name"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        words,
        [("ADDED", "a"), ("BOOKMARK", ""), ("ADDED", "b"), ("DELETED", "a")]
    );
    assert!(seen.iter().all(|(_, kind, _)| kind == "ConfigMap"));
    assert_eq!(seen[0].2["data"]["k"], "v");
    assert_eq!(
        seen[1].2["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
    let yaml = text(
        &mut server,
        &format!("GET {CONFIGMAPS}?watch=1"),
        "accept: application/yaml",
        "",
    );
    assert_eq!(yaml.0, 406);
}

#[test]
fn a_watch_ends_with_lines() {
    let mut server = server();
    let HttpAnswer::Watch(mut watch) = send(&mut server, &format!("GET {CONFIGMAPS}?watch=1"), "", "") else {
        panic!("no watch")
    };
    let cm = json!({"metadata": {"name": "a"}});
    json_of(&mut server, &format!("POST {CONFIGMAPS}"), &cm);
    let lines = String::from_utf8(watch.poll(&server, NOW)).unwrap();
    let event: Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!(
        (
            event["type"].as_str(),
            event["object"]["metadata"]["name"].as_str()
        ),
        (Some("ADDED"), Some("a"))
    );
    assert!(watch.poll(&server, NOW).is_empty() && !watch.ended());
}

#[test]
fn shapes() {
    let mut server = server();
    for (accept, kind) in [
        (
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            "Table",
        ),
        (
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
            "PartialObjectMetadataList",
        ),
        ("application/json", "NamespaceList"),
    ] {
        let (_, text) = text(
            &mut server,
            "GET /api/v1/namespaces?limit=2",
            &format!("accept: {accept}"),
            "",
        );
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["kind"], kind);
        assert!(value["metadata"]["continue"].is_string());
    }
    let (_, yaml) = text(
        &mut server,
        "GET /api/v1/namespaces/default",
        "accept: application/yaml",
        "",
    );
    assert!(yaml.starts_with("apiVersion: v1\nkind: Namespace\n"), "{yaml}");
}

#[test]
fn reviews() {
    let mut server = server();
    let ask = |verb: &str| json!({"spec": {"resourceAttributes": {"namespace": "default", "verb": verb, "resource": "pods"}}});
    let path = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let (code, answer) = json_of(&mut server, path, &ask("create"));
    assert_eq!((code, answer["status"]["allowed"].as_bool()), (201, Some(true)));
    let (_, answer) = text(
        &mut server,
        path,
        "authorization: Bearer viewer-token",
        &ask("create").to_string(),
    );
    assert!(answer.contains("\"allowed\":false"), "{answer}");
    let who = json!({});
    let (_, answer) = json_of(
        &mut server,
        "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
        &who,
    );
    assert_eq!(answer["status"]["userInfo"]["username"], "admin");
}

#[test]
fn any_bytes_get_an_answer() {
    use proptest::prelude::*;
    let mut runner = proptest::test_runner::TestRunner::default();
    let methods = prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]);
    let path = "/(api|apis|openapi|version)?(/v1|/apps/v1)?(/watch)?(/namespaces/[a-z%0-9]{0,4})?(/pods|/deployments|/secrets)?(/[a-z%.0-9]{0,6})?(/status|/scale|/log)?(\\?[a-zA-Z=&%,!()0-9]{0,20})?";
    let strategy = (methods, path, prop::collection::vec(any::<u8>(), 0..60));
    runner
        .run(&strategy, |(method, path, body)| {
            let mut server = server();
            for content_type in [
                "application/json",
                "application/yaml",
                "application/merge-patch+json",
            ] {
                let request = Request::builder()
                    .method(method)
                    .uri(&path)
                    .header("authorization", "Bearer admin-token")
                    .header("content-type", content_type)
                    .body(body.clone());
                let Ok(request) = request else { return Ok(()) };
                serve(&mut server, NOW, &request);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn encoded_objects_are_those_of_their_version() {
    let mut server = server();
    let path = "/api/v1/namespaces/default/configmaps";
    let get = format!("GET {path}/a");
    let object = json!({"metadata": {"name": "a"}, "data": {"k": "1"}});
    json_of(&mut server, &format!("POST {path}"), &object);
    let before = json_of(&mut server, &get, &Value::Null).1;
    assert_eq!(before, json_of(&mut server, &get, &Value::Null).1);
    // A dry run leaves nothing behind.
    let merge = "content-type: application/merge-patch+json";
    let change = |k: &str| json!({"data": {"k": k}}).to_string();
    let (_, dry) = text(
        &mut server,
        &format!("PATCH {path}/a?dryRun=All"),
        merge,
        &change("2"),
    );
    assert!(dry.contains(r#""k":"2""#), "{dry}");
    assert_eq!(before, json_of(&mut server, &get, &Value::Null).1);
    text(&mut server, &format!("PATCH {path}/a"), merge, &change("3"));
    let after = json_of(&mut server, &get, &Value::Null).1;
    assert_eq!(after["data"]["k"], "3");
    assert!(after["metadata"]["managedFields"].is_array());
    let list = json_of(&mut server, &format!("GET {path}"), &Value::Null).1;
    let mut item = list["items"][0].clone();
    (item["kind"], item["apiVersion"]) = ("ConfigMap".into(), "v1".into());
    assert_eq!(item, after);
    // A copy of the machine goes its own way to the same revision.
    let mut other = server.clone();
    text(&mut server, &format!("PATCH {path}/a"), merge, &change("4"));
    text(&mut other, &format!("PATCH {path}/a"), merge, &change("5"));
    assert_eq!(json_of(&mut server, &get, &Value::Null).1["data"]["k"], "4");
    assert_eq!(json_of(&mut other, &get, &Value::Null).1["data"]["k"], "5");
}

/// What kubectl does to take an object over from client-side to server-side apply.
#[test]
fn managers_can_be_patched() {
    let mut server = server();
    let path = "/api/v1/namespaces/default/configmaps";
    let object = json!({"metadata": {"name": "a"}, "data": {"k": "1"}});
    let (_, made) = json_of(&mut server, &format!("POST {path}?fieldManager=old"), &object);
    let mut entry = made["metadata"]["managedFields"][0].clone();
    (entry["manager"], entry["operation"]) = ("new".into(), "Apply".into());
    let mut patch = |query: &str, kind: &str, body: Value| {
        let content_type = format!("content-type: application/{kind}+json");
        let line = format!("PATCH {path}/a{query}");
        let (code, text) = text(&mut server, &line, &content_type, &body.to_string());
        let value: Value = serde_json::from_str(&text).unwrap();
        (code, value["metadata"].clone())
    };
    let version = &made["metadata"]["resourceVersion"];
    let take_over = json!([{"op": "replace", "path": "/metadata/managedFields", "value": [entry]},
                           {"op": "replace", "path": "/metadata/resourceVersion", "value": version}]);
    let (code, dry) = patch("?dryRun=All", "json-patch", take_over.clone());
    assert_eq!((code, &dry["managedFields"]), (200, &json!([entry])));
    let (code, taken) = patch("", "json-patch", take_over);
    assert_eq!((code, &taken["managedFields"]), (200, &json!([entry])));
    assert_ne!(taken["resourceVersion"], *version);
    // Names nobody, or nobody who can be read: as it was.
    for (kind, body) in [
        ("merge-patch", json!({"metadata": {"managedFields": []}})),
        (
            "merge-patch",
            json!({"metadata": {"managedFields": [{"manager": "x", "operation": "Foo"}]}}),
        ),
        (
            "json-patch",
            json!([{"op": "test", "path": "/metadata/managedFields/0/manager", "value": "new"}]),
        ),
    ] {
        let (code, same) = patch("", kind, body);
        assert_eq!((code, &same), (200, &taken));
    }
    let (_, none) = patch("", "merge-patch", json!({"metadata": {"managedFields": [{}]}}));
    assert_eq!(none.get("managedFields"), None);
}

#[test]
fn patches_and_options_of_another_kind_are_refused() {
    let mut server = server();
    let path = "/api/v1/namespaces/default/configmaps";
    let object = json!({"metadata": {"name": "a"}, "data": {"k": "1"}});
    json_of(&mut server, &format!("POST {path}"), &object);
    let mut patch = |kind: &str, body: Value| {
        let content_type = format!("content-type: application/{kind}+json");
        let (code, text) = text(
            &mut server,
            &format!("PATCH {path}/a"),
            &content_type,
            &body.to_string(),
        );
        (
            code,
            serde_json::from_str::<Value>(&text).unwrap()["message"]
                .as_str()
                .unwrap_or("")
                .to_owned(),
        )
    };
    let (code, message) = patch("merge-patch", json!({"kind": "Secret", "data": {"k": "2"}}));
    assert_eq!(code, 422);
    assert!(
        message.starts_with(" \"\" is invalid: patch: Invalid value: "),
        "{message}"
    );
    assert!(
        message.ends_with("converting (v1.Secret) to (core.ConfigMap): unknown conversion"),
        "{message}"
    );
    let op = json!([{"op": "replace", "path": "/apiVersion", "value": "v2"}]);
    let (code, message) = patch("json-patch", op);
    assert_eq!(code, 422);
    assert!(
        message.contains("no kind \"ConfigMap\" is registered for version \"v2\""),
        "{message}"
    );
    let own = json!({"kind": "ConfigMap", "apiVersion": "v1", "data": {"k": "3"}});
    assert_eq!(patch("merge-patch", own).0, 200);
    assert_eq!(patch("strategic-merge-patch", json!({"kind": "Secret"})).0, 200);
    let delete = format!("DELETE {path}/a");
    let (code, answer) = json_of(&mut server, &delete, &json!({"kind": "Pod", "apiVersion": "v1"}));
    assert_eq!(code, 500);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .starts_with("no kind \"Pod\" is registered for version \"v1\"")
    );
    let options = json!({"kind": "DeleteOptions", "apiVersion": "policy/v1", "gracePeriodSeconds": 0});
    assert_eq!(json_of(&mut server, &delete, &options).0, 200);
}
