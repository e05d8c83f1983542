//! `config view`.

use super::super::super::kubeconfig::{CLUSTERS, CONTEXTS, Kubeconfig, USERS, text};
use super::super::super::print::json as json_print;
use super::super::super::program::Session;
use super::super::failure::{Failure, Result, message};
use super::super::kube::{Kube, Next};
use super::super::output::Format;
use super::open;
use crate::api::yaml;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub fn view(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.join(" ");
    if !args.is_empty() {
        return Err(Failure::Usage(
            format!("unexpected arguments: [{args}]"),
            "config view",
        ));
    }
    if !kube.flags().on("merge") && kube.flags().text("kubeconfig").is_empty() {
        return message("if merge==false a precise file must be specified");
    }
    let (mut config, _) = open(kube)?;
    if kube.flags().on("minify") {
        if kube.flags().changed("context") {
            config.current_context = kube.flags().text("context").to_owned();
        }
        minify(&mut config)?;
    }
    if kube.flags().on("flatten") {
        flatten(&mut config, kube.io.session)?;
    } else if !kube.flags().on("raw") {
        redact(&mut config);
    }
    let value = config.value();
    match Format::of(kube)? {
        Some(Format::Json) => {
            let text = json_print::ranked(&value, &order(), 4) + "\n";
            kube.out(&text);
        }
        Some(Format::Name) => kube.out("config/<unknown>\n"),
        Some(format) => format.print(kube, &value)?,
        None => kube.out(&yaml::to_yaml(&value)),
    }
    Ok(Next::Done)
}

/// The fields of the file in Go's order; those of `exec` stand around the `apiVersion` that both have.
fn order() -> Vec<&'static str> {
    let head = [
        "kind",
        "command",
        "args",
        "env",
        "apiVersion",
        "installHint",
        "provideClusterInfo",
        "interactiveMode",
    ];
    let top = [
        "preferences",
        "clusters",
        "users",
        "contexts",
        "current-context",
        "name",
    ];
    let entries = [&CLUSTERS, &USERS, &CONTEXTS].into_iter();
    let fields = entries.flat_map(|section| section.fields.iter().map(|field| field.name));
    head.into_iter()
        .chain(top)
        .chain(fields)
        .chain(["config", "value"])
        .collect()
}

/// Only what the current context uses.
/// Source: k8s.io/client-go/tools/clientcmd/api/helpers.go.
fn minify(config: &mut Kubeconfig) -> Result<()> {
    let current = config.current_context.clone();
    if current.is_empty() {
        return message("current-context must exist in order to minify");
    }
    let Some(context) = config.contexts.get(&current).cloned() else {
        return message(format!("cannot locate context {current}"));
    };
    let (cluster, user) = (text(&context, "cluster"), text(&context, "user"));
    if !cluster.is_empty() && !config.clusters.contains_key(cluster) {
        return message(format!("cannot locate cluster {cluster}"));
    }
    if !user.is_empty() && !config.users.contains_key(user) {
        return message(format!("cannot locate user {user}"));
    }
    config.contexts.retain(|name, _| *name == current);
    config.clusters.retain(|name, _| name == cluster);
    config.users.retain(|name, _| name == user);
    Ok(())
}

/// Files taken into the kubeconfig.
fn flatten(config: &mut Kubeconfig, session: &Session) -> Result<()> {
    let users = config
        .users
        .values_mut()
        .map(|user| (user, ["client-certificate", "client-key"].as_slice()));
    let clusters = config
        .clusters
        .values_mut()
        .map(|cluster| (cluster, ["certificate-authority"].as_slice()));
    for (entry, fields) in users.chain(clusters) {
        for field in fields {
            let Some(Value::String(file)) = entry.remove(*field) else {
                continue;
            };
            let Some(content) = session.file(&file) else {
                return message(format!("open {file}: no such file or directory"));
            };
            entry.insert(format!("{field}-data"), STANDARD.encode(content).into());
        }
    }
    Ok(())
}

fn redact(config: &mut Kubeconfig) {
    for entry in config.users.values_mut().chain(config.clusters.values_mut()) {
        for (name, value) in entry.iter_mut() {
            match name.as_str() {
                "token" | "password" => *value = "REDACTED".into(),
                name if name.ends_with("-data") => *value = "DATA+OMITTED".into(),
                _ => {}
            }
        }
    }
}
