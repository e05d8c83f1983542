//! Field selectors: `spec.nodeName=node-1,status.phase!=Running`.
//!
//! Which fields a kind offers is fixed. Source: k8s.io/apimachinery/pkg/fields/selector.go, the
//! field label conversions of pkg/apis/*/v1/conversion.go and the strategies in pkg/registry.

use super::validation::field::go_quote;
use super::{Kind, Object};
use crate::api::order::StableSort;
use std::borrow::Cow;
use std::fmt;

/// All terms must hold. The default selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: String,
    value: String,
    equal: bool,
}

impl FieldSelector {
    /// Reads the query form for one kind. The error is the message of the 400 answer.
    pub fn parse(kind: Kind, text: &str) -> Result<FieldSelector, String> {
        let mut parts: Vec<&str> = text.split(',').filter(|part| !part.is_empty()).collect();
        parts.stable_sort();
        let mut terms = Vec::with_capacity(parts.len());
        for part in parts {
            let split = |operator: &str| {
                let mut pieces = part.split(operator);
                match (pieces.next(), pieces.next(), pieces.next()) {
                    (Some(field), Some(value), None) => Some((field, value)),
                    _ => None,
                }
            };
            let (field, value, equal) = if let Some((field, value)) = split("!=") {
                (field, value, false)
            } else if let Some((field, value)) = split("==").or_else(|| split("=")) {
                (field, value, true)
            } else {
                return Err(format!("invalid selector: '{text}'; can't understand '{part}'"));
            };
            terms.push(Term {
                field: field.to_owned(),
                value: value.to_owned(),
                equal,
            });
        }
        for term in &mut terms {
            if kind == Kind::Pod && term.field == "spec.host" {
                term.field = "spec.nodeName".to_owned();
            }
            supported(kind, &term.field)?;
        }
        Ok(FieldSelector { terms })
    }

    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn matches(&self, object: &Object) -> bool {
        self.terms
            .iter()
            .all(|term| (value_of(object, &term.field) == term.value) == term.equal)
    }

    /// The one value a field must have, if there is one (`metadata.name` makes a list a lookup).
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.terms
            .iter()
            .find(|term| term.equal && term.field == field)
            .map(|term| term.value.as_str())
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            let operator = if term.equal { "=" } else { "!=" };
            write!(
                f,
                "{}{}{operator}{}",
                if i > 0 { "," } else { "" },
                term.field,
                term.value
            )?;
        }
        Ok(())
    }
}

/// The fields a kind offers, if it does more than name and namespace.
fn fields_of(kind: Kind) -> Option<&'static [&'static str]> {
    Some(match kind {
        Kind::Pod => &[
            "metadata.name",
            "metadata.namespace",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        Kind::Node => &["metadata.name", "spec.unschedulable"],
        Kind::ReplicationController => &["metadata.name", "metadata.namespace", "status.replicas"],
        Kind::Event => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
            "metadata.namespace",
            "metadata.name",
        ],
        Kind::Namespace => &["status.phase", "metadata.name"],
        Kind::Secret => &["type", "metadata.namespace", "metadata.name"],
        Kind::Service => &[
            "metadata.namespace",
            "metadata.name",
            "spec.clusterIP",
            "spec.type",
        ],
        Kind::Job => &["metadata.name", "metadata.namespace", "status.successful"],
        _ => return None,
    })
}

fn supported(kind: Kind, field: &str) -> Result<(), String> {
    match fields_of(kind) {
        Some(fields) if fields.contains(&field) => Ok(()),
        Some(_) if kind == Kind::Job => Err(format!(
            "field label {} not supported for batchv1.Job",
            go_quote(field)
        )),
        Some(_) => Err(format!("field label not supported: {field}")),
        None if matches!(field, "metadata.name" | "metadata.namespace") => Ok(()),
        None => Err(format!(
            "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            go_quote(field)
        )),
    }
}

