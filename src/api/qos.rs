//! The quality-of-service class of a Pod. Source: k8s.io/kubernetes/pkg/apis/core/v1/helper/qos.

use super::quantity::Quantity;
use k8s_openapi::api::core::v1::PodSpec;

/// `Guaranteed`, `Burstable` or `BestEffort`.
pub fn pod_qos_class(spec: Option<&PodSpec>) -> &'static str {
    let Some(spec) = spec else { return "BestEffort" };
    let mut any = false;
    let mut guaranteed = true;
    for container in spec
        .containers
        .iter()
        .chain(spec.init_containers.iter().flatten())
    {
        let empty = Default::default();
        let resources = container.resources.as_ref();
        let requests = resources.and_then(|r| r.requests.as_ref()).unwrap_or(&empty);
        let limits = resources.and_then(|r| r.limits.as_ref()).unwrap_or(&empty);
        for name in ["cpu", "memory"] {
            let request = requests
                .get(name)
                .map(Quantity::of)
                .filter(|quantity| !quantity.is_zero());
            let limit = limits
                .get(name)
                .map(Quantity::of)
                .filter(|quantity| !quantity.is_zero());
            any |= request.is_some() || limit.is_some();
            guaranteed &= limit.is_some() && request.is_none_or(|request| Some(request) == limit);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
