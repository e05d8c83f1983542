#!/usr/bin/env python3
"""Writes types.txt and docs.txt beside itself, and ../codec/structs.rs, from the sources of the k8s-openapi crate.

    python3 src/api/schema/generate.py          (in the repository; standard library only)

The crate knows names, types and which fields are required. What it does not know (Go's names of
string types, patch strategies, list-map keys where they differ from the patch merge key, atomic
structs) stands in the tables below; each row is a fact of k8s.io/api v0.36 types.go.
"""

import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
VERSION = "v1_36"

# Types that no stored kind reaches but the API server serves.
EXTRA_ROOTS = """core/v1.Binding policy/v1.Eviction autoscaling/v1.Scale autoscaling/v1.HorizontalPodAutoscaler events/v1.Event
authentication/v1.TokenRequest authentication/v1.TokenReview authentication/v1.SelfSubjectReview
authorization/v1.SubjectAccessReview authorization/v1.SelfSubjectAccessReview
authorization/v1.LocalSubjectAccessReview authorization/v1.SelfSubjectRulesReview
meta/v1.DeleteOptions meta/v1.Status""".split()

# Go's named scalar types: "Struct.field": name, with its package when it is another one.
GO_NAMES = {}
for line in """
Container imagePullPolicy=PullPolicy terminationMessagePolicy=TerminationMessagePolicy restartPolicy=ContainerRestartPolicy
EphemeralContainer imagePullPolicy=PullPolicy terminationMessagePolicy=TerminationMessagePolicy restartPolicy=ContainerRestartPolicy
ContainerPort protocol=Protocol
ContainerResizePolicy resourceName=ResourceName restartPolicy=ResourceResizeRestartPolicy
ContainerRestartRule action=ContainerRestartRuleAction
ContainerRestartRuleOnExitCodes operator=ContainerRestartRuleOnExitCodesOperator
ContainerStateTerminated -
ContainerStatus stopSignal=Signal
Lifecycle stopSignal=Signal
HTTPGetAction scheme=URIScheme
VolumeMount mountPropagation=MountPropagationMode recursiveReadOnly=RecursiveReadOnlyMode
VolumeMountStatus recursiveReadOnly=RecursiveReadOnlyMode
SecurityContext procMount=ProcMountType
Capabilities add=Capability drop=Capability
SeccompProfile type=SeccompProfileType
AppArmorProfile type=AppArmorProfileType
PodSecurityContext fsGroupChangePolicy=PodFSGroupChangePolicy supplementalGroupsPolicy=SupplementalGroupsPolicy seLinuxChangePolicy=PodSELinuxChangePolicy
PodSpec restartPolicy=RestartPolicy dnsPolicy=DNSPolicy preemptionPolicy=PreemptionPolicy
PodOS name=OSName
PodStatus phase=PodPhase qosClass=PodQOSClass resize=PodResizeStatus
PodCondition type=PodConditionType status=ConditionStatus
PodReadinessGate conditionType=PodConditionType
Toleration operator=TolerationOperator effect=TaintEffect
Taint effect=TaintEffect
TopologySpreadConstraint whenUnsatisfiable=UnsatisfiableConstraintAction nodeAffinityPolicy=NodeInclusionPolicy nodeTaintsPolicy=NodeInclusionPolicy
NodeSelectorRequirement operator=NodeSelectorOperator
EmptyDirVolumeSource medium=StorageMedium
HostPathVolumeSource type=HostPathType
ImageVolumeSource pullPolicy=PullPolicy
AzureDiskVolumeSource cachingMode=AzureDataDiskCachingMode kind=AzureDataDiskKind
ServiceSpec type=ServiceType sessionAffinity=ServiceAffinity externalTrafficPolicy=ServiceExternalTrafficPolicy internalTrafficPolicy=ServiceInternalTrafficPolicy ipFamilies=IPFamily ipFamilyPolicy=IPFamilyPolicy
ServicePort protocol=Protocol
PortStatus protocol=Protocol
LoadBalancerIngress ipMode=LoadBalancerIPMode
core/v1.EndpointPort protocol=Protocol
discovery/v1.EndpointPort protocol=v1.Protocol
EndpointSlice addressType=AddressType
NamespaceSpec finalizers=FinalizerName
NamespaceStatus phase=NamespacePhase
NamespaceCondition type=NamespaceConditionType status=ConditionStatus
NodeAddress type=NodeAddressType
NodeCondition type=NodeConditionType status=ConditionStatus
NodeStatus phase=NodePhase volumesInUse=UniqueVolumeName
AttachedVolume name=UniqueVolumeName
PersistentVolumeSpec accessModes=PersistentVolumeAccessMode persistentVolumeReclaimPolicy=PersistentVolumeReclaimPolicy volumeMode=PersistentVolumeMode
PersistentVolumeStatus phase=PersistentVolumePhase
PersistentVolumeClaimSpec accessModes=PersistentVolumeAccessMode volumeMode=PersistentVolumeMode
PersistentVolumeClaimStatus accessModes=PersistentVolumeAccessMode phase=PersistentVolumeClaimPhase allocatedResourceStatuses=ClaimResourceStatus
PersistentVolumeClaimCondition type=PersistentVolumeClaimConditionType status=ConditionStatus
ModifyVolumeStatus status=PersistentVolumeClaimModifyVolumeStatus
Secret type=SecretType
LimitRangeItem type=LimitType
ResourceQuotaSpec scopes=ResourceQuotaScope
ScopedResourceSelectorRequirement scopeName=ResourceQuotaScope operator=ScopeSelectorOperator
ReplicationControllerCondition type=ReplicationControllerConditionType status=ConditionStatus
ResourceStatus name=ResourceName
DeploymentStrategy type=DeploymentStrategyType
DeploymentCondition type=DeploymentConditionType status=v1.ConditionStatus
ReplicaSetCondition type=ReplicaSetConditionType status=v1.ConditionStatus
StatefulSetSpec podManagementPolicy=PodManagementPolicyType
StatefulSetUpdateStrategy type=StatefulSetUpdateStrategyType
StatefulSetCondition type=StatefulSetConditionType status=v1.ConditionStatus
StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted=PersistentVolumeClaimRetentionPolicyType whenScaled=PersistentVolumeClaimRetentionPolicyType
DaemonSetUpdateStrategy type=DaemonSetUpdateStrategyType
DaemonSetCondition type=DaemonSetConditionType status=v1.ConditionStatus
JobSpec completionMode=CompletionMode podReplacementPolicy=PodReplacementPolicy
JobCondition type=JobConditionType status=v1.ConditionStatus
UncountedTerminatedPods succeeded=types.UID failed=types.UID
PodFailurePolicyRule action=PodFailurePolicyAction
PodFailurePolicyOnExitCodesRequirement operator=PodFailurePolicyOnExitCodesOperator
PodFailurePolicyOnPodConditionsPattern type=v1.PodConditionType status=v1.ConditionStatus
CronJobSpec concurrencyPolicy=ConcurrencyPolicy
HTTPIngressPath pathType=PathType
IngressPortStatus protocol=v1.Protocol
NetworkPolicySpec policyTypes=PolicyType
NetworkPolicyPort protocol=v1.Protocol
MetricSpec type=MetricSourceType
MetricStatus type=MetricSourceType
MetricTarget type=MetricTargetType
ResourceMetricSource name=v1.ResourceName
ResourceMetricStatus name=v1.ResourceName
ContainerResourceMetricSource name=v1.ResourceName
ContainerResourceMetricStatus name=v1.ResourceName
HPAScalingRules selectPolicy=ScalingPolicySelect
HPAScalingPolicy type=HPAScalingPolicyType
HorizontalPodAutoscalerCondition type=HorizontalPodAutoscalerConditionType status=v1.ConditionStatus
PodDisruptionBudgetSpec unhealthyPodEvictionPolicy=UnhealthyPodEvictionPolicyType
PriorityClass preemptionPolicy=v1.PreemptionPolicy
StorageClass reclaimPolicy=v1.PersistentVolumeReclaimPolicy volumeBindingMode=VolumeBindingMode
LeaseSpec strategy=CoordinatedLeaseStrategy
ObjectMeta uid=types.UID
OwnerReference uid=types.UID
ObjectReference uid=types.UID
Preconditions uid=types.UID
BoundObjectReference uid=types.UID
ManagedFieldsEntry operation=ManagedFieldsOperationType
LabelSelectorRequirement operator=LabelSelectorOperator
FieldSelectorRequirement operator=FieldSelectorOperator
Condition status=ConditionStatus
DeleteOptions propagationPolicy=DeletionPropagation
Status reason=StatusReason
StatusCause reason=CauseType
StatusDetails uid=types.UID
""".strip().splitlines():
    struct, *pairs = line.split()
    for pair in pairs:
        if "=" in pair:
            field, name = pair.split("=")
            GO_NAMES[f"{struct}.{field}"] = name

