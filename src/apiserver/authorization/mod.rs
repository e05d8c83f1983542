//! Who may do what (being built).
use super::{ApiServer, Identity, Request};
use crate::api::Status;

pub(super) fn authorize(_server: &ApiServer, identity: &Identity, request: &Request) -> Result<(), Status> {
    let user = &identity.user;
    if user.in_group("system:masters") || (user.name.starts_with("system:") && !user.in_group("system:unauthenticated")) {
        return Ok(());
    }
    let info = request.kind.info();
    let why = format!(
        "User \"{}\" cannot {} resource \"{}\" in API group \"{}\"{}",
        user.name,
        request.verb.as_str(),
        info.plural,
        info.group,
        if request.namespace.is_empty() { " at the cluster scope".to_owned() } else { format!(" in the namespace \"{}\"", request.namespace) }
    );
    Err(Status::forbidden(info, &request.name, &why))
}
