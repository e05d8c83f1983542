//! `delete`, which waits until objects are gone.

use super::super::transport::Transport;
use super::failure::{Failure, Result, message};
use super::follow::Follow;
use super::kube::{Kube, Next, Step, Task, text, with_query};
use super::output::DryRun;
use super::resource::{MISSING, Rk, Selection, Target, fail_with, list_failure, list_pages, select};
use crate::sim::SimTime;
use serde_json::{Value, json};
use std::time::Duration;

pub fn run(kube: &mut Kube) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let flags = kube.flags().clone();
    let (force, all) = (flags.on("force"), flags.on("all"));
    let mut grace = flags.int("grace-period");
    if flags.on("now") {
        if grace != -1 {
            return message("--now and --grace-period cannot be specified together");
        }
        grace = 1;
    }
    if grace == 0 && !force {
        // Without --force the removal is still waited for.
        grace = 1;
    }
    if force && grace > 0 {
        return message("--force and --grace-period greater than 0 cannot be specified together");
    }
    let grace = if force { 0 } else { grace };
    if force {
        kube.warn("Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
    }
    let raw = flags.text("raw").to_owned();
    if !raw.is_empty() {
        let answer = kube.delete(&raw, &json!({}))?;
        kube.out(&format!("{}\n", super::super::print::json::compact(&answer)));
        return Ok(Next::Done);
    }
    let propagation = match flags.text("cascade") {
        "background" | "true" => "Background",
        "foreground" => "Foreground",
        "orphan" | "false" => "Orphan",
        other => {
            return message(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            ));
        }
    };
    let ignore = flags.on("ignore-not-found") || all;
    let (targets, mut failures) = targets(kube, all)?;
    let mut waits = Vec::new();
    let mut found = 0;
    for target in targets {
        if dry_run != DryRun::Client {
            let mut options = json!({"propagationPolicy": propagation});
            if grace >= 0 {
                options["gracePeriodSeconds"] = grace.into();
            }
            if dry_run == DryRun::Server {
                options["dryRun"] = json!(["All"]);
            }
            match kube.delete(&target.path(), &options) {
                Ok(answer) => {
                    let uid = match answer["kind"].as_str() {
                        Some("Status") => text(&answer, "/details/uid").to_owned(),
                        _ => text(&answer, "/metadata/uid").to_owned(),
                    };
                    waits.push((
                        target.kind.clone(),
                        target.namespace.clone(),
                        target.name.clone(),
                        uid,
                    ));
                }
                Err(failure) if ignore && failure.is_not_found() => continue,
                Err(failure) => {
                    failures.push(failure.with_source("deleting", target.source.as_deref()));
                    continue;
                }
            }
        }
        found += 1;
        if flags.text("output") == "name" {
            kube.out(&format!("{}\n", target.label()));
            continue;
        }
        let word = if grace == 0 { "force deleted" } else { "deleted" };
        let suffix = match dry_run {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        };
        kube.out(&format!(
            "{} {:?} {word}{suffix}\n",
            target.kind.prefix(),
            target.name
        ));
    }
    if found == 0 && failures.is_empty() && !flags.on("ignore-not-found") {
        kube.out("No resources found\n");
    }
    if !flags.on("wait") || dry_run != DryRun::None || waits.is_empty() {
        return fail_with(failures).map(|()| Next::Done);
    }
    let timeout = flags.duration("timeout");
    let limit = if timeout.is_zero() {
        Duration::from_secs(168 * 3600)
    } else {
        timeout
    };
    let until = kube.now() + limit;
    Ok(Next::Task(Box::new(Gone {
        waits,
        follow: None,
        until,
        failures,
    })))
}

