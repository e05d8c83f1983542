//! Roles and bindings, arranged by whom they are for.

use super::rules::{Rule, allows};
use super::{Attributes, Decision};
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object, Selector};
use crate::apiserver::User;
use crate::etcd::Store;
use k8s_openapi::api::rbac::v1::{ClusterRole, RoleRef, Subject};
use std::sync::Arc;

/// A role's place: its namespace (empty for a ClusterRole) and name.
type RoleKey = (String, String);

/// One binding of a role to a subject.
#[derive(Clone, Debug)]
struct Grant {
    /// Where it holds: everywhere if empty.
    namespace: String,
    role: RoleKey,
    /// `RoleBinding "x/y"`
    binding: String,
    subject: String,
}

#[derive(Debug, Default)]
struct Tables {
    roles: SortedMap<RoleKey, Vec<Rule>>,
    users: SortedMap<String, Vec<Grant>>,
    groups: SortedMap<String, Vec<Grant>>,
}

/// Follows the store's history and is arranged anew only when a role or binding was written.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// The revision everything was seen up to.
    seen: u64,
    /// Shared between checkpoints of the machine.
    tables: Arc<Tables>,
}

fn concerns(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Role | Kind::RoleBinding | Kind::ClusterRole | Kind::ClusterRoleBinding
    )
}

impl Index {
    /// Takes in what was written since the last time.
    pub fn refresh(&mut self, store: &Store) {
        if self.seen == store.revision() {
            return;
        }
        let changed = match store.since(self.seen) {
            Ok(mut events) => events.any(|event| concerns(event.key.kind)),
            Err(_) => true,
        };
        // A restored store can be older than the index.
        if changed || self.seen > store.revision() || self.seen == 0 {
            self.tables = Arc::new(Tables::read(store));
        }
        self.seen = store.revision();
    }

    /// The grant that allows it, and whether it is one of the user's groups'. Notes the roles there are not.
    ///
    /// Source: the RBAC authorizer's Authorize.
    fn grant<'a>(
        &'a self,
        user: &'a User,
        attributes: &Attributes<'_>,
        unresolved: &mut Vec<String>,
    ) -> Option<(&'a Grant, bool)> {
        for (grant, group) in self.tables.grants(user) {
            if !grant.namespace.is_empty() && grant.namespace != attributes.namespace {
                continue;
            }
            let Some(rules) = self.tables.roles.get(&grant.role) else {
                let missing = not_found(&grant.role);
                if !unresolved.contains(&missing) {
                    unresolved.push(missing);
                }
                continue;
            };
            if rules.iter().any(|rule| allows(rule, attributes)) {
                return Some((grant, group));
            }
        }
        None
    }

    /// Whether it is allowed, without a word on why.
    pub fn allows(&self, user: &User, attributes: &Attributes<'_>) -> bool {
        self.grant(user, attributes, &mut Vec::new()).is_some()
    }

    pub fn decide(&self, user: &User, attributes: &Attributes<'_>) -> Decision {
        let mut unresolved: Vec<String> = Vec::new();
        if let Some((grant, group)) = self.grant(user, attributes, &mut unresolved) {
            let role = if grant.role.0.is_empty() {
                "ClusterRole"
            } else {
                "Role"
            };
            let subject = if group { "Group" } else { grant.subject.as_str() };
            let whose = if group {
                format!("{subject} \"{}\"", grant.subject)
            } else {
                subject.to_owned()
            };
            let reason = format!(
                "RBAC: allowed by {} of {role} \"{}\" to {whose}",
                grant.binding, grant.role.1
            );
            return Decision {
                allowed: true,
                reason,
            };
        }
        let reason = match unresolved.as_slice() {
            [] => String::new(),
            [one] => format!("RBAC: {one}"),
            many => format!("RBAC: [{}]", many.join(", ")),
        };
        Decision {
            allowed: false,
            reason,
        }
    }

    /// Every rule that holds for a user in a namespace, and what could not be resolved.
    pub fn rules_for(&self, user: &User, namespace: &str) -> (Vec<Rule>, Vec<String>) {
        let (mut rules, mut errors) = (Vec::new(), Vec::new());
        for (grant, _) in self.tables.grants(user) {
            if grant.namespace.is_empty() || grant.namespace == namespace {
                match self.tables.roles.get(&grant.role) {
                    Some(own) => rules.extend(own.iter().cloned()),
                    None => errors.push(not_found(&grant.role)),
                }
            }
        }
        (rules, errors)
    }

    /// The rules of the role a binding refers to.
    pub fn rules_of(&self, namespace: &str, reference: &RoleRef) -> Result<&[Rule], String> {
        let key = role_key(namespace, reference);
        self.tables
            .roles
            .get(&key)
            .map(Vec::as_slice)
            .ok_or_else(|| not_found(&key))
    }
}

fn role_key(namespace: &str, reference: &RoleRef) -> RoleKey {
    let namespace = if reference.kind == "ClusterRole" {
        ""
    } else {
        namespace
    };
    (namespace.to_owned(), reference.name.clone())
}

fn not_found((namespace, name): &RoleKey) -> String {
    let kind = if namespace.is_empty() {
        "clusterrole"
    } else {
        "role"
    };
    format!("{kind}.rbac.authorization.k8s.io \"{name}\" not found")
}

