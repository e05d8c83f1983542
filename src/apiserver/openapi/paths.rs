//! `paths`: which operation a path offers, on which kind, with which parameters.

use super::{gvk, schemas};
use crate::api::Kind;
use crate::apiserver::discovery;
use serde_json::{Map, Value, json};

fn parameter(name: &str, kind: &str) -> Value {
    json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}})
}

fn path_parameter(name: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "uniqueItems": true}})
}

fn write_parameters() -> Vec<Value> {
    ["dryRun", "fieldManager", "fieldValidation"]
        .map(|name| parameter(name, "string"))
        .into()
}

fn list_parameters() -> Vec<Value> {
    let mut out: Vec<Value> = [
        "continue",
        "fieldSelector",
        "labelSelector",
        "resourceVersion",
        "resourceVersionMatch",
    ]
    .map(|name| parameter(name, "string"))
    .into();
    out.extend(["limit", "timeoutSeconds"].map(|name| parameter(name, "integer")));
    out.extend(["allowWatchBookmarks", "sendInitialEvents", "watch"].map(|name| parameter(name, "boolean")));
    out
}

/// One operation.
struct Operation<'a> {
    action: &'a str,
    id: String,
    tag: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    answer: String,
    gvk: &'a Value,
}

impl Operation<'_> {
    fn value(self) -> Value {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let mut out = json!({
            "operationId": self.id, "tags": [self.tag],
            "responses": {
                "200": {"description": "OK", "content": {"application/json": {"schema": reference(&self.answer)}}},
                "401": {"description": "Unauthorized"},
            },
            "x-kubernetes-action": self.action, "x-kubernetes-group-version-kind": self.gvk,
        });
        if !self.parameters.is_empty() {
            out["parameters"] = self.parameters.into();
        }
        if let Some(body) = self.body {
            out["requestBody"] = body;
        }
        out
    }
}

pub fn of(group: &str, version: &str) -> Map<String, Value> {
    let base = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    };
    let mut out = Map::new();
    for kind in discovery::stored(group, version) {
        add(&mut out, &base, group, version, kind);
    }
    out
}

fn add(out: &mut Map<String, Value>, base: &str, group: &str, version: &str, kind: Kind) {
    let Some(ty) = schemas::root(kind, group, version) else {
        return;
    };
    let info = kind.info();
    let own = schemas::schema_name(ty);
    let gvk = gvk(group, version, info.name);
    let first = group
        .split('.')
        .next()
        .filter(|group| !group.is_empty())
        .unwrap_or("core");
    let scope = if info.namespaced { "Namespaced" } else { "" };
    let tag = format!("{first}_{version}");
    let capital = format!("{}{}", first[..1].to_uppercase(), &first[1..])
        + &version[..1].to_uppercase()
        + &version[1..];
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let content = |media: &[&str], name: &str| {
        let map: Map<String, Value> = media
            .iter()
            .map(|media| ((*media).to_owned(), json!({"schema": reference(name)})))
            .collect();
        json!({"content": map, "required": true})
    };
    let operation =
        |action: &'static str, verb: &str, parameters: Vec<Value>, body: Option<Value>, answer: &str| {
            Operation {
                action,
                id: format!("{verb}{capital}{scope}{}", info.name),
                tag: tag.clone(),
                parameters,
                body,
                answer: answer.to_owned(),
                gvk: &gvk,
            }
            .value()
        };
    let list = || operation("list", "list", list_parameters(), None, &format!("{own}List"));
    let status = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
    let delete_body = || {
        Some(content(
            &["*/*"],
            "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
        ))
    };
    let mut collection = json!({
        "get": list(),
        "post": operation("post", "create", write_parameters(), Some(content(&["*/*"], &own)), &own),
    });
    if kind != Kind::Namespace {
        collection["delete"] = operation(
            "deletecollection",
            "deleteCollection",
            list_parameters(),
            delete_body(),
            status,
        );
    }
    let patches = [
        "application/apply-patch+yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
    ];
    let patch_body = || Some(content(&patches, "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"));
    let patch_parameters = || {
        let mut parameters = write_parameters();
        parameters.push(parameter("force", "boolean"));
        parameters
    };
    let item = json!({
        "get": operation("get", "read", Vec::new(), None, &own),
        "put": operation("put", "replace", write_parameters(), Some(content(&["*/*"], &own)), &own),
        "patch": operation("patch", "patch", patch_parameters(), patch_body(), &own),
        "delete": operation("delete", "delete", vec![
            parameter("dryRun", "string"), parameter("gracePeriodSeconds", "integer"), parameter("propagationPolicy", "string"),
        ], delete_body(), status),
    });
    let mut put = |path: String, mut value: Value, parameters: Vec<Value>| {
        if !parameters.is_empty() {
            value["parameters"] = parameters.into();
        }
        out.insert(path, value);
    };
    let plural = info.plural;
    let (place, namespace) = if info.namespaced {
        put(format!("{base}/{plural}"), json!({"get": list()}), Vec::new());
        (
            format!("{base}/namespaces/{{namespace}}/{plural}"),
            vec![path_parameter("namespace")],
        )
    } else {
        (format!("{base}/{plural}"), Vec::new())
    };
    put(place.clone(), collection, namespace.clone());
    let mut names = namespace;
    names.insert(0, path_parameter("name"));
    for sub in info
        .subresources
        .iter()
        .filter(|sub| matches!(**sub, "status" | "scale"))
    {
        let subject = if *sub == "scale" {
            "autoscaling/v1.Scale"
        } else {
            ""
        };
        let answer = crate::api::schema::named(subject).map_or_else(|| own.clone(), schemas::schema_name);
        if *sub == "scale" && group != "autoscaling" {
            // Its type stands in another document.
            continue;
        }
        let value = json!({
            "get": operation("get", "read", Vec::new(), None, &answer),
            "put": operation("put", "replace", write_parameters(), Some(content(&["*/*"], &answer)), &answer),
            "patch": operation("patch", "patch", patch_parameters(), patch_body(), &answer),
        });
        put(format!("{place}/{{name}}/{sub}"), value, names.clone());
    }
    put(format!("{place}/{{name}}"), item, names);
}
