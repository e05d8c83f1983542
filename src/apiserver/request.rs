//! A request after decoding and an answer before encoding: what in-tab callers hand over directly.

use super::http::alias::Alias;
use crate::api::decode::FieldValidation;
use crate::api::{FieldSelector, Kind, Object, Selector};
use serde_json::Value;
use std::sync::Arc;

/// What is asked for. Source: kubernetes.io/docs/reference/access-authn-authz/authorization, "request verbs".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    /// As RBAC rules and messages write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
        }
    }

    pub fn method(self) -> &'static str {
        match self {
            Verb::Get | Verb::List | Verb::Watch => "GET",
            Verb::Create => "POST",
            Verb::Update => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete | Verb::DeleteCollection => "DELETE",
        }
    }
}

/// The part of an object a request is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subresource {
    #[default]
    None,
    Status,
    Scale,
    Binding,
    Eviction,
    Log,
    Exec,
    Attach,
    Token,
    Finalize,
    EphemeralContainers,
    Resize,
}

impl Subresource {
    /// The path segment; empty for the object itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Subresource::None => "",
            Subresource::Status => "status",
            Subresource::Scale => "scale",
            Subresource::Binding => "binding",
            Subresource::Eviction => "eviction",
            Subresource::Log => "log",
            Subresource::Exec => "exec",
            Subresource::Attach => "attach",
            Subresource::Token => "token",
            Subresource::Finalize => "finalize",
            Subresource::EphemeralContainers => "ephemeralcontainers",
            Subresource::Resize => "resize",
        }
    }

    /// Whether a client of it must become a WebSocket.
    pub fn is_stream(self) -> bool {
        matches!(self, Subresource::Exec | Subresource::Attach)
    }

    pub fn parse(segment: &str) -> Option<Subresource> {
        Some(match segment {
            "status" => Subresource::Status,
            "scale" => Subresource::Scale,
            "binding" => Subresource::Binding,
            "eviction" => Subresource::Eviction,
            "log" => Subresource::Log,
            "exec" => Subresource::Exec,
            "attach" => Subresource::Attach,
            "token" => Subresource::Token,
            "finalize" => Subresource::Finalize,
            "ephemeralcontainers" => Subresource::EphemeralContainers,
            "resize" => Subresource::Resize,
            _ => return None,
        })
    }
}

/// The four patch formats, named by their media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// `application/json-patch+json`
    Json,
    /// `application/merge-patch+json`
    Merge,
    /// `application/strategic-merge-patch+json`
    Strategic,
    /// `application/apply-patch+yaml`
    Apply,
}

impl PatchType {
    pub fn media_type(self) -> &'static str {
        match self {
            PatchType::Json => "application/json-patch+json",
            PatchType::Merge => "application/merge-patch+json",
            PatchType::Strategic => "application/strategic-merge-patch+json",
            PatchType::Apply => "application/apply-patch+yaml",
        }
    }
}

/// What happens to the objects an owner leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// `metav1.DeleteOptions`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteOptions {
    pub grace_period_seconds: Option<i64>,
    pub propagation: Option<Propagation>,
    pub precondition_uid: Option<String>,
    pub precondition_resource_version: Option<String>,
}

/// What a request carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    None,
    /// A typed object of the request's kind.
    Object(Object),
    Patch(PatchType, Value),
    /// `POST …/binding`: the node's name.
    Binding {
        node: Arc<str>,
    },
    /// `PUT …/scale`: the wanted replicas and, if given, the revision they were read at.
    Scale {
        replicas: i32,
        resource_version: Option<String>,
    },
    Delete(DeleteOptions),
    /// The body of a subresource that stores nothing of its own (eviction, token).
    Value(Value),
}

/// `resourceVersionMatch` with its `resourceVersion`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VersionMatch {
    #[default]
    Newest,
    NotOlderThan(u64),
    Exact(u64),
}

/// The query parameters of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    pub dry_run: bool,
    pub field_manager: Option<Arc<str>>,
    pub field_validation: FieldValidation,
    /// Server-side apply: take fields over from other managers.
    pub force: bool,
    pub label_selector: Option<Selector>,
    pub field_selector: Option<FieldSelector>,
    pub limit: Option<u64>,
    pub continue_token: Option<String>,
    pub version: VersionMatch,
    pub ignore_store_read_error: bool,
    /// The second version of the kind the request speaks; nothing for the stored one.
    pub alias: Option<&'static Alias>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: String,
    pub groups: Vec<String>,
}

impl User {
    pub fn new(name: &str, groups: &[&str]) -> Arc<User> {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Arc::new(User {
            name: name.to_owned(),
            uid: String::new(),
            groups,
        })
    }

    pub fn in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}

/// The identity a request is made under.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    pub user: Arc<User>,
    /// The `User-Agent`; its part before the first `/` is the default field manager.
    pub agent: Arc<str>,
}

impl Identity {
    /// A component's own identity, such as `system:kube-scheduler`.
    pub fn component(user: &str, groups: &[&str], agent: &str) -> Identity {
        Identity {
            user: User::new(user, groups),
            agent: agent.into(),
        }
    }
}