# Fields whose Go type is the named map ResourceList rather than map[string]resource.Quantity.
RESOURCE_LISTS = {
    "Container.", "ResourceRequirements.limits", "ResourceRequirements.requests", "VolumeResourceRequirements.limits",
    "VolumeResourceRequirements.requests", "PodSpec.overhead", "NodeStatus.capacity", "NodeStatus.allocatable",
    "PersistentVolumeSpec.capacity", "PersistentVolumeClaimStatus.capacity",
    "PersistentVolumeClaimStatus.allocatedResources", "LimitRangeItem.max", "LimitRangeItem.min", "LimitRangeItem.default",
    "LimitRangeItem.defaultRequest", "LimitRangeItem.maxLimitRequestRatio", "ResourceQuotaSpec.hard",
    "ResourceQuotaStatus.hard", "ResourceQuotaStatus.used", "ContainerStatus.allocatedResources",
    "PodStatus.allocatedResources",
}

# patchStrategy retainKeys (together with merge on lists).
RETAIN_KEYS = {"PodSpec.volumes", "PodSpec.resourceClaims", "PodStatus.resourceClaimStatuses", "DeploymentSpec.strategy"}

# Lists of scalars with patchStrategy merge.
MERGE_SCALARS = {"ObjectMeta.finalizers", "NodeSpec.podCIDRs"}

