//! `logs`, and which Pod and container a command means.

use super::super::transport::{Chunk, StreamId, Transport};
use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, Step, Task, list, text, with_query};
use super::resource::{Rk, Selection, known, list_pages, select};
use crate::api::Kind;
use crate::api::order::StableSort;
use serde_json::Value;

const USAGE: &str = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

pub fn run(kube: &mut Kube) -> Result<Next> {
    let flags = kube.flags().clone();
    let args = kube.call.args.clone();
    let selector = flags.text("selector").to_owned();
    let namespace = kube.namespace();
    if args.is_empty() && selector.is_empty() || args.len() > 2 {
        return Err(Failure::Usage(USAGE.to_owned(), "logs"));
    }
    if !args.is_empty() && !selector.is_empty() {
        let why = "only a selector (-l) or a POD name is allowed".to_owned();
        return Err(Failure::Usage(why, "logs"));
    }
    let mut container = flags.text("container").to_owned();
    if let Some(second) = args.get(1) {
        if !container.is_empty() {
            return message("only one of -c or an inline [CONTAINER] arg is allowed");
        }
        container = second.clone();
    }
    if flags.on("all-containers") && !container.is_empty() {
        return message(format!(
            "--all-containers=true should not be specified with container name {container}"
        ));
    }
    if flags.changed("since") && flags.changed("since-time") {
        return message("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    let since = flags.text("since-time");
    if !since.is_empty() && !since.starts_with(|c: char| c.is_ascii_digit()) {
        return message(format!(
            "parsing time {since:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {since:?} as \"2006\""
        ));
    }
    if flags.int("tail") < -1 {
        return message("--tail must be greater than or equal to -1");
    }
    if flags.changed("limit-bytes") && flags.int("limit-bytes") < 1 {
        return message("--limit-bytes must be greater than 0");
    }
    let by_selector = !selector.is_empty();
    let pods = if by_selector {
        list_pages(
            kube,
            &with_query(
                &known(Kind::Pod).collection(Some(&namespace)),
                &[("labelSelector", &selector)],
            ),
        )?
    } else {
        let mut found = pods_of(kube, &args[0], &namespace).map_err(|failure| match failure {
            failure if failure.is_not_found() => Failure::Message(format!(
                "error from server (NotFound): {} in namespace {namespace:?}",
                failure.text()
            )),
            failure => failure,
        })?;
        if found.len() > 1 && !flags.on("all-pods") {
            kube.err(&format!(
                "Found {} pods, using pod/{}\n",
                found.len(),
                text(&found[0], "/metadata/name")
            ));
            found.truncate(1);
        }
        found
    };
    if pods.is_empty() {
        kube.err(&format!("No resources found in {namespace} namespace.\n"));
        return Ok(Next::Done);
    }
    let mut paths = Vec::new();
    for pod in &pods {
        let names: Vec<String> = [
            "/spec/initContainers",
            "/spec/containers",
            "/spec/ephemeralContainers",
        ]
        .iter()
        .flat_map(|p| list(pod, p))
        .map(|c| text(c, "/name").to_owned())
        .collect();
        let pod_name = text(pod, "/metadata/name");
        let wanted = if flags.on("all-containers") {
            names
        } else if !container.is_empty() {
            if !names.contains(&container) {
                return message(format!("container {container} is not valid for pod {pod_name}"));
            }
            vec![container.clone()]
        } else {
            vec![default_container(kube, pod, by_selector)?]
        };
        for name in wanted {
            let path = format!(
                "{}/log",
                known(Kind::Pod).path(text(pod, "/metadata/namespace"), pod_name)
            );
            let tail = match flags.text("tail") {
                "-1" if by_selector => "10",
                "-1" => "",
                lines => lines,
            };
            let on = |flag: &str| if flags.on(flag) { "true" } else { "" };
            let since = flags.duration("since").as_secs();
            let since = if since > 0 {
                since.to_string()
            } else {
                String::new()
            };
            let bytes = if flags.int("limit-bytes") > 0 {
                flags.text("limit-bytes")
            } else {
                ""
            };
            let query = [
                ("container", name.as_str()),
                ("follow", on("follow")),
                ("previous", on("previous")),
                ("timestamps", on("timestamps")),
                ("tailLines", tail),
                ("sinceSeconds", &since),
                ("sinceTime", flags.text("since-time")),
                ("limitBytes", bytes),
            ];
            let prefix = if flags.on("prefix") || flags.on("all-pods") {
                format!("[pod/{pod_name}/{name}] ")
            } else {
                String::new()
            };
            paths.push((with_query(&path, &query), prefix));
        }
    }
    let most = flags.int("max-log-requests");
    if flags.on("follow") && paths.len() as i64 > most {
        return message(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {most}, use --max-log-requests to increase the limit",
            paths.len()
        ));
    }
    if !flags.on("follow") {
        for (path, prefix) in paths {
            match kube.send("GET", &path, "application/json, */*", None, None) {
                Ok(answer) => {
                    let text = prefixed(&answer.body, &prefix);
                    kube.out(&text);
                }
                Err(failure) if flags.on("ignore-errors") => kube.err(&failure.printed()),
                Err(failure) => return Err(failure),
            }
        }
        return Ok(Next::Done);
    }
    let mut streams = Vec::new();
    for (path, prefix) in paths {
        let request = kube.request("GET", &path, "application/json, */*");
        match kube.io.transport.open(&request) {
            Ok(stream) => streams.push((stream, prefix)),
            Err(answer) => {
                streams.iter().for_each(|(s, _)| kube.io.transport.close(*s));
                return Err(kube.refused(&answer));
            }
        }
    }
    Ok(Next::Task(Box::new(Follow { streams })))
}

fn prefixed(text: &str, prefix: &str) -> String {
    if prefix.is_empty() {
        text.to_owned()
    } else {
        text.lines().map(|line| format!("{prefix}{line}\n")).collect()
    }
}

/// Prints streams until all have ended.
pub struct Follow {
    pub streams: Vec<(StreamId, String)>,
}

impl Task for Follow {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        let mut open = Vec::new();
        for (stream, prefix) in std::mem::take(&mut self.streams) {
            loop {
                match kube.io.transport.read(stream) {
                    Chunk::Data(text) => {
                        let text = prefixed(&text, &prefix);
                        kube.out(&text);
                    }
                    Chunk::Pending => {
                        open.push((stream, prefix));
                        break;
                    }
                    Chunk::End => {
                        kube.io.transport.close(stream);
                        break;
                    }
                }
            }
        }
        self.streams = open;
        Ok(if self.streams.is_empty() {
            Step::Done
        } else {
            Step::Wait(None)
        })
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        self.streams
            .drain(..)
            .for_each(|(stream, _)| transport.close(stream));
    }
}

