//! `drain`: cordons a node and evicts its Pods.
//!
//! Source: k8s.io/kubectl/pkg/drain.

use super::change::nodes::{named_nodes, set_schedulable};
use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, Step, Task, list, text, with_query};
use super::output::{DryRun, name_of};
use super::resource::{known, list_pages};
use crate::api::Kind;
use crate::api::labels::Selector;
use crate::sim::SimTime;
use serde_json::json;
use std::time::Duration;

/// How often an eviction that a budget refused is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How often is looked whether a Pod is gone.
const LOOK: Duration = Duration::from_secs(1);

/// `kubectl drain`
pub fn drain(kube: &mut Kube) -> Result<Next> {
    let nodes = named_nodes(kube)?;
    let dry_run = DryRun::of(kube)?;
    if Selector::parse(kube.flags().text("pod-selector")).is_err() {
        return message("--pod-selector=<pod_selector> must be a valid label selector");
    }
    for node in &nodes {
        set_schedulable(kube, node, false)?;
    }
    let timeout = kube.flags().duration("timeout");
    let until = (!timeout.is_zero()).then(|| kube.now() + timeout);
    let task = Drain {
        nodes: nodes.into_iter().map(|n| n.name).collect(),
        pods: Vec::new(),
        started: false,
        until,
        dry_run,
        at: kube.now(),
    };
    Ok(Next::Task(Box::new(task)))
}

struct Drain {
    nodes: Vec<String>,
    pods: Vec<Leaving>,
    started: bool,
    until: Option<SimTime>,
    dry_run: DryRun,
    /// The next moment at which this task may change the cluster.
    at: SimTime,
}

struct Leaving {
    namespace: String,
    name: String,
    uid: String,
    evicted: bool,
}

impl Drain {
    /// The Pods to evict from a node; complains about those that may not be.
    fn pods(&self, kube: &mut Kube, node: &str) -> Result<Vec<Leaving>> {
        let fields = format!("spec.nodeName={node}");
        let selector = kube.flags().text("pod-selector").to_owned();
        let path = with_query(
            "/api/v1/pods",
            &[
                ("fieldSelector", &fields),
                ("labelSelector", &selector),
                ("limit", "500"),
            ],
        );
        let flags = kube.flags().clone();
        let (mut daemon, mut bare, mut local) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ignored, mut forced, mut emptied) = (Vec::new(), Vec::new(), Vec::new());
        let mut leaving = Vec::new();
        for pod in list_pages(kube, &path)? {
            let (namespace, name) = (
                text(&pod, "/metadata/namespace").to_owned(),
                text(&pod, "/metadata/name").to_owned(),
            );
            let full = format!("{namespace}/{name}");
            let finished = matches!(text(&pod, "/status/phase"), "Succeeded" | "Failed");
            let mirror = pod["metadata"]["annotations"]
                .get("kubernetes.io/config.mirror")
                .is_some();
            if mirror {
                continue;
            }
            let owner = list(&pod, "/metadata/ownerReferences")
                .iter()
                .find(|o| o["controller"] == true);
            if owner.is_some_and(|o| o["kind"] == "DaemonSet") && !finished {
                if flags.on("ignore-daemonsets") {
                    ignored.push(full)
                } else {
                    daemon.push(full)
                }
                continue;
            }
            let has_local = list(&pod, "/spec/volumes")
                .iter()
                .any(|v| v.get("emptyDir").is_some());
            if has_local && !finished {
                if flags.on("delete-emptydir-data") {
                    emptied.push(full.clone())
                } else {
                    local.push(full.clone())
                }
            }
            if owner.is_none() && !finished {
                if flags.on("force") {
                    forced.push(full)
                } else {
                    bare.push(full)
                }
            }
            leaving.push(Leaving {
                namespace,
                name,
                uid: text(&pod, "/metadata/uid").to_owned(),
                evicted: false,
            });
        }
        let mut complaints = Vec::new();
        for (text, pods) in [
            (
                "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
                &daemon,
            ),
            (
                "cannot delete Pods with local storage (use --delete-emptydir-data to override)",
                &local,
            ),
            (
                "cannot delete Pods that declare no controller (use --force to override)",
                &bare,
            ),
        ] {
            if !pods.is_empty() {
                complaints.push(format!("{text}: {}", pods.join(", ")));
            }
        }
        if !complaints.is_empty() {
            let list = if complaints.len() == 1 {
                complaints[0].clone()
            } else {
                format!("[{}]", complaints.join(", "))
            };
            kube.err(&format!(
                "error: unable to drain node {node:?} due to error: {list}, continuing command...\n"
            ));
            kube.err(&format!("There are pending nodes to be drained:\n {node}\n"));
            return Err(Failure::Plain(complaints.join("\n")));
        }
        let mut warnings = Vec::new();
        for (text, pods) in [
            ("ignoring DaemonSet-managed Pods", &ignored),
            ("deleting Pods that declare no controller", &forced),
            ("deleting Pods with local storage", &emptied),
        ] {
            if !pods.is_empty() && text != "deleting Pods with local storage" {
                warnings.push(format!("{text}: {}", pods.join(", ")));
            }
        }
        if !warnings.is_empty() {
            kube.warn(&warnings.join("; "));
        }
        Ok(leaving)
    }

    fn evict(&self, kube: &mut Kube, pod: &Leaving) -> Result<bool> {
        let path = known(Kind::Pod).path(&pod.namespace, &pod.name);
        let mut options = json!({});
        let grace = kube.flags().int("grace-period");
        if grace >= 0 {
            options["gracePeriodSeconds"] = grace.into();
        }
        if self.dry_run == DryRun::Server {
            options["dryRun"] = json!(["All"]);
        }
        let outcome = if kube.flags().on("disable-eviction") {
            kube.delete(&path, &options)
        } else {
            let body = json!({"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": pod.name, "namespace": pod.namespace, "creationTimestamp": null}, "deleteOptions": options});
            kube.post(&format!("{path}/eviction"), &body)
        };
        match outcome {
            Ok(_) => Ok(true),
            Err(failure) if failure.is_not_found() => Ok(true),
            Err(failure) if failure.reason() == "TooManyRequests" => {
                kube.err(&format!(
                    "error when evicting pods/{:?} -n {:?} (will retry after 5s): {}\n",
                    pod.name,
                    pod.namespace,
                    failure.text()
                ));
                Ok(false)
            }
            Err(failure) => Err(Failure::Message(format!(
                "error when evicting pods/{:?} -n {:?}: {}",
                pod.name,
                pod.namespace,
                failure.text()
            ))),
        }
    }
}