/// What is to be deleted. Named objects are not looked up first, as kubectl's are not when it
/// only needs their names.
fn targets(kube: &mut Kube, all: bool) -> Result<(Vec<Target>, Vec<Failure>)> {
    let flags = kube.flags().clone();
    let files = flags.list("filename");
    if !files.is_empty() {
        return Ok((super::manifest::load(kube, &files)?, Vec::new()));
    }
    let args = kube.call.args.clone();
    if args.is_empty() {
        return message(MISSING);
    }
    let namespace = kube.namespace();
    let (selector, fields) = (
        flags.text("selector").to_owned(),
        flags.text("field-selector").to_owned(),
    );
    let (mut targets, mut failures) = (Vec::new(), Vec::new());
    match select(kube, &args)? {
        Selection::Named(named) => {
            if all || !selector.is_empty() {
                return message("name cannot be provided when a selector is specified");
            }
            for (kind, name) in named {
                let namespace = if kind.namespaced {
                    namespace.clone()
                } else {
                    String::new()
                };
                targets.push(Target {
                    kind,
                    namespace,
                    name,
                    object: Value::Null,
                    source: None,
                });
            }
        }
        Selection::Types(types) => {
            if !all && selector.is_empty() && fields.is_empty() {
                return message("resource(s) were provided, but no name was specified");
            }
            if all && !selector.is_empty() {
                return message("setting 'all' parameter but found a non empty selector. ");
            }
            for kind in types {
                let scope = (!kube.all_namespaces()).then_some(namespace.as_str());
                let path = with_query(
                    &kind.collection(scope),
                    &[
                        ("labelSelector", &selector),
                        ("fieldSelector", &fields),
                        ("limit", "500"),
                    ],
                );
                match list_pages(kube, &path) {
                    Ok(items) => targets.extend(items.into_iter().map(|item| Target::of(&kind, item))),
                    Err(failure) => failures.push(list_failure(kube, &kind, failure)),
                }
            }
        }
    }
    Ok((targets, failures))
}

/// Waits until objects are gone, or others with their names are there.
struct Gone {
    /// kind, namespace, name, uid
    waits: Vec<(Rk, String, String, String)>,
    follow: Option<Follow>,
    until: SimTime,
    failures: Vec<Failure>,
}

impl Task for Gone {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        while let Some((kind, namespace, name, uid)) = self.waits.first() {
            if self.follow.is_none() {
                match Follow::open(kube, kind, namespace, name) {
                    Ok(follow) => self.follow = Some(follow),
                    Err(failure) => {
                        self.failures.push(failure);
                        self.waits.remove(0);
                        continue;
                    }
                }
            }
            let Some(follow) = &mut self.follow else { continue };
            while follow.next(kube)?.is_some() {}
            let there = follow
                .object
                .as_ref()
                .is_some_and(|o| uid.is_empty() || text(o, "/metadata/uid") == uid);
            if there && !follow.ended {
                if kube.now() < self.until {
                    return Ok(Step::Wait(Some(self.until)));
                }
                let text = format!("timed out waiting for the condition on {}/{name}", kind.plural);
                self.failures.push(Failure::Message(text));
            }
            follow.close(kube.io.transport);
            self.follow = None;
            self.waits.remove(0);
        }
        fail_with(std::mem::take(&mut self.failures))?;
        Ok(Step::Done)
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        if let Some(follow) = &mut self.follow {
            follow.close(transport);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::process::Process;
    use super::super::super::program::{Progress, Session};
    use super::super::super::testing::Fake;
    use super::super::super::transport::Chunk;
    use super::*;

    #[test]
    fn delete_waits_for_the_end() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "a", "uid": "u"}});
        let mut fake = Fake::default()
            .on("DELETE /api/v1/namespaces/default/pods/a", 200, pod.clone())
            .on(
                "GET /api/v1/namespaces/default/pods",
                200,
                json!({"items": [pod]}),
            );
        let mut session = Session::default();
        let mut process = Process::new("kubectl delete pod a");
        assert!(matches!(
            process.poll(&mut session, &mut fake),
            Progress::Waiting { .. }
        ));
        assert_eq!(process.output.stdout(), "pod \"a\" deleted\n");
        fake.events
            .push_back(Chunk::Data(json!({"type": "DELETED", "object": {}}).to_string()));
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(0));
        assert_eq!(fake.requests[0].body, "{\"propagationPolicy\":\"Background\"}");
        let (out, err, progress) = fake.run("kubectl delete pod a --force --grace-period=0 --wait=false");
        assert_eq!(
            (out.as_str(), progress),
            ("pod \"a\" force deleted\n", Progress::Done(0))
        );
        assert!(err.starts_with("Warning: Immediate deletion"));
        assert_eq!(
            fake.run("kubectl delete pods").1,
            "error: resource(s) were provided, but no name was specified\n"
        );
        assert!(fake.run("kubectl delete pod nope").1.contains("(NotFound)"));
        let mut none = Fake::default().on(
            "GET /apis/apps/v1/namespaces/default/replicasets",
            200,
            json!({"items": []}),
        );
        assert_eq!(none.run("kubectl delete rs --all").0, "No resources found\n");
    }
}
