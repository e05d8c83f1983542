//! A duty as a command line, and why it is one, in the reader's language.

use super::export;
use super::transport::ApiRequest;
use crate::api::Object;
use crate::apiserver::{Body, PatchType, Propagation, Request, Subresource, Verb};
use crate::etcd::Key;
use crate::node::NodeAction;
use crate::seat::{Action, SeatId, Why};
use serde_json::{Value, json};

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    Japanese,
}

/// Where `kubectl proxy` listens on the person's computer: curl needs no token there.
pub const PROXY: &str = "http://localhost:8001";

/// A reason as a sentence.
pub fn why(why: &Why, language: Language) -> String {
    let tables = [
        crate::scheduler::WORDS,
        crate::controllers::WORDS,
        crate::node::kubelet::WORDS,
        crate::node::kube_proxy::WORDS,
    ];
    let row = tables
        .iter()
        .flat_map(|table| table.iter())
        .find(|(key, ..)| *key == why.sentence);
    let mut text = match (row, language) {
        (Some((_, english, _)), Language::English) => (*english).to_owned(),
        (Some((.., japanese)), Language::Japanese) => (*japanese).to_owned(),
        (None, _) => why.sentence.to_owned(),
    };
    for (index, arg) in why.args.iter().enumerate() {
        text = text.replace(&format!("{{{index}}}"), arg);
    }
    text
}

/// The command line that performs an action from the console at the reception. `stored` is the
/// object an update is about as it is now: what a person writes is only what changes.
pub fn line(seat: &SeatId, action: &Action<NodeAction>, stored: Option<&Object>) -> String {
    match action {
        Action::Local(local) => match seat.node() {
            Some(node) => format!("ssh {node} {local}"),
            None => local.to_string(),
        },
        Action::Api(request) => match (&request.body, stored) {
            (Body::Object(object), Some(stored)) if request.verb == Verb::Update => {
                let mut patch =
                    merge_diff(&stored.to_value(), &object.to_value()).unwrap_or_else(|| json!({}));
                if let Some(metadata) = patch.get_mut("metadata").and_then(Value::as_object_mut) {
                    metadata.retain(|key, _| {
                        !matches!(key.as_str(), "resourceVersion" | "managedFields" | "generation")
                    });
                }
                if patch.get("metadata") == Some(&json!({})) {
                    patch.as_object_mut().map(|map| map.remove("metadata"));
                }
                let request = Request {
                    verb: Verb::Patch,
                    body: Body::Patch(PatchType::Merge, patch),
                    ..(**request).clone()
                };
                api_line(&request)
            }
            _ => api_line(request),
        },
    }
}

/// The key of the object an action changes, to look it up for [`line`].
pub fn subject(action: &Action<NodeAction>) -> Option<Key> {
    match action {
        Action::Api(request) if request.verb == Verb::Update => Some(Key {
            kind: request.kind,
            namespace: request.namespace.clone(),
            name: request.name.clone(),
        }),
        _ => None,
    }
}

/// The merge patch (RFC 7386) that turns `old` into `new`; none if they are equal.
pub fn merge_diff(old: &Value, new: &Value) -> Option<Value> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut patch = serde_json::Map::new();
            for (key, value) in new {
                match old.get(key) {
                    Some(known) => {
                        if let Some(inner) = merge_diff(known, value) {
                            patch.insert(key.clone(), inner);
                        }
                    }
                    None => {
                        patch.insert(key.clone(), value.clone());
                    }
                }
            }
            for key in old.keys().filter(|key| !new.contains_key(*key)) {
                patch.insert(key.clone(), Value::Null);
            }
            (!patch.is_empty()).then_some(Value::Object(patch))
        }
        (old, new) => (old != new).then(|| new.clone()),
    }
}

