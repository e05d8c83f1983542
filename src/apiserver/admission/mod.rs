//! Admission: what may change or refuse a request between "you may" and "it is valid".
//!
//! One file per plugin of kube-apiserver's default set; the order is upstream's
//! (source: pkg/kubeapiserver/options/plugins.go).

mod default_tolerations;
mod limit_ranger;
mod namespace_lifecycle;
mod pod_security;
mod priority;
pub mod resource_quota;
mod service_account;
mod storage_protection;
mod taint_by_condition;

use super::{ApiServer, Context, Request};
use crate::api::{Object, Status};

/// Runs the plugins that look at new objects.
#[inline(never)]
pub(super) fn on_create(server: &mut ApiServer, object: &mut Object) -> Result<(), Status> {
    namespace_lifecycle::on_create(server, object)?;
    limit_ranger::on_create(server, object)?;
    if server.config.service_account_admission {
        service_account::on_create(server, object)?;
    }
    taint_by_condition::on_create(object);
    priority::on_create(server, object)?;
    default_tolerations::on_create(object);
    storage_protection::on_create(object);
    Ok(())
}

/// Runs the plugins that only look, on what validation has accepted. `live` is what is changed.
pub(super) fn validate(
    server: &ApiServer,
    object: &Object,
    live: Option<&Object>,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    pod_security::validate(server, object, live, warnings)
}

/// Runs last, on what validation has accepted, because it spends.
#[inline(never)]
pub(super) fn spend_quota(
    server: &mut ApiServer,
    context: &Context<'_>,
    object: &Object,
    dry_run: bool,
) -> Result<(), Status> {
    resource_quota::on_create(server, context, object, dry_run)
}

/// Runs the plugins that look at changes.
pub(super) fn on_update(object: &mut Object) {
    default_tolerations::on_create(object);
}

/// Runs the plugins that look at deletions.
pub(super) fn on_delete(request: &Request) -> Result<(), Status> {
    namespace_lifecycle::on_delete(request)
}
