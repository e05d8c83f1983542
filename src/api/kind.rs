//! The kinds table: every stored kind the API server serves, in one place.
//!
//! Discovery, paths, the decoder, kubectl's resource names and the page's icons all read this.

/// What a kind is called and how it may be addressed.
#[derive(Debug)]
pub struct KindInfo {
    pub kind: Kind,
    /// `Deployment`
    pub name: &'static str,
    /// `apps`; empty for the core group
    pub group: &'static str,
    /// `v1`
    pub version: &'static str,
    /// `deployments`: the path segment
    pub plural: &'static str,
    pub short_names: &'static [&'static str],
    pub namespaced: bool,
    pub categories: &'static [&'static str],
    /// Subresources below an object's path, `status` among them.
    pub subresources: &'static [&'static str],
}

impl KindInfo {
    /// `v1` or `apps/v1`
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `pods` or `deployments.apps`: how messages name the resource.
    pub fn qualified_resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `deployment`
    pub fn singular(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    pub fn has_subresource(&self, name: &str) -> bool {
        self.subresources.contains(&name)
    }
}

/// Calls `$callback!` with a row per stored kind.
/// Row: `Variant: path below k8s_openapi::api, plural, [short names], namespaced, [categories], [subresources];`
#[macro_export]
macro_rules! for_each_kind {
    ($callback:ident) => {
        $callback! {
            Namespace: core::v1::Namespace, namespaces, ["ns"], false, [], ["status", "finalize"];
            Node: core::v1::Node, nodes, ["no"], false, [], ["status", "proxy"];
            Pod: core::v1::Pod, pods, ["po"], true, ["all"], ["status", "binding", "eviction", "log", "exec", "attach", "portforward", "proxy", "ephemeralcontainers", "resize"];
            Service: core::v1::Service, services, ["svc"], true, ["all"], ["status", "proxy"];
            Endpoints: core::v1::Endpoints, endpoints, ["ep"], true, [], [];
            ConfigMap: core::v1::ConfigMap, configmaps, ["cm"], true, [], [];
            Secret: core::v1::Secret, secrets, [], true, [], [];
            Event: core::v1::Event, events, ["ev"], true, [], [];
            ServiceAccount: core::v1::ServiceAccount, serviceaccounts, ["sa"], true, [], ["token"];
            ReplicationController: core::v1::ReplicationController, replicationcontrollers, ["rc"], true, ["all"], ["status", "scale"];
            PersistentVolume: core::v1::PersistentVolume, persistentvolumes, ["pv"], false, [], ["status"];
            PersistentVolumeClaim: core::v1::PersistentVolumeClaim, persistentvolumeclaims, ["pvc"], true, [], ["status"];
            LimitRange: core::v1::LimitRange, limitranges, ["limits"], true, [], [];
            ResourceQuota: core::v1::ResourceQuota, resourcequotas, ["quota"], true, [], ["status"];
            Deployment: apps::v1::Deployment, deployments, ["deploy"], true, ["all"], ["status", "scale"];
            ReplicaSet: apps::v1::ReplicaSet, replicasets, ["rs"], true, ["all"], ["status", "scale"];
            StatefulSet: apps::v1::StatefulSet, statefulsets, ["sts"], true, ["all"], ["status", "scale"];
            DaemonSet: apps::v1::DaemonSet, daemonsets, ["ds"], true, ["all"], ["status"];
            ControllerRevision: apps::v1::ControllerRevision, controllerrevisions, [], true, [], [];
            Job: batch::v1::Job, jobs, [], true, ["all"], ["status"];
            CronJob: batch::v1::CronJob, cronjobs, ["cj"], true, ["all"], ["status"];
            EndpointSlice: discovery::v1::EndpointSlice, endpointslices, [], true, [], [];
            Ingress: networking::v1::Ingress, ingresses, ["ing"], true, [], ["status"];
            IngressClass: networking::v1::IngressClass, ingressclasses, [], false, [], [];
            NetworkPolicy: networking::v1::NetworkPolicy, networkpolicies, ["netpol"], true, [], [];
            HorizontalPodAutoscaler: autoscaling::v2::HorizontalPodAutoscaler, horizontalpodautoscalers, ["hpa"], true, ["all"], ["status"];
            PodDisruptionBudget: policy::v1::PodDisruptionBudget, poddisruptionbudgets, ["pdb"], true, [], ["status"];
            PriorityClass: scheduling::v1::PriorityClass, priorityclasses, ["pc"], false, [], [];
            Lease: coordination::v1::Lease, leases, [], true, [], [];
            StorageClass: storage::v1::StorageClass, storageclasses, ["sc"], false, [], [];
            Role: rbac::v1::Role, roles, [], true, [], [];
            RoleBinding: rbac::v1::RoleBinding, rolebindings, [], true, [], [];
            ClusterRole: rbac::v1::ClusterRole, clusterroles, [], false, [], [];
            ClusterRoleBinding: rbac::v1::ClusterRoleBinding, clusterrolebindings, [], false, [], [];
        }
    };
}

macro_rules! define_kinds {
    ($($variant:ident: $group:ident::$version:ident::$type:ident, $plural:ident, [$($short:literal),*], $namespaced:literal,
       [$($category:literal),*], [$($sub:literal),*];)*) => {
        /// A stored kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind { $($variant),* }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];
        }

        static INFOS: &[KindInfo] = &[$(KindInfo {
            kind: Kind::$variant,
            name: stringify!($variant),
            group: <k8s_openapi::api::$group::$version::$type as k8s_openapi::Resource>::GROUP,
            version: <k8s_openapi::api::$group::$version::$type as k8s_openapi::Resource>::VERSION,
            plural: stringify!($plural),
            short_names: &[$($short),*],
            namespaced: $namespaced,
            categories: &[$($category),*],
            subresources: &[$($sub),*],
        }),*];
    };
}
for_each_kind!(define_kinds);

impl Kind {
    pub fn info(self) -> &'static KindInfo {
        &INFOS[self as usize]
    }

    /// `Deployment`
    pub fn name(self) -> &'static str {
        self.info().name
    }

    pub fn namespaced(self) -> bool {
        self.info().namespaced
    }

    /// Finds a kind by `apiVersion` group and version and `kind`.
    pub fn by_gvk(group: &str, version: &str, name: &str) -> Option<Kind> {
        INFOS
            .iter()
            .find(|i| i.name == name && i.group == group && i.version == version)
            .map(|i| i.kind)
    }

    /// Finds a kind by `apiVersion` and `kind` as a manifest writes them.
    pub fn by_api_version(api_version: &str, name: &str) -> Option<Kind> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Kind::by_gvk(group, version, name)
    }

    /// Finds a kind by its place in a path.
    pub fn by_resource(group: &str, version: &str, plural: &str) -> Option<Kind> {
        INFOS
            .iter()
            .find(|i| i.plural == plural && i.group == group && i.version == version)
            .map(|i| i.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_find_themselves() {
        for &kind in Kind::ALL {
            let info = kind.info();
            assert_eq!(info.kind, kind);
            assert_eq!(
                Kind::by_resource(info.group, info.version, info.plural),
                Some(kind)
            );
            assert_eq!(Kind::by_api_version(&info.api_version(), info.name), Some(kind));
        }
        assert_eq!(Kind::ReplicaSet.info().qualified_resource(), "replicasets.apps");
    }
}
