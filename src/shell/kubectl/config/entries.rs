//! `config set-cluster`, `config set-credentials`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/config/set_cluster.go, set_credentials.go.

use super::super::super::kubeconfig::{Entry, set_text};
use super::super::failure::{Result, message};
use super::super::help;
use super::super::kube::{Kube, Next};
use super::{arguments, open, save, say};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Takes a text flag into the entry, where it was given; whether it says anything.
fn take(kube: &Kube, entry: &mut Entry, flag: &str) -> bool {
    if kube.flags().changed(flag) {
        set_text(entry, flag, kube.flags().text(flag));
    }
    !kube.flags().text(flag).is_empty()
}

/// Takes a file in: its path, or with `--embed-certs` its content.
fn take_file(kube: &Kube, entry: &mut Entry, flag: &str) -> Result<()> {
    if !kube.flags().changed(flag) {
        return Ok(());
    }
    let name = kube.flags().text(flag);
    let data = format!("{flag}-data");
    if kube.flags().on("embed-certs") {
        let Some(content) = kube.io.session.file(name) else {
            return message(format!(
                "could not stat {flag} file {name}: stat {name}: no such file or directory"
            ));
        };
        entry.insert(data, STANDARD.encode(content).into());
        entry.remove(flag);
    } else {
        set_text(entry, flag, name);
        if !name.is_empty() {
            entry.remove(&data);
        }
    }
    Ok(())
}

pub fn set_cluster(kube: &mut Kube) -> Result<Next> {
    const CA: &str = "certificate-authority";
    const INSECURE: &str = "insecure-skip-tls-verify";
    let [name] = arguments(kube)?;
    if name.is_empty() {
        return message("you must specify a non-empty cluster name");
    }
    let authority = kube.flags().text(CA).to_owned();
    if kube.flags().on(INSECURE) && !authority.is_empty() {
        return message("you cannot specify a certificate authority and insecure mode at the same time");
    }
    if kube.flags().on("embed-certs") && authority.is_empty() {
        return message("you must specify a --certificate-authority to embed");
    }
    let (mut config, path) = open(kube)?;
    let cluster = config.clusters.entry(name.clone()).or_default();
    for flag in ["server", "tls-server-name", "proxy-url"] {
        take(kube, cluster, flag);
    }
    if kube.flags().changed(INSECURE) {
        cluster.remove(INSECURE);
        // Whoever checks nothing needs nothing to check against.
        if kube.flags().on(INSECURE) {
            cluster.insert(INSECURE.to_owned(), true.into());
            cluster.remove(CA);
            cluster.remove("certificate-authority-data");
        }
    }
    take_file(kube, cluster, CA)?;
    if !authority.is_empty() {
        cluster.remove(INSECURE);
    }
    save(kube, &config, &path)?;
    say(kube, &format!("Cluster {name:?} set."))
}

/// `key=value` sets, `key-` takes away; help and an error for anything else.
fn pairs(kube: &mut Kube, flag: &str) -> Result<Vec<(String, Option<String>)>> {
    let mut pairs = Vec::new();
    for text in kube.flags().list(flag) {
        pairs.push(match (text.split_once('='), text.strip_suffix('-')) {
            (Some((key, value)), _) => (key.to_owned(), Some(value.to_owned())),
            (None, Some(key)) => (key.to_owned(), None),
            (None, None) => {
                let help = help::command(kube.call.command);
                kube.out(&help);
                return message(format!("invalid {flag} format: {text}"));
            }
        });
    }
    Ok(pairs)
}

pub fn set_credentials(kube: &mut Kube) -> Result<Next> {
    let [name] = arguments(kube)?;
    let provider_args = pairs(kube, "auth-provider-arg")?;
    let env = pairs(kube, "exec-env")?;
    let flags = kube.flags();
    let (token, basic) = (
        !flags.text("token").is_empty(),
        !flags.text("username").is_empty() || !flags.text("password").is_empty(),
    );
    if name.is_empty() {
        return message("you must specify a non-empty user name");
    }
    if token && basic {
        return message(
            "you cannot specify more than one authentication method at the same time: --token, --username/--password",
        );
    }
    let files = ["client-certificate", "client-key"];
    if flags.on("embed-certs") && files.iter().all(|flag| flags.text(flag).is_empty()) {
        return message("you must specify a --client-certificate or --client-key to embed");
    }
    let mode = flags.text("exec-interactive-mode").to_owned();
    if !matches!(mode.as_str(), "" | "IfAvailable" | "Never" | "Always") {
        return message("invalid interactive mode type, can be only IfAvailable, Never, Always");
    }
    let (mut config, path) = open(kube)?;
    let user = config.users.entry(name.clone()).or_default();
    for flag in files {
        take_file(kube, user, flag)?;
    }
    for flag in ["token", "username", "password"] {
        take(kube, user, flag);
    }
    provider(kube, user, &provider_args);
    exec(kube, user, &env, &mode);
    // One way of saying who one is takes the others away.
    if token || basic {
        let others: &[&str] = if token {
            &["username", "password"]
        } else {
            &["token"]
        };
        others.iter().for_each(|field| drop(user.remove(*field)));
    }
    save(kube, &config, &path)?;
    say(kube, &format!("User {name:?} set."))
}

fn provider(kube: &Kube, user: &mut Entry, args: &[(String, Option<String>)]) {
    let name = kube.flags().text("auth-provider");
    if kube.flags().changed("auth-provider") && user.get("auth-provider").is_none_or(|p| p["name"] != name) {
        user.insert("auth-provider".to_owned(), json!({"name": name, "config": null}));
    }
    let Some(provider) = user.get_mut("auth-provider").filter(|_| !args.is_empty()) else {
        return;
    };
    if !provider["config"].is_object() {
        provider["config"] = Value::Object(Map::new());
    }
    for (key, value) in args {
        let Some(config) = provider["config"].as_object_mut() else {
            return;
        };
        match value {
            Some(value) => drop(config.insert(key.clone(), value.as_str().into())),
            None => drop(config.remove(key)),
        }
    }
}

/// The plugin that fetches credentials: its other flags change one that is there.
fn exec(kube: &Kube, user: &mut Entry, env: &[(String, Option<String>)], mode: &str) {
    let flags = kube.flags();
    if flags.changed("exec-command") {
        let exec = user.entry("exec").or_insert_with(
            || json!({"command": "", "args": null, "env": null, "provideClusterInfo": false}),
        );
        exec["command"] = flags.text("exec-command").into();
    }
    let Some(exec) = user.get_mut("exec") else {
        return;
    };
    if flags.changed("exec-api-version") {
        exec["apiVersion"] = flags.text("exec-api-version").into();
    }
    if flags.changed("exec-provide-cluster-info") {
        exec["provideClusterInfo"] = flags.on("exec-provide-cluster-info").into();
    }
    if !mode.is_empty() {
        exec["interactiveMode"] = mode.into();
    }
    if flags.changed("exec-arg") {
        exec["args"] = flags.list("exec-arg").into();
    }
    if env.is_empty() {
        return;
    }
    let mut list = exec["env"].as_array().cloned().unwrap_or_default();
    for (key, value) in env {
        let at = list.iter().position(|one| one["name"] == key.as_str());
        match (at, value) {
            (Some(at), Some(value)) => list[at]["value"] = value.as_str().into(),
            (Some(at), None) => drop(list.remove(at)),
            (None, Some(value)) => list.push(json!({"name": key, "value": value})),
            (None, None) => {}
        }
    }
    exec["env"] = list.into();
}
