//! One policy rule: what it allows, and which rules cover which others.
//!
//! Source: pkg/apis/rbac/v1/evaluation_helpers.go, pkg/registry/rbac/validation/policy_comparator.go.

use super::Attributes;
use crate::api::order::StableSort;
use k8s_openapi::api::rbac::v1::PolicyRule;

pub type Rule = PolicyRule;

fn has(list: Option<&Vec<String>>, wanted: &str) -> bool {
    list.is_some_and(|list| list.iter().any(|own| own == "*" || own == wanted))
}

fn items(list: Option<&Vec<String>>) -> &[String] {
    list.map_or(&[], Vec::as_slice)
}

/// Whether a rule allows what the attributes name.
pub fn allows(rule: &Rule, attributes: &Attributes<'_>) -> bool {
    if !rule
        .verbs
        .iter()
        .any(|verb| verb == "*" || verb == attributes.verb)
    {
        return false;
    }
    if attributes.resource.is_empty() {
        return items(rule.non_resource_urls.as_ref())
            .iter()
            .any(|url| url_matches(url, attributes.path));
    }
    has(rule.api_groups.as_ref(), attributes.group)
        && items(rule.resources.as_ref())
            .iter()
            .any(|own| resource_matches(own, attributes))
        && name_matches(rule, attributes.name)
}

fn resource_matches(own: &str, attributes: &Attributes<'_>) -> bool {
    if own == "*" {
        return true;
    }
    match own.split_once('/') {
        None => attributes.subresource.is_empty() && own == attributes.resource,
        Some((resource, subresource)) => {
            (resource == "*" || resource == attributes.resource)
                && !attributes.subresource.is_empty()
                && subresource == attributes.subresource
        }
    }
}

fn name_matches(rule: &Rule, name: &str) -> bool {
    let names = items(rule.resource_names.as_ref());
    names.is_empty() || names.iter().any(|own| own == name)
}

fn url_matches(own: &str, path: &str) -> bool {
    own == "*"
        || own == path
        || own
            .strip_suffix('*')
            .is_some_and(|prefix| path.starts_with(prefix))
}

/// The parts of `wanted` that no rule of `owned` covers, one verb and one resource each.
pub fn uncovered(owned: &[Rule], wanted: &[Rule]) -> Vec<Rule> {
    wanted
        .iter()
        .flat_map(parts)
        .filter(|part| !owned.iter().any(|own| covers(own, part)))
        .collect()
}

/// Breaks a rule into rules of one verb and one resource.
fn parts(rule: &Rule) -> Vec<Rule> {
    let mut out = Vec::new();
    let one = |text: &String| Some(vec![text.clone()]);
    for group in items(rule.api_groups.as_ref()) {
        for resource in items(rule.resources.as_ref()) {
            for verb in &rule.verbs {
                let part = Rule {
                    api_groups: one(group),
                    resources: one(resource),
                    verbs: vec![verb.clone()],
                    ..Rule::default()
                };
                match items(rule.resource_names.as_ref()) {
                    [] => out.push(part),
                    names => out.extend(names.iter().map(|name| Rule {
                        resource_names: one(name),
                        ..part.clone()
                    })),
                }
            }
        }
    }
    for url in items(rule.non_resource_urls.as_ref()) {
        for verb in &rule.verbs {
            out.push(Rule {
                non_resource_urls: one(url),
                verbs: vec![verb.clone()],
                ..Rule::default()
            });
        }
    }
    out
}

/// Whether `own` covers a rule of one verb and one resource.
fn covers(own: &Rule, part: &Rule) -> bool {
    let verb = &part.verbs[0];
    if !own.verbs.iter().any(|v| v == "*" || v == verb) {
        return false;
    }
    if let [url] = items(part.non_resource_urls.as_ref()) {
        return items(own.non_resource_urls.as_ref()).iter().any(|o| {
            o == "*" || o == url || o.strip_suffix('*').is_some_and(|prefix| url.starts_with(prefix))
        });
    }
    let ([group], [resource]) = (items(part.api_groups.as_ref()), items(part.resources.as_ref())) else {
        return false;
    };
    let same_resource = |o: &String| {
        o == "*"
            || o == resource
            || matches!((o.split_once('/'), resource.split_once('/')), (Some(("*", a)), Some((_, b))) if a == b)
    };
    let names = items(own.resource_names.as_ref());
    has(own.api_groups.as_ref(), group)
        && items(own.resources.as_ref()).iter().any(same_resource)
        && (names.is_empty() || matches!(items(part.resource_names.as_ref()), [name] if names.contains(name)))
}

/// Joins rules that differ only in their verbs, and sorts them. Source: CompactRules.
pub fn compact(rules: Vec<Rule>) -> Vec<Rule> {
    let mut out: Vec<Rule> = Vec::new();
    for rule in rules {
        let same = |own: &&mut Rule| {
            own.api_groups == rule.api_groups
                && own.resources == rule.resources
                && own.resource_names == rule.resource_names
                && own.non_resource_urls == rule.non_resource_urls
        };
        match out.iter_mut().find(same) {
            Some(own) => own.verbs.extend(rule.verbs),
            None => out.push(rule),
        }
    }
    out.stable_sort_by_key(describe);
    out
}

/// `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`
pub fn describe(rule: &Rule) -> String {
    let list = |values: &[String]| {
        let quoted: Vec<String> = values
            .iter()
            .map(|value| crate::api::validation::field::go_quote(value))
            .collect();
        format!("[{}]", quoted.join(" "))
    };
    let mut out = Vec::new();
    for (name, values) in [
        ("APIGroups", rule.api_groups.as_ref()),
        ("Resources", rule.resources.as_ref()),
        ("NonResourceURLs", rule.non_resource_urls.as_ref()),
        ("ResourceNames", rule.resource_names.as_ref()),
        ("Verbs", Some(&rule.verbs)),
    ] {
        if !items(values).is_empty() {
            out.push(format!("{name}:{}", list(items(values))));
        }
    }
    format!("{{{}}}", out.join(", "))
}