# Lists the crate merges by key although upstream has no patchMergeKey for them: only server-side apply does.
NO_PATCH_KEY = {"ResourceRequirements.claims", "ResourceStatus.resources", "StatefulSetSpec.volumeClaimTemplates"}

# listType and listMapKey where they are not the patch merge key.
LIST_KEYS = {
    "Container.ports": "containerPort,protocol",
    "EphemeralContainer.ports": "containerPort,protocol",
    "ServiceSpec.ports": "port,protocol",
    "PodSpec.topologySpreadConstraints": "topologyKey,whenUnsatisfiable",
    "PodStatus.hostIPs": "",
    "JobStatus.conditions": "",
    "StatefulSetSpec.volumeClaimTemplates": "",
}

# +structType=atomic / +mapType=atomic on a struct: server-side apply owns it as a whole.
ATOMIC_STRUCTS = """ConfigMapKeySelector SecretKeySelector FileKeySelector LocalObjectReference ObjectFieldSelector
ObjectReference ResourceFieldSelector SecretReference TypedLocalObjectReference EndpointAddress EndpointPort NodeSelector
NodeSelectorTerm ScopeSelector TopologySelectorTerm LabelSelector OwnerReference RoleRef Subject ServiceBackendPort
FieldsV1""".split()

# Optional fields whose Go type is a struct (a time is one) and no pointer, and scalars without omitempty: Go writes them
# even when they hold nothing.
PLAIN_STRUCTS = """PodTemplateSpec.metadata PodTemplateSpec.spec JobTemplateSpec.metadata JobTemplateSpec.spec
PersistentVolumeClaimTemplate.metadata DeploymentSpec.strategy StatefulSetSpec.updateStrategy DaemonSetSpec.updateStrategy
Container.resources EphemeralContainer.resources ServiceStatus.loadBalancer IngressStatus.loadBalancer
NodeStatus.daemonEndpoints NodeStatus.nodeInfo NodeDaemonEndpoints.kubeletEndpoint ContainerStatus.state
ContainerStatus.lastState PersistentVolumeClaimSpec.resources Endpoint.conditions Event.source
NetworkPolicySpec.podSelector ReplicaSetSpec.template
PodCondition.lastProbeTime PodCondition.lastTransitionTime JobCondition.lastProbeTime JobCondition.lastTransitionTime
PersistentVolumeClaimCondition.lastProbeTime PersistentVolumeClaimCondition.lastTransitionTime
DeploymentCondition.lastUpdateTime DeploymentCondition.lastTransitionTime ReplicaSetCondition.lastTransitionTime
StatefulSetCondition.lastTransitionTime DaemonSetCondition.lastTransitionTime
ReplicationControllerCondition.lastTransitionTime HorizontalPodAutoscalerCondition.lastTransitionTime
NodeCondition.lastHeartbeatTime NodeCondition.lastTransitionTime NamespaceCondition.lastTransitionTime
Event.firstTimestamp Event.lastTimestamp Event.eventTime
PodDisruptionBudgetStatus.currentHealthy PodDisruptionBudgetStatus.desiredHealthy
PodDisruptionBudgetStatus.disruptionsAllowed PodDisruptionBudgetStatus.expectedPods PriorityClass.value
StatefulSetStatus.availableReplicas""".split()

