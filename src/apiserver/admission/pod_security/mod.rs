//! PodSecurity: what a namespace's labels allow its Pods.
//!
//! `enforce` refuses Pods; `warn` also looks at what makes Pods. `audit` is read and checked, but
//! there is no audit log. Source: k8s.io/pod-security-admission.

mod baseline;
mod restricted;

use crate::api::order::StableSort;
use crate::api::validation::field::{FieldError, Path};
use crate::api::{Kind, Object, Status};
use crate::apiserver::ApiServer;
use crate::etcd::Key;
use k8s_openapi::api::core::v1::{ContainerPort, Lifecycle, Pod, PodSpec, Probe, SecurityContext};
use std::collections::BTreeMap;

type Labels = BTreeMap<String, String>;

const PREFIX: &str = "pod-security.kubernetes.io/";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Privileged,
    Baseline,
    Restricted,
}

/// A level as of a minor version; `u32::MAX` is the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Policy {
    level: Level,
    minor: u32,
}

impl Policy {
    /// `restricted:latest`
    fn words(self) -> String {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.minor {
            u32::MAX => format!("{level}:latest"),
            minor => format!("{level}:v1.{minor}"),
        }
    }

    /// What a Pod does that this policy forbids.
    fn violations(self, pod: &View<'_>) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut run = |checks: &[Check]| {
            let known = checks.iter().filter(|check| check.since <= self.minor);
            found.extend(known.filter_map(|check| (check.run)(pod)));
        };
        match self.level {
            Level::Privileged => {}
            Level::Baseline => {
                run(&baseline::ALWAYS);
                run(&baseline::UNLESS_RESTRICTED);
            }
            Level::Restricted => {
                run(&baseline::ALWAYS);
                run(&restricted::CHECKS);
            }
        }
        found.stable_sort_by(|a: &Violation, b| a.order.cmp(&b.order));
        found
    }
}

