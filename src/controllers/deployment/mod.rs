//! Rolls a Deployment's template out through ReplicaSets.
//!
//! Source: pkg/controller/deployment (deployment_controller.go, sync.go, rolling.go, recreate.go,
//! progress.go).

mod util;

use super::claim::{adopt, release};
use super::owned::OwnedPods;
use super::pods::{normal, on_failure};
use crate::api::order::StableSort;
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, Request};
use crate::client::helpers::{
    controller_of, controller_ref, pod_is_terminal, selector_is_empty, selector_matches,
};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::sync::Arc;
use std::time::Duration;
use util::{
    HASH_LABEL, REVISION, Wanted, by_age, complete, condition, desired_annotation, name, new_replicas,
    progressing, proportion, remove_condition, replicas, revision, same_template, set_condition,
    set_new_annotations, set_size_annotations, template_hash,
};
pub(super) use util::{safe_encode, scaled_value};

/// The deployment controller.
#[derive(Clone, Debug)]
pub struct Deployments {
    pods: OwnedPods,
}

impl Default for Deployments {
    fn default() -> Deployments {
        Deployments {
            pods: OwnedPods::new(Kind::ReplicaSet),
        }
    }
}

/// One look at one Deployment.
struct Rollout<'a> {
    controller: &'a Deployments,
    key: &'a Key,
    deployment: &'a Arc<Deployment>,
    wanted: Wanted,
    now: SimTime,
    new: Option<Arc<ReplicaSet>>,
    old: Vec<&'a Arc<ReplicaSet>>,
    /// As it will be written at the end, if it changed.
    status: DeploymentStatus,
    new_revision: Option<String>,
    plan: Plan,
}

/// The size a ReplicaSet has or is being given.
struct Sized<'a> {
    set: &'a Arc<ReplicaSet>,
    size: i32,
}

fn available(set: &ReplicaSet) -> i32 {
    set.status
        .as_ref()
        .and_then(|status| status.available_replicas)
        .unwrap_or(0)
}