# Optional scalars that are pointers in Go (and a few lists without omitempty): an empty text, 0, false or [] is kept there
# and not written anywhere else.
POINTERS = set("""
DaemonSetSpec.revisionHistoryLimit DaemonSetStatus.collisionCount DeploymentSpec.progressDeadlineSeconds DeploymentSpec.replicas
DeploymentSpec.revisionHistoryLimit DeploymentStatus.collisionCount DeploymentStatus.terminatingReplicas ReplicaSetSpec.replicas
ReplicaSetStatus.terminatingReplicas RollingUpdateStatefulSetStrategy.partition StatefulSetSpec.replicas
StatefulSetOrdinals.start StatefulSetSpec.revisionHistoryLimit StatefulSetStatus.availableReplicas StatefulSetStatus.collisionCount
HPAScalingRules.stabilizationWindowSeconds HPAScalingRules.selectPolicy HorizontalPodAutoscalerSpec.minReplicas
HorizontalPodAutoscalerSpec.targetCPUUtilizationPercentage HorizontalPodAutoscalerStatus.currentCPUUtilizationPercentage
HorizontalPodAutoscalerStatus.observedGeneration HorizontalPodAutoscalerStatus.currentMetrics MetricTarget.averageUtilization
MetricValueStatus.averageUtilization CronJobSpec.failedJobsHistoryLimit CronJobSpec.successfulJobsHistoryLimit
CronJobSpec.startingDeadlineSeconds CronJobSpec.suspend CronJobSpec.timeZone JobSpec.backoffLimit JobSpec.backoffLimitPerIndex
JobSpec.completions JobSpec.maxFailedIndexes JobSpec.parallelism JobSpec.ttlSecondsAfterFinished JobSpec.activeDeadlineSeconds
JobSpec.manualSelector JobSpec.suspend JobSpec.completionMode JobSpec.managedBy JobSpec.podReplacementPolicy JobStatus.ready
JobStatus.terminating SuccessPolicyRule.succeededCount SuccessPolicyRule.succeededIndexes
PodFailurePolicyOnExitCodesRequirement.containerName LeaseSpec.leaseDurationSeconds LeaseSpec.leaseTransitions
LeaseSpec.holderIdentity LeaseSpec.strategy LeaseSpec.preferredHolder ClientIPConfig.timeoutSeconds
ConfigMapVolumeSource.defaultMode DownwardAPIVolumeFile.mode DownwardAPIVolumeSource.defaultMode FCVolumeSource.lun KeyToPath.mode
PodCertificateProjection.maxExpirationSeconds PodSpec.priority ProjectedVolumeSource.defaultMode
ReplicationControllerSpec.replicas SecretVolumeSource.defaultMode TopologySpreadConstraint.minDomains
discovery/v1.EndpointPort.port discovery/v1.EndpointPort.name discovery/v1.EndpointPort.protocol
discovery/v1.EndpointPort.appProtocol core/v1.EndpointPort.appProtocol NetworkPolicyPort.endPort NetworkPolicyPort.protocol
PodDisruptionBudgetStatus.currentHealthy PodDisruptionBudgetStatus.desiredHealthy PodDisruptionBudgetStatus.disruptionsAllowed
PodDisruptionBudgetStatus.expectedPods PriorityClass.value PriorityClass.preemptionPolicy TokenRequestSpec.expirationSeconds
NodeSwapStatus.capacity PodSecurityContext.fsGroup PodSecurityContext.runAsGroup PodSecurityContext.runAsUser
PodSecurityContext.runAsNonRoot PodSecurityContext.fsGroupChangePolicy PodSecurityContext.supplementalGroupsPolicy
PodSecurityContext.seLinuxChangePolicy PodSpec.activeDeadlineSeconds PodSpec.terminationGracePeriodSeconds
PodSpec.automountServiceAccountToken PodSpec.enableServiceLinks PodSpec.hostUsers PodSpec.setHostnameAsFQDN
PodSpec.shareProcessNamespace PodSpec.runtimeClassName PodSpec.hostnameOverride PodSpec.preemptionPolicy
Probe.terminationGracePeriodSeconds SecurityContext.runAsGroup SecurityContext.runAsUser SecurityContext.runAsNonRoot
SecurityContext.allowPrivilegeEscalation SecurityContext.privileged SecurityContext.readOnlyRootFilesystem
SecurityContext.procMount SeccompProfile.localhostProfile AppArmorProfile.localhostProfile WindowsSecurityContextOptions.hostProcess
WindowsSecurityContextOptions.gmsaCredentialSpec WindowsSecurityContextOptions.gmsaCredentialSpecName
WindowsSecurityContextOptions.runAsUserName ServiceAccountTokenProjection.expirationSeconds Toleration.tolerationSeconds
DeleteOptions.gracePeriodSeconds DeleteOptions.orphanDependents DeleteOptions.propagationPolicy
DeleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential ListMeta.remainingItemCount ObjectMeta.deletionGracePeriodSeconds
OwnerReference.blockOwnerDeletion OwnerReference.controller Preconditions.resourceVersion Preconditions.uid
AzureDiskVolumeSource.readOnly AzureDiskVolumeSource.cachingMode AzureDiskVolumeSource.fsType AzureDiskVolumeSource.kind
AzureFilePersistentVolumeSource.secretNamespace CSIVolumeSource.readOnly CSIVolumeSource.fsType
ISCSIPersistentVolumeSource.initiatorName ISCSIVolumeSource.initiatorName ClusterTrustBundleProjection.optional
ClusterTrustBundleProjection.name ClusterTrustBundleProjection.signerName ConfigMap.immutable ConfigMapEnvSource.optional
ConfigMapKeySelector.optional ConfigMapProjection.optional ConfigMapVolumeSource.optional FileKeySelector.optional
SecretEnvSource.optional SecretKeySelector.optional SecretProjection.optional SecretVolumeSource.optional Secret.immutable
ContainerStatus.started ContainerStatus.stopSignal Container.restartPolicy EphemeralContainer.restartPolicy Lifecycle.stopSignal
NodeFeatures.supplementalGroupsPolicy NodeRuntimeHandlerFeatures.recursiveReadOnlyMounts NodeRuntimeHandlerFeatures.userNamespaces
ServiceAccount.automountServiceAccountToken ServiceSpec.allocateLoadBalancerNodePorts ServiceSpec.ipFamilyPolicy
ServiceSpec.internalTrafficPolicy ServiceSpec.loadBalancerClass ServiceSpec.trafficDistribution ServicePort.appProtocol
LoadBalancerIngress.ipMode PortStatus.error IngressPortStatus.error EndpointConditions.ready EndpointConditions.serving
EndpointConditions.terminating Endpoint.hostname Endpoint.nodeName Endpoint.zone EndpointAddress.nodeName
StorageClass.allowVolumeExpansion StorageClass.reclaimPolicy StorageClass.volumeBindingMode IngressSpec.ingressClassName
HTTPIngressPath.pathType IngressClassParametersReference.apiGroup IngressClassParametersReference.namespace
IngressClassParametersReference.scope PersistentVolumeSpec.volumeMode PersistentVolumeSpec.volumeAttributesClassName
PersistentVolumeClaimSpec.storageClassName PersistentVolumeClaimSpec.volumeMode PersistentVolumeClaimSpec.volumeAttributesClassName
PersistentVolumeClaimStatus.currentVolumeAttributesClassName TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup
TypedObjectReference.namespace VolumeMount.mountPropagation VolumeMount.recursiveReadOnly VolumeMountStatus.recursiveReadOnly
GRPCAction.service HostPathVolumeSource.type TopologySpreadConstraint.nodeAffinityPolicy TopologySpreadConstraint.nodeTaintsPolicy
PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy PodResourceClaim.resourceClaimName PodResourceClaim.resourceClaimTemplateName
PodResourceClaimStatus.resourceClaimName PodDNSConfigOption.value PodSchedulingGroup.podGroupName Role.rules ClusterRole.rules
""".split())

