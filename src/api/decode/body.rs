//! A request's body: JSON or YAML, its duplicates, and whether it is of the version and kind expected.

use super::json::{self, Record};
use super::walk::json_kind;
use crate::api::kind::{Kind, KindInfo};
use crate::api::status::Status;
use crate::api::yaml;
use serde_json::Value;

/// The media types a body can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Json,
    Yaml,
}

/// A parsed body that remembers where it came from, so that errors can be put in the order of the text.
#[derive(Debug, Default)]
pub struct Body<'a> {
    pub value: Value,
    /// Empty when the value did not come from a text.
    pub source: &'a [u8],
    pub format: Format,
    pub(super) has_duplicates: bool,
    /// The YAML reader's text about duplicate keys.
    pub(super) yaml_duplicates: Option<String>,
}

impl From<Value> for Body<'_> {
    fn from(value: Value) -> Self {
        Body {
            value,
            ..Body::default()
        }
    }
}

/// Parses a body. The error is upstream's text, to be framed by the caller ([`Body::unrecognized`]).
pub fn decode_body(source: &[u8], format: Format) -> Result<Body<'_>, String> {
    match format {
        Format::Json => {
            let (value, has_duplicates) = json::parse(source)?;
            Ok(Body {
                value,
                source,
                format,
                has_duplicates,
                yaml_duplicates: None,
            })
        }
        Format::Yaml => {
            let text = String::from_utf8_lossy(source);
            let document = yaml::read_one(&text).map_err(|error| error.go_text())?;
            let yaml_duplicates = document.duplicates_text();
            Ok(Body {
                value: document.value,
                source,
                format,
                has_duplicates: false,
                yaml_duplicates,
            })
        }
    }
}

impl<'a> Body<'a> {
    /// Parses a request's body for an endpoint of `kind_name`; the error is the whole answer.
    pub fn read(source: &'a [u8], format: Format, kind_name: &str) -> Result<Body<'a>, Status> {
        decode_body(source, format).map_err(|why| {
            // In JSON, finding out version and kind is what fails first.
            let why = if format == Format::Json {
                format!("couldn't get version/kind; json parse error: {why}")
            } else {
                why
            };
            Body::unrecognized(source, kind_name, &why)
        })
    }

    /// 400 `the object provided is unrecognized (must be of type Pod): … ({"apiVersion":"v1",)`
    pub fn unrecognized(source: &[u8], kind_name: &str, why: &str) -> Status {
        Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind_name}): {why} ({})",
            summary(source)
        ))
    }

    /// Where keys stand, if asked for and known.
    pub(super) fn record_if(&self, wanted: bool) -> Option<Record> {
        (wanted && self.format == Format::Json && !self.source.is_empty()).then(|| json::record(self.source))
    }

    /// Checks `apiVersion` and `kind` against the endpoint's; both may be absent.
    ///
    /// Errors: 400 as upstream words them for unknown kinds, other kinds and other versions.
    pub fn check_kind(&self, info: &KindInfo) -> Result<(), Status> {
        self.check_gvk(info.group, info.version, info.name, internal_package(info.group))
    }

    /// [`Body::check_kind`] for what is not a stored kind; `internal` is the Go package of the internal type
    /// (`policy` for Eviction, `core` for Binding).
    pub fn check_gvk(&self, group: &str, version: &str, name: &str, internal: &str) -> Result<(), Status> {
        let Value::Object(map) = &self.value else {
            // Go names the anonymous struct that it looks into for version and kind.
            let target = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
            if self.value.is_null() {
                return Ok(());
            }
            let why = format!(
                "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type {target}",
                json_kind(&self.value)
            );
            return Err(Body::unrecognized(self.source, name, &why));
        };
        let text = |key: &str| match map.get(key) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(other) => {
                let why = format!(
                    "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go struct field .{key} of type string",
                    json_kind(other)
                );
                Err(Body::unrecognized(self.source, name, &why))
            }
        };
        let (api_version, kind) = (text("apiVersion")?, text("kind")?);
        let expected = if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        };
        if api_version.matches('/').count() > 1 {
            let why = format!(
                "couldn't get version/kind; json parse error: unexpected GroupVersion string: {api_version}"
            );
            return Err(Body::unrecognized(self.source, name, &why));
        }
        let (api_version, kind) = (
            if api_version.is_empty() {
                &expected
            } else {
                api_version
            },
            if kind.is_empty() { name } else { kind },
        );
        if api_version == expected && kind == name {
            return Ok(());
        }
        let short = api_version.rsplit('/').next().unwrap_or(api_version);
        if let Some(why) = unconvertible(api_version, kind, name, internal) {
            return Err(Status::bad_request(format!(
                "{kind} in version \"{short}\" cannot be handled as a {name}: {why}"
            )));
        }
        Err(Status::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )))
    }
}

