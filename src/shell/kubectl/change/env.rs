//! `set env`.

use super::super::create::config::{env_name_error, is_env_name};
use super::super::failure::{Result, message};
use super::super::kube::{Kube, Next, list, text};
use super::super::resource::{Target, fail_with, known, live};
use super::set::{each_container, pod_spec, set};
use super::split_changes;
use crate::api::Kind;
use crate::api::quantity::Quantity;
use crate::api::sorted::SortedMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub fn set_env(kube: &mut Kube) -> Result<Next> {
    let (names, mut changes) = split_changes(&kube.call.args.clone(), "environment")?;
    changes.extend(kube.flags().list("env"));
    if names.is_empty() && kube.flags().list("filename").is_empty() {
        return message("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    let containers = kube.flags().text("containers").to_owned();
    if kube.flags().on("list") {
        return list_env(kube, &names);
    }
    let removed = changes.iter().filter(|change| !change.contains('='));
    let removed: Vec<&str> = removed.map(|change| &change[..change.len() - 1]).collect();
    let set_too = |change: &String| {
        change
            .split_once('=')
            .is_some_and(|(key, _)| removed.contains(&key))
    };
    if changes.iter().any(set_too) {
        return message("can not both modify and remove the same environment variable in the same command");
    }
    for change in &changes {
        let key = change.split_once('=').map(|(key, _)| key);
        if let Some(key) = key.filter(|key| !is_env_name(key)) {
            return message(env_name_error(key));
        }
    }
    let local = kube.flags().on("local");
    let overwrite = kube.flags().on("overwrite");
    let wanted = env_of_source(kube)?;
    let none = std::cell::RefCell::new(Vec::new());
    let next = set(
        kube,
        &names,
        "env updated",
        "failed to patch env update to pod template: ",
        &|object, target| {
            let mut clash = None;
            let found = each_container(object, target, local, &containers, &mut |container| {
                let mut env = container["env"].as_array().cloned().unwrap_or_default();
                let mut put = |entry: Value| match env.iter_mut().find(|e| e["name"] == entry["name"]) {
                    Some(old) if !overwrite && *old != entry => {
                        clash = Some(format!(
                            "'{}' already has a value ({}), and --overwrite is false",
                            text(old, "/name"),
                            text(old, "/value")
                        ));
                    }
                    Some(old) => *old = entry,
                    None => env.push(entry),
                };
                for change in &changes {
                    if let Some((key, value)) = change.split_once('=') {
                        put(json!({"name": key, "value": value}));
                    }
                }
                wanted.iter().cloned().for_each(put);
                env.retain(|e| !removed.contains(&text(e, "/name")));
                if env.is_empty() {
                    container.as_object_mut().map(|c| c.remove("env"));
                } else {
                    container["env"] = env.into();
                }
            })?;
            if let Some(clash) = clash {
                return message(format!("{}/{} {clash}", target.kind.plural, target.name));
            }
            if found == 0 {
                none.borrow_mut().push(format!(
                    "{}/{} does not have any containers matching {containers:?}",
                    target.kind.kind, target.name
                ));
            }
            Ok(())
        },
    );
    for text in none.into_inner() {
        kube.warn(&text);
    }
    next
}

/// `set env --from=configmap/NAME`: a variable for each of its keys.
fn env_of_source(kube: &mut Kube) -> Result<Vec<Value>> {
    let from = kube.flags().text("from").to_owned();
    if from.is_empty() {
        return Ok(Vec::new());
    }
    let (prefix, keys) = (kube.flags().text("prefix").to_owned(), kube.flags().list("keys"));
    let (sources, failures) = live(kube, &[from])?;
    fail_with(failures)?;
    let mut env = Vec::new();
    for source in sources {
        let reference = match source.kind.kind.as_str() {
            "ConfigMap" => "configMapKeyRef",
            "Secret" => "secretKeyRef",
            kind => return message(format!("unsupported resource specified in --from: {kind}")),
        };
        for key in source.object["data"]
            .as_object()
            .into_iter()
            .flat_map(|data| data.keys())
        {
            if !keys.is_empty() && !keys.contains(key) {
                continue;
            }
            let name = key.to_uppercase().replace(['-', '.'], "_");
            if name != *key {
                kube.warn(&format!("key {key} transferred to {name}"));
            }
            env.push(json!({"name": format!("{prefix}{name}"), "valueFrom": {reference: {"key": key, "name": source.name}}}));
        }
    }
    Ok(env)
}

/// `set env --list`: the variables of each container; with `--resolve` what their references hold.
fn list_env(kube: &mut Kube, names: &[String]) -> Result<Next> {
    let resolve = kube.flags().on("resolve");
    let (targets, failures) = live(kube, names)?;
    fail_with(failures)?;
    for target in targets {
        let pointer = pod_spec(&target).unwrap_or("/spec");
        let mut unresolved: SortedMap<String, Vec<String>> = SortedMap::new();
        for field in ["containers", "initContainers"] {
            for container in list(&target.object, &format!("{pointer}/{field}")) {
                let (kind, name) = (&target.kind.kind, text(container, "/name"));
                kube.out(&format!("# {kind} {}, container {name}\n", target.name));
                for env in list(container, "/env") {
                    let (name, source) = (text(env, "/name"), &env["valueFrom"]);
                    let value = match env.get("value") {
                        Some(value) => Some(value.as_str().unwrap_or("").to_owned()),
                        None if resolve => match resolved(kube, &target, container, source) {
                            Ok(value) => Some(value),
                            Err(why) => {
                                unresolved.entry(why.text()).or_default().push(name.to_owned());
                                None
                            }
                        },
                        None => None,
                    };
                    kube.out(&match value {
                        Some(value) => format!("{name}={value}\n"),
                        None => format!("# {name} from {}\n", env_source(source)),
                    });
                }
            }
        }
        for (why, names) in &unresolved {
            kube.err(&format!(
                "error retrieving reference for {}: {why}\n",
                names.join(", ")
            ));
        }
    }
    Ok(Next::Done)
}

/// What a variable's source holds. Source: kubectl pkg/cmd/set/env/env_resolve.go, `GetEnvVarRefValue`.
/// # Errors
/// A ConfigMap, Secret or key that is not there; a path that an object of its kind cannot be asked for.
fn resolved(kube: &mut Kube, target: &Target, container: &Value, source: &Value) -> Result<String> {
    let keeper = [
        ("configMapKeyRef", Kind::ConfigMap, "config map"),
        ("secretKeyRef", Kind::Secret, "secret"),
    ];
    for (field, kind, called) in keeper {
        let Some(reference) = source.get(field) else {
            continue;
        };
        let (name, key) = (text(reference, "/name"), text(reference, "/key"));
        let object = kube.get(&known(kind).path(&target.namespace, name))?;
        return match object["data"].get(key).and_then(Value::as_str) {
            Some(data) if kind == Kind::Secret => {
                let bytes = STANDARD.decode(data).unwrap_or_default();
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            Some(data) => Ok(data.to_owned()),
            None => message(format!("key {key} not found in {called} {name}")),
        };
    }
    if let Some(reference) = source.get("resourceFieldRef") {
        let resource = text(reference, "/resource");
        let Some((part @ ("limits" | "requests"), name)) = resource.split_once('.') else {
            return message(format!("unsupported container resource : {resource}"));
        };
        let quantity = |value: &Value| Quantity::parse(value.as_str().unwrap_or("0")).unwrap_or_default();
        let (has, divisor) = (
            quantity(&container["resources"][part][name]),
            quantity(&reference["divisor"]),
        );
        let divisor = if divisor.is_zero() {
            Quantity::new(1, divisor.format())
        } else {
            divisor
        };
        let (has, divisor) = (
            i128::from(has.milli_value()),
            i128::from(divisor.milli_value().max(1)),
        );
        return Ok(((has + divisor - 1) / divisor).to_string());
    }
    let path = text(source, "/fieldRef/fieldPath");
    let meta = &target.object["metadata"];
    let (field, subscript) = path
        .strip_suffix("']")
        .and_then(|path| path.split_once("['"))
        .unwrap_or((path, ""));
    let value = match field {
        "metadata.name" | "metadata.namespace" | "metadata.uid" => &meta[&field["metadata.".len()..]],
        "metadata.labels" | "metadata.annotations" if !subscript.is_empty() => {
            &meta[&field["metadata.".len()..]][subscript]
        }
        "metadata.labels" | "metadata.annotations" => {
            let entries = meta[&field["metadata.".len()..]]
                .as_object()
                .into_iter()
                .flatten();
            let lines: Vec<String> = entries.map(|(key, value)| format!("{key}={value}")).collect();
            return Ok(lines.join("\n"));
        }
        _ => return message(format!("unsupported fieldPath: {path}")),
    };
    Ok(value.as_str().unwrap_or("").to_owned())
}

/// Where a variable's value comes from, in words.
fn env_source(source: &Value) -> String {
    if let Some(field) = source.get("fieldRef") {
        return format!("field path {}", text(field, "/fieldPath"));
    }
    if let Some(resource) = source.get("resourceFieldRef") {
        return format!("resource field {}", text(resource, "/resource"));
    }
    let (kind, key) = if source.get("secretKeyRef").is_some() {
        ("secret", &source["secretKeyRef"])
    } else {
        ("configmap", &source["configMapKeyRef"])
    };
    format!("{kind} {}, key {}", text(key, "/name"), text(key, "/key"))
}
