use super::util::{condition, replicas, revision};
use super::*;
use crate::controllers::testing::{Bench, body, verbs};
use serde_json::{Value, json};

fn deployment(replicas: i32, image: &str) -> Value {
    json!({"metadata": {"name": "web", "namespace": "d", "uid": "u", "generation": 1},
           "spec": {"replicas": replicas, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 1,
                    "selector": {"matchLabels": {"app": "web"}},
                    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
                    "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}})
}

/// Stores what the duties say as the API server would, lets every ReplicaSet have all its Pods
/// available, and answers what was done and said.
fn settle(bench: &mut Bench<Deployments>, wanted: Value) -> Vec<String> {
    let mut spec = wanted;
    let mut said = Vec::new();
    bench.put(Kind::Deployment, spec.clone());
    for _ in 0..40 {
        let plan = bench.plan(Kind::Deployment, "d", "web");
        if plan.duties.is_empty() {
            return said;
        }
        for duty in &plan.duties {
            said.extend(
                duty.notes
                    .iter()
                    .filter(|note| !note.on_failure)
                    .map(|note| note.message.clone()),
            );
            let crate::seat::Action::Api(request) = &duty.action else {
                continue;
            };
            let object = body(duty);
            match request.kind {
                Kind::Deployment => {
                    spec["status"] = object["status"].clone();
                    spec["metadata"]["annotations"] = object["metadata"]["annotations"].clone();
                    bench.put(Kind::Deployment, spec.clone());
                }
                _ if object.is_null() => {
                    said.push(format!("deleted {}", request.name));
                    bench.remove(Kind::ReplicaSet, "d", &request.name);
                }
                _ => {
                    let mut set = object;
                    let replicas = set["spec"]["replicas"].clone();
                    set["status"] = json!({"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas});
                    bench.put(Kind::ReplicaSet, set);
                }
            }
        }
        bench.now = bench.now + Duration::from_secs(1);
    }
    panic!("does not settle: {said:?}")
}

fn sizes(bench: &Bench<Deployments>) -> Vec<i32> {
    let mut sets: Vec<_> = bench.caches.list::<ReplicaSet>("d").collect();
    sets.sort_by_key(|set| revision(set.metadata.annotations.as_ref()));
    sets.into_iter().map(|set| replicas(set)).collect()
}

#[test]
fn creates_a_replica_set_and_becomes_available() {
    let mut bench = Bench::new(Deployments);
    bench.put(Kind::Deployment, deployment(3, "a"));
    let plan = bench.plan(Kind::Deployment, "d", "web");
    let created = body(&plan.duties[0]);
    let hash = created["metadata"]["labels"]["pod-template-hash"]
        .as_str()
        .unwrap();
    assert_eq!(created["metadata"]["name"], format!("web-{hash}"));
    assert_eq!(
        created["spec"]["selector"]["matchLabels"]["pod-template-hash"],
        hash
    );
    assert_eq!(
        created["metadata"]["annotations"],
        json!({"deployment.kubernetes.io/revision": "1",
        "deployment.kubernetes.io/desired-replicas": "3", "deployment.kubernetes.io/max-replicas": "4"})
    );
    let status = body(&plan.duties[1]);
    assert_eq!(
        status["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "1"
    );
    assert_eq!(
        settle(&mut bench, deployment(3, "a")),
        [format!("Scaled up replica set web-{hash} from 0 to 3")]
    );
    let deployment = bench.caches.get::<Deployment>("d", "web").unwrap();
    let status = deployment.status.as_ref().unwrap();
    assert_eq!(
        condition(status, "Progressing").unwrap().reason.as_deref(),
        Some("NewReplicaSetAvailable")
    );
    assert_eq!(condition(status, "Available").unwrap().status, "True");
}

#[test]
fn rolls_within_surge_and_unavailable() {
    let mut bench = Bench::new(Deployments);
    settle(&mut bench, deployment(4, "a"));
    let steps = settle(&mut bench, deployment(4, "b"));
    let counts: Vec<_> = steps
        .iter()
        .map(|step| step.split(' ').skip(5).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        counts,
        [
            "from 0 to 1",
            "from 4 to 3",
            "from 1 to 2",
            "from 3 to 1",
            "from 2 to 4",
            "from 1 to 0"
        ],
        "{steps:?}"
    );
    assert_eq!(sizes(&bench), [0, 4]);
    // Back to the first template: its ReplicaSet becomes revision 3.
    settle(&mut bench, deployment(4, "a"));
    assert_eq!(sizes(&bench), [0, 4]);
    let revisions: Vec<_> = bench
        .caches
        .list::<ReplicaSet>("d")
        .map(|set| revision(set.metadata.annotations.as_ref()))
        .collect();
    assert!(revisions.contains(&2) && revisions.contains(&3), "{revisions:?}");
    // The history limit of one lets the older of two empty ones go.
    let steps = settle(&mut bench, deployment(4, "c"));
    assert!(steps.last().unwrap().starts_with("deleted web-"), "{steps:?}");
}

#[test]
fn scales_in_proportion_while_rolling() {
    let mut bench = Bench::new(Deployments);
    settle(&mut bench, deployment(10, "a"));
    bench.put(Kind::Deployment, deployment(10, "b"));
    // One step of the rollout: the new one gets its surge.
    let plan = bench.plan(Kind::Deployment, "d", "web");
    bench.put(Kind::ReplicaSet, body(&plan.duties[0]));
    assert_eq!(sizes(&bench), [10, 3]);
    bench.put(Kind::Deployment, deployment(20, "b"));
    let plan = bench.plan(Kind::Deployment, "d", "web");
    assert_eq!(verbs(&plan).len(), 3);
    plan.duties[..2].iter().for_each(|duty| {
        bench.put(Kind::ReplicaSet, body(duty));
    });
    assert_eq!(sizes(&bench).iter().sum::<i32>(), 25);
}

#[test]
fn recreate_empties_first() {
    let recreate = |image: &str| {
        let mut wanted = deployment(2, image);
        wanted["spec"]["strategy"] = json!({"type": "Recreate"});
        wanted
    };
    let mut bench = Bench::new(Deployments);
    settle(&mut bench, recreate("a"));
    let steps = settle(&mut bench, recreate("b"));
    assert!(
        steps[0].ends_with("from 2 to 0") && steps[1].ends_with("from 0 to 2"),
        "{steps:?}"
    );
}

#[test]
fn a_stuck_rollout_is_noticed_after_its_deadline() {
    let mut bench = Bench::new(Deployments);
    bench.put(Kind::Deployment, deployment(1, "a"));
    let plan = bench.plan(Kind::Deployment, "d", "web");
    let mut stuck = body(&plan.duties[0]);
    stuck["status"] = json!({"replicas": 1});
    bench.put(Kind::ReplicaSet, stuck);
    for _ in 0..3 {
        let plan = bench.plan(Kind::Deployment, "d", "web");
        if let Some(duty) = plan.duties.first() {
            bench.put(Kind::Deployment, body(duty));
        }
    }
    let plan = bench.plan(Kind::Deployment, "d", "web");
    assert_eq!(
        (plan.duties.len(), plan.again_after),
        (0, Some(Duration::from_secs(601)))
    );
    bench.now = bench.now + Duration::from_secs(602);
    let plan = bench.plan(Kind::Deployment, "d", "web");
    let conditions = body(&plan.duties[0])["status"]["conditions"].clone();
    assert!(
        conditions
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["reason"] == "ProgressDeadlineExceeded"),
        "{conditions}"
    );
}

#[test]
fn paused_scales_but_does_not_roll() {
    let mut bench = Bench::new(Deployments);
    settle(&mut bench, deployment(2, "a"));
    let mut paused = deployment(5, "b");
    paused["spec"]["paused"] = json!(true);
    let steps = settle(&mut bench, paused);
    assert!(steps.len() == 1 && steps[0].ends_with("from 2 to 5"), "{steps:?}");
    assert_eq!(sizes(&bench), [5]);
}
