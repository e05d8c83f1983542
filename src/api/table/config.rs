//! Rows of Namespaces, Nodes, Events, quotas, bindings and configuration.

use super::row;
use crate::api::duration;
use crate::api::quantity::Quantity;
use crate::api::sorted::SortedSet;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Node, NodeStatus, ResourceQuota};
use k8s_openapi::api::rbac::v1::{RoleRef, Subject};
use serde_json::Value;

pub fn phase(namespace: &Namespace) -> &str {
    namespace
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("")
}

pub fn entries(map: &ConfigMap) -> usize {
    map.data.as_ref().map_or(0, |data| data.len()) + map.binary_data.as_ref().map_or(0, |data| data.len())
}

pub fn node(node: &Node, age: String) -> Vec<Value> {
    let default = NodeStatus::default();
    let status = node.status.as_ref().unwrap_or(&default);
    let ready = status
        .conditions
        .iter()
        .flatten()
        .rev()
        .find(|own| own.type_ == "Ready");
    let mut state = match ready {
        Some(ready) if ready.status == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node
        .spec
        .as_ref()
        .is_some_and(|spec| spec.unschedulable == Some(true))
    {
        state.push_str(",SchedulingDisabled");
    }
    let address = |kind: &str| {
        let mut own = status
            .addresses
            .iter()
            .flatten()
            .filter(|address| address.type_ == kind);
        own.next().map_or("<none>", |address| address.address.as_str())
    };
    let info = status.node_info.clone().unwrap_or_default();
    let known = |text: String| {
        if text.is_empty() {
            "<unknown>".to_owned()
        } else {
            text
        }
    };
    row![
        node.metadata.name.as_deref().unwrap_or(""),
        state,
        roles(node),
        age,
        info.kubelet_version,
        address("InternalIP"),
        address("ExternalIP"),
        known(info.os_image),
        known(info.kernel_version),
        known(info.container_runtime_version),
    ]
}

fn roles(node: &Node) -> String {
    let mut roles = SortedSet::new();
    for (key, value) in node.metadata.labels.iter().flatten() {
        match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) if !role.is_empty() => roles.insert(role),
            None if key == "kubernetes.io/role" && !value.is_empty() => roles.insert(value.as_str()),
            _ => false,
        };
    }
    if roles.is_empty() {
        "<none>".to_owned()
    } else {
        roles.into_iter().collect::<Vec<_>>().join(",")
    }
}

pub fn event(event: &Event, now: Timestamp) -> Vec<Value> {
    let set = |time: &Option<_>| duration::since(Option::as_ref(time), now);
    let mut first = set(&event.first_timestamp);
    if first == "<unknown>" {
        first = duration::since_micro(event.event_time.as_ref(), now);
    }
    let mut last = set(&event.last_timestamp);
    if last == "<unknown>" {
        last.clone_from(&first);
    }
    // Events of the newer API that happened once have no count.
    let mut count = event.count.filter(|count| *count != 0).unwrap_or(1);
    if let Some(series) = &event.series {
        last = duration::since_micro(series.last_observed_time.as_ref(), now);
        count = series.count.unwrap_or(0);
    }
    let object = &event.involved_object;
    let kind = object.kind.as_deref().unwrap_or("").to_lowercase();
    let target = match object.name.as_deref().unwrap_or("") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    row![
        last,
        text(&event.type_),
        text(&event.reason),
        target,
        text(&object.field_path),
        source(event),
        event.message.as_deref().unwrap_or("").trim(),
        first,
        count,
        text(&event.metadata.name),
    ]
}

fn source(event: &Event) -> String {
    let filled = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
    let own = event.source.as_ref();
    let component = filled(own.and_then(|source| source.component.as_ref()))
        .or_else(|| filled(event.reporting_component.as_ref()))
        .unwrap_or_default();
    let host = filled(own.and_then(|source| source.host.as_ref()));
    match host.or_else(|| filled(event.reporting_instance.as_ref())) {
        Some(instance) => format!("{component}, {instance}"),
        None => component,
    }
}

pub fn quota(quota: &ResourceQuota, age: String) -> Vec<Value> {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    let status = quota.status.as_ref();
    for (resource, hard) in status
        .and_then(|status| status.hard.as_ref())
        .into_iter()
        .flatten()
    {
        let used = status
            .and_then(|status| status.used.as_ref())
            .and_then(|used| used.get(resource));
        let used = used.map_or_else(|| "0".to_owned(), |used| Quantity::of(used).to_string());
        let text = format!("{resource}: {used}/{}", Quantity::of(hard));
        if resource.starts_with("limits.") {
            &mut limits
        } else {
            &mut requests
        }
        .push(text);
    }
    let name = quota.metadata.name.as_deref().unwrap_or("");
    row![name, requests.join(", "), limits.join(", "), age]
}

pub fn binding(name: &str, role: &RoleRef, subjects: Option<&[Subject]>, age: String) -> Vec<Value> {
    let (mut users, mut groups, mut accounts) = (Vec::new(), Vec::new(), Vec::new());
    for subject in subjects.unwrap_or(&[]) {
        match subject.kind.as_str() {
            "ServiceAccount" => {
                accounts.push(format!(
                    "{}/{}",
                    subject.namespace.as_deref().unwrap_or(""),
                    subject.name
                ));
            }
            "User" => users.push(subject.name.clone()),
            "Group" => groups.push(subject.name.clone()),
            _ => {}
        }
    }
    let role = format!("{}/{}", role.kind, role.name);
    row![
        name,
        role,
        age,
        users.join(", "),
        groups.join(", "),
        accounts.join(", ")
    ]
}
