//! From a request's bytes to what a handler takes.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch,delete}.go.

use super::alias::Alias;
use crate::api::decode::FieldValidation;
use crate::api::decode::{Body as Parsed, Format, decode, decode_body, decode_named};
use crate::api::schema::{self, Type};
use crate::api::validation::FieldError;
use crate::api::validation::field::Path;
use crate::api::{Kind, Status};
use crate::apiserver::{Body, Options, PatchType};
use serde_json::Value;

/// The media type of a `Content-Type`, without parameters.
fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or("").trim()
}

/// Whether bytes are Kubernetes' protobuf, which typed clients send.
fn is_protobuf(content_type: &str) -> bool {
    media_type(content_type) == "application/vnd.kubernetes.protobuf"
}

/// Reads bytes that should be of a type, in whatever format they come.
///
/// Errors: 400, 415.
fn read<'a>(
    bytes: &'a [u8],
    content_type: &str,
    ty: &'static Type,
    name: &str,
) -> Result<Parsed<'a>, Status> {
    if !is_protobuf(content_type) {
        return Parsed::read(bytes, format(content_type)?, name);
    }
    from_protobuf(bytes, ty)
        .map(Parsed::from)
        .map_err(|why| Parsed::unrecognized(bytes, name, &why))
}

#[cfg(not(target_arch = "wasm32"))]
fn from_protobuf(bytes: &[u8], ty: &'static Type) -> Result<Value, String> {
    use crate::api::schema::proto;
    let envelope = proto::open(bytes)?;
    let mut value = proto::decode(ty, envelope.raw)?;
    value["apiVersion"] = envelope.api_version.into();
    value["kind"] = envelope.kind.into();
    Ok(value)
}

/// Nobody in the tab speaks it, so its table stays out of the download.
#[cfg(target_arch = "wasm32")]
fn from_protobuf(_bytes: &[u8], _ty: &'static Type) -> Result<Value, String> {
    Err("protobuf is not served here".to_owned())
}

/// The format of an object's bytes.
///
/// Errors: 415.
pub fn format(content_type: &str) -> Result<Format, Status> {
    match media_type(content_type) {
        "" | "application/json" => Ok(Format::Json),
        "application/yaml" => Ok(Format::Yaml),
        _ => Err(Status::new(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json, \
             application/yaml, application/vnd.kubernetes.protobuf",
        )),
    }
}

/// A whole object of a stored kind, in the version of the path.
pub fn object(
    kind: Kind,
    alias: Option<&Alias>,
    bytes: &[u8],
    content_type: &str,
    validation: FieldValidation,
) -> Result<(Body, Vec<String>), Status> {
    let info = kind.info();
    let ty = alias
        .and_then(|alias| schema::named(alias.type_name))
        .unwrap_or_else(|| schema::of(kind));
    let parsed = read(bytes, content_type, ty, info.name)?;
    let decoded = match alias {
        None => {
            parsed.check_kind(info)?;
            decode(kind, parsed, validation)?
        }
        Some(alias) => {
            parsed.check_gvk(
                alias.group,
                alias.version,
                info.name,
                if alias.group == "events.k8s.io" {
                    "core"
                } else {
                    alias.group
                },
            )?;
            let (value, warnings) = decode_named::<Value>(alias.type_name, parsed, validation)?;
            let mut decoded = decode(kind, (alias.to_stored)(value), FieldValidation::Ignore)?;
            decoded.warnings = warnings;
            decoded
        }
    };
    Ok((Body::Object(decoded.object), decoded.warnings))
}

/// What is not a stored kind: a review, an Eviction, a Scale.
pub struct Named {
    /// In the schema table: `policy/v1.Eviction`
    pub type_name: &'static str,
    pub group: &'static str,
    pub version: &'static str,
    pub name: &'static str,
    /// The Go package of the internal type.
    pub internal: &'static str,
}

pub const BINDING: Named = Named {
    type_name: "core/v1.Binding",
    group: "",
    version: "v1",
    name: "Binding",
    internal: "core",
};
pub const EVICTION: Named = Named {
    type_name: "policy/v1.Eviction",
    group: "policy",
    version: "v1",
    name: "Eviction",
    internal: "policy",
};
pub const SCALE: Named = Named {
    type_name: "autoscaling/v1.Scale",
    group: "autoscaling",
    version: "v1",
    name: "Scale",
    internal: "autoscaling",
};
pub const TOKEN_REQUEST: Named = Named {
    type_name: "authentication/v1.TokenRequest",
    group: "authentication.k8s.io",
    version: "v1",
    name: "TokenRequest",
    internal: "authentication",
};

/// Reads a body of a named type.
pub fn named(
    named: &Named,
    bytes: &[u8],
    content_type: &str,
    validation: FieldValidation,
) -> Result<(Value, Vec<String>), Status> {
    let parsed = match schema::named(named.type_name) {
        Some(ty) => read(bytes, content_type, ty, named.name)?,
        None => Parsed::read(bytes, format(content_type)?, named.name)?,
    };
    parsed.check_gvk(named.group, named.version, named.name, named.internal)?;
    decode_named::<Value>(named.type_name, parsed, validation)
}

