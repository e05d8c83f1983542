use super::*;
use k8s_openapi::api::core::v1::ConfigMap;

fn map(name: &str) -> (Key, Object) {
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    map.metadata.namespace = Some("default".to_owned());
    let object = Object::from(map);
    (Key::of(&object), object)
}

#[test]
fn one_counter_and_compare_and_set() {
    let mut store = Store::default();
    let (key, object) = map("a");
    let created = store.create(key.clone(), object.clone(), 1).unwrap();
    assert_eq!(created.revision(), 2);
    assert_eq!(store.create(key.clone(), object, 2), Err(TxnError::Exists));
    assert_eq!(store.revision(), 2, "a refused write takes no revision");
    let updated = store.update(&key, created.clone(), 2, 3).unwrap();
    assert_eq!(store.update(&key, created, 2, 4), Err(TxnError::Changed(3)));
    let deleted = store.delete(&key, updated.revision(), 5).unwrap();
    assert_eq!(deleted.revision(), 4);
    assert_eq!(store.delete(&key, 4, 6), Err(TxnError::NotFound));
    assert_eq!(store.count(Kind::ConfigMap), 0);
}

#[test]
fn watch_replays_and_compaction_is_told() {
    let mut store = Store::with_history_limit(3);
    for name in ["a", "b", "c", "d", "e"] {
        let (key, object) = map(name);
        store.create(key, object, 0).unwrap();
    }
    let names = |revision| -> Vec<String> {
        store
            .since(revision)
            .map(|events| events.map(|e| e.key.name.to_string()).collect())
            .unwrap_or_default()
    };
    assert_eq!(names(4), ["d", "e"]);
    assert_eq!(store.since(2).map(|_| ()), Err(Compacted { compact_revision: 3 }));
    assert_eq!(names(3), ["c", "d", "e"]);
}

#[test]
fn range_at_an_older_revision() {
    let mut store = Store::default();
    let (key_a, a) = map("a");
    let (key_b, b) = map("b");
    store.create(key_a.clone(), a, 0).unwrap();
    store.create(key_b, b, 0).unwrap();
    store.delete(&key_a, 2, 0).unwrap();
    let at = |revision| {
        store
            .range_at(Kind::ConfigMap, "default", revision)
            .unwrap()
            .len()
    };
    assert_eq!((at(2), at(3), at(4)), (1, 2, 1));
    assert_eq!(store.range(Kind::ConfigMap, "other").count(), 0);
}

#[test]
fn keys_print_as_etcdctl_shows_them() {
    assert_eq!(
        Key::new(Kind::Pod, "default", "web").to_string(),
        "/registry/pods/default/web"
    );
    assert_eq!(
        Key::new(Kind::Node, "", "suda").to_string(),
        "/registry/minions/suda"
    );
}

#[test]
fn leases_share_and_expire() {
    use crate::sim::SimTime;
    use std::time::Duration;
    let mut leases = Leases::default();
    let hour = Duration::from_secs(3600);
    let first = leases.attach(SimTime::ZERO, hour, map("a").0);
    let second = leases.attach(SimTime::from_secs(30), hour, map("b").0);
    let third = leases.attach(SimTime::from_secs(120), hour, map("c").0);
    assert_eq!(first, second);
    assert_ne!(second, third);
    assert_eq!(leases.expire(SimTime::from_secs(3600)).len(), 0);
    assert_eq!(leases.expire(SimTime::from_secs(3660)).len(), 2);
}
