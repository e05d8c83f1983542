//! ConfigMaps and Secrets.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::field::{FieldError, Path};
use super::meta::{self, Errors};
use super::text;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use std::collections::BTreeMap;

/// All data of a Secret or ConfigMap together, in bytes.
const MAX_DATA: usize = 1 << 20;

const WHEN_IMMUTABLE: &str = "field is immutable when `immutable` is set";

pub fn config_map(map: &ConfigMap, errors: &mut Errors) {
    let (data, binary) = (Path::root("data"), Path::root("binaryData"));
    let mut size = 0;
    for (key, value) in map.data.iter().flatten() {
        meta::check(content::config_map_key(key), key, &data.key(key), errors);
        if map
            .binary_data
            .as_ref()
            .is_some_and(|binary| binary.contains_key(key))
        {
            errors.push(FieldError::invalid(
                &data.key(key),
                key,
                "duplicate of key present in binaryData",
            ));
        }
        size += value.len();
    }
    for (key, value) in map.binary_data.iter().flatten() {
        meta::check(content::config_map_key(key), key, &binary.key(key), errors);
        size += value.0.len();
    }
    if size > MAX_DATA {
        errors.push(FieldError::too_long(&Path::root(""), MAX_DATA));
    }
}

fn frozen(flag: Option<bool>, errors: &mut Errors) {
    if flag != Some(true) {
        errors.push(FieldError::forbidden(&Path::root("immutable"), WHEN_IMMUTABLE));
    }
}

fn same_map<V: PartialEq>(a: &Option<BTreeMap<String, V>>, b: &Option<BTreeMap<String, V>>) -> bool {
    a == b || (a.iter().flatten().next().is_none() && b.iter().flatten().next().is_none())
}

#[inline(never)]
pub fn config_map_update(new: &ConfigMap, old: &ConfigMap, errors: &mut Errors) {
    if old.immutable == Some(true) {
        frozen(new.immutable, errors);
        if !same_map(&new.data, &old.data) {
            errors.push(FieldError::forbidden(&Path::root("data"), WHEN_IMMUTABLE));
        }
        if !same_map(&new.binary_data, &old.binary_data) {
            errors.push(FieldError::forbidden(&Path::root("binaryData"), WHEN_IMMUTABLE));
        }
    }
    config_map(new, errors);
}

#[inline(never)]
pub fn secret(secret: &Secret, errors: &mut Errors) {
    const NAME: &str = "kubernetes.io/service-account.name";
    let path = &Path::root("data");
    let empty = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&empty);
    let mut size = 0;
    for (key, value) in data {
        meta::check(content::config_map_key(key), key, &path.key(key), errors);
        size += value.0.len();
    }
    if size > MAX_DATA {
        errors.push(FieldError::too_long(path, MAX_DATA));
    }
    let missing = |key: &str| !data.contains_key(key);
    match text(&secret.type_) {
        "kubernetes.io/service-account-token" => {
            let annotations = secret.metadata.annotations.as_ref();
            if annotations.and_then(|a| a.get(NAME)).is_none_or(String::is_empty) {
                let metadata = Path::root("metadata");
                errors.push(FieldError::required(&metadata.child("annotations").key(NAME), ""));
            }
        }
        "kubernetes.io/dockercfg" => json_value(data, ".dockercfg", path, errors),
        "kubernetes.io/dockerconfigjson" => json_value(data, ".dockerconfigjson", path, errors),
        "kubernetes.io/basic-auth" if missing("username") && missing("password") => {
            errors.push(FieldError::required(&path.key("username"), ""));
            errors.push(FieldError::required(&path.key("password"), ""));
        }
        "kubernetes.io/ssh-auth" if data.get("ssh-privatekey").is_none_or(|value| value.0.is_empty()) => {
            errors.push(FieldError::required(&path.key("ssh-privatekey"), ""));
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"].into_iter().filter(|key| missing(key)) {
                errors.push(FieldError::required(&path.key(key), ""));
            }
        }
        _ => {}
    }
}

fn json_value(data: &BTreeMap<String, ByteString>, key: &str, path: &Path, errors: &mut Errors) {
    let path = &path.key(key);
    let Some(value) = data.get(key) else {
        errors.push(FieldError::required(path, ""));
        return;
    };
    let parsed: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_slice(&value.0);
    if parsed.is_err() {
        let why = match value.0.iter().copied().find(|b| !b.is_ascii_whitespace()) {
            None => "unexpected end of JSON input".to_owned(),
            Some(b'{') => "unexpected end of JSON input".to_owned(),
            Some(first) => format!(
                "invalid character '{}' looking for beginning of value",
                char::from(first)
            ),
        };
        errors.push(FieldError::invalid(path, "<secret contents redacted>", why));
    }
}

#[inline(never)]
pub fn secret_update(new: &Secret, old: &Secret, errors: &mut Errors) {
    meta::immutable_text(&new.type_, &old.type_, &Path::root("type"), errors);
    if old.immutable == Some(true) {
        frozen(new.immutable, errors);
        if !same_map(&new.data, &old.data) {
            errors.push(FieldError::forbidden(&Path::root("data"), WHEN_IMMUTABLE));
        }
    }
    secret(new, errors);
}