/// The container a command means when none is named; says so when there are several.
pub fn default_container(kube: &mut Kube, pod: &Value, quiet: bool) -> Result<String> {
    let names: Vec<&str> = list(pod, "/spec/containers")
        .iter()
        .map(|c| text(c, "/name"))
        .collect();
    if let Some(chosen) = pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"].as_str()
        && names.contains(&chosen)
    {
        return Ok(chosen.to_owned());
    }
    let Some(first) = names.first() else {
        return message("the pod has no containers");
    };
    let others = [("ephemeralContainers", "ephem"), ("initContainers", "init")];
    let others = others.iter().flat_map(|(field, short)| {
        let containers = list(pod, &format!("/spec/{field}")).iter();
        containers.map(move |container| format!("{} ({short})", text(container, "/name")))
    });
    let all: Vec<String> = names.iter().map(|n| (*n).to_owned()).chain(others).collect();
    if all.len() > 1 && !quiet {
        kube.err(&format!(
            "Defaulted container {first:?} out of: {}\n",
            all.join(", ")
        ));
    }
    Ok((*first).to_owned())
}

/// The Pod a word means: `web`, `pod/web`, or the first Pod of `deploy/web`.
pub fn pod_of(kube: &mut Kube, word: &str, namespace: &str) -> Result<Value> {
    Ok(pods_of(kube, word, namespace)?.remove(0))
}