fn value_of<'a>(object: &'a Object, field: &str) -> Cow<'a, str> {
    match field {
        "metadata.name" => return object.name().into(),
        "metadata.namespace" => return object.namespace().into(),
        _ => {}
    }
    fn text(value: Option<&String>) -> Cow<'_, str> {
        value.map_or("", String::as_str).into()
    }
    match object {
        Object::Pod(pod) => {
            let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
            match field {
                "spec.nodeName" => text(spec.and_then(|s| s.node_name.as_ref())),
                "spec.restartPolicy" => text(spec.and_then(|s| s.restart_policy.as_ref())),
                "spec.schedulerName" => text(spec.and_then(|s| s.scheduler_name.as_ref())),
                "spec.serviceAccountName" => text(spec.and_then(|s| s.service_account_name.as_ref())),
                "spec.hostNetwork" => flag(spec.and_then(|s| s.host_network)),
                "status.phase" => text(status.and_then(|s| s.phase.as_ref())),
                "status.podIP" => text(status.and_then(|s| s.pod_ip.as_ref())),
                "status.nominatedNodeName" => text(status.and_then(|s| s.nominated_node_name.as_ref())),
                // Offered, but no Pod carries it.
                _ => "".into(),
            }
        }
        Object::Node(node) => flag(node.spec.as_ref().and_then(|s| s.unschedulable)),
        Object::ReplicationController(rc) => rc.status.as_ref().map_or(0, |s| s.replicas).to_string().into(),
        Object::Event(event) => {
            let about = &event.involved_object;
            match field {
                "involvedObject.kind" => text(about.kind.as_ref()),
                "involvedObject.namespace" => text(about.namespace.as_ref()),
                "involvedObject.name" => text(about.name.as_ref()),
                "involvedObject.uid" => text(about.uid.as_ref()),
                "involvedObject.apiVersion" => text(about.api_version.as_ref()),
                "involvedObject.resourceVersion" => text(about.resource_version.as_ref()),
                "involvedObject.fieldPath" => text(about.field_path.as_ref()),
                "reason" => text(event.reason.as_ref()),
                "reportingComponent" => text(event.reporting_component.as_ref()),
                "source" => {
                    let component = event.source.as_ref().and_then(|s| s.component.as_ref());
                    text(
                        component
                            .filter(|c| !c.is_empty())
                            .or(event.reporting_component.as_ref()),
                    )
                }
                _ => text(event.type_.as_ref()),
            }
        }
        Object::Namespace(namespace) => text(namespace.status.as_ref().and_then(|s| s.phase.as_ref())),
        Object::Secret(secret) => text(secret.type_.as_ref()),
        Object::Service(service) => {
            let spec = service.spec.as_ref();
            match field {
                "spec.clusterIP" => text(spec.and_then(|s| s.cluster_ip.as_ref())),
                _ => text(spec.and_then(|s| s.type_.as_ref())),
            }
        }
        Object::Job(job) => job
            .status
            .as_ref()
            .and_then(|s| s.succeeded)
            .unwrap_or(0)
            .to_string()
            .into(),
        _ => "".into(),
    }
}

fn flag(value: Option<bool>) -> Cow<'static, str> {
    if value == Some(true) {
        "true".into()
    } else {
        "false".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod() -> Object {
        let value = json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {"nodeName": "node-1", "containers": []},
                           "status": {"phase": "Running"}});
        Object::from_value(Kind::Pod, value).unwrap()
    }

    #[test]
    fn matches() {
        for (text, expected) in [
            ("metadata.name=a", true),
            ("metadata.name!=a", false),
            ("spec.nodeName==node-1,status.phase=Running", true),
            ("spec.host=node-2", false),
            ("spec.hostNetwork=false", true),
            ("", true),
            ("status.phase!=Pending", true),
        ] {
            assert_eq!(
                FieldSelector::parse(Kind::Pod, text).unwrap().matches(&pod()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn errors() {
        let error = |kind, text| FieldSelector::parse(kind, text).unwrap_err();
        assert_eq!(
            error(Kind::Pod, "spec.foo=1"),
            "field label not supported: spec.foo"
        );
        assert_eq!(
            error(Kind::Pod, "x"),
            "invalid selector: 'x'; can't understand 'x'"
        );
        assert_eq!(
            error(Kind::Ingress, "foo.bar=baz"),
            "\"foo.bar\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert_eq!(
            error(Kind::Job, "a=1"),
            "field label \"a\" not supported for batchv1.Job"
        );
    }
}