# List keys that defaulting fills in, with the value structured-merge-diff assumes when one is absent.
KEY_DEFAULTS = {"ContainerPort.protocol": "TCP", "ServicePort.protocol": "TCP"}

USED = set()

SCALARS = {
    "std::string::String": "s", "i32": "i", "i64": "l", "bool": "b", "f64": "d", "crate::ByteString": "y",
    "crate::apimachinery::pkg::util::intstr::IntOrString": "S", "crate::apimachinery::pkg::api::resource::Quantity": "q",
    "crate::apimachinery::pkg::apis::meta::v1::Time": "t", "crate::apimachinery::pkg::apis::meta::v1::MicroTime": "m",
    "crate::apimachinery::pkg::runtime::RawExtension": "r", "crate::apimachinery::pkg::apis::meta::v1::FieldsV1": "f",
}


def crate_source():
    meta = json.loads(subprocess.check_output(["cargo", "metadata", "--format-version", "1", "--filter-platform", "wasm32-unknown-unknown"]))
    package = next(p for p in meta["packages"] if p["name"] == "k8s-openapi")
    return pathlib.Path(package["manifest_path"]).parent / "src" / VERSION


def package_of(path):
    """`crate::api::core::v1::Pod` -> (`core/v1`, `Pod`)"""
    parts = path.split("::")
    return "/".join(parts[-3:-1]), parts[-1]


