use super::*;
use crate::controllers::testing::{Bench, body, verbs};
use serde_json::Value;
use std::time::Duration;

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
    step_to(bench, wanted, &|_| json!({"phase": phase}))
}

/// The same; `end` is the status of a new Pod.
fn step_to(bench: &mut Bench<Jobs>, wanted: &mut Value, end: &dyn Fn(&Value) -> Value) -> Vec<String> {
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
                object["status"] = end(&object);
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
    settle_to(bench, wanted, &|_| json!({"phase": phase}));
}

fn settle_to(bench: &mut Bench<Jobs>, wanted: &mut Value, end: &dyn Fn(&Value) -> Value) {
    for _ in 0..20 {
        if step_to(bench, wanted, end).is_empty() {
            return;
        }
    }
    panic!("does not settle: {}", wanted["status"]);
}

#[test]
fn counts_every_pod_once_and_completes() {
    let mut bench = Bench::new(Jobs);
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
    let mut bench = Bench::new(Jobs);
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
    let mut bench = Bench::new(Jobs);
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
    let mut bench = Bench::new(Jobs);
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

/// The last condition: type, reason, message.
fn last_condition(job: &Value) -> [&str; 3] {
    let last = job["status"]["conditions"].as_array().unwrap().last().unwrap();
    ["type", "reason", "message"].map(|field| last[field].as_str().unwrap())
}

fn failed_with(code: i32) -> Value {
    json!({"phase": "Failed", "containerStatuses": [{"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": code}}}]})
}

#[test]
fn a_failure_policy_ends_the_job_or_overlooks_the_failure() {
    let rules = json!([
        {"action": "FailJob", "onExitCodes": {"containerName": "c", "operator": "In", "values": [42]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]);
    let policy = || job(json!({"completions": 1, "parallelism": 1, "podFailurePolicy": {"rules": rules}}));
    let mut bench = Bench::new(Jobs);
    let mut wanted = policy();
    settle_to(&mut bench, &mut wanted, &|_| failed_with(42));
    assert_eq!(wanted["status"]["failed"], 1);
    let [of, reason, message] = last_condition(&wanted);
    assert_eq!((of, reason), ("Failed", "PodFailurePolicy"));
    assert!(
        message.starts_with("Container c for pod d/job-")
            && message.ends_with(" failed with exit code 42 matching FailJob rule at index 0"),
        "{message}"
    );

    let mut bench = Bench::new(Jobs);
    let mut wanted = policy();
    let disrupted =
        json!({"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True"}]});
    for _ in 0..12 {
        step_to(&mut bench, &mut wanted, &|_| disrupted.clone());
    }
    assert_eq!(wanted["status"]["failed"], Value::Null);
    assert!(bench.caches.list::<Pod>("d").count() > 2);
    settle(&mut bench, &mut wanted, "Succeeded");
    assert_eq!(last_condition(&wanted)[0], "Complete");
}

/// Index 1 fails whenever it is tried.
fn index_one_fails(pod: &Value) -> Value {
    let fails = pod["metadata"]["annotations"][INDEX] == "1";
    json!({"phase": if fails { "Failed" } else { "Succeeded" }})
}

#[test]
fn each_index_has_its_own_limit() {
    let mut bench = Bench::new(Jobs);
    let mut wanted = job(
        json!({"completionMode": "Indexed", "completions": 3, "parallelism": 3,
        "backoffLimit": 100, "backoffLimitPerIndex": 1}),
    );
    settle_to(&mut bench, &mut wanted, &index_one_fails);
    let status = &wanted["status"];
    assert_eq!(
        (
            &status["failedIndexes"],
            &status["completedIndexes"],
            &status["failed"]
        ),
        (&json!("1"), &json!("0,2"), &json!(2))
    );
    let last = last_condition(&wanted);
    assert_eq!(last, ["Failed", "FailedIndexes", "Job has failed indexes"]);
    let counts: Vec<_> = bench
        .caches
        .list::<Pod>("d")
        .map(|pod| pod.metadata.annotations.clone().unwrap_or_default())
        .filter(|own| own[INDEX] == "1")
        .map(|own| own["batch.kubernetes.io/job-index-failure-count"].clone())
        .collect();
    assert_eq!(counts, ["0", "1"]);
}

#[test]
fn too_many_failed_indexes_end_the_job() {
    let mut bench = Bench::new(Jobs);
    let mut wanted = job(
        json!({"completionMode": "Indexed", "completions": 9, "parallelism": 2,
        "backoffLimit": 100, "backoffLimitPerIndex": 0, "maxFailedIndexes": 0}),
    );
    settle_to(&mut bench, &mut wanted, &index_one_fails);
    assert_eq!(
        last_condition(&wanted)[..2],
        ["Failed", "MaxFailedIndexesExceeded"]
    );
    assert_eq!(wanted["status"]["failedIndexes"], "1");
}

#[test]
fn pods_that_end_are_replaced_at_once_or_when_they_have_failed() {
    for (policy, replaced) in [("TerminatingOrFailed", true), ("Failed", false)] {
        let mut bench = Bench::new(Jobs);
        let mut wanted = job(
            json!({"completions": 1, "parallelism": 1, "backoffLimit": 6, "podReplacementPolicy": policy}),
        );
        for _ in 0..3 {
            step(&mut bench, &mut wanted, "Running");
        }
        let first = bench.caches.list::<Pod>("d").next().unwrap().clone();
        let mut ending = Object::Pod(first).to_value();
        ending["metadata"]["deletionTimestamp"] = bench.now.timestamp().to_string().into();
        bench.put(Kind::Pod, ending.clone());
        for _ in 0..4 {
            step(&mut bench, &mut wanted, "Running");
        }
        let pods = bench.caches.list::<Pod>("d").count();
        assert_eq!(
            (pods == 2, wanted["status"]["failed"] == 1),
            (replaced, replaced),
            "{policy}"
        );
        let name = ending["metadata"]["name"].as_str().unwrap();
        let pod = bench.caches.get::<Pod>("d", name).unwrap().clone();
        let mut ended = Object::Pod(pod).to_value();
        ended["status"]["phase"] = "Failed".into();
        bench.put(Kind::Pod, ended);
        for _ in 0..4 {
            step(&mut bench, &mut wanted, "Running");
        }
        let status = &wanted["status"];
        assert_eq!(
            (&status["failed"], &status["active"]),
            (&json!(1), &json!(1)),
            "{policy}"
        );
    }
}

#[test]
fn a_success_policy_ends_the_job_early() {
    let mut bench = Bench::new(Jobs);
    let mut wanted = job(
        json!({"completionMode": "Indexed", "completions": 3, "parallelism": 3,
        "successPolicy": {"rules": [{"succeededIndexes": "0-1", "succeededCount": 1}]}}),
    );
    settle_to(&mut bench, &mut wanted, &|pod| {
        let first = pod["metadata"]["annotations"][INDEX] == "0";
        json!({"phase": if first { "Succeeded" } else { "Running" }})
    });
    let types: Vec<_> = wanted["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["type"])
        .collect();
    assert_eq!(types, ["SuccessCriteriaMet", "Complete"]);
    assert_eq!(
        last_condition(&wanted),
        ["Complete", "SuccessPolicy", "Matched rules at index 0"]
    );
    let status = &wanted["status"];
    assert_eq!(
        (&status["succeeded"], &status["failed"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(bench.caches.list::<Pod>("d").count(), 1);
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
