//! `cluster-info dump`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go.

use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, list, text, with_query};
use super::output::Format;
use super::resource::{Rk, known, list_pages};
use crate::api::Kind;
use serde_json::{Value, json};

/// What is dumped of a namespace: the type, and the name of its file.
const DUMPED: [(Kind, &str); 7] = [
    (Kind::Event, "events"),
    (Kind::ReplicationController, "replication-controllers"),
    (Kind::Service, "services"),
    (Kind::DaemonSet, "daemonsets"),
    (Kind::Deployment, "deployments"),
    (Kind::ReplicaSet, "replicasets"),
    (Kind::Pod, "pods"),
];

pub fn run(kube: &mut Kube) -> Result<Next> {
    let directory = kube.flags().text("output-directory").to_owned();
    let directory = Some(directory).filter(|name| !matches!(name.as_str(), "" | "-"));
    let format = Format::of(kube)?.unwrap_or(Format::Json);
    let extension = match format {
        Format::Json => "json",
        Format::Yaml => "yaml",
        _ => "txt",
    };
    let mut is_first = true;
    let mut write = |kube: &mut Kube, file: &str, content: &str| match &directory {
        None => {
            // Each object of a YAML printer but the first begins a document.
            if matches!(format, Format::Yaml) && !file.ends_with("logs.txt") && !std::mem::take(&mut is_first)
            {
                kube.out("---\n");
            }
            kube.out(content);
            Ok(())
        }
        Some(directory) => kube
            .io
            .session
            .write(&format!("{directory}/{file}"), content, true)
            .map_err(|why| Failure::Message(format!("write {directory}/{file}: {why}"))),
    };
    if let Some(directory) = &directory
        && kube.io.session.file(directory).is_some()
    {
        return message(format!("mkdir {directory}: not a directory"));
    }
    let nodes = listed(kube, &known(Kind::Node), None)?;
    let content = printed(kube, &format, &known(Kind::Node), nodes)?;
    write(kube, &format!("nodes.{extension}"), &content)?;
    for namespace in namespaces(kube)? {
        let mut pods = Value::Null;
        for (kind, file) in DUMPED {
            let kind = known(kind);
            let found = listed(kube, &kind, Some(&namespace))?;
            if kind.is(Kind::Pod) {
                pods = found.clone();
            }
            let content = printed(kube, &format, &kind, found)?;
            write(kube, &format!("{namespace}/{file}.{extension}"), &content)?;
        }
        for pod in list(&pods, "/items") {
            let file = format!("{namespace}/{}/logs.txt", text(pod, "/metadata/name"));
            for container in ["/spec/initContainers", "/spec/containers"]
                .iter()
                .flat_map(|path| list(pod, path))
            {
                let content = logs(kube, pod, text(container, "/name"));
                write(kube, &file, &content)?;
            }
        }
    }
    if let Some(directory) = directory {
        kube.out(&format!("Cluster info dumped to {directory}\n"));
    }
    Ok(Next::Done)
}

fn namespaces(kube: &mut Kube) -> Result<Vec<String>> {
    if kube.all_namespaces() {
        let all = list_pages(kube, &known(Kind::Namespace).collection(None))?;
        return Ok(all
            .iter()
            .map(|one| text(one, "/metadata/name").to_owned())
            .collect());
    }
    let given = kube.flags().list("namespaces");
    Ok(match given.is_empty() {
        true => vec!["kube-system".to_owned(), kube.namespace()],
        false => given,
    })
}

fn listed(kube: &mut Kube, kind: &Rk, namespace: Option<&str>) -> Result<Value> {
    kube.get(&kind.collection(namespace))
}

fn printed(kube: &mut Kube, format: &Format, kind: &Rk, mut list: Value) -> Result<String> {
    let item = json!({"apiVersion": list["apiVersion"], "kind": kind.kind});
    list["items"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .for_each(|item| {
            item.as_object_mut()
                .map(|item| (item.remove("kind"), item.remove("apiVersion")));
        });
    format.typed_list(kube, list, &item)
}

/// What a container wrote, between two lines that name it.
fn logs(kube: &mut Kube, pod: &Value, container: &str) -> String {
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let path = with_query(
        &format!("{}/log", known(Kind::Pod).path(namespace, name)),
        &[("container", container)],
    );
    let content = match kube.send("GET", &path, "application/json, */*", None, None) {
        Ok(answer) => answer.body,
        Err(_) => format!(
            "Request log error: the server rejected our request for an unknown reason (get pods {name})\n"
        ),
    };
    let rule =
        |word: &str| format!("==== {word} logs for container {container} of pod {namespace}/{name} ====\n");
    format!("{}{content}{}", rule("START"), rule("END"))
}