fn total(sets: &[Sized<'_>]) -> i32 {
    sets.iter().map(|set| set.size).sum()
}

impl<'a> Rollout<'a> {
    /// Gives a ReplicaSet another size, with upstream's Event; true if it had another one.
    fn scale(&mut self, set: &Arc<ReplicaSet>, size: i32) -> bool {
        let from = replicas(set);
        let mut changed = (**set).clone();
        let annotated =
            set_size_annotations(changed.metadata.annotations.get_or_insert_default(), &self.wanted);
        if from == size && !annotated {
            return false;
        }
        changed.spec.get_or_insert_default().replicas = Some(size);
        let way = if size > from { "up" } else { "down" };
        let (from_text, size_text) = (from.to_string(), size.to_string());
        let why = Why::new(
            "deployment.scale",
            &[&self.key.name, name(set), &from_text, &size_text],
        );
        let mut duty = Duty::api(why, Request::update(changed));
        if from != size {
            let message = format!("Scaled {way} replica set {} from {from} to {size}", name(set));
            duty = duty.note(normal(self.key, "ScalingReplicaSet", message));
        }
        self.plan.duties.push(duty);
        from != size
    }

    /// Finds the ReplicaSet of the present template and brings its revision up to date; creates
    /// it if asked to. What is created is assumed to be there afterwards.
    fn sync_revision(&mut self, create: bool) {
        let newest_old = self
            .old
            .iter()
            .map(|set| revision(set.metadata.annotations.as_ref()))
            .max()
            .unwrap_or(0);
        let new_revision = newest_old + 1;
        if let Some(set) = self.new.clone() {
            let mut changed = (*set).clone();
            let annotated = set_new_annotations(
                changed.metadata.annotations.get_or_insert_default(),
                self.deployment,
                new_revision,
            );
            let min_ready = set
                .spec
                .as_ref()
                .and_then(|spec| spec.min_ready_seconds)
                .unwrap_or(0);
            if annotated || min_ready != self.wanted.min_ready_seconds {
                let seconds = self.wanted.min_ready_seconds;
                changed.spec.get_or_insert_default().min_ready_seconds = (seconds != 0).then_some(seconds);
                let why = Why::new("deployment.annotate", &[&self.key.name, name(&set)]);
                self.new_revision = Some(revision(changed.metadata.annotations.as_ref()).to_string());
                self.plan.duties.push(Duty::api(why, Request::update(changed)));
                return;
            }
            self.new_revision = set
                .metadata
                .annotations
                .as_ref()
                .and_then(|annotations| annotations.get(REVISION).cloned());
            if self.wanted.progress_deadline.is_some() && condition(&self.status, "Progressing").is_none() {
                let message = format!("Found new replica set \"{}\"", name(&set));
                set_condition(
                    &mut self.status,
                    "Progressing",
                    "True",
                    "FoundNewReplicaSet",
                    &message,
                    self.now,
                );
            }
            return;
        }
        if create {
            self.create(new_revision);
        }
    }

    fn create(&mut self, new_revision: i64) {
        let Some(spec) = &self.deployment.spec else { return };
        let hash = template_hash(&spec.template, self.status.collision_count);
        let set_name = format!("{}-{hash}", self.key.name);
        let mut template = spec.template.clone();
        let labels = template
            .metadata
            .get_or_insert_default()
            .labels
            .get_or_insert_default();
        labels.insert(HASH_LABEL.to_owned(), hash.clone());
        let labels = labels.clone();
        let mut selector = spec.selector.clone();
        selector
            .match_labels
            .get_or_insert_default()
            .insert(HASH_LABEL.to_owned(), hash);
        let size = new_replicas(&self.wanted, self.old.iter().map(|set| replicas(set)).sum(), 0);
        let mut annotations = Default::default();
        set_new_annotations(&mut annotations, self.deployment, new_revision);
        set_size_annotations(&mut annotations, &self.wanted);
        let seconds = self.wanted.min_ready_seconds;
        let set = ReplicaSet {
            metadata: ObjectMeta {
                name: Some(set_name.clone()),
                namespace: self.deployment.metadata.namespace.clone(),
                labels: Some(labels),
                annotations: Some(annotations),
                owner_references: Some(vec![controller_ref(Kind::Deployment, &self.deployment.metadata)]),
                ..ObjectMeta::default()
            },
            spec: Some(ReplicaSetSpec {
                replicas: Some(size),
                min_ready_seconds: (seconds != 0).then_some(seconds),
                selector,
                template: Some(template),
            }),
            status: None,
        };
        let why = Why::new("deployment.create", &[&self.key.name, &set_name]);
        let failed = format!("Failed to create new replica set \"{set_name}\": {{error}}");
        let mut duty = Duty::api(why, Request::create(set.clone())).note(on_failure(
            self.key,
            "ReplicaSetCreateError",
            failed,
        ));
        if size > 0 {
            let message = format!("Scaled up replica set {set_name} from 0 to {size}");
            duty = duty.note(normal(self.key, "ScalingReplicaSet", message));
        }
        self.plan.duties.push(duty);
        self.new_revision = Some(new_revision.to_string());
        if self.wanted.progress_deadline.is_some() {
            let message = format!("Created new replica set \"{set_name}\"");
            set_condition(
                &mut self.status,
                "Progressing",
                "True",
                "NewReplicaSetCreated",
                &message,
                self.now,
            );
        }
        self.new = Some(Arc::new(set));
    }

    /// Whether the Deployment was resized since its ReplicaSets were last looked at.
    fn is_scaling_event(&self) -> bool {
        let all = self.old.iter().copied().chain(&self.new);
        all.filter(|set| replicas(set) > 0)
            .any(|set| desired_annotation(set).is_some_and(|desired| desired != self.wanted.replicas))
    }

    /// Resizes without rolling anything out: paused, or replicas changed mid-rollout.
    fn resize(&mut self) {
        let new = self.new.clone();
        let mut active: Vec<&Arc<ReplicaSet>> =
            self.old.iter().copied().filter(|set| replicas(set) > 0).collect();
        let new_active = new.as_ref().filter(|set| replicas(set) > 0);
        let only = match (active.as_slice(), new_active) {
            ([], None) => new.as_ref().or_else(|| {
                self.old
                    .iter()
                    .max_by_key(|set| set.metadata.creation_timestamp.clone())
                    .copied()
            }),
            ([], Some(set)) => Some(set),
            ([set], None) => Some(*set),
            _ => None,
        };
        if let Some(set) = only {
            if replicas(set) != self.wanted.replicas {
                self.scale(set, self.wanted.replicas);
            }
            return;
        }
        let saturated = new.as_ref().is_some_and(|set| {
            replicas(set) == self.wanted.replicas
                && desired_annotation(set) == Some(self.wanted.replicas)
                && available(set) == self.wanted.replicas
        });
        if saturated {
            for set in active {
                self.scale(set, 0);
            }
        } else if self.wanted.rolling {
            active.extend(new_active);
            let present: i32 = active.iter().map(|set| replicas(set)).sum();
            let allowed = if self.wanted.replicas > 0 {
                self.wanted.replicas + self.wanted.max_surge
            } else {
                0
            };
            let to_add = allowed - present;
            // Largest first; among equals the newest grows and the oldest shrinks first.
            by_age(&mut active);
            if to_add > 0 {
                active.reverse();
            }
            active.stable_sort_by_key(|set| std::cmp::Reverse(replicas(set)));
            let known = self.status.replicas.unwrap_or(0);
            let mut added = 0;
            let mut sizes: Vec<i32> = Vec::new();
            for set in &active {
                let part = proportion(set, &self.wanted, known, to_add, added);
                added += part;
                sizes.push(replicas(set) + part);
            }
            if let Some(first) = sizes.first_mut() {
                *first = (*first + to_add - added).max(0);
            }
            for (set, size) in active.into_iter().zip(sizes) {
                self.scale(set, size);
            }
        }
    }

    fn roll(&mut self) {
        self.sync_revision(true);
        let Some(new) = self.new.clone() else { return };
        let mut old: Vec<Sized<'_>> = self
            .old
            .iter()
            .filter(|set| replicas(set) > 0)
            .map(|set| Sized {
                set,
                size: replicas(set),
            })
            .collect();
        let size = replicas(&new);
        let target = match size.cmp(&self.wanted.replicas) {
            std::cmp::Ordering::Equal => size,
            std::cmp::Ordering::Greater => self.wanted.replicas,
            std::cmp::Ordering::Less => new_replicas(&self.wanted, total(&old) + size, size),
        };
        if target != size {
            self.scale(&new, target);
            return;
        }
        if self.shrink_old(&mut old, &new) {
            let sizes: Vec<(Arc<ReplicaSet>, i32)> =
                old.iter().map(|set| (set.set.clone(), set.size)).collect();
            for (set, size) in sizes {
                if size != replicas(&set) {
                    self.scale(&set, size);
                }
            }
            return;
        }
        self.clean_up();
    }

    /// Takes from the old ReplicaSets what may go: first what is not available anyway, then as
    /// much as leaves enough available. True if something goes.
    fn shrink_old(&self, old: &mut [Sized<'_>], new: &ReplicaSet) -> bool {
        if total(old) == 0 {
            return false;
        }
        let least = self.wanted.replicas - self.wanted.max_unavailable;
        let new_unavailable = replicas(new) - available(new);
        let may_go = total(old) + replicas(new) - least - new_unavailable;
        if may_go <= 0 {
            return false;
        }
        let before = total(old);
        old.stable_sort_by(|a, b| {
            (&a.set.metadata.creation_timestamp, &a.set.metadata.name)
                .cmp(&(&b.set.metadata.creation_timestamp, &b.set.metadata.name))
        });
        let mut gone = 0;
        for set in old.iter_mut() {
            let unhealthy = (set.size - available(set.set)).max(0).min(may_go - gone);
            set.size -= unhealthy;
            gone += unhealthy;
        }
        let all_available: i32 = old.iter().map(|set| available(set.set)).sum::<i32>() + available(new);
        let mut surplus = all_available - least;
        for set in old.iter_mut() {
            let part = set.size.min(surplus.max(0));
            set.size -= part;
            surplus -= part;
        }
        total(old) != before
    }

    fn recreate(&mut self) {
        self.sync_revision(false);
        let active: Vec<_> = self.old.iter().copied().filter(|set| replicas(set) > 0).collect();
        if !active.is_empty() {
            for set in active {
                self.scale(set, 0);
            }
            return;
        }
        let reported = self
            .old
            .iter()
            .any(|set| set.status.as_ref().is_some_and(|status| status.replicas > 0));
        let running = |set: &&Arc<ReplicaSet>| {
            self.controller
                .pods
                .of(set.metadata.uid.as_deref().unwrap_or(""))
                .any(|pod| !pod_is_terminal(pod))
        };
        if reported || self.old.iter().any(running) {
            return;
        }
        if self.new.is_none() {
            self.sync_revision(true);
            return;
        }
        if let Some(new) = self.new.clone()
            && replicas(&new) != self.wanted.replicas
        {
            self.scale(&new, self.wanted.replicas);
            return;
        }
        self.clean_up();
    }

    /// Deletes the oldest empty ReplicaSets beyond the history limit.
    fn clean_up(&mut self) {
        let done = self
            .deployment
            .status
            .as_ref()
            .is_some_and(|status| complete(&self.wanted, self.deployment, status));
        if done || self.paused() {
            self.clean_history();
        }
    }

    fn clean_history(&mut self) {
        let Some(limit) = self
            .deployment
            .spec
            .as_ref()
            .and_then(|spec| spec.revision_history_limit)
        else {
            return;
        };
        let mut alive: Vec<_> = self
            .old
            .iter()
            .filter(|set| set.metadata.deletion_timestamp.is_none())
            .collect();
        alive.stable_sort_by_key(|set| revision(set.metadata.annotations.as_ref()));
        let surplus = alive.len().saturating_sub(limit.max(0) as usize);
        for set in alive.into_iter().take(surplus) {
            let status = set.status.as_ref();
            let observed = status.and_then(|status| status.observed_generation) >= set.metadata.generation;
            if status.is_some_and(|status| status.replicas != 0) || replicas(set) != 0 || !observed {
                continue;
            }
            let why = Why::new("deployment.clean", &[&self.key.name, name(set)]);
            let request = Request::delete(
                Kind::ReplicaSet,
                &self.key.namespace,
                name(set),
                DeleteOptions::default(),
            );
            self.plan.duties.push(Duty::api(why, request));
        }
    }

    fn paused(&self) -> bool {
        self.deployment
            .spec
            .as_ref()
            .and_then(|spec| spec.paused)
            .unwrap_or(false)
    }

    /// A paused rollout has no deadline: its Progressing condition says so.
    fn check_paused(&mut self) {
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
    fn count(&mut self) {
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
    fn progress(&mut self) {
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

    fn failures(&mut self) {
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
    fn report(mut self) -> Plan {
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

impl Deployments {
    /// The ReplicaSets of a Deployment, once orphans are adopted and strangers released.
    fn claim<'a>(
        &self,
        caches: &'a Caches,
        deployment: &Deployment,
        key: &Key,
        duties: &mut Vec<Duty>,
    ) -> Vec<&'a Arc<ReplicaSet>> {
        let Some(spec) = &deployment.spec else {
            return Vec::new();
        };
        let uid = deployment.metadata.uid.as_deref().unwrap_or("");
        let deleting = deployment.metadata.deletion_timestamp.is_some();
        let mut claimed = Vec::new();
        for set in caches.list::<ReplicaSet>(&key.namespace) {
            let matches = selector_matches(&spec.selector, set.metadata.labels.as_ref());
            let object = || Object::ReplicaSet(set.clone());
            match controller_of(&set.metadata) {
                Some(owner) if owner.uid == uid && matches => claimed.push(set),
                Some(owner) if owner.uid == uid && !deleting => {
                    duties.push(Duty::api(
                        Why::new("deployment.release", &[name(set), &key.name]),
                        release(uid, &object()),
                    ));
                }
                None if matches && !deleting && set.metadata.deletion_timestamp.is_none() => {
                    let owner = controller_ref(Kind::Deployment, &deployment.metadata);
                    duties.push(Duty::api(
                        Why::new("deployment.adopt", &[name(set), &key.name]),
                        adopt(&owner, &object()),
                    ));
                    claimed.push(set);
                }
                _ => {}
            }
        }
        claimed
    }
}

impl Component for Deployments {
    fn name(&self) -> &'static str {
        "deployment"
    }

    fn identity(&self) -> Identity {
        super::identity("deployment-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::Deployment, Kind::ReplicaSet, Kind::Pod]
            .map(Watch::all)
            .to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Deployment(_) => dirty.push(change.key.clone()),
            Object::ReplicaSet(set) => {
                super::owned::owner_keys(Kind::Deployment, change, dirty);
                if controller_of(&set.metadata).is_none() && change.new.is_some() {
                    for deployment in caches.list::<Deployment>(&change.key.namespace) {
                        let spec = deployment.spec.as_ref();
                        if spec.is_some_and(|spec| {
                            selector_matches(&spec.selector, set.metadata.labels.as_ref())
                        }) {
                            let name = deployment.metadata.name.as_deref().unwrap_or("");
                            dirty.push(Key::new(Kind::Deployment, &change.key.namespace, name));
                        }
                    }
                }
            }
            Object::Pod(pod) => {
                self.pods.observe(change);
                // Recreate waits for the last old Pod to be gone.
                let gone = change.new.is_none() || pod_is_terminal(pod);
                if gone
                    && let Some(owner) = controller_of(&pod.metadata)
                    && let Some(set) = caches.get::<ReplicaSet>(&change.key.namespace, &owner.name)
                    && let Some(owner) = controller_of(&set.metadata)
                {
                    let deployment = caches.get::<Deployment>(&change.key.namespace, &owner.name);
                    if deployment.is_some_and(|deployment| !Wanted::of(deployment).rolling) {
                        dirty.push(Key::new(Kind::Deployment, &change.key.namespace, &owner.name));
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let Some(deployment) = observed.caches.by_key::<Deployment>(key) else {
            return Plan::default();
        };
        let Some(spec) = &deployment.spec else {
            return Plan::default();
        };
        if selector_is_empty(&spec.selector) {
            return Plan::default();
        }
        let mut plan = Plan::default();
        let mut all = self.claim(observed.caches, deployment, key, &mut plan.duties);
        by_age(&mut all);
        let new = all.iter().copied().find(|set| same_template(set, &spec.template));
        let old = all
            .into_iter()
            .filter(|set| new.is_none_or(|new| !Arc::ptr_eq(set, new)))
            .collect();
        let mut rollout = Rollout {
            controller: self,
            key,
            deployment,
            wanted: Wanted::of(deployment),
            now: observed.now,
            new: new.cloned(),
            old,
            status: deployment.status.clone().unwrap_or_default(),
            new_revision: None,
            plan,
        };
        if deployment.metadata.deletion_timestamp.is_some() {
            rollout.count();
            return rollout.report();
        }
        rollout.check_paused();
        if rollout.paused() || rollout.is_scaling_event() {
            rollout.sync_revision(false);
            rollout.resize();
            if rollout.paused() {
                rollout.clean_history();
            }
            rollout.count();
        } else {
            if rollout.wanted.rolling {
                rollout.roll()
            } else {
                rollout.recreate()
            }
            rollout.count();
            rollout.progress();
            rollout.failures();
        }
        rollout.report()
    }

    fn min_interval(&self) -> Duration {
        super::STATUS_INTERVAL
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Deployment).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