impl Tables {
    fn read(store: &Store) -> Tables {
        let mut tables = Tables::default();
        let mut aggregated: Vec<Arc<ClusterRole>> = Vec::new();
        for (_, value) in store.range(Kind::ClusterRole, "") {
            if let Object::ClusterRole(role) = &value.object {
                if role.aggregation_rule.is_some() {
                    aggregated.push(role.clone());
                }
                tables.add_role("", value.object.name(), role.rules.as_ref());
            }
        }
        tables.aggregate(store, &aggregated);
        for (_, value) in store.range(Kind::Role, "") {
            if let Object::Role(role) = &value.object {
                tables.add_role(value.object.namespace(), value.object.name(), role.rules.as_ref());
            }
        }
        for (_, value) in store.range(Kind::ClusterRoleBinding, "") {
            if let Object::ClusterRoleBinding(binding) = &value.object {
                let text = format!("ClusterRoleBinding \"{}\"", value.object.name());
                tables.add_binding("", &text, &binding.role_ref, binding.subjects.as_deref());
            }
        }
        for (_, value) in store.range(Kind::RoleBinding, "") {
            if let Object::RoleBinding(binding) = &value.object {
                let (namespace, name) = (value.object.namespace(), value.object.name());
                let text = format!("RoleBinding \"{name}/{namespace}\"");
                tables.add_binding(namespace, &text, &binding.role_ref, binding.subjects.as_deref());
            }
        }
        tables.add_nodes();
        tables
    }

    /// Kubelets are let in by the Node authorizer, whose rules are those of the role `system:node`.
    fn add_nodes(&mut self) {
        self.groups
            .entry("system:nodes".to_owned())
            .or_default()
            .push(Grant {
                namespace: String::new(),
                role: (String::new(), "system:node".to_owned()),
                binding: "the Node authorizer".to_owned(),
                subject: "system:nodes".to_owned(),
            });
    }

    fn add_role(&mut self, namespace: &str, name: &str, rules: Option<&Vec<Rule>>) {
        self.roles.insert(
            (namespace.to_owned(), name.to_owned()),
            rules.cloned().unwrap_or_default(),
        );
    }

    /// Gives aggregating ClusterRoles the rules of those they select, in as many rounds as they nest.
    fn aggregate(&mut self, store: &Store, aggregated: &[Arc<ClusterRole>]) {
        const DEEPEST: usize = 5;
        for _ in 0..DEEPEST {
            for role in aggregated {
                let selectors: Vec<Selector> = role
                    .aggregation_rule
                    .iter()
                    .flat_map(|rule| rule.cluster_role_selectors.iter().flatten())
                    .filter_map(|selector| Selector::from_label_selector(Some(selector)).ok())
                    .collect();
                let name = role.metadata.name.clone().unwrap_or_default();
                let mut rules: Vec<Rule> = Vec::new();
                for (_, value) in store.range(Kind::ClusterRole, "") {
                    let object = &value.object;
                    let selected = object.name() != name
                        && selectors
                            .iter()
                            .any(|selector| selector.matches_labels(object.meta().labels.as_ref()));
                    if !selected {
                        continue;
                    }
                    let own = self.roles.get(&(String::new(), object.name().to_owned()));
                    for rule in own.into_iter().flatten() {
                        if !rules.contains(rule) {
                            rules.push(rule.clone());
                        }
                    }
                }
                self.roles.insert((String::new(), name), rules);
            }
        }
    }

    fn add_binding(
        &mut self,
        namespace: &str,
        binding: &str,
        reference: &RoleRef,
        subjects: Option<&[Subject]>,
    ) {
        for subject in subjects.unwrap_or(&[]) {
            let (table, key) = match subject.kind.as_str() {
                "User" => (&mut self.users, subject.name.clone()),
                "Group" => (&mut self.groups, subject.name.clone()),
                "ServiceAccount" => {
                    let own = subject
                        .namespace
                        .as_deref()
                        .filter(|own| !own.is_empty())
                        .unwrap_or(namespace);
                    (
                        &mut self.users,
                        format!("system:serviceaccount:{own}:{}", subject.name),
                    )
                }
                _ => continue,
            };
            let text = match subject.kind.as_str() {
                "Group" => subject.name.clone(),
                "User" => format!("User \"{}\"", subject.name),
                _ => format!(
                    "ServiceAccount \"{}/{}\"",
                    subject.name,
                    subject.namespace.as_deref().unwrap_or("")
                ),
            };
            table.entry(key).or_default().push(Grant {
                namespace: namespace.to_owned(),
                role: role_key(namespace, reference),
                binding: binding.to_owned(),
                subject: text,
            });
        }
    }

    /// A user's own grants, then those of the groups.
    fn grants<'a>(&'a self, user: &'a User) -> impl Iterator<Item = (&'a Grant, bool)> {
        let own = self
            .users
            .get(&user.name)
            .into_iter()
            .flatten()
            .map(|grant| (grant, false));
        let groups = user
            .groups
            .iter()
            .filter_map(|group| self.groups.get(group))
            .flatten();
        own.chain(groups.map(|grant| (grant, true)))
    }
}
