//! What a Job's policies make of failed Pods and of the indexes that succeeded.
//!
//! Source: pkg/controller/job/pod_failure_policy.go, success_policy.go.

use super::indexes;
use k8s_openapi::api::batch::v1::{PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, SuccessPolicy};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

/// What happens because of a failed Pod.
#[derive(Clone, PartialEq)]
pub enum Action {
    /// It counts towards the back-off limit, as without a policy.
    Count,
    Ignore,
    FailIndex,
    /// With the message of the Job's condition.
    FailJob(String),
}

/// What the first rule that matches says.
pub fn on_failure(policy: Option<&PodFailurePolicy>, pod: &Pod) -> Action {
    let (namespace, name) = (
        pod.metadata.namespace.as_deref().unwrap_or(""),
        pod.metadata.name.as_deref().unwrap_or(""),
    );
    let rules = policy.map_or(&[][..], |policy| &policy.rules);
    for (at, rule) in rules.iter().enumerate() {
        let what = if let Some(codes) = &rule.on_exit_codes {
            exited(pod, codes).map(|(container, code)| {
                format!("Container {container} for pod {namespace}/{name} failed with exit code {code}")
            })
        } else {
            let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
            let patterns = rule.on_pod_conditions.as_deref().unwrap_or(&[]);
            let wanted = |own: &(&str, &str)| {
                patterns
                    .iter()
                    .any(|one| (one.type_.as_str(), one.status.as_deref().unwrap_or("True")) == *own)
            };
            let mut own = conditions
                .into_iter()
                .flatten()
                .map(|own| (own.type_.as_str(), own.status.as_str()));
            own.find(wanted)
                .map(|(of, _)| format!("Pod {namespace}/{name} has condition {of}"))
        };
        let Some(what) = what else { continue };
        match rule.action.as_str() {
            "Ignore" => return Action::Ignore,
            "FailIndex" => return Action::FailIndex,
            "FailJob" => return Action::FailJob(format!("{what} matching FailJob rule at index {at}")),
            "Count" => return Action::Count,
            _ => {}
        }
    }
    Action::Count
}

/// The first container that ended with one of the codes asked for, and the code.
fn exited<'a>(pod: &'a Pod, wanted: &PodFailurePolicyOnExitCodesRequirement) -> Option<(&'a str, i32)> {
    let status = pod.status.as_ref()?;
    let found = |own: &'a ContainerStatus| {
        let code = own.state.as_ref()?.terminated.as_ref()?.exit_code;
        let named = wanted
            .container_name
            .as_ref()
            .is_none_or(|name| *name == own.name);
        let listed = wanted.values.contains(&code) == (wanted.operator == "In");
        (named && code != 0 && listed).then_some((own.name.as_str(), code))
    };
    let lists = [&status.container_statuses, &status.init_container_statuses];
    lists.into_iter().flatten().flatten().find_map(found)
}

/// The message of the Job's condition once enough indexes have succeeded.
pub fn on_success(policy: &SuccessPolicy, succeeded: &indexes::Set) -> Option<String> {
    let met = policy.rules.iter().position(|rule| {
        let count = rule.succeeded_count.map(|count| count.max(0) as usize);
        match &rule.succeeded_indexes {
            Some(text) => {
                let required = indexes::parse(text);
                let present = required.iter().filter(|index| succeeded.contains(index)).count();
                !required.is_empty()
                    && (present == required.len() || count.is_some_and(|count| present >= count))
            }
            None => count.is_some_and(|count| succeeded.len() >= count),
        }
    });
    met.filter(|_| !succeeded.is_empty())
        .map(|at| format!("Matched rules at index {at}"))
}
