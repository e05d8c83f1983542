//! `describe` of roles and bindings, and the rows of `auth can-i --list`.

use super::super::kube::{list, map, text};
use super::Lines;
use crate::api::order::StableSort;
use serde_json::Value;

/// Rules broken down to one resource a row: (resources, URLs, names, verbs).
pub fn rule_rows(resource_rules: &[Value], url_rules: &[Value]) -> Vec<(String, String, String, String)> {
    let words = |value: &Value, field: &str| {
        list(value, field)
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let shown = |all: &[String]| format!("[{}]", all.join(" "));
    // Rules for one resource with one verb each, joined again: (resource, names) → verbs.
    struct Joined {
        group: String,
        resource: String,
        full: String,
        names: Vec<String>,
        verbs: Vec<String>,
    }
    let mut joined: Vec<Joined> = Vec::new();
    for rule in resource_rules {
        for group in words(rule, "/apiGroups") {
            for resource in words(rule, "/resources") {
                let (base, sub) = resource
                    .split_once('/')
                    .map_or((resource.clone(), String::new()), |(b, s)| {
                        (b.to_owned(), format!("/{s}"))
                    });
                let full = if group.is_empty() {
                    format!("{base}{sub}")
                } else {
                    format!("{base}.{group}{sub}")
                };
                let names = words(rule, "/resourceNames");
                match joined.iter_mut().find(|j| j.full == full && j.names == names) {
                    Some(entry) => {
                        for verb in words(rule, "/verbs") {
                            if !entry.verbs.contains(&verb) {
                                entry.verbs.push(verb);
                            }
                        }
                    }
                    None => joined.push(Joined {
                        group: group.clone(),
                        resource: resource.clone(),
                        full,
                        names,
                        verbs: words(rule, "/verbs"),
                    }),
                }
            }
        }
    }
    // Sorted as the rules print themselves: by verbs, groups, resources.
    let key = |verbs: &[String], group: &str, resource: &str| {
        format!(
            "Verbs:{},APIGroups:[{group}],Resources:[{resource}]",
            shown(verbs)
        )
    };
    let mut rows: Vec<(String, (String, String, String, String))> = joined
        .into_iter()
        .map(|j| {
            (
                key(&j.verbs, &j.group, &j.resource),
                (j.full, "[]".to_owned(), shown(&j.names), shown(&j.verbs)),
            )
        })
        .collect();
    for rule in resource_rules.iter().chain(url_rules) {
        for url in words(rule, "/nonResourceURLs") {
            let verbs = words(rule, "/verbs");
            rows.push((
                key(&verbs, "", ""),
                (String::new(), format!("[{url}]"), "[]".to_owned(), shown(&verbs)),
            ));
        }
    }
    rows.stable_sort();
    rows.into_iter().map(|row| row.1).collect()
}

pub fn role(object: &Value, out: &mut Lines) {
    out.line(0, format!("Name:\t{}", text(object, "/metadata/name")));
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    out.line(0, "PolicyRule:");
    out.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    out.line(1, "---------\t-----------------\t--------------\t-----");
    for (resources, urls, names, verbs) in rule_rows(list(object, "/rules"), &[]) {
        out.line(1, format!("{resources}\t{urls}\t{names}\t{verbs}"));
    }
}

pub fn binding(object: &Value, out: &mut Lines) {
    out.line(0, format!("Name:\t{}", text(object, "/metadata/name")));
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    out.line(0, "Role:");
    out.line(1, format!("Kind:\t{}", text(object, "/roleRef/kind")));
    out.line(1, format!("Name:\t{}", text(object, "/roleRef/name")));
    out.line(0, "Subjects:");
    out.line(1, "Kind\tName\tNamespace");
    out.line(1, "----\t----\t---------");
    for subject in list(object, "/subjects") {
        out.line(
            1,
            format!(
                "{}\t{}\t{}",
                text(subject, "/kind"),
                text(subject, "/name"),
                text(subject, "/namespace")
            ),
        );
    }
}
