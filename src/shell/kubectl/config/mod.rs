//! `config`, and where and as whom the other commands go: the kubeconfig and the flags over it.
//!
//! Source: k8s.io/kubectl/pkg/cmd/config and k8s.io/client-go/tools/clientcmd.

mod contexts;
mod entries;
mod property;
mod view;

pub use contexts::{current, delete, list_contexts, names, rename, set_context, use_context};
pub use entries::{set_cluster, set_credentials};
pub use property::{set, unset};
pub use view::view;

use super::super::kubeconfig::{Entry, Kubeconfig, PATH, text};
use super::super::program::Session;
use super::failure::{Failure, Result, message};
use super::help;
use super::kube::{Call, Kube, Next};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Where a command's requests go, and as whom.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The API server's address, with its scheme.
    pub server: String,
    pub namespace: String,
    /// The value of the header `Authorization`; empty without credentials.
    pub authorization: String,
    /// Whom `as` of the kubeconfig names: user, UID, groups.
    pub impersonated: (String, String, Vec<String>),
}

/// The file of the kubeconfig, as it was named.
fn path(call: &Call, session: &Session) -> String {
    let default = session.variables.get("KUBECONFIG").map_or(PATH, String::as_str);
    match call.flags.text("kubeconfig") {
        "" => default.to_owned(),
        named => named.to_owned(),
    }
}

fn load(path: &str, session: &Session) -> Result<Kubeconfig> {
    let Some(text) = session.file(path) else {
        return Ok(Kubeconfig::default());
    };
    Kubeconfig::read(text)
        .map_err(|why| Failure::Message(format!("error loading config file {path:?}: {why}")))
}