/// One decoded request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub verb: Verb,
    pub kind: Kind,
    pub subresource: Subresource,
    /// Empty for cluster-scoped kinds and for lists over all namespaces.
    pub namespace: Arc<str>,
    /// Empty for collections.
    pub name: Arc<str>,
    pub body: Body,
    pub options: Options,
}

impl Request {
    /// A request without options.
    pub fn new(verb: Verb, kind: Kind, namespace: &str, name: &str, body: Body) -> Request {
        Request {
            verb,
            kind,
            subresource: Subresource::None,
            namespace: namespace.into(),
            name: name.into(),
            body,
            options: Options::default(),
        }
    }

    pub fn create(object: impl Into<Object>) -> Request {
        let object = object.into();
        Request::new(
            Verb::Create,
            object.kind(),
            object.namespace(),
            object.name(),
            Body::Object(object.clone()),
        )
    }

    /// A full update; the object's `resourceVersion`, if set, must be the present one.
    pub fn update(object: impl Into<Object>) -> Request {
        let object = object.into();
        Request::new(
            Verb::Update,
            object.kind(),
            object.namespace(),
            object.name(),
            Body::Object(object.clone()),
        )
    }

    pub fn update_status(object: impl Into<Object>) -> Request {
        Request {
            subresource: Subresource::Status,
            ..Request::update(object)
        }
    }

    pub fn delete(kind: Kind, namespace: &str, name: &str, options: DeleteOptions) -> Request {
        Request::new(Verb::Delete, kind, namespace, name, Body::Delete(options))
    }

    pub fn get(kind: Kind, namespace: &str, name: &str) -> Request {
        Request::new(Verb::Get, kind, namespace, name, Body::None)
    }

    pub fn list(kind: Kind, namespace: &str) -> Request {
        Request::new(Verb::List, kind, namespace, "", Body::None)
    }

    pub fn patch(kind: Kind, namespace: &str, name: &str, patch_type: PatchType, patch: Value) -> Request {
        Request::new(Verb::Patch, kind, namespace, name, Body::Patch(patch_type, patch))
    }

    /// `POST …/pods/NAME/binding`
    pub fn bind(namespace: &str, pod: &str, node: &str) -> Request {
        let body = Body::Binding { node: node.into() };
        Request {
            subresource: Subresource::Binding,
            ..Request::new(Verb::Create, Kind::Pod, namespace, pod, body)
        }
    }

    pub fn scale(kind: Kind, namespace: &str, name: &str, replicas: i32) -> Request {
        let body = Body::Scale {
            replicas,
            resource_version: None,
        };
        Request {
            subresource: Subresource::Scale,
            ..Request::new(Verb::Update, kind, namespace, name, body)
        }
    }

    pub fn with_subresource(mut self, subresource: Subresource) -> Request {
        self.subresource = subresource;
        self
    }

    /// The path without query: `/apis/apps/v1/namespaces/default/deployments/web/scale`.
    pub fn path(&self) -> String {
        let info = self.kind.info();
        let mut path = if info.group.is_empty() {
            format!("/api/{}", info.version)
        } else {
            format!("/apis/{}/{}", info.group, info.version)
        };
        if info.namespaced && !self.namespace.is_empty() {
            path.push_str("/namespaces/");
            path.push_str(&self.namespace);
        }
        path.push('/');
        path.push_str(info.plural);
        let posts_collection = self.verb == Verb::Create && self.subresource == Subresource::None;
        if !self.name.is_empty() && !posts_collection {
            path.push('/');
            path.push_str(&self.name);
        }
        if self.subresource != Subresource::None {
            path.push('/');
            path.push_str(self.subresource.as_str());
        }
        path
    }
}

/// A successful answer.
#[derive(Clone, Debug)]
pub enum Reply {
    Object(Object),
    /// A created object (201).
    Created(Object),
    List(List),
    /// The answer of a subresource or review that is no stored object.
    Value {
        code: u16,
        value: Value,
    },
    /// `Status` with `status: Success` (a finished deletion, a binding).
    Success(Value),
    Text(String),
    /// What only the Pod's kubelet can answer.
    Proxy(Box<ProxyRequest>),
}

/// A checked request for logs or exec, for the Pod's kubelet.
#[derive(Clone, Debug)]
pub struct ProxyRequest {
    pub pod: Arc<k8s_openapi::api::core::v1::Pod>,
    pub container: String,
    /// Empty while the Pod has no node.
    pub node: String,
    pub subresource: Subresource,
    /// The query parameters by name.
    pub parameters: Value,
}

/// A page of a collection.
#[derive(Clone, Debug)]
pub struct List {
    pub items: Vec<Object>,
    pub revision: u64,
    pub continue_token: Option<String>,
    pub remaining: Option<u64>,
}

impl Reply {
    /// The object answered, if it is one.
    pub fn object(self) -> Option<Object> {
        match self {
            Reply::Object(object) | Reply::Created(object) => Some(object),
            _ => None,
        }
    }
}
