//! What a Deployment says of itself: counts and conditions.
//!
//! Source: pkg/controller/deployment/progress.go and sync.go.

use super::Rollout;
use super::util::{
    REVISION, complete, condition, name, progressing, remove_condition, replicas, set_condition,
};
use crate::apiserver::Request;
use crate::seat::{Duty, Plan, Why};
use k8s_openapi::api::apps::v1::ReplicaSet;
use std::sync::Arc;
use std::time::Duration;

impl Rollout<'_> {
    pub(super) fn paused(&self) -> bool {
        self.deployment
            .spec
            .as_ref()
            .and_then(|spec| spec.paused)
            .unwrap_or(false)
    }

    /// A paused rollout has no deadline: its Progressing condition says so.
    pub(super) fn check_paused(&mut self) {
        let known = condition(&self.status, "Progressing").and_then(|condition| condition.reason.as_deref());
        if self.wanted.progress_deadline.is_none() || known == Some("ProgressDeadlineExceeded") {
            return;
        }
        let said = known == Some("DeploymentPaused");
        if self.paused() && !said {
            set_condition(
                &mut self.status,
                "Progressing",
                "Unknown",
                "DeploymentPaused",
                "Deployment is paused",
                self.now,
            );
        } else if !self.paused() && said {
            set_condition(
                &mut self.status,
                "Progressing",
                "Unknown",
                "DeploymentResumed",
                "Deployment is resumed",
                self.now,
            );
        }
    }

    /// Counts what the ReplicaSets report.
    pub(super) fn count(&mut self) {
        let none = |count: i32| (count != 0).then_some(count);
        // What is only about to be created reports nothing.
        let status = |set: &Arc<ReplicaSet>| set.status.clone().unwrap_or_default();
        let all: Vec<_> = self
            .old
            .iter()
            .map(|set| status(set))
            .chain(self.new.iter().map(status))
            .collect();
        let sum = |of: &dyn Fn(&k8s_openapi::api::apps::v1::ReplicaSetStatus) -> i32| {
            all.iter().map(of).sum::<i32>()
        };
        let spec_total: i32 = self
            .old
            .iter()
            .map(|set| replicas(set))
            .chain(self.new.iter().map(|set| replicas(set)))
            .sum();
        let available = sum(&|status| status.available_replicas.unwrap_or(0));
        self.status.replicas = none(sum(&|status| status.replicas));
        self.status.updated_replicas = none(self.new.as_ref().map_or(0, |set| status(set).replicas));
        self.status.ready_replicas = none(sum(&|status| status.ready_replicas.unwrap_or(0)));
        self.status.available_replicas = none(available);
        self.status.unavailable_replicas = none((spec_total - available).max(0));
        self.status.terminating_replicas = Some(sum(&|status| status.terminating_replicas.unwrap_or(0)));
        self.status.observed_generation = self.deployment.metadata.generation;
        let (value, reason, message) = if available >= self.wanted.replicas - self.wanted.max_unavailable {
            (
                "True",
                "MinimumReplicasAvailable",
                "Deployment has minimum availability.",
            )
        } else {
            (
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
            )
        };
        set_condition(&mut self.status, "Available", value, reason, message, self.now);
    }

    /// Says how the rollout goes.
    pub(super) fn progress(&mut self) {
        let before = self.deployment.status.clone().unwrap_or_default();
        let Some(deadline) = self.wanted.progress_deadline else {
            remove_condition(&mut self.status, "Progressing");
            return;
        };
        let known = condition(&self.status, "Progressing").cloned();
        let reason = known
            .as_ref()
            .and_then(|condition| condition.reason.as_deref())
            .unwrap_or("");
        if self.status.replicas == self.status.updated_replicas && reason == "NewReplicaSetAvailable" {
            return;
        }
        let who = match &self.new {
            Some(set) => format!("ReplicaSet \"{}\"", name(set)),
            None => format!("Deployment \"{}\"", self.key.name),
        };
        let started = known
            .as_ref()
            .and_then(|condition| crate::client::helpers::moment(&condition.last_update_time));
        let due = started.map(|started| started + Duration::from_secs(deadline.max(0) as u64));
        let now = self.now;
        if complete(&self.wanted, self.deployment, &self.status) {
            let message = format!("{who} has successfully progressed.");
            set_condition(
                &mut self.status,
                "Progressing",
                "True",
                "NewReplicaSetAvailable",
                &message,
                now,
            );
        } else if progressing(&before, &self.status) {
            // Written again each time: its update time is what the deadline counts from.
            let since = known
                .filter(|known| known.status == "True")
                .and_then(|known| known.last_transition_time);
            remove_condition(&mut self.status, "Progressing");
            let message = format!("{who} is progressing.");
            set_condition(
                &mut self.status,
                "Progressing",
                "True",
                "ReplicaSetUpdated",
                &message,
                now,
            );
            let written = self
                .status
                .conditions
                .iter_mut()
                .flatten()
                .find(|condition| condition.type_ == "Progressing");
            if let (Some(written), Some(since)) = (written, since) {
                written.last_transition_time = Some(since);
            }
        } else if reason == "ProgressDeadlineExceeded" {
        } else if let Some(due) = due {
            if due < now {
                let message = format!("{who} has timed out progressing.");
                set_condition(
                    &mut self.status,
                    "Progressing",
                    "False",
                    "ProgressDeadlineExceeded",
                    &message,
                    now,
                );
            } else {
                // Upstream's check is a second late, too, as times are whole seconds.
                self.plan.again_after(due.since(now) + Duration::from_secs(1));
            }
        }
    }

    pub(super) fn failures(&mut self) {
        let failed = self.new.iter().chain(self.old.iter().copied()).find_map(|set| {
            let conditions = set.status.as_ref()?.conditions.as_ref()?;
            conditions
                .iter()
                .find(|condition| condition.type_ == "ReplicaFailure")
                .cloned()
        });
        match failed {
            Some(failed) => set_condition(
                &mut self.status,
                "ReplicaFailure",
                &failed.status,
                failed.reason.as_deref().unwrap_or(""),
                failed.message.as_deref().unwrap_or(""),
                self.now,
            ),
            None => remove_condition(&mut self.status, "ReplicaFailure"),
        }
    }

    /// The duty to write the status, if it says something new.
    pub(super) fn report(mut self) -> Plan {
        let known = self.deployment.status.clone().unwrap_or_default();
        let annotations = self.deployment.metadata.annotations.as_ref();
        let renumbered = self.new_revision.is_some()
            && annotations.and_then(|a| a.get(REVISION)) != self.new_revision.as_ref();
        if self.status == known && !renumbered {
            return self.plan;
        }
        let ready = self.status.ready_replicas.unwrap_or(0).to_string();
        let why = Why::new("deployment.status", &[&self.key.name, &ready]);
        let mut updated = (**self.deployment).clone();
        updated.status = Some(self.status);
        if let Some(number) = self.new_revision.filter(|_| renumbered) {
            updated
                .metadata
                .annotations
                .get_or_insert_default()
                .insert(REVISION.to_owned(), number);
        }
        self.plan
            .duties
            .push(Duty::api(why, Request::update_status(updated)));
        self.plan
    }
}
