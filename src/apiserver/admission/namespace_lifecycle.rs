//! NamespaceLifecycle: nothing is created in a namespace that is not there or is going away, and
//! the system's own namespaces stay.

use super::super::{ApiServer, Request};
use crate::api::status::{StatusCause, StatusDetails};
use crate::api::{Kind, Object, Status};
use crate::etcd::Key;

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

#[inline(never)]
pub(super) fn on_create(server: &ApiServer, object: &Object) -> Result<(), Status> {
    let namespace = object.namespace();
    if namespace.is_empty() {
        return Ok(());
    }
    let Some(value) = server.etcd.get(&Key::new(Kind::Namespace, "", namespace)) else {
        return Err(Status::not_found(Kind::Namespace.info(), namespace));
    };
    if value.object.meta().deletion_timestamp.is_none() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut status = Status::forbidden(object.kind().info(), object.name(), &why);
    let details = status
        .details
        .get_or_insert_with(|| Box::new(StatusDetails::default()));
    details.causes.push(StatusCause {
        reason: "NamespaceTerminating".to_owned(),
        message: format!("namespace {namespace} is being terminated"),
        field: "metadata.namespace".to_owned(),
    });
    Err(status)
}

pub(super) fn on_delete(request: &Request) -> Result<(), Status> {
    if request.kind == Kind::Namespace && IMMORTAL.contains(&&*request.name) {
        return Err(Status::forbidden(
            Kind::Namespace.info(),
            &request.name,
            "this namespace may not be deleted",
        ));
    }
    Ok(())
}
