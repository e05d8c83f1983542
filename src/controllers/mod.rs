//! kube-controller-manager: a file per controller, each a seat of its own.

mod claim;
pub mod deployment;
pub mod endpoints;
pub mod endpointslice;
mod owned;
mod pods;
pub mod replicaset;
mod selected;
mod words;

pub use words::WORDS;

use crate::apiserver::Identity;
use crate::seat::Component;

/// The identity of one controller of kube-controller-manager.
fn identity(account: &str) -> Identity {
    let user = format!("system:serviceaccount:kube-system:{account}");
    let groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"];
    Identity::component(&user, &groups, "kube-controller-manager")
}

/// Every controller, in the order seats are listed.
pub fn all() -> Vec<Box<dyn Component>> {
    vec![
        Box::new(deployment::Deployments::default()),
        Box::new(replicaset::ReplicaSets::default()),
        Box::new(endpoints::EndpointsController::default()),
        Box::new(endpointslice::EndpointSlices::default()),
    ]
}

/// The `source.component` its Events carry.
pub fn event_source(controller: &str) -> &'static str {
    match controller {
        "deployment" => "deployment-controller",
        "replicaset" => "replicaset-controller",
        "endpoints" => "endpoint-controller",
        "endpointslice" => "endpoint-slice-controller",
        _ => "controllermanager",
    }
}

#[cfg(test)]
mod testing;