/// `POST …/pods/NAME/binding`. Returns the Pod's name with the body.
///
/// Errors: 400 for another name, 500 with field errors, as upstream's registry answers.
pub fn binding(value: &Value, name: &str) -> Result<Body, Status> {
    let own = value["metadata"]["name"].as_str().unwrap_or("");
    if !name.is_empty() && own != name {
        return Err(Status::bad_request(
            "name in URL does not match name in Binding object",
        ));
    }
    let target = &value["target"];
    let (kind, node) = (
        target["kind"].as_str().unwrap_or(""),
        target["name"].as_str().unwrap_or(""),
    );
    let path = Path::root("target");
    let mut errors = Vec::new();
    if !matches!(kind, "" | "Node") {
        errors.push(FieldError::not_supported(
            &path.child("kind"),
            kind,
            &["Node", "<empty>"],
        ));
    }
    if node.is_empty() {
        errors.push(FieldError::required(&path.child("name"), ""));
    }
    match errors.as_slice() {
        [] => Ok(Body::Binding { node: node.into() }),
        [one] => Err(Status::new(500, "", one.to_string())),
        many => {
            let texts: Vec<String> = many.iter().map(ToString::to_string).collect();
            Err(Status::new(500, "", format!("[{}]", texts.join(", "))))
        }
    }
}

/// `PUT …/scale`
///
/// Errors: 400 for another name.
pub fn scale(value: &Value, kind: Kind, name: &str) -> Result<Body, Status> {
    let own = value["metadata"]["name"].as_str().unwrap_or("");
    if !own.is_empty() && own != name {
        return Err(Status::bad_request(format!(
            "the name of the object ({own}) does not match the name on the URL ({name})"
        )));
    }
    if own.is_empty() {
        let why = format!(
            "{} \"{name}\" is invalid: metadata.name: Required value",
            kind.name()
        );
        return Err(Status::bad_request(why));
    }
    let replicas = value["spec"]["replicas"]
        .as_i64()
        .and_then(|n| i32::try_from(n).ok())
        .unwrap_or(0);
    let version = value["metadata"]["resourceVersion"]
        .as_str()
        .filter(|version| !version.is_empty());
    Ok(Body::Scale {
        replicas,
        resource_version: version.map(str::to_owned),
    })
}

/// A patch's type from its media type.
///
/// Errors: 415.
pub fn patch_type(content_type: &str) -> Result<PatchType, Status> {
    Ok(match media_type(content_type) {
        "application/json-patch+json" => PatchType::Json,
        "application/merge-patch+json" => PatchType::Merge,
        "application/strategic-merge-patch+json" => PatchType::Strategic,
        "application/apply-patch+yaml" => PatchType::Apply,
        _ => {
            let mut status = Status::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
            status.details = Some(Box::default());
            return Err(status);
        }
    })
}

/// A patch's document.
///
/// Errors: 400 in the words each patch type has for it.
pub fn patch(patch_type: PatchType, bytes: &[u8]) -> Result<Body, Status> {
    crate::apiserver::patch::read(patch_type, bytes).map(|value| Body::Patch(patch_type, value))
}

/// A body of `DeleteOptions`, if there is one.
///
/// Errors: 400 for what is no JSON, 500 for another kind.
pub fn delete(bytes: &[u8], content_type: &str) -> Result<Option<Value>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let parsed = match schema::named("meta/v1.DeleteOptions") {
        Some(ty) if is_protobuf(content_type) => read(bytes, content_type, ty, "DeleteOptions")?,
        _ => decode_body(bytes, format(content_type)?).map_err(|why| {
            Status::bad_request(format!("couldn't get version/kind; json parse error: {why}"))
        })?,
    };
    // Any group's DeleteOptions will do. Another kind is an error that upstream does not take for the client's:
    // `DeleteResource` hands the scheme's own on.
    let text = |field: &str| parsed.value[field].as_str().unwrap_or("");
    let (kind, version) = (text("kind"), text("apiVersion"));
    if !matches!(kind, "" | "DeleteOptions") {
        let version = if version.is_empty() { "v1" } else { version };
        let message = format!(
            "no kind \"{kind}\" is registered for version \"{version}\" in scheme \
             \"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go\""
        );
        return Err(Status::new(500, "", message));
    }
    let (value, _) = decode_named::<Value>("meta/v1.DeleteOptions", parsed, FieldValidation::Ignore)?;
    Ok(Some(value))
}

/// The query's parameters for a kubelet, by name.
pub fn parameters(query: &super::query::Query) -> Body {
    let mut map = serde_json::Map::new();
    for (key, value) in query.pairs() {
        match map.get_mut(key) {
            // `command` of exec comes once per word.
            Some(Value::Array(list)) => list.push(value.into()),
            Some(own) => *own = Value::Array(vec![own.take(), value.into()]),
            None => {
                map.insert(key.to_owned(), value.into());
            }
        }
    }
    Body::Value(Value::Object(map))
}

/// `deleteOptions` of an Eviction as the body its handler takes.
pub fn eviction(value: &Value, kind: Kind, name: &str, options: &mut Options) -> Result<Body, Status> {
    let own = value["metadata"]["name"].as_str().unwrap_or("");
    if own != name {
        return Err(Status::bad_request(
            "name in URL does not match name in Eviction object",
        ));
    }
    let given = &value["deleteOptions"];
    let empty = super::query::Query::default();
    let (more, delete) = super::query::delete(kind, &empty, given.is_object().then_some(given))?;
    options.dry_run |= more.dry_run;
    Ok(Body::Delete(delete))
}
