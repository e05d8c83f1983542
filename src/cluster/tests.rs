use super::*;
use crate::api::{Kind, Object};
use crate::seat::Mode;
use serde_json::json;

fn cluster(preset: Preset) -> Cluster {
    Cluster::new(Setup {
        preset,
        ..Setup::default()
    })
}

fn replicaset(replicas: i32) -> Object {
    let value = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx"}]},
            },
        },
    });
    Object::from_value(Kind::ReplicaSet, value).unwrap()
}

fn create(cluster: &mut Cluster, object: Object) {
    cluster.call(&admin(), Request::create(object)).result.unwrap();
}

#[test]
fn autopilot_performs_what_a_person_is_asked_to_do() {
    let mut by_autopilot = cluster(Preset::Autopilot);
    create(&mut by_autopilot, replicaset(3));
    by_autopilot.advance(Duration::from_secs(5));
    assert_eq!(by_autopilot.api.etcd.count(Kind::Pod), 3);

    let mut by_hand = cluster(Preset::CompanyX);
    create(&mut by_hand, replicaset(3));
    by_hand.advance(Duration::from_secs(5));
    let seat = SeatId::new("replicaset");
    assert_eq!(by_hand.api.etcd.count(Kind::Pod), 0);
    let creations = |cluster: &Cluster| -> Vec<_> {
        let seat = cluster.seat(&seat).unwrap();
        seat.duties()
            .map(|(_, duty)| duty.clone())
            .filter(|duty| duty.why.sentence.contains("create"))
            .collect()
    };
    let duties = creations(&by_hand);
    assert_eq!(duties.len(), 3);
    let crate::seat::Action::Api(request) = duties[0].action.clone() else {
        panic!("not an API request")
    };
    by_hand.call(&admin(), *request).result.unwrap();
    by_hand.advance(Duration::from_secs(1));
    assert_eq!(creations(&by_hand).len(), 2);
    by_hand.set_mode(&seat, Mode::Autopilot);
    by_hand.advance(Duration::from_secs(5));
    assert_eq!(by_hand.api.etcd.count(Kind::Pod), 3);
    assert_eq!(by_hand.seat(&seat).unwrap().duty_count(), 0);
}

#[test]
fn the_step_size_does_not_matter() {
    let run = |step_ms: u64| {
        let mut cluster = cluster(Preset::Autopilot);
        create(&mut cluster, replicaset(7));
        let mut passed = 0;
        while passed < 6000 {
            cluster.advance(Duration::from_millis(step_ms));
            passed += step_ms;
        }
        cluster.run_until(SimTime::from_secs(7));
        cluster.hash()
    };
    assert_eq!(run(1), run(6000));
    assert_eq!(run(17), run(1000));
}

#[test]
fn events_are_counted_not_repeated() {
    let mut cluster = cluster(Preset::Autopilot);
    create(&mut cluster, replicaset(2));
    cluster.advance(Duration::from_secs(5));
    let reasons: Vec<String> = cluster
        .api
        .etcd
        .range(Kind::Event, "default")
        .filter_map(|(_, value)| value.object.get::<k8s_openapi::api::core::v1::Event>())
        .filter_map(|event| event.reason.clone())
        .filter(|reason| reason == "SuccessfulCreate")
        .collect();
    assert_eq!(reasons, ["SuccessfulCreate", "SuccessfulCreate"]);
}

/// `cargo test --profile native --lib -- --ignored --nocapture deployment_of_500`
#[test]
#[ignore = "a measurement"]
#[allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a measurement needs a wall clock"
)]
fn deployment_of_500() {
    let desks = (0..50).map(|nr| format!("node-{nr}")).collect();
    let mut cluster = Cluster::new(Setup {
        preset: Preset::Autopilot,
        desks,
        ..Setup::default()
    });
    cluster.advance(Duration::from_secs(5));
    let object = |value| Object::from_value(Kind::Deployment, value).unwrap();
    cluster.call(&admin(), Request::create(object(json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": 500, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx:1.29", "ports": [{"containerPort": 80}]}]}}},
    })))).result.unwrap();
    let service = json!({"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    cluster
        .call(
            &admin(),
            Request::create(Object::from_value(Kind::Service, service).unwrap()),
        )
        .result
        .unwrap();
    let began = std::time::Instant::now();
    let start = cluster.now();
    let ready = |cluster: &Cluster| {
        let key = crate::etcd::Key::new(Kind::Deployment, "default", "web");
        let Object::Deployment(web) = cluster.api.etcd.get(&key).unwrap().object.clone() else {
            panic!()
        };
        web.status
            .as_ref()
            .and_then(|status| status.ready_replicas)
            .unwrap_or(0)
    };
    let before = cluster.happenings;
    while ready(&cluster) < 500 && cluster.now().since(start) < Duration::from_secs(120) {
        cluster.advance(Duration::from_millis(100));
    }
    let took = began.elapsed();
    println!(
        "{} ready after {:?} virtual, {took:?} CPU, {} happenings, revision {}",
        ready(&cluster),
        cluster.now().since(start),
        cluster.happenings - before,
        cluster.api.etcd.revision()
    );
}
