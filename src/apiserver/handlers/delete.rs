//! delete and deletecollection

use super::super::{ApiServer, Body, Context, DeleteOptions, Propagation, Reply, Request, Stage};
use super::read::selected;
use super::{Handled, refused};
use crate::api::{Kind, Object, Status};
use crate::etcd::Key;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

impl ApiServer {
    #[inline(never)]
    pub(super) fn delete(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        super::super::admission::on_delete(&request)?;
        context.stage = Stage::Storage;
        let live = self.live(&request)?;
        let options = match request.body {
            Body::Delete(options) => options,
            _ => DeleteOptions::default(),
        };
        self.delete_object(context, live, &options, request.options.dry_run)
    }

    #[inline(never)]
    pub(super) fn delete_collection(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        context.stage = Stage::Storage;
        let options = match &request.body {
            Body::Delete(options) => options.clone(),
            _ => DeleteOptions::default(),
        };
        let found: Vec<Object> = self
            .etcd
            .range(request.kind, &request.namespace)
            .map(|(_, value)| value.object.clone())
            .filter(|object| selected(&request, object))
            .collect();
        let mut items = Vec::with_capacity(found.len());
        for object in found {
            match self.delete_object(context, object.clone(), &options, request.options.dry_run) {
                Ok(Reply::Object(deleted)) => items.push(deleted),
                Ok(_) => items.push(object),
                Err(status) if status.is_not_found() => {}
                Err(status) => return Err(status),
            }
        }
        let revision = self.etcd.revision();
        Ok(Reply::List(super::super::List {
            items,
            revision,
            continue_token: None,
            remaining: None,
        }))
    }

    /// Marks or removes one object. Source: the registry store's Delete and rest.BeforeDelete.
    pub(super) fn delete_object(
        &mut self,
        context: &mut Context<'_>,
        live: Object,
        options: &DeleteOptions,
        dry_run: bool,
    ) -> Handled {
        check_preconditions(&live, options)?;
        let mut object = live.clone();
        set_propagation_finalizers(&mut object, options.propagation);
        let grace = grace_seconds(&live, options);
        let being_deleted = live.meta().deletion_timestamp.is_some();
        let graceful = grace > 0;
        if being_deleted {
            let current = live.meta().deletion_grace_period_seconds.unwrap_or(0);
            if graceful && grace >= current && !has_finalizer_change(&live, &object) {
                // A second, not shorter deletion changes nothing.
                return Ok(Reply::Object(live));
            }
        }
        if let Object::Namespace(namespace) = &mut object {
            let namespace = Arc::make_mut(namespace);
            namespace.status.get_or_insert_default().phase = Some("Terminating".to_owned());
        }
        let stays = graceful || !finalizers(&object).is_empty() || held_by_namespace_controller(&object);
        if stays {
            mark(&mut object, &live, context.now, grace);
            if dry_run || object == live {
                return Ok(Reply::Object(object));
            }
            let key = Key::of(&live);
            let written = self
                .etcd
                .update(&key, object, live.revision(), context.request_id)
                .map_err(|error| refused(error, &live))?;
            self.managers.kept(&key, written.revision());
            return Ok(Reply::Object(written));
        }
        let live = if !dry_run
            && live
                .meta()
                .deletion_grace_period_seconds
                .is_some_and(|grace| grace > 0)
        {
            // Its kubelet lets go of it: watchers see the grace period end before the object does.
            mark(&mut object, &live, context.now, 0);
            let key = Key::of(&live);
            let ended = self
                .etcd
                .update(&key, object.clone(), live.revision(), context.request_id)
                .map_err(|error| refused(error, &live))?;
            self.managers.kept(&key, ended.revision());
            ended
        } else {
            live
        };
        if !dry_run {
            let key = Key::of(&live);
            let deleted = self
                .etcd
                .delete(&key, live.revision(), context.request_id)
                .map_err(|error| refused(error, &live))?;
            self.managers.removed(&key, deleted.revision());
            self.release(&live);
        }
        Ok(if returns_object(live.kind()) {
            if live.kind() == Kind::Pod {
                mark(&mut object, &live, context.now, 0);
            }
            Reply::Object(object)
        } else {
            Reply::Success(success(&live))
        })
    }
}

fn finalizers(object: &Object) -> &[String] {
    object.meta().finalizers.as_deref().unwrap_or(&[])
}

