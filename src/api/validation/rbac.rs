//! Roles and bindings.
//!
//! Source: kubernetes/pkg/apis/rbac/validation/validation.go.

use super::content;
use super::field::{self, FieldError, Internal, Json, Path};
use super::meta::{self, Errors};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};

const GROUP: &str = "rbac.authorization.k8s.io";

pub fn role(role: &Role, errors: &mut Errors) {
    rules(role.rules.as_deref(), true, errors);
}

pub fn cluster_role(role: &ClusterRole, errors: &mut Errors) {
    rules(role.rules.as_deref(), false, errors);
    let Some(aggregation) = &role.aggregation_rule else {
        return;
    };
    let root = Path::root("aggregationRule");
    let path = root.child("clusterRoleSelectors");
    let selectors = aggregation.cluster_role_selectors.as_deref().unwrap_or(&[]);
    if selectors.is_empty() {
        let why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        errors.push(FieldError::required(&path, why));
    }
    for (i, selector) in selectors.iter().enumerate() {
        meta::label_selector(selector, &path.index(i), errors);
    }
}

fn rules(rules: Option<&[PolicyRule]>, namespaced: bool, errors: &mut Errors) {
    let root = Path::root("rules");
    let has = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    for (i, rule) in rules.unwrap_or(&[]).iter().enumerate() {
        let path = &root.index(i);
        if rule.verbs.is_empty() {
            errors.push(FieldError::required(
                &path.child("verbs"),
                "verbs must contain at least one value",
            ));
        }
        if has(&rule.non_resource_urls) {
            let path = &path.child("nonResourceURLs");
            let urls = &rule.non_resource_urls;
            if namespaced {
                let why = "namespaced rules cannot apply to non-resource URLs";
                errors.push(FieldError::invalid(path, Json(urls), why));
            }
            if has(&rule.api_groups) || has(&rule.resources) || has(&rule.resource_names) {
                let why = "rules cannot apply to both regular resources and non-resource URLs";
                errors.push(FieldError::invalid(path, Json(urls), why));
            }
            continue;
        }
        if !has(&rule.api_groups) {
            let why = "resource rules must supply at least one api group";
            errors.push(FieldError::required(&path.child("apiGroups"), why));
        }
        if !has(&rule.resources) {
            let why = "resource rules must supply at least one resource";
            errors.push(FieldError::required(&path.child("resources"), why));
        }
    }
}

pub fn role_binding(binding: &RoleBinding, errors: &mut Errors) {
    role_ref(&binding.role_ref, &["Role", "ClusterRole"], errors);
    subjects(binding.subjects.as_deref(), true, errors);
}

pub fn cluster_role_binding(binding: &ClusterRoleBinding, errors: &mut Errors) {
    role_ref(&binding.role_ref, &["ClusterRole"], errors);
    subjects(binding.subjects.as_deref(), false, errors);
}

fn role_ref(role: &RoleRef, kinds: &[&str], errors: &mut Errors) {
    let path = Path::root("roleRef");
    let group = role.api_group.as_deref().unwrap_or("");
    if group != GROUP {
        errors.push(FieldError::not_supported(
            &path.child("apiGroup"),
            group,
            &[GROUP],
        ));
    }
    if !kinds.contains(&role.kind.as_str()) {
        errors.push(FieldError::not_supported(&path.child("kind"), &role.kind, kinds));
    }
    let path = &path.child("name");
    if role.name.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        meta::check(content::path_segment_name(&role.name), &role.name, path, errors);
    }
}

fn subjects(subjects: Option<&[Subject]>, namespaced: bool, errors: &mut Errors) {
    let root = Path::root("subjects");
    for (i, subject) in subjects.unwrap_or(&[]).iter().enumerate() {
        let path = &root.index(i);
        if subject.name.is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        }
        let group = subject.api_group.as_deref().unwrap_or("");
        let group_path = &path.child("apiGroup");
        match subject.kind.as_str() {
            "ServiceAccount" => {
                if !subject.name.is_empty() {
                    let complaints = content::dns1123_subdomain(&subject.name);
                    meta::check(complaints, &subject.name, &path.child("name"), errors);
                }
                if !group.is_empty() {
                    errors.push(FieldError::not_supported(group_path, group, &[""]));
                }
                if !namespaced && subject.namespace.as_deref().unwrap_or("").is_empty() {
                    errors.push(FieldError::required(&path.child("namespace"), ""));
                }
            }
            "User" | "Group" => {
                if group != GROUP {
                    errors.push(FieldError::not_supported(group_path, group, &[GROUP]));
                }
            }
            other => {
                let supported = &["ServiceAccount", "User", "Group"];
                errors.push(FieldError::not_supported(&path.child("kind"), other, supported));
            }
        }
    }
}

pub fn role_ref_update(new: &RoleRef, old: &RoleRef, errors: &mut Errors) {
    if new != old {
        let internal = Internal([
            ("APIGroup", field::value(&new.api_group)),
            ("Kind", field::value(&new.kind)),
            ("Name", field::value(&new.name)),
        ]);
        errors.push(FieldError::invalid(
            &Path::root("roleRef"),
            internal,
            "cannot change roleRef",
        ));
    }
}
