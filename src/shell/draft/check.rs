//! What the API server would say to a manifest, with the line it is about: every document is sent
//! as a dry run to a copy of the API server, so that asking changes nothing.

use crate::api::order::StableSort;
use http::Request;
use serde_json::Value;

use crate::api::Kind;
use crate::api::yaml::{self, Document};
use crate::apiserver::ApiServer;
use crate::apiserver::http::{HttpAnswer, serve};
use crate::etcd::Key;
use crate::sim::SimTime;

/// What is said about a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// From 1.
    pub line: usize,
    pub text: String,
    /// Apply would be refused.
    pub error: bool,
}

/// A text longer than this is judged when it is applied, not while it is typed.
const MAX_BYTES: usize = 256 << 10;
const MAX_DOCUMENTS: usize = 50;
const MAX_REMARKS: usize = 40;

/// What is going to happen to the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Apply,
    /// `kubectl edit`: what is not changed is not sent, the revision it was read at neither.
    Edit,
}

pub fn check(api: &ApiServer, now: SimTime, text: &str, purpose: Purpose) -> Vec<Remark> {
    if text.trim().is_empty() || text.len() > MAX_BYTES {
        return Vec::new();
    }
    let documents = match yaml::read_all(text) {
        Ok(documents) => documents,
        Err(error) => {
            return vec![Remark {
                line: error.line(),
                text: error.problem().to_string(),
                error: true,
            }];
        }
    };
    let mut copy = api.clone();
    let mut remarks = Vec::new();
    for document in documents.iter().take(MAX_DOCUMENTS) {
        if let Some(duplicates) = document.duplicates_text() {
            remarks.push(Remark {
                line: document.positions.start().0,
                text: duplicates,
                error: true,
            });
        } else {
            for part in parts(document) {
                part_remarks(&mut copy, now, &part, purpose, &mut remarks);
            }
        }
        let hints = document.hints.iter().map(|hint| Remark {
            line: hint.line,
            text: hint.text.clone(),
            error: false,
        });
        remarks.extend(hints);
    }
    remarks.stable_sort_by_key(|remark| remark.line);
    remarks.dedup();
    remarks.truncate(MAX_REMARKS);
    remarks
}

/// One object of a document: the document itself, or an item of the List it is.
struct Part<'a> {
    document: &'a Document,
    /// Where in the document it stands: `items[1].`, or empty.
    prefix: String,
    value: &'a Value,
}

impl Part<'_> {
    fn line(&self, path: &str) -> usize {
        let path = format!("{}{path}", self.prefix);
        self.document.positions.nearest(path.trim_end_matches('.')).0
    }
}

fn parts(document: &Document) -> Vec<Part<'_>> {
    let value = &document.value;
    let items = value["items"]
        .as_array()
        .filter(|_| value["kind"] == "List" && value["apiVersion"] == "v1");
    let Some(items) = items else {
        return vec![Part {
            document,
            prefix: String::new(),
            value,
        }];
    };
    let numbered = items.iter().take(MAX_DOCUMENTS).enumerate();
    numbered
        .map(|(index, value)| Part {
            document,
            prefix: format!("items[{index}]."),
            value,
        })
        .collect()
}

