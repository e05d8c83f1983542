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

pub fn check(api: &ApiServer, now: SimTime, text: &str) -> Vec<Remark> {
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
        document_remarks(&mut copy, now, document, &mut remarks);
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

fn document_remarks(api: &mut ApiServer, now: SimTime, document: &Document, remarks: &mut Vec<Remark>) {
    let start = document.positions.start().0;
    if let Some(duplicates) = document.duplicates_text() {
        remarks.push(Remark {
            line: start,
            text: duplicates,
            error: true,
        });
        return;
    }
    let at = |pointer: &str| {
        document
            .value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("")
    };
    let (api_version, name) = (at("/apiVersion"), at("/kind"));
    let Some(kind) = Kind::by_api_version(api_version, name) else {
        let line = document.positions.nearest("kind").0;
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
    let info = kind.info();
    let namespace = Some(at("/metadata/namespace"))
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or("default");
    let root = if info.group.is_empty() {
        format!("/api/{}", info.version)
    } else {
        format!("/apis/{}/{}", info.group, info.version)
    };
    let scope = if info.namespaced {
        format!("/namespaces/{namespace}")
    } else {
        String::new()
    };
    let object_name = at("/metadata/name");
    let key = Key::new(kind, if info.namespaced { namespace } else { "" }, object_name);
    // What exists already would be changed, not created.
    let (method, name_part, content_type) = if api.etcd.get(&key).is_some() {
        ("PATCH", format!("/{object_name}"), "application/merge-patch+json")
    } else {
        ("POST", String::new(), "application/json")
    };
    let uri = format!(
        "{root}{scope}/{}{name_part}?dryRun=All&fieldValidation=Strict",
        info.plural
    );
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("Content-Type", content_type)
        .header("Accept", "application/json")
        .header("Authorization", "Bearer admin-token")
        .body(document.value.to_string().into_bytes());
    let Ok(request) = request else {
        remarks.push(Remark {
            line: document.positions.nearest("metadata.name").0,
            text: format!("invalid name {object_name:?}"),
            error: true,
        });
        return;
    };
    let HttpAnswer::Response(answer) = serve(api, now, &request) else {
        return;
    };
    if answer.status().as_u16() < 400 {
        return;
    }
    let status: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let causes = status
        .pointer("/details/causes")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let word = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or("").to_string();
    for cause in causes {
        let field = word(cause, "field");
        let text = format!("{field}: {}", word(cause, "message"));
        remarks.push(Remark {
            line: document.positions.nearest(&field).0,
            text: text.trim_start_matches(": ").to_string(),
            error: true,
        });
    }
    if causes.is_empty() {
        let message = word(&status, "message");
        // Unknown fields are named in quotes: unknown field "spec.replica".
        let quoted: Vec<&str> = message
            .match_indices("field \"")
            .filter_map(|(at, found)| message[at + found.len()..].split('"').next())
            .collect();
        let line = quoted
            .first()
            .map_or(start, |field| document.positions.nearest(field).0);
        remarks.push(Remark {
            line,
            text: message,
            error: true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apiserver::Config;

    fn remarks(text: &str) -> Vec<(usize, String)> {
        let api = ApiServer::new(Config::default());
        let before = api.etcd.revision();
        let remarks = check(&api, SimTime::ZERO, text);
        assert_eq!(api.etcd.revision(), before);
        remarks
            .into_iter()
            .map(|remark| (remark.line, remark.text))
            .collect()
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
