//! Every resource discovery announces: the stored kinds from their table, and what a real server
//! of this version has besides.

use crate::api::Kind;
use crate::apiserver::http::alias;
use crate::apiserver::sha256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A group, with its versions in order of preference.
#[derive(Debug)]
pub struct Group {
    pub name: &'static str,
    pub versions: &'static [&'static str],
}

pub static CORE: Group = Group {
    name: "",
    versions: &["v1"],
};

const fn group(name: &'static str) -> Group {
    Group {
        name,
        versions: &["v1"],
    }
}

/// In the order of their priority. Source: cmd/kube-apiserver/app/aggregator.go, apiVersionPriorities.
pub static GROUPS: &[Group] = &[
    group("apiregistration.k8s.io"),
    group("apps"),
    group("events.k8s.io"),
    group("authentication.k8s.io"),
    group("authorization.k8s.io"),
    Group {
        name: "autoscaling",
        versions: &["v2", "v1"],
    },
    group("batch"),
    group("certificates.k8s.io"),
    group("networking.k8s.io"),
    group("policy"),
    group("rbac.authorization.k8s.io"),
    group("storage.k8s.io"),
    group("admissionregistration.k8s.io"),
    group("apiextensions.k8s.io"),
    group("scheduling.k8s.io"),
    group("coordination.k8s.io"),
    group("node.k8s.io"),
    group("discovery.k8s.io"),
    group("resource.k8s.io"),
    group("flowcontrol.apiserver.k8s.io"),
];

const ALL_VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
const NAMESPACE_VERBS: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];
const READ_WRITE: &[&str] = &["get", "patch", "update"];
const CONNECT: &[&str] = &["create", "get"];
const PROXY: &[&str] = &["create", "delete", "get", "patch", "update"];

/// A resource that is announced but stored nowhere.
#[derive(Debug)]
pub struct Announced {
    pub group: &'static str,
    pub plural: &'static str,
    pub kind: &'static str,
    pub namespaced: bool,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub verbs: &'static [&'static str],
    pub subresources: &'static [&'static str],
}

impl Announced {
    /// `certificates.k8s.io/v1`
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            "v1".to_owned()
        } else {
            format!("{}/v1", self.group)
        }
    }

    const fn new(
        group: &'static str,
        plural: &'static str,
        kind: &'static str,
        namespaced: bool,
    ) -> Announced {
        Announced {
            group,
            plural,
            kind,
            namespaced,
            short_names: &[],
            categories: &[],
            verbs: ALL_VERBS,
            subresources: &[],
        }
    }

    const fn short(mut self, names: &'static [&'static str]) -> Announced {
        self.short_names = names;
        self
    }

    const fn with_status(mut self) -> Announced {
        self.subresources = &["status"];
        self
    }

    const fn extension(mut self) -> Announced {
        self.categories = &["api-extensions"];
        self
    }

    const fn verbs(mut self, verbs: &'static [&'static str]) -> Announced {
        self.verbs = verbs;
        self
    }
}

const CLUSTER: bool = false;
const NAMESPACED: bool = true;

static ANNOUNCED: &[Announced] = &[
    Announced::new("", "bindings", "Binding", NAMESPACED).verbs(CREATE),
    Announced::new("", "componentstatuses", "ComponentStatus", CLUSTER)
        .short(&["cs"])
        .verbs(&["get", "list"]),
    Announced::new("", "podtemplates", "PodTemplate", NAMESPACED),
    Announced::new("apiregistration.k8s.io", "apiservices", "APIService", CLUSTER)
        .extension()
        .with_status(),
    Announced::new(
        "authentication.k8s.io",
        "selfsubjectreviews",
        "SelfSubjectReview",
        CLUSTER,
    )
    .verbs(CREATE),
    Announced::new("authentication.k8s.io", "tokenreviews", "TokenReview", CLUSTER).verbs(CREATE),
    Announced::new(
        "authorization.k8s.io",
        "localsubjectaccessreviews",
        "LocalSubjectAccessReview",
        NAMESPACED,
    )
    .verbs(CREATE),
    Announced::new(
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        CLUSTER,
    )
    .verbs(CREATE),
    Announced::new(
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        CLUSTER,
    )
    .verbs(CREATE),
    Announced::new(
        "authorization.k8s.io",
        "subjectaccessreviews",
        "SubjectAccessReview",
        CLUSTER,
    )
    .verbs(CREATE),
    Announced {
        subresources: &["approval", "status"],
        ..Announced::new(
            "certificates.k8s.io",
            "certificatesigningrequests",
            "CertificateSigningRequest",
            CLUSTER,
        )
        .short(&["csr"])
    },
    Announced::new("networking.k8s.io", "ipaddresses", "IPAddress", CLUSTER).short(&["ip"]),
    Announced::new("networking.k8s.io", "servicecidrs", "ServiceCIDR", CLUSTER).with_status(),
    Announced::new("storage.k8s.io", "csidrivers", "CSIDriver", CLUSTER),
    Announced::new("storage.k8s.io", "csinodes", "CSINode", CLUSTER),
    Announced::new(
        "storage.k8s.io",
        "csistoragecapacities",
        "CSIStorageCapacity",
        NAMESPACED,
    ),
    Announced::new("storage.k8s.io", "volumeattachments", "VolumeAttachment", CLUSTER).with_status(),
    Announced::new(
        "storage.k8s.io",
        "volumeattributesclasses",
        "VolumeAttributesClass",
        CLUSTER,
    )
    .short(&["vac"]),
    Announced::new(
        "admissionregistration.k8s.io",
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
        CLUSTER,
    )
    .extension(),
    Announced::new(
        "admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
        CLUSTER,
    )
    .extension(),
    Announced::new(
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        CLUSTER,
    )
    .extension(),
    Announced::new(
        "admissionregistration.k8s.io",
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        CLUSTER,
    )
    .extension()
    .with_status(),
    Announced::new(
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        CLUSTER,
    )
    .extension(),
    Announced::new(
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        CLUSTER,
    )
    .extension(),
    Announced::new(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        CLUSTER,
    )
    .short(&["crd", "crds"])
    .extension()
    .with_status(),
    Announced::new("node.k8s.io", "runtimeclasses", "RuntimeClass", CLUSTER),
    Announced::new("resource.k8s.io", "deviceclasses", "DeviceClass", CLUSTER),
    Announced::new("resource.k8s.io", "resourceclaims", "ResourceClaim", NAMESPACED).with_status(),
    Announced::new(
        "resource.k8s.io",
        "resourceclaimtemplates",
        "ResourceClaimTemplate",
        NAMESPACED,
    ),
    Announced::new("resource.k8s.io", "resourceslices", "ResourceSlice", CLUSTER),
    Announced::new(
        "flowcontrol.apiserver.k8s.io",
        "flowschemas",
        "FlowSchema",
        CLUSTER,
    )
    .with_status(),
    Announced::new(
        "flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations",
        "PriorityLevelConfiguration",
        CLUSTER,
    )
    .with_status(),
];

