//! patch: the live object changed by a patch, then written like an update

use super::super::{ApiServer, Body, Context, PatchType, Request, Subresource, Verb};
use super::Handled;
use crate::api::{Object, Status, decode};
use crate::apiserver::patch;
use crate::etcd::Key;
use serde_json::{Value, json};

impl ApiServer {
    #[inline(never)]
    pub(super) fn patch(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        let Body::Patch(patch_type, body) = &request.body else {
            return Err(Status::bad_request("the request body must be a patch"));
        };
        if *patch_type == PatchType::Apply {
            let body = match request.options.alias {
                Some(alias) => (alias.to_stored)(body.clone()),
                None => body.clone(),
            };
            return self.apply(context, request, &body);
        }
        let live = self.live(&request)?;
        let alias = request.options.alias;
        let mut value = live.to_value();
        if patch::reaches_managers(*patch_type, body) {
            let entries = self.managers.of(&live).get().to_typed();
            value["metadata"]["managedFields"] = entries.iter().map(|entry| json!(entry)).collect();
        }
        if let Some(alias) = alias {
            value = (alias.from_stored)(value);
        }
        match patch_type {
            PatchType::Json => patch::json(&mut value, body)?,
            PatchType::Merge => patch::merge(&mut value, body),
            PatchType::Strategic | PatchType::Apply => value = patch::strategic(request.kind, &value, body)?,
        }
        let info = request.kind.info();
        let version = alias.map_or_else(|| info.api_version(), |alias| alias.api_version());
        // A strategic patch is merged into the type, where version and kind say nothing.
        if *patch_type != PatchType::Strategic
            && let Some(why) = decode::foreign(&value, info, &version)
        {
            return Err(patch::blame(&value.to_string(), &why));
        }
        if let Some(alias) = alias {
            value = (alias.to_stored)(value);
        }
        for (field, own) in [("kind", info.name.to_owned()), ("apiVersion", info.api_version())] {
            if value.get(field).and_then(Value::as_str) != Some(&own) {
                value[field] = own.into();
            }
        }
        let decoded = patch::decode_patched(
            request.kind,
            *patch_type,
            body,
            value,
            request.options.field_validation,
        )?;
        context.warnings.extend(decoded.warnings);
        check_name(&decoded.object, &request)?;
        self.replace(
            context,
            live,
            decoded.object,
            request.subresource,
            request.options.dry_run,
        )
    }

    /// Server-side apply: the object is made if it is not there.
    fn apply(&mut self, context: &mut Context<'_>, request: Request, applied: &Value) -> Handled {
        let key = Key {
            kind: request.kind,
            namespace: request.namespace.clone(),
            name: request.name.clone(),
        };
        let live = self.etcd.get(&key).map(|value| value.object.clone());
        if live.is_none() && request.subresource != Subresource::None {
            return Err(Status::not_found(request.kind.info(), &request.name));
        }
        let managed = live
            .as_ref()
            .map(|live| self.managers.of(live).get())
            .unwrap_or_default();
        let (value, managed) = patch::apply(
            request.kind,
            live.as_ref(),
            &managed,
            applied,
            &context.manager,
            request.options.force,
            &context.now.meta_time(),
        )?;
        let mut object = Object::from_value(request.kind, value)?;
        if !object.name().is_empty() {
            check_name(&object, &request)?;
        }
        object.meta_mut().name = Some(request.name.to_string());
        context.managed = Some(managed);
        match live {
            Some(live) => self.replace(
                context,
                live,
                object,
                request.subresource,
                request.options.dry_run,
            ),
            None => {
                let mut create = Request::new(
                    Verb::Create,
                    request.kind,
                    &request.namespace,
                    "",
                    Body::Object(object),
                );
                create.options = request.options;
                self.create(context, create)
            }
        }
    }
}

/// A patch neither renames nor moves. Source: k8s.io/apiserver/pkg/endpoints/handlers, `checkName`.
fn check_name(object: &Object, request: &Request) -> Result<(), Status> {
    let (name, namespace) = (object.name(), object.namespace());
    let why = if *name != *request.name {
        format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            request.name
        )
    } else if !namespace.is_empty() && *namespace != *request.namespace {
        format!(
            "the namespace of the object ({namespace}) does not match the namespace on the request ({})",
            request.namespace
        )
    } else {
        return Ok(());
    };
    Err(Status::bad_request(why))
}
