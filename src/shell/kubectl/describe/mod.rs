//! `kubectl describe`: one function per kind that fills lines of tab-separated cells.
//!
//! Source of every form: k8s.io/kubectl/pkg/describe.

pub mod config;
pub mod generic;
pub mod network;
pub mod node;
pub mod pod;
pub mod policy;
pub mod rbac;
pub mod storage;
pub mod template;
pub mod workload;

use super::super::print::TabWriter;
use super::super::print::times::{micros, rfc1123};
use super::events::event_age;
use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, list, map, text, with_query};
use super::resource::{Selection, Target, fail_with, known, list_failure, list_pages, select};
use crate::api::Kind;
use crate::api::order::StableSort;
use serde_json::Value;

/// Lines with tabs between their cells, indented by two spaces a level.
#[derive(Default)]
pub struct Lines(pub String);

impl Lines {
    pub fn line(&mut self, level: usize, text: impl AsRef<str>) {
        self.0.extend(std::iter::repeat_n("  ", level));
        self.0.push_str(text.as_ref());
        self.0.push('\n');
    }

    /// `Title:\ta=b` and a line for each further pair.
    pub fn labels(&mut self, title: &str, pairs: &[(&str, &str)]) {
        if pairs.is_empty() {
            return self.line(0, format!("{title}:\t<none>"));
        }
        for (i, (key, value)) in pairs.iter().enumerate() {
            let head = if i == 0 {
                format!("{title}:")
            } else {
                String::new()
            };
            self.line(0, format!("{head}\t{key}={value}"));
        }
    }

    /// `Annotations`, long ones below their key, what apply keeps left out.
    pub fn annotations(&mut self, title: &str, object: &Value) {
        const LONGEST: usize = 140;
        let shorten = |text: &str| {
            if text.chars().count() > LONGEST - 2 {
                text.chars().take(LONGEST - 2).collect::<String>() + "..."
            } else {
                text.to_owned()
            }
        };
        let pairs: Vec<_> = map(object, "/metadata/annotations")
            .into_iter()
            .filter(|(key, _)| *key != super::apply::LAST_APPLIED)
            .collect();
        if pairs.is_empty() {
            return self.line(0, format!("{title}:\t<none>"));
        }
        for (i, (key, value)) in pairs.iter().enumerate() {
            let head = if i == 0 {
                format!("{title}:\t")
            } else {
                "\t".to_owned()
            };
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 > LONGEST || value.contains('\n') {
                self.line(0, format!("{head}{key}:"));
                value
                    .split('\n')
                    .for_each(|line| self.line(0, format!("\t  {}", shorten(line))));
            } else {
                self.line(0, format!("{head}{key}: {value}"));
            }
        }
    }

    /// Name, and Namespace where there is one.
    pub fn name(&mut self, object: &Value) {
        self.line(0, format!("Name:\t{}", text(object, "/metadata/name")));
        if !text(object, "/metadata/namespace").is_empty() {
            self.line(0, format!("Namespace:\t{}", text(object, "/metadata/namespace")));
        }
    }

    /// Name, Namespace, Labels, Annotations: how most descriptions begin.
    pub fn head(&mut self, object: &Value) {
        self.name(object);
        self.labels("Labels", &map(object, "/metadata/labels"));
        self.annotations("Annotations", object);
    }

    /// The events block; nothing at all when events are not wanted.
    pub fn events(&mut self, kube: &Kube, events: Option<&[Value]>) {
        let Some(events) = events else { return };
        if events.is_empty() {
            return self.line(0, "Events:\t<none>");
        }
        let mut sorted: Vec<&Value> = events.iter().collect();
        sorted.stable_sort_by_key(|e| micros(&e["lastTimestamp"]).unwrap_or(0));
        self.line(0, "Events:");
        self.line(1, "Type\tReason\tAge\tFrom\tMessage");
        self.line(1, "----\t------\t----\t----\t-------");
        for event in sorted {
            let source = match text(event, "/source/component") {
                "" => text(event, "/reportingComponent"),
                source => source,
            };
            let age = event_age(event, kube.now());
            self.line(
                1,
                format!(
                    "{}\t{}\t{age}\t{source}\t{}",
                    text(event, "/type"),
                    text(event, "/reason"),
                    text(event, "/message").trim()
                ),
            );
        }
    }
}

/// `labels.FormatLabels` and simple selectors: `a=b,c=d`, `<none>` when empty.
pub fn pairs_text(pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() {
        "<none>".to_owned()
    } else {
        pairs
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect::<Vec<_>>()
            .join(",")
    }
}