fn has_finalizer_change(live: &Object, object: &Object) -> bool {
    finalizers(live) != finalizers(object)
}

fn held_by_namespace_controller(object: &Object) -> bool {
    match object {
        Object::Namespace(namespace) => namespace
            .spec
            .as_ref()
            .and_then(|spec| spec.finalizers.as_ref())
            .is_some_and(|list| !list.is_empty()),
        _ => false,
    }
}

/// Sets the deletion's marks; a later deletion may only shorten the grace period.
fn mark(object: &mut Object, live: &Object, now: crate::sim::SimTime, grace: i64) {
    let first = live.meta().deletion_timestamp.is_none();
    let meta = object.meta_mut();
    let current = meta.deletion_grace_period_seconds;
    if first || current.is_some_and(|current| grace < current) {
        meta.deletion_timestamp = Some((now + Duration::from_secs(grace.max(0) as u64)).meta_time());
        meta.deletion_grace_period_seconds = Some(grace);
        if let (true, Some(generation)) = (first, meta.generation) {
            meta.generation = Some(generation + 1);
        }
    }
}

/// Only Pods end gracefully; those that never ran or have ended need no grace.
fn grace_seconds(live: &Object, options: &DeleteOptions) -> i64 {
    let Object::Pod(pod) = live else { return 0 };
    let spec = pod.spec.as_ref();
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if spec
        .and_then(|spec| spec.node_name.as_deref())
        .is_none_or(str::is_empty)
        || matches!(phase, Some("Succeeded" | "Failed"))
    {
        return 0;
    }
    options
        .grace_period_seconds
        .or(spec.and_then(|spec| spec.termination_grace_period_seconds))
        .unwrap_or(30)
        .max(0)
}

fn set_propagation_finalizers(object: &mut Object, propagation: Option<Propagation>) {
    let wanted = match propagation {
        None => return,
        Some(Propagation::Background) => None,
        Some(Propagation::Orphan) => Some(ORPHAN),
        Some(Propagation::Foreground) => Some(FOREGROUND),
    };
    let mut list: Vec<String> = finalizers(object)
        .iter()
        .filter(|f| *f != ORPHAN && *f != FOREGROUND)
        .cloned()
        .collect();
    list.extend(wanted.map(str::to_owned));
    if list != finalizers(object) {
        object.meta_mut().finalizers = (!list.is_empty()).then_some(list);
    }
}

fn check_preconditions(live: &Object, options: &DeleteOptions) -> Result<(), Status> {
    let refuse = |what: &str, asked: &str, own: &str| {
        let kind = live.kind().name();
        let name = live.name();
        let mut status = Status::new(
            409,
            "Conflict",
            format!(
                "Operation cannot be fulfilled on {kind} \"{name}\": the {what} in the precondition ({asked}) does \
                 not match the {what} in record ({own}). The object might have been deleted and then recreated"
            ),
        );
        status.details = Some(Box::new(crate::api::status::StatusDetails {
            name: name.to_owned(),
            kind: kind.to_owned(),
            ..Default::default()
        }));
        Err(status)
    };
    if let Some(uid) = options
        .precondition_uid
        .as_deref()
        .filter(|uid| *uid != live.uid())
    {
        return refuse("UID", uid, live.uid());
    }
    let own = live.meta().resource_version.as_deref().unwrap_or("");
    match options.precondition_resource_version.as_deref() {
        Some(version) if version != own => {
            let (kind, name) = (live.kind().name(), live.name());
            Err(Status::new(
                409,
                "Conflict",
                format!(
                    "Operation cannot be fulfilled on {kind} \"{name}\": the ResourceVersion in the precondition \
                     ({version}) does not match the ResourceVersion in record ({own}). The object might have been \
                     modified"
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// Kinds whose deletion answers the object instead of a Status.
fn returns_object(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::Service
            | Kind::ServiceAccount
            | Kind::PersistentVolume
            | Kind::PersistentVolumeClaim
            | Kind::ResourceQuota
            | Kind::StorageClass
    )
}

fn success(live: &Object) -> serde_json::Value {
    let info = live.kind().info();
    let mut details = json!({"name": live.name(), "kind": info.plural, "uid": live.uid()});
    if !info.group.is_empty() {
        details["group"] = info.group.into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
