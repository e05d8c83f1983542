//! `rollout status|history|undo|restart|pause|resume`.
//!
//! Source: k8s.io/kubectl/pkg/polymorphichelpers.

mod history;
mod status;

pub use history::{history, undo};
pub use status::status;

use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, STRATEGIC, with_query};
use super::output::{DryRun, made};
use super::resource::{Target, fail_with, live_or_all};
use crate::api::{Kind, civil};
use serde_json::{Value, json};

const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

fn targets(kube: &mut Kube) -> Result<Vec<Target>> {
    let args = kube.call.args.clone();
    if args.is_empty() && kube.flags().list("filename").is_empty() && kube.flags().text("selector").is_empty()
    {
        return message("required resource not specified");
    }
    let (targets, failures) = live_or_all(kube, &args, true)?;
    fail_with(failures)?;
    if targets.is_empty() {
        return message("no matching resources found");
    }
    Ok(targets)
}

/// Whether an object has rollouts.
fn rolls(target: &Target) -> bool {
    [Kind::Deployment, Kind::DaemonSet, Kind::StatefulSet]
        .iter()
        .any(|kind| target.kind.is(*kind))
}

fn change(kube: &mut Kube, word: &str, body: &dyn Fn(&Target) -> Result<Value>) -> Result<Next> {
    let mut failures = Vec::new();
    for target in targets(kube)? {
        let manager = kube.field_manager();
        let path = with_query(&target.path(), &[("fieldManager", &manager)]);
        match body(&target).and_then(|body| kube.patch(&path, STRATEGIC, &body)) {
            Ok(patched) => made(kube, &target.kind, &patched, word, DryRun::None)?,
            Err(failure) => failures.push(failure),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

pub fn restart(kube: &mut Kube) -> Result<Next> {
    let now = civil::seconds(kube.now().timestamp());
    change(kube, "restarted", &|target| {
        if !rolls(target) {
            return message(format!(
                "{} {:?} restarting is not supported",
                target.kind.qualified(),
                target.name
            ));
        }
        if target.object["spec"]["paused"] == true {
            return message("can't restart paused deployment (run rollout resume first)");
        }
        Ok(
            json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": now}}}}}),
        )
    })
}

pub fn pause(kube: &mut Kube) -> Result<Next> {
    set_paused(kube, true)
}

pub fn resume(kube: &mut Kube) -> Result<Next> {
    set_paused(kube, false)
}

fn set_paused(kube: &mut Kube, paused: bool) -> Result<Next> {
    change(kube, if paused { "paused" } else { "resumed" }, &|target| {
        if !target.kind.is(Kind::Deployment) {
            return Err(Failure::Message(format!(
                "{} {:?} {} is not supported",
                target.kind.qualified(),
                target.name,
                if paused { "pausing" } else { "resuming" }
            )));
        }
        if (target.object["spec"]["paused"] == true) == paused {
            let how = if paused { "already" } else { "not" };
            return message(format!(
                "{} {:?} is {how} paused",
                target.kind.qualified(),
                target.name
            ));
        }
        Ok(json!({"spec": {"paused": if paused { true.into() } else { Value::Null }}}))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::process::Process;
    use super::super::super::program::{Progress, Session};
    use super::super::super::testing::Fake;
    use super::super::super::transport::Chunk;
    use super::*;

    const PATH: &str = "/apis/apps/v1/namespaces/default/deployments";

    fn deploy(updated: i64, all: i64, available: i64) -> Value {
        json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web", "namespace": "default", "generation": 2, "uid": "u"},
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}}, "status": {"observedGeneration": 2, "updatedReplicas": updated, "replicas": all, "availableReplicas": available}})
    }

    #[test]
    fn status_follows() {
        let mut fake = Fake::default()
            .on(&format!("GET {PATH}/web"), 200, deploy(1, 3, 3))
            .on(&format!("GET {PATH}"), 200, json!({"items": [deploy(1, 3, 3)]}));
        let mut session = Session::default();
        let mut process = Process::new("kubectl rollout status deploy/web");
        assert!(matches!(
            process.poll(&mut session, &mut fake),
            Progress::Waiting { .. }
        ));
        for state in [deploy(3, 4, 3), deploy(3, 3, 2), deploy(3, 3, 3)] {
            fake.events.push_back(Chunk::Data(
                json!({"type": "MODIFIED", "object": state}).to_string(),
            ));
        }
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(0));
        assert_eq!(
            process.output.stdout(),
            "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have been updated...\nWaiting for deployment \"web\" rollout to finish: 1 old replicas are pending termination...\nWaiting for deployment \"web\" rollout to finish: 2 of 3 updated replicas are available...\ndeployment \"web\" successfully rolled out\n"
        );
    }

    #[test]
    fn history_and_undo() {
        let rs = |revision: &str, image: &str| json!({"metadata": {"name": revision, "ownerReferences": [{"uid": "u"}], "annotations": {REVISION: revision}}, "spec": {"template": {"metadata": {"labels": {"app": "web", "pod-template-hash": "x"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}});
        let mut fake = Fake::default()
            .on(&format!("GET {PATH}/web"), 200, deploy(3, 3, 3))
            .on(&format!("PATCH {PATH}/web"), 200, deploy(3, 3, 3))
            .on(
                "GET /apis/apps/v1/namespaces/default/replicasets",
                200,
                json!({"items": [rs("2", "b"), rs("1", "a")]}),
            );
        assert_eq!(
            fake.run("kubectl rollout history deploy/web").0,
            "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n"
        );
        assert_eq!(
            fake.run("kubectl rollout undo deploy/web").0,
            "deployment.apps/web rolled back\n"
        );
        assert_eq!(
            fake.body()[0]["value"],
            json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "a"}]}})
        );
        assert_eq!(
            fake.run("kubectl rollout undo deploy/web --to-revision=9").1,
            "error: unable to find specified revision 9 in history\n"
        );
        assert_eq!(
            fake.run("kubectl rollout pause deploy/web").0,
            "deployment.apps/web paused\n"
        );
        assert_eq!(
            fake.run("kubectl rollout resume deploy/web").1,
            "error: deployments.apps \"web\" is not paused\n"
        );
        assert_eq!(
            fake.run("kubectl rollout foo").1,
            "error: unknown command \"foo\"\nSee 'kubectl rollout -h' for help and examples\n"
        );
        assert_eq!(
            fake.run("kubectl rollout status").1,
            "error: required resource not specified\n"
        );
    }
}