/// `metav1.FormatLabelSelector`, also for the plain maps of Services and ReplicationControllers.
pub fn selector_text(selector: &Value) -> String {
    let Some(object) = selector.as_object() else {
        return "<none>".to_owned();
    };
    if !object.contains_key("matchLabels") && !object.contains_key("matchExpressions") {
        return pairs_text(&map(selector, ""));
    }
    let mut parts: Vec<(String, String)> = map(selector, "/matchLabels")
        .into_iter()
        .map(|(k, v)| (k.to_owned(), format!("{k}={v}")))
        .collect();
    for expression in list(selector, "/matchExpressions") {
        let key = text(expression, "/key");
        let values: Vec<&str> = list(expression, "/values")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let shown = match text(expression, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        };
        parts.push((key.to_owned(), shown));
    }
    parts.stable_sort();
    if parts.is_empty() {
        "<none>".to_owned()
    } else {
        parts.into_iter().map(|p| p.1).collect::<Vec<_>>().join(",")
    }
}

/// `ReplicaSet/web-1` of the owner that controls an object.
pub fn controller(object: &Value) -> Option<String> {
    let owner = list(object, "/metadata/ownerReferences")
        .iter()
        .find(|o| o["controller"] == true)?;
    Some(format!("{}/{}", text(owner, "/kind"), text(owner, "/name")))
}

/// A word, or another one when it is empty.
pub fn or<'t>(text: &'t str, instead: &'t str) -> &'t str {
    if text.is_empty() { instead } else { text }
}

/// A number or text of an `IntOrString`.
pub fn int_or_string(value: &Value) -> String {
    super::super::print::jsonpath::scalar(value)
}

/// The table of a status' conditions, whose third column shows their `LastHeartbeatTime` or `LastProbeTime`.
pub fn conditions(out: &mut Lines, status: &Value, seen: &str) {
    let conditions = list(status, "/conditions");
    if conditions.is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    let titles = ["Type", "Status", seen, "LastTransitionTime", "Reason", "Message"];
    out.line(1, titles.join("\t"));
    out.line(1, titles.map(|title| "-".repeat(title.len())).join("\t"));
    let field = format!("{}{}", seen[..1].to_lowercase(), &seen[1..]);
    for c in conditions {
        out.line(
            1,
            format!(
                "{} \t{} \t{} \t{} \t{} \t{}",
                text(c, "/type"),
                text(c, "/status"),
                rfc1123(&c[&field]),
                rfc1123(&c["lastTransitionTime"]),
                text(c, "/reason"),
                text(c, "/message")
            ),
        );
    }
}

pub fn run(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let files = kube.flags().list("filename");
    if args.is_empty() && files.is_empty() {
        return message(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.",
        );
    }
    let namespace = kube.namespace();
    let (mut targets, mut failures) = (Vec::new(), Vec::new());
    let (mut no_match, mut by_prefix) = (false, false);
    if files.is_empty() {
        let selector = kube.flags().text("selector").to_owned();
        match select(kube, &args)? {
            Selection::Types(types) => {
                for kind in types {
                    let scope = (!kube.all_namespaces()).then_some(namespace.as_str());
                    let path = with_query(
                        &kind.collection(scope),
                        &[("labelSelector", &selector), ("limit", "500")],
                    );
                    match list_pages(kube, &path) {
                        Ok(items) => targets.extend(items.into_iter().map(|i| Target::of(&kind, i))),
                        Err(failure) => failures.push(list_failure(kube, &kind, failure)),
                    }
                }
                if targets.is_empty() && failures.is_empty() {
                    no_match = true;
                }
            }
            Selection::Named(named) => {
                for (kind, name) in named {
                    match kube.get(&kind.path(&namespace, &name)) {
                        Ok(object) => targets.push(Target::of(&kind, object)),
                        Err(failure) if failure.is_not_found() => {
                            // What begins with the name will do.
                            let items = list_pages(
                                kube,
                                &with_query(&kind.collection(Some(&namespace)), &[("limit", "500")]),
                            )?;
                            let before = targets.len();
                            targets.extend(
                                items
                                    .into_iter()
                                    .filter(|i| text(i, "/metadata/name").starts_with(&name))
                                    .map(|i| Target::of(&kind, i)),
                            );
                            by_prefix = targets.len() > before;
                            if !by_prefix {
                                failures.push(failure);
                            }
                        }
                        Err(failure) => failures.push(failure),
                    }
                }
            }
        }
    } else {
        for manifest in super::manifest::load(kube, &files)? {
            match kube.get(&manifest.path()) {
                Ok(object) => targets.push(Target::of(&manifest.kind, object)),
                Err(failure) => failures.push(failure),
            }
        }
    }
    if no_match {
        if kube.all_namespaces() {
            kube.err("No resources found\n")
        } else {
            kube.err(&format!("No resources found in {namespace} namespace.\n"))
        }
        return Ok(Next::Done);
    }
    for (i, target) in targets.iter().enumerate() {
        let events = if kube.flags().on("show-events") {
            Some(events_of(kube, target)?)
        } else {
            None
        };
        let mut lines = Lines::default();
        describe(kube, target, events.as_deref(), &mut lines)?;
        let text = TabWriter::describe().format(&lines.0);
        if i > 0 && !by_prefix {
            kube.out("\n\n");
        }
        kube.out(&text);
        if by_prefix {
            kube.out("\n");
        }
    }
    fail_with(failures)?;
    Ok(Next::Done)
}

