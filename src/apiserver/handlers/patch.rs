//! patch: the live object changed by a patch, then written like an update

use super::super::{ApiServer, Body, Context, PatchType, Request};
use super::Handled;
use crate::api::Status;
use crate::apiserver::patch;
use serde_json::Value;

impl ApiServer {
    pub(super) fn patch(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        let Body::Patch(patch_type, body) = &request.body else {
            return Err(Status::bad_request("the request body must be a patch"));
        };
        if *patch_type == PatchType::Apply {
            return Err(Status::new(415, "UnsupportedMediaType", "server-side apply is not served yet"));
        }
        let live = self.live(&request)?;
        let mut value = live.to_value();
        match patch_type {
            PatchType::Json => patch::json(&mut value, body)?,
            PatchType::Merge => patch::merge(&mut value, body),
            PatchType::Strategic | PatchType::Apply => value = patch::strategic(request.kind, &value, body)?,
        }
        let info = request.kind.info();
        for (field, own) in [("kind", info.name.to_owned()), ("apiVersion", info.api_version())] {
            if value.get(field).and_then(Value::as_str) != Some(&own) {
                value[field] = own.into();
            }
        }
        let decoded = patch::decode_patched(request.kind, *patch_type, body, value, request.options.field_validation)?;
        context.warnings.extend(decoded.warnings);
        self.replace(context, live, decoded.object, request.subresource, request.options.dry_run)
    }
}
