use super::*;
use crate::controllers::testing::{Bench, body, verbs};
use serde_json::Value;

fn job(more: Value) -> Value {
    let mut spec = json!({"completions": 2, "parallelism": 2, "backoffLimit": 1, "selector": {"matchLabels": {"j": "1"}},
        "template": {"metadata": {"labels": {"j": "1"}}, "spec": {"restartPolicy": "Never", "containers": [{"name": "c"}]}}});
    more.as_object()
        .unwrap()
        .iter()
        .for_each(|(key, value)| spec[key] = value.clone());
    json!({"metadata": {"name": "job", "namespace": "d", "uid": "u"}, "spec": spec})
}

/// Does what the plan says; new Pods get numbers and end in `phase`. Answers what was done.
fn step(bench: &mut Bench<Jobs>, wanted: &mut Value, phase: &str) -> Vec<String> {
    bench.put(Kind::Job, wanted.clone());
    let plan = bench.plan(Kind::Job, "d", "job");
    for duty in &plan.duties {
        let crate::seat::Action::Api(request) = &duty.action else {
            continue;
        };
        let mut object = body(duty);
        match (request.kind, request.verb.as_str()) {
            (Kind::Job, _) => {
                wanted["status"] = object["status"].clone();
                bench.put(Kind::Job, wanted.clone());
            }
            (Kind::Pod, "create") => {
                object["metadata"]["name"] = format!("job-{}", bench.caches.revision).into();
                object["status"] = json!({"phase": phase});
                bench.put(Kind::Pod, object);
            }
            (Kind::Pod, "patch") => {
                let pod = bench.caches.get::<Pod>("d", &request.name).unwrap();
                let mut pod = serde_json::to_value(&**pod).unwrap();
                pod["metadata"]["finalizers"] = json!([]);
                bench.put(Kind::Pod, pod);
            }
            _ => {
                bench.remove(Kind::Pod, "d", &request.name);
            }
        }
    }
    bench.now = bench.now + Duration::from_secs(30);
    verbs(&plan)
}

fn settle(bench: &mut Bench<Jobs>, wanted: &mut Value, phase: &str) {
    for _ in 0..20 {
        if step(bench, wanted, phase).is_empty() {
            return;
        }
    }
    panic!("does not settle: {}", wanted["status"]);
}

#[test]
fn counts_every_pod_once_and_completes() {
    let mut bench = Bench::new(Jobs::default());
    let mut wanted = job(json!({}));
    let first = step(&mut bench, &mut wanted, "Succeeded");
    assert_eq!(
        first,
        ["create pods job-", "create pods job-", "update jobs/status job"]
    );
    settle(&mut bench, &mut wanted, "Succeeded");
    let status = &wanted["status"];
    assert_eq!(
        (
            &status["succeeded"],
            &status["ready"],
            &status["uncountedTerminatedPods"]
        ),
        (&json!(2), &json!(0), &json!({}))
    );
    let types: Vec<_> = status["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["type"].clone())
        .collect();
    assert_eq!(types, ["SuccessCriteriaMet", "Complete"]);
    assert!(bench.caches.list::<Pod>("d").all(|pod| !has_finalizer(pod)));
}

#[test]
fn gives_up_after_the_back_off_limit() {
    let mut bench = Bench::new(Jobs::default());
    let mut wanted = job(json!({"parallelism": 1}));
    settle(&mut bench, &mut wanted, "Failed");
    assert_eq!(wanted["status"]["failed"], 2);
    let last = wanted["status"]["conditions"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        (&last["type"], &last["reason"]),
        (&json!("Failed"), &json!("BackoffLimitExceeded"))
    );
}

#[test]
fn indexed_jobs_fill_every_index() {
    let mut bench = Bench::new(Jobs::default());
    let mut wanted = job(json!({"completionMode": "Indexed", "completions": 3}));
    bench.put(Kind::Job, wanted.clone());
    let plan = bench.plan(Kind::Job, "d", "job");
    let pod = body(&plan.duties[1]);
    assert_eq!(
        (&pod["metadata"]["annotations"][INDEX], &pod["spec"]["hostname"]),
        (&json!("1"), &json!("job-1"))
    );
    settle(&mut bench, &mut wanted, "Succeeded");
    assert_eq!(
        (
            &wanted["status"]["completedIndexes"],
            &wanted["status"]["succeeded"]
        ),
        (&json!("0-2"), &json!(3))
    );
}

#[test]
fn suspends_and_resumes() {
    let mut bench = Bench::new(Jobs::default());
    let mut wanted = job(json!({}));
    step(&mut bench, &mut wanted, "Running");
    wanted["spec"]["suspend"] = json!(true);
    let steps = step(&mut bench, &mut wanted, "Running");
    assert_eq!(
        steps
            .iter()
            .filter(|line| line.starts_with("delete pods"))
            .count(),
        2,
        "{steps:?}"
    );
    settle(&mut bench, &mut wanted, "Running");
    assert_eq!(wanted["status"]["conditions"][0]["reason"], "JobSuspended");
    wanted["spec"]["suspend"] = json!(false);
    settle(&mut bench, &mut wanted, "Succeeded");
    assert_eq!(wanted["status"]["succeeded"], 2);
}

#[test]
fn expires() {
    let mut bench = Bench::new(TtlAfterFinished);
    let mut done = job(json!({"ttlSecondsAfterFinished": 60}));
    done["status"] = json!({"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": bench.now.timestamp().to_string()}]});
    bench.put(Kind::Job, done);
    assert_eq!(
        bench.plan(Kind::Job, "d", "job").again_after,
        Some(Duration::from_secs(60))
    );
    bench.now = bench.now + Duration::from_secs(60);
    assert_eq!(verbs(&bench.plan(Kind::Job, "d", "job")), ["delete jobs job"]);
}
