use super::*;
use crate::apiserver::{Body, PatchType, Subresource};
use crate::etcd::{Event, EventType};
use crate::node::Hardware;
use crate::seat::Action;
use crate::sim::Rng;
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::Duration;

/// A kubelet on its machine with an API server that believes everything.
struct Desk {
    kubelet: Kubelet,
    machine: Machine,
    caches: Caches,
    now: SimTime,
    rng: Rng,
    done: Vec<(SimTime, crate::node::ActionId)>,
    events: Vec<String>,
    again: Option<SimTime>,
}

impl Desk {
    fn new() -> Desk {
        let kubelet = Kubelet::new("inazu", false);
        let mut machine = Machine::new("inazu", Ipv4Addr::new(192, 168, 0, 11), Hardware::default());
        let (mut rng, now) = (Rng::stream(1, "test"), SimTime::from_secs(100));
        let action = NodeAction::InstallCni {
            pod_cidr: "10.244.1.0/24".parse().unwrap(),
        };
        let completion = machine.begin(SimTime::ZERO, action, &mut rng).unwrap();
        machine.complete(now, completion.id);
        let caches = Caches::new(kubelet.watches());
        let mut desk = Desk {
            kubelet,
            machine,
            caches,
            now,
            rng,
            done: Vec::new(),
            events: Vec::new(),
            again: None,
        };
        desk.put(Kind::Node, json!({"metadata": {"name": "inazu", "uid": "n"}}));
        desk
    }

    fn store(&mut self, mut object: Object, event_type: EventType) {
        self.caches.revision += 1;
        let revision = self.caches.revision;
        object.meta_mut().resource_version = Some(revision.to_string());
        let event = Event {
            revision,
            event_type,
            key: Key::of(&object),
            object,
            previous: None,
            request: 0,
        };
        if let Some(change) = self.caches.observe(&event) {
            self.kubelet.observe(&self.caches, &change, &mut Vec::new());
        }
    }

    fn put(&mut self, kind: Kind, value: Value) {
        self.store(Object::from_value(kind, value).unwrap(), EventType::Put);
    }

    fn look(&mut self, key: &Key) -> Plan<NodeAction> {
        let plan = self.kubelet.reconcile(
            &Observed {
                caches: &self.caches,
                host: &self.machine,
                now: self.now,
            },
            key,
        );
        for duty in &plan.duties {
            assert!(
                WORDS.iter().any(|(key, ..)| *key == duty.why.sentence),
                "{}",
                duty.why.sentence
            );
        }
        self.again = plan.again_after.map(|after| self.now + after);
        self.events.extend(
            plan.notes
                .iter()
                .map(|note| format!("{}: {}", note.reason, note.message)),
        );
        plan
    }

    /// Lets the autopilot work for a while.
    fn run(&mut self, seconds: u64) {
        let key = Key::new(Kind::Pod, "d", "web");
        let limit = self.now + Duration::from_secs(seconds);
        for _ in 0..2000 {
            let plan = self.look(&key);
            let idle = plan.duties.is_empty();
            for duty in plan.duties {
                let said = duty.notes.iter().filter(|note| !note.on_failure);
                self.events
                    .extend(said.map(|note| format!("{}: {}", note.reason, note.message)));
                match duty.action {
                    Action::Local(action) => {
                        let completion = self.machine.begin(self.now, action, &mut self.rng).unwrap();
                        self.done.push((self.now + completion.after, completion.id));
                    }
                    Action::Api(request) => match &request.body {
                        Body::Object(object) => self.store(object.clone(), EventType::Put),
                        Body::Delete(_) => {
                            let pod = self.caches.get_object(&key).unwrap().clone();
                            self.store(pod, EventType::Delete);
                        }
                        other => panic!("{other:?}"),
                    },
                }
            }
            if !idle {
                continue;
            }
            let deadline = self.machine.next_deadline();
            let done = self.done.iter().min().copied();
            let next = [done.map(|(at, _)| at), deadline, self.again]
                .into_iter()
                .flatten()
                .filter(|at| *at > self.now || Some(*at) == done.map(|d| d.0))
                .min();
            let Some(at) = next.filter(|at| *at <= limit) else {
                break;
            };
            self.now = at;
            if let Some((_, id)) = done.filter(|(done, _)| *done <= at) {
                self.done.retain(|(_, other)| *other != id);
                self.machine.complete(at, id);
            }
            self.machine.tick(at);
        }
        self.now = limit;
    }

    fn pod(&self) -> Value {
        self.caches
            .get::<Pod>("d", "web")
            .map_or(Value::Null, |pod| serde_json::to_value(&**pod).unwrap())
    }

    fn condition(&self, of: &str) -> Value {
        let conditions = self.pod()["status"]["conditions"].clone();
        conditions
            .as_array()
            .unwrap()
            .iter()
            .find(|condition| condition["type"] == of)
            .unwrap()["status"]
            .clone()
    }
}

