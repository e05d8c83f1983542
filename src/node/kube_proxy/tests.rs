use super::*;
use crate::etcd::{Event, EventType};
use crate::node::Hardware;
use crate::seat::Action;
use crate::sim::SimTime;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

struct Desk {
    proxy: KubeProxy,
    machine: Machine,
    caches: Caches,
}

impl Desk {
    fn new() -> Desk {
        let proxy = KubeProxy::new("inazu");
        let mut machine = Machine::new("inazu", Ipv4Addr::new(192, 168, 0, 11), Hardware::default());
        machine.ipvs_mut().load();
        Desk {
            caches: Caches::new(proxy.watches()),
            proxy,
            machine,
        }
    }

    fn event(&mut self, mut object: Object, event_type: EventType) {
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
        let change = self.caches.observe(&event).unwrap();
        self.proxy.observe(&self.caches, &change, &mut Vec::new());
    }

    fn put(&mut self, kind: Kind, value: Value) {
        self.event(Object::from_value(kind, value).unwrap(), EventType::Put);
    }

    fn lines(&self) -> Vec<String> {
        let observed = Observed {
            caches: &self.caches,
            host: &self.machine,
            now: SimTime::ZERO,
        };
        let mut keys: Vec<Key> = self.caches.keys(Kind::Service).cloned().collect();
        keys.push(table_key());
        let duties = keys
            .iter()
            .flat_map(|key| self.proxy.reconcile(&observed, key).duties);
        let line = |duty: Duty<NodeAction>| {
            assert!(WORDS.iter().any(|(key, ..)| *key == duty.why.sentence));
            match duty.action {
                Action::Local(action) => action.to_string(),
                Action::Api(_) => String::new(),
            }
        };
        duties.map(line).collect()
    }

    fn perform(&mut self) -> Vec<String> {
        let lines = self.lines();
        let observed = Observed {
            caches: &self.caches,
            host: &self.machine.clone(),
            now: SimTime::ZERO,
        };
        let keys: Vec<Key> = self
            .caches
            .keys(Kind::Service)
            .cloned()
            .chain([table_key()])
            .collect();
        for duty in keys
            .iter()
            .flat_map(|key| self.proxy.reconcile(&observed, key).duties)
        {
            if let Action::Local(NodeAction::Ipvs(edit)) = &duty.action {
                self.machine.ipvs_mut().apply(edit).unwrap();
            }
        }
        assert_eq!(self.lines(), Vec::<String>::new());
        lines
    }
}

fn service(more: Value) -> Value {
    let mut spec = json!({"clusterIP": "10.96.0.10", "ports": [{"port": 80, "protocol": "TCP"}]});
    more.as_object()
        .unwrap()
        .iter()
        .for_each(|(key, value)| spec[key] = value.clone());
    json!({"metadata": {"name": "web", "namespace": "d"}, "spec": spec})
}

fn slice(endpoints: &[(&str, &str, bool, bool)]) -> Value {
    let endpoints: Vec<Value> = endpoints
        .iter()
        .map(|(ip, node, ready, terminating)| {
            json!({"addresses": [ip], "nodeName": node, "conditions": {"ready": ready, "serving": ready | terminating, "terminating": terminating}})
        })
        .collect();
    json!({"metadata": {"name": "web-1", "namespace": "d", "labels": {SERVICE_NAME: "web"}}, "addressType": "IPv4",
           "ports": [{"name": "", "port": 8080, "protocol": "TCP"}], "endpoints": endpoints})
}

#[test]
fn enters_changes_and_removes() {
    let mut desk = Desk::new();
    desk.put(Kind::Service, service(json!({})));
    desk.put(
        Kind::EndpointSlice,
        slice(&[
            ("10.244.1.2", "inazu", true, false),
            ("10.244.2.2", "suda", true, false),
            ("10.244.2.3", "suda", false, false),
        ]),
    );
    assert_eq!(
        desk.perform(),
        [
            "ipvsadm -A -t 10.96.0.10:80 -s rr",
            "ipvsadm -a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1",
            "ipvsadm -a -t 10.96.0.10:80 -r 10.244.2.2:8080 -m -w 1",
        ]
    );
    let wrong = Edit::EditServer {
        service: ServiceKey {
            protocol: Protocol::Tcp,
            address: "10.96.0.10".parse().unwrap(),
            port: 80,
        },
        server: "10.244.1.2:8080".parse().unwrap(),
        settings: ServerSettings {
            forward: Forward::Route,
            weight: 1,
        },
    };
    desk.machine.ipvs_mut().apply(&wrong).unwrap();
    assert_eq!(
        desk.perform(),
        ["ipvsadm -e -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1"]
    );
    desk.put(
        Kind::EndpointSlice,
        slice(&[("10.244.1.2", "inazu", true, false)]),
    );
    assert_eq!(desk.perform(), ["ipvsadm -d -t 10.96.0.10:80 -r 10.244.2.2:8080"]);
    let gone = desk
        .caches
        .get_object(&Key::new(Kind::Service, "d", "web"))
        .unwrap()
        .clone();
    desk.event(gone, EventType::Delete);
    assert_eq!(desk.perform(), ["ipvsadm -D -t 10.96.0.10:80"]);
}

#[test]
fn terminating_servers_only_when_no_other_is_left() {
    let mut desk = Desk::new();
    desk.put(Kind::Service, service(json!({})));
    desk.put(
        Kind::EndpointSlice,
        slice(&[("10.244.1.2", "inazu", false, true)]),
    );
    assert_eq!(desk.perform().len(), 2);
    desk.put(
        Kind::EndpointSlice,
        slice(&[
            ("10.244.1.2", "inazu", false, true),
            ("10.244.1.3", "inazu", true, false),
        ]),
    );
    assert_eq!(desk.perform().len(), 2);
}

#[test]
fn node_ports_affinity_and_local_traffic() {
    let mut desk = Desk::new();
    let more = json!({"type": "NodePort", "externalTrafficPolicy": "Local", "sessionAffinity": "ClientIP",
        "ports": [{"port": 80, "nodePort": 30080}]});
    desk.put(Kind::Service, service(more));
    desk.put(
        Kind::EndpointSlice,
        slice(&[
            ("10.244.1.2", "inazu", true, false),
            ("10.244.2.2", "suda", true, false),
        ]),
    );
    let lines = desk.perform();
    assert_eq!(lines[0], "ipvsadm -A -t 10.96.0.10:80 -s rr -p 10800");
    assert_eq!(
        lines[3..],
        [
            "ipvsadm -A -t 192.168.0.11:30080 -s rr -p 10800",
            "ipvsadm -a -t 192.168.0.11:30080 -r 10.244.1.2:8080 -m -w 1"
        ]
    );
}

#[test]
fn headless_and_external_names_are_none_of_its_business() {
    let mut desk = Desk::new();
    desk.put(Kind::Service, service(json!({"clusterIP": "None"})));
    assert_eq!(desk.lines(), Vec::<String>::new());
    desk.put(Kind::Service, service(json!({"type": "ExternalName"})));
    assert_eq!(desk.lines(), Vec::<String>::new());
}