impl Task for Drain {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        loop {
            let now = kube.now();
            if now < self.at {
                return Ok(Step::Wait(Some(self.at)));
            }
            let Some(node) = self.nodes.first().cloned() else {
                return Ok(Step::Done);
            };
            if !self.started {
                self.pods = self.pods(kube, &node)?;
                self.started = true;
                let word = if kube.flags().on("disable-eviction") {
                    "deleting"
                } else {
                    "evicting"
                };
                for pod in &self.pods {
                    kube.out(&format!(
                        "{word} pod {}/{}{}\n",
                        pod.namespace,
                        pod.name,
                        self.dry_run.suffix()
                    ));
                }
                if self.dry_run == DryRun::Client {
                    self.pods.clear();
                }
            }
            let mut refused = false;
            for i in 0..self.pods.len() {
                if !self.pods[i].evicted {
                    let evicted = self.evict(kube, &self.pods[i])?;
                    self.pods[i].evicted = evicted;
                    refused |= !evicted;
                }
            }
            let mut left = Vec::new();
            for pod in std::mem::take(&mut self.pods) {
                let path = known(Kind::Pod).path(&pod.namespace, &pod.name);
                let gone = pod.evicted
                    && (self.dry_run == DryRun::Server
                        || match kube.get(&path) {
                            Ok(live) => text(&live, "/metadata/uid") != pod.uid,
                            Err(failure) if failure.is_not_found() => true,
                            Err(failure) => return Err(failure),
                        });
                if gone && self.dry_run == DryRun::Server {
                    continue;
                }
                if gone {
                    kube.out(&format!("pod/{} evicted\n", pod.name));
                } else {
                    left.push(pod);
                }
            }
            self.pods = left;
            if self.pods.is_empty() {
                let done = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}});
                let suffix = self.dry_run.suffix();
                kube.out(&format!("{} drained{suffix}\n", name_of(&done)));
                self.nodes.remove(0);
                self.started = false;
                continue;
            }
            if self.until.is_some_and(|until| now >= until) {
                let names: Vec<String> = self.pods.iter().map(|p| p.name.clone()).collect();
                kube.err(&format!("There are pending pods in node {node:?} when an error occurred: drain did not complete within {}s\n", kube.flags().duration("timeout").as_secs()));
                names.iter().for_each(|name| kube.err(&format!("pod/{name}\n")));
                return message(format!(
                    "unable to drain node {node:?} due to error: global timeout reached: {}s, continuing command...\nThere are pending nodes to be drained:\n {node}\nerror: global timeout reached: {0}s",
                    kube.flags().duration("timeout").as_secs()
                ));
            }
            self.at = now + if refused { RETRY } else { LOOK };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::process::Process;
    use super::super::super::program::{Progress, Session};
    use super::super::super::testing::Fake;
    use super::*;
    use serde_json::json;

    #[test]
    fn drain_evicts_and_waits() {
        let pod = json!({"metadata": {"name": "p", "namespace": "demo", "uid": "u"}});
        let agent = json!({"metadata": {"name": "a", "namespace": "demo", "ownerReferences": [{"kind": "DaemonSet", "controller": true}]}});
        let mut fake = Fake::default()
            .on(
                "GET /api/v1/nodes/n",
                200,
                json!({"metadata": {"name": "n"}, "spec": {"unschedulable": true}}),
            )
            .on("GET /api/v1/pods", 200, json!({"items": [pod, agent]}))
            .on("GET /api/v1/namespaces/demo/pods/p", 200, pod.clone())
            .on(
                "GET /api/v1/namespaces/demo/pods/p",
                404,
                json!({"kind": "Status", "reason": "NotFound", "message": "x"}),
            )
            .on("POST /api/v1/namespaces/demo/pods/p/eviction", 201, json!({}));
        let (_, err, progress) = fake.run("kubectl drain n");
        assert_eq!(progress, Progress::Done(1));
        assert!(
            err.contains("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): demo/a"),
            "{err}"
        );
        let mut session = Session::default();
        let mut process = Process::new("kubectl drain n --ignore-daemonsets --force");
        assert!(matches!(
            process.poll(&mut session, &mut fake),
            Progress::Waiting { .. }
        ));
        fake.time = SimTime::from_secs(2);
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(0));
        assert_eq!(
            process.output.stdout(),
            "node/n already cordoned\nevicting pod demo/p\npod/p evicted\nnode/n drained\n"
        );
        assert_eq!(
            process.output.stderr(),
            "Warning: ignoring DaemonSet-managed Pods: demo/a; deleting Pods that declare no controller: demo/p\n"
        );
    }
}
