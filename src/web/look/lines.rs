//! A duty as the command line that does it.

use crate::api::Kind;
use crate::apiserver::{Body, Request};
use crate::cluster::view::Cargo;
use crate::etcd::Key;
use crate::node::NodeAction;
use crate::seat::Action;
use crate::shell::ApiRequest;
use crate::shell::export;

use super::super::gesture::{API_SERVER, on_desk};

/// The line for an action of a seat on `node`, or of the control plane.
pub fn line_of(action: &Action<NodeAction>, node: Option<&str>) -> String {
    match action {
        Action::Api(request) => {
            let wire = wire(request);
            export::kubectl(&wire).unwrap_or_else(|| export::curl(&wire, API_SERVER))
        }
        Action::Local(action) => on_desk(node.unwrap_or(""), &action.to_string()),
    }
}

/// The request as a client would send it.
fn wire(request: &Request) -> ApiRequest {
    let json = |value: serde_json::Value| (value.to_string(), "application/json");
    let (body, content_type) = match &request.body {
        Body::None | Body::Delete(_) => (String::new(), ""),
        Body::Object(object) => json(object.to_value()),
        Body::Patch(patch_type, value) => (value.to_string(), patch_type.media_type()),
        Body::Binding { node } => json(serde_json::json!({
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": { "name": &*request.name, "namespace": &*request.namespace },
            "target": { "apiVersion": "v1", "kind": "Node", "name": &**node },
        })),
        Body::Scale { replicas, .. } => json(serde_json::json!({
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": { "name": &*request.name, "namespace": &*request.namespace },
            "spec": { "replicas": replicas },
        })),
        Body::Value(value) => json(value.clone()),
    };
    let mut wire = ApiRequest::new(request.verb.method(), request.path());
    if !content_type.is_empty() {
        wire = wire.with_header("Content-Type", content_type);
    }
    wire.body = body;
    wire
}

/// What a hand would carry to do it: the Pod that is to be bound.
pub fn cargo_of(key: &Key, action: &Action<NodeAction>) -> Option<Cargo> {
    match action {
        Action::Api(request) if matches!(request.body, Body::Binding { .. }) && key.kind == Kind::Pod => {
            Some(Cargo::Pod { namespace: (*key.namespace).into(), name: (*key.name).into() })
        }
        _ => None,
    }
}
