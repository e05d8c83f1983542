//! Who may do what: RBAC over the stored roles and bindings.
//!
//! Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac,
//! kubernetes.io/docs/reference/access-authn-authz/rbac.

mod bootstrap;
mod escalation;
mod index;
mod rules;

pub(in crate::apiserver) use bootstrap::install;
pub(in crate::apiserver) use escalation::check as check_escalation;
pub(in crate::apiserver) use index::Index;
pub use rules::Rule;

use super::{ApiServer, Identity, Request, Subresource, User, Verb};
use crate::api::Status;
use crate::api::status::StatusDetails;

/// What an authorizer looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a> {
    /// `get`, `impersonate`, `escalate`, …
    pub verb: &'a str,
    pub group: &'a str,
    /// `pods`; empty for a path that is no resource.
    pub resource: &'a str,
    pub subresource: &'a str,
    /// Empty for cluster-scoped requests.
    pub namespace: &'a str,
    pub name: &'a str,
    /// Looked at when there is no resource.
    pub path: &'a str,
}

/// What the authorizer found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// Why: the rule's binding, or what could not be looked up.
    pub reason: String,
}

/// Members may do everything, whatever is stored.
const MASTERS: &str = "system:masters";

impl ApiServer {
    /// Decides whether a user may do something.
    pub fn decide(&mut self, user: &User, attributes: &Attributes<'_>) -> Decision {
        if user.in_group(MASTERS) {
            return Decision {
                allowed: true,
                reason: String::new(),
            };
        }
        self.rbac.refresh(&self.etcd);
        self.rbac.decide(user, attributes)
    }

    /// Whether it is allowed, without a word on why: asked for every request.
    pub(super) fn allows(&mut self, user: &User, attributes: &Attributes<'_>) -> bool {
        if user.in_group(MASTERS) {
            return true;
        }
        self.rbac.refresh(&self.etcd);
        self.rbac.allows(user, attributes)
    }

    /// The rules that hold for a user in a namespace, and what could not be resolved.
    pub fn rules_for(&mut self, user: &User, namespace: &str) -> (Vec<Rule>, Vec<String>) {
        self.rbac.refresh(&self.etcd);
        self.rbac.rules_for(user, namespace)
    }
}

/// Refuses what the user may not do.
///
/// Errors: 403 in upstream's words.
pub(super) fn authorize(
    server: &mut ApiServer,
    identity: &Identity,
    request: &Request,
) -> Result<(), Status> {
    if identity.user.in_group(MASTERS) {
        return Ok(());
    }
    let info = request.kind.info();
    let names_itself = request.verb == Verb::Create && request.subresource == Subresource::None;
    let attributes = Attributes {
        verb: request.verb.as_str(),
        group: info.group,
        resource: info.plural,
        subresource: request.subresource.as_str(),
        namespace: if info.plural == "namespaces" {
            &request.name
        } else {
            &request.namespace
        },
        name: if names_itself { "" } else { &request.name },
        path: "",
    };
    check(server, &identity.user, &attributes)
}

/// Refuses what the attributes name, unless it is allowed.
///
/// Errors: 403 in upstream's words.
pub fn check(server: &mut ApiServer, user: &User, attributes: &Attributes<'_>) -> Result<(), Status> {
    if server.allows(user, attributes) {
        return Ok(());
    }
    let decision = server.decide(user, attributes);
    Err(forbidden(user, attributes, &decision.reason))
}

/// 403 `pods "web" is forbidden: User "viewer" cannot get resource "pods" in API group "" in the namespace "default"`
///
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go.
fn forbidden(user: &User, attributes: &Attributes<'_>, reason: &str) -> Status {
    let name = crate::api::validation::field::go_quote(&user.name);
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    if attributes.resource.is_empty() {
        let message = format!(
            "forbidden: User {name} cannot {} path \"{}\"{reason}",
            attributes.verb, attributes.path
        );
        let mut status = Status::new(403, "Forbidden", message);
        status.details = Some(Box::default());
        return status;
    }
    let mut resource = attributes.resource.to_owned();
    if !attributes.subresource.is_empty() {
        resource = format!("{resource}/{}", attributes.subresource);
    }
    let scope = match attributes.namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace \"{namespace}\""),
    };
    let mut what = attributes.resource.to_owned();
    if !attributes.group.is_empty() {
        what = format!("{what}.{}", attributes.group);
    }
    if !attributes.name.is_empty() {
        what = format!("{what} \"{}\"", attributes.name);
    }
    let message = format!(
        "{what} is forbidden: User {name} cannot {} resource \"{resource}\" in API group \"{}\" {scope}{reason}",
        attributes.verb, attributes.group
    );
    let mut status = Status::new(403, "Forbidden", message);
    status.details = Some(Box::new(StatusDetails {
        name: attributes.name.to_owned(),
        group: attributes.group.to_owned(),
        kind: attributes.resource.to_owned(),
        ..StatusDetails::default()
    }));
    status
}

#[cfg(test)]
mod tests;
