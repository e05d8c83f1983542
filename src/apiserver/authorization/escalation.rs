//! Nobody may grant more than they hold, unless they may `escalate` or `bind`.
//!
//! Source: pkg/registry/rbac/{role,rolebinding}/policybased, pkg/registry/rbac/validation/rule.go.

use super::rules::{Rule, compact, describe, uncovered};
use super::{Attributes, MASTERS};
use crate::api::validation::field::go_quote;
use crate::api::{Object, Status};
use crate::apiserver::{ApiServer, Identity, User};
use k8s_openapi::api::rbac::v1::RoleRef;

/// Checks a role or binding that is about to be written over `live`.
///
/// Errors: 403 naming the rules the user does not hold.
pub fn check(
    server: &mut ApiServer,
    identity: &Identity,
    object: &Object,
    live: Option<&Object>,
) -> Result<(), Status> {
    let user = &identity.user;
    if user.in_group(MASTERS) {
        return Ok(());
    }
    let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
    let refused = |why: String| Status::forbidden(object.kind().info(), &name, &why);
    let info = object.kind().info();
    let may = |server: &mut ApiServer, verb: &str, resource: &str, namespace: &str, name: &str| {
        let attributes = Attributes {
            verb,
            group: info.group,
            resource,
            namespace,
            name,
            ..Attributes::default()
        };
        server.allows(user, &attributes)
    };
    let wanted: Vec<Rule> = match (object, live) {
        // What stays as it was grants nothing new.
        (Object::Role(new), Some(Object::Role(old))) if new.rules == old.rules => return Ok(()),
        (Object::ClusterRole(new), Some(Object::ClusterRole(old)))
            if new.rules == old.rules && new.aggregation_rule == old.aggregation_rule =>
        {
            return Ok(());
        }
        (Object::Role(role), _) => {
            if may(server, "escalate", "roles", &namespace, &name) {
                return Ok(());
            }
            role.rules.clone().unwrap_or_default()
        }
        (Object::ClusterRole(role), _) => {
            if may(server, "escalate", "clusterroles", "", &name) {
                return Ok(());
            }
            if role.aggregation_rule.is_some() {
                // It may come to hold anything.
                let all = || Some(vec!["*".to_owned()]);
                let everything = [
                    Rule {
                        api_groups: all(),
                        resources: all(),
                        verbs: vec!["*".to_owned()],
                        ..Rule::default()
                    },
                    Rule {
                        non_resource_urls: all(),
                        verbs: vec!["*".to_owned()],
                        ..Rule::default()
                    },
                ];
                let (owned, _) = server.rules_for(user, "");
                if !uncovered(&owned, &everything).is_empty() {
                    return Err(refused(
                        "must have cluster-admin privileges to use an aggregationRule".to_owned(),
                    ));
                }
            }
            role.rules.clone().unwrap_or_default()
        }
        (Object::RoleBinding(new), Some(Object::RoleBinding(old)))
            if new.role_ref == old.role_ref && new.subjects == old.subjects =>
        {
            return Ok(());
        }
        (Object::ClusterRoleBinding(new), Some(Object::ClusterRoleBinding(old)))
            if new.role_ref == old.role_ref && new.subjects == old.subjects =>
        {
            return Ok(());
        }
        (Object::RoleBinding(binding), _) => {
            let reference: &RoleRef = &binding.role_ref;
            let resource = if reference.kind == "ClusterRole" {
                "clusterroles"
            } else {
                "roles"
            };
            if may(server, "bind", resource, &namespace, &reference.name) {
                return Ok(());
            }
            server.rbac.refresh(&server.etcd);
            server
                .rbac
                .rules_of(&namespace, reference)
                .map_err(&refused)?
                .to_vec()
        }
        (Object::ClusterRoleBinding(binding), _) => {
            if may(server, "bind", "clusterroles", "", &binding.role_ref.name) {
                return Ok(());
            }
            server.rbac.refresh(&server.etcd);
            server
                .rbac
                .rules_of("", &binding.role_ref)
                .map_err(&refused)?
                .to_vec()
        }
        _ => return Ok(()),
    };
    let (owned, errors) = server.rules_for(user, &namespace);
    let missing = uncovered(&owned, &wanted);
    if missing.is_empty() {
        Ok(())
    } else {
        Err(refused(not_held(user, missing, &errors)))
    }
}

fn not_held(user: &User, missing: Vec<Rule>, errors: &[String]) -> String {
    let groups: Vec<String> = user.groups.iter().map(|group| go_quote(group)).collect();
    let lines: Vec<String> = compact(missing).iter().map(describe).collect();
    let mut text = format!(
        "user {} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
        go_quote(&user.name),
        groups.join(" "),
        lines.join("\n")
    );
    if !errors.is_empty() {
        text.push_str(&format!("; resolution errors: [{}]", errors.join(", ")));
    }
    text
}
