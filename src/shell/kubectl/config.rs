//! `config`: the one kubeconfig of the console.

use super::super::print::{TabWriter, json as json_print, yaml};
use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next};
use super::output::Format;
use serde_json::{Value, json};

/// The context, and its cluster.
const NAME: &str = "company-x";
const USER: &str = "you";

/// The kubeconfig as the session stands for it.
fn config(kube: &Kube) -> Value {
    let session = &kube.io.session;
    let user = match &session.token {
        Some(_) => json!({"token": "REDACTED"}),
        None => json!({}),
    };
    json!({"apiVersion": "v1", "kind": "Config", "current-context": NAME, "preferences": {},
        "clusters": [{"name": NAME, "cluster": {"server": session.server}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "namespace": session.namespace, "user": USER}}],
        "users": [{"name": USER, "user": user}]})
}

/// Refuses the global flags that ask for another cluster, user or kubeconfig than the one there is.
/// # Errors
/// client-go's words for what the kubeconfig does not have.
/// Source: k8s.io/client-go/tools/clientcmd.
pub fn check(kube: &Kube) -> Result<()> {
    let command = kube.call.command;
    if command.name.starts_with("config ") {
        return Ok(());
    }
    // A command's own flag of that name is about something else: `create rolebinding --user`.
    let is_own = |flag: &str| {
        command
            .flags
            .iter()
            .any(|set| set.iter().any(|own| own.name == flag))
    };
    let given = |flag: &str| Some(kube.flags().text(flag)).filter(|text| !text.is_empty() && !is_own(flag));
    let host = |text: &str| {
        let text = text.trim_end_matches('/');
        text.split_once("://").map_or(text, |(_, host)| host).to_owned()
    };
    if let Some(path) = given("kubeconfig").filter(|path| !path.ends_with(".kube/config")) {
        return message(format!("stat {path}: no such file or directory"));
    }
    if let Some(context) = given("context").filter(|context| *context != NAME) {
        return Err(Failure::Plain(format!(
            "Error in configuration: context was not found for specified context: {context}"
        )));
    }
    if let Some(cluster) = given("cluster").filter(|cluster| *cluster != NAME) {
        return message(format!("no server found for cluster {cluster:?}"));
    }
    if let Some(user) = given("user").filter(|user| *user != USER) {
        return message(format!("auth info {user:?} does not exist"));
    }
    match given("server").map(host) {
        Some(server) if server != host(&kube.io.session.server) => Err(Failure::Plain(format!(
            "The connection to the server {server} was refused - did you specify the right host or port?"
        ))),
        _ => Ok(()),
    }
}

/// The fields of a kubeconfig in Go's order. Source: k8s.io/client-go/tools/clientcmd/api/v1/types.go.
const FIELDS: [&str; 11] = [
    "kind",
    "apiVersion",
    "preferences",
    "clusters",
    "users",
    "contexts",
    "current-context",
    "name",
    "cluster",
    "user",
    "namespace",
];

pub fn config_view(kube: &mut Kube) -> Result<Next> {
    let config = config(kube);
    match Format::of(kube)? {
        Some(Format::Json) => kube.out(&(json_print::ranked(&config, &FIELDS, 4) + "\n")),
        Some(format) => format.print(kube, &config)?,
        None => kube.out(&yaml::document(&config)),
    }
    Ok(Next::Done)
}

pub fn config_current(kube: &mut Kube) -> Result<Next> {
    kube.out(&format!("{NAME}\n"));
    Ok(Next::Done)
}

pub fn config_contexts(kube: &mut Kube) -> Result<Next> {
    let namespace = kube.io.session.namespace.clone();
    let names = kube.call.args.clone();
    let shown = names.is_empty() || names.iter().any(|name| name == NAME);
    let unknown = names.into_iter().find(|name| name != NAME);
    let text = match (kube.flags().text("output"), kube.flags().on("no-headers")) {
        ("name", _) => format!("{NAME}\n"),
        ("", no_headers) => {
            let head = if no_headers {
                ""
            } else {
                "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n"
            };
            let row = match shown {
                true => format!("*\t{NAME}\t{NAME}\t{USER}\t{namespace}\n"),
                false => String::new(),
            };
            TabWriter::table().format(&format!("{head}{row}"))
        }
        _ => return message("output must be one of '' or 'name'"),
    };
    kube.out(&text);
    match unknown {
        Some(name) => message(format!("context {name} not found")),
        None => Ok(Next::Done),
    }
}

/// `config get-clusters`, `config get-users`
pub fn config_names(kube: &mut Kube) -> Result<Next> {
    let name = if kube.call.command.name.ends_with("users") {
        USER
    } else {
        NAME
    };
    kube.out(&format!("NAME\n{name}\n"));
    Ok(Next::Done)
}

/// What would change the kubeconfig's other parts.
pub fn config_fixed(kube: &mut Kube) -> Result<Next> {
    message(format!(
        "{} is not supported here: the kubeconfig has one context, {NAME}; its namespace can be changed with kubectl config set-context --current --namespace=NAMESPACE",
        kube.call.command.name
    ))
}

pub fn config_set_context(kube: &mut Kube) -> Result<Next> {
    let name = kube.call.args.first().cloned();
    if name.is_some() == kube.flags().on("current") {
        return message(if name.is_some() {
            "you cannot specify both a context name and --current"
        } else {
            "you must specify a non-empty context name or --current"
        });
    }
    if name.as_deref().is_some_and(|n| n != NAME) {
        return message(format!("there is one context here, {NAME}"));
    }
    if kube.flags().changed("namespace") {
        kube.io.session.namespace = kube.flags().text("namespace").to_owned();
    }
    kube.out(&format!("Context {NAME:?} modified.\n"));
    Ok(Next::Done)
}

pub fn config_use_context(kube: &mut Kube) -> Result<Next> {
    match kube.call.args.first().map(String::as_str) {
        Some(NAME) => {
            kube.out(&format!("Switched to context {NAME:?}.\n"));
            Ok(Next::Done)
        }
        Some(other) => message(format!("no context exists with the name: {other:?}")),
        None => message("accepts 1 arg(s), received 0"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::program::Session;
    use super::super::super::testing::Fake;
    use super::*;

    #[test]
    fn the_namespace_sticks() {
        let mut session = Session::default();
        let mut fake = Fake::default().on("GET /api/v1/namespaces/demo/pods/a", 200, json!({"kind": "Pod"}));
        assert_eq!(
            fake.run_in(
                &mut session,
                "kubectl config set-context --current --namespace=demo"
            )
            .0,
            "Context \"company-x\" modified.\n"
        );
        assert_eq!(
            fake.run_in(&mut session, "kubectl get pod a -o jsonpath='{.kind}'")
                .0,
            "Pod"
        );
    }
}
