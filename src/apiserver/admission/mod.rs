//! Admission: what may change or refuse a request between "you may" and "it is valid".
//!
//! One file per plugin of kube-apiserver's default set; the order is upstream's
//! (source: pkg/kubeapiserver/options/plugins.go).

mod default_tolerations;
mod namespace_lifecycle;
mod priority;
mod service_account;
mod storage_protection;
mod taint_by_condition;

use super::{ApiServer, Context, Request};
use crate::api::{Object, Status};

/// Runs the plugins that look at new objects.
pub(super) fn on_create(server: &mut ApiServer, context: &mut Context<'_>, object: &mut Object) -> Result<(), Status> {
    namespace_lifecycle::on_create(server, object)?;
    if server.config.service_account_admission {
        service_account::on_create(server, object)?;
    }
    taint_by_condition::on_create(object);
    priority::on_create(server, object)?;
    default_tolerations::on_create(object);
    storage_protection::on_create(object);
    let _ = context;
    Ok(())
}

/// Runs the plugins that look at changes.
pub(super) fn on_update(
    _server: &mut ApiServer,
    _context: &mut Context<'_>,
    object: &mut Object,
    _live: &Object,
) -> Result<(), Status> {
    default_tolerations::on_create(object);
    Ok(())
}

/// Runs the plugins that look at deletions.
pub(super) fn on_delete(request: &Request) -> Result<(), Status> {
    namespace_lifecycle::on_delete(request)
}
