//! The scale subresource: `autoscaling/v1` Scale over Deployments, ReplicaSets, StatefulSets and
//! ReplicationControllers.

use super::super::{ApiServer, Body, Context, PatchType, Reply, Request, Subresource};
use super::Handled;
use crate::api::codec;
use crate::api::labels::Selector;
use crate::api::validation::field::{Path, Raw};
use crate::api::{Object, Status};
use crate::apiserver::patch;
use serde_json::{Value, json};
use std::sync::Arc;

impl ApiServer {
    #[inline(never)]
    pub(super) fn get_scale(&self, request: &Request) -> Handled {
        let live = self.live(request)?;
        Ok(Reply::Value {
            code: 200,
            value: scale_of(&live),
        })
    }

    #[inline(never)]
    pub(super) fn put_scale(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        let Body::Scale {
            replicas,
            resource_version,
        } = &request.body
        else {
            return Err(Status::bad_request("the request body must be a Scale"));
        };
        let (replicas, version) = (*replicas, resource_version.clone());
        let live = self.live(&request)?;
        self.set_replicas(context, live, replicas, version, request.options.dry_run)
    }

    #[inline(never)]
    pub(super) fn patch_scale(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        let live = self.live(&request)?;
        let Body::Patch(patch_type, body) = request.body else {
            return Err(Status::bad_request("the request body must be a patch"));
        };
        let mut scale = scale_of(&live);
        match patch_type {
            PatchType::Json => patch::json(&mut scale, &body)?,
            _ => patch::merge(&mut scale, &body),
        }
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
        let replicas = i32::try_from(replicas).map_err(|_| {
            Status::bad_request(
                "json: cannot unmarshal number into Go struct field ScaleSpec.spec.replicas of type int32",
            )
        })?;
        let version = body["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        self.set_replicas(context, live, replicas, version, request.options.dry_run)
    }

    fn set_replicas(
        &mut self,
        context: &mut Context<'_>,
        live: Object,
        replicas: i32,
        version: Option<String>,
        dry_run: bool,
    ) -> Handled {
        if replicas < 0 {
            let error = crate::api::validation::FieldError::invalid(
                &Path::root("spec").child("replicas"),
                Raw(replicas.to_string()),
                "must be greater than or equal to 0",
            );
            return Err(Status::invalid_named(
                "Scale",
                "autoscaling",
                live.name(),
                vec![error],
            ));
        }
        let mut object = live.clone();
        match &mut object {
            Object::Deployment(o) => Arc::make_mut(o).spec.get_or_insert_default().replicas = Some(replicas),
            Object::ReplicaSet(o) => Arc::make_mut(o).spec.get_or_insert_default().replicas = Some(replicas),
            Object::StatefulSet(o) => Arc::make_mut(o).spec.get_or_insert_default().replicas = Some(replicas),
            Object::ReplicationController(o) => {
                Arc::make_mut(o).spec.get_or_insert_default().replicas = Some(replicas);
            }
            _ => return Err(super::method_not_allowed()),
        }
        object.meta_mut().resource_version = version
            .filter(|version| !version.is_empty())
            .or_else(|| live.meta().resource_version.clone());
        match self.replace(context, live, object, Subresource::None, dry_run)? {
            Reply::Object(object) => Ok(Reply::Value {
                code: 200,
                value: scale_of(&object),
            }),
            other => Ok(other),
        }
    }
}

/// The Scale of a scalable object.
fn scale_of(object: &Object) -> Value {
    let (wanted, current, selector) = match object {
        Object::Deployment(o) => {
            let spec = o.spec.as_ref();
            (
                spec.and_then(|s| s.replicas),
                o.status.as_ref().and_then(|s| s.replicas),
                spec.map(|s| Selector::from_label_selector(Some(&s.selector))),
            )
        }
        Object::ReplicaSet(o) => {
            let spec = o.spec.as_ref();
            (
                spec.and_then(|s| s.replicas),
                o.status.as_ref().map(|s| s.replicas),
                spec.map(|s| Selector::from_label_selector(Some(&s.selector))),
            )
        }
        Object::StatefulSet(o) => {
            let spec = o.spec.as_ref();
            (
                spec.and_then(|s| s.replicas),
                o.status.as_ref().map(|s| s.replicas),
                spec.map(|s| Selector::from_label_selector(Some(&s.selector))),
            )
        }
        Object::ReplicationController(o) => {
            let spec = o.spec.as_ref();
            let selector = spec.and_then(|s| s.selector.as_ref()).map(Selector::from_set);
            (
                spec.and_then(|s| s.replicas),
                o.status.as_ref().map(|s| s.replicas),
                selector.map(Ok),
            )
        }
        _ => (None, None, None),
    };
    let selector = selector
        .and_then(Result::ok)
        .map(|selector| selector.to_string())
        .unwrap_or_default();
    let meta = object.meta();
    let mut metadata = json!({"name": object.name()});
    if let Some(namespace) = &meta.namespace {
        metadata["namespace"] = namespace.clone().into();
    }
    metadata["uid"] = object.uid().into();
    metadata["resourceVersion"] = meta.resource_version.clone().into();
    metadata["creationTimestamp"] = codec::to_value(&meta.creation_timestamp);
    let mut status = json!({"replicas": current.unwrap_or(0)});
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    let mut spec = json!({});
    if wanted.unwrap_or(0) != 0 {
        spec["replicas"] = wanted.into();
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status,
    })
}