def rust_string(text):
    text = re.sub(r"\\u\{([0-9a-f]+)\}", lambda m: chr(int(m.group(1), 16)), text)
    table = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "r": "\r"}
    return re.sub(r"\\(.)", lambda m: table[m.group(1)], text)


class Struct:
    """One Go struct as the crate has it."""

    def __init__(self, path, text):
        self.package, self.name = package_of(path)
        self.fields = []
        body = re.search(r"^pub struct \w+ \{\n(.*?)^\}", text, re.M | re.S)
        rust = re.findall(r"^    pub (r#)?(\w+): (.*),$", body.group(1), re.M) if body else []
        json_names = {key: name for name, key in re.findall(r'"([^"]+)" => Field::Key_(\w+),', text)}
        strategies = {}
        for kind, what, rest in re.findall(
            r"merge_strategies::(list|map)::(map|set|atomic|granular)\(\s*&mut self\.(?:r#)?(\w+[^;]*?\|current_item|\w+)", text
        ):
            field = re.match(r"\w+", rest).group(0)
            keys = re.findall(r"lhs\.(?:r#)?([\w.]+) ==", rest)
            strategies[field] = (kind, what, keys)
        docs = dict(re.findall(
            r'^                "([^"]+)": (?:\{|\(\{)\n(?:.*\n)?\s*(?:"description": |schema_obj.*insert\("description"\.into\(\), )"((?:[^"\\]|\\.)*)"',
            text, re.M))
        head = re.search(r'json_schema!\(\{\n\s*"description": "((?:[^"\\]|\\.)*)"', text)
        self.doc = rust_string(head.group(1)) if head else ""
        gvk = "impl crate::Resource for" in text
        # In the order they are written in: the field in Rust, its name in JSON.
        self.members = [(raw + name, json_names[name]) for raw, name, _ in rust]
        self.is_object = gvk
        if gvk:
            self.fields += [("apiVersion", "s", [], API_VERSION_DOC), ("kind", "s", [], KIND_DOC)]
        for _, rust_name, rust_type in rust:
            name = json_names[rust_name]
            required = not rust_type.startswith("Option<")
            inner = rust_type if required else rust_type[len("Option<"):-1]
            self.fields.append((name, self.type_of(inner, name), self.flags(name, rust_name, required, strategies), rust_string(docs.get(name, ""))))
        self.fields.sort()

    def type_of(self, rust, field):
        if rust.startswith("std::vec::Vec<"):
            return "[]" + self.type_of(rust[len("std::vec::Vec<"):-1], field)
        prefix = "std::collections::BTreeMap<std::string::String, "
        if rust.startswith(prefix):
            inner = self.type_of(rust[len(prefix):-1], field)
            named = f"{self.name}.{field}" in RESOURCE_LISTS
            return "{}" + inner + (":ResourceList" if named else "")
        if rust.startswith("std::boxed::Box<"):
            return self.type_of(rust[len("std::boxed::Box<"):-1], field)
        if rust in SCALARS:
            name = GO_NAMES.get(f"{self.name}.{field}") or GO_NAMES.get(f"{self.package}.{self.name}.{field}")
            return SCALARS[rust] + (f":{name}" if name and rust == "std::string::String" else "")
        package, name = package_of(rust)
        return name if package == self.package else f"{package}.{name}"

    def flags(self, name, rust_name, required, strategies):
        flags = ["!"] if required else []
        where = f"{self.name}.{name}"
        kind, what, rust_keys = strategies.get(rust_name, ("", "", []))
        keys = ",".join(CAMEL(k) for k in rust_keys)
        if kind == "list":
            if keys and where not in NO_PATCH_KEY:
                flags.append("merge=" + keys)
            elif where in MERGE_SCALARS:
                flags.append("merge")
            keys = LIST_KEYS.get(where, keys)
            if keys and what == "map":
                flags.append("keys=" + keys)
            elif what == "set":
                flags.append("set")
        elif kind == "map" and what == "atomic":
            flags.append("atomic")
        whole = self.is_object and name in ("metadata", "spec", "status")
        if where in PLAIN_STRUCTS or (whole and kind == ""):
            flags.append("plain")
        if where in POINTERS or f"{self.package}.{where}" in POINTERS:
            flags.append("ptr")
            USED.add(where)
        if where in RETAIN_KEYS:
            flags.append("retainKeys")
        if where in KEY_DEFAULTS:
            flags.append("default=" + KEY_DEFAULTS[where])
        return flags

    def refs(self):
        for _, kind, _, _ in self.fields:
            base = kind.replace("[]", "").replace("{}", "").split(":")[0]
            if len(base) > 1:
                yield base if "." in base else f"{self.package}.{base}"


