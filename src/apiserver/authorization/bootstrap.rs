//! The roles and bindings a fresh cluster has, from `policy.txt`.
//!
//! Source of the facts: plugin/pkg/auth/authorizer/rbac/bootstrappolicy.

use super::rules::Rule;
use crate::api::Object;
use crate::api::order::StableSort;
use k8s_openapi::api::rbac::v1::{
    AggregationRule, ClusterRole, ClusterRoleBinding, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use std::collections::BTreeMap;

const POLICY: &str = include_str!("policy.txt");
const GROUP: &str = "rbac.authorization.k8s.io";

/// The bootstrap objects, in the order of the policy.
pub(in crate::apiserver) fn install() -> Vec<Object> {
    let mut out = Vec::new();
    let mut lines = POLICY
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    while let Some(line) = lines.next() {
        let mut rules = Vec::new();
        while let Some(rule) = lines.next_if(|next| next.starts_with(' ')) {
            rules.push(parse_rule(rule));
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["role", name, marks @ ..] => out.push(cluster_role(name, marks, rules)),
            ["controller", name] => {
                // Every controller writes Events.
                rules.push(parse_rule("create,patch,update core,events.k8s.io events"));
                let role = format!("system:controller:{name}");
                out.push(cluster_role(&role, &[], rules));
                out.push(cluster_binding(&role, &[&format!("s:kube-system/{name}")]));
            }
            ["bind", role, subjects @ ..] => out.push(cluster_binding(role, subjects)),
            ["in", namespace, "role", name] => {
                out.push(
                    Role {
                        metadata: metadata(name, namespace),
                        rules: Some(rules),
                    }
                    .into(),
                );
            }
            ["in", namespace, "bind", role, subjects, more @ ..] => {
                let name = if let ["as", name] = more { name } else { role };
                let binding = RoleBinding {
                    metadata: metadata(name, namespace),
                    role_ref: role_ref("Role", role),
                    subjects: parse_subjects(&[subjects]),
                };
                out.push(binding.into());
            }
            _ => debug_assert!(false, "policy.txt: {line}"),
        }
    }
    aggregate(&mut out);
    out
}

/// Gives admin, edit and view the rules of the roles marked for them, as the aggregation
/// controller of a real cluster has done by the time anybody looks.
fn aggregate(objects: &mut [Object]) {
    for name in ["view", "edit", "admin"] {
        let mark = aggregation_label(name);
        let marked = |object: &&Object| {
            object
                .meta()
                .labels
                .as_ref()
                .is_some_and(|labels| labels.contains_key(&mark))
        };
        let mut rules: Vec<Rule> = Vec::new();
        for object in objects.iter().filter(marked) {
            if let Object::ClusterRole(role) = object {
                rules.extend(role.rules.iter().flatten().cloned());
            }
        }
        for object in objects.iter_mut().filter(|object| object.name() == name) {
            if let Object::ClusterRole(role) = object {
                std::sync::Arc::make_mut(role).rules = Some(rules.clone());
            }
        }
    }
}

fn metadata(name: &str, namespace: &str) -> ObjectMeta {
    let one = |key: &str, value: &str| Some(BTreeMap::from([(key.to_owned(), value.to_owned())]));
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        labels: one("kubernetes.io/bootstrapping", "rbac-defaults"),
        annotations: one("rbac.authorization.kubernetes.io/autoupdate", "true"),
        ..ObjectMeta::default()
    }
}

fn aggregation_label(role: &str) -> String {
    format!("{GROUP}/aggregate-to-{role}")
}

fn cluster_role(name: &str, marks: &[&str], rules: Vec<Rule>) -> Object {
    let mut role = ClusterRole {
        metadata: metadata(name, ""),
        rules: Some(rules),
        ..ClusterRole::default()
    };
    for mark in marks {
        if let Some(to) = mark.strip_prefix("to=") {
            role.metadata
                .labels
                .get_or_insert_default()
                .insert(aggregation_label(to), "true".to_owned());
        }
        if let Some(from) = mark.strip_prefix("from=") {
            let labels = BTreeMap::from([(aggregation_label(from), "true".to_owned())]);
            let selector = LabelSelector {
                match_labels: Some(labels),
                ..LabelSelector::default()
            };
            role.aggregation_rule = Some(AggregationRule {
                cluster_role_selectors: Some(vec![selector]),
            });
        }
    }
    role.into()
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef {
        api_group: Some(GROUP.to_owned()),
        kind: kind.to_owned(),
        name: name.to_owned(),
    }
}

fn cluster_binding(role: &str, subjects: &[&str]) -> Object {
    ClusterRoleBinding {
        metadata: metadata(role, ""),
        role_ref: role_ref("ClusterRole", role),
        subjects: parse_subjects(subjects),
    }
    .into()
}

fn parse_subjects(texts: &[&str]) -> Option<Vec<Subject>> {
    let subjects: Vec<Subject> = texts
        .iter()
        .flat_map(|text| text.split(','))
        .map(|text| match text.split_at(2.min(text.len())) {
            ("s:", account) => {
                let (namespace, name) = account.split_once('/').unwrap_or(("", account));
                Subject {
                    kind: "ServiceAccount".to_owned(),
                    name: name.to_owned(),
                    namespace: Some(namespace.to_owned()),
                    api_group: None,
                }
            }
            (letter, name) => Subject {
                kind: if letter == "g:" { "Group" } else { "User" }.to_owned(),
                name: name.to_owned(),
                namespace: None,
                api_group: Some(GROUP.to_owned()),
            },
        })
        .collect();
    (!subjects.is_empty()).then_some(subjects)
}

fn parse_rule(line: &str) -> Rule {
    let words: Vec<&str> = line.split_whitespace().collect();
    let list = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
    let mut verbs: Vec<String> = match words[0] {
        "read" => list("get,list,watch"),
        "write" => list("create,delete,deletecollection,patch,update"),
        "all" => list("create,delete,deletecollection,get,list,patch,update,watch"),
        other => list(other),
    };
    verbs.stable_sort();
    match words[1..] {
        ["*url"] => Rule {
            verbs,
            non_resource_urls: Some(list("*")),
            ..Rule::default()
        },
        [paths] => Rule {
            verbs,
            non_resource_urls: Some(list(paths)),
            ..Rule::default()
        },
        [groups, resources, ref names @ ..] => Rule {
            verbs,
            api_groups: Some(
                list(groups)
                    .into_iter()
                    .map(|g| if g == "core" { String::new() } else { g })
                    .collect(),
            ),
            resources: Some(list(resources)),
            resource_names: names.first().map(|names| list(names)),
            ..Rule::default()
        },
        [] => Rule {
            verbs,
            ..Rule::default()
        },
    }
}
