//! `describe pod`

use super::super::super::print::times::{age, rfc1123};
use super::super::kube::{Kube, int, list, map, text};
use super::template::{containers, spread, tolerations, volumes};
use super::{Lines, controller};
use serde_json::Value;

pub fn describe(kube: &Kube, pod: &Value, events: Option<&[Value]>, out: &mut Lines) {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    out.name(pod);
    if let Some(priority) = int(spec, "/priority") {
        out.line(0, format!("Priority:\t{priority}"));
        optional(out, "Priority Class Name", text(spec, "/priorityClassName"));
    }
    optional(out, "Runtime Class Name", text(spec, "/runtimeClassName"));
    optional(out, "Service Account", text(spec, "/serviceAccountName"));
    match text(spec, "/nodeName") {
        "" => out.line(0, "Node:\t<none>"),
        node => out.line(0, format!("Node:\t{node}/{}", text(status, "/hostIP"))),
    }
    if status["startTime"].is_string() {
        out.line(0, format!("Start Time:\t{}", rfc1123(&status["startTime"])));
    }
    out.labels("Labels", &map(pod, "/metadata/labels"));
    out.annotations("Annotations", pod);
    let phase = text(status, "/phase");
    let leaving = &pod["metadata"]["deletionTimestamp"];
    if leaving.is_string() && !matches!(phase, "Failed" | "Succeeded") {
        out.line(
            0,
            format!("Status:\tTerminating (lasts {})", age(leaving, kube.now())),
        );
        out.line(
            0,
            format!(
                "Termination Grace Period:\t{}s",
                int(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(0)
            ),
        );
    } else {
        out.line(0, format!("Status:\t{phase}"));
    }
    optional(out, "Reason", text(status, "/reason"));
    optional(out, "Message", text(status, "/message"));
    optional(
        out,
        "SeccompProfile",
        text(spec, "/securityContext/seccompProfile/type"),
    );
    out.line(0, format!("IP:\t{}", text(status, "/podIP")));
    let ips = list(status, "/podIPs");
    if ips.is_empty() {
        out.line(0, "IPs:\t<none>");
    } else {
        out.line(0, "IPs:");
        ips.iter()
            .for_each(|ip| out.line(1, format!("IP:\t{}", text(ip, "/ip"))));
    }
    if let Some(owner) = controller(pod) {
        out.line(0, format!("Controlled By:\t{owner}"));
    }
    optional(out, "NominatedNodeName", text(status, "/nominatedNodeName"));
    if !list(spec, "/initContainers").is_empty() {
        containers(
            out,
            "Init Containers",
            list(spec, "/initContainers"),
            list(status, "/initContainerStatuses"),
            Some(pod),
            "",
        );
    }
    containers(
        out,
        "Containers",
        list(spec, "/containers"),
        list(status, "/containerStatuses"),
        Some(pod),
        "",
    );
    if !list(spec, "/ephemeralContainers").is_empty() {
        containers(
            out,
            "Ephemeral Containers",
            list(spec, "/ephemeralContainers"),
            list(status, "/ephemeralContainerStatuses"),
            Some(pod),
            "",
        );
    }
    let gates = list(spec, "/readinessGates");
    let conditions = list(status, "/conditions");
    if !gates.is_empty() {
        out.line(0, "Readiness Gates:");
        out.line(1, "Type\tStatus");
        for gate in gates {
            let kind = text(gate, "/conditionType");
            let found = conditions
                .iter()
                .find(|c| text(c, "/type") == kind)
                .map_or("<none>", |c| text(c, "/status"));
            out.line(1, format!("{kind} \t{found} "));
        }
    }
    if !conditions.is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus");
        conditions
            .iter()
            .for_each(|c| out.line(1, format!("{} \t{} ", text(c, "/type"), text(c, "/status"))));
    }
    volumes(out, list(spec, "/volumes"), "");
    out.line(0, format!("QoS Class:\t{}", text(status, "/qosClass")));
    out.labels("Node-Selectors", &map(spec, "/nodeSelector"));
    tolerations(out, "Tolerations", list(spec, "/tolerations"));
    spread(
        out,
        "Topology Spread Constraints",
        list(spec, "/topologySpreadConstraints"),
    );
    out.events(kube, events);
}

fn optional(out: &mut Lines, label: &str, value: &str) {
    if !value.is_empty() {
        out.line(0, format!("{label}:\t{value}"));
    }
}
