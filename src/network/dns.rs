//! Names inside the cluster, as its DNS answers them.
//!
//! Source: github.com/kubernetes/dns `docs/specification.md`. The desks ask the same name server as
//! their Pods do, so that `web` means the same at a desk and in a Pod of `default`. A machine outside the
//! cluster knows the desks by name and no Service.

use std::net::Ipv4Addr;

/// What a Service's name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// A ClusterIP, or every ready address of a headless Service.
    Addresses(Vec<Ipv4Addr>),
    /// An ExternalName.
    Alias(String),
}

/// What the name server knows of the cluster.
pub trait Names {
    /// `None` when there is no such Service.
    fn service(&self, namespace: &str, name: &str) -> Option<Resolved>;

    /// The address of one endpoint of a headless Service, by its hostname (`web-0` of `web`).
    fn endpoint(&self, _namespace: &str, _service: &str, _hostname: &str) -> Option<Ipv4Addr> {
        None
    }
}

/// A cluster without Services.
pub struct NoNames;

impl Names for NoNames {
    fn service(&self, _: &str, _: &str) -> Option<Resolved> {
        None
    }
}

const CLUSTER_DOMAIN: &str = "cluster.local";
/// Names with fewer dots are tried with the search domains first.
const NDOTS: usize = 5;

/// The address of a name asked for in `namespace`; `node` gives the addresses of machines by name.
pub fn resolve(
    names: &dyn Names,
    node: &dyn Fn(&str) -> Option<Ipv4Addr>,
    namespace: &str,
    host: &str,
) -> Option<Ipv4Addr> {
    let host = host.to_ascii_lowercase();
    if host == "localhost" {
        return Some(Ipv4Addr::LOCALHOST);
    }
    let searches = [
        format!("{namespace}.svc.{CLUSTER_DOMAIN}"),
        format!("svc.{CLUSTER_DOMAIN}"),
        CLUSTER_DOMAIN.to_owned(),
    ];
    let dots = host.matches('.').count();
    let absolute = host.strip_suffix('.');
    let searched = searches
        .iter()
        .filter(|_| absolute.is_none() && dots < NDOTS)
        .map(|domain| format!("{host}.{domain}"));
    let candidates = searched.chain([absolute.unwrap_or(&host).to_owned()]);
    candidates
        .into_iter()
        .find_map(|name| cluster_name(names, &name, 0).or_else(|| node(&name)))
}

/// A whole name below `svc.cluster.local`.
fn cluster_name(names: &dyn Names, name: &str, depth: usize) -> Option<Ipv4Addr> {
    let labels = name.strip_suffix(CLUSTER_DOMAIN)?.strip_suffix(".svc.")?;
    let labels: Vec<&str> = labels.split('.').collect();
    match labels.as_slice() {
        [service, namespace] => match names.service(namespace, service)? {
            Resolved::Addresses(addresses) => addresses.first().copied(),
            // An alias may lead to another name of the cluster, not round in circles.
            Resolved::Alias(alias) if depth < 8 => {
                cluster_name(names, alias.trim_end_matches('.'), depth + 1)
            }
            Resolved::Alias(_) => None,
        },
        [hostname, service, namespace] => names.endpoint(namespace, service, hostname),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Names for Known {
        fn service(&self, namespace: &str, name: &str) -> Option<Resolved> {
            match (namespace, name) {
                ("default", "web") => Some(Resolved::Addresses(vec![Ipv4Addr::new(10, 96, 0, 10)])),
                ("default", "empty") => Some(Resolved::Addresses(Vec::new())),
                ("default", "alias") => Some(Resolved::Alias("web.default.svc.cluster.local".to_owned())),
                ("default", "ring") => Some(Resolved::Alias("ring.default.svc.cluster.local".to_owned())),
                _ => None,
            }
        }

        fn endpoint(&self, namespace: &str, service: &str, hostname: &str) -> Option<Ipv4Addr> {
            ((namespace, service, hostname) == ("default", "db", "db-0"))
                .then_some(Ipv4Addr::new(10, 244, 0, 9))
        }
    }

    #[test]
    fn service_names_resolve_as_pods_search_them() {
        let resolve = |namespace, host| {
            let node = |name: &str| (name == "inazu").then_some(Ipv4Addr::new(192, 168, 0, 2));
            resolve(&Known, &node, namespace, host).map(|ip| ip.to_string())
        };
        for host in [
            "web",
            "web.default",
            "web.default.svc",
            "web.default.svc.cluster.local",
            "WEB",
            "alias",
        ] {
            assert_eq!(resolve("default", host).as_deref(), Some("10.96.0.10"), "{host}");
        }
        assert_eq!(
            resolve("default", "web.default.svc.cluster.local.").as_deref(),
            Some("10.96.0.10")
        );
        assert_eq!(resolve("other", "web"), None);
        assert_eq!(resolve("other", "web.default").as_deref(), Some("10.96.0.10"));
        assert_eq!(resolve("default", "db-0.db").as_deref(), Some("10.244.0.9"));
        assert_eq!(resolve("default", "inazu").as_deref(), Some("192.168.0.2"));
        for host in [
            "nope",
            "empty",
            "ring",
            "web.",
            "",
            ".",
            "a.b.c.d.e.f.g",
            "cluster.local",
            "svc.cluster.local",
        ] {
            assert_eq!(resolve("default", host), None, "{host}");
        }
    }
}