fn part_remarks(
    api: &mut ApiServer,
    now: SimTime,
    part: &Part<'_>,
    purpose: Purpose,
    remarks: &mut Vec<Remark>,
) {
    let start = part.line("");
    let at = |pointer: &str| part.value.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let (api_version, name) = (at("/apiVersion"), at("/kind"));
    let Some(kind) = Kind::by_api_version(api_version, name) else {
        let line = part.line("kind");
        let text = match (api_version, name) {
            (_, "") => "Object 'Kind' is missing".to_string(),
            ("", _) => "Object 'apiVersion' is missing".to_string(),
            _ => format!("no matches for kind \"{name}\" in version \"{api_version}\""),
        };
        remarks.push(Remark {
            line,
            text,
            error: true,
        });
        return;
    };
    let name = at("/metadata/name");
    let namespace = at("/metadata/namespace");
    let key = Key::new(kind, place(kind, namespace), name);
    // What exists already would be changed, not created.
    let exists = api.etcd.get(&key).is_some();
    let mut value = part.value.clone();
    if purpose == Purpose::Edit
        && let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.remove("resourceVersion");
    }
    let Some(status) = dry_run(
        api,
        now,
        kind,
        namespace,
        exists.then_some(name),
        "Strict",
        &value,
    ) else {
        remarks.push(Remark {
            line: part.line("metadata.name"),
            text: format!("invalid name {name:?}"),
            error: true,
        });
        return;
    };
    if status.is_null() {
        return;
    }
    let causes = causes(&status);
    for cause in causes {
        let field = word(cause, "field");
        // A patch is refused whole, with all its text; what counts is the field it names.
        if let Some((_, errors)) = word(cause, "message").split_once("strict decoding error: ") {
            remarks.extend(errors.split(", ").map(|error| Remark {
                line: part.line(quoted(error).unwrap_or("")),
                text: error.to_string(),
                error: true,
            }));
            continue;
        }
        let text = format!("{field}: {}", word(cause, "message"));
        remarks.push(Remark {
            line: part.line(&field),
            text: text.trim_start_matches(": ").to_string(),
            error: true,
        });
    }
    if causes.is_empty() {
        let message = word(&status, "message");
        let line = quoted(&message).map_or(start, |field| part.line(field));
        remarks.push(Remark {
            line,
            text: message,
            error: true,
        });
    }
}

/// Unknown fields are named in quotes: `unknown field "spec.replica"`.
fn quoted(message: &str) -> Option<&str> {
    message.split_once("field \"")?.1.split('"').next()
}

fn word(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or("").to_string()
}

