//! Specs as upstream prints them: under the names of its internal structures, with every field.
//!
//! Source: kubernetes/pkg/apis/core/types.go. The internal names are those of the manifest with a
//! capital, but for a few, and the fields have another order.

use crate::api::codec::{self, Encode};
use crate::api::wire::Writer;
use k8s_openapi::api::core::v1::{
    EphemeralContainer, PersistentVolumeClaimSpec, PersistentVolumeSpec, PodSpec, PodTemplateSpec,
};
use serde_json::Value;

/// JSON whose fields keep their order.
pub enum Tree {
    Plain(Value),
    List(Vec<Tree>),
    Struct(Vec<(&'static str, Tree)>),
    /// A structure whose fields are not known here.
    Other(Vec<(String, Value)>),
}

impl Encode for Tree {
    fn write(&self, writer: &mut Writer) {
        match self {
            Tree::Plain(value) => writer.value(value),
            Tree::List(items) => writer.list(items),
            Tree::Struct(fields) => writer.fields(fields.iter().map(|(name, value)| (*name, value))),
            Tree::Other(fields) => writer.fields(fields.iter().map(|(name, value)| (name.as_str(), value))),
        }
    }
}

/// The fields of each structure, as `Name:kind`. Kinds: `s` text, `i` number, `b` flag, `q`
/// quantity, `p` anything that can be missing, `*T` a structure that can be missing, `[]T` a list
/// of structures, `T` a structure; `?` is a structure not described here.
const STRUCTS: &[(&str, &str)] = &[
    (
        "PodSpec",
        "Volumes:[]Volume InitContainers:[]Container Containers:[]Container \
         EphemeralContainers:[]EphemeralContainer RestartPolicy:s TerminationGracePeriodSeconds:p \
         ActiveDeadlineSeconds:p DNSPolicy:s NodeSelector:p ServiceAccountName:s AutomountServiceAccountToken:p \
         NodeName:s SecurityContext:*PodSecurityContext ImagePullSecrets:[]Named Hostname:s Subdomain:s \
         SetHostnameAsFQDN:p Affinity:*Affinity SchedulerName:s Tolerations:[]Toleration HostAliases:[]HostAlias \
         PriorityClassName:s Priority:p PreemptionPolicy:p DNSConfig:*PodDNSConfig ReadinessGates:[]ReadinessGate \
         RuntimeClassName:p Overhead:p EnableServiceLinks:p TopologySpreadConstraints:[]TopologySpreadConstraint \
         OS:*Named SchedulingGates:[]Named ResourceClaims:[]PodResourceClaim Resources:*ResourceRequirements \
         HostnameOverride:p SchedulingGroup:*?",
    ),
    (
        "Volume",
        "Name:s HostPath:*HostPath EmptyDir:*EmptyDir GCEPersistentDisk:*? AWSElasticBlockStore:*? GitRepo:*? \
         Secret:*Secret NFS:*NFS ISCSI:*? Glusterfs:*? PersistentVolumeClaim:*ClaimVolume RBD:*? Quobyte:*? \
         FlexVolume:*? Cinder:*? CephFS:*? Flocker:*? DownwardAPI:*DownwardAPI FC:*? AzureFile:*? \
         ConfigMap:*ConfigMap VsphereVolume:*? AzureDisk:*? PhotonPersistentDisk:*? Projected:*Projected \
         PortworxVolume:*? ScaleIO:*? StorageOS:*? CSI:*CSI Ephemeral:*? Image:*Image",
    ),
    ("HostPath", "Path:s Type:p"),
    ("EmptyDir", "Medium:s SizeLimit:p"),
    (
        "Secret",
        "SecretName:s Items:[]KeyToPath DefaultMode:p Optional:p",
    ),
    ("NFS", "Server:s Path:s ReadOnly:b"),
    ("ClaimVolume", "ClaimName:s ReadOnly:b"),
    ("DownwardAPI", "Items:[]DownwardAPIFile DefaultMode:p"),
    (
        "DownwardAPIFile",
        "Path:s FieldRef:*FieldRef ResourceFieldRef:*ResourceFieldRef Mode:p",
    ),
    ("FieldRef", "APIVersion:s FieldPath:s"),
    ("ResourceFieldRef", "ContainerName:s Resource:s Divisor:q"),
    ("ConfigMap", "Name:s Items:[]KeyToPath DefaultMode:p Optional:p"),
    ("KeyToPath", "Key:s Path:s Mode:p"),
    ("Projected", "Sources:[]Projection DefaultMode:p"),
    (
        "Projection",
        "Secret:*KeyProjection DownwardAPI:*DownwardAPIProjection ConfigMap:*KeyProjection \
         ServiceAccountToken:*TokenProjection ClusterTrustBundle:*? PodCertificate:*?",
    ),
    ("KeyProjection", "Name:s Items:[]KeyToPath Optional:p"),
    ("DownwardAPIProjection", "Items:[]DownwardAPIFile"),
    ("TokenProjection", "Audience:s ExpirationSeconds:i Path:s"),
    (
        "CSI",
        "Driver:s ReadOnly:p FSType:p VolumeAttributes:p NodePublishSecretRef:*Named",
    ),
    ("Image", "Reference:s PullPolicy:s"),
    ("Named", "Name:s"),
    (
        "Container",
        "Name:s Image:s Command:p Args:p WorkingDir:s Ports:[]ContainerPort EnvFrom:[]EnvFrom Env:[]EnvVar \
         Resources:ResourceRequirements ResizePolicy:[]ResizePolicy RestartPolicy:p RestartPolicyRules:[]? \
         VolumeMounts:[]VolumeMount VolumeDevices:[]VolumeDevice LivenessProbe:*Probe ReadinessProbe:*Probe \
         StartupProbe:*Probe Lifecycle:*Lifecycle TerminationMessagePath:s TerminationMessagePolicy:s \
         ImagePullPolicy:s SecurityContext:*SecurityContext Stdin:b StdinOnce:b TTY:b",
    ),
    (
        "ContainerPort",
        "Name:s HostPort:i ContainerPort:i Protocol:s HostIP:s",
    ),
    (
        "EnvFrom",
        "Prefix:s ConfigMapRef:*OptionalName SecretRef:*OptionalName",
    ),
    ("OptionalName", "Name:s Optional:p"),
    ("EnvVar", "Name:s Value:s ValueFrom:*EnvVarSource"),
    (
        "EnvVarSource",
        "FieldRef:*FieldRef ResourceFieldRef:*ResourceFieldRef ConfigMapKeyRef:*KeyRef SecretKeyRef:*KeyRef \
         FileKeyRef:*?",
    ),
    ("KeyRef", "Name:s Key:s Optional:p"),
    (
        "ResourceRequirements",
        "Limits:p Requests:p Claims:[]ResourceClaim",
    ),
    ("ResourceClaim", "Name:s Request:s"),
    ("ResizePolicy", "ResourceName:s RestartPolicy:s"),
    (
        "VolumeMount",
        "Name:s ReadOnly:b RecursiveReadOnly:p MountPath:s SubPath:s MountPropagation:p SubPathExpr:s",
    ),
    ("VolumeDevice", "Name:s DevicePath:s"),
    (
        "Probe",
        "Exec:*Exec HTTPGet:*HTTPGet TCPSocket:*TCPSocket GRPC:*GRPC InitialDelaySeconds:i TimeoutSeconds:i \
         PeriodSeconds:i SuccessThreshold:i FailureThreshold:i TerminationGracePeriodSeconds:p",
    ),
    ("Exec", "Command:p"),
    ("HTTPGet", "Path:s Port:i Host:s Scheme:s HTTPHeaders:[]Header"),
    ("Header", "Name:s Value:s"),
    ("TCPSocket", "Port:i Host:s"),
    ("GRPC", "Port:i Service:p"),
    ("Lifecycle", "PostStart:*Handler PreStop:*Handler StopSignal:p"),
    (
        "Handler",
        "Exec:*Exec HTTPGet:*HTTPGet TCPSocket:*TCPSocket Sleep:*Sleep",
    ),
    ("Sleep", "Seconds:i"),
    (
        "SecurityContext",
        "Capabilities:*Capabilities Privileged:p SELinuxOptions:*SELinuxOptions WindowsOptions:*? RunAsUser:p \
         RunAsGroup:p RunAsNonRoot:p ReadOnlyRootFilesystem:p AllowPrivilegeEscalation:p ProcMount:p \
         SeccompProfile:*Profile AppArmorProfile:*Profile",
    ),
    ("Capabilities", "Add:p Drop:p"),
    ("SELinuxOptions", "User:s Role:s Type:s Level:s"),
    ("Profile", "Type:s LocalhostProfile:p"),
    (
        "PodSecurityContext",
        "HostNetwork:b HostPID:b HostIPC:b ShareProcessNamespace:p HostUsers:p SELinuxOptions:*SELinuxOptions \
         WindowsOptions:*? RunAsUser:p RunAsGroup:p RunAsNonRoot:p SupplementalGroups:p SupplementalGroupsPolicy:p \
         FSGroup:p FSGroupChangePolicy:p Sysctls:[]Header SeccompProfile:*Profile AppArmorProfile:*Profile \
         SELinuxChangePolicy:p",
    ),
    (
        "Affinity",
        "NodeAffinity:*NodeAffinity PodAffinity:*PodAffinity PodAntiAffinity:*PodAffinity",
    ),
    (
        "NodeAffinity",
        "RequiredDuringSchedulingIgnoredDuringExecution:*NodeSelector \
         PreferredDuringSchedulingIgnoredDuringExecution:[]PreferredTerm",
    ),
    ("NodeSelector", "NodeSelectorTerms:[]NodeTerm"),
    (
        "NodeTerm",
        "MatchExpressions:[]NodeRequirement MatchFields:[]NodeRequirement",
    ),
    ("NodeRequirement", "Key:s Operator:s Values:p"),
    ("PreferredTerm", "Weight:i Preference:NodeTerm"),
    (
        "PodAffinity",
        "RequiredDuringSchedulingIgnoredDuringExecution:[]PodTerm \
         PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodTerm",
    ),
    ("WeightedPodTerm", "Weight:i PodAffinityTerm:PodTerm"),
    (
        "PodTerm",
        "LabelSelector:p Namespaces:p TopologyKey:s NamespaceSelector:p MatchLabelKeys:p MismatchLabelKeys:p",
    ),
    (
        "Toleration",
        "Key:s Operator:s Value:s Effect:s TolerationSeconds:p",
    ),
    ("HostAlias", "IP:s Hostnames:p"),
    ("PodDNSConfig", "Nameservers:p Searches:p Options:[]DNSOption"),
    ("DNSOption", "Name:s Value:p"),
    ("ReadinessGate", "ConditionType:s"),
    (
        "TopologySpreadConstraint",
        "MaxSkew:i TopologyKey:s WhenUnsatisfiable:s LabelSelector:p MinDomains:p NodeAffinityPolicy:p \
         NodeTaintsPolicy:p MatchLabelKeys:p",
    ),
    (
        "PodResourceClaim",
        "Name:s ResourceClaimName:p ResourceClaimTemplateName:p",
    ),
    (
        "ClaimSpec",
        "AccessModes:p Selector:p Resources:VolumeResources VolumeName:s StorageClassName:p VolumeMode:p \
         DataSource:*Reference DataSourceRef:*ReferenceInNamespace VolumeAttributesClassName:p",
    ),
    ("VolumeResources", "Limits:p Requests:p"),
    (
        "VolumeSource",
        "GCEPersistentDisk:*? AWSElasticBlockStore:*? HostPath:*HostPath Glusterfs:*? NFS:*NFS RBD:*? Quobyte:*? \
         ISCSI:*? FlexVolume:*? Cinder:*? CephFS:*? FC:*? Flocker:*? AzureFile:*? VsphereVolume:*? AzureDisk:*? \
         PhotonPersistentDisk:*? PortworxVolume:*? ScaleIO:*? Local:*Local StorageOS:*? CSI:*VolumeCSI",
    ),
    ("Local", "Path:s FSType:p"),
    (
        "VolumeCSI",
        "Driver:s VolumeHandle:s ReadOnly:b FSType:s VolumeAttributes:p ControllerPublishSecretRef:*SecretName \
         NodeStageSecretRef:*SecretName NodePublishSecretRef:*SecretName ControllerExpandSecretRef:*SecretName \
         NodeExpandSecretRef:*SecretName",
    ),
    ("SecretName", "Name:s Namespace:s"),
    ("Reference", "APIGroup:p Kind:s Name:s"),
    ("ReferenceInNamespace", "APIGroup:p Kind:s Name:s Namespace:p"),
];

pub fn pod_spec(spec: &PodSpec) -> Tree {
    let mut value = codec::to_value(spec);
    if let Some(fields) = value.as_object_mut() {
        // These live in the security context inside upstream.
        let shared = [
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "shareProcessNamespace",
            "hostUsers",
        ];
        let moved: Vec<(String, Value)> = shared
            .iter()
            .filter_map(|name| fields.remove(*name).map(|value| ((*name).to_owned(), value)))
            .collect();
        if fields.contains_key("securityContext") || !moved.is_empty() {
            let context = fields
                .entry("securityContext")
                .or_insert_with(|| serde_json::json!({}));
            if let Some(context) = context.as_object_mut() {
                context.extend(moved);
            }
        }
    }
    tree("PodSpec", value)
}

/// A Pod template: its metadata keeps the manifest's names.
pub fn pod_template(template: &PodTemplateSpec) -> Tree {
    let metadata = template.metadata.as_ref();
    let mut fields = Vec::new();
    let maps = [
        ("labels", metadata.and_then(|metadata| metadata.labels.as_ref())),
        (
            "annotations",
            metadata.and_then(|metadata| metadata.annotations.as_ref()),
        ),
    ];
    for (name, map) in maps {
        if let Some(map) = map.filter(|map| !map.is_empty()) {
            fields.push((name, Tree::Plain(codec::to_value(map))));
        }
    }
    let default = PodSpec::default();
    fields.push(("Spec", pod_spec(template.spec.as_ref().unwrap_or(&default))));
    Tree::Struct(fields)
}

pub fn ephemeral_container(container: &EphemeralContainer) -> Tree {
    tree("EphemeralContainer", codec::to_value(container))
}

/// The part of a PersistentVolume's spec that says where the data is.
pub fn volume_source(spec: &PersistentVolumeSpec) -> Tree {
    tree("VolumeSource", codec::to_value(spec))
}

pub fn claim_spec(spec: &PersistentVolumeClaimSpec) -> Tree {
    tree("ClaimSpec", codec::to_value(spec))
}

fn tree(kind: &str, mut value: Value) -> Tree {
    if kind == "EphemeralContainer" {
        // All of a container, and one field more.
        let target = value
            .as_object_mut()
            .and_then(|fields| fields.remove("targetContainerName"));
        let Tree::Struct(mut fields) = tree("Container", value) else {
            return Tree::Plain(Value::Null);
        };
        fields.push(("TargetContainerName", field("s", target)));
        return Tree::Struct(fields);
    }
    let Some((_, fields)) = STRUCTS.iter().find(|(name, _)| *name == kind) else {
        return other(value);
    };
    let mut empty = serde_json::Map::new();
    let own = value.as_object_mut().unwrap_or(&mut empty);
    let fields = fields
        .split_ascii_whitespace()
        .filter_map(|field| field.split_once(':'));
    Tree::Struct(
        fields
            .map(|(name, kind)| (name, field(kind, own.remove(&manifest_name(name)))))
            .collect(),
    )
}

fn field(kind: &str, value: Option<Value>) -> Tree {
    let value = value.unwrap_or_default();
    if let Some(item) = kind.strip_prefix("[]") {
        return match value {
            Value::Array(items) => Tree::List(items.into_iter().map(|value| tree(item, value)).collect()),
            _ => Tree::Plain(Value::Null),
        };
    }
    if let Some(kind) = kind.strip_prefix('*') {
        return if value.is_null() {
            Tree::Plain(value)
        } else {
            tree(kind, value)
        };
    }
    let zero: Value = match kind {
        "s" => "".into(),
        "i" => 0.into(),
        "b" => false.into(),
        "q" => "0".into(),
        "p" => Value::Null,
        _ => return tree(kind, value),
    };
    Tree::Plain(if value.is_null() { zero } else { value })
}

fn other(value: Value) -> Tree {
    match value {
        Value::Object(fields) => Tree::Other(
            fields
                .into_iter()
                .map(|(name, value)| {
                    let (first, rest) = name.split_at_checked(1).unwrap_or((&name, ""));
                    (first.to_ascii_uppercase() + rest, value)
                })
                .collect(),
        ),
        value => Tree::Plain(value),
    }
}

/// `HTTPGet` is `httpGet` in a manifest.
fn manifest_name(name: &str) -> String {
    match name {
        "CephFS" => return "cephfs".to_owned(),
        "StorageOS" => return "storageos".to_owned(),
        _ => {}
    }
    let capitals = name.bytes().take_while(u8::is_ascii_uppercase).count();
    let lower = if capitals > 1 && capitals < name.len() {
        capitals - 1
    } else {
        capitals
    };
    name[..lower].to_ascii_lowercase() + &name[lower..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let table = [
            ("HTTPGet", "httpGet"),
            ("SELinuxOptions", "seLinuxOptions"),
            ("TTY", "tty"),
            ("HostPID", "hostPID"),
            ("AWSElasticBlockStore", "awsElasticBlockStore"),
            ("IP", "ip"),
        ];
        for (internal, manifest) in table {
            assert_eq!(manifest_name(internal), manifest);
        }
    }

    #[test]
    fn every_structure_is_described() {
        for (name, fields) in STRUCTS {
            for field in fields.split_ascii_whitespace() {
                let kind = field
                    .split_once(':')
                    .map_or("", |(_, kind)| kind)
                    .trim_start_matches(['*', '[', ']']);
                let known = ["s", "i", "b", "q", "p", "?", "EphemeralContainer"].contains(&kind)
                    || STRUCTS.iter().any(|(struct_name, _)| *struct_name == kind);
                assert!(known, "{name}: {field}");
            }
        }
    }
}
