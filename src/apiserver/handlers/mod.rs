//! What each verb does, for every kind alike; what differs by kind is in `strategy`.
//!
//! Source of the order of steps: k8s.io/apiserver/pkg/registry/{rest,generic/registry}.

mod create;
mod delete;
mod patch;
mod pods;
mod read;
mod scale;
mod services;
mod strategy;
mod update;

pub(super) use read::selected;

use super::{ApiServer, Body, Context, Reply, Request, Stage, Subresource, Verb};
use crate::api::{Object, Status};
use crate::etcd::{Key, TxnError};

pub(super) type Handled = Result<Reply, Status>;

impl ApiServer {
    pub(super) fn dispatch(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        super::authorization::authorize(self, context.identity, &request)?;
        context.stage = Stage::Admission;
        let info = request.kind.info();
        if request.subresource != Subresource::None && !info.has_subresource(request.subresource.as_str()) {
            return Err(Status::new(
                404,
                "NotFound",
                "the server could not find the requested resource",
            ));
        }
        match (request.verb, request.subresource) {
            (Verb::Get, Subresource::None | Subresource::Status) => self.get(&request),
            (Verb::Get, Subresource::Scale) => self.get_scale(&request),
            (Verb::Get, Subresource::Log) => self.proxy_to_kubelet(&request),
            (Verb::Create | Verb::Get, Subresource::Exec | Subresource::Attach) => {
                self.proxy_to_kubelet(&request)
            }
            (Verb::List | Verb::Watch, _) => self.list(&request),
            (Verb::Create, Subresource::None) => self.create(context, request),
            (Verb::Create, Subresource::Binding) => self.bind(context, request),
            (Verb::Create, Subresource::Eviction) => self.evict(context, request),
            (Verb::Create, Subresource::Token) => self.issue_token(context, request),
            (Verb::Update, Subresource::Scale) => self.put_scale(context, request),
            (Verb::Update, _) => self.update(context, request),
            (Verb::Patch, Subresource::Scale) => self.patch_scale(context, request),
            (Verb::Patch, _) => self.patch(context, request),
            (Verb::Delete, _) => self.delete(context, request),
            (Verb::DeleteCollection, _) => self.delete_collection(context, request),
            _ => Err(method_not_allowed()),
        }
    }

    /// The stored object a request names.
    fn live(&self, request: &Request) -> Result<Object, Status> {
        let key = Key {
            kind: request.kind,
            namespace: request.namespace.clone(),
            name: request.name.clone(),
        };
        match self.etcd.get(&key) {
            Some(value) => Ok(value.object.clone()),
            None => Err(Status::not_found(request.kind.info(), &request.name)),
        }
    }
}

fn method_not_allowed() -> Status {
    Status::new(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    )
}

/// A lost race in the store, in the API's words.
fn refused(error: TxnError, object: &Object) -> Status {
    let info = object.kind().info();
    match error {
        TxnError::Exists => Status::already_exists(info, object.name()),
        TxnError::NotFound => Status::not_found(info, object.name()),
        TxnError::Changed(_) => Status::stale(info, object.name()),
    }
}

/// The object a write carries; the codec never sends another body here.
fn body_object(body: Body) -> Result<Object, Status> {
    match body {
        Body::Object(object) => Ok(object),
        _ => Err(Status::bad_request("the request body must be an object")),
    }
}
