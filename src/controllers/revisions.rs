//! The history of a template: one ControllerRevision per version of it.
//!
//! Source: pkg/controller/history/controller_history.go.

use super::deployment::safe_encode;
use crate::api::Kind;
use crate::api::codec;
use crate::api::order::StableSort;
use crate::apiserver::{DeleteOptions, Request};
use crate::client::Caches;
use crate::client::helpers::{Labels, controller_of, controller_ref};
use crate::seat::{Duty, Why};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use serde_json::{Value, json};
use std::sync::Arc;

/// Whose history it is.
pub struct History<'a> {
    pub kind: Kind,
    pub owner: &'a ObjectMeta,
    pub template: &'a PodTemplateSpec,
    /// The label that carries the hash.
    pub hash_label: &'static str,
    pub limit: i32,
}

/// The present revision, which may be about to be created.
pub struct Present {
    pub name: String,
    pub hash: String,
}

fn number(hash: u32) -> String {
    safe_encode(&hash.to_string())
}

/// FNV-1 of the revision's text and of the count of collisions, which is always zero here.
/// Source: pkg/controller/history/controller_history.go, HashControllerRevision.
fn hash(data: &Value) -> String {
    let mut hash = 0x811c_9dc5u32;
    for byte in data.to_string().bytes().chain(*b"0") {
        hash = hash.wrapping_mul(0x0100_0193) ^ u32::from(byte);
    }
    number(hash)
}

fn labels(revision: &ControllerRevision) -> Option<&Labels> {
    revision.metadata.labels.as_ref()
}

impl History<'_> {
    /// The patch a revision stands for: this template in place of any other.
    fn data(&self) -> Value {
        let mut template = codec::to_value(self.template);
        template["$patch"] = "replace".into();
        json!({"spec": {"template": template}})
    }

    /// The revisions there are, oldest first.
    pub fn all<'a>(&self, caches: &'a Caches) -> Vec<&'a Arc<ControllerRevision>> {
        let namespace = self.owner.namespace.as_deref().unwrap_or("");
        let mine = |revision: &&Arc<ControllerRevision>| {
            controller_of(&revision.metadata).is_some_and(|owner| Some(&owner.uid) == self.owner.uid.as_ref())
        };
        let mut all: Vec<_> = caches
            .list::<ControllerRevision>(namespace)
            .filter(mine)
            .collect();
        all.stable_sort_by(|a, b| (a.revision, &a.metadata.name).cmp(&(b.revision, &b.metadata.name)));
        all
    }

    /// Finds or creates the revision of the present template, and lets it be the newest.
    pub fn sync(&self, caches: &Caches, duties: &mut Vec<Duty>) -> Present {
        let data = self.data();
        let all = self.all(caches);
        let newest = all.last().map_or(0, |revision| revision.revision);
        let owner_name = self.owner.name.as_deref().unwrap_or("");
        let same = all
            .iter()
            .rev()
            .find(|revision| revision.data.as_ref().is_some_and(|raw| raw.0 == data));
        if let Some(same) = same {
            let name = same.metadata.name.clone().unwrap_or_default();
            if same.revision != newest {
                let mut newer = (***same).clone();
                newer.revision = newest + 1;
                let why = Why::new("revisions.again", &[owner_name, &name]);
                duties.push(Duty::api(why, Request::update(newer)));
            }
            let hash = labels(same)
                .and_then(|labels| labels.get(self.hash_label))
                .cloned()
                .unwrap_or_default();
            return Present { name, hash };
        }
        let hash = hash(&data);
        let name = format!("{owner_name}-{hash}");
        let mut labels = self
            .template
            .metadata
            .as_ref()
            .and_then(|meta| meta.labels.clone())
            .unwrap_or_default();
        labels.insert(self.hash_label.to_owned(), hash.clone());
        let revision = ControllerRevision {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                namespace: self.owner.namespace.clone(),
                labels: Some(labels),
                annotations: self.owner.annotations.clone(),
                owner_references: Some(vec![controller_ref(self.kind, self.owner)]),
                ..ObjectMeta::default()
            },
            data: Some(RawExtension(data)),
            revision: newest + 1,
        };
        let why = Why::new("revisions.create", &[owner_name, &name]);
        duties.push(Duty::api(why, Request::create(revision)));
        Present { name, hash }
    }

    /// Deletes the oldest revisions beyond the limit that no Pod and nobody else uses.
    pub fn truncate(
        &self,
        caches: &Caches,
        used: impl Fn(&ControllerRevision) -> bool,
        duties: &mut Vec<Duty>,
    ) {
        let idle: Vec<_> = self
            .all(caches)
            .into_iter()
            .filter(|revision| !used(revision))
            .collect();
        let surplus = idle.len().saturating_sub(self.limit.max(0) as usize);
        for revision in idle.into_iter().take(surplus) {
            let name = revision.metadata.name.as_deref().unwrap_or("");
            let namespace = self.owner.namespace.as_deref().unwrap_or("");
            let why = Why::new(
                "revisions.clean",
                &[self.owner.name.as_deref().unwrap_or(""), name],
            );
            let request = Request::delete(
                Kind::ControllerRevision,
                namespace,
                name,
                DeleteOptions::default(),
            );
            duties.push(Duty::api(why, request));
        }
    }
}
