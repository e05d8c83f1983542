//! The ReplicaSets themselves: the new one and its revision, sizes, and which old ones go.
//!
//! Source: pkg/controller/deployment/sync.go.

use super::super::pods::{normal, on_failure};
use super::Rollout;
use super::util::{
    HASH_LABEL, REVISION, available, by_age, complete, condition, desired_annotation, name, new_replicas,
    proportion, replicas, revision, set_condition, set_new_annotations, set_size_annotations, template_hash,
};
use crate::api::Kind;
use crate::api::order::StableSort;
use crate::apiserver::{DeleteOptions, Request};
use crate::client::helpers::controller_ref;
use crate::seat::{Duty, Why};
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::sync::Arc;

impl Rollout<'_> {
    /// Gives a ReplicaSet another size, with upstream's Event; true if it had another one.
    pub(super) fn scale(&mut self, set: &Arc<ReplicaSet>, size: i32) -> bool {
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
    pub(super) fn sync_revision(&mut self, create: bool) {
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

    pub(super) fn create(&mut self, new_revision: i64) {
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
    pub(super) fn is_scaling_event(&self) -> bool {
        let all = self.old.iter().copied().chain(&self.new);
        all.filter(|set| replicas(set) > 0)
            .any(|set| desired_annotation(set).is_some_and(|desired| desired != self.wanted.replicas))
    }

    /// Resizes without rolling anything out: paused, or replicas changed mid-rollout.
    pub(super) fn resize(&mut self) {
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

    /// Deletes the oldest empty ReplicaSets beyond the history limit.
    pub(super) fn clean_up(&mut self) {
        let done = self
            .deployment
            .status
            .as_ref()
            .is_some_and(|status| complete(&self.wanted, self.deployment, status));
        if done || self.paused() {
            self.clean_history();
        }
    }

    pub(super) fn clean_history(&mut self) {
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
}
