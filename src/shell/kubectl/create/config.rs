//! `create configmap`, `create secret`.

use super::super::failure::{Result, message};
use super::super::kube::{Kube, Next};
use super::{generated, name};
use crate::api::Kind;
use base64::Engine;
use serde_json::{Map, Value, json};

/// `--from-literal`, `--from-file`, `--from-env-file` in order.
fn literals(kube: &mut Kube) -> Result<Map<String, Value>> {
    let mut data = Map::new();
    let mut add = |key: String, value: String| {
        if data.insert(key.clone(), value.into()).is_some() {
            return message(format!(
                "cannot add key {key:?}, another key by that name already exists in Data"
            ));
        }
        Ok(())
    };
    for file in kube.flags().list("from-file") {
        let (key, path) = file.split_once('=').map_or_else(
            || (file.rsplit('/').next().unwrap_or(&file).to_owned(), file.clone()),
            |(k, p)| (k.to_owned(), p.to_owned()),
        );
        match kube.io.session.file(&path) {
            Some(content) => add(key, content.clone())?,
            None => return message(format!("error reading {path}: no such file or directory")),
        }
    }
    for literal in kube.flags().list("from-literal") {
        let Some((key, value)) = literal.split_once('=') else {
            return message(format!("invalid literal source {literal}, expected key=value"));
        };
        add(key.to_owned(), value.trim_matches(['\'', '"']).to_owned())?;
    }
    for file in kube.flags().list("from-env-file") {
        let Some(content) = kube.io.session.file(&file).cloned() else {
            return message(format!("error reading {file}: no such file or directory"));
        };
        for line in content
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
        {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            add(key.to_owned(), value.to_owned())?;
        }
    }
    Ok(data)
}

pub fn configmap(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let data = literals(kube)?;
    let mut object = json!({"metadata": {"name": name}});
    if !data.is_empty() {
        object["data"] = data.into();
    }
    generated(kube, Kind::ConfigMap, object)
}

pub fn secret_generic(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let data: Map<String, Value> = literals(kube)?
        .into_iter()
        .map(|(key, value)| {
            (
                key,
                base64::engine::general_purpose::STANDARD
                    .encode(value.as_str().unwrap_or(""))
                    .into(),
            )
        })
        .collect();
    let mut object = json!({"metadata": {"name": name}});
    if !data.is_empty() {
        object["data"] = data.into();
    }
    if !kube.flags().text("type").is_empty() {
        object["type"] = kube.flags().text("type").into();
    }
    generated(kube, Kind::Secret, object)
}
