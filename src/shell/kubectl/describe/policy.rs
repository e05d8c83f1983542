//! `describe` of disruption budgets and autoscalers.

use super::super::super::print::times::rfc1123;
use super::super::kube::{Kube, int, list, map, text};
use super::{Lines, int_or_string, or, selector_text};
use serde_json::Value;

pub fn disruption_budget(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    let (spec, status) = (&object["spec"], &object["status"]);
    out.name(object);
    if !spec["minAvailable"].is_null() {
        out.line(
            0,
            format!("Min available:\t{}", int_or_string(&spec["minAvailable"])),
        );
    } else if !spec["maxUnavailable"].is_null() {
        out.line(
            0,
            format!("Max unavailable:\t{}", int_or_string(&spec["maxUnavailable"])),
        );
    }
    out.line(
        0,
        if spec["selector"].is_object() {
            format!("Selector:\t{}", selector_text(&spec["selector"]))
        } else {
            "Selector:\t<unset>".to_owned()
        },
    );
    out.line(0, "Status:");
    for (label, field) in [
        ("Allowed disruptions", "/disruptionsAllowed"),
        ("Current", "/currentHealthy"),
        ("Desired", "/desiredHealthy"),
        ("Total", "/expectedPods"),
    ] {
        out.line(2, format!("{label}:\t{}", int(status, field).unwrap_or(0)));
    }
    out.events(kube, events);
}

pub fn autoscaler(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    let (spec, status) = (&object["spec"], &object["status"]);
    out.name(object);
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    out.line(
        0,
        format!(
            "CreationTimestamp:\t{}",
            rfc1123(&object["metadata"]["creationTimestamp"])
        ),
    );
    let reference = &spec["scaleTargetRef"];
    out.line(
        0,
        format!(
            "Reference:\t{}/{}",
            text(reference, "/kind"),
            text(reference, "/name")
        ),
    );
    out.line(0, "Metrics:\t( current / target )");
    for (i, metric) in list(spec, "/metrics").iter().enumerate() {
        let current = &list(status, "/currentMetrics")
            .get(i)
            .cloned()
            .unwrap_or(Value::Null);
        out.line(1, metric_row(metric, current));
    }
    let least = int(spec, "/minReplicas").map_or("<unset>".to_owned(), |n| n.to_string());
    out.line(0, format!("Min replicas:\t{least}"));
    out.line(
        0,
        format!("Max replicas:\t{}", int(spec, "/maxReplicas").unwrap_or(0)),
    );
    if spec["behavior"].is_object() {
        out.line(0, "Behavior:");
        for (label, field) in [("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")] {
            let rules = &spec["behavior"][field];
            if !rules.is_object() {
                continue;
            }
            out.line(1, format!("{label}:"));
            if let Some(seconds) = int(rules, "/stabilizationWindowSeconds") {
                out.line(2, format!("Stabilization Window: {seconds} seconds"));
            }
            if !list(rules, "/policies").is_empty() {
                out.line(
                    2,
                    format!("Select Policy: {}", or(text(rules, "/selectPolicy"), "Max")),
                );
                out.line(2, "Policies:");
                for policy in list(rules, "/policies") {
                    out.line(
                        3,
                        format!(
                            "- Type: {}\tValue: {}\tPeriod: {} seconds",
                            text(policy, "/type"),
                            int(policy, "/value").unwrap_or(0),
                            int(policy, "/periodSeconds").unwrap_or(0)
                        ),
                    );
                }
            }
        }
    }
    out.line(
        0,
        format!(
            "{} pods:\t{} current / {} desired",
            text(reference, "/kind"),
            int(status, "/currentReplicas").unwrap_or(0),
            int(status, "/desiredReplicas").unwrap_or(0)
        ),
    );
    let conditions = list(status, "/conditions");
    if !conditions.is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus\tReason\tMessage");
        out.line(1, "----\t------\t------\t-------");
        conditions.iter().for_each(|c| {
            out.line(
                1,
                format!(
                    "{}\t{}\t{}\t{}",
                    text(c, "/type"),
                    text(c, "/status"),
                    text(c, "/reason"),
                    text(c, "/message")
                ),
            )
        });
    }
    out.events(kube, events);
}

fn metric_row(metric: &Value, current: &Value) -> String {
    let unknown = |text: &str| or(text, "<unknown>").to_owned();
    match text(metric, "/type") {
        "Resource" | "ContainerResource" => {
            let field = if text(metric, "/type") == "Resource" {
                "resource"
            } else {
                "containerResource"
            };
            let (source, now) = (&metric[field], &current[field]["current"]);
            let name = text(source, "/name");
            let container = text(source, "/container");
            let of = if container.is_empty() {
                String::new()
            } else {
                format!(" of container \"{container}\"")
            };
            if let Some(target) = int(source, "/target/averageUtilization") {
                let used = int(now, "/averageUtilization").map_or("<unknown>".to_owned(), |n| {
                    format!("{n}% ({})", text(now, "/averageValue"))
                });
                return format!(
                    "resource {name}{of} on pods  (as a percentage of request):\t{used} / {target}%"
                );
            }
            format!(
                "resource {name}{of} on pods:\t{} / {}",
                unknown(text(now, "/averageValue")),
                text(source, "/target/averageValue")
            )
        }
        "Pods" => format!(
            "{:?} on pods:\t{} / {}",
            text(metric, "/pods/metric/name"),
            unknown(text(current, "/pods/current/averageValue")),
            text(metric, "/pods/target/averageValue")
        ),
        "Object" => {
            let source = &metric["object"];
            let value = or(
                text(source, "/target/value"),
                text(source, "/target/averageValue"),
            )
            .to_owned();
            format!(
                "{:?} on {}/{} (target value):\t{} / {value}",
                text(source, "/metric/name"),
                text(source, "/describedObject/kind"),
                text(source, "/describedObject/name"),
                unknown(text(current, "/object/current/value"))
            )
        }
        "External" => format!(
            "{:?} (target value):\t{} / {}",
            text(metric, "/external/metric/name"),
            unknown(text(current, "/external/current/value")),
            text(metric, "/external/target/value")
        ),
        other => format!("<unknown metric type {other:?}>"),
    }
}