fn pod(containers: Value) -> Value {
    json!({"metadata": {"name": "web", "namespace": "d", "uid": "u", "generation": 1},
           "spec": {"nodeName": "inazu", "restartPolicy": "Always", "containers": containers}, "status": {"phase": "Pending"}})
}

#[test]
fn runs_a_pod_and_says_so() {
    let mut desk = Desk::new();
    desk.put(
        Kind::Pod,
        pod(json!([{"name": "c", "image": "nginx", "imagePullPolicy": "IfNotPresent"}])),
    );
    desk.run(60);
    let status = desk.pod()["status"].clone();
    assert_eq!(
        (&status["phase"], &status["podIP"], &status["qosClass"]),
        (&json!("Running"), &json!("10.244.1.2"), &json!("BestEffort"))
    );
    assert_eq!(desk.condition("Ready"), "True");
    assert_eq!(status["containerStatuses"][0]["restartCount"], 0);
    assert!(
        status["containerStatuses"][0]["imageID"]
            .as_str()
            .unwrap()
            .starts_with("docker.io/library/nginx@sha256:")
    );
    let reasons: Vec<&str> = desk
        .events
        .iter()
        .map(|event| event.split(':').next().unwrap())
        .collect();
    assert_eq!(
        reasons,
        ["Pulling", "Pulled", "Created", "Started"],
        "{:?}",
        desk.events
    );
    assert!(
        desk.events[1].starts_with("Pulled: Successfully pulled image \"nginx\" in "),
        "{}",
        desk.events[1]
    );
}

#[test]
fn a_deleted_pod_stops_and_leaves_nothing() {
    let mut desk = Desk::new();
    let mut wanted = pod(json!([{"name": "c", "image": "nginx", "imagePullPolicy": "IfNotPresent"}]));
    desk.put(Kind::Pod, wanted.clone());
    desk.run(60);
    wanted["metadata"]["deletionTimestamp"] = json!("2026-04-01T09:10:00Z");
    wanted["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    wanted["status"] = desk.pod()["status"].clone();
    desk.put(Kind::Pod, wanted);
    desk.run(60);
    assert_eq!(desk.pod(), Value::Null);
    assert_eq!(desk.machine.runtime().sandboxes().len(), 0);
    assert_eq!(desk.machine.pod_addresses(), 0);
    assert!(
        desk.events
            .iter()
            .any(|event| event == "Killing: Stopping container c"),
        "{:?}",
        desk.events
    );
}

#[test]
fn a_crashing_container_backs_off() {
    let mut desk = Desk::new();
    let command = json!(["sh", "-c", "exit 3"]);
    desk.put(
        Kind::Pod,
        pod(
            json!([{"name": "c", "image": "busybox", "command": command, "imagePullPolicy": "IfNotPresent"}]),
        ),
    );
    desk.run(10);
    let status = desk.pod()["status"]["containerStatuses"][0].clone();
    assert_eq!(
        status["state"]["waiting"]["reason"], "CrashLoopBackOff",
        "{status}"
    );
    assert!(
        status["state"]["waiting"]["message"]
            .as_str()
            .unwrap()
            .starts_with("back-off 10s restarting failed container=c pod=web_d(u)")
    );
    assert_eq!(
        (
            &status["restartCount"],
            &status["lastState"]["terminated"]["exitCode"]
        ),
        (&json!(1), &json!(3))
    );
    assert_eq!(desk.pod()["status"]["phase"], "Running");
    // 10 + 20 + 40 + 80 seconds of waiting, and then again.
    desk.run(170);
    assert_eq!(desk.pod()["status"]["containerStatuses"][0]["restartCount"], 5);
    assert!(desk.machine.runtime().containers().len() <= 3);
}

#[test]
fn an_unknown_image_backs_off() {
    let mut desk = Desk::new();
    desk.put(
        Kind::Pod,
        pod(json!([{"name": "c", "image": "nginxx", "imagePullPolicy": "IfNotPresent"}])),
    );
    desk.run(2);
    let waiting = |desk: &Desk| desk.pod()["status"]["containerStatuses"][0]["state"]["waiting"].clone();
    assert_eq!(waiting(&desk)["reason"], "ErrImagePull", "{}", desk.pod());
    desk.run(5);
    assert_eq!(waiting(&desk)["reason"], "ImagePullBackOff");
    assert!(
        waiting(&desk)["message"]
            .as_str()
            .unwrap()
            .starts_with("Back-off pulling image \"nginxx\": ErrImagePull: rpc error")
    );
    assert_eq!(desk.pod()["status"]["phase"], "Pending");
}

#[test]
fn init_containers_go_first_and_a_job_pod_succeeds() {
    let mut desk = Desk::new();
    let mut wanted = pod(
        json!([{"name": "c", "image": "busybox", "command": ["sh", "-c", "echo done"], "imagePullPolicy": "IfNotPresent"}]),
    );
    wanted["spec"]["restartPolicy"] = json!("Never");
    wanted["spec"]["initContainers"] = json!([{"name": "i", "image": "busybox", "command": ["sh", "-c", "sleep 5"], "imagePullPolicy": "IfNotPresent"}]);
    desk.put(Kind::Pod, wanted);
    desk.run(4);
    assert_eq!(desk.condition("Initialized"), "False");
    assert_eq!(
        desk.pod()["status"]["containerStatuses"][0]["state"]["waiting"]["reason"],
        "PodInitializing"
    );
    desk.run(30);
    let status = desk.pod()["status"].clone();
    assert_eq!(status["phase"], "Succeeded", "{status}");
    assert_eq!(
        status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"],
        0
    );
    assert_eq!(desk.machine.pod_addresses(), 0);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut desk = Desk::new();
    desk.put(
        Kind::Pod,
        pod(json!([{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "900"}}}])),
    );
    desk.run(2);
    let status = desk.pod()["status"].clone();
    assert_eq!(
        (&status["phase"], &status["reason"]),
        (&json!("Failed"), &json!("OutOfcpu"))
    );
    assert_eq!(
        status["message"],
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 900000, used: 0, capacity: 4000"
    );
}

