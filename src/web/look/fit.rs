//! What can be carried, and what the desks say about it.

use crate::api::{Kind, Object};
use crate::apiserver::Body;
use crate::cluster::Cluster;
use crate::cluster::view::{Cargo, DeskFit, Fit};
use crate::etcd::Key;
use crate::node::NodeAction;
use crate::seat::Action;

/// The scheduler's table for one Pod; none for a Pod that has its node and keeps it. Scores are brought to
/// 0–100, as its plugins count.
pub fn fit(cluster: &Cluster, namespace: &str, name: &str) -> Fit {
    let key = Key::new(Kind::Pod, namespace, name);
    let Some(Object::Pod(pod)) = cluster.api.etcd.get(&key).map(|value| &value.object) else {
        return Fit::default();
    };
    if pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some()) {
        return Fit::default();
    }
    let Some(verdict) = cluster.verdict(pod) else {
        return Fit::default();
    };
    let desks = verdict.nodes.iter().map(|node| {
        let weight: i64 = node.scores.iter().map(|score| score.weight).sum();
        let verdict = match &node.rejection {
            Some(rejection) => Err(rejection.reasons.join(", ").into()),
            None => Ok((node.total / weight.max(1)).clamp(0, 100) as u32),
        };
        DeskFit {
            desk: (*node.node).into(),
            verdict,
        }
    });
    Fit {
        desks: desks.collect(),
    }
}

/// What a hand would carry to do a duty: the Pod that is to be bound.
pub fn cargo_of(key: &Key, action: &Action<NodeAction>) -> Option<Cargo> {
    match action {
        Action::Api(request) if matches!(request.body, Body::Binding { .. }) && key.kind == Kind::Pod => {
            Some(Cargo::Pod {
                namespace: (*key.namespace).into(),
                name: (*key.name).into(),
            })
        }
        _ => None,
    }
}
