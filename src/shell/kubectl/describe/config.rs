//! `describe` of Namespaces, ConfigMaps, Secrets, ServiceAccounts, quotas and limits.

use super::super::failure::Result;
use super::super::kube::{Kube, int, list, map, text};
use super::super::resource::{known, list_pages};
use super::{Lines, or};
use crate::api::Kind;
use crate::api::order::StableSort;
use base64::Engine;
use serde_json::Value;

pub fn namespace(kube: &mut Kube, object: &Value, out: &mut Lines) -> Result<()> {
    let name = text(object, "/metadata/name").to_owned();
    out.head(object);
    out.line(0, format!("Status:\t{}", text(object, "/status/phase")));
    let conditions = list(object, "/status/conditions");
    if !conditions.is_empty() {
        use super::super::super::print::times::rfc1123;
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
        out.line(1, "----\t------\t------------------\t------\t-------");
        for c in conditions {
            out.line(
                1,
                format!(
                    "{}\t{}\t{}\t{}\t{}",
                    text(c, "/type"),
                    text(c, "/status"),
                    rfc1123(&c["lastTransitionTime"]),
                    text(c, "/reason"),
                    text(c, "/message")
                ),
            );
        }
    }
    let quotas = list_pages(kube, &known(Kind::ResourceQuota).collection(Some(&name)))?;
    if quotas.is_empty() {
        out.line(0, "\nNo resource quota.");
    } else {
        out.line(0, "\nResource Quotas");
        for quota in &quotas {
            out.line(1, format!("Name:\t{}", text(quota, "/metadata/name")));
            out.line(1, "Resource\tUsed\tHard");
            out.line(1, "--------\t---\t---");
            quota_rows(quota, 1, out);
        }
    }
    let limits = list_pages(kube, &known(Kind::LimitRange).collection(Some(&name)))?;
    if limits.is_empty() {
        out.line(0, "\nNo LimitRange resource.");
    } else {
        out.line(0, "\nResource Limits");
        out.line(1, LIMIT_HEAD[0]);
        out.line(1, LIMIT_HEAD[1]);
        limits.iter().for_each(|l| limit_rows(l, 1, out));
    }
    Ok(())
}

fn quota_rows(quota: &Value, level: usize, out: &mut Lines) {
    let used = map(quota, "/status/used");
    for (name, hard) in map(quota, "/status/hard") {
        let used = used.iter().find(|(k, _)| *k == name).map_or("0", |(_, v)| v);
        out.line(level, format!("{name}\t{used}\t{hard}"));
    }
}

pub fn quota(object: &Value, out: &mut Lines) {
    out.name(object);
    let scopes: Vec<&str> = list(object, "/spec/scopes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if !scopes.is_empty() {
        out.line(0, format!("Scopes:\t{}", scopes.join(", ")));
    }
    out.line(0, "Resource\tUsed\tHard");
    out.line(0, "--------\t----\t----");
    quota_rows(object, 0, out);
}

const LIMIT_HEAD: [&str; 2] = [
    "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
    "----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
];

pub fn limit_range(object: &Value, out: &mut Lines) {
    out.name(object);
    LIMIT_HEAD.iter().for_each(|line| out.line(0, line));
    limit_rows(object, 0, out);
}

fn limit_rows(object: &Value, level: usize, out: &mut Lines) {
    for limit in list(object, "/spec/limits") {
        let mut names: Vec<&str> = [
            "/min",
            "/max",
            "/default",
            "/defaultRequest",
            "/maxLimitRequestRatio",
        ]
        .iter()
        .flat_map(|f| map(limit, f))
        .map(|(k, _)| k)
        .collect();
        names.stable_sort();
        names.dedup();
        for name in names {
            let cell = |field: &str| {
                map(limit, field)
                    .into_iter()
                    .find(|(k, _)| *k == name)
                    .map_or("-", |(_, v)| v)
            };
            out.line(
                level,
                format!(
                    "{}\t{name}\t{}\t{}\t{}\t{}\t{}",
                    text(limit, "/type"),
                    cell("/min"),
                    cell("/max"),
                    cell("/defaultRequest"),
                    cell("/default"),
                    cell("/maxLimitRequestRatio")
                ),
            );
        }
    }
}

pub fn config_map(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    out.head(object);
    out.line(0, "\nData\n====");
    for (key, value) in map(object, "/data") {
        out.line(0, format!("{key}:\n----\n{value}\n"));
    }
    out.line(0, "\nBinaryData\n====");
    for (key, value) in map(object, "/binaryData") {
        out.line(0, format!("{key}: {} bytes", decoded(value)));
    }
    out.line(0, "");
    out.events(kube, events);
}

fn decoded(text: &str) -> usize {
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_or(0, |bytes| bytes.len())
}

pub fn secret(object: &Value, out: &mut Lines) {
    out.head(object);
    out.line(0, format!("\nType:\t{}", text(object, "/type")));
    out.line(0, "\nData\n====");
    let token = text(object, "/type") == "kubernetes.io/service-account-token";
    for (key, value) in map(object, "/data") {
        if token && key == "token" {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(value)
                .unwrap_or_default();
            out.line(0, format!("{key}:\t{}", String::from_utf8_lossy(&bytes)));
        } else {
            out.line(0, format!("{key}:\t{} bytes", decoded(value)));
        }
    }
}

pub fn service_account(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    out.head(object);
    for (label, field) in [
        ("Image pull secrets", "/imagePullSecrets"),
        ("Mountable secrets", "/secrets"),
        ("Tokens", "/tokens"),
    ] {
        let names: Vec<&str> = list(object, field).iter().map(|s| text(s, "/name")).collect();
        for (i, name) in names.iter().enumerate() {
            out.line(
                0,
                format!(
                    "{}\t{name}",
                    if i == 0 {
                        format!("{label}:")
                    } else {
                        String::new()
                    }
                ),
            );
        }
        if names.is_empty() {
            out.line(0, format!("{label}:\t<none>"));
        }
    }
    out.events(kube, events);
}

pub fn priority_class(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    out.line(0, format!("Name:\t{}", text(object, "/metadata/name")));
    out.line(0, format!("Value:\t{}", int(object, "/value").unwrap_or(0)));
    out.line(0, format!("GlobalDefault:\t{}", object["globalDefault"] == true));
    out.line(
        0,
        format!(
            "PreemptionPolicy:\t{}",
            or(text(object, "/preemptionPolicy"), "<nil>")
        ),
    );
    out.line(0, format!("Description:\t{}", text(object, "/description")));
    out.annotations("Annotations", object);
    out.events(kube, events);
}
