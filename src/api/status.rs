//! `metav1.Status`: how the API server says no, in upstream's words.
//!
//! Source: k8s.io/apimachinery/pkg/api/errors.

use super::kind::KindInfo;
use super::validation::FieldError;
use serde::{Deserialize, Serialize};

/// A Status answer; also the error type of everything that goes through the API server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The HTTP status code.
    pub code: u16,
    /// `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`, …; empty when there is none.
    pub reason: String,
    pub message: String,
    pub details: Option<Box<StatusDetails>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusDetails {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<StatusCause>,
    #[serde(
        default,
        rename = "retryAfterSeconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after_seconds: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusCause {
    pub reason: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
}

impl Status {
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Status {
        Status {
            code,
            reason: reason.to_owned(),
            message: message.into(),
            details: None,
        }
    }

    fn about(mut self, info: &KindInfo, name: &str) -> Status {
        self.details = Some(Box::new(StatusDetails {
            name: name.to_owned(),
            group: info.group.to_owned(),
            kind: info.plural.to_owned(),
            ..StatusDetails::default()
        }));
        self
    }

    /// 404 `pods "web" not found`
    pub fn not_found(info: &KindInfo, name: &str) -> Status {
        Status::new(
            404,
            "NotFound",
            format!("{} \"{name}\" not found", info.qualified_resource()),
        )
        .about(info, name)
    }

    /// 409 `pods "web" already exists`
    pub fn already_exists(info: &KindInfo, name: &str) -> Status {
        Status::new(
            409,
            "AlreadyExists",
            format!("{} \"{name}\" already exists", info.qualified_resource()),
        )
        .about(info, name)
    }

    /// 409 `Operation cannot be fulfilled on pods "web": …`
    pub fn conflict(info: &KindInfo, name: &str, why: &str) -> Status {
        let resource = info.qualified_resource();
        Status::new(
            409,
            "Conflict",
            format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}"),
        )
        .about(info, name)
    }

    /// The conflict of a stale `resourceVersion`.
    pub fn stale(info: &KindInfo, name: &str) -> Status {
        Status::conflict(
            info,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 403 `pods "web" is forbidden: …`
    pub fn forbidden(info: &KindInfo, name: &str, why: &str) -> Status {
        let resource = info.qualified_resource();
        let message = if name.is_empty() {
            format!("{resource} is forbidden: {why}")
        } else {
            format!("{resource} \"{name}\" is forbidden: {why}")
        };
        Status::new(403, "Forbidden", message).about(info, name)
    }

    pub fn bad_request(message: impl Into<String>) -> Status {
        Status::new(400, "BadRequest", message)
    }

    /// 410: the history a watch or a continue token asks for is compacted.
    pub fn expired(message: impl Into<String>) -> Status {
        Status::new(410, "Expired", message)
    }

    /// 422 `Pod "web" is invalid: …` with a cause per field.
    pub fn invalid(info: &KindInfo, name: &str, errors: Vec<FieldError>) -> Status {
        Status::invalid_named(info.name, info.group, name, errors)
    }

    /// The same for a kind that is not stored, such as Scale.
    pub fn invalid_named(kind: &str, group: &str, name: &str, errors: Vec<FieldError>) -> Status {
        // Equal messages are said once, as upstream's aggregate does.
        let mut texts: Vec<String> = Vec::new();
        for error in &errors {
            let text = error.to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let all = if texts.len() == 1 {
            texts.remove(0)
        } else {
            format!("[{}]", texts.join(", "))
        };
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let mut status = Status::new(
            422,
            "Invalid",
            format!("{qualified} \"{name}\" is invalid: {all}"),
        );
        let causes = errors
            .into_iter()
            .map(|error| StatusCause {
                reason: error.kind.reason().to_owned(),
                message: error.body(),
                field: error.field,
            })
            .collect();
        status.details = Some(Box::new(StatusDetails {
            name: name.to_owned(),
            group: group.to_owned(),
            kind: kind.to_owned(),
            causes,
            ..StatusDetails::default()
        }));
        status
    }

    pub fn is_not_found(&self) -> bool {
        self.reason == "NotFound"
    }

    pub fn is_already_exists(&self) -> bool {
        self.reason == "AlreadyExists"
    }

    pub fn is_conflict(&self) -> bool {
        self.reason == "Conflict"
    }

    /// As the API server writes it.
    pub fn to_value(&self) -> serde_json::Value {
        let mut value = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            value["reason"] = self.reason.clone().into();
        }
        if let Some(details) = &self.details {
            value["details"] = serde_json::to_value(details).unwrap_or_default();
        }
        value
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Status {}
