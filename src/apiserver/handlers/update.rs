//! update, of the object and of its status

use super::super::{ApiServer, Context, Reply, Request, Stage, Subresource, Verb};
use super::{Handled, body_object, refused, strategy};
use crate::api::validation::field::{Path, Raw};
use crate::api::{Kind, Object, Status, defaults, validation};
use crate::apiserver::patch::{Managed, ManagedFields};
use crate::etcd::Key;
use std::sync::Arc;

impl ApiServer {
    #[inline(never)]
    pub(super) fn update(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        let mut object = body_object(request.body)?;
        let meta = object.meta();
        if meta.name.as_deref().is_some_and(|name| name != &*request.name) {
            let (own, asked) = (object.name(), &request.name);
            return Err(Status::bad_request(format!(
                "the name of the object ({own}) does not match the name on the URL ({asked})"
            )));
        }
        if request.kind.namespaced()
            && meta
                .namespace
                .as_deref()
                .is_some_and(|own| own != &*request.namespace)
        {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        let key = Key {
            kind: request.kind,
            namespace: request.namespace.clone(),
            name: request.name.clone(),
        };
        let Some(live) = self.etcd.get(&key).map(|value| value.object.clone()) else {
            if request.subresource == Subresource::None && strategy::allows_create_on_update(request.kind) {
                let mut create = Request::new(
                    Verb::Create,
                    request.kind,
                    &request.namespace,
                    "",
                    super::Body::None,
                );
                object.meta_mut().name = Some(request.name.to_string());
                create.body = super::Body::Object(object);
                create.options = request.options;
                return self.create(context, create);
            }
            return Err(Status::not_found(request.kind.info(), &request.name));
        };
        if meta.name.is_none() {
            object.meta_mut().name = Some(request.name.to_string());
        }
        self.replace(
            context,
            live,
            object,
            request.subresource,
            request.options.dry_run,
        )
    }

    /// Writes `object` over `live`. Source: rest.BeforeUpdate and the registry store's Update.
    pub(super) fn replace(
        &mut self,
        context: &mut Context<'_>,
        live: Object,
        mut object: Object,
        subresource: Subresource,
        dry_run: bool,
    ) -> Handled {
        let info = live.kind().info();
        self.check_version(&live, &object)?;
        let claimed = match subresource {
            // What comes with an apply was taken into account there.
            Subresource::None if context.managed.is_none() => {
                ManagedFields::claimed(object.meta().managed_fields.as_deref())
                    .filter(|claimed| *claimed != *self.managers.of(&live).get())
            }
            _ => None,
        };
        keep_server_metadata(&live, &mut object);
        match subresource {
            Subresource::Status => {
                strategy::prepare_for_status_update(&mut object, &live);
                strategy::stamp_phase(&mut object, Some(&live), context.now);
            }
            _ => strategy::prepare_for_update(&mut object, &live, subresource),
        }
        if subresource != Subresource::Status {
            defaults::apply(&mut object);
            super::super::authorization::check_escalation(self, context.identity, &object, Some(&live))?;
            super::super::admission::on_update(&mut object);
            bump_generation(&mut object, &live);
        }

        context.stage = Stage::Validation;
        let errors = match subresource {
            Subresource::Status => validation::status_update(&object, &live),
            Subresource::EphemeralContainers => validation::ephemeral_containers_update(&object, &live),
            Subresource::Resize => validation::resize(&object, &live),
            _ => validation::update(&object, &live),
        };
        if !errors.is_empty() {
            return Err(Status::invalid(info, live.name(), errors));
        }
        if matches!(subresource, Subresource::None | Subresource::EphemeralContainers) {
            super::super::admission::validate(self, &object, Some(&live), &mut context.warnings)?;
        }
        if let Some(claimed) = claimed {
            let start = Managed::known(claimed);
            let time = context.now.meta_time();
            let managed = start.updated(Some(live.clone()), object.clone(), context.manager.clone(), time);
            context.managed = Some(ManagedFields::clone(&managed.get()));
        }
        if dry_run {
            let managed = match context.managed.take() {
                Some(applied) => applied.to_typed(),
                None => self
                    .managers
                    .would_be(Some(live), object.clone(), context.manager.clone(), context.now)
                    .to_typed(),
            };
            object.meta_mut().managed_fields = Some(managed);
            return Ok(Reply::Object(object));
        }
        if let (Object::Service(service), Object::Service(old)) = (&mut object, &live) {
            if subresource == Subresource::None {
                self.allocate(Arc::make_mut(service), Some(old))?;
            }
        }
        context.stage = Stage::Storage;
        let key = Key::of(&live);
        let same_managers = context
            .managed
            .as_ref()
            .is_none_or(|applied| *applied == *self.managers.present(&key).get());
        if object == live && same_managers {
            // Nothing changed: no revision is spent and no watcher is woken.
            return Ok(Reply::Object(live));
        }
        if finishes_deletion(&object) {
            let deleted = self
                .etcd
                .delete(&key, live.revision(), context.request_id)
                .map_err(|error| refused(error, &live))?;
            self.release(&live);
            let mut answer = object;
            answer.meta_mut().resource_version = deleted.meta().resource_version.clone();
            self.managers.wrote(
                Some(live),
                answer.clone(),
                &answer,
                context.manager.clone(),
                context.now,
            );
            self.managers.removed(&key, deleted.revision());
            return Ok(Reply::Object(answer));
        }
        let written = self
            .etcd
            .update(&key, object, live.revision(), context.request_id)
            .map_err(|error| refused(error, &live))?;
        match context.managed.take() {
            Some(applied) => self
                .managers
                .set(key, written.revision(), Managed::known(applied)),
            None => {
                self.managers.wrote(
                    Some(live),
                    written.clone(),
                    &written,
                    context.manager.clone(),
                    context.now,
                );
            }
        }
        Ok(Reply::Object(written))
    }

    /// A stale or foreign object is refused before anything is compared.
    fn check_version(&self, live: &Object, object: &Object) -> Result<(), Status> {
        let info = live.kind().info();
        match object.meta().uid.as_deref() {
            Some(uid) if !uid.is_empty() && uid != live.uid() => {
                return Err(Status::conflict(
                    info,
                    live.name(),
                    &format!(
                        "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: \
                         Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                        Key::of(live),
                        live.uid()
                    ),
                ));
            }
            _ => {}
        }
        match object.meta().resource_version.as_deref().unwrap_or("") {
            "" if strategy::needs_resource_version(live.kind()) => Err(Status::invalid(
                info,
                live.name(),
                vec![validation::FieldError::invalid(
                    &Path::root("metadata").child("resourceVersion"),
                    Raw("0x0"),
                    "must be specified for an update",
                )],
            )),
            "" => Ok(()),
            version if version == live.meta().resource_version.as_deref().unwrap_or("") => Ok(()),
            version if version.parse::<u64>().is_err() => Err(Status::invalid(
                info,
                live.name(),
                vec![validation::FieldError::invalid(
                    &Path::root("metadata").child("resourceVersion"),
                    version,
                    format!("strconv.ParseUint: parsing \"{version}\": invalid syntax"),
                )],
            )),
            _ => Err(Status::stale(info, live.name())),
        }
    }
}

/// Metadata that a client cannot change. Source: rest.BeforeUpdate.
fn keep_server_metadata(live: &Object, object: &mut Object) {
    let old = live.meta();
    let new = object.meta_mut();
    new.name.clone_from(&old.name);
    new.namespace.clone_from(&old.namespace);
    new.uid.clone_from(&old.uid);
    new.generation = old.generation;
    new.creation_timestamp.clone_from(&old.creation_timestamp);
    new.deletion_timestamp.clone_from(&old.deletion_timestamp);
    new.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    new.resource_version.clone_from(&old.resource_version);
    new.generate_name.clone_from(&old.generate_name);
    new.self_link = None;
    new.managed_fields = None;
    // Decoded bodies have `{}` where typed callers have nothing.
    if new.labels.as_ref().is_some_and(|labels| labels.is_empty()) {
        new.labels = None;
    }
    if new
        .annotations
        .as_ref()
        .is_some_and(|annotations| annotations.is_empty())
    {
        new.annotations = None;
    }
    if new
        .finalizers
        .as_ref()
        .is_some_and(|finalizers| finalizers.is_empty())
    {
        new.finalizers = None;
    }
    if new
        .owner_references
        .as_ref()
        .is_some_and(|owners| owners.is_empty())
    {
        new.owner_references = None;
    }
}

/// Counts a change of what is wanted.
fn bump_generation(object: &mut Object, live: &Object) {
    if strategy::has_generation(object.kind()) && !object.same_spec(live) {
        let next = live.meta().generation.unwrap_or(0) + 1;
        object.meta_mut().generation = Some(next);
    }
}

/// Whether a write removed the last thing that kept a deleted object alive.
/// Source: the registry store's ShouldDeleteDuringUpdate.
fn finishes_deletion(object: &Object) -> bool {
    let meta = object.meta();
    let kept_by_namespace_finalizer = match object {
        Object::Namespace(namespace) => namespace
            .spec
            .as_ref()
            .and_then(|spec| spec.finalizers.as_ref())
            .is_some_and(|list| !list.is_empty()),
        _ => false,
    };
    meta.deletion_timestamp.is_some()
        && meta
            .finalizers
            .as_ref()
            .is_none_or(|finalizers| finalizers.is_empty())
        && meta.deletion_grace_period_seconds.unwrap_or(0) == 0
        && !kept_by_namespace_finalizer
        && object.kind() != Kind::Event
}