fn causes(status: &Value) -> &[Value] {
    status
        .pointer("/details/causes")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The namespace an object is kept in.
fn place(kind: Kind, namespace: &str) -> &str {
    match (kind.namespaced(), namespace) {
        (false, _) => "",
        (true, "") => "default",
        (true, namespace) => namespace,
    }
}

/// Creates an object, or changes the one with that name, as a dry run: the Status of a refusal, null if
/// there is none. None for a name that no path can have.
fn dry_run(
    api: &mut ApiServer,
    now: SimTime,
    kind: Kind,
    namespace: &str,
    existing: Option<&str>,
    field_validation: &str,
    value: &Value,
) -> Option<Value> {
    let info = kind.info();
    let root = if info.group.is_empty() {
        format!("/api/{}", info.version)
    } else {
        format!("/apis/{}/{}", info.group, info.version)
    };
    let scope = if info.namespaced {
        format!("/namespaces/{}", place(kind, namespace))
    } else {
        String::new()
    };
    let (method, name, content_type) = match existing {
        Some(name) => ("PATCH", format!("/{name}"), "application/merge-patch+json"),
        None => ("POST", String::new(), "application/json"),
    };
    let request = Request::builder()
        .method(method)
        .uri(format!(
            "{root}{scope}/{}{name}?dryRun=All&fieldValidation={field_validation}",
            info.plural
        ))
        .header("Content-Type", content_type)
        .header("Accept", "application/json")
        .header("Authorization", "Bearer admin-token")
        .body(value.to_string().into_bytes())
        .ok()?;
    match serve(api, now, &request) {
        HttpAnswer::Response(answer) if answer.status().as_u16() >= 400 => {
            Some(serde_json::from_slice(answer.body()).unwrap_or_default())
        }
        _ => Some(Value::Null),
    }
}

/// What the API server says against creating the objects of a text, whatever they are called and
/// whatever else stands in them.
pub(super) fn refusals(api: &ApiServer, now: SimTime, text: &str) -> Vec<String> {
    if text.len() > MAX_BYTES {
        return Vec::new();
    }
    let mut copy = api.clone();
    let mut messages = Vec::new();
    for mut document in yaml::read_all(text).unwrap_or_default() {
        let value = &mut document.value;
        let (api_version, name) = (word(value, "apiVersion"), word(value, "kind"));
        let Some(kind) = Kind::by_api_version(&api_version, &name) else {
            continue;
        };
        value["metadata"] = serde_json::json!({"name": "draft"});
        if let Some(status) = dry_run(&mut copy, now, kind, "", None, "Ignore", value) {
            messages.extend(causes(&status).iter().map(|cause| word(cause, "message")));
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apiserver::Config;

    fn remarks(text: &str) -> Vec<(usize, String)> {
        let api = ApiServer::new(Config::default());
        let before = api.etcd.revision();
        let remarks = check(&api, SimTime::ZERO, text, Purpose::Apply);
        assert_eq!(api.etcd.revision(), before);
        remarks
            .into_iter()
            .map(|remark| (remark.line, remark.text))
            .collect()
    }

    #[test]
    fn what_is_edited_is_judged_as_a_change() {
        let mut api = ApiServer::new(Config::default());
        let stored = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: default\n";
        let document = yaml::read_one(stored).unwrap();
        let created = dry_run_for_real(&mut api, &document.value);
        assert_eq!(created, Value::Null);
        let judge = |text: &str, purpose| -> Vec<(usize, String)> {
            check(&api, SimTime::ZERO, text, purpose)
                .into_iter()
                .map(|remark| (remark.line, remark.text))
                .collect()
        };
        let stale = format!("{stored}  resourceVersion: \"1\"\n");
        assert_eq!(judge(&stale, Purpose::Edit), []);
        assert_eq!(judge(&stale, Purpose::Apply).len(), 1);
        assert_eq!(
            judge(&format!("{stored}dat:\n  k: v\n"), Purpose::Edit),
            [(6, "unknown field \"dat\"".to_string())]
        );
        // Several objects are edited as a List; what is wrong is said of its item.
        let item =
            |name: &str| format!("- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: {name}\n");
        let list = format!(
            "apiVersion: v1\nkind: List\nitems:\n{}{}  dat: {{}}\n",
            item("a"),
            item("a")
        );
        assert_eq!(
            judge(&list, Purpose::Edit),
            [(12, "unknown field \"dat\"".to_string())]
        );
    }

    fn dry_run_for_real(api: &mut ApiServer, value: &Value) -> Value {
        let request = Request::builder()
            .method("POST")
            .uri("/api/v1/namespaces/default/configmaps")
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer admin-token")
            .body(value.to_string().into_bytes())
            .unwrap();
        match serve(api, SimTime::ZERO, &request) {
            HttpAnswer::Response(answer) if answer.status().as_u16() == 201 => Value::Null,
            HttpAnswer::Response(answer) => serde_json::from_slice(answer.body()).unwrap(),
            _ => panic!("no answer"),
        }
    }

    #[test]
    fn errors_are_on_their_line() {
        assert_eq!(
            remarks("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"),
            []
        );
        let unknown =
            remarks("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: web\nspec:\n  replica: 3\n");
        assert!(
            unknown
                .iter()
                .any(|(line, text)| *line == 6 && text.contains("unknown field \"spec.replica\"")),
            "{unknown:?}"
        );
        let kind = remarks("apiVersion: v1\nkind: Pot\n");
        assert_eq!(
            kind,
            [(2, "no matches for kind \"Pot\" in version \"v1\"".to_string())]
        );
        let wrong = remarks("a: 1\n b: 2\n");
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        let second = remarks(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: Bad_Name\nspec:\n  containers:\n  - name: c\n    image: nginx\n",
        );
        assert!(
            second
                .iter()
                .any(|(line, text)| *line == 9 && text.contains("metadata.name")),
            "{second:?}"
        );
    }
}
