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
fn a_seat_is_handed_over_in_the_middle_of_a_long_round() {
    let mut cluster = cluster(Preset::Autopilot);
    create(&mut cluster, replicaset(100));
    let later = cluster.now() + Duration::from_secs(1);
    while cluster.api.etcd.count(Kind::Pod) == 0 {
        assert!(cluster.step(later));
    }
    let made = cluster.api.etcd.count(Kind::Pod);
    assert!(made < 100, "one step made {made} Pods");
    let seat = SeatId::new("replicaset");
    cluster.set_mode(&seat, Mode::Human);
    cluster.advance(Duration::from_secs(5));
    assert_eq!(cluster.api.etcd.count(Kind::Pod), made);
    let creations = cluster.seat(&seat).unwrap().duties();
    let creations = creations.filter(|(_, duty)| duty.why.sentence.contains("create"));
    assert_eq!(creations.count(), 100 - made);
    cluster.set_mode(&seat, Mode::Autopilot);
    cluster.advance(Duration::from_secs(5));
    assert_eq!(cluster.api.etcd.count(Kind::Pod), 100);
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