/// A rule, and the minor version that brought it.
struct Check {
    since: u32,
    run: fn(&View<'_>) -> Option<Violation>,
}

/// What is forbidden, and who does it.
struct Violation {
    /// Its place: the rules of baseline come first, each level sorted by name.
    order: u8,
    reason: String,
    detail: String,
}

fn violation(order: u8, reason: &str, detail: impl Into<String>) -> Option<Violation> {
    Some(Violation {
        order,
        reason: reason.to_owned(),
        detail: detail.into(),
    })
}

fn details(found: &[Violation]) -> String {
    let words = found.iter().map(|violation| match violation.detail.as_str() {
        "" => violation.reason.clone(),
        detail => format!("{} ({detail})", violation.reason),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// One container of any sort.
struct Container<'a> {
    name: &'a str,
    context: Option<&'a SecurityContext>,
    ports: &'a [ContainerPort],
    probes: [Option<&'a Probe>; 3],
    lifecycle: Option<&'a Lifecycle>,
}

/// A Pod as the rules see it.
struct View<'a> {
    spec: &'a PodSpec,
    /// Init containers, containers, ephemeral containers.
    containers: Vec<Container<'a>>,
}

impl<'a> View<'a> {
    fn new(spec: &'a PodSpec) -> View<'a> {
        let mut containers = Vec::new();
        macro_rules! add {
            ($list:expr) => {
                containers.extend($list.map(|container| Container {
                    name: &container.name,
                    context: container.security_context.as_ref(),
                    ports: container.ports.as_deref().unwrap_or_default(),
                    probes: [
                        container.liveness_probe.as_ref(),
                        container.readiness_probe.as_ref(),
                        container.startup_probe.as_ref(),
                    ],
                    lifecycle: container.lifecycle.as_ref(),
                }))
            };
        }
        add!(spec.init_containers.iter().flatten());
        add!(spec.containers.iter());
        add!(spec.ephemeral_containers.iter().flatten());
        View { spec, containers }
    }

    /// Quoted names of the containers that are bad.
    fn bad(&self, is_bad: impl Fn(&Container<'_>) -> bool) -> Vec<String> {
        let bad = self.containers.iter().filter(|container| is_bad(container));
        bad.map(|container| quoted(container.name)).collect()
    }

    fn is_windows(&self) -> bool {
        self.spec.os.as_ref().is_some_and(|os| os.name == "windows")
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// `container "a"`, `containers "a", "b"`
fn named(word: &str, names: &[String]) -> String {
    format!("{} {}", plural(word, names.len()), names.join(", "))
}

fn plural(word: &str, count: usize) -> String {
    if count == 1 {
        word.to_owned()
    } else {
        format!("{word}s")
    }
}

/// `pod and container "a"`, for those that set something forbidden.
fn setters(pod: bool, containers: &[String]) -> Option<String> {
    match (pod, containers.is_empty()) {
        (false, true) => None,
        (true, true) => Some("pod".to_owned()),
        (false, false) => Some(named("container", containers)),
        (true, false) => Some(format!("pod and {}", named("container", containers))),
    }
}

/// A namespace's policy of one mode, and what is wrong with its labels. What is wrong is taken as
/// restricted where it enforces.
fn policy(labels: Option<&Labels>, mode: &str, errors: &mut Vec<FieldError>) -> Policy {
    let path = Path::root("metadata");
    let path = path.child("labels");
    let read = |suffix: &str| labels?.get_key_value(&format!("{PREFIX}{mode}{suffix}"));
    let mut policy = Policy {
        level: Level::Privileged,
        minor: u32::MAX,
    };
    if let Some((key, value)) = read("") {
        policy.level = match value.as_str() {
            "privileged" => Level::Privileged,
            "baseline" => Level::Baseline,
            "restricted" => Level::Restricted,
            _ => {
                let why = "must be one of privileged, baseline, restricted";
                errors.push(FieldError::invalid(&path.key(key), value.as_str(), why));
                if mode == "enforce" {
                    Level::Restricted
                } else {
                    Level::Privileged
                }
            }
        };
    }
    if let Some((key, value)) = read("-version") {
        let minor = value
            .strip_prefix("v1.")
            .filter(|minor| *minor == "0" || !minor.starts_with('0'));
        match minor.and_then(|minor| minor.parse().ok()) {
            Some(minor) => policy.minor = minor,
            None if value == "latest" => {}
            None => {
                let why = "must be \"latest\" or \"v1.x\"";
                errors.push(FieldError::invalid(&path.key(key), value.as_str(), why));
            }
        }
    }
    policy
}

fn label_errors(object: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for mode in ["enforce", "audit", "warn"] {
        policy(object.meta().labels.as_ref(), mode, &mut errors);
    }
    errors
}

/// The Pod, or the template, a request brings, and whether it is a Pod.
fn subject(object: &Object) -> Option<(&PodSpec, bool)> {
    let template = match object {
        Object::Pod(pod) => return pod.spec.as_ref().map(|spec| (spec, true)),
        Object::Deployment(it) => &it.spec.as_ref()?.template,
        Object::ReplicaSet(it) => it.spec.as_ref()?.template.as_ref()?,
        Object::ReplicationController(it) => it.spec.as_ref()?.template.as_ref()?,
        Object::StatefulSet(it) => &it.spec.as_ref()?.template,
        Object::DaemonSet(it) => &it.spec.as_ref()?.template,
        Object::Job(it) => &it.spec.as_ref()?.template,
        Object::CronJob(it) => &it.spec.job_template.spec.as_ref()?.template,
        _ => return None,
    };
    template.spec.as_ref().map(|spec| (spec, false))
}

/// Looks at what is created, or at a change of it; a Pod's own spec is as it was admitted.
///
/// Errors: 403 of a Pod its namespace does not allow, 422 of wrong labels on a Namespace.
pub(super) fn validate(
    server: &ApiServer,
    object: &Object,
    live: Option<&Object>,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    if object.kind() == Kind::Namespace {
        return validate_namespace(server, object, live, warnings);
    }
    let Some((spec, is_pod)) = subject(object) else {
        return Ok(());
    };
    let key = Key::new(Kind::Namespace, "", object.namespace());
    let namespace = server.etcd.get(&key).map(|value| &value.object);
    let Some(labels) = namespace.and_then(|namespace| namespace.meta().labels.as_ref()) else {
        return Ok(());
    };
    if !labels.keys().any(|key| key.starts_with(PREFIX)) {
        return Ok(());
    }
    if let (true, Some(live)) = (is_pod, live) {
        let known = |object: &Object| {
            let spec = subject(object)?.0;
            Some(spec.ephemeral_containers.as_ref().map_or(0, Vec::len))
        };
        if known(live) == known(object) {
            return Ok(());
        }
    }
    let view = View::new(spec);
    let enforce = policy(Some(labels), "enforce", &mut Vec::new());
    if is_pod {
        let found = enforce.violations(&view);
        if !found.is_empty() {
            let why = format!(
                "violates PodSecurity \"{}\": {}",
                enforce.words(),
                details(&found)
            );
            return Err(Status::forbidden(object.kind().info(), object.name(), &why));
        }
    }
    let warn = policy(Some(labels), "warn", &mut Vec::new());
    let found = warn.violations(&view);
    if !found.is_empty() {
        warnings.push(format!(
            "would violate PodSecurity \"{}\": {}",
            warn.words(),
            details(&found)
        ));
    }
    Ok(())
}

fn validate_namespace(
    server: &ApiServer,
    object: &Object,
    live: Option<&Object>,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let errors = label_errors(object);
    // A namespace that was wrong before may stay so.
    if !errors.is_empty() && live.is_none_or(|live| label_errors(live).is_empty()) {
        return Err(Status::invalid(object.kind().info(), object.name(), errors));
    }
    let Some(live) = live else { return Ok(()) };
    let enforce = |object: &Object| policy(object.meta().labels.as_ref(), "enforce", &mut Vec::new());
    let (old, new) = (enforce(live), enforce(object));
    let is_stricter = new.level > old.level || new.level == old.level && new.minor != old.minor;
    if is_stricter && new.level > Level::Privileged {
        warn_of_pods(server, object.name(), new, warnings);
    }
    Ok(())
}

/// Names the Pods that are already there and would be refused now; of one controller only the first.
fn warn_of_pods(server: &ApiServer, namespace: &str, policy: Policy, warnings: &mut Vec<String>) {
    let mut controllers: Vec<&str> = Vec::new();
    let mut groups: Vec<(String, String, usize)> = Vec::new();
    for (_, value) in server.etcd.range(Kind::Pod, namespace) {
        let Some(pod) = value.object.get::<Pod>() else {
            continue;
        };
        let owners = pod.metadata.owner_references.iter().flatten();
        let mut owners = owners.filter(|owner| owner.controller == Some(true));
        if let Some(owner) = owners.next() {
            if controllers.contains(&owner.uid.as_str()) {
                continue;
            }
            controllers.push(&owner.uid);
        }
        let Some(spec) = &pod.spec else { continue };
        let found = policy.violations(&View::new(spec));
        if found.is_empty() {
            continue;
        }
        let reasons: Vec<&str> = found.iter().map(|violation| violation.reason.as_str()).collect();
        let reasons = reasons.join(", ");
        match groups.iter_mut().find(|group| group.0 == reasons) {
            Some(group) => group.2 += 1,
            None => groups.push((reasons, value.object.name().to_owned(), 0)),
        }
    }
    let mut lines: Vec<String> = groups
        .into_iter()
        .map(|(reasons, name, others)| match others {
            0 => format!("{name}: {reasons}"),
            1 => format!("{name} (and 1 other pod): {reasons}"),
            _ => format!("{name} (and {others} other pods): {reasons}"),
        })
        .collect();
    lines.stable_sort();
    if !lines.is_empty() {
        warnings.push(format!(
            "existing pods in namespace \"{namespace}\" violate the new PodSecurity enforce level \"{}\"",
            policy.words()
        ));
        warnings.append(&mut lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn judged(policy: Policy, spec: Value) -> String {
        let spec: PodSpec = serde_json::from_value(spec).unwrap();
        details(&policy.violations(&View::new(&spec)))
    }

    const RESTRICTED: Policy = Policy {
        level: Level::Restricted,
        minor: u32::MAX,
    };
    const BASELINE: Policy = Policy {
        level: Level::Baseline,
        minor: u32::MAX,
    };

    #[test]
    fn a_plain_pod_is_baseline() {
        let spec = json!({"containers": [{"name": "a"}, {"name": "b"}]});
        assert_eq!(judged(BASELINE, spec.clone()), "");
        assert_eq!(
            judged(RESTRICTED, spec),
            "allowPrivilegeEscalation != false (containers \"a\", \"b\" must set \
             securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers \"a\", \"b\" must set \
             securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or containers \"a\", \"b\" must set \
             securityContext.runAsNonRoot=true), seccompProfile (pod or containers \"a\", \"b\" must set \
             securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"
        );
    }

    #[test]
    fn a_careful_pod_is_restricted() {
        let spec = json!({"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [{"name": "v", "emptyDir": {}}],
            "containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}]});
        assert_eq!(judged(RESTRICTED, spec), "");
    }

    #[test]
    fn what_baseline_forbids() {
        let spec = json!({"hostNetwork": true, "hostPID": true, "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
            "containers": [{"name": "a", "ports": [{"containerPort": 80, "hostPort": 80}],
                "securityContext": {"privileged": true, "capabilities": {"add": ["SYS_ADMIN"]}}}]});
        assert_eq!(
            judged(BASELINE, spec),
            "non-default capabilities (container \"a\" must not include \"SYS_ADMIN\" in securityContext.capabilities.add), \
             host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume \"v\"), hostPort (container \"a\" \
             uses hostPort 80), privileged (container \"a\" must not set securityContext.privileged=true)"
        );
    }

    #[test]
    fn wrong_labels_are_named() {
        let mut errors = Vec::new();
        let labels: Labels = [
            (
                "pod-security.kubernetes.io/enforce".to_owned(),
                "tight".to_owned(),
            ),
            (
                "pod-security.kubernetes.io/enforce-version".to_owned(),
                "1.30".to_owned(),
            ),
        ]
        .into();
        assert_eq!(
            policy(Some(&labels), "enforce", &mut errors).level,
            Level::Restricted
        );
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"tight\": must be one of privileged, baseline, restricted",
                "metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: \"1.30\": must be \"latest\" or \"v1.x\"",
            ]
        );
    }
}
