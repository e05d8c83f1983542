//! Pods, as cards.

use crate::api::sorted::SortedMap;
use std::rc::Rc;
use std::sync::Arc;

use k8s_openapi::api::core::v1 as core;

use super::{keep_list, text};
use crate::api::{Kind, Object};
use crate::cluster::Cluster;
use crate::cluster::view::{Pod, Rows, Text, Tone};
use crate::etcd::Key;
use crate::scheduler::pod_requests;

/// Every Pod's card, made anew only when the Pod was written. Cards are known by the object they
/// were made from, not by its revision: after a rewind a revision comes a second time.
#[derive(Default)]
pub struct Shelf {
    cards: SortedMap<Key, (Arc<core::Pod>, Rc<Pod>)>,
}

impl Shelf {
    #[inline(never)]
    pub fn look(&mut self, cluster: &Cluster) {
        let etcd = &cluster.api.etcd;
        if self.cards.len() > etcd.count(Kind::Pod) {
            self.cards.retain(|key, _| etcd.get(key).is_some());
        }
        for (key, value) in etcd.range(Kind::Pod, "") {
            let Object::Pod(pod) = &value.object else { continue };
            match self.cards.get_mut(key) {
                Some((made_from, _)) if Arc::ptr_eq(made_from, pod) => {}
                Some(known) => *known = (pod.clone(), Rc::new(card(pod))),
                None => {
                    self.cards.insert(key.clone(), (pod.clone(), Rc::new(card(pod))));
                }
            }
        }
    }

    pub fn forget(&mut self, key: &Key) {
        self.cards.remove(key);
    }

    pub fn len(&self) -> usize {
        self.cards.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Rc<Pod>> {
        self.cards.values().map(|(_, card)| card)
    }

    /// Pods without a node that are not over.
    #[inline(never)]
    pub fn tray(&self, old: &Rows<Pod>) -> Rows<Pod> {
        keep_list(
            old,
            self.iter()
                .filter(|pod| pod.node.is_none() && pod.tone != Tone::Done)
                .cloned()
                .collect(),
        )
    }
}

fn card(pod: &core::Pod) -> Pod {
    let spec = pod.spec.as_ref();
    let status = pod.status.as_ref();
    let word = status_word(pod);
    let ready = condition(pod, "Ready");
    let (requests, ..) = pod_requests(pod);
    let restarts = status
        .and_then(|status| status.container_statuses.as_ref())
        .map_or(0, |statuses| {
            statuses
                .iter()
                .map(|status| status.restart_count.max(0) as u32)
                .sum()
        });
    Pod {
        namespace: text(pod.metadata.namespace.as_deref().unwrap_or("")),
        name: text(pod.metadata.name.as_deref().unwrap_or("")),
        node: spec
            .and_then(|spec| spec.node_name.as_deref())
            .filter(|node| !node.is_empty())
            .map(text),
        tone: tone_of(&word, ready),
        status: word,
        ready,
        ip: text(status.and_then(|status| status.pod_ip.as_deref()).unwrap_or("")),
        restarts,
        image: text(
            spec.and_then(|spec| spec.containers.first())
                .and_then(|c| c.image.as_deref())
                .unwrap_or(""),
        ),
        cpu_milli: requests.milli_cpu.max(0) as u64,
        memory_bytes: requests.memory.max(0) as u64,
        machine: text(""),
    }
}

fn condition(pod: &core::Pod, name: &str) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions
        .filter(|condition| condition.type_ == name)
        .any(|condition| condition.status == "True")
}

/// The STATUS column. Source: pkg/printers/internalversion/printers.go, printPod.
fn status_word(pod: &core::Pod) -> Text {
    let Some(status) = &pod.status else {
        return text("Pending");
    };
    let mut word = status
        .reason
        .clone()
        .filter(|reason| !reason.is_empty())
        .or(status.phase.clone())
        .unwrap_or_else(|| "Pending".into());
    let mut initializing = false;
    for (index, init) in status.init_container_statuses.iter().flatten().enumerate() {
        let Some(state) = &init.state else { continue };
        match (&state.terminated, &state.waiting) {
            (Some(ended), _) if ended.exit_code == 0 => continue,
            (Some(ended), _) => {
                let reason = ended.reason.as_deref().filter(|reason| !reason.is_empty());
                word = reason.map_or_else(
                    || format!("Init:ExitCode:{}", ended.exit_code),
                    |reason| format!("Init:{reason}"),
                );
            }
            (None, Some(waiting))
                if waiting
                    .reason
                    .as_deref()
                    .is_some_and(|reason| !reason.is_empty() && reason != "PodInitializing") =>
            {
                word = format!("Init:{}", waiting.reason.as_deref().unwrap_or(""));
            }
            _ => {
                let count = pod
                    .spec
                    .as_ref()
                    .map_or(0, |spec| spec.init_containers.iter().flatten().count());
                word = format!("Init:{index}/{count}");
            }
        }
        initializing = true;
        break;
    }
    if !initializing {
        let mut running = false;
        for container in status.container_statuses.iter().flatten().rev() {
            let Some(state) = &container.state else { continue };
            if let Some(reason) = state
                .waiting
                .as_ref()
                .and_then(|waiting| waiting.reason.clone())
                .filter(|reason| !reason.is_empty())
            {
                word = reason;
            } else if let Some(ended) = &state.terminated {
                word = match ended.reason.clone().filter(|reason| !reason.is_empty()) {
                    Some(reason) => reason,
                    None => format!("ExitCode:{}", ended.exit_code),
                };
            } else if container.ready && state.running.is_some() {
                running = true;
            }
        }
        if word == "Completed" && running {
            word = if condition(pod, "Ready") {
                "Running".into()
            } else {
                "NotReady".into()
            };
        }
    }
    if pod.metadata.deletion_timestamp.is_some() {
        word = if status.reason.as_deref() == Some("NodeLost") {
            "Unknown".into()
        } else {
            "Terminating".into()
        };
    }
    word.into()
}

fn tone_of(word: &str, ready: bool) -> Tone {
    match word {
        "Running" if ready => Tone::Good,
        "Running" | "Pending" | "ContainerCreating" | "PodInitializing" | "Terminating" | "NotReady" => {
            Tone::Waiting
        }
        "Succeeded" | "Completed" => Tone::Done,
        word if word.starts_with("Init:") && !word.contains("Err") && !word.contains("BackOff") => {
            Tone::Waiting
        }
        _ => Tone::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(status: serde_json::Value) -> String {
        let pod: core::Pod =
            serde_json::from_value(serde_json::json!({ "metadata": {"name": "a"}, "status": status }))
                .unwrap();
        status_word(&pod).to_string()
    }

    #[test]
    fn words() {
        use serde_json::json;
        assert_eq!(word(json!({"phase": "Pending"})), "Pending");
        assert_eq!(word(json!({"phase": "Failed", "reason": "OutOfcpu"})), "OutOfcpu");
        let waiting = |reason: &str| json!({"phase": "Running", "containerStatuses": [{"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 1, "state": {"waiting": {"reason": reason}}}]});
        assert_eq!(word(waiting("CrashLoopBackOff")), "CrashLoopBackOff");
        let init = json!({"phase": "Pending", "initContainerStatuses": [{"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 1, "state": {"terminated": {"exitCode": 3}}}]});
        assert_eq!(word(init), "Init:ExitCode:3");
        assert_eq!(tone_of("CrashLoopBackOff", false), Tone::Bad);
        assert_eq!(tone_of("Init:0/1", false), Tone::Waiting);
    }
}