/// A request as kubectl, where kubectl says the same in few words, or as curl.
pub fn api_line(request: &Request) -> String {
    let namespace = match &*request.namespace {
        "" | "default" => String::new(),
        other => format!(" -n {other}"),
    };
    let resource = request.kind.info().singular();
    match (request.verb, request.subresource, &request.body) {
        (Verb::Delete, Subresource::None, Body::Delete(options))
            if options.precondition_uid.is_none() && options.precondition_resource_version.is_none() =>
        {
            let mut line = format!("kubectl delete {resource} {}{namespace}", request.name);
            match options.grace_period_seconds {
                Some(0) => line.push_str(" --grace-period=0 --force"),
                Some(seconds) => line.push_str(&format!(" --grace-period={seconds}")),
                None => {}
            }
            match options.propagation {
                Some(Propagation::Orphan) => line.push_str(" --cascade=orphan"),
                Some(Propagation::Foreground) => line.push_str(" --cascade=foreground"),
                _ => {}
            }
            line.push_str(" --wait=false");
            line
        }
        (Verb::Update, Subresource::Scale, Body::Scale { replicas, .. }) => {
            format!(
                "kubectl scale {resource}/{}{namespace} --replicas={replicas}",
                request.name
            )
        }
        _ => export::curl(&wire(request), PROXY),
    }
}

/// The request as it goes over the wire.
pub fn wire(request: &Request) -> ApiRequest {
    let mut query: Vec<String> = Vec::new();
    if request.options.dry_run {
        query.push("dryRun=All".to_owned());
    }
    if let Some(manager) = &request.options.field_manager {
        query.push(format!("fieldManager={manager}"));
    }
    if request.options.force {
        query.push("force=true".to_owned());
    }
    let mut path = request.path();
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let (content_type, body) = match &request.body {
        Body::None => (None, Value::Null),
        Body::Object(object) => (Some("application/json"), object.to_value()),
        Body::Patch(patch_type, patch) => (Some(patch_type.media_type()), patch.clone()),
        Body::Binding { node } => (
            Some("application/json"),
            json!({
                "apiVersion": "v1", "kind": "Binding",
                "metadata": {"name": &*request.name},
                "target": {"apiVersion": "v1", "kind": "Node", "name": &**node},
            }),
        ),
        Body::Scale {
            replicas,
            resource_version,
        } => {
            let mut metadata = json!({"name": &*request.name, "namespace": &*request.namespace});
            if let Some(version) = resource_version {
                metadata["resourceVersion"] = version.clone().into();
            }
            let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata, "spec": {"replicas": replicas}});
            (Some("application/json"), scale)
        }
        Body::Delete(options) => {
            let mut value = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
            if let Some(seconds) = options.grace_period_seconds {
                value["gracePeriodSeconds"] = seconds.into();
            }
            if let Some(uid) = &options.precondition_uid {
                value["preconditions"] = json!({"uid": uid});
            }
            (Some("application/json"), value)
        }
        Body::Value(value) => (Some("application/json"), value.clone()),
    };
    let mut wire = ApiRequest::new(request.verb.method(), path);
    if let Some(content_type) = content_type {
        wire = wire.with_header("Content-Type", content_type);
        wire.body = trimmed(body).to_string();
    }
    wire
}

/// Without what the server fills in and ignores anyway, so that a person can read it.
fn trimmed(mut body: Value) -> Value {
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, value| !(value.is_null() || key == "managedFields"));
    }
    if body
        .get("status")
        .is_some_and(|status| status.as_object().is_some_and(serde_json::Map::is_empty))
    {
        if let Some(map) = body.as_object_mut() {
            map.remove("status");
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::apiserver::DeleteOptions;

    #[test]
    fn updates_say_only_what_changes() {
        let old = json!({"spec": {"renewTime": "a", "holder": "bob"}, "status": {"x": [1]}});
        let new = json!({"spec": {"renewTime": "b", "holder": "bob"}});
        assert_eq!(
            merge_diff(&old, &new),
            Some(json!({"spec": {"renewTime": "b"}, "status": null}))
        );
        assert_eq!(merge_diff(&old, &old), None);
    }

    #[test]
    fn duties_read_as_commands() {
        let delete = Request::delete(Kind::Pod, "default", "web-1", DeleteOptions::default());
        assert_eq!(api_line(&delete), "kubectl delete pod web-1 --wait=false");
        let bind = api_line(&Request::bind("default", "web-1", "inazu"));
        assert!(bind.starts_with("curl -H 'Content-Type: application/json' http://localhost:8001/api/v1/namespaces/default/pods/web-1/binding"), "{bind}");
        let seat = SeatId::at("kubelet", "bob");
        assert_eq!(
            line(
                &seat,
                &Action::Local(NodeAction::PullImage {
                    image: "nginx".to_owned()
                }),
                None
            ),
            "ssh bob crictl pull nginx"
        );
    }
}