/// The events about an object.
fn events_of(kube: &mut Kube, target: &Target) -> Result<Vec<Value>> {
    // These kinds have no events block.
    const WITHOUT: &[Kind] = &[
        Kind::Namespace,
        Kind::Secret,
        Kind::Role,
        Kind::ClusterRole,
        Kind::RoleBinding,
        Kind::ClusterRoleBinding,
        Kind::ResourceQuota,
        Kind::LimitRange,
        Kind::NetworkPolicy,
    ];
    if WITHOUT.iter().any(|kind| target.kind.is(*kind)) {
        return Ok(Vec::new());
    }
    let uid = text(&target.object, "/metadata/uid");
    // About nodes the controllers speak by uid, kubelets by name.
    let uids = if target.kind.is(Kind::Node) {
        vec![uid, target.name.as_str()]
    } else {
        vec![uid]
    };
    let place = if target.namespace.is_empty() {
        String::new()
    } else {
        format!("involvedObject.namespace={},", target.namespace)
    };
    let scope = if target.namespace.is_empty() {
        None
    } else {
        Some(target.namespace.as_str())
    };
    let mut found = Vec::new();
    for uid in uids {
        let fields = format!(
            "{place}involvedObject.kind={},involvedObject.name={},involvedObject.uid={uid}",
            target.kind.kind, target.name
        );
        found.extend(list_pages(
            kube,
            &with_query(
                &known(Kind::Event).collection(scope),
                &[("fieldSelector", &fields), ("limit", "500")],
            ),
        )?);
    }
    Ok(found)
}

fn describe(kube: &mut Kube, target: &Target, events: Option<&[Value]>, out: &mut Lines) -> Result<()> {
    let object = &target.object;
    let Some(kind) = Kind::by_api_version(&target.kind.api_version(), &target.kind.kind) else {
        generic::describe(kube, object, events, out);
        return Ok(());
    };
    match kind {
        Kind::Pod => pod::describe(kube, object, events, out),
        Kind::Node => return node::describe(kube, object, events, out),
        Kind::Deployment => return workload::deployment(kube, object, events, out),
        Kind::ReplicaSet | Kind::ReplicationController => {
            return workload::replica_set(kube, object, events, out);
        }
        Kind::DaemonSet => return workload::daemon_set(kube, object, events, out),
        Kind::StatefulSet => return workload::stateful_set(kube, object, events, out),
        Kind::Job => workload::job(kube, object, events, out),
        Kind::CronJob => workload::cron_job(kube, object, events, out),
        Kind::Service => return network::service(kube, object, events, out),
        Kind::Endpoints => network::endpoints(kube, object, events, out),
        Kind::EndpointSlice => network::endpoint_slice(kube, object, events, out),
        Kind::Ingress => return network::ingress(kube, object, events, out),
        Kind::IngressClass => network::ingress_class(kube, object, events, out),
        Kind::NetworkPolicy => network::policy(object, out),
        Kind::Namespace => return config::namespace(kube, object, out),
        Kind::ConfigMap => config::config_map(kube, object, events, out),
        Kind::Secret => config::secret(object, out),
        Kind::ServiceAccount => config::service_account(kube, object, events, out),
        Kind::ResourceQuota => config::quota(object, out),
        Kind::LimitRange => config::limit_range(object, out),
        Kind::PriorityClass => config::priority_class(kube, object, events, out),
        Kind::PersistentVolume => storage::volume(kube, object, events, out),
        Kind::PersistentVolumeClaim => return storage::claim(kube, object, events, out),
        Kind::StorageClass => storage::class(kube, object, events, out),
        Kind::PodDisruptionBudget => policy::disruption_budget(kube, object, events, out),
        Kind::HorizontalPodAutoscaler => policy::autoscaler(kube, object, events, out),
        Kind::Role | Kind::ClusterRole => rbac::role(object, out),
        Kind::RoleBinding | Kind::ClusterRoleBinding => rbac::binding(object, out),
        Kind::Event | Kind::Lease | Kind::ControllerRevision => generic::describe(kube, object, events, out),
    }
    Ok(())
}

/// The Pods that a selector finds in an object's namespace.
pub fn selected_pods(kube: &mut Kube, object: &Value, selector: &str) -> Result<Vec<Value>> {
    let namespace = text(object, "/metadata/namespace").to_owned();
    list_pages(
        kube,
        &with_query(
            &known(Kind::Pod).collection(Some(&namespace)),
            &[("labelSelector", selector), ("limit", "500")],
        ),
    )
}

/// An error inside a description stands in its line, where kubectl puts it.
pub fn inline_failure(failure: &Failure) -> String {
    failure.text()
}
