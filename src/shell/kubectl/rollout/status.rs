//! `rollout status`: says how far a rollout is, until it is over.

use super::super::super::transport::Transport;
use super::super::failure::{Result, message};
use super::super::follow::Follow;
use super::super::kube::{Kube, Next, Step, Task, int, list, text};
use super::super::resource::Target;
use super::{REVISION, targets};
use crate::sim::SimTime;
use serde_json::Value;

pub fn status(kube: &mut Kube) -> Result<Next> {
    let targets = targets(kube)?;
    if targets.len() > 1 && kube.flags().text("selector").is_empty() {
        return message("rollout status is only supported on individual resources and resource collections - 2 resources were found".replace('2', &targets.len().to_string()));
    }
    let timeout = kube.flags().duration("timeout");
    let until = (!timeout.is_zero()).then(|| kube.now() + timeout);
    Ok(Next::Task(Box::new(Status {
        targets,
        follow: None,
        until,
    })))
}

struct Status {
    targets: Vec<Target>,
    follow: Option<Follow>,
    until: Option<SimTime>,
}

impl Task for Status {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        while let Some(target) = self.targets.first() {
            let revision = kube.flags().int("revision");
            if self.follow.is_none() {
                let follow = Follow::open(kube, &target.kind, &target.namespace, &target.name)?;
                let first = follow.object.clone();
                self.follow = Some(follow);
                if self.report(kube, first, revision)? {
                    continue;
                }
            }
            let Some(follow) = &mut self.follow else { continue };
            match follow.next(kube)? {
                Some(state) => {
                    self.report(kube, state, revision)?;
                }
                None if follow.ended => return message("watch closed before the rollout was done"),
                None if self.until.is_some_and(|until| kube.now() >= until) => {
                    return message("timed out waiting for the condition");
                }
                None => return Ok(Step::Wait(self.until)),
            }
        }
        Ok(Step::Done)
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        if let Some(follow) = &mut self.follow {
            follow.close(transport);
        }
    }
}

impl Status {
    /// Prints how far it is; true when that target is done with.
    fn report(&mut self, kube: &mut Kube, state: Option<Value>, revision: i64) -> Result<bool> {
        let Some(object) = state else {
            return message("object has been deleted");
        };
        let (line, is_done) = progress(&object, &self.targets[0].name, revision)?;
        kube.out(&line);
        let is_done = is_done || !kube.flags().on("watch");
        if is_done {
            if let Some(mut follow) = self.follow.take() {
                follow.close(kube.io.transport);
            }
            self.targets.remove(0);
        }
        Ok(is_done)
    }
}

/// The line about an object's rollout, and whether it is complete.
fn progress(object: &Value, name: &str, revision: i64) -> Result<(String, bool)> {
    let number = |pointer: &str| int(object, pointer).unwrap_or(0);
    let observed = number("/metadata/generation") <= number("/status/observedGeneration");
    Ok(match text(object, "/kind") {
        "Deployment" => {
            if revision > 0 {
                let running: i64 = object["metadata"]["annotations"][REVISION]
                    .as_str()
                    .unwrap_or("0")
                    .parse()
                    .unwrap_or(0);
                if running != revision {
                    return message(format!(
                        "desired revision ({revision}) is different from the running revision ({running})"
                    ));
                }
            }
            if !observed {
                return Ok((
                    "Waiting for deployment spec update to be observed...\n".to_owned(),
                    false,
                ));
            }
            let exceeded = list(object, "/status/conditions")
                .iter()
                .any(|c| c["type"] == "Progressing" && c["reason"] == "ProgressDeadlineExceeded");
            if exceeded {
                return message(format!("deployment {name:?} exceeded its progress deadline"));
            }
            let (wanted, all) = (
                int(object, "/spec/replicas").unwrap_or(1),
                number("/status/replicas"),
            );
            let (updated, available) = (
                number("/status/updatedReplicas"),
                number("/status/availableReplicas"),
            );
            let waiting = |what: String| {
                (
                    format!("Waiting for deployment {name:?} rollout to finish: {what}...\n"),
                    false,
                )
            };
            if updated < wanted {
                waiting(format!(
                    "{updated} out of {wanted} new replicas have been updated"
                ))
            } else if all > updated {
                waiting(format!("{} old replicas are pending termination", all - updated))
            } else if available < updated {
                waiting(format!("{available} of {updated} updated replicas are available"))
            } else {
                (format!("deployment {name:?} successfully rolled out\n"), true)
            }
        }
        kind @ ("DaemonSet" | "StatefulSet")
            if text(object, "/spec/updateStrategy/type") != "RollingUpdate" =>
        {
            let _ = kind;
            return message("rollout status is only available for RollingUpdate strategy type");
        }
        "DaemonSet" => {
            let (wanted, updated, available) = (
                number("/status/desiredNumberScheduled"),
                number("/status/updatedNumberScheduled"),
                number("/status/numberAvailable"),
            );
            if !observed {
                (
                    "Waiting for daemon set spec update to be observed...\n".to_owned(),
                    false,
                )
            } else if updated < wanted {
                (
                    format!(
                        "Waiting for daemon set {name:?} rollout to finish: {updated} out of {wanted} new pods have been updated...\n"
                    ),
                    false,
                )
            } else if available < wanted {
                (
                    format!(
                        "Waiting for daemon set {name:?} rollout to finish: {available} of {wanted} updated pods are available...\n"
                    ),
                    false,
                )
            } else {
                (format!("daemon set {name:?} successfully rolled out\n"), true)
            }
        }
        "StatefulSet" => {
            let (wanted, ready, updated) = (
                int(object, "/spec/replicas").unwrap_or(1),
                number("/status/readyReplicas"),
                number("/status/updatedReplicas"),
            );
            let partition = int(object, "/spec/updateStrategy/rollingUpdate/partition");
            if number("/status/observedGeneration") == 0 || !observed {
                (
                    "Waiting for statefulset spec update to be observed...\n".to_owned(),
                    false,
                )
            } else if ready < wanted {
                (
                    format!("Waiting for {} pods to be ready...\n", wanted - ready),
                    false,
                )
            } else if let Some(partition) = partition {
                if updated < wanted - partition {
                    (
                        format!(
                            "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...\n",
                            wanted - partition
                        ),
                        false,
                    )
                } else {
                    (
                        format!("partitioned roll out complete: {updated} new pods have been updated...\n"),
                        true,
                    )
                }
            } else if text(object, "/status/updateRevision") != text(object, "/status/currentRevision") {
                (
                    format!(
                        "waiting for statefulset rolling update to complete {updated} pods at revision {}...\n",
                        text(object, "/status/updateRevision")
                    ),
                    false,
                )
            } else {
                (
                    format!(
                        "statefulset rolling update complete {} pods at revision {}...\n",
                        number("/status/currentReplicas"),
                        text(object, "/status/currentRevision")
                    ),
                    true,
                )
            }
        }
        other => return message(format!("no status viewer has been implemented for {other}")),
    })
}