def CAMEL(rust):
    special = {"type_": "type", "ip": "ip", "uid": "uid", "resource_id": "resourceID"}
    if rust in special:
        return special[rust]
    head, *tail = rust.split("_")
    return head + "".join(t.title() for t in tail)


API_VERSION_DOC = ("APIVersion defines the versioned schema of this representation of an object. Servers should convert "
    "recognized schemas to the latest internal value, and may reject unrecognized values. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources")
KIND_DOC = ("Kind is a string value representing the REST resource this object represents. Servers may infer this from the "
    "endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds")


STRUCTS = """//! Written by `schema/generate.py`: every struct of the schema table with its fields, as they are written.

/// Calls `$callback!` with a row per struct.
macro_rules! rows {
    ($callback:ident) => {
        $callback! {
%s
        }
    };
}
pub(super) use rows;
"""


def codec(structs):
    """The table that `codec/mod.rs` makes readers and writers from."""
    rows = []
    for key in sorted(structs):
        struct = structs[key]
        group, version = struct.package.split("/")
        fields = " ".join(f'{rust} "{name}",' for rust, name in struct.members)
        meta = " type_meta" if struct.is_object else ""
        rows.append(f"            {group}::{version}::{struct.name}{meta} {{ {fields} }}")
    return STRUCTS % "\n".join(rows)