/// The Pods a word means, at least one, the one to choose first.
fn pods_of(kube: &mut Kube, word: &str, namespace: &str) -> Result<Vec<Value>> {
    let pods = known(Kind::Pod);
    let Some((kind, name)) = word.split_once('/') else {
        return Ok(vec![kube.get(&pods.path(namespace, word))?]);
    };
    let (kind, name): (Rk, String) = match select(kube, &[format!("{kind}/{name}")])? {
        Selection::Named(mut named) => named.remove(0),
        Selection::Types(_) => return message(USAGE),
    };
    let object = kube.get(&kind.path(namespace, &name))?;
    if kind.is(Kind::Pod) {
        return Ok(vec![object]);
    }
    let selector = super::describe::selector_text(&object["spec"]["selector"]);
    if selector.is_empty() || selector == "<none>" {
        return message(format!(
            "cannot get the logs from {}: selector is empty",
            kind.api_version()
        ));
    }
    let mut found = list_pages(
        kube,
        &with_query(&pods.collection(Some(namespace)), &[("labelSelector", &selector)]),
    )?;
    // Running and ready ones first, the longest-lived of them.
    found.stable_sort_by_key(|pod| {
        let ready = list(pod, "/status/conditions")
            .iter()
            .any(|c| c["type"] == "Ready" && c["status"] == "True");
        (
            text(pod, "/spec/nodeName").is_empty(),
            text(pod, "/status/phase") != "Running",
            !ready,
            text(pod, "/metadata/creationTimestamp").to_owned(),
            text(pod, "/metadata/name").to_owned(),
        )
    });
    if found.is_empty() {
        return message("timed out waiting for the condition".to_string());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::super::program::Progress;
    use super::super::super::testing::Fake;
    use super::*;
    use serde_json::json;

    #[test]
    fn logs_and_defaults() {
        let pod = json!({"metadata": {"name": "a", "namespace": "default"}, "spec": {"containers": [{"name": "x"}, {"name": "y"}]}});
        let mut fake = Fake::default()
            .on("GET /api/v1/namespaces/default/pods/a", 200, pod)
            .on("GET /api/v1/namespaces/default/pods/a/log", 200, json!("hello\n"));
        assert_eq!(
            fake.run("kubectl logs a --tail=5"),
            (
                "hello\n".into(),
                "Defaulted container \"x\" out of: x, y\n".into(),
                Progress::Done(0)
            )
        );
        assert_eq!(
            fake.asked()[1],
            "GET /api/v1/namespaces/default/pods/a/log?container=x&tailLines=5"
        );
        assert_eq!(
            fake.run("kubectl logs a -c z").1,
            "error: container z is not valid for pod a\n"
        );
        assert_eq!(
            fake.run("kubectl logs pod/a --all-containers --prefix").0,
            "[pod/a/x] hello\n[pod/a/y] hello\n"
        );
        assert!(
            fake.run("kubectl logs")
                .1
                .ends_with("See 'kubectl logs -h' for help and examples\n")
        );
        assert_eq!(
            fake.run("kubectl logs -f a y").2,
            Progress::Waiting { until: None }
        );
        fake.events.push_back(Chunk::Data("line\n".into()));
        fake.events.push_back(Chunk::End);
        assert_eq!(fake.run("kubectl logs -f a y").0, "line\n");
        assert_eq!(
            fake.run("kubectl exec a").1,
            "error: you must specify at least one command for the container\n"
        );
    }
}