/// Why upstream's scheme does not make `internal.name` of something of another version and kind; nothing if it does.
fn unconvertible(api_version: &str, kind: &str, name: &str, internal: &str) -> Option<String> {
    if !is_registered(api_version, kind) {
        return Some(format!(
            "no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""
        ));
    }
    let short = api_version.rsplit('/').next().unwrap_or(api_version);
    (kind != name).then(|| format!("converting ({short}.{kind}) to ({internal}.{name}): unknown conversion"))
}

/// Why a patched object is none of the endpoint's kind any more. What is missing is taken for the endpoint's.
pub fn foreign(value: &Value, info: &KindInfo, api_version: &str) -> Option<String> {
    let text = |field: &str| {
        value
            .get(field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let own = text("apiVersion").unwrap_or(api_version);
    let kind = text("kind").unwrap_or(info.name);
    if own == api_version && kind == info.name {
        return None;
    }
    unconvertible(own, kind, info.name, internal_package(info.group))
}

/// The Go package of a group's internal types.
fn internal_package(group: &str) -> &str {
    match group {
        "" | "events.k8s.io" => "core",
        group => group.split('.').next().unwrap_or(group),
    }
}

/// Whether upstream's scheme knows a version and kind: what is served here and older versions upstream still converts.
fn is_registered(api_version: &str, kind: &str) -> bool {
    const OTHERS: &[(&str, &[&str])] = &[
        (
            "v1",
            &[
                "Binding",
                "ComponentStatus",
                "List",
                "PodTemplate",
                "RangeAllocation",
            ],
        ),
        (
            "apps/v1beta1",
            &["Deployment", "StatefulSet", "ControllerRevision", "Scale"],
        ),
        (
            "apps/v1beta2",
            &[
                "Deployment",
                "StatefulSet",
                "DaemonSet",
                "ReplicaSet",
                "ControllerRevision",
                "Scale",
            ],
        ),
        (
            "extensions/v1beta1",
            &[
                "Deployment",
                "DaemonSet",
                "ReplicaSet",
                "Ingress",
                "NetworkPolicy",
                "Scale",
            ],
        ),
        ("batch/v1beta1", &["CronJob"]),
        (
            "networking.k8s.io/v1beta1",
            &["Ingress", "IngressClass", "IPAddress", "ServiceCIDR"],
        ),
        ("discovery.k8s.io/v1beta1", &["EndpointSlice"]),
        ("policy/v1beta1", &["PodDisruptionBudget", "Eviction"]),
        ("policy/v1", &["Eviction"]),
        ("autoscaling/v1", &["HorizontalPodAutoscaler", "Scale"]),
        ("autoscaling/v2beta1", &["HorizontalPodAutoscaler"]),
        ("autoscaling/v2beta2", &["HorizontalPodAutoscaler"]),
        ("scheduling.k8s.io/v1beta1", &["PriorityClass"]),
        ("coordination.k8s.io/v1beta1", &["Lease"]),
        (
            "storage.k8s.io/v1",
            &[
                "CSIDriver",
                "CSINode",
                "CSIStorageCapacity",
                "VolumeAttachment",
                "VolumeAttributesClass",
            ],
        ),
        (
            "storage.k8s.io/v1beta1",
            &["StorageClass", "CSIDriver", "CSINode", "VolumeAttachment"],
        ),
        (
            "rbac.authorization.k8s.io/v1beta1",
            &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
        ),
        (
            "rbac.authorization.k8s.io/v1alpha1",
            &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
        ),
        ("events.k8s.io/v1", &["Event"]),
        ("events.k8s.io/v1beta1", &["Event"]),
        (
            "authentication.k8s.io/v1",
            &["TokenRequest", "TokenReview", "SelfSubjectReview"],
        ),
        (
            "authorization.k8s.io/v1",
            &[
                "SubjectAccessReview",
                "SelfSubjectAccessReview",
                "LocalSubjectAccessReview",
                "SelfSubjectRulesReview",
            ],
        ),
    ];
    Kind::by_api_version(api_version, kind).is_some()
        || kind
            .strip_suffix("List")
            .is_some_and(|item| Kind::by_api_version(api_version, item).is_some())
        || OTHERS
            .iter()
            .any(|(version, kinds)| *version == api_version && kinds.contains(&kind))
}

/// A short form of a body for messages: text when it looks like JSON, else hexadecimal.
fn summary(source: &[u8]) -> String {
    const MOST: usize = 30;
    let shown = &source[..source.len().min(MOST)];
    let tail = if source.len() > MOST { " ..." } else { "" };
    match source.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(shown).into_owned() + tail,
        Some(_) => shown.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + tail,
    }
}