def main():
    source = crate_source()
    files = {}
    for path in sorted(source.rglob("*.rs")):
        text = path.read_text()
        head = re.match(r"// Generated from definition io\.k8s\.(\S+)", text)
        if head and re.search(r"^pub struct \w+ \{|^pub struct \w+;", text, re.M):
            *_, group, version, name = head.group(1).split(".")
            files[f"{group}/{version}.{name}"] = text
    kinds = (HERE.parent / "kind.rs").read_text()
    todo = [f"{g}/{v}.{t}" for g, v, t in re.findall(r"^            \w+: (\w+)::(\w+)::(\w+),", kinds, re.M)] + EXTRA_ROOTS
    structs = {}
    while todo:
        key = todo.pop()
        if key in structs:
            continue
        if key not in files:
            sys.exit(f"{key} is not in the crate")
        group, name = key.split(".")
        structs[key] = Struct("::".join(group.split("/")) + "::" + name, files[key])
        todo += structs[key].refs()
    types, docs, package = [], [], None
    for key in sorted(structs):
        struct = structs[key]
        if struct.package != package:
            package = struct.package
            types.append("@" + package)
            docs.append("@" + package)
        types.append(struct.name + (" atomic" if struct.name in ATOMIC_STRUCTS else ""))
        docs.append(struct.name + "\t" + json.dumps(struct.doc, ensure_ascii=False))
        for name, kind, flags, doc in struct.fields:
            types.append(" " + " ".join([name, kind, *flags]))
            docs.append(" " + name + "\t" + json.dumps(doc, ensure_ascii=False))
    (HERE / "types.txt").write_text("\n".join(types) + "\n")
    (HERE / "docs.txt").write_text("\n".join(docs) + "\n")
    (HERE.parent / "codec" / "structs.rs").write_text(codec(structs))
    for unknown in sorted(row for row in POINTERS if row not in USED and row.partition(".")[2] not in USED):
        print("no such field:", unknown)
    print(f"{len(structs)} types, {sum(len(s.fields) for s in structs.values())} fields")


main()