/// What this command line's flags and the kubeconfig come to.
/// # Errors
/// client-go's words for what the kubeconfig does not have, and ours for credentials that nobody here reads.
pub fn target(call: &Call, session: &Session) -> Result<Target> {
    if call.command.name.starts_with("config ") {
        return Ok(Target::default());
    }
    // A command's own flag of that name is about something else: `create rolebinding --user`.
    let own = call.command.flags.iter().flat_map(|set| set.iter());
    let given = |flag: &str| match call.flags.text(flag) {
        "" => None,
        _ if own.clone().any(|own| own.name == flag) => None,
        text => Some(text),
    };
    let path = path(call, session);
    if given("kubeconfig").is_some() && session.file(&path).is_none() {
        return message(format!("stat {path}: no such file or directory"));
    }
    let config = load(&path, session)?;
    let nothing = Entry::new();
    let mut wrong = Vec::new();
    let name = given("context").unwrap_or(&config.current_context);
    let context = config.contexts.get(name).unwrap_or(&nothing);
    let no_context = !name.is_empty() && !config.contexts.contains_key(name);
    if no_context {
        wrong.push(format!("context was not found for specified context: {name}"));
    }
    let user_name = given("user").unwrap_or(text(context, "user"));
    let user = config.users.get(user_name).unwrap_or(&nothing);
    wrong.extend(check_user(user_name, user, session));
    let cluster_name = given("cluster").unwrap_or(text(context, "cluster"));
    let cluster = config.clusters.get(cluster_name).unwrap_or(&nothing);
    if given("cluster").is_some() && !config.clusters.contains_key(cluster_name) && given("server").is_none()
    {
        wrong.push(format!("no server found for cluster {cluster_name:?}"));
    }
    wrong.extend(unreadable(
        "certificate-authority",
        "certificate-authority",
        cluster_name,
        cluster,
        session,
    ));
    match wrong.as_slice() {
        [] => {}
        [one] if !no_context => return message(one),
        [one] => return Err(Failure::Plain(format!("Error in configuration: {one}"))),
        _ => {
            let lines: String = wrong.iter().map(|one| format!("\n* {one}")).collect();
            return Err(Failure::Plain(format!("Error in configuration: {lines}")));
        }
    }
    if given("user").is_some() && !config.users.contains_key(user_name) {
        return message(format!("auth info {user_name:?} does not exist"));
    }
    let server = match given("server").unwrap_or(text(cluster, "server")) {
        "" => "http://localhost:8080".to_owned(),
        server if server.contains("://") => server.to_owned(),
        server => format!("http://{server}"),
    };
    // Secrets are not sent where everybody could read them.
    let mut authorization = String::new();
    if server.starts_with("https://") {
        for flag in ["client-certificate", "client-key"] {
            if let Some(file) = given(flag) {
                return Err(no_certificates(&format!("--{flag}={file}")));
            }
        }
        authorization = match (given("token"), given("username")) {
            (Some(token), _) => format!("Bearer {token}"),
            (None, Some(name)) => basic(name, call.flags.text("password")),
            (None, None) => credentials(user_name, user, session)?,
        };
        if authorization.is_empty() {
            // Nobody is asked here who could answer.
            return Err(Failure::Plain("Please enter Username: error: EOF".to_owned()));
        }
    }
    reachable(&server, &session.server)?;
    let groups = user.get("as-groups").and_then(Value::as_array);
    let groups = groups.into_iter().flatten().filter_map(Value::as_str);
    Ok(Target {
        server: server.trim_end_matches('/').to_owned(),
        namespace: match text(context, "namespace") {
            "" => "default".to_owned(),
            name => name.to_owned(),
        },
        authorization,
        impersonated: (
            text(user, "as").to_owned(),
            text(user, "as-uid").to_owned(),
            groups.map(str::to_owned).collect(),
        ),
    })
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// The API server here knows people by their tokens.
fn no_certificates(what: &str) -> Failure {
    Failure::Message(format!(
        "{what}: client certificates are not supported here; a bearer token says who you are"
    ))
}

/// The file of an entry that cannot be read.
fn unreadable(field: &str, what: &str, name: &str, entry: &Entry, session: &Session) -> Option<String> {
    let file = text(entry, field);
    (!file.is_empty() && session.file(file).is_none()).then(|| {
        format!("unable to read {what} {file} for {name} due to open {file}: no such file or directory")
    })
}

/// What is wrong with a user of the kubeconfig.
/// Source: k8s.io/client-go/tools/clientcmd/validation.go (validateAuthInfo).
fn check_user(name: &str, user: &Entry, session: &Session) -> Vec<String> {
    let has = |field: &str| user.contains_key(field);
    let mut methods = Vec::new();
    if has("token") {
        methods.push("token");
    }
    if has("username") || has("password") {
        methods.push("basicAuth");
    }
    let mut wrong = Vec::new();
    if has("client-certificate") || has("client-certificate-data") {
        if !has("client-key") && !has("client-key-data") {
            wrong.push(format!(
                "client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
            ));
        }
        wrong.extend(unreadable(
            "client-certificate",
            "client-cert",
            name,
            user,
            session,
        ));
        wrong.extend(unreadable("client-key", "client-key", name, user, session));
    }
    if methods.len() > 1 {
        wrong.push(format!(
            "more than one authentication method found for {name}; found [{}], only one is allowed",
            methods.join(" ")
        ));
    }
    wrong
}

/// What a user of the kubeconfig sends as `Authorization`.
fn credentials(name: &str, user: &Entry, session: &Session) -> Result<String> {
    let has = |field: &str| user.contains_key(field);
    if has("client-certificate") || has("client-certificate-data") {
        return Err(no_certificates(&format!("user {name:?}")));
    }
    if let Some(provider) = user.get("auth-provider") {
        return message(format!("no Auth Provider found for name {}", provider["name"]));
    }
    if let Some(exec) = user.get("exec") {
        return Err(Failure::Plain(format!(
            "Unable to connect to the server: getting credentials: exec: executable {} not found",
            exec["command"].as_str().unwrap_or("")
        )));
    }
    let token_file = text(user, "tokenFile");
    if !token_file.is_empty() {
        return match session.file(token_file) {
            Some(token) => Ok(format!("Bearer {}", token.trim())),
            None => message(format!("open {token_file}: no such file or directory")),
        };
    }
    Ok(match (text(user, "token"), has("username") || has("password")) {
        ("", false) => String::new(),
        ("", true) => basic(text(user, "username"), text(user, "password")),
        (token, _) => format!("Bearer {token}"),
    })
}

/// Nothing but the one API server answers here.
fn reachable(server: &str, known: &str) -> Result<()> {
    let (scheme, host) = server.split_once("://").unwrap_or(("", server));
    let host = host.split('/').next().unwrap_or("");
    let known = known.split_once("://").map_or(known, |(_, host)| host);
    if host == known {
        return Ok(());
    }
    if !matches!(scheme, "http" | "https") {
        return Err(Failure::Plain(format!(
            "Unable to connect to the server: unsupported protocol scheme {scheme:?}"
        )));
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    let is_known = known.rsplit_once(':').is_some_and(|(host, _)| host == name);
    Err(Failure::Plain(if is_address || is_known || name == "localhost" {
        format!("The connection to the server {host} was refused - did you specify the right host or port?")
    } else {
        format!("Unable to connect to the server: dial tcp: lookup {name}: no such host")
    }))
}

/// The kubeconfig of this command line and where it lies.
fn open(kube: &Kube) -> Result<(Kubeconfig, String)> {
    let path = path(kube.call, kube.io.session);
    Ok((load(&path, kube.io.session)?, path))
}

/// Writes the kubeconfig back.
fn save(kube: &mut Kube, config: &Kubeconfig, path: &str) -> Result<()> {
    let text = crate::api::yaml::to_yaml(&config.value());
    kube.io
        .session
        .write(path, &text, false)
        .map_err(|why| Failure::Message(format!("write {path}: {why}")))
}

/// The command's arguments, when there are as many as it takes.
/// # Errors
/// The command's help, and what is too many or too few.
fn arguments<const N: usize>(kube: &mut Kube) -> Result<[String; N]> {
    match <[String; N]>::try_from(kube.call.args.clone()) {
        Ok(args) => Ok(args),
        Err(args) => {
            let text = help::command(kube.call.command);
            kube.out(&text);
            message(format!("Unexpected args: [{}]", args.join(" ")))
        }
    }
}

/// Ends with a line.
fn say(kube: &mut Kube, text: &str) -> Result<Next> {
    kube.out(&format!("{text}\n"));
    Ok(Next::Done)
}

#[cfg(test)]
mod tests;