#[test]
fn probes_decide_about_readiness_and_restarts() {
    let mut desk = Desk::new();
    let probe = |port: u16| json!({"httpGet": {"path": "/", "port": port}, "periodSeconds": 1, "failureThreshold": 3});
    desk.put(Kind::Pod, pod(json!([{"name": "c", "image": "nginx", "imagePullPolicy": "IfNotPresent", "readinessProbe": probe(80)}])));
    desk.run(20);
    assert_eq!(desk.condition("Ready"), "True");
    let mut desk = Desk::new();
    desk.put(Kind::Pod, pod(json!([{"name": "c", "image": "nginx", "imagePullPolicy": "IfNotPresent", "readinessProbe": probe(81), "livenessProbe": probe(81)}])));
    desk.run(20);
    assert_eq!(desk.condition("Ready"), "False");
    assert!(
        desk.pod()["status"]["containerStatuses"][0]["restartCount"]
            .as_i64()
            .unwrap()
            >= 1
    );
    let refused = "Unhealthy: Readiness probe failed: Get \"http://10.244.1.2:81/\": dial tcp 10.244.1.2:81: connect: connection refused";
    assert!(
        desk.events.iter().any(|event| event == refused),
        "{:?}",
        desk.events
    );
    assert!(
        desk.events
            .iter()
            .any(|event| event == "Killing: Container c failed liveness probe, will be restarted")
    );
}

#[test]
fn registers_and_beats() {
    let mut desk = Desk::new();
    let mut bare = Desk::new();
    bare.caches = Caches::new(bare.kubelet.watches());
    let node = Key::new(Kind::Node, "", "inazu");
    let plan = bare.look(&node);
    let Action::Api(request) = &plan.duties[0].action else {
        panic!()
    };
    let Body::Object(object) = &request.body else {
        panic!()
    };
    let created = object.to_value();
    assert_eq!(created["spec"]["podCIDR"], "10.244.1.0/24");
    assert_eq!(created["metadata"]["labels"]["kubernetes.io/hostname"], "inazu");
    desk.put(Kind::Node, created);
    // Registered, it reports until the API server believes what is.
    for _ in 0..2 {
        for duty in desk.look(&node).duties {
            let Action::Api(request) = duty.action else {
                panic!()
            };
            // A patch of what differs: whoever else writes the Node is not in the way.
            let Body::Patch(PatchType::Strategic, patch) = request.body else {
                panic!()
            };
            assert_eq!(request.subresource, Subresource::Status);
            assert_eq!(patch.as_object().map(serde_json::Map::len), Some(1), "{patch}");
            let known = desk.caches.by_key::<Node>(&node).expect("registered");
            let mut stored = Object::from((**known).clone()).to_value();
            for (field, value) in patch["status"].as_object().expect("fields") {
                stored["status"][field] = value.clone();
            }
            desk.put(Kind::Node, stored);
        }
    }
    assert_eq!(desk.look(&node).duties, []);
    let lease = Key::new(Kind::Lease, LEASES, "inazu");
    let plan = desk.look(&lease);
    let Action::Api(request) = &plan.duties[0].action else {
        panic!()
    };
    let Body::Object(object) = &request.body else {
        panic!()
    };
    desk.store(object.clone(), EventType::Put);
    let plan = desk.look(&lease);
    assert_eq!(
        (plan.duties.len(), plan.again_after),
        (0, Some(Duration::from_secs(10)))
    );
    desk.now = desk.now + Duration::from_secs(10);
    assert_eq!(desk.look(&lease).duties.len(), 1);
}
