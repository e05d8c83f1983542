//! `config set`, `config unset`: one value by its path.
//!
//! Source: k8s.io/kubectl/pkg/cmd/config/set.go, unset.go, navigation_step_parser.go.

use super::super::super::kubeconfig::{CLUSTERS, CONTEXTS, Field, Holds, Kubeconfig, Section, USERS};
use super::super::failure::{Failure, Result, message};
use super::super::kube::{Kube, Next};
use super::{arguments, open, save, say};
use crate::api::decode::check_base64;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub fn set(kube: &mut Kube) -> Result<Next> {
    let [path, value] = arguments(kube)?;
    if value.is_empty() && !path.is_empty() {
        return message("you cannot use set to unset a property");
    }
    change(kube, &path, Some(&value))
}

pub fn unset(kube: &mut Kube) -> Result<Next> {
    let [path] = arguments(kube)?;
    change(kube, &path, None)
}

/// Sets a value, or without one takes it away.
fn change(kube: &mut Kube, path: &str, value: Option<&str>) -> Result<Next> {
    if path.is_empty() {
        return message("you must specify a property");
    }
    let (mut config, file) = open(kube)?;
    let raw = kube.flags().on("set-raw-bytes");
    apply(&mut config, path, value, raw).map_err(Failure::Message)?;
    save(kube, &config, &file)?;
    let done = if value.is_some() { "set" } else { "unset" };
    say(kube, &format!("Property {path:?} {done}."))
}

fn boolean(text: &str) -> std::result::Result<Value, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true.into()),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false.into()),
        _ => Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")),
    }
}

fn apply(
    config: &mut Kubeconfig,
    path: &str,
    value: Option<&str>,
    raw: bool,
) -> std::result::Result<(), String> {
    let parts: Vec<&str> = path.split('.').collect();
    let too_deep = || Err(format!("unable to parse one or more field values of {path}"));
    match parts.as_slice() {
        ["kind" | "apiVersion"] => Ok(()),
        ["current-context"] => {
            config.current_context = value.unwrap_or("").to_owned();
            Ok(())
        }
        ["kind" | "apiVersion" | "current-context", ..] => too_deep(),
        ["preferences"] if value.is_none() => {
            config.preferences.clear();
            Ok(())
        }
        ["preferences"] => Err("unable to locate path under preferences".to_owned()),
        ["preferences", "colors"] => {
            config.preferences.remove("colors");
            if let Some(text) = value
                && boolean(text)? == true
            {
                config.preferences.insert("colors".to_owned(), true.into());
            }
            Ok(())
        }
        ["preferences", ..] => Err(format!(
            "unable to parse {path} after [preferences] at api.Preferences"
        )),
        ["extensions", ..] => Err("extensions are not set from the command line".to_owned()),
        [plural, rest @ ..] => match [&CLUSTERS, &USERS, &CONTEXTS]
            .iter()
            .find(|s| s.plural == *plural)
        {
            Some(section) => entry(config, section, path, rest, value, raw),
            None => Err(format!("unable to parse {path} after [] at api.Config")),
        },
        [] => Ok(()),
    }
}

fn entry(
    config: &mut Kubeconfig,
    section: &Section,
    path: &str,
    parts: &[&str],
    value: Option<&str>,
    raw: bool,
) -> std::result::Result<(), String> {
    // A name may contain dots: it goes on until a word that is a field.
    let named = parts
        .iter()
        .skip(1)
        .position(|part| section.field(part).is_some());
    let (name, rest) = parts.split_at(named.map_or(parts.len(), |at| at + 1));
    let name = name.join(".");
    let entries = config.entries(section);
    let a_map = |names: Vec<&str>| Err(format!("can't set a map to a value: map[{}]", names.join(" ")));
    let (Some(field), deeper) = (
        rest.first().and_then(|part| section.field(part)),
        &rest[rest.len().min(1)..],
    ) else {
        return match value {
            Some(_) => a_map(entries.keys().map(String::as_str).collect()),
            None if parts.is_empty() => {
                entries.clear();
                Ok(())
            }
            None => {
                entries.remove(&name);
                Ok(())
            }
        };
    };
    match (field.holds, deeper) {
        (_, []) => {}
        (Holds::Map, [_]) if field.name == "as-user-extra" => {
            return Err("string is not of type struct".to_owned());
        }
        (Holds::Map, _) => return Err(format!("{} are not set from the command line", field.name)),
        _ => return Err(format!("unable to parse one or more field values of {path}")),
    }
    let new = match value {
        None => None,
        Some(text) => Some(read(field, text, raw)?),
    };
    match new {
        None => match entries.get_mut(&name) {
            Some(entry) => drop(entry.remove(field.name)),
            None => return Err(format!("current map key `{name}` is invalid")),
        },
        Some(new) => {
            let entry = entries.entry(name).or_default();
            entry.remove(field.name);
            if new != false {
                entry.insert(field.name.to_owned(), new);
            }
        }
    }
    Ok(())
}

/// A field's value as it stands on the command line.
fn read(field: &Field, text: &str, raw: bool) -> std::result::Result<Value, String> {
    match field.holds {
        Holds::Text => Ok(text.into()),
        Holds::Bool => boolean(text),
        Holds::Bytes if raw => Ok(STANDARD.encode(text).into()),
        Holds::Bytes => match check_base64(text) {
            Ok(()) => Ok(text.into()),
            Err(at) => Err(format!(
                "error decoding input value: illegal base64 data at input byte {at}"
            )),
        },
        Holds::Texts => Err("unrecognized slice type. string".to_owned()),
        Holds::Map => Err("can't set a map to a value: map[]".to_owned()),
        Holds::Struct => Err(format!("{} is not set from the command line", field.name)),
    }
}
