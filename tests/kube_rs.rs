//! `kube-rs`, the Rust client nobody here wrote, against the server: its own typical programs.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a real client takes real time"
)]

mod served;

#[path = "kube_rs/apply.rs"]
mod apply;
#[path = "kube_rs/controller.rs"]
mod controller;
#[path = "kube_rs/discovery.rs"]
mod discovery;
#[path = "kube_rs/subresources.rs"]
mod subresources;
#[path = "kube_rs/verbs.rs"]
mod verbs;
#[path = "kube_rs/wait.rs"]
mod wait;
#[path = "kube_rs/watch.rs"]
mod watch;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Config, Error, core::Status};
use serde_json::json;
use served::Server;
use std::future::Future;
use std::time::Duration;

/// The namespace of every test.
const DEMO: &str = "demo";

/// Whatever takes longer than this never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of its own and a client of it; namespace `demo` is there.
async fn connect() -> (Server, Client) {
    let server = Server::start(&["--nodes", "2"]);
    let client = client(&server, "admin-token");
    let namespace: Namespace = from(json!({"metadata": {"name": DEMO}}));
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    // Pods are refused until the controller has made the account they run under.
    let accounts: Api<ServiceAccount> = Api::default_namespaced(client.clone());
    until("the default account", || async {
        accounts.get_opt("default").await.unwrap()
    })
    .await;
    (server, client)
}

fn client(server: &Server, token: &str) -> Client {
    let mut config = Config::new(format!("http://{}", server.address).parse().unwrap());
    config.default_namespace = DEMO.to_owned();
    // A refusal is what some of the tests wait for.
    config.default_retry = false;
    config.auth_info.token = Some(token.to_owned().into());
    Client::try_from(config).unwrap()
}

fn from<K: serde::de::DeserializeOwned>(value: serde_json::Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// A ConfigMap with one label and one entry.
fn config_map(name: &str, label: (&str, &str), data: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some([(label.0.to_owned(), label.1.to_owned())].into()),
            ..ObjectMeta::default()
        },
        data: Some([("key".to_owned(), data.to_owned())].into()),
        ..ConfigMap::default()
    }
}

/// The Status the server refused with.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> Status {
    match result {
        Err(Error::Api(status)) => *status,
        other => panic!("not refused by the server: {other:?}"),
    }
}

/// Waits, but not for ever.
async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: nothing within {PATIENCE:?}"),
    }
}

/// Asks again and again until there is an answer.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon(what, looking).await
}
