//! create

use super::super::{ApiServer, Context, Reply, Request, Stage};
use super::{Handled, body_object, refused, strategy};
use crate::api::{Kind, Object, Status, defaults, validation};
use crate::apiserver::patch::{Managed, ManagedFields};
use crate::etcd::{Key, TxnError};
use std::time::Duration;

/// How long Events live: kube-apiserver's `--event-ttl`.
const EVENT_TTL: Duration = Duration::from_secs(3600);

/// Generated names keep this many characters of their prefix, so that the suffix fits into 63.
/// Source: k8s.io/apiserver/pkg/storage/names.
const MAX_GENERATED_PREFIX: usize = 58;
const SUFFIX_LENGTH: usize = 5;

impl ApiServer {
    pub(super) fn create(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        let mut object = body_object(request.body)?;
        let claimed = match context.managed {
            None => ManagedFields::claimed(object.meta().managed_fields.as_deref()),
            Some(_) => None,
        };
        self.prepare_metadata(context, &mut object, &request.namespace)?;
        // What the client asked for: fields that the server fills in later are nobody's.
        let mut asked = object.clone();
        if let Object::DaemonSet(_) = asked {
            // Internally a field, which the conversion to the served version writes as an annotation.
            let annotations = asked.meta_mut().annotations.get_or_insert_default();
            annotations.insert(
                "deprecated.daemonset.template.generation".to_owned(),
                "0".to_owned(),
            );
        }
        if let Some(claimed) = claimed {
            let (asked, time) = (asked.clone(), context.now.meta_time());
            let managed = Managed::known(claimed).updated(None, asked, context.manager.clone(), time);
            context.managed = Some(ManagedFields::clone(&managed.get()));
        }
        strategy::prepare_for_create(&mut object);
        strategy::stamp_phase(&mut object, None, context.now);
        defaults::apply(&mut object);
        super::super::authorization::check_escalation(self, context.identity, &object, None)?;
        super::super::admission::on_create(self, &mut object)?;
        strategy::after_admission(&mut object);

        context.stage = Stage::Validation;
        let errors = validation::create(&object);
        if !errors.is_empty() {
            return Err(Status::invalid(object.kind().info(), object.name(), errors));
        }
        super::super::admission::validate(self, &object, None, &mut context.warnings)?;
        super::super::admission::spend_quota(self, context, &object, request.options.dry_run)?;
        if request.options.dry_run {
            return self.dry_run_create(context, object, asked);
        }
        if let Object::Service(service) = &mut object {
            self.allocate(std::sync::Arc::make_mut(service), None)?;
        }
        context.stage = Stage::Storage;
        let key = Key::of(&object);
        let is_event = key.kind == Kind::Event;
        if self.etcd.get(&key).is_some() {
            self.release(&object);
            return Err(refused(TxnError::Exists, &object));
        }
        let created = self
            .etcd
            .create(key.clone(), object, context.request_id)
            .map_err(|error| refused(error, &asked))?;
        match context.managed.take() {
            Some(applied) => self
                .managers
                .set(key.clone(), created.revision(), Managed::known(applied)),
            None => self
                .managers
                .wrote(None, asked, &created, context.manager.clone(), context.now),
        }
        if is_event {
            self.etcd.leases.attach(context.now, EVENT_TTL, key);
        }
        Ok(Reply::Created(created))
    }

    #[inline(never)]
    fn dry_run_create(&self, context: &mut Context<'_>, mut object: Object, asked: Object) -> Handled {
        match self.etcd.get(&Key::of(&object)) {
            Some(_) => Err(Status::already_exists(object.kind().info(), object.name())),
            None => {
                let managed = match context.managed.take() {
                    Some(applied) => applied.to_typed(),
                    None => self
                        .managers
                        .would_be(None, asked, context.manager.clone(), context.now)
                        .to_typed(),
                };
                object.meta_mut().managed_fields = Some(managed);
                Ok(Reply::Created(object))
            }
        }
    }

    /// Everything the server alone decides about a new object. Source: rest.BeforeCreate.
    #[inline(never)]
    fn prepare_metadata(
        &mut self,
        context: &Context<'_>,
        object: &mut Object,
        namespace: &str,
    ) -> Result<(), Status> {
        let namespaced = object.kind().namespaced();
        let uid = self.uids.uuid();
        let generated = object.name().is_empty()
            && object
                .meta()
                .generate_name
                .as_deref()
                .is_some_and(|p| !p.is_empty());
        let suffix = generated.then(|| self.names.name_suffix(SUFFIX_LENGTH));
        let meta = object.meta_mut();
        match (namespaced, meta.namespace.as_deref().unwrap_or("")) {
            (true, "") => meta.namespace = Some(namespace.to_owned()),
            (true, own) if own != namespace => {
                return Err(Status::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            (false, _) => meta.namespace = None,
            _ => {}
        }
        if meta
            .resource_version
            .as_deref()
            .is_some_and(|revision| !revision.is_empty())
        {
            return Err(Status::new(
                500,
                "",
                "resourceVersion should not be set on objects to be created",
            ));
        }
        if let Some(suffix) = suffix {
            let prefix: String = meta
                .generate_name
                .as_deref()
                .unwrap_or("")
                .chars()
                .take(MAX_GENERATED_PREFIX)
                .collect();
            meta.name = Some(prefix + &suffix);
        }
        meta.resource_version = None;
        meta.uid = Some(uid);
        meta.creation_timestamp = Some(context.now.meta_time());
        meta.deletion_timestamp = None;
        meta.deletion_grace_period_seconds = None;
        meta.self_link = None;
        meta.managed_fields = None;
        Ok(())
    }
}
