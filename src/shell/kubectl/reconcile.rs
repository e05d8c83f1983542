//! `auth reconcile`: roles get the rights they lack, bindings the subjects.
//!
//! Source: k8s.io/component-helpers/auth/rbac/reconciliation.

use super::failure::{Result, message};
use super::kube::{Kube, Next, list, text, with_query};
use super::manifest;
use super::output::{DryRun, done};
use super::resource::Target;
use crate::api::Kind;
use serde_json::{Value, json};

pub fn run(kube: &mut Kube) -> Result<Next> {
    let targets = manifest::required(kube)?;
    if !kube.call.args.is_empty() {
        return message("no arguments are allowed");
    }
    let dry_run = DryRun::of(kube)?;
    let (trim_rules, trim_subjects) = (
        kube.flags().on("remove-extra-permissions"),
        kube.flags().on("remove-extra-subjects"),
    );
    let mut report = String::new();
    for target in targets {
        let is = |kind: Kind| target.kind.is(kind);
        let outcome = if is(Kind::Role) || is(Kind::ClusterRole) {
            reconcile(kube, &target, "rules", trim_rules, dry_run)?
        } else if is(Kind::RoleBinding) || is(Kind::ClusterRoleBinding) {
            reconcile(kube, &target, "subjects", trim_subjects, dry_run)?
        } else {
            continue;
        };
        done(kube, &target.kind, &target.object, "reconciled", dry_run)?;
        report.push_str(&outcome);
    }
    if kube.flags().text("output").is_empty() {
        kube.err(&report);
    }
    Ok(Next::Done)
}

/// Brings one object's list to what is wanted; returns what kubectl says of it.
fn reconcile(
    kube: &mut Kube,
    target: &Target,
    field: &'static str,
    trim: bool,
    dry_run: DryRun,
) -> Result<String> {
    let wanted = list(&target.object, &format!("/{field}")).to_vec();
    let existing = match kube.get(&target.path()) {
        Err(failure) if failure.is_not_found() => None,
        other => Some(other?),
    };
    let role_ref = |object: &Value| json!([object["roleRef"]["kind"], object["roleRef"]["name"]]);
    let mut operation = "";
    let mut object = match &existing {
        None => {
            operation = "create";
            target.object.clone()
        }
        Some(existing) if field == "subjects" && role_ref(existing) != role_ref(&target.object) => {
            operation = "recreate";
            target.object.clone()
        }
        Some(existing) => existing.clone(),
    };
    let present = if operation.is_empty() {
        list(&object, &format!("/{field}")).to_vec()
    } else {
        Vec::new()
    };
    let without = |all: &[Value], covered: &[Value]| -> Vec<Value> {
        all.iter()
            .filter(|one| !covered.iter().any(|by| covers(by, one)))
            .cloned()
            .collect()
    };
    let (missing, extra) = (without(&wanted, &present), without(&present, &wanted));
    if operation.is_empty() {
        let mut all = list(&object, &format!("/{field}")).to_vec();
        if trim && !extra.is_empty() {
            all = list(&target.object, &format!("/{field}")).to_vec();
        } else {
            all.extend(missing.iter().cloned());
        }
        object[field] = all.into();
        for map in ["labels", "annotations"] {
            for (key, value) in super::kube::map(&target.object, &format!("/metadata/{map}")) {
                object["metadata"][map][key] = value.into();
            }
        }
        if existing.as_ref() != Some(&object) {
            operation = "update";
        }
    }
    let collection = with_query(
        &target.kind.collection(Some(&target.namespace)),
        &[("dryRun", dry_run.query())],
    );
    let path = with_query(&target.path(), &[("dryRun", dry_run.query())]);
    if dry_run != DryRun::Client {
        match operation {
            "create" => kube.post(&collection, &object)?,
            "update" => kube.put(&path, &object)?,
            "recreate" => {
                kube.delete(&path, &json!({}))?;
                kube.post(&collection, &object)?
            }
            _ => Value::Null,
        };
    }
    let mut said = String::new();
    if !operation.is_empty() {
        said.push_str(&format!("\treconciliation required {operation}\n"));
    }
    let mut tell = |what: &str, all: &[Value]| {
        if !all.is_empty() {
            said.push_str(&format!("\t{what}:\n"));
            all.iter()
                .for_each(|one| said.push_str(&format!("\t\t{}\n", shown(one))));
        }
    };
    tell(&format!("missing {field} added"), &missing);
    tell(
        &format!("extra {field} {}", if trim { "removed" } else { "not removed" }),
        &extra,
    );
    Ok(said)
}

/// Whether one rule or subject includes another.
fn covers(one: &Value, other: &Value) -> bool {
    if one.get("verbs").is_none() {
        return ["kind", "name", "namespace"]
            .iter()
            .all(|field| text(one, &format!("/{field}")) == text(other, &format!("/{field}")));
    }
    let includes = |field: &str| {
        let has = list(one, &format!("/{field}"));
        has.iter().any(|value| value == "*")
            || list(other, &format!("/{field}"))
                .iter()
                .all(|value| has.contains(value))
    };
    let names = list(one, "/resourceNames").is_empty() || includes("resourceNames");
    ["verbs", "apiGroups", "resources", "nonResourceURLs"]
        .iter()
        .all(|field| includes(field))
        && names
        && (list(one, "/resourceNames").is_empty() || !list(other, "/resourceNames").is_empty())
}

/// As Go's `%+v` prints the struct.
fn shown(one: &Value) -> String {
    let words = |field: &str| {
        list(one, &format!("/{field}"))
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    if one.get("verbs").is_some() {
        format!(
            "{{Verbs:[{}] APIGroups:[{}] Resources:[{}] ResourceNames:[{}] NonResourceURLs:[{}]}}",
            words("verbs"),
            words("apiGroups"),
            words("resources"),
            words("resourceNames"),
            words("nonResourceURLs")
        )
    } else {
        let field = |name: &str| text(one, &format!("/{name}")).to_owned();
        format!(
            "{{Kind:{} APIGroup:{} Name:{} Namespace:{}}}",
            field("kind"),
            field("apiGroup"),
            field("name"),
            field("namespace")
        )
    }
}