/// A resource that is announced but stored nowhere, by its place in a path.
pub fn announced(group: &str, version: &str, plural: &str) -> Option<&'static Announced> {
    (version == "v1")
        .then(|| ANNOUNCED.iter().find(|a| a.group == group && a.plural == plural))
        .flatten()
}

/// One row of discovery.
#[derive(Debug)]
pub struct Resource {
    pub plural: &'static str,
    pub kind: &'static str,
    pub namespaced: bool,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub verbs: &'static [&'static str],
    subresources: &'static [&'static str],
    /// Group and version it is stored in; none for what is only asked.
    stored_as: Option<(&'static str, &'static str)>,
}

/// One subresource.
#[derive(Debug)]
pub struct Sub {
    pub name: &'static str,
    pub kind: String,
    /// Group and version of the kind, where they are not the resource's.
    pub foreign: Option<(&'static str, &'static str)>,
    pub verbs: &'static [&'static str],
}

impl Resource {
    /// `deployment`
    pub fn singular(&self) -> String {
        self.kind.to_ascii_lowercase()
    }

    /// Tells clients when stored objects changed their form: a digest of what they are stored as.
    pub fn storage_hash(&self) -> Option<String> {
        let (group, version) = self.stored_as?;
        let digest = sha256::digest(format!("{group}/{version}/{}", self.kind).as_bytes());
        Some(STANDARD.encode(&digest[..8]))
    }

    pub fn subresources(&self) -> Vec<Sub> {
        let own = self.kind;
        let sub = |name: &&'static str| {
            let (kind, foreign, verbs) = match *name {
                "scale" => ("Scale".to_owned(), Some(("autoscaling", "v1")), READ_WRITE),
                "binding" => ("Binding".to_owned(), None, CREATE),
                "eviction" => ("Eviction".to_owned(), Some(("policy", "v1")), CREATE),
                "token" => (
                    "TokenRequest".to_owned(),
                    Some(("authentication.k8s.io", "v1")),
                    CREATE,
                ),
                "log" => (own.to_owned(), None, &["get"][..]),
                "exec" => ("PodExecOptions".to_owned(), None, CONNECT),
                "attach" => ("PodAttachOptions".to_owned(), None, CONNECT),
                "portforward" => ("PodPortForwardOptions".to_owned(), None, CONNECT),
                "proxy" => (format!("{own}ProxyOptions"), None, PROXY),
                "finalize" => (own.to_owned(), None, &["update"][..]),
                _ => (own.to_owned(), None, READ_WRITE),
            };
            Sub {
                name,
                kind,
                foreign,
                verbs,
            }
        };
        self.subresources.iter().map(sub).collect()
    }
}

/// The resources of a group and version.
pub fn of(group: &str, version: &str) -> Vec<Resource> {
    let row = |kind: Kind| {
        let info = kind.info();
        Resource {
            plural: info.plural,
            kind: info.name,
            namespaced: info.namespaced,
            short_names: info.short_names,
            categories: info.categories,
            verbs: if kind == Kind::Namespace {
                NAMESPACE_VERBS
            } else {
                ALL_VERBS
            },
            subresources: info.subresources,
            stored_as: Some((info.group, info.version)),
        }
    };
    let stored = Kind::ALL
        .iter()
        .filter(|kind| kind.info().group == group && kind.info().version == version);
    let mut out: Vec<Resource> = stored.map(|kind| row(*kind)).collect();
    out.extend(
        alias::all()
            .iter()
            .filter(|a| a.group == group && a.version == version)
            .map(|a| row(a.kind)),
    );
    if version == "v1" {
        out.extend(ANNOUNCED.iter().filter(|a| a.group == group).map(|a| Resource {
            plural: a.plural,
            kind: a.kind,
            namespaced: a.namespaced,
            short_names: a.short_names,
            categories: a.categories,
            verbs: a.verbs,
            subresources: a.subresources,
            stored_as: a.verbs.contains(&"watch").then_some((a.group, "v1")),
        }));
    }
    out
}

/// The stored kinds a group and version serves, those of another version included.
pub fn stored(group: &str, version: &str) -> Vec<Kind> {
    let own = Kind::ALL
        .iter()
        .filter(|kind| kind.info().group == group && kind.info().version == version)
        .copied();
    own.chain(
        alias::all()
            .iter()
            .filter(|a| a.group == group && a.version == version)
            .map(|a| a.kind),
    )
    .collect()
}
