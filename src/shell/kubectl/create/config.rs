//! `create configmap`, `create secret`.

use super::super::super::print::json as json_print;
use super::super::failure::{Result, message};
use super::super::kube::{Kube, Next, text};
use super::{generated, name};
use crate::api::Kind;
use crate::apiserver::sha256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Whether kubectl takes a word for the name of an environment variable.
pub fn is_env_name(key: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    key.chars().all(fits) && !key.starts_with(|c: char| c.is_ascii_digit())
}

/// What is wrong with the name of an environment variable.
pub fn env_name_error(key: &str) -> String {
    format!(
        "{key:?} is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
    )
}

/// `--from-literal`, `--from-file`, `--from-env-file` in order.
fn literals(kube: &mut Kube, kind: &str, name: &str) -> Result<Map<String, Value>> {
    let mut data = Map::new();
    let of = if kind == "ConfigMap" {
        format!(" for ConfigMap {name:?}")
    } else {
        String::new()
    };
    let mut add = |key: &str, value: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if key.is_empty() || !key.chars().all(fits) {
            return message(format!(
                "{key:?} is not a valid key name for a {kind}: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
            ));
        }
        if data.insert(key.to_owned(), value.into()).is_some() {
            return message(format!(
                "cannot add key {key:?}, another key by that name already exists in Data{of}"
            ));
        }
        Ok(())
    };
    for source in kube.flags().list("from-file") {
        let (key, path) = match source.split_once('=') {
            Some((key, path)) => (Some(key), path),
            None => (None, source.as_str()),
        };
        if let Some(content) = kube.io.session.file(path) {
            add(key.unwrap_or_else(|| base(path)), content)?;
            continue;
        }
        // A folder brings the files directly in it.
        let inside = kube.io.session.directory(path);
        if inside.is_empty() {
            return message(format!("error reading {path}: no such file or directory"));
        }
        if key.is_some() {
            return message("cannot give a key name for a directory path".to_owned());
        }
        let prefix = path.trim_start_matches("./").trim_matches(['.', '/']);
        let depth = if prefix.is_empty() {
            0
        } else {
            prefix.matches('/').count() + 1
        };
        for file in inside.iter().filter(|file| file.matches('/').count() == depth) {
            let content = kube.io.session.file(file).cloned().unwrap_or_default();
            add(base(file), &content)?;
        }
    }
    for literal in kube.flags().list("from-literal") {
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return message(format!("invalid literal source {literal}, expected key=value"));
        };
        add(key, value.trim_matches(['\'', '"']))?;
    }
    for file in kube.flags().list("from-env-file") {
        let Some(content) = kube.io.session.file(&file) else {
            return message(format!("error reading {file}: no such file or directory"));
        };
        for line in content.lines().map(str::trim_start) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            if !is_env_name(key) {
                return message(env_name_error(key));
            }
            add(key, value)?;
        }
    }
    Ok(data)
}

/// The last part of a path.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub fn configmap(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let data = literals(kube, "ConfigMap", &name)?;
    let mut object = json!({"metadata": {"name": name}});
    if !data.is_empty() {
        object["data"] = data.into();
    }
    if kube.flags().on("append-hash") {
        let hash = content_hash("ConfigMap", &name, &object, json!({}));
        object["metadata"]["name"] = format!("{name}-{hash}").into();
    }
    generated(kube, Kind::ConfigMap, object)
}

pub fn secret_generic(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let data = literals(kube, "Secret", &name)?;
    let kind = kube.flags().text("type").to_owned();
    secret(kube, &name, &kind, data)
}

/// A Secret of these plain texts.
fn secret(kube: &mut Kube, name: &str, kind: &str, data: Map<String, Value>) -> Result<Next> {
    let mut object = json!({"metadata": {"name": name}});
    if !data.is_empty() {
        object["data"] = encoded(data).into();
    }
    if !kind.is_empty() {
        object["type"] = kind.into();
    }
    if kube.flags().on("append-hash") {
        let hash = content_hash("Secret", name, &object, json!({}));
        object["metadata"]["name"] = format!("{name}-{hash}").into();
    }
    generated(kube, Kind::Secret, object)
}

/// Every text in base64.
pub fn encoded(mut data: Map<String, Value>) -> Map<String, Value> {
    for value in data.values_mut() {
        *value = STANDARD.encode(value.as_str().unwrap_or("")).into();
    }
    data
}

/// `create secret tls`
pub fn secret_tls(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let (cert, key) = (
        kube.flags().text("cert").to_owned(),
        kube.flags().text("key").to_owned(),
    );
    if cert.is_empty() || key.is_empty() {
        return message("key and cert must be specified");
    }
    let mut data = Map::new();
    for (field, file, what) in [("tls.crt", cert, "certificate"), ("tls.key", key, "key")] {
        let Some(content) = kube.io.session.file(&file) else {
            return message(format!(
                "Cannot read file {file}, open {file}: no such file or directory"
            ));
        };
        if !content.contains("-----BEGIN ") {
            return message(format!("tls: failed to find any PEM data in {what} input"));
        }
        data.insert(field.to_owned(), content.clone().into());
    }
    secret(kube, &name, "kubernetes.io/tls", data)
}

/// `create secret docker-registry`
pub fn secret_registry(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    const FIELD: &str = ".dockerconfigjson";
    let mut data = Map::new();
    if kube.flags().list("from-file").is_empty() {
        let given = |flag: &str| kube.flags().text(&format!("docker-{flag}")).to_owned();
        let (user, password, server) = (given("username"), given("password"), given("server"));
        if user.is_empty() || password.is_empty() || server.is_empty() {
            return message(
                "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
            );
        }
        let quoted = |text: &str| json_print::compact(&text.into());
        let email = match given("email") {
            email if email.is_empty() => email,
            email => format!("\"email\":{},", quoted(&email)),
        };
        let auth = STANDARD.encode(format!("{user}:{password}"));
        // In the order of the fields of kubectl's own type.
        let config = format!(
            "{{\"auths\":{{{}:{{\"username\":{},\"password\":{},{email}\"auth\":\"{auth}\"}}}}}}",
            quoted(&server),
            quoted(&user),
            quoted(&password),
        );
        data.insert(FIELD.to_owned(), config.into());
    } else {
        data = literals(kube, "Secret", &name)?;
    }
    secret(kube, &name, "kubernetes.io/dockerconfigjson", data)
}

/// What `--append-hash` and kustomize put behind a name: it changes with the content. Kustomize
/// leaves the name out, and each writes the absence of data in its way.
///
/// Source: sigs.k8s.io/kustomize/api/hasher.
pub fn content_hash(kind: &str, name: &str, object: &Value, no_data: Value) -> String {
    let mut content =
        json!({"kind": kind, "name": name, "data": object.get("data").cloned().unwrap_or(no_data)});
    if kind == "Secret" {
        content["type"] = text(object, "/type").into();
    }
    for name in ["binaryData", "stringData"] {
        if object[name].is_object() {
            content[name] = object[name].clone();
        }
    }
    let digest = sha256::digest(json_print::compact(&content).as_bytes());
    // Ten hexadecimal digits without those that make words.
    digest[..5]
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| b"gh2k456789mbcdtf"[usize::from(digit)] as char)
        .collect()
}
